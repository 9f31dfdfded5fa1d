"""Whether a checkpoint satisfies a reader's trust policy: its log is known, and enough witnesses cosigned it.

The keys are the policy's, and so the reader's: a witness need be no party to anything.
"""

from __future__ import annotations

from detente.errors import PeerError, RefusedError, shown
from detente.ledger.checkpoint import Checkpoint, parse_checkpoint, split_time, subtree_message
from detente.ledger.cosignature import ed25519_message
from detente.ledger.note import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    Note,
    NoteKey,
    find_lines,
    parse_note,
)
from detente.ledger.policy import Policy, check_quorum
from detente.signing.key import STRICT, PublicKeys, Verifier


def check_policy(text: str, policy: Policy, verifier: Verifier = STRICT) -> None:
    """Raise unless a checkpoint is of a log that the policy knows, and has its quorum (L-POL-1).

    Args:
        text: the whole note.

    Raises:
        RefusedError: `log-unknown`, `quorum-missing`. PeerError: the note is malformed.
    """
    note = parse_note(text)
    checkpoint = parse_checkpoint(note)
    logs = [key for key in policy.logs if key.name == checkpoint.origin]
    if not any(has_signed(note, checkpoint, key, verifier) for key in logs):
        raise RefusedError(
            "log-unknown",
            f"log is {shown(checkpoint.origin)}; it must be in the policy, under a key that signed the checkpoint",
        )
    check_quorum(
        policy,
        {key for key in policy.witnesses.values() if has_signed(note, checkpoint, key, verifier)},
    )


def has_signed(note: Note, checkpoint: Checkpoint, key: NoteKey, verifier: Verifier) -> bool:
    """Whether exactly one line of a key is there, and verifies."""
    lines = find_lines(note, key)
    if len(lines) != 1:
        return False
    try:
        if key.kind == ED25519_NOTE:
            verifier.check_point(key.public)
            verifier.verify_ed25519(
                PublicKeys(key.public, b""), checkpoint.body.encode(), lines[0].signature
            )
            return True
        time_s, signature = split_time(lines[0])
        if key.kind == ED25519_COSIGNATURE:
            verifier.check_point(key.public)
            message = ed25519_message(checkpoint, time_s)
            verifier.verify_ed25519(PublicKeys(key.public, b""), message, signature)
        else:
            message = subtree_message(checkpoint, key.name, time_s)
            verifier.verify_mldsa44(PublicKeys(b"", key.public), message, signature)
    except PeerError:
        return False
    return True

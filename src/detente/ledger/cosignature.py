"""That somebody else saw the same head: cosignatures, by both algorithms, at a time.

A log can show one head to one reader and another to the next. A cosigner promises to sign only heads
that extend the last one it signed, so that k of n honest cosigners leave no room for two histories.

A line that does not verify is reported and does not spoil the checkpoint: whoever relays a note can add
lines, and must not be able to make a good receipt unusable by adding a bad one. (signed-note says
clients SHOULD reject the whole note; the log's own lines are held to that, see docs/adr/0025.)

Source: C2SP tlog-cosignature at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import (
    Checkpoint,
    Cosigned,
    check_checkpoint,
    check_empty_root,
    check_time,
    encode_time,
    parse_checkpoint,
    split_time,
    subtree_message,
)
from detente.ledger.note import (
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    Note,
    NoteKey,
    NoteSignature,
    check_key_name,
    find_lines,
    parse_note,
    parse_vkey,
)
from detente.signing.key import STRICT, PublicKeys, Signer, Verifier


class RefusedLine(msgspec.Struct, frozen=True):
    """A known cosigner whose lines did not count, and why."""

    name: str
    reason: str


class Cosignatures(msgspec.Struct, frozen=True):
    """Who vouched for a checkpoint; whose lines did not verify; how many lines were neither."""

    cosigned: tuple[Cosigned, ...]
    refused: tuple[RefusedLine, ...]
    other_lines: int


def cosigner_keys(name: str, public: PublicKeys) -> tuple[NoteKey, NoteKey]:
    """The note keys under which a cosigner signs: Ed25519 and ML-DSA-44 cosignatures."""
    return (
        NoteKey(name, ED25519_COSIGNATURE, public.ed25519),
        NoteKey(name, MLDSA44_COSIGNATURE, public.mldsa44),
    )


def parse_cosigner(vkeys: Sequence[str], verifier: Verifier = STRICT) -> tuple[str, PublicKeys]:
    """Name and keys of a cosigner by its two vkeys, as its policy lines have them.

    Raises:
        PeerError: `vkey-malformed`, `key-weak`, `key-malformed`. UsageError: `cosigner-keys`: not one of each type under one name.
    """
    keys = {key.kind: key for key in map(parse_vkey, vkeys)}
    names = {key.name for key in keys.values()}
    if (
        len(vkeys) != 2
        or set(keys) != {ED25519_COSIGNATURE, MLDSA44_COSIGNATURE}
        or len(names) != 1
    ):
        raise UsageError(
            "cosigner-keys",
            f"cosigner has {len(vkeys)} vkeys of {len(names)} names; it must have one of type 4 and one of type 6, "
            "under one name",
        )
    public = PublicKeys(keys[ED25519_COSIGNATURE].public, keys[MLDSA44_COSIGNATURE].public)
    verifier.check_public(public)
    return names.pop(), public


def cosign(signer: Signer, name: str, checkpoint: Checkpoint, now_s: int) -> str:
    """The two signature lines of a cosigner for a checkpoint it has found consistent.

    Args:
        signer: the cosigner's keys.
        name: from `cosigner_name`.
        checkpoint: verified by the caller, who also knows that it extends the last one cosigned.
        now_s: seconds since the epoch; the caller's clock should not step back between two calls.

    Raises:
        UsageError: `checkpoint-value` or `key-name`.
    """
    check_key_name(name)
    check_checkpoint(checkpoint)
    check_time(now_s)
    ed25519, mldsa44 = cosigner_keys(name, signer.public)
    time = encode_time(now_s)
    by_ed25519 = time + signer.sign_ed25519(ed25519_message(checkpoint, now_s))
    by_mldsa44 = time + signer.sign_mldsa44(subtree_message(checkpoint, name, now_s))
    return ed25519.sign(by_ed25519).line + mldsa44.sign(by_mldsa44).line


def add_cosignature(text: str, lines: str) -> str:
    """The note with signature lines added, each line once.

    Raises:
        PeerError: `note-malformed`, when either part is.
    """
    note = parse_note(text)
    added = parse_note(f"{note.text}\n{lines}").signatures
    fresh = tuple(line for line in dict.fromkeys(added) if line not in note.signatures)
    return Note(note.text, note.signatures + fresh).format()


def verify_cosignatures(
    text: str, witnesses: Mapping[str, PublicKeys], verifier: Verifier = STRICT
) -> Cosignatures:
    """Who of these witnesses cosigned a checkpoint, by both algorithms and at one time.

    The log's own signatures are not looked at; `verify_checkpoint` does that.

    Args:
        text: the whole note.
        witnesses: their public keys by cosigner name.
        verifier: the strict rule, or the simulator's.

    Raises:
        PeerError: `note-malformed`, `note-too-large`, `checkpoint-malformed` or `checkpoint-empty-root`.
    """
    note = parse_note(text)
    checkpoint = parse_checkpoint(note)
    check_empty_root(checkpoint)
    cosigned: list[Cosigned] = []
    refused: list[RefusedLine] = []
    known = 0
    for name in sorted(witnesses):
        ed25519, mldsa44 = cosigner_keys(name, witnesses[name])
        pair = (find_lines(note, ed25519), find_lines(note, mldsa44))
        found = len(pair[0]) + len(pair[1])
        known += found
        if not found:
            continue
        try:
            time_s = _verify_pair(checkpoint, name, witnesses[name], pair, verifier)
        except PeerError as error:
            refused.append(RefusedLine(name, error.message))
        else:
            cosigned.append(Cosigned(name, time_s))
    return Cosignatures(tuple(cosigned), tuple(refused), len(note.signatures) - known)


def ed25519_message(checkpoint: Checkpoint, time_s: int) -> bytes:
    """What an Ed25519 cosignature signs: two lines, then the checkpoint's text."""
    return f"cosignature/v1\ntime {time_s}\n{checkpoint.body}".encode()


def _verify_pair(
    checkpoint: Checkpoint,
    name: str,
    public: PublicKeys,
    pair: tuple[list[NoteSignature], list[NoteSignature]],
    verifier: Verifier,
) -> int:
    if len(pair[0]) != 1 or len(pair[1]) != 1:
        raise PeerError(
            "cosignature-incomplete",
            f"{name} has {len(pair[0])} Ed25519 and {len(pair[1])} ML-DSA-44 lines; "
            "it must have one of each",
        )
    time_s, by_ed25519 = split_time(pair[0][0])
    other_time_s, by_mldsa44 = split_time(pair[1][0])
    if time_s != other_time_s:
        # Else a line from one day and one from another could be put together to a third statement.
        raise PeerError(
            "cosignature-times",
            f"{name} signed at {time_s} and at {other_time_s}; both lines must carry one time",
        )
    verifier.verify_ed25519(public, ed25519_message(checkpoint, time_s), by_ed25519)
    verifier.verify_mldsa44(public, subtree_message(checkpoint, name, time_s), by_mldsa44)
    return time_s

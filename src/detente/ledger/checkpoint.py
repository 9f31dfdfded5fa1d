"""A log's signed head: origin, size, root, at a time, by both algorithms.

A checkpoint is what a party cannot take back: two checkpoints of one log that no consistency proof
connects convict it. It carries two lines by the log, named by its origin, and both must verify:

- an Ed25519 note signature (type 0x01), which any C2SP client can check, and
- an ML-DSA-44 cosignature (type 0x06), which also signs the time.

Extension lines are refused, because the ML-DSA-44 message does not cover them:

1. Mallory, able to forge Ed25519 one day, adds a fourth line to an old checkpoint and signs again.
2. The ML-DSA-44 line still verifies, so "both signatures verify" over a text only one of them signed.

Signing is the caller's promise: never sign a size below one already signed, and only after the entries
are durable (a receipt that outruns the disk is a lie after the next power cut).

Source: C2SP tlog-checkpoint, signed-note and tlog-cosignature at
5ba5ee830903e91240fc6f9f3a7a9293d49e69c9.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from detente.errors import PeerError, UsageError, shown
from detente.ledger.merkle import EMPTY_ROOT, HASH_BYTES, SIZE_MOST
from detente.ledger.note import (
    ED25519_NOTE,
    MLDSA44_COSIGNATURE,
    Note,
    NoteKey,
    NoteSignature,
    check_key_name,
    find_lines,
    is_key_name,
    parse_note,
)
from detente.signing.base64 import decode_base64, encode_base64
from detente.signing.key import STRICT, PublicKeys, Signer, Verifier

TIMESTAMP_BYTES = 8
TIME_MOST_S = 2**63 - 1  # tlog-cosignature: the timestamp MUST NOT exceed it

_PARTY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SUBTREE_LABEL = b"subtree/v1\n\0"


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log says of itself: its name, how many leaves it has, and their root hash."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The note text: three lines."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


class Cosigned(msgspec.Struct, frozen=True):
    """That a cosigner vouched for a checkpoint by both algorithms, at a time by its own clock."""

    name: str
    time_s: int


class VerifiedCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint whose log signatures have verified.

    Args:
        origin, size, root: as signed.
        time_s: the log's own claim, seconds since the epoch.
        other_lines: signature lines that are not the log's, not checked here.
        cosigned: whose cosignatures verified, when that was asked too.
    """

    origin: str
    size: int
    root: bytes
    time_s: int
    other_lines: int = 0
    cosigned: tuple[Cosigned, ...] = ()


def log_origin(party: str, epoch: int) -> str:
    """The origin of a party's log; a new epoch follows a restored backup that fell behind.

    Example:
        >>> log_origin("north", 1)
        'detente/north/log/1'
    """
    if epoch < 1:
        raise UsageError("log-epoch", f"log epoch is {epoch}; it must be 1 or more")
    return f"{cosigner_name(party)}/log/{epoch}"


def log_owner(origin: str) -> str | None:
    """The party whose log has this origin, None for no log of ours."""
    parts = origin.split("/")
    return parts[1] if len(parts) == 4 and (parts[0], parts[2]) == ("detente", "log") else None


def origin_hash(origin: str) -> str:
    """The name of a log in paths.

    Example:
        >>> origin_hash("detente/north/log/1")[:8]
        '9fc13ac1'
    """
    return hashlib.sha256(origin.encode()).hexdigest()


def cosigner_name(party: str) -> str:
    """The name under which a party or witness cosigns the logs of others.

    Example:
        >>> cosigner_name("north")
        'detente/north'
    """
    if _PARTY.fullmatch(party) is None:
        raise UsageError(
            "party-id",
            f"party id is {shown(party)}; it must be 1..64 letters, digits, '.', '_' or '-'",
        )
    return f"detente/{party}"


def log_keys(origin: str, public: PublicKeys) -> tuple[NoteKey, NoteKey]:
    """The note keys under which a log signs: Ed25519 note, ML-DSA-44 cosignature."""
    return (
        NoteKey(origin, ED25519_NOTE, public.ed25519),
        NoteKey(origin, MLDSA44_COSIGNATURE, public.mldsa44),
    )


def sign_checkpoint(signer: Signer, origin: str, size: int, root: bytes, now_s: int) -> str:
    """The checkpoint note of a log, signed by both algorithms.

    Args:
        signer: the log's keys.
        origin: from `log_origin`.
        size: the number of leaves, all of them durable.
        root: their root hash.
        now_s: seconds since the epoch.

    Raises:
        UsageError: `checkpoint-value` or `key-name`.
    """
    checkpoint = Checkpoint(origin, size, root)
    check_checkpoint(checkpoint)
    check_time(now_s)
    ed25519, mldsa44 = log_keys(origin, signer.public)
    return Note(
        checkpoint.body,
        (
            ed25519.sign(signer.sign_ed25519(checkpoint.body.encode())),
            mldsa44.sign(
                encode_time(now_s) + signer.sign_mldsa44(subtree_message(checkpoint, origin, now_s))
            ),
        ),
    ).format()


def parse_checkpoint(note: Note) -> Checkpoint:
    """The checkpoint in a note's text; no signature is verified.

    Raises:
        PeerError: `checkpoint-malformed`.
    """
    lines = note.text.split("\n")
    if len(lines) != 4 or lines[3] or not is_key_name(lines[0]):
        raise _malformed(note, "it must be origin, size and root, and no extension line")
    if _SIZE.fullmatch(lines[1]) is None or int(lines[1]) > SIZE_MOST:
        raise _malformed(note, f"its size is {shown(lines[1])}")
    try:
        root = decode_base64(lines[2], length=HASH_BYTES, field="root")
    except PeerError:
        raise _malformed(note, f"its root is {shown(lines[2])}") from None
    return Checkpoint(lines[0], int(lines[1]), root)


def verify_checkpoint(
    text: str, origin: str, public: PublicKeys, verifier: Verifier = STRICT
) -> VerifiedCheckpoint:
    """The checkpoint of a note, if the log of this origin and key signed it by both algorithms.

    Args:
        text: the whole note.
        origin: the log expected; a checkpoint of another log is refused, not ignored.
        public: the log's keys.
        verifier: the strict rule, or the simulator's.

    Raises:
        PeerError: `note-malformed`, `note-too-large`, `checkpoint-malformed`, `checkpoint-origin`,
            `checkpoint-unsigned`, `checkpoint-untimed`, `signature-invalid` or, when all signatures are
            valid, `checkpoint-empty-root`.
    """
    note = parse_note(text)
    checkpoint = parse_checkpoint(note)
    if checkpoint.origin != origin:
        raise PeerError(
            "checkpoint-origin",
            f"checkpoint is of log {shown(checkpoint.origin)}; it must be of {shown(origin)}",
            evidence=text.encode(),
        )
    ed25519, mldsa44 = log_keys(origin, public)
    by_ed25519 = _only_line(note, ed25519, "Ed25519")
    by_mldsa44 = _only_line(note, mldsa44, "ML-DSA-44")
    verifier.verify_ed25519(public, checkpoint.body.encode(), by_ed25519.signature)
    time_s, signature = split_time(by_mldsa44)
    verifier.verify_mldsa44(public, subtree_message(checkpoint, origin, time_s), signature)
    check_empty_root(checkpoint)  # last: the witness protocol answers a *signed* one differently
    return VerifiedCheckpoint(
        origin, checkpoint.size, checkpoint.root, time_s, other_lines=len(note.signatures) - 2
    )


def subtree_message(checkpoint: Checkpoint, name: str, time_s: int) -> bytes:
    """What an ML-DSA-44 cosignature signs: `cosigned_message` of tlog-cosignature, for the whole tree."""
    cosigner, origin = name.encode("utf-8"), checkpoint.origin.encode("utf-8")
    return b"".join(
        (
            _SUBTREE_LABEL,
            bytes([len(cosigner)]),
            cosigner,
            encode_time(time_s),
            bytes([len(origin)]),
            origin,
            bytes(8),  # start: a checkpoint covers the tree from its first leaf
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def encode_time(time_s: int) -> bytes:
    """The eight bytes of a timestamp."""
    return time_s.to_bytes(TIMESTAMP_BYTES, "big")


def split_time(line: NoteSignature) -> tuple[int, bytes]:
    """The time and the bare signature of a `timestamped_signature`.

    Raises:
        PeerError: `checkpoint-untimed`: no time, or one out of range.
    """
    time_s = int.from_bytes(line.signature[:TIMESTAMP_BYTES], "big")
    # tlog-cosignature allows a zero time for subtrees; here every signature says when.
    if len(line.signature) <= TIMESTAMP_BYTES or not 0 < time_s <= TIME_MOST_S:
        raise PeerError(
            "checkpoint-untimed",
            f"signature of {shown(line.name)} has time {time_s}; it must be in 1..2**63-1",
            evidence=line.line.encode(),
        )
    return time_s, line.signature[TIMESTAMP_BYTES:]


def check_empty_root(checkpoint: Checkpoint) -> None:
    """Raise `PeerError` (`checkpoint-empty-root`) if a tree of nothing has another root."""
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise PeerError(
            "checkpoint-empty-root",
            "checkpoint of size 0 has another root; it must be the hash of nothing",
            evidence=checkpoint.body.encode(),
        )


def check_checkpoint(checkpoint: Checkpoint) -> None:
    """Raise `UsageError` unless we may sign this checkpoint."""
    check_key_name(checkpoint.origin)
    empty = checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT
    if not 0 <= checkpoint.size <= SIZE_MOST or len(checkpoint.root) != HASH_BYTES or empty:
        raise UsageError(
            "checkpoint-value",
            f"checkpoint is of size {checkpoint.size}, root {checkpoint.root.hex()}; "
            "it must be a size from 0 and a root of 32 bytes (of nothing, at size 0)",
        )


def check_time(now_s: int) -> None:
    """Raise `UsageError` unless this is a time we may sign."""
    if not 0 < now_s <= TIME_MOST_S:
        raise UsageError("checkpoint-value", f"time is {now_s} s; it must be in 1..2**63-1")


def _only_line(note: Note, key: NoteKey, algorithm: str) -> NoteSignature:
    lines = find_lines(note, key)
    if len(lines) != 1:
        raise PeerError(
            "checkpoint-unsigned",
            f"checkpoint has {len(lines)} {algorithm} lines by {shown(key.name)}; it must have one",
            hint="compare the key id with the log's card; the key may have been rotated",
            evidence=note.format().encode(),
        )
    return lines[0]


def _malformed(note: Note, why: str) -> PeerError:
    return PeerError(
        "checkpoint-malformed",
        f"checkpoint is malformed ({why}); it must follow C2SP tlog-checkpoint",
        evidence=note.format().encode(),
    )

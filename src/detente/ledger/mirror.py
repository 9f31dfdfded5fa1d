"""What a mirror of a log takes and answers: add-entries of C2SP tlog-mirror, as values; no HTTP here.

A mirror has two heads of each log. The *pending* one was cosigned by the witness beside it; the *mirror's*
own is behind it or the same, and everything below that is stored here. Entries come in packages that end
at multiples of 256, each with a proof that it is part of a pending head: what does not belong to the log
is never stored, whoever sends it, and an upload that breaks off loses nothing that was stored.

The mirror signs by ML-DSA-44 alone, under a name of its own: that message holds the name, so it cannot be
taken for the witness's, which the same key makes (docs/adr/0080).

Source: C2SP tlog-mirror at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from detente import limits
from detente.errors import PeerError, UsageError, shown
from detente.ledger.checkpoint import (
    Checkpoint,
    check_checkpoint,
    encode_time,
    parse_checkpoint,
    subtree_message,
)
from detente.ledger.merkle import (
    HASH_BYTES,
    PROOF_HASHES_MOST,
    SIZE_MOST,
    MerkleTree,
    Tree,
    leaf_hash,
    verify_subtree_consistency,
)
from detente.ledger.note import MLDSA44_COSIGNATURE, NoteKey, find_lines, parse_note
from detente.ledger.tile import TILE_WIDTH
from detente.signing.base64 import decode_base64, encode_base64
from detente.signing.key import STRICT, PublicKeys, Signer, Verifier

UPLOAD_TYPE: Final = "application/octet-stream"
INFO_TYPE: Final = "text/x.tlog.mirror-info"
INFO_BYTES = 4096  # two sizes and a ticket

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class Upload(msgspec.Struct, frozen=True):
    """The beginning of an add-entries request: of which log, from where, up to which pending head."""

    origin: str
    start: int
    end: int
    ticket: bytes = b""

    def encode(self) -> bytes:
        """The bytes in front of the packages."""
        origin = self.origin.encode()
        return b"".join(
            (
                len(origin).to_bytes(2, "big"),
                origin,
                self.start.to_bytes(8, "big"),
                self.end.to_bytes(8, "big"),
                len(self.ticket).to_bytes(2, "big"),
                self.ticket,
            )
        )

    def intervals(self) -> Iterator[tuple[int, int]]:
        """The packages that this upload consists of, each from its first entry to before its last."""
        start = self.start
        while start < self.end:
            end = min(self.end, start // TILE_WIDTH * TILE_WIDTH + TILE_WIDTH)
            yield start, end
            start = end


class Package(msgspec.Struct, frozen=True):
    """Entries of one log from `start`, and the proof that they are in a head."""

    start: int
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """The index behind the last entry."""
        return self.start + len(self.entries)

    @property
    def rounded(self) -> int:
        """Where the bundle begins to which the entries belong."""
        return self.start // TILE_WIDTH * TILE_WIDTH

    def encode(self) -> bytes:
        """The bytes of the package."""
        rows = [len(entry).to_bytes(2, "big") + entry for entry in self.entries]
        return b"".join((*rows, bytes([len(self.proof)]), *self.proof))


class MirrorInfo(msgspec.Struct, frozen=True):
    """Where a mirror is: what it answers with 202 and 409."""

    size: int
    next: int
    ticket: bytes = b""

    def encode(self) -> str:
        """The body of the answer."""
        return f"{self.size}\n{self.next}\n{encode_base64(self.ticket)}\n"


def make_package(tree: Tree, start: int, entries: Sequence[bytes], size: int) -> Package:
    """A package of our own log, for the head of `size`."""
    rounded = start // TILE_WIDTH * TILE_WIDTH
    proof = tree.subtree_consistency_proof(rounded, start + len(entries), size)
    return Package(start, tuple(entries), proof)


def verify_package(
    package: Package, before: Sequence[bytes], size: int, root: bytes
) -> tuple[bytes, ...]:
    """The leaf hashes of a package's bundle, if all of it is in the head of this size and root.

    Args:
        before: the leaf hashes from the bundle's beginning to the package's, known here already.

    Raises:
        PeerError: `consistency-invalid`.
    """
    hashes = (*before, *(leaf_hash(entry) for entry in package.entries))
    whole = MerkleTree(hashes).root()
    verify_subtree_consistency(package.rounded, package.end, size, package.proof, whole, root)
    return hashes


class UploadParser:
    """Reads a request as it comes in, one package at a time, and keeps no more than one.

    Attributes:
        upload: the beginning, once it is there.
    """

    def __init__(self) -> None:
        self.upload: Upload | None = None
        self._data = bytearray()
        self._left: Iterator[tuple[int, int]] = iter(())
        self._place: tuple[int, int] | None = None

    @property
    def complete(self) -> bool:
        """Whether every package of the upload was read; what follows is nobody's."""
        return self.upload is not None and self._place is None

    def feed(self, data: bytes) -> None:
        """Take in more bytes.

        Raises:
            PeerError: `mirror-upload`: the beginning is malformed.
        """
        self._data += data
        if self.upload is None:
            self.upload = self._begin()
            if self.upload is not None:
                self._left = self.upload.intervals()
                self._place = next(self._left, None)

    def packages(self) -> Iterator[Package]:
        """The packages that are there whole.

        Raises:
            PeerError: `mirror-upload`: an entry or a proof over its limit.
        """
        while self._place is not None and (package := self._package(*self._place)) is not None:
            self._place = next(self._left, None)
            yield package

    def _begin(self) -> Upload | None:
        data = self._data
        length = int.from_bytes(data[:2], "big")
        if len(data) >= 2 and not 1 <= length <= limits.MIRROR_ORIGIN_BYTES:
            raise _malformed(f"origin of {length} bytes", data)
        at = 2 + length + 16
        if len(data) < at + 2:
            return None
        ticket = int.from_bytes(data[at : at + 2], "big")
        if ticket > limits.MIRROR_TICKET_BYTES:
            raise _malformed(f"ticket of {ticket} bytes", data)
        if len(data) < at + 2 + ticket:
            return None
        try:
            origin = bytes(data[2 : 2 + length]).decode()
        except UnicodeDecodeError:
            raise _malformed("origin that is not UTF-8", data) from None
        start = int.from_bytes(data[at - 16 : at - 8], "big")
        end = int.from_bytes(data[at - 8 : at], "big")
        if not start <= end <= SIZE_MOST:
            raise _malformed(f"interval {start} to {end}", data)
        upload = Upload(origin, start, end, bytes(data[at + 2 : at + 2 + ticket]))
        del data[: at + 2 + ticket]
        return upload

    def _package(self, start: int, end: int) -> Package | None:
        data, at = self._data, 0
        entries: list[bytes] = []
        while len(entries) < end - start:
            if len(data) < at + 2:
                return None
            length = int.from_bytes(data[at : at + 2], "big")
            if length > limits.MIRROR_ENTRY_BYTES:
                raise _malformed(f"entry of {length} bytes", data)
            if len(data) < at + 2 + length:
                return None
            entries.append(bytes(data[at + 2 : at + 2 + length]))
            at += 2 + length
        if len(data) < at + 1:
            return None
        count = data[at]
        if count > PROOF_HASHES_MOST:
            raise _malformed(f"proof of {count} hashes", data)
        stop = at + 1 + count * HASH_BYTES
        if len(data) < stop:
            return None
        proof = tuple(bytes(data[i : i + HASH_BYTES]) for i in range(at + 1, stop, HASH_BYTES))
        del data[:stop]
        return Package(start, tuple(entries), proof)


def parse_info(body: bytes) -> MirrorInfo:
    """Where a mirror says that it is.

    Raises:
        PeerError: `mirror-info`.
    """
    try:
        lines = body.decode("ascii").split("\n")
        if len(lines) == 4 and not lines[3] and all(_NUMBER.fullmatch(n) for n in lines[:2]):
            size, following = int(lines[0]), int(lines[1])
            if max(size, following) <= SIZE_MOST:
                ticket = decode_base64(lines[2], field="ticket") if lines[2] else b""
                return MirrorInfo(size, following, ticket)
    except (UnicodeDecodeError, PeerError):
        pass
    raise PeerError(
        "mirror-info",
        f"answer of {len(body)} bytes is wrong; it must be two sizes and a ticket",
        evidence=body[:INFO_BYTES],
    )


def mirror_name(party: str) -> str:
    """The name a party's mirror signs under: another than its witness's.

    Example:
        >>> mirror_name("north")
        'detente/north/mirror'
    """
    return f"detente/{party}/mirror"


def mirror_key(party: str, public: PublicKeys) -> NoteKey:
    """The note key of a party's mirror."""
    return NoteKey(mirror_name(party), MLDSA44_COSIGNATURE, public.mldsa44)


def sign_mirrored(
    signer: Signer, party: str, checkpoint: Checkpoint, now_s: int, *, newest: bool
) -> str:
    """The signature line of a mirror that holds every entry of a checkpoint, durably.

    Args:
        newest: whether it has seen no larger head. If it has, the time is zero, which says nothing.
    """
    check_checkpoint(checkpoint)
    time_s = now_s if newest else 0
    message = subtree_message(checkpoint, mirror_name(party), time_s)
    signature = encode_time(time_s) + signer.sign_mldsa44(message)
    return mirror_key(party, signer.public).sign(signature).line


def verify_mirrored(note: str, party: str, public: PublicKeys, verifier: Verifier = STRICT) -> str:
    """The line by which a party's mirror says that it holds a note's checkpoint.

    Raises:
        PeerError: `mirror-unsigned`: not exactly one line; `signature-invalid`; `note-malformed`.
    """
    parsed = parse_note(note)
    lines = find_lines(parsed, mirror_key(party, public))
    if len(lines) != 1 or len(lines[0].signature) <= 8:
        raise PeerError(
            "mirror-unsigned",
            f"note has {len(lines)} lines of the mirror of {shown(party)}; it must have one",
            evidence=note.encode(),
        )
    time_s = int.from_bytes(lines[0].signature[:8], "big")
    message = subtree_message(parse_checkpoint(parsed), mirror_name(party), time_s)
    verifier.verify_mldsa44(public, message, lines[0].signature[8:])
    return lines[0].line


def check_quota(party: str, used: int) -> None:
    """Raise unless there is room for more of a party's entries.

    Raises:
        UsageError: `mirror-full`.
    """
    if used > limits.MIRROR_BYTES:
        raise UsageError(
            "mirror-full",
            f"mirror of {shown(party)} has {used} bytes; it must have at most {limits.MIRROR_BYTES}",
        )


def _malformed(what: str, data: bytes | bytearray) -> PeerError:
    return PeerError(
        "mirror-upload",
        f"add-entries request has an {what}; it must follow C2SP tlog-mirror",
        evidence=bytes(data[: limits.EVIDENCE_SAMPLE_BYTES]),
    )

"""That a leaf is in a log: index, inclusion proof and signed checkpoint, checked without asking anyone.

Receipts and bundles carry this value as canonical JSON; `format_tlog_proof` writes the same as the C2SP
text that other tools read.

Source: C2SP tlog-proof at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from detente.errors import PeerError, shown
from detente.ledger.checkpoint import VerifiedCheckpoint, verify_checkpoint
from detente.ledger.cosignature import verify_cosignatures
from detente.ledger.merkle import HASH_BYTES, PROOF_HASHES_MOST, SIZE_MOST, verify_inclusion
from detente.ledger.note import NOTE_BYTES
from detente.signing.base64 import (
    decode_base64,
    decode_base64url,
    encode_base64,
    encode_base64url,
)
from detente.signing.canonical import INTEGER_MOST
from detente.signing.key import STRICT, PublicKeys, Verifier

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


class LogProof(msgspec.Struct, frozen=True):
    """A leaf's place in a log, and the signed head that fixes it; not verified.

    Args:
        checkpoint: the whole note, with whatever cosignatures it has gathered.
        index: the leaf's place.
        hashes: the inclusion proof, the leaf's sibling first.
    """

    checkpoint: str
    index: int
    hashes: tuple[bytes, ...]

    def to_json(self) -> dict[str, object]:
        """The proof as a JSON object; hashes in base64url without padding."""
        return {
            "checkpoint": self.checkpoint,
            "hashes": [encode_base64url(hash_) for hash_ in self.hashes],
            "index": self.index,
        }


def parse_log_proof(obj: object) -> LogProof:
    """The proof of a JSON object.

    Raises:
        PeerError: `log-proof-malformed` or `base64-malformed`.
    """
    if not isinstance(obj, dict) or set(obj) != {"checkpoint", "hashes", "index"}:
        raise _malformed(f"{shown(obj)}", "an object with checkpoint, hashes and index only")
    note, hashes, index = obj["checkpoint"], obj["hashes"], obj["index"]
    if not isinstance(note, str) or len(note) > NOTE_BYTES:
        raise _malformed(f"with checkpoint {shown(note)}", "a signed note")
    if type(index) is not int or not 0 <= index <= INTEGER_MOST:
        raise _malformed(f"with index {shown(index)}", "a whole number in 0..2**53-1")
    if not isinstance(hashes, list) or len(hashes) > PROOF_HASHES_MOST:
        raise _malformed(f"with hashes {shown(hashes)}", "a list of at most 63")
    decoded = tuple(decode_base64url(hash_, length=HASH_BYTES, field="hashes") for hash_ in hashes)
    return LogProof(note, index, decoded)


def verify_log_proof(
    proof: LogProof,
    leaf: bytes,
    origin: str,
    log_public: PublicKeys,
    witnesses: Mapping[str, PublicKeys] | None = None,
    verifier: Verifier = STRICT,
) -> VerifiedCheckpoint:
    """The checkpoint that holds this leaf, with those of the witnesses who cosigned it.

    Whether the cosigners are enough is for the reader's policy, not for this function.

    Args:
        proof: from a peer.
        leaf: the leaf hash, computed by the caller from what is to be proved.
        origin: the log expected.
        log_public: that log's keys.
        witnesses: keys by cosigner name; None to look at no cosignature.
        verifier: the strict rule, or the simulator's.

    Raises:
        PeerError: as `verify_checkpoint` and `verify_inclusion`.
    """
    checkpoint = verify_checkpoint(proof.checkpoint, origin, log_public, verifier)
    verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    if not witnesses:
        return checkpoint
    found = verify_cosignatures(proof.checkpoint, witnesses, verifier)
    return msgspec.structs.replace(checkpoint, cosigned=found.cosigned)


def format_tlog_proof(proof: LogProof, *, extra: bytes = b"") -> str:
    """The C2SP text of a proof.

    Args:
        proof: what to write.
        extra: opaque bytes for the reader, authenticated by nothing; left out when empty.
    """
    extra_line = f"extra {encode_base64(extra)}\n" if extra else ""
    hashes = "".join(f"{encode_base64(hash_)}\n" for hash_ in proof.hashes)
    return f"{_FIRST_LINE}\n{extra_line}index {proof.index}\n{hashes}\n{proof.checkpoint}"


def parse_tlog_proof(text: str) -> tuple[LogProof, bytes]:
    """The proof of a C2SP text, and its extra data, which nothing vouches for.

    Raises:
        PeerError: `log-proof-malformed` or `base64-malformed`.
    """
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != _FIRST_LINE or len(note) > NOTE_BYTES:
        raise _malformed(f"{shown(lines[0])}", f"a text that begins with {_FIRST_LINE}")
    del lines[0]
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), field="extra")
    match = _INDEX.fullmatch(lines[0]) if lines else None
    if match is None or int(match[1]) >= SIZE_MOST or len(lines) - 1 > PROOF_HASHES_MOST:
        raise _malformed("without an index line, or too long", "index, then at most 63 hashes")
    hashes = tuple(decode_base64(line, length=HASH_BYTES, field="hashes") for line in lines[1:])
    return LogProof(note, int(match[1]), hashes), extra


def _malformed(value: str, rule: str) -> PeerError:
    return PeerError("log-proof-malformed", f"log proof is {value}; it must be {rule}")

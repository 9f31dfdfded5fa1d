"""A leaf commits to an entry without telling it: two salted commitments, header and content.

A witness or mirror sees leaf bytes and must learn nothing from them, though the entries are guessable (a
few dozen types, times to the second, known sequences). So header and content are each hidden behind 32
secret bytes. They are two, so that a party can open the *headers* up to a checkpoint, and prove by the
gapless chains that nothing else stands there, while the contents stay closed.

The salts come from a backed-up seed, so that a restored node can open its own leaves again. The seed
must belong to one log, see `derive_log_seed`:

1. North keeps its seed when it opens log epoch 2, so entry 5 of both epochs has the same salts.
2. In an inquiry North opens entry 5 of epoch 1, and with it the salts.
3. Whoever mirrors epoch 2 now guesses its entry 5, type by type and second by second, until the hash fits.

    header commitment  = SHA-256("detente:leaf-header:v1\n" || header salt || canonical JSON of the header)
    content commitment = SHA-256("detente:leaf-content:v1\n" || content salt || content, 32 bytes)
    leaf bytes         = {"content":"<base64url>","header":"<base64url>"}
    salt               = HMAC-SHA-256(seed, "detente:leaf-salt:v1\n" || label || "\n" || index, 8 bytes big-endian)
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal, get_args

import msgspec

from detente.errors import PeerError, UsageError, shown
from detente.ledger.merkle import SIZE_MOST, leaf_hash
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import INTEGER_MOST, encode_canonical

Kind = Literal["made", "received", "local"]

CONTENT_BYTES = 32
SALT_BYTES = 32
HEADER_TEXT_CHARS = 200  # link, chain and type are our own short names; longer is an attack

_SEED_TAG = b"detente:leaf-seed:v1\n"
_SALT_TAG = b"detente:leaf-salt:v1\n"
_HEADER_TAG = b"detente:leaf-header:v1\n"
_CONTENT_TAG = b"detente:leaf-content:v1\n"
_HEADER_FIELDS = frozenset({"index", "kind", "link", "chain", "sequence", "type", "time"})
_OPENING_FIELDS = frozenset({"header", "header_salt", "content_salt", "content_commitment"})


class LeafHeader(msgspec.Struct, frozen=True):
    """What kind of entry stands at an index; nothing of what it says.

    Args:
        index: the leaf's place in its log.
        kind: a statement made here, a statement received, or a local fact.
        type: the statement's or the local entry's type name.
        time_us: when this node logged it, microseconds since the epoch.
        link, chain, sequence: the statement's place on its link; None together for a local entry.
    """

    index: int
    kind: Kind
    type: str
    time_us: int
    link: str | None = None
    chain: str | None = None
    sequence: int | None = None

    def to_json(self) -> dict[str, int | str | None]:
        """The header as a JSON object; `time` is in microseconds since the epoch."""
        return {
            "index": self.index,
            "kind": self.kind,
            "link": self.link,
            "chain": self.chain,
            "sequence": self.sequence,
            "type": self.type,
            "time": self.time_us,
        }


class LeafOpening(msgspec.Struct, frozen=True):
    """What opens a leaf: the header with its salt and, unless withheld, the content's salt."""

    header: LeafHeader
    header_salt: bytes
    content_salt: bytes | None
    content_commitment: bytes

    def without_content(self) -> LeafOpening:
        """The opening of the header alone; the content can no longer be guessed from it."""
        return msgspec.structs.replace(self, content_salt=None)

    def to_json(self) -> dict[str, object]:
        """The opening as a JSON object, base64url without padding."""
        salt = self.content_salt
        return {
            "header": self.header.to_json(),
            "header_salt": encode_base64url(self.header_salt),
            "content_salt": None if salt is None else encode_base64url(salt),
            "content_commitment": encode_base64url(self.content_commitment),
        }


def derive_log_seed(secret: bytes, origin: str) -> bytes:
    """The seed of one log's salts: HMAC-SHA-256(secret, tag || origin).

    Args:
        secret: 32 random bytes or more, kept for as long as the records are; part of the backup.
        origin: the log's origin, which names its epoch.

    Raises:
        UsageError: `seed-length`.
    """
    _check_seed(secret)
    return hmac.digest(secret, _SEED_TAG + origin.encode("utf-8"), "sha256")


def leaf_salt(seed: bytes, label: Literal["header", "content"], index: int) -> bytes:
    """The salt of one half of one leaf, the same whenever it is asked for.

    Raises:
        UsageError: `seed-length`, or `leaf-index` when it does not fit.
    """
    _check_seed(seed)
    if not 0 <= index < SIZE_MOST:
        raise UsageError("leaf-index", f"leaf index is {index}; it must be in 0..2**63-2")
    message = _SALT_TAG + label.encode("ascii") + b"\n" + index.to_bytes(8, "big")
    return hmac.digest(seed, message, "sha256")


def open_leaf(seed: bytes, header: LeafHeader, content: bytes) -> LeafOpening:
    """The complete opening of one of our own leaves, when it is made and whenever it is proved.

    Args:
        seed: this log's, from `derive_log_seed`.
        header: what stands there.
        content: 32 bytes: a statement id, or the digest of a local entry's canonical bytes.

    Raises:
        UsageError: `leaf-content`, `leaf-index` or `seed-length`.
    """
    if len(content) != CONTENT_BYTES:
        raise UsageError("leaf-content", f"leaf content is {len(content)} bytes; it must be 32")
    content_salt = leaf_salt(seed, "content", header.index)
    return LeafOpening(
        header=header,
        header_salt=leaf_salt(seed, "header", header.index),
        content_salt=content_salt,
        content_commitment=_commit_content(content_salt, content),
    )


def leaf_bytes(opening: LeafOpening) -> bytes:
    """The bytes that stand in the log, and that mirrors store: 112 of them."""
    digest = hashlib.sha256(_HEADER_TAG + opening.header_salt)
    digest.update(encode_canonical(opening.header.to_json()))
    content = encode_base64url(opening.content_commitment)
    return f'{{"content":"{content}","header":"{encode_base64url(digest.digest())}"}}'.encode()


def verify_leaf_opening(opening: LeafOpening, content: bytes | None) -> bytes:
    """The leaf hash that an opening leads to; whether the log holds it is for an inclusion proof.

    Args:
        opening: from a peer.
        content: the 32 bytes it is said to commit to; None to open the header only.

    Raises:
        PeerError: `leaf-content-withheld` or `leaf-content-mismatch`.
    """
    if content is not None:
        if opening.content_salt is None:
            raise PeerError(
                "leaf-content-withheld",
                f"leaf {opening.header.index} is opened without its content salt; it must be opened "
                "with it to prove a content",
            )
        if _commit_content(opening.content_salt, content) != opening.content_commitment:
            raise PeerError(
                "leaf-content-mismatch",
                f"leaf {opening.header.index} commits to another content; it must commit to "
                f"{content.hex()}",
                evidence=encode_canonical(opening.to_json()),
            )
    return leaf_hash(leaf_bytes(opening))


def parse_leaf_header(obj: object) -> LeafHeader:
    """The header of a JSON object.

    Raises:
        PeerError: `leaf-malformed`.
    """
    if not isinstance(obj, dict) or set(obj) != _HEADER_FIELDS:
        raise _malformed(
            f"header is {shown(obj)}; it must have {', '.join(sorted(_HEADER_FIELDS))}"
        )
    for name in ("index", "time"):
        _check_integer(obj, name)
    for name in ("link", "chain"):
        if obj[name] is not None:
            _check_text(obj, name)
    _check_text(obj, "type")
    if obj["sequence"] is not None:
        _check_integer(obj, "sequence")
    if obj["kind"] not in get_args(Kind):
        raise _malformed(f"kind is {shown(obj['kind'])}; it must be made, received or local")
    absent = [obj[name] is None for name in ("link", "chain", "sequence")]
    if any(absent) != all(absent) or (obj["kind"] == "local" and not all(absent)):
        raise _malformed("link, chain and sequence must be given together, and not for kind local")
    return LeafHeader(
        index=obj["index"],
        kind=obj["kind"],
        type=obj["type"],
        time_us=obj["time"],
        link=obj["link"],
        chain=obj["chain"],
        sequence=obj["sequence"],
    )


def parse_leaf_opening(obj: object) -> LeafOpening:
    """The opening of a JSON object.

    Raises:
        PeerError: `leaf-malformed` or `base64-malformed`.
    """
    if not isinstance(obj, dict) or set(obj) != _OPENING_FIELDS:
        raise _malformed(
            f"opening is {shown(obj)}; it must have {', '.join(sorted(_OPENING_FIELDS))}"
        )
    salt = obj["content_salt"]
    return LeafOpening(
        header=parse_leaf_header(obj["header"]),
        header_salt=decode_base64url(obj["header_salt"], length=SALT_BYTES, field="header_salt"),
        content_salt=None
        if salt is None
        else decode_base64url(salt, length=SALT_BYTES, field="content_salt"),
        content_commitment=decode_base64url(
            obj["content_commitment"], length=32, field="content_commitment"
        ),
    )


def _commit_content(salt: bytes, content: bytes) -> bytes:
    return hashlib.sha256(_CONTENT_TAG + salt + content).digest()


def _check_seed(seed: bytes) -> None:
    if len(seed) < 32:
        raise UsageError("seed-length", f"salt seed is {len(seed)} bytes; it must be at least 32")


def _check_integer(obj: dict[str, object], name: str) -> None:
    value = obj[name]
    if type(value) is not int or not 0 <= value <= INTEGER_MOST:
        raise _malformed(f"{name} is {shown(value)}; it must be a whole number in 0..2**53-1")


def _check_text(obj: dict[str, object], name: str) -> None:
    value = obj[name]
    if not isinstance(value, str) or not 0 < len(value) <= HEADER_TEXT_CHARS:
        raise _malformed(f"{name} is {shown(value)}; it must be a text of 1..200 characters")


def _malformed(message: str) -> PeerError:
    return PeerError("leaf-malformed", f"leaf {message}")

"""The signed note: text, an empty line, signature lines. What checkpoints travel in.

Text, so that it can be printed, read out and argued about in an inquiry. The form is C2SP's, so that
verifiers written by neither party exist. A parsed note is *not* verified: its text means nothing until
`detente.ledger.checkpoint` or `detente.ledger.cosignature` has checked the lines it needs.

Source: C2SP signed-note at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

import msgspec

from detente import limits
from detente.errors import PeerError, UsageError, shown
from detente.signing.base64 import decode_base64, encode_base64
from detente.signing.key import ED25519_PUBLIC_BYTES, MLDSA44_PUBLIC_BYTES

# Signature type bytes of signed-note.
ED25519_NOTE: Final = 0x01
ED25519_COSIGNATURE: Final = 0x04
MLDSA44_COSIGNATURE: Final = 0x06

_KEY_BYTES = {
    ED25519_NOTE: ED25519_PUBLIC_BYTES,
    ED25519_COSIGNATURE: ED25519_PUBLIC_BYTES,
    MLDSA44_COSIGNATURE: MLDSA44_PUBLIC_BYTES,
}

# Two lines by the log, two by each witness and by each other party (who mirror and cosign), doubled for
# keys in rotation. The specification wants at least 16.
NOTE_LINES_MOST = 4 * (1 + limits.WITNESSES_PER_AGREEMENT + limits.PARTIES_PER_AGREEMENT)
NOTE_BYTES = NOTE_LINES_MOST * 4096  # an ML-DSA-44 line is 3.3 kB with a name of ordinary length
KEY_NAME_BYTES = 255  # tlog-cosignature writes its length in one byte

_DASH = "— "
_KEY_ID_BYTES = 4
_CONTROL = bytes(byte for byte in range(0x20) if byte != 0x0A)


class NoteSignature(msgspec.Struct, frozen=True):
    """One signature line, not verified."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"


class Note(msgspec.Struct, frozen=True):
    """A text, ending in a newline, and its signature lines."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def format(self) -> str:
        """The whole note."""
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}"


class NoteKey(msgspec.Struct, frozen=True):
    """A key under a name, for one type of signature; as text, a C2SP *vkey*.

    Args:
        name: the log's origin or the cosigner's name.
        kind: the signature type byte.
        public: the raw public key.
    """

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, say which line is this key's."""
        return _key_id(self.name, self.kind, self.public)

    def format(self) -> str:
        """The vkey text: name, hexadecimal key id and base64 key, joined by plus signs."""
        encoded = encode_base64(bytes([self.kind]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def sign(self, signature: bytes) -> NoteSignature:
        """The signature line of this key for a signature already made."""
        return NoteSignature(self.name, self.key_id, signature)


def parse_note(note: str) -> Note:
    """The text and signature lines of a note; nothing is verified.

    Raises:
        PeerError: `note-malformed` or `note-too-large`.
    """
    try:
        data = note.encode("utf-8")
    except UnicodeEncodeError:
        raise _malformed("it has a lone surrogate", note) from None
    if len(data) > NOTE_BYTES:
        raise PeerError(
            "note-too-large",
            f"note is {len(data)} bytes; it must be at most {NOTE_BYTES}",
            evidence=data[: limits.EVIDENCE_SAMPLE_BYTES],
        )
    if len(data.translate(None, _CONTROL)) != len(data):
        raise _malformed("it has a control character", note)
    # "the text is separated from the signatures by the last empty line in the note"
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise _malformed("it has no signature lines behind an empty line", note)
    signatures = tuple(_parse_line(line, note) for line in lines[:-1].split("\n"))
    if len(signatures) > NOTE_LINES_MOST:
        raise _malformed(f"it has {len(signatures)} signature lines", note)
    return Note(text + "\n", signatures)


def parse_vkey(text: str) -> NoteKey:
    """The key of a vkey text.

    Raises:
        PeerError: `vkey-malformed`: not of that form, a type we do not use, or an id that is not its own.
    """
    name, _, rest = text.partition("+")
    id_text, _, encoded = rest.partition("+")
    try:
        data = decode_base64(encoded, field="vkey")
    except PeerError:
        data = b""
    if not data or _KEY_BYTES.get(data[0]) != len(data) - 1 or not is_key_name(name):
        raise PeerError(
            "vkey-malformed",
            f"vkey is {shown(text)}; it must be name+id+key, of type 1, 4 or 6",
            evidence=text.encode("utf-8", "replace"),
        )
    key = NoteKey(name, data[0], data[1:])
    if key.key_id.hex() != id_text:
        raise PeerError(
            "vkey-malformed",
            f"vkey id is {shown(id_text)}; it must be {key.key_id.hex()}",
            evidence=text.encode("utf-8", "replace"),
        )
    return key


def is_key_name(name: str) -> bool:
    """Whether a key name is allowed: UTF-8, not empty, no space, no plus, at most 255 bytes.

    Example:
        >>> is_key_name("detente/north"), is_key_name("north west"), is_key_name("a+b")
        (True, False, False)
    """
    try:
        data = name.encode("utf-8")
    except (
        UnicodeEncodeError
    ):  # octets of a policy file that are no UTF-8: such a name is in no note
        return False
    return (
        name.split() == [name]  # neither empty nor with a space of any script
        and "+" not in name
        and len(data.translate(None, _CONTROL)) == len(data) <= KEY_NAME_BYTES
    )


def check_key_name(name: str) -> None:
    """Raise `UsageError` (`key-name`) unless the key name is allowed."""
    if not is_key_name(name):
        raise UsageError(
            "key-name",
            f"key name is {shown(name)}; it must have no space and no plus, 1..255 bytes",
        )


def find_lines(note: Note, key: NoteKey) -> list[NoteSignature]:
    """The lines that carry this key's name and id, which may still be forged."""
    return [line for line in note.signatures if line.name == key.name and line.key_id == key.key_id]


def _parse_line(line: str, note: str) -> NoteSignature:
    # Names never hold a space, so exactly one space follows the dash-and-space.
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not is_key_name(name):
        raise _malformed(f"signature line {shown(line)}", note)
    try:
        data = decode_base64(encoded, field="signature")
    except PeerError:
        raise _malformed(f"signature of {shown(name)} is not base64", note) from None
    if len(data) <= _KEY_ID_BYTES:
        raise _malformed(f"signature of {shown(name)} is {len(data)} bytes", note)
    return NoteSignature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


# A line is looked up by its id at every check, and hashing an ML-DSA-44 key costs a few microseconds.
@lru_cache(maxsize=1024)
def _key_id(name: str, kind: int, public: bytes) -> bytes:
    data = name.encode("utf-8") + b"\n" + bytes([kind]) + public
    return hashlib.sha256(data).digest()[:_KEY_ID_BYTES]


def _malformed(why: str, note: str) -> PeerError:
    return PeerError(
        "note-malformed",
        f"signed note is malformed ({why}); it must follow C2SP signed-note",
        evidence=note.encode("utf-8", "surrogatepass"),
    )

"""Base 64, one spelling only: a text that decodes is the text that would be encoded.

The alphabets are RFC 4648, section 5 without padding (`base64url`: our JSON) and section 4 with
padding (`base64`: DSSE and the C2SP notes). Decoders are strict, because the lax ones of the standard
library accept many texts for the same bytes:

1. Mallory takes a signed bundle and flips one of the unused trailing bits of a base64 text.
2. A lax decoder yields the same bytes, so every signature still verifies.
3. Two parties hold different files, both "valid", and quarrel about which one was sent.
"""

from __future__ import annotations

import binascii

from detente.errors import PeerError, shown

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
# By the length modulo 4: with which letters a text may end, so that the bits that say nothing are zero.
_ENDS: tuple[frozenset[int], ...] = (
    frozenset(range(256)),
    frozenset(),
    frozenset(b"AQgw"),
    frozenset(b"AEIMQUYcgkosw048"),
)


def encode_base64url(data: bytes) -> str:
    """The base64url text of some bytes, without padding.

    Example:
        >>> encode_base64url(bytes([251, 255]))
        '-_8'
    """
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode_base64url(text: object, *, length: int | None = None, field: str = "base64url") -> bytes:
    """The bytes of a base64url text without padding.

    Args:
        text: what a peer sent; anything but a canonical text is refused.
        length: the exact number of bytes wanted; None for any.
        field: the name an error shows.

    Raises:
        PeerError: `base64-malformed`: not a string, another alphabet, padding, white space, unused bits
            that are not zero, or another length than wanted.

    Example:
        >>> decode_base64url("-_8").hex()
        'fbff'
    """
    if isinstance(text, str) and text.isascii() and "=" not in text:
        given = text.encode("ascii")
        padding = b"=" * (-len(given) % 4)
        canonical = not given or given[-1] in _ENDS[len(given) % 4]
        if canonical and b"+" not in given and b"/" not in given:
            try:
                data = binascii.a2b_base64(given.translate(_FROM_URL) + padding, strict_mode=True)
            except binascii.Error:
                pass
            else:
                if length is None or length == len(data):
                    return data
    raise _malformed(text, "base64url without padding", length, field)


def encode_base64(data: bytes) -> str:
    """The base64 text of some bytes, standard alphabet, with padding.

    Example:
        >>> encode_base64(bytes([251, 255]))
        '+/8='
    """
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: object, *, length: int | None = None, field: str = "base64") -> bytes:
    """The bytes of a base64 text, standard alphabet, with padding.

    Args:
        text: what a peer sent; anything but a canonical text is refused.
        length: the exact number of bytes wanted; None for any.
        field: the name an error shows.

    Raises:
        PeerError: `base64-malformed`, as for `decode_base64url`.

    Example:
        >>> decode_base64("+/8=").hex()
        'fbff'
    """
    if isinstance(text, str) and text.isascii():
        try:
            data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
        except binascii.Error:
            pass
        else:
            if encode_base64(data) == text and length in (None, len(data)):
                return data
    raise _malformed(text, "standard base64 with padding", length, field)


def _malformed(text: object, alphabet: str, length: int | None, field: str) -> PeerError:
    wanted = alphabet if length is None else f"{alphabet} of exactly {length} bytes"
    evidence = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""
    return PeerError(
        "base64-malformed",
        f"{field} is {shown(text)}; it must be {wanted}, in its one canonical spelling",
        field=field,
        evidence=evidence,
    )

"""Canonical JSON: the one byte form of what is signed or hashed (RFC 8785, without floats).

Values are None, bool, int (|n| < 2**53), str, list and dict with str keys; a tuple is written as a
list. Floats are refused, since no quantity here needs one: lengths, times and angles are whole numbers
(`detente.units`). A parsed text must equal its own re-encoding, which shuts out white space, other key
orders, other escapes, `-0`, `1e3` and, above all, duplicate keys:

1. Mallory signs `{"exercise":true,"exercise":false}`.
2. One parser takes the first value, another the last; the screens of two honest nodes disagree.
3. Here the text re-encodes to something shorter than itself, so it is refused before anyone reads it.

Source: RFC 8785 (JSON Canonicalization Scheme), RFC 8259.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
import rfc8785

from detente import limits
from detente.errors import PeerError, UsageError, shown

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"

INTEGER_MOST = 2**53 - 1  # RFC 8785 numbers are IEEE 754 doubles; whole ones are exact up to here

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(order="sorted")

# msgspec sorts keys by code point and RFC 8785 by UTF-16 code unit. The two orders differ only where a
# character beyond U+FFFF meets one from U+E000 to U+FFFF, so only texts with a four-byte UTF-8 lead
# need the slow encoder.
_BEYOND_BMP = bytes(range(0xF0, 0xF5))
_PLAIN = {str, bool, type(None)}


def encode_canonical(value: object) -> bytes:
    """The canonical JSON bytes of a value.

    Args:
        value: None, bool, int, str, list, tuple or dict with str keys, nested up to
            `limits.JSON_DEPTH` levels.

    Raises:
        UsageError: `json-number` (a float, or an integer beyond 2**53 - 1), `json-depth`, `json-text`
            (a lone surrogate) or `json-type`.

    Example:
        >>> encode_canonical({"b": [1, None], "a": "é"}).decode()
        '{"a":"é","b":[1,null]}'
    """
    try:
        return _encode(value)
    except _Uncanonical as problem:
        raise UsageError(problem.code, problem.message) from None


def parse_canonical(data: bytes, *, most_bytes: int = limits.STATEMENT_BYTES) -> JsonValue:
    """The value of some canonical JSON bytes, and of no others.

    Args:
        data: what a peer sent.
        most_bytes: more than this is refused unread.

    Raises:
        PeerError: `json-too-large`, `json-malformed`, `json-depth`, `json-number` or
            `json-not-canonical`; the evidence is `data`.

    Example:
        >>> parse_canonical(b'{"a":1}')
        {'a': 1}
    """
    if len(data) > most_bytes:
        raise PeerError(
            "json-too-large",
            f"JSON text is {len(data)} bytes; it must be at most {most_bytes}",
            evidence=data[: limits.EVIDENCE_SAMPLE_BYTES],
        )
    try:
        value: JsonValue = _decoder.decode(data)
    except RecursionError:
        raise PeerError(
            "json-depth",
            f"JSON text is nested very deeply; it must be at most {limits.JSON_DEPTH} levels deep",
            evidence=data,
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PeerError(
            "json-malformed", f"text is not JSON ({error}); it must be RFC 8785 JSON", evidence=data
        ) from None
    try:
        encoded = _encode(value)
    except _Uncanonical as problem:
        raise PeerError(problem.code, problem.message, evidence=data) from None
    if encoded != data:
        at = next(
            (i for i, (got, want) in enumerate(zip(data, encoded, strict=False)) if got != want),
            min(len(data), len(encoded)),
        )
        raise PeerError(
            "json-not-canonical",
            f"JSON text differs from its canonical form at byte {at}; it must be RFC 8785 JSON "
            "(no white space, sorted unique keys, shortest escapes)",
            evidence=data,
        )
    return value


class _Uncanonical(Exception):
    """A value has no canonical form; whose fault that is, the caller knows."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _encode(value: object) -> bytes:
    if not _is_plain(value):
        _check(value, limits.JSON_DEPTH)  # says what is wrong
    try:
        encoded = _encoder.encode(value)
    except UnicodeEncodeError:
        raise _Uncanonical(
            "json-text", "text has a lone surrogate; it must be valid Unicode"
        ) from None
    if encoded.isascii() or len(encoded.translate(None, _BEYOND_BMP)) == len(encoded):
        return encoded
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # _check has narrowed it


def _is_plain(value: object) -> bool:
    """Whether `_check` has nothing against an object or a list: the same rules, level by level, for speed."""
    level: list[Any] = [value]
    for _ in range(limits.JSON_DEPTH):
        deeper: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is dict:
                for key in one:
                    if type(key) is not str:
                        return False
                members = one.values()
            elif kind is list or kind is tuple:
                members = one
            else:
                return False
            for member in members:
                kind = type(member)
                if kind in _PLAIN or (kind is int and -INTEGER_MOST <= member <= INTEGER_MOST):
                    continue
                deeper.append(member)
        if not deeper:
            return True
        level = deeper
    return False


def _check(value: object, levels_left: int) -> None:
    """Refuse what RFC 8785 or our subset cannot write; scalars are tested in line, for speed."""
    kind = type(value)
    if kind is dict:
        assert isinstance(value, dict)
        for key in value:
            if type(key) is not str:
                raise _Uncanonical("json-type", f"key is {shown(key)}; it must be a string")
        members = value.values()
    elif kind is list or kind is tuple:
        assert isinstance(value, list | tuple)
        members = value  # type: ignore[assignment]
    else:
        _check_scalar(value)
        return
    if levels_left == 0:
        raise _Uncanonical(
            "json-depth", f"value is too deep; it must be at most {limits.JSON_DEPTH} levels deep"
        )
    for member in members:
        kind = type(member)
        if kind is str:
            continue
        if kind is int and -INTEGER_MOST <= member <= INTEGER_MOST:
            continue
        _check(member, levels_left - 1)


def _check_scalar(value: object) -> None:
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return
    if kind is int:
        assert isinstance(value, int)
        if -INTEGER_MOST <= value <= INTEGER_MOST:
            return
        raise _Uncanonical("json-number", f"number is {value}; it must be within ±{INTEGER_MOST}")
    if kind is float:
        raise _Uncanonical(
            "json-number", f"number is {shown(value)}; it must be a whole number, in its unit"
        )
    raise _Uncanonical(
        "json-type",
        f"value is of type {kind.__name__}; it must be null, bool, int, str, list or dict",
    )

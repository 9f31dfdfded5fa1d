"""JSON from strangers: one reading only, exact numbers, bounded depth and size.

Two readers that disagree about the same bytes can be shown two different notices under one
signature. So what different parsers read differently is refused: duplicate keys, NaN and infinities,
bytes that are not UTF-8. Numbers stay exact: integers are int, others `decimal.Decimal`.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import NoReturn

from detente.errors import UsageError, shown
from detente.limits import API_BODY_BYTES, JSON_DEPTH

_MOST_DIGITS = 60  # a number with more digits is no measurement; also bounds the cost of parsing it
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]', re.DOTALL)  # a bracket in text opens nothing


def parse_json(
    data: bytes, *, most_bytes: int = API_BODY_BYTES, most_depth: int = JSON_DEPTH
) -> object:
    """The value of a JSON document.

    Args:
        data: the bytes of the whole document; a UTF-8 byte order mark is refused.
        most_bytes: the greatest size.
        most_depth: the greatest nesting of objects and lists.

    Returns:
        dict, list, str, int, `Decimal`, bool or None.

    Raises:
        UsageError: too large, too deep, not UTF-8, not JSON, a duplicate key, or NaN or infinity.
            The text names line and column.

    Source: RFC 8259; RFC 7493 (I-JSON), section 2.3, for duplicate keys.

    Example:
        >>> parse_json(b'{"value": 0.1}')
        {'value': Decimal('0.1')}
    """
    if len(data) > most_bytes:
        raise UsageError(
            "json-too-large", f"file has {len(data):,} bytes; it must have at most {most_bytes:,}"
        )
    if not data.strip():
        raise UsageError("json-empty", "file is empty; it must be a JSON document")
    if data.startswith(b"\xef\xbb\xbf"):
        raise UsageError(
            "json-malformed",
            "file begins with a byte order mark; JSON must not have one",
            hint="save it as UTF-8 without BOM",
        )
    try:
        text = data.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise UsageError(
            "json-not-utf8",
            f"byte {error.start} is {shown(data[error.start : error.start + 1])}; "
            "the file must be UTF-8",
        ) from None
    _check_depth(text, most_depth)
    try:
        return json.loads(
            text,
            parse_int=_parse_int,
            parse_float=_parse_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_parse_object,
        )
    except json.JSONDecodeError as error:
        raise UsageError(
            "json-malformed",
            f"line {error.lineno}, column {error.colno}: {error.msg}; the file must be JSON",
        ) from None
    except RecursionError:  # unterminated text can hide brackets from the count above
        raise UsageError(
            "json-too-deep", f"nesting is too deep; it must be at most {most_depth}"
        ) from None


def _check_depth(text: str, most_depth: int) -> None:
    depth = 0
    for token in _BRACKETS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > most_depth:
                raise UsageError(
                    "json-too-deep",
                    f"nesting is deeper than {most_depth}; it must be at most {most_depth}",
                )
        elif token[0] in "]}":
            depth -= 1


def _parse_int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise UsageError(
            "number-too-long",
            f"number is {shown(text)}; it must have at most {_MOST_DIGITS} digits",
        )
    return int(text)


def _parse_decimal(text: str) -> Decimal:
    if len(text) > _MOST_DIGITS:
        raise UsageError(
            "number-too-long",
            f"number is {shown(text)}; it must have at most {_MOST_DIGITS} digits",
        )
    return Decimal(text)


def _refuse_constant(text: str) -> NoReturn:
    raise UsageError("number-not-finite", f"number is {text}; it must be finite")


def _parse_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise UsageError(
                "json-duplicate-key", f"key {shown(key)} appears twice; it must appear once"
            )
        found[key] = value
    return found

"""The form of a statement: a row of the type table, and what single values of a body must look like.

Each family of types keeps its rows and its rules in a module of its own; `rules` collects them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from detente.errors import RefusedError, UsageError, shown
from detente.limits import RADIUS_MAX_M, TEXT_CHARS
from detente.protocol.statement import Chain
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M, format_time, parse_time

_REORDER = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


THREAD_KINDS = ("notice", "conflict", "cease", "line", "talk")


class Type(msgspec.Struct, frozen=True):
    """One row of the type table.

    Attributes:
        code: the message code of the field (A1, R1, H2 …).
        required, optional: body fields.
        chain: the only chain it may travel on; None for receipts, which follow what they answer.
        receipt: whether it earns a receipt.
        kinds: of which kinds its thread may be.
    """

    code: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    chain: Chain | None = "ordinary"
    thread: Literal["never", "may", "must"] = "never"
    receipt: bool = True
    kinds: tuple[str, ...] = ("notice",)


def check_text(values: dict[str, Any], field: str, most: int = TEXT_CHARS) -> None:
    """Raise unless a field is a plain text of 1 to `most` characters.

    Raises:
        RefusedError: ``text-malformed``.
    """
    text = values.get(field)
    if not isinstance(text, str) or not 1 <= len(text) <= most or hides(text):
        raise RefusedError(
            "text-malformed",
            f"{field} must be a plain text of 1 to {most} characters",
            field=field,
        )


def check_value(values: dict[str, Any], field: str, good: Callable[[Any], bool], rule: str) -> None:
    """Raise unless a field is as its rule says.

    Raises:
        RefusedError: ``value-wrong``.
    """
    if not good(values.get(field)):
        raise RefusedError(
            "value-wrong", f"{field} is {shown(values.get(field))}; it must be {rule}", field=field
        )


def is_place(value: object) -> bool:
    """Whether a value is a position in 1e-9 degree, with a radius in 0.1 mm or without."""
    if not isinstance(value, dict) or not {"lat", "lon"} <= set(value) <= {
        "lat",
        "lon",
        "radius_tenth_mm",
    }:
        return False
    if any(type(number) is not int for number in value.values()):
        return False
    return bool(
        abs(value["lat"]) <= 90 * NANODEG_PER_DEG
        and abs(value["lon"]) <= 180 * NANODEG_PER_DEG
        and 0 <= value.get("radius_tenth_mm", 0) <= RADIUS_MAX_M * TENTH_MM_PER_M
    )


def hides(text: str) -> bool:
    """Whether a text has characters that reorder or hide others (docs/spec/notice.md, as for its texts)."""
    return any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(c) in _REORDER
        for c in text
        if c not in "\n\t"
    )


def is_time(value: object) -> bool:
    """Whether a value is a time in its one canonical form."""
    try:
        return format_time(parse_time(value)) == value
    except UsageError:
        return False


def matches(pattern: str) -> Callable[[object], bool]:
    """A test whether a value is a text of a form."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


is_statement_id = matches(r"[0-9a-f]{64}")

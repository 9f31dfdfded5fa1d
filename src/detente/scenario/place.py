"""When and where a step of a script says: a time or its words, and one area over the ground."""

from __future__ import annotations

import math
import re
from typing import Literal, NoReturn

from msgspec import Struct

from detente.errors import UsageError, shown
from detente.limits import RADIUS_MAX_M, VERTICES_PER_PIECE
from detente.scenario.table import Table
from detente.units import US_PER_S, format_time, parse_time

_AFTER = re.compile(r"\+(\d{2,3}):([0-5]\d):([0-5]\d)", re.ASCII)

Position = tuple[float, float]


class When(Struct, frozen=True):
    """A time in a notice: absolute, or after the clock's start, or only words that were spoken."""

    at_us: int | None = None
    after_us: int | None = None
    words: str = ""

    def resolve_us(self, clock_start_us: int) -> int | None:
        """The time in microseconds, or None where there are only words."""
        if self.after_us is not None:
            return clock_start_us + self.after_us
        return self.at_us

    def text(self, clock_start_us: int) -> str:
        """RFC 3339 in Z, or the words."""
        time_us = self.resolve_us(clock_start_us)
        return self.words if time_us is None else format_time(time_us)


class Shape(Struct, frozen=True):
    """A polygon, a circle or a corridor over the ground; longitude first, as in GeoJSON."""

    kind: Literal["Polygon", "Point", "LineString"]
    rings: tuple[tuple[Position, ...], ...]
    size_name: str = ""
    size: float = 0.0

    def geometry(self) -> dict[str, object]:
        """The GeoJSON geometry object."""
        if self.kind == "Polygon":
            coordinates: object = [[list(p) for p in ring] for ring in self.rings]
        elif self.kind == "LineString":
            coordinates = [list(p) for p in self.rings[0]]
        else:
            coordinates = list(self.rings[0][0])
        return {"type": self.kind, "coordinates": coordinates}

    def text(self) -> str:
        """As officers say it: ``circle of 10 km``, ``corridor 3 NM either side``."""
        number = f"{self.size:g} NM" if self.size_name.endswith("_nm") else ""
        number = number or (f"{self.size / 1000:g} km" if self.size >= 1000 else f"{self.size:g} m")
        if self.kind == "Polygon":
            return "polygon"
        return f"circle of {number}" if self.kind == "Point" else f"corridor {number} either side"


def parse_optional_when(table: Table, name: str, *, words: bool) -> When | None:
    """A time that may be absent."""
    return parse_when(table, name, words=words) if table.has(name) else None


def parse_when(table: Table, name: str, *, words: bool = False) -> When:
    """A time: absolute, after the clock's start, or with `words` whatever was said."""
    rule = (
        "RFC 3339 in UTC such as 2018-09-17T18:39:00Z, or after the clock's start such as +00:25:00"
    )
    text = table.text(name, most_chars=100, rule=rule)
    after = _AFTER.fullmatch(text)
    if after:
        hours, minutes, seconds = (int(part) for part in after.groups())
        return When(after_us=(hours * 3600 + minutes * 60 + seconds) * US_PER_S)
    try:
        return When(at_us=parse_time(text, field=table.path(name)))
    except UsageError:
        if words:
            return When(words=text)
        table.wrong(name, rule)


def parse_shape(table: Table, *, sizeless: bool = False) -> Shape:
    """Exactly one of polygon, circle (centre and radius) and corridor (centre line and half width).

    Args:
        sizeless: a circle may leave its radius out: one position.
    """
    kinds = [name for name in ("polygon", "circle", "corridor") if table.has(name)]
    if len(kinds) != 1:
        table.wrong(
            kinds[1] if kinds else "polygon", "given alone: one of polygon, circle, corridor"
        )
    if kinds == ["polygon"]:
        ring = _positions(table, "polygon", least=3)
        closed = ring if ring[0] == ring[-1] else (*ring, ring[0])
        if len(closed) < 4:
            table.wrong("polygon", "at least 3 different positions")
        return Shape("Polygon", (closed,))
    if kinds == ["circle"]:
        centre = _positions(table, "circle", least=1)
        if len(centre) != 1:
            table.wrong("circle", "one position [[longitude, latitude]]")
        sized = not sizeless or table.has("radius_m") or table.has("radius_nm")
        return Shape("Point", (centre,), *(_size(table, "radius") if sized else ("", 0.0)))
    return Shape(
        "LineString", (_positions(table, "corridor", least=2),), *_size(table, "half_width")
    )


def parse_position(table: Table, name: str) -> Position:
    """One position ``[longitude, latitude]``, degrees."""
    rule = "a position [longitude, latitude] in degrees"
    return _position(table, name, table.value(name, rule), rule)


def _size(table: Table, name: str) -> tuple[str, float]:
    metres, miles = f"{name}_m", f"{name}_nm"
    if table.has(metres) == table.has(miles):
        table.wrong(metres, f"given, or else {miles}, but not both")
    if table.has(metres):
        return metres, table.number(metres, least=1, most=RADIUS_MAX_M)
    return miles, table.number(miles, least=0.001, most=RADIUS_MAX_M / 1852)


def _positions(table: Table, name: str, *, least: int) -> tuple[Position, ...]:
    rule = f"a list of {least} to {VERTICES_PER_PIECE} positions [longitude, latitude] in degrees"
    items = table.value(name, rule)
    if not isinstance(items, list) or not least <= len(items) <= VERTICES_PER_PIECE:
        table.wrong(name, rule)
    return tuple(_position(table, name, item, rule) for item in items)


def _position(table: Table, name: str, item: object, rule: str) -> Position:
    def refuse() -> NoReturn:
        raise UsageError(
            "field-malformed",
            f"a position is {shown(item)}; it must be in {rule}",
            field=table.path(name),
        )

    if not isinstance(item, list) or len(item) != 2:
        refuse()
    for part, most in zip(item, (180, 90), strict=True):
        if isinstance(part, bool) or not isinstance(part, int | float):
            refuse()
        if not math.isfinite(part) or abs(part) > most:
            refuse()
    return (item[0], item[1])

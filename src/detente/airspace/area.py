"""Where: a circle, a corridor, an area or somebody on the way, as whole numbers on the surface of the earth.

A position is ``(longitude, latitude)`` in integers of 1e-9 degree, in GeoJSON's order. A circle and
a corridor are *thick*: a point or a line and everything nearer to it than a length, so nothing is
approximated by an inscribed polygon. What an edge between two vertices is, `edge` decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from detente.errors import UsageError, shown
from detente.limits import RADIUS_MAX_M, VERTICES_PER_PIECE
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M, format_time, parse_time

LonLat = tuple[int, int]
Ring = tuple[LonLat, ...]  # closed: the last position repeats the first
Rings = tuple[Ring, ...]  # the outer ring, then its holes

LON_MAX_NANODEG = 180 * NANODEG_PER_DEG
LAT_MAX_NANODEG = 90 * NANODEG_PER_DEG
EDGE_KINDS = ("planar", "geodesic")


class Circle(msgspec.Struct, frozen=True):
    """Everything within a radius of a point.

    Args:
        center: longitude and latitude, 1e-9 degree.
        radius_tenth_mm: surface distance, 0.1 mm.
    """

    center: LonLat
    radius_tenth_mm: int

    def body(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "type": "circle",
            "center": list(self.center),
            "radius_tenth_mm": self.radius_tenth_mm,
        }


class Corridor(msgspec.Struct, frozen=True):
    """Everything within a half width of a line.

    Args:
        points: two or more positions, 1e-9 degree.
        half_width_tenth_mm: surface distance, 0.1 mm.
    """

    points: tuple[LonLat, ...]
    half_width_tenth_mm: int

    def body(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "type": "corridor",
            "points": [list(point) for point in self.points],
            "half_width_tenth_mm": self.half_width_tenth_mm,
        }


class Area(msgspec.Struct, frozen=True):
    """One or more polygons, each an outer ring and its holes.

    Args:
        polygons: closed rings of positions, 1e-9 degree; either winding.
    """

    polygons: tuple[Rings, ...]

    def body(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "type": "area",
            "polygons": [
                [[list(point) for point in ring] for ring in rings] for rings in self.polygons
            ],
        }


class Moving(msgspec.Struct, frozen=True):
    """Everything within a radius of somebody who is on the way: a convoy, a tanker on its track.

    Args:
        points: two or more positions, 1e-9 degree; the same one twice is a wait.
        times_us: when each is passed, microseconds since the epoch, strictly increasing.
        radius_tenth_mm: surface distance, 0.1 mm.
    """

    points: tuple[LonLat, ...]
    times_us: tuple[int, ...]
    radius_tenth_mm: int

    def body(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "type": "moving",
            "points": [list(point) for point in self.points],
            "times": [format_time(time_us) for time_us in self.times_us],
            "radius_tenth_mm": self.radius_tenth_mm,
        }

    def path(self) -> tuple[LonLat, ...]:
        """The positions without the waits; one alone for somebody who stays."""
        kept = [p for i, p in enumerate(self.points) if not i or p != self.points[i - 1]]
        return tuple(kept)


Geometry = Circle | Corridor | Area | Moving


def positions(geometry: Geometry) -> Iterator[LonLat]:
    """Every position of a geometry, closing positions included."""
    if isinstance(geometry, Circle):
        yield geometry.center
    elif isinstance(geometry, Corridor | Moving):
        yield from geometry.points
    else:
        for rings in geometry.polygons:
            for ring in rings:
                yield from ring


def count_positions(geometry: Geometry) -> int:
    """How many positions a geometry has, closing positions included."""
    if isinstance(geometry, Circle):
        return 1
    if isinstance(geometry, Corridor | Moving):
        return len(geometry.points)
    return sum(len(ring) for rings in geometry.polygons for ring in rings)


def check_position(lon_nanodeg: int, lat_nanodeg: int, *, field: str) -> LonLat:
    """A position inside the range of degrees.

    Raises:
        UsageError: out of range; when only the latitude is, the two were probably swapped.
    """
    if abs(lat_nanodeg) > LAT_MAX_NANODEG:
        swapped = abs(lat_nanodeg) <= LON_MAX_NANODEG and abs(lon_nanodeg) <= LAT_MAX_NANODEG
        raise UsageError(
            "position-latitude",
            f"latitude is {lat_nanodeg / NANODEG_PER_DEG:.9g}; it must be from -90 to 90",
            hint="GeoJSON writes longitude first, then latitude; these look swapped"
            if swapped
            else "GeoJSON writes longitude first, then latitude, both in degrees",
            field=field,
        )
    if abs(lon_nanodeg) > LON_MAX_NANODEG:
        raise UsageError(
            "position-longitude",
            f"longitude is {lon_nanodeg / NANODEG_PER_DEG:.9g}; it must be from -180 to 180",
            hint="cut an area that crosses the antimeridian in two at 180 degrees (RFC 7946, 3.1.9)",
            field=field,
        )
    return lon_nanodeg, lat_nanodeg


def check_size(length_tenth_mm: int, *, field: str) -> int:
    """A radius or half width that is above zero and not absurd.

    Raises:
        UsageError: zero, negative or past the limit.
    """
    if not 0 < length_tenth_mm <= RADIUS_MAX_M * TENTH_MM_PER_M:
        raise UsageError(
            "radius-range",
            f"value is {length_tenth_mm / TENTH_MM_PER_M:.9g} m; "
            f"it must be above 0 and at most {RADIUS_MAX_M:,} m",
            field=field,
        )
    return length_tenth_mm


def check_count(count: int, *, field: str) -> None:
    """Refuses a piece with more positions than the limit.

    Raises:
        UsageError: past the limit.
    """
    if count > VERTICES_PER_PIECE:
        raise UsageError(
            "vertices-too-many",
            f"piece has {count:,} positions; it must have at most {VERTICES_PER_PIECE:,}",
            hint="simplify the outline, or split it into several features with the same id",
            field=field,
        )


def parse_geometry_body(value: object, *, field: str) -> Geometry:
    """A geometry from its canonical form, written by a peer whom we need not believe.

    Only the form, ranges and counts are looked at here; `rules.check_geometry` looks at crossings.

    Raises:
        UsageError: the form differs from what `body` writes in any way.
    """
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or kind not in ("circle", "corridor", "area", "moving"):
        raise UsageError(
            "geometry-type",
            f"geometry type is {shown(kind)}; it must be circle, corridor, area or moving",
            field=f"{field}.type",
        )
    if kind == "circle":
        _exact_keys(value, {"type", "center", "radius_tenth_mm"}, field)
        return Circle(
            center=_position(value["center"], f"{field}.center"),
            radius_tenth_mm=_size(value["radius_tenth_mm"], f"{field}.radius_tenth_mm"),
        )
    if kind == "corridor":
        _exact_keys(value, {"type", "points", "half_width_tenth_mm"}, field)
        return Corridor(
            points=_line(value["points"], f"{field}.points"),
            half_width_tenth_mm=_size(value["half_width_tenth_mm"], f"{field}.half_width_tenth_mm"),
        )
    if kind == "moving":
        _exact_keys(value, {"type", "points", "times", "radius_tenth_mm"}, field)
        return Moving(
            points=_line(value["points"], f"{field}.points"),
            times_us=parse_times(value["times"], field=f"{field}.times", canonical=True),
            radius_tenth_mm=_size(value["radius_tenth_mm"], f"{field}.radius_tenth_mm"),
        )
    _exact_keys(value, {"type", "polygons"}, field)
    polygons = _list(value["polygons"], f"{field}.polygons")
    return Area(
        polygons=tuple(
            tuple(
                _line(ring, f"{field}.polygons[{i}][{j}]")
                for j, ring in enumerate(_list(rings, f"{field}.polygons[{i}]"))
            )
            for i, rings in enumerate(polygons)
        )
    )


def parse_times(value: object, *, field: str, canonical: bool = False) -> tuple[int, ...]:
    """When the positions of a moving volume are passed, from a list of RFC 3339 texts.

    Raises:
        UsageError: no list, too long, or a time that `parse_time` refuses or, where that is asked
            for, is not in its canonical form.
    """
    times = []
    for i, text in enumerate(_list(value, field)):
        time_us = parse_time(text, field=f"{field}[{i}]")
        if canonical and format_time(time_us) != text:
            raise UsageError(
                "time-not-canonical",
                f"time is {shown(text)}; it must be {format_time(time_us)}",
                field=f"{field}[{i}]",
            )
        times.append(time_us)
    return tuple(times)


def _exact_keys(value: Mapping[str, object], keys: set[str], field: str) -> None:
    if set(value) != keys:
        raise UsageError(
            "geometry-malformed",
            f"geometry has {shown(sorted(map(str, value)))}; "
            f"it must have exactly {', '.join(sorted(keys))}",
            field=field,
        )


def _list(value: object, field: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise UsageError(
            "geometry-malformed",
            f"value is {shown(value)}; it must be a list that is not empty",
            field=field,
        )
    check_count(len(value), field=field)
    return value


def _line(value: object, field: str) -> tuple[LonLat, ...]:
    return tuple(_position(item, f"{field}[{i}]") for i, item in enumerate(_list(value, field)))


def _position(value: object, field: str) -> LonLat:
    if not (
        isinstance(value, list) and len(value) == 2 and all(type(part) is int for part in value)
    ):
        raise UsageError(
            "geometry-malformed",
            f"position is {shown(value)}; it must be two integers of 1e-9 degree",
            field=field,
        )
    return check_position(value[0], value[1], field=field)


def _size(value: object, field: str) -> int:
    if type(value) is not int:
        raise UsageError(
            "geometry-malformed", f"value is {shown(value)}; it must be an integer", field=field
        )
    return check_size(value, field=field)

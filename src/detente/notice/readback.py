"""A read-back: place and time in the receiver's own figures, compared with what the notice said.

Both sides compute the same comparison from the same three things: the notice's volumes, the read-back and the
agreed tolerance. Only whole numbers are used. docs/spec/hotline.md, H-LAD-2 and H-LAD-3.
"""

from __future__ import annotations

from typing import Any

import msgspec

from detente.agreement.terms import ReadBackTolerance
from detente.airspace.area import Circle, LonLat, check_position, check_size
from detente.airspace.distance import distance_between, distance_to, middle_and_radius
from detente.airspace.near import Budget
from detente.airspace.shape import Shape
from detente.errors import UsageError, shown
from detente.limits import EDGE_PAIRS_PER_PAIR
from detente.notice.activity import ActivityNotice
from detente.units import TENTH_MM_PER_M, US_PER_S, format_time, parse_time

MINUTE_US = 60 * US_PER_S


class ReadBack(msgspec.Struct, frozen=True):
    """What a receiver restates.

    Attributes:
        position: longitude and latitude, 1e-9 degree.
        radius_tenth_mm: where the receiver restated a circle, its radius.
        from_us, until_us: the interval.
    """

    position: LonLat
    radius_tenth_mm: int | None
    from_us: int
    until_us: int

    def place(self) -> dict[str, int]:
        """The place as a statement carries it."""
        place = {"lat": self.position[1], "lon": self.position[0]}
        if self.radius_tenth_mm is not None:
            place["radius_tenth_mm"] = self.radius_tenth_mm
        return place


class Comparison(msgspec.Struct, frozen=True):
    """How a read-back lies to its notice; lengths are rounded up to whole metres, times away from nought to minutes.

    Attributes:
        place_m: from the restated place to the nearest volume, 0 inside.
        middle_m: from the restated place to the middle of the volumes.
        radius_m: restated radius less the notice's, where the notice is one circle and a radius was restated.
        from_min, until_min: restated time less the notice's.
    """

    agrees: bool
    place_m: int
    middle_m: int
    radius_m: int | None
    from_min: int
    until_min: int


def parse_read_back(place: object, from_: object, until: object) -> ReadBack:
    """A read-back from the fields of a statement, which a peer wrote.

    Raises:
        UsageError: another form than `ReadBack.place` and two times in canonical form, or an empty interval.
    """
    if (
        not isinstance(place, dict)
        or not {"lat", "lon"} <= set(place) <= {"lat", "lon", "radius_tenth_mm"}
        or not all(type(value) is int for value in place.values())
    ):
        raise UsageError(
            "place-malformed",
            f"place is {shown(place)}; it must be lat and lon in 1e-9 degree, with radius_tenth_mm or without",
            field="place",
        )
    position = check_position(place["lon"], place["lat"], field="place")
    radius = place.get("radius_tenth_mm")
    if radius is not None:
        check_size(radius, field="place.radius_tenth_mm")
    from_us, until_us = parse_time(from_, field="from"), parse_time(until, field="until")
    for name, value, time_us in (("from", from_, from_us), ("until", until, until_us)):
        if format_time(time_us) != value:
            raise UsageError(
                "time-not-canonical",
                f"{name} is {shown(value)}; it must be {format_time(time_us)}",
                field=name,
            )
    if until_us <= from_us:
        raise UsageError(
            "interval-empty",
            f"until is {until} and from is {from_}; until must be after from",
            field="until",
        )
    return ReadBack(position, radius, from_us, until_us)


def compare(notice: ActivityNotice, said: ReadBack, tolerance: ReadBackTolerance) -> Comparison:
    """Compare a read-back with the notice it restates; exact, and the same on both sides (H-LAD-3).

    Raises:
        TooMuchWork: the volumes cost more than a comparison may.
    """
    budget = Budget(EDGE_PAIRS_PER_PAIR)
    geometries = [piece.geometry for piece in notice.pieces]
    middle, own_radius = middle_and_radius(geometries)
    off_middle = distance_between(said.position, middle)
    off_place = min(
        distance_to(said.position, Shape(piece.geometry, piece.edges), budget)
        for piece in notice.pieces
    )
    within = tolerance.place_m * TENTH_MM_PER_M
    circle = geometries[0] if all(one == geometries[0] for one in geometries) else None
    radius: int | None = None
    agrees = off_place <= within and off_middle <= own_radius + within
    if isinstance(circle, Circle) and said.radius_tenth_mm is not None:
        # who restates a whole circle is held to its middle and its size, not only to a place inside it
        radius = said.radius_tenth_mm - circle.radius_tenth_mm
        agrees = agrees and off_middle <= within and abs(radius) <= within
    apart = (said.from_us - notice.start_us, said.until_us - notice.end_us)
    agrees = agrees and max(abs(one) for one in apart) <= tolerance.time_s * US_PER_S
    return Comparison(
        agrees=agrees,
        place_m=_up(off_place, TENTH_MM_PER_M),
        middle_m=_up(off_middle, TENTH_MM_PER_M),
        radius_m=None if radius is None else _up(radius, TENTH_MM_PER_M),
        from_min=_up(apart[0], MINUTE_US),
        until_min=_up(apart[1], MINUTE_US),
    )


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as a plain document of whole numbers."""
    found: dict[str, Any] = msgspec.to_builtins(comparison)
    return found


def _up(value: int, unit: int) -> int:
    """The value in whole units, rounded away from nought: what differs is never shown as 0."""
    size = -(-abs(value) // unit)
    return size if value >= 0 else -size

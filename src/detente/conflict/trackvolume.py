"""Would tracks meet volumes? Leg against piece, three-valued where altitudes are of different datums.

docs/spec/trajectory-model.md, section 5, is the normative text.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import msgspec
import numpy as np

from detente.airspace.altitude import Altitude
from detente.airspace.earth import Point, round_ratio
from detente.airspace.leg import Legs
from detente.airspace.near import Budget, TooMuchWork
from detente.airspace.outline import Outline
from detente.airspace.shape import Part, Shape, compare_lateral
from detente.airspace.volume import Volume
from detente.conflict.meet import Leg
from detente.conflict.separation import Rules
from detente.conflict.spell import leg_of
from detente.conflict.verdict import CANNOT_TELL, CONFLICT
from detente.limits import ALTITUDE_MAX_M, ALTITUDE_MIN_M, EDGE_PAIRS_PER_PAIR
from detente.units import TENTH_MM_PER_M

_PAD = 100_000  # 10 m: a part of 10 km lies 2 m under its middle
_FAR = 2 * max(ALTITUDE_MAX_M, -ALTITUDE_MIN_M) * TENTH_MM_PER_M


class VolumeMeeting(msgspec.Struct, frozen=True, order=True):
    """A track that comes too near to a piece of airspace, or may.

    Args:
        track: its id.
        piece: which of the pieces.
        verdict: ``"conflict"`` or ``"cannot-tell"``.
        from_us: first microsecond of the first stretch that does.
        until_us: first microsecond after the last.
    """

    track: str
    piece: int
    verdict: str
    from_us: int
    until_us: int


def find_in_volumes(
    legs: Legs, pieces: Sequence[Volume], rules: Rules
) -> tuple[VolumeMeeting, ...]:
    """Which tracks meet which pieces.

    Args:
        legs: cut at `FINE_PART_TENTH_MM` (`build_legs`).
        pieces: of a notice, or of several.
        rules: minima on all three axes, and datum bounds.

    Returns:
        By track and piece, the worst verdict of each pair; what is clear or touches is not there.
    """
    found: list[VolumeMeeting] = []
    shapes: dict[object, Shape] = {}
    rows = np.nonzero(legs.joined)[0]
    for number, piece in enumerate(pieces):
        shape = shapes.setdefault((piece.geometry, piece.edges), Shape(piece.geometry, piece.edges))
        near = rows[
            (legs.time_us[rows] < piece.end_us + rules.minima.time_us)
            & (legs.time_us[rows + 1] > piece.start_us - rules.minima.time_us)
        ]
        reach = rules.minima.lateral_tenth_mm + _PAD
        for axis in range(3):
            low, high = shape.box[0][axis] - reach, shape.box[1][axis] + reach
            column = legs.point[axis]
            near = near[
                (np.minimum(column[near], column[near + 1]) <= high)
                & (np.maximum(column[near], column[near + 1]) >= low)
            ]
        bands = _near_levels(piece, legs.datum, rules)
        met: dict[tuple[int, str], tuple[int, int]] = {}
        for row in near.tolist():
            leg = leg_of(legs, row)
            for verdict, band in zip((CONFLICT, CANNOT_TELL), bands, strict=True):
                span = _stretch(leg, piece, band, rules.minima.time_us)
                if span is None:
                    continue
                said = _lateral(leg, span, shape, rules, verdict)
                if said:
                    key = int(legs.track[row]), said
                    known = met.get(key, span)
                    met[key] = min(known[0], span[0]), max(known[1], span[1])
                    break
        for (track, verdict), span in met.items():
            if verdict == CONFLICT or (track, CONFLICT) not in met:
                found.append(VolumeMeeting(legs.ids[track], number, verdict, *span))
    return tuple(sorted(found))


def _near_levels(
    piece: Volume, datum: str, rules: Rules
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """The open range of altitudes that are certainly, and that may be, vertically too near to a piece.

    A gap falls or rises with the altitude, so the ends are found by halving, in whole 0.1 mm.
    """
    found = []
    for which in (1, 0):  # the greatest that a gap can be is below the minimum; the least is
        low = _edge(piece.lower, datum, rules, which, up=1)
        high = _edge(piece.upper, datum, rules, which, up=-1)
        found.append((low - 1, 1 - high) if low <= -high else None)
    return found[0], found[1]


def _edge(edge: Altitude, datum: str, rules: Rules, which: int, *, up: int) -> int:
    """The least altitude (times `up`) from which the gap to an edge of the piece is below the minimum."""
    low, high = -_FAR, _FAR
    while low < high:
        middle = (low + high) // 2
        there = Altitude(middle * up, "m", datum)
        gap = rules.bounds.gap(edge, there) if up > 0 else rules.bounds.gap(there, edge)
        if gap[which] < rules.minima.vertical_tenth_mm:
            high = middle
        else:
            low = middle + 1
    return low


def _stretch(
    leg: Leg, piece: Volume, band: tuple[int, int] | None, minimum_us: int
) -> tuple[int, int] | None:
    """The whole microseconds around the instants of a leg at which time and altitude are too near."""
    if band is None:
        return None
    low = Fraction(max(leg.start_us, piece.start_us - minimum_us))
    high = Fraction(min(leg.end_us, piece.end_us + minimum_us))
    climb = leg.end_alt - leg.start_alt
    if climb == 0:
        if not band[0] < leg.start_alt < band[1]:
            return None
    else:
        lasts = leg.end_us - leg.start_us
        passes = sorted(
            leg.start_us + Fraction((edge - leg.start_alt) * lasts, climb) for edge in band
        )
        low, high = max(low, passes[0]), min(high, passes[1])
    return (floor(low), ceil(high)) if low < high else None


def _lateral(
    leg: Leg, span: tuple[int, int], shape: Shape, rules: Rules, verdict: str
) -> str | None:
    """The verdict, if the stretch of the leg is laterally too near; cannot-tell past the budget."""
    way = Shape.__new__(Shape)
    way.geometry, way.edges, way.thick_tenth_mm = shape.geometry, "geodesic", 0
    way.parts = [_Way(_place(leg, span[0]), _place(leg, span[1]))]
    try:
        sign = compare_lateral(
            way, shape, rules.minima.lateral_tenth_mm, Budget(EDGE_PAIRS_PER_PAIR)
        )
    except TooMuchWork:
        return CANNOT_TELL
    if sign == 0 and shape.thick_tenth_mm == 0 and rules.minima.lateral_tenth_mm == 0:
        # What flies through an area touches it, as any line does; so does what flies along its edge.
        return verdict
    return verdict if sign < 0 else None


def _place(leg: Leg, instant: int) -> Point:
    passed, lasts = instant - leg.start_us, leg.end_us - leg.start_us
    x, y, z = (
        a + round_ratio((b - a) * passed, lasts) for a, b in zip(leg.tail, leg.head, strict=True)
    )
    return x, y, z


class _Way(Part):
    """A stretch of a leg as a core: a line on the globe, or a point."""

    def __init__(self, tail: Point, head: Point) -> None:
        super().__init__((((0, 0), (0, 0)),), closed=False, edges="geodesic")
        chain = [tail] if tail == head else [tail, head]
        self.__dict__["globe"] = Outline([chain], closed=False, flat=False)

"""How a notice would change, and the notice that it then is."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Geometry, Moving, positions
from detente.airspace.rotation import Rotation
from detente.airspace.rules import check_geometry
from detente.airspace.volume import Volume
from detente.errors import UsageError, shown
from detente.limits import ADVICE_ALTITUDE_M, ADVICE_ASIDE_NM, ADVICE_TIME_S
from detente.notice.activity import ActivityNotice
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M, TENTH_MM_PER_NM, US_PER_S

# The times that a notice can say: years 1 to 9999, a day inside.
_FIRST_US = -62_135_510_400 * US_PER_S
_LAST_US = 253_402_214_400 * US_PER_S
# The least and the most of each member.
_RANGES = {
    "later_us": (-ADVICE_TIME_S * US_PER_S, ADVICE_TIME_S * US_PER_S),
    "higher_tenth_mm": (-ADVICE_ALTITUDE_M * TENTH_MM_PER_M, ADVICE_ALTITUDE_M * TENTH_MM_PER_M),
    "aside_tenth_mm": (0, ADVICE_ASIDE_NM * TENTH_MM_PER_NM),
    "bearing_tenth_deg": (0, 3599),
}


class Move(msgspec.Struct, frozen=True):
    """One notice, moved as a whole.

    Args:
        notice: its id.
        later_us: how much later every piece is, microseconds; negative is earlier.
        higher_tenth_mm: how much higher, each edge in its own datum, 0.1 mm; negative is lower.
        aside_tenth_mm: how far sideways, 0.1 mm, a minute of arc to the nautical mile; not negative.
        bearing_tenth_deg: in which direction, clockwise from true north at the first position of the first
            piece, tenths of a degree; 0 where nothing moves sideways.
    """

    notice: str
    later_us: int = 0
    higher_tenth_mm: int = 0
    aside_tenth_mm: int = 0
    bearing_tenth_deg: int = 0

    @property
    def is_none(self) -> bool:
        """Whether nothing moves."""
        return not (self.later_us or self.higher_tenth_mm or self.aside_tenth_mm)

    def body(self) -> dict[str, object]:
        """The canonical JSON form: every member, integers."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def parse_move(value: object, *, field: str) -> Move:
    """A move from its canonical form, written by a peer whom we need not believe.

    Raises:
        UsageError: ``move-malformed``: another form, out of range, or nothing that moves.
    """
    good = (
        isinstance(value, Mapping)
        and set(value) == {"notice", *_RANGES}
        and isinstance(value["notice"], str)
        and all(
            type(value[name]) is int and least <= value[name] <= most
            for name, (least, most) in _RANGES.items()
        )
        and not (value["bearing_tenth_deg"] and not value["aside_tenth_mm"])
    )
    move = Move(**value) if good and isinstance(value, Mapping) else Move("")
    if move.is_none:
        raise UsageError(
            "move-malformed",
            f"move is {shown(value)}; it must have notice, {' and '.join(sorted(_RANGES))}, in range, "
            "not all zero, and no bearing where nothing moves sideways",
            field=field,
        )
    return move


def rotation_of(notice: ActivityNotice, aside_tenth_mm: int, bearing_tenth_deg: int) -> Rotation:
    """How every position of a notice turns when it is moved sideways."""
    pivot = next(positions(notice.pieces[0].geometry))
    return Rotation(pivot, bearing_tenth_deg * (NANODEG_PER_DEG // 10), aside_tenth_mm)


def apply_move(notice: ActivityNotice, move: Move) -> ActivityNotice:
    """The notice as it would be filed again.

    Raises:
        UsageError: an altitude or a time would leave its range; a geometry that was moved sideways breaks
            a rule, such as one with planar edges that comes to lie across 180 degrees.

    Example:
        The new notice has the same name, words and number of pieces.
    """
    up = move.higher_tenth_mm
    turned: dict[tuple[Geometry, str], Geometry] = {}
    rotation = None
    if move.aside_tenth_mm:
        rotation = rotation_of(notice, move.aside_tenth_mm, move.bearing_tenth_deg)
    pieces = []
    for i, piece in enumerate(notice.pieces):
        edges = [
            build_altitude(edge.tenth_mm + up, edge.unit, edge.datum, field=f"pieces[{i}].{name}")
            for name, edge in (("lower", piece.lower), ("upper", piece.upper))
        ]
        start_us, end_us = piece.start_us + move.later_us, piece.end_us + move.later_us
        if start_us < _FIRST_US or end_us > _LAST_US:
            raise UsageError(
                "move-time",
                f"move is {move.later_us // US_PER_S} s; a notice must stay within the years 1 to 9999",
                field=f"pieces[{i}].start",
            )
        geometry = piece.geometry
        if isinstance(geometry, Moving):
            times_us = tuple(time_us + move.later_us for time_us in geometry.times_us)
            geometry = msgspec.structs.replace(geometry, times_us=times_us)
        if rotation is not None:
            key = (geometry, piece.edges)
            if key not in turned:
                turned[key] = rotation.apply_to(geometry)
                check_geometry(turned[key], piece.edges, field=f"pieces[{i}].geometry")
            geometry = turned[key]
        pieces.append(Volume(geometry, piece.edges, edges[0], edges[1], start_us, end_us))
    return msgspec.structs.replace(notice, pieces=tuple(pieces))

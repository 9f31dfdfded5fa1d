"""How a notice would change, and the notice that it then is."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from detente.airspace.altitude import build_altitude
from detente.airspace.volume import Volume
from detente.errors import UsageError, shown
from detente.limits import ADVICE_ALTITUDE_M, ADVICE_TIME_S
from detente.notice.activity import ActivityNotice
from detente.units import TENTH_MM_PER_M, US_PER_S

# The times that a notice can say: years 1 to 9999, a day inside.
_FIRST_US = -62_135_510_400 * US_PER_S
_LAST_US = 253_402_214_400 * US_PER_S
_MOST = {
    "higher_tenth_mm": ADVICE_ALTITUDE_M * TENTH_MM_PER_M,
    "later_us": ADVICE_TIME_S * US_PER_S,
}


class Move(msgspec.Struct, frozen=True):
    """One notice, moved as a whole.

    Args:
        notice: its id.
        later_us: how much later every piece is, microseconds; negative is earlier.
        higher_tenth_mm: how much higher, each edge in its own datum, 0.1 mm; negative is lower.
    """

    notice: str
    later_us: int = 0
    higher_tenth_mm: int = 0

    @property
    def is_none(self) -> bool:
        """Whether nothing moves."""
        return not (self.later_us or self.higher_tenth_mm)

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
        and set(value) == {"notice", *_MOST}
        and isinstance(value["notice"], str)
        and all(type(value[name]) is int and abs(value[name]) <= _MOST[name] for name in _MOST)
    )
    move = Move(**value) if good and isinstance(value, Mapping) else Move("")
    if move.is_none:
        raise UsageError(
            "move-malformed",
            f"move is {shown(value)}; it must have notice, {' and '.join(sorted(_MOST))}, in range and not all zero",
            field=field,
        )
    return move


def apply_move(notice: ActivityNotice, move: Move) -> ActivityNotice:
    """The notice as it would be filed again.

    Raises:
        UsageError: an altitude or a time would leave its range.

    Example:
        The new notice has the same name, words and number of pieces.
    """
    up = move.higher_tenth_mm
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
        pieces.append(Volume(piece.geometry, piece.edges, edges[0], edges[1], start_us, end_us))
    return msgspec.structs.replace(notice, pieces=tuple(pieces))

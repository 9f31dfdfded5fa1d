"""What has been agreed about being apart: minima on three axes, and how far datums can differ."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from detente.airspace.altitude import DatumBounds, parse_bounds
from detente.errors import UsageError, shown
from detente.limits import ALTITUDE_MAX_M, INTERVAL_MAX_S, RADIUS_MAX_M
from detente.units import TENTH_MM_PER_M, US_PER_S

# Two radii and a minimum at their limits come to 6,000 km, inside what `earth.chord_of` can compare.
_MOST = {
    "lateral_tenth_mm": RADIUS_MAX_M * TENTH_MM_PER_M,
    "vertical_tenth_mm": ALTITUDE_MAX_M * TENTH_MM_PER_M,
    "time_us": INTERVAL_MAX_S * US_PER_S,
}


class Minima(msgspec.Struct, frozen=True):
    """The agreed separation; a gap below all three at once is a conflict.

    Args:
        lateral_tenth_mm: along the surface, 0.1 mm.
        vertical_tenth_mm: 0.1 mm.
        time_us: microseconds.
    """

    lateral_tenth_mm: int = 0
    vertical_tenth_mm: int = 0
    time_us: int = 0

    def body(self) -> dict[str, int]:
        """The canonical JSON form."""
        return {
            "lateral_tenth_mm": self.lateral_tenth_mm,
            "vertical_tenth_mm": self.vertical_tenth_mm,
            "time_us": self.time_us,
        }


class Rules(msgspec.Struct, frozen=True):
    """What two notices are judged by: the minima and the datum bounds of an agreement."""

    minima: Minima = Minima()
    bounds: DatumBounds = DatumBounds()

    def stricter(self, other: Rules) -> Rules:
        """The larger minimum on each axis and the wider datum bounds of two rules.

        Example:
            >>> Rules(Minima(5, 0, 0)).stricter(Rules(Minima(3, 7, 0))).minima
            Minima(lateral_tenth_mm=5, vertical_tenth_mm=7, time_us=0)
        """
        mine, theirs = self.minima, other.minima
        return Rules(
            minima=Minima(
                max(mine.lateral_tenth_mm, theirs.lateral_tenth_mm),
                max(mine.vertical_tenth_mm, theirs.vertical_tenth_mm),
                max(mine.time_us, theirs.time_us),
            ),
            bounds=self.bounds.wider(other.bounds),
        )

    def body(self) -> dict[str, object]:
        """The canonical JSON form: ``{"minima": {...}, "datum_bounds": {...}}``, integers only."""
        return {"minima": self.minima.body(), "datum_bounds": self.bounds.body()}


def build_minima(
    lateral_tenth_mm: int, vertical_tenth_mm: int, time_us: int, *, field: str = "minima"
) -> Minima:
    """Minima with every rule checked.

    Raises:
        UsageError: one is negative or past the limit.
    """
    values = (lateral_tenth_mm, vertical_tenth_mm, time_us)
    for (name, most), value in zip(_MOST.items(), values, strict=True):
        if not 0 <= value <= most:
            raise UsageError(
                "minimum-range",
                f"{name} is {value}; it must be from 0 to {most}",
                field=f"{field}.{name}",
            )
    return Minima(*values)


def parse_minima(value: object, *, field: str = "minima") -> Minima:
    """Minima from their canonical form; what is left out is zero.

    Raises:
        UsageError: an unknown name, a value that is not an integer, or one out of range.
    """
    if not isinstance(value, Mapping) or not set(value) <= set(_MOST):
        raise UsageError(
            "minima-malformed",
            f"minima are {shown(value)}; they must be an object of {', '.join(_MOST)}",
            field=field,
        )
    for name, number in value.items():
        if type(number) is not int:
            raise UsageError(
                "minima-malformed",
                f"{name} is {shown(number)}; it must be an integer",
                field=f"{field}.{name}",
            )
    return build_minima(*(value.get(name, 0) for name in _MOST), field=field)


def parse_rules(value: object, *, field: str = "rules") -> Rules:
    """Rules from their canonical form; what is left out keeps its default.

    Raises:
        UsageError: an unknown name, or a value out of range.
    """
    if not isinstance(value, Mapping) or not set(value) <= {"minima", "datum_bounds"}:
        raise UsageError(
            "rules-malformed",
            f"rules are {shown(value)}; they must be an object of minima and datum_bounds",
            field=field,
        )
    return Rules(
        minima=parse_minima(value.get("minima", {}), field=f"{field}.minima"),
        bounds=parse_bounds(value.get("datum_bounds", {}), field=f"{field}.datum_bounds"),
    )

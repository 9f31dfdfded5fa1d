"""What the engine says about two notices, in integers and in one English sentence."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from detente.airspace.altitude import Altitude, DatumBounds, format_altitude
from detente.conflict.separation import Minima
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S, format_duration, format_time

CONFLICT, CANNOT_TELL, TOUCH, CLEAR = "conflict", "cannot-tell", "touch", "clear"
VERDICTS = (CONFLICT, CANNOT_TELL, TOUCH, CLEAR)  # worst first


class PairVerdict(msgspec.Struct, frozen=True):
    """What the engine says about two notices; independent of which of them comes first.

    The window and band are the hull of every meeting; place and gaps belong to the first meeting.
    All of them are None when the verdict is clear.

    Args:
        verdict: ``"conflict"``, ``"cannot-tell"``, ``"touch"`` or ``"clear"``.
        reason: one English sentence, naming the datum of every altitude.
        from_us: start of the meeting.
        until_us: its end. Where the intervals are apart (a time minimum is not kept), the two
            times bound the gap between them.
        lower_tenth_mm: lower edge of the meeting, in `datum`; where the bands are apart, the two
            altitudes bound the gap.
        upper_tenth_mm: upper edge, in `datum`.
        datum: of both altitudes. Edges in two datums are given in MSL, outward; the reason keeps
            each in its own.
        place: longitude and latitude of a point of the first meeting, 1e-9 degree.
        lateral_gap_tenth_mm: signed; negative is overlap. How deep two areas overlap is not
            measured: -1 says that they do.
        vertical_gap_tenth_mm: signed; the least that it can be when datums differ.
        time_gap_us: signed.
    """

    verdict: str
    reason: str
    from_us: int | None = None
    until_us: int | None = None
    lower_tenth_mm: int | None = None
    upper_tenth_mm: int | None = None
    datum: str | None = None
    place: tuple[int, int] | None = None
    lateral_gap_tenth_mm: int | None = None
    vertical_gap_tenth_mm: int | None = None
    time_gap_us: int | None = None

    def record(self) -> dict[str, object]:
        """Canonical JSON (integers, text, null) that both nodes record, byte for byte the same."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "from_us": self.from_us,
            "until_us": self.until_us,
            "lower_tenth_mm": self.lower_tenth_mm,
            "upper_tenth_mm": self.upper_tenth_mm,
            "datum": self.datum,
            "place": None if self.place is None else list(self.place),
            "lateral_gap_tenth_mm": self.lateral_gap_tenth_mm,
            "vertical_gap_tenth_mm": self.vertical_gap_tenth_mm,
            "time_gap_us": self.time_gap_us,
        }


class Edge(msgspec.Struct, frozen=True):
    """An altitude of a meeting: 0.1 mm in a datum."""

    tenth_mm: int
    datum: str

    def __str__(self) -> str:
        return format_altitude(self.tenth_mm, self.datum)


class Band(msgspec.Struct, frozen=True):
    """The altitudes of a meeting, or of the gap between two bands."""

    lower: Edge
    upper: Edge

    def holds(self, other: Band) -> bool:
        """Whether another band adds nothing to this one."""
        return (
            self.lower.datum == other.lower.datum
            and self.upper.datum == other.upper.datum
            and self.lower.tenth_mm <= other.lower.tenth_mm
            and other.upper.tenth_mm <= self.upper.tenth_mm
        )

    def joined(self, other: Band, bounds: DatumBounds) -> Band:
        """The band around both; an edge in two datums goes to mean sea level, outward."""
        lowers, uppers = [self.lower, other.lower], [self.upper, other.upper]
        if self.lower.datum != other.lower.datum:
            lowers = [Edge(_msl(edge, bounds)[0], "MSL") for edge in lowers]
        if self.upper.datum != other.upper.datum:
            uppers = [Edge(_msl(edge, bounds)[1], "MSL") for edge in uppers]
        return Band(
            min(lowers, key=lambda edge: edge.tenth_mm), max(uppers, key=lambda edge: edge.tenth_mm)
        )

    def in_one_datum(self, bounds: DatumBounds) -> tuple[int, int, str]:
        """Lower, upper and their datum; mean sea level, outward, if the edges have two."""
        if self.lower.datum == self.upper.datum:
            return self.lower.tenth_mm, self.upper.tenth_mm, self.lower.datum
        ends = _msl(self.lower, bounds)[0], _msl(self.upper, bounds)[1]
        return min(ends), max(ends), "MSL"


def _msl(edge: Edge | Altitude, bounds: DatumBounds) -> tuple[int, int]:
    return bounds.range_msl(edge.tenth_mm, edge.datum)


def meeting_band(
    lowers: tuple[Altitude, Altitude], uppers: tuple[Altitude, Altitude], bounds: DatumBounds
) -> Band:
    """The band that two bands have in common, or the gap between them.

    An edge that is certainly the inner one is given as it is. Where two datums leave that open, the
    edge is given in mean sea level, outward, so that the true meeting lies inside.
    """
    lower = _inner(lowers, bounds, highest=True)
    upper = _inner(uppers, bounds, highest=False)
    if lower is None:
        lower = Edge(max(_msl(edge, bounds)[0] for edge in lowers), "MSL")
    if upper is None:
        upper = Edge(min(_msl(edge, bounds)[1] for edge in uppers), "MSL")
    if lower.datum == upper.datum and lower.tenth_mm > upper.tenth_mm:
        lower, upper = upper, lower
    return Band(lower, upper)


def _inner(edges: tuple[Altitude, Altitude], bounds: DatumBounds, *, highest: bool) -> Edge | None:
    """The higher (or lower) of two edges, or None if the datums leave it open."""
    first, second = edges
    least, greatest = bounds.gap(first, second)
    if least < 0 < greatest:
        return None
    inner = first if (least >= 0) == highest else second
    return Edge(inner.tenth_mm, inner.datum)


def say_conflict(
    window: tuple[int, int], band: Band, gaps: tuple[int, int, int], minima: Minima
) -> str:
    """The reason of a conflict.

    Args:
        window: from and until, microseconds.
        band: of the meeting.
        gaps: lateral (0.1 mm), vertical (0.1 mm) and time (microseconds) of the first meeting.
        minima: the agreed ones.
    """
    lateral, vertical, time = gaps
    if lateral < 0 and vertical < 0 and time < 0:
        return f"volumes overlap {_when(window)} {_between(band)}"
    said = []
    if lateral >= 0:
        said.append(f"{_nm(lateral)} apart laterally (minimum {_nm(minima.lateral_tenth_mm)})")
    if vertical >= 0:
        said.append(f"{_ft(vertical)} apart vertically (minimum {_ft(minima.vertical_tenth_mm)})")
    if time >= 0:
        said.append(f"{_lasting(time)} apart in time (minimum {_lasting(minima.time_us)})")
    return f"closer than agreed: {', '.join(said)}, {_when(window)} {_between(band)}"


def say_moving(
    window: tuple[int, int], band: Band, gaps: tuple[int, int, int], minima: Minima
) -> str:
    """The reason of a conflict of which one side at least moves; arguments as `say_conflict`."""
    lateral, vertical, _ = gaps
    said = ["moving volumes overlap"]
    if lateral >= 0:
        said = [
            f"moving volumes come within {_nm(lateral)} laterally "
            f"(minimum {_nm(minima.lateral_tenth_mm)})"
        ]
    if minima.time_us:
        said.append(f"less than {_lasting(minima.time_us)} apart in time")
    if vertical >= 0:
        said.append(f"{_ft(vertical)} apart vertically (minimum {_ft(minima.vertical_tenth_mm)})")
    return f"{', '.join(said)}, {_when(window)} {_between(band)}"


def say_cannot_tell(
    window: tuple[int, int], datums: tuple[str, ...], vertical: tuple[int, int], minimum: int
) -> str:
    """The reason when altitudes cannot be compared closely enough.

    Args:
        window: from and until, microseconds.
        datums: of the four edges, sorted, each once.
        vertical: the least and greatest gap, 0.1 mm.
        minimum: the agreed one.
    """
    names = " against ".join(datums) if len(datums) == 2 else ", ".join(datums)
    least, greatest = vertical
    return (
        f"altitude datums differ: {names}; the vertical gap may be anything from {_ft(least)} to "
        f"{_ft(greatest)} (minimum {_ft(minimum)}, below zero is overlap) {_when(window)}"
    )


def say_touch(
    window: tuple[int, int], band: Band, signs: tuple[int, int, int], minima: Minima
) -> str:
    """The reason of a touch: which axis is exactly at its minimum.

    Args:
        window: from and until, microseconds.
        band: of the meeting.
        signs: -1 below or 0 equal, for lateral, vertical and time.
        minima: the agreed ones.
    """
    said = []
    if signs[0] == 0:
        said.append(
            f"exactly {_nm(minima.lateral_tenth_mm)} apart laterally"
            if minima.lateral_tenth_mm
            else "sharing an edge and no airspace"
        )
    if signs[1] == 0:
        said.append(
            f"exactly {_ft(minima.vertical_tenth_mm)} apart vertically {_between(band)}"
            if minima.vertical_tenth_mm
            else f"one above the other, meeting at {band.lower}"
        )
    if signs[2] == 0:
        said.append(
            f"exactly {_lasting(minima.time_us)} apart in time {_when(window)}"
            if minima.time_us
            else f"one ending when the other begins, at {format_time(window[0])}"
        )
    return f"volumes touch: {'; '.join(said)}"


def _when(window: tuple[int, int]) -> str:
    return f"from {format_time(window[0])} to {format_time(window[1])}"


def _between(band: Band) -> str:
    return f"between {band.lower} and {band.upper}"


def _nm(tenth_mm: int) -> str:
    hundredths = round(Fraction(100 * tenth_mm, TENTH_MM_PER_NM))
    return f"{hundredths // 100}.{hundredths % 100:02d} NM"


def _ft(tenth_mm: int) -> str:
    return f"{round(Fraction(tenth_mm, TENTH_MM_PER_FT)):,} ft"


def _lasting(time_us: int) -> str:
    return format_duration(round(Fraction(time_us, US_PER_S)))

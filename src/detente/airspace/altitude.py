"""How high: an altitude as given, its datum, and how far two datums can be apart.

Four datums are four types of number that look alike. They are never silently mixed: an altitude
keeps its datum for ever, numbers of one datum compare exactly, and numbers of two datums compare
only through `DatumBounds`, the worst case that both parties have agreed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from detente.errors import UsageError, shown
from detente.limits import ALTITUDE_MAX_M, ALTITUDE_MIN_M
from detente.units import TENTH_MM_PER_FL, TENTH_MM_PER_FT, TENTH_MM_PER_M

DATUMS = ("MSL", "WGS84", "AGL", "STD")
TENTH_MM_PER_UNIT = {"ft": TENTH_MM_PER_FT, "m": TENTH_MM_PER_M, "FL": TENTH_MM_PER_FL}

# ICAO standard pressure in pascals; flight levels are counted from this pressure surface.
STANDARD_PRESSURE_PA = 101_325
# Height of one hectopascal near the sea. ICAO's standard atmosphere gives 8.3 m at 1013 hPa and
# 8.8 m at 870 hPa, the lowest pressure ever measured at sea level; 9 m therefore bounds it.
TENTH_MM_PER_PA = 900


class Altitude(msgspec.Struct, frozen=True, order=False):
    """One edge of a band: an exact count of 0.1 mm in a named datum, and the unit it was given in.

    Args:
        tenth_mm: the altitude in 0.1 mm of the datum.
        unit: ``"ft"``, ``"m"`` or ``"FL"``: how the sender wrote it, kept for display.
        datum: ``"MSL"``, ``"WGS84"``, ``"AGL"`` or ``"STD"``.

    Example:
        >>> str(parse_altitude({"value": 250, "unit": "FL", "datum": "STD"}, field="upper"))
        'FL 250'
    """

    tenth_mm: int
    unit: str
    datum: str

    @property
    def value(self) -> Fraction:
        """The number the sender wrote, in `unit` (to the nearest 0.1 mm)."""
        return Fraction(self.tenth_mm, TENTH_MM_PER_UNIT[self.unit])

    def body(self) -> dict[str, object]:
        """The canonical JSON form: integers and two names."""
        return {"tenth_mm": self.tenth_mm, "unit": self.unit, "datum": self.datum}

    def __str__(self) -> str:
        return format_altitude(self.tenth_mm, self.datum, unit=self.unit)


def format_altitude(tenth_mm: int, datum: str, *, unit: str = "ft") -> str:
    """An altitude as officers read it, with its datum: ``FL 250``, ``5,000 ft MSL``, ``300 m AGL``.

    A level that is not a whole flight level is shown in feet; halves round to even.

    Example:
        >>> format_altitude(5000 * 3048, "MSL"), format_altitude(304_800 * 85, "STD")
        ('5,000 ft MSL', 'FL 085')
    """
    if datum == "STD" and tenth_mm >= 0 and tenth_mm % TENTH_MM_PER_FL == 0:
        return f"FL {tenth_mm // TENTH_MM_PER_FL:03d}"
    size, name = (TENTH_MM_PER_M, "m") if unit == "m" else (TENTH_MM_PER_FT, "ft")
    return f"{round(Fraction(tenth_mm, size)):,} {name} {datum}"


def build_altitude(tenth_mm: int, unit: object, datum: object, *, field: str) -> Altitude:
    """An `Altitude` with every rule checked.

    Raises:
        UsageError: unknown unit or datum, FL with another datum than STD, or out of range.
    """
    if not isinstance(unit, str) or unit not in TENTH_MM_PER_UNIT:
        raise UsageError(
            "altitude-unit-unknown",
            f"unit is {shown(unit)}; it must be ft, m or FL",
            field=f"{field}.unit",
        )
    if datum not in DATUMS:
        raise UsageError(
            "altitude-datum-unknown",
            f"datum is {shown(datum)}; it must be MSL, WGS84, AGL or STD",
            hint="an altitude without its datum can be wrong by thousands of feet",
            field=f"{field}.datum",
        )
    if unit == "FL" and datum != "STD":
        raise UsageError(
            "altitude-fl-datum",
            f"datum of a flight level is {shown(datum)}; it must be STD",
            hint="a flight level is a pressure level; write feet or metres for any other datum",
            field=f"{field}.datum",
        )
    if not ALTITUDE_MIN_M * TENTH_MM_PER_M <= tenth_mm <= ALTITUDE_MAX_M * TENTH_MM_PER_M:
        raise UsageError(
            "altitude-range",
            f"altitude is {shown(float(Fraction(tenth_mm, TENTH_MM_PER_M)))} m; "
            f"it must be from {ALTITUDE_MIN_M:,} m to {ALTITUDE_MAX_M:,} m",
            field=f"{field}.value",
        )
    return Altitude(tenth_mm=tenth_mm, unit=str(unit), datum=str(datum))


def parse_altitude(value: object, *, field: str) -> Altitude:
    """An altitude from its input form ``{"value": 250, "unit": "FL", "datum": "STD"}``.

    Args:
        value: the decoded JSON object; the number may be int, `Decimal` or `Fraction` (never a
            binary float, which could not say 0.1).
        field: the path an error shows, e.g. ``"features[0].properties.lower"``.

    Raises:
        UsageError: not an object, a part missing or unknown, or a rule of `build_altitude`.

    Units: rounded half to even at 0.1 mm; whole feet, metres and flight levels are exact.
    """
    if not isinstance(value, Mapping):
        raise UsageError(
            "altitude-malformed",
            f"altitude is {shown(value)}; it must be an object with value, unit and datum",
            field=field,
        )
    for part in ("value", "unit", "datum"):
        if part not in value:
            raise UsageError(
                "altitude-malformed",
                f"{part} is missing; an altitude must have value, unit and datum",
                field=f"{field}.{part}",
            )
    for part in value:
        if part not in ("value", "unit", "datum"):
            raise UsageError(
                "property-unknown",
                f"{shown(part)} is unknown here; an altitude must have value, unit and datum only",
                field=field,
            )
    number = parse_number(value["value"], field=f"{field}.value")
    unit = value["unit"]
    size = TENTH_MM_PER_UNIT.get(unit, 1) if isinstance(unit, str) else 1
    return build_altitude(round(number * size), unit, value["datum"], field=field)


def parse_altitude_body(value: object, *, field: str) -> Altitude:
    """An altitude from its canonical form, written by a peer whom we need not believe.

    Raises:
        UsageError: the form differs from `Altitude.body` in any way.
    """
    if not isinstance(value, Mapping) or set(value) != {"tenth_mm", "unit", "datum"}:
        raise UsageError(
            "altitude-malformed",
            f"altitude is {shown(value)}; it must have exactly tenth_mm, unit and datum",
            field=field,
        )
    tenth_mm = value["tenth_mm"]
    if type(tenth_mm) is not int:
        raise UsageError(
            "altitude-malformed",
            f"tenth_mm is {shown(tenth_mm)}; it must be an integer",
            field=f"{field}.tenth_mm",
        )
    return build_altitude(tenth_mm, value["unit"], value["datum"], field=field)


def parse_number(value: object, *, field: str) -> Fraction:
    """An exact number from decoded JSON.

    Raises:
        UsageError: a boolean, text, a binary float, or a number of unreasonable size.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        number = Fraction(value) if abs(value) < 10**30 else None
    elif isinstance(value, Fraction):
        number = value
    else:
        number = _from_decimal(value)
    if number is None or abs(number) >= 10**30:
        raise UsageError(
            "number-malformed", f"value is {shown(value)}; it must be a number", field=field
        )
    return number


def _from_decimal(value: object) -> Fraction | None:
    # A Decimal with a huge exponent ("1e999999999") would cost gigabytes as a Fraction, so the
    # exponent is looked at before the number is built.
    if not isinstance(value, Decimal):
        return None
    _sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # NaN and infinities
        return None
    if not any(digits):
        return Fraction(0)
    return Fraction(value) if len(digits) <= 60 and -60 <= exponent <= 30 else None


def check_band(lower: Altitude, upper: Altitude, *, field: str) -> None:
    """Refuses a band that is empty or upside down.

    In one datum the comparison is exact. In two datums the numbers are compared as they stand,
    except that an upper edge above ground may have a smaller number than its lower edge: the
    ground supplies the difference.

    Raises:
        UsageError: lower is not below upper.
    """
    ground_helps = upper.datum == "AGL" and lower.datum != "AGL"
    if not ground_helps and lower.tenth_mm >= upper.tenth_mm:
        raise UsageError(
            "band-empty",
            f"upper is {upper} and lower is {lower}; upper must be above lower",
            field=field,
        )


class DatumBounds(msgspec.Struct, frozen=True):
    """How far apart altitude datums can be where and when an agreement applies.

    The defaults are a worst case for the whole earth; an agreement about one theatre tightens
    them, and every hundred feet it takes off turns "cannot tell" into an answer.

    Args:
        qnh_min_pa: lowest sea-level pressure, pascals.
        qnh_max_pa: highest sea-level pressure, pascals.
        cold_permille: how much lower than indicated a level lies in the coldest air column, in
            thousandths of its height.
        warm_permille: how much higher than indicated, in the warmest.
        geoid_min_tenth_mm: lowest geoid height above the WGS84 ellipsoid.
        geoid_max_tenth_mm: highest geoid height.
        terrain_min_tenth_mm: lowest ground in the area, mean sea level.
        terrain_max_tenth_mm: highest ground in the area, mean sea level.

    Source: pressure 28.00 to 31.00 inHg (948.2 to 1049.8 hPa), the range outside which the FAA
        Aeronautical Information Manual, section 7-2, restricts flight; temperature 4 % of height per
        10 K (ICAO Doc 8168) for an air column 30 K colder or 25 K warmer than standard; geoid
        EGM96, -107 m south of India to +86 m at New Guinea; ground from the Dead Sea shore to
        Everest.
    """

    qnh_min_pa: int = 94_800
    qnh_max_pa: int = 105_000
    cold_permille: int = 120
    warm_permille: int = 100
    geoid_min_tenth_mm: int = -107 * TENTH_MM_PER_M
    geoid_max_tenth_mm: int = 86 * TENTH_MM_PER_M
    terrain_min_tenth_mm: int = -440 * TENTH_MM_PER_M
    terrain_max_tenth_mm: int = 8_849 * TENTH_MM_PER_M

    def range_msl(self, tenth_mm: int, datum: str) -> tuple[int, int]:
        """The lowest and highest mean-sea-level altitude that a value of a datum can mean.

        Args:
            tenth_mm: the altitude, 0.1 mm.
            datum: one of `DATUMS`.

        Returns:
            (lowest, highest) in 0.1 mm MSL, rounded outward.

        Example:
            >>> DatumBounds().range_msl(0, "WGS84")
            (-860000, 1070000)
        """
        if datum == "MSL":
            return tenth_mm, tenth_mm
        if datum == "WGS84":
            return tenth_mm - self.geoid_max_tenth_mm, tenth_mm - self.geoid_min_tenth_mm
        if datum == "AGL":
            return tenth_mm + self.terrain_min_tenth_mm, tenth_mm + self.terrain_max_tenth_mm
        low = tenth_mm - TENTH_MM_PER_PA * (STANDARD_PRESSURE_PA - self.qnh_min_pa)
        high = tenth_mm + TENTH_MM_PER_PA * (self.qnh_max_pa - STANDARD_PRESSURE_PA)
        height = abs(tenth_mm)
        return (
            low - -(-height * self.cold_permille // 1000),
            high - (-height * self.warm_permille // 1000),
        )

    def gap(self, above: Altitude, below: Altitude) -> tuple[int, int]:
        """The least and greatest ``above - below`` in 0.1 mm; equal when the datum is the same.

        Two edges of one datum share its surface, so nothing is uncertain between them.
        """
        if above.datum == below.datum:
            exact = above.tenth_mm - below.tenth_mm
            return exact, exact
        low_a, high_a = self.range_msl(above.tenth_mm, above.datum)
        low_b, high_b = self.range_msl(below.tenth_mm, below.datum)
        return low_a - high_b, high_a - low_b

    def wider(self, other: DatumBounds) -> DatumBounds:
        """Bounds that contain both: the stricter reading of two agreements."""
        return DatumBounds(
            qnh_min_pa=min(self.qnh_min_pa, other.qnh_min_pa),
            qnh_max_pa=max(self.qnh_max_pa, other.qnh_max_pa),
            cold_permille=max(self.cold_permille, other.cold_permille),
            warm_permille=max(self.warm_permille, other.warm_permille),
            geoid_min_tenth_mm=min(self.geoid_min_tenth_mm, other.geoid_min_tenth_mm),
            geoid_max_tenth_mm=max(self.geoid_max_tenth_mm, other.geoid_max_tenth_mm),
            terrain_min_tenth_mm=min(self.terrain_min_tenth_mm, other.terrain_min_tenth_mm),
            terrain_max_tenth_mm=max(self.terrain_max_tenth_mm, other.terrain_max_tenth_mm),
        )

    def body(self) -> dict[str, int]:
        """The canonical JSON form, for an agreement."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def parse_bounds(value: object, *, field: str = "datum_bounds") -> DatumBounds:
    """Datum bounds from their canonical form; what is left out keeps its worst-case default.

    Raises:
        UsageError: an unknown name, a value that is not an integer, or an empty range.
    """
    if not isinstance(value, Mapping):
        raise UsageError(
            "bounds-malformed", f"bounds are {shown(value)}; they must be an object", field=field
        )
    for name, number in value.items():
        if name not in DatumBounds.__struct_fields__:
            raise UsageError(
                "property-unknown",
                f"{shown(name)} is unknown here; "
                f"it must be one of {', '.join(DatumBounds.__struct_fields__)}",
                field=field,
            )
        if type(number) is not int or abs(number) > 10**9:
            raise UsageError(
                "bounds-malformed",
                f"{name} is {shown(number)}; it must be an integer of at most ten digits",
                field=f"{field}.{name}",
            )
    bounds = DatumBounds(**value)
    ordered = (
        85_000 <= bounds.qnh_min_pa <= STANDARD_PRESSURE_PA <= bounds.qnh_max_pa <= 110_000
        and 0 <= bounds.cold_permille <= 1000
        and 0 <= bounds.warm_permille <= 1000
        and bounds.geoid_min_tenth_mm <= bounds.geoid_max_tenth_mm
        and bounds.terrain_min_tenth_mm <= bounds.terrain_max_tenth_mm
    )
    if not ordered:
        raise UsageError(
            "bounds-empty",
            f"bounds are {shown(value)}; each range must be ordered, contain its standard value "
            "(1013.25 hPa) and stay within what the earth has seen",
            field=field,
        )
    return bounds

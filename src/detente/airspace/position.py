"""Positions as people read them: degrees, minutes and seconds, decimal degrees, and in words of the compass."""

from __future__ import annotations

from fractions import Fraction
from math import atan2, cos, degrees, radians, sin

from detente.airspace.area import LonLat
from detente.units import NANODEG_PER_DEG

COMPASS = (
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
)


def bearing_deg(one: LonLat, other: LonLat) -> float:
    """In which direction the other position lies, in degrees clockwise from north, 0 to 360.

    Units: on a sphere; within a quarter of a degree of the ellipsoid. For people, never for a verdict.

    Example:
        >>> round(bearing_deg((0, 0), (1_000_000_000, 0)))
        90
    """
    lon_1, lat_1, lon_2, lat_2 = (radians(part / NANODEG_PER_DEG) for part in (*one, *other))
    across = sin(lon_2 - lon_1) * cos(lat_2)
    along = cos(lat_1) * sin(lat_2) - sin(lat_1) * cos(lat_2) * cos(lon_2 - lon_1)
    return degrees(atan2(across, along)) % 360


def compass_word(bearing: float) -> str:
    """The nearest of the eight words of the compass.

    Example:
        >>> compass_word(286), compass_word(350)
        ('west', 'north')
    """
    return COMPASS[round(bearing / 45) % 8]


def format_dms(position: LonLat) -> str:
    """Degrees, minutes and seconds with one decimal, as shown everywhere.

    Example:
        >>> format_dms((35_787_694_444, 35_523_611_111))
        '35°31′25.0″N 035°47′15.7″E'
    """
    lon, lat = position
    return f"{_dms(lat, 2, 'NS')} {_dms(lon, 3, 'EW')}"


def format_decimal(position: LonLat) -> str:
    """Decimal degrees with five decimals (1 m), latitude first.

    Example:
        >>> format_decimal((35_787_694_444, 35_523_611_111))
        '35.52361, 35.78769'
    """
    lon, lat = position
    return f"{_decimal(lat)}, {_decimal(lon)}"


def _dms(nanodeg: int, width: int, letters: str) -> str:
    tenths = round(Fraction(abs(nanodeg) * 36_000, NANODEG_PER_DEG))
    minutes, tenths = divmod(tenths, 600)
    whole, minutes = divmod(minutes, 60)
    letter = letters[1] if nanodeg < 0 and (whole or minutes or tenths) else letters[0]
    return f"{whole:0{width}d}°{minutes:02d}′{tenths // 10:02d}.{tenths % 10}″{letter}"


def _decimal(nanodeg: int) -> str:
    hundred_thousandths = round(Fraction(abs(nanodeg), 10_000))
    sign = "-" if nanodeg < 0 and hundred_thousandths else ""
    return f"{sign}{hundred_thousandths // 100_000}.{hundred_thousandths % 100_000:05d}"

"""Positions as MGRS grid references, in and out.

A reference names a square, from 10 km (one digit each way) to 1 m (five). Its position is taken at the
middle of the square: so writing it again at the same length gives the same reference. Near the poles
another grid is in use, which is refused.

Source: NGA.STND.0037 (grids and grid reference systems). The arithmetic is GEOTRANS, from `mgrs`.
"""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from typing import NoReturn

import mgrs

from detente.airspace.area import LonLat
from detente.errors import UsageError, shown
from detente.units import NANODEG_PER_DEG

SOUTH_DEG, NORTH_DEG = -80, 84  # where the grid ends and the polar one begins
# A few millimetres south of the equator the arithmetic rounds a northing up to 10,000 km and names a square
# that its zone has not; a centimetre there counts as the equator itself.
EQUATOR_DEG = Fraction(1, 10_000_000)

_REFERENCE = re.compile(r"(\d{1,2}) ?([A-Z]) ?([A-Z]{2}) ?(\d+)(?: +(\d+))?", re.ASCII)
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_METRES_PER_DEGREE = 110_500  # the shortest degree of latitude; rounds a square's size up
_converter = mgrs.MGRS()
# A square outside its band is a warning there and refused here. The filter is set once, because the
# context manager for it is not safe in threads.
warnings.filterwarnings("ignore", message=".*Convert_MGRS_To_Geodetic", category=RuntimeWarning)


def parse_grid(text: str, *, field: str) -> tuple[LonLat, int]:
    """The middle of the square that a reference names, and the square's size in metres.

    Args:
        text: such as ``"36S YE 51234 34567"``; spaces and small letters are fine.
        field: the name an error shows.

    Raises:
        UsageError: not a reference, or one that names no square of its own zone and band.

    Example:
        >>> parse_grid("36SYE5123434567", field="grid")
        ((35770595155, 35522929939), 1)
    """
    match = _REFERENCE.fullmatch(text.strip().upper())
    digits = (match[4] + (match[5] or "")) if match else ""
    if match is None or (match[5] is not None and len(match[4]) != len(match[5])):
        _refuse(text, "two groups of one to five digits, equally long", field)
    if len(digits) % 2 or not 2 <= len(digits) <= 10:
        _refuse(text, "an even number of digits, from two to ten", field)
    zone, band = int(match[1]), match[2]
    if not 1 <= zone <= 60 or band not in _BANDS:
        _refuse(text, "a zone from 1 to 60 and a band from C to X", field)
    size_m = 10 ** (5 - len(digits) // 2)
    reference = f"{zone:02d}{band}{match[3]}{digits}"
    try:
        lat, lon = _converter.toLatLon(reference)
    except (mgrs.core.MGRSError, RuntimeWarning):
        _refuse(text, "letters of a square that its zone has", field)
    _check_place(text, zone, band, lat, lon, size_m, field)
    return (round(Fraction(lon) * NANODEG_PER_DEG), round(Fraction(lat) * NANODEG_PER_DEG)), size_m


def format_grid(position: LonLat, *, digits: int = 5) -> str:
    """A position as a reference with spaces: zone and band, square, easting, northing.

    Args:
        position: longitude and latitude, 1e-9 degree.
        digits: each way, 1 (10 km) to 5 (1 m).

    Raises:
        UsageError: ``grid-polar``: south of 80 S or from 84 N on.

    Example:
        >>> format_grid((35770595155, 35522929939))
        '36S YE 51234 34567'
    """
    lon, lat = (Fraction(part, NANODEG_PER_DEG) for part in position)
    if not SOUTH_DEG <= lat < NORTH_DEG:
        raise UsageError(
            "grid-polar",
            f"latitude is {float(lat):.9g}; it must lie between 80 S and 84 N for a grid reference",
            hint="give positions near a pole in degrees",
        )
    if -EQUATOR_DEG < lat < 0:
        lat = Fraction()
    text = _converter.toMGRS(float(lat), float(lon), MGRSPrecision=digits)
    return f"{text[:3]} {text[3:5]} {text[5 : 5 + digits]} {text[5 + digits :]}"


def _check_place(
    text: str, zone: int, band: str, lat: float, lon: float, size_m: int, field: str
) -> None:
    """Refuse a reference whose square is not in the zone and band it begins with.

    The arithmetic gives some position for letters that only occur in another zone or band: one wrong
    letter, and the area is hundreds of kilometres away. Squares at the edge of a zone are cut by it, so
    a middle may lie outside by half a square.
    """
    south = SOUTH_DEG + 8 * _BANDS.index(band)
    north = NORTH_DEG if band == "X" else south + 8
    west = -180 + 6 * (zone - 1)
    east = west + 6
    if band == "V" and zone in (31, 32):  # south-west Norway lies in one zone
        west, east = (0, 3) if zone == 31 else (3, 12)
    if band == "X" and zone in (31, 33, 35, 37):  # Svalbard, in four instead of seven
        west, east = {31: (0, 9), 33: (9, 21), 35: (21, 33), 37: (33, 42)}[zone]
    room_lat = size_m / _METRES_PER_DEGREE
    room_lon = room_lat * 10  # at 84 N a degree of longitude is a tenth as long
    off = (lon - (west + east) / 2 + 180) % 360 - 180
    if not south - room_lat <= lat <= north + room_lat or abs(off) > (east - west) / 2 + room_lon:
        _refuse(
            text, f"a square of zone {zone} and band {band}; its letters belong elsewhere", field
        )


def _refuse(text: str, rule: str, field: str) -> NoReturn:
    raise UsageError(
        "grid-malformed",
        f"grid is {shown(text)}; it must have {rule}",
        hint="for example 36S YE 51234 34567",
        field=field,
    )

"""A place as an officer types it, in any notation; and a read-back: a place and two times."""

from __future__ import annotations

from fractions import Fraction

from detente.errors import UsageError, shown
from detente.interop.found import PointGeometry
from detente.interop.pasted import read_pasted
from detente.notice.readback import ReadBack, parse_read_back
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M, TENTH_MM_PER_NM, format_time, parse_time


def read_restated(place: str, from_: str, until: str) -> ReadBack:
    """What an officer says back: one position, with a radius or without, and the interval.

    Args:
        place: any notation that `read_pasted` knows, such as ``352341N 0355655E`` or ``352341N 0355655E 5NM``.
        from_, until: RFC 3339 in Z.

    Raises:
        UsageError: it cannot be read, or is not one place.

    Example:
        >>> read_restated("352341N 0355655E", "2018-09-17T19:00:00Z", "2018-09-17T20:00:00Z").radius_tenth_mm is None
        True
    """
    times = [
        format_time(parse_time(text, field=field))
        for field, text in (("from", from_), ("until", until))
    ]
    return parse_read_back(read_place(place), *times)


def read_place(place: str) -> dict[str, int]:
    """One position as a statement carries it, with a radius where the text has one.

    Args:
        place: any notation that `read_pasted` knows.

    Returns:
        `lat` and `lon` in 1e-9 degree, `radius_tenth_mm` in 0.1 mm.

    Raises:
        UsageError: it cannot be read, or is not one place.

    Example:
        >>> read_place("353000N 0360000E")
        {'lat': 35500000000, 'lon': 36000000000}
    """
    found = read_pasted(place.encode())
    geometry = found.features[0].geometry if len(found.features) == 1 else None
    if not isinstance(geometry, PointGeometry):
        raise UsageError(
            "place-count",
            f"place is {shown(place)}, read as {found.kind}; it must be one position, with a radius or without",
            hint="say the middle of the area, such as 352341N 0355655E or 352341N 0355655E 5NM",
            field="place",
        )
    lon, lat = (round(Fraction(part) * NANODEG_PER_DEG) for part in geometry.coordinates)
    said = {"lat": lat, "lon": lon}
    properties = found.features[0].properties
    for radius, unit in (
        (properties.radius_nm, TENTH_MM_PER_NM),
        (properties.radius_m, TENTH_MM_PER_M),
    ):
        if isinstance(radius, float | int):
            said["radius_tenth_mm"] = round(Fraction(str(radius)) * unit)
    return said

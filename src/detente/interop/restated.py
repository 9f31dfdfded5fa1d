"""A read-back as an officer types it: a place in any notation, and two times."""

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
    found = read_pasted(place.encode())
    geometry = found.features[0].geometry if len(found.features) == 1 else None
    if not isinstance(geometry, PointGeometry):
        raise UsageError(
            "place-count",
            f"place is {shown(place)}, read as {found.kind}; it must be one position, with a radius or without",
            hint="say the middle of the area back, such as 352341N 0355655E or 352341N 0355655E 5NM",
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
    times = [
        format_time(parse_time(text, field=field))
        for field, text in (("from", from_), ("until", until))
    ]
    return parse_read_back(said, *times)

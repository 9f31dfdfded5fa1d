"""What is asked of a record: an area and an interval as volumes, and whether a notice met them."""

from __future__ import annotations

from typing import Any

import msgspec

from detente.conflict.strategic import Rules, check_pair
from detente.conflict.verdict import PairVerdict
from detente.errors import UsageError
from detente.interop.geojson import parse_notice_geojson
from detente.limits import ALTITUDE_MAX_M, ALTITUDE_MIN_M
from detente.notice.activity import ActivityNotice
from detente.units import format_time


def check_interval(from_us: int, until_us: int) -> None:
    """Raise unless an interval has a length.

    Raises:
        UsageError: ``interval-empty``.
    """
    if from_us >= until_us:
        raise UsageError(
            "interval-empty",
            f"from is {format_time(from_us)} and until {format_time(until_us)}; from must be earlier",
            field="until",
        )


class _Area(msgspec.Struct):
    """A GeoJSON geometry, or a feature around one; the notice parser checks what is inside."""

    type: str = ""
    geometry: msgspec.Raw = msgspec.Raw()
    properties: dict[str, msgspec.Raw] | None = None


_SIZES = ("radius_m", "radius_nm", "half_width_m", "half_width_nm", "edges")


def area_query(area: bytes, from_us: int, until_us: int, *, exercise: bool) -> ActivityNotice:
    """The area as a volume of all altitudes: one piece for each datum, so that no datum is a doubt."""
    try:
        given = msgspec.json.decode(area, type=_Area)
    except msgspec.DecodeError as error:
        raise UsageError(
            "area-malformed", f"area cannot be read: {error}; it must be GeoJSON", field="area"
        ) from None
    geometry = bytes(given.geometry) if given.type == "Feature" else area
    sizes = (
        {k: v for k, v in (given.properties or {}).items() if k in _SIZES}
        if given.type == "Feature"
        else {}
    )
    features = []
    for datum in ("MSL", "WGS84", "AGL", "STD"):
        properties: dict[str, Any] = {
            **sizes,
            "id": "area",
            "exercise": exercise,
            "activity": "other",
            "start": format_time(from_us),
            "end": format_time(until_us),
            "lower": {"value": ALTITUDE_MIN_M, "unit": "m", "datum": datum},
            "upper": {"value": ALTITUDE_MAX_M, "unit": "m", "datum": datum},
        }
        features.append(
            {"type": "Feature", "geometry": msgspec.Raw(geometry), "properties": properties}
        )
    try:
        return parse_notice_geojson(
            msgspec.json.encode({"type": "FeatureCollection", "features": features})
        )
    except UsageError as error:
        field = (error.field or "").replace("features[0].", "area.")
        raise UsageError(
            error.code, error.message, hint=error.hint, field=field or "area"
        ) from None


def find_meeting(volumes: ActivityNotice, query: ActivityNotice) -> PairVerdict | None:
    """Where a notice met what was asked about, touching included; None where it did not."""
    verdict = check_pair(volumes, query, Rules())
    return verdict if verdict.verdict in ("conflict", "touch") else None

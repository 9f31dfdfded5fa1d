"""What was read from a pasted text, as text for people and as GeoJSON."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec

from detente.airspace.area import LonLat
from detente.airspace.position import format_decimal, format_dms
from detente.errors import UsageError
from detente.interop.found import AltitudeRead, FeatureRead, LineGeometry, PointGeometry, Reading
from detente.interop.grid import format_grid
from detente.units import NANODEG_PER_DEG


def collection(found: Reading) -> dict[str, Any]:
    """The shapes as a GeoJSON FeatureCollection, ready to be completed and filed."""
    return {"type": "FeatureCollection", "features": msgspec.to_builtins(found.features)}


def describe(found: Reading) -> str:
    """How a text was read, line by line: shapes, band, times, each position, and what was noted."""
    lines = [f"read as {found.kind}: {', '.join(_shape(one) for one in found.features)}"]
    if found.lower is not None or found.upper is not None:
        lines.append(f"  band   {_altitude(found.lower)} to {_altitude(found.upper)}")
    if found.start is not None or found.end is not None:
        lines.append(f"  time   {found.start or '?'} to {found.end or '?'}")
    for number, read in enumerate(found.positions, 1):
        position = _nanodeg(read.lon), _nanodeg(read.lat)
        lines.append(
            f"  {number:<5}  {format_dms(position)}  {format_decimal(position)}  {_grid(position)}"
        )
        said = " ".join(read.as_read.split())
        lines.append(f"         from {said!r} ({read.notation}, to {read.precision_m:g} m)")
    for note in found.notes:
        values = ", ".join(f"{key} {value}" for key, value in note.values.items())
        lines.append(f"  note   {note.code}{': ' if values else ''}{values}")
    return "\n".join(lines)


def _nanodeg(degree: float) -> int:
    return round(Fraction(degree) * NANODEG_PER_DEG)


def _grid(position: LonLat) -> str:
    try:
        return format_grid(position)
    except UsageError:
        return "(no grid here)"


def _altitude(edge: AltitudeRead | None) -> str:
    return "open" if edge is None else f"{edge.value:g} {edge.unit} {edge.datum}"


def _shape(feature: FeatureRead) -> str:
    properties, geometry = feature.properties, feature.geometry
    sizes = {
        "radius": (properties.radius_nm, properties.radius_m),
        "half width": (properties.half_width_nm, properties.half_width_m),
    }
    for name, (miles, metres) in sizes.items():
        if isinstance(miles, float):
            return f"{name} {miles:g} NM"
        if isinstance(metres, float):
            return f"{name} {metres:g} m"
    if isinstance(geometry, PointGeometry):
        return "a point"
    return "a line" if isinstance(geometry, LineGeometry) else "an area"

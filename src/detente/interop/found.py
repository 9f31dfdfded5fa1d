"""What was found in a text that an officer typed or pasted: positions, shapes, a band, times, and notes.

Nothing of it is filed: it is a proposal on a screen, with a word on how each part was read. Notes are
codes with values, because the console says them in the officer's own language.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from detente.airspace.area import LonLat
from detente.units import NANODEG_PER_DEG

Kind = Literal["positions", "circle", "corridor", "geojson", "kml", "notam"]
Notation = Literal["dms", "dm", "decimal", "mgrs"]
Value = str | int | float
PositionShape = Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)]


class PointGeometry(msgspec.Struct, tag_field="type", tag="Point"):
    """A position, or the centre of a circle: longitude, latitude in degrees."""

    coordinates: PositionShape


class LineGeometry(msgspec.Struct, tag_field="type", tag="LineString"):
    """The middle of a corridor."""

    coordinates: list[PositionShape]


class PolygonGeometry(msgspec.Struct, tag_field="type", tag="Polygon"):
    """An area with its holes; rings closed."""

    coordinates: list[list[PositionShape]]


class MultiPolygonGeometry(msgspec.Struct, tag_field="type", tag="MultiPolygon"):
    """Several areas."""

    coordinates: list[list[list[PositionShape]]]


Geometry = PointGeometry | LineGeometry | PolygonGeometry | MultiPolygonGeometry


class AltitudeRead(msgspec.Struct, frozen=True):
    """An edge of a band, as notices write it."""

    value: float
    unit: Literal["ft", "m", "FL"]
    datum: Literal["MSL", "WGS84", "AGL", "STD"]


class PropertiesRead(msgspec.Struct, omit_defaults=True):
    """What is known of a shape beside its geometry, by the names that notices use; the rest is left out."""

    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    exercise: bool | UnsetType = UNSET
    activity: str | UnsetType = UNSET
    precedence: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    start: str | UnsetType = UNSET
    end: str | UnsetType = UNSET
    lower: AltitudeRead | UnsetType = UNSET
    upper: AltitudeRead | UnsetType = UNSET
    edges: Literal["planar", "geodesic"] | UnsetType = UNSET
    radius_m: float | UnsetType = UNSET
    radius_nm: float | UnsetType = UNSET
    half_width_m: float | UnsetType = UNSET
    half_width_nm: float | UnsetType = UNSET
    times: list[str] | UnsetType = UNSET


class FeatureRead(msgspec.Struct, kw_only=True, tag_field="type", tag="Feature"):
    """One shape as GeoJSON; `properties.name` is what the file called it."""

    geometry: Geometry
    properties: PropertiesRead


class PositionRead(msgspec.Struct, frozen=True):
    """One position and how it was written.

    Args:
        lat: degrees north, rounded to 1e-9.
        lon: degrees east.
        as_read: the very words.
        notation: how they write it.
        precision_m: how far apart two neighbouring positions of that notation and length are.
    """

    lat: float
    lon: float
    as_read: str
    notation: Notation
    precision_m: float


class Note(msgspec.Struct, frozen=True):
    """Something that was understood in one way, added, or left out: a code, and values for its sentence."""

    code: str
    values: dict[str, Value]


class Reading(msgspec.Struct, kw_only=True):
    """All that was found in a text. `lower`, `upper`, `start` and `end` are null when it does not say."""

    kind: Kind
    features: list[FeatureRead]
    positions: list[PositionRead]
    lower: AltitudeRead | None
    upper: AltitudeRead | None
    start: str | None
    end: str | None
    notes: list[Note]


def place_only(
    kind: Kind, features: list[FeatureRead], positions: list[PositionRead], notes: list[Note]
) -> Reading:
    """What was found in a text that says nothing of heights and times."""
    return Reading(
        kind=kind,
        features=features,
        positions=positions,
        lower=None,
        upper=None,
        start=None,
        end=None,
        notes=notes,
    )


def degrees(nanodeg: int) -> float:
    """Degrees whose shortest form has at most twelve digits, so that reading it gives the integer back.

    Example:
        >>> degrees(35_523_611_111)
        35.523611111
    """
    return float(Fraction(nanodeg, NANODEG_PER_DEG))


def coordinates(position: LonLat) -> list[float]:
    """A position of whole 1e-9 degrees as GeoJSON writes it."""
    return [degrees(part) for part in position]

"""GeoJSON that was not written for a notice: its shapes, with what a notice needs and it has not.

A whole notice is read by the strict parser and taken as it is. Anything else goes through the same parser
piece by piece, with placeholders for what is missing, so that no shape is read here that could not be filed.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

import msgspec

from detente.errors import UsageError, shown
from detente.interop.found import (
    AltitudeRead,
    FeatureRead,
    Note,
    PositionRead,
    Reading,
)
from detente.interop.geojson import notice_to_geojson, parse_notice_geojson, parse_notices_geojson
from detente.interop.strictjson import parse_json
from detente.limits import NAME_CHARS, READ_BYTES, READ_FEATURES

_PLACEHOLDERS: dict[str, Any] = {
    "id": "shape",
    "start": "2000-01-01T00:00:00Z",
    "end": "2000-01-01T00:00:01Z",
    "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
    "upper": {"value": 1, "unit": "ft", "datum": "MSL"},
}
_REQUIRED = tuple(_PLACEHOLDERS)
_KNOWN = (
    *_REQUIRED,
    *("exercise", "activity", "region", "text", "precedence", "edges"),
    *("radius_m", "radius_nm", "half_width_m", "half_width_nm", "times"),
)
_SIZES = {
    "Point": ("radius_m", "radius_nm"),
    "LineString": ("half_width_m", "half_width_nm"),
}
_PARTS = {"MultiPoint": "Point", "MultiLineString": "LineString"}
_SHAPES = ("Point", "LineString", "Polygon", "MultiPolygon")


def read_geojson(data: bytes) -> Reading:
    """The shapes of a GeoJSON text: a notice, a feature, a collection or a bare geometry.

    Raises:
        UsageError: no JSON, no GeoJSON, or a shape that could not be filed.
    """
    document = parse_json(data, most_bytes=READ_BYTES)
    kind = document.get("type") if isinstance(document, dict) else None
    if kind in ("Feature", "FeatureCollection"):
        try:
            notices = parse_notices_geojson(data)
        except UsageError as error:
            why = Note("not-a-notice", {"code": error.code, "field": error.field or ""})
            return _foreign(document, [why])
        names = ", ".join(notice.name for notice in notices)
        features = [one for notice in notices for one in _plain(notice_to_geojson(notice))]
        return _reading(features, [Note("notice-whole", {"ids": names[:400]})])
    return _foreign(document, [])


def _plain(collection: dict[str, object]) -> list[Any]:
    return cast("list[Any]", collection["features"])


def _reading(features: list[Any], notes: list[Note]) -> Reading:
    if len(features) > READ_FEATURES:
        raise UsageError(
            "geojson-too-many",
            f"text has {len(features):,} shapes; it must have at most {READ_FEATURES}",
            field="features",
        )
    found = [msgspec.convert(feature, FeatureRead) for feature in features]
    told = [feature["properties"] for feature in features]
    return Reading(
        kind="geojson",
        features=found,
        positions=[read for feature in features for read in _positions(feature["geometry"])],
        lower=_altitude(told, "lower"),
        upper=_altitude(told, "upper"),
        start=_common(told, "start"),
        end=_common(told, "end"),
        notes=notes,
    )


def _common(told: list[dict[str, Any]], key: str) -> Any:
    """What all shapes say, or None."""
    values = [properties.get(key) for properties in told]
    return values[0] if values and all(value == values[0] for value in values) else None


def _altitude(told: list[dict[str, Any]], key: str) -> AltitudeRead | None:
    value = _common(told, key)
    return None if value is None else msgspec.convert(value, AltitudeRead)


def _positions(geometry: dict[str, Any]) -> list[PositionRead]:
    found: list[PositionRead] = []

    def walk(value: Any) -> None:
        if value and isinstance(value[0], list):
            for one in value:
                walk(one)
            return
        lon, lat = value
        found.append(
            PositionRead(
                lat=float(lat),
                lon=float(lon),
                as_read=f"[{lon}, {lat}]",
                notation="decimal",
                precision_m=0.0001,
            )
        )

    walk(geometry["coordinates"])
    return found


# -- shapes that are no notice ------------------------------------------------------------------------


def _foreign(document: object, notes: list[Note]) -> Reading:
    said: dict[str, Note] = {note.code: note for note in notes}
    features: list[Any] = []
    for field, feature in _features(document):
        for where, geometry in _geometries(feature.get("geometry"), f"{field}geometry"):
            features.append(_feature(geometry, feature, where, said))
            if len(features) > READ_FEATURES:
                return _reading(features, [])
    if not features:
        raise UsageError(
            "geojson-empty", "text has no shape; it must have at least one", field="features"
        )
    return _reading(features, list(said.values()))


def _features(document: object) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(document, dict):
        kind = document.get("type")
        if kind == "Feature":
            return [("", document)]
        if kind == "FeatureCollection" and isinstance(document.get("features"), list):
            found = []
            for i, feature in enumerate(document["features"]):
                if not isinstance(feature, dict) or feature.get("type") != "Feature":
                    raise UsageError(
                        "geojson-type",
                        f"member is {shown(feature)}; it must be a Feature",
                        field=f"features[{i}]",
                    )
                found.append((f"features[{i}].", feature))
            return found
        if kind in (*_SHAPES, *_PARTS, "GeometryCollection"):
            return [("", {"geometry": document})]
    raise UsageError(
        "geojson-type",
        "text is JSON and no GeoJSON; it must be a Feature, a FeatureCollection or a geometry",
        field="type",
    )


def _geometries(geometry: Any, field: str) -> list[tuple[str, dict[str, Any]]]:
    """The geometry, or the parts of one that a notice has no word for."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(kind, str):
        kind = None
    if kind in _SHAPES:
        return [(field, geometry)]
    if kind in _PARTS and isinstance(geometry.get("coordinates"), list):
        return [
            (f"{field}.coordinates[{i}]", {"type": _PARTS[kind], "coordinates": part})
            for i, part in enumerate(geometry["coordinates"])
        ]
    if kind == "GeometryCollection" and isinstance(geometry.get("geometries"), list):
        return [
            found
            for i, part in enumerate(geometry["geometries"])
            for found in _geometries(part, f"{field}.geometries[{i}]")
        ]
    raise UsageError(
        "geometry-type",
        f"geometry is {shown(kind)}; it must be one of the seven of GeoJSON",
        field=field,
    )


def _feature(
    geometry: dict[str, Any], feature: dict[str, Any], field: str, said: dict[str, Note]
) -> Any:
    given = feature.get("properties") or {}
    if not isinstance(given, dict):
        raise UsageError(
            "properties-missing",
            f"properties are {shown(given)}; they must be an object",
            field=field,
        )
    kind = geometry["type"]
    kept = {key: given[key] for key in _KNOWN if given.get(key) is not None}
    if isinstance(feature.get("id"), str):
        kept.setdefault("id", feature["id"])
    skipped = sorted(key for key in given if key not in _KNOWN and key != "name")
    if skipped:
        _add(said, "properties-skipped", names=", ".join(skipped)[:400])
    kept, coordinates = _usable(kept, said), _flat(geometry.get("coordinates"), said)
    moves = "times" in kept
    if moves and not (kind == "LineString" and isinstance(kept["times"], list)):
        del kept["times"]
        moves = False
        _add(said, "property-unusable", name="times", rule="times-misplaced")
    # The way of somebody who moves has the radius of a circle. Times that are wrong are refused below, and
    # not left out: without them it would be a corridor, which says something else.
    sizes = _SIZES.get("Point" if moves else kind, ())
    required = tuple(key for key in _REQUIRED if not (moves and key in ("start", "end")))
    for key in [key for key in kept if key.startswith(("radius", "half")) and key not in sizes]:
        del kept[key]
        _add(said, "properties-skipped", names=key)
    trial = {**{key: _PLACEHOLDERS[key] for key in required}, **kept}
    if sizes and not any(key in kept for key in sizes):
        trial[sizes[0]] = 1
        _add(said, "size-missing", wanted=sizes[0].rpartition("_")[0])
    wanted = [key for key in required if key not in kept]
    if wanted:
        _add(said, "properties-missing", names=", ".join(wanted))
    built = {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": trial,
    }
    try:
        notice = parse_notice_geojson(_encode(built))
    except UsageError as error:
        inside = error.field or ""
        place = f"{field}{inside.removeprefix('geometry')}"
        if inside.startswith("properties"):
            place = field.partition("geometry")[0] + inside
        raise UsageError(error.code, error.message, hint=error.hint, field=place) from None
    found: Any = _plain(notice_to_geojson(notice))[0]
    told = found["properties"]
    asked = {*kept, *(f"{key.rpartition('_')[0]}_m" for key in kept if key in sizes)}
    if moves:
        asked |= {"start", "end"}  # the first and the last of the times
    found["properties"] = {key: value for key, value in told.items() if key in asked}
    name = given.get("name") or given.get("title")
    if isinstance(name, str):
        found["properties"]["name"] = name[:NAME_CHARS]
    return found


def _usable(kept: dict[str, Any], said: dict[str, Note]) -> dict[str, Any]:
    """The properties that the strict parser would take, tried one by one on a plain shape."""
    found = {}
    for key, value in kept.items():
        if key == "times" or key.startswith(("radius", "half")):
            found[key] = value
            continue
        trial: dict[str, Any] = {**_PLACEHOLDERS, "radius_m": 1}
        trial[key] = value
        if key in ("start", "end", "lower", "upper"):
            # both edges alike would be empty: only the form of this one is tried
            other = {"start": "end", "end": "start", "lower": "upper", "upper": "lower"}[key]
            trial[other] = kept.get(other, _far(key))
        shape = {"type": "Point", "coordinates": [0, 0]}
        try:
            parse_notice_geojson(
                _encode({"type": "Feature", "geometry": shape, "properties": trial})
            )
        except UsageError as error:
            _add(said, "property-unusable", name=key, rule=error.code)
            continue
        found[key] = value
    pairs = (("start", "end"), ("lower", "upper"))
    for one, other in pairs:
        if (one in found) != (other in found):
            alone = one if one in found else other
            del found[alone]
            _add(said, "property-unusable", name=alone, rule="pair-incomplete")
    return found


def _far(key: str) -> Any:
    return _PLACEHOLDERS[{"start": "end", "end": "start", "lower": "upper", "upper": "lower"}[key]]


def _flat(coordinates: Any, said: dict[str, Note]) -> Any:
    """Coordinates without heights, which are no band."""
    if not isinstance(coordinates, list):
        return coordinates
    if len(coordinates) == 3 and all(
        isinstance(part, int | Decimal) and not isinstance(part, bool) for part in coordinates
    ):
        _add(said, "heights-not-read", mode="GeoJSON")
        return coordinates[:2]
    return [_flat(one, said) for one in coordinates]


def _encode(value: Any) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(value)


def _add(said: dict[str, Note], code: str, **values: str) -> None:
    said.setdefault(f"{code}:{json.dumps(values, sort_keys=True)}", Note(code, dict(values)))

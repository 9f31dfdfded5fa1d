"""Notices as GeoJSON (RFC 7946), in and out; docs/spec/notice.md is the normative text.

Nothing is guessed and nothing is dropped: an unknown property is refused by name, because a
misspelt ``"lowr"`` that is quietly ignored is a notice that says something else than its author
meant. Numbers are read as decimals and rounded half to even once, at 1e-9 degree and 0.1 mm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction

import msgspec

from detente.airspace.altitude import Altitude, parse_altitude, parse_number
from detente.airspace.area import (
    Area,
    Circle,
    Corridor,
    Geometry,
    LonLat,
    Moving,
    Ring,
    Rings,
    check_count,
    check_position,
    check_size,
    parse_times,
)
from detente.airspace.volume import Volume, build_volume
from detente.errors import UsageError, shown
from detente.interop.strictjson import parse_json
from detente.limits import API_BODY_BYTES, PIECES_PER_NOTICE, VERTICES_PER_PIECE
from detente.notice.activity import ActivityNotice, build_notice, check_name
from detente.units import (
    NANODEG_PER_DEG,
    TENTH_MM_PER_M,
    TENTH_MM_PER_NM,
    format_time,
    parse_time,
)

FEATURES_PER_FILE = 50_000  # a whole day of two staffs; more are several files

_NOTICE_KEYS = ("exercise", "activity", "region", "text", "precedence")
_PIECE_KEYS = ("start", "end", "lower", "upper", "edges")
_SIZE_KEYS = {
    "Point": {"radius_m": TENTH_MM_PER_M, "radius_nm": TENTH_MM_PER_NM},
    "LineString": {"half_width_m": TENTH_MM_PER_M, "half_width_nm": TENTH_MM_PER_NM},
}
_ALL_SIZE_KEYS = [key for keys in _SIZE_KEYS.values() for key in keys]
_REQUIRED = ("id", "start", "end", "lower", "upper")
_TIMES = "times"  # makes a LineString the way of somebody who moves
# What is left out has the cautious reading: an activity that really flies, of no special kind.
_DEFAULTS: dict[str, object] = {"exercise": False, "activity": "other", "precedence": "routine"}


class _Draft(msgspec.Struct):
    """A notice whose features are still being read."""

    field: str
    shared: dict[str, object]
    pieces: list[Volume]


def parse_notices_geojson(
    data: bytes, *, most_bytes: int = API_BODY_BYTES
) -> tuple[ActivityNotice, ...]:
    """The notices in a GeoJSON Feature or FeatureCollection, in order of first appearance.

    Features with the same ``id`` are pieces of one notice; what is said about the notice as a whole
    must then be the same in each.

    Args:
        data: the bytes of the file.
        most_bytes: a larger file is refused unread.

    Raises:
        UsageError: anything is wrong; `.field` names the place, such as
            ``"features[0].properties.lower"``, and `.hint` says what to do.
    """
    document = parse_json(data, most_bytes=most_bytes)
    drafts: dict[str, _Draft] = {}
    for field, feature in _features(document):
        properties = _properties(feature, field)
        name = check_name(properties["id"], field=f"{field}properties.id")
        shared = {key: properties.get(key, _DEFAULTS.get(key)) for key in _NOTICE_KEYS}
        draft = drafts.setdefault(name, _Draft(f"{field}properties.", shared, []))
        for key in _NOTICE_KEYS:
            if not _same(draft.shared[key], shared[key]):
                raise UsageError(
                    "pieces-disagree",
                    f"{key} is {shown(shared[key])} here and {shown(draft.shared[key])} in an "
                    f"earlier piece of {name}; all pieces of a notice must agree",
                    field=f"{field}properties.{key}",
                )
        if len(draft.pieces) >= PIECES_PER_NOTICE:
            raise UsageError(
                "pieces-too-many",
                f"notice {name} has more than {PIECES_PER_NOTICE:,} pieces; "
                f"it must have at most {PIECES_PER_NOTICE:,}",
                hint="file several notices",
                field=f"{field}properties.id",
            )
        draft.pieces.append(_piece(feature, properties, field))
    return tuple(
        build_notice(
            name=name,
            exercise=draft.shared["exercise"],
            activity=draft.shared["activity"],
            pieces=tuple(draft.pieces),
            region=draft.shared["region"],
            text=draft.shared["text"],
            precedence=draft.shared["precedence"],
            field=draft.field,
        )
        for name, draft in drafts.items()
    )


def parse_notice_geojson(data: bytes) -> ActivityNotice:
    """The one notice in a GeoJSON file.

    Raises:
        UsageError: as `parse_notices_geojson`, or there is more than one id.
    """
    notices = parse_notices_geojson(data)
    if len(notices) != 1:
        names = ", ".join(notice.name for notice in notices[:5])
        raise UsageError(
            "notices-many",
            f"file has {len(notices)} notice ids ({names}); it must have exactly one",
            hint="features of one notice carry the same id; file other notices separately",
            field="features",
        )
    return notices[0]


def _features(document: object) -> list[tuple[str, Mapping[str, object]]]:
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(document, dict) or kind not in ("Feature", "FeatureCollection"):
        raise UsageError(
            "geojson-type",
            f"type is {shown(kind)}; it must be Feature or FeatureCollection",
            hint="a bare geometry has no times and altitudes: wrap it in a Feature",
            field="type",
        )
    if kind == "Feature":
        return [("", document)]
    _only(document, ("type", "features", "bbox", "name"), "")
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise UsageError(
            "geojson-empty",
            f"features are {shown(features)}; they must be a list that is not empty",
            field="features",
        )
    if len(features) > FEATURES_PER_FILE:
        raise UsageError(
            "geojson-too-many",
            f"file has {len(features):,} features; it must have at most {FEATURES_PER_FILE:,}",
            field="features",
        )
    found: list[tuple[str, Mapping[str, object]]] = []
    for i, feature in enumerate(features):
        field = f"features[{i}]."
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            kind = feature.get("type") if isinstance(feature, dict) else feature
            raise UsageError(
                "geojson-type", f"type is {shown(kind)}; it must be Feature", field=f"{field}type"
            )
        found.append((field, feature))
    return found


def _only(value: Mapping[str, object], known: tuple[str, ...], field: str) -> None:
    for key in value:
        if key not in known:
            raise UsageError(
                "property-unknown",
                f"{shown(key)} is unknown here; it must be one of {', '.join(known)}",
                hint="nothing is ignored silently; put remarks into text",
                field=f"{field}{key}",
            )


def _properties(feature: Mapping[str, object], field: str) -> dict[str, object]:
    _only(feature, ("type", "geometry", "properties", "bbox", "id"), field)
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise UsageError(
            "properties-missing",
            f"properties are {shown(properties)}; they must be an object",
            field=f"{field}properties",
        )
    _only(
        properties,
        ("id", *_NOTICE_KEYS, *_PIECE_KEYS, *_ALL_SIZE_KEYS, _TIMES),
        f"{field}properties.",
    )
    outer = feature.get("id")
    if outer is not None and properties.get("id", outer) != outer:
        raise UsageError(
            "id-twice",
            f"id is {shown(outer)} on the feature and {shown(properties['id'])} in its properties; "
            "they must be equal",
            field=f"{field}id",
        )
    given = {key: value for key, value in properties.items() if value is not None}
    found = given if outer is None else {"id": outer, **given}
    for key in _REQUIRED:
        if key in ("start", "end") and _TIMES in found:
            continue  # they are the first and the last of the times
        if key not in found:
            raise UsageError(
                "property-missing",
                f"{key} is missing; a notice must have {', '.join(_REQUIRED)} and a geometry",
                hint=_MISSING_HINTS.get(key, ""),
                field=f"{field}properties.{key}",
            )
    return found


_MISSING_HINTS = {
    "lower": 'for example {"value": 0, "unit": "ft", "datum": "MSL"}',
    "upper": 'for example {"value": 250, "unit": "FL", "datum": "STD"}',
    "start": 'for example "2018-09-17T18:39:00Z"',
    "end": 'for example "2018-09-17T19:40:00Z"',
}


def _piece(feature: Mapping[str, object], properties: Mapping[str, object], field: str) -> Volume:
    path = f"{field}properties"
    geometry = _geometry(feature.get("geometry"), properties, field)
    start, end = (
        parse_time(properties[part], field=f"{path}.{part}") if part in properties else None
        for part in ("start", "end")
    )
    if isinstance(geometry, Moving):
        start = geometry.times_us[0] if start is None else start
        end = geometry.times_us[-1] if end is None else end
    assert start is not None
    assert end is not None
    return build_volume(
        geometry,
        properties.get("edges", "planar"),
        parse_altitude(properties["lower"], field=f"{path}.lower"),
        parse_altitude(properties["upper"], field=f"{path}.upper"),
        start,
        end,
        field=field,
        names={
            "geometry": f"{field}geometry",
            **{part: f"{path}.{part}" for part in ("edges", "upper", "end")},
        },
    )


def _geometry(value: object, properties: Mapping[str, object], field: str) -> Geometry:
    path = f"{field}geometry"
    if not isinstance(value, dict):
        raise UsageError(
            "geometry-missing",
            f"geometry is {shown(value)}; a notice must have one",
            hint="words for a place are not enough: give a polygon, a circle or a corridor",
            field=path,
        )
    kind = value.get("type")
    if kind not in ("Polygon", "MultiPolygon", "Point", "LineString"):
        raise UsageError(
            "geometry-type",
            f"geometry type is {shown(kind)}; it must be Polygon, MultiPolygon, "
            "Point (with radius_m or radius_nm) or LineString (with half_width_m or half_width_nm)",
            field=f"{path}.type",
        )
    _only(value, ("type", "coordinates", "bbox"), f"{path}.")
    coordinates = value.get("coordinates")
    where = f"{path}.coordinates"
    moves = _TIMES in properties
    if moves and kind != "LineString":
        raise UsageError(
            "times-misplaced",
            f"times are given for a {kind}; they must only be given for a LineString",
            field=f"{field}properties.times",
        )
    # The way of somebody who moves has the radius around him, not the half width of a corridor.
    if moves:
        size = _size("Point", properties, field, name="LineString with times")
        return Moving(
            _positions(coordinates, where),
            parse_times(properties[_TIMES], field=f"{field}properties.times"),
            size,
        )
    size = _size(str(kind), properties, field)
    if kind == "Point":
        return Circle(_position(coordinates, where), size)
    if kind == "LineString":
        return Corridor(_positions(coordinates, where), size)
    if kind == "Polygon":
        return Area((_rings(coordinates, where),))
    polygons = _list(coordinates, where)
    return Area(tuple(_rings(rings, f"{where}[{i}]") for i, rings in enumerate(polygons)))


def _size(kind: str, properties: Mapping[str, object], field: str, *, name: str = "") -> int:
    wanted = _SIZE_KEYS.get(kind, {})
    name = name or kind
    given = [key for key in _ALL_SIZE_KEYS if key in properties]
    for key in given:
        if key not in wanted:
            raise UsageError(
                "size-misplaced",
                f"{key} is given for a {name}; it must only be given for "
                + (
                    "a Point or a LineString with times"
                    if key.startswith("radius")
                    else "a LineString without times"
                ),
                field=f"{field}properties.{key}",
            )
    if not wanted:
        return 0
    if len(given) != 1:
        raise UsageError(
            "size-missing" if not given else "size-twice",
            f"{' and '.join(given) if given else 'size'} {'are both given' if given else 'is missing'}"
            f"; a {name} must have exactly one of {' and '.join(wanted)}",
            field=f"{field}properties.{next(iter(wanted))}",
        )
    key = given[0]
    path = f"{field}properties.{key}"
    return check_size(round(parse_number(properties[key], field=path) * wanted[key]), field=path)


def _rings(value: object, field: str) -> Rings:
    return tuple(
        _positions(ring, f"{field}[{i}]", ring=True) for i, ring in enumerate(_list(value, field))
    )


def _positions(value: object, field: str, *, ring: bool = False) -> Ring:
    items = _list(value, field)
    if ring and len(items) < 4:
        raise UsageError(
            "ring-short",
            f"ring has {len(items)} positions; it must have at least 4, the last equal to the first",
            field=field,
        )
    return tuple(_position(item, f"{field}[{i}]") for i, item in enumerate(items))


def _list(value: object, field: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise UsageError(
            "geometry-empty" if value == [] or value is None else "geometry-malformed",
            f"value is {shown(value)}; it must be a list that is not empty",
            field=field,
        )
    if len(value) > VERTICES_PER_PIECE:
        check_count(len(value), field=field)
    return value


def _position(value: object, field: str) -> LonLat:
    if isinstance(value, list) and len(value) == 3:
        raise UsageError(
            "position-height",
            f"position is {shown(value)}; it must be longitude and latitude only",
            hint="heights belong in lower and upper, with a unit and a datum",
            field=field,
        )
    if not isinstance(value, list) or len(value) != 2:
        raise UsageError(
            "position-malformed",
            f"position is {shown(value)}; it must be [longitude, latitude]",
            field=field,
        )
    lon, lat = (
        round(parse_number(part, field=f"{field}[{k}]") * NANODEG_PER_DEG)
        for k, part in enumerate(value)
    )
    return check_position(lon, lat, field=field)


def _same(one: object, other: object) -> bool:
    # In Python True == 1; in a notice it is not.
    return type(one) is type(other) and one == other


def notice_to_geojson(notice: ActivityNotice) -> dict[str, object]:
    """The notice as a FeatureCollection; parsing it gives the same notice again.

    Numbers are int, or floats whose shortest form has at most 15 digits, so that any JSON writer
    writes them so that reading and rounding gives back the same integers.
    """
    return {
        "type": "FeatureCollection",
        "features": [_feature(notice, piece) for piece in notice.pieces],
    }


def format_geojson(notice: ActivityNotice) -> bytes:
    """The bytes of `notice_to_geojson`, indented for a person to read."""
    text = json.dumps(notice_to_geojson(notice), ensure_ascii=False, allow_nan=False, indent=1)
    return text.encode() + b"\n"


def _feature(notice: ActivityNotice, piece: Volume) -> dict[str, object]:
    properties: dict[str, object] = {
        "id": notice.name,
        "exercise": notice.exercise,
        "activity": notice.activity,
        "start": format_time(piece.start_us),
        "end": format_time(piece.end_us),
        "lower": _altitude(piece.lower),
        "upper": _altitude(piece.upper),
        "edges": piece.edges,
        "precedence": notice.precedence,
    }
    if notice.region is not None:
        properties["region"] = notice.region
    if notice.text is not None:
        properties["text"] = notice.text
    geometry = piece.geometry
    shape: dict[str, object]
    if isinstance(geometry, Circle):
        shape = {"type": "Point", "coordinates": _degrees(geometry.center)}
        properties["radius_m"] = _number(Fraction(geometry.radius_tenth_mm, TENTH_MM_PER_M))
    elif isinstance(geometry, Corridor):
        shape = {"type": "LineString", "coordinates": [_degrees(p) for p in geometry.points]}
        width = Fraction(geometry.half_width_tenth_mm, TENTH_MM_PER_M)
        properties["half_width_m"] = _number(width)
    elif isinstance(geometry, Moving):
        shape = {"type": "LineString", "coordinates": [_degrees(p) for p in geometry.points]}
        properties["radius_m"] = _number(Fraction(geometry.radius_tenth_mm, TENTH_MM_PER_M))
        properties["times"] = [format_time(time_us) for time_us in geometry.times_us]
    else:
        polygons = [[[_degrees(p) for p in ring] for ring in rings] for rings in geometry.polygons]
        if len(polygons) == 1:
            shape = {"type": "Polygon", "coordinates": polygons[0]}
        else:
            shape = {"type": "MultiPolygon", "coordinates": polygons}
    return {"type": "Feature", "geometry": shape, "properties": properties}


def _altitude(altitude: Altitude) -> dict[str, object]:
    return {
        "value": _number(altitude.value),
        "unit": altitude.unit,
        "datum": altitude.datum,
    }


def _degrees(position: LonLat) -> list[int | float]:
    return [_number(Fraction(part, NANODEG_PER_DEG)) for part in position]


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)

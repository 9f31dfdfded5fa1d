"""GeoJSON notices: exact, strict, and errors that say where and what to do."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Area, Circle, Corridor
from detente.airspace.volume import build_volume
from detente.errors import UsageError
from detente.interop.geojson import (
    format_geojson,
    notice_to_geojson,
    parse_notice_geojson,
    parse_notices_geojson,
)
from detente.notice.activity import build_notice

RING = [[35, 33], [36, 33], [36, 34], [35, 34], [35, 33]]


def feature(**changes):
    """The feature of the public contract."""
    properties = {
        "id": "A-1",
        "exercise": False,
        "activity": "patrol",
        "start": "2018-09-17T18:39:00Z",
        "end": "2018-09-17T19:40:00Z",
        "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
        "upper": {"value": 250, "unit": "FL", "datum": "STD"},
        "edges": "planar",
        "region": "Latakia coast",
        "text": "...",
        "precedence": "routine",
        **changes,
    }
    geometry = {"type": "Polygon", "coordinates": [copy.deepcopy(RING)]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features):
    """Several features."""
    return {"type": "FeatureCollection", "features": list(features)}


def data(value):
    """The bytes of a document."""
    return json.dumps(value).encode()


def refusal(value):
    """The error of a document."""
    with pytest.raises(UsageError) as error:
        parse_notices_geojson(value if isinstance(value, bytes) else data(value))
    assert "must" in error.value.message
    return error.value


def test_feature_of_the_contract_is_read():
    """The example of the public contract is a notice."""
    notice = parse_notice_geojson(data(feature()))
    assert (notice.name, notice.exercise, notice.activity) == ("A-1", False, "patrol")
    assert (notice.region, notice.text, notice.precedence) == ("Latakia coast", "...", "routine")
    (piece,) = notice.pieces
    assert str(piece.lower) == "0 ft MSL"
    assert str(piece.upper) == "FL 250"
    assert piece.geometry.polygons[0][0][2] == (36_000_000_000, 34_000_000_000)


def test_optional_properties_have_the_cautious_reading():
    """What is left out, or null, means a real activity of no special kind, routine, planar."""
    one = feature(region=None, text=None, precedence=None, edges=None)
    del one["properties"]["exercise"], one["properties"]["activity"]
    notice = parse_notice_geojson(data(one))
    assert (notice.exercise, notice.activity, notice.precedence) == (False, "other", "routine")
    assert (notice.pieces[0].edges, notice.region, notice.text) == ("planar", None, None)


def test_features_of_one_id_are_pieces_and_others_are_notices():
    """Features with the same id are pieces of one notice, in their order."""
    notices = parse_notices_geojson(
        data(collection(feature(), feature(id="A-2"), feature(end="2018-09-17T20:00:00Z")))
    )
    assert [(n.name, len(n.pieces)) for n in notices] == [("A-1", 2), ("A-2", 1)]
    with pytest.raises(UsageError, match="exactly one"):
        parse_notice_geojson(data(collection(feature(), feature(id="A-2"))))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("exercise", True),
        ("activity", "recon"),
        ("region", "north"),
        ("text", None),
        ("precedence", "flash"),
    ],
)
def test_pieces_that_disagree_are_refused(key, value):
    """What is said about the notice as a whole is the same in each of its pieces."""
    error = refusal(collection(feature(), feature(**{key: value})))
    assert (error.code, error.field) == ("pieces-disagree", f"features[1].properties.{key}")


def test_circle_and_corridor_take_metres_or_miles():
    """A Point has a radius, a LineString a half width, in m or NM, exactly."""
    one = feature(radius_nm=5)
    one["geometry"] = {"type": "Point", "coordinates": [35.1, 33.2]}
    assert parse_notice_geojson(data(one)).pieces[0].geometry == Circle(
        (35_100_000_000, 33_200_000_000), 92_600_000
    )
    two = feature(half_width_m=1852.5)
    two["geometry"] = {"type": "LineString", "coordinates": [[35, 33], [36, 34]]}
    geometry = parse_notice_geojson(data(two)).pieces[0].geometry
    assert geometry.half_width_tenth_mm == 18_525_000


def test_degrees_are_read_as_decimals():
    """The tenth decimal rounds half to even, and no binary fraction gets in."""
    text = json.dumps(feature()).replace("36, 34]", "36.1234567895, 34.0000000005]")
    ring = parse_notice_geojson(text.encode()).pieces[0].geometry.polygons[0][0]
    assert ring[2] == (36_123_456_790, 34_000_000_000)


def changed(path, value):
    """The example with one value changed, or removed if the value is `...`."""
    document = collection(feature())
    spot = document
    *parents, last = path
    for key in parents:
        spot = spot[key]
    if value is ...:
        del spot[last]
    else:
        spot[last] = value
    return document


F = ("features", 0)
P = (*F, "properties")
C = (*F, "geometry", "coordinates")


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        (("type",), "Topology", "geojson-type", "type"),
        (("type",), "Polygon", "geojson-type", "type"),
        (("features",), [], "geojson-empty", "features"),
        (("features",), {}, "geojson-empty", "features"),
        (("extra",), 1, "property-unknown", "extra"),
        ((*F, "type"), "Polygon", "geojson-type", "features[0].type"),
        (F, 7, "geojson-type", "features[0].type"),
        ((*F, "geometry"), ..., "geometry-missing", "features[0].geometry"),
        ((*F, "geometry"), None, "geometry-missing", "features[0].geometry"),
        ((*F, "geometry", "type"), "GeometryCollection", "geometry-type", "features[0].geometry.type"),
        ((*F, "geometry", "type"), ["Point"], "geometry-type", "features[0].geometry.type"),
        ((*F, "geometry", "type"), "Point", "size-missing", "features[0].properties.radius_m"),
        ((*F, "geometry", "crs"), {}, "property-unknown", "features[0].geometry.crs"),
        ((*F, "properties"), None, "properties-missing", "features[0].properties"),
        ((*F, "id"), "B-1", "id-twice", "features[0].id"),
        ((*P, "id"), ..., "property-missing", "features[0].properties.id"),
        ((*P, "id"), "a b", "name-malformed", "features[0].properties.id"),
        ((*P, "lower"), ..., "property-missing", "features[0].properties.lower"),
        ((*P, "upper"), None, "property-missing", "features[0].properties.upper"),
        ((*P, "start"), ..., "property-missing", "features[0].properties.start"),
        ((*P, "end"), "tomorrow", "time-malformed", "features[0].properties.end"),
        ((*P, "end"), "2018-09-17T18:39:00Z", "interval-empty", "features[0].properties.end"),
        ((*P, "end"), "2019-12-17T18:39:00Z", "interval-too-long", "features[0].properties.end"),
        ((*P, "start"), "2018-02-30T18:39:00Z", "time-malformed", "features[0].properties.start"),
        ((*P, "upper", "value"), 0, "band-empty", "features[0].properties.upper"),
        ((*P, "upper", "datum"), "MSL", "altitude-fl-datum", "features[0].properties.upper.datum"),
        ((*P, "lower", "unit"), "yd", "altitude-unit-unknown", "features[0].properties.lower.unit"),
        ((*P, "lower", "datum"), ..., "altitude-malformed", "features[0].properties.lower.datum"),
        ((*P, "lower", "value"), "0", "number-malformed", "features[0].properties.lower.value"),
        ((*P, "lowr"), 1, "property-unknown", "features[0].properties.lowr"),
        ((*P, "radius_m"), 5, "size-misplaced", "features[0].properties.radius_m"),
        ((*P, "edges"), "rhumb", "edges-unknown", "features[0].properties.edges"),
        ((*P, "exercise"), "false", "exercise-malformed", "features[0].properties.exercise"),
        ((*P, "activity"), "", "activity-malformed", "features[0].properties.activity"),
        ((*P, "text"), "x" * 4_001, "text-too-long", "features[0].properties.text"),
        ((*P, "precedence"), "", "precedence-unknown", "features[0].properties.precedence"),
        (C, [], "geometry-empty", "features[0].geometry.coordinates"),
        (C, "x", "geometry-malformed", "features[0].geometry.coordinates"),
        (C, [RING[:-1]], "ring-unclosed", "features[0].geometry.rings[0]"),
        (C, [[[35, 33], [36, 34], [35, 33]]], "ring-short", "features[0].geometry.coordinates[0]"),
        (
            C,
            [[[35, 33], [36, 34], [36, 33], [35, 34], [35, 33]]],
            "geometry-self-crossing",
            "features[0].geometry",
        ),
        ((*C, 0, 1), [36, 33, 500], "position-height", "features[0].geometry.coordinates[0][1]"),
        ((*C, 0, 1), [36], "position-malformed", "features[0].geometry.coordinates[0][1]"),
        ((*C, 0, 1), [None, 1], "number-malformed", "features[0].geometry.coordinates[0][1][0]"),
        ((*C, 0, 1), [36, 1e300], "number-malformed", "features[0].geometry.coordinates[0][1][1]"),
        ((*C, 0, 1), [-181, 33], "position-longitude", "features[0].geometry.coordinates[0][1]"),
        (C, [[[k / 10**5, 0] for k in range(10_001)]], "vertices-too-many", "features[0].geometry.coordinates[0]"),
    ],
)  # fmt: skip
def test_bad_input_names_field_value_and_rule(path, value, code, field):
    """Each kind of bad input has its own error at its own place."""
    error = refusal(changed(path, value))
    assert (error.code, error.field) == (code, field)


def test_swapped_latitude_and_longitude_get_a_hint():
    """A latitude past 90 degrees says that GeoJSON writes longitude first."""
    error = refusal(changed((*C, 0), [[33, 135], [34, 135], [34, 136], [33, 135]]))
    assert error.code == "position-latitude"
    assert "longitude first" in error.hint
    assert "swapped" in error.hint


def test_single_feature_errors_name_the_path_in_the_feature():
    """Without a collection the path starts in the feature itself."""
    one = feature()
    del one["properties"]["lower"]
    assert refusal(one).field == "properties.lower"


@pytest.mark.parametrize("value", [b"", b"[]", b'"x"', b"{}", b'{"type": NaN}', b"\xff"])
def test_what_is_no_geojson_is_refused(value):
    """Any other document is our error, not a crash."""
    refusal(value)


NANODEG = st.tuples(st.integers(-180 * 10**9, 180 * 10**9), st.integers(-85 * 10**9, 85 * 10**9))


@st.composite
def geometries(draw):
    """Any valid geometry."""
    kind = draw(st.integers(0, 2))
    lon, lat = draw(NANODEG)
    if kind == 0:
        return Circle((lon, lat), draw(st.integers(1, 2 * 10**10)))
    if kind == 1:
        ends = {(lon, lat), (lon // 2, lat // 3 + 1)}
        return (
            Corridor(tuple(sorted(ends)), draw(st.integers(1, 10**9)))
            if len(ends) > 1
            else Circle((lon, lat), 5)
        )
    west, south = lon // 2, lat
    wide, high = draw(st.integers(1, 10**9)), draw(st.integers(1, 10**9))
    ring = ((west, south), (west + wide, south), (west, south + high), (west, south))
    return Area(((ring,),))


@given(
    geometries(),
    st.integers(-(10**7), 10**9),
    st.integers(1, 10**9),
    st.sampled_from([("ft", "MSL"), ("m", "WGS84"), ("m", "AGL"), ("FL", "STD"), ("ft", "STD")]),
    st.integers(0, 4 * 10**15),
    st.integers(1, 10**13),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_notice_round_trips_through_geojson(geometry, low, height, kind, start, length, exercise):
    """Writing and reading gives the same integers back, to the last 1e-9 degree and 0.1 mm."""
    piece = build_volume(
        geometry,
        "planar",
        build_altitude(low, *kind, field="lower"),
        build_altitude(low + height, *kind, field="upper"),
        start,
        start + length,
        field="piece",
    )
    notice = build_notice(name="A-1", exercise=exercise, activity="uas", pieces=(piece, piece))
    assert parse_notice_geojson(format_geojson(notice)) == notice
    assert parse_notice_geojson(data(notice_to_geojson(notice))) == notice

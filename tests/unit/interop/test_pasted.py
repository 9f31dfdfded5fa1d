"""The one door: what kind of text it is, and GeoJSON that is no notice."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import UsageError
from detente.interop.found import AltitudeRead, Reading
from detente.interop.geojson import parse_notice_geojson
from detente.interop.pasted import read_pasted
from detente.limits import READ_BYTES, READ_FEATURES

WHOLE: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [35.014, 35.521]},
    "properties": {
        "id": "A-1",
        "exercise": False,
        "activity": "patrol",
        "start": "2018-09-17T18:39:00Z",
        "end": "2018-09-17T19:40:00Z",
        "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
        "upper": {"value": 250, "unit": "FL", "datum": "STD"},
        "radius_nm": 10,
    },
}
RING = [[35, 35], [36, 35], [36, 36], [35, 35]]


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    """A feature."""
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(value: Any) -> Reading:
    """A reading of JSON."""
    return read_pasted(json.dumps(value).encode())


def notes(found: Reading) -> dict[str, dict[str, object]]:
    """Code of each note to its values; the last of a code."""
    return {note.code: dict(note.values) for note in found.notes}


def refused(data: bytes) -> UsageError:
    """The error that a text is refused with."""
    with pytest.raises(UsageError) as caught:
        read_pasted(data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"353125N 0354716E", "positions"),
        (b"\xef\xbb\xbf 353125N 0354716E \r\n", "positions"),
        (b"353125N 0354716E 5NM", "circle"),
        (b"353125N 0354716E - 353225N 0354816E width 5NM", "corridor"),
        (b' {"type": "Point", "coordinates": [35, 36]}', "geojson"),
        (
            b"  <kml><Placemark><Point><coordinates>1,2</coordinates></Point></Placemark></kml>",
            "kml",
        ),
        (b"Q) OSTT/QRTCA/IV/BO/W/000/250/3531N03547E005\nF) SFC G) FL100", "notam"),
    ],
)
def test_text_is_taken_for_what_it_is(data: bytes, kind: str) -> None:
    """One door reads everything, by how it begins."""
    assert read_pasted(data).kind == kind


def test_whole_notice_is_read_by_the_strict_parser() -> None:
    """A notice file gives all its properties, and fits the strict parser again."""
    found = read(WHOLE)
    assert notes(found) == {"notice-whole": {"ids": "A-1"}}
    assert (found.start, found.end) == ("2018-09-17T18:39:00Z", "2018-09-17T19:40:00Z")
    assert found.upper == AltitudeRead(250.0, "FL", "STD")
    again = parse_notice_geojson(msgspec.json.encode(found.features[0]))
    assert again == parse_notice_geojson(json.dumps(WHOLE).encode())


def test_geometry_without_properties_names_what_is_missing() -> None:
    """A bare geometry is a shape; times, heights and id are named as missing."""
    for value in (WHOLE["geometry"], feature(WHOLE["geometry"])):
        found = read(value)
        assert found.features[0].geometry.coordinates == [35.014, 35.521]
        assert notes(found)["properties-missing"] == {"names": "id, start, end, lower, upper"}
        assert notes(found)["size-missing"] == {"wanted": "radius"}


def test_foreign_properties_are_named_and_known_ones_kept() -> None:
    """What another program wrote is named; what a notice knows stays."""
    found = read(
        feature(
            {"type": "Polygon", "coordinates": [RING]},
            name="Box",
            stroke="#f00",
            lower={"value": 10, "unit": "FL", "datum": "STD"},
            upper={"value": 20, "unit": "FL", "datum": "STD"},
            activity="NOT A NAME",
        )
    )
    properties = found.features[0].properties
    assert (properties.name, properties.upper) == ("Box", AltitudeRead(20.0, "FL", "STD"))
    assert properties.activity is msgspec.UNSET
    assert notes(found)["properties-skipped"] == {"names": "stroke"}
    assert notes(found)["property-unusable"] == {"name": "activity", "rule": "activity-malformed"}


WAY = {"type": "LineString", "coordinates": [[35, 36], [35.5, 36], [35.5, 36.2]]}
TIMES = ["2018-09-17T18:00:00Z", "2018-09-17T19:00:00Z", "2018-09-17T19:30:00.500000Z"]


def test_way_of_somebody_who_moves_keeps_its_times() -> None:
    """Times and radius come back, alone and in a whole notice, with start and end from the times; it is no corridor."""
    whole = {**WHOLE["properties"], "radius_m": 500, "times": TIMES}
    del whole["start"], whole["end"], whole["radius_nm"]
    for found in (read(feature(WAY, times=TIMES, radius_m=500)), read(feature(WAY, **whole))):
        properties = found.features[0].properties
        assert (properties.times, properties.radius_m) == (TIMES, 500.0)
        assert properties.half_width_m is msgspec.UNSET
        assert (found.start, found.end) == (TIMES[0], TIMES[-1])
    again = parse_notice_geojson(msgspec.json.encode(found.features[0]))
    assert again == parse_notice_geojson(json.dumps(feature(WAY, **whole)).encode())


def test_way_without_what_a_notice_needs_names_it() -> None:
    """A band and an id are missing; start and end are not, because the times say them; nor is a half width."""
    found = notes(read(feature(WAY, times=TIMES)))
    assert found["properties-missing"] == {"names": "id, lower, upper"}
    assert found["size-missing"] == {"wanted": "radius"}


def test_times_of_a_shape_that_stays_are_named_and_not_kept() -> None:
    """Another program's property of that name spoils no area; a line's that are no times are refused, not left out."""
    found = read(feature({"type": "Polygon", "coordinates": [RING]}, times=TIMES))
    assert found.features[0].properties.times is msgspec.UNSET
    assert notes(found)["property-unusable"] == {"name": "times", "rule": "times-misplaced"}
    for times, code in (
        (TIMES[:2], "times-count"),
        ([TIMES[0], TIMES[2], TIMES[1]], "times-order"),
        ([1, 2, 3], "time-malformed"),
    ):
        error = refused(json.dumps(feature(WAY, times=times, radius_m=5)).encode())
        assert error.code == code, str(error)
        assert error.field is not None
        assert error.field.startswith(("properties.times", "geometry"))


def test_half_a_band_is_named_and_not_kept() -> None:
    """A lower edge without an upper one is no band."""
    found = read(
        feature(WHOLE["geometry"], radius_nm=1, lower={"value": 0, "unit": "ft", "datum": "MSL"})
    )
    assert found.lower is None
    assert notes(found)["property-unusable"] == {"name": "lower", "rule": "pair-incomplete"}


def test_collections_and_multiparts_are_several_shapes() -> None:
    """A geometry that a notice has no word for is taken apart."""
    multi = {"type": "MultiPoint", "coordinates": [[35, 36], [36, 37]]}
    found = read({"type": "GeometryCollection", "geometries": [multi, WHOLE["geometry"]]})
    assert [f.geometry.coordinates for f in found.features] == [
        [35, 36],
        [36, 37],
        [35.014, 35.521],
    ]


def test_heights_in_positions_are_told_and_are_no_band() -> None:
    """A third number is no part of a band."""
    found = read({"type": "Point", "coordinates": [35, 36, 1200.5]})
    assert found.features[0].geometry.coordinates == [35, 36]
    assert "heights-not-read" in notes(found)


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "text-empty", "text"),
        (b" \n ", "text-empty", "text"),
        (b"\xff\x00", "text-encoding", "text"),
        (b"35N\x0036E", "text-control", "text"),
        (b"1" * (READ_BYTES + 1), "text-too-large", "text"),
        (b'{"type": "Point"', "json-malformed", None),
        (b'{"a": 1}', "geojson-type", "type"),
        (
            b'{"type": "Point", "coordinates": [35, 95]}',
            "position-latitude",
            "geometry.coordinates",
        ),
        (b'{"type": "Point", "coordinates": [[]]}', "position-malformed", "geometry.coordinates"),
        (b'{"type": "Circle"}', "geojson-type", "type"),
        (b'{"type": "Feature", "geometry": null, "properties": {}}', "geometry-type", "geometry"),
        (b'{"type": "FeatureCollection", "features": []}', "geojson-empty", "features"),
        (b'{"type": "FeatureCollection", "features": [1]}', "geojson-type", "features[0]"),
        (
            b'{"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [0, 2], [2, 0], [0, 0]]]}',
            "geometry-self-crossing",
            "geometry",
        ),
    ],
)
def test_text_that_holds_no_shape_is_refused(data: bytes, code: str, field: str | None) -> None:
    """The error names what is wrong and its place."""
    error = refused(data)
    assert error.code == code, str(error)
    assert field is None or (error.field or "").startswith(field)


def test_too_many_shapes_are_refused() -> None:
    """More than an officer can look through is a file to file."""
    many = {"type": "MultiPoint", "coordinates": [[0, 0]] * (READ_FEATURES + 1)}
    assert refused(json.dumps(many).encode()).code == "geojson-too-many"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-400, 400)
    | st.sampled_from(["Feature", "Point", "Polygon", "MultiPoint", "LineString"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "geometry", "coordinates", "properties", "features", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON.filter(lambda value: isinstance(value, dict)) | JSON.map(feature))
@settings(max_examples=400, deadline=None)
def test_any_json_is_read_or_refused(value: Any) -> None:
    """No document makes a fault."""
    try:
        found = read(value)
    except UsageError:
        return
    assert found.features


@given(st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No bytes make a fault."""
    try:
        found = read_pasted(data)
    except UsageError:
        return
    assert found.features


def test_every_note_is_in_the_contract() -> None:
    """Each code that a reader can note stands in docs/spec/console.md, and no other stands there."""
    root = Path(__file__).parents[3]
    made = {
        code
        for path in (root / "src/detente/interop").glob("*.py")
        for found in re.findall(
            r'(?:Note\(|_note\(|_add\(said,)\s*"([a-z-]+)"|"(element-[a-z-]+)"',
            path.read_text("utf-8"),
        )
        for code in found
        if code
    }
    spec = (root / "docs/spec/console.md").read_text("utf-8")
    table = spec.partition("| note | says |")[2].partition("\n\n")[0]
    told: set[str] = set()
    for row in table.splitlines()[2:]:
        told |= set(re.findall(r"`([a-z-]+)`", row.split("|")[1]))
    assert made == told

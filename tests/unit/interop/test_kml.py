"""KML from strangers: its shapes, and nothing else of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import UsageError
from detente.interop.found import (
    LineGeometry,
    PointGeometry,
    PolygonGeometry,
    Reading,
)
from detente.interop.kml import parse_kml
from detente.limits import KML_DEPTH, KML_ELEMENTS, READ_BYTES, READ_FEATURES

NAMESPACE = 'xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"'
POINT = "<Point><coordinates>36,35</coordinates></Point>"
RING = "<LinearRing><coordinates>35,35 36,35 36,36 35,35</coordinates></LinearRing>"
HOLE = "<LinearRing><coordinates>35.5,35.2 35.6,35.2 35.6,35.3 35.5,35.2</coordinates></LinearRing>"


def kml(inside: str, head: str = "") -> bytes:
    """A document with one placemark."""
    return f"{head}<kml {NAMESPACE}><Document><Placemark>{inside}</Placemark></Document></kml>".encode()


def refused(data: bytes) -> UsageError:
    """The error that a file is refused with."""
    with pytest.raises(UsageError) as caught:
        parse_kml(data)
    return caught.value


def notes(found: Reading) -> dict[str, dict[str, object]]:
    """Code of each note to its values."""
    return {note.code: dict(note.values) for note in found.notes}


def test_polygon_with_a_hole_is_read_with_its_name() -> None:
    """Outer and inner rings in their order; the name goes along."""
    found = parse_kml(
        kml(
            f"<name>North &amp; box</name><Polygon><outerBoundaryIs>{RING}</outerBoundaryIs>"
            f"<innerBoundaryIs>{HOLE}</innerBoundaryIs></Polygon>"
        )
    )
    geometry = found.features[0].geometry
    assert isinstance(geometry, PolygonGeometry)
    assert geometry.coordinates[0][0] == [35, 35]
    assert geometry.coordinates[1][0] == [35.5, 35.2]
    assert found.features[0].properties.name == "North & box"


def test_multigeometry_and_placemarks_are_shapes_in_order() -> None:
    """Every part of every placemark is a shape of its own."""
    line = "<LineString><coordinates>36,35 37,36</coordinates></LineString>"
    data = kml(f"<MultiGeometry>{POINT}<MultiGeometry>{line}</MultiGeometry></MultiGeometry>{RING}")
    kinds = [type(feature.geometry) for feature in parse_kml(data).features]
    assert kinds == [PointGeometry, LineGeometry, PolygonGeometry]


@pytest.mark.parametrize(
    "data",
    [
        f"<kml><Placemark>{POINT}</Placemark></kml>".encode(),
        b'<k:kml xmlns:k="http://earth.google.com/kml/2.1"><k:Placemark><k:Point><k:coordinates> 36 , 35 '
        b"</k:coordinates></k:Point></k:Placemark></k:kml>",
        f'<?xml version="1.0" encoding="UTF-16"?><kml><Placemark>{POINT}</Placemark></kml>'.encode(
            "utf-16"
        ),
        f"<Placemark>{POINT}</Placemark>".encode(),
        f"<kml><!-- a --><Folder><Folder><Placemark>{POINT}</Placemark></Folder></Folder></kml>".encode(),
    ],
)
def test_namespace_prefix_and_folders_do_not_matter(data: bytes) -> None:
    """Files of every version and writer give the same point."""
    found = parse_kml(data)
    assert [(read.lat, read.lon) for read in found.positions] == [(35, 36)]


def test_heights_are_told_and_are_no_band() -> None:
    """A height in the coordinates, with its mode, is a note; the band stays open."""
    high = RING.replace(",35 ", ",35,1000 ").replace(",36 ", ",36,2500.5 ")
    mode = "<altitudeMode>relativeToGround</altitudeMode>"
    found = parse_kml(
        kml(
            f"<Polygon><extrude>1</extrude>{mode}<outerBoundaryIs>{high}</outerBoundaryIs></Polygon>"
        )
    )
    assert (found.lower, found.upper) == (None, None)
    assert notes(found)["heights-not-read"] == {
        "mode": "relativeToGround",
        "least_m": 1000.0,
        "greatest_m": 2500.5,
    }


def test_what_is_fetched_or_moves_is_named_and_not_read() -> None:
    """Links, overlays, models and tracks are notes; nothing is fetched for them."""
    link = "<NetworkLink><Link><href>http://example.invalid/x.kml</href></Link></NetworkLink>"
    track = "<gx:Track><when>2026-01-01T00:00:00Z</when><gx:coord>36 35 0</gx:coord></gx:Track>"
    found = parse_kml(kml(f"{POINT}{track}</Placemark>{link}<Placemark>{POINT}"))
    told = {note.values["element"] for note in found.notes if note.code == "element-not-fetched"}
    assert told == {"NetworkLink", "Track"}
    assert len(found.features) == 2


def test_ring_that_is_open_is_closed_and_told() -> None:
    """Some writers leave out the last position."""
    found = parse_kml(kml(RING.replace(" 35,35</", "</")))
    assert found.features[0].geometry.coordinates[0][-1] == [35, 35]
    assert "ring-closed" in notes(found)


ENTITIES = '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
REMOTE = '<!DOCTYPE kml SYSTEM "http://example.invalid/x.dtd">'
PARAMETER = '<!DOCTYPE kml [<!ENTITY % a SYSTEM "http://example.invalid/x"> %a;]>'


@pytest.mark.parametrize("head", [ENTITIES, OUTSIDE, REMOTE, PARAMETER, "<!DOCTYPE kml>"])
def test_document_type_is_refused_before_anything_of_it_is_used(head: str) -> None:
    """No entity is ever expanded or fetched."""
    assert refused(kml(f"<name>&b;</name>{POINT}", head)).code == "kml-doctype"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<kml>" + b"<Folder>" * KML_DEPTH, "kml-depth"),
        (b"<kml>" + b"<a/>" * (KML_ELEMENTS + 1), "kml-elements"),
        (b"<kml>" + b" " * READ_BYTES, "kml-too-large"),
        (b"PK\x03\x04rest", "kml-zipped"),
        (b"<html></html>", "kml-root"),
        (b"<kml></kml>", "kml-empty"),
        (b"<kml>", "kml-malformed"),
        (b"<kml>&nothing;</kml>", "kml-malformed"),
        (b"\xff\xfe<", "kml-malformed"),
        (b'<?xml version="1.0" encoding="nonsense-9"?><kml/>', "kml-malformed"),
        (kml(POINT * (READ_FEATURES + 1)), "kml-too-many"),
        (kml(POINT.replace("36,35", "36;35")), "kml-position"),
        (kml(POINT.replace("36,35", "36,35,x")), "kml-position"),
        (kml(POINT.replace("36,35", "nan,35")), "kml-position"),
        (kml(POINT.replace("36,35", "36,35 36,36")), "kml-position"),
        (kml(POINT.replace("36,35", "")), "kml-position"),
        (kml(POINT.replace("36,35", "36,95")), "position-latitude"),
        (kml(POINT.replace("36,35", "190,35")), "position-longitude"),
        (kml("<LineString><coordinates>36,35</coordinates></LineString>"), "kml-position"),
        (kml("<LinearRing><coordinates>36,35 36,36</coordinates></LinearRing>"), "kml-position"),
        (kml(f"<LineString>{POINT}</LineString>"), "kml-nested"),
        (b'<kml xmlns="' + b"x" * 1_000 + b'"/>', "kml-namespace"),
        # read once: the square of this many steps would take minutes, in which the node answers nobody
        (kml(POINT.replace("36,35", "36" + " " * 200_000 + "35")), "kml-position"),
    ],
)
def test_file_that_is_no_kml_or_too_much_is_refused(data: bytes, code: str) -> None:
    """The error says which rule, and where there is a place, line and column."""
    assert refused(data).code == code


TAGS = [
    "<kml>",
    "</kml>",
    "<Placemark>",
    "</Placemark>",
    "<Point>",
    "</Point>",
    "<Polygon>",
    "</Polygon>",
    "<LinearRing>",
    "</LinearRing>",
    "<coordinates>",
    "</coordinates>",
    "<name>",
    "</name>",
    "1,2",
    "3,4,5",
    "&amp;",
    "&x;",
    "<",
    "]]>",
    "<![CDATA[",
    "\x00",
    " ",
]


@given(
    st.lists(
        st.sampled_from(TAGS),
        max_size=16,
    ).map("".join)
)
@settings(max_examples=500, deadline=None)
def test_any_markup_is_read_or_refused(text: str) -> None:
    """No order of tags makes a fault."""
    try:
        found = parse_kml(f"<kml><Placemark>{text}".encode())
    except UsageError:
        return
    assert found.features

"""Positions, circles and corridors as officers write them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pygeodesy.mgrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from detente.airspace.position import format_decimal, format_dms
from detente.errors import UsageError
from detente.interop.found import Reading
from detente.interop.grid import format_grid, parse_grid
from detente.interop.sketch import read_sketch
from detente.units import NANODEG_PER_DEG

pytestmark = pytest.mark.filterwarnings("ignore:.*Convert_MGRS:RuntimeWarning")
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "coordinates.json").read_text())
LAT = st.integers(-90 * NANODEG_PER_DEG, 90 * NANODEG_PER_DEG)
LON = st.integers(-180 * NANODEG_PER_DEG, 180 * NANODEG_PER_DEG)
GRID_LAT = st.integers(-80 * NANODEG_PER_DEG, 84 * NANODEG_PER_DEG - 1)
EDGES = st.sampled_from([0, 1, -1, 10**9, -(10**9), 59_999_999_999, 6 * 10**9])
ANYWHERE = st.tuples(LON | EDGES, LAT | EDGES)


def one(text: str) -> tuple[float, float]:
    """Latitude and longitude of the one position in a text."""
    found = read_sketch(text)
    assert len(found.positions) == 1, found.positions
    return found.positions[0].lat, found.positions[0].lon


def codes(found: Reading) -> set[str]:
    """The codes of the notes."""
    return {note.code for note in found.notes}


def refused(text: str) -> UsageError:
    """The error that a text is refused with."""
    with pytest.raises(UsageError) as caught:
        read_sketch(text)
    return caught.value


def outcome(text: str) -> Reading | UsageError:
    """A reading, or the error of ours that a text is refused with."""
    try:
        return read_sketch(text)
    except UsageError as error:
        return error


# -- every notation ---------------------------------------------------------------------------------

LATAKIA = (35 + 31 / 60 + 25 / 3600, 35 + 47 / 60 + 16 / 3600)
MINUTES = (35 + 31 / 60, 35 + 47 / 60)


@pytest.mark.parametrize(
    ("text", "where", "notation"),
    [
        ("353125N 0354716E", LATAKIA, "dms"),
        ("353125N0354716E", LATAKIA, "dms"),
        ("353125.0N0354716.0E", LATAKIA, "dms"),
        ("N353125 E0354716", LATAKIA, "dms"),
        ("n353125e0354716", LATAKIA, "dms"),
        ("35°31'25\"N 35°47'16\"E", LATAKIA, "dms"),
        ("35°31′25″N, 035°47′16″E", LATAKIA, "dms"),
        ("35º31’25”N 35º47’16”E", LATAKIA, "dms"),
        ("35° 31' 25'' N / 35° 47' 16'' E", LATAKIA, "dms"),
        ("N 35° 31′ 25″; E 35° 47′ 16″", LATAKIA, "dms"),
        ("35 31 25 N 35 47 16 E", LATAKIA, "dms"),
        ("N 35 31 25 E 35 47 16", LATAKIA, "dms"),
        ("35:31:25N 035:47:16E", LATAKIA, "dms"),
        ("35-31-25N 035-47-16E", LATAKIA, "dms"),
        ("035-47-16E 35-31-25N", LATAKIA, "dms"),
        ("35°31'25\", 35°47'16\"", LATAKIA, "dms"),
        ("35:31:25 35:47:16", LATAKIA, "dms"),
        ("35 deg 31 min 25 sec north, 35 deg 47 min 16 sec east", LATAKIA, "dms"),
        ("35°31′25″ с.ш. 35°47′16″ в.д.", LATAKIA, "dms"),
        ("35°31′25″с. ш., 35°47′16″в. д.", LATAKIA, "dms"),
        ("٣٥°٣١′٢٥″ شمالاً ٣٥°٤٧′١٦″ شرقاً", LATAKIA, "dms"),
        ("۳۵°۳۱′۲۵″ شمال ۳۵°۴۷′۱۶″ شرق", LATAKIA, "dms"),
        ("צפון 35°31′25″ מזרח 35°47′16″", LATAKIA, "dms"),
        ("35°31'25\"N\n35°47'16\"E", LATAKIA, "dms"),
        ("3531N03547E", MINUTES, "dm"),
        ("3531N 03547E", MINUTES, "dm"),
        ("35°31'N 35°47'E", MINUTES, "dm"),
        ("35 31 N 35 47 E", MINUTES, "dm"),
        ("35°31.00 N 035°47.00 E", MINUTES, "dm"),
        ("N35° 31' E35° 47'", MINUTES, "dm"),
        ("35.5, 36.2", (35.5, 36.2), "decimal"),
        ("35.5,36.2", (35.5, 36.2), "decimal"),
        ("35.5 36.2", (35.5, 36.2), "decimal"),
        ("35.5; 36.2", (35.5, 36.2), "decimal"),
        ("(35.5, 36.2)", (35.5, 36.2), "decimal"),
        ("35.5\t36.2", (35.5, 36.2), "decimal"),
        ("35,5236; 36,2000", (35.5236, 36.2), "decimal"),
        ("35,5236 36,2000", (35.5236, 36.2), "decimal"),
        ("35,5N 36,2E", (35.5, 36.2), "decimal"),
        ("35.5N 36.2E", (35.5, 36.2), "decimal"),
        ("36.2E 35.5N", (35.5, 36.2), "decimal"),
        ("35.5° 36.2°", (35.5, 36.2), "decimal"),
        ("lat 35.5 lon 36.2", (35.5, 36.2), "decimal"),
        ("Longitude: 36.2, Latitude: 35.5", (35.5, 36.2), "decimal"),
        ("широта 35.5 долгота 36.2", (35.5, 36.2), "decimal"),
        ("٣٥٫٥، ٣٦٫٢", (35.5, 36.2), "decimal"),
        ("-35.5, -120.25", (-35.5, -120.25), "decimal"),
        ("−35.5 −120.25", (-35.5, -120.25), "decimal"),
        ("+35.5 -120.25", (35.5, -120.25), "decimal"),
        ("35.5S 120.25W", (-35.5, -120.25), "decimal"),
        ("35.5 ю.ш. 120.25 з.д.", (-35.5, -120.25), "decimal"),
        ("90S 0E", (-90, 0), "decimal"),
        ("0N 180W", (0, -180), "decimal"),
    ],
)
def test_notation_is_read_as_the_place_that_it_names(
    text: str, where: tuple[float, float], notation: str
) -> None:
    """Each way to write one place gives that place, and is named."""
    found = read_sketch(text)
    assert len(found.positions) == 1
    read = found.positions[0]
    assert (read.lat, read.lon) == pytest.approx(where, abs=1e-9)
    assert read.notation == notation
    assert read.as_read == text.strip("()")


@pytest.mark.parametrize(
    ("text", "precision_m"),
    [
        ("35N 036E", 111_000),
        ("35.5N 36.5E", 11_100),
        ("35.50000, 36.50000", 1.11),
        ("35.50000, 36.5", 11_100),
        ("3531N03547E", 1_860),
        ("353125N0354716E", 30.9),
        ("353125.5N0354716.5E", 3.09),
        ("36SYE53", 10_000),
        ("36SYE51233456", 10),
    ],
)
def test_precision_is_that_of_the_coarser_number(text: str, precision_m: float) -> None:
    """A position is as precise as the last digit of its coarser half."""
    assert read_sketch(text).positions[0].precision_m == precision_m


def test_numbers_without_letters_are_latitude_first_and_say_so() -> None:
    """The order that was assumed is told; with letters nothing is assumed."""
    assert "order-assumed" in codes(read_sketch("35.5, 36.2"))
    assert "order-assumed" not in codes(read_sketch("36.2E 35.5N"))


# -- what has two meanings, or none ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("35,5 36,2", "comma-ambiguous", "decimal commas latitude 35.5, longitude 36.2"),
        ("35,36;37,38", "comma-ambiguous", "whole degrees"),
        ("35 31 25 35 47 16", "position-ambiguous", "3 positions in degrees, or 1 in degrees"),
        ("35 31, 35 47", "position-ambiguous", "2 positions in degrees, or 1 in degrees"),
        ("35.5 - 120.3", "position-ambiguous", "one position, or the beginning of two"),
        ("35.5-36.2", "position-ambiguous", "one position, or the beginning of two"),
        ("35.5\n36.2", "position-ambiguous", "one position, or the beginning of two"),
        ("[35.5, 36.2]", "position-ambiguous", "as GeoJSON has them longitude, latitude"),
        ("120.5 35.5", "coordinate-range", "latitude 35.5, longitude 120.5"),
        ("35.5N 36.2", "hemisphere-missing", "east or west"),
        ("35.5 36.2E", "hemisphere-missing", "north or south"),
        ("353125 0354716", "hemisphere-missing", "without a hemisphere"),
        ("-35.5N 36.2E", "sign-and-letter", "not both"),
        ("35.5N 36.2N", "axis-twice", "two latitudes"),
        ("lat 35.5E lon 36N", "axis-disagrees", "must agree"),
        ("355655E 352341N", "coordinate-digits", "3, 5 or 7 digits"),
        ("35312N 0354716E", "coordinate-digits", "2, 4 or 6 digits"),
        ("91N 36E", "coordinate-range", "at most 90"),
        ("35N 181E", "coordinate-range", "at most 180"),
        ("905959N 0360000E", "coordinate-range", "at most 90"),
        ("35°60'N 36E", "coordinate-range", "below 60"),
        ("353160N 0354716E", "coordinate-range", "below 60"),
        ("35.5 31 N 36 E", "hemisphere-missing", "both or neither"),
        ("N 35.5 31 E 36", "coordinate-parts", "last part only"),
        ("1 2 3 4 N 36 E", "coordinate-parts", "at most"),
        ("35.5", "position-incomplete", "stands alone"),
        ("35.5 36.2 35.6", "position-incomplete", "stands alone"),
        ("O 36 N 35", "hemisphere-ambiguous", "west (ouest, oeste) or east (Ost)"),
        ("מ 36 צ 35", "hemisphere-ambiguous", "east (מזרח) or west (מערב)"),
        ("35 ش 36 غ", "hemisphere-ambiguous", "north (شمال) or east (شرق)"),
        ("Latakia 35N 36E", "text-not-understood", "'Latakia' has no meaning"),
        ("35N 36E thence clockwise", "text-not-understood", "'clockwise'"),
        ("36S 751234 3934567", "grid-utm", "south or the band"),
        ("ZAH 1234 5678", "grid-polar", "80 S and 84 N"),
        ("36SYE 1234 567", "grid-malformed", "equally long"),
        ("36SYE 123", "grid-malformed", "even number"),
        ("36SAE1234", "grid-malformed", "letters of a square"),
        ("36SYN5123434567", "grid-malformed", "belong elsewhere"),
        ("99SYE1234", "grid-malformed", "zone from 1 to 60"),
        ("35N 36E 5 miles", "length-mile", "nautical (1,852 m) or statute"),
        ("35N 36E radius 1,500 m", "length-comma", "decimal sign or part thousands"),
        ("35N 36E - 36N 37E 5NM", "length-ambiguous", "radius of a circle or the width"),
        ("35N 36E width 5NM", "corridor-short", "at least two"),
        ("35N 36E 5NM 6NM", "length-twice", "2 lengths"),
        ("35N 36E radius 0 NM", "radius-range", "above 0"),
        ("35N 36E radius 5000 km", "radius-range", "at most"),
        ("radius 5NM", "position-missing", "no position"),
    ],
)
def test_text_with_two_meanings_or_none_is_refused(text: str, code: str, said: str) -> None:
    """Nothing is guessed: the error names both readings, or what is wrong, and where."""
    error = refused(text)
    assert (error.code, said in error.message) == (code, True), str(error)
    assert error.field is not None
    assert error.field.startswith("line ")


def test_error_names_line_and_column_of_the_part() -> None:
    """An officer finds the part in a long list."""
    error = refused("352341N 0355655E\n352500N 0355700E\n  357500N 0360000E")
    assert error.field == "line 3, column 3"


# -- shapes -------------------------------------------------------------------------------------------

RING = [[35.948611111, 35.394722222], [35.95, 35.416666667], [36.0, 35.5]]


@pytest.mark.parametrize(
    "text",
    [
        "352341N 0355655E\n352500N 0355700E\n353000N 0360000E",
        "352341N0355655E-352500N0355700E-353000N0360000E",
        "352341N0355655E - 352500N0355700E - 353000N0360000E - 352341N0355655E",
        "352341N 0355655E -352500N 0355700E -353000N 0360000E",
        "352341N 0355655E – 352500N 0355700E – 353000N 0360000E to point of origin",
        "352341N 0355655E to 352500N 0355700E to 353000N 0360000E",
        "352341N 0355655E → 352500N 0355700E → 353000N 0360000E.",
        "1. 352341N 0355655E\n2. 352500N 0355700E\n3. 353000N 0360000E\n",
        "A) 352341N 0355655E\r\nB) 352500N 0355700E\r\nC) 353000N 0360000E",
        "area bounded by lines joining points 352341N 0355655E, 352500N 0355700E, 353000N 0360000E",
    ],
)
def test_list_of_positions_is_an_area(text: str) -> None:
    """Three positions or more are a closed ring, however they are listed."""
    found = read_sketch(text)
    assert found.kind == "positions"
    geometry: Any = found.features[0].geometry
    assert geometry.coordinates == [[*RING, RING[0]]]


def test_ring_that_was_closed_here_says_so() -> None:
    """A closing position that the text has not is told."""
    open_ring = "35N 36E, 36N 36E, 36N 37E"
    assert "ring-closed" in codes(read_sketch(open_ring))
    assert "ring-closed" not in codes(read_sketch(f"{open_ring}, 35N 36E"))


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("352341N 0355655E 5NM", "radius_nm", 5),
        ("352341N 0355655E radius 5.5 NM", "radius_nm", 5.5),
        ("circle centred on 352341N 0355655E radius 10 km", "radius_m", 10_000),
        ("within 5NM radius of 352341N 0355655E", "radius_nm", 5),
        ("R=500m, centre 352341N 0355655E", "radius_m", 500),
        ("352341N 0355655E diameter 10 NM", "radius_nm", 5),
        ("352341N 0355655E радиус 3 км", "radius_m", 3_000),
        ("352341N 0355655E 1000ft", "radius_m", 304.8),
    ],
)
def test_position_with_a_length_is_a_circle(text: str, key: str, value: float) -> None:
    """A centre and a radius are a circle, in the unit that was given where notices have it."""
    found = read_sketch(text)
    assert found.kind == "circle"
    assert getattr(found.features[0].properties, key) == value
    assert found.features[0].geometry.coordinates == RING[0]


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("corridor 352341N 0355655E - 353000N 0360000E width 5 NM", "half_width_nm", 2.5),
        ("352341N 0355655E - 353000N 0360000E 10km wide", "half_width_m", 5_000),
        ("352341N 0355655E - 353000N 0360000E half-width 3 NM", "half_width_nm", 3),
        ("352341N 0355655E - 353000N 0360000E 3 NM either side", "half_width_nm", 3),
        ("352341N 0355655E - 353000N 0360000E шириной 6 км", "half_width_m", 3_000),
    ],
)
def test_line_with_a_width_is_a_corridor(text: str, key: str, value: float) -> None:
    """A width is halved, a half width is taken as it is; which was done is told."""
    found = read_sketch(text)
    assert found.kind == "corridor"
    assert getattr(found.features[0].properties, key) == value
    assert found.features[0].geometry.coordinates == [RING[0], RING[2]]
    assert ("length-halved" in codes(found)) == (key in ("half_width_nm",) and value == 2.5) or (
        "half" not in text and "either" not in text
    )


def test_circles_on_lines_of_their_own_are_several_shapes() -> None:
    """One centre and one radius a line give one circle a line."""
    found = read_sketch("35N 36E 5NM\n36N 37E 10NM\n")
    assert [f.properties.radius_nm for f in found.features] == [5, 10]


def test_edges_across_the_antimeridian_are_geodesic() -> None:
    """Straight in longitude they would go round the world, so they are made geodesic, and it is told."""
    found = read_sketch("10N 170E, 10N 170W, 20N 170W")
    assert found.features[0].properties.edges == "geodesic"
    assert "edges-geodesic" in codes(found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 " * 100_000, "vertices-too-many"),
        ("1," * 100_000, "vertices-too-many"),
        ("1°" * 80_000, "vertices-too-many"),
        ("35.5N 36.5E\n" * 10_001, "vertices-too-many"),
        ("35N 36E 1NM\n" * 501, "shapes-too-many"),
        ("35." + "1" * 9_000 + "N 36E", "number-long"),
        ("35N 36E 1" + "1" * 9_000 + "NM", "number-long"),
    ],
)
def test_text_that_would_be_long_work_is_refused(text: str, code: str) -> None:
    """A page of numbers costs as much as the first ten thousand positions; no number is endless."""
    error = refused(text)
    assert error.code == code
    assert len(str(error)) < 400


# -- there and back ------------------------------------------------------------------------------------


@given(ANYWHERE)
@settings(max_examples=300, deadline=None)
def test_dms_there_and_back_is_within_its_precision(position: tuple[int, int]) -> None:
    """What is shown as degrees, minutes and seconds is read as the same place to half a tenth of a second."""
    lat, lon = one(format_dms(position))
    assert abs(lat - position[1] / 1e9) <= 0.05 / 3600 + 1e-9
    assert abs(lon - position[0] / 1e9) <= 0.05 / 3600 + 1e-9


@given(ANYWHERE)
@settings(max_examples=300, deadline=None)
def test_decimal_there_and_back_is_within_its_precision(position: tuple[int, int]) -> None:
    """What is shown in decimals is read as the same place to half a digit, everywhere on the globe."""
    lat, lon = one(format_decimal(position))
    assert abs(lat - position[1] / 1e9) <= 0.5e-5 + 1e-9
    assert abs(lon - position[0] / 1e9) <= 0.5e-5 + 1e-9


@given(ANYWHERE)
@settings(max_examples=300, deadline=None)
def test_compact_there_and_back_is_within_its_precision(position: tuple[int, int]) -> None:
    """The form of aviation, to whole seconds and whole minutes, gives the place to half of one."""
    for per_degree, unit in ((3600, 1 / 3600), (60, 1 / 60)):
        text = ""
        for part, letters, width in ((position[1], "NS", 2), (position[0], "EW", 3)):
            count = round(abs(part) / 1e9 * per_degree)
            groups = [f"{count // per_degree:0{width}d}"]
            if per_degree == 3600:
                groups.append(f"{count // 60 % 60:02d}")
            groups.append(f"{count % 60:02d}")
            text += "".join(groups) + letters[part < 0]
        lat, lon = one(text)
        assert abs(lat - position[1] / 1e9) <= unit / 2 + 1e-8
        assert abs(lon - position[0] / 1e9) <= unit / 2 + 1e-8


@given(st.tuples(LON, GRID_LAT), st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_grid_there_and_back_is_the_same_square(position: tuple[int, int], digits: int) -> None:
    """The middle of a square is written as that square, unless a zone's edge cuts it."""
    text = format_grid(position, digits=digits)
    middle, size_m = parse_grid(text, field="grid")
    distance = Geod(ellps="WGS84").inv(*(part / 1e9 for part in (*position, *middle)))[2]
    assert distance <= size_m * math.sqrt(0.5) * 1.001 + 0.01
    if middle[1] < 84 * NANODEG_PER_DEG and middle[1] >= -80 * NANODEG_PER_DEG:
        again = format_grid(middle, digits=digits)
        assert again == text or again[:3] != text[:3]


@given(st.tuples(LON, GRID_LAT))
@settings(max_examples=200, deadline=None)
def test_grid_agrees_with_another_implementation(position: tuple[int, int]) -> None:
    """Two libraries that share no code give one square, to a metre at the edge of one."""
    lon, lat = (part / 1e9 for part in position)
    other = pygeodesy.mgrs.parseMGRS(format_grid(position).replace(" ", "")).toLatLon(center=True)
    distance = Geod(ellps="WGS84").inv(lon, lat, float(other.lon), float(other.lat))[2]
    assert distance <= 1


def test_grid_ends_at_80_south_and_84_north() -> None:
    """Where the polar grid begins, no reference is given."""
    for lat in (84, 90, -80.000000001, -90):
        with pytest.raises(UsageError) as caught:
            format_grid((0, round(lat * 1e9)))
        assert caught.value.code == "grid-polar"


# -- vectors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", VECTORS["positions"], ids=lambda row: row["note"])
def test_vector_position_is_shown_and_read_as_it_says(row: dict[str, Any]) -> None:
    """Every notation of the vector is what we write, and is read as that place."""
    position = (round(row["lon"] * 1e9), round(row["lat"] * 1e9))
    assert format_dms(position) == row["dms"]
    assert format_decimal(position) == row["decimal"]
    assert one(row["dms"]) == pytest.approx((row["lat"], row["lon"]), abs=1.4e-5)
    assert one(row["decimal"]) == pytest.approx((row["lat"], row["lon"]), abs=0.5e-5 + 1e-9)
    if row["mgrs"] is None:
        assert not -80 <= row["lat"] < 84
    else:
        assert format_grid(position) == row["mgrs"]
        there = one(row["mgrs"])
        legs = Geod(ellps="WGS84").inv(row["lon"], row["lat"], there[1], there[0])
        assert legs[2] < 0.75


def test_vector_has_forty_positions_and_every_hard_place() -> None:
    """Poles, the antimeridian, both exceptions of the grid and carries are among them."""
    notes = " ".join(row["note"] for row in VECTORS["positions"])
    assert len(VECTORS["positions"]) >= 40
    for place in ("pole", "antimeridian", "zone 32 by exception", "carry"):
        assert place in notes


@pytest.mark.parametrize("row", VECTORS["legs"], ids=lambda row: f"{row['from']}-{row['to']}")
def test_vector_leg_is_the_geodesic(row: dict[str, Any]) -> None:
    """Distance and bearing are those of the WGS84 geodesic."""
    (lat, lon), (to_lat, to_lon) = row["from"], row["to"]
    bearing, _, distance = Geod(ellps="WGS84").inv(lon, lat, to_lon, to_lat)
    assert row["distance_m"] == pytest.approx(distance, abs=0.001)
    if row["initial_bearing_deg"] is not None:
        assert row["initial_bearing_deg"] == pytest.approx(bearing % 360, abs=1e-6)


@given(st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes a fault: there is a reading or an error of ours with a place."""
    found = outcome(text)
    assert found.positions if isinstance(found, Reading) else found.field


WORDS = st.sampled_from(
    [
        "35",
        "36.2",
        "353125N",
        "0354716E",
        "35,5",
        "N",
        "S",
        "E",
        "W",
        "-",
        "–",
        ",",
        ";",
        "/",
        "to",
        "°",
        "'",
        '"',
        "36SYE",
        "5123434567",
        "NM",
        "5NM",
        "km",
        "radius",
        "width",
        "lat",
        "lon",
        ":",
        "=",
        ".",
        "(",
        ")",
        "[",
        "]",
        "\n",
        "1.",
        "A)",
        "с.ш.",
        "שמאל",
        "שמאל",
        "ش",
        "٣٥",
        "±",
        "90",
        "180",
        "60",
        "59.99",
        "+",
        "→",
        "m",
        "ft",
    ]
)


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.lists(WORDS, max_size=14).map("".join))
@settings(max_examples=600, deadline=None)
def test_any_words_of_the_language_are_read_or_refused(text: str) -> None:
    """The same for texts that are nearly right."""
    found = outcome(text)
    assert not isinstance(found, Reading) or all(
        -90 <= read.lat <= 90 and -180 <= read.lon <= 180 for read in found.positions
    )

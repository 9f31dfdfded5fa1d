"""NOTAMs: place, band and times, and what is refused."""

from __future__ import annotations

import pytest

from detente.errors import UsageError
from detente.interop.found import AltitudeRead, Reading
from detente.interop.notam import is_notam, parse_notam
from detente.limits import READ_FEATURES

AREA = "WITHIN AN AREA BOUNDED BY 352341N0355655E - 352500N0355700E - 353000N0360000E TO POINT OF ORIGIN."


def notam(
    words: str = "UAS ACTIVITY",
    q: str = "OSTT/QRTCA/IV/BO/W/000/250/3531N03547E005",
    times: str = "B) 2609301200 C) 2609301800",
    band: str = "F) SFC G) FL250",
) -> str:
    """A NOTAM with some items of one's own."""
    return f"(A1234/26 NOTAMN\nQ) {q}\nA) OSTT {times}\nE) {words}\n{band})"


def notes(found: Reading) -> dict[str, dict[str, object]]:
    """Code of each note to its values."""
    return {note.code: dict(note.values) for note in found.notes}


def refused(text: str) -> UsageError:
    """The error a text is refused with."""
    with pytest.raises(UsageError) as caught:
        parse_notam(text)
    return caught.value


def test_qualifier_line_gives_a_circle_where_the_words_have_no_area() -> None:
    """Degrees and minutes are the centre, three digits the radius in miles, and it is told."""
    found = parse_notam(notam())
    assert found.kind == "notam"
    assert found.features[0].properties.radius_nm == 5
    assert (found.positions[0].lat, found.positions[0].lon) == (35.516666667, 35.783333333)
    assert notes(found)["notam-circle-used"] == {
        "centre": "35°31′00.0″N 035°47′00.0″E",
        "radius_nm": 5,
    }


def test_qualifier_line_with_seconds_is_read_too() -> None:
    """Some systems write seconds there."""
    found = parse_notam(notam(q="OSTT/QRTCA/IV/BO/W/000/250/352341N0355655E005"))
    assert found.positions[0].notation == "dms"
    assert found.positions[0].lat == pytest.approx(35.394722222)


def test_area_in_the_words_is_taken_before_the_circle() -> None:
    """The true area counts; the circle around it is told and not used."""
    found = parse_notam(notam(AREA))
    assert len(found.positions) == 3
    assert found.features[0].geometry.coordinates[0][0] == [35.948611111, 35.394722222]
    assert "notam-circle-not-used" in notes(found)


@pytest.mark.parametrize(
    "words",
    [
        "WITHIN 10NM RADIUS OF 353125N0354716E",
        "WI 10 NM RADIUS CENTRED ON 353125N 0354716E, 5000FT AMSL AND BELOW",
        "CIRCLE RADIUS 10NM CENTRE 353125N0354716E",
        "WI A CIRCLE OF 20NM DIAMETER CENTRED 353125N0354716E",
    ],
)
def test_radius_in_the_words_is_a_circle(words: str) -> None:
    """A radius, or half of a diameter, around the one position of the words."""
    found = parse_notam(notam(words))
    assert found.features[0].properties.radius_nm == 10
    assert found.features[0].geometry.coordinates == [35.787777778, 35.523611111]


def test_width_in_the_words_is_a_corridor() -> None:
    """Half of a width either side of the line."""
    found = parse_notam(notam("ALONG 352341N0355655E - 353000N0360000E 10NM WIDE"))
    assert found.features[0].properties.half_width_nm == 5


def test_arc_in_the_words_falls_back_to_the_circle() -> None:
    """An area with an arc is not read as its corners: that would be another area."""
    found = parse_notam(notam(AREA.replace(" - 352500N", " THENCE CLOCKWISE ARC TO 352500N")))
    assert {"arc-not-read", "notam-circle-used"} <= set(notes(found))


def test_position_that_is_only_mentioned_is_not_the_area() -> None:
    """One position without a radius is named in a note, and the circle is used."""
    found = parse_notam(notam("CRANE ERECTED AT 353125N0354716E"))
    assert {"positions-not-used", "notam-circle-used"} <= set(notes(found))


def test_times_and_band_stand_where_notices_have_them() -> None:
    """Items B, C, F and G become start, end, lower and upper, of the whole and of each shape."""
    found = parse_notam(notam(band="F) FL100 G) FL250"))
    assert (found.start, found.end) == ("2026-09-30T12:00:00Z", "2026-09-30T18:00:00Z")
    assert (found.lower, found.upper) == (
        AltitudeRead(100.0, "FL", "STD"),
        AltitudeRead(250.0, "FL", "STD"),
    )
    properties = found.features[0].properties
    assert (properties.start, properties.upper) == (found.start, found.upper)


@pytest.mark.parametrize(
    ("text", "edge"),
    [
        ("5000FT AMSL", AltitudeRead(5000.0, "ft", "MSL")),
        ("5,000 FT AMSL", AltitudeRead(5000.0, "ft", "MSL")),
        ("5000FT MSL", AltitudeRead(5000.0, "ft", "MSL")),
        ("1500FT AGL", AltitudeRead(1500.0, "ft", "AGL")),
        ("1500M AMSL", AltitudeRead(1500.0, "m", "MSL")),
        ("300M AGL", AltitudeRead(300.0, "m", "AGL")),
        ("FL95", AltitudeRead(95.0, "FL", "STD")),
        ("FL 250", AltitudeRead(250.0, "FL", "STD")),
    ],
)
def test_limit_keeps_its_unit_and_datum(text: str, edge: AltitudeRead) -> None:
    """A limit is taken as it was written; nothing is converted."""
    assert parse_notam(notam(band=f"F) GND G) {text}")).upper == edge


def test_surface_is_zero_above_ground_and_told() -> None:
    """SFC and GND are 0 ft AGL, and an officer is told so."""
    for word in ("SFC", "GND"):
        found = parse_notam(notam(band=f"F) {word} G) FL250"))
        assert found.lower == AltitudeRead(0.0, "ft", "AGL")
        assert notes(found)["surface-read-as-agl"] == {"item": "F", "text": word}


def test_limit_without_datum_or_end_is_left_open_and_told() -> None:
    """UNL has no height and feet without a datum have no place: neither is guessed."""
    found = parse_notam(notam(band="F) SFC G) UNL"))
    assert found.upper is None
    assert notes(found)["upper-unlimited"] == {"item": "G"}
    found = parse_notam(notam(band="F) SFC G) 5000FT"))
    assert found.upper is None
    assert notes(found)["datum-missing"] == {"item": "G", "text": "5000FT"}


def test_band_of_the_qualifier_line_is_used_where_there_is_no_other() -> None:
    """Without F and G the levels of Q are the band, 999 is no level, and both are told."""
    found = parse_notam(notam(band=""))
    assert (found.lower, found.upper) == (
        AltitudeRead(0.0, "FL", "STD"),
        AltitudeRead(250.0, "FL", "STD"),
    )
    found = parse_notam(notam(band="", q="OSTT/QRTCA/IV/BO/W/000/999/3531N03547E005"))
    assert found.upper is None
    assert {"upper-unlimited", "notam-band-from-qualifier"} <= set(notes(found))


def test_schedule_is_told_and_not_applied() -> None:
    """Item D says when within the time; a notice has no word for that."""
    found = parse_notam(notam(times="B) 2609301200 C) 2610301800 D) DAILY 1200-1500"))
    assert notes(found)["notam-schedule"] == {"text": "DAILY 1200-1500"}


def test_words_with_letters_and_brackets_are_not_items() -> None:
    """What looks like an item inside item E is words."""
    found = parse_notam(notam("TWO AREAS: A) NORTH B) SOUTH C) 352341N0355655E"))
    assert found.start == "2026-09-30T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        (notam(times="B) 2609301200 C) PERM"), "notam-permanent", "item C"),
        (notam(times="B) 2609301200 C) 2609301800EST"), "notam-estimated", "item C"),
        (notam(times="B) WIE C) 2609301800"), "notam-immediate", "item B"),
        (notam(times="B) 2613301200 C) 2609301800"), "notam-time", "item B"),
        (notam(times="B) 26093012 C) 2609301800"), "notam-time", "item B"),
        (notam(times="B) 2609301800 C) 2609301200"), "notam-time", "item C"),
        (notam(band="F) UNL G) FL250"), "notam-limit", "item F"),
        (notam(band="F) HIGH G) FL250"), "notam-limit", "item F"),
        (notam(band="F) SFC"), "notam-limit", "item G"),
        (notam(q="OSTT/QRTCA/IV/BO/W/000/250"), "notam-qualifier", "item Q"),
        (notam(q="OSTT/QRTCA/IV/BO/W/0/250/3531N03547E005"), "notam-qualifier", "item Q"),
        (notam(q="OSTT/QRTCA/IV/BO/W/000/250/3531N3547E005"), "notam-qualifier", "item Q"),
        (notam(q="OSTT/QRTCA/IV/BO/W/000/250/3561N03547E005"), "coordinate-range", "item Q"),
        (notam(q="OSTT/QRTCA/IV/BO/W/000/250/3531N03547E999"), "notam-region", "item Q"),
        (notam(q="OSTT/QRTCA/IV/BO/W/000/250/3531N03547E000"), "notam-radius", "item Q"),
        (notam() + "\n" + notam(), "notam-many", "item Q"),
        (notam(AREA.replace("352500N", "356100N")), "coordinate-range", "item E, line 1, column 1"),
    ],
)
def test_item_that_cannot_be_a_notice_is_refused(text: str, code: str, field: str) -> None:
    """The error names the item; a permanent or estimated end is no end."""
    error = refused(text)
    assert (error.code, error.field) == (code, field), str(error)


def test_text_is_a_notam_by_its_qualifier_line() -> None:
    """Coordinates with a Q in them are not taken for one."""
    assert is_notam(notam())
    assert is_notam(notam().lower())
    assert not is_notam("353125N 0354716E 5NM")


@pytest.mark.parametrize("size", ["2,5NM", ".5NM", "1" * 10 + "NM"])
def test_radius_that_begins_inside_another_number_is_not_read(size: str) -> None:
    """Of 2,5NM the part after the comma is no radius: the qualifier line's circle is taken, and it is told."""
    found = parse_notam(notam(f"353125N0354716E RADIUS {size}"))
    assert found.features[0].properties.radius_nm == 5
    assert "notam-circle-used" in notes(found)


@pytest.mark.parametrize(
    "words",
    [
        "3531N03547E RADIUS " + "1" * 200_000,
        "353125N0354716E 353125N0354816E " + "1" * 200_000 + " NM",
    ],
)
def test_words_that_are_one_long_number_cost_no_more_than_their_length(words: str) -> None:
    """A page of digits is read once: a node that took its square of steps would answer nobody for minutes."""
    assert "notam-circle-used" in notes(parse_notam(notam(words)))


def test_words_with_too_many_areas_are_refused() -> None:
    """No more shapes than an officer can look through, and the words are searched for a size once, not for each."""
    area = "352341N0355655E 352500N0355700E 353000N0360000E X "
    error = refused(notam(area * (READ_FEATURES + 1)))
    assert (error.code, error.field) == ("notam-too-many", "item E")

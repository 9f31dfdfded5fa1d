"""Words against geometry, on a coast that does not exist."""

from __future__ import annotations

import pytest

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Circle
from detente.airspace.volume import build_volume
from detente.limits import WORDS_QUESTIONS
from detente.notice.activity import ActivityNotice, build_notice
from detente.notice.gazetteer import Gazetteer, Place, split_words
from detente.notice.words import PlaceQuestion, ask_words
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_NM, parse_time


def at(lon: float, lat: float) -> tuple[int, int]:
    """A position."""
    return round(lon * NANODEG_PER_DEG), round(lat * NANODEG_PER_DEG)


# A country that fills six degrees by five of ocean, and three towns of it.
VARDA = Place("Varda", at(-33, 12.5), (*at(-36, 10), *at(-30, 15)))
PORT = Place("Port Arven", at(-35.8, 13.0))
INLAND = Place("Selim", at(-33.0, 12.4))
BOOK = Gazetteer(
    [
        (VARDA, ["Varda", "Варда", "ורדה", "فاردا"]),
        (PORT, ["Port Arven", "Arven", "Арвена", "ארוונה", "الأرفن"]),
        (INLAND, ["Selim", "Селим", "סלים", "سليم"]),
        (Place("Selim", at(40, 50)), ["Selim"]),
        (Place("South Varda", at(-33, 9), (*at(-34, 8), *at(-32, 10))), ["South Varda"]),
    ]
)
WEST_COAST = at(-35.8, 13.2)


def notice(
    center: tuple[int, int], region: str | None, text: str | None = None, radius_nm: int = 5
) -> ActivityNotice:
    """A circle called by some words."""
    piece = build_volume(
        Circle(center, radius_nm * TENTH_MM_PER_NM),
        "planar",
        build_altitude(0, "ft", "MSL", field="lower"),
        build_altitude(20_000 * TENTH_MM_PER_FT, "ft", "MSL", field="upper"),
        parse_time("2031-05-04T18:40:00Z"),
        parse_time("2031-05-04T19:10:00Z"),
        field="pieces[0]",
    )
    return build_notice(
        name="W-1",
        exercise=True,
        activity="strike-hazard",
        pieces=(piece,),
        region=region,
        text=text,
    )


def ask(
    center: tuple[int, int], region: str | None, text: str | None = None
) -> list[PlaceQuestion]:
    """The questions about a circle there."""
    return ask_words(notice(center, region, text), BOOK)


@pytest.mark.parametrize(
    "region",
    [
        "north Varda",
        "northern Varda",
        "the north of Varda",
        "facilities in the northern part of Varda",
        "север Варды",
        "в северной части Варды",
        "צפון ורדה",
        "בצפון ורדה",
        "ורדה הצפונית",
        "شمال فاردا",
        "فاردا الشمالية",
        "في شمالي فاردا",
    ],
)
def test_north_said_of_a_volume_on_the_west_coast_is_asked_about(region: str) -> None:
    """H-HOM-1: in each of four languages "north" said while the volume lies on the west coast raises the question that was not asked in 2018."""
    (question,) = ask(WEST_COAST, region)
    assert (question.code, question.said, question.place) == ("elsewhere", "north", "Varda")
    assert (question.lies, question.field) == ("west", "region")
    assert question.distance_nm == pytest.approx(169, abs=3)
    assert question.bearing_deg == pytest.approx(285, abs=3)


@pytest.mark.parametrize(
    "region",
    [
        "western Varda",
        "north-western Varda",
        "Arven coast",
        "the coast of Port Arven",
        "north of Arven",
        "побережье Арвены",
        "севернее Арвены",
        "חוף ארוונה",
        "מצפון לארוונה",
        "ساحل الأرفن",
        "شمال الأرفن",
        "Varda",
        "ורדה",
        "somewhere",
        None,
    ],
)
def test_words_that_fit_the_volume_raise_no_question(region: str | None) -> None:
    """An officer who says it rightly is not asked."""
    assert ask(WEST_COAST, region) == []


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("east of Arven", "east"),
        ("15 NM south-west of Arven", "south-west"),
        ("southwest of Arven", "south-west"),
        ("к востоку от Арвены", "east"),
        ("юго-восточнее Арвены", "south-east"),
        ("ממזרח לארוונה", "east"),
        ("דרום מזרח ארוונה", "south-east"),
        ("شرق الأرفن", "east"),
        ("إلى الجنوب الشرقي من الأرفن", "south-east"),
    ],
)
def test_direction_from_a_town_is_compared_with_the_bearing(region: str, said: str) -> None:
    """A direction from a town is the bearing from it, in each language and for all eight words of the compass."""
    (question,) = ask(at(-35.8, 13.3), region)
    assert (question.code, question.said, question.place) == ("elsewhere", said, "Port Arven")
    assert (question.lies, question.bearing_deg) == ("north", 0)
    assert question.distance_nm == pytest.approx(18, abs=0.2)


@pytest.mark.parametrize("region", ["Selim", "Селим", "סלים", "سليم", "over Selim and Varda"])
def test_place_far_from_the_volume_is_asked_about(region: str) -> None:
    """A volume that is called by a town a hundred miles off is asked about, even where no direction was said."""
    (question,) = ask(WEST_COAST, region)
    assert (question.code, question.said, question.place) == ("far", None, "Selim")
    assert question.lies == "west"


def test_country_far_from_the_volume_is_asked_about() -> None:
    """A country's name is wrong once the volume lies well outside it."""
    (question,) = ask(at(-20, 12.5), "Varda")
    assert (question.code, question.place, question.lies) == ("far", "Varda", "east")
    assert ask(at(-29.5, 12.5), "Varda") == []


def test_place_inside_the_volume_has_no_direction() -> None:
    """A town under the volume is in every direction of it."""
    assert ask(at(-33.0, 12.45), "south of Selim") == []


def test_namesake_farther_off_is_not_what_is_meant() -> None:
    """Of two towns of one name the near one is meant."""
    assert ask(at(-33.0, 12.8), "north of Selim") == []


def test_name_that_begins_with_a_word_of_the_compass_is_a_name() -> None:
    """A country called South something is no direction."""
    assert ask(at(-33, 9), "South Varda") == []


@pytest.mark.parametrize("region", ["north of selim road", "the arven of it", "eastern training"])
def test_word_without_a_capital_is_no_name(region: str) -> None:
    """A common word that some town also has for its name raises no question."""
    assert ask(WEST_COAST, region) == []


def test_free_text_is_read_for_directions_only() -> None:
    """In the text a direction is compared; a town that is only mentioned says nothing of the place."""
    (question,) = ask(WEST_COAST, None, "In the next minutes: facilities in north Varda.")
    assert (question.field, question.code) == ("text", "elsewhere")
    assert ask(WEST_COAST, None, "Coordinated with the tower at Selim.") == []


def test_questions_are_few_and_each_is_asked_once() -> None:
    """A text full of places is asked about a few times, and the same is not asked twice."""
    assert len(ask(WEST_COAST, "north Varda, north Varda")) == 1
    words = ", ".join(
        f"{d} of Selim" for d in ("North", "North-east", "East", "South-east", "South")
    )
    many = ask(WEST_COAST, None, f"{words}; {words.lower().replace('selim', 'Arven')}; " * 3)
    assert 3 < len(many) <= WORDS_QUESTIONS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Port-Arven", ["port", "arven"]),
        ("Ḩamāh", ["hamah"]),
        ("Dar‘ā", ["dara"]),
        ("الأَرْفَن", ["الارفن"]),
        ("", []),
    ],
)
def test_words_are_read_in_one_spelling(text: str, words: list[str]) -> None:
    """Accents, vowel signs, apostrophes and hyphens do not hide a name."""
    assert split_words(text) == words

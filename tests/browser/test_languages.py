"""Four languages: the page turns round for two of them, and figures never do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

WORDS = Path(__file__).parents[2] / "console" / "src" / "i18n"
DIRECTIONS = {"en": "ltr", "ru": "ltr", "he": "rtl", "ar": "rtl"}
VIEWS = (
    "notices",
    "conflicts",
    "alarms",
    "talk",
    "file",
    "ask",
    "desks",
    "lines",
    "settings",
    "help",
)


def words(language: str, room: str = "frame") -> Any:
    """A language's words of a room."""
    return json.loads((WORDS / language / f"{room}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def play(trio: Any, kit: Any) -> Any:
    """A notice of each side, and their conflict."""
    trio.file(trio.north, kit.feature("WORDS", 15.0, 40.0, region="south of Cyprus"))
    trio.file(trio.south, kit.feature("WORDS", 15.0, 40.0))
    return trio


@pytest.mark.parametrize("language", DIRECTIONS)
def test_language_chosen_turns_every_view_and_leaves_no_key(
    play: Any, officer: Any, language: str
) -> None:
    """In each language every view stands in its direction, in its words, and shows no key in place of a word."""
    console = officer(play.north)
    page = console.enter()
    page.get_by_role("combobox", name="Language").select_option(language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", DIRECTIONS[language])
    rail = page.get_by_role("navigation").first
    rooms = "|".join(path.stem for path in (WORDS / "en").glob("*.json"))
    for view in VIEWS:
        console.go(view)
        expect(rail).to_contain_text(words(language)[f"view-{view}"])
        page.wait_for_timeout(150)
        text = page.locator("body").inner_text()
        assert re.findall(rf"\b(?:{rooms})\.[a-z][a-z-]+\b", text) == [], view
        assert re.findall(r"\{\w+\}", text) == [], f"{view} has a gap that nothing filled"
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", language)  # kept in this browser


@pytest.mark.parametrize("language", ["he", "ar"])
def test_figures_stay_left_to_right_in_a_page_that_is_not(
    play: Any, officer: Any, language: str
) -> None:
    """Positions, times, levels and ids read left to right, and the rail stands on the right."""
    console = officer(play.north)
    page = console.enter("notices/south%3AWORDS")
    page.get_by_role("combobox", name="Language").select_option(language)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("aside")).to_contain_text("N 0")
    turned = page.evaluate(
        "[...document.querySelectorAll('.figures, time')].filter(e => e.offsetParent && e.innerText.trim())"
        ".map(e => [getComputedStyle(e).direction, getComputedStyle(e).unicodeBidi, e.innerText])"
    )
    assert len(turned) > 5
    wrong = [one for one in turned if one[0] != "ltr" and "isolate" not in one[1]]
    assert wrong == []
    rail = page.locator(".rail").bounding_box()
    assert rail["x"] > 1366 / 2
    # numbers are Western digits, as on the air
    assert not re.search("[٠-٩۰-۹]", page.locator("body").inner_text())

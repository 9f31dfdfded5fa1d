"""docs/spec/hotline.md, sections 6 and 7, agrees with the code: slots, limits, rules that tests name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detente.hotline.phrasebook import SLOT_TYPES
from detente.notice import words
from detente.protocol.clearance import THIRD_PARTY

ROOT = Path(__file__).parents[3]
SPEC = (ROOT / "docs" / "spec" / "hotline.md").read_text("utf-8")
TALK = SPEC.partition("## 6. Conversation")[2]


def test_talk_slots_on_the_page_are_those_of_the_code() -> None:
    """Every type of slot is on the page, and no other."""
    table = TALK.partition("| slot | value |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE) == list(SLOT_TYPES)


def test_home_limits_on_the_page_are_those_of_the_code() -> None:
    """H-HOM-1 and H-HOM-2 name the very limits that questions and prompts go by."""
    rule = " ".join(TALK.split())
    assert f"more than {words.SAID_WITHIN_DEG}° from the direction" in rule
    assert f"more than {words.BESIDE_NM} NM from a town" in rule
    assert f"{words.TOWARDS_NM} NM from one with a direction" in rule
    assert f"{words.COUNTRY_NM} NM outside a country" in rule
    for activity in THIRD_PARTY:
        assert f"`{activity}`" in rule


@pytest.mark.parametrize("rule", sorted(set(re.findall(r"\*\*(H-(?:TAL|HOM)-\d+)\*\*", SPEC))))
def test_talk_rule_is_quoted_by_a_test(rule: str) -> None:
    """A rule of conversation without a test that names it is found."""
    tests = [
        path
        for folder in ("unit", "sim", "e2e")
        for path in (ROOT / "tests" / folder).rglob("*.py")
        if path != Path(__file__)
    ]
    assert any(re.search(rf"\b{rule}\b", path.read_text("utf-8")) for path in tests), rule

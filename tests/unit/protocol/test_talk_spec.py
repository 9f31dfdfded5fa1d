"""docs/spec/hotline.md, sections 6 and 7, agrees with the code: tables, slots, rules that tests name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detente.hotline.phrasebook import SLOT_TYPES
from detente.hotline.talk import ANSWER_MOVES, ANSWERS, CALL_MOVES
from detente.notice import words
from detente.protocol.clearance import THIRD_PARTY

ROOT = Path(__file__).parents[3]
SPEC = (ROOT / "docs" / "spec" / "hotline.md").read_text("utf-8")
TALK = SPEC.partition("## 6. Conversation")[2]


def drawn(moves: dict[tuple[str, str], str], states: list[str], said: tuple[str, ...]) -> str:
    """A table of moves as the page shows it."""
    lines = [
        f"| from \\ said | {' | '.join(f'`{one}`' for one in said)} |",
        "|---" * (len(said) + 1) + "|",
    ]
    for state in states:
        cells = [f"`{after}`" if (after := moves.get((state, one))) else "–" for one in said]
        lines.append(f"| `{state}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_talk_table_of_answers_is_drawn_from_the_code() -> None:
    """The table of answers on the page is the one that nodes go by."""
    moves = {(str(state), str(said)): str(after) for (state, said), after in ANSWER_MOVES.items()}
    table = drawn(
        moves, ["asked", "standby", "affirm", "negative", "wilco", "unable"], tuple(ANSWERS)
    )
    assert table in TALK, "the page must have this table:\n" + table


def test_talk_table_of_calls_is_drawn_from_the_code() -> None:
    """The table of call records on the page is the one that nodes go by."""
    moves = {
        (str(state), "agrees" if agrees else "disputes"): str(after)
        for (state, agrees), after in CALL_MOVES.items()
    }
    table = drawn(moves, ["claimed", "disputed", "agreed"], ("agrees", "disputes"))
    assert table in TALK, "the page must have this table:\n" + table


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

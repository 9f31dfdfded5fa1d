"""docs/spec/hotline.md, sections 2 and 3, against the code: the numbers, and every rule quoted."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

import pytest

from detente.agreement.terms import OWED_RUNGS, Terms
from detente.limits import UNITS_PER_NOTICE
from detente.notice.ladder import (
    ACTIONS,
    RUNG_MOVES,
    RUNGS,
    RungState,
)

ROOT = Path(__file__).parents[3]
SPEC = (ROOT / "docs" / "spec" / "hotline.md").read_text("utf-8")
LADDER = SPEC.partition("## 2.")[2].partition("## 4.")[0]


def test_ladder_moves_commute() -> None:
    """Said and passed leave one state in either order, as the page promises."""
    for order in permutations(("said", "passed")):
        state: RungState = "due"
        for move in order:
            state = RUNG_MOVES.get((state, move), state)  # type: ignore[arg-type]
        assert state == "late"


def test_ladder_page_names_rungs_actions_and_defaults() -> None:
    """Words and numbers on the page are those of the code."""
    terms = Terms()
    assert re.search(r"Five rungs .*?: (.*?)\. A rung", LADDER)[1] == (  # type: ignore[index]
        "**delivered**, **opened**, **read back**, **disseminated**, **acted on**"
    )
    assert len(RUNGS) == 5
    assert set(OWED_RUNGS) == set(terms.receipt_deadlines_s) < set(RUNGS)
    assert ", ".join(f"`{one}`" for one in ACTIONS) in LADDER
    assert "default 300, 900 and 1,800 s" in LADDER
    assert [terms.receipt_deadlines_s[one] for one in OWED_RUNGS] == [300, 900, 1800]
    assert f"default {terms.read_back.place_m:,} m" in LADDER
    assert f"default {terms.read_back.time_s} s" in LADDER
    assert f"1 to {UNITS_PER_NOTICE} `" in LADDER


@pytest.mark.parametrize("rule", sorted(set(re.findall(r"\*\*(H-(?:LAD|DUE)-\d+)\*\*", SPEC))))
def test_rule_of_ladder_and_deadlines_is_quoted_by_a_test(rule: str) -> None:
    """A rule without a test that names it is found."""
    here = [p for f in ("unit", "sim", "e2e") for p in (ROOT / "tests" / f).rglob("test_*.py")]
    assert any(re.search(rf"\b{rule}\b", path.read_text("utf-8")) for path in here), rule

"""The tables of states in the specification are those that nodes go by."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from detente.agreement.terms import Terms
from detente.hotline.cease import CeaseMove, CeaseStatus, EmergencyMove, EmergencyStatus
from detente.hotline.health import DeclaredState, Observed, Saying, Word
from detente.hotline.resolution import ProposalMove, ProposalState
from detente.hotline.talk import CallState, MessageState, Said
from detente.notice.ladder import RungMove, RungState

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    """The script that draws them."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "scripts" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAWN = load()
PAGES = {name: (ROOT / name).read_text("utf-8") for name in DRAWN.PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_page_has_the_tables_that_the_code_draws(name: str) -> None:
    """No table of states on a page differs from the code by one letter."""
    assert DRAWN.redraw(PAGES[name]) == PAGES[name], "run: .venv/bin/python scripts/tables.py"


def test_every_table_of_the_code_stands_on_a_page() -> None:
    """A table that is drawn is marked on exactly one page, and nothing else is marked."""
    begun = [line for page in PAGES.values() for line in page.splitlines() if ":begin -->" in line]
    assert sorted(begun) == sorted(f"<!-- {name}:begin -->" for name in DRAWN.tables())


@pytest.mark.parametrize(
    ("name", "states", "said"),
    [
        ("ladder", RungState, RungMove),
        ("cease", CeaseStatus, CeaseMove),
        ("emergency", EmergencyStatus, EmergencyMove),
        ("line", DeclaredState, Saying),
        ("line-words", Observed, DeclaredState),
        ("answer", MessageState, Said),
        ("proposal", ProposalState, ProposalMove),
    ],
)
def test_table_has_every_state_and_every_word(name: str, states: object, said: object) -> None:
    """A state or a word that the code knows and the table leaves out is found."""
    head, _, *rows = DRAWN.tables()[name].splitlines()
    assert {row.split("`")[1] for row in rows} == set(get_args(states))
    assert set(head.split("`")[1::2]) == set(get_args(said))


def test_table_of_calls_and_of_words_leaves_nothing_out() -> None:
    """The states of a call record, and the six words for a line, are all there."""
    drawn = DRAWN.tables()
    assert {row.split("`")[1] for row in drawn["call"].splitlines()[2:]} == set(get_args(CallState))
    assert set(drawn["line-words"].split("`")[1::2]) >= set(get_args(Word))


def test_redraw_changes_what_differs_and_refuses_unknown_marks() -> None:
    """A cell changed by hand is put right; a mark of no table, or one that is not closed, is refused."""
    page = f"a\n<!-- line:begin -->\n{DRAWN.tables()['line'].replace('open', 'shut')}\n<!-- line:end -->\nb\n"
    drawn = DRAWN.redraw(page)
    assert drawn != page
    assert DRAWN.redraw(drawn) == drawn
    assert drawn.startswith("a\n<!-- line:begin -->\n")
    assert drawn.endswith("\n<!-- line:end -->\nb\n")
    for wrong in ("<!-- lines:begin -->\n\n<!-- lines:end -->", "<!-- line:begin -->\n"):
        with pytest.raises(ValueError, match="mark is"):
            DRAWN.redraw(wrong)


def test_steps_up_on_the_page_are_the_defaults() -> None:
    """The seconds and desks that the page names are those of an agreement that says nothing."""
    page, terms = PAGES["docs/spec/hotline.md"], Terms()
    assert f"default {', '.join(str(one) for one in terms.escalation_s)} s after" in page
    assert f"default {terms.check_reply_s} s after the slot" in page

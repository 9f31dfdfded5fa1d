"""The table of rungs."""

from __future__ import annotations

from typing import get_args

import pytest

from detente.notice.ladder import (
    ACTIONS,
    RUNG_MOVES,
    RUNG_STATES,
    RUNGS,
    Action,
    Rung,
    RungState,
    climb,
)


@pytest.mark.parametrize(
    ("moves", "state"),
    [
        ({}, "due"),
        ({"said": True}, "done"),
        ({"passed": True}, "missing"),
        ({"said": True, "passed": True}, "late"),
        ({"refused": True}, "refused"),
        ({"refused": True, "passed": True}, "refused"),
    ],
)
def test_climb_by_what_happened_gives_the_state(moves: dict[str, bool], state: str) -> None:
    """Five states from three moves; a refused notice owes nothing."""
    assert climb(**moves) == state


def test_ladder_names_are_those_of_its_types() -> None:
    """Tuples and literals are the same names, and every state of the table is one."""
    assert get_args(Rung) == RUNGS
    assert get_args(Action) == ACTIONS
    assert get_args(RungState) == RUNG_STATES
    assert {state for state, _ in RUNG_MOVES} | set(RUNG_MOVES.values()) == set(RUNG_STATES)

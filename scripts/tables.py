"""Draws the tables of states into the specification from the code that nodes go by.

    .venv/bin/python scripts/tables.py            rewrites them
    .venv/bin/python scripts/tables.py --check    exit code 1 if a page differs

A page marks where a table stands with `<!-- NAME:begin -->` and `<!-- NAME:end -->`; nothing between the two is
written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detente.hotline.cease import CEASE_MOVES, EMERGENCY_MOVES
from detente.hotline.health import LINE_MOVES, word_for
from detente.hotline.resolution import PROPOSAL_MOVES, PROPOSAL_STATES
from detente.hotline.talk import ANSWER_MOVES, CALL_MOVES
from detente.notice.ladder import RUNG_MOVES, RUNG_MOVES_IN_ORDER, RUNG_STATES
from detente.simulation.faults import WORDS
from detente.simulation.lies import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("docs/spec/advice.md", "docs/spec/hotline.md", "docs/guide/simulation.md")


def draw(
    moves: Mapping[tuple[Any, Any], Any],
    *,
    states: Sequence[str] = (),
    said: Sequence[str] = (),
    corner: str = "from \\ said",
) -> str:
    """A table of moves as a page shows it: a row for each state, a column for what is said.

    Args:
        states, said: in which order; that of the table where nothing is given.
    """
    rows = states or list(dict.fromkeys([*(state for state, _ in moves), *moves.values()]))
    columns = said or list(dict.fromkeys(move for _, move in moves))
    lines = [
        f"| {corner} | {' | '.join(f'`{one}`' for one in columns)} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for state in rows:
        cells = [f"`{after}`" if (after := moves.get((state, one))) else "–" for one in columns]
        lines.append(f"| `{state}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of rows as a page shows it."""
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def tables() -> dict[str, str]:
    """Every table that is drawn, by the name in its marks."""
    calls = {
        (state, "agrees" if agrees else "disputes"): after
        for (state, agrees), after in CALL_MOVES.items()
    }
    observed, declared = ("open", "silent"), ("open", "suspended", "fault")
    words = {(one, other): word_for(one, other) for one in observed for other in declared}  # type: ignore[arg-type]
    return {
        "ladder": draw(
            RUNG_MOVES, states=RUNG_STATES, said=RUNG_MOVES_IN_ORDER, corner="from \\ move"
        ),
        "cease": draw(CEASE_MOVES),
        "emergency": draw(EMERGENCY_MOVES),
        "line": draw(LINE_MOVES),
        "line-words": draw(words, states=observed, said=declared, corner="observed \\ declared"),
        "answer": draw(
            ANSWER_MOVES, states=("asked", "standby", "affirm", "negative", "wilco", "unable")
        ),
        "proposal": draw(PROPOSAL_MOVES, states=PROPOSAL_STATES),
        "faults": draw_rows(
            ("fault", "what happens"),
            [(f"`{name}`", what) for name, what in WORDS.items()],
        ),
        "lies": draw_rows(
            ("dishonesty", "the liar", "caught by", "rule", "evidence"),
            [
                (
                    f"`{lie.name}`",
                    lie.what,
                    lie.where,
                    lie.rule,
                    f"`{lie.evidence}`" if lie.evidence else "none",
                )
                for lie in CATALOGUE
            ],
        ),
        "call": draw(calls, states=("claimed", "disputed", "agreed")),
    }


def redraw(page: str) -> str:
    """A page with each of its marked tables as the code has it.

    Raises:
        ValueError: a mark opens a table that the code does not have, or is not closed.
    """
    known, text, rest = tables(), "", page
    while ":begin -->" in rest:
        before, _, after = rest.partition(":begin -->\n")
        name = before.rpartition("<!-- ")[2]
        end = f"\n<!-- {name}:end -->"
        if name not in known or end not in after:
            raise ValueError(f"mark is {name!r}; it must be of a known table, and closed")
        text += f"{before}:begin -->\n{known[name]}{end}"
        rest = after.partition(end)[2]
    return text + rest


def main() -> int:
    """Rewrite the pages, or say which of them differ."""
    differ = []
    for name in PAGES:
        path = ROOT / name
        page = path.read_text("utf-8")
        drawn = redraw(page)
        if drawn != page:
            differ.append(name)
            if "--check" not in sys.argv:
                path.write_text(drawn, "utf-8")
    for name in differ:
        print(f"{name}: {'differs from the code' if '--check' in sys.argv else 'rewritten'}")
    return 1 if differ and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())

"""docs/spec/hotline.md and the code agree: types, tables, rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detente.hotline.cease import CEASE_MOVES, EMERGENCY_MOVES
from detente.hotline.health import LINE_MOVES
from detente.protocol.rules import TYPES

ROOT = Path(__file__).parents[3]
SPEC = (ROOT / "docs" / "spec" / "hotline.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| `([a-z/-]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| (yes|no) \|$",
    SPEC,
    re.MULTILINE,
)


def drawn(moves: dict[tuple[str, str], str]) -> str:
    """A table of moves as the page shows it: a row for each state, a column for what is said."""
    states = list(dict.fromkeys([*(state for state, _ in moves), *moves.values()]))
    said = list(dict.fromkeys(move for _, move in moves))
    lines = [
        f"| from \\ said | {' | '.join(f'`{one}`' for one in said)} |",
        "|---" * (len(said) + 1) + "|",
    ]
    for state in states:
        cells = [f"`{after}`" if (after := moves.get((state, one))) else "–" for one in said]
        lines.append(f"| `{state}` | {' | '.join(cells)} |")
    return "\n".join(lines)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_hotline_type_is_as_its_row_says(row: tuple[str, ...]) -> None:
    """Code, chain, threads, fields and receipt of each type are those of the page."""
    name, code, chain, thread, fields, receipt = row
    type_ = TYPES[name]
    named = [field.strip() for field in re.split(r",| or | and ", fields)]
    assert type_.code == code
    assert chain.strip() == (type_.chain or "that of the statement")
    assert {f for f in named if not f.endswith("?")} - {"text", "phrase", "slots"} == set(
        type_.required
    ) - {"text"}
    assert (receipt == "yes") is type_.receipt
    kinds = set(re.findall(r"\b(notice|conflict|cease|line|talk|none)\b", thread))
    if kinds and "as the" not in thread:
        assert ("none" in kinds) is (type_.thread != "must")
        assert kinds - {"none"} == (set() if type_.thread == "never" else set(type_.kinds))


@pytest.mark.parametrize("moves", [CEASE_MOVES, EMERGENCY_MOVES, LINE_MOVES])
def test_hotline_table_of_moves_is_drawn_from_the_code(moves: dict[tuple[str, str], str]) -> None:
    """The tables of states on the page are those that the nodes go by."""
    assert drawn(moves) in SPEC, "the page must have this table:\n" + drawn(moves)


@pytest.mark.parametrize("rule", sorted(set(re.findall(r"\*\*(H-(?:CEA|LIN)-\d+)\*\*", SPEC))))
def test_hotline_rule_is_quoted_by_a_test(rule: str) -> None:
    """A rule without a test that names it is found."""
    here = [
        path
        for folder in ("unit", "sim", "e2e")
        for path in (ROOT / "tests" / folder).rglob("*.py")
    ]
    assert any(re.search(rf"\b{rule}\b", path.read_text("utf-8")) for path in here), rule

"""docs/spec/hotline.md and the code agree: types and rules; its tables are in tests/meta."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detente.protocol.rules import TYPES

ROOT = Path(__file__).parents[3]
SPEC = (ROOT / "docs" / "spec" / "hotline.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| `([a-z/-]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| (yes|no) \|$",
    SPEC,
    re.MULTILINE,
)


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


@pytest.mark.parametrize("rule", sorted(set(re.findall(r"\*\*(H-(?:CEA|LIN)-\d+)\*\*", SPEC))))
def test_hotline_rule_is_quoted_by_a_test(rule: str) -> None:
    """A rule without a test that names it is found."""
    here = [
        path
        for folder in ("unit", "sim", "e2e")
        for path in (ROOT / "tests" / folder).rglob("*.py")
    ]
    assert any(re.search(rf"\b{rule}\b", path.read_text("utf-8")) for path in here), rule

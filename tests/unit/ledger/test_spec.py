"""Every rule of the specification is quoted by a test, or is plainly the caller's duty."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
SPEC = HERE.parents[2] / "docs" / "spec" / "ledger.md"


def test_spec_every_rule_is_quoted_by_a_test() -> None:
    """A rule without a test, and a test that quotes a rule that is gone, are both found."""
    text = SPEC.read_text(encoding="utf-8")
    rules = set(re.findall(r"\*\*(L-[A-Z0-9]+-\d+)\*\* (?!\(caller\))", text))
    known = set(re.findall(r"\*\*(L-[A-Z0-9]+-\d+)\*\*", text))
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.parents[1].rglob("test_*.py"))
    quoted = set(re.findall(r"\bL-[A-Z0-9]+-\d+", tests))
    assert rules - quoted == set()
    assert quoted - known == set()

"""docs/spec/link.md and bundle.md against the code: tables, limits, members, and every rule quoted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from detente.limits import BUNDLE_BYTES, FRAME_BYTES, FRAME_STATEMENTS
from detente.protocol.bundle import LEGAL_NOTE
from detente.protocol.core import SIGNED_AT_ONCE
from detente.protocol.link import COMPARISONS, FRAME_TAG, LINK_MOVES, OFFER_US, LinkState, _Wire

ROOT = Path(__file__).parents[3]
LINK = (ROOT / "docs" / "spec" / "link.md").read_text("utf-8")
BUNDLE = (ROOT / "docs" / "spec" / "bundle.md").read_text("utf-8")
TESTS = "".join(
    path.read_text("utf-8")
    for folder in ("tests/unit/protocol", "tests/unit/node", "tests/sim", "tests/e2e")
    for path in sorted((ROOT / folder).glob("test_*.py"))
)


def test_spec_states_table_is_the_one_in_force() -> None:
    """The table of states in link.md is drawn from LINK_MOVES, cell by cell."""
    head = "| from \\ shown | " + " | ".join(f"`{one}`" for one in COMPARISONS) + " |"
    rows = [head, "|" + "---|" * (len(COMPARISONS) + 1)]
    for state in get_args(LinkState):
        cells = []
        for comparison in COMPARISONS:
            after = LINK_MOVES.get((state, comparison), state)
            cells.append("–" if after == state else f"`{after}`")
        rows.append(f"| `{state}` | " + " | ".join(cells) + " |")
    written = LINK.partition("<!-- states:begin -->\n")[2].partition("\n<!-- states:end -->")[0]
    assert written.split("\n") == rows


def test_spec_comparisons_are_listed_gravest_first() -> None:
    """The comparison table of link.md has the order that counts."""
    table = LINK.partition("| comparison | when |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == list(COMPARISONS)


def test_spec_frame_members_are_those_of_the_wire() -> None:
    """The member table of link.md and the parser name the same members."""
    table = LINK.partition("| member | value |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \|", table, re.MULTILINE)
    named = sorted(name for cell in cells for name in re.findall(r"`([a-z]+)`", cell))
    fields = sorted(field.encode_name for field in msgspec.structs.fields(_Wire))
    assert named == fields


def test_spec_numbers_are_the_limits_in_force() -> None:
    """The numbers in the text are those of the code."""
    assert f"over {FRAME_BYTES // 2**20} MiB" in LINK
    assert f"more than {FRAME_STATEMENTS} `messages`" in LINK
    assert f"signed {SIGNED_AT_ONCE} at a time" in LINK
    assert OFFER_US == 2_000_000
    assert "under way for two seconds" in LINK
    assert FRAME_TAG.decode().rstrip("\n") in LINK
    assert f"At most {BUNDLE_BYTES // 2**20} MiB" in BUNDLE


def test_spec_bundle_quotes_the_legal_note() -> None:
    """The sentence on every export is the sentence of the specification."""
    assert LEGAL_NOTE in " ".join(BUNDLE.split())


@pytest.mark.parametrize(
    "rule", sorted(set(re.findall(r"\*\*([FB]-[A-Z]+-\d+)\*\*", LINK + BUNDLE)))
)
def test_spec_rule_of_link_and_bundle_is_quoted_by_a_test(rule: str) -> None:
    """A rule without a test that names it is found."""
    assert re.search(rf"\b{rule}\b", TESTS), rule


def test_spec_rules_that_tests_quote_exist() -> None:
    """A test that quotes a rule that is gone is found."""
    assert set(re.findall(r"\b[FB]-[A-Z]+-\d+", TESTS)) <= set(
        re.findall(r"\b[FB]-[A-Z]+-\d+", LINK + BUNDLE)
    )

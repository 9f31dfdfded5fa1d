"""docs/spec/statement.md against the code: the worked example, the type table, and every rule quoted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from detente.notice.activity import parse_activity_body
from detente.protocol.rules import TYPES
from detente.protocol.statement import (
    body_digest,
    body_values,
    check_openings,
    commit_field,
    parse_message,
    parse_statement,
    statement_id,
)
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import parse_envelope, verify_envelope
from detente.signing.key import parse_public_keys

ROOT = Path(__file__).parents[3]
SPEC = (ROOT / "docs" / "spec" / "statement.md").read_text("utf-8")
VECTOR: dict[str, Any] = json.loads(
    (ROOT / "tests" / "vectors" / "statement.json").read_text("utf-8")
)
EXAMPLE = SPEC.partition("<!-- example:begin -->")[2].partition("<!-- example:end -->")[0]


def blocks() -> list[bytes]:
    """The indented blocks of the example, each as the one line it was."""
    found = re.findall(r"(?:^    .*\n)+", EXAMPLE, re.MULTILINE)
    return ["".join(line.strip() for line in one.splitlines()).encode() for one in found]


def value(name: str) -> str:
    """A hex value that the example names."""
    match = re.search(rf"{name}: `([0-9a-f]{{64}})`", EXAMPLE)
    assert match is not None
    return match[1]


def test_spec_example_payload_and_openings_are_those_of_the_vector() -> None:
    """The page and the committed vector say the same bytes."""
    payload, openings = blocks()
    assert payload.decode() == VECTOR["payload"]
    assert parse_canonical(openings) == VECTOR["openings"]
    assert encode_canonical(VECTOR["openings"]) == openings


def test_spec_example_gives_the_digest_and_id_it_states() -> None:
    """S-BODY-1: commitments, body digest and statement id follow from the bytes on the page."""
    payload, openings = blocks()
    said = parse_canonical(payload)
    assert isinstance(said, dict)
    assert payload.startswith(b'{"EXERCISE":true,')
    assert body_digest(said["body"]) == value("body digest") == VECTOR["body_digest"]  # type: ignore[arg-type]
    assert statement_id(payload) == value("statement id") == VECTOR["id"]
    given: Any = parse_canonical(openings)
    for name, (salt, content) in {**given, **VECTOR["withheld_opening"]}.items():
        assert commit_field(salt, name, content) == said["body"][name]  # type: ignore[index,call-overload]


def test_spec_example_envelope_verifies_and_parses() -> None:
    """S-SIG-1, S-SIG-2: yesterday's signatures still verify, and the statement reads as it was said."""
    envelope = parse_envelope(VECTOR["envelope"].encode())
    verify_envelope(envelope, parse_public_keys(VECTOR["key"]))
    statement = parse_statement(envelope)
    assert statement.id == VECTOR["id"]
    assert (statement.link, statement.recipient) == ("north>south", "south")
    assert statement.withheld == ("text",)
    openings = check_openings(statement, VECTOR["openings"])
    notice = parse_activity_body(body_values(openings), name="A-1", exercise=statement.exercise)
    assert notice.text is None
    message, given = parse_message(VECTOR["message"].encode())
    assert (message, given) == (statement, VECTOR["openings"])


HOTLINE = (ROOT / "docs" / "spec" / "hotline.md").read_text("utf-8")
ADVICE = (ROOT / "docs" / "spec" / "advice.md").read_text("utf-8")


def test_spec_type_table_is_the_one_in_force() -> None:
    """The table of section 5 and `rules.TYPES` name the same types, fields, chains and receipts."""
    rows = re.findall(
        r"^\| `([a-z/-]+)` \| (\S+?(?:, \S+)*) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| (yes|no) \|$",
        SPEC,
        re.MULTILINE,
    )
    later = set(re.findall(r"^\| `([a-z/-]+)` \|", HOTLINE + ADVICE, re.MULTILINE))
    assert {row[0] for row in rows} | later >= set(TYPES)
    assert {row[0] for row in rows} <= set(TYPES)
    for name, code, chain, thread, fields, receipt in rows:
        row = TYPES[name]
        named = [field.strip() for field in fields.split(",")]
        assert sorted(f for f in named if not f.endswith("?")) == sorted(row.required), name
        assert sorted(f[:-1] for f in named if f.endswith("?")) == sorted(row.optional), name
        assert chain.strip() == (row.chain or "that of the statement"), name
        assert (receipt == "yes") is row.receipt
        assert row.code.startswith(code.split(",")[0])
        assert {"notice": "must", "none": "never"}.get(thread.strip(), "may") == row.thread, name


@pytest.mark.parametrize("rule", sorted(set(re.findall(r"\*\*(S-[A-Z]+-\d+)\*\*", SPEC))))
def test_spec_rule_is_quoted_by_a_test(rule: str) -> None:
    """A rule without a test that names it is found."""
    here = [
        *(ROOT / "tests" / "unit" / "protocol").glob("*.py"),
        *(ROOT / "tests/sim").glob("*.py"),
    ]
    assert any(re.search(rf"\b{rule}\b", path.read_text("utf-8")) for path in here), rule

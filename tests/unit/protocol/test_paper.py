"""The outer form of a proof, read member by member where it is long."""

from __future__ import annotations

import hashlib

import pytest

from detente.errors import PeerError
from detente.protocol.paper import decode_paper, encode_paper
from detente.signing.canonical import encode_canonical

MEMBERS = {1: frozenset({"rows", "word"})}
ROWS = [[1, "é"], {"a": None}, "x"]
GOOD = encode_paper("absence", {"EXERCISE": True, "rows": ROWS, "v": 1, "word": "w"})


def signed(line: bytes, title: bytes = b"detente-absence/1 EXERCISE\n") -> bytes:
    """A file with this second line, its SHA-256 right."""
    body = title + line + b"\n"
    return body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"


def test_paper_a_list_given_in_parts_is_the_same_file_and_is_read_in_parts() -> None:
    """B-FORM-1: element by element or at once, writing gives one file and reading the same values."""
    parts = [encode_canonical(row) for row in ROWS]
    content = {"EXERCISE": True, "v": 1, "word": "w"}
    assert encode_paper("absence", content, {"rows": parts}) == GOOD
    found = decode_paper("absence", GOOD, MEMBERS, 1000, lists=("rows",))
    assert [bytes(row) for row in found["rows"]] == parts
    assert {**found, "rows": ROWS} == decode_paper("absence", GOOD, MEMBERS, 1000)


@pytest.mark.parametrize(
    "line",
    [
        b'{"EXERCISE":true,"rows":[ ],"v":1,"word":"w"}',
        b'{"EXERCISE":true,"rows":[1, 2],"v":1,"word":"w"}',
        b'{"EXERCISE":true,"rows":[1,2] ,"v":1,"word":"w"}',
        b'{"EXERCISE":true,"rows":[],"v":1,"word": "w"}',
        b'{"EXERCISE":true,"rows":[],"v":1,"word":"w" }',
        b'{"EXERCISE":true,"rows":[],"rows":[],"v":1,"word":"w"}',
        b'{"EXERCISE":true,"rows":[],"v":1,"\\u0077ord":"w"}',
        b'{"EXERCISE":true,"v":1,"rows":[],"word":"w"}',
        b'{"EXERCISE":true,"rows":[],"v":1,"word":"\\u0077"}',
        b'{"EXERCISE":true,"rows":[],"v":1}',
        b'{"EXERCISE":true,"rows":[1,],"v":1,"word":"w"}',
        b'{"EXERCISE":false,"rows":[],"v":1,"word":"w"}',
        b"[1]",
        b"null",
        b"{" * 100_000,
        b'{"EXERCISE":true,"rows":' + b"[" * 100_000,
        b"\xff",
    ],
)
def test_paper_another_spelling_is_refused_also_in_parts(line: bytes) -> None:
    """B-FORM-1, B-FORM-3: what is not its own re-encoding is refused with PeerError, read at once or in parts."""
    for lists in ((), ("rows",)):
        with pytest.raises(PeerError):
            decode_paper("absence", signed(line), MEMBERS, 2**20, lists=lists)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n\n", GOOD[:-1], GOOD + b"\n", GOOD[:-2] + b"g\n", GOOD[1:], b"x" + GOOD]
)
def test_paper_of_other_lines_is_refused(data: bytes) -> None:
    """B-FORM-1, B-FORM-2: a title, one line, a SHA-256 line, each ended, and nothing else."""
    for lists in ((), ("rows",)):
        with pytest.raises(PeerError):
            decode_paper("absence", data, MEMBERS, 2**20, lists=lists)


@pytest.mark.parametrize("value", [b"{}", b"null", b"5", b'"x"'])
def test_paper_a_list_that_is_none_is_refused_in_parts(value: bytes) -> None:
    """B-FORM-3: where a list is read in parts, anything else is the file's fault."""
    line = b'{"EXERCISE":true,"rows":%b,"v":1,"word":"w"}' % value
    with pytest.raises(PeerError):
        decode_paper("absence", signed(line), MEMBERS, 2**20, lists=("rows",))

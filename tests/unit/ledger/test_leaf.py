"""Leaves that hide, open in part, and cannot be opened to anything else."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.ledger.leaf import (
    LeafHeader,
    derive_log_seed,
    leaf_bytes,
    leaf_salt,
    open_leaf,
    parse_leaf_header,
    parse_leaf_opening,
    verify_leaf_opening,
)
from detente.ledger.merkle import leaf_hash
from detente.signing.base64 import encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical

SEED = derive_log_seed(bytes(32), "detente/north/log/1")
CONTENT = hashlib.sha256(b"statement").digest()
HEADER = LeafHeader(7, "made", "A.new", 1_500_000, "north-south", "ordinary", 3)

headers = st.builds(
    LeafHeader,
    index=st.integers(0, 2**53 - 1),
    kind=st.sampled_from(["made", "received"]),
    type=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    time_us=st.integers(0, 2**53 - 1),
    link=st.just("north-south"),
    chain=st.sampled_from(["safety", "ordinary"]),
    sequence=st.integers(0, 2**53 - 1),
)


def test_leaf_bytes_are_as_specified() -> None:
    """L-LEAF-3: The leaf, its commitments and its salts are built exactly as the specification says."""
    index = (7).to_bytes(8, "big")
    salt_h = hmac.digest(SEED, b"detente:leaf-salt:v1\nheader\n" + index, "sha256")
    salt_c = hmac.digest(SEED, b"detente:leaf-salt:v1\ncontent\n" + index, "sha256")
    header = (
        b'{"chain":"ordinary","index":7,"kind":"made","link":"north-south","sequence":3,'
        b'"time":1500000,"type":"A.new"}'
    )
    commit_h = hashlib.sha256(b"detente:leaf-header:v1\n" + salt_h + header).digest()
    commit_c = hashlib.sha256(b"detente:leaf-content:v1\n" + salt_c + CONTENT).digest()
    expected = encode_canonical(
        {"header": encode_base64url(commit_h), "content": encode_base64url(commit_c)}
    )
    assert leaf_bytes(open_leaf(SEED, HEADER, CONTENT)) == expected
    assert hmac.digest(bytes(32), b"detente:leaf-seed:v1\ndetente/north/log/1", "sha256") == SEED


@given(headers, st.binary(min_size=32, max_size=32))
def test_opening_any_leaf_round_trips_and_verifies(header: LeafHeader, content: bytes) -> None:
    """L-LEAF-4: An opening survives canonical JSON and leads to the leaf's hash, with or without its content."""
    opening = open_leaf(SEED, header, content)
    expected = leaf_hash(leaf_bytes(opening))
    again = parse_leaf_opening(parse_canonical(encode_canonical(opening.to_json())))
    assert again == opening
    assert verify_leaf_opening(again, content) == expected
    partial = parse_leaf_opening(opening.without_content().to_json())
    assert verify_leaf_opening(partial, None) == expected


def test_opening_other_content_is_refused() -> None:
    """L-LEAF-5: A leaf cannot be opened to another content."""
    opening = open_leaf(SEED, HEADER, CONTENT)
    with pytest.raises(PeerError) as caught:
        verify_leaf_opening(opening, hashlib.sha256(b"other").digest())
    assert caught.value.code == "leaf-content-mismatch"


def test_opening_withheld_content_proves_no_content() -> None:
    """L-LEAF-5: A header opened alone is not taken for a proof of content."""
    with pytest.raises(PeerError) as caught:
        verify_leaf_opening(open_leaf(SEED, HEADER, CONTENT).without_content(), CONTENT)
    assert caught.value.code == "leaf-content-withheld"


@given(st.data())
def test_opening_changed_header_leads_to_another_leaf(data: st.DataObject) -> None:
    """Any change to an opened header, its salt or the commitment changes the leaf hash."""
    opening = open_leaf(SEED, HEADER, CONTENT)
    expected = verify_leaf_opening(opening, None)
    header = data.draw(headers.filter(lambda other: other != HEADER))
    changed = (
        msgspec.structs.replace(opening, header=header),
        msgspec.structs.replace(opening, header_salt=bytes(32)),
        msgspec.structs.replace(opening, content_commitment=bytes(32)),
    )
    for other in changed:
        assert verify_leaf_opening(other, None) != expected


def test_salts_differ_by_label_index_and_log() -> None:
    """L-LEAF-2: No two halves, leaves or logs share a salt, so opening one tells nothing of another."""
    other = derive_log_seed(bytes(32), "detente/north/log/2")
    salts = {
        leaf_salt(seed, label, index)
        for seed in (SEED, other)
        for label in ("header", "content")
        for index in range(50)
    }
    assert len(salts) == 200


def test_leaf_equal_entries_have_unlike_bytes() -> None:
    """L-LEAF-1: Two leaves with the same content and type look unrelated to who has no salt."""
    first = json.loads(leaf_bytes(open_leaf(SEED, HEADER, CONTENT)))
    header = msgspec.structs.replace(HEADER, index=8)
    second = json.loads(leaf_bytes(open_leaf(SEED, header, CONTENT)))
    assert first["content"] != second["content"]
    assert first["header"] != second["header"]


def test_local_header_round_trips() -> None:
    """A local entry has no link, chain or sequence, and says so as null."""
    header = LeafHeader(0, "local", "ack", 5)
    assert header.to_json()["link"] is None
    assert parse_leaf_header(header.to_json()) == header


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1},
        {"index": True},
        {"index": 2**53},
        {"time": 1.5},
        {"kind": "other"},
        {"kind": "local"},
        {"kind": ["made"]},
        {"link": None},
        {"chain": ""},
        {"sequence": None},
        {"sequence": "3"},
        {"type": None},
        {"type": "x" * 201},
        {"extra": 1},
    ],
)
def test_parse_malformed_header_is_refused(change: dict[str, Any]) -> None:
    """Other members, types and ranges are refused, and a place on a link is given whole or not at all."""
    with pytest.raises(PeerError) as caught:
        parse_leaf_header(HEADER.to_json() | change)
    assert caught.value.code == "leaf-malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"header": None},
        {"header_salt": None},
        {"content_salt": "AA"},
        {"content_commitment": 1},
        {"extra": 1},
    ],
)
def test_parse_malformed_opening_is_refused(change: dict[str, Any]) -> None:
    """Other members, types and lengths are refused."""
    with pytest.raises(PeerError):
        parse_leaf_opening(open_leaf(SEED, HEADER, CONTENT).to_json() | change)
    with pytest.raises(PeerError):
        parse_leaf_opening([])


def test_open_bad_arguments_are_refused() -> None:
    """Short seeds, other content lengths and indices out of range are our own errors."""
    with pytest.raises(UsageError):
        derive_log_seed(bytes(31), "o")
    with pytest.raises(UsageError):
        open_leaf(bytes(31), HEADER, CONTENT)
    with pytest.raises(UsageError):
        open_leaf(SEED, HEADER, b"short")
    with pytest.raises(UsageError):
        leaf_salt(SEED, "header", -1)

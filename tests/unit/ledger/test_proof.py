"""In the log, at this place, under this head."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detente.errors import PeerError
from detente.ledger.checkpoint import Checkpoint, log_origin, sign_checkpoint
from detente.ledger.cosignature import add_cosignature, cosign
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.proof import (
    LogProof,
    format_tlog_proof,
    parse_log_proof,
    parse_tlog_proof,
    verify_log_proof,
)
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.key import SigningKeys

ORIGIN = log_origin("north", 1)
TREE = MerkleTree(leaf_hash(bytes([n])) for n in range(21))


@pytest.fixture(scope="module")
def proof(north: SigningKeys, south: SigningKeys) -> LogProof:
    """Leaf 7 of North's log, cosigned by South."""
    text = sign_checkpoint(north, ORIGIN, 21, TREE.root(), 100)
    lines = cosign(south, "detente/south", Checkpoint(ORIGIN, 21, TREE.root()), 105)
    return LogProof(add_cosignature(text, lines), 7, TREE.inclusion_proof(7))


def test_log_proof_verifies_and_names_its_cosigners(
    proof: LogProof, north: SigningKeys, south: SigningKeys
) -> None:
    """The head, its time and the witnesses asked for come out; others stay unnamed."""
    leaf = TREE.leaf_hash_at(7)
    verified = verify_log_proof(proof, leaf, ORIGIN, north.public, {"detente/south": south.public})
    assert (verified.size, verified.time_s) == (21, 100)
    assert [(one.name, one.time_s) for one in verified.cosigned] == [("detente/south", 105)]
    assert verify_log_proof(proof, leaf, ORIGIN, north.public).cosigned == ()


def test_log_proof_of_other_leaf_place_or_log_is_refused(
    proof: LogProof, north: SigningKeys, south: SigningKeys
) -> None:
    """L-PRF-1: Another leaf, index, proof, origin or key is refused."""
    leaf = TREE.leaf_hash_at(7)
    replace = msgspec.structs.replace
    attempts: list[tuple[LogProof, bytes, str, SigningKeys]] = [
        (proof, TREE.leaf_hash_at(8), ORIGIN, north),
        (replace(proof, index=8), leaf, ORIGIN, north),
        (replace(proof, hashes=proof.hashes[:-1]), leaf, ORIGIN, north),
        (proof, leaf, log_origin("north", 2), north),
        (proof, leaf, ORIGIN, south),
    ]
    for attempt, hash_, origin, keys in attempts:
        with pytest.raises(PeerError):
            verify_log_proof(attempt, hash_, origin, keys.public)


def test_log_proof_both_forms_round_trip(proof: LogProof) -> None:
    """Canonical JSON and the C2SP text carry the same proof."""
    assert parse_log_proof(parse_canonical(encode_canonical(proof.to_json()))) == proof
    assert parse_tlog_proof(format_tlog_proof(proof)) == (proof, b"")
    assert parse_tlog_proof(format_tlog_proof(proof, extra=b"leaf")) == (proof, b"leaf")


def test_tlog_proof_text_is_as_specified(proof: LogProof) -> None:
    """L-PRF-3: First line, extra, index, hashes, an empty line, the note."""
    lines = format_tlog_proof(proof, extra=b"\0").split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra AA==", "index 7"]
    assert len(lines[3]) == 44
    assert lines[3 + len(proof.hashes)] == ""
    assert lines[4 + len(proof.hashes)] == ORIGIN


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"index": -1},
        {"index": True},
        {"index": "7"},
        {"checkpoint": None},
        {"hashes": "AA"},
        {"hashes": ["AA"]},
        {"hashes": ["A" * 43] * 64},
    ],
)
def test_log_proof_malformed_object_is_refused(proof: LogProof, change: dict[str, Any]) -> None:
    """Other members, types and lengths are refused."""
    with pytest.raises(PeerError):
        parse_log_proof(proof.to_json() | change)
    with pytest.raises(PeerError):
        parse_log_proof(None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\nindex 7\n",
        "c2sp.org/tlog-proof@v2\nindex 7\n\nnote",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 07\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 7\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 7\nAAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 7\n" + ("A" * 43 + "=\n") * 64 + "\nnote",
    ],
)
def test_tlog_proof_malformed_text_is_refused(text: str) -> None:
    """L-PRF-3: Another first line, no index, odd numbers and odd hashes are refused."""
    with pytest.raises(PeerError):
        parse_tlog_proof(text)

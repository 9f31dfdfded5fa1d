"""Subtrees: parts of a tree that verify on their own, as mirrors need them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.ledger.merkle import (
    MerkleTree,
    is_subtree,
    leaf_hash,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)

SHARED = Path(__file__).parents[4] / "shared" / "vectors" / "merkle" / "testdata"
SIZE = 70
LEAVES = [leaf_hash(bytes([n])) for n in range(SIZE)]
TREE = MerkleTree(LEAVES)


def vectors(folder: str) -> list[dict[str, Any]]:
    """All vectors of a folder, or the test is skipped by name."""
    if not (SHARED / folder).is_dir():
        pytest.skip("vectors/merkle is not here")
    return [json.loads(path.read_bytes()) for path in sorted((SHARED / folder).rglob("*.json"))]


def hashes(one: dict[str, Any], *names: str) -> list[bytes]:
    """The hashes of a vector under these names."""
    return [base64.b64decode(one.get(name) or "") for name in names]


def test_public_vectors_of_subtree_inclusion() -> None:
    """L-SUB-1: each vector verifies or fails as it says."""
    found = vectors("subtreeinclusion")
    for one in found:
        leaf, root = hashes(one, "leafHash", "root")
        proof = [base64.b64decode(text) for text in one["proof"] or []]
        place = (one["leafIdx"], one["start"], one["end"])
        if one["wantErr"]:
            with pytest.raises(PeerError):
                verify_subtree_inclusion(leaf, *place, proof, root)
        else:
            verify_subtree_inclusion(leaf, *place, proof, root)
    assert len(found) > 50


def test_public_vectors_of_subtree_consistency() -> None:
    """L-SUB-2, L-SUB-3: each vector verifies or fails as it says, but that a subtree of nothing is refused."""
    found = vectors("subtreeconsistency")
    for one in found:
        one["wantErr"] |= one["start"] == one["end"]
        part, root = hashes(one, "root1", "root2")
        proof = [base64.b64decode(text) for text in one["proof"] or []]
        place = (one["start"], one["end"], one["size"])
        if one["wantErr"]:
            with pytest.raises(PeerError):
                verify_subtree_consistency(*place, proof, part, root)
        else:
            verify_subtree_consistency(*place, proof, part, root)
    assert len(found) > 50


def test_every_subtree_of_every_size_is_proved() -> None:
    """L-SUB-1, L-SUB-2: the tree's own proofs verify, for every subtree of every size to 40."""
    for size in range(1, 41):
        root = TREE.root(size)
        for start in range(size):
            for end in range(start + 1, size + 1):
                if not is_subtree(start, end):
                    with pytest.raises(UsageError):
                        TREE.subtree_consistency_proof(start, end, size)
                    continue
                part = TREE.subtree_root(start, end)
                assert part == MerkleTree(LEAVES[start:end]).root()
                proof = TREE.subtree_consistency_proof(start, end, size)
                verify_subtree_consistency(start, end, size, proof, part, root)
                index = (start + end) // 2
                path = TREE.subtree_inclusion_proof(index, start, end)
                verify_subtree_inclusion(LEAVES[index], index, start, end, path, part)


@given(st.data())
def test_changed_subtree_proof_is_refused(data: st.DataObject) -> None:
    """L-SUB-2: another hash, one more, one less, or another place: each is refused."""
    size = data.draw(st.integers(2, SIZE))
    start, end = data.draw(
        st.sampled_from(
            [(s, e) for s in range(size) for e in range(s + 1, size + 1) if is_subtree(s, e)]
        )
    )
    part, root = TREE.subtree_root(start, end), TREE.root(size)
    proof = list(TREE.subtree_consistency_proof(start, end, size))
    wrong = data.draw(st.sampled_from(["longer", "shorter", "flip", "part", "root"]))
    if wrong == "longer":
        proof.append(bytes(32))
    elif wrong == "part":
        part = bytes(32)
    elif wrong == "root":
        root = bytes(32)
    elif not proof:
        return
    elif wrong == "shorter":
        proof.pop(data.draw(st.integers(0, len(proof) - 1)))
    else:
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    with pytest.raises(PeerError):
        verify_subtree_consistency(start, end, size, proof, part, root)

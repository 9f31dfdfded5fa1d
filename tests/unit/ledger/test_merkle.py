"""Every prefix provable, nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.ledger.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "merkle.json"
LEAVES = [leaf_hash(bytes([n])) for n in range(130)]
TREE = MerkleTree(LEAVES)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word: the second implementation the tree is compared with."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = naive_root(leaves[:split]), naive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def decoded(text: str | None) -> bytes:
    """A hash of a vector; an absent one is empty."""
    return base64.b64decode(text or "")


def test_tree_every_size_has_the_root_of_rfc6962() -> None:
    """The root at each past size is that of the recursive definition."""
    for size in range(len(LEAVES) + 1):
        assert TREE.root(size) == naive_root(LEAVES[:size])
        assert MerkleTree(LEAVES[:size]).root() == TREE.root(size)
    assert MerkleTree().root() == EMPTY_ROOT
    assert TREE.size == len(LEAVES)


def test_leaf_and_node_hashes_are_apart() -> None:
    """A leaf made of two hashes does not hash like the node above them."""
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])
    empty_leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"").hex() == empty_leaf  # known from Certificate Transparency


def test_inclusion_every_leaf_of_every_size_verifies() -> None:
    """Each leaf is provable in each tree that holds it."""
    for size in range(1, 70):
        for index in range(size):
            proof = TREE.inclusion_proof(index, size)
            verify_inclusion(LEAVES[index], index, size, proof, TREE.root(size))


def test_consistency_every_pair_of_sizes_verifies() -> None:
    """Each past head is provable as a prefix of each later one."""
    for new in range(1, 70):
        for old in range(1, new + 1):
            proof = TREE.consistency_proof(old, new)
            verify_consistency(old, new, proof, TREE.root(old), TREE.root(new))


@given(st.data())
def test_inclusion_changed_proof_is_refused(data: st.DataObject) -> None:
    """Any change to leaf, index, size, root or hashes is refused."""
    size = data.draw(st.integers(2, 130))
    index = data.draw(st.integers(0, size - 1))
    proof, root = list(TREE.inclusion_proof(index, size)), TREE.root(size)
    kind = data.draw(st.sampled_from(["leaf", "index", "root", "hash", "drop", "add", "swap"]))
    leaf = LEAVES[index]
    if kind == "leaf":
        leaf = leaf_hash(b"other")
    elif kind == "index":
        other = data.draw(st.integers(-2, size + 2).filter(lambda n: n != index))
        index = other
    elif kind == "root":
        root = leaf_hash(root)
    elif kind == "hash":
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    elif kind == "drop":
        proof.pop(data.draw(st.integers(0, len(proof) - 1)))
    elif kind == "add":
        proof.insert(data.draw(st.integers(0, len(proof))), bytes(32))
    else:
        proof.append(proof.pop(0) + b"\0")
    with pytest.raises(PeerError) as caught:
        verify_inclusion(leaf, index, size, proof, root)
    assert caught.value.code == "inclusion-invalid"


@given(st.data())
def test_consistency_changed_proof_is_refused(data: st.DataObject) -> None:
    """Any change to roots or hashes, and any other history, is refused."""
    new = data.draw(st.integers(2, 130))
    old = data.draw(st.integers(1, new - 1))
    proof = list(TREE.consistency_proof(old, new))
    old_root, new_root = TREE.root(old), TREE.root(new)
    kind = data.draw(st.sampled_from(["old", "new", "both", "hash", "drop", "add", "swap"]))
    if kind in ("old", "both"):
        old_root = leaf_hash(old_root)
    if kind in ("new", "both"):
        new_root = leaf_hash(new_root)
    if kind == "hash":
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    if kind == "drop":
        proof.pop(data.draw(st.integers(0, len(proof) - 1)))
    if kind == "add":
        proof.insert(data.draw(st.integers(0, len(proof))), bytes(32))
    if kind == "swap":
        old_root, new_root = new_root, old_root
    with pytest.raises(PeerError) as caught:
        verify_consistency(old, new, proof, old_root, new_root)
    assert caught.value.code == "consistency-invalid"
    assert caught.value.evidence == b"".join(proof)


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(0, 59))
def test_consistency_rewritten_history_is_refused(old: int, changed: int) -> None:
    """A tree in which one early leaf was replaced is not an extension, with the best proof it has."""
    changed = changed % old
    forged = MerkleTree([*LEAVES[:changed], leaf_hash(b"forged"), *LEAVES[changed + 1 :]])
    with pytest.raises(PeerError):
        verify_consistency(
            old, 100, forged.consistency_proof(old, 100), TREE.root(old), forged.root(100)
        )


@pytest.mark.parametrize(("old", "new"), [(0, 5), (0, 0), (-1, 5), (6, 5), (1, 2**63)])
def test_consistency_odd_sizes_are_refused(old: int, new: int) -> None:
    """L-TREE-3: An old size of zero says nothing, and a shrinking tree is no history."""
    with pytest.raises(PeerError):
        verify_consistency(old, new, (), EMPTY_ROOT, EMPTY_ROOT)


def test_proofs_too_long_are_refused_unread() -> None:
    """L-TREE-2: No honest proof has more than 63 hashes."""
    with pytest.raises(PeerError, match="64 hashes"):
        verify_inclusion(LEAVES[0], 0, 2**62, [bytes(32)] * 64, bytes(32))
    with pytest.raises(PeerError, match="1000 hashes"):
        verify_consistency(1, 2**62, [bytes(32)] * 1000, bytes(32), bytes(32))


def test_tree_bad_arguments_are_refused() -> None:
    """Sizes and indices outside the tree, and hashes of another length, are our own errors."""
    tree = MerkleTree(LEAVES[:5])
    for call in (
        lambda: tree.append(b"short"),
        lambda: tree.root(6),
        lambda: tree.root(-1),
        lambda: tree.inclusion_proof(5),
        lambda: tree.inclusion_proof(0, 0),
        lambda: tree.inclusion_proof(-1),
        lambda: tree.consistency_proof(6),
        lambda: tree.consistency_proof(-1),
        lambda: tree.leaf_hash_at(5),
    ):
        with pytest.raises(UsageError):
            call()
    assert tree.append(LEAVES[5]) == 5
    assert tree.leaf_hash_at(5) == LEAVES[5]
    assert tree.consistency_proof(0) == tree.consistency_proof(6) == ()


def test_public_vectors_inclusion_every_answer_matches(merkle_vectors: Any) -> None:
    """L-TREE-1: Every public RFC 6962 inclusion vector is answered as it says."""
    ran, wrong = 0, []
    for name, case in merkle_vectors("inclusion"):
        ran += 1
        try:
            verify_inclusion(
                decoded(case["leafHash"]),
                case["leafIdx"],
                case["treeSize"],
                [decoded(text) for text in case["proof"] or []],
                decoded(case["root"]),
            )
            refused = False
        except PeerError:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(name)
    assert not wrong
    assert ran > 90


def test_public_vectors_consistency_every_answer_matches(merkle_vectors: Any) -> None:
    """L-TREE-1: Every public RFC 6962 consistency vector is answered as it says."""
    ran, wrong = 0, []
    for name, case in merkle_vectors("consistency"):
        ran += 1
        try:
            verify_consistency(
                case["size1"],
                case["size2"],
                [decoded(text) for text in case["proof"] or []],
                decoded(case["root1"]),
                decoded(case["root2"]),
            )
            refused = False
        except PeerError:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(name)
    assert not wrong
    assert ran > 90


def test_own_vectors_answer_as_recorded() -> None:
    """Roots and proofs of the committed tree are unchanged, byte for byte."""
    vectors = json.loads(VECTORS.read_text())
    tree = MerkleTree(leaf_hash(bytes.fromhex(leaf)) for leaf in vectors["leaves"])
    assert [tree.root(size).hex() for size in range(tree.size + 1)] == vectors["roots"]
    for case in vectors["inclusion"]:
        proof = tree.inclusion_proof(case["index"], case["size"])
        assert [hash_.hex() for hash_ in proof] == case["proof"]
    for case in vectors["consistency"]:
        proof = tree.consistency_proof(case["old"], case["new"])
        assert [hash_.hex() for hash_ in proof] == case["proof"]

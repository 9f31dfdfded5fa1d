"""The append-only tree: one root hash stands for every entry ever logged.

Leaves and nodes are hashed with different first bytes, else an inner node could be passed off as a leaf:

1. Mallory logs a leaf whose bytes are the two child hashes of an inner node.
2. Without the prefix its hash equals that node's, so one root would have two readings.

Proofs are checked by the algorithms of RFC 9162, which also count the steps: a proof one hash too long
or too short must fail even where the hashes happen to meet.

Source: RFC 6962, section 2.1 (hashing); RFC 9162, sections 2.1.3.2 and 2.1.4.2 (verification).
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Final

from detente.errors import PeerError, UsageError

HASH_BYTES = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
SIZE_MOST = 2**63 - 1  # C2SP sizes travel as decimals that other verifiers read as int64
PROOF_HASHES_MOST = 63  # tlog-witness: no proof in a tree of less than 2**63 leaves is longer


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes: SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree(ABC):
    """A tree whose complete subtrees can be looked up: answers for every size up to its own.

    Whatever knows the hashes, all in memory or one tile at a time, gives proofs by the same rules.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of leaves."""

    @abstractmethod
    def stored(self, level: int, position: int) -> bytes:
        """The root of a complete subtree: the leaves from `position` * 2**`level`, 2**`level` of them."""

    def leaf_hash_at(self, index: int) -> bytes:
        """The hash of one leaf.

        Raises:
            UsageError: `leaf-index`: outside the tree.
        """
        if not 0 <= index < self.size:
            raise UsageError("leaf-index", f"index is {index}; it must be in 0..{self.size - 1}")
        return self.stored(0, index)

    def root(self, size: int | None = None) -> bytes:
        """The root hash now, or when the tree had `size` leaves.

        Raises:
            UsageError: `tree-size`: negative or beyond the tree.
        """
        size = self._size(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def subtree_root(self, start: int, end: int) -> bytes:
        """The root over the leaves from `start` to before `end`.

        Raises:
            UsageError: `tree-size`: no valid subtree, or beyond the tree.
        """
        self._size(end)
        if not is_subtree(start, end):
            raise UsageError("tree-size", f"subtree is {start} to {end}; it must be a valid one")
        return self._range(start, end)

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The hashes that lead from leaf `index` to the root at `size`, the leaf's sibling first.

        Raises:
            UsageError: `tree-size` or `leaf-index`.
        """
        return self.subtree_inclusion_proof(index, 0, self._size(size))

    def subtree_inclusion_proof(self, index: int, start: int, end: int) -> tuple[bytes, ...]:
        """The hashes that lead from leaf `index` to the root of a subtree.

        Raises:
            UsageError: `tree-size` or `leaf-index`.
        """
        self._size(end)
        if not start <= index < end:
            raise UsageError("leaf-index", f"index is {index}; it must be in {start}..{end - 1}")
        path: list[bytes] = []
        low, high = start, end
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency_proof(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """The hashes that prove the tree of `old` leaves to be a prefix of the tree of `new` leaves.

        Empty for an old size of zero, with which everything is consistent, and for equal sizes.

        Raises:
            UsageError: `tree-size`.
        """
        new = self._size(new)
        if not 0 <= old <= new:
            raise UsageError("tree-size", f"old size is {old}; it must be in 0..{new}")
        return self.subtree_consistency_proof(0, old, new) if old else ()

    def subtree_consistency_proof(
        self, start: int, end: int, size: int | None = None
    ) -> tuple[bytes, ...]:
        """The hashes that prove a subtree to be part of the tree of `size` leaves.

        Source: draft-ietf-plants-merkle-tree-certs, section 4.4.1.

        Raises:
            UsageError: `tree-size`.
        """
        size = self._size(size)
        if not is_subtree(start, end) or end > size:
            raise UsageError("tree-size", f"subtree is {start} to {end}; it must be within {size}")
        path: list[bytes] = []
        low, high = 0, size
        whole = True  # the verifier knows the hash of what is left, not only that it is in there
        while (start, end) != (low, high):
            middle = low + _split(high - low)
            if end <= middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                if start < middle:
                    start, whole = middle, False
                low = middle
        if not whole:
            path.append(self._range(low, high))
        return tuple(reversed(path))

    def _size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise UsageError("tree-size", f"size is {size}; it must be in 0..{self.size}")
        return size

    def _range(self, low: int, high: int) -> bytes:
        """The root over leaves low..high-1, where low is a multiple of the largest subtree in it."""
        peaks: list[bytes] = []
        while low < high:
            level = (high - low).bit_length() - 1
            peaks.append(self.stored(level, low >> level))
            low += 1 << level
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root


def is_subtree(start: int, end: int) -> bool:
    """Whether an interval of leaves is a subtree: it starts at a multiple of the power of two that holds it.

    Source: draft-ietf-plants-merkle-tree-certs, section 4.1.

    Example:
        >>> is_subtree(8, 13), is_subtree(4, 13), is_subtree(3, 3)
        (True, False, False)
    """
    return 0 <= start < end <= SIZE_MOST and start % (1 << (end - start - 1).bit_length()) == 0


class MerkleTree(Tree):
    """A tree of leaf hashes in memory; grows at its end and answers for every size it ever had.

    Args:
        leaf_hashes: the leaves to start with, in order.

    Units: 64 bytes a leaf; an append costs two hashes at most on average, a root or proof O(log n).

    Example:
        >>> tree = MerkleTree([leaf_hash(b"a"), leaf_hash(b"b")])
        >>> tree.size, tree.root() == node_hash(leaf_hash(b"a"), leaf_hash(b"b"))
        (2, True)
    """

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        # _levels[k] holds, end to end, the roots of all complete subtrees of 2**k leaves.
        self._levels: list[bytearray] = [bytearray()]
        for hash_ in leaf_hashes:
            self.append(hash_)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, hash_: bytes) -> int:
        """Add a leaf by its hash and return its index.

        Raises:
            UsageError: `leaf-hash`: not 32 bytes.
        """
        if len(hash_) != HASH_BYTES:
            raise UsageError("leaf-hash", f"leaf hash is {len(hash_)} bytes; it must be 32")
        index = count = self.size
        level = 0
        self._levels[0] += hash_
        while count & 1:  # the new subtree is a right child: its parent is complete now
            row = self._levels[level]
            hash_ = hashlib.sha256(b"\x01" + row[-2 * HASH_BYTES :]).digest()
            level += 1
            count >>= 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += hash_
        return index

    def stored(self, level: int, position: int) -> bytes:
        """The root of a complete subtree of 2**`level` leaves."""
        start = position * HASH_BYTES
        return bytes(self._levels[level][start : start + HASH_BYTES])


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise unless the leaf of this hash stands at `index` of the tree with this size and root.

    Args:
        leaf: the leaf's hash, 32 bytes.
        index: counted from zero.
        size: the number of leaves.
        proof: the hashes, the leaf's sibling first.
        root: the root hash, from a checkpoint already verified.

    Raises:
        PeerError: `inclusion-invalid`; the evidence is the proof.
    """
    _check_hashes("inclusion-invalid", proof, leaf, root)
    if not 0 <= index < size <= SIZE_MOST:
        raise _invalid("inclusion-invalid", f"index is {index} in a tree of {size} leaves", proof)
    low, last = index, size - 1
    computed = leaf
    for sibling in proof:
        if last == 0:
            raise _invalid("inclusion-invalid", "proof is too long", proof)
        if low & 1 or low == last:
            computed = node_hash(sibling, computed)
            while low and not low & 1:
                low >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        low >>= 1
        last >>= 1
    if last != 0:
        raise _invalid("inclusion-invalid", "proof is too short", proof)
    if computed != root:
        raise _invalid("inclusion-invalid", "proof leads to another root", proof)


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raise unless the tree of `old` leaves is a prefix of the tree of `new` leaves.

    An old size of zero is refused: such a proof would be empty and say nothing, and a caller who
    compares with a size it never saw must not take that for a check.

    Raises:
        PeerError: `consistency-invalid`; the evidence is the proof.
    """
    code = "consistency-invalid"
    if not 0 < old <= new <= SIZE_MOST:
        raise _invalid(code, f"sizes are {old} and {new}", proof)
    if old == new:
        verify_same(new, proof, old_root, new_root)
        return
    # the old tree is the subtree that begins at leaf 0: section 2.1.4.2 is that case of section 4.4.3
    verify_subtree_consistency(0, old, new, proof, old_root, new_root)


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise unless the leaf of this hash stands at `index` within the subtree of this root.

    Source: draft-ietf-plants-merkle-tree-certs, section 4.3.2.

    Raises:
        PeerError: `inclusion-invalid`; the evidence is the proof.
    """
    if not is_subtree(start, end) or not start <= index < end:
        raise _invalid("inclusion-invalid", f"index is {index} in {start} to {end}", proof)
    verify_inclusion(leaf, index - start, end - start, proof, root)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree_root: bytes, root: bytes
) -> None:
    """Raise unless the leaves from `start` to before `end` are, under this root, part of the tree.

    Source: draft-ietf-plants-merkle-tree-certs, section 4.4.3.

    Raises:
        PeerError: `consistency-invalid`; the evidence is the proof.
    """
    code = "consistency-invalid"
    if start == 0 and end == size:  # the tree itself, which nothing is hashed for
        verify_same(size, proof, subtree_root, root)
        return
    # Lengths matter below: 31 and 33 bytes end to end hash like 32 and 32.
    _check_hashes(code, proof, subtree_root, root)
    if not is_subtree(start, end) or not end <= size <= SIZE_MOST:
        raise _invalid(code, f"subtree is {start} to {end} of {size}", proof)
    first, last, most = start, end - 1, size - 1
    while first != last and (last == most or last & 1):
        first, last, most = first >> 1, last >> 1, most >> 1
    rest = list(proof)
    if first == last:
        part = whole = subtree_root
    elif rest:
        part = whole = rest.pop(0)
    else:
        raise _invalid(code, "proof is empty", proof)
    for sibling in rest:
        if most == 0:
            raise _invalid(code, "proof is too long", proof)
        if last & 1 or last == most:
            if first < last:
                part = node_hash(sibling, part)
            whole = node_hash(sibling, whole)
            while last and not last & 1:
                first, last, most = first >> 1, last >> 1, most >> 1
        else:
            whole = node_hash(whole, sibling)
        first, last, most = first >> 1, last >> 1, most >> 1
    if most != 0:
        raise _invalid(code, "proof is too short", proof)
    if part != subtree_root:
        raise _invalid(code, "proof leads to another subtree", proof)
    if whole != root:
        raise _invalid(code, "proof leads to another root", proof)


def verify_same(size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise unless two roots of one size are the same, with an empty proof.

    Raises:
        PeerError: `consistency-invalid`.
    """
    code = "consistency-invalid"
    if not 0 < size <= SIZE_MOST:
        raise _invalid(code, f"size is {size}", proof)
    if proof:
        raise _invalid(code, "proof is not empty although the sizes are equal", proof)
    if old_root != new_root:
        raise _invalid(code, "roots differ although the sizes are equal", proof)


def _split(count: int) -> int:
    """The largest power of two below `count`, where RFC 6962 splits a tree of that many leaves."""
    return 1 << ((count - 1).bit_length() - 1)


def _check_hashes(code: str, proof: Sequence[bytes], *others: bytes) -> None:
    if len(proof) > PROOF_HASHES_MOST:
        raise _invalid(code, f"proof has {len(proof)} hashes", proof[: PROOF_HASHES_MOST + 1])
    if any(len(hash_) != HASH_BYTES for hash_ in (*proof, *others)):
        raise _invalid(code, "a hash is not 32 bytes long", proof)


def _invalid(code: str, what: str, proof: Sequence[bytes]) -> PeerError:
    kind = code.split("-")[0]
    return PeerError(
        code,
        f"{kind} proof is wrong ({what}); it must verify by RFC 9162",
        evidence=b"".join(proof),
    )

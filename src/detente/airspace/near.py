"""Which of many boxes meet which: the filter in front of every exact test.

All coordinates are whole numbers below 2^53 held in floats, so each comparison is exact and the
number of pairs found (the work that a hostile notice may cost us) is the same on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

BLOCK = 32  # neighbouring edges are near each other, so most blocks are ruled out whole
_DIRECT = 1 << 16  # below this many pairs the plain comparison is faster than making blocks


class TooMuchWork(Exception):
    """A decision would cost more than its budget; nothing was decided."""


class Budget:
    """How much a hostile shape may cost us: a count of edge pairs, the same on every machine.

    Args:
        most: edge pairs (or edges tried against one place) that may be looked at.
    """

    def __init__(self, most: int) -> None:
        self.left = most

    def spend(self, count: int) -> None:
        """Takes a count off.

        Raises:
            TooMuchWork: less than that is left.
        """
        if count > self.left:
            raise TooMuchWork
        self.left -= count


def near_pairs(
    low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats, budget: Budget
) -> tuple[Indices, Indices]:
    """The index pairs (i, j) whose boxes have a point in common, boundaries included.

    Args:
        low_a: lower corners, shape (n, k).
        high_a: upper corners, shape (n, k).
        low_b: lower corners, shape (m, k).
        high_b: upper corners, shape (m, k).
        budget: pays one for each pair found, blocks included.

    Returns:
        Two arrays of equal length, sorted by i, then j.

    Raises:
        TooMuchWork: the budget is spent.
    """
    if len(low_a) * len(low_b) <= _DIRECT:
        found_a, found_b = _direct(low_a, high_a, low_b, high_b)
        budget.spend(len(found_a))
        return found_a, found_b
    blocks_a, blocks_b = _blocks(low_a, high_a), _blocks(low_b, high_b)
    block_i, block_j = near_pairs(*blocks_a, *blocks_b, budget)
    parts_a: list[Indices] = []
    parts_b: list[Indices] = []
    step = max(1, (1 << 20) // BLOCK**2)
    within = np.arange(BLOCK)
    for start in range(0, len(block_i), step):
        i = block_i[start : start + step, None, None] * BLOCK + within[None, :, None]
        j = block_j[start : start + step, None, None] * BLOCK + within[None, None, :]
        i, j = np.broadcast_arrays(i, j)
        real = (i < len(low_a)) & (j < len(low_b))
        i, j = i[real], j[real]
        hit = np.ones(len(i), dtype=bool)
        for axis in range(low_a.shape[1]):
            hit &= (low_a[i, axis] <= high_b[j, axis]) & (low_b[j, axis] <= high_a[i, axis])
        parts_a.append(i[hit])
        parts_b.append(j[hit])
        budget.spend(len(parts_a[-1]))
    if not parts_a:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    found_a, found_b = np.concatenate(parts_a), np.concatenate(parts_b)
    order = np.lexsort((found_b, found_a))
    return found_a[order], found_b[order]


def _direct(
    low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats
) -> tuple[Indices, Indices]:
    hit = np.ones((len(low_a), len(low_b)), dtype=bool)
    for axis in range(low_a.shape[1]):
        hit &= low_a[:, None, axis] <= high_b[None, :, axis]
        hit &= low_b[None, :, axis] <= high_a[:, None, axis]
    found_a, found_b = np.nonzero(hit)
    return found_a, found_b


def _blocks(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    starts = np.arange(0, len(low), BLOCK)
    return np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)

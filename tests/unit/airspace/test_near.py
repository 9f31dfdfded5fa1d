"""Near pairs: the box filter misses nothing and is bounded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.airspace.near import Budget, TooMuchWork, near_pairs


def boxes(count, seed, size):
    """Random whole-number boxes."""
    draw = np.random.default_rng(seed)
    low = draw.integers(0, 1_000, (count, 2)).astype(np.float64)
    return low, low + draw.integers(0, size, (count, 2))


@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 2**31))
def test_near_pairs_blocks_find_what_plain_comparison_finds(n, m, seed):
    """The block search returns exactly the pairs whose boxes meet, in order."""
    low_a, high_a = boxes(n, seed, 40)
    low_b, high_b = boxes(m, seed + 1, 40)
    i, j = near_pairs(low_a, high_a, low_b, high_b, Budget(10**9))
    hit = (low_a[:, None] <= high_b[None]).all(2) & (low_b[None] <= high_a[:, None]).all(2)
    expected = np.nonzero(hit)
    assert np.array_equal(i, expected[0])
    assert np.array_equal(j, expected[1])


def test_near_pairs_boundary_contact_counts():
    """Two boxes that share only a corner are near: touching must be looked at."""
    one = (np.array([[0.0, 0.0]]), np.array([[1.0, 1.0]]))
    two = (np.array([[1.0, 1.0]]), np.array([[2.0, 2.0]]))
    assert len(near_pairs(*one, *two, Budget(9))[0]) == 1


def test_near_pairs_past_the_budget_decides_nothing():
    """More work than allowed is an error, never a truncated answer."""
    low, high = boxes(600, 1, 2_000)
    with pytest.raises(TooMuchWork):
        near_pairs(low, high, low, high, Budget(10_000))

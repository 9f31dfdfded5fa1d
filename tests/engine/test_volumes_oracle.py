"""The engine against the exact rational evaluation of the same model, volume pair by volume pair."""

import pytest

from detente.conflict.strategic import Rules, build_minima, check_pair
from oracle import earth, pairs, volumes

CHUNKS = 8
PAIRS = 2_000  # in each chunk
NIGHTLY_CHUNKS, NIGHTLY_PAIRS = 500, 4_000


def compare(seed, count):
    """How often each verdict came, and how many pairs could not be compared."""
    seen = dict.fromkeys((volumes.CONFLICT, volumes.CANNOT_TELL, volumes.TOUCH, volumes.CLEAR), 0)
    left_out = 0
    for a, b, minima in pairs.volume_pairs(seed, count):
        one, two = pairs.notice_of(a), pairs.notice_of(b)
        if one is None or two is None:
            left_out += 1
            continue
        try:
            expected = volumes.judge_pieces(a, b, minima, earth.BOUNDS, (a["times"], b["times"]))
        except volumes.Beyond:
            left_out += 1
            continue
        rules = Rules(build_minima(*minima))
        found = check_pair(one, two, rules)
        assert found.verdict == expected, (a, b, minima)
        assert check_pair(two, one, rules) == found
        if expected != volumes.CLEAR:
            window = sorted((max(one.start_us, two.start_us), min(one.end_us, two.end_us)))
            assert [found.from_us, found.until_us] == window
        seen[expected] += 1
    return seen, left_out


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_verdicts_on_volumes_are_those_of_exact_rationals(chunk):
    """Thousands of random and adversarial pairs have the verdict that the rational evaluation of the model gives, in both orders."""
    seen, left_out = compare(chunk, PAIRS)
    assert all(count > PAIRS // 50 for count in seen.values()), seen
    assert left_out < PAIRS // 5


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chunk", range(NIGHTLY_CHUNKS))
def test_verdicts_on_millions_of_volumes_are_those_of_exact_rationals(chunk):
    """The same over two million pairs."""
    compare(1_000 + chunk, NIGHTLY_PAIRS)

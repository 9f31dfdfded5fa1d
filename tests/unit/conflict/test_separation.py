"""Minima and rules: the stricter of two, and nothing malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.airspace.altitude import DatumBounds
from detente.conflict.separation import Minima, Rules, build_minima, parse_minima, parse_rules
from detente.errors import UsageError

MINIMA = st.builds(Minima, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))


@given(MINIMA, MINIMA)
def test_stricter_is_the_larger_on_each_axis_and_symmetric(one, two):
    """Two parties that quote different agreements get the same, stricter, rules."""
    both = Rules(one).stricter(Rules(two))
    assert both == Rules(two).stricter(Rules(one))
    for name in ("lateral_tenth_mm", "vertical_tenth_mm", "time_us"):
        assert getattr(both.minima, name) == max(getattr(one, name), getattr(two, name))


def test_rules_body_round_trips():
    """The canonical form in an agreement rebuilds the rules."""
    rules = Rules(Minima(1, 2, 3), DatumBounds(cold_permille=50))
    assert parse_rules(rules.body()) == rules
    assert parse_rules({}) == Rules()


@pytest.mark.parametrize(
    "value", [None, {"lateral": 1}, {"lateral_tenth_mm": 1.0}, {"time_us": True}, {"time_us": -1}]
)
def test_minima_malformed_are_refused(value):
    """A peer's terms are checked by name, type and range."""
    with pytest.raises(UsageError):
        parse_minima(value)


def test_minima_past_what_can_be_compared_are_refused():
    """A lateral minimum over 2,000 km would leave the range of the distance formula."""
    build_minima(20_000_000_000, 0, 0)
    with pytest.raises(UsageError, match="must be from 0"):
        build_minima(20_000_000_001, 0, 0)
    with pytest.raises(UsageError):
        parse_rules({"minima": {}, "x": 1})

"""The node's clock, declared clocks, and clocks set wrong on purpose."""

from __future__ import annotations

import time

import pytest

from detente.agreement.terms import ScenarioClock
from detente.errors import UsageError
from detente.node.clock import OFFSET_VARIABLE, UtcClock, clock_for, real_us
from detente.units import format_time


def test_clock_without_a_declaration_is_utc() -> None:
    """Without a declared clock a node shows the machine's time and calls it UTC."""
    clock = clock_for(None)
    assert abs(clock.now_us() - time.time() * 1e6) < 1e6
    assert clock.label == "UTC"


def test_declared_clock_runs_at_its_rate_from_its_start() -> None:
    """At the declared moment it shows the declared time, and runs so many times as fast."""
    began_us = real_us() - 10_000_000
    declared = ScenarioClock("play", "2018-09-17T18:00:00Z", format_time(began_us), 60)
    clock = clock_for(declared)
    shown = format_time(clock.now_us())
    assert shown.startswith("2018-09-17T18:10:0")  # ten seconds at sixty times
    for word in ("play", "2018-09-17T18:00:00Z", "x60"):
        assert word in clock.label


def test_clock_set_wrong_on_purpose_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The offset shifts the clock and stands in its name."""
    monkeypatch.setenv(OFFSET_VARIABLE, "-90.5")
    assert abs(UtcClock().now_us() - (time.time() - 90.5) * 1e6) < 1e6
    assert UtcClock().label == "UTC, set -90.5 s wrong on purpose"
    monkeypatch.setenv(OFFSET_VARIABLE, "")
    assert UtcClock().label == "UTC"


@pytest.mark.parametrize("text", ["soon", "nan", "inf", "-inf", "1e12"])
def test_offset_that_is_no_time_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A clock is not set wrong by mistake: the value must be a number within reason."""
    monkeypatch.setenv(OFFSET_VARIABLE, text)
    with pytest.raises(UsageError) as caught:
        real_us()
    assert caught.value.field == OFFSET_VARIABLE

"""The watch over the lines: an alarm with one id while it lasts, over when the line is back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from detente.limits import LINE_ALARMS_KEPT
from detente.node.linewatch import FAILING_S, LineWatch
from detente.units import US_PER_S, format_time

T0_US = 1_790_000_000_000_000
BEAT_S = 15.0
SILENCE_S = FAILING_S + 2 * BEAT_S


class Bench:
    """A line to south whose state the test says, and a clock."""

    def __init__(self, rate: int = 1) -> None:
        self.watch = LineWatch(BEAT_S)
        self.at_s = 0.0
        self.rate = rate
        self.link = SimpleNamespace(heard_us=None)
        self.loop = SimpleNamespace(failing=None)
        self.core: Any = SimpleNamespace(
            state=SimpleNamespace(peers=["south"]), link=lambda _peer: self.link
        )
        self.look()

    @property
    def now_us(self) -> int:
        """The node's clock."""
        return T0_US + round(self.at_s * self.rate * US_PER_S)

    def look(self, after_s: float = 0.0) -> None:
        """Let time pass, looking every second."""
        end = self.at_s + after_s
        while True:
            self.watch.look(self.core, {("south", "ordinary"): self.loop}, self.now_us, self.at_s)
            if self.at_s >= end:
                return
            self.at_s += 1.0

    def hear(self) -> None:
        """The peer is heard."""
        self.link.heard_us = self.now_us
        self.look()


def test_line_that_is_heard_raises_nothing() -> None:
    """Heartbeats as agreed, for an hour: no alarm."""
    bench = Bench()
    for _ in range(240):
        bench.look(BEAT_S)
        bench.hear()
    assert (bench.watch.alarms, bench.watch.version) == ([], 0)


@pytest.mark.parametrize("rate", [1, 60])
def test_silent_line_raises_one_alarm_since_it_was_last_heard(rate: int) -> None:
    """After the agreed silence in real seconds, also where an exercise's clock runs fast; its id stays."""
    bench = Bench(rate)
    bench.hear()
    heard_us = bench.now_us
    bench.look(SILENCE_S - 1)
    assert bench.watch.alarms == []
    bench.look(1)
    (alarm,) = bench.watch.alarms
    assert (alarm.id, alarm.over) == (f"line:south:{format_time(heard_us)}", False)
    bench.look(600)
    assert bench.watch.alarms == [alarm]
    health = bench.watch.health("south")
    assert health is not None
    assert health.silent_s == SILENCE_S + 600


def test_failing_line_raises_an_alarm_after_ten_seconds_with_the_reason() -> None:
    """One try that fails is no alarm; ten seconds of it are, though the peer is heard the other way."""
    bench = Bench()
    bench.hear()
    bench.look(5)
    bench.loop.failing = "ConnectError"
    bench.look()
    failing_us = bench.now_us
    bench.look(FAILING_S - 1)
    assert bench.watch.alarms == []
    bench.hear()
    bench.look(1)
    (alarm,) = bench.watch.alarms
    assert (alarm.since_us, alarm.message) == (failing_us, "ConnectError")


def test_line_that_is_back_leaves_its_alarm_as_over() -> None:
    """What was silent while nobody looked is still there to be seen; the next silence has another id."""
    bench = Bench()
    bench.look(SILENCE_S)
    (first,) = bench.watch.alarms
    version = bench.watch.version
    bench.hear()
    assert [(one.id, one.over) for one in bench.watch.alarms] == [(first.id, True)]
    assert bench.watch.version > version
    bench.look(SILENCE_S)
    assert [one.over for one in bench.watch.alarms] == [True, False]
    assert len({one.id for one in bench.watch.alarms}) == 2


def test_line_that_flaps_fills_no_memory_and_loses_no_alarm_that_lasts() -> None:
    """The oldest that are over go first; one that lasts never goes."""
    bench = Bench()
    for _ in range(LINE_ALARMS_KEPT + 20):
        bench.look(SILENCE_S)
        bench.hear()
    bench.look(SILENCE_S)
    found = bench.watch.alarms
    assert len(found) == LINE_ALARMS_KEPT
    assert [one.over for one in found].count(False) == 1

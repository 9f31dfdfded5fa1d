"""The node's timer: turns by the node's own clock, naps of a second at most."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from detente.agreement.terms import ScenarioClock
from detente.node.clock import DeclaredClock, UtcClock
from detente.node.timer import LEAST_NAP_S, NAP_S, Timer
from detente.protocol.deadlines import Expectation, owe
from detente.units import US_PER_S


class Clock:
    """A clock on the wall that a test sets."""

    label = "test"

    def __init__(self, rate: int = 1) -> None:
        self.now = 10**15
        self.rate = rate

    def now_us(self) -> int:
        """Microseconds since the epoch."""
        return self.now


class Desk:
    """As much of a node as the timer looks at."""

    home = SimpleNamespace(config=SimpleNamespace(alternates={}))

    def __init__(self, core: Any, rate: int = 1) -> None:
        self.clock, self.core = Clock(rate), core

    def now_us(self) -> int:
        """The node's clock."""
        return self.clock.now_us()

    def take_keys(self, core: Any) -> list[Any]:
        """No key is replaced."""
        return []


def expectation(number: int, due_us: int) -> Expectation:
    """Something that we owe south, so that nothing is signed for it."""
    return Expectation(
        expected="opened",
        statement=f"{number:064x}",
        by="north",
        to="south",
        due_us=due_us,
        exercise=True,
    )


@pytest.fixture
def core() -> Any:
    """North's core with nothing in it."""
    from detente.simulation.room import Room

    return Room().node(0).running


def passed(core: Any) -> list[str]:
    """What has passed, in the order of the ledger."""
    return [
        entry.local["expectation"]["statement"][-1]
        for entry, *_ in core.journal.replay()
        if entry.header.type == "deadline/passed"
    ]


def test_timer_with_nothing_owed_naps_a_second(core: Any) -> None:
    """It looks again soon: a clock may be set and a machine may sleep."""
    desk = Desk(core)
    assert Timer(desk).turn(core) == (NAP_S, [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left_s", "rate", "nap_s"),
    [
        (0.5, 1, 0.5),
        (3600.0, 1, NAP_S),
        (30.0, 60, 0.5),
        (3600.0, 3600, 1.0),
        (0.0001, 60, LEAST_NAP_S),
    ],
)
def test_timer_naps_until_the_next_deadline_by_the_node_s_own_clock(
    core: Any, left_s: float, rate: int, nap_s: float
) -> None:
    """A scenario clock that runs sixty times as fast is napped for a sixtieth; never longer than a second."""
    desk = Desk(core, rate)
    owe(core.state, expectation(1, desk.clock.now + round(left_s * US_PER_S)))
    found, effects = Timer(desk).turn(core)  # type: ignore[arg-type]
    assert found == pytest.approx(nap_s)
    assert effects == []


def test_timer_whose_clock_jumps_passes_each_deadline_once_in_order(core: Any) -> None:
    """H-DUE-3: forward, everything due at once, the earliest first; backward, nothing again."""
    desk = Desk(core)
    timer = Timer(desk)  # type: ignore[arg-type]
    for number, after_s in ((1, 300), (2, 100), (3, 200), (4, 86_400)):
        owe(core.state, expectation(number, desk.clock.now + after_s * US_PER_S))
    start = desk.clock.now
    for jump_s in (3600, -7200, 0, 3600, 50):
        desk.clock.now = start + jump_s * US_PER_S
        timer.turn(core)
    assert passed(core) == ["2", "3", "1"]
    desk.clock.now = start + 90_000 * US_PER_S
    timer.turn(core)
    assert passed(core) == ["2", "3", "1", "4"]


def test_timer_with_more_due_than_one_transaction_holds_comes_again_at_once(core: Any) -> None:
    """A night's deadlines are passed in slices, so that a cease request never waits behind them."""
    desk = Desk(core)
    timer = Timer(desk)  # type: ignore[arg-type]
    for number in range(150):
        owe(core.state, expectation(number, desk.clock.now - number))
    naps = [timer.turn(core)[0] for _ in range(3)]
    assert naps == [LEAST_NAP_S, LEAST_NAP_S, NAP_S]
    assert len(passed(core)) == 150


def test_clocks_say_how_fast_they_run() -> None:
    """UTC runs as it runs; a declared clock at its rate."""
    declared = ScenarioClock("x", "2018-09-17T12:00:00Z", "2026-01-01T00:00:00Z", rate=60)
    assert UtcClock().rate == 1
    assert DeclaredClock(declared).rate == 60

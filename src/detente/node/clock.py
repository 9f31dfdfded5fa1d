"""The node's clock: UTC, or the declared clock of an exercise."""

from __future__ import annotations

import time
from typing import Protocol

from detente.agreement.terms import ScenarioClock
from detente.units import format_time, parse_time


class Clock(Protocol):
    """What tells the time; `label` is shown wherever a time is shown."""

    label: str

    def now_us(self) -> int:
        """Microseconds since the epoch."""


def real_us() -> int:
    """The machine's clock, microseconds since the epoch."""
    return time.time_ns() // 1000


class UtcClock:
    """The machine's clock."""

    label = "UTC"

    def now_us(self) -> int:
        """Microseconds since the epoch."""
        return real_us()


class DeclaredClock:
    """A scenario clock that the agreement declares, the same on every node that signed it."""

    def __init__(self, declared: ScenarioClock) -> None:
        self._starts_us = parse_time(declared.starts_at)
        self._real_us = parse_time(declared.real_start)
        self._rate = declared.rate
        self.label = f"scenario clock {declared.name!r}: {format_time(self._starts_us)} at {declared.real_start} UTC, x{declared.rate}"

    def now_us(self) -> int:
        """Microseconds since the epoch on the declared clock."""
        return self._starts_us + (real_us() - self._real_us) * self._rate


def clock_for(declared: ScenarioClock | None) -> Clock:
    """The clock an agreement calls for."""
    return UtcClock() if declared is None else DeclaredClock(declared)

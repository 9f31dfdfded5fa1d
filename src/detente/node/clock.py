"""The node's clock: UTC, or the declared clock of an exercise.

`DETENTE_CLOCK_OFFSET_S` (seconds, may be negative or a fraction) sets a node's clock wrong on purpose,
to exercise what the others then say about it. It is shown in the clock's label, so that nothing made
with it passes for a right time. TLS is not affected.
"""

from __future__ import annotations

import math
import os
import time
from typing import Protocol

from detente.agreement.terms import ScenarioClock
from detente.errors import UsageError, shown
from detente.units import US_PER_S, format_time, parse_time


class Clock(Protocol):
    """What tells the time; `label` is shown wherever a time is shown.

    Attributes:
        rate: how many of its seconds pass in a real one.
    """

    rate: int

    @property
    def label(self) -> str:
        """The clock's name."""

    def now_us(self) -> int:
        """Microseconds since the epoch."""


OFFSET_VARIABLE = "DETENTE_CLOCK_OFFSET_S"
OFFSET_MOST_S = (
    10 * 365 * 86_400
)  # ten years: any wrong clock; beyond it certificates make no sense


def offset_us() -> int:
    """How far this process's clock is set wrong on purpose; 0 but in an exercise.

    Raises:
        UsageError: ``clock-offset-malformed``.
    """
    text = os.environ.get(OFFSET_VARIABLE, "")
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = math.nan
    if not abs(seconds) <= OFFSET_MOST_S:
        raise UsageError(
            "clock-offset-malformed",
            f"{OFFSET_VARIABLE} is {shown(text)}; it must be seconds within {OFFSET_MOST_S:,} of none",
            field=OFFSET_VARIABLE,
        )
    return round(seconds * US_PER_S)


def real_us() -> int:
    """The machine's clock, microseconds since the epoch."""
    return time.time_ns() // 1000 + offset_us()


class UtcClock:
    """The machine's clock."""

    rate = 1

    @property
    def label(self) -> str:
        """The clock's name, and how far it is set wrong on purpose."""
        wrong_us = offset_us()
        return f"UTC, set {wrong_us / US_PER_S:+g} s wrong on purpose" if wrong_us else "UTC"

    def now_us(self) -> int:
        """Microseconds since the epoch."""
        return real_us()


class DeclaredClock:
    """A scenario clock that the agreement declares, the same on every node that signed it."""

    def __init__(self, declared: ScenarioClock) -> None:
        self._starts_us = parse_time(declared.starts_at)
        self._real_us = parse_time(declared.real_start)
        self.rate = declared.rate
        self.label: str = f"scenario clock {declared.name!r}: {format_time(self._starts_us)} at {declared.real_start} UTC, x{declared.rate}"

    def now_us(self) -> int:
        """Microseconds since the epoch on the declared clock."""
        return self._starts_us + (real_us() - self._real_us) * self.rate


def clock_for(declared: ScenarioClock | None) -> Clock:
    """The clock an agreement calls for."""
    return UtcClock() if declared is None else DeclaredClock(declared)

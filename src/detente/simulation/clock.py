"""Simulated time: one timeline of events, and each node's own clock, which may be wrong."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush


class Timeline:
    """What happens when; time stands still while something happens."""

    def __init__(self, start_us: int) -> None:
        self.now_us = start_us
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0  # events of one instant happen in the order they were put there

    def after(self, delay_us: int, act: Callable[[], None]) -> None:
        """Have something happen in a while."""
        self._count += 1
        heappush(self._events, (self.now_us + max(0, delay_us), self._count, act))

    def run_until(self, end_us: int) -> None:
        """Let everything up to an instant happen."""
        while self._events and self._events[0][0] <= end_us:
            self.now_us, _, act = heappop(self._events)
            act()
        self.now_us = max(self.now_us, end_us)


class NodeClock:
    """The clock on one node's wall: the timeline, off by an offset."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.offset_us = 0

    def now_us(self) -> int:
        """Microseconds since the epoch, as this node believes."""
        return self._timeline.now_us + self.offset_us

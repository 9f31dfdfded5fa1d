"""The network between simulated nodes: it delays, and under faults loses, doubles and reorders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from detente.simulation import faults
from detente.simulation.chance import Chance
from detente.simulation.clock import Timeline
from detente.simulation.faults import Faults
from detente.units import US_PER_S

DELAY_US = (5_000, 60_000)  # one way, between two headquarters of one continent
LATE_US = (1 * US_PER_S, 90 * US_PER_S)  # of a frame that is overtaken by many others


class Network:
    """Carries bytes between nodes by name."""

    def __init__(self, timeline: Timeline, chance: Chance, active: Faults) -> None:
        self._timeline = timeline
        self._chance = chance
        self.faults = active
        self.cut: set[frozenset[str]] = set()
        self.counts: Counter[str] = Counter()

    def send(
        self, sender: str, recipient: str, data: bytes, deliver: Callable[[bytes], None]
    ) -> None:
        """Carry bytes; `deliver` is called at the other end as often as they arrive."""
        chance, active = self._chance, self.faults
        self.counts["frames"] += 1
        if active.loss and chance.happens(faults.LOSS):
            self.counts["lost"] += 1
            return
        doubled = active.duplication and chance.happens(faults.DUPLICATION)
        for _ in range(1 + doubled):
            delay_us = chance.between(*DELAY_US)
            if active.reordering and chance.happens(faults.REORDERING):
                self.counts["late"] += 1
                delay_us = chance.between(*LATE_US)
            self._timeline.after(delay_us, lambda: self._arrive(sender, recipient, data, deliver))

    def _arrive(
        self, sender: str, recipient: str, data: bytes, deliver: Callable[[bytes], None]
    ) -> None:
        if frozenset((sender, recipient)) in self.cut:
            self.counts["cut"] += 1
            return
        deliver(data)

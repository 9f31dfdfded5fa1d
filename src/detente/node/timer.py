"""The node's timer: writes down deadlines as they pass, by the node's own clock.

One loop. It naps at most a second, however far the next deadline is: a clock may be set, and a machine may
sleep, so the clock is looked at again rather than trusted to have gone on. After a restart what came due
meanwhile is passed in the first turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from detente.errors import DetenteError
from detente.node.node import Node
from detente.protocol.core import Core
from detente.protocol.due import next_due, pass_due
from detente.protocol.effect import Effect
from detente.units import US_PER_S

NAP_S = 1.0
LEAST_NAP_S = (
    0.01  # between two turns when more is due than fits one transaction: others come first
)


class Timer:
    """Passes deadlines of one node.

    Args:
        alternates: peers that have a second address.

    Attributes:
        turns: how often it has looked.
    """

    def __init__(self, node: Node, alternates: Collection[str] = ()) -> None:
        self._node, self._alternates = node, alternates
        self.turns = 0

    async def run(self) -> None:
        """Look again and again."""
        while True:
            try:
                left_s = await self._node.run(self.turn)
            except DetenteError:
                left_s = NAP_S  # a queue or a disk that is full now: a second later
            await asyncio.sleep(left_s)

    def turn(self, core: Core) -> tuple[float, list[Effect]]:
        """Pass what is due; how long to nap, in real seconds, before looking again."""
        self.turns += 1
        now_us = self._node.now_us()
        effects = [
            *self._node.take_keys(core),
            *pass_due(core, now_us, self._alternates),
        ]
        due_us = next_due(core.state, now_us)
        if due_us is None:
            return NAP_S, effects
        if due_us <= now_us and not effects:
            return NAP_S, effects  # due, and no room to say so
        left_s = (due_us - now_us) / US_PER_S / self._node.clock.rate
        return min(NAP_S, max(LEAST_NAP_S, left_s)), effects

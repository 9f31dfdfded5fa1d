"""A simulated line: one chain's loop to one peer, as `detente.node.line` runs it, on simulated time."""

from __future__ import annotations

from collections.abc import Callable

from detente.errors import DetenteError
from detente.protocol.core import Core
from detente.protocol.link import Frame
from detente.simulation.clock import Timeline
from detente.simulation.network import Network
from detente.simulation.node import Crashed, SimNode
from detente.units import US_PER_S

RETRY_FIRST_US = US_PER_S // 5
RETRY_MOST_US = 30 * US_PER_S
LOST_US = 2 * US_PER_S + US_PER_S // 10
ACK_DELAY_US = US_PER_S // 10
BEAT_US = (
    600 * US_PER_S
)  # a real node's beat is shorter; a day of beats would be most of what is played
TIMEOUT_US = 20 * US_PER_S


class Line:
    """Exchanges frames whenever there is something, and now and then when there is not.

    Args:
        serve: hands a frame to the peer's node, with the way its answer takes back.
    """

    def __init__(
        self,
        node: SimNode,
        peer: str,
        chain: str,
        timeline: Timeline,
        network: Network,
        serve: Callable[[str, bytes, Callable[[bytes], None]], None],
    ) -> None:
        self.node, self.peer, self.chain = node, peer, chain
        self.chains = ("safety",) if chain == "safety" else ("safety", "ordinary")
        self._timeline, self._network, self._serve = timeline, network, serve
        self._life: Core | None = None
        self._turn = 0  # a timer or answer of an earlier turn moves nothing
        self._waiting = self._woken = self._ack_due = False
        self._pause_us = 0
        self._held: dict[str, int] = {}

    def start(self) -> None:
        """Begin, after the node has started."""
        self._pause_us = 0
        self._woken = False
        if self.chain == "ordinary":
            self._wait(0)
        else:
            self._waiting = True  # the ordinary loop begins, and beats for both
            self._turn += 1

    def wake(self) -> None:
        """There may be something to send."""
        self._woken = True
        if self._waiting:
            self._wait(0)

    def _next(self, delay_us: int, act: Callable[[], None]) -> None:
        self._turn += 1
        turn = self._turn

        def due() -> None:
            if turn == self._turn and self.node.core is not None:
                act()

        self._timeline.after(delay_us, due)

    def _wait(self, delay_us: int) -> None:
        self._waiting = True
        self._next(delay_us, self._due)

    def _due(self) -> None:
        self._waiting = False
        woken = self._woken or self.chain == "safety"  # the ordinary loop beats for both
        self._woken = False
        if woken and not self._ack_due:
            news, unheld = self._look()
            if not news:
                self._rest(unheld)
                return
        self._exchange()

    def _rest(self, unheld: bool) -> None:
        if self._ack_due:
            self._wait(ACK_DELAY_US)
        elif unheld:
            self._wait(LOST_US)
        elif self.chain == "ordinary":
            self._wait(BEAT_US)
        else:
            self._waiting = True  # until something is to be said
            self._turn += 1

    def _look(self) -> tuple[bool, bool]:
        core, now_us = self.node.running, self.node.now_us()
        link = core.link(self.peer)
        waits = link.state == "cold" and any(self.peer in i.waiting for i in core.intents.values())
        news = waits or any(core.has_news(self.peer, chain, now_us) for chain in self.chains)
        heads = core.state.heads(True, self.peer)
        return news, any(heads[c].sequence > link.acked[c].sequence for c in self.chains)

    def _exchange(self) -> None:
        self._ack_due = False
        try:
            data = self.node.write(self.peer, self.chains)
        except (Crashed, DetenteError):
            self._failed()
            return
        self._next(TIMEOUT_US, self._failed)
        turn = self._turn
        self._network.send(
            self.node.name,
            self.peer,
            data,
            lambda arrived: self._serve(
                self.peer, arrived, lambda answer: self._answered(turn, answer)
            ),
        )

    def _answered(self, turn: int, answer: bytes) -> None:
        """An answer came; a late or doubled one is taken too, but moves nothing here."""
        if self.node.core is None:
            return
        try:
            frame = self.node.take(answer)
        except (Crashed, DetenteError):
            frame = None
        if turn != self._turn or self.node.core is None:
            return
        if frame is None:
            self._failed()
            return
        link = self.node.core.link(self.peer)
        for chain in self.chains:  # what the answer does not acknowledge goes again
            link.offered.pop(chain, None)
        self._pause_us = 0
        self._ack_due = bool(frame.messages)
        news, unheld = self._look()
        progress = bool(frame.messages) or self._acknowledges(frame)
        if news and progress:
            self._next(0, self._exchange)
        else:
            self._rest(unheld)

    def _acknowledges(self, frame: Frame) -> bool:
        held = {c: frame.received[c].sequence for c in self.chains}
        more = any(held[c] > self._held.get(c, -1) for c in self.chains)
        self._held = held
        return more

    def _failed(self) -> None:
        self._pause_us = min(max(RETRY_FIRST_US, self._pause_us * 2), RETRY_MOST_US)
        if self.node.core is not None:
            self.node.core.link(self.peer).offered.clear()
        self._next(self._pause_us, self._exchange)

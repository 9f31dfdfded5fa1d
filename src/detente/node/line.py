"""Lines: this node's own calls to its peers and witnesses.

Each peer has two loops, one for each chain, so that a safety statement never waits behind ordinary
ones. A loop that fails backs off and tries for as long as it takes: either node may be down for days.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
import time
from collections import deque
from typing import TYPE_CHECKING

import httpx
import msgspec

from detente.errors import DetenteError, PeerError, UnavailableError
from detente.hotline.health import Path
from detente.limits import FRAME_BYTES
from detente.node import tls
from detente.node.outcome import trace
from detente.protocol.core import Core
from detente.protocol.detour import is_urgent
from detente.protocol.effect import Alert, Effect
from detente.protocol.incoming import (
    next_frame,
    read_frame,
    take_frame,
    write_frame,
)
from detente.protocol.linestate import check_by_alternate
from detente.units import US_PER_S

if TYPE_CHECKING:
    from detente.node.node import Node

log = logging.getLogger("detente")

RETRY_FIRST_S = 0.2
LOST_S = 2.1  # just over the time after which a frame counts as lost
ACK_DELAY_S = 0.1  # time for a next statement to carry the acknowledgement along
TIMEOUT_S = 20.0
OFFSETS_KEPT = 8
_CODE = re.compile(r"[a-z0-9-]{1,64}")


def peer_client(
    node: Node, core: Core, party: str, address: str | None = None
) -> httpx.AsyncClient:
    """A client that reaches one party's node and nobody else, at whatever address.

    Args:
        address: another than that of its card.
    """
    card = core.state.cards[party]
    authority = tls.check_authority(card.tls_ca, card.root, party)
    context = tls.client_context(node.home.tls_chain, authority)
    node.tls_contexts.append(context)
    return httpx.AsyncClient(
        base_url=address or card.address,
        verify=context,
        timeout=TIMEOUT_S,
        trust_env=False,
    )


def why_failed(who: str, error: Exception, before: str | None) -> str:
    """Why a try at another node failed, to be shown; a fault of ours is logged too.

    Args:
        who: what the log calls it.
        before: why the last try failed, None if it did not.
    """
    if isinstance(error, httpx.HTTPError | DetenteError | OSError):
        return str(error) or type(error).__name__
    return _fault(who, error, before)


def _fault(who: str, error: Exception, before: str | None) -> str:
    kind = f"fault: {type(error).__name__}"
    if kind != before:  # once, not at every try
        log.error("%s: %s", who, trace(error))
    return kind


async def ask_peer(
    client: httpx.AsyncClient,
    path: str,
    content: bytes,
    most_bytes: int,
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of what a peer answers, never more than `most_bytes` of it.

    Raises:
        PeerError: ``answer-too-large``.
    """
    parts: list[bytes] = []
    size = 0
    async with client.stream(method, path, content=content, headers=headers) as response:
        async for part in response.aiter_bytes():
            size += len(part)
            if size > most_bytes:
                raise PeerError(
                    "answer-too-large",
                    f"answer is over {most_bytes} bytes; it must be at most that",
                )
            parts.append(part)
    return response.status_code, b"".join(parts)


def answered(status: int, body: bytes) -> str:
    """An answer that was not 200, in a few words of ours: the peer's own words are not repeated."""
    try:
        code = str(msgspec.json.decode(body)["error"]["code"])
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, ValueError):
        code = ""
    return f"answered {status}" + (f" {code}" if _CODE.fullmatch(code) else "")


class Line:
    """One chain's loop to one peer.

    Attributes:
        alternate: reaches the peer's second address, where the settings name one; only what is on the
            safety chain goes there, for such a way may be thin.
        detoured: the first address is silent; while it is, both are tried, the second first.
        safety: of the ordinary loop the other one, which is told when the first address answers.
    """

    def __init__(
        self,
        node: Node,
        peer: str,
        chain: str,
        client: httpx.AsyncClient,
        alternate: httpx.AsyncClient | None = None,
    ) -> None:
        self.node, self.peer, self.chain, self.client = node, peer, chain, client
        self.alternate = alternate
        self.safety: Line | None = None
        self.detoured = False
        self._path: Path = "first"
        self.wake = asyncio.Event()
        self.failing: str | None = None
        self._offsets: deque[tuple[float, int]] = deque(maxlen=OFFSETS_KEPT)
        self._offset_alarm = False
        self._ack_due = False
        self._held: dict[str, int] = {}

    async def run(self) -> None:
        """Exchange frames whenever there is something, and now and then when there is not."""
        pause_s = 0.0
        wait_s = 0.0 if self.chain == "ordinary" else self.node.home.config.heartbeat_s
        while True:
            try:
                if pause_s:
                    await self._rest(pause_s * random.uniform(0.7, 1.0))
                wait_s = await self._turn(None if pause_s else wait_s)
                pause_s = 0.0
            except Exception as error:
                pause_s = min(max(RETRY_FIRST_S, pause_s * 2), self.node.home.config.retry_most_s)
                self._failed(error)
                if self.detoured:
                    self._path = "alternate" if self._path == "first" else "first"
                # a queue that is full now: it goes again later
                with contextlib.suppress(DetenteError):
                    await self.node.do(lambda core: core.link(self.peer).offered.clear())
                    if not self.detoured:
                        await self._detour_if_urgent()
                        pause_s = 0.0 if self.detoured else pause_s

    async def _rest(self, pause_s: float) -> None:
        """Wait before the next try; what is urgent does not wait where there is another address."""
        until_s, detoured = time.monotonic() + pause_s, self.detoured
        while self.alternate is not None and detoured == self.detoured:
            try:
                await asyncio.wait_for(self.wake.wait(), max(0.0, until_s - time.monotonic()))
            except TimeoutError:
                return
            self.wake.clear()
            await self._detour_if_urgent()
        await asyncio.sleep(0.0 if self.alternate is not None else pause_s)

    async def _detour_if_urgent(self) -> None:
        if self.alternate is None or self.detoured:
            return
        if await self.node.run(self._go_round):
            self.detour()

    def _go_round(self, core: Core) -> tuple[bool, list[Effect]]:
        if not is_urgent(core, self.peer):
            return False, []
        return True, check_by_alternate(core, self.peer, self.node.now_us())

    def detour(self) -> None:
        """Go by the second address, now and until the first one answers again."""
        if self.alternate is None:
            return
        self.detoured, self._path = True, "alternate"
        self.wake.set()

    def _answered(self, path: Path) -> None:
        """The peer answered at an address."""
        if path == "alternate":
            return
        line = self.safety or self
        if line.detoured:
            line.detoured, line._path = False, "first"
            self.node.tell(
                Alert("line-first", f"{self.peer} answers at its first address again", self.peer)
            )

    async def _turn(self, wait_s: float | None) -> float:
        """Wait for something to send (None: exchange at once), exchange, and say how long to wait next."""
        data = None
        if wait_s is not None:
            try:
                await asyncio.wait_for(self.wake.wait(), wait_s)
                woken = True
            except TimeoutError:
                # the ordinary loop beats for both, where it reaches the peer
                woken = self.chain == "safety" and not self.detoured
            self.wake.clear()
            if woken:
                data, unheld = await self.node.do(self._write_news)
                if data is None:  # it left with the answer to a frame of the peer's
                    return self._next_wait_s(False, unheld)
        news, unheld = await self.exchange(data)
        if self.failing is not None:
            self.failing = None
            self.node.tell(Alert("line-up", f"the line to {self.peer} answers again", self.peer))
        return self._next_wait_s(news, unheld)

    def _next_wait_s(self, news: bool, unheld: bool) -> float:
        if news:
            return 0.0
        beat_s = self.node.home.config.heartbeat_s
        if self._ack_due:
            return ACK_DELAY_S
        return min(LOST_S, beat_s) if unheld else beat_s

    @property
    def _chains(self) -> tuple[str, ...]:
        return ("safety",) if self.chain == "safety" else ("safety", "ordinary")

    def _look(self, core: Core) -> tuple[bool, bool]:
        """Whether there is something to send now, and whether something is not yet held by the peer."""
        link, now_us = core.link(self.peer), self.node.now_us()
        waits = link.state == "cold" and any(
            self.peer in intent.waiting for intent in core.intents.values()
        )
        news = waits or any(core.has_news(self.peer, chain, now_us) for chain in self._chains)
        heads = core.state.heads(True, self.peer)
        return news, any(
            heads[chain].sequence > link.acked[chain].sequence for chain in self._chains
        )

    def _failed(self, error: Exception) -> None:
        if isinstance(error, httpx.HTTPError | OSError):
            kind = type(error).__name__
        elif isinstance(error, DetenteError):
            kind = error.message if error.code == "peer-answered" else error.code
        else:  # a fault of ours that this peer brought out: its line backs off, the others go on
            kind = _fault(f"line to {self.peer}", error, self.failing)
        self.node.counters[f"line-failed:{self.peer}"] += 1
        if self.failing is None:
            self.node.tell(
                Alert(
                    "line-down",
                    f"the line to {self.peer} does not answer ({kind}); statements wait",
                    self.peer,
                )
            )
        self.failing = kind

    def _write_news(self, core: Core) -> tuple[bytes | None, bool]:
        news, unheld = self._look(core)
        return (self._write(core, self._chains) if news else None), unheld

    async def exchange(self, data: bytes | None = None) -> tuple[bool, bool]:
        """Send the next frame (or the one given) and take the answer; what `_look` says afterwards."""
        self._ack_due = False
        if data is None:
            data = await self.node.do(lambda core: self._write(core, self._chains))
        path = self._path
        client = self.alternate if path == "alternate" and self.alternate else self.client
        sent_us, started = self.node.now_us(), time.monotonic()
        status, answer = await ask_peer(client, "/peer/v1/frames", data, FRAME_BYTES)
        took_s = time.monotonic() - started
        if status != 200:
            raise UnavailableError("peer-answered", answered(status, answer))
        news, unheld, taken = await self.node.run(
            lambda core: self._take(core, answer, (sent_us, took_s), path)
        )
        if taken:
            self._answered(path)
        return bool(news), bool(unheld)

    def _write(self, core: Core, chains: tuple[str, ...]) -> bytes:
        return write_frame(core, next_frame(core, self.peer, self.node.now_us(), chains=chains))

    def _take(
        self, core: Core, data: bytes, sent: tuple[int, float], path: Path
    ) -> tuple[tuple[bool, bool, bool], list[Effect]]:
        now_us = self.node.now_us()
        try:
            frame = read_frame(core, data, now_us)
            if frame.sender != self.peer:
                raise PeerError(
                    "frame-misdirected",
                    f"answer is from {frame.sender}; it must be from {self.peer}",
                    evidence=data[:1024],
                )
        except PeerError as error:
            core.keep_evidence(now_us, self.peer, error)
            return (False, False, False), [
                Alert("not-taken", f"an answer from {self.peer} was not taken: {error}", self.peer)
            ]
        met = core.link(self.peer).their_run != frame.run
        taken = take_frame(core, frame, now_us)
        self._measure(core, frame.time_us, sent, now_us, taken.effects)
        link = core.link(self.peer)
        if path == "alternate" and link.path != path:
            message = f"{self.peer} is reached at its second address only; ordinary statements wait"
            taken.effects.append(Alert("line-alternate", message, self.peer))
        link.path = path
        for (
            chain
        ) in self._chains:  # what the answer does not acknowledge was not taken: it goes again
            link.offered.pop(chain, None)
        self._ack_due = bool(frame.messages)
        heads = core.state.heads(True, self.peer)
        news = any(core.has_news(self.peer, chain, now_us) for chain in self._chains)
        unheld = any(heads[chain].sequence > link.acked[chain].sequence for chain in self._chains)
        # a line that took nothing and says so again and again must not spin
        progress = (
            taken.logged
            or taken.duplicates
            or any(frame.received[c].sequence > self._held.get(c, -1) for c in self._chains)
        )
        self._held = {c: frame.received[c].sequence for c in self._chains}
        # a run of the peer's that has just begun can compare heads only with a frame that answers it
        return (met or (news and bool(progress)), unheld, True), taken.effects

    def _measure(
        self, core: Core, their_us: int, sent: tuple[int, float], now_us: int, effects: list[Effect]
    ) -> None:
        """The peer's clock against ours, from the quickest exchange of late (as NTP does)."""
        sent_us, took_s = sent
        self._offsets.append((took_s, their_us - (sent_us + now_us) // 2))
        offset_us = min(self._offsets)[1]
        core.link(self.peer).offset_us = offset_us
        agreement = core.state.agreement
        limit_s = agreement.terms.clock_offset_limit_s if agreement else 5
        beyond = abs(offset_us) > limit_s * US_PER_S and len(self._offsets) >= 2
        if beyond and not self._offset_alarm:
            message = f"the clock of {self.peer} is {offset_us / US_PER_S:+.3f} s from ours; the agreement allows {limit_s} s"
            effects.append(core.alarm(now_us, "clock-offset", message, self.peer))
        self._offset_alarm = beyond

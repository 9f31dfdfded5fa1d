"""Has this node's checkpoints stamped by an authority of time stamps (RFC 3161), when there is something new."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from detente.errors import DetenteError, PeerError, UnavailableError, UsageError
from detente.ledger.timestamp import QUERY_TYPE, make_query, parse_stamp, take_reply
from detente.limits import STAMP_BYTES
from detente.node.outcome import trace
from detente.protocol.core import Core
from detente.units import US_PER_S, format_time

if TYPE_CHECKING:
    from detente.node.node import Node

log = logging.getLogger("detente")

FIRST_S = 5.0  # after the start; then once in `every_s`
RETRY_FIRST_S = 60.0
TIMEOUT_S = 20.0  # for a whole answer, however slowly it comes


class TimeStamp(msgspec.Struct, frozen=True):
    """A checkpoint of ours, and by when it existed.

    Attributes:
        verified: it led to the certificate in the settings when it came.
    """

    size: int
    time: str
    authority: str
    policy: str
    verified: bool


class Stamping:
    """What this node asks of its authority of time stamps; nothing waits for it but who asked."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.failing: str | None = None
        self._one = asyncio.Lock()

    async def run(self, every_s: float) -> None:
        """Once in `every_s`, if there is a checkpoint that is not stamped; after a failure sooner, and then later and later."""
        pause_s = FIRST_S
        while True:
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.0))
            try:
                await self.stamp()
                pause_s = every_s
            except Exception as error:  # whatever it is, it is no reason to end the node
                if not isinstance(error, DetenteError):
                    log.error("time stamp: %s", trace(error))
                pause_s = min(every_s, max(RETRY_FIRST_S, 2 * pause_s))

    async def stamp(self) -> TimeStamp:
        """Have the newest checkpoint stamped, unless it is.

        Raises:
            UsageError: ``timestamp-unset``: the settings name no authority, or their certificate is none.
            UnavailableError: the authority does not answer, or nothing is signed yet.
            PeerError: its answer is no time stamp for what was asked.
        """
        settings = self.node.home.config.timestamp
        if settings is None:
            raise UsageError(
                "timestamp-unset",
                "no authority of time stamps is set; config.toml must name one",
                hint='add to config.toml: [timestamp] and url = "https://…", then start the node again',
            )
        async with self._one:
            try:
                found = await self._stamp(settings.url, settings.policy)
            except DetenteError as error:
                if self.failing != error.code:
                    log.warning("time stamp: %s", error.code)
                self.failing = error.code
                raise
            self.failing = None
            return found

    async def _stamp(self, url: str, policy: str | None) -> TimeStamp:
        roots = self.node.home.timestamp_roots()
        size, note = await self.node.run(lambda core: (self._newest(core), []))
        kept: TimeStamp | None = await self.node.do(lambda core: self._kept(core, size))
        if kept is not None:
            return kept
        query, nonce = make_query(note)
        stamp = take_reply(await ask_authority(url, query), note, nonce, policy=policy, roots=roots)

        def keep(core: Core) -> TimeStamp:
            found = core.journal.checkpoint(size)
            if found is None or found[1] != note:
                raise UnavailableError(
                    "checkpoint-gone",
                    "the checkpoint was replaced while it was stamped; it must be stamped again",
                )
            core.journal.put_stamp(size, stamp.token, verified=bool(roots))
            self.node.counters["stamped"] += 1
            kept = self._kept(core, size)
            assert kept is not None
            return kept

        taken: TimeStamp = await self.node.do(keep)
        return taken

    def state(self, core: Core) -> dict[str, Any]:
        """Whether there is an authority, the newest stamp, and what is in the way."""
        newest = core.journal.newest_stamp()
        kept = None if newest is None else self._kept(core, newest)
        return {
            "configured": self.node.home.config.timestamp is not None,
            "newest": None if kept is None else msgspec.to_builtins(kept),
            "failing": self.failing,
        }

    def _newest(self, core: Core) -> tuple[int, str]:
        with contextlib.suppress(
            UnavailableError
        ):  # lines are cold: what was signed before must do
            core.checkpoint(self.node.now_us())
        found = core.journal.checkpoint()
        if found is None:
            raise UnavailableError(
                "checkpoint-missing",
                "no checkpoint is signed yet; a line must have been open once",
            )
        return found

    @staticmethod
    def _kept(core: Core, size: int) -> TimeStamp | None:
        found = core.journal.stamp(size)
        if found is None:
            return None
        stamp = parse_stamp(found[0])
        return TimeStamp(
            size, format_time(stamp.time_s * US_PER_S), stamp.authority, stamp.policy, found[1]
        )


async def ask_authority(url: str, query: bytes) -> bytes:
    """What an authority of time stamps answers, never more than a stamp may have.

    Raises:
        UnavailableError: ``timestamp-unreachable`` or ``timestamp-answered``. PeerError: ``stamp-too-large``.
    """
    body = b""
    headers = {"Content-Type": QUERY_TYPE, "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client,
            client.stream("POST", url, content=query, headers=headers) as response,
        ):
            if response.status_code != 200:
                raise UnavailableError(
                    "timestamp-answered",
                    f"authority of time stamps answered {response.status_code}; it must answer 200",
                )
            async for part in response.aiter_raw():
                body += part
                if len(body) > STAMP_BYTES:
                    raise PeerError(
                        "stamp-too-large",
                        f"answer of the authority of time stamps is over {STAMP_BYTES} bytes; it must be at most that",
                    )
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        raise UnavailableError(
            "timestamp-unreachable",
            f"authority of time stamps does not answer ({type(error).__name__}); its address must be right, and the network there",
            hint="try again later; everything else goes on without it",
        ) from None
    return body

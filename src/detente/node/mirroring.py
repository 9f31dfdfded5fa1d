"""Brings this node's log to one mirror: after a head was cosigned there, the entries below it."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import random
from functools import partial
from typing import TYPE_CHECKING

import httpx

from detente.errors import PeerError, UnavailableError
from detente.ledger.leaf import leaf_bytes
from detente.ledger.mirror import (
    INFO_BYTES,
    UPLOAD_TYPE,
    Upload,
    make_package,
    parse_info,
    verify_mirrored,
)
from detente.ledger.note import NOTE_BYTES
from detente.limits import MIRROR_UPLOAD_PACKAGES
from detente.node.line import answered, ask_peer, why_failed
from detente.protocol.core import Core
from detente.protocol.effect import Effect

if TYPE_CHECKING:
    from detente.node.node import Node

EVERY_S = 2.0
ABSENT_S = 600.0  # before a cosigner that mirrors nothing is asked again
REQUESTS_A_TURN = 1000  # a million entries; then the loop draws breath
HEADERS = {"Content-Type": UPLOAD_TYPE, "Content-Encoding": "gzip"}


class Mirroring:
    """Uploads this node's entries to one mirror, from where that is."""

    def __init__(self, node: Node, mirror: str, client: httpx.AsyncClient) -> None:
        self.node, self.mirror, self.client = node, mirror, client
        self.failing: str | None = None
        self.absent = False
        self.full = False

    async def run(self) -> None:
        """Whenever a newer head was cosigned there."""
        pause_s = EVERY_S
        while True:
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.0))
            try:
                await self.submit()
                self.failing, pause_s = None, ABSENT_S if self.absent else EVERY_S
            except Exception as error:
                self.failing = why_failed(f"mirror {self.mirror}", error, self.failing)
                pause_s = min(pause_s * 2, self.node.home.config.retry_most_s)

    async def submit(self) -> None:
        """Bring the mirror up to the head that was cosigned there last.

        Raises:
            UnavailableError: ``mirror-answered``: it refused, or its answers lead nowhere.
        """
        self.absent = False
        before: tuple[int, int] | None = None
        for _ in range(REQUESTS_A_TURN):
            request = await self.node.do(self._request)
            if request is None:
                return
            size, body = request
            status, answer = await ask_peer(
                self.client,
                "/witness/add-entries",
                gzip.compress(body, 6, mtime=0),
                max(INFO_BYTES, NOTE_BYTES),
                headers=HEADERS,
            )
            if status == 404:
                self.absent = True  # a witness need not be a mirror
                return
            self.full = status == 507 and b"mirror-full" in answer
            if self.full:
                await self.node.run(self._alarm)
            if status == 200:
                lines = answer.decode("utf-8", "replace")
                await self.node.do(partial(self._keep, size=size, lines=lines))
                return
            if status not in (202, 409):
                raise UnavailableError("mirror-answered", answered(status, answer))
            info = parse_info(answer)
            place = (info.size, info.next)
            if place == before:
                raise UnavailableError("mirror-answered", "the mirror stays where it is")
            before = place
            await self.node.do(partial(self._resume, at=info.next))

    def _alarm(self, core: Core) -> tuple[None, list[Effect]]:
        message = f"the copy of our log at {self.mirror} has reached its limit; no more of it is stored there"
        return None, core.alarm_once(self.node.now_us(), "mirror-full", message, self.mirror)

    def _resume(self, core: Core, at: int) -> None:
        core.journal.put_value(self._name(core), at)

    def _name(self, core: Core) -> str:
        return f"mirror:{self.mirror}:{core.origin}"

    def _request(self, core: Core) -> tuple[int, bytes] | None:
        size = int(core.journal.value(f"cosigner:{self.mirror}:{core.origin}") or 0)
        if core.fault is not None or not 0 < size <= core.tree.size:
            return None
        found = core.journal.checkpoint(size)
        if (
            found is None
            or found[1].partition("\n")[0] != core.origin
            or self.mirror in core.journal.mirrored(size)
        ):
            return None
        start = min(size, int(core.journal.value(self._name(core)) or 0))
        upload = Upload(core.origin, start, size)
        parts = [upload.encode()]
        for first, end in itertools.islice(upload.intervals(), MIRROR_UPLOAD_PACKAGES):
            rows = [core.journal.entry(index) for index in range(first, end)]
            leaves = [leaf_bytes(core.open_leaf(one)) for one in rows if one is not None]
            parts.append(make_package(core.tree, first, leaves, size).encode())
        return size, b"".join(parts)

    def _keep(self, core: Core, size: int, lines: str) -> None:
        found = core.journal.checkpoint(size)
        assert found is not None, "a head that was uploaded is kept"
        core.journal.put_value(self._name(core), size)
        for public in core.state.keys.signing_keys(self.mirror, self.node.now_us()):
            try:
                line = verify_mirrored(found[1].rstrip("\n") + "\n" + lines, self.mirror, public)
            except PeerError:
                continue  # while one key takes over from another, either may have signed
            core.journal.put_mirrored(size, self.mirror, line)
            self.node.counters["mirrored"] += 1
            return
        raise UnavailableError(
            "mirror-unsigned", f"the line of the mirror of {self.mirror} does not verify"
        )

"""The server: three doors to one node. Peers (mutual TLS), operators (the API), and the local socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import logging.handlers
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import uvicorn

from detente.errors import DetenteError, UnavailableError
from detente.node import courierrun, tls
from detente.node.api import api_app
from detente.node.cosigning import Cosigning, LoneCosigning
from detente.node.following import Following
from detente.node.home import Home, is_loopback, split_listen
from detente.node.line import Line, peer_client
from detente.node.linewatch import LineWatch
from detente.node.mirroring import Mirroring
from detente.node.node import Node
from detente.node.outcome import trace
from detente.node.peerdoor import peer_app
from detente.node.recordwatch import RecordWatch
from detente.node.timer import Timer
from detente.protocol.core import Core
from detente.protocol.effect import Detour, Effect, Send
from detente.protocol.linestate import is_missing

log = logging.getLogger("detente")

INDEX_SLICE = (
    100  # notices indexed at once after a start: some 50 ms, in which nothing else is answered
)
BACKLOG = 128  # connections that wait to be taken; twenty peers start at the same time at most
LOCK_WAIT_S = 10.0  # longer than any command but an audit of a large record has the directory open
RECORD_TURNS = 10  # of the watch over the lines: who vouches for the record matters in minutes
GRACE_S = 2  # for answers under way when the node is told to stop


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the node."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: three servers share one process."""
        yield


def _config(app: Any, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
        date_header=False,
        **options,
    )


class Serving:
    """A running node: its servers, its lines, its cosigners."""

    def __init__(self, node: Node, on_ready: Callable[[], None] = lambda: None) -> None:
        self.node = node
        self._on_ready = on_ready
        self.lines: dict[tuple[str, str], Line] = {}
        self.cosigning: dict[str, Cosigning] = {}
        self.mirroring: dict[str, Mirroring] = {}
        self.record = RecordWatch()
        self.watch = LineWatch(node.home.config.heartbeat_s)
        self.tasks: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()
        self.failed = False
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._trusted: set[bytes] = set()
        self._peer_tls: ssl.SSLContext | None = None
        self._api_tls: ssl.SSLContext | None = None

    def _authorities(self) -> list[bytes]:
        state = self.node.core.state
        return [
            tls.check_authority(card.tls_ca, card.root, card.party) for card in state.cards.values()
        ]

    async def run(self) -> None:
        """Serve until told to stop."""
        node, config = self.node, self.node.home.config
        own = self.node.home.card()
        self._trusted = set(self._authorities()) | {
            tls.check_authority(own.tls_ca, own.root, own.party)
        }
        self._peer_tls = tls.server_context(node.home.tls_chain, sorted(self._trusted))
        host, port = split_listen(config.listen, field="listen")
        api_host, api_port = split_listen(config.api, field="api")
        peer, api = _config(peer_app(node)), _config(api_app(node, self))
        local = _config(api_app(node, self, local=True))
        peer.load()
        peer.ssl = self._peer_tls
        if not is_loopback(api_host):
            api.load()
            api.ssl = self._api_tls = _api_tls(node.home)
        # bound here rather than by the servers: a port that is taken is told before anything has begun
        sockets = []
        try:
            sockets.append(_bind(host, port, "listen"))
            sockets.append(_bind(api_host, api_port, "api"))
            sockets.append(_bind_local(node.home))
        except BaseException:
            for one in sockets:
                one.close()
            raise
        servers = [_Server(one) for one in (peer, api, local)]
        node.worker.on_broken = self._broken
        node.on_effects(self._on_effects)
        node.on_keys(self._on_keys)
        node.worker.start()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._stop.set)
        running = [
            asyncio.create_task(server.serve(sockets=[one]))
            for server, one in zip(servers, sockets, strict=True)
        ]
        watcher = asyncio.create_task(self._stop.wait())
        try:
            while not all(one.started for one in servers):
                if any(one.done() for one in running):
                    break
                await asyncio.sleep(0.005)
            else:
                self.open_lines()
                self._open_lone_witnesses()
                self.ready.set()
                self._on_ready()
                self._task(self._index())
                self._task(self._watch_lines())
                self._task(Timer(node, node.home.config.alternates).run())
                if config.timestamp is not None:
                    self._task(node.stamping.run(config.timestamp.every_s))
                log.info("serving peers on %s, operators on %s", config.listen, config.api)
            await asyncio.wait([watcher, *running], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            for server in servers:
                server.should_exit = True
            # answers under way are finished; idle connections are no reason to wait
            until = self._loop.time() + GRACE_S
            while any(s.server_state.tasks for s in servers) and self._loop.time() < until:
                await asyncio.sleep(0.01)
            for server in servers:
                server.force_exit = True
            await asyncio.gather(*running, return_exceptions=True)
            watcher.cancel()
            with contextlib.suppress(DetenteError):
                await node.do(self._last_checkpoint)
            node.home.socket.unlink(missing_ok=True)
        if self.failed:
            raise UnavailableError(
                "node-failed",
                "the node stopped by a fault of its own; what was acknowledged is kept",
                hint="look at DIR/log/detente.log, then start it again",
            )

    def _last_checkpoint(self, core: Core) -> None:
        """Cover the whole log before stopping: a stopped node signs nothing, and must still prove."""
        if core.tree.size and core.state.peers:
            core.checkpoint(self.node.now_us())

    def _broken(self) -> None:
        self._loop.call_soon_threadsafe(self._fail)

    def _fail(self) -> None:
        self.failed = True
        self.stop()

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def open_lines(self) -> None:
        """Start the loops to every peer and cosigner that has none yet (after an agreement, too)."""
        core = self.node.core
        party = core.identity.party
        members = set(core.state.peers) | set(self.node.cosigners(core))
        for der in self._authorities():
            if der not in self._trusted and self._peer_tls is not None:
                self._peer_tls.load_verify_locations(cadata=der)
                self._trusted.add(der)
        for member in sorted(members - {party}):
            known = member in self.cosigning or (member, "ordinary") in self.lines
            if known:
                continue
            try:
                client = peer_client(self.node, core, member)
            except DetenteError as error:
                log.error("no line to %s: %s", member, error.code)
                continue
            if member in core.state.peers:
                self._open_line(core, member, client)
            if member in self.node.cosigners(core):
                cosigning = self.cosigning[member] = Cosigning(self.node, member, client)
                self._task(cosigning.run())
                agreement = core.state.agreement
                if agreement is not None and member in agreement.parties:
                    self._task(Following(self.node, member, client).run())
                mirroring = self.mirroring[member] = Mirroring(self.node, member, client)
                self._task(mirroring.run())

    def _open_lone_witnesses(self) -> None:
        for settings in self.node.home.config.witness:
            one = LoneCosigning(self.node, settings)
            self.cosigning[one.cosigner] = one
            self._task(one.run())

    def _open_line(self, core: Core, peer: str, client: httpx.AsyncClient) -> None:
        address = self.node.home.config.alternates.get(peer)
        other = peer_client(self.node, core, peer, address) if address else None
        safety = self.lines[peer, "safety"] = Line(self.node, peer, "safety", client, other)
        ordinary = self.lines[peer, "ordinary"] = Line(self.node, peer, "ordinary", client)
        ordinary.safety = safety
        if is_missing(core.state, peer):  # it was so when the node stopped
            safety.detour()
        self._task(safety.run())
        self._task(ordinary.run())

    async def _index(self) -> None:
        """Complete the live index in slices after a start, between other work."""
        while not await self.node.do(lambda core: core.index_live(INDEX_SLICE)):
            await asyncio.sleep(0.005)

    async def _watch_lines(self) -> None:
        """Look at every line once a second, and at the record now and then."""
        for turn in itertools.count(1):
            with contextlib.suppress(DetenteError):  # a queue that is full now: a second later
                await self.node.do(
                    lambda core: self.watch.look(
                        core, self.lines, self.node.now_us(), time.monotonic()
                    )
                )
            self._follow_cards()
            if turn % RECORD_TURNS == 0:
                with contextlib.suppress(DetenteError):
                    await self.node.run(self._look_at_record)
            await asyncio.sleep(1.0)

    def _look_at_record(self, core: Core) -> tuple[None, list[Effect]]:
        now_us = self.node.now_us()
        return None, self.record.look(core, now_us, self.node.clock.rate)

    def _follow_cards(self) -> None:
        """Call each party where its newest card says that it is; a second address of the settings stays."""
        cards = self.node.core.state.cards
        reached = [(peer, line.client) for (peer, _), line in self.lines.items()]
        reached += [(name, one.client) for name, one in self.cosigning.items()]
        for party, client in reached:
            card = cards.get(party)
            if card is not None and client.base_url != httpx.URL(card.address):
                log.info("%s is reached at another address from now on", party)
                client.base_url = card.address

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the node is told to stop."""
        return self._stop

    def _task(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a loop ended: %s", trace(error))
            self._fail()  # half a node is worse than none: whoever supervises it starts it again

    def _on_effects(self, effects: list[Effect]) -> None:
        peers = {effect.peer for effect in effects if isinstance(effect, Send)}
        if peers:
            self._loop.call_soon_threadsafe(self._wake, peers)
        detours = {effect.peer for effect in effects if isinstance(effect, Detour)}
        if detours:
            self._loop.call_soon_threadsafe(self._detour, detours)

    async def heads_seen(self) -> dict[str, str]:
        """The newest note of our log that each cosigner holds and answers with now."""
        found = await asyncio.gather(*(one.seen() for one in self.cosigning.values()))
        return {name: note for name, note in zip(self.cosigning, found, strict=True) if note}

    def _on_keys(self) -> None:
        self._loop.call_soon_threadsafe(self._take_certificate)

    def _take_certificate(self) -> None:
        """Show the new TLS certificate in each handshake from now on; connections that stand go on."""
        for context in (self._peer_tls, self._api_tls, *self.node.tls_contexts):
            if context is not None:
                context.load_cert_chain(self.node.home.tls_chain)

    def _detour(self, peers: set[str]) -> None:
        for peer in sorted(peers):
            if (peer, "safety") in self.lines:
                self.lines[peer, "safety"].detour()

    def _wake(self, peers: set[str]) -> None:
        if any((peer, "ordinary") not in self.lines for peer in peers):
            self.open_lines()
        for (peer, _), line in self.lines.items():
            if peer in peers:
                line.wake.set()


def _bind(host: str, port: int, field: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # accepted sockets inherit it: an answer's head and body leave in two writes, and without it the
        # second waits 40 ms for the first one's acknowledgement (measured: 50 ms a frame, then 10)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # a node that was killed must be able to start again while old connections linger
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise UnavailableError(
            "port-taken",
            f"{field} is {host}:{port}: {error.strerror or error}; it must be free",
            hint=f"end the other program, or change {field} in config.toml",
            field=field,
        ) from None
    bound.setblocking(False)
    return bound


def _bind_local(home: Home) -> socket.socket:
    home.socket.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(home.socket_address())
    os.chmod(home.socket, 0o600)
    bound.listen(BACKLOG)
    bound.setblocking(False)
    return bound


def _api_tls(home: Home) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(home.tls_chain)
    return context


def set_up_log(home: Home) -> None:
    """A rotating log in DIR/log, with kinds and ids and never content."""
    (home.path / "log").mkdir(mode=0o700, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        home.path / "log" / "detente.log",
        maxBytes=int(home.config.log_megabytes * 1_000_000),
        backupCount=home.config.log_files,
        encoding="utf-8",
    )
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def _open(home: Home) -> Node:
    """The node, once a command that has the directory open for its moment lets it go."""
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return Node(home)
        except UnavailableError as error:
            if (
                error.code != "directory-in-use"
                or time.monotonic() > until
                or _served_already(home)
            ):
                raise
        time.sleep(0.05)


def _served_already(home: Home) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(home.socket_address())
        except OSError:
            return False
    return True


def serve(home: Home, on_ready: Callable[[], None] = lambda: None) -> None:
    """Serve a node's directory until SIGINT or SIGTERM.

    Args:
        on_ready: called once all doors are open.

    Raises:
        UnavailableError: the directory is in use, a port is taken, or the node failed.
    """
    node = _open(home)
    courierrun.give_up(home)
    set_up_log(home)
    try:

        async def main() -> None:
            await Serving(node, on_ready).run()

        asyncio.run(main())
    finally:
        node.close()
        log.info("stopped")

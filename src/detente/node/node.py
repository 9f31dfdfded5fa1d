"""The node: a directory opened, its core at work, its clock, its events. No sockets here.

The command line uses it directly when the node is not running; the server when it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import logging
import os
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import msgspec

from detente.agreement.terms import verify_agreement_file
from detente.errors import DetenteError, PeerError, UsageError
from detente.ledger.checkpoint import cosigner_name, log_origin, log_owner, verify_checkpoint
from detente.ledger.policy import format_policy
from detente.ledger.witness import (
    WitnessAnswer,
    Witnessed,
    WitnessedHead,
    WitnessState,
    advance_witness,
    malformed_answer,
    parse_add_checkpoint,
)
from detente.node import rotation
from detente.node.clock import Clock, UtcClock, clock_for, offset_us, real_us
from detente.node.home import Home
from detente.node.mirror import Mirror
from detente.node.stamping import Stamping
from detente.node.store import Store
from detente.node.worker import Job, Worker
from detente.protocol import views
from detente.protocol.core import Core
from detente.protocol.effect import Alert, Effect, Send
from detente.protocol.identity import Identity
from detente.signing.key import PublicKeys
from detente.units import US_PER_S, format_time

log = logging.getLogger("detente")

EVENTS_KEPT = 1000


class Event(msgspec.Struct, frozen=True):
    """Something officers are told, numbered so that a listener misses none."""

    number: int
    time: str
    code: str
    message: str
    peer: str | None
    refs: tuple[str, ...]


def fold_core(identity: Identity, store: Store) -> Core:
    """A core on what the store holds."""
    # a fold makes many objects and no garbage: collecting among them took a third of the start
    gc.disable()
    try:
        core = Core(identity, store, os.urandom)
    finally:
        gc.enable()
    gc.freeze()  # what was folded lives as long as the node; looking at it again and again is waste
    return core


class Node:
    """A node's directory, opened by this process alone."""

    def __init__(self, home: Home) -> None:
        self.home = home
        offset_us()  # a clock that is set wrong by mistake ends here, not in the middle of something
        self._open = ExitStack()
        self._open.enter_context(home.lock())
        try:
            self.identity = home.identity()
            home.check_tls()
            self.store = Store.at(home.database, int(home.config.store_megabytes * 1_000_000))
            os.chmod(home.database, 0o600)
            self._open.callback(self.store.close)
            self.mirror = Mirror(self.store, self.identity.party)
            self.clock: Clock = UtcClock()
            self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
            self.counters: Counter[str] = Counter()
            self._event_number = 0
            self._wakers: list[Callable[[list[Effect]], None]] = []
            self._event_lock = threading.Lock()
            self._changes = 0
            self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
            self.worker = Worker(self.store, self._load, self._effects)
            self.worker.on_reloaded = lambda: self._effects(
                [Send(peer) for peer in self.core.state.peers]
            )
            self._set_clock()
            self.stamping = Stamping(self)
            self.tls_contexts: list[ssl.SSLContext] = []
            self._on_keys: list[Callable[[], None]] = []
            self._on_refold: list[Callable[[], None]] = []
            self.take_keys(self.core)
        except BaseException:
            self._open.close()
            raise

    def _load(self) -> Core:
        return fold_core(self.identity, self.store)

    def close(self) -> None:
        """Stop the worker, close the store, let the directory go."""
        self.worker.stop()
        self._open.close()

    @property
    def core(self) -> Core:
        """The core; touch it only from a job, or when no worker thread runs."""
        return self.worker.core

    def _set_clock(self) -> None:
        agreement = self.core.state.agreement
        self.clock = clock_for(agreement.terms.scenario_clock if agreement else None)

    def on_keys(self, act: Callable[[], None]) -> None:
        """Call `act` when other keys are in use (from the worker's thread)."""
        self._on_keys.append(act)

    def on_refold(self, act: Callable[[], None]) -> None:
        """Call `act` when the record was folded anew (from the worker's thread): what was made of the old fold goes."""
        self._on_refold.append(act)

    def take_keys(self, core: Core) -> list[Effect]:
        """Go on with keys whose time has come, and with what officers changed among them: part of a job."""
        taken = rotation.take_next(self.home, core, self.now_us())
        if not taken:
            return []
        self.identity = core.identity = self.home.identity()
        for act in self._on_keys:
            act()
        return [
            *(
                Alert("key-in-use", f"{use} key {key} is in use", None, (key,))
                for use, key in taken
            ),
            *(Send(peer) for peer in core.state.peers),
        ]

    def now_us(self) -> int:
        """The node's clock: UTC, or the exercise's declared one."""
        return self.clock.now_us()

    @staticmethod
    def clock_real_us() -> int:
        """The machine's clock: sessions expire by it, also in an exercise."""
        return real_us()

    # -- jobs ----------------------------------------------------------------------------------

    async def run(self, job: Job) -> Any:
        """Run a job and wait until it is durable."""
        return await asyncio.wrap_future(self.worker.submit(job))

    def run_now(self, job: Job) -> Any:
        """Run a job from a plain thread and wait until it is durable."""
        return self.worker.submit(job).result()

    async def do(self, act: Callable[[Core], Any]) -> Any:
        """Run something on the core that has no effects outside, and return its result."""
        return await self.run(lambda core: (act(core), []))

    def changed(self) -> int:
        """A number that grows with every commit that wrote something; see `wait_changed`."""
        return self._changes

    async def wait_changed(self, seen: int, timeout_s: float) -> None:
        """Wait until `changed()` is above `seen`, or the time is over."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._event_lock:
            if self._changes > seen:
                return
            self._waiting.append((loop, future))
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return
        finally:
            # whoever asks every second of a quiet night must not leave a future behind each time
            with self._event_lock:
                self._waiting = [one for one in self._waiting if one[1] is not future]

    def on_effects(self, waker: Callable[[list[Effect]], None]) -> None:
        """Call `waker` with effects after each commit (from the worker's thread)."""
        self._wakers.append(waker)

    def _effects(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Alert):
                self.tell(effect)
        for waker in self._wakers:
            waker(effects)
        with self._event_lock:
            self._changes += 1
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            loop.call_soon_threadsafe(_resolve, future)

    def tell(self, alert: Alert) -> None:
        """Add an event for officers; the log gets its kind and ids, never its content."""
        with self._event_lock:
            self._event_number += 1
            event = Event(
                self._event_number,
                format_time(self.now_us()),
                alert.code,
                alert.message,
                alert.peer,
                alert.refs,
            )
            self.events.append(event)
        self.counters[f"event:{alert.code}"] += 1
        log.info("event %s peer=%s refs=%s", alert.code, alert.peer, ",".join(alert.refs))

    # -- the agreement -------------------------------------------------------------------------

    def accept_agreement(self, core: Core, file: Any) -> tuple[dict[str, Any], list[Effect]]:
        """Bring a fully signed agreement into force here: a job.

        Raises:
            RefusedError: somebody has not signed. UsageError: this node is no member, or it is in force.
        """
        agreement, cards = verify_agreement_file(file)
        party = self.home.config.party
        if party not in agreement.members:
            raise UsageError(
                "not-a-member",
                f"party {party!r} is no member; the agreement names {', '.join(sorted(agreement.members))}",
            )
        if cards[party].root != self.home.card().root:
            raise UsageError(
                "not-a-member",
                f"the agreement names another root key for {party!r} than this directory's card",
            )
        if agreement.hash in core.state.agreements:
            raise UsageError(
                "agreement-in-force", f"agreement {agreement.hash[:12]} is in force already"
            )
        core.accept_agreement(file, real_us())
        self._set_clock()
        return {
            "agreement": agreement.hash,
            "parties": list(agreement.parties),
            "witnesses": list(agreement.witnesses),
        }, [Send(peer) for peer in core.state.peers]

    def rebuild(self, core: Core) -> tuple[dict[str, Any], list[Effect]]:
        """Throw the folded state away, fold the ledger anew and compare, byte for byte: a job."""
        before = views.projection(core)
        fresh = self.refold(core)
        after = views.projection(fresh)
        digests = [hashlib.sha256(one).hexdigest() for one in (before, after)]
        return {
            "identical": before == after,
            "before": digests[0],
            "after": digests[1],
            "bytes": len(after),
            "entries": fresh.tree.size,
        }, []

    def refold(self, core: Core) -> Core:
        """Fold the ledger anew and go on with that: a job."""
        fresh = self._load()
        fresh.links = core.links
        self.worker.core = fresh
        for act in self._on_refold:
            act()
        return fresh

    # -- being a witness ------------------------------------------------------------------------

    def witness(self, core: Core, body: bytes) -> tuple[WitnessAnswer, list[Effect]]:
        """Cosign another log's checkpoint if it extends what was cosigned before: a job.

        The new head is durable before the answer leaves: it shares the job's transaction.
        """
        try:
            request = parse_add_checkpoint(body)
        except PeerError as error:
            return malformed_answer(error), []
        origin = request.note.partition("\n")[0]
        parts = origin.split("/")
        party = parts[1] if len(parts) == 4 else ""
        key = (
            self._log_key(core, party, origin, request.note)
            if party != core.identity.party
            else None
        )
        kept = self.store.value(f"witness:{origin}")
        head = msgspec.convert(kept, WitnessedHead) if kept else None
        state = WitnessState({origin: head} if head else {})
        if key is None:
            return WitnessAnswer(404, "log is not known here\n"), []
        after, answer = advance_witness(
            state,
            request,
            logs={origin: key},
            signer=self.identity.signer,
            name=cosigner_name(core.identity.party),
            now_s=self.now_us() // US_PER_S,
        )
        if after is not state:
            new = after.heads[origin]
            self.store.put_value(f"witness:{origin}", msgspec.to_builtins(new))
            if self.store.witnessed(origin, new.size) is None:  # the first time bounds it best
                time_s = self.now_us() // US_PER_S
                self.store.put_witnessed(Witnessed(origin, new.size, time_s, new.root, new.note))
            self.counters["cosigned"] += 1
        effects: list[Effect] = []
        if answer.status == 422 and answer.evidence:
            for note in answer.evidence:
                core.keep_evidence(
                    self.now_us(),
                    party,
                    PeerError("log-inconsistent", answer.body.strip(), evidence=note.encode()),
                )
            # once: it is for the other side to ask again and again, and must not fill this ledger
            effects += core.alarm_once(
                self.now_us(),
                "log-inconsistent",
                f"the log of {party} does not extend what it showed before",
                party,
                heads=list(answer.evidence),
            )
        return answer, effects

    def mirrors(self, core: Core, origin: str) -> bool:
        """Whether the log of this origin is mirrored here: another member's, and a witness mirrors if told to."""
        parts = origin.split("/")
        party = parts[1] if len(parts) == 4 else ""
        return (
            (self.home.config.mirror or self.home.config.role != "neutral")
            and party != core.identity.party
            and bool(core.state.keys.signing_keys(party, self.now_us()))
        )

    def _log_key(self, core: Core, party: str, origin: str, note: str) -> PublicKeys | None:
        """The signing key of a party's log now: while one takes over from another, the one that signed the note.

        None for a party we know nothing of.
        """
        found = core.state.keys.signing_keys(party, self.now_us())
        for key in found:
            with contextlib.suppress(DetenteError):
                verify_checkpoint(note, origin, key, core.identity.verifier)
                return key
        return found[0] if found else None

    def policy(self, core: Core) -> str:
        """The trust policy of the agreement in force, under the newest epochs and keys known here.

        Raises:
            DetenteError: no agreement is in force.
        """
        agreement, now_us = core.agreement(), self.now_us()
        # a key stands for one log, so of a party's epochs the newest counts
        epochs = {core.identity.party: len(core.epochs)}
        for origin in self.store.witness_origins():
            party, epoch = log_owner(origin), origin.rpartition("/")[2]
            if party in agreement.parties and party != core.identity.party:
                epochs[party] = max(epochs.get(party, 1), int(epoch))

        def key(party: str) -> PublicKeys:
            return core.state.keys.signing_keys(party, now_us)[0]

        return format_policy(
            {log_origin(one, epochs.get(one, 1)): key(one) for one in agreement.parties},
            {cosigner_name(one): key(one) for one in agreement.witnesses},
            min(agreement.terms.quorum, len(agreement.witnesses)),
        )

    def cosigners(self, core: Core) -> list[str]:
        """Who cosigns this node's checkpoints: the witnesses and the other parties of the agreement."""
        agreement = core.state.agreement
        if agreement is None:
            return []
        return sorted({*agreement.witnesses, *agreement.parties} - {core.identity.party})


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

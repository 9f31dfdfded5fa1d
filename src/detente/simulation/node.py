"""A simulated node: the real core on a disk in memory, driven as the shell drives it.

What `detente.node.worker` and `detente.node.peerdoor` do with threads and sockets happens here with plain
calls: a job is one transaction, its effects and its answer leave only after the commit, and a job that
fails after writing throws the core away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import msgspec

from detente.errors import DetenteError, PeerError
from detente.ledger.checkpoint import cosigner_name, parse_checkpoint
from detente.ledger.cosignature import cosign
from detente.ledger.note import parse_note
from detente.ledger.witness import Witnessed
from detente.protocol.core import Core
from detente.protocol.effect import Alert, Effect, Send
from detente.protocol.identity import Identity
from detente.protocol.incoming import (
    finish_recovery,
    next_frame,
    read_frame,
    take_frame,
    write_frame,
)
from detente.protocol.link import Frame
from detente.simulation.chance import Chance
from detente.simulation.clock import NodeClock
from detente.simulation.disk import Disk
from detente.simulation.party import Json, Party
from detente.units import US_PER_S

Result = TypeVar("Result")
Job = Callable[[Core], tuple[Result, list[Effect]]]


class Crashed(Exception):
    """The node died; who had asked it for something never hears."""


class SimNode:
    """One party's node.

    Attributes:
        core: the running core; None while the node is down.
        alerts: what officers were told, by code, since the beginning.
        crash_at: asked at each commit; ``"before"``, ``"torn"`` or ``"after"`` kills the node there.
        on_effects, on_crash: what the world around does with effects, and with a death.
        on_commit: called when entries were made durable, before anybody hears of them.
    """

    def __init__(self, party: Party, clock: NodeClock, chance: Chance, agreement: Json) -> None:
        self.party = party
        self.name = party.name
        self.clock = clock
        self.disk = Disk()
        self.alerts: Counter[str] = Counter()
        self.crash_at: Callable[[], str | None] = lambda: None
        self.on_effects: Callable[[list[Effect]], None] = lambda effects: None
        self.on_crash: Callable[[], None] = lambda: None
        self.on_commit: Callable[[], None] = lambda: None
        self._chance = chance
        self.core: Core | None = None
        self.start()
        self.act(lambda core: core.accept_agreement(agreement, self.now_us()))

    def now_us(self) -> int:
        """The node's own clock."""
        return self.clock.now_us()

    def load(self) -> Core:
        """A core on what the disk holds."""
        return Core(self.party.identity, self.disk, self._chance.bytes)

    # -- life and death ------------------------------------------------------------------------

    def start(self) -> None:
        """Start the program, if it is not running."""
        if self.core is None:
            self.disk.rollback()
            self.core = self.load()

    def crash(self) -> None:
        """Kill the program: what was not committed is gone."""
        self.disk.rollback()
        self.core = None
        self.on_crash()

    def restore(self, snapshot: object) -> None:
        """Start again from an old backup."""
        self.core = None
        self.disk.restore(snapshot)
        self.start()

    @property
    def running(self) -> Core:
        """The running core.

        Raises:
            Crashed: the node is down.
        """
        if self.core is None:
            raise Crashed
        return self.core

    # -- jobs ----------------------------------------------------------------------------------

    def run(self, job: Job[Result]) -> Result:
        """Run a job; its result and effects leave only when it is durable.

        Raises:
            Crashed: the node is down, or died in this job.
            DetenteError: from the job, or the disk is full; nothing happened.
        """
        core, writes = self.running, self.disk.writes
        size = core.tree.size
        try:
            result, effects = job(core)
        except Crashed:
            if self.core is core:
                self.crash()
            raise
        except Exception:
            if self.disk.writes != writes:
                self._reload()
            raise
        crash = self.crash_at() if self.disk.writes != writes else None
        if crash == "before":
            self.crash()
            raise Crashed
        if crash == "torn":
            self.core = None  # half of it stands on the disk, and is undone at the next start
            self.on_crash()
            raise Crashed
        try:
            self.disk.commit()
        except DetenteError:
            self._reload()
            raise
        if crash == "after":
            self.on_effects(effects[: self._chance.below(len(effects) + 1)])
            self.crash()
            raise Crashed
        for effect in effects:
            if isinstance(effect, Alert):
                self.alerts[effect.code] += 1
        if core.tree.size != size:
            self.on_commit()
        self.on_effects(effects)
        return result

    def act(self, act: Callable[[Core], Result]) -> Result:
        """Run something that has no effects outside."""
        return self.run(lambda core: (act(core), []))

    def _reload(self) -> None:
        self.disk.rollback()
        self.core = self.load()

    def use_keys(self, identity: Identity) -> None:
        """Go on with other keys, as the shell does when rotated keys take effect."""
        self.party = msgspec.structs.replace(self.party, identity=identity)
        if self.core is not None:
            self.core.identity = identity

    # -- frames --------------------------------------------------------------------------------

    def write(self, peer: str, chains: tuple[str, ...] = ("safety", "ordinary")) -> bytes:
        """The next frame for a peer."""
        return self.act(
            lambda core: write_frame(core, next_frame(core, peer, self.now_us(), chains=chains))
        )

    def take(self, data: bytes) -> Frame | None:
        """Take a frame; None when it is nobody's (a sample is kept, as the door for peers does)."""
        try:
            return self.run(lambda core: self._take(core, data))
        except PeerError as error:
            self._keep(error, data)
            return None

    def serve(self, data: bytes) -> bytes | None:
        """Take a frame and answer with ours, in one transaction."""

        def job(core: Core) -> tuple[bytes, list[Effect]]:
            frame, effects = self._take(core, data)
            return write_frame(core, next_frame(core, frame.sender, self.now_us())), effects

        try:
            return self.run(job)
        except PeerError as error:
            self._keep(error, data)
            return None

    def _take(self, core: Core, data: bytes) -> tuple[Frame, list[Effect]]:
        now_us = self.now_us()
        frame = read_frame(core, data, now_us)
        taken = take_frame(core, frame, now_us)
        if finish_recovery(core, now_us):
            taken.effects.append(Alert("recovered", "the record agrees again", frame.sender))
        return frame, taken.effects

    def _keep(self, error: PeerError, data: bytes) -> None:
        if not error.evidence:
            error.evidence = data[:1024]
        self.act(lambda core: core.keep_evidence(self.now_us(), "-", error))


def converse(one: SimNode, other: SimNode, most: int = 20) -> int:
    """Exchange frames over a perfect line until neither has news; how many exchanges it took.

    For tests and examples that need no clock: `one` asks and `other` answers.
    """
    for count in range(1, most + 1):
        answer = other.serve(one.write(other.name))
        if answer is not None:
            one.take(answer)
        if quiet(one, other):
            return count
    return most


def quiet(one: SimNode, other: SimNode) -> bool:
    """Whether two nodes know that nothing is under way between them."""
    for here, there in ((one, other), (other, one)):
        core = here.running
        link = core.link(there.name)
        if link.state == "cold" or any(
            core.state.head(True, there.name, c).sequence > link.acked[c].sequence
            for c in ("safety", "ordinary")
        ):
            return False
    return True


def cosign_newest(node: SimNode, by: SimNode) -> None:
    """Have a party cosign another's newest checkpoint, as its door for witnesses does."""

    note = node.act(lambda core: core.checkpoint(node.now_us()))
    head, time_s = parse_checkpoint(parse_note(note)), by.now_us() // US_PER_S
    lines = cosign(by.party.identity.signer, cosigner_name(by.name), head, time_s)
    seen = Witnessed(head.origin, head.size, time_s, head.root, note + lines)
    by.act(lambda core: core.journal.put_witnessed(seen))
    node.act(lambda core: core.journal.put_cosignature(head.size, by.name, lines))


def mirror(node: SimNode, by: SimNode) -> None:
    """Have a party mirror another's log as it is, as its door for mirrors does."""
    core = node.running
    leaves = [leaf for _, leaf, _, _ in core.journal.replay()]
    by.act(lambda _core: by.disk.put_mirror(core.origin, leaves))


def sends(effects: list[Effect]) -> set[str]:
    """The peers that effects have something for."""
    return {effect.peer for effect in effects if isinstance(effect, Send)}

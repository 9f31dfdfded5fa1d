"""A world of simulated nodes: parties, lines between all of them, officers, and what goes wrong."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations

import msgspec

from detente.agreement.terms import Terms
from detente.errors import DetenteError
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.note import parse_note
from detente.ledger.witness import encode_add_checkpoint
from detente.protocol.due import next_due, pass_due
from detente.protocol.effect import Effect
from detente.protocol.identity import Identity
from detente.protocol.incoming import start_recovery
from detente.signing.key import SEED_BYTES
from detente.simulation import faults
from detente.simulation.chance import Chance
from detente.simulation.check import Watch, check_due
from detente.simulation.clock import NodeClock, Timeline
from detente.simulation.faults import Faults
from detente.simulation.lies import CATALOGUE, Scene, Skipped, tell
from detente.simulation.line import Line
from detente.simulation.network import Network
from detente.simulation.node import Crashed, SimNode, sends
from detente.simulation.officer import EVERY_S, Officer
from detente.simulation.party import (
    KEYS_US,
    SIMULATED,
    Crypto,
    Party,
    make_agreement,
    make_party,
    party_name,
)
from detente.simulation.witness import SimWitness
from detente.units import US_PER_S, parse_time

START_US = parse_time("2018-09-17T12:00:00Z")
MINUTE_US = 60 * US_PER_S

CALM = (3, 15)  # between two partitions, or two full disks: so many times the pace of officers
CUT_US = (10 * US_PER_S, 6 * MINUTE_US)
FULL_US = (5 * US_PER_S, MINUTE_US)
DOWN_US = (1 * US_PER_S, 90 * US_PER_S)
SKEW_US = 4 * MINUTE_US
TIMER_US = 60 * US_PER_S  # most between two looks at the clock, which may have been set meanwhile

WITNESS_US = (10 * MINUTE_US, 60 * MINUTE_US)
AREA_MOST = 8  # parties of one agreement: above it the mesh is by area, as agreements are


def split(parties: Sequence[Party]) -> list[list[Party]]:
    """The parties by area: as few areas as hold them, as even as can be."""
    count = -(-len(parties) // AREA_MOST)
    return [list(parties[number::count]) for number in range(count)]


class World:
    """Everything of one simulation; the same seed makes the same one."""

    def __init__(
        self,
        seed: int,
        parties: int,
        active: Faults,
        crypto: Crypto = SIMULATED,
        terms: Terms | None = None,
        every_s: int = EVERY_S,
    ) -> None:
        chance = Chance(seed)
        self._calm_us = (CALM[0] * every_s * US_PER_S, CALM[1] * every_s * US_PER_S)
        self._lies_us = (every_s * US_PER_S // 3, 2 * every_s * US_PER_S)
        self.faults = active
        self.timeline = Timeline(START_US)
        self.network = Network(self.timeline, chance.split(), active)
        self.crashes = 0
        self.violations: dict[str, int] = {}  # by what was violated: when first
        self._chance = chance.split()
        known = [make_party(party_name(i), chance, START_US, crypto) for i in range(parties)]
        liar, colluder, *neutral = (
            make_party(name, chance, START_US, crypto)
            for name in ("liar", "colluder", "neutral-1", "neutral-2")
        )
        self.liars = frozenset({liar.name, colluder.name} if active.lies else ())
        self.restored: set[str] = set()
        self.watch = Watch(self.liars, self.restored)
        self.restores = 0
        self.nodes = {}
        for number, area in enumerate(split(known)):
            members = [*area, liar] if active.lies and number == 0 else area
            agreement = make_agreement(members, START_US, terms)
            for party in area:
                self.nodes[party.name] = SimNode(
                    party, NodeClock(self.timeline), chance.split(), agreement
                )
        self.officers = {
            name: Officer(node, chance.split(), every_s, self.liars)
            for name, node in self.nodes.items()
        }
        self.witnesses = [SimWitness(party, NodeClock(self.timeline)) for party in neutral]
        first = [self.nodes[party.name] for party in split(known)[0]]
        self.scene = Scene(liar, first, self.witnesses, colluder, chance.split())
        self._crypto = crypto
        self.rotated = 0
        self.told: Counter[str] = Counter()
        self.cosigned = 0
        self.lines: dict[tuple[str, str, str], Line] = {
            (here, there, chain): Line(
                self.nodes[here], there, chain, self.timeline, self.network, self._serve
            )
            for here, there in permutations(self.nodes, 2)
            if there in self.nodes[here].running.state.peers
            for chain in ("safety", "ordinary")
        }
        self._working = True
        for node in self.nodes.values():
            self._set_up(node)
        for name in self.nodes:
            self._schedule_officer(name)
            self._schedule_timer(name)
            self._start_lines(name)
            self._schedule_witness(name)
        self._schedule_faults()

    @property
    def party_nodes(self) -> list[SimNode]:
        """The nodes in order of name."""
        return [self.nodes[name] for name in sorted(self.nodes)]

    def run(self, span_us: int) -> None:
        """Let a span of time pass."""
        self.timeline.run_until(self.timeline.now_us + span_us)

    def check(self) -> None:
        """Note every violation there is now."""
        self._look_after_restored()
        self.note(self.watch.check(self.party_nodes))

    def note(self, found: Iterable[str]) -> None:
        """Note violations, each once."""
        for text in found:
            self.violations.setdefault(text, self.timeline.now_us)

    def heal(self, most_us: int = 30 * MINUTE_US) -> None:
        """End every fault and every officer's work, and wait until nothing is under way."""
        self._working = False
        self.faults = self.network.faults = Faults()
        self.network.cut.clear()
        for node in self.party_nodes:
            node.disk.full = False
            if node.core is None:
                self._start(node.name)
        end_us = self.timeline.now_us + most_us
        # frames that were already late when the faults ended still arrive
        self.run(2 * MINUTE_US)
        while self.timeline.now_us < end_us and not self._at_rest():
            self._look_after_restored()
            self.run(5 * US_PER_S)

    def restore(self, name: str, snapshot: object) -> None:
        """Start a node again from an old backup, on a disk with room."""
        node = self.nodes[name]
        node.disk.full = False
        node.restore(snapshot)
        self._start_lines(name)

    def _at_rest(self) -> bool:
        if self.watch.mending or any(node.core is None for node in self.nodes.values()):
            return False
        if any(check_due(self.party_nodes)):
            return False  # what came due while a node was not whole is passed at its next turn
        return all(
            all(self.liars.issuperset(i.waiting) for i in node.running.intents.values())
            and all(
                node.running.state.heads(True, peer)
                == self.nodes[peer].running.state.heads(False, node.name)
                for peer in node.running.state.peers
                if peer in self.nodes
            )
            for node in self.nodes.values()
        )

    # -- nodes ---------------------------------------------------------------------------------

    def _set_up(self, node: SimNode) -> None:
        def crash_at() -> str | None:
            if self.faults.torn_write and self._chance.happens(faults.TORN):
                return "torn"
            if not self.faults.crash or not self._chance.happens(faults.CRASH):
                return None
            return self._chance.pick(("before", "after"))

        def on_write() -> None:
            if self.faults.crash and self._chance.below(faults.CRASH_WRITE) == 0:
                raise Crashed

        def on_crash() -> None:
            self.crashes += 1
            self.timeline.after(self._chance.between(*DOWN_US), lambda: self._start(node.name))

        def on_effects(effects: list[Effect]) -> None:
            for peer in sorted(sends(effects)):
                for chain in ("safety", "ordinary"):
                    if (node.name, peer, chain) in self.lines:
                        self.lines[node.name, peer, chain].wake()

        node.disk.on_write = on_write
        node.on_commit = lambda: self.note(self.watch.step(node, self.nodes))
        node.crash_at, node.on_crash, node.on_effects = crash_at, on_crash, on_effects

    def _start(self, name: str) -> None:
        if self.nodes[name].core is None:
            self.nodes[name].start()
            self._start_lines(name)

    def _start_lines(self, name: str) -> None:
        for (here, _, _), line in self.lines.items():
            if here == name:
                line.start()

    def _serve(self, name: str, data: bytes, back: Callable[[bytes], None]) -> None:
        node = self.nodes[name]
        try:
            answer = node.serve(data)
        except (Crashed, DetenteError):
            return  # no answer: the asker's time runs out
        if answer is not None:
            asker = self._asker(data)
            self.network.send(name, asker, answer, back)

    @staticmethod
    def _asker(data: bytes) -> str:
        return data.partition(b'"from":"')[2].partition(b'"')[0].decode()

    # -- what happens by itself ------------------------------------------------------------------

    def _schedule_officer(self, name: str) -> None:
        officer = self.officers[name]

        def act() -> None:
            if self._working:
                officer.act()
                self._schedule_officer(name)

        self.timeline.after(officer.wait_us(), act)

    def _schedule_timer(self, name: str) -> None:
        """As `detente.node.timer`: what is due by the node's clock is passed, whatever its clock does."""
        node = self.nodes[name]
        # a slot is due at its own time: asked after that, `next_due` names the next one
        awaited_us: int | None = 0

        def turn() -> None:
            nonlocal awaited_us
            nap_us = TIMER_US
            if self.watch.mending:
                self._look_after_restored()
            with contextlib.suppress(Crashed, DetenteError):
                due_us = next_due(node.running.state, node.now_us())
                if any(at is not None and at <= node.now_us() for at in (awaited_us, due_us)):
                    node.run(lambda core: (None, pass_due(core, node.now_us())))
                    due_us = next_due(node.running.state, node.now_us())
                awaited_us = due_us
                if due_us is not None:
                    nap_us = min(TIMER_US, max(US_PER_S, due_us - node.now_us()))
            self.timeline.after(nap_us, turn)

        self.timeline.after(TIMER_US, turn)

    def _schedule_witness(self, name: str) -> None:
        """Now and then a node has its head cosigned, by the real rules, its answers lost like any other."""
        node = self.nodes[name]

        def turn() -> None:
            with contextlib.suppress(Crashed, DetenteError):
                if name in self.watch.mending:
                    raise Crashed  # it may not know yet that it is behind (E-REST-1)
                self._ask_witness(node, self._chance.pick(self.witnesses))
            self.timeline.after(self._chance.between(*WITNESS_US), turn)

        self.timeline.after(self._chance.between(*WITNESS_US), turn)

    def _ask_witness(self, node: SimNode, witness: SimWitness) -> None:
        note = node.act(lambda core: core.checkpoint(node.now_us()))
        core, head = node.running, parse_checkpoint(parse_note(note))
        known = witness.size(head.origin)
        hashes = core.tree.consistency_proof(known, head.size) if known <= head.size else ()
        answer = witness.add(
            encode_add_checkpoint(known, hashes, note),
            {head.origin: node.party.identity.signer.public},
        )
        if answer.status == 422:
            self.note([f"{witness.party.name} refuses to cosign the honest log of {node.name}"])
        if answer.status != 200 or (self.faults.loss and self._chance.happens(faults.LOSS)):
            return
        node.act(
            lambda core: core.journal.put_cosignature(head.size, witness.party.name, answer.body)
        )
        self.cosigned += 1

    def _schedule_lies(self) -> None:
        def turn() -> None:
            if not self._working:
                return
            lie = self._chance.pick(CATALOGUE)
            crashes, outcome = self.crashes, "told"
            try:
                wrong = tell(lie, self.scene)
            except (Skipped, Crashed, DetenteError):
                wrong, outcome = [], "skipped"
            if self.crashes != crashes:
                wrong, outcome = [], "skipped"  # who should have caught it died over it
            self.told[outcome] += 1
            self.note(wrong)
            self.timeline.after(self._chance.between(*self._lies_us), turn)

        self.timeline.after(self._chance.between(*self._lies_us), turn)

    def _rotating(self, node: SimNode) -> Callable[[], None]:
        """A new signing key, told to all and used at once; where a line is closed, the officer waits."""

        def rotate() -> None:
            core = node.core
            if core is None or node.disk.full or core.fault is not None or core.intents:
                return
            if not all(core.link(peer).may_sign for peer in self._others(node)):
                return
            new = self._crypto.signer(self._chance.bytes(SEED_BYTES))
            from_us = node.now_us() - 2 * SKEW_US  # the peers' clocks may be behind
            certificate = node.party.certify(
                new, 2 + core.tree.size, from_us, node.now_us() + KEYS_US
            )
            with contextlib.suppress(Crashed, DetenteError):
                node.run(
                    lambda core: core.say(
                        "policy/key-certificate",
                        {"certificate": certificate},
                        self._others(node),
                        node.now_us(),
                        exercise=True,
                        officer="officer",
                        desk="operations-cell",
                    )
                )
                node.use_keys(
                    msgspec.structs.replace(
                        node.party.identity, signer=new, certificates=(certificate,)
                    )
                )
                self.rotated += 1

        return rotate

    def _restoring(self, node: SimNode) -> Callable[[], None]:
        """A backup is taken; the next time it is put back, if no other node is being mended.

        Its keys come back with it, or the record alone: either may be from before a key was replaced.
        """
        kept: list[tuple[object, Identity]] = []

        def restore() -> None:
            if node.core is None or node.core.fault is not None:
                return
            if not kept:
                kept.append((node.disk.snapshot(), node.party.identity))
                return
            if self.watch.mending or any(other.core is None for other in self.party_nodes):
                return
            self.restored.add(node.name)
            self.watch.mending.add(node.name)
            self.scene.mending.add(node.name)
            self.restores += 1
            snapshot, identity = kept.pop()
            if self._chance.happens(500):
                node.use_keys(identity)
            self.restore(node.name, snapshot)

        return restore

    def _look_after_restored(self) -> None:
        """An operator recovers a node that its peers proved to be behind, and sees when it is whole."""
        for name in sorted(self.watch.mending):
            node = self.nodes[name]
            if node.core is None:
                continue
            if node.core.fault is not None:
                if not node.core.state.recovering:
                    with contextlib.suppress(Crashed, DetenteError):
                        node.act(lambda core, node=node: start_recovery(core, node.now_us()))  # type: ignore[misc]
                continue
            if all(
                self.nodes[peer].core is not None
                and node.core.link(peer).state == "open"
                and node.core.state.heads(True, peer)
                == self.nodes[peer].running.state.heads(False, name)
                and node.core.state.heads(False, peer)
                == self.nodes[peer].running.state.heads(True, name)
                for peer in self._others(node)
            ):
                self.watch.mending.discard(name)
                self.scene.mending.discard(name)

    def _others(self, node: SimNode) -> list[str]:
        return [peer for peer in node.running.state.peers if peer in self.nodes]

    def _schedule_faults(self) -> None:
        if self.faults.lies:
            self._schedule_lies()
        if self.faults.stale_restore:
            for node in self.party_nodes:
                self._now_and_then(self._calm_us, self._restoring(node), lambda: None)
        if self.faults.rotation:
            for node in self.party_nodes:
                self._now_and_then(self._calm_us, self._rotating(node), lambda: None)
        if self.faults.partition:
            for pair in sorted({tuple(sorted((a, b))) for a, b, _ in self.lines}):
                self._now_and_then(CUT_US, *self._cutting(frozenset(pair)))
        for node in self.party_nodes:
            if self.faults.disk_full:
                self._now_and_then(FULL_US, *self._filling(node))
            if self.faults.clock_skew:
                self._now_and_then(self._calm_us, self._skewing(node), lambda: None)

    def _now_and_then(
        self, span_us: tuple[int, int], begin: Callable[[], None], end: Callable[[], None]
    ) -> None:
        def start() -> None:
            if not self._working:
                return
            begin()
            self.timeline.after(self._chance.between(*span_us), stop)

        def stop() -> None:
            end()
            self.timeline.after(self._chance.between(*self._calm_us), start)

        self.timeline.after(self._chance.between(*self._calm_us), start)

    def _cutting(self, pair: frozenset[str]) -> tuple[Callable[[], None], Callable[[], None]]:
        return lambda: self.network.cut.add(pair), lambda: self.network.cut.discard(pair)

    def _filling(self, node: SimNode) -> tuple[Callable[[], None], Callable[[], None]]:
        def fill(full: bool) -> None:
            node.disk.full = full

        return lambda: fill(True), lambda: fill(False)

    def _skewing(self, node: SimNode) -> Callable[[], None]:
        def skew() -> None:
            node.clock.offset_us = self._chance.between(-SKEW_US, SKEW_US)

        return skew

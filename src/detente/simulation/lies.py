"""The catalogue of dishonesty: what a peer may try, where it is caught, and what proves it.

Each row is played over the real protocol code, by tests one by one and by every simulated day at random.
docs/guide/simulation.md shows the table as scripts/tables.py draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from detente.agreement.card import parse_card
from detente.errors import DetenteError
from detente.ledger.checkpoint import cosigner_name, log_origin, parse_checkpoint, sign_checkpoint
from detente.ledger.cosignature import cosign
from detente.ledger.leaf import leaf_bytes, open_leaf
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.note import parse_note
from detente.ledger.proof import LogProof
from detente.ledger.witness import encode_add_checkpoint
from detente.limits import EVIDENCE_SAMPLES_PER_PEER_DAY
from detente.protocol import evidence
from detente.protocol.link import Head
from detente.protocol.statement import Openings, Statement, Thread
from detente.signing.key import PublicKeys
from detente.simulation.chance import Chance
from detente.simulation.liar import Liar
from detente.simulation.node import SimNode
from detente.simulation.officer import random_notice
from detente.simulation.party import Party
from detente.simulation.witness import SimWitness
from detente.units import US_PER_S, format_time

Json = dict[str, Any]
HOUR_US = 3600 * US_PER_S


class Skipped(Exception):
    """This lie cannot be told now: a node is down, or signs nothing."""


class Caught(msgspec.Struct, frozen=True):
    """What came of a lie.

    Attributes:
        by: what caught it: a rule, an alarm, an answer; empty where nothing did.
        proof: the evidence, None where a lie leaves none.
    """

    by: str
    proof: bytes | None = None


class Scene:
    """Two honest nodes, a witness, and a party that lies to all of them, perhaps with a witness of its own.

    Args:
        liar: the lying party.
        colluder: a neutral that cosigns whatever the liar wants; None where there is none.
    """

    def __init__(
        self,
        liar: Party,
        nodes: list[SimNode],
        witnesses: list[SimWitness],
        colluder: Party,
        chance: Chance,
    ) -> None:
        self.liar, self.nodes, self.witnesses, self.colluder = liar, nodes, witnesses, colluder
        self.chance = chance
        self.actors = {node.name: Liar(liar, node, chance.next()) for node in nodes}
        self.mending: set[str] = set()  # nodes that were restored from an old backup
        self.count = 0
        self.epoch = 0

    # -- who is lied to ------------------------------------------------------------------------

    def victim(self, other: SimNode | None = None) -> tuple[SimNode, Liar]:
        """A node that hears the liar now, and the liar's side of the line.

        Raises:
            Skipped: there is none.
        """
        able = [
            node
            for node in self.nodes
            if node is not other
            and node.core is not None
            and not node.disk.full
            and node.name not in self.mending
        ]
        if not able:
            raise Skipped
        node = self.chance.pick(able)
        actor = self.actors[node.name]
        actor.heads = dict(node.running.state.heads(False, self.liar.name))
        if actor.send() is None or node.running.fault is not None:
            raise Skipped
        if node.running.link(self.liar.name).state != "open":
            raise Skipped
        return node, actor

    def name(self) -> str:
        """A notice name that was not used."""
        self.count += 1
        return f"L-{self.count}"

    def told(self, node: SimNode) -> tuple[Statement, Openings]:
        """A statement that an honest node makes to the liar."""
        notice = random_notice(
            f"T-{self.chance.next():x}", self.chance, node.now_us(), exercise=True
        )
        filed = node.run(
            lambda core: core.file_notice(
                notice, [self.liar.name], node.now_us(), officer="officer", desk="cell"
            )
        )
        core = node.running
        version = core.state.notices.get(filed.id)
        if version is None:
            raise Skipped  # it waits unsigned
        found = core.journal.statement(version.latest.statements[self.liar.name])
        assert found is not None
        return found

    # -- proofs --------------------------------------------------------------------------------

    def certificates(self) -> list[Any]:
        """The key certificates of everybody in the scene."""
        parties = [
            self.liar,
            self.colluder,
            *(one.party for one in self.witnesses),
            *(node.party for node in self.nodes),
        ]
        verifier = self.liar.identity.verifier
        known = {
            (one.party, one.key_id): one
            for node in self.nodes
            if node.core is not None
            for of_party in node.core.state.keys.certificates.values()
            for one in of_party.values()
        }
        cards = [
            one
            for party in parties
            for one in parse_card(party.card, verifier=verifier).certificates
        ]
        return list({**{(one.party, one.key_id): one for one in cards}, **known}.values())

    def roots(self) -> Mapping[str, PublicKeys]:
        """The root keys that a reader trusts."""
        parties = [
            self.liar,
            self.colluder,
            *(one.party for one in self.witnesses),
            *(node.party for node in self.nodes),
        ]
        return {party.name: party.root.public for party in parties}

    def prove(self, content: Json | None) -> bytes | None:
        """The file of some evidence."""
        return None if content is None else evidence.encode_evidence(content, self.certificates())

    def kept(self, node: SimNode, index: int) -> bytes | None:
        """What a node's own record proves, of what came to it after an entry."""
        for found in evidence.find_evidence(node.running):
            if found.index >= index and found.against == self.liar.name:
                return self.prove(found.content)
        return None

    # -- the liar's log ------------------------------------------------------------------------

    def fresh_log(self) -> Log:
        """A log of the liar's that nobody has seen yet."""
        self.epoch += 1
        return Log(self.liar, log_origin(self.liar.name, self.epoch), self.chance)


class Log:
    """A log that its owner writes as it likes."""

    def __init__(self, party: Party, origin: str, chance: Chance) -> None:
        self.party, self.origin = party, origin
        self.tree = MerkleTree()
        self._seed = chance.bytes(32)
        self._chance = chance

    def fill(self, count: int) -> None:
        """Append leaves that mean nothing."""
        for _ in range(count):
            self.tree.append(leaf_hash(self._chance.bytes(112)))

    def head(self, now_us: int, size: int | None = None) -> str:
        """A signed head."""
        return sign_checkpoint(
            self.party.identity.signer,
            self.origin,
            self.tree.size if size is None else size,
            self.tree.root(size),
            now_us // US_PER_S,
        )

    def receive(self, said: Statement, time_us: int) -> tuple[Json, int]:
        """Log a statement as received at a time; the opening of its leaf, and its index."""
        header = said.leaf_header("received", self.tree.size, time_us)
        opening = open_leaf(self._seed, header, bytes.fromhex(said.id))
        self.tree.append(leaf_hash(leaf_bytes(opening)))
        return opening.to_json(), header.index

    def ask(self, witness: SimWitness, note: str) -> str | None:
        """Have a witness cosign a head; the note with its lines, None if it refuses."""
        known, head = witness.size(self.origin), parse_checkpoint(parse_note(note))
        proof = self.tree.consistency_proof(known, head.size) if 0 < known <= head.size else ()
        answer = witness.add(
            encode_add_checkpoint(known, proof, note),
            {self.origin: self.party.identity.signer.public},
        )
        return note + answer.body if answer.status == 200 else None


# -- what is played ------------------------------------------------------------------------------


def _equivocate(scene: Scene) -> Caught:
    node, actor = scene.victim()
    index, name = node.running.tree.size, scene.name()
    actor.send(actor.say_notice(name, 1), actor.say_notice(name, 1))
    return Caught(_outcome(node, index), scene.kept(node, index))


def _tell_differently(scene: Scene) -> Caught:
    return _across(scene, {}, {})


def _tell_others(scene: Scene) -> Caught:
    """The same body, and to one of two it is not said that the other was told."""
    node, actor = scene.victim()
    other, second = scene.victim(node)
    thread = Thread(f"{scene.liar.name}:{scene.name()}", "notice", 1)
    values = actor.notice_values()
    said = actor.say(
        "activity/notice",
        values,
        thread=thread,
        to=sorted((node.name, other.name)),
    )
    state = second.chance  # the same salts, as honest copies have them
    del state
    copy = second.say("activity/notice", values, thread=thread, to=[other.name], body=said[0].body)
    actor.send(said)
    second.send((copy[0], said[1]))
    return _met(scene, node, other, copy[0])


def _across(scene: Scene, first: Json, second: Json) -> Caught:
    node, actor = scene.victim()
    other, again = scene.victim(node)
    name = scene.name()
    actor.send(actor.say_notice(name, 1, **first))
    said = again.say_notice(name, 1, **second)
    again.send(said)
    return _met(scene, node, other, said[0])


def _met(scene: Scene, node: SimNode, other: SimNode, said: Statement) -> Caught:
    """One shows what it was told; the other holds it against its own record."""
    if other.running.journal.statement(said.id) is None:
        raise Skipped
    content = evidence.meet_record(node.running, said)
    return Caught("" if content is None else "records compared", scene.prove(content))


def _fork_chain(scene: Scene) -> Caught:
    node, actor = scene.victim()
    actor.send(actor.say_notice(scene.name()))
    head = actor.heads["ordinary"]
    before = node.running.journal.statement(head.id or "")
    assert before is not None
    again = actor.say_notice(
        scene.name(), sequence=head.sequence, previous=before[0].previous, keep=False
    )
    actor.send(again)
    return _forked(scene, node, head.sequence)


def _fork_previous(scene: Scene) -> Caught:
    node, actor = scene.victim()
    actor.send(actor.say_notice(scene.name()))
    number = actor.heads["ordinary"].sequence + 1
    actor.send(actor.say_notice(scene.name(), previous=scene.chance.bytes(32).hex(), keep=False))
    return _forked(scene, node, number)


def _receipt(scene: Scene, change: Callable[[Json, int], None]) -> Caught:
    node, actor = scene.victim()
    about, _ = scene.told(node)
    index, now_us, log = node.running.tree.size, node.now_us(), scene.fresh_log()
    log.fill(scene.chance.between(1, 9))
    leaf, place = log.receive(about, now_us)
    log.fill(scene.chance.between(1, 9))
    proof = LogProof(log.head(now_us), place, tuple(log.tree.inclusion_proof(place, log.tree.size)))
    values: Json = {
        "answer": "delivered",
        "flags": [],
        "leaf": leaf,
        "proof": proof.to_json(),
        "received": format_time(now_us),
        "rule": None,
        "statement": about.id,
    }
    change(values, now_us)
    _say_receipt(actor, about, values)
    return Caught(_outcome(node, index), scene.kept(node, index))


def _say_receipt(actor: Liar, about: Statement, values: Json) -> None:
    said = actor.say(
        "receipt/delivered",
        values,
        chain=about.chain,
        thread=about.thread,
        exercise=about.exercise,
        agreement=about.agreement,
    )
    actor.send(said)


def _wrong_proof(scene: Scene) -> Caught:
    def change(values: Json, _now_us: int) -> None:
        values["proof"]["hashes"] = values["proof"]["hashes"][::-1][:-1]

    return _receipt(scene, change)


def _earlier_receipt(scene: Scene) -> Caught:
    def change(values: Json, now_us: int) -> None:
        values["received"] = format_time(now_us - HOUR_US)

    return _receipt(scene, change)


def _back_date(scene: Scene) -> Caught:
    """The leaf and the receipt agree on a time at which a witness saw that the entry was not there."""
    node, actor = scene.victim()
    about, _ = scene.told(node)
    now_us, log = node.now_us(), scene.fresh_log()
    log.fill(scene.chance.between(1, 9))
    witness = scene.chance.pick(scene.witnesses)
    seen = log.ask(witness, log.head(witness.clock.now_us()))
    assert seen is not None
    leaf, index = log.receive(about, now_us - HOUR_US)
    size = log.tree.size
    place = LogProof(log.head(now_us), index, tuple(log.tree.inclusion_proof(index, size)))
    _say_receipt(
        actor,
        about,
        {
            "answer": "delivered",
            "flags": [],
            "leaf": leaf,
            "proof": place.to_json(),
            "received": format_time(now_us - HOUR_US),
            "rule": None,
            "statement": about.id,
        },
    )
    if about.id not in node.running.state.receipts:
        raise Skipped
    head = witness.state.heads[log.origin].note
    content = evidence.back_dated(scene.liar.name, head, witness.party.name, leaf, place)
    return Caught("receipt held against the witness's head", scene.prove(content))


def _claim_old(scene: Scene) -> Caught:
    node, actor = scene.victim()
    said = actor.say_notice(scene.name(), claimed_us=node.now_us() - HOUR_US)
    actor.send(said)
    receipt = node.running.state.receipts.get(said[0].id)
    if receipt is None:
        raise Skipped
    return Caught(", ".join(receipt.flags))


def _fork_log(scene: Scene) -> Caught:
    """Two histories to two witnesses, of one size; the second exchanges heads with the first."""
    log, other = _two_histories(scene)
    now_us = scene.witnesses[0].clock.now_us()
    one, two = scene.witnesses[0], scene.witnesses[-1]
    notes = [log.head(now_us), other.head(now_us)]
    if log.ask(one, notes[0]) is None:
        raise Skipped
    if one is two:
        before = len(one.refused)
        other.ask(one, notes[1])
        by = "witness: 422" if len(one.refused) > before else ""
    else:
        other.ask(two, notes[1])
        by = "witnesses compared"
    heads = [one.state.heads[log.origin].note, notes[1]]
    return Caught(by, scene.prove(evidence.two_heads("log-fork", scene.liar.name, heads)))


def _fork_log_mirrored(scene: Scene) -> Caught:
    """A head shown to one, and a longer history mirrored by another."""
    log, other = _two_histories(scene)
    now_us = scene.witnesses[0].clock.now_us()
    first = log.head(now_us)
    other.fill(scene.chance.between(1, 20))
    content = evidence.two_heads(
        "log-fork", scene.liar.name, [first, other.head(now_us)], other.tree
    )
    return Caught("mirror: the heads compared", scene.prove(content))


def _two_histories(scene: Scene) -> tuple[Log, Log]:
    log = scene.fresh_log()
    other = Log(scene.liar, log.origin, scene.chance)
    log.fill(scene.chance.between(2, 20))
    other.fill(log.tree.size)
    return log, other


def _collude(scene: Scene) -> Caught:
    log, other = _two_histories(scene)
    now_us = scene.witnesses[0].clock.now_us()
    if scene.chance.happens(500):
        other.fill(scene.chance.between(1, 20))
    notes = []
    for one in (log, other):
        note = one.head(now_us)
        head = parse_checkpoint(parse_note(note))
        lines = cosign(
            scene.colluder.identity.signer,
            cosigner_name(scene.colluder.name),
            head,
            now_us // US_PER_S,
        )
        notes.append(note + lines)
    tree = other.tree if other.tree.size > log.tree.size else None
    content = evidence.two_heads("witness-fork", scene.colluder.name, notes, tree)
    return Caught("witnesses compared", scene.prove(content))


def _break_rule(scene: Scene) -> Caught:
    node, actor = scene.victim()
    index = node.running.tree.size
    thread = Thread(f"{node.name}:{scene.name()}", "notice", 1)
    actor.send(actor.say("activity/notice", actor.notice_values(), thread=thread))
    return Caught(_outcome(node, index), scene.kept(node, index))


def _strip_openings(scene: Scene) -> Caught:
    node, actor = scene.victim()
    before = node.disk.evidence_counts()
    said, openings = actor.say_notice(scene.name(), keep=False)
    actor.send((said, {name: [one[0], "else"] for name, one in openings.items()}))
    return Caught(_counted(node, before))


def _claim_heads(scene: Scene) -> Caught:
    node, actor = scene.victim()
    before = node.disk.evidence_counts()
    claim = {"safety": Head(), "ordinary": Head(99_999, scene.chance.bytes(32).hex())}
    for _ in range(2):
        actor.send(received=claim)
    actor.send()
    return Caught(_counted(node, before))


def _speak_for_another(scene: Scene) -> Caught:
    node, actor = scene.victim()
    others = [one for one in scene.nodes if one is not node]
    if not others:
        raise Skipped
    before = node.disk.evidence_counts()
    node.serve(actor.frame(sender=others[0].name))
    return Caught(_counted(node, before))


def _replay(scene: Scene) -> Caught:
    node, actor = scene.victim()
    said = actor.say_notice(scene.name())
    data = actor.frame([actor.seal(*said)])
    node.serve(data)
    size = node.running.tree.size
    node.serve(data)
    actor.send(said)
    same = node.running.tree.size == size
    return Caught("duplicate, overtaken frame" if same else "")


def _withhold(scene: Scene) -> Caught:
    node, _ = scene.victim()
    about, _ = scene.told(node)
    link = node.running.link(scene.liar.name)
    waits = node.running.state.head(True, scene.liar.name, "ordinary").sequence
    silent = about.id not in node.running.state.receipts and waits > link.acked["ordinary"].sequence
    return Caught("statement without receipt" if silent else "")


def _flood_junk(scene: Scene) -> Caught:
    node, actor = scene.victim()
    for _ in range(3):
        node.serve(actor.frame([scene.chance.bytes(40)] * 64))
    day = node.now_us() // (24 * HOUR_US)
    kept = sum(
        1
        for one in node.disk.evidence()
        if one.peer == scene.liar.name and one.time_us // (24 * HOUR_US) == day
    )
    return Caught("quota of samples" if kept <= EVIDENCE_SAMPLES_PER_PEER_DAY else "")


def _flood(scene: Scene, chain: str) -> Caught:
    node, actor = scene.victim()
    said = [
        actor.say_notice(scene.name())
        if chain == "ordinary"
        else actor.say("hotline/cease", {"reason": "cease now"}, chain="safety")
        for _ in range(30)
    ]
    answer = actor.send(*said)
    if answer is None:
        raise Skipped
    taken = sum(1 for one, _ in said if node.running.journal.entry_of(one.id) is not None)
    return Caught("frame limits, one receipt each" if taken == len(said) else "")


def _outcome(node: SimNode, index: int) -> str:
    for entry, _, _, _ in node.disk.replay(index):
        if entry.outcome.startswith("refused:"):
            return entry.outcome
    return ""


def _forked(scene: Scene, node: SimNode, number: int) -> Caught:
    """The alarm about this number: one is enough, however often it is signed again (F-STATE-3)."""
    message = f"{scene.liar.name} signed two statements as ordinary {number}"
    for entry, _, _, _ in node.disk.replay():
        local = entry.local
        if local is not None and local["type"] == "alarm" and local["message"] == message:
            return Caught(f"alarm {local['code']}", scene.kept(node, entry.index))
    return Caught("")


def _counted(node: SimNode, before: Mapping[str, int]) -> str:
    after = node.disk.evidence_counts()
    return ", ".join(code for code in after if after[code] > before.get(code, 0))


class Lie(msgspec.Struct, frozen=True):
    """One row of the catalogue.

    Attributes:
        what: what the liar does.
        where: who or what catches it.
        rule: the rule of docs/spec that stops it.
        evidence: the kind of evidence it leaves; None where there is none, and why stands in `where`.
    """

    name: str
    what: str
    where: str
    rule: str
    evidence: evidence.Kind | None
    play: Callable[[Scene], Caught]


CATALOGUE: tuple[Lie, ...] = (
    Lie(
        "equivocate",
        "says two bodies as one version to one party",
        "its node: the second is refused, alarm `equivocation`",
        "S-BODY-3",
        "equivocation",
        _equivocate,
    ),
    Lie(
        "tell-differently",
        "says one body to A and another to B",
        "A and B, or a bundle, compare: the two envelopes",
        "S-BODY-3",
        "equivocation",
        _tell_differently,
    ),
    Lie(
        "tell-others",
        "tells B that nobody else was told",
        "A and B compare: the lists of addressees differ",
        "S-BODY-3",
        "equivocation",
        _tell_others,
    ),
    Lie(
        "fork-chain",
        "signs two statements under one number",
        "the addressee: not taken, alarm `chain-fork`",
        "S-HEAD-3",
        "chain-fork",
        _fork_chain,
    ),
    Lie(
        "fork-previous",
        "names a predecessor that it did not sign before",
        "the addressee: not taken, alarm `chain-fork`",
        "S-HEAD-3",
        "chain-fork",
        _fork_previous,
    ),
    Lie(
        "wrong-proof",
        "signs a receipt whose proof proves nothing",
        "the maker of the statement: refused",
        "S-ANS-3",
        "receipt-wrong",
        _wrong_proof,
    ),
    Lie(
        "earlier-receipt",
        "signs a receipt with another time than its leaf",
        "the maker of the statement: refused `receipt-wrong`",
        "S-ANS-5",
        "receipt-wrong",
        _earlier_receipt,
    ),
    Lie(
        "back-date",
        "logs an entry with a time at which it was not there",
        "whoever holds a head that a witness cosigned then",
        "E-BACK-1",
        "back-dated",
        _back_date,
    ),
    Lie(
        "claim-old",
        "claims an old time for a new statement",
        "the addressee: flag `claimed-late`; an old claim may be an old statement that was held up, so it proves nothing",
        "S-ANS-5",
        None,
        _claim_old,
    ),
    Lie(
        "fork-log",
        "shows two histories of its log to two witnesses",
        "a witness that knows one: 422; or the two compare",
        "L-CP-5",
        "log-fork",
        _fork_log,
    ),
    Lie(
        "fork-log-mirrored",
        "shows one history to a witness and a longer one to a mirror",
        "the mirror, which has the leaves of one",
        "L-CP-5",
        "log-fork",
        _fork_log_mirrored,
    ),
    Lie(
        "collude",
        "has a witness cosign both histories",
        "anybody who holds both heads",
        "L-COS-3",
        "witness-fork",
        _collude,
    ),
    Lie(
        "break-rule",
        "says what a rule refuses, here a notice in another's name",
        "the addressee: refused, logged",
        "S-ANS-4",
        "rule-broken",
        _break_rule,
    ),
    Lie(
        "strip-openings",
        "sends openings that do not match",
        "the addressee: not taken, a sample; openings are not signed, so it proves nothing",
        "S-BODY-2",
        None,
        _strip_openings,
    ),
    Lie(
        "claim-heads",
        "claims that a node lost statements",
        "the node: ignored, a sample; only its own signatures prove a loss",
        "F-HEAD-2",
        None,
        _claim_heads,
    ),
    Lie(
        "speak-for-another",
        "signs a frame in another party's name",
        "the node: nobody's frame, a sample",
        "F-FRAME-2",
        None,
        _speak_for_another,
    ),
    Lie(
        "replay",
        "sends a frame and a statement again",
        "the node: a duplicate; heads of an overtaken frame do not count",
        "F-CUR-1",
        None,
        _replay,
    ),
    Lie(
        "withhold",
        "gives no receipt",
        "the maker: the line shows what waits, deadlines pass; silence is recorded and proves no lie",
        "S-ANS-2",
        None,
        _withhold,
    ),
    Lie(
        "flood-ordinary",
        "sends many ordinary statements",
        "limits of a frame; each has its receipt, safety goes first",
        "F-FRAME-1",
        None,
        lambda scene: _flood(scene, "ordinary"),
    ),
    Lie(
        "flood-safety",
        "sends many cease requests",
        "limits of a frame; each is shown and answered",
        "F-FRAME-1",
        None,
        lambda scene: _flood(scene, "safety"),
    ),
    Lie(
        "flood-junk",
        "sends what cannot be opened",
        "the node: counted, samples by quota",
        "F-FRAME-3",
        None,
        _flood_junk,
    ),
)


def tell(lie: Lie, scene: Scene) -> list[str]:
    """Tell a lie; what is wrong with how it was caught, nothing where it was caught and proved.

    Raises:
        Skipped: it could not be told now.
    """
    caught = lie.play(scene)
    if not caught.by:
        return [f"{lie.name} was not caught"]
    if lie.evidence is None:
        return [] if caught.proof is None else [f"{lie.name} left evidence where none can be"]
    if caught.proof is None:
        return [f"{lie.name} was caught ({caught.by}) and left no evidence"]
    against = scene.colluder.name if lie.evidence == "witness-fork" else scene.liar.name
    try:
        proved = evidence.verify_evidence(
            caught.proof, scene.roots(), verifier=scene.liar.identity.verifier
        )
    except DetenteError as error:
        return [f"the evidence of {lie.name} is not accepted: {error}"]
    if (proved.kind, proved.against) != (lie.evidence, against):
        return [f"{lie.name} is proved as {proved.kind} against {proved.against}"]
    return []

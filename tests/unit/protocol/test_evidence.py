"""Evidence: what it proves, and what must prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import cosigner_name, parse_checkpoint
from detente.ledger.cosignature import cosign
from detente.ledger.note import parse_note
from detente.ledger.proof import LogProof
from detente.protocol import evidence
from detente.protocol.paper import encode_paper
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.simulation.chance import Chance
from detente.simulation.clock import NodeClock
from detente.simulation.lies import CATALOGUE, Scene
from detente.simulation.node import converse
from detente.simulation.party import REAL, SIMULATED, Crypto
from detente.simulation.room import Room
from detente.simulation.witness import SimWitness
from detente.units import US_PER_S

LIES = {lie.name: lie for lie in CATALOGUE}
PROVED = [lie.name for lie in CATALOGUE if lie.evidence]


def make_scene(crypto: Crypto = SIMULATED) -> Scene:
    """North and south, honest; east lies."""
    room = Room(5, crypto=crypto)
    nodes = [room.node(0), room.node(1)]
    witness = SimWitness(room.parties[4], NodeClock(room.timeline))
    return Scene(room.parties[2], nodes, [witness], room.parties[3], Chance(1))


def played(name: str, scene: Scene) -> bytes:
    """The evidence that a lie left."""
    proof = LIES[name].play(scene).proof
    assert proof is not None
    return proof


def verify(data: bytes, scene: Scene) -> evidence.Proved:
    """What the file proves to who trusts the roots of the scene."""
    return evidence.verify_evidence(data, scene.roots(), verifier=scene.liar.identity.verifier)


def content_of(data: bytes) -> Any:
    """The JSON of a file."""
    return parse_canonical(data.split(b"\n")[1], most_bytes=2**25)


def changed(data: bytes, **members: Any) -> bytes:
    """The file with other members, its SHA-256 computed again."""
    return encode_paper("evidence", {**content_of(data), **members})


@pytest.mark.parametrize("name", ["equivocate", "fork-log-mirrored", "collude", "back-date"])
def test_evidence_with_real_keys_is_accepted(name: str) -> None:
    """Real signatures prove the same as the simulator's."""
    scene = make_scene(REAL)
    assert verify(played(name, scene), scene).kind == LIES[name].evidence


@pytest.mark.parametrize("name", PROVED)
def test_evidence_is_its_own_reencoding_and_needs_every_key(name: str) -> None:
    """E-FORM-1, E-FORM-2: another spelling, a missing key or a key too many is refused."""
    scene = make_scene()
    data = played(name, scene)
    content = content_of(data)
    assert changed(data) == data
    for wrong in (
        data + b"\n",
        data.replace(b'"v":1}', b'"v":1 }'),
        data[:-2] + b"0\n",
        changed(data, keys=content["keys"][1:]),
        changed(
            data,
            keys=[
                one.signed
                for one in sorted(scene.certificates(), key=lambda c: (c.party, c.serial, c.key_id))
                if one.use == "signing"
            ],
        ),
    ):
        with pytest.raises(PeerError):
            verify(wrong, scene)


@pytest.mark.parametrize("name", PROVED)
def test_evidence_against_somebody_else_is_refused(name: str) -> None:
    """E-FORM-3: who did not sign it cannot be accused with it, and every wrong member is the file's fault."""
    scene = make_scene()
    data = played(name, scene)
    for members in (
        {"against": "north"},
        {"against": 5},
        {"kind": "rumour"},
        {"kind": []},
        {"proof": []},
        {"proof": {}},
        {"keys": {}},
    ):
        with pytest.raises(PeerError):
            verify(changed(data, **members), scene)
    with pytest.raises(PeerError):
        evidence.verify_evidence(
            data, {"north": scene.nodes[0].party.root.public}, verifier=scene.liar.identity.verifier
        )


@pytest.mark.parametrize("name", PROVED)
def test_evidence_every_changed_value_in_its_proof_is_refused(name: str) -> None:
    """E-FORM-3: whatever value is put in place of a part of the proof, the reader raises PeerError and nothing else."""
    scene = make_scene()
    data = played(name, scene)
    proof = content_of(data)["proof"]
    for member in proof:
        for value in (None, 5, "x", [], {}, ["x", "y"], [None, None], True):
            if value == proof[member]:
                continue
            with pytest.raises(PeerError):
                verify(changed(data, proof={**proof, member: value}), scene)


def test_evidence_of_another_exercise_flag_is_refused() -> None:
    """E-FORM-4: what happened in an exercise cannot be shown as real."""
    scene = make_scene()
    data = played("equivocate", scene)
    assert verify(data, scene).exercise is True
    for flag in (False, None):
        with pytest.raises(PeerError):
            verify(changed(data, EXERCISE=flag), scene)


def test_evidence_one_body_twice_is_no_equivocation() -> None:
    """E-EQ-1: copies of one body to two parties, and two versions, contradict nothing."""
    scene = make_scene()
    (node, actor) = scene.victim()
    first, second = actor.say_notice("X-1", 1), actor.say_notice("X-1", 2)
    actor.send(first, second)
    content = evidence.two_statements("equivocation", first[0], second[0])
    with pytest.raises(PeerError):
        verify(evidence.encode_evidence(content, scene.certificates()), scene)
    assert evidence.meet_record(node.running, first[0]) is None


def test_evidence_neighbours_on_a_chain_are_no_fork() -> None:
    """E-CHAIN-1: two statements that follow each other contradict nothing."""
    scene = make_scene()
    (_, actor) = scene.victim()
    first, second = actor.say_notice("X-1", 1), actor.say_notice("X-2", 1)
    content = evidence.two_statements("chain-fork", first[0], second[0])
    with pytest.raises(PeerError):
        verify(evidence.encode_evidence(content, scene.certificates()), scene)


def test_evidence_two_heads_of_one_history_are_no_fork() -> None:
    """E-LOG-1: a log that grew contradicts nothing; there is no other root to name."""
    scene = make_scene()
    log = scene.fresh_log()
    log.fill(5)
    first = log.head(scene.nodes[0].now_us())
    log.fill(4)
    notes = [first, log.head(scene.nodes[0].now_us())]
    with pytest.raises(UsageError):
        evidence.two_heads("log-fork", "east", notes, log.tree)
    with pytest.raises(UsageError):
        evidence.two_heads("log-fork", "east", notes)


def test_evidence_against_a_log_needs_its_own_lines() -> None:
    """E-LOG-2, E-WIT-1: heads that only a witness signed prove nothing against the log, and the reverse."""
    scene = make_scene()
    for name, kind, against in (
        ("collude", "log-fork", "east"),
        ("fork-log", "witness-fork", "party-5"),
    ):
        data = played(name, scene)
        with pytest.raises(PeerError):
            verify(changed(data, kind=kind, against=against), scene)


def test_evidence_old_head_cosigned_late_convicts_nobody() -> None:
    """E-BACK-1: a head that a witness saw late, or that a cosigner dates into the future, dates no entry."""
    scene = make_scene()
    (node, _) = scene.victim()
    now_us = node.now_us()
    log = scene.fresh_log()
    log.fill(5)
    old = log.head(now_us - 7200 * US_PER_S)
    lines = cosign(
        scene.colluder.identity.signer,
        cosigner_name(scene.colluder.name),
        parse_checkpoint(parse_note(old)),
        now_us // US_PER_S + 7200,
    )
    about, _ = scene.told(node)
    leaf, index = log.receive(about, now_us - 3600 * US_PER_S)
    place = LogProof(log.head(now_us), index, tuple(log.tree.inclusion_proof(index, log.tree.size)))
    content = evidence.back_dated("east", old + lines, scene.colluder.name, leaf, place)
    with pytest.raises(PeerError, match="both times"):
        verify(evidence.encode_evidence(content, scene.certificates()), scene)


def test_evidence_right_receipt_is_no_wrong_one() -> None:
    """E-RCPT-1: an honest receipt convicts nobody, whichever certificates are left out."""
    scene = make_scene()
    north, south = scene.nodes
    converse(north, south)
    about = _told(north, "south")
    converse(north, south)
    receipt = north.running.state.receipts[about.id]
    found = north.running.journal.statement(receipt.receipt)
    assert found is not None
    content = evidence.wrong_receipt(about, *found)
    with pytest.raises(PeerError, match="right as far"):
        verify(evidence.encode_evidence(content, scene.certificates()), scene)


def test_evidence_good_statement_breaks_no_rule() -> None:
    """E-RULE-1: an honest notice breaks no rule, also where its openings are left out of the file."""
    scene = make_scene()
    north, south = scene.nodes
    converse(north, south)
    about = _told(north, "south")
    found = north.running.journal.statement(about.id)
    assert found is not None
    for openings in (found[1], {}):
        for rule in ("field-missing", "notice-of-another"):
            content = evidence.broken_rule(about, openings, rule)
            with pytest.raises(PeerError):
                verify(evidence.encode_evidence(content, scene.certificates()), scene)


def test_evidence_of_a_record_is_found_and_exported() -> None:
    """What a node kept proves what its peer did; an honest record proves nothing."""
    scene = make_scene()
    north, south = scene.nodes
    converse(north, south)
    _told(north, "south")
    converse(north, south)
    assert list(evidence.find_evidence(north.running)) == []
    (node, _) = scene.victim()
    scene.nodes = [node]
    for name in ("equivocate", "fork-chain", "wrong-proof", "break-rule"):
        LIES[name].play(scene)
    found = list(evidence.find_evidence(node.running))
    assert [one.kind for one in found] == [
        "equivocation",
        "chain-fork",
        "receipt-wrong",
        "rule-broken",
    ]
    for one in found:
        assert verify(evidence.export_evidence(node.running, one), scene).kind == one.kind
    assert encode_canonical(found[0].content)


def _told(node: Any, to: str) -> Any:
    from detente.simulation.officer import random_notice

    notice = random_notice("Q-1", Chance(3), node.now_us(), exercise=True)
    filed = node.run(
        lambda core: core.file_notice(notice, [to], node.now_us(), officer="o", desk="d")
    )
    core = node.running
    return core.journal.statement(core.state.notices[filed.id].latest.statements[to])[0]

"""What a restored node signs before it knows that it is behind, and what keeps it from being taken for a lie."""

from __future__ import annotations

import pytest

from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.note import parse_note
from detente.protocol.evidence import (
    encode_evidence,
    find_evidence,
    two_statements,
    verify_evidence,
)
from detente.protocol.incoming import start_recovery
from detente.protocol.statement import Statement
from detente.simulation.check import BLAME, LOSS, check_evidence
from detente.simulation.faults import Faults, parse_faults
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room
from detente.simulation.world import MINUTE_US, World


def heads(node: SimNode) -> tuple[str, int, bytes]:
    """Origin, size and root of a head that a node signs now."""
    found = parse_checkpoint(parse_note(node.act(lambda core: core.checkpoint(node.now_us()))))
    return found.origin, found.size, found.root


def test_restored_node_asks_no_witness_before_it_is_whole() -> None:
    """E-REST-1: while a node may be behind without knowing it, the simulator's operators keep its heads from witnesses."""
    world = World(5, 2, Faults(), every_s=60)
    world._look_after_restored = lambda: None  # type: ignore[method-assign]
    world.watch.mending.add("north")
    world.run(3 * 60 * MINUTE_US)
    origins = {origin for witness in world.witnesses for origin in witness.state.heads}
    assert origins == {"detente/south/log/1"}
    world.watch.mending.clear()
    world.run(3 * 60 * MINUTE_US)
    origins = {origin for witness in world.witnesses for origin in witness.state.heads}
    assert origins == {"detente/north/log/1", "detente/south/log/1"}


def test_head_signed_before_every_peer_was_heard_contradicts_and_the_next_log_does_not() -> None:
    """E-REST-1: south had nothing of what was lost, so the line agrees and north signs a head that contradicts one of before; once
    east has proved the loss, north goes on in a log of another origin."""
    room = Room(3)
    north, south, east = room.nodes()
    for _ in range(3):
        room.wait(3)
        converse(north, south)
        converse(north, east)
    backup = north.disk.snapshot()
    for name in ("A-1", "A-2"):
        notice = random_notice(name, room.chance, north.now_us(), exercise=True)
        north.run(
            lambda core, one=notice: core.file_notice(  # type: ignore[misc]
                one, ("east",), north.now_us(), officer="o", desk="operations-cell"
            )
        )
    room.wait(3)
    converse(north, east)
    before = heads(north)
    north.restore(backup)
    room.wait(3)
    converse(north, south)
    while north.running.tree.size < before[1]:
        north.act(lambda core: core.append_local(north.now_us(), "officer/note", text="after"))
    after = heads(north)
    assert after[:2] == before[:2]
    assert after[2] != before[2], (
        "the page says that this can be: bring the node up with all its lines"
    )
    for _ in range(3):
        room.wait(3)
        converse(north, east)
    assert north.running.fault == "behind"
    north.act(lambda core: start_recovery(core, north.now_us()))
    for _ in range(3):
        room.wait(3)
        converse(north, east)
        converse(north, south)
    assert north.running.fault is None
    assert heads(north)[0] == "detente/north/log/2"


def test_number_signed_again_that_a_peer_hid_is_a_fork_and_heads_of_before_show_the_restore() -> (
    None
):
    """E-REST-2: south hides what it held of a restored north, which then signs a number again: the file holds against north, and a
    head of its log from before the loss, which its log since does not extend, shows that it was restored."""
    room = Room(2)
    north, south = room.nodes()
    for _ in range(3):
        room.wait(3)
        converse(north, south)
    backups = {one.name: one.disk.snapshot() for one in (north, south)}

    def say(name: str) -> Statement:
        notice = random_notice(name, room.chance, north.now_us(), exercise=True)
        north.run(
            lambda core: core.file_notice(
                notice, ("south",), north.now_us(), officer="o", desk="operations-cell"
            )
        )
        for _ in range(3):
            room.wait(3)
            converse(north, south)
        (copy,) = [
            one
            for _, _, one, _ in south.running.journal.replay()
            if one is not None and one.party == "north" and one.thread
            if one.thread.id == f"north:{name}"
        ]
        return copy

    first, before = say("A-1"), heads(north)
    for one in (north, south):
        one.restore(backups[one.name])  # south as if it had never heard the first
    second = say("A-2")
    assert (first.sequence, first.chain) == (second.sequence, second.chain)
    content = two_statements("chain-fork", first, second)
    state = south.running.state
    data = encode_evidence(content, list(state.keys.certificates["north"].values()))
    roots = {"north": state.agreements[first.agreement or ""].members["north"].root}
    proved = verify_evidence(data, roots, verifier=south.running.identity.verifier)
    assert (proved.kind, proved.against) == ("chain-fork", "north")
    while north.running.tree.size < before[1]:
        north.act(lambda core: core.append_local(north.now_us(), "officer/note", text="after"))
    assert north.running.tree.root(before[1]) != before[2]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_days_of_restores_and_rotations_leave_no_evidence_against_anybody(seed: int) -> None:
    """E-HONEST-1: whatever is lost, late or doubled, wherever nodes die, with old backups and new keys: no record holds a proof,
    and no alarm says more than that something was lost."""
    faults = "loss,duplication,reordering,crash,torn-write,rotation,stale-restore"
    world = World(seed, 3, parse_faults(faults), every_s=60)
    for _ in range(4):
        world.run(10 * MINUTE_US)
        world.check()
    world.heal()
    assert world.violations == {}
    assert world.restores > 0
    assert list(check_evidence(world.party_nodes, ())) == []
    for node in world.party_nodes:
        assert list(find_evidence(node.running)) == []
        assert {alarm.code for alarm in node.running.state.alarms} & BLAME <= LOSS

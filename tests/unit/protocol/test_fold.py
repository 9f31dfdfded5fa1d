"""The fold: state is what the ledger says, read from the start, and nothing else."""

from __future__ import annotations

import msgspec

from detente.agreement.revocation import Revocation
from detente.protocol import views
from detente.protocol.fold import State
from detente.simulation.faults import Faults
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room
from detente.simulation.world import MINUTE_US, World


def day() -> list[SimNode]:
    """Two nodes after an eventful half hour."""
    world = World(3, 2, Faults(), every_s=60)
    world.run(30 * MINUTE_US)
    world.heal()
    return world.party_nodes


def test_fold_of_the_same_ledger_is_the_same_state() -> None:
    """A rebuild reproduces every view byte for byte."""
    for node in day():
        assert views.projection(node.load()) == views.projection(node.running)


def test_fold_every_prefix_of_a_ledger_is_a_state() -> None:
    """The fold needs no look ahead: each entry is applied to what stood before it."""
    node = day()[0]
    entries = list(node.running.journal.replay())
    state = State(party=node.name, verifier=node.party.identity.verifier)
    state.keys.verifier = node.party.identity.verifier
    for count, (entry, _, statement, openings) in enumerate(entries, start=1):
        state.apply(entry, statement, openings)
        assert state.entries == count
    whole = node.running.state
    assert msgspec.to_builtins(state.receipts) == msgspec.to_builtins(whole.receipts)
    assert state.made == whole.made
    assert state.received == whole.received


def test_fold_trusts_the_outcome_of_the_entry_and_judges_nothing_anew() -> None:
    """A statement that was refused stays refused in a rebuild, whatever newer software thinks."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
    north.run(lambda core: core.file_notice(notice, (), north.now_us(), officer="o", desk="d"))
    room.wait(3)
    converse(north, south)
    state = State(party="south", verifier=south.party.identity.verifier)
    state.keys.verifier = south.party.identity.verifier
    for entry, _, statement, openings in south.running.journal.replay():
        refused = msgspec.structs.replace(entry, outcome="refused:newer-rule")
        state.apply(refused if statement else entry, statement, openings)
    assert state.notices == {}
    assert state.head(False, "north", "ordinary").sequence == 1


def test_fold_version_replaces_and_cancellation_ends() -> None:
    """The latest version counts; a cancellation is a version and keeps the times of what it ends."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    for amend in (False, True):
        notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
        north.act(
            lambda core, n=notice, a=amend: core.file_notice(  # type: ignore[misc]
                n, (), north.now_us(), officer="o", desk="d", amend=a
            )
        )
    north.run(
        lambda core: core.cancel_notice("north:A-1", "done", north.now_us(), officer="o", desk="d")
    )
    room.wait(3)
    converse(north, south)
    for node in (north, south):
        known = node.running.state.notices["north:A-1"]
        assert sorted(known.versions) == [1, 2, 3]
        assert known.cancelled
        assert known.latest.start_us == known.versions[2].start_us
        assert node.running.volumes("north:A-1") is None


def test_states_share_nothing() -> None:
    """Two folds in one process do not write into each other's state."""
    one, other = State(party="a"), State(party="b")
    one.filed_cancels.add("a:1")
    one.alarmed.add(("x", "y", None))
    one.epochs.append(4)
    one.keys.revoke(Revocation("a", "k", "lost", 1))
    one.behind.add("c")
    assert other.filed_cancels == set()
    assert other.alarmed == set()
    assert other.epochs == [0]
    assert other.keys.revocations == {}
    assert other.behind == set()

"""A key that a peer was never told of is introduced before anything is signed to that peer under it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detente.protocol import cease, views
from detente.protocol.audit import audit
from detente.protocol.incoming import start_recovery
from detente.protocol.introduction import is_stranger
from detente.signing.key import SEED_BYTES
from detente.signing.simulated import KeyedHashKeys
from detente.simulation.check import check_healed
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.party import DAY_US
from detente.simulation.room import Room
from detente.simulation.run import simulate

WHO: dict[str, Any] = {"officer": "o", "desk": "watch"}


def rotate(node: SimNode, letter: bytes = b"n", *, kept: bool = True) -> None:
    """A new signing key, told to all and used at once; its certificate kept beside it or not."""
    new = KeyedHashKeys(letter * SEED_BYTES)
    certificate = node.party.certify(
        new, 2 + node.running.tree.size, node.now_us(), node.now_us() + 4000 * DAY_US
    )
    values = {"certificate": certificate}
    node.run(
        lambda core: core.say(
            "policy/key-certificate", values, (), node.now_us(), exercise=True, **WHO
        )
    )
    certificates = (certificate,) if kept else ()
    node.use_keys(
        msgspec.structs.replace(node.party.identity, signer=new, certificates=certificates)
    )


def ask(node: SimNode) -> None:
    """Ask to cease."""
    values = {"reason": "own people there"}
    node.run(lambda core: cease.ask_cease(core, values, [], node.now_us(), exercise=True, **WHO))


def file(room: Room, node: SimNode, name: str) -> None:
    """File a notice that the seed draws."""
    notice = random_notice(name, room.chance, node.now_us(), exercise=True)
    node.run(lambda core: core.file_notice(notice, (), node.now_us(), **WHO))


def types(node: SimNode, peer: str) -> list[str]:
    """The types of what was said to a peer on the safety chain."""
    return [
        statement.type
        for _, _, statement, _ in node.disk.replay()
        if statement is not None and (statement.recipient, statement.chain) == (peer, "safety")
    ]


def sound(*nodes: SimNode) -> None:
    """Everything is delivered, nothing was refused, and a rebuild gives the same."""
    assert list(check_healed(list(nodes))) == []
    for node in nodes:
        assert node.disk.evidence_counts().get("key-unknown", 0) == 0
        assert audit(node.running)["problems"] == []
        assert views.projection(node.load()) == views.projection(node.running)


def test_key_whose_certificate_a_restore_took_away_is_introduced_anew() -> None:
    """K-ROT-4: nobody was reached with the certificate, and the record was restored from before it: the key says itself who it is."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    room.talk(north, south)
    backup = north.disk.snapshot()
    rotate(north)  # south is not reached
    north.restore(backup)
    file(room, north, "A-2")
    ask(north)
    room.talk(north, south)
    assert {"north:A-1", "north:A-2"} <= south.running.state.notices.keys()
    assert types(north, "south")[0] == "policy/key-certificate"
    assert types(north, "south").count("policy/key-certificate") == 1
    sound(north, south)


def test_request_that_waited_before_the_key_was_replaced_follows_its_certificate() -> None:
    """K-ROT-4: a cease request was filed while the line was down, then the key was replaced: the request is signed under the
    new key, and the certificate, which was filed later, goes before it."""
    room = Room()
    north, south = room.nodes()
    ask(north)
    rotate(north, kept=False)
    file(room, north, "A-1")
    room.talk(north, south)
    assert len(south.running.state.urgent.known) == 1
    said = types(north, "south")
    assert said.index("policy/key-certificate") < said.index("hotline/cease")
    sound(north, south)


def test_receipt_under_a_new_key_follows_its_certificate() -> None:
    """K-ROT-4: what opens the line is answered under the new key, and the certificate goes before the answer."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    ask(south)
    room.talk(north, south)
    north.crash()
    north.start()
    ask(south)
    rotate(north, kept=False)  # the line is cold: the certificate waits
    room.talk(north, south)
    assert all(one.receipt for one in south.running.state.receipts.values())
    assert not south.running.intents
    sound(north, south)


def test_key_is_introduced_to_the_one_that_was_not_told() -> None:
    """K-ROT-4: of two peers one had the certificate and gave it back; the other is told all the same, once."""
    room = Room(3)
    north, south, east = room.nodes()
    room.talk(north, south, east)
    backup = north.disk.snapshot()
    rotate(north)
    room.talk(north, south)  # east is not reached
    north.restore(backup)
    room.talk(north, south)
    assert north.running.fault == "behind"
    north.act(lambda core: start_recovery(core, north.now_us()))
    room.talk(north, south, east)
    file(room, north, "A-1")
    room.talk(north, south, east)
    assert "north:A-1" in east.running.state.notices
    assert types(north, "east").count("policy/key-certificate") == 1
    assert not is_stranger(north.running, "east")
    sound(north, south, east)


def test_key_that_everybody_was_told_of_is_not_introduced_again() -> None:
    """K-ROT-4: a rotation on open lines costs one statement to each peer, as before."""
    room = Room()
    north, south = room.nodes()
    room.talk(north, south)
    rotate(north)
    ask(north)
    file(room, north, "A-1")
    room.talk(north, south)
    assert types(north, "south").count("policy/key-certificate") == 1
    sound(north, south)


@pytest.mark.parametrize("seed", [22, 41, 61])
def test_days_of_rotations_and_old_backups_keep_every_invariant(seed: int) -> None:
    """K-ROT-4, F-HEAD-1: keys are replaced and backups from before come back, with their keys or without."""
    found = simulate(
        seed, hours=1, faults="rotation,stale-restore,crash,partition,loss", every_s=60
    )
    assert found["violations"] == []
    assert found["rotations"] > 0
    assert found["restores"] > 0

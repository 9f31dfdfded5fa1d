"""Bundles of what was signed by a key that was revoked since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from detente.agreement.revocation import issue_revocation, parse_revocation
from detente.errors import PeerError
from detente.protocol.bundle import MEMBERS, Verified, verify_bundle
from detente.protocol.bundling import make_bundle
from detente.protocol.doubtful import Standing, find_doubt
from detente.protocol.interval import Head
from detente.protocol.paper import decode_paper, encode_paper
from detente.protocol.views import find_statements
from detente.simulation.node import SimNode, converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import SIMULATED
from detente.simulation.room import Room
from detente.units import US_PER_S, format_time, parse_time


class Scene:
    """North told south of A-1, south answered; east cosigned both logs; then keys are revoked."""

    def __init__(self) -> None:
        self.room = Room(3)
        self.north, self.south, self.east = self.room.nodes()
        converse(self.north, self.south)
        self.start_us = self.room.timeline.now_us
        self.room.wait(60)
        notice = random_notice("A-1", self.room.chance, self.north.now_us(), exercise=True)
        self.north.run(
            lambda core: core.file_notice(
                notice, ("south",), self.north.now_us(), officer="o", desk="d"
            )
        )
        self.room.wait(3)
        converse(self.north, self.south)
        self.room.wait(60)
        for node in (self.north, self.south):
            cosign_newest(node, self.east)
        self.room.wait(60)
        self.end_us = self.room.timeline.now_us

    def revoke(self, party: str, since_us: int, reason: str = "compromised") -> None:
        """A party's root revokes its signing key, and north and south learn of it."""
        (of,) = [one for one in self.room.parties if one.name == party]
        signed = issue_revocation(
            of.root,
            party=party,
            key_id=of.identity.signer.public.key_id,
            revoked_at_us=since_us,
            reason=reason,
        )
        found = parse_revocation(
            signed, party=party, root=of.root.public, field="x", verifier=SIMULATED.verifier
        )
        for node in (self.north, self.south):
            node.running.state.keys.revoke(found)

    def bundle(self, node: SimNode) -> bytes:
        """The bundle of the notice."""
        return make_bundle(node.running, find_statements(node.running, "north:A-1"))

    def verify(self, data: bytes) -> Verified:
        """What it proves."""
        roots = {p.name: p.root.public for p in self.room.parties}
        return verify_bundle(data, roots, verifier=SIMULATED.verifier)


def test_bundle_notice_logged_by_the_addressee_before_the_revocation_stands() -> None:
    """B-REV-2: North revokes its key from after east saw the notice in south's log; the notice is proof as ever."""
    scene = Scene()
    scene.revoke("north", scene.end_us)
    for node in (scene.north, scene.south):
        found = scene.verify(scene.bundle(node))
        assert found.doubts == []
    assert found.remarks == []


@pytest.mark.parametrize("reason", ["compromised", "lost", "superseded"])
def test_bundle_notice_logged_after_the_revocation_is_marked(reason: str) -> None:
    """B-REV-2: what south logged after the time that north's root names is in doubt, and the bundle says why, since when, and when south had it."""
    scene = Scene()
    scene.revoke("north", scene.start_us, reason)
    for node in (scene.north, scene.south):
        found = scene.verify(scene.bundle(node))
        (doubt,) = found.doubts
        assert (doubt.type, doubt.party, doubt.reason) == ("activity/notice", "north", reason)
        assert doubt.since == format_time(scene.start_us)
        assert doubt.first_elsewhere == found.received_by[0].time


def test_bundle_receipt_by_a_revoked_key_is_marked() -> None:
    """B-REV-2: it mirrors: south's receipt is in doubt where north logged it after the time that south's root names."""
    scene = Scene()
    scene.revoke("south", scene.start_us)
    found = scene.verify(scene.bundle(scene.north))
    assert [(one.type, one.party) for one in found.doubts] == [("receipt/delivered", "south")]
    own = scene.verify(scene.bundle(scene.south))
    assert [(one.type, one.party) for one in own.doubts] == [("receipt/delivered", "south")]


def test_bundle_between_log_and_cosignature_says_whose_word_it_is() -> None:
    """B-REV-2: a revocation from between south's log and east's cosignature leaves the notice standing, by south's word alone."""
    scene = Scene()
    scene.revoke("north", scene.end_us - 90 * US_PER_S)
    found = scene.verify(scene.bundle(scene.south))
    assert found.doubts == []
    assert any("the word of one log" in one for one in found.remarks)


def test_bundle_cosignature_by_a_revoked_key_does_not_count() -> None:
    """B-REV-3: east's word after the time its root names bounds nothing; before it, it counts and is remarked on."""
    scene = Scene()
    before = scene.verify(scene.bundle(scene.north))
    assert before.logged_at[0].cosigned_by == ["east"]
    scene.revoke("east", scene.start_us)
    after = scene.verify(scene.bundle(scene.north))
    assert after.logged_at[0].cosigned_by == []
    assert after.made.not_after is None
    assert any("does not count" in one for one in after.remarks)
    late = Scene()
    late.revoke("east", late.end_us)
    found = late.verify(late.bundle(late.north))
    assert found.logged_at[0].cosigned_by == ["east"]
    assert any("can give any time" in one for one in found.remarks)


def test_bundle_head_by_a_revoked_key_is_remarked_on() -> None:
    """B-REV-3: north's own head after the time that north names says so."""
    scene = Scene()
    scene.revoke("north", scene.start_us)
    found = scene.verify(scene.bundle(scene.north))
    assert any(one.startswith("head of detente/north/log/1") for one in found.remarks)


CHANGES: dict[str, Callable[[list[Any]], object]] = {
    "twice": lambda given: given.append(given[0]),
    "text": lambda given: given.append("no"),
    "altered": lambda given: given[0]["document"].update(reason="lost"),
    "of-a-stranger": lambda given: given[0]["document"].update(party="west"),
    "of-another": lambda given: given[0]["document"].update(party="south"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_bundle_revocation_changed_is_refused(name: str) -> None:
    """B-REV-1: a revocation is signed by its party's root, of a key in the bundle, and there once."""
    scene = Scene()
    scene.revoke("north", scene.start_us)
    content = decode_paper("bundle", scene.bundle(scene.north), MEMBERS, 2**25)
    CHANGES[name](content["revocations"])
    with pytest.raises(PeerError):
        scene.verify(encode_paper("bundle", content))


def test_bundle_revocation_of_a_key_that_is_not_in_it_is_refused() -> None:
    """B-REV-1: a true revocation of another key of north's does not ride along."""
    scene = Scene()
    content = decode_paper("bundle", scene.bundle(scene.north), MEMBERS, 2**25)
    root = scene.room.parties[0].root
    content["revocations"] = [
        issue_revocation(
            root, party="north", key_id="0" * 32, revoked_at_us=scene.start_us, reason="lost"
        )
    ]
    with pytest.raises(PeerError, match="that the proof carries"):
        scene.verify(encode_paper("bundle", content))


def test_doubt_without_a_place_elsewhere_needs_somebody_elses_word_in_time() -> None:
    """B-REV-2: in the maker's log alone, what an outsider cosigned before stands; the maker's own word does not count."""
    scene = Scene()
    scene.revoke("north", scene.end_us)
    statement_id = next(iter(find_statements(scene.north.running, "north:A-1")))
    kept = scene.north.running.journal.statement(statement_id)
    assert kept is not None
    revoked = scene.north.running.state.keys.revocations["north"][kept[0].key]
    at_s = parse_time(format_time(scene.end_us)) // US_PER_S - 10

    def standing(by: str) -> list[Standing]:
        head = Head("detente/north/log/1", 9, at_s, holds=True, cosigned=((by, at_s),))
        return [Standing("north", 0, [head])]

    assert find_doubt(kept[0], standing("east"), revoked, []) is None
    doubt = find_doubt(kept[0], standing("north"), revoked, [])
    assert doubt is not None
    assert doubt.first_elsewhere is None

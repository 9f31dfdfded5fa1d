"""Time stamps in bundles: what they bound, and what does not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import Certificate

from detente.errors import PeerError
from detente.ledger.timestamp import Stamp, make_query, parse_roots, take_reply
from detente.limits import BUNDLE_HEADS, STAMP_BYTES
from detente.protocol.bundle import MEMBERS, Verified, verify_bundle
from detente.protocol.bundling import make_bundle
from detente.protocol.paper import decode_paper, encode_paper
from detente.protocol.seen import made_interval
from detente.protocol.views import find_statements
from detente.signing.base64 import encode_base64url
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.party import SIMULATED
from detente.simulation.room import Room
from detente.units import US_PER_S, format_time
from tsa import NEEDS_OPENSSL, Authority

pytestmark = NEEDS_OPENSSL


class Scene:
    """North told south of A-1, nobody cosigned, and an authority stamped north's log before and after."""

    def __init__(self, root: Path) -> None:
        self.authority = Authority(root)
        self.roots = parse_roots(self.authority.certificate.read_bytes(), field="x")
        self.room = Room(2)
        self.north, self.south = self.room.nodes()
        converse(self.north, self.south)
        self.before = self.stamp(self.north)
        notice = random_notice("A-1", self.room.chance, self.north.now_us(), exercise=True)
        self.north.run(
            lambda core: core.file_notice(
                notice, ("south",), self.north.now_us(), officer="o", desk="d"
            )
        )
        self.room.wait(3)
        converse(self.north, self.south)
        self.after = self.stamp(self.north)
        self.trusted = {p.name: p.root.public for p in self.room.parties}

    def stamp(self, node: SimNode, *, verified: bool = True) -> Stamp:
        """Have a node's log as it is stamped."""

        def act(core: Any) -> Stamp:
            text = core.checkpoint(node.now_us())
            query, nonce = make_query(text)
            found = take_reply(self.authority.stamp(query), text, nonce)
            core.journal.put_stamp(core.tree.size, found.token, verified=verified)
            return found

        found: Stamp = node.act(act)
        return found

    def bundle(self) -> bytes:
        """North's bundle of the notice."""
        return make_bundle(self.north.running, find_statements(self.north.running, "A-1"))

    def verify(self, data: bytes, authorities: Sequence[Certificate] | None) -> Verified:
        """What a bundle proves."""
        return verify_bundle(
            data, self.trusted, authorities=authorities, verifier=SIMULATED.verifier
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One scene for all tests here."""
    return Scene(tmp_path_factory.mktemp("tsa"))


def late(stamp: Stamp) -> str:
    """The late end that a stamp gives."""
    return format_time((stamp.time_s + 1) * US_PER_S)


def test_stamp_of_the_reader_s_authority_is_a_late_end_and_no_early_one(scene: Scene) -> None:
    """B-TSA-3: the stamp over the head with the statement bounds when it was made; the one over the head before bounds nothing."""
    found = scene.verify(scene.bundle(), scene.roots)
    assert found.made.not_after == found.logged_at[0].not_after == late(scene.after)
    assert found.made.not_before is None
    assert found.made.by == ["tsa:Exercise TSA"]
    (one,) = found.stamps
    assert (one.log, one.checked, one.reason) == ("detente/north/log/1", True, None)
    assert one.time == format_time(scene.after.time_s * US_PER_S)
    assert found.remarks == []


def test_stamp_that_nobody_can_check_is_a_remark_and_bounds_nothing(scene: Scene) -> None:
    """B-TSA-2: without a certificate of the reader's the stamp is told of, and no time is taken from it."""
    found = scene.verify(scene.bundle(), None)
    assert (found.made.not_before, found.made.not_after, found.made.by) == (None, None, [])
    assert found.stamps[0].checked is None
    (remark,) = found.remarks
    assert "stamped by tsa:Exercise TSA" in remark
    assert remark.endswith("not checked: give --tsa")


def test_stamp_of_another_authority_is_a_remark_and_bounds_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    """B-TSA-2: who sets up an authority of its own persuades only those who trust it; the bundle stays valid."""
    other = parse_roots(Authority(tmp_path / "o").certificate.read_bytes(), field="x")
    found = scene.verify(scene.bundle(), other)
    assert found.made.not_after is None
    assert found.stamps[0].checked is False
    assert "which does not count" in found.remarks[0]
    assert "unable to get local issuer certificate" in found.remarks[0]


def test_node_shows_a_verified_stamp_as_a_late_end_and_no_other(scene: Scene) -> None:
    """L-TSA-3: what did not verify when it came bounds no time that the node shows."""
    core = scene.north.running
    (wanted,) = find_statements(core, "A-1")
    found, entry = core.journal.statement(wanted), core.journal.entry_of(wanted)
    assert found is not None
    assert entry is not None
    assert made_interval(core, found[0], entry).not_after == late(scene.after)
    size = core.journal.stamped_from(entry.index + 1)
    core.journal.put_stamp(size, scene.after.token, verified=False)
    assert made_interval(core, found[0], entry).not_after is None
    core.journal.put_stamp(size, scene.after.token, verified=True)


def _not_the_head_s(content: Any, scene: Scene) -> None:
    content["stamps"] = sorted([*content["stamps"], encode_base64url(scene.before.token)])


WRONG: dict[str, Callable[[Any, Scene], object]] = {
    "of-no-head-in-it": _not_the_head_s,
    "twice": lambda content, _: content["stamps"].append(content["stamps"][0]),
    "no-list": lambda content, _: content.update(stamps={}),
    "no-text": lambda content, _: content.update(stamps=[5]),
    "no-token": lambda content, _: content.update(stamps=["AAAA"]),
    "padded": lambda content, _: content.update(stamps=[content["stamps"][0] + "="]),
    "huge": lambda content, _: content.update(stamps=["A" * (2 * STAMP_BYTES + 1)]),
    "many": lambda content, _: content.update(stamps=["AAAA"] * (BUNDLE_HEADS + 1)),
    "cut": lambda content, _: content.update(stamps=[content["stamps"][0][:-40]]),
    "absent": lambda content, _: content.pop("stamps"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bundle_with_a_wrong_stamp_is_refused(scene: Scene, name: str) -> None:
    """B-TSA-1: a stamp of no head in the bundle, or no token at all, is the bundle's fault."""
    content = decode_paper("bundle", scene.bundle(), MEMBERS, 2**25)
    assert len(content["stamps"]) == 1
    WRONG[name](content, scene)
    with pytest.raises(PeerError):
        scene.verify(encode_paper("bundle", content), None)


def test_bundle_stamp_left_out_costs_the_end_alone(scene: Scene) -> None:
    """A bundle whose stamp was taken out, with the head that only it vouched for, proves the rest as ever."""
    content = decode_paper("bundle", scene.bundle(), MEMBERS, 2**25)
    content["stamps"] = []
    for copy in content["copies"]:
        for place in (*copy["logged"], *copy["receipts"][0]["logged"]):
            place["heads"] = []
    found = scene.verify(encode_paper("bundle", content), scene.roots)
    assert found.made.not_after is None
    assert found.stamps == []


def test_stamp_of_a_head_signed_anew_is_left_out(scene: Scene) -> None:
    """A stamp that an old backup brought back beside another head of that size is put into no bundle."""
    core = scene.north.running
    (wanted,) = find_statements(core, "A-1")
    entry = core.journal.entry_of(wanted)
    assert entry is not None
    size = core.journal.stamped_from(entry.index + 1)
    core.journal.put_stamp(size, scene.before.token, verified=True)
    assert scene.verify(scene.bundle(), scene.roots).stamps == []
    core.journal.put_stamp(size, scene.after.token, verified=True)
    assert len(scene.verify(scene.bundle(), scene.roots).stamps) == 1

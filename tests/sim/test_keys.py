"""Keys that rotate, are lost or stolen, while statements are under way: nothing honest is lost, nothing stolen counts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detente.agreement.card import CARD_TYPE
from detente.agreement.document import sign_document
from detente.agreement.revocation import issue_revocation
from detente.errors import PeerError, RefusedError
from detente.protocol import views
from detente.protocol.audit import audit
from detente.protocol.history import proof
from detente.protocol.voucher import VOUCHER_TYPE, check_voucher, voucher_for
from detente.signing.key import SEED_BYTES, Signer
from detente.signing.simulated import KeyedHashKeys
from detente.simulation.chance import Chance
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.party import DAY_US
from detente.simulation.room import Room
from detente.units import format_time

WHO: dict[str, Any] = {"officer": "o", "desk": "d"}
Two = tuple[Room, SimNode, SimNode]


@pytest.fixture
def two() -> Two:
    """North and south on an open line."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    room.wait(3)
    return room, north, south


def file(node: SimNode, name: str) -> None:
    """File a notice; on an open line it is signed at once, and sent when somebody carries a frame."""
    notice = random_notice(name, Chance(1), node.now_us(), exercise=False)
    node.run(lambda core: core.file_notice(notice, (), node.now_us(), **WHO))


def certificate(node: SimNode, new: Signer, days: int) -> dict[str, Any]:
    """The root's word for a new signing key, from now on."""
    return node.party.certify(
        new, 2 + node.running.tree.size, node.now_us(), node.now_us() + days * DAY_US
    )


def rotate(node: SimNode, seed: bytes = b"n", days: int = 4000) -> None:
    """A new signing key, told to all and used at once."""
    new = KeyedHashKeys(seed * SEED_BYTES)
    say(node, "policy/key-certificate", {"certificate": certificate(node, new, days)})
    node.use_keys(msgspec.structs.replace(node.party.identity, signer=new))


def revoke(node: SimNode, key_id: str, reason: str, since_us: int | None = None) -> None:
    """The root revokes a key, and all are told."""
    revocation = issue_revocation(
        node.party.root,
        party=node.name,
        key_id=key_id,
        revoked_at_us=node.now_us() if since_us is None else since_us,
        reason=reason,
    )
    say(node, "policy/key-revocation", {"revocation": revocation})


def say(node: SimNode, type_: str, values: dict[str, Any]) -> None:
    """Tell all peers."""
    node.run(lambda core: core.say(type_, values, [], node.now_us(), exercise=False, **WHO))


def key(node: SimNode) -> str:
    """The id of the signing key in use."""
    return node.party.identity.signer.public.key_id


def sound(*nodes: SimNode) -> None:
    """The record is sound and a rebuild gives the same."""
    for node in nodes:
        assert audit(node.running)["problems"] == []
        assert views.projection(node.load()) == views.projection(node.running)


@pytest.mark.parametrize("reason", ["superseded", "lost", "compromised"])
def test_statement_whose_key_was_revoked_on_the_way_is_vouched_for_and_taken(
    two: Two, reason: str
) -> None:
    """S-VOU-1, K-ROT-3: what was signed before and arrives after is its maker's word under the new key, on both chains."""
    room, north, south = two
    old = key(north)
    file(north, "A-1")
    say(north, "hotline/cease", {"reason": "own people there"})
    rotate(north)
    revoke(north, old, reason)
    file(north, "A-2")
    room.wait(3)
    for _ in range(3):
        converse(north, south)
        room.wait(3)
    assert set(south.running.state.notices) == {"north:A-1", "north:A-2"}
    assert len(south.running.state.urgent.known) == 1
    assert south.disk.evidence_counts() == {}
    for name in ("A-1", "A-2"):
        (receipt,) = [
            north.running.state.receipts[id_]
            for id_ in north.running.state.notices[f"north:{name}"].latest.statements.values()
        ]
        assert receipt.answer == "delivered"
    assert len(south.running.state.vouched) == 3  # the certificate too was said under the old key
    assert audit(south.running)["doubtful"] == 0
    assert proof(south.running, "north:A-1").statements[0].doubt is None
    sound(north, south)


def test_statement_of_a_revoked_key_without_a_voucher_is_not_taken(two: Two) -> None:
    """S-REV-1, S-SIG-1: who stole a key gets nothing into a record after it is revoked, and blocks nobody's chain."""
    room, north, south = two
    thief = room.liar(0, south)
    thief.heads = dict(south.running.state.heads(False, "north"))
    stolen = north.party.identity.signer
    rotate(north)
    revoke(north, stolen.public.key_id, "compromised")
    converse(north, south)
    room.wait(3)
    thief.heads = dict(south.running.state.heads(False, "north"))
    thief.send(thief.say_notice("X-1", signer=stolen, keep=False, exercise=False))
    assert south.disk.evidence_counts() == {"key-revoked": 1}
    file(north, "A-1")
    converse(north, south)
    room.wait(3)
    converse(north, south)  # the thief's program was heard meanwhile (F-CUR-2)
    assert set(south.running.state.notices) == {"north:A-1"}
    sound(north, south)


def test_statement_logged_before_its_key_was_known_to_be_stolen_stays_and_is_marked(
    two: Two,
) -> None:
    """S-REV-2: nothing answered is un-said; what was logged since the time of the theft is shown with it, what came before is not."""
    room, north, south = two
    file(north, "A-1")
    converse(north, south)
    room.wait(3600)
    stolen_us = north.now_us()
    room.wait(3600)
    file(north, "A-2")
    converse(north, south)
    room.wait(3)
    old = key(north)
    rotate(north)
    revoke(north, old, "compromised", stolen_us)
    for _ in range(2):
        converse(north, south)
        room.wait(3)
    assert set(south.running.state.notices) == {"north:A-1", "north:A-2"}
    assert proof(south.running, "north:A-1").statements[0].doubt is None
    doubt = proof(south.running, "north:A-2").statements[0].doubt
    assert doubt is not None
    assert (doubt.key, doubt.reason) == (old, "compromised")
    assert "key-compromised" in [alarm.code for alarm in south.running.state.alarms]
    found = audit(south.running)
    assert found["doubtful"] == len(found["doubts"]) >= 1
    assert found["consistent"] is True
    sound(north, south)


def test_statement_carried_for_days_until_its_key_expired_is_still_taken(two: Two) -> None:
    """S-VOU-1: a file brought late counts like one brought in time, and so does the receipt that goes back."""
    room, north, south = two
    rotate(north, b"s", days=1)
    converse(north, south)
    file(north, "A-1")
    room.wait(3 * 86_400)
    rotate(north)
    for _ in range(3):
        converse(north, south)
        room.wait(3)
    assert set(south.running.state.notices) == {"north:A-1"}
    statement = next(iter(north.running.state.notices["north:A-1"].latest.statements.values()))
    assert north.running.state.receipts[statement].answer == "delivered"
    sound(north, south)


def test_voucher_for_another_statement_or_by_a_key_that_does_not_count_is_refused(
    two: Two,
) -> None:
    """S-VOU-2: a voucher is for one statement on one link, under a signing key of its maker that counts now."""
    _, north, south = two
    old = north.party.identity.signer
    file(north, "A-1")
    file(north, "A-2")
    core = north.running
    one, other = (
        core.journal.statement(
            next(iter(core.state.notices[f"north:{name}"].latest.statements.values()))
        )
        for name in ("A-1", "A-2")
    )
    assert one is not None
    assert other is not None
    assert voucher_for(core, one[0], north.now_us()) is None
    rotate(north)
    revoke(north, old.public.key_id, "lost")
    voucher = voucher_for(core, one[0], north.now_us())
    assert voucher is not None
    state, now_us = south.running.state, south.now_us()
    assert check_voucher(state, one[0], voucher, now_us) == old.public
    for wrong in (
        None,
        5,
        {},
        {"document": {}, "signatures": {}},
        voucher_for(core, other[0], north.now_us()),
        {**voucher, "signatures": sign_document(old, VOUCHER_TYPE, {})["signatures"]},
        sign_document(old, VOUCHER_TYPE, voucher["document"]),
        {**voucher, "document": {**voucher["document"], "more": 1}},
    ):
        with pytest.raises(PeerError):
            check_voucher(state, one[0], wrong, now_us)
    with pytest.raises(PeerError, match="count now"):
        check_voucher(state, one[0], voucher, now_us - 10 * DAY_US)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({}, None),
        ({"address": "http://x:1"}, "card-wrong"),
        ({"address": "https://x"}, "card-wrong"),
        ({"address": "https://x:99999"}, "card-wrong"),
        ({"address": "https://u@x:1/path"}, "card-wrong"),
        ({"name": "Another"}, "card-wrong"),
        ({"role": "neutral"}, "card-wrong"),
        ({"tls_ca": "AAAA"}, "card-wrong"),
        ({"issued": "2001-01-01T00:00:00Z"}, "card-wrong"),
        ({"issued": 5}, "card-malformed"),
    ],
)
def test_card_of_a_party_changes_its_address_and_nothing_that_was_agreed(
    two: Two, changed: dict[str, Any], rule: str | None
) -> None:
    """S-CARD-1: a later card of the same root, name, role and authority; anything else is refused."""
    _, north, south = two
    document = {
        **north.party.card["document"],
        "address": "https://there.invalid:4711",
        "issued": format_time(north.now_us()),
        **changed,
    }
    card = sign_document(north.party.root, CARD_TYPE, document)
    if rule is not None:
        with pytest.raises(RefusedError) as caught:
            say(north, "policy/card", {"card": card})
        assert caught.value.code == rule
        return
    say(north, "policy/card", {"card": card})
    converse(north, south)
    assert south.running.state.cards["north"].address == "https://there.invalid:4711"
    sound(north, south)

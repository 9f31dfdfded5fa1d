"""Any JSON in any place of what a peer truly signs is answered by a rule, and stops nobody."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from detente.agreement.card import CERTIFICATE_TYPE
from detente.agreement.document import sign_document
from detente.agreement.revocation import REVOCATION_TYPE, issue_revocation
from detente.protocol import views
from detente.protocol.audit import audit
from detente.protocol.statement import Thread
from detente.signing.canonical import parse_canonical
from detente.signing.key import SEED_BYTES
from detente.signing.simulated import KeyedHashKeys
from detente.simulation.chance import Chance
from detente.simulation.liar import Liar
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.party import DAY_US
from detente.simulation.room import Room

ODD: list[Any] = [
    None, True, False, 0, -1, 2**53 - 1, -(2**53) + 1, "", "x", "\u0000", "\u202e", "é" * 300,
    "2018-09-17T18:39:00Z", "AAAA", [], {}, [[]], [None], {"": None}, [1] * 50, {"a": {"b": [{}]}},
    "ab" * 32, "ab" * 16,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value[:3]):
            found += places(one, (*path, index))
    return found


def spoiled(value: Any, chance: Chance) -> Any:
    """The value with one place changed, removed or added to."""
    value = copy.deepcopy(value)
    path = chance.pick([p for p in places(value) if p])
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    how = chance.below(10)
    if how == 0:
        del inner[path[-1]]
    elif how == 1 and isinstance(inner, dict):
        inner["more"] = chance.pick(ODD)
    else:
        inner[path[-1]] = copy.deepcopy(chance.pick(ODD))
    return value


class Scene:
    """North with an open line to south, whose node was honest until now; and true bodies of every type."""

    def __init__(self) -> None:
        room = Room()
        self.north, south = room.nodes()
        converse(self.north, south)
        notice = random_notice("A-1", room.chance, self.north.now_us(), exercise=True)
        self.north.act(
            lambda core: core.file_notice(notice, (), self.north.now_us(), officer="o", desk="d")
        )
        self.about = self.north.running.state.head(True, "south", "ordinary").id or ""
        room.wait(3)
        honest = south.serve(self.north.write("south"))  # the answer never arrives
        assert honest is not None
        receipt = south.running.journal.statement(south.running.state.receipts[self.about].receipt)
        assert receipt is not None
        self.liar = room.liar(1, self.north)
        new = KeyedHashKeys(b"n" * SEED_BYTES)
        certificate = self.liar.party.certify(
            new, 2, room.timeline.now_us, room.timeline.now_us + DAY_US
        )
        revocation = issue_revocation(
            self.liar.party.root, party="south", key_id=new.public.key_id,
            revoked_at_us=room.timeline.now_us, reason="lost",
        )  # fmt: skip
        self.bodies: dict[str, Any] = {
            "activity/notice": self.liar.notice_values(),
            "activity/cancel": {"reason": "done"},
            "hotline/cease": {"reason": "stop", "place": "here", "text": "now"},
            "receipt/delivered": {name: value for name, (_, value) in receipt[1].items()},
            "receipt/opened": {
                "desk": "d", "opened": "2018-09-17T12:00:00Z", "statement": self.about,
            },
            "receipt/read-back": {
                "desk": "d", "statement": self.about, "words": "over the bay",
                "place": {"lat": 35_000_000_000, "lon": 35_000_000_000, "radius_tenth_mm": 100},
                "from": "2018-09-17T12:00:00Z", "until": "2018-09-17T13:00:00Z",
            },
            "receipt/disseminated": {
                "desk": "d", "statement": self.about,
                "units": [{"unit": "a", "told": "2018-09-17T12:00:00Z", "acknowledged": None}],
            },
            "receipt/acted": {
                "desk": "d", "statement": self.about, "action": "noted", "text": "x",
                "at": "2018-09-17T12:00:00Z",
            },
            "receipt/no-answer": {
                "desk": "d", "statement": self.about, "expected": "opened", "tries": 1,
                "due": "2018-09-17T12:00:00Z",
            },
            "policy/key-certificate": {"certificate": certificate},
            "policy/key-revocation": {"revocation": revocation},
        }  # fmt: skip


def sign_again(liar: Liar, type_: str, values: Any) -> None:
    """Have the root sign a spoiled document, half of the time: the form must hold, not only the signature."""
    kind = {"policy/key-certificate": "certificate", "policy/key-revocation": "revocation"}
    payload_type = CERTIFICATE_TYPE if type_.endswith("certificate") else REVOCATION_TYPE
    signed = values.get(kind[type_])
    if isinstance(signed, dict) and isinstance(signed.get("document"), dict):
        values[kind[type_]] = sign_document(liar.party.root, payload_type, signed["document"])


def check(north: SimNode) -> None:
    """The record is sound and a rebuild gives the same."""
    assert audit(north.running)["problems"] == []
    assert views.projection(north.load()) == views.projection(north.running)


@pytest.mark.parametrize("seed", range(7))
def test_fuzz_any_json_in_a_signed_body_is_answered_and_stops_nobody(seed: int) -> None:
    """F-FRAME-1 and section 5: nothing but PeerError inside, one answer for each statement on the chain."""
    scene, chance = Scene(), Chance(seed)
    types = sorted(scene.bodies)
    liar, north = scene.liar, scene.north
    for number in range(60):
        type_ = types[(number + seed) % len(types)]
        values = spoiled(scene.bodies[type_], chance)
        chain = "safety" if type_.startswith(("hotline", "policy")) else "ordinary"
        if type_.startswith("policy") and chance.happens(500):
            sign_again(liar, type_, values)
        thread = None
        if type_.startswith(("activity", "receipt")):
            thread = Thread(
                "north:A-1" if type_.startswith("receipt") else f"south:X-{number}", "notice", 1
            )
        said = liar.say(type_, values, chain=chain, thread=thread)
        assert liar.send(said) is not None
        assert north.running.state.head(False, "south", chain).id == said[0].id, (type_, values)
    check(north)


@pytest.mark.parametrize("seed", range(3))
def test_fuzz_any_json_in_a_frame_is_the_peers_fault(seed: int) -> None:
    """F-FRAME-1: a frame signed over any JSON is taken or refused; nothing else is raised, nothing moves."""
    from detente.protocol.link import FRAME_TAG
    from detente.signing.base64 import encode_base64url
    from detente.signing.canonical import encode_canonical

    scene, chance = Scene(), Chance(100 + seed)
    liar, north = scene.liar, scene.north
    heads = north.running.state.heads(False, "south")
    for _ in range(150):
        good = liar.frame([liar.seal_plain(b"{}")])
        body = good.partition(b'{"frame":')[2].partition(b',"key":')[0]
        spoilt = encode_canonical(spoiled(parse_canonical(body), chance))
        identity = liar.party.identity
        signature = encode_base64url(identity.sign_transport(FRAME_TAG + spoilt))
        data = (
            b'{"frame":' + spoilt + b',"key":"' + identity.transport_key.encode()
            + b'","signature":"' + signature.encode() + b'"}'
        )  # fmt: skip
        north.serve(data)
    assert north.running.state.heads(False, "south") == heads
    assert north.running.fault is None
    assert liar.send() is not None
    check(north)

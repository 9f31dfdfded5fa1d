"""Keys brought to who has no line: their root's word and nobody else's, and once."""

from __future__ import annotations

from typing import Any

import pytest

from detente.agreement.card import issue_certificate
from detente.agreement.revocation import issue_revocation
from detente.errors import DetenteError
from detente.limits import KEYS_PER_PARTY
from detente.protocol import views
from detente.protocol.learned import keys_document, learn_keys
from detente.signing.canonical import encode_canonical
from detente.signing.key import SEED_BYTES, Signer
from detente.signing.simulated import KeyedHashKeys
from detente.simulation.node import SimNode
from detente.simulation.party import DAY_US
from detente.simulation.room import Room


def certificate(node: SimNode, seed: bytes = b"n", root: Signer | None = None) -> dict[str, Any]:
    """The root's word for a signing key of north."""
    key = KeyedHashKeys((seed * SEED_BYTES)[:SEED_BYTES])
    return issue_certificate(
        root or node.party.root,
        party="north",
        use="signing",
        key_id=key.public.key_id,
        key=dict(key.public.to_json()),
        serial=2,
        valid_from_us=node.now_us(),
        valid_until_us=node.now_us() + DAY_US,
    )


def keys(**members: Any) -> bytes:
    """What is brought."""
    return encode_canonical({"certificates": [], "party": "north", "revocations": [], **members})


def learn(node: SimNode, data: bytes) -> int:
    """Bring it."""
    return node.act(lambda core: learn_keys(core, data, node.now_us()))


def test_keys_that_the_root_signed_are_learned_once() -> None:
    """L-KEY-1: what is new is one entry, which a rebuild reads; what is known writes nothing."""
    north, south = Room().nodes()
    old = north.party.identity.signer.public.key_id
    revocation = issue_revocation(
        north.party.root,
        party="north",
        key_id=old,
        revoked_at_us=north.now_us(),
        reason="superseded",
    )
    data = keys(certificates=[certificate(north)], revocations=[revocation])
    assert learn(south, data) == 2
    state, entries = south.running.state, south.running.tree.size
    assert state.keys.current("north", "signing", south.now_us()).serial == 2
    assert state.keys.is_revoked("north", old)
    assert learn(south, data) == 0
    assert south.running.tree.size == entries
    assert views.projection(south.load()) == views.projection(south.running)
    published = encode_canonical(keys_document(north.running))
    assert learn(south, published) == 0


def test_keys_that_another_root_signed_are_not_learned() -> None:
    """L-KEY-1: one wrong document, and nothing of the request counts."""
    north, south = Room().nodes()
    entries = south.running.tree.size
    good, bad = certificate(north), certificate(north, b"m", root=south.party.root)
    many = [certificate(north, bytes([65 + i % 26, i])) for i in range(KEYS_PER_PARTY)]
    for data in (
        keys(certificates=[good, bad]),
        keys(certificates=[good], revocations=[bad]),
        keys(certificates=[good], party="mars"),
        keys(certificates=[good], party="south"),
        keys(certificates=many),
        keys(certificates=[*many, good]),
        keys(more=1),
        keys(certificates={}),
        keys(certificates=[5]),
        b"[]",
        b"{",
        keys(certificates=[good]) + b" ",
    ):
        with pytest.raises(DetenteError):
            learn(south, data)
    assert south.running.tree.size == entries

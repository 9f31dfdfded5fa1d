"""Old heads taken into the log before their algorithm falls: whole, its own, once, and under a new key."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from detente.ledger.checkpoint import parse_checkpoint, verify_checkpoint
from detente.ledger.merkle import verify_consistency
from detente.ledger.note import parse_note
from detente.limits import RENEWED_AT_ONCE
from detente.protocol import views
from detente.protocol.audit import audit
from detente.protocol.renewal import renew_log, spread
from detente.signing.key import SEED_BYTES
from detente.signing.simulated import KEYED_HASH, KeyedHashKeys
from detente.simulation.node import SimNode, converse, cosign_newest
from detente.simulation.room import Room


@pytest.fixture
def two() -> tuple[SimNode, SimNode]:
    """North, whose log south has cosigned at three sizes, and south."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    for i in range(3):
        north.act(lambda core: core.append_local(north.now_us(), "test", number=i))  # noqa: B023
        cosign_newest(north, south)
    return north, south


def renew(node: SimNode) -> tuple[int, int]:
    """Renew a node's log."""
    return node.act(lambda core: renew_log(core, node.now_us()))


def entry(node: SimNode) -> dict[str, Any]:
    """The newest renewal."""
    found = [e.local for e, *_ in node.running.journal.replay() if e.local is not None]
    return next(one for one in reversed(found) if one["type"] == "log/renewed")


def test_renewal_takes_cosigned_heads_whole_under_a_head_of_the_new_key(
    two: tuple[SimNode, SimNode],
) -> None:
    """L-REN-1, L-REN-2: every note with its cosigner's lines is in the entry, a prefix of a head that the new key signed."""
    north, south = two
    new = KeyedHashKeys(b"n" * SEED_BYTES)
    north.use_keys(msgspec.structs.replace(north.party.identity, signer=new))
    count, size = renew(north)
    core, notes = north.running, entry(north)["notes"]
    assert (count, size) == (3, core.tree.size) == (len(notes), core.tree.size)
    kept = core.journal.checkpoint(size)
    assert kept is not None
    head = verify_checkpoint(kept[1], core.origin, new.public, KEYED_HASH)
    for text in notes:
        old = parse_checkpoint(parse_note(text))
        assert "detente/south " in text
        verify_consistency(
            old.size, head.size, core.tree.consistency_proof(old.size, size), old.root, head.root
        )
    assert renew(north) == (0, size)
    cosign_newest(north, south)
    assert renew(north)[0] == 1
    found = audit(core)
    assert (found["renewed"], found["problems"]) == (4, [])
    assert views.projection(north.load()) == views.projection(core)


def test_renewal_of_a_head_that_the_log_never_had_is_a_problem(
    two: tuple[SimNode, SimNode],
) -> None:
    """L-REN-1: a node that takes in another history is found by its own audit."""
    north, south = two
    renew(north)
    notes = entry(north)["notes"]
    south.act(lambda core: core.append_local(south.now_us(), "log/renewed", key="x", notes=notes))
    found = audit(south.running)
    assert len(found["problems"]) == 1
    assert "renewed head" in found["problems"][0]


def test_renewal_of_many_heads_takes_some_evenly_and_the_newest() -> None:
    """L-REN-1: a busy year is one entry of bounded size."""
    found = spread(list(range(0, 100_000, 7)), RENEWED_AT_ONCE)
    assert len(found) == len(set(found)) == RENEWED_AT_ONCE
    assert (found[0], found[-1]) == (0, 99_995)
    assert max(b - a for a, b in itertools.pairwise(found)) <= 2 * 100_000 / 400

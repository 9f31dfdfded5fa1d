"""The audit finds what somebody changed on the disk behind the node's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detente.agreement.revocation import Revocation
from detente.protocol.audit import PROBLEMS_SHOWN, audit
from detente.signing.key import Signatures
from detente.simulation.faults import Faults
from detente.simulation.node import SimNode
from detente.simulation.world import MINUTE_US, World


def node() -> SimNode:
    """A node with an honest ledger."""
    world = World(3, 2, Faults(), every_s=60)
    world.run(20 * MINUTE_US)
    world.heal()
    found = world.party_nodes[0]
    assert audit(found.running)["problems"] == []
    return found


def kept(of: SimNode) -> Any:
    """What lies on the disk, for an attacker to change."""
    return of.disk._content


def first(of: SimNode, kind: str) -> int:
    """The index of the first statement entry of a kind."""
    return next(
        entry.index
        for entry, _, statement, _ in of.running.journal.replay()
        if statement is not None and entry.header.kind == kind
    )


def change_leaf(of: SimNode) -> None:
    """Another leaf hash than that of the entry."""
    index = first(of, "received")
    entry, _ = kept(of).entries[index]
    kept(of).entries[index] = (entry, b"\0" * 32)


def change_outcome(of: SimNode) -> None:
    """Another answer than the receipt gave."""
    index = next(
        entry.index
        for entry, _, statement, _ in of.running.journal.replay()
        if statement is not None
        and entry.header.kind == "received"
        and not statement.type.startswith("receipt/")
    )
    entry, leaf = kept(of).entries[index]
    changed = msgspec.structs.replace(entry, outcome="refused:equivocation")
    kept(of).entries[index] = (changed, leaf)


def change_opening(of: SimNode) -> None:
    """Other words than were committed to."""
    entry, _ = kept(of).entries[first(of, "received")]
    statement, openings = kept(of).statements[entry.statement]
    name = sorted(openings)[0]
    kept(of).statements[entry.statement] = (
        statement,
        {**openings, name: [openings[name][0], "other"]},
    )


def change_local(of: SimNode) -> None:
    """Another officer than filed it."""
    for index, (entry, leaf) in enumerate(kept(of).entries):
        if entry.local and entry.local["type"] == "notice/filed":
            local = {**entry.local, "officer": "somebody else"}
            kept(of).entries[index] = (msgspec.structs.replace(entry, local=local), leaf)
            return


def change_time(of: SimNode) -> None:
    """Another time of receipt."""
    index = first(of, "received")
    entry, leaf = kept(of).entries[index]
    header = msgspec.structs.replace(entry.header, time_us=entry.header.time_us - 60_000_000)
    kept(of).entries[index] = (msgspec.structs.replace(entry, header=header), leaf)


def change_signature(of: SimNode) -> None:
    """A signature that is not the key's."""
    entry, _ = kept(of).entries[first(of, "made")]
    statement, openings = kept(of).statements[entry.statement]
    signatures = Signatures(b"\0" * 64, statement.envelope.signatures.mldsa44)
    envelope = msgspec.structs.replace(statement.envelope, signatures=signatures)
    changed = msgspec.structs.replace(statement, envelope=envelope)
    kept(of).statements[entry.statement] = (changed, openings)


def remove_last(of: SimNode) -> None:
    """The end of the ledger cut off, under a checkpoint that covers it."""
    size = kept(of).sizes[-1]
    del kept(of).entries[size - 1 :]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_leaf, "leaf hash"),
        (change_outcome, "not the one its receipt gives"),
        (change_opening, "openings of statement"),
        (change_local, "local entry's content"),
        (change_time, "leaf hash"),
        (change_signature, "signature"),
        (remove_last, "a checkpoint of ours covers"),
    ],
)
def test_audit_one_change_is_found(change: Callable[[SimNode], None], words: str) -> None:
    """Whatever is altered, the audit names it, and the record is not consistent."""
    of = node()
    change(of)
    found = audit(of.running)
    assert found["consistent"] is False
    assert any(words in problem for problem in found["problems"]), found["problems"]


def test_audit_without_signatures_still_checks_the_rest() -> None:
    """Skipping signatures skips nothing else, and says that none were checked."""
    of = node()
    whole, quick = audit(of.running), audit(of.running, signatures=False)
    assert whole["signatures"] == 2 * whole["statements"] > 0
    assert quick["signatures"] == 0
    change_opening(of)
    assert audit(of.running, signatures=False)["consistent"] is False


def test_audit_swapped_statements_break_the_chain() -> None:
    """Two statements of one chain in each other's place do not follow one another."""
    of = node()
    indexes = [
        entry.index
        for entry, _, statement, _ in of.running.journal.replay()
        if statement is not None and (entry.header.kind, statement.chain) == ("made", "ordinary")
    ][:2]
    one, other = (kept(of).entries[i] for i in indexes)
    kept(of).entries[indexes[0]], kept(of).entries[indexes[1]] = other, one
    assert audit(of.running)["consistent"] is False


def test_audit_shows_a_bounded_number_of_problems() -> None:
    """A ledger of rubbish does not make a report of rubbish."""
    of = node()
    entries = kept(of).entries
    kept(of).entries[:] = [(entry, b"\0" * 32) for entry, _ in entries] * 1
    assert len(audit(of.running)["problems"]) <= PROBLEMS_SHOWN


def test_audit_key_revoked_since_still_counts_for_what_it_signed() -> None:
    """A revocation does not turn yesterday's statements into forgeries, and they are still checked."""
    of = node()
    peer = of.running.state.peers[0]
    for key_id in of.running.state.keys.certificates[peer]:
        of.running.state.keys.revoke(Revocation(peer, key_id, "compromised", 0))
    found = audit(of.running)
    assert found["consistent"] is True
    assert found["doubtful"] > 0
    assert {one["reason"] for one in found["doubts"]} == {"compromised"}
    change_signature(of)
    assert audit(of.running)["consistent"] is False

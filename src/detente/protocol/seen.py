"""What this record itself says of when a statement was made and received: the ends that a bundle proves, without one."""

from __future__ import annotations

from detente.ledger.checkpoint import cosigner_name, split_time
from detente.ledger.note import NoteSignature, parse_note
from detente.ledger.proof import parse_log_proof
from detente.protocol.bundle import with_cosignatures
from detente.protocol.core import Core
from detente.protocol.interval import Bound, Interval, find_interval
from detente.protocol.journal import Entry
from detente.protocol.statement import Statement, body_values

_COSIGNER = cosigner_name("x").removesuffix("x")


def received_interval(core: Core, statement: Statement, entry: Entry) -> Interval | None:
    """When the addressee had a statement; None where this record has no receipt for it (B-INT-4)."""
    interested = {statement.party, statement.recipient}
    if entry.header.kind == "received":
        return find_interval(entry.header.time_us, _own(core, entry.index), interested)
    receipt = core.state.receipts.get(statement.id)
    if receipt is None:
        return None
    return find_interval(receipt.received_us, _receipt_bounds(core, receipt.receipt), interested)


def made_interval(core: Core, statement: Statement, entry: Entry) -> Interval:
    """When a statement was made: by the maker's log, and by whatever holds it or a receipt about it (B-INT-4)."""
    own = _own(core, entry.index)
    made_here = entry.header.kind == "made"
    bounds = [one for one in own if one.holds or made_here]
    receipt = core.state.receipts.get(statement.id)
    if made_here and receipt is not None:
        bounds += [one for one in _receipt_bounds(core, receipt.receipt) if one.holds]
    return find_interval(statement.claimed_us, bounds, {statement.party, *statement.to})


def _own(core: Core, index: int) -> list[Bound]:
    """What others saw of an entry of this node's own log."""
    bounds: list[Bound] = []
    for size in core.journal.bounding(index):
        found = core.journal.checkpoint(size)
        if found is not None:
            bounds += _words(with_cosignatures(core, size, found[1]), holds=size > index)
    return [one for one in bounds if one.by != core.identity.party]


def _receipt_bounds(core: Core, receipt_id: str) -> list[Bound]:
    """What was seen of the addressee's log around the leaf that its receipt proves, and of the receipt in ours."""
    kept, entry = core.journal.statement(receipt_id), core.journal.entry_of(receipt_id)
    if kept is None or entry is None:
        return []
    bounds = [one for one in _own(core, entry.index) if one.holds]
    proof = parse_log_proof(body_values(kept[1])["proof"])
    origin = proof.checkpoint.partition("\n")[0]
    before = core.journal.witnessed_before(origin, proof.index)
    after = core.journal.witnessed_after(origin, proof.index)
    for head, holds in ((before, False), (after, True)):
        if head is not None:
            bounds += _words(head.note, holds=holds)
    return bounds


def _words(note: str, *, holds: bool) -> list[Bound]:
    """The times in a note's cosignature lines, which were verified when they were kept."""
    lines: dict[str, NoteSignature] = {}
    for line in parse_note(note).signatures:
        party = line.name.removeprefix(_COSIGNER)
        longer = party not in lines or len(line.signature) > len(lines[party].signature)
        if line.name.startswith(_COSIGNER) and "/" not in party and longer:
            lines[party] = line  # both lines carry one time; the longer is the one by ML-DSA-44
    return [Bound(party, split_time(line)[0], holds) for party, line in sorted(lines.items())]

"""What this record itself says of when a statement was made and received: the ends that a bundle proves, without one."""

from __future__ import annotations

import msgspec

from detente.ledger.checkpoint import cosigner_name, parse_checkpoint, split_time
from detente.ledger.note import parse_note
from detente.ledger.proof import parse_log_proof
from detente.protocol.core import Core
from detente.protocol.heads import timed_lines, with_cosignatures, witnessed_around
from detente.protocol.interval import Head, Interval, find_interval
from detente.protocol.journal import Entry
from detente.protocol.stamped import own_stamp
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
    return find_interval(receipt.received_us, _receipt_heads(core, receipt.receipt), interested)


def made_interval(core: Core, statement: Statement, entry: Entry) -> Interval:
    """When a statement was made: by the maker's log, and by whatever holds it or a receipt about it (B-INT-4)."""
    own = _own(core, entry.index)
    made_here = entry.header.kind == "made"
    heads = [one for one in own if one.holds or made_here]
    receipt = core.state.receipts.get(statement.id)
    if made_here and receipt is not None:
        heads += [one for one in _receipt_heads(core, receipt.receipt) if one.holds]
    return find_interval(statement.claimed_us, heads, {statement.party, *statement.to})


def _own(core: Core, index: int) -> list[Head]:
    """What others saw of an entry of this node's own log, in the epoch that goes on."""
    heads = []
    for size in core.journal.bounding(index):
        found = core.journal.checkpoint(size)
        if found is not None:
            heads.append(_head(with_cosignatures(core, size, found[1]), size, index))
    found_stamp = own_stamp(core, index)
    if found_stamp is not None and found_stamp.verified:
        stamp = found_stamp.stamp
        head = _head(found_stamp.note, found_stamp.size, index)
        heads.append(msgspec.structs.replace(head, stamped=((stamp.authority, stamp.time_s),)))
    return heads


def _receipt_heads(core: Core, receipt_id: str) -> list[Head]:
    """What was seen of the addressee's log around the leaf that its receipt proves, and of the receipt in ours."""
    kept, entry = core.journal.statement(receipt_id), core.journal.entry_of(receipt_id)
    if kept is None or entry is None:
        return []
    heads = [one for one in _own(core, entry.index) if one.holds]
    proof = parse_log_proof(body_values(kept[1])["proof"])
    covering = parse_checkpoint(parse_note(proof.checkpoint))
    heads.append(_head(proof.checkpoint, covering.size, proof.index))
    for one in witnessed_around(core, covering.origin, proof.index):
        heads.append(_head(one.note, one.size, proof.index))
    return heads


def _head(note: str, size: int, index: int) -> Head:
    """A head by the times in a note's lines, which were verified when they were kept."""
    origin = note.partition("\n")[0]
    lines = timed_lines(note)
    owner = cosigner_name(origin.split("/")[1])
    cosigned = [
        (name.removeprefix(_COSIGNER), split_time(line)[0])
        for name, line in sorted(lines.items())
        if name.startswith(_COSIGNER) and name.count("/") == 1 and name != owner
    ]
    return Head(origin, size, split_time(lines[origin])[0], size > index, tuple(cosigned))

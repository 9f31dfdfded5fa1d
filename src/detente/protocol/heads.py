"""Heads that bound the time of an entry: of this node's log with those who cosigned them, of others' logs as kept here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.ledger.checkpoint import cosigner_name, split_time
from detente.ledger.cosignature import add_cosignature
from detente.ledger.note import NoteSignature, parse_note
from detente.units import US_PER_S

if TYPE_CHECKING:
    from detente.ledger.witness import Witnessed
    from detente.protocol.core import Core


def timed_lines(note: str) -> dict[str, NoteSignature]:
    """By name the signature line that has a time: of two of one name the longer, which is the one by ML-DSA-44."""
    lines: dict[str, NoteSignature] = {}
    for line in parse_note(note).signatures:
        if line.name not in lines or len(line.signature) > len(lines[line.name].signature):
            lines[line.name] = line
    return lines


def signed_us(note: str) -> int:
    """The log's own time of a checkpoint, microseconds since the epoch; a claim."""
    return split_time(timed_lines(note)[note.partition("\n")[0]])[0] * US_PER_S


def with_cosignatures(core: Core, size: int, note: str) -> str:
    """A checkpoint of ours with the lines of everybody who cosigned it."""
    for lines in core.journal.cosignatures(size).values():
        note = add_cosignature(note, lines)
    return note


def witnessed_around(core: Core, origin: str, index: int) -> list[Witnessed]:
    """Heads of another log that were cosigned here and bound an entry's time, ascending by size (B-INT-8).

    Of all, and of those that each neutral witness cosigned too, the newest without the entry and the oldest with it.
    """
    agreement = core.state.agreement
    found: dict[int, Witnessed] = {}
    for name in ("", *(cosigner_name(one) for one in (agreement.witnesses if agreement else ()))):
        for head in (
            core.journal.witnessed_before(origin, index, name),
            core.journal.witnessed_after(origin, index, name),
        ):
            if head is not None:
                found[head.size] = head
    return [found[size] for size in sorted(found) if size]

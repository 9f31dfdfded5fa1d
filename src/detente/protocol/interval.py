"""Time that can be argued: what others saw of a log before and after an entry stood in it.

The time in a leaf or a statement is its maker's word. A cosigner's word bounds it from outside. That a head
with the entry was seen shows that the entry was there. That a head without it was seen shows less: the log
may have had the entry and not shown it, since an old head can be cosigned late. So an early end needs the
log's own word too, and falls where log or cosigner contradict themselves. Rules B-INT of docs/spec/bundle.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from detente.units import US_PER_S, format_time, parse_time

DATE_MOST_S = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write


class Head(msgspec.Struct, frozen=True):
    """A head that a log signed, seen from one entry, and who else vouched for it when.

    Attributes:
        log: its origin.
        time_s: the log's own, seconds since the epoch.
        holds: whether it holds what the time is asked of.
        cosigned: party and time by its clock, whole seconds, cut off; others than the log's owner.
        stamped: authority of time stamps and time: it existed by then, and nothing is said of later heads.
    """

    log: str
    size: int
    time_s: int
    holds: bool
    cosigned: tuple[tuple[str, int], ...] = ()
    stamped: tuple[tuple[str, int], ...] = ()


class _Word(msgspec.Struct, frozen=True):
    """Whose clock, and the end that it gives, in seconds."""

    by: str
    time_s: int


class Interval(msgspec.Struct, frozen=True):
    """Between when and when, by whom; an end that nobody bounds is None, never invented.

    Attributes:
        claimed: the time that whoever logged or made it gives.
        by: whose clocks the two ends are of, sorted.
    """

    claimed: str
    not_before: str | None
    not_after: str | None
    by: list[str]

    @property
    def contradicts(self) -> bool:
        """Whether the ends are in the wrong order: two clocks, or two words, that cannot both be right."""
        return (
            self.not_before is not None
            and self.not_after is not None
            and self.not_before > self.not_after
        )


def find_interval(claimed_us: int, heads: Sequence[Head], interested: Collection[str]) -> Interval:
    """The tightest ends that these heads give.

    The word of somebody who is party to the statement counts for an end only where nobody else bounds
    it (B-INT-3): who gains from a time does not get to set it beside one who does not.

    Args:
        claimed_us: microseconds since the epoch.
        heads: each once; those that nobody else vouched for count for what they contradict.
        interested: the parties to the statement.
    """
    before = _preferred(
        [
            # an old head cosigned late says only what it said when it was signed (B-INT-6)
            _Word(by, min(time_s, head.time_s))
            for head in heads
            for by, time_s in head.cosigned
            if not head.holds and _contradiction(head, by, time_s, heads) is None
        ],
        interested,
    )
    after = _preferred(
        [
            _Word(by, time_s)
            for head in heads
            for by, time_s in (*head.cosigned, *head.stamped)
            if head.holds
        ],
        interested,
    )
    newest = max(before, key=lambda one: (one.time_s, one.by), default=None)
    oldest = min(after, key=lambda one: (one.time_s, one.by), default=None)
    return Interval(
        claimed=format_time(claimed_us),
        not_before=None if newest is None else format_time(newest.time_s * US_PER_S),
        # a clock read 18:31:05 until it read :06, so the entry is surely there only at the second's end
        not_after=None if oldest is None else format_time((oldest.time_s + 1) * US_PER_S),
        by=sorted({one.by for one in (newest, oldest) if one is not None}),
    )


def find_contradictions(heads: Sequence[Head]) -> list[str]:
    """Why heads that could have given an early end give none, as sentences (B-INT-7)."""
    found = (
        _contradiction(head, by, time_s, heads)
        for head in heads
        for by, time_s in head.cosigned
        if not head.holds
    )
    return sorted({one for one in found if one is not None})


def _contradiction(head: Head, by: str, time_s: int, heads: Sequence[Head]) -> str | None:
    """What else was signed that cannot be true beside a cosigned head without the entry."""
    for other in heads:
        if other.log != head.log or other.size <= head.size:
            continue
        if other.time_s < head.time_s:
            return (
                f"{head.log} gives its head of {other.size} an earlier time than its head of {head.size}, "
                "which bounds nothing"
            )
        if any(who == by and seen_s < time_s for who, seen_s in other.cosigned):
            return (
                f"{by} cosigned {head.log} at {other.size} entries before it did at {head.size}, "
                "which bounds nothing"
            )
    return None


class Ends(Protocol):
    """Whatever has two ends."""

    @property
    def not_before(self) -> str | None:
        """The early end."""

    @property
    def not_after(self) -> str | None:
        """The late end."""


def lead_between(
    start_us: int | None, received: Sequence[Ends]
) -> tuple[float | None, float | None] | None:
    """Least and most lead time in seconds, by the clocks of others; None where an end is open (B-INT-5).

    The first receipt counts, as for the single number: it was there by the earliest of the late ends, and
    by no earlier than the earliest of the early ends, if each receipt has one.
    """
    if start_us is None or not received:
        return None
    late = [parse_time(one.not_after) for one in received if one.not_after is not None]
    early = [parse_time(one.not_before) for one in received if one.not_before is not None]
    return (
        (start_us - min(late)) / US_PER_S if late else None,
        (start_us - min(early)) / US_PER_S if len(early) == len(received) else None,
    )


def _preferred(words: list[_Word], interested: Collection[str]) -> list[_Word]:
    known = [one for one in words if 0 < one.time_s < DATE_MOST_S]
    return [one for one in known if one.by not in interested] or known

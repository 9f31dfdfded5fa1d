"""Time that can be argued: what others saw of a log before and after an entry stood in it.

The time in a leaf or a statement is its maker's word. A cosigner's word bounds it from outside: at its time
the log showed it a head that held the entry, or one that did not. Rules B-INT of docs/spec/bundle.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

import msgspec

from detente.units import US_PER_S, format_time, parse_time

DATE_MOST_S = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write


class Bound(msgspec.Struct, frozen=True):
    """One outside word on the time of an entry.

    Attributes:
        by: the party that cosigned, or the name of an authority of time stamps.
        time_s: by its clock, whole seconds, cut off.
        holds: whether the head it saw held the entry.
    """

    by: str
    time_s: int
    holds: bool


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


def find_interval(
    claimed_us: int, bounds: Iterable[Bound], interested: Collection[str]
) -> Interval:
    """The tightest ends that these words give.

    The word of somebody who is party to the statement counts for an end only where nobody else bounds
    it (B-INT-3): who gains from a time does not get to set it beside one who does not.

    Args:
        claimed_us: microseconds since the epoch.
        bounds: by others than the log's owner.
        interested: the parties to the statement.
    """
    known = [one for one in bounds if 0 < one.time_s < DATE_MOST_S]
    before = _preferred([one for one in known if not one.holds], interested)
    after = _preferred([one for one in known if one.holds], interested)
    newest = max(before, key=lambda one: (one.time_s, one.by), default=None)
    oldest = min(after, key=lambda one: (one.time_s, one.by), default=None)
    return Interval(
        claimed=format_time(claimed_us),
        not_before=None if newest is None else format_time(newest.time_s * US_PER_S),
        # a clock read 18:31:05 until it read :06, so the entry is surely there only at the second's end
        not_after=None if oldest is None else format_time((oldest.time_s + 1) * US_PER_S),
        by=sorted({one.by for one in (newest, oldest) if one is not None}),
    )


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


def _preferred(bounds: list[Bound], interested: Collection[str]) -> list[Bound]:
    return [one for one in bounds if one.by not in interested] or bounds

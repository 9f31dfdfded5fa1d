"""Would tracks meet? Continuous in time, exact on the stated model, the same on both sides.

Two tracks conflict while their lateral distance and their distance in height are below both minima
at the same instant. Nothing is sampled: each pair of legs is a quadratic. ::

    found = find_conflicts(tracks, Minima(5 * TENTH_MM_PER_NM, 1000 * TENTH_MM_PER_FT))
    found.conflicts      # TrackConflict(a, b, from_us, until_us, closest_us, ...), a < b
    found.skipped        # what could not be judged, counted

docs/spec/trajectory-model.md is the normative text. Floating point only filters; see `sweep`, `spell`
and, for the whole numbers that decide, `meet`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np

from detente.airspace.leg import (
    LegRules,
    Legs,
    Skipped,
    build_legs,
    check_leg_rules,
    part_for,
)
from detente.airspace.track import Tracks, build_tracks
from detente.compiled import threads_of
from detente.conflict.separation import Minima
from detente.conflict.spell import CLOSEST, FROM, LATERAL, UNTIL, VERTICAL, measure
from detente.conflict.sweep import Longs, Progress, find_close
from detente.conflict.trackvolume import VolumeMeeting, find_in_volumes
from detente.errors import UsageError, shown
from detente.units import TENTH_MM_PER_M

__all__ = [
    "TRAJECTORY_SPEC",
    "Found",
    "LegRules",
    "Legs",
    "Minima",
    "Skipped",
    "TrackConflict",
    "Tracks",
    "VolumeMeeting",
    "build_legs",
    "build_tracks",
    "check_leg_rules",
    "check_track",
    "find_conflicts",
    "find_in_legs",
    "find_in_volumes",
    "find_in_window",
    "join_meetings",
    "part_for",
]

TRAJECTORY_SPEC = "1"


class TrackConflict(msgspec.Struct, frozen=True, order=True):
    """Two tracks below both minima without a break.

    Args:
        a: id of a track.
        b: id of another, greater than a.
        from_us: first microsecond, since the epoch.
        until_us: first microsecond after.
        closest_us: when they are nearest laterally, the earliest if there are several.
        lateral_tenth_mm: how near, along the surface, rounded down.
        vertical_tenth_mm: how far apart in height then, rounded down.
    """

    a: str
    b: str
    from_us: int
    until_us: int
    closest_us: int
    lateral_tenth_mm: int
    vertical_tenth_mm: int


@dataclass(frozen=True, eq=False)
class Found:
    """What all tracks against all came to, in arrays; `conflicts` spells it out.

    Args:
        ids: names of the tracks, ascending.
        a: index of the first track of each conflict, shape (n,).
        b: index of the second, greater.
        numbers: from, until, closest (microseconds), lateral, vertical (0.1 mm); shape (5, n).
        tracks: how many tracks there were.
        legs: how many legs, parts of long ones counted each.
        skipped: what could not be judged.
    """

    ids: tuple[str, ...]
    a: Longs
    b: Longs
    numbers: Longs
    tracks: int
    legs: int
    skipped: Skipped

    @cached_property
    def conflicts(self) -> tuple[TrackConflict, ...]:
        """Each pair of tracks once for each separate interval, by a, b and time."""
        return tuple(
            TrackConflict(self.ids[a], self.ids[b], *numbers)
            for a, b, numbers in zip(
                self.a.tolist(), self.b.tolist(), self.numbers.T.tolist(), strict=True
            )
        )

    @property
    def pairs(self) -> int:
        """How many pairs of tracks meet at least once."""
        return len(np.unique(self.a * len(self.ids) + self.b)) if len(self.a) else 0


def find_conflicts(
    tracks: Tracks,
    minima: Minima,
    rules: LegRules = LegRules(),
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Found:
    """All tracks against all.

    Args:
        tracks: from `build_tracks`; all altitudes of one datum.
        minima: lateral and vertical; that of time must be 0, since tracks meet at one instant.
        rules: what joins two points of a track.
        threads: how many share the work; they change nothing in the answer.
        progress: is told how much of how much is done.

    Raises:
        UsageError: a minimum in time, or rules out of range.
    """
    legs = build_legs(
        tracks, rules, part_tenth_mm=part_for(minima.lateral_tenth_mm), threads=threads
    )
    check_minima(minima)
    count, skipped = len(legs), legs.skipped
    a, b, numbers = _meetings(legs, minima, threads, progress)
    del legs  # most of the memory, and what follows needs none of it
    return Found(tracks.ids, *join_meetings(a, b, numbers), len(tracks.ids), count, skipped)


def find_in_legs(
    legs: Legs,
    minima: Minima,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Found:
    """The same for legs that are made already (`build_legs`, cut as `part_for` says)."""
    check_minima(minima)
    a, b, numbers = _meetings(legs, minima, threads, progress)
    joined = join_meetings(a, b, numbers)
    return Found(legs.ids, *joined, len(legs.ids), len(legs), legs.skipped)


def _meetings(
    legs: Legs, minima: Minima, threads: int | None, progress: Progress | None
) -> tuple[Longs, Longs, Longs]:
    """The meetings of all legs: the tracks of each, and its numbers."""
    lateral, vertical = minima.lateral_tenth_mm, minima.vertical_tenth_mm
    one, two, sure = find_close(legs, lateral, vertical, threads=threads, progress=progress)
    one, two, numbers = measure(
        legs, one, two, sure, lateral, vertical, threads=threads_of(threads)
    )
    return legs.track[one].astype(np.int64), legs.track[two].astype(np.int64), numbers


def check_track(own: Legs, others: Legs, minima: Minima) -> Found:
    """The tracks of one against all of another: what a filed trajectory meets among those that are known.

    Args:
        own: legs of one track, or a few.
        others: legs of all others, cut for the same minimum (`part_for`) and in the same datum; kept by the
            caller, so that a check costs a look through their times and no more.
        minima: lateral and vertical.

    Returns:
        Conflicts between the two; none within either. Ids must differ between the two.

    Raises:
        UsageError: an id that stands in both, different datums, a minimum in time.
    """
    check_minima(minima)
    both = set(own.ids) & set(others.ids)
    if both:
        raise UsageError(
            "track-in-both", f"{shown(min(both))} is on both sides; a track must be on one"
        )
    if own.datum != others.datum:
        raise UsageError(
            "tracks-datum",
            f"datums are {own.datum} and {others.datum}; tracks must have one to be compared",
        )
    lateral, vertical = minima.lateral_tenth_mm, minima.vertical_tenth_mm
    near = np.nonzero(others.joined)[0]
    if len(near) and own.joined.any():
        reach = lateral + 2 * TENTH_MM_PER_M  # a chord is shorter than what it spans
        rows = np.nonzero(own.joined)[0]
        for column, theirs, pad in (
            (own.time_us, others.time_us, 0),
            (own.alt_tenth_mm, others.alt_tenth_mm, vertical),
            *((own.point[k], others.point[k], reach) for k in range(3)),
        ):
            low = int(min(column[rows].min(), column[rows + 1].min())) - pad
            high = int(max(column[rows].max(), column[rows + 1].max())) + pad
            near = near[
                (np.minimum(theirs[near], theirs[near + 1]) <= high)
                & (np.maximum(theirs[near], theirs[near + 1]) >= low)
            ]
    merged = _side_by_side(own, others, near)
    one, two, sure = find_close(merged, lateral, vertical, threads=1)
    across = (merged.track[one] < len(own.ids)) != (merged.track[two] < len(own.ids))
    one, two, numbers = measure(merged, one[across], two[across], sure[across], lateral, vertical)
    order = sorted(range(len(merged.ids)), key=merged.ids.__getitem__)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    a, b, numbers = join_meetings(rank[merged.track[one]], rank[merged.track[two]], numbers)
    ids = tuple(merged.ids[k] for k in order)
    return Found(ids, a, b, numbers, len(ids), len(own) + len(others), own.skipped)


def _side_by_side(own: Legs, others: Legs, rows: Longs) -> Legs:
    """Own legs and some of the others', each leg's two points beside each other."""
    mine = np.nonzero(own.joined)[0]

    def pairs(column: Longs, which: Longs) -> Longs:
        return np.stack([column[which], column[which + 1]], axis=1).ravel()

    def beside(first: Longs, second: Longs) -> Longs:
        return np.concatenate([pairs(first, mine), pairs(second, rows)])

    joined = np.zeros(2 * (len(mine) + len(rows)), dtype=bool)
    joined[::2] = True
    return Legs(
        (*own.ids, *others.ids),
        np.concatenate(
            [
                np.repeat(own.track[mine], 2),
                np.repeat(others.track[rows], 2) + np.int32(len(own.ids)),
            ]
        ).astype(np.int32),
        beside(own.time_us, others.time_us),
        np.stack([beside(own.point[k], others.point[k]) for k in range(3)]),
        beside(own.alt_tenth_mm, others.alt_tenth_mm),
        joined,
        own.skipped,
        own.datum,
    )


def find_in_window(
    legs: Legs, minima: Minima, window: tuple[int, int], *, threads: int | None = None
) -> tuple[Longs, Longs, Longs]:
    """The part of `find_in_legs` that falls to a window of time; windows side by side give the whole.

    A pair of legs falls to the window in which the later of the two begins.

    Args:
        legs: all that are flown in the window, whole.
        minima: as there.
        window: first microsecond, and the first after.
        threads: as there.

    Returns:
        What `join_meetings` gives: tracks a and b, and the numbers; to be joined with other windows'.
    """
    check_minima(minima)
    lateral, vertical = minima.lateral_tenth_mm, minima.vertical_tenth_mm
    one, two, sure = find_close(legs, lateral, vertical, threads=threads)
    later = np.maximum(legs.time_us[one], legs.time_us[two])
    keep = (later >= window[0]) & (later < window[1])
    one, two, numbers = measure(legs, one[keep], two[keep], sure[keep], lateral, vertical)
    return join_meetings(
        legs.track[one].astype(np.int64), legs.track[two].astype(np.int64), numbers
    )


def check_minima(minima: Minima) -> None:
    """Refuses a minimum in time.

    Raises:
        UsageError: ``minimum-time``.
    """
    if minima.time_us:
        raise UsageError(
            "minimum-time",
            f"time_us is {minima.time_us}; between tracks it must be 0: they meet at one instant",
            field="minima.time_us",
        )


def join_meetings(a: Longs, b: Longs, numbers: Longs) -> tuple[Longs, Longs, Longs]:
    """Meetings of legs to conflicts of tracks: those of one pair that overlap or follow without a gap are one.

    Args:
        a: track of the one leg, shape (n,).
        b: track of the other.
        numbers: the five of `meet.Meeting`, shape (5, n); further rows belong to the closest.

    Returns:
        The same three, a below b, ordered by a, b and from. The closest of a conflict is that of the
        meeting with the least (lateral, closest, vertical).
    """
    if not len(a):
        return a, b, numbers
    # Row by row and from one number for a pair: what is copied here comes on top of everything else.
    most = int(max(a.max(), b.max())) + 1
    key = np.minimum(a, b) * most + np.maximum(a, b)
    # Ties in `from` need no order: a meeting has some length, so they are one conflict.
    order = np.lexsort((numbers[FROM], key)).astype(np.int32)
    key = key[order]
    fresh = np.ones(len(key), dtype=bool)
    fresh[1:] = key[1:] != key[:-1]
    begin, until = numbers[FROM][order], numbers[UNTIL][order]
    # The latest end so far within a pair; where none reaches the next beginning, there is a gap.
    fresh[1:] |= begin[1:] > _latest(np.cumsum(fresh), until)[:-1]
    starts = np.nonzero(fresh)[0]
    group = np.cumsum(fresh, dtype=np.int32) - 1
    joined = np.empty((len(numbers), len(starts)), dtype=np.int64)
    joined[FROM] = begin[starts]
    joined[UNTIL] = np.maximum.reduceat(until, starts)
    del begin, until
    # The least (lateral, closest, vertical) of each, one after the other among those that are left.
    left = np.ones(len(key), dtype=bool)
    for row in (LATERAL, CLOSEST, VERTICAL):
        values = np.where(left, numbers[row][order], np.iinfo(np.int64).max)
        left = values == np.minimum.reduceat(values, starts)[group]
    least = np.nonzero(left)[0]
    best = order[least[np.diff(group[least], prepend=-1) > 0]]  # of equals the first
    for row in range(CLOSEST, len(numbers)):
        joined[row] = numbers[row, best]
    key = key[starts]
    return key // most, key % most, joined


def _latest(pair: Longs, until: Longs) -> Longs:
    """Per row the greatest `until` of its pair so far."""
    least = int(until.min())
    span = int(until.max()) - least + 1
    if int(pair[-1]) * span < 2**62:
        return np.maximum.accumulate(pair * span + (until - least)) - pair * span + least
    latest = until.copy()
    for row in range(1, len(until)):
        if pair[row] == pair[row - 1]:
            latest[row] = max(latest[row], latest[row - 1])
    return latest

"""Which legs of different tracks come closer than the minima: the filter in front of `meet`.

Time is cut into slabs. Within one, legs are sorted by the cells that their boxes stand in and, within a
cell, by when they begin; so each leg is compared with those of its cell that are flown just then. Boxes
are whole numbers. What comes through is judged in floating point with the bound of `REACH_ERROR`: a pair
is called certain only where the bound allows no other answer, and what is left is for whole numbers.

The bound, u = 2^-53, lengths in 0.1 mm. A leg is at most 50 km (5e8), what is compared at most
4e10 apart (the largest minimum is 2,000 km). Differences of coordinates are exact. A speed carries u,
times a duration 2 u, so 1.2e-7 on a leg; adding it to the difference 4e10 u = 4.5e-6; the place at
the nearest instant again 4.7e-6: below 1e-5 an axis, 2e-5 in distance. The nearest instant itself is
off by at most 6 u d / speed, which is 3e-5 of distance. Squares and sums add 2 u d = 1e-5. Together
below 7e-5. An altitude between the ends of a leg carries 6 u of the larger end, the difference of two
and the minimum less it 2 u more; 2e-15 is 18 u.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from detente.airspace.earth import chord_of
from detente.airspace.leg import Legs
from detente.compiled import HAS_COMPILER, threads_of
from detente.limits import ALTITUDE_MAX_M, ALTITUDE_MIN_M
from detente.units import TENTH_MM_PER_M

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Found = tuple[Longs, Longs, Bools]
Close = tuple[Ints, Ints, Bools]  # the same of one slab, rows in either order
Bytes = npt.NDArray[np.int8]
# What a thread keeps between slabs: see `sweeploop.make_room`.
Room = tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints]
Progress = Callable[[int, int], None]

REACH_ERROR = 1e-4  # of a lateral distance, 0.1 mm; the proof is above
HEIGHT_ERROR = 2e-15  # of a difference of altitudes, times all that it is made of
INSTANT_ERROR = 1e-3  # of an instant between two legs' ends, microseconds; 1e-11 of a day
CELL_TENTH_MM = 800_000_000.0  # cells of 80 km, wider where the minimum is: few stand in two
LAYER = 3.0  # how high a cell is, in vertical minima
LAYER_LEAST = 9_144_000.0  # and at least 3,000 ft
LAYERS_MOST = 16.0  # that one run may stand in
# Legs that follow each other are taken together up to this size: dense recordings have one every second.
RUN_TENTH_MM = 150_000_000.0
RUN_LEGS = 16
# No two altitudes are farther apart: a greater minimum is always undercut, like this one.
_HIGHEST = (ALTITUDE_MAX_M - ALTITUDE_MIN_M + 1) * TENTH_MM_PER_M
_SLAB_RUNS = 20_000  # in a slab: what it needs then stays in the cache
_SLAB_LEGS = 4_000  # without a compiler, where all pairs of a cell are made at once


def find_close(
    legs: Legs,
    lateral_tenth_mm: int,
    vertical_tenth_mm: int,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Found:
    """Pairs of legs of different tracks that are, or may be, below both minima at one instant.

    Args:
        legs: from `build_legs`.
        lateral_tenth_mm: the minimum along the surface.
        vertical_tenth_mm: the minimum in height.
        threads: how many share the work; they change nothing in the answer.
        progress: is told how many slabs of how many are done.

    Returns:
        First leg, second leg (rows of `legs`, the first is the lower, shape (n,)), and whether it is
        certain; sorted. A pair that is missing is certainly clear.
    """
    nothing = np.empty(0, dtype=np.int64)
    if not lateral_tenth_mm or not vertical_tenth_mm or not legs.joined.any():
        return nothing, nothing, np.empty(0, dtype=bool)
    reach = chord_of(lateral_tenth_mm) / 2.0**16
    limit = min(vertical_tenth_mm, _HIGHEST)
    return _sorted(_by_slab(legs, reach, limit, threads_of(threads), progress))


def _by_slab(
    legs: Legs, reach: float, limit: int, workers: int, progress: Progress | None
) -> list[Close]:
    """What each slab of time has."""
    slabs = _Slabs(legs.time_us, _runs(legs), workers)
    sweep: Callable[..., Close]
    make_room: Callable[[int], Room | None]
    kept = threading.local()
    if HAS_COMPILER:
        from detente.conflict.sweeploop import make_room
        from detente.conflict.sweeploop import sweep_slab as sweep
    else:
        sweep, make_room = _sweep_slab, _make_no_room
    columns = (legs.time_us, legs.point, legs.alt_tenth_mm, legs.track)
    cell = max(CELL_TENTH_MM, reach)

    def work(number: int) -> Close:
        if not hasattr(kept, "room"):
            kept.room = make_room(slabs.largest)
        return sweep(
            slabs.members(number),
            slabs.spans,
            slabs.begins(number),
            slabs.wide,
            *columns,
            reach,
            limit,
            cell,
            kept.room,
        )

    found = []
    if workers == 1 or slabs.count == 1:
        for number in range(slabs.count):
            found.append(work(number))
            if progress:
                progress(number + 1, slabs.count)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for number, one in enumerate(pool.map(work, range(slabs.count))):
                found.append(one)
                if progress:
                    progress(number + 1, slabs.count)
    return found


def _sorted(found: list[Close]) -> Found:
    """Pairs of all slabs, each with its lower row first, in order."""
    ones = np.concatenate([part[0] for part in found]).astype(np.int64)
    twos = np.concatenate([part[1] for part in found]).astype(np.int64)
    # Rows have 31 bits: a pair and whether it is certain are one number, and numbers are sorted in place.
    pair = np.minimum(ones, twos) << 32
    pair |= np.maximum(ones, twos, out=ones) << 1
    pair |= np.concatenate([part[2] for part in found])
    pair.sort()
    return pair >> 32, (pair >> 1) & 0x7FFFFFFF, (pair & 1).astype(bool)


def _runs(legs: Legs) -> Bytes:
    """How many legs the run has that begins at each row: legs that follow each other and lie close together."""
    if HAS_COMPILER:
        from detente.conflict.sweeploop import make_runs

        return make_runs(legs.point, legs.joined, RUN_TENTH_MM, RUN_LEGS)
    return legs.joined.astype(np.int8)


class _Slabs:
    """Runs by slabs of time: those that begin in it, and those before that still go on."""

    def __init__(self, time: Longs, spans: Bytes, workers: int) -> None:
        self.spans = spans
        self._low = int(time.min())
        lasts = int(time.max()) - self._low
        fill: Callable[..., tuple[Longs, Ints]]
        if HAS_COMPILER:
            from detente.conflict.sweeploop import fill_slabs as fill
        else:
            fill = _fill_slabs
        per_slab = _SLAB_RUNS if HAS_COMPILER else _SLAB_LEGS
        runs = int(np.count_nonzero(spans))
        self.count = max(-(-runs // per_slab), workers if runs > 2_000 else 1)
        most = 4 * runs
        while True:
            self.wide = max(1, lasts // self.count + 1)
            if self.count == 1:
                most = runs
            self._bounds, self._runs = fill(time, spans, self._low, self.wide, self.count, most)
            if len(self._bounds):
                return
            self.count //= 2  # long legs stand in many slabs: the slabs are too narrow

    @property
    def largest(self) -> int:
        """How many runs the fullest slab has."""
        return int(np.diff(self._bounds).max())

    def begins(self, number: int) -> int:
        """The first microsecond of a slab."""
        return self._low + number * self.wide

    def members(self, number: int) -> Ints:
        """First legs of the runs in a slab, ascending."""
        return self._runs[self._bounds[number] : self._bounds[number + 1]]


# -- without a compiler ---------------------------------------------------------------------------


def _make_no_room(_count: int) -> None:
    return None


def _fill_slabs(
    time: Longs, spans: Bytes, low: int, wide: int, count: int, most: int
) -> tuple[Longs, Ints]:
    """Where the runs of each slab stand, and the runs; no bounds at all if there are more than `most`."""
    first = np.nonzero(spans)[0].astype(np.int32)
    begin = (time[first] - low) // wide
    spread = (time[first + spans[first]] - 1 - low) // wide - begin + 1
    if int(spread.sum()) > most:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    runs = np.repeat(first, spread)
    within = np.arange(len(runs)) - np.repeat(np.cumsum(spread) - spread, spread)
    slab = np.repeat(begin, spread) + within
    order = np.argsort(slab, kind="stable")
    return np.searchsorted(slab[order], np.arange(count + 1)), runs[order]


def _sweep_slab(
    runs: Ints,
    _spans: Bytes,
    begins: int,
    _wide: int,
    time: Longs,
    point: Longs,
    alt: Longs,
    track: Ints,
    reach: float,
    limit: int,
    cell: float,
    _room: None,
) -> Close:
    """What the compiled loop of the same name does, with arrays; a run is one leg here."""
    nothing = np.empty(0, dtype=np.int32)
    rows = runs.astype(np.int64)
    if len(rows) < 2:
        return nothing, nothing, np.empty(0, dtype=bool)
    low = np.minimum(point[:, rows], point[:, rows + 1]).astype(np.float64) - 0.5 * reach - 1.0
    high = np.maximum(point[:, rows], point[:, rows + 1]).astype(np.float64) + 0.5 * reach + 1.0
    one, two = _share_cell(low, high, cell)
    for at in range(3):
        near = (low[at, one] <= high[at, two]) & (low[at, two] <= high[at, one])
        one, two = one[near], two[near]
    start, end = time[rows], time[rows + 1]
    keep = (
        (np.maximum(start[one], start[two]) < np.minimum(end[one], end[two]))
        & (np.maximum(start[one], start[two]) >= begins)
        & (track[rows[one]] != track[rows[two]])
    )
    one, two = one[keep], two[keep]
    pair = np.unique(np.minimum(one, two) * len(rows) + np.maximum(one, two))
    one, two = rows[pair // len(rows)], rows[pair % len(rows)]
    answer = judge_legs(one, two, time, point, alt, reach, float(limit))
    hit = answer > 0
    return one[hit].astype(np.int32), two[hit].astype(np.int32), answer[hit] == 1


def _share_cell(low: Floats, high: Floats, cell: float) -> tuple[Longs, Longs]:
    """Pairs of boxes that have a cell in common, some more than once."""
    begin = np.floor(low / cell).astype(np.int64)
    wide = np.floor(high / cell).astype(np.int64) - begin + 1
    many = wide[0] * wide[1] * wide[2]
    box = np.repeat(np.arange(low.shape[1]), many)
    rest = np.arange(len(box)) - np.repeat(np.cumsum(many) - many, many)
    key = np.zeros(len(box), dtype=np.int64)
    for axis in range(3):
        key = (key << 20) + (begin[axis, box] + rest % wide[axis, box] + (1 << 19))
        rest //= wide[axis, box]
    order = np.argsort(key, kind="stable")
    key, box = key[order], box[order]
    ones, twos = [], []
    lag = 1
    at = np.nonzero(key[1:] == key[:-1])[0]
    while len(at):
        ones.append(box[at])
        twos.append(box[at + lag])
        lag += 1
        at = at[at + lag < len(key)]
        at = at[key[at] == key[at + lag]]
    if not ones:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(ones), np.concatenate(twos)


def judge_legs(
    one: Longs, two: Longs, time: Longs, point: Longs, alt: Longs, reach: float, limit: float
) -> npt.NDArray[np.int8]:
    """Pairs of legs: 0 certainly clear, 1 certainly not, 2 for whole numbers to tell.

    Args:
        one: rows of legs, shape (n,).
        two: rows of the others.
        time: of the points.
        point: shape (3, points).
        alt: of the points.
        reach: the chord of the lateral minimum, 0.1 mm.
        limit: the vertical minimum, 0.1 mm.
    """
    answer = np.zeros(len(one), dtype=np.int8)
    for at in range(0, len(one), 4096):
        rows = slice(at, at + 4096)
        answer[rows] = _judge_chunk(one[rows], two[rows], time, point, alt, reach, limit)
    return answer


def _judge_chunk(
    one: Longs, two: Longs, time: Longs, point: Longs, alt: Longs, reach: float, limit: float
) -> npt.NDArray[np.int8]:
    start = np.maximum(time[one], time[two])
    end = np.minimum(time[one + 1], time[two + 1])
    lasts = (end - start).astype(np.float64)
    wide = [np.zeros(len(one)), lasts]
    sure = [np.zeros(len(one)), lasts]
    gap = heights(one, two, time, alt, start, end, limit)
    possible = lasts > 0
    for sign in (1.0, -1.0):
        left, right = limit - sign * gap[0], limit - sign * gap[1]
        wide = _above(left + gap[2], right + gap[3], lasts, wide)
        sure = _above(left - gap[2], right - gap[3], lasts, sure)
    wide = [np.maximum(wide[0] - INSTANT_ERROR, 0.0), np.minimum(wide[1] + INSTANT_ERROR, lasts)]
    possible &= wide[0] < wide[1]
    sure = [sure[0] + INSTANT_ERROR, sure[1] - INSTANT_ERROR]
    # A span that lies between two ends alone carries no error of instants.
    sure[0] = np.where(sure[0] == INSTANT_ERROR, 0.0, sure[0])
    sure[1] = np.where(sure[1] == lasts - INSTANT_ERROR, lasts, sure[1])
    base, slope = places(one, two, time, point, start)
    speed = slope[0] * slope[0] + slope[1] * slope[1] + slope[2] * slope[2]
    closing = base[0] * slope[0] + base[1] * slope[1] + base[2] * slope[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        nearest = np.where(speed > 0.0, -closing / speed, 0.0)
    least = _square_at(base, slope, np.minimum(np.maximum(nearest, wide[0]), wide[1]))
    certain = _square_at(base, slope, np.minimum(np.maximum(nearest, sure[0]), sure[1]))
    far, near = reach + REACH_ERROR, max(reach - REACH_ERROR, 0.0)
    answer = np.where(possible & (least <= far * far), 2, 0)
    answer[(answer == 2) & (sure[0] < sure[1]) & (certain < near * near)] = 1
    return answer.astype(np.int8)


def heights(
    one: Longs, two: Longs, time: Longs, alt: Longs, start: Longs, end: Longs, limit: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """How much higher the first is at the start and at the end, and the error of each.

    The errors hold for the minimum less that, too. Exact where a leg is level or begins (ends) just there.
    """
    gaps, errors = [], []
    for instant, tip in ((start, 0), (end, 1)):
        value = np.zeros(len(one))
        error = np.zeros(len(one))
        for row, sign in ((one, 1.0), (two, -1.0)):
            tail, head = alt[row].astype(np.float64), alt[row + 1].astype(np.float64)
            climb = head - tail
            there = instant == time[row + tip]
            passed = (instant - time[row]).astype(np.float64)
            rate = climb / (time[row + 1] - time[row]).astype(np.float64)
            value += sign * np.where(there, head if tip else tail, tail + rate * passed)
            size = HEIGHT_ERROR * (np.abs(tail) + np.abs(head) + limit)
            error += np.where(there | (climb == 0.0), 0.0, size)
        gaps.append(value)
        errors.append(error)
    return gaps[0], gaps[1], errors[0], errors[1]


def places(
    one: Longs, two: Longs, time: Longs, point: Longs, start: Longs
) -> tuple[list[Floats], list[Floats]]:
    """Where the first is from the second at the start, and how fast that changes, an axis each."""
    lasts = [(time[row + 1] - time[row]).astype(np.float64) for row in (one, two)]
    passed = [(start - time[row]).astype(np.float64) for row in (one, two)]
    base, slope = [], []
    for axis in range(3):
        column = point[axis]
        speed_a = (column[one + 1] - column[one]).astype(np.float64) / lasts[0]
        speed_b = (column[two + 1] - column[two]).astype(np.float64) / lasts[1]
        apart = (column[one] - column[two]).astype(np.float64)
        base.append(apart + (speed_a * passed[0] - speed_b * passed[1]))
        slope.append(speed_a - speed_b)
    return base, slope


def _square_at(base: list[Floats], slope: list[Floats], instant: Floats) -> Floats:
    x, y, z = (base[k] + slope[k] * instant for k in range(3))
    square: Floats = x * x + y * y + z * z
    return square


def _above(left: Floats, right: Floats, lasts: Floats, span: list[Floats]) -> list[Floats]:
    """The part of a span in which a line from left to right, over [0, lasts], is above zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = lasts * (left / (left - right))
    low = np.where(left > 0.0, 0.0, np.where(right > 0.0, zero, lasts))
    high = np.where(right > 0.0, lasts, np.where(left > 0.0, zero, 0.0))
    return [np.maximum(span[0], low), np.minimum(span[1], high)]

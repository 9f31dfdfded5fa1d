"""The compiled loops of `sweep`; imported only where there is a compiler."""

from __future__ import annotations

from math import floor

import numpy as np

from detente.compiled import compiled
from detente.conflict.sweep import (
    HEIGHT_ERROR,
    INSTANT_ERROR,
    LAYER,
    LAYER_LEAST,
    LAYERS_MOST,
    REACH_ERROR,
    Bools,
    Found,
    Ints,
    Longs,
    Room,
)

_TABLE_MOST = 1 << 17


@compiled
def make_runs(point: Longs, joined: Bools, size: float, most: int) -> tuple[Ints, Ints]:
    """First and last leg of each run: at most so many legs, in a box of at most that size."""
    count = 0
    for row in range(len(joined)):
        if joined[row]:
            count += 1
    first, last = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    runs = -1
    low, high = np.empty(3), np.empty(3)
    for row in range(len(joined)):
        if not joined[row]:
            continue
        new = runs < 0 or last[runs] != row - 1 or row - first[runs] >= most
        if not new:
            for axis in range(3):
                head = float(point[axis, row + 1])
                low[axis] = min(low[axis], head)
                high[axis] = max(high[axis], head)
                new = new or high[axis] - low[axis] > size
        if new:
            runs += 1
            first[runs] = row
            for axis in range(3):
                tail, head = float(point[axis, row]), float(point[axis, row + 1])
                low[axis], high[axis] = min(tail, head), max(tail, head)
        last[runs] = row
    return first[: runs + 1], last[: runs + 1]


@compiled
def fill_slabs(
    time: Longs, first: Ints, last: Ints, low: int, wide: int, count: int, most: int
) -> tuple[Longs, Ints]:
    """Where the runs of each slab stand, and the runs; no bounds at all if there are more than `most`."""
    bounds = np.zeros(count + 1, dtype=np.int64)
    total = 0
    for run in range(len(first)):
        begin = (time[first[run]] - low) // wide
        end = (time[last[run] + 1] - 1 - low) // wide
        total += end - begin + 1
        for slab in range(begin, end + 1):
            bounds[slab + 1] += 1
        if total > most:
            return bounds[:0], np.empty(0, dtype=np.int32)
    for slab in range(count):
        bounds[slab + 1] += bounds[slab]
    runs = np.empty(total, dtype=np.int32)
    at = bounds[:-1].copy()
    for run in range(len(first)):
        begin = (time[first[run]] - low) // wide
        end = (time[last[run] + 1] - 1 - low) // wide
        for slab in range(begin, end + 1):
            runs[at[slab]] = run
            at[slab] += 1
    return bounds, runs


@compiled
def _above(left: float, right: float, lasts: float, low: float, high: float) -> tuple[float, float]:
    """The part of a span in which a line from left to right, over [0, lasts], is above zero."""
    if left > 0.0:
        if right > 0.0:
            return low, high
        return low, min(high, lasts * (left / (left - right)))
    if right > 0.0:
        return max(low, lasts * (left / (left - right))), high
    return lasts, 0.0


@compiled
def _height(alt: Longs, time: Longs, row: int, instant: int, limit: float) -> tuple[float, float]:
    """Altitude on a leg and the error of it; exact at its ends and where it is level."""
    tail, head = float(alt[row]), float(alt[row + 1])
    if tail == head or instant == time[row]:
        return tail, 0.0
    if instant == time[row + 1]:
        return head, 0.0
    rate = (head - tail) / float(time[row + 1] - time[row])
    return tail + rate * float(instant - time[row]), HEIGHT_ERROR * (abs(tail) + abs(head) + limit)


@compiled
def _judge(
    one: int, two: int, time: Longs, point: Longs, alt: Longs, reach: float, limit: float
) -> int:
    """0 certainly clear, 1 certainly not, 2 for whole numbers to tell."""
    start = max(time[one], time[two])
    end = min(time[one + 1], time[two + 1])
    if start >= end:
        return 0
    lasts = float(end - start)
    up_one, error_one = _height(alt, time, one, start, limit)
    up_two, error_two = _height(alt, time, two, start, limit)
    at_start, error_start = up_one - up_two, error_one + error_two
    up_one, error_one = _height(alt, time, one, end, limit)
    up_two, error_two = _height(alt, time, two, end, limit)
    at_end, error_end = up_one - up_two, error_one + error_two
    low, high = _above(
        limit - at_start + error_start, limit - at_end + error_end, lasts, 0.0, lasts
    )
    low, high = _above(limit + at_start + error_start, limit + at_end + error_end, lasts, low, high)
    low, high = max(low - INSTANT_ERROR, 0.0), min(high + INSTANT_ERROR, lasts)
    if low >= high:
        return 0
    time_one, time_two = float(time[one + 1] - time[one]), float(time[two + 1] - time[two])
    past_one, past_two = float(start - time[one]), float(start - time[two])
    speed = float(point[0, one + 1] - point[0, one]) / time_one
    other = float(point[0, two + 1] - point[0, two]) / time_two
    x = float(point[0, one] - point[0, two]) + (speed * past_one - other * past_two)
    vx = speed - other
    speed = float(point[1, one + 1] - point[1, one]) / time_one
    other = float(point[1, two + 1] - point[1, two]) / time_two
    y = float(point[1, one] - point[1, two]) + (speed * past_one - other * past_two)
    vy = speed - other
    speed = float(point[2, one + 1] - point[2, one]) / time_one
    other = float(point[2, two + 1] - point[2, two]) / time_two
    z = float(point[2, one] - point[2, two]) + (speed * past_one - other * past_two)
    vz = speed - other
    square = vx * vx + vy * vy + vz * vz
    nearest = 0.0
    if square > 0.0:
        nearest = -(x * vx + y * vy + z * vz) / square
    instant = min(max(nearest, low), high)
    dx, dy, dz = x + vx * instant, y + vy * instant, z + vz * instant
    far = reach + REACH_ERROR
    if dx * dx + dy * dy + dz * dz > far * far:
        return 0
    low, high = _above(
        limit - at_start - error_start, limit - at_end - error_end, lasts, 0.0, lasts
    )
    low, high = _above(limit + at_start - error_start, limit + at_end - error_end, lasts, low, high)
    if low > 0.0:
        low += INSTANT_ERROR
    if high < lasts:
        high -= INSTANT_ERROR
    if low >= high:
        return 2
    instant = min(max(nearest, low), high)
    dx, dy, dz = x + vx * instant, y + vy * instant, z + vz * instant
    near = max(reach - REACH_ERROR, 0.0)
    return 1 if dx * dx + dy * dy + dz * dz < near * near else 2


def make_room(count: int) -> Room:
    """The arrays that a slab of so many runs needs; kept by a thread, since asking for memory takes longer than using it.

    Around each run: x, y, z from and to (half the reach added on each side), altitude from and to, end, track;
    its cells from and to; first leg, last leg, start; which run has looked at it.
    """
    return (
        np.empty((count, 10)),
        np.empty((count, 8), dtype=np.int32),
        np.empty(count, dtype=np.int32),
        np.empty(count, dtype=np.int32),
        np.empty(count, dtype=np.int64),
        np.empty(count, dtype=np.int32),
    )


@compiled
def sweep_slab(
    runs: Ints,
    rank: Ints,
    begins: int,
    first: Ints,
    last: Ints,
    time: Longs,
    point: Longs,
    alt: Longs,
    track: Ints,
    reach: float,
    limit: float,
    cell: float,
    room: Room,
) -> Found:
    """Close pairs of legs, of which the later begins in a slab.

    Args:
        runs: those of the slab and those of earlier ones that still go on, ascending.
        rank: the place of each in the order in which they begin.
        begins: of the slab; runs that begin before it are only met.
        first: first leg of a run.
        last: last leg of a run.
        time: of the points.
        point: shape (3, points).
        alt: of the points.
        track: of the points.
        reach: chord of the lateral minimum.
        limit: vertical minimum.
        cell: size of a cell of the grid.
        room: from `make_room`, for at least as many runs.
    """
    # Rows are read in their order, so that neighbours come from the memory together; from then on
    # everything is in the order of beginning.
    count = len(runs)
    around, cells, tails, ends, starts, seen = room
    total = 0
    half = 0.5 * reach + 1.0
    layer = max(LAYER * limit, LAYER_LEAST)
    for at in range(count):
        k = rank[at]
        a, b = first[runs[at]], last[runs[at]] + 1
        tails[k], ends[k], starts[k] = a, b - 1, time[a]
        for axis in range(3):
            low = high = point[axis, a]
            for row in range(a + 1, b + 1):
                low, high = min(low, point[axis, row]), max(high, point[axis, row])
            around[k, axis], around[k, axis + 3] = float(low) - half, float(high) + half
            cells[k, axis] = floor(around[k, axis] / cell)
            cells[k, axis + 4] = floor(around[k, axis + 3] / cell)
        low = high = alt[a]
        for row in range(a + 1, b + 1):
            low, high = min(low, alt[row]), max(high, alt[row])
        around[k, 6], around[k, 7] = float(low), float(high)
        # One steep leg makes all layers of its slab higher, so that none stands in many.
        layer = max(layer, float(high - low) / LAYERS_MOST)
        around[k, 8] = float(time[b])
        around[k, 9] = float(track[a])
    for k in range(count):
        cells[k, 3] = floor((around[k, 6] - 0.5 * limit - 1.0) / layer)
        cells[k, 7] = floor((around[k, 7] + 0.5 * limit + 1.0) / layer)
        many = 1
        for axis in range(4):
            many *= cells[k, axis + 4] - cells[k, axis] + 1
        total += many
    size = 1024
    while size < 2 * count and size < _TABLE_MOST:
        size *= 2
    heads = np.full(size, -1, dtype=np.int32)
    item = np.empty(total, dtype=np.int32)
    follow = np.empty(total, dtype=np.int32)
    seen[:count] = -1
    nodes = 0
    found = 0
    ones, twos = np.empty(1024, dtype=np.int64), np.empty(1024, dtype=np.int64)
    sure = np.empty(1024, dtype=np.bool_)
    for k in range(count):
        a, b, start = tails[k], ends[k], starts[k]
        now = float(start)
        met = start >= begins
        x_low, y_low, z_low = around[k, 0], around[k, 1], around[k, 2]
        x_high, y_high, z_high = around[k, 3], around[k, 4], around[k, 5]
        bottom, top, mine = around[k, 6] - limit, around[k, 7] + limit, around[k, 9]
        for cx in range(cells[k, 0], cells[k, 4] + 1):
            for cy in range(cells[k, 1], cells[k, 5] + 1):
                for cz in range(cells[k, 2], cells[k, 6] + 1):
                    place = (cx * 73856093) ^ (cy * 19349663) ^ (cz * 83492791)
                    for level in range(cells[k, 3], cells[k, 7] + 1):
                        slot = (place ^ (level * 50331653)) & (size - 1)
                        before = -1
                        node = heads[slot]
                        while node >= 0:
                            c = item[node]
                            after = follow[node]
                            if around[c, 8] <= now:  # it is over, for whoever comes later too
                                if before < 0:
                                    heads[slot] = after
                                else:
                                    follow[before] = after
                                node = after
                                continue
                            before = node
                            node = after
                            if (
                                not met
                                or around[c, 6] >= top
                                or around[c, 7] <= bottom
                                or around[c, 0] > x_high
                                or around[c, 3] < x_low
                                or around[c, 1] > y_high
                                or around[c, 4] < y_low
                                or around[c, 2] > z_high
                                or around[c, 5] < z_low
                                or around[c, 9] == mine
                                or seen[c] == k
                            ):
                                continue
                            seen[c] = k
                            i, i_last = tails[c], ends[c]
                            j = a
                            while i <= i_last and j <= b:
                                answer = _judge(i, j, time, point, alt, reach, limit)
                                if answer:
                                    if found == len(ones):
                                        ones = np.append(ones, ones)
                                        twos = np.append(twos, twos)
                                        sure = np.append(sure, sure)
                                    ones[found], twos[found], sure[found] = i, j, answer == 1
                                    found += 1
                                if time[i + 1] <= time[j + 1]:
                                    i += 1
                                else:
                                    j += 1
                        item[nodes] = k
                        follow[nodes] = heads[slot]
                        heads[slot] = nodes
                        nodes += 1
    return ones[:found].copy(), twos[:found].copy(), sure[:found].copy()

"""The compiled loops of `sweep`; imported only where there is a compiler."""

from __future__ import annotations

from math import floor

import numpy as np

from detente.compiled import compiled
from detente.conflict.sweep import (
    HEIGHT_ERROR,
    INSTANT_ERROR,
    REACH_ERROR,
    Bools,
    Found,
    Ints,
    Longs,
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
    return first[: runs + 1].copy(), last[: runs + 1].copy()


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


@compiled
def sweep_slab(
    order: Ints,
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
) -> Found:
    """Close pairs of legs, of which the later begins in a slab.

    Args:
        order: runs in the order in which they begin; those of earlier slabs come first.
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
    """
    count = len(order)
    box = np.empty((count, 6))
    band = np.empty((count, 2))
    ends = np.empty(count, dtype=np.int64)
    cells = np.empty((count, 6), dtype=np.int32)
    total = 0
    half = 0.5 * reach + 1.0
    for k in range(count):
        a, b = first[order[k]], last[order[k]] + 1
        many = 1
        for axis in range(3):
            low = high = point[axis, a]
            for row in range(a + 1, b + 1):
                low, high = min(low, point[axis, row]), max(high, point[axis, row])
            box[k, axis], box[k, axis + 3] = float(low) - half, float(high) + half
            cells[k, axis] = floor(box[k, axis] / cell)
            cells[k, axis + 3] = floor(box[k, axis + 3] / cell)
            many *= cells[k, axis + 3] - cells[k, axis] + 1
        total += many
        low = high = alt[a]
        for row in range(a + 1, b + 1):
            low, high = min(low, alt[row]), max(high, alt[row])
        band[k, 0], band[k, 1] = float(low), float(high)
        ends[k] = time[b]
    size = 1024
    while size < 2 * count and size < _TABLE_MOST:
        size *= 2
    heads = np.full(size, -1, dtype=np.int32)
    item = np.empty(total, dtype=np.int32)
    follow = np.empty(total, dtype=np.int32)
    seen = np.full(count, -1, dtype=np.int32)
    nodes = 0
    found = 0
    ones, twos = np.empty(1024, dtype=np.int64), np.empty(1024, dtype=np.int64)
    sure = np.empty(1024, dtype=np.bool_)
    for k in range(count):
        a, b = first[order[k]], last[order[k]]
        now = time[a]
        mine = track[a]
        for cx in range(cells[k, 0], cells[k, 3] + 1):
            for cy in range(cells[k, 1], cells[k, 4] + 1):
                for cz in range(cells[k, 2], cells[k, 5] + 1):
                    slot = ((cx * 73856093) ^ (cy * 19349663) ^ (cz * 83492791)) & (size - 1)
                    before = -1
                    node = heads[slot]
                    while node >= 0:
                        c = item[node]
                        after = follow[node]
                        if ends[c] <= now:  # it is over, for whoever comes later too
                            if before < 0:
                                heads[slot] = after
                            else:
                                follow[before] = after
                            node = after
                            continue
                        before = node
                        node = after
                        if now < begins or seen[c] == k:
                            continue
                        seen[c] = k
                        if (
                            band[c, 0] - band[k, 1] >= limit
                            or band[k, 0] - band[c, 1] >= limit
                            or box[c, 0] > box[k, 3]
                            or box[k, 0] > box[c, 3]
                            or box[c, 1] > box[k, 4]
                            or box[k, 1] > box[c, 4]
                            or box[c, 2] > box[k, 5]
                            or box[k, 2] > box[c, 5]
                        ):
                            continue
                        i, i_last = first[order[c]], last[order[c]]
                        if track[i] == mine:
                            continue
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

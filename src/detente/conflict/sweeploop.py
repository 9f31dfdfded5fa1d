"""The compiled loops of `sweep`; imported only where there is a compiler.

A slab goes through in five steps. Each run of legs gets a box of whole numbers (`_box_runs`); runs are
sorted by when they begin (`_sort_runs`); each is entered in the cells that its box touches (`_enter`);
entries are sorted by cell, and keep their order in time (`_scatter`); cell by cell, each entry is compared
with those before it that are still flown (`sweep_slab`).

A cell is a square on one of six faces and a layer of altitude. A point lies on the face of the axis along
which it is farthest from the middle of the earth, and its square is given by the other two coordinates, so
there are no poles and no 180th meridian. A box is entered on every face on which some point of it may lie.
Two boxes that overlap have the point in common whose coordinates are the greater of the two least ones: it
lies on a face and in a square where both are entered. They are compared there alone: where, on the first
face that both have, this cell is the least of one of them along each axis.
"""

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
    Bytes,
    Close,
    Ints,
    Longs,
    Room,
)
from detente.limits import ALTITUDE_MIN_M
from detente.units import TENTH_MM_PER_M

# A box is rounded down to 2^13 (0.8 m) and 2^3 (0.8 mm) of 0.1 mm, so that it has 32 bits. Rounding both
# sides of a comparison down never makes what overlaps look apart.
_PLACE_BITS, _HEIGHT_BITS = 13, 3
_PLACE, _HEIGHT = 1.0 / (1 << _PLACE_BITS), 1.0 / (1 << _HEIGHT_BITS)
_LOWEST = ALTITUDE_MIN_M * TENTH_MM_PER_M
_MOST = (1 << 31) - 1
_ORDER_BITS = 11  # of a time, sorted at once; twice
_SLOTS_MOST = 1 << 17
# Columns of a box: x, y, z, altitude from and to, begin and end, first leg; further legs and faces.
_BEGIN, _END, _LEG, _MORE = 8, 9, 10, 11
_COLUMNS = 12


@compiled
def make_runs(point: Longs, joined: Bools, size: float, most: int) -> Bytes:
    """How many legs the run has that begins at each row: at most so many, in a box of at most that size."""
    spans = np.zeros(len(joined), dtype=np.int8)
    start = -1
    low, high = np.empty(3), np.empty(3)
    for row in range(len(joined)):
        if not joined[row]:
            start = -1
            continue
        new = start < 0 or row - start >= most
        if not new:
            for axis in range(3):
                head = float(point[axis, row + 1])
                low[axis] = min(low[axis], head)
                high[axis] = max(high[axis], head)
                new = new or high[axis] - low[axis] > size
        if new:
            start = row
            for axis in range(3):
                tail, head = float(point[axis, row]), float(point[axis, row + 1])
                low[axis], high[axis] = min(tail, head), max(tail, head)
        spans[start] += 1
    return spans


@compiled
def fill_slabs(
    time: Longs, spans: Bytes, low: int, wide: int, count: int, most: int
) -> tuple[Longs, Ints]:
    """Where the runs of each slab stand, and their first legs; no bounds at all if there are more than `most`."""
    bounds = np.zeros(count + 1, dtype=np.int64)
    total = 0
    for row in range(len(spans)):
        if not spans[row]:
            continue
        begin = (time[row] - low) // wide
        end = (time[row + spans[row]] - 1 - low) // wide
        total += end - begin + 1
        for slab in range(begin, end + 1):
            bounds[slab + 1] += 1
        if total > most:
            return bounds[:0], np.empty(0, dtype=np.int32)
    for slab in range(count):
        bounds[slab + 1] += bounds[slab]
    runs = np.empty(total, dtype=np.int32)
    at = bounds[:-1].copy()
    for row in range(len(spans)):
        if not spans[row]:
            continue
        begin = (time[row] - low) // wide
        end = (time[row + spans[row]] - 1 - low) // wide
        for slab in range(begin, end + 1):
            runs[at[slab]] = row
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

    Box of each run; runs in order of beginning, and another array for sorting; cell and run of each entry as
    they are entered, and the same by cell; entries that are flown; where the entries of each slot end.
    """
    entries = 4 * count
    return (
        np.empty((count, _COLUMNS), dtype=np.int32),
        np.empty(count, dtype=np.int32),
        np.empty(count, dtype=np.int32),
        np.empty(entries, dtype=np.int32),
        np.empty(entries, dtype=np.int32),
        np.empty(entries, dtype=np.int32),
        np.empty(entries, dtype=np.int32),
        np.empty(entries, dtype=np.int32),
        np.empty(_SLOTS_MOST + 1, dtype=np.int32),
    )


@compiled
def _box_runs(
    runs: Ints,
    spans: Bytes,
    begins: int,
    unit: int,
    time: Longs,
    point: Longs,
    alt: Longs,
    reach: float,
    limit: int,
    boxes: Ints,
) -> float:
    """Writes the box of each run: half the reach added on each side, the minimum above; returns how high a layer is.

    Times are from the beginning of the slab in 2^unit microseconds; -1 is before it.
    """
    half = int(0.5 * reach) + 2
    layer = max(LAYER * limit, LAYER_LEAST)
    for k in range(len(runs)):
        a = runs[k]
        b = a + spans[a]
        for axis in range(3):
            low = high = point[axis, a]
            for row in range(a + 1, b + 1):
                low, high = min(low, point[axis, row]), max(high, point[axis, row])
            boxes[k, 2 * axis] = (low - half) >> _PLACE_BITS
            boxes[k, 2 * axis + 1] = (high + half) >> _PLACE_BITS
        low = high = alt[a]
        for row in range(a + 1, b + 1):
            low, high = min(low, alt[row]), max(high, alt[row])
        # One steep leg makes all layers of its slab higher, so that none stands in many.
        layer = max(layer, float(high - low) / LAYERS_MOST)
        boxes[k, 6] = (low - _LOWEST) >> _HEIGHT_BITS
        # Altitudes exactly the minimum apart are not below it.
        boxes[k, 7] = min((high - _LOWEST + limit - 1) >> _HEIGHT_BITS, _MOST)
        start = time[a] - begins
        boxes[k, _BEGIN] = start >> unit if start >= 0 else -1
        boxes[k, _END] = min(((time[b] - 1 - begins) >> unit) + 1, _MOST)
        boxes[k, _LEG] = a
        boxes[k, _MORE] = ((b - 1 - a) << 6) | _faces(boxes, k)
    return layer


@compiled
def _faces(boxes: Ints, k: int) -> int:
    """On which faces a point of a box may lie, a bit each: x up, x down, y up, y down, z up, z down."""
    x = max(abs(boxes[k, 0]), abs(boxes[k, 1]))  # how far from the middle the box reaches
    y = max(abs(boxes[k, 2]), abs(boxes[k, 3]))
    z = max(abs(boxes[k, 4]), abs(boxes[k, 5]))
    x_least = max(boxes[k, 0], -boxes[k, 1], 0)
    y_least = max(boxes[k, 2], -boxes[k, 3], 0)
    z_least = max(boxes[k, 4], -boxes[k, 5], 0)
    faces = 0
    if x >= y_least and x >= z_least:
        faces |= (1 if boxes[k, 1] >= 0 else 0) | (2 if boxes[k, 0] < 0 else 0)
    if y >= x_least and y >= z_least:
        faces |= (4 if boxes[k, 3] >= 0 else 0) | (8 if boxes[k, 2] < 0 else 0)
    if z >= x_least and z >= y_least:
        faces |= (16 if boxes[k, 5] >= 0 else 0) | (32 if boxes[k, 4] < 0 else 0)
    return faces


@compiled
def _sort_runs(boxes: Ints, count: int, coarse: int, order: Ints, other: Ints) -> None:
    """Writes the order in which runs begin, to 2^coarse units of time: two rounds of sorting by counting."""
    mask = (1 << _ORDER_BITS) - 1
    low = np.zeros(mask + 2, dtype=np.int64)
    high = np.zeros(mask + 2, dtype=np.int64)
    for k in range(count):
        value = (boxes[k, _BEGIN] >> coarse) + 1
        low[(value & mask) + 1] += 1
        high[(value >> _ORDER_BITS) + 1] += 1
    for slot in range(mask + 1):
        low[slot + 1] += low[slot]
        high[slot + 1] += high[slot]
    for k in range(count):
        slot = ((boxes[k, _BEGIN] >> coarse) + 1) & mask
        other[low[slot]] = k
        low[slot] += 1
    for at in range(count):
        k = other[at]
        slot = ((boxes[k, _BEGIN] >> coarse) + 1) >> _ORDER_BITS
        order[high[slot]] = k
        high[slot] += 1


@compiled
def _enter(
    boxes: Ints,
    order: Ints,
    count: int,
    per_cell: float,
    per_layer: float,
    keys: Ints,
    items: Ints,
) -> tuple[int, int]:
    """Writes cell and run of each entry, run by run, as far as there is room; returns how many, and cells to a face.

    Beside the run stand three bits: whether the cell is its least along each axis.
    """
    low = high = boxes[0, 0]
    bottom, top = boxes[0, 6], boxes[0, 7]
    for k in range(count):
        low = min(low, boxes[k, 0], boxes[k, 2], boxes[k, 4])
        high = max(high, boxes[k, 1], boxes[k, 3], boxes[k, 5])
        bottom, top = min(bottom, boxes[k, 6]), max(top, boxes[k, 7])
    side, ground = floor(low * per_cell), floor(bottom * per_layer)
    sides = floor(high * per_cell) - side + 1
    layers = floor(top * per_layer) - ground + 1
    entries = 0
    for at in range(count):
        k = order[at]
        faces = boxes[k, _MORE] & 63
        c, c_last = floor(boxes[k, 6] * per_layer) - ground, floor(boxes[k, 7] * per_layer) - ground
        for face in range(6):
            if not (faces >> face) & 1:
                continue
            u, v = 2 if face < 2 else 0, 2 if face >= 4 else 4
            a, a_last = (
                floor(boxes[k, u] * per_cell) - side,
                floor(boxes[k, u + 1] * per_cell) - side,
            )
            b, b_last = (
                floor(boxes[k, v] * per_cell) - side,
                floor(boxes[k, v + 1] * per_cell) - side,
            )
            for i in range(a, a_last + 1):
                for j in range(b, b_last + 1):
                    place = ((face * sides + i) * sides + j) * layers
                    item = (k << 3) | (1 if i == a else 0) | (2 if j == b else 0)
                    for level in range(c, c_last + 1):
                        if entries < len(keys):
                            keys[entries] = place + level
                            items[entries] = item | (4 if level == c else 0)
                        entries += 1
    return entries, sides * sides * layers


@compiled
def _scatter(
    keys: Ints, items: Ints, count: int, slots: int, ends: Ints, cells: Ints, places: Ints
) -> None:
    """Sorts entries by slot, the last bits of the cell, and says where the entries of each slot end."""
    mask = slots - 1
    ends[: slots + 1] = 0
    for at in range(count):
        ends[(keys[at] & mask) + 1] += 1
    for slot in range(slots):
        ends[slot + 1] += ends[slot]
    for at in range(count):
        slot = keys[at] & mask
        cells[ends[slot]], places[ends[slot]] = keys[at], items[at]
        ends[slot] += 1


@compiled
def sweep_slab(
    runs: Ints,
    spans: Bytes,
    begins: int,
    wide: int,
    time: Longs,
    point: Longs,
    alt: Longs,
    track: Ints,
    reach: float,
    limit: int,
    cell: float,
    room: Room,
) -> Close:
    """Close pairs of legs, of which the later begins in a slab.

    Args:
        runs: first legs of those of the slab and of those of earlier ones that still go on, ascending.
        spans: how many legs a run has.
        begins: of the slab; runs that begin before it are only met.
        wide: how long the slab lasts.
        time: of the points.
        point: shape (3, points).
        alt: of the points.
        track: of the points.
        reach: chord of the lateral minimum.
        limit: vertical minimum.
        cell: size of a cell of the grid.
        room: from `make_room`, for at least as many runs.
    """
    count = len(runs)
    boxes, order, other, keys, items, cells, places, flown, ends = room
    unit = coarse = 0
    while (wide >> unit) >= _MOST:
        unit += 1
    while (wide >> (unit + coarse)) >= (1 << (2 * _ORDER_BITS)) - 2:
        coarse += 1
    layer = _box_runs(runs, spans, begins, unit, time, point, alt, reach, limit, boxes)
    _sort_runs(boxes, count, coarse, order, other)
    per_cell, per_layer = 1.0 / (cell * _PLACE), 1.0 / (layer * _HEIGHT)
    found = 0
    ones, twos = np.empty(1024, dtype=np.int32), np.empty(1024, dtype=np.int32)
    sure = np.empty(1024, dtype=np.bool_)
    if count == 0:
        return ones[:0], twos[:0], sure[:0]
    total, per_face = _enter(boxes, order, count, per_cell, per_layer, keys, items)
    if total > len(keys):
        keys, items = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
        cells, places = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
        flown = np.empty(total, dtype=np.int32)
        _enter(boxes, order, count, per_cell, per_layer, keys, items)
    slots = 1024
    while slots < 4 * count and slots < _SLOTS_MOST:
        slots *= 2
    _scatter(keys, items, total, slots, ends, cells, places)
    near = other
    start = 0
    for slot in range(slots):
        stop = ends[slot]
        above = 0  # how many are flown
        for at in range(start, stop):
            here, item = cells[at], places[at]
            k = item >> 3
            now = boxes[k, _BEGIN]
            if now < 0:
                flown[above] = at
                above += 1
                continue
            over = (now >> coarse) << coarse  # whoever comes later begins no earlier than this
            x, x_end, y, y_end = boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3]
            z, z_end, low, high = boxes[k, 4], boxes[k, 5], boxes[k, 6], boxes[k, 7]
            left = hits = 0
            # Without branches: which of them is near cannot be foretold.
            for i in range(above):
                entry = flown[i]
                c = places[entry] >> 3
                flown[left] = entry
                left += boxes[c, _END] > over
                near[hits] = c
                hits += (
                    (boxes[c, _END] > now)
                    & (boxes[c, 6] <= high)
                    & (boxes[c, 7] >= low)
                    & (boxes[c, 0] <= x_end)
                    & (boxes[c, 1] >= x)
                    & (boxes[c, 2] <= y_end)
                    & (boxes[c, 3] >= y)
                    & (boxes[c, 4] <= z_end)
                    & (boxes[c, 5] >= z)
                    & (cells[entry] == here)
                    & (((places[entry] | item) & 7) == 7)
                )
            flown[left] = at
            above = left + 1
            for i in range(hits):
                c = near[i]
                if boxes[c, _MORE] & boxes[k, _MORE] & ((1 << (here // per_face)) - 1):
                    continue  # they have an earlier face in common
                one, two = boxes[c, _LEG], boxes[k, _LEG]
                if track[one] == track[two]:
                    continue
                one_last, two_last = one + (boxes[c, _MORE] >> 6), two + (boxes[k, _MORE] >> 6)
                while one <= one_last and two <= two_last:
                    answer = _judge(one, two, time, point, alt, reach, float(limit))
                    if answer:
                        if found == len(ones):
                            ones, twos = np.append(ones, ones), np.append(twos, twos)
                            sure = np.append(sure, sure)
                        ones[found], twos[found], sure[found] = one, two, answer == 1
                        found += 1
                    if time[one + 1] <= time[two + 1]:
                        one += 1
                    else:
                        two += 1
        start = stop
    return ones[:found].copy(), twos[:found].copy(), sure[:found].copy()

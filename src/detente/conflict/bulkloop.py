"""The compiled loops of `bulk`; imported only where there is a compiler."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detente.compiled import compiled
from detente.conflict.bulk import (
    CONFLICT_CODE,
    DOUBT_CODE,
    EAST,
    FROM,
    HIGH,
    LOW,
    NORTH,
    SOUTH,
    TOUCH_CODE,
    UNTIL,
    WEST,
    Codes,
    Ints,
    Longs,
)

APART, CROSSING, CONTACT = 0, 1, 2
ROW, COLUMN, LINE = 8, 9, 10
_SPLIT = 20
_REST = (1 << _SPLIT) - 1
Grid = tuple[int, int, int, int, int, int, int]


@compiled
def fill_ends(lon: Longs, lat: Longs, first: Longs, ends: Longs, start: int, stop: int) -> None:
    """Least and greatest longitude and latitude of each row's vertices."""
    for row in range(start, stop):
        at = first[row]
        west = east = lon[at]
        south = north = lat[at]
        for k in range(at + 1, first[row + 1]):
            west, east = min(west, lon[k]), max(east, lon[k])
            south, north = min(south, lat[k]), max(north, lat[k])
        ends[row, 0], ends[row, 1], ends[row, 2], ends[row, 3] = west, east, south, north


@compiled
def _bucket(column: int, line: int, grid: Grid) -> int:
    """Where a cell's entries lie; several cells may share a bucket when there are very many cells."""
    if grid[5]:
        return line * grid[4] + column
    mixed = (column * 73856093) ^ (line * 19349663)
    return (mixed & 0x7FFFFFFFFFFFFFF) % grid[6]


@compiled
def count_entries(boxes: Ints, rows: Longs, grid: Grid) -> Longs:
    """How many entries each bucket gets from some rows."""
    counts = np.zeros(grid[6], dtype=np.int64)
    for row in rows:
        for line in range(
            (boxes[row, SOUTH] - grid[1]) >> grid[3], ((boxes[row, NORTH] - grid[1]) >> grid[3]) + 1
        ):
            for column in range(
                (boxes[row, WEST] - grid[0]) >> grid[2],
                ((boxes[row, EAST] - grid[0]) >> grid[2]) + 1,
            ):
                counts[_bucket(column, line, grid)] += 1
    return counts


@compiled
def fill_entries(boxes: Ints, rows: Longs, grid: Grid, at: Longs, entries: Ints) -> None:
    """Enter every row in each of its cells: its box, its number, the cell's column and line."""
    for row in rows:
        for line in range(
            (boxes[row, SOUTH] - grid[1]) >> grid[3], ((boxes[row, NORTH] - grid[1]) >> grid[3]) + 1
        ):
            for column in range(
                (boxes[row, WEST] - grid[0]) >> grid[2],
                ((boxes[row, EAST] - grid[0]) >> grid[2]) + 1,
            ):
                bucket = _bucket(column, line, grid)
                place = at[bucket]
                at[bucket] = place + 1
                for k in range(8):
                    entries[place, k] = boxes[row, k]
                entries[place, ROW], entries[place, COLUMN], entries[place, LINE] = (
                    row,
                    column,
                    line,
                )


@compiled
def turn_of(ax: int, ay: int, bx: int, by: int, cx: int, cy: int) -> int:
    """The sign of `plane.orient` in the flat chart, exact.

    Differences are below 2^39 (360 degrees). With q = 2^20 (qh) + ql each product is below 2^59, and
    p q - r s = 2^20 (p qh - r sh) + (p ql - r sl): its sign is that of the first, carried over.
    """
    p, q = bx - ax, cy - ay
    r, s = by - ay, cx - ax
    low = p * (q & _REST) - r * (s & _REST)
    high = p * (q >> _SPLIT) - r * (s >> _SPLIT) + (low >> _SPLIT)
    if high > 0:
        return 1
    if high < 0:
        return -1
    return 1 if (low & _REST) > 0 else 0


@compiled
def _holds(lon: Longs, lat: Longs, start: int, stop: int, x: int, y: int) -> bool:
    """Whether a ring holds a place that is not on it."""
    odd = False
    before = stop - 1
    for k in range(start, stop):
        if (lat[before] > y) != (lat[k] > y):
            up = lat[k] > lat[before]
            turn = turn_of(lon[before], lat[before], lon[k], lat[k], x, y)
            if (turn > 0) == up:
                odd = not odd
        before = k
    return odd


@compiled
def rings_meet(lon: Longs, lat: Longs, a0: int, a1: int, b0: int, b1: int, shared: Longs) -> int:
    """Whether two rings overlap or are apart; `CONTACT` when that takes a closer look.

    Args:
        shared: least and greatest longitude and latitude that both boxes have, shape (4,).
    """
    west, east, south, north = shared
    contact = False
    i = a1 - 1
    for i2 in range(a0, a1):
        ax, ay, bx, by = lon[i], lat[i], lon[i2], lat[i2]
        i = i2
        x0, x1, y0, y1 = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
        if x0 > east or x1 < west or y0 > north or y1 < south:
            continue
        j = b1 - 1
        for j2 in range(b0, b1):
            cx, cy, dx, dy = lon[j], lat[j], lon[j2], lat[j2]
            j = j2
            if min(cx, dx) > x1 or max(cx, dx) < x0 or min(cy, dy) > y1 or max(cy, dy) < y0:
                continue
            one = turn_of(ax, ay, bx, by, cx, cy) * turn_of(ax, ay, bx, by, dx, dy)
            if one > 0:
                continue
            two = turn_of(cx, cy, dx, dy, ax, ay) * turn_of(cx, cy, dx, dy, bx, by)
            if two > 0:
                continue
            if one < 0 and two < 0:
                return CROSSING
            contact = True
    if contact:
        return CONTACT
    if _holds(lon, lat, b0, b1, lon[a0], lat[a0]) or _holds(lon, lat, a0, a1, lon[b0], lat[b0]):
        return CROSSING
    return APART


@compiled
def sweep(
    all_entries: Ints,
    starts: Longs,
    grid: Grid,
    is_member: npt.NDArray[np.bool_],
    mixed: bool,
    bucket_from: int,
    bucket_until: int,
    lon: Longs,
    lat: Longs,
    first: Longs,
    thick: Longs,
    start: Longs,
    end: Longs,
    lower: Longs,
    upper: Longs,
    limits: tuple[int, int],
    fast: bool,
) -> tuple[Longs, Codes]:
    """The pairs of some buckets that are not clear, and the doubtful ones."""
    pairs = np.empty((1024, 2), dtype=np.int64)
    codes = np.empty(1024, dtype=np.int8)
    large = np.empty(0, dtype=np.int64)
    shared = np.empty(4, dtype=np.int64)
    most = 0
    for bucket in range(bucket_from, bucket_until):
        most = max(most, starts[bucket + 1] - starts[bucket])
    room_keys = np.empty(most, dtype=np.int64)
    entries = np.empty((most, 11), dtype=np.int32)
    count = 0
    for bucket in range(bucket_from, bucket_until):
        stop = starts[bucket + 1] - starts[bucket]
        if stop < 2:
            continue
        keys = room_keys[:stop]
        for k in range(stop):
            keys[k] = (np.int64(all_entries[starts[bucket] + k, FROM]) << 32) + k
        keys.sort()
        for k in range(stop):
            place = starts[bucket] + (keys[k] & 0xFFFFFFFF)
            for part in range(11):
                entries[k, part] = all_entries[place, part]
        if mixed:
            large = np.array([k for k in range(stop) if is_member[entries[k, ROW]]], dtype=np.int64)
            if len(large) == 0:
                continue
        next_large = 0
        for i in range(stop):
            until = entries[i, UNTIL]
            west, east, south, north = entries[i, 0], entries[i, 1], entries[i, 2], entries[i, 3]
            low, high = entries[i, LOW], entries[i, HIGH]
            only_large = mixed and not is_member[entries[i, ROW]]
            while next_large < len(large) and large[next_large] <= i:
                next_large += 1
            steps = len(large) - next_large if only_large else stop - i - 1
            for step in range(steps):
                j = large[next_large + step] if only_large else i + 1 + step
                if entries[j, FROM] > until:
                    break
                if entries[j, LOW] > high or entries[j, HIGH] < low:
                    continue
                if entries[j, WEST] > east or entries[j, EAST] < west:
                    continue
                if entries[j, SOUTH] > north or entries[j, NORTH] < south:
                    continue
                # one cell of those that both are in: that of the greater of the south-west corners
                column = (max(west, entries[j, WEST]) - grid[0]) >> grid[2]
                line = (max(south, entries[j, SOUTH]) - grid[1]) >> grid[3]
                if entries[i, COLUMN] != column or entries[i, LINE] != line:
                    continue
                if entries[j, COLUMN] != column or entries[j, LINE] != line:
                    continue
                a, b = entries[i, ROW], entries[j, ROW]
                height = max(lower[a] - upper[b], lower[b] - upper[a])
                time = max(start[a], start[b]) - min(end[a], end[b])
                if height > limits[0] or time > limits[1]:
                    continue
                code = DOUBT_CODE
                if fast and thick[a] == 0 and thick[b] == 0:
                    shared[0] = np.int64(max(west, entries[j, WEST])) << 8
                    shared[1] = (np.int64(min(east, entries[j, EAST])) + 1) << 8
                    shared[2] = np.int64(max(south, entries[j, SOUTH])) << 8
                    shared[3] = (np.int64(min(north, entries[j, NORTH])) + 1) << 8
                    met = rings_meet(
                        lon, lat, first[a], first[a + 1], first[b], first[b + 1], shared
                    )
                    if met == APART:
                        continue
                    if met == CROSSING:
                        equal = height == limits[0] or time == limits[1]
                        code = TOUCH_CODE if equal else CONFLICT_CODE
                if count == len(codes):
                    more = np.empty((2 * count, 2), dtype=np.int64)
                    more[:count] = pairs
                    pairs = more
                    longer = np.empty(2 * count, dtype=np.int8)
                    longer[:count] = codes
                    codes = longer
                pairs[count, 0], pairs[count, 1] = min(a, b), max(a, b)
                codes[count] = code
                count += 1
    return pairs[:count].copy(), codes[:count].copy()

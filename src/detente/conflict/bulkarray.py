"""What the loops of `bulkloop` do, with arrays alone: the way of `bulk` where there is no compiler."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detente.airspace.area import LON_MAX_NANODEG
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
    VolumeArrays,
)

Bools = npt.NDArray[np.bool_]

_AT_ONCE = 1 << 18  # pairs looked at together, and edges against edges
_SPLIT = 20
_REST = (1 << _SPLIT) - 1


def join(
    volumes: VolumeArrays,
    boxes: Ints,
    members: Longs,
    others: Longs,
    cell: tuple[int, int],
    limits: tuple[int, int],
    fast: bool,
) -> tuple[Longs, Codes]:
    """Pairs of which one at least is a member, and their codes; as `bulk._join`."""
    rows = np.concatenate([members, others])
    is_member = np.zeros(len(boxes), dtype=np.bool_)
    is_member[members] = True
    origin = boxes[rows, WEST].min(), boxes[rows, SOUTH].min()
    sides = [
        ((boxes[rows, low].astype(np.int64) - origin[k]) >> cell[k], high, k)
        for k, low, high in ((0, WEST, EAST), (1, SOUTH, NORTH))
    ]
    columns, lines = (
        ((boxes[rows, high].astype(np.int64) - origin[k]) >> cell[k]) - first + 1
        for first, high, k in sides
    )
    which = np.repeat(np.arange(len(rows)), columns * lines)
    within = np.arange(len(which)) - np.repeat(
        np.cumsum(columns * lines) - columns * lines, columns * lines
    )
    column = sides[0][0][which] + within % columns[which]
    line = sides[1][0][which] + within // columns[which]
    who = rows[which]
    order = np.lexsort((boxes[who, FROM], line, column))
    who, column, line = who[order], column[order], line[order]
    new = np.ones(len(who), dtype=np.bool_)
    new[1:] = (column[1:] != column[:-1]) | (line[1:] != line[:-1])
    cells = np.cumsum(new) - 1
    starts = np.concatenate([np.nonzero(new)[0], [len(who)]])
    # The entries of a cell are in order of start: those that start before an end follow each other.
    keys = (cells.astype(np.int64) << 32) + boxes[who, FROM]
    until = np.searchsorted(keys, (cells.astype(np.int64) << 32) + boxes[who, UNTIL], side="right")
    until = np.minimum(until, starts[cells + 1])
    steps = np.maximum(until - np.arange(len(who)) - 1, 0)
    found: list[tuple[Longs, Codes]] = [
        (np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int8))
    ]
    at, total = 0, np.cumsum(steps)
    while at < len(who):
        base = int(total[at - 1]) if at else 0
        stop = max(at + 1, int(np.searchsorted(total, base + _AT_ONCE)))
        i = np.repeat(np.arange(at, stop), steps[at:stop])
        j = (
            i
            + 1
            + np.arange(len(i))
            - np.repeat(total[at:stop] - steps[at:stop] - base, steps[at:stop])
        )
        a, b = who[i], who[j]
        one, two = boxes[a], boxes[b]
        hit = (is_member[a] | is_member[b]) & (one[:, LOW] <= two[:, HIGH])
        hit &= (two[:, LOW] <= one[:, HIGH]) & (one[:, WEST] <= two[:, EAST])
        hit &= (two[:, WEST] <= one[:, EAST]) & (one[:, SOUTH] <= two[:, NORTH])
        hit &= two[:, SOUTH] <= one[:, NORTH]
        west, south = (
            np.maximum(one[:, WEST], two[:, WEST]),
            np.maximum(one[:, SOUTH], two[:, SOUTH]),
        )
        hit &= ((west.astype(np.int64) - origin[0]) >> cell[0]) == column[i]
        hit &= ((south.astype(np.int64) - origin[1]) >> cell[1]) == line[i]
        found.append(_judge(volumes, a[hit], b[hit], limits, fast))
        at = stop
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def _judge(
    volumes: VolumeArrays, a: Longs, b: Longs, limits: tuple[int, int], fast: bool
) -> tuple[Longs, Codes]:
    height = np.maximum(volumes.lower[a] - volumes.upper[b], volumes.lower[b] - volumes.upper[a])
    time = np.maximum(volumes.start[a], volumes.start[b]) - np.minimum(
        volumes.end[a], volumes.end[b]
    )
    kept = (height <= limits[0]) & (time <= limits[1])
    a, b, height, time = a[kept], b[kept], height[kept], time[kept]
    codes = np.full(len(a), DOUBT_CODE, dtype=np.int8)
    sizes = np.diff(volumes.first)
    easy = (volumes.thick[a] == 0) & (volumes.thick[b] == 0) & (sizes[a] * sizes[b] <= _AT_ONCE)
    keep = np.ones(len(a), dtype=np.bool_)
    if fast and easy.any():
        rows = np.nonzero(easy)[0]
        rows = rows[np.lexsort((sizes[b[rows]], sizes[a[rows]]))]
        at = 0
        while at < len(rows):
            each = int(sizes[a[rows[-1]]]) * int(sizes[b[rows]].max())
            some = rows[at : at + max(1, _AT_ONCE // each)]
            crossing, contact = _rings_meet(volumes, a[some], b[some])
            equal = (height[some] == limits[0]) | (time[some] == limits[1])
            codes[some] = np.where(equal, TOUCH_CODE, CONFLICT_CODE)
            codes[some[contact & ~crossing]] = DOUBT_CODE
            keep[some[~contact & ~crossing]] = False
            at += len(some)
    pairs = np.stack([np.minimum(a, b), np.maximum(a, b)], axis=1)
    return pairs[keep], codes[keep]


def _rings_meet(volumes: VolumeArrays, a: Longs, b: Longs) -> tuple[Bools, Bools]:
    """Of many pairs of rings: whether they surely overlap, and whether some edges have a contact."""
    xa, ya, ua, va, real_a = _edges(volumes, a)
    xb, yb, ub, vb, real_b = _edges(volumes, b)
    p = [part[:, :, None] for part in (xa, ya, ua, va)]
    q = [part[:, None, :] for part in (xb, yb, ub, vb)]
    near = real_a[:, :, None] & real_b[:, None, :]
    near &= np.minimum(p[0], p[2]) <= np.maximum(q[0], q[2])
    near &= np.minimum(q[0], q[2]) <= np.maximum(p[0], p[2])
    near &= np.minimum(p[1], p[3]) <= np.maximum(q[1], q[3])
    near &= np.minimum(q[1], q[3]) <= np.maximum(p[1], p[3])
    pair, i, j = np.nonzero(near)
    ax, ay, bx, by = (part[pair, i] for part in (xa, ya, ua, va))
    cx, cy, dx, dy = (part[pair, j] for part in (xb, yb, ub, vb))
    one = _turns(ax, ay, bx, by, cx, cy) * _turns(ax, ay, bx, by, dx, dy)
    two = _turns(cx, cy, dx, dy, ax, ay) * _turns(cx, cy, dx, dy, bx, by)
    crossing, contact = np.zeros(len(a), dtype=np.bool_), np.zeros(len(a), dtype=np.bool_)
    crossing[pair[(one < 0) & (two < 0)]] = True
    contact[pair[(one <= 0) & (two <= 0)]] = True
    free = ~contact
    held = _held(xb, yb, ub, vb, real_b, xa[:, 0], ya[:, 0])
    held |= _held(xa, ya, ua, va, real_a, xb[:, 0], yb[:, 0])
    crossing |= free & held
    return crossing, contact


def _edges(volumes: VolumeArrays, rows: Longs) -> tuple[Longs, Longs, Longs, Longs, Bools]:
    """Ends of the edges of rings, shape (k, most), and which of them there are."""
    first, size = volumes.first[rows], np.diff(volumes.first)[rows]
    steps = np.arange(int(size.max()))
    real = steps < size[:, None]
    tails = first[:, None] + np.where(real, steps, 0)
    heads = first[:, None] + np.where(real, (steps + 1) % size[:, None], 0)
    return volumes.lon[tails], volumes.lat[tails], volumes.lon[heads], volumes.lat[heads], real


def _turns(ax: Longs, ay: Longs, bx: Longs, by: Longs, cx: Longs, cy: Longs) -> Codes:
    """`bulkloop.turn_of` for many."""
    p, q, r, s = bx - ax, cy - ay, by - ay, cx - ax
    low = p * (q & _REST) - r * (s & _REST)
    high = p * (q >> _SPLIT) - r * (s >> _SPLIT) + (low >> _SPLIT)
    signs: Codes = (np.sign(high) + (high == 0) * ((low & _REST) > 0)).astype(np.int8)
    return signs


def _held(x: Longs, y: Longs, u: Longs, v: Longs, real: Bools, px: Longs, py: Longs) -> Bools:
    """Whether each ring holds a place that is not on it."""
    qx, qy = px[:, None], py[:, None]
    spans = real & ((y > qy) != (v > qy))
    turns = _turns(x, y, u, v, np.broadcast_to(qx, x.shape), np.broadcast_to(qy, x.shape))
    odd: Bools = ((spans & ((turns > 0) == (v > y))).sum(axis=1) & 1).astype(np.bool_)
    return odd


assert 2 * LON_MAX_NANODEG < 1 << 39  # what `_turns` needs

"""The loops of `crowd`: which tracks come near which, and when. Compiled where there is a compiler.

`judge` is the filter in front of `encounter`: it answers where floating point is sure, by the bounds
below, and says `DOUBT` where it is not. What it answers is what `encounter` would.
"""

from __future__ import annotations

from math import floor, inf, sqrt

import numpy as np
import numpy.typing as npt

from detente.airspace.earth import MEAN_RADIUS_TENTH_MM
from detente.compiled import compiled

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Columns of what `crowd` makes of each track. Floats: at the instant from which to look.
X, Y, Z, VX, VY, VZ, NX, NY, NZ, LOW_X, LOW_Y, LOW_Z, HIGH_X, HIGH_Y, HIGH_Z, LOW_H, HIGH_H = range(
    17
)
FLOATS = 17
# Whole: height and room in 1e-6 of 0.1 mm, their change in 0.1 mm a second; the same of the lateral.
HEIGHT, CLIMB, ROOM, ROOM_GROWTH, REACH, REACH_GROWTH, DATUM, LEAST, MOST, PARTY = range(10)
WHOLES = 10

CLEAR, CONFLICT, CANNOT_TELL, DOUBT = 0, 1, 2, 3
ANSWERS = 8  # columns: rows of both, verdict, from, until, closest (us), lateral, vertical (0.1 mm)

# How far a distance in floats is from the exact one, 0.1 mm. A velocity is off by at most 2^-17 (its
# rounding) and 4e-8 (twenty roundings of 2^-53 of 2 km/s) on each axis; after 1,200 s of two tracks that
# is 0.033. A position is off by 2e-4 of its rounding. The vertical of the two is off by 1e-11 (its last
# coordinate is cut to a whole number), which over 450 km of height counts 0.045. An instant is off by
# 1e-9 s, which at 4 km/s counts 0.04. Together below 0.12.
FAR = 0.25
PART = 1e-14  # and the roundings of a squared length, as a part of it: some twenty of 2^-53
SPEED = 4e-5  # how far a closing speed is off, 0.1 mm a second
INSTANT = 1e-9  # and an instant that heights give, s
SLOW = 0.01  # where closing hardly beats growing, the deepest instant is not computed but bounded
_TWO_R = 2.0 * MEAN_RADIUS_TENTH_MM

Pair = tuple[
    float, float, float, float, float, float, float, float, float, float, float, float, float, float
]


@compiled
def lateral_sign(pair: Pair, at: float) -> int:
    """-1 where two tracks are surely too close laterally, 1 where surely not, else 0.

    Args:
        pair: closing (3), apart (3), both along the vertical (2), 1 / its square, chord, growth,
            tau (0 without), squared speed, length at the start.
        at: seconds.
    """
    vx, vy, vz, rx, ry, rz, vn, rn, per, chord, growth, tau, vv, start = pair
    qx, qy, qz, qn = rx + vx * at, ry + vy * at, rz + vz * at, rn + vn * at
    whole = qx * qx + qy * qy + qz * qz
    square = whole - qn * qn * per
    limit = chord + growth * at
    slack = whole * PART
    if tau > 0.0:
        along = qx * vx + qy * vy + qz * vz - qn * vn * per
        size, speed = sqrt(whole), sqrt(vv)
        slack += tau * (SPEED * size + FAR * speed + PART * (size + start) * speed)
        if along < 0.0:
            square += tau * along
    least = limit - FAR
    if least > 0.0 and square + slack < least * least:
        return -1
    if square - slack > (limit + FAR) * (limit + FAR):
        return 1
    return 0


@compiled
def _whole_ms(at: float, off: float, low: float, high: float) -> int:
    """The whole milliseconds at or before an instant that is off by at most `off`; -1 if that is open."""
    before = min(max(floor((at - off) * 1000.0), low), high)
    after = min(max(floor((at + off) * 1000.0), low), high)
    return int(before) if before == after else -1


@compiled
def _crossing(pair: Pair, at: float, side: int) -> float:
    """How far off an instant of coming in (1) or going out (-1) is at most, in seconds; -1 if that is open."""
    off = 2e-6
    for _ in range(3):
        if lateral_sign(pair, at - off) == side and lateral_sign(pair, at + off) == -side:
            return off
        off *= 10.0
    return -1.0


@compiled
def judge(
    a: Floats,
    b: Floats,
    i: Longs,
    j: Longs,
    minimum: int,
    tau: float,
    look_ahead: float,
    offsets: int,
    answer: Longs,
) -> int:
    """What two tracks are; fills `answer` from column 3 on where they are not clear.

    Args:
        a: floats of one, shape (17,).
        b: of the other.
        i: wholes of one, shape (10,).
        j: of the other.
        minimum: lateral, 0.1 mm.
        tau: seconds, 0 without.
        look_ahead: seconds.
        offsets: 0 for datums that are the same; 1 for surely, 2 for possibly too close in height.
        answer: shape (8,).
    """
    height = j[HEIGHT] - i[HEIGHT]
    climb = j[CLIMB] - i[CLIMB]
    room = i[ROOM] + j[ROOM]
    room_growth = i[ROOM_GROWTH] + j[ROOM_GROWTH]
    low, high = 0, 0
    if offsets > 0:
        low = (j[LEAST] - i[MOST]) * 1000000
        high = (j[MOST] - i[LEAST]) * 1000000
    first, last = 0.0, look_ahead
    # The ends that heights give, in whole milliseconds and whole numbers: often exactly on one.
    first_ms, last_ms = 0, int(look_ahead * 1000.0 + 0.5)
    for side in range(2):
        if side == 0:
            level = height + (high if offsets == 2 else low) + room
            slope = climb + room_growth
        else:
            level = -height - (low if offsets == 2 else high) + room
            slope = -climb + room_growth
        if slope == 0:
            if level <= 0:
                return CLEAR
        elif slope > 0:
            first = max(first, -(level * 1e-6) / slope)
            first_ms = max(first_ms, -level // (slope * 1000))
        else:
            last = min(last, -(level * 1e-6) / slope)
            last_ms = min(last_ms, -(-level // (-slope * 1000)))
    if last - first < -INSTANT:
        return CLEAR

    rx, ry, rz = b[X] - a[X], b[Y] - a[Y], b[Z] - a[Z]
    vx, vy, vz = b[VX] - a[VX], b[VY] - a[VY], b[VZ] - a[VZ]
    nx, ny, nz = a[NX] + b[NX], a[NY] + b[NY], a[NZ] + b[NZ]
    per = 1.0 / (nx * nx + ny * ny + nz * nz)
    rn = rx * nx + ry * ny + rz * nz
    vn = vx * nx + vy * ny + vz * nz
    whole = rx * rx + ry * ry + rz * rz
    rr = whole - rn * rn * per
    rv = rx * vx + ry * vy + rz * vz - rn * vn * per
    vv = vx * vx + vy * vy + vz * vz - vn * vn * per
    start, speed = sqrt(whole), sqrt(max(vv, 0.0))
    length = minimum + (i[REACH] + j[REACH] + 999999) // 1000000
    half = length / _TWO_R
    square = half * half
    chord = length * (
        1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0)))
    )
    growth = float(i[REACH_GROWTH] + j[REACH_GROWTH])
    steep = vv - growth * growth
    slope_b = rv - chord * growth
    level_c = rr - chord * chord
    passing = -rv / vv if vv > 0.0 else 0.0

    if tau > 0.0:
        if steep <= SLOW * vv and steep > -SLOW * vv:
            return DOUBT  # whether closing beats growing
        if steep <= 0.0 or vv <= 1.0:
            if vv <= 1.0:
                return DOUBT
            tau = 0.0
        elif rv * rv * PART < (SPEED * start + FAR * speed) ** 2 and abs(rv) <= (
            SPEED * start + FAR * speed + PART * start * speed
        ):
            return DOUBT  # whether they close at all
        elif rv > 0.0:
            tau = 0.0
        else:
            # the miss distance and what is allowed then; both may be far ahead
            qx, qy, qz = rx + vx * passing, ry + vy * passing, rz + vz * passing
            qn = rn + vn * passing
            miss = sqrt(max(qx * qx + qy * qy + qz * qz - qn * qn * per, 0.0))
            allowed = chord + growth * passing
            off = (
                FAR
                + (SPEED + growth * 1e-9) * passing
                + growth * (SPEED * start + FAR * speed) / vv
                + 1e-6 * sqrt(PART) * start
                + PART * start * start / max(miss, 1.0)
            )
            if abs(miss - allowed) <= 2.0 * off:
                return DOUBT
            if miss > allowed:
                tau = 0.0
    pair = (vx, vy, vz, rx, ry, rz, vn, rn, per, chord, growth, tau, vv, start)

    slow = False
    if tau > 0.0:
        deep = min(max(passing, first), last)
    elif growth == 0.0 or steep > SLOW * vv:
        deep = min(max(-slope_b / steep, first), last) if steep > 0.0 else first
    else:
        slow = True
        deep = first
        if (steep * last + 2.0 * slope_b) * last < (steep * first + 2.0 * slope_b) * first:
            deep = last
    side = lateral_sign(pair, deep)
    if side == 1:
        if not slow:
            return CLEAR
        # A line under g, between the ends of the window, is at most this much above it.
        wide = last - first
        bend = (max(steep, 0.0) + SPEED * 4.0 * speed + 1.0) * wide * wide / 4.0
        limit = chord + growth * deep + FAR
        qx, qy, qz, qn = rx + vx * deep, ry + vy * deep, rz + vz * deep, rn + vn * deep
        square = qx * qx + qy * qy + qz * qz
        if square * (1.0 - PART) - qn * qn * per - limit * limit > bend + 2.0 * FAR * wide * (
            growth + speed
        ):
            return CLEAR
        return DOUBT
    if side == 0 or last - first <= INSTANT:
        return DOUBT

    most = look_ahead * 1000.0
    entering = lateral_sign(pair, first)
    if entering == 0:
        return DOUBT
    if entering == -1:
        from_ms = first_ms
    else:
        line_b, line_c = slope_b, level_c
        if tau > 0.0:
            line_b, line_c = slope_b + 0.5 * tau * vv, level_c + tau * rv
        under = line_b * line_b - steep * line_c
        below = -line_b + sqrt(max(under, 0.0))
        if below <= 0.0:
            return DOUBT
        begin = line_c / below
        off = _crossing(pair, begin, 1)
        if off < 0.0:
            return DOUBT
        from_ms = _whole_ms(begin, off, 0.0, most)

    leaving = lateral_sign(pair, last)
    if leaving == 0:
        return DOUBT
    if leaving == -1:
        until_ms = last_ms
    else:
        under = slope_b * slope_b - steep * level_c
        root = sqrt(max(under, 0.0))
        if slope_b > 0.0 and slope_b + root > 0.0:
            end = -level_c / (slope_b + root)
        elif steep > 0.0:
            end = (-slope_b + root) / steep
        else:
            return DOUBT
        off = _crossing(pair, end, -1)
        if off < 0.0:
            return DOUBT
        # rounded up: the whole milliseconds before it, and one
        until_ms = _whole_ms(end, off, 0.0, most)
        if until_ms < 0 or (end - off) * 1000.0 <= until_ms:
            return DOUBT
        until_ms += 1
    if from_ms < 0 or until_ms < 0:
        return DOUBT

    off = inf
    if vv > 0.0:
        off = (SPEED * start + FAR * speed + PART * start * speed) / vv
    closest_ms = _whole_ms(passing, off, float(from_ms), float(until_ms)) if off < 1e6 else -1
    if closest_ms < 0:
        return DOUBT
    at = closest_ms * 0.001
    qx, qy, qz, qn = rx + vx * at, ry + vy * at, rz + vz * at, rn + vn * at
    whole = qx * qx + qy * qy + qz * qz
    lateral = sqrt(max(whole - qn * qn * per, 0.0))
    off = FAR + PART * whole / max(lateral, 1.0)
    grains = floor((lateral + off) * 0.001)
    if grains != floor(max(lateral - off, 0.0) * 0.001):
        return DOUBT
    level = height + climb * closest_ms * 1000
    least = max(max(level + low, -level - high), 0)
    answer[3] = from_ms * 1000
    answer[4] = until_ms * 1000
    answer[5] = closest_ms * 1000
    answer[6] = int(grains) * 1000
    answer[7] = least // 1000000000 * 1000
    return CONFLICT


@compiled
def judge_pair(
    a: Floats,
    b: Floats,
    i: Longs,
    j: Longs,
    minimum: int,
    tau: float,
    look_ahead: float,
    answer: Longs,
) -> int:
    """`judge`, once where datums are the same, else for certain and then for possibly."""
    if i[DATUM] == j[DATUM]:
        return judge(a, b, i, j, minimum, tau, look_ahead, 0, answer)
    found = judge(a, b, i, j, minimum, tau, look_ahead, 1, answer)
    if found != CLEAR:
        return found
    found = judge(a, b, i, j, minimum, tau, look_ahead, 2, answer)
    return CANNOT_TELL if found == CONFLICT else found


@compiled
def _store(
    floats: Floats,
    wholes: Longs,
    order: Longs,
    a: int,
    b: int,
    minimum: int,
    tau: float,
    look_ahead: float,
    answer: Longs,
) -> int:
    """Judges the tracks at two places, in the caller's order, and fills `answer`; 1 if they are not clear, else 0."""
    one, two = (a, b) if order[a] < order[b] else (b, a)
    found = judge_pair(
        floats[one], floats[two], wholes[one], wholes[two], minimum, tau, look_ahead, answer
    )
    if found == CLEAR:
        return 0
    answer[0] = order[one]
    answer[1] = order[two]
    answer[2] = found
    return 1


@compiled
def _grown(rows: Longs) -> Longs:
    more = np.empty((2 * rows.shape[0], rows.shape[1]), dtype=np.int64)
    more[: rows.shape[0]] = rows
    return more


@compiled
def crowd_cells(
    floats: Floats,
    wholes: Longs,
    order: Longs,
    cell: float,
    cells_most: int,
    minimum: int,
    tau: float,
    look_ahead: float,
    between: bool,
) -> tuple[Longs, int]:
    """All pairs that are not clear.

    Args:
        floats: of the tracks, sorted by `LOW_H`, shape (n, 17).
        wholes: of the tracks in the same order, shape (n, 10).
        order: which row of the caller's each is, shape (n,).
        cell: edge of a cell, 0.1 mm.
        cells_most: a track in more cells than that is compared with all others.
        minimum: lateral, 0.1 mm.
        tau: seconds.
        look_ahead: seconds.
        between: only pairs of two parties.

    Returns:
        Answers, shape (m, 8), verdict `DOUBT` where integers must decide; and how many pairs were judged.
    """
    n = len(order)
    ends = np.empty((n, 6), dtype=np.int64)
    wide = np.zeros(n, dtype=np.bool_)
    entries = 0
    wides = 0
    for place in range(n):
        row = floats[place]
        cells = 1
        for axis in range(3):
            ends[place, axis] = floor(row[LOW_X + axis] / cell)
            ends[place, 3 + axis] = floor(row[HIGH_X + axis] / cell)
            cells *= ends[place, 3 + axis] - ends[place, axis] + 1
        if cells > cells_most:
            wide[place] = True
            wides += 1
        else:
            entries += cells
    buckets = 1
    while buckets < 2 * entries:
        buckets *= 2
    starts = np.zeros(buckets + 1, dtype=np.int64)
    mask = buckets - 1
    for turn in range(2):
        if turn == 1:
            total = 0
            for bucket in range(buckets + 1):
                count = starts[bucket]
                starts[bucket] = total
                total += count
            held = np.empty(entries, dtype=np.int64)
            keys = np.empty(entries, dtype=np.int64)
        for place in range(n):
            if wide[place]:
                continue
            for x in range(ends[place, 0], ends[place, 3] + 1):
                for y in range(ends[place, 1], ends[place, 4] + 1):
                    for z in range(ends[place, 2], ends[place, 5] + 1):
                        bucket = (x * 73856093 ^ y * 19349663 ^ z * 83492791) & mask
                        if turn == 0:
                            starts[bucket] += 1
                        else:
                            at = starts[bucket]
                            held[at] = place
                            keys[at] = ((x + 1048576) << 42) | ((y + 1048576) << 21) | (z + 1048576)
                            starts[bucket] = at + 1
    answers = np.empty((1024, ANSWERS), dtype=np.int64)
    count = 0
    judged = 0
    # After filling, each bucket starts where the one before it ends.
    for bucket in range(buckets):
        begin = starts[bucket - 1] if bucket else 0
        end = starts[bucket]
        for first in range(begin, end):
            a = held[first]
            top = floats[a, HIGH_H]
            key = keys[first]
            for second in range(first + 1, end):
                b = held[second]
                if floats[b, LOW_H] > top:
                    break
                if keys[second] != key:
                    continue
                if (
                    floats[a, LOW_X] > floats[b, HIGH_X]
                    or floats[b, LOW_X] > floats[a, HIGH_X]
                    or floats[a, LOW_Y] > floats[b, HIGH_Y]
                    or floats[b, LOW_Y] > floats[a, HIGH_Y]
                    or floats[a, LOW_Z] > floats[b, HIGH_Z]
                    or floats[b, LOW_Z] > floats[a, HIGH_Z]
                ):
                    continue
                if between and wholes[a, PARTY] == wholes[b, PARTY]:
                    continue
                # Two tracks share cells; the one with the lowest corner of what they share judges.
                corner = (
                    ((max(ends[a, 0], ends[b, 0]) + 1048576) << 42)
                    | ((max(ends[a, 1], ends[b, 1]) + 1048576) << 21)
                    | (max(ends[a, 2], ends[b, 2]) + 1048576)
                )
                if corner != key:
                    continue
                judged += 1
                if count == answers.shape[0]:
                    answers = _grown(answers)
                count += _store(
                    floats, wholes, order, a, b, minimum, tau, look_ahead, answers[count]
                )
    if wides:
        for a in range(n):
            if not wide[a]:
                continue
            for b in range(n):
                if b == a or (wide[b] and b < a):
                    continue
                if floats[a, LOW_H] > floats[b, HIGH_H] or floats[b, LOW_H] > floats[a, HIGH_H]:
                    continue
                if between and wholes[a, PARTY] == wholes[b, PARTY]:
                    continue
                judged += 1
                if count == answers.shape[0]:
                    answers = _grown(answers)
                count += _store(
                    floats, wholes, order, a, b, minimum, tau, look_ahead, answers[count]
                )
    return answers[:count].copy(), judged

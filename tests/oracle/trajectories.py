"""Recorded tracks by exact rationals, written from docs/spec/trajectory-model.md alone; nothing of the engine is used.

Legs longer than 50 km are not cut here: cases keep below (`Beyond`), so that what is proved needs no more than
section 2's joining and section 3.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from oracle.earth import chord, point
from oracle.tracks import Below

GAP_US, SPEED = 600_000_000, 15_000_000
LONGEST = 500_000_000


class Beyond(Exception):
    """A leg that this oracle does not cut."""


def length_under(square: Fraction) -> int:
    """The greatest length whose chord is not above the root of a squared distance."""
    low, high = 0, 10**11
    while low < high:
        middle = (low + high + 1) // 2
        if Fraction(chord(middle), 65536) ** 2 <= square:
            low = middle
        else:
            high = middle - 1
    return low


def legs_of(points):
    """Legs of (time, lon, lat, alt): pairs of (time, place, alt) that are joined."""
    legs = []
    for one, two in pairwise(points):
        ends = [(time, point(lon, lat), alt) for time, lon, lat, alt in (one, two)]
        square = sum((p - q) ** 2 for p, q in zip(ends[0][1], ends[1][1], strict=True))
        lasts = two[0] - one[0]
        if lasts > GAP_US or square * 10**12 > (SPEED * lasts) ** 2:
            continue
        if square > LONGEST**2:
            raise Beyond(one, two)
        legs.append(tuple(ends))
    return legs


def meeting(one, two, lateral, vertical):
    """Section 3: (from, until, closest, lateral, vertical) of two legs, or None."""
    start, stop = max(one[0][0], two[0][0]), min(one[1][0], two[1][0])
    if stop <= start:
        return None
    lines = []
    for (t0, p0, z0), (t1, p1, z1) in (one, two):
        rates = [Fraction(b - a, t1 - t0) for a, b in zip((*p0, z0), (*p1, z1), strict=True)]
        lines.append(([a + r * (start - t0) for a, r in zip((*p0, z0), rates, strict=True)], rates))
    (here, speed), (there, other) = lines
    r = [b - a for a, b in zip(here, there, strict=True)]
    v = [b - a for a, b in zip(speed, other, strict=True)]
    height, climb = r.pop(), v.pop()
    low, high = Fraction(0), Fraction(stop - start)
    for level, slope in ((height + vertical, climb), (vertical - height, -climb)):
        if slope > 0:
            low = max(low, -level / slope)
        elif slope < 0:
            high = min(high, -level / slope)
        elif level <= 0:
            return None
    limit = Fraction(chord(lateral), 65536)
    rr = sum(p * p for p in r)
    rv = sum(p * q for p, q in zip(r, v, strict=True))
    vv = sum(p * p for p in v)
    found = Below(vv, rv, rr - limit * limit, low, high).ends(1)
    if found is None:
        return None
    closest = min(max(-rv / vv, low), high) if vv else low
    square = rr + 2 * rv * closest + vv * closest * closest
    return (
        start + found[0],
        start + found[1],
        start + min(closest.__floor__(), found[1] - 1),
        length_under(square),
        abs(height + climb * closest).__floor__(),
    )


def meetings(one, two, lateral, vertical):
    """Section 4: the conflicts of two tracks given as points, in order of time."""
    first, second = legs_of(one), legs_of(two)
    found = []
    at = 0
    for leg in first:
        while at < len(second) and second[at][1][0] <= leg[0][0]:
            at += 1
        for other in second[at:]:
            if other[0][0] >= leg[1][0]:
                break
            met = meeting(leg, other, lateral, vertical)
            if met is not None:
                found.append(met)
    joined = []
    for met in sorted(found):
        if joined and met[0] <= joined[-1][1]:
            was = joined[-1]
            nearest = min((was[3], was[2], was[4]), (met[3], met[2], met[4]))
            joined[-1] = (was[0], max(was[1], met[1]), nearest[1], nearest[0], nearest[2])
        else:
            joined.append(met)
    return joined

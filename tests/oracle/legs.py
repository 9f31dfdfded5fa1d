"""The slow oracle of trajectory-model.md: exact rationals, one instant at a time, nothing of the engine.

Written from the page; `oracle.earth` has the earth, its chords and the cutting of one.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise
from math import ceil, floor

from oracle.earth import chord, cut, nearest, point

GAP_US, SPEED = 600_000_000, 15_000_000
REACH = Fraction(chord(100_000_000_000), 65536)


def part_of(lateral):
    """T-LEG-3: how long a part may be for a lateral minimum, 0.1 mm."""
    return 100_000_000 if lateral < 18_520_000 else 500_000_000


def legs_of(points, part, gap_us=GAP_US, speed=SPEED):
    """Legs ((time, place, altitude), the same) of one track of (time, lon, lat, alt)."""
    found = []
    for one, two in pairwise(points):
        a, b = point(one[1], one[2]), point(two[1], two[2])
        square = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
        lasts = two[0] - one[0]
        if lasts > gap_us or square > Fraction(speed * lasts, 10**6) ** 2:
            continue
        if square > ceil(REACH**2):
            continue
        parts = 1
        while square and (parts * part) ** 2 < square:
            parts += 1
        places = cut(a, b, parts)
        cuts = []
        for i, place in enumerate(places):
            time, alt = (
                nearest(Fraction(one[k] * (parts - i) + two[k] * i, parts)) for k in (0, 3)
            )
            cuts.append((time, place, alt))
        found.extend(pairwise(cuts))
    return found


def _at(leg, time):
    (t0, p0, z0), (t1, p1, z1) = leg
    share = Fraction(time - t0) / (t1 - t0)
    return [Fraction(a) + (b - a) * share for a, b in zip(p0, p1, strict=True)], z0 + (
        z1 - z0
    ) * share


def _square(one, two, time):
    return sum((p - q) ** 2 for p, q in zip(_at(one, time)[0], _at(two, time)[0], strict=True))


def _height(one, two, time):
    return _at(one, time)[1] - _at(two, time)[1]


def meet_slowly(one, two, lateral, vertical):
    """The meeting of two legs as (from, until, closest, lateral, vertical), or None."""
    start, end = max(one[0][0], two[0][0]), min(one[1][0], two[1][0])
    if start >= end:
        return None
    limit = Fraction(chord(lateral) ** 2, 2**32)
    # where the heights are near enough: the ends of a line's stretch between -vertical and vertical
    low, high = Fraction(start), Fraction(end)
    at_start, at_end = _height(one, two, start), _height(one, two, end)
    if at_start == at_end:
        if not -vertical < at_start < vertical:
            return None
    else:
        rate = Fraction(at_end - at_start) / (end - start)
        crossings = sorted(start + (edge - at_start) / rate for edge in (-vertical, vertical))
        low, high = max(low, crossings[0]), min(high, crossings[1])
        if low >= high:
            return None
    # the least of a parabola through three instants
    f0, f1, f2 = (_square(one, two, t) for t in (start, Fraction(start + end, 2), end))
    second = f0 - 2 * f1 + f2
    closest = low
    if second:
        middle, half = Fraction(start + end, 2), Fraction(end - start, 2)
        closest = middle + half * (f0 - f2) / (2 * second)
        closest = min(max(closest, low), high)
    if _square(one, two, closest) >= limit:
        return None

    # The last whole microsecond at or before the beginning: of those before the closest instant, one
    # lies before the beginning if the heights are not near enough yet or the distance is not below.
    left, right = start, floor(closest) + 1
    while right - left > 1:
        middle = (left + right) // 2
        early = middle <= low or _square(one, two, middle) >= limit
        left, right = (middle, right) if early else (left, middle)
    begins = left
    left, right = ceil(closest) - 1, end
    while right - left > 1:
        middle = (left + right) // 2
        late = middle >= high or _square(one, two, middle) >= limit
        left, right = (left, middle) if late else (middle, right)
    ends = right
    square = _square(one, two, closest) * 2**32
    least, most = 0, 1
    while chord(most) ** 2 <= square:
        most *= 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if chord(middle) ** 2 <= square else (least, middle)
    return (
        begins,
        ends,
        min(floor(closest), ends - 1),
        least,
        floor(abs(_height(one, two, closest))),
    )


def conflicts_of(one, two, lateral, vertical, **rules):
    """All conflicts of two tracks given as points, (from, until, closest, lateral, vertical), in order of time."""
    first, second = (legs_of(points, part_of(lateral), **rules) for points in (one, two))
    meetings = []
    at = 0
    for leg in first:
        while at < len(second) and second[at][1][0] <= leg[0][0]:
            at += 1
        for other in second[at:]:
            if other[0][0] >= leg[1][0]:
                break
            met = meet_slowly(leg, other, lateral, vertical)
            if met is not None:
                meetings.append(met)
    joined: list[list[tuple[int, ...]]] = []
    latest = 0
    for meeting in sorted(meetings):
        if joined and meeting[0] <= latest:
            joined[-1].append(meeting)
            latest = max(latest, meeting[1])
        else:
            joined.append([meeting])
            latest = meeting[1]
    found = []
    for group in joined:
        best = min((m[3], m[2], m[4]) for m in group)
        found.append((group[0][0], max(m[1] for m in group), best[1], best[0], best[2]))
    return found


def conflicts_slowly(tracks, lateral, vertical, **rules):
    """All conflicts of {id: points} as sorted (a, b, from, until, closest, lateral, vertical)."""
    return [
        (a, b, *conflict)
        for a, b in combinations(sorted(tracks), 2)
        for conflict in conflicts_of(tracks[a], tracks[b], lateral, vertical, **rules)
    ]

"""The slow oracle of trajectory-model.md: exact rationals, one instant at a time, nothing shared with the engine.

Written from the page. Only `chord_of` and `earth_point` (airspace-model.md, 3 and 7) and the cutting of a
chord (4) are taken as given; they have oracles of their own.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise
from math import ceil, floor

from detente.airspace.earth import chord_of, earth_point
from detente.airspace.edge import cut_chord

GAP_US, SPEED = 600_000_000, 15_000_000
REACH = Fraction(chord_of(100_000_000_000), 65536)


def legs_of(points, part, gap_us=GAP_US, speed=SPEED):
    """Legs ((time, place, altitude), the same) of one track of (time, lon, lat, alt)."""
    found = []
    for one, two in pairwise(points):
        a, b = earth_point(one[1], one[2]), earth_point(two[1], two[2])
        square = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
        lasts = two[0] - one[0]
        if lasts > gap_us or square > Fraction(speed * lasts, 10**6) ** 2:
            continue
        if square > ceil(REACH**2):
            continue
        parts = 1
        while square and (parts * part) ** 2 < square:
            parts += 1
        places = [*cut_chord(a, b, parts), b]

        def between(k, i, parts=parts, one=one, two=two):
            value = Fraction(one[k] * (parts - i) + two[k] * i, parts)
            size = floor(abs(value) + Fraction(1, 2))
            return size if value >= 0 else -size

        cut = [(between(0, i), places[i], between(3, i)) for i in range(parts + 1)]
        found.extend(pairwise(cut))
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
    limit = Fraction(chord_of(lateral) ** 2, 2**32)
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
    nearest = low
    if second:
        middle, half = Fraction(start + end, 2), Fraction(end - start, 2)
        nearest = middle + half * (f0 - f2) / (2 * second)
        nearest = min(max(nearest, low), high)
    if _square(one, two, nearest) >= limit:
        return None

    # The last whole microsecond at or before the beginning: of those before the nearest instant, one
    # lies before the beginning if the heights are not near enough yet or the distance is not below.
    left, right = start, floor(nearest) + 1
    while right - left > 1:
        middle = (left + right) // 2
        early = middle <= low or _square(one, two, middle) >= limit
        left, right = (middle, right) if early else (left, middle)
    begins = left
    left, right = ceil(nearest) - 1, end
    while right - left > 1:
        middle = (left + right) // 2
        late = middle >= high or _square(one, two, middle) >= limit
        left, right = (left, middle) if late else (middle, right)
    ends = right
    square = _square(one, two, nearest) * 2**32
    least, most = 0, 1
    while chord_of(most) ** 2 <= square:
        most *= 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if chord_of(middle) ** 2 <= square else (least, middle)
    return (
        begins,
        ends,
        min(floor(nearest), ends - 1),
        least,
        floor(abs(_height(one, two, nearest))),
    )


def conflicts_slowly(tracks, lateral, vertical, part=500_000_000, **rules):
    """All conflicts of {id: points} as sorted (a, b, from, until, closest, lateral, vertical)."""
    legs = {name: legs_of(points, part, **rules) for name, points in tracks.items()}
    found = []
    for a, b in combinations(sorted(tracks), 2):
        meetings = sorted(
            met
            for one in legs[a]
            for two in legs[b]
            if (met := meet_slowly(one, two, lateral, vertical))
        )
        joined: list[list[tuple[int, ...]]] = []
        latest = 0
        for meeting in meetings:
            if joined and meeting[0] <= latest:
                joined[-1].append(meeting)
                latest = max(latest, meeting[1])
            else:
                joined.append([meeting])
                latest = meeting[1]
        for group in joined:
            best = min((m[3], m[2], m[4]) for m in group)
            found.append((a, b, group[0][0], max(m[1] for m in group), best[1], best[0], best[2]))
    return found

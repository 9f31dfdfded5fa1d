"""Where somebody on the way is at a time, and the nearest that two of them come to each other.

An edge of a moving volume is cut into the parts of `edge`; each part point is passed at its even share
of the edge's time, to the microsecond, and between two of them the centre moves evenly along the chord.
So the square of the distance of two centres is a convex quadratic in the two times, and its least over
the times allowed is found in closed form, exactly: inside, on a side, or at a corner of a polygon.
docs/spec/airspace-model.md, section 14, is the normative text.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import isqrt

import msgspec
import numpy as np

from detente.airspace.area import Circle, Corridor, LonLat, Moving
from detente.airspace.earth import Point, degrees_of, earth_point, round_ratio
from detente.airspace.edge import chord_point, cut_line
from detente.airspace.near import Budget, Floats, near_pairs

Leg = tuple[int, int, Point, Point]  # from, until, place then, place then
Corner = tuple[int, int]

LEG_PAIR_COST = 100  # of one exact least distance, in edge pairs
_SAMPLE = 64


class Span(msgspec.Struct, frozen=True):
    """Times from one to another, both included."""

    from_us: int
    until_us: int


class Nearest(msgspec.Struct, frozen=True):
    """The least squared distance of two centres, 0.1 mm squared, and where each then is."""

    square: Fraction
    place_a: Point
    place_b: Point


def place_at(moving: Moving, edges: str, time_us: int) -> LonLat:
    """Where the centre is, to 1e-9 degree: the even share of the edge that it is on.

    Args:
        moving: the volume.
        edges: the kind of its edges.
        time_us: within its times.

    Example:
        >>> place_at(Moving(((0, 0), (100, 50)), (0, 10), 1), "planar", 5)
        (50, 25)
    """
    times = moving.times_us
    i = min(max(bisect_right(times, time_us) - 1, 0), len(times) - 2)
    start, end = moving.points[i], moving.points[i + 1]
    share, whole = time_us - times[i], times[i + 1] - times[i]
    if share == 0 or start == end:
        return start
    if share == whole:
        return end
    if edges == "planar":
        return (
            round_ratio(start[0] * (whole - share) + end[0] * share, whole),
            round_ratio(start[1] * (whole - share) + end[1] * share, whole),
        )
    return degrees_of(chord_point(earth_point(*start), earth_point(*end), share, whole))


def swept(moving: Moving, edges: str, span: Span) -> Circle | Corridor:
    """All that is within the radius during some of its times: a corridor along that stretch of the way."""
    line = [place_at(moving, edges, span.from_us)]
    for time_us, point in zip(moving.times_us, moving.points, strict=True):
        if span.from_us < time_us < span.until_us and point != line[-1]:
            line.append(point)
    last = place_at(moving, edges, span.until_us)
    if last != line[-1]:
        line.append(last)
    if len(line) == 1:
        return Circle(line[0], moving.radius_tenth_mm)
    return Corridor(tuple(line), moving.radius_tenth_mm)


@lru_cache(maxsize=256)
def legs_of(moving: Moving, edges: str) -> tuple[tuple[Leg, ...], Floats, Floats]:
    """The straight stretches of the way, with boxes around each in x, y, z (0.1 mm) and time (us).

    Legs that take no time, because a very short part is passed within a microsecond, are left out.
    """
    legs: list[Leg] = []
    stops = list(zip(moving.times_us, moving.points, strict=True))
    for (from_us, start), (until_us, end) in pairwise(stops):
        if start == end:
            place = earth_point(*start)
            legs.append((from_us, until_us, place, place))
            continue
        line = cut_line((start, end), edges)
        count = len(line) - 1
        if not count:  # along a pole
            legs.append((from_us, until_us, line[0], line[0]))
        at = from_us
        for i, (p, q) in enumerate(pairwise(line), start=1):
            then = round_ratio(from_us * (count - i) + until_us * i, count)
            if then > at:
                legs.append((at, then, p, q))
            at = then
    ends = np.array([[(*p, a), (*q, b)] for a, b, p, q in legs], dtype=np.float64)
    return tuple(legs), ends.min(axis=1), ends.max(axis=1)


def nearest(
    a: tuple[Moving, str],
    b: tuple[Moving, str],
    spans: tuple[Span, Span],
    apart_us: int,
    budget: Budget,
    *,
    within: int | None = None,
    enough: Fraction | None = None,
) -> Nearest | None:
    """The least distance of two centres, at times of each that are no more than so long apart.

    Args:
        a: a moving volume and its kind of edges.
        b: another.
        spans: the times of each that count.
        apart_us: how far the two times may be apart; 0 is the same instant.
        budget: what the answer may cost.
        within: look no farther than this chord, 0.1 mm; None for as far as it takes.
        enough: stop at a square below this.

    Returns:
        The nearest, or None where nothing is within the chord, or no two times are near enough.

    Raises:
        TooMuchWork: the budget is spent.
    """
    legs_a, low_a, high_a = legs_of(*a)
    legs_b, low_b, high_b = legs_of(*b)
    reach = float(within + 1) if within is not None else _reach(legs_a, legs_b, spans, apart_us)
    # In the far future a time in floats is off by up to 32 us.
    pad = np.array([reach, reach, reach, float(apart_us) + 128.0])
    i, j = near_pairs(low_a - pad, high_a + pad, low_b, high_b, budget)
    best: Nearest | None = None
    for one, two in zip(i.tolist(), j.tolist(), strict=True):
        leg_a, leg_b = legs_a[one], legs_b[two]
        corners = _corners(leg_a, leg_b, spans, apart_us)
        if not corners:
            continue
        budget.spend(LEG_PAIR_COST)
        found = _least(leg_a, leg_b, corners)
        if best is None or found.square < best.square:
            best = found
            if enough is not None and best.square < enough:
                return best
    return best


def _reach(
    legs_a: tuple[Leg, ...], legs_b: tuple[Leg, ...], spans: tuple[Span, Span], apart_us: int
) -> float:
    """An upper bound of the least distance: that at some allowed pair of times."""
    lowest = max(spans[0].from_us, spans[1].from_us - apart_us)
    highest = min(spans[0].until_us, spans[1].until_us + apart_us)
    least = 2e11  # more than any two places on earth are apart
    for k in range(_SAMPLE + 1):
        time_a = lowest + (highest - lowest) * k // _SAMPLE
        time_b = min(max(time_a, spans[1].from_us), spans[1].until_us)
        if highest < lowest or abs(time_a - time_b) > apart_us:
            continue
        p, q = _at(legs_a, time_a), _at(legs_b, time_b)
        square = sum((x - y) ** 2 for x, y in zip(p, q, strict=True))
        least = min(least, float(isqrt(square) + 1))
    return least + 10.0


def _at(legs: tuple[Leg, ...], time_us: int) -> Point:
    k = max(0, bisect_right(legs, time_us, key=lambda leg: leg[0]) - 1)
    from_us, until_us, p, q = legs[k]
    share, whole = min(time_us, until_us) - from_us, until_us - from_us
    x, y, z = (
        round_ratio(u * (whole - share) + v * share, whole) for u, v in zip(p, q, strict=True)
    )
    return x, y, z


def _corners(leg_a: Leg, leg_b: Leg, spans: tuple[Span, Span], apart_us: int) -> list[Corner]:
    """The polygon of pairs of times (of a, of b) that count: a rectangle cut by two slanted lines."""
    a0, a1 = max(leg_a[0], spans[0].from_us), min(leg_a[1], spans[0].until_us)
    b0, b1 = max(leg_b[0], spans[1].from_us), min(leg_b[1], spans[1].until_us)
    if a0 > a1 or b0 > b1:
        return []
    corners = [(a0, b0), (a1, b0), (a1, b1), (a0, b1)]
    for sign in (1, -1):  # sign (ta - tb) <= apart
        kept: list[Corner] = []
        for p, q in zip(corners, corners[1:] + corners[:1], strict=True):
            over_p, over_q = sign * (p[0] - p[1]) - apart_us, sign * (q[0] - q[1]) - apart_us
            if over_p <= 0:
                kept.append(p)
            if over_p * over_q < 0:
                # Sides are level, upright or along the other line, so the corner is whole.
                if p[0] == q[0]:
                    kept.append((p[0], p[0] - sign * apart_us))
                else:
                    kept.append((p[1] + sign * apart_us, p[1]))
        corners = kept
        if not corners:
            return []
    return corners


def _least(leg_a: Leg, leg_b: Leg, corners: list[Corner]) -> Nearest:
    """The least over a polygon of times of |A(ta) - B(tb)|^2, exactly.

    Times the product W of the two durations, the difference is C + U x - V y with whole numbers, x
    and y the times since the legs began.
    """
    wa, wb = leg_a[1] - leg_a[0], leg_b[1] - leg_b[0]
    whole = wa * wb
    c = tuple((p - q) * whole for p, q in zip(leg_a[2], leg_b[2], strict=True))
    u = tuple((q - p) * wb for p, q in zip(leg_a[2], leg_a[3], strict=True))
    v = tuple((q - p) * wa for p, q in zip(leg_b[2], leg_b[3], strict=True))
    uu, vv, uv = _dot(u, u), _dot(v, v), _dot(u, v)
    cu, cv = _dot(c, u), _dot(c, v)
    det = uu * vv - uv * uv
    if det > 0:
        x, y = uv * cv - vv * cu, uu * cv - uv * cu  # over det
        if _holds(corners, x + leg_a[0] * det, y + leg_b[0] * det, det):
            return _nearest_at(leg_a, leg_b, Fraction(x, det), Fraction(y, det))
    best: tuple[Fraction, Fraction, Fraction] | None = None
    for p, q in zip(corners, corners[1:] + corners[:1], strict=True):
        x0, y0 = p[0] - leg_a[0], p[1] - leg_b[0]
        dx, dy = q[0] - p[0], q[1] - p[1]
        at = tuple(k + m * x0 - n * y0 for k, m, n in zip(c, u, v, strict=True))
        way = tuple(m * dx - n * dy for m, n in zip(u, v, strict=True))
        along, length = -_dot(at, way), _dot(way, way)
        share = Fraction(0)
        if length and along > 0:
            share = Fraction(1) if along >= length else Fraction(along, length)
        square = _dot(at, at) + share * share * length - 2 * share * along
        if best is None or square < best[0]:
            best = square, x0 + share * dx, y0 + share * dy
    assert best is not None
    return _nearest_at(leg_a, leg_b, best[1], best[2])


def _holds(corners: list[Corner], x: int, y: int, whole: int) -> bool:
    """Whether a convex polygon holds the place (x, y) / whole."""
    sides = set()
    for p, q in zip(corners, corners[1:] + corners[:1], strict=True):
        turn = (q[0] - p[0]) * (y - p[1] * whole) - (q[1] - p[1]) * (x - p[0] * whole)
        sides.add((turn > 0) - (turn < 0))
    if sides == {0}:  # a point, or a stretch of one line: left to its sides
        return False
    return not {1, -1} <= sides


def _nearest_at(leg_a: Leg, leg_b: Leg, x: Fraction, y: Fraction) -> Nearest:
    place_a, place_b = _along(leg_a, x), _along(leg_b, y)
    square = sum(((p - q) ** 2 for p, q in zip(place_a, place_b, strict=True)), Fraction(0))
    return Nearest(square, _rounded(place_a), _rounded(place_b))


def _along(leg: Leg, since: Fraction) -> tuple[Fraction, ...]:
    share = since / (leg[1] - leg[0])
    return tuple(p + (q - p) * share for p, q in zip(leg[2], leg[3], strict=True))


def _rounded(place: tuple[Fraction, ...]) -> Point:
    x, y, z = (round_ratio(part.numerator, part.denominator) for part in place)
    return x, y, z


def _dot(u: tuple[int, ...], v: tuple[int, ...]) -> int:
    return sum(p * q for p, q in zip(u, v, strict=True))

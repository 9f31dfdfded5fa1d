"""The verdict on two volumes by exact rationals, written from docs/spec/airspace-model.md alone.

Nothing of the engine is used. Whether two areas overlap is found another way than the engine's: both
are cut into upright strips at every vertex and crossing, and the stretches that each covers in the
middle of a strip are compared. On the globe the same is done in the plane onto which the earth's centre
projects (a plane through the centre becomes a straight line there). Slow, and plain to check by hand.
"""

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import isqrt

from oracle.earth import R, chord, cut, point, range_msl, rounded

CONFLICT, CANNOT_TELL, TOUCH, CLEAR = "conflict", "cannot-tell", "touch", "clear"
OVERLAPPING, TOUCHING, APART = 2, 1, 0
_QUARTER = 90 * 10**9


class Beyond(Exception):
    """A pair that this oracle does not judge: its cores do not fit into one half of the earth."""


def _dot(u, v):
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def _less(u, v):
    return (u[0] - v[0], u[1] - v[1], u[2] - v[2])


def edge_points(a, b, edges):
    """Section 4: the points of an edge, both ends included."""
    if edges == "planar":
        dx, dy = abs(b[0] - a[0]), abs(b[1] - a[1])
        count = max(
            1,
            isqrt(dx * (dx + 4 * dy) // (4 * 10**14)) + 1 if dx else 1,
            -(-max(dx, dy) // 50_000_000),
        )
        return [
            point(
                rounded(a[0] * (count - i) + b[0] * i, count),
                rounded(a[1] * (count - i) + b[1] * i, count),
            )
            for i in range(count + 1)
        ]
    one, two = point(*a), point(*b)
    c = _dot(_less(one, two), _less(one, two))
    count = isqrt(c - 1) // 100_000_000 + 1 if c else 1
    return cut(one, two, count)


class Core:
    """One core: ``kind`` point, line or area, and its chains of positions (rings closed)."""

    def __init__(self, kind, chains, edges):
        self.kind, self.chains, self.edges = kind, chains, edges
        self.has_flat = edges == "planar" or kind == "point"
        self.globe = []
        for chain in chains:
            line = [point(*chain[0])]
            for a, b in pairwise(chain):
                line.extend(edge_points(a, b, edges)[1:])
            self.globe.append([p for i, p in enumerate(line) if i == 0 or p != line[i - 1]])


def cores(piece):
    """The cores of a piece ``{"geometry", "edges", ...}`` in its canonical form, and their thickness."""
    shape, edges = piece["geometry"], piece["edges"]
    if shape["type"] == "circle":
        return [Core("point", [[tuple(shape["center"])]], edges)], shape["radius_tenth_mm"]
    if shape["type"] == "corridor":
        line = [tuple(p) for p in shape["points"]]
        return [Core("line", [line], edges)], shape["half_width_tenth_mm"]
    return [
        Core("area", [[tuple(p) for p in ring] for ring in rings], edges)
        for rings in shape["polygons"]
    ], 0


def _turn(o, a, b):
    value = (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
    return (value > 0) - (value < 0)


def _between(a, b, p):
    """Whether p, in line with a and b, lies on the stretch from a to b."""
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])


def _meet(a, b, c, d):
    """Whether two closed stretches have a point in common."""
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(turn == 0 and _between(*end) for turn, end in zip(turns, ends, strict=True))


def _stretches(chains):
    return [(a, b) for chain in chains for a, b in pairwise(chain) if a != b]


def _covered(stretches, left, right):
    """What rings cover on the upright line in the middle of a strip without vertices."""
    x = Fraction(left + right, 2)
    heights = sorted(
        a[1] + (b[1] - a[1]) * (x - a[0]) / Fraction(b[0] - a[0])
        for a, b in stretches
        if min(a[0], b[0]) <= left and right <= max(a[0], b[0])
    )
    return list(zip(heights[::2], heights[1::2], strict=True))


def _inside(stretches, p):
    """Whether a point is inside rings or on them."""
    if any(_turn(a, b, p) == 0 and _between(a, b, p) for a, b in stretches):
        return True
    odd = False
    for a, b in stretches:
        if (a[0] > p[0]) != (b[0] > p[0]):
            height = a[1] + (b[1] - a[1]) * Fraction(p[0] - a[0], b[0] - a[0])
            odd ^= height > p[1]
    return odd


def _overlap(one, two):
    """Whether the insides of two sets of rings have a point in common."""
    marks = {p[0] for ends in (*one, *two) for p in ends}
    for a, b in one:
        for c, d in two:
            if max(min(a[0], b[0]), min(c[0], d[0])) > min(max(a[0], b[0]), max(c[0], d[0])):
                continue
            if _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0:
                ab, cd, ac = (
                    (b[0] - a[0], b[1] - a[1]),
                    (d[0] - c[0], d[1] - c[1]),
                    (c[0] - a[0], c[1] - a[1]),
                )
                share = Fraction(ac[0] * cd[1] - ac[1] * cd[0], ab[0] * cd[1] - ab[1] * cd[0])
                marks.add(a[0] + share * ab[0])
    low = max(min(p[0] for ends in rings for p in ends) for rings in (one, two))
    high = min(max(p[0] for ends in rings for p in ends) for rings in (one, two))
    for left, right in pairwise(sorted(mark for mark in marks if low <= mark <= high)):
        mine, theirs = _covered(one, left, right), _covered(two, left, right)
        if any(max(a, c) < min(b, d) for a, b in mine for c, d in theirs):
            return True
    return False


def _relation(a, b, chains_a, chains_b):
    """Section 6 in one plane."""
    one, two = _stretches(chains_a), _stretches(chains_b)
    if a.kind == b.kind == "area" and _overlap(one, two):
        return OVERLAPPING
    if any(_meet(*s, *t) for s in one for t in two):
        return TOUCHING
    for area, rings, other in ((a, one, chains_b), (b, two, chains_a)):
        if area.kind == "area" and _inside(rings, other[0][0]):
            return TOUCHING
    return APART


def _projected(a, b):
    """The chains of two cores, seen from the centre of the earth on one plane."""
    vertices = [p for core in (a, b) for chain in core.globe for p in chain]
    middle = tuple(sum(axis) for axis in zip(*vertices, strict=True))
    if any(_dot(middle, p) <= 0 for p in vertices):
        raise Beyond
    long = max(range(3), key=lambda k: abs(middle[k]))
    east, north = ((long + 1) % 3, (long + 2) % 3)
    # any two axes beside the longest of the middle span the plane: straight lines stay straight
    place = lru_cache(maxsize=None)(
        lambda p: (Fraction(p[east], _dot(middle, p)), Fraction(p[north], _dot(middle, p)))
    )
    return tuple([[place(p) for p in chain] for chain in core.globe] for core in (a, b))


def relation(a, b):
    """How two cores lie: overlapping, touching or apart."""
    if not (a.has_flat and b.has_flat):
        return _relation(a, b, *_projected(a, b))
    found = _relation(a, b, a.chains, b.chains)
    if found == APART and a.kind == b.kind == "area":
        for turn in (-4 * _QUARTER, 4 * _QUARTER):
            edge = 2 * _QUARTER if turn > 0 else -2 * _QUARTER
            lons_a, lons_b = [p[0] for p in a.chains[0]], [p[0] for p in b.chains[0]]
            if edge in lons_a and -edge in lons_b:
                turned = [[(x + turn, y) for x, y in chain] for chain in b.chains]
                found = max(found, _relation(a, b, a.chains, turned))
        for pole in (-_QUARTER, _QUARTER):
            if all(any(p[1] == pole for p in core.chains[0]) for core in (a, b)):
                found = max(found, TOUCHING)
    return found


def _square_to_part(p, a, b):
    """Section 7."""
    ab, ap = _less(b, a), _less(p, a)
    u, w = _dot(ap, ab), _dot(ab, ab)
    if 0 < u < w:
        return max(
            Fraction(0), _dot(ap, ap) - Fraction(u * u, w) - Fraction(u * (w - u), 2 * R * w) ** 2
        )
    bp = _less(p, b)
    return Fraction(min(_dot(ap, ap), _dot(bp, bp)))


def square(a, b):
    """The squared distance of two cores that do not meet, 0.1 mm squared."""
    best = None
    for points, parts in ((a, b), (b, a)):
        for chain in parts.globe:
            ends = list(pairwise(chain)) or [(chain[0], chain[0])]
            for p in (p for line in points.globe for p in line):
                for c, d in ends:
                    # a part is no nearer than its nearer end less its length
                    found = _square_to_part(p, c, d)
                    best = found if best is None or found < best else best
    return best


def lateral(piece_a, piece_b, minimum):
    """Section 8: -1 below the minimum, 0 equal, 1 above."""
    cores_a, thick_a = cores(piece_a)
    cores_b, thick_b = cores(piece_b)
    length = thick_a + thick_b + minimum
    answer = 1
    for a in cores_a:
        for b in cores_b:
            found = relation(a, b)
            if found == OVERLAPPING or (found == TOUCHING and length > 0):
                return -1
            if found == TOUCHING:
                answer = 0
            elif length > 0:
                left, right = square(a, b) * (1 << 32), chord(length) ** 2
                if left < right:
                    return -1
                answer = min(answer, 0 if left == right else 1)
    return answer


def _vertical_gap(x, y, bounds):
    if x["datum"] == y["datum"]:
        exact = x["tenth_mm"] - y["tenth_mm"]
        return exact, exact
    (low_x, high_x), (low_y, high_y) = (
        range_msl(edge["tenth_mm"], edge["datum"], bounds) for edge in (x, y)
    )
    return low_x - high_y, high_x - low_y


def judge_pieces(a, b, minima, bounds, times):
    """Section 10, for two pieces in canonical form.

    Args:
        minima: (lateral, vertical, time).
        bounds: of the datums, by name.
        times: ((start, end) of a, (start, end) of b), microseconds.
    """
    time_gap = max(times[0][0], times[1][0]) - min(times[0][1], times[1][1])
    over = _vertical_gap(b["lower"], a["upper"], bounds)
    under = _vertical_gap(a["lower"], b["upper"], bounds)
    low, high = max(over[0], under[0]), max(over[1], under[1])
    if time_gap > minima[2] or low > minima[1]:
        return CLEAR
    found = lateral(a, b, minima[0])
    if found > 0:
        return CLEAR
    if time_gap == minima[2] or low == minima[1] or found == 0:
        return TOUCH
    return CONFLICT if high < minima[1] else CANNOT_TELL

"""Is the distance between two outlines below a length? Exact on the model of earth-centred points.

The distance from a surface point P to a part A-B is, squared,

    |AP|^2 - u^2 / w - (u (w - u) / (2 R w))^2      if 0 < u < w, u = AP.AB, w = |AB|^2
    the smaller of |AP|^2 and |BP|^2                otherwise

The last term takes out how far the chord A-B sags under the surface. The distance between two
outlines that do not cross is the least over the vertices of each and the parts of the other. It is
compared with the chord of a length, `earth.chord_of`; so no root is taken.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import numpy as np

from detente.airspace.earth import MEAN_RADIUS_TENTH_MM
from detente.airspace.near import Budget, Floats, Indices, near_pairs
from detente.airspace.outline import Outline
from detente.airspace.plane import Vector

# A squared distance in floats is off by at most some 20 roundings of the squares that it is made
# of: 20 * 2^-53 = 2.2e-15. A filter a few thousand times as wide costs nothing.
_FILTER = 1e-11
_FILTER_ABSOLUTE = 1e4  # (1 cm)^2, for the smallest shapes
_SAMPLE = 64


def compare_distance(a: Outline, b: Outline, chord: int, budget: Budget) -> int:
    """Whether two outlines that do not meet are nearer than a chord: -1 nearer, 0 equal, 1 farther.

    Args:
        a: an outline on the globe.
        b: another.
        chord: `earth.chord_of` a length: 2^-16 of 0.1 mm.
        budget: what the answer may cost.

    Raises:
        TooMuchWork: the budget is spent.
    """
    reach = float((chord >> 16) + 1)
    limit = float(chord) * float(chord) / 2.0**32
    sample = _sampled(a, b)
    if float(sample.min()) < limit - _FILTER * (float(sample.min()) + limit) - _FILTER_ABSOLUTE:
        return -1
    answer = 1
    for points, parts in ((a, b), (b, a)):
        i, j = _near(points, parts, reach, budget)
        if not len(i):
            continue
        square, scale = _squares(points, parts, i, j)
        error = _FILTER * (scale + limit) + _FILTER_ABSOLUTE
        if bool((square < limit - error).any()):
            return -1
        for row in np.nonzero(square <= limit + error)[0]:
            above, below = distance_square(points.vertices[i[row]], *_part(parts, int(j[row])))
            left, right = above << 32, chord * chord * below
            if left < right:
                return -1
            if left == right:
                answer = 0
    return answer


def least_distance(a: Outline, b: Outline, budget: Budget) -> tuple[Fraction, Vector, Vector]:
    """The exact least squared distance of two outlines that do not meet, and where it is.

    Returns:
        (square in 0.1 mm squared, place on a, place on b), places earth-centred.

    Raises:
        TooMuchWork: the budget is spent.
    """
    reach = float(isqrt(int(_sampled(a, b).min())) + 2)
    best: tuple[Fraction, Vector, Vector] | None = None
    for points, parts, swapped in ((a, b, False), (b, a, True)):
        i, j = _near(points, parts, reach, budget)
        if not len(i):
            continue
        square, scale = _squares(points, parts, i, j)
        error = _FILTER * scale + _FILTER_ABSOLUTE
        for row in np.nonzero(square - error <= (square + error).min())[0]:
            place = points.vertices[i[row]]
            part = _part(parts, int(j[row]))
            value = Fraction(*distance_square(place, *part))
            if best is None or value < best[0]:
                foot = _foot(place, *part)
                best = (value, foot, place) if swapped else (value, place, foot)
    if best is None:  # cannot be: the nearest sampled vertices are within reach of each other
        raise AssertionError("no vertex within reach of the other outline")
    return best


def distance_square(p: Vector, a: Vector, b: Vector) -> tuple[int, int]:
    """The squared distance of a place from a part as (numerator, denominator); never negative."""
    ab = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
    ap = (p[0] - a[0], p[1] - a[1], p[2] - a[2])
    direct = ap[0] * ap[0] + ap[1] * ap[1] + ap[2] * ap[2]
    u = ap[0] * ab[0] + ap[1] * ab[1] + ap[2] * ab[2]
    if u <= 0:
        return direct, 1
    w = ab[0] * ab[0] + ab[1] * ab[1] + ab[2] * ab[2]
    if u >= w:
        return direct - 2 * u + w, 1
    double = 4 * MEAN_RADIUS_TENTH_MM * MEAN_RADIUS_TENTH_MM
    above = double * w * (direct * w - u * u) - (u * (w - u)) ** 2
    return max(above, 0), double * w * w


def _foot(p: Vector, a: Vector, b: Vector) -> Vector:
    """The place of a part that is nearest to p, to 0.1 mm."""
    u = sum((p[k] - a[k]) * (b[k] - a[k]) for k in range(3))
    w = sum((b[k] - a[k]) ** 2 for k in range(3))
    if u <= 0 or w == 0:
        return a
    if u >= w:
        return b
    return (
        a[0] + (b[0] - a[0]) * u // w,
        a[1] + (b[1] - a[1]) * u // w,
        a[2] + (b[2] - a[2]) * u // w,
    )


def _part(outline: Outline, index: int) -> tuple[Vector, Vector]:
    """A part by number; a lone point is a part of no length."""
    if len(outline.tails):
        return outline.edge(index)
    return outline.vertices[index], outline.vertices[index]


def _sampled(a: Outline, b: Outline) -> Floats:
    """Squared distances between some vertices of each: every one an upper bound of the least."""
    some_a = a.array[:: -(-len(a.array) // _SAMPLE)]
    some_b = b.array[:: -(-len(b.array) // _SAMPLE)]
    gap = some_a[:, None, :] - some_b[None, :, :]
    square: Floats = gap[..., 0] ** 2 + gap[..., 1] ** 2 + gap[..., 2] ** 2
    return square


def _near(points: Outline, parts: Outline, reach: float, budget: Budget) -> tuple[Indices, Indices]:
    low, high = points.array - reach, points.array + reach
    if len(parts.tails):
        return near_pairs(low, high, parts.low, parts.high, budget)
    return near_pairs(low, high, parts.array - 1.0, parts.array + 1.0, budget)


def _squares(points: Outline, parts: Outline, i: Indices, j: Indices) -> tuple[Floats, Floats]:
    """Squared distances in floats, and the size of the squares they are made of."""
    p = points.array[i]
    if len(parts.tails):
        a, b = parts.array[parts.tails[j]], parts.array[parts.heads[j]]
    else:
        a = b = parts.array[j]
    ab, ap = b - a, p - a
    direct = ap[:, 0] ** 2 + ap[:, 1] ** 2 + ap[:, 2] ** 2
    w = ab[:, 0] ** 2 + ab[:, 1] ** 2 + ab[:, 2] ** 2
    u = ap[:, 0] * ab[:, 0] + ap[:, 1] * ab[:, 1] + ap[:, 2] * ab[:, 2]
    t = np.clip(u / np.maximum(w, 1.0), 0.0, 1.0)
    sag = t * (1.0 - t) * w / (2.0 * MEAN_RADIUS_TENTH_MM)
    square: Floats = direct - 2.0 * t * u + t * t * w - sag * sag
    return square, direct + w

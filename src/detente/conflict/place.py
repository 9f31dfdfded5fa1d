"""One place that stands for a meeting, and the lateral gap there; exact and the same on both sides."""

from __future__ import annotations

from itertools import islice
from math import isqrt

from detente.airspace.earth import MEAN_RADIUS_TENTH_MM, degrees_of, length_of, round_ratio
from detente.airspace.near import Budget, near_pairs
from detente.airspace.outline import Outline
from detente.airspace.overlap import APART, OVERLAP
from detente.airspace.plane import Vector, cross, dot, orient
from detente.airspace.reach import least_distance
from detente.airspace.shape import Part, Shape, compare_lateral, meet_parts

_SOME = 64  # vertices and crossings looked at on each side; a place is for orientation on a map


def find_place(
    a: Shape, b: Shape, minimum_tenth_mm: int, budget: Budget
) -> tuple[tuple[int, int], int]:
    """A place of the meeting of two shapes, and their lateral gap.

    Args:
        a: a shape.
        b: another, whose lateral gap is not above the minimum.
        minimum_tenth_mm: the agreed one.
        budget: what the answer may cost.

    Returns:
        ((longitude, latitude) in 1e-9 degree, gap in 0.1 mm). The gap is negative on overlap; how
        deep two areas overlap is not measured.
    """
    part_a, part_b = _meeting_parts(a, b, minimum_tenth_mm, budget)
    thick = a.thick_tenth_mm + b.thick_tenth_mm
    met = meet_parts(part_a, part_b, budget)
    if met != APART:
        return _common_place(part_a, part_b, budget), -thick - (1 if met == OVERLAP else 0)
    square, near_a, near_b = least_distance(part_a.globe, part_b.globe, budget)
    share, whole = (a.thick_tenth_mm, thick) if thick else (1, 2)
    x, y, z = (
        round_ratio(near_a[k] * (whole - share) + near_b[k] * share, whole) for k in range(3)
    )
    return degrees_of((x, y, z)), length_of(square.numerator, square.denominator) - thick


def _meeting_parts(a: Shape, b: Shape, minimum_tenth_mm: int, budget: Budget) -> tuple[Part, Part]:
    """The first parts of two shapes that meet, in the order of the parts."""
    if len(a.parts) == 1 == len(b.parts):
        return a.parts[0], b.parts[0]
    length = a.thick_tenth_mm + b.thick_tenth_mm + minimum_tenth_mm
    low, high = a.boxes
    rows = near_pairs(low - length, high + length, *b.boxes, budget)
    best: tuple[int, int] | None = None
    for i, j in zip(rows[0].tolist(), rows[1].tolist(), strict=True):
        found = compare_lateral(a.only(i), b.only(j), minimum_tenth_mm, budget)
        if found < 0:
            return a.parts[i], b.parts[j]
        if found == 0 and best is None:
            best = (i, j)
    return (a.parts[best[0]], b.parts[best[1]]) if best else (a.parts[0], b.parts[0])


def _common_place(a: Part, b: Part, budget: Budget) -> tuple[int, int]:
    """The middle of the places two meeting cores have in common, if it is one of them itself."""
    flat = a.has_flat and b.has_flat
    one, two = (a.flat, b.flat) if flat else (a.globe, b.globe)
    places = [*_within(one, two, budget), *_within(two, one, budget), *_crossings(one, two, budget)]
    if not places:  # they meet where neither crosses nor contains the other, such as in one vertex
        _, near_a, near_b = least_distance(a.globe, b.globe, budget)
        x, y, z = (round_ratio(near_a[k] + near_b[k], 2) for k in range(3))
        return degrees_of((x, y, z))
    count = len(places)
    x, y, z = (round_ratio(sum(place[k] for place in places), count) for k in range(3))
    middle: Vector = (x, y, 1 if flat else z)
    if any(outline.closed and _side(outline, middle, budget) < 0 for outline in (one, two)):
        middle = min(
            places
        )  # any of them will do, but it must not depend on which side comes first
    return (middle[0], middle[1]) if flat else degrees_of(middle)


def _within(inner: Outline, outer: Outline, budget: Budget) -> list[Vector]:
    if not outer.closed:
        return []
    step = -(-len(inner.vertices) // _SOME)
    return [p for p in inner.vertices[::step] if _side(outer, p, budget) >= 0]


def _side(outline: Outline, place: Vector, budget: Budget) -> int:
    budget.spend(len(outline.tails))
    return outline.side_of(place)


def _crossings(a: Outline, b: Outline, budget: Budget) -> list[Vector]:
    """Some of the places where edges cross, to 1e-9 degree or 0.1 mm."""
    if not len(a.tails) or not len(b.tails):
        return []
    rows = near_pairs(a.low, a.high, b.low, b.high, budget)
    found = (
        _crossing(a.edge(i), b.edge(j), flat=a.flat)
        for i, j in zip(rows[0].tolist(), rows[1].tolist(), strict=True)
    )
    return list(islice((place for place in found if place is not None), _SOME))


def _crossing(
    one: tuple[Vector, Vector], two: tuple[Vector, Vector], *, flat: bool
) -> Vector | None:
    sides = orient(*one, two[0]) * orient(*one, two[1]), orient(*two, one[0]) * orient(*two, one[1])
    if sides[0] >= 0 or sides[1] >= 0:
        return None
    place = cross(cross(*one), cross(*two))
    if flat:
        x, y, w = place if place[2] > 0 else (-place[0], -place[1], -place[2])
        return round_ratio(x, w), round_ratio(y, w), 1
    if dot(place, one[0]) < 0:
        place = (-place[0], -place[1], -place[2])
    size = isqrt(dot(place, place))
    x, y, z = (round_ratio(part * MEAN_RADIUS_TENTH_MM, size) for part in place)
    return x, y, z

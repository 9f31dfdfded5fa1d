"""How far is a position from a shape, and where is the middle of some shapes? Whole 0.1 mm, the same on every machine.

The lengths are those of `earth`: along the surface, from the chord between two earth-centred points.
docs/spec/airspace-model.md is the normative text of the parts.
"""

from __future__ import annotations

from collections.abc import Sequence

from detente.airspace.area import Circle, Geometry, LonLat, Moving, positions
from detente.airspace.earth import Point, degrees_of, earth_point, length_of
from detente.airspace.near import Budget
from detente.airspace.overlap import APART
from detente.airspace.reach import least_distance
from detente.airspace.shape import Part, Shape, meet_parts, middle_of


def distance_between(one: LonLat, other: LonLat) -> int:
    """The surface distance of two positions, 0.1 mm; at most 10,000 km.

    Example:
        >>> distance_between((0, 0), (0, 1_000_000_000)) // 10_000  # metres of a degree of latitude
        110574
    """
    return _length(earth_point(*one), earth_point(*other))


def distance_to(position: LonLat, shape: Shape, budget: Budget) -> int:
    """The surface distance of a position from a shape, 0.1 mm: 0 inside and on its edge.

    Args:
        position: longitude and latitude, 1e-9 degree.
        shape: of a geometry that `rules.check_geometry` has passed.
        budget: what the answer may cost.

    Raises:
        TooMuchWork: the budget is spent.
    """
    point = Part(((position,),), closed=False, edges="planar")
    least: int | None = None
    for part in shape.parts:
        if meet_parts(point, part, budget) != APART:
            return 0
        square, _, _ = least_distance(point.globe, part.globe, budget)
        length = length_of(square.numerator, square.denominator) - shape.thick_tenth_mm
        least = length if least is None else min(least, length)
    return max(0, least or 0)


def middle_and_radius(geometries: Sequence[Geometry]) -> tuple[LonLat, int]:
    """The middle of some geometries, and a radius around it that holds all of them.

    The middle is the mean of their corners (of a circle, its centre) as earth-centred points, carried
    to the surface; so neither the antimeridian nor a pole is a special place. The radius, 0.1 mm,
    reaches the farthest corner, half widths and radii included.
    """
    corners = [
        (earth_point(*position), _thickness(geometry))
        for geometry in geometries
        for position in sorted(set(positions(geometry)))
    ]
    first = corners[0][0]
    if all(point == first for point, _ in corners):
        return next(positions(geometries[0])), max(thick for _, thick in corners)
    middle = degrees_of(middle_of([point for point, _ in corners]))
    at = earth_point(*middle)
    return middle, max(_length(at, point) + thick for point, thick in corners)


def _thickness(geometry: Geometry) -> int:
    if isinstance(geometry, Circle | Moving):
        return geometry.radius_tenth_mm
    return int(getattr(geometry, "half_width_tenth_mm", 0))


def _length(one: Point, other: Point) -> int:
    return length_of(sum((b - a) ** 2 for a, b in zip(one, other, strict=True)), 1)

"""A geometry moved sideways as a whole: every position by one rotation of the earth's verticals.

A position is the vertical that stands on it. Turning all verticals about one axis keeps the angles
between them, so an outline keeps its form, and neither a pole nor the antimeridian is a special
place. docs/spec/advice.md, section 7, is the normative text.
"""

from __future__ import annotations

from functools import lru_cache

from detente.airspace.area import Area, Circle, Corridor, Geometry, LonLat, Moving
from detente.airspace.earth import (
    ONE,
    Point,
    Q,
    degrees_of_normal,
    round_ratio,
    sine_cosine,
)
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_NM

ARC_TENTH_MM = 60 * TENTH_MM_PER_NM  # of one degree: a nautical mile is a minute of arc


class Rotation:
    """The rotation that takes one position some way in one direction.

    Args:
        pivot: the position, 1e-9 degree.
        bearing_nanodeg: the direction at it, clockwise from true north.
        distance_tenth_mm: how far, a minute of arc to the nautical mile.
    """

    def __init__(self, pivot: LonLat, bearing_nanodeg: int, distance_tenth_mm: int) -> None:
        angle = round_ratio(distance_tenth_mm * NANODEG_PER_DEG, ARC_TENTH_MM)
        sine, cosine = sine_cosine(angle)
        up = normal_of(pivot)
        toward = horizontal_of(pivot, bearing_nanodeg)
        # Rodrigues: what lies in the plane of `up` and `toward` turns from one to the other.
        self.matrix: tuple[Point, ...] = tuple(
            (
                _entry(i, 0, up, toward, sine, cosine),
                _entry(i, 1, up, toward, sine, cosine),
                _entry(i, 2, up, toward, sine, cosine),
            )
            for i in range(3)
        )

    def apply(self, position: LonLat) -> LonLat:
        """Where a position comes to lie.

        Example:
            >>> Rotation((0, 0), 90_000_000_000, 60 * 18_520_000).apply((179_500_000_000, 0))
            (-179500000000, 0)
        """
        x, y, z = normal_of(position)
        one, two, three = self.matrix
        return degrees_of_normal(
            (
                one[0] * x + one[1] * y + one[2] * z,
                two[0] * x + two[1] * y + two[2] * z,
                three[0] * x + three[1] * y + three[2] * z,
            )
        )

    def apply_to(self, geometry: Geometry) -> Geometry:
        """The geometry with every position moved; sizes stay. Its rules are not checked."""
        if isinstance(geometry, Circle):
            return Circle(self.apply(geometry.center), geometry.radius_tenth_mm)
        if isinstance(geometry, Corridor):
            return Corridor(tuple(map(self.apply, geometry.points)), geometry.half_width_tenth_mm)
        if isinstance(geometry, Moving):
            moved_points = tuple(map(self.apply, geometry.points))
            return Moving(moved_points, geometry.times_us, geometry.radius_tenth_mm)
        return Area(
            tuple(
                tuple(
                    (*moved, moved[0])
                    for moved in (tuple(map(self.apply, ring[:-1])) for ring in rings)
                )
                for rings in geometry.polygons
            )
        )


@lru_cache(maxsize=4096)
def normal_of(position: LonLat) -> Point:
    """The vertical at a position, a vector of length 2^80."""
    sin_lon, cos_lon = sine_cosine(position[0])
    sin_lat, cos_lat = sine_cosine(position[1])
    return round_ratio(cos_lat * cos_lon, ONE), round_ratio(cos_lat * sin_lon, ONE), sin_lat


def horizontal_of(position: LonLat, bearing_nanodeg: int) -> Point:
    """The horizontal vector of length 2^80 at a position that points in a direction."""
    sin_lon, cos_lon = sine_cosine(position[0])
    sin_lat, cos_lat = sine_cosine(position[1])
    sin_way, cos_way = sine_cosine(bearing_nanodeg)
    return (
        round_ratio(-sin_lat * cos_lon * cos_way - (sin_lon * sin_way << Q), ONE << Q),
        round_ratio(-sin_lat * sin_lon * cos_way + (cos_lon * sin_way << Q), ONE << Q),
        round_ratio(cos_lat * cos_way, ONE),
    )


def _entry(i: int, j: int, up: Point, toward: Point, sine: int, cosine: int) -> int:
    across = toward[i] * up[j] - up[i] * toward[j]
    along = up[i] * up[j] + toward[i] * toward[j]
    return (ONE if i == j else 0) + round_ratio(sine * across + (cosine - ONE) * along, ONE << Q)

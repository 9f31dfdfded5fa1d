"""Distances of a position, against an independent geodesic."""

from __future__ import annotations

import pytest
from pygeodesy.ellipsoidalExact import LatLon

from detente.airspace.area import Area, Circle, Corridor
from detente.airspace.distance import distance_between, distance_to, middle_and_radius
from detente.airspace.near import Budget
from detente.airspace.shape import Shape
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M

N = NANODEG_PER_DEG
PLACES = [(35, 35), (36, 35.5), (-70, -40), (179.5, 10), (-179.5, 10), (0, 89), (20, 40)]


@pytest.mark.parametrize("one", PLACES)
@pytest.mark.parametrize("km", [1, 10, 100])
def test_distance_between_positions_is_the_geodesic_within_a_decimetre(
    one: tuple[float, float], km: int
) -> None:
    """The chord is exact on the ellipsoid; only its arc is taken from the mean radius, 10 cm at 100 km."""
    start = LatLon(one[1], one[0])
    for bearing in (0, 45, 90, 200):
        end = start.destination(km * 1000, bearing)
        found = distance_between(
            (round(one[0] * N), round(one[1] * N)), (round(end.lon * N), round(end.lat * N))
        )
        assert abs(found / TENTH_MM_PER_M - km * 1000) < 0.1


def test_distance_between_is_symmetric_and_nought_for_the_same() -> None:
    """From either side it is one number."""
    a, b = (35 * N, 35 * N), (-120 * N, 10 * N)
    assert distance_between(a, b) == distance_between(b, a)
    assert distance_between(a, a) == 0


def test_distance_to_a_circle_is_that_to_its_centre_less_its_radius() -> None:
    """Inside and on the edge it is nought."""
    circle = Shape(Circle((35 * N, 35 * N), 10_000 * TENTH_MM_PER_M), "planar")
    budget = Budget(10**6)
    for off in (0, N // 100, N // 10, N):
        place = (35 * N, 35 * N + off)
        whole = distance_between(place, (35 * N, 35 * N))
        assert distance_to(place, circle, budget) == max(0, whole - 10_000 * TENTH_MM_PER_M)


def test_distance_to_an_area_with_a_hole_counts_from_the_hole() -> None:
    """What is cut out of an area is not in it."""

    def ring(half: int) -> tuple[tuple[int, int], ...]:
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
        return tuple((35 * N + x * half, 35 * N + y * half) for x, y in signs)

    shape = Shape(Area(((ring(N), ring(N // 2)),)), "planar")
    budget = Budget(10**6)
    assert distance_to((35 * N + 3 * N // 4, 35 * N), shape, budget) == 0
    middle = distance_to((35 * N, 35 * N), shape, budget)
    assert 45_000 < middle / TENTH_MM_PER_M < 46_000


def test_middle_and_radius_hold_every_corner() -> None:
    """The radius reaches each corner and its thickness; one circle is its own middle and radius."""
    circle = Circle((35 * N, 35 * N), 7)
    assert middle_and_radius([circle]) == ((35 * N, 35 * N), 7)
    corridor = Corridor(((36 * N, 36 * N), (37 * N, 36 * N)), 50_000)
    middle, radius = middle_and_radius([circle, corridor])
    for corner, thick in (((35 * N, 35 * N), 7), ((37 * N, 36 * N), 50_000)):
        assert distance_between(middle, corner) + thick <= radius


def test_middle_across_the_antimeridian_is_on_it() -> None:
    """There is no seam at 180 degrees."""
    middle, _ = middle_and_radius([Circle((179 * N, 0), 1), Circle((-179 * N, 0), 1)])
    assert abs(abs(middle[0]) - 180 * N) < 100

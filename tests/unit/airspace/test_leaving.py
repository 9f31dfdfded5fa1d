"""The way out of an area: never understated, and in the right direction."""

from __future__ import annotations

from math import cos, radians

import pytest

from detente.airspace.area import Area, Circle, Geometry
from detente.airspace.drawing import draw_geometries
from detente.airspace.leaving import WayOut, way_out
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_NM

NM_M = 1852
LAT = 35.0


def circle(east_nm: float, north_nm: float, radius_nm: float) -> Geometry:
    """A circle at a place given in nautical miles from 35 N 0 E."""
    lat = LAT + north_nm / 60
    lon = east_nm / 60 / cos(radians(LAT))
    return Circle(
        (round(lon * NANODEG_PER_DEG), round(lat * NANODEG_PER_DEG)),
        round(radius_nm * TENTH_MM_PER_NM),
    )


def square(half_nm: float, hole_nm: float = 0) -> Geometry:
    """A square around 35 N 0 E, with a hole or without."""
    rings = []
    for half in (half_nm, hole_nm):
        if half:
            x, y = half / 60 / cos(radians(LAT)), half / 60
            corners = [(-x, -y), (x, -y), (x, y), (-x, y), (-x, -y)]
            rings.append(
                tuple(
                    (round(lon * NANODEG_PER_DEG), round((LAT + lat) * NANODEG_PER_DEG))
                    for lon, lat in corners
                )
            )
    return Area((tuple(rings),))


def out(inside: Geometry, of: Geometry, margin_nm: float = 3) -> WayOut:
    """The way out, margins in nautical miles."""
    ours, theirs = draw_geometries([(inside, "planar"), (of, "planar")])
    return way_out([ours], [theirs], margin_nm * NM_M)


def test_way_from_a_point_outside_is_what_the_margin_lacks() -> None:
    """20 NM outside and 50 to keep: 30 to go, straight away from it."""
    found = out(circle(26, 0, 1), circle(0, 0, 5), 50)
    assert found.apart_m / NM_M == pytest.approx(20, rel=0.01)
    assert found.needed_m / NM_M == pytest.approx(30, rel=0.02)
    assert found.bearing_deg == pytest.approx(90, abs=2)


def test_way_from_the_middle_is_the_radius_and_the_margin() -> None:
    """Somebody who may be in the middle has the whole radius to go, and the margin."""
    found = out(circle(0, 0, 2), circle(0, 0, 10))
    assert found.apart_m == 0
    assert 12.9 <= found.needed_m / NM_M <= 13.5


def test_way_out_is_by_the_nearest_edge() -> None:
    """From near the eastern edge the way out is east, and short."""
    found = out(circle(8, 0, 0.5), circle(0, 0, 10))
    assert 5.4 <= found.needed_m / NM_M <= 6.0
    assert found.bearing_deg == pytest.approx(90, abs=15)


def test_way_from_a_large_area_around_a_small_one_is_never_understated() -> None:
    """A wide patrol area around a small volume: whoever is at its middle has its half and the margin to go."""
    found = out(square(100), circle(20, 10, 5))
    assert found.apart_m == 0
    assert 7.9 <= found.needed_m / NM_M <= 9.5


def test_way_from_a_hole_is_to_the_middle_of_it() -> None:
    """In the hole of an area one is outside it."""
    found = out(circle(0, 0, 1), square(40, 20), 5)
    assert found.apart_m / NM_M == pytest.approx(19, rel=0.02)
    assert found.needed_m == 0


def test_way_of_who_is_clear_is_nothing() -> None:
    """Beyond the margin nobody has to move."""
    assert out(circle(60, 0, 5), circle(0, 0, 5)).needed_m == 0


def test_way_across_the_antimeridian_is_short() -> None:
    """Two sides of 180 degrees are neighbours."""
    one = Circle((179_950_000_000, 0), 5 * TENTH_MM_PER_NM)
    other = Circle((-179_950_000_000, 0), 5 * TENTH_MM_PER_NM)
    found = out(one, other)
    assert found.apart_m == 0
    assert 5 < found.needed_m / NM_M < 13
    assert found.bearing_deg == pytest.approx(270, abs=30)

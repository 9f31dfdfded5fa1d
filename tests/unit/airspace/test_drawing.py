"""Outlines for drawing: right to within what an eye sees, closed, on the map, for any shape there is."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point, Polygon
from shapely.ops import unary_union
from shapely.validation import explain_validity

from detente.airspace.area import Area, Circle, Corridor, Geometry, LonLat
from detente.airspace.drawing import CIRCLE_POINTS, Polygons, draw_geometries
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M, TENTH_MM_PER_NM

GEOD = Geod(ellps="WGS84")
NM_M = 1852.0


def position(lon: float, lat: float) -> LonLat:
    """A position in 1e-9 degree."""
    return round(lon * NANODEG_PER_DEG), round(lat * NANODEG_PER_DEG)


def draw(geometry: Geometry, edges: str = "planar") -> Polygons:
    """One outline."""
    return draw_geometries([(geometry, edges)])[0]


def circle(lon: float, lat: float, radius_m: float) -> Polygons:
    """A circle's outline."""
    return draw(Circle(position(lon, lat), round(radius_m * TENTH_MM_PER_M)))


def corridor(half_width_m: float, *points: tuple[float, float], edges: str = "planar") -> Polygons:
    """A corridor's outline."""
    line = tuple(position(*p) for p in points)
    return draw(Corridor(line, round(half_width_m * TENTH_MM_PER_M)), edges)


def positions(outline: Polygons) -> list[list[float]]:
    """All positions of an outline."""
    return [p for rings in outline for ring in rings for p in ring]


def check_on_the_map(outline: Polygons) -> None:
    """Closed rings of degrees inside the map, with no edge across it."""
    assert outline
    for rings in outline:
        for ring in rings:
            assert len(ring) >= 4
            assert ring[0] == ring[-1]
            for lon, lat in ring:
                assert -180 <= lon <= 180
                assert -90 <= lat <= 90
                assert (lon, lat) == (round(lon, 7), round(lat, 7))


def area_m2(outline: Polygons) -> float:
    """The area on the ellipsoid, holes taken off."""
    total = 0.0
    for rings in outline:
        for i, ring in enumerate(rings):
            size, _ = GEOD.polygon_area_perimeter(*zip(*ring, strict=True))
            total += abs(size) * (-1 if i else 1)
    return total


@settings(max_examples=60, deadline=None)
@given(
    lon=st.floats(-180, 180), lat=st.floats(-80, 80), radius_m=st.floats(50, 400_000)
)  # fmt: skip
def test_circle_has_its_radius_everywhere(lon: float, lat: float, radius_m: float) -> None:
    """Every vertex that is not on the cut at 180 degrees is at the radius from the centre."""
    outline = circle(lon, lat, radius_m)
    check_on_the_map(outline)
    found = [p for p in positions(outline) if abs(p[0]) != 180 and abs(p[1]) != 90]
    assert len(found) >= CIRCLE_POINTS / 2
    for x, y in found:
        _, _, distance_m = GEOD.inv(lon, lat, x, y)
        assert distance_m == pytest.approx(radius_m, rel=1e-4, abs=0.05)


def test_circle_across_the_antimeridian_is_two_polygons_of_one_area() -> None:
    """What is cut in two at 180 degrees is as large as the same circle elsewhere."""
    cut, whole = circle(179.99, 50, 10_000), circle(10, 50, 10_000)
    assert (len(cut), len(whole)) == (2, 1)
    assert area_m2(cut) == pytest.approx(area_m2(whole), rel=1e-3)
    assert {p[0] for p in positions(cut)} >= {180.0, -180.0}


@pytest.mark.parametrize("lat", [90, 89.9, -89.9, -90])
def test_circle_round_a_pole_reaches_up_to_it(lat: float) -> None:
    """A circle that holds a pole is drawn as the cap that it is, from edge to edge of the map."""
    outline = circle(30, lat, 50_000)
    check_on_the_map(outline)
    lons = [p[0] for p in positions(outline)]
    assert (min(lons), max(lons)) == (-180, 180)
    pole = 90.0 if lat > 0 else -90.0
    assert pole in {p[1] for p in positions(outline)}
    assert all(abs(p[1] - pole) < 1 for p in positions(outline))


def test_corridor_of_one_leg_is_as_wide_as_agreed() -> None:
    """The outline of one leg is the buffer of its line: its area says so."""
    outline = corridor(5 * NM_M, (35, 34), (36, 34.5))
    check_on_the_map(outline)
    _, _, length_m = GEOD.inv(35, 34, 36, 34.5)
    width_m = 5 * NM_M
    expected = 2 * width_m * length_m + 3.0 * width_m**2  # the caps have twelve sides: 3 for pi
    assert area_m2(outline) == pytest.approx(expected, rel=0.005)


def test_corridor_with_gentle_corners_is_one_ring_that_does_not_cross_itself() -> None:
    """Left and right corners join the sides; the ring is simple and holds the whole line."""
    points = [(35.0, 34.0), (36.0, 34.0), (36.5, 34.6), (37.5, 34.4)]
    outline = corridor(4 * NM_M, *points)
    check_on_the_map(outline)
    ((ring,),) = outline
    drawn = Polygon(ring)
    assert drawn.is_valid, explain_validity(drawn)
    assert all(drawn.contains(Polygon(circle(x, y, 3.8 * NM_M)[0][0])) for x, y in points)


def test_corridor_that_turns_back_is_drawn_leg_by_leg() -> None:
    """Where one ring would cross itself there are several polygons, and together they are the corridor."""
    points = [(35.0, 34.0), (35.5, 34.0), (35.0, 34.05), (35.5, 34.1)]
    outline = corridor(5 * NM_M, *points)
    check_on_the_map(outline)
    assert len(outline) == 3
    drawn = unary_union([Polygon(rings[0]) for rings in outline])
    assert all(drawn.contains(Polygon(circle(x, y, 4.7 * NM_M)[0][0])) for x, y in points)


LEG = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))


@settings(max_examples=80, deadline=None)
@given(legs=st.lists(LEG, min_size=1, max_size=5), half_width_m=st.floats(500, 20_000))
def test_corridor_outline_holds_its_line_and_is_simple(
    legs: list[tuple[float, float]], half_width_m: float
) -> None:
    """Whatever way a line turns, its outline is made of simple rings and no point of it is outside."""
    points = [(35.0, 34.0)]
    for x, y in legs:
        points.append((points[-1][0] + x, points[-1][1] + y))
    line = tuple(position(*p) for p in points)
    outline = draw(Corridor(line, round(half_width_m * TENTH_MM_PER_M)))
    check_on_the_map(outline)
    shapes = [Polygon(rings[0]) for rings in outline]
    for shape in shapes:
        assert shape.is_valid, explain_validity(shape)
    drawn = unary_union(shapes).buffer(1e-7)
    for (x, y), (u, v) in pairwise(points):
        for i in range(5):
            assert drawn.contains(Point(x + (u - x) * i / 4, y + (v - y) * i / 4))


def test_corridor_across_the_antimeridian_is_cut_there() -> None:
    """A corridor that crosses 180 degrees by its width is in two parts, neither across the map."""
    outline = corridor(20_000, (179.9, 10), (179.95, 11))
    check_on_the_map(outline)
    assert len(outline) == 2
    for rings in outline:
        lons = [p[0] for p in rings[0]]
        assert max(lons) - min(lons) < 2


def test_corridor_of_repeated_points_is_a_circle() -> None:
    """A line without length is drawn as the disc that it is."""
    outline = corridor(5_000, (10, 50), (10, 50))
    assert area_m2(outline) == pytest.approx(area_m2(circle(10, 50, 5_000)), rel=1e-6)


def square(west: float, south: float, east: float, north: float) -> tuple[LonLat, ...]:
    """A closed ring."""
    return tuple(
        position(*p)
        for p in ((west, south), (east, south), (east, north), (west, north), (west, south))
    )


def test_area_with_planar_edges_keeps_its_vertices_and_holes() -> None:
    """A planar area is drawn as it was filed; long edges get points between, on the line."""
    outline = draw(Area(((square(10, 50, 12, 51), square(10.5, 50.2, 10.6, 50.3)),)))
    check_on_the_map(outline)
    ((outer, hole),) = outline
    assert [10.0, 50.0] in outer
    assert [11.0, 50.0] in outer
    assert len(hole) == 5
    assert all(y in (50.0, 51.0) or x in (10.0, 12.0) for x, y in outer)


def test_area_with_geodesic_edges_bends_as_the_geodesic_does() -> None:
    """Points between two vertices are those of the geodesic, to within what a screen shows."""
    outline = draw(Area(((square(0, 50, 10, 60),),)), "geodesic")
    south = [p for p in outline[0][0] if p[1] < 51 and 0.001 < p[0] < 9.999]
    azimuth, _, length_m = GEOD.inv(0, 50, 10, 50)
    assert len(south) > 10
    for x, y in south:
        near = min(
            hypot(x - u, y - v)
            for u, v, _ in (GEOD.fwd(0, 50, azimuth, length_m * i / 2000) for i in range(2001))
        )
        assert near < 0.004


def test_geodesic_area_round_a_pole_is_drawn_up_to_it() -> None:
    """A ring of meridians round the pole is a cap, not a band across the map."""
    ring = tuple(position(lon, 80) for lon in (0, 90, 179, -91, 0))
    outline = draw(Area(((ring,),)), "geodesic")
    check_on_the_map(outline)
    lons = [p[0] for p in positions(outline)]
    assert (min(lons), max(lons), max(p[1] for p in positions(outline))) == (-180, 180, 90)


def test_geodesic_area_across_the_antimeridian_is_cut_there() -> None:
    """An edge that crosses 180 degrees is cut at it, hole included."""
    outer = tuple(position(*p) for p in ((178, 0), (-178, 0), (-178, 4), (178, 4), (178, 0)))
    hole = tuple(position(*p) for p in ((179, 1), (-179, 1), (-179, 2), (179, 2), (179, 1)))
    outline = draw(Area(((outer, hole),)), "geodesic")
    check_on_the_map(outline)
    assert [len(rings) for rings in outline] == [2, 2]
    assert area_m2(outline) == pytest.approx(
        area_m2(draw(Area(((square(8, 0, 12, 4), square(9, 1, 11, 2)),)), "geodesic")), rel=1e-3
    )


def test_outlines_drawn_together_are_those_drawn_alone() -> None:
    """Drawing many at once is only faster."""
    wanted: list[tuple[Geometry, str]] = [
        (Circle(position(10, 50), 5 * TENTH_MM_PER_NM), "planar"),
        (Area(((square(10, 50, 10.2, 50.2),),)), "geodesic"),
        (Corridor((position(10, 50), position(11, 50)), TENTH_MM_PER_NM), "geodesic"),
    ]
    assert draw_geometries(wanted) == [draw(*one) for one in wanted]
    assert draw_geometries([]) == []

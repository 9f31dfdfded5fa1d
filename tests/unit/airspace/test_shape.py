"""Lateral comparison: exact where exactness is defined, right against independent oracles."""

import math
import random

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from shapes import box, circle, corridor, lateral, nanodeg, polygon, several

from detente.airspace.near import Budget, TooMuchWork
from detente.airspace.plane import signs_of
from detente.airspace.shape import Shape, meet_parts
from detente.errors import UsageError

GEOD = pyproj.Geod(ellps="WGS84")
BELOW, EQUAL, ABOVE = -1, 0, 1


# -- touching is not overlapping ---------------------------------------------------------------


@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_boxes_sharing_a_whole_edge_touch(edges):
    """Two areas that share an edge and no airspace do not overlap."""
    assert lateral(box(35, 33, 36, 34, edges), box(36, 33, 37, 34, edges)) == EQUAL


def test_planar_boxes_sharing_part_of_a_parallel_touch():
    """Planar edges are straight in degrees, so half a shared parallel is still no overlap."""
    assert lateral(box(35, 33, 36, 34), box(35.3, 34, 36.7, 35)) == EQUAL


def test_planar_boxes_sharing_part_of_a_slanted_edge_touch():
    """The same on a slant: three collinear positions are exactly in line."""
    one = polygon([(0, 0), (4, 2), (0, 2)])
    two = polygon([(1, 0.5), (3, 1.5), (3, 0)])
    assert lateral(one, two) == EQUAL


def test_boxes_a_billionth_of_a_degree_into_each_other_overlap():
    """0.1 mm is enough: nothing is rounded away."""
    assert lateral(box(35, 33, 36, 34), box(35.999999999, 33, 37, 34)) == BELOW
    assert lateral(box(35, 33, 36, 34), box(36.000000001, 33, 37, 34)) == ABOVE


def test_boxes_sharing_a_corner_touch():
    """One common point is a touch."""
    assert lateral(box(35, 33, 36, 34), box(36, 34, 37, 35)) == EQUAL


@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_area_overlaps_itself(edges):
    """The same area twice shares its inside, though no edge crosses and no vertex is inside."""
    assert lateral(box(35, 33, 36, 34, edges), box(35, 33, 36, 34, edges)) == BELOW


def test_area_with_shared_edges_inside_another_overlaps():
    """A part cut out along edges of the whole overlaps the whole, without a crossing."""
    whole = box(0, 0, 4, 4)
    assert lateral(whole, box(0, 0, 4, 2)) == BELOW
    assert lateral(whole, box(0, 0, 2, 2)) == BELOW
    assert lateral(whole, polygon([(0, 0), (4, 4), (0, 4)])) == BELOW


def test_area_across_another_by_vertices_alone_overlaps():
    """A diagonal strip whose edges only pass through the other's vertices still overlaps."""
    diamond = polygon([(2, 0), (4, 2), (2, 4), (0, 2)])
    assert lateral(diamond, box(0, 0, 4, 4)) == BELOW
    assert lateral(box(0, 0, 4, 4), polygon([(-1, -1), (5, 5), (5, 6), (-1, 0)])) == BELOW


def test_area_entering_through_vertices_overlaps():
    """Two outlines that pass through each other's vertices, first outside, then inside, overlap."""
    bent = polygon([(-1, -1), (0, 0), (2, 1), (4, 4), (5, 5), (5, 9), (-1, 9)])
    assert lateral(bent, polygon([(0, 0), (4, 0), (4, 4), (0, 4)])) == BELOW
    assert lateral(bent, polygon([(0, 0), (4, 0), (4, 4), (2, 1)])) == EQUAL


def test_area_in_a_hole_is_apart_and_in_a_hole_exactly_touches():
    """A hole is no airspace: what lies in it is clear, what fills it exactly touches."""
    ring = polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [(3, 3), (6, 3), (6, 6), (3, 6)])
    assert lateral(ring, box(4, 4, 5, 5)) == ABOVE
    assert lateral(ring, box(3, 3, 6, 6)) == EQUAL
    assert lateral(ring, box(3, 3, 6, 6.1)) == BELOW
    assert lateral(ring, box(1, 1, 8, 8)) == BELOW


def test_hole_and_thick_shapes_use_the_hole_edge():
    """A circle in a hole is near once its radius reaches the hole's edge."""
    ring = polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [(3, 3), (6, 3), (6, 6), (3, 6)])
    assert lateral(ring, circle(4.5, 4.5, 160_000)) == ABOVE
    assert lateral(ring, circle(4.5, 4.5, 167_000)) == BELOW


# -- no antimeridian, no pole, no size limit -----------------------------------------------------


def test_antimeridian_overlap_is_found():
    """Volumes that overlap at +-179.99 overlap (defect 2)."""
    assert lateral(circle(179.99, 10, 2_000), circle(-179.99, 10, 2_000)) == BELOW
    assert lateral(circle(179.99, 10, 1_000), circle(-179.99, 10, 1_000)) == ABOVE
    across = box(179.9, 10, -179.9, 11, "geodesic")
    assert lateral(across, circle(180, 10.5, 1)) == BELOW
    assert lateral(across, box(-179.95, 10.2, -179.8, 10.4)) == BELOW
    assert lateral(across, box(170, 10.2, 179.8, 10.4)) == ABOVE


def test_antimeridian_cut_areas_touch_and_overlap():
    """An area cut at 180 degrees (RFC 7946, 3.1.9) is one area, and its two sides meet there."""
    cut = several(box(179, 0, 180, 1), box(-180, 0, -179, 1))
    assert lateral(box(179, 0, 180, 1), box(-180, 0, -179, 1)) == EQUAL
    assert lateral(cut, box(-180, 0.2, -179.9, 0.4)) == BELOW
    assert lateral(cut, corridor([(179.5, 0.5), (-179.5, 0.5)], 10)) == BELOW


def test_pole_overlap_is_found():
    """Circles on either side of the pole meet over it (defect 3)."""
    assert lateral(circle(0, 89.99, 1_200), circle(180, 89.99, 1_200)) == BELOW
    assert lateral(circle(0, 89.99, 1_000), circle(180, 89.99, 1_000)) == ABOVE


def test_pole_inside_a_geodesic_area_is_inside():
    """A ring round the pole holds the pole and every longitude within."""
    cap = polygon([(0, 85), (90, 85), (180, 85), (-90, 85)], edges="geodesic")
    for lon in (-180, -135, 0, 45, 179):
        assert lateral(cap, circle(lon, 89.5, 1)) == BELOW
    assert lateral(cap, circle(0, 80, 1)) == ABOVE


def test_pole_corners_of_planar_areas_touch():
    """All longitudes of a pole are one place, so two areas that reach it touch there."""
    assert lateral(box(0, 80, 10, 90), box(100, 80, 110, 90)) == EQUAL
    assert lateral(box(0, 80, 10, 90), box(100, 80, 110, 89.9)) == ABOVE
    assert lateral(box(0, 80, 10, 90), circle(77, 90, 1)) == BELOW


def test_sixty_north_box_is_as_wide_as_its_degrees():
    """At 60 N a degree of longitude is half as long; a search by degrees misses this (defect 8)."""
    home = box(10, 60, 11, 61)
    _, _, gap = GEOD.inv(11, 60.999, 11.1, 60.999)
    assert lateral(home, circle(11.1, 60.999, gap + 5)) == BELOW
    assert lateral(home, circle(11.1, 60.999, gap - 60)) == ABOVE


def test_circle_is_not_an_inscribed_polygon():
    """A point 10 m inside the rim of a 10 km circle conflicts, at every bearing (defect 8)."""
    home = circle(20, 50, 10_000)
    for bearing in range(0, 360, 7):
        lon, lat, _ = GEOD.fwd(20, 50, bearing, 9_990)
        assert lateral(home, circle(lon, lat, 1)) == BELOW
        lon, lat, _ = GEOD.fwd(20, 50, bearing, 10_012)
        assert lateral(home, circle(lon, lat, 1)) == ABOVE


def test_area_of_a_million_square_kilometres_is_judged():
    """Areas over 2,500 km2 are not refused (defect 8)."""
    wide = box(0, 40, 12, 50)
    assert lateral(wide, circle(6, 45, 1)) == BELOW
    assert lateral(wide, circle(12.1, 45, 1_000)) == ABOVE
    assert lateral(wide, box(-60, 35, 5, 45)) == BELOW


def test_area_larger_than_it_can_be_is_refused():
    """Past 5,000 km from its middle it would not be clear which side is inside."""
    with pytest.raises(UsageError, match="45 degrees"):
        box(-80, -60, 80, 60)


# -- against independent oracles -----------------------------------------------------------------

COORDINATES = st.integers(0, 12)


@st.composite
def grid_polygons(draw):
    """Small polygons on a coarse grid, where touching, sharing and nesting are common."""
    count = draw(st.integers(3, 7))
    places = st.tuples(COORDINATES, COORDINATES)
    points = draw(st.lists(places, min_size=count, max_size=count, unique=True))
    if draw(st.integers(0, 3)) == 0:
        return points  # any order: mostly crossing, sometimes a spiral
    x, y = (sum(axis) / count + 0.01 for axis in zip(*points, strict=True))
    return sorted(points, key=lambda p: math.atan2(p[1] - y, p[0] - x))


@given(grid_polygons(), grid_polygons())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_planar_areas_agree_with_shapely_on_a_grid(points_a, points_b):
    """Overlap, touch and apart are shapely's, on grids where its own arithmetic is exact enough."""
    oracle_a, oracle_b = shapely.Polygon(points_a), shapely.Polygon(points_b)
    assume(oracle_a.is_valid and oracle_b.is_valid)
    assume(oracle_a.area > 0 and oracle_b.area > 0)
    # shapely allows repeated touching that we refuse
    try:
        a, b = polygon(points_a), polygon(points_b)
    except UsageError:
        assume(False)
    common = oracle_a.intersection(oracle_b)
    if common.area > 1e-9:
        expected = BELOW
    elif oracle_a.intersects(oracle_b):
        expected = EQUAL
    else:
        expected = ABOVE
    assert lateral(a, b) == expected


@given(grid_polygons(), COORDINATES, COORDINATES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_place_inside_agrees_with_shapely(points, x, y):
    """Inside, on the edge and outside are shapely's."""
    oracle = shapely.Polygon(points)
    assume(oracle.is_valid and oracle.area > 0)
    try:
        area = polygon(points)
    except UsageError:
        assume(False)
    place = (nanodeg(x), nanodeg(y), 1)
    side = area.parts[0].flat.side_of(place)
    assert side == (
        1
        if oracle.contains(shapely.Point(x, y))
        else 0
        if oracle.covers(shapely.Point(x, y))
        else -1
    )


@given(st.integers(0, 2**31), st.integers(1, 16))
@settings(max_examples=60, deadline=None)
def test_signs_of_a_few_are_signs_of_many(seed, count):
    """The integers that decide a few triples give the signs that the filter and the integers give of many."""
    draw = random.Random(seed)
    size = draw.choice([2, 10**9])
    rows = [
        [(draw.randint(-size, size), draw.randint(-size, size), 1) for _ in range(3)]
        for _ in range(count)
    ]
    arrays = [np.array([row[k] for row in rows], dtype=np.float64) for k in range(3)]
    few = signs_of(*arrays, lambda row: tuple(rows[row]))
    many = signs_of(
        *(np.tile(one, (17, 1)) for one in arrays), lambda row: tuple(rows[row % count])
    )
    assert few.tolist() == many[:count].tolist()
    assert few.dtype == many.dtype


@given(st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_large_outlines_agree_with_small_code_path(seed):
    """The array path for many edges and the integer path for few give one answer."""
    draw = random.Random(seed)
    angles = sorted(draw.uniform(0, 2 * np.pi) for _ in range(60))
    radii = [draw.uniform(0.5, 2) for _ in angles]
    ring = [(10 + r * np.cos(t), 45 + r * np.sin(t)) for r, t in zip(radii, angles, strict=True)]
    oracle = shapely.Polygon(ring)
    assume(oracle.is_valid)
    area = polygon(ring)
    for _ in range(20):
        x, y = draw.uniform(8, 12), draw.uniform(43, 47)
        place = (nanodeg(x), nanodeg(y), 1)
        few = area.parts[0].flat
        assert few.side_of(place) == few._side_few(place, (0, place[2], -place[1]))
        assert (few.side_of(place) > 0) == oracle.contains(shapely.Point(x, y))


@given(
    st.floats(-180, 180),
    st.floats(-85, 85),
    st.floats(0, 360),
    st.floats(10, 400_000),
)
@settings(max_examples=300, deadline=None)
def test_circles_agree_with_the_geodesic_distance(lon, lat, bearing, distance):
    """The model's distance differs from WGS84's by the stated error at most."""
    far_lon, far_lat, _ = GEOD.fwd(lon, lat, bearing, distance)
    one, two = circle(lon, lat, 1), circle(far_lon, far_lat, 1)
    error = 0.001 + 2.2 * (distance / 400_000) ** 3
    assert lateral(one, two, max(distance - 2 - error, 0)) == ABOVE
    assert lateral(one, two, distance - 2 + error) == BELOW


@given(st.integers(0, 2**31), st.sampled_from(["planar", "geodesic"]))
@settings(max_examples=60, deadline=None)
def test_corridors_agree_with_dense_sampling(seed, edges):
    """The distance from a line is that of its densely sampled points, to a few centimetres."""
    draw = random.Random(seed)
    lon, lat = draw.uniform(-179, 177), draw.uniform(-80, 79)
    line = [(lon, lat), (lon + draw.uniform(0.01, 0.4), lat + draw.uniform(-0.3, 0.3))]
    place = (lon + draw.uniform(-0.3, 0.5), lat + draw.uniform(-0.3, 0.3))
    if edges == "planar":
        t = np.linspace(0, 1, 40_001)
        lons = line[0][0] + t * (line[1][0] - line[0][0])
        lats = line[0][1] + t * (line[1][1] - line[0][1])
    else:
        inner = GEOD.npts(*line[0], *line[1], 40_000)
        lons, lats = (np.array(v) for v in zip(line[0], *inner, line[1], strict=True))
    _, _, away = GEOD.inv(lons, lats, np.full_like(lons, place[0]), np.full_like(lons, place[1]))
    distance = float(away.min())
    assume(distance > 2)
    path, there = corridor(line, 0.5, edges), circle(*place, 0.5)
    assert lateral(path, there, distance - 1 + 0.15) == BELOW
    assert lateral(path, there, max(0.0, distance - 1 - 0.15)) == ABOVE


@given(st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_turning_the_earth_changes_nothing(seed):
    """Adding one longitude to both shapes leaves the comparison as it was."""
    draw = random.Random(seed)
    turn = draw.uniform(-150, 150)
    lat = draw.uniform(-70, 70)

    def shapes(shift):
        return (
            box(shift, lat, shift + 1, lat + 1),
            corridor([(shift + 0.4, lat - 1), (shift + 1.5, lat + 0.3)], 500),
            circle(shift + 1.2, lat + 1.1, 10_000),
            polygon(
                [(shift, lat + 1), (shift + 1, lat + 2), (shift - 1, lat + 2)], edges="geodesic"
            ),
        )

    still, turned = shapes(0.0), shapes(round(turn, 6))
    for minimum in (0, 5_000):
        for i in range(4):
            for j in range(4):
                if not minimum and {i, j} == {0, 3}:
                    continue  # they share a vertex and edges of two kinds: a matter of 0.1 mm
                assert lateral(still[i], still[j], minimum) == lateral(
                    turned[i], turned[j], minimum
                )


def test_planar_and_geodesic_edges_differ_by_what_they_should():
    """Over 200 NM at 60 N the two kinds of edge are 4.6 km apart; the engine sees it."""
    west, east = 10.0, 10 + 200 * 1852 / (111_319.5 * 0.5)
    planar = corridor([(west, 60), (east, 60)], 1, "planar")
    geodesic = corridor([(west, 60), (east, 60)], 1, "geodesic")
    middle = circle((west + east) / 2, 60, 1)
    assert lateral(planar, middle) == BELOW
    assert lateral(geodesic, middle, 4_000) == ABOVE
    assert lateral(geodesic, middle, 4_800) == BELOW


def test_crossing_corridors_meet_though_no_vertex_is_near():
    """Two long lines that cross have distance zero."""
    one = corridor([(0, 40), (8, 44)], 10)
    two = corridor([(0, 44), (8, 40)], 10)
    assert lateral(one, two) == BELOW
    assert lateral(one, corridor([(0, 45), (8, 49)], 10)) == ABOVE


def test_hostile_combs_end_at_the_budget():
    """Two outlines made to be expensive are given up after a bounded, fixed amount of work."""
    teeth = [(k * 0.001, 0.5 if k % 2 else 0.01) for k in range(2_000)]
    ring = [(0, 0), *teeth, (2, 0)]
    other = [(x + 0.0003, y + 0.0001) for x, y in ring]
    a, b = polygon(ring), polygon([(y, x) for x, y in other])
    with pytest.raises(TooMuchWork):
        lateral(a, circle(1.5, 3, 1), 276_000, most=100)
    with pytest.raises(TooMuchWork):
        lateral(a, b, most=1_000)


def test_meeting_asked_for_again_answers_alike_and_costs_alike():
    """How two parts lie to each other is kept for the next question, and costs the budget the same again."""
    draw = random.Random(5)
    kinds = set()
    for _ in range(60):
        x, y = draw.uniform(0, 3), draw.uniform(0, 2)
        a, b = box(0, 0, 2, 1), box(x, y, x + 1, y + 1, edges=draw.choice(["planar", "geodesic"]))
        one, two = a.parts[0], b.parts[0]
        answers = []
        for _ in range(2):
            budget = Budget(10_000)
            answers.append((meet_parts(one, two, budget), budget.left))
        fresh = Budget(10_000)
        again = meet_parts(Shape(a.geometry, a.edges).parts[0], two, fresh)
        assert answers == [(again, fresh.left)] * 2
        kinds.add(again)
        if fresh.left < 10_000:
            with pytest.raises(TooMuchWork):
                meet_parts(one, two, Budget(9_999 - fresh.left))
    assert len(kinds) > 1


def test_box_of_shape_contains_every_point_of_it():
    """The filter's box holds all of an area, its bulging inside included."""
    draw = random.Random(5)
    for _ in range(30):
        lon, lat = draw.uniform(-170, 150), draw.uniform(-70, 50)
        width = draw.uniform(0.1, 25)
        for edges in ("planar", "geodesic"):
            area = box(lon, lat, lon + width, lat + width * 0.8, edges)
            low, high = area.box
            for _ in range(40):
                x, y = lon + draw.random() * width, lat + draw.random() * width * 0.8
                spot = circle(x, y, 0.0001)
                if lateral(area, spot) < 0:
                    point = spot.parts[0].globe.vertices[0]
                    assert all(a <= p <= b for a, p, b in zip(low, point, high, strict=True))


def test_box_of_a_wide_geodesic_area_holds_its_middle():
    """The inside of a wide area rises above every vertex of its boundary."""
    low, high = box(-10, -10, 10, 10, "geodesic").box
    point = circle(0, 0, 1).parts[0].globe.vertices[0]
    assert all(a <= p <= b for a, p, b in zip(low, point, high, strict=True))


def test_parts_of_many_polygons_are_filtered_but_never_missed():
    """A MultiPolygon is judged by its nearest part."""
    islands = several(*(box(k, 0, k + 0.5, 0.5) for k in range(40)))
    for k in range(40):
        assert lateral(islands, circle(k + 0.25, 0.25, 1)) == BELOW
        assert lateral(islands, circle(k + 0.75, 0.25, 1)) == ABOVE

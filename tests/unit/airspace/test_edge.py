"""Edges: planar ones are straight in degrees, geodesic ones follow the geodesic."""

import math
import random
from itertools import pairwise

import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.earth import degrees_of, earth_point
from detente.airspace.edge import (
    PLANAR_PART_NANODEG,
    count_parts,
    cut_geodesic,
    cut_line,
    cut_planar,
    planar_parts,
)

GEOD = pyproj.Geod(ellps="WGS84")
POSITIONS = st.tuples(st.integers(-180 * 10**9, 180 * 10**9), st.integers(-89 * 10**9, 89 * 10**9))


@given(POSITIONS, POSITIONS)
@settings(max_examples=25, deadline=None)
def test_planar_edge_reversed_has_the_same_points(a, b):
    """Two areas that share an edge share every point of it, whichever way round they go."""
    if planar_parts(a, b) > 4_000 or abs(a[0] - b[0]) > 180 * 10**9:
        return
    forward = [*cut_planar(a, b), earth_point(*b)]
    backward = [*cut_planar(b, a), earth_point(*a)]
    assert forward == backward[::-1]


ANYWHERE = st.tuples(
    st.one_of(
        st.sampled_from([-180 * 10**9, 0, 180 * 10**9]), st.integers(-180 * 10**9, 180 * 10**9)
    ),
    st.one_of(st.sampled_from([-90 * 10**9, 0, 90 * 10**9]), st.integers(-90 * 10**9, 90 * 10**9)),
)
STEPS = st.tuples(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))


@given(ANYWHERE, st.lists(STEPS, min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_line_cut_at_once_has_the_points_of_each_edge_cut_alone(start, steps):
    """The points of a planar line are those of its edges one after the other, at a pole and across 180 degrees too."""
    line = [start]
    for lon, lat in steps:
        line.append(
            (
                max(-180 * 10**9, min(180 * 10**9, line[-1][0] + lon)),
                max(-90 * 10**9, min(90 * 10**9, line[-1][1] + lat)),
            )
        )
    alone = [point for a, b in pairwise(line) for point in cut_planar(a, b)]
    alone.append(earth_point(*line[-1]))
    expected = [point for i, point in enumerate(alone) if i == 0 or point != alone[i - 1]]
    assert cut_line(tuple(line), "planar") == expected


def test_longest_edge_cut_at_once_has_the_points_cut_alone():
    """The edge with the most parts there can be is cut without a number running over."""
    start, end = (-180 * 10**9, -90 * 10**9), (180 * 10**9, 90 * 10**9)
    alone = [*cut_planar(start, end), earth_point(*end)]
    expected = [point for i, point in enumerate(alone) if i == 0 or point != alone[i - 1]]
    assert cut_line((start, end), "planar") == expected


@given(POSITIONS, st.integers(-8 * 10**9, 8 * 10**9), st.integers(-8 * 10**9, 8 * 10**9))
@settings(max_examples=50, deadline=None)
def test_geodesic_edge_reversed_has_the_same_points(a, dlon, dlat):
    """The same for geodesic edges."""
    b = (a[0] + dlon, max(-89 * 10**9, min(89 * 10**9, a[1] + dlat)))
    one, two = earth_point(*a), earth_point(*b)
    assert [*cut_geodesic(one, two), two] == [*cut_geodesic(two, one), one][::-1]


def test_planar_part_stays_within_five_centimetres_of_the_straight_line():
    """Between the points of a planar edge, the plane section leaves the line by at most 5 cm."""
    draw = random.Random(3)
    worst = 0.0
    for _ in range(200):
        a = (draw.uniform(-180, 170), draw.uniform(-84, 80))
        b = (a[0] + draw.uniform(0, 10), a[1] + draw.uniform(-4, 4))
        start, end = ((round(p[0] * 1e9), round(p[1] * 1e9)) for p in (a, b))
        parts = planar_parts(start, end)
        k = draw.randrange(parts)
        ends = [
            (start[0] + (end[0] - start[0]) * i / parts, start[1] + (end[1] - start[1]) * i / parts)
            for i in (k, k + 1)
        ]
        points = [earth_point(round(lon), round(lat)) for lon, lat in ends]
        middle = degrees_of(tuple((p + q) // 2 for p, q in zip(*points, strict=True)))
        line = (ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2
        # the foot on the straight line: along-track error does not matter
        azimuth, _, length = GEOD.inv(*(v / 1e9 for v in ends[0]), *(v / 1e9 for v in ends[1]))
        off_azimuth, _, off = GEOD.inv(*(v / 1e9 for v in line), *(v / 1e9 for v in middle))
        worst = max(worst, abs(off * math.sin(math.radians(off_azimuth - azimuth))))
        assert max(abs(ends[1][0] - ends[0][0]), abs(ends[1][1] - ends[0][1])) <= (
            PLANAR_PART_NANODEG + 1
        )
        assert length < 8_500
    assert worst < 0.05


@pytest.mark.parametrize(
    ("length_nm", "bound_m"), [(5, 0.001), (50, 0.01), (200, 0.1), (500, 1.5), (1000, 10)]
)
def test_geodesic_edge_follows_the_geodesic(length_nm, bound_m):
    """The stated error of a geodesic edge against WGS84 holds (docs/spec/airspace-model.md)."""
    draw = random.Random(length_nm)
    for _ in range(40):
        lon, lat, azimuth = draw.uniform(-180, 180), draw.uniform(-85, 85), draw.uniform(0, 360)
        far_lon, far_lat, _ = GEOD.fwd(lon, lat, azimuth, length_nm * 1852)
        start, end = (
            (round(lon * 1e9), round(lat * 1e9)),
            (round(far_lon * 1e9), round(far_lat * 1e9)),
        )
        points = cut_geodesic(earth_point(*start), earth_point(*end))
        lon_a, lat_a, lon_b, lat_b = (v / 1e9 for v in (*start, *end))
        azimuth, _, _ = GEOD.inv(lon_a, lat_a, lon_b, lat_b)
        for point in points[1 :: max(1, len(points) // 8)]:
            p_lon, p_lat = (v / 1e9 for v in degrees_of(point))
            towards, _, distance = GEOD.inv(lon_a, lat_a, p_lon, p_lat)
            off = 6_371_000 * math.sin(distance / 6_371_000)
            assert abs(off * math.sin(math.radians(towards - azimuth))) < bound_m


def test_meridian_planar_edge_is_cut_by_length_alone():
    """A meridian is straight in both senses, so it needs few parts."""
    assert planar_parts((0, 0), (0, 10**9)) == 20


def test_line_along_a_pole_has_no_length():
    """An edge along the pole is one point."""
    pole = 90 * 10**9
    line = cut_line(
        ((0, 80 * 10**9), (0, pole), (90 * 10**9, pole), (90 * 10**9, 80 * 10**9)), "planar"
    )
    assert line.count(earth_point(0, pole)) == 1


@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_count_parts_is_what_cutting_makes(edges):
    """The limit is checked on the count before anything is made."""
    points = ((0, 0), (10**9, 5 * 10**8), (2 * 10**9, 10**9))
    assert count_parts(points, edges) == len(cut_line(points, edges)) - 1

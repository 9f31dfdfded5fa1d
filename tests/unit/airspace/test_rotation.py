"""Rotation: an outline moved sideways keeps its form, wherever on the earth it lies."""

import math

import pyproj
from hypothesis import given
from hypothesis import strategies as st

from detente.airspace.area import Area, Circle, Corridor
from detente.airspace.distance import distance_between
from detente.airspace.earth import ONE, degrees_of_normal
from detente.airspace.rotation import Rotation, normal_of

NM = 18_520_000
DEG = 10**9
LONS = st.integers(-180 * DEG, 180 * DEG)
LATS = st.integers(-90 * DEG, 90 * DEG)
BEARINGS = st.integers(0, 3599).map(lambda tenths: tenths * DEG // 10)
WAYS = st.integers(0, 100 * NM)


def vertical(position):
    """The vertical as an independent float vector."""
    lon, lat = (math.radians(part / DEG) for part in position)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)


def angle(one, two):
    """The angle between two verticals, degrees; as exact near 180 as near 0."""
    u, v = vertical(one), vertical(two)
    return math.degrees(2 * math.atan2(math.dist(u, v), math.dist(u, [-part for part in v])))


@given(LONS, LATS, BEARINGS, WAYS)
def test_pivot_goes_that_way_and_so_far(lon, lat, bearing, way):
    """A-OFF-1: the pivot comes to lie a minute of arc to the nautical mile away, on the great circle of verticals in that direction."""
    moved = Rotation((lon, lat), bearing, way).apply((lon, lat))
    sphere = pyproj.Geod(a=1.0, b=1.0)
    x, y, _ = sphere.fwd(lon / DEG, lat / DEG, bearing / DEG, math.radians(way / NM / 60))
    assert angle(moved, (round(x * DEG), round(y * DEG))) < 4e-8


@given(LONS, LATS, BEARINGS, WAYS, st.tuples(LONS, LATS), st.tuples(LONS, LATS))
def test_form_is_kept(lon, lat, bearing, way, one, two):
    """A-OFF-1: the angle between any two verticals stays what it was, over poles and the antimeridian alike."""
    turn = Rotation((lon, lat), bearing, way)
    assert abs(angle(turn.apply(one), turn.apply(two)) - angle(one, two)) < 4e-8


@given(LONS, LATS, BEARINGS, WAYS, LONS, LATS)
def test_mirrored_hemispheres_have_mirrored_offsets(lon, lat, bearing, way, x, y):
    """A-OFF-1: rounding favours neither north nor south, neither east nor west."""
    moved = Rotation((lon, lat), bearing, way).apply((x, y))
    west = Rotation((-lon, lat), -bearing, way).apply((-x, y))
    south = Rotation((lon, -lat), 180 * DEG - bearing, way).apply((x, -y))
    assert normal_of((-west[0], west[1])) == normal_of(moved)
    assert normal_of((south[0], -south[1])) == normal_of(moved)


@given(st.integers(-60 * DEG, 60 * DEG), LATS, BEARINGS, st.integers(NM, 100 * NM))
def test_distance_on_the_surface_is_within_a_hundred_and_fiftieth(lon, lat, bearing, way):
    """A-OFF-1: a minute of arc is a nautical mile to 0.6 %, by the distance of the airspace model."""
    moved = Rotation((lon, lat), bearing, way).apply((lon, lat))
    assert abs(distance_between((lon, lat), moved) - way) < way * 0.006


@given(LONS, LATS)
def test_degrees_of_a_normal_are_the_degrees_it_was_made_of(lon, lat):
    """A vertical made of degrees gives the degrees again, at a pole with longitude 0."""
    again = degrees_of_normal(normal_of((lon, lat)))
    assert again == (lon, lat) or normal_of(again) == normal_of((lon, lat))
    assert abs(sum(part * part for part in normal_of((lon, lat))) - ONE * ONE) < ONE * 8


def test_every_position_of_every_kind_moves_and_sizes_stay():
    """A-OFF-1: circle, corridor, and area with its holes: all positions by the same rotation, rings still closed."""
    turn = Rotation((0, 0), 0, 60 * NM)
    ring = ((0, 0), (DEG, 0), (DEG, DEG), (0, 0))
    assert turn.apply_to(Circle((0, 0), 7)) == Circle((0, DEG), 7)
    assert turn.apply_to(Corridor(((0, 0), (0, DEG)), 7)) == Corridor(((0, DEG), (0, 2 * DEG)), 7)
    area = turn.apply_to(Area(((ring, ring), (ring,))))
    assert [len(rings) for rings in area.polygons] == [2, 1]
    assert area.polygons[0][0][0] == area.polygons[0][0][-1] == (0, DEG)
    assert area.polygons[0][0] == area.polygons[0][1] == area.polygons[1][0]

"""Rules: what has no well-defined inside is refused, by name."""

import math

import pytest

from detente.airspace import rules
from detente.airspace.area import (
    Area,
    Circle,
    Corridor,
    check_position,
    check_size,
    parse_geometry_body,
)
from detente.airspace.rules import check_geometry
from detente.errors import UsageError
from detente.limits import EDGE_PARTS_PER_NOTICE, VERTICES_PER_PIECE


def area(*rings, scale=10**9):
    """One polygon from rings as given, closed or not."""
    return Area((tuple(tuple((round(x * scale), round(y * scale)) for x, y in r) for r in rings),))


def refused(geometry, edges="planar"):
    """The code of the refusal."""
    with pytest.raises(UsageError) as error:
        check_geometry(geometry, edges, field="geometry")
    assert error.value.field.startswith("geometry")
    assert "must" in error.value.message
    return error.value.code


SQUARE = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0)]


@pytest.mark.parametrize("edges", ["planar", "geodesic"])
@pytest.mark.parametrize(
    ("rings", "code"),
    [
        ([[(0, 0), (4, 4), (4, 0), (0, 4), (0, 0)]], "geometry-self-crossing"),
        ([[(0, 0), (4, 0), (4, 4), (2, 0), (0, 4), (0, 0)]], "geometry-self-crossing"),
        ([[(0, 0), (4, 0), (8, 0), (4, 0), (0, 0)]], "geometry-self-crossing"),
        ([SQUARE[:-1]], "ring-unclosed"),
        ([[(0, 0), (1, 1), (0, 0)]], "ring-short"),
        ([[(0, 0), (0, 0), (4, 4), (0, 4), (0, 0)]], "position-repeated"),
        ([[(1, 1)] * 4], "geometry-empty"),
        ([SQUARE, [(9, 9), (10, 9), (10, 10), (9, 9)]], "hole-outside"),
        ([SQUARE, [(1, 1), (9, 1), (3, 3), (1, 1)]], "geometry-self-crossing"),
        (
            [
                SQUARE,
                [(1, 1), (3, 1), (3, 3), (1, 3), (1, 1)],
                [(2, 1.5), (2.5, 1.5), (2, 2), (2, 1.5)],
            ],
            "hole-nested",
        ),
        ([SQUARE, SQUARE], "geometry-self-crossing"),
        ([], "geometry-empty"),
    ],
)
def test_area_without_a_clear_inside_is_refused(rings, code, edges):
    """Crossing, touching, open, empty, and misplaced rings are refused in both kinds of edge."""
    assert refused(area(*rings), edges) == code


@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_area_with_holes_that_touch_at_points_is_accepted(edges):
    """A hole may touch the outer ring, or another hole, at a single point."""
    hole = [(0, 2), (1, 1), (2, 2), (1, 3), (0, 2)]
    other = [(2, 2), (3, 1), (3.5, 2), (3, 3), (2, 2)]
    if edges == "geodesic":  # on the globe only a shared vertex is exactly a point of an edge
        hole = [(1, 2), *hole[1:4], (1, 2)]
        hole[0] = hole[-1] = (0.5, 2)
    check_geometry(area(SQUARE, hole, other), edges, field="geometry")


def test_area_of_either_winding_is_accepted():
    """RFC 7946 asks readers not to refuse a polygon for its winding."""
    check_geometry(area(SQUARE[::-1]), "planar", field="geometry")


def test_edge_over_180_degrees_is_refused_and_geodesic_goes_the_short_way():
    """A planar edge over 180 degrees is a mistake; a geodesic one has only one way to go."""
    wide = area([(-100, 0), (100, 0), (100, 1), (-100, 0)])
    assert refused(wide) == "edge-too-long"
    strip = area([(179, 0), (-179, 0), (-179, 1), (179, 1), (179, 0)])
    assert refused(strip) == "edge-too-long"
    check_geometry(strip, "geodesic", field="geometry")


def test_geodesic_edge_near_the_antipode_is_refused():
    """Towards the far side of the earth it is not certain which way a geodesic goes."""
    line = Corridor(((0, 0), (179 * 10**9, 10**9)), 10_000)
    assert refused(line, "geodesic") == "edge-too-long"


def test_area_round_the_earth_is_refused():
    """A planar ring from 180 W to 180 E would meet itself on the globe."""
    ring = [(-180, 80), (0, 80), (180, 80), (180, 85), (0, 85), (-180, 85), (-180, 80)]
    assert refused(area(ring)) == "area-too-large"


@pytest.mark.parametrize("south", [-90, -80, -10, -5, 0, 40, 70, 80])
@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_largest_area_that_is_not_looked_at_for_its_size_is_small(south, edges, monkeypatch):
    """An area of 10 degrees by 10 passes the check of its size as well, so leaving it out lets nothing through."""
    corners = [(3, south), (13, south), (13, south + 10), (3, south + 10)]
    ring = [corner for corner in corners if abs(corner[1]) < 90]
    ring = [*ring, (8, 90 if south == 80 else -90)] if len(ring) < 4 else ring
    shape = area([*ring, ring[0]])
    check_geometry(shape, edges, field="geometry")
    monkeypatch.setattr(rules, "_SMALL_NANODEG", -1)
    check_geometry(shape, edges, field="geometry")


def test_line_of_one_position_is_refused():
    """A corridor has two ends."""
    assert refused(Corridor(((0, 0),), 10_000)) == "line-short"
    assert refused(Corridor(((0, 0), (0, 0)), 10_000)) == "geometry-empty"


def test_position_past_the_limit_is_refused():
    """One more position than the limit is an error, never a truncation."""
    count = VERTICES_PER_PIECE
    ring = [
        (math.cos(2 * math.pi * k / count), math.sin(2 * math.pi * k / count)) for k in range(count)
    ]
    assert refused(area([*ring, ring[0]])) == "vertices-too-many"
    check_geometry(area([*ring[:-1], ring[0]]), "planar", field="geometry")


def test_edges_of_endless_length_are_refused():
    """A short message cannot make us cut a million parts."""
    zigzag = tuple(((170 if k % 2 else -9) * 10**9, (k % 80) * 10**9) for k in range(2_000))
    assert refused(Corridor(zigzag, 10_000)) == "edges-too-long"
    assert EDGE_PARTS_PER_NOTICE == 100_000


def test_intricate_outline_is_refused_for_its_cost():
    """A comb of long slivers, all near each other, is refused before it costs seconds."""
    teeth = [(k / 500, (4.0 if k % 2 else 0.5) + k / 10**6) for k in range(1_000)]
    slanted = [(x + 0.6 * y, y) for x, y in teeth]
    ring = [(0, 0), *slanted, (5, 0), (0, 0)]
    assert refused(area(ring)) in ("geometry-intricate", "edges-too-long")


def test_position_with_swapped_coordinates_gets_a_hint():
    """A latitude over 90 that would be a longitude is probably a swap."""
    with pytest.raises(UsageError) as error:
        check_position(33 * 10**9, 135 * 10**9, field="p")
    assert "swapped" in error.value.hint
    with pytest.raises(UsageError, match="longitude is 181"):
        check_position(181 * 10**9, 0, field="p")


@pytest.mark.parametrize("size", [0, -1, 20_000_000_001])
def test_size_out_of_range_is_refused(size):
    """A radius is above zero and at most 2,000 km."""
    with pytest.raises(UsageError):
        check_size(size, field="radius")


@pytest.mark.parametrize(
    "geometry",
    [
        Circle((1, 2), 3),
        Corridor(((1, 2), (3, 4)), 5),
        area(SQUARE, [(1, 1), (2, 1), (2, 2), (1, 1)]),
    ],
)
def test_geometry_body_round_trips(geometry):
    """The canonical form rebuilds the same geometry."""
    assert parse_geometry_body(geometry.body(), field="g") == geometry


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"type": "sphere"},
        {"type": ["circle"]},
        {"type": "circle", "center": [1, 2], "radius_tenth_mm": 3, "x": 1},
        {"type": "circle", "center": [1.0, 2], "radius_tenth_mm": 3},
        {"type": "circle", "center": [True, 2], "radius_tenth_mm": 3},
        {"type": "circle", "center": [1, 2, 3], "radius_tenth_mm": 3},
        {"type": "circle", "center": [1, 91 * 10**9], "radius_tenth_mm": 3},
        {"type": "circle", "center": [1, 2], "radius_tenth_mm": "3"},
        {"type": "corridor", "points": [], "half_width_tenth_mm": 3},
        {"type": "corridor", "points": {}, "half_width_tenth_mm": 3},
        {"type": "area", "polygons": [[]]},
        {"type": "area", "polygons": [[[[1, 2]] * 10_001]]},
    ],
)
def test_geometry_body_from_a_hostile_peer_is_refused(body):
    """Any difference from the canonical form is refused, with the place of it."""
    with pytest.raises(UsageError) as error:
        parse_geometry_body(body, field="pieces[0].geometry")
    assert error.value.field.startswith("pieces[0].geometry")

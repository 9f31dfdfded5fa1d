"""Defects of well-known tools, as volumes: each is a case here, and the boundaries on either side of it.

The numbers are those of the list of defects that the engine was built against; defects of tracks alone
stand in the tests of tracks.
"""

from math import cos, radians

import pytest
from notices import EPOCH, FEET, MINUTE, NM, box, circle, corridor, judged, nanodeg, notice, piece

from detente.airspace.altitude import parse_altitude
from detente.airspace.area import Area, Circle
from detente.airspace.earth import chord_of, earth_point
from detente.airspace.volume import build_volume
from detente.conflict.strategic import LiveVolumes, Minima, Rules

FOOT = 1_000 * FEET


# -- 2: the antimeridian ---------------------------------------------------------------------------


@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_volumes_that_meet_at_180_degrees_meet(edges):
    """Defect 2: volumes at 179.99 E and 179.99 W that reach each other are a conflict, and clear when they do not."""
    west = notice(piece(circle(179.99, 10, 2_000)))
    east = notice(piece(circle(-179.99, 10, 2_000)))
    assert judged(west, east).verdict == "conflict"
    assert judged(west, notice(piece(circle(-179.9, 10, 2_000)))).verdict == "clear"
    area = notice(piece(box(-180, 9, -179.995, 11), edges=edges))
    assert judged(notice(piece(circle(179.99, 10, 2_000))), area).verdict == "conflict"
    assert judged(notice(piece(circle(179.9, 10, 2_000))), area).verdict == "clear"


def test_areas_that_share_180_degrees_touch_and_conflict_under_any_minimum():
    """Defect 2: two areas cut at 180 degrees share that edge; they touch, and are nearer than any minimum."""
    west, east = notice(piece(box(179, 0, 180, 1))), notice(piece(box(-180, 0, -179, 1)))
    assert judged(west, east).verdict == "touch"
    assert judged(west, east, Rules(Minima(1))).verdict == "conflict"
    above = notice(piece(box(-180, 1, -179, 2)))
    assert judged(west, above).verdict == "touch"  # one corner
    assert judged(west, notice(piece(box(-180, 1.000_000_001, -179, 2)))).verdict == "clear"


def test_volumes_across_180_degrees_are_candidates_in_the_index():
    """Defect 2: the index finds across 180 degrees what the verdict finds."""
    live = LiveVolumes()
    live.insert("east", notice(piece(circle(-179.99, 10, 2_000))))
    assert live.candidates(notice(piece(circle(179.99, 10, 2_000))), Rules()) == ["east"]


# -- 5: feet in floating-point metres ----------------------------------------------------------------


def level(hundreds, datum="STD"):
    """A flight level, or hundreds of feet in another datum."""
    if datum == "STD":
        return parse_altitude({"value": hundreds, "unit": "FL", "datum": datum}, field="x")
    return parse_altitude({"value": hundreds * 100, "unit": "ft", "datum": datum}, field="x")


def between(lower, upper):
    """A notice over one box, in a band."""
    built = build_volume(
        box(0, 0, 1, 1), "planar", lower, upper, EPOCH, EPOCH + 60 * MINUTE, field="x"
    )
    return notice(built)


def test_every_pair_of_levels_exactly_1000_feet_apart_touches():
    """Defect 5: all flight levels a thousand feet apart are exactly at the minimum, none of them closer."""
    rules = Rules(Minima(0, FOOT, 0))
    for hundreds in range(0, 550, 10):
        low = between(level(hundreds), level(hundreds + 5))
        high = between(level(hundreds + 15), level(hundreds + 25))
        assert judged(low, high, rules).verdict == "touch", hundreds


@pytest.mark.parametrize(("nearer", "verdict"), [(1, "conflict"), (0, "touch"), (-1, "clear")])
def test_a_tenth_of_a_millimetre_of_height_decides(nearer, verdict):
    """Defect 5: 0.1 mm below the vertical minimum is a conflict, at it a touch, above it clear."""
    low = between(level(100, "MSL"), level(200, "MSL"))
    high = between(level(210, "MSL"), level(300, "MSL"))
    assert judged(low, high, Rules(Minima(0, FOOT + nearer, 0))).verdict == verdict


def test_feet_and_metres_and_levels_of_one_height_are_one_height():
    """Defect 5: a height is the same whole number from feet, from metres and as a level."""
    feet = parse_altitude({"value": 12_500, "unit": "ft", "datum": "MSL"}, field="x")
    metres = parse_altitude({"value": 3_810, "unit": "m", "datum": "MSL"}, field="x")
    assert feet.tenth_mm == metres.tenth_mm == level(125).tenth_mm == 12_500 * FEET
    top = parse_altitude({"value": 5_000, "unit": "m", "datum": "MSL"}, field="x")
    low = parse_altitude({"value": 0, "unit": "m", "datum": "MSL"}, field="x")
    assert judged(between(low, feet), between(metres, top)).verdict == "touch"


# -- 8: datums, boxes, coverings, limits ---------------------------------------------------------------


def test_one_number_in_two_datums_is_never_compared_as_it_stands():
    """Defect 8: 10,000 ft over the sea against flight level 100 is not known to be the same height."""
    sea = between(level(90, "MSL"), level(100, "MSL"))
    standard = between(level(101), level(110))
    assert judged(sea, standard).verdict == "cannot-tell"
    assert (
        judged(between(level(10, "MSL"), level(20, "MSL")), between(level(400), level(410))).verdict
        == "clear"
    )
    assert (
        judged(between(level(0, "MSL"), level(400, "MSL")), between(level(190), level(200))).verdict
        == "conflict"
    )


@pytest.mark.parametrize("lat", [0, 45, 60, 75, 85, 89])
def test_search_box_is_wide_enough_at_every_latitude(lat):
    """Defect 8: at 60 N a degree of longitude is half as long, and what is near in metres is still found."""
    metres = 18_000
    east = metres / (111_320 * max(0.01745, cos(radians(lat))))
    here, there = notice(piece(circle(0, lat, 10_000))), notice(piece(circle(east, lat, 10_000)))
    assert judged(here, there).verdict == "conflict"
    live = LiveVolumes()
    live.insert("there", there)
    assert [key for key, _ in live.check_against(here, Rules())] == ["there"]


def test_circle_is_round_at_every_bearing():
    """Defect 8: a circle is no polygon: what an inscribed 20-gon would miss between its corners is found."""
    radius = 10_000 * 10_000
    center = (0, nanodeg(60))
    inside = outside = 0
    for k in range(40):
        step = 10_000_000 * k  # along the parallel, then up: many bearings
        point = (nanodeg(0.001) + 4 * step // 10, nanodeg(60.085) - step // 10)
        a, b = earth_point(*center), earth_point(*point)
        square = sum((q - p) ** 2 for p, q in zip(a, b, strict=True)) << 32
        expected = "conflict" if square < chord_of(radius + 10_000) ** 2 else "clear"
        found = judged(
            notice(piece(Circle(center, radius))), notice(piece(Circle(point, 10_000)))
        ).verdict
        assert found == expected, k
        inside += expected == "conflict"
        outside += expected == "clear"
    assert inside
    assert outside


@pytest.mark.parametrize(
    ("nearer", "verdict"), [(1, "conflict"), (0, "touch-or-clear"), (-1, "clear")]
)
def test_a_tenth_of_a_millimetre_of_distance_decides(nearer, verdict):
    """Defect 8: two circles are decided to 0.1 mm on either side of a minimum, at any bearing."""
    one, two = circle(24.9, 60.2, 1_000), circle(25.1, 60.33, 1_500)
    gap = judged(
        notice(piece(one)), notice(piece(two)), Rules(Minima(50 * NM))
    ).lateral_gap_tenth_mm
    found = judged(notice(piece(one)), notice(piece(two)), Rules(Minima(gap + nearer))).verdict
    assert found == verdict or (verdict == "touch-or-clear" and found in ("touch", "clear"))


def test_an_area_of_any_size_is_taken():
    """Defect 8: an area of a million square kilometres is compared as any other."""
    sea = notice(piece(box(0, 30, 12, 40)))
    assert judged(sea, notice(piece(circle(6, 35, 10)))).verdict == "conflict"
    assert judged(sea, notice(piece(circle(12.001, 35, 10)))).verdict == "clear"


# -- time, holes and declared edges -----------------------------------------------------------------------


@pytest.mark.parametrize(("later", "verdict"), [(-1, "conflict"), (0, "touch"), (1, "clear")])
@pytest.mark.parametrize("minimum", [0, 5 * MINUTE])
def test_a_microsecond_decides(later, verdict, minimum):
    """One microsecond inside the time minimum is a conflict, at it a touch, beyond it clear."""
    first = notice(piece(box(0, 0, 1, 1), start=0, end=60))
    start = 60 + (minimum + later) / MINUTE
    second = notice(piece(box(0, 0, 1, 1), start=start, end=start + 60))
    assert judged(first, second, Rules(Minima(0, 0, minimum))).verdict == verdict


def test_a_hole_is_outside_to_the_last_digit():
    """What lies in a hole is clear, what fills it touches, and 0.1 mm more is a conflict."""
    (outer,), (hole,) = box(0, 0, 10, 10).polygons[0], box(4, 4, 6, 6).polygons[0]
    ring = notice(piece(Area(((outer, hole),))))
    assert judged(ring, notice(piece(box(4.5, 4.5, 5.5, 5.5)))).verdict == "clear"
    assert judged(ring, notice(piece(box(4, 4, 6, 6)))).verdict == "touch"
    assert judged(ring, notice(piece(box(4, 4, 6.000_000_001, 6)))).verdict == "conflict"
    assert judged(ring, notice(piece(circle(5, 5, 1_000)))).verdict == "clear"
    assert judged(ring, notice(piece(corridor([(4.5, 5), (5.5, 5)], 1_000)))).verdict == "clear"
    assert judged(ring, notice(piece(corridor([(3.9, 5), (5.5, 5)], 1_000)))).verdict == "conflict"


def test_declared_edges_are_kept_apart():
    """A planar and a geodesic edge between the same corners differ by kilometres, and a circle between them shows it."""
    corners = box(0, 50, 20, 55)
    between_ = circle(10, 50.2, 5_000)  # south of the geodesic, north of the straight line
    assert (
        judged(notice(piece(corners, edges="planar")), notice(piece(between_))).verdict
        == "conflict"
    )
    assert (
        judged(notice(piece(corners, edges="geodesic")), notice(piece(between_))).verdict == "clear"
    )


def test_swapped_pieces_and_parties_say_the_same():
    """Defects 4 and 6: the order of parties, pieces and polygons changes no verdict."""
    first = notice(piece(box(0, 0, 1, 1)), piece(circle(5, 5, 1_000), start=30, end=90), name="A-1")
    second = notice(piece(circle(5, 5, 10), start=0, end=40), piece(box(3, 3, 4, 4)), name="B-1")
    found = judged(first, second)
    assert found.verdict == "conflict"
    swapped = notice(*reversed(second.pieces), name="B-1")
    again = judged(first, swapped)
    assert (again.verdict, again.from_us, again.until_us) == (
        "conflict",
        found.from_us,
        found.until_us,
    )

"""Moving volumes: the way counts when somebody is on it, not before and not after."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import EPOCH, FEET, MINUTE, NM, box, circle, corridor, judged, nanodeg, notice, piece

from detente.airspace.altitude import parse_altitude
from detente.airspace.area import Moving
from detente.airspace.volume import build_volume
from detente.conflict.move import Move, apply_move
from detente.conflict.strategic import LiveVolumes, Minima, Rules
from detente.errors import UsageError
from detente.interop.geojson import format_geojson, parse_notice_geojson
from detente.notice.activity import parse_activity_body

MILE = 1852


def track(points, minutes, radius_m=MILE, lower=1000, upper=9000, edges="planar", name="M-1"):
    """A notice of one moving volume; times in minutes after `EPOCH`."""
    times = tuple(EPOCH + round(minute * MINUTE) for minute in minutes)
    geometry = Moving(
        tuple((nanodeg(x), nanodeg(y)) for x, y in points), times, round(radius_m * 10_000)
    )
    low, high = (
        parse_altitude({"value": value, "unit": "ft", "datum": "MSL"}, field="x")
        for value in (lower, upper)
    )
    return notice(
        build_volume(geometry, edges, low, high, times[0], times[-1], field="x"), name=name
    )


EAST = track([(0, 0), (1, 0)], [0, 60])  # a degree an hour along the equator


@pytest.mark.parametrize(
    ("start", "end", "verdict"),
    [(0, 20, "clear"), (20, 40, "conflict"), (40, 60, "clear"), (31, 33, "conflict")],
)
def test_area_on_the_way_conflicts_only_while_somebody_is_there(start, end, verdict):
    """T-MOV-3: the way through an area is a conflict when the area is in use at that time, else clear."""
    area = notice(piece(box(0.45, -0.1, 0.55, 0.1), start=start, end=end))
    assert judged(EAST, area).verdict == verdict


def test_window_of_a_crossing_is_known_to_the_second():
    """T-MOV-5: from and until are when the radius reaches the area and leaves it, outward to a second."""
    found = judged(EAST, notice(piece(box(0.45, -0.1, 0.55, 0.1))))
    radius = MILE / 111_319.49
    enters, leaves = (0.45 - radius) * 3600, (0.55 + radius) * 3600
    assert 0 <= enters - (found.from_us - EPOCH) / 1e6 <= 1.1
    assert 0 <= (found.until_us - EPOCH) / 1e6 - leaves <= 1.1
    assert abs(found.place[0] - nanodeg(0.5)) < nanodeg(0.06)
    assert found.lateral_gap_tenth_mm < 0


def test_time_minimum_widens_the_times_that_count():
    """T-MOV-3: with a time minimum the way counts as long before and after the area's interval, strictly."""
    west = notice(piece(box(-0.2, -0.1, 0.1, 0.1), start=20, end=30))
    # The last that is within a mile of the area is at 0.1 + 0.01664 degrees: 6 min 59.9 s.
    assert judged(EAST, west).verdict == "clear"
    assert judged(EAST, west, Rules(Minima(0, 0, 13 * MINUTE))).verdict == "clear"
    assert judged(EAST, west, Rules(Minima(0, 0, 14 * MINUTE))).verdict == "conflict"


@pytest.mark.parametrize(
    "shape", [circle(0.5, 0.05, MILE), corridor([(0.5, 0.05), (0.5, 1)], MILE)]
)
def test_circles_and_corridors_are_met_as_areas_are(shape):
    """T-MOV-3: a circle and a corridor 3 NM north of the way meet it within a minimum of 2 NM, not of 0.5."""
    other = notice(piece(shape, start=25, end=35))
    assert judged(EAST, other).verdict == "clear"
    assert judged(EAST, other, Rules(Minima(NM // 2))).verdict == "clear"
    assert judged(EAST, other, Rules(Minima(2 * NM))).verdict == "conflict"
    early = notice(piece(shape, start=0, end=10))
    assert judged(EAST, early, Rules(Minima(2 * NM))).verdict == "clear"


def test_two_on_one_way_at_different_times_never_meet():
    """T-MOV-4: one who follows twenty minutes behind is clear; within a time minimum of 19 he is not."""
    behind = track([(0, 0), (1, 0)], [20, 80], name="M-2")
    assert judged(EAST, behind).verdict == "clear"
    assert judged(EAST, behind, Rules(Minima(0, 0, 18 * MINUTE))).verdict == "clear"
    assert judged(EAST, behind, Rules(Minima(0, 0, 19 * MINUTE))).verdict == "conflict"


def test_two_who_meet_head_on_are_a_conflict_when_they_meet():
    """T-MOV-4: two who start from the ends of one way meet in its middle, at its half time."""
    other = track([(1, 0), (0, 0)], [0, 60], name="M-2")
    found = judged(EAST, other)
    assert found.verdict == "conflict"
    half = 2 * MILE / 111_319.49 / 2 * 3600
    assert 0 <= (1800 - half) - (found.from_us - EPOCH) / 1e6 <= 1.1
    assert 0 <= (found.until_us - EPOCH) / 1e6 - (1800 + half) <= 1.1
    assert abs(found.place[0] - nanodeg(0.5)) < 1_000
    assert found.lateral_gap_tenth_mm == -2 * MILE * 10_000


def test_formation_is_decided_to_a_tenth_of_a_millimetre():
    """T-MOV-4: two abreast with the same motion are decided exactly (defect 1), either side of the minimum."""
    other = track([(0, 0.1), (1, 0.1)], [0, 60], name="M-2")
    apart = judged(EAST, other, Rules(Minima(20 * NM))).lateral_gap_tenth_mm
    assert judged(EAST, other, Rules(Minima(apart + 1))).verdict == "conflict"
    assert judged(EAST, other, Rules(Minima(apart))).verdict == "clear"
    assert abs(apart - 7_353 * 10_000) < 30 * 10_000  # 0.1 degrees less two miles
    same = track([(0, 0), (1, 0)], [0, 60], radius_m=0.0001, name="M-2")
    assert judged(same, EAST).verdict == "conflict"


def test_bands_and_exercise_hold_for_moving_volumes():
    """A moving volume above another is clear, one exactly on top of it touches."""
    above = track([(0, 0), (1, 0)], [0, 60], lower=9000, upper=12000, name="M-2")
    assert judged(EAST, above).verdict == "touch"
    assert judged(EAST, above, Rules(Minima(0, 1_000 * FEET, 0))).verdict == "conflict"
    higher = track([(0, 0), (1, 0)], [0, 60], lower=9001, upper=12000, name="M-2")
    assert judged(EAST, higher).verdict == "clear"


def test_one_who_ends_when_the_other_begins_touches():
    """Two who are at one place at the same instant only, one ending and one beginning, touch."""
    on = track([(1, 0), (2, 0)], [60, 120], name="M-2")
    assert judged(EAST, on).verdict == "touch"
    elsewhere = track([(2, 0), (3, 0)], [60, 120], name="M-2")
    assert judged(EAST, elsewhere).verdict == "clear"
    area = notice(piece(box(0.9, -1, 1.1, 1), start=60, end=70))
    assert judged(EAST, area).verdict == "touch"


def test_ways_cross_180_degrees_and_the_pole():
    """T-MOV-3: with geodesic edges neither the antimeridian nor a pole is a special place (defects 2 and 3)."""
    over = track([(179.5, 0), (-179.5, 0)], [0, 60], edges="geodesic")
    area = notice(piece(box(-180, -0.1, -179.95, 0.1), start=29, end=33))
    assert judged(over, area).verdict == "conflict"
    meets = track([(-179.5, 0), (179.5, 0)], [0, 60], edges="geodesic", name="M-2")
    assert judged(over, meets).verdict == "conflict"
    north = track([(0, 89.8), (180, 89.8)], [0, 10], edges="geodesic")
    south = track([(90, 89.8), (-90, 89.8)], [0, 10], edges="geodesic", name="M-2")
    assert judged(north, south).verdict == "conflict"


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=4),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=4),
    st.integers(0, 90),
    st.sampled_from([0, 5]),
)
@settings(max_examples=40, deadline=None)
def test_later_by_any_time_is_the_same_for_both(one, two, later, minimum):
    """T-MOV-4: sampling both ways at every minute never finds two nearer than the verdict says."""
    scale = 0.02
    a = track([(x * scale, y * scale) for x, y in one], range(0, 30 * len(one), 30))
    b = track(
        [(x * scale, y * scale) for x, y in two],
        range(later, later + 30 * len(two), 30),
        name="M-2",
    )
    found = judged(a, b, Rules(Minima(0, 0, minimum * MINUTE)))

    def at(points, start, minute):
        share = (minute - start) / 30
        k = min(int(share), len(points) - 2)
        (x0, y0), (x1, y1) = points[k], points[k + 1]
        part = share - k
        return (x0 + (x1 - x0) * part) * scale, (y0 + (y1 - y0) * part) * scale

    for minute in range(30 * (len(one) - 1) + 1):
        for other in range(minute - minimum, minute + minimum + 1):
            if not later <= other <= later + 30 * (len(two) - 1):
                continue
            (x, y), (u, v) = at(one, 0, minute), at(two, later, other)
            metres = ((x - u) ** 2 + (y - v) ** 2) ** 0.5 * 111_400
            if metres < 2 * MILE * 0.98 and abs(minute - other) < max(minimum, 1e-9):
                assert found.verdict == "conflict"


def test_moving_notice_survives_geojson_and_its_body():
    """A LineString with times and a radius is a moving volume; reading, writing and the body keep it."""
    text = b"""{"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 0], [1, 0]]},
      "properties": {"id": "T-1", "radius_nm": 2, "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
      "upper": {"value": 250, "unit": "FL", "datum": "STD"},
      "times": ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]}}"""
    read = parse_notice_geojson(text)
    assert isinstance(read.pieces[0].geometry, Moving)
    assert read.start_us == read.pieces[0].geometry.times_us[0]
    assert parse_notice_geojson(format_geojson(read)) == read
    assert parse_activity_body(read.body(), name="T-1", exercise=False) == read


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b'"radius_nm": 2', b'"half_width_nm": 2'), "size-misplaced"),
        ((b'"radius_nm": 2,', b""), "size-missing"),
        ((b"LineString", b"Polygon"), "times-misplaced"),
        ((b'"radius_nm"', b'"end": "2026-01-01T01:30:00Z", "radius_nm"'), "interval-of-times"),
        ((b'"2026-01-01T01:00:00Z"', b'"2026-01-01"'), "time-malformed"),
        ((b'["2026', b'[1, "2026'), "time-malformed"),
        ((b'"2026-01-01T01:00:00Z"]', b'"2026-01-01T00:00:00Z"]'), "interval-empty"),
    ],
)
def test_moving_geojson_that_is_wrong_is_refused(change, code):
    """Each wrong way of writing a moving volume is refused by name."""
    text = b"""{"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 0]]},
      "properties": {"id": "T-1", "radius_nm": 2, "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
      "upper": {"value": 250, "unit": "FL", "datum": "STD"},
      "times": ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"]}}"""
    assert change[0] in text
    with pytest.raises(UsageError) as caught:
        parse_notice_geojson(text.replace(*change, 1))
    assert caught.value.code == code


def test_body_with_times_that_are_not_its_interval_is_refused():
    """What a peer writes is held to the same rule: the interval of a moving piece is that of its times."""
    body = EAST.body()
    body["pieces"][0]["end"] = "2018-09-17T19:50:00Z"
    with pytest.raises(UsageError, match="begin and end together"):
        parse_activity_body(body, name="M-1", exercise=False)
    body = EAST.body()
    body["pieces"][0]["geometry"]["times"][0] = "2018-09-17T18:39:00.000000Z"
    with pytest.raises(UsageError, match="it must be 2018"):
        parse_activity_body(body, name="M-1", exercise=False)


def test_move_in_time_takes_the_times_along():
    """A moving notice that is moved later is a moving notice still: its times go with its interval."""
    move = Move("north:M-1", later_us=5 * MINUTE, aside_tenth_mm=NM, bearing_tenth_deg=900)
    later = apply_move(EAST, move)
    assert later.pieces[0].geometry.times_us == tuple(
        time + 5 * MINUTE for time in EAST.pieces[0].geometry.times_us
    )
    assert parse_activity_body(later.body(), name="M-1", exercise=False) == later
    assert (
        judged(EAST, later).verdict == "clear"
    )  # five minutes behind on one way, and the radii are two together


def test_moving_notices_are_candidates_in_the_index():
    """The index holds the whole way, so whoever is near any of it is a candidate."""
    live = LiveVolumes()
    live.insert("m", EAST)
    there = notice(piece(circle(0.98, 0, 100), start=55, end=60))
    assert [key for key, found in live.check_against(there, Rules())] == ["m"]
    assert live.check_against(notice(piece(circle(0.98, 0, 100), start=0, end=5)), Rules()) == []

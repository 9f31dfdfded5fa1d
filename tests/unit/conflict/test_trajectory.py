"""Tracks against tracks: every number of every conflict is that of the slow oracle, by every path."""

import random

import numpy as np
import pytest

from detente.airspace.earth import earth_point
from detente.conflict import spell, sweep
from detente.conflict.meet import Leg, meet
from detente.conflict.trajectory import (
    LegRules,
    Minima,
    build_legs,
    build_tracks,
    check_track,
    find_conflicts,
    find_in_legs,
    join_meetings,
)
from detente.errors import UsageError
from oracle import legs as oracle

NM, FT, S = 18_520_000, 3048, 1_000_000
MINIMA = Minima(5 * NM, 1000 * FT)
BASE = 1_533_081_600 * S


def table(tracks):
    """Tracks of {id: [(time, lon, lat, alt), ...]} in arrays."""
    ids = tuple(sorted(tracks))
    rows = [row for name in ids for row in tracks[name]]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    starts = np.cumsum([0] + [len(tracks[name]) for name in ids])
    return build_tracks(ids, starts, *columns)


def answer(tracks, minima=MINIMA, rules=LegRules(), threads=1):
    """What the engine finds, as the oracle says it."""
    found = find_conflicts(table(tracks), minima, rules, threads=threads)
    return [
        (c.a, c.b, c.from_us, c.until_us, c.closest_us, c.lateral_tenth_mm, c.vertical_tenth_mm)
        for c in found.conflicts
    ]


def crowd(draw, count, *, lon=7.0, lat=46.5, size=0.5, points=6):
    """Tracks in a small box, with the coincidences that real ones have: same times, levels and speeds."""
    tracks = {}
    for number in range(count):
        time = BASE + draw.choice([0, 0, 5, 10, draw.randint(0, 60)]) * S
        x, y = lon + draw.uniform(-size, size), lat + draw.uniform(-size, size)
        vx, vy = draw.choice([(0.002, 0.0), (0.0, 0.002), (-0.002, 0.001), (0.0, 0.0)])
        level = draw.choice([290, 300, 310, 300.25])
        rows = []
        for _ in range(points):
            lon_nano = round(((x + 180) % 360 - 180) * 1e9)
            rows.append(
                (time, lon_nano, round(max(-90, min(90, y)) * 1e9), round(level * 100) * FT)
            )
            step = draw.choice([10, 20, 20, 30, 7.5, 60, 700 if draw.random() < 0.1 else 40])
            time += round(step * S)
            x, y = x + vx * step, y + vy * step
            if draw.random() < 0.3:
                vx, vy = draw.uniform(-0.003, 0.003), draw.uniform(-0.003, 0.003)
            if draw.random() < 0.3:
                level += draw.choice([-10, -0.25, 0.25, 10, draw.uniform(-5, 5)])
        tracks[f"T{number:02d}"] = rows
    return tracks


@pytest.fixture(params=["compiled", "numpy"])
def path(request, monkeypatch):
    """Both ways through the filter."""
    if request.param == "numpy":
        monkeypatch.setattr(sweep, "HAS_COMPILER", False)
    elif not sweep.HAS_COMPILER:
        pytest.skip("numba is not here")
    return request.param


# -- two legs ----------------------------------------------------------------------------------------


def _random_leg(draw, lon, lat):
    start = BASE + draw.choice([0, draw.randint(0, 60 * S)])
    lasts = draw.choice([1, S, 10 * S, draw.randint(1, 120 * S)])
    places = [
        earth_point(
            round((lon + draw.uniform(-0.1, 0.1)) * 1e9),
            round((lat + draw.uniform(-0.1, 0.1)) * 1e9),
        )
        for _ in range(2)
    ]
    alts = [
        draw.choice([29_000, 30_000, 30_025, draw.randint(28_000, 31_000)]) * FT for _ in range(2)
    ]
    return Leg(start, start + lasts, *places, *alts)


def test_meeting_of_random_legs_is_the_oracles():
    """T-PAIR-1, T-PAIR-2, T-PAIR-3: 3,000 random pairs of legs meet when and how exact rationals say, in either order."""
    draw = random.Random(1)
    met = 0
    for _ in range(3_000):
        a, b = _random_leg(draw, 7.0, 46.5), _random_leg(draw, 7.0, 46.5)
        if draw.random() < 0.1:  # the same velocity
            b = Leg(
                a.start_us,
                a.end_us,
                *(tuple(p + 40_000_000 for p in q) for q in (a.tail, a.head)),
                a.start_alt,
                a.end_alt,
            )
        slow = oracle.meet_slowly(
            ((a.start_us, a.tail, a.start_alt), (a.end_us, a.head, a.end_alt)),
            ((b.start_us, b.tail, b.start_alt), (b.end_us, b.head, b.end_alt)),
            MINIMA.lateral_tenth_mm,
            MINIMA.vertical_tenth_mm,
        )
        found = meet(a, b, MINIMA.lateral_tenth_mm, MINIMA.vertical_tenth_mm)
        assert found == meet(b, a, MINIMA.lateral_tenth_mm, MINIMA.vertical_tenth_mm)
        assert (tuple(found) if found else None) == slow
        met += slow is not None
    assert 300 < met < 2_700


def test_meeting_numbers_are_within_the_minima():
    """T-PAIR-3: the interval is not empty, the closest lies in it, laterally below the minimum and vertically at most at it."""
    draw = random.Random(2)
    for _ in range(2_000):
        found = meet(_random_leg(draw, 7.0, 46.5), _random_leg(draw, 7.0, 46.5), 5 * NM, 1000 * FT)
        if found:
            assert found.from_us <= found.closest_us < found.until_us
            assert found.lateral_tenth_mm < 5 * NM
            assert found.vertical_tenth_mm <= 1000 * FT


# -- all against all -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lon", "lat", "size"),
    [(7.0, 46.5, 0.2), (180.0, 0.0, 0.2), (-31.0, 89.9, 0.1), (20.0, -90.0, 0.1)],
    ids=["alps", "antimeridian", "north-pole", "south-pole"],
)
def test_conflicts_of_a_crowd_are_the_oracles(path, lon, lat, size):
    """T-PAIR-4: all conflicts of crowded tracks, and all their numbers, are the oracle's, anywhere on earth."""
    draw = random.Random(hash((lon, lat)) % 1000)
    expected_any = 0
    for _ in range(3):
        tracks = crowd(draw, 14, lon=lon, lat=lat, size=size)
        expected = oracle.conflicts_slowly(tracks, 5 * NM, 1000 * FT)
        expected_any += len(expected)
        for threads in (1, 2):
            assert answer(tracks, threads=threads) == expected
    assert expected_any >= 10


def test_conflicts_are_the_same_by_every_path(monkeypatch):
    """Compiled or not, one thread or two: the same bytes for a thousand tracks; and the whole-number path alone gives them too."""
    draw = random.Random(7)
    tracks = table(crowd(draw, 1_000, size=4.0, points=20))
    legs = build_legs(tracks, LegRules())
    results = []
    for has_compiler in {sweep.HAS_COMPILER, False}:
        monkeypatch.setattr(sweep, "HAS_COMPILER", has_compiler)
        for threads in (1, 2):
            found = find_in_legs(legs, MINIMA, threads=threads)
            results.append((found.a.tobytes(), found.b.tobytes(), found.numbers.tobytes()))
    assert len(set(results)) == 1
    assert len(found.a) > 300
    one, two, sure = sweep.find_close(legs, 5 * NM, 1000 * FT)
    none_sure = spell.measure(legs, one, two, np.zeros_like(sure), 5 * NM, 1000 * FT)
    assert (none_sure[2] == spell.measure(legs, one, two, sure, 5 * NM, 1000 * FT)[2]).all()


@pytest.mark.parametrize("lateral", [5 * NM, 200 * NM])
def test_the_grid_has_no_seam_over_the_globe_or_over_years(path, lateral):
    """Where faces of the grid meet, at poles, at 180 degrees and years apart, the filter keeps the very pairs of legs that comparing each with each keeps."""
    draw = random.Random(12)
    tracks = {}
    corner = 35.26438968  # three faces meet at this latitude and 45 degrees east
    for number, (lon, lat) in enumerate(
        [(45, corner), (-135, -corner), (45, 0), (-45, 0.1), (0, 45), (90, -45), (180, 0), (0, 90),
         (0, -90), (180, corner)]
    ):  # fmt: skip
        for name, rows in crowd(draw, 18, lon=lon, lat=lat, size=0.25, points=8).items():
            later = draw.choice([0, 0, 86_400 * S, 40 * 365 * 86_400 * S])
            tracks[f"{number}{name}"] = [(row[0] + later, *row[1:]) for row in rows]
    legs = build_legs(table(tracks), LegRules())
    one, two, sure = sweep.find_close(legs, lateral, 1000 * FT, threads=2)
    rows = np.nonzero(legs.joined)[0]
    low, high = (rows[at] for at in np.triu_indices(len(rows), 1))
    apart = legs.track[low] != legs.track[high]
    low, high = low[apart], high[apart]
    reach = sweep.chord_of(lateral) / 2.0**16
    expected = sweep.judge_legs(
        low, high, legs.time_us, legs.point, legs.alt_tenth_mm, reach, 1000.0 * FT
    )
    hit = expected > 0
    assert hit.sum() > 100
    assert np.array_equal(one, low[hit])
    assert np.array_equal(two, high[hit])
    assert np.array_equal(sure, expected[hit] == 1)


def test_filter_leaves_little_to_whole_numbers():
    """The floating point decides nearly everything: a slow path that is taken always would hide a broken filter."""
    draw = random.Random(8)
    legs = build_legs(table(crowd(draw, 500, size=2.0, points=20)), LegRules())
    _, _, sure = sweep.find_close(legs, 5 * NM, 1000 * FT)
    assert len(sure) > 400
    assert sure.mean() > 0.9


def test_wide_minima_are_compared_like_narrow_ones(path):
    """A minimum wider than a cell of the grid, and one below a mile, find what the oracle finds."""
    draw = random.Random(9)
    tracks = crowd(draw, 10, size=2.0)
    for lateral in (60 * NM, NM // 2):
        assert answer(tracks, Minima(lateral, 1000 * FT)) == oracle.conflicts_slowly(
            tracks, lateral, 1000 * FT
        )


def test_one_against_all_is_its_share_of_all_against_all(path):
    """Each track checked against the others has exactly the conflicts that all against all gives it; other pairs are not its matter."""
    draw = random.Random(11)
    tracks = crowd(draw, 40, size=0.4)
    everything = find_conflicts(table(tracks), MINIMA).conflicts
    assert len(everything) > 20
    for name in list(tracks)[::4]:
        own = build_legs(table({name: tracks[name]}), LegRules())
        others = build_legs(table({k: v for k, v in tracks.items() if k != name}), LegRules())
        found = check_track(own, others, MINIMA)
        assert list(found.conflicts) == [c for c in everything if name in (c.a, c.b)]
        assert check_track(others, own, MINIMA).conflicts == found.conflicts
    with pytest.raises(UsageError, match="on both sides"):
        check_track(own, own, MINIMA)


# -- legs ----------------------------------------------------------------------------------------------


def _flight(*points):
    return [
        (BASE + round(t * S), round(lon * 1e9), round(lat * 1e9), round(ft) * FT)
        for t, lon, lat, ft in points
    ]


def test_silence_over_the_limit_cuts_a_track(path):
    """T-LEG-1: points 600 s apart are joined, 600.000001 s apart are not; the cut is counted."""
    other = _flight((0, 7.5, 46.0, 30_000), (300, 7.5, 46.0, 30_000), (601, 7.5, 46.0, 30_000))
    for gap, joined in ((600, True), (600.000001, False)):
        own = _flight((0, 7.0, 46.0, 30_000), (gap, 8.0, 46.0, 30_000))
        found = find_conflicts(table({"A": own, "B": other}), MINIMA)
        assert bool(found.conflicts) == joined
        assert found.skipped.gaps == (not joined)
        assert found.skipped.points == (0 if joined else 2)


def test_jump_is_left_out_and_counted(path):
    """T-LEG-2: what would need more than 1,500 m/s is no flight; the track is cut, counted and named, and the rest is judged."""
    own = _flight(
        (0, 7.0, 46.0, 30_000),
        (10, 7.02, 46.0, 30_000),
        (20, 9.0, 46.0, 30_000),
        (30, 7.06, 46.0, 30_000),
        (40, 7.08, 46.0, 30_000),
    )
    peer = _flight((0, 7.0, 46.01, 30_000), (40, 7.08, 46.01, 30_000))
    found = find_conflicts(table({"A": own, "B": peer}), MINIMA)
    assert found.skipped.jumps == 2
    assert found.skipped.points == 1
    assert found.skipped.first_jump == ("A", BASE + 10 * S)
    assert [(c.from_us - BASE, c.until_us - BASE) for c in found.conflicts] == [
        (0, 10 * S),
        (30 * S, 40 * S),
    ]


def test_speed_exactly_at_the_limit_is_flown():
    """T-LEG-2: the bound is exact: the greatest speed that a leg needs joins it, one unit less does not."""
    own = table({"A": _flight((0, 7.0, 46.0, 0), (10, 7.01, 46.0, 0))})
    legs = build_legs(own, LegRules())
    square = sum((int(b) - int(a)) ** 2 for a, b in legs.point.tolist())
    need = next(v for v in range(1, 10**9) if (v * 10) ** 2 >= square) if square < 10**6 else None
    from math import isqrt

    need = (isqrt(square - 1) + 1 + 9) // 10
    assert len(build_legs(own, LegRules(max_speed_tenth_mm_s=need))) == 1
    assert len(build_legs(own, LegRules(max_speed_tenth_mm_s=need - 1))) == 0


def test_long_leg_is_cut_and_the_same_from_either_end():
    """T-LEG-3: no part is longer than 50 km (10 km below 1 NM); the places are those of the reversed leg."""
    there = _flight((0, 7.0, 46.0, 10_000), (590, 10.0, 47.0, 30_000))
    back = _flight((0, 10.0, 47.0, 30_000), (590, 7.0, 46.0, 10_000))
    for part in (500_000_000, 100_000_000):
        one, two = (
            build_legs(table({"A": t}), LegRules(), part_tenth_mm=part) for t in (there, back)
        )
        assert (one.point == two.point[:, ::-1]).all()
        assert (one.alt_tenth_mm == two.alt_tenth_mm[::-1]).all()
        steps = np.diff(one.point.astype(object), axis=1)
        assert max((steps**2).sum(axis=0)) <= (part * 1.001) ** 2
        assert len(one) == -(-2529 * 100_000_00 // part // 10) or len(one) > 4
        assert len(one) == len(two)
        expected = oracle.legs_of(there, part)
        assert [tuple(p) for p in one.point.T.tolist()] == [leg[0][1] for leg in expected] + [
            expected[-1][1][1]
        ]
        assert one.time_us.tolist() == [leg[0][0] for leg in expected] + [expected[-1][1][0]]


def test_tracks_of_one_point_are_counted(path):
    """T-LEG-4: a track of one point has no leg; it is counted and named, never silently gone."""
    found = find_conflicts(
        table({"A": _flight((0, 7, 46, 0)), "B": _flight((0, 7, 46, 0), (9, 7, 46, 0))}), MINIMA
    )
    assert (found.tracks, found.legs, found.conflicts) == (2, 1, ())
    assert found.skipped.points == 1
    assert found.skipped.first_point == ("A", BASE)


def test_no_tracks_at_all_have_no_conflicts(path):
    """Nothing against nothing is clear."""
    assert answer({}) == []


# -- joining -------------------------------------------------------------------------------------------


def test_meetings_that_follow_are_one_conflict_and_others_are_not():
    """T-JOIN-1, T-JOIN-2: intervals that overlap or follow are joined; a microsecond between keeps them apart; the nearest, then earliest, is the closest."""
    a, b = np.array([0, 1, 0, 0]), np.array([1, 0, 1, 2])
    numbers = np.array(
        [[0, 10, 21, 0], [10, 20, 30, 5], [3, 12, 25, 1], [7, 7, 9, 4], [1, 0, 0, 0]]
    )
    low, high, joined = join_meetings(a, b, numbers)
    assert list(zip(low.tolist(), high.tolist(), map(tuple, joined.T.tolist()), strict=True)) == [
        (0, 1, (0, 20, 3, 7, 1)),
        (0, 1, (21, 30, 25, 9, 0)),
        (0, 2, (0, 5, 1, 4, 0)),
    ]


# -- what is refused -----------------------------------------------------------------------------------


def test_minimum_in_time_is_refused():
    """Tracks meet at one instant; a minimum in time would be silently left out."""
    with pytest.raises(UsageError, match="time_us is 1"):
        find_conflicts(table({}), Minima(NM, FT, 1))


@pytest.mark.parametrize(
    "change",
    [
        {"max_gap_us": 0},
        {"max_gap_us": 10**15},
        {"max_speed_tenth_mm_s": 0},
        {"max_speed_tenth_mm_s": 10**12},
    ],
)
def test_leg_rules_out_of_range_are_refused(change):
    """Rules that nothing could follow are refused with their name."""
    with pytest.raises(UsageError, match=next(iter(change))):
        find_conflicts(table({}), MINIMA, LegRules(**change))


def test_tracks_out_of_order_are_refused():
    """Times that do not increase, ids that do not ascend, columns of different lengths and values out of range are refused."""
    one, two = np.array([0, 2]), np.array([5, 5])
    with pytest.raises(UsageError, match="times of one track must increase"):
        build_tracks(("A",), one, two, one, one, one)
    with pytest.raises(UsageError, match="ids must ascend"):
        build_tracks(("B", "A"), np.array([0, 1, 2]), two, one, one, one)
    with pytest.raises(UsageError, match="must be equal"):
        build_tracks(("A",), one, np.array([1]), one, one, one)
    with pytest.raises(UsageError, match="starts do not fit"):
        build_tracks(("A",), np.array([0, 1]), np.array([1, 2]), one, one, one)
    with pytest.raises(UsageError, match="lat is 90000000001"):
        build_tracks(("A",), one, np.array([1, 2]), one, np.array([0, 90_000_000_001]), one)

"""Defects of well-known tools on live tracks: each is a case that this engine must pass.

The first four are those of detectors in use, found by running them; `detente bench --peers` shows them.
"""

from __future__ import annotations

from detente.conflict.tactical import Profile, TrackState, find, tracks_of
from oracle import reports, tracks

NM, FT, DEG, NOW = reports.NM, reports.FT, reports.DEG, reports.NOW
PROFILE = {"lateral": 5 * NM, "vertical": 1000 * FT}
LEVEL = 35_000 * FT
FAST = 2_500_000


def pairs(*seen, look_ahead_s=300, profile=PROFILE):
    """Pairs of names, both orders of the rows; they must agree with each other and the oracle."""
    found = []
    for order in (seen, seen[::-1]):
        rows = tracks_of([TrackState(**one) for one in order])
        answers = find(rows, Profile(**profile), NOW, look_ahead_s=look_ahead_s).tolist()
        found.append(sorted(tuple(sorted((rows.ids[row[0]], rows.ids[row[1]]))) for row in answers))
    assert found[0] == found[1]
    proved = [
        tuple(sorted((one["id"], two["id"])))
        for at, one in enumerate(seen)
        for two in seen[at + 1 :]
        if tracks.encounter(one, two, **profile, now_us=NOW, look_ahead_us=look_ahead_s * 10**6)
    ]
    assert found[0] == sorted(proved)
    return found[0]


def test_equal_velocities_one_mile_apart_meet() -> None:
    """Defect 1: 0/0 is no answer; formation flight at 1 NM is too close, everywhere on earth."""
    for lat in (0, 47 * DEG, -89 * DEG):
        for east, north in ((0, 0), (FAST, 0), (0, FAST), (1, 1)):
            a = reports.report("a", 0, lat, LEVEL, east, north)
            b = reports.report("b", 0, lat + NM * DEG // 1_111_000_000, LEVEL, east, north)
            assert pairs(a, b) == [("a", "b")]


def test_identical_reports_meet() -> None:
    """Defect 1: the same place and the same velocity."""
    a = reports.report("a", DEG, DEG, LEVEL, FAST, FAST)
    assert pairs(a, a | {"id": "b"}) == [("a", "b")]


def test_head_on_over_the_antimeridian_meet() -> None:
    """Defect 2: 60 NM apart across 180 degrees is 60 NM apart."""
    half = DEG // 2
    a = reports.report("a", 180 * DEG - half, 0, LEVEL, FAST, 0)
    b = reports.report("b", -180 * DEG + half, 0, LEVEL, -FAST, 0)
    assert pairs(a, b) == [("a", "b")]
    assert pairs(a | {"east": -FAST}, b | {"east": FAST}) == []


def test_180_west_is_180_east() -> None:
    """Defect 2: one place has one answer, however its longitude is written."""
    a = reports.report("a", 180 * DEG, DEG, LEVEL, 0, 0)
    b = reports.report("b", -180 * DEG, DEG, LEVEL, 0, 0)
    assert pairs(a, b) == [("a", "b")]


def test_head_on_over_the_pole_meet() -> None:
    """Defect 3: 24 NM apart at 89.8 N, each flying north to the pole."""
    lat = 89_800_000_000
    a = reports.report("a", 0, lat, LEVEL, 0, FAST)
    b = reports.report("b", 180 * DEG, lat, LEVEL, 0, FAST)
    assert pairs(a, b) == [("a", "b")]
    assert pairs(a | {"lat": -lat, "north": -FAST}, b | {"lat": -lat, "north": -FAST}) == [
        ("a", "b")
    ]


def test_exactly_1000_feet_is_clear_from_both_sides() -> None:
    """Defect 4: not less than the minimum is not less, in either order; one unit less is."""
    a = reports.report("a", 0, 0, LEVEL, FAST, 0)
    for other, clear in ((LEVEL + 1000 * FT, True), (LEVEL + 1000 * FT - 1, False)):
        b = reports.report("b", DEG // 10, 0, other, -FAST, 0)
        assert (pairs(a, b) == []) is clear


def test_levels_exactly_1000_feet_apart_are_all_clear() -> None:
    """Defect 5: whole feet are whole: none of 54 pairs of levels 1,000 ft apart is closer, level or climbing side by side."""
    for level in range(54):
        for up in (0, 101_600, -7):
            a = reports.report("a", 0, 0, level * 1000 * FT, FAST, 0, up)
            b = reports.report("b", DEG // 50, 0, (level + 1) * 1000 * FT, -FAST, 0, up)
            assert pairs(a, b) == []


def test_one_look_ahead_holds_for_all() -> None:
    """Defect 6: which pairs there are does not depend on who looks first; a longer look-ahead adds pairs and takes none."""
    crowd = reports.crowd(23, 60)
    short = pairs(*crowd, look_ahead_s=120)
    longer = pairs(*crowd, look_ahead_s=300)
    assert set(short) < set(longer)

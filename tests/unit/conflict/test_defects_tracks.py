"""Defects of well-known tools, as tracks: each is a case that this engine must get right.

The numbers are those of the list in docs/spec/trajectory-model.md, section 8.
"""

import random

import pytest

from detente.conflict import sweep
from detente.conflict.trajectory import LegRules, Minima, build_tracks, find_conflicts
from oracle import legs as oracle

NM, FT, S = 18_520_000, 3048, 1_000_000
MINIMA = Minima(5 * NM, 1000 * FT)
T0 = 1_533_081_600


@pytest.fixture(autouse=True, params=["compiled", "numpy"])
def path(request, monkeypatch):
    """Both ways through the filter."""
    if request.param == "numpy":
        monkeypatch.setattr(sweep, "HAS_COMPILER", False)
    elif not sweep.HAS_COMPILER:
        pytest.skip("numba is not here")


def conflicts(tracks, minima=MINIMA, rules=LegRules()):
    """Conflicts of {id: [(s, lon, lat, ft), ...]}; ids in either order of the tracks give the same."""
    found = []
    for names in (sorted(tracks), sorted(tracks, reverse=True)):
        rows = [
            (round((T0 + t) * S), round(lon * 1e9), round(lat * 1e9), round(ft * FT))
            for name in names
            for t, lon, lat, ft in tracks[name]
        ]
        starts = [0]
        for name in names:
            starts.append(starts[-1] + len(tracks[name]))
        ids = tuple(sorted(tracks))
        columns = [[row[k] for row in rows] for k in range(4)]
        got = find_conflicts(build_tracks(ids, starts, *columns), minima, rules).conflicts
        back = dict(zip(ids, names, strict=True))
        found.append(
            sorted(
                (
                    *sorted((back[c.a], back[c.b])),
                    c.from_us,
                    c.until_us,
                    c.closest_us,
                    c.lateral_tenth_mm,
                    c.vertical_tenth_mm,
                )
                for c in got
            )
        )
    assert found[0] == found[1]
    return found[0]


def test_defect_1_same_velocity_one_mile_apart_is_a_conflict() -> None:
    """Defect 1: two tracks 1 NM apart with the very same velocity are in conflict all the time; nothing is 0/0."""
    apart = 1 / 60
    (one,) = conflicts(
        {
            "A": [(0, 7, 0, 30_000), (600, 8, 0, 30_000)],
            "B": [(0, 7, apart, 30_000), (600, 8, apart, 30_000)],
        }
    )
    assert (one[2], one[3]) == (T0 * S, (T0 + 600) * S)
    assert abs(one[5] - NM) < 0.01 * NM
    hovering = {"A": [(0, 7, 46, 500), (60, 7, 46, 500)], "B": [(0, 7, 46, 500), (60, 7, 46, 500)]}
    (one,) = conflicts(hovering)
    assert one[2:] == (T0 * S, (T0 + 60) * S, T0 * S, 0, 0)


def test_defect_2_head_on_across_180_degrees_is_a_conflict() -> None:
    """Defect 2: head-on from 60 NM across the antimeridian meets exactly as it does across any other meridian."""

    def head_on(middle):
        def lon(x):
            return (middle + x + 180) % 360 - 180

        return conflicts(
            {
                "A": [(0, lon(-0.5), 0, 30_000), (480, lon(0.5), 0, 30_000)],
                "B": [(0, lon(0.5), 0, 30_500), (480, lon(-0.5), 0, 30_500)],
            }
        )

    (one,) = head_on(180)
    assert one[2:5] == head_on(0)[0][2:5]
    assert one[4] == (T0 + 240) * S
    assert one[5] < 1_000


def test_defect_3_head_on_over_the_pole_is_a_conflict() -> None:
    """Defect 3: at 89.8 N, head-on over the pole from 24 NM, meets in the middle; so does the south."""
    for side in (1, -1):
        (one,) = conflicts(
            {
                "A": [(0, 20, 89.8 * side, 30_000), (192, -160, 89.8 * side, 30_000)],
                "B": [(0, -160, 89.8 * side, 30_000), (192, 20, 89.8 * side, 30_000)],
            }
        )
        assert one[4] == (T0 + 96) * S
        assert one[5] == 0


def test_defect_4_exactly_the_minimum_is_clear_from_either_side() -> None:
    """Defect 4: exactly 1,000 ft apart, one above the other, is clear both ways; a foot less is a conflict both ways."""
    for level, clear in ((31_000, True), (30_999, False)):
        found = conflicts(
            {
                "A": [(0, 7, 46, 30_000), (60, 7.1, 46, 30_000)],
                "B": [(0, 7, 46, level), (60, 7.1, 46, level)],
            }
        )
        assert (found == []) == clear


def test_defect_5_flight_levels_a_thousand_feet_apart_are_never_closer() -> None:
    """Defect 5: all 54 pairs of flight levels exactly 1,000 ft apart are clear; in floating-point metres 26 of them are not."""
    tracks = {
        f"L{level:03d}": [(0, 7, 46, level * 100), (60, 7.1, 46, level * 100)]
        for level in range(0, 641, 10)
    }
    assert conflicts(tracks) == []
    wrong = sum(
        (level + 10) * 100 * 0.3048 - level * 100 * 0.3048 < 304.8 for level in range(50, 590, 10)
    )
    assert wrong > 10


def test_defect_6_the_order_of_tracks_changes_nothing() -> None:
    """Defect 6: a crowd named in reverse has the same conflicts, to the last digit; `conflicts` asserts it for every case here."""
    draw = random.Random(6)
    tracks = {
        f"T{k:02d}": [
            (
                t,
                7 + draw.uniform(-0.2, 0.2),
                46 + draw.uniform(-0.2, 0.2),
                draw.choice([30_000, 30_900, 31_000]),
            )
            for t in (0, 90, 200)
        ]
        for k in range(24)
    }
    assert len(conflicts(tracks)) > 20


def test_defect_7_what_samples_miss_is_found() -> None:
    """Defect 7: two that pass within the minima for 3 s between samples of 10 s are in conflict, and when is exact."""
    # both cross the corner of the minimum: 4.99 NM at the nearest, 17 NM a minute against each other
    tracks = {
        "A": [(3, 7 - 0.25, 0, 30_000), (63, 7 + 0.25, 0, 30_000)],
        "B": [(3, 7 + 0.25, 0.08366, 30_000), (63, 7 - 0.25, 0.08366, 30_000)],
    }
    (one,) = conflicts(tracks)
    assert (one[3] - one[2]) / S < 5
    points = {
        name: [
            ((T0 + t) * S, round(lon * 1e9), round(lat * 1e9), round(ft) * FT)
            for t, lon, lat, ft in rows
        ]
        for name, rows in tracks.items()
    }
    assert [one] == oracle.conflicts_slowly(points, 5 * NM, 1000 * FT)
    sampled = range(T0, T0 + 70, 10)
    assert not any(one[2] <= second * S < one[3] for second in sampled)

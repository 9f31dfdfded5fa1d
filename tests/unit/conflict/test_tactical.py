"""All live tracks against all: the grid and the floats lose nothing and add nothing."""

from __future__ import annotations

import numpy as np
import pytest

from detente.conflict.encounter import encounter
from detente.conflict.tactical import COLUMNS, Profile, Tracks, TrackState, find, tracks_of
from detente.errors import UsageError
from oracle import reports

NM, FT, DEG, NOW = reports.NM, reports.FT, reports.DEG, reports.NOW
RULE = Profile(lateral=3 * NM, vertical=3000 * FT)
CLEAR_OF = Profile(lateral=4000 * FT, vertical=450 * FT, tau_s=35)


def made(crowd):
    """Rows of reports."""
    return tracks_of([TrackState(**one) for one in crowd])


def each(rows, profile, look_ahead_s=300):
    """Every pair on its own, exactly."""
    states = [rows.row(at) for at in range(len(rows))]
    found = []
    for i, one in enumerate(states):
        for j in range(i + 1, len(states)):
            met = encounter(one, states[j], profile, NOW, look_ahead_s * 10**6)
            if met is not None:
                found.append(
                    [
                        i,
                        j,
                        met.verdict,
                        met.from_us,
                        met.until_us,
                        met.closest_us,
                        met.lateral,
                        met.vertical,
                    ]
                )
    return found


@pytest.mark.parametrize("profile", [RULE, CLEAR_OF], ids=["rule-of-threes", "well-clear"])
@pytest.mark.parametrize("datums", [("STD",), ("STD", "MSL", "WGS84", "AGL")], ids=["one", "four"])
@pytest.mark.parametrize("uncertain", [False, True], ids=["sure", "growing"])
def test_a_crowd_has_the_answers_of_each_pair(profile, datums, uncertain) -> None:
    """T-ANS-3: the answers of all at once are those of every pair on its own, to the last digit."""
    rows = made(reports.crowd(7, 90, datums=datums, uncertain=uncertain))
    want = each(rows, profile)
    assert find(rows, profile, NOW).tolist() == want
    assert want


def test_a_crowd_of_boundaries_has_the_answers_of_each_pair() -> None:
    """T-ANS-3: tracks at poles, over the antimeridian, at exact minima and with equal velocities among each other."""
    crowd = [one for pair in reports.pairs(5, 70) for one in pair[:2]]
    rows = made(crowd)
    for profile in (RULE, CLEAR_OF, Profile(lateral=0, vertical=1)):
        assert find(rows, profile, NOW, look_ahead_s=120).tolist() == each(rows, profile, 120)


def test_the_order_of_rows_changes_only_their_numbers() -> None:
    """T-TRK-2: shuffled rows have the same pairs with the same answers."""
    crowd = reports.crowd(11, 200)
    rows = made(crowd)
    order = np.random.default_rng(1).permutation(len(crowd))
    mixed = made([crowd[at] for at in order])

    def named(some, found):
        return sorted(
            [sorted([some.ids[row[0]], some.ids[row[1]]]), row[2:]] for row in found.tolist()
        )

    assert named(mixed, find(mixed, RULE, NOW)) == named(rows, find(rows, RULE, NOW))


def test_a_turn_of_the_earth_changes_hardly_anything() -> None:
    """T-CLO-2: the same traffic moved in longitude, over the antimeridian too, meets the same way: instants within 2 ms, distances within a decimetre."""
    crowd = reports.crowd(13, 150)
    rows = find(made(crowd), RULE, NOW)
    for turn in (90 * DEG, 172 * DEG, -188 * DEG):
        turned = [
            one | {"lon": (one["lon"] + turn + 180 * DEG) % (360 * DEG) - 180 * DEG}
            for one in crowd
        ]
        other = find(made(turned), RULE, NOW)
        assert other[:, :3].tolist() == rows[:, :3].tolist()
        assert np.abs(other[:, 3:5] - rows[:, 3:5]).max() <= 2000
        assert np.abs(other[:, 6] - rows[:, 6]).max() <= 1000


def test_a_fast_track_is_compared_with_all() -> None:
    """T-CLO-2: one whose box fills more cells than the grid gives a track misses nobody."""
    crowd = reports.crowd(17, 80)
    crowd += [
        reports.report("M1", 0, 40 * DEG, 200 * 100 * FT, 15_000_000, 12_000_000),
        reports.report("M2", 20 * DEG, 40 * DEG, 200 * 100 * FT, -15_000_000, 12_000_000),
    ]
    rows = made(crowd)
    profile = Profile(lateral=20 * NM, vertical=30_000 * FT)
    found = find(rows, profile, NOW, look_ahead_s=900)
    assert found.tolist() == each(rows, profile, 900)
    assert {80, 81} & set(found[:, :2].ravel().tolist())


def test_pairs_of_one_party_are_left_out_when_asked() -> None:
    """T-ALR-1: between parties only, exactly the pairs of two parties are left."""
    rows = made(reports.crowd(19, 200))
    found = find(rows, RULE, NOW)
    two = [row for row in found.tolist() if rows.parties[row[0]] != rows.parties[row[1]]]
    assert find(rows, RULE, NOW, between_parties=True).tolist() == two
    assert 0 < len(two) < len(found)


def test_nobody_and_one_alone_meet_nobody() -> None:
    """No rows, one row: no pairs."""
    for count in (0, 1):
        assert find(made(reports.crowd(1, count)), RULE, NOW).shape == (0, 8)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lat": 90 * DEG + 1}, "lat of track 'T3' .row 3"),
        ({"lon": -180 * DEG - 1}, "lon of track"),
        ({"east": 20_000_001}, "east of track"),
        ({"lateral_growth": -1}, "lateral_growth of track"),
        ({"altitude": 2**80}, "whole number"),
        ({"up": 1.5}, "whole number"),
        ({"datum": "QNH"}, "datum of track"),
        ({"id": "T4"}, "there twice"),
        ({"id": "x" * 65}, "65 characters"),
    ],
)
def test_a_wrong_report_is_refused_and_its_row_named(change, said) -> None:
    """T-TRK-1: nothing is left out silently."""
    crowd = reports.crowd(1, 6)
    crowd[4]["party"] = crowd[3]["party"]
    crowd[3] |= change
    with pytest.raises(UsageError, match=said):
        made(crowd)


def test_an_old_report_is_refused_and_its_row_named() -> None:
    """T-TRK-1: a report of six minutes ago is no live track."""
    crowd = reports.crowd(1, 6)
    crowd[5]["time"] = NOW - 360 * 10**6
    with pytest.raises(UsageError, match=r"'T5' .row 5. is 360 s from now"):
        find(made(crowd), RULE, NOW)


def test_columns_of_the_wrong_shape_are_refused() -> None:
    """T-TRK-1: names and columns belong together."""
    with pytest.raises(UsageError, match="shape"):
        Tracks(["a"], ["north"], np.zeros((len(COLUMNS), 2), dtype=np.int64))

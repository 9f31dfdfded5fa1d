"""One pair of live tracks against the slow oracle, and the boundaries."""

from __future__ import annotations

import msgspec
import pytest

from detente.conflict.tactical import CONFLICT, Profile, TrackState, check_tracks, components_of
from detente.errors import UsageError
from oracle import reports, tracks

NM, FT, DEG, NOW = reports.NM, reports.FT, reports.DEG, reports.NOW
VERDICTS = {1: "conflict", 2: "cannot-tell"}


def state(report):
    """A report as the engine takes it."""
    return TrackState(**report)


def answer(a, b, profile, look_ahead_s=300):
    """The engine's answer as the oracle gives it."""
    found = check_tracks(state(a), state(b), Profile(**profile), NOW, look_ahead_s=look_ahead_s)
    if found is None:
        return None
    verdict, *rest = msgspec.structs.astuple(found)
    return (VERDICTS[verdict], *rest)


def proved(a, b, profile, look_ahead_s=300):
    """The oracle's answer."""
    return tracks.encounter(a, b, **profile, now_us=NOW, look_ahead_us=look_ahead_s * 10**6)


def check_many(seed, count):
    """Random pairs, either side first."""
    found = 0
    for a, b, profile in reports.pairs(seed, count):
        want = proved(a, b, profile)
        assert answer(a, b, profile) == want, (a, b, profile)
        assert answer(b, a, profile) == want, (a, b, profile)
        found += want is not None
    assert found > count // 10


def test_pairs_are_what_the_oracle_says_from_either_side() -> None:
    """T-CLO-1, T-CLO-2, T-CLO-3, T-CLO-4, T-CLO-5, T-MOT-1, T-MOT-2, T-TAU-1, T-ANS-1, T-ANS-2: random and adversarial pairs are answered as exact fractions do, in either order."""
    check_many(1, 700)


@pytest.mark.nightly
def test_many_pairs_are_what_the_oracle_says() -> None:
    """The same of a hundred thousand."""
    check_many(2, 100_000)


def test_heights_exactly_at_the_minimum_are_clear_and_one_unit_less_is_not() -> None:
    """T-CLO-1: strictly below; 1,000 ft are 1,000 ft at every level."""
    profile = {"lateral": 5 * NM, "vertical": 1000 * FT}
    for level in range(0, 50_000, 1000):
        a = reports.report("a", 0, 0, level * FT, 10**6, 0)
        for off, clear in ((0, True), (-1, False), (1, True)):
            b = reports.report("b", DEG // 100, 0, (level + 1000) * FT + off, -(10**6), 0)
            assert (answer(a, b, profile) is None) is clear
            assert (answer(b, a, profile) is None) is clear


def test_the_look_ahead_is_open_at_its_end() -> None:
    """T-CLO-2: what begins when the look-ahead ends is not in it, a millisecond more is."""
    profile = {"lateral": NM, "vertical": 1000 * FT}
    a = reports.report("a", 0, 0, 0, 0, 0)
    b = reports.report("b", 0, 0, 100_000 + 1000 * FT, 0, 0, -10_000)
    assert answer(a, b, profile, 10) is None
    assert proved(a, b, profile, 10) is None
    assert answer(a, b, profile, 11) == (
        "conflict",
        10_000_000,
        11_000_000,
        10_000_000,
        0,
        1000 * FT,
    )


def test_growing_uncertainty_reaches_what_does_not_move() -> None:
    """T-MOT-2: two that stand still become an encounter when their doubt has grown over the gap."""
    profile = {"lateral": NM, "vertical": 1000 * FT}
    a = reports.report("a", 0, 0, 0, 0, 0, lateral_growth=100_000)
    b = reports.report("b", 0, DEG // 30, 0, 0, 0, lateral_growth=100_000)
    found = answer(a, b, profile)
    assert found == proved(a, b, profile)
    assert found is not None
    assert found[1] > 0
    assert found[2] == 300_000_000


def test_well_clear_alarms_before_the_minimum_is_reached() -> None:
    """T-TAU-1, T-TAU-2: head-on at 500 m/s each, modified tau begins 33.8 s before the minimum (35.04 km less 1.22 km, at 1 km/s), and not at all where they would miss by more."""
    profile = {"lateral": 4000 * FT, "vertical": 450 * FT}
    a = reports.report("a", 0, 0, 0, 5_000_000, 0)
    b = reports.report("b", DEG, 0, 0, -5_000_000, 0)
    plain, early = answer(a, b, profile), answer(a, b, profile | {"tau_s": 35})
    assert plain is not None
    assert early is not None
    assert 33_800_000 < plain[1] - early[1] < 33_850_000
    assert plain[2] == early[2]
    beside = b | {"lat": DEG // 50}
    assert answer(a, beside, profile | {"tau_s": 35}) is None


def test_a_track_is_split_into_east_and_north_exactly_at_quarter_turns() -> None:
    """A track of a multiple of 90 degrees has one part."""
    assert components_of(2_500_000, 0) == (0, 2_500_000)
    assert components_of(2_500_000, 270 * DEG) == (-2_500_000, 0)
    assert components_of(1_000_000, 30 * DEG) == (500_000, 866_025)


def test_an_old_report_and_a_look_ahead_out_of_range_are_refused() -> None:
    """T-TRK-1: what cannot be judged is an error, never clear."""
    a, b = (state(reports.report(name, 0, 0, 0, 0, 0)) for name in "ab")
    profile = Profile(lateral=NM, vertical=FT)
    with pytest.raises(UsageError, match="301 s from now"):
        check_tracks(a, b, profile, NOW + 301 * 10**6)
    with pytest.raises(UsageError, match="look-ahead"):
        check_tracks(a, b, profile, NOW, look_ahead_s=901)
    with pytest.raises(UsageError, match="lateral"):
        check_tracks(a, b, Profile(lateral=-1, vertical=0), NOW)
    found = check_tracks(a, b, profile, NOW)
    assert found is not None
    assert found.verdict == CONFLICT

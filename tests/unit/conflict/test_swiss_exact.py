"""The recorded Swiss day, by the whole numbers alone."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from detente.airspace.leg import LegRules, build_legs
from detente.cli.trackbench import MINIMA, swiss_tracks
from detente.conflict.meet import meet
from detente.conflict.spell import leg_of
from detente.conflict.trajectory import find_conflicts, join_meetings

WHEELS = sorted((Path(__file__).parents[3] / ".venv" / "wheels").glob("traffic-*.whl"))

pytestmark = pytest.mark.skipif(
    not WHEELS, reason="the wheel with the recorded Swiss day is absent; run scripts/get-sample"
)


def near_legs(legs):
    """Pairs of legs of different tracks that could be near: a coarse box in time, place and height, nothing of the sweep."""
    rows = np.nonzero(legs.joined)[0]
    by_time = {}
    for row in rows.tolist():
        begin, end = (int(legs.time_us[k]) // 10_000_000 for k in (row, row + 1))
        for slot in range(begin, end + 1):
            by_time.setdefault(slot, []).append(row)
    seen = set()
    for same in by_time.values():
        for i, j in combinations(same, 2):
            if legs.track[i] == legs.track[j]:
                continue
            if abs(int(legs.alt_tenth_mm[i]) - int(legs.alt_tenth_mm[j])) > 3048 * 3_000:
                continue
            if (
                max(
                    abs(int(a) - int(b))
                    for a, b in zip(legs.point[:, i], legs.point[:, j], strict=True)
                )
                < 250_000_000
            ):
                seen.add((i, j))
    return sorted(seen)


@pytest.mark.nightly
def test_swiss_day_by_whole_numbers_alone_is_the_same():
    """Every pair of legs within 25 km and 3,000 ft, judged by `meet` alone: the 170 conflicts of 163 pairs, to the microsecond."""
    legs = build_legs(swiss_tracks(WHEELS[-1]), LegRules())
    a, b, numbers = [], [], []
    for i, j in near_legs(legs):
        met = meet(
            leg_of(legs, i), leg_of(legs, j), MINIMA.lateral_tenth_mm, MINIMA.vertical_tenth_mm
        )
        if met:
            a.append(int(legs.track[i]))
            b.append(int(legs.track[j]))
            numbers.append(met)
    low, high, joined = join_meetings(np.array(a), np.array(b), np.array(numbers).T)
    found = find_conflicts(swiss_tracks(WHEELS[-1]), MINIMA)
    assert (found.pairs, len(found.a)) == (163, 170)
    assert (low == found.a).all()
    assert (high == found.b).all()
    assert (joined == found.numbers).all()


def test_swiss_day_has_163_pairs():
    """1,244 flights and 137,854 legs: 170 conflicts of 163 pairs at 5 NM and 1,000 ft."""
    found = find_conflicts(swiss_tracks(WHEELS[-1]), MINIMA)
    assert (found.tracks, found.legs, len(found.a), found.pairs) == (1_244, 137_854, 170, 163)
    assert found.skipped.gaps == found.skipped.jumps == found.skipped.points == 0

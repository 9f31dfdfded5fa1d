"""The benchmark of tracks: made-up traffic is the same for the same seed, and is what it says it is."""

import numpy as np
import pytest

from detente.airspace.leg import LegRules, build_legs
from detente.cli.trackbench import (
    LEGS_PER_TRACK,
    made_tracks,
    measure_swiss,
    measure_trajectories,
)
from detente.errors import UnavailableError


def test_made_up_traffic_is_flown() -> None:
    """The same seed makes the same flights, each of 50 legs that no rule cuts, in whole flight levels when level."""
    one, two = made_tracks(300), made_tracks(300)
    assert (one.lon_nanodeg == two.lon_nanodeg).all()
    assert (made_tracks(300, seed=2).lon_nanodeg != one.lon_nanodeg).any()
    legs = build_legs(one, LegRules())
    assert len(legs) == 300 * LEGS_PER_TRACK
    assert legs.skipped.gaps == legs.skipped.jumps == legs.skipped.points == 0
    assert np.abs(one.alt_tenth_mm).max() <= 42_000 * 3048


def test_benchmark_says_what_it_measured() -> None:
    """A row has counts, the best of all rounds and memory; an absent recording is said, not measured."""
    row = measure_trajectories(60, rounds=2, threads=1)
    assert (row["tracks"], row["legs"], len(row["all_s"])) == (60, 3_000, 2)
    assert row["best_s"] == min(row["all_s"])
    with pytest.raises(UnavailableError, match="is absent"):
        measure_swiss("nowhere.whl")

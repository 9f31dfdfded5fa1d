"""Flights and live reports against the exact rational evaluation of the same models, pair by pair."""

import numpy as np
import pytest

from detente.conflict.tactical import Profile, TrackState, find, tracks_of
from detente.conflict.trajectory import Minima, build_tracks, find_conflicts
from oracle import flights, legs, reports, tracks

CHUNKS = 8
FLIGHTS, REPORTS = 7_000, 3_500  # in each chunk; with the volumes 100,000 pairs
NIGHTLY_CHUNKS, NIGHTLY_FLIGHTS, NIGHTLY_REPORTS = 200, 30_000, 10_000
VERDICTS = {1: "conflict", 2: "cannot-tell"}


def table(named):
    """Tracks of {id: points} as the engine takes them."""
    ids = tuple(sorted(named))
    columns = np.array([row for name in ids for row in named[name]], dtype=np.int64).T
    return build_tracks(ids, np.cumsum([0] + [len(named[name]) for name in ids]), *columns)


def compare_flights(seed, count, threads=1):
    """How many of so many pairs of flights conflict."""
    named, expected = {}, []
    for number, (a, b) in enumerate(flights.pairs(seed, count)):
        pair = {f"{number:06d}a": a, f"{number:06d}b": b}
        named |= pair
        expected += legs.conflicts_slowly(pair, flights.LATERAL, flights.VERTICAL)
    minima = Minima(flights.LATERAL, flights.VERTICAL)
    found = find_conflicts(table(named), minima, threads=threads).conflicts
    said = [
        (c.a, c.b, c.from_us, c.until_us, c.closest_us, c.lateral_tenth_mm, c.vertical_tenth_mm)
        for c in found
    ]
    assert said == expected
    return len(expected)


def compare_reports(seed, count):
    """How many of so many pairs of reports are encounters; those of one profile go through the door together."""
    found = 0
    for a, b, profile in reports.pairs(seed, count):
        want = tracks.encounter(a, b, **profile, now_us=reports.NOW, look_ahead_us=300_000_000)
        both = tracks_of([TrackState(**a), TrackState(**b)])
        rows = find(both, Profile(**profile), reports.NOW).tolist()
        assert [(VERDICTS[row[2]], *row[3:]) for row in rows] == ([want] if want else [])
        found += want is not None
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_conflicts_of_flights_are_those_of_exact_rationals(chunk):
    """Every number of every conflict among thousands of adversarial pairs of flights is the one that exact rationals give, and no other conflict is found."""
    conflicts = compare_flights(chunk, FLIGHTS, threads=1 + chunk % 2)
    assert FLIGHTS // 10 < conflicts < FLIGHTS


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_encounters_of_reports_are_those_of_exact_rationals(chunk):
    """Thousands of adversarial pairs of live reports, through the filter, are answered as exact rationals do."""
    assert compare_reports(chunk, REPORTS) > REPORTS // 10


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chunk", range(NIGHTLY_CHUNKS))
def test_millions_of_tracks_are_judged_as_exact_rationals_do(chunk):
    """The same over six million pairs of flights and two million of reports."""
    compare_flights(1_000 + chunk, NIGHTLY_FLIGHTS, threads=1 + chunk % 2)
    compare_reports(1_000 + chunk, NIGHTLY_REPORTS)

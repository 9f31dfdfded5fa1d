"""The model against geodesics of WGS84."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import pytest
from pyproj import Geod

from detente.conflict.encounter import LENGTH_UNIT, Profile, _Pair
from detente.conflict.tactical import TrackState, components_of
from oracle import reports

GEOD = Geod(ellps="WGS84")


def least_m(states, paths, seconds):
    """The least lateral distance of a pair by the model, and by geodesics, in metres."""
    pair = _Pair(*states, Profile(lateral=0, vertical=1), reports.NOW, seconds * 10**6)
    at = min(max(Fraction(-pair.rv, pair.vv), Fraction(0)), Fraction(seconds * 10**6))
    square = (pair.vv * at * at + 2 * pair.rv * at + pair.rr) / pair.scale
    model = math.sqrt(square) / LENGTH_UNIT / 1e4

    def apart(when):
        ends = [GEOD.fwd(lon, lat, track, speed * when)[:2] for lon, lat, track, speed in paths]
        return GEOD.inv(*ends[0], *ends[1])[2]

    low, high = 0.0, float(seconds)
    for _ in range(50):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        if apart(one) < apart(two):
            high = two
        else:
            low = one
    return model, apart(low)


@pytest.mark.parametrize(
    ("speed", "seconds", "most_m"),
    [(50, 75, 0.02), (250, 75, 0.15), (250, 180, 1.6), (250, 300, 7), (600, 300, 85)],
)
def test_passes_are_as_near_as_on_geodesics(speed, seconds, most_m) -> None:
    """Section 8 of the tactical model: the table of errors holds for random passes within 10 NM all over the globe."""
    random = Random(speed * seconds)
    for _ in range(120):
        lon, lat = random.uniform(-180, 180), math.degrees(math.asin(random.uniform(-1, 1)))
        there = GEOD.fwd(lon, lat, random.uniform(0, 360), random.uniform(0, 18_520))[:2]
        when = random.uniform(0.3, 1) * seconds
        states, paths = [], []
        for name, place in (("a", (lon, lat)), ("b", there)):
            pace = speed * random.uniform(0.02, 1)
            start = GEOD.fwd(*place, random.uniform(0, 360), pace * when)[:2]
            track = GEOD.inv(*start, *place)[0]
            paths.append((*start, track, pace))
            east, north = components_of(round(pace * 1e4), round(track % 360 * 1e9))
            place = [round(part * 1e9) for part in start]
            states.append(TrackState(**reports.report(name, *place, 0, east, north)))
        model, true = least_m(states, paths, seconds)
        assert abs(model - true) <= most_m

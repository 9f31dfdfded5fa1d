"""Tracks against volumes: continuous, three-valued by datum, and equal to a look at every second."""

import random

import numpy as np
import pytest

from detente.airspace.altitude import Altitude
from detente.airspace.area import Circle
from detente.airspace.leg import FINE_PART_TENTH_MM, LegRules
from detente.airspace.near import Budget
from detente.airspace.shape import Shape, compare_lateral
from detente.airspace.volume import Volume
from detente.conflict.separation import Minima, Rules
from detente.conflict.trajectory import build_legs, build_tracks, find_in_volumes

NM, FT, S = 18_520_000, 3048, 1_000_000
T0 = 1_533_081_600
DEG = 10**9


def legs(*points, datum="STD"):
    """Legs of one track A of (s, lon, lat, ft)."""
    columns = np.array(
        [
            [round((T0 + t) * S), round(x * DEG), round(y * DEG), round(ft * FT)]
            for t, x, y, ft in points
        ]
    ).T
    tracks = build_tracks(("A",), np.array([0, len(points)]), *columns, datum=datum)
    return build_legs(tracks, LegRules(), part_tenth_mm=FINE_PART_TENTH_MM)


def circle(lower, upper, *, datum="STD", start=0, end=600, radius_m=5_000, lon=7.0, lat=46.0):
    """A circle in the alps for ten minutes."""
    return Volume(
        Circle((round(lon * DEG), round(lat * DEG)), radius_m * 10_000),
        "planar",
        Altitude(round(lower * FT), "ft", datum),
        Altitude(round(upper * FT), "ft", datum),
        (T0 + start) * S,
        (T0 + end) * S,
    )


def verdicts(way, pieces, **minima):
    """Verdict by piece."""
    return {m.piece: m.verdict for m in find_in_volumes(way, pieces, Rules(Minima(**minima)))}


ACROSS = ((0, 6.8, 46.0, 30_000), (120, 7.2, 46.0, 30_000))


def test_track_through_a_volume_is_a_conflict_and_beside_it_is_not():
    """T-VOL-1, T-VOL-2: through it conflicts; above, beside, before or after it does not; exactly at its upper edge neither."""
    pieces = [
        circle(29_000, 31_000),
        circle(30_000, 31_000),  # along its lower edge: the gap is 0, not below 0
        circle(31_000, 32_000),
        circle(29_000, 31_000, lat=46.1),
        circle(29_000, 31_000, start=90),
        circle(29_000, 31_000, end=30),
    ]
    assert verdicts(legs(*ACROSS), pieces) == {0: "conflict"}
    near = {"lateral_tenth_mm": 5 * NM, "vertical_tenth_mm": 1001 * FT, "time_us": 31 * S}
    assert verdicts(legs(*ACROSS), pieces, **near) == dict.fromkeys(range(6), "conflict")


def test_track_in_another_datum_is_three_valued():
    """T-VOL-1, T-VOL-3: the bounds of the datums decide: deep inside a band of another datum conflicts, near its edge cannot be told, far from it is clear."""
    pieces = [
        circle(low, high, datum="MSL")
        for low, high in ((10_000, 50_000), (33_000, 50_000), (45_000, 50_000))
    ]
    assert verdicts(legs(*ACROSS), pieces) == {0: "conflict", 1: "cannot-tell"}


def test_climb_through_a_thin_layer_between_points_is_found():
    """T-VOL-2: what is inside for less than a second between two points is found, and when is within a microsecond."""
    way = legs((0, 7.0, 46.0, 0), (100, 7.001, 46.0, 50_000))
    (met,) = find_in_volumes(way, [circle(25_000, 25_100)], Rules())
    assert (met.from_us, met.until_us) == ((T0 + 50) * S, (T0 + 50) * S + 200_000)


@pytest.mark.parametrize("seed", range(6))
def test_track_that_any_second_finds_too_near_is_a_conflict(seed):
    """T-VOL-2: whatever a look at every second finds is found, and what is clear is clear at every second."""
    draw = random.Random(seed)
    for _ in range(6):
        points = [
            (
                t,
                7 + draw.uniform(-0.2, 0.2),
                46 + draw.uniform(-0.2, 0.2),
                draw.randint(20_000, 40_000),
            )
            for t in (0, 60, 130, 220)
        ]
        piece = circle(
            29_000,
            31_000,
            start=draw.randint(0, 100),
            end=draw.randint(120, 300),
            lon=7 + draw.uniform(-0.2, 0.2),
        )
        way = legs(*points)
        found = verdicts(way, [piece], lateral_tenth_mm=NM, vertical_tenth_mm=500 * FT)
        shape = Shape(piece.geometry, "planar")
        seen = False
        for second in range(220):
            k = max(j for j in range(3) if points[j][0] <= second)
            (t0, x0, y0, z0), (t1, x1, y1, z1) = points[k], points[k + 1]
            share = (second - t0) / (t1 - t0)
            level = z0 + (z1 - z0) * share
            inside = piece.start_us <= (T0 + second) * S < piece.end_us
            spot = Circle(
                (round((x0 + (x1 - x0) * share) * DEG), round((y0 + (y1 - y0) * share) * DEG)), 0
            )
            # 20 m less than the minimum: a straight line in degrees is not quite a leg
            if inside and 28_510 < level < 31_490:
                seen |= (
                    compare_lateral(Shape(spot, "planar"), shape, NM - 200_000, Budget(10**6)) < 0
                )
        assert not seen or found == {0: "conflict"}

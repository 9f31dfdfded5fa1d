"""Reach: the exact comparison behind the filter, and the formula it stands on."""

import random
from fractions import Fraction
from math import isqrt

import numpy as np
import pyproj
from shapes import circle, corridor, lateral, nanodeg

from detente.airspace.earth import MEAN_RADIUS_TENTH_MM, earth_point, length_of
from detente.airspace.near import Budget
from detente.airspace.reach import compare_distance, distance_square, least_distance

GEOD = pyproj.Geod(ellps="WGS84")


def pair(draw):
    """A short corridor's core and a point near it, away from its ends."""
    lon, lat = draw.uniform(-179, 178), draw.uniform(-80, 80)
    line = corridor([(lon, lat), (lon + 0.05, lat + 0.03)], 1).parts[0].globe
    spot = circle(lon + 0.02, lat + draw.uniform(0.02, 0.03), 1).parts[0].globe
    return line, spot


def test_comparison_one_step_of_chord_either_side_of_the_distance():
    """At 2^-16 of 0.1 mm from the true distance, where no float can tell, the answer is right."""
    draw = random.Random(8)
    for _ in range(100):
        line, spot = pair(draw)
        square, _, _ = least_distance(line, spot, Budget(10**6))
        chord = isqrt((square.numerator << 32) // square.denominator)  # just at or below
        assert compare_distance(line, spot, chord + 1, Budget(10**6)) == -1
        assert compare_distance(line, spot, chord - 1, Budget(10**6)) == 1
        assert compare_distance(spot, line, chord + 1, Budget(10**6)) == -1


def test_comparison_of_exactly_equal_distance_is_equal():
    """Two points whose distance is a whole number compare equal with it."""
    one, two = circle(0, 0, 1).parts[0].globe, circle(0, 90, 1).parts[0].globe
    one.vertices[0], two.vertices[0] = (63_781_370_000, 0, 0), (63_781_370_000, 300, 400)
    one.array[:], two.array[:] = np.array(one.vertices), np.array(two.vertices)
    for chord, answer in ((500 << 16, 0), ((500 << 16) - 1, 1), ((500 << 16) + 1, -1)):
        assert compare_distance(one, two, chord, Budget(100)) == answer


def test_distance_square_is_the_formula_of_the_spec():
    """The integers are those of docs/spec/airspace-model.md, section 7."""
    draw = random.Random(9)
    for _ in range(200):
        lon, lat = draw.randint(-(10**11), 10**11), draw.randint(-(8 * 10**10), 8 * 10**10)
        p, a, b = (
            earth_point(lon + draw.randint(0, 10**8), lat + draw.randint(0, 10**8))
            for _ in range(3)
        )
        ab = [y - x for x, y in zip(a, b, strict=True)]
        ap = [y - x for x, y in zip(a, p, strict=True)]
        u, w = (sum(x * y for x, y in zip(v, ab, strict=True)) for v in (ap, ab))
        if 0 < u < w:
            sag = Fraction(u * (w - u), 2 * MEAN_RADIUS_TENTH_MM * w)
            expected = max(sum(x * x for x in ap) - Fraction(u * u, w) - sag * sag, Fraction(0))
        else:
            expected = min(sum((x - y) ** 2 for x, y in zip(p, end, strict=True)) for end in (a, b))
        assert Fraction(*distance_square(p, a, b)) == expected


def test_point_on_a_line_is_near_it_though_the_chord_sags():
    """A 10 km chord sags 2 m under the surface; a place on the line is still at distance zero."""
    draw = random.Random(10)
    for _ in range(50):
        lon, lat, azimuth = draw.uniform(-179, 179), draw.uniform(-80, 80), draw.uniform(0, 360)
        end = GEOD.fwd(lon, lat, azimuth, 9_900)[:2]
        middle = GEOD.fwd(lon, lat, azimuth, 4_950)[:2]
        assert lateral(corridor([(lon, lat), end], 0.1), circle(*middle, 0.1)) == -1


def test_point_beside_a_line_is_as_far_as_it_is():
    """From 10 m on, the distance from the middle of a part is true to 2 mm."""
    draw = random.Random(11)
    for _ in range(100):
        lon, lat, azimuth = draw.uniform(-179, 179), draw.uniform(-80, 80), draw.uniform(0, 360)
        end = GEOD.fwd(lon, lat, azimuth, 9_900)[:2]
        middle_lon, middle_lat, back = GEOD.fwd(lon, lat, azimuth, 4_950)
        away = draw.uniform(10, 2_000)
        place = GEOD.fwd(middle_lon, middle_lat, back + 90, away)[:2]
        a, b, p = (earth_point(nanodeg(x), nanodeg(y)) for x, y in ((lon, lat), end, place))
        assert abs(length_of(*distance_square(p, a, b)) / 10_000 - away) < 0.002


def test_least_distance_places_are_the_nearest():
    """The two places returned are as far apart as the distance says, to the sag of a part."""
    draw = random.Random(12)
    for _ in range(50):
        line, spot = pair(draw)
        square, on_line, on_spot = least_distance(line, spot, Budget(10**6))
        gap = sum((x - y) ** 2 for x, y in zip(on_line, on_spot, strict=True)) ** 0.5
        assert abs(gap - float(square) ** 0.5) < 20_000
        assert on_spot == spot.vertices[0]

"""Earth: integer coordinates that agree with WGS84 and with themselves."""

import math
import random
from fractions import Fraction

import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.earth import (
    LENGTH_MAX_TENTH_MM,
    MEAN_RADIUS_TENTH_MM,
    ONE,
    _angle,
    _bisected_angle,
    _sine_cosine_float,
    chord_of,
    degrees_of,
    earth_point,
    length_of,
    round_ratio,
    sine_cosine,
)

LONS = st.integers(-180 * 10**9, 180 * 10**9)
LATS = st.integers(-90 * 10**9, 90 * 10**9)


def test_earth_point_agrees_with_wgs84_to_half_a_unit():
    """Every coordinate is PROJ's, rounded to 0.1 mm."""
    to_earth = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    draw = random.Random(1)
    for _ in range(2_000):
        lon, lat = draw.randint(-180 * 10**9, 180 * 10**9), draw.randint(-90 * 10**9, 90 * 10**9)
        theirs = to_earth.transform(lon / 1e9, lat / 1e9, 0.0)
        ours = earth_point(lon, lat)
        assert all(abs(a - b * 1e4) < 0.51 for a, b in zip(ours, theirs, strict=True))


def test_earth_point_pinned_values_never_change():
    """The bytes of a verdict rest on these coordinates, so they are pinned."""
    assert earth_point(35_787_700_000, 35_523_600_000) == (42156621552, 30390559043, 36852993612)
    assert earth_point(-179_990_000_000, -45_000_000_000) == (-45175908100, -7884683, -44873484089)
    assert chord_of(92_600_000) == 6068633065823


@given(LONS, st.sampled_from([-90 * 10**9, 90 * 10**9]))
def test_earth_point_every_longitude_of_a_pole_is_one_point(lon, lat):
    """There is no pole case: all longitudes of a pole are one place."""
    assert earth_point(lon, lat) == earth_point(0, lat)


@given(LATS)
def test_earth_point_both_ends_of_longitude_are_one_meridian(lat):
    """There is no antimeridian case: 180 W is 180 E."""
    assert earth_point(-180 * 10**9, lat) == earth_point(180 * 10**9, lat)


@given(LONS, LATS)
def test_earth_point_mirrored_input_gives_mirrored_output(lon, lat):
    """Rounding favours no hemisphere."""
    x, y, z = earth_point(lon, lat)
    assert earth_point(-lon, lat) == (x, -y, z)
    assert earth_point(lon, -lat) == (x, y, -z)


@given(st.integers(-400 * 10**9, 400 * 10**9))
def test_sine_cosine_is_within_a_float_of_the_library(angle):
    """The fixed polynomial is sine and cosine."""
    sine, cosine = sine_cosine(angle)
    assert math.isclose(sine / ONE, math.sin(math.radians(angle / 1e9)), abs_tol=1e-13)
    assert math.isclose(cosine / ONE, math.cos(math.radians(angle / 1e9)), abs_tol=1e-13)


@given(st.integers(0, 90 * 10**9))
def test_sine_cosine_squares_sum_to_one_beyond_float_precision(angle):
    """The error of the polynomials is below 1e-21."""
    sine, cosine = sine_cosine(angle)
    assert abs(Fraction(sine * sine + cosine * cosine, ONE * ONE) - 1) < Fraction(1, 10**21)


@given(LONS, st.integers(-89_999 * 10**6, 89_999 * 10**6))
def test_degrees_of_undoes_earth_point(lon, lat):
    """Degrees come back within 0.1 mm on the ground."""
    back_lon, back_lat = degrees_of(earth_point(lon, lat))
    shrink = math.cos(math.radians(lat / 1e9))
    turn = abs(back_lon - lon)
    assert min(turn, 360 * 10**9 - turn) * shrink <= 2
    assert abs(back_lat - lat) <= 2


@given(st.integers(0, LENGTH_MAX_TENTH_MM - 1))
def test_chord_of_grows_with_length(length):
    """A longer distance never has a shorter chord."""
    assert chord_of(length) <= chord_of(length + 1)


@given(st.integers(0, LENGTH_MAX_TENTH_MM))
def test_chord_of_is_the_chord_of_the_mean_sphere(length):
    """The threshold is 2 R sin(length / 2 R)."""
    radius = MEAN_RADIUS_TENTH_MM
    expected = 2 * radius * math.sin(length / (2 * radius))
    assert math.isclose(chord_of(length) / 2**16, expected, rel_tol=1e-12, abs_tol=1e-4)


@given(
    st.one_of(st.integers(0, LENGTH_MAX_TENTH_MM), st.integers(0, 10**6)),
    st.integers(-(1 << 17), 1 << 17),
)
def test_length_of_is_the_greatest_length_with_no_longer_chord(length, off):
    """The chord of the answer is not longer than what was asked, and that of the next length is, up to a quarter of the earth."""
    chord = max(0, chord_of(length) + off)
    found = length_of(chord * chord, 1 << 32)
    assert chord_of(found) <= chord
    assert found == LENGTH_MAX_TENTH_MM or chord_of(found + 1) > chord


def test_chord_of_refuses_what_it_cannot_compare():
    """A length past a quarter of the earth's girth is an error, never a wrong chord."""
    with pytest.raises(ValueError, match="must be"):
        chord_of(LENGTH_MAX_TENTH_MM + 1)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_round_ratio_is_the_nearest_integer(above, below):
    """The rounding is never off by more than a half, and mirrors."""
    value = round_ratio(above, below)
    assert abs(Fraction(above, below) - value) <= Fraction(1, 2)
    assert round_ratio(-above, below) == -value


@given(st.integers(0, 2**90), st.integers(0, 2**90))
def test_angle_guessed_is_the_angle_bisected(along, across):
    """The fast way to an angle gives the very integer that bisection gives."""
    if along or across:
        assert _angle(along, across) == _bisected_angle(along, across)


@given(st.integers(0, 90 * 10**9 - 1), st.integers(-3, 3))
def test_angle_near_the_middle_of_two_steps_is_the_angle_bisected(low, off):
    """Where a guess could round either way, bisection decides."""
    one, two = sine_cosine(low), sine_cosine(low + 1)
    along, across = one[1] + two[1], one[0] + two[0] + off
    if along >= 0 and across >= 0:
        assert _angle(along, across) == _bisected_angle(along, across)


@given(st.integers(0, 90_000_000_000))
@settings(max_examples=500)
def test_sine_and_cosine_in_floats_are_within_their_bound(angle):
    """Both are off by at most four roundings, which the bound of an angle's guess counts on."""
    for found, whole in zip(_sine_cosine_float(angle), sine_cosine(angle), strict=True):
        assert abs(Fraction(found) - Fraction(whole, ONE)) <= 4 * Fraction(1, 2**53)

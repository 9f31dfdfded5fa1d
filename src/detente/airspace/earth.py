"""Degrees to whole earth-centred coordinates and back, the same on every machine.

Only integers are used: + - * // and the integer square root, in a written order. There is no call
to a maths library, so two nodes cannot differ in a last digit. Angles are 1e-9 degree, lengths
0.1 mm, fractions fixed point with 80 binary places (an error below 1e-20, far under the rounding of
the result to 0.1 mm). Earth-centred means: origin at the centre of the earth, x through 0 E,
y through 90 E, z through the north pole.

Source: WGS84 (NGA.STND.0036): a = 6,378,137 m, 1/f = 298.257223563. docs/spec/airspace-model.md,
sections 2 and 3, is the normative text.
"""

from __future__ import annotations

from functools import lru_cache
from math import atan2, factorial, isqrt, sqrt

Point = tuple[int, int, int]

Q = 80
ONE = 1 << Q
PI_Q = 3797952473636338580787993  # floor(pi * 2^80)
E2_Q = 8093008816393364823803  # floor(e^2 * 2^80), e^2 = f (2 - f)
AXIS_RATIO_Q = 1217073371237575837078926  # floor(2^80 / (1 - e^2)) = (a / b)^2
MAJOR_TENTH_MM = 63_781_370_000  # a
MEAN_RADIUS_TENTH_MM = 63_710_087_714  # (2 a + b) / 3, for the curvature of a distance

QUARTER_NANODEG = 90_000_000_000
_NANODEG_PER_RADIAN = 180e9 / 3.141592653589793
_HALF_STEP_Q = 499 * PI_Q // (1000 * 2 * QUARTER_NANODEG)  # 0.499e-9 degree, times 2^80
# 0.4985e-9 degree. What is below it in floats is below 0.499e-9 degree: between the two lie 78 roundings of
# 2^-53, and the sine of what a guess is off takes 14 (4 each for sine and cosine, 1 each for both sides of
# the triangle and for the products, 1 for the difference, 3 for the hypotenuse).
_HALF_STEP_FLOAT = 0.4985 * 3.141592653589793 / 180e9
RADIAN = 3.141592653589793 / 180e9  # of 1e-9 degree
# sine to x^17, cosine to x^18: what is left out is below 1e-18 at 45 degrees.
SINES = tuple((-1.0) ** k / factorial(2 * k + 1) for k in range(9))
COSINES = tuple((-1.0) ** k / factorial(2 * k) for k in range(10))
TURN_NANODEG = 4 * QUARTER_NANODEG
# Past this length a chord's threshold would leave the series' range (45 degrees of arc is 5,000 km
# on either side of its middle). Radii and minima have limits that keep any sum below it.
LENGTH_MAX_TENTH_MM = 100_000_000_000  # 10,000 km, a quarter of the way round

_SINE_DIVISORS = tuple(2 * k * (2 * k + 1) for k in range(11, 0, -1))
_COSINE_DIVISORS = tuple((2 * k - 1) * 2 * k for k in range(12, 0, -1))


def _sine(x_q: int) -> int:
    """sin x for 0 <= x <= pi/4 in fixed point: Taylor's polynomial of degree 23, by Horner."""
    square = x_q * x_q >> Q
    value = ONE
    for divisor in _SINE_DIVISORS:
        value = ONE - (square * value >> Q) // divisor
    return x_q * value >> Q


def _cosine(x_q: int) -> int:
    """cos x for 0 <= x <= pi/4 in fixed point: Taylor's polynomial of degree 24, by Horner."""
    square = x_q * x_q >> Q
    value = ONE
    for divisor in _COSINE_DIVISORS:
        value = ONE - (square * value >> Q) // divisor
    return value


def sine_cosine_once(angle_nanodeg: int) -> tuple[int, int]:
    """(sin, cos) of an angle in fixed point with 80 binary places.

    Exact at the multiples of 90 degrees, so the poles are one point and +-180 is one meridian.

    Example:
        >>> sine_cosine(90_000_000_000) == (ONE, 0)
        True
    """
    quadrant, rest = divmod(angle_nanodeg % TURN_NANODEG, QUARTER_NANODEG)
    if 2 * rest <= QUARTER_NANODEG:
        x_q = (rest * PI_Q + QUARTER_NANODEG) // (2 * QUARTER_NANODEG)
        sine, cosine = _sine(x_q), _cosine(x_q)
    else:
        x_q = ((QUARTER_NANODEG - rest) * PI_Q + QUARTER_NANODEG) // (2 * QUARTER_NANODEG)
        sine, cosine = _cosine(x_q), _sine(x_q)
    if quadrant == 0:
        return sine, cosine
    if quadrant == 1:
        return cosine, -sine
    if quadrant == 2:
        return -sine, -cosine
    return -cosine, sine


sine_cosine = lru_cache(maxsize=4096)(sine_cosine_once)


def round_ratio(above: int, below: int) -> int:
    """above / below to the nearest integer, halves away from zero; below > 0.

    Away from zero, so that mirrored inputs give mirrored outputs.

    Example:
        >>> round_ratio(5, 2), round_ratio(-5, 2)
        (3, -3)
    """
    size = (2 * abs(above) + below) // (2 * below)
    return size if above >= 0 else -size


def earth_point(lon_nanodeg: int, lat_nanodeg: int) -> Point:
    """The point of the WGS84 ellipsoid at a longitude and latitude, 0.1 mm, earth-centred.

    Args:
        lon_nanodeg: longitude, 1e-9 degree.
        lat_nanodeg: geodetic latitude, 1e-9 degree, -90 to 90 degrees.

    Example:
        >>> earth_point(0, 0), earth_point(77, 90_000_000_000)
        ((63781370000, 0, 0), (0, 0, 63567523142))
    """
    sin_lat, cos_lat = sine_cosine(lat_nanodeg)
    sin_lon, cos_lon = sine_cosine(lon_nanodeg)
    root = isqrt((ONE - (E2_Q * (sin_lat * sin_lat >> Q) >> Q)) << Q)
    normal = (MAJOR_TENTH_MM << 2 * Q) // root  # radius of the prime vertical, fixed point
    level = normal * cos_lat >> Q
    return (
        round_ratio(level * cos_lon, 1 << 2 * Q),
        round_ratio(level * sin_lon, 1 << 2 * Q),
        round_ratio((normal * (ONE - E2_Q) >> Q) * sin_lat, 1 << 2 * Q),
    )


def degrees_of(point: Point) -> tuple[int, int]:
    """Longitude and latitude, 1e-9 degree, of an earth-centred point on or near the surface.

    Exact to the last digit for points on the surface; a chord's middle (metres under the surface)
    gives a place within a centimetre of the one above it.
    """
    x, y, z = point
    level = isqrt((x * x + y * y) << 32)
    return _longitude_latitude(point, level * (ONE - E2_Q) >> Q, abs(z) << 16)


def degrees_of_normal(normal: Point) -> tuple[int, int]:
    """Longitude and latitude, 1e-9 degree, whose vertical points that way.

    Args:
        normal: a vector of any length.

    Example:
        >>> degrees_of_normal((0, -5, 0)), degrees_of_normal((-3, 0, 0))
        ((-90000000000, 0), (180000000000, 0))
    """
    x, y, z = normal
    return _longitude_latitude(normal, isqrt((x * x + y * y) << 32), abs(z) << 16)


def _longitude_latitude(point: Point, along: int, across: int) -> tuple[int, int]:
    x, y, z = point
    lat = _angle(along, across)
    if x == 0 and y == 0:
        return 0, lat if z >= 0 else -lat
    lon = _angle(abs(x), abs(y))
    if x < 0:
        lon = 2 * QUARTER_NANODEG - lon
    return (lon if y >= 0 else -lon), (lat if z >= 0 else -lat)


def _angle(along: int, across: int) -> int:
    """The angle in [0, 90] degrees whose tangent is across / along, to the nearest 1e-9 degree.

    A guess by floating point stands where it is shown to be the nearest, with a thousandth of 1e-9 degree
    to spare: by floats with a bound on their error, else by integers; else bisection decides. None of
    them asks how good the guess was.
    """
    guess = round(atan2(across, along) * _NANODEG_PER_RADIAN)
    if 0 < guess < QUARTER_NANODEG:
        far, high = float(along), float(across)
        sine_float, cosine_float = _sine_cosine_float(guess)
        off_float = abs(high * cosine_float - far * sine_float)
        if off_float < sqrt(far * far + high * high) * _HALF_STEP_FLOAT:
            return guess
        sine, cosine = sine_cosine_once(guess)
        # across cos - along sin is the hypotenuse times the sine of what the guess is off
        off = abs(across * cosine - along * sine)
        if off < isqrt(along * along + across * across) * _HALF_STEP_Q:
            return guess
    return _bisected_angle(along, across)


def _sine_cosine_float(angle_nanodeg: int) -> tuple[float, float]:
    """(sin, cos) of an angle from 0 to 90 degrees, each off by at most 4 * 2^-53: `earths.sine_cosine_floats` of one."""
    past = 2 * angle_nanodeg > QUARTER_NANODEG
    x = (QUARTER_NANODEG - angle_nanodeg if past else angle_nanodeg) * RADIAN
    square = x * x
    sine, cosine = SINES[8], COSINES[9]
    for term in SINES[7::-1]:
        sine = sine * square + term
    for term in COSINES[8::-1]:
        cosine = cosine * square + term
    return (cosine, sine * x) if past else (sine * x, cosine)


def _bisected_angle(along: int, across: int) -> int:
    low, high = 0, 2 * QUARTER_NANODEG  # in halves of 1e-9 degree, to round to the nearest
    while low < high:
        middle = (low + high + 1) // 2
        lower, odd = divmod(middle, 2)
        sine, cosine = sine_cosine(lower)
        if odd:
            sine_up, cosine_up = sine_cosine(lower + 1)
            sine, cosine = sine + sine_up, cosine + cosine_up
        if sine * along <= cosine * across:
            low = middle
        else:
            high = middle - 1
    return (low + 1) // 2


@lru_cache(maxsize=4096)
def chord_of(length_tenth_mm: int) -> int:
    """The chord under a surface distance, in 2^-16 of 0.1 mm.

    chord = 2 R sin(length / 2 R), R the mean radius of the earth: so a length is compared with the
    straight line between two surface points, which needs no root and no inverse.

    Args:
        length_tenth_mm: 0 to 10,000 km.

    Example:
        >>> chord_of(1) == 1 << 16
        True
    """
    if not 0 <= length_tenth_mm <= LENGTH_MAX_TENTH_MM:
        raise ValueError(f"length is {length_tenth_mm}; it must be 0 to {LENGTH_MAX_TENTH_MM}")
    return _chord(length_tenth_mm)


def _chord(length_tenth_mm: int) -> int:
    x_q = (length_tenth_mm << Q) // (2 * MEAN_RADIUS_TENTH_MM)
    return round_ratio(2 * MEAN_RADIUS_TENTH_MM * _sine(x_q), 1 << (Q - 16))


def length_of(square: int, scale: int) -> int:
    """The surface distance, 0.1 mm, whose chord is nearest under sqrt(square / scale) in 0.1 mm.

    Args:
        square: a squared chord, times scale.
        scale: a positive integer.

    Returns:
        The greatest length whose `chord_of` is not longer; at most 10,000 km.
    """
    chord = isqrt((square << 32) // scale)
    # An arc is longer than its chord and grows at least as fast, so each step comes nearer from below:
    # two or three steps for what is near, twenty across a quarter of the earth.
    length = min(LENGTH_MAX_TENTH_MM, chord >> 16)
    while True:
        short = chord - _chord(length)
        if short < 0:  # the last step, by the rounding of a chord
            return length - 1
        step = short >> 16
        if length == LENGTH_MAX_TENTH_MM or (step == 0 and _chord(length + 1) > chord):
            return length
        length = min(LENGTH_MAX_TENTH_MM, length + max(step, 1))

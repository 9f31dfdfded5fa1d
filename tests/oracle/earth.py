"""The model of the earth, of chords and of datums, written again from docs/spec/airspace-model.md without the engine."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import isqrt

Q = 80
ONE = 1 << Q
PI_Q = 3797952473636338580787993
E2_Q = 8093008816393364823803
AXIS_Q = 1217073371237575837078926
A = 63_781_370_000
R = 63_710_087_714
DATUMS = ("MSL", "WGS84", "AGL", "STD")
BOUNDS = {
    "qnh_min_pa": 94_800,
    "qnh_max_pa": 105_000,
    "cold_permille": 120,
    "warm_permille": 100,
    "geoid_min_tenth_mm": -1_070_000,
    "geoid_max_tenth_mm": 860_000,
    "terrain_min_tenth_mm": -4_400_000,
    "terrain_max_tenth_mm": 88_490_000,
}

Vector = tuple[int, int, int]


def rounded(above: int, below: int) -> int:
    """above / below to the nearest integer, halves away from zero."""
    size = (2 * abs(above) + below) // (2 * below)
    return size if above >= 0 else -size


def nearest(number: Fraction) -> int:
    """The nearest integer, halves away from zero."""
    return rounded(number.numerator, number.denominator)


@lru_cache(maxsize=1 << 16)
def sine_cosine(angle: int) -> tuple[int, int]:
    """Section 2 of the airspace model."""
    quarter, rest = divmod(angle % 360_000_000_000, 90_000_000_000)
    swap = 2 * rest > 90_000_000_000
    if swap:
        rest = 90_000_000_000 - rest
    x = (rest * PI_Q + 90_000_000_000) // 180_000_000_000
    square = x * x >> Q
    sine = cosine = ONE
    for k in range(11, 0, -1):
        sine = ONE - (square * sine >> Q) // (2 * k * (2 * k + 1))
    for k in range(12, 0, -1):
        cosine = ONE - (square * cosine >> Q) // ((2 * k - 1) * 2 * k)
    sine = x * sine >> Q
    if swap:
        sine, cosine = cosine, sine
    return ((sine, cosine), (cosine, -sine), (-sine, -cosine), (-cosine, sine))[quarter]


@lru_cache(maxsize=1 << 16)
def point(lon: int, lat: int) -> Vector:
    """Section 3 of the airspace model."""
    sin_lon, cos_lon = sine_cosine(lon)
    sin_lat, cos_lat = sine_cosine(lat)
    root = isqrt((ONE - (E2_Q * (sin_lat * sin_lat >> Q) >> Q)) << Q)
    normal = (A << 160) // root
    level = normal * cos_lat >> Q
    below = 1 << 160
    return (
        rounded(level * cos_lon, below),
        rounded(level * sin_lon, below),
        rounded((normal * (ONE - E2_Q) >> Q) * sin_lat, below),
    )


@lru_cache(maxsize=1 << 14)
def chord(length: int) -> int:
    """T(L) of section 7, in 2^-16 of 0.1 mm."""
    x = (length << Q) // (2 * R)
    square = x * x >> Q
    value = ONE
    for k in range(11, 0, -1):
        value = ONE - (square * value >> Q) // (2 * k * (2 * k + 1))
    return rounded(2 * R * (x * value >> Q), 1 << 64)


def cut(one: Vector, two: Vector, count: int) -> list[Vector]:
    """Section 4, geodesic: the ends of an edge and the points between its equal parts."""
    normal = (one[0] + two[0], one[1] + two[1], ((one[2] + two[2]) * AXIS_Q) >> Q)

    def stretched(u: Vector, v: Vector) -> int:
        return ((u[0] * v[0] + u[1] * v[1]) << Q) + u[2] * v[2] * AXIS_Q

    alpha = stretched(normal, normal)
    line = [one]
    for i in range(1, count):
        x, y, z = (one[k] * (count - i) + two[k] * i for k in range(3))
        beta = stretched((x, y, z), normal)
        gamma = stretched((x, y, z), (x, y, z)) - ((A * count) ** 2 << Q)
        root = ((isqrt(beta * beta - alpha * gamma) - beta) << Q) // alpha
        px, py, pz = (
            rounded((c << Q) + root * n, count << Q) for c, n in zip((x, y, z), normal, strict=True)
        )
        line.append((px, py, pz))
    return [*line, two]


def range_msl(value: int, datum: str, bounds: dict[str, int]) -> tuple[int, int]:
    """Section 9 of the airspace model."""
    if datum == "MSL":
        return value, value
    if datum == "WGS84":
        return value - bounds["geoid_max_tenth_mm"], value - bounds["geoid_min_tenth_mm"]
    if datum == "AGL":
        return value + bounds["terrain_min_tenth_mm"], value + bounds["terrain_max_tenth_mm"]
    cold = -((-abs(value) * bounds["cold_permille"]) // 1000)
    warm = -((-abs(value) * bounds["warm_permille"]) // 1000)
    return (
        value - 900 * (101_325 - bounds["qnh_min_pa"]) - cold,
        value + 900 * (bounds["qnh_max_pa"] - 101_325) + warm,
    )

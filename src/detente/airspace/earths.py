"""Many positions to earth-centred points at once: the very integers of `earth.earth_point`.

Floating point makes a first value with a proved bound on its error; where rounding it to a whole
0.1 mm could go either way (one coordinate in two thousand), the integers of `earth` decide.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from detente.airspace.earth import (
    COSINES,
    MAJOR_TENTH_MM,
    QUARTER_NANODEG,
    RADIAN,
    SINES,
    earth_point,
)
from detente.compiled import HAS_COMPILER, split

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

E2 = 8093008816393364823803 / 2.0**80
# A coordinate is a product of at most four factors (radius, root, two of sine and cosine), each off
# by at most 4 roundings of 2^-53, and 4 roundings join them: 20 * 2^-53 of 6.4e10 is 1.4e-4.
ERROR = 2e-4
_CHUNK = 8192  # rows worked on at once without a compiler: the arrays stay in the cache


def earth_points(
    lon_nanodeg: Longs, lat_nanodeg: Longs, *, threads: int = 1, compiles: bool = True
) -> Longs:
    """The earth-centred points of many positions, 0.1 mm.

    Args:
        lon_nanodeg: longitudes, 1e-9 degree, shape (n,), -180 to 180 degrees.
        lat_nanodeg: latitudes, 1e-9 degree, shape (n,), -90 to 90 degrees.
        threads: how many share the work.
        compiles: whether the compiled loop may be used; its first use takes seconds, which somebody
            who has but a few positions does not wait for.

    Returns:
        Whole numbers, shape (3, n): x, y and z.

    Example:
        >>> earth_points(np.array([0]), np.array([90_000_000_000])).tolist()
        [[0], [0], [63567523142]]
    """
    lon = np.ascontiguousarray(lon_nanodeg, dtype=np.int64)
    lat = np.ascontiguousarray(lat_nanodeg, dtype=np.int64)
    points = np.empty((3, len(lon)), dtype=np.int64)
    fill: Callable[[Longs, Longs, Longs, int, int], Longs]
    if compiles and HAS_COMPILER:
        from detente.airspace.earthloop import fill_points as fill
    else:
        fill = _fill_points
    for unsure in split(
        lambda start, stop: fill(lon, lat, points, start, stop),
        len(lon),
        threads if len(lon) > 4 * _CHUNK else 1,
    ):
        for row in unsure.tolist():
            points[:, row] = earth_point(int(lon[row]), int(lat[row]))
    return points


def _fill_points(lon: Longs, lat: Longs, points: Longs, start: int, stop: int) -> Longs:
    unsure: list[Longs] = []
    for at in range(start, stop, _CHUNK):
        end = min(at + _CHUNK, stop)
        sines, cosines = sine_cosine_floats(np.concatenate([lon[at:end], lat[at:end]]))
        sin_lon, sin_lat = sines[: end - at], sines[end - at :]
        cos_lon, cos_lat = cosines[: end - at], cosines[end - at :]
        normal = MAJOR_TENTH_MM / np.sqrt(1.0 - E2 * sin_lat * sin_lat)
        level = normal * cos_lat
        doubt = np.zeros(end - at, dtype=bool)
        for axis, value in enumerate(
            (level * cos_lon, level * sin_lon, normal * (1.0 - E2) * sin_lat)
        ):
            whole = np.rint(value)
            doubt |= np.abs(value - whole) > 0.5 - ERROR
            points[axis, at:end] = whole
        unsure.append(np.nonzero(doubt)[0] + at)
    return np.concatenate(unsure) if unsure else np.empty(0, dtype=np.int64)


def sine_cosine_floats(angle: Longs) -> tuple[Floats, Floats]:
    """Sines and cosines of angles in 1e-9 degree, each off by at most 4 * 2^-53; exact at multiples of 90 degrees."""
    turns = (angle + QUARTER_NANODEG // 2) // QUARTER_NANODEG  # nearest quarter turn
    x = (angle - turns * QUARTER_NANODEG).astype(np.float64) * RADIAN
    square = x * x
    sine = np.full_like(x, SINES[8])
    for term in SINES[7::-1]:
        sine = sine * square + term
    sine *= x
    cosine = np.full_like(x, COSINES[9])
    for term in COSINES[8::-1]:
        cosine = cosine * square + term
    quadrant = turns & 3
    odd = (quadrant & 1).astype(bool)
    up, along = np.where(odd, cosine, sine), np.where(odd, sine, cosine)
    return (
        np.where(quadrant >= 2, -up, up),
        np.where((quadrant == 1) | (quadrant == 2), -along, along),
    )

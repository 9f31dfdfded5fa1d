"""The compiled loop of `earths`; imported only where there is a compiler."""

from __future__ import annotations

from math import floor, sqrt

import numpy as np

from detente.airspace.earth import COSINES, MAJOR_TENTH_MM, QUARTER_NANODEG, RADIAN, SINES
from detente.airspace.earths import E2, ERROR, Longs
from detente.compiled import compiled

_HALF = QUARTER_NANODEG // 2
_SINES, _COSINES = np.array(SINES), np.array(COSINES)


@compiled
def sine_cosine_float(angle: int) -> tuple[float, float]:
    """Sine and cosine of an angle in 1e-9 degree, each off by at most 4 * 2^-53."""
    turns = (angle + _HALF) // QUARTER_NANODEG
    x = (angle - turns * QUARTER_NANODEG) * RADIAN
    square = x * x
    sine = _SINES[8]
    for k in range(7, -1, -1):
        sine = sine * square + _SINES[k]
    sine = sine * x
    cosine = _COSINES[9]
    for k in range(8, -1, -1):
        cosine = cosine * square + _COSINES[k]
    quadrant = turns & 3
    if quadrant == 0:
        return sine, cosine
    if quadrant == 1:
        return cosine, -sine
    if quadrant == 2:
        return -sine, -cosine
    return -cosine, sine


@compiled
def fill_points(lon: Longs, lat: Longs, points: Longs, start: int, stop: int) -> Longs:
    """Write the points of a slice; say which rows the integers must decide."""
    unsure = np.empty(stop - start, dtype=np.int64)
    count = 0
    for row in range(start, stop):
        sin_lon, cos_lon = sine_cosine_float(lon[row])
        sin_lat, cos_lat = sine_cosine_float(lat[row])
        normal = MAJOR_TENTH_MM / sqrt(1.0 - E2 * sin_lat * sin_lat)
        level = normal * cos_lat
        x, y, z = level * cos_lon, level * sin_lon, normal * (1.0 - E2) * sin_lat
        px, py, pz = floor(x + 0.5), floor(y + 0.5), floor(z + 0.5)
        points[0, row], points[1, row], points[2, row] = px, py, pz
        if max(abs(x - px), abs(y - py), abs(z - pz)) > 0.5 - ERROR:
            unsure[count] = row
            count += 1
    return unsure[:count].copy()

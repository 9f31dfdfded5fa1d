"""Many tracks in arrays: where each was, when, how high."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from detente.airspace.area import LAT_MAX_NANODEG, LON_MAX_NANODEG
from detente.errors import UsageError, shown
from detente.limits import ALTITUDE_MAX_M, ALTITUDE_MIN_M
from detente.units import TENTH_MM_PER_M

Longs = npt.NDArray[np.int64]

TIME_MAX_US = 253_402_300_800_000_000  # the end of year 9999
_CHUNK = 1 << 18


@dataclass(frozen=True, eq=False)
class Tracks:
    """Tracks one after another; the points of each in order of time. Build one with `build_tracks`.

    Args:
        ids: names, ascending, each once.
        starts: where the points of each begin, and the end; shape (tracks + 1,).
        time_us: microseconds since the epoch, strictly increasing within a track, shape (n,).
        lon_nanodeg: longitudes, 1e-9 degree, shape (n,).
        lat_nanodeg: latitudes, 1e-9 degree, shape (n,).
        alt_tenth_mm: altitudes, 0.1 mm, all of `datum`, shape (n,).
        datum: of all altitudes.
    """

    ids: tuple[str, ...]
    starts: Longs
    time_us: Longs
    lon_nanodeg: Longs
    lat_nanodeg: Longs
    alt_tenth_mm: Longs
    datum: str = "STD"

    def __len__(self) -> int:
        return len(self.ids)


def build_tracks(
    ids: tuple[str, ...],
    starts: Longs,
    time_us: Longs,
    lon_nanodeg: Longs,
    lat_nanodeg: Longs,
    alt_tenth_mm: Longs,
    *,
    datum: str = "STD",
) -> Tracks:
    """Tracks with every rule checked; the arrays are taken as they are, not copied, where they can be.

    Raises:
        UsageError: ids out of order or repeated, times that do not increase, a value out of range,
            arrays of different lengths.
    """
    columns = tuple(
        np.ascontiguousarray(column, dtype=np.int64)
        for column in (starts, time_us, lon_nanodeg, lat_nanodeg, alt_tenth_mm)
    )
    begins, time, lon, lat, alt = columns
    count = len(time)
    if not len(lon) == len(lat) == len(alt) == count:
        raise UsageError(
            "tracks-shape",
            f"columns have {count}, {len(lon)}, {len(lat)} and {len(alt)} rows; they must be equal",
        )
    for one, other in pairwise(ids):
        if one >= other:
            raise UsageError(
                "tracks-order",
                f"{shown(one)} stands before {shown(other)}; ids must ascend, each once",
            )
    if (
        len(begins) != len(ids) + 1
        or begins[0] != 0
        or begins[-1] != count
        or (np.diff(begins) < 0).any()
    ):
        raise UsageError(
            "tracks-shape", "starts do not fit the rows; they must go from 0 to the last, ascending"
        )
    first = np.zeros(count + 1, dtype=bool)  # rows that begin a track
    first[begins] = True
    for name, column, least, most in (
        ("time", time, 0, TIME_MAX_US),
        ("lon", lon, -LON_MAX_NANODEG, LON_MAX_NANODEG),
        ("lat", lat, -LAT_MAX_NANODEG, LAT_MAX_NANODEG),
        ("alt", alt, ALTITUDE_MIN_M * TENTH_MM_PER_M, ALTITUDE_MAX_M * TENTH_MM_PER_M),
    ):
        for at in range(0, count, _CHUNK):
            part = column[at : at + _CHUNK]
            if part.min() < least or part.max() > most:
                row = at + int(np.nonzero((part < least) | (part > most))[0][0])
                raise UsageError(
                    "tracks-value",
                    f"{name} is {int(column[row])}; it must be from {least} to {most}",
                    field=f"row {row + 1}, {name}",
                )
    for at in range(0, count - 1, _CHUNK):
        end = min(at + _CHUNK, count - 1)
        back = (time[at + 1 : end + 1] <= time[at:end]) & ~first[at + 1 : end + 1]
        if back.any():
            row = at + int(np.nonzero(back)[0][0]) + 1
            raise UsageError(
                "tracks-time-order",
                f"time is {int(time[row])} after {int(time[row - 1])}; "
                "times of one track must increase",
                field=f"row {row + 1}, time",
            )
    return Tracks(ids, begins, time, lon, lat, alt, datum)

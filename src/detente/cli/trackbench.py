"""Benchmarks of tracks: the recorded Swiss day, a made-up day over Europe, and how the cost grows.

Times are of what is asked: points in arrays to conflicts, legs and earth-centred coordinates included.
Best of several rounds, because other work on the machine only ever adds; compiling comes before.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detente.airspace.track import Tracks, build_tracks
from detente.cli.recordbench import peak_mb
from detente.conflict.trajectory import Found, LegRules, Minima, find_conflicts
from detente.errors import UnavailableError
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S

Row = dict[str, Any]
Longs = npt.NDArray[np.int64]

MINIMA = Minima(5 * TENTH_MM_PER_NM, 1000 * TENTH_MM_PER_FT)
SWISS_SAMPLE = "traffic/data/samples/collections/switzerland.json.gz"
SWISS_GAP_MS = 10 * 60 * 1000  # the same callsign after ten silent minutes is another flight
ROUNDS = 7
DAY_START_US = 1_533_081_600 * US_PER_S  # of the Swiss day
LEGS_PER_TRACK = 50
GROWTH = (1_000, 3_000, 10_000, 30_000, 100_000)

_AIRPORTS = 150
_EUROPE = (-10.0, 30.0, 36.0, 60.0)  # west, east, south, north
_FAR_M = 2_400_000.0  # so legs are below 50 km
_EARTH_M = 6_371_000.0  # a sphere will do to make up traffic


def swiss_wheel() -> Path | None:
    """The wheel with the sample, where scripts/get-sample puts it; None if it is absent."""
    return max((Path(sys.prefix) / "wheels").glob("traffic-*.whl"), default=None)


def swiss_flights(wheel: Path) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Address, flight id and points of every flight in the sample inside the wheel of `traffic`."""
    with zipfile.ZipFile(wheel) as archive:
        points = json.loads(gzip.decompress(archive.read(SWISS_SAMPLE)))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for point in points:
        groups.setdefault((point["icao24"], point["callsign"] or "none"), []).append(point)
    for (address, callsign), group in sorted(groups.items()):
        group.sort(key=lambda point: point["timestamp"])
        begins = [0]
        for i in range(1, len(group)):
            if group[i]["timestamp"] - group[i - 1]["timestamp"] > SWISS_GAP_MS:
                begins.append(i)
        for number, (start, stop) in enumerate(
            zip(begins, [*begins[1:], len(group)], strict=True), 1
        ):
            yield address, f"{callsign}-{address}-{number}", group[start:stop]


def swiss_tracks(wheel: Path) -> Tracks:
    """The Swiss day: 1,244 flights, 139,098 points."""
    rows = sorted((name, points) for _, name, points in swiss_flights(wheel))
    points = [point for _, group in rows for point in group]

    def column(name: str, factor: int) -> Longs:
        values = np.array([point[name] for point in points], dtype=np.float64)
        return np.rint(values * factor).astype(np.int64)

    return build_tracks(
        tuple(name for name, _ in rows),
        np.cumsum([0, *(len(group) for _, group in rows)]),
        column("timestamp", 1000),
        column("longitude", 10**9),
        column("latitude", 10**9),
        column("altitude", TENTH_MM_PER_FT),
    )


def made_tracks(count: int, *, seed: int = 1, hours: float = 24.0) -> Tracks:
    """A made-up day over Europe: flights between 150 airports, 50 legs each, climbing, level, descending.

    Args:
        count: how many flights.
        seed: the same seed makes the same flights.
        hours: over which departures are spread evenly.
    """
    rng = np.random.default_rng(seed)
    west, east, south, north = _EUROPE
    airports = np.stack([rng.uniform(west, east, _AIRPORTS), rng.uniform(south, north, _AIRPORTS)])
    points = LEGS_PER_TRACK + 1
    columns = [np.empty(count * points, dtype=np.int64) for _ in range(4)]
    step = 2_000
    for at in range(0, count, step):
        block = _made_block(rng, airports, min(step, count - at), hours)
        for column, values in zip(columns, block, strict=True):
            column[at * points : at * points + values.size] = values.ravel()
    return build_tracks(
        tuple(f"F{number:07d}" for number in range(count)),
        np.arange(count + 1, dtype=np.int64) * points,
        *columns,
    )


def _made_block(
    rng: np.random.Generator, airports: npt.NDArray[np.float64], count: int, hours: float
) -> tuple[npt.NDArray[np.float64], ...]:
    """Time, longitude, latitude, altitude of some flights, shape (count, 51) each."""
    origin = rng.integers(0, _AIRPORTS, count)
    goal = (origin + rng.integers(1, _AIRPORTS, count)) % _AIRPORTS
    ends = [_unit(*airports[:, which]) for which in (origin, goal)]
    whole = np.arccos(np.clip((ends[0] * ends[1]).sum(axis=0), -1, 1))
    angle = np.minimum(whole, _FAR_M / _EARTH_M)  # who goes farther leaves the picture
    share = np.linspace(0.0, 1.0, LEGS_PER_TRACK + 1)
    # Each flies its own way: off the direct line by up to 60 km in the middle.
    aside = rng.normal(0.0, 30_000.0 / _EARTH_M, count)
    normal = np.cross(ends[0], ends[1], axis=0)
    normal /= np.maximum(np.sqrt((normal**2).sum(axis=0)), 1e-9)
    sine = np.maximum(np.sin(whole), 1e-6)
    place = (
        ends[0][:, :, None] * (np.sin(whole[:, None] - share * angle[:, None]) / sine[:, None])
        + ends[1][:, :, None] * (np.sin(share * angle[:, None]) / sine[:, None])
        + normal[:, :, None] * (aside[:, None] * np.sin(np.pi * share))
    )
    place /= np.sqrt((place**2).sum(axis=0))
    speed = rng.uniform(190.0, 250.0, count)
    lasts = np.maximum(angle * _EARTH_M, 60_000.0) / speed
    time_s = rng.uniform(0, hours * 3600, count)[:, None] + lasts[:, None] * share
    level = rng.integers(24, 42, count) * 1_000.0  # whole flight levels, as they are flown
    climb = np.minimum(1.0, np.minimum(share, 1 - share)[None, :] * lasts[:, None] / 1_200.0)
    feet = np.rint(level[:, None] * climb / 25.0) * 25.0
    return (
        DAY_START_US + np.rint(time_s * 1e3) * 1e3,
        np.rint(np.degrees(np.arctan2(place[1], place[0])) * 1e7) * 1e2,
        np.rint(np.degrees(np.arcsin(place[2])) * 1e7) * 1e2,
        feet * TENTH_MM_PER_FT,
    )


def _unit(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x, y = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])


def _best(tracks: Tracks, rounds: int, threads: int | None) -> tuple[Found, float, list[float]]:
    """What is found, the best time of several rounds, and all of them, in seconds."""
    times = []
    found: list[Found] = []
    for _ in range(rounds):
        found.clear()  # else the memory of two answers would be measured
        began = time.perf_counter()
        found.append(find_conflicts(tracks, MINIMA, LegRules(), threads=threads))
        times.append(time.perf_counter() - began)
    return found[0], min(times), times


def _warm() -> None:
    """Compiles, or loads what was compiled."""
    find_conflicts(made_tracks(50, hours=0.5), MINIMA, threads=1)


def measure_swiss(wheel: str) -> Row:
    """The recorded Swiss day at 5 NM and 1,000 ft."""
    path = Path(wheel)
    if not path.is_file():
        raise UnavailableError(
            "sample-absent",
            f"{wheel or 'the wheel of traffic'} is absent; it must be there to measure the Swiss day",
            hint="run scripts/get-sample",
        )
    tracks = swiss_tracks(path)
    _warm()
    rows: Row = {"tracks": len(tracks), "points": len(tracks.time_us)}
    for threads in (1, 2):
        found, best, times = _best(tracks, ROUNDS, threads)
        rows[f"threads {threads}"] = {"best_ms": best * 1e3, "all_ms": [t * 1e3 for t in times]}
    return rows | {
        "legs": found.legs,
        "conflicts": len(found.a),
        "pairs": found.pairs,
        "peak_mb": peak_mb(),
    }


def measure_trajectories(count: int, rounds: int = 3, threads: int | None = None) -> Row:
    """A made-up day over Europe."""
    tracks = made_tracks(count)
    _warm()
    found, best, times = _best(tracks, rounds, threads)
    return {
        "tracks": count,
        "legs": found.legs,
        "conflicts": len(found.a),
        "best_s": best,
        "all_s": times,
        "peak_mb": peak_mb(),
    }


def tracks_csv(tracks: Tracks) -> bytes:
    """Tracks as the CSV that `detente scan` reads."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(["id", "time", "lat", "lon", "alt_ft"])
    for number, name in enumerate(tracks.ids):
        for row in range(int(tracks.starts[number]), int(tracks.starts[number + 1])):
            out.writerow(
                [
                    name,
                    int(tracks.time_us[row]) / US_PER_S,
                    int(tracks.lat_nanodeg[row]) / 1e9,
                    int(tracks.lon_nanodeg[row]) / 1e9,
                    int(tracks.alt_tenth_mm[row]) / TENTH_MM_PER_FT,
                ]
            )
    return text.getvalue().encode()

"""A recording too large for memory: made-up traffic, written as it comes, sorted by time or by flight.

    .venv/bin/python scripts/make_stream.py 50_000_000 stream.parquet
    .venv/bin/detente scan stream.parquet

Flights cross Europe on their levels, one point every ten seconds, 500 points each; as many at a time as fill the
wanted number of points in one day. The file is written in row groups of 100,000 points.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet

STEP_S, POINTS = 10, 500
GROUP = 100_000
START_S = 1_533_081_600
DAY_S = 86_400


def write_stream(path: Path, rows: int, *, seed: int = 1, by_time: bool = True) -> int:
    """Writes so many points, rounded to whole flights; returns how many."""
    flights = max(1, rows // POINTS)
    rng = np.random.default_rng(seed)
    start = np.sort(rng.integers(0, DAY_S - STEP_S * POINTS, flights) // STEP_S)
    lon, lat = rng.uniform(-10, 30, flights), rng.uniform(36, 60, flights)
    course, speed = rng.uniform(0, 2 * np.pi, flights), rng.uniform(150, 250, flights)
    level = rng.integers(100, 420, flights) * 100.0
    names = np.array([f"S{number:07d}" for number in range(flights)])
    schema = pyarrow.schema(
        [
            ("id", pyarrow.string()),
            *((name, pyarrow.float64()) for name in ("time", "lat", "lon", "alt_ft")),
        ]
    )
    with pyarrow.parquet.ParquetWriter(path, schema) as out:

        def write(flight: np.ndarray, point: np.ndarray) -> None:
            way = speed[flight] * point * STEP_S / 111_195
            y = lat[flight] + way * np.cos(course[flight])
            x = lon[flight] + way * np.sin(course[flight]) / np.cos(np.radians(lat[flight]))
            time = START_S + (start[flight] + point) * float(STEP_S)
            columns = (names[flight], time, np.round(y, 6), np.round(x, 6), level[flight])
            table = pyarrow.table(dict(zip(schema.names, columns, strict=True)), schema=schema)
            out.write_table(table, row_group_size=GROUP)

        if not by_time:
            for at in range(0, flights, GROUP // POINTS):
                some = np.arange(at, min(at + GROUP // POINTS, flights))
                write(np.repeat(some, POINTS), np.tile(np.arange(POINTS), len(some)))
        else:
            waiting: list[tuple[np.ndarray, np.ndarray]] = []
            count = 0
            for tick in range(DAY_S // STEP_S + 1):
                first = np.searchsorted(start, tick - POINTS + 1)
                some = np.arange(first, np.searchsorted(start, tick, "right"))
                waiting.append((some, tick - start[some]))
                count += len(some)
                if count >= GROUP or tick == DAY_S // STEP_S:
                    if count:
                        write(*(np.concatenate(part) for part in zip(*waiting, strict=True)))
                    waiting, count = [], 0
    return flights * POINTS


def main() -> None:
    """Read the arguments and write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--by-flight", action="store_true", help="sorted by id, then time")
    options = parser.parse_args()
    print(write_stream(options.path, options.rows, by_time=not options.by_flight), "points")


if __name__ == "__main__":
    main()

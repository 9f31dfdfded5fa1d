"""What runs in the peers' own environment: their detectors, on our inputs, timed there.

    PEER_PYTHON peerrun.py TASK FOLDER

Reads ``FOLDER/in.npz``, writes ``FOLDER/out.npz`` and ``FOLDER/out.json``. It is run as a file by another
Python (`peerbench`) and must import nothing of detente: some peers are under the GPL and never share a
process with it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FT_M = 0.3048


def main() -> None:
    """Run one task."""
    import numpy as np

    task, folder = sys.argv[1], Path(sys.argv[2])
    given = (
        dict(np.load(folder / "in.npz", allow_pickle=False)) if (folder / "in.npz").exists() else {}
    )
    said, arrays = TASKS[task](given)
    np.savez(folder / "out.npz", **arrays)
    said["peak_mb"] = _peak_mb()
    (folder / "out.json").write_text(json.dumps(said))


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def _best(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    best, found = float("inf"), None
    for _ in range(rounds):
        began = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - began)
    return best, found


def _aircraft(given: dict[str, Any]) -> Any:
    import numpy as np

    count = len(given["lat"])
    columns = {
        name: np.ascontiguousarray(given[name], dtype=np.float64)
        for name in ("lat", "lon", "trk", "gs", "alt", "vs")
    }
    return SimpleNamespace(ntraf=count, id=[str(k) for k in range(count)], **columns)


def _bluesky(given: dict[str, Any], compiled: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    import numpy as np

    if compiled:
        from bluesky.traffic.asas import cstatebased

        detect = cstatebased.detect
    else:
        from bluesky.traffic.asas.statebased import StateBased

        def detect(*arguments: Any) -> Any:
            return StateBased.detect(None, *arguments)

    seen = _aircraft(given)
    limits = [
        np.ascontiguousarray(given[name], dtype=np.float64) for name in ("rpz", "hpz", "ahead")
    ]
    with np.errstate(all="ignore"):
        best, found = _best(lambda: detect(seen, seen, *limits), int(given["rounds"]))
    pairs = np.array([(int(a), int(b)) for a, b in found[0]], dtype=np.int64).reshape(-1, 2)
    return {"seconds": best}, {"pairs": pairs}


def _polygons(given: dict[str, Any]) -> Any:
    import numpy as np
    import shapely

    corners = np.stack([given["lon"], given["lat"]], axis=-1)
    first = given["first"]
    return shapely.polygons(
        shapely.linearrings(corners, indices=np.repeat(np.arange(len(first) - 1), np.diff(first)))
    )


def _overlaps(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    import numpy as np
    import shapely

    def work() -> Any:
        polygons = _polygons(given)
        tree = shapely.STRtree(polygons)
        a, b = tree.query(polygons, predicate="intersects")
        keep = a < b
        a, b = a[keep], b[keep]
        keep = (
            (given["start"][a] < given["end"][b])
            & (given["start"][b] < given["end"][a])
            & (given["lower"][a] < given["upper"][b])
            & (given["lower"][b] < given["upper"][a])
        )
        return np.stack([a[keep], b[keep]], axis=-1)

    best, pairs = _best(work, int(given["rounds"]))
    return {"seconds": best}, {"pairs": pairs.astype(np.int64)}


def _queries(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One box after another against all: those whose boxes it meets, in four dimensions."""
    import numpy as np
    import shapely

    polygons = _polygons(given)
    began = time.perf_counter()
    tree = shapely.STRtree(polygons)
    tree.query(polygons[0])
    build = time.perf_counter() - began
    asked = given["asked"]
    boxes = shapely.bounds(polygons[asked])
    times, counts = [], []
    start, end, lower, upper = (given[name] for name in ("start", "end", "lower", "upper"))
    for row, bounds in zip(asked.tolist(), boxes, strict=True):
        box = shapely.box(*bounds)
        began = time.perf_counter()
        near = tree.query(box)
        times.append(time.perf_counter() - began)
        near = near[
            (start[near] < end[row])
            & (end[near] > start[row])
            & (lower[near] < upper[row])
            & (upper[near] > lower[row])
        ]
        counts.append(len(near))
    return {"build_s": build}, {"seconds": np.array(times), "counts": np.array(counts)}


def _swiss(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The recorded day, or a part of it: its points, and what `traffic` finds in them."""
    import logging
    import warnings

    import numpy as np

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from traffic.data.samples import switzerland

    day = switzerland
    if float(given["hours"]) > 0:
        begin = day.start_time.floor("h") + (day.end_time - day.start_time) / 2
        import pandas as pd

        day = day.between(begin, begin + pd.Timedelta(hours=float(given["hours"])))
    points: dict[str, list[Any]] = {"name": [], "time_ms": [], "lat": [], "lon": [], "alt_ft": []}
    for flight in day:
        data = flight.data.dropna(subset=["latitude", "longitude", "altitude"])
        if not len(data):
            continue
        stamps = (
            data["timestamp"]
            .dt.tz_localize(None)
            .to_numpy()
            .astype("datetime64[ms]")
            .astype(np.int64)
        )
        points["name"].extend(
            [f"{data['icao24'].iloc[0]}|{data['callsign'].iloc[0]}|{stamps[0]}"] * len(data)
        )
        points["time_ms"].extend(stamps.tolist())
        for name, column in (("lat", "latitude"), ("lon", "longitude"), ("alt_ft", "altitude")):
            points[name].extend(data[column].tolist())
    arrays: dict[str, Any] = {name: np.array(column) for name, column in points.items()}
    pairs: list[Any] = []
    seconds = 0.0
    if int(given["peer"]):
        from cartopy import crs

        began = time.perf_counter()
        found = day.closest_point_of_approach(
            lateral_separation=5 * 1852,
            vertical_separation=1000,
            projection=crs.EuroPP(),
            round_t="d",
            max_workers=1,
        )
        seconds = time.perf_counter() - began
        if found is not None:
            close = found.data.query("lateral < 5 and vertical < 1000")
            pairs = sorted(
                {
                    tuple(sorted(pair))
                    for pair in zip(close["icao24_x"], close["icao24_y"], strict=True)
                }
            )
    return {"seconds": seconds, "pairs": pairs, "flights": len(set(points["name"]))}, arrays


def _shapes(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two shapes of which each tool is asked whether they meet."""
    import shapely

    west = shapely.box(179.98, 0, 180, 1)
    east = shapely.box(-180, 0, -179.98, 1)
    circle = shapely.Point(0, 0).buffer(1.0, quad_segs=5)
    near = shapely.Point(
        0.993 * 0.98768834, 0.993 * 0.15643447
    )  # between two corners, within the circle
    return {
        "antimeridian": bool(shapely.intersects(west, east)),
        "circle": bool(shapely.intersects(circle, near)),
    }, {}


def _levels(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of 54 pairs of levels exactly 1,000 ft apart, how many metres in floats make closer."""
    return {
        "closer": sum((1000 * (k + 1)) * FT_M - (1000 * k) * FT_M < 1000 * FT_M for k in range(54))
    }, {}


TASKS: dict[str, Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]] = {
    "compiled": lambda given: _bluesky(given, True),
    "numpy": lambda given: _bluesky(given, False),
    "overlaps": _overlaps,
    "queries": _queries,
    "swiss": _swiss,
    "shapes": _shapes,
    "levels": _levels,
}

if __name__ == "__main__":
    main()

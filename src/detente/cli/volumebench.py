"""Benchmarks of volumes: all pairs of a million, one query among a million, and one notice among a hundred thousand.

Made-up traffic over Europe and one day: twelve-cornered areas of 2 to 10 km, half an hour to an hour and a half
long, 1,000 to 5,000 ft high. Best of several rounds where a whole is timed, because other work on the machine only ever adds;
compiling comes before. `some_volumes` and `pairs_of` are for others who time the same with other programs.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from detente.airspace.altitude import DATUMS, Altitude
from detente.airspace.area import Area
from detente.airspace.earths import earth_points
from detente.airspace.volume import Volume
from detente.cli.recordbench import Row, peak_mb
from detente.conflict.pair import (
    BOX_HIGH,
    BOX_LOW,
    COLUMNS,
    END,
    LOWER,
    LOWER_DATUM,
    START,
    UPPER,
    UPPER_DATUM,
)
from detente.conflict.strategic import Rules, VolumeArrays, all_overlaps
from detente.conflict.volumeindex import VolumeIndex
from detente.notice.activity import ActivityNotice
from detente.protocol.fold import NoticeState, Version
from detente.simulation.node import SimNode
from detente.simulation.room import Room
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, US_PER_S

Longs = npt.NDArray[np.int64]

CORNERS = 12
ROUNDS = 5
QUERIES = 20_000
FILED = 300
_EUROPE = (-10.0, 30.0, 35.0, 60.0)  # west, east, south, north
_DAY_US = 1_767_225_600 * US_PER_S
_PER_KM = 1 / 111.0  # degrees, near enough for made-up traffic
_METRE = 10_000


def some_volumes(count: int, seed: int = 1) -> VolumeArrays:
    """Made-up volumes, the same on every machine that draws alike.

    Args:
        count: how many.
        seed: of the drawing.

    Returns:
        Rings of `CORNERS` vertices that do not cross themselves, in flight levels as 0.1 mm.
    """
    chance = np.random.default_rng(seed)
    lon = chance.uniform(_EUROPE[0], _EUROPE[1], count)
    lat = chance.uniform(_EUROPE[2], _EUROPE[3], count)
    radius = chance.uniform(2, 10, count) * _PER_KM
    reach = radius[:, None] * chance.uniform(0.7, 1, (count, CORNERS))
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    wide = np.cos(np.radians(lat))[:, None]
    start = _DAY_US + chance.integers(0, 86_400, count) * US_PER_S
    lower = chance.integers(0, 400, count) * 100 * TENTH_MM_PER_FT
    return VolumeArrays(
        lon=_nanodeg(lon[:, None] + reach * np.cos(angle) / wide),
        lat=_nanodeg(lat[:, None] + reach * np.sin(angle)),
        first=np.arange(count + 1) * CORNERS,
        thick=np.zeros(count, dtype=np.int64),
        start=start,
        end=start + chance.integers(1800, 5400, count) * US_PER_S,
        lower=lower,
        upper=lower + chance.integers(10, 50, count) * 100 * TENTH_MM_PER_FT,
    )


def pairs_of(volumes: VolumeArrays, *, threads: int | None = None) -> Longs:
    """The pairs of rows that overlap in place, height and time; touches left out. Shape (k, 2), sorted."""
    found = all_overlaps(volumes, threads=threads)
    overlapping: Longs = found.pairs[found.codes == 0]
    return overlapping


def measure_volumes(count: int, live: int) -> Row:
    """All parts.

    Args:
        count: volumes compared with each other, and in the index that is asked.
        live: live notices that one more is filed among.
    """
    return {
        "all pairs": measure_pairs(count),
        "index": measure_index(count),
        "filing": measure_filing(live),
    }


def measure_pairs(count: int) -> Row:
    """All pairs of many volumes: seconds with one thread and with two, and how many there are."""
    all_overlaps(some_volumes(1_000))
    volumes = some_volumes(count)
    row: Row = {"volumes": count}
    for threads in (1, 2):
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = all_overlaps(volumes, threads=threads)
            times.append(time.perf_counter() - began)
        row[f"seconds_{threads}"] = min(times)
    return {**row, "pairs": len(found.pairs), "peak_mb": peak_mb()}


def measure_index(count: int) -> Row:
    """One query among many live volumes, and what adding and taking out costs; microseconds."""
    columns = _columns(some_volumes(count))
    queries = _columns(some_volumes(QUERIES, seed=2))
    rules = Rules()
    index = VolumeIndex()
    index.add(columns[:5_000], exercise=False)
    index.near(queries[0], False, rules)  # compiles
    index = VolumeIndex()
    began = time.perf_counter()
    index.add(columns, exercise=False)
    built_s = time.perf_counter() - began
    asked = _each(lambda row: index.near(row, False, rules), queries)
    online = VolumeIndex()
    added = _each(lambda row: online.add(row.reshape(1, COLUMNS), False), columns[: 4 * QUERIES])
    removed = _each(
        lambda row: online.remove(int(row[0]), int(row[0]) + 1), np.arange(QUERIES)[:, None]
    )
    return {
        "volumes": count,
        "build_s": built_s,
        "query_p50_us": _quantile(asked, 50),
        "query_p99_us": _quantile(asked, 99),
        "insert_mean_us": float(added.mean()),
        "insert_worst_us": float(added.max()),
        "remove_mean_us": float(removed.mean()),
        "bytes_each": index.memory_bytes / count,
    }


def measure_filing(live: int) -> Row:
    """A notice filed among live ones until its conflicts are known and recorded: the engine's share, milliseconds.

    From the body of the version to its verdicts in the record: indexing it, its candidates, judging
    each, and the entries of what is new. Signing and the disk are not in it; `receipt` measures those.
    """
    room = Room()
    node = room.node(0)
    other = room.node(1).name
    core = node.running
    agreement = next(iter(core.state.agreements))
    for notice in _notices(some_volumes(live, seed=3), "V"):
        _take(node, notice, other, agreement)
    core.live.candidates(next(iter(_notices(some_volumes(1, seed=9), "W"))), Rules())  # compiles
    times: list[tuple[float, float]] = []
    found = 0
    for notice in _notices(some_volumes(FILED, seed=4), "N"):
        _, own = _state(notice, node.name, agreement)
        core.state.notices[own.id] = own
        core.state.keep_volumes(own.latest.body_digest, notice)
        began, worked = time.perf_counter(), time.thread_time()
        core.live.insert(own.id, notice)
        effects = core.check_activity(own.id, notice, room.timeline.now_us)
        times.append((time.perf_counter() - began, time.thread_time() - worked))
        found += len(effects)
    each, processor = np.array(times[10:]).T * 1e3
    return {
        "live": live,
        "conflicts_each": found / FILED,
        "p50_ms": _quantile(each, 50),
        "p99_ms": _quantile(each, 99),
        "processor_p50_ms": _quantile(processor, 50),
        "processor_p99_ms": _quantile(processor, 99),
        "peak_mb": peak_mb(),
    }


def _take(node: SimNode, notice: ActivityNotice, party: str, agreement: str) -> None:
    id_, state = _state(notice, party, agreement)
    node.running.state.notices[id_] = state
    node.running.live.insert(id_, notice)


def _state(notice: ActivityNotice, party: str, agreement: str) -> tuple[str, NoticeState]:
    id_ = f"{party}:{notice.name}"
    version = Version(
        number=1,
        cancel=False,
        body_digest=id_.encode().hex().zfill(64)[-64:],
        agreement=agreement,
        statements={},
        known_us=notice.start_us,
        start_us=notice.start_us,
        end_us=notice.end_us,
    )
    return id_, NoticeState(id_, party, notice.exercise, {1: version})


def _notices(volumes: VolumeArrays, letter: str) -> list[ActivityNotice]:
    found = []
    for row in range(len(volumes)):
        geometry = volumes.geometry(row)
        assert isinstance(geometry, Area)
        low, high = (
            Altitude(int(edge[row]), "ft", "STD") for edge in (volumes.lower, volumes.upper)
        )
        start, end = int(volumes.start[row]), int(volumes.end[row])
        piece = Volume(geometry, "planar", low, high, start, end)
        found.append(ActivityNotice(f"{letter}-{row}", True, "patrol", (piece,)))
    return found


def _columns(volumes: VolumeArrays) -> Longs:
    """Rows as the index takes them: boxes around the earth-centred corners, with what edges bend by."""
    points = earth_points(volumes.lon, volumes.lat, threads=2)
    columns = np.zeros((len(volumes), COLUMNS), dtype=np.int64)
    columns[:, START], columns[:, END] = volumes.start, volumes.end
    for k in range(3):
        columns[:, BOX_LOW + k] = np.minimum.reduceat(points[k], volumes.first[:-1]) - 10 * _METRE
        columns[:, BOX_HIGH + k] = np.maximum.reduceat(points[k], volumes.first[:-1]) + 10 * _METRE
    columns[:, LOWER], columns[:, UPPER] = volumes.lower, volumes.upper
    columns[:, LOWER_DATUM] = columns[:, UPPER_DATUM] = DATUMS.index("STD")
    return columns


def _each(work: Any, rows: Longs) -> npt.NDArray[np.float64]:
    """Microseconds of each call."""
    times = np.empty(len(rows))
    for k, row in enumerate(rows):
        began = time.perf_counter()
        work(row)
        times[k] = time.perf_counter() - began
    return times * 1e6


def _quantile(times: npt.NDArray[np.float64], percent: int) -> float:
    return float(np.percentile(times, percent))


def _nanodeg(degrees: npt.NDArray[np.float64]) -> Longs:
    return np.rint(degrees * NANODEG_PER_DEG).astype(np.int64).ravel()


def describe_volumes(row: Row) -> list[str]:
    """What was measured, in lines for a person."""
    pairs, index, filing = row["all pairs"], row["index"], row["filing"]
    return [
        f"all pairs of {pairs['volumes']:,} volumes: {pairs['seconds_2']:.2f} s with two threads, {pairs['seconds_1']:.2f} s with one; "
        f"{pairs['pairs']:,} pairs, {pairs['peak_mb']:.0f} MB (goal <= 1 s at 1,000,000)",
        f"one query among {index['volumes']:,}: p50 {index['query_p50_us']:.0f} us, p99 {index['query_p99_us']:.0f} us (goal p99 <= 30 us at 1,000,000); "
        f"built in {index['build_s']:.2f} s, {index['bytes_each']:.0f} bytes each",
        f"  one insertion {index['insert_mean_us']:.1f} us on average, {index['insert_worst_us'] / 1e3:.1f} ms at worst; one removal {index['remove_mean_us']:.1f} us",
        f"notice filed among {filing['live']:,} live ones to conflicts known: p50 {filing['p50_ms']:.2f} ms, p99 {filing['p99_ms']:.2f} ms of engine time "
        f"(processor {filing['processor_p50_ms']:.2f} and {filing['processor_p99_ms']:.2f}), "
        f"{filing['conflicts_each']:.1f} conflicts each (goal <= 1 ms at 100,000)",
    ]

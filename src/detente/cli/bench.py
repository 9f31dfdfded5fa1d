"""Benchmarks: two real nodes on loopback, durable, both signatures, mutual TLS; and the record (`recordbench`).

Absolute times drift with the machine and with whatever else runs on it; the medians of several rounds
are what counts. Results go to docs/measurements.md by hand, with the command.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from detente.cli.advicebench import describe_advice, measure_both
from detente.cli.client import Api
from detente.cli.nodes import Member, Nodes
from detente.cli.recordbench import (
    alone,
    measure_absence,
    measure_append,
    measure_audit,
    measure_bundle,
    measure_rebuild,
)
from detente.cli.trackbench import GROWTH, measure_swiss, measure_trajectories, swiss_wheel
from detente.cli.volumebench import describe_volumes, measure_volumes
from detente.errors import UsageError
from detente.units import US_PER_S, format_time, parse_time

Progress = Callable[[str], None]

LATENCY_NOTICES = 500
RATE_NOTICES = 5000  # with their receipts: the 10,000 statements of the start benchmark
RATE_CLIENTS = 8
START_ROUNDS = 5
APPEND_ENTRIES = 50_000
REBUILD_STATEMENTS = 100_000
AUDIT_ENTRIES = 1_000_000
BUNDLE_ROUNDS = 1000
ABSENCE_ENTRIES = 100_000
VOLUMES = 1_000_000
LIVE_NOTICES = 100_000
CLUSTERS = 300

LINE_PARTS = ("receipt", "rate", "start")
PARTS = (
    *LINE_PARTS,
    "append",
    "rebuild",
    "audit",
    "bundle",
    "absence",
    "volumes",
    "advice",
    "swiss",
    "trajectories",
)


def run_benchmarks(
    *, only: str | None, full: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """Run the benchmarks and return what was measured.

    Args:
        only: names of parts, joined by commas; None for all.
        full: at the sizes that the goals name, which takes some ten minutes; else a tenth of the work.

    Raises:
        UsageError: ``part-unknown``.
    """
    say: Progress = progress or (lambda line: None)
    parts = PARTS if only is None else tuple(only.split(","))
    for part in parts:
        if part not in PARTS:
            raise UsageError(
                "part-unknown",
                f"part is {part!r}; it must be one of {', '.join(PARTS)}",
                field="only",
            )
    results: dict[str, Any] = {}
    share = 1 if full else 10
    if set(parts) & set(LINE_PARTS):
        results |= _line_parts(parts, share, say)
    if "append" in parts:
        results["append"] = alone(measure_append, APPEND_ENTRIES // share)
        for name, row in results["append"].items():
            say(
                f"durable appends, both signatures, {name}: {row['per_s']:.0f}/s, {row['per_processor_s']:.0f} for a second of processor time, p99 {row['p99_ms']:.1f} ms"
            )
        say("  (goal at batch 10 >= 10,000/s, batch 1 p99 <= 20 ms)")
    if "rebuild" in parts:
        row = results["rebuild"] = alone(measure_rebuild, REBUILD_STATEMENTS // share)
        say(
            f"rebuild from {row['statements']} statements: {_cost(row)}; {row['with_comparison_s']:.1f} s with the comparison (goal <= 10 s from 100,000)"
        )
    if "audit" in parts:
        row = results["audit"] = alone(measure_audit, AUDIT_ENTRIES // share)
        say(
            f"audit of {row['entries']} entries and their head: {_cost(row)}, of which {row['load_s']:.1f} s to load (goal <= 60 s for 1,000,000)"
        )
    if "bundle" in parts:
        row = results["bundle"] = alone(measure_bundle, BUNDLE_ROUNDS // share)
        say(
            f"verify a bundle of {row['bytes']} bytes: p50 {row['p50_ms']:.1f} ms, p99 {row['p99_ms']:.1f} ms, processor {row['processor_ms']:.1f} ms (goal <= 10 ms)"
        )
    if "absence" in parts:
        found = results["absence"] = alone(measure_absence, ABSENCE_ENTRIES // share)
        say(
            f"proof of absence over {found['verify']['entries']} entries, {found['make']['bytes'] / 1e6:.1f} MB: made {_cost(found['make'])}, p99 of a slice {found['make']['slice_p99_ms']:.0f} ms; verified {_cost(found['verify'])}; one area on one day {_cost(found['verify one day'])}"
        )
    if "volumes" in parts:
        results["volumes"] = alone(measure_volumes, VOLUMES // share, LIVE_NOTICES // share)
        for line in describe_volumes(results["volumes"]):
            say(line)
    if "advice" in parts:
        results["advice"] = measure_both(CLUSTERS // share)
        for line in describe_advice(results["advice"]):
            say(line)
    if "swiss" in parts:
        results["swiss"] = _swiss(say)
    if "trajectories" in parts:
        results["trajectories"] = []
        for count in GROWTH if full else GROWTH[:3]:
            row = alone(measure_trajectories, count)
            results["trajectories"].append(row)
            say(
                f"{count:,} made-up trajectories, {row['legs']:,} legs, all against all: best {row['best_s']:.2f} s, {row['conflicts']:,} conflicts, {row['peak_mb']:.0f} MB"
            )
        say("  (goal <= 3 s and <= 600 MB for 100,000, on two cores)")
    return results


def _swiss(say: Progress) -> dict[str, Any]:
    wheel = swiss_wheel()
    if wheel is None:
        say("the recorded Swiss day is absent; scripts/get-sample fetches it")
        return {"absent": True}
    row = alone(measure_swiss, str(wheel))
    best = " and ".join(
        f"{row[f'threads {k}']['best_ms']:.1f} ms with {k} thread{'s' if k > 1 else ''}"
        for k in (1, 2)
    )
    say(
        f"the recorded Swiss day, {row['tracks']:,} flights, {row['points']:,} points: best {best}; {row['pairs']} pairs in {row['conflicts']} conflicts (goal <= 20 ms)"
    )
    return row


def _cost(row: dict[str, Any]) -> str:
    return (
        f"{row['seconds']:.1f} s ({row['processor_s']:.1f} s of processor), {row['peak_mb']:.0f} MB"
    )


def _line_parts(parts: tuple[str, ...], share: int, say: Progress) -> dict[str, Any]:
    """The parts that need nodes as processes of their own."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="detente-bench-") as scratch:
        members = [
            Member("north", "North"),
            Member("south", "South"),
            Member("meridian", "Meridian", "neutral"),
        ]
        with Nodes(Path(scratch), members, {}) as nodes:
            nodes.start_all()
            nodes.wait_open("north")
            if "receipt" in parts:
                row = results["receipt"] = _receipts(nodes, LATENCY_NOTICES // share)
                say(
                    f"notice filed to signed receipt, durable: p50 {row['p50_ms']:.1f} ms, p99 {row['p99_ms']:.1f} ms over {row['notices']} (goal p50 <= 15 ms, p99 <= 50 ms)"
                )
            if "rate" in parts or "start" in parts:
                rate = results["rate"] = _rate(nodes, RATE_NOTICES // share)
                say(
                    f"sustained one way: {rate['per_s']:.0f} notices/s over {rate['notices']} (goal >= 200)"
                )
            if "start" in parts:
                start = results["start"] = _start(nodes, START_ROUNDS)
                say(
                    f"serve ready with {start['statements']} statements: median {start['median_s']:.2f} s (goal <= 2 s with 10,000)"
                )
    return results


def bench_notice(number: int, start_us: int) -> bytes:
    """A square of 10 NM in a grid of its own, so that notices meet only now and then."""
    lon, lat = -60 + (number * 7 % 240) * 0.5, -50 + (number * 11 % 200) * 0.5
    begin_us = start_us + (number % 24) * 3600 * US_PER_S
    ring = [[lon, lat], [lon + 0.16, lat], [lon + 0.16, lat + 0.16], [lon, lat + 0.16], [lon, lat]]
    return json.dumps(
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[round(x, 6), round(y, 6)] for x, y in ring]],
            },
            "properties": {
                "id": f"B-{number}",
                "exercise": True,
                "activity": "patrol",
                "start": format_time(begin_us),
                "end": format_time(begin_us + 3600 * US_PER_S),
                "lower": {"value": 5000, "unit": "ft", "datum": "MSL"},
                "upper": {"value": 15000, "unit": "ft", "datum": "MSL"},
            },
        }
    ).encode()


def _now_us(api: Api) -> int:
    return parse_time(api.json("GET", "/api/v1/status")["now"]) // US_PER_S * US_PER_S


def _receipts(nodes: Nodes, count: int) -> dict[str, Any]:
    """One notice after another: from the request until the peer's signed receipt is durable here."""
    times = []
    with Api(nodes.path("north")) as api:
        start_us = _now_us(api) + 24 * 3600 * US_PER_S
        for number in range(count + 10):
            content = bench_notice(1_000_000 + number, start_us)
            began = time.perf_counter()
            found = api.json(
                "POST", "/api/v1/notices", content=content, params={"wait": "delivered"}
            )
            if number >= 10:  # the first ones warm caches and connections
                times.append((time.perf_counter() - began) * 1000)
            if found["timed_out"]:
                raise RuntimeError("a receipt did not come in time")
    times.sort()
    return {
        "notices": count,
        "p50_ms": statistics.median(times),
        "p99_ms": times[int(len(times) * 0.99)],
        "worst_ms": times[-1],
    }


def _rate(nodes: Nodes, count: int) -> dict[str, Any]:
    """Many clients file at once; the clock stops when the last receipt is durable at the sender."""
    with Api(nodes.path("north")) as api:
        start_us = _now_us(api) + 48 * 3600 * US_PER_S
        before = api.json("GET", "/api/v1/status")["ledger"]["entries"]
    numbers = iter(range(count))
    lock = threading.Lock()

    def work() -> None:
        with Api(nodes.path("north")) as api:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                api.json("POST", "/api/v1/notices", content=bench_notice(number, start_us))

    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(RATE_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    filed_s = time.perf_counter() - began
    with Api(nodes.path("north")) as api:
        last = count - 1
        while True:
            status = api.json("GET", "/api/v1/status")
            if not any(line["waiting"] for line in status["lines"]) and _received(api, last):
                break
            time.sleep(0.05)
        took_s = time.perf_counter() - began
        entries = api.json("GET", "/api/v1/status")["ledger"]["entries"] - before
    return {
        "notices": count,
        "seconds": took_s,
        "filed_seconds": filed_s,
        "per_s": count / took_s,
        "entries": entries,
    }


def _received(api: Api, number: int) -> bool:
    found = api.json("GET", f"/api/v1/receipts/B-{number}")
    return bool(found["receipts"]) and not found["missing"]


def _start(nodes: Nodes, rounds: int) -> dict[str, Any]:
    """From starting the process until the node answers on its socket."""
    with Api(nodes.path("north")) as api:
        statements = api.json("GET", "/api/v1/ledger/audit", params={"signatures": False})[
            "statements"
        ]
    times = []
    for _ in range(rounds):
        nodes.stop("north")
        began = time.perf_counter()
        nodes.start("north")
        nodes.ready("north")
        times.append(time.perf_counter() - began)
    return {"statements": statements, "median_s": statistics.median(times), "worst_s": max(times)}

"""The Swiss day: 1,244 recorded flights as the notices of two parties, through two real nodes.

The recording is the sample ``switzerland`` inside the wheel of the PyPI package ``traffic`` (OpenSky Network
data, 1 August 2018). It is read from the wheel, never installed and never kept in this repository:

    pip download --no-deps traffic
    .venv/bin/python scripts/swiss_day.py traffic-*.whl

Even transponder addresses become the notices of party North, odd ones those of South. Both file all of
them, as exercises, under an agreement with 5 NM and 1,000 ft. Then both nodes' conflicts are compared
with each other, and with `detente check` on the same files.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from detente.cli.client import Api
from detente.cli.nodes import Member, Nodes
from detente.cli.trackbench import swiss_flights
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM

LATERAL_NM, VERTICAL_FT = 5, 1000
CLIENTS = 4


def write_tracks(path: Path, rows: Iterable[tuple[str, list[dict[str, Any]]]]) -> int:
    """Write flights in the track format of the contract; returns how many."""
    count = 0
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "time", "lat", "lon", "alt_ft"])
        for name, points in rows:
            count += 1
            for point in points:
                out.writerow(
                    [
                        name,
                        point["timestamp"] / 1000,
                        point["latitude"],
                        point["longitude"],
                        point["altitude"],
                    ]
                )
    return count


def run(*arguments: object) -> Any:
    """A detente command with --json; its document."""
    command = [sys.executable, "-m", "detente.cli.main", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 3) or not done.stdout:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def file_all(nodes: Nodes, party: str, files: list[Path]) -> None:
    """File every notice of a party, a few clients at a time."""
    left = iter(files)
    lock = threading.Lock()

    def work() -> None:
        with Api(nodes.path(party)) as api:
            while True:
                with lock:
                    path = next(left, None)
                if path is None:
                    return
                api.json("POST", "/api/v1/notices", content=path.read_bytes())

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def conflicts_of(nodes: Nodes, party: str) -> dict[str, Any]:
    """Conflict id to its record, as this party's node has it."""
    with Api(nodes.path(party)) as api:
        return {
            row["id"]: row["record"] for row in api.json("GET", "/api/v1/conflicts")["conflicts"]
        }


def memory_mb(nodes: Nodes, party: str) -> float:
    """Peak resident memory of a node's process."""
    status = Path(f"/proc/{nodes.processes[party].pid}/status").read_text()
    return (
        int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
        / 1024
    )


def main() -> int:
    """Run the day and print what was found; 0 when both nodes and the offline check agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", type=Path)
    parser.add_argument(
        "--flights", type=int, default=None, help="only so many flights of each party"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="detente-swiss-") as scratch:
        folder = Path(scratch)
        found = list(swiss_flights(options.wheel))
        files: dict[str, list[Path]] = {}
        for party, parity in (("north", 0), ("south", 1)):
            rows = [
                (name, points) for address, name, points in found if int(address, 16) % 2 == parity
            ][: options.flights]
            count = write_tracks(folder / f"{party}.csv", rows)
            began = time.perf_counter()
            run(
                "notice",
                "from-tracks",
                folder / f"{party}.csv",
                "--out",
                folder / f"{party}-notices",
            )
            files[party] = sorted((folder / f"{party}-notices").glob("*.geojson"))
            print(
                f"{party}: {count} flights, {sum(len(p) for _, p in rows)} points -> {len(files[party])} notices in {time.perf_counter() - began:.1f} s",
                flush=True,
            )
        for party, paths in files.items():
            features = [
                feature for path in paths for feature in json.loads(path.read_text())["features"]
            ]
            (folder / f"{party}.geojson").write_text(
                json.dumps({"type": "FeatureCollection", "features": features})
            )
        began = time.perf_counter()
        checked = run(
            "check",
            folder / "north.geojson",
            folder / "south.geojson",
            "--lateral-nm",
            LATERAL_NM,
            "--vertical-ft",
            VERTICAL_FT,
        )
        check_s = time.perf_counter() - began
        check_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        expected = {
            (f"north:{row['own']}", f"south:{row['peer']}", row["verdict"])
            for row in checked["conflicts"]
        }
        print(
            f"detente check: {len(expected)} conflicts in {checked['checked_pairs']} pairs, {check_s:.1f} s, {check_mb:.0f} MB",
            flush=True,
        )
        terms = {
            "minima": {
                "lateral_tenth_mm": LATERAL_NM * TENTH_MM_PER_NM,
                "vertical_tenth_mm": VERTICAL_FT * TENTH_MM_PER_FT,
            },
            "exercise_only": True,
        }
        members = [
            Member("north", "North"),
            Member("south", "South"),
            Member("meridian", "Meridian", "neutral"),
        ]
        with Nodes(folder / "nodes", members, terms) as nodes:
            nodes.start_all()
            nodes.wait_open("north")
            began = time.perf_counter()
            filing = [
                threading.Thread(target=file_all, args=(nodes, party, paths))
                for party, paths in files.items()
            ]
            for thread in filing:
                thread.start()
            for thread in filing:
                thread.join()
            filed_s = time.perf_counter() - began
            for party in files:
                with Api(nodes.path(party)) as api:
                    while any(
                        line["waiting"] or line["unsigned"]
                        for line in api.json("GET", "/api/v1/status")["lines"]
                    ):
                        time.sleep(0.2)
            time.sleep(1)
            took_s = time.perf_counter() - began
            north, south = conflicts_of(nodes, "north"), conflicts_of(nodes, "south")
            pairs = {
                (*(one["id"] for one in record["notices"]), record["verdict"])
                for record in north.values()
            }
            print(
                f"two nodes: filed in {filed_s:.1f} s, all received and checked in {took_s:.1f} s; peak memory north {memory_mb(nodes, 'north'):.0f} MB, south {memory_mb(nodes, 'south'):.0f} MB"
            )
            print(
                f"conflicts: north {len(north)}, south {len(south)}, records the same on both sides: {north == south}, equal to detente check: {pairs == expected}"
            )
            return 0 if north == south and pairs == expected else 1


if __name__ == "__main__":
    sys.exit(main())

"""A recording larger than memory: `detente scan` holds a window of it, whatever its size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the command itself says of its peak, for a child that is gone cannot be asked.
RUN = """
import json, sys
from detente.cli.recordbench import peak_mb
from detente.cli.scan import scan_tracks
from detente.conflict.separation import Minima
with open(sys.argv[1], "rb") as file:
    found = scan_tracks(file, Minima(92_600_000, 3_048_000))
print(json.dumps({"rows": found.rows, "conflicts": len(found), "legs": found.legs, "peak_mb": peak_mb()}))
"""


def _scanned(folder: Path, rows: int, *options: str) -> dict[str, float]:
    path = folder / "stream.parquet"
    made = [sys.executable, str(ROOT / "scripts" / "make_stream.py"), str(rows), str(path)]
    subprocess.run([*made, *options], check=True, capture_output=True, timeout=1_800)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=3_000,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.e2e
def test_scan_of_a_stream_by_time_and_by_flight_is_the_same(tmp_path: Path) -> None:
    """Half a million points, sorted by time and by flight: the same flights, the same conflicts."""
    pytest.importorskip("pyarrow")
    by_time = _scanned(tmp_path, 500_000)
    by_flight = _scanned(tmp_path, 500_000, "--by-flight")
    assert by_time["rows"] == by_flight["rows"] == 500_000
    assert by_time["conflicts"] == by_flight["conflicts"]
    assert by_time["legs"] == by_flight["legs"] == 499_000


@pytest.mark.nightly
@pytest.mark.timeout(4_000)
def test_scan_of_fifty_million_points_stays_below_its_memory(tmp_path: Path) -> None:
    """50 million points, 1.2 GB of Parquet: at most 1.5 GB, and every leg is compared."""
    pytest.importorskip("pyarrow")
    found = _scanned(tmp_path, 50_000_000)
    assert found["rows"] == 50_000_000
    assert found["legs"] == 49_900_000
    assert 0 < found["peak_mb"] <= 1_536

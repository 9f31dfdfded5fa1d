"""Recorded traffic through two real nodes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEELS = sorted((ROOT / ".venv" / "wheels").glob("traffic-*.whl"))

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not WHEELS, reason="the wheel with the recorded Swiss day is absent; run scripts/get-sample"
    ),
]


def _play(*options: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "swiss_day.py"), str(WHEELS[-1]), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_swiss_day_eighty_flights_of_each_party_agree_everywhere() -> None:
    """Both nodes record the same conflicts between recorded flights, and `detente check` finds the same."""
    assert "records the same on both sides: True, equal to detente check: True" in _play(
        "--flights", "80"
    )


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_swiss_day_whole_agrees_everywhere() -> None:
    """The whole day, 1,244 flights: the same conflicts on both sides and offline."""
    found = _play()
    assert "records the same on both sides: True, equal to detente check: True" in found
    assert found.count(" flights, ") == 2

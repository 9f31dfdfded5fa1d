"""The engine's records are the same bytes with and without a compiler, with one thread and two, with the oldest and the newest numpy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from oracle.digest import SUBJECTS

ROOT = Path(__file__).parents[2]
OLDEST = ROOT / ".venv/oldest/bin/python"
COUNTS = {
    "bulk": 4_000,
    "points": 200_000,
    "tactical": 300,
    "trajectories": 10_000,
    "volumes": 2_000,
}
SEED = 11


def digest_of(subject, *, python=sys.executable, compiled="1", threads=1, count=None):
    """The digest that a process of its own prints."""
    env = {
        **os.environ,
        "DETENTE_COMPILED": compiled,
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}",
    }
    if python == str(OLDEST):  # what one numba has compiled, another throws away
        env["NUMBA_CACHE_DIR"] = str(OLDEST.parents[1] / "compiled")
    done = subprocess.run(
        [
            python,
            "-m",
            "oracle.digest",
            subject,
            str(SEED),
            str(count or COUNTS[subject]),
            str(threads),
        ],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("subject", sorted(SUBJECTS))
def test_records_are_the_same_bytes_without_a_compiler_and_with_two_threads(subject):
    """One digest: compiled with one thread, compiled with two, and plain numpy; another seed's count gives another."""
    first = digest_of(subject)
    assert digest_of(subject, threads=2) == first
    assert digest_of(subject, compiled="0") == first
    assert digest_of(subject, count=COUNTS[subject] // 2) != first


@pytest.mark.parametrize("subject", sorted(SUBJECTS))
def test_records_are_the_same_bytes_with_the_oldest_packages(subject):
    """One digest with the oldest numpy, numba and msgspec that are supported, compiled and not."""
    if not OLDEST.exists():
        pytest.skip("the oldest packages are not installed (scripts/oldest)")
    first = digest_of(subject)
    assert digest_of(subject, python=str(OLDEST)) == first
    assert digest_of(subject, python=str(OLDEST), compiled="0") == first

"""The benchmarks of volumes run, at a small size, and count what they say they count."""

import numpy as np

from detente.airspace.rules import check_geometry
from detente.cli.volumebench import describe_volumes, measure_volumes, pairs_of, some_volumes


def test_volumes_are_measured_in_all_parts():
    """Each part gives its figures, and a line says each of them."""
    row = measure_volumes(600, 40)
    assert row["all pairs"]["volumes"] == row["index"]["volumes"] == 600
    assert row["filing"]["live"] == 40
    assert len(describe_volumes(row)) == 4


def test_made_up_volumes_are_volumes_and_the_same_each_time():
    """What is timed keeps the rules of a notice, and is drawn alike from one seed."""
    volumes = some_volumes(50)
    for row in range(50):
        check_geometry(volumes.geometry(row), "planar", field="x")
    assert (volumes.lower < volumes.upper).all()
    assert (volumes.start < volumes.end).all()
    again = some_volumes(50)
    assert (volumes.lon == again.lon).all()
    assert not (some_volumes(50, seed=2).lon == again.lon).all()


def test_pairs_of_volumes_are_overlaps():
    """The pairs handed to others overlap; touches are left out."""
    volumes = some_volumes(4_000)
    pairs = pairs_of(volumes, threads=1)
    assert len(pairs)
    i, j = pairs.T
    assert (i < j).all()
    assert (
        np.maximum(volumes.lower[i], volumes.lower[j])
        < np.minimum(volumes.upper[i], volumes.upper[j])
    ).all()
    assert (
        np.maximum(volumes.start[i], volumes.start[j]) < np.minimum(volumes.end[i], volumes.end[j])
    ).all()

"""The benchmarks of the record measure what they say, at sizes that take no time."""

from __future__ import annotations

from typing import Any

import pytest

from detente.cli import bench, recordbench
from detente.errors import UsageError


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordbench, "alone", lambda part, *arguments: part(*arguments))


def test_appends_are_measured_at_each_batch_and_with_many_callers() -> None:
    """A row for each size of batch and one for many callers, each of whole batches."""
    found = recordbench.measure_append(640)
    assert set(found) == {"batch 1", "batch 10", "batch 256", "batch 10, 32 callers"}
    assert found["batch 10"]["entries"] == 320
    assert found["batch 10, 32 callers"]["entries"] == 640
    assert all(row["per_s"] > 0 for row in found.values())


def test_a_rebuild_is_of_as_many_statements_as_asked() -> None:
    """South's record has a notice and a receipt for each pair, and one local entry."""
    found = recordbench.measure_rebuild(40)
    assert (found["statements"], found["entries"]) == (40, 41)


def test_an_audit_covers_every_entry_and_the_head() -> None:
    """The audited log has the length asked for, and is consistent."""
    assert recordbench.measure_audit(500)["entries"] == 500


def test_proofs_are_made_and_verified() -> None:
    """A bundle under real keys, and a proof of absence over every entry."""
    assert recordbench.measure_bundle(1)["bytes"] > 10_000
    found: dict[str, Any] = recordbench.measure_absence(40)
    assert (found["verify"]["entries"], found["verify"]["notices"]) == (41, 20)


def test_an_unknown_part_is_refused_with_the_names() -> None:
    """A part that does not exist is named, with those that do."""
    with pytest.raises(UsageError, match="it must be one of receipt, rate"):
        bench.run_benchmarks(only="append,nothing")

"""The benchmark of advice asks about real conflicts, and counts what it says it counts."""

import pytest

from detente.airspace.rules import check_geometry
from detente.cli import advicebench
from detente.cli.advicebench import (
    NOTICES,
    OTHERS,
    SHAPES,
    describe_advice,
    measure_both,
    some_cluster,
    some_tracks,
)
from detente.conflict.strategic import check_pair
from detente.conflict.tactical import tracks_of


def test_advice_is_measured_for_both_shapes_with_every_kind_of_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row has median and worst for circles, 12-gons and bands, and options of each kind; a line says each."""
    monkeypatch.setattr(advicebench, "alone", lambda part, *arguments: part(*arguments))
    monkeypatch.delenv("DETENTE_COMPILED", raising=False)
    found = measure_both(2)
    assert set(found) == {"compiled", "not compiled"}
    for row in found.values():
        for shape in SHAPES:
            assert 0 <= row[shape]["median_ms"] <= row[shape]["worst_ms"]
            assert {"delay", "height", "sideways", "split delay", "split sideways"} <= set(
                row[shape]["options"]
            )
        assert 0 <= row["bands"]["median_ms"] <= row["bands"]["worst_ms"]
    assert len(describe_advice(found)) == 6


def test_made_up_clusters_are_conflicts_and_the_same_each_time() -> None:
    """What is timed keeps the rules of a notice, the first two conflict, and one seed draws the same."""
    for shape in SHAPES:
        for seed in range(5):
            cluster = some_cluster(shape, seed)
            assert len(cluster) == NOTICES
            one, two = cluster[:2]
            assert check_pair(one.notice, two.notice, one.rules).verdict == "conflict"
            assert {standing.party for standing in cluster} == {"north", "south"}
            for standing in cluster:
                check_geometry(standing.notice.pieces[0].geometry, "planar", field="x")
            assert some_cluster(shape, seed) == cluster
        assert some_cluster(shape, 1) != some_cluster(shape, 2)


def test_made_up_tracks_are_tracks_and_the_same_each_time() -> None:
    """The tracks pass the checks of tracks; one seed draws the same."""
    assert len(tracks_of(some_tracks(3))) == OTHERS + 1
    assert some_tracks(3) == some_tracks(3)
    assert some_tracks(3) != some_tracks(4)

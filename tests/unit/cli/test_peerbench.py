"""The comparison with peers: inputs as they take them, differences decided by whole numbers."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from detente.cli import peerbench, peerrun
from detente.conflict.tactical import CONFLICT, Profile, find
from detente.errors import UsageError


class FakePeers:
    """A peer that answers as told."""

    def __init__(self, pairs):
        self.pairs = pairs

    def run(self, task, **given):
        """What `Peers.run` gives."""
        assert task in peerrun.TASKS
        return {"seconds": 1.0, "peak_mb": 1.0}, {"pairs": self.pairs(task, given)}


def answers(count):
    """The engine's pairs, from both sides."""
    tracks = peerbench.random_tracks(count)
    profile = Profile(lateral=peerbench.FIVE_NM, vertical=peerbench.THOUSAND_FT)
    found = find(tracks, profile, peerbench.NOW_US)
    pairs = found[found[:, 2] == CONFLICT, :2]
    return np.concatenate([pairs, pairs[:, ::-1]])


def test_what_runs_beside_peers_imports_nothing_of_ours() -> None:
    """A peer under the GPL shares no process with the engine: its runner imports the standard library and peers alone."""
    tree = ast.parse(Path(peerrun.__file__).read_text("utf-8"))
    names = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }
    assert not {name for name in names if name.split(".")[0] == "detente"}
    ours = Path(peerbench.__file__).read_text("utf-8")
    assert "import bluesky" not in ours
    assert "from bluesky" not in ours


def test_equal_answers_are_said_to_be_equal() -> None:
    """A peer that finds the same pairs from both sides differs in nothing, and the ratio is of its time to ours."""
    result = {"rows": [], "differences": [], "defects": []}
    peerbench._tactical(
        FakePeers(lambda task, given: answers(1500)), 1500, result, lambda line: None
    )
    assert result["differences"] == []
    for row in result["rows"]:
        assert "the same answers" in row["answers"]
        assert row["ratio"] == pytest.approx(1.0 / row["engine_s"])


def test_a_missed_and_an_invented_pair_are_listed_with_the_exact_verdict() -> None:
    """Differences name the pair, what each says, and what whole numbers say: here the peer is wrong in both."""
    right = answers(1500)
    assert len(right) >= 4
    wrong = np.concatenate([right[1:], [[0, 1]]])
    wrong = wrong[~((wrong == right[0][::-1]).all(axis=1))]
    result = {"rows": [], "differences": [], "defects": []}
    said = []
    peerbench._tactical(FakePeers(lambda task, given: wrong), 1500, result, said.append)
    first = [row for row in result["differences"] if row["where"] == "BlueSky compiled, 1,500"]
    assert [
        (row["peer"], row["engine"], row["exact"])
        for row in sorted(first, key=lambda row: row["peer"])
    ] == [
        ("clear", "conflict", "conflict"),
        ("conflict", "clear", "clear"),
    ]
    assert any("the peer is wrong in 2, the engine in 0" in line for line in said)


def test_tracks_reach_a_peer_in_its_units() -> None:
    """Degrees, metres, metres a second and degrees of track; nothing else changes."""
    tracks = peerbench.random_tracks(50)
    given = peerbench.bluesky_columns(tracks)
    row = tracks.row(7)
    assert given["lat"][7] == row.lat / 1e9
    assert given["alt"][7] == pytest.approx(row.altitude / 1e4)
    assert given["gs"][7] ** 2 == pytest.approx((row.east**2 + row.north**2) / 1e8)
    assert np.sin(np.radians(given["trk"][7])) * given["gs"][7] == pytest.approx(row.east / 1e4)
    assert given["rpz"][7] == 9260


def test_volumes_that_differ_are_decided_exactly() -> None:
    """Two squares that share a corner: a peer that says they meet in area is told that they touch."""
    volumes = peerbench.random_volumes(3)
    rows = peerbench._volume_differences(volumes, set(), {(0, 1)})
    assert rows[0]["peer"] == "conflict"
    assert rows[0]["exact"] == "clear"


def test_an_unknown_part_is_refused_before_anything_is_installed() -> None:
    """A typing error costs nothing."""
    with pytest.raises(UsageError, match="tactical, volumes, swiss, defects"):
        peerbench.run_peers(only="nothing")

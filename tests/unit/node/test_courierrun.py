"""A run that goes on between commands: the same place and the same ledger, or another run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from detente.node import courierrun
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room


class Place:
    """As much of a directory as a run is kept in."""

    def __init__(self, path: Path) -> None:
        self.path = path


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Any, SimNode, Room]:
    """North's run, put down after it met south."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    home: Any = Place(tmp_path)
    courierrun.put_down(home, north.running)
    return home, north, room


def test_run_is_taken_up_once_where_nothing_came_between(kept: tuple[Any, SimNode, Room]) -> None:
    """F-COU-3: run, numbers and lines go on; a command that dies leaves none behind."""
    home, north, _ = kept
    fresh = north.load()
    assert fresh.run != north.running.run
    assert courierrun.take_up(home, fresh)
    assert (fresh.run, fresh.frames_written) == (north.running.run, north.running.frames_written)
    assert fresh.links == north.running.links
    assert not courierrun.take_up(home, north.load())
    courierrun.put_down(home, fresh)
    assert courierrun.take_up(home, north.load())


def test_run_is_not_taken_up_elsewhere_or_over_another_ledger(
    kept: tuple[Any, SimNode, Room], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-COU-3: a copy, a machine that was restarted, a ledger that went on or back, and a file of nonsense."""
    home, north, _ = kept
    (tmp_path / "copy").mkdir()
    shutil.copy2(tmp_path / "courier.run", tmp_path / "copy" / "courier.run")
    copy: Any = Place(tmp_path / "copy")
    assert not courierrun.take_up(copy, north.load())
    north.act(lambda core: core.append_local(north.now_us(), "test"))
    assert not courierrun.take_up(home, north.load())
    courierrun.put_down(home, north.running)
    boot = tmp_path / "boot"
    boot.write_text("another")
    monkeypatch.setattr(courierrun, "BOOT", boot)
    assert not courierrun.take_up(home, north.load())
    (tmp_path / "courier.run").write_text("{}")
    assert not courierrun.take_up(home, north.load())
    courierrun.give_up(home)
    assert not (tmp_path / "courier.run").exists()
    assert not courierrun.take_up(home, north.load())


def test_run_without_a_file_written_is_not_kept(tmp_path: Path) -> None:
    """Commands that carry nothing leave nothing behind."""
    room = Room()
    north = room.node(0)
    home: Any = Place(tmp_path)
    courierrun.put_down(home, north.running)
    assert list(tmp_path.iterdir()) == []

"""How a command reaches a node that does not run: through its directory."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from detente.cli import client
from detente.cli.client import Api
from detente.errors import UnavailableError, UsageError
from detente.node.home import Home, init_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new directory."""
    return init_home(tmp_path / "n", party="north", name="N", role="party", listen="127.0.0.1:4710")


def test_directory_is_opened_and_let_go(home: Home) -> None:
    """Without a running node the command opens the directory itself, and frees it afterwards."""
    with Api(home.path) as api:
        assert not api.running
        assert api.json("GET", "/api/v1/status")["party"] == "north"
        with pytest.raises(UnavailableError), home.lock():
            pass
    with home.lock():
        pass


def test_error_of_the_node_is_raised_as_it_was(home: Home) -> None:
    """What the node refuses is the same error on this side, with field and hint."""
    with Api(home.path) as api, pytest.raises(UsageError) as caught:
        api.json("GET", "/api/v1/agreement")
    assert caught.value.code == "no-agreement"
    assert "agree propose" in caught.value.hint


def test_stale_socket_of_a_killed_node_is_passed_over(home: Home) -> None:
    """A socket file that nobody listens on is not in the way."""
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(home.socket_address())
    dead.close()
    with Api(home.path) as api:
        assert not api.running


def test_directory_held_by_another_process_is_waited_for_and_then_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that starts or stops is waited for a while; after that the holder is named."""
    monkeypatch.setattr(client, "START_WAIT_S", 0.1)
    with home.lock(), pytest.raises(UnavailableError) as caught, Api(home.path):
        pass
    assert caught.value.code == "directory-in-use"
    assert str(os.getpid()) in caught.value.message


def test_node_that_cannot_be_opened_leaves_the_directory_free(home: Home) -> None:
    """A failed open (a key that is open to others) holds no lock."""
    seed = home.path / "keys" / "leaf.seed"
    seed.chmod(0o644)
    with pytest.raises(UsageError), Api(home.path):
        pass
    with home.lock():
        pass

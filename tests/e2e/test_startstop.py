"""Starting, stopping, and everything that can be in the way."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Callable[..., Any]:
    """Makes a node's directory without an agreement."""

    def build(root: Path, run: Any = kit.cli, **ports: int) -> tuple[Path, int, int]:
        listen, api = ports.get("listen") or kit.free_port(), ports.get("api") or kit.free_port()
        where = root / "north"
        ran = run(
            *("init", where, "--party", "north", "--name", "North"),
            *("--listen", f"127.0.0.1:{listen}", "--api", f"127.0.0.1:{api}"),
        )
        assert ran.code == 0, ran.err
        return where, listen, api

    return build


@pytest.fixture
def serving() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Starts `detente serve` as a user does, and returns once it says that it serves."""
    started: list[subprocess.Popen[str]] = []

    def start(where: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "detente.cli.main", "serve", str(where)],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "serves peers on" in line, line + process.stderr.read()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def mode(path: Path) -> int:
    """A file's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_readable_by_their_owner_only(alone: Any, kit: Any, tmp_path: Path) -> None:
    """Key files are mode 0600 in a directory of mode 0700."""
    where, _, _ = alone(tmp_path, kit.program)
    assert mode(where) == mode(where / "keys") == 0o700
    files = list((where / "keys").iterdir())
    assert {f.name for f in files} == {
        *("root.seed", "signing.seed", "sealing.seed", "transport.seed", "leaf.seed", "tls.pem")
    }
    assert {mode(f) for f in files} == {0o600}


@pytest.mark.parametrize("name", ["signing.seed", "tls.pem"])
def test_key_that_others_can_read_is_refused(
    alone: Any, kit: Any, tmp_path: Path, name: str
) -> None:
    """A node whose key file is open to others does not start, and says how to close it."""
    where, _, _ = alone(tmp_path)
    (where / "keys" / name).chmod(0o644)
    ran = kit.cli("serve", where)
    assert ran.code == 2
    assert f"keys/{name} can be read by others" in ran.err
    assert f"chmod 600 keys/{name}" in ran.err


def test_missing_key_is_named(alone: Any, kit: Any, tmp_path: Path) -> None:
    """A node without one of its keys does not start and names the file."""
    where, _, _ = alone(tmp_path)
    (where / "keys" / "sealing.seed").unlink()
    ran = kit.cli("status", where)
    assert ran.code == 4
    assert "keys/sealing.seed is not in this directory" in ran.err


def test_second_server_on_one_directory_is_refused(
    alone: Any, kit: Any, tmp_path: Path, serving: Any
) -> None:
    """One directory has one node: the second exits 4, and the first serves on."""
    where, _, _ = alone(tmp_path)
    first = serving(where)
    ran = kit.program("serve", where)
    assert ran.code == 4
    assert f"in use by process {first.pid}" in ran.err
    assert kit.cli("status", where, "--json").json["running"] is True


def test_stop_by_sigterm_is_clean_and_the_directory_is_free(
    alone: Any, kit: Any, tmp_path: Path, serving: Any
) -> None:
    """SIGTERM ends a node with 0, its socket is gone, and commands work on the store itself."""
    where, _, _ = alone(tmp_path)
    process = serving(where)
    assert mode(where / "node.sock") == 0o600
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert not (where / "node.sock").exists()
    assert kit.cli("status", where, "--json").json["running"] is False


def test_stop_by_ctrl_c_shows_no_traceback(alone: Any, tmp_path: Path, serving: Any) -> None:
    """Ctrl-C ends a node quietly."""
    where, _, _ = alone(tmp_path)
    process = serving(where)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert err == ""


def test_node_starts_again_after_kill_over_its_stale_socket_and_lock(
    alone: Any, kit: Any, tmp_path: Path, serving: Any
) -> None:
    """What a killed node leaves behind keeps neither a command nor the next start away."""
    where, _, _ = alone(tmp_path)
    process = serving(where)
    process.kill()
    process.wait()
    assert (where / "node.sock").exists()
    assert kit.cli("status", where, "--json").json["running"] is False
    serving(where)
    assert kit.cli("status", where, "--json").json["running"] is True


@pytest.mark.parametrize("field", ["listen", "api"])
def test_port_that_is_taken_is_named(alone: Any, kit: Any, tmp_path: Path, field: str) -> None:
    """A taken port ends the start with 4 and the name of the setting; doctor finds it, too."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        where, _, _ = alone(tmp_path, **{field: port})
        ran = kit.cli("serve", where)
        assert ran.code == 4
        assert f"{field} is 127.0.0.1:{port}" in ran.err
        assert "config.toml" in ran.err
        found = kit.cli("doctor", where, "--json")
    bad = [row for row in found.json["checks"] if row["ok"] is False]
    assert found.code == 1
    assert any(row["check"] == "port" and str(port) in row["text"] for row in bad)
    assert kit.cli("status", where).code == 0  # nothing is left behind that is in the way


def test_directory_with_a_very_long_path_works(
    alone: Any, kit: Any, tmp_path: Path, serving: Any
) -> None:
    """The length of a local socket's address does not limit where a node may live."""
    root = tmp_path / ("d" * 100) / ("e" * 100)
    root.mkdir(parents=True)
    where, _, _ = alone(root)
    serving(where)
    assert kit.program("status", where, "--json").json["running"] is True


def test_malformed_settings_are_named(alone: Any, kit: Any, tmp_path: Path) -> None:
    """A mistake in config.toml exits 2 and names the file and the setting."""
    where, _, _ = alone(tmp_path)
    text = (where / "config.toml").read_text()
    for wrong, word in (
        (text + "\nlistenn = 1\n", "listenn"),
        (text.replace('listen = "127', 'listen = "x127', 1).replace(":", "", 1), "listen"),
        (text.replace('role = "party"', 'role = "boss"'), "role"),
        ("= =", "config.toml"),
    ):
        (where / "config.toml").write_text(wrong)
        ran = kit.cli("status", where)
        assert ran.code == 2, wrong
        assert word in ran.err


def test_start_waits_for_a_command_that_has_the_directory_open(
    alone: Any, kit: Any, tmp_path: Path, serving: Any
) -> None:
    """A command at work on a stopped node does not keep the node from starting."""
    import threading

    from detente.node.home import Home

    where, _, _ = alone(tmp_path)
    holding = Home(where).lock()
    holding.__enter__()
    release = threading.Timer(3, lambda: holding.__exit__(None, None, None))
    release.start()
    serving(where)
    release.join()
    assert kit.cli("status", where, "--json").json["running"] is True

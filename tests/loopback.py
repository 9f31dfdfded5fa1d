"""Real nodes on free loopback ports: two parties (or three) and a witness, made, started, killed.

Commands run in this process through the program's own entry where speed matters (`cli`), and as a
process where the contract matters (`program`). A plugin of all tests: `tests/e2e` and `tests/browser` stand on it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

FORKSERVER = Path(__file__).with_name("forkserver.py")
WAIT_S = 30.0  # generous: the machine may be busy; a good run waits for a fraction of it


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


def cli(*words: object, stdin: str | None = None) -> Ran:
    """A command, in this process."""
    from detente.cli.main import app

    def run() -> Any:
        return CliRunner().invoke(app, [str(word) for word in words], input=stdin)

    # what drives a browser keeps an event loop in this thread, and a command may run its own
    done = (
        run() if asyncio._get_running_loop() is None else ThreadPoolExecutor(1).submit(run).result()
    )
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def ok(*words: object, stdin: str | None = None) -> Ran:
    """A command that must succeed."""
    done = cli(*words, stdin=stdin)
    assert done.code == 0, f"{words} ended with {done.code}: {done.err or done.out}"
    return done


def program(*words: object, stdin: str | None = None, env: dict[str, str] | None = None) -> Ran:
    """A command, as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "detente.cli.main", *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(env or {})},
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def until(question: Callable[[], Any], what: str, timeout_s: float = WAIT_S) -> Any:
    """Ask until the answer is true; fail with `what` and the last answer."""
    end = time.monotonic() + timeout_s
    pause_s = 0.01
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {timeout_s} s; last answer {answer!r}")
        time.sleep(pause_s)
        pause_s = min(0.1, pause_s * 1.5)


_offered: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody listens on, below the ports that the system hands out."""
    while True:
        port = random.randrange(12_000, 32_000)
        if port in _offered:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _offered.add(port)
        return port


class ForkServer:
    """Forks nodes from a process that has done the imports."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(FORKSERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def fork(self, argv: list[str], env: dict[str, str], log: Path) -> int:
        """The process id of a new `detente ARGV`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"argv": argv, "env": env, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


@dataclass
class NodeProcess:
    """One node: its directory, its ports, and its process while it runs."""

    party: str
    dir: Path
    port: int
    api_port: int
    forks: ForkServer
    env: dict[str, str] = field(default_factory=dict)
    pid: int | None = None

    @property
    def stderr(self) -> Path:
        """Where the process's own output goes."""
        return self.dir.parent / f"{self.party}.out"

    def start(self, *, wait: bool = True) -> None:
        """Start `detente serve` and wait until it answers."""
        assert self.pid is None
        self.pid = self.forks.fork(["serve", str(self.dir)], self.env, self.stderr)
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the local socket answers."""
        until(self.answers, f"{self.party} answers ({self.stderr})")

    def answers(self) -> bool:
        """Whether the node answers on its local socket."""
        assert self.pid is not None
        assert alive(self.pid), f"{self.party} ended: {self.stderr.read_text()[-2000:]}"
        try:
            return self.http().get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def signal(self, number: int) -> None:
        """End the process and wait until it is gone."""
        if self.pid is None:
            return
        pid, self.pid = self.pid, None
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        until(lambda: not alive(pid), f"{self.party} ends")

    def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM."""
        self.signal(signal.SIGTERM)

    def http(self) -> httpx.Client:
        """The owner's API on the local socket."""
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.dir / "node.sock")),
            base_url="http://node",
            timeout=30,
        )

    def get(self, path: str, **params: Any) -> Any:
        """JSON from the owner's API."""
        with self.http() as client:
            response = client.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    @property
    def api(self) -> str:
        """The operators' API."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def peer(self) -> str:
        """The peers' door."""
        return f"https://127.0.0.1:{self.port}"

    def status(self) -> Any:
        """The node's status."""
        return self.get("/api/v1/status")

    def line(self, peer: str) -> Any:
        """The line to one peer."""
        return next(row for row in self.status()["lines"] if row["peer"] == peer)

    def conflicts(self) -> dict[str, Any]:
        """Conflict id to record, live and resolved."""
        rows = self.get("/api/v1/conflicts")["conflicts"]
        return {row["id"]: (row["verdict"], row["state"], row["record"]) for row in rows}

    def notices(self) -> dict[str, Any]:
        """Notice id to its row."""
        return {row["id"]: row for row in self.get("/api/v1/notices")["notices"]}


@dataclass
class Parties:
    """Nodes that share an agreement."""

    root: Path
    nodes: dict[str, NodeProcess]
    agreement: Path

    def __getattr__(self, name: str) -> NodeProcess:
        try:
            return self.nodes[name]
        except KeyError:
            raise AttributeError(name) from None

    def start(self, *names: str) -> None:
        """Start nodes at the same time and wait until all answer."""
        chosen = [self.nodes[name] for name in names or self.nodes]
        for node in chosen:
            if node.pid is None:
                node.start(wait=False)
        for node in chosen:
            node.wait_ready()

    def wait_open(self) -> None:
        """Wait until all lines between running parties are open."""
        running = [n for n in self.nodes.values() if n.pid is not None and n.party != "witness"]
        for node in running:
            others = [other.party for other in running if other is not node]
            until(
                lambda node=node, others=others: all(
                    row["state"] == "open"
                    for row in node.status()["lines"]
                    if row["peer"] in others
                ),
                f"lines of {node.party} open",
            )

    def settle(self) -> None:
        """Wait until nothing is on its way between running parties."""
        for node in self.nodes.values():
            if node.pid is not None:
                until(
                    lambda node=node: all(
                        row["state"] == "open" and not row["waiting"] and not row["unsigned"]
                        for row in node.status()["lines"]
                    ),
                    f"lines of {node.party} settle",
                )

    def end(self) -> None:
        """Kill whatever still runs."""
        for node in self.nodes.values():
            node.kill()

    def file(self, node: NodeProcess, feature: dict[str, Any], *options: object) -> Ran:
        """File a notice with --json."""
        return cli("notice", "file", node.dir, self.save(feature), *options, "--json")

    def save(self, feature: object, name: str = "") -> Path:
        """A notice as a file."""
        path = self.root / f"{name or time.monotonic_ns()}.geojson"
        path.write_text(json.dumps(feature))
        return path


def at(minutes: float) -> str:
    """A time so many minutes from now."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def square(lon: float, lat: float, half: float = 0.1) -> dict[str, Any]:
    """A square polygon around a position."""
    corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
    ring = [[round(lon + x, 6), round(lat + y, 6)] for x, y in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(name: str, lon: float = 10.0, lat: float = 50.0, **properties: Any) -> dict[str, Any]:
    """A notice: a square of 0.2 degrees from the ground to 5,000 ft for an hour, an exercise."""
    geometry = properties.pop("geometry", None) or square(lon, lat)
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {
            "id": name,
            "exercise": True,
            "activity": "patrol",
            "start": at(60),
            "end": at(120),
            "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
            "upper": {"value": 5000, "unit": "ft", "datum": "MSL"},
            **properties,
        },
    }


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """The process that forks nodes."""
    server = ForkServer()
    yield server
    server.close()


def make_parties(
    root: Path,
    forks: ForkServer,
    names: tuple[str, ...] = ("north", "south"),
    terms: str = "",
    addresses: Mapping[str, str] | None = None,
) -> Parties:
    """Parties and a witness under one agreement, not started.

    Args:
        addresses: by party, what its card says instead of where it listens.
    """
    nodes = {}
    for name in (*names, "witness"):
        node = nodes[name] = NodeProcess(name, root / name, free_port(), free_port(), forks)
        ok(
            *("init", node.dir, "--party", name, "--name", name.title()),
            *("--role", "neutral" if name == "witness" else "party"),
            *("--listen", f"127.0.0.1:{node.port}", "--api", f"127.0.0.1:{node.api_port}"),
            *(("--address", addresses[name]) if addresses and name in addresses else ()),
        )
    agreement = root / "agreement.json"
    others = [word for name in names[1:] for word in ("--peer", root / name / "card.json")]
    options: list[object] = []
    if terms:
        (root / "terms.toml").write_text(terms)
        options = ["--terms", root / "terms.toml"]
    ok(
        *("agree", "propose", root / names[0], *others, *options),
        *("--witness", root / "witness" / "card.json", "-o", agreement),
    )
    for node in nodes.values():
        ok("agree", "sign", node.dir, agreement)
    for node in nodes.values():
        ok("agree", "accept", node.dir, agreement)
    return Parties(root, nodes, agreement)


@pytest.fixture
def make(tmp_path: Path, forks: ForkServer) -> Iterator[Callable[..., Parties]]:
    """Makes parties that end with the test."""
    made: list[Parties] = []

    def build(*names: str, terms: str = "", addresses: Mapping[str, str] | None = None) -> Parties:
        root = tmp_path / f"p{len(made)}"
        root.mkdir()
        made.append(make_parties(root, forks, names or ("north", "south"), terms, addresses))
        return made[-1]

    yield build
    for one in made:
        one.end()


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory, forks: ForkServer) -> Iterator[Parties]:
    """North, south and a witness, running, lines open; shared by the tests of a module."""
    parties = make_parties(tmp_path_factory.mktemp("trio"), forks)
    parties.start()
    parties.wait_open()
    yield parties
    parties.end()


class Kit:
    """The helpers of this file, for tests."""

    cli = staticmethod(cli)
    ok = staticmethod(ok)
    program = staticmethod(program)
    until = staticmethod(until)
    feature = staticmethod(feature)
    square = staticmethod(square)
    at = staticmethod(at)
    free_port = staticmethod(free_port)
    alive = staticmethod(alive)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    """Helpers: commands, waiting, notices."""
    return Kit

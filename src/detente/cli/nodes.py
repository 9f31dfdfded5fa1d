"""Nodes on loopback: made, started as processes of their own, awaited, and ended by id.

The demo and the benchmarks play on these; each is exactly what `detente init`, `agree` and `serve` make.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from detente.agreement.terms import parse_terms, propose_agreement, sign_agreement
from detente.cli.client import Api
from detente.errors import UnavailableError
from detente.node.clock import real_us
from detente.node.home import Home, init_home, write_json

READY_S = 30.0
STOP_S = 10.0


class Member(msgspec.Struct, frozen=True):
    """A party or neutral to make: id, name for people, role."""

    party: str
    name: str
    role: str = "party"


def free_ports(count: int) -> list[int]:
    """Ports on loopback that were free a moment ago."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Nodes:
    """Several nodes under one agreement, each its own process; a context manager that ends them."""

    def __init__(
        self,
        directory: Path,
        members: Sequence[Member],
        terms: Mapping[str, Any],
        *,
        valid_from_us: int | None = None,
    ) -> None:
        """Make directories, keys and the agreement; nothing runs yet.

        Args:
            terms: as in a terms file, in the agreement's own units; `parse_terms` gives the defaults.
            valid_from_us: from when the keys count, for a declared scenario clock.
        """
        self.directory = directory
        self.members = list(members)
        self.agreement = directory / "agreement.json"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        ports = free_ports(2 * len(members))
        homes: dict[str, Home] = {}
        for i, member in enumerate(members):
            homes[member.party] = init_home(
                directory / member.party,
                party=member.party,
                name=member.name,
                role=member.role,
                listen=f"127.0.0.1:{ports[2 * i]}",
                api=f"127.0.0.1:{ports[2 * i + 1]}",
                valid_from_us=valid_from_us,
            )
        cards = [home.card() for home in homes.values()]
        witnesses = [member.party for member in members if member.role == "neutral"]
        file = propose_agreement(cards, witnesses, parse_terms(dict(terms)), real_us())
        for party, home in homes.items():
            file = sign_agreement(file, party, home.root_signer())
        write_json(self.agreement, file)
        content = self.agreement.read_bytes()
        for party in homes:
            with Api(self.path(party)) as api:
                api.json("POST", "/api/v1/agreement", content=content)

    def path(self, party: str) -> Path:
        """A party's directory."""
        return self.directory / party

    def start(self, party: str) -> None:
        """Start a node's process; `ready` waits for it."""
        with (self.path(party) / "serve.out").open("ab") as out:
            self.processes[party] = subprocess.Popen(
                [sys.executable, "-m", "detente.cli.main", "serve", str(self.path(party))],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C is for whoever tells the story; it ends the nodes in order
            )

    def ready(self, party: str) -> None:
        """Wait until a node answers.

        Raises:
            UnavailableError: ``node-did-not-start``, with the last lines it printed.
        """
        until = time.monotonic() + READY_S
        home = Home(self.path(party))
        while not (home.socket.exists() and _answers(home.socket)):
            process = self.processes[party]
            if process.poll() is not None or time.monotonic() > until:
                said = (self.path(party) / "serve.out").read_text("utf-8", "replace")[-500:]
                raise UnavailableError(
                    "node-did-not-start", f"node of {party} did not start: {said}"
                )
            time.sleep(0.01)

    def start_all(self) -> None:
        """Start every node at once and wait until all answer."""
        for member in self.members:
            self.start(member.party)
        for member in self.members:
            self.ready(member.party)

    def wait_open(self, party: str, timeout_s: float = 20.0) -> None:
        """Wait until a node's lines are open: heads compared, both ways.

        Raises:
            UnavailableError: ``line-not-open``.
        """
        until = time.monotonic() + timeout_s
        with Api(self.path(party)) as api:
            while any(
                line["state"] != "open" for line in api.json("GET", "/api/v1/status")["lines"]
            ):
                if time.monotonic() > until:
                    raise UnavailableError(
                        "line-not-open", f"the lines of {party} did not open in {timeout_s:g} s"
                    )
                time.sleep(0.02)

    def stop(self, party: str, number: int = signal.SIGTERM) -> None:
        """End one node by its process id."""
        process = self.processes.pop(party, None)
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes.values():
            process.terminate()
        for party in list(self.processes):
            self.stop(party)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True

"""The nodes of a play: real processes on this machine, ended by their id and no others."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from detente.agreement.terms import (
    Agreement,
    Terms,
    parse_agreement,
    propose_agreement,
    sign_agreement,
)
from detente.cli.client import Api, Session
from detente.cli.stage import Asks
from detente.errors import DetenteError, UnavailableError, UsageError
from detente.node.clock import Clock, clock_for, real_us
from detente.node.home import Home, init_home, write_json
from detente.scenario.act import DESK, Acted, Presence, Roster
from detente.scenario.script import (
    Party,
    Script,
)
from detente.scenario.terms import agreement_terms
from detente.structs import prepare_structs
from detente.units import US_PER_S

READY_S = 90.0  # a node that ends is seen at once; one that only starts slowly has a busy machine, not a fault
LINES_S = 20.0  # and its lines open within about half a second once all have agreed
AGREE_US = US_PER_S * 4 // 10  # for signing and accepting; then the scenario clock starts
END_S = 10.0  # for a node to finish what it is writing before it is ended the hard way
PAUSES = {"heartbeat_s": 5, "retry_most_s": 2}  # a node that comes back is heard within seconds
KEYS_BEFORE_US = 86_400 * US_PER_S  # keys count from a day before the story and the machine's clock
SOCKET_PATH_BYTES = 100  # Linux takes 107 bytes for the path of a local socket, others fewer
OFFICER = "watch"  # who signs in to each party's console: the same name, a password each


class Nodes:
    """The processes of the play, and a connection to each."""

    def __init__(self, script: Script, base: Path) -> None:
        self.script, self.base = script, base
        self.homes: dict[str, Home] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.apis: dict[str, Api] = {}
        self.failed: DetenteError | None = None
        self.clock: Clock | None = None
        self.agreement: Agreement | None = None
        self.consoles: dict[str, tuple[str, str]] = {}  # party, to its console's link and password
        self.desks: dict[
            tuple[str, str], Session
        ] = {}  # officers at other desks than the usual one
        self.silent: set[str] = set()  # parties whose node the play has ended
        self.begin = 0.0  # when the scenario clock shows its start, on the monotonic clock
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._starting = threading.Thread(target=self._start_all, daemon=True)
        self._witnesses = threading.Thread(target=self._bring_witnesses, daemon=True)

    def start(self) -> None:
        """Begin to make and start all nodes at once; `agree` waits until each of them answers."""
        prepare_structs()
        self._starting.start()

    def _start_all(self) -> None:
        try:
            longest = max(len(os.fsencode(self.base / p.id / "node.sock")) for p in self.parties)
            if longest > SOCKET_PATH_BYTES:
                raise UsageError(
                    "directory-too-long",
                    f"{str(self.base)!r} is too long; it must leave room for a local socket's path",
                    hint="choose a --dir with a shorter path",
                    field="--dir",
                )
            ports = _free_ports(2 * len(self.parties))
            parties = [party for party in self.parties if party.role == "party"]
            with ThreadPoolExecutor(len(self.parties)) as pool:
                list(pool.map(self._make, self.parties, ports[::2], ports[1::2]))
                # Starting is work for a processor, and the clash needs the two parties only: on a small
                # machine the witness is started when they answer, and is there before it is needed.
                list(pool.map(self._spawn, parties))
                list(pool.map(self._connect, parties))
                list(pool.map(self._add_officer, parties))
                list(pool.map(self._man, desks_of(self.script)))
            for party in self.parties:
                if party not in parties:
                    self._spawn(party)
        except DetenteError as error:
            self.failed = error
        except OSError as error:
            self.failed = UnavailableError("nodes-not-made", f"the nodes cannot be made: {error}")

    @property
    def parties(self) -> tuple[Party, ...]:
        """The cast."""
        return self.script.parties

    def _make(self, party: Party, port: int, api_port: int) -> None:
        self.homes[party.id] = init_home(
            self.base / party.id,
            party=party.id,
            name=party.name,
            role=party.role,
            listen=f"127.0.0.1:{port}",
            api=f"127.0.0.1:{api_port}",
            valid_from_us=min(real_us(), self.script.clock.start_us) - KEYS_BEFORE_US,
        )
        _hasten(self.base / party.id / "config.toml")

    def _spawn(self, party: Party) -> None:
        path = self.base / party.id
        command = [sys.executable, "-m", "detente.cli.main", "serve", str(path)]
        with (path / "log" / "serve.err").open("wb") as errors, self._lock:
            if self._ending.is_set():
                return
            # a session of its own: Ctrl-C reaches the demo, which ends its nodes in good order
            self.processes[party.id] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    def _connect(self, party: Party) -> None:
        """Wait until a node answers on its local socket, and keep the connection."""
        path = self.base / party.id
        until = time.monotonic() + READY_S
        while not _answers(path / "node.sock"):
            if self._ending.is_set():
                return
            if self.processes[party.id].poll() is not None or time.monotonic() > until:
                said = (path / "log" / "serve.err").read_text("utf-8", "replace").strip()
                reason = said.splitlines()[-1] if said else "it gave no reason"
                raise UnavailableError(
                    "node-not-ready",
                    f"the node of {party.name} did not start: {reason}",
                    hint="with --dir DIR its log stays, in DIR/" + party.id + "/log",
                )
            time.sleep(0.02)
        self.apis[party.id] = Api(path).__enter__()

    def _add_officer(self, party: Party) -> None:
        """Add somebody who watches the party's console, with a link that signs in once."""
        api = self.apis.get(party.id)
        if api is None:
            return
        password = _password()
        body = {"name": OFFICER, "role": "watch", "password": password}
        api.json("POST", "/api/v1/operators", body=body)
        link = api.json("POST", f"/api/v1/operators/{OFFICER}/link")["link"]
        self.consoles[party.id] = (link, password)

    def _man(self, at: tuple[str, str]) -> None:
        """Seat an officer at a desk that the script acts from."""
        party, desk = at
        if party not in self.apis:
            return
        name, password = f"{OFFICER}-{desk}", _password()
        body = {"name": name, "role": "watch", "password": password, "desk": desk}
        self.apis[party].json("POST", "/api/v1/operators", body=body)
        self.desks[at] = Session(f"http://{self.homes[party].config.api}", name, password)

    def desk(self, party: str, desk: str) -> Asks:
        """An officer of a party at a desk: at the usual one whoever owns the node."""
        return self.apis[party] if desk == DESK else self.desks[party, desk]

    def silence(self, party: str) -> None:
        """End a party's node, as if its power had gone."""
        self.silent.add(party)
        process = self.processes[party]
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def revive(self, party: str) -> None:
        """Start a party's node again, and wait until it answers."""
        one = next(found for found in self.parties if found.id == party)
        self.apis[party].__exit__(None, None, None)
        self._spawn(one)
        self._connect(one)
        self.silent.discard(party)

    def agree(self, speed: float) -> None:
        """Propose, sign and accept the agreement, with the scenario clock starting about now."""
        self._starting.join()
        if self.failed is not None:
            raise self.failed
        real_start_us = real_us() + AGREE_US
        self.begin = time.monotonic() + AGREE_US / US_PER_S
        terms = agreement_terms(self.script, real_start_us, speed)
        cards = [self.homes[party.id].card() for party in self.parties]
        witnesses = [party.id for party in self.parties if party.role == "neutral"]
        file = propose_agreement(cards, witnesses, terms, real_us())
        for party in self.parties:
            file = sign_agreement(file, party.id, self.homes[party.id].root_signer())
        write_json(self.base / "agreement.json", file)
        self.agreement = parse_agreement(file["agreement"])
        self.clock = clock_for(terms.scenario_clock)
        with ThreadPoolExecutor(len(self.parties)) as pool:
            list(pool.map(self._accept, list(self.apis)))
        self._witnesses.start()
        self._wait_lines()

    def _accept(self, party: str) -> None:
        content = (self.base / "agreement.json").read_bytes()
        self.apis[party].json("POST", "/api/v1/agreement", content=content)

    def _bring_witnesses(self) -> None:
        try:
            for party in self.parties:
                if party.role == "neutral":
                    self._connect(party)
                    if party.id in self.apis:
                        self._accept(party.id)
        except DetenteError as error:
            self.failed = error

    def wait_witnesses(self) -> None:
        """Wait until every witness is there; they start while the play begins."""
        self._witnesses.join(READY_S)

    def _wait_lines(self) -> None:
        until = time.monotonic() + LINES_S
        waiting = [party.id for party in self.parties if party.role == "party"]
        while waiting:
            lines = self.apis[waiting[0]].json("GET", "/api/v1/status")["lines"]
            if lines and all(line["state"] == "open" for line in lines):
                waiting.pop(0)
                continue
            if time.monotonic() > until:
                raise UnavailableError(
                    "line-not-open",
                    f"the line of {waiting[0]} is {lines[0]['state'] if lines else 'missing'}; it must be open",
                    hint="with --dir DIR the logs stay, in DIR/PARTY/log",
                )
            time.sleep(0.02)

    @property
    def terms(self) -> Terms:
        """The terms that are in force."""
        assert self.agreement is not None
        return self.agreement.terms

    def ended(self) -> list[str]:
        """Names of nodes that ended although nobody asked them to."""
        return [
            p.name
            for p in self.parties
            if p.id in self.processes
            and p.id not in self.silent
            and self.processes[p.id].poll() is not None
        ]

    def end(self) -> None:
        """End the processes that were started here, by their ids."""
        with self._lock:
            self._ending.set()
        for thread in (self._starting, self._witnesses):
            if thread.is_alive():
                thread.join(END_S)
        for api in self.apis.values():
            api.__exit__(None, None, None)
        for session in self.desks.values():
            session.close()
        running = [one for one in self.processes.values() if one.poll() is None]
        for process in running:
            process.terminate()
        until = time.monotonic() + END_S
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; all are held until all are chosen, so that none comes twice."""
    with contextlib.ExitStack() as held:
        ports = []
        for _ in range(count):
            one = held.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            ports.append(int(one.getsockname()[1]))
        return ports


def _password() -> str:
    """Words for nobody to remember and somebody to type: 80 random bits in four groups."""
    letters = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def _hasten(config: Path) -> None:
    """Shorter pauses than between two real nodes: a play has seconds where a watch has minutes."""
    text = config.read_text("utf-8")
    for name, value in PAUSES.items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1, name
    config.write_text(text, "utf-8")


def _answers(path: Path) -> bool:
    """Whether a node answers on its local socket."""
    if not path.exists():
        return False
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=5) as client:
            return client.get("http://node/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def desks_of(script: Script) -> list[tuple[str, str]]:
    """Party and desk of every desk that somebody acts from, but for the usual one."""
    acts = [step for step in script.steps if isinstance(step, Acted)]
    found = {(step.party, step.desk) for step in acts if step.desk not in ("", DESK)}
    manned = {(s.party, s.desk) for s in acts if isinstance(s, Roster | Presence)}
    spoken = {(s.party, s.desk) for s in acts if not isinstance(s, Roster | Presence)}
    return sorted(found - (manned - spoken))

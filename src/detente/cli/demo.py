"""The demo: three real nodes on this machine, and a script that is played to them.

Two parties and a neutral witness run as processes of their own and reach each other over loopback.
This process only does what officers do: it files, asks and looks, through each node's local socket,
and tells what the nodes answered. It ends the processes it started, by their id, and no others.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.text import Text

from detente.agreement.terms import (
    Agreement,
    Terms,
    parse_agreement,
    propose_agreement,
    sign_agreement,
)
from detente.cli.acts import Acts
from detente.cli.client import Api, Session
from detente.cli.output import out
from detente.cli.stage import Asks
from detente.errors import DetenteError, UnavailableError, UsageError, shown
from detente.node.clock import Clock, clock_for, real_us
from detente.node.home import Home, init_home, write_json
from detente.node.outcome import EXIT_BAD_NEWS, EXIT_DONE
from detente.protocol.bundle import LEGAL_NOTE, verify_bundle
from detente.scenario.act import DESK, Acted, Looked, Presence, Roster
from detente.scenario.page import record_page
from detente.scenario.script import (
    CYCLE,
    SHIPPED,
    Ask,
    Cancel,
    Conflicts,
    File,
    Look,
    Party,
    Report,
    Say,
    Script,
    Step,
    area_geojson,
    describe_notice,
    notice_geojson,
    parse_script,
    swap_parties,
    time_to_clear,
)
from detente.scenario.settle import Keep
from detente.scenario.terms import agreement_terms, clock_rate, play_speed
from detente.scenario.timeline import parse_timeline, render_timeline
from detente.structs import prepare_structs
from detente.units import US_PER_S, format_dtg, format_duration, format_time, parse_time

READY_S = 90.0  # a node that ends is seen at once; one that only starts slowly has a busy machine, not a fault
LINES_S = 20.0  # and its lines open within about half a second once all have agreed
AGREE_US = US_PER_S * 4 // 10  # for signing and accepting; then the scenario clock starts
END_S = 10.0  # for a node to finish what it is writing before it is ended the hard way
DELIVERED_S = 10.0  # a receipt on loopback takes milliseconds; past this the play says none came
COSIGNED_S = (
    8.0  # witnesses cosign once a second, and one that was not there yet tries after a pause
)
PAUSES = {"heartbeat_s": 5, "retry_most_s": 2}  # a node that comes back is heard within seconds
KEYS_BEFORE_US = 86_400 * US_PER_S  # keys count from a day before the story and the machine's clock
SOCKET_PATH_BYTES = 100  # Linux takes 107 bytes for the path of a local socket, others fewer
WIDTH = 100  # where the output is no terminal
RECORD = "record.html"
OFFICER = "watch"  # who signs in to each party's console: the same name, a password each
SHORT = 8  # characters of an id that are shown: enough to tell a dozen of them apart

_COLOURS = ("cyan", "yellow")  # by place in the script: swapping the parties swaps the colours


class Stopped(BaseException):
    """Somebody asked the demo to end (Ctrl-C, a signal, or --exit-after)."""


def run_demo(
    scenario: str = "two-patrols",
    *,
    speed: float = 1.0,
    exit_after_s: float | None = None,
    directory: Path | None = None,
    no_browser: bool = True,
    swap: bool = False,
    console: Console | None = None,
) -> int:
    """Play a scenario to two parties and a witness until Ctrl-C.

    Args:
        scenario: the name of a shipped scenario, or the path of a script file ending in ``.toml``.
        speed: how much faster than written the story is told.
        exit_after_s: end after so many seconds, counted from the start of the demo.
        directory: where the three nodes live and stay; default: a temporary directory, removed.
        no_browser: only print the consoles' links, rather than open them where there is a display.
        swap: exchange the two parties everywhere.
        console: where the story is told.

    Returns:
        The exit code: 0, or 1 if the nodes answered otherwise than the script expects.

    Raises:
        UsageError: no such scenario, a malformed one, a directory in use, a speed out of range.
        UnavailableError: a node did not start.
    """
    started = time.monotonic()
    script, timeline, page = _read_scenario(scenario)
    if swap:
        script = swap_parties(script)
    clock_rate(script, speed)  # a bad speed is said before anything is started
    until = None if exit_after_s is None else started + exit_after_s
    with _signals_stop(), _place(directory) as base:
        show = _Show(console or out, script)
        nodes = _Nodes(script, base)
        record = base / RECORD if page else None
        if record is not None:
            record.write_text(page, "utf-8")
        try:
            try:
                # the nodes start while the reader reads
                nodes.start()
                show.opening(timeline)
                nodes.agree(speed)
                show.cast(nodes)
                show.consoles(nodes, record)
                if not no_browser:
                    _open_consoles(nodes, record)
                _Player(script, nodes, show, speed, until).play()
            except (KeyboardInterrupt, Stopped):
                show.blank()
        finally:
            with _signals_wait():
                nodes.end()
        return show.ending(nodes, kept=directory is not None)


# -- what is played --------------------------------------------------------------------------------


def _read_scenario(name: str) -> tuple[Script, list[str], str]:
    """The script, the lines of the timeline that is shown before it, and the same as a page."""
    folder = resources.files("detente.scenario") / "data"
    if name in SHIPPED:
        script = parse_script((folder / SHIPPED[name]).read_bytes())
    elif name.endswith(".toml"):
        try:
            script = parse_script(Path(name).read_bytes())
        except OSError as error:
            raise UsageError(
                "file-unreadable",
                f"{name!r} cannot be read: {error.strerror}; it must be a script file",
                field="--scenario",
            ) from None
    else:
        raise UsageError(
            "scenario-unknown",
            f"scenario is {shown(name)}; it must be one of {', '.join(SHIPPED)}, or a .toml file",
            field="--scenario",
        )
    if not script.timeline:
        return script, [], ""
    own = folder / script.timeline if name in SHIPPED else Path(name).parent / script.timeline
    try:
        raw = own.read_bytes()
    except OSError as error:
        raise UsageError(
            "file-unreadable",
            f"timeline {script.timeline!r} cannot be read: {error.strerror}",
            field="timeline",
        ) from None
    width = shutil.get_terminal_size((WIDTH, 40)).columns if sys.stdout.isatty() else WIDTH
    timeline = parse_timeline(raw)
    return script, render_timeline(timeline, max(60, min(width, 120))), record_page(timeline)


@contextlib.contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    """The directory of the play: the one given, new or empty, or a temporary one."""
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="detente-demo-") as name:
            yield Path(name)
        return
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(
            "directory-not-empty",
            f"{str(directory)!r} is there already; it must be a new or empty directory",
            hint="look at what an earlier demo left with: detente notice list DIR/north",
            field="--dir",
        )
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    yield directory.resolve()


@contextlib.contextmanager
def _signals_stop() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does, nodes included."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    # SIGINT too: a shell starts background jobs with it ignored, and Ctrl-C must end a demo all the same
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Let a second Ctrl-C wait: nodes that are ending must not be left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


# -- the nodes -------------------------------------------------------------------------------------


class _Nodes:
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


def _open_consoles(nodes: _Nodes, record: Path | None) -> None:
    """Open the record and each party's console in the reader's browser, where there is a display to show it."""
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not any(os.environ.get(one) for one in displays):
        return
    if record is not None:
        webbrowser.open(record.resolve().as_uri())
    for link, _ in nodes.consoles.values():
        webbrowser.open(link)


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


# -- telling it ------------------------------------------------------------------------------------


class _Show:
    """The story as lines of text; the same with and without a terminal, but for colour."""

    def __init__(self, console: Console, script: Script) -> None:
        self.console, self.script = console, script
        self.prefix = f"EXERCISE {script.label}".strip()
        self.unexpected = 0
        self._names = {party.id: party.name for party in script.parties}
        parties = [party.id for party in script.parties if party.role == "party"]
        self._styles = dict(zip(parties, _COLOURS, strict=True))
        self._width = max(len(party.name) for party in script.parties)

    def blank(self) -> None:
        """An empty line."""
        self.plain("")

    def plain(self, text: str, style: str = "") -> None:
        """A line as it is."""
        self.console.print(Text(text, style=style), soft_wrap=True, highlight=False)

    def name(self, party: str) -> str:
        """A party's name."""
        return self._names.get(party, party)

    def opening(self, timeline: list[str]) -> None:
        """What the reader must know before anything happens: content note first."""
        script = self.script
        if script.content_note:
            self.plain(f"Content note: {script.content_note}", "bold")
            self.blank()
        for line in timeline:
            self.plain(line)
        if timeline:
            self.blank()
        self.plain(f"{self.prefix}  {script.title}", "bold")
        if script.note:
            self.plain(script.note)
        if script.assumptions:
            self.plain("Assumed:")
            for item in script.assumptions:
                self.plain(f"  - {item}")

    def cast(self, nodes: _Nodes) -> None:
        """Who plays, where their nodes are, and what clock they agreed on."""
        assert nodes.clock is not None
        self.blank()
        self.plain(f"D={shlex.quote(str(nodes.base))}")
        for party in nodes.parties:
            role = "neutral witness" if party.role == "neutral" else "party"
            line = f"  {party.name:<{self._width}}  {role}: process {nodes.processes[party.id].pid}, {nodes.homes[party.id].card().address}, $D/{party.id}"
            self.plain(line, self._styles.get(party.id, ""))
        minima = nodes.terms.minima
        self.plain(
            f"  All have signed: closer than {minima.lateral_tenth_mm / 18_520_000:g} NM and"
            f" {minima.vertical_tenth_mm / 3048:g} ft is a conflict   (detente agree show $D/{nodes.parties[0].id})"
        )
        self.plain(f"  All times are of the {nodes.clock.label}")
        self.plain(f"  {LEGAL_NOTE}")
        self.blank()

    def consoles(self, nodes: _Nodes, record: Path | None) -> None:
        """How to look at each party's own console; a link may be kept in no record, so it works once."""
        if record is not None:
            self.plain(f"  The public record above, as a page for a browser: $D/{record.name}")
        self.plain("  Consoles. Each link signs in once, within ten minutes; the password unlocks.")
        for party in nodes.parties:
            if party.id in nodes.consoles:
                link, password = nodes.consoles[party.id]
                self.plain(
                    f"  {party.name:<{self._width}}  {link}  password {password}",
                    self._styles.get(party.id, ""),
                )
        first = next(party.id for party in nodes.parties if party.id in nodes.consoles)
        self.plain(f"  Another link: detente operator link $D/{first} {OFFICER}")
        self.blank()

    def line(self, now_us: int, party: str, text: str, style: str = "") -> None:
        """One thing that happened: label, scenario time, who, what."""
        label = f"{self.prefix} {format_dtg(now_us)}  "
        name = f"{self.name(party):<{self._width}}  " if party else ""
        for at, part in enumerate(self._wrapped(text, len(label) + len(name))):
            if at:
                self.more(f"  {part}", style)
                continue
            head = Text(label).append(name, self._styles.get(party, "")).append(part, style)
            self.console.print(head, soft_wrap=True, highlight=False)

    def more(self, text: str, style: str = "", *, wrap: bool = True) -> None:
        """What belongs to the line above."""
        label = f"{self.prefix}     "
        parts = self._wrapped(text, len(label) + 2) if wrap else [text]
        for at, part in enumerate(parts):
            indent = "  " if at else ""
            self.console.print(
                Text(label + indent).append(part, style), soft_wrap=True, highlight=False
            )

    def _wrapped(self, text: str, indent: int) -> list[str]:
        """On a terminal, lines that fit it and keep their label; elsewhere one line each, for tools."""
        width = self.console.width - indent
        if not self.console.is_terminal or width < 30:
            return [text]
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]

    def command(self, text: str) -> None:
        """The command that shows the line above; never broken, so that it can be copied."""
        self.more(f"$ detente {text}", "dim", wrap=False)

    def wrong(self, text: str) -> None:
        """The nodes answered otherwise than the script expects: said aloud, and kept for the end."""
        self.unexpected += 1
        self.more(f"NOT AS THE SCRIPT EXPECTS: {text}", "bold red")

    def ending(self, nodes: _Nodes, *, kept: bool) -> int:
        """The last lines, and the exit code."""
        count = len(nodes.processes)
        self.plain(f"{self.prefix}  ended the {count} processes that this demo started.")
        if kept:
            first = nodes.parties[0].id
            self.plain(
                f"The records stay in {nodes.base}; look with: detente notice list $D/{first}"
            )
        if self.unexpected:
            self.plain(f"{self.unexpected} answers were not as the script expects.", "bold red")
            return EXIT_BAD_NEWS
        return EXIT_DONE


# -- playing it ------------------------------------------------------------------------------------


class _Player:
    """Carries out steps at their times, and tells what the nodes answered."""

    def __init__(
        self, script: Script, nodes: _Nodes, show: _Show, speed: float, until: float | None
    ) -> None:
        self.script, self.nodes, self.show, self.until = script, nodes, show, until
        self.speed = play_speed(script, speed)
        self.begun = nodes.begin
        self.files = nodes.base / "files"
        self.files.mkdir(exist_ok=True)
        self.filed: dict[str, str] = {}  # name as in the script, to the notice's full id
        self.listed: dict[
            str, list[str]
        ] = {}  # party, to the conflicts it listed since the last filing
        self.asked = 0
        assert nodes.clock is not None
        self.clock = nodes.clock
        self.origin_us = script.clock.start_us
        self.acts = Acts(nodes, show, self.clock, self.filed, lambda: self.origin_us)

    def play(self) -> None:
        """All steps, then the loop, until somebody stops it.

        Raises:
            Stopped: the time is over.
        """
        for step in self.script.steps:
            self._wait(step.at_s)
            self._do(step)
        loop = self.script.loop
        if loop is None:
            self.show.line(
                self.clock.now_us(), "", "The play is over. The nodes run on until Ctrl-C."
            )
            while True:
                self._wait(float("inf"))
        offset_s = self.script.steps[-1].at_s
        cycle = 0
        while True:
            cycle += 1
            at_us = self.clock.now_us()
            self.origin_us = at_us - at_us % (60 * US_PER_S)  # whole minutes read better
            for step in loop.steps:
                self._wait(offset_s + step.at_s)
                self._do(_in_cycle(step, cycle))
            offset_s += loop.every_s
            self._wait(offset_s)

    def _wait(self, at_s: float) -> None:
        """Sleep until a moment of the play; look after the nodes meanwhile.

        Raises:
            Stopped: --exit-after comes first.
            UnavailableError: a node has ended.
        """
        due = self.begun + at_s / self.speed
        while True:
            now = time.monotonic()
            if self.until is not None and now >= self.until:
                raise Stopped
            if self.nodes.failed is not None:
                raise self.nodes.failed
            gone = self.nodes.ended()
            if gone:
                raise UnavailableError(
                    "node-ended", f"the node of {gone[0]} has ended; all must run to the end"
                )
            if now >= due:
                return
            most = due if self.until is None else min(due, self.until)
            time.sleep(max(0.0, min(0.25, most - now)))

    def _do(self, step: Step) -> None:
        kinds: tuple[tuple[Any, Callable[[Any], None]], ...] = (
            (Say, self._say),
            (File, self._file),
            (Cancel, self._cancel),
            (Look, self._look),
            (Conflicts, self._conflicts),
            (Ask, self._ask),
            (Report, self._report),
            (Acted, self.acts.do),
            (Looked, self.acts.do),
        )
        next(act for kind, act in kinds if isinstance(step, kind))(step)
        if isinstance(step, Keep):
            self.listed.clear()

    def _line(self, party: str, text: str, style: str = "") -> None:
        self.show.line(self.clock.now_us(), party, text, style)

    def _api(self, party: str) -> Api:
        return self.nodes.apis[party]

    def _peer(self, party: str) -> Party:
        return next(p for p in self.nodes.parties if p.role == "party" and p.id != party)

    def _own_name(self, party: str, notice_id: str) -> str:
        """A notice as this party calls it: its own without the party."""
        owner, _, name = notice_id.partition(":")
        return name if owner == party else notice_id

    # -- steps ---------------------------------------------------------------------------------

    def _say(self, step: Say) -> None:
        self._line(step.party, step.text, "italic" if not step.party else "")

    def _file(self, step: File) -> None:
        if step.do == "preview":
            self._preview(step)
            return
        verb = {"file": "files", "amend": "amends", "file-words": "offers words as"}[step.do]
        self._line(
            step.party, f"{verb} {step.notice}: {describe_notice(step, self.origin_us)}", "bold"
        )
        if step.text and step.expect_field:
            self.show.more(f'"{step.text}"')
        content = notice_geojson(step, self.origin_us, step.notice)
        path = self.files / f"{step.notice}.geojson"
        path.write_bytes(content)
        amend = step.do == "amend"
        params = {"wait": "delivered", "timeout_s": DELIVERED_S, "amend": amend}
        try:
            found = self._api(step.party).json(
                "POST", "/api/v1/notices", content=content, params=params
            )
        except DetenteError as error:
            self._refused(step, error, path)
            return
        self.filed[step.notice] = found["id"]
        self.listed.clear()
        self._receipt(step.party, found["id"])
        if not step.taken:
            rule = step.expect_field or step.expect_rule
            self.show.wrong(f"the notice was taken; it should be refused for {rule}")
        for row in found["conflicts"]:
            self._conflict(step.party, row)
        self.show.command(f"notice show $D/{step.party} {step.notice}")

    def _preview(self, step: File) -> None:
        """Ask the node what filing would do; it may ask about the words for the place."""
        self._line(
            step.party,
            f"writes {step.notice}, not sent yet: {describe_notice(step, self.origin_us)}",
            "bold",
        )
        content = notice_geojson(step, self.origin_us, step.notice)
        found = self._api(step.party).json("POST", "/api/v1/preview", content=content)
        codes = [one["code"] for one in found["questions"]]
        for one in found["questions"]:
            said = f'"{one["words"]}" is said'
            self.show.more(
                f"the node asks before sending: {said}, and the volume lies {one['lies']} of {one['place']}, {one['distance_nm']:.0f} NM, bearing {one['bearing_deg']:03d}",
                "bold",
            )
        if not codes:
            self.show.more("the node has no question about the words")
        if codes != ([step.expect_question] if step.expect_question else []):
            self.show.wrong(f"the node should ask: {step.expect_question or 'nothing'}")

    def _refused(self, step: File, error: DetenteError, path: Path) -> None:
        self.show.more(f"refused: {error}", "bold")
        if error.hint:
            self.show.more(error.hint)
        verb = "amend" if step.do == "amend" else "file"
        self.show.command(f"notice {verb} $D/{step.party} $D/files/{path.name}")
        if step.taken:
            self.show.wrong("the notice should be taken")
        elif step.expect_rule:
            if error.code != step.expect_rule:
                self.show.wrong(f"the rule is {error.code}; it should be {step.expect_rule}")
        elif step.expect_field not in (error.field or ""):
            self.show.wrong(f"the refusal names {error.field}; it should name {step.expect_field}")

    def _shown(self, party: str, notice_id: str) -> dict[str, Any]:
        """A notice as a party's node shows it, without telling the other side that it was opened."""
        found: dict[str, Any] = self._api(party).json(
            "GET", f"/api/v1/notices/{notice_id}", params={"opened": "false"}
        )
        return found

    def _receipt(self, party: str, notice_id: str) -> None:
        """The receipts of a notice's newest version, with the lead time that they give."""
        notice = self._shown(party, notice_id)
        version = notice["versions"][-1]
        for row in version["receipts"]:
            late = ", LATE by the agreement" if notice["late"] else ""
            self.show.more(
                f"receipt {row['receipt'][:SHORT]} of {self.show.name(row['party'])}, version {version['version']}: {row['answer']}"
                f" {_seconds(row['received'])}, lead time {_lead(notice['lead_time_s'])}{late}",
                "bold" if late else "green",
            )
        if not version["receipts"]:
            self.show.wrong(f"no receipt after {DELIVERED_S:g} s")

    def _cancel(self, step: Cancel) -> None:
        reason = step.text or "no longer planned"
        self._line(step.party, f"cancels {step.notice}: {reason}", "bold")
        found = self._api(step.party).json(
            "POST",
            f"/api/v1/notices/{self.filed[step.notice]}/cancel",
            body={"reason": reason},
            params={"wait": "delivered", "timeout_s": DELIVERED_S},
        )
        self.listed.clear()
        self._receipt(step.party, found["id"])
        self.show.command(f"notice show $D/{step.party} {step.notice}")

    def _conflicts(self, step: Conflicts) -> None:
        found = self._api(step.party).json("GET", "/api/v1/conflicts")["conflicts"]
        live = [row for row in found if row["state"] == "live"]
        peer = self._peer(step.party)
        if live:
            self._line(step.party, f"lists {len(live)} live conflict{'s' * (len(live) > 1)}")
        else:
            resolved = f"; {len(found)} resolved" if found else ""
            self._line(step.party, f"lists no live conflict{resolved}", "green")
        for row in live:
            self._conflict(step.party, row)
        ids = [row["id"] for row in live]
        if peer.id in self.listed:
            same = sorted(self.listed[peer.id]) == sorted(ids)
            if same and ids:
                self.show.more(f"the same id, and the same verdict, as at {peer.name}'s node")
            elif not same:
                self.show.wrong(f"{peer.name}'s node lists other conflicts")
        self.listed[step.party] = ids
        self.show.command(f"conflicts $D/{step.party}")
        if step.expect and step.expect != ("conflict" if ids else "none"):
            self.show.wrong(f"it should list {step.expect}")

    def _conflict(self, party: str, row: dict[str, Any]) -> None:
        own = next(one for one in row["notices"] if one.startswith(f"{party}:"))
        other = next(one for one in row["notices"] if one != own)
        place = row["place"]
        near = f", near {_position(place['lat'], place['lon'])}" if place else ""
        self.show.more(
            f"{row['verdict'].upper()} {row['id'][:SHORT]}: own {self._own_name(party, own)} and {other}{near}: {row['reason']}",
            "bold red",
        )

    def _ask(self, step: Ask) -> None:
        self.asked += 1
        text = step.text or "Was there prior notice?"
        self._line(step.party, f"asks its record: {text}", "bold")
        area = area_geojson(step)
        path = self.files / f"ask-{self.asked}.geojson"
        path.write_bytes(area)
        start, end = (
            self._time(when.resolve_us(self.origin_us)) for when in (step.start, step.end)
        )
        body = {
            "area": msgspec.json.decode(area),
            "from": start,
            "until": end,
            "by": step.by or None,
        }
        found = self._api(step.party).json("POST", "/api/v1/ask", body=body)
        for row in found["notices"]:
            received = (
                f"received {_seconds(row['received'])}" if row["received"] else "no receipt yet"
            )
            self.show.more(
                f"yes: {row['id']} version {row['version']} ({row['state']}), {received}, lead time {_lead(row['lead_time_s'])}",
                "green",
            )
        if not found["notices"]:
            self.show.more("none in this record", "bold")
        for limit in (found["limits"][0], found["limits"][-1]):
            self.show.more(f"- {limit}", "dim")
        by = f" --by {step.by}" if step.by else ""
        self.show.command(
            f"ask $D/{step.party} --area $D/files/{path.name} --from {start} --until {end}{by}"
        )
        if step.expect and step.expect != ("notice" if found["notices"] else "none"):
            self.show.wrong(f"the answer should be {step.expect}")

    def _time(self, time_us: int | None) -> str:
        assert time_us is not None  # a question's times are never words only
        return format_time(time_us)

    def _report(self, step: Report) -> None:
        notice = self._shown(step.party, self.filed[step.notice])
        received = notice["versions"][-1]["received"]
        until_us = step.until.resolve_us(self.origin_us) if step.until else None
        until_us = parse_time(notice["start"]) if until_us is None else until_us
        if received is None:
            self._line(step.party, f"{step.text or step.notice}: no receipt, so no time is known")
            self.show.wrong("there should be a receipt")
            return
        left = time_to_clear(parse_time(received), until_us)
        text = step.text or f"From the receipt of {step.notice} to {format_dtg(until_us)}"
        self._line(step.party, f"{text}: {left}", "bold")
        self.show.more(f"received {_seconds(received)}, to {format_time(until_us)}")
        full = self._own_name(step.party, self.filed[step.notice])
        self.show.command(f"notice show $D/{step.party} {full}")

    def _look(self, step: Look) -> None:
        {
            "receipts": self._receipts,
            "prove": self._prove,
            "verify": self._verify,
            "tamper": self._tamper,
        }[step.do](step)

    def _receipts(self, step: Look) -> None:
        notice_id = self.filed[step.notice]
        found = self._api(step.party).json("GET", f"/api/v1/receipts/{notice_id}")
        self._line(step.party, f"looks up the receipts of {notice_id}")
        for row in found["receipts"]:
            version = f"version {row['version']}: " if "version" in row else ""
            self.show.more(
                f"receipt {row['receipt'][:SHORT]} of {self.show.name(row['party'])}: {version}{row['answer']} {_seconds(row['received'])}"
            )
        for missing in found["missing"]:
            self.show.more(f"no receipt yet: {missing}", "bold")
        self.show.command(f"receipts $D/{step.party} {self._own_name(step.party, notice_id)}")

    def _bundle(self, step: Look) -> Path:
        return self.files / f"{step.notice}.bundle"

    def _prove(self, step: Look) -> None:
        notice_id = self.filed[step.notice]
        self.nodes.wait_witnesses()
        everybody = {party.id for party in self.nodes.parties} - {step.party}
        until = time.monotonic() + COSIGNED_S
        while True:
            data = self._api(step.party).request("GET", f"/api/v1/bundles/{notice_id}").content
            cosigned = {one for place in self._checked(data).logged_at for one in place.cosigned_by}
            if everybody <= cosigned or time.monotonic() > until:
                break
            time.sleep(0.1)
        path = self._bundle(step)
        path.write_bytes(data)
        self._line(
            step.party, f"writes the proof of {notice_id} into one file of {len(data):,} bytes"
        )
        self.show.more(
            "the statement, its receipt, its place in both ledgers, checkpoints that witnesses cosigned"
        )
        self.show.command(
            f"prove $D/{step.party} {self._own_name(step.party, notice_id)} -o $D/files/{path.name}"
        )

    def _checked(self, data: bytes) -> Any:
        agreement = self.nodes.agreement
        assert agreement is not None
        roots = {member.id: member.root for member in agreement.members.values()}
        return verify_bundle(data, roots, agreement=agreement.hash)

    def _verify(self, step: Look) -> None:
        verified = self._checked(self._bundle(step).read_bytes())
        self._line(
            step.party,
            f"verifies the file offline: valid, made by {self.show.name(verified.made_by)}",
            "green",
        )
        order = [p.id for p in self.nodes.parties]
        logs = sorted(verified.logged_at, key=lambda one: order.index(one.log.split("/")[1]))
        for place in logs:
            names = sorted(place.cosigned_by, key=order.index)
            vouch = ", ".join(self.show.name(one) for one in names) or "nobody else"
            owner = self.show.name(place.log.split("/")[1])
            self.show.more(
                f"entry {place.index} of {owner}'s ledger, logged {_seconds(place.logged)}, checkpoint cosigned by {vouch}"
            )
        for one in verified.received_by:
            self.show.more(
                f"receipt {one.receipt[:SHORT]} of {self.show.name(one.party)}: {one.answer} {_seconds(one.time)}, lead time {_lead(verified.lead_time_s)}"
            )
        for remark in verified.remarks:
            self.show.more(f"remark: {remark}")
        self._verify_command(self._bundle(step))

    def _verify_command(self, path: Path) -> None:
        self.show.command(f"verify $D/files/{path.name} --trust $D/agreement.json")

    def _tamper(self, step: Look) -> None:
        self._line(step.party, "changes one byte of a copy of the file", "bold")
        for name, data in change_one_byte(self._bundle(step).read_bytes()).items():
            path = self._bundle(step).with_suffix(f".{name}")
            path.write_bytes(data)
            how = {"changed": "as it is", "forged": "with its SHA-256 made to fit again"}[name]
            try:
                self._checked(data)
            except DetenteError as error:
                self.show.more(f"{how}: refused: {error}", "green")
            else:
                self.show.wrong(f"{how}: the changed file verifies; it must be refused")
            self._verify_command(path)


def change_one_byte(bundle: bytes) -> dict[str, bytes]:
    """A bundle with one byte changed: as it is, and with its checksum recomputed.

    The byte lies inside a digest of the signed payload, and becomes another letter: the file stays
    well-formed, so that nothing but the signatures can tell.
    """
    changed = bytearray(bundle)
    found = re.search(rb'"payload":"([A-Za-z0-9+/=_-]+)"', bundle)
    at, byte = len(bundle) // 2, bundle[len(bundle) // 2] ^ 4
    if found:
        payload = base64.b64decode(found[1].replace(b"-", b"+").replace(b"_", b"/") + b"==")
        for middle in re.finditer(rb"[A-Za-z0-9_-]{40,}", payload):
            # the first of three bytes fills the whole of a base64 letter: bit 2 changes that one only
            for i in range(-(-(middle.start() + 8) // 3) * 3, middle.end() - 8, 3):
                if payload[i : i + 1].islower() and bytes([payload[i] ^ 4]).islower():
                    at = found.start(1) + i // 3 * 4
                    letter = base64.b64encode(bytes([payload[i] ^ 4, *payload[i + 1 : i + 3]]))
                    byte = letter[0]
                    break
            else:
                continue
            break
    changed[at] = byte
    body, _, _ = bytes(changed).rpartition(b"sha256 ")
    forged = body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"
    return {"changed": bytes(changed), "forged": forged}


def desks_of(script: Script) -> list[tuple[str, str]]:
    """Party and desk of every desk that somebody acts from, but for the usual one."""
    acts = [step for step in script.steps if isinstance(step, Acted)]
    found = {(step.party, step.desk) for step in acts if step.desk not in ("", DESK)}
    manned = {(s.party, s.desk) for s in acts if isinstance(s, Roster | Presence)}
    spoken = {(s.party, s.desk) for s in acts if not isinstance(s, Roster | Presence)}
    return sorted(found - (manned - spoken))


def _in_cycle(step: Step, cycle: int) -> Step:
    """A step of the loop, with the number of the cycle in the name of its notice."""
    if isinstance(step, File | Cancel | Look | Report):
        name = step.notice.replace(CYCLE, str(cycle))
        return msgspec.structs.replace(step, notice=name)
    return step


def _seconds(text: str) -> str:
    """A time to the second; the exact one is in the record."""
    time_us = parse_time(text)
    return format_time(time_us - time_us % US_PER_S)


def _position(latitude_deg: float, longitude_deg: float) -> str:
    north = f"{abs(latitude_deg):.4f}{'N' if latitude_deg >= 0 else 'S'}"
    return f"{north} {abs(longitude_deg):.4f}{'E' if longitude_deg >= 0 else 'W'}"


def _lead(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return format_duration(seconds) if seconds >= 0 else f"{format_duration(-seconds)} after start"

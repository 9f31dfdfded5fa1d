"""The demo: three real nodes on this machine, and a script that is played to them.

Two parties and a neutral witness run as processes of their own and reach each other over loopback.
This process only does what officers do: it files, asks and looks, through each node's local socket,
and tells what the nodes answered. It ends the processes it started, by their id, and no others.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from types import FrameType

from rich.console import Console

from detente.cli.demonodes import Nodes
from detente.cli.demoshow import Show
from detente.cli.output import out
from detente.cli.player import Player, Stopped
from detente.errors import UsageError, shown
from detente.scenario.page import record_page
from detente.scenario.script import (
    SHIPPED,
    Script,
    parse_script,
    swap_parties,
)
from detente.scenario.terms import clock_rate
from detente.scenario.timeline import parse_timeline, render_timeline

WIDTH = 100  # where the output is no terminal
RECORD = "record.html"


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
        show = Show(console or out, script)
        nodes = Nodes(script, base)
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
                Player(script, nodes, show, speed, until).play()
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


def _open_consoles(nodes: Nodes, record: Path | None) -> None:
    """Open the record and each party's console in the reader's browser, where there is a display to show it."""
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not any(os.environ.get(one) for one in displays):
        return
    if record is not None:
        webbrowser.open(record.resolve().as_uri())
    for link, _ in nodes.consoles.values():
        webbrowser.open(link)

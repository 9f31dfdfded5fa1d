"""Both sides are served alike: the swapped play gives the mirrored output."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.e2e

LAST = "From here the line stays open"  # what comes after this line is a loop, cut off by the clock
_DURATION = r"(?:\d+ (?:d|h|min|s)\b ?)+"


def play(*options: str) -> list[str]:
    """The lines of the default play, up to its loop."""
    command = [sys.executable, "-m", "detente.cli.main", "demo", "--speed", "3", *options]
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            lines.append(line.rstrip("\n"))
            if LAST in line:
                break
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(30) == 0, "\n".join(lines) + rest
    assert LAST in lines[-1], lines
    return lines


def normalise(line: str) -> str:
    """A line without what differs between any two plays: ids, times, durations, sizes, addresses, secrets, cosignatures."""
    for pattern, word in (
        (r"^D=.*", "D=DIR"),
        # how far the witness has come by then is a race between processes
        (r"- (?:This record|No head of this record) counts as witnessed .*", "- WITNESSED"),
        (r"process \d+, https://127\.0\.0\.1:\d+", "process PID, ADDRESS"),
        (r"http://localhost:\d+/#/sign-in\?link=\S+  password \S+", "LINK  password WORDS"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "TIME"),
        (r"\d{6}Z [A-Z]{3} \d\d", "DTG"),
        (r"\b[0-9a-f]{32}\b", "KEY"),
        (r"\b(?=[0-9a-f]*\d)[0-9a-f]{12}\b", "ID"),
        (r"\b(?=[0-9a-f]*\d)[0-9a-f]{8}\b|\b[a-f]{8}\b", "ID"),
        (r"lead time " + _DURATION, "lead time DURATION "),
        (r"[\d,]+ bytes", "N bytes"),
        (r"entry \d+", "entry N"),
    ):
        line = re.sub(pattern, word, line)
    return line.rstrip()


def mirror(line: str) -> str:
    """A line with North and South exchanged: their names, and their ids where an id can stand.

    A compass direction written small ("south-west") is no party and stays.
    """
    exchange = {"North": "South", "South": "North", "north": "south", "south": "north"}
    pattern = r"\b(?:North|South)\b|(?<=\$D/)(?:north|south)\b|\b(?:north|south)(?=[:/])|(?<=both/)(?:north|south)|(?<=--by )(?:north|south)|(?<=what )(?:north|south)\b"
    return re.sub(pattern, lambda found: exchange[found[0]], line)


def test_mirror_exchanges_parties_and_not_directions() -> None:
    """The mirror of this test knows a party from a compass direction, and is its own inverse."""
    line = "North  lists south:CROSSING, south of Cyprus; $ detente ask $D/north --by south"
    swapped = "South  lists north:CROSSING, south of Cyprus; $ detente ask $D/south --by north"
    assert mirror(line) == swapped
    assert mirror(mirror(line)) == line


def test_normalise_leaves_what_is_said() -> None:
    """What a line says survives; only ids, times, durations and sizes go."""
    line = "receipt 42cf7006 of South: delivered 2027-04-12T06:00:37Z, lead time 44 min 23 s"
    assert normalise(line) == "receipt ID of South: delivered TIME, lead time DURATION"


def test_demo_with_parties_exchanged_gives_mirrored_output() -> None:
    """The same scenario with North and South exchanged gives mirrored output, line for line."""
    with ThreadPoolExecutor(2) as pool:
        straight, swapped = pool.map(lambda options: play(*options), ([], ["--swap"]))
    assert [normalise(line) for line in straight] == [mirror(normalise(line)) for line in swapped]
    assert any("CONFLICT" in line for line in straight)

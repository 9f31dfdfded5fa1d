"""The plays of what was heard and what was not: their expectations hold, and both parties are served alike."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.test_demo_swap import mirror, normalise

pytestmark = pytest.mark.e2e

LAST = "The play is over"
# all at the speed they are written for: on a busy machine a faster clock makes late what was not
PLAYS = ("deir-ez-zor-2016", "kunduz-2015", "korea-lines", "il20-2018-heard")
# what each play is there to show, in this order
SHOWN = {
    "deir-ez-zor-2016": (
        "it differs: 6,622 m; +0 min, +0 min",
        "South     an alarm (read-back) about AREA on every console of South and North",
        "it agrees: ",
        "nobody is at its desk operations-cell",
        "an alarm (cease) about STOP-1 on every console of North",
        "escalated, step 1: general-staff is called",
        "(from the desk general-staff): CEASING",
        "the record is now signed by both",
    ),
    "kunduz-2015": (
        "disseminated due; acted due",
        "refused (not-disseminated)",
        "escalated, step 3: diplomatic is called",
        "CANNOT: No picture",
        "effective after",
        "disseminated missing (signed: no answer came); acted due",
        "refused (not-disseminated)",
        "disseminated late (signed: no answer came); acted done",
    ),
    "korea-lines": (
        "looks at the line to South: open\n",
        "looks at the line to South: silent\n",
        "declared: nothing; observed: silent",
        "looks at the line to South: open\n",
        "looks at the line to South: open-suspended\n",
        "it must be resumed first",
        "answers STOP-1: NOT-US",
        "looks at the line to South: silent-suspended\n",
        "looks at the line to South: open\n",
        "lead time",
        "looks at the line to South: open-fault\n",
        "the other side's machine answers",
    ),
    "il20-2018-heard": (
        'the node asks before sending: "north of ponta delgada" is said, and the volume lies west of',
        "the node has no question about the words",
        "LATE by the agreement",
        "NOT ENOUGH",
        "somebody else's air defence may fire: own notices within 50 NM: SURVEY",
        "it agrees: ",
        "on South's screen in ru:",
        "WILCO",
        "must move for HAZARD: enough",
        "DOWN-1: ASSISTING",
    ),
}


def play(scenario: str, *options: str) -> tuple[int, str]:
    """Exit code and output of a play, ended when it is over."""
    command = [sys.executable, "-m", "detente.cli.main", "demo", "--scenario", scenario, *options]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if LAST in line:
                break
        demo.send_signal(signal.SIGINT)
        lines.append(demo.stdout.read())
        return demo.wait(30), "".join(lines)


def told(output: str) -> list[str]:
    """The lines of the play itself, without what differs between any two plays."""
    lines = output[: output.index(LAST)].splitlines()
    found = []
    for line in lines:
        if line.startswith("EXERCISE"):
            line = re.sub(r"(?:\d+ (?:d|h|min|s)\b ?)+|\d+\.\d s", "DURATION ", normalise(line))
            line = re.sub(r"scheduled checks: .*", "CHECKS", line)
            found.append(line.rstrip())
    return found


def exchanged(line: str) -> str:
    """A line with the parties exchanged, where a node's refusal names one by its id too."""
    swap = {"north": "south", "south": "north"}
    return re.sub(
        r"(?<=line to )(?:north|south)\b|(?<=by )(?:north|south)(?= since)",
        lambda found: swap[found[0]],
        mirror(line),
    )


@pytest.mark.parametrize("scenario", PLAYS)
def test_heard_play_is_as_its_script_expects_and_mirrors(scenario: str) -> None:
    """Every expectation holds, also with North and South exchanged, and the two plays mirror line for line."""
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda options: play(scenario, *options), ([], ["--swap"])))
    for code, output in done:
        assert code == 0, output
        assert "NOT AS THE SCRIPT EXPECTS" not in output
        assert output.index("NOT ESTABLISHED") < output.index("D=")
    output, at = done[0][1], 0
    for text in SHOWN[scenario]:
        found = output.find(text, at)
        assert found >= 0, f"{text!r} is not told, or not in this order:\n{output}"
        at = found + 1
    straight, swapped = (told(output) for _, output in done)
    assert straight == [exchanged(line) for line in swapped]


def test_heard_play_leaves_its_record_as_a_page() -> None:
    """C-19: The public record stands beside the three nodes as a page, in none of them."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "d"
        command = [sys.executable, "-m", "detente.cli.main", "demo", "--scenario", "kunduz-2015"]
        done = subprocess.run(
            [*command, "--dir", str(place), "--exit-after", "0.5"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        page = (place / "record.html").read_text("utf-8")
        assert "Unsigned. Not a finding." in page
        assert "<script" not in page
        assert "CLAIM [DAWN]" in page

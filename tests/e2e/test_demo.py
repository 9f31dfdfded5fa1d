"""The demo as a newcomer runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.e2e

DETENTE = [sys.executable, "-m", "detente.cli.main"]


def detente(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command run to its end."""
    return subprocess.run(
        [*DETENTE, *arguments], capture_output=True, text=True, timeout=150, check=False
    )


def play_until(last: str, number: signal.Signals, *options: str, code: int = 0) -> str:
    """What a demo tells until a line holds `last` and a signal ends it; it must end with that code."""
    with subprocess.Popen(
        [*DETENTE, "demo", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if last in line:
                break
        time.sleep(0.3)
        assert demo.poll() is None, "".join(lines)
        demo.send_signal(number)
        lines.append(demo.stdout.read())
        assert demo.wait(30) == code, "".join(lines)
    return "".join(lines)


def processes(output: str) -> list[int]:
    """The ids of the node processes that a demo named."""
    return [int(found) for found in re.findall(r"process (\d+)", output)]


def serving(process: int, directory: str) -> bool:
    """Whether a process of that id still serves a node of this demo."""
    try:
        return directory.encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def test_demo_default_shows_clash_resolution_answer_and_refused_byte(tmp_path: Path) -> None:
    """The default demo shows the clash, its resolution, the answer, the proof and the refused byte;
    the nodes' records stay in --dir and say the same to the ordinary commands.
    """
    place = tmp_path / "d"
    output = play_until("the line stays open", signal.SIGTERM, "--speed", "4", "--dir", str(place))
    order = [
        "files PATROL",
        "files CROSSING",
        "CONFLICT",
        "the same id, and the same verdict",
        "the same, to the last figure, at North's node",
        "proposes south/up",
        "ACCEPT",
        "amends CROSSING exactly as accepted",
        "say of the proposal: KEPT",
        "lists no live conflict; 1 resolved",
        "yes: south:CROSSING",
        "none in this record",
        "verifies the file offline: valid",
        "with its SHA-256 made to fit again: refused: Ed25519",
        "ended the 3 processes",
    ]
    places = [output.index(text) for text in order]
    assert places == sorted(places)
    assert "\x1b" not in output
    assert "NOT AS THE SCRIPT" not in output
    assert len(processes(output)) == 3
    assert not any(serving(process, str(place)) for process in processes(output))

    files, trust = place / "files", str(place / "agreement.json")
    assert detente("verify", str(files / "CROSSING.bundle"), "--trust", trust).returncode == 0
    for forged in ("CROSSING.changed", "CROSSING.forged"):
        assert detente("verify", str(files / forged), "--trust", trust).returncode == 1
    listed = []
    for party in ("north", "south"):
        found = detente("notice", "list", str(place / party), "--json")
        notices = json.loads(found.stdout)["notices"]
        assert all(notice["EXERCISE"] for notice in notices)
        listed.append({notice["id"] for notice in notices})
        assert detente("conflicts", str(place / party)).returncode == 0
        assert detente("ledger", "verify", str(place / party)).returncode == 0
    assert listed[0] == listed[1]


def test_demo_what_if_runs_until_stopped_and_ends_its_nodes() -> None:
    """The what-if goes on until Ctrl-C; every line is labelled, and no node is left."""
    text = play_until(
        "The play is over", signal.SIGINT, "--scenario", "il20-2018-what-if", "--speed", "2"
    )
    lines = text.splitlines()
    begun = next(at for at, line in enumerate(lines) if "171836Z SEP 18" in line)
    told = [line for line in lines[begun:] if line]
    assert all(line.startswith("EXERCISE HYPOTHETICAL") for line in told)
    assert "lists no live conflict" in text
    assert "CONFLICT" in text
    assert re.search(r"to the hit as reported \(1903Z\): (?:1\d|2[0-4]) min", text)
    assert text.index("Content note:") < text.index("Assumed:") < text.index("files SURVEY")
    directory = next(line[2:] for line in lines if line.startswith("D="))
    assert not Path(directory).exists()
    assert not any(serving(process, directory) for process in processes(text))


def test_demo_shows_a_console_for_each_party_before_the_story() -> None:
    """Each party has a link that signs in once and a password that unlocks; the reader can get more."""
    with subprocess.Popen(
        [*DETENTE, "demo", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as demo:
        assert demo.stdout is not None
        lines: list[str] = []
        try:
            for line in demo.stdout:
                lines.append(line)
                if "detente operator link" in line:
                    break
            text = "".join(lines)
            assert "files PATROL" not in text
            place = next(line[2:].strip() for line in lines if line.startswith("D="))
            found = re.findall(
                r"(\w+) +(http://localhost:\d+)/#/sign-in\?link=(\S+)  password (\S+)", text
            )
            assert [name for name, *_ in found] == ["North", "South"]
            assert len({password for *_, password in found}) == 2
            for name, base, secret, password in found:
                with httpx.Client(base_url=base, headers={"x-detente": "console"}) as client:
                    answer = client.post("/api/v1/session/link", json={"link": secret})
                    session = answer.json()
                    assert (session["role"], session["party_name"]) == ("watch", name)
                    assert client.post("/api/v1/session/lock").json()["locked"] is True
                    body = {"password": password}
                    assert client.post("/api/v1/session/unlock", json=body).status_code == 200
            another = detente("operator", "link", f"{place}/south", "watch", "--json")
            assert json.loads(another.stdout)["link"].startswith(found[1][1])
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.stdout.read()
        assert demo.wait(30) == 0


def test_demo_il20_shows_the_record_first_and_refuses_words() -> None:
    """The public record stands first, content note before all; words are refused by field."""
    done = detente("demo", "--scenario", "il20-2018", "--speed", "4", "--exit-after", "25")
    assert done.returncode == 0, done.stdout + done.stderr
    output = done.stdout
    assert output.startswith("Content note:")
    assert output.index("NOT ESTABLISHED") < output.index("offers words as WORDS-1")
    for field in ("properties.end", "geometry", "properties.lower", "properties.start"):
        assert f"refused: {field}: " in output
    assert "LATE by the agreement" in output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--scenario", "three-patrols"), "two-patrols"),
        (("--scenario", "no-such-file.toml"), "cannot be read"),
        (("--speed", "0"), "speed is 0"),
        (("--dir", "."), "empty directory"),
    ],
)
def test_demo_wrong_option_is_refused_before_anything_starts(
    arguments: tuple[str, ...], says: str
) -> None:
    """A wrong option ends with code 2 and the rule, and starts nothing."""
    done = detente("demo", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "process" not in done.stdout


def test_demo_script_that_is_not_exercise_is_refused(tmp_path: Path) -> None:
    """A script that speaks for real activity does not play."""
    script = tmp_path / "real.toml"
    script.write_text('format = "detente-script-1"\nexercise = false\n')
    done = detente("demo", "--scenario", str(script))
    assert done.returncode == 1
    assert "exercise is false" in done.stderr


def test_demo_unexpected_answer_is_said_and_ends_with_one(tmp_path: Path) -> None:
    """C-15: A script whose expectation fails is told so on the screen, and the exit code is 1."""
    script = tmp_path / "wrong.toml"
    script.write_text(
        'format = "detente-script-1"\nexercise = true\nname = "wrong"\ntitle = "Wrong"\n'
        '[clock]\nstart = "2027-04-12T06:00:00Z"\nrate = 60\n'
        '[[steps]]\nat_s = 0.2\nparty = "north"\ndo = "conflicts"\nexpect = "conflict"\n'
    )
    told = play_until(
        "NOT AS THE SCRIPT EXPECTS", signal.SIGTERM, "--scenario", str(script), code=1
    )
    assert "1 answers were not as the script expects" in told

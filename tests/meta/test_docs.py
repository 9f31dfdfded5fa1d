"""The documents as tests: commands exist, links lead somewhere, indexes are complete, the tour runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from detente.cli.agree import friendly_terms
from detente.cli.main import app

ROOT = Path(__file__).parents[2]
WORKING_NOTES = {"docs/PLAN.md"}  # not for readers; it goes away
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if str(path.relative_to(ROOT)) not in WORKING_NOTES
)
TOUR_S = 400.0  # about a minute on two quiet cores: forty commands, each a process

# What a document must not say, and why.
FORBIDDEN = {
    r"(?<![\w$])/(?:root|home|work|tmp)/": "a path of somebody's machine",
    r"\bpypi\b|pythonhosted|\bnpmjs\b|\bcrates\.io\b": "the name of a package registry",
    r"(?i)\benem(?:y|ies)\b|\bintruders?\b|\bstrike packages?\b": "a hostile word; own and peer",
    r"(?i)\bseamless|\bcutting-edge|\bworld-class|\bstate-of-the-art|\bblazing|\bpowerful\b": "praise",
    r"(?i)\bmilitary-grade|\bunbreakable|\bunhackable|\bbullet-?proof": "a promise nobody can keep",
    r"\b[Bb]ehaviors?\b|\b[Cc]olors?\b|\b[Oo]rganizations?\b|\blicense\b": "not British spelling",
    r"\b(?:TODO|FIXME|XXX|TBD)\b": "unfinished",
}


def named(path: Path) -> str:
    """A document's path as test id."""
    return str(path.relative_to(ROOT))


each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=named)


# -- reading markdown ------------------------------------------------------------------------------

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [body for found, body in FENCE.findall(text) if found == language]


def without_code(text: str) -> str:
    """A document's prose: no fenced blocks, no indented blocks, no inline code."""
    text = re.sub(r"^    .*$", "", FENCE.sub("", text), flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        found.add(re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-"))
    return found


# -- commands --------------------------------------------------------------------------------------


def shell_lines(text: str) -> Iterator[str]:
    """Lines of shell: fenced as `sh`, or indented and starting with a command of ours."""
    for block in fenced(text, "sh"):
        until = None
        for line in block.replace("\\\n", " ").splitlines():
            if until is not None:
                until = None if line.strip() == until else until
                continue
            here = re.search(r"<<-?'?(\w+)'?", line)
            until = here.group(1) if here else None
            yield line
    for line in re.findall(r"^    ((?:detente|make) .*)$", FENCE.sub("", text), re.MULTILINE):
        yield re.split(r"\s{2,}", line)[0]  # what follows is a remark


def commands(line: str, program: str) -> Iterator[list[str]]:
    """The words after `program` wherever it stands in command position."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for i, word in enumerate(words):
        if Path(word).name != program or "/" in word.removesuffix(f".venv/bin/{program}"):
            continue
        before = words[i - 1] if i else ";"
        if before not in {"do", "then", "else"} and not set(before) <= set(";&|()"):
            continue
        rest = words[i + 1 :]
        end = next((j for j, w in enumerate(rest) if set(w) <= set(";&|()<>")), len(rest))
        yield rest[:end]


def problem_of(words: list[str], *, complete: bool) -> str | None:
    """What is wrong with a command of ours, or None.

    Args:
        complete: all arguments must be there; else it is only mentioned in running text.
    """
    command: Any = typer.main.get_command(app)
    words = list(words)
    path = "detente"
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        first = getattr(command, "first", None)  # of a group whose first command needs no word
        if first is not None and name not in command.commands:
            words.insert(0, name)
            name = first
        path = f"{path} {name}"
        if name not in command.commands:
            return f"{path} is no command"
        command = command.commands[name]
    options = {
        opt: param
        for param in command.params
        if param.param_type_name == "option"
        for opt in (*param.opts, *param.secondary_opts)
    }
    options["--help"] = None
    given = 0
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            given += 1
            continue
        name, equals, _ = word.partition("=")
        if name not in options:
            return f"{path} has no option {name}"
        param = options[name]
        if param is not None and not param.is_flag and not equals:
            if not words:
                return None if not complete else f"{path}: {name} needs a value"
            words.pop(0)
    if not complete:
        return None
    if hasattr(command, "commands"):
        return None if given == 0 else f"{path} is a group of commands"
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    least = sum(param.required for param in arguments)
    if "--help" not in words and not least <= given <= len(arguments):
        return f"{path} takes {least} to {len(arguments)} arguments; {given} are given"
    return None


@each_document
def test_commands_in_documents_exist(path: Path) -> None:
    """A reader can type every command of a document: it exists, with these options and arguments."""
    text = path.read_text("utf-8")
    problems = [
        f"{line.strip()}: {problem}"
        for line in shell_lines(text)
        for words in commands(line, "detente")
        if (problem := problem_of(words, complete=True))
    ]
    for inline in re.findall(r"`detente ([^`\n,]+)`", FENCE.sub("", text)):
        words = [word for word in inline.split() if "|" not in word]
        if problem := problem_of(words, complete=False):
            problems.append(f"{inline}: {problem}")
    assert not problems


@each_document
def test_make_targets_in_documents_exist(path: Path) -> None:
    """Every `make` a document tells a reader to run is in the Makefile."""
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = path.read_text("utf-8")
    told = {
        words[0] for line in shell_lines(text) for words in commands(line, "make") if words
    } | set(re.findall(r"`make ([a-z-]+)`", text))
    assert told <= known


def test_command_check_finds_what_is_wrong() -> None:
    """The check above is not blind: unknown commands, options and missing arguments are seen."""
    assert problem_of(["notice", "fly", "DIR"], complete=True) == "detente notice fly is no command"
    assert problem_of(["ask", "DIR", "--near", "x"], complete=True) == (
        "detente ask has no option --near"
    )
    assert problem_of(["cease", "DIR", "--reason", "x"], complete=True) is None
    assert problem_of(["cease", "DIR", "--wind", "x"], complete=True) == (
        "detente cease say has no option --wind"
    )
    assert problem_of(["prove", "DIR", "-o", "x"], complete=True) is not None
    assert problem_of(["prove", "DIR", "ID", "-o", "x"], complete=True) is None
    line = 'detente a; for x in y; do detente b $x & done; echo "detente c" | detente d > e'
    assert [words[0] for words in commands(line, "detente")] == ["a", "b", "d"]


# -- links and indexes -------------------------------------------------------------------------------


@each_document
def test_links_inside_the_repository_resolve(path: Path) -> None:
    """Every link to a file or heading of the repository leads there, and none leads out of it."""
    text = path.read_text("utf-8")
    problems = []
    for link in re.findall(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)", without_code(text)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.is_relative_to(ROOT) or not there.exists():
            problems.append(f"{link} leads nowhere")
        elif anchor and anchor not in anchors(there.read_text("utf-8")):
            problems.append(f"{link}: there is no such heading")
    assert not problems


def test_adr_index_is_complete() -> None:
    """Every decision is in the index, once, under its own title."""
    folder = ROOT / "docs" / "adr"
    listed = re.findall(
        r"^- \[(\d{4})\]\(([^)]+)\) (.+)$", (folder / "README.md").read_text("utf-8"), re.MULTILINE
    )
    there = [
        (file.name[:4], file.name, file.read_text("utf-8").splitlines()[0])
        for file in sorted(folder.glob("[0-9]*.md"))
    ]
    assert [(number, name, f"# {number} {title}") for number, name, title in listed] == there
    assert len({number for number, _, _ in there}) == len(there)


@pytest.mark.parametrize("folder", ["spec", "guide"])
def test_document_index_is_complete(folder: str) -> None:
    """Every specification and guide can be found from docs/README.md."""
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    missing = [
        file.name
        for file in sorted((ROOT / "docs" / folder).glob("*.md"))
        if f"({folder}/{file.name})" not in index
    ]
    assert not missing


def test_decisions_named_in_the_source_exist() -> None:
    """An `adr/NNNN` or `docs/spec/NAME.md` that the source quotes can be opened."""
    decisions = {file.name[:4] for file in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    specifications = {file.name for file in (ROOT / "docs" / "spec").glob("*.md")}
    missing = set()
    for file in (ROOT / "src").rglob("*.py"):
        text = file.read_text("utf-8")
        missing |= {f"adr/{n}" for n in re.findall(r"\badr/(\d{4})", text)} - {
            f"adr/{n}" for n in decisions
        }
        missing |= set(re.findall(r"docs/spec/([a-z-]+\.md)", text)) - specifications
    assert not missing


def test_every_dependency_has_its_reason() -> None:
    """What pyproject.toml asks for is justified in docs/adr/0002, name by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["parquet"],
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[<>=~!\[ ]", one)[0] for one in asked}
    text = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text("utf-8")
    assert names - set(re.findall(r"`([a-z0-9-]+)`", text)) == set()


# -- words -------------------------------------------------------------------------------------------


@each_document
def test_documents_speak_of_the_project_alone(path: Path) -> None:
    """No machine's paths, no registries, no hostile words, no praise, no loose ends."""
    text = path.read_text("utf-8")
    found = [
        f"{match.group()!r} is {why}"
        for pattern, why in FORBIDDEN.items()
        for match in re.finditer(pattern, text)
    ]
    assert not found


def test_readme_says_what_the_project_does_not_do() -> None:
    """The limits that must stand beside the promises do."""
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    for sentence in (
        "It selects nothing to strike",
        "A notice is not a permission",
        "It changes nobody's duties under law",
        "proves only that none stands in *this node's* record",
    ):
        assert sentence in text


def test_architecture_names_the_rooms_of_the_import_rule() -> None:
    """The rooms in ARCHITECTURE.md are those that the import rule knows, in its order."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = contract["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = [room.strip() for layer in layers for room in layer.split("|")]
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    section = text.partition("## Rooms and the import rule")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)
    named_rooms = [room for row in rows for room in re.findall(r"`(\w+)`", row)]
    assert set(named_rooms) == set(rooms)
    assert [r for r in named_rooms if r not in ("errors", "units", "limits")] == [
        r for r in rooms if r not in ("errors", "units", "limits")
    ]


def test_terms_in_the_guide_are_terms() -> None:
    """The file of terms in the guide is one that `agree propose --terms` takes."""
    from detente.agreement.terms import parse_terms

    (block,) = fenced((ROOT / "docs/guide/first-steps.md").read_text("utf-8"), "toml")
    terms = parse_terms(friendly_terms(tomllib.loads(block)))
    assert terms.minima.time_us == 60_000_000
    assert terms.lead_times_s == {"default": 600, "patrol": 1800}


# -- the tour ----------------------------------------------------------------------------------------


def port_pair() -> int:
    """A port on loopback that was free a moment ago, and so was the next."""
    while True:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("bash") is None, reason="the tour is written for bash")
def test_readme_tour_runs_as_written(tmp_path: Path) -> None:
    """Somebody who types the README's tour sees what it promises, from keys to the refused byte."""
    text = (ROOT / "README.md").read_text("utf-8")
    start, end = text.index("## A five-minute tour"), text.index("## Real traffic")
    script = "\n".join(fenced(text[start:end], "sh"))
    for port in ("5710", "5720", "5730"):
        assert script.count(f":{port}") == 1
        script = script.replace(port, str(port_pair()))
    script = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + script
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(tmp_path),
    }
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as tour:
        try:
            said, wrong = tour.communicate(timeout=TOUR_S)
        except subprocess.TimeoutExpired:
            os.killpg(tour.pid, signal.SIGKILL)  # the nodes too: they outlive their shell
            raise
    assert tour.returncode == 0, wrong
    assert "Traceback" not in wrong
    # the one refusal that the tour shows
    assert re.findall("^detente: .*", wrong, re.MULTILINE) == [
        "detente: action: not every unit has acknowledged; acted must come after all units that were named have, and one at least"
    ]
    expected = (
        "north is ready in north",
        "still to sign: nobody",
        "in force: ",
        "north:PATROL version 1: filed",
        "  south: delivered ",
        "CONFLICT with north:PATROL",
        "exit 1",  # conflicts at north
        "exit 1",  # and at south
        "south:CROSSING version 2: filed",
        "no conflict in this record",
        "exit 0",
        "CONFLICT (resolved)",
        "read back DIFFERS: place ",
        "exit 1",
        "read back agrees",
        "exit 0",
        "0 of 1 units acknowledged",
        "exit 1",  # acted on, too early
        "EFFECTIVE",
        "effective after ",
        "line to south: open",
        "south:CROSSING version 1 (replaced)",
        "south:CROSSING version 2 (live)",
        "exit 0",
        "crossing.bundle: ",
        "EXERCISE: nothing flies",
        "VALID: south said south:CROSSING version 2",
        "exit 0",
        "INVALID: ",
        "exit 1",
        "record: ",
        "consistent: ",
        "CONFLICT\n",
        "exit 1",
        "CLEAR\n",
        "exit 0",
    )
    place = 0
    for piece in expected:
        place = said.find(piece, place)
        assert place >= 0, f"{piece!r} is missing after the piece before it:\n{said}"
        place += len(piece)
    ids = re.findall(r"^EXERCISE  CONFLICT ([0-9a-f]{12})  ", said, re.MULTILINE)
    assert len(ids) == 2
    assert ids[0] == ids[1]

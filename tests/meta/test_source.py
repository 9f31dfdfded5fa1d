"""The source as it must be: documented, bounded with reasons, in the project's words, of no machine."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import detente

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "detente").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def name_of(path: Path) -> str:
    """A path as test id."""
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    """Every file that goes to others."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for one in listed.split("\0") if one and (path := ROOT / one).is_file()]


# -- documented ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_module_and_everything_public_in_it_is_documented(path: Path) -> None:
    """Every module, public class, function and method says in one line what it is or answers."""
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    bare = []

    def look(node: ast.AST, where: str) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if child.name.startswith("_"):
                continue
            text = ast.get_docstring(child)
            overload = any("overload" in ast.dump(d) for d in child.decorator_list)
            if not text and not overload:
                bare.append(where + child.name)
            if isinstance(child, ast.ClassDef):
                look(child, f"{where}{child.name}.")

    look(tree, "")
    assert bare == []


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_test_is_named_and_says_what_it_proves(path: Path) -> None:
    """Every test has a name of three words at least and a sentence that it proves."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            assert len(node.name.split("_")) >= 3, node.name
            sentence = (ast.get_docstring(node) or "").partition("\n\n")[0].rstrip()
            assert sentence.endswith((".", "?", ")")), f"{node.name} does not say what it proves"
            assert len(sentence.split()) >= 3, node.name


def test_every_limit_has_its_reason() -> None:
    """Each constant in limits.py stands beside a comment that says why it is what it is."""
    text = (ROOT / "src/detente/limits.py").read_text("utf-8")
    lines = text.splitlines()
    constants = [n for n in ast.parse(text).body if isinstance(n, ast.Assign)]
    assert len(constants) > 15
    for node in constants:
        assert node.end_lineno is not None
        block = lines[node.lineno - 1 : node.end_lineno]
        reason = "".join(line.partition("#")[2] for line in block)
        assert len(reason.split()) >= 3, block[0]


# -- words ---------------------------------------------------------------------------------------------

# what this project must never be taken for; each with the contexts in which the word is harmless
WORDS = {
    r"strike[ -]packages?": (),
    r"permission": ("not a permission", "no permission", "permissions", "PermissionError"),
    r"approv(?:e|ed|al)\b": ("not approved", "no approval", "approves nothing", "not an approval"),
    r"\benem(?:y|ies)\b": (),
    r"\bintruders?\b": (),
    r"\bownship\b": (),
    r"\bego\b": (),
    r"clear(?:ed)? to (?:fly|engage|strike|fire)": (),
    r"permitted to fly": (),
    r"\bhostiles?\b": ("hostile",),  # a hostile sender or notice is an attack on the software
}


def test_source_keeps_to_the_projects_words() -> None:
    """No word of the source makes a notice a permission or a party a target."""
    found = []
    for path in SOURCES + sorted((ROOT / "src").rglob("*.toml")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            for pattern, harmless in WORDS.items():
                for match in re.finditer(pattern, line, re.IGNORECASE):
                    around = line[max(0, match.start() - 20) : match.end() + 20]
                    if not any(one.lower() in around.lower() for one in harmless):
                        found.append(f"{name_of(path)}:{number}: {match.group()}")
    assert found == []


# -- of no machine ---------------------------------------------------------------------------------------

MACHINE = {
    r"(?<![\w.])/(?:home|root|Users)/\w": "somebody's home",
    r"(?<![\w.])/work/(?:main|shared)": "a machine's folder",
    r"/tmp/(?!x\b)\w{3,}": "a machine's scratch folder",
}
HOSTS = r"https?://(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|[\w.-]*(?:mirror|proxy|artifactory|nexus)[\w.-]*)"


def test_tracked_files_name_no_machine_and_no_registry() -> None:
    """What goes to others holds no path of the machine it was written on, and no registry's host."""
    found = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in (".png", ".parquet", ".gz"):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for pattern, what in {**MACHINE, HOSTS: "a registry"}.items():
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name_of(path)}:{line}: {match.group()!r} is {what}")
    assert found == []


def test_no_secret_or_scratch_file_is_tracked() -> None:
    """No key, store, log or editor's leftover goes to others."""
    bad = {".seed", ".pem", ".key", ".db", ".log", ".sock", ".pyc", ".orig", ".rej", ".swp"}
    assert [name_of(path) for path in tracked() if path.suffix in bad] == []


# -- one of each -------------------------------------------------------------------------------------------


def test_version_is_the_same_everywhere() -> None:
    """The package, its metadata and the change log agree on the version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == detente.__version__
    changes = ROOT / "CHANGELOG.md"
    if changes.is_file():
        assert detente.__version__ in changes.read_text("utf-8") or "Unreleased" in (
            changes.read_text("utf-8")
        )


def test_licence_is_apache_2_0() -> None:
    """The licence file is the Apache License 2.0, word for word, and the metadata says so."""
    text = (ROOT / "LICENSE").read_text("utf-8")
    words = " ".join(text.partition("APPENDIX")[0].split())
    assert words.startswith("Apache License Version 2.0, January 2004")
    for sentence in (
        "END OF TERMS AND CONDITIONS",
        '"License" shall mean the terms and conditions for use, reproduction, and distribution',
        "3. Grant of Patent License.",
        "9. Accepting Warranty or Additional Liability.",
    ):
        assert sentence in words
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "Apache-2.0"


def test_core_reads_no_clock_and_draws_no_randomness() -> None:
    """Outside node/ and cli/ nothing asks the machine for time, randomness, files or environment; `compiled` alone asks whether to compile, which changes no answer."""
    asking = re.compile(
        r"\btime\.(?:time|time_ns|monotonic|sleep)\(|\bdatetime\.now\(|\bos\.(?:urandom|environ|getenv)\b|"
        r"\buuid\d?\.|\bopen\(|\.read_text\(|\.write_text\(|\.read_bytes\(|\bprint\("
    )
    found = []
    for path in SOURCES:
        room = path.relative_to(ROOT / "src/detente").parts[0]
        if room in ("node", "cli", "compiled.py"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (match := asking.match(ast.unparse(node.func) + "(")):
                found.append(f"{name_of(path)}:{node.lineno}: {match.group()}")
    assert found == []

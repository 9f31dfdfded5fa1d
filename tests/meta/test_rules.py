"""The rules of the specification and the tests that prove them name each other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"\b[A-Z](?:-[A-Z0-9]+)*-[0-9]+\b")
STATED = re.compile(r"\*\*([A-Z](?:-[A-Z0-9]+)*-[0-9]+)\*\*")


def stated() -> dict[str, list[str]]:
    """Rule ids of the pages in docs/spec, with the pages that state them."""
    found: dict[str, list[str]] = {}
    for page in sorted((ROOT / "docs" / "spec").glob("*.md")):
        for match in STATED.finditer(page.read_text("utf-8")):
            found.setdefault(match[1], []).append(page.name)
    return found


def quoted() -> dict[str, set[str]]:
    """Ids in the sentences of test functions, with the files; a notice that is called C-1 is no rule."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
                "test_"
            ):
                for one in RULE.findall(ast.get_docstring(node) or ""):
                    found.setdefault(one, set()).add(path.name)
    return found


def test_every_rule_is_stated_once() -> None:
    """A rule id stands for one rule, on one page."""
    assert {one: pages for one, pages in stated().items() if len(pages) > 1} == {}


def test_every_rule_is_quoted_by_a_test() -> None:
    """A MUST that no test names is a wish."""
    assert sorted(set(stated()) - set(quoted())) == []


def test_every_rule_that_a_page_names_is_stated() -> None:
    """A page that points to a rule points to one that is there; also where the sentences of C2SP are listed."""
    known = stated()
    families = {one.rpartition("-")[0] for one in known}
    unknown = {
        (one, page.name)
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for one in RULE.findall(page.read_text("utf-8"))
        if one.count("-") > 1 and one not in known and one.rpartition("-")[0] in families
    }
    assert unknown == set()


def test_every_rule_that_a_test_quotes_is_stated() -> None:
    """A test that proves a rule which no page states proves nothing that anybody can read."""
    known = stated()
    families = {one.rpartition("-")[0] for one in known}
    unknown = {
        one: sorted(files)
        for one, files in quoted().items()
        if one not in known and one.rpartition("-")[0] in families
    }
    assert unknown == {}

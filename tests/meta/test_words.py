"""The console's words as tests: every language has every word, and no word stands in the code."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CONSOLE = Path(__file__).parents[2] / "console"
WORDS = CONSOLE / "src" / "i18n"
HELP = CONSOLE / "src" / "help"
SOURCES = CONSOLE.parent / "src" / "detente"
SCRIPT = CONSOLE / "scripts" / "strings.mjs"
TRANSLATIONS = ("ru", "he", "ar")
LANGUAGES = ("en", *TRANSLATIONS)
# The forms of a whole number in each language (CLDR); a fraction is always "other".
FORMS = {
    "en": {"one", "other"},
    "ru": {"one", "few", "many", "other"},
    "he": {"one", "two", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
}
HOSTILE = re.compile(
    r"(?i)\benem(?:y|ies)\b|\btargets?\b|\bstrike packages?\b|\bpermissions?\b|\bapprovals?\b|\bintruders?\b"
)
RUN_S = 60.0

with_node = pytest.mark.skipif(
    shutil.which("node") is None or not (CONSOLE / "node_modules" / "svelte").is_dir(),
    reason="the console's packages are not installed; scripts/console installs them",
)


def read_words(path: Path) -> dict[str, Any]:
    """A room of words; a key that is there twice would silently win over the first."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{path.name}: {sorted(twice)} twice"
        return dict(pairs)

    words = json.loads(path.read_text("utf-8"), object_pairs_hook=once)
    assert isinstance(words, dict)
    return words


def rooms(language: str) -> dict[str, dict[str, Any]]:
    """All rooms of a language by name."""
    return {path.stem: read_words(path) for path in sorted((WORDS / language).glob("*.json"))}


def texts(value: Any) -> list[str]:
    """The texts of a word: itself, or its plural forms."""
    return list(value.values()) if isinstance(value, dict) else [value]


def placeholders(value: Any) -> set[str]:
    """The names in braces."""
    return {name for text in texts(value) for name in re.findall(r"\{(\w+)\}", text)}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_words_of_a_language_are_those_of_english(language: str) -> None:
    """Every language has exactly the rooms and keys that English has, so nobody meets a raw key or a stray English line."""
    english, translated = rooms("en"), rooms(language)
    assert english
    assert translated.keys() == english.keys()
    for room, words in english.items():
        assert translated[room].keys() == words.keys(), room


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_placeholders_of_a_translation_are_those_of_english(language: str) -> None:
    """A translated sentence names every value that the English one names, and no other."""
    for room, words in rooms("en").items():
        translated = rooms(language)[room]
        wrong = [key for key in words if placeholders(words[key]) != placeholders(translated[key])]
        assert wrong == [], room


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_every_form_of_their_language(language: str) -> None:
    """A count is said with the form that its language has for it: few in Russian, two in Hebrew and Arabic."""
    plurals = [
        (room, key, set(value))
        for room, words in rooms(language).items()
        for key, value in words.items()
        if isinstance(value, dict)
    ]
    assert plurals
    assert [found for found in plurals if not found[2] >= FORMS[language]] == []


def test_translations_say_that_nobody_has_reviewed_them() -> None:
    """English is the source; a language is a draft until a native-speaking officer has reviewed it, and says so."""
    assert read_words(WORDS / "en" / "frame.json")["status"] == "source"
    for language in TRANSLATIONS:
        assert read_words(WORDS / language / "frame.json")["status"] in ("draft", "reviewed")


def test_english_words_are_not_hostile() -> None:
    """The console says own and peer, activity and notice; no word takes a side or promises permission."""
    found = [
        f"{room}.{key}: {text}"
        for room, words in rooms("en").items()
        for key, value in words.items()
        for text in texts(value)
        if HOSTILE.search(text)
    ]
    found += [page.name for page in HELP.glob("en/*.md") if HOSTILE.search(page.read_text("utf-8"))]
    assert found == []


def test_help_pages_have_a_title_in_every_language() -> None:
    """Each page of the help is listed under a title in the officer's language, also while its text is English."""
    pages = {page.stem for page in HELP.glob("en/*.md")}
    assert pages
    for language in LANGUAGES:
        titles = {key for key in rooms(language)["help"] if key.startswith("title-")}
        assert titles == {f"title-{page}" for page in pages}, language


def test_help_pictures_are_all_shown_and_all_there() -> None:
    """Every picture of the help stands on a page, and every page's pictures exist."""
    shown = {
        picture
        for page in HELP.glob("*/*.md")
        for picture in re.findall(r"\(\.\./pictures/([\w-]+\.png)\)", page.read_text("utf-8"))
    }
    assert shown == {picture.name for picture in (HELP / "pictures").glob("*.png")}


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The console's own test of its words."""
    return subprocess.run(
        ["node", str(SCRIPT), *arguments],
        cwd=CONSOLE,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )


@with_node
def test_console_has_no_words_of_its_own_and_none_unused() -> None:
    """No text stands in the console's code, every key asked for exists, and every key is asked for somewhere."""
    ran = run_script()
    assert ran.returncode == 0, ran.stderr


def make_console(folder: Path, view: str, *, ru: str = "Файлы: {n}") -> Path:
    """A console of one view and one word."""
    for language, word in {
        "en": "Files: {n}",
        "ru": ru,
        "he": "קבצים: {n}",
        "ar": "ملفات: {n}",
    }.items():
        (folder / "i18n" / language).mkdir(parents=True)
        status = "source" if language == "en" else "draft"
        words = json.dumps({"status": status, "files": word})
        (folder / "i18n" / language / "frame.json").write_text(words, "utf-8")
    (folder / "View.svelte").write_text(view, "utf-8")
    return folder


GOOD_VIEW = '<p title={t("frame.files", { n: 3 })}>EXERCISE 12 NM</p>'


@with_node
def test_strings_script_without_a_fault_passes(tmp_path: Path) -> None:
    """A view whose words all come from the files, and whose words are all translated, passes."""
    ran = run_script("--root", str(make_console(tmp_path, GOOD_VIEW)))
    assert (ran.returncode, ran.stderr) == (0, "")


@with_node
@pytest.mark.parametrize(
    ("view", "said"),
    [
        (GOOD_VIEW + "<p>Press here</p>", '"Press here" stands in the code'),
        (GOOD_VIEW + '<img alt="A map" />', '"A map" stands in the code'),
        (GOOD_VIEW + '<p>{late ? "Late" : ""}</p>', '"Late" stands in the code'),
        (GOOD_VIEW + '<button aria-label="Close"></button>', '"Close" stands in the code'),
        (GOOD_VIEW + '<p>{t("frame.folders")}</p>', 't("frame.folders"): no such words'),
        (GOOD_VIEW + '<p>{t("frame.files")}</p>', "must be given {n}"),
        (GOOD_VIEW + "<p>{@html said}</p>", "text must not become markup"),
        ("<p></p>", "en frame.files is used nowhere"),
    ],
)
def test_strings_script_with_a_fault_in_a_view_names_it(
    tmp_path: Path, view: str, said: str
) -> None:
    """Words in the code, unknown keys, missing values, markup from text and unused words are each found and named."""
    ran = run_script("--root", str(make_console(tmp_path, view)))
    assert ran.returncode == 1
    assert said in ran.stderr


@with_node
@pytest.mark.parametrize(
    ("ru", "said"),
    [
        ("Файлы", "ru frame.files lacks {n}"),
        ("Файлы: {n} {k}", "ru frame.files has {k}"),
        ("Files: {n}", "ru frame.files is not translated"),
        ("Файлы:\u202e {n}", "a character that cannot be seen"),
    ],
)
def test_strings_script_with_a_fault_in_a_translation_names_it(
    tmp_path: Path, ru: str, said: str
) -> None:
    """A lost or added placeholder, an untranslated text and a hidden character are each found and named."""
    ran = run_script("--root", str(make_console(tmp_path, GOOD_VIEW, ru=ru)))
    assert ran.returncode == 1
    assert said in ran.stderr


# Rooms of the node in which an error is made for an officer who signs in, files, pastes or asks.
OFFICERS_ERRORS = (
    "airspace/rules.py",
    "interop/coordinates.py",
    "interop/glyphs.py",
    "interop/grid.py",
    "interop/kml.py",
    "interop/notam.py",
    "interop/pasted.py",
    "interop/sketch.py",
    "node/gate.py",
    "node/passkeys.py",
    "node/worker.py",
    "protocol/alarms.py",
)
OF_THE_CONSOLE = {"no-node"}  # made by the browser itself
CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def codes_in(path: Path) -> set[str]:
    """The codes of the errors that a module makes."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        func, first = node.func, node.args[0]
        name = func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")
        if name.lower().endswith(("error", "refuse", "refused")) and isinstance(
            first, ast.Constant
        ):
            found.add(str(first.value))
    return {code for code in found if CODE.fullmatch(code)}


def test_errors_that_officers_meet_have_plain_words() -> None:
    """What an officer can do wrong, or a file can hold, is answered in the officer's language and not by an English line alone."""
    words = set(rooms("en")["codes"])
    for room in OFFICERS_ERRORS:
        codes = codes_in(SOURCES / room)
        assert codes, room
        assert codes - words == set(), room


def test_words_for_errors_are_for_errors_that_exist() -> None:
    """No words are kept, and translated three times, for an error that the node does not make."""
    source = "\n".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py"))
    # a cease request and an emergency are of one family: their codes are written as f"{kind}-unknown"
    unknown = {
        code
        for code in rooms("en")["codes"]
        if f'"{code}"' not in source
        and f'"{re.sub("^(cease|emergency)-", "{kind}-", code)}"' not in source
    }
    assert unknown == OF_THE_CONSOLE

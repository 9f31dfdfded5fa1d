"""What commands print: one document, or lines that survive a pipe."""

from __future__ import annotations

import errno
import json
from typing import Any

import pytest
import typer
from rich.console import Console

from detente.cli import output
from detente.cli.output import dtg, errors, file_error, lead, print_table, show, table, when
from detente.errors import (
    DetenteError,
    PeerError,
    RefusedError,
    UnavailableError,
    UsageError,
)


def ends(error: Exception, *, as_json: bool = False) -> int:
    """The exit code of a command that ends with this error."""

    @errors
    def command(*, as_json: bool) -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command(as_json=as_json)
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x", "text"), 2),
        (PeerError("x", "text"), 1),
        (RefusedError("x", "text"), 1),
        (UnavailableError("x", "text"), 4),
        (DetenteError("x", "text"), 2),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 4),
        (BrokenPipeError(), 0),
    ],
)
def test_error_ends_a_command_with_its_code(error: Exception, code: int) -> None:
    """Each kind of error has its exit code; a closed pipe is none."""
    assert ends(error) == code


def test_error_is_one_line_with_its_hint_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """People read the sentence and what to do next; standard output stays empty."""
    ends(UsageError("x", "it is 3; it must be 4", hint="say 4", field="number"))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "detente: number: it is 3; it must be 4\n  say 4\n")


def test_error_with_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts read one document with code, field and hint; markup in a text is not obeyed."""
    ends(UsageError("x", "[bold]it[/bold]", hint="h", field="f"), as_json=True)
    out, err = capsys.readouterr()
    found = json.loads(out)["error"]
    assert (found["code"], found["field"], found["hint"]) == ("x", "f", "h")
    assert "[bold]it[/bold]" in err


def test_programming_error_is_not_hidden() -> None:
    """Only errors raised on purpose become a sentence; a mistake of ours stays a traceback."""

    @errors
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_unavailable_and_says_what_to_do(number: int) -> None:
    """No room is no mistake of the user: it may succeed later."""
    found = file_error(OSError(number, "full", "a.db"))
    assert isinstance(found, UnavailableError)
    assert "free disk space" in found.hint


def test_show_prints_the_document_or_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the document and nothing else; without, the text and nothing else."""
    show({"a": "Ω"}, True, lambda: print("text"))
    assert json.loads(capsys.readouterr().out) == {"a": "Ω"}
    show({"a": 1}, False, lambda: print("text"))
    assert capsys.readouterr().out == "text\n"


@pytest.mark.parametrize("width", [20, 80, 200])
def test_table_keeps_a_row_on_a_line_and_every_word_whole(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However narrow the terminal, a row is one line and no cell is cut or folded."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(output, "out", Console(highlight=False, soft_wrap=True, width=width))
    rows = table("NOTICE", "STATE", "")
    rows.add_row("north:" + "x" * 64, "delivered", "EXERCISE LATE")
    rows.add_row("n", "w", "")
    print_table(rows)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 3
    assert lines[1].split() == ["north:" + "x" * 64, "delivered", "EXERCISE", "LATE"]
    assert lines[2].split() == ["n", "w"]


def test_times_are_shown_as_officers_read_them() -> None:
    """A date-time group, with the exact time beside it where it matters; nothing is a dash."""
    text = "2018-09-17T18:39:00Z"
    assert dtg(text) == "171839Z SEP 18"
    assert when(text) == "171839Z SEP 18 (2018-09-17T18:39:00Z)"
    assert (dtg(None), when(None), lead(None)) == ("-", "-", "-")
    assert lead(600) == "10 min 00 s"
    assert lead(-30) == "30 s after start"


def test_other_clock_than_utc_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Where times are of a declared clock, a line says so; plain UTC needs none."""
    output.clock_line({"clock": "scenario clock 'x'"})
    assert "scenario clock 'x'" in capsys.readouterr().out
    output.clock_line({"clock": "UTC"})
    found: Any = capsys.readouterr().out
    assert found == ""


def test_an_id_between_colons_is_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    """The notice north:A, followed by a colon, is printed as it is, and not as the letter's emoji."""
    for console in (output.out, output.err):
        console.print("north:A: volumes overlap, south:B: too", markup=False)
    said = capsys.readouterr()
    assert "north:A: volumes overlap, south:B: too" in said.out + said.err
    assert "🅰" not in said.out + said.err

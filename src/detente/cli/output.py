"""What commands print: one JSON document on standard output, or text for people."""

from __future__ import annotations

import errno
import functools
import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from detente.errors import DetenteError, UnavailableError, UsageError, shown
from detente.node.outcome import error_json, exit_code
from detente.units import format_dtg, format_duration, parse_time

Command = TypeVar("Command", bound=Callable[..., Any])

TABLE_CHARS = 1_000  # wider than any row; ids and names have limits of their own

out = Console(highlight=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def show(value: Any, as_json: bool, text: Callable[[], None]) -> None:
    """The document for scripts, or the text for people."""
    if as_json:
        print_json(value)
    else:
        text()


def errors(command: Command) -> Command:
    """Turn our errors into a line on standard error, a JSON document if asked, and the exit code."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except DetenteError as error:
            _say(error, kwargs.get("as_json"))
            raise typer.Exit(exit_code(error)) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None
        except OSError as error:  # a file that cannot be read or written, or no room for it
            _say(file_error(error), kwargs.get("as_json"))
            raise typer.Exit(exit_code(file_error(error))) from None

    return wrapped  # type: ignore[return-value]


def _say(error: DetenteError, as_json: object) -> None:
    if as_json:
        print_json(error_json(error))
    err.print(f"detente: {error}", markup=False, style="bold")
    if error.hint:
        err.print(f"  {error.hint}", markup=False)


def file_error(error: OSError) -> DetenteError:
    """What the operating system said about a file, as an error of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError(
            "disk-full",
            f"there is no room to write {shown(error.filename)}; some must be made",
            hint="free disk space and run the command again",
        )
    return UsageError(
        "file-unusable",
        f"{shown(error.filename)}: {error.strerror or error}; it must be a file that can be used",
    )


def when(text: str | None) -> str:
    """A time for people: date-time group, and the exact time beside it."""
    if text is None:
        return "-"
    return f"{format_dtg(parse_time(text))} ({text})"


def dtg(text: str | None) -> str:
    """A time as a date-time group."""
    return "-" if text is None else format_dtg(parse_time(text))


def lead(seconds: float | None) -> str:
    """A lead time in words; negative is said as what it is."""
    if seconds is None:
        return "-"
    return format_duration(seconds) if seconds >= 0 else f"{format_duration(-seconds)} after start"


def between(found: dict[str, Any]) -> str:
    """An interval in words: between when and when by the clocks of others; an open end is said as open."""
    early, late = found["not_before"], found["not_after"]
    by = ", ".join(found["by"])
    if early is not None and late is not None:
        return f"between {early} and {late}, by {by}"
    if late is not None:
        return f"no later than {late}, by {by}; nobody bounds how early"
    if early is not None:
        return f"no earlier than {early}, by {by}; nobody bounds how late"
    return "at a time that nobody else bounds"


def lead_range(ends: tuple[float | None, float | None] | list[float | None] | None) -> str:
    """What others' clocks leave of a lead time, in brackets; empty where they say nothing."""
    least, most = ends or (None, None)
    if least is not None and most is not None:
        return f" (between {lead(least)} and {lead(most)} by the cosigners)"
    if least is not None:
        return f" (at least {lead(least)} by the cosigners)"
    return "" if most is None else f" (at most {lead(most)} by the cosigners)"


def table(*columns: str) -> Table:
    """A plain table that survives a pipe; print it with `print_table`."""
    found = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        found.add_column(column, no_wrap=True)
    return found


def print_table(rows: Table) -> None:
    """A table with each row on one line: a terminal too narrow wraps it, no word is cut."""
    wanted = Measurement.get(out, out.options.update(width=TABLE_CHARS), rows).maximum
    Console(highlight=False, emoji=False, soft_wrap=True, width=max(out.width, wanted)).print(rows)


def exercise_banner(exercise: bool) -> str:
    """The first word on anything about an exercise."""
    return "EXERCISE  " if exercise else ""


def clock_line(value: dict[str, Any]) -> None:
    """Says which clock the times are of, when it is not plain UTC."""
    if value.get("clock", "UTC") != "UTC":
        out.print(f"[{value['clock']}]", markup=False, style="dim")

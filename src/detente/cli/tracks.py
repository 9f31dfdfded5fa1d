"""The command on recorded tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from detente.cli.notice import whole_number
from detente.cli.output import err, errors, out, print_table, show, table
from detente.errors import UsageError
from detente.node.outcome import EXIT_BAD_NEWS
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_M, TENTH_MM_PER_NM, US_PER_S

_OPTION = {"max_gap_us": "--max-gap-s", "max_speed_tenth_mm_s": "--max-speed-mps"}


@errors
def scan(
    tracks: Annotated[
        Path,
        typer.Argument(
            metavar="TRACKS.csv|.parquet", help="Columns id,time,lat,lon,alt_ft; rows in any order."
        ),
    ],
    lateral_nm: Annotated[str, typer.Option(help="Least lateral separation, NM.")] = "5",
    vertical_ft: Annotated[str, typer.Option(help="Least vertical separation, ft.")] = "1000",
    max_gap_s: Annotated[
        str, typer.Option(help="A longer silence cuts a track in two, seconds.")
    ] = "600",
    max_speed_mps: Annotated[
        str, typer.Option(help="What would need to be faster is no flight, metres a second.")
    ] = "1500",
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Threads; default: one a processor, at most 8."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="How many conflicts are printed; --json has all of them.")
    ] = 50,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw the conflicts on a map and over time."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """All recorded tracks against all, in continuous time, offline: 0 clear, 1 conflict."""
    from detente.airspace.leg import LegRules, check_leg_rules
    from detente.cli.scan import document, rows_for_people, scan_tracks, size_of, summary
    from detente.conflict.separation import build_minima

    minima = build_minima(
        whole_number(lateral_nm, TENTH_MM_PER_NM, "--lateral-nm", "0.1 mm"),
        whole_number(vertical_ft, TENTH_MM_PER_FT, "--vertical-ft", "0.1 mm"),
        0,
    )
    rules = LegRules(
        whole_number(max_gap_s, US_PER_S, "--max-gap-s", "microseconds"),
        whole_number(max_speed_mps, TENTH_MM_PER_M, "--max-speed-mps", "0.1 mm a second"),
    )
    try:
        check_leg_rules(rules)
    except UsageError as error:
        raise UsageError(error.code, error.message, field=_OPTION[str(error.field)]) from None
    if plot is not None:
        from detente.cli.scanplot import check_plot, plot_scan

        check_plot(plot)
    with tracks.open("rb") as file, _bar() as say:
        found = scan_tracks(
            file, minima, rules, size=size_of(tracks), threads=threads, progress=say
        )
    if plot is not None:
        plot_scan(found, plot)

    def text() -> None:
        head, *rest = summary(found)
        out.print(head, markup=False, style="bold")
        cells = rows_for_people(found, limit)
        if cells:
            rows = table("from", "for", "track", "and", "lateral", "vertical", "near (lat, lon)")
            for row in cells:
                rows.add_row(*row)
            print_table(rows)
        if len(found) > len(cells):
            out.print(
                f"… and {len(found) - len(cells):,} more; --limit shows more, --json all",
                markup=False,
            )
        for line in rest:
            out.print(line, markup=False)
        if plot is not None:
            out.print(f"picture: {plot}", markup=False)

    for note in found.notes:
        err.print(f"note: {note}", markup=False)
    show(document(found) if as_json else None, as_json, text)
    if len(found):
        raise typer.Exit(EXIT_BAD_NEWS)


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error, where that is a terminal."""
    from rich.progress import (
        BarColumn,
        Progress,
        TaskID,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    with Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as progress:
        tasks: dict[str, TaskID] = {}

        def say(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=share)

        yield say

"""Commands to try it: demo, bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detente.cli.output import errors, out, show

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@errors
def demo(
    scenario: Annotated[
        str,
        typer.Option(
            help="two-patrols; il20-2018, il20-2018-what-if, il20-2018-heard; deir-ez-zor-2016; kunduz-2015; korea-lines; or a file."
        ),
    ] = "two-patrols",
    speed: Annotated[float, typer.Option(help="How many times faster the story is told.")] = 1.0,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open each party's console in a browser."),
    ] = False,
    exit_after: Annotated[
        float | None, typer.Option(metavar="S", help="End after so many seconds.")
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", metavar="DIR", help="Where the nodes live; default: a temporary directory."
        ),
    ] = None,
    swap: Annotated[
        bool, typer.Option(help="Exchange North and South: everything mirrors.")
    ] = False,
) -> None:
    """Play a story to two parties and a witness on this machine, narrated in the terminal."""
    from detente.cli.demo import run_demo

    code = run_demo(
        scenario,
        speed=speed,
        exit_after_s=exit_after,
        directory=directory,
        no_browser=not browser,
        swap=swap,
    )
    if code:
        raise typer.Exit(code)


@errors
def bench(
    only: Annotated[
        str | None,
        typer.Option(
            metavar="PART,…",
            help="Only these: receipt, rate, start (three nodes on loopback); append, rebuild, audit, bundle, absence (the record); volumes, advice (notices); swiss, trajectories (tracks).",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="At the sizes that the goals name, ten minutes or more; else a tenth of the work, under two.",
        ),
    ] = False,
    peers: Annotated[
        bool,
        typer.Option(
            "--peers",
            help="Install the tools that others use (from PyPI, in an environment of their own), run them and this engine on the same inputs; parts: tactical, volumes, swiss, defects. --full: the whole recorded day and a million volumes.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure this machine: lines and notices a second, appends, rebuild, audit, proofs; with memory and processor time."""
    from detente.cli.bench import run_benchmarks
    from detente.cli.peerbench import run_peers

    found = (run_peers if peers else run_benchmarks)(
        only=only,
        full=full,
        progress=lambda line: out.print(line, markup=False) if not as_json else None,
    )
    if as_json:
        show(found, True, lambda: None)

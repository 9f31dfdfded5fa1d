"""Commands to try it: demo, simulate, bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detente.cli.output import errors, out, show
from detente.node.outcome import EXIT_BAD_NEWS

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
def simulate(
    seed: Annotated[int, typer.Option(help="The seed; the same seed plays the same day.")] = 1,
    hours: Annotated[float, typer.Option(help="Simulated hours.")] = 1.0,
    parties: Annotated[int, typer.Option(help="How many parties.")] = 2,
    faults: Annotated[
        str,
        typer.Option(
            help="all, none, or of: loss,duplication,reordering,partition,crash,disk-full,clock-skew."
        ),
    ] = "all",
    as_json: Json = False,
) -> None:
    """Run nodes in memory under faults and check that nothing acknowledged is lost."""
    from detente.simulation.run import simulate as run

    found = run(seed=seed, hours=hours, parties=parties, faults=faults)

    def text() -> None:
        word = "all invariants held" if not found["violations"] else "VIOLATED"
        out.print(
            f"seed {seed}: {word}; {found['statements']} statements, {found['delivered']} receipts, {found['crashes']} crashes, {found['conflicts']} conflicts",
            markup=False,
        )
        for violation in found["violations"]:
            out.print(f"  {violation}", markup=False)
            out.print(
                f"  replay: detente simulate --seed {seed} --hours {hours:g} --parties {parties} --faults {faults}",
                markup=False,
            )

    show(found, as_json, text)
    if found["violations"]:
        raise typer.Exit(EXIT_BAD_NEWS)


@errors
def bench(
    only: Annotated[
        str | None, typer.Option(help="Only benchmarks whose name contains this.")
    ] = None,
    quick: Annotated[bool, typer.Option(help="A tenth of the work.")] = False,
    as_json: Json = False,
) -> None:
    """Measure this machine: notice to receipt, notices a second, start with 10,000 statements."""
    from detente.cli.bench import run_benchmarks

    found = run_benchmarks(
        only=only,
        quick=quick,
        progress=lambda line: out.print(line, markup=False) if not as_json else None,
    )
    if as_json:
        show(found, True, lambda: None)

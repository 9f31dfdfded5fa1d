"""The command simulate: one seeded day, or many of them side by side."""

from __future__ import annotations

import gc
import hashlib
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Annotated, Any

import typer

from detente.cli.output import errors, out, show
from detente.errors import UsageError, shown
from detente.node.outcome import EXIT_BAD_NEWS
from detente.simulation.faults import NAMES
from detente.simulation.officer import EVERY_S

SEED_MOST = 2**64 - 1
SAID_EVERY = 20  # seeds between two lines of progress
_SEEDS = re.compile(r"([0-9]{1,20})(?:\.\.([0-9]{1,20}))?", re.ASCII)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@errors
def simulate(
    seed: Annotated[
        str,
        typer.Option(metavar="N|A..B", help="The seed, or the first and the last of many."),
    ] = "1",
    hours: Annotated[float, typer.Option(help="Simulated hours.")] = 1.0,
    parties: Annotated[int, typer.Option(help="How many parties, 2 to 50.")] = 2,
    faults: Annotated[str, typer.Option(help=f"all, none, or of: {','.join(NAMES)}.")] = "all",
    every: Annotated[
        int, typer.Option(metavar="S", help="Seconds between two acts of one officer.")
    ] = EVERY_S,
    jobs: Annotated[int, typer.Option(help="Processes for many seeds; 0: one for each core.")] = 0,
    as_json: Json = False,
) -> None:
    """Run nodes in memory under faults, with peers that lie, and check what must hold; the same seed plays the same day."""
    first, last = parse_seeds(seed)
    play = partial(_play, hours=hours, parties=parties, faults=faults, every_s=every)
    if first == last:
        found = play(first)
        show(found, as_json, lambda: _say(found))
        if found["violations"]:
            raise typer.Exit(EXIT_BAD_NEWS)
        return
    started, digest = time.monotonic(), hashlib.sha256()
    done = failed = 0
    worst: list[dict[str, Any]] = []
    for found in _played(range(first, last + 1), play, jobs):
        done += 1
        digest.update(bytes.fromhex(found["digest"]))
        if found["violations"]:
            failed += 1
            worst = [*worst, found][:10]
            if not as_json:
                _say(found)
        if not as_json and (done % SAID_EVERY == 0 or found["seed"] == last):
            spent_s = time.monotonic() - started
            out.print(
                f"{done} of {last - first + 1} seeds done, {failed} with violations, {spent_s:.0f} s",
                markup=False,
            )
    word = f"{failed} VIOLATED" if failed else "all invariants held"
    total = {
        "seeds": f"{first}..{last}",
        "hours": hours,
        "parties": parties,
        "faults": faults,
        "done": done,
        "failed": failed,
        "failures": worst,
        "digest": digest.hexdigest(),
    }
    show(
        total,
        as_json,
        lambda: out.print(
            f"seeds {first}..{last}: {word}; digest {digest.hexdigest()[:16]}",
            markup=False,
        ),
    )
    if failed:
        raise typer.Exit(EXIT_BAD_NEWS)


def parse_seeds(text: str) -> tuple[int, int]:
    """The first and the last seed of ``N`` or ``A..B``.

    Raises:
        UsageError: ``seed-range``.

    Example:
        >>> parse_seeds("7"), parse_seeds("1..200")
        ((7, 7), (1, 200))
    """
    match = _SEEDS.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not first <= last <= SEED_MOST:
        raise UsageError(
            "seed-range",
            f"seed is {shown(text)}; it must be a whole number, or two with the first not above the last, such as 1..200",
            field="--seed",
        )
    return first, last


def _played(seeds: range, play: Any, jobs: int) -> Iterator[dict[str, Any]]:
    """What came of each seed, in order of seed."""
    count = min(jobs or os.cpu_count() or 1, len(seeds))
    if count == 1:
        yield from map(play, seeds)
        return
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        try:
            yield from pool.map(play, seeds)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _play(seed: int, **arguments: Any) -> dict[str, Any]:
    from detente.simulation.run import simulate as run

    # a day is thrown away as a whole: looking for what could go meanwhile is a fifth of the time
    gc.disable()
    if not gc.get_freeze_count():  # the program itself is never thrown away
        gc.freeze()
    try:
        return run(seed, **arguments)
    finally:
        gc.enable()
        gc.collect()


def _say(found: dict[str, Any]) -> None:
    word = "all invariants held" if not found["violations"] else "VIOLATED"
    out.print(
        f"seed {found['seed']}: {word}; {found['statements']} statements, {found['delivered']} receipts, "
        f"{found['crashes']} crashes, {found['conflicts']} conflicts, {found['proposals']} proposals, {found['kept']} of them kept",
        markup=False,
    )
    if not found["violations"]:
        return
    first = found["first_violation"]
    out.print(f"  first at {first['time']}: {first['text']}", markup=False)
    for violation in found["violations"][1:10]:
        out.print(f"  {violation}", markup=False)
    out.print(f"  replay: {found['replay']}", markup=False)

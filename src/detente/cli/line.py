"""Commands of a line's health: what is declared of it beside what is observed, and its checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.output import clock_line, dtg, errors, out, show
from detente.node.outcome import EXIT_BAD_NEWS

app = typer.Typer(
    help="A line: declared beside observed, its checks; suspend, resume, fault.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]
Peer = Annotated[str, typer.Argument(metavar="PEER", help="The other party.")]
Scope = Annotated[str, typer.Option(help="all, ordinary or talk.")]
Reason = Annotated[str, typer.Option(help="Why, in plain words; the peer reads it.")]
Confirmed = Annotated[
    bool, typer.Option("--confirmed", help="Send it although the node asks about its words.")
]

_SLOTS = {"answered": "+", "late": "l", "waiting": "?", "missed": "X", "unsent": "-"}


def declared_text(row: dict[str, Any]) -> str:
    """What stands of a line, in words; each word is its party's own."""
    said = [
        f"{one['kind']} ({one['scope']}) by {one['by']} since {dtg(one['since'])}: {one['reason']}"
        for one in row["declarations"]
    ]
    return "; ".join(said) or "nothing"


def observed_text(row: dict[str, Any], *, running: bool = True) -> str:
    """What this node measures of a line, in words."""
    if not running:
        return "nothing: the node does not run"
    path = {"alternate": ", by the second address", "courier": ", last by courier"}
    return f"{row['observed']}{path.get(row['path'] or '', '')}"


def _show_line(row: dict[str, Any], *, running: bool) -> None:
    clock_line(row)
    out.print(f"line to {row['peer']}: {row['word']}", markup=False, style="bold")
    out.print(f"  declared: {declared_text(row)}", markup=False)
    for one in row["filed"]:
        out.print(
            f"  filed {dtg(one['filed'])}, not signed yet: {one['said']} ({one['scope']}): {one['reason']}",
            markup=False,
        )
    heard = f"heard {dtg(row['last_heard'])}" if row["last_heard"] else "not heard yet"
    failing = f", FAILING ({row['failing']})" if row["failing"] else ""
    observed = observed_text(row, running=running)
    out.print(f"  observed: {observed}; {heard}, {row['waiting']} waiting{failing}", markup=False)
    second = "set" if row["alternate"] else "none (alternates in config.toml)"
    out.print(f"  second address: {second}", markup=False)
    streak = "".join(_SLOTS[one["state"]] for one in row["streak"])
    after = f"; next {dtg(row['next_check'])}" if row["next_check"] else ""
    out.print(f"  checks: {streak or 'none yet'}{after}", markup=False)
    if streak:
        out.print(
            "          + answered, l late, ? waiting, X missed, - unsent; oldest first",
            markup=False,
        )
    for one in row["by_hand"][-3:]:
        took = f" in {one['took_s']:.1f} s" if one["took_s"] is not None else ""
        out.print(f"  by hand {dtg(one['slot'])}: {one['state']}{took}", markup=False)


def _show_answer(found: dict[str, Any], done: str) -> None:
    if not found["said"]:
        for one in found["questions"]:
            out.print(
                f"not sent: {one['word']!r} reads as {one['why']}; such a text belongs at the desk {one['desk']}",
                markup=False,
            )
        out.print("  to send it all the same, add --confirmed", markup=False)
        return
    waits = "" if found["signed"] else "; filed, and goes when the line is up"
    out.print(f"{done}{waits}", markup=False)


@app.command("show")
@errors
def show_line(directory: Dir, peer: Peer, as_json: Json = False) -> None:
    """Show a line; exits 1 when it is silent."""
    with Api(directory) as api:
        found = api.json("GET", f"/api/v1/line/{peer}")
        running = api.running
    show(found, as_json, lambda: _show_line(found, running=running))
    if running and found["observed"] == "silent":
        raise typer.Exit(EXIT_BAD_NEWS)


def _declare(
    directory: Path, peer: str, word: str, scope: str, reason: str, confirmed: bool, as_json: bool
) -> None:
    body = {"scope": scope, "reason": reason, "confirmed": confirmed}
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/line/{peer}/{word}", body=body)
    says = {"suspend": "suspended", "resume": "resumed", "fault": "at fault"}[word]
    show(found, as_json, lambda: _show_answer(found, f"line to {peer} declared {says} ({scope})"))
    if not found["said"]:
        raise typer.Exit(EXIT_BAD_NEWS)


@app.command()
@errors
def suspend(
    directory: Dir,
    peer: Peer,
    reason: Reason,
    scope: Scope = "all",
    confirmed: Confirmed = False,
    as_json: Json = False,
) -> None:
    """Declare a line suspended: nothing new that is ordinary goes; the safety chain stays open."""
    _declare(directory, peer, "suspend", scope, reason, confirmed, as_json)


@app.command()
@errors
def resume(
    directory: Dir,
    peer: Peer,
    reason: Reason,
    scope: Scope = "all",
    confirmed: Confirmed = False,
    as_json: Json = False,
) -> None:
    """Take back what this party declared of a line."""
    _declare(directory, peer, "resume", scope, reason, confirmed, as_json)


@app.command()
@errors
def fault(
    directory: Dir,
    peer: Peer,
    reason: Reason,
    scope: Scope = "all",
    confirmed: Confirmed = False,
    as_json: Json = False,
) -> None:
    """Declare a line at fault: it is meant to work, and does not."""
    _declare(directory, peer, "fault", scope, reason, confirmed, as_json)


@app.command()
@errors
def check(directory: Dir, peer: Peer, as_json: Json = False) -> None:
    """Check a line now; the other side's machine answers. See: detente line show."""
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/line/{peer}/check")
    show(found, as_json, lambda: _show_answer(found, f"check of the line to {peer} begun"))

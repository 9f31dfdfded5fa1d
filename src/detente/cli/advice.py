"""Commands of advice and proposals: what would clear a conflict, proposed, answered and done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.moves import own_first, say_moves, say_reason
from detente.cli.output import clock_line, dtg, errors, exercise_banner, out, show
from detente.node.outcome import EXIT_BAD_NEWS

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]
Conflict = Annotated[
    str, typer.Argument(metavar="CONFLICT", help="A conflict, or the first six figures of its id.")
]
Id = Annotated[
    str,
    typer.Argument(metavar="PROPOSAL", help="Its statement, or the first six figures of it."),
]
Option = Annotated[
    str, typer.Argument(metavar="OPTION", help="The key of an option: see `detente advice`.")
]
Precedence = Annotated[
    str,
    typer.Option(help="routine, priority, urgent or flash: by when the answer is due."),
]
Text = Annotated[str | None, typer.Option(help="More, in plain words.")]


@errors
def advice(directory: Dir, conflict: Conflict, as_json: Json = False) -> None:
    """Say what would clear a conflict: the smallest changes, as both parties compute them."""
    with Api(directory) as api:
        found = api.json("GET", f"/api/v1/conflicts/{conflict}/advice")

    def text() -> None:
        clock_line(found)
        shared, private = found["advice"], found["private"]
        out.print(
            f"CONFLICT {found['conflict'][:12]}  {'  x  '.join(shared['notices'])}",
            style="bold",
            markup=False,
        )
        out.print(say_reason(shared["reason"], len(shared["against"])), markup=False)
        blocked = {row["option"]: row["notices"] for row in private["in_the_way"]}
        near = {row["option"]: row["assets"] for row in private["near_own"]}
        for option in own_first(shared["options"], found["party"]):
            out.print(
                f"  {option['key']:<24} {say_moves(option['moves'], found['party'])}", markup=False
            )
            if option["key"] in blocked:
                out.print(
                    f"    only we see: meets {', '.join(blocked[option['key']])}", markup=False
                )
            if option["key"] in near:
                own = ", ".join(near[option["key"]])
                out.print(f"    only we see: comes near our {own}", markup=False)
            if option["key"] in private["too_late"]:
                out.print("    only we see: it would begin too early by our clock", markup=False)
        if private["options"]:
            out.print("  only we see: clear of third parties too would be", markup=False)
            for option in own_first(private["options"], found["party"]):
                out.print(f"    {say_moves(option['moves'], found['party'])}", markup=False)
        for row in found["proposals"]:
            _print(row)

    show(found, as_json, text)


@errors
def propose(
    directory: Dir,
    conflict: Conflict,
    option: Option,
    precedence: Precedence = "routine",
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Propose an option of the advice to the other party of a conflict."""
    body = {"option": option, "precedence": precedence, "text": text}
    _said(directory, f"conflicts/{conflict}/proposals", body, as_json)


@errors
def accept(
    directory: Dir,
    proposal: Id,
    amend: Annotated[
        bool,
        typer.Option(
            "--amend", help="Also file the amendment of our notice, if it is ours to move."
        ),
    ] = False,
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Accept a proposal; nothing moves by that: whoever is to move amends, here with --amend."""
    body = {"answer": "accept", "text": text}
    if not amend:
        _said(directory, f"proposals/{proposal}/answer", body, as_json)
        return
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/proposals/{proposal}/answer", body=body)
        ours = [
            row
            for row in found["proposals"]
            if row["id"].startswith(proposal) and row["ours_to_keep"]
        ]
        if ours:
            found["amendment"] = api.json("POST", f"/api/v1/proposals/{ours[0]['id']}/amendment")
            found["proposals"] = found["amendment"].pop("proposals")
    show(found, as_json, lambda: _print_said(found))


@errors
def decline(directory: Dir, proposal: Id, text: Text = None, as_json: Json = False) -> None:
    """Decline a proposal."""
    _said(directory, f"proposals/{proposal}/answer", {"answer": "decline", "text": text}, as_json)


@errors
def counter(
    directory: Dir,
    proposal: Id,
    option: Option,
    precedence: Precedence = "routine",
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Answer a proposal with another option."""
    body = {"answer": "counter", "option": option, "precedence": precedence, "text": text}
    _said(directory, f"proposals/{proposal}/answer", body, as_json)


@errors
def amend(directory: Dir, proposal: Id, as_json: Json = False) -> None:
    """File exactly the amendment of our notice that an accepted proposal describes."""
    _said(directory, f"proposals/{proposal}/amendment", None, as_json)


@errors
def proposals(directory: Dir, as_json: Json = False) -> None:
    """List proposals made and received; exits 1 while one to us is unanswered or one of ours to keep is not kept."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/proposals")

    def text() -> None:
        clock_line(found)
        if not found["proposals"]:
            out.print("none in this record")
        for row in found["proposals"]:
            _print(row)

    show(found, as_json, text)
    if any(row["ours_to_answer"] or row["ours_to_keep"] for row in found["proposals"]):
        raise typer.Exit(EXIT_BAD_NEWS)


def _said(directory: Path, path: str, body: dict[str, Any] | None, as_json: bool) -> None:
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/{path}", body=body)
    show(found, as_json, lambda: _print_said(found))


def _print_said(found: dict[str, Any]) -> None:
    clock_line(found)
    filed = found.get("amendment") or (found if "version" in found else None)
    if filed is not None:
        out.print(f"{filed['id']} version {filed['version']} filed", markup=False)
    for row in found["proposals"]:
        _print(row)


def _print(row: dict[str, Any]) -> None:
    waits = row["id"].startswith("waiting:")
    name = "waits for the line" if waits else row["id"][:12]
    out.print(
        f"{exercise_banner(row['exercise'])}PROPOSAL {name}  {row['party']} to {row['to']}  {row['state'].upper()}",
        markup=False,
        style="bold",
    )
    out.print(f"  {row['option']}: {say_moves(row['moves'], row['party'])}", markup=False)
    if row["text"]:
        out.print(f"  {row['text']}", markup=False)
    due = f", answer due {dtg(row['due'])}" if row["due"] and row["ours_to_answer"] else ""
    out.print(f"  said {dtg(row['said'])}{due}", markup=False)
    if row["answer_waits"]:
        out.print(f"  {row['answer_waits']} waits for the line", markup=False)
    if row["answer_text"]:
        out.print(f"  answered: {row['answer_text']}", markup=False)
    if row["ours_to_keep"]:
        until = f" by {dtg(row['kept_due'])}" if row["kept_due"] else ""
        out.print(
            f"  to be done by us{until}: detente amend-as-accepted DIR {row['id'][:12]}",
            markup=False,
        )

"""Commands of urgent matters: cease requests and emergencies, said, answered and listed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from detente.cli.client import Api
from detente.cli.output import clock_line, dtg, errors, exercise_banner, lead, out, show
from detente.node.outcome import EXIT_BAD_NEWS

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]
Id = Annotated[
    str, typer.Argument(metavar="ID", help="Its statement, or the first eight figures of it.")
]
To = Annotated[
    list[str] | None, typer.Option("--to", help="Recipient; repeat for more. Default: all parties.")
]
About = Annotated[
    str | None,
    typer.Option(help="A notice or a conflict that it belongs to (PARTY:NAME, or its id)."),
]
Text = Annotated[str | None, typer.Option(help="More, in plain words.")]
Exercise = Annotated[
    bool,
    typer.Option(help="This is an exercise. Default: as what it belongs to, or the agreement."),
]


class SaysFirst(TyperGroup):
    """A group whose first word may be a directory: then the command is `say`.

    A cease request is the one thing that must not need a second word.
    """

    first = "say"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `say` in front of what names no command of the group."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [self.first, *args]
        return super().parse_args(ctx, args)


ceases = typer.Typer(
    cls=SaysFirst,
    help="Ask other parties to cease, and answer them: detente cease DIR --reason WHY.",
    no_args_is_help=True,
)
emergencies = typer.Typer(
    cls=SaysFirst,
    help="Tell other parties of an emergency, and answer them: detente emergency DIR KIND.",
    no_args_is_help=True,
)


@ceases.command("say")
@errors
def say_cease(
    directory: Dir,
    reason: Annotated[str, typer.Option(help="Why, in plain words.")],
    to: To = None,
    place: Annotated[str | None, typer.Option(help="Where, in plain words or coordinates.")] = None,
    text: Text = None,
    about: About = None,
    exercise: Exercise = False,
    as_json: Json = False,
) -> None:
    """Ask other parties to cease, on the safety chain; the word `say` may be left out."""
    body = {
        "reason": reason,
        "to": to or [],
        "place": place,
        "text": text,
        "about": about,
        "exercise": exercise or None,
    }
    with Api(directory) as api:
        _said(api.json("POST", "/api/v1/ceases", body=body), as_json)


@ceases.command("reply")
@errors
def reply_to_cease(
    directory: Dir,
    statement: Id,
    reply: Annotated[str, typer.Argument(metavar="REPLY", help="ceasing, cannot or not-us.")],
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Answer a cease request."""
    _act(directory, f"ceases/{statement}/reply", {"reply": reply, "text": text}, as_json)


@ceases.command("effective")
@errors
def effective(
    directory: Dir,
    statement: Id,
    at: Annotated[str | None, typer.Option(help="Since when, RFC 3339 in Z. Default: now.")] = None,
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Say that what was asked to cease has ceased."""
    _act(directory, f"ceases/{statement}/effective", {"at": at, "text": text}, as_json)


@ceases.command("list")
@errors
def list_ceases(directory: Dir, as_json: Json = False) -> None:
    """List cease requests made and received; exits 1 while one to us is unanswered."""
    _list(directory, "cease", as_json)


@emergencies.command("say")
@errors
def say_emergency(
    directory: Dir,
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="distress, aircraft-down, hit, rescue-offer or other."),
    ],
    place: Annotated[
        str | None, typer.Option(help="Where, in any notation; left out where nobody knows.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="When, RFC 3339 in Z. Default: now.")] = None,
    text: Text = None,
    to: To = None,
    about: About = None,
    exercise: Exercise = False,
    as_json: Json = False,
) -> None:
    """Tell other parties of an emergency, on the safety chain; the word `say` may be left out."""
    body = {
        "kind": kind,
        "place": place,
        "at": at,
        "text": text,
        "to": to or [],
        "about": about,
        "exercise": exercise or None,
    }
    with Api(directory) as api:
        _said(api.json("POST", "/api/v1/emergencies", body=body), as_json)


@emergencies.command("reply")
@errors
def reply_to_emergency(
    directory: Dir,
    statement: Id,
    reply: Annotated[
        str, typer.Argument(metavar="REPLY", help="heard, assisting, cannot or not-us.")
    ],
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Answer an emergency; more may be said later."""
    _act(directory, f"emergencies/{statement}/reply", {"reply": reply, "text": text}, as_json)


@emergencies.command("list")
@errors
def list_emergencies(directory: Dir, as_json: Json = False) -> None:
    """List emergencies said and received; exits 1 while one to us is unanswered."""
    _list(directory, "emergency", as_json)


def _act(directory: Path, path: str, body: dict[str, Any], as_json: bool) -> None:
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/{path}", body=body)

    def text() -> None:
        clock_line(found)
        out.print("said" if found["signed"] else "kept; said when the line is up")
        _print(found["urgent"])

    show(found, as_json, text)


def _said(found: dict[str, Any], as_json: bool) -> None:
    def text() -> None:
        clock_line(found)
        out.print(
            f"said to {', '.join(found['signed']) or 'nobody yet: every line is down'}",
            markup=False,
        )
        for row in found["rows"]:
            _print(row)

    show(found, as_json, text)


def _list(directory: Path, kind: str, as_json: bool) -> None:
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/urgent")
        party = api.home.config.party
    found["urgent"] = [row for row in found["urgent"] if row["kind"] == kind]

    def text() -> None:
        clock_line(found)
        if not found["urgent"]:
            out.print("none in this record")
        for row in found["urgent"]:
            _print(row)

    show(found, as_json, text)
    if any(row["open"] and row["to"] == party for row in found["urgent"]):
        raise typer.Exit(EXIT_BAD_NEWS)


def _print(row: dict[str, Any]) -> None:
    waits = row["id"].startswith("waiting:")
    name = "waits for the line" if waits else row["id"][:12]
    out.print(
        f"{exercise_banner(row['exercise'])}{row['kind'].upper()} {name}  {row['party']} to {row['to']}  {row['status'].upper()}",
        markup=False,
        style="bold",
    )
    place = row["place"]
    words = [
        row["reason"] or row["emergency"],
        row["place_words"] or (f"{place['lat']:.5f}, {place['lon']:.5f}" if place else None),
        row["text"],
    ]
    out.print(f"  {' · '.join(one for one in words if one)}", markup=False)
    received = f", received {dtg(row['received'])}" if row["received"] else ""
    out.print(f"  asked {dtg(row['asked'])}{received}", markup=False)
    if row["step"]:
        out.print(f"  moved up: step {row['step']}, {row['desk']}", markup=False)
    if row["next_step"]:
        step = row["next_step"]
        out.print(f"  next step {dtg(step['at'])}: {step['desk']}", markup=False)
    for one in row["replies"]:
        since = f" since {dtg(one['at'])}" if one["at"] else ""
        said = f": {one['text']}" if one["text"] else ""
        out.print(f"  {dtg(one['time'])} {one['desk']}: {one['move']}{since}{said}", markup=False)
    for move in row["replies_waiting"]:
        out.print(f"  {move} waits for the line", markup=False)
    for label, took_s in (("first reply", "first_reply_s"), ("effective", "effective_s")):
        if row[took_s] is not None:
            out.print(f"  {label} after {lead(row[took_s])}", markup=False)

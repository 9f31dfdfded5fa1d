"""Commands of the desks: who is on, and the handover of the watch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.output import clock_line, dtg, errors, out, print_table, show, table

app = typer.Typer(help="Which desks are manned, when and in which languages.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]


def _show_board(found: dict[str, Any]) -> None:
    clock_line(found)
    out.print(f"desks, lowest first: {', '.join(found['desks']) or 'none agreed'}", markup=False)
    if not found["watches"]:
        out.print("no watch is told of; say one: detente roster say DIR DESK", markup=False)
    else:
        rows = table("PARTY", "DESK", "LANGUAGES", "FROM", "UNTIL", "")
        for one in found["watches"]:
            on = "on" if one["on"] else "to come"
            rows.add_row(
                *(one["party"], one["desk"], " ".join(one["languages"])),
                *(dtg(one["from"]), dtg(one["until"]), on),
            )
        print_table(rows)
    for one in found["handovers"]:
        tested = "sound tested" if one["sound_tested"] else "sound NOT tested"
        notes = f": {one['notes']}" if one["notes"] else ""
        out.print(
            f"  {dtg(one['time'])} {one['from']} to {one['to']} at {one['desk']}, {tested}{notes}",
            markup=False,
        )


@app.command("show")
@errors
def show_roster(directory: Dir, as_json: Json = False) -> None:
    """Show desks, watches that are on or to come, and handovers of late."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/roster")
    show(found, as_json, lambda: _show_board(found))


@app.command()
@errors
def say(
    directory: Dir,
    desk: Annotated[str, typer.Argument(metavar="DESK", help="The desk that is manned.")],
    from_: Annotated[str, typer.Option("--from", help="RFC 3339 in Z.")],
    until: Annotated[str, typer.Option(help="RFC 3339 in Z, within a month of --from.")],
    language: Annotated[
        list[str], typer.Option(help="Spoken there, such as en or ru; repeat for more.")
    ],
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Recipient; repeat for more. Default: all parties."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell others when a desk of ours is manned; no person is named."""
    body = {"desk": desk, "languages": language, "from": from_, "until": until, "to": to or []}
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/roster", body=body)
    signed = ", ".join(found["signed"])
    said = f"said to {signed}" if signed else "filed, and goes when a line is up"
    show(found, as_json, lambda: out.print(f"{desk}: {said}", markup=False))


@errors
def handover(
    directory: Dir,
    to: Annotated[str, typer.Option(help="The operator who takes the watch.")],
    sound_tested: Annotated[
        bool,
        typer.Option(
            "--sound-tested/--sound-not-tested",
            prompt="Was the alarm played on the console, and heard?",
            help="Whether the alarm was played on the console, and heard; asked where it is not given.",
        ),
    ],
    notes: Annotated[str, typer.Option(help="What the next watch must know.")] = "",
    as_json: Json = False,
) -> None:
    """Hand the watch to another officer: an entry of this record, which no peer is told of."""
    body = {"to": to, "sound_tested": sound_tested, "notes": notes}
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/handover", body=body)
    newest = found["handovers"][0]

    def text() -> None:
        out.print(f"the watch at {newest['desk']} is {newest['to']}'s", markup=False)
        if not newest["sound_tested"]:
            out.print(
                "  the sound was not tested: do it at the console, before anything is needed",
                markup=False,
            )

    show(found, as_json, text)

"""Commands about own assets: a private list, beside own notices in "who must move"."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from detente.cli.client import Api
from detente.cli.output import errors, lead, out, print_table, show, table
from detente.units import TENTH_MM_PER_NM

app = typer.Typer(
    help="Own assets: where, and how long they need to move. Told to nobody.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called here.")]


def _print(found: dict[str, Any]) -> None:
    if not found["assets"]:
        out.print("no assets are noted")
        return
    rows = table("NAME", "KIND", "LAT", "LON", "RADIUS", "NEEDS")
    for one in found["assets"]:
        rows.add_row(
            one["name"],
            one["kind"],
            f"{one['lat'] / 1e9:.5f}",
            f"{one['lon'] / 1e9:.5f}",
            f"{one['radius_tenth_mm'] / TENTH_MM_PER_NM:.1f} NM",
            lead(one["needs_s"]),
        )
    print_table(rows)


@app.command("list")
@errors
def list_command(directory: Dir, as_json: Json = False) -> None:
    """List own assets."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/assets")
    show(found, as_json, lambda: _print(found))


@app.command()
@errors
def add(
    directory: Dir,
    name: Name,
    at: Annotated[str, typer.Option(help="Position in any notation, with a radius or without.")],
    needs_s: Annotated[int, typer.Option(help="Seconds that it needs to be gone.")],
    kind: Annotated[str, typer.Option(help="What it is, in your words.")] = "asset",
    as_json: Json = False,
) -> None:
    """Note an own asset, or note it anew under its name."""
    with Api(directory) as api:
        body = {"name": name, "kind": kind, "place": at, "needs_s": needs_s}
        found = api.json("POST", "/api/v1/assets", body=body)
    show(found, as_json, lambda: _print(found))


@app.command()
@errors
def remove(directory: Dir, name: Name, as_json: Json = False) -> None:
    """Take an own asset off the list."""
    with Api(directory) as api:
        found = api.json("DELETE", f"/api/v1/assets/{quote(name, safe='')}")
    show(found, as_json, lambda: _print(found))

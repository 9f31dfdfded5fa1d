"""The command that says who must move."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.output import errors, exercise_banner, lead, out, print_table, show, table, when
from detente.node.outcome import EXIT_BAD_NEWS


@errors
def clearance(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")],
    notice: Annotated[str, typer.Argument(metavar="ID", help="A notice of another party.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Say which own notices must move for a peer's notice; exits 1 if there is not time enough."""
    with Api(directory) as api:
        found = api.json("GET", f"/api/v1/notices/{notice}/clearance")
    third = found["third_party"]
    rows = [*found["rows"], *(third["rows"] if third else [])]

    rows += found["assets"]

    def text() -> None:
        out.print(
            f"{exercise_banner(found['exercise'])}{found['notice']} version {found['version']}, {found['activity']}, "
            f"from {when(found['start'])}: lead time left {lead(found['lead_s'])}",
            markup=False,
            style="bold",
        )
        out.print(
            f"  taken at {found['speed_kt']:g} kt, to {found['margin_nm']:g} NM outside the volume; this stays in this node",
            markup=False,
        )
        if not found["rows"]:
            out.print("  every notice of ours is clear of it", markup=False)
        _print_rows(found["rows"])
        if third:
            out.print(
                f"  THIRD PARTY: {third['activity']} may draw somebody's fire; within {third['margin_nm']:g} NM of it:",
                markup=False,
                style="bold",
            )
            if not third["rows"]:
                out.print("  no notice of ours", markup=False)
            _print_rows(third["rows"])
        for one in found["assets"]:
            apart = "distance not told" if one["apart_nm"] is None else f"{one['apart_nm']:g} NM"
            out.print(
                f"  own {one['kind']} {one['name']}: {apart}, needs {lead(one['needs_s'])}, has {lead(one['lead_s'])}"
                + ("" if one["can"] else "  CANNOT CLEAR"),
                markup=False,
            )

    show(found, as_json, text)
    if not all(row["can"] for row in rows):
        raise typer.Exit(EXIT_BAD_NEWS)


def _print_rows(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    found = table("OWN NOTICE", "APART", "TO GO", "WAY OUT", "NEEDS", "HAS", "")
    for row in rows:
        found.add_row(
            row["notice"],
            f"{row['apart_nm']:g} NM",
            f"{row['to_clear_nm']:g} NM",
            f"{row['bearing_deg']:03d}°",
            lead(row["needs_s"]),
            lead(row["lead_s"]),
            "" if row["can"] else "CANNOT CLEAR",
        )
    print_table(found)

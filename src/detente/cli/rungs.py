"""Commands that climb the ladder of a peer's notice: read it back, pass it down, act on it; and the ladder as text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.output import clock_line, dtg, errors, out, show
from detente.errors import UsageError, shown
from detente.node.outcome import EXIT_BAD_NEWS

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A notice of another party.")]

# how a rung is said in a column; words for the eye, codes are in --json
_WORDS = {"read-back": "read back", "acted": "acted on"}


def ladder_lines(row: dict[str, Any]) -> list[str]:
    """The ladder of one recipient, a line for each rung."""
    lines = [f"{row['party']}, version {row['version']}:"]
    for rung in row["rungs"]:
        said = [dtg(rung["at"])] if rung["at"] else []
        if rung["due"] and rung["state"] != "done":
            said.append(f"due {dtg(rung['due'])}")
        text = ", ".join([*said, *_said(rung)])
        name = _WORDS.get(rung["rung"], rung["rung"])
        lines.append(f"  {name:<12}  {rung['state'].upper():<8} {text}".rstrip())
    return lines


def _said(rung: dict[str, Any]) -> list[str]:
    values = rung["values"]
    said = []
    if "place_m" in values:
        said.append("agrees" if values["agrees"] else f"DIFFERS: {_difference(values)}")
    elif "units" in values:
        said.append(f"{values['acknowledged']} of {values['units']} units acknowledged")
    elif "action" in values:
        said.append(values["action"])
    return said if rung["note"] in (None, "differs") else [*said, rung["note"]]


def _difference(values: dict[str, Any]) -> str:
    radius = values["radius_m"]
    return (
        f"place {values['place_m']:,} m off, {values['middle_m']:,} m from the middle"
        + (f", radius {radius:+,} m" if radius is not None else "")
        + f", from {values['from_min']:+d} min, until {values['until_min']:+d} min"
    )


def _show(found: dict[str, Any], as_json: bool) -> None:
    def text() -> None:
        clock_line(found)
        state = "said" if found["signed"] else "kept; said when the line is up"
        out.print(f"{found['id']} version {found['version']}: {state}", markup=False)
        comparison = found["comparison"]
        if comparison is not None:
            words = "agrees" if comparison["agrees"] else f"DIFFERS: {_difference(comparison)}"
            bold = None if comparison["agrees"] else "bold"
            out.print(f"  read back {words}", markup=False, style=bold)
        for row in found["ladder"]:
            for line in ladder_lines(row):
                out.print(f"  {line}", markup=False)

    show(found, as_json, text)
    if found["comparison"] is not None and not found["comparison"]["agrees"]:
        raise typer.Exit(EXIT_BAD_NEWS)


@errors
def read_back(
    directory: Dir,
    notice: Id,
    place: Annotated[
        str, typer.Option(help="The place in your own figures, such as '352341N 0355655E 5NM'.")
    ],
    from_: Annotated[str, typer.Option("--from", help="Its start, RFC 3339 in Z.")],
    until: Annotated[str, typer.Option(help="Its end, RFC 3339 in Z.")],
    words: Annotated[str | None, typer.Option(help="The same in your own words.")] = None,
    as_json: Json = False,
) -> None:
    """Say place and time of a notice back to its sender; exits 1 if they differ from what it says."""
    body = {"place": place, "from": from_, "until": until, "words": words}
    with Api(directory) as api:
        _show(api.json("POST", f"/api/v1/notices/{notice}/read-back", body=body), as_json)


@errors
def disseminated(
    directory: Dir,
    notice: Id,
    unit: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[=TIME]",
            help="A unit that is told now, or that acknowledged at TIME; repeat for more.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Say which units have been told of a notice, and which said that they know."""
    with Api(directory) as api:
        units = [_unit(one, api) for one in unit]
        found = api.json("POST", f"/api/v1/notices/{notice}/disseminated", body={"units": units})
    _show(found, as_json)


def _unit(text: str, api: Api) -> dict[str, str | None]:
    name, equals, time = text.partition("=")
    if not name or (equals and not time):
        raise UsageError(
            "unit-malformed",
            f"unit is {shown(text)}; it must be NAME, or NAME=TIME with TIME as RFC 3339 in Z",
            field="--unit",
        )
    if equals:
        return {"unit": name, "told": None, "acknowledged": time}
    now: str = api.json("GET", "/api/v1/status")["now"]  # by the node's clock, not this terminal's
    return {"unit": name, "told": now, "acknowledged": None}


@errors
def acted(
    directory: Dir,
    notice: Id,
    action: Annotated[
        str,
        typer.Argument(metavar="ACTION", help="noted, kept-clear, moved, ceased or cannot."),
    ],
    at: Annotated[str | None, typer.Option(help="When; default: now.")] = None,
    text: Annotated[str | None, typer.Option(help="More, in plain words.")] = None,
    as_json: Json = False,
) -> None:
    """Say what was done about a notice, once every unit that was told has acknowledged."""
    body = {"action": action, "at": at, "text": text}
    with Api(directory) as api:
        _show(api.json("POST", f"/api/v1/notices/{notice}/acted", body=body), as_json)

"""Commands of the courier: frames as files, where no wire goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.output import errors, out, show
from detente.errors import UsageError
from detente.limits import FRAME_BYTES

app = typer.Typer(
    help="Carry statements to a peer by file, where no line goes; both nodes must run.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]


def _state(found: dict[str, Any]) -> None:
    if found["unsigned"]:
        out.print(
            f"  {found['unsigned']} unsigned: the nodes have not met since they started; the answer to this file lets them be signed",
            markup=False,
        )


@app.command()
@errors
def write(
    directory: Dir,
    peer: Annotated[str, typer.Argument(metavar="PEER")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The file to carry.")
    ],
    as_json: Json = False,
) -> None:
    """Write what a peer has not got as a file: cease requests and what else is urgent first."""
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/courier/{peer}")
    output.write_text(found.pop("frame"), "utf-8")
    found["file"] = str(output)

    def text() -> None:
        out.print(f"{output}: {found['statements']} statements for {peer}", markup=False)
        _state(found)
        out.print(f"  there: detente courier take DIR {output.name} -o ANSWER", markup=False)

    show(found, as_json, text)


@app.command()
@errors
def take(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that a peer's node wrote.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="ANSWER", help="The file to carry back."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take a file that was brought, and write the answer to carry back."""
    if file.stat().st_size > FRAME_BYTES:
        raise UsageError(
            "file-too-large",
            f"FILE is {file.stat().st_size} bytes; it must be at most {FRAME_BYTES}",
            field="FILE",
        )
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/courier", content=file.read_bytes())
    frame = found.pop("frame")
    if output is not None:
        output.write_text(frame, "utf-8")
    found["file"] = str(output) if output is not None else None

    def text() -> None:
        out.print(
            f"from {found['peer']}: {found['taken']} new, {found['duplicates']} here already, {found['not_taken']} not taken",
            markup=False,
        )
        _state(found)
        if not found["carry"]:
            out.print("  nothing need be carried back", markup=False)
        elif output is not None:
            out.print(f"  carry back {output}: {found['statements']} statements", markup=False)
        else:
            out.print(
                f"  an answer is due: detente courier write DIR {found['peer']} -o ANSWER",
                markup=False,
            )

    show(found, as_json, text)

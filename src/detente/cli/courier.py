"""Commands of the courier: frames as files, where no wire goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.output import errors, out, show
from detente.errors import DetenteError, UnavailableError, UsageError
from detente.limits import FRAME_BYTES

app = typer.Typer(
    help="Carry statements to a peer by file, where no line goes.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]


def _taken(found: dict[str, Any]) -> None:
    """What came of a file that was brought, and how the line stands."""
    out.print(
        f"from {found['peer']}: {found['taken']} new, {found['duplicates']} here already, {found['not_taken']} not taken",
        markup=False,
    )
    _state(found)


def _state(found: dict[str, Any]) -> None:
    if found["unsigned"]:
        out.print(
            f"  {found['unsigned']} unsigned: the nodes have not met in their present runs; the answer to this file lets them be signed",
            markup=False,
        )


def _only_peer(api: Api) -> str:
    """The peer, where there is one only.

    Raises:
        UsageError: ``peer-missing``.
    """
    peers = [row["peer"] for row in api.json("GET", "/api/v1/status")["lines"]]
    if len(peers) != 1:
        raise UsageError(
            "peer-missing",
            f"there are {len(peers)} peers ({', '.join(peers)}); it must be said for which one",
            hint="add: --peer PARTY",
            field="--peer",
        )
    return str(peers[0])


def _save(first: Path, frames: list[str]) -> list[str]:
    """FILE, FILE.2, FILE.3 …: each whole or not at all, so that a full medium leaves no half of one."""
    names = []
    for number, frame in enumerate(frames, 1):
        path = first if number == 1 else first.with_name(f"{first.name}.{number}")
        part = path.with_name(path.name + ".part")
        try:
            part.write_text(frame, "utf-8")
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UnavailableError(
                "medium-full",
                f"{str(path)!r} cannot be written: {error.strerror}; what is not carried stays here",
                hint="use a medium with room, and export again",
            ) from None
        names.append(str(path))
    return names


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > FRAME_BYTES:
            raise UsageError(
                "file-too-large",
                f"{str(file)!r} is {file.stat().st_size} bytes; it must be at most {FRAME_BYTES}",
                field="FILE",
            )
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            "file-unreadable",
            f"{str(file)!r} cannot be read: {error.strerror}; it must be a file that a peer's node wrote",
            hint="copy it again from the medium, or ask for it again: nothing is lost meanwhile",
            field="FILE",
        ) from None


@app.command("export")
@errors
def export(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to carry.")],
    peer: Annotated[
        str | None, typer.Option(metavar="PARTY", help="For whom; needed where there are several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write what a peer has not got as a file, as several where it is too much for one; the node may be stopped."""
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/courier/{peer or _only_peer(api)}")
        found["files"] = _save(file, [found.pop("frame"), *found.pop("more")])

    def text() -> None:
        for name in found["files"]:
            out.print(f"{name} for {found['peer']}", markup=False)
        _state(found)
        out.print(f"  there: detente courier import DIR {file.name}* -o ANSWER", markup=False)

    show(found, as_json, text)


@app.command("import")
@errors
def import_(
    directory: Dir,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files that a peer's node wrote.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="ANSWER", help="The file to carry back."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take files that were brought, in whatever order and however often; the node may be stopped.

    A file that is cut off or changed is named and counts for nothing; the others are taken all the same.
    """
    total = {"taken": 0, "duplicates": 0}
    failed: dict[Path, DetenteError] = {}
    found: dict[str, Any] = {}
    with Api(directory) as api:
        left = list(dict.fromkeys(files))
        while left:
            before, again = total["taken"], []
            for file in left:
                try:
                    found = api.json("POST", "/api/v1/courier", content=_read(file))
                except DetenteError as error:
                    failed[file] = error
                    continue
                total["taken"] += found["taken"]
                total["duplicates"] += found["duplicates"]
                again.append(file)
            # what came before its predecessor is taken in the next turn, as long as any is new
            left = again if len(again) > 1 and total["taken"] > before else []
    answers = [found.pop("frame"), *found.pop("more")] if found else []
    found |= total
    found["files"] = _save(output, answers) if output is not None and answers else []
    found["failed"] = {str(file): error.code for file, error in failed.items()}

    def text() -> None:
        if answers:
            _taken(found)
            if not found["carry"]:
                out.print("  nothing need be carried back", markup=False)
            for name in found["files"]:
                out.print(f"  carry back {name}", markup=False)
            if found["carry"] and output is None:
                out.print("  an answer is due: detente courier export DIR ANSWER", markup=False)
        for file, error in failed.items():
            out.print(f"  {file}: {error}", markup=False)

    if answers:
        show(found, as_json, text)
    if failed:
        raise next(iter(failed.values()))

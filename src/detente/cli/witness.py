"""Commands of a witness that stands alone: it cosigns logs that it was told of, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detente.cli.output import err, errors, out, show

app = typer.Typer(
    help="A witness that stands alone: it cosigns the logs it was told of.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A witness's directory.")]


@app.command()
@errors
def init(
    directory: Dir,
    name: Annotated[str, typer.Option(help="Its name in notes, such as witness.example/w1.")],
    as_json: Json = False,
) -> None:
    """Make a witness: its keys, and a list of logs to fill in."""
    from detente.node.lonewitness import LOGS, init_witness

    init_witness(directory, name)
    found = {"name": name, "logs": str(directory / LOGS)}
    show(
        found,
        as_json,
        lambda: out.print(f"{name} is ready; put its logs into {found['logs']}", markup=False),
    )


@app.command()
@errors
def serve(
    directory: Dir,
    listen: Annotated[str, typer.Option(help="HOST:PORT to answer at.")] = "127.0.0.1:4790",
) -> None:
    """Answer logs and monitors until Ctrl-C."""
    from detente.node.lonewitness import LoneWitness, serve_witness

    witness = LoneWitness(directory)
    try:
        text = f"{witness.name} cosigns {len(witness.logs)} logs at http://{listen}/witness; Ctrl-C ends it"
        err.print(text, markup=False)
        serve_witness(witness, listen)
    finally:
        witness.close()


@app.command("show")
@errors
def show_command(directory: Dir, as_json: Json = False) -> None:
    """Show its keys for others' policies, how far it has cosigned each log, and what did not fit; 1 if anything did not."""
    from detente.node.lonewitness import LoneWitness

    witness = LoneWitness(directory)
    heads = witness.heads()
    refused = witness.refused()
    found = {"name": witness.name, "vkeys": witness.vkeys, "logs": heads, "refused": refused}
    witness.close()

    def text() -> None:
        for vkey in witness.vkeys:
            out.print(vkey, markup=False, soft_wrap=True)
        for origin, size in sorted(heads.items()):
            out.print(f"{origin}: {size} entries", markup=False)
        for origin in sorted(refused):
            words = f"{origin}: REFUSED a head, signed by the log, that was not shown to extend the one before; both with --json"
            out.print(words, markup=False)

    show(found, as_json, text)
    if refused:
        raise typer.Exit(1)

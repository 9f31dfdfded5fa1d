"""The command line: arguments in, text out. Every command speaks to the node's API (see `client`)."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from detente import __version__
from detente.cli import (
    advice,
    agree,
    assets,
    clearance,
    courier,
    keys,
    ledger,
    line,
    notice,
    operate,
    play,
    record,
    roster,
    rungs,
    simulate,
    talk,
    tracks,
    urgent,
    witness,
)
from detente.cli.output import err, errors, out, show
from detente.node.outcome import EXIT_UNAVAILABLE

app = typer.Typer(
    name="detente",
    help="The deconfliction channel for parties who share a sky and do not trust each other. "
    "Exit codes: 0 done or clear, 1 bad news, 2 usage, 3 cannot tell, 4 unavailable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(agree.app, name="agree", rich_help_panel="Set up")
notice.app.command("read-back")(rungs.read_back)
notice.app.command("disseminated")(rungs.disseminated)
notice.app.command("acted")(rungs.acted)
notice.app.command("clearance")(clearance.clearance)
app.add_typer(notice.app, name="notice", rich_help_panel="Every day")
app.add_typer(talk.app, name="talk", rich_help_panel="Every day")
app.add_typer(line.app, name="line", rich_help_panel="Every day")
app.add_typer(roster.app, name="roster", rich_help_panel="Every day")
app.add_typer(assets.app, name="assets", rich_help_panel="Every day")
app.add_typer(courier.app, name="courier", rich_help_panel="Operations")
app.add_typer(urgent.ceases, name="cease", rich_help_panel="Every day")
app.add_typer(urgent.emergencies, name="emergency", rich_help_panel="Every day")
app.add_typer(operate.operators, name="operator", rich_help_panel="Operations")
app.add_typer(witness.app, name="witness", rich_help_panel="Operations")
app.add_typer(ledger.app, name="ledger", rich_help_panel="The record")
app.add_typer(keys.app, name="keys", rich_help_panel="Operations")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Take the options that stand before a command."""
    if version:
        print(f"detente {__version__}")
        raise typer.Exit(0)


@app.command(rich_help_panel="Set up")
@errors
def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new directory for this party's node.")
    ],
    party: Annotated[str, typer.Option(help="Party id: a-z, 0-9 and '-'.")],
    name: Annotated[str, typer.Option(help="Name for people.")],
    role: Annotated[str, typer.Option(help="party, neutral or organisation.")] = "party",
    listen: Annotated[
        str, typer.Option(help="HOST:PORT where peers reach this node.")
    ] = "127.0.0.1:4710",
    api: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of the operators' API; default: loopback, next port."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="https://HOST:PORT under which others reach --listen; default: the same."
        ),
    ] = None,
    valid_from: Annotated[
        str | None,
        typer.Option(
            help="From when the keys count (RFC 3339); for exercises on a declared clock."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a party: keys, card.json for the other side, settings, an empty record."""
    from detente.agreement.card import fingerprint
    from detente.node.home import init_home
    from detente.units import parse_time

    start_us = parse_time(valid_from, field="--valid-from") if valid_from else None
    home = init_home(
        directory,
        party=party,
        name=name,
        role=role,
        listen=listen,
        api=api,
        address=address,
        valid_from_us=start_us,
    )
    card = home.card()
    found = {
        "party": party,
        "card": str(directory / "card.json"),
        "fingerprint": fingerprint(card.root),
        "address": card.address,
    }

    def text() -> None:
        out.print(f"{party} is ready in {directory}", markup=False)
        out.print(f"  give to the other side:  {directory / 'card.json'}", markup=False)
        out.print(f"  compare by voice:        {found['fingerprint']}", markup=False)
        out.print(
            "  keep offline:            keys/root.seed (needed only to sign agreements and certify keys)",
            markup=False,
        )

    show(found, as_json, text)


@app.command(rich_help_panel="Set up")
@errors
def serve(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")],
) -> None:
    """Run the node until Ctrl-C."""
    from detente.node.home import Home
    from detente.node.server import serve as run

    home = Home(directory)
    config = home.config

    def ready() -> None:
        err.print(
            f"{config.party} serves peers on {config.listen}, operators on {config.api}; Ctrl-C ends it",
            markup=False,
        )

    run(home, ready)


app.command(rich_help_panel="Every day")(notice.receipts)
app.command(rich_help_panel="Every day")(notice.conflicts)
app.command(rich_help_panel="Every day")(advice.advice)
app.command(rich_help_panel="Every day")(advice.propose)
app.command(rich_help_panel="Every day")(advice.accept)
app.command(rich_help_panel="Every day")(advice.decline)
app.command(rich_help_panel="Every day")(advice.counter)
app.command("amend-as-accepted", rich_help_panel="Every day")(advice.amend)
app.command(rich_help_panel="Every day")(advice.proposals)
app.command(rich_help_panel="Every day")(talk.phrasebook)
app.command(rich_help_panel="Every day")(roster.handover)
app.command(rich_help_panel="Every day")(notice.check)
app.command(rich_help_panel="Every day")(tracks.scan)
app.command(rich_help_panel="Every day")(notice.read)
app.command(rich_help_panel="The record")(record.ask)
app.command(rich_help_panel="The record")(record.prove)
app.command("prove-absence", rich_help_panel="The record")(record.prove_absence)
app.command(rich_help_panel="The record")(record.evidence)
app.command(rich_help_panel="The record")(record.disclose)
app.command(rich_help_panel="The record")(record.destroy)
app.command(rich_help_panel="The record")(record.verify)
app.command(rich_help_panel="The record")(ledger.rebuild)
app.command(rich_help_panel="The record")(ledger.backup)
app.command(rich_help_panel="The record")(ledger.restore)
app.command(rich_help_panel="The record")(ledger.recover)
app.command(rich_help_panel="Operations")(operate.doctor)
app.command(rich_help_panel="Operations")(operate.status)
app.command(rich_help_panel="Try it")(play.demo)
app.command(rich_help_panel="Try it")(simulate.simulate)
app.command(rich_help_panel="Try it")(play.bench)


def main() -> None:
    """Entry point of the `detente` program."""
    # a terminal that cannot show Arabic or Hebrew must not end a command
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    os.umask(0o077)  # whatever a node writes is for its owner
    try:
        app()
    except Exception:  # Python would end with 1, and 1 is an answer: a conflict, a proof that fails
        traceback.print_exc()
        print(
            "detente: this is a fault of the program; it gave no answer",
            file=sys.stderr,
            flush=True,
        )
        sys.exit(EXIT_UNAVAILABLE)


if __name__ == "__main__":
    main()

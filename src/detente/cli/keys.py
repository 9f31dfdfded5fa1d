"""Commands about keys: list, rotate, revoke."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.agreement.revocation import REASONS, issue_revocation
from detente.cli.client import Api
from detente.cli.output import dtg, errors, out, print_table, show, table
from detente.errors import DetenteError, UsageError
from detente.node import rotation
from detente.node.home import Home, check_address, read_json, write_json
from detente.units import format_time, parse_time

app = typer.Typer(help="List, rotate and revoke this party's keys.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]


@app.command("list")
@errors
def list_command(directory: Dir, as_json: Json = False) -> None:
    """List this party's certified keys: which are in use, which wait to be, which are revoked."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/status")
    keys = found["keys"]
    waits = {}
    for use in rotation.SEED_BYTES:
        next_key = rotation.waiting(Home(directory), use)
        if next_key is not None:
            waits[next_key["key"]] = next_key["from"]
    for row in keys:
        row["used_from"] = waits.get(row["key"])

    def state(row: dict[str, Any]) -> str:
        if row["revoked"]:
            return f"{row['revoked']['reason']} since {dtg(row['revoked']['since'])}"
        if row["used_from"]:
            return f"from {dtg(row['used_from'])}"
        return "in use" if row["in_use"] else "before"

    def text() -> None:
        rows = table("USE", "KEY", "NO", "FROM", "UNTIL", "STATE")
        for row in keys:
            rows.add_row(
                row["use"],
                row["key"],
                str(row["serial"]),
                dtg(row["valid_from"]),
                dtg(row["valid_until"]),
                state(row),
            )
        print_table(rows)

    show({"keys": keys}, as_json, text)


@app.command()
@errors
def revoke(
    directory: Dir,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key id; see keys list.")],
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(REASONS)}.")],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="From when it counts no longer; of a compromise, the last time at which it was surely yours alone. Default: now.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Revoke a key under the root and tell the peers; nobody's consent is needed."""
    home = Home(directory)
    with Api(directory) as api:
        status = api.json("GET", "/api/v1/status")
        now_us = parse_time(status["now"])
        since_us = now_us if since is None else parse_time(since, field="--since")
        if since_us > now_us:
            raise UsageError(
                "since-future",
                f"since is {since}; it must not be in the future",
                hint="to replace a key later, use: detente keys rotate DIR --from TIME",
                field="--since",
            )
        if any(row["key"] == key and row["in_use"] for row in status["keys"]):
            raise UsageError(
                "key-in-use",
                f"key {key} is in use; another must be in use before it is revoked",
                hint="run: detente keys rotate DIR --use USE, then this again",
                field="KEY",
            )
        document = issue_revocation(
            home.root_signer(),
            party=home.config.party,
            key_id=key,
            revoked_at_us=since_us,
            reason=reason,
        )
        found = api.json(
            "POST", "/api/v1/policy", body={"type": "policy/key-revocation", "document": document}
        )
    show(
        {
            "revoked": key,
            "reason": reason,
            "since": format_time(since_us),
            "told": found["signed"],
        },
        as_json,
        lambda: out.print(
            f"revoked {key}; told {', '.join(found['signed']) or 'nobody yet'}", markup=False
        ),
    )


@app.command()
@errors
def rotate(
    directory: Dir,
    use: Annotated[
        str, typer.Option(help="What the key is for: signing, sealing or transport.")
    ] = "signing",
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From when it is used. Default: now."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make and certify a new key, tell all, and use it from a time on; the node may run.

    The key before it goes on counting until its certificate ends, so that nothing under way is lost.
    """
    home = Home(directory)
    checked = rotation.check_use(use)
    with Api(directory) as api:
        status = api.json("GET", "/api/v1/status")
        now_us = parse_time(status["now"])
        from_us = now_us if from_ is None else max(now_us, parse_time(from_, field="--from"))
        serials = [row["serial"] for row in status["keys"] if row["use"] == checked]
        if not serials:
            raise UsageError("no-agreement", "there is no agreement in force; accept one first")
        certificate = rotation.prepare(home, checked, max(serials) + 1, from_us)
        try:
            told = api.json(
                "POST",
                "/api/v1/policy",
                body={"type": "policy/key-certificate", "document": certificate},
            )["signed"]
        except DetenteError:
            rotation.forget(home, checked)
            raise
        rotation.renew_card(home, certificate)
    key = certificate["document"]["key_id"]
    show(
        {"key": key, "use": checked, "from": format_time(from_us), "told": told},
        as_json,
        lambda: out.print(
            f"new {checked} key {key}, used from {dtg(format_time(from_us))}; told {', '.join(told) or 'nobody yet'}",
            markup=False,
        ),
    )


@app.command()
@errors
def address(
    directory: Dir,
    where: Annotated[str, typer.Argument(metavar="ADDRESS", help="https://HOST:PORT")],
    as_json: Json = False,
) -> None:
    """Say on the card where others reach this node, and tell them; `listen` in config.toml is this node's own."""
    home = Home(directory)
    check_address(where, field="ADDRESS")
    before = read_json(home.path / "card.json", field="card")
    with Api(directory) as api:
        card = rotation.renew_card(home, address=where)
        try:
            told = api.json(
                "POST", "/api/v1/policy", body={"type": "policy/card", "document": card}
            )["signed"]
        except DetenteError:
            write_json(home.path / "card.json", before)
            raise
    show(
        {"address": where, "told": told},
        as_json,
        lambda: out.print(
            f"others reach this node at {where}; told {', '.join(told) or 'nobody yet'}",
            markup=False,
        ),
    )

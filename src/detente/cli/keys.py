"""Commands about keys: list, revoke, rotate the signing key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from detente.agreement.card import issue_certificate
from detente.agreement.revocation import issue_revocation
from detente.cli.client import Api
from detente.cli.output import dtg, errors, out, print_table, show, table
from detente.errors import UnavailableError, UsageError
from detente.node.clock import real_us
from detente.node.home import KEY_DAYS, Home
from detente.signing.key import SigningKeys
from detente.units import US_PER_S, parse_time

app = typer.Typer(help="List, rotate and revoke this party's keys.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]


@app.command("list")
@errors
def list_command(directory: Dir, as_json: Json = False) -> None:
    """List this party's certified keys."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/status")
    keys = found["keys"]

    def text() -> None:
        rows = table("USE", "KEY", "NO", "FROM", "UNTIL")
        for row in keys:
            rows.add_row(
                row["use"],
                row["key"],
                str(row["serial"]),
                dtg(row["valid_from"]),
                dtg(row["valid_until"]),
            )
        print_table(rows)

    show({"keys": keys}, as_json, text)


@app.command()
@errors
def revoke(
    directory: Dir,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key id; see keys list.")],
    reason: Annotated[str, typer.Option(help="Why, in plain words.")] = "revoked",
    as_json: Json = False,
) -> None:
    """Revoke a key under the root and tell the peers; nobody's consent is needed."""
    home = Home(directory)
    with Api(directory) as api:
        now_us = parse_time(api.json("GET", "/api/v1/status")["now"])
        document = issue_revocation(
            home.root_signer(),
            party=home.config.party,
            key_id=key,
            revoked_at_us=now_us,
            reason=reason,
        )
        found = api.json(
            "POST", "/api/v1/policy", body={"type": "policy/key-revocation", "document": document}
        )
    show(
        {"revoked": key, "told": found["signed"]},
        as_json,
        lambda: out.print(
            f"revoked {key}; told {', '.join(found['signed']) or 'nobody yet'}", markup=False
        ),
    )


@app.command()
@errors
def rotate(directory: Dir, as_json: Json = False) -> None:
    """Make and certify a new signing key; the node must be stopped, and signs with it from the next start."""
    home = Home(directory)
    root = home.root_signer()
    with Api(directory) as api:
        if api.running:
            raise UnavailableError(
                "node-running",
                "the node is running; stop it to rotate its signing key",
                hint="stop it, then run this again",
            )
        status = api.json("GET", "/api/v1/status")
        certificates = [row for row in status["keys"] if row["use"] == "signing"]
        if not certificates:
            raise UsageError("no-agreement", "there is no agreement in force; accept one first")
        seed = os.urandom(64)
        public = SigningKeys.from_seed(seed).public
        document = issue_certificate(
            root,
            party=home.config.party,
            use="signing",
            key_id=public.key_id,
            key=dict(public.to_json()),
            serial=max(row["serial"] for row in certificates) + 1,
            valid_from_us=parse_time(min(row["valid_from"] for row in certificates)),
            valid_until_us=real_us() + KEY_DAYS * 86_400 * US_PER_S,
        )
        api.json(
            "POST", "/api/v1/policy", body={"type": "policy/key-certificate", "document": document}
        )
    kept = directory / "keys" / "signing.seed"
    handle = os.open(kept.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(seed)
        file.flush()
        os.fsync(file.fileno())
    kept.with_suffix(".new").replace(kept)
    show(
        {"key": public.key_id},
        as_json,
        lambda: out.print(
            f"new signing key {public.key_id}; the peers are told on the next start", markup=False
        ),
    )

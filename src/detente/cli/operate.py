"""Commands of operation: doctor, status, operators."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import ssl
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from detente import __version__
from detente.cli.client import Api
from detente.cli.line import declared_text, observed_text
from detente.cli.output import clock_line, errors, out, print_table, show, table
from detente.errors import DetenteError
from detente.node.clock import real_us
from detente.node.home import Home, split_listen
from detente.node.outcome import EXIT_BAD_NEWS
from detente.units import US_PER_S, parse_time

operators = typer.Typer(help="Add, list and remove the people who sign in.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]

DISK_LEAST_BYTES = (
    1_000_000_000  # weeks of ordinary traffic; below it, make room before it is urgent
)
KEY_WARNING_S = 30 * 86_400


@operators.command()
@errors
def add(
    directory: Dir,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")],
    role: Annotated[
        str, typer.Option(help="watch, supervisor, linguist, records, reader or admin.")
    ],
    desk: Annotated[str | None, typer.Option(help="The desk this operator sits at.")] = None,
    password_stdin: Annotated[
        bool, typer.Option(help="Read the password from standard input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add an operator; the password is asked for, or read from standard input."""
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    )
    with Api(directory) as api:
        found = api.json(
            "POST",
            "/api/v1/operators",
            body={"name": name, "role": role, "password": password, "desk": desk},
        )
    show(
        found,
        as_json,
        lambda: out.print(f"{found['name']}: {found['role']} at {found['desk']}", markup=False),
    )


@operators.command("list")
@errors
def list_command(directory: Dir, as_json: Json = False) -> None:
    """List operators."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/operators")

    def text() -> None:
        if not found["operators"]:
            out.print(
                "no operators yet; add one: detente operator add DIR NAME --role watch",
                markup=False,
            )
        rows = table("NAME", "ROLE", "DESK")
        for row in found["operators"]:
            rows.add_row(row["name"], row["role"], row["desk"])
        if found["operators"]:
            print_table(rows)

    show(found, as_json, text)


@operators.command()
@errors
def link(
    directory: Dir,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")],
    as_json: Json = False,
) -> None:
    """Print a link that signs an operator's browser in: once, within ten minutes."""
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/operators/{quote(name, safe='')}/link")
        running = api.running

    def text() -> None:
        out.print(found["link"], markup=False, highlight=False, soft_wrap=True)
        out.print(f"  for {name}, once, until {found['expires']}", markup=False)
        if not running:
            out.print(f"  The node does not run; start it: detente serve {directory}", markup=False)

    show(found, as_json, text)


@operators.command()
@errors
def remove(
    directory: Dir,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")],
    as_json: Json = False,
) -> None:
    """Remove an operator and end their sessions."""
    with Api(directory) as api:
        found = api.json("DELETE", f"/api/v1/operators/{quote(name, safe='')}")
    show(found, as_json, lambda: out.print(f"removed {name}", markup=False))


def vouched_text(vouched: dict[str, Any]) -> str:
    """Whether the newest head counts as witnessed, in words."""
    if not vouched["least"]:
        return "the agreement asks for no witness"
    rule = f"{vouched['least']} of {', '.join(vouched['of'])}"
    by = ", ".join(vouched["by"]) or "none of them yet"
    if vouched["met"]:
        return f"counts as witnessed: {rule} must cosign it, {by} did"
    newest = f"up to {vouched['size']} it does" if vouched["size"] else "nothing does"
    return f"DOES NOT COUNT AS WITNESSED since {vouched['since']}: {rule} must cosign it, {by} did; {newest}"


def mirror_text(mirror: dict[str, Any]) -> str:
    """How far the copies between this node and a peer are, in words."""

    def one(copy: dict[str, Any] | None) -> str:
        if copy is None:
            return "none"
        behind = (
            f", {copy['size'] - copy['held']} behind since {copy['since']}" if copy["since"] else ""
        )
        full = ", FULL" if copy["full"] else ""
        failing = f", failing ({copy['failing']})" if copy["failing"] else ""
        return f"{copy['held']} of {copy['size']} entries{behind}{full}{failing}"

    return f"copy of our log there: {one(mirror['ours'])}; of theirs here: {one(mirror['theirs'])}"


@errors
def status(directory: Dir, as_json: Json = False) -> None:
    """Show lines, ledger and alarms."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/status")

    def text() -> None:
        clock_line(found)
        out.print(
            f"{found['party']} ({found['role']}), detente {found['version']}, {'running' if found['running'] else 'not running'}",
            markup=False,
            style="bold",
        )
        if found["fault"]:
            out.print(
                f"  FAULT: {found['fault']}: nothing new is signed. See: detente recover --help",
                markup=False,
                style="bold",
            )
        ledger = found["ledger"]
        out.print(
            f"  ledger {ledger['origin']}: {ledger['entries']} entries, checkpoint {ledger['checkpoint']} cosigned by {', '.join(ledger['cosigned_by']) or 'nobody yet'}",
            markup=False,
        )
        out.print(f"    {vouched_text(ledger['vouched'])}", markup=False)
        for line in found["lines"]:
            offset = f", clock {line['offset_s']:+.3f} s" if line["offset_s"] is not None else ""
            failing = f", FAILING ({line['failing']})" if line["failing"] else ""
            heard = (
                f"heard {line['heard_ago_s']:.0f} s ago"
                if line["heard_ago_s"] is not None
                else "not heard yet"
            )
            out.print(
                f"  line to {line['peer']}: {line['state']}, {heard}, {line['waiting']} waiting, {line['unsigned']} unsigned{offset}{failing}",
                markup=False,
            )
            observed = observed_text(line, running=found["running"])
            out.print(f"    declared: {declared_text(line)}; observed: {observed}", markup=False)
            out.print(f"    {mirror_text(line['mirror'])}", markup=False)
        for alarm in found["alarms"]:
            out.print(f"  alarm {alarm['time']} {alarm['code']}: {alarm['message']}", markup=False)

    show(found, as_json, text)


class _Checks:
    """Findings of the doctor, in order."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, good: bool | None, text: str) -> None:
        """Add a finding; None means it cannot be told."""
        self.rows.append({"check": name, "ok": good, "text": text})


@errors
def doctor(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A node's directory.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check this machine and a node: clock, disk, keys, ports, agreement, versions. 1 if anything is wrong."""
    checks = _Checks()
    checks.add(
        "python",
        sys.version_info >= (3, 11),
        f"Python {sys.version.split()[0]}, detente {__version__}, SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}",
    )
    if directory is not None:
        _check_node(directory, checks)
    bad = any(row["ok"] is False for row in checks.rows)

    def text() -> None:
        for row in checks.rows:
            mark = {True: "ok  ", False: "BAD ", None: "?   "}[row["ok"]]
            out.print(
                f"{mark} {row['check']}: {row['text']}",
                markup=False,
                style="bold" if row["ok"] is False else None,
            )

    show({"ok": not bad, "checks": checks.rows}, as_json, text)
    if bad:
        raise typer.Exit(EXIT_BAD_NEWS)


def _check_node(directory: Path, checks: _Checks) -> None:
    home = Home(directory)
    free = shutil.disk_usage(directory).free
    checks.add(
        "disk",
        free >= DISK_LEAST_BYTES,
        f"{free / 1e9:.1f} GB free, at least {DISK_LEAST_BYTES / 1e9:.0f} GB wanted",
    )
    for name in ("signing", "sealing", "transport", "leaf"):
        try:
            home.seed(name)
        except DetenteError as error:
            checks.add("keys", False, str(error))
    try:
        home.check_tls()
    except DetenteError as error:
        checks.add("keys", False, str(error))
    root_here = (directory / "keys" / "root.seed").exists()
    checks.add("root key", True, "here; it can be kept offline" if root_here else "kept elsewhere")
    try:
        with Api(directory) as api:
            found = api.json("GET", "/api/v1/status")
    except DetenteError as error:  # said as a finding: the doctor looks at the rest all the same
        checks.add("node", False, str(error))
        found = None
    running = found is not None and found["running"]
    if running:
        checks.add("node", True, "running")
    else:
        if found is not None:
            checks.add("node", None, "not running: lines and clocks were not checked")
        for field in ("listen", "api"):
            _check_port(home, field, checks)
    if found is not None:
        _check_status(found, checks)


def _check_status(found: dict[str, Any], checks: _Checks) -> None:
    checks.add("clock", True, f"{found['clock']}, now {found['now']}")
    now_us = real_us()
    for key in found["keys"]:
        left_s = (parse_time(key["valid_until"]) - now_us) / US_PER_S
        checks.add(
            "key age",
            left_s > KEY_WARNING_S,
            f"{key['use']} key {key['key'][:12]}: valid since {key['valid_from'][:10]}, {left_s / 86_400:.0f} days left",
        )
    agreement = found["agreement"]
    checks.add(
        "agreement",
        agreement is not None,
        f"{agreement['hash'][:16]} with {', '.join(agreement['parties'])}"
        if agreement
        else "none in force; run detente agree",
    )
    checks.add(
        "record",
        found["fault"] is None,
        f"{found['ledger']['entries']} entries"
        if found["fault"] is None
        else f"{found['fault']}: nothing new is signed; see detente recover",
    )
    limit_s = agreement["clock_offset_limit_s"] if agreement else 5
    for line in found["lines"]:
        if found["running"]:
            checks.add(
                "line",
                line["failing"] is None and line["state"] == "open",
                f"to {line['peer']}: {line['state']}"
                + (f", {line['failing']}" if line["failing"] else ""),
            )
        if line["offset_s"] is not None:
            checks.add(
                "clock offset",
                abs(line["offset_s"]) <= limit_s,
                f"{line['peer']} {line['offset_s']:+.3f} s, limit {limit_s} s",
            )
    for name, failing in found["cosigners"].items():
        checks.add("cosigner", failing is None, f"{name}: {failing or 'answers'}")


def _check_port(home: Home, field: str, checks: _Checks) -> None:
    host, port = split_listen(getattr(home.config, field), field=field)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            checks.add("port", True, f"{field} {host}:{port} is free")
        except OSError as error:
            checks.add("port", False, f"{field} {host}:{port}: {error.strerror}")

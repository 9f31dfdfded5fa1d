"""Commands about the record: ask, prove, verify, audit, rebuild, backup, restore, recover."""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from detente.agreement.terms import parse_agreement
from detente.cli.client import Api
from detente.cli.notice import read_file
from detente.cli.output import clock_line, dtg, errors, exercise_banner, lead, out, show, when
from detente.errors import DetenteError, PeerError, UnavailableError, UsageError
from detente.ledger.checkpoint import cosigner_name
from detente.node.home import Home, read_json
from detente.node.outcome import EXIT_BAD_NEWS, EXIT_CANNOT_TELL
from detente.protocol.bundle import LEGAL_NOTE, verify_bundle
from detente.signing.key import PublicKeys, parse_public_keys
from detente.units import parse_time

app = typer.Typer(help="Audit the ledger.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]

BACKUP_FILES = ("config.toml", "card.json")
SECRETS = ("signing.seed", "sealing.seed", "transport.seed", "leaf.seed", "tls.pem")


@errors
def ask(
    directory: Dir,
    area: Annotated[Path, typer.Option(metavar="FILE.geojson", help="The area asked about.")],
    from_: Annotated[str, typer.Option("--from", metavar="T", help="Start, RFC 3339 in Z.")],
    until: Annotated[str, typer.Option(metavar="T", help="End, RFC 3339 in Z.")],
    by: Annotated[
        str | None, typer.Option(metavar="PARTY", help="Only notices of this party.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Was there prior notice? Exits 0 if any, 1 if none in this record, 3 if the record is not complete that far."""
    value = read_json(area, field="--area")
    if not isinstance(value, dict):
        raise UsageError("area-malformed", "area must be a GeoJSON object", field="--area")
    with Api(directory) as api:
        found = api.json(
            "POST", "/api/v1/ask", body={"area": value, "from": from_, "until": until, "by": by}
        )

    def text() -> None:
        clock_line(found)
        who = f" by {by}" if by else ""
        if not found["notices"]:
            out.print(
                f"none in this record: no notice{who} met that area from {dtg(from_)} to {dtg(until)}",
                markup=False,
                style="bold",
            )
        for row in found["notices"]:
            received = f"received {when(row['received'])}" if row["received"] else "no receipt yet"
            out.print(
                f"{exercise_banner(row['EXERCISE'])}{row['id']} version {row['version']} ({row['state']}), {row['activity']}",
                markup=False,
                style="bold",
            )
            out.print(f"  {received}, lead time {lead(row['lead_time_s'])}", markup=False)
            out.print(
                f"  in the area {when(row['overlap']['from'])} to {when(row['overlap']['until'])}",
                markup=False,
            )
            out.print(f"  {row['proof']}", markup=False)
        for limit in found["limits"]:
            out.print(f"  - {limit}", markup=False)

    show(found, as_json, text)
    if not found["notices"]:
        known = found["complete_until"]
        complete = known is not None and parse_time(known) >= parse_time(until)
        raise typer.Exit(EXIT_BAD_NEWS if complete else EXIT_CANNOT_TELL)


@errors
def prove(
    directory: Dir,
    wanted: Annotated[
        str, typer.Argument(metavar="ID", help="party:name, party:name@version or a statement id.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="BUNDLE")],
    wait_s: Annotated[float, typer.Option(help="Seconds to wait for a cosignature.")] = 3.0,
    as_json: Json = False,
) -> None:
    """Write a bundle that proves a statement to anyone, offline."""
    until = time.monotonic() + wait_s
    with Api(directory) as api:
        witnesses = api.json("GET", "/api/v1/agreement")["agreement"]["witnesses"]
        while True:
            data = api.request("GET", f"/api/v1/bundles/{wanted}").content
            if not api.running or time.monotonic() > until or _cosigned(data, witnesses):
                break
            time.sleep(0.2)
    output.write_bytes(data)
    found = {"bundle": str(output), "bytes": len(data)}
    show(
        found,
        as_json,
        lambda: out.print(
            f"{output}: {len(data)} bytes; anyone can check it with: detente verify {output} --trust AGREEMENT",
            markup=False,
        ),
    )


def _cosigned(data: bytes, witnesses: list[str]) -> bool:
    """Whether the maker's checkpoint in a bundle has a line of every witness, or of anybody if there is none."""
    notes = data.split(b'"logged":')[
        1:
    ]  # the receipts' checkpoints are their givers', and come before
    note = notes[0].partition(b'"checkpoint":"')[2].partition(b'"')[0].decode() if notes else ""
    if not witnesses:
        return note.count("— ") > 2  # more than the log's own two
    return all(f"— {cosigner_name(one)} " in note for one in witnesses)


def read_trust(path: Path) -> tuple[dict[str, PublicKeys], str | None]:
    """Root keys to trust: from an agreement, or a file {"roots": {PARTY: {"ed25519", "mldsa44"}}}.

    Raises:
        UsageError: neither.
    """
    value = read_json(path, field="--trust")
    try:
        if isinstance(value, dict) and "agreement" in value:
            agreement = parse_agreement(value["agreement"])
            return {m.id: m.root for m in agreement.members.values()}, agreement.hash
        if isinstance(value, dict) and isinstance(value.get("roots"), dict):
            return {party: parse_public_keys(key) for party, key in value["roots"].items()}, None
    except PeerError as error:
        raise UsageError(
            "trust-malformed", f"trust file is malformed: {error}", field="--trust"
        ) from None
    raise UsageError(
        "trust-malformed",
        "trust file must be an agreement, or an object with roots",
        field="--trust",
    )


@errors
def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE")],
    trust: Annotated[
        Path, typer.Option(metavar="TRUST", help="The agreement, or a file of root keys.")
    ],
    as_json: Json = False,
) -> None:
    """Check a bundle offline: 0 valid, 1 invalid."""
    import msgspec

    data = read_file(bundle, "BUNDLE")
    roots, agreement = read_trust(trust)
    try:
        verified = verify_bundle(data, roots, agreement=agreement)
    except DetenteError as error:
        problem = str(error)
        exercise = data.startswith(b"detente-bundle/1 EXERCISE")
        show(
            {"valid": False, "exercise": exercise, "reason": problem},
            as_json,
            lambda: out.print(f"INVALID: {problem}", markup=False, style="bold"),
        )
        raise typer.Exit(EXIT_BAD_NEWS) from None
    found: dict[str, Any] = {"valid": True, **msgspec.to_builtins(verified), "note": LEGAL_NOTE}

    def text() -> None:
        statement = found["statement"]
        thread = statement["thread"]
        if verified.exercise:
            out.print("EXERCISE: nothing flies", style="bold")
        name = f"{thread['id']} version {thread['version']}" if thread else statement["id"][:16]
        out.print(
            f"VALID: {verified.made_by} said {name} ({statement['type']}) to {', '.join(statement['to'])}",
            markup=False,
            style="bold",
        )
        out.print(
            f"  claimed by {verified.made_by} at {when(statement['claimed_time'])}", markup=False
        )
        for place in verified.logged_at:
            out.print(
                f"  in {place.log} as entry {place.index}, logged {dtg(place.logged)}, checkpoint {dtg(place.checkpoint_time)}, cosigned by {', '.join(place.cosigned_by) or 'nobody else'}",
                markup=False,
            )
        for one in verified.received_by:
            out.print(
                f"  receipt of {one.party}: {one.answer} {when(one.time)}"
                + (f", opened {dtg(one.opened)}" if one.opened else ""),
                markup=False,
            )
        if verified.lead_time_s is not None:
            out.print(f"  lead time {lead(verified.lead_time_s)}", markup=False)
        for remark in verified.remarks:
            out.print(f"  remark: {remark}", markup=False)
        out.print(f"  {LEGAL_NOTE}", markup=False, style="dim")

    show(found, as_json, text)


@app.command("verify")
@errors
def ledger_verify(
    directory: Dir,
    signatures: Annotated[bool, typer.Option(help="Verify every signature, too.")] = True,
    as_json: Json = False,
) -> None:
    """Recompute every leaf, chain, checkpoint and signature: 0 consistent, 1 not."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/ledger/audit", params={"signatures": signatures})

    def text() -> None:
        word = "consistent" if found["consistent"] else "NOT CONSISTENT"
        out.print(
            f"{word}: {found['entries']} entries, {found['statements']} statements, {found['signatures']} signatures verified",
            markup=False,
            style="bold",
        )
        out.print(
            f"  root {found['root']}, newest checkpoint covers {found['checkpoint']}", markup=False
        )
        for problem in found["problems"]:
            out.print(f"  {problem}", markup=False)

    show(found, as_json, text)
    if not found["consistent"]:
        raise typer.Exit(EXIT_BAD_NEWS)


@errors
def rebuild(directory: Dir, as_json: Json = False) -> None:
    """Throw away everything derived and fold the ledger anew: 0 the same byte for byte, 1 not."""
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/ledger/rebuild")
    word = "the same, byte for byte" if found["identical"] else "DIFFERENT"
    show(
        found,
        as_json,
        lambda: out.print(
            f"rebuilt from {found['entries']} entries: {word} (sha256 {found['after'][:16]})",
            markup=False,
        ),
    )
    if not found["identical"]:
        raise typer.Exit(EXIT_BAD_NEWS)


@errors
def backup(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    with_root: Annotated[
        bool, typer.Option(help="Include the root key; keep such a backup offline.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a backup of the record and the node's keys; the node may be running."""
    home = Home(directory)
    secrets = [*SECRETS, *(["root.seed"] if with_root else [])]
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        copy = Path(scratch) / "detente.db"
        if home.database.exists():
            source, target = (
                sqlite3.connect(f"file:{home.database}?mode=ro", uri=True),
                sqlite3.connect(copy),
            )
            with source, target:
                source.backup(target)
            source.close()
            target.close()
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as archive:
            for name in BACKUP_FILES:
                archive.add(directory / name, arcname=name)
            for name in secrets:
                archive.add(directory / "keys" / name, arcname=f"keys/{name}")
            if copy.exists():
                archive.add(copy, arcname="detente.db")
            raw.flush()
            os.fsync(raw.fileno())
    size = file.stat().st_size
    show(
        {"file": str(file), "bytes": size, "with_root": with_root},
        as_json,
        lambda: out.print(
            f"{file}: {size} bytes; it holds secret keys: keep it as safe as the node", markup=False
        ),
    )


@errors
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new directory.")],
    as_json: Json = False,
) -> None:
    """Make a node's directory from a backup; its first exchange with a peer tells whether it is old."""
    if directory.exists() and any(directory.iterdir()):
        raise UsageError(
            "directory-not-empty",
            f"{str(directory)!r} is not empty; it must be a new directory",
            field="DIR",
        )
    allowed = {*BACKUP_FILES, "detente.db", *(f"keys/{name}" for name in (*SECRETS, "root.seed"))}
    try:
        data = file.read_bytes()
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = archive.getmembers()
            unknown = [m.name for m in members if m.name not in allowed or not m.isfile()]
            if unknown or "config.toml" not in {m.name for m in members}:
                raise UsageError(
                    "backup-malformed",
                    f"backup holds {unknown[:1] or 'no config.toml'}; it must be made by detente backup",
                    field="FILE",
                )
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            (directory / "keys").mkdir(mode=0o700)
            for member in members:
                content = archive.extractfile(member)
                assert content is not None
                handle = os.open(
                    directory / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
                )
                with os.fdopen(handle, "wb") as target:
                    target.write(content.read())
                    target.flush()
                    os.fsync(target.fileno())
    except (OSError, tarfile.TarError) as error:
        if isinstance(error, OSError) and error.errno == 28:
            raise UnavailableError("disk-full", f"no space to restore: {error}") from None
        raise UsageError(
            "backup-unreadable", f"{str(file)!r} cannot be read: {error}", field="FILE"
        ) from None
    Home(directory)
    found = {"directory": str(directory), "files": len(allowed)}
    show(
        {"directory": found["directory"]},
        as_json,
        lambda: out.print(
            f"restored to {directory}; nothing is signed before its peers have compared heads with it",
            markup=False,
        ),
    )


@errors
def recover(directory: Dir, as_json: Json = False) -> None:
    """After an old backup: take lost statements back from the peers and go on in a new log epoch."""
    with Api(directory) as api:
        if not api.running:
            raise UnavailableError(
                "not-running",
                "the node is not running; it must be, to ask its peers",
                hint="run: detente serve DIR",
            )
        found = api.json("POST", "/api/v1/recover")

    def text() -> None:
        clock_line(found)
        out.print(
            f"recovering; log epoch {found['epoch']} is open. See: detente status DIR", markup=False
        )

    show(found, as_json, text)

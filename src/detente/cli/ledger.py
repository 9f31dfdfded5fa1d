"""Commands about the ledger as a whole: audit, rebuild, backup, restore, recover."""

from __future__ import annotations

import io
import os
import re
import sqlite3
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from detente.cli.client import Api
from detente.cli.output import clock_line, dtg, errors, out, show
from detente.errors import UnavailableError, UsageError
from detente.node.home import Home
from detente.node.outcome import EXIT_BAD_NEWS
from detente.signing.age import AgeWriter, check_passphrase, is_age, open_age

app = typer.Typer(help="Audit the ledger.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]

BACKUP_FILES = ("config.toml", "card.json")
SECRETS = ("signing.seed", "sealing.seed", "transport.seed", "leaf.seed", "tls.pem")


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
        for one in found["doubts"]:
            out.print(
                f"  entry {one['entry']}: by {one['party']}, under key {one['key']}, {one['reason']} since {dtg(one['since'])}",
                markup=False,
            )
        if found["doubtful"] > len(found["doubts"]):
            out.print(f"  and {found['doubtful'] - len(found['doubts'])} more", markup=False)

    show(found, as_json, text)
    if not found["consistent"]:
        raise typer.Exit(EXIT_BAD_NEWS)


@app.command("recosign")
@errors
def recosign(directory: Dir, as_json: Json = False) -> None:
    """Before an algorithm falls: take old signed heads into the log, under a new head signed and cosigned with the keys of today."""
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/ledger/recosign")
    show(
        found,
        as_json,
        lambda: out.print(
            f"{found['renewed']} old heads are under checkpoint {found['checkpoint']}; it counts once others have cosigned it: see detente status DIR",
            markup=False,
        ),
    )


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


_REPLACED = re.compile(
    r"keys/(next/[a-z]{1,16}\.(seed|json|pem)|old/sealing-[0-9a-f]{32}\.seed)", re.ASCII
)


def _replaced(directory: Path) -> list[str]:
    """Keys that wait to be used, and those before, by their names under keys/."""
    found = [one for name in ("next", "old") for one in (directory / "keys" / name).glob("*")]
    names = [str(one.relative_to(directory / "keys")) for one in sorted(found)]
    return [name for name in names if _REPLACED.fullmatch(f"keys/{name}")]


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """The passphrase of a backup: a file's first line, or asked for; never an argument, which others can see.

    Raises:
        UsageError: ``passphrase-missing``, ``file-unreadable``.
    """
    if file is not None:
        try:
            return (file.read_text("utf-8").splitlines() or [""])[0]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                "file-unreadable",
                f"{str(file)!r} cannot be read: {error}; it must hold the passphrase",
                field="--passphrase-file",
            ) from None
    if not sys.stdin.isatty():
        raise UsageError(
            "passphrase-missing",
            "there is nobody to ask for the passphrase; it must come from a file",
            hint="add: --passphrase-file FILE",
            field="--passphrase-file",
        )
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))


@errors
def backup(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    with_root: Annotated[
        bool, typer.Option(help="Include the root key; keep such a backup offline.")
    ] = False,
    encrypt: Annotated[
        bool, typer.Option(help="Under a passphrase, in the age format: asked for, or from a file.")
    ] = False,
    passphrase_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Whose first line is the passphrase.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a backup of the record and the node's keys; the node may be running."""
    home = Home(directory)
    secrets = [*SECRETS, *(["root.seed"] if with_root else [])]
    encrypted = encrypt or passphrase_file is not None
    passphrase = check_passphrase(_passphrase(passphrase_file, twice=True)) if encrypted else ""
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
        with os.fdopen(handle, "wb") as raw:
            # written straight through: no secret lies on a disk in plain text
            sink = AgeWriter(raw.write, passphrase, os.urandom) if encrypted else None
            with tarfile.open(fileobj=cast("IO[bytes]", sink or raw), mode="w|") as archive:
                for name in BACKUP_FILES:
                    archive.add(directory / name, arcname=name)
                for name in [*secrets, *_replaced(directory)]:
                    archive.add(directory / "keys" / name, arcname=f"keys/{name}")
                if copy.exists():
                    archive.add(copy, arcname="detente.db")
            if sink is not None:
                sink.close()
            raw.flush()
            os.fsync(raw.fileno())
    size = file.stat().st_size
    show(
        {"file": str(file), "bytes": size, "with_root": with_root, "encrypted": encrypted},
        as_json,
        lambda: out.print(
            f"{file}: {size} bytes, encrypted; without the passphrase it opens for nobody"
            if encrypted
            else f"{file}: {size} bytes; it holds secret keys: keep it as safe as the node",
            markup=False,
        ),
    )


@errors
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new directory.")],
    passphrase_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Whose first line is the passphrase of the backup."),
    ] = None,
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
        if is_age(data):
            data = b"".join(open_age(data, _passphrase(passphrase_file, twice=False)))
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = archive.getmembers()
            unknown = [
                m.name
                for m in members
                if not m.isfile() or (m.name not in allowed and not _REPLACED.fullmatch(m.name))
            ]
            if unknown or "config.toml" not in {m.name for m in members}:
                raise UsageError(
                    "backup-malformed",
                    f"backup holds {unknown[:1] or 'no config.toml'}; it must be made by detente backup",
                    field="FILE",
                )
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in ("keys", "keys/next", "keys/old"):
                (directory / name).mkdir(mode=0o700)
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

"""Commands of every day: notices, receipts, conflicts, the offline check."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from detente.cli.client import Api
from detente.cli.output import (
    clock_line,
    dtg,
    err,
    errors,
    exercise_banner,
    lead,
    out,
    print_json,
    print_table,
    show,
    table,
    when,
)
from detente.cli.rungs import ladder_lines
from detente.errors import UsageError, shown
from detente.node.outcome import EXIT_BAD_NEWS, EXIT_UNAVAILABLE
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S, parse_time

app = typer.Typer(help="File, list, show, amend and cancel notices.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]
Notice = Annotated[
    Path, typer.Argument(metavar="FILE.geojson", help="A notice as GeoJSON (docs/spec/notice.md).")
]
To = Annotated[
    list[str] | None, typer.Option("--to", help="Recipient; repeat for more. Default: all parties.")
]
Withhold = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PARTY:FIELD",
        help="What a recipient is not to see: its text or region, such as south:text; may be repeated.",
    ),
]
Wait = Annotated[
    str | None, typer.Option(help="Wait until delivered or opened.", metavar="delivered|opened")
]
Timeout = Annotated[float, typer.Option(help="Seconds to wait.")]


def read_file(path: Path, field: str) -> bytes:
    """A file's bytes.

    Raises:
        UsageError: ``file-unreadable``.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            "file-unreadable", f"{str(path)!r} cannot be read: {error.strerror}", field=field
        ) from None


def _finish(found: dict[str, Any], as_json: bool, wait: str | None) -> None:
    def text() -> None:
        clock_line(found)
        late = "  LATE" if found["late"] else ""
        out.print(f"{found['id']} version {found['version']}: filed", markup=False)
        if found["agreed_lead_s"]:
            out.print(
                f"  lead time {lead(found['lead_time_s'])} (agreed: {lead(found['agreed_lead_s'])}){late}",
                markup=False,
                style="bold" if late else None,
            )
        for party, time in found["delivered"].items():
            state = (
                f"delivered {when(time)}"
                if time
                else (
                    "signed, not delivered yet"
                    if party in found["signed"]
                    else "waits for the line to open"
                )
            )
            out.print(f"  {party}: {state}", markup=False)
        for one in found.get("questions", []):
            out.print(f"  QUESTION: {_question(one)}", markup=False, style="bold")
        for row in found["conflicts"]:
            other = next(one for one in row["notices"] if one != found["id"])
            out.print(
                f"  {row['verdict'].upper()} with {other}: {row['reason']}",
                markup=False,
                style="bold",
            )

    show(found, as_json, text)
    if wait and found["timed_out"]:
        missing = [party for party, time in found["delivered"].items() if time is None]
        err.print(
            f"detente: not {wait} by {', '.join(missing)} in time; the notice is durable here and keeps being sent",
            markup=False,
        )
        raise typer.Exit(EXIT_UNAVAILABLE)


def _question(one: dict[str, Any]) -> str:
    """A question about words for a place, as a sentence."""
    where = f"{one['distance_nm']:g} NM {one['lies']} of {one['place']} ({one['bearing_deg']:03d}°)"
    ask = "is the direction right?" if one["code"] == "elsewhere" else "is it the right place?"
    return f"the {one['field']} says {one['words']!r}; the volume lies {where}: {ask}"


def _file(
    directory: Path,
    file: Path,
    to: list[str] | None,
    wait: str | None,
    timeout: float,
    as_json: bool,
    amend: bool,
    withhold: list[str] | None,
) -> None:
    if wait not in (None, "delivered", "opened"):
        raise UsageError(
            "wait-unknown", f"--wait is {wait!r}; it must be delivered or opened", field="--wait"
        )
    content = read_file(file, "FILE.geojson")
    with Api(directory) as api:
        questions: list[dict[str, Any]] = []
        if b'"region"' in content or b'"text"' in content:  # words, that may not fit the volumes
            asked = {"to": to or None, "amend": amend}
            preview = api.json("POST", "/api/v1/preview", content=content, params=asked)
            questions = preview["questions"]
        params = {
            "to": to or None,
            "amend": amend,
            "withhold": withhold or None,
            "wait": wait,
            "timeout_s": timeout,
        }
        found = api.json("POST", "/api/v1/notices", content=content, params=params)
    _finish({**found, "questions": questions}, as_json, wait)


@app.command()
@errors
def file(
    directory: Dir,
    file: Notice,
    to: To = None,
    withhold: Withhold = None,
    wait: Wait = None,
    timeout: Timeout = 10.0,
    as_json: Json = False,
) -> None:
    """File a new notice; exits 0 once it is durable here."""
    _file(directory, file, to, wait, timeout, as_json, amend=False, withhold=withhold)


@app.command()
@errors
def amend(
    directory: Dir,
    file: Notice,
    to: To = None,
    withhold: Withhold = None,
    wait: Wait = None,
    timeout: Timeout = 10.0,
    as_json: Json = False,
) -> None:
    """Replace an earlier notice of the same id with a new version."""
    _file(directory, file, to, wait, timeout, as_json, amend=True, withhold=withhold)


@app.command()
@errors
def cancel(
    directory: Dir,
    notice: Annotated[str, typer.Argument(metavar="ID", help="party:name or a statement id.")],
    reason: Annotated[str, typer.Option(help="Why, in plain words.")] = "no longer planned",
    wait: Wait = None,
    timeout: Timeout = 10.0,
    as_json: Json = False,
) -> None:
    """Cancel a notice of ours."""
    with Api(directory) as api:
        params = {"wait": wait, "timeout_s": timeout}
        found = api.json(
            "POST", f"/api/v1/notices/{notice}/cancel", body={"reason": reason}, params=params
        )
    _finish(found, as_json, wait)


@app.command("list")
@errors
def list_command(directory: Dir, as_json: Json = False) -> None:
    """List all notices in this record, ours and theirs."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/notices")

    def text() -> None:
        clock_line(found)
        if not found["notices"]:
            out.print("no notices in this record yet")
            return
        rows = table("NOTICE", "V", "STATE", "START", "END", "LEAD", "")
        for row in found["notices"]:
            flags = " ".join(
                word for word, on in (("EXERCISE", row["EXERCISE"]), ("LATE", row["late"])) if on
            )
            start, end = dtg(row["start"]), dtg(row["end"])
            rows.add_row(
                row["id"],
                str(row["version"]),
                row["state"],
                start,
                # a day that both share is said once
                end[2:7] if end[:2] + end[7:] == start[:2] + start[7:] else end,
                lead(row["lead_time_s"]),
                flags,
            )
        print_table(rows)

    show(found, as_json, text)


@app.command("show")
@errors
def show_command(
    directory: Dir,
    notice: Annotated[str, typer.Argument(metavar="ID", help="party:name or a statement id.")],
    as_json: Json = False,
) -> None:
    """Show one notice in full; a peer's notice counts as opened from now on."""
    with Api(directory) as api:
        found = api.json("GET", f"/api/v1/notices/{notice}")

    def text() -> None:
        clock_line(found)
        out.print(
            f"{exercise_banner(found['EXERCISE'])}{found['id']} version {found['version']}, {found['activity'] or 'no activity'}: {found['state']}, {found['phase']}",
            markup=False,
            style="bold",
        )
        out.print(f"  {when(found['start'])} to {when(found['end'])}", markup=False)
        for band in found.get("bands", []):
            out.print(f"  {band}", markup=False)
        for label, member in (
            ("region", "region"),
            ("says", "text"),
            ("cancelled because", "reason"),
        ):
            if found.get(member):
                out.print(f"  {label}: {found[member]}", markup=False)
        for version in found["versions"]:
            out.print(
                f"  version {version['version']} ({version['kind']}): known {dtg(version['known'])}, received {dtg(version['received'])}",
                markup=False,
            )
            for party, fields in version["withheld"].items():
                out.print(f"    withheld from {party}: {', '.join(fields)}", markup=False)
            for gone in version["destroyed"]:
                out.print(
                    f"    {gone['field']}: destroyed on {dtg(gone['time'])} by {', '.join(gone['officers'])}: {gone['reason']}",
                    markup=False,
                )
            for receipt in version["receipts"]:
                opened = (
                    f", opened {dtg(receipt['opened'])} by desk {receipt['opened_desk']}"
                    if receipt["opened"]
                    else ""
                )
                rule = f" ({receipt['rule']})" if receipt["rule"] else ""
                out.print(
                    f"    receipt of {receipt['party']}: {receipt['answer']}{rule} {dtg(receipt['received'])}{opened}",
                    markup=False,
                )
        for row in found["versions"][-1]["ladder"] if found["versions"] else []:
            for line in ladder_lines(row):
                out.print(f"  {line}", markup=False)
        for row in found["conflicts"]:
            out.print(
                f"  {row['verdict'].upper()} ({row['state']}) {row['id'][:12]}: {row['reason']}",
                markup=False,
            )

    show(found, as_json, text)


@app.command("from-tracks")
@errors
def from_tracks(
    tracks: Annotated[
        Path, typer.Argument(metavar="TRACKS.csv|.parquet", help="Columns id,time,lat,lon,alt_ft.")
    ],
    directory: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the notices go, one file each.")
    ],
    exercise: Annotated[bool, typer.Option(help="File as exercise.")] = True,
    as_json: Json = False,
) -> None:
    """Turn recorded flights into 4D corridor notices, one GeoJSON file for each flight."""
    # the engine is imported only where it is used: most commands just speak to the node
    from detente.interop.geojson import format_geojson
    from detente.interop.tracks import corridor_notices, parse_tracks

    flights = parse_tracks(read_file(tracks, "TRACKS"))
    directory.mkdir(parents=True, exist_ok=True)
    names = []
    for notice in corridor_notices(flights, exercise=exercise):
        (directory / f"{notice.name}.geojson").write_bytes(format_geojson(notice))
        names.append(notice.name)
    show(
        {"notices": len(names), "directory": str(directory)},
        as_json,
        lambda: out.print(f"{len(names)} notices in {directory}", markup=False),
    )


@errors
def receipts(
    directory: Dir,
    notice: Annotated[str, typer.Argument(metavar="ID", help="A notice or statement.")],
    as_json: Json = False,
) -> None:
    """Show who has received a notice, when, and who has not."""
    with Api(directory) as api:
        found = api.json("GET", f"/api/v1/receipts/{notice}")

    def text() -> None:
        clock_line(found)
        for row in found["receipts"]:
            opened = (
                f", opened {dtg(row['opened'])} by desk {row['opened_desk']}"
                if row["opened"]
                else ""
            )
            rule = f" ({row['rule']})" if row["rule"] else ""
            flags = f"  [{', '.join(row['flags'])}]" if row["flags"] else ""
            version = f"version {row['version']} " if "version" in row else ""
            out.print(
                f"{version}{row['party']}: {row['answer']}{rule} {when(row['received'])}{opened}{flags}",
                markup=False,
            )
        for row in found["missing"]:
            out.print(f"{row}: no receipt yet", markup=False)

    show(found, as_json, text)


@errors
def conflicts(
    directory: Dir,
    every: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    as_json: Json = False,
) -> None:
    """List conflicts, ranked; exits 1 if any is live."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/conflicts")
    live = [row for row in found["conflicts"] if row["state"] == "live"]
    found["conflicts"] = found["conflicts"] if every else live

    def text() -> None:
        clock_line(found)
        if not found["conflicts"]:
            out.print("no conflict in this record")
        for row in found["conflicts"]:
            state = "" if row["state"] == "live" else f" ({row['state']})"
            out.print(
                f"{exercise_banner(row['EXERCISE'])}{row['verdict'].upper()}{state} {row['id'][:12]}  {'  x  '.join(row['notices'])}",
                markup=False,
                style="bold",
            )
            out.print(
                f"  {when(row['from'])} to {when(row['until'])}, {row['lower']} to {row['upper']}",
                markup=False,
            )
            if row["place"]:
                out.print(
                    f"  near {row['place']['lat']:.5f}, {row['place']['lon']:.5f}", markup=False
                )
            out.print(f"  {row['reason']}", markup=False)

    show(found, as_json, text)
    if live:
        raise typer.Exit(EXIT_BAD_NEWS)


@errors
def check(
    own: Annotated[Path, typer.Argument(metavar="OWN.geojson", help="Own notices.")],
    peer: Annotated[Path, typer.Argument(metavar="PEER.geojson", help="Their notices.")],
    lateral_nm: Annotated[str, typer.Option(help="Least lateral separation, NM.")] = "0",
    vertical_ft: Annotated[str, typer.Option(help="Least vertical separation, ft.")] = "0",
    time_s: Annotated[str, typer.Option(help="Least separation in time, s.")] = "0",
    advice: Annotated[
        bool, typer.Option("--advice", help="Also what would clear each conflict.")
    ] = False,
    parties: Annotated[
        str, typer.Option(help="OWN,PEER: names of the two parties in the advice.")
    ] = "own,peer",
    earliest: Annotated[
        str | None,
        typer.Option(help="Before which nothing is moved, RFC 3339 in Z. Default: no limit."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check two files against each other, offline: 0 clear, 1 conflict, 3 cannot tell."""
    from detente.cli.check import advise_files, check_files, describe, exit_code
    from detente.conflict.strategic import Minima

    minima = Minima(
        lateral_tenth_mm=whole_number(lateral_nm, TENTH_MM_PER_NM, "--lateral-nm", "0.1 mm"),
        vertical_tenth_mm=whole_number(vertical_ft, TENTH_MM_PER_FT, "--vertical-ft", "0.1 mm"),
        time_us=whole_number(time_s, US_PER_S, "--time-s", "microseconds"),
    )
    files = read_file(own, "OWN"), read_file(peer, "PEER")
    found = check_files(*files, minima)
    if advice:
        earliest_us = None if earliest is None else parse_time(earliest, field="--earliest")
        found["advice"] = advise_files(*files, minima, parties, earliest_us)
    show(found, as_json, lambda: out.print(describe(found), markup=False))
    code = exit_code(found)
    if code:
        raise typer.Exit(code)


@errors
def read(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="Text, GeoJSON or KML; - is standard input.")
    ],
    geojson: Annotated[
        bool, typer.Option("--geojson", help="Print the shapes as a FeatureCollection.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say how a pasted text would be read: coordinates, GeoJSON, KML or a NOTAM. Nothing is filed."""
    from detente.cli.reading import collection, describe
    from detente.interop.pasted import read_pasted
    from detente.limits import READ_BYTES

    # one byte more than is allowed, so that a larger text is refused and not cut
    data = sys.stdin.buffer.read(READ_BYTES + 1) if file == "-" else read_file(Path(file), "FILE")
    found = read_pasted(data)
    if geojson:
        print_json(collection(found))
        return
    show(msgspec.to_builtins(found), as_json, lambda: out.print(describe(found), markup=False))


def whole_number(text: str, factor: int, field: str, unit: str) -> int:
    """A decimal number as a whole count of small units, exactly.

    Raises:
        UsageError: ``minimum-malformed``.
    """
    try:
        exact = Decimal(text) * factor
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite() or exact < 0 or exact != exact.to_integral_value() or exact >= 2**53:
        raise UsageError(
            "minimum-malformed",
            f"the option is {shown(text)}; it must be a number from 0 that is a whole count of {unit}, "
            "and below 2^53 of them",
            field=field,
        )
    return int(exact)

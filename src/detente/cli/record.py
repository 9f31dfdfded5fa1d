"""Commands about what was said, and what was not: ask, prove, prove-absence, disclose, destroy, verify."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from detente.agreement.terms import parse_agreement
from detente.cli.client import Api
from detente.cli.notice import read_file
from detente.cli.output import (
    between,
    clock_line,
    dtg,
    errors,
    exercise_banner,
    lead,
    lead_range,
    out,
    show,
    when,
)
from detente.errors import DetenteError, PeerError, UsageError
from detente.ledger.checkpoint import cosigner_name
from detente.ledger.policy import parse_policy
from detente.ledger.timestamp import parse_roots
from detente.node.home import read_json
from detente.node.outcome import EXIT_BAD_NEWS, EXIT_CANNOT_TELL
from detente.protocol.bundle import LEGAL_NOTE, verify_bundle
from detente.signing.key import PublicKeys, parse_public_keys
from detente.units import parse_time

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]


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
            out.print(
                f"  {received}, lead time {lead(row['lead_time_s'])}{lead_range(row['lead_time_between_s'])}",
                markup=False,
            )
            if row["received"]:
                out.print(f"    received {between(row)}", markup=False)
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
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="BUNDLE", help="The file to write.")
    ],
    wait_s: Annotated[float, typer.Option(help="Seconds to wait for a cosignature.")] = 3.0,
    withhold: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD[,FIELD]", help="Fields that the reader is not to see, such as text."
        ),
    ] = None,
    tlog_proof: Annotated[
        bool,
        typer.Option(
            help="Write C2SP tlog-proof text of its place in this log instead, of its first copy."
        ),
    ] = False,
    anchor: Annotated[
        bool,
        typer.Option(
            "--anchor", help="Have the log stamped first by the authority of [timestamp]."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a bundle that proves a statement to anyone, offline."""
    if tlog_proof:
        _write_tlog_proof(directory, wanted, output, as_json)
        return
    fields = [] if withhold is None else withhold.split(",")
    until = time.monotonic() + wait_s
    with Api(directory) as api:
        if anchor:
            api.json("POST", "/api/v1/timestamps")
        vouched = api.json("GET", "/api/v1/status")["ledger"]["vouched"]
        least, of = vouched["least"], vouched["of"]
        while True:
            data = api.request(
                "GET", f"/api/v1/bundles/{wanted}", params={"withhold": fields}
            ).content
            if not api.running or time.monotonic() > until or len(_cosigners(data, of)) >= least:
                break
            time.sleep(0.2)
    by = _cosigners(data, of)
    words = _checked(output, data)
    if len(by) < least:
        words += (
            f"\nremark: its checkpoint does not count as witnessed by the agreement: {least} of {', '.join(of)} must "
            f"cosign it, {', '.join(by) or 'none of them'} did; prove it again when they have"
        )
    found = {"least": least, "of": of, "by": by, "met": len(by) >= least}
    _write(output, data, words, as_json, name="bundle", vouched=found)


def _write_tlog_proof(directory: Path, wanted: str, output: Path, as_json: bool) -> None:
    with Api(directory) as api:
        data = api.request("GET", f"/api/v1/bundles/{wanted}", params={"tlog": True}).content
    _write(output, data, f"{len(data)} bytes of C2SP tlog-proof", as_json)


def _checked(output: Path, data: bytes) -> str:
    return f"{len(data)} bytes; anyone can check it with: detente verify {output} --trust AGREEMENT"


def _write(
    output: Path, data: bytes, words: str, as_json: bool, *, name: str = "file", **more: Any
) -> None:
    """Write a file that was asked for and say so; `name` is its member in JSON, `more` are others."""
    output.write_bytes(data)
    found = {name: str(output), "bytes": len(data), **more}
    show(found, as_json, lambda: out.print(f"{output}: {words}", markup=False))


def _cosigners(data: bytes, names: list[str]) -> list[str]:
    """Which of these have a line on the maker's checkpoint in a bundle."""
    copy = msgspec.json.decode(data.split(b"\n")[1])["copies"][0]
    note = copy["logged"][0]["proof"]["checkpoint"]
    return [one for one in names if f"\u2014 {cosigner_name(one)} " in note]


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
def prove_absence(
    directory: Dir,
    by: Annotated[str, typer.Option(metavar="PARTY", help="Who is said to have said nothing.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")
    ],
    area: Annotated[
        Path | None, typer.Option(metavar="FILE.geojson", help="The area asked about.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Start, RFC 3339 in Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="T", help="End, RFC 3339 in Z.")] = None,
    wait_s: Annotated[float, typer.Option(help="Seconds to wait for a cosignature.")] = 3.0,
    as_json: Json = False,
) -> None:
    """Write a file that proves to anyone what a party gave no notice of, or all that it gave; it opens every header of this log."""
    given = [area is not None, from_ is not None, until is not None]
    if any(given) and not all(given):
        raise UsageError(
            "question-incomplete",
            "area, from and until must be given together, or none of them",
            field=("--area", "--from", "--until")[given.index(False)],
        )
    body = {
        "by": by,
        "area": None if area is None else read_json(area, field="--area"),
        "from": from_,
        "until": until,
        "wait_s": wait_s,
    }
    with Api(directory) as api:
        data = api.request("POST", "/api/v1/absence", body=body).content
    _write(output, data, _checked(output, data), as_json)


@errors
def evidence(
    directory: Dir,
    action: Annotated[str, typer.Argument(metavar="list|export", help="What to do.")] = "list",
    number: Annotated[int | None, typer.Argument(metavar="N", help="Which, of the list.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What this record proves against others; or one of them as a file that proves it to anyone. Exits 1 if there is any."""
    if action not in ("list", "export") or (action == "export") != (
        number is not None and output is not None
    ):
        raise UsageError(
            "evidence-action",
            f"action is {action!r}; it must be list, or export with N and -o FILE",
            field="action",
        )
    with Api(directory) as api:
        if output is not None:
            data = api.request("GET", f"/api/v1/contradictions/{number}").content
            _write(output, data, _checked(output, data), as_json)
            return
        found = api.json("GET", "/api/v1/contradictions")

    def text() -> None:
        if not found["evidence"]:
            out.print("none: nothing in this record proves a wrong of anybody", markup=False)
        for row in found["evidence"]:
            out.print(
                f"{row['number']}  {row['kind']} by {row['against']}, entry {row['entry']}, {when(row['time'])}",
                markup=False,
            )

    show(found, as_json, text)
    if found["evidence"]:
        raise typer.Exit(EXIT_BAD_NEWS)


@errors
def disclose(
    directory: Dir,
    wanted: Annotated[
        str, typer.Argument(metavar="ID", help="party:name, party:name@version or a statement id.")
    ],
    field: Annotated[str, typer.Option(metavar="FIELD", help="The field to open.")],
    to: Annotated[str, typer.Option(metavar="WHOM", help="Who is to see it.")],
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why; it stands in the record.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")
    ],
    as_json: Json = False,
) -> None:
    """Write the file that opens one field which a bundle withholds; to whom and why is recorded."""
    body = {"id": wanted, "field": field, "to": to, "reason": reason}
    with Api(directory) as api:
        data = api.request("POST", "/api/v1/openings", body=body).content
    how = f"opens {field}; join it with: detente verify BUNDLE --opening {output} --trust AGREEMENT"
    _write(output, data, how, as_json)


@errors
def destroy(
    directory: Dir,
    wanted: Annotated[
        str, typer.Argument(metavar="ID", help="party:name, party:name@version or a statement id.")
    ],
    field: Annotated[str, typer.Option(metavar="FIELD", help="The field to destroy.")],
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why; it stands in the record.")],
    as_json: Json = False,
) -> None:
    """Destroy what opens a field, for ever: every proof stays valid without it, and the record says who did it and why."""
    with Api(directory) as api:
        found = api.json(
            "POST", "/api/v1/destructions", body={"id": wanted, "field": field, "reason": reason}
        )

    def text() -> None:
        if not found["done"]:
            out.print(
                f"asked: a second officer must ask for the same before {field} is destroyed",
                markup=False,
            )
            return
        copies = len(found["statements"])
        out.print(
            f"destroyed: {field} of {wanted} cannot be opened from this record any more ({copies} {'copy' if copies == 1 else 'copies'})",
            markup=False,
            style="bold",
        )
        out.print("  not in this node's reach, and theirs to destroy:", markup=False)
        for one in found["elsewhere"]:
            out.print(f"  - {one}", markup=False)

    show(found, as_json, text)


@errors
def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The file to check.")],
    trust: Annotated[
        Path, typer.Option(metavar="TRUST", help="The agreement, or a file of root keys.")
    ],
    opening: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file that opens a withheld field; may be repeated."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A C2SP trust policy that the checkpoint of a bundle must satisfy; 1 if it does not.",
        ),
    ] = None,
    tsa: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CERT.pem",
            help="Root certificate of an authority of time stamps; may be repeated. 1 if no stamp verifies.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a bundle, a proof of absence or evidence, offline: 0 valid (and nothing found), 1 invalid (or notices found), 3 cannot tell."""
    data = read_file(bundle, "BUNDLE")
    roots, agreement = read_trust(trust)
    wanted = None if policy is None else parse_policy(read_file(policy, "--policy"))
    if wanted is not None and not data.startswith(b"detente-bundle/"):
        raise UsageError(
            "policy-bundle", "a policy is for a bundle; the file must be one", field="--policy"
        )
    if tsa and not data.startswith(b"detente-bundle/"):
        raise UsageError(
            "tsa-bundle", "time stamps are in bundles; the file must be one", field="--tsa"
        )
    authorities = None
    if tsa:
        authorities = [
            one for path in tsa for one in parse_roots(read_file(path, "--tsa"), field="--tsa")
        ]
    if data.startswith(b"detente-evidence/"):
        _verify_evidence(data, roots, as_json)
        return
    if data.startswith(b"detente-absence/"):
        _verify_absence(data, roots, as_json)
        return
    try:
        opened = [read_file(one, "--opening") for one in opening or ()]
        verified = verify_bundle(
            data,
            roots,
            agreement=agreement,
            opened=opened,
            policy=wanted,
            authorities=authorities,
        )
    except DetenteError as error:
        _show_invalid(data, error, as_json)
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
        out.print(f"    made {between(found['made'])}", markup=False)
        if statement["withheld"]:
            out.print(
                f"  withheld or destroyed: {', '.join(statement['withheld'])}; each was said, and is closed here",
                markup=False,
            )
        for place in verified.logged_at:
            out.print(
                f"  in {place.log} as entry {place.index}, logged {dtg(place.logged)}, checkpoint {dtg(place.checkpoint_time)}, cosigned by {', '.join(place.cosigned_by) or 'nobody else'}",
                markup=False,
            )
            out.print(f"    stood there {between(msgspec.to_builtins(place))}", markup=False)
        for one in verified.received_by:
            out.print(
                f"  receipt of {one.party}: {one.answer} {when(one.time)}"
                + (f", opened {dtg(one.opened)}" if one.opened else ""),
                markup=False,
            )
            out.print(f"    received {between(msgspec.to_builtins(one))}", markup=False)
        for one_stamp in verified.stamps:
            if one_stamp.checked:  # the others are remarked on
                out.print(
                    f"  head of {one_stamp.log} at {one_stamp.size} entries stamped by {one_stamp.authority} at {when(one_stamp.time)}, checked",
                    markup=False,
                )
        if authorities is not None and not any(one.checked for one in verified.stamps):
            out.print(
                "  NO TIME STAMP in it verifies under the certificate given",
                markup=False,
                style="bold",
            )
        for doubt in verified.doubts:
            elsewhere = (
                f"shown elsewhere from {dtg(doubt.first_elsewhere)} on"
                if doubt.first_elsewhere
                else "shown nowhere else"
            )
            out.print(
                f"  IN DOUBT: {doubt.type} of {doubt.party} is signed by a key that is {doubt.reason} since {when(doubt.since)}; {elsewhere}",
                markup=False,
                style="bold",
            )
        if verified.lead_time_s is not None:
            out.print(
                f"  lead time {lead(verified.lead_time_s)}{lead_range(verified.lead_time_between_s)}",
                markup=False,
            )
        for one_quorum in verified.quorum or ():
            word = "met" if one_quorum.met else f"NOT MET: {one_quorum.reason}"
            out.print(f"  quorum for {one_quorum.log} {word}", markup=False, style="bold")
        for remark in verified.remarks:
            out.print(f"  remark: {remark}", markup=False)
        out.print(f"  {LEGAL_NOTE}", markup=False, style="dim")

    show(found, as_json, text)
    stamped = authorities is None or any(one.checked for one in verified.stamps)
    if not stamped or not all(one.met for one in verified.quorum or ()):
        raise typer.Exit(EXIT_BAD_NEWS)


def _show_invalid(data: bytes, error: DetenteError, as_json: bool) -> NoReturn:
    problem = str(error)
    exercise = data.partition(b"\n")[0].endswith(b" EXERCISE")
    show(
        {"valid": False, "exercise": exercise, "reason": problem},
        as_json,
        lambda: out.print(f"INVALID: {problem}", markup=False, style="bold"),
    )
    raise typer.Exit(EXIT_BAD_NEWS)


def _verify_evidence(data: bytes, roots: dict[str, PublicKeys], as_json: bool) -> None:
    from detente.protocol.evidence import verify_evidence

    try:
        proved = verify_evidence(data, roots)
    except DetenteError as error:
        _show_invalid(data, error, as_json)
    found: dict[str, Any] = {"valid": True, **msgspec.to_builtins(proved)}

    def text() -> None:
        if proved.exercise:
            out.print("EXERCISE: nothing flies", style="bold")
        out.print(f"PROVED: {proved.sentence}", markup=False, style="bold")
        for name, value in proved.facts.items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            out.print(f"  {name.replace('_', ' ')}: {shown}", markup=False)
        out.print(
            f"  signed with keys of {proved.against}; who held them, and why, this does not say",
            markup=False,
        )

    show(found, as_json, text)


def _verify_absence(data: bytes, roots: dict[str, PublicKeys], as_json: bool) -> None:
    # the engine is needed here and not for a bundle, which so is checked in half the time
    from detente.protocol.absence import verify_absence

    try:
        proved = verify_absence(data, roots)
    except DetenteError as error:
        _show_invalid(data, error, as_json)
    found: dict[str, Any] = {"valid": True, **msgspec.to_builtins(proved), "note": LEGAL_NOTE}
    asked = proved.question
    where = f" of that area from {dtg(asked['from'])} to {dtg(asked['until'])}" if asked else ""

    def text() -> None:
        if proved.exercise:
            out.print("EXERCISE: nothing flies", style="bold")
        words = {
            "none": f"NONE RECORDED: {proved.prover} holds no notice by {proved.by}{where}",
            "these": f"RECORDED: {proved.prover} holds these notices by {proved.by}{where}",
            "cannot-tell": f"CANNOT TELL: {proved.reason}",
        }
        out.print(words[proved.answer], markup=False, style="bold")
        for one in proved.notices:
            out.print(
                f"  {exercise_banner(one.exercise)}{one.id} version {one.version} ({one.state}), received {when(one.received)}, from {dtg(one.start)} to {dtg(one.end)}",
                markup=False,
            )
        chains = " and ".join(f"1 to {n} ({chain})" for chain, n in proved.statements.items() if n)
        out.print(
            f"  {proved.by} numbered its statements to {proved.prover} {chains or '0: it made none'}, signed; {proved.notices_checked} of them notices, all of them looked at",
            markup=False,
        )
        out.print(
            f"  in {proved.log} with all {proved.entries} entries, head of {dtg(proved.checkpoint_time)}, cosigned by {', '.join(proved.cosigned_by) or 'nobody else'}; complete until {when(proved.complete_until)}",
            markup=False,
        )
        for remark in (*proved.remarks, *proved.not_proved):
            out.print(f"  - {remark}", markup=False)
        out.print(f"  {LEGAL_NOTE}", markup=False, style="dim")

    show(found, as_json, text)
    if proved.answer != "none":
        raise typer.Exit(EXIT_BAD_NEWS if proved.answer == "these" else EXIT_CANNOT_TELL)

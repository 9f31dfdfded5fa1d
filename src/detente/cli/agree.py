"""Commands about the agreement: propose, sign, accept, show."""

from __future__ import annotations

import math
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from detente.agreement.card import fingerprint
from detente.agreement.terms import (
    parse_agreement,
    parse_terms,
    propose_agreement,
    sign_agreement,
    verify_agreement_file,
)
from detente.cli.client import Api
from detente.cli.output import errors, out, print_table, show, table
from detente.errors import UsageError
from detente.node.clock import real_us
from detente.node.home import Home, read_card, read_json, write_json
from detente.signing.key import parse_public_keys
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S

app = typer.Typer(
    help="Propose, sign and accept the agreement that all parties share.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]

# How people write lengths and times in a terms file, and the member and factor behind each.
_FRIENDLY = {
    "lateral_nm": ("lateral_tenth_mm", TENTH_MM_PER_NM),
    "vertical_ft": ("vertical_tenth_mm", TENTH_MM_PER_FT),
    "time_s": ("time_us", US_PER_S),
}


def read_terms(path: Path) -> Any:
    """Terms from a TOML or JSON file; minima may be given as lateral_nm, vertical_ft and time_s.

    Raises:
        UsageError: unreadable, or a value breaks its rule.
    """
    if path.suffix == ".json":
        raw = read_json(path, field="--terms")
    else:
        try:
            raw = tomllib.loads(path.read_text("utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                "file-unreadable",
                f"{str(path)!r} cannot be read: {error}; it must be TOML",
                field="--terms",
            ) from None
    return parse_terms(friendly_terms(raw))


def friendly_terms(raw: Any) -> Any:
    """Terms with nautical miles, feet and seconds turned into whole tenths of a millimetre and microseconds."""
    if not isinstance(raw, dict):
        return raw
    result = dict(raw)
    for section in ("minima", "tactical"):
        given = result.get(section)
        if not isinstance(given, dict):
            continue
        section_terms = {}
        for name, value in given.items():
            member, factor = _FRIENDLY.get(name, (name, None))
            if factor is not None:
                value = _whole(value, factor, f"terms.{section}.{name}")
            section_terms[member] = value
        result[section] = section_terms
    return result


def _whole(value: object, factor: int, field: str) -> int:
    # by its decimal digits: 2.7 NM is a whole count though the float nearest to it is not
    finite = type(value) is int or (type(value) is float and math.isfinite(value))
    exact = Fraction(str(value)) * factor if finite else Fraction(1, 2)
    if exact.denominator != 1:
        raise UsageError(
            "terms-malformed",
            f"value is {value!r}; it must be a number that is a whole count of 0.1 mm or us",
            field=field,
        )
    return exact.numerator


@app.command()
@errors
def propose(
    directory: Dir,
    peer: Annotated[list[Path], typer.Option(help="card.json of another party; repeat for more.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the agreement.")],
    witness: Annotated[
        list[Path] | None, typer.Option(help="card.json of a neutral witness.")
    ] = None,
    terms: Annotated[
        Path | None, typer.Option(help="Terms as TOML or JSON; every term has a default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write an agreement for all to sign."""
    own = Home(directory).card()
    witnesses = [read_card(path) for path in witness or []]
    cards = [own, *(read_card(path) for path in peer), *witnesses]
    file = propose_agreement(
        cards,
        [card.party for card in witnesses],
        read_terms(terms) if terms else parse_terms({}),
        real_us(),
    )
    write_json(output, file)
    agreement = parse_agreement(file["agreement"])
    found = {"agreement": agreement.hash, "file": str(output), "members": sorted(agreement.members)}

    def text() -> None:
        out.print(
            f"proposed {agreement.hash[:16]} for {', '.join(sorted(agreement.members))}: {output}",
            markup=False,
        )
        out.print(
            "  each member:  detente agree sign DIR AGREEMENT, then all: detente agree accept DIR AGREEMENT",
            markup=False,
        )

    show(found, as_json, text)


@app.command()
@errors
def sign(
    directory: Dir,
    agreement: Annotated[
        Path, typer.Argument(metavar="AGREEMENT", help="The file that all members share.")
    ],
    as_json: Json = False,
) -> None:
    """Sign an agreement in place with this party's root key."""
    home = Home(directory)
    file = sign_agreement(
        read_json(agreement, field="AGREEMENT"), home.config.party, home.root_signer()
    )
    write_json(agreement, file)
    members = sorted(parse_agreement(file["agreement"]).members)
    missing = [m for m in members if m not in file["signatures"]]
    found = {"signed": home.config.party, "missing": missing}
    show(
        found,
        as_json,
        lambda: out.print(
            f"signed as {home.config.party}; still to sign: {', '.join(missing) or 'nobody'}",
            markup=False,
        ),
    )


@app.command()
@errors
def accept(
    directory: Dir,
    agreement: Annotated[
        Path, typer.Argument(metavar="AGREEMENT", help="The file that all members share.")
    ],
    as_json: Json = False,
) -> None:
    """Bring an agreement that all members have signed into force on this node."""
    file = read_json(agreement, field="AGREEMENT")
    verify_agreement_file(file)  # said here, too, so that a bad file never reaches the node
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/agreement", content=agreement.read_bytes())
    show(
        found,
        as_json,
        lambda: out.print(
            f"in force: {found['agreement'][:16]} between {', '.join(found['parties'])}",
            markup=False,
        ),
    )


@app.command("show")
@errors
def show_command(directory: Dir, as_json: Json = False) -> None:
    """Show the agreement in force, with fingerprints to compare by voice."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/agreement")
    document = found["agreement"]
    roots = {one["id"]: fingerprint(parse_public_keys(one["root"])) for one in document["parties"]}

    def text() -> None:
        out.print(f"agreement {found['hash']}", markup=False)
        rows = table("PARTY", "NAME", "ROLE", "FINGERPRINT (read it out)")
        for one in document["parties"]:
            rows.add_row(one["id"], one["name"], one["role"], roots[one["id"]])
        print_table(rows)
        terms = document["terms"]
        minima = terms["minima"]
        out.print(
            f"minima: {minima['lateral_tenth_mm'] / TENTH_MM_PER_NM:g} NM or {minima['vertical_tenth_mm'] / TENTH_MM_PER_FT:g} ft"
            f" or {minima['time_us'] / US_PER_S:g} s apart",
            markup=False,
        )
        leads = ", ".join(f"{k} {v // 60} min" for k, v in terms["lead_times_s"].items())
        out.print(f"lead times: {leads}", markup=False)
        out.print(
            f"witnesses: {', '.join(document['witnesses']) or 'none'}; quorum {terms['quorum']}",
            markup=False,
        )
        out.print(
            f"clock: {found['clock']}; offset limit {terms['clock_offset_limit_s']} s", markup=False
        )
        if terms["exercise_only"]:
            out.print(
                "EXERCISE ONLY: no real notice may be filed under this agreement",
                markup=False,
                style="bold",
            )

    show({**found, "fingerprints": roots}, as_json, text)


@app.command()
@errors
def policy(
    directory: Dir,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write it; default: shown.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the agreement's logs, witnesses and quorum as a trust policy that any C2SP tool reads."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/agreement/policy")
    if output is None:
        show(found, as_json, lambda: out.print(found["policy"], end="", markup=False))
        return
    output.write_text(found["policy"], "utf-8")
    show({"file": str(output)}, as_json, lambda: out.print(f"policy: {output}", markup=False))

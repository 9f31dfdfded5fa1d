"""`detente check`: two files of notices against each other, offline, as values in and values out."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

from detente.cli.moves import say_moves, say_reason
from detente.conflict.advice import Standing, advise
from detente.conflict.strategic import LiveVolumes, Minima, PairVerdict, Rules, build_minima
from detente.errors import UsageError, shown
from detente.interop.geojson import parse_notices_geojson
from detente.limits import CHECK_FILE_BYTES
from detente.notice.activity import ActivityNotice
from detente.units import TENTH_MM_PER_FT, format_time

EXIT_CODES = {"clear": 0, "conflict": 1, "cannot-tell": 3}


def check_files(own: bytes, peer: bytes, minima: Minima | None = None) -> dict[str, object]:
    """The answer of `check --json`: every notice of one file against every notice of the other.

    Args:
        own: GeoJSON bytes of our notices.
        peer: GeoJSON bytes of theirs.
        minima: the separation to keep; zero on every axis when left out. Datum bounds are the
            worst-case defaults, since there is no agreement here.

    Returns:
        ``{"verdict", "conflicts", "touches", "checked_pairs"}``. A conflict outranks a cannot-tell;
        touches alone are clear. Conflicts come first, then cannot-tells, each in order of time.

    Raises:
        UsageError: a file cannot be read (`.field` begins with ``own`` or ``peer``), or a minimum is
            out of range.
    """
    own_notices = _parse(own, "own")
    peer_notices = _parse(peer, "peer")
    given = minima or Minima()
    rules = Rules(build_minima(given.lateral_tenth_mm, given.vertical_tenth_mm, given.time_us))
    index = LiveVolumes()
    for notice in peer_notices:
        index.insert(notice.name, notice)
    conflicts: list[tuple[tuple[object, ...], dict[str, object]]] = []
    touches: list[dict[str, object]] = []
    for notice in own_notices:
        for key, verdict in index.check_against(notice, rules):
            if verdict.verdict == "touch":
                touches.append({"own": notice.name, "peer": key, "reason": verdict.reason})
            else:
                order = (verdict.verdict != "conflict", verdict.from_us or 0, notice.name, key)
                conflicts.append((order, _conflict(notice.name, key, verdict)))
    conflicts.sort(key=lambda item: item[0])
    verdicts = {entry["verdict"] for _, entry in conflicts}
    worst = "conflict" if "conflict" in verdicts else "cannot-tell" if verdicts else "clear"
    return {
        "verdict": worst,
        "conflicts": [entry for _, entry in conflicts],
        "touches": sorted(touches, key=lambda entry: (entry["own"], entry["peer"])),
        "checked_pairs": len(own_notices) * len(peer_notices),
    }


def advise_files(
    own: bytes,
    peer: bytes,
    minima: Minima,
    parties: str = "own,peer",
    earliest_us: int | None = None,
) -> list[dict[str, object]]:
    """What would clear each conflict of two files: the records of docs/spec/advice.md, in the order of their ids.

    Args:
        parties: ``OWN,PEER``: with the ids that the parties have, the minima of their agreement and the time that
            a node's advice states, the bytes are those of that node.

    Raises:
        UsageError: as `check_files`; ``parties-malformed``.
    """
    names = parties.split(",")
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise UsageError(
            "parties-malformed",
            f"parties are {shown(parties)}; they must be two names with a comma between",
            field="--parties",
        )
    rules = Rules(build_minima(minima.lateral_tenth_mm, minima.vertical_tenth_mm, minima.time_us))
    sides = [
        [Standing(f"{party}:{notice.name}", party, notice, rules) for notice in _parse(data, side)]
        for party, data, side in ((names[0], own, "own"), (names[1], peer, "peer"))
    ]
    index = LiveVolumes()
    for standing in sides[1]:
        index.insert(standing.id, standing.notice)
    by_id = {standing.id: standing for side in sides for standing in side}
    found = []
    for one in sides[0]:
        for key, verdict in index.check_against(one.notice, rules):
            if verdict.verdict == "touch":
                continue
            rest = [other for other in by_id.values() if other.id not in (one.id, key)]
            found.append(advise(one, by_id[key], rest, earliest_us=earliest_us).record())
    return sorted(found, key=lambda record: str(record["notices"]))


def exit_code(result: dict[str, object]) -> int:
    """0 clear, 1 conflict, 3 cannot tell."""
    return EXIT_CODES[str(result["verdict"])]


def describe(result: dict[str, object]) -> str:
    """The answer as text for a person; every altitude names its datum.

    Args:
        result: what `check_files` returned.
    """
    lines = []
    conflicts = result["conflicts"]
    touches = result["touches"]
    assert isinstance(conflicts, list)
    assert isinstance(touches, list)
    headings = {
        "conflict": "CONFLICT",
        "cannot-tell": "CANNOT TELL: altitudes cannot be compared closely enough",
        "clear": "CLEAR",
    }
    lines.append(headings[str(result["verdict"])])
    for entry in conflicts:
        label = "conflict" if entry["verdict"] == "conflict" else "cannot tell"
        lines.append(f"  {label}  {entry['own']} / {entry['peer']}: {entry['reason']}")
    for entry in touches:
        lines.append(f"  touch  {entry['own']} / {entry['peer']}: {entry['reason']}")
    for record in cast("list[dict[str, Any]]", result.get("advice", [])):
        lines.append(
            f"  {'  x  '.join(record['notices'])}: {say_reason(record['reason'], len(record['against']))}"
        )
        lines += [f"    {one['key']:<24} {say_moves(one['moves'])}" for one in record["options"]]
    pairs = result["checked_pairs"]
    lines.append(f"{pairs} {'pair' if pairs == 1 else 'pairs'} of notices checked.")
    lines.append("This compares two files. It is no permission and no promise of safety.")
    return "\n".join(lines)


def _parse(data: bytes, side: str) -> tuple[ActivityNotice, ...]:
    try:
        return parse_notices_geojson(data, most_bytes=CHECK_FILE_BYTES)
    except UsageError as error:
        field = f"{side}: {error.field}" if error.field else side
        raise UsageError(error.code, error.message, hint=error.hint, field=field) from None


def _conflict(own: str, peer: str, verdict: PairVerdict) -> dict[str, object]:
    return {
        "own": own,
        "peer": peer,
        "verdict": verdict.verdict,
        "from": None if verdict.from_us is None else format_time(verdict.from_us),
        "until": None if verdict.until_us is None else format_time(verdict.until_us),
        "lower_ft": _feet(verdict.lower_tenth_mm),
        "upper_ft": _feet(verdict.upper_tenth_mm),
        "datum": verdict.datum,
        "reason": verdict.reason,
    }


def _feet(tenth_mm: int | None) -> int | float | None:
    if tenth_mm is None:
        return None
    feet = Fraction(tenth_mm, TENTH_MM_PER_FT)
    return int(feet) if feet.denominator == 1 else round(float(feet), 4)

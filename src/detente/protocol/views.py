"""Views: what the ledger says, as plain documents for people and scripts. Nothing here is stored."""

from __future__ import annotations

from typing import Any

import msgspec

from detente.airspace.altitude import format_altitude
from detente.errors import UsageError
from detente.interop.geojson import notice_to_geojson
from detente.notice.activity import parse_activity_body
from detente.protocol.core import Core
from detente.protocol.fold import NoticeState, Receipt, Version
from detente.protocol.journal import Json
from detente.protocol.ladder import ladder_rows, units_said
from detente.protocol.rules import TYPES
from detente.protocol.statement import body_values
from detente.signing.canonical import encode_canonical
from detente.units import US_PER_S, format_time


def notice_rows(core: Core, now_us: int) -> list[Json]:
    """All notices, newest start first, then by id; and what was filed and still waits unsigned."""
    rows = [_notice_row(core, notice, now_us) for notice in core.state.notices.values()]
    signed = set(core.state.notices)
    for intent in core.intents.values():
        if intent.thread and intent.notice is not None and intent.notice not in signed:
            values = body_values(intent.openings)
            volumes = parse_activity_body(
                values, name=intent.thread["id"].partition(":")[2], exercise=intent.exercise
            )
            rows.append(
                {
                    "id": intent.thread["id"],
                    "version": intent.thread["version"],
                    "party": core.identity.party,
                    "EXERCISE": intent.exercise,
                    "state": "waiting",
                    "phase": phase(volumes.start_us, volumes.end_us, now_us),
                    "received": None,
                    "start": format_time(volumes.start_us),
                    "end": format_time(volumes.end_us),
                    "lead_time_s": None,
                    "late": False,
                    "activity": volumes.activity,
                    "to": list(intent.to),
                }
            )
    rows.sort(key=lambda row: row["id"])
    rows.sort(key=lambda row: row["start"], reverse=True)
    return rows


def phase(start_us: int, end_us: int, now_us: int) -> str:
    """Where an interval stands against the clock: planned, active or ended."""
    return "planned" if now_us < start_us else ("active" if now_us < end_us else "ended")


def _receipts(core: Core, version: Version) -> dict[str, Receipt]:
    return {
        to: r
        for to, s in version.statements.items()
        if (r := core.state.receipts.get(s)) is not None
    }


def notice_state(core: Core, notice: NoticeState, *, waits: bool | None = None) -> str:
    """One word for a notice: waiting, filed, delivered, refused, received or cancelled.

    Own notices are delivered when every recipient of the latest version has given its receipt.

    Args:
        waits: whether something about it waits unsigned, where the caller knows.
    """
    latest = notice.latest
    if latest.cancel:
        return "cancelled"
    if notice.party != core.identity.party:
        return "received"
    receipts = _receipts(core, latest)
    if any(r.answer != "delivered" for r in receipts.values()):
        return "refused"
    if waits is None:
        waits = any(i.notice == notice.id for i in core.intents.values())
    return "delivered" if len(receipts) == len(latest.statements) and not waits else "filed"


def received_us(core: Core, notice: NoticeState, version: Version) -> int | None:
    """When a version was received: by us, or first by a recipient of ours (its own clock)."""
    if notice.party != core.identity.party:
        return version.known_us
    return min((r.received_us for r in _receipts(core, version).values()), default=None)


def _notice_row(core: Core, notice: NoticeState, now_us: int) -> Json:
    latest = notice.latest
    received = received_us(core, notice, latest)
    volumes = core.volumes(notice.id)
    lead_s = (latest.start_us - received) / US_PER_S if received is not None else None
    return {
        "id": notice.id,
        "version": latest.number,
        "party": notice.party,
        "EXERCISE": notice.exercise,
        "state": notice_state(core, notice),
        "phase": phase(latest.start_us, latest.end_us, now_us),
        "received": format_time(received) if received is not None else None,
        "start": format_time(latest.start_us),
        "end": format_time(latest.end_us),
        "lead_time_s": lead_s,
        "late": lead_s is not None
        and lead_s < agreed_lead_s(core, latest.agreement, volumes.activity if volumes else ""),
        "activity": volumes.activity if volumes else None,
        "to": sorted(latest.statements),
    }


def agreed_lead_s(core: Core, agreement: str, activity: str) -> int:
    """The least lead time an agreement asks for."""
    found = core.state.agreements.get(agreement)
    times = found.terms.lead_times_s if found else {}
    return times.get(activity, times.get("default", 0))


def find_notice(core: Core, name: str) -> str:
    """The full id of a notice: ``party:name``, or a bare name of our own.

    Raises:
        UsageError: ``notice-unknown``.
    """
    for candidate in (name, f"{core.identity.party}:{name}"):
        if candidate in core.state.notices or candidate in core.state.filed_versions:
            return candidate
    raise UsageError(
        "notice-unknown",
        f"notice id is {name!r}; it must be one in this record",
        hint="see: detente notice list DIR",
        field="id",
    )


def show_notice(core: Core, notice_id: str, now_us: int) -> Json:
    """Everything about one notice: versions, volumes, receipts, conflicts."""
    notice_id = find_notice(core, notice_id)
    notice = core.state.notices.get(notice_id)
    if notice is None:
        row = next(row for row in notice_rows(core, now_us) if row["id"] == notice_id)
        return {**row, "versions": [], "conflicts": [], "geojson": None}
    versions = []
    for number in sorted(notice.versions):
        version = notice.versions[number]
        received = received_us(core, notice, version)
        versions.append(
            {
                "version": number,
                "kind": "cancel" if version.cancel else ("new" if number == 1 else "replace"),
                "body": version.body_digest,
                "known": format_time(version.known_us),
                "received": format_time(received) if received is not None else None,
                "statements": dict(sorted(version.statements.items())),
                "receipts": [receipt_json(r) for _, r in sorted(_receipts(core, version).items())],
                "ladder": msgspec.to_builtins(ladder_rows(core.state, notice, number)),
                "units": {
                    party: units_said(core, id_)
                    for party, id_ in sorted(version.statements.items())
                },
                **_closed(core, version),
            }
        )
    volumes = core.volumes(notice_id)
    return {
        **_notice_row(core, notice, now_us),
        "versions": versions,
        "conflicts": conflict_rows(core, notice_id),
        "precedence": volumes.precedence if volumes else None,
        "region": volumes.region if volumes else None,
        "text": volumes.text if volumes else None,
        "bands": sorted({f"{piece.lower} to {piece.upper}" for piece in volumes.pieces})
        if volumes
        else [],
        "geojson": notice_to_geojson(volumes) if volumes else None,
        "reason": _cancel_reason(core, notice),
    }


def _closed(core: Core, version: Version) -> Json:
    """Which fields of a version were said and are closed: withheld from whom, and destroyed here by whom."""
    withheld = {}
    gone: dict[str, Json] = {}
    for party, id_ in sorted(version.statements.items()):
        found = core.journal.statement(id_)
        if found is not None and found[0].withheld:
            withheld[party] = list(found[0].withheld)
        for one in core.state.openings.destroyed.get(id_, ()):
            gone[one.field] = {
                "field": one.field,
                "time": format_time(one.time_us),
                "officers": one.officers,
                "reason": one.reason,
            }
    return {"withheld": withheld, "destroyed": [gone[field] for field in sorted(gone)]}


def _cancel_reason(core: Core, notice: NoticeState) -> str | None:
    if not notice.latest.cancel:
        return None
    found = core.journal.statement(min(notice.latest.statements.values()))
    return body_values(found[1]).get("reason") if found else None


def receipt_json(receipt: Receipt) -> Json:
    """A receipt as people read it."""
    return {
        "party": receipt.party,
        "answer": receipt.answer,
        "rule": receipt.rule,
        "received": format_time(receipt.received_us),
        "flags": receipt.flags,
        "opened": format_time(receipt.opened_us) if receipt.opened_us is not None else None,
        "opened_desk": receipt.opened_desk,
        "receipt": receipt.receipt,
        "statement": receipt.statement,
    }


def receipts_of(core: Core, wanted: str) -> Json:
    """The receipts of a notice (all versions and recipients) or of one statement."""
    try:
        notice = core.state.notices.get(find_notice(core, wanted))
    except UsageError:
        receipt = core.state.receipts.get(wanted)
        if receipt is None:
            raise
        return {"id": wanted, "receipts": [receipt_json(receipt)], "missing": []}
    if notice is None:
        return {"id": wanted, "receipts": [], "missing": ["waiting for a line to open"]}
    receipts, missing = [], []
    for number in sorted(notice.versions):
        for to, statement in sorted(notice.versions[number].statements.items()):
            found = core.state.receipts.get(statement)
            if found is None:
                missing.append(f"version {number} to {to}")
            else:
                receipts.append({"version": number, **receipt_json(found)})
    return {"id": notice.id, "receipts": receipts, "missing": missing}


def conflict_rows(core: Core, notice: str | None = None) -> list[Json]:
    """Recorded conflicts (of one notice, or all), live first, conflicts above cannot-tell, then by time and id."""
    rows = []
    for conflict in core.state.conflicts.values():
        record = conflict.record
        if notice is not None and all(one["id"] != notice for one in record["notices"]):
            continue
        rows.append(
            {
                "id": conflict.id,
                "verdict": record["verdict"],
                "notices": [one["id"] for one in record["notices"]],
                "versions": [one["version"] for one in record["notices"]],
                "from": _time(record.get("from_us")),
                "until": _time(record.get("until_us")),
                "state": "live" if conflict.live(core.state.notices) else "resolved",
                "EXERCISE": record["EXERCISE"],
                "lower": _altitude(record, "lower_tenth_mm"),
                "upper": _altitude(record, "upper_tenth_mm"),
                "place": _place(record.get("place")),
                "reason": record["reason"],
                "seen": format_time(conflict.seen_us),
                "record": record,
            }
        )
    rank = {"conflict": 0, "cannot-tell": 1}
    rows.sort(key=lambda r: (r["state"] != "live", rank[r["verdict"]], r["from"] or "", r["id"]))
    return rows


def _time(value: Any) -> str | None:
    return format_time(value) if isinstance(value, int) else None


def _altitude(record: Json, name: str) -> str | None:
    value, datum = record.get(name), record.get("datum")
    return (
        format_altitude(value, datum) if isinstance(value, int) and isinstance(datum, str) else None
    )


def _place(place: Any) -> Json | None:
    """A record's place ([longitude, latitude] in 1e-9 degree) in degrees, for people."""
    if not isinstance(place, list | tuple) or len(place) != 2:
        return None
    return {"lat": place[1] / 1e9, "lon": place[0] / 1e9}


def find_statements(core: Core, wanted: str) -> list[str]:
    """Statement ids for a notice (``party:name``, ``party:name@version``), or the statement itself.

    Raises:
        UsageError: ``notice-unknown`` or ``version-unknown``.
    """
    if core.journal.statement(wanted) is not None:
        return [wanted]
    name, _, number = wanted.partition("@")
    notice = core.state.notices.get(find_notice(core, name))
    if notice is None:
        raise UsageError(
            "not-yet-signed",
            f"{wanted} waits for a line to open; there is nothing signed to prove yet",
            field="id",
        )
    versions = [v for n, v in sorted(notice.versions.items()) if number in ("", str(n))]
    if not versions:
        raise UsageError(
            "version-unknown",
            f"version is {number!r}; it must be one of {', '.join(map(str, notice.versions))}",
            field="id",
        )
    return sorted(versions[-1].statements.values())


def type_code(type_: str) -> str:
    """The message code of a statement type, for lists; empty for an unknown one."""
    return TYPES[type_].code if type_ in TYPES else ""


def projection(core: Core) -> bytes:
    """Everything the views are made from, as canonical bytes: what a rebuild must reproduce."""
    state = core.state
    return encode_canonical(
        {
            "acknowledged": msgspec.to_builtins(state.acknowledged),
            "alarms": msgspec.to_builtins(state.alarms),
            "ceases": state.ceases,
            "urgent": msgspec.to_builtins(state.urgent),
            "lines": _keyed_by_text(msgspec.to_builtins(state.lines)),
            "roster": msgspec.to_builtins(state.roster),
            "conflicts": {k: v.record for k, v in state.conflicts.items()},
            "filed": [state.filed_versions, sorted(state.filed_cancels)],
            "heads": msgspec.to_builtins([state.made, state.received]),
            "ladders": msgspec.to_builtins(state.ladders),
            "openings": msgspec.to_builtins(state.openings),
            "owed": msgspec.to_builtins(state.owed),
            "passed": msgspec.to_builtins(state.passed),
            "resolution": msgspec.to_builtins(state.resolution),
            "talk": msgspec.to_builtins(state.talk),
            "live": core.live_ids(),
            "raised": msgspec.to_builtins(state.raised),
            "resolved": {k: v.resolved for k, v in state.conflicts.items()},
            "trail": state.trail,
            "notices": msgspec.to_builtins({k: _plain(v) for k, v in state.notices.items()}),
            "receipts": msgspec.to_builtins(state.receipts),
            "root": core.tree.root().hex(),
            "size": core.tree.size,
        }
    )


def _keyed_by_text(value: Any) -> Any:
    """A plain value whose keys are texts, as canonical bytes need them."""
    if isinstance(value, dict):
        return {str(key): _keyed_by_text(one) for key, one in value.items()}
    return [_keyed_by_text(one) for one in value] if isinstance(value, list) else value


def _plain(notice: NoticeState) -> Json:
    versions = {
        str(number): msgspec.to_builtins(version) for number, version in notice.versions.items()
    }
    return {"exercise": notice.exercise, "party": notice.party, "versions": versions}

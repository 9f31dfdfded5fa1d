"""The question: was there prior notice? An area, an interval, perhaps a party; no id is needed."""

from __future__ import annotations

from typing import Any

from detente.errors import UsageError
from detente.notice.activity import ActivityNotice, parse_activity_body
from detente.protocol.asked import area_query, check_interval, find_meeting
from detente.protocol.core import Core
from detente.protocol.fold import NoticeState, Version
from detente.protocol.interval import Interval, lead_between
from detente.protocol.journal import Json
from detente.protocol.seen import received_interval
from detente.protocol.statement import body_values
from detente.protocol.vouched import vouched, vouched_words
from detente.units import US_PER_S, format_time

LIMITS = (
    "This is what stands in this node's record. It shows what was notified to or by this node, not what flew.",
    "Notices between other parties, which were not addressed to this node, are not in it.",
    "A notice is a claim by the party that made it; that it was made and received is proved by the bundle (detente prove).",
)


def ask(core: Core, area: bytes, from_us: int, until_us: int, by: str | None, now_us: int) -> Json:
    """The notices whose volumes met an area during an interval, at any altitude, with their lead times.

    Args:
        area: GeoJSON geometry or feature.
        by: only notices of this party.

    Returns:
        The document of the contract: notices, complete_until, limits.

    Raises:
        UsageError: the interval is empty, the party unknown, or the area malformed.
    """
    check_interval(from_us, until_us)
    state = core.state
    known = {core.identity.party, *state.peers}
    if by is not None and by not in known:
        raise UsageError(
            "party-unknown",
            f"party is {by!r}; it must be one of {', '.join(sorted(known))}",
            field="by",
        )
    rows = []
    for exercise in (True, False):
        query = area_query(area, from_us, until_us, exercise=exercise)
        for notice in state.notices.values():
            if notice.exercise == exercise and by in (None, notice.party):
                rows += _versions(core, notice, query)
    rows.sort(key=lambda row: (row["start"], row["id"], row["version"]))
    complete = _complete_until(core, by, now_us)
    limits = [*LIMITS, _completeness(core, by, complete, until_us), vouched_words(vouched(core))]
    waiting = sorted({i.notice for i in core.intents.values() if i.notice is not None})
    if waiting:
        limits.append(
            f"Filed here and not yet signed to every recipient, because a line is down: {', '.join(waiting)}."
        )
    return {
        "notices": rows,
        "complete_until": format_time(complete) if complete is not None else None,
        "limits": limits,
    }


def _versions(core: Core, notice: NoticeState, query: ActivityNotice) -> list[Json]:
    rows = []
    for version in notice.versions.values():
        if version.cancel:
            continue
        statement_id = min(version.statements.values())
        found = core.journal.statement(statement_id)
        values = body_values(found[1]) if found else {}
        if "pieces" not in values:
            continue
        volumes = parse_activity_body(
            values, name=notice.id.partition(":")[2], exercise=notice.exercise
        )
        verdict = find_meeting(volumes, query)
        if verdict is None:
            continue
        rows.append(_row(core, notice, version, volumes, verdict))
    return rows


def _row(
    core: Core, notice: NoticeState, version: Version, volumes: ActivityNotice, verdict: Any
) -> Json:
    own = notice.party == core.identity.party
    receipts = [
        r for s in version.statements.values() if (r := core.state.receipts.get(s)) is not None
    ]
    received = min((r.received_us for r in receipts), default=None) if own else version.known_us
    intervals = _received(core, version)
    between = lead_between(version.start_us, intervals)
    earliest = min(intervals, key=lambda one: one.claimed, default=None)
    newer = [v for n, v in sorted(notice.versions.items()) if n > version.number]
    return {
        "id": notice.id,
        "version": version.number,
        "party": notice.party,
        "EXERCISE": notice.exercise,
        "activity": volumes.activity,
        "start": format_time(version.start_us),
        "end": format_time(version.end_us),
        "state": "live" if not newer else ("cancelled" if newer[0].cancel else "replaced"),
        "superseded": format_time(newer[0].known_us) if newer else None,
        "received": format_time(received) if received is not None else None,
        "received_by": sorted(r.party for r in receipts) if own else [core.identity.party],
        "lead_time_s": (version.start_us - received) / US_PER_S if received is not None else None,
        "lead_time_between_s": list(between) if between is not None else None,
        "not_before": earliest.not_before if earliest else None,
        "not_after": earliest.not_after if earliest else None,
        "by": earliest.by if earliest else [],
        "overlap": {"from": format_time(verdict.from_us), "until": format_time(verdict.until_us)},
        "proof": f"detente prove DIR {notice.id}@{version.number} -o BUNDLE",
    }


def _received(core: Core, version: Version) -> list[Interval]:
    """When each addressee that has said so had it, by the clocks of others."""
    found = []
    for statement_id in version.statements.values():
        kept, entry = core.journal.statement(statement_id), core.journal.entry_of(statement_id)
        interval = received_interval(core, kept[0], entry) if kept and entry else None
        if interval is not None:
            found.append(interval)
    return found


def _complete_until(core: Core, by: str | None, now_us: int) -> int | None:
    """Until when everything the asked parties sent us is surely in this record."""
    if by == core.identity.party:
        return now_us
    peers = [by] if by is not None else core.state.peers
    times = [core.link(peer).synced_us or core.journal.value(f"synced:{peer}") for peer in peers]
    return min(times) if times and all(t is not None for t in times) else None


def _completeness(core: Core, by: str | None, complete: int | None, until_us: int) -> str:
    who = by or "every other party"
    if complete is None:
        return (
            f"It is not known that anything {who} sent has all arrived: heads were never compared."
        )
    text = f"The record of what {who} sent to this node is complete until {format_time(complete)}"
    return (
        f"{text}; the interval asked for ends later, so more may still come."
        if complete < until_us
        else f"{text}."
    )

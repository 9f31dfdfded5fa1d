"""The history of one notice: what the ledger holds about it, and what proves it.

Rows say codes and values; a console puts them into words. docs/spec/console.md, section 6, is the
normative text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from detente.agreement.revocation import Doubt
from detente.errors import UsageError
from detente.ledger.checkpoint import parse_checkpoint, split_time
from detente.ledger.note import parse_note
from detente.ledger.proof import parse_log_proof
from detente.protocol.core import Core
from detente.protocol.fold import ConflictState, Version
from detente.protocol.interval import Interval
from detente.protocol.journal import Entry, Json
from detente.protocol.ladder import difference
from detente.protocol.opening import ASKED, DESTROYED, DISCLOSED
from detente.protocol.seen import made_interval, received_interval
from detente.protocol.stamped import own_stamp
from detente.protocol.statement import Statement, body_values
from detente.protocol.views import find_notice
from detente.units import US_PER_S, format_time

EventKind = Literal[
    "filed",
    "signed",
    "received",
    "cancelled",
    "delivered",
    "refused",
    "opened",
    "opened-told",
    "conflict",
    "conflict-resolved",
    "alarm",
    "alarm-acknowledged",
    "cease",
    "cease-reply",
    "cease-effective",
    "emergency",
    "emergency-reply",
    "escalated",
    "message",
    "answer",
    "call",
    "call-agreed",
    "receipt-filed",
    "read-back",
    "read-back-differs",
    "disseminated",
    "acted",
    "deadline-passed",
    "no-answer",
    "disclosed",
    "destruction-asked",
    "destroyed",
    "other",
]


# what is said beside the notice itself: its kind, and body fields by the name they have in the values
_BESIDE: dict[str, tuple[EventKind, dict[str, str]]] = {
    "hotline/cease": ("cease", {"reason": "reason", "place": "place", "text": "text"}),
    "hotline/cease-reply": ("cease-reply", {"reply": "reply", "text": "text"}),
    "hotline/cease-effective": ("cease-effective", {"at": "at", "text": "text"}),
    "hotline/emergency": (
        "emergency",
        {"kind": "emergency", "place": "place", "at": "at", "text": "text"},
    ),
    "hotline/emergency-reply": ("emergency-reply", {"reply": "reply", "text": "text"}),
    "talk/message": (
        "message",
        {
            "desk": "to_desk",
            "precedence": "precedence",
            "language": "language",
            "text": "text",
            "phrase": "phrase",
            "slots": "slots",
            "translator": "translator",
        },
    ),
    "talk/answer": ("answer", {"message": "about", "answer": "answer", "text": "text"}),
    "talk/call": (
        "call",
        {
            name: name
            for name in (
                *("line", "began", "answered_after_s", "held_s", "ended", "language"),
                *("interpreter", "summary"),
            )
        }
        | {"desk": "to_desk"},
    ),
    "talk/call-agreed": ("call-agreed", {"call": "about", "agrees": "agrees", "text": "text"}),
}


class HistoryRow(msgspec.Struct, frozen=True):
    """One thing that happened to a notice.

    Attributes:
        time: this node's clock when it came into the ledger; other clocks' times are in `values`.
        party: whose act it was.
        desk: the desk that acted, as it said itself.
        entry: its number in this ledger; None for what follows from another entry.
        statement: the statement that says so, None for a local entry.
        values: what else there is to say, by kind: see docs/spec/console.md.
    """

    time: str
    kind: EventKind
    party: str
    officer: str | None
    desk: str | None
    version: int | None
    entry: int | None
    statement: str | None
    values: dict[str, Any]


class Timeline(msgspec.Struct, frozen=True):
    """Everything the ledger holds about one notice, oldest first."""

    id: str
    party: str
    rows: list[HistoryRow]


def timeline(core: Core, notice_id: str) -> Timeline:
    """What the ledger holds about a notice, oldest first.

    Raises:
        UsageError: ``notice-unknown``.
    """
    notice_id = find_notice(core, notice_id)
    rows: list[tuple[int, HistoryRow]] = []
    told: set[str] = set()
    for index in core.state.trail.get(notice_id, []):
        entry = core.journal.entry(index)
        if entry is None:
            continue
        rows += [(index, row) for row in _rows(core, notice_id, entry, told)]
    for conflict in core.state.conflicts.values():
        if conflict.resolved is not None and any(
            one["id"] == notice_id for one in conflict.record["notices"]
        ):
            rows.append((conflict.resolved, _resolved(core, notice_id, conflict)))
    rows.sort(
        key=lambda one: one[0]
    )  # stable: what an entry says stands before what follows from it
    return Timeline(notice_id, notice_id.partition(":")[0], [row for _, row in rows])


def _rows(core: Core, notice_id: str, entry: Entry, told: set[str]) -> Iterator[HistoryRow]:
    if entry.local is not None:
        row = _local(core, notice_id, entry, entry.local)
        if row is not None:
            if row.kind == "opened":
                told.add(str(row.statement))
            yield row
        return
    found = core.journal.statement(entry.statement or "")
    if found is None:
        return
    statement, values = found[0], body_values(found[1])
    kind, more = _said(core, entry, statement, values)
    if kind == "opened" and statement.party == core.identity.party and values["statement"] in told:
        kind = "opened-told"
    yield HistoryRow(
        time=format_time(entry.header.time_us),
        kind=kind,
        party=statement.party,
        officer=None,
        desk=statement.desk,
        version=statement.thread.version if statement.thread and statement.notice else None,
        entry=entry.index,
        statement=statement.id,
        values={"to": statement.recipient, **more},
    )


def _local(core: Core, notice_id: str, entry: Entry, local: Json) -> HistoryRow | None:
    type_ = local["type"]
    kind: EventKind = "other"
    version, statement, party, values = None, None, core.identity.party, {}
    if type_ == "notice/filed":
        kind, version = "filed", local["version"]
        values = {"to": local["to"], "said": local["said"]}
    elif type_ == "notice/opened":
        kind, statement = "opened", local["statement"]
        notice = core.state.notices[notice_id]
        version = next(
            (n for n, v in notice.versions.items() if statement in v.statements.values()), None
        )
    elif type_ == "conflict/advisory":
        kind, values = "conflict", _conflict_values(notice_id, local["conflict"])
        version = values.pop("version")
    elif type_ == "alarm/acknowledged":
        raised = core.state.raised.get(local["alarm"])
        kind = "alarm-acknowledged"
        values = {
            "alarm": local["alarm"],
            "alarm_kind": raised.kind if raised else None,
            "role": local["role"],
        }
    elif type_ == "receipt/filed":
        kind, values = "receipt-filed", {"said": local["said"], "about": local["about"]}
    elif type_ == "read-back/compared":
        if local["comparison"] is None or local["comparison"]["agrees"]:
            return None  # the read-back itself says all there is
        kind, party, statement = "read-back-differs", local["party"], local["read_back"]
        values = {
            **local["comparison"],
            "message": difference(local["comparison"]),
            "about": local["statement"],
        }
    elif type_ == "deadline/passed":
        what = local["expectation"]
        kind, party = "deadline-passed", what["by"]
        values = {"expected": what["expected"], "due": local["due"], "about": what["statement"]}
    elif type_ == "urgent/escalated":
        urgent = core.state.urgent.known[local["urgent"]]
        kind, party = "escalated", urgent.to
        values = {
            "about": urgent.id,
            "urgent": urgent.kind,
            "step": local["step"],
            "desk": local["desk"],
            "due": format_time(local["due_us"]),
        }
    elif type_ == DISCLOSED:
        kind, values = "disclosed", {name: local[name] for name in ("field", "to", "reason")}
        statement, version = _opening_of(core, local)
    elif type_ in (ASKED, DESTROYED):
        kind = "destroyed" if type_ == DESTROYED else "destruction-asked"
        officers = local["officers"] if type_ == DESTROYED else [local["officer"]]
        values = {"field": local["field"], "reason": local["reason"], "officers": officers}
        statement, version = _opening_of(core, local)
    elif type_ == "alarm":
        kind, values = "alarm", {"code": local["code"], "message": local["message"]}
    else:
        return None
    return HistoryRow(
        time=format_time(entry.header.time_us),
        kind=kind,
        party=party,
        officer=local.get("officer"),
        desk=local.get("desk"),
        version=version,
        entry=entry.index,
        statement=statement,
        values=values,
    )


def _opening_of(core: Core, local: Json) -> tuple[str, int | None]:
    """The first of the copies that an entry about an opening names, and its version."""
    first = str(local["statements"][0])
    found = core.journal.statement(first)
    return first, found[0].thread.version if found and found[0].thread else None


def _ends(found: Interval | None) -> Json | None:
    """Between when and when, by whose clocks; None where there is no such time."""
    if found is None:
        return None
    return {"not_before": found.not_before, "not_after": found.not_after, "by": found.by}


def _said(
    core: Core, entry: Entry, statement: Statement, values: Json
) -> tuple[EventKind, dict[str, Any]]:
    """What a statement is in the history of a notice, and its values."""
    if statement.type.startswith("activity/"):
        outcome, _, rule = entry.outcome.partition(":")
        more: dict[str, Any] = {
            "claimed": format_time(statement.claimed_us),
            "answer": outcome,
            "rule": rule or None,
            "made_between": _ends(made_interval(core, statement, entry)),
        }
        if entry.header.kind == "received":
            more["received_between"] = _ends(received_interval(core, statement, entry))
        if statement.type == "activity/cancel":
            return "cancelled", {**more, "reason": values.get("reason")}
        return ("signed" if entry.header.kind == "made" else "received"), more
    if statement.type == "receipt/delivered":
        kind: EventKind = "delivered" if values["answer"] == "delivered" else "refused"
        return kind, {
            "answer": values["answer"],
            "rule": values["rule"],
            "flags": values["flags"],
            "received": values["received"],
            "about": values["statement"],
            "of": _type_of(core, values["statement"]),
            "received_between": _received_ends(core, values["statement"]),
        }
    if statement.type == "receipt/opened":
        return "opened", {
            "opened": values["opened"],
            "about": values["statement"],
            "of": _type_of(core, values["statement"]),
        }
    if statement.type == "receipt/read-back":
        return "read-back", {
            "from": values["from"],
            "until": values["until"],
            "place": values["place"],
            "words": values.get("words"),
            "about": values["statement"],
        }
    if statement.type == "receipt/disseminated":
        return "disseminated", {"units": values["units"], "about": values["statement"]}
    if statement.type == "receipt/acted":
        return "acted", {
            "action": values["action"],
            "at": values["at"],
            "text": values.get("text"),
            "about": values["statement"],
        }
    if statement.type == "receipt/no-answer":
        return "no-answer", {
            "expected": values["expected"],
            "due": values["due"],
            "tries": values["tries"],
            "about": values["statement"],
        }
    if statement.type in _BESIDE:
        return _beside(core, statement, values)
    return "other", {"type": statement.type}


def _beside(core: Core, statement: Statement, values: Json) -> tuple[EventKind, dict[str, Any]]:
    kind, names = _BESIDE[statement.type]
    found = {name: values.get(field) for field, name in names.items()}
    about = core.state.urgent.replies.get(statement.id)
    return kind, found if about is None else {**found, "about": about}


def _received_ends(core: Core, statement_id: str) -> Json | None:
    found, entry = core.journal.statement(statement_id), core.journal.entry_of(statement_id)
    if found is None or entry is None:
        return None
    return _ends(received_interval(core, found[0], entry))


def _type_of(core: Core, statement: str) -> str | None:
    """What a receipt is about: beside a notice's versions, requests and messages earn receipts too."""
    found = core.journal.statement(statement)
    return None if found is None else found[0].type


def _conflict_values(notice_id: str, record: Json) -> dict[str, Any]:
    own, other = sorted(record["notices"], key=lambda one: bool(one["id"] != notice_id))
    times = {
        name: None if record[f"{name}_us"] is None else format_time(record[f"{name}_us"])
        for name in ("from", "until")
    }
    return {
        "version": own["version"],
        "conflict": record["id"],
        "verdict": record["verdict"],
        "with": other["id"],
        "with_version": other["version"],
        "reason": record["reason"],
        **times,
    }


def _resolved(core: Core, notice_id: str, conflict: ConflictState) -> HistoryRow:
    assert conflict.resolved is not None
    entry = core.journal.entry(conflict.resolved)
    assert entry is not None
    by = next(
        (
            one["id"]
            for one in conflict.record["notices"]
            if conflict.resolved in core.state.trail.get(one["id"], ())
        ),
        notice_id,
    )
    values = _conflict_values(notice_id, conflict.record)
    version = values.pop("version")
    return HistoryRow(
        time=format_time(entry.header.time_us),
        kind="conflict-resolved",
        party=by.partition(":")[0],
        officer=None,
        desk=None,
        version=version,
        entry=None,
        statement=entry.statement,
        values={**values, "by": by},
    )


# -- proof ---------------------------------------------------------------------------------------


class CheckpointRow(msgspec.Struct, frozen=True):
    """A signed head of a log.

    Attributes:
        time: when the log signed it, by its own word.
        cosigned_by: parties whose cosignatures of it are in this node's store.
    """

    origin: str
    size: int
    root: str
    time: str | None
    cosigned_by: list[str]


class DestroyedField(msgspec.Struct, frozen=True):
    """A field whose opening was destroyed here: when, by whom and why."""

    field: str
    time: str
    officers: list[str]
    reason: str


class StampRow(msgspec.Struct, frozen=True):
    """That an authority of time stamps stamped a head of this node's log.

    Attributes:
        verified: it led to the certificate in the node's settings when it came.
    """

    authority: str
    time: str
    size: int
    verified: bool


class ReceiptProof(msgspec.Struct, frozen=True):
    """The recipient's receipt.

    Attributes:
        statement: id of the receipt.
        entry: number of the statement in the recipient's log, under `checkpoint` of that log.
        opened_statement: id of the receipt that says a desk opened it.
        not_before, not_after, by: when it was received, by the clocks of others; None where nobody bounds it.
    """

    statement: str
    party: str
    answer: str
    rule: str | None
    received: str
    entry: int
    checkpoint: CheckpointRow
    opened: str | None
    opened_statement: str | None
    not_before: str | None
    not_after: str | None
    by: list[str]
    doubt: Doubt | None = None


class StatementProof(msgspec.Struct, frozen=True):
    """What proves one statement.

    Attributes:
        id: of the signed bytes.
        digest: of the body, the same for all recipients.
        entry: its number in this node's ledger.
        checkpoint: the head that covers it and that the most cosigned; None before the first one.
        not_before, not_after, by: when it was made, by the clocks of others; None where nobody bounds it.
        withheld: fields that were said and are closed in this record, destroyed ones apart.
        open: fields that a bundle would show, and can leave out.
        stamp: the oldest head with it that an authority of time stamps stamped.
        doubt: its key was revoked as of a time before it was logged here; null where nothing is to be said.
    """

    id: str
    type: str
    digest: str
    sender: str
    recipient: str
    chain: str
    sequence: int
    claimed: str
    entry: int
    logged: str
    checkpoint: CheckpointRow | None
    receipt: ReceiptProof | None
    not_before: str | None
    not_after: str | None
    by: list[str]
    withheld: list[str]
    destroyed: list[DestroyedField]
    open: list[str]
    stamp: StampRow | None
    doubt: Doubt | None = None


class Proof(msgspec.Struct, frozen=True):
    """What proves the newest version of a notice.

    Attributes:
        bundle: where to get the bundle.
        file: a name for it.
        command: what checks it offline, given the agreement that both signed.
    """

    id: str
    version: int
    exercise: bool
    statements: list[StatementProof]
    bundle: str
    file: str
    command: str


def proof(core: Core, notice_id: str) -> Proof:
    """What proves the newest version of a notice.

    Raises:
        UsageError: ``notice-unknown``; ``not-yet-signed`` where nothing was signed yet.
    """
    notice_id = find_notice(core, notice_id)
    notice = core.state.notices.get(notice_id)
    if notice is None:
        raise UsageError(
            "not-yet-signed",
            f"{notice_id} waits for a line to open; there is nothing signed to prove yet",
            field="id",
        )
    latest = notice.latest
    name = f"{notice_id.replace(':', '-')}-v{latest.number}.bundle"
    return Proof(
        id=notice_id,
        version=latest.number,
        exercise=notice.exercise,
        statements=[_proof(core, latest, one) for _, one in sorted(latest.statements.items())],
        bundle=f"/api/v1/bundles/{notice_id}@{latest.number}",
        file=name,
        command=f"detente verify {name} --trust agreement.json",
    )


def _proof(core: Core, version: Version, statement_id: str) -> StatementProof:
    found, entry = core.journal.statement(statement_id), core.journal.entry_of(statement_id)
    assert found is not None
    assert entry is not None
    statement, openings = found
    made = made_interval(core, statement, entry)
    destroyed = core.state.openings.destroyed.get(statement_id, [])
    return StatementProof(
        id=statement.id,
        type=statement.type,
        digest=version.body_digest,
        sender=statement.party,
        recipient=statement.recipient,
        chain=statement.chain,
        sequence=statement.sequence,
        claimed=format_time(statement.claimed_us),
        entry=entry.index,
        logged=format_time(entry.header.time_us),
        checkpoint=_covering(core, entry.index),
        receipt=_receipt(core, statement, entry),
        not_before=made.not_before,
        not_after=made.not_after,
        by=made.by,
        withheld=sorted(set(statement.body) - set(openings) - {one.field for one in destroyed}),
        destroyed=[
            DestroyedField(one.field, format_time(one.time_us), one.officers, one.reason)
            for one in destroyed
        ],
        open=sorted(openings),
        stamp=_stamp(core, entry.index),
        doubt=_doubt(core, statement),
    )


def _stamp(core: Core, index: int) -> StampRow | None:
    found = own_stamp(core, index)
    if found is None:
        return None
    time = format_time(found.stamp.time_s * US_PER_S)
    return StampRow(found.stamp.authority, time, found.size, found.verified)


def _doubt(core: Core, statement: Statement) -> Doubt | None:
    entry = core.journal.entry_of(statement.id)
    if entry is None or core.state.is_vouched(statement.id):
        return None
    return core.state.keys.doubt(statement.party, statement.key, entry.header.time_us)


def _covering(core: Core, index: int) -> CheckpointRow | None:
    for cosigned in (True, False):
        found = core.journal.checkpoint_from(index + 1, cosigned=cosigned)
        if found is not None:
            return _checkpoint(found[1], sorted(core.journal.cosignatures(found[0])))
    return None


def _checkpoint(text: str, cosigned_by: list[str]) -> CheckpointRow:
    note = parse_note(text)
    checkpoint = parse_checkpoint(note)
    # of the log's two lines the one by ML-DSA-44, much the longer, carries the time
    lines = [line for line in note.signatures if line.name == checkpoint.origin]
    time_s = split_time(max(lines, key=lambda line: len(line.signature)))[0] if lines else None
    return CheckpointRow(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        time=None if time_s is None else format_time(time_s * US_PER_S),
        cosigned_by=cosigned_by,
    )


def _receipt(core: Core, statement: Statement, entry: Entry) -> ReceiptProof | None:
    receipt = core.state.receipts.get(statement.id)
    kept = core.journal.statement(receipt.receipt) if receipt is not None else None
    if receipt is None or kept is None:
        return None
    found = parse_log_proof(body_values(kept[1])["proof"])
    received = received_interval(core, statement, entry)
    assert received is not None
    return ReceiptProof(
        statement=receipt.receipt,
        party=receipt.party,
        answer=receipt.answer,
        rule=receipt.rule,
        received=format_time(receipt.received_us),
        entry=found.index,
        checkpoint=_checkpoint(found.checkpoint, []),
        opened=format_time(receipt.opened_us) if receipt.opened_us is not None else None,
        opened_statement=receipt.opened,
        not_before=received.not_before,
        not_after=received.not_after,
        by=received.by,
        doubt=_doubt(core, kept[0]),
    )

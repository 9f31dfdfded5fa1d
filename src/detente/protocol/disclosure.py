"""Opening a field to somebody, and destroying what opens it: both leave every proof valid, both are recorded."""

from __future__ import annotations

from typing import Any

import msgspec

from detente.errors import RefusedError, UsageError
from detente.limits import TEXT_CHARS
from detente.protocol.core import Core
from detente.protocol.journal import Json
from detente.protocol.opening import (
    ASKED,
    DESTROYED,
    DESTRUCTIBLE,
    DISCLOSED,
    encode_opening,
)
from detente.protocol.rules import earns_receipt
from detente.protocol.statement import (
    Openings,
    Statement,
    body_digest,
    body_values,
    commit_openings,
)
from detente.units import format_time

BACKUPS = "every backup made before now; after restoring one, give this command again"


class Destruction(msgspec.Struct, frozen=True):
    """What became of a wish to destroy.

    Attributes:
        done: False where a second officer has to ask for the same.
        elsewhere: what this node cannot reach: copies that others hold.
    """

    field: str
    statements: list[str]
    done: bool
    asked_by: list[str]
    elsewhere: list[str]


def disclose(
    core: Core,
    statement_ids: list[str],
    field: str,
    *,
    to: str,
    reason: str,
    now_us: int,
    officer: str,
    desk: str,
) -> bytes:
    """The file that opens one field, and the entry that says to whom it was given (B-OPEN-2).

    Raises:
        UsageError: no such field, it is not open here, or nobody is named.
    """
    _check_words(to=to, reason=reason)
    found = _statements(core, statement_ids, field)
    statement, openings = found[0]
    if field not in openings:
        raise UsageError(
            "opening-missing",
            f"{field} of statement {statement.id[:12]} is not open in this record; {_why(core, statement, field)}",
            field="field",
        )
    core.append_local(
        now_us,
        DISCLOSED,
        officer=officer,
        desk=desk,
        notice=statement.notice,
        statements=[one.id for one, _ in found],
        field=field,
        to=to,
        reason=reason,
    )
    return encode_opening(statement, field, openings[field])


def destroy(
    core: Core,
    statement_ids: list[str],
    field: str,
    *,
    reason: str,
    now_us: int,
    officer: str,
    desk: str,
    alone: bool,
) -> Destruction:
    """Destroy the openings of a field in every copy of a body, or be the first of two officers to ask (B-DESTROY-1).

    The caller folds the record anew afterwards, since what is in memory still has the value.

    Args:
        alone: this officer needs no second one: the owner of the directory.

    Raises:
        UsageError: no such field, or nothing to destroy.
        RefusedError: ``opening-needed``, ``opening-live``, ``opening-undelivered``, ``opening-drafted``
            or ``second-officer``.
    """
    _check_words(reason=reason)
    found = _statements(core, statement_ids, field)
    ids = [statement.id for statement, _ in found]
    held = [openings for _, openings in found if field in openings]
    if not held:
        raise UsageError(
            "opening-missing",
            f"{field} is not open in this record; {_why(core, found[0][0], field)}",
            field="field",
        )
    for statement, openings in found:
        _check_may_destroy(core, statement, openings, field, now_us)
    first = next((core.state.openings.asked.get(one, {}).get(field) for one in ids), None)
    statement = found[0][0]
    about: Json = {
        "desk": desk,
        "notice": statement.notice,
        "statements": ids,
        "field": field,
        "reason": reason,
    }
    if first is None and not alone:
        core.append_local(now_us, ASKED, officer=officer, **about)
        return Destruction(field, ids, False, [officer], [])
    if first == officer and not alone:
        raise RefusedError(
            "second-officer",
            f"{officer} has asked for it already; another officer must ask for the same",
        )
    officers = [one for one in (first, officer) if one is not None]
    kept = _kept(held[0], field)
    for one in ids:
        core.journal.destroy_opening(one, field)
    core.append_local(now_us, DESTROYED, officers=officers, kept=kept, **about)
    holders = sorted({p for one, _ in found for p in (one.party, *one.to)} - {core.identity.party})
    return Destruction(
        field,
        ids,
        True,
        officers,
        [*(f"{party}: its own copy, in its own record" for party in holders), BACKUPS],
    )


def _statements(core: Core, ids: list[str], field: str) -> list[tuple[Statement, Openings]]:
    found = [one for one in map(core.journal.statement, ids) if one is not None]
    if not found:
        raise UsageError("statement-unknown", "the statement is not in this record", field="id")
    fields = sorted(found[0][0].body)
    if field not in fields:
        raise UsageError(
            "field-unknown",
            f"field is {field!r}; it must be one of {', '.join(fields)}",
            field="field",
        )
    return found


def _why(core: Core, statement: Statement, field: str) -> str:
    for one in core.state.openings.destroyed.get(statement.id, ()):
        if one.field == field:
            return f"it was destroyed on {format_time(one.time_us)} by {', '.join(one.officers)}: {one.reason}"
    return "its maker withheld it"


def _check_may_destroy(
    core: Core, statement: Statement, openings: Openings, field: str, now_us: int
) -> None:
    may = DESTRUCTIBLE.get(statement.type, ())
    if field not in may:
        raise RefusedError(
            "opening-needed",
            f"{field} of {statement.type} cannot be destroyed: the record needs it; of this type {', '.join(may) or 'nothing'} can",
            field="field",
        )
    notice = core.state.notices.get(statement.notice or "")
    if (
        field == "pieces"
        and notice is not None
        and not notice.cancelled
        and statement.thread is not None
        and statement.thread.version == notice.latest.number
        and notice.latest.end_us > now_us
    ):
        raise RefusedError(
            "opening-live",
            f"{notice.id} is live until {format_time(notice.latest.end_us)}; its pieces must stay until it is over or cancelled",
            hint="cancel it first, or wait",
        )
    made = statement.party == core.identity.party
    waits = any(
        statement.body_digest == body_digest(commit_openings(intent.openings))
        for intent in core.intents.values()
    )
    if waits or (
        made and earns_receipt(statement.type) and statement.id not in core.state.receipts
    ):
        raise RefusedError(
            "opening-undelivered",
            f"{statement.recipient} has not acknowledged it yet; what is to be sent must be whole",
            hint="wait for its receipt",
        )
    if made and statement.type == "talk/message":
        text = body_values(openings).get("text")
        if any(one["values"].get("text") == text for one in core.journal.locals_of("talk/drafted")):
            raise RefusedError(
                "opening-drafted",
                "the text stands in the draft that a second officer released, which is part of a leaf",
            )


def _kept(openings: Openings, field: str) -> list[Json] | None:
    """What the fold goes on needing of a notice's pieces: from when until when."""
    if field != "pieces":
        return None
    pieces: list[dict[str, Any]] = openings["pieces"][1]
    times = [(one["start"], one["end"]) for one in pieces]
    return [{"start": min(t[0] for t in times), "end": max(t[1] for t in times)}]


def _check_words(**words: str) -> None:
    for name, value in words.items():
        if not 1 <= len(value.strip()) <= TEXT_CHARS:
            raise UsageError(
                "words-missing",
                f"{name} is {value!r}; it must say something, in at most {TEXT_CHARS} characters",
                field=name,
            )

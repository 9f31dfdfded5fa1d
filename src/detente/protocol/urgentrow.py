"""Urgent matters as a console shows them: what was asked, what was answered, and its two clocks.

docs/spec/console.md, section 3, is the normative text of these rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, cast

import msgspec

from detente.hotline.cease import EmergencyKind, UrgentKind, UrgentStatus, elapsed
from detente.hotline.escalation import due_us, next_step
from detente.protocol.core import Core
from detente.protocol.journal import Intent, Json
from detente.protocol.statement import body_values
from detente.protocol.urgent import Urgent, UrgentReply, steps
from detente.units import NANODEG_PER_DEG, format_time

_ASKING: dict[str, UrgentKind] = {"hotline/cease": "cease", "hotline/emergency": "emergency"}
_ANSWERING = ("hotline/cease-reply", "hotline/cease-effective", "hotline/emergency-reply")

Move = Literal["ceasing", "cannot", "not-us", "effective", "heard", "assisting"]


class UrgentPlace(msgspec.Struct, frozen=True):
    """A position, in degrees."""

    lat: float
    lon: float


class UrgentAbout(msgspec.Struct, frozen=True):
    """What it belongs to."""

    kind: Literal["notice", "conflict"]
    id: str


class NextStep(msgspec.Struct, frozen=True):
    """The step up that comes if nobody answers, by this node's clock."""

    at: str
    desk: str
    number: int


class UrgentReplyRow(msgspec.Struct, frozen=True):
    """Something that was said about it.

    Attributes:
        time: when it was said, by its maker's clock.
        received: when it came in, by the clock of who asked; None while that is not known here.
        at: since when it is effective, as who ceased says; None for a reply.
    """

    party: str
    desk: str
    move: Move
    text: str | None
    time: str
    received: str | None
    at: str | None


class UrgentRow(msgspec.Struct, frozen=True):
    """A cease request or an emergency between two parties.

    Attributes:
        id: of the statement; ``waiting:NUMBER:PARTY`` while it waits unsigned for the line.
        party, to: who asked, who was asked.
        open: nobody has answered, and it moves up.
        asked: by the ledger of who asked; received: by the ledger of who was asked.
        step, desk: the last step up, 0 and None before the first.
        next_step: None where nothing moves up.
        reason, place_words: of a cease request.
        emergency, place: of an emergency; place None where nobody knows it.
        first_reply_s, effective_s: from asked to the first reply and to effective, by the ledger of who
            asked; by the other where that is not known here.
        waiting: the request, or an answer of ours, is filed and not signed: the line is down.
        replies_waiting: what we have said in those answers.
    """

    id: str
    kind: UrgentKind
    party: str
    to: str
    exercise: bool
    status: UrgentStatus
    open: bool
    asked: str
    received: str | None
    step: int
    desk: str | None
    next_step: NextStep | None
    reason: str | None
    emergency: EmergencyKind | None
    place: UrgentPlace | None
    place_words: str | None
    text: str | None
    about: UrgentAbout | None
    replies: list[UrgentReplyRow]
    first_reply_s: float | None
    effective_s: float | None
    waiting: bool
    replies_waiting: list[Move]


def answers_waiting(core: Core) -> dict[str, list[Move]]:
    """By what is answered: answers of ours that are filed and not signed, in the order they were said."""
    found: dict[str, list[Move]] = {}
    for _, intent in sorted(core.intents.items()):
        if intent.type in _ANSWERING:
            values = body_values(intent.openings)
            about = values.get("emergency") or (intent.thread or {}).get("id", "")
            found.setdefault(about, []).append(cast("Move", values.get("reply", "effective")))
    return found


def urgent_rows(core: Core, since: int = 0) -> list[UrgentRow]:
    """What changed after revision `since`, oldest first, then what waits unsigned.

    Whatever waits for a line is there always: that it was signed is seen by its row being gone.
    """
    waiting = answers_waiting(core)
    known = [
        urgent_row(core, urgent, waiting)
        for urgent in core.state.urgent.known.values()
        if urgent.index >= since or urgent.id in waiting
    ]
    return [*known, *_waiting_rows(core)]


def said_before(core: Core) -> frozenset[str]:
    """The ids of all rows there are: what is said next has others."""
    waiting = (row.id for row in _waiting_rows(core))
    return frozenset((*core.state.urgent.known, *waiting))


def rows_said(core: Core, before: Collection[str]) -> list[UrgentRow]:
    """The rows of what was said since `said_before`, by recipient."""
    known = core.state.urgent.known
    rows = [urgent_row(core, urgent, {}) for id_, urgent in known.items() if id_ not in before]
    rows += [row for row in _waiting_rows(core) if row.id not in before]
    return sorted(rows, key=lambda row: row.to)


def urgent_row(
    core: Core, urgent: Urgent, waiting: Mapping[str, Sequence[Move]] | None = None
) -> UrgentRow:
    """The row of one matter.

    Args:
        waiting: what `answers_waiting` said a moment ago, for who asks for many.
    """
    ours = list((answers_waiting(core) if waiting is None else waiting).get(urgent.id, ()))
    is_open = urgent.id in core.state.urgent.unanswered
    about = urgent.about
    return UrgentRow(
        id=urgent.id,
        kind=urgent.kind,
        party=urgent.party,
        to=urgent.to,
        exercise=urgent.exercise,
        status=urgent.status,
        open=is_open,
        asked=format_time(urgent.asked.asker_us or 0),
        received=_time(urgent.asked.receiver_us),
        step=urgent.step,
        desk=urgent.desk,
        next_step=_next_step(core, urgent) if is_open else None,
        **_said(urgent.kind, urgent.values),
        about=_about(None if about is None else msgspec.to_builtins(about)),
        replies=[_reply_row(urgent, reply) for reply in urgent.replies],
        first_reply_s=_took_s(urgent, urgent.first_reply),
        effective_s=_took_s(urgent, urgent.effective),
        waiting=bool(ours),
        replies_waiting=ours,
    )


def _waiting_rows(core: Core) -> Iterator[UrgentRow]:
    for _, intent in sorted(core.intents.items()):
        if intent.type in _ASKING:
            for peer in sorted(intent.waiting):
                yield _waiting_row(core, intent, peer)


def _waiting_row(core: Core, intent: Intent, peer: str) -> UrgentRow:
    kind = _ASKING[intent.type]
    return UrgentRow(
        id=f"waiting:{intent.number}:{peer}",
        kind=kind,
        party=core.identity.party,
        to=peer,
        exercise=intent.exercise,
        status="asked",
        open=True,
        asked=format_time(intent.filed_us),
        received=None,
        step=0,
        desk=None,
        next_step=None,
        **_said(kind, body_values(intent.openings)),
        about=_about(intent.thread),
        replies=[],
        first_reply_s=None,
        effective_s=None,
        waiting=True,
        replies_waiting=[],
    )


def _said(kind: UrgentKind, values: Json) -> Json:
    place = values.get("place")
    if kind == "cease":
        special = {"reason": values["reason"], "place_words": place, "emergency": None}
        place = None
    else:
        special = {"reason": None, "place_words": None, "emergency": values["kind"]}
    where = (
        None
        if place is None
        else UrgentPlace(lat=place["lat"] / NANODEG_PER_DEG, lon=place["lon"] / NANODEG_PER_DEG)
    )
    return {**special, "place": where, "text": values.get("text")}


def _about(thread: Json | None) -> UrgentAbout | None:
    return None if thread is None else UrgentAbout(kind=thread["kind"], id=thread["id"])


def _next_step(core: Core, urgent: Urgent) -> NextStep | None:
    step = next_step(steps(core.state, urgent), urgent.step)
    if step is None or urgent.counted_from_us is None:
        return None
    return NextStep(format_time(due_us(step, urgent.counted_from_us)), step.desk, step.number)


def _reply_row(urgent: Urgent, reply: UrgentReply) -> UrgentReplyRow:
    return UrgentReplyRow(
        party=urgent.to,
        desk=reply.desk,
        move=cast("Move", reply.move),
        text=reply.text,
        time=format_time(reply.when.receiver_us or 0),
        received=_time(reply.when.asker_us),
        at=_time(reply.at_us),
    )


def _took_s(urgent: Urgent, reply: UrgentReply | None) -> float | None:
    took = None if reply is None else elapsed(urgent.asked, reply.when)
    if took is None:
        return None
    return took.receiver_s if took.asker_s is None else took.asker_s


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)

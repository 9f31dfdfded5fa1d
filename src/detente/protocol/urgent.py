"""Urgent matters as the ledger tells them: cease requests and emergencies, answered or moving up.

Each copy of a request is a matter of its own between two parties: its id is that of the statement.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from detente.errors import RefusedError
from detente.hotline.cease import OPEN, Moment, UrgentKind, UrgentStatus, after_move
from detente.hotline.escalation import Step, due_us, next_step, steps_of
from detente.limits import BACK_STEP_US, DEADLINES_AT_ONCE
from detente.protocol.cause import Raised
from detente.protocol.deadlines import Expectation, expectation_id, owe, settle
from detente.protocol.journal import Entry, Json
from detente.protocol.statement import Statement, Thread
from detente.units import format_time, parse_time

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State


REPLY = "reply"


class UrgentReply(msgspec.Struct):
    """Something that was said about an urgent matter.

    Attributes:
        move: what was said, as the tables of `detente.hotline.cease` name it.
        desk: that answered.
        when: in either ledger.
        at_us: since when it is effective, as who ceased says; None for a reply.
    """

    statement: str
    move: str
    desk: str
    when: Moment
    text: str | None = None
    at_us: int | None = None


class Urgent(msgspec.Struct):
    """One cease request or emergency between two parties.

    Attributes:
        id: of the statement that asked.
        party, to: who asked, who was asked.
        agreement: under which it was said; its desks and steps count.
        asked: in either ledger.
        about: the notice or conflict that it belongs to.
        counted_from_us: since when this node counts the steps, by its own clock: when it received the
            request, or the receipt that says that it was received. None while it is not.
        counted_back_us: by how much the own clock had been set back until then, in all.
        step, desk: the last step up, 0 and None before the first.
        index: the entry with which it changed last.
    """

    id: str
    kind: UrgentKind
    party: str
    to: str
    exercise: bool
    agreement: str
    values: Json
    asked: Moment
    about: Thread | None = None
    counted_from_us: int | None = None
    counted_back_us: int = 0
    status: UrgentStatus = "asked"
    step: int = 0
    desk: str | None = None
    replies: list[UrgentReply] = []
    index: int = 0

    @property
    def notice(self) -> str | None:
        """The notice that it belongs to, or None."""
        return self.about.id if self.about is not None and self.about.kind == "notice" else None

    @property
    def alarm(self) -> str:
        """The id of its alarm at who was asked."""
        return f"{self.kind}:{self.id}"

    @property
    def first_reply(self) -> UrgentReply | None:
        """What was said first; nothing while it is unanswered."""
        return self.replies[0] if self.replies else None

    @property
    def effective(self) -> UrgentReply | None:
        """Who ceased says that it has."""
        return next((one for one in self.replies if one.move == "effective"), None)


class Urgents(msgspec.Struct):
    """All urgent matters of a ledger.

    Attributes:
        known: by id, in the order of the ledger.
        unanswered: those of them that move up.
        replies: reply's statement to what it is about.
        early: replies of ours that a recovery brought back before what they answer.
    """

    known: dict[str, Urgent] = {}
    unanswered: dict[str, Urgent] = {}
    replies: dict[str, str] = {}
    early: dict[str, list[UrgentReply]] = {}


def begin_urgent(
    state: State, entry: Entry, statement: Statement, kind: UrgentKind, values: Json
) -> None:
    """A request was made or received."""
    now_us = entry.header.time_us
    received = entry.header.kind == "received"
    urgent = Urgent(
        id=statement.id,
        kind=kind,
        party=statement.party,
        to=statement.recipient,
        exercise=statement.exercise,
        agreement=statement.agreement or "",
        values=values,
        asked=Moment(statement.claimed_us, now_us) if received else Moment(now_us, None),
        about=statement.thread,
        counted_from_us=now_us if received else None,
        counted_back_us=state.set_back_us,
        index=entry.index,
    )
    state.urgent.known[urgent.id] = state.urgent.unanswered[urgent.id] = urgent
    if received:
        state.raise_alarm(
            Raised(
                id=urgent.alarm,
                kind=kind,
                index=entry.index,
                time_us=now_us,
                exercise=statement.exercise,
                notices=() if statement.notice is None else (statement.notice,),
                statement=statement.id,
                party=statement.party,
                code=str(values["kind"]) if kind == "emergency" else "cease",
                message=_words(kind, values),
            )
        )
    for early in state.urgent.early.pop(urgent.id, []):
        _take_reply(state, urgent, early, entry.index)


def _words(kind: UrgentKind, values: Json) -> str:
    fields = ("reason", "place", "text") if kind == "cease" else ("kind", "text")
    return " · ".join(str(values[field]) for field in fields if values.get(field))


def note_reply(
    state: State, entry: Entry, statement: Statement, about: str, move: str, values: Json
) -> None:
    """Something was said about a request."""
    now_us = entry.header.time_us
    received = entry.header.kind == "received"  # then it is the asker who takes it in
    reply = UrgentReply(
        statement=statement.id,
        move=move,
        desk=str(values["desk"]),
        when=Moment(now_us, statement.claimed_us) if received else Moment(None, now_us),
        text=values.get("text"),
        at_us=parse_time(values["at"]) if "at" in values else None,
    )
    state.urgent.replies[statement.id] = about
    urgent = state.urgent.known.get(about)
    if urgent is None:
        state.urgent.early.setdefault(about, []).append(reply)
        return
    _take_reply(state, urgent, reply, entry.index)
    _note_notice(state, urgent, entry.index)


def _note_notice(state: State, urgent: Urgent, index: int) -> None:
    """What belongs to a notice stands in its history, answers and steps too."""
    if urgent.notice in state.notices:
        state.note(urgent.notice, index)


def _take_reply(state: State, urgent: Urgent, reply: UrgentReply, index: int) -> None:
    # what does not follow (said again after a loss, say) stands with the rest and changes nothing
    with contextlib.suppress(RefusedError):
        urgent.status = after_move(urgent.kind, urgent.status, reply.move)
    urgent.replies = [*urgent.replies, reply]
    urgent.index = index
    if urgent.status not in OPEN:
        settle(state, expectation_id(REPLY, urgent.id), index)
        state.urgent.unanswered.pop(urgent.id, None)


def note_receipt(state: State, entry: Entry, values: Json) -> None:
    """A receipt: when what was said was received, by the clock of who received it."""
    statement, received_us = values["statement"], parse_time(values["received"])
    urgent = state.urgent.known.get(statement)
    if entry.header.kind != "received":
        if urgent is not None:  # after a recovery our own entry is of another time
            urgent.asked = Moment(urgent.asked.asker_us, received_us)
        return
    if urgent is not None:
        if values["answer"] == "delivered":
            urgent.asked = Moment(urgent.asked.asker_us, received_us)
            urgent.counted_from_us = entry.header.time_us
            urgent.counted_back_us = state.set_back_us
        else:
            state.urgent.unanswered.pop(statement, None)  # refused: the alarm of that says so
        urgent.index = entry.index
        return
    urgent = state.urgent.known.get(state.urgent.replies.get(statement, ""))
    if urgent is not None:
        for reply in urgent.replies:
            if reply.statement == statement:
                reply.when = Moment(received_us, reply.when.receiver_us)
        urgent.index = entry.index


def apply_escalated(state: State, entry: Entry, local: Json) -> None:
    """A step up was taken: the desk above is called, also where a desk below had seen the alarm."""
    urgent = state.urgent.known[local["urgent"]]
    urgent.status = after_move(urgent.kind, urgent.status, "due-passed")
    urgent.step, urgent.desk, urgent.index = local["step"], local["desk"], entry.index
    state.raise_again(urgent.alarm)
    _note_notice(state, urgent, entry.index)
    due_us = reply_due(state, urgent.id)
    if urgent.step == 1 and due_us is not None:
        # owed only from here on, so that a clock that is off accuses nobody before the time is over
        owe(
            state,
            Expectation(
                expected=REPLY,
                statement=urgent.id,
                by=urgent.to,
                to=urgent.party,
                due_us=due_us,
                exercise=urgent.exercise,
                notice=urgent.notice,
                # the step was taken by this node's own clock: what the receipt says of the time delays nothing
                fires_us=min(due_us, entry.header.time_us),
            ),
        )


# -- steps ---------------------------------------------------------------------------------------


class DueStep(msgspec.Struct, frozen=True, order=True):
    """A step that is or will be due, in order of time."""

    due_us: int
    urgent: str
    number: int
    desk: str


def steps(state: State, urgent: Urgent) -> tuple[Step, ...]:
    """The steps up that the agreement gives: the one it quotes, else the one in force between the two (H-CEA-5)."""
    peer = urgent.to if urgent.party == state.party else urgent.party
    agreement = state.agreements.get(urgent.agreement) or state.agreement_with(peer)
    if agreement is None:
        return ()
    return steps_of(agreement.terms.desks, agreement.terms.escalation_s)


def steps_to_come(state: State) -> Iterator[DueStep]:
    """The next step of each unanswered matter: a function of the ledger alone."""
    for at_us, urgent, step in _steps_to_come(state):
        yield DueStep(at_us, urgent.id, step.number, step.desk)


def _steps_to_come(state: State) -> Iterator[tuple[int, Urgent, Step]]:
    known: dict[tuple[str, str, str], tuple[Step, ...]] = {}  # a flood comes under one agreement
    for urgent in state.urgent.unanswered.values():
        key = urgent.agreement, urgent.party, urgent.to
        if key not in known:
            known[key] = steps(state, urgent)
        due = _next_due(state, urgent, known[key])
        if due is not None:
            yield due[0], urgent, due[1]


def _next_due(state: State, urgent: Urgent, all_steps: tuple[Step, ...]) -> tuple[int, Step] | None:
    step = next_step(all_steps, urgent.step)
    if step is None or urgent.counted_from_us is None:
        return None
    # H-CEA-6: what the clock was set back meanwhile is not waited for a second time
    back_us = state.set_back_us - urgent.counted_back_us
    return due_us(step, urgent.counted_from_us) - back_us, step


def _step_to_come(state: State, urgent: Urgent) -> DueStep | None:
    due = _next_due(state, urgent, steps(state, urgent))
    return None if due is None else DueStep(due[0], urgent.id, due[1].number, due[1].desk)


def reply_due(state: State, id_: str) -> int | None:
    """When a matter should have been answered, by the clock of who was asked: at the first step up."""
    urgent, receipt = state.urgent.known.get(id_), state.receipts.get(id_)
    if urgent is None or receipt is None or receipt.answer != "delivered":
        return None
    step = next_step(steps(state, urgent), 0)
    # the time of the receipt is the same number on both sides, also after a recovery
    return None if step is None else due_us(step, receipt.received_us)


def next_step_due(state: State) -> int | None:
    """When the next step up is due, by this node's clock; None while nothing is unanswered."""
    return min((at_us for at_us, _, _ in _steps_to_come(state)), default=None)


def take_steps(core: Core, now_us: int, most: int = DEADLINES_AT_ONCE) -> list[DueStep]:
    """Take the steps that are due, in order of due time: each is one local entry, once and for ever.

    Returns:
        What was taken, at most `most`, so that a flood of requests holds nobody up: the rest is still due.
        A clock that jumped over several steps takes each of them.
    """
    if core.state.urgent.unanswered and now_us < core.state.last_us - BACK_STEP_US:
        core.append_local(now_us, "clock/set-back", before=format_time(core.state.last_us))
    due = [one for one in steps_to_come(core.state) if one.due_us <= now_us]
    heapq.heapify(due)
    taken: list[DueStep] = []
    while due and len(taken) < most:
        step = heapq.heappop(due)
        core.append_local(
            now_us,
            "urgent/escalated",
            urgent=step.urgent,
            step=step.number,
            desk=step.desk,
            due_us=step.due_us,
        )
        taken.append(step)
        urgent = core.state.urgent.unanswered.get(step.urgent)
        after = None if urgent is None else _step_to_come(core.state, urgent)
        if after is not None and after.due_us <= now_us:
            heapq.heappush(due, after)
    return taken

"""Conversation in the record: its types, their rules, and what they do to the state.

What officers do with it stands in `detente.protocol.conversation`. docs/spec/hotline.md, section 6, is the
normative text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import msgspec

from detente.agreement.card import check_party_id
from detente.errors import RefusedError, UsageError
from detente.hotline.phrasebook import check_phrase
from detente.hotline.talk import (
    ANSWER_MOVES,
    ANSWERS,
    CALL_MOVES,
    CallState,
    MessageState,
    Said,
    answer_due,
)
from detente.limits import CALL_S, NAME_CHARS
from detente.notice.activity import PRECEDENCES, check_name
from detente.protocol.cause import Raised
from detente.protocol.deadlines import (
    Dues,
    Expectation,
    bounded_us,
    expectation_id,
    owe,
    settle,
)
from detente.protocol.effect import Alert, Effect
from detente.protocol.form import Type, check_text, check_value, is_time, matches
from detente.protocol.journal import Entry, Json
from detente.protocol.statement import Statement, Thread, is_desk
from detente.units import US_PER_S, parse_time

if TYPE_CHECKING:
    from detente.protocol.fold import State

AFTER_STANDBY = "answer-after-standby"
ALARMING = (
    "flash",
    "urgent",
)  # routine and priority ring nobody: their deadline does, once it passes
KINDS = ("notice", "conflict", "cease", "talk")

TYPES: dict[str, Type] = {
    "talk/message": Type(
        "C1",
        ("desk", "language", "precedence"),
        ("phrase", "slots", "text", "translator"),
        thread="must",
        kinds=KINDS,
    ),
    "talk/answer": Type("C2", ("answer", "message"), ("text",), thread="must", kinds=KINDS),
    "talk/call": Type(
        "H1",
        ("answered_after_s", "began", "desk", "ended", "held_s", "language", "line", "summary"),
        ("interpreter",),
        thread="must",
        kinds=KINDS,
    ),
    "talk/call-agreed": Type("H1", ("agrees", "call"), ("text",), thread="must", kinds=KINDS),
}

is_language = matches(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_is_hex_id = matches(r"[0-9a-f]{64}")


class AnswerSaid(msgspec.Struct, frozen=True):
    """One answer: by whom, by its maker's clock and when it came into this ledger."""

    statement: str
    party: str
    answer: str
    text: str | None
    claimed_us: int
    time_us: int
    late: bool


class Message(msgspec.Struct):
    """One copy of a message, to one recipient.

    Attributes:
        from_desk, desk: from which desk to which.
        due_us: when the answer is due, by the receiver's clock; None until it is delivered.
        index: the entry that answered it last, or that said it.
    """

    statement: str
    thread: str
    party: str
    to: str
    from_desk: str
    desk: str
    precedence: str
    language: str
    text: str | None
    phrase: str | None
    slots: Json
    translator: str | None
    claimed_us: int
    time_us: int
    length_s: int
    state: MessageState = "asked"
    stood_by: bool = False
    received_us: int | None = None
    due_us: int | None = None
    answers: list[AnswerSaid] = []
    index: int = 0


class Call(msgspec.Struct):
    """One copy of a call record: a party's claim until the other side has signed that it agrees."""

    statement: str
    thread: str
    party: str
    to: str
    values: Json
    claimed_us: int
    time_us: int
    state: CallState = "claimed"
    said: list[AnswerSaid] = []


class Draft(msgspec.Struct, frozen=True):
    """A message of the leaders that one officer wrote and another has yet to release."""

    number: int
    officer: str
    desk: str
    time_us: int
    thread: Json
    to: tuple[str, ...]
    exercise: bool
    values: Json


class Talk(msgspec.Struct):
    """One thread of conversation.

    Attributes:
        index: the entry that said the last thing in it.
        messages, calls: statement ids in the order of the ledger.
        flags: by pair of parties, whether what they say in it is EXERCISE; the first word between them says.
    """

    thread: Thread
    exercise: bool
    index: int
    parties: list[str] = []
    messages: list[str] = []
    calls: list[str] = []
    flags: dict[str, bool] = {}


class Talks(msgspec.Struct):
    """All conversation: threads by key (`talk_key`), messages and calls by statement id, drafts by number.

    Attributes:
        early: by statement, answers of ours that a recovery brought back before what they answer.
    """

    threads: dict[str, Talk] = {}
    messages: dict[str, Message] = {}
    calls: dict[str, Call] = {}
    drafts: dict[str, Draft] = {}
    early: dict[str, list[AnswerSaid]] = {}


def talk_key(thread: Thread) -> str:
    """A thread's name among all kinds: ``KIND:ID``.

    Example:
        >>> talk_key(Thread("north:T-1", "talk", 1))
        'talk:north:T-1'
    """
    return f"{thread.kind}:{thread.id}"


# -- rules ---------------------------------------------------------------------------------------


def check_talk_thread(thread: Thread, parties: tuple[str, ...]) -> None:
    """Raise unless a thread is one that can be talked in.

    Whether the notice, conflict or cease request is known here is not asked: with three parties a
    message may arrive before what it is about, and must not be refused for that.

    Raises:
        RefusedError: ``thread-wrong``.
    """
    if thread.kind in ("conflict", "cease"):
        good = _is_hex_id(thread.id)
    else:
        party, _, name = thread.id.partition(":")
        try:
            good = check_party_id(party, field="thread") in parties and bool(check_name(name))
        except UsageError:
            good = False
    if not good or (thread.kind != "notice" and thread.version != 1):
        raise RefusedError(
            "thread-wrong",
            f"thread is {thread.kind} {thread.id!r} version {thread.version}; it must be PARTY:NAME of a notice, or of a "
            "talk, or the id of a conflict or cease request, version 1",
            field="thread",
        )


def exercise_of(state: State, thread: Thread, *pair: str) -> bool | None:
    """Whether what two parties say in a thread is EXERCISE: as its matter is, else as the first word between them; None before it.

    What a third party says in a thread binds nobody else.
    """
    matter: bool | None = None
    if thread.kind == "notice" and (notice := state.notices.get(thread.id)) is not None:
        matter = notice.exercise
    elif thread.kind == "cease" and (urgent := state.urgent.known.get(thread.id)) is not None:
        matter = urgent.exercise
    elif thread.kind == "conflict" and (conflict := state.conflicts.get(thread.id)) is not None:
        matter = bool(conflict.record["EXERCISE"])
    known = state.talk.threads.get(talk_key(thread))
    if matter is None and known is not None:
        matter = known.flags.get("|".join(sorted(pair)))
    return matter


def _check_thread(state: State, statement: Statement) -> str:
    thread = statement.thread
    assert thread is not None
    check_talk_thread(thread, state.agreements[statement.agreement or ""].parties)
    of_thread = exercise_of(state, thread, statement.party, statement.recipient)
    if of_thread not in (None, statement.exercise):
        raise RefusedError(
            "exercise-flip", "EXERCISE must not change within a thread", field="EXERCISE"
        )
    return talk_key(thread)


def _check_message(state: State, statement: Statement, values: Json) -> None:
    """H-TAL-1: text in one language, or a phrase with typed slots, and never both."""
    _check_thread(state, statement)
    check_value(values, "desk", is_desk, "a desk's name")
    check_value(values, "precedence", lambda one: one in PRECEDENCES, " or ".join(PRECEDENCES))
    check_value(values, "language", is_language, "a language's code, such as en or ru")
    if ("text" in values) == ("phrase" in values) or ("slots" in values and "text" in values):
        raise RefusedError(
            "message-malformed",
            "message must have a text, or a phrase with its slots, and not both",
            field="text",
        )
    if "text" in values:
        check_text(values, "text")
    else:
        check_phrase(values["phrase"], values.get("slots", {}))
    if "translator" in values:
        check_text(values, "translator", NAME_CHARS)


def _check_answer(state: State, statement: Statement, values: Json) -> None:
    """H-TAL-2: an answer is one of five, to a message that was said to who answers."""
    key = _check_thread(state, statement)
    check_value(values, "answer", lambda one: one in ANSWERS, " or ".join(ANSWERS))
    if "text" in values:
        check_text(values, "text")
    message = state.talk.messages.get(str(values["message"]))
    if message is None or (message.party, message.to, message.thread) != (
        statement.recipient,
        statement.party,
        key,
    ):
        raise RefusedError(
            "answer-wrong",
            "answer must quote a message of its recipient to its maker, in the same thread",
            field="message",
        )
    if (message.state, values["answer"]) not in ANSWER_MOVES:
        may = [said for state_, said in ANSWER_MOVES if state_ == message.state]
        raise RefusedError(
            "answer-out-of-turn",
            f"answer is {values['answer']} to what was answered {message.state}; it must be {' or '.join(may)}",
            field="answer",
        )


def _check_call(state: State, statement: Statement, values: Json) -> None:
    """H-TAL-4: what one party says of a call."""

    def seconds(value: object) -> bool:
        return type(value) is int and 0 <= value <= CALL_S

    _check_thread(state, statement)
    check_value(values, "line", is_desk, "a line's name")
    check_value(values, "desk", is_desk, "a desk's name")
    check_value(values, "began", is_time, "a time")
    check_value(values, "ended", is_time, "a time")
    check_value(values, "held_s", seconds, f"0 to {CALL_S} s")
    check_value(
        values,
        "answered_after_s",
        lambda one: one is None or seconds(one),
        f"0 to {CALL_S} s, or null where nobody answered",
    )
    check_value(values, "language", is_language, "a language's code, such as en or ru")
    check_text(values, "summary")
    if "interpreter" in values:
        check_text(values, "interpreter", NAME_CHARS)
    length_us = parse_time(values["ended"]) - parse_time(values["began"])
    if length_us < ((values["answered_after_s"] or 0) + values["held_s"] - 1) * US_PER_S:
        raise RefusedError(
            "call-times",
            "call must end after it began, and last at least as long as it rang and was held",
            field="ended",
        )


def _check_call_agreed(state: State, statement: Statement, values: Json) -> None:
    key = _check_thread(state, statement)
    check_value(values, "agrees", lambda one: isinstance(one, bool), "true or false")
    if "text" in values:
        check_text(values, "text")
    call = state.talk.calls.get(str(values["call"]))
    if call is None or (call.party, call.to, call.thread) != (
        statement.recipient,
        statement.party,
        key,
    ):
        raise RefusedError(
            "call-wrong",
            "it must quote a call record of its recipient to its maker, in the same thread",
            field="call",
        )
    if (call.state, values["agrees"]) not in CALL_MOVES:
        raise RefusedError(
            "call-out-of-turn",
            f"call record is {call.state}; what both have signed, or one has disputed, must be said once",
            field="agrees",
        )


CHECKS: dict[str, Callable[[State, Statement, Json], None]] = {
    "talk/message": _check_message,
    "talk/answer": _check_answer,
    "talk/call": _check_call,
    "talk/call-agreed": _check_call_agreed,
}


# -- fold ----------------------------------------------------------------------------------------


def _in_thread(state: State, entry: Entry, statement: Statement) -> Talk:
    thread = statement.thread
    assert thread is not None
    talk = state.talk.threads.get(talk_key(thread))
    if talk is None:
        talk = state.talk.threads[talk_key(thread)] = Talk(
            Thread(thread.id, thread.kind, 1), statement.exercise, entry.index
        )
    talk.index = entry.index
    talk.flags.setdefault(
        "|".join(sorted((statement.party, statement.recipient))), statement.exercise
    )
    talk.parties = sorted({*talk.parties, statement.party, statement.recipient})
    return talk


def _apply_message(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    talk = _in_thread(state, entry, statement)
    talk.messages.append(statement.id)
    terms = state.agreements[statement.agreement or ""].terms
    state.talk.messages[statement.id] = Message(
        statement=statement.id,
        thread=talk_key(talk.thread),
        party=statement.party,
        to=statement.recipient,
        from_desk=statement.desk,
        desk=values["desk"],
        precedence=values["precedence"],
        language=values["language"],
        text=values.get("text"),
        phrase=values.get("phrase"),
        slots=values.get("slots", {}),
        translator=values.get("translator"),
        claimed_us=statement.claimed_us,
        time_us=entry.header.time_us,
        index=entry.index,
        length_s=terms.answer_deadlines_s.get(
            values["precedence"], max(terms.answer_deadlines_s.values(), default=0)
        ),
    )
    message = state.talk.messages[statement.id]
    if entry.header.kind == "received" and message.precedence in ALARMING:
        state.raise_alarm(
            Raised(
                id=f"message:{statement.id}",
                kind="message",
                index=entry.index,
                time_us=entry.header.time_us,
                exercise=statement.exercise,
                notices=() if statement.notice is None else (statement.notice,),
                statement=statement.id,
                party=statement.party,
                code=message.precedence,
                message=message.text or message.phrase,
            )
        )
    for said in state.talk.early.pop(statement.id, ()):
        _take_answer(message, said)
    receipt = state.receipts.get(statement.id)
    if receipt is not None and receipt.answer == "delivered":  # ours, brought back before it
        _begin(state, message, statement, receipt.received_us)


def delivered(state: State, statement: Statement, values: Json) -> None:
    """A receipt says that a message was delivered: from now on an answer is owed.

    Args:
        statement: the receipt, ours or theirs.
    """
    message = state.talk.messages.get(values["statement"])
    if message is None or message.received_us is not None:
        return
    _begin(state, message, statement, parse_time(values["received"]))


def _begin(state: State, message: Message, statement: Statement, received_us: int) -> None:
    message.received_us = received_us
    message.due_us = _due(stood_by=message.stood_by)(state, message.statement)
    if message.state in ("asked", "standby"):
        _owe(state, message, statement, AFTER_STANDBY if message.stood_by else "answer")


def _owe(state: State, message: Message, statement: Statement, expected: str) -> None:
    message.due_us = DUES[expected](state, message.statement)
    assert message.due_us is not None
    assert message.received_us is not None
    receipt = state.receipts.get(message.statement)
    received_us = bounded_us(
        message.received_us,
        message.time_us,
        receipt.known_us if receipt is not None else None,
        _limit_s(state, statement),
    )
    fires_us = message.due_us + received_us - message.received_us
    owe(
        state,
        Expectation(
            expected=expected,
            statement=message.statement,
            by=message.to,
            to=message.party,
            due_us=message.due_us,
            exercise=statement.exercise,
            notice=statement.notice,
            fires_us=None if fires_us == message.due_us else fires_us,
        ),
    )


def _limit_s(state: State, statement: Statement) -> int:
    agreement = state.agreements.get(statement.agreement or "")
    return agreement.terms.clock_offset_limit_s if agreement is not None else 0


def _apply_answer(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    """H-TAL-2: a standby ends what was owed and begins a second time of the same length.

    The two are two expectations, so that a standby and the word that no answer came may cross on the line.
    """
    _in_thread(state, entry, statement)
    message = state.talk.messages.get(values["message"])
    said = _said(entry, statement, values["answer"], values.get("text"), message)
    if message is None:
        state.talk.early.setdefault(values["message"], []).append(said)
        return
    _take_answer(message, said)
    message.index = entry.index
    settle(state, expectation_id("answer", message.statement), entry.index)
    if message.state != "standby":
        settle(state, expectation_id(AFTER_STANDBY, message.statement), entry.index)
    elif message.received_us is not None:
        _owe(state, message, statement, AFTER_STANDBY)


def _take_answer(message: Message, said: AnswerSaid) -> None:
    # what a recovery brings back was answered by the other side long ago, and may be out of turn
    after = ANSWER_MOVES.get((message.state, cast("Said", said.answer)))
    if after is None:
        return
    message.state = after
    message.stood_by = message.stood_by or after == "standby"
    message.answers.append(said)


def _said(
    entry: Entry, statement: Statement, what: str, text: str | None, message: Message | None = None
) -> AnswerSaid:
    due_us = None if message is None else message.due_us
    return AnswerSaid(
        statement=statement.id,
        party=statement.party,
        answer=what,
        text=text,
        claimed_us=statement.claimed_us,
        time_us=entry.header.time_us,
        late=due_us is not None and statement.claimed_us > due_us,
    )


def _apply_call(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    talk = _in_thread(state, entry, statement)
    talk.calls.append(statement.id)
    state.talk.calls[statement.id] = Call(
        statement=statement.id,
        thread=talk_key(talk.thread),
        party=statement.party,
        to=statement.recipient,
        values=dict(values),
        claimed_us=statement.claimed_us,
        time_us=entry.header.time_us,
    )
    for said in state.talk.early.pop(statement.id, ()):
        _take_agreed(state.talk.calls[statement.id], said)


def _apply_call_agreed(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    _in_thread(state, entry, statement)
    what = "agrees" if values["agrees"] else "disputes"
    said = _said(entry, statement, what, values.get("text"))
    call = state.talk.calls.get(values["call"])
    if call is None:
        state.talk.early.setdefault(values["call"], []).append(said)
    else:
        _take_agreed(call, said)


def _take_agreed(call: Call, said: AnswerSaid) -> None:
    after = CALL_MOVES.get((call.state, said.answer == "agrees"))
    if after is not None:
        call.state = after
        call.said.append(said)


def _apply_drafted(state: State, entry: Entry, local: Json) -> None:
    state.talk.drafts[str(entry.index)] = Draft(
        number=entry.index,
        officer=local["officer"],
        desk=local["desk"],
        time_us=entry.header.time_us,
        thread=local["thread"],
        to=tuple(local["to"]),
        exercise=local["exercise"],
        values=local["values"],
    )


def _apply_released(state: State, entry: Entry, local: Json) -> None:
    state.talk.drafts.pop(str(local["draft"]), None)


APPLY: dict[str, Callable[[State, Entry, Statement, Json], None]] = {
    "talk/message": _apply_message,
    "talk/answer": _apply_answer,
    "talk/call": _apply_call,
    "talk/call-agreed": _apply_call_agreed,
}
APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {
    "talk/drafted": _apply_drafted,
    "talk/released": _apply_released,
    "talk/discarded": _apply_released,
}


def _due(*, stood_by: bool) -> Callable[[State, str], int | None]:
    def due(state: State, statement: str) -> int | None:
        message = state.talk.messages.get(statement)
        if message is None or message.received_us is None or (stood_by and not message.stood_by):
            return None
        return answer_due(message.received_us, message.length_s, stood_by=stood_by)

    return due


DUES: Dues = {"answer": _due(stood_by=False), AFTER_STANDBY: _due(stood_by=True)}


def told(state: State, statement: Statement) -> list[Effect]:
    """What officers are told when something of a conversation was delivered; never its content."""
    if statement.thread is None:
        return []
    what = {
        "talk/message": ("message", "sent a message"),
        "talk/answer": ("answer", "answered a message"),
        "talk/call": ("call", "sent a call record"),
        "talk/call-agreed": ("call", "answered a call record"),
    }[statement.type]
    key = talk_key(statement.thread)
    return [
        Alert(
            what[0], f"{statement.party} {what[1]} in {key}", statement.party, (key, statement.id)
        )
    ]

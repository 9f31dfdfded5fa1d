"""Conversation as officers hold it: saying, answering, releasing, recording a call; and its rows.

Each function that says something is one transaction, as in `core`. docs/spec/hotline.md, section 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from detente.errors import RefusedError, UnavailableError, UsageError, shown
from detente.hotline.phrasebook import Phrasebook, check_slots, render_phrase
from detente.hotline.talk import LEADERS, CallState, MessageState
from detente.limits import DRAFTS_WAITING, OPENED_AT_ONCE, TALKS_AT_ONCE
from detente.notice.activity import PRECEDENCES
from detente.protocol.core import Core
from detente.protocol.effect import Effect, Send
from detente.protocol.journal import Intent, Json
from detente.protocol.statement import Thread, body_values
from detente.protocol.talk import (
    KINDS,
    AnswerSaid,
    Call,
    Draft,
    Message,
    Talk,
    exercise_of,
    talk_key,
)
from detente.units import format_time

NAME_BYTES = (
    3  # of a drawn thread's name: one in sixteen million, and one that is taken is drawn again
)


One = TypeVar("One", Message, Call)


class Spoken(msgspec.Struct, frozen=True):
    """What became of something said.

    Attributes:
        thread: its key.
        draft: the number under which it waits for a second officer, or None.
        signed: recipients for whom it is signed; for the others it waits for the line.
    """

    thread: str
    to: list[str]
    signed: list[str]
    draft: int | None = None


# -- threads -------------------------------------------------------------------------------------


def draw_thread(core: Core) -> Thread:
    """A new thread of talk, named by this party."""
    while True:
        thread = Thread(f"{core.identity.party}:T-{core.entropy(NAME_BYTES).hex()}", "talk", 1)
        if talk_key(thread) not in core.state.talk.threads:
            return thread


def find_thread(core: Core, wanted: str) -> Thread:
    """The thread that a text names: ``KIND:ID``, or a bare id of a talk, a notice, a conflict or a cease request.

    The statement of a message or a call record names the thread that it was said in.

    Raises:
        UsageError: ``thread-unknown``.
    """
    state = core.state
    kind, _, id_ = wanted.partition(":")
    if kind in KINDS and id_:
        return _versioned(core, kind, id_)
    for candidate in (wanted, f"{core.identity.party}:{wanted}"):
        if f"talk:{candidate}" in state.talk.threads:
            return Thread(candidate, "talk", 1)
        if candidate in state.notices or candidate in state.filed_versions:
            return _versioned(core, "notice", candidate)
    if wanted in state.conflicts:
        return Thread(wanted, "conflict", 1)
    if any(one["statement"] == wanted for one in state.ceases):
        return Thread(wanted, "cease", 1)
    said = state.talk.messages.get(wanted) or state.talk.calls.get(wanted)
    if said is not None:
        return state.talk.threads[said.thread].thread
    raise UsageError(
        "thread-unknown",
        f"thread is {shown(wanted)}; it must be a notice, a conflict, a cease request or a talk in this record",
        hint="leave it out to begin a new one; see: detente talk list DIR",
        field="thread",
    )


def _versioned(core: Core, kind: str, id_: str) -> Thread:
    if kind != "notice":
        return Thread(id_, kind, 1)
    notice = core.state.notices.get(id_)
    return Thread(id_, kind, 1 if notice is None else notice.latest.number)


def _exercise_of(core: Core, thread: Thread, to: Sequence[str], asked: bool) -> bool:
    """What belongs to something is an exercise when that is; a new talk is what its officer says."""
    state = core.state
    for peer in to or state.peers:
        found = exercise_of(state, thread, core.identity.party, peer)
        if found is not None:
            return found
    return asked or state.exercise_only


# -- saying --------------------------------------------------------------------------------------


def say_message(
    core: Core,
    values: Json,
    thread: Thread | None,
    to: Sequence[str],
    now_us: int,
    *,
    book: Phrasebook,
    officer: str,
    desk: str,
    exercise: bool = False,
) -> tuple[Spoken, list[Effect]]:
    """Say a message, in a thread or in a new one; a message of the leaders becomes a draft (H-TAL-3).

    Args:
        values: the body of ``talk/message``.

    Raises:
        UsageError: an unknown phrase, wrong slots, an unknown recipient.
        RefusedError: a rule that the peers keep too would refuse it.
    """
    if "phrase" in values:
        check_slots(book, values["phrase"], values.get("slots", {}))
    thread = thread or draw_thread(core)
    recipients = list(to) or _others(core, thread)
    exercise = _exercise_of(core, thread, recipients, exercise)
    if desk == LEADERS:
        return _draft(core, values, thread, recipients, now_us, officer=officer, exercise=exercise)
    signed, effects = core.say(
        "talk/message",
        values,
        recipients,
        now_us,
        officer=officer,
        desk=desk,
        exercise=exercise,
        thread=thread,
    )
    return _spoken(core, thread, recipients, signed), effects


def _others(core: Core, thread: Thread) -> list[str]:
    """Who else is in a thread: those whom its matter concerns, else whoever spoke in it."""
    parties = _concerned(core, thread)
    return sorted(parties & set(core.agreement().parties) - {core.identity.party})


def _concerned(core: Core, thread: Thread) -> set[str]:
    state = core.state
    if thread.kind == "notice" and (notice := state.notices.get(thread.id)) is not None:
        return {notice.party, *notice.latest.statements}
    if thread.kind == "cease" and (urgent := state.urgent.known.get(thread.id)) is not None:
        return {urgent.party, urgent.to}
    if thread.kind == "conflict" and (conflict := state.conflicts.get(thread.id)) is not None:
        return {side["id"].partition(":")[0] for side in conflict.record["notices"]}
    known = state.talk.threads.get(talk_key(thread))
    return set(known.parties) if known is not None else {thread.id.partition(":")[0]}


def _spoken(core: Core, thread: Thread, to: Sequence[str], signed: Sequence[str]) -> Spoken:
    everyone = [p for p in core.agreement().parties if p != core.identity.party]
    return Spoken(talk_key(thread), sorted(to) or everyone, list(signed))


def _draft(
    core: Core,
    values: Json,
    thread: Thread,
    to: list[str],
    now_us: int,
    *,
    officer: str,
    exercise: bool,
) -> tuple[Spoken, list[Effect]]:
    if len(core.state.talk.drafts) >= DRAFTS_WAITING:
        raise UnavailableError(
            "drafts-full",
            f"{len(core.state.talk.drafts)} messages wait for a second officer; at most {DRAFTS_WAITING} may",
            hint="release or discard one",
        )
    core.check_say(
        "talk/message", values, to, now_us, desk=LEADERS, exercise=exercise, thread=thread
    )
    entry = core.append_local(
        now_us,
        "talk/drafted",
        officer=officer,
        desk=LEADERS,
        thread=msgspec.to_builtins(thread),
        to=to,
        exercise=exercise,
        values=values,
    )
    return msgspec.structs.replace(_spoken(core, thread, to, ()), draft=entry.index), []


def _find_draft(core: Core, number: int) -> Draft:
    draft = core.state.talk.drafts.get(str(number))
    if draft is None:
        raise UsageError(
            "draft-unknown",
            f"draft is {number}; it must be one that waits to be released",
            hint="see: detente talk list DIR",
            field="draft",
        )
    return draft


def release_draft(
    core: Core, number: int, now_us: int, *, officer: str, desk: str
) -> tuple[Spoken, list[Effect]]:
    """Release a message of the leaders that another officer drafted (H-TAL-3).

    Raises:
        UsageError: ``draft-unknown``. RefusedError: ``two-officers``: it is one's own draft.
    """
    draft = _find_draft(core, number)
    if officer == draft.officer:
        raise RefusedError(
            "two-officers",
            f"draft {number} was written by {shown(officer)}; another officer must release it",
            field="draft",
        )
    if desk != LEADERS:
        raise RefusedError(
            "two-officers",
            f"desk is {shown(desk)}; a message of the desk {LEADERS} must be released at that desk",
            field="desk",
        )
    thread = Thread(**draft.thread)
    core.append_local(
        now_us,
        "talk/released",
        draft=number,
        drafted_by=draft.officer,
        officer=officer,
        desk=desk,
    )
    signed, effects = core.say(
        "talk/message",
        draft.values,
        draft.to,
        now_us,
        officer=officer,
        desk=LEADERS,
        exercise=draft.exercise,
        thread=thread,
    )
    return _spoken(core, thread, draft.to, signed), effects


def discard_draft(
    core: Core, number: int, now_us: int, *, officer: str, desk: str
) -> tuple[Spoken, list[Effect]]:
    """Give up a draft; anyone who may say something may.

    Raises:
        UsageError: ``draft-unknown``.
    """
    draft = _find_draft(core, number)
    core.append_local(now_us, "talk/discarded", draft=number, officer=officer, desk=desk)
    return _spoken(core, Thread(**draft.thread), draft.to, ()), []


def _check_waits(core: Core, type_: str, field: str, id_: str) -> None:
    """Refuse a second answer while the first still waits for its line: the peer would refuse it."""
    if any(
        i.type == type_ and body_values(i.openings)[field] == id_ for i in core.intents.values()
    ):
        raise RefusedError(
            "answer-waits",
            "an answer to it waits for the line already; it must be signed before another is given",
            field=field,
        )


def find_message(core: Core, wanted: str) -> Message:
    """A message by its statement, or by the beginning of it.

    Raises:
        UsageError: ``message-unknown``.
    """
    known = core.state.talk.messages
    found = [known[wanted]] if wanted in known else _beginning(known, wanted)
    return _only(found, "message", wanted)


def find_call(core: Core, wanted: str) -> Call:
    """A call record by its statement, or by the beginning of it.

    Raises:
        UsageError: ``call-unknown``.
    """
    known = core.state.talk.calls
    found = [known[wanted]] if wanted in known else _beginning(known, wanted)
    return _only(found, "call", wanted)


def _beginning(known: dict[str, One], wanted: str) -> list[One]:
    return [one for id_, one in known.items() if len(wanted) >= 6 and id_.startswith(wanted)]


def _only(found: list[One], what: str, wanted: str) -> One:
    if len(found) != 1:
        raise UsageError(
            f"{what}-unknown",
            f"{what} is {shown(wanted)}; it must be the statement of one in this record, or its first six or more figures",
            field=what,
        )
    return found[0]


def answer_message(
    core: Core,
    wanted: str,
    answer: str,
    text: str | None,
    now_us: int,
    *,
    officer: str,
    desk: str,
) -> tuple[Spoken, list[Effect]]:
    """Answer a message that was said to us (H-TAL-2).

    Raises:
        UsageError: ``message-unknown``. RefusedError: ``answer-wrong``, ``answer-out-of-turn``, ``answer-waits``.
    """
    message = find_message(core, wanted)
    _check_waits(core, "talk/answer", "message", message.statement)
    values = {"answer": answer, "message": message.statement}
    return _reply(core, "talk/answer", values, text, message, now_us, officer=officer, desk=desk)


def agree_call(
    core: Core,
    wanted: str,
    agrees: bool,
    text: str | None,
    now_us: int,
    *,
    officer: str,
    desk: str,
) -> tuple[Spoken, list[Effect]]:
    """Sign that a peer's call record is right, or that it is not (H-TAL-4).

    Raises:
        UsageError: ``call-unknown``. RefusedError: ``call-wrong``, ``call-out-of-turn``, ``answer-waits``.
    """
    call = find_call(core, wanted)
    _check_waits(core, "talk/call-agreed", "call", call.statement)
    values = {"agrees": agrees, "call": call.statement}
    return _reply(core, "talk/call-agreed", values, text, call, now_us, officer=officer, desk=desk)


def _reply(
    core: Core,
    type_: str,
    values: Json,
    text: str | None,
    about: Message | Call,
    now_us: int,
    *,
    officer: str,
    desk: str,
) -> tuple[Spoken, list[Effect]]:
    found = core.journal.statement(about.statement)
    assert found is not None
    statement = found[0]
    assert statement.thread is not None
    if statement.party == core.identity.party:
        raise RefusedError(
            "answer-wrong",
            "it was said by this party; only who it was said to must answer",
            field="message",
        )
    signed, effects = core.say(
        type_,
        values if text is None else {**values, "text": text},
        [statement.party],
        now_us,
        officer=officer,
        desk=desk,
        exercise=statement.exercise,
        thread=statement.thread,
    )
    return _spoken(core, statement.thread, [statement.party], signed), effects


def record_call(
    core: Core,
    values: Json,
    thread: Thread | None,
    to: Sequence[str],
    now_us: int,
    *,
    officer: str,
    desk: str,
    exercise: bool = False,
) -> tuple[Spoken, list[Effect]]:
    """Say what was said by voice, for the other side to agree with.

    Raises:
        UsageError: an unknown recipient. RefusedError: a rule that the peers keep too would refuse it.
    """
    thread = thread or draw_thread(core)
    recipients = list(to) or _others(core, thread)
    signed, effects = core.say(
        "talk/call",
        values,
        recipients,
        now_us,
        officer=officer,
        desk=desk,
        exercise=_exercise_of(core, thread, recipients, exercise),
        thread=thread,
    )
    return _spoken(core, thread, recipients, signed), effects


def open_talk(core: Core, key: str, now_us: int, *, officer: str, desk: str) -> list[Effect]:
    """An officer has a thread in front of them: say once of each message in it that it was opened.

    Of the newest `OPENED_AT_ONCE` that were not; the rest when it is looked at again, so that a flood holds nobody up.
    """
    talk = core.state.talk.threads.get(key)
    effects: list[Effect] = []
    for id_ in reversed(talk.messages) if talk is not None else ():
        if len(effects) >= OPENED_AT_ONCE:
            break
        message, receipt = core.state.talk.messages[id_], core.state.receipts.get(id_)
        found = core.journal.statement(id_)
        if (
            message.to != core.identity.party
            or found is None
            or receipt is None
            or receipt.opened_us is not None
            or core.fault is not None
            or not core.link(message.party).may_sign
        ):
            continue
        core.append_local(now_us, "talk/opened", officer=officer, desk=desk, statement=id_)
        values = {"desk": desk, "opened": format_time(now_us), "statement": id_}
        core.answer(found[0], values, "receipt/opened", now_us, desk=desk)
        effects.append(Send(message.party))
    return effects


# -- rows ----------------------------------------------------------------------------------------


class Words(msgspec.Struct, frozen=True):
    """A text, its language and which way it runs."""

    language: str
    direction: Literal["ltr", "rtl"]
    text: str


class AnswerRow(msgspec.Struct, frozen=True):
    """One answer. `time` is this ledger's; `claimed` is its maker's clock."""

    statement: str
    party: str
    answer: str
    text: str | None
    time: str
    claimed: str
    late: bool


class MessageRow(msgspec.Struct, frozen=True):
    """One copy of a message.

    Attributes:
        original: in the language it was said in; None for a phrase that is not in this node's book.
        shown: in the language asked for; None for free text in another language.
        review: of the words in `shown`: a draft says so.
        received, opened: by the recipient's clock.
        due: when the answer is due, by the recipient's clock; None until it is delivered.
        unanswered: the due time has passed and nothing but a standby was said.
    """

    statement: str
    party: str
    to: str
    from_desk: str
    desk: str
    precedence: str
    time: str
    claimed: str
    original: Words | None
    shown: Words | None
    review: Literal["draft", "reviewed"] | None
    phrase: str | None
    slots: dict[str, Any]
    translator: str | None
    state: MessageState
    received: str | None
    opened: str | None
    due: str | None
    unanswered: bool
    answers: list[AnswerRow]


class CallRow(msgspec.Struct, frozen=True):
    """One copy of a call record: `claimed` by one party until both have signed it (H-TAL-4)."""

    statement: str
    thread: str
    party: str
    to: str
    state: CallState
    line: str
    desk: str
    began: str
    answered_after_s: int | None
    held_s: int
    ended: str
    language: str
    interpreter: str | None
    summary: str
    time: str
    said: list[AnswerRow]


class DraftRow(msgspec.Struct, frozen=True):
    """A message of the leaders that waits for a second officer."""

    draft: int
    thread: str
    officer: str
    desk: str
    to: list[str]
    to_desk: str
    precedence: str
    time: str
    original: Words | None
    exercise: bool


class WaitingRow(msgspec.Struct, frozen=True):
    """Something said that is not signed for everybody yet: a line has not compared heads."""

    said: str
    waiting: list[str]
    filed: str
    original: Words | None
    answer: str | None


class TalkRow(msgspec.Struct, frozen=True):
    """One thread.

    Attributes:
        key: ``KIND:ID``; unique among all kinds.
        owed: how many messages to this party wait for its answer.
        owed_to: how many messages of this party wait for another's answer.
        due: the next answer that this party owes is due then.
        due_to: the next answer that another owes to this party is due then.
        precedence: the highest of the messages that wait for this party's answer.
        last_party, words: who said the last message or recorded the last call, and what: in the language asked for
            where it can be, else in its own; None where nothing was said, or in a phrase that is not in this node's book.
    """

    key: str
    kind: str
    id: str
    exercise: bool
    parties: list[str]
    messages: int
    calls: int
    last: str
    owed: int
    owed_to: int
    due: str | None
    due_to: str | None
    precedence: str | None
    last_party: str | None
    words: Words | None
    waiting: int


class TalkDetail(msgspec.Struct, frozen=True):
    """One thread with everything in it, in the order of the ledger."""

    talk: TalkRow
    messages: list[MessageRow]
    calls: list[CallRow]
    drafts: list[DraftRow]
    waiting: list[WaitingRow]


def talk_rows(
    core: Core,
    book: Phrasebook,
    language: str,
    before: int | None = None,
    most: int = TALKS_AT_ONCE,
) -> tuple[list[TalkRow], int | None]:
    """Some threads, what was said last first; on the first page also every one in which we owe an answer.

    Args:
        before: entries in which something was said last, from this one on, were on the pages before.

    Returns:
        The rows, and `before` of the next page or None where this is the last.
    """
    talks = sorted(core.state.talk.threads.values(), key=lambda talk: talk.index, reverse=True)
    left = [one for one in talks if before is None or one.index < before]
    page = left[:most]
    after = page[-1].index if len(left) > most else None
    if before is None:
        shown_ = {talk_key(one.thread) for one in page}
        owed = _owed_threads(core)
        page += [one for one in left[most:] if talk_key(one.thread) in owed - shown_]
    waiting = _waiting_counts(core)
    return [_talk_row(core, talk, book, language, waiting) for talk in page], after


def _owed_threads(core: Core) -> set[str]:
    """Threads with a message to us that has no answer, also past its time."""
    owed = [one.statement for one in core.state.owed.values() if one.by == core.identity.party]
    owed += [
        one.statement
        for one in core.state.passed.values()
        if one.by == core.identity.party and one.over is None
    ]
    known = core.state.talk.messages
    return {known[id_].thread for id_ in owed if id_ in known}


def _waiting_counts(core: Core) -> Counter[str]:
    """How much waits to be signed, by thread."""
    return Counter(
        f"{intent.thread['kind']}:{intent.thread['id']}"
        for intent in core.intents.values()
        if intent.type.startswith("talk/") and intent.thread is not None
    )


def draft_rows(core: Core, book: Phrasebook) -> list[DraftRow]:
    """All drafts, oldest first."""
    return [_draft_row(draft, book) for draft in core.state.talk.drafts.values()]


def call_rows(core: Core) -> list[CallRow]:
    """All call records, newest first."""
    return [_call_row(call) for call in reversed(core.state.talk.calls.values())]


def talk_detail(
    core: Core, thread: Thread, now_us: int, *, book: Phrasebook, language: str
) -> TalkDetail:
    """A thread as an officer reads it in a language.

    Raises:
        UsageError: ``thread-unknown``: nothing was said in it, nothing waits to be, and what it is about is not known.
    """
    key, state = talk_key(thread), core.state.talk
    drafts = [one for one in draft_rows(core, book) if one.thread == key]
    waiting = [_waiting_row(one, book) for one in _waiting(core, thread)]
    talk = state.threads.get(key)
    if talk is None:
        if not drafts and not waiting and not _is_known(core, thread):
            raise UsageError(
                "thread-unknown",
                f"thread is {shown(key)}; it must be one in which something was said",
                hint="see: detente talk list DIR",
                field="thread",
            )
        exercise = _exercise_of(core, thread, (), asked=False)
        talk = Talk(thread, exercise, core.tree.size - 1, [core.identity.party])
    return TalkDetail(
        talk=_talk_row(core, talk, book, language, _waiting_counts(core)),
        messages=[
            _message_row(core, state.messages[id_], now_us, book, language) for id_ in talk.messages
        ],
        calls=[_call_row(state.calls[id_]) for id_ in talk.calls],
        drafts=drafts,
        waiting=waiting,
    )


def _is_known(core: Core, thread: Thread) -> bool:
    """Whether a thread is about something in this record."""
    state = core.state
    return (
        (
            thread.kind == "notice"
            and (thread.id in state.notices or thread.id in state.filed_versions)
        )
        or (thread.kind == "conflict" and thread.id in state.conflicts)
        or (thread.kind == "cease" and any(one["statement"] == thread.id for one in state.ceases))
    )


def _waiting(core: Core, thread: Thread) -> list[Intent]:
    return [
        intent
        for _, intent in sorted(core.intents.items())
        if intent.type.startswith("talk/")
        and intent.thread is not None
        and (intent.thread["kind"], intent.thread["id"]) == (thread.kind, thread.id)
    ]


def _talk_row(
    core: Core, talk: Talk, book: Phrasebook, language: str, waiting: Mapping[str, int]
) -> TalkRow:
    party = core.identity.party
    open_ = [
        message
        for id_ in talk.messages
        if (message := core.state.talk.messages[id_]).state in ("asked", "standby")
    ]
    owed = [one for one in open_ if one.to == party]
    owed_to = [one for one in open_ if one.party == party]
    last_party, words = _last_words(core, talk, book, language)
    entry = core.journal.entry(talk.index)
    return TalkRow(
        key=talk_key(talk.thread),
        kind=talk.thread.kind,
        id=talk.thread.id,
        exercise=talk.exercise,
        parties=talk.parties,
        messages=len(talk.messages),
        calls=len(talk.calls),
        last=format_time(entry.header.time_us if entry is not None else 0),
        owed=len(owed),
        owed_to=len(owed_to),
        due=_first_due(owed),
        due_to=_first_due(owed_to),
        precedence=max((one.precedence for one in owed), key=PRECEDENCES.index, default=None),
        last_party=last_party,
        words=words,
        waiting=waiting.get(talk_key(talk.thread), 0),
    )


def _first_due(messages: Iterable[Message]) -> str | None:
    dues = [one.due_us for one in messages if one.due_us is not None]
    return format_time(min(dues)) if dues else None


def _last_words(
    core: Core, talk: Talk, book: Phrasebook, language: str
) -> tuple[str | None, Words | None]:
    message = core.state.talk.messages[talk.messages[-1]] if talk.messages else None
    call = core.state.talk.calls[talk.calls[-1]] if talk.calls else None
    if call is not None and (message is None or call.time_us > message.time_us):
        values = call.values
        return call.party, original_words(book, values["language"], values["summary"], None, {})
    if message is None:
        return None, None
    original, shown_ = _message_words(message, book, language)
    return message.party, shown_ or original


def original_words(
    book: Phrasebook, language: str, text: str | None, phrase: str | None, slots: Json
) -> Words | None:
    """What was said, in the language it was said in; None for a phrase that is not in the book."""
    words = book.language(language)
    if phrase is None:
        known = language.partition("-")[0] in book.languages
        direction = words.direction if known else "ltr"
        return Words(language, direction, text or "")
    rendered = render_phrase(book, phrase, slots, language)
    return None if rendered is None else Words(words.code, words.direction, rendered)


def _message_words(
    message: Message, book: Phrasebook, language: str
) -> tuple[Words | None, Words | None]:
    """What was said in its own language, and in the one asked for where it can be said in it."""
    original = original_words(book, message.language, message.text, message.phrase, message.slots)
    wanted = book.language(language)
    if message.phrase is not None:
        rendered = render_phrase(book, message.phrase, message.slots, language)
        if rendered is None:
            return original, None
        return original, Words(wanted.code, wanted.direction, rendered)
    same = message.language.partition("-")[0] == wanted.code
    return original, original if same else None


def _message_row(
    core: Core, message: Message, now_us: int, book: Phrasebook, language: str
) -> MessageRow:
    original, shown_ = _message_words(message, book, language)
    receipt = core.state.receipts.get(message.statement)
    opened_us = receipt.opened_us if receipt is not None else None
    due_us = message.due_us
    return MessageRow(
        statement=message.statement,
        party=message.party,
        to=message.to,
        from_desk=message.from_desk,
        desk=message.desk,
        precedence=message.precedence,
        time=format_time(message.time_us),
        claimed=format_time(message.claimed_us),
        original=original,
        shown=shown_,
        review=book.language(language).review_of(message.phrase).status
        if message.phrase is not None and shown_ is not None
        else None,
        phrase=message.phrase,
        slots=message.slots,
        translator=message.translator,
        state=message.state,
        received=None if message.received_us is None else format_time(message.received_us),
        opened=None if opened_us is None else format_time(opened_us),
        due=None if due_us is None else format_time(due_us),
        unanswered=message.state in ("asked", "standby") and due_us is not None and due_us < now_us,
        answers=[_answer_row(one) for one in message.answers],
    )


def _answer_row(one: AnswerSaid) -> AnswerRow:
    return AnswerRow(
        statement=one.statement,
        party=one.party,
        answer=one.answer,
        text=one.text,
        time=format_time(one.time_us),
        claimed=format_time(one.claimed_us),
        late=one.late,
    )


def _call_row(call: Call) -> CallRow:
    values = {"interpreter": None, **call.values}
    return CallRow(
        statement=call.statement,
        thread=call.thread,
        party=call.party,
        to=call.to,
        state=call.state,
        time=format_time(call.time_us),
        said=[_answer_row(one) for one in call.said],
        **values,
    )


def _draft_row(draft: Draft, book: Phrasebook) -> DraftRow:
    values = draft.values
    return DraftRow(
        draft=draft.number,
        thread=talk_key(Thread(**draft.thread)),
        officer=draft.officer,
        desk=draft.desk,
        to=list(draft.to),
        to_desk=values["desk"],
        precedence=values["precedence"],
        time=format_time(draft.time_us),
        original=original_words(
            book,
            values["language"],
            values.get("text"),
            values.get("phrase"),
            values.get("slots", {}),
        ),
        exercise=draft.exercise,
    )


def _waiting_row(intent: Intent, book: Phrasebook) -> WaitingRow:
    values = body_values(intent.openings)
    message = intent.type == "talk/message"
    return WaitingRow(
        said=intent.type,
        waiting=sorted(intent.waiting),
        filed=format_time(intent.filed_us),
        original=original_words(
            book,
            values["language"],
            values.get("text"),
            values.get("phrase"),
            values.get("slots", {}),
        )
        if message
        else None,
        answer=values.get("answer"),
    )

"""Cease requests and emergencies: their types and rules, and how an officer says and answers one.

docs/spec/hotline.md, section 4, is the normative text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from detente.errors import RefusedError, UsageError, shown
from detente.hotline.cease import (
    CEASE_REPLIES,
    EMERGENCY_KINDS,
    EMERGENCY_REPLIES,
    UrgentKind,
    after_move,
)
from detente.protocol.deadlines import Dues
from detente.protocol.effect import Alert, Effect
from detente.protocol.form import Type, check_text, check_value, is_place, is_statement_id, is_time
from detente.protocol.journal import Entry, Json
from detente.protocol.shortid import with_id
from detente.protocol.statement import Statement, Thread, body_values, is_desk
from detente.protocol.urgent import (
    REPLY,
    Urgent,
    apply_escalated,
    begin_urgent,
    note_reply,
    reply_due,
    take_steps,
)
from detente.units import format_time

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State

SHORT_ID_CHARS = 8  # of a statement id that people type: one in four thousand million

TYPES: dict[str, Type] = {
    "hotline/cease": Type(
        "H2",
        ("reason",),
        ("place", "text"),
        chain="safety",
        thread="may",
        kinds=("notice", "conflict"),
    ),
    "hotline/cease-reply": Type(
        "H3", ("desk", "reply"), ("text",), chain="safety", thread="must", kinds=("cease",)
    ),
    "hotline/cease-effective": Type(
        "H4", ("at", "desk"), ("text",), chain="safety", thread="must", kinds=("cease",)
    ),
    "hotline/emergency": Type(
        "H5", ("at", "kind", "place"), ("text",), chain="safety", thread="may"
    ),
    "hotline/emergency-reply": Type(
        "H5", ("desk", "emergency", "reply"), ("text",), chain="safety"
    ),
}


# -- rules ---------------------------------------------------------------------------------------


def _check_cease(state: State, statement: Statement, values: Json) -> None:
    for field in values:
        check_text(values, field)


def _check_reply(state: State, statement: Statement, values: Json) -> None:
    assert statement.thread is not None
    _check_desk_and_text(values)
    check_value(values, "reply", lambda one: one in CEASE_REPLIES, " or ".join(CEASE_REPLIES))
    _check_about(state, statement, "cease", statement.thread.id, values["reply"])


def _check_effective(state: State, statement: Statement, values: Json) -> None:
    assert statement.thread is not None
    _check_desk_and_text(values)
    check_value(values, "at", is_time, "a time")
    _check_about(state, statement, "cease", statement.thread.id, "effective")


def _check_emergency(state: State, statement: Statement, values: Json) -> None:
    check_value(values, "kind", lambda one: one in EMERGENCY_KINDS, " or ".join(EMERGENCY_KINDS))
    check_value(values, "at", is_time, "a time")
    check_value(
        values,
        "place",
        lambda one: one is None or is_place(one),
        "lat and lon in 1e-9 degree, or null where nobody knows",
    )
    if "text" in values:
        check_text(values, "text")


def _check_emergency_reply(state: State, statement: Statement, values: Json) -> None:
    _check_desk_and_text(values)
    check_value(values, "emergency", is_statement_id, "the id of a statement")
    check_value(
        values, "reply", lambda one: one in EMERGENCY_REPLIES, " or ".join(EMERGENCY_REPLIES)
    )
    _check_about(state, statement, "emergency", values["emergency"], values["reply"])


def _check_desk_and_text(values: Json) -> None:
    check_value(values, "desk", is_desk, "the name of a desk")
    if "text" in values:
        check_text(values, "text")


def _check_about(
    state: State, statement: Statement, kind: UrgentKind, about: str, move: str
) -> None:
    urgent = state.urgent.known.get(about)
    if urgent is None or urgent.kind != kind or urgent.to != statement.party:
        raise RefusedError(
            f"{kind}-unknown",
            f"{kind} is {shown(about)}; it must be one that was said to {statement.party}",
            field="thread",
        )
    if urgent.party != statement.recipient:
        raise RefusedError(
            f"{kind}-of-another",
            f"it was {urgent.party} who asked; the answer must go to it",
            field="to",
        )
    if urgent.exercise != statement.exercise:
        raise RefusedError(
            "exercise-flip", "EXERCISE must not change within a thread", field="EXERCISE"
        )
    after_move(kind, urgent.status, move)


CHECKS: dict[str, Callable[[State, Statement, Json], None]] = {
    "hotline/cease": _check_cease,
    "hotline/cease-reply": _check_reply,
    "hotline/cease-effective": _check_effective,
    "hotline/emergency": _check_emergency,
    "hotline/emergency-reply": _check_emergency_reply,
}


DUES: Dues = {REPLY: reply_due}


# -- what they do to the state ---------------------------------------------------------------------


def _apply_cease(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    state.ceases.append(
        {
            "statement": statement.id,
            "party": statement.party,
            "to": list(statement.to),
            "time": format_time(entry.header.time_us),
            **values,
        }
    )
    begin_urgent(state, entry, statement, "cease", values)


def _apply_reply(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    assert statement.thread is not None
    note_reply(state, entry, statement, statement.thread.id, values["reply"], values)


def _apply_effective(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    assert statement.thread is not None
    note_reply(state, entry, statement, statement.thread.id, "effective", values)


def _apply_emergency(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    begin_urgent(state, entry, statement, "emergency", values)


def _apply_emergency_reply(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    note_reply(state, entry, statement, values["emergency"], values["reply"], values)


APPLY: dict[str, Callable[[State, Entry, Statement, Json], None]] = {
    "hotline/cease": _apply_cease,
    "hotline/cease-reply": _apply_reply,
    "hotline/cease-effective": _apply_effective,
    "hotline/emergency": _apply_emergency,
    "hotline/emergency-reply": _apply_emergency_reply,
}
APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {
    "urgent/escalated": apply_escalated,
}


# -- what an officer does ----------------------------------------------------------------------------


def ask_cease(
    core: Core,
    values: Json,
    to: Sequence[str],
    now_us: int,
    *,
    officer: str,
    desk: str,
    exercise: bool,
    about: str | None = None,
) -> tuple[tuple[str, ...], list[Effect]]:
    """Ask others to cease.

    Args:
        about: a notice or a conflict that it belongs to.

    Returns:
        To whom it was signed at once, and effects.

    Raises:
        UsageError: `about` is not known here.
        RefusedError: a rule that the peers keep too would refuse it.
    """
    return core.say(
        "hotline/cease",
        values,
        to,
        now_us,
        officer=officer,
        desk=desk,
        exercise=exercise,
        thread=None if about is None else _thread_about(core, about),
    )


def exercise_of(core: Core, about: str | None, said: bool | None) -> bool:
    """Whether a new request is an exercise: what its officer says, else as what it belongs to is, else as
    the agreement has it.

    What an officer says is never turned round: a drill about a real notice is refused, and not made real.
    """
    if said is not None:
        return said
    state = core.state
    if about in state.notices:
        return state.notices[about].exercise
    if about in state.conflicts:
        return bool(state.conflicts[about].record["EXERCISE"])
    return state.exercise_only


def _thread_about(core: Core, about: str) -> Thread:
    notice = core.state.notices.get(about)
    if notice is not None:
        return Thread(about, "notice", notice.latest.number)
    if about in core.state.conflicts:
        return Thread(about, "conflict", 1)
    raise UsageError(
        "about-unknown",
        f"about is {shown(about)}; it must be a notice or a conflict of this record",
        field="about",
    )


def reply_to_cease(
    core: Core,
    wanted: str,
    reply: str,
    now_us: int,
    *,
    officer: str,
    desk: str,
    text: str | None = None,
) -> tuple[Urgent, list[Effect]]:
    """Answer a cease request; any officer may, and it counts at once also where the line is down.

    Raises:
        UsageError: ``cease-unknown``. RefusedError: ``cease-move``, ``value-wrong``.
    """
    urgent = _asked_of_us(core, wanted, "cease")
    values = {"desk": desk, "reply": reply, **({} if text is None else {"text": text})}
    return _answer(core, urgent, "hotline/cease-reply", values, reply, now_us, officer, desk)


def cease_effective(
    core: Core,
    wanted: str,
    now_us: int,
    *,
    officer: str,
    desk: str,
    at_us: int | None = None,
    text: str | None = None,
) -> tuple[Urgent, list[Effect]]:
    """Say that what was asked to cease has ceased.

    Args:
        at_us: since when; now if nobody says.

    Raises:
        UsageError: ``cease-unknown``. RefusedError: ``cease-move``.
    """
    urgent = _asked_of_us(core, wanted, "cease")
    at = format_time(now_us if at_us is None else at_us)
    values = {"at": at, "desk": desk, **({} if text is None else {"text": text})}
    return _answer(
        core, urgent, "hotline/cease-effective", values, "effective", now_us, officer, desk
    )


def say_emergency(
    core: Core,
    values: Json,
    to: Sequence[str],
    now_us: int,
    *,
    officer: str,
    desk: str,
    exercise: bool,
    about: str | None = None,
) -> tuple[tuple[str, ...], list[Effect]]:
    """Tell others of an emergency.

    Args:
        about: a notice that it belongs to.

    Raises:
        UsageError: `about` is not known here. RefusedError: ``value-wrong``, ``text-malformed``.
    """
    return core.say(
        "hotline/emergency",
        values,
        to,
        now_us,
        officer=officer,
        desk=desk,
        exercise=exercise,
        thread=None if about is None else _thread_about(core, about),
    )


def reply_to_emergency(
    core: Core,
    wanted: str,
    reply: str,
    now_us: int,
    *,
    officer: str,
    desk: str,
    text: str | None = None,
) -> tuple[Urgent, list[Effect]]:
    """Answer an emergency; more may be said later.

    Raises:
        UsageError: ``emergency-unknown``. RefusedError: ``value-wrong``.
    """
    urgent = _asked_of_us(core, wanted, "emergency")
    values = {
        "desk": desk,
        "emergency": urgent.id,
        "reply": reply,
        **({} if text is None else {"text": text}),
    }
    return _answer(core, urgent, "hotline/emergency-reply", values, reply, now_us, officer, desk)


def _answer(
    core: Core,
    urgent: Urgent,
    type_: str,
    values: Json,
    move: str,
    now_us: int,
    officer: str,
    desk: str,
) -> tuple[Urgent, list[Effect]]:
    status = urgent.status
    for waiting in _moves_waiting(core, urgent):  # said already, and not signed: the line is down
        status = after_move(urgent.kind, status, waiting)
    if move in (*CEASE_REPLIES, *EMERGENCY_REPLIES, "effective"):
        after_move(urgent.kind, status, move)
    _, effects = core.say(
        type_,
        values,
        [urgent.party],
        now_us,
        officer=officer,
        desk=desk,
        exercise=urgent.exercise,
        thread=Thread(urgent.id, "cease", 1) if urgent.kind == "cease" else None,
    )
    return urgent, effects


def _moves_waiting(core: Core, urgent: Urgent) -> list[str]:
    found = []
    for _, intent in sorted(core.intents.items()):
        values = body_values(intent.openings)
        about = (
            (intent.thread or {}).get("id") if "emergency" not in values else values["emergency"]
        )
        if intent.type in CHECKS and about == urgent.id:
            found.append(str(values.get("reply", "effective")))
    return found


def _asked_of_us(core: Core, wanted: str, kind: UrgentKind) -> Urgent:
    urgent = find_urgent(core, wanted, kind)
    if urgent.to != core.identity.party:
        raise UsageError(
            f"{kind}-unknown",
            f"{kind} is {shown(wanted)}, which we said ourselves; it must be one that was said to us",
            field="statement",
        )
    return urgent


def find_urgent(core: Core, wanted: str, kind: UrgentKind) -> Urgent:
    """A cease request or emergency by its id, or by the beginning of one.

    Raises:
        UsageError: ``cease-unknown`` or ``emergency-unknown``.
    """
    known = core.state.urgent.known
    found = with_id(known, wanted, SHORT_ID_CHARS)
    found = [one for one in found if one.kind == kind]
    if len(found) != 1:
        raise UsageError(
            f"{kind}-unknown",
            f"{kind} is {shown(wanted)}; it must be the id of one in this record, or its first {SHORT_ID_CHARS} digits",
            field="statement",
        )
    return found[0]


def escalate(core: Core, now_us: int) -> list[Effect]:
    """Move up whatever is unanswered past its due time, and tell the officers of both sides."""
    effects: list[Effect] = []
    for step in take_steps(core, now_us):
        urgent = core.state.urgent.known[step.urgent]
        peer = urgent.to if urgent.party == core.identity.party else urgent.party
        message = f"{urgent.kind} of {urgent.party} is unanswered: step {step.number}, {step.desk}"
        effects.append(Alert("escalated", message, peer, (urgent.id,)))
    return effects


def told(state: State, statement: Statement) -> list[Effect]:
    """What officers are told when one of these statements has come in."""
    ids = (statement.id,)
    if statement.type in ("hotline/cease", "hotline/emergency"):
        kind = cast("UrgentKind", statement.type.partition("/")[2])
        words = "asks to cease" if kind == "cease" else "tells of an emergency"
        return [Alert(kind, f"{statement.party} {words}", statement.party, ids)]
    if statement.type in CHECKS:
        about = state.urgent.replies[statement.id]
        urgent = state.urgent.known.get(about)
        status = urgent.status if urgent is not None else "answered"
        code = (
            "cease-answered" if statement.type.startswith("hotline/cease") else "emergency-answered"
        )
        return [Alert(code, f"{statement.party} answers: {status}", statement.party, (about, *ids))]
    return []

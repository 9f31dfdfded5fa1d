"""The line between two parties: what they declare of it, and its scheduled checks.

docs/spec/hotline.md, section 5, is the normative text. What a node observes of a line is not here: it is
in no ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from detente.errors import DetenteError, RefusedError, UsageError, shown
from detente.hotline.health import (
    DAY_S,
    PATHS,
    SCOPES,
    STREAK_SLOTS,
    DeclaredState,
    Path,
    Saying,
    Scope,
    Slot,
    SlotState,
    after_saying,
    line_id,
    next_slot,
    slots_between,
)
from detente.protocol.cause import Raised
from detente.protocol.effect import Alert, Detour, Effect
from detente.protocol.form import Type, check_text, check_value, is_statement_id, is_time
from detente.protocol.journal import Entry, Intent, Json
from detente.protocol.statement import Statement, Thread, body_values
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.agreement.terms import Terms
    from detente.protocol.core import Core
    from detente.protocol.fold import State

CHECKS_KEPT = 4 * STREAK_SLOTS  # checks by hand stand between the slots of the streak
MACHINE = "machine"  # who says what nobody decided

_DECLARING: dict[str, Saying] = {
    "hotline/suspended": "suspended",
    "hotline/resumed": "resumed",
    "hotline/fault": "fault",
}

TYPES: dict[str, Type] = {
    "hotline/check": Type(
        "H6",
        ("path", "slot"),
        chain="safety",
        thread="must",
        receipt=False,  # the reply is the answer
        kinds=("line",),
    ),
    "hotline/check-reply": Type(
        "H7", ("check",), chain="safety", thread="must", receipt=False, kinds=("line",)
    ),
    **{
        type_: Type(code, ("reason", "scope"), chain="safety", thread="must", kinds=("line",))
        for type_, code in zip(_DECLARING, ("H8", "H9", "H10"), strict=True)
    },
}


class Declared(msgspec.Struct, frozen=True):
    """What one party declared of one scope and has not taken back.

    Attributes:
        since_us: by the clock of who declared it, the same number on both sides.
    """

    by: str
    scope: Scope
    kind: DeclaredState
    since_us: int
    reason: str
    statement: str


class Check(msgspec.Struct):
    """One check of ours: of a slot, or by hand.

    Attributes:
        begun_us: when this node's clock came to it; from then the answer is awaited.
        path: of the try that was made last, and once answered of the one that was answered.
        missed: no answer came in time; one that came later is `late`.
    """

    slot_us: int
    begun_us: int
    by_hand: bool = False
    path: Path = "first"
    missed: bool = False
    answered_us: int | None = None


class LineState(msgspec.Struct):
    """What the ledger says of the line to one peer.

    Attributes:
        declared: by party and scope.
        slot_us: the newest slot that was begun, for ever.
        checks: by slot.
        sent: statement of a check to its slot.
        answered: the entry with which a check was answered last.
        replied: the peer's checks that were answered, the newest of them.
        changed: the entry with which what is declared changed last.
    """

    declared: dict[str, Declared] = {}
    slot_us: int = 0
    checks: dict[int, Check] = {}
    sent: dict[str, int] = {}
    answered: int = -1
    replied: dict[str, None] = {}
    changed: int = -1


# -- rules ---------------------------------------------------------------------------------------


def _check_line(statement: Statement) -> None:
    assert statement.thread is not None
    expected = line_id(statement.party, statement.recipient)
    if statement.thread.id != expected:
        raise RefusedError(
            "thread-wrong",
            f"line is {shown(statement.thread.id)}; it must be {expected}",
            field="thread",
        )


def _check_check(state: State, statement: Statement, values: Json) -> None:
    _check_line(statement)
    check_value(values, "slot", is_time, "a time")
    check_value(values, "path", lambda one: one in PATHS, " or ".join(PATHS))


def _check_check_reply(state: State, statement: Statement, values: Json) -> None:
    _check_line(statement)
    check_value(values, "check", is_statement_id, "the id of a statement")
    line = state.lines.get(statement.party)
    if line is None or values["check"] not in line.sent:
        raise RefusedError(
            "check-unknown",
            f"check is {shown(values['check'])}; it must be one of ours to {statement.party}",
            field="check",
        )


def _check_declaring(state: State, statement: Statement, values: Json) -> None:
    _check_line(statement)
    check_text(values, "reason")
    check_value(values, "scope", lambda one: one in SCOPES, " or ".join(SCOPES))
    peer = statement.recipient if statement.party == state.party else statement.party
    line = state.lines.get(peer)
    _after_declaring(
        dict(line.declared) if line is not None else {},
        statement.party,
        values["scope"],
        _DECLARING[statement.type],
    )


def _after_declaring(
    declared: dict[str, Any], party: str, scope: Scope, saying: Saying
) -> list[str]:
    """Which of a party's words end with a new one.

    Raises:
        RefusedError: ``line-move``.
    """
    key = _key(party, scope)
    if saying == "resumed" and scope == "all":
        ended = [one for one in declared if one.partition(" ")[0] == party]
        after_saying("suspended" if ended else "open", saying)
        return ended
    standing: DeclaredState = declared[key].kind if key in declared else "open"
    after_saying(standing, saying)
    return [key] if key in declared else []


def _key(party: str, scope: str) -> str:
    return f"{party} {scope}"


CHECKS: dict[str, Callable[[State, Statement, Json], None]] = {
    "hotline/check": _check_check,
    "hotline/check-reply": _check_check_reply,
    **dict.fromkeys(_DECLARING, _check_declaring),
}


def check_open(state: State, type_: str, chain: str, recipients: Iterable[str]) -> None:
    """Raise where something of ours may not be said, because a party suspended the line (H-LIN-2).

    Raises:
        RefusedError: ``line-suspended``.
    """
    if chain == "safety" or type_ == "activity/cancel" or type_.startswith("receipt/"):
        return
    for peer in recipients:
        found = next(
            (
                one
                for one in declared_of(state, peer)
                if one.kind == "suspended" and (one.scope != "talk" or type_.startswith("talk/"))
            ),
            None,
        )
        if found is not None:
            raise RefusedError(
                "line-suspended",
                f"the line to {peer} is suspended ({found.scope}) by {found.by} since {format_time(found.since_us)}; it must be resumed first",
                hint="cease requests, emergencies, cancellations and read-backs go all the same; or name other recipients",
                field="to",
            )


def declared_of(state: State, peer: str) -> list[Declared]:
    """What stands of a line, the latest first; the same on both sides."""
    line = state.lines.get(peer)
    found = list(line.declared.values()) if line is not None else []
    return sorted(found, key=lambda one: (-one.since_us, one.by, one.scope))


# -- what they do to the state ---------------------------------------------------------------------


def _line(state: State, peer: str) -> LineState:
    return state.lines.setdefault(peer, LineState())


def _apply_check(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    if entry.header.kind == "received":
        return
    line, slot_us = _line(state, statement.recipient), parse_time(values["slot"])
    check = line.checks.setdefault(slot_us, Check(slot_us, entry.header.time_us))
    check.path = values["path"]
    line.sent[statement.id] = slot_us
    _forget(line)


def _apply_check_reply(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    if entry.header.kind == "made":
        replied = _line(state, statement.recipient).replied
        replied[values["check"]] = None
        if len(replied) > CHECKS_KEPT:
            del replied[next(iter(replied))]
        return
    line = _line(state, statement.party)
    check = line.checks.get(line.sent.get(values["check"], -1))
    line.answered = entry.index
    if check is not None and check.answered_us is None:
        check.answered_us = entry.header.time_us


def _apply_declaring(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    peer = statement.recipient if entry.header.kind == "made" else statement.party
    line, saying, scope = _line(state, peer), _DECLARING[statement.type], values["scope"]
    try:
        ended = _after_declaring(line.declared, statement.party, scope, saying)
    except RefusedError:  # brought back by a recovery without what it answered
        ended = []
    line.changed = entry.index
    for key in ended:
        line.declared.pop(key)
    if saying == "resumed":
        return
    line.declared[_key(statement.party, scope)] = Declared(
        by=statement.party,
        scope=scope,
        kind=saying,
        since_us=statement.claimed_us,
        reason=values["reason"],
        statement=statement.id,
    )
    if entry.header.kind == "received":
        state.raise_alarm(
            Raised(
                id=f"line-declared:{statement.id}",
                kind="line-declared",
                index=entry.index,
                time_us=entry.header.time_us,
                exercise=statement.exercise,
                statement=statement.id,
                party=peer,
                code=saying,
                message=values["reason"],
            )
        )


def _apply_begun(state: State, entry: Entry, local: Json) -> None:
    line, slot_us = _line(state, local["peer"]), parse_time(local["slot"])
    if not local["by_hand"]:
        line.slot_us = max(line.slot_us, slot_us)
    line.checks[slot_us] = Check(slot_us, entry.header.time_us, local["by_hand"])
    _forget(line)


def _apply_missed(state: State, entry: Entry, local: Json) -> None:
    line, slot_us = _line(state, local["peer"]), parse_time(local["slot"])
    check = line.checks.get(slot_us)
    if check is not None:
        check.missed = True
    state.raise_alarm(
        Raised(
            id=f"comm-check:{local['peer']}:{local['slot']}",
            kind="comm-check",
            index=entry.index,
            time_us=entry.header.time_us,
            exercise=state.exercise_only,
            party=local["peer"],
            code="missed",
            message=local["slot"],
        )
    )


def _forget(line: LineState) -> None:
    while len(line.checks) > CHECKS_KEPT:
        oldest = min(line.checks)
        del line.checks[oldest]
        line.sent = {id_: slot_us for id_, slot_us in line.sent.items() if slot_us != oldest}


APPLY: dict[str, Callable[[State, Entry, Statement, Json], None]] = {
    "hotline/check": _apply_check,
    "hotline/check-reply": _apply_check_reply,
    **dict.fromkeys(_DECLARING, _apply_declaring),
}
APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {
    "check/begun": _apply_begun,
    "check/missed": _apply_missed,
}


# -- in the core -----------------------------------------------------------------------------------


def declare(
    core: Core,
    peer: str,
    saying: Saying,
    scope: str,
    reason: str,
    now_us: int,
    *,
    officer: str,
    desk: str,
) -> tuple[tuple[str, ...], list[Effect]]:
    """Declare a line suspended, resumed or at fault; to resume what was not signed yet takes it back.

    Raises:
        UsageError: ``recipient-unknown``. RefusedError: ``line-move``, ``value-wrong``.
    """
    waiting = declarations_filed(core, peer)
    if any((said, values["scope"]) == (saying, scope) for said, values, _ in waiting):
        raise RefusedError(
            "line-move",
            f"{saying!r} of {scope!r} waits for the line; it must not be said twice",
            field="scope",
        )
    own = core.identity.party
    stands = any(
        one.by == own and scope in ("all", one.scope) for one in declared_of(core.state, peer)
    )
    taken = [intent for _, values, intent in waiting if scope in ("all", values["scope"])]
    if saying == "resumed" and taken and not stands:
        for intent in taken:  # nobody was told: there is nothing to resume
            core.withdraw(intent, now_us, officer=officer, desk=desk)
        return (), []
    _check_waiting(core, peer, waiting, saying, scope)
    type_ = f"hotline/{saying}"
    return _say(core, type_, {"reason": reason, "scope": scope}, peer, now_us, officer, desk)


def _check_waiting(
    core: Core,
    peer: str,
    waiting: Sequence[tuple[Saying, Json, Intent]],
    saying: Saying,
    scope: str,
) -> None:
    """Refuse what the peer would, once what waits for the line has been said."""
    own, line = core.identity.party, core.state.lines.get(peer)
    declared: dict[str, Any] = dict(line.declared) if line is not None else {}
    words = [(said, values["scope"]) for said, values, _ in waiting] if waiting else []
    for number, (said, of) in enumerate([*words, (saying, scope)]):
        try:
            ended = _after_declaring(declared, own, cast("Scope", of), said)
        except RefusedError:
            if number == len(words) and words:
                raise
            ended = []
        for key in ended:
            declared.pop(key)
        if said != "resumed":
            declared[_key(own, of)] = Declared(own, cast("Scope", of), said, 0, "", "")


def declarations_filed(core: Core, peer: str) -> list[tuple[Saying, Json, Intent]]:
    """What was said here of a line and waits for it to be signed: with its body and its filing."""
    return [
        (_DECLARING[intent.type], body_values(intent.openings), intent)
        for _, intent in sorted(core.intents.items())
        if peer in intent.waiting and intent.type in _DECLARING
    ]


def _say(
    core: Core, type_: str, values: Json, peer: str, now_us: int, officer: str, desk: str
) -> tuple[tuple[str, ...], list[Effect]]:
    return core.say(
        type_,
        values,
        [peer],
        now_us,
        officer=officer,
        desk=desk,
        exercise=core.agreement().terms.exercise_only,
        thread=Thread(line_id(core.identity.party, peer), "line", 1),
    )


def check_now(core: Core, peer: str, now_us: int, *, officer: str, desk: str) -> list[Effect]:
    """Check a line by hand; a miss is shown like that of a slot, and counts in no streak.

    Raises:
        UsageError: ``recipient-unknown``.
    """
    check_peer(core.state, peer)
    return _begin(core, peer, now_us, now_us, officer, desk, by_hand=True)


def check_peer(state: State, peer: str) -> None:
    """Raise unless there is a line to this party.

    Raises:
        UsageError: ``recipient-unknown``.
    """
    if peer not in state.peers:
        raise UsageError(
            "recipient-unknown",
            f"peer is {shown(peer)}; it must be one of {', '.join(state.peers)}",
            field="peer",
        )


def _begin(
    core: Core, peer: str, slot_us: int, now_us: int, officer: str, desk: str, *, by_hand: bool
) -> list[Effect]:
    slot = format_time(slot_us)
    core.append_local(now_us, "check/begun", peer=peer, slot=slot, by_hand=by_hand)
    return _try(core, peer, {"path": "first", "slot": slot}, now_us, officer, desk)


def _try(core: Core, peer: str, values: Json, now_us: int, officer: str, desk: str) -> list[Effect]:
    waiting = [
        one for one in core.intents.values() if peer in one.waiting and one.type == "hotline/check"
    ]
    if waiting and values["path"] == "first":
        return []  # one that waits will do when the line is up: a week of silence is not fourteen
    for one in waiting:
        core.withdraw(one, now_us, officer=officer, desk=desk)  # it names a way that it will not go
    try:
        return _say(core, "hotline/check", values, peer, now_us, officer, desk)[1]
    except DetenteError:
        return []  # nothing more fits just now; that it is missed will be said all the same


def check_by_alternate(core: Core, peer: str, now_us: int) -> list[Effect]:
    """Say the newest check that waits for its answer again, as gone by the other path.

    What is urgent takes everything before it on its chain along: without this a check would be
    answered that never went the way it names.
    """
    line = core.state.lines.get(peer) or LineState()
    waiting = [one for one in line.checks.values() if one.answered_us is None and not one.missed]
    if not waiting or waiting[-1].path == "alternate":
        return []
    values = {"path": "alternate", "slot": format_time(waiting[-1].slot_us)}
    return _try(core, peer, values, now_us, MACHINE, MACHINE)


def is_answered(state: State, check: Statement) -> bool:
    """Whether a peer's check was answered: one that a recovery brings back is not answered again."""
    line = state.lines.get(check.party)
    return line is not None and check.id in line.replied


def answer_check(core: Core, statement: Statement, now_us: int) -> None:
    """Answer a peer's check at once and by itself (H-LIN-3): in the transaction that takes it."""
    core.answer(statement, {"check": statement.id}, "hotline/check-reply", now_us, desk=MACHINE)


def pass_checks(core: Core, now_us: int, alternates: Collection[str] = ()) -> list[Effect]:
    """Begin the checks whose slot has come, and write down which were not answered in time.

    Args:
        alternates: peers that have a second address.
    """
    agreement = core.state.agreement
    if agreement is None:
        return []
    effects: list[Effect] = []
    for peer in core.state.peers:
        after_us = max(_first_us(core.state), _slot_us(core.state, peer, now_us))
        for slot_us in slots_between(agreement.terms.comm_checks, after_us, now_us, 1):
            if slot_us in _line(core.state, peer).checks:
                continue  # a clock that was ahead for a while has begun it already
            effects += _begin(core, peer, slot_us, now_us, MACHINE, MACHINE, by_hand=False)
    overdue = sorted(
        (due_us, peer, check.slot_us)
        for peer, check, due_us in _awaited(core.state, agreement.terms)
        if due_us <= now_us
    )
    for due_us, peer, slot_us in overdue:
        slot = format_time(slot_us)
        core.append_local(now_us, "check/missed", peer=peer, slot=slot, due=format_time(due_us))
        effects.append(Alert("comm-check", f"the check of {slot} was not answered", peer))
        if peer in alternates:
            values = {"path": "alternate", "slot": slot}
            effects += [*_try(core, peer, values, now_us, MACHINE, MACHINE), Detour(peer)]
    return effects


def next_check_due(state: State, now_us: int) -> int | None:
    """When `pass_checks` has something to do next, by this node's clock."""
    agreement = state.agreement
    peers = state.peers
    if agreement is None or not peers:
        return None
    found = [due_us for _, _, due_us in _awaited(state, agreement.terms)]
    for peer in peers:
        slot_us = next_check(state, peer, now_us)
        found += [] if slot_us is None else [slot_us]
    return min(found, default=None)


def next_check(state: State, peer: str, now_us: int) -> int | None:
    """When the next scheduled check of a line is; None where the agreement names none."""
    agreement = state.agreement
    if agreement is None:
        return None
    after_us = max(_first_us(state), _slot_us(state, peer, now_us), now_us)
    return next_slot(agreement.terms.comm_checks, after_us)


def _slot_us(state: State, peer: str, now_us: int) -> int:
    """The newest slot that was begun; one that is over a day ahead was a clock that was wrong, and stops no later one."""
    line = state.lines.get(peer)
    slot_us = line.slot_us if line is not None else 0
    return slot_us if slot_us <= now_us + DAY_S * US_PER_S else 0


def _first_us(state: State) -> int:
    """After which moment slots count: an agreement asks for no checks before it was made."""
    agreement = state.agreement
    assert agreement is not None
    declared = agreement.terms.scenario_clock
    return agreement.created_us if declared is None else parse_time(declared.starts_at)


def _awaited(state: State, terms: Terms) -> Iterator[tuple[str, Check, int]]:
    for peer, line in state.lines.items():
        for check in line.checks.values():
            if check.answered_us is None and not check.missed:
                yield peer, check, check.begun_us + terms.check_reply_s * US_PER_S


def streak(state: State, peer: str, now_us: int) -> list[Slot]:
    """The last scheduled checks of a line, oldest first."""
    agreement = state.agreement
    if agreement is None:
        return []
    line = state.lines.get(peer) or LineState()
    until_us = max(now_us, line.slot_us)  # a clock that jumped back takes nothing away
    slots = slots_between(agreement.terms.comm_checks, _first_us(state), until_us, STREAK_SLOTS)
    return [_slot(slot_us, line.checks.get(slot_us)) for slot_us in slots]


def checks_by_hand(state: State, peer: str) -> list[Slot]:
    """The checks of a line that an officer made, oldest first; they stand in no streak."""
    line = state.lines.get(peer) or LineState()
    by_hand = sorted(slot_us for slot_us, check in line.checks.items() if check.by_hand)
    return [_slot(slot_us, line.checks[slot_us]) for slot_us in by_hand[-STREAK_SLOTS:]]


def is_missing(state: State, peer: str) -> bool:
    """Whether a check of a line was missed and none was answered since.

    A node that starts anew knows by it that the first address was silent.
    """
    checks = (state.lines.get(peer) or LineState()).checks.values()
    missed = (one.begun_us for one in checks if one.missed and one.answered_us is None)
    answered = (one.answered_us for one in checks if one.answered_us is not None)
    return max(missed, default=-1) > max(answered, default=-1)


def _slot(slot_us: int, check: Check | None) -> Slot:
    if check is None:
        return Slot(format_time(slot_us), "unsent", None, None)
    took_s = None if check.answered_us is None else (check.answered_us - check.begun_us) / US_PER_S
    answered: SlotState = "late" if check.missed else "answered"
    waiting: SlotState = "missed" if check.missed else "waiting"
    return Slot(format_time(slot_us), waiting if took_s is None else answered, check.path, took_s)


def told(statement: Statement, values: Json) -> list[Effect]:
    """What officers are told when one of these statements has come in."""
    saying = _DECLARING.get(statement.type)
    if saying is None:
        return []
    message = (
        f"{statement.party} declares the line {saying} ({values['scope']}): {values['reason']}"
    )
    return [Alert(f"line-{saying}", message, statement.party, (statement.id,))]


def saying_of(text: str) -> Saying:
    """What can be declared, from an address.

    Raises:
        UsageError: ``line-saying``.
    """
    words: dict[str, Saying] = {"suspend": "suspended", "resume": "resumed", "fault": "fault"}
    if text not in words:
        raise UsageError(
            "line-saying", f"it is {shown(text)}; it must be suspend, resume or fault", field="said"
        )
    return words[text]

"""Deadlines: who owes whom an answer, by when, and what is written down when that time has passed.

Which expectations are open is a pure function of the ledger: the fold calls `owe` when a statement makes one
and `settle` when it is answered or has lost its matter. `pass_deadlines` is the only thing that looks at a clock.
docs/spec/hotline.md, section 3, is the normative text.

Another family of types adds its own expectations by calling `owe` and `settle` from its fold, and its due times
to `DUES` in `detente.protocol.rules`, so that a peer's word that no answer came can be checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from detente.errors import DetenteError
from detente.limits import DEADLINES_AT_ONCE, INTENTS_WAITING
from detente.protocol.cause import Raised
from detente.protocol.effect import Alert, Effect
from detente.protocol.form import THREAD_KINDS, Type
from detente.protocol.journal import Entry, Intent, Json
from detente.protocol.statement import Statement
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State

TYPES: dict[str, Type] = {
    "receipt/no-answer": Type(
        "R6",
        ("desk", "due", "expected", "statement", "tries"),
        chain=None,
        thread="may",
        receipt=False,
        kinds=THREAD_KINDS,
    ),
}

# by what is expected: when it is due for a statement by the ledger, or None where nothing is owed
Dues = dict[str, Callable[["State", str], int | None]]


class Expectation(msgspec.Struct, frozen=True):
    """An answer that one party owes another.

    Attributes:
        expected: a rung of the ladder, ``answer``, ``reply``, ``check-reply`` …
        statement: what it is about.
        by, to: who owes it to whom.
        due_us: by the clock of who owes it; the same number on both sides.
        fires_us: when this node writes that it passed, by its own clock, where that is another time (H-DUE-6);
            None where it is `due_us`.
        exercise, notice: of the statement's thread.
        step: of an escalation, from 1; 0 for what is owed once.
        tells: whether the one it is owed to signs that no answer came.
        tries: how often it was asked.
    """

    expected: str
    statement: str
    by: str
    to: str
    due_us: int
    exercise: bool
    notice: str | None = None
    step: int = 0
    tells: bool = True
    tries: int = 1
    fires_us: int | None = None

    @property
    def passes_us(self) -> int:
        """When this node's clock passes it."""
        return self.due_us if self.fires_us is None else self.fires_us

    @property
    def id(self) -> str:
        """``EXPECTED:STATEMENT``, with ``:STEP`` for a step of an escalation."""
        return expectation_id(self.expected, self.statement, self.step)


class Passed(msgspec.Struct):
    """A deadline that passed without an answer; what has passed has passed.

    Attributes:
        expected, statement, by, to, due_us: of the expectation.
        index, time_us: the entry that said so first.
        local: this node's own clock passed it.
        told: the statement by which the one it was owed to said so, None while nobody has.
        over: the entry with which it was answered after all or lost its matter.
    """

    expected: str
    statement: str
    by: str
    to: str
    due_us: int
    index: int
    time_us: int
    local: bool = False
    told: str | None = None
    over: int | None = None


def expectation_id(expected: str, statement: str, step: int = 0) -> str:
    """The name of an expectation.

    Example:
        >>> expectation_id("opened", "ab"), expectation_id("reply", "ab", 2)
        ('opened:ab', 'reply:ab:2')
    """
    return f"{expected}:{statement}:{step}" if step else f"{expected}:{statement}"


def bounded_us(said_us: int, made_us: int, known_us: int | None, limit_s: int) -> int:
    """When a peer received something, as far as this node can believe what the peer says of it (H-DUE-6).

    The attack this stops: 1. Mallory's receipt says that it was received in the year 2100. 2. Whatever it owes from
    then on is due in 2100, and nobody is told that it never came.

    Args:
        said_us: by the peer's receipt.
        made_us: when we said it. known_us: when the receipt came in; None for a receipt of our own.
        limit_s: by how much the clocks may differ by the agreement.

    Example:
        >>> s = 1_000_000
        >>> [bounded_us(said * s, 100 * s, 110 * s, 5) // s for said in (50, 97, 108, 114, 9999)]
        [95, 97, 108, 114, 115]
    """
    if known_us is None:
        return said_us
    limit_us = limit_s * US_PER_S
    return max(made_us - limit_us, min(said_us, known_us + limit_us))


# -- in the fold -----------------------------------------------------------------------------------


def owe(state: State, expectation: Expectation) -> None:
    """Something is expected from now on; what our clock has seen pass already stays passed."""
    passed = state.passed.get(expectation.id)
    if passed is None or not passed.local:
        state.owed.setdefault(expectation.id, expectation)


def settle(state: State, id_: str, index: int) -> None:
    """It was answered, or lost its matter, with this entry; doing it again changes nothing."""
    state.owed.pop(id_, None)
    passed = state.passed.get(id_)
    if passed is not None and passed.over is None:
        passed.over = index


def apply_passed(state: State, entry: Entry, local: Json) -> None:
    """Fold the local entry ``deadline/passed``."""
    what = local["expectation"]
    expectation = Expectation(due_us=parse_time(local["due"]), **what)
    state.owed.pop(expectation.id, None)
    _pass(state, entry, expectation).local = True


def apply_no_answer(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    """Fold ``receipt/no-answer``, ours or a peer's."""
    expectation = Expectation(
        expected=values["expected"],
        statement=values["statement"],
        by=statement.recipient,
        to=statement.party,
        due_us=parse_time(values["due"]),
        exercise=statement.exercise,
        notice=statement.notice,
    )
    answered = entry.header.kind == "received" and expectation.id not in state.owed
    passed = _pass(state, entry, expectation)
    passed.told = passed.told or statement.id
    if answered and not passed.local and passed.over is None:
        passed.over = entry.index  # our answer and their word crossed on the line
    if entry.header.kind == "made":
        state.owed.pop(expectation.id, None)


def _pass(state: State, entry: Entry, expectation: Expectation) -> Passed:
    id_ = expectation.id
    if id_ not in state.passed:
        state.passed[id_] = Passed(
            expected=expectation.expected,
            statement=expectation.statement,
            by=expectation.by,
            to=expectation.to,
            due_us=expectation.due_us,
            index=entry.index,
            time_us=entry.header.time_us,
        )
        notices = () if expectation.notice is None else (expectation.notice,)
        state.raise_alarm(
            Raised(
                id=f"no-answer:{id_}",
                kind="no-answer",
                index=entry.index,
                time_us=entry.header.time_us,
                exercise=expectation.exercise,
                notices=notices,
                statement=expectation.statement,
                party=expectation.by,
                code=expectation.expected,
            )
        )
    if expectation.notice is not None:
        state.note(expectation.notice, entry.index)
    return state.passed[id_]


APPLY: dict[str, Callable[[State, Entry, Statement, Json], None]] = {
    "receipt/no-answer": apply_no_answer
}
APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {"deadline/passed": apply_passed}


# -- the clock -------------------------------------------------------------------------------------


def next_due(state: State) -> int | None:
    """When the next expectation comes due, None where nothing is owed."""
    return min((one.passes_us for one in state.owed.values()), default=None)


def pass_deadlines(core: Core, now_us: int, most: int = DEADLINES_AT_ONCE) -> list[Effect]:
    """Write down what is due by now, each once and in order of due time (H-DUE-2, H-DUE-3).

    At most `most` in one transaction; the caller comes again while `next_due` is not after the clock.
    """
    due = sorted(
        (one for one in core.state.owed.values() if one.passes_us <= now_us),
        key=lambda one: (one.passes_us, one.id),
    )
    effects: list[Effect] = []
    for one in due[:most]:
        ours = one.to == core.identity.party and one.tells
        if ours and len(core.intents) >= 2 * INTENTS_WAITING:
            continue  # it stays due, and is written once there is room to say so; the others are not held up
        said = _draft(core, one, now_us) if ours else None
        core.append_local(
            now_us, "deadline/passed", expectation=_plain(one), due=format_time(one.due_us)
        )
        refs = (one.statement,) if one.notice is None else (one.notice, one.statement)
        effects.append(
            Alert("no-answer", f"{one.expected} is owed by {one.by} and due", one.by, refs)
        )
        if said is not None:
            effects += core.say_about(*said, now_us)
    return effects


def _plain(one: Expectation) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(one)
    del found["due_us"]
    if one.fires_us is None:
        del found["fires_us"]
    return found


def _draft(core: Core, one: Expectation, now_us: int) -> tuple[Intent, Statement] | None:
    """The statement that no answer came, and what it is about; on a line that is down it waits like any filing."""
    passed = core.state.passed.get(one.id)
    found = core.journal.statement(one.statement)
    if found is None or (passed is not None and passed.told is not None):
        return None
    about = found[0]
    values = {
        "desk": about.desk,
        "due": format_time(one.due_us),
        "expected": one.expected,
        "statement": one.statement,
        "tries": one.tries,
    }
    try:
        return core.draft_about(
            about, "receipt/no-answer", values, one.by, now_us, desk="machine"
        ), about
    except DetenteError:
        return None  # an agreement that is no longer in force: the entry here says it all the same

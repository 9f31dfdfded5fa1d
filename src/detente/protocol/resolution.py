"""Proposals to resolve a conflict, in the record: their types and rules, and what they do to the state.

What officers do with them stands in `detente.protocol.resolving`. docs/spec/advice.md, section 6, is the
normative text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from detente.conflict.move import Move, parse_move
from detente.errors import RefusedError, UsageError, shown
from detente.hotline.resolution import (
    PROPOSAL_ANSWERS,
    PROPOSAL_MOVES,
    ProposalMove,
    ProposalState,
    after_proposal_move,
)
from detente.limits import PROPOSALS_OPEN
from detente.notice.activity import PRECEDENCES
from detente.protocol.cause import Raised
from detente.protocol.conflictid import conflict_ids
from detente.protocol.deadlines import (
    Dues,
    Expectation,
    bounded_us,
    expectation_id,
    owe,
    settle,
)
from detente.protocol.effect import Alert, Effect
from detente.protocol.form import Type, check_text, check_value, is_statement_id, matches
from detente.protocol.journal import Entry, Json
from detente.protocol.statement import Statement
from detente.units import US_PER_S, parse_time

if TYPE_CHECKING:
    from detente.protocol.fold import State

ANSWER = "proposal-answer"
# Who answered, and who proposed, has to amend; apart, because both may have to. Each is owed about what the
# other said, the proposal or the acceptance: whoever it is owed to signs that it did not come, about its own statement.
KEPT: dict[str, Literal["to", "party"]] = {"kept-answerer": "to", "kept-proposer": "party"}

TYPES: dict[str, Type] = {
    "resolution/proposal": Type(
        "A10",
        ("moves", "notices", "option", "precedence"),
        ("text",),
        thread="must",
        kinds=("conflict",),
    ),
    "resolution/answer": Type(
        "A11",
        ("answer", "proposal"),
        ("moves", "notices", "option", "precedence", "text"),
        thread="must",
        kinds=("conflict",),
    ),
}

COUNTERS = (
    "moves",
    "notices",
    "option",
    "precedence",
)  # what makes an answer a proposal of its own

_is_option = matches(r"[a-z0-9][a-z0-9._/-]{0,99}")
_is_digest = matches(r"[0-9a-f]{64}")


class Proposal(msgspec.Struct):
    """One proposal, or a counter, which is one too.

    Attributes:
        conflict: its id.
        notices: the two versions that it is about, as in the conflict's record.
        moves: what would change; whose notice moves has to amend it.
        counters: the proposal that it answers, None where it answers none.
        received_us, due_us: when it was received and its answer is due, by the recipient's clock; None until a receipt says.
        answer: the statement that answered it; answer_text: its words; answered_us: by its maker's clock, answer_time_us: by that of this record.
        kept_due_us: when the amendments are due, by the clock of whom the answer went to; None before an acceptance was received.
        kept_us: when the two were found clear of each other.
        index: the entry that changed it last.
    """

    statement: str
    conflict: str
    party: str
    to: str
    notices: list[Json]
    moves: list[Move]
    option: str
    precedence: str
    text: str | None
    exercise: bool
    claimed_us: int
    time_us: int
    length_s: int
    index: int
    state: ProposalState = "proposed"
    counters: str | None = None
    received_us: int | None = None
    due_us: int | None = None
    answer: str | None = None
    answer_text: str | None = None
    answered_us: int | None = None
    answer_time_us: int = 0
    kept_due_us: int | None = None
    kept_us: int | None = None

    @property
    def movers(self) -> list[str]:
        """The parties who would move a notice of theirs."""
        return sorted({move.notice.partition(":")[0] for move in self.moves})

    def owed_about(self, expected: str) -> str:
        """The statement about which an amendment is owed."""
        return self.statement if KEPT[expected] == "to" else self.answer or ""


class Said(msgspec.Struct, frozen=True):
    """An answer, as it stands in the ledger."""

    statement: str
    move: ProposalMove
    text: str | None
    claimed_us: int
    time_us: int
    agreement: str | None
    index: int


class Resolutions(msgspec.Struct):
    """All proposals by statement, and which of them an acceptance answers.

    Attributes:
        about: by notice, the proposals about a version of it, in the order of the ledger.
        accepted: by the statement that accepts, the proposal.
        early: by proposal, answers of ours that a recovery brought back before it.
    """

    known: dict[str, Proposal] = {}
    about: dict[str, list[str]] = {}
    accepted: dict[str, str] = {}
    early: dict[str, list[Said]] = {}


# -- rules ---------------------------------------------------------------------------------------


def _check_proposal(state: State, statement: Statement, values: Json) -> None:
    """A-RES-1, A-RES-2: about one conflict of the two parties, and about nothing else."""
    assert statement.thread is not None
    _check_option(values)
    if "text" in values:
        check_text(values, "text")
    ids = _check_notices(state, statement, values["notices"])
    check_moves(values["moves"], ids)
    open_ = [
        one
        for one in state.resolution.known.values()
        if (one.conflict, one.party, one.state)
        == (statement.thread.id, statement.party, "proposed")
    ]
    if len(open_) >= PROPOSALS_OPEN:
        raise RefusedError(
            "proposals-many",
            f"{len(open_)} proposals of {statement.party} wait for an answer; at most {PROPOSALS_OPEN} about one conflict may",
            field="moves",
        )


def _check_option(values: Json) -> None:
    check_value(values, "option", _is_option, "the key of an option, or another word of that form")
    check_value(values, "precedence", lambda one: one in PRECEDENCES, " or ".join(PRECEDENCES))


def _check_notices(state: State, statement: Statement, notices: object) -> list[str]:
    """The two versions: one of each party, known here, and those of the conflict that the thread names."""
    assert statement.thread is not None
    good = (
        isinstance(notices, list)
        and len(notices) == 2
        and all(
            isinstance(one, dict)
            and set(one) == {"body", "id", "version"}
            and _is_digest(one["body"])
            and isinstance(one["id"], str)
            and type(one["version"]) is int
            for one in notices
        )
    )
    ids = [one["id"] for one in notices] if good and isinstance(notices, list) else []
    owners = {id_.partition(":")[0] for id_ in ids}
    if ids != sorted(ids) or owners != {statement.party, statement.recipient}:
        raise RefusedError(
            "proposal-wrong",
            f"notices are {shown(notices)}; they must be one of each party with version and body, in the order of their ids",
            field="notices",
        )
    assert isinstance(notices, list)
    agreements = []
    for one in notices:
        known = state.notices.get(one["id"])
        version = None if known is None else known.versions.get(one["version"])
        if known is None or version is None or version.body_digest != one["body"]:
            raise RefusedError(
                "proposal-wrong",
                f"{one['id']} version {one['version']} is not known here with that body; it must be one that both parties hold",
                field="notices",
            )
        if known.exercise != statement.exercise:
            raise RefusedError(
                "exercise-flip", "EXERCISE must not change within a thread", field="EXERCISE"
            )
        agreements.append(version.agreement)
    if statement.thread.id not in conflict_ids([one["body"] for one in notices], agreements):
        raise RefusedError(
            "proposal-wrong",
            "the thread must be the conflict of the two versions named",
            field="thread",
        )
    return ids


def check_moves(value: object, ids: list[str]) -> list[Move]:
    """The moves of a proposal, one for each notice that moves.

    Args:
        ids: of the two notices of the conflict.

    Raises:
        RefusedError: ``move-malformed``; ``move-of-another``: a notice that the conflict is not about.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= 2:
        raise RefusedError(
            "move-malformed", f"moves are {shown(value)}; they must be one or two", field="moves"
        )
    try:
        moves = [parse_move(one, field=f"moves[{i}]") for i, one in enumerate(value)]
    except UsageError as error:
        raise RefusedError(error.code, str(error), field=error.field) from None
    names = [move.notice for move in moves]
    if not set(names) <= set(ids) or names != sorted(set(names)):
        raise RefusedError(
            "move-of-another",
            f"moves are of {shown(names)}; they must be of the notices of the conflict, each once and in the order of their ids",
            field="moves",
        )
    return moves


def _check_answer(state: State, statement: Statement, values: Json) -> None:
    """A-RES-3: one answer, by whom it was proposed to, to who proposed it."""
    assert statement.thread is not None
    check_value(values, "proposal", is_statement_id, "the id of a statement")
    check_value(
        values, "answer", lambda one: one in PROPOSAL_ANSWERS, " or ".join(PROPOSAL_ANSWERS)
    )
    if "text" in values:
        check_text(values, "text")
    proposal = state.resolution.known.get(values["proposal"])
    if proposal is None or (proposal.party, proposal.to, proposal.conflict) != (
        statement.recipient,
        statement.party,
        statement.thread.id,
    ):
        raise RefusedError(
            "proposal-unknown",
            f"proposal is {shown(values['proposal'])}; it must be one of its recipient to its maker, about the same conflict",
            field="proposal",
        )
    if proposal.exercise != statement.exercise:
        raise RefusedError(
            "exercise-flip", "EXERCISE must not change within a thread", field="EXERCISE"
        )
    counters = values["answer"] == "counter"
    if {*COUNTERS} & set(values) != ({*COUNTERS} if counters else set()):
        raise RefusedError(
            "answer-malformed",
            f"a counter must have {', '.join(COUNTERS)}, and no other answer may have them",
            field="answer",
        )
    if counters:
        if values["notices"] != proposal.notices:
            raise RefusedError(
                "proposal-wrong",
                "a counter must be about the very versions that the proposal is about",
                field="notices",
            )
        _check_option(values)
        check_moves(values["moves"], [one["id"] for one in proposal.notices])
    after_proposal_move(proposal.state, values["answer"])


CHECKS: dict[str, Callable[[State, Statement, Json], None]] = {
    "resolution/proposal": _check_proposal,
    "resolution/answer": _check_answer,
}


# -- fold ----------------------------------------------------------------------------------------


def _begin(
    state: State, entry: Entry, statement: Statement, values: Json, counters: str | None
) -> None:
    assert statement.thread is not None
    agreement = state.agreements.get(statement.agreement or "")
    deadlines = {} if agreement is None else agreement.terms.answer_deadlines_s
    proposal = Proposal(
        statement=statement.id,
        conflict=statement.thread.id,
        party=statement.party,
        to=statement.recipient,
        notices=values["notices"],
        moves=[parse_move(one, field="moves") for one in values["moves"]],
        option=values["option"],
        precedence=values["precedence"],
        text=values.get("text"),
        exercise=statement.exercise,
        claimed_us=statement.claimed_us,
        time_us=entry.header.time_us,
        length_s=deadlines.get(values["precedence"], max(deadlines.values(), default=0)),
        index=entry.index,
        counters=counters,
    )
    state.resolution.known[statement.id] = proposal
    for one in proposal.notices:
        state.resolution.about.setdefault(one["id"], []).append(statement.id)
    if entry.header.kind == "received":
        state.raise_alarm(
            Raised(
                id=f"proposal:{statement.id}",
                kind="proposal",
                index=entry.index,
                time_us=entry.header.time_us,
                exercise=statement.exercise,
                notices=tuple(one["id"] for one in proposal.notices),
                statement=statement.id,
                party=statement.party,
                code=proposal.conflict,
                message=proposal.text,
            )
        )
    if _is_gone(state, proposal):
        _move(proposal, "gone", entry.index)
    for said in state.resolution.early.pop(statement.id, ()):
        _answered(state, proposal, said)
    receipt = state.receipts.get(statement.id)
    if receipt is not None and receipt.answer == "delivered":  # ours, brought back before it
        _received(state, proposal, statement.agreement, receipt.received_us)


def _apply_proposal(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    _begin(state, entry, statement, values, None)


def _apply_answer(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    said = Said(
        statement=statement.id,
        move=values["answer"],
        text=values.get("text"),
        claimed_us=statement.claimed_us,
        time_us=entry.header.time_us,
        agreement=statement.agreement,
        index=entry.index,
    )
    proposal = state.resolution.known.get(values["proposal"])
    if proposal is None:
        state.resolution.early.setdefault(values["proposal"], []).append(said)
    else:
        _answered(state, proposal, said)
    if said.move == "counter":
        _begin(state, entry, statement, values, values["proposal"])


def _answered(state: State, proposal: Proposal, said: Said) -> None:
    if (proposal.state, said.move) not in PROPOSAL_MOVES:
        return  # what a recovery brings back was answered long ago, and may be out of turn
    _move(proposal, said.move, said.index)
    proposal.answer = said.statement
    proposal.answer_text = said.text
    proposal.answered_us, proposal.answer_time_us = said.claimed_us, said.time_us
    settle(state, expectation_id(ANSWER, proposal.statement), said.index)
    if said.move == "accept":
        state.resolution.accepted[said.statement] = proposal.statement
        receipt = state.receipts.get(said.statement)
        if receipt is not None and receipt.answer == "delivered":
            _owe_kept(state, proposal, said.agreement, receipt.received_us)


def _move(proposal: Proposal, move: ProposalMove, index: int) -> None:
    proposal.state = PROPOSAL_MOVES.get((proposal.state, move), proposal.state)
    proposal.index = index


def _is_gone(state: State, proposal: Proposal) -> bool:
    """Whether one of the versions that it is about has been replaced or cancelled.

    An older one does not count: a recovery may bring our proposal back before the version that it is about.
    """
    return any(
        (known := state.notices.get(one["id"])) is not None and known.latest.number > one["version"]
        for one in proposal.notices
    )


def superseded(state: State, notice: str, index: int) -> None:
    """A notice has another version: proposals about the earlier ones that nobody answered are moot."""
    for id_ in state.resolution.about.get(notice, ()):
        proposal = state.resolution.known[id_]
        if proposal.state == "proposed" and _is_gone(state, proposal):
            _move(proposal, "gone", index)
            settle(state, expectation_id(ANSWER, proposal.statement), index)


def delivered(state: State, statement: Statement, values: Json) -> None:
    """A receipt says that a proposal or an answer was delivered: from now on something is owed.

    Args:
        statement: the receipt, ours or theirs.
    """
    about, received_us = values["statement"], parse_time(values["received"])
    proposal = state.resolution.known.get(about)
    if proposal is not None and proposal.received_us is None:
        _received(state, proposal, statement.agreement, received_us)
    accepted = state.resolution.accepted.get(about)
    if accepted is not None:
        _owe_kept(state, state.resolution.known[accepted], statement.agreement, received_us)


def _received(state: State, proposal: Proposal, agreement: str | None, received_us: int) -> None:
    proposal.received_us = received_us
    proposal.due_us = received_us + proposal.length_s * US_PER_S
    if proposal.state == "proposed":
        what = (ANSWER, proposal.statement, proposal.to, proposal.party)
        _owe(state, proposal, agreement, what, proposal.due_us, received_us)


def _owe_kept(state: State, proposal: Proposal, agreement: str | None, received_us: int) -> None:
    """Whoever has promised to move amends within the precedence's time of the acceptance's receipt."""
    if proposal.kept_due_us is not None or proposal.answer is None:
        return
    proposal.kept_due_us = received_us + proposal.length_s * US_PER_S
    if proposal.state != "accepted":
        return
    for expected, who in KEPT.items():
        mover: str = getattr(proposal, who)
        if mover in proposal.movers:
            other = proposal.party if who == "to" else proposal.to
            what = (expected, proposal.owed_about(expected), mover, other)
            _owe(state, proposal, agreement, what, proposal.kept_due_us, received_us)


def _owe(
    state: State,
    proposal: Proposal,
    agreement: str | None,
    what: tuple[str, str, str, str],
    due_us: int,
    received_us: int,
) -> None:
    """Expect something.

    Args:
        what: expected, about which statement, by whom, to whom.
        received_us: from which time it is counted, as its receipt has it (H-DUE-6).
    """
    expected, about, by, to = what
    receipt = state.receipts.get(about)
    known = state.agreements.get(agreement or "")
    limit_s = 0 if known is None else known.terms.clock_offset_limit_s
    known_us = receipt.known_us if receipt is not None else None
    said_us = proposal.time_us if about == proposal.statement else proposal.answer_time_us
    fires_us = due_us + bounded_us(received_us, said_us, known_us, limit_s) - received_us
    owe(
        state,
        Expectation(
            expected=expected,
            statement=about,
            by=by,
            to=to,
            due_us=due_us,
            exercise=proposal.exercise,
            fires_us=None if fires_us == due_us else fires_us,
        ),
    )


def _apply_kept(state: State, entry: Entry, local: Json) -> None:
    proposal = state.resolution.known[local["proposal"]]
    _move(proposal, "clear", entry.index)
    proposal.kept_us = entry.header.time_us
    for expected in KEPT:
        settle(state, expectation_id(expected, proposal.owed_about(expected)), entry.index)


APPLY: dict[str, Callable[[State, Entry, Statement, Json], None]] = {
    "resolution/proposal": _apply_proposal,
    "resolution/answer": _apply_answer,
}
APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {"resolution/kept": _apply_kept}


def _answer_due(state: State, statement: str) -> int | None:
    proposal = state.resolution.known.get(statement)
    if proposal is None or proposal.received_us is None:
        return None
    return proposal.received_us + proposal.length_s * US_PER_S


def _kept_due(who: Literal["to", "party"]) -> Callable[[State, str], int | None]:
    def due(state: State, statement: str) -> int | None:
        known, accepted = state.resolution.known, state.resolution.accepted
        proposal = known.get(statement if who == "to" else accepted.get(statement, ""))
        if proposal is None or getattr(proposal, who) not in proposal.movers:
            return None
        return proposal.kept_due_us

    return due


DUES: Dues = {ANSWER: _answer_due, **{name: _kept_due(who) for name, who in KEPT.items()}}


def state_of(state: State, proposal: Proposal) -> ProposalState:
    """The state as it is shown: with what has passed unanswered, or not been kept, by now."""
    owed = [expectation_id(ANSWER, proposal.statement)]
    if proposal.state == "accepted":
        owed = [expectation_id(one, proposal.owed_about(one)) for one in KEPT]
    missing = [
        one for id_ in owed if (one := state.passed.get(id_)) is not None and one.over is None
    ]
    if not missing:
        return proposal.state
    return PROPOSAL_MOVES.get((proposal.state, "due-passed"), proposal.state)


def told(state: State, statement: Statement) -> list[Effect]:
    """What officers are told when one of these has come in."""
    what = "proposes a way out" if statement.type == "resolution/proposal" else "answers a proposal"
    code = statement.type.partition("/")[2]
    thread = statement.thread
    refs = (statement.id,) if thread is None else (thread.id, statement.id)
    return [
        Alert(
            "proposal" if code == "proposal" else "proposal-answered",
            f"{statement.party} {what}",
            statement.party,
            refs,
        )
    ]

"""Proposals as officers handle them: proposing, answering, doing what was accepted; and their rows.

Each function that says something is one transaction, as in `core`. docs/spec/advice.md, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detente.conflict.advice import Move, Option, apply_move
from detente.errors import RefusedError, UsageError, shown
from detente.hotline.resolution import ProposalMove, ProposalState, after_proposal_move
from detente.limits import PROPOSALS_OPEN
from detente.protocol.advising import find_conflict, shared_advice
from detente.protocol.core import Core, Filed
from detente.protocol.effect import Effect
from detente.protocol.fold import ConflictState
from detente.protocol.journal import Json
from detente.protocol.resolution import Proposal, state_of
from detente.protocol.shortid import with_id
from detente.protocol.statement import Thread, body_values
from detente.units import format_time

SHORT_ID_CHARS = 6
# Somebody has still to answer, or to amend.
UNFINISHED = frozenset({"proposed", "unanswered", "accepted", "not-kept"})


class ProposalRow(msgspec.Struct, frozen=True):
    """A proposal as a console shows it.

    Attributes:
        id: its statement; ``waiting:N`` while it waits for the line.
        conflict: what it is about; moves: what would change.
        state: with what has passed unanswered or not been kept by now.
        due: when its answer is due; kept_due: when the amendments are.
        answer: the statement that answered; counters: the proposal that it answers itself.
        ours_to_answer: this party has yet to answer it.
        ours_to_keep: the notice of this party that has yet to be amended, or None.
        answer_waits: an answer of ours waits for the line.
    """

    id: str
    conflict: str
    party: str
    to: str
    state: ProposalState
    option: str
    moves: list[Move]
    notices: list[str]
    precedence: str
    text: str | None
    exercise: bool
    said: str
    received: str | None
    due: str | None
    kept_due: str | None
    kept: str | None
    answer: str | None
    answer_text: str | None
    counters: str | None
    ours_to_answer: bool
    ours_to_keep: str | None
    answer_waits: str | None


def proposal_rows(core: Core, conflict: str | None = None) -> list[ProposalRow]:
    """All proposals in the order of the record, then those that wait for the line.

    Args:
        conflict: only those about it.
    """
    rows = [_row(core, one) for one in core.state.resolution.known.values()]
    for number, intent in sorted(core.intents.items()):
        if intent.type != "resolution/proposal":
            continue
        values = body_values(intent.openings)
        rows.append(
            ProposalRow(
                id=f"waiting:{number}",
                conflict=(intent.thread or {})["id"],
                party=core.identity.party,
                to=intent.to[0],
                state="proposed",
                option=values["option"],
                moves=[Move(**one) for one in values["moves"]],
                notices=[one["id"] for one in values["notices"]],
                precedence=values["precedence"],
                text=values.get("text"),
                exercise=intent.exercise,
                said=format_time(intent.filed_us),
                received=None,
                due=None,
                kept_due=None,
                kept=None,
                answer=None,
                answer_text=None,
                counters=None,
                ours_to_answer=False,
                ours_to_keep=None,
                answer_waits=None,
            )
        )
    return [row for row in rows if conflict in (None, row.conflict)]


def _row(core: Core, one: Proposal) -> ProposalRow:
    party, state = core.identity.party, state_of(core.state, one)
    waits = _answer_waiting(core, one)
    own = next((move.notice for move in one.moves if move.notice.startswith(f"{party}:")), None)
    keeps = (
        own is not None and state in ("accepted", "not-kept") and not _is_amended(core, one, own)
    )
    return ProposalRow(
        id=one.statement,
        conflict=one.conflict,
        party=one.party,
        to=one.to,
        state=state,
        option=one.option,
        moves=one.moves,
        notices=[side["id"] for side in one.notices],
        precedence=one.precedence,
        text=one.text,
        exercise=one.exercise,
        said=format_time(one.time_us),
        received=_time(one.received_us),
        due=_time(one.due_us),
        kept_due=_time(one.kept_due_us) if one.movers and one.answer else None,
        kept=_time(one.kept_us),
        answer=one.answer,
        answer_text=one.answer_text,
        counters=one.counters,
        ours_to_answer=one.to == party and state in ("proposed", "unanswered") and waits is None,
        ours_to_keep=own if keeps else None,
        answer_waits=waits,
    )


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)


def _is_amended(core: Core, proposal: Proposal, notice: str) -> bool:
    """Whether another version than the one proposed about has been filed, signed or not."""
    about = next(side for side in proposal.notices if side["id"] == notice)
    return core.state.filed_versions.get(notice, 0) > int(about["version"])


def _answer_waiting(core: Core, proposal: Proposal) -> str | None:
    for _, intent in sorted(core.intents.items()):
        if intent.type == "resolution/answer":
            values = body_values(intent.openings)
            if values["proposal"] == proposal.statement:
                return str(values["answer"])
    return None


def propose(
    core: Core,
    wanted: str,
    option: str,
    now_us: int,
    *,
    officer: str,
    desk: str,
    precedence: str = "routine",
    text: str | None = None,
) -> tuple[ConflictState, list[Effect]]:
    """Propose an option of the shared advice to the other party of a conflict.

    Args:
        wanted: the conflict. option: the option's key.

    Raises:
        UsageError: ``conflict-unknown``, ``option-unknown``. RefusedError: a rule that the peer keeps too.
        UnavailableError: ``advice-waits``.
    """
    conflict = find_conflict(core, wanted)
    chosen = _option(core, conflict, option)
    record = conflict.record
    open_ = [
        row
        for row in proposal_rows(core, conflict.id)
        if row.party == core.identity.party and row.state == "proposed"
    ]
    if (
        len(open_) >= PROPOSALS_OPEN
    ):  # those that wait for the line too: the peer counts them when they come
        raise RefusedError(
            "proposals-many",
            f"{len(open_)} proposals about it wait for an answer; at most {PROPOSALS_OPEN} may",
        )
    values: Json = {
        "moves": [move.body() for move in chosen.moves],
        "notices": record["notices"],
        "option": chosen.key,
        "precedence": precedence,
        **({} if text is None else {"text": text}),
    }
    _, effects = core.say(
        "resolution/proposal",
        values,
        [_peer(core, conflict)],
        now_us,
        officer=officer,
        desk=desk,
        exercise=bool(record["EXERCISE"]),
        thread=Thread(conflict.id, "conflict", 1),
    )
    return conflict, effects


def answer_proposal(
    core: Core,
    wanted: str,
    answer: ProposalMove,
    now_us: int,
    *,
    officer: str,
    desk: str,
    option: str | None = None,
    precedence: str = "routine",
    text: str | None = None,
) -> tuple[Proposal, list[Effect]]:
    """Accept, decline or counter a proposal; any officer may.

    Args:
        option: of a counter, the key of an option of the shared advice.

    Raises:
        UsageError: ``proposal-unknown``, ``option-unknown``, ``proposal-moot``: nothing is left to accept.
        RefusedError: ``proposal-move``, or another rule that the peer keeps too.
    """
    proposal = find_proposal(core, wanted)
    if proposal.to != core.identity.party:
        raise UsageError(
            "proposal-unknown",
            f"proposal is {shown(wanted)}, which we made ourselves; it must be one that was made to us",
            field="proposal",
        )
    if _answer_waiting(core, proposal) is not None:
        raise RefusedError(
            "answer-waits", "an answer to it waits for the line already; it must be given once"
        )
    after_proposal_move(proposal.state, answer)
    if proposal.state == "moot" and answer != "decline":
        raise UsageError(
            "proposal-moot",
            "one of the two notices has changed since; a proposal must be about the versions that stand",
            hint="look at the conflicts again: detente conflicts DIR",
            field="proposal",
        )
    values: Json = {"answer": answer, "proposal": proposal.statement}
    if text is not None:
        values["text"] = text
    if answer == "counter":
        chosen = _option(core, find_conflict(core, proposal.conflict), option or "")
        values |= {
            "moves": [move.body() for move in chosen.moves],
            "notices": proposal.notices,
            "option": chosen.key,
            "precedence": precedence,
        }
    _, effects = core.say(
        "resolution/answer",
        values,
        [proposal.party],
        now_us,
        officer=officer,
        desk=desk,
        exercise=proposal.exercise,
        thread=Thread(proposal.conflict, "conflict", 1),
    )
    return proposal, effects


def amend_as_accepted(
    core: Core, wanted: str, now_us: int, *, officer: str, desk: str
) -> tuple[Filed, list[Effect]]:
    """File exactly the amendment that an accepted proposal says of the own notice (A-RES-5).

    Raises:
        UsageError: ``proposal-unknown``; ``nothing-to-amend``: not accepted, not ours to move, or done already.
        RefusedError: a rule of filing.
    """
    proposal = find_proposal(core, wanted)
    row = _row(core, proposal)
    if row.ours_to_keep is None:
        raise UsageError(
            "nothing-to-amend",
            f"proposal {proposal.statement[:12]} is {row.state}; it must be accepted, and move a notice of ours that has not been amended since",
            field="proposal",
        )
    move = next(one for one in proposal.moves if one.notice == row.ours_to_keep)
    volumes = core.volumes(move.notice)
    if volumes is None:
        raise UsageError(
            "notice-withheld",
            f"the volumes of {move.notice} are not in this record",
            field="proposal",
        )
    return core.file_notice(
        apply_move(volumes, move), (), now_us, officer=officer, desk=desk, amend=True
    )


def find_proposal(core: Core, wanted: str) -> Proposal:
    """A proposal by its statement, or by the beginning of one.

    Raises:
        UsageError: ``proposal-unknown``.
    """
    known = core.state.resolution.known
    found = with_id(known, wanted, SHORT_ID_CHARS)
    if len(found) != 1:
        raise UsageError(
            "proposal-unknown",
            f"proposal is {shown(wanted)}; it must be the statement of one in this record, or its first {SHORT_ID_CHARS} or more figures",
            hint="see: detente proposals DIR",
            field="proposal",
        )
    return found[0]


def _option(core: Core, conflict: ConflictState, key: str) -> Option:
    advice = shared_advice(core, conflict)
    chosen = advice.option(key)
    if chosen is None:
        raise UsageError(
            "option-unknown",
            f"option is {shown(key)}; it must be one of {', '.join(_keys(advice.options)) or 'none: nothing helps'}",
            hint="see: detente advice DIR CONFLICT",
            field="option",
        )
    return chosen


def _keys(options: Sequence[Option]) -> list[str]:
    return [one.key for one in options]


def _peer(core: Core, conflict: ConflictState) -> str:
    parties = {side["id"].partition(":")[0] for side in conflict.record["notices"]}
    return str(next(iter(parties - {core.identity.party})))

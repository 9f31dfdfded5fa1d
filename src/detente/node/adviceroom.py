"""The routes of advice and proposals: what would clear a conflict, said to the other side and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from detente.conflict.advice import Move, Option
from detente.errors import DetenteError
from detente.node import shapes
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.protocol.advising import (
    InTheWay,
    NearOwn,
    Private,
    advice_of,
    find_conflict,
    private_advice,
    shared_advice,
    shared_question,
)
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.moved import MovedNotice, moved_notices
from detente.protocol.resolution import Proposal
from detente.protocol.resolving import (
    UNFINISHED,
    ProposalRow,
    amend_as_accepted,
    answer_proposal,
    find_proposal,
    proposal_rows,
    propose,
)
from detente.units import format_time

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]
Precedence = Literal["routine", "priority", "urgent", "flash"]


class OptionRow(msgspec.Struct, frozen=True):
    """One way to be clear, as docs/spec/advice.md has it.

    Attributes:
        key: by which it is proposed.
        least: the least change, whatever the step; forbidden: the intervals that prove it. Both in the unit of the move.
    """

    key: str
    moves: list[Move]
    least: int | None
    forbidden: list[tuple[int, int]]


class SharedAdvice(msgspec.Struct, frozen=True):
    """The record that both parties compute."""

    notices: list[str]
    against: list[str]
    earliest_us: int | None
    options: list[OptionRow]
    reason: Literal["found", "none", "clear", "too-intricate"]


class PrivateAdvice(msgspec.Struct, frozen=True):
    """What only this node's officers see: made of third parties' notices and of this node's clock."""

    counted: int
    in_the_way: list[InTheWay]
    near_own: list[NearOwn]
    too_late: list[str]
    options: list[OptionRow]


class AdviceAnswer(shapes.Stamped):
    """Advice about one conflict, and what has been proposed about it."""

    conflict: str
    party: str
    advice: SharedAdvice
    private: PrivateAdvice
    proposals: list[ProposalRow]


class ProposalList(shapes.Stamped):
    """Proposals in the order of this record, then what waits unsigned."""

    proposals: list[ProposalRow]


class MovedAnswer(shapes.Stamped):
    """Where the notices that an option moves would be; none where the advice has no such option, or has it no more."""

    conflict: str
    option: str
    moved: list[MovedNotice]


class NewProposal(msgspec.Struct, forbid_unknown_fields=True):
    """An option of the shared advice, to be proposed to the other party of the conflict."""

    option: str
    precedence: Precedence = "routine"
    text: str | None = None


class ProposalAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """An answer; a counter names another option, and is a proposal of that precedence."""

    answer: Literal["accept", "decline", "counter"]
    option: str | None = None
    precedence: Precedence = "routine"
    text: str | None = None


class ProposalSaid(shapes.Stamped):
    """What became of it: the proposals about the conflict as they are now."""

    conflict: str
    proposals: list[ProposalRow]


class AmendmentFiled(shapes.Stamped):
    """The amendment that an accepted proposal describes, filed."""

    id: str
    version: int
    signed: list[str]
    proposals: list[ProposalRow]


def advice_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, and whether the role may do this.
    """

    def stamped(**values: Any) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.to_builtins(values)
        return {**plain, "clock": node.clock.label, "now": format_time(node.now_us())}

    async def think(conflict: str) -> None:
        """Have the shared advice ready before a job asks for it: it can take seconds, and the worker has others waiting."""
        try:
            question = await node.do(
                lambda core: shared_question(core, find_conflict(core, conflict))
            )
        except DetenteError:
            return  # the job will say so itself
        await asyncio.to_thread(advice_of, question)

    def said(core: Core, conflict: str) -> dict[str, Any]:
        return stamped(conflict=conflict, proposals=proposal_rows(core, conflict))

    @get(
        "/api/v1/conflicts/{conflict:str}/advice",
        responses=shapes.answers(200, AdviceAnswer),
        summary="What would clear a conflict: as both parties compute it, and what only we see",
        tags=["conflicts"],
    )
    async def advice(request: Request[Any, Any, Any], conflict: FromPath[str]) -> dict[str, Any]:
        await officer(request, "read")
        await think(conflict)

        def job(core: Core) -> tuple[dict[str, Any], Private]:
            found = find_conflict(core, conflict)
            if not found.live(core.state.notices):  # resolved while it was being asked about
                ids = sorted(side["id"] for side in found.record["notices"])
                nothing = {"notices": ids, "against": [], "earliest_us": 0, "options": []}
                said = stamped(
                    conflict=found.id,
                    party=core.identity.party,
                    advice={**nothing, "reason": "clear"},
                    proposals=proposal_rows(core, found.id),
                )
                return said, Private(0, [], [], [], core.identity.party, None)
            shared = shared_advice(core, found)
            said = stamped(
                conflict=found.id,
                party=core.identity.party,
                advice=shared.record(),
                proposals=proposal_rows(core, found.id),
            )
            return said, private_advice(core, found, shared, node.now_us())

        answer: dict[str, Any]
        answer, private = await node.do(job)
        options = await asyncio.to_thread(lambda: private.options)
        rows = {
            "counted": private.counted,
            "in_the_way": private.in_the_way,
            "near_own": private.near_own,
            "too_late": private.too_late,
            "options": _rows(options),
        }
        return {**answer, "private": msgspec.to_builtins(rows)}

    @get(
        "/api/v1/conflicts/{conflict:str}/moved",
        responses=shapes.answers(200, MovedAnswer),
        summary="What an option of the shared advice moves, drawn where it would then be",
        tags=["conflicts"],
    )
    async def moved(
        request: Request[Any, Any, Any], conflict: FromPath[str], option: FromQuery[str]
    ) -> dict[str, Any]:
        await officer(request, "read")
        await think(conflict)

        def job(core: Core) -> dict[str, Any]:
            found = find_conflict(core, conflict)
            rows = moved_notices(core, found, option)
            return stamped(conflict=found.id, option=option, moved=rows)

        answer: dict[str, Any] = await node.do(job)
        return answer

    @get(
        "/api/v1/proposals",
        responses=shapes.answers(200, ProposalList),
        summary="Proposals made and received; only what somebody has still to answer or to do, where that is asked",
        tags=["conflicts"],
    )
    async def proposals(
        request: Request[Any, Any, Any],
        conflict: FromQuery[str | None] = None,
        unfinished: FromQuery[bool] = False,
    ) -> dict[str, Any]:
        await officer(request, "read")
        rows = await node.do(lambda core: proposal_rows(core, conflict))
        return stamped(proposals=[row for row in rows if not unfinished or row.state in UNFINISHED])

    @post(
        "/api/v1/conflicts/{conflict:str}/proposals",
        status_code=201,
        responses=shapes.answers(201, ProposalSaid),
        summary="Propose an option of the shared advice to the other party",
        tags=["conflicts"],
    )
    async def make(
        request: Request[Any, Any, Any], conflict: FromPath[str], data: JSONBody[NewProposal]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        await think(conflict)

        def job(core: Core) -> tuple[dict[str, Any], list[Effect]]:
            found, effects = propose(
                core,
                conflict,
                data.option,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                precedence=data.precedence,
                text=data.text,
            )
            return said(core, found.id), effects

        answer: dict[str, Any] = await node.run(job)
        return answer

    @post(
        "/api/v1/proposals/{statement:str}/answer",
        status_code=201,
        responses=shapes.answers(201, ProposalSaid),
        summary="Accept, decline or counter a proposal",
        tags=["conflicts"],
    )
    async def reply(
        request: Request[Any, Any, Any], statement: FromPath[str], data: JSONBody[ProposalAnswer]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        if data.answer == "counter":
            await think(await node.do(lambda core: find_proposal(core, statement).conflict))

        def job(core: Core) -> tuple[dict[str, Any], list[Effect]]:
            found: tuple[Proposal, list[Effect]] = answer_proposal(
                core,
                statement,
                data.answer,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                option=data.option,
                precedence=data.precedence,
                text=data.text,
            )
            return said(core, found[0].conflict), found[1]

        answer: dict[str, Any] = await node.run(job)
        return answer

    @post(
        "/api/v1/proposals/{statement:str}/amendment",
        status_code=201,
        responses=shapes.answers(201, AmendmentFiled),
        summary="File exactly the amendment of our notice that an accepted proposal describes",
        tags=["conflicts"],
    )
    async def amend(request: Request[Any, Any, Any], statement: FromPath[str]) -> dict[str, Any]:
        who = await officer(request, "say")

        def job(core: Core) -> tuple[dict[str, Any], list[Effect]]:
            filed, effects = amend_as_accepted(
                core, statement, node.now_us(), officer=who.name, desk=who.desk
            )
            return stamped(
                id=filed.id,
                version=filed.version,
                signed=list(filed.signed),
                proposals=proposal_rows(core),
            ), effects

        answer: dict[str, Any] = await node.run(job)
        return answer

    return [advice, moved, proposals, make, reply, amend]


def _rows(options: Sequence[Option]) -> list[dict[str, object]]:
    return [option.record() for option in options]

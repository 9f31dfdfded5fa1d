"""The routes that a console lives on: picture, stream, acknowledgement, preview, history."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from detente.errors import UsageError
from detente.interop.geojson import parse_notice_geojson
from detente.limits import ACKNOWLEDGED_AT_ONCE
from detente.node.gazetteer import questions_about
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.node.picture import Board, Picture, Tick
from detente.node.stream import parse_mark, stream
from detente.protocol.alarms import AlarmRow, acknowledge
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.history import Proof, Timeline, proof, timeline
from detente.protocol.picture import Preview, preview

if TYPE_CHECKING:
    from detente.node.server import Serving

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]
ReadBody = Callable[[Request[Any, Any, Any]], Awaitable[bytes]]


class Acknowledgement(msgspec.Struct, forbid_unknown_fields=True):
    """Alarms that an officer has seen, by id."""

    alarms: list[str]


class AcknowledgementAnswer(msgspec.Struct, frozen=True):
    """The alarms as they are now, each with who acknowledged it first."""

    alarms: list[AlarmRow]
    revision: int


def watchroom_routes(
    node: Node, serving: Serving | None, officer: FindOfficer, body_of: ReadBody
) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, and whether the role may do this.
        body_of: a request's body within its limit.
    """
    board = Board(node, serving)

    @get("/api/v1/picture", summary="What changed after a revision", tags=["console"])
    async def picture(
        request: Request[Any, Any, Any],
        since: FromQuery[int] = 0,
        epoch: FromQuery[str | None] = None,
    ) -> Picture:
        await officer(request, "read")
        return await board.picture(since, epoch)

    @get(
        "/api/v1/stream",
        summary="Events: a picture whenever something changed, a tick every second",
        tags=["console"],
        responses={
            200: ResponseSpec(
                data_container=Tick | Picture,
                generate_examples=False,
                media_type="text/event-stream",
                description="`event: tick` with a Tick, `event: picture` with a Picture, `event: locked` with an empty object",
            )
        },
    )
    async def events(
        request: Request[Any, Any, Any],
        since: FromQuery[int] = 0,
        epoch: FromQuery[str | None] = None,
    ) -> Stream:
        who = await officer(request, "read")
        mark = request.headers.get("last-event-id")
        if mark:
            since, epoch = parse_mark(mark)
        session: Any = request.scope.get("detente.session")
        return Stream(
            stream(board, node, serving, since, epoch, session, who),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @post(
        "/api/v1/acknowledgements",
        status_code=200,
        summary="Say that alarms have been seen",
        tags=["console"],
    )
    async def acknowledgements(
        request: Request[Any, Any, Any], data: JSONBody[Acknowledgement]
    ) -> AcknowledgementAnswer:
        who = await officer(request, "say")
        check_count(data.alarms)

        def job(core: Core) -> tuple[AcknowledgementAnswer, list[Effect]]:
            rows = acknowledge(
                core,
                data.alarms,
                board.line_alarms(),
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                role=who.role,
            )
            return AcknowledgementAnswer(rows, core.tree.size), []

        found: AcknowledgementAnswer = await node.run(job)
        return found

    @post(
        "/api/v1/preview",
        status_code=200,
        summary="What filing a notice would do, without doing it",
        tags=["console"],
    )
    async def preview_notice(
        request: Request[Any, Any, Any],
        to: FromQuery[list[str] | None] = None,
        amend: FromQuery[bool] = False,
    ) -> Preview:
        who = await officer(request, "say")
        notice = parse_notice_geojson(await body_of(request))
        # away from the loop and the worker: the first time it reads a list of towns
        questions = await asyncio.to_thread(questions_about, notice)
        found: Preview = await node.do(
            lambda core: preview(
                core,
                notice,
                to or [],
                node.now_us(),
                desk=who.desk,
                amend=amend,
                questions=questions,
            )
        )
        return found

    @get(
        "/api/v1/notices/{notice:str}/timeline",
        summary="What the ledger holds about a notice, oldest first",
        tags=["console"],
    )
    async def timeline_of(request: Request[Any, Any, Any], notice: FromPath[str]) -> Timeline:
        await officer(request, "read")
        found: Timeline = await node.do(lambda core: timeline(core, notice))
        return found

    @get(
        "/api/v1/notices/{notice:str}/proof",
        summary="What proves the newest version of a notice",
        tags=["console"],
    )
    async def proof_of(request: Request[Any, Any, Any], notice: FromPath[str]) -> Proof:
        await officer(request, "read")
        found: Proof = await node.do(lambda core: proof(core, notice))
        return found

    return [picture, events, acknowledgements, preview_notice, timeline_of, proof_of]


def check_count(alarms: list[str]) -> None:
    """Refuse more alarms than one request may acknowledge, or none.

    Raises:
        UsageError: ``alarms-count``.
    """
    if not 1 <= len(alarms) <= ACKNOWLEDGED_AT_ONCE:
        raise UsageError(
            "alarms-count",
            f"request has {len(alarms)} alarms; it must have 1 to {ACKNOWLEDGED_AT_ONCE}",
            field="alarms",
        )

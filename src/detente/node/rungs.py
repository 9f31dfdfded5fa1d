"""The routes by which a watch climbs the ladder of a peer's notice: read it back, pass it down, act on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, post
from litestar.params import FromPath, JSONBody

from detente.interop.restated import read_restated
from detente.node import shapes
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.notice.readback import Comparison
from detente.protocol import ladder, views
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.ladder import LadderRow, Unit, ladder_rows
from detente.units import format_time, parse_time

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


class ReadBackBody(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Place and time in the receiver's own figures; the place in any notation that can be pasted."""

    place: str
    from_: str
    until: str
    words: str | None = None


class UnitsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Units that were told, and when they said that they know; what was said before need not be said again."""

    units: list[Unit]


class ActedBody(msgspec.Struct, forbid_unknown_fields=True):
    """What was done; `at` is now where it is not given."""

    action: str
    at: str | None = None
    text: str | None = None


class Climbed(shapes.Stamped):
    """What became of it: durable here; not `signed` while the line is down, and sent when it is up.

    `comparison` is of a read-back, null where nothing could be compared; `ladder` is that of the version.
    """

    id: str
    version: int
    statement: str
    signed: bool
    comparison: Comparison | None
    units: list[Unit]
    ladder: list[LadderRow]


def rung_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, and whether the role may do this.
    """

    async def climb(
        notice: str,
        say: Callable[[Core, str, int], tuple[ladder.Said, list[Effect]]],
    ) -> dict[str, Any]:
        def job(core: Core) -> tuple[dict[str, Any], list[Effect]]:
            notice_id = views.find_notice(core, notice)
            said, effects = say(core, notice_id, node.now_us())
            rows = ladder_rows(core.state, core.state.notices[notice_id], said.version)
            found = {**msgspec.to_builtins(said), "ladder": msgspec.to_builtins(rows)}
            return {**found, "clock": node.clock.label, "now": format_time(node.now_us())}, effects

        answer: dict[str, Any] = await node.run(job)
        return answer

    @post(
        "/api/v1/notices/{notice:str}/read-back",
        status_code=201,
        responses=shapes.answers(201, Climbed),
        summary="Say place and time of a peer's notice back to it",
        tags=["notices"],
    )
    async def read_back(
        request: Request[Any, Any, Any], notice: FromPath[str], data: JSONBody[ReadBackBody]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        said = await asyncio.to_thread(read_restated, data.place, data.from_, data.until)
        return await climb(
            notice,
            lambda core, id_, now_us: ladder.read_back(
                core, id_, said, data.words, now_us, officer=who.name, desk=who.desk
            ),
        )

    @post(
        "/api/v1/notices/{notice:str}/disseminated",
        status_code=201,
        responses=shapes.answers(201, Climbed),
        summary="Say which units were told of a peer's notice, and which have acknowledged",
        tags=["notices"],
    )
    async def disseminated(
        request: Request[Any, Any, Any], notice: FromPath[str], data: JSONBody[UnitsBody]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        return await climb(
            notice,
            lambda core, id_, now_us: ladder.disseminate(
                core, id_, data.units, now_us, officer=who.name, desk=who.desk
            ),
        )

    @post(
        "/api/v1/notices/{notice:str}/acted",
        status_code=201,
        responses=shapes.answers(201, Climbed),
        summary="Say what was done about a peer's notice",
        tags=["notices"],
    )
    async def acted(
        request: Request[Any, Any, Any], notice: FromPath[str], data: JSONBody[ActedBody]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        at_us = None if data.at is None else parse_time(data.at, field="at")
        return await climb(
            notice,
            lambda core, id_, now_us: ladder.act(
                core,
                id_,
                data.action,
                data.text,
                at_us,
                now_us,
                officer=who.name,
                desk=who.desk,
            ),
        )

    return [read_back, disseminated, acted]

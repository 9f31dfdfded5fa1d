"""The routes of the line's health: what is declared of a line, its checks, and the line in full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, JSONBody

from detente.hotline.desk import DeskQuestion, ask_desk
from detente.hotline.health import Scope
from detente.node import shapes
from detente.node.linerow import LineDetail, line_detail
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.protocol import linestate
from detente.protocol.core import Core
from detente.protocol.effect import Effect

if TYPE_CHECKING:
    from detente.node.server import Serving

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


class Declaring(msgspec.Struct, forbid_unknown_fields=True):
    """What is declared of a line.

    Attributes:
        confirmed: what the node would ask about the reason has been asked.
    """

    scope: Scope
    reason: str
    confirmed: bool = False


class LineAnswer(msgspec.Struct, frozen=True):
    """What became of a word about a line.

    Attributes:
        said: false when the node asks first; then nothing was said.
        signed: to whom it was signed at once; else it waits for the line.
        questions: what it asks. Ask the officer, and send it again with `confirmed`.
        line: as it is now.
    """

    said: bool
    signed: list[str]
    questions: list[DeskQuestion]
    line: LineDetail


def line_routes(node: Node, serving: Serving | None, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, checked for the action.
    """

    @get(
        "/api/v1/line/{peer:str}",
        responses=shapes.answers(200, LineDetail),
        summary="The line to a peer: declared beside observed, and its checks",
        tags=["hotline"],
    )
    async def line(request: Request[Any, Any, Any], peer: FromPath[str]) -> LineDetail:
        await officer(request, "read")
        found: LineDetail = await node.do(lambda core: line_detail(node, serving, core, peer))
        return found

    async def declare(
        request: Request[Any, Any, Any], peer: str, word: str, data: Declaring
    ) -> Response[LineAnswer]:
        who = await officer(request, "say")
        saying = linestate.saying_of(word)

        def job(core: Core) -> tuple[LineAnswer, list[Effect]]:
            linestate.check_peer(core.state, peer)
            # H-TAL-5: a question, never a refusal
            questions = ask_desk(data.reason, who.desk, core.agreement().terms.desks)
            if questions and not data.confirmed:
                detail = line_detail(node, serving, core, peer)
                return LineAnswer(False, [], questions, detail), []
            signed, effects = linestate.declare(
                *(core, peer, saying, data.scope, data.reason, node.now_us()),
                officer=who.name,
                desk=who.desk,
            )
            detail = line_detail(node, serving, core, peer)
            return LineAnswer(True, list(signed), questions, detail), effects

        found: LineAnswer = await node.run(job)
        return Response(found, status_code=201 if found.said else 200)

    def declaring(word: str, summary: str) -> Any:
        @post(
            f"/api/v1/line/{{peer:str}}/{word}",
            status_code=201,
            name=f"line-{word}",
            operation_id=f"Line{word.capitalize()}",
            responses=shapes.answers(201, LineAnswer),
            summary=summary,
            tags=["hotline"],
        )
        async def route(
            request: Request[Any, Any, Any], peer: FromPath[str], data: JSONBody[Declaring]
        ) -> Response[LineAnswer]:
            return await declare(request, peer, word, data)

        return route

    @post(
        "/api/v1/line/{peer:str}/check",
        status_code=201,
        responses=shapes.answers(201, LineAnswer),
        summary="Check a line now; the other side's machine answers",
        tags=["hotline"],
    )
    async def check(request: Request[Any, Any, Any], peer: FromPath[str]) -> LineAnswer:
        who = await officer(request, "say")

        def job(core: Core) -> tuple[LineAnswer, list[Effect]]:
            effects = linestate.check_now(
                core, peer, node.now_us(), officer=who.name, desk=who.desk
            )
            waits = any(
                one.type == "hotline/check" and peer in one.waiting for one in core.intents.values()
            )
            detail = line_detail(node, serving, core, peer)
            return LineAnswer(True, [] if waits else [peer], [], detail), effects

        found: LineAnswer = await node.run(job)
        return found

    return [
        line,
        declaring(
            "suspend", "Declare a line suspended; 200 and questions when the node asks first"
        ),
        declaring("resume", "Declare a line resumed"),
        declaring("fault", "Declare a line at fault"),
        check,
    ]

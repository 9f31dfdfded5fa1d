"""The route that says who must move. Its answer is for this node's officers and goes nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, get
from litestar.params import FromPath

from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.protocol.clearance import Clearance, clearance

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


def clearance_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The route `GET /api/v1/notices/{notice}/clearance`.

    Args:
        officer: who asks, checked for the action.
    """

    @get(
        "/api/v1/notices/{notice:str}/clearance",
        summary="Which own notices must move for a peer's, and whether there is time",
        tags=["notices"],
    )
    async def who_must_move(request: Request[Any, Any, Any], notice: FromPath[str]) -> Clearance:
        await officer(request, "read")
        config = node.home.config
        found: Clearance = await node.do(
            lambda core: clearance(
                core,
                notice,
                node.now_us(),
                speed_kt=config.clear_speed_kt,
                hazard_nm=config.hazard_margin_nm,
            )
        )
        return found

    return [who_must_move]

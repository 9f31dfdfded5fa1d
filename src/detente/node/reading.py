"""The route that reads what an officer pasted. It touches neither the record nor the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, post
from litestar.params import JSONBody

from detente.interop.found import Reading
from detente.interop.pasted import read_pasted
from detente.node import shapes
from detente.node.operators import Action, Officer

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


class Pasted(msgspec.Struct, forbid_unknown_fields=True):
    """What an officer typed, pasted or dropped, as text."""

    text: str


def reading_routes(officer: FindOfficer) -> list[Any]:
    """The route `POST /api/v1/read`.

    Args:
        officer: who asks, checked for the action.
    """

    @post(
        "/api/v1/read",
        status_code=200,
        summary="Make geometry of coordinates, GeoJSON, KML or a NOTAM; nothing is kept",
        tags=["notices"],
        responses=shapes.answers(200, Reading),
    )
    async def read_text(request: Request[Any, Any, Any], data: JSONBody[Pasted]) -> Reading:
        await officer(request, "read")
        # away from the loop: a long list of positions takes a second, and a cease must not wait
        return await asyncio.to_thread(read_pasted, data.text.encode())

    return [read_text]

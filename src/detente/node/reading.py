"""The route that reads what an officer pasted. It touches neither the record nor the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, post
from litestar.params import JSONBody

from detente.errors import UnavailableError
from detente.interop.found import Reading
from detente.interop.pasted import read_pasted
from detente.node import shapes
from detente.node.operators import Action, Officer

# One text at a time: the longest takes some seconds, and several at once would take the threads that files are
# read and passwords compared in, and most of the time that is left for statements.
READING_AT_ONCE = 1
READING_WAITING = 8  # texts that may be there at all: every desk of a watch at the same moment

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


class Pasted(msgspec.Struct, forbid_unknown_fields=True):
    """What an officer typed, pasted or dropped, as text."""

    text: str


def reading_routes(officer: FindOfficer) -> list[Any]:
    """The route `POST /api/v1/read`.

    Args:
        officer: who asks, checked for the action.
    """

    running, waiting = asyncio.Semaphore(READING_AT_ONCE), 0

    async def read_in_turn(text: bytes) -> Reading:
        nonlocal waiting
        if waiting >= READING_WAITING:
            raise UnavailableError(
                "busy",
                f"{waiting} texts wait to be read; it must be at most {READING_WAITING - 1}",
                hint="try again",
            )
        waiting += 1
        try:
            async with running:
                # away from the loop: a long list of positions takes a second, and a cease must not wait
                return await asyncio.to_thread(read_pasted, text)
        finally:
            waiting -= 1

    @post(
        "/api/v1/read",
        status_code=200,
        summary="Make geometry of coordinates, GeoJSON, KML or a NOTAM; nothing is kept",
        tags=["notices"],
        responses=shapes.answers(200, Reading),
    )
    async def read_text(request: Request[Any, Any, Any], data: JSONBody[Pasted]) -> Reading:
        await officer(request, "read")
        return await read_in_turn(data.text.encode())

    return [read_text]

"""The courier: frames that go by file where no wire goes, under the rules of every other frame.

A frame on a stick is the bytes of `POST /peer/v1/frames`, signed and sealed; who carries it can lose it, copy it or
bring it twice, and can neither read nor change it. What comes by file says nothing of whether a line is heard.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, post
from litestar.params import FromPath

from detente.errors import PeerError
from detente.limits import COURIER_BYTES, COURIER_FRAMES, FRAME_BYTES
from detente.node import shapes
from detente.node.body import read_body
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.node.peerdoor import with_evidence
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.incoming import next_frame, read_frame, take_frame, write_frame
from detente.protocol.linestate import check_peer
from detente.protocol.link import Frame, LinkState

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


class Carried(msgspec.Struct, frozen=True):
    """A frame to be carried to a peer.

    Attributes:
        statements: sealed in it.
        unsigned: what waits until both nodes have compared heads: one more way there and back.
        frame: the text of the file.
        more: further files, where what the peer lacks is too much for one.
    """

    peer: str
    state: LinkState
    statements: int
    unsigned: int
    frame: str
    more: list[str] = []


class Brought(Carried, frozen=True, kw_only=True):
    """What a frame that was brought held, and the frame that answers it.

    Attributes:
        taken: statements that were new here.
        duplicates: statements that were here already.
        not_taken: statements that could not be taken; see the evidence.
        carry: the answer says something that the peer does not know yet.
    """

    taken: int
    duplicates: int
    not_taken: int
    carry: bool


def courier_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, checked for the action.
    """

    @post(
        "/api/v1/courier/{peer:str}",
        status_code=201,
        responses=shapes.answers(201, Carried),
        summary="Write the next frame for a peer, to be carried by hand",
        tags=["hotline"],
    )
    async def write(request: Request[Any, Any, Any], peer: FromPath[str]) -> Carried:
        await officer(request, "say")

        def job(core: Core) -> Carried:
            check_peer(core.state, peer)
            found = _write(core, peer, node.now_us())[1]
            return Carried(**found, more=_more(core, peer, node.now_us()))

        found: Carried = await node.do(job)
        return found

    @post(
        "/api/v1/courier",
        status_code=201,
        request_max_body_size=None,  # `read_body` has the limit; a frame may be larger than the default
        responses=shapes.answers(201, Brought),
        summary="Take a frame that was brought by hand, and answer it",
        tags=["hotline"],
    )
    async def take(request: Request[Any, Any, Any]) -> Brought:
        await officer(request, "say")
        body = b""
        try:
            body = await read_body(request, FRAME_BYTES)
            found: Brought = await node.run(lambda core: _take(node, core, body))
        except PeerError as error:
            evidence = with_evidence(error, body)
            await node.do(lambda core: core.keep_evidence(node.now_us(), "-", evidence))
            raise
        return found

    return [write, take]


def _write(core: Core, peer: str, now_us: int) -> tuple[Frame, dict[str, Any]]:
    link = core.link(peer)
    link.offered.clear()  # what is under way on a line that may be dead goes along
    frame = next_frame(core, peer, now_us)
    return frame, {
        "peer": peer,
        "state": link.state,
        "statements": len(frame.messages),
        "unsigned": sum(peer in one.waiting for one in core.intents.values()),
        "frame": write_frame(core, frame).decode(),
    }


def _more(core: Core, peer: str, now_us: int) -> list[str]:
    """The frames after the first one, until nothing is left or it is too much for one journey."""
    found: list[str] = []
    size = 0
    while len(found) < COURIER_FRAMES and size < COURIER_BYTES:
        # by one clock, so that what is in the frames before counts as under way however long this takes
        frame = next_frame(core, peer, now_us)
        if not frame.messages:
            break
        found.append(write_frame(core, frame).decode())
        size += len(found[-1])
    return found


def _take(node: Node, core: Core, data: bytes) -> tuple[Brought, list[Effect]]:
    now_us = node.now_us()
    frame = read_frame(core, data, now_us)
    link = core.link(frame.sender)
    heard_us = link.heard_us
    taken = take_frame(core, frame, now_us)
    link.heard_us = heard_us  # a letter is no voice: observed is what the line itself shows
    link.path = "courier"
    node.counters["statements-received"] += taken.logged
    node.counters["duplicates"] += taken.duplicates
    node.counters["not-taken"] += taken.not_taken
    answer, written = _write(core, frame.sender, now_us)
    news = answer.messages or answer.lost or frame.messages
    found = Brought(
        **written,
        more=_more(core, frame.sender, now_us),
        taken=taken.logged,
        duplicates=taken.duplicates,
        not_taken=taken.not_taken,
        # a run that the peer's frame does not answer is one that it has not met
        carry=bool(news) or frame.answers != core.session(frame.sender),
    )
    return found, taken.effects

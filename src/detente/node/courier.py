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

from detente.errors import PeerError, UnavailableError
from detente.limits import FRAME_BYTES
from detente.node import shapes
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.node.peerdoor import read_body, with_evidence
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
    """

    peer: str
    state: LinkState
    statements: int
    unsigned: int
    frame: str


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


def courier_routes(node: Node, officer: FindOfficer, *, running: bool) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, checked for the action.
        running: a node is served; each run of a program compares heads anew.
    """

    def check_running() -> None:
        if not running:
            raise UnavailableError(
                "node-not-running",
                "the node does not run; what a courier brings must come to the run that wrote what he took along",
                hint="run: detente serve DIR",
            )

    @post(
        "/api/v1/courier/{peer:str}",
        status_code=201,
        responses=shapes.answers(201, Carried),
        summary="Write the next frame for a peer, to be carried by hand",
        tags=["hotline"],
    )
    async def write(request: Request[Any, Any, Any], peer: FromPath[str]) -> Carried:
        await officer(request, "say")
        check_running()

        def job(core: Core) -> Carried:
            check_peer(core.state, peer)
            return Carried(**_write(core, peer, node.now_us())[1])

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
        check_running()
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
        taken=taken.logged,
        duplicates=taken.duplicates,
        not_taken=taken.not_taken,
        # a run that the peer's frame does not answer is one that it has not met
        carry=bool(news) or frame.answers != core.run,
    )
    return found, taken.effects

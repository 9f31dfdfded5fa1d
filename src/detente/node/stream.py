"""The stream: a console is told at once what changed, and every second that the node is alive.

Nothing is kept for a client: what it lacks is asked of the ledger when it can take it. A client that
reads slowly gets fewer and larger pictures, and one that does not read at all costs one answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from detente.errors import DetenteError
from detente.node.node import Node
from detente.node.operators import Officer
from detente.node.picture import TICK_S, Board, Drawn, Tick

if TYPE_CHECKING:
    from detente.node.server import Serving

Session = Callable[[], Awaitable[Officer]]

LOCKED = b"event: locked\ndata: {}\n\n"
REVISION_DIGITS = 18  # no ledger is longer; thousands of digits are no number at all
PAUSE_S = 0.05  # between two pictures: what comes thicker than that goes out together


def event(name: str, data: msgspec.Struct, id_: str | None = None) -> bytes:
    """One event of an event stream.

    Source: WHATWG HTML, section 9.2 (server-sent events). JSON of ours has no line breaks in it.
    """
    mark = f"id: {id_}\n" if id_ is not None else ""
    return f"event: {name}\n{mark}data: ".encode() + msgspec.json.encode(data) + b"\n\n"


def parse_mark(mark: str) -> tuple[int, str | None]:
    """Revision and epoch of an event's id, which a browser gives back when it connects again.

    Example:
        >>> parse_mark("12 detente/north/log/1"), parse_mark("?")
        ((12, 'detente/north/log/1'), (0, None))
    """
    revision, _, epoch = mark.partition(" ")
    known = revision.isdecimal() and len(revision) <= REVISION_DIGITS
    return (int(revision), epoch or None) if known else (0, None)


async def stream(
    board: Board,
    node: Node,
    serving: Serving | None,
    since: int,
    epoch: str | None,
    session: Session | None,
    officer: Officer,
) -> AsyncIterator[bytes]:
    """Events for one console, until its session ends, the node stops, or nobody listens any more.

    Args:
        session: asks who the session belongs to now, and raises when it has ended.
        officer: who it was when the stream began.
    """
    loop = asyncio.get_running_loop()
    next_tick = loop.time()
    drawn: Drawn | None = None
    told_locked = False
    while serving is None or not serving.stopping.is_set():
        seen = node.changed()
        try:
            if session is not None:
                officer = await session()
            if officer.locked and not told_locked:
                # another window locked it: this one must not go on showing what it has
                yield LOCKED
            told_locked = officer.locked
            if loop.time() >= next_tick:
                tick = await board.tick()
                if officer.locked:
                    tick = without_words(tick)
                next_tick = max(next_tick + TICK_S, loop.time() + TICK_S / 2)
                yield event("tick", tick)
            if officer.locked:
                # whoever was locked holds nothing any more: after unlocking all of it goes out again
                since, drawn = 0, None
            elif drawn is None or await _is_old(board, drawn):
                newest = await board.drawn(since, epoch)
                if session is not None:
                    officer = await session()  # it may have been locked while this was drawn
                if not officer.locked:
                    drawn, picture = newest, newest.picture
                    since, epoch = picture.revision, picture.epoch
                    yield event("picture", picture, f"{since} {epoch}")
        except DetenteError as error:
            # a node that is too busy for this second's tick says so by its silence
            if error.code != "busy":
                return
        await asyncio.sleep(PAUSE_S)
        await _pause(node, serving, seen, max(0.0, next_tick - loop.time()))


def without_words(tick: Tick) -> Tick:
    """A tick without what the parties declared of their lines: a locked screen is given no content."""
    lines = [msgspec.structs.replace(line, declared=None, declarations=[]) for line in tick.lines]
    return msgspec.structs.replace(tick, lines=lines)


async def _is_old(board: Board, drawn: Drawn) -> bool:
    epoch, revision, lines, now_us = await board.glance()
    picture = drawn.picture
    return (epoch, revision, lines) != (picture.epoch, picture.revision, drawn.lines) or (
        drawn.end_us is not None and drawn.end_us <= now_us
    )


async def _pause(node: Node, serving: Serving | None, seen: int, timeout_s: float) -> None:
    """Wait for a change, for the next tick, or for the node to be told to stop."""
    waits = [asyncio.ensure_future(node.wait_changed(seen, timeout_s))]
    if serving is not None:
        waits.append(asyncio.ensure_future(_stopped(serving)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()


async def _stopped(serving: Serving) -> None:
    await serving.stopping.wait()

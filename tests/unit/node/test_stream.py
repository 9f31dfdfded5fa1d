"""The stream: events in their form, nothing kept for a client, and an end when there is reason for one."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from detente.errors import DetenteError, UnavailableError
from detente.interop.geojson import parse_notice_geojson
from detente.node.home import Home
from detente.node.linewatch import LineWatch
from detente.node.node import Node
from detente.node.operators import Officer
from detente.node.picture import Board, Tick
from detente.node.stream import event, parse_mark, stream

WATCH = Officer("ada", "watch", "desk")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, homes: dict[str, Home], agreement: Any) -> Path:
    """North's directory with the agreement in force."""
    path = tmp_path_factory.mktemp("stream") / "north"
    shutil.copytree(homes["north"].path, path)
    node = Node(Home(path))
    node.run_now(lambda core: node.accept_agreement(core, agreement))
    node.close()
    return path


@pytest.fixture
def node(made: Path) -> Iterator[Node]:
    """North's node with its worker at work."""
    opened = Node(Home(made))
    opened.worker.start()
    yield opened
    opened.close()


def serving(stopping: asyncio.Event) -> Any:
    """A running server, as far as the stream looks at it."""
    return SimpleNamespace(stopping=stopping, watch=LineWatch(15), lines={}, mirroring={})


def read(data: bytes) -> tuple[str, Any]:
    """An event's name and data."""
    lines = dict(line.split(": ", 1) for line in data.decode().strip().splitlines())
    return lines["event"], json.loads(lines["data"])


def file(node: Node, notice: Callable[..., bytes], name: str) -> Coroutine[Any, Any, Any]:
    """File a notice, or its next version."""
    parsed = parse_notice_geojson(notice(name, activity="patrol"))

    def job(core: Any) -> Any:
        amend = f"north:{name}" in core.state.filed_versions
        return core.file_notice(parsed, [], node.now_us(), officer="o", desk="d", amend=amend)

    return node.run(job)


def names(picture: Any) -> list[str]:
    """Ids of a picture's notices."""
    return [row["id"] for row in picture["notices"]]


async def following(found: AsyncIterator[bytes], kind: str) -> Any:
    """The next event of a kind."""
    async for data in found:
        name, value = read(data)
        if name == kind:
            return value
    raise AssertionError(f"the stream ended before a {kind}")


def test_event_is_one_line_of_json_under_its_name() -> None:
    """Name, id and data each on a line, an empty line after: whatever the data hold."""

    class Said(msgspec.Struct):
        text: str

    assert event("tick", Said("two\nlines"), "7 e") == (
        b'event: tick\nid: 7 e\ndata: {"text":"two\\nlines"}\n\n'
    )
    assert event("tick", Said("")).startswith(b"event: tick\ndata: ")


@pytest.mark.parametrize(
    ("mark", "found"),
    [("12 e/1", (12, "e/1")), ("12", (12, None)), ("", (0, None)), ("-1 e", (0, None)), ("١ e", (1, "e")), ("1" * 5_000, (0, None))],
)  # fmt: skip
def test_mark_that_is_none_means_from_the_beginning(mark: str, found: Any) -> None:
    """Whatever a client sends back as the last event's id, it is a revision or nothing."""
    assert parse_mark(mark) == found


def test_stream_starts_with_a_tick_and_everything(node: Node, notice: Callable[..., bytes]) -> None:
    """First that the node is alive, then the picture."""

    async def play() -> None:
        await file(node, notice, "F-1")
        found = stream(Board(node, None), node, None, 0, None, None, WATCH)
        first = [read(await anext(found)) for _ in range(2)]
        assert [name for name, _ in first] == ["tick", "picture"]
        assert "north:F-1" in names(first[1][1])
        assert msgspec.convert(first[0][1], Tick).revision == first[1][1]["revision"]
        await found.aclose()

    asyncio.run(play())


def test_stream_to_a_slow_reader_joins_what_happened_meanwhile(
    node: Node, notice: Callable[..., bytes]
) -> None:
    """A reader that stops reading finds one picture with all that it missed, not a queue of them."""

    async def play() -> None:
        found = stream(Board(node, None), node, None, 0, None, None, WATCH)
        first = await following(found, "picture")
        for number in range(5):
            await file(node, notice, f"S-{number}")
            await asyncio.sleep(0.01)
        picture = await following(found, "picture")
        assert picture["since"] == first["revision"]
        assert sorted(names(picture)) == [f"north:S-{n}" for n in range(5)]
        await found.aclose()

    asyncio.run(play())


def test_stream_of_an_idle_night_leaves_nothing_behind(node: Node) -> None:
    """Each second's wait takes its future away again."""

    async def play() -> None:
        for _ in range(50):
            await node.wait_changed(node.changed(), 0.001)
        assert node._waiting == []
        waiting = asyncio.ensure_future(node.wait_changed(node.changed(), 60))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert node._waiting == []

    asyncio.run(play())


def test_stream_sends_ticks_only_while_locked_and_everything_afterwards(
    node: Node, notice: Callable[..., bytes]
) -> None:
    """What a locked console must not hold is not sent, and every window is told once; unlocked, it begins anew."""

    async def play() -> None:
        who = [WATCH]

        async def session() -> Officer:
            return who[0]

        found = stream(Board(node, None), node, None, 0, None, session, WATCH)
        await following(found, "picture")
        who[0] = Officer("ada", "watch", "desk", locked=True)
        await file(node, notice, "L-1")
        assert [read(await anext(found))[0] for _ in range(3)] == ["locked", "tick", "tick"]
        who[0] = WATCH
        picture = await following(found, "picture")
        assert picture["since"] == 0
        assert "north:L-1" in names(picture)
        await found.aclose()

    asyncio.run(play())


def test_stream_sends_no_picture_that_was_drawn_while_the_session_was_locked(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large picture takes a while to draw; locked meanwhile, it is not sent."""

    async def play() -> None:
        who, board = [WATCH], Board(node, None)
        draw = board.drawn

        async def slow(*given: Any) -> Any:
            found = await draw(*given)
            who[0] = Officer("ada", "watch", "desk", locked=True)
            return found

        async def session() -> Officer:
            return who[0]

        monkeypatch.setattr(board, "drawn", slow)
        found = stream(board, node, None, 0, None, session, WATCH)
        assert [read(await anext(found))[0] for _ in range(3)] == ["tick", "locked", "tick"]
        await found.aclose()

    asyncio.run(play())


def test_stream_sends_no_picture_while_it_cannot_tell_whether_the_session_is_locked(
    node: Node,
) -> None:
    """A node too busy to say who asks is not too busy to keep silent: the officer of a moment ago does not count."""

    async def play() -> None:
        asked = []

        async def session() -> Officer:
            asked.append(1)
            if len(asked) < 3:
                raise UnavailableError("busy", "it waits")
            return Officer("ada", "watch", "desk", locked=True)

        found = stream(Board(node, None), node, None, 0, None, session, WATCH)
        assert [read(await anext(found))[0] for _ in range(2)] == ["locked", "tick"]
        await found.aclose()

    asyncio.run(play())


def test_stream_ends_with_its_session(node: Node) -> None:
    """A session that has ended is told nothing more."""

    async def play() -> None:
        ended = [False]

        async def session() -> Officer:
            if ended[0]:
                raise DetenteError("sign-in", "session has ended")
            return WATCH

        found = stream(Board(node, None), node, None, 0, None, session, WATCH)
        await following(found, "picture")
        ended[0] = True
        assert [one async for one in found] == []

    asyncio.run(play())


def test_stream_bears_a_node_that_is_busy_for_a_moment(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue costs a tick, not the stream."""

    async def play() -> None:
        board = Board(node, None)
        whole, tries = board.tick, [0]

        async def tick() -> Tick:
            tries[0] += 1
            if tries[0] < 4:
                raise UnavailableError("busy", "many wait")
            return await whole()

        monkeypatch.setattr(board, "tick", tick)
        found = stream(board, node, None, 0, None, None, WATCH)
        assert await following(found, "tick")
        assert tries[0] == 4
        await found.aclose()

    asyncio.run(play())


def test_stream_ends_at_once_when_the_node_is_told_to_stop(node: Node) -> None:
    """Stopping does not wait for the next second."""

    async def play() -> None:
        stopping = asyncio.Event()
        server = serving(stopping)
        found = stream(Board(node, server), node, server, 0, None, None, WATCH)
        await following(found, "picture")
        asyncio.get_running_loop().call_later(0.1, stopping.set)
        left = [read(one)[0] async for one in found]
        assert len(left) <= 1

    asyncio.run(play())


def test_stream_tells_of_a_line_alarm_though_no_entry_does(node: Node) -> None:
    """The revision stays, and the picture comes all the same."""

    async def play() -> None:
        server = serving(asyncio.Event())
        found = stream(Board(node, server), node, server, 0, None, None, WATCH)
        first = await following(found, "picture")

        def silence(core: Any) -> None:
            for at_s in (0.0, 100.0):
                server.watch.look(core, {}, node.now_us(), at_s)

        await node.do(silence)
        picture = await following(found, "picture")
        assert picture["revision"] == first["revision"]
        assert [row["kind"] for row in picture["alarms"]] == ["line"]
        await found.aclose()

    asyncio.run(play())


def test_tick_is_made_once_for_all_consoles(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty consoles cost what one does."""

    async def play() -> None:
        board = Board(node, None)
        ticks = [await board.tick() for _ in range(20)]
        assert all(one is ticks[0] for one in ticks)

    asyncio.run(play())


def test_picture_is_drawn_in_slices(
    node: Node, notice: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two slices other work is done: a statement that comes in does not wait for the whole picture."""
    from detente.node import picture as picture_module

    monkeypatch.setattr(picture_module, "PICTURE_SLICE", 2)
    monkeypatch.setattr(picture_module, "PICTURE_JOB_S", 0.0)

    async def play() -> None:
        for number in range(5):
            await file(node, notice, f"P-{number}")
        done: list[str] = []
        board = Board(node, None)
        rows = board._rows

        def watched(core: Any, ids: Any) -> Any:
            done.append("slice")
            node.worker.submit(lambda _core: (done.append("other"), []))
            return rows(core, ids)

        monkeypatch.setattr(board, "_rows", watched)
        picture = await board.picture()
        assert len(picture.notices) >= 5
        assert done[:4] == ["slice", "other", "slice", "other"]

    asyncio.run(play())


def test_board_draws_anew_after_the_record_was_folded_anew(node: Node, notice: Any) -> None:
    """B-DESTROY-2: what was drawn of the old fold goes with it, or a destroyed place would stay in memory."""

    async def play() -> None:
        board = Board(node, None)
        parsed = parse_notice_geojson(notice("DRAWN"))
        await node.run(
            lambda core: core.file_notice(parsed, [], node.now_us(), officer="o", desk="d")
        )
        assert (await board.picture()).notices[0].pieces
        assert len(board._drawings) >= 1  # other tests filed at this node, too
        await node.run(lambda core: (node.refold(core), []))
        assert len(board._drawings) == 0
        assert (await board.picture()).notices[0].pieces

    asyncio.run(play())

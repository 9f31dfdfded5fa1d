"""Lines and cosigners against answers that nobody expects."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from detente.errors import PeerError, UnavailableError
from detente.node.cosigning import Cosigning
from detente.node.line import Line, answered, ask_peer


def client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    """A client whose other side is a function."""
    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://peer")


class FakeNode:
    """What a line needs of its node."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.counters: Counter[str] = Counter()
        config = SimpleNamespace(heartbeat_s=0.01, retry_most_s=0.01)
        self.home = SimpleNamespace(config=config)
        self.jobs: list[Any] = []

    async def do(self, act: Any) -> Any:
        """Run nothing; a cosigner's request is there."""
        self.jobs.append(act)
        return (5, "note", b"body")

    run = do

    def tell(self, alert: Any) -> None:
        """Remember an event."""
        self.told.append(alert)


def test_answer_is_read_up_to_its_limit_and_no_further() -> None:
    """A peer that answers without end costs us the limit and is an error, not our memory."""
    sent = []

    async def endless() -> Any:
        while True:
            sent.append(1)
            yield b"x" * 1000

    async def ask() -> None:
        async with client(lambda _r: httpx.Response(200, content=endless())) as http:
            await ask_peer(http, "/x", b"", 10_000)

    with pytest.raises(PeerError) as caught:
        asyncio.run(ask())
    assert caught.value.code == "answer-too-large"
    assert len(sent) < 20


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (
            507,
            b'{"error":{"code":"store-unavailable","message":"SECRET"}}',
            "507 store-unavailable",
        ),
        (400, b'{"error":{"code":"Not A Code <script>"}}', "400"),
        (400, b"SECRET", "400"),
        (500, b"", "500"),
        (400, b"[" * 100_000, "400"),
        (400, b'{"error":3}', "400"),
        (400, b"\xff", "400"),
    ],
)
def test_words_of_a_peer_are_not_repeated(status: int, body: bytes, text: str) -> None:
    """What is shown of a refusal is its status and a code of ours, never the peer's own text."""
    assert answered(status, body) == f"answered {text}"


@pytest.mark.parametrize("body", [b"word", b"-5", b"1e9", b"9" * 30, b"", b"5\n5", "٣".encode()])
def test_cosigner_that_answers_409_with_no_size_is_an_error(body: bytes) -> None:
    """A conflict must name a size; anything else is an answer that counts for nothing."""

    async def submit() -> None:
        async with client(lambda _r: httpx.Response(409, content=body)) as http:
            await Cosigning(FakeNode(), "witness", http).submit()  # type: ignore[arg-type]

    with pytest.raises(UnavailableError) as caught:
        asyncio.run(submit())
    assert caught.value.code == "cosigner-answered"


def test_cosigner_that_names_a_size_is_followed() -> None:
    """A conflict that names a size is taken up in a job."""
    node = FakeNode()

    async def submit() -> None:
        async with client(lambda _r: httpx.Response(409, content=b"17\n")) as http:
            await Cosigning(node, "witness", http).submit()  # type: ignore[arg-type]

    asyncio.run(submit())
    assert len(node.jobs) == 2


def test_fault_in_an_exchange_backs_off_and_is_shown_and_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error nobody thought of stops neither the line nor the node; the log has its kind only."""

    class Faulty(Line):
        tries = 0

        async def exchange(self, data: bytes | None = None) -> tuple[bool, bool]:
            """Fail three times, then work."""
            self.tries += 1
            if self.tries <= 3:
                raise ZeroDivisionError("SECRET")
            return False, False

    node = FakeNode()

    async def play() -> Any:
        async with client(lambda _r: httpx.Response(200)) as http:
            line = Faulty(node, "south", "ordinary", http)  # type: ignore[arg-type]
            node.do = lambda _act: asyncio.sleep(0, (b"frame", False))  # type: ignore[method-assign]
            task = asyncio.create_task(line.run())
            seen = set()
            for _ in range(500):
                await asyncio.sleep(0.01)
                seen.add(line.failing)
                if line.tries > 4:
                    break
            done = task.done()
            task.cancel()
            return done, seen, line.failing

    done, seen, failing = asyncio.run(play())
    assert not done
    assert "fault: ZeroDivisionError" in seen
    assert failing is None
    assert [a.code for a in node.told] == ["line-down", "line-up"]
    assert "ZeroDivisionError at " in caplog.text
    assert caplog.text.count("ZeroDivisionError at ") == 1
    assert "SECRET" not in caplog.text


def test_queue_that_is_full_stops_no_line() -> None:
    """When even looking for news is refused (busy), the line backs off and goes on."""
    node = FakeNode()
    calls = []

    async def busy(act: Any) -> Any:
        calls.append(act)
        raise UnavailableError("busy", "1000 requests wait")

    async def play() -> tuple[bool, str | None]:
        async with client(lambda _r: httpx.Response(200)) as http:
            line = Line(node, "south", "safety", http)  # type: ignore[arg-type]
            node.do = busy  # type: ignore[method-assign]
            task = asyncio.create_task(line.run())
            for _ in range(300):
                await asyncio.sleep(0.01)
                if len(calls) > 5:
                    break
            done = task.done()
            task.cancel()
            return done, line.failing

    assert asyncio.run(play()) == (False, "busy")
    assert len(calls) > 5

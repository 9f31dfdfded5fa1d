"""A node and its authority of time stamps: asked when there is something new, and never in the way."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from detente.errors import DetenteError, PeerError, UnavailableError, UsageError
from detente.limits import STAMP_BYTES
from detente.node import stamping
from detente.node.home import Home, Timestamp, init_home
from detente.node.stamping import Stamping
from detente.protocol.core import Core
from tsa import NEEDS_OPENSSL, Authority

T0 = 1_790_000_000_000_000
CLOSED = "http://127.0.0.1:1/"


class Told:
    """North's node, as far as stamping needs one; jobs run at once."""

    def __init__(self, core: Core, url: str | None, pem: Path | None = None, **more: Any) -> None:
        self.core, self.counters = core, Counter[str]()
        self.settings = None if url is None else Timestamp(url=url, **more)
        self.pem = pem
        self.home: Any = self
        self.config: Any = self
        self.stamping = Stamping(self)  # type: ignore[arg-type]

    @property
    def timestamp(self) -> Timestamp | None:
        """The settings."""
        return self.settings

    def timestamp_roots(self) -> Any:
        """What the settings trust."""
        from detente.ledger.timestamp import parse_roots

        return parse_roots(self.pem.read_bytes(), field="x") if self.pem else []

    def now_us(self) -> int:
        """The time of these tests."""
        return T0

    async def run(self, job: Callable[[Core], Any]) -> Any:
        """Run a job."""
        return job(self.core)[0]

    async def do(self, act: Callable[[Core], Any]) -> Any:
        """Run an act."""
        return act(self.core)


@pytest.fixture(autouse=True)
def checkpoint(core: Core) -> None:
    """North's log has a signed head."""
    for peer in core.state.peers:
        core.link(peer).state = "open"
    core.checkpoint(T0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authority, str]]:
    """One that is served for all tests here."""
    found = Authority(tmp_path_factory.mktemp("tsa"))
    with found.served() as url:
        yield found, url


def stamp(told: Told) -> stamping.TimeStamp:
    """Have it stamped."""
    return asyncio.run(told.stamping.stamp())


@NEEDS_OPENSSL
def test_newest_head_is_stamped_once(core: Core, authority: tuple[Authority, str]) -> None:
    """A head is stamped and kept, verified; asking again costs the authority nothing until the log has grown."""
    tsa, url = authority
    told, before = Told(core, url, tsa.certificate), tsa.asked
    first = stamp(told)
    assert (first.size, first.verified) == (core.tree.size, True)
    assert first.authority == "tsa:Exercise TSA"
    assert stamp(told) == first
    assert tsa.asked == before + 1
    core.alarm(T0, "x", "the log grows")
    assert stamp(told).size == first.size + 1
    assert told.stamping.state(core)["newest"]["size"] == first.size + 1
    assert told.stamping.state(core)["failing"] is None


@NEEDS_OPENSSL
def test_stamp_without_a_certificate_is_kept_unverified(
    core: Core, authority: tuple[Authority, str]
) -> None:
    """L-TSA-3: for readers who have the certificate; the node itself takes no time from it."""
    assert stamp(Told(core, authority[1])).verified is False


def _reply(authority: Authority, status: int, body: bytes) -> None:
    authority.answer = lambda _query: (status, body)


HOSTILE: dict[str, tuple[int, bytes, str]] = {
    "redirect": (302, b"", "timestamp-answered"),
    "error": (503, b"", "timestamp-answered"),
    "page": (200, b"<html>", "stamp-malformed"),
    "nothing": (200, b"", "stamp-malformed"),
    "huge": (200, b"0" * (STAMP_BYTES + 1), "stamp-too-large"),
}


@NEEDS_OPENSSL
@pytest.mark.parametrize("name", HOSTILE)
def test_answer_that_is_no_stamp_is_told_by_code_and_nothing_is_kept(
    core: Core, authority: tuple[Authority, str], name: str
) -> None:
    """L-TSA-1, L-TSA-4: an error, a redirect, a page or too many bytes are named, and the next try may succeed."""
    tsa, url = authority
    status, body, code = HOSTILE[name]
    honest, before = tsa.answer, tsa.asked
    told = Told(core, url, tsa.certificate)
    _reply(tsa, status, body)
    try:
        with pytest.raises(DetenteError) as caught:
            stamp(told)
    finally:
        tsa.answer = honest
    assert (caught.value.code, tsa.asked) == (code, before + 1)
    assert told.stamping.state(core) == {"configured": True, "newest": None, "failing": code}
    stamp(told)
    assert told.stamping.failing is None


@NEEDS_OPENSSL
def test_answer_of_before_is_refused(core: Core, authority: tuple[Authority, str]) -> None:
    """L-TSA-1: an old answer for the same head is no answer to this request: its nonce is another's."""
    tsa, url = authority
    honest, kept = tsa.answer, []
    told = Told(core, url, tsa.certificate, policy="1.2.3.4.5")

    def keep(query: bytes) -> tuple[int, bytes]:
        kept.append(tsa.stamp(query))
        return 200, kept[0]

    tsa.answer = keep
    try:
        with pytest.raises(PeerError) as caught:
            stamp(told)
        assert caught.value.code == "stamp-policy"  # it is under 1.2.3.4.1
        with pytest.raises(PeerError) as caught:
            stamp(Told(core, url, tsa.certificate))
        assert caught.value.code == "stamp-nonce"
    finally:
        tsa.answer = honest


def test_authority_that_is_not_there_is_unavailable(core: Core) -> None:
    """L-TSA-4: an address where nobody listens is told as that, and nothing else happens."""
    with pytest.raises(UnavailableError) as caught:
        stamp(Told(core, CLOSED))
    assert caught.value.code == "timestamp-unreachable"


def test_authority_that_is_slow_is_given_up(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """L-TSA-4: an address that takes the request and never answers is given up after the whole time allowed."""
    monkeypatch.setattr(stamping, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = Told(core, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(UnavailableError) as caught:
            stamp(told)
    assert caught.value.code == "timestamp-unreachable"


def test_stamp_without_an_authority_says_what_to_set(core: Core) -> None:
    """Who asks for a stamp where the settings name nobody is told what to write."""
    with pytest.raises(UsageError) as caught:
        stamp(Told(core, None))
    assert caught.value.code == "timestamp-unset"
    assert "[timestamp]" in caught.value.hint


def test_loop_goes_on_after_failures_later_and_later(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-TSA-4: failures make the pauses longer up to the usual one, and never end the node."""
    told, pauses = Told(core, CLOSED), list[float]()

    async def no_sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 6:
            raise asyncio.CancelledError

    monkeypatch.setattr(stamping.asyncio, "sleep", no_sleep)
    monkeypatch.setattr(stamping.random, "uniform", lambda _a, _b: 1.0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(told.stamping.run(300))
    assert pauses == [5, 60, 120, 240, 300, 300, 300]


@pytest.mark.parametrize(
    "line",
    [
        'url = "ftp://x"',
        'url = "https://user:word@x/"',
        'url = "http://x"\npolicy = "timestamps"',
        'url = "http://x"\nevery_s = 1',
        "every_s = 3600",
    ],
)
def test_settings_that_are_wrong_are_refused(tmp_path: Path, line: str) -> None:
    """An address that is none, with a password in it, or an interval of seconds is told when the directory is opened."""
    init_home(tmp_path, party="north", name="n", role="party", listen="127.0.0.1:4710")
    with (tmp_path / "config.toml").open("a") as file:
        file.write(f"\n[timestamp]\n{line}\n")
    with pytest.raises(UsageError) as caught:
        Home(tmp_path)
    assert caught.value.code == "config-malformed"


def test_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    """A certificate file that is absent, or holds none, is named with its setting."""
    init_home(tmp_path, party="north", name="n", role="party", listen="127.0.0.1:4710")
    with (tmp_path / "config.toml").open("a") as file:
        file.write('\n[timestamp]\nurl = "http://x"\ncertificate = "tsa.pem"\n')
    home = Home(tmp_path)
    for content, code in ((None, "file-unreadable"), (b"x", "certificate-malformed")):
        if content:
            (tmp_path / "tsa.pem").write_bytes(content)
        with pytest.raises(UsageError) as caught:
            home.timestamp_roots()
        assert (caught.value.code, caught.value.field) == (code, "timestamp.certificate")

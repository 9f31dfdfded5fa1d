"""The console's files: what is there is answered as what it is, and nothing else is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from detente.node.gate import Door, Gate
from detente.node.pages import CONTENT_TYPES, FOR_EVER, Pages

PAGE = "<!doctype html><title>detente</title>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built console, and a secret beside it."""
    static = tmp_path / "static"
    (static / "assets" / "help").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (static / "secret.txt").write_text("secret")
    (static / "index.html").write_text(PAGE)
    (static / "favicon.svg").write_text("<svg/>")
    (static / "assets" / "index-Bx3kQ9_a.js").write_text("plain")
    (static / "assets" / "index-Bx3kQ9_a.js.br").write_text("brotli")
    (static / "assets" / "index-Bx3kQ9_a.js.gz").write_text("gzip")
    (static / "assets" / "index-Bx3kQ9_a.css").write_text("css")
    (static / "assets" / "noto-DkV3x2Za.woff2").write_bytes(b"\0")
    (static / "assets" / "help" / "messages.json").write_text("{}")
    (static / "assets" / "help-messages.json").write_text("{}")
    (static / "assets" / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    return static


def ask(folder: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """One request at a gate with nothing behind it; the path as a server hands it on, not tidied up."""
    sent: list[Any] = []

    async def nobody(*_: Any) -> Any:
        raise AssertionError("nobody is asked for the console's files")

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(b"host", b"localhost"), *((k.encode(), v.encode()) for k, v in headers.items())]
    scope = {"type": "http", "path": unquote(path), "method": method, "headers": given}
    gate = Gate(nobody, nobody, Door("127.0.0.1", 4711), Pages(folder))
    asyncio.run(gate(scope, nobody, send))
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=sent[1]["body"])


def test_page_is_answered_and_never_kept(folder: Path) -> None:
    """`/` is the console's page, and a browser asks for it anew each time."""
    answer = ask(folder, "/")
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "kind", "kept"),
    [
        ("/assets/index-Bx3kQ9_a.js", "text/javascript; charset=utf-8", True),
        ("/assets/index-Bx3kQ9_a.css", "text/css; charset=utf-8", True),
        ("/assets/noto-DkV3x2Za.woff2", "font/woff2", True),
        ("/assets/help/messages.json", "application/json", False),
        ("/assets/help-messages.json", "application/json", False),
        ("/favicon.svg", "image/svg+xml", False),
    ],
)
def test_file_has_its_type_and_is_kept_only_by_the_hash_in_its_name(
    folder: Path, path: str, kind: str, kept: bool
) -> None:
    """Each ending has its type; for ever is kept only what is called after its content."""
    answer = ask(folder, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert (answer.headers["cache-control"] == FOR_EVER.decode()) == kept


@pytest.mark.parametrize(
    ("accepted", "body", "coding"),
    [
        ("gzip, deflate, br", "brotli", "br"),
        ("gzip", "gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "gzip"),
        ("identity", "plain", None),
        ("br;q=0.000,gzip;q=0", "plain", None),
    ],
)
def test_compressed_file_is_sent_to_those_who_take_it(
    folder: Path, accepted: str, body: str, coding: str | None
) -> None:
    """A file that was compressed beforehand is chosen by what the browser accepts, and says so."""

    async def raw() -> tuple[bytes, dict[bytes, bytes]]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"accept-encoding", accepted.encode())]
        scope = {"path": "/assets/index-Bx3kQ9_a.js", "method": "GET", "headers": headers}
        await Pages(folder).answer(scope, send)
        return sent[1]["body"], dict(sent[0]["headers"])

    content, headers = asyncio.run(raw())
    assert content == body.encode()
    assert headers.get(b"content-encoding") == (coding.encode() if coding else None)
    assert headers[b"vary"] == b"Accept-Encoding"
    assert headers[b"content-length"] == str(len(body)).encode()


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets//etc/passwd",
        "/assets/..\\secret.txt",
        "/assets/way-out.txt",
        "/assets/help",
        "/assets/",
        "/assets/index-Bx3kQ9_a.js.br",
        "/assets/index-Bx3kQ9_a.js%00",
        "/manifest.webmanifest",
    ],
)
def test_path_that_is_no_file_of_the_console_is_not_found(folder: Path, path: str) -> None:
    """Paths that climb, links that lead out, folders and halves of files are all 404."""
    answer = ask(folder, path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/", "/assets/index-Bx3kQ9_a.css", "/assets/nothing"])
def test_head_has_the_headers_and_no_body(folder: Path, path: str) -> None:
    """HEAD says what GET would, without the content."""
    whole, bare = ask(folder, path), ask(folder, path, "HEAD")
    assert bare.content == b""
    assert (bare.status_code, bare.headers) == (whole.status_code, whole.headers)


def test_console_that_was_not_built_says_so(tmp_path: Path) -> None:
    """Without files the page says that the console is missing, and which command builds it."""
    answer = ask(tmp_path, "/")
    assert answer.status_code == 503
    assert "scripts/console" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert ask(tmp_path, "/assets/index.js").status_code == 404


def test_console_that_is_built_anew_is_seen_at_once(folder: Path) -> None:
    """A node that runs answers the files of the newest build, and none of the one before."""
    pages = Pages(folder)

    def status(path: str) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(pages.answer({"path": path, "method": "GET", "headers": []}, send))
        return int(sent[0]["status"])

    assert status("/assets/index-Bx3kQ9_a.css") == 200
    (folder / "assets" / "index-Bx3kQ9_a.css").rename(folder / "assets" / "index-Zx3kQ9_b.css")
    assert status("/assets/index-Bx3kQ9_a.css") == 404  # gone, though it was seen
    os.utime(folder / "index.html", ns=(1, 1))
    assert status("/assets/index-Zx3kQ9_b.css") == 200


def test_every_ending_that_the_console_uses_has_a_type() -> None:
    """Scripts, styles, fonts, data, pictures: with `nosniff`, a wrong type is a file that is not used."""
    needed = {".js", ".css", ".html", ".woff2", ".json", ".svg", ".png", ".map", ".webmanifest"}
    assert needed <= set(CONTENT_TYPES)

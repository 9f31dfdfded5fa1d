"""The console's files, as they were built into the package: `/`, `/assets/...` and two more. The same for everybody.

Only names that were found when the directory was read are answered, so no path leads out of it.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from litestar.types import Send

STATIC = Path(__file__).parent / "static"
ROOT_FILES = ("favicon.svg", "manifest.webmanifest")

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".geojson": "application/geo+json",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
# In order of preference: the ending of the file beside the plain one, and its name in HTTP.
ENCODINGS = ((".br", "br"), (".gz", "gzip"))

# `name-HASH.ending`, as the builder names what it may keep for ever: eight characters, and not a word
_HASHED = re.compile(r"-(?=[a-z_-]{0,7}[A-Z0-9])[A-Za-z0-9_-]{8}\.[a-z0-9.]+$")
FOR_EVER = b"public, max-age=31536000, immutable"
NO_STORE = b"no-store"

NOT_BUILT = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>detente: the console is not built</title>
<h1>The console is not built</h1>
<p>This node runs, and its API answers. The pages of its console are not in this installation.</p>
<p>In a source tree, this command builds them: <code>scripts/console</code></p>
</html>
"""


class _File(msgspec.Struct, frozen=True):
    path: Path
    content_type: str
    cache: bytes
    encoded: tuple[tuple[str, Path], ...]


class Pages:
    """The files of the console.

    Args:
        folder: where `index.html` and `assets` are.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._built: int | None = None
        self._files: dict[str, _File] = {}

    @staticmethod
    def has(path: str) -> bool:
        """Whether a path is one of the console's, found or not."""
        return path == "/" or path[1:] in ROOT_FILES or path.startswith("/assets/")

    async def answer(self, scope: Any, send: Send) -> None:
        """Answer GET or HEAD of one of the console's paths."""
        self._look()
        file = self._files.get(scope["path"])
        if file is None:
            missing = scope["path"] == "/"
            text = NOT_BUILT if missing else "There is no such file.\n"
            kind = "text/html; charset=utf-8" if missing else "text/plain; charset=utf-8"
            await _send(scope, send, 503 if missing else 404, text.encode(), kind, NO_STORE, [])
            return
        accepted = _accepted(scope)
        chosen = next(((n, p) for n, p in file.encoded if n in accepted), ("", file.path))
        try:
            body = await asyncio.to_thread(chosen[1].read_bytes)
        except OSError:  # built anew this very moment
            kind = "text/plain; charset=utf-8"
            await _send(scope, send, 404, b"There is no such file.\n", kind, NO_STORE, [])
            return
        extra = [(b"vary", b"Accept-Encoding")] if file.encoded else []
        if chosen[0]:
            extra.append((b"content-encoding", chosen[0].encode()))
        await _send(scope, send, 200, body, file.content_type, file.cache, extra)

    def _look(self) -> None:
        """Read the directory, if the console was built since the last look."""
        try:
            built = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            self._built, self._files = None, {}
            return
        if built == self._built:
            return
        files = {"/": self._file(self._folder / "index.html")}
        for name in ROOT_FILES:
            if (self._folder / name).is_file():
                files[f"/{name}"] = self._file(self._folder / name)
        for path in (self._folder / "assets").rglob("*"):
            # `.br` and `.gz` are answers in another coding, not files of their own
            if path.is_file() and not path.is_symlink() and path.suffix not in dict(ENCODINGS):
                files["/" + path.relative_to(self._folder).as_posix()] = self._file(path)
        self._built, self._files = built, files

    def _file(self, path: Path) -> _File:
        encoded = [
            (name, path.with_name(path.name + ending))
            for ending, name in ENCODINGS
            if path.with_name(path.name + ending).is_file()
        ]
        in_assets = path.is_relative_to(self._folder / "assets")
        return _File(
            path=path,
            content_type=CONTENT_TYPES.get(path.suffix, "application/octet-stream"),
            cache=FOR_EVER if in_assets and _HASHED.search(path.name) else NO_STORE,
            encoded=tuple(encoded),
        )


def _accepted(scope: Any) -> set[str]:
    """The content codings a browser takes; one with a weight of nought is refused."""
    found = set()
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for part in value.decode("latin-1").lower().split(","):
                coding, _, weight = part.partition(";")
                if not re.fullmatch(r"q=0(\.0*)?", weight.strip()):
                    found.add(coding.strip())
    return found


async def _send(
    scope: Any,
    send: Send,
    status: int,
    body: bytes,
    content_type: str,
    cache: bytes,
    extra: list[tuple[bytes, bytes]],
) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", cache),
        *extra,
    ]
    start: Any = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    bare = scope["method"] == "HEAD"
    end: Any = {"type": "http.response.body", "body": b"" if bare else body, "more_body": False}
    await send(end)

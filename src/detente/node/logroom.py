"""The log as files: checkpoint, tiles and entry bundles of this node's own log (C2SP tlog-tiles)."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from detente.errors import UsageError
from detente.ledger.checkpoint import log_origin
from detente.ledger.cosignature import add_cosignature
from detente.ledger.leaf import leaf_bytes
from detente.ledger.tile import TILE_WIDTH, Tile, encode_bundle, parse_tile_path
from detente.limits import TILES_KEPT
from detente.node.node import Node
from detente.protocol.core import Core

Elsewhere = Callable[[Node, str, Request[Any, Any, Any]], Awaitable[Response[Any]]]

CHECKPOINT = "text/plain"  # the framework adds the character set
TILE = "application/octet-stream"
FOR_SECONDS = "public, max-age=2"
FOR_GOOD = "public, max-age=31536000, immutable"


class LogRoom:
    """What is served of this node's own log.

    Full tiles never change, so the last ones asked for are kept ready.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._kept: dict[tuple[int, str], bytes] = {}

    async def answer(self, path: str, request: Request[Any, Any, Any]) -> Response[Any]:
        """The resource at a path below `/log`; 404 for what no signed checkpoint covers."""
        path = path.removeprefix("/")
        first, _, rest = path.partition("/")
        epoch = int(first) if first.isascii() and first.isdigit() and len(first) < 7 else 0
        if epoch and str(epoch) == first:
            path = rest
        else:
            epoch = 0
        if path == "checkpoint":
            note = await self._node.do(lambda core: find_checkpoint(core, epoch))
            return checkpoint_answer(note)
        try:
            tile = parse_tile_path(path)
        except UsageError:
            return missing()
        data = self._kept.get((epoch, path)) if epoch else None
        if data is None:
            data = await self._node.do(lambda core: read_tile(core, epoch, tile))
            if data is not None and epoch and tile.width == TILE_WIDTH:
                if len(self._kept) >= TILES_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[epoch, path] = data
        # under the newest epoch's own prefix a path means another log after a recovery
        return tile_answer(data, tile, request, FOR_GOOD if epoch else FOR_SECONDS)


def checkpoint_answer(note: str | None) -> Response[Any]:
    """A checkpoint, not to be kept for more than seconds."""
    if note is None:
        return missing()
    return Response(note, media_type=CHECKPOINT, headers={"Cache-Control": FOR_SECONDS})


def tile_answer(
    data: bytes | None, tile: Tile, request: Request[Any, Any, Any], cache: str
) -> Response[Any]:
    """A tile, compressed if it is a bundle and the reader takes gzip."""
    if data is None:
        return missing()
    headers = {"Cache-Control": cache}
    if tile.level < 0:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(data, 6, mtime=0)
    return Response(data, media_type=TILE, headers=headers)


def missing() -> Response[Any]:
    """Nothing is served here."""
    return Response("not found\n", status_code=404, media_type=CHECKPOINT)


def signed_size(core: Core, epoch: int) -> int:
    """How many entries of an epoch's log are under a signed checkpoint.

    Args:
        epoch: 0 for the newest.
    """
    epoch = epoch or len(core.epochs)
    if not 1 <= epoch <= len(core.epochs):
        return 0
    # a checkpoint up to the first entry of the next epoch is of this one or of one before it
    most = core.epochs[epoch] if epoch < len(core.epochs) else core.tree.size
    found = core.journal.checkpoint_to(most)
    origin = log_origin(core.identity.party, epoch)
    return found[0] if found and found[1].partition("\n")[0] == origin else 0


def find_checkpoint(core: Core, epoch: int) -> str | None:
    """The newest checkpoint of an epoch with every line gathered for it."""
    size = signed_size(core, epoch)
    found = core.journal.checkpoint(size) if size else None
    if found is None:
        return None
    note = found[1]
    for lines in (*core.journal.cosignatures(size).values(), *core.journal.mirrored(size).values()):
        note = add_cosignature(note, lines)
    return note


def read_tile(core: Core, epoch: int, tile: Tile) -> bytes | None:
    """The bytes of a tile or bundle of our own log, or None: 256 look-ups, whatever the log's size."""
    if not tile.end <= signed_size(core, epoch):
        return None
    start = tile.index * TILE_WIDTH
    if tile.level >= 0:
        row = (core.tree.stored(8 * tile.level, start + i) for i in range(tile.width))
        return b"".join(row)
    entries = (core.journal.entry(index) for index in range(start, start + tile.width))
    return encode_bundle([leaf_bytes(core.open_leaf(one)) for one in entries if one is not None])


def log_routes(node: Node, mirrored: Elsewhere) -> list[Any]:
    """The log at `/log/`, and below `/log/mirror/` what is mirrored here of others."""
    room = LogRoom(node)

    @get("/log/{path:path}", include_in_schema=False)
    async def log(path: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
        if path.startswith("/mirror/"):
            return await mirrored(node, path.removeprefix("/mirror/"), request)
        return await room.answer(path, request)

    return [log]

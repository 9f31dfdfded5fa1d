"""The mirror's doors: add-entries, taken package by package as it comes in, and the copies as tiles."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from litestar import Request, Response, post
from litestar.exceptions import HTTPException

from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import log_owner, origin_hash
from detente.ledger.mirror import UPLOAD_TYPE, Package, Upload, UploadParser
from detente.ledger.tile import parse_tile_path
from detente.ledger.witness import WitnessAnswer
from detente.limits import MIRROR_PACKAGES, MIRROR_REQUEST_S, MIRROR_STALL_S
from detente.node.logroom import FOR_GOOD, checkpoint_answer, missing, tile_answer
from detente.node.mirror import Mirror
from detente.node.node import Node
from detente.protocol.core import Core
from detente.protocol.effect import Effect

PIECE = 64 * 2**10  # bytes unpacked at a time: a package that grows a thousandfold costs no memory


class Reception:
    """One add-entries request, from its first byte to its answer."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._parser = UploadParser()
        self._upload: Upload | None = None
        self._taken = 0

    async def run(self, stream: AsyncIterator[bytes], *, packed: bool) -> WitnessAnswer:
        """Take what comes, for as long as it comes, and answer."""
        unzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
        until = asyncio.get_running_loop().time() + MIRROR_REQUEST_S
        try:
            while not self._enough:
                left_s = min(MIRROR_STALL_S, until - asyncio.get_running_loop().time())
                part = await asyncio.wait_for(anext(stream), max(0.0, left_s))
                for piece in _unpack(unzip, part):
                    answer = await self._feed(piece)
                    if answer is not None:
                        return answer
        except (StopAsyncIteration, TimeoutError, HTTPException, zlib.error):
            pass  # it ended, stalled or broke off: what was stored counts
        except PeerError as error:
            if error.code != "mirror-upload":
                return WitnessAnswer(422, f"{error.message}\n")
            if not self._taken:
                return WitnessAnswer(400, f"{error.message}\n")
        upload = self._upload
        if upload is None or (not self._taken and not self._parser.complete):
            return WitnessAnswer(400, "the request has no whole package\n")
        if not self._parser.complete:
            return await self._where(upload, 202)
        mirror = self._node.mirror
        return await self._node.do(  # type: ignore[no-any-return]
            lambda core: mirror.finish(core, upload, self._node.now_us())
        )

    @property
    def _enough(self) -> bool:
        return self._parser.complete or self._taken >= MIRROR_PACKAGES

    async def _feed(self, piece: bytes) -> WitnessAnswer | None:
        self._parser.feed(piece)
        mirror, upload = self._node.mirror, self._parser.upload
        if upload is None:
            return None
        if self._upload is None:
            self._upload = upload
            if not await self._node.do(lambda core: self._node.mirrors(core, upload.origin)):
                return WitnessAnswer(404, "log is not mirrored here\n")
            refused = await self._node.do(lambda _core: mirror.begin(upload))
            if refused is not None:
                return refused  # type: ignore[no-any-return]
        for package in self._parser.packages():
            # a job for each: nobody else's statement waits for more than one
            if not await self._store(upload, package):
                return await self._where(upload, 202 if self._taken else 409)
            self._taken += 1
            if self._enough:
                break
        return None

    async def _store(self, upload: Upload, package: Package) -> bool:
        node = self._node
        try:
            return await node.do(partial(_take, node.mirror, upload, package))  # type: ignore[no-any-return]
        except UsageError as error:
            if error.code == "mirror-full":
                await node.run(lambda core: (None, self._alarm(core, upload)))
            raise

    def _alarm(self, core: Core, upload: Upload) -> list[Effect]:
        party = log_owner(upload.origin)
        message = (
            f"the copy of the log of {party} has reached its limit; no more of it is stored here"
        )
        return core.alarm_once(self._node.now_us(), "mirror-full", message, party)

    async def _where(self, upload: Upload, status: int) -> WitnessAnswer:
        mirror = self._node.mirror
        return await self._node.do(lambda _core: mirror.where(upload, status))  # type: ignore[no-any-return]


def _take(mirror: Mirror, upload: Upload, package: Package, _core: Core) -> bool:
    return mirror.take(upload, package)


def _unpack(unzip: Any, part: bytes) -> Iterator[bytes]:
    if unzip is None:
        yield part
        return
    while part:
        yield unzip.decompress(part, PIECE)
        part = unzip.unconsumed_tail


async def mirror_answer(node: Node, path: str, request: Request[Any, Any, Any]) -> Response[Any]:
    """The resource at `<origin hash>/…`: 404 for what the mirror's checkpoint does not cover."""
    hashed, _, rest = path.partition("/")
    origins = await node.do(lambda _core: node.mirror.origins())
    origin = next((one for one in origins if origin_hash(one) == hashed), None)
    if origin is None:
        return missing()
    if rest == "checkpoint":
        note = await node.do(lambda _core: node.mirror.head(origin).note)
        return checkpoint_answer(note or None)
    try:
        tile = parse_tile_path(rest)
    except UsageError:
        return missing()
    data = await node.do(lambda _core: node.mirror.read(origin, tile))
    return tile_answer(data, tile, request, FOR_GOOD)


def mirror_routes(node: Node) -> list[Any]:
    """The mirror at `/witness/add-entries`."""

    @post("/witness/add-entries", status_code=200, include_in_schema=False)
    async def add_entries(request: Request[Any, Any, Any]) -> Response[str]:
        encoding = request.headers.get("content-encoding", "identity").lower()
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if encoding not in ("identity", "gzip"):
            answer = WitnessAnswer(400, "content encoding must be gzip or none\n")
        elif kind != UPLOAD_TYPE:
            answer = WitnessAnswer(400, f"content type must be {UPLOAD_TYPE}\n")
        else:
            answer = await Reception(node).run(request.stream(), packed=encoding == "gzip")
        headers = {"Content-Type": answer.content_type, "Accept-Encoding": "gzip"}
        return Response(answer.body, status_code=answer.status, headers=headers)

    return [add_entries]

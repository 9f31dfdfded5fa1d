"""The door for peers and the public: frames, the log's head, the witness, health. No sign-in."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException

from detente.errors import DetenteError, PeerError, UnavailableError, UsageError
from detente.limits import API_BODY_BYTES, FRAME_BYTES, LEARNED_BYTES
from detente.node.body import read_body, too_large
from detente.node.logroom import log_routes
from detente.node.mirrorroom import mirror_answer, mirror_routes
from detente.node.node import Node
from detente.node.outcome import error_json, http_status, trace
from detente.node.witnessroom import witness_routes
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.incoming import (
    next_frame,
    read_frame,
    take_frame,
    write_frame,
)
from detente.protocol.learned import keys_document, learn_keys
from detente.signing.canonical import encode_canonical

log = logging.getLogger("detente")


def answer_error(_request: Request[Any, Any, Any], error: DetenteError) -> Response[Any]:
    """Any of our errors as JSON with the status of the table."""
    return Response(error_json(error), status_code=http_status(error))


def answer_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """The framework's own refusals in the same shape as ours."""
    if error.status_code == 413:
        most = _request.route_handler.resolve_request_max_body_size() or API_BODY_BYTES
        error_413 = UsageError("body-too-large", too_large(most), field="body")
        return answer_error(_request, error_413)
    known = UnavailableError if error.status_code >= 500 else UsageError
    text = f"{error.detail}"
    extra = getattr(error, "extra", None)
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        text += f": {extra[0].get('key', '')} {extra[0].get('message', '')}".rstrip()
    return Response(error_json(known("http", text)), status_code=error.status_code)


def answer_depth(_request: Request[Any, Any, Any], _error: RecursionError) -> Response[Any]:
    """A body that nests deeper than any reader can follow."""
    error = UsageError(
        "json-depth", "body is nested very deeply; it must be a document of this API", field="body"
    )
    return Response(error_json(error), status_code=http_status(error))


def answer_fault(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A fault of ours: logged by kind and place, answered without a word of what was inside."""
    log.error("%s %s: %s", request.method, request.route_handler.handler_name, trace(error))
    body = UnavailableError(
        "fault", "the node made a mistake over this; nothing was taken", hint="see DIR/log"
    )
    return Response(error_json(body), status_code=500)


HANDLERS: Any = {
    Exception: answer_fault,
    DetenteError: answer_error,
    HTTPException: answer_http,
    RecursionError: answer_depth,
}


def exchange(node: Node, core: Core, data: bytes) -> tuple[bytes, list[Effect]]:
    """Take a frame and answer with ours, durable before it leaves: a job."""
    now_us = node.now_us()
    frame = read_frame(core, data, now_us)
    taken = take_frame(core, frame, now_us)
    node.counters["statements-received"] += taken.logged
    node.counters["duplicates"] += taken.duplicates
    node.counters["not-taken"] += taken.not_taken
    return write_frame(core, next_frame(core, frame.sender, now_us)), taken.effects


def public_routes(node: Node) -> list[Any]:
    """What answers without sign-in at every door: the log's head, the witness, health."""

    return [
        *witness_routes(node),
        *mirror_routes(node),
        *log_routes(node, mirror_answer),
        *key_routes(node),
        healthz,
    ]


def key_routes(node: Node) -> list[Any]:
    """Keys as their root signed them: published by whom they are, taken from anybody."""

    @get("/log/keys", include_in_schema=False)
    async def keys() -> Response[bytes]:
        card = [one.signed for one in node.home.card().certificates]
        found = await node.do(lambda core: keys_document(core, card))
        return Response(encode_canonical(found), media_type="application/json")

    @post("/witness/keys", status_code=200, include_in_schema=False)
    async def learn(request: Request[Any, Any, Any]) -> dict[str, int]:
        body = await read_body(request, LEARNED_BYTES)
        return {"new": await node.do(lambda core: learn_keys(core, body, node.now_us()))}

    return [keys, learn]


def peer_app(node: Node) -> Litestar:
    """The application behind mutual TLS."""

    @post("/peer/v1/frames", status_code=200, include_in_schema=False)
    async def frames(request: Request[Any, Any, Any]) -> Response[bytes]:
        body = b""
        try:
            body = await read_body(request, FRAME_BYTES)
            answer = await node.run(lambda core: exchange(node, core, body))
        except PeerError as error:
            # nobody's frame: a sample is kept by quota, under no party's name
            evidence = with_evidence(error, body)
            await node.do(lambda core: core.keep_evidence(node.now_us(), "-", evidence))
            raise
        return Response(answer, media_type="application/json")

    return Litestar(
        [frames, *public_routes(node)],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,  # `read_body` has the limit; a frame may be larger than the default
        exception_handlers=HANDLERS,
    )


def with_evidence(error: PeerError, body: bytes) -> PeerError:
    """The error with at least the beginning of what came as evidence."""
    if not error.evidence:
        error.evidence = body[:1024]
    return error


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """Alive; says nothing else."""
    return {"status": "ok"}

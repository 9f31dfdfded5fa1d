"""What this node does for the logs of others: it cosigns their heads, and shows what it cosigned."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from detente.ledger.checkpoint import origin_hash
from detente.ledger.witness import ADD_CHECKPOINT_BYTES, WitnessedHead
from detente.node.body import read_body
from detente.node.logroom import checkpoint_answer
from detente.node.node import Node
from detente.node.store import Store


def find_witnessed(store: Store, hashed: str) -> str | None:
    """The last head cosigned here of the log of this hash, with the log's lines and ours (L-WIT-4)."""
    for origin in store.witness_origins():
        if origin_hash(origin) == hashed:
            return msgspec.convert(store.value(f"witness:{origin}"), WitnessedHead).note
    return None


def witness_routes(node: Node) -> list[Any]:
    """The witness at `/witness/`."""

    @post("/witness/add-checkpoint", status_code=200, include_in_schema=False)
    async def add_checkpoint(request: Request[Any, Any, Any]) -> Response[str]:
        body = await read_body(request, ADD_CHECKPOINT_BYTES)
        answer = await node.run(lambda core: node.witness(core, body))
        # given as a header: the framework would add a character set to every text/ type (L-WIT-7)
        kind = {"Content-Type": answer.content_type}
        return Response(answer.body, status_code=answer.status, headers=kind)

    @get("/witness/{hashed:str}/checkpoint", include_in_schema=False)
    async def witnessed(hashed: FromPath[str]) -> Response[Any]:
        return checkpoint_answer(await node.do(lambda _core: find_witnessed(node.store, hashed)))

    return [add_checkpoint, witnessed]

"""The body of a request, read no further than its limit."""

from __future__ import annotations

from typing import Any

from litestar import Request

from detente.errors import PeerError
from detente.limits import EVIDENCE_SAMPLE_BYTES


async def read_body(request: Request[Any, Any, Any], most_bytes: int) -> bytes:
    """The request's body, refused as soon as it is over its limit.

    Raises:
        PeerError: ``body-too-large``; the evidence is the beginning of what came.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise PeerError(
                "body-too-large",
                too_large(most_bytes),
                field="body",
                evidence=b"".join(parts)[:EVIDENCE_SAMPLE_BYTES],
            )
        parts.append(part)
    return b"".join(parts)


def too_large(most_bytes: int) -> str:
    """The words for a body over its limit."""
    return f"body is over {most_bytes} bytes; it must be at most that"

"""The id of a conflict: the same on both sides, whoever found it first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from detente.conflict.strategic import ENGINE_SPECS
from detente.signing.canonical import encode_canonical


def conflict_id(bodies: Sequence[str], agreements: Sequence[str], spec: str) -> str:
    """Hex id: a tagged hash of the sorted body digests, the agreements and the engine's spec version.

    Args:
        bodies: digests of the two bodies.
        agreements: hashes of the agreements they quote.
        spec: by `strategic.spec_of`.
    """
    content = {
        "agreements": sorted(set(agreements)),
        "bodies": sorted(bodies),
        "engine": spec,
    }
    return hashlib.sha256(b"detente:conflict:v1\n" + encode_canonical(content)).hexdigest()


def conflict_ids(bodies: Sequence[str], agreements: Sequence[str]) -> set[str]:
    """The id under each engine spec: what a node of another version may call the same conflict."""
    return {conflict_id(bodies, agreements, spec) for spec in ENGINE_SPECS}

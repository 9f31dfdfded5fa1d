"""The id of a conflict: the same on both sides, whoever found it first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from detente.conflict.strategic import ENGINE_SPEC
from detente.signing.canonical import encode_canonical


def conflict_id(bodies: Sequence[str], agreements: Sequence[str]) -> str:
    """Hex id: a tagged hash of the sorted body digests, the agreements and the engine's spec version."""
    content = {
        "agreements": sorted(set(agreements)),
        "bodies": sorted(bodies),
        "engine": ENGINE_SPEC,
    }
    return hashlib.sha256(b"detente:conflict:v1\n" + encode_canonical(content)).hexdigest()

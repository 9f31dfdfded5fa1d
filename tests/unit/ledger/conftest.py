"""Keys and logs from fixed seeds, and where the public test vectors lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detente.signing.key import SigningKeys

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def north() -> SigningKeys:
    """North's signing keys."""
    return SigningKeys.from_seed(bytes(range(64)))


@pytest.fixture(scope="session")
def south() -> SigningKeys:
    """South's signing keys, here a witness's."""
    return SigningKeys.from_seed(bytes(range(64, 128)))


@pytest.fixture(scope="session")
def merkle_vectors() -> Any:
    """All files of one kind of public Merkle vector, or skip by name where they are absent."""

    def read(kind: str) -> Iterator[tuple[str, Any]]:
        folder = ROOT.parent / "shared" / "vectors" / "merkle" / "testdata" / kind
        if not folder.is_dir():
            pytest.skip(f"shared vectors absent: merkle/testdata/{kind}")
        for path in sorted(folder.rglob("*.json")):
            yield str(path.relative_to(folder)), json.loads(path.read_text())

    return read

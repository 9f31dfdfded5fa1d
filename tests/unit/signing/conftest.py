"""Keys from fixed seeds, and where the public test vectors lie."""

from __future__ import annotations

import json
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
    """South's signing keys."""
    return SigningKeys.from_seed(bytes(range(64, 128)))


@pytest.fixture(scope="session")
def wycheproof() -> Any:
    """Read a Wycheproof file by name, or skip by that name where the shared vectors are absent."""

    def read(name: str) -> Any:
        path = ROOT.parent / "shared" / "vectors" / "wycheproof" / name
        if not path.exists():
            pytest.skip(f"shared vectors absent: wycheproof/{name}")
        return json.loads(path.read_text())

    return read

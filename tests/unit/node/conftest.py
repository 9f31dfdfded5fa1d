"""Homes, stores and statements for the tests of the shell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from detente.agreement.terms import parse_terms, propose_agreement, sign_agreement
from detente.node.home import Home, init_home
from detente.node.store import Store
from detente.protocol.core import Core

T0 = 1_790_000_000_000_000  # the time at which these tests play


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a file."""
    opened = Store.at(tmp_path / "detente.db")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    """North, south and a neutral witness: directories as `detente init` makes them. Do not change them."""
    root = tmp_path_factory.mktemp("homes")
    roles = {"north": "party", "south": "party", "witness": "neutral"}
    return {
        party: init_home(
            root / party,
            party=party,
            name=party,
            role=role,
            listen="127.0.0.1:4710",
            valid_from_us=T0 - 86_400_000_000,
        )
        for party, role in roles.items()
    }


@pytest.fixture(scope="session")
def agreement(homes: dict[str, Home]) -> Any:
    """An agreement file that all three have signed."""
    cards = [home.card() for home in homes.values()]
    file = propose_agreement(cards, ["witness"], parse_terms({}), T0)
    for party, home in homes.items():
        file = sign_agreement(file, party, home.root_signer())
    return file


@pytest.fixture
def core(store: Store, homes: dict[str, Home], agreement: Any) -> Core:
    """North's core on the store, the agreement in force."""
    found = Core(homes["north"].identity(), store, os.urandom)
    found.accept_agreement(agreement, T0)
    store.commit()
    return found


@pytest.fixture
def notice() -> Callable[..., bytes]:
    """Bytes of a GeoJSON notice."""
    import json

    def build(name: str = "A-1", lon: float = 10.0, **properties: Any) -> bytes:
        return json.dumps(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [lon, 50.0]},
                "properties": {
                    "id": name,
                    "exercise": True,
                    "radius_nm": 5,
                    "start": "2030-01-01T00:00:00Z",
                    "end": "2030-01-01T01:00:00Z",
                    "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
                    "upper": {"value": 1000, "unit": "ft", "datum": "MSL"},
                    **properties,
                },
            }
        ).encode()

    return build

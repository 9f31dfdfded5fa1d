"""The description of the API that the console is built from is the one the node gives."""

from __future__ import annotations

import os
from pathlib import Path

from detente.node.description import describe_api

ROOT = Path(__file__).parents[2]


def test_openapi_file_is_the_application_s_own() -> None:
    """console/openapi.json says what the application says of itself, byte for byte."""
    found = describe_api()
    kept = (ROOT / "console" / "openapi.json").read_bytes()
    assert kept == found, "the API has changed; run: scripts/openapi"


def test_openapi_script_is_there_to_renew_the_file() -> None:
    """The command that the other test names exists and can be run."""
    assert os.access(ROOT / "scripts" / "openapi", os.X_OK)

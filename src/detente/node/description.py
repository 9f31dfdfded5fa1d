"""The API's own description as a file: OpenAPI from the application, without starting a server.

The console's types are made from the file console/openapi.json, so that its build needs no node.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from litestar import Litestar

from detente.node.api import api_app
from detente.node.home import init_home
from detente.node.node import Node


def describe_api() -> bytes:
    """The OpenAPI document as `/api/openapi.json` answers it, sorted and indented, with a final line feed."""
    with tempfile.TemporaryDirectory() as directory:
        home = init_home(
            Path(directory) / "node",
            party="node",
            name="node",
            role="party",
            listen="127.0.0.1:4710",
        )
        node = Node(home)
        try:
            app = api_app(node, local=True)
            if not isinstance(app, Litestar):
                raise TypeError("the owner's application is wrapped; its description is inside")
            document = app.openapi_schema.to_schema()
        finally:
            node.close()
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    return text.encode() + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(describe_api())

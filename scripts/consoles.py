"""Two consoles in a real browser on two real nodes: what the gallery and the benchmarks stand on.

Needs Debian's `chromium` (or DETENTE_CHROMIUM) and the Python package `playwright` from the lock file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from detente.cli.client import Api
from detente.cli.nodes import Member, Nodes
from detente.units import US_PER_S, format_time, parse_time

FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MEMBERS = (
    Member("north", "North"),
    Member("south", "South"),
    Member("meridian", "Meridian", "neutral"),
)


def chromium() -> str:
    """The browser's program.

    Raises:
        SystemExit: there is none.
    """
    found = os.environ.get("DETENTE_CHROMIUM") or shutil.which("chromium")
    if not found:
        sys.exit("chromium is not installed; on Debian: apt install chromium fonts-noto-core")
    return found


class Stand:
    """Running nodes and a browser."""

    def __init__(self, nodes: Nodes, browser: Browser) -> None:
        self.nodes, self.browser = nodes, browser

    def now_us(self, party: str = "north") -> int:
        """A node's clock, whole seconds."""
        with Api(self.nodes.path(party)) as api:
            return (
                parse_time(api.json("GET", "/api/v1/status")["now"], field="now")
                // US_PER_S
                * US_PER_S
            )

    def file(self, party: str, feature: dict[str, Any], **params: Any) -> dict[str, Any]:
        """File a notice and wait for its receipt."""
        with Api(self.nodes.path(party)) as api:
            return api.json(  # type: ignore[no-any-return]
                "POST",
                "/api/v1/notices",
                content=json.dumps(feature).encode(),
                params={"wait": "delivered", **params},
            )

    def link(self, party: str, name: str = "watch", role: str = "watch") -> str:
        """A one-use sign-in link for an officer, who is added if need be."""
        with Api(self.nodes.path(party)) as api:
            known = {row["name"] for row in api.json("GET", "/api/v1/operators")["operators"]}
            if name not in known:
                body = {"name": name, "role": role, "password": f"{name}-of-{party}-password"}
                api.json("POST", "/api/v1/operators", body=body)
            return str(api.json("POST", f"/api/v1/operators/{name}/link")["link"])

    def context(self, **options: Any) -> BrowserContext:
        """A browser of its own: cookies, storage, language."""
        return self.browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})

    def enter(self, context: BrowserContext, party: str, path: str = "notices") -> Page:
        """A page of a party's console, signed in."""
        page = context.new_page()
        page.goto(self.link(party))
        page.locator("button.first").click()
        page.locator("main button.first").wait_for()
        page.locator("main button.first").click()
        page.locator("h1:visible").first.wait_for()
        if path != "notices":
            self.go(page, path)
        return page

    @staticmethod
    def go(page: Page, path: str) -> None:
        """Another view of the console, once it is there."""
        page.evaluate("path => { location.hash = '#/' + path }", path)
        page.locator("h1:visible").first.wait_for()


@contextlib.contextmanager
def stand(terms: dict[str, Any] | None = None) -> Iterator[Stand]:
    """Nodes and browser, ended afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="detente-consoles-") as scratch,
        Nodes(Path(scratch), MEMBERS, terms or {}) as nodes,
        sync_playwright() as playwright,
    ):
        nodes.start_all()
        nodes.wait_open("north")
        nodes.wait_open("south")
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield Stand(nodes, browser)
        finally:
            browser.close()


def feature(
    name: str,
    geometry: dict[str, Any],
    start_us: int,
    minutes: float,
    lower: tuple[float, str, str],
    upper: tuple[float, str, str],
    **properties: Any,
) -> dict[str, Any]:
    """A notice as GeoJSON; always an exercise."""
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {
            "id": name,
            "exercise": True,
            "activity": "patrol",
            "start": format_time(start_us),
            "end": format_time(start_us + int(minutes * 60 * US_PER_S)),
            "lower": dict(zip(("value", "unit", "datum"), lower, strict=True)),
            "upper": dict(zip(("value", "unit", "datum"), upper, strict=True)),
            **properties,
        },
    }


def square(lon: float, lat: float, width: float, height: float) -> dict[str, Any]:
    """A rectangle in degrees."""
    ring = [
        [lon, lat],
        [lon + width, lat],
        [lon + width, lat + height],
        [lon, lat + height],
        [lon, lat],
    ]
    return {"type": "Polygon", "coordinates": [[[round(x, 6), round(y, 6)] for x, y in ring]]}


def wait(done: Any, seconds: float = 20.0) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it does not.
    """
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("waited too long")
        time.sleep(0.02)

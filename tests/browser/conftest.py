"""Consoles in a real browser, on real nodes.

A page that logs an error, breaks the node's content policy or asks any other host fails its test, whatever else the test looks
at: no request leaves the node. What a test provokes on purpose it names beforehand (`console.expects`).
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
STATIC = ROOT / "src" / "detente" / "node" / "static" / "index.html"
PASSWORD = "correct horse battery"
WAIT_MS = 20_000  # generous: the machine may be busy; a good run waits for a fraction of it

# Runs without a graphics card, keeps to itself, and asks nobody for updates.
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

# Told to every page before its own scripts: what it played, and what its policy forbade.
LISTEN = """
window.heard = []; window.forbidden = []; window.tones = 0;
addEventListener('detente:sound', event => window.heard.push(event.detail));
document.addEventListener('securitypolicyviolation', event => window.forbidden.push(event.violatedDirective + ' ' + event.blockedURI));
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is `browser`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium() -> str:
    """The browser's program; without one the tests say what to install, and skip."""
    found = os.environ.get("DETENTE_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip(
            "chromium is not installed; apt install chromium fonts-noto-core, or set DETENTE_CHROMIUM"
        )
    if not STATIC.is_file():
        pytest.skip("the console is not built; scripts/console builds it and says what it lacks")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for the tests of a module.

    Not for longer: Playwright keeps an event loop in this thread, and tests of other folders run their own.
    """
    program = chromium()
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield one
        one.close()


@dataclass
class Console:
    """One officer's browser: a context of its own, its page, and what went wrong in it."""

    node: Any
    name: str
    context: Any
    page: Any = None
    wrong: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the node's console is; a name, because passkeys need one."""
        return f"http://localhost:{self.node.api_port}"

    def expects(self, *patterns: str) -> None:
        """What the test provokes: regular expressions over what would be wrong otherwise."""
        self.expected.extend(patterns)

    def open(self, path: str = "") -> Any:
        """A new page at a place of the console."""
        self.page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.goto(f"{self.address}/{path}")
        return self.page

    def sign_in(self) -> None:
        """A session in this browser, without the form; tests of the form use the form."""
        answer = self.context.request.post(
            f"{self.address}/api/v1/session",
            data={"name": self.name, "password": PASSWORD, "cookie": True},
            headers={"X-Detente": "console"},
        )
        assert answer.ok, answer.text()

    def enter(self, place: str = "notices") -> Any:
        """A page of the console, signed in, with the first picture on it and its sound allowed."""
        self.sign_in()
        self.open(f"#/{place}")
        self.ready()
        self.page.keyboard.press("Shift")  # a browser plays nothing before a key was pressed
        return self.page

    def ready(self) -> None:
        """Wait until a view stands and the stream lives."""
        self.page.locator("#work h1").first.wait_for()
        self.page.locator("header .live svg.good").wait_for()

    def go(self, place: str) -> None:
        """Another place of the console."""
        self.page.evaluate("place => { location.hash = '#/' + place }", place)
        # on a small screen the detail takes the list's place
        self.page.locator("#work :is(h1, nav):visible, aside h1:visible").first.wait_for()

    def write(
        self,
        name: str,
        positions: str,
        lower: str = "FL180",
        upper: str = "FL220",
        start: str = "+60 min",
        end: str = "+30 min",
    ) -> None:
        """Write a notice in the form, as text; the caller sends it."""
        page = self.page
        page.get_by_label("Notice id").fill(name)
        page.get_by_label("EXERCISE: nothing flies").check()
        page.get_by_label("Type or paste positions").fill(positions)
        page.get_by_role("button", name="Use this shape").click()
        self.edges(lower, upper)
        page.get_by_label("Start", exact=True).fill(start)
        page.get_by_label("End", exact=True).fill(end)
        page.get_by_label("End", exact=True).blur()

    def edges(self, lower: str, upper: str) -> None:
        """Write the band of the form's one volume."""
        for label, edge in (("Lower edge", lower), ("Upper edge", upper)):
            field = self.page.get_by_label(label, exact=True)
            field.fill(edge)
            field.blur()

    def send(self, words: str = "is sent") -> None:
        """Press the button that sends, and wait until the console says what became of it."""
        self.page.get_by_role("button", name=re.compile("^Send (to|version)")).click()
        expect(self.page.locator("#work")).to_contain_text(words)

    def row(self, text: str) -> Any:
        """The row of a list that holds some words."""
        return self.page.locator("#work .list").get_by_text(text).first

    def until(self, condition: str) -> None:
        """Wait until an expression is true in the page.

        Not Playwright's own way, which evaluates text inside the page: its policy forbids that, as it must.
        """
        end = time.monotonic() + WAIT_MS / 1000
        while not self.page.evaluate(condition):
            if time.monotonic() > end:
                pytest.fail(f"not within {WAIT_MS} ms: {condition}")
            self.page.wait_for_timeout(50)

    def settled(self) -> str:
        """The page's address once the map, which writes its place into it, has come to rest."""
        before, same = "", 0
        while same < 20:
            self.page.wait_for_timeout(50)
            now = self.page.url
            before, same = now, same + 1 if now == before else 0
        return before

    def heard(self, sound: str) -> None:
        """Wait until the console has asked for a sound, and tones of it were started."""
        self.until(f"heard.includes('{sound}') && tones > 0")

    def session(self) -> Any:
        """What the node says of this browser's session."""
        return self.context.request.get(f"{self.address}/api/v1/session")

    def asked(self, request: Any) -> None:
        """Note a request to anybody but the node."""
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob"):
            return
        if parts.hostname != "localhost" or parts.port != self.node.api_port:
            self.wrong.append(f"request to another host: {request.url[:200]}")

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            place = (message.location or {}).get("url", "")
            self.wrong.append(f"console {message.type}: {message.text} ({place})")

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def check(self) -> None:
        """Fail when anything went wrong that the test did not name."""
        for page in self.context.pages:
            try:
                forbidden = page.evaluate("window.forbidden ?? []")
            except Exception:  # a page that is gone has said what it had to say
                continue
            self.wrong.extend(f"forbidden by the policy: {one}" for one in forbidden)
        left = [
            one for one in self.wrong if not any(re.search(each, one) for each in self.expected)
        ]
        assert left == [], f"the console of {self.node.party} did what it must not"


NOT_SIGNED_IN = r"status of 401 .*/api/v1/session"  # asking who I am, by somebody who is nobody yet


@pytest.fixture
def large(browser: Any) -> Iterator[Any]:
    """A Chromium whose user has set the text to twice its size, as the browser's settings offer it."""
    one = browser.browser_type.launch(
        executable_path=chromium(), args=[*FLAGS, "--blink-settings=defaultFontSize=32"]
    )
    yield one
    one.close()


@pytest.fixture
def officer(browser: Any, kit: Any) -> Iterator[Callable[..., Console]]:
    """Makes consoles of officers: `officer(node, "kay", "watch")`. They end, and are judged, with the test."""
    made: list[Console] = []

    def build(node: Any, name: str = "kay", role: str = "watch", **options: Any) -> Console:
        known = {row["name"] for row in node.get("/api/v1/operators")["operators"]}
        if name not in known:
            kit.ok(
                *("operator", "add", node.dir, name, "--role", role, "--password-stdin"),
                stdin=PASSWORD + "\n",
            )
        viewport = options.pop("viewport", (1366, 768))
        context = options.pop("browser", browser).new_context(
            locale=options.pop("locale", "en-GB"),
            timezone_id="UTC",
            viewport={"width": viewport[0], "height": viewport[1]},
            **options,
        )
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(LISTEN)
        console = Console(node, name, context, expected=[NOT_SIGNED_IN])
        context.on("request", console.asked)
        made.append(console)
        return console

    yield build
    try:
        for console in made:
            console.check()
    finally:
        for console in made:
            console.context.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The accessibility checker's source."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; scripts/console installs the console's packages")
    return AXE.read_text("utf-8")

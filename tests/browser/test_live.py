"""NOT LIVE: a console that has lost its node says so over everything, and catches up by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

GONE = (
    r"ERR_CONNECTION_REFUSED",
    r"ERR_INCOMPLETE_CHUNKED_ENCODING",
    r"ERR_CONNECTION_RESET",
    r"ERR_EMPTY_RESPONSE",
)


@pytest.fixture
def pair(make: Any) -> Iterator[Any]:
    """Two parties and a witness that a test may kill."""
    parties = make()
    parties.start()
    parties.wait_open()
    return parties


def test_node_killed_covers_the_screen_sounds_and_catches_up(
    pair: Any, officer: Any, kit: Any, record_property: Any
) -> None:
    """A killed node is covered with NOT LIVE and heard; after its restart the console has all that came meanwhile."""
    pair.file(pair.north, kit.feature("BEFORE", 10.0, 50.0))
    console = officer(pair.south)
    console.expects(*GONE)
    page = console.enter()
    expect(page.locator("#work")).to_contain_text("BEFORE")
    began = page.evaluate("performance.now()")
    pair.south.kill()
    cover = page.get_by_role("alertdialog")
    expect(cover).to_contain_text("NOT LIVE")
    took_ms = page.evaluate("began => performance.now() - began", began)
    record_property("not-live-after-ms", round(took_ms))
    console.heard("not-live")
    assert "NOT LIVE" in page.title()
    # what stands below is old, and out of reach of hand and reader
    assert page.evaluate(
        "document.elementFromPoint(innerWidth / 2, innerHeight / 3).closest('[role=alertdialog]') !== null"
    )

    pair.file(pair.north, kit.feature("MEANWHILE", 11.0, 50.0))
    pair.south.start()
    expect(cover).to_be_hidden()
    expect(page.locator("#work")).to_contain_text("MEANWHILE")
    expect(page.locator("#work")).to_contain_text("BEFORE")
    assert page.evaluate("document.documentElement.dataset.sound") != "not-live"


def test_console_opened_without_its_node_says_so(pair: Any, officer: Any) -> None:
    """A page whose node is gone before it could sign anybody in says NOT LIVE and offers to try again."""
    console = officer(pair.north)
    console.expects(*GONE)
    console.context.route("**/api/v1/session", lambda route: route.abort("connectionrefused"))
    page = console.open()
    expect(page.get_by_role("alertdialog")).to_contain_text("NOT LIVE")
    console.context.unroute("**/api/v1/session")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_peer_killed_is_seen_in_the_header_and_heard(pair: Any, officer: Any, kit: Any) -> None:
    """When the peer goes silent its line turns not well in the header, and becomes an alarm with a sound."""
    console = officer(pair.south)
    page = console.enter()
    pair.north.kill()
    expect(page.locator("header .lines")).to_contain_text("line not open", timeout=60_000)
    expect(page.locator(".bar")).to_contain_text("The line to", timeout=60_000)
    assert "warning" in page.evaluate("heard")

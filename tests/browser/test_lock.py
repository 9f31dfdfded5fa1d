"""A locked console: no content on the screen or in the page, and alarms all the same."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

PASSWORD = "correct horse battery"
SECRET = "Kestrel crossing"  # a word that stands in a notice and nowhere else


def clash(trio: Any, kit: Any, name: str, lon: float, lat: float) -> None:
    """Both parties file the same air: south hears a conflict."""
    for node, own in ((trio.north, f"{name}-N"), (trio.south, f"{name}-S")):
        assert trio.file(node, kit.feature(own, lon, lat, text=SECRET)).code in (0, 1)


def lock(page: Page) -> None:
    """Press the lock and wait for its page."""
    page.get_by_role("banner").get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()


def heap_holds(console: Any, words: str) -> bool:
    """Whether a string that contains these words is alive in the page's memory, by the browser's own snapshot."""
    line = console.context.new_cdp_session(console.page)
    chunks: list[str] = []
    line.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    line.send("HeapProfiler.collectGarbage")
    line.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    line.detach()
    strings = json.loads("".join(chunks))["strings"]
    return any(words in one for one in strings)


def test_lock_leaves_no_content_on_the_screen_or_in_memory(
    trio: Any, officer: Any, kit: Any
) -> None:
    """Locking takes every notice off the page and out of what its scripts can reach; unlocking brings it back."""
    trio.file(trio.north, kit.feature("LOCK-1", 5.0, 45.0, text=SECRET))
    console = officer(trio.south)
    page = console.enter("notices/north%3ALOCK-1")
    expect(page.get_by_text(SECRET).first).to_be_visible()
    assert heap_holds(console, SECRET)
    lock(page)
    assert SECRET not in page.content()
    assert "LOCK-1" not in page.locator("body").inner_text()
    assert "South" not in page.title()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert SECRET not in kept
    assert not heap_holds(console, SECRET)
    page.get_by_label("Password of kay").fill(PASSWORD)
    page.get_by_role("button", name="Unlock", exact=True).click()
    console.ready()
    expect(page.get_by_text(SECRET).first).to_be_visible()


def test_lock_is_kept_by_the_node_not_by_the_page(trio: Any, officer: Any) -> None:
    """A locked session is refused all content, so a page that was tampered with, or loaded anew, shows none."""
    console = officer(trio.south)
    page = console.enter()
    lock(page)
    answer = console.context.request.get(f"{console.address}/api/v1/picture?since=0")
    assert answer.status == 423
    assert answer.json()["error"]["code"] == "locked"
    page.reload()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()


def test_locked_console_counts_and_sounds_a_new_alarm(trio: Any, officer: Any, kit: Any) -> None:
    """An alarm that is raised while the console is locked is counted and heard; what it is about is not said."""
    console = officer(trio.south)
    page = console.enter()
    lock(page)
    before = page.evaluate("[heard.length, tones]")
    clash(trio, kit, "LOCKED", 6.0, 45.0)
    expect(page.get_by_role("alert")).to_contain_text("1 warning")
    console.until(f"heard.length > {before[0]} && tones > {before[1]}")
    assert page.evaluate("heard.at(-1)") == "warning"
    assert "LOCKED-N" not in page.content()
    page.get_by_label("Password of kay").fill(PASSWORD)
    page.get_by_role("button", name="Unlock", exact=True).click()
    console.ready()
    expect(page.locator(".bar")).to_contain_text("LOCKED-N")


def test_unlocking_with_a_wrong_password_counts_down_and_ends_the_session(
    trio: Any, officer: Any
) -> None:
    """Wrong passwords are counted; after the fifth the session is over."""
    console = officer(trio.south, "wrong")
    console.expects(r"status of 40[13] ")
    page = console.enter()
    lock(page)
    for left in (4, 3, 2, 1):
        page.get_by_label("Password of wrong").fill("not it")
        page.get_by_role("button", name="Unlock", exact=True).click()
        expect(page.get_by_text(f"{left} tries")).to_be_visible()
    page.get_by_label("Password of wrong").fill("not it")
    page.get_by_role("button", name="Unlock", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert console.session().status == 401


def test_console_left_alone_locks_itself(trio: Any, officer: Any) -> None:
    """Without a key or a touch for the time that the node sets, the console locks."""
    console = officer(trio.south, "idle")
    console.context.clock.install()
    page = console.enter()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    seconds = console.session().json()["idle_lock_s"]
    console.context.clock.fast_forward((seconds - 30) * 1000)
    page.wait_for_timeout(1500)
    assert page.get_by_role("heading", name="Locked").count() == 0
    console.context.clock.fast_forward(30_000)
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    page.wait_for_timeout(500)
    assert console.session().json()["locked"] is True


def test_lock_without_a_node_is_made_up_for(trio: Any, officer: Any) -> None:
    """A screen that is locked while its node cannot be reached locks the session too, once it can be."""
    console = officer(trio.south, "late")
    console.expects(r"ERR_FAILED|ERR_CONNECTION_REFUSED")
    page = console.enter()
    console.context.route("**/session/lock", lambda route: route.abort("connectionrefused"))
    lock(page)
    assert console.session().json()["locked"] is False
    console.context.unroute("**/session/lock")
    for _ in range(50):
        if console.session().json()["locked"]:
            break
        page.wait_for_timeout(100)
    assert console.session().json()["locked"] is True

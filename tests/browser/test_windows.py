"""Two windows of one browser share a session: what becomes of it in one is seen in the other."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

PASSWORD = "correct horse battery"
SECRET = "Peregrine crossing"  # a word that stands in a notice and nowhere else
LOCKED = re.compile("^Locked$")
BUSY = r"status of 503 .*/session/lock"


def lock(page: Page) -> None:
    """Press the lock."""
    page.get_by_role("banner").get_by_role("button", name="Lock").click()


def test_lock_in_one_window_locks_the_others_and_so_does_unlocking(
    trio: Any, officer: Any, kit: Any
) -> None:
    """No window goes on showing what it had: it would be content on a locked console, and old content called live."""
    trio.file(trio.north, kit.feature("WINDOW-1", 5.0, 45.0, text=SECRET))
    console = officer(trio.south)
    first = console.enter("notices/north%3AWINDOW-1")
    second = console.open("#/notices/north%3AWINDOW-1")
    console.ready()
    for page in (first, second):
        expect(page.get_by_text(SECRET).first).to_be_visible()
    lock(first)
    for page in (first, second):
        expect(page.get_by_role("heading", name=LOCKED)).to_be_visible()
        assert SECRET not in page.content()
    second.get_by_label("Password of kay").fill(PASSWORD)
    second.get_by_role("button", name="Unlock", exact=True).click()
    for page in (second, first):
        expect(page.get_by_text(SECRET).first).to_be_visible()


def test_question_in_flight_is_ended_by_a_lock_in_another_window(
    trio: Any, officer: Any, kit: Any
) -> None:
    """What a window has asked when another locks is neither answered nor refused on its screen: nobody asks any more."""
    trio.file(trio.north, kit.feature("WINDOW-2", 5.0, 47.0))
    console = officer(trio.south)
    first = console.enter()
    second = console.open("#/notices")
    console.ready()
    held: list[Any] = []
    ended: list[str] = []
    second.route("**/clearance", lambda route: held.append(route))
    second.on("requestfailed", lambda request: ended.append(request.url))
    console.go("notices/north%3AWINDOW-2")
    for _ in range(200):
        if held:
            break
        second.wait_for_timeout(50)
    assert held
    lock(first)
    expect(second.get_by_role("heading", name=LOCKED)).to_be_visible()
    second.wait_for_timeout(100)
    assert [url for url in ended if url.endswith("/clearance")]


def test_officer_who_signs_in_in_another_window_is_named_in_all(
    trio: Any, officer: Any, kit: Any
) -> None:
    """A console never shows one officer's name while it acts with another's session."""
    console = officer(trio.south)
    console.expects(r"status of 401")
    page = console.enter()
    expect(page.get_by_role("banner")).to_contain_text("kay")
    officer(trio.south, "lee")
    answer = console.context.request.post(
        f"{console.address}/api/v1/session",
        data={"name": "lee", "password": PASSWORD, "cookie": True},
        headers={"X-Detente": "console"},
    )
    assert answer.ok, answer.text()
    expect(page.get_by_role("banner")).to_contain_text("lee")
    expect(page.get_by_role("banner")).not_to_contain_text("kay")


def test_lock_is_tried_again_while_the_node_is_busy(trio: Any, officer: Any) -> None:
    """A node that is too busy has not refused: a page loaded anew would be open, so it is asked until it is locked."""
    console = officer(trio.south)
    console.expects(BUSY)
    page = console.enter()
    tries: list[int] = []

    def busy(route: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            error = {"error": {"code": "busy", "message": "1000 requests wait"}}
            route.fulfill(status=503, json=error)
        else:
            route.continue_()

    page.route("**/api/v1/session/lock", busy)
    lock(page)
    expect(page.get_by_role("heading", name=LOCKED)).to_be_visible()
    for _ in range(200):
        if console.session().json()["locked"]:
            break
        page.wait_for_timeout(50)
    assert console.session().json()["locked"]
    assert len(tries) == 3


def test_answer_is_forgotten_by_a_lock_in_another_view(trio: Any, officer: Any, kit: Any) -> None:
    """What a view kept for this tab goes with the lock, also when the page was loaded anew since and the view never opened."""
    console = officer(trio.south)
    page = console.enter()
    page.evaluate("sessionStorage.setItem('asked', JSON.stringify({answer: 'what was found'}))")
    page.reload()
    console.ready()
    assert page.evaluate("sessionStorage.length") == 1
    lock(page)
    expect(page.get_by_role("heading", name=LOCKED)).to_be_visible()
    console.until("sessionStorage.length === 0")


def test_hand_in_one_window_keeps_the_others_open(trio: Any, officer: Any) -> None:
    """A window on the second screen that nobody touches does not lock the one that is worked in."""
    console = officer(trio.south)
    console.expects(r"status of 423 .*/session/lock")  # both lock it at the same moment

    def soon(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "idle_lock_s": 4})

    console.context.route("**/api/v1/session", soon)
    first = console.enter()
    second = console.open("#/notices")
    console.ready()
    for _ in range(14):
        second.keyboard.press("Shift")
        second.wait_for_timeout(500)
    assert first.get_by_role("heading", name=LOCKED).count() == 0
    expect(
        first.get_by_role("heading", name=LOCKED)
    ).to_be_visible()  # and then both are left alone

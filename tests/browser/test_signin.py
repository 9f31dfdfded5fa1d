"""Signing in and out: by password, by a one-use link, by passkey; and a session that ends."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

PASSWORD = "correct horse battery"
REFUSED = r"status of 40[13] .*/api/v1/"


def sign(page: Any, name: str, password: str) -> None:
    """Fill the form in."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_password_right_opens_the_console(trio: Any, officer: Any) -> None:
    """An officer signs in by password, hears the test tones, and stands before the list of notices."""
    console = officer(trio.north)
    page = console.open()
    sign(page, "kay", PASSWORD)
    expect(page.get_by_role("heading", name="Sound test")).to_be_visible()
    assert page.evaluate("heard") == ["test"]
    assert page.evaluate("tones") == 3
    page.get_by_role("button", name="I heard them: go on").click()
    console.ready()
    assert re.search(r"#/notices(\?|$)", page.url)  # the map adds its place
    expect(page.get_by_role("heading", level=1, name="Notices")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("North")
    expect(page.get_by_role("banner")).to_contain_text("kay")


def test_password_wrong_says_so_and_keeps_the_name(trio: Any, officer: Any) -> None:
    """A wrong password is refused in words, and the officer types only the password again."""
    console = officer(trio.north)
    console.expects(REFUSED)
    page = console.open()
    sign(page, "kay", "wrong horse")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Name", exact=True).input_value() == "kay"
    assert console.session().status == 401


def test_token_of_a_session_is_out_of_reach_of_scripts(trio: Any, officer: Any) -> None:
    """No script of the page can read the session's token: not as a cookie, not in storage."""
    console = officer(trio.north)
    page = console.enter()
    cookies = console.context.cookies()
    assert [one["name"] for one in cookies] == [f"detente-{trio.north.api_port}"]
    assert cookies[0]["httpOnly"]
    assert cookies[0]["sameSite"] == "Strict"
    assert page.evaluate("document.cookie") == ""
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert cookies[0]["value"] not in kept


def test_link_works_once_and_leaves_the_address_at_once(trio: Any, officer: Any, kit: Any) -> None:
    """A one-use link signs in after a press; its secret is gone from the address; a second use is refused."""
    console = officer(trio.north)
    made = json.loads(kit.ok("operator", "link", trio.north.dir, "kay", "--json").out)
    place = made["link"].partition("/#")[2]
    page = console.open(f"#{place}")
    expect(page.get_by_role("button", name="Sign in with this link")).to_be_visible()
    assert "link=" not in page.url
    page.get_by_role("button", name="Sign in with this link").click()
    page.get_by_role("button", name="I heard them: go on").click()
    console.ready()
    assert "link=" not in json.dumps(page.evaluate("[location.href, document.referrer]"))

    other = officer(trio.north)
    other.expects(REFUSED)
    again = other.open(f"#{place}")
    again.get_by_role("button", name="Sign in with this link").click()
    expect(again.get_by_role("alert")).to_be_visible()
    assert other.session().status == 401


def test_link_opened_in_an_open_tab_signs_in_there(trio: Any, officer: Any, kit: Any) -> None:
    """A link that is pasted into a tab where the sign-in page already stands is taken too."""
    console = officer(trio.north)
    page = console.open()
    expect(page.get_by_label("Name", exact=True)).to_be_visible()
    made = json.loads(kit.ok("operator", "link", trio.north.dir, "kay", "--json").out)
    page.goto(made["link"])
    page.get_by_role("button", name="Sign in with this link").click()
    page.get_by_role("button", name="I heard them: go on").click()
    console.ready()


@pytest.fixture
def key(officer: Any, trio: Any) -> Iterator[tuple[Any, Any]]:
    """A console whose browser has a security key in it: the console, the line to its debugger."""
    console = officer(trio.south, "lee")
    page = console.enter("settings")
    line = console.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    line.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield console, line
    line.detach()


def test_passkey_added_signs_in_and_unlocks(key: tuple[Any, Any]) -> None:
    """An officer adds a passkey, signs out, signs in with it, locks, and unlocks with it."""
    console, _ = key
    page = console.page
    page.get_by_label("Name for the new passkey").fill("desk key")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove").first).to_be_visible()
    page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("button", name="I heard them: go on").click()
    console.ready()
    page.get_by_role("banner").get_by_role("button", name="Lock").click()
    page.get_by_role("button", name="Unlock with a passkey").click()
    console.ready()
    assert console.session().json()["passkeys"] == 1


def test_sign_out_ends_the_session_at_the_node(trio: Any, officer: Any) -> None:
    """After signing out the cookie opens nothing, and the page holds no content."""
    console = officer(trio.north)
    page = console.enter()
    cookie = console.context.cookies()[0]
    page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "North" not in page.locator("body").inner_text()
    console.context.add_cookies([cookie])  # a copy kept by somebody
    assert console.session().status == 401


def test_session_that_expires_falls_back_to_the_sign_in_page(trio: Any, officer: Any) -> None:
    """When its time is over, a session's stream ends, and the console says so and asks to sign in again."""
    console = officer(trio.north, "mo")
    console.expects(REFUSED)
    page = console.enter()
    store = sqlite3.connect(trio.north.dir / "detente.db", timeout=10)
    with store:
        store.execute("UPDATE session SET expires_us = 1 WHERE operator = 'mo'")
    store.close()
    expect(page.get_by_text("Your session has ended. Sign in again.")).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()


def test_session_of_a_removed_operator_ends(trio: Any, officer: Any, kit: Any) -> None:
    """An operator who is removed loses the screen too."""
    console = officer(trio.north, "gone")
    console.expects(REFUSED)
    page = console.enter()
    kit.ok("operator", "remove", trio.north.dir, "gone")
    expect(page.get_by_text("Your session has ended. Sign in again.")).to_be_visible()

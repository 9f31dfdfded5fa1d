"""Everything without a mouse: filing, opening, acknowledging, the list of keys."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

BOX = "433000N 0112000E\n433000N 0120000E\n430500N 0120000E\n430500N 0112000E"


def reach(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement; return [e.getAttribute('aria-label'), e.labels?.[0]?.innerText, e.innerText].filter(Boolean).join('|') }"
        )
        if name in found:
            return
    raise AssertionError(f"{name} was not reached with {most} presses of Tab")


def focus_shows(page: Page) -> bool:
    """Whether a person can see where the focus is."""
    return bool(
        page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 }"
        )
    )


def test_notice_is_written_and_sent_without_a_mouse(trio: Any, officer: Any) -> None:
    """From the list: F, the fields by Tab, Ctrl+Enter; the focus is always seen."""
    console = officer(trio.north)
    page = console.enter()
    page.keyboard.press("f")
    expect(page.get_by_role("heading", level=1, name="File a notice")).to_be_visible()
    reach(page, "Notice id")
    page.keyboard.press("Control+a")
    page.keyboard.type("KEYS")
    reach(page, "EXERCISE")
    page.keyboard.press("Space")
    reach(page, "Type or paste positions")
    page.keyboard.type(BOX)
    expect(page.get_by_role("button", name="Use this shape")).to_be_visible()
    reach(page, "Use this shape")
    assert focus_shows(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("4 positions")).to_be_visible()
    reach(page, "Upper edge")
    page.keyboard.type("FL120")
    reach(page, "Lower edge")
    page.keyboard.type("FL100")
    reach(page, "Start")
    page.keyboard.type("+90 min")
    reach(page, "End")
    page.keyboard.type("+30 min")
    page.keyboard.press("Tab")
    expect(
        page.get_by_text("There is no live notice").or_(page.get_by_text("Would not meet"))
    ).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#work")).to_contain_text("is sent")
    # the way on has the focus: Enter opens the notice
    page.keyboard.press("Enter")
    expect(page.locator("aside")).to_contain_text("north:KEYS")


def test_alarm_is_acknowledged_and_opened_without_a_mouse(
    trio: Any, officer: Any, kit: Any
) -> None:
    """K acknowledges the most urgent alarm from any view; C, J and Enter open its conflict; Escape closes it."""
    console = officer(trio.south)
    page = console.enter("lines")
    trio.file(trio.north, kit.feature("KEYED", 16.0, 42.0))
    trio.file(trio.south, kit.feature("KEYED", 16.0, 42.0))
    expect(page.locator(".bar")).to_contain_text("north:KEYED")
    page.keyboard.press("k")
    expect(page.locator(".bar")).not_to_contain_text("KEYED")
    (row,) = [
        one
        for one in trio.south.get("/api/v1/picture", since=0)["alarms"]
        if one["kind"] == "conflict"
    ]
    assert row["acknowledged"]["officer"] == "kay"
    page.keyboard.press("c")
    expect(page.locator("#work .list")).to_contain_text("KEYED")
    page.keyboard.press("j")
    for _ in range(3):
        if "conflicts/" in page.url:
            break
        page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        if "conflicts/" not in page.url:
            page.keyboard.press("j")
    expect(page.locator("aside")).to_contain_text("north:KEYED")
    page.keyboard.press("Escape")
    expect(page.locator("aside")).to_have_count(0)


def test_letters_do_nothing_while_somebody_writes_or_when_switched_off(
    trio: Any, officer: Any
) -> None:
    """A letter typed into a field stays a letter; without single-letter keys no letter does anything."""
    console = officer(trio.south)
    page = console.enter()
    page.keyboard.press("/")
    page.keyboard.type("ccc")
    expect(page.get_by_label("Search notices")).to_have_value("ccc")
    assert "#/notices" in page.url
    console.go("settings")
    page.get_by_label("Single-letter keys").uncheck()
    page.get_by_label("Single-letter keys").blur()
    page.keyboard.press("c")
    page.wait_for_timeout(200)
    assert "#/settings" in page.url


def test_question_mark_lists_the_keys_and_a_dialog_keeps_the_focus(trio: Any, officer: Any) -> None:
    """The list of keys opens by a key, holds the focus inside, closes by Escape and gives the focus back."""
    console = officer(trio.south)
    page = console.enter()
    reach(page, "Conflicts")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || document.activeElement.closest('dialog, [role=dialog]') !== null"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert "Conflicts" in page.evaluate("document.activeElement.innerText")


def test_first_press_of_tab_offers_the_way_past_the_frame(trio: Any, officer: Any) -> None:
    """The first stop is a link that leads past header and rail."""
    console = officer(trio.south)
    page = console.enter()
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Go to the list"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H1"

"""For everybody's eyes and hands: axe-core, large text, little motion, small screens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

# name to the place of the view; {conflict} is filled in
VIEWS = {
    "notices": "notices",
    "notice-own": "notices/north%3AEYES",
    "notice-peer": "notices/south%3AEYES",
    "conflicts": "conflicts",
    "conflict": "conflicts/{conflict}",
    "alarms": "alarms",
    "file": "file",
    "amend": "file/north%3AEYES?amend=1",
    "ask": "ask",
    "talk": "talk",
    "new message": "talk/new",
    "desks": "desks",
    "lines": "lines",
    "urgent": "urgent",
    "settings": "settings",
    "help": "help",
    "print": "print/notice%3Anorth%3AEYES",
}
SIZES = {"laptop": (1366, 768), "phone": (390, 844)}


@pytest.fixture(scope="module")
def play(trio: Any, kit: Any) -> dict[str, str]:
    """Notices of both sides that meet: every view has something on it."""
    long = (
        "A long remark in one piece without an end and with averyveryveryverylongwordthatdoesnotbreak. "
        * 3
    )
    trio.file(trio.north, kit.feature("EYES", 18.0, 38.0, text=long, region="south of Cyprus"))
    trio.file(trio.north, kit.feature("EYES-2", 18.5, 38.0, start=kit.at(-30)))
    trio.file(trio.south, kit.feature("EYES", 18.0, 38.0, text=long))
    (conflict,) = trio.north.conflicts()
    return {"conflict": conflict}


def settle(page: Page) -> None:
    """Wait until views, lists and fonts stand."""
    page.wait_for_timeout(400)
    page.evaluate("document.fonts.ready.then(() => true)")


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA and good practice."""
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']})"
    )
    return [
        f"{one['id']}: {one['help']}: {' | '.join(node['html'][:160] for node in one['nodes'][:4])}"
        for one in found["violations"]
    ]


@pytest.mark.parametrize(
    ("light", "language"), [("night", "en"), ("day", "en"), ("dim", "en"), ("night", "ar")]
)
def test_axe_finds_nothing_on_any_view(
    trio: Any, officer: Any, play: dict[str, str], axe: str, light: str, language: str
) -> None:
    """No view, in no light and in neither direction, breaks a rule of WCAG 2.2 AA that a machine can check."""
    console = officer(trio.north)
    kept = json.dumps({"light": light, "letters": True, "volume": 0.5, "zone": "UTC"})
    console.context.add_init_script(
        f"localStorage.setItem('settings', {json.dumps(kept)}); localStorage.setItem('language', '{language}')"
    )
    page = console.enter()
    expect(page.locator("html")).to_have_attribute("data-light", light)
    found = {}
    for name, place in VIEWS.items():
        console.go(place.format(**play))
        settle(page)
        wrong = violations(page, axe)
        if wrong:
            found[name] = wrong
    assert found == {}


@pytest.mark.parametrize("light", ["night", "day"])
def test_axe_finds_nothing_before_and_beside_the_console(
    trio: Any, officer: Any, axe: str, light: str
) -> None:
    """Sign-in, lock, list of keys and NOT LIVE hold to the same rules."""
    console = officer(trio.north)
    console.expects("ERR_FAILED", "ERR_CONNECTION")
    kept = json.dumps({"light": light, "letters": True, "volume": 0.5, "zone": "UTC"})
    console.context.add_init_script(f"localStorage.setItem('settings', {json.dumps(kept)})")
    page = console.open()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    assert violations(page, axe) == [], "sign-in"
    console.sign_in()
    page.reload()
    console.ready()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page, axe) == [], "keys"
    page.keyboard.press("Escape")
    page.get_by_role("banner").get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert violations(page, axe) == [], "locked"
    console.context.route("**/api/v1/stream*", lambda route: route.abort("connectionrefused"))
    page.reload()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    assert violations(page, axe) == [], "not live"


OVERFLOW = """() => {
    const wide = document.documentElement.scrollWidth - innerWidth;
    const clipped = [...document.querySelectorAll('button, a, input, select, textarea, label, h1, h2')].filter(e => {
        const box = e.getBoundingClientRect();
        if (!box.width || !box.height || e.closest('.ol-viewport, .unseen, .skip, .band') || e.classList.contains('unseen') || e.classList.contains('skip')) return false;
        for (let up = e.parentElement; up; up = up.parentElement) {
            const style = getComputedStyle(up);
            if (/auto|scroll/.test(style.overflowX + style.overflowY)) return false; // it can be scrolled to
        }
        return box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1;
    }).map(e => e.outerHTML.slice(0, 120));
    const cut = [...document.querySelectorAll('button, .rail a, select')].filter(e =>
        e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible').map(e => e.outerHTML.slice(0, 120));
    const sideways = [...document.querySelectorAll('main, aside, main *, aside *')].filter(e =>
        /auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1 && !e.matches('.desk, pre, table, .table, textarea, .ol-viewport *')
        && !e.closest('.desk')).map(e => e.outerHTML.slice(0, 120));
    return {wide: wide > 1 ? wide : 0, clipped, cut, sideways};
}"""


def clipped(console: Any, play: dict[str, str]) -> dict[str, Any]:
    """What is cut off or out of reach, view by view."""
    found = {}
    for name, place in VIEWS.items():
        if name == "print":
            continue  # paper has its own size
        console.go(place.format(**play))
        settle(console.page)
        looked = console.page.evaluate(OVERFLOW)
        if any(looked.values()):
            found[name] = looked
    return found


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_nothing_is_clipped_on_a_laptop_or_a_telephone(
    trio: Any, officer: Any, play: dict[str, str], size: str
) -> None:
    """On a small laptop and on a telephone no view scrolls sideways and no control is out of reach."""
    console = officer(trio.north, viewport=SIZES[size])
    console.expects("No map visible")  # on a telephone it waits behind its button
    console.enter()
    assert clipped(console, play) == {}


def test_nothing_is_clipped_at_twice_the_text_size(
    trio: Any, officer: Any, large: Any, play: dict[str, str]
) -> None:
    """At 200 % text on a laptop no view scrolls sideways and no control is out of reach."""
    console = officer(trio.north, browser=large)
    console.expects("No map visible")
    page = console.enter()
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") >= 28
    assert clipped(console, play) == {}


def test_reduced_motion_moves_nothing(trio: Any, officer: Any, play: dict[str, str]) -> None:
    """With the system's wish for little motion no animation or transition lasts longer than an instant."""
    console = officer(trio.north, reduced_motion="reduce")
    page = console.enter()
    for place in ("notices", "alarms", "file"):
        console.go(place)
        settle(page)
        moving = page.evaluate(
            "[...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);"
            " return parseFloat(s.animationDuration) > 0.02 || parseFloat(s.transitionDuration) > 0.02 }).map(e => e.outerHTML.slice(0, 100))"
        )
        assert moving == []
        assert page.evaluate("document.getAnimations().length") == 0


def test_no_state_is_told_by_colour_alone(trio: Any, officer: Any, play: dict[str, str]) -> None:
    """With every colour taken away, own and peer, conflict and line state still differ by shape or word."""
    console = officer(trio.north, forced_colors="active")
    page = console.enter()
    own = console.row("north:EYES").locator("xpath=ancestor::*[@role='option']")
    peer = console.row("south:EYES").locator("xpath=ancestor::*[@role='option']")
    shape = "e => [...e.querySelectorAll('svg')].map(one => one.innerHTML).join()"
    assert own.first.evaluate(shape) != peer.first.evaluate(shape)
    assert "line open" in page.get_by_role("banner").inner_text()

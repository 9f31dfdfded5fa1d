"""The ladder of a notice on two consoles: read back, passed down, acted on, and what is not said in time."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from detente.units import US_PER_S, format_time, parse_time


def rung(console: Any, name: str) -> Any:
    """One rung of the ladder that stands in the detail."""
    return console.page.locator(f'aside [data-rung="{name}"]')


def lamp(console: Any, notice: str, name: str) -> str:
    """The state that a lamp shows in the list of notices, as a locator for it."""
    row = console.page.locator("#work .item", has_text=notice)
    return str(row.locator(f'[data-lamp^="{name} "]').get_attribute("data-lamp")).partition(" ")[2]


def read_back(console: Any, place: str, start: str, end: str, words: str = "") -> Any:
    """Write a read-back by keyboard and send it; the dialog with its result."""
    expect(rung(console, "read-back").get_by_role("button")).to_be_visible()
    console.page.keyboard.press("3")
    dialog = console.page.get_by_role("dialog")
    dialog.get_by_label("Place", exact=True).fill(place)
    dialog.get_by_label("From", exact=True).fill(start)
    dialog.get_by_label("Until", exact=True).fill(end)
    dialog.get_by_label("In your own words").fill(words)
    dialog.get_by_role("button", name=re.compile("^Read back to")).click()
    return dialog


def test_read_back_that_differs_alarms_both_consoles_in_metres_until_it_is_said_right(
    trio: Any, officer: Any, kit: Any
) -> None:
    """H-LAD-2, H-LAD-3: nothing is filled in or stands beside it; metres and minutes are on both screens; a new word ends it."""
    feature = kit.feature("BACK", 20.0, 40.0)
    start, end = (feature["properties"][name] for name in ("start", "end"))
    trio.file(trio.north, feature, "--wait", "delivered")
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    north.enter("notices/north%3ABACK")
    south.enter("notices/north%3ABACK")
    expect(rung(south, "read-back")).to_contain_text(
        re.compile(r"Due \D?\d\d:\d\dZ\D?, \D?\d+:\d\d")
    )

    expect(rung(south, "read-back").get_by_role("button")).to_be_visible()
    south.page.keyboard.press("3")
    dialog = south.page.get_by_role("dialog")
    for label in ("Place", "From", "Until"):
        expect(dialog.get_by_label(label, exact=True)).to_have_value("")
    # what the notice says is covered, and nothing of it is in the dialog
    backdrop = "getComputedStyle(document.querySelector('dialog'), '::backdrop').backgroundColor"
    assert south.page.evaluate(backdrop).startswith("rgb(")
    assert not re.search(r"40°|020°|40\.\d{3}", dialog.inner_text())
    dialog.get_by_role("button", name="Look at the notice").click()

    # a slip of a quarter of a degree, and of an hour
    late = format_time(parse_time(end) + 3600 * US_PER_S)
    dialog = read_back(south, "401500N 0200000E", start, late)
    expect(dialog).to_contain_text("It differs from the notice.")
    expect(dialog).to_contain_text(re.compile(r"16,\d{3} m\D? outside the volumes"))
    expect(dialog).to_contain_text("60 min later than in the notice")
    dialog.get_by_role("button", name="Close").last.click()
    for console in (north, south):
        bar = console.page.locator(".bar")
        expect(bar).to_contain_text("read")
        expect(bar).to_contain_text(re.compile(r"16,\d{3} m; \+0 min, \+60 min"))
        console.heard("warning")
        expect(rung(console, "read-back")).to_have_attribute("data-state", "differs")
        expect(rung(console, "read-back")).to_contain_text(re.compile(r"16,\d{3} m"))
        assert lamp(console, "north:BACK", "read-back") == "differs"

    # the alarm leads to the ladder
    north.go("alarms")
    north.page.locator("#work").get_by_role("link", name=re.compile("differently")).click()
    expect(north.page.locator("aside summary", has_text="Receipts")).to_be_focused()
    expect(rung(north, "read-back")).to_be_in_viewport()

    dialog = read_back(south, "N40 00 00 E020 00 00", start, end, "over the strait")
    expect(dialog).to_contain_text("It agrees with the notice.")
    dialog.get_by_role("button", name="Close").last.click()
    for console in (north, south):
        expect(rung(console, "read-back")).to_have_attribute("data-state", "done")
        expect(console.page.locator(".bar")).to_contain_text("Over, not acknowledged")
    expect(north.page.locator("aside")).to_contain_text("South")


def test_acted_is_blocked_until_every_unit_has_acknowledged(
    trio: Any, officer: Any, kit: Any
) -> None:
    """H-LAD-1, H-LAD-4, H-LAD-5: the console says which unit is silent; the other side sees each unit, and at last what was done."""
    trio.file(trio.north, kit.feature("PASS", 21.0, 40.0), "--wait", "delivered")
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    north.enter("notices/north%3APASS")
    page = south.enter("notices/north%3APASS")
    expect(rung(south, "acted")).to_contain_text("no unit has been named")
    page.keyboard.press("5")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Not possible yet: no unit has been named.")
    expect(dialog.get_by_role("button", name="Say it to")).to_be_disabled()
    dialog.get_by_role("button", name="Disseminate").click()

    dialog = page.get_by_role("dialog", name=re.compile("Disseminate"))
    for unit in ("1 Sqn", "Tower"):
        dialog.get_by_label("Another unit").fill(unit)
        page.keyboard.press("Enter")
    dialog.get_by_label(re.compile("1 Sqn.* has acknowledged")).check()
    dialog.get_by_role("button", name="Say it").click()
    expect(dialog).not_to_be_visible()
    for console in (north, south):
        units = rung(console, "disseminated")
        expect(units).to_have_attribute("data-state", "due")
        expect(units).to_contain_text(re.compile("1 Sqn.*knows since"))
        expect(units).to_contain_text(re.compile("Tower.*silent since"))

    expect(rung(south, "acted")).to_contain_text(re.compile("1 unit has not acknowledged.*Tower"))
    page.keyboard.press("5")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_text(["Tower"])
    expect(dialog.get_by_role("button", name="Say it to")).to_be_disabled()
    dialog.get_by_role("button", name="Disseminate").click()
    dialog = page.get_by_role("dialog", name=re.compile("Disseminate"))
    dialog.get_by_label(re.compile("Tower.* has acknowledged")).check()
    dialog.get_by_role("button", name="Say it").click()
    expect(rung(south, "disseminated")).to_have_attribute("data-state", "done")

    page.keyboard.press("5")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio")).to_have_count(5)
    dialog.get_by_label("Kept clear of it").check()
    dialog.get_by_role("button", name="Say it to").click()
    for console in (north, south):
        expect(rung(console, "acted")).to_have_attribute("data-state", "done")
        expect(rung(console, "acted")).to_contain_text("Kept clear of it")
        assert lamp(console, "north:PASS", "acted") == "done"


def test_rung_that_nobody_climbs_turns_missing_on_both_consoles(
    make: Any, officer: Any, kit: Any
) -> None:
    """H-DUE-2: no key is pressed; both screens count down, then show it missing, sound, and name who owes what."""
    parties = make(terms="[receipt_deadlines_s]\nopened = 20\nread-back = 900\n")
    parties.start()
    parties.wait_open()
    north, south = officer(parties.north, "kay"), officer(parties.south, "lee")
    north.enter("notices")
    south.enter("notices")
    parties.file(parties.north, kit.feature("MISS", 22.0, 40.0), "--wait", "delivered")
    for console in (north, south):
        expect(console.row("north:MISS")).to_be_visible()
    assert lamp(north, "north:MISS", "delivered") == "done"
    north.go("notices/north%3AMISS")  # the sender looks; the recipient does not
    expect(rung(north, "opened")).to_contain_text("left")
    for console in (north, south):
        lamps = console.page.locator("#work .item", has_text="MISS").locator(".lamps")
        expect(lamps.locator('[data-lamp="opened missing"]')).to_be_visible()
        expect(lamps).to_have_attribute("aria-label", re.compile("Opened: MISSING"))
        expect(console.page.locator(".bar")).to_contain_text("Not opened in time by")
        console.heard("caution")
    expect(rung(north, "opened")).to_have_attribute("data-state", "missing")
    expect(rung(north, "opened")).to_contain_text("was told, signed, that no answer came")

    south.page.locator(".bar").get_by_role("link", name=re.compile("Not opened in time")).click()
    for console in (north, south):
        expect(rung(console, "opened")).to_have_attribute("data-state", "late")


def test_deadline_that_passes_while_a_node_is_down_is_shown_once_after_its_start(
    make: Any, officer: Any, kit: Any
) -> None:
    """H-DUE-3: killed before the time, started after it: both screens show one missing rung and one alarm, also after another start."""
    parties = make(terms="[receipt_deadlines_s]\nopened = 6\n")
    parties.start()
    parties.wait_open()
    parties.file(parties.north, kit.feature("DOWN", 25.0, 40.0), "--wait", "delivered")
    north, south = officer(parties.north, "kay"), officer(parties.south, "lee")
    north.enter("notices")
    parties.south.kill()
    expect(north.page.locator(".bar")).to_contain_text("Not opened in time by")
    for _ in range(2):
        parties.south.kill()
        parties.south.start()
    parties.wait_open()
    south.enter("alarms")
    north.go("alarms")
    for console in (north, south):
        found = console.page.locator("#work").get_by_text("Not opened in time")
        expect(found).to_have_count(1)
        console.go("notices")
        lamps = console.page.locator("#work .item", has_text="DOWN").locator(".lamps")
        expect(lamps.locator('[data-lamp="opened missing"]')).to_be_visible()


def test_role_that_only_reads_sees_the_ladder_and_says_nothing(
    trio: Any, officer: Any, kit: Any
) -> None:
    """A reader's look is nobody's word: no button, no key."""
    trio.file(trio.north, kit.feature("LOOK", 23.0, 40.0), "--wait", "delivered")
    console = officer(trio.south, "rea", "reader")
    page = console.enter("notices/north%3ALOOK")
    expect(rung(console, "acted")).to_be_visible()
    assert page.locator("aside [data-rung] button").count() == 0
    page.keyboard.press("3")
    page.wait_for_timeout(200)
    assert page.get_by_role("dialog").count() == 0
    expect(rung(console, "opened")).to_have_attribute("data-state", "due")


def test_ladder_and_its_dialogs_pass_the_accessibility_checker(
    trio: Any, officer: Any, kit: Any, axe: str
) -> None:
    """Each dialog and the full ladder have no violation, by day and by night."""
    trio.file(trio.north, kit.feature("AXE", 24.0, 40.0), "--wait", "delivered")
    trio.file(trio.south, kit.feature("AXE", 24.0, 40.0), "--wait", "delivered")
    console = officer(trio.south, "lee")
    page = console.enter("notices/north%3AAXE")
    expect(rung(console, "acted").get_by_role("button")).to_be_visible()
    expect(page.locator("aside")).to_contain_text("before it begins")
    page.evaluate(axe)
    for light in ("night", "day", "dim"):
        page.evaluate("light => document.documentElement.dataset.light = light", light)
        for key in ("", "3", "4", "5"):
            if key:
                page.keyboard.press(key)
                expect(page.get_by_role("dialog")).to_be_visible()
            if key == "4":
                page.get_by_label("Another unit").fill("1 Sqn")
                page.keyboard.press("Enter")
            found = page.evaluate("axe.run()")
            assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
            if key:
                page.keyboard.press("Escape")
                expect(page.get_by_role("dialog")).not_to_be_visible()

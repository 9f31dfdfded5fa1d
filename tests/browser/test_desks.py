"""Desks: their levels, who is on at either side, and the watch that passes from one officer to the next."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def test_roster_of_a_desk_stands_on_both_sides_with_its_languages(trio: Any, officer: Any) -> None:
    """H-LIN-5: an officer says when a desk is manned and in which languages; the other side's view shows it at once, and no name."""
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    here, there = north.enter("desks"), south.enter("desks")
    expect(here.locator("tbody th[scope=row]").first).to_be_visible()
    desks = [row.inner_text() for row in here.locator("tbody th[scope=row]").all()]
    assert [one.split("\n")[0] for one in desks] == trio.north.get("/api/v1/roster")["desks"]
    cell = there.get_by_role("row").filter(has_text="operations-cell")
    expect(cell).to_contain_text("nobody told")

    here.get_by_role("button", name=re.compile("Say who is on at .operations-cell")).click()
    dialog = here.get_by_role("dialog")
    dialog.get_by_label("Languages").fill("english!")
    expect(dialog.get_by_role("button", name="Tell the other side")).to_be_disabled()
    dialog.get_by_label("Languages").fill("en, ru")
    expect(dialog).to_contain_text(re.compile("English.*Russian"))
    dialog.get_by_label("From", exact=True).fill("+1 min")
    dialog.get_by_label("Until", exact=True).fill("+480 min")
    dialog.get_by_role("button", name="Tell the other side").click()
    expect(dialog).to_have_count(0)
    # not yet: it is the next one, on both screens
    for page in (here, there):
        row = page.get_by_role("row").filter(has_text="operations-cell")
        expect(row).to_contain_text("Next:")
        expect(row).to_contain_text(re.compile("English.*Russian"))

    # from now on
    here.get_by_role("button", name=re.compile("Say who is on at .general-staff")).click()
    dialog.get_by_label("Languages").fill("ar")
    dialog.get_by_role("button", name="Tell the other side").click()
    for page in (here, there):
        row = page.get_by_role("row").filter(has_text="general-staff")
        expect(row).to_contain_text("On")
        expect(row).to_contain_text("Arabic")
    assert "kay" not in there.locator("#work").inner_text()


def test_watch_is_handed_over_with_a_sound_test_and_a_log(trio: Any, officer: Any) -> None:
    """H-LIN-5: the alarm is played and heard, the notes are kept, the log shows who handed to whom; the other side learns nothing."""
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    officer(trio.north, "ada")
    page, other = north.enter("desks"), south.enter("desks")
    page.get_by_role("button", name="Hand over the watch").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("0 urgent matters open")
    heard = dialog.get_by_label("The next officer has heard the alarm on this computer")
    expect(heard).to_be_disabled()
    dialog.get_by_role("button", name="Play the alarm").click()
    north.heard("emergency")
    heard.check()
    dialog.get_by_label("To (officer").fill("nobody")
    dialog.get_by_label("Notes").fill("line quiet, one notice ends at noon")
    north.expects("status of 4.. .*/api/v1/handover")
    dialog.get_by_role("button", name="Hand over the watch").click()
    expect(dialog).to_contain_text("No officer of this name can sign in here.")
    dialog.get_by_label("To (officer").fill("ada")
    dialog.get_by_role("button", name="Hand over the watch").click()
    expect(dialog).to_contain_text("is handed over")
    expect(dialog.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    log = page.get_by_role("row").filter(has_text="ada")
    for words in ("kay", "operations-cell", "heard", "line quiet, one notice ends at noon"):
        expect(log).to_contain_text(words)
    expect(other.locator("#work")).to_contain_text("No handover is in the record yet.")
    assert trio.south.get("/api/v1/roster")["handovers"] == []


def test_handover_without_a_sound_test_says_so(trio: Any, officer: Any) -> None:
    """Nobody is kept from handing over, and the log says that the sound was not tested."""
    console = officer(trio.south, "lee")
    officer(trio.south, "mo")
    page = console.enter("desks")
    page.get_by_role("button", name="Hand over the watch").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("sound not tested")
    dialog.get_by_label("To (officer").fill("mo")
    dialog.get_by_role("button", name="Hand over the watch").click()
    expect(dialog).to_contain_text("is handed over")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row").filter(has_text="mo")).to_contain_text("not tested")


def test_reader_sees_desks_and_says_nothing(trio: Any, officer: Any) -> None:
    """Who may only read sees who is on, and no button that would be refused."""
    page = officer(trio.south, "rea", "reader").enter("desks")
    expect(page.get_by_role("row").filter(has_text="operations-cell").first).to_be_visible()
    assert page.locator("#work").get_by_role("button").count() == 0

"""What a node asks and works out for its own officers: words against geometry, and who must move. Nothing of it is ever said."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def count(node: Any) -> int:
    """How many entries a node's ledger holds."""
    return int(node.get("/api/v1/picture")["revision"])


def test_words_that_do_not_fit_the_volumes_are_asked_about_before_sending(
    trio: Any, officer: Any
) -> None:
    """H-HOM-1: distance and bearing stand in the form and in the question; look again keeps the form; as written it goes out."""
    north = officer(trio.north, "kay")
    page = north.enter("file")
    # 40 NM west of the town that the words name
    north.write("WORDS", "333000N 0353000E 3NM")
    page.get_by_label("Place in words").fill("North of Damascus")
    said = page.locator("#work footer")
    expect(said).to_contain_text(re.compile("You write .{1,2}north of damascus"), timeout=40_000)
    expect(said).to_contain_text(
        re.compile(r"lies west of \D?Damascus\D?: \D?[34]\d(\.\d)? NM\D?, bearing \D?2[67]\d°")
    )
    before = count(trio.north)
    send = page.get_by_role("button", name=re.compile("^Send to"))
    send.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Do the words fit the place?")
    dialog.get_by_role("button", name="Look again").click()
    expect(dialog).not_to_be_visible()
    expect(page.get_by_label("Place in words")).to_have_value("North of Damascus")
    assert count(trio.north) == before  # H-HOM-3: asked, and written nowhere

    send.click()
    dialog.get_by_role("button", name="Send as written").click()
    expect(page.locator("#work")).to_contain_text("is sent")
    trio.settle()
    row = next(
        one for one in trio.south.get("/api/v1/picture")["notices"] if one["id"] == "north:WORDS"
    )
    assert row["region"] == "North of Damascus"
    assert "bearing" not in str(trio.south.get("/api/v1/notices/north:WORDS/timeline"))


def test_words_that_fit_are_not_asked_about(trio: Any, officer: Any) -> None:
    """Who writes the place as it lies is not held up."""
    north = officer(trio.north, "kay")
    page = north.enter("file")
    north.write("FITS", "333000N 0353000E 3NM", lower="FL300", upper="FL320")
    page.get_by_label("Place in words").fill("West of Damascus")
    expect(page.locator("#work footer")).to_contain_text("no live notice", timeout=40_000)
    assert "You write" not in page.locator("#work footer").inner_text()
    north.send()


def test_who_must_move_is_shown_to_the_recipient_and_leaves_no_trace(
    trio: Any, officer: Any, kit: Any
) -> None:
    """H-HOM-2, H-HOM-3: need against lead time, who is near a hazard; no entry, no frame's worth of it, nothing on the other screen."""
    trio.file(trio.south, kit.feature("SLOW", 30.0, 50.0, activity="tanker"))
    hazard = kit.feature(
        "FIRE",
        30.0,
        50.0,
        activity="strike-hazard",
        start=kit.at(3),
        geometry={"type": "Point", "coordinates": [30.0, 50.0]},
        radius_nm=25,
    )
    trio.file(trio.north, hazard, "--wait", "delivered")
    trio.settle()
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    north.enter("notices/north%3AFIRE")
    page = south.enter("notices/north%3AFIRE")
    panel = page.locator("aside details", has_text="Who must move")
    expect(panel).to_contain_text("Stays on this node: nobody else is told.")
    own = panel.get_by_role("list", name="Own notices that are not clear of it")
    expect(own).to_contain_text("south:SLOW")
    expect(own).to_contain_text(re.compile(r"Needs \D?\d+ min\D? to be clear"))
    expect(own).to_contain_text("NOT ENOUGH TIME")
    expect(panel).to_contain_text("Somebody's air defence may fire near this (strike hazard)")
    expect(panel.get_by_role("list", name="Own notices near it")).to_contain_text("south:SLOW")
    assert north.page.locator("aside details", has_text="Who must move").count() == 0

    # asking again and again writes nothing on either side
    trio.settle()
    before = count(trio.north), count(trio.south)
    asked = f"{south.address}/api/v1/notices/north%3AFIRE/clearance"
    for _ in range(3):
        assert south.context.request.get(asked).ok
    assert (count(trio.north), count(trio.south)) == before
    kinds = [row["kind"] for row in trio.north.get("/api/v1/notices/north:FIRE/timeline")["rows"]]
    assert set(kinds) <= {"filed", "signed", "delivered", "opened", "conflict"}


def test_who_must_move_says_so_when_nobody_must(trio: Any, officer: Any, kit: Any) -> None:
    """An empty answer is an answer."""
    trio.file(trio.north, kit.feature("ALONE", -30.0, -10.0), "--wait", "delivered")
    page = officer(trio.south, "lee").enter("notices/north%3AALONE")
    expect(page.locator("aside")).to_contain_text("None of your own live notices must move for it.")
    expect(page.locator("aside")).not_to_contain_text("air defence")

"""What outlives a page: the address restores the view, and a draft survives the end of its tab."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from playwright.sync_api import expect

BOX = "333000N 0312000E\n333000N 0320000E\n330500N 0320000E\n330500N 0312000E"


def test_address_restores_view_detail_filter_and_map(trio: Any, officer: Any, kit: Any) -> None:
    """One address, opened in another browser by another officer, shows the same list, notice and piece of the map."""
    trio.file(trio.north, kit.feature("PLACE", 25.0, 35.0))
    trio.file(trio.south, kit.feature("OTHER", 26.0, 36.0))
    first = officer(trio.south, "kay")
    page = first.enter()
    page.get_by_label("Search notices").fill("PLACE")
    expect(page.locator("#work .list")).not_to_contain_text("south:OTHER")
    first.row("north:PLACE").click()
    expect(page.locator("aside")).to_contain_text("north:PLACE")
    page.get_by_role("button", name="Zoom in").click()
    first.until("/[?&]z=/.test(location.hash) && /[?&]c=/.test(location.hash)")
    address = first.settled().partition("#/")[2]

    second = officer(trio.south, "lee")
    other = second.enter(address)
    expect(other.locator("aside")).to_contain_text("north:PLACE")
    expect(other.get_by_label("Search notices")).to_have_value("PLACE")
    expect(other.locator("#work .list")).not_to_contain_text("south:OTHER")
    kept = r"[?&](c|z)=([^&]+)"
    assert dict(re.findall(kept, second.settled())) == dict(re.findall(kept, address))


def test_back_and_forward_walk_through_the_views(trio: Any, officer: Any) -> None:
    """The browser's own Back and Forward go from view to view."""
    console = officer(trio.south)
    page = console.enter()
    page.get_by_role("link", name="Conflicts").click()
    expect(page.get_by_role("heading", level=1, name="Conflicts")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Notices")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", level=1, name="Conflicts")).to_be_visible()


def test_map_that_says_where_it_is_does_not_call_a_new_address_back(
    trio: Any, officer: Any
) -> None:
    """A step to another view, and in the same breath a word of the map about itself: the step holds, and so does the word."""
    console = officer(trio.north)
    page = console.enter("notices")
    page.get_by_role("button", name="Layers").click()
    boxes = page.locator("fieldset.layers input")
    expect(boxes.first).to_be_visible()
    page.evaluate("""() => {
        location.hash = "#/alarms";
        document.querySelector("fieldset.layers input").click();
    }""")
    expect(page.get_by_role("heading", level=1, name="Alarms")).to_be_visible()
    assert re.search(r"#/alarms\?.*layers=", page.url), page.url


def test_draft_survives_a_killed_tab_and_is_gone_after_sending(trio: Any, officer: Any) -> None:
    """A tab that is killed while an officer writes loses nothing; what was sent leaves no draft."""
    console = officer(trio.north, "kay")
    page = console.enter("file")
    console.write("DRAFT", BOX)
    page.get_by_label("Place in words").fill("off the coast")
    with contextlib.suppress(Exception):  # it never answers
        page.goto("chrome://crash", timeout=3000)
    page = console.open("#/file")
    expect(page.get_by_text(re.compile("Draft of .* restored"))).to_be_visible()
    expect(page.get_by_label("Notice id")).to_have_value("DRAFT")
    expect(page.get_by_label("Place in words")).to_have_value("off the coast")
    expect(page.get_by_label("Upper edge", exact=True)).to_have_value("220")
    console.send()
    page.reload()
    expect(page.get_by_label("Notice id")).not_to_have_value("DRAFT")
    assert "off the coast" not in page.evaluate("JSON.stringify({...localStorage})")


def test_draft_of_one_officer_is_not_shown_to_another(trio: Any, officer: Any, kit: Any) -> None:
    """Another officer who signs in at the same screen gets an empty form."""
    console = officer(trio.north, "kay")
    page = console.enter("file")
    console.write("MINE", BOX)
    officer(trio.north, "lee")
    console.name = "lee"
    console.sign_in()
    page.reload()
    expect(page.get_by_role("banner")).to_contain_text("lee")
    expect(page.get_by_label("Notice id")).not_to_have_value("MINE")
    assert page.get_by_text(re.compile("Draft of .* restored")).count() == 0


def test_notice_without_an_answer_is_not_filed_twice(trio: Any, officer: Any) -> None:
    """The line to the node breaks after a filing arrived: the draft stays, and looking finds it filed already."""
    console = officer(trio.north, "kay")
    console.expects("ERR_FAILED", "ERR_CONNECTION")
    page = console.enter("file")
    console.write("UNSURE", BOX)

    def swallow(route: Any) -> None:
        if route.request.method == "POST":
            route.fetch()  # it reaches the node, and its answer nobody
            route.abort("connectionreset")
        else:
            route.continue_()

    expect(page.get_by_role("button", name=re.compile("^Send to"))).to_be_enabled()
    page.route("**/api/v1/notices?*", swallow)
    page.get_by_role("button", name=re.compile("^Send to")).click()
    expect(page.locator("#work")).to_contain_text("Not known whether it was sent")
    page.unroute("**/api/v1/notices?*")
    page.get_by_role("button", name="Look, and send if it is not there").click()
    expect(page.locator("#work")).to_contain_text("nothing was filed twice")
    assert trio.north.notices()["north:UNSURE"]["version"] == 1


def test_area_drawn_by_mouse_is_filed_as_drawn(trio: Any, officer: Any) -> None:
    """An area set with four presses on the map becomes the notice's volume, in the place where the pointer was."""
    console = officer(trio.north, "kay")
    page = console.enter("file?c=34,28&z=8")
    page.get_by_label("Notice id").fill("DRAWN")
    page.get_by_label("EXERCISE: nothing flies").check()
    page.get_by_role("button", name="Draw area").click()
    expect(page.get_by_text("Drawing on the map.")).to_be_visible()
    box = page.locator(".map .target").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for dx, dy in ((-80, -60), (80, -60), (80, 60), (-80, 60), (-80, -60)):
        page.mouse.move(x + dx, y + dy, steps=4)
        page.mouse.click(x + dx, y + dy)
        page.wait_for_timeout(350)  # two presses within a quarter of a second are a double press
    expect(page.locator("#work")).to_contain_text("4 positions")
    console.edges("1000 ft MSL", "3000 ft MSL")
    page.get_by_label("Start", exact=True).fill("+60 min")
    page.get_by_label("End", exact=True).fill("+30 min")
    page.get_by_label("End", exact=True).blur()
    console.send()
    (row,) = [
        one
        for one in trio.north.get("/api/v1/picture", since=0)["notices"]
        if one["id"] == "north:DRAWN"
    ]
    ring = row["pieces"][0]["outline"][0][0]
    lons, lats = [at[0] for at in ring], [at[1] for at in ring]
    assert min(lons) < 28 < max(lons)
    assert min(lats) < 34 < max(lats)
    assert abs((min(lons) + max(lons)) / 2 - 28) < 0.02
    assert abs((min(lats) + max(lats)) / 2 - 34) < 0.02

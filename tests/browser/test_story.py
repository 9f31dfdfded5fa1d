"""The whole of it: two officers, two consoles, two nodes; a clash is seen, heard, answered, changed, asked about and printed."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

BOX = "333000N 0312000E\n333000N 0320000E\n330500N 0320000E\n330500N 0312000E"
ACROSS = "331500N 0310000E - 331500N 0323000E width 10 NM"


def alarms(node: Any) -> list[Any]:
    """A node's alarms."""
    rows: list[Any] = node.get("/api/v1/picture", since=0)["alarms"]
    return rows


def test_two_consoles_from_a_notice_to_the_print(trio: Any, officer: Any) -> None:
    """North files, South's clashing notice alarms both, North acknowledges, South climbs, the clash is over, the record answers."""
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    north.enter("file")
    south.enter("notices")

    # a notice, typed; it stands on the other side's screen at once, and the receipt on this side's
    north.write("PATROL", BOX)
    north.send()
    expect(south.row("north:PATROL")).to_be_visible()
    expect(north.page.locator("#work")).to_contain_text(re.compile("South.*received"))

    # a second one that would meet it: the console says so before it is sent, and asks
    south.go("file")
    south.write("CROSSING", ACROSS)
    expect(south.page.get_by_text("Would meet")).to_be_visible()
    south.page.get_by_role("button", name=re.compile("^Send to")).click()
    dialog = south.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Send it with a conflict?")
    dialog.get_by_role("button", name="Send all the same").click()
    expect(south.page.locator("#work")).to_contain_text("is sent")

    # both screens alarm, and are heard
    for console in (north, south):
        bar = console.page.locator(".bar")
        expect(bar).to_contain_text("north:PATROL")
        expect(bar).to_contain_text("south:CROSSING")
        console.heard("warning")

    # an officer acknowledges: the sound ends, and the record says who it was
    north.page.get_by_role("button", name="Acknowledge").click()
    north.until("document.documentElement.dataset.sound === ''")
    expect(north.page.locator(".bar")).not_to_contain_text("PATROL")
    (said,) = [row["acknowledged"] for row in alarms(trio.north) if row["kind"] == "conflict"]
    assert said["officer"] == "kay"
    assert said["desk"] == "operations-cell"
    # nobody silences another's alarm
    assert [row["acknowledged"] for row in alarms(trio.south)] == [None]

    # the conflict has one id on both sides, and both screens show it
    (conflict,) = trio.north.conflicts()
    for console in (north, south):
        console.go(f"conflicts/{conflict}")
        expect(console.page.locator("aside")).to_contain_text(conflict[:12])

    # South climbs; nobody needs to reload anything
    south.go("file/south%3ACROSSING?amend=1")
    south.edges("FL260", "FL290")
    south.send()
    trio.settle()
    for console in (north, south):
        console.go("conflicts")
        expect(console.page.locator("#work")).to_contain_text("Resolved")
        expect(console.page.locator("#work")).not_to_contain_text("Would meet")

    # North opens South's notice: South is told, on the screen that it has open
    south.go("notices/south%3ACROSSING")
    north.go("notices/south%3ACROSSING")
    expect(north.page.locator("aside")).to_contain_text("FL 260")
    expect(south.page.locator("aside")).to_contain_text("an officer opened it")


def test_ask_answers_and_prints_on_one_page(trio: Any, officer: Any, kit: Any) -> None:
    """The record is asked about an area and a time; the answer is a sentence first, and prints on one page with its limits."""
    trio.file(trio.north, kit.feature("ASKED", 20.0, 40.0))
    console = officer(trio.south, "lee")
    page = console.enter("ask")
    page.get_by_label("Type or paste positions").fill("400000N 0200000E 10NM")
    page.get_by_role("button", name="Use this shape").click()
    page.get_by_label("From", exact=True).fill("+30 min")
    page.get_by_label("Until", exact=True).fill("+150 min")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#work")).to_contain_text("Yes. 1 notice met this area in this time.")
    expect(page.locator("#work")).to_contain_text("north:ASKED")
    asked = page.url
    page.get_by_role("link", name="Print this answer").click()
    expect(page.locator("#work")).to_contain_text("north:ASKED")
    one_page(page)

    # the address holds the question: another screen asks it again
    other = officer(trio.south, "mo")
    other.enter(asked.partition("#/")[2])
    expect(other.page.locator("#work")).to_contain_text("Yes. 1 notice met this area in this time.")


def test_notice_and_conflict_print_on_one_page_with_hash_and_verification(
    trio: Any, officer: Any, kit: Any
) -> None:
    """A printed notice fits one page and holds its hash, the line that verifies it, and who printed it when."""
    trio.file(trio.north, kit.feature("PRINTED", 21.0, 41.0, text="a remark " * 400))
    trio.file(trio.south, kit.feature("PRINTED", 21.0, 41.0))
    console = officer(trio.north)
    page = console.enter("print/notice%3Anorth%3APRINTED")
    sheet = page.locator("#work")
    expect(sheet).to_contain_text("north:PRINTED")
    expect(sheet).to_contain_text("EXERCISE")
    expect(sheet).to_contain_text("detente verify")
    digest = trio.north.get("/api/v1/notices/north:PRINTED/proof")
    hashes = set(re.findall(r"[0-9a-f]{64}", str(digest)))
    assert hashes
    text = sheet.inner_text().replace("\n", "").replace(" ", "")
    assert any(one in text for one in hashes)
    expect(sheet).to_contain_text("kay")
    one_page(page)

    (conflict,) = [
        row["id"]
        for row in trio.north.get("/api/v1/conflicts")["conflicts"]
        if "north:PRINTED" in str(row)
    ]
    console.go(f"print/conflict%3A{conflict}")
    expect(sheet).to_contain_text("south:PRINTED")
    one_page(page)


def one_page(page: Any) -> None:
    """Print as PDF: one page, black on white whatever the screen's light is."""
    document = page.pdf(format="A4", print_background=True, prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", document)) == 1
    page.emulate_media(media="print")
    ink, ground, shown = page.evaluate(
        """() => {
            const sheet = document.querySelector('.sheet');
            const rest = [...document.querySelectorAll('.frame > *, .bar')].filter(e => !e.contains(sheet) && e.offsetHeight > 0);
            const ground = getComputedStyle(document.documentElement).backgroundColor;
            return [getComputedStyle(sheet.querySelector('p')).color, ground, rest.map(e => e.outerHTML.slice(0, 80))];
        }"""
    )
    page.emulate_media(media="screen")
    assert ink == "rgb(0, 0, 0)"
    assert ground in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert shown == [], "the frame does not print"


def test_cease_request_is_an_emergency_on_the_other_side(trio: Any, officer: Any) -> None:
    """A cease request sounds as an emergency on every console of the other side, locked ones too, and on none of its sender."""
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    locked = officer(trio.south, "mo")
    north.enter("lines")
    south.enter("notices")
    page = locked.enter("notices")
    page.get_by_role("banner").get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()

    north.page.get_by_role("banner").get_by_role("button", name="Cease").click()
    dialog = north.page.get_by_role("dialog")
    dialog.get_by_role("textbox").first.fill("aircraft in distress")
    dialog.get_by_role("button", name=re.compile("South")).click()
    expect(dialog).to_have_count(0)

    band = south.page.get_by_role("region", name="Urgent now")
    expect(band).to_contain_text("asks you to cease")
    expect(band).to_contain_text("aircraft in distress")
    south.heard("emergency")
    expect(page.get_by_role("alert")).to_contain_text("1 emergency")
    assert "aircraft in distress" not in page.content()
    locked.heard("emergency")
    assert "emergency" not in north.page.evaluate("heard")
    band.get_by_role("button", name="Acknowledge").click()
    # one desk has acknowledged for all of its side
    locked.until("document.documentElement.dataset.sound !== 'emergency'")
    south.until("document.documentElement.dataset.sound !== 'emergency'")


def test_reader_sees_all_and_may_do_nothing(trio: Any, officer: Any, kit: Any) -> None:
    """A role that may only read is offered no form and no button that would be refused."""
    trio.file(trio.north, kit.feature("READ", 3.0, 52.0))
    trio.file(trio.south, kit.feature("READ", 3.0, 52.0))
    console = officer(trio.south, "rea", "reader")
    page = console.enter("notices/south%3AREAD")
    expect(page.locator("aside")).to_contain_text("south:READ")
    for name in ("Amend", "Cancel notice", "Acknowledge", "Cease"):
        assert page.get_by_role("button", name=name).count() == 0, name
        assert page.get_by_role("link", name=name).count() == 0, name
    assert (
        page.get_by_role("navigation").first.get_by_role("link", name="File", exact=True).count()
        == 0
    )
    expect(page.locator(".bar")).to_contain_text("READ")
    console.go("file")
    expect(page.locator("#work")).to_contain_text("Your role may not file notices.")

"""What somebody's life may hang on: cease requests and emergencies on the consoles of both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

BAND = "Urgent now"
# the first steps come while a test looks on, the last never does
STEPS = "escalation_s = [8, 16, 24, 3600]\n"


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, forks: Any) -> Iterator[Any]:
    """North and south whose unanswered requests move up after an hour: no step disturbs a test."""
    from loopback import make_parties  # type: ignore[import-not-found]

    parties = make_parties(
        tmp_path_factory.mktemp("calm"), forks, terms="escalation_s = [3600, 7200]\n"
    )
    parties.start()
    parties.wait_open()
    yield parties
    parties.end()


def band(page: Page) -> Any:
    """The band of urgent matters."""
    return page.get_by_role("region", name=BAND)


def matter(page: Page, words: str) -> Any:
    """One matter of the band."""
    return band(page).get_by_role("article").filter(has_text=words)


def ask(page: Page, reason: str, place: str = "") -> None:
    """Ask to cease, from anywhere: one key, the reason, Enter."""
    page.keyboard.press("Alt+c")
    dialog = page.get_by_role("dialog")
    if place:
        dialog.get_by_label("Place").fill(place)
    dialog.get_by_label("EXERCISE: nothing is being hit").check()
    dialog.get_by_label("Reason").fill(reason)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)


def row(node: Any, reason: str) -> Any:
    """A matter as a node's API has it."""
    return next(
        one
        for one in node.get("/api/v1/urgent")["urgent"]
        if reason in (one["reason"], one["text"])
    )


def test_request_sounds_on_every_console_of_the_other_side_and_is_answered(
    calm: Any, officer: Any, kit: Any
) -> None:
    """H-CEA-1, H-CEA-3: one key asks; every console there sounds; any officer answers; both clocks stop alike on both sides."""
    calm.file(calm.north, kit.feature("ABOUT", 18.0, 38.0))
    north = officer(calm.north, "kay")
    consoles = [officer(calm.south, "lee"), officer(calm.south, "mo", "supervisor")]
    # what is open is what it is about, unless the officer says otherwise
    asking = north.enter("notices/north%3AABOUT")
    pages = [console.enter(view) for console, view in zip(consoles, ("help", "file"), strict=True)]
    ask(asking, "wrong place is hit", "380000N 0180000E")

    for console, page in zip(consoles, pages, strict=True):
        here = matter(page, "wrong place is hit")
        expect(here).to_contain_text("asks you to cease")
        expect(here).to_contain_text("380000N 0180000E")
        expect(here.get_by_role("link", name="about")).to_be_visible()
        console.heard("emergency")
    assert "emergency" not in asking.evaluate("heard")
    there = matter(asking, "wrong place is hit")
    expect(there).to_contain_text("Delivered, no answer yet")
    assert there.get_by_role("button", name="Ceasing").count() == 0

    # the clocks run
    clock = there.get_by_role("timer").first
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)

    # whoever it is answers; the other console of that side sees it too, and so does who asked
    answering = matter(pages[1], "wrong place is hit")
    answering.get_by_role("button", name="Ceasing").click()
    for page in (asking, *pages):
        expect(matter(page, "wrong place is hit")).to_contain_text("is ceasing (")
    assert answering.get_by_role("button", name="Ceasing").count() == 0

    # acknowledged is not answered, and answered is not effective: the band stays
    band(pages[0]).get_by_role("button", name="Acknowledge").click()
    consoles[0].until("document.documentElement.dataset.sound !== 'emergency'")
    expect(matter(pages[0], "wrong place is hit")).to_be_visible()
    assert (
        matter(pages[0], "wrong place is hit").get_by_role("button", name="Put away").count() == 0
    )

    matter(pages[0], "wrong place is hit").get_by_role("button", name="Effective").click()
    figures = []
    for page in (asking, *pages):
        here = matter(page, "wrong place is hit")
        expect(here).to_contain_text("has ceased (")
        figures.append(
            [one.inner_text() for one in here.get_by_role("timer").locator(".figures").all()]
        )
    kit.until(
        lambda: (
            row(calm.north, "wrong place is hit")["effective_s"]
            == row(calm.south, "wrong place is hit")["effective_s"]
            is not None
        ),
        "both clocks are the same in both records",
    )
    assert figures[1] == figures[2]
    # what is over can be put away, here only
    matter(asking, "wrong place is hit").get_by_role("button", name="Put away").click()
    expect(matter(asking, "wrong place is hit")).to_have_count(0)
    expect(matter(pages[0], "wrong place is hit")).to_be_visible()
    north.go("urgent")
    expect(north.row("wrong place is hit")).to_be_visible()


def test_who_cannot_says_why(calm: Any, officer: Any) -> None:
    """`cannot` is sent with its reason, stays before who asked, and can turn into ceasing later."""
    north, south = officer(calm.north, "kay"), officer(calm.south, "lee")
    asked, asking = south.enter("settings"), north.enter("alarms")
    ask(asking, "stop the second pass")
    here = matter(asked, "stop the second pass")
    here.get_by_role("button", name="Cannot").click()
    send = here.get_by_role("button", name="Send: Cannot")
    expect(send).to_be_disabled()
    here.get_by_label("Reason").fill("it is over the border already")
    send.click()
    there = matter(asking, "stop the second pass")
    expect(there).to_contain_text("cannot (")
    expect(there).to_contain_text("it is over the border already")
    here.get_by_role("button", name="Ceasing").click()
    expect(there).to_contain_text("is ceasing (")


def test_emergency_is_told_with_its_place_and_heard(calm: Any, officer: Any, axe: str) -> None:
    """An emergency goes the way of a cease request: kind, place and time; it is heard, and more is said later."""
    north, south = officer(calm.north, "kay"), officer(calm.south, "lee")
    telling, told = north.enter("conflicts"), south.enter("notices")
    telling.keyboard.press("Alt+e")
    dialog = telling.get_by_role("dialog")
    dialog.get_by_label("aircraft down").check()
    dialog.get_by_label("Place").fill("neither here nor there")
    north.expects("status of 4.. .*/api/v1/read")
    expect(dialog).to_contain_text("cannot be read as one position")
    dialog.get_by_label("Place").fill("36S YE 52670 34688")
    expect(dialog.locator("#emergency-read")).to_contain_text("35°31′")
    dialog.get_by_label("More, if it helps").fill("two persons in the water")
    dialog.get_by_label("EXERCISE").check()
    assert violations(telling, axe) == []
    dialog.get_by_role("button", name=re.compile("^Tell")).click()
    expect(dialog).to_have_count(0)

    here = matter(told, "two persons in the water")
    expect(here).to_contain_text("aircraft down")
    south.heard("emergency")
    # its place stands on the map, and is brought into view from a page that has none
    south.go("help")
    here.get_by_role("button", name="Show on map").click()
    south.until("location.hash.includes('c=35.5')")
    here.get_by_role("button", name="Heard").click()
    there = matter(telling, "two persons in the water")
    expect(there).to_contain_text("has heard (")
    here.get_by_role("button", name="Assisting").click()
    expect(there).to_contain_text("is assisting (")


def test_offer_to_rescue_whose_place_nobody_knows(calm: Any, officer: Any) -> None:
    """An offer to rescue can be made without a place; the other side sees that it is not known."""
    north, south = officer(calm.north, "kay"), officer(calm.south, "lee")
    telling, told = north.enter("lines"), south.enter("notices")
    telling.get_by_role("banner").get_by_role("button", name="Emergency").click()
    dialog = telling.get_by_role("dialog")
    dialog.get_by_label("offer to rescue").check()
    dialog.get_by_label("More, if it helps").fill("a boat is near")
    dialog.get_by_label("EXERCISE").check()
    dialog.get_by_role("button", name=re.compile("^Tell")).click()
    here = matter(told, "a boat is near")
    expect(here).to_contain_text("offer to rescue")
    expect(here).to_contain_text("Place not known")
    here.get_by_role("button", name="Not us").click()
    expect(matter(telling, "a boat is near")).to_contain_text("says: not us")


def test_nobody_answers_and_it_moves_up_and_sounds_again(make: Any, officer: Any) -> None:
    """H-CEA-2: each step calls the next desk, on both sides, and sounds again where it was acknowledged."""
    parties = make(terms=STEPS)
    parties.start()
    parties.wait_open()
    north, south = officer(parties.north, "kay"), officer(parties.south, "lee")
    asked, asking = south.enter("notices"), north.enter("notices")
    ask(asking, "nobody is there")
    here, there = matter(asked, "nobody is there"), matter(asking, "nobody is there")
    expect(here).to_contain_text("Called now:")
    expect(there).to_contain_text(re.compile("Next: .*general-staff"))
    south.heard("emergency")
    here.get_by_role("button", name="Acknowledge").click()
    south.until("document.documentElement.dataset.sound !== 'emergency'")
    expect(here).to_be_visible()
    # again, because who acknowledged saw less than there is now
    south.until("document.documentElement.dataset.sound === 'emergency'")
    expect(here.get_by_role("button", name="Acknowledge")).to_be_visible()
    for one in (here, there):
        expect(one).to_contain_text(
            re.compile(
                "Step [23]: .*(leaders|diplomatic) is called|Step 1: .*general-staff.* is called"
            )
        )
    expect(there).to_contain_text("Not answered, moved up")
    here.get_by_role("button", name="Not us").click()
    for one in (here, there):
        expect(one).to_contain_text("says: not us")
        expect(one).not_to_contain_text("Next:")


def test_request_goes_on_a_suspended_line_and_waits_for_a_silent_one(
    make: Any, officer: Any, kit: Any
) -> None:
    """H-CEA-4: a suspended line carries it at once; on one that is down the console says that it is filed, and it arrives when the line is up."""
    parties = make(terms="escalation_s = [3600]\n")
    parties.start()
    parties.wait_open()
    with parties.north.http() as client:
        said = client.post("/api/v1/line/south/suspend", json={"scope": "all", "reason": "talks"})
        assert said.status_code == 201, said.text
    north, south = officer(parties.north, "kay"), officer(parties.south, "lee")
    asked, asking = south.enter("lines"), north.enter("lines")
    expect(asked.get_by_role("banner")).to_contain_text("open, declared suspended")
    ask(asking, "on a suspended line")
    expect(matter(asked, "on a suspended line")).to_be_visible()
    south.heard("emergency")
    matter(asked, "on a suspended line").get_by_role("button", name="Not us").click()
    expect(matter(asking, "on a suspended line")).to_contain_text("says: not us")

    # the peer's node is gone: what was asked is signed and on its way
    south.expects("ERR_", "status of 5", "Failed to load")
    north.expects("ERR_", "status of 5", "Failed to load")
    parties.south.stop()
    ask(asking, "while nobody hears")
    expect(matter(asking, "while nobody hears")).to_contain_text("On its way: not yet delivered.")
    # and our own has been restarted since: it is filed, and signed when the line is up
    parties.north.stop()
    parties.north.start()
    north.ready()
    ask(asking, "filed while the line is down")
    filed = matter(asking, "filed while the line is down")
    expect(filed).to_contain_text("Filed. It goes when the line is up.")
    expect(filed).to_contain_text("Use every other line you have as well.")

    parties.south.start()
    for reason in ("while nobody hears", "filed while the line is down"):
        expect(matter(asking, reason)).to_contain_text("Delivered, no answer yet", timeout=60_000)
        kit.until(lambda reason=reason: row(parties.south, reason), f"{reason} is at south")
    assert len(matter(asking, "filed while the line is down").all()) == 1


def test_reader_sees_the_band_and_no_button(calm: Any, officer: Any) -> None:
    """Who may only read sees what is urgent, and is offered no answer."""
    asking, reading = (
        officer(calm.north, "kay").enter(),
        officer(calm.south, "rea", "reader").enter(),
    )
    ask(asking, "a reader looks on")
    here = matter(reading, "a reader looks on")
    expect(here).to_be_visible()
    for name in ("Ceasing", "Cannot", "Not us", "Acknowledge"):
        assert here.get_by_role("button", name=name).count() == 0


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds."""
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']})"
    )
    return [
        f"{one['id']}: {' | '.join(node['html'][:160] for node in one['nodes'][:4])}"
        for one in found["violations"]
    ]


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("light", ["night", "day", "dim"])
def test_axe_finds_nothing_in_the_band(
    calm: Any, officer: Any, axe: str, light: str, language: str
) -> None:
    """The band breaks no rule of WCAG 2.2 AA on either side, in no light and neither direction."""
    words = f"seen by {light} in {language}"
    kept = f'{{"light":"{light}","letters":true,"volume":0.5,"zone":"UTC"}}'
    north, south = officer(calm.north, "kay"), officer(calm.south, "lee")
    for console in (north, south):
        console.context.add_init_script(
            f"localStorage.setItem('settings', '{kept}'); localStorage.setItem('language', '{language}')"
        )
    pages = [south.enter("urgent"), north.enter("urgent")]
    with calm.north.http() as client:
        body = {"reason": words, "to": ["south"], "exercise": True, "place": "380000N 0180000E"}
        assert client.post("/api/v1/ceases", json=body).status_code == 201
    for page in pages:
        here = page.locator("section.urgent article").filter(has_text=words)
        expect(here).to_be_visible()
        assert "\n".join(violations(page, axe)) == ""
    # the form for a reason
    pages[0].locator("section.urgent article").filter(has_text=words).locator(
        "[aria-expanded]"
    ).click()
    assert violations(pages[0], axe) == []


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_band_leaves_room_for_the_view_and_is_all_within_reach(
    calm: Any, officer: Any, size: tuple[int, int]
) -> None:
    """However many are open, the band takes half the screen at most, nothing of it is cut off sideways, and the rest is a list."""
    with calm.south.http() as client:
        for n in range(5):
            body = {
                "reason": f"many at once {n} " + "averyveryverylongword" * 6,
                "to": ["north"],
                "exercise": True,
            }
            assert client.post("/api/v1/ceases", json=body).status_code == 201
    console = officer(calm.north, "kay", viewport=size)
    page = console.enter("notices")
    expect(matter(page, "many at once").first).to_be_visible()
    box = band(page).bounding_box()
    assert box["height"] <= size[1] * 0.51
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1
    assert page.locator("section.urgent").evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    band(page).get_by_role("link", name=re.compile("more urgent")).click()
    expect(page.get_by_role("heading", name="Urgent matters")).to_be_visible()
    # a keyboard reaches the first answer from anywhere
    page.keyboard.press("Alt+u")
    expect(band(page).get_by_role("button", name="Ceasing").first).to_be_focused()

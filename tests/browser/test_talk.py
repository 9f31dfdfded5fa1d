"""Conversation on real consoles: a message to a desk, one key to answer, phrases in each side's language, two officers, calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from loopback import make_parties

PASSWORD = "correct horse battery"
TERMS = """
languages = ["en", "ru", "he", "ar"]
desks = ["operations-cell", "general-staff", "leaders"]

[answer_deadlines_s]
flash = 60
urgent = 120
priority = 3
routine = 3600
"""
LOCALES = {"ru": "ru-RU", "he": "he-IL", "ar": "ar-EG", "en": "en-GB"}


@pytest.fixture(scope="module")
def three(tmp_path_factory: Any, forks: Any) -> Iterator[Any]:
    """North, South and East, with four languages of the line and three desks."""
    parties = make_parties(
        tmp_path_factory.mktemp("three"), forks, ("north", "south", "east"), TERMS
    )
    parties.start()
    parties.wait_open()
    yield parties
    parties.end()


def write(console: Any, text: str, precedence: str = "urgent", to: str = "South") -> None:
    """Write a new message and send it."""
    console.go("talk/new")
    form = console.page.get_by_role("form", name="Write")
    expect(form.get_by_role("button", name="Choose to whom")).to_be_disabled()
    form.get_by_role("checkbox", name=to, exact=True).check()
    form.get_by_label("Precedence").select_option(precedence)
    form.get_by_label("Words").fill(text)
    form.get_by_label("EXERCISE: nothing flies").check()
    form.get_by_role("button", name=re.compile("^Send to")).click()


def thread_of(console: Any) -> str:
    """The thread that is open, as its address has it; it is one when something was said in it."""
    console.until("location.hash.startsWith('#/talk/talk%3A')")
    found: str = console.page.evaluate("decodeURIComponent(location.hash.split(/[/?]/)[2])")
    return found


def first_message(node: Any, thread: str) -> Any:
    """The first message of a thread, as a node has it."""
    return node.get(f"/api/v1/talks/{thread}", opened=False)["messages"][0]


def test_message_to_a_desk_is_answered_by_one_key(three: Any, officer: Any) -> None:
    """H-TAL-2: An urgent message sounds at the other side, leads from its alarm to its thread, and one key there answers it."""
    north, south = officer(three.north, "kay"), officer(three.south, "lee")
    north.enter("talk")
    south.enter("notices")
    write(north, "Is your patrol still north of the river?")
    thread = thread_of(north)
    expect(north.page.locator("aside")).to_contain_text("Received")
    expect(north.page.locator("aside")).to_contain_text("They are to answer in")

    bar = south.page.locator(".bar")
    expect(bar).to_contain_text("waits for an answer")
    south.heard("caution")
    tab = south.page.get_by_role("navigation").first.get_by_role("link", name="Talk")
    expect(tab).to_contain_text("1")
    expect(tab).to_contain_text("answers owed")
    bar.get_by_role("link", name=re.compile("waits for an answer")).click()
    card = south.page.locator("aside article")
    expect(card).to_contain_text("Is your patrol still north of the river?")
    expect(card).to_contain_text("operations-cell")
    expect(card).to_contain_text("urgent")
    expect(card).to_contain_text("Said in: English")
    expect(card).to_be_focused()
    south.page.keyboard.press("w")
    expect(card).to_contain_text("Wilco")
    expect(tab).not_to_contain_text("1")
    assert south.page.evaluate("location.hash").startswith("#/talk/")

    expect(north.page.locator("aside article")).to_contain_text("Wilco")
    expect(north.page.locator("aside article")).to_contain_text("opened")
    assert first_message(three.north, thread)["state"] == "wilco"
    # an alarm that was answered is over, and one key outside of a message opens a view as ever
    south.page.locator("aside h1").focus()
    south.page.keyboard.press("n")
    expect(south.page.locator("#work h1")).to_have_text("Notices")


def test_answer_that_is_overdue_is_shown_on_both_sides(three: Any, officer: Any) -> None:
    """H-DUE-2: Both sides show that an answer is overdue, each in its list and at the message, and a late answer as late."""
    north, south = officer(three.north, "kay"), officer(three.south, "lee")
    north.enter("talk")
    south.enter("talk")
    write(north, "Say when you are clear.", "priority")
    thread = thread_of(north)
    row = south.row("Say when you are clear.").locator("xpath=ancestor::*[@role='option']")
    expect(row).to_contain_text("Our answer is overdue by")
    expect(
        north.row("Say when you are clear.").locator("xpath=ancestor::*[@role='option']")
    ).to_contain_text("Their answer is overdue by")
    expect(north.page.locator("aside article")).to_contain_text("Their answer is overdue by")
    row.click()
    card = south.page.locator("aside article")
    expect(card).to_contain_text("Our answer is overdue by")
    card.get_by_role("button", name="Affirm").click()
    for console in (north, south):
        expect(console.page.locator("aside article")).to_contain_text("late")
    assert first_message(three.north, thread)["answers"][0]["late"]


def test_phrase_is_read_by_each_side_in_its_language_with_the_original_beside_it(
    three: Any, officer: Any
) -> None:
    """H-TAL-1: A phrase from a Russian console is read in Arabic and in Hebrew, right to left, its values left to right, the original beside it."""
    north = officer(three.north, "kay", locale=LOCALES["ru"])
    south = officer(three.south, "lee", locale=LOCALES["ar"])
    east = officer(three.east, "mo", locale=LOCALES["he"])
    page = north.enter("talk/new")
    form = page.locator("aside form")
    for box in form.get_by_role("checkbox").all():  # to both, and an exercise
        box.check()
    form.get_by_role("button", name="Фраза").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("searchbox").fill(
        "aircraft-at"
    )  # by its name; its words of any language do as well
    dialog.get_by_role("listitem").get_by_role("button").first.click()
    expect(dialog.get_by_role("button", name="Взять эту фразу")).to_be_disabled()
    call = dialog.get_by_label("Позывной")
    call.fill("кедр")
    expect(dialog).to_contain_text("A–Z")
    call.fill("cedar 12")
    dialog.get_by_label("Место", exact=True).fill("12.5 N 35.8 W, 13 N 36 W")
    expect(dialog).to_contain_text("ровно одну точку")
    dialog.get_by_label("Место", exact=True).fill("123000N 0354800W")
    expect(dialog).to_contain_text("12.50000")
    dialog.get_by_label("Высота", exact=True).fill("FL150")
    dialog.get_by_label("Время", exact=True).fill("2031-05-04T12:00Z")
    # as each side will read it, before anything is said
    for language in ("ru", "ar", "he", "en"):
        expect(dialog.locator(f"[lang={language}]").last).to_contain_text("CEDAR 12")
    expect(dialog).to_contain_text("черновой перевод")
    dialog.get_by_role("button", name="Взять эту фразу").click()
    form.get_by_role("button", name=re.compile("^Отправить")).click()
    thread = thread_of(north)
    own = page.locator("aside article").first
    expect(own).to_contain_text("CEDAR 12")
    original = first_message(three.north, thread)["original"]
    assert re.search("[а-я]", original["text"])

    for console, language in ((south, "ar"), (east, "he")):
        console.enter(f"talk/{thread.replace(':', '%3A')}")
        expect(console.page.locator("html")).to_have_attribute("dir", "rtl")
        card = console.page.locator("aside article").first
        shown, beside = card.locator(".words").nth(0), card.locator(".words").nth(1)
        expect(shown).to_have_attribute("lang", language)
        expect(shown).to_have_attribute("dir", "rtl")
        expect(beside).to_have_attribute("lang", "ru")
        expect(beside).to_have_attribute("dir", "ltr")
        expect(beside).to_have_text(original["text"])
        values = shown.locator("bdi[dir=ltr]").all_inner_texts()
        assert set(values) == {
            "CEDAR 12",
            "12°30′00.0″N 035°48′00.0″W",
            "FL 150",
            "041200Z MAY 31",
        }
        # no mark of direction is seen as a number
        assert "U+20" not in card.inner_text()


def test_political_words_are_asked_about_before_they_go(three: Any, officer: Any) -> None:
    """H-TAL-5: A political text asks before sending; the officer may look again, or send it as it is."""
    north = officer(three.north, "kay")
    page = north.enter("talk")
    before = len(three.north.get("/api/v1/talks")["talks"])
    write(north, "We condemn this aggression.", "routine")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("condemn")
    expect(dialog).to_contain_text("leaders")
    assert len(three.north.get("/api/v1/talks")["talks"]) == before
    dialog.get_by_role("button", name="Look again").click()
    expect(page.get_by_label("Words")).to_have_value("We condemn this aggression.")
    page.get_by_role("button", name=re.compile("^Send to")).click()
    dialog.get_by_role("button", name="Send as written").click()
    thread_of(north)
    assert len(three.north.get("/api/v1/talks")["talks"]) == before + 1


def test_leaders_message_takes_two_officers(three: Any, officer: Any, kit: Any) -> None:
    """H-TAL-3: What one officer writes at the leaders' desk is a draft until another releases it; the writer cannot."""
    for name in ("first", "second"):
        add = ("operator", "add", three.north.dir, name, "--role", "watch", "--desk", "leaders")
        kit.ok(*add, "--password-stdin", stdin=PASSWORD + "\n")
    first, second = officer(three.north, "first"), officer(three.north, "second")
    south = officer(three.south, "lee")
    first.enter("talk")
    second.enter("talk")
    south.enter("talk")
    first.go("talk/new")
    form = first.page.get_by_role("form", name="Write")
    expect(form).to_contain_text("two officers")
    form.get_by_role("checkbox", name="South").check()
    form.get_by_label("To the desk").select_option("leaders")
    form.get_by_label("Words").fill("We propose a pause at noon.")
    form.get_by_label("EXERCISE: nothing flies").check()
    form.get_by_role("button", name=re.compile("^Write draft")).click()
    drafts = first.page.get_by_role("list", name="Drafts that wait for a second officer")
    expect(drafts).to_contain_text("another officer must release it")
    assert drafts.get_by_role("button", name="Release").count() == 0
    assert "pause at noon" not in str(three.south.get("/api/v1/talks"))

    drafts = second.page.get_by_role("list", name="Drafts that wait for a second officer")
    expect(drafts).to_contain_text("We propose a pause at noon.")
    expect(drafts).to_contain_text("first")
    drafts.get_by_role("button", name="Release").click()
    expect(drafts).to_have_count(0)
    expect(south.row("We propose a pause at noon.")).to_be_visible()
    expect(first.row("We propose a pause at noon.")).to_be_visible()


def test_call_record_is_a_claim_until_both_have_signed_it(three: Any, officer: Any) -> None:
    """H-TAL-4: A call that North records is North's claim on both consoles until South has signed it too."""
    north, south = officer(three.north, "kay"), officer(three.south, "lee")
    north.enter("talk?show=calls")
    south.enter("talk?show=calls")
    north.page.locator("#work").get_by_role("button", name="Record a call").click()
    dialog = north.page.get_by_role("dialog")
    dialog.get_by_role("checkbox", name="South").check()
    dialog.get_by_label("Began").fill("2026-01-05T12:00Z")
    dialog.get_by_label("Ended").fill("2026-01-05T12:04Z")
    dialog.get_by_label("Answered after, s").fill("20")
    dialog.get_by_label("Held for, s").fill("60")
    dialog.get_by_label("Interpreter").fill("desk 4")
    dialog.get_by_label("What was said and agreed").fill("They keep clear until 1300Z.")
    dialog.get_by_label("EXERCISE: nothing flies").check()
    dialog.get_by_role("button", name=re.compile("^Sign and send")).click()
    for console in (north, south):
        record = console.page.get_by_role("list", name="Call records").get_by_role("listitem").first
        expect(record).to_contain_text("They keep clear until 1300Z.")
        expect(record).to_contain_text("has not signed it")
        expect(record).to_contain_text("desk 4")
    assert north.page.get_by_role("button", name="It is right: sign").count() == 0
    south.page.get_by_role("button", name="It is right: sign").click()
    for console in (north, south):
        record = console.page.get_by_role("list", name="Call records").get_by_role("listitem").first
        expect(record).to_contain_text("Agreed")
        expect(record).not_to_contain_text("has not signed it")


def test_notice_and_conflict_lead_to_their_threads_and_back(
    three: Any, officer: Any, kit: Any
) -> None:
    """H-TAL-6: A thread of a notice is opened from the notice, goes to its other side, and leads back to it."""
    three.file(three.south, kit.feature("ABOUT", 24.0, 41.0))
    three.settle()
    north = officer(three.north, "kay")
    page = north.enter("notices/south%3AABOUT")
    page.get_by_role("link", name="Talk about it").click()
    aside = page.locator("aside")
    expect(aside.locator("h1")).to_contain_text("Notice")
    expect(aside).to_contain_text("Nothing was said about this yet.")
    page.keyboard.press("r")
    aside.get_by_label("Words").fill("What is your activity there?")
    aside.get_by_role("button", name=re.compile("^Send to.*South")).click()
    expect(aside.locator("article")).to_contain_text("What is your activity there?")
    (row,) = [one for one in three.north.get("/api/v1/talks")["talks"] if one["kind"] == "notice"]
    assert (row["id"], row["parties"], row["exercise"]) == ("south:ABOUT", ["north", "south"], True)
    aside.get_by_role("link", name="Show the notice").click()
    timeline = aside.locator("details", has_text="Timeline").last
    if not timeline.evaluate("one => one.open"):
        timeline.locator("summary").click()
    expect(timeline).to_contain_text("What is your activity there?")
    timeline.get_by_role("link", name="Open its thread").click()
    expect(aside.locator("article")).to_contain_text("What is your activity there?")


def test_message_waits_for_its_line_and_is_shown_as_waiting(three: Any, officer: Any) -> None:
    """What is written while a line was never compared is filed, and stands as waiting until it goes."""
    three.south.stop()
    three.north.stop()
    three.start("north")
    try:
        north = officer(three.north, "kay")
        page = north.enter("talk")
        write(north, "Are you there?", "routine")
        aside = page.locator("aside")
        expect(aside).to_contain_text("it goes when the line is up")
        expect(aside).to_contain_text("Filed; waits for the line to")
        expect(aside).to_contain_text("Are you there?")
        three.start("south")
        expect(aside).to_contain_text("Received")
        expect(aside).not_to_contain_text("waits for the line to")
    finally:
        if three.south.pid is None:
            three.start("south")
        three.wait_open()


@pytest.mark.parametrize("light", ["night", "day"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_talk_can_be_used_by_all(
    three: Any, officer: Any, axe: str, language: str, light: str
) -> None:
    """The list, a thread, the form, the phrasebook and a call's form have no fault that axe finds, in either direction and light."""
    console = officer(three.north, "kay", locale=LOCALES[language], bypass_csp=True)
    page = console.enter("talk")
    if light == "day":
        for _ in range(3):
            if page.evaluate("document.documentElement.dataset.light") != "day":
                page.keyboard.press("d")
    rows = three.north.get("/api/v1/talks")["talks"]
    places = ["talk", "talk?show=calls", "talk/new"]
    places += [f"talk/{row['key'].replace(':', '%3A')}" for row in rows[:1]]
    page.evaluate(axe)
    for place in places:
        console.go(place)
        page.wait_for_timeout(400)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    page.keyboard.press("p")
    page.get_by_role("dialog").get_by_role("listitem").first.wait_for()
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []

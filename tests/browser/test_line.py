"""A line's health on the console: declared beside observed, the word, the checks and their chart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import expect

VOUCHED = re.compile(r"yes, by \u2068?Witness\u2069?")


def card(page: Any, peer: str) -> Any:
    """What the view has of one line."""
    return page.get_by_role("region", name=peer)


def side(page: Any, peer: str, name: str) -> Any:
    """One of the two statements about a line."""
    return (
        card(page, peer)
        .locator(".side")
        .filter(has=page.get_by_role("heading", name=name, exact=True))
    )


def test_suspended_and_resumed_stand_beside_what_is_observed(trio: Any, officer: Any) -> None:
    """H-LIN-1, H-LIN-4: one side declares; both consoles show its word with scope and reason, and that the line is heard all the same."""
    north, south = officer(trio.north, "kay"), officer(trio.south, "lee")
    here, there = north.enter("lines"), south.enter("lines")
    for page, peer in ((here, "South"), (there, "North")):
        expect(side(page, peer, "Declared")).to_contain_text("Neither side has declared anything.")
        expect(side(page, peer, "Observed")).to_contain_text("The peer is heard")
    here.get_by_role("button", name="Suspend").click()
    dialog = here.get_by_role("dialog")
    dialog.get_by_label("notices and other ordinary traffic").check()
    dialog.get_by_label("Reason").fill("no interpreter until noon")
    dialog.get_by_role("button", name="Suspend", exact=True).click()
    expect(dialog).to_have_count(0)

    expect(side(here, "South", "Declared")).to_contain_text("We declared it suspended")
    expect(side(there, "North", "Declared")).to_contain_text("declared it suspended")
    for page, peer in ((here, "South"), (there, "North")):
        declared = side(page, peer, "Declared")
        expect(declared).to_contain_text("notices and other ordinary traffic")
        expect(declared).to_contain_text("no interpreter until noon")
        expect(side(page, peer, "Observed")).to_contain_text("The peer is heard")
        expect(page.get_by_role("banner")).to_contain_text("open, declared suspended")
    # it is an alarm to the other side, which leads here; only who declared can resume
    bar = there.locator(".bar")
    expect(bar).to_contain_text("no interpreter until noon")
    assert card(there, "North").get_by_role("button", name="Resume").count() == 0
    there.get_by_role("button", name="Acknowledge").first.click()

    # our own new notices are refused, in words
    north.go("file")
    north.write("REFUSED", "333000N 0312000E\n333000N 0320000E\n330500N 0320000E\n330500N 0312000E")
    north.expects("status of 4")
    expect(here.locator("#work")).to_contain_text("The line is declared suspended.")
    north.go("lines")

    here.get_by_role("button", name="Resume").click()
    dialog.get_by_label("Reason").fill("back")
    dialog.get_by_role("button", name="Resume", exact=True).click()
    for page, peer in ((here, "South"), (there, "North")):
        expect(side(page, peer, "Declared")).to_contain_text("Neither side has declared anything.")
        expect(page.get_by_role("banner")).not_to_contain_text("declared")


def test_political_reason_is_asked_about_and_never_refused(trio: Any, officer: Any) -> None:
    """H-TAL-5: the console asks what such words do on the safety line, and says them when the officer says so."""
    page = officer(trio.south, "lee").enter("lines")
    page.get_by_role("button", name="Report a fault").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("conversation").check()
    dialog.get_by_label("Reason").fill("after this provocation")
    dialog.get_by_role("button", name="Report a fault", exact=True).click()
    expect(dialog).to_contain_text("Does this belong on the safety line?")
    expect(dialog).to_contain_text("provocation")
    assert trio.south.get("/api/v1/line/north")["declared"] is None
    dialog.get_by_role("button", name="Say it all the same").click()
    expect(side(page, "North", "Declared")).to_contain_text("We declared a fault")
    page.get_by_role("button", name="Resume").click()
    dialog.get_by_label("Reason").fill("over")
    dialog.get_by_role("button", name="Resume", exact=True).click()
    expect(side(page, "North", "Declared")).to_contain_text("Neither side has declared anything.")


def test_check_now_is_answered_and_shown(trio: Any, officer: Any) -> None:
    """An officer tries the line; the answer of the other machine stands beneath with its path."""
    page = officer(trio.north, "kay").enter("lines")
    page.get_by_role("button", name="Check now").first.click()
    made = page.get_by_role("list", name="Checks by hand").first
    expect(made).to_contain_text(re.compile("answered.*first address"))


def test_silence_is_told_apart_from_suspension_and_checks_have_a_chart(
    make: Any, officer: Any, axe: str
) -> None:
    """H-LIN-3, H-LIN-4: a peer that falls silent is `silent`, one that said so before is `silent, declared suspended`; a check without an answer is missed, in the chart and in its table."""
    soon = datetime.now(UTC) + timedelta(seconds=100)
    slot = (soon.replace(second=0) + timedelta(minutes=1)).strftime("%H:%M")
    parties = make(terms=f'comm_checks = ["{slot}"]\ncheck_reply_s = 5\n')
    parties.start()
    parties.wait_open()
    north, south = officer(parties.north, "kay"), officer(parties.south, "lee")
    page = north.enter("lines")
    south.enter("lines")
    expect(card(page, "South")).to_contain_text("No scheduled check has been due yet.")
    parties.south.signal(9)
    south.expects(".*")
    expect(page.get_by_role("banner")).to_contain_text("silent", timeout=90_000)
    expect(side(page, "South", "Observed")).to_contain_text("The peer is not heard")
    expect(side(page, "South", "Declared")).to_contain_text("Neither side has declared anything.")
    # what we declare ourselves stands though nobody hears it, and changes nothing of what is observed
    page.get_by_role("button", name="Suspend").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("nobody answers")
    dialog.get_by_role("button", name="Suspend", exact=True).click()
    expect(page.get_by_role("banner")).to_contain_text("silent, declared suspended", timeout=30_000)
    expect(side(page, "South", "Observed")).to_contain_text("The peer is not heard")

    # the scheduled check comes due and is missed
    chart = card(page, "South").get_by_role("img", name=re.compile("scheduled check of the line"))
    expect(chart).to_be_visible(timeout=240_000)
    expect(card(page, "South").locator(".legend")).to_contain_text("missed: 1", timeout=90_000)
    card(page, "South").get_by_text("As a table").click()
    expect(card(page, "South").get_by_role("table")).to_contain_text("missed")
    expect(page.locator(".bar")).to_be_visible()
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [one["id"] for one in found] == []


def test_who_vouches_for_the_record_and_how_far_its_copies_are_stands_beside_the_line(
    trio: Any, officer: Any, kit: Any
) -> None:
    """L-POL-7, L-MIR-9: the agreement's witness has cosigned the newest head, and both records have whole copies."""
    page = officer(trio.north, "kay").enter("lines")
    copies = page.locator("section.line dl").filter(has_text="Ours, at the peer")
    expect(copies).to_contain_text(re.compile(r"\d+ of \d+ entries"), timeout=30_000)
    expect(copies).to_contain_text("The peer's, here")
    expect(copies).not_to_contain_text("none")
    expect(page.locator("#work")).to_contain_text(VOUCHED, timeout=30_000)
    expect(page.locator("#work")).to_contain_text(re.compile(r"needs 1 of: \u2068?Witness\u2069?"))
    trio.witness.stop()
    try:
        trio.file(trio.north, kit.feature("VOUCHED", 20, 20), "--wait", "delivered")
        expect(page.locator("#work")).to_contain_text("not yet, since", timeout=30_000)
    finally:
        trio.start("witness")
    expect(page.locator("#work")).to_contain_text(VOUCHED, timeout=60_000)

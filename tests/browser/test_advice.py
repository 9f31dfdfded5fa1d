"""A conflict is cleared on two consoles: advice, a proposal, a counter, its acceptance, and the amendment, by keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory, forks: Any, kit: Any) -> Iterator[Any]:
    """North and south, whose notices WAY would meet."""
    from loopback import make_parties  # type: ignore[import-not-found]

    parties = make_parties(tmp_path_factory.mktemp("advice"), forks)
    parties.start()
    parties.wait_open()
    parties.file(parties.north, kit.feature("WAY", 14.0, 42.0), "--wait", "delivered")
    late = {"start": kit.at(100), "end": kit.at(160)}
    parties.file(parties.south, kit.feature("WAY", 14.1, 42.0, **late), "--wait", "delivered")
    yield parties
    parties.end()


def conflict(node: Any) -> str | None:
    """The live conflict, if there is one."""
    rows = node.get("/api/v1/conflicts")["conflicts"]
    return next((row["id"] for row in rows if row["state"] == "live"), None)


def proposals(page: Page) -> Any:
    """The proposals about it."""
    return page.get_by_role("list", name="Proposals").get_by_role("listitem")


def test_conflict_is_cleared_by_keys_on_two_consoles(met: Any, officer: Any, kit: Any) -> None:
    """A-RES-3, A-RES-5, A-PRI-1: both consoles list the same changes; one key proposes, counters, accepts and amends; then there is no conflict."""
    kit.until(lambda: conflict(met.north) and conflict(met.north) == conflict(met.south), "both")
    id_ = conflict(met.north)
    assert id_ is not None
    north, south = officer(met.north, "kay"), officer(met.south, "lee")
    here, there = north.enter(f"conflicts/{id_}"), south.enter(f"conflicts/{id_}")
    lists = []
    for page, own in ((here, "north"), (there, "south")):
        options = page.get_by_role("group", name="The smallest changes").get_by_role("radio")
        expect(options.first).to_be_visible()
        lists.append([str(one.get_attribute("value")) for one in options.all()])
        # own moves first, then the peer's, then both: so the two screens mirror each other
        ranks = [{own: 0, "both": 2}.get(value.split("/")[0], 1) for value in lists[-1]]
        assert ranks == sorted(ranks)
        assert set(ranks) == {0, 1, 2}
    assert sorted(lists[0]) == sorted(lists[1])
    assert "south/later" in lists[0]
    expect(here.get_by_text("Both parties compute the same")).to_be_visible()

    # what is chosen is drawn where it would be, and nothing of it is left when the conflict is left
    target = here.locator(".map .target")
    together = next(value for value in lists[0] if value.startswith("both/"))
    for value, count in ((together, "2"), ("north/aside", "1")):
        here.locator(f"input[value='{value}']").check()
        expect(target).to_have_attribute("data-moved", count)
    expect(here.get_by_text("Dashed on the map")).to_be_visible()
    north.settled()
    chosen = target.screenshot()
    with here.expect_response(re.compile("/moved")):
        here.locator("input[value='south/aside']").check()
    here.wait_for_timeout(500)  # a frame
    assert target.screenshot() != chosen, "the map shows another change than the one chosen"
    north.go("conflicts")
    expect(target).to_have_attribute("data-moved", "0")
    north.go(f"conflicts/{id_}")
    expect(target).to_have_attribute("data-moved", "1")

    here.get_by_role("radio", name=re.compile("south:WAY.*later")).first.check()
    here.get_by_label("Words beside it").fill("after us?")
    here.keyboard.press("Tab")
    here.keyboard.press("o")
    for page in (here, there):
        expect(proposals(page).first).to_contain_text("after us?")
        expect(proposals(page).first).to_contain_text("south:WAY")
    assert proposals(here).first.get_by_role("button").count() == 0  # it is not ours to answer
    # the list of conflicts says whose turn it is, and for how long yet
    list_here, list_there = here.locator("#work .list"), there.locator("#work .list")
    expect(list_here).to_contain_text(re.compile("proposed; .South. has yet to answer.*left"))
    expect(list_there).to_contain_text(re.compile(".North. proposes a change: answer it.*left"))
    expect(there.get_by_role("link", name=re.compile("Conflicts.*answers owed"))).to_be_visible()
    assert here.get_by_role("link", name=re.compile("Conflicts.*answers owed")).count() == 0
    kinds = [one["kind"] for one in met.south.get("/api/v1/picture")["alarms"] if not one["over"]]
    assert "proposal" in kinds
    expect(there.get_by_role("button", name=re.compile("^Accept"))).to_be_visible()

    # countered: rather you
    there.get_by_role("radio", name=re.compile("north:WAY.*earlier")).first.check()
    there.keyboard.press("r")
    for page in (here, there):
        expect(proposals(page)).to_have_count(2)
        expect(page.get_by_text("countered")).to_be_visible()

    # accepted by one key, and by another what was promised is filed
    expect(here.get_by_role("button", name=re.compile("^Accept"))).to_be_visible()
    here.keyboard.press("y")
    expect(here.get_by_text("has still to be amended")).to_be_visible()
    expect(there.get_by_text("not done yet")).to_be_visible()
    expect(list_here).to_contain_text(re.compile("accepted: amend .north:WAY."))
    expect(list_there).to_contain_text(re.compile("accepted; .North. has yet to amend"))
    assert there.get_by_role("button", name=re.compile("File this amendment")).count() == 0
    here.keyboard.press("m")
    for node in (met.north, met.south):
        kit.until(lambda node=node: conflict(node) is None, "no conflict is left")
    for page in (here, there):
        expect(page.get_by_text(re.compile("Accepted by .*and done"))).to_be_visible()
        expect(page.get_by_role("group", name="The smallest changes")).to_have_count(0)


def test_conflict_prints_with_its_advice(met: Any, officer: Any, kit: Any) -> None:
    """The sheet of a conflict lists what would clear it and what was proposed, on one page; what only we see is not on paper."""
    soon = {"start": kit.at(200), "end": kit.at(260)}
    met.file(met.north, kit.feature("PAPER", 22.0, 42.0, **soon), "--wait", "delivered")
    met.file(met.south, kit.feature("PAPER", 22.1, 42.0, **soon), "--wait", "delivered")
    kit.until(lambda: conflict(met.north) and conflict(met.north) == conflict(met.south), "both")
    id_ = conflict(met.north)
    kit.ok("propose", met.south.dir, id_, "north/later", "--text", "after us, please")
    kit.until(lambda: met.north.get("/api/v1/proposals", conflict=id_)["proposals"], "proposed")
    page = officer(met.north, "kay").enter(f"print/conflict%3A{id_}")
    sheet = page.locator(".sheet")
    expect(sheet).to_contain_text("What would clear it")
    expect(sheet).to_contain_text("after us, please")
    expect(sheet).to_contain_text(re.compile("south:PAPER.: .*later"))
    expect(sheet).to_contain_text("is not printed")
    document = page.pdf(format="A4", print_background=True, prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", document)) == 1
    kit.ok("decline", met.north.dir, row(met.north, id_)["id"])
    expect(sheet).to_contain_text("declined")
    kit.ok("notice", "cancel", met.north.dir, "PAPER", "--reason", "printed")
    kit.until(lambda: conflict(met.north) is None, "no conflict is left")


def row(node: Any, conflict_: str | None) -> Any:
    """The newest proposal about a conflict."""
    return node.get("/api/v1/proposals", conflict=conflict_)["proposals"][-1]


def test_who_may_not_speak_reads_the_advice_and_has_no_buttons(
    met: Any, officer: Any, kit: Any
) -> None:
    """A reader sees what would clear a conflict and cannot propose it."""
    soon = {"start": kit.at(20), "end": kit.at(80)}
    met.file(met.north, kit.feature("SOON", 18.0, 42.0, **soon), "--wait", "delivered")
    met.file(met.south, kit.feature("SOON", 18.1, 42.0, **soon), "--wait", "delivered")
    kit.until(lambda: conflict(met.north) and conflict(met.north) == conflict(met.south), "both")
    page = officer(met.north, "kay").enter(f"conflicts/{conflict(met.north)}")
    expect(page.get_by_role("group", name="The smallest changes")).to_be_visible()
    expect(page.get_by_text("A proposal and its acceptance move nothing")).to_be_visible()
    reader = officer(met.south, "ray", "reader").enter(f"conflicts/{conflict(met.south)}")
    expect(reader.get_by_role("group", name="The smallest changes")).to_be_visible()
    assert reader.get_by_role("button", name=re.compile("^Propose")).count() == 0

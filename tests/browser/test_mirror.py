"""Nothing favours a side: swap the parties, and the two screens are the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

# Every element that is drawn: what it is, its classes, its words, its colours and where it stands.
DRAWN = """root => {
    const rows = [];
    for (const e of document.querySelectorAll(root + ', ' + root + ' *')) {
        const box = e.getBoundingClientRect();
        if (!box.width || !box.height || e.closest('.ol-viewport')) continue;
        const style = getComputedStyle(e);
        const own = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join(' ').trim();
        rows.push([e.tagName, e.getAttribute('role'), [...e.classList].filter(c => !c.startsWith('svelte-')).sort().join(' '),
            style.color, style.backgroundColor, style.borderTopStyle, style.borderTopColor, style.fontWeight, style.fill, style.stroke,
            e.tagName === 'path' ? e.getAttribute('d') : '', '> ' + own, e.getAttribute('title'), e.getAttribute('aria-label')]);
    }
    return rows;
}"""
PLACES = (
    "notices",
    "conflicts",
    "alarms",
    "talk",
    "talk/notice%3A{own}",
    "talk/notice%3A{peer}",
    "desks",
    "lines",
    "urgent",
    "file",
    "ask",
    "conflicts/{conflict}",
    "notices/{own}",
    "notices/{peer}",
)


def plain(rows: Any, own: str, peer: str) -> list[str]:
    """Rows with the parties' names as OWN and PEER, and times, hashes and counts out of the way."""
    found = []
    for row in rows:
        text = " | ".join(str(part) for part in row)
        for party, word in ((own, "OWN"), (peer, "PEER")):
            text = re.sub(party, word, text, flags=re.IGNORECASE)
        text = re.sub(r"\b[0-9a-f]{8,64}\b", "HASH", text)
        looks, _, words = text.partition(" | > ")
        found.append(looks + " | > " + re.sub(r"\d+", "0", words))
    return found


@pytest.fixture(scope="module")
def mirrored(trio: Any, kit: Any) -> Any:
    """Each side files the same shape; they meet. Each asks about its own."""
    start, end = kit.at(95), kit.at(215)  # no whole hour comes between two looks
    for node in (trio.north, trio.south):
        trio.file(node, kit.feature("SAME", 14.0, 44.0, start=start, end=end, region="the same"))
        trio.file(
            node,
            kit.feature("PART", 14.0 if node is trio.north else 16.0, 46.0, start=start, end=end),
        )
    trio.settle()
    for node in (trio.north, trio.south):
        thread = ("--thread", f"notice:{node.party}:SAME")
        kit.ok("talk", "say", node.dir, "Can you see us?", "--exercise", *thread)
    trio.settle()
    return trio


@pytest.mark.parametrize("light", ["night", "day"])
def test_swapped_parties_see_the_same_screen(mirrored: Any, officer: Any, light: str) -> None:
    """View by view, both consoles have the same elements, in the same order and colours, with own and peer exchanged."""
    (conflict,) = mirrored.north.conflicts()
    consoles, screens = {}, {}
    for own, peer in (("north", "south"), ("south", "north")):
        consoles[own] = console = officer(mirrored.nodes[own], "kay")
        console.enter(f"notices/{peer}%3ASAME")  # both have opened the other's notice, and know it
        expect(console.page.locator("aside")).to_contain_text("Opened")
        console.go(f"talk/notice%3A{peer}%3ASAME")
        expect(console.page.locator("aside article")).to_contain_text("Can you see us?")
    mirrored.settle()
    for own, peer in (("north", "south"), ("south", "north")):
        console = consoles[own]
        page = console.page
        while page.locator("html").get_attribute("data-light") != light:
            page.keyboard.press("d")
        for place in PLACES:
            console.go(place.format(conflict=conflict, own=f"{own}%3ASAME", peer=f"{peer}%3ASAME"))
            page.wait_for_timeout(500)
            screens[own, place] = plain(page.evaluate(DRAWN, "#app"), own, peer)
    different = []
    for place in PLACES:
        north, south = screens["north", place], screens["south", place]
        pairs = [(a, b) for a, b in zip(north, south, strict=False) if a != b][:4]
        if len(north) != len(south):
            different.append(f"{place}: {len(north)} elements and {len(south)}")
        different += [f"{place}:\n  north {a}\n  south {b}" for a, b in pairs]
    if different:
        pytest.fail("the screens differ\n" + "\n".join(different))

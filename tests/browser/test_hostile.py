"""What a hostile peer may put into its texts, and what it may not even send: shown as it is, and doing nothing.

Part of it a peer can really say (the node takes any text of a notice, up to a length); the rest the node refuses, so it is put
into the stream on its way to the page, as if the node had been got at too.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

MARKUP = "<script>window.pwned = 1</script><img src=x onerror=window.pwned=1><svg onload=window.pwned=1>{@html 1}{{7*7}}"
TURNED = "all clear \u202e\u2067 123 \u2069\u202c"  # a right-to-left override: what follows would read backwards
UNSEEN = "no\u200b con\u200dflict\ufeff here\u00ad\u2060"
STACKED = (
    "Z" + "\u0335\u0336\u0337\u0338\u0300\u0301" * 60
)  # letters that grow over the lines around them
LINES = "first\r\nsecond\u2028third\u0085fourth" + "\n" * 200 + "last"
LONG = "W" * 900
SAID = {
    "markup": MARKUP,
    "unseen": UNSEEN,
    "stacked": STACKED[:400],
    "lines": "first" + "\n" * 200 + "last",
    "long": LONG,
}
REFUSED = {"turned": TURNED, "lines": LINES, "control": "bell\x07", "half": "half a sign \ud83d"}


def harmless(page: Page) -> None:
    """Nothing ran, nothing was added to the page, and it still fits."""
    assert page.evaluate("window.pwned") is None
    assert page.locator("#app script, #app iframe, #app object, #app img[src='x']").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1
    text = page.locator("body").inner_text()
    assert not any(sign in text for sign in "\u202a\u202b\u202d\u202e\u200b\u2060\ufeff"), (
        "a sign that is not seen turns the text"
    )


@pytest.mark.parametrize("kind", REFUSED)
def test_text_that_turns_or_hides_is_refused_by_the_node(trio: Any, kit: Any, kind: str) -> None:
    """Signs that turn the text round, break lines unseen, or are none, are refused with their field."""
    body = json.dumps(kit.feature("REFUSED", 22.0, 33.0, text=REFUSED[kind]))
    with trio.north.http() as api:
        answer = api.post("/api/v1/notices", content=body.encode())
    assert answer.status_code == 400, answer.text
    assert "north:REFUSED" not in trio.north.notices()


@pytest.mark.parametrize("kind", SAID)
def test_text_of_a_peer_is_shown_as_text_and_does_nothing(
    trio: Any, officer: Any, kit: Any, kind: str
) -> None:
    """A peer's remark and region full of markup, unseen, stacked or endless signs stays text in its place."""
    name = f"BAD-{kind}"
    region = SAID[kind][:120].replace("\n", " ")
    done = trio.file(trio.north, kit.feature(name, 22.0, 33.0, text=SAID[kind], region=region))
    assert done.code == 0, done.err
    console = officer(trio.south)
    page = console.enter(f"notices/north%3A{name}")
    expect(page.locator("aside")).to_contain_text(name)
    page.wait_for_timeout(300)
    harmless(page)
    if kind == "markup":
        expect(page.locator("aside")).to_contain_text("<script>")
    console.go(f"print/notice%3Anorth%3A{name}")
    expect(page.locator(".sheet")).to_contain_text(name)
    harmless(page)


def test_reason_of_a_cancellation_is_shown_as_text(trio: Any, officer: Any, kit: Any) -> None:
    """A reason is a peer's text too."""
    trio.file(trio.north, kit.feature("BAD-REASON", 23.0, 33.0))
    with trio.north.http() as api:
        answer = api.post("/api/v1/notices/BAD-REASON/cancel", json={"reason": MARKUP})
        assert answer.status_code == 201, answer.text
    trio.settle()
    console = officer(trio.south)
    page = console.enter("notices/north%3ABAD-REASON")
    expect(page.locator("aside")).to_contain_text("<script>")
    harmless(page)


def spoil(row: Any, how: str) -> None:
    """Put something into a row that no node would send."""
    if how == "markup":
        row["id"] = f"north:{MARKUP}"
        row["activity"] = MARKUP
        row["region"] = MARKUP
    elif how == "turned":
        row["id"] = "north:\u202eLIVE\u202c\u2066"
        row["region"] = TURNED + UNSEEN
    elif how == "lines":
        row["text"] = row["region"] = LINES
    elif how == "megabyte":
        row["text"] = "W" * 1_000_000
        row["region"] = "\u05d0" * 1_000_000
    elif how == "surrogates":
        row["text"] = "half a sign \ud83d and \udc00 another"
        row["region"] = "\x00\x07\x1b[31m"
    elif how == "poles":
        row["pieces"] = [
            {
                **row["pieces"][0],
                "outline": [[[[0, 90], [180, -90], [-180, 90], [1e308, -1e308], [0, 90]]]],
            },
        ]
    elif how == "nothing":
        row["pieces"] = []
        row["activity"] = None
        row["region"] = None
        row["text"] = None
        row["cannot_draw"] = True


@pytest.mark.parametrize(
    "how", ["markup", "turned", "lines", "megabyte", "surrogates", "poles", "nothing"]
)
def test_stream_that_was_got_at_breaks_nothing(trio: Any, officer: Any, kit: Any, how: str) -> None:
    """Even what the node would never send is shown as text, in its place, and the console lives on."""
    trio.file(trio.north, kit.feature("STREAM", 24.0, 33.0, region="somewhere"))
    trio.file(trio.north, kit.feature("SOUND", 24.5, 33.0))
    console = officer(trio.south, "stream")
    console.sign_in()
    answer = console.context.request.get(f"{console.address}/api/v1/picture?since=0").json()
    for row in answer["notices"]:
        if row["id"] == "north:STREAM":
            spoil(row, how)
    tick = {
        "now": answer["now"],
        "clock": answer["clock"],
        "revision": answer["revision"],
        "lines": answer["lines"],
        "ledger": answer["ledger"],
        "alarms": {"emergency": 0, "warning": 0, "caution": 0, "over": 0},
        "heard": answer["heard"],
    }
    body = (
        f"event: picture\ndata: {json.dumps(answer)}\n\nevent: tick\ndata: {json.dumps(tick)}\n\n"
    )
    console.context.route(
        "**/api/v1/stream*",
        lambda route: route.fulfill(content_type="text/event-stream", body=body),
    )
    page = console.open("#/notices?sort=start")
    expect(page.locator("#work .list")).to_contain_text("north:SOUND")
    page.wait_for_timeout(700)
    harmless(page)
    heights = page.evaluate(
        "[...document.querySelectorAll('#work .list [role=option], #work .list [role=listitem]')].map(e => e.offsetHeight)"
    )
    assert len(set(heights)) <= 2, "every row keeps its height, and every heading"
    page.get_by_role("link", name="Lines").click()
    expect(page.get_by_role("heading", level=1, name="Lines")).to_be_visible()


def test_stream_of_nonsense_is_not_taken_for_life(trio: Any, officer: Any) -> None:
    """A stream whose events cannot be read leaves the console saying NOT LIVE, not showing half a picture as the whole."""
    console = officer(trio.south, "stream")
    console.expects("page error", "JSON")
    console.sign_in()
    console.context.route(
        "**/api/v1/stream*",
        lambda route: route.fulfill(
            content_type="text/event-stream",
            body="event: tick\ndata: {]\n\nevent: picture\ndata: \n\n",
        ),
    )
    page = console.open("#/notices")
    expect(page.get_by_role("alertdialog")).to_contain_text("NOT LIVE")


def test_peer_name_in_the_agreement_is_text(make: Any, officer: Any) -> None:
    """The name that a party gives itself stands in the header, inert."""
    console_party = make()
    console_party.start()
    console_party.wait_open()
    console = officer(console_party.south)

    def rename(route: Any) -> None:
        found = route.fetch().json()
        found["party_name"] = MARKUP + TURNED
        route.fulfill(json=found)

    console.context.route("**/api/v1/session", rename)
    page = console.enter()
    expect(page.get_by_role("banner")).to_contain_text("<script>")
    harmless(page)

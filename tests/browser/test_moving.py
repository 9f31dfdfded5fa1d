"""A volume that moves: where it is at the time shown, on the map and in words; pasted, amended and printed with its times."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import expect

LAT, WEST = -20.0, 5.0  # where no other test files anything
MINUTES = 30  # how far the time is moved: six presses of a key


def hour(add: int) -> str:
    """A whole hour, so many after the next one."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return (now + timedelta(hours=1 + add)).strftime("%Y-%m-%dT%H:%M:%SZ")


def way(**more: Any) -> dict[str, Any]:
    """A degree east in an hour, an hour's wait, and another degree in an hour; 3 NM around it."""
    line = [[WEST, LAT], [WEST + 1, LAT], [WEST + 1, LAT], [WEST + 2, LAT]]
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": line},
        "properties": {"times": [hour(i) for i in range(4)], "radius_nm": 3, **more},
    }


def test_moving_volume_is_where_it_is_at_the_time_shown(trio: Any, officer: Any, kit: Any) -> None:
    """One side files it; on the other's map it moves along its way as the time is moved, and is nowhere before its first time."""
    moves = way()
    times = moves["properties"]["times"]
    properties = {**moves["properties"], "start": times[0], "end": times[-1]}
    trio.file(trio.north, kit.feature("MOVES", geometry=moves["geometry"], **properties))
    console = officer(trio.south, "kay")
    begin = times[0][:16] + "Z"
    page = console.enter(f"notices/north%3AMOVES?c={LAT},{WEST + 0.5}&z=9&t={begin}")
    target, aside = page.locator(".map .target"), page.locator("aside")
    slider = page.get_by_role("slider", name="Time shown on the map")
    expect(target).to_have_attribute("data-moving", "1")
    expect(aside).to_contain_text("At the time shown")
    expect(aside).to_contain_text("20°00′00.0″S 005°00′00.0″E")

    box = target.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    clip = {"x": middle[0] - 30, "y": middle[1] - 30, "width": 60, "height": 60}
    console.settled()
    before = page.screenshot(clip=clip)
    for _ in range(MINUTES // 5):
        slider.press("ArrowRight")
    expect(aside).to_contain_text("20°00′00.0″S 005°30′00.0″E")
    page.wait_for_timeout(300)  # a frame
    assert page.screenshot(clip=clip) != before, "it is not drawn in the middle of the map"
    for _ in range(MINUTES // 5):
        slider.press("ArrowLeft")
    expect(aside).to_contain_text("20°00′00.0″S 005°00′00.0″E")
    page.wait_for_timeout(300)
    assert page.screenshot(clip=clip) == before, "it is drawn where it is not"

    slider.press("ArrowLeft")
    expect(target).to_have_attribute("data-moving", "0")
    expect(aside).not_to_contain_text("At the time shown")


def test_way_that_is_pasted_is_sent_amended_and_printed_with_its_times(
    trio: Any, officer: Any
) -> None:
    """Positions and times go through the form as they are, and a version later they still do; the sheet lists both."""
    given = way()
    console = officer(trio.north, "kay")
    page = console.enter("file")
    page.get_by_label("Notice id").fill("WAY")
    page.get_by_label("EXERCISE: nothing flies").check()
    page.get_by_label("Type or paste positions").fill(json.dumps(given))
    page.get_by_role("button", name="Use this shape").click()
    expect(page.locator("#work")).to_contain_text("Its times are those of its positions")
    expect(page.get_by_label("Start", exact=True)).to_have_count(0)
    console.edges("1000 ft MSL", "3000 ft MSL")
    console.send()

    page.goto(f"{console.address}/#/file/north%3AWAY?amend=1")
    page.get_by_label("Place in words").fill("along the road")
    console.send()
    detail = trio.north.get("/api/v1/notices/north:WAY")
    (feature,) = detail["geojson"]["features"]
    assert detail["version"] == 2
    assert feature["properties"]["region"] == "along the road"
    assert feature["properties"]["times"] == given["properties"]["times"]
    assert feature["properties"]["radius_m"] == 5556.0
    assert feature["geometry"] == given["geometry"]

    console.go("print/notice%3Anorth%3AWAY")
    sheet = page.locator(".sheet")
    expect(sheet).to_contain_text("On the way")
    clock = given["properties"]["times"][-1][11:16].replace(":", "")
    expect(sheet).to_contain_text(re.compile(clock + r"Z \w{3} \d\d 20°00′00.0″S 007°00′00.0″E"))


def test_way_that_is_asked_about_is_asked_about_as_a_whole(
    trio: Any, officer: Any, kit: Any
) -> None:
    """Ask takes a way with times as all that it passes, for the whole time, and says so; the answer names who was there."""
    trio.file(trio.north, kit.feature("BESIDE", 30.5, -30.0, start=hour(0), end=hour(3)))
    console = officer(trio.south, "lee")
    page = console.enter("ask")
    line = [[30.0, -30.0], [31.0, -30.0], [31.0, -30.0], [32.0, -30.0]]
    given = {**way(), "geometry": {"type": "LineString", "coordinates": line}}
    page.get_by_label("Type or paste positions").fill(json.dumps(given))
    page.get_by_role("button", name="Use this shape").click()
    expect(page.get_by_text("about all of the way for the whole time")).to_be_visible()
    expect(page.get_by_label("From", exact=True)).not_to_have_value("")
    expect(page.get_by_label("Until", exact=True)).not_to_have_value("")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#work")).to_contain_text("north:BESIDE")


def test_words_of_who_moves_go_with_it(trio: Any, officer: Any, kit: Any) -> None:
    """The id of a convoy stands beside its circle at the time shown, and not at the middle of its way."""
    line = [[40.0, -25.0], [42.0, -25.0]]
    times = [hour(0), hour(2)]
    properties = {"times": times, "radius_nm": 3, "start": times[0], "end": times[-1]}
    geometry = {"type": "LineString", "coordinates": line}
    trio.file(trio.north, kit.feature("CONVOY", geometry=geometry, **properties))
    console = officer(trio.south, "kay")
    begin = times[0][:16] + "Z"
    # its start is in the middle of the map, and the middle of its way is not on it
    page = console.enter(f"notices?c=-25,40&z=10&t={begin}")
    target = page.locator(".map .target")
    expect(target).to_have_attribute("data-moving", re.compile("[1-9]"))
    count = str(target.get_attribute("data-moving"))
    console.settled()
    box = target.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # above its circle: the words are there while it is, and before its first time they are elsewhere
    clip = {"x": middle[0] - 70, "y": middle[1] - 150, "width": 140, "height": 100}
    there = page.screenshot(clip=clip)
    page.get_by_role("slider", name="Time shown on the map").press("ArrowLeft")
    expect(target).not_to_have_attribute("data-moving", count)
    page.wait_for_timeout(300)  # a frame
    assert page.screenshot(clip=clip) != there

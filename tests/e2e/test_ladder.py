"""The ladder of a notice between real nodes: read back, passed down, acted on, and what is not said in time."""

from __future__ import annotations

from typing import Any

import msgspec

from detente.node.picture import Picture
from detente.node.rungs import Climbed


def alarms(node: Any) -> list[tuple[str, str, bool]]:
    """Kind, message or code, and whether it is over."""
    return [
        (one["kind"], one["message"] or one["code"], one["over"])
        for one in node.get("/api/v1/picture")["alarms"]
        if one["kind"] != "line"
    ]


def rungs(node: Any, notice: str) -> dict[str, str]:
    """State by rung of the only recipient."""
    picture = msgspec.convert(node.get("/api/v1/picture"), Picture, strict=True)
    row = next(one for one in picture.notices if one.id == notice)
    return {rung.rung: rung.state for rung in row.ladder[0].rungs}


def test_ladder_is_climbed_from_the_command_line_and_shown_on_both_sides(
    trio: Any, kit: Any
) -> None:
    """A wrong place exits 1 and alarms both watches; the right one, the units and the act reach the sender's screen."""
    north, south = trio.north, trio.south
    feature = kit.feature("L-1", 20, 40)
    trio.file(north, feature, "--wait", "delivered")
    times = ("--from", feature["properties"]["start"], "--until", feature["properties"]["end"])
    words = ("notice", "read-back", south.dir, "north:L-1")
    wrong = kit.cli(*words, "--place", "401500N 0200000E", *times, "--json")
    assert wrong.code == 1
    found = msgspec.convert(wrong.json, Climbed, strict=True)
    assert found.signed
    assert found.comparison is not None
    assert not found.comparison.agrees
    message = f"{found.comparison.place_m:,} m; +0 min, +0 min"
    assert 16_000 < found.comparison.place_m < 17_000
    for node in (north, south):
        kit.until(
            lambda node=node: alarms(node) == [("read-back", message, False)], "both are alarmed"
        )
    right = kit.ok(*words, "--place", "400000N 0200000E", *times, "--words", "over the strait")
    assert "read back agrees" in right.out

    early = kit.cli("notice", "acted", south.dir, "north:L-1", "kept-clear", "--json")
    assert (early.code, early.json["error"]["code"]) == (1, "not-disseminated")
    kit.ok("notice", "disseminated", south.dir, "north:L-1", "--unit", "1 Sqn")
    kit.ok("notice", "disseminated", south.dir, "north:L-1", "--unit", f"1 Sqn={kit.at(0)}")
    kit.ok("notice", "acted", south.dir, "north:L-1", "kept-clear", "--text", "course 090")
    kit.until(lambda: set(rungs(north, "north:L-1").values()) == {"done"}, "the sender sees it")
    assert [one[2] for one in alarms(north)] == [True]
    shown = kit.ok("notice", "show", north.dir, "L-1").out
    assert "  disseminated  DONE" in shown
    assert "1 of 1 units acknowledged" in shown
    for node in (north, south):
        (version,) = node.get("/api/v1/notices/north:L-1", opened=False)["versions"]
        ((unit,),) = version["units"].values()
        assert unit["unit"] == "1 Sqn"
        assert unit["acknowledged"] is not None
    assert "acted on      DONE" in shown
    own = kit.cli("notice", "acted", north.dir, "L-1", "noted", "--json")
    assert own.json["error"]["code"] == "notice-own"


def test_deadline_passes_by_itself_once_though_a_node_is_killed(make: Any, kit: Any) -> None:
    """H-DUE-2, H-DUE-3: nobody opens it; each side writes it down once, also the one that was down at the time."""
    parties = make(terms="[receipt_deadlines_s]\nopened = 3\n")
    parties.start()
    parties.wait_open()
    north, south = parties.north, parties.south
    parties.file(north, kit.feature("L-2", 20, 40), "--wait", "delivered")
    parties.settle()
    south.kill()
    kit.until(lambda: rungs(north, "north:L-2")["opened"] == "missing", "the sender has missed it")
    south.start()
    parties.wait_open()
    kit.until(
        lambda: (
            rungs(south, "north:L-2")["opened"] == "missing"
            and alarms(south) == [("no-answer", "opened", False)]
        ),
        "the recipient has missed it",
    )
    parties.settle()
    north.kill()
    north.start()
    parties.wait_open()
    parties.settle()
    for node in (north, south):
        kinds = [row["kind"] for row in node.get("/api/v1/notices/north:L-2/timeline")["rows"]]
        assert kinds.count("deadline-passed") == kinds.count("no-answer") == 1
        assert kit.ok("rebuild", node.dir, "--json").json["identical"]
    kit.ok("notice", "show", south.dir, "north:L-2")
    kit.until(lambda: rungs(north, "north:L-2")["opened"] == "late", "late is taken")

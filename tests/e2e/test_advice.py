"""Advice and proposals between real nodes, by the commands that officers use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detente.units import format_time


@pytest.fixture(scope="module")
def met(trio: Any, kit: Any) -> Any:
    """North and south with one conflict, known to both; `said` has what they filed, as files."""
    trio.said = []
    for node, east, start in ((trio.north, 12.0, 60), (trio.south, 12.1, 100)):
        times = {"start": kit.at(start), "end": kit.at(start + 60)}
        feature = kit.feature("ADV", east, 40.0, **times)
        trio.said.append(trio.save(feature, f"adv-{node.party}"))
        trio.file(node, feature, "--wait", "delivered")
    kit.until(
        lambda: conflict(trio.north) and conflict(trio.north) == conflict(trio.south), "both know"
    )
    return trio


def conflict(node: Any) -> str | None:
    """The live conflict of the two notices called ADV."""
    return next(
        (
            row["id"]
            for row in node.get("/api/v1/conflicts")["conflicts"]
            if row["state"] == "live" and all(one.endswith(":ADV") for one in row["notices"])
        ),
        None,
    )


def advice(node: Any, kit: Any) -> Any:
    """What `detente advice` says as JSON."""
    return kit.ok("advice", node.dir, conflict(node), "--json").json


def row(node: Any) -> Any:
    """The newest proposal."""
    return node.get("/api/v1/proposals")["proposals"][-1]


def test_advice_is_the_same_on_both_nodes_and_offline(met: Any, kit: Any) -> None:
    """A-PRI-1: both nodes and, of the two files alone, `detente check --advice` give one record."""
    here, there = advice(met.north, kit), advice(met.south, kit)
    assert here["advice"] == there["advice"]
    keys = [option["key"] for option in here["advice"]["options"]]
    assert any(key.startswith("north/") for key in keys)
    assert any(key.startswith("both/") for key in keys)
    assert here["private"] == {
        "counted": 0,
        "in_the_way": [],
        "near_own": [],
        "too_late": [],
        "options": [],
    }
    terms = met.north.get("/api/v1/picture")["agreement"]
    words = ["check", *met.said, "--advice", "--parties", "north,south", "--json"]
    for option, value in (
        ("lateral-nm", "lateral_nm"),
        ("vertical-ft", "vertical_ft"),
        ("time-s", "time_s"),
    ):
        words += [f"--{option}", f"{terms[value]:g}"]
    earliest = format_time(here["advice"]["earliest_us"])
    done = kit.cli(*words, "--earliest", earliest)
    assert done.code == 1, done.err
    assert json.loads(done.out)["advice"] == [here["advice"]]
    assert "  x  " in kit.cli(*(word for word in words if word != "--json")).out
    assert kit.cli(*words, "--parties", "north").code == 2
    text = kit.ok("advice", met.north.dir, conflict(met.north)[:8]).out  # type: ignore[index]
    assert "both parties compute the same" in text
    assert "north:ADV" in text


def test_option_is_drawn_where_it_would_be(met: Any, kit: Any) -> None:
    """What an option moves is drawn at its new times, heights and place, each notice once, the same by both nodes; an option that is none moves nothing."""
    id_ = conflict(met.north)
    options = {one["key"]: one["moves"] for one in advice(met.north, kit)["advice"]["options"]}

    def drawn(node: Any, key: str) -> Any:
        return node.get(f"/api/v1/conflicts/{id_}/moved", option=key)["moved"]

    before = {one["id"]: one["pieces"] for one in met.north.get("/api/v1/picture")["notices"]}
    for key, moves in options.items():
        moved = drawn(met.north, key)
        assert moved == drawn(met.south, key)
        assert [one["notice"] for one in moved] == [one["notice"] for one in moves]
        for one, move in zip(moved, moves, strict=True):
            (was,), (now,) = before[one["notice"]], one["pieces"]
            assert (now["start"] != was["start"]) == bool(move["later_us"])
            assert (now["lower"] != was["lower"]) == bool(move["higher_tenth_mm"])
            assert (now["outline"] != was["outline"]) == bool(move["aside_tenth_mm"])
    assert drawn(met.north, "north/sideways-and-up") == []


def test_proposal_by_commands_is_accepted_and_done_in_one(met: Any, kit: Any) -> None:
    """A-RES-3, A-RES-5: proposed, declined; proposed again, countered, the counter accepted with its amendment; both nodes hold it kept and no conflict is left."""
    north, south, id_ = met.north, met.south, conflict(met.north)
    kit.ok(
        "propose", north.dir, id_, "south/later", "--text", "after us?", "--precedence", "priority"
    )
    kit.until(lambda: row(south)["ours_to_answer"], "south has it")
    assert kit.cli("proposals", south.dir).code == 1
    assert any(one["kind"] == "proposal" for one in south.get("/api/v1/picture")["alarms"])
    wrong = kit.cli("propose", north.dir, id_, "south/sideways")
    assert wrong.code == 2
    assert "must be one of" in wrong.err
    kit.ok("decline", south.dir, row(south)["id"][:8], "--text", "cannot")
    kit.until(lambda: row(north)["state"] == "declined", "north knows")
    assert kit.cli("accept", south.dir, row(south)["id"]).code != 0  # answered once
    kit.ok("propose", north.dir, id_, "south/later")
    kit.until(lambda: row(south)["ours_to_answer"], "south has it again")
    kit.ok("counter", south.dir, row(south)["id"], "north/earlier")
    kit.until(lambda: row(north)["counters"], "north has the counter")
    assert "north:ADV" in kit.cli("proposals", north.dir).out
    done = kit.ok("accept", north.dir, row(north)["id"], "--amend", "--json").json
    assert done["amendment"]["version"] == 2
    for node in (north, south):
        kit.until(lambda node=node: row(node)["state"] == "kept", "kept on both sides")
        assert conflict(node) is None
        assert kit.cli("proposals", node.dir).code == 0
        kit.ok("rebuild", node.dir)


def test_amendment_is_offered_to_who_has_to_move_alone(met: Any, kit: Any) -> None:
    """A-RES-5: accepted without more, the mover files it later; the other side has nothing to file."""
    north, south = met.north, met.south
    met.file(north, kit.feature("ADV2", 16.0, 40.0), "--wait", "delivered")
    met.file(south, kit.feature("ADV2", 16.1, 40.0), "--wait", "delivered")
    found: list[str] = []

    def both() -> bool:
        found[:] = [
            one["id"]
            for node in (north, south)
            for one in node.get("/api/v1/conflicts")["conflicts"]
            if one["state"] == "live" and all(n.endswith(":ADV2") for n in one["notices"])
        ]
        return len(found) == 2

    kit.until(both, "both know")
    kit.ok("propose", north.dir, found[0], "south/up")
    kit.until(lambda: row(south)["ours_to_answer"], "south has it")
    kit.ok("accept", south.dir, row(south)["id"])
    kit.until(lambda: row(north)["state"] == "accepted", "north knows")
    refused = kit.cli("amend-as-accepted", north.dir, row(north)["id"])
    assert "nothing-to-amend" in refused.err or refused.code == 2
    assert "amend-as-accepted" in kit.cli("proposals", south.dir).out
    kit.ok("amend-as-accepted", south.dir, row(south)["id"][:10])
    kit.until(lambda: row(north)["state"] == "kept" == row(south)["state"], "kept")

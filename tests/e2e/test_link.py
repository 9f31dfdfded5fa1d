"""Lines that go down and come back, several recipients, waiting, and what is refused at filing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest


def test_peer_that_is_down_gets_everything_later_in_order(make: Any, kit: Any) -> None:
    """Filing exits 0 while the peer is down; when it is back it receives all, in order, once."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    south.stop()
    for i in range(5):
        ran = parties.file(north, kit.feature(f"Q-{i}", 10 + i, 10))
        assert (ran.code, ran.json["delivered"]) == (0, {"south": None})
    waited = parties.file(
        north, kit.feature("Q-5", 20, 10), "--wait", "delivered", "--timeout", "0.5"
    )
    assert waited.code == 4
    assert "keeps being sent" in waited.err
    assert waited.json["id"] == "north:Q-5"
    text = kit.ok("notice", "list", north.dir).out
    assert "Q-5" in text
    south.start()
    kit.until(lambda: len(south.notices()) == 6, "all six at south")
    parties.settle()
    assert {row["state"] for row in north.notices().values()} == {"delivered"}
    entries = [e for e in _received(south) if e.startswith("north:Q")]
    assert entries == [f"north:Q-{i}" for i in range(6)]


def _received(node: Any) -> list[str]:
    """Notice ids in the order in which a node was told of them."""
    events = node.get("/api/v1/events")["events"]
    return [e["refs"][0] for e in events if e["code"] == "notice-received"]


def test_notice_filed_on_a_stopped_node_is_durable_and_sent_when_it_runs(
    make: Any, kit: Any
) -> None:
    """Commands work on the store itself; what was filed there leaves with the next start."""
    parties = make()
    north, south = parties.north, parties.south
    ran = parties.file(north, kit.feature("Z-1"))
    assert ran.code == 0
    assert parties.file(north, kit.feature("Z-1")).code == 2  # the id is taken, though unsigned yet
    waited = parties.file(north, kit.feature("Z-2"), "--wait", "delivered", "--timeout", "1")
    assert waited.code == 4
    rows = {r["id"]: r for r in kit.ok("notice", "list", north.dir, "--json").json["notices"]}
    assert rows["north:Z-1"]["state"] == "waiting"
    for words in (("conflicts",), ("receipts", "Z-1"), ("notice", "show", "Z-1"), ("status",)):
        command, *rest = words
        if rest and command == "notice":
            kit.ok("notice", "show", north.dir, "north:Z-1", "--json")
        elif rest:
            kit.ok(command, north.dir, "north:Z-1", "--json")
        else:
            kit.ok(command, north.dir, "--json")
    kit.ok("ledger", "verify", north.dir)
    kit.ok("rebuild", north.dir)
    parties.start("north", "south")
    kit.until(lambda: set(south.notices()) == {"north:Z-1", "north:Z-2"}, "both at south")
    parties.settle()
    north.stop()
    south.stop()
    shown = kit.ok("notice", "show", north.dir, "north:Z-1", "--json").json
    assert shown["state"] == "delivered"
    bundle = parties.root / "z"
    kit.ok("prove", north.dir, "north:Z-1", "-o", bundle)
    kit.ok("verify", bundle, "--trust", parties.agreement)


def test_amended_and_cancelled_while_the_line_is_down_arrives_as_said(make: Any, kit: Any) -> None:
    """Versions said while nobody listened arrive in order, and the last one stands."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north")
    parties.file(north, kit.feature("V-1", 10, 10))
    kit.ok("notice", "amend", north.dir, parties.save(kit.feature("V-1", 11, 10)))
    kit.ok("notice", "cancel", north.dir, "V-1", "--reason", "fog")
    south.start()
    kit.until(
        lambda: south.notices().get("north:V-1", {}).get("version") == 3, "cancelled at south"
    )
    shown = kit.ok("notice", "show", south.dir, "north:V-1", "--json").json
    assert (shown["state"], shown["reason"]) == ("cancelled", "fog")
    assert [v["kind"] for v in shown["versions"]] == ["new", "replace", "cancel"]


def test_three_parties_hear_what_is_addressed_to_them(make: Any, kit: Any) -> None:
    """A notice to all reaches all with one body; one to a single party is the others' business not."""
    parties = make("north", "south", "west")
    north, south, west = parties.north, parties.south, parties.west
    parties.start("north", "south")
    parties.wait_open()
    ran = parties.file(north, kit.feature("A-1", 10, 10), "--wait", "delivered", "--timeout", "2")
    assert ran.code == 4
    assert ran.json["delivered"]["west"] is None
    assert ran.json["delivered"]["south"] is not None
    only = parties.file(north, kit.feature("A-2", 30, 10), "--to", "south", "--wait", "delivered")
    assert only.code == 0
    assert list(only.json["delivered"]) == ["south"]
    west.start()
    kit.until(lambda: "north:A-1" in west.notices(), "A-1 at west")
    clash = parties.file(
        west, kit.feature("B-1", 10.05, 10), "--wait", "delivered", "--timeout", "20"
    )
    assert clash.code == 0, clash.err
    seen = [node.conflicts() for node in (north, south, west)]
    assert len(seen[0]) == 1
    assert seen[0] == seen[1] == seen[2]
    parties.settle()
    assert "north:A-2" not in west.notices()
    bodies = {
        node.get("/api/v1/notices/north:A-1", opened=False)["versions"][0]["body"]
        for node in (north, south, west)
    }
    assert len(bodies) == 1
    bad = parties.file(north, kit.feature("A-3"), "--to", "east")
    assert (bad.code, bad.json["error"]["field"]) == (2, "to")


# -- refused at filing: the field is named, and nothing is left behind -----------------------------


def drop(*path: str) -> Callable[[Any], None]:
    """Remove a member."""

    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return change


def put(new: Any, *path: str) -> Callable[[Any], None]:
    """Set a member."""

    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = new

    return change


def ring(*corners: tuple[float, float]) -> dict[str, Any]:
    """A polygon of these corners."""
    return {"type": "Polygon", "coordinates": [[list(c) for c in (*corners, corners[0])]]}


BAD = {
    "no geometry": (drop("geometry"), "geometry"),
    "null geometry": (put(None, "geometry"), "geometry"),
    "no lower": (drop("properties", "lower"), "properties.lower"),
    "no upper": (drop("properties", "upper"), "properties.upper"),
    "no start": (drop("properties", "start"), "properties.start"),
    "no end": (drop("properties", "end"), "properties.end"),
    "no id": (drop("properties", "id"), "properties.id"),
    "unknown property": (put(1, "properties", "lowr"), "properties.lowr"),
    "self-crossing": (put(ring((0, 0), (1, 1), (1, 0), (0, 1)), "geometry"), "geometry"),
    "empty": (put({"type": "Polygon", "coordinates": []}, "geometry"), "geometry"),
    "no area": (put(ring((0, 0), (1, 1), (2, 2)), "geometry"), "geometry"),
    "swapped": (put(ring((10, 100), (10.1, 100), (10, 100.1)), "geometry"), "geometry"),
    "huge coordinates": (put(ring((1e9, 0), (1, 1), (1, 0)), "geometry"), "geometry"),
    "ends first": (put("2018-09-17T18:39:00Z", "properties", "end"), "properties"),
    "no zone": (put("2030-09-17T18:39:00", "properties", "start"), "properties.start"),
    "upside down": (
        put({"value": 9000, "unit": "ft", "datum": "MSL"}, "properties", "lower"),
        "properties",
    ),
    "no datum": (put({"value": 0, "unit": "ft"}, "properties", "lower"), "properties.lower"),
    "text altitude": (
        put({"value": "0", "unit": "ft", "datum": "MSL"}, "properties", "lower"),
        "properties.lower",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_malformed_notice_is_refused_with_its_field(trio: Any, kit: Any, name: str) -> None:
    """A notice that cannot be one exits 2, names the field, and leaves nothing in the record."""
    change, field = BAD[name]
    value = copy.deepcopy(kit.feature("BAD-1"))
    change(value)
    ran = trio.file(trio.north, value)
    assert ran.code == 2, ran.out
    assert field in (ran.json["error"]["field"] or ""), ran.json
    assert "must" in ran.json["error"]["message"]
    assert "north:BAD-1" not in trio.north.notices()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"id": "BAD-2"', '"id": "BAD-2", "id": "BAD-3"', "twice"),
        ('"value": 5000', '"value": NaN', "NaN"),
        ('"value": 5000', '"value": 1e999999', ""),
        ('{"type": "Feature"', '{"type": "Feature",', ""),
        ('"exercise": true', '"exercise": "yes"', "exercise"),
    ],
)
def test_text_that_two_readers_would_read_differently_is_refused(
    trio: Any, kit: Any, old: str, new: str, word: str
) -> None:
    """Duplicate keys, NaN, endless numbers and broken JSON exit 2 with the place named."""
    text = json.dumps(kit.feature("BAD-2"))
    assert old in text
    path = trio.root / "bad.geojson"
    path.write_text(text.replace(old, new))
    ran = kit.cli("notice", "file", trio.north.dir, path, "--json")
    assert ran.code == 2
    assert word in ran.json["error"]["message"] + str(ran.json["error"]["field"])


def test_body_over_the_limit_is_413_and_the_node_goes_on(trio: Any, kit: Any) -> None:
    """A file over the limit is refused with 413 and read no further."""
    from detente.limits import API_BODY_BYTES

    with trio.north.http() as client:
        answer = client.post("/api/v1/notices", content=b" " * (API_BODY_BYTES + 1))
        assert answer.status_code == 413
        assert "body" in answer.json()["error"]["message"]
        answer = client.post(
            "/api/v1/ask",
            content=b"[" * (API_BODY_BYTES + 1),
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 413
    path = trio.root / "huge.geojson"
    path.write_bytes(b" " * (API_BODY_BYTES + 1))
    assert kit.cli("notice", "file", trio.north.dir, path).code == 2
    assert trio.file(trio.north, kit.feature("AFTER-1", 40, 40), "--wait", "delivered").code == 0


def test_deep_nesting_is_refused(trio: Any, kit: Any) -> None:
    """A file that nests without end is refused with words, on every route that takes JSON."""
    path = trio.root / "deep.geojson"
    path.write_text("[" * 100_000)
    assert kit.cli("notice", "file", trio.north.dir, path).code == 2
    area = trio.root / "deep-area.geojson"
    area.write_text('{"type":"Polygon","coordinates":' + "[" * 5000 + "]" * 5000 + "}")
    times = ("--from", kit.at(0), "--until", kit.at(1))
    assert kit.cli("ask", trio.north.dir, "--area", area, *times).code == 2
    agreement = trio.root / "deep.json"
    agreement.write_text("[" * 100_000)
    assert kit.cli("agree", "accept", trio.north.dir, agreement).code == 2


def test_late_notice_is_filed_and_said_to_be_late(trio: Any, kit: Any) -> None:
    """A notice with less lead than agreed is taken, and late is said aloud."""
    value = kit.feature("LATE-1", -40, 40, start=kit.at(1), end=kit.at(30))
    ran = trio.file(trio.north, value, "--wait", "delivered")
    assert (ran.code, ran.json["late"]) == (0, True)
    assert "LATE" in kit.ok("notice", "list", trio.south.dir).out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("notice", "file", "{dir}", "/nowhere/x.geojson"), 2),
        (("notice", "amend", "{dir}", "{file}"), 2),
        (("notice", "cancel", "{dir}", "NOPE"), 2),
        (("notice", "cancel", "{dir}", "south:X"), 2),
        (("notice", "show", "{dir}", "NOPE"), 2),
        (("receipts", "{dir}", "NOPE"), 2),
        (("prove", "{dir}", "NOPE", "-o", "{out}"), 2),
        (("prove", "{dir}", "../../status", "-o", "{out}"), 2),
        (("notice", "show", "{dir}", "a/b?c#d%2f"), 2),
        (("ask", "{dir}", "--area", "{file}", "--from", "now", "--until", "then"), 2),
        (("verify", "{file}", "--trust", "{trust}"), 1),
        (("verify", "{file}", "--trust", "{file}"), 2),
        (("notice", "file", "{dir}", "{file}", "--wait", "forever"), 2),
        (("backup", "{dir}", "/nowhere/at/all"), 2),
        (("restore", "{file}", "{out}"), 2),
        (("agree", "accept", "{dir}", "{trust}"), 2),
        (("agree", "accept", "{dir}", "{file}"), 1),
        (("recover", "{dir}"), 2),
        (("operator", "remove", "{dir}", "a/b"), 2),
        (("nonsense",), 2),
    ],
)
def test_mistake_on_the_command_line_ends_with_words_and_its_code(
    trio: Any, kit: Any, words: tuple[str, ...], code: int
) -> None:
    """Every mistake ends with the exit code of the contract, a sentence, and no traceback."""
    file = trio.save(kit.feature("CL-1"), "cl")
    names = {
        "dir": trio.north.dir,
        "file": file,
        "trust": trio.agreement,
        "out": trio.root / "out",
    }
    ran = kit.cli(*(word.format(**names) for word in words))
    assert ran.code == code, ran.out + ran.err
    assert ran.out + ran.err
    assert "Traceback" not in ran.err


def test_unknown_path_and_method_are_answered_in_the_same_shape(trio: Any) -> None:
    """What the framework refuses looks like what we refuse: JSON with an error inside."""
    with trio.north.http() as client:
        for method, path in (("GET", "/api/v1/nope"), ("PUT", "/api/v1/notices")):
            answer = client.request(method, path)
            assert answer.status_code in (404, 405)
            assert "error" in answer.json()
    assert isinstance(httpx.codes.OK, int)

"""Cease requests and emergencies between real nodes: sounded everywhere, answered by anybody, never lost."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import httpx
import msgspec
import pytest

from detente.node.picture import Picture
from detente.protocol.urgentrow import UrgentRow

PASSWORD = "correct horse battery"


def picture(node: Any) -> Picture:
    """What a console of the node is shown."""
    return msgspec.convert(node.get("/api/v1/picture"), Picture, strict=True)


def row(node: Any, id_: str) -> UrgentRow | None:
    """The row of one matter, or None while it is not there."""
    return next((one for one in picture(node).urgent if one.id == id_), None)


def ask(node: Any, kit: Any, *words: object) -> str:
    """Ask to cease; the id of the only copy."""
    found = kit.ok("cease", node.dir, "--reason", "own people there", *words, "--json").json
    return str(found["urgent"]["id"])


def escalated(node: Any, notice: str) -> list[int]:
    """The steps up that stand in the record of a notice, in order."""
    rows = node.get(f"/api/v1/notices/{notice}/timeline")["rows"]
    return [one["values"]["step"] for one in rows if one["kind"] == "escalated"]


def sign_in(node: Any, kit: Any, name: str, role: str, desk: str) -> httpx.Client:
    """A session of a new operator."""
    add = ("operator", "add", node.dir, name, "--role", role, "--desk", desk)
    kit.ok(*add, "--password-stdin", stdin=PASSWORD + "\n")
    client = httpx.Client(base_url=node.api, timeout=30)
    answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
    client.headers["authorization"] = f"Bearer {answer.json()['token']}"
    return client


def test_cease_alarms_every_console_and_is_answered_by_anybody_who_may_speak(
    trio: Any, kit: Any
) -> None:
    """H-CEA-1, H-CEA-3: every signed-in session of the other side, whatever its role and desk, has the alarm at
    once; one officer answers, another says that it is effective, and both sides show equal clocks."""
    north, south = trio.north, trio.south
    chairs = (
        ("anna", "watch", "operations-cell"),
        ("boris", "supervisor", "general-staff"),
        ("clara", "reader", "leaders"),
    )
    with ExitStack() as stack:
        clients = [sign_in(south, kit, *one) for one in chairs]
        for client in clients:
            stack.callback(client.close)
        streams = [
            stack.enter_context(client.stream("GET", "/api/v1/stream")).iter_lines()
            for client in clients
        ]
        id_ = ask(north, kit, "--place", "the old bridge", "--exercise")
        for lines in streams:
            while True:
                line = next(lines)
                if not line.startswith("data: ") or id_ not in line:
                    continue
                found = json.loads(line.removeprefix("data: "))
                assert any(
                    (one["id"], one["rank"], one["over"]) == (f"cease:{id_}", 0, False)
                    for one in found["alarms"]
                )
                assert any(one["id"] == id_ and one["open"] for one in found["urgent"])
                break
        anna, boris, clara = clients
        refused = clara.post(f"/api/v1/ceases/{id_}/reply", json={"reply": "ceasing"})
        assert refused.json()["error"]["code"] == "role"
        said = boris.post(f"/api/v1/ceases/{id_}/reply", json={"reply": "ceasing", "text": "now"})
        assert said.status_code == 201, said.text
        again = anna.post(f"/api/v1/ceases/{id_}/reply", json={"reply": "ceasing"})
        assert again.json()["error"]["code"] == "cease-move"
        assert anna.post(f"/api/v1/ceases/{id_}/effective", json={}).status_code == 201

    def settled() -> tuple[UrgentRow, UrgentRow] | None:
        asked, asking = row(south, id_), row(north, id_)
        return (asked, asking) if asked is not None and asked == asking else None

    asked, _ = kit.until(settled, "both sides show the same row")
    assert asked.status == "effective"
    assert [(one.move, one.desk, one.text) for one in asked.replies] == [
        ("ceasing", "general-staff", "now"),
        ("effective", "operations-cell", None),
    ]
    assert 0 < asked.first_reply_s <= asked.effective_s
    (alarm,) = [one for one in picture(south).alarms if one.id == f"cease:{id_}"]
    assert alarm.over
    listed = kit.ok("cease", "list", south.dir).out
    assert "EFFECTIVE" in listed
    assert "general-staff: ceasing: now" in listed


def test_emergency_is_told_and_answered_from_the_command_line(trio: Any, kit: Any) -> None:
    """H-CEA-1: an emergency carries a place in any notation, and its list exits 1 until it is answered."""
    north, south = trio.north, trio.south
    found = kit.ok(
        *("emergency", north.dir, "aircraft-down", "--place", "353000N 0360000E", "--exercise"),
        *("--text", "two crew", "--json"),
    ).json
    id_ = found["urgent"]["id"]
    kit.until(lambda: row(south, id_), "it arrives")
    asked = kit.cli("emergency", "list", south.dir)
    assert asked.code == 1
    assert "aircraft-down · 35.50000, 36.00000 · two crew" in asked.out
    kit.ok("emergency", "reply", south.dir, id_[:8], "assisting", "--text", "helicopter")
    kit.ok("emergency", "list", south.dir)
    kit.until(lambda: row(north, id_).status == "answered", "the answer arrives")  # type: ignore[union-attr]
    (alarm,) = [one for one in picture(south).alarms if one.kind == "emergency"]
    assert (alarm.rank, alarm.code) == (0, "aircraft-down")


def test_cease_moves_up_once_a_step_though_both_nodes_are_killed(make: Any, kit: Any) -> None:
    """H-CEA-2, H-CEA-4: what came due while a node was down is taken at its start, every step once on each side."""
    parties = make(terms="escalation_s = [3, 6, 9]\n")
    parties.start()
    parties.wait_open()
    north, south = parties.north, parties.south
    parties.file(north, kit.feature("E-1", 20, 40), "--wait", "delivered")
    id_ = ask(north, kit, "--about", "north:E-1")
    kit.until(lambda: row(south, id_), "it arrives")
    parties.settle()
    acknowledge = {"alarms": [f"cease:{id_}"]}
    with south.http() as client:
        assert client.post("/api/v1/acknowledgements", json=acknowledge).status_code == 200
    south.kill()
    kit.until(lambda: row(north, id_).step == 1, "the asker's first step")  # type: ignore[union-attr]
    north.kill()
    south.start()
    kit.until(lambda: row(south, id_).step == 3, "all steps of who was asked")  # type: ignore[union-attr]
    (alarm,) = [one for one in picture(south).alarms if one.id == f"cease:{id_}"]
    assert alarm.acknowledged is None  # it has become more than what was seen
    assert (alarm.step, alarm.desk) == (3, picture(south).agreement.desks[3])  # type: ignore[union-attr]
    north.start()
    parties.wait_open()
    kit.until(lambda: row(north, id_).step == 3, "all steps of who asked")  # type: ignore[union-attr]
    for node in (south, north):
        node.kill()
        node.start()
    parties.wait_open()
    parties.settle()
    for node in (north, south):
        assert escalated(node, "north:E-1") == [1, 2, 3]
        assert row(node, id_).next_step is None  # type: ignore[union-attr]
        assert kit.ok("rebuild", node.dir, "--json").json["identical"]
    kit.ok("cease", "reply", south.dir, id_[:8], "cannot", "--text", "no radio")
    kit.until(lambda: row(north, id_).status == "cannot", "a late answer is taken")  # type: ignore[union-attr]


@pytest.mark.parametrize("restarted", [False, True])
def test_cease_asked_while_the_peer_is_down_is_delivered_after_its_start(
    make: Any, kit: Any, restarted: bool
) -> None:
    """H-CEA-4: signed or, after a restart of our own, still unsigned: it is shown as waiting, and goes first when
    the peer is up; and so does an answer that was given while the other side was down."""
    parties = make()
    parties.start()
    parties.wait_open()
    north, south = parties.north, parties.south
    south.kill()
    if restarted:
        north.kill()
        north.start()
    id_ = ask(north, kit)
    assert id_.startswith("waiting:") is restarted
    waits = row(north, id_)
    assert waits is not None
    assert (waits.waiting, waits.received, waits.open) == (restarted, None, True)
    assert waits.step == 0  # nobody is late with what nobody has received
    south.start()
    (asked,) = kit.until(lambda: picture(south).urgent, "it arrives")
    kit.until(lambda: [one.id for one in picture(north).urgent] == [asked.id], "one row, signed")
    north.kill()
    if restarted:
        south.kill()
        south.start()
    kit.ok("cease", "reply", south.dir, asked.id, "ceasing")
    waiting = row(south, asked.id)
    assert waiting is not None
    assert waiting.replies_waiting == (["ceasing"] if restarted else [])
    north.start()
    kit.until(lambda: row(north, asked.id).status == "ceasing", "the answer arrives")  # type: ignore[union-attr]
    kit.until(lambda: not row(south, asked.id).waiting, "and is signed")  # type: ignore[union-attr]


def test_cease_is_answered_on_a_suspended_line_with_clocks_an_hour_apart(
    make: Any, kit: Any
) -> None:
    """H-CEA-4: both have suspended everything and one clock is an hour ahead: asked, answered, effective; nothing
    moves up early, and the time it took is that of one clock."""
    parties = make()
    north, south = parties.north, parties.south
    south.env = {"DETENTE_CLOCK_OFFSET_S": "3600"}
    parties.start("north", "south")
    parties.wait_open()
    for node, peer in ((north, "south"), (south, "north")):
        with node.http() as client:
            body = {"scope": "all", "reason": "talks broke down", "confirmed": True}
            answer = client.post(f"/api/v1/line/{peer}/suspend", json=body)
        assert answer.status_code < 300, answer.text
    refused = parties.file(north, kit.feature("S-9", 20, 40))
    assert refused.json["error"]["code"] == "line-suspended"
    for asker, other in ((north, south), (south, north)):
        id_ = ask(asker, kit)
        asked = kit.until(lambda other=other, id_=id_: row(other, id_), "it arrives")
        assert asked.step == 0
        kit.ok("cease", "reply", other.dir, id_, "not-us")
        kit.ok("cease", "reply", other.dir, id_, "ceasing")
        kit.ok("cease", "effective", other.dir, id_)
        settled = kit.until(
            lambda id_=id_: (
                (found := row(north, id_)) == row(south, id_)
                and found is not None
                and found.status == "effective"
                and found
            ),
            "both sides show the same",
        )
        assert [one.move for one in settled.replies] == ["not-us", "ceasing", "effective"]
        assert 0 < settled.first_reply_s <= settled.effective_s < 600
        assert settled.step == 0

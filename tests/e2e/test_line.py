"""A line's health with real nodes: declared beside observed, scheduled checks, another path, files by courier."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from detente.node.lineroom import LineAnswer
from detente.node.linerow import LineDetail
from detente.node.rosterroom import RosterBoard, RosterSaid

PASSWORD = "correct horse battery"


def of_line(node: Any, peer: str) -> LineDetail:
    """The line as the API answers it, strictly of its shape."""
    return msgspec.convert(node.get(f"/api/v1/line/{peer}"), LineDetail, strict=True)


def post(node: Any, path: str, **body: Any) -> httpx.Response:
    """Ask a node as its owner."""
    with node.http() as client:
        return client.post(path, json=body)


@pytest.fixture
def watch(trio: Any, kit: Any) -> Any:
    """A watch officer's session at north, `ada`; `bo` is another."""
    for name in ("ada", "bo"):
        add = ("operator", "add", trio.north.dir, name, "--role", "watch", "--password-stdin")
        kit.cli(*add, stdin=PASSWORD + "\n")
    with httpx.Client(base_url=trio.north.api, timeout=30) as client:
        answer = client.post("/api/v1/session", json={"name": "ada", "password": PASSWORD})
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        yield client


# -- declared beside observed -------------------------------------------------------------------------


def test_declared_and_observed_stand_beside_each_other_on_both_sides(trio: Any, kit: Any) -> None:
    """H-LIN-1: a suspended line is heard all the same, and both are shown; the peer's word is an alarm until resumed."""
    north, south = trio.north, trio.south
    answer = post(north, "/api/v1/line/south/suspend", scope="talk", reason="no interpreter")
    assert answer.status_code == 201, answer.text
    said = msgspec.convert(answer.json(), LineAnswer, strict=True)
    assert (said.said, said.signed, said.questions) == (True, ["south"], [])
    there = kit.until(
        lambda: (row := of_line(south, "north")).declared and row, "the word is at south"
    )
    here = of_line(north, "south")
    assert here.declared == there.declared
    assert (there.word, there.observed, there.path) == ("open-suspended", "open", "first")
    alarm = next(
        row
        for row in south.get("/api/v1/picture")["alarms"]
        if row["kind"] == "line-declared" and not row["over"]
    )
    assert (alarm["rank"], alarm["party"], alarm["code"]) == (2, "north", "suspended")
    assert alarm["message"] == "no interpreter"
    assert post(north, "/api/v1/line/south/resume", scope="talk", reason="back").status_code == 201
    kit.until(lambda: of_line(south, "north").declared is None, "resumed at south")
    picture = south.get("/api/v1/picture")
    assert [r["over"] for r in picture["alarms"] if r["id"] == alarm["id"]] == [True]
    assert of_line(north, "south").word == "open"


def test_political_reason_asks_before_it_is_said(trio: Any) -> None:
    """H-TAL-5: the reason of a suspension is asked about, and goes as it is when the officer says so."""
    path = "/api/v1/line/south/fault"
    body = {"scope": "talk", "reason": "after this provocation"}
    asked = post(trio.north, path, **body)
    assert asked.status_code == 200
    said = msgspec.convert(asked.json(), LineAnswer, strict=True)
    assert (said.said, [one.word for one in said.questions]) == (False, ["provocation"])
    assert said.line.declared is None
    assert post(trio.north, path, **body, confirmed=True).json()["said"] is True
    post(trio.north, "/api/v1/line/south/resume", scope="talk", reason="over")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("line/nobody/suspend", {"scope": "all", "reason": "x"}, "recipient-unknown"),
        ("line/south/resume", {"scope": "all", "reason": "x"}, "line-move"),
        ("line/south/suspend", {"scope": "all", "reason": ""}, "text-malformed"),
        ("line/south/suspend", {"scope": "some", "reason": "x"}, "http"),
        ("line/nobody/check", {}, "recipient-unknown"),
    ],
)
def test_wrong_word_about_a_line_is_refused(trio: Any, path: str, body: Any, code: str) -> None:
    """What cannot be declared is refused with its reason, and nothing is said."""
    before = trio.north.status()["ledger"]["entries"]
    answer = post(trio.north, f"/api/v1/{path}", **body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == code
    assert of_line(trio.north, "south").declared is None
    assert trio.north.status()["ledger"]["entries"] <= before + 2  # what else came in meanwhile


def test_check_by_hand_is_answered_by_the_other_machine(trio: Any, kit: Any) -> None:
    """An officer may try a line at any time; the other side's machine answers at once."""
    assert post(trio.north, "/api/v1/line/south/check").status_code == 201
    slots = kit.until(
        lambda: [s for s in of_line(trio.north, "south").by_hand if s.state == "answered"],
        "the check is answered",
    )
    assert slots[-1].path == "first"
    assert of_line(trio.south, "north").by_hand == []


# -- desks --------------------------------------------------------------------------------------------


def test_roster_of_a_desk_is_told_to_the_other_side(trio: Any, kit: Any) -> None:
    """H-LIN-5: a roster says in which languages a desk is manned from when until when, and names no person."""
    body = {"desk": "operations-cell", "languages": ["en", "ru"]}
    answer = post(
        trio.north, "/api/v1/roster", **body, **{"from": kit.at(-60), "until": kit.at(60)}
    )
    assert answer.status_code == 201, answer.text
    said = msgspec.convert(answer.json(), RosterSaid, strict=True)
    assert (said.signed, said.desks[0], len(said.watches)) == (["south"], "operations-cell", 1)
    kit.until(
        lambda: [
            one
            for one in msgspec.convert(
                trio.south.get("/api/v1/roster"), RosterBoard, strict=True
            ).watches
            if (one.party, one.on, one.languages) == ("north", True, ["en", "ru"])
        ],
        "the roster is at south",
    )


def test_watch_is_handed_over_with_a_log_that_stays_at_home(trio: Any, watch: Any) -> None:
    """H-LIN-5: a handover says who hands to whom, whether the sound was tested, and what to know; the peer is not told."""
    made = trio.north.line("south")["waiting"]
    answer = watch.post(
        "/api/v1/handover", json={"to": "bo", "sound_tested": True, "notes": "line quiet"}
    )
    assert answer.status_code == 201, answer.text
    newest = msgspec.convert(answer.json(), RosterBoard, strict=True).handovers[0]
    assert (newest.from_, newest.to, newest.sound_tested) == ("ada", "bo", True)
    assert newest.notes == "line quiet"
    assert trio.north.line("south")["waiting"] == made
    assert trio.south.get("/api/v1/roster")["handovers"] == []
    for to, code in (("ada", "handover-to-oneself"), ("nobody", "operator-unknown")):
        refused = watch.post("/api/v1/handover", json={"to": to, "sound_tested": True})
        assert refused.json()["error"]["code"] == code

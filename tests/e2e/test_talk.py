"""Conversation with real nodes: said, answered, recorded; words asked about; who must move, by command."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def south_operator(trio: Any, kit: Any) -> Any:
    """A watch officer's session at south."""
    import httpx

    add = ("operator", "add", trio.south.dir, "talker", "--role", "watch", "--password-stdin")
    kit.cli(*add, stdin="correct horse battery\n")
    client = httpx.Client(base_url=trio.south.api, timeout=30)
    answer = client.post(
        "/api/v1/session", json={"name": "talker", "password": "correct horse battery"}
    )
    client.headers["authorization"] = f"Bearer {answer.json()['token']}"
    yield client
    client.close()


def test_phrase_is_said_answered_and_read_in_another_language(trio: Any, kit: Any) -> None:
    """North says a coded phrase; South reads it in Hebrew, answers, and the answer is at North."""
    said = kit.ok(
        *("talk", "say", trio.north.dir, "--phrase", "traffic.aircraft-at", "--exercise"),
        *("--slot", "callsign=CEDAR 12", "--slot", "place=12.5N 35.8W"),
        *("--slot", "altitude=FL 150", "--slot", "time=2031-05-04T12:00:00Z"),
        *("--precedence", "flash", "--json"),
    ).json["said"]
    thread = said["thread"]
    kit.until(
        lambda: any(row["key"] == thread for row in trio.south.get("/api/v1/talks")["talks"]),
        "the message arrives",
    )
    owed = kit.cli("talk", "list", trio.south.dir)
    assert owed.code == 1
    assert thread in owed.out
    detail = kit.ok("talk", "show", trio.south.dir, thread, "--language", "he", "--json").json
    (message,) = detail["messages"]
    assert "CEDAR 12" in message["shown"]["text"]
    assert message["shown"]["direction"] == "rtl"
    assert message["original"]["text"].startswith("Our aircraft CEDAR 12 is at 12°30")
    kit.ok("talk", "answer", trio.south.dir, message["statement"][:10], "wilco", "--text", "soon")
    shown = kit.until(
        lambda: (
            (
                (ran := kit.ok("talk", "show", trio.north.dir, thread)).out
                if "wilco: soon" in kit.ok("talk", "show", trio.north.dir, thread).out
                else None
            )
            and ran.out
        ),
        "the answer arrives",
    )
    assert "EXERCISE" in shown
    assert kit.cli("talk", "answer", trio.south.dir, message["statement"], "wilco").code != 0


def test_political_text_asks_before_it_is_sent(trio: Any, kit: Any) -> None:
    """H-TAL-5: A political text on the safety line asks before sending. It is a question, never a rule of refusal."""
    words = ("talk", "say", trio.north.dir, "We condemn this aggression.", "--exercise")
    before = len(trio.north.get("/api/v1/talks")["talks"])
    asked = kit.cli(*words)
    assert asked.code == 1
    assert "'condemn'" in asked.out
    assert len(trio.north.get("/api/v1/talks")["talks"]) == before
    kit.ok(*words, "--confirmed")
    assert len(trio.north.get("/api/v1/talks")["talks"]) == before + 1


def test_call_is_recorded_and_agreed(trio: Any, kit: Any) -> None:
    """H-TAL-4: A call that North records is a claim at both until South has signed it too."""
    said = kit.ok(
        *("talk", "call", trio.north.dir, "They will keep clear.", "--exercise", "--json"),
        *("--began", "2031-05-04T12:00:00Z", "--ended", "2031-05-04T12:04:00Z"),
        *("--answered-after-s", "20", "--held-s", "60", "--interpreter", "desk 4"),
    ).json
    call = kit.until(
        lambda: [
            row
            for row in trio.south.get("/api/v1/calls")["calls"]
            if row["thread"] == said["thread"]
        ],
        "the record arrives",
    )[0]
    assert call["state"] == "claimed"
    assert "claimed by north" in kit.ok("talk", "calls", trio.south.dir).out
    kit.ok("talk", "agree", trio.south.dir, call["statement"])
    kit.until(
        lambda: "agreed by both" in kit.ok("talk", "calls", trio.north.dir).out,
        "the agreement arrives",
    )


def test_leaders_message_waits_for_a_second_officer(
    trio: Any, kit: Any, south_operator: Any
) -> None:
    """H-TAL-3: What one officer drafts at the leaders' desk, the same officer cannot release."""
    for name in ("first", "second"):
        add = ("operator", "add", trio.south.dir, name, "--role", "watch", "--desk", "leaders")
        kit.ok(*add, "--password-stdin", stdin="correct horse battery\n")
    import httpx

    tokens = {}
    for name in ("first", "second"):
        answer = httpx.post(
            trio.south.api + "/api/v1/session",
            json={"name": name, "password": "correct horse battery"},
        )
        tokens[name] = {"authorization": f"Bearer {answer.json()['token']}"}
    body = {"desk": "leaders", "text": "We agree.", "exercise": True}
    drafted = httpx.post(trio.south.api + "/api/v1/talks", json=body, headers=tokens["first"])
    assert drafted.status_code == 201, drafted.text
    draft = drafted.json()["said"]["draft"]
    address = f"{trio.south.api}/api/v1/drafts/{draft}/release"
    again = httpx.post(address, headers=tokens["first"])
    assert again.json()["error"]["code"] == "two-officers"
    other = south_operator.post(f"/api/v1/drafts/{draft}/release")
    assert other.json()["error"]["code"] == "two-officers"
    released = httpx.post(address, headers=tokens["second"])
    assert released.status_code == 201, released.text
    kit.until(
        lambda: any(
            row["key"] == released.json()["thread"]
            for row in trio.north.get("/api/v1/talks")["talks"]
        ),
        "it arrives",
    )


def test_filing_with_words_that_do_not_fit_prints_a_question_and_files(trio: Any, kit: Any) -> None:
    """North of a place is said of a volume south of it: the notice is filed, and the officer is asked."""
    feature = kit.feature("Q-1", -25.6, 36.9, region="North of Ponta Delgada")
    path = trio.save(feature)
    answer = trio.north.http().post(
        "/api/v1/preview", json={**feature, "properties": {**feature["properties"], "id": "Q-0"}}
    )
    (question,) = answer.json()["questions"]
    assert (question["code"], question["said"], question["lies"]) == ("elsewhere", "north", "south")
    ran = kit.ok("notice", "file", trio.north.dir, path)
    assert "QUESTION" in ran.out
    assert "south of Ponta Delgada" in ran.out
    fits = kit.feature("Q-2", -25.6, 36.9, region="South of Ponta Delgada")
    assert "QUESTION" not in kit.ok("notice", "file", trio.north.dir, trio.save(fits)).out


def test_clearance_says_who_must_move(trio: Any, kit: Any) -> None:
    """South asks who must move for North's notice: its own patrol there, which cannot in a minute."""
    kit.ok("notice", "file", trio.south.dir, trio.save(kit.feature("M-1", -30, 20)))
    near = kit.feature("M-2", -30, 20, activity="strike-hazard", start=kit.at(1), end=kit.at(90))
    kit.ok("notice", "file", trio.north.dir, trio.save(near), "--wait", "delivered")
    ran = kit.cli("notice", "clearance", trio.south.dir, "north:M-2")
    assert ran.code == 1
    assert "south:M-1" in ran.out
    assert "CANNOT CLEAR" in ran.out
    assert "THIRD PARTY" in ran.out
    assert kit.cli("notice", "clearance", trio.north.dir, "north:M-2").code == 2


def test_phrasebook_is_printed_in_a_language(kit: Any) -> None:
    """An officer can read the phrases of a language, and is told that it is a draft."""
    ran = kit.ok("phrasebook", "--language", "ru", "--group", "courtesy")
    assert "Благодарим." in ran.out
    assert "draft" in ran.out
    assert "traffic." not in ran.out
    assert kit.cli("phrasebook", "--language", "xx").code == 2


def test_thread_of_a_notice_is_there_before_anything_is_said_in_it(trio: Any, kit: Any) -> None:
    """H-TAL-6: A thread is named by what it is about: that of a notice in the record is empty, of one that is not, unknown."""
    kit.ok("notice", "file", trio.south.dir, trio.save(kit.feature("TALKED", -31, 21)))
    kit.until(lambda: "south:TALKED" in trio.north.notices(), "the notice arrives")
    found = trio.north.get("/api/v1/talks/notice:south:TALKED")
    assert (found["messages"], found["calls"], found["talk"]["exercise"]) == ([], [], True)
    answer = trio.north.http().get("/api/v1/talks/notice:south:NOTHING")
    assert answer.json()["error"]["code"] == "thread-unknown"

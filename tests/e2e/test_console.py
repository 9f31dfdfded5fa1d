"""What a console lives on, against real nodes: picture, stream, acknowledgement, preview, history."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

PASSWORD = "correct horse battery"
ROLES = ("watch", "supervisor", "linguist", "records", "reader", "admin")


def sign_in(node: Any, name: str) -> httpx.Client:
    """A client with a session."""
    client = httpx.Client(base_url=node.api, timeout=30)
    answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers["authorization"] = f"Bearer {answer.json()['token']}"
    return client


@pytest.fixture(scope="module")
def officers(trio: Any, kit: Any) -> Any:
    """One operator of each role at north, signed in: role to client."""
    clients = {}
    for role in ROLES:
        kit.ok(
            *("operator", "add", trio.north.dir, role[:3], "--role", role, "--password-stdin"),
            stdin=PASSWORD + "\n",
        )
        clients[role] = sign_in(trio.north, role[:3])
    yield clients
    for client in clients.values():
        client.close()


def events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Events of a stream: name and data."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@contextmanager
def stream(client: httpx.Client, **params: Any) -> Iterator[Iterator[tuple[str, Any]]]:
    """An open stream."""
    with client.stream("GET", "/api/v1/stream", params=params) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield events(answer)


def next_of(found: Iterator[tuple[str, Any]], kind: str) -> Any:
    """The next event of a kind."""
    return next(data for name, data in found if name == kind)


def clash(trio: Any, kit: Any, name: str, lon: float) -> str:
    """Two notices in one place; the conflict's id, known to north."""
    trio.file(trio.south, kit.feature(name, lon), "--wait", "delivered")
    done = trio.file(trio.north, kit.feature(name, lon), "--wait", "delivered")
    (found,) = done.json["conflicts"]
    return str(found["id"])


def test_picture_holds_what_the_lists_hold(trio: Any, kit: Any, officers: Any) -> None:
    """Notices, conflicts, lines, ledger and agreement, typed, at one revision."""
    id_ = clash(trio, kit, "P-1", 10)
    found = officers["reader"].get("/api/v1/picture").json()
    assert found["revision"] == found["ledger"]["entries"]
    assert (found["party"], found["name"], found["role"]) == ("north", "North", "party")
    assert {row["id"] for row in found["notices"]} >= {"north:P-1", "south:P-1"}
    (conflict,) = [row for row in found["conflicts"] if row["id"] == id_]
    assert (conflict["own"], conflict["peer"]) == ("north:P-1", "south:P-1")
    assert f"conflict:{id_}" in {row["id"] for row in found["alarms"]}
    assert [(row["peer"], row["state"]) for row in found["lines"]] == [("south", "open")]
    assert found["agreement"]["lateral_nm"] == 3
    assert found["epoch"] == found["ledger"]["origin"]
    since = officers["reader"].get("/api/v1/picture", params={"since": found["revision"]}).json()
    assert (since["since"], since["notices"], since["conflicts"]) == (found["revision"], [], [])


def test_picture_of_another_epoch_or_a_future_revision_is_whole(trio: Any, officers: Any) -> None:
    """Whoever holds another ledger's picture, or more than there is, starts again from 0."""
    client = officers["reader"]
    whole = client.get("/api/v1/picture").json()
    at = {"since": whole["revision"], "epoch": "detente/north/log/9"}
    for params in (at, {"since": 10**9}, {"since": -1}):
        found = client.get("/api/v1/picture", params=params).json()
        assert (found["since"], len(found["notices"])) == (0, len(whole["notices"]))


def test_stream_tells_at_once_what_changed_and_ticks_every_second(
    trio: Any, kit: Any, officers: Any
) -> None:
    """First all, then a peer's notice as soon as it is here, and ticks between."""
    with stream(officers["watch"]) as found:
        kinds = {name for name, _ in (next(found), next(found))}
        assert kinds == {"tick", "picture"}
        trio.file(trio.south, kit.feature("S-1", 12), "--wait", "delivered")
        while "south:S-1" not in {row["id"] for row in next_of(found, "picture")["notices"]}:
            pass
        ticks = [next_of(found, "tick") for _ in range(3)]
        assert len({tick["now"] for tick in ticks}) == 3
        assert ticks[-1]["revision"] == ticks[-1]["ledger"]["entries"]
        assert set(ticks[-1]["alarms"]) == {"emergency", "warning", "caution", "over"}


def test_stream_from_a_revision_sends_only_what_came_after(
    trio: Any, kit: Any, officers: Any
) -> None:
    """A console that was away asks with what it has, by parameter or as a browser that connects again."""
    client = officers["watch"]
    before = client.get("/api/v1/picture").json()
    trio.file(trio.north, kit.feature("S-2", 14), "--wait", "delivered")
    for params, headers in (
        ({"since": before["revision"], "epoch": before["epoch"]}, {}),
        ({"since": 0}, {"last-event-id": f"{before['revision']} {before['epoch']}"}),
    ):
        with client.stream("GET", "/api/v1/stream", params=params, headers=headers) as answer:
            picture = next_of(events(answer), "picture")
        assert picture["since"] == before["revision"]
        assert [row["id"] for row in picture["notices"]] == ["north:S-2"]


def test_stream_without_a_session_is_refused(trio: Any) -> None:
    """No event without sign-in."""
    assert httpx.get(trio.north.api + "/api/v1/stream", timeout=30).status_code == 401
    assert httpx.get(trio.north.api + "/api/v1/picture", timeout=30).status_code == 401


def test_stream_ends_when_its_session_does(trio: Any, kit: Any) -> None:
    """Signing out ends what was open under it."""
    kit.ok(
        *("operator", "add", trio.north.dir, "gone", "--role", "reader", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    client = sign_in(trio.north, "gone")
    with stream(client) as found:
        next_of(found, "tick")
        other = httpx.Client(base_url=trio.north.api, headers=dict(client.headers), timeout=30)
        assert other.delete("/api/v1/session").status_code < 300
        list(found)  # it ends; a stream that went on would never come back from here
    assert client.get("/api/v1/picture").status_code == 401


def test_stream_of_a_locked_session_carries_ticks_only(trio: Any, kit: Any) -> None:
    """A locked console hears that there are alarms and nothing of what they are; unlocked, it gets all."""
    kit.ok(
        *("operator", "add", trio.north.dir, "lock", "--role", "watch", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    client = sign_in(trio.north, "lock")
    with stream(client) as found:
        next_of(found, "picture")
        assert client.post("/api/v1/session/lock").status_code < 300
        trio.file(trio.north, kit.feature("L-1", 16), "--wait", "delivered")
        # what was under way when it was locked may come; after one tick there is nothing more
        next_of(found, "tick")
        names = [next(found)[0] for _ in range(3)]
        assert names == ["tick"] * 3
        assert client.get("/api/v1/picture").status_code == 423
        opened = client.post("/api/v1/session/unlock", json={"password": PASSWORD})
        assert opened.status_code < 300, opened.text
        picture = next_of(found, "picture")
        assert picture["since"] == 0
        assert "north:L-1" in {row["id"] for row in picture["notices"]}


@pytest.mark.parametrize("role", ROLES)
def test_only_a_watch_or_its_supervisor_acknowledges(
    trio: Any, kit: Any, officers: Any, role: str
) -> None:
    """Others may see an alarm and cannot silence it; the first who does is named to all."""
    id_ = "conflict:" + clash(trio, kit, f"R-{ROLES.index(role)}", 20 + 2 * ROLES.index(role))
    answer = officers[role].post("/api/v1/acknowledgements", json={"alarms": [id_]})
    may = role in ("watch", "supervisor")
    assert answer.status_code == (200 if may else 403)
    rows = officers["reader"].get("/api/v1/picture").json()["alarms"]
    (row,) = [one for one in rows if one["id"] == id_]
    if not may:
        assert row["acknowledged"] is None
        return
    assert row["acknowledged"]["officer"] == role[:3]
    assert row["acknowledged"]["role"] == role
    again = officers["watch"].post("/api/v1/acknowledgements", json={"alarms": [id_]}).json()
    assert again["alarms"] == [row]


def test_acknowledging_what_is_not_there_is_a_clear_error(officers: Any) -> None:
    """An unknown id, none at all and too many each say what is wrong."""
    for alarms, code in ((["x"], "alarm-unknown"), ([], "alarms-count"), (["x"] * 1001, "alarms-count")):  # fmt: skip
        answer = officers["watch"].post("/api/v1/acknowledgements", json={"alarms": alarms})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_preview_is_what_filing_finds_and_leaves_no_trace(
    trio: Any, kit: Any, officers: Any
) -> None:
    """The same verdict before and after, and between them not a byte of the ledger has changed."""
    trio.file(trio.south, kit.feature("V-1", 40), "--wait", "delivered")
    client, document = officers["watch"], kit.feature("V-1", 40)
    before = trio.north.status()["ledger"]["entries"]
    answer = client.post("/api/v1/preview", json=document)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert trio.north.status()["ledger"]["entries"] == before
    assert (found["id"], found["version"], found["verdict"]) == ("north:V-1", 1, "conflict")
    (meeting,) = found["meetings"]
    filed = client.post("/api/v1/notices", json=document).json()
    assert filed["conflicts"][0]["reason"] == meeting["reason"]
    again = client.post("/api/v1/preview", json=document)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "notice-exists")
    amended = client.post("/api/v1/preview", params={"amend": True}, json=document).json()
    assert (amended["version"], amended["verdict"]) == (2, "conflict")
    assert officers["reader"].post("/api/v1/preview", json=document).status_code == 403
    assert client.post("/api/v1/preview", content=b"{").status_code == 400


def test_timeline_and_proof_of_a_notice(trio: Any, kit: Any, officers: Any) -> None:
    """What happened, in order; and the bundle that the proof names is one that verifies."""
    trio.file(trio.north, kit.feature("T-1", 44), "--wait", "delivered")
    client = officers["records"]
    rows = client.get("/api/v1/notices/north:T-1/timeline").json()["rows"]
    assert [row["kind"] for row in rows] == ["filed", "signed", "delivered"]
    proof = client.get("/api/v1/notices/north:T-1/proof").json()
    (one,) = proof["statements"]
    assert one["receipt"]["party"] == "south"
    bundle = trio.root / proof["file"]
    bundle.write_bytes(client.get(proof["bundle"]).content)
    words = proof["command"].replace(proof["file"], str(bundle)).split()[1:]
    done = kit.cli(*[str(trio.agreement) if w == "agreement.json" else w for w in words], "--json")
    assert done.code == 0
    assert done.json["statement"]["id"] == one["id"]
    assert client.get("/api/v1/notices/north:none/proof").status_code == 404


def test_node_with_open_streams_stops_at_once(make: Any, kit: Any) -> None:
    """Consoles that listen do not keep a node from stopping, and their streams end cleanly."""
    parties = make("north", "south")
    parties.start("north", "south")
    node = parties.north
    with node.http() as one, node.http() as other, stream(one) as found, stream(other) as more:
        for open_ in (found, more):
            next_of(open_, "tick")
        started = time.monotonic()
        node.signal(signal.SIGTERM)
        assert time.monotonic() - started < 5  # the grace for answers is two
        list(found)
        list(more)


def test_line_that_is_down_alarms_and_is_over_when_it_is_back(make: Any, kit: Any) -> None:
    """The peer dies: a line alarm with one id; it comes back: the same alarm is over, until it is seen."""
    parties = make("north", "south")
    for node in (parties.north, parties.south):
        path = node.dir / "config.toml"
        text = path.read_text().replace("heartbeat_s = 15", "heartbeat_s = 0.5")
        path.write_text(text.replace("retry_most_s = 60", "retry_most_s = 0.5"))
    parties.start("north", "south")
    parties.wait_open()
    parties.south.kill()

    def lines() -> Any:
        rows = parties.north.get("/api/v1/picture")["alarms"]
        return [row for row in rows if row["kind"] == "line" and row["party"] == "south"]

    (alarm,) = kit.until(lines, "the line to south alarms")
    assert (alarm["over"], alarm["rank"]) == (False, 1)
    assert alarm["id"] == f"line:south:{alarm['raised']}"
    time.sleep(1.5)
    assert [row["id"] for row in lines()] == [alarm["id"]]
    assert parties.north.get("/api/v1/picture")["lines"][0]["failing"]
    parties.south.start()
    (over,) = kit.until(lambda: [r for r in lines() if r["over"]], "the alarm is over")
    assert (over["id"], over["acknowledged"]) == (alarm["id"], None)
    with parties.north.http() as client:
        answer = client.post("/api/v1/acknowledgements", json={"alarms": [alarm["id"]]})
        assert answer.status_code == 200
    parties.north.stop()
    parties.north.start()
    (kept,) = lines()
    assert (kept["id"], kept["acknowledged"]["role"]) == (alarm["id"], "local")


def test_revision_is_the_same_after_a_restart(make: Any, kit: Any) -> None:
    """A console goes on with the revision that it has when the node was killed and started again."""
    parties = make("north", "south")
    parties.start("north", "south")
    parties.wait_open()
    parties.file(parties.north, kit.feature("A-1"), "--wait", "delivered")
    parties.settle()
    before = parties.north.get("/api/v1/picture")
    parties.north.kill()
    parties.north.start()
    since = parties.north.get("/api/v1/picture", since=before["revision"], epoch=before["epoch"])
    assert (since["epoch"], since["since"]) == (before["epoch"], before["revision"])
    assert [row["id"] for row in since["notices"]] == []
    after = parties.north.get("/api/v1/picture")
    assert after["notices"] == before["notices"]

"""A line's health with real nodes: declared beside observed, scheduled checks, another path, files by courier."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
        lambda: (row := of_line(south, "north")).declared and row.observed == "open" and row,
        "the word is at south, which hears north",
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
    kit.until(lambda: of_line(north, "south").word == "open", "open, and heard")


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


def test_desks_and_lines_are_worked_from_the_command_line(trio: Any, kit: Any) -> None:
    """H-LIN-1, H-LIN-5: what the console does at the desks and lines a command does, in the same words."""
    north, south = trio.north.dir, trio.south.dir
    told = ("--from", kit.at(-5), "--until", kit.at(300), "--language", "en", "--language", "he")
    assert "said to south" in kit.ok("roster", "say", north, "general-staff", *told).out
    kit.until(lambda: "general-staff" in kit.ok("roster", "show", south).out, "told at south")
    kit.cli(
        *("operator", "add", north, "cy", "--role", "watch", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    handed = kit.ok("handover", north, "--to", "cy", "--sound-not-tested", "--notes", "all quiet")
    assert "sound was not tested" in handed.out
    assert (
        "to cy at operations-cell, sound NOT tested: all quiet"
        in kit.ok("roster", "show", north).out
    )
    asked = kit.cli("line", "fault", north, "south", "--reason", "an ultimatum", "--scope", "talk")
    assert (asked.code, "--confirmed" in asked.out) == (1, True)
    fault = ("line", "fault", north, "south", "--reason", "mast down", "--scope", "talk")
    assert "declared at fault (talk)" in kit.ok(*fault).out
    shown = kit.ok("line", "show", north, "south").out
    assert "line to south: open-fault" in shown
    assert "declared: fault (talk) by north since" in shown
    assert "observed: open;" in shown
    kit.ok("talk", "say", north, "a fault refuses nothing", "--exercise")  # H-LIN-2
    kit.ok("line", "resume", north, "south", "--reason", "mended", "--scope", "talk")
    assert "declared: nothing; observed: open" in kit.ok("status", north).out
    kit.ok("line", "check", north, "south")
    kit.until(lambda: "answered in" in kit.ok("line", "show", north, "south").out, "answered")


# -- two addresses -------------------------------------------------------------------------------------


class Way:
    """A wire to a port that a test can cut: whoever calls is then refused."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self._to = port, to
        self._door: socket.socket | None = None
        self._ends: list[socket.socket] = []

    @property
    def address(self) -> str:
        """As a card names it."""
        return f"https://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Let calls through."""
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._door,), daemon=True).start()

    def cut(self) -> None:
        """Refuse calls and end those under way."""
        door, self._door = self._door, None
        for one in (door, *self._ends):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._ends.clear()

    def _serve(self, door: socket.socket) -> None:
        while True:
            try:
                caller, _ = door.accept()
                called = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._ends += [caller, called]
            for one, other in ((caller, called), (called, caller)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65_536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return


def set_up(node: Any, **settings: Any) -> None:
    """Change settings of a stopped node."""
    path = node.dir / "config.toml"
    text = path.read_text()
    for name, value in settings.items():
        text, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        assert found == 1, name
    path.write_text(text)


@pytest.fixture
def ways(kit: Any) -> Iterator[Any]:
    """Makes ways that end with the test."""
    made: list[Way] = []

    def build(to: int) -> Way:
        made.append(Way(kit.free_port(), to))
        return made[-1]

    yield build
    for one in made:
        one.cut()


def fast_clock(rate: int = 20) -> str:
    """Terms with a clock that shows half a minute before a check now and runs `rate` times as fast."""
    now = datetime.now(UTC)
    start = (now + timedelta(days=1)).strftime("%Y-%m-%dT08:59:30Z")
    return (
        'comm_checks = ["09:00"]\ncheck_reply_s = 60\nexercise_only = true\n'
        f"clock_offset_limit_s = {5 * rate}\n"
        f'[scenario_clock]\nname = "drill"\nstarts_at = "{start}"\n'
        f'real_start = "{now.strftime("%Y-%m-%dT%H:%M:%SZ")}"\nrate = {rate}\n'
    )


def alarm(node: Any, kind: str) -> Any:
    """The newest alarm of a kind."""
    rows = [row for row in node.get("/api/v1/picture")["alarms"] if row["kind"] == kind]
    return max(rows, key=lambda row: row["raised"], default=None)


def test_missed_check_goes_by_the_second_address_also_after_a_restart(
    make: Any, kit: Any, ways: Any
) -> None:
    """H-LIN-3, H-LIN-6: a check that nobody answers is missed and an alarm; after a restart it goes by the alternate path, which
    carries what is on the safety chain until the first address answers again, and ordinary statements wait for that."""
    south_port, nowhere = kit.free_port(), f"https://127.0.0.1:{kit.free_port()}"
    first, second = ways(south_port), ways(south_port)
    parties = make(terms=fast_clock(), addresses={"south": first.address, "north": nowhere})
    north, south = parties.north, parties.south
    set_up(south, listen=f'"127.0.0.1:{south_port}"')
    for node in (north, south):
        set_up(node, heartbeat_s=1, retry_most_s=1)
    set_up(north, alternates=f'{{ south = "{second.address}" }}')
    parties.start("north", "south")
    slot = kit.until(
        lambda: (
            (found := of_line(north, "south").streak) and found[-1].state == "missed" and found[-1]
        ),
        "the check is missed",
    )
    raised = kit.until(lambda: alarm(north, "comm-check"), "it is an alarm")
    assert (raised["rank"], raised["over"], raised["message"]) == (2, False, slot.slot)
    row = of_line(north, "south")
    assert (row.word, row.path, row.alternate) == ("silent", None, True)
    assert row.failing
    north.kill()
    second.open()
    north.start()
    answered = kit.until(
        lambda: (found := of_line(north, "south")).streak[-1].state == "late" and found,
        "it is answered by the other way",
    )
    assert (answered.streak[-1].slot, answered.streak[-1].path) == (slot.slot, "alternate")
    assert (answered.path, answered.observed) == ("alternate", "open")
    kit.until(lambda: alarm(north, "comm-check")["over"], "the alarm is over")
    kit.ok("cease", north.dir, "--reason", "stop", "--exercise")
    parties.file(north, kit.feature("O-1", start=kit.at(3000), end=kit.at(3060)))
    kit.until(lambda: south.get("/api/v1/ceases")["ceases"], "the request is at south")
    kit.until(lambda: alarm(south, "cease"), "and sounds there")
    assert "north:O-1" not in south.notices()
    assert "by the second address" in kit.ok("line", "show", north.dir, "south").out
    first.open()
    kit.until(lambda: "north:O-1" in south.notices(), "ordinary statements go on")
    kit.until(lambda: of_line(north, "south").path == "first", "by the first address")
    kit.until(lambda: of_line(north, "south").failing is None, "nothing fails any more")
    codes = [event["code"] for event in north.get("/api/v1/events")["events"]]
    assert codes.count("line-alternate") == codes.count("line-first") == 1


def test_cease_request_goes_by_the_second_address_as_soon_as_the_first_fails(
    make: Any, kit: Any, ways: Any
) -> None:
    """H-LIN-6: what earns a receipt on the safety chain does not wait for a check to be missed; and its keys are pinned there too."""
    south_port, nowhere = kit.free_port(), f"https://127.0.0.1:{kit.free_port()}"
    first, second = ways(south_port), ways(south_port)
    parties = make(addresses={"south": first.address, "north": nowhere})
    north, south = parties.north, parties.south
    set_up(south, listen=f'"127.0.0.1:{south_port}"')
    set_up(north, alternates=f'{{ south = "{second.address}" }}', retry_most_s=60)
    first.open()
    second.open()
    parties.start("south")
    parties.start("north")  # who is there when it first tries: each failure doubles its pause
    parties.wait_open()
    assert of_line(north, "south").path == "first"
    first.cut()
    kit.ok("line", "check", north.dir, "south")
    kit.until(lambda: of_line(north, "south").failing, "the first address fails")
    assert of_line(south, "north").by_hand == []
    kit.ok("cease", north.dir, "--reason", "stop", "--exercise")
    kit.until(lambda: south.get("/api/v1/ceases")["ceases"], "the request is at south")
    slot = kit.until(
        lambda: [s for s in of_line(north, "south").by_hand if s.state == "answered"],
        "the check went along",
    )[-1]
    assert slot.path == "alternate"  # it counts for no way that it did not go
    assert of_line(north, "south").path == "alternate"
    second.cut()
    stranger = ways(parties.witness.port)
    parties.start("witness")
    stranger.port = second.port
    stranger.open()
    kit.ok("cease", north.dir, "--reason", "again", "--exercise")
    kit.until(lambda: north.line("south")["failing"], "whoever else answers there is no peer")
    assert len(south.get("/api/v1/ceases")["ceases"]) == 1
    first.open()
    kit.until(lambda: len(south.get("/api/v1/ceases")["ceases"]) == 2, "the second request", 90)


# -- silent, or suspended ------------------------------------------------------------------------------


def words(north: Any, south: Any) -> tuple[str, str]:
    """The word of the line on either side."""
    return of_line(north, "south").word, of_line(south, "north").word


def test_silence_and_suspension_are_different_words_on_both_sides(
    make: Any, kit: Any, ways: Any
) -> None:
    """H-LIN-4: a line that nobody answers is silent, one that was suspended before is silent-suspended, and one that is
    suspended and heard is open-suspended; the same on both sides, after a restart as well."""
    ports = {"north": kit.free_port(), "south": kit.free_port()}
    wires = {name: ways(port) for name, port in ports.items()}
    parties = make(addresses={name: wire.address for name, wire in wires.items()})
    north, south = parties.north, parties.south
    for node in (north, south):
        set_up(node, listen=f'"127.0.0.1:{ports[node.party]}"', heartbeat_s=2, retry_most_s=0.5)
    for wire in wires.values():
        wire.open()
    parties.start("north", "south")
    kit.until(lambda: words(north, south) == ("open", "open"), "both hear each other")
    for wire in wires.values():
        wire.cut()
    kit.until(lambda: words(north, south) == ("silent", "silent"), "neither hears the other")
    assert of_line(north, "south").declarations == []
    for wire in wires.values():
        wire.open()
    kit.until(lambda: words(north, south) == ("open", "open"), "they hear each other again")
    kit.ok("line", "suspend", south.dir, "north", "--reason", "the talks ended")
    kit.until(
        lambda: words(north, south) == ("open-suspended", "open-suspended"), "both know and hear"
    )
    # H-LIN-2: our own ordinary statements are refused on either side, and the safety chain is not
    for node in (north, south):
        refused = parties.file(node, kit.feature(f"S-{node.party}"))
        assert refused.json["error"]["code"] == "line-suspended"
        talk = kit.cli("talk", "say", node.dir, "hello", "--exercise", "--json")
        assert talk.json["error"]["code"] == "line-suspended"
        kit.ok("cease", node.dir, "--reason", "stop", "--exercise")
    kit.until(
        lambda: all(len(node.get("/api/v1/ceases")["ceases"]) == 2 for node in (north, south)),
        "both requests are on both sides",
    )
    for wire in wires.values():
        wire.cut()
    north.kill()
    north.start()
    kit.until(
        lambda: words(north, south) == ("silent-suspended", "silent-suspended"),
        "suspended, and silent now",
    )
    text = kit.ok("status", north.dir).out
    assert "declared: suspended (all) by south" in text
    assert "observed: silent" in text
    shown = kit.cli("line", "show", north.dir, "south")
    assert (shown.code, "silent-suspended" in shown.out) == (1, True)
    kit.ok("line", "resume", south.dir, "north", "--reason", "talks go on")
    # south has said so, and north has not heard it
    assert words(north, south) == ("silent-suspended", "silent")
    for wire in wires.values():
        wire.open()
    kit.until(lambda: words(north, south) == ("open", "open"), "resumed and heard")


def test_word_that_waits_for_the_line_is_shown_and_can_be_taken_back(make: Any, kit: Any) -> None:
    """What was filed about a line that is down is neither declared nor lost: it is shown, and resuming takes it back."""
    parties = make()
    north = parties.north
    parties.start("north")
    said = kit.ok("line", "suspend", north.dir, "south", "--reason", "pressed by mistake").out
    assert "goes when the line is up" in said
    row = of_line(north, "south")
    assert ([one.said for one in row.filed], row.declared) == (["suspended"], None)
    kit.ok("line", "resume", north.dir, "south", "--reason", "by mistake")
    assert of_line(north, "south").filed == []
    parties.start("south")
    parties.wait_open()
    assert of_line(parties.south, "north").declared is None


# -- by courier ----------------------------------------------------------------------------------------


def test_cease_request_and_its_reply_go_by_courier_where_no_wire_goes(make: Any, kit: Any) -> None:
    """F-COU-1, F-COU-2: two nodes that cannot reach each other exchange a cease request and its reply by files, under the
    rules of every frame: brought twice it changes nothing, and a letter is no voice."""
    nowhere = {name: f"https://127.0.0.1:{kit.free_port()}" for name in ("north", "south")}
    parties = make(addresses=nowhere)
    north, south = parties.north, parties.south
    bag = parties.root / "bag"
    bag.mkdir()

    def take(node: Any, number: int) -> Any:
        words = ("courier", "import", node.dir, bag / str(number), "-o", bag / str(number + 1))
        return kit.ok(*words, "--json").json

    parties.start("north", "south")
    kit.ok("cease", north.dir, "--reason", "stop", "--exercise")
    wrote = kit.ok("courier", "export", north.dir, bag / "1", "--json").json
    assert (wrote["state"], wrote["statements"], wrote["unsigned"]) == ("cold", 0, 1)
    assert take(south, 1)["carry"] is True
    back = take(north, 2)
    assert (back["state"], back["statements"], back["unsigned"]) == ("open", 1, 0)
    assert take(south, 3)["taken"] == 1
    (asked,) = south.get("/api/v1/ceases")["ceases"]
    assert alarm(south, "cease")["statement"] == asked["statement"]
    kit.ok("cease", "reply", south.dir, asked["statement"], "ceasing")
    kit.ok("courier", "export", south.dir, bag / "5")
    answered = take(north, 5)
    assert answered["taken"] == 2  # the receipt and the reply
    (row,) = north.get("/api/v1/urgent")["urgent"]
    assert row["status"] == "ceasing"
    assert take(south, 6)["carry"] is True
    assert take(north, 7)["carry"] is False
    entries = south.status()["ledger"]["entries"]
    again = take(south, 3)
    assert (again["taken"], again["duplicates"]) == (0, 1)
    assert south.status()["ledger"]["entries"] == entries
    for node, peer in ((north, "south"), (south, "north")):
        line = of_line(node, peer)
        assert (line.observed, line.path, line.last_heard) == ("silent", "courier", None)
        assert kit.ok("ledger", "verify", node.dir, "--json").json["consistent"]


def test_file_that_is_no_frame_to_this_party_is_refused(make: Any, kit: Any) -> None:
    """A file that was changed on the way, or is for another, is refused by name, and nothing is taken."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    bag = parties.root / "frame"
    kit.ok("courier", "export", north.dir, bag)
    entries = south.status()["ledger"]["entries"]
    own = kit.cli("courier", "import", north.dir, bag, "--json")
    assert own.json["error"]["code"] == "frame-misdirected"
    document = json.loads(bag.read_text())
    document["frame"]["number"] += 1
    for text in (json.dumps(document, separators=(",", ":")), "{}", ""):
        bag.write_text(text)
        refused = kit.cli("courier", "import", south.dir, bag, "--json")
        assert refused.code != 0
        assert refused.json["error"]["kind"] == "PeerError"
    assert [r["peer"] for r in south.get("/api/v1/evidence")["samples"]] == ["-"] * 3
    assert south.status()["ledger"]["entries"] <= entries + 2  # of the line between the two

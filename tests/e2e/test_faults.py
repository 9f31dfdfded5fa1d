"""A full disk, a restored old backup, a lying peer, a wrong clock: noticed, said, and lived through."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

LIAR_WORDS = {"equivocation", "chain-fork", "forked"}


def alarms(node: Any) -> set[str]:
    """Codes of a node's alarms."""
    return {alarm["code"] for alarm in node.status()["alarms"]}


def proves(parties: Any, kit: Any, kind: str) -> None:
    """North's record proves a wrong of south's to anyone, as a file that the command verifies offline."""
    found = kit.cli("evidence", parties.north.dir, "--json").json["evidence"]
    number = next(row["number"] for row in found if row["kind"] == kind)
    file = parties.root / f"{kind}.evidence"
    kit.cli("evidence", parties.north.dir, "export", number, "-o", file)
    shown = kit.cli("verify", file, "--trust", parties.agreement, "--json")
    assert (shown.json["kind"], shown.json["against"]) == (kind, "south")
    assert file.read_bytes().startswith(b"detente-evidence/1 ")


def both_agree(kit: Any, *nodes: Any) -> None:
    """Every ledger verifies, every fold rebuilds, and all know the same conflicts."""
    for node in nodes:
        audit = kit.ok("ledger", "verify", node.dir, "--json").json
        assert audit["consistent"], audit["problems"]
        assert kit.ok("rebuild", node.dir, "--json").json["identical"]
    assert len({str(sorted(node.conflicts().items(), key=str)) for node in nodes}) == 1


# -- a full disk -----------------------------------------------------------------------------------


def set_room(node: Any, megabytes: float) -> None:
    """Bound the store of a stopped node; 0 takes the bound away."""
    path = node.dir / "config.toml"
    text = re.sub(r"store_megabytes = .*", f"store_megabytes = {megabytes}", path.read_text())
    path.write_text(text)


def test_full_disk_is_told_to_the_sender_and_nothing_is_lost(make: Any, kit: Any) -> None:
    """A node without room answers 507 and takes nothing; the sender's line shows it and keeps all;
    once there is room everything arrives, and both records are consistent."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    parties.file(north, kit.feature("D-0", 10, 10), "--wait", "delivered")
    parties.settle()
    south.stop()
    set_room(south, (south.dir / "detente.db").stat().st_size / 1e6 + 0.1)
    south.start()
    text = "x" * 3500
    for i in range(1, 40):
        ran = parties.file(north, kit.feature(f"D-{i}", 10, 10, text=text))
        assert ran.code == 0, ran.err
    failing = kit.until(lambda: north.line("south")["failing"], "the line says so")
    assert failing == "answered 507 store-unavailable"
    # near the edge of the room a small frame still fits now and then, and the line says so for a moment
    assert kit.until(lambda: "FAILING" in kit.ok("status", north.dir).out, "status says so")
    assert kit.until(lambda: kit.cli("doctor", north.dir).code == 1, "doctor says so")
    # its own officers are told as well, with the exit code of what may succeed later
    own = kit.until(
        lambda: next(
            (
                ran
                for i in range(60)
                if (
                    ran := parties.file(south, kit.feature(f"S-{time.monotonic_ns()}", text=text))
                ).code
            ),
            None,
        ),
        "south refuses to file",
    )
    assert (own.code, own.json["error"]["code"]) == (4, "store-unavailable")
    assert "free disk space" in own.err
    assert kit.ok("ledger", "verify", south.dir, "--json").json["consistent"]
    held = len(south.notices())
    assert held < 40
    south.stop()
    set_room(south, 0)
    south.start()
    kit.until(
        lambda: len([n for n in south.notices() if n.startswith("north")]) == 40, "all at south"
    )
    parties.settle()
    own_rows = [r for r in north.notices().values() if r["party"] == "north"]
    assert {row["state"] for row in own_rows} == {"delivered"}
    kit.until(lambda: north.line("south")["failing"] is None, "line answers")
    both_agree(kit, north, south)
    assert not (alarms(north) | alarms(south)) & LIAR_WORDS


# -- a restored old backup ---------------------------------------------------------------------------


def test_restored_old_backup_is_noticed_signs_nothing_and_recovers(make: Any, kit: Any) -> None:
    """A node restored from an old backup is told so by its peer, files but signs nothing, shows the
    way forward, takes its lost statements back, opens a new log epoch, and is no liar."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start()
    parties.wait_open()
    parties.file(north, kit.feature("B-1", 10, 10), "--wait", "delivered")
    parties.settle()
    saved = parties.root / "backup.tar"
    kit.ok("backup", north.dir, saved)
    assert saved.stat().st_mode & 0o077 == 0
    for i in range(2, 5):
        parties.file(north, kit.feature(f"B-{i}", 10 + i, 10), "--wait", "delivered")
    parties.file(south, kit.feature("C-1", 12.05, 10), "--wait", "delivered")
    parties.settle()
    before = south.conflicts()
    assert before
    north.stop()
    north.dir.rename(parties.root / "lost")
    kit.ok("restore", saved, north.dir)
    assert (north.dir / "keys" / "signing.seed").stat().st_mode & 0o077 == 0

    north.start()
    kit.until(lambda: north.status()["fault"] == "behind", "north knows that it is behind")
    filed = parties.file(north, kit.feature("B-9", 40, 10))
    assert filed.code == 0, filed.err
    assert filed.json["signed"] == []
    waited = parties.file(
        north, kit.feature("B-8", 50, 10), "--wait", "delivered", "--timeout", "1"
    )
    assert waited.code == 4
    for words in (("status", north.dir), ("doctor", north.dir)):
        ran = kit.cli(*words)
        assert "detente recover" in ran.out, ran.out
    assert kit.cli("doctor", north.dir).code == 1
    assert "north:B-9" not in south.notices()
    north.kill()  # the fault outlives a restart
    north.start()
    assert north.status()["fault"] == "behind"
    kit.until(lambda: north.line("south")["state"] == "behind", "behind again")

    recovered = kit.ok("recover", north.dir, "--json").json
    assert recovered["epoch"] == 2
    kit.until(lambda: north.status()["fault"] is None, "recovered")
    kit.until(lambda: "north:B-9" in south.notices(), "what waited is sent")
    parties.settle()
    assert set(north.notices()) == set(south.notices())
    assert {"north:B-2", "north:B-3", "north:B-4", "south:C-1"} <= set(north.notices())
    assert north.status()["ledger"]["origin"] == "detente/north/log/2"
    again = parties.file(north, kit.feature("B-10", 60, 10), "--wait", "delivered")
    assert again.code == 0, again.err
    assert {k: v for k, v in south.conflicts().items() if k in before} == before
    both_agree(kit, north, south)
    assert not (alarms(north) | alarms(south)) & LIAR_WORDS
    for wanted in ("north:B-3", "north:B-9", "south:C-1"):
        for node in (north, south):
            bundle = parties.root / "bundle"
            kit.ok("prove", node.dir, wanted, "-o", bundle, "--wait-s", "0")
            kit.ok("verify", bundle, "--trust", parties.agreement)
    # the witness goes on in the new log
    kit.until(
        lambda: "witness" in north.status()["ledger"]["cosigned_by"], "the witness cosigns epoch 2"
    )


def test_peer_that_was_restored_is_shown_and_gets_its_own_words_back(make: Any, kit: Any) -> None:
    """The other side's status names a peer that lost statements; a newer backup needs no recovery."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    parties.file(north, kit.feature("B-1"), "--wait", "delivered")
    parties.settle()
    north.stop()
    saved = parties.root / "backup.tar"
    kit.ok("backup", north.dir, saved)
    shutil.rmtree(north.dir)
    kit.ok("restore", saved, north.dir)  # nothing was said since: this backup is not old
    north.start()
    parties.wait_open()
    assert north.status()["fault"] is None
    ran = parties.file(north, kit.feature("B-2"), "--wait", "delivered")
    assert ran.code == 0, ran.err
    assert "peer-behind" not in alarms(south)
    both_agree(kit, north, south)


# -- a lying peer ------------------------------------------------------------------------------------


class Liar:
    """South's keys and record in the hands of somebody who keeps no rule."""

    def __init__(self, parties: Any, name: str) -> None:
        from detente.node import tls
        from detente.node.home import Home
        from detente.node.store import Store
        from detente.protocol.core import Core

        south, north = parties.south, parties.north
        copy = parties.root / f"{name}.db"
        source, target = sqlite3.connect(south.dir / "detente.db"), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        home = Home(south.dir)
        self.store = Store.at(copy)
        self.core = Core(home.identity(), self.store, os.urandom)
        card = self.core.state.cards["north"]
        authority = tls.check_authority(card.tls_ca, card.root, "north")
        self.client = httpx.Client(
            base_url=north.peer, verify=tls.client_context(home.tls_chain, authority), timeout=30
        )

    def say(self, name: str, version: int, lon: float) -> None:
        """Sign a version of a notice, whatever was said under that number before."""
        import json

        from detente.interop.geojson import parse_notice_geojson
        from detente.protocol.journal import Intent
        from detente.protocol.statement import SALT_BYTES, open_fields

        notice = parse_notice_geojson(json.dumps(self.feature(name, lon, 10.0)).encode())
        now_us = time.time_ns() // 1000
        values = notice.body()
        intent = Intent(
            number=0,
            type="activity/notice",
            chain="ordinary",
            exercise=True,
            agreement=self.core.agreement().hash,
            desk="operations-cell",
            thread={"id": f"south:{name}", "kind": "notice", "version": version},
            to=("north",),
            waiting=("north",),
            openings=open_fields(values, os.urandom(SALT_BYTES * len(values))),
            filed_us=now_us,
        )
        statement = self.core._statement(intent, "north", now_us)
        self.core.append("made", now_us, "delivered", statement, intent.openings)
        self.store.commit()

    feature: Any = None

    def exchange(self) -> Any:
        """One frame there, one back."""
        from detente.protocol.incoming import next_frame, read_frame, take_frame, write_frame

        now_us = time.time_ns() // 1000
        answer = self.client.post(
            "/peer/v1/frames",
            content=write_frame(self.core, next_frame(self.core, "north", now_us)),
        )
        assert answer.status_code == 200, answer.text
        taken = take_frame(self.core, read_frame(self.core, answer.content, now_us), now_us)
        self.core.link("north").offered.clear()  # what was not acknowledged goes again at once
        self.store.commit()
        return taken

    def settle(self, times: int = 4) -> None:
        """Exchange until all is said."""
        for _ in range(times):
            self.exchange()

    def close(self) -> None:
        """End it."""
        self.client.close()
        self.store.close()


@pytest.fixture
def liar(kit: Any) -> Any:
    """Makes liars of a stopped south."""

    @contextmanager
    def build(parties: Any, name: str = "liar") -> Iterator[Liar]:
        found = Liar(parties, name)
        found.feature = kit.feature
        try:
            yield found
        finally:
            found.close()

    return build


def test_two_bodies_for_one_version_are_refused_and_kept(make: Any, kit: Any, liar: Any) -> None:
    """A peer that says two things as one version is refused by rule, both statements are kept and
    provable, and an alarm names it."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    parties.settle()
    south.stop()
    with liar(parties) as south_lies:
        south_lies.settle(2)
        south_lies.say("E-1", 1, 10)
        south_lies.settle()
        south_lies.say("E-1", 1, 70)
        south_lies.settle()
        receipts = south_lies.core.state.receipts
        given = sorted((r.answer, r.rule) for r in receipts.values() if r.party == "north")
        ids = [r.statement for r in receipts.values() if r.party == "north"]
    assert given == [("delivered", None), ("refused", "equivocation")]
    assert "equivocation" in alarms(north)
    assert north.notices()["south:E-1"]["version"] == 1
    for i, statement in enumerate(ids):
        bundle = parties.root / f"e{i}"
        kit.ok("prove", north.dir, statement, "-o", bundle, "--wait-s", "0")
        found = kit.ok("verify", bundle, "--trust", parties.agreement, "--json").json
        assert found["made_by"] == "south"
    proves(parties, kit, "equivocation")
    audit = kit.ok("ledger", "verify", north.dir, "--json").json
    assert audit["consistent"], audit["problems"]


def test_two_statements_with_one_number_are_kept_as_evidence(
    make: Any, kit: Any, liar: Any
) -> None:
    """A peer that signs two statements as one number of a chain is caught with both in hand."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    parties.settle()
    south.stop()
    with liar(parties, "one") as first, liar(parties, "two") as second:
        first.settle(2)
        second.settle(2)
        first.say("F-1", 1, 10)
        first.settle()
        second.say("G-1", 1, 20)
        second.settle()
    assert alarms(north) & {"chain-fork", "forked"}
    assert "south:F-1" in north.notices()
    assert "south:G-1" not in north.notices()
    proves(parties, kit, "chain-fork")
    # the alarm repeats no matter how often it is said again
    entries = north.status()["ledger"]["entries"]
    with liar(parties, "three") as third:
        third.settle(2)
    assert north.status()["ledger"]["entries"] <= entries + 3
    audit = kit.ok("ledger", "verify", north.dir, "--json").json
    assert audit["consistent"], audit["problems"]


def test_statement_replayed_or_for_somebody_else_changes_nothing(
    make: Any, kit: Any, liar: Any
) -> None:
    """The same frame twice is one statement; the copy of it to another party is not taken here."""
    from detente.protocol.incoming import next_frame, write_frame

    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    parties.file(south, kit.feature("R-1"), "--wait", "delivered")
    parties.settle()
    south.stop()
    with liar(parties) as again:
        again.settle(2)
        again.say("R-2", 1, 33)
        now_us = time.time_ns() // 1000
        frame = write_frame(again.core, next_frame(again.core, "north", now_us))
        for _ in range(5):
            assert again.client.post("/peer/v1/frames", content=frame).status_code == 200
    rows = north.notices()
    assert set(rows) == {"south:R-1", "south:R-2"}
    shown = kit.ok("receipts", north.dir, "south:R-2", "--json").json
    assert len(shown["receipts"]) == 1
    audit = kit.ok("ledger", "verify", north.dir, "--json").json
    assert audit["consistent"], audit["problems"]


# -- a wrong clock -------------------------------------------------------------------------------------


def test_clock_beyond_the_agreed_limit_is_an_alarm_on_both_sides(make: Any, kit: Any) -> None:
    """A clock set 42 s wrong is shown beside the line, in doctor, and as an alarm; notices still pass
    and what was said late or early is flagged, never refused."""
    parties = make(terms="clock_offset_limit_s = 10\n")
    north, south = parties.north, parties.south
    south.env = {"DETENTE_CLOCK_OFFSET_S": "42"}
    parties.start("north", "south")
    parties.wait_open()
    for i in range(3):
        ran = parties.file(north, kit.feature(f"W-{i}", 10 * i, 0), "--wait", "delivered")
        assert ran.code == 0, ran.err
        ran = parties.file(south, kit.feature(f"X-{i}", 10 * i, 20), "--wait", "delivered")
        assert ran.code == 0, ran.err
    kit.until(lambda: "clock-offset" in alarms(north), "north's alarm")
    kit.until(lambda: "clock-offset" in alarms(south), "south's alarm")
    assert 41 < north.line("south")["offset_s"] < 43
    assert -43 < south.line("north")["offset_s"] < -41
    assert "clock +4" in kit.ok("status", north.dir).out
    ran = kit.cli("doctor", north.dir, "--json")
    assert ran.code == 1
    bad = [row for row in ran.json["checks"] if row["ok"] is False]
    assert [row["check"] for row in bad if "limit 10 s" in row["text"]] == ["clock offset"]
    assert "on purpose" in south.status()["clock"]


def test_clock_an_hour_off_is_flagged_in_the_receipt_and_refuses_nothing(
    make: Any, kit: Any
) -> None:
    """What claims to be from our future is taken, and flagged in the receipt."""
    parties = make()
    south = parties.south
    south.env = {"DETENTE_CLOCK_OFFSET_S": "3600"}
    parties.start("north", "south")
    parties.wait_open()
    value = kit.feature("Y-1", start=kit.at(180), end=kit.at(240))
    ran = parties.file(south, value, "--wait", "delivered")
    assert ran.code == 0, ran.err
    shown = kit.ok("receipts", south.dir, "Y-1", "--json").json
    assert shown["receipts"][0]["flags"] == ["claimed-early"]
    assert "claimed-early" in kit.ok("receipts", south.dir, "Y-1").out


def test_malformed_clock_offset_is_refused(kit: Any, make: Any, tmp_path: Path) -> None:
    """A clock set wrong on purpose must be a number; the variable is named."""
    parties = make()
    ran = kit.program("serve", parties.north.dir, env={"DETENTE_CLOCK_OFFSET_S": "soon"})
    assert ran.code == 2
    assert "DETENTE_CLOCK_OFFSET_S" in ran.err


# -- the doctor and the log ------------------------------------------------------------------------------


def test_doctor_of_a_healthy_node_finds_nothing(trio: Any, kit: Any) -> None:
    """On a running node with open lines and the machine in order doctor says ok and exits 0."""
    free = shutil.disk_usage(trio.north.dir).free
    if free < 1_000_000_000:
        pytest.skip("this machine has too little disk for doctor to be content")
    kit.until(
        lambda: all(v is None for v in trio.north.status()["cosigners"].values()), "cosigners"
    )
    ran = kit.cli("doctor", trio.north.dir, "--json")
    assert ran.code == 0, ran.out
    names = {row["check"] for row in ran.json["checks"]}
    assert names >= {
        *("python", "disk", "root key", "node", "clock", "key age", "agreement", "record"),
        *("line", "clock offset", "cosigner"),
    }


def test_doctor_finds_low_disk(trio: Any, kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less free space than weeks of traffic need is a finding."""
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(100, 99, 1_000_000)
    )
    ran = kit.cli("doctor", trio.north.dir, "--json")
    assert ran.code == 1
    assert [r["check"] for r in ran.json["checks"] if r["ok"] is False] == ["disk"]


def test_doctor_finds_missing_and_open_keys(make: Any, kit: Any) -> None:
    """Missing keys and keys that others can read are findings, one by one, not the end of doctor."""
    node = make().north
    (node.dir / "keys" / "sealing.seed").unlink()
    (node.dir / "keys" / "leaf.seed").chmod(0o640)
    ran = kit.cli("doctor", node.dir, "--json")
    assert ran.code == 1
    bad = " ".join(row["text"] for row in ran.json["checks"] if row["ok"] is False)
    assert "keys/sealing.seed" in bad
    assert "keys/leaf.seed can be read by others" in bad
    assert "port" in {row["check"] for row in ran.json["checks"]}
    assert kit.cli("doctor").code == 0  # without a directory: the machine alone


def test_log_rotates_and_holds_no_content(make: Any, kit: Any) -> None:
    """The log has kinds and ids; no text, no place, no name of an area; files are bounded."""
    parties = make()
    north, south = parties.north, parties.south
    for node in (north, south):
        path = node.dir / "config.toml"
        text = path.read_text().replace("log_megabytes = 10", "log_megabytes = 0.002")
        path.write_text(text.replace("log_files = 5", "log_files = 2"))
    parties.start("north", "south")
    parties.wait_open()
    for i in range(30):
        value = kit.feature(
            f"L-{i}", 33.456789, 44.567891, text="SECRETWORD", region="SECRETREGION"
        )
        parties.file(north, value)
    parties.file(south, kit.feature("L-X", 33.456789, 44.567891), "--wait", "delivered")
    kit.ok("notice", "cancel", north.dir, "L-1", "--reason", "SECRETREASON")
    with north.http() as client:
        client.post("/api/v1/ceases", json={"reason": "SECRETCEASE", "exercise": True})
        client.post("/api/v1/notices", content=b'{"SECRETFIELD": 1}')
        client.post("/api/v1/ask", json={"area": {"type": "SECRETAREA"}, "from": "x", "until": "y"})
    parties.settle()
    for node in (north, south):
        files = sorted((node.dir / "log").iterdir())
        assert {f.name for f in files} <= {"detente.log", "detente.log.1", "detente.log.2"}
        assert len(files) == 3
        assert all(f.stat().st_size <= 2100 for f in files)
        assert all(f.stat().st_mode & 0o077 == 0 for f in files)
        text = "".join(f.read_text() for f in files) + node.stderr.read_text()
        assert "event" in text
        assert "SECRET" not in text
        assert "33.45" not in text
        assert "44.56" not in text

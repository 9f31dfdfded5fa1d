"""The whole flow between real nodes, and the contracts that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_two_parties_file_clash_amend_ask_prove_and_both_records_agree(
    trio: Any, kit: Any, tmp_path: Path
) -> None:
    """Two parties exchange notices, see the same clash, resolve it, and prove who told whom what."""
    north, south = trio.north, trio.south
    one = trio.file(north, kit.feature("F-1", 20, 40), "--wait", "delivered")
    assert one.code == 0, one.err
    assert one.json["delivered"]["south"].endswith("Z")
    two = trio.file(south, kit.feature("G-1", 20.05, 40), "--wait", "delivered")
    assert two.code == 0, two.err
    both = [kit.cli("conflicts", node.dir, "--json") for node in (north, south)]
    assert [ran.code for ran in both] == [1, 1]
    assert both[0].json["conflicts"][0]["record"] == both[1].json["conflicts"][0]["record"]
    assert both[0].json["conflicts"][0]["notices"] == ["north:F-1", "south:G-1"]

    moved = trio.save(kit.feature("F-1", 25, 40))
    amended = kit.ok("notice", "amend", north.dir, moved, "--wait", "delivered", "--json")
    assert amended.json["version"] == 2
    for node in (north, south):
        assert kit.cli("conflicts", node.dir, "--json").code == 0
        assert {s for _, s, _ in node.conflicts().values()} == {"resolved"}

    area = trio.save(kit.square(20, 40))
    asked = kit.ok(
        *("ask", south.dir, "--area", area, "--from", kit.at(50), "--until", kit.at(130)),
        *("--by", "north", "--json"),
    )
    (found,) = asked.json["notices"]
    assert (found["id"], found["version"], found["state"]) == ("north:F-1", 1, "replaced")

    bundle = tmp_path / "f1.bundle"
    kit.ok("prove", south.dir, "north:F-1", "-o", bundle)
    said = kit.ok("verify", bundle, "--trust", trio.agreement, "--json").json
    assert (said["valid"], said["exercise"], said["made_by"]) == (True, True, "north")
    assert said["received_by"][0]["party"] == "south"
    for node in trio.nodes.values():
        assert kit.ok("ledger", "verify", node.dir, "--json").json["consistent"]
        assert kit.ok("rebuild", node.dir, "--json").json["identical"]


def test_bundle_with_one_changed_byte_is_refused(trio: Any, kit: Any, tmp_path: Path) -> None:
    """A bundle with one byte changed exits 1 and says INVALID."""
    trio.file(trio.north, kit.feature("T-1", 30, 10), "--wait", "delivered")
    bundle = tmp_path / "b"
    kit.ok("prove", trio.north.dir, "north:T-1", "-o", bundle)
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    ran = kit.cli("verify", bundle, "--trust", trio.agreement, "--json")
    assert ran.code == 1
    assert ran.json["valid"] is False
    assert kit.cli("verify", bundle, "--trust", trio.agreement).out.startswith("INVALID")


def test_cancel_reaches_the_other_side_with_its_reason(trio: Any, kit: Any) -> None:
    """A cancelled notice is cancelled on both sides, with the reason, and cannot be amended."""
    trio.file(trio.south, kit.feature("C-1", -20, 10), "--wait", "delivered")
    done = kit.ok(
        *("notice", "cancel", trio.south.dir, "C-1", "--reason", "weather", "--json"),
        *("--wait", "delivered"),
    )
    assert done.json["version"] == 2
    shown = kit.ok("notice", "show", trio.north.dir, "south:C-1", "--json").json
    assert (shown["state"], shown["reason"]) == ("cancelled", "weather")
    again = kit.cli(
        *("notice", "amend", trio.south.dir, trio.save(kit.feature("C-1", -20, 10)), "--json")
    )
    assert again.code == 1
    assert again.json["error"]["code"] == "notice-cancelled"


def test_notice_shown_to_an_officer_is_reported_as_opened(trio: Any, kit: Any) -> None:
    """When the peer's officer looks, the sender learns which desk opened it, and when."""
    trio.file(trio.north, kit.feature("O-1", -30, 10), "--wait", "delivered")
    kit.ok("notice", "show", trio.south.dir, "north:O-1")
    (row,) = kit.until(
        lambda: [
            r
            for r in kit.ok("receipts", trio.north.dir, "north:O-1", "--json").json["receipts"]
            if r["opened"]
        ],
        "opened",
    )
    assert row["opened_desk"] == "operations-cell"


# -- the contract of --json, field by field --------------------------------------------------------


@pytest.fixture(scope="module")
def filed(trio: Any, kit: Any) -> Any:
    """A clash of two notices, as real programs report it."""
    own = trio.save(kit.feature("K-1", 60, 0))
    peer = trio.save(kit.feature("K-1", 60, 0))
    ran = kit.program(
        "notice", "file", trio.north.dir, own, "--wait", "delivered", "--timeout", "20", "--json"
    )
    assert ran.code == 0, ran.err
    kit.ok("notice", "file", trio.south.dir, peer, "--wait", "delivered")
    return ran


def test_notice_file_json_has_the_fields_of_the_contract(filed: Any) -> None:
    """`notice file --json` gives id, version, lead time, late, and a time for each recipient."""
    found = filed.json
    assert (found["id"], found["version"], found["late"]) == ("north:K-1", 1, False)
    assert 3500 < found["lead_time_s"] <= 3600
    assert list(found["delivered"]) == ["south"]
    assert found["delivered"]["south"].endswith("Z")


def test_notice_list_json_has_the_fields_of_the_contract(trio: Any, kit: Any, filed: Any) -> None:
    """`notice list --json` gives id, version, party, state, received, start and end."""
    rows = {
        r["id"]: r for r in kit.program("notice", "list", trio.south.dir, "--json").json["notices"]
    }
    row = rows["north:K-1"]
    assert (row["version"], row["party"], row["state"]) == (1, "north", "received")
    assert all(row[name].endswith("Z") for name in ("received", "start", "end"))
    assert rows["south:K-1"]["state"] == "delivered"


def test_conflicts_json_has_the_fields_of_the_contract(trio: Any, kit: Any, filed: Any) -> None:
    """`conflicts --json` gives the same ids on both sides and exits 1 while any is live."""
    answers = [kit.program("conflicts", n.dir, "--json") for n in (trio.north, trio.south)]
    assert [ran.code for ran in answers] == [1, 1]
    rows = [
        next(r for r in ran.json["conflicts"] if r["notices"] == ["north:K-1", "south:K-1"])
        for ran in answers
    ]
    assert rows[0]["id"] == rows[1]["id"]
    for row in rows:
        assert (row["verdict"], row["state"]) == ("conflict", "live")
        assert row["from"].endswith("Z")
        assert row["until"].endswith("Z")
        assert "MSL" in row["lower"]


def test_ask_json_has_the_fields_of_the_contract(trio: Any, kit: Any, filed: Any) -> None:
    """`ask --json` gives id, party, lead time, receipt time, overlap, completeness and limits."""
    area = trio.save(kit.square(60, 0))
    times = ("--from", kit.at(0), "--until", kit.at(300))
    ran = kit.program("ask", trio.south.dir, "--area", area, *times, "--by", "north", "--json")
    assert ran.code == 0, ran.err
    (row,) = ran.json["notices"]
    assert (row["id"], row["party"]) == ("north:K-1", "north")
    assert 3500 < row["lead_time_s"] <= 3600
    assert row["received"].endswith("Z")
    assert set(row["overlap"]) >= {"from", "until"}
    assert ran.json["complete_until"].endswith("Z")
    assert all(isinstance(text, str) for text in ran.json["limits"])


def test_ask_where_nothing_was_exits_1_and_past_the_record_3(trio: Any, kit: Any) -> None:
    """No notice in a complete record is bad news (1); beyond the record's end it cannot be told (3)."""
    area = trio.save(kit.square(-100, -40))
    past = ("--from", kit.at(-20), "--until", kit.at(-10))
    future = ("--from", kit.at(-20), "--until", kit.at(600))
    assert kit.cli("ask", trio.south.dir, "--area", area, *past, "--json").code == 1
    ran = kit.cli("ask", trio.south.dir, "--area", area, *future)
    assert ran.code == 3
    assert "none in this record" in ran.out


def test_prove_absence_is_verified_by_anyone_and_asks_the_question_again(
    trio: Any, kit: Any, filed: Any, tmp_path: Path
) -> None:
    """South proves from its running node that north said nothing of one place, and what it said of another."""
    proof = tmp_path / "silence"
    for square, code, answer in (((-100, -40), 3, "cannot-tell"), ((60, 0), 1, "these")):
        area = trio.save(kit.square(*square))
        times = ("--from", kit.at(0), "--until", kit.at(300))
        kit.ok(
            "prove-absence", trio.south.dir, "--by", "north", "--area", area, *times, "-o", proof
        )
        ran = kit.program("verify", proof, "--trust", trio.agreement, "--json")
        assert (ran.code, ran.json["answer"]) == (code, answer), ran.err
        assert ran.json["cosigned_by"]
    area = trio.save(kit.square(-100, -40))
    past = ("--from", kit.at(-20), "--until", kit.at(-10))
    asked = ("prove-absence", trio.south.dir, "--by", "north", "--area", area)
    kit.ok(*asked, *past, "-o", proof)
    ran = kit.program("verify", proof, "--trust", trio.agreement)
    assert (ran.code, "NONE RECORDED" in ran.out) == (0, True), ran.out
    assert kit.cli(*asked, "-o", proof).code == 2


def test_verify_json_has_the_fields_of_the_contract(
    trio: Any, kit: Any, filed: Any, tmp_path: Path
) -> None:
    """`verify --json` gives the statement, who made it, where it is logged and who received it."""
    bundle = tmp_path / "k"
    kit.ok("prove", trio.north.dir, "north:K-1", "-o", bundle)
    ran = kit.program("verify", bundle, "--trust", trio.agreement, "--json")
    assert ran.code == 0, ran.err
    found = ran.json
    assert (found["valid"], found["exercise"], found["made_by"]) == (True, True, "north")
    assert found["statement"]["type"] == "activity/notice"
    assert 3500 < found["lead_time_s"] <= 3600
    for place in found["logged_at"]:
        assert set(place) >= {"log", "index", "checkpoint_time", "cosigned_by"}
    (receipt,) = found["received_by"]
    assert receipt["party"] == "south"
    assert receipt["time"].endswith("Z")
    assert len(receipt["receipt"]) == 64


def test_prove_waits_for_the_witness(trio: Any, kit: Any, filed: Any, tmp_path: Path) -> None:
    """A bundle made on a running node carries the neutral witness's cosignature."""
    bundle = tmp_path / "w"
    kit.ok("prove", trio.north.dir, "north:K-1", "-o", bundle, "--wait-s", "10")
    found = kit.ok("verify", bundle, "--trust", trio.agreement, "--json").json
    assert any("witness" in place["cosigned_by"] for place in found["logged_at"])


def test_errors_with_json_print_one_document_and_text_goes_to_standard_error(
    trio: Any, kit: Any
) -> None:
    """With --json an error is one document on standard output; the words are on standard error."""
    ran = kit.program("receipts", trio.north.dir, "north:NOPE", "--json")
    assert ran.code == 2
    assert json.loads(ran.out)["error"]["code"] == "notice-unknown"
    assert "NOPE" in ran.err
    assert "Traceback" not in ran.err


def test_command_on_what_is_no_node_exits_2(kit: Any, tmp_path: Path) -> None:
    """A directory that holds no node is a usage error with the way forward."""
    ran = kit.program("status", tmp_path)
    assert ran.code == 2
    assert "detente init" in ran.err


def test_list_of_an_80_column_terminal_keeps_every_row_on_one_line(
    trio: Any, kit: Any, filed: Any
) -> None:
    """`notice list` fits 80 columns: each notice is one line and no word is broken."""
    ran = kit.program("notice", "list", trio.north.dir, env={"COLUMNS": "80"})
    lines = [line for line in ran.out.splitlines() if "K-1" in line]
    assert len(lines) == 2
    assert all(len(line) <= 80 for line in ran.out.splitlines())
    assert any("delivered" in line for line in lines)

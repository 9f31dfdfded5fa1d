"""Files on a medium between two nodes that never run, and never meet: out of order, twice, cut off, months late."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def two(make: Any) -> Any:
    """North and south, not running, and a bag."""
    parties = make()
    (parties.root / "bag").mkdir()
    return parties


def carry(kit: Any, node: Any, *files: Path, answer: Path | None = None) -> dict[str, Any]:
    """Import files at a node."""
    options = ("-o", answer) if answer is not None else ()
    found: dict[str, Any] = kit.ok("courier", "import", node.dir, *files, *options, "--json").json
    return found


def export(kit: Any, node: Any, file: Path) -> dict[str, Any]:
    """Export at a node."""
    found: dict[str, Any] = kit.ok("courier", "export", node.dir, file, "--json").json
    return found


def meet(kit: Any, parties: Any) -> None:
    """Two journeys, after which both know the other's run."""
    bag = parties.root / "bag"
    export(kit, parties.north, bag / "m1")
    carry(kit, parties.south, bag / "m1", answer=bag / "m2")
    assert carry(kit, parties.north, bag / "m2", answer=bag / "m3")["state"] == "open"
    assert carry(kit, parties.south, bag / "m3", answer=bag / "m4")["state"] == "open"
    carry(kit, parties.north, bag / "m4")


def states(kit: Any, node: Any) -> dict[str, str]:
    """State of each notice."""
    rows = kit.ok("notice", "list", node.dir, "--json").json["notices"]
    return {row["id"]: row["state"] for row in rows}


def test_notice_and_its_receipt_travel_between_nodes_that_never_run(two: Any, kit: Any) -> None:
    """F-COU-3: each command goes on with the run of the one before; what one party filed is delivered, and the receipt comes back."""
    north, south, bag = two.north, two.south, two.root / "bag"
    two.file(north, kit.feature("A-1", 10, 10))
    meet(kit, two)
    assert states(kit, south) == {"north:A-1": "received"}
    assert states(kit, north) == {"north:A-1": "delivered"}
    two.file(south, kit.feature("B-1", 10, 10))  # signed at once: the line is open
    assert export(kit, south, bag / "b")["statements"] >= 1
    assert carry(kit, north, bag / "b", answer=bag / "b2")["carry"] is True
    assert carry(kit, south, bag / "b2")["taken"] >= 1
    assert states(kit, south)["south:B-1"] == "delivered"
    for node in (north, south):
        assert kit.ok("ledger", "verify", node.dir, "--json").json["consistent"]
        assert kit.ok("rebuild", node.dir, "--json").json["identical"]


def test_much_goes_in_several_files_in_any_order_and_twice(two: Any, kit: Any) -> None:
    """F-COU-4: what is too much for one frame is several files; order and copies do not matter."""
    north, south, bag = two.north, two.south, two.root / "bag"
    meet(kit, two)
    from detente.cli.client import Api

    with Api(north.dir) as api:
        for i in range(70):
            feature = kit.feature(f"M-{i}", 10, 10)
            api.json("POST", "/api/v1/notices", content=json.dumps(feature).encode())
    files = [Path(name) for name in export(kit, north, bag / "many")["files"]]
    assert [file.name for file in files] == ["many", "many.2"]
    found = carry(kit, south, *reversed(files), files[0], answer=bag / "back")
    assert found["taken"] >= 70
    assert len(states(kit, south)) == 70
    assert carry(kit, south, *files)["taken"] == 0
    carry(kit, north, bag / "back", *sorted(bag.glob("back.*")))
    assert set(states(kit, north).values()) == {"delivered"}


def test_file_cut_off_or_lost_is_named_and_nothing_is_lost(two: Any, kit: Any) -> None:
    """F-COU-4: half a file counts for nothing, whole ones beside it are taken, and the next journey brings the rest."""
    north, south, bag = two.north, two.south, two.root / "bag"
    meet(kit, two)
    two.file(north, kit.feature("A-1", 10, 10))
    export(kit, north, bag / "whole")
    for length in (0, 1, 500, len((bag / "whole").read_bytes()) - 1):
        (bag / "half").write_bytes((bag / "whole").read_bytes()[:length])
        ran = kit.cli("courier", "import", south.dir, bag / "half", "--json")
        assert ran.code != 0
        assert ran.json["error"]["code"] in {"frame-malformed", "json-malformed"}
    assert states(kit, south) == {}
    missing = kit.cli("courier", "import", south.dir, bag / "nothing", "--json")
    assert (missing.code, missing.json["error"]["code"]) == (2, "file-unreadable")
    ran = kit.cli("courier", "import", south.dir, bag / "half", bag / "whole", "-o", bag / "back")
    assert ran.code != 0
    assert states(kit, south) == {"north:A-1": "received"}
    carry(kit, north, bag / "back")
    assert states(kit, north) == {"north:A-1": "delivered"}


def test_record_that_went_back_or_was_copied_is_another_run(two: Any, kit: Any) -> None:
    """F-COU-3: an old backup, or a copy of the directory, takes no frame that was meant for what came after it."""
    north, south, bag = two.north, two.south, two.root / "bag"
    meet(kit, two)
    kit.ok("backup", north.dir, two.root / "old.tar")
    shutil.copytree(north.dir, two.root / "copy")
    two.file(north, kit.feature("A-1", 10, 10))
    export(kit, north, bag / "a")
    carry(kit, south, bag / "a", answer=bag / "back")
    kit.ok("restore", two.root / "old.tar", two.root / "restored")
    for name in ("restored", "copy"):
        ran = kit.ok("courier", "import", two.root / name, bag / "back", "--json").json
        assert (ran["state"], ran["taken"]) == ("cold", 0)
    assert carry(kit, north, bag / "back")["taken"] == 1
    assert states(kit, north) == {"north:A-1": "delivered"}


def test_files_months_late_after_keys_and_agreement_were_replaced_still_count(
    two: Any, kit: Any
) -> None:
    """S-VOU-1, F-COU-3: what was signed under a key since revoked and an agreement since replaced arrives, and its receipt returns."""
    north, south, bag = two.north, two.south, two.root / "bag"
    meet(kit, two)
    two.file(north, kit.feature("A-1", 10, 10))
    export(kit, north, bag / "lost")
    old = next(
        row["key"]
        for row in kit.ok("keys", "list", north.dir, "--json").json["keys"]
        if row["use"] == "signing"
    )
    for use in ("signing", "sealing"):
        kit.ok("keys", "rotate", north.dir, "--use", use)
        kit.ok("keys", "rotate", south.dir, "--use", use)
    kit.ok("status", north.dir)  # from here on the new keys are in use
    kit.ok("keys", "revoke", north.dir, old, "--reason", "superseded")
    newer = two.root / "newer.json"
    cards = ("--peer", south.dir / "card.json", "--witness", two.root / "witness" / "card.json")
    kit.ok("agree", "propose", north.dir, *cards, "-o", newer)
    for node in (north, south, two.witness):
        kit.ok("agree", "sign", node.dir, newer)
    for node in (north, south, two.witness):
        kit.ok("agree", "accept", node.dir, newer)
    assert carry(kit, south, bag / "lost", answer=bag / "l2")["taken"] >= 1
    export(kit, north, bag / "n1")
    for turn in range(4):
        carry(kit, south, bag / f"n{turn * 2 + 1}", answer=bag / f"n{turn * 2 + 2}")
        carry(kit, north, bag / f"n{turn * 2 + 2}", answer=bag / f"n{turn * 2 + 3}")
    assert states(kit, north) == {"north:A-1": "delivered"}
    assert states(kit, south) == {"north:A-1": "received"}
    for node in (north, south):
        audit = kit.ok("ledger", "verify", node.dir, "--json").json
        assert audit["consistent"], audit
        # what came in the first file, before south knew, is marked as such
        assert {one["reason"] for one in audit["doubts"]} <= {"superseded"}, audit

"""The record taken to others: time stamps, fields withheld, opened and destroyed, by real nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tsa import NEEDS_OPENSSL, Authority


@NEEDS_OPENSSL
def test_bundle_stamped_on_request_is_bounded_by_the_authority_for_who_trusts_it(
    make: Any, kit: Any, tmp_path: Path
) -> None:
    """B-TSA-2, B-TSA-3: `prove --anchor` has the log stamped; `verify --tsa` counts it, and without it says that it was not checked."""
    authority, parties = Authority(tmp_path / "tsa"), make("north", "south")
    north = parties.north
    (north.dir / "tsa.pem").write_bytes(authority.certificate.read_bytes())
    with authority.served() as url:
        with (north.dir / "config.toml").open("a") as file:
            file.write(f'\n[timestamp]\nurl = "{url}"\ncertificate = "tsa.pem"\n')
        parties.start()
        parties.wait_open()
        ran = parties.file(north, kit.feature("S-1", 10, 50), "--wait", "delivered")
        assert ran.code == 0, ran.err
        bundle = tmp_path / "s.bundle"
        kit.ok("prove", north.dir, "S-1", "-o", bundle, "--anchor")
    kept = north.get("/api/v1/timestamps")
    assert (kept["configured"], kept["failing"], kept["newest"]["verified"]) == (True, None, True)
    trust = ("--trust", parties.agreement)
    found = kit.ok("verify", bundle, *trust, "--tsa", authority.certificate, "--json").json
    (one,) = [stamp for stamp in found["stamps"] if stamp["log"] == "detente/north/log/1"]
    assert (one["authority"], one["checked"]) == ("tsa:Exercise TSA", True)
    unchecked = kit.ok("verify", bundle, *trust)
    assert "not checked: give --tsa" in unchecked.out.replace("\n", "")
    other = Authority(tmp_path / "other").certificate
    assert kit.cli("verify", bundle, *trust, "--tsa", other).code == 1
    # the authority is gone: whoever asks for a stamp is told, everybody else goes on
    assert parties.file(north, kit.feature("S-2", 11, 50), "--wait", "delivered").code == 0
    gone = kit.cli("prove", north.dir, "S-2", "-o", tmp_path / "none", "--anchor")
    assert gone.code == 4
    assert not (tmp_path / "none").exists()
    kit.ok("prove", north.dir, "S-2", "-o", tmp_path / "plain")
    assert json.loads((tmp_path / "plain").read_bytes().split(b"\n")[1])["stamps"] == []


SECRET = "call sign of a courier"


def on_disk(node: Any) -> bool:
    """Whether the secret can be read anywhere in a node's directory."""
    return any(
        SECRET.encode() in path.read_bytes()
        for path in node.dir.rglob("*")
        if path.is_file() and not path.is_socket()
    )


def officers(node: Any, kit: Any, *names: str) -> list[httpx.Client]:
    """Records officers of a node, signed in."""
    found = []
    for name in names:
        add = ("operator", "add", node.dir, name, "--role", "records", "--password-stdin")
        kit.ok(*add, stdin="correct horse battery")
        client = httpx.Client(base_url=node.api, timeout=30)
        answer = client.post(
            "/api/v1/session", json={"name": name, "password": "correct horse battery"}
        )
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        found.append(client)
    return found


def test_field_withheld_disclosed_and_destroyed_leaves_every_proof_valid(
    make: Any, kit: Any, tmp_path: Path
) -> None:
    """S-HOLD-1, B-OPEN-1, B-DESTROY-2, B-DESTROY-3: by the commands, on real nodes: withheld, opened, destroyed, and everything still verifies."""
    parties = make("north", "south")
    parties.start()
    parties.wait_open()
    north, south = parties.north, parties.south
    told = kit.feature("R-1", 10, 50, text=SECRET, region="near the old mill")
    filed = parties.file(north, told, "--withhold", "south:text", "--wait", "delivered")
    assert filed.code == 0, filed.err
    seen = kit.ok("notice", "show", south.dir, "north:R-1").out
    assert "withheld from south: text" in seen
    assert SECRET not in seen
    assert not on_disk(south)
    bundle, opening = tmp_path / "r.bundle", tmp_path / "text.opening"
    trust = ("--trust", parties.agreement)
    kit.ok("prove", south.dir, "north:R-1", "-o", bundle)
    found = kit.ok("verify", bundle, *trust, "--json").json
    assert found["statement"]["withheld"] == ["text"]
    words = ("--to", "board of inquiry", "--reason", "asked")
    kit.ok("disclose", north.dir, "R-1", "--field", "text", *words, "-o", opening)
    found = kit.ok("verify", bundle, *trust, "--opening", opening, "--json").json
    assert found["statement"]["body"]["text"] == SECRET
    opening.unlink()
    assert on_disk(north)
    ran = kit.ok("destroy", north.dir, "R-1", "--field", "text", "--reason", "it endangers him")
    assert "destroyed: text of R-1" in ran.out
    assert not on_disk(north)
    for node in (north, south):
        kit.ok("ledger", "verify", node.dir)
        assert kit.ok("rebuild", node.dir, "--json").json["identical"]
    kit.ok("prove", north.dir, "R-1", "-o", bundle)
    found = kit.ok("verify", bundle, *trust, "--json").json
    assert (found["valid"], found["statement"]["withheld"]) == (True, ["text"])
    assert found["received_by"][0]["party"] == "south"
    seen = " ".join(kit.ok("notice", "show", north.dir, "R-1").out.split())
    assert "text: destroyed on" in seen
    assert "it endangers him" in seen
    again = kit.cli("disclose", north.dir, "R-1", "--field", "text", *words, "-o", opening)
    assert again.code == 2
    assert "it endangers him" in " ".join(again.err.split())
    kinds = [row["kind"] for row in north.get("/api/v1/notices/north:R-1/timeline")["rows"]]
    assert [kind for kind in kinds if kind in ("disclosed", "destroyed")] == [
        "disclosed",
        "destroyed",
    ]


def test_place_destroyed_by_two_officers_leaves_the_picture_also_after_a_restart(
    make: Any, kit: Any
) -> None:
    """B-DESTROY-1, B-DESTROY-2: one officer asks, another completes it; the outline is gone from the picture, and a restart brings it back nowhere."""
    parties = make("north", "south")
    parties.start()
    parties.wait_open()
    north = parties.north
    assert parties.file(north, kit.feature("P-1", 10, 50), "--wait", "delivered").code == 0

    def row() -> Any:
        (found,) = north.get("/api/v1/picture")["notices"]
        return found

    assert row()["pieces"][0]["outline"]
    anna, boris = officers(north, kit, "anna", "boris")
    asked = {"id": "north:P-1@1", "field": "pieces", "reason": "the site is somebody's home"}
    live = anna.post("/api/v1/destructions", json=asked)
    assert live.json()["error"]["code"] == "opening-live"
    kit.ok("notice", "cancel", north.dir, "north:P-1", "--wait", "delivered")
    first = anna.post("/api/v1/destructions", json=asked).json()
    assert (first["done"], first["asked_by"]) == (False, ["anna"])
    assert row()["pieces"]
    assert anna.post("/api/v1/destructions", json=asked).json()["error"]["code"] == "second-officer"
    assert boris.post("/api/v1/destructions", json=asked).json()["done"] is True
    assert (row()["pieces"], row()["cannot_draw"]) == ([], True)
    changed = anna.get("/api/v1/picture", params={"since": 0}).json()["notices"][0]
    assert (changed["pieces"], changed["cannot_draw"]) == ([], True)
    north.kill()
    north.start()
    assert (row()["pieces"], row()["cannot_draw"]) == ([], True)
    kit.ok("ledger", "verify", north.dir)
    (version, _) = north.get("/api/v1/notices/north:P-1", opened=False)["versions"]
    (gone,) = version["destroyed"]
    assert (gone["field"], gone["officers"]) == ("pieces", ["anna", "boris"])

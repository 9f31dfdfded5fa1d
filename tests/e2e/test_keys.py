"""Keys replaced while nodes run: prepared, told, used from a time on, with nothing under way lost."""

from __future__ import annotations

import re
import ssl
import time
from typing import Any

import pytest

from detente.node.home import Home


def keys(node: Any, kit: Any) -> dict[str, list[dict[str, Any]]]:
    """The node's keys by use, oldest first."""
    rows = kit.ok("keys", "list", node.dir, "--json").json["keys"]
    return {
        use: sorted((row for row in rows if row["use"] == use), key=lambda row: row["serial"])
        for use in ("signing", "sealing", "transport")
    }


def certificate(node: Any) -> bytes:
    """The TLS certificate that the node shows its peers now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(Home(node.dir).tls_chain)
    import socket

    host, port = Home(node.dir).config.listen.rsplit(":", 1)
    with (
        socket.create_connection((host, int(port)), 10) as raw,
        context.wrap_socket(raw) as wrapped,
    ):
        return wrapped.getpeercert(True) or b""


@pytest.mark.parametrize("use", ["signing", "sealing", "transport"])
def test_key_replaced_while_both_nodes_run_loses_nothing(trio: Any, kit: Any, use: str) -> None:
    """K-ROT-1: the new key is certified, told, used and shown; statements go both ways before, during and after."""
    north, south = trio.north, trio.south
    before, shown = keys(north, kit)[use], certificate(north)
    found = kit.ok("keys", "rotate", north.dir, "--use", use, "--json").json
    assert found["use"] == use
    kit.until(
        lambda: [row["key"] for row in keys(north, kit)[use] if row["in_use"]] == [found["key"]],
        "the new key is in use",
    )
    for node, name in ((north, f"K-{use}"), (south, f"L-{use}")):
        ran = trio.file(node, kit.feature(name, 10, 10), "--wait", "delivered")
        assert ran.code == 0, ran.err
    rows = keys(north, kit)[use]
    assert len(rows) == len(before) + 1
    assert rows[-1]["serial"] == before[-1]["serial"] + 1
    assert [row["revoked"] for row in rows] == [None] * len(rows)
    if use == "transport":
        kit.until(lambda: certificate(north) != shown, "the new certificate is shown")
        north.stop()
        north.start()
        trio.wait_open()
    assert any(c.key_id == found["key"] for c in Home(north.dir).card().certificates)
    assert not (north.dir / "keys" / "next" / f"{use}.json").exists()
    for node in (north, south):
        audit = kit.ok("ledger", "verify", node.dir, "--json").json
        assert (audit["consistent"], audit["doubtful"]) == (True, 0), audit


def test_witness_and_log_that_replace_their_keys_go_on_cosigning(trio: Any, kit: Any) -> None:
    """L-KEY-1, L-KEY-2: a witness without a line is told the log's new key, and the log learns the witness's."""
    north, witness = trio.north, trio.witness

    def cosigned() -> bool:
        ledger = north.status()["ledger"]
        return bool(
            ledger["checkpoint"] == ledger["entries"] and "witness" in ledger["cosigned_by"]
        )

    kit.until(cosigned, "the witness has cosigned all")
    for node in (north, witness):
        found = kit.ok("keys", "rotate", node.dir, "--json").json
        kit.until(
            lambda node=node, key=found["key"]: any(
                row["in_use"] and row["key"] == key for row in keys(node, kit)["signing"]
            ),
            "the new key is in use",
        )
        name = f"C-{node.dir.name}"
        assert trio.file(north, kit.feature(name, 10, 10), "--wait", "delivered").code == 0
        kit.until(cosigned, "the witness has cosigned under the new keys")
    with north.http() as client:
        published = client.get("/log/keys").json()
    assert published["party"] == "north"
    assert len(published["certificates"]) >= 4
    bundle = trio.root / "keys.bundle"
    kit.ok("prove", north.dir, "C-witness", "-o", bundle)
    found = kit.ok("verify", bundle, "--trust", trio.agreement, "--json").json
    assert found["valid"]
    for node in (north, witness):
        assert kit.ok("ledger", "verify", node.dir, "--json").json["consistent"]


def test_key_prepared_for_later_waits_and_is_used_then(trio: Any, kit: Any) -> None:
    """K-ROT-1: until its time the key before it signs, and a second cannot be prepared beside it."""
    south = trio.south
    now_s = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s + 3600))
    before = keys(south, kit)["signing"][-1]["key"]
    found = kit.ok("keys", "rotate", south.dir, "--from", at, "--json").json
    assert found["told"] == ["north"]
    row = keys(south, kit)["signing"][-1]
    assert (row["key"], row["in_use"], row["used_from"]) == (found["key"], False, at)
    assert trio.file(south, kit.feature("W-1", 10, 10), "--wait", "delivered").code == 0
    assert next(r for r in keys(south, kit)["signing"] if r["in_use"])["key"] == before
    again = kit.cli("keys", "rotate", south.dir, "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "rotation-waiting")


def test_key_stolen_is_replaced_then_revoked_as_of_the_theft(make: Any, kit: Any) -> None:
    """S-REV-2: the key in use cannot be revoked; once replaced it is, from a time in the past, and both records say so."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    assert parties.file(north, kit.feature("T-1", 10, 10), "--wait", "delivered").code == 0
    old = keys(north, kit)["signing"][0]["key"]
    since = "2020-01-01T00:00:00Z"
    revoke = ("keys", "revoke", north.dir, old, "--reason", "compromised", "--since", since)
    ran = kit.cli(*revoke, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "key-in-use")
    kit.ok("keys", "rotate", north.dir)
    kit.until(lambda: keys(north, kit)["signing"][-1]["in_use"], "the new key is in use")
    assert kit.ok(*revoke, "--json").json["since"] == since
    assert parties.file(north, kit.feature("T-2", 12, 10), "--wait", "delivered").code == 0
    found = kit.until(
        lambda: (a := kit.ok("ledger", "verify", south.dir, "--json").json)["doubtful"] and a,
        "south marks what the key signed",
    )
    assert found["consistent"]
    assert {one["key"] for one in found["doubts"]} == {old}
    doubts = {
        name: south.get(f"/api/v1/notices/north:{name}/proof")["statements"][0]["doubt"]
        for name in ("T-1", "T-2")
    }
    assert doubts["T-2"] is None
    assert doubts["T-1"] == {"key": old, "reason": "compromised", "since": since}
    assert "compromised since" in kit.ok("keys", "list", north.dir).out


def test_encrypted_backup_opens_only_with_its_passphrase_and_a_plain_one_still_restores(
    make: Any, kit: Any
) -> None:
    """K-AGE-2: secrets come from a file, never an argument; a wrong passphrase is said to be wrong; nothing is half restored."""
    parties = make()
    north, root = parties.north, parties.root
    words, wrong, short = root / "words", root / "wrong", root / "short"
    words.write_text("seven sad ships sail\n")
    wrong.write_text("seven sad ships sink\n")
    short.write_text("ships\n")
    sealed, plain = root / "b.age", root / "b.tar"
    kit.ok("keys", "rotate", north.dir, "--use", "sealing", "--from", "2099-01-01T00:00:00Z")
    found = kit.ok("backup", north.dir, sealed, "--passphrase-file", words, "--json").json
    assert found["encrypted"] is True
    assert sealed.stat().st_mode & 0o077 == 0
    assert b"SQLite" not in sealed.read_bytes()
    kit.ok("backup", north.dir, plain)
    for options, code in (
        (("--encrypt",), "passphrase-missing"),
        (("--passphrase-file", short), "passphrase-wrong-length"),
    ):
        ran = kit.cli("backup", north.dir, root / "x", *options, "--json")
        assert (ran.code, ran.json["error"]["code"]) == (2, code)
    for options, code in (
        ((), "passphrase-missing"),
        (("--passphrase-file", wrong), "passphrase-wrong"),
    ):
        ran = kit.cli("restore", sealed, root / "new", *options, "--json")
        assert (ran.code, ran.json["error"]["code"]) == (2, code)
        assert not (root / "new").exists()
    cut = root / "cut.age"
    cut.write_bytes(sealed.read_bytes()[:-100])
    ran = kit.cli("restore", cut, root / "new", "--passphrase-file", words, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "backup-malformed")
    assert not (root / "new").exists()
    kit.ok("restore", sealed, root / "one", "--passphrase-file", words)
    kit.ok("restore", plain, root / "two")
    for name in ("one", "two"):
        home = Home(root / name)
        assert home.identity().signer.public == Home(north.dir).identity().signer.public
        assert (home.path / "keys" / "next" / "sealing.seed").stat().st_mode & 0o077 == 0
        assert kit.ok("ledger", "verify", home.path, "--json").json["consistent"]


def test_node_that_moved_is_reached_at_the_address_of_its_new_card(make: Any, kit: Any) -> None:
    """S-CARD-1: the root says where, the peer goes there, and a restart remembers; nobody agrees anew."""
    parties = make()
    north, south = parties.north, parties.south
    parties.start("north", "south")
    parties.wait_open()
    host, port = "127.0.0.1", kit.free_port()
    found = kit.ok("keys", "address", south.dir, f"https://{host}:{port}", "--json").json
    assert found["told"] == ["north"]
    parties.settle()
    south.stop()
    config = south.dir / "config.toml"
    config.write_text(
        re.sub(r"^listen = .*", f'listen = "{host}:{port}"', config.read_text(), flags=re.M)
    )
    south.start()
    ran = parties.file(north, kit.feature("A-1", 10, 10), "--wait", "delivered")
    assert ran.code == 0, ran.err
    north.stop()
    north.start()
    ran = parties.file(north, kit.feature("A-2", 10, 10), "--wait", "delivered")
    assert ran.code == 0, ran.err
    wrong = kit.cli("keys", "address", south.dir, "ftp://x", "--json")
    assert (wrong.code, wrong.json["error"]["code"]) == (2, "address-malformed")

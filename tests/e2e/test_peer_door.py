"""The door for peers: who may come in, and what becomes of rubbish."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from detente.limits import EVIDENCE_SAMPLES_PER_PEER_DAY, FRAME_BYTES
from detente.node import tls
from detente.signing.base64 import decode_base64url


@pytest.fixture(scope="module")
def context(trio: Any) -> Any:
    """Makes a TLS client context that trusts north and shows a certificate, or none."""
    import json

    card = json.loads((trio.north.dir / "card.json").read_text())
    authority = decode_base64url(_find(card, "tls_ca"))

    def build(chain: Path | None) -> ssl.SSLContext:
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        found.check_hostname = False
        found.load_verify_locations(cadata=authority)
        if chain is not None:
            found.load_cert_chain(chain)
        return found

    return build


def _find(value: Any, name: str) -> Any:
    """A member of that name anywhere in a document (a card nests what it signs)."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        for one in value.values():
            found = _find(one, name)
            if found is not None:
                return found
    if isinstance(value, str) and value.startswith("{"):
        import json

        return _find(json.loads(value), name)
    return None


@pytest.fixture(scope="module")
def peer(trio: Any, context: Any) -> Any:
    """South's own certificate, used by hand."""
    chain = trio.south.dir / "keys" / "tls.pem"
    with httpx.Client(base_url=trio.north.peer, verify=context(chain), timeout=30) as client:
        yield client


def evidence(trio: Any) -> Any:
    """What north has kept of what it did not take."""
    return trio.north.get("/api/v1/evidence")


def test_client_with_a_certificate_of_a_member_is_let_in(peer: Any) -> None:
    """A party of the agreement reaches the door."""
    assert peer.get("/healthz").status_code == 200


def test_client_without_a_certificate_is_refused(trio: Any, context: Any) -> None:
    """Who shows no certificate gets no answer at all."""
    with (
        httpx.Client(base_url=trio.north.peer, verify=context(None), timeout=30) as client,
        pytest.raises((httpx.TransportError, ssl.SSLError)),
    ):
        client.get("/healthz")


def test_client_under_another_root_is_refused(trio: Any, context: Any, tmp_path: Path) -> None:
    """A certificate under a root that nobody agreed to is as good as none, whatever name it bears."""
    root, key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    now = datetime.now(UTC)
    authority = tls.make_authority(root, "south", now)
    tls.write_pem(
        tmp_path / "x.pem", tls.make_leaf(root, authority, key, "south", now), authority, key
    )
    with (
        httpx.Client(
            base_url=trio.north.peer, verify=context(tmp_path / "x.pem"), timeout=30
        ) as client,
        pytest.raises((httpx.TransportError, ssl.SSLError)),
    ):
        client.get("/healthz")


def test_tls_1_2_is_refused(trio: Any, context: Any) -> None:
    """Nothing older than TLS 1.3 is spoken."""
    found = context(trio.south.dir / "keys" / "tls.pem")
    found.minimum_version = ssl.TLSVersion.TLSv1_2
    found.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", trio.north.port), 10) as raw,
        pytest.raises(ssl.SSLError),
    ):
        found.wrap_socket(raw)


def test_node_refuses_a_peer_that_answers_under_another_root(trio: Any) -> None:
    """The client's side, too: a line does not speak to whoever sits on the peer's address."""
    import json

    card = json.loads((trio.south.dir / "card.json").read_text())
    wrong = tls.client_context(
        trio.south.dir / "keys" / "tls.pem", decode_base64url(_find(card, "tls_ca"))
    )
    with (
        httpx.Client(base_url=trio.north.peer, verify=wrong, timeout=30) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get("/healthz")


RUBBISH = {
    "nothing": b"",
    "text": b"hello",
    "binary": bytes(range(256)) * 20,
    "other json": b'{"a":1}',
    "list": b"[]",
    "deep": b'{"frame":' + b"[" * 50_000,
    "not signed": b'{"frame":{},"key":"00","signature":""}',
    "bad utf-8": b'{"frame":"\xff\xfe","key":"","signature":""}',
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_from_a_member_is_answered_and_counted(trio: Any, peer: Any, name: str) -> None:
    """Bytes that are no frame get a 400 with words, and a sample is kept as evidence."""
    before = sum(evidence(trio)["counts"].values())
    answer = peer.post("/peer/v1/frames", content=RUBBISH[name])
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]
    assert sum(evidence(trio)["counts"].values()) == before + 1


def _caught(trio: Any, name: str) -> bytes:
    """A frame that really is from south: written with south's keys, by south's own code."""
    import os

    from detente.node.home import Home
    from detente.protocol.core import Core
    from detente.protocol.incoming import next_frame, write_frame

    store = _store(trio, name)
    try:
        core = Core(Home(trio.south.dir).identity(), store, os.urandom)
        now_us = __import__("time").time_ns() // 1000
        return bytes(write_frame(core, next_frame(core, "north", now_us)))
    finally:
        store.close()


def _store(trio: Any, name: str) -> Any:
    """A copy of south's store."""
    import sqlite3

    from detente.node.store import Store

    copy = trio.root / f"{name}.db"
    source, target = sqlite3.connect(trio.south.dir / "detente.db"), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()
    return Store.at(copy)


def test_frame_cut_short_or_changed_is_refused_and_the_line_stays_open(
    trio: Any, peer: Any, kit: Any
) -> None:
    """A truncated frame, and one with a bit flipped, are refused; the line works on."""
    frame = _caught(trio, "cut")
    for bad in (frame[:-1], frame[: len(frame) // 2], frame[:50] + b"X" + frame[51:]):
        answer = peer.post("/peer/v1/frames", content=bad)
        assert answer.status_code == 400, answer.text
    kit.until(lambda: trio.north.line("south")["state"] == "open", "line open")
    ran = trio.file(trio.south, kit.feature("P-1", 100, 10), "--wait", "delivered")
    assert ran.code == 0, ran.err


def test_frame_over_the_limit_is_413(trio: Any, peer: Any, kit: Any) -> None:
    """More than a frame may hold is refused with 413, a sample kept, and the node goes on."""
    answer = peer.post("/peer/v1/frames", content=b" " * (FRAME_BYTES + 1))
    assert answer.status_code == 413
    assert evidence(trio)["counts"]["body-too-large"] >= 1
    ran = trio.file(trio.north, kit.feature("P-2", 110, 10), "--wait", "delivered")
    assert ran.code == 0, ran.err


def test_evidence_of_a_flood_stays_within_its_quota(trio: Any, peer: Any) -> None:
    """However much rubbish comes, samples stay within the quota; the count goes on."""
    before = sum(evidence(trio)["counts"].values())
    for i in range(EVIDENCE_SAMPLES_PER_PEER_DAY + 20):
        assert peer.post("/peer/v1/frames", content=f"rubbish {i}".encode()).status_code == 400
    found = evidence(trio)
    assert sum(found["counts"].values()) == before + EVIDENCE_SAMPLES_PER_PEER_DAY + 20
    import sqlite3

    store = sqlite3.connect(f"file:{trio.north.dir}/detente.db?mode=ro", uri=True)
    (kept,) = store.execute("SELECT count(*) FROM evidence WHERE peer = '-'").fetchone()
    store.close()
    assert kept <= EVIDENCE_SAMPLES_PER_PEER_DAY


def test_witness_refuses_rubbish_and_logs_it_does_not_know(trio: Any, context: Any) -> None:
    """The witness answers 400 to rubbish and 404 to a log of nobody."""
    chain = trio.north.dir / "keys" / "tls.pem"
    import json

    card = json.loads((trio.witness.dir / "card.json").read_text())
    found = tls.client_context(chain, decode_base64url(_find(card, "tls_ca")))
    with httpx.Client(base_url=trio.witness.peer, verify=found, timeout=30) as client:
        assert client.post("/witness/add-checkpoint", content=b"rubbish").status_code == 400
        assert client.post("/witness/add-checkpoint", content=b"x" * 2**20).status_code in (
            400,
            413,
        )
    assert trio.witness.answers()


def test_log_head_is_open_to_members(trio: Any, peer: Any, kit: Any) -> None:
    """/log/checkpoint is the newest signed head of the node's log."""
    trio.file(trio.south, kit.feature("P-3", 120, 10), "--wait", "delivered")
    answer = peer.get("/log/checkpoint")
    assert answer.status_code == 200
    assert answer.text.startswith("detente/north/log/1\n")


def test_peers_door_has_no_api(peer: Any) -> None:
    """A member's certificate opens the peers' door only: no route of the operators is there."""
    for path in ("/api/v1/status", "/api/openapi.json", "/metrics", "/"):
        assert peer.get(path).status_code == 404


def test_node_that_got_all_this_is_consistent(trio: Any, kit: Any) -> None:
    """After all of it both ledgers verify and nobody has been called a liar."""
    for node in (trio.north, trio.south):
        assert kit.ok("ledger", "verify", node.dir, "--json").json["consistent"]
        codes = {alarm["code"] for alarm in node.status()["alarms"]}
        assert not codes & {"equivocation", "chain-fork", "forked"}

"""A node's log as others read it: tiles over HTTP, checked with nothing but the checkpoint."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from detente.ledger.checkpoint import VerifiedCheckpoint, cosigner_name, verify_checkpoint
from detente.ledger.cosignature import verify_cosignatures
from detente.ledger.merkle import verify_consistency, verify_inclusion
from detente.ledger.tile import TileReader
from detente.ledger.witness import encode_add_checkpoint
from detente.node.home import read_card
from detente.node.witnessroom import origin_hash
from detente.signing.key import PublicKeys, parse_public_keys


def keys_of(node: Any) -> tuple[str, PublicKeys]:
    """A node's party and public signing key."""
    card = read_card(node.dir / "card.json")
    (signing,) = [one for one in card.certificates if one.use == "signing"]
    return card.party, parse_public_keys(signing.key)


def reader(http: httpx.Client, node: Any, prefix: str = "/log") -> tuple[VerifiedCheckpoint, Any]:
    """The verified checkpoint of a node's log, and a reader of its tiles."""
    answer = http.get(f"{prefix}/checkpoint")
    assert answer.status_code == 200, (answer.text, answer.headers)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    party, public = keys_of(node)
    head = verify_checkpoint(answer.text, f"detente/{party}/log/1", public)

    def fetch(path: str) -> bytes:
        found = http.get(f"{prefix}/{path}")
        assert found.status_code == 200, path
        assert found.headers["content-type"] == "application/octet-stream"
        return found.content

    return head, TileReader(head.size, head.root, fetch)


@pytest.fixture(scope="module")
def filed(trio: Any, kit: Any) -> Any:
    """Parties whose logs hold a notice."""
    ran = trio.file(trio.north, kit.feature("T-1", 50, 10), "--wait", "delivered")
    assert ran.code == 0, ran.err
    trio.settle()
    for node in (trio.north, trio.south):
        with node.http() as http:
            kit.until(
                lambda http=http: http.get("/log/checkpoint").status_code == 200, "a checkpoint"
            )
    return trio


def test_log_is_read_by_its_tiles_and_checked_against_its_checkpoint(filed: Any) -> None:
    """L-TILE-7, L-TILE-8: tiles and bundles at both prefixes lead to the signed root, entry by entry."""
    with filed.north.http() as http:
        head, tiles = reader(http, filed.north)
        assert head.size > 3
        for index in range(head.size):
            proof = tiles.inclusion_proof(index)
            verify_inclusion(tiles.leaf_hash_at(index), index, head.size, proof, head.root)
        verify_consistency(3, head.size, tiles.consistency_proof(3), tiles.root(3), head.root)
        entries = tiles.entries(0)
        assert {len(entry) for entry in entries} == {112}
        later, own = reader(http, filed.north, "/log/1")
        assert own.entries(0)[: head.size] == entries[: later.size]
        bundle = f"/log/1/tile/entries/000.p/{head.size}"
        found = http.get(bundle, headers={"Accept-Encoding": "gzip"})
        assert found.headers["content-encoding"] == "gzip"
        assert "immutable" in found.headers["cache-control"]
        plain = http.get(bundle, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == found.content
        assert http.get("/log/checkpoint").headers["cache-control"] == "public, max-age=2"


def test_what_no_checkpoint_covers_is_not_there(filed: Any) -> None:
    """L-TILE-7: tiles beyond the signed size, empty ones, other epochs and other paths are 404."""
    with filed.north.http() as http:
        head, _ = reader(http, filed.north)
        for path in (
            "tile/0/000",
            "tile/0/000.p/255",
            "tile/1/000.p/1",
            "tile/0/001.p/1",
            "tile/0/000.p/0",
            "tile/entries/000",
            "2/checkpoint",
            "0/checkpoint",
            "01/checkpoint",
            "99999999999/checkpoint",
            "x",
        ):
            assert http.get(f"/log/{path}").status_code == 404, path
        assert http.get(f"/log/tile/0/000.p/{head.size}").status_code == 200
        assert http.get("/log/tile/0/000.p/1").status_code == 200
        assert http.get("/log/keys").status_code == 200


def test_witness_answers_of_which_type_they_are(filed: Any) -> None:
    """L-WIT-7: a witness that knows another size says so in the very type of the protocol."""
    with filed.south.http() as south, filed.north.http() as north:
        note = north.get("/log/checkpoint").text
        body = encode_add_checkpoint(1, [bytes(32)], note)
        answer = south.post("/witness/add-checkpoint", content=body)
        assert answer.status_code == 409, answer.text
        assert answer.headers.get_list("content-type") == ["text/x.tlog.size"]
        assert answer.text.endswith("\n")
        bad = south.post("/witness/add-checkpoint", content=b"x")
        assert bad.headers.get_list("content-type") == ["text/plain; charset=utf-8"]


def test_witness_shows_the_newest_head_that_it_cosigned(filed: Any, kit: Any) -> None:
    """L-WIT-4: anybody may fetch, by the hash of a log's origin, what was cosigned of it; else 404."""
    party, public = keys_of(filed.north)
    witness, witness_keys = keys_of(filed.south)
    path = f"/witness/{origin_hash(f'detente/{party}/log/1')}/checkpoint"
    with filed.south.http() as http:
        kit.until(lambda: http.get(path).status_code == 200, "a witnessed head")
        found = http.get(path)
        head = verify_checkpoint(found.text, f"detente/{party}/log/1", public)
        name = cosigner_name(witness)
        (cosigned,) = verify_cosignatures(found.text, {name: witness_keys}).cosigned
        assert head.size > 0
        assert cosigned.name == name
        assert found.headers["content-type"] == "text/plain; charset=utf-8"
        for unknown in (origin_hash("detente/nobody/log/1"), "x", path.split("/")[2].upper()):
            assert http.get(f"/witness/{unknown}/checkpoint").status_code == 404

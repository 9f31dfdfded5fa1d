"""A node's log as others read it: tiles over HTTP, checked with nothing but the checkpoint."""

from __future__ import annotations

import gzip
import time
from typing import Any

import httpx
import pytest

from detente.errors import RefusedError
from detente.ledger.checkpoint import (
    VerifiedCheckpoint,
    cosigner_name,
    log_keys,
    origin_hash,
    verify_checkpoint,
)
from detente.ledger.cosignature import cosigner_keys, verify_cosignatures
from detente.ledger.merkle import verify_consistency, verify_inclusion
from detente.ledger.mirror import (
    Package,
    Upload,
    mirror_name,
    parse_info,
    verify_mirrored,
)
from detente.ledger.policy import check_quorum, parse_policy
from detente.ledger.tile import TileReader
from detente.ledger.witness import encode_add_checkpoint
from detente.node.home import read_card
from detente.signing.key import PublicKeys, parse_public_keys

BINARY = {"Content-Type": "application/octet-stream"}


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


@pytest.mark.parametrize(("maker", "keeper"), [("north", "south"), ("south", "north")])
def test_mirror_equals_its_origin(filed: Any, kit: Any, maker: str, keeper: str) -> None:
    """L-MIR-7: each party serves the other's log, entry by entry the same, under a line of its mirror."""
    party, public = keys_of(getattr(filed, maker))
    holder, holder_keys = keys_of(getattr(filed, keeper))
    origin = f"detente/{party}/log/1"
    prefix = f"/log/mirror/{origin_hash(origin)}"
    with getattr(filed, maker).http() as own, getattr(filed, keeper).http() as other:
        kit.until(lambda: other.get(f"{prefix}/checkpoint").status_code == 200, "a mirror")
        note = other.get(f"{prefix}/checkpoint").text
        head = verify_checkpoint(note, origin, public)
        verify_mirrored(note, holder, holder_keys)
        copy = TileReader(head.size, head.root, lambda p: other.get(f"{prefix}/{p}").content)
        first = TileReader(head.size, head.root, lambda p: own.get(f"/log/1/{p}").content)
        assert copy.entries(0) == first.entries(0)
        beyond = f"{prefix}/tile/0/000.p/{head.size + 1}"
        assert other.get(beyond).status_code == 404
        assert other.get("/log/mirror/x/checkpoint").status_code == 404
        line = f"{mirror_name(holder)} "
        kit.until(lambda: line in own.get("/log/checkpoint").text, "the mirror's line")


def test_neutral_witness_mirrors_only_if_told_to(filed: Any) -> None:
    """A witness that is no mirror has no copy of anybody's log to lose."""
    with filed.witness.http() as http:
        upload = Upload("detente/north/log/1", 0, 0).encode()
        found = http.post("/witness/add-entries", content=upload, headers=BINARY)
        assert found.status_code == 404


def test_mirror_refuses_what_is_not_of_the_log(filed: Any, kit: Any) -> None:
    """L-MIR-2, L-MIR-4, L-MIR-5: each wrong upload has the answer of the protocol, and nothing is stored."""
    origin = "detente/north/log/1"
    prefix = f"/log/mirror/{origin_hash(origin)}"
    with filed.south.http() as http:

        def post(content: bytes, **headers: str) -> Any:
            return http.post("/witness/add-entries", content=content, headers={**BINARY, **headers})

        kit.until(lambda: http.get(f"{prefix}/checkpoint").status_code == 200, "a mirror")
        note = http.get(f"{prefix}/checkpoint").text
        size = int(note.split("\n")[1])
        assert post(Upload("detente/nobody/log/1", 0, 0).encode()).status_code == 404
        assert post(Upload("detente/south/log/1", 0, 0).encode()).status_code == 404
        assert post(Upload("detente/north/log/9", 0, 0).encode()).status_code == 422
        assert post(b"").status_code == 400
        assert post(Upload(origin, 0, size).encode()).status_code == 400
        assert post(b"x", **{"Content-Encoding": "br"}).status_code == 400
        assert post(b"not gzip", **{"Content-Encoding": "gzip"}).status_code == 400
        assert http.post("/witness/add-entries", content=b"").status_code == 400
        wrong = post(Upload(origin, size + 1000, size + 1000).encode())
        assert wrong.status_code == 409
        assert wrong.headers.get_list("content-type") == ["text/x.tlog.mirror-info"]
        assert parse_info(wrong.content).next >= size
        lie = Package(0, (b"lie",) * min(256, size), ()).encode()
        assert post(Upload(origin, 0, size).encode() + lie).status_code in (409, 422)
        bomb = gzip.compress(Upload(origin, 0, size).encode() + bytes(10_000_000))
        assert post(bomb, **{"Content-Encoding": "gzip"}).status_code in (409, 422)
        assert http.get(f"{prefix}/checkpoint").text.partition("\n")[0] == origin


def test_agreement_is_written_as_a_policy_that_its_own_checkpoints_satisfy(
    filed: Any, kit: Any, tmp_path: Any
) -> None:
    """L-POL-1: the policy of the agreement holds both logs and the witness, and a cosigned head meets it."""
    path = tmp_path / "policy"
    kit.ok("agree", "policy", filed.north.dir, "-o", path)
    read = parse_policy(path.read_bytes())
    party, public = keys_of(filed.north)
    witness, keys = keys_of(filed.witness)
    assert set(log_keys(f"detente/{party}/log/1", public)) <= set(read.logs)
    both = cosigner_keys(cosigner_name(witness), keys)
    assert set(both) == set(read.witnesses.values())
    check_quorum(read, both)
    with pytest.raises(RefusedError):
        check_quorum(read, both[:1])


def test_mirror_that_is_killed_again_and_again_ends_as_its_origin(make: Any, kit: Any) -> None:
    """L-MIR-4: kill -9 of the mirror while entries come loses none that counts, and brings in no other."""
    parties = make()
    parties.start("north", "south")
    parties.wait_open()
    origin = "detente/north/log/1"
    prefix = f"/log/mirror/{origin_hash(origin)}"
    _, public = keys_of(parties.north)
    for round_ in range(4):
        ran = parties.file(parties.north, kit.feature(f"M-{round_}", 50, 10))
        assert ran.code == 0, ran.err
        time.sleep(
            0.7 * round_
        )  # somewhere between the cosigning and the upload, another place each time
        parties.south.kill()
        parties.south.start()
    with parties.north.http() as own, parties.south.http() as other:

        def level() -> bool:
            texts = [http.get(path).text for http, path in both]
            return texts[0].split("\n")[:3] == texts[1].split("\n")[:3]

        both = ((own, "/log/checkpoint"), (other, f"{prefix}/checkpoint"))
        kit.until(level, "a mirror as large as its origin")
        head = verify_checkpoint(other.get(f"{prefix}/checkpoint").text, origin, public)
        copy = TileReader(head.size, head.root, lambda p: other.get(f"{prefix}/{p}").content)
        first = TileReader(head.size, head.root, lambda p: own.get(f"/log/1/{p}").content)
        assert copy.entries(0) == first.entries(0)
        assert parties.south.status()["fault"] is None

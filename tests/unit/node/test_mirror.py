"""The mirror in the store: what is kept when an upload dies in the middle, and how it goes on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import sign_checkpoint
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.mirror import Package, Upload, make_package, parse_info, verify_mirrored
from detente.ledger.note import parse_note
from detente.ledger.tile import Tile, TileReader, parse_tile_path
from detente.ledger.witness import Witnessed, WitnessedHead
from detente.node import mirror as room
from detente.node.mirror import Mirror
from detente.node.store import Store
from detente.signing.key import SigningKeys

ORIGIN = "detente/north/log/1"
ENTRIES = [b"entry %d" % n for n in range(66_000)]
TREE = MerkleTree(leaf_hash(entry) for entry in ENTRIES)
NORTH = SigningKeys.from_seed(bytes(range(64)))
SOUTH = SigningKeys.from_seed(bytes(range(64, 128)))
CORE: Any = SimpleNamespace(identity=SimpleNamespace(signer=SOUTH))
NOW_US = 1_790_000_000_000_000


def witness(store: Store, size: int, tree: MerkleTree = TREE) -> None:
    """Make a head pending, as the witness does."""
    note = sign_checkpoint(NORTH, ORIGIN, size, tree.root(size), 5)
    head = WitnessedHead(size, tree.root(size), note)
    store.put_value(f"witness:{ORIGIN}", msgspec.to_builtins(head))
    store.put_witnessed(Witnessed(ORIGIN, size, 5, head.root, note))


def send(mirror: Mirror, upload: Upload, most: int = 10**6) -> None:
    """Take the packages of an upload, at most so many."""
    for start, end in list(upload.intervals())[:most]:
        assert mirror.take(upload, make_package(TREE, start, ENTRIES[start:end], upload.end))


def test_upload_killed_in_the_middle_goes_on_where_it_was_durable(tmp_path: Path) -> None:
    """L-MIR-4: what was committed counts, what was not is sent again, and the copy is the log."""
    path = tmp_path / "x.db"
    store = Store.at(path)
    witness(store, 66_000)
    mirror, upload = Mirror(store, "south"), Upload(ORIGIN, 0, 66_000)
    send(mirror, upload, 2)
    store.commit()
    send(mirror, Upload(ORIGIN, 512, 66_000), 1)
    store.close()  # killed before the commit

    store = Store.at(path)
    mirror = Mirror(store, "south")
    late = Upload(ORIGIN, 768, 66_000)
    refused = mirror.begin(late)
    assert refused is not None
    assert refused.status == 409
    info = parse_info(refused.body.encode())
    assert (info.size, info.next) == (66_000, 512)
    assert not mirror.take(late, make_package(TREE, 768, ENTRIES[768:1024], 66_000))
    rest = Upload(ORIGIN, info.next, info.size)
    assert mirror.begin(rest) is None
    assert mirror.finish(CORE, rest, NOW_US).status == 202
    send(mirror, rest)
    answer = mirror.finish(CORE, rest, NOW_US)
    assert answer.status == 200
    head = mirror.head(ORIGIN)
    verify_mirrored(head.note, "south", SOUTH.public)

    def fetch(name: str) -> bytes:
        data = mirror.read(ORIGIN, parse_tile_path(name))
        assert data is not None, name
        return data

    copy = TileReader(66_000, TREE.root(), fetch)
    assert copy.consistency_proof(65_536) == TREE.consistency_proof(65_536)
    assert [e for i in range(258) for e in copy.entries(i)] == ENTRIES
    assert mirror.read(ORIGIN, Tile(0, 257, 209)) is None
    store.close()


def test_entries_sent_twice_are_kept_once_and_an_older_end_rewinds_nothing(store: Store) -> None:
    """L-MIR-5, L-MIR-8: two uploads at a time do no harm, and the mirror's checkpoint never goes back."""
    mirror = Mirror(store, "south")
    witness(store, 300)
    send(mirror, Upload(ORIGIN, 0, 300))
    witness(store, 600)
    older = mirror.finish(CORE, Upload(ORIGIN, 0, 300), NOW_US)
    assert older.status == 200
    # a larger head is known: the line says nothing about its time
    assert parse_note("x\n\n" + older.body).signatures[0].signature[:8] == bytes(8)
    send(mirror, Upload(ORIGIN, 200, 600))
    send(mirror, Upload(ORIGIN, 100, 600))
    assert mirror.finish(CORE, Upload(ORIGIN, 200, 600), NOW_US).status == 200
    assert mirror.finish(CORE, Upload(ORIGIN, 0, 300), NOW_US).status == 409
    again = mirror.begin(Upload(ORIGIN, 0, 300))
    assert again is not None
    assert again.status == 409
    assert mirror.finish(CORE, Upload(ORIGIN, 600, 600), NOW_US).status == 200
    head = mirror.head(ORIGIN)
    assert (head.size, head.entries) == (600, 600)
    verify_mirrored(head.note, "south", SOUTH.public)
    assert mirror.tree(ORIGIN).root(600) == TREE.root(600)


def test_entries_of_another_history_are_not_kept(store: Store) -> None:
    """L-MIR-2: what is not under the pending head is refused before a byte of it is stored."""
    mirror = Mirror(store, "south")
    witness(store, 300)
    upload = Upload(ORIGIN, 0, 300)
    good = make_package(TREE, 0, ENTRIES[:256], 300)
    with pytest.raises(PeerError):
        mirror.take(upload, Package(0, (b"lie", *good.entries[1:]), good.proof))
    assert mirror.head(ORIGIN).entries == 0
    # a fork that begins behind what was mirrored already
    send(mirror, upload)
    fork = MerkleTree(leaf_hash(e) for e in [*ENTRIES[:299], b"fork", *ENTRIES[300:400]])
    witness(store, 400, fork)
    other = Upload(ORIGIN, 300, 400)
    with pytest.raises(PeerError):
        mirror.take(other, make_package(fork, 300, ENTRIES[300:400], 400))
    assert mirror.head(ORIGIN).entries == 300


def test_quota_is_a_party_s_over_all_its_epochs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-MIR-6: a party that opens epoch after epoch gets no more room by it."""
    monkeypatch.setattr("detente.limits.MIRROR_BYTES", 300 * (room.ENTRY_COST + 10))
    mirror = Mirror(store, "south")
    witness(store, 300)
    send(mirror, Upload(ORIGIN, 0, 300), 1)
    assert mirror.head(ORIGIN).entries == 256
    store.write(
        room.schema.mirror_head.insert(),
        {"origin": "detente/north/log/2", "entries": 9, "bytes": 9000, "size": 0, "note": ""},
    )
    with pytest.raises(UsageError) as caught:
        mirror.take(Upload(ORIGIN, 256, 300), make_package(TREE, 256, ENTRIES[256:300], 300))
    assert caught.value.code == "mirror-full"

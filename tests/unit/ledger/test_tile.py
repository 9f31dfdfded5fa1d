"""Tiles: what a log serves, and what a reader takes from it."""

from __future__ import annotations

import pytest

from detente.errors import PeerError, UsageError
from detente.ledger.merkle import HASH_BYTES, MerkleTree, leaf_hash, verify_inclusion
from detente.ledger.tile import (
    Tile,
    TileReader,
    encode_bundle,
    parse_bundle,
    parse_tile_path,
    partial_tiles,
)

ENTRIES = [b"entry %d" % n for n in range(66_000)]
TREE = MerkleTree(leaf_hash(entry) for entry in ENTRIES)


def served(path: str) -> bytes:
    """What a log of these entries serves."""
    tile = parse_tile_path(path)
    start = tile.index * 256
    if tile.level < 0:
        return encode_bundle(ENTRIES[start : start + tile.width])
    return b"".join(TREE.stored(8 * tile.level, start + i) for i in range(tile.width))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000])
def test_reader_gives_every_proof_from_tiles(size: int) -> None:
    """L-TILE-1, L-TILE-2: roots, inclusion and consistency from tiles are those of the tree itself."""
    reader = TileReader(size, TREE.root(size), served)
    for index in {0, 1, 255, 256, size // 2, size - 1} & set(range(size)):
        assert reader.inclusion_proof(index) == TREE.inclusion_proof(index, size)
        assert reader.leaf_hash_at(index) == leaf_hash(ENTRIES[index])
        assert ENTRIES[index] in reader.entries(index // 256)
    for old in {1, 2, 255, 256, 300, 65_536} & set(range(size)):
        assert reader.consistency_proof(old) == TREE.consistency_proof(old, size)


def test_reader_asks_for_no_tile_that_the_checkpoint_does_not_require() -> None:
    """L-TILE-6: only partial tiles of the verified size are fetched, and full ones below it."""
    asked: list[Tile] = []

    def fetch(path: str) -> bytes:
        asked.append(parse_tile_path(path))
        return served(path)

    reader = TileReader(70, TREE.root(70), fetch)
    reader.entries(0)
    assert asked == [Tile(0, 0, 70), Tile(-1, 0, 70)]
    big = TileReader(66_000, TREE.root(66_000), fetch)
    big.inclusion_proof(5)
    partial = [one for one in asked[2:] if one.width < 256]
    assert partial == partial_tiles(66_000)


def test_reader_takes_no_tile_that_does_not_lead_to_the_checkpoint() -> None:
    """One bit in any tile or bundle, a tile cut short, or another log's: each is refused."""
    for wrong in ("tile/2/000.p/1", "tile/1/001.p/1", "tile/0/257.p/208"):
        with pytest.raises(PeerError, match="root of size"):
            TileReader(66_000, TREE.root(), lambda p, w=wrong: _flip(p, w))
    for wrong in ("tile/0/003", "tile/1/000"):
        reader = TileReader(66_000, TREE.root(), lambda p, w=wrong: _flip(p, w))
        with pytest.raises(PeerError, match="not the tile of its checkpoint"):
            reader.inclusion_proof(3 * 256)
    reader = TileReader(66_000, TREE.root(), lambda p: _flip(p, "tile/entries/004"))
    reader.entries(3)
    with pytest.raises(PeerError, match="bundle"):
        reader.entries(4)
    with pytest.raises(PeerError) as caught:
        TileReader(3, TREE.root(3), lambda p: served(p)[:-1])
    assert caught.value.code == "tile-malformed"


def _flip(path: str, wrong: str) -> bytes:
    data = bytearray(served(path))
    if path == wrong:
        data[5] ^= 1
    return bytes(data)


def test_proof_from_tiles_verifies() -> None:
    """What a reader computes is accepted by the verifier that knows nothing of tiles."""
    reader = TileReader(700, TREE.root(700), served)
    leaf = leaf_hash(ENTRIES[600])
    verify_inclusion(leaf, 600, 700, reader.inclusion_proof(600), TREE.root(700))


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(7, 999, 255), "tile/7/999.p/255"),
        (Tile(63, 1000, 1), "tile/63/x001/000.p/1"),
        (Tile(-1, 273, 112), "tile/entries/273.p/112"),
    ],
)
def test_path_of_a_tile_and_back(tile: Tile, path: str) -> None:
    """L-TILE-3: level without zeroes, index in groups of three, width of a partial tile."""
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/٠٠٠",
        "tile/0/000\n",
        "tile/entries/../000",
        "tile/0/" + "x001/" * 9 + "001",
    ],
)
def test_path_of_any_other_form_is_refused(path: str) -> None:
    """L-TILE-3: one tile has one path; what is not exactly that is none."""
    with pytest.raises(UsageError):
        parse_tile_path(path)


def test_partial_tiles_are_those_of_the_specification() -> None:
    """The specification's own examples: 70,000 leaves, and 256."""
    assert [(t.level, t.index, t.width) for t in partial_tiles(70_000)] == [
        (0, 273, 112),
        (1, 1, 17),
        (2, 0, 1),
    ]
    assert [(t.level, t.width) for t in partial_tiles(256)] == [(1, 1)]
    assert partial_tiles(0) == []
    assert Tile(1, 1, 17).end == 273 * 256


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1", b"\0\1a\0", b"\0\1a\0\1b\0\1c"])
def test_bundle_of_another_length_is_refused(data: bytes) -> None:
    """L-TILE-5: a bundle is so many entries, each behind its length, and nothing else."""
    with pytest.raises(PeerError) as caught:
        parse_bundle(data, 2)
    assert caught.value.code == "tile-malformed"
    assert parse_bundle(b"\0\1a\0\0", 2) == (b"a", b"")
    with pytest.raises(UsageError):
        encode_bundle([bytes(65_536)])


def test_full_tile_is_8192_bytes() -> None:
    """L-TILE-4: 256 hashes, and nothing of a partial tile goes one level up."""
    assert len(served("tile/0/000")) == 256 * HASH_BYTES == 8192
    assert TREE.stored(8, 0) == TREE.root(256)

"""Tiles: a log cut into files of 256 hashes or entries, from which any proof can be made.

A tile of level 0 holds leaf hashes, one of level L + 1 the roots of full tiles of level L. So whoever
holds a verified checkpoint can read any part of a log from anywhere: the partial tiles hash up to the
signed root, and each full tile to its hash one level up. Nothing here fetches; the caller injects that.

Source: C2SP tlog-tiles at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from detente.errors import PeerError, UsageError, shown
from detente.ledger.merkle import HASH_BYTES, SIZE_MOST, Tree, leaf_hash, node_hash

TILE_WIDTH: Final = 256
TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
LEVEL_MOST = 63  # of a path; a tree of less than 2**63 leaves has tiles up to level 7
ENTRY_BYTES = 0xFFFF  # an entry's length travels in two bytes
BUNDLE_BYTES: Final = TILE_WIDTH * (2 + ENTRY_BYTES)

_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?",
    re.ASCII,
)


class Tile(msgspec.Struct, frozen=True):
    """Which tile: its level, its index there, its width.

    Args:
        level: 0 for leaf hashes; -1 for the entries themselves.
        width: 1 to 256; 256 is a full tile.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix.

        Example:
            >>> Tile(0, 1234067).path, Tile(-1, 5, 17).path
            ('tile/0/x001/x234/067', 'tile/entries/005.p/17')
        """
        name = "entries" if self.level < 0 else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{name}/{_format_index(self.index)}{partial}"

    @property
    def end(self) -> int:
        """How many leaves a tree must have at least to have this tile."""
        return (self.index * TILE_WIDTH + self.width) << (8 * max(0, self.level))


def parse_tile_path(path: str) -> Tile:
    """The tile of a path below a log's prefix.

    Raises:
        UsageError: `tile-path`: not of the form of tlog-tiles.
    """
    match = _PATH.fullmatch(path)
    if match is not None:
        level = -1 if match[1] == "entries" else int(match[1])
        index = int(match[2].replace("x", "").replace("/", ""))
        width = int(match[3] or TILE_WIDTH)
        partial = match[3] is None or width < TILE_WIDTH
        # one index has one path: no leading element of zeroes
        if level <= LEVEL_MOST and partial and _format_index(index) == match[2]:
            return Tile(level, index, width)
    raise UsageError("tile-path", f"path is {shown(path)}; it must be that of a tile")


def partial_tiles(size: int) -> list[Tile]:
    """The partial tiles of a tree, lowest level first; together they hash to its root.

    Example:
        >>> [one.path for one in partial_tiles(70_000)]
        ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1']
    """
    found, level = [], 0
    while size >> (8 * level):
        count = size >> (8 * level)
        if count % TILE_WIDTH:
            found.append(Tile(level, count // TILE_WIDTH, count % TILE_WIDTH))
        level += 1
    return found


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 1, 2, 4 … 256 hashes of a tile."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as an entry bundle: each behind its length in two bytes.

    Raises:
        UsageError: `entry-length`.
    """
    if any(len(entry) > ENTRY_BYTES for entry in entries):
        raise UsageError("entry-length", f"an entry is over {ENTRY_BYTES} bytes; it must fit")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """The entries of a bundle.

    Raises:
        PeerError: `tile-malformed`: not exactly `width` entries.
    """
    entries: list[bytes] = []
    at = 0
    while at + 2 <= len(data) and len(entries) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) != width:
        raise _malformed(f"bundle of {len(data)} bytes", f"{width} entries", data)
    return tuple(entries)


class TileTree(Tree):
    """A tree of which one tile at a time is looked at."""

    __slots__ = ("_count",)

    def __init__(self, size: int) -> None:
        self._count = size

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._count

    @abstractmethod
    def hashes(self, tile: Tile) -> Sequence[bytes]:
        """The hashes of a tile of this tree, at this size."""

    def tile_of(self, level: int, index: int) -> Tile:
        """The tile at a place, as wide as it is in this tree."""
        count = self._count >> (8 * level)
        return Tile(level, index, min(TILE_WIDTH, count - index * TILE_WIDTH))

    def stored(self, level: int, position: int) -> bytes:
        """The root of a complete subtree of 2**`level` leaves."""
        tiles, height = divmod(level, 8)
        first = position << height
        index, start = divmod(first, TILE_WIDTH)
        row = self.hashes(self.tile_of(tiles, index))
        return tile_root(row[start : start + (1 << height)])


class TileReader(TileTree):
    """A log read by its tiles, each checked against a checkpoint before it counts.

    Args:
        size, root: of a checkpoint that the caller has verified.
        fetch: the bytes at a path below the log's prefix; may raise what it likes.

    Raises:
        PeerError: `tile-malformed` or `tile-wrong`: the partial tiles are not those of this checkpoint.
    """

    __slots__ = ("_fetch", "_known")

    def __init__(self, size: int, root: bytes, fetch: Callable[[str], bytes]) -> None:
        if not 0 <= size <= SIZE_MOST:
            raise UsageError("tree-size", f"size is {size}; it must be in 0..2**63-1")
        super().__init__(size)
        self._fetch = fetch
        # every hash of every partial tile goes into the root, so this check covers them all
        self._known: dict[tuple[int, int], tuple[bytes, ...]] = {
            (tile.level, tile.index): self._read(tile) for tile in partial_tiles(size)
        }
        if self.root() != root:
            raise PeerError(
                "tile-wrong", f"tiles do not lead to the root of size {size}; they must"
            )

    def hashes(self, tile: Tile) -> Sequence[bytes]:
        """The hashes of a tile, checked.

        Raises:
            PeerError: `tile-malformed` or `tile-wrong`.
        """
        place = (tile.level, tile.index)
        found = self._known.get(place)
        if found is None:
            found = self._read(tile)
            # a full tile is one hash of the tile above it
            above, at = divmod(tile.index, TILE_WIDTH)
            if tile_root(found) != self.hashes(self.tile_of(tile.level + 1, above))[at]:
                raise PeerError("tile-wrong", f"{tile.path} is not the tile of its checkpoint")
            self._known[place] = found
        return found

    def entries(self, index: int) -> tuple[bytes, ...]:
        """The entries of a bundle, each checked against its leaf hash.

        Raises:
            PeerError: `tile-malformed` or `tile-wrong`.
        """
        tile = self.tile_of(0, index)
        bundle = Tile(-1, index, tile.width)
        entries = parse_bundle(self._fetch(bundle.path), tile.width)
        if [leaf_hash(entry) for entry in entries] != list(self.hashes(tile)):
            raise PeerError("tile-wrong", f"{bundle.path} is not the bundle of its tile")
        return entries

    def _read(self, tile: Tile) -> tuple[bytes, ...]:
        data = self._fetch(tile.path)
        if len(data) != tile.width * HASH_BYTES:
            raise _malformed(f"{tile.path} of {len(data)} bytes", f"{tile.width} hashes", data)
        return tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))


def _format_index(index: int) -> str:
    text = f"{index % 1000:03d}"
    while index := index // 1000:
        text = f"x{index % 1000:03d}/{text}"
    return text


def _malformed(what: str, rule: str, data: bytes) -> PeerError:
    return PeerError(
        "tile-malformed", f"{what} is wrong; it must be {rule}", evidence=data[:TILE_BYTES]
    )

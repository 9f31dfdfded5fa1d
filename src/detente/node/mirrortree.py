"""The tree over the entries of another log that are stored here, read a tile at a time."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from detente.ledger.merkle import leaf_hash
from detente.ledger.tile import TILE_WIDTH, Tile, TileTree
from detente.node import schema

_E, _H = schema.mirror_entry.c, schema.mirror_hash.c


class MirrorTree(TileTree):
    """The tree over the entries of one log that are stored here."""

    __slots__ = ("_connection", "_origin")

    def __init__(self, connection: sa.Connection, origin: str, size: int) -> None:
        super().__init__(size)
        self._connection, self._origin = connection, origin

    def hashes(self, tile: Tile) -> Sequence[bytes]:
        """The hashes of a tile: of entries, or of full tiles one level down."""
        start = tile.index * TILE_WIDTH
        if tile.level == 0:
            return [leaf_hash(entry) for entry in self.entries(start, start + tile.width)]
        place = (_H.origin == self._origin, _H.level == tile.level)
        part = (_H.idx >= start, _H.idx < start + tile.width)
        query = sa.select(_H.hash).where(*place, *part).order_by(_H.idx)
        return [row.hash for row in self._connection.execute(query)]

    def entries(self, start: int, end: int) -> list[bytes]:
        """Entries from `start` to before `end`."""
        part = (_E.origin == self._origin, _E.idx >= start, _E.idx < end)
        query = sa.select(_E.entry).where(*part).order_by(_E.idx)
        return [row.entry for row in self._connection.execute(query)]

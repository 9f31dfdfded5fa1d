"""The mirror: copies of the logs of others, in the store, and what add-entries and the monitors are answered.

Each method that takes a core is part of a job: what it writes is durable before anybody is answered.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from detente import limits
from detente.errors import PeerError
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.cosignature import add_cosignature
from detente.ledger.merkle import leaf_hash
from detente.ledger.mirror import (
    INFO_TYPE,
    MirrorInfo,
    Package,
    Upload,
    check_quota,
    sign_mirrored,
    verify_package,
)
from detente.ledger.note import parse_note
from detente.ledger.tile import TILE_WIDTH, Tile, encode_bundle, tile_root
from detente.ledger.witness import WitnessAnswer, WitnessedHead
from detente.limits import MIRROR_EXCESS
from detente.node import schema
from detente.node.mirrortree import MirrorTree
from detente.node.store import Store
from detente.protocol.core import Core
from detente.units import US_PER_S

LEAF_COST = 112 + 32  # of a leaf of ours, which is all that their logs hold
ENTRY_COST = 32  # bytes counted beside an entry: its hash; so empty entries are not free

_M = schema.mirror_head.c


class MirrorHead(msgspec.Struct, frozen=True):
    """How far the mirror of a log is.

    Args:
        entries: how many are stored: the index of the next one.
        bytes: what they take of the quota.
        size, note: the mirror's own checkpoint; 0 and empty before the first.
    """

    entries: int = 0
    bytes: int = 0
    size: int = 0
    note: str = ""


class Mirror:
    """The mirror of a node, or of a witness that stands alone.

    Args:
        party: whose mirror it is.
    """

    def __init__(self, store: Store, party: str) -> None:
        self._store, self._party = store, party

    # -- what is stored ------------------------------------------------------------------------

    def head(self, origin: str) -> MirrorHead:
        """How far the mirror of a log is."""
        row = self._store.connection.execute(
            sa.select(schema.mirror_head).where(_M.origin == origin)
        ).first()
        return MirrorHead(row.entries, row.bytes, row.size, row.note) if row else MirrorHead()

    def origins(self) -> list[str]:
        """The logs that are mirrored."""
        query = sa.select(_M.origin).order_by(_M.origin)
        return [row.origin for row in self._store.connection.execute(query)]

    def tree(self, origin: str) -> MirrorTree:
        """The tree over what is stored of a log."""
        return self._store.mirrored_tree(origin)

    def read(self, origin: str, tile: Tile) -> bytes | None:
        """The bytes of a tile or bundle, or None for what the mirror's checkpoint does not cover."""
        head = self.head(origin)
        if tile.end > head.size:
            return None
        tree = MirrorTree(self._store.connection, origin, head.size)
        if tile.level >= 0:
            return b"".join(tree.hashes(tile))
        start = tile.index * TILE_WIDTH
        return encode_bundle(tree.entries(start, start + tile.width))

    # -- add-entries ---------------------------------------------------------------------------

    def begin(self, upload: Upload) -> WitnessAnswer | None:
        """The refusal of an upload, by its beginning alone; None where it may go on.

        The caller knows the log.
        """
        pending, head = self._pending(upload.origin), self.head(upload.origin)
        if pending is None:
            return WitnessAnswer(422, "no checkpoint of this log is known here\n")
        repeated = min(upload.end, head.entries) - upload.start
        if (
            self._root(upload.origin, upload.end, head) is None
            or upload.end < head.size
            or upload.start > head.entries
            or repeated > MIRROR_EXCESS
        ):
            return self.where(upload, 409)
        return None

    def take(self, upload: Upload, package: Package) -> bool:
        """Store the entries of a package; False where it does not join what is stored.

        Raises:
            PeerError: ``consistency-invalid``: they are not of this log. UsageError: ``mirror-full``.
        """
        origin, head = upload.origin, self.head(upload.origin)
        root = self._root(origin, upload.end, head)
        if root is None or package.start > head.entries:
            return False
        tree = MirrorTree(self._store.connection, origin, head.entries)
        before = [leaf_hash(one) for one in tree.entries(package.rounded, package.start)]
        hashes = verify_package(package, before, upload.end, root)
        fresh = package.entries[max(0, head.entries - package.start) :]
        if not fresh:
            return True
        cost = sum(len(entry) + ENTRY_COST for entry in fresh)
        check_quota(origin.split("/")[1], self._used(origin) + cost)
        first = package.end - len(fresh)
        rows = [{"origin": origin, "idx": first + i, "entry": one} for i, one in enumerate(fresh)]
        self._store.write(sa.insert(schema.mirror_entry), rows)
        if package.end % TILE_WIDTH == 0:
            self._raise(origin, package.rounded // TILE_WIDTH, tile_root(hashes))
        self._put(
            origin,
            msgspec.structs.replace(head, entries=package.end, bytes=head.bytes + cost),
        )
        return True

    def finish(self, core: Core, upload: Upload, now_us: int) -> WitnessAnswer:
        """Make the upload's end the mirror's checkpoint, if all of it is here, and sign that."""
        origin, head = upload.origin, self.head(upload.origin)
        root, pending = self._root(origin, upload.end, head), self._pending(origin)
        if root is None or pending is None or upload.end < head.size:
            return self.where(upload, 409)
        if head.entries < upload.end:
            return self.where(upload, 202)
        note = self._note(origin, upload.end, head)
        checkpoint = parse_checkpoint(parse_note(note))
        if self.tree(origin).root(upload.end) != checkpoint.root:
            # every package was verified when it came: this is a store that went wrong
            raise PeerError("mirror-wrong", "mirror does not have the root of its checkpoint")
        line = sign_mirrored(
            core.identity.signer,
            self._party,
            checkpoint,
            now_us // US_PER_S,
            newest=upload.end == pending.size,
        )
        kept = add_cosignature(note, line)
        self._put(origin, msgspec.structs.replace(head, size=upload.end, note=kept))
        return WitnessAnswer(200, line)

    def where(self, upload: Upload, status: Any) -> WitnessAnswer:
        """Where the mirror is, with the upload's own end where that is good."""
        head, pending = self.head(upload.origin), self._pending(upload.origin)
        size = pending.size if pending else 0
        if upload.end >= head.size and self._root(upload.origin, upload.end, head) is not None:
            size = upload.end
        return WitnessAnswer(status, MirrorInfo(size, head.entries).encode(), INFO_TYPE)

    # -- inside --------------------------------------------------------------------------------

    def _pending(self, origin: str) -> WitnessedHead | None:
        kept = self._store.value(f"witness:{origin}")
        return msgspec.convert(kept, WitnessedHead) if kept else None

    def _note(self, origin: str, size: int, head: MirrorHead) -> str:
        """The note of a head of this size that was pending once."""
        pending = self._pending(origin)
        if pending is not None and pending.size == size:
            return pending.note
        kept = self._store.witnessed(origin, size)
        if kept is not None:
            return kept.note
        # what was mirrored before: without our own line, for there is one only
        note = parse_note(head.note) if head.note and head.size == size else None
        if note is None:
            return ""
        own = f"detente/{self._party}/mirror"
        lines = tuple(line for line in note.signatures if line.name != own)
        return msgspec.structs.replace(note, signatures=lines).format()

    def _root(self, origin: str, size: int, head: MirrorHead) -> bytes | None:
        """The root of a head that is or was pending, or None."""
        note = self._note(origin, size, head)
        return parse_checkpoint(parse_note(note)).root if note else None

    def is_full(self, origin: str) -> bool:
        """Whether not one leaf more of a party's logs would be taken."""
        return self._used(origin) + LEAF_COST > limits.MIRROR_BYTES

    def _used(self, origin: str) -> int:
        """What a party's logs, of all epochs, take of its quota."""
        prefix = origin.rpartition("/")[0] + "/"
        query = sa.select(sa.func.sum(_M.bytes)).where(
            _M.origin.startswith(prefix, autoescape=True)
        )
        return int(self._store.connection.execute(query).scalar_one() or 0)

    def _raise(self, origin: str, index: int, root: bytes) -> None:
        """Keep the hash over a tile that is full now, and over those above that it fills."""
        level = 1
        while True:
            row = {"origin": origin, "level": level, "idx": index, "hash": root}
            self._store.write(sa.insert(schema.mirror_hash), row)
            if index % TILE_WIDTH != TILE_WIDTH - 1:
                return
            index //= TILE_WIDTH
            tree = MirrorTree(self._store.connection, origin, 0)
            root = tile_root(tree.hashes(Tile(level, index)))
            level += 1

    def _put(self, origin: str, head: MirrorHead) -> None:
        self._store.write(sa.delete(schema.mirror_head).where(_M.origin == origin))
        row = {"origin": origin, **msgspec.structs.asdict(head)}
        self._store.write(sa.insert(schema.mirror_head), row)

"""Looks at what a party shows the world as its log, and holds it against what it showed here.

A log that shows its witnesses one history and its readers another is caught by whoever asks as a reader.
What neutral witnesses signed is kept beside the heads that were cosigned here, for the times in it.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import httpx
import msgspec

from detente.errors import PeerError, UnavailableError
from detente.ledger.checkpoint import (
    VerifiedCheckpoint,
    cosigner_name,
    log_owner,
    verify_checkpoint,
)
from detente.ledger.cosignature import add_cosignature, cosigner_keys, verify_cosignatures
from detente.ledger.merkle import Tree
from detente.ledger.note import NOTE_BYTES, find_lines, parse_note
from detente.ledger.tile import TILE_BYTES, TileReader
from detente.ledger.witness import Witnessed, WitnessedHead
from detente.node.line import answered, ask_peer, why_failed
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.evidence import two_heads

if TYPE_CHECKING:
    from detente.node.node import Node

EVERY_S = 30.0
TILES_MOST = 64  # of one look: 8 levels on either side of two heads are fewer


class _NotFetched(Exception):
    """A tile that the reader asks for and that is not here yet."""


class Following:
    """One party's published log."""

    def __init__(self, node: Node, party: str, client: httpx.AsyncClient) -> None:
        self.node, self.party, self.client = node, party, client
        self.failing: str | None = None

    async def run(self, every_s: float = EVERY_S) -> None:
        """Now and then, for as long as the node is served."""
        while True:
            await asyncio.sleep(every_s * random.uniform(0.8, 1.0))
            try:
                await self.look()
                self.failing = None
            except Exception as error:
                self.failing = why_failed(f"log of {self.party}", error, self.failing)

    async def look(self) -> None:
        """Fetch the newest checkpoint, and hold it against the heads that are known here.

        Raises:
            PeerError: it is not this party's, or its tiles are not those of its checkpoint.
            UnavailableError: ``peer-answered``.
        """
        status, body = await ask_peer(self.client, "/log/checkpoint", b"", NOTE_BYTES, "GET")
        if status == 404:
            return  # nothing is signed there yet
        if status != 200:
            raise UnavailableError("peer-answered", answered(status, body))
        note = body.decode("utf-8", "replace")
        grown = await self.node.run(lambda core: self.compare(core, note))
        if grown is None:
            return
        head, known = grown
        tree = await self._read(head, known)
        if tree.root(known.size) != known.root:
            await self.node.run(lambda core: (None, self._forked(core, known.note, note, tree)))

    def compare(
        self, core: Core, note: str
    ) -> tuple[tuple[VerifiedCheckpoint, WitnessedHead] | None, list[Effect]]:
        """Hold a head against those known: a job. What is returned must be proved consistent by tiles.

        Raises:
            PeerError: the note is not a checkpoint of this party's log.
        """
        head = self._verify(core, note)
        kept = self.node.store.value(f"witness:{head.origin}")
        if kept is None:
            return None, []  # nothing to hold it against: its cosigning is on the way
        known = msgspec.convert(kept, WitnessedHead)
        same = core.journal.witnessed(head.origin, head.size)
        if head.size == known.size or same is not None:
            other = same or Witnessed(head.origin, known.size, 0, known.root, known.note)
            if other.root != head.root:
                return None, self._forked(core, other.note, note, None)
            if same is not None:
                self._merge(core, same, note)
            return None, []
        if head.size > known.size:
            return (head, known), []
        mirror = self.node.mirror.head(head.origin)
        if head.size <= mirror.size:
            tree = self.node.mirror.tree(head.origin)
            if tree.root(head.size) != head.root:
                return None, self._forked(core, note, mirror.note, tree)
        return None, []

    def _verify(self, core: Core, note: str) -> VerifiedCheckpoint:
        origin = note.partition("\n")[0]
        if log_owner(origin) != self.party:
            raise PeerError(
                "checkpoint-origin",
                f"checkpoint is of another log; it must be of {self.party}",
                evidence=note.encode(),
            )
        keys = core.state.keys.signing_keys(self.party, self.node.now_us())
        error = PeerError("checkpoint-unsigned", "no key is known", evidence=note.encode())
        for public in keys:
            try:
                return verify_checkpoint(note, origin, public, core.identity.verifier)
            except PeerError as wrong:
                error = wrong
        raise error

    def _merge(self, core: Core, kept: Witnessed, note: str) -> None:
        """Keep what neutral witnesses signed for a head that was cosigned here, each once (L-COS-1)."""
        agreement = core.state.agreement
        text, parsed = kept.note, parse_note(note)
        for witness in agreement.witnesses if agreement else ():
            name = cosigner_name(witness)
            if any(line.name == name for line in parse_note(text).signatures):
                continue
            for public in core.state.keys.signing_keys(witness, self.node.now_us()):
                found = verify_cosignatures(note, {name: public}, core.identity.verifier)
                if found.cosigned:
                    lines = [x for k in cosigner_keys(name, public) for x in find_lines(parsed, k)]
                    text = add_cosignature(text, "".join(line.line for line in lines))
                    break
        if text != kept.note:
            core.journal.put_witnessed(msgspec.structs.replace(kept, note=text))

    def _forked(self, core: Core, one: str, other: str, tree: Tree | None) -> list[Effect]:
        """Say that a log has two histories, and keep what proves it."""
        return core.alarm_once(
            self.node.now_us(),
            "log-inconsistent",
            f"the log of {self.party} shows two histories",
            self.party,
            heads=[one, other],
            evidence=two_heads("log-fork", self.party, [one, other], tree),
        )

    async def _read(self, head: VerifiedCheckpoint, known: WitnessedHead) -> TileReader:
        """The tiles that lead from one head to the other, checked against the newer one."""
        epoch = head.origin.rpartition("/")[2]
        tiles: dict[str, bytes] = {}

        def fetch(path: str) -> bytes:
            if path not in tiles:
                raise _NotFetched(path)
            return tiles[path]

        for _ in range(TILES_MOST):
            try:
                tree = TileReader(head.size, head.root, fetch)
                tree.root(known.size)
                tree.consistency_proof(known.size)
            except _NotFetched as wanted:
                path = f"/log/{epoch}/{wanted}"
                status, data = await ask_peer(self.client, path, b"", TILE_BYTES, "GET")
                if status != 200:
                    raise UnavailableError("peer-answered", answered(status, data)) from None
                tiles[str(wanted)] = data
            else:
                return tree
        raise UnavailableError("peer-answered", "the log has no end of tiles")

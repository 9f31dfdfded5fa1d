"""Asks others to cosign this node's log: the other parties, the agreement's witnesses, and those that stand alone."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import httpx

from detente.errors import DetenteError, UnavailableError
from detente.ledger.checkpoint import cosigner_name, origin_hash
from detente.ledger.cosignature import cosigner_keys, verify_cosignatures
from detente.ledger.note import NOTE_BYTES, find_lines, parse_note
from detente.ledger.witness import ADD_CHECKPOINT_BYTES, encode_add_checkpoint
from detente.limits import LEARNED_BYTES
from detente.node.home import LoneAddress
from detente.node.line import TIMEOUT_S, answered, ask_peer, why_failed
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.learned import keys_document, learn_keys
from detente.signing.canonical import encode_canonical
from detente.signing.key import PublicKeys

if TYPE_CHECKING:
    from detente.node.node import Node

COSIGN_EVERY_S = 1.0
_SIZE = re.compile(r"[0-9]{1,18}\n?")


class Cosigning:
    """Asks one cosigner, a witness or another party, to cosign each new checkpoint of ours."""

    def __init__(self, node: Node, cosigner: str, client: httpx.AsyncClient) -> None:
        self.node, self.cosigner, self.client = node, cosigner, client
        self.failing: str | None = None
        self._refused_at = -1

    async def run(self) -> None:
        """Once a second at most, when the log has grown."""
        pause_s = COSIGN_EVERY_S
        while True:
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.0))
            try:
                await self.submit()
                self.failing, pause_s = None, COSIGN_EVERY_S
            except Exception as error:
                self.failing = why_failed(f"cosigner {self.cosigner}", error, self.failing)
                pause_s = min(pause_s * 2, self.node.home.config.retry_most_s)

    async def submit(self) -> None:
        """Have the newest checkpoint cosigned, unless it is already."""
        request = await self.node.do(self._request)
        if request is None:
            return
        size, note, body = request
        status, answer = await ask_peer(
            self.client, "/witness/add-checkpoint", body, ADD_CHECKPOINT_BYTES
        )
        text = answer.decode("utf-8", "replace")
        if status == 409 and _SIZE.fullmatch(text):
            known = int(text)
            await self.node.run(lambda core: self._adopt(core, known))
        elif status == 200:
            try:
                await self.node.do(lambda core: self._keep(core, size, note, text))
            except UnavailableError:
                await self._learn()  # its key may be another by now
                await self.node.do(lambda core: self._keep(core, size, note, text))
        else:
            if status == 403:  # it may not know our newest key; after this it does, at the next try
                await self._introduce()
            raise UnavailableError("cosigner-answered", answered(status, answer))

    async def seen(self) -> str | None:
        """The last head of our log that it cosigned, as it serves it; None where it does not answer."""
        origin = await self.node.do(lambda core: core.origin)
        path = f"/witness/{origin_hash(origin)}/checkpoint"
        try:
            status, body = await ask_peer(self.client, path, b"", NOTE_BYTES, "GET")
        except (httpx.HTTPError, DetenteError, OSError):
            return None
        return body.decode("utf-8", "replace") if status == 200 else None

    async def _introduce(self) -> None:
        """Hand the cosigner what our root signed about our keys: it may have no line to us."""
        card = [one.signed for one in self.node.home.card().certificates]
        body = await self.node.do(lambda core: encode_canonical(keys_document(core, card)))
        await ask_peer(self.client, "/witness/keys", body, LEARNED_BYTES)

    async def _learn(self) -> None:
        """Take in what the cosigner's root signed about its keys."""
        status, body = await ask_peer(self.client, "/log/keys", b"", LEARNED_BYTES, "GET")
        if status == 200:
            await self.node.do(lambda core: learn_keys(core, body, self.node.now_us()))

    def _request(self, core: Core) -> tuple[int, str, bytes] | None:
        peers = core.state.peers
        if core.fault is not None or (
            peers and all(core.link(p).state in ("cold", "behind") for p in peers)
        ):
            return None  # nothing is signed before heads were compared
        size, known = core.tree.size, self._known(core)
        if size <= known or not size:
            return None
        note = core.checkpoint(self.node.now_us())
        return (
            size,
            note,
            encode_add_checkpoint(
                known, core.tree.consistency_proof(known, size) if known else (), note
            ),
        )

    def _keys(self, core: Core) -> tuple[str, Sequence[PublicKeys]]:
        """The name it signs under, and the keys that count now."""
        keys = core.state.keys.signing_keys(self.cosigner, self.node.now_us())
        return cosigner_name(self.cosigner), keys

    def _known(self, core: Core) -> int:
        kept = core.journal.value(f"cosigner:{self.cosigner}:{core.origin}")
        return int(kept) if kept is not None else 0

    def _adopt(self, core: Core, known: int) -> tuple[None, list[Effect]]:
        if known <= core.tree.size:
            core.journal.put_value(f"cosigner:{self.cosigner}:{core.origin}", known)
            return None, []
        if self._refused_at == known:
            return None, []
        self._refused_at = known
        message = f"{self.cosigner} has cosigned {known} entries of our log, and there are {core.tree.size} here: this record may be an old backup"
        return None, [core.alarm(self.node.now_us(), "log-behind", message, self.cosigner)]

    def _keep(self, core: Core, size: int, note: str, lines: str) -> None:
        signed = note.rstrip("\n") + "\n" + lines
        name, known = self._keys(core)
        # while one key takes over from another, either may have signed
        for public in known:
            if verify_cosignatures(signed, {name: public}).cosigned:
                break
        else:
            raise UnavailableError(
                "cosignature-invalid", f"the cosignature of {self.cosigner} does not verify"
            )
        parsed = parse_note(signed)
        own = [line for key in cosigner_keys(name, public) for line in find_lines(parsed, key)]
        # nothing else that it wrote: it would stand in every bundle
        core.journal.put_cosignature(size, self.cosigner, "".join(line.line for line in own))
        core.journal.put_value(f"cosigner:{self.cosigner}:{core.origin}", size)
        self.node.counters["cosignatures"] += 1


class LoneCosigning(Cosigning):
    """Asks a witness that stands alone: it knows our keys from its own list, and we its from our settings.

    Args:
        settings: one `[[witness]]` of config.toml, checked.
    """

    def __init__(self, node: Node, settings: LoneAddress) -> None:
        name, self._public = settings.check()
        # verified as the system does: it is no member of the agreement, and no card vouches for its door
        client = httpx.AsyncClient(base_url=settings.url, timeout=TIMEOUT_S, trust_env=False)
        super().__init__(node, name, client)

    def _keys(self, core: Core) -> tuple[str, Sequence[PublicKeys]]:
        return self.cosigner, [self._public]

    async def _introduce(self) -> None:
        """Nothing: whoever runs it says whose logs it cosigns, and under which keys."""

    async def _learn(self) -> None:
        """Nothing: which keys count is for our settings to say."""

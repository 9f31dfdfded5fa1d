"""What goes round by a second address at once, and does not wait for a check to be missed."""

from __future__ import annotations

from detente.protocol.core import Core
from detente.protocol.rules import earns_receipt
from detente.protocol.statement import link_name

LOOKED_BACK = 64  # statements of the safety chain that may be under way: those of one full frame


def is_urgent(core: Core, peer: str) -> bool:
    """Whether something on the safety chain has not reached a peer that must not wait for a check to be missed.

    It is whatever earns a receipt: requests, replies, declarations. What a peer holds is told by
    receipts, since after a restart nobody knows what it acknowledged.
    """
    if any(
        peer in one.waiting and one.chain == "safety" and earns_receipt(one.type)
        for one in core.intents.values()
    ):
        return True
    head = core.state.head(True, peer, "safety").sequence
    name = link_name(core.identity.party, peer)
    newest = core.journal.chain(name, "safety", max(0, head - LOOKED_BACK), LOOKED_BACK)
    return any(earns_receipt(one.type) and one.id not in core.state.receipts for one, _ in newest)

"""How far the copies of two logs are: of ours at a peer, and of the peer's here (L-MIR-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from detente.ledger.checkpoint import log_owner
from detente.ledger.witness import WitnessedHead
from detente.node.node import Node
from detente.protocol.core import Core
from detente.protocol.heads import signed_us
from detente.units import US_PER_S, format_time

if TYPE_CHECKING:
    from detente.node.server import Serving


class CopyRow(msgspec.Struct, frozen=True):
    """How far a copy of a log is.

    Attributes:
        held: entries that are stored there.
        size: entries under the newest head that is known here.
        since: of the oldest head that the copy does not reach; None where it has all.
        full: it has reached its limit, and takes no more.
        failing: why the last try failed, for a copy that this node brings up to date; else None.
    """

    held: int
    size: int
    since: str | None
    full: bool
    failing: str | None


class MirrorRow(msgspec.Struct, frozen=True):
    """Copies between this node and one peer; None where there is none.

    Attributes:
        ours: of this node's log, at the peer.
        theirs: of the peer's log, at this node.
    """

    ours: CopyRow | None
    theirs: CopyRow | None


def mirror_row(node: Node, serving: Serving | None, core: Core, peer: str) -> MirrorRow:
    """The copies between this node and a peer: to be asked in a job."""
    return MirrorRow(_ours(serving, core, peer), _theirs(node, peer))


def _ours(serving: Serving | None, core: Core, peer: str) -> CopyRow | None:
    mirroring = serving.mirroring.get(peer) if serving is not None else None
    newest = core.journal.checkpoint()
    kept = core.journal.value(f"mirror:{peer}:{core.origin}")
    if newest is None or (mirroring is not None and mirroring.absent):
        return None
    held = int(kept or 0)
    missing = core.journal.checkpoint_from(held + 1, cosigned=False)
    return CopyRow(
        held=held,
        size=newest[0],
        since=None if missing is None else format_time(signed_us(missing[1])),
        full=mirroring is not None and mirroring.full,
        failing=mirroring.failing if mirroring is not None else None,
    )


def _theirs(node: Node, peer: str) -> CopyRow | None:
    origins = [one for one in node.store.witness_origins() if log_owner(one) == peer]
    if not origins:
        return None
    # the log that goes on is that of the newest epoch
    origin = max(origins, key=lambda one: int(one.rpartition("/")[2]))
    pending = msgspec.convert(node.store.value(f"witness:{origin}"), WitnessedHead)
    held = node.mirror.head(origin).entries
    missing = node.store.witnessed_after(origin, held) if held < pending.size else None
    return CopyRow(
        held=held,
        size=pending.size,
        since=None if missing is None else format_time(missing.time_s * US_PER_S),
        full=node.mirror.is_full(origin),
        failing=None,
    )

"""Whether what was promised in answer to a proposal has been done: the two notices are clear as they now stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from detente.conflict.strategic import check_pair
from detente.protocol.effect import Alert, Effect
from detente.protocol.resolution import CHECKS, Proposal
from detente.protocol.statement import Statement
from detente.protocol.watch import pair_rules

if TYPE_CHECKING:
    from detente.protocol.core import Core


def keep_promises(core: Core, statement: Statement, now_us: int) -> list[Effect]:
    """After an answer, made here or received: the notices may have been amended before it came."""
    if statement.type not in CHECKS:
        return []
    accepted = core.state.resolution.accepted.get(statement.id)
    return [] if accepted is None else _keep(core, [accepted], now_us)


def keep_about(core: Core, notice: str, now_us: int) -> list[Effect]:
    """After a notice has changed."""
    return _keep(core, core.state.resolution.about.get(notice, ()), now_us)


def _keep(core: Core, proposals: Iterable[str], now_us: int) -> list[Effect]:
    effects: list[Effect] = []
    for id_ in list(proposals):
        proposal = core.state.resolution.known[id_]
        if proposal.state != "accepted" or not are_clear(core, proposal):
            continue
        core.append_local(now_us, "resolution/kept", proposal=id_)
        effects.append(
            Alert(
                "proposal-kept", f"what {proposal.to} accepted has been done", proposal.to, (id_,)
            )
        )
    return effects


def are_clear(core: Core, proposal: Proposal) -> bool:
    """Whether the two notices no longer conflict, in the versions that are known here now.

    A cancelled notice conflicts with nothing. What is not in the record, or not agreed about, cannot be told.
    """
    one, two = (core.state.notices.get(side["id"]) for side in proposal.notices)
    if one is None or two is None:
        return False
    if one.cancelled or two.cancelled:
        return True
    rules = pair_rules(core.state, one, two)
    first, second = core.volumes(one.id), core.volumes(two.id)
    if rules is None or first is None or second is None:
        return False
    return check_pair(first, second, rules).verdict in ("clear", "touch")

"""Whether what was promised in answer to a proposal has been done: versions of the two notices that are clear.

Any two versions count that are not older than those proposed about, whichever of them stood at the same time:
so a node that learns of two amendments in another order than its peer finds the same (A-RES-5).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING

from detente.conflict.strategic import check_pair
from detente.protocol.effect import Alert, Effect
from detente.protocol.fold import NoticeState, Version
from detente.protocol.resolution import CHECKS, Proposal
from detente.protocol.statement import Statement, body_values
from detente.protocol.watch import rules_of

if TYPE_CHECKING:
    from detente.notice.activity import ActivityNotice
    from detente.protocol.core import Core


def keep_promises(core: Core, statement: Statement, now_us: int) -> list[Effect]:
    """After an answer, made here or received: the notices may have been amended before it came.

    After a proposal too: a recovery may bring our answer back before it.
    """
    if statement.type not in CHECKS:
        return []
    state = core.state.resolution
    found = [state.accepted.get(statement.id, statement.id)]
    return _keep(core, [id_ for id_ in found if id_ in state.known], now_us)


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
    """Whether there are two versions, of which one is newer than proposed about, that do not conflict.

    A cancelled notice conflicts with nothing. What is not in the record, or not agreed about, cannot be told.
    """
    notices = [core.state.notices.get(side["id"]) for side in proposal.notices]
    first, second = (
        []
        if notice is None
        else [version for number, version in notice.versions.items() if number >= side["version"]]
        for side, notice in zip(proposal.notices, notices, strict=True)
    )
    about = [side["version"] for side in proposal.notices]
    return any(
        [one.number, two.number] != about and _is_clear(core, notices, (one, two))
        for one, two in product(first, second)
    )


def _is_clear(
    core: Core, notices: Iterable[NoticeState | None], versions: tuple[Version, Version]
) -> bool:
    if any(version.cancel for version in versions):
        return True
    agreements = [core.state.agreements.get(version.agreement) for version in versions]
    volumes = [
        _volumes(core, notice, version) for notice, version in zip(notices, versions, strict=True)
    ]
    one, two = volumes
    if one is None or two is None or agreements[0] is None or agreements[1] is None:
        return False
    rules = rules_of(agreements[0]).stricter(rules_of(agreements[1]))
    return check_pair(one, two, rules).verdict in ("clear", "touch")


def _volumes(core: Core, notice: NoticeState | None, version: Version) -> ActivityNotice | None:
    """The volumes of one version, None where its content is not here."""
    if notice is None:
        return None
    values = body_values(core.journal.openings(next(iter(version.statements.values()))))
    if "pieces" not in values:
        return None
    name = notice.id.partition(":")[2]
    return core.state.volumes(name, notice.exercise, version.body_digest, values)

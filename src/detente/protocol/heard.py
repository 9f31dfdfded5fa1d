"""What was said beside notices, in numbers: so that a console knows what is owed and when to ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from detente.protocol import linestate, roster
from detente.protocol.journal import Json

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State

Topic = Literal["talks", "roster", "checks", "proposals"]

_ROSTER = (*roster.TYPES, *roster.APPLY_LOCAL)
_CHECKS = (*linestate.TYPES, *linestate.APPLY_LOCAL)


class Heard(msgspec.Struct, frozen=True):
    """What a console shows in its header of conversation, desks and lines, and when each of them changed.

    Attributes:
        talks_owed: messages to this party that wait for its answer.
        proposals_owed: proposals to this party that wait for its answer.
        drafts: messages of the leaders that wait for a second officer.
        talks, roster, checks, proposals: number of the entry with which any of them changed last, -1 before the
            first: ask for them again when it grows.
    """

    talks_owed: int
    drafts: int
    talks: int
    roster: int
    checks: int
    proposals_owed: int
    proposals: int


def heard_of(core: Core) -> Heard:
    """How things stand now."""
    talk, changed = core.state.talk, core.state.heard
    proposals = core.state.resolution.known.values()
    owed = (
        one.to == core.identity.party and one.state in ("asked", "standby")
        for one in talk.messages.values()
    )
    return Heard(
        talks_owed=sum(owed),
        drafts=len(talk.drafts),
        talks=changed.get("talks", -1),
        roster=changed.get("roster", -1),
        checks=changed.get("checks", -1),
        proposals_owed=sum(
            one.to == core.identity.party and one.state == "proposed" for one in proposals
        ),
        # a notice that was amended makes a proposal moot, and its entry is not of this topic
        proposals=max([changed.get("proposals", -1), *(one.index for one in proposals)]),
    )


def topic_of(state: State, type_: str, values: Json) -> Topic | None:
    """What an entry changes, None for whatever is not counted here.

    Args:
        type_: of a statement or a local entry.
        values: its body or its document.
    """
    if type_ in ("statement/filed", "statement/withdrawn"):
        return topic_of(state, values["said"], {})
    if type_.startswith("talk/"):
        return "talks"
    if type_.startswith("resolution/"):
        return "proposals"
    if type_ in _ROSTER:
        return "roster"
    if type_ in _CHECKS:
        return "checks"
    about = values.get("statement") if type_.startswith("receipt/") else None
    if type_ == "deadline/passed":
        about = values["expectation"]["statement"]
    if about in state.resolution.known or about in state.resolution.accepted:
        return "proposals"
    return "talks" if about in state.talk.messages or about in state.talk.calls else None

"""A cease request and an emergency: what may be said about one, and its two clocks.

docs/spec/hotline.md, section 4, is the normative text; its tables are drawn from those here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import msgspec

from detente.errors import RefusedError
from detente.units import US_PER_S

CeaseReply = Literal["ceasing", "cannot", "not-us"]
CeaseMove = Literal["ceasing", "cannot", "not-us", "effective", "due-passed"]
CeaseStatus = Literal["asked", "escalated", "ceasing", "cannot", "not-us", "effective"]

CEASE_REPLIES: tuple[CeaseReply, ...] = ("ceasing", "cannot", "not-us")

# From what was asked and from what moved up everything may be said, so that it does not matter on which
# side a due time passed while the reply was under way: both sides end in the same state.
CEASE_MOVES: dict[tuple[CeaseStatus, CeaseMove], CeaseStatus] = {
    ("asked", "ceasing"): "ceasing",
    ("asked", "cannot"): "cannot",
    ("asked", "not-us"): "not-us",
    ("asked", "effective"): "effective",
    ("asked", "due-passed"): "escalated",
    ("escalated", "ceasing"): "ceasing",
    ("escalated", "cannot"): "cannot",
    ("escalated", "not-us"): "not-us",
    ("escalated", "effective"): "effective",
    ("escalated", "due-passed"): "escalated",
    ("ceasing", "cannot"): "cannot",
    ("ceasing", "not-us"): "not-us",
    ("ceasing", "effective"): "effective",
    ("cannot", "ceasing"): "ceasing",
    ("cannot", "effective"): "effective",
    ("not-us", "ceasing"): "ceasing",
    ("not-us", "cannot"): "cannot",
    ("not-us", "effective"): "effective",
}

EmergencyKind = Literal["distress", "aircraft-down", "hit", "rescue-offer", "other"]
EmergencyReply = Literal["heard", "assisting", "cannot", "not-us"]
EmergencyMove = Literal["heard", "assisting", "cannot", "not-us", "due-passed"]
EmergencyStatus = Literal["asked", "escalated", "answered"]

EMERGENCY_KINDS: tuple[EmergencyKind, ...] = (
    "distress",
    "aircraft-down",
    "hit",
    "rescue-offer",
    "other",
)
EMERGENCY_REPLIES: tuple[EmergencyReply, ...] = ("heard", "assisting", "cannot", "not-us")

# An emergency is no request that is granted: whatever is answered, it was heard, and more may follow.
EMERGENCY_MOVES: dict[tuple[EmergencyStatus, EmergencyMove], EmergencyStatus] = {
    ("asked", "heard"): "answered",
    ("asked", "assisting"): "answered",
    ("asked", "cannot"): "answered",
    ("asked", "not-us"): "answered",
    ("asked", "due-passed"): "escalated",
    ("escalated", "heard"): "answered",
    ("escalated", "assisting"): "answered",
    ("escalated", "cannot"): "answered",
    ("escalated", "not-us"): "answered",
    ("escalated", "due-passed"): "escalated",
    ("answered", "heard"): "answered",
    ("answered", "assisting"): "answered",
    ("answered", "cannot"): "answered",
    ("answered", "not-us"): "answered",
}

UrgentKind = Literal["cease", "emergency"]
UrgentStatus = Literal["asked", "escalated", "ceasing", "cannot", "not-us", "effective", "answered"]
OPEN: frozenset[UrgentStatus] = frozenset({"asked", "escalated"})  # nobody has answered


def after_move(kind: UrgentKind, status: UrgentStatus, move: str) -> UrgentStatus:
    """The state after something is said or a due time passes.

    Raises:
        RefusedError: ``cease-move`` or ``emergency-move``: it cannot be said in this state.

    Example:
        >>> after_move("cease", "escalated", "ceasing")
        'ceasing'
    """
    moves = cast(
        "Mapping[tuple[str, str], UrgentStatus]",
        CEASE_MOVES if kind == "cease" else EMERGENCY_MOVES,
    )
    after = moves.get((status, move))
    if after is None:
        may = sorted(said for known, said in moves if known == status and said != "due-passed")
        raise RefusedError(
            f"{kind}-move",
            f"{move!r} is said of what is {status!r}; it must be {' or '.join(may) or 'nothing more'}",
            field="reply",
        )
    return after


class Moment(msgspec.Struct, frozen=True):
    """When something came into either ledger, each by its own clock; None while that is not known here.

    Attributes:
        asker_us: by the ledger of who asked.
        receiver_us: by the ledger of who was asked.
    """

    asker_us: int | None = None
    receiver_us: int | None = None


class Elapsed(msgspec.Struct, frozen=True):
    """How long something took by either ledger, in seconds; clocks that disagree do not matter."""

    asker_s: float | None
    receiver_s: float | None


def elapsed(begin: Moment, end: Moment | None) -> Elapsed | None:
    """From one moment to another, each ledger by its own clock; None before the end.

    Example:
        >>> elapsed(Moment(0, 60_000_000), Moment(9_000_000, None))
        Elapsed(asker_s=9.0, receiver_s=None)
    """
    if end is None:
        return None
    return Elapsed(
        _between_s(begin.asker_us, end.asker_us), _between_s(begin.receiver_us, end.receiver_us)
    )


def _between_s(begin_us: int | None, end_us: int | None) -> float | None:
    return None if begin_us is None or end_us is None else (end_us - begin_us) / US_PER_S

"""Everything that comes due by the clock alone: deadlines, steps up, checks of a line."""

from __future__ import annotations

from collections.abc import Collection

from detente.protocol import cease, deadlines, linestate, urgent
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.fold import State


def pass_due(core: Core, now_us: int, alternates: Collection[str] = ()) -> list[Effect]:
    """Write down and say what is due by now: the urgent first.

    Args:
        alternates: peers that have a second address.
    """
    return [
        *cease.escalate(core, now_us),
        *deadlines.pass_deadlines(core, now_us),
        *linestate.pass_checks(core, now_us, alternates),
    ]


def next_due(state: State, now_us: int) -> int | None:
    """When something is due next, by this node's clock; None where nothing is."""
    found = (
        urgent.next_step_due(state),
        deadlines.next_due(state),
        linestate.next_check_due(state, now_us),
    )
    return min((due_us for due_us in found if due_us is not None), default=None)

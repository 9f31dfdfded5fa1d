"""Who is next, and when: an urgent matter that nobody answers moves up, desk by desk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from detente.units import US_PER_S


class Step(msgspec.Struct, frozen=True):
    """One step up.

    Attributes:
        number: 1 for the first.
        after_s: after the matter was received.
        desk: who is called then.
    """

    number: int
    after_s: int
    desk: str


def steps_of(desks: Sequence[str], escalation_s: Sequence[int]) -> tuple[Step, ...]:
    """The steps an agreement gives; past the highest desk it is called again.

    Args:
        desks: lowest first; what is asked comes to the lowest.

    Example:
        >>> [(s.after_s, s.desk) for s in steps_of(["cell", "staff"], [30, 60])]
        [(30, 'staff'), (60, 'staff')]
    """
    return _steps_of(tuple(desks), tuple(escalation_s))


@lru_cache(maxsize=64)  # one agreement's steps are asked for at every look at the clock
def _steps_of(desks: tuple[str, ...], escalation_s: tuple[int, ...]) -> tuple[Step, ...]:
    if not desks:
        return ()
    return tuple(
        Step(number, after_s, desks[min(number, len(desks) - 1)])
        for number, after_s in enumerate(sorted(escalation_s), 1)
    )


def next_step(steps: Sequence[Step], taken: int) -> Step | None:
    """The step after those that were taken, or None past the last."""
    return steps[taken] if taken < len(steps) else None


def due_us(step: Step, received_us: int) -> int:
    """When a step is due, by the clock that `received_us` is of."""
    return received_us + step.after_s * US_PER_S

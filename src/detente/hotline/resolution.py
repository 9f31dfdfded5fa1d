"""A proposal to resolve a conflict: what may be said about one, and what becomes of it.

docs/spec/advice.md, section 6; its table is drawn from the one here.
"""

from __future__ import annotations

from typing import Literal

from detente.errors import RefusedError

ProposalState = Literal[
    "proposed",
    "unanswered",
    "moot",
    "accepted",
    "not-kept",
    "kept",
    "declined",
    "countered",
]
ProposalMove = Literal["accept", "decline", "counter", "gone", "due-passed", "clear"]

PROPOSAL_STATES: tuple[ProposalState, ...] = (
    "proposed",
    "unanswered",
    "moot",
    "accepted",
    "not-kept",
    "kept",
    "declined",
    "countered",
)
PROPOSAL_ANSWERS: tuple[ProposalMove, ...] = ("accept", "decline", "counter")

# An answer is taken wherever none was given, so that it does not matter on which side a notice was
# amended or a due time passed while the answer was under way: both sides end in the same state.
PROPOSAL_MOVES: dict[tuple[ProposalState, ProposalMove], ProposalState] = {
    ("proposed", "accept"): "accepted",
    ("proposed", "decline"): "declined",
    ("proposed", "counter"): "countered",
    ("proposed", "gone"): "moot",
    ("proposed", "due-passed"): "unanswered",
    ("unanswered", "accept"): "accepted",
    ("unanswered", "decline"): "declined",
    ("unanswered", "counter"): "countered",
    ("unanswered", "gone"): "moot",
    ("moot", "accept"): "accepted",
    ("moot", "decline"): "declined",
    ("moot", "counter"): "countered",
    ("accepted", "clear"): "kept",
    ("accepted", "due-passed"): "not-kept",
    ("not-kept", "clear"): "kept",
}


def after_proposal_move(state: ProposalState, move: ProposalMove) -> ProposalState:
    """The state after something is said, or after a notice has changed.

    Raises:
        RefusedError: ``proposal-move``: it cannot be said in this state.

    Example:
        >>> after_proposal_move("proposed", "accept")
        'accepted'
    """
    after = PROPOSAL_MOVES.get((state, move))
    if after is None:
        raise RefusedError(
            "proposal-move",
            f"{move!r} is said of what is {state!r}; it must be said once, of what nobody has answered",
            field="answer",
        )
    return after

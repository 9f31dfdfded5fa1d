"""The ladder of a notice: five rungs that a recipient climbs, each a state of its own.

That a notice was delivered says nothing of whether it was read, and that it was read nothing of whether those
in the air were told. docs/spec/hotline.md, section 2, is the normative text; its table is drawn from `RUNG_MOVES`.
"""

from __future__ import annotations

from typing import Literal, cast

Rung = Literal["delivered", "opened", "read-back", "disseminated", "acted"]
RUNGS: tuple[Rung, ...] = ("delivered", "opened", "read-back", "disseminated", "acted")

RungState = Literal["due", "done", "missing", "late", "refused"]
RungMove = Literal["said", "passed", "refused"]
RUNG_STATES: tuple[RungState, ...] = ("due", "done", "missing", "late", "refused")
RUNG_MOVES_IN_ORDER: tuple[RungMove, ...] = ("said", "passed", "refused")

# One table for both sides: (state, move) -> state. What is absent stays as it is.
#   said     the recipient said that it has climbed the rung
#   passed   the deadline passed: by the time that the answer itself states; while nothing was said, by this
#            node's clock or by the other side's signed word that no answer had come
#   refused  the recipient refused the notice, or did not understand it
# The moves commute, so that a word that crossed another on the line leaves both sides with the same state.
RUNG_MOVES: dict[tuple[RungState, RungMove], RungState] = {
    ("due", "said"): "done",
    ("due", "passed"): "missing",
    ("due", "refused"): "refused",
    ("done", "passed"): "late",
    ("missing", "said"): "late",
}

Action = Literal["noted", "kept-clear", "moved", "ceased", "cannot"]
ACTIONS: tuple[Action, ...] = ("noted", "kept-clear", "moved", "ceased", "cannot")


def climb(
    *, said: bool = False, passed: bool = False, refused: bool = False, state: RungState = "due"
) -> RungState:
    """The state of a rung after some moves, in any order.

    Example:
        >>> climb(said=True), climb(said=True, passed=True), climb()
        ('done', 'late', 'due')
    """
    for move, happened in (("refused", refused), ("said", said), ("passed", passed)):
        if happened:
            state = RUNG_MOVES.get((state, cast("RungMove", move)), state)
    return state

"""Conversation: what an answer makes of a message, and what the other side's word makes of a call record.

Two tables, one for both sides; what is absent is refused by name. docs/spec/hotline.md, section 6.
"""

from __future__ import annotations

from typing import Literal

from detente.units import US_PER_S

Said = Literal["affirm", "negative", "wilco", "unable", "standby"]
MessageState = Literal["asked", "standby", "affirm", "negative", "wilco", "unable"]
CallState = Literal["claimed", "agreed", "disputed"]

ANSWERS: tuple[Said, ...] = ("affirm", "negative", "wilco", "unable", "standby")
LEADERS = "leaders"  # the desk whose messages two officers release

# (state, answer) -> state. Who said "wilco" and then cannot must be able to say so; "standby" is said once.
ANSWER_MOVES: dict[tuple[MessageState, Said], MessageState] = {
    ("asked", "affirm"): "affirm",
    ("asked", "negative"): "negative",
    ("asked", "wilco"): "wilco",
    ("asked", "unable"): "unable",
    ("asked", "standby"): "standby",
    ("standby", "affirm"): "affirm",
    ("standby", "negative"): "negative",
    ("standby", "wilco"): "wilco",
    ("standby", "unable"): "unable",
    ("affirm", "negative"): "negative",
    ("affirm", "unable"): "unable",
    ("negative", "affirm"): "affirm",
    ("negative", "wilco"): "wilco",
    ("wilco", "unable"): "unable",
    ("unable", "wilco"): "wilco",
}

# (state, whether the other side agrees) -> state. What both have signed stays agreed.
CALL_MOVES: dict[tuple[CallState, bool], CallState] = {
    ("claimed", True): "agreed",
    ("claimed", False): "disputed",
    ("disputed", True): "agreed",
}


def answer_due(received_us: int, length_s: int, *, stood_by: bool) -> int:
    """When an answer is due: the precedence's time after the receipt, and once more after a standby.

    Args:
        received_us: when the message was received, by the receiver's clock, which its receipt states.
        length_s: the agreed time for the message's precedence.

    Example:
        >>> answer_due(0, 60, stood_by=False), answer_due(0, 60, stood_by=True)
        (60000000, 120000000)
    """
    return received_us + length_s * US_PER_S * (2 if stood_by else 1)

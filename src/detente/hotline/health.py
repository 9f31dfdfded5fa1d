"""A line's health: what the parties declared, what this node observes, and how its checks went.

Declared and observed stand beside each other and neither is made of the other: on 7 April 2017 a line
was declared suspended and the call took place all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from detente.errors import RefusedError
from detente.units import US_PER_S, format_time

Scope = Literal["all", "ordinary", "talk"]
Saying = Literal["suspended", "resumed", "fault"]
DeclaredState = Literal["open", "suspended", "fault"]
Observed = Literal["open", "silent"]
Word = Literal["open", "open-suspended", "open-fault", "silent", "silent-suspended", "silent-fault"]
SlotState = Literal["answered", "late", "waiting", "missed", "unsent"]
Path = Literal["first", "alternate"]

SCOPES: tuple[Scope, ...] = ("all", "ordinary", "talk")
PATHS: tuple[Path, ...] = ("first", "alternate")
SILENT_BEATS = 3  # one lost heartbeat is the network, two are a restart
STREAK_SLOTS = 60  # a month of two checks a day
DAY_S = 86_400

# What one party declares of one scope; the other party's word stands beside it.
LINE_MOVES: dict[tuple[DeclaredState, Saying], DeclaredState] = {
    ("open", "suspended"): "suspended",
    ("open", "fault"): "fault",
    ("suspended", "suspended"): "suspended",
    ("suspended", "fault"): "fault",
    ("suspended", "resumed"): "open",
    ("fault", "suspended"): "suspended",
    ("fault", "fault"): "fault",
    ("fault", "resumed"): "open",
}


def after_saying(state: DeclaredState, saying: Saying) -> DeclaredState:
    """What a scope is after a party said something of it.

    Raises:
        RefusedError: ``line-move``: nothing stands that could be resumed.
    """
    after = LINE_MOVES.get((state, saying))
    if after is None:
        raise RefusedError(
            "line-move",
            f"{saying!r} is said of a scope that is {state!r}; it must have been suspended or at fault by the same party",
            field="scope",
        )
    return after


def line_id(one: str, other: str) -> str:
    """The id of the line between two parties, the same from either side.

    Example:
        >>> line_id("south", "north")
        'north|south'
    """
    return "|".join(sorted((one, other)))


def observe(silent_s: float | None, failing: str | None, heartbeat_s: float) -> Observed:
    """What a node measures of a line, whatever was declared.

    Args:
        silent_s: since the peer was heard; None where it never was.

    Example:
        >>> observe(12.0, None, 5.0), observe(16.0, None, 5.0), observe(1.0, "refused", 5.0)
        ('open', 'silent', 'silent')
    """
    heard = silent_s is not None and silent_s <= SILENT_BEATS * heartbeat_s
    return "open" if heard and failing is None else "silent"


def word_for(observed: Observed, declared: DeclaredState) -> Word:
    """One word for both: silence, suspension and fault are told apart.

    Example:
        >>> word_for("silent", "open"), word_for("silent", "suspended")
        ('silent', 'silent-suspended')
    """
    words: dict[tuple[Observed, DeclaredState], Word] = {
        ("open", "open"): "open",
        ("open", "suspended"): "open-suspended",
        ("open", "fault"): "open-fault",
        ("silent", "open"): "silent",
        ("silent", "suspended"): "silent-suspended",
        ("silent", "fault"): "silent-fault",
    }
    return words[observed, declared]


class Slot(msgspec.Struct, frozen=True):
    """One scheduled check of a line.

    Attributes:
        took_s: from when it was due to be said to its answer, by our clock.
        path: by which it was answered, or tried last.
    """

    slot: str
    state: SlotState
    path: Path | None
    took_s: float | None


def slots_between(schedule: Iterable[str], after_us: int, until_us: int, most: int) -> list[int]:
    """Scheduled moments after one time, up to and with another; the last `most` of them, oldest first.

    Args:
        schedule: Zulu times of day, ``HH:MM``.

    Example:
        >>> [format_time(s) for s in slots_between(["16:00", "09:00"], 0, 86_400_000_000, 9)]
        ['1970-01-01T09:00:00Z', '1970-01-01T16:00:00Z']
    """
    times = _seconds_of(tuple(schedule))
    found: list[int] = []
    day = until_us // (DAY_S * US_PER_S)
    while times and len(found) < most and (day + 1) * DAY_S * US_PER_S > after_us:
        for second in reversed(times):
            slot_us = (day * DAY_S + second) * US_PER_S
            if after_us < slot_us <= until_us:
                found.append(slot_us)
        day -= 1
    return sorted(found)[-most:]


@lru_cache(maxsize=64)  # one agreement's schedule is asked for at every look at the clock
def _seconds_of(schedule: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(sorted({parse_slot(text) for text in schedule}))


def next_slot(schedule: Sequence[str], after_us: int) -> int | None:
    """The first scheduled moment after a time; None without a schedule."""
    found = slots_between(schedule, after_us, after_us + DAY_S * US_PER_S, len(schedule) + 1)
    return found[0] if found else None


def parse_slot(text: str) -> int:
    """The second of the day of a Zulu time ``HH:MM``.

    Raises:
        ValueError: it is no time of day.
    """
    hour, colon, minute = text.partition(":")
    if not (colon and len(text) == 5 and (hour + minute).isascii() and (hour + minute).isdigit()):
        raise ValueError(text)
    second = int(hour) * 3600 + int(minute) * 60
    if int(minute) > 59 or second >= DAY_S:
        raise ValueError(text)
    return second


def slot_name(slot_us: int) -> str:
    """A slot as statements name it."""
    return format_time(slot_us)

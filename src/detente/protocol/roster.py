"""Who sits where: the roster that parties tell each other, and the handover of the own watch.

A roster names desks and languages, never a person; who handed over to whom is a local entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from detente.errors import RefusedError, UsageError, shown
from detente.protocol.effect import Effect
from detente.protocol.form import Type, check_text, check_value, is_time, matches
from detente.protocol.journal import Entry, Json
from detente.protocol.statement import Statement, is_desk
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State

ROSTER_SPAN_S = 31 * 86_400  # a month; a longer one says nothing about who is there
LANGUAGES_MOST = 16  # more than any desk speaks
HANDOVERS_SHOWN = 20  # a week of three watches a day

TYPES: dict[str, Type] = {
    "policy/roster": Type("P2", ("desk", "from", "languages", "until")),
}
_is_language = matches(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")


class Watch(msgspec.Struct, frozen=True):
    """One line of a party's roster."""

    party: str
    desk: str
    languages: list[str]
    from_us: int
    until_us: int
    statement: str


class Handover(msgspec.Struct, frozen=True):
    """The own watch passed from one officer to another."""

    time_us: int
    from_officer: str
    to_officer: str
    desk: str
    sound_tested: bool
    notes: str


class Roster(msgspec.Struct):
    """What the ledger says of watches; the newest word of a desk's beginning counts."""

    watches: dict[str, Watch] = {}
    handovers: list[Handover] = []


def _check_roster(state: State, statement: Statement, values: Json) -> None:
    check_value(values, "desk", is_desk, "the name of a desk")
    check_value(values, "from", is_time, "a time")
    check_value(values, "until", is_time, "a time")
    check_value(
        values,
        "languages",
        lambda one: (
            isinstance(one, list)
            and 1 <= len(one) <= LANGUAGES_MOST
            and all(_is_language(code) for code in one)
        ),
        f"1 to {LANGUAGES_MOST} language codes such as en or ru",
    )
    span_us = parse_time(values["until"]) - parse_time(values["from"])
    if not 0 < span_us <= ROSTER_SPAN_S * US_PER_S:
        raise RefusedError(
            "roster-span",
            f"until is {values['until']}; it must be after {values['from']}, by a month at most",
            field="until",
        )


CHECKS: dict[str, Callable[[State, Statement, Json], None]] = {"policy/roster": _check_roster}


def _apply_roster(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    # each recipient has its own copy of one roster: one row
    key = f"{statement.party} {values['from']} {values['desk']}"
    state.roster.watches[key] = Watch(
        party=statement.party,
        desk=values["desk"],
        languages=list(values["languages"]),
        from_us=parse_time(values["from"]),
        until_us=parse_time(values["until"]),
        statement=statement.id,
    )


def _apply_handover(state: State, entry: Entry, local: Json) -> None:
    state.roster.handovers.append(
        Handover(
            time_us=entry.header.time_us,
            from_officer=local["from"],
            to_officer=local["to"],
            desk=local["desk"],
            sound_tested=local["sound_tested"],
            notes=local["notes"],
        )
    )


APPLY: dict[str, Callable[[State, Entry, Statement, Json], None]] = {"policy/roster": _apply_roster}
APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {"watch/handover": _apply_handover}


def say_roster(
    core: Core,
    watch_desk: str,
    languages: Sequence[str],
    from_us: int,
    until_us: int,
    to: Sequence[str],
    now_us: int,
    *,
    officer: str,
    desk: str,
) -> tuple[tuple[str, ...], list[Effect]]:
    """Tell others when a desk is manned and in which languages.

    Raises:
        UsageError: ``recipient-unknown``. RefusedError: ``value-wrong``, ``roster-span``, ``line-suspended``.
    """
    values: dict[str, Any] = {
        "desk": watch_desk,
        "from": format_time(from_us),
        "languages": list(languages),
        "until": format_time(until_us),
    }
    return core.say(
        "policy/roster",
        values,
        to,
        now_us,
        officer=officer,
        desk=desk,
        exercise=core.agreement().terms.exercise_only,
    )


def hand_over(
    core: Core,
    to_officer: str,
    now_us: int,
    *,
    officer: str,
    desk: str,
    sound_tested: bool,
    notes: str,
) -> None:
    """Write down that the watch has passed to another officer; nobody else is told.

    Raises:
        UsageError: ``handover-to-oneself``. RefusedError: ``text-malformed``.
    """
    if to_officer == officer:
        raise UsageError(
            "handover-to-oneself",
            f"to is {shown(to_officer)}, who hands over; it must be another officer",
            field="to",
        )
    if notes:
        check_text({"notes": notes}, "notes")
    core.append_local(
        now_us,
        "watch/handover",
        **{"from": officer},
        to=to_officer,
        desk=desk,
        sound_tested=sound_tested,
        notes=notes,
    )


def watches(state: State, now_us: int) -> list[Watch]:
    """Watches that are on or to come, by beginning, party and desk."""
    found = [one for one in state.roster.watches.values() if one.until_us > now_us]
    return sorted(found, key=lambda one: (one.from_us, one.party, one.desk))


def handovers(state: State) -> list[Handover]:
    """The handovers of late, the newest first."""
    return state.roster.handovers[: -HANDOVERS_SHOWN - 1 : -1]

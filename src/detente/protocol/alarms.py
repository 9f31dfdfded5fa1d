"""Alarms: what an officer must see, read off the ledger, and who said that they have seen it.

An alarm is never stored and never switched off. It is raised by an entry (or by a line that is
silent, which the node watches), it is over when its cause is gone, and it is acknowledged by an entry
that names who did. docs/spec/console.md, section 4, is the normative text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from detente.errors import UsageError, shown
from detente.limits import SUMMARY_CHARS
from detente.protocol.cause import Acknowledged, Raised
from detente.protocol.core import Core
from detente.protocol.fold import State
from detente.protocol.picture import RANKS
from detente.protocol.urgent import Urgent
from detente.units import format_time

AlarmKind = Literal[
    "cease",
    "emergency",
    "conflict",
    "cannot-tell",
    "refused",
    "fault",
    "line",
    "line-declared",
    "comm-check",
    "message",
    "proposal",
    "read-back",
    "no-answer",
]


class AcknowledgedBy(msgspec.Struct, frozen=True):
    """Who silenced an alarm, and when."""

    officer: str
    desk: str
    role: str
    time: str


class AlarmRow(msgspec.Struct, frozen=True):
    """One alarm.

    Attributes:
        rank: 0 emergency, 1 warning, 2 caution.
        message: cut to 280 characters where `message_cut` says so: a peer may raise many.
        until: when the clock alone ends it (the end of a conflict's meeting), or None.
        over: the cause is gone.
        desk, step: to which desk an unanswered cease request or emergency has moved up, and by how
            many steps; None before the first.
    """

    id: str
    kind: AlarmKind
    rank: int
    notices: list[str]
    conflict: str | None
    statement: str | None
    party: str | None
    code: str | None
    message: str | None
    message_cut: bool
    raised: str
    until: str | None
    over: bool
    acknowledged: AcknowledgedBy | None
    exercise: bool
    desk: str | None = None
    step: int | None = None


class AlarmCounts(msgspec.Struct, frozen=True):
    """Alarms that nobody acknowledged: those still on by rank, and those that are over."""

    emergency: int
    warning: int
    caution: int
    over: int


class LineAlarm(msgspec.Struct, frozen=True):
    """A line that was silent or failing, as the node saw it; not in the ledger until acknowledged.

    Attributes:
        since_us: when it was last heard, or first found failing; the same while it lasts.
        over: the line answers again.
    """

    party: str
    since_us: int
    message: str | None
    over: bool = False

    @property
    def id(self) -> str:
        """``line:PEER:SINCE``."""
        return f"line:{self.party}:{format_time(self.since_us)}"


def alarm_rows(
    core: Core, lines: Sequence[LineAlarm], now_us: int, since: int = 0, since_us: int = 0
) -> list[AlarmRow]:
    """Alarms that changed after revision `since`, in the order in which they want attention.

    Those of lines that nobody acknowledged are there always: their coming and going is in no entry.

    Args:
        since_us: the clock at that revision; what the clock has ended since then has changed too.
    """
    state, known = core.state, {line.id: line for line in lines}
    rows = [
        _row(state, raised, known.get(raised.id), now_us)
        for raised in state.raised.values()
        if _changed(state, raised) >= since
        or _ended_between(state, raised, since_us, now_us)
        or raised.id in known
    ]
    rows += [
        _row(state, _of_line(state, line), line, now_us)
        for line in lines
        if line.id not in state.raised
    ]
    return ordered(rows)


def ordered(rows: Iterable[AlarmRow]) -> list[AlarmRow]:
    """Not acknowledged first, then not over, then by rank, the newest first, then by id."""
    result = sorted(rows, key=lambda row: row.id)
    result.sort(key=lambda row: row.raised, reverse=True)
    result.sort(key=lambda row: (row.acknowledged is not None, row.over, row.rank))
    return result


def count_alarms(core: Core, lines: Sequence[LineAlarm], now_us: int) -> AlarmCounts:
    """How many alarms nobody has acknowledged."""
    state = core.state
    counts = [0, 0, 0]
    over = 0
    causes: list[tuple[Raised, LineAlarm | None]] = [
        (raised, None) for raised in state.unacknowledged.values()
    ]
    causes += [(_of_line(state, line), line) for line in lines if line.id not in state.acknowledged]
    for raised, line in causes:
        if _is_over(state, raised, line, now_us):
            over += 1
        else:
            counts[_rank(raised)] += 1
    return AlarmCounts(counts[0], counts[1], counts[2], over)


def acknowledge(
    core: Core,
    ids: Sequence[str],
    lines: Sequence[LineAlarm],
    now_us: int,
    *,
    officer: str,
    desk: str,
    role: str,
) -> list[AlarmRow]:
    """Say that an officer has seen these alarms: a local entry for each, and the peer is not told.

    Doing it again changes nothing: the first name stays.

    Raises:
        UsageError: ``alarm-unknown``; then none of them is acknowledged.
    """
    known = {line.id: line for line in lines}
    for id_ in ids:
        if id_ not in core.state.raised and id_ not in known:
            raise UsageError(
                "alarm-unknown",
                f"alarm is {shown(id_)}; it must be one that was raised here",
                hint="alarms of a line are forgotten when the node restarts",
                field="alarms",
            )
    for id_ in dict.fromkeys(ids):
        if id_ not in core.state.acknowledged:
            core.append_local(
                now_us, "alarm/acknowledged", alarm=id_, officer=officer, desk=desk, role=role
            )
    return ordered(
        _row(core.state, core.state.raised[id_], known.get(id_), now_us)
        for id_ in dict.fromkeys(ids)
    )


def next_end(core: Core, after_us: int) -> int | None:
    """When the clock will end a conflict's alarm next, so that a console is told at that moment."""
    live = {id_ for ids in core.state.unresolved.values() for id_ in ids}
    ends = (core.state.conflicts[id_].record["until_us"] for id_ in live)
    return min((end for end in ends if end is not None and end > after_us), default=None)


def _row(state: State, raised: Raised, line: LineAlarm | None, now_us: int) -> AlarmRow:
    until_us = _until_us(state, raised)
    seen = state.acknowledged.get(raised.id)
    message = raised.message if line is None else line.message
    cut = message is not None and len(message) > SUMMARY_CHARS
    urgent = _urgent(state, raised)
    return AlarmRow(
        id=raised.id,
        kind=raised.kind,  # type: ignore[arg-type]
        rank=_rank(raised),
        notices=list(raised.notices),
        conflict=raised.conflict,
        statement=raised.statement,
        party=raised.party,
        code=raised.code,
        message=message[:SUMMARY_CHARS] if message is not None else None,
        message_cut=cut,
        raised=format_time(raised.time_us),
        until=None if until_us is None else format_time(until_us),
        over=_is_over(state, raised, line, now_us),
        acknowledged=None if seen is None else _acknowledged(seen),
        exercise=raised.exercise,
        desk=None if urgent is None else urgent.desk,
        step=None if urgent is None or not urgent.step else urgent.step,
    )


def _rank(raised: Raised) -> int:
    return RANKS[raised.kind] - (raised.kind == "message" and raised.code == "flash")


def _urgent(state: State, raised: Raised) -> Urgent | None:
    urgent = state.urgent.known.get(raised.statement or "")
    return urgent if urgent is not None and urgent.alarm == raised.id else None


def _acknowledged(seen: Acknowledged) -> AcknowledgedBy:
    return AcknowledgedBy(seen.officer, seen.desk, seen.role, format_time(seen.time_us))


def _of_line(state: State, line: LineAlarm) -> Raised:
    return Raised(
        id=line.id,
        kind="line",
        index=-1,
        time_us=line.since_us,
        exercise=state.exercise_only,
        party=line.party,
        code="line",
        message=line.message,
    )


def _until_us(state: State, raised: Raised) -> int | None:
    if raised.conflict is None:
        return None
    until: int | None = state.conflicts[raised.conflict].record["until_us"]
    return until


def _is_over(state: State, raised: Raised, line: LineAlarm | None, now_us: int) -> bool:
    if raised.conflict is not None:
        until_us = _until_us(state, raised)
        resolved = state.conflicts[raised.conflict].resolved is not None
        return resolved or (until_us is not None and until_us <= now_us)
    if raised.kind == "no-answer":
        return state.passed[raised.id.partition(":")[2]].over is not None
    if raised.kind == "read-back":
        ladder = state.ladders.get(raised.statement or "")
        another = ladder is None or raised.id != f"read-back:{ladder.read_back}"
        return another or not any(
            (notice := state.notices.get(one)) is not None
            and raised.statement in notice.latest.statements.values()
            for one in raised.notices
        )
    if raised.kind == "refused":
        # said again in a newer version, or taken back
        return any(
            (notice := state.notices.get(one)) is not None
            and notice.latest.statements.get(raised.party or "") != raised.statement
            for one in raised.notices
        )
    if raised.kind == "message":
        return state.talk.messages[raised.statement or ""].state not in ("asked", "standby")
    if raised.kind == "proposal":
        return state.resolution.known[raised.statement or ""].state != "proposed"
    if raised.kind == "line":
        return line is None or line.over
    if raised.kind == "line-declared":
        declared = state.lines[raised.party or ""].declared.values()
        return all(one.statement != raised.statement for one in declared)
    if raised.kind == "comm-check":
        # a check that was answered since says that the line is heard again
        return state.lines[raised.party or ""].answered > raised.index
    urgent = _urgent(state, raised)
    if urgent is not None:
        return urgent.status == "effective"
    return raised.code == "behind" and raised.party not in state.behind


def _changed(state: State, raised: Raised) -> int:
    """The entry with which the alarm's row changed last."""
    seen = state.acknowledged.get(raised.id)
    changed = [raised.index, seen.index if seen is not None else -1]
    if raised.conflict is not None:
        changed.append(state.conflicts[raised.conflict].resolved or -1)
    elif raised.kind == "no-answer":
        changed.append(state.passed[raised.id.partition(":")[2]].over or -1)
    elif raised.kind in ("refused", "read-back"):
        changed += [state.trail[one][-1] for one in raised.notices if one in state.trail]
    elif raised.kind == "message":
        changed.append(state.talk.messages[raised.statement or ""].index)
    elif raised.kind == "proposal":
        changed.append(state.resolution.known[raised.statement or ""].index)
    elif raised.code == "behind":
        changed.append(state.recovered)
    elif raised.kind == "line-declared":
        changed.append(state.lines[raised.party or ""].changed)
    elif raised.kind == "comm-check":
        changed.append(state.lines[raised.party or ""].answered)
    elif (urgent := _urgent(state, raised)) is not None:
        changed.append(urgent.index)
    return max(changed)


def _ended_between(state: State, raised: Raised, from_us: int, until_us: int) -> bool:
    end_us = _until_us(state, raised)
    return end_us is not None and from_us < end_us <= until_us

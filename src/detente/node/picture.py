"""What a console is shown: the picture, and the ticks that say that it is alive."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from detente.limits import PICTURE_JOB_S, PICTURE_SLICE
from detente.node.linerow import LineRow, line_row
from detente.node.node import Node
from detente.protocol.alarms import (
    AlarmCounts,
    AlarmRow,
    LineAlarm,
    alarm_rows,
    count_alarms,
    next_end,
)
from detente.protocol.core import Core
from detente.protocol.fold import ConflictState
from detente.protocol.heard import Heard, heard_of
from detente.protocol.picture import (
    ConflictRow,
    Drawings,
    NoticeRow,
    changed_conflicts,
    changed_notices,
    conflict_rows,
    epoch_of,
    notice_rows,
    waiting_intents,
)
from detente.protocol.urgentrow import UrgentRow, urgent_rows
from detente.protocol.vouched import Vouched, vouched
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S, format_time

if TYPE_CHECKING:
    from detente.node.server import Serving

TICK_S = 1.0  # a console covers its screen after four of them are missing


class MemberRow(msgspec.Struct, frozen=True):
    """A member of the agreement."""

    party: str
    name: str
    role: str


class AgreementRow(msgspec.Struct, frozen=True):
    """What was agreed, as far as a watch needs it.

    Attributes:
        parties: all members, neutrals too, in order of id.
        lead_times_s: least notice by activity; `default` for the rest.
        desks: by level, lowest first.
        escalation_s: after how long an unanswered urgent matter moves up, step by step.
        comm_checks: Zulu times of day of the scheduled checks of a line.
        answer_deadlines_s: by precedence of a message.
        receipt_deadlines_s: by rung of the ladder of a notice.
    """

    hash: str
    parties: list[MemberRow]
    witnesses: list[str]
    languages: list[str]
    lead_times_s: dict[str, int]
    lateral_nm: float
    vertical_ft: float
    time_s: float
    clock_offset_limit_s: int
    exercise_only: bool
    desks: list[str]
    escalation_s: list[int]
    comm_checks: list[str]
    check_reply_s: int
    answer_deadlines_s: dict[str, int]
    receipt_deadlines_s: dict[str, int]


class LedgerRow(msgspec.Struct, frozen=True):
    """How far the ledger is, and up to where others vouch for it.

    Attributes:
        checkpoint: size of the newest signed checkpoint.
        cosigned_by: who cosigned that one.
        vouched: whether it counts as witnessed by the agreement, and the newest that does.
    """

    origin: str
    entries: int
    checkpoint: int
    cosigned_by: list[str]
    vouched: Vouched


class Picture(msgspec.Struct, frozen=True):
    """What changed after a revision; with `since` 0, everything.

    Attributes:
        epoch: which ledger this is; another one means that the console starts again from 0.
        revision: number of ledger entries; what to ask with next.
        clock: the name of the clock that `now` and all times are of.
        urgent: cease requests and emergencies, oldest first; whatever waits unsigned is in every picture,
            and a row ``waiting:…`` that a picture lacks has been signed.
        alarms: in the order in which they want attention. All alarms of lines that nobody has
            acknowledged are in every picture; one that is missing has been forgotten.
    """

    epoch: str
    revision: int
    since: int
    now: str
    clock: str
    party: str
    name: str
    role: str
    exercise_only: bool
    agreement: AgreementRow | None
    notices: list[NoticeRow]
    conflicts: list[ConflictRow]
    urgent: list[UrgentRow]
    heard: Heard
    alarms: list[AlarmRow]
    lines: list[LineRow]
    ledger: LedgerRow


class Tick(msgspec.Struct, frozen=True):
    """Sent every second: that the node is alive, its clock, and how things stand in numbers."""

    now: str
    clock: str
    revision: int
    lines: list[LineRow]
    ledger: LedgerRow
    alarms: AlarmCounts
    heard: Heard


class Drawn(msgspec.Struct, frozen=True):
    """A picture and when it is out of date.

    Attributes:
        lines: version of the alarms of lines that it holds.
        end_us: when the clock ends the next alarm, or None.
    """

    picture: Picture
    lines: int
    end_us: int | None


class Board:
    """Makes pictures and ticks of one node, a slice at a time, so that statements never wait long."""

    def __init__(self, node: Node, serving: Serving | None) -> None:
        self._node = node
        self._serving = serving
        self._drawings = Drawings()
        node.on_refold(
            self._drawings.forget
        )  # the place of what was destroyed is not to stay drawn
        self._tick: tuple[float, Tick] | None = None

    def line_alarms(self) -> Sequence[LineAlarm]:
        """The alarms of lines; to be asked in a job."""
        return self._serving.watch.alarms if self._serving is not None else ()

    async def picture(self, since: int = 0, epoch: str | None = None) -> Picture:
        """What changed after a revision.

        A row may be newer than the revision says: it then comes again, and is the same.

        Args:
            epoch: the ledger that `since` was counted in; with another one everything is sent.
        """
        return (await self.drawn(since, epoch)).picture

    async def drawn(self, since: int, epoch: str | None = None) -> Drawn:
        """A picture, and what its next one depends on besides the ledger."""
        found = await self._node.do(lambda core: self._head(core, since, epoch))
        head, ids, conflicts, lines, end_us = found
        notices: list[NoticeRow] = []
        while ids:
            rows, drawn = await self._node.do(partial(self._rows, ids=ids))
            notices += rows
            ids = ids[drawn:]
        notices.sort(key=lambda row: row.id)
        notices.sort(key=lambda row: row.start, reverse=True)
        picture = msgspec.structs.replace(head, notices=notices, conflicts=conflicts)
        return Drawn(picture, lines, end_us)

    async def glance(self) -> tuple[str, int, int, int]:
        """Epoch, revision, version of the lines' alarms and clock: whether there is anything new."""
        found: tuple[str, int, int, int] = await self._node.do(
            lambda core: (
                epoch_of(core),
                core.tree.size,
                self._lines_version(),
                self._node.now_us(),
            )
        )
        return found

    def _lines_version(self) -> int:
        return self._serving.watch.version if self._serving is not None else 0

    def _rows(self, core: Core, ids: Sequence[str]) -> tuple[list[NoticeRow], int]:
        """The rows of the first ids, as many as one job has time for, and how many those are."""
        until_s, waiting = time.monotonic() + PICTURE_JOB_S, waiting_intents(core)
        rows: list[NoticeRow] = []
        drawn = 0
        while drawn < len(ids) and (not drawn or time.monotonic() < until_s):
            part = ids[drawn : drawn + PICTURE_SLICE]
            rows += notice_rows(core, part, self._drawings, waiting)
            drawn += len(part)
        return rows, drawn

    def _head(
        self, core: Core, since: int, epoch: str | None
    ) -> tuple[Picture, list[str], list[ConflictRow], int, int | None]:
        now_us, revision = self._node.now_us(), core.tree.size
        if epoch not in (None, epoch_of(core)) or not 0 < since <= revision:
            since = 0
        before = core.journal.entry(since - 1) if since else None
        conflicts: list[ConflictState] = changed_conflicts(core, since)
        state, config = core.state, self._node.home.config
        member = state.agreement.members.get(core.identity.party) if state.agreement else None
        head = Picture(
            epoch=epoch_of(core),
            revision=revision,
            since=since,
            now=format_time(now_us),
            clock=self._node.clock.label,
            party=core.identity.party,
            name=member.name if member else config.name,
            role=config.role,
            exercise_only=state.exercise_only,
            agreement=agreement_row(core),
            notices=[],
            conflicts=[],
            urgent=urgent_rows(core, since),
            heard=heard_of(core),
            alarms=alarm_rows(
                core,
                self.line_alarms(),
                now_us,
                since,
                before.header.time_us if before is not None else 0,
            ),
            lines=self._lines(core, now_us),
            ledger=ledger_row(core),
        )
        return (
            head,
            changed_notices(core, since),
            conflict_rows(core, conflicts),
            self._lines_version(),
            next_end(core, now_us),
        )

    def _lines(self, core: Core, now_us: int) -> list[LineRow]:
        return [
            line_row(self._node, self._serving, core, peer, now_us) for peer in core.state.peers
        ]

    async def tick(self) -> Tick:
        """How things stand; made once a second however many consoles ask."""
        at = time.monotonic()
        if self._tick is None or at - self._tick[0] >= TICK_S / 2:
            self._tick = at, await self._node.do(self._make_tick)
        return self._tick[1]

    def _make_tick(self, core: Core) -> Tick:
        now_us = self._node.now_us()
        return Tick(
            now=format_time(now_us),
            clock=self._node.clock.label,
            revision=core.tree.size,
            lines=self._lines(core, now_us),
            ledger=ledger_row(core),
            alarms=count_alarms(core, self.line_alarms(), now_us),
            heard=heard_of(core),
        )


def agreement_row(core: Core) -> AgreementRow | None:
    """The agreement in force."""
    agreement = core.state.agreement
    if agreement is None:
        return None
    terms = agreement.terms
    return AgreementRow(
        hash=agreement.hash,
        parties=[MemberRow(m.id, m.name, m.role) for _, m in sorted(agreement.members.items())],
        witnesses=list(agreement.witnesses),
        languages=list(terms.languages),
        lead_times_s=dict(terms.lead_times_s),
        lateral_nm=terms.minima.lateral_tenth_mm / TENTH_MM_PER_NM,
        vertical_ft=terms.minima.vertical_tenth_mm / TENTH_MM_PER_FT,
        time_s=terms.minima.time_us / US_PER_S,
        clock_offset_limit_s=terms.clock_offset_limit_s,
        exercise_only=terms.exercise_only,
        desks=list(terms.desks),
        escalation_s=list(terms.escalation_s),
        comm_checks=list(terms.comm_checks),
        check_reply_s=terms.check_reply_s,
        answer_deadlines_s=dict(terms.answer_deadlines_s),
        receipt_deadlines_s=dict(terms.receipt_deadlines_s),
    )


def ledger_row(core: Core) -> LedgerRow:
    """How far the ledger is."""
    newest = core.journal.checkpoint()
    return LedgerRow(
        origin=core.origin,
        entries=core.tree.size,
        checkpoint=newest[0] if newest else 0,
        cosigned_by=sorted(core.journal.cosignatures(newest[0])) if newest else [],
        vouched=vouched(core),
    )

"""Advice about a conflict of this record: what both parties can compute, and what only one's own officer sees.

The shared advice uses the notices that each of the two has told the other, and nothing else, so that the other
side computes the same bytes. What third parties have filed, and this node's clock, go into the private part, which
is in no entry and no statement. docs/spec/advice.md, section 5, is the normative text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from detente.conflict.advice import Advice, Option, Standing, advise, apply_move
from detente.conflict.aside import ASIDE_REACH
from detente.conflict.separation import Minima, Rules
from detente.conflict.strategic import check_pair
from detente.errors import UnavailableError, UsageError, shown
from detente.limits import ADVICE_ALTITUDE_M, ADVICE_TIME_S
from detente.notice.activity import ActivityNotice
from detente.protocol.asset import assets_near
from detente.protocol.core import Core
from detente.protocol.fold import ConflictState, NoticeState
from detente.protocol.shortid import with_id
from detente.protocol.watch import pair_rules
from detente.units import TENTH_MM_PER_M, US_PER_S

SHORT_ID_CHARS = 6
_KEPT = 64  # answers; between a question and what is made of its answer hardly anything changes


class Question(msgspec.Struct, frozen=True):
    """What advice is asked: all that `advise` needs, and nothing that changes meanwhile.

    Asking takes milliseconds and needs the core; answering may take seconds and needs only this, so a
    node answers beside its worker (`advice_of`) and then finds the answer kept.
    """

    one: Standing
    two: Standing
    others: tuple[Standing, ...]
    earliest_us: int


@lru_cache(maxsize=_KEPT)
def advice_of(question: Question) -> Advice:
    """The answer, kept for a while."""
    return advise(question.one, question.two, question.others, earliest_us=question.earliest_us)


class InTheWay(msgspec.Struct, frozen=True):
    """Notices of third parties that an option of the shared advice would meet."""

    option: str
    notices: list[str]


class NearOwn(msgspec.Struct, frozen=True):
    """Own assets that an option of the shared advice would bring the peer's notice to, by name."""

    option: str
    assets: list[str]


class Private(msgspec.Struct, frozen=True):
    """What only one's own officer is told.

    Attributes:
        counted: how many live notices of third parties there are that could matter.
        in_the_way: options that move an own notice into one of them.
        near_own: options that move the peer's notice within the agreed lateral minimum of an own asset that it is not near now.
        too_late: options by which an own notice would begin before now and its agreed lead time.
        party: our own.
        question: what would clear the own notice of third parties too; None where the shared options do.
    """

    counted: int
    in_the_way: list[InTheWay]
    near_own: list[NearOwn]
    too_late: list[str]
    party: str
    question: Question | None

    @property
    def options(self) -> list[Option]:
        """The answer, in the form of the shared options: moves of our own notice alone."""
        if self.question is None:
            return []
        found = advice_of(self.question).options
        return [one for one in found if one.key.startswith(f"{self.party}/")]


def find_conflict(core: Core, wanted: str) -> ConflictState:
    """A conflict by its id, or by the beginning of one.

    Raises:
        UsageError: ``conflict-unknown``.
    """
    known = core.state.conflicts
    found = with_id(known, wanted, SHORT_ID_CHARS)
    if len(found) != 1:
        raise UsageError(
            "conflict-unknown",
            f"conflict is {shown(wanted)}; it must be one of this record, or its first {SHORT_ID_CHARS} or more figures",
            hint="see: detente conflicts DIR",
            field="conflict",
        )
    return found[0]


def shared_advice(core: Core, conflict: ConflictState) -> Advice:
    """What both parties of a conflict compute, byte for byte the same (A-PRI-1).

    Raises:
        UsageError, UnavailableError: as `shared_question`.
    """
    return advice_of(shared_question(core, conflict))


def shared_question(core: Core, conflict: ConflictState) -> Question:
    """What both parties ask.

    Raises:
        UsageError: ``conflict-of-others``: neither notice is ours; ``conflict-resolved``.
        UnavailableError: ``advice-waits``: the other side has not got our version yet.
    """
    own, peer = _sides(core, conflict)
    rules = _rules(core, own, peer)
    since_us = _since(core, own, peer)
    parties = {own.party, peer.party}
    rest = [
        standing
        for other, volumes in _near(core, [own, peer], rules)
        if other.party in parties
        and other.id not in (own.id, peer.id)
        and _is_held(core, other, peer.party)
        and volumes.end_us > since_us
        for standing in [_standing(core, other, volumes, peer if other.party == own.party else own)]
        if standing is not None
    ]
    one, two = (
        Standing(notice.id, notice.party, _volumes(core, notice), rules) for notice in (own, peer)
    )
    return Question(one, two, tuple(rest), since_us + _lead_us(core, own, peer))


def private_advice(core: Core, conflict: ConflictState, advice: Advice, now_us: int) -> Private:
    """What third parties' notices and the clock make of the shared advice, for the own officer alone (A-PRI-2).

    Raises:
        UsageError, UnavailableError: as `shared_advice`.
    """
    own, peer = _sides(core, conflict)
    rules = _rules(core, own, peer)
    volumes = _volumes(core, own)
    thirds: list[Standing] = []
    held: list[Standing] = []
    for other, body in _near(core, [own], rules):
        if other.id == peer.id or other.party == own.party or body.end_us <= now_us:
            continue
        standing = _standing(core, other, body, own)
        if standing is not None:
            (held if other.party == peer.party else thirds).append(standing)
    earliest_us = now_us + _lead_us(core, own, own)
    blocked, late, near = [], [], []
    theirs = _volumes(core, peer)
    within = rules.minima.lateral_tenth_mm
    beside = {one.name for one in assets_near(core, theirs, within, now_us)}
    for option in advice.options:
        moves = [one for one in option.moves if one.notice == peer.id and one.aside_tenth_mm]
        after = apply_move(theirs, moves[0]) if moves and core.state.assets else None
        came = [] if after is None else assets_near(core, after, within, now_us)
        if any(one.name not in beside for one in came):
            near.append(NearOwn(option.key, sorted({one.name for one in came} - beside)))
        move = next((one for one in option.moves if one.notice == own.id), None)
        if move is None:
            continue
        after = apply_move(volumes, move)
        if move.later_us < 0 and after.start_us < earliest_us:
            late.append(option.key)
        met = [
            one.id
            for one in thirds
            if check_pair(after, one.notice, one.rules).verdict in ("conflict", "cannot-tell")
        ]
        if met:
            blocked.append(InTheWay(option.key, met))
    question = None
    if blocked or late:
        question = Question(
            Standing(own.id, own.party, volumes, rules),
            Standing(peer.id, peer.party, theirs, rules),
            (*held, *thirds),
            earliest_us,
        )
    return Private(len(thirds), blocked, near, late, own.party, question)


# -- pieces ----------------------------------------------------------------------------------------


def _sides(core: Core, conflict: ConflictState) -> tuple[NoticeState, NoticeState]:
    """Own notice and the peer's, both as they are in the conflict."""
    party = core.identity.party
    notices = [core.state.notices[side["id"]] for side in conflict.record["notices"]]
    own = next((one for one in notices if one.party == party), None)
    if own is None:
        raise UsageError(
            "conflict-of-others",
            f"conflict {conflict.id[:12]} is between others; it must be one of a notice of ours",
            field="conflict",
        )
    if not conflict.live(core.state.notices):
        raise UsageError(
            "conflict-resolved",
            f"conflict {conflict.id[:12]} is resolved; it must be live",
            field="conflict",
        )
    peer = next(one for one in notices if one is not own)
    if not _is_held(core, own, peer.party):
        raise UnavailableError(
            "advice-waits",
            f"{peer.party} has not got version {own.latest.number} of {own.id} yet; advice is made of what both sides hold",
            hint="try again when the line is up",
        )
    return own, peer


def _is_held(core: Core, notice: NoticeState, peer: str) -> bool:
    """Whether both sides of the line to a peer hold the latest version: its receipt is there."""
    to = peer if notice.party == core.identity.party else core.identity.party
    receipt = core.state.receipts.get(notice.latest.statements.get(to, ""))
    return receipt is not None and receipt.answer == "delivered"


def _rules(core: Core, one: NoticeState, other: NoticeState) -> Rules:
    rules = pair_rules(core.state, one, other)
    if rules is None:
        raise UsageError(
            "no-agreement",
            "no agreement binds both parties; advice needs its minima",
            field="conflict",
        )
    return rules


def _volumes(core: Core, notice: NoticeState) -> ActivityNotice:
    volumes = core.volumes(notice.id)
    if volumes is None:
        raise UsageError(
            "notice-withheld",
            f"the volumes of {notice.id} are not in this record; they must be, to compare them",
            field="conflict",
        )
    return volumes


def _standing(
    core: Core, other: NoticeState, volumes: ActivityNotice, against: NoticeState
) -> Standing | None:
    rules = pair_rules(core.state, other, against)
    return None if rules is None else Standing(other.id, other.party, volumes, rules)


def _near(
    core: Core, notices: list[NoticeState], rules: Rules
) -> Iterator[tuple[NoticeState, ActivityNotice]]:
    """Live notices that a change within the limits could meet, at any height, in order of id."""
    widest = rules
    for agreement in core.state.agreements.values():
        minima = agreement.terms.minima
        widest = widest.stricter(
            Rules(Minima(minima.lateral_tenth_mm, minima.vertical_tenth_mm, minima.time_us))
        )
    wide = Rules(
        Minima(
            widest.minima.lateral_tenth_mm + ASIDE_REACH,
            ADVICE_ALTITUDE_M * TENTH_MM_PER_M,
            widest.minima.time_us + ADVICE_TIME_S * US_PER_S,
        ),
        widest.bounds,
    )
    found = {
        id_ for notice in notices for id_ in core.live.candidates(_volumes(core, notice), wide)
    }
    for id_ in sorted(found):
        other, volumes = core.state.notices[id_], core.volumes(id_)
        if volumes is not None and other.exercise == notices[0].exercise:
            yield other, volumes


def _since(core: Core, own: NoticeState, peer: NoticeState) -> int:
    """When the later of the two versions was said, by its maker: the same for both, unlike any clock."""
    times = []
    for notice, to in ((own, peer.party), (peer, core.identity.party)):
        found = core.journal.statement(notice.latest.statements[to])
        assert found is not None
        times.append(found[0].claimed_us)
    return max(times)


def _lead_us(core: Core, one: NoticeState, other: NoticeState) -> int:
    """The longer of the agreed lead times of two activities."""
    leads = [0]
    for notice in (one, other):
        agreement = core.state.agreements.get(notice.latest.agreement)
        volumes = core.volumes(notice.id)
        if agreement is not None and volumes is not None:
            terms = agreement.terms.lead_times_s
            leads.append(terms.get(volumes.activity, terms.get("default", 0)))
    return max(leads) * US_PER_S

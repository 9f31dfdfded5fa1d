"""The ladder of a notice in the record: its statements, their rules, what they do to the state, and how it is shown.

Normative: docs/spec/hotline.md, section 2. The rungs and their table are in `detente.notice.ladder`, the comparison of
a read-back in `detente.notice.readback`; that what is owed and passes unanswered is written down, `deadlines` sees to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from detente.agreement.terms import OWED_RUNGS
from detente.airspace.near import TooMuchWork
from detente.errors import DetenteError, RefusedError, UsageError, shown
from detente.limits import CLOCK_SKEW_FLAG_S, UNITS_PER_NOTICE
from detente.notice.ladder import ACTIONS, RUNGS, Action, Rung, RungState, climb
from detente.notice.readback import (
    Comparison,
    ReadBack,
    compare,
    comparison_json,
    parse_read_back,
)
from detente.protocol.cause import Raised
from detente.protocol.deadlines import (
    Dues,
    Expectation,
    bounded_us,
    expectation_id,
    owe,
    settle,
)
from detente.protocol.effect import Alert, Effect
from detente.protocol.form import Type, check_text, is_time
from detente.protocol.journal import Entry, Json
from detente.protocol.statement import Statement, body_values, is_desk
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import NoticeState, State, Version


def _type(code: str, *required: str, optional: tuple[str, ...] = ()) -> Type:
    return Type(code, tuple(sorted(required)), optional, chain=None, thread="must", receipt=False)


TYPES: dict[str, Type] = {
    "receipt/read-back": _type(
        "R3", "statement", "place", "from", "until", "desk", optional=("words",)
    ),
    "receipt/disseminated": _type("R4", "statement", "units", "desk"),
    "receipt/acted": _type("R5", "statement", "action", "at", "desk", optional=("text",)),
}


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit that is told of a notice, and when it said that it knows; times of the party that says so."""

    unit: str
    told: str | None = None
    acknowledged: str | None = None

    @property
    def latest_us(self) -> int:
        """The later of its times, 0 without any."""
        return max(parse_time(one) if one else 0 for one in (self.told, self.acknowledged))


class Ladder(msgspec.Struct):
    """What a recipient said of one statement, beside its receipt.

    Attributes:
        said: by rung, when it was first climbed, by the recipient's word.
        read_back: the newest read-back's statement.
        comparison: of that one, as it was found here; None where it could not be compared.
        units: as said last.
        action: as said last.
    """

    said: dict[str, int] = {}
    read_back: str | None = None
    comparison: Json | None = None
    units: list[Json] = []
    action: str | None = None


# -- rules -----------------------------------------------------------------------------------------


def _check_read_back(state: State, statement: Statement, values: Json) -> None:
    """H-LAD-2: figures of the receiver's own, in the one form."""
    try:
        parse_read_back(values["place"], values["from"], values["until"])
    except UsageError as error:
        raise RefusedError(error.code, error.message, field=error.field) from None
    if "words" in values:
        check_text(values, "words")


def _check_disseminated(state: State, statement: Statement, values: Json) -> None:
    """H-LAD-4: the whole list each time, from which nothing vanishes."""
    units = _parse_units(values["units"])
    latest_us = statement.claimed_us + CLOCK_SKEW_FLAG_S * US_PER_S
    early = [one.unit for one in units.values() if one.latest_us > latest_us]
    if early:
        raise RefusedError(
            "dissemination-early",
            f"unit {shown(early[0])} has a time after {format_time(latest_us)}; it must not be in the future",
            field="units",
        )
    known = state.ladders.get(values["statement"])
    for before in known.units if known is not None else []:
        now = units.get(before["unit"])
        if now is None or any(
            before[time] is not None and getattr(now, time) is None
            for time in ("told", "acknowledged")
        ):
            raise RefusedError(
                "dissemination-shrinks",
                f"unit {shown(before['unit'])} was named before with more; it must stay with its times",
                field="units",
            )


def _parse_units(value: object) -> dict[str, Unit]:
    wrong = RefusedError(
        "units-malformed",
        f"units are {shown(value)}; they must be 1 to {UNITS_PER_NOTICE} of unit, told and acknowledged, each unit once, "
        "acknowledged only where told",
        field="units",
    )
    if not isinstance(value, list) or not 1 <= len(value) <= UNITS_PER_NOTICE:
        raise wrong
    units: dict[str, Unit] = {}
    for one in value:
        if not isinstance(one, dict) or set(one) != {"unit", "told", "acknowledged"}:
            raise wrong
        name, told, acknowledged = one["unit"], one["told"], one["acknowledged"]
        if (
            not is_desk(name)
            or name in units
            or not all(time is None or is_time(time) for time in (told, acknowledged))
            or (told is None and acknowledged is not None)
        ):
            raise wrong
        units[name] = Unit(name, told, acknowledged)
    return units


def _check_acted(state: State, statement: Statement, values: Json) -> None:
    """H-LAD-1, H-LAD-5: nobody acts on a notice before those who act have it."""
    if values["action"] not in ACTIONS:
        raise RefusedError(
            "action-unknown",
            f"action is {shown(values['action'])}; it must be one of {', '.join(ACTIONS)}",
            field="action",
        )
    if not is_time(values["at"]):
        raise RefusedError(
            "time-malformed", f"at is {shown(values['at'])}; it must be a time", field="at"
        )
    if "text" in values:
        check_text(values, "text")
    known = state.ladders.get(values["statement"])
    if not all_acknowledged(known.units if known is not None else []):
        raise RefusedError(
            "not-disseminated",
            "not every unit has acknowledged; acted must come after all units that were named have, and one at least",
            hint="run: detente notice disseminated DIR ID --unit NAME=TIME",
            field="action",
        )


def all_acknowledged(units: Sequence[Json]) -> bool:
    """Whether at least one unit is named and every one has acknowledged."""
    return bool(units) and all(one["acknowledged"] is not None for one in units)


Check = Callable[["State", Statement, Json], None]
CHECKS: dict[str, Check] = {
    "receipt/read-back": _check_read_back,
    "receipt/disseminated": _check_disseminated,
    "receipt/acted": _check_acted,
}


# -- the fold --------------------------------------------------------------------------------------


def _said(state: State, id_: str, rung: Rung, at_us: int, index: int) -> Ladder:
    ladder = state.ladders.setdefault(id_, Ladder())
    ladder.said.setdefault(rung, at_us)
    settle(state, expectation_id(rung, id_), index)
    return ladder


def _apply_read_back(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    ladder = _said(state, values["statement"], "read-back", statement.claimed_us, entry.index)
    ladder.read_back, ladder.comparison = statement.id, None


def _apply_disseminated(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    ladder = state.ladders.setdefault(values["statement"], Ladder())
    ladder.units = values["units"]
    if all_acknowledged(ladder.units):
        _said(state, values["statement"], "disseminated", statement.claimed_us, entry.index)


def _apply_acted(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    ladder = _said(state, values["statement"], "acted", parse_time(values["at"]), entry.index)
    ladder.action = values["action"]


APPLY: dict[str, Callable[[State, Entry, Statement, Json], None]] = {
    "receipt/read-back": _apply_read_back,
    "receipt/disseminated": _apply_disseminated,
    "receipt/acted": _apply_acted,
}


def _apply_compared(state: State, entry: Entry, local: Json) -> None:
    about, found = local["statement"], local["comparison"]
    ladder = state.ladders.setdefault(about, Ladder())
    ladder.comparison = found
    state.note(local["notice"], entry.index)
    if found is None or found["agrees"]:
        return
    state.raise_alarm(
        Raised(
            id=f"read-back:{local['read_back']}",
            kind="read-back",
            index=entry.index,
            time_us=entry.header.time_us,
            exercise=local["exercise"],
            notices=(local["notice"],),
            statement=about,
            party=local["party"],
            code="read-back",
            message=difference(found),
        )
    )


def _apply_filed(state: State, entry: Entry, local: Json) -> None:
    if local["notice"] is not None:
        state.note(local["notice"], entry.index)


APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {
    "read-back/compared": _apply_compared,
    "receipt/filed": _apply_filed,
}


def difference(comparison: Json) -> str:
    """A comparison in figures that every language reads: metres, then minutes at either end.

    Metres outside the volumes; where a whole circle was restated, between the middles and, if it differs, of the radius.

    Example:
        >>> times = {"from_min": 0, "until_min": -5}
        >>> difference({"place_m": 6012, "middle_m": 9000, "radius_m": None, **times})
        '6,012 m; +0 min, -5 min'
        >>> difference({"place_m": 0, "middle_m": 6994, "radius_m": 500, **times})
        '6,994 m, R +500 m; +0 min, -5 min'
    """
    radius = comparison["radius_m"]
    metres = f"{comparison['place_m' if radius is None else 'middle_m']:,} m"
    if radius:
        metres += f", R {radius:+,} m"
    return f"{metres}; {comparison['from_min']:+d} min, {comparison['until_min']:+d} min"


def delivered(state: State, notice: NoticeState, number: int, id_: str) -> None:
    """A version was received: from now on its recipient owes the rungs (H-DUE-1), unless a newer one came (H-DUE-4)."""
    version, receipt = notice.versions[number], state.receipts[id_]
    if receipt.answer != "delivered" or version.cancel or _replaced(notice, number, receipt.party):
        return
    ladder = state.ladders.get(id_)
    agreement = state.agreements.get(version.agreement)
    limit_s = agreement.terms.clock_offset_limit_s if agreement is not None else 0
    received_us = bounded_us(receipt.received_us, version.known_us, receipt.known_us, limit_s)
    for rung in OWED_RUNGS:
        # where one reckoning says that the notice ends first, the other decides: else one side alone would owe it
        agreed_us = _due_us(state, version, rung, receipt.received_us)
        bounded = _due_us(state, version, rung, received_us)
        due_us = agreed_us or bounded
        said = (ladder is not None and rung in ladder.said) or (
            rung == "opened" and receipt.opened_us is not None
        )
        if due_us is not None and not said:
            owe(
                state,
                Expectation(
                    expected=rung,
                    statement=id_,
                    by=receipt.party,
                    to=notice.party,
                    due_us=due_us,
                    exercise=notice.exercise,
                    notice=notice.id,
                    fires_us=None if bounded == due_us else bounded,
                ),
            )


def _replaced(notice: NoticeState, number: int, recipient: str) -> bool:
    """Whether a recipient has a newer version, or the cancellation."""
    return notice.latest.number > number and any(
        later > number and recipient in version.statements
        for later, version in reversed(notice.versions.items())
    )


def opened(state: State, id_: str, index: int) -> None:
    """A statement was in front of an officer."""
    settle(state, expectation_id("opened", id_), index)


def superseded(state: State, notice: NoticeState, number: int, recipient: str, index: int) -> None:
    """A recipient has a newer version, or the cancellation: nothing more is owed for the earlier ones (H-DUE-4)."""
    for earlier, version in reversed(notice.versions.items()):
        id_ = version.statements.get(recipient)
        if earlier < number and id_ is not None:
            for rung in OWED_RUNGS:
                settle(state, expectation_id(rung, id_), index)
            return  # those before it were settled when it came


def _due_us(state: State, version: Version, rung: str, received_us: int) -> int | None:
    """When a rung is due; None where the agreement names no time or the notice has ended by then."""
    agreement = state.agreements.get(version.agreement)
    after_s = agreement.terms.receipt_deadlines_s.get(rung) if agreement is not None else None
    if after_s is None:
        return None
    due_us = received_us + after_s * US_PER_S
    return due_us if due_us <= version.end_us else None


def _due(rung: str) -> Callable[[State, str], int | None]:
    def due_us(state: State, id_: str) -> int | None:
        receipt, place = state.receipts.get(id_), state.versions.get(id_)
        if receipt is None or receipt.answer != "delivered" or place is None:
            return None
        version = state.notices[place[0]].versions[place[1]]
        return None if version.cancel else _due_us(state, version, rung, receipt.received_us)

    return due_us


DUES: Dues = {rung: _due(rung) for rung in OWED_RUNGS}


def may_be_due(state: State, rung: str, id_: str, due_us: int) -> bool:
    """Whether a rung can be due then although by its receipt the notice ends before it is (H-DUE-6).

    Who made the statement reckons by its own clock where the receipt's time is beyond belief; only the end bounds it.
    """
    receipt, place = state.receipts.get(id_), state.versions.get(id_)
    if rung not in OWED_RUNGS or receipt is None or receipt.answer != "delivered" or place is None:
        return False
    version = state.notices[place[0]].versions[place[1]]
    agreement = state.agreements.get(version.agreement)
    owed = agreement is not None and rung in agreement.terms.receipt_deadlines_s
    return (
        owed
        and not version.cancel
        and _due_us(state, version, rung, receipt.received_us) is None
        and due_us <= version.end_us
    )


# -- in the core -----------------------------------------------------------------------------------


def after_said(core: Core, statement: Statement, values: Json, now_us: int) -> list[Effect]:
    """What follows from a statement of the ladder once it is in the ledger, made here or received (H-LAD-3)."""
    if statement.type not in TYPES or statement.notice is None:
        return []
    refs = (statement.notice, statement.id)
    if statement.type != "receipt/read-back":
        return [Alert(statement.type.partition("/")[2], statement.notice, statement.party, refs)]
    return _compare(core, statement, values, now_us)


def after_arrival(core: Core, notice: Statement, now_us: int) -> list[Effect]:
    """What follows when a notice comes after what was said of it: a recovery brought our own words back first."""
    ladder = core.state.ladders.get(notice.id)
    found = core.journal.statement((ladder.read_back if ladder is not None else None) or "")
    return [] if found is None else _compare(core, found[0], body_values(found[1]), now_us)


def _compare(core: Core, statement: Statement, values: Json, now_us: int) -> list[Effect]:
    about, notice = values["statement"], statement.notice
    assert notice is not None
    found = comparison_of(core, about, values)
    core.append_local(
        now_us,
        "read-back/compared",
        read_back=statement.id,
        statement=about,
        notice=notice,
        party=statement.party,
        exercise=statement.exercise,
        comparison=None if found is None else comparison_json(found),
    )
    refs = (notice, statement.id)
    if found is None or found.agrees:
        return [Alert("read-back", notice, statement.party, refs)]
    message = f"the read-back of {notice} by {statement.party} differs: {difference(comparison_json(found))}"
    return [Alert("read-back-differs", message, statement.party, refs)]


def comparison_of(core: Core, about: str, values: Json) -> Comparison | None:
    """A read-back compared with the notice it is about; None where the notice's content is not here or too costly."""
    found = core.journal.statement(about)
    if found is None or found[0].notice is None:
        return None
    statement, content = found[0], body_values(found[1])
    agreement = core.state.agreements.get(statement.agreement or "")
    if "pieces" not in content or agreement is None:
        return None
    try:
        notice = core.state.volumes(
            found[0].notice.partition(":")[2], statement.exercise, statement.body_digest, content
        )
        said = parse_read_back(values["place"], values["from"], values["until"])
        return compare(notice, said, agreement.terms.read_back)
    except (DetenteError, TooMuchWork):
        return None


class Said(msgspec.Struct, frozen=True):
    """What became of a statement of the ladder: durable here, and signed unless the line is down.

    Attributes:
        statement: the peer's statement it is about.
        comparison: of a read-back.
        units: as they are said now.
    """

    id: str
    version: int
    statement: str
    signed: bool
    comparison: Comparison | None = None
    units: list[Unit] = []


def read_back(
    core: Core, notice_id: str, said: ReadBack, words: str | None, now_us: int, **who: str
) -> tuple[Said, list[Effect]]:
    """Say place and time of a peer's notice back to it.

    Args:
        who: officer and desk.

    Raises:
        UsageError: no such notice of a peer. RefusedError: it is cancelled.
    """
    values: Json = {
        "place": said.place(),
        "from": format_time(said.from_us),
        "until": format_time(said.until_us),
        "desk": who["desk"],
    }
    if words is not None:
        values["words"] = words
    answer, effects = _say(core, notice_id, "receipt/read-back", values, now_us, who)
    found = comparison_of(core, answer.statement, values)
    return msgspec.structs.replace(answer, comparison=found), effects


def disseminate(
    core: Core, notice_id: str, units: Sequence[Unit], now_us: int, **who: str
) -> tuple[Said, list[Effect]]:
    """Say which units have been told of a peer's notice, and which have said that they know.

    Units and times said before stay; what is given now is added to them (H-LAD-4).

    Raises:
        UsageError: no such notice of a peer. RefusedError: a unit or time of another form.
    """
    _, about = _about(core, notice_id)
    known = {one["unit"]: Unit(**one) for one in units_said(core, about)}
    for one in units:
        before = known.get(one.unit, one)
        told = one.told or before.told or one.acknowledged
        known[one.unit] = Unit(one.unit, told, one.acknowledged or before.acknowledged)
    values = {"units": msgspec.to_builtins(list(known.values())), "desk": who["desk"]}
    answer, effects = _say(core, notice_id, "receipt/disseminated", values, now_us, who)
    return msgspec.structs.replace(answer, units=list(known.values())), effects


def act(
    core: Core,
    notice_id: str,
    action: str,
    text: str | None,
    at_us: int | None,
    now_us: int,
    **who: str,
) -> tuple[Said, list[Effect]]:
    """Say what was done about a peer's notice.

    Raises:
        UsageError: no such notice of a peer. RefusedError: ``not-disseminated``, ``action-unknown``.
    """
    values: Json = {
        "action": action,
        "at": format_time(now_us if at_us is None else at_us),
        "desk": who["desk"],
    }
    if text is not None:
        values["text"] = text
    _, about = _about(core, notice_id)
    # what waits for the line is said before this, in order
    waits = {"not-disseminated"} if all_acknowledged(units_said(core, about)) else set()
    return _say(core, notice_id, "receipt/acted", values, now_us, who, waits=waits)


def _say(
    core: Core,
    notice_id: str,
    type_: str,
    values: Json,
    now_us: int,
    who: dict[str, str],
    waits: set[str] | None = None,
) -> tuple[Said, list[Effect]]:
    notice, about = _about(core, notice_id)
    found = core.journal.statement(about)
    assert found is not None
    intent = core.draft_about(
        found[0],
        type_,
        {**values, "statement": about},
        notice.party,
        now_us,
        desk=who["desk"],
        waits=frozenset(waits or ()),
    )
    # who reads it back, passes it down or acts on it has it in front of them
    effects = core.open_notice(notice_id, now_us, **who)
    effects += core.say_about(intent, found[0], now_us, officer=who["officer"])
    said = intent.number not in core.intents
    number = found[0].thread.version if found[0].thread is not None else 0
    return Said(notice_id, number, about, said), effects


def _about(core: Core, notice_id: str) -> tuple[NoticeState, str]:
    """A peer's notice, and the statement of its newest version to us."""
    notice = core.state.notices.get(notice_id)
    about = notice.latest.statements.get(core.identity.party) if notice is not None else None
    if notice is None or about is None:
        raise UsageError(
            "notice-unknown" if notice is None else "notice-own",
            f"notice id is {shown(notice_id)}; it must be one that another party sent here",
            field="id",
        )
    if notice.cancelled:
        raise RefusedError(
            "notice-cancelled", f"{notice_id} is cancelled; nothing is owed for it", field="id"
        )
    return notice, about


def units_said(core: Core, about: str) -> list[Json]:
    """The units that were told of a statement as said last; of our own, what still waits for the line included."""
    for intent in sorted(core.intents.values(), key=lambda one: -one.number):
        values = body_values(intent.openings)
        if intent.type == "receipt/disseminated" and values["statement"] == about:
            return cast("list[Json]", values["units"])
    known = core.state.ladders.get(about)
    return known.units if known is not None else []


# -- as it is shown --------------------------------------------------------------------------------


class RungRow(msgspec.Struct, frozen=True):
    """One rung.

    Attributes:
        at: when it was climbed, by the recipient's clock.
        due: until when it is owed, or None.
        note: a code where there is more to say: ``differs``, ``not-compared``, ``no-answer``, a rule.
        values: figures for it: of a read-back its comparison, of the units how many there are and have
            acknowledged, the action.
    """

    rung: Rung
    state: RungState
    at: str | None
    due: str | None
    note: str | None
    values: dict[str, Any]


class LadderRow(msgspec.Struct, frozen=True):
    """The five rungs of one recipient, for one version."""

    party: str
    version: int
    statement: str
    rungs: list[RungRow]


def ladder_rows(state: State, notice: NoticeState, number: int) -> list[LadderRow]:
    """The ladders of a version, by recipient; the same on both sides."""
    version = notice.versions[number]
    return [
        LadderRow(
            party, number, id_, [_rung(state, notice, version, party, id_, one) for one in RUNGS]
        )
        for party, id_ in sorted(version.statements.items())
    ]


def _rung(
    state: State, notice: NoticeState, version: Version, party: str, id_: str, rung: Rung
) -> RungRow:
    receipt, ladder = state.receipts.get(id_), state.ladders.get(id_, Ladder())
    refused = receipt is not None and receipt.answer != "delivered"
    at_us = ladder.said.get(rung)
    if receipt is not None and rung in ("delivered", "opened"):
        at_us = receipt.received_us if rung == "delivered" else receipt.opened_us
    due_us = DUES[rung](state, id_) if rung in DUES else None
    passed = state.passed.get(expectation_id(rung, id_))
    # an answer is late by its own time alone (H-DUE-5); whose clock came to the deadline of a replaced version before
    # the newer one did, one side alone has seen (H-DUE-4)
    replaced = _replaced(notice, version.number, party)
    told = passed is not None and passed.told is not None
    unsaid = at_us is None and passed is not None and (told or not replaced)
    late = at_us is not None and due_us is not None and at_us > due_us
    found = climb(refused=refused, said=at_us is not None, passed=unsaid or late)
    if found == "due" and replaced:
        due_us = None
    note, values = _note(ladder, rung)
    if refused and receipt is not None:
        note = receipt.rule
    elif note is None and told:
        note = "no-answer"
    return RungRow(
        rung=rung,
        state=found,
        at=None if at_us is None else format_time(at_us),
        due=None if due_us is None else format_time(due_us),
        note=note,
        values=values,
    )


def _note(ladder: Ladder, rung: Rung) -> tuple[str | None, dict[str, Any]]:
    if rung == "read-back" and ladder.read_back is not None:
        if ladder.comparison is None:
            return "not-compared", {}
        return (None if ladder.comparison["agrees"] else "differs"), dict(ladder.comparison)
    if rung == "disseminated" and ladder.units:
        acknowledged = sum(one["acknowledged"] is not None for one in ladder.units)
        return None, {"units": len(ladder.units), "acknowledged": acknowledged}
    if rung == "acted" and ladder.action is not None:
        return None, {"action": cast("Action", ladder.action)}
    return None, {}

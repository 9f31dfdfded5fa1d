"""The routes of urgent matters: cease requests and emergencies, said and answered by whoever sits there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, JSONBody

from detente.hotline.cease import CeaseReply, EmergencyKind, EmergencyReply
from detente.interop.restated import read_place
from detente.node import shapes
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.protocol import cease
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.urgent import Urgent
from detente.protocol.urgentrow import UrgentRow, rows_said, said_before, urgent_row, urgent_rows
from detente.units import format_time, parse_time

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]
Said = tuple[tuple[str, ...], list[Effect]]


class Cease(msgspec.Struct, forbid_unknown_fields=True):
    """A cease request to other parties, on the safety chain.

    Attributes:
        to: all others where it is empty.
        about: a notice or a conflict that it belongs to.
        exercise: where it is not given, that of what it belongs to, else of the agreement.
    """

    reason: str
    to: list[str] = []
    place: str | None = None
    text: str | None = None
    about: str | None = None
    exercise: bool | None = None


class CeaseAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to a cease request; `cannot` should say why."""

    reply: CeaseReply
    text: str | None = None


class CeaseEffective(msgspec.Struct, forbid_unknown_fields=True):
    """What was asked to cease has ceased; `at` is now where it is not given."""

    at: str | None = None
    text: str | None = None


class Emergency(msgspec.Struct, forbid_unknown_fields=True):
    """An emergency, or an offer to rescue.

    Attributes:
        place: in any notation that can be pasted; null where nobody knows it.
        at: when it happened; now where it is not given.
        about, to, exercise: as of a cease request; it belongs to a notice only.
    """

    kind: EmergencyKind
    at: str | None = None
    place: str | None = None
    text: str | None = None
    about: str | None = None
    to: list[str] = []
    exercise: bool | None = None


class EmergencyAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to an emergency; more may be said later."""

    reply: EmergencyReply
    text: str | None = None


class UrgentSaid(shapes.Stamped):
    """What became of it: durable here, and sent as soon as the line is up.

    `signed` names the parties to whom it was signed at once. `urgent` is the matter as it is now: of a new
    one, that of the first recipient; `rows` has those of all of them.
    """

    urgent: UrgentRow | None
    rows: list[UrgentRow]
    signed: list[str]


class UrgentList(shapes.Stamped):
    """Cease requests and emergencies in the order of this record, then what waits unsigned."""

    urgent: list[UrgentRow]


def urgent_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, and whether the role may do this. Every role that may say anything may say
            and answer these (H-CEA-1).
    """

    def stamped(rows: Sequence[UrgentRow], signed: Sequence[str]) -> dict[str, Any]:
        plain = msgspec.to_builtins(list(rows))
        return {
            "urgent": plain[0] if plain else None,
            "rows": plain,
            "signed": list(signed),
            "clock": node.clock.label,
            "now": format_time(node.now_us()),
        }

    async def begin(say: Callable[[Core], Said]) -> dict[str, Any]:
        def job(core: Core) -> tuple[dict[str, Any], list[Effect]]:
            before = said_before(core)
            signed, effects = say(core)
            return stamped(rows_said(core, before), signed), effects

        found: dict[str, Any] = await node.run(job)
        return found

    async def answer(say: Callable[[Core], tuple[Urgent, list[Effect]]]) -> dict[str, Any]:
        def job(core: Core) -> tuple[dict[str, Any], list[Effect]]:
            urgent, effects = say(core)
            row = urgent_row(core, urgent)
            return stamped([row], () if row.waiting else (row.party,)), effects

        found: dict[str, Any] = await node.run(job)
        return found

    @get(
        "/api/v1/urgent",
        responses=shapes.answers(200, UrgentList),
        summary="Cease requests and emergencies, made and received",
        tags=["hotline"],
    )
    async def urgent(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        rows = await node.do(lambda core: msgspec.to_builtins(urgent_rows(core)))
        return {"urgent": rows, "clock": node.clock.label, "now": format_time(node.now_us())}

    @post(
        "/api/v1/ceases",
        status_code=201,
        responses=shapes.answers(201, UrgentSaid),
        summary="Ask others to cease (safety chain)",
        tags=["hotline"],
    )
    async def ask(request: Request[Any, Any, Any], data: JSONBody[Cease]) -> dict[str, Any]:
        who = await officer(request, "say")
        values = _given(reason=data.reason, place=data.place, text=data.text)
        return await begin(
            lambda core: cease.ask_cease(
                core,
                values,
                data.to,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                exercise=cease.exercise_of(core, data.about, data.exercise),
                about=data.about,
            )
        )

    @post(
        "/api/v1/ceases/{statement:str}/reply",
        status_code=201,
        responses=shapes.answers(201, UrgentSaid),
        summary="Answer a cease request",
        tags=["hotline"],
    )
    async def reply(
        request: Request[Any, Any, Any], statement: FromPath[str], data: JSONBody[CeaseAnswer]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        return await answer(
            lambda core: cease.reply_to_cease(
                core,
                statement,
                data.reply,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                text=data.text,
            )
        )

    @post(
        "/api/v1/ceases/{statement:str}/effective",
        status_code=201,
        responses=shapes.answers(201, UrgentSaid),
        summary="Say that what was asked to cease has ceased",
        tags=["hotline"],
    )
    async def effective(
        request: Request[Any, Any, Any], statement: FromPath[str], data: JSONBody[CeaseEffective]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        at_us = None if data.at is None else parse_time(data.at, field="at")
        return await answer(
            lambda core: cease.cease_effective(
                core,
                statement,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                at_us=at_us,
                text=data.text,
            )
        )

    @post(
        "/api/v1/emergencies",
        status_code=201,
        responses=shapes.answers(201, UrgentSaid),
        summary="Tell others of an emergency, or offer to rescue (safety chain)",
        tags=["hotline"],
    )
    async def emergency(
        request: Request[Any, Any, Any], data: JSONBody[Emergency]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        place = None if data.place is None else await asyncio.to_thread(read_place, data.place)
        at_us = None if data.at is None else parse_time(data.at, field="at")

        def say(core: Core) -> Said:
            now_us = node.now_us()
            at = format_time(now_us if at_us is None else at_us)
            return cease.say_emergency(
                core,
                {"kind": data.kind, "at": at, "place": place, **_given(text=data.text)},
                data.to,
                now_us,
                officer=who.name,
                desk=who.desk,
                exercise=cease.exercise_of(core, data.about, data.exercise),
                about=data.about,
            )

        return await begin(say)

    @post(
        "/api/v1/emergencies/{statement:str}/reply",
        status_code=201,
        responses=shapes.answers(201, UrgentSaid),
        summary="Answer an emergency",
        tags=["hotline"],
    )
    async def emergency_reply(
        request: Request[Any, Any, Any], statement: FromPath[str], data: JSONBody[EmergencyAnswer]
    ) -> dict[str, Any]:
        who = await officer(request, "say")
        return await answer(
            lambda core: cease.reply_to_emergency(
                core,
                statement,
                data.reply,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                text=data.text,
            )
        )

    return [urgent, ask, reply, effective, emergency, emergency_reply]


def _given(**values: str | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

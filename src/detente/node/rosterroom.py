"""The routes of the desks: who is on, in which languages, and the handover of the own watch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody

from detente.errors import UsageError, shown
from detente.node import shapes
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.protocol import roster
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.units import format_time, parse_time

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]


class NewWatch(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """When a desk of ours is manned, and in which languages; `to` is everybody where it is empty."""

    desk: str
    languages: list[str]
    from_: str
    until: str
    to: list[str] = []


class NewHandover(msgspec.Struct, forbid_unknown_fields=True):
    """To whom the watch passes; whether the alarm's sound was played and heard; what to know."""

    to: str
    sound_tested: bool
    notes: str = ""


class WatchRow(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One line of a party's roster that is on or to come.

    Attributes:
        on: it is now, by this node's clock.
    """

    party: str
    desk: str
    languages: list[str]
    from_: str
    until: str
    on: bool
    statement: str


class HandoverRow(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One handover of this party's watch; no other party is told."""

    time: str
    from_: str
    to: str
    desk: str
    sound_tested: bool
    notes: str


class RosterBoard(msgspec.Struct, frozen=True):
    """The agreement's desks, lowest first; watches by beginning; handovers, the newest first."""

    desks: list[str]
    watches: list[WatchRow]
    handovers: list[HandoverRow]
    clock: str
    now: str


class RosterSaid(RosterBoard, frozen=True, kw_only=True):
    """The board after a line was told, and to whom it was signed at once."""

    signed: list[str]


def roster_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, checked for the action.
    """

    @get(
        "/api/v1/roster",
        responses=shapes.answers(200, RosterBoard),
        summary="Desks, who is on, and handovers of the watch",
        tags=["hotline"],
    )
    async def board(request: Request[Any, Any, Any]) -> RosterBoard:
        await officer(request, "read")
        found: RosterBoard = await node.do(lambda core: RosterBoard(**_board(node, core)))
        return found

    @post(
        "/api/v1/roster",
        status_code=201,
        responses=shapes.answers(201, RosterSaid),
        summary="Tell others when a desk of ours is manned",
        tags=["hotline"],
    )
    async def say(request: Request[Any, Any, Any], data: JSONBody[NewWatch]) -> RosterSaid:
        who = await officer(request, "say")
        from_us = parse_time(data.from_, field="from")
        until_us = parse_time(data.until, field="until")

        def job(core: Core) -> tuple[RosterSaid, list[Effect]]:
            signed, effects = roster.say_roster(
                *(core, data.desk, data.languages, from_us, until_us, data.to, node.now_us()),
                officer=who.name,
                desk=who.desk,
            )
            return RosterSaid(**_board(node, core), signed=list(signed)), effects

        found: RosterSaid = await node.run(job)
        return found

    @post(
        "/api/v1/handover",
        status_code=201,
        responses=shapes.answers(201, RosterBoard),
        summary="Hand the watch to another officer",
        tags=["hotline"],
    )
    async def hand_over(
        request: Request[Any, Any, Any], data: JSONBody[NewHandover]
    ) -> RosterBoard:
        who = await officer(request, "say")

        def job(core: Core) -> tuple[RosterBoard, list[Effect]]:
            if node.store.operator(data.to) is None:
                raise UsageError(
                    "operator-unknown",
                    f"to is {shown(data.to)}; it must be an officer who can sign in here",
                    hint="see: detente operator list DIR",
                    field="to",
                )
            roster.hand_over(
                *(core, data.to, node.now_us()),
                officer=who.name,
                desk=who.desk,
                sound_tested=data.sound_tested,
                notes=data.notes,
            )
            return RosterBoard(**_board(node, core)), []

        found: RosterBoard = await node.run(job)
        return found

    return [board, say, hand_over]


def _board(node: Node, core: Core) -> dict[str, Any]:
    now_us = node.now_us()
    agreement = core.state.agreement
    return {
        "desks": list(agreement.terms.desks) if agreement is not None else [],
        "watches": [
            WatchRow(
                party=one.party,
                desk=one.desk,
                languages=one.languages,
                from_=format_time(one.from_us),
                until=format_time(one.until_us),
                on=one.from_us <= now_us,
                statement=one.statement,
            )
            for one in roster.watches(core.state, now_us)
        ],
        "handovers": [
            HandoverRow(
                time=format_time(one.time_us),
                from_=one.from_officer,
                to=one.to_officer,
                desk=one.desk,
                sound_tested=one.sound_tested,
                notes=one.notes,
            )
            for one in roster.handovers(core.state)
        ],
        "clock": node.clock.label,
        "now": format_time(now_us),
    }

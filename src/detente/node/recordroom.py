"""The routes of the record: asking it, and proving from it to people who trust neither party."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from detente.errors import UnavailableError, UsageError
from detente.node import shapes
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.protocol import views
from detente.protocol.absence import Proving
from detente.protocol.bundling import make_bundle, make_tlog_proof
from detente.protocol.core import Core
from detente.protocol.disclosure import Destruction, destroy, disclose
from detente.protocol.effect import Effect
from detente.protocol.evidence import export_evidence, find_evidence
from detente.protocol.question import ask
from detente.protocol.vouched import quorum_of
from detente.units import format_time, parse_time

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]
TEXT = "text/plain; charset=utf-8"
COSIGN_WAIT_MOST_S = 10.0
COSIGN_LOOK_S = 0.1
ABSENCE_SLICE = 256  # entries read by one job of the worker: some 20 ms


class Question(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Was there prior notice? `area` is GeoJSON; times are RFC 3339 in Z."""

    area: dict[str, Any]
    from_: str
    until: str
    by: str | None = None


class AbsenceAsked(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What is to be proved absent: notices by a party, of an area in an interval, or all of them.

    Attributes:
        wait_s: how long to wait for a cosignature of the head as it is now.
    """

    by: str
    area: dict[str, Any] | None = None
    from_: str | None = None
    until: str | None = None
    wait_s: float = 3.0


class Disclosure(msgspec.Struct, forbid_unknown_fields=True):
    """A field to open to somebody; `id` is a notice, a version of one, or a statement."""

    id: str
    field: str
    to: str
    reason: str


class Destroying(msgspec.Struct, forbid_unknown_fields=True):
    """A field whose openings are to be destroyed; `id` as for a disclosure."""

    id: str
    field: str
    reason: str


def record_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes of the record."""

    def stamped(value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "clock": node.clock.label, "now": format_time(node.now_us())}

    @post(
        "/api/v1/ask",
        status_code=200,
        responses=shapes.answers(200, shapes.PriorNotices),
        summary="Was there prior notice?",
        tags=["record"],
    )
    async def ask_record(
        request: Request[Any, Any, Any], data: JSONBody[Question]
    ) -> dict[str, Any]:
        await officer(request, "read")
        from_us, until_us = (
            parse_time(data.from_, field="from"),
            parse_time(data.until, field="until"),
        )
        area = msgspec.json.encode(data.area)
        return stamped(
            await node.do(lambda core: ask(core, area, from_us, until_us, data.by, node.now_us()))
        )

    @get(
        "/api/v1/bundles/{wanted:str}", summary="A bundle that proves a statement", tags=["record"]
    )
    async def prove(
        request: Request[Any, Any, Any],
        wanted: FromPath[str],
        withhold: FromQuery[list[str] | None] = None,
        tlog: FromQuery[bool] = False,
    ) -> Response[bytes]:
        await officer(request, "prove")

        def job(core: Core) -> tuple[bytes, list[Effect]]:
            ids = views.find_statements(core, wanted)
            entries = [core.journal.entry_of(one) for one in ids]
            newest = core.journal.checkpoint()
            if any(e is not None and (newest is None or newest[0] <= e.index) for e in entries):
                core.checkpoint(node.now_us())
            if tlog:
                return make_tlog_proof(core, ids[0]).encode(), []
            return make_bundle(core, ids, withhold=withhold or ()), []

        return Response(await node.run(job), media_type=TEXT)

    @post(
        "/api/v1/absence",
        status_code=200,
        summary="A file that proves what a party did not say here",
        tags=["record"],
    )
    async def prove_absence(
        request: Request[Any, Any, Any], data: JSONBody[AbsenceAsked]
    ) -> Response[bytes]:
        await officer(request, "prove")
        area = None if data.area is None else msgspec.json.encode(data.area)
        from_us = None if data.from_ is None else parse_time(data.from_, field="from")
        until_us = None if data.until is None else parse_time(data.until, field="until")
        await _cosigned_now(node, min(data.wait_s, COSIGN_WAIT_MOST_S))
        proving = await node.do(lambda core: Proving(core, data.by, area, from_us, until_us))
        while not await node.do(lambda core: proving.read(core, ABSENCE_SLICE)):
            pass  # others have their turn between two slices
        return Response(await asyncio.to_thread(proving.encode), media_type=TEXT)

    @post(
        "/api/v1/timestamps",
        status_code=200,
        responses=shapes.answers(200, shapes.TimeStamp),
        summary="Have the log as it is now stamped by the authority of time stamps",
        tags=["record"],
    )
    async def stamp_now(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "prove")
        found = await node.stamping.stamp()
        return stamped(msgspec.to_builtins(found))

    @get(
        "/api/v1/timestamps",
        responses=shapes.answers(200, shapes.TimeStamps),
        summary="The newest time stamp of this log, and whether the authority answers",
        tags=["record"],
    )
    async def newest_stamp(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        return stamped(await node.do(node.stamping.state))

    @get(
        "/api/v1/contradictions",
        responses=shapes.answers(200, shapes.EvidenceList),
        summary="What this record proves against others",
        tags=["record"],
    )
    async def list_evidence(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        found = await node.do(lambda core: list(find_evidence(core)))
        rows = [
            {"number": number, "kind": one.kind, "against": one.against, "entry": one.index}
            | {"time": one.time}
            for number, one in enumerate(found, 1)
        ]
        return stamped({"evidence": rows})

    @get(
        "/api/v1/contradictions/{number:int}",
        summary="A file that proves one of them to anyone",
        tags=["record"],
    )
    async def export(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        await officer(request, "prove")

        def make(core: Core) -> bytes:
            found = list(find_evidence(core))
            if not 1 <= number <= len(found):
                raise UsageError(
                    "evidence-unknown",
                    f"evidence is {number}; it must be one of the {len(found)} that this record has",
                    field="number",
                )
            return export_evidence(core, found[number - 1])

        return Response(await node.do(make), media_type=TEXT)

    @post(
        "/api/v1/openings",
        status_code=201,
        summary="A file that opens one field, for somebody named",
        tags=["record"],
    )
    async def open_field(
        request: Request[Any, Any, Any], data: JSONBody[Disclosure]
    ) -> Response[bytes]:
        who = await officer(request, "prove")
        made: bytes = await node.run(
            lambda core: (
                disclose(
                    core,
                    views.find_statements(core, data.id),
                    data.field,
                    to=data.to,
                    reason=data.reason,
                    now_us=node.now_us(),
                    officer=who.name,
                    desk=who.desk,
                ),
                [],
            )
        )
        return Response(made, media_type=TEXT, status_code=201)

    @post(
        "/api/v1/destructions",
        status_code=200,
        summary="Destroy what opens a field; two officers must ask for it",
        tags=["record"],
    )
    async def destroy_field(
        request: Request[Any, Any, Any], data: JSONBody[Destroying]
    ) -> Destruction:
        who = await officer(request, "destroy")

        def job(core: Core) -> tuple[Destruction, list[Effect]]:
            found = destroy(
                core,
                views.find_statements(core, data.id),
                data.field,
                reason=data.reason,
                now_us=node.now_us(),
                officer=who.name,
                desk=who.desk,
                alone=who.role == "local",
            )
            if found.done:
                node.refold(core)  # what is in memory still has the value
            return found, []

        found: Destruction = await node.run(job)
        if found.done:
            await node.do(lambda _core: node.store.erase())
        return found

    return [
        ask_record,
        prove,
        prove_absence,
        stamp_now,
        newest_stamp,
        list_evidence,
        export,
        open_field,
        destroy_field,
    ]


async def _cosigned_now(node: Node, wait_s: float) -> None:
    """Have the log as it is now signed, and give its cosigners a moment: what nobody saw proves less."""

    def sign(core: Core) -> tuple[int, list[Effect]]:
        try:
            core.checkpoint(node.now_us())
        except UnavailableError:  # no line compares heads now; what was signed before must do
            return -1, []
        return core.tree.size, []

    def seen(core: Core, size: int) -> bool:
        quorum = quorum_of(core.state.agreement, core.identity.party)
        by = set(core.journal.cosignatures(size))
        return bool(by) and len(by & set(quorum.of)) >= quorum.least

    size = await node.run(sign)
    until = asyncio.get_running_loop().time() + wait_s
    while size >= 0 and asyncio.get_running_loop().time() < until:
        if await node.do(lambda core: seen(core, size)):
            return
        await asyncio.sleep(COSIGN_LOOK_S)

"""The door for operators: /api/v1, with sign-in and roles; the same on the local socket without.

The local socket (and a command line that opened the directory itself) is the owner of the node: whoever
can read the keys needs no password.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, delete, get, post
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from detente import __version__
from detente.agreement.revocation import doubt_of
from detente.errors import PeerError, UsageError, shown
from detente.interop.geojson import parse_notice_geojson
from detente.limits import API_BODY_BYTES
from detente.node import metrics, shapes
from detente.node.adviceroom import advice_routes
from detente.node.body import read_body
from detente.node.clearance import clearance_routes
from detente.node.courier import courier_routes
from detente.node.gate import Gate, door_of, who_asks
from detente.node.lineroom import line_routes
from detente.node.linerow import line_row
from detente.node.node import Node
from detente.node.operators import Officer, add_operator, officer_of
from detente.node.peerdoor import HANDLERS, public_routes
from detente.node.picture import ledger_row
from detente.node.reading import reading_routes
from detente.node.recordroom import record_routes
from detente.node.rosterroom import roster_routes
from detente.node.rungs import rung_routes
from detente.node.signin import signin_routes
from detente.node.talkroom import talk_routes
from detente.node.urgentroom import urgent_routes
from detente.node.watchroom import watchroom_routes
from detente.protocol import views
from detente.protocol.audit import audit
from detente.protocol.core import Core, Filed
from detente.protocol.effect import Effect, Send
from detente.protocol.incoming import line_quality, newest_seen, start_recovery
from detente.protocol.learned import note_own
from detente.protocol.renewal import renew_log
from detente.units import format_time

if TYPE_CHECKING:
    from litestar.types import ASGIApp

    from detente.node.server import Serving

WAIT_MOST_S = 60.0
Wait = Annotated[str | None, QueryParameter(pattern="^(delivered|opened)$")]
Timeout = Annotated[float, QueryParameter(ge=0)]


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why a notice is cancelled, in plain words."""

    reason: str


class NewOperator(msgspec.Struct, forbid_unknown_fields=True):
    """An operator to add."""

    name: str
    role: str
    password: str
    desk: str | None = None


class PolicyDocument(msgspec.Struct, forbid_unknown_fields=True):
    """A key certificate, a revocation or a card that our root signed."""

    type: str
    document: dict[str, Any]


def filed_json(filed: Filed, receipts: dict[str, str | None]) -> dict[str, Any]:
    """The contract's answer to a filing."""
    return {
        "id": filed.id,
        "version": filed.version,
        "lead_time_s": filed.lead_time_s,
        "late": filed.late,
        "agreed_lead_s": filed.agreed_lead_s,
        "delivered": receipts,
        "signed": list(filed.signed),
    }


async def body_of(request: Request[Any, Any, Any]) -> bytes:
    """The body of an operator's request.

    Raises:
        UsageError: ``body-too-large``.
    """
    try:
        return await read_body(request, API_BODY_BYTES)
    except PeerError as error:
        raise UsageError(error.code, error.message, field=error.field) from None


def delivered(
    core: Core, notice_id: str, version: int, to: tuple[str, ...], *, opened: bool = False
) -> dict[str, str | None]:
    """Recipient to the time it received (or opened) a version, by its own clock; None while it has not."""
    notice = core.state.notices.get(notice_id)
    known = notice.versions.get(version) if notice else None
    result: dict[str, str | None] = {}
    for party in to:
        receipt = core.state.receipts.get(known.statements.get(party, "")) if known else None
        time_us = (
            None if receipt is None else (receipt.opened_us if opened else receipt.received_us)
        )
        result[party] = format_time(time_us) if time_us is not None else None
    return result


def _withheld(words: list[str]) -> dict[str, set[str]]:
    """By recipient the fields of ``PARTY:FIELD``.

    Raises:
        UsageError: ``withhold-malformed``.
    """
    found: dict[str, set[str]] = {}
    for word in words:
        party, colon, field = word.partition(":")
        if not (party and colon and field):
            raise UsageError(
                "withhold-malformed",
                f"withhold is {shown(word)}; it must be PARTY:FIELD, such as south:text",
                field="withhold",
            )
        found.setdefault(party, set()).add(field)
    return found


def api_app(node: Node, serving: Serving | None = None, *, local: bool = False) -> ASGIApp:
    """The operators' application.

    Args:
        serving: the running server, None when the command line opened the directory itself.
        local: requests come from the owner of the directory and need no sign-in.
    """
    desk = node.home.config.desk
    door = door_of(node.home.config)
    officer = who_asks(desk, local=local)

    async def find_officer(token: str) -> Officer:
        found: Officer = await node.do(
            lambda _core: officer_of(node.store, token, node.clock_real_us())
        )
        return found

    def stamped(value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "clock": node.clock.label, "now": format_time(node.now_us())}

    @get(
        "/api/v1/status",
        responses=shapes.answers(200, shapes.NodeStatus),
        summary="Lines, clocks, ledger, keys, agreement",
        tags=["operations"],
    )
    async def status(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        found: dict[str, Any] = await node.do(lambda core: _status(node, core, serving))
        return stamped(found)

    @post(
        "/api/v1/notices",
        status_code=201,
        responses=shapes.answers(201, shapes.FiledAnswer),
        summary="File a notice, or amend one",
        tags=["notices"],
    )
    async def file_notice(
        request: Request[Any, Any, Any],
        to: FromQuery[list[str] | None] = None,
        amend: FromQuery[bool] = False,
        withhold: FromQuery[list[str] | None] = None,
        wait: Wait = None,
        timeout_s: Timeout = 10.0,
    ) -> Response[dict[str, Any]]:
        who = await officer(request, "say")
        withheld = _withheld(withhold or [])
        notice = parse_notice_geojson(await body_of(request))

        def job(core: Core) -> tuple[Filed, list[Effect]]:
            return core.file_notice(
                notice,
                to or [],
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                amend=amend,
                withhold=withheld,
            )

        return await answer_filed(job, wait, timeout_s)

    async def answer_filed(
        file: Callable[[Core], tuple[Filed, list[Effect]]], wait: str | None, timeout_s: float
    ) -> Response[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        until = loop.time() + min(timeout_s, WAIT_MOST_S)
        timed_out = False

        def look(core: Core, filed: Filed) -> tuple[Filed, dict[str, str | None], list[Any]]:
            rows = [row for row in views.conflict_rows(core, filed.id) if row["state"] == "live"]
            seen = delivered(core, filed.id, filed.version, filed.to, opened=wait == "opened")
            return filed, seen, rows

        def file_and_look(core: Core) -> tuple[Any, list[Effect]]:
            filed, effects = file(core)
            return look(core, filed), effects

        changed = node.changed()
        filed, seen, conflicts = await node.run(file_and_look)
        while True:
            if wait is None or all(seen.values()):
                break
            left = until - loop.time()
            if left <= 0 or serving is None:
                timed_out = True
                break
            await node.wait_changed(changed, left)
            changed = node.changed()
            _, seen, conflicts = await node.do(lambda core: look(core, filed))
        body = stamped({**filed_json(filed, seen), "timed_out": timed_out, "conflicts": conflicts})
        return Response(body, status_code=201)

    @get(
        "/api/v1/notices",
        responses=shapes.answers(200, shapes.NoticeList),
        summary="All notices",
        tags=["notices"],
    )
    async def list_notices(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        return stamped(
            {"notices": await node.do(lambda core: views.notice_rows(core, node.now_us()))}
        )

    @get(
        "/api/v1/notices/{notice:str}",
        responses=shapes.answers(200, shapes.NoticeDetail),
        summary="One notice in full; a watch officer's look is reported as opened",
        tags=["notices"],
    )
    async def show_notice(
        request: Request[Any, Any, Any], notice: FromPath[str], opened: FromQuery[bool] = True
    ) -> Response[bytes]:
        who = await officer(request, "read")

        def job(core: Core) -> tuple[dict[str, Any], list[Effect]]:
            notice_id = views.find_notice(core, notice)
            effects: list[Effect] = []
            if (
                opened
                and who.role in ("watch", "supervisor", "local")
                and notice_id in core.state.notices
            ):
                effects = core.open_notice(
                    notice_id, node.now_us(), officer=who.name, desk=who.desk
                )
            return views.show_notice(core, notice_id, node.now_us()), effects

        return _json(stamped(await node.run(job)))

    @post(
        "/api/v1/notices/{notice:str}/cancel",
        status_code=201,
        responses=shapes.answers(201, shapes.FiledAnswer),
        summary="Cancel a notice",
        tags=["notices"],
    )
    async def cancel_notice(
        request: Request[Any, Any, Any],
        notice: FromPath[str],
        data: JSONBody[Reason],
        wait: Wait = None,
        timeout_s: Timeout = 10.0,
    ) -> Response[dict[str, Any]]:
        who = await officer(request, "say")

        def job(core: Core) -> tuple[Filed, list[Effect]]:
            return core.cancel_notice(
                views.find_notice(core, notice),
                data.reason,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
            )

        return await answer_filed(job, wait, timeout_s)

    @get(
        "/api/v1/receipts/{wanted:str}",
        responses=shapes.answers(200, shapes.ReceiptList),
        summary="Receipts of a notice or statement",
        tags=["notices"],
    )
    async def receipts(request: Request[Any, Any, Any], wanted: FromPath[str]) -> dict[str, Any]:
        await officer(request, "read")
        return stamped(await node.do(lambda core: views.receipts_of(core, wanted)))

    @get(
        "/api/v1/conflicts",
        responses=shapes.answers(200, shapes.ConflictList),
        summary="Conflicts, ranked",
        tags=["conflicts"],
    )
    async def conflicts(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        return stamped({"conflicts": await node.do(views.conflict_rows)})

    @get("/api/v1/ledger/audit", summary="Is the record consistent?", tags=["record"])
    async def audit_ledger(
        request: Request[Any, Any, Any], signatures: FromQuery[bool] = True
    ) -> dict[str, Any]:
        await officer(request, "prove")
        return stamped(await node.do(lambda core: audit(core, signatures=signatures)))

    @post(
        "/api/v1/ledger/rebuild",
        status_code=200,
        summary="Fold the ledger anew and compare",
        tags=["record"],
    )
    async def rebuild(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "manage")
        return stamped(await node.run(node.rebuild))

    @get("/api/v1/evidence", summary="What was not taken, and why", tags=["record"])
    async def evidence(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "prove")
        samples, counts = await node.do(
            lambda _core: (node.store.evidence(), node.store.evidence_counts())
        )
        rows = [
            {
                "time": format_time(e.time_us),
                "peer": e.peer,
                "code": e.code,
                "message": e.message,
                "bytes": len(e.sample),
            }
            for e in samples
        ]
        return stamped({"counts": counts, "samples": rows})

    @get(
        "/api/v1/ceases",
        responses=shapes.answers(200, shapes.CeaseList),
        summary="Cease requests made and received",
        tags=["hotline"],
    )
    async def ceases(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        return stamped({"ceases": await node.do(lambda core: list(core.state.ceases))})

    @post(
        "/api/v1/policy",
        status_code=201,
        summary="Tell the peers of a key certificate, a revocation or a card",
        tags=["keys"],
    )
    async def policy(
        request: Request[Any, Any, Any], data: JSONBody[PolicyDocument]
    ) -> dict[str, Any]:
        who = await officer(request, "manage")
        field = {
            "policy/key-certificate": "certificate",
            "policy/key-revocation": "revocation",
            "policy/card": "card",
        }.get(data.type)
        if field is None:
            raise UsageError(
                "type-unknown",
                f"type is {data.type!r}; it must be policy/key-certificate, policy/key-revocation or policy/card",
            )

        def job(core: Core) -> tuple[tuple[str, ...], list[Effect]]:
            if core.identity.party not in core.agreement().parties:
                note_own(core, field, data.document, node.now_us())
                return (), []
            exercise = core.agreement().terms.exercise_only
            return core.say(
                data.type,
                {field: data.document},
                [],
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                exercise=exercise,
            )

        return stamped({"signed": list(await node.run(job))})

    @get(
        "/api/v1/agreement",
        responses=shapes.answers(200, shapes.AgreementAnswer),
        summary="The agreement in force",
        tags=["agreement"],
    )
    async def agreement(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")

        def question(core: Core) -> dict[str, Any]:
            found = core.agreement()
            return {"hash": found.hash, "agreement": found.document, "parties": list(found.parties)}

        return stamped(await node.do(question))

    @get(
        "/api/v1/agreement/policy",
        responses=shapes.answers(200, shapes.PolicyAnswer),
        summary="The agreement in force as a C2SP trust policy",
        tags=["agreement"],
    )
    async def trust_policy(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "read")
        return stamped({"policy": await node.do(node.policy)})

    @post(
        "/api/v1/agreement",
        status_code=201,
        summary="Bring a fully signed agreement into force",
        tags=["agreement"],
    )
    async def accept(request: Request[Any, Any, Any]) -> dict[str, Any]:
        who = await officer(request, "agree")
        del who
        body = await body_of(request)
        try:
            file = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise UsageError(
                "agreement-malformed", f"agreement cannot be read: {error}", field="agreement"
            ) from None
        found: dict[str, Any] = await node.run(lambda core: node.accept_agreement(core, file))
        if serving is not None:
            serving.open_lines()
        return stamped(found)

    @post(
        "/api/v1/ledger/recosign",
        status_code=201,
        summary="Take old heads into the log, and sign a new head over them under the keys of today",
        tags=["operations"],
    )
    async def recosign(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "manage")

        def job(core: Core) -> tuple[tuple[int, int], list[Effect]]:
            return renew_log(core, node.now_us()), []

        renewed, size = await node.run(job)
        return stamped({"renewed": renewed, "checkpoint": size})

    @post(
        "/api/v1/recover",
        status_code=202,
        summary="Take lost statements back and open a new log epoch",
        tags=["operations"],
    )
    async def recover(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "manage")

        notes = await serving.heads_seen() if serving is not None else {}

        def job(core: Core) -> tuple[int, list[Effect]]:
            start_recovery(core, node.now_us(), newest_seen(core, notes))
            effects: list[Effect] = [Send(peer) for peer in core.state.peers]
            return len(core.epochs), effects

        return stamped({"epoch": await node.run(job)})

    @get(
        "/api/v1/events",
        responses=shapes.answers(200, shapes.EventList),
        summary="Events after a number; waits for the next one",
        tags=["operations"],
    )
    async def events(
        request: Request[Any, Any, Any], after: FromQuery[int] = 0, wait_s: Timeout = 0.0
    ) -> dict[str, Any]:
        await officer(request, "read")
        changed = node.changed()
        rows = [msgspec.to_builtins(e) for e in list(node.events) if e.number > after]
        if not rows and wait_s > 0:
            await node.wait_changed(changed, min(wait_s, WAIT_MOST_S))
            rows = [msgspec.to_builtins(e) for e in list(node.events) if e.number > after]
        return stamped({"events": rows})

    @get("/api/v1/operators", summary="Operators", tags=["operations"])
    async def operators(request: Request[Any, Any, Any]) -> dict[str, Any]:
        await officer(request, "manage")
        rows = await node.do(lambda _core: node.store.operators())
        return {
            "operators": [
                {
                    "name": r.name,
                    "role": r.role,
                    "desk": r.desk,
                    "created": format_time(r.created_us),
                }
                for r in rows
            ]
        }

    @post("/api/v1/operators", status_code=201, summary="Add an operator", tags=["operations"])
    async def new_operator(
        request: Request[Any, Any, Any], data: JSONBody[NewOperator]
    ) -> dict[str, Any]:
        await officer(request, "manage")
        at = data.desk or desk
        await node.do(
            lambda _core: add_operator(
                node.store, data.name, data.role, at, data.password, node.clock_real_us()
            )
        )
        return {"name": data.name, "role": data.role, "desk": at}

    @delete(
        "/api/v1/operators/{name:str}",
        status_code=200,
        summary="Remove an operator and end their sessions",
        tags=["operations"],
    )
    async def remove_operator(
        request: Request[Any, Any, Any], name: FromPath[str]
    ) -> dict[str, Any]:
        await officer(request, "manage")
        if not await node.run(lambda _core: (node.store.remove_operator(name), [])):
            raise UsageError(
                "operator-unknown",
                f"operator is {name!r}; it must be one that was added",
                field="name",
            )
        return {"removed": name}

    @get("/metrics", summary="Prometheus metrics", tags=["operations"])
    async def metrics_page(request: Request[Any, Any, Any]) -> Response[bytes]:
        await officer(request, "read")
        page = await node.do(lambda core: metrics.page(node, core))
        return Response(page, media_type=metrics.CONTENT_TYPE)

    app = Litestar(
        [
            *public_routes(node),
            *watchroom_routes(node, serving, officer, body_of),
            *signin_routes(node, door, officer),
            *reading_routes(officer),
            *talk_routes(node, officer),
            *clearance_routes(node, officer),
            *advice_routes(node, officer),
            *rung_routes(node, officer),
            *urgent_routes(node, officer),
            *line_routes(node, serving, officer),
            *roster_routes(node, officer),
            *record_routes(node, officer),
            *courier_routes(node, officer),
            status,
            file_notice,
            list_notices,
            show_notice,
            cancel_notice,
            receipts,
            conflicts,
            audit_ledger,
            rebuild,
            evidence,
            ceases,
            policy,
            agreement,
            trust_policy,
            accept,
            recover,
            recosign,
            events,
            operators,
            new_operator,
            remove_operator,
            metrics_page,
        ],
        openapi_config=OpenAPIConfig(
            title="detente node",
            version=__version__,
            path="/api",
            components=Components(
                security_schemes={"session": SecurityScheme(type="http", scheme="bearer")}
            ),
            security=[{"session": []}],
            description="The operators' face of one node. Every time is RFC 3339 in Z; `clock` names the clock it is of.",
        ),
        logging_config=None,
        request_max_body_size=API_BODY_BYTES,
        exception_handlers=HANDLERS,
    )
    return app if local else Gate(app, find_officer, door)


def _json(value: Any) -> Response[bytes]:
    """JSON in which decimals stay exact numbers."""
    return Response(
        msgspec.json.Encoder(decimal_format="number").encode(value), media_type="application/json"
    )


def _status(node: Node, core: Core, serving: Serving | None) -> dict[str, Any]:
    now_us = node.now_us()
    agreement = core.state.agreement
    keys = []
    identity = core.identity
    in_use = (
        identity.signer.public.key_id,
        identity.opener.public.key_id,
        identity.transport_key,
    )
    for use in ("signing", "sealing", "transport"):
        for certificate in core.state.keys.certificates.get(core.identity.party, {}).values():
            if certificate.use == use:
                keys.append(
                    {
                        "use": use,
                        "key": certificate.key_id,
                        "serial": certificate.serial,
                        "valid_from": format_time(certificate.valid_from_us),
                        "valid_until": format_time(certificate.valid_until_us),
                        "in_use": certificate.key_id in in_use,
                        "revoked": msgspec.to_builtins(
                            doubt_of(
                                core.state.keys.revocations.get(core.identity.party, {}).get(
                                    certificate.key_id
                                )
                            )
                        ),
                    }
                )
    lines = []
    for peer in core.state.peers:
        row = line_quality(core, peer, now_us)
        row["failing"] = (
            serving.lines[peer, "ordinary"].failing
            if serving and (peer, "ordinary") in serving.lines
            else None
        )
        shown = line_row(node, serving, core, peer, now_us)
        row["declarations"] = msgspec.to_builtins(shown.declarations)
        row["mirror"] = msgspec.to_builtins(shown.mirror)
        row |= {name: getattr(shown, name) for name in ("observed", "word", "path")}
        lines.append(row)
    return {
        "party": core.identity.party,
        "role": node.home.config.role,
        "version": __version__,
        "running": serving is not None,
        "fault": core.fault,
        "agreement": None
        if agreement is None
        else {
            "hash": agreement.hash,
            "parties": list(agreement.parties),
            "witnesses": list(agreement.witnesses),
            "clock_offset_limit_s": agreement.terms.clock_offset_limit_s,
            "exercise_only": agreement.terms.exercise_only,
        },
        "ledger": msgspec.to_builtins(ledger_row(core)),
        "lines": lines,
        "cosigners": {
            name: one.failing for name, one in (serving.cosigning if serving else {}).items()
        },
        "keys": keys,
        "waiting": len(core.intents),
        "alarms": [
            {"time": format_time(a.time_us), "code": a.code, "message": a.message, "party": a.party}
            for a in core.state.alarms[-20:]
        ],
    }

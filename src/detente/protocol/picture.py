"""The picture: notices and conflicts as a console shows them, and which of them changed since when.

A row is a function of the ledger (and of what waits unsigned), never stored. It changes with the
entry that says something new about it, so "what changed after revision N" is a filter over entry
numbers, the same after a restart. docs/spec/console.md, section 3, is the normative text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from detente.airspace.altitude import Altitude, format_altitude
from detente.airspace.area import Moving
from detente.airspace.drawing import Polygons, draw_geometries
from detente.airspace.volume import Volume
from detente.limits import DRAWN_BYTES_KEPT, SUMMARY_CHARS
from detente.notice.activity import ActivityNotice, parse_activity_body
from detente.notice.words import PlaceQuestion
from detente.protocol import views
from detente.protocol.core import Core
from detente.protocol.fold import ConflictState, NoticeState, Receipt
from detente.protocol.journal import Intent, Json
from detente.protocol.ladder import LadderRow, ladder_rows
from detente.protocol.statement import body_digest, body_values, commit_openings
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_M, US_PER_S, format_time

RowState = Literal["waiting", "filed", "delivered", "refused", "received", "cancelled"]
RANKS = {
    "cease": 0,
    "emergency": 0,
    "conflict": 1,
    "refused": 1,
    "fault": 1,
    "line": 1,
    "cannot-tell": 2,
    "comm-check": 2,
    "line-declared": 2,
    "message": 2,
    "proposal": 2,
    "read-back": 1,
    "no-answer": 2,
}


class Edge(msgspec.Struct, frozen=True):
    """A lower or upper edge.

    Attributes:
        text: as the sender wrote it, with its datum: this is what is read.
        ft: the same number in feet of that datum, for drawing a profile only.
        datum: MSL, WGS84, AGL or STD.
    """

    text: str
    ft: float
    datum: str


class Way(msgspec.Struct, frozen=True):
    """Who moves: where the middle of the volume is at which times, and how far it reaches.

    Attributes:
        points: [longitude, latitude] in degrees; evenly passed from one to the next.
        times: one for each point.
        edges: what the way from one to the next is, planar or geodesic.
    """

    points: list[list[float]]
    times: list[str]
    radius_m: float
    edges: Literal["planar", "geodesic"]


class Piece(msgspec.Struct, frozen=True):
    """One volume of a notice, drawn.

    Attributes:
        outline: polygons of closed rings of [longitude, latitude] in degrees; for the eye only.
        way: of a volume that moves; its outline is all that it sweeps.
    """

    outline: list[list[list[list[float]]]]
    start: str
    end: str
    lower: Edge
    upper: Edge
    way: Way | UnsetType = UNSET


class Opening(msgspec.Struct, frozen=True):
    """A recipient's word that a desk of its has had the notice in front of it, by its clock."""

    party: str
    time: str
    desk: str | None


class ReceiptRow(msgspec.Struct, frozen=True):
    """What a recipient answered; times by its clock."""

    party: str
    answer: str
    rule: str | None
    received: str
    opened: str | None
    flags: list[str]


class NoticeRow(msgspec.Struct, frozen=True):
    """A notice at its newest version.

    Attributes:
        received: when it was received: by us, or first by a recipient of ours (its clock).
        lead_time_s: from then to the start; None while nobody has received it.
        text: cut to 280 characters where `text_cut` says so.
        waiting_version: a version that was filed and is not yet signed for everybody, or None.
        waiting_for: recipients whose receipt is not here.
        ladder: how far each recipient has climbed with the newest signed version.
        pieces: of a cancelled notice, what was cancelled.
        cannot_draw: the content is withheld or gone; the notice is in the record all the same.
    """

    id: str
    version: int
    party: str
    exercise: bool
    state: RowState
    start: str
    end: str
    received: str | None
    lead_time_s: float | None
    agreed_lead_s: int
    late: bool
    activity: str | None
    precedence: str | None
    region: str | None
    text: str | None
    text_cut: bool
    to: list[str]
    waiting_version: int | None
    waiting_for: list[str]
    opened_by: list[Opening]
    receipts: list[ReceiptRow]
    ladder: list[LadderRow]
    pieces: list[Piece]
    cannot_draw: bool


class MeetingPlace(msgspec.Struct, frozen=True):
    """A point of the first meeting, in degrees."""

    lat: float
    lon: float


class Meeting(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Two notices that would meet, or of which nobody can tell.

    Attributes:
        notices: in order of id, with `versions` and `parties` beside them.
        own, peer: which of the two is ours, and the other; both None when neither is.
        party: the other's party.
        lower, upper: with their datum; None when the verdict has none.
        lower_ft, upper_ft: the same numbers in feet of that datum, for a profile only.
        rank: 1 conflict, 2 cannot-tell.
    """

    verdict: str
    notices: list[str]
    versions: list[int]
    parties: list[str]
    own: str | None
    peer: str | None
    party: str | None
    from_: str | None
    until: str | None
    lower: str | None
    upper: str | None
    lower_ft: float | None
    upper_ft: float | None
    datum: str | None
    place: MeetingPlace | None
    reason: str
    exercise: bool
    rank: int


class ConflictRow(Meeting, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A recorded conflict; its id is the same on both sides."""

    id: str
    state: Literal["live", "resolved"]
    seen: str


class Preview(msgspec.Struct, frozen=True):
    """What filing a notice would do now.

    Attributes:
        lead_time_s: from now to the start; a recipient counts from when it receives.
        verdict: the worst over all live notices of other parties.
        meetings: those it would meet, the worst first.
        compared: how many live notices of other parties of the same kind (exercise or real) there are.
        questions: where the notice's words do not fit its volumes; to be asked of the officer, never a refusal.
    """

    id: str
    version: int
    to: list[str]
    exercise: bool
    lead_time_s: float
    agreed_lead_s: int
    late: bool
    pieces: list[Piece]
    verdict: Literal["conflict", "cannot-tell", "clear"]
    meetings: list[Meeting]
    compared: int
    questions: list[PlaceQuestion]


class Drawings:
    """Outlines by body digest, encoded once: the newest few megabytes of them."""

    def __init__(self, most_bytes: int = DRAWN_BYTES_KEPT) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: dict[str, msgspec.Raw] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def pieces(self, wanted: Mapping[str, ActivityNotice]) -> dict[str, list[Piece]]:
        """The drawn pieces of notices by body digest; all that are new are drawn at once.

        The lists are encoded already (`msgspec.Raw`): they go into a row as they are.
        """
        found = {digest: self._kept[digest] for digest in wanted if digest in self._kept}
        new = {digest: notice for digest, notice in wanted.items() if digest not in found}
        volumes = [piece for notice in new.values() for piece in notice.pieces]
        outlines = iter(draw_geometries([(piece.geometry, piece.edges) for piece in volumes]))
        for digest, notice in new.items():
            drawn = [_piece(piece, next(outlines)) for piece in notice.pieces]
            found[digest] = self._keep(digest, msgspec.Raw(msgspec.json.encode(drawn)))
        return cast("dict[str, list[Piece]]", found)

    def forget(self) -> None:
        """Throw all outlines away; what is still in the record is drawn again when it is asked for."""
        self._kept.clear()
        self._bytes = 0

    def _keep(self, digest: str, encoded: msgspec.Raw) -> msgspec.Raw:
        size = len(bytes(encoded))
        while self._kept and self._bytes + size > self._most:
            oldest = self._kept.pop(next(iter(self._kept)))
            self._bytes -= len(bytes(oldest))
        self._kept[digest] = encoded
        self._bytes += size
        return encoded


def draw_pieces(notice: ActivityNotice) -> list[Piece]:
    """The volumes of one notice, drawn; nothing is kept."""
    outlines = draw_geometries([(piece.geometry, piece.edges) for piece in notice.pieces])
    return [_piece(*one) for one in zip(notice.pieces, outlines, strict=True)]


def _piece(piece: Volume, outline: Polygons) -> Piece:
    return Piece(
        outline=outline,
        start=format_time(piece.start_us),
        end=format_time(piece.end_us),
        lower=_edge(piece.lower),
        upper=_edge(piece.upper),
        way=_way(piece.geometry, piece.edges) if isinstance(piece.geometry, Moving) else UNSET,
    )


def _way(moving: Moving, edges: str) -> Way:
    return Way(
        points=[[lon / NANODEG_PER_DEG, lat / NANODEG_PER_DEG] for lon, lat in moving.points],
        times=[format_time(time_us) for time_us in moving.times_us],
        radius_m=moving.radius_tenth_mm / TENTH_MM_PER_M,
        edges=cast("Literal['planar', 'geodesic']", edges),
    )


def _edge(altitude: Altitude) -> Edge:
    return Edge(
        text=str(altitude), ft=round(altitude.tenth_mm / TENTH_MM_PER_FT, 1), datum=altitude.datum
    )


def epoch_of(core: Core) -> str:
    """The name of the ledger that revisions are counted in.

    Another one while peers prove this record to be an old backup: its numbers are then not those that
    a console has from before.
    """
    return core.origin if core.fault is None else f"{core.origin}#{core.fault}"


# -- which rows ----------------------------------------------------------------------------------


def changed_notices(core: Core, since: int) -> list[str]:
    """Ids of the notices about which an entry after revision `since` says something."""
    return [id_ for id_, trail in core.state.trail.items() if trail[-1] >= since]


def changed_conflicts(core: Core, since: int) -> list[ConflictState]:
    """Conflicts recorded or resolved after revision `since`."""
    return [
        conflict
        for conflict in core.state.conflicts.values()
        if max(conflict.index, conflict.resolved or 0) >= since
    ]


# -- notices -------------------------------------------------------------------------------------


def waiting_intents(core: Core) -> dict[str, list[Intent]]:
    """What was filed and is not signed for everybody, by notice, in the order it was filed."""
    found: dict[str, list[Intent]] = {}
    for number in sorted(core.intents):
        intent = core.intents[number]
        if intent.notice is not None:
            found.setdefault(intent.notice, []).append(intent)
    return found


def notice_rows(
    core: Core,
    ids: Iterable[str],
    drawings: Drawings,
    waiting: Mapping[str, Sequence[Intent]] | None = None,
) -> list[NoticeRow]:
    """The rows of some notices, in the order asked for; unknown ids are left out.

    Args:
        waiting: what `waiting_intents` said a moment ago, for who asks again and again.
    """
    waiting = waiting_intents(core) if waiting is None else waiting
    drafts = []
    wanted: dict[str, ActivityNotice] = {}
    for id_ in ids:
        notice, intents = core.state.notices.get(id_), waiting.get(id_, [])
        if notice is not None:
            digest, volumes = core.drawn_version(id_)
        elif intents:
            digest, volumes = _volumes_of(intents[-1])
        else:
            continue
        if volumes is not None:
            wanted[digest] = volumes
        drafts.append((id_, notice, intents, digest, volumes))
    pieces = drawings.pieces(wanted)
    return [
        _signed_row(core, notice, intents, volumes, pieces.get(digest))
        if notice is not None
        else _waiting_row(core, id_, intents, volumes, pieces.get(digest))
        for id_, notice, intents, digest, volumes in drafts
    ]


def _volumes_of(intent: Intent) -> tuple[str, ActivityNotice | None]:
    values = body_values(intent.openings)
    if intent.thread is None or "pieces" not in values:
        return "", None  # a cancellation of what is no longer there
    name = intent.thread["id"].partition(":")[2]
    return (
        body_digest(commit_openings(intent.openings)),
        parse_activity_body(values, name=name, exercise=intent.exercise),
    )


def _waiting_row(
    core: Core,
    id_: str,
    intents: Sequence[Intent],
    volumes: ActivityNotice | None,
    pieces: list[Piece] | None,
) -> NoticeRow:
    newest = intents[-1]
    assert newest.thread is not None
    start_us, end_us = (volumes.start_us, volumes.end_us) if volumes else (0, 0)
    return NoticeRow(
        id=id_,
        version=newest.thread["version"],
        party=core.identity.party,
        exercise=newest.exercise,
        state="waiting",
        start=format_time(start_us),
        end=format_time(end_us),
        received=None,
        lead_time_s=None,
        agreed_lead_s=views.agreed_lead_s(
            core, newest.agreement, volumes.activity if volumes else ""
        ),
        late=False,
        to=list(newest.to),
        waiting_version=newest.thread["version"],
        waiting_for=sorted(newest.waiting),
        opened_by=[],
        receipts=[],
        ladder=[],
        **_content(volumes, pieces),
    )


def _signed_row(
    core: Core,
    notice: NoticeState,
    intents: Sequence[Intent],
    volumes: ActivityNotice | None,
    pieces: list[Piece] | None,
) -> NoticeRow:
    latest = notice.latest
    receipts = [
        receipt
        for _, statement in sorted(latest.statements.items())
        if (receipt := core.state.receipts.get(statement)) is not None
    ]
    received = views.received_us(core, notice, latest)
    lead_s = (latest.start_us - received) / US_PER_S if received is not None else None
    agreed_s = views.agreed_lead_s(core, latest.agreement, volumes.activity if volumes else "")
    silent = {to for to, s in latest.statements.items() if s not in core.state.receipts}
    newest = intents[-1].thread if intents else None
    return NoticeRow(
        id=notice.id,
        version=latest.number,
        party=notice.party,
        exercise=notice.exercise,
        state=cast("RowState", views.notice_state(core, notice, waits=bool(intents))),
        start=format_time(latest.start_us),
        end=format_time(latest.end_us),
        received=format_time(received) if received is not None else None,
        lead_time_s=lead_s,
        agreed_lead_s=agreed_s,
        late=lead_s is not None and lead_s < agreed_s,
        to=sorted({*latest.statements, *(p for i in intents for p in i.to)}),
        waiting_version=newest["version"] if newest else None,
        waiting_for=sorted(silent | {p for i in intents for p in i.waiting}),
        opened_by=[
            Opening(receipt.party, format_time(receipt.opened_us), receipt.opened_desk)
            for receipt in receipts
            if receipt.opened_us is not None
        ],
        receipts=[_receipt_row(receipt) for receipt in receipts],
        ladder=ladder_rows(core.state, notice, latest.number),
        **_content(volumes, pieces),
    )


def _receipt_row(receipt: Receipt) -> ReceiptRow:
    opened_us = receipt.opened_us
    return ReceiptRow(
        party=receipt.party,
        answer=receipt.answer,
        rule=receipt.rule,
        received=format_time(receipt.received_us),
        opened=format_time(opened_us) if opened_us is not None else None,
        flags=list(receipt.flags),
    )


def _content(volumes: ActivityNotice | None, pieces: list[Piece] | None) -> dict[str, Any]:
    text = volumes.text if volumes else None
    cut = text is not None and len(text) > SUMMARY_CHARS
    return {
        "activity": volumes.activity if volumes else None,
        "precedence": volumes.precedence if volumes else None,
        "region": volumes.region if volumes else None,
        "text": text[:SUMMARY_CHARS] if text is not None else None,
        "text_cut": cut,
        "pieces": pieces if pieces is not None else [],
        "cannot_draw": pieces is None,
    }


# -- conflicts -----------------------------------------------------------------------------------


def conflict_rows(core: Core, conflicts: Iterable[ConflictState]) -> list[ConflictRow]:
    """The rows of some conflicts: live first, conflicts above cannot-tell, then by time and id."""
    rows = [
        ConflictRow(
            **meeting_of(core, conflict.record),
            id=conflict.id,
            state="live" if conflict.resolved is None else "resolved",
            seen=format_time(conflict.seen_us),
        )
        for conflict in conflicts
    ]
    rows.sort(key=lambda row: (row.state != "live", row.rank, row.from_ or "", row.id))
    return rows


def meeting_of(core: Core, record: Json) -> dict[str, Any]:
    """The fields of a `Meeting` that a verdict's record gives."""
    ids = [one["id"] for one in record["notices"]]
    parties = [id_.partition(":")[0] for id_ in ids]
    ours = [party == core.identity.party for party in parties]
    own = ids[ours.index(True)] if any(ours) else None
    peer = ids[ours.index(False)] if any(ours) else None
    lower, upper, datum = record["lower_tenth_mm"], record["upper_tenth_mm"], record["datum"]
    place = record["place"]
    return {
        "verdict": record["verdict"],
        "notices": ids,
        "versions": [one["version"] for one in record["notices"]],
        "parties": parties,
        "own": own,
        "peer": peer,
        "party": peer.partition(":")[0] if peer else None,
        "from_": _time(record["from_us"]),
        "until": _time(record["until_us"]),
        "lower": None if lower is None else format_altitude(lower, datum),
        "upper": None if upper is None else format_altitude(upper, datum),
        "lower_ft": None if lower is None else round(lower / TENTH_MM_PER_FT, 1),
        "upper_ft": None if upper is None else round(upper / TENTH_MM_PER_FT, 1),
        "datum": datum,
        "place": None if place is None else MeetingPlace(lat=place[1] / 1e9, lon=place[0] / 1e9),
        "reason": record["reason"],
        "exercise": record["EXERCISE"],
        "rank": RANKS[record["verdict"]],
    }


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)


# -- before sending ------------------------------------------------------------------------------


def preview(
    core: Core,
    notice: ActivityNotice,
    to: Sequence[str],
    now_us: int,
    *,
    desk: str,
    amend: bool = False,
    questions: Sequence[PlaceQuestion] = (),
) -> Preview:
    """What filing a notice would do now; nothing is changed.

    Args:
        questions: what its words raise, asked beforehand: that needs no record.

    Raises:
        UsageError, RefusedError, UnavailableError: what filing it would raise.
    """
    plan, records = core.preview_notice(notice, to, now_us, desk=desk, amend=amend)
    meetings = [Meeting(**meeting_of(core, record)) for record in records]
    meetings.sort(key=lambda row: (row.rank, row.from_ or "", row.peer or ""))
    return Preview(
        id=plan.id,
        version=plan.version,
        to=list(plan.to),
        exercise=notice.exercise,
        lead_time_s=plan.lead_time_s,
        agreed_lead_s=plan.agreed_lead_s,
        late=plan.late,
        pieces=draw_pieces(notice),
        verdict=meetings[0].verdict if meetings else "clear",  # type: ignore[arg-type]
        meetings=meetings,
        compared=sum(
            other.party != core.identity.party
            and other.exercise == notice.exercise
            and not other.cancelled
            for other in core.state.notices.values()
        ),
        questions=list(questions),
    )

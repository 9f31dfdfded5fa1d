"""The shapes of the API's answers: what the OpenAPI document says, and so what the console's types say.

The answers themselves stay plain documents made by `detente.protocol.views` and others, because their
exact form is what the command line prints; tests/e2e/test_shapes.py compares each real answer with its
shape here, strictly. Times are RFC 3339 in Z unless a name ends in a unit. What may be
left out is `UnsetType`; what may be null is `None`; the two are not the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET, UnsetType

from detente.agreement.revocation import Doubt
from detente.hotline.health import Observed, Word
from detente.interop.found import Geometry
from detente.node.linerow import DeclaredRow
from detente.node.mirrorrow import MirrorRow
from detente.protocol.ladder import LadderRow, Unit
from detente.protocol.link import CarriedBy
from detente.protocol.vouched import Vouched


class Shape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A document whose members are all known; another member is a mistake of ours."""


class Stamped(Shape):
    """Answers carry the node's time and the name of the clock it is of."""

    clock: str
    now: str


# -- errors ---------------------------------------------------------------------------------------


class ErrorDetail(Shape):
    """What is wrong: a stable code, "<thing> is <value>; it must be <rule>", the field, what to do next."""

    code: str
    message: str
    field: str | None
    hint: str
    kind: Literal["RefusedError", "PeerError", "UnavailableError", "UsageError", "DetenteError"]


class ErrorBody(Shape):
    """Every answer of status 400 and above."""

    error: ErrorDetail


# -- altitudes and geometry as filed -----------------------------------------------------------------


class AltitudeGiven(Shape):
    """An edge of a band as its author wrote it."""

    value: float
    unit: Literal["ft", "m", "FL"]
    datum: Literal["MSL", "WGS84", "AGL", "STD"]


class NoticeProperties(Shape):
    """The properties of one piece of a notice (docs/spec/notice.md, section 1)."""

    id: str
    exercise: bool
    activity: str
    start: str
    end: str
    lower: AltitudeGiven
    upper: AltitudeGiven
    edges: Literal["planar", "geodesic"]
    precedence: str
    region: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    radius_m: float | UnsetType = UNSET
    half_width_m: float | UnsetType = UNSET
    times: list[str] | UnsetType = UNSET


class NoticeFeature(Shape):
    """One piece of a notice."""

    type: Literal["Feature"]
    geometry: Geometry
    properties: NoticeProperties


class NoticeCollection(Shape):
    """A notice as it can be filed again."""

    type: Literal["FeatureCollection"]
    features: list[NoticeFeature]


# -- conflicts --------------------------------------------------------------------------------------


class Place(Shape):
    """A position in degrees."""

    lat: float
    lon: float


class ConflictSide(Shape):
    """One of the two versions a verdict is about."""

    body: str
    id: str
    version: int


class ConflictRecord(Shape):
    """A verdict as both nodes recorded it, byte for byte the same; lengths in 0.1 mm, times in microseconds."""

    EXERCISE: bool
    agreements: list[str]
    engine: str | int
    id: str
    notices: list[ConflictSide]
    verdict: Literal["conflict", "cannot-tell"]
    reason: str
    from_us: int | None
    until_us: int | None
    lower_tenth_mm: int | None
    upper_tenth_mm: int | None
    datum: str | None
    place: list[int] | None
    lateral_gap_tenth_mm: int | None
    vertical_gap_tenth_mm: int | None
    time_gap_us: int | None


class ListedConflict(Shape, rename={"from_": "from"}):
    """A conflict for people: altitudes as text with their datum."""

    id: str
    verdict: Literal["conflict", "cannot-tell"]
    notices: list[str]
    versions: list[int]
    from_: str | None
    until: str | None
    state: Literal["live", "resolved"]
    EXERCISE: bool
    lower: str | None
    upper: str | None
    place: Place | None
    reason: str
    seen: str
    record: ConflictRecord


class ConflictList(Stamped):
    """Live first, conflicts before cannot-tell, then by time and id."""

    conflicts: list[ListedConflict]


# -- notices ----------------------------------------------------------------------------------------

NoticeStateName = Literal["waiting", "filed", "delivered", "refused", "received", "cancelled"]
Phase = Literal["planned", "active", "ended"]


class ListedNotice(Shape):
    """A notice in the list of all."""

    id: str
    version: int
    party: str
    EXERCISE: bool
    state: NoticeStateName
    phase: Phase
    received: str | None
    start: str
    end: str
    lead_time_s: float | None
    late: bool
    activity: str | None
    to: list[str]


class NoticeList(Stamped):
    """All notices, newest start first."""

    notices: list[ListedNotice]


class FiledAnswer(Stamped):
    """What became of a filing, an amendment or a cancellation: it is durable here.

    `delivered` maps each recipient to the time it received (or opened) the notice, null while it has not.
    """

    id: str
    version: int
    lead_time_s: float
    late: bool
    agreed_lead_s: int
    delivered: dict[str, str | None]
    signed: list[str]
    timed_out: bool
    conflicts: list[ListedConflict]


class ReceiptDetail(Shape):
    """A receipt as people read it; `opened` is when an officer had it on the screen."""

    party: str
    answer: str
    rule: str | None
    received: str
    flags: list[str]
    opened: str | None
    opened_desk: str | None
    receipt: str
    statement: str
    version: int | UnsetType = UNSET


class ClosedField(Shape):
    """A field whose opening was destroyed in this record: when, by whom and why."""

    field: str
    time: str
    officers: list[str]
    reason: str


class VersionDetail(Shape):
    """One version of a notice.

    `statements` maps each recipient to the statement it was sent, `units` each to the units it told of it,
    `withheld` each from whom something was withheld to those fields.
    """

    version: int
    kind: Literal["new", "replace", "cancel"]
    body: str
    known: str
    received: str | None
    statements: dict[str, str]
    receipts: list[ReceiptDetail]
    ladder: list[LadderRow]
    units: dict[str, list[Unit]]
    withheld: dict[str, list[str]]
    destroyed: list[ClosedField]


class NoticeDetail(ListedNotice):
    """Everything about one notice. While it waits unsigned, what only a signed one has is left out."""

    clock: str
    now: str
    versions: list[VersionDetail]
    conflicts: list[ListedConflict]
    geojson: NoticeCollection | None
    precedence: str | UnsetType | None = UNSET
    region: str | UnsetType | None = UNSET
    text: str | UnsetType | None = UNSET
    bands: list[str] | UnsetType = UNSET
    reason: str | UnsetType | None = UNSET


class ReceiptList(Stamped):
    """The receipts of a notice or a statement, and in words which are missing."""

    id: str
    receipts: list[ReceiptDetail]
    missing: list[str]


# -- the record ---------------------------------------------------------------------------------------


class Overlap(Shape, rename={"from_": "from"}):
    """The part of the interval asked for in which a notice held."""

    from_: str
    until: str


class PriorNotice(Shape):
    """A notice that met the area asked about."""

    id: str
    version: int
    party: str
    EXERCISE: bool
    activity: str
    start: str
    end: str
    state: Literal["live", "replaced", "cancelled"]
    superseded: str | None
    received: str | None
    received_by: list[str]
    lead_time_s: float | None
    lead_time_between_s: list[float | None] | None
    not_before: str | None
    not_after: str | None
    by: list[str]
    overlap: Overlap
    proof: str


class PriorNotices(Stamped):
    """The answer to "was there prior notice?", with how far this record knows."""

    notices: list[PriorNotice]
    complete_until: str | None
    limits: list[str]


class ListedEvidence(Shape):
    """Something in this record that proves what another party did; see docs/spec/evidence.md."""

    number: int
    kind: str
    against: str
    entry: int
    time: str


class EvidenceList(Stamped):
    """What this record proves against others, in the order of its entries."""

    evidence: list[ListedEvidence]


class TimeStamp(Stamped):
    """A checkpoint of this node's log, and by when it existed; `verified` if it led to the certificate in the settings."""

    size: int
    time: str
    authority: str
    policy: str
    verified: bool


class KeptStamp(Shape):
    """The newest time stamp that this node keeps."""

    size: int
    time: str
    authority: str
    policy: str
    verified: bool


class TimeStamps(Stamped):
    """Whether an authority is set, its newest time stamp, and the code of what is in the way."""

    configured: bool
    newest: KeptStamp | None
    failing: str | None


# -- ceases -------------------------------------------------------------------------------------------


class ListedCease(Shape):
    """A cease request made or received."""

    statement: str
    party: str
    to: list[str]
    time: str
    reason: str
    place: str | UnsetType = UNSET
    text: str | UnsetType = UNSET


class CeaseList(Stamped):
    """Cease requests in the order of this record."""

    ceases: list[ListedCease]


# -- the node -------------------------------------------------------------------------------------------


class AgreementSummary(Shape):
    """The agreement in force, as the status shows it."""

    hash: str
    parties: list[str]
    witnesses: list[str]
    clock_offset_limit_s: int
    exercise_only: bool


class LedgerSummary(Shape):
    """How long the ledger is, and who cosigned its newest checkpoint."""

    origin: str
    entries: int
    checkpoint: int
    cosigned_by: list[str]
    vouched: Vouched


class LineStatus(Shape):
    """One line: its state, when the peer was heard, what waits; what is declared beside what is observed."""

    peer: str
    state: Literal["cold", "open", "behind", "peer-behind", "forked"]
    heard: str | None
    heard_ago_s: float | None
    waiting: int
    unsigned: int
    offset_s: float | None
    failing: str | None
    declarations: list[DeclaredRow]
    observed: Observed
    word: Word
    path: CarriedBy | None
    mirror: MirrorRow


class KeyStatus(Shape):
    """One of our certified keys."""

    use: Literal["signing", "sealing", "transport"]
    key: str
    serial: int
    valid_from: str
    valid_until: str
    in_use: bool
    revoked: Doubt | None


class RaisedAlarm(Shape):
    """An alarm entry of the ledger."""

    time: str
    code: str
    message: str
    party: str | None


class NodeStatus(Stamped):
    """Lines, clocks, ledger, keys, agreement."""

    party: str
    role: str
    version: str
    running: bool
    fault: str | None
    agreement: AgreementSummary | None
    ledger: LedgerSummary
    lines: list[LineStatus]
    cosigners: dict[str, str | None]
    keys: list[KeyStatus]
    waiting: int
    alarms: list[RaisedAlarm]


class PublicKeysShape(Shape):
    """The two public halves of a key, base64url."""

    ed25519: str
    mldsa44: str


class AgreementParty(Shape):
    """A member of the agreement."""

    id: str
    name: str
    role: str
    root: PublicKeysShape


class MinimaShape(Shape):
    """Least separation of two planned volumes."""

    lateral_tenth_mm: int
    vertical_tenth_mm: int
    time_us: int


class TacticalShape(Shape):
    """Least separation of live tracks, and when it alarms."""

    lateral_tenth_mm: int
    vertical_tenth_mm: int
    closer_at_most_s: int
    kind: Literal["rule-of-threes", "well-clear"]
    tau_s: int
    look_ahead_s: int
    raise_after_s: int
    clear_after_s: int


class ReadBackShape(Shape):
    """How far a read-back may be off and still agree."""

    place_m: int
    time_s: int


class ScenarioClockShape(Shape):
    """The declared clock of an exercise."""

    name: str
    starts_at: str
    real_start: str
    rate: int


class TermsShape(Shape):
    """What was agreed; lengths in 0.1 mm."""

    area: list[list[int]] | None
    languages: list[str]
    minima: MinimaShape
    tactical: TacticalShape
    datum_bounds: dict[str, int]
    lead_times_s: dict[str, int]
    answer_deadlines_s: dict[str, int]
    desks: list[str]
    escalation_s: list[int]
    comm_checks: list[str]
    disclosure: dict[str, str]
    site_buffers_m: dict[str, int]
    sealed_budget_cell_hours: int
    clock_offset_limit_s: int
    quorum: int
    exercise_only: bool
    scenario_clock: ScenarioClockShape | None
    check_reply_s: int | UnsetType = UNSET
    receipt_deadlines_s: dict[str, int] | UnsetType = UNSET
    read_back: ReadBackShape | UnsetType = UNSET


class AgreementShape(Shape):
    """The agreement that all members signed."""

    created: str
    parties: list[AgreementParty]
    terms: TermsShape
    v: int
    witnesses: list[str]


class AgreementAnswer(Stamped):
    """The agreement in force; `parties` are those who exchange notices."""

    hash: str
    agreement: AgreementShape
    parties: list[str]


class PolicyAnswer(Stamped):
    """The trust policy of the agreement in force, as a C2SP tlog-policy file."""

    policy: str


class EventShape(Shape):
    """Something officers are told."""

    number: int
    time: str
    code: str
    message: str
    peer: str | None
    refs: list[str]


class EventList(Stamped):
    """Events after the number asked for."""

    events: list[EventShape]


def answers(status: int, shape: type[msgspec.Struct]) -> Mapping[int, ResponseSpec]:
    """What a route answers, for the OpenAPI document: its shape, or an error.

    Args:
        status: of success.
        shape: of the body then.
    """

    def spec(body: Any, description: str) -> ResponseSpec:
        return ResponseSpec(data_container=body, description=description, generate_examples=False)

    said = (shape.__doc__ or "").partition("\n")[0]
    return {
        status: spec(shape, said),
        400: spec(ErrorBody, "An error; other statuses carry the same."),
    }

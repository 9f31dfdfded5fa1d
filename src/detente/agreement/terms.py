"""The agreement: a document that all parties sign, with documented defaults for every term.

Lengths are integer counts of 0.1 mm, times integer seconds or microseconds as the name says, so that
the canonical bytes (and the hash that every statement quotes) are the same everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import field

from detente.agreement.card import ROLES, Card, Role, check_party_id, parse_card
from detente.agreement.document import Json, parse_signatures, signatures_json
from detente.airspace.altitude import DatumBounds, parse_bounds
from detente.errors import PeerError, RefusedError, UsageError, shown
from detente.limits import (
    LOOK_AHEAD_MAX_S,
    NAME_CHARS,
    PARTIES_PER_AGREEMENT,
    TRACK_STALE_S,
    WITNESSES_PER_AGREEMENT,
)
from detente.signing.canonical import encode_canonical
from detente.signing.envelope import pae
from detente.signing.key import (
    STRICT,
    PublicKeys,
    Signer,
    Verifier,
    parse_public_keys,
    verify_signatures,
)
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, format_time, parse_time

AGREEMENT_TYPE = "application/vnd.detente.agreement.v1+json"

HOUR_S = 3600
_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
OWED_RUNGS = ("opened", "read-back", "disseminated")  # of the ladder of a notice, with a deadline


class SeparationMinima(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Least separation of two planned volumes; closer than this on all three axes is a conflict.

    The default is the published US-Russian rule of threes: 3 NM or 3,000 ft.
    """

    lateral_tenth_mm: int = 3 * TENTH_MM_PER_NM
    vertical_tenth_mm: int = 3000 * TENTH_MM_PER_FT
    time_us: int = 0


class TacticalProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When two live tracks are too close (docs/spec/tactical-model.md, sections 5 and 6).

    The default is the rule of threes: nearer than 3 NM and 3,000 ft, for at most 3 minutes. What an
    agreement of before leaves out has its default.

    Attributes:
        lateral_tenth_mm: minimum along the surface; for well clear both DMOD and HMD.
        vertical_tenth_mm: minimum.
        closer_at_most_s: closer than both for longer than this breaks the rule.
        kind: ``"rule-of-threes"``, or ``"well-clear"`` with modified tau.
        tau_s: threshold of modified tau; used by ``"well-clear"`` alone.
        look_ahead_s: how far ahead to look, straight on.
        raise_after_s: a prediction alarms when it has stood for so long.
        clear_after_s: an alarm ends when there was no reason for it for so long.
    """

    lateral_tenth_mm: int = 3 * TENTH_MM_PER_NM
    vertical_tenth_mm: int = 3000 * TENTH_MM_PER_FT
    closer_at_most_s: int = 180
    kind: Literal["rule-of-threes", "well-clear"] = "rule-of-threes"
    tau_s: int = 35
    look_ahead_s: int = 300
    raise_after_s: int = 2
    clear_after_s: int = 5


# RTCA DO-365, as NASA's DAIDALUS reference implementation states it (DWC Phase I, WCV_TAUMOD): DMOD and
# HMD 4,000 ft (0.66 NM), h 450 ft, modified tau 35 s, alerts at most 75 s ahead; its alerts stand for 4 s
# at least and end 5 s after their reason.
WELL_CLEAR = TacticalProfile(
    lateral_tenth_mm=4000 * TENTH_MM_PER_FT,
    vertical_tenth_mm=450 * TENTH_MM_PER_FT,
    closer_at_most_s=0,
    kind="well-clear",
    tau_s=35,
    look_ahead_s=75,
)


class ReadBackTolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a read-back may be from what was said and still agree (docs/spec/hotline.md, H-LAD-3).

    The default place is a kilometre: what a grid reference of four figures can say still agrees, a
    place a few kilometres off does not.
    """

    place_m: int = 1000
    time_s: int = 60


class ScenarioClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declared clock for exercises: at `real_start` it shows `starts_at`, and runs `rate` times as fast.

    Every statement under an agreement that declares one must be an exercise.
    """

    name: str
    starts_at: str
    real_start: str
    rate: int = 1


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was agreed, each term with the default that applies when nobody says otherwise.

    Attributes:
        area: GeoJSON-like polygon ring in 1e-9 degree, or None for everywhere.
        languages: BCP 47 codes in which the line is answered.
        minima: separation of planned volumes.
        tactical: when live tracks are too close.
        datum_bounds: overrides of the engine's worst-case datum bounds, by name.
        lead_times_s: least notice before start, by activity; `default` for the rest. A shorter lead is
            late: said aloud, never refused, because a late notice still saves lives.
        answer_deadlines_s: by precedence.
        receipt_deadlines_s: by rung of the ladder of a notice, from when it was received; a rung that
            is left out has none.
        read_back: how far a read-back may be off and still agree.
        desks: by level, lowest first; a message goes to a desk, never to a person.
        escalation_s: seconds after which an unanswered urgent matter moves up, step by step.
        comm_checks: Zulu times of day of the scheduled test calls.
        check_reply_s: in which a test call is answered; later it counts as missed.
        disclosure: who is shown which fields by default.
        site_buffers_m: default distance kept from protected sites, by class.
        sealed_budget_cell_hours: per peer and day.
        clock_offset_limit_s: beyond it the offset between two clocks is an alarm.
        quorum: how many of the witnesses must cosign for a checkpoint to count as witnessed.
        exercise_only: no real notice may be filed under this agreement.
        scenario_clock: declared clock of an exercise, or None for UTC.
    """

    area: list[list[int]] | None = None
    languages: list[str] = field(default_factory=lambda: ["en"])
    minima: SeparationMinima = SeparationMinima()
    tactical: TacticalProfile = TacticalProfile()
    datum_bounds: dict[str, int] = field(default_factory=lambda: DatumBounds().body())
    lead_times_s: dict[str, int] = field(
        default_factory=lambda: {
            "default": 600,  # ten minutes: the shortest published practice that still lets an aircraft clear
            "strike-hazard": 600,
            "patrol": 600,
            "exercise": 24 * HOUR_S,
            "missile-launch": 72 * HOUR_S,  # India-Pakistan 2005
            "space-launch": 24 * HOUR_S,  # 1988 launch notification agreement
        }
    )
    answer_deadlines_s: dict[str, int] = field(
        default_factory=lambda: {
            "flash": 60,
            "urgent": 300,
            "priority": HOUR_S,
            "routine": 24 * HOUR_S,
        }
    )
    receipt_deadlines_s: dict[str, int] = field(
        default_factory=lambda: {"opened": 300, "read-back": 900, "disseminated": 1800}
    )
    read_back: ReadBackTolerance = ReadBackTolerance()
    desks: list[str] = field(
        default_factory=lambda: ["operations-cell", "general-staff", "leaders", "diplomatic"]
    )
    escalation_s: list[int] = field(default_factory=lambda: [30, 60, 120])
    comm_checks: list[str] = field(
        default_factory=lambda: ["09:00", "16:00"]
    )  # as on the Korean military lines
    check_reply_s: int = 300
    disclosure: dict[str, str] = field(default_factory=lambda: {"default": "recipients"})
    site_buffers_m: dict[str, int] = field(default_factory=lambda: {"default": 500})
    sealed_budget_cell_hours: int = 10_000
    clock_offset_limit_s: int = 5
    quorum: int = 1
    exercise_only: bool = False
    scenario_clock: ScenarioClock | None = None


class Member(msgspec.Struct, frozen=True):
    """One member of an agreement: its id, its role and the root key everything else hangs on."""

    id: str
    name: str
    role: Role
    root: PublicKeys


class Agreement(msgspec.Struct, frozen=True):
    """A parsed agreement. `hash` is what every statement under it quotes."""

    document: Json
    hash: str
    created_us: int
    members: dict[str, Member]
    witnesses: tuple[str, ...]
    terms: Terms

    @property
    def parties(self) -> tuple[str, ...]:
        """Ids of the members who exchange notices, sorted (neutrals witness, they file nothing)."""
        return tuple(sorted(m.id for m in self.members.values() if m.role != "neutral"))


def parse_terms(value: object) -> Terms:
    """Terms from a plain object; every member is optional.

    Raises:
        UsageError: ``terms-malformed``, naming the member and the rule.
    """
    try:
        terms = msgspec.convert(value, Terms)
    except msgspec.ValidationError as error:
        raise UsageError("terms-malformed", f"terms are wrong: {error}", field="terms") from None
    minima = terms.minima
    if min(minima.lateral_tenth_mm, minima.vertical_tenth_mm, minima.time_us) < 0:
        raise UsageError(
            "terms-malformed",
            f"minima are {minima}; they must not be negative",
            field="terms.minima",
        )
    terms = msgspec.structs.replace(
        terms, datum_bounds=parse_bounds(terms.datum_bounds, field="terms.datum_bounds").body()
    )
    numbers = (
        *terms.lead_times_s.values(),
        *terms.answer_deadlines_s.values(),
        *terms.receipt_deadlines_s.values(),
        terms.read_back.place_m,
        terms.read_back.time_s,
        *terms.escalation_s,
        terms.check_reply_s,
        *terms.site_buffers_m.values(),
        terms.sealed_budget_cell_hours,
        terms.quorum,
    )
    if min(numbers, default=0) < 0:
        raise UsageError(
            "terms-malformed",
            f"a term is {min(numbers)}; times, distances, budgets and the quorum must not be negative",
            field="terms",
        )
    wrong = [text for text in terms.comm_checks if not _TIME_OF_DAY.fullmatch(text)]
    if wrong:
        raise UsageError(
            "terms-malformed",
            f"check is at {shown(wrong[0])}; it must be a Zulu time of day such as 09:00",
            field="terms.comm_checks",
        )
    unknown = sorted(set(terms.receipt_deadlines_s) - set(OWED_RUNGS))
    if unknown:
        raise UsageError(
            "terms-malformed",
            f"deadline is of {shown(unknown[0])}; it must be of {', '.join(OWED_RUNGS)}",
            field="terms.receipt_deadlines_s",
        )
    _check_tactical(terms.tactical)
    if terms.clock_offset_limit_s <= 0:
        raise UsageError(
            "terms-malformed",
            f"limit is {terms.clock_offset_limit_s}; it must be above 0 s",
            field="terms.clock_offset_limit_s",
        )
    if terms.scenario_clock is not None:
        parse_time(terms.scenario_clock.starts_at, field="terms.scenario_clock.starts_at")
        parse_time(terms.scenario_clock.real_start, field="terms.scenario_clock.real_start")
        if not terms.exercise_only or not 1 <= terms.scenario_clock.rate <= 3600:
            raise UsageError(
                "terms-malformed",
                "a scenario clock is declared; exercise_only must be true and the rate 1 to 3600",
                field="terms.scenario_clock",
            )
    return terms


def _check_tactical(tactical: TacticalProfile) -> None:
    ranges = {
        "tau_s": (0, LOOK_AHEAD_MAX_S),
        "look_ahead_s": (1, LOOK_AHEAD_MAX_S),
        "raise_after_s": (0, TRACK_STALE_S),
        "clear_after_s": (1, TRACK_STALE_S),
    }
    for name, (least, most) in ranges.items():
        value = getattr(tactical, name)
        if not least <= value <= most:
            raise UsageError(
                "terms-malformed",
                f"{name} is {value}; it must be from {least} to {most}",
                field=f"terms.tactical.{name}",
            )


def propose_agreement(
    cards: Sequence[Card],
    witnesses: Sequence[str],
    terms: Terms,
    created_us: int,
    *,
    verifier: Verifier = STRICT,
) -> Json:
    """An unsigned agreement file: the document, the cards it was made from, no signatures yet.

    Raises:
        UsageError: fewer than two parties, a party twice, too many members.
    """
    ids = [card.party for card in cards]
    if len(set(ids)) != len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise UsageError("party-twice", f"party {twice!r} has two cards; each party must have one")
    _check_count(sum(1 for card in cards if card.role != "neutral"), len(witnesses))
    document = {
        "created": format_time(created_us),
        "parties": [
            {"id": card.party, "name": card.name, "role": card.role, "root": card.root.to_json()}
            for card in sorted(cards, key=lambda card: card.party)
        ],
        "terms": msgspec.to_builtins(terms),
        "v": 1,
        "witnesses": sorted(witnesses),
    }
    parse_agreement(document, verifier=verifier)
    return {
        "agreement": document,
        "cards": {card.party: card.signed for card in cards},
        "signatures": {},
    }


def _check_count(parties: int, witnesses: int) -> None:
    if not 2 <= parties <= PARTIES_PER_AGREEMENT or witnesses > WITNESSES_PER_AGREEMENT:
        raise UsageError(
            "members-count",
            f"agreement has {parties} parties and {witnesses} witnesses; it must have 2 to "
            f"{PARTIES_PER_AGREEMENT} parties and at most {WITNESSES_PER_AGREEMENT} witnesses",
        )


def agreement_hash(document: Json) -> str:
    """The hash that statements quote."""
    return hashlib.sha256(b"detente:agreement:v1\n" + encode_canonical(document)).hexdigest()


def parse_agreement(document: object, *, verifier: Verifier = STRICT) -> Agreement:
    """An agreement document, checked member by member.

    Raises:
        PeerError: ``agreement-malformed``.
    """
    if not isinstance(document, dict) or set(document) != {
        "created",
        "parties",
        "terms",
        "v",
        "witnesses",
    }:
        raise PeerError(
            "agreement-malformed",
            f"agreement is {shown(document)}; it must have created, parties, terms, v and witnesses",
            field="agreement",
        )
    try:
        members = {}
        for i, one in enumerate(document["parties"]):
            party = check_party_id(one["id"], field=f"agreement.parties[{i}].id")
            if (
                party in members
                or one["role"] not in ROLES
                or set(one) != {"id", "name", "role", "root"}
                or not isinstance(one["name"], str)
                or len(one["name"]) > NAME_CHARS
            ):
                raise UsageError(
                    "member-malformed", f"member {party!r} is there twice or malformed"
                )
            members[party] = Member(
                id=party,
                name=one["name"],
                role=one["role"],
                root=parse_public_keys(one["root"], verifier=verifier),
            )
        witnesses = tuple(document["witnesses"])
        _check_count(sum(1 for m in members.values() if m.role != "neutral"), len(witnesses))
        unknown = [w for w in witnesses if w not in members]
        if unknown or document["v"] != 1:
            raise UsageError(
                "witness-unknown", f"witness {shown(unknown[:1])} is no member; v must be 1"
            )
        return Agreement(
            document=document,
            hash=agreement_hash(document),
            created_us=parse_time(document["created"]),
            members=members,
            witnesses=witnesses,
            terms=parse_terms(document["terms"]),
        )
    except (KeyError, TypeError, UsageError) as error:
        raise PeerError(
            "agreement-malformed", f"agreement is malformed: {error}", field="agreement"
        ) from None


def sign_agreement(file: Json, party: str, root: Signer, *, verifier: Verifier = STRICT) -> Json:
    """The agreement file with `party`'s signature added; signing twice changes nothing that counts.

    Raises:
        UsageError: `party` is no member, or the key is not the root the agreement names.
    """
    agreement = parse_agreement(file.get("agreement"), verifier=verifier)
    member = agreement.members.get(party)
    if member is None or member.root != root.public:
        raise UsageError(
            "not-a-member",
            f"party {party!r} with this root key is no member; the agreement names {', '.join(sorted(agreement.members))}",
            hint="check that card.json of this node went into the proposal",
        )
    message = pae(AGREEMENT_TYPE, encode_canonical(agreement.document))
    signatures = dict(file.get("signatures") or {})
    signatures[party] = signatures_json(root.sign(message))
    return {**file, "signatures": signatures}


def verify_agreement_file(
    file: object, *, verifier: Verifier = STRICT
) -> tuple[Agreement, dict[str, Card]]:
    """The agreement and its cards, once every member has signed and every card fits its root.

    Raises:
        RefusedError: ``agreement-unsigned``, naming who has not signed.
        PeerError: a signature or a card does not verify.
    """
    if not isinstance(file, Mapping) or set(file) != {"agreement", "cards", "signatures"}:
        raise PeerError(
            "agreement-malformed",
            f"file is {shown(file)}; it must have agreement, cards and signatures",
            field="agreement",
        )
    agreement = parse_agreement(file["agreement"], verifier=verifier)
    signatures, documents = file["signatures"], file["cards"]
    for name, given in (("signatures", signatures), ("cards", documents)):
        if not isinstance(given, Mapping) or not set(given) <= set(agreement.members):
            raise PeerError(
                "agreement-malformed",
                f"{name} are {shown(given)}; they must be an object with members of the agreement only",
                field=name,
            )
    missing = sorted(set(agreement.members) - set(signatures))
    if missing:
        raise RefusedError(
            "agreement-unsigned",
            f"agreement lacks the signature of {', '.join(missing)}; all members must have signed",
            hint=f"ask {missing[0]} to run: detente agree sign DIR AGREEMENT",
            field="signatures",
        )
    message = pae(AGREEMENT_TYPE, encode_canonical(agreement.document))
    for party, member in sorted(agreement.members.items()):
        verify_signatures(
            member.root,
            message,
            parse_signatures(signatures[party], field=f"signatures.{party}"),
            verifier,
        )
    cards = {}
    for party, member in sorted(agreement.members.items()):
        card = parse_card(documents.get(party), field=f"cards.{party}", verifier=verifier)
        if (card.party, card.root, card.role) != (party, member.root, member.role):
            raise PeerError(
                "card-mismatch",
                f"card of {party!r} has another root key or role than the agreement",
                field=f"cards.{party}",
            )
        cards[party] = card
    return agreement, cards

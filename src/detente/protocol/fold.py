"""The fold: a node's state is what you get by reading its ledger from the start.

Nothing here decides; decisions were made when an entry was written and stand in its header
(``outcome``). So a rebuild replays them, and newer software never rewrites the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from detente.agreement.card import Card, KeyCertificate, parse_card
from detente.agreement.directory import KeyDirectory
from detente.agreement.terms import Agreement, verify_agreement_file
from detente.limits import BACK_STEP_US
from detente.notice.activity import ActivityNotice, parse_activity_body
from detente.protocol import (
    asset,
    cease,
    deadlines,
    heard,
    ladder,
    learned,
    linestate,
    opening,
    renewal,
    resolution,
    roster,
    talk,
)
from detente.protocol.cause import Acknowledged, Alarm, Raised
from detente.protocol.journal import Entry, Json
from detente.protocol.link import Head, Heads
from detente.protocol.opening import OpeningState
from detente.protocol.statement import Openings, Statement, body_values
from detente.protocol.urgent import Urgents, note_receipt
from detente.signing.key import STRICT, PublicKeys, Verifier
from detente.units import parse_time

PARSED_KEPT = 64  # a frame's worth


class Version(msgspec.Struct):
    """One version of a notice, as this node knows it.

    Attributes:
        statements: recipient to statement id (one here for a peer's notice, one per recipient for ours).
        known_us: when this node signed or received it (own clock).
    """

    number: int
    cancel: bool
    body_digest: str
    agreement: str
    statements: dict[str, str]
    known_us: int
    start_us: int
    end_us: int
    late: bool = False


class NoticeState(msgspec.Struct):
    """All versions of one notice."""

    id: str
    party: str
    exercise: bool
    versions: dict[int, Version]

    @property
    def latest(self) -> Version:
        """The version that replaces all lower ones."""
        return self.versions[max(self.versions)]

    @property
    def cancelled(self) -> bool:
        """Whether the latest version is a cancellation."""
        return self.latest.cancel


class Receipt(msgspec.Struct):
    """What a recipient answered.

    Attributes:
        received_us: the recipient's own clock.
        known_us: when the receipt came in here, None for receipts we gave.
    """

    statement: str
    party: str
    answer: str
    rule: str | None
    received_us: int
    flags: list[str]
    receipt: str
    opened_us: int | None = None
    opened_desk: str | None = None
    opened: str | None = None
    known_us: int | None = None


class ConflictState(msgspec.Struct):
    """A conflict as recorded: the verdict's canonical record, and when it was first seen here.

    Attributes:
        index: the entry that recorded it.
        resolved: the entry with which it stopped being live, None while it is.
    """

    id: str
    record: Json
    seen_us: int
    index: int = 0
    resolved: int | None = None

    def live(self, notices: dict[str, NoticeState]) -> bool:
        """Whether both versions it was found between are still the latest."""
        return all(
            (known := notices.get(one["id"])) is not None
            and not known.cancelled
            and known.latest.body_digest == one["body"]
            for one in self.record["notices"]
        )


class State(msgspec.Struct):
    """Everything the ledger says, in the shape that questions are asked in.

    Attributes:
        made, received: heads of both chains by peer.
        filed_versions, filed_cancels: what officers filed here, signed already or still waiting.
        epochs: index of the first entry of each log epoch.
        behind: peers that proved this record to be older than what they hold; see docs/spec/link.md.
        recovering: the operator has decided to take the lost statements back.
        last_us, set_back_us: this node's clock at the last entry, and by how much it was set back so far, in all.
        assets: own, by name; told to nobody (asset.py).
        renewed_to: up to which size old heads have been taken into the log (renewal.py).
        vouched: statements whose key no longer counted, for which their maker vouched.
        shown: by peer, ids of own signing keys whose certificate was sent to it; under "" those of agreements (introduction.py).
        trail: by notice, the entries that say something about it; the last one is when its row changed.
        raised: alarms by id, in the order they were raised, acknowledged or not.
        unacknowledged: those of them that nobody has acknowledged.
        acknowledged: by alarm id.
        unresolved: by notice, the conflicts that are live.
        recovered: the entry that ended the last recovery.
        versions: by statement, the notice and version that it is.
        ladders: by statement, what its recipient said of it beside the receipt; see `protocol.ladder`.
        owed, passed: by expectation, what is owed and not answered, and what passed unanswered; see
            `protocol.deadlines`.
        resolution: proposals to resolve conflicts; see `protocol.resolution`.
        talk: conversation; see `protocol.talk`.
        openings: what was destroyed and disclosed; see `protocol.opening`.
        heard: by topic of `protocol.heard`, the entry with which it changed last.
        parsed: the last few bodies as volumes, by body digest; no state, only work saved.
    """

    party: str
    verifier: Verifier = STRICT
    entries: int = 0
    made: dict[str, Heads] = {}
    received: dict[str, Heads] = {}
    notices: dict[str, NoticeState] = {}
    receipts: dict[str, Receipt] = {}
    conflicts: dict[str, ConflictState] = {}
    agreements: dict[str, Agreement] = {}
    current_agreement: str | None = None
    cards: dict[str, Card] = {}
    keys: KeyDirectory = msgspec.field(default_factory=KeyDirectory)
    alarms: list[Alarm] = []
    alarmed: set[tuple[str, str, str | None]] = set()
    ceases: list[Json] = []
    urgent: Urgents = msgspec.field(default_factory=Urgents)
    lines: dict[str, linestate.LineState] = {}
    roster: roster.Roster = msgspec.field(default_factory=roster.Roster)
    filed_versions: dict[str, int] = {}
    filed_cancels: set[str] = set()
    epochs: list[int] = msgspec.field(default_factory=lambda: [0])
    behind: set[str] = set()
    recovering: bool = False
    trail: dict[str, list[int]] = {}
    raised: dict[str, Raised] = {}
    unacknowledged: dict[str, Raised] = {}
    acknowledged: dict[str, Acknowledged] = {}
    unresolved: dict[str, list[str]] = {}
    recovered: int = -1
    last_us: int = 0
    set_back_us: int = 0
    vouched: set[str] = set()
    shown: dict[str, set[str]] = {}
    renewed_to: int = 0
    assets: dict[str, asset.Asset] = {}
    versions: dict[str, tuple[str, int]] = {}
    ladders: dict[str, ladder.Ladder] = {}
    owed: dict[str, deadlines.Expectation] = {}
    passed: dict[str, deadlines.Passed] = {}
    resolution: resolution.Resolutions = msgspec.field(default_factory=resolution.Resolutions)
    talk: talk.Talks = msgspec.field(default_factory=talk.Talks)
    heard: dict[heard.Topic, int] = {}
    openings: OpeningState = msgspec.field(default_factory=OpeningState)
    parsed: dict[str, ActivityNotice] = {}

    def volumes(self, name: str, exercise: bool, body: str, values: Json) -> ActivityNotice:
        """A body as volumes, checked in full; the last few are kept, because one body is judged,
        indexed and compared in turn.

        Raises:
            UsageError, RefusedError: the body breaks a rule of docs/spec/notice.md.
        """
        found = self.parsed.get(body)
        if found is None or found.name != name or found.exercise != exercise:
            found = parse_activity_body(values, name=name, exercise=exercise)
            self.keep_volumes(body, found)
        return found

    def keep_volumes(self, body: str, volumes: ActivityNotice) -> None:
        """Remember what a body digest means, for the next question about it."""
        if len(self.parsed) >= PARSED_KEPT:
            self.parsed.pop(next(iter(self.parsed)))
        self.parsed[body] = volumes

    def head(self, made: bool, peer: str, chain: str) -> Head:
        """The head of one chain with one peer."""
        return (self.made if made else self.received).get(peer, {}).get(chain, Head())

    def heads(self, made: bool, peer: str) -> Heads:
        """Both heads of one direction with one peer."""
        return {chain: self.head(made, peer, chain) for chain in ("safety", "ordinary")}

    @property
    def agreement(self) -> Agreement | None:
        """The agreement new statements quote: the one accepted last."""
        return self.agreements.get(self.current_agreement or "")

    def is_vouched(self, statement: str) -> bool:
        """Whether the maker stood by it under a key that counted when it was taken here."""
        return statement in self.vouched

    def agreement_with(self, peer: str) -> Agreement | None:
        """The agreement in force between this party and a peer: of several the one accepted last."""
        for agreement in reversed(self.agreements.values()):
            if self.party in agreement.parties and peer in agreement.parties:
                return agreement
        return None

    @property
    def peers(self) -> list[str]:
        """The other parties of all agreements, sorted."""
        known: set[str] = set()
        for agreement in self.agreements.values():
            parties = agreement.parties
            if self.party in parties:
                known.update(parties)
        return sorted(known - {self.party})

    def apply(self, entry: Entry, statement: Statement | None, openings: Openings) -> None:
        """Take in the next entry."""
        assert entry.index == self.entries, (entry.index, self.entries)
        self.entries += 1
        self._note_clock(entry)
        if statement is None:
            assert entry.local is not None
            self._apply_local(entry, entry.local)
            self._note_topic(entry, entry.local["type"], entry.local)
            return
        made = entry.header.kind == "made"
        peer = statement.recipient if made else statement.party
        heads = (self.made if made else self.received).setdefault(peer, {})
        heads[statement.chain] = Head(statement.sequence, statement.id)
        if entry.outcome == "delivered":
            values = body_values(openings)
            _APPLY.get(statement.type, _ignore)(self, entry, statement, values)
            self._note_topic(entry, statement.type, values)
        if statement.notice in self.notices:
            self.note(statement.notice, entry.index)

    def _note_clock(self, entry: Entry) -> None:
        if entry.header.type == "agreement/accepted":
            return  # by the machine's clock, also where an exercise declares another
        back_us = self.last_us - entry.header.time_us
        if back_us > BACK_STEP_US:
            self.set_back_us += back_us
        self.last_us = entry.header.time_us

    def note(self, notice: str, index: int) -> None:
        """An entry says something about a notice: its row changes with it."""
        trail = self.trail.setdefault(notice, [])
        if not trail or trail[-1] != index:
            trail.append(index)

    def _note_topic(self, entry: Entry, type_: str, values: Json) -> None:
        topic = heard.topic_of(self, type_, values)
        if topic is not None:
            self.heard[topic] = entry.index

    def _apply_local(self, entry: Entry, local: Json) -> None:
        kind, time_us = local["type"], entry.header.time_us
        if kind == "agreement/accepted":
            agreement, cards = verify_agreement_file(local["file"], verifier=self.verifier)
            self.agreements[agreement.hash] = agreement
            self.current_agreement = agreement.hash
            for card in cards.values():
                self.take_card(card)
                self.show_keys("", card.certificates)
        elif kind == "conflict/advisory":
            record = local["conflict"]
            self._record_conflict(entry.index, time_us, record)
        elif kind == "alarm":
            self.alarms.append(Alarm(time_us, local["code"], local["message"], local.get("party")))
            self.alarmed.add((local["code"], local["message"], local.get("party")))
            if local["code"] == "behind":
                self.behind.add(local["party"])
            notice = local.get("notice")
            if notice is not None:
                self.note(notice, entry.index)
            self.raise_alarm(
                Raised(
                    id=f"fault:{entry.index}",
                    kind="fault",
                    index=entry.index,
                    time_us=time_us,
                    exercise=self.exercise_only,
                    notices=() if notice is None else (notice,),
                    party=local.get("party"),
                    code=local["code"],
                    message=local["message"],
                )
            )
        elif kind == "alarm/acknowledged":
            self._acknowledge(entry.index, time_us, local)
        elif kind == "notice/filed":
            self.filed_versions[local["notice"]] = local["version"]
            self.note(local["notice"], entry.index)
            if local["said"] == "activity/cancel":
                self.filed_cancels.add(local["notice"])
        elif kind == "notice/opened":
            self.note(local["notice"], entry.index)
        elif kind == "log/epoch":
            self.open_epoch(entry.index)
            self.recovering = True
        elif kind == "log/recovered":
            self.behind.clear()
            self.recovering = False
            self.recovered = entry.index
        elif kind == "statement/vouched":
            self.vouched.add(local["statement"])
        elif kind in _APPLY_LOCAL:
            _APPLY_LOCAL[kind](self, entry, local)

    def root_quoted(self, statement: Statement) -> PublicKeys:
        """The root key of a statement's party in the agreement that it quotes."""
        return self.agreements[statement.agreement or ""].members[statement.party].root

    def take_card(self, card: Card) -> None:
        """Take in a verified card; of two the later counts."""
        known = self.cards.get(card.party)
        if known is None or known.root != card.root or known.issued_us <= card.issued_us:
            self.cards[card.party] = card
        self.keys.add_card(card)

    def show_keys(self, peer: str, certificates: Iterable[KeyCertificate]) -> None:
        """Note which of our own signing keys a peer was sent the certificate of."""
        own = {c.key_id for c in certificates if (c.party, c.use) == (self.party, "signing")}
        self.shown.setdefault(peer, set()).update(own)

    @property
    def exercise_only(self) -> bool:
        """Whether the agreement in force is for exercises only."""
        return self.agreement is not None and self.agreement.terms.exercise_only

    def raise_alarm(self, raised: Raised) -> None:
        """Keep an alarm's cause; the first one under an id stays."""
        if raised.id not in self.raised:
            self.raised[raised.id] = self.unacknowledged[raised.id] = raised

    def raise_again(self, id_: str) -> None:
        """An alarm has become more than it was when somebody saw it: it waits to be seen anew."""
        found = self.raised.get(id_)
        if found is not None:
            self.acknowledged.pop(id_, None)
            self.unacknowledged[id_] = found

    def _record_conflict(self, index: int, time_us: int, record: Json) -> None:
        conflict = ConflictState(id=record["id"], record=record, seen_us=time_us, index=index)
        self.conflicts[conflict.id] = conflict
        notices = tuple(one["id"] for one in record["notices"])
        for notice in notices:
            self.note(notice, index)
            self.unresolved.setdefault(notice, []).append(conflict.id)
        self.resolve(notices[0], index)
        self.raise_alarm(
            Raised(
                id=f"conflict:{conflict.id}",
                kind=record["verdict"],
                index=index,
                time_us=time_us,
                exercise=record["EXERCISE"],
                notices=notices,
                conflict=conflict.id,
                code=record["verdict"],
                message=record["reason"],
            )
        )

    def resolve(self, notice: str, index: int) -> None:
        """A notice has another version: conflicts of the earlier ones are resolved, for ever."""
        for id_ in list(self.unresolved.get(notice, ())):
            conflict = self.conflicts[id_]
            if conflict.live(self.notices):
                continue
            conflict.resolved = index
            for one in conflict.record["notices"]:
                left = [c for c in self.unresolved.get(one["id"], ()) if c != id_]
                if left:
                    self.unresolved[one["id"]] = left
                else:
                    self.unresolved.pop(one["id"], None)

    def _acknowledge(self, index: int, time_us: int, local: Json) -> None:
        id_ = local["alarm"]
        if id_ not in self.raised and id_.startswith("line:"):
            # what a line's silence was is known from its id: who, and since when
            _, party, since = id_.split(":", 2)
            self.raise_alarm(
                Raised(
                    id=id_,
                    kind="line",
                    index=index,
                    time_us=parse_time(since),
                    exercise=self.exercise_only,
                    party=party,
                    code="line",
                )
            )
        found = self.raised.get(id_)
        if found is None or id_ in self.acknowledged:
            return
        self.acknowledged[id_] = Acknowledged(
            index, time_us, local["officer"], local["desk"], local["role"]
        )
        self.unacknowledged.pop(id_, None)
        for notice in found.notices:
            self.note(notice, index)

    def open_epoch(self, first: int) -> None:
        """Begin a new log epoch at an index; the entry that says so is the first of it."""
        if first not in self.epochs:
            self.epochs.append(first)


def _ignore(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    return


def _apply_activity(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    thread = statement.thread
    assert thread is not None
    notice = state.notices.setdefault(
        thread.id,
        NoticeState(id=thread.id, party=statement.party, exercise=statement.exercise, versions={}),
    )
    version = notice.versions.get(thread.version)
    if version is None:
        pieces = values.get("pieces") or state.openings.kept.get(statement.id, [])
        before = notice.latest if notice.versions else None
        version = notice.versions[thread.version] = Version(
            number=thread.version,
            cancel=statement.type == "activity/cancel",
            body_digest=statement.body_digest,
            agreement=statement.agreement or "",
            statements={},
            known_us=entry.header.time_us,
            start_us=min(
                (parse_time(p["start"]) for p in pieces), default=before.start_us if before else 0
            ),
            end_us=max(
                (parse_time(p["end"]) for p in pieces), default=before.end_us if before else 0
            ),
        )
        state.resolve(thread.id, entry.index)
        resolution.superseded(state, thread.id, entry.index)
    version.statements[statement.recipient] = statement.id
    state.versions[statement.id] = (thread.id, thread.version)
    ladder.superseded(state, notice, thread.version, statement.recipient, entry.index)
    # a recovery may bring our receipt back before what it is about
    if statement.id in state.receipts:
        ladder.delivered(state, notice, thread.version, statement.id)
    state.filed_versions[thread.id] = max(thread.version, state.filed_versions.get(thread.id, 0))


def _apply_delivered(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    state.receipts[values["statement"]] = Receipt(
        statement=values["statement"],
        party=statement.party,
        answer=values["answer"],
        rule=values["rule"],
        received_us=parse_time(values["received"]),
        flags=list(values["flags"]),
        receipt=statement.id,
        known_us=entry.header.time_us if entry.header.kind == "received" else None,
    )
    note_receipt(state, entry, values)
    place = state.versions.get(values["statement"])
    if place is not None:
        ladder.delivered(state, state.notices[place[0]], place[1], values["statement"])
    if values["answer"] == "delivered":
        talk.delivered(state, statement, values)
        resolution.delivered(state, statement, values)
    if entry.header.kind == "received" and values["answer"] != "delivered":
        state.raise_alarm(
            Raised(
                id=f"refused:{values['statement']}",
                kind="refused",
                index=entry.index,
                time_us=entry.header.time_us,
                exercise=statement.exercise,
                notices=() if statement.notice is None else (statement.notice,),
                statement=values["statement"],
                party=statement.party,
                code=values["rule"],
            )
        )


def _apply_opened(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    receipt = state.receipts.get(values["statement"])
    if receipt is not None and receipt.opened_us is None:
        receipt.opened_us = parse_time(values["opened"])
        receipt.opened_desk = str(values["desk"])
        receipt.opened = statement.id
        ladder.opened(state, values["statement"], entry.index)


def _apply_certificate(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    certificate = state.keys.read_certificate(
        values["certificate"], statement.party, state.root_quoted(statement)
    )
    state.keys.add(certificate)
    state.show_keys(statement.recipient, [certificate])


def _apply_card(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    card = parse_card(values["card"], verifier=state.verifier)
    state.take_card(card)
    state.show_keys(statement.recipient, card.certificates)


def _apply_revocation(state: State, entry: Entry, statement: Statement, values: Json) -> None:
    state.keys.revoke(
        state.keys.read_revocation(
            values["revocation"], statement.party, state.root_quoted(statement)
        )
    )


_APPLY: dict[str, Any] = {
    "activity/notice": _apply_activity,
    "activity/cancel": _apply_activity,
    "receipt/delivered": _apply_delivered,
    "receipt/opened": _apply_opened,
    "policy/key-certificate": _apply_certificate,
    "policy/key-revocation": _apply_revocation,
    "policy/card": _apply_card,
    **cease.APPLY,
    **deadlines.APPLY,
    **ladder.APPLY,
    **linestate.APPLY,
    **resolution.APPLY,
    **roster.APPLY,
    **talk.APPLY,
}
# local entries besides those above, each in the file of its noun
_APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {
    "asset/noted": asset.apply_noted,
    "asset/removed": asset.apply_removed,
    "keys/learned": learned.apply_learned,
    "log/renewed": renewal.apply_renewed,
    **cease.APPLY_LOCAL,
    **deadlines.APPLY_LOCAL,
    **ladder.APPLY_LOCAL,
    **linestate.APPLY_LOCAL,
    **resolution.APPLY_LOCAL,
    **opening.APPLY_LOCAL,
    **roster.APPLY_LOCAL,
    **talk.APPLY_LOCAL,
}

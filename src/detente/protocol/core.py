"""The core of a node: decisions about statements, without a wire, a disk or a clock of its own.

`now_us`, entropy and keys are arguments; storage is the `Journal`. Each public method is one
transaction: the caller commits the journal and only then carries out the effects returned (commit
before answer). After a failed commit the caller throws the core away and loads a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from detente.agreement.card import KeyCertificate
from detente.agreement.terms import Agreement
from detente.conflict.strategic import LiveVolumes
from detente.errors import PeerError, RefusedError, UnavailableError, UsageError
from detente.ledger.checkpoint import log_origin, sign_checkpoint
from detente.ledger.leaf import LeafHeader, LeafOpening, derive_log_seed, leaf_bytes, open_leaf
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.limits import INTENTS_WAITING, STATEMENT_BYTES
from detente.notice.activity import ActivityNotice
from detente.protocol import linestate
from detente.protocol.conflictid import conflict_ids
from detente.protocol.effect import Alert, Effect, Send
from detente.protocol.fold import NoticeState, State, Version
from detente.protocol.identity import Identity
from detente.protocol.introduction import introduces, introduction
from detente.protocol.journal import Entry, Evidence, Intent, Journal, Json
from detente.protocol.keeping import keep_about, keep_promises
from detente.protocol.ladder import after_said
from detente.protocol.link import Link
from detente.protocol.opening import check_withheld, load_kept
from detente.protocol.rules import TYPES, Answer, judge
from detente.protocol.statement import (
    SALT_BYTES,
    Chain,
    Openings,
    Statement,
    Thread,
    body_digest,
    body_values,
    commit_openings,
    draft_statement,
    open_fields,
    sign_statement,
)
from detente.protocol.watch import find_meetings
from detente.signing.canonical import encode_canonical
from detente.signing.sealing import SealingPublicKey, parse_sealing_public_key
from detente.units import US_PER_S, format_time

EVIDENCE_BYTES = 65_536
BODY_BYTES = STATEMENT_BYTES - 64 * 2**10  # what is left beside envelope and salts in one message
SIGNED_AT_ONCE = (
    64  # signatures in one transaction: some 50 ms, so that nothing waits long behind it
)

# What is said of something else that was said: a recovery may bring back another answer of ours.
ANSWERS = (
    "hotline/cease-reply",
    "hotline/cease-effective",
    "hotline/emergency-reply",
    "hotline/suspended",
    "hotline/resumed",
    "hotline/fault",
    "resolution/answer",
    "talk/answer",
    "talk/call-agreed",
)


class Filed(msgspec.Struct, frozen=True):
    """What became of a filing: durable here, signed for these, waiting for those."""

    id: str
    version: int
    to: tuple[str, ...]
    signed: tuple[str, ...]
    lead_time_s: float
    late: bool
    agreed_lead_s: int


def local_content(document: Json) -> bytes:
    """The 32 bytes that the leaf of a local entry commits to."""
    return hashlib.sha256(b"detente:local-entry:v1\n" + encode_canonical(document)).digest()


class Core:
    """One node's decisions over its journal."""

    def __init__(
        self, identity: Identity, journal: Journal, entropy: Callable[[int], bytes]
    ) -> None:
        self.identity = identity
        self.journal = journal
        self.entropy = entropy
        self.state = State(party=identity.party, verifier=identity.verifier)
        self.state.keys.verifier = identity.verifier
        self.state.openings.kept = load_kept(journal)
        self.tree = MerkleTree()
        self._seeds: dict[int, bytes] = {}
        self._sealing: dict[str, SealingPublicKey] = {}
        # never the compiled loops: their first use takes seconds, and a cease request may be waiting
        self.live = LiveVolumes(compiles=False)
        self.links: dict[str, Link] = {}
        self.run = entropy(8).hex()
        self.frames_written = 0
        for entry, leaf, statement, openings in journal.replay():
            self.tree.append(leaf)
            self.state.apply(entry, statement, openings)
        self.intents: dict[int, Intent] = {intent.number: intent for intent in journal.intents()}
        self._next_intent = max(self.intents, default=0) + 1
        self._volumes: dict[str, ActivityNotice] = {}
        self._unindexed = list(self.state.notices)

    # -- the ledger ---------------------------------------------------------------------------

    @property
    def fault(self) -> str | None:
        """Why this node must sign nothing: ``behind``, or None."""
        return "behind" if self.state.behind else None

    @property
    def epochs(self) -> list[int]:
        """The index of the first entry of each log epoch."""
        return self.state.epochs

    @property
    def origin(self) -> str:
        """The C2SP origin of this node's log; a new epoch is a new log."""
        return log_origin(self.identity.party, len(self.epochs))

    def leaf_seed(self, index: int) -> bytes:
        """The salt seed of the epoch an entry was written in: no salt is used for two contents."""
        epoch = sum(1 for first in self.epochs if first <= index)
        if epoch not in self._seeds:
            self._seeds[epoch] = derive_log_seed(
                self.identity.leaf_seed, log_origin(self.identity.party, epoch)
            )
        return self._seeds[epoch]

    def open_leaf(self, entry: Entry) -> LeafOpening:
        """The opening of an entry's leaf."""
        return open_leaf(self.leaf_seed(entry.index), entry.header, entry.content)

    def append(
        self,
        kind: Literal["made", "received"],
        now_us: int,
        outcome: str,
        statement: Statement,
        openings: Openings,
    ) -> Entry:
        """Log a statement that was made here or received."""
        header = statement.leaf_header(kind, self.tree.size, now_us)
        self.journal.put_statement(statement, openings)
        entry = Entry(header, bytes.fromhex(statement.id), outcome, statement.id, None)
        return self._append(entry, statement, openings)

    def _append(self, entry: Entry, statement: Statement | None, openings: Openings) -> Entry:
        hash_ = leaf_hash(leaf_bytes(self.open_leaf(entry)))
        self.journal.append(entry, hash_)
        self.tree.append(hash_)
        self.state.apply(entry, statement, openings)
        return entry

    def append_local(self, now_us: int, type_: str, **members: Any) -> Entry:
        """A local entry: a fact that never leaves the node but matters later."""
        local = {"time": format_time(now_us), "type": type_, **members}
        header = LeafHeader(index=self.tree.size, kind="local", type=type_, time_us=now_us)
        return self._append(Entry(header, local_content(local), "local", None, local), None, {})

    def checkpoint(self, now_us: int) -> str:
        """The signed checkpoint of the tree as it is now; made once per size."""
        found = self.journal.checkpoint(self.tree.size)
        if found is not None and found[0] == self.tree.size:
            return found[1]
        self.check_may_sign()
        peers = self.state.peers
        if peers and not any(self.link(peer).may_sign for peer in peers):
            raise UnavailableError(
                "lines-cold",
                "no peer has compared heads with this run of the node; nothing is signed before that",
                hint="run: detente serve DIR, and try again when a line is open",
            )
        note = sign_checkpoint(
            self.identity.signer, self.origin, self.tree.size, self.tree.root(), now_us // US_PER_S
        )
        self.journal.put_checkpoint(self.tree.size, note)
        return note

    def check_may_sign(self) -> None:
        """Raise unless this node may sign anything new.

        Raises:
            UnavailableError: ``behind``: signing now could say two things under one number.
        """
        if self.fault is not None:
            raise UnavailableError(
                self.fault,
                "this node's record is older than what its peers hold; it must recover before it signs",
                hint="restore a newer backup, or run: detente recover DIR (takes back the lost statements and opens a new log epoch)",
            )

    def alarm(
        self, now_us: int, code: str, message: str, peer: str | None = None, **about: Any
    ) -> Alert:
        """Record an alarm in the ledger and hand it on as an effect.

        Args:
            about: what else the entry keeps, such as the notice it is about.
        """
        self.append_local(now_us, "alarm", code=code, message=message, party=peer, **about)
        return Alert(code, message, peer)

    def alarm_once(
        self, now_us: int, code: str, message: str, peer: str | None, **proof: Any
    ) -> list[Effect]:
        """Record an alarm unless the very same stands: repeating a wrong must fill no ledger and no screen.

        Args:
            proof: what else the entry keeps, such as an envelope.
        """
        known = (
            peer in self.state.behind
            if code == "behind"
            else (code, message, peer) in self.state.alarmed
        )
        if known:
            return []
        self.append_local(now_us, "alarm", code=code, message=message, party=peer, **proof)
        return [Alert(code, message, peer)]

    def keep_evidence(self, now_us: int, peer: str, error: PeerError) -> None:
        """Keep a sample of what could not be taken."""
        self.journal.put_evidence(
            Evidence(now_us, peer, error.code, str(error), error.evidence[:EVIDENCE_BYTES])
        )

    # -- what is agreed -----------------------------------------------------------------------

    def accept_agreement(self, file: Json, now_us: int) -> None:
        """Bring a fully signed agreement into force (the file was verified by the caller)."""
        self.append_local(now_us, "agreement/accepted", file=file)

    def agreement(self) -> Agreement:
        """The agreement in force.

        Raises:
            UsageError: ``no-agreement``.
        """
        agreement = self.state.agreement
        if agreement is None:
            raise UsageError(
                "no-agreement",
                "no agreement is in force; a notice must quote one",
                hint="run: detente agree propose, sign and accept",
            )
        return agreement

    def sealing_key(self, certificate: KeyCertificate) -> SealingPublicKey:
        """The key of a sealing certificate, checked once: the check costs as much as a sealing.

        Raises:
            PeerError: ``sealing-key-malformed``: nothing can be sealed to it.
        """
        found = self._sealing.get(certificate.key_id)
        if found is None:
            found = parse_sealing_public_key(certificate.key, sealer=self.identity.sealer)
            self._sealing[certificate.key_id] = found
        return found

    def link(self, peer: str) -> Link:
        """The line to a peer, cold until heads were compared."""
        return self.links.setdefault(peer, Link(peer))

    def session(self, peer: str) -> str:
        """Our run as a peer is to answer it."""
        return self.link(peer).session or self.run

    # -- saying something ---------------------------------------------------------------------

    def file_notice(
        self,
        notice: ActivityNotice,
        to: Sequence[str],
        now_us: int,
        *,
        officer: str,
        desk: str,
        amend: bool = False,
        withhold: Mapping[str, Collection[str]] = {},
    ) -> tuple[Filed, list[Effect]]:
        """File a new notice, or with `amend` a version that replaces the earlier ones.

        Args:
            withhold: by recipient, the fields that it is not to see.

        Raises:
            UsageError: the id is taken (or unknown with `amend`), no recipient, an unknown party; a field
                that cannot be withheld.
            RefusedError: a rule that the peers keep too would refuse it.
        """
        plan = self._plan(notice, to, now_us, amend=amend)
        body = notice.body()
        signed, effects = self._say(
            "activity/notice",
            body,
            plan.to,
            now_us,
            officer=officer,
            desk=desk,
            exercise=notice.exercise,
            thread=Thread(plan.id, "notice", plan.version),
            volumes=notice,
            withheld=check_withheld(withhold, plan.to, body),
        )
        return msgspec.structs.replace(plan, signed=signed), effects

    def preview_notice(
        self,
        notice: ActivityNotice,
        to: Sequence[str],
        now_us: int,
        *,
        desk: str,
        amend: bool = False,
    ) -> tuple[Filed, list[Json]]:
        """What `file_notice` would do now, without doing it: nothing is said, kept or numbered.

        Returns:
            What would become of it, signed for nobody, and the conflicts it would have with live
            notices of other parties, as records whose ids mean nothing yet.

        Raises:
            UsageError, RefusedError, UnavailableError: what filing it would raise.
        """
        plan = self._plan(notice, to, now_us, amend=amend)
        intent = self._draft(
            "activity/notice",
            notice.body(),
            plan.to,
            now_us,
            desk=desk,
            exercise=notice.exercise,
            thread=Thread(plan.id, "notice", plan.version),
        )
        self._judge_own(intent, now_us)
        digest = body_digest(commit_openings(intent.openings))
        version = Version(
            number=plan.version,
            cancel=False,
            body_digest=digest,
            agreement=intent.agreement,
            statements={},
            known_us=now_us,
            start_us=notice.start_us,
            end_us=notice.end_us,
        )
        draft = NoticeState(plan.id, self.identity.party, notice.exercise, {plan.version: version})
        self.index_live()
        return plan, list(find_meetings(self.state, self.live, draft, notice))

    def _plan(
        self, notice: ActivityNotice, to: Sequence[str], now_us: int, *, amend: bool
    ) -> Filed:
        """What a filing would be, once the rules about ids and recipients are kept."""
        notice_id = f"{self.identity.party}:{notice.name}"
        before = self.state.filed_versions.get(notice_id)
        if before is not None and not amend:
            raise UsageError(
                "notice-exists",
                f"notice id is {notice_id!r}; it must be new",
                hint=f"use: detente notice amend to replace version {before}",
                field="properties.id",
            )
        if before is None and amend:
            raise UsageError(
                "notice-unknown",
                f"notice id is {notice_id!r}; it must have been filed before",
                field="properties.id",
            )
        recipients = self._recipients(to or self._earlier_recipients(notice_id))
        self._check_not_cancelled(notice_id)
        if amend and self._exercise(notice_id) != notice.exercise:
            raise RefusedError(
                "exercise-flip",
                f"{notice_id} is of the other EXERCISE kind; it must get a new id",
                field="exercise",
            )
        version = (before or 0) + 1
        terms = self.agreement().terms
        agreed_s = terms.lead_times_s.get(notice.activity, terms.lead_times_s.get("default", 0))
        lead_s = (notice.start_us - now_us) / US_PER_S
        return Filed(notice_id, version, recipients, (), lead_s, lead_s < agreed_s, agreed_s)

    def cancel_notice(
        self, notice_id: str, reason: str, now_us: int, *, officer: str, desk: str
    ) -> tuple[Filed, list[Effect]]:
        """Cancel one's own notice for everybody it was addressed to.

        Raises:
            UsageError: not our notice. RefusedError: cancelled already.
        """
        version = self.state.filed_versions.get(notice_id)
        if version is None or not notice_id.startswith(f"{self.identity.party}:"):
            raise UsageError(
                "notice-unknown", f"notice id is {notice_id!r}; it must be one of ours", field="id"
            )
        self._check_not_cancelled(notice_id)
        recipients = self._recipients(self._earlier_recipients(notice_id))
        signed, effects = self._say(
            "activity/cancel",
            {"reason": reason},
            recipients,
            now_us,
            officer=officer,
            desk=desk,
            exercise=self._exercise(notice_id),
            thread=Thread(notice_id, "notice", version + 1),
        )
        return Filed(notice_id, version + 1, recipients, signed, 0.0, False, 0), effects

    def _check_not_cancelled(self, notice_id: str) -> None:
        known = self.state.notices.get(notice_id)
        if notice_id in self.state.filed_cancels or (known is not None and known.cancelled):
            raise RefusedError(
                "notice-cancelled", f"{notice_id} is cancelled; a new activity must have a new id"
            )

    def _exercise(self, notice_id: str) -> bool:
        """The EXERCISE flag of a notice of ours, signed or still waiting."""
        known = self.state.notices.get(notice_id)
        if known is not None:
            return known.exercise
        return any(intent.exercise for intent in self._intents_of(notice_id))

    def say(
        self,
        type_: str,
        values: Json,
        to: Sequence[str],
        now_us: int,
        *,
        officer: str,
        desk: str,
        exercise: bool,
        thread: Thread | None = None,
    ) -> tuple[tuple[str, ...], list[Effect]]:
        """Say something that is no version of a notice (a cease request, a key certificate).

        Raises:
            UsageError: an unknown type, or more than one message can hold.
            RefusedError: a rule that the peers keep too would refuse it.
        """
        if type_ not in TYPES or type_.startswith("receipt/"):
            raise UsageError(
                "type-unknown", f"type is {type_!r}; it must be one that a party says", field="type"
            )
        return self._say(
            type_,
            values,
            self._recipients(to),
            now_us,
            officer=officer,
            desk=desk,
            exercise=exercise,
            thread=thread,
        )

    def draft_about(
        self,
        about: Statement,
        type_: str,
        values: Json,
        peer: str,
        now_us: int,
        *,
        desk: str,
        waits: frozenset[str] = frozenset(),
    ) -> Intent:
        """A receipt about a statement, on its chain and thread, judged by our own rules; nothing is changed.

        Args:
            about: what the peer said, or what it was told.
            waits: rules that would refuse it now, and will not once what waits before it is signed.

        Raises:
            RefusedError: a rule that the peer keeps too would refuse it.
        """
        intent = msgspec.structs.replace(
            self._draft(
                type_,
                values,
                (peer,),
                now_us,
                desk=desk,
                exercise=about.exercise,
                thread=about.thread,
            ),
            chain=about.chain,
            agreement=about.agreement or "",
        )
        self._judge_own(intent, now_us, waits)
        return intent

    def check_say(
        self,
        type_: str,
        values: Json,
        to: Sequence[str],
        now_us: int,
        *,
        desk: str,
        exercise: bool,
        thread: Thread | None = None,
    ) -> None:
        """Raise what `say` would raise, and say nothing.

        Raises:
            UsageError, RefusedError, UnavailableError: as `say`.
        """
        intent = self._draft(
            type_, values, self._recipients(to), now_us, desk=desk, exercise=exercise, thread=thread
        )
        self._judge_own(intent, now_us)

    def say_about(
        self, intent: Intent, about: Statement, now_us: int, *, officer: str | None = None
    ) -> list[Effect]:
        """Say what `draft_about` made; on a line that is down it waits like a filing.

        Args:
            officer: who says so; None for the machine, which leaves an entry of its own.
        """
        self._next_intent += 1
        if officer is not None:
            self.append_local(
                now_us,
                "receipt/filed",
                officer=officer,
                desk=intent.desk,
                said=intent.type,
                about=about.id,
                notice=about.notice,
            )
        self.intents[intent.number] = intent
        effects = self._sign(intent, now_us)
        left = self.intents.get(intent.number)
        if left is not None:
            self.journal.put_intent(left)
        return effects

    def _recipients(self, to: Sequence[str]) -> tuple[str, ...]:
        parties = self.agreement().parties
        chosen = tuple(sorted(set(to))) or tuple(p for p in parties if p != self.identity.party)
        unknown = [p for p in chosen if p not in parties or p == self.identity.party]
        if unknown or not chosen:
            raise UsageError(
                "recipient-unknown",
                f"recipient is {unknown[0] if unknown else None!r}; it must be another party of the agreement: "
                + ", ".join(p for p in parties if p != self.identity.party),
                field="to",
            )
        return chosen

    def _intents_of(self, notice_id: str) -> list[Intent]:
        return [i for i in self.intents.values() if i.notice == notice_id]

    def _earlier_recipients(self, notice_id: str) -> list[str]:
        known = self.state.notices.get(notice_id)
        found = {p for v in known.versions.values() for p in v.statements} if known else set()
        return sorted(found | {p for i in self._intents_of(notice_id) for p in i.to})

    def _say(
        self,
        type_: str,
        values: Json,
        recipients: tuple[str, ...],
        now_us: int,
        *,
        officer: str,
        desk: str,
        exercise: bool,
        thread: Thread | None,
        volumes: ActivityNotice | None = None,
        withheld: dict[str, list[str]] | None = None,
    ) -> tuple[tuple[str, ...], list[Effect]]:
        intent = self._draft(
            type_, values, recipients, now_us, desk=desk, exercise=exercise, thread=thread
        )
        if withheld:
            intent = msgspec.structs.replace(intent, withheld=withheld)
        if volumes is not None:  # it was parsed a moment ago by the same rules
            self.state.keep_volumes(body_digest(commit_openings(intent.openings)), volumes)
        self._judge_own(intent, now_us)
        self._next_intent += 1
        self.append_local(
            now_us,
            "notice/filed" if intent.notice else "statement/filed",
            officer=officer,
            desk=desk,
            said=type_,
            to=list(recipients),
            **(
                {"notice": intent.notice, "version": thread.version}
                if intent.notice and thread
                else {}
            ),
        )
        self.intents[intent.number] = intent
        effects = self._sign(intent, now_us)
        left = self.intents.get(intent.number)
        if left is not None:
            self.journal.put_intent(left)
        return tuple(p for p in recipients if left is None or p not in left.waiting), effects

    def _draft(
        self,
        type_: str,
        values: Json,
        recipients: tuple[str, ...],
        now_us: int,
        *,
        desk: str,
        exercise: bool,
        thread: Thread | None,
    ) -> Intent:
        """The intent that a filing would become; nothing is changed."""
        # a cease request must be taken however much else waits (H-CEA-4)
        most = INTENTS_WAITING * (1 if TYPES[type_].chain == "ordinary" else 2)
        if len(self.intents) >= most:
            raise UnavailableError(
                "intents-full",
                f"{len(self.intents)} filings wait for a line; at most {most} may",
            )
        openings = open_fields(values, self.entropy(SALT_BYTES * len(values)))
        size = len(encode_canonical(openings))
        if size > BODY_BYTES:
            # past it the message could never be taken, and everything after it would wait for ever
            raise UsageError(
                "statement-too-large",
                f"statement has {size} bytes of content; it must have at most {BODY_BYTES}",
            )
        chain: Chain = TYPES[type_].chain or "ordinary"
        return Intent(
            number=self._next_intent,
            type=type_,
            chain=chain,
            exercise=exercise,
            agreement=self.agreement().hash,
            desk=desk,
            thread=None if thread is None else msgspec.to_builtins(thread),
            to=recipients,
            waiting=recipients,
            openings=openings,
            filed_us=now_us,
        )

    def said_before(self, statement: Statement) -> None:
        """A statement of ours came back that an intent still waits to become: it was said already.

        Salts are drawn once for each filing, so the body digest tells the filing.
        """
        for intent in list(self.intents.values()):
            peer = statement.recipient
            if peer in intent.waiting and statement.body_digest == body_digest(
                commit_openings(intent.openings)
            ):
                waiting = tuple(p for p in intent.waiting if p != peer)
                self.journal.put_intent(self._set_waiting(intent, waiting))

    def _judge_own(self, intent: Intent, now_us: int, waits: frozenset[str] = frozenset()) -> None:
        """Keep our own rules before saying anything: what a peer would refuse is refused here, with the field."""
        linestate.check_open(self.state, intent.type, intent.chain, intent.to)
        draft = self._statement(intent, intent.to[0], now_us, draft=True)
        answer: Answer = judge(self.state, draft, intent.openings)
        if answer.rule == "notice-unknown" and draft.type == "activity/cancel":
            return  # a cancellation of what still waits to be signed; both go out in order
        if answer.rule in waits:
            return
        if answer.answer != "delivered":
            raise RefusedError(answer.rule or "refused", answer.message)

    def _statement(
        self, intent: Intent, peer: str, now_us: int, *, draft: bool = False
    ) -> Statement:
        head = self.state.head(True, peer, intent.chain)
        return (draft_statement if draft else sign_statement)(
            self.identity.signer,
            exercise=intent.exercise,
            agreement=intent.agreement,
            body=commit_openings(intent.openings),
            chain=intent.chain,
            claimed_us=now_us,
            party=self.identity.party,
            desk=intent.desk,
            recipient=peer,
            previous=head.id,
            sequence=head.sequence + 1,
            thread=Thread(**intent.thread) if intent.thread else None,
            to=intent.to,
            type_=intent.type,
            withheld=intent.withheld.get(peer, ()),
        )

    def _sign(self, intent: Intent, now_us: int) -> list[Effect]:
        """Sign an intent on every line that is open; what is left of it stays in `intents`."""
        open_to = [
            peer
            for peer in intent.waiting
            if self.fault is None
            and self.link(peer).may_sign
            and not self._queued_before(intent, peer)
        ]
        if not open_to:
            return []
        if self._clashes(intent, now_us):
            return self._drop(intent, now_us)
        effects: list[Effect] = []
        for peer in open_to:
            if not introduces(self, intent):
                self._introduce(peer, now_us)
            statement = self._statement(intent, peer, now_us)
            self.append("made", now_us, "delivered", statement, intent.openings)
            effects.append(Send(peer))
            effects += after_said(self, statement, body_values(intent.openings), now_us)
            effects += keep_promises(self, statement, now_us)
        if intent.notice is not None:
            effects += self.after_activity(intent.notice, now_us)
        self._set_waiting(intent, tuple(p for p in intent.waiting if p not in open_to))
        return effects

    def _set_waiting(self, intent: Intent, waiting: tuple[str, ...]) -> Intent:
        left = msgspec.structs.replace(intent, waiting=waiting)
        if waiting:
            self.intents[intent.number] = left
        else:
            self.intents.pop(intent.number, None)
        return left

    def _queued_before(self, intent: Intent, peer: str) -> bool:
        """Whether something waits that goes before it: filed earlier for the same chain, since versions must not
        overtake each other; or whenever filed for the safety chain (H-CEA-4).
        """
        return any(
            peer in other.waiting
            and (
                other.number < intent.number
                if other.chain == intent.chain
                else other.chain == "safety"
            )
            for other in self.intents.values()
        )

    def _clashes(self, intent: Intent, now_us: int) -> bool:
        """Whether what a recovery brought back stands against it: a version with another body, or a rule."""
        if intent.type.startswith("receipt/") or intent.type in ANSWERS:
            return (
                judge(
                    self.state,
                    self._statement(intent, intent.to[0], now_us, draft=True),
                    intent.openings,
                ).answer
                != "delivered"
            )
        known = self.state.notices.get(intent.notice or "")
        version = known.versions.get(intent.thread["version"]) if known and intent.thread else None
        return version is not None and version.body_digest != body_digest(
            commit_openings(intent.openings)
        )

    def withdraw(self, intent: Intent, now_us: int, *, officer: str, desk: str) -> None:
        """Give up what waits unsigned for everybody: nobody was told of it, and the record says who took it back."""
        assert intent.waiting == intent.to
        self.append_local(
            now_us,
            "statement/withdrawn",
            officer=officer,
            desk=desk,
            said=intent.type,
            to=list(intent.to),
        )
        self.journal.put_intent(self._set_waiting(intent, ()))

    def _drop(self, intent: Intent, now_us: int) -> list[Effect]:
        """Give up a filing that would contradict what was said before the loss, aloud."""
        self._set_waiting(intent, ())
        if intent.type == "receipt/no-answer":
            return [Send(intent.to[0])]  # said before the loss: once is enough
        if intent.type in ANSWERS:
            message = (
                f"{intent.type} was said while lost statements were missing, and no longer fits what had been said before; "
                "it was not sent"
            )
            return [self.alarm(now_us, "filing-clash", message, intent.to[0])]
        assert intent.thread is not None
        message = (
            f"{intent.thread['id']} version {intent.thread['version']} was filed while lost statements were missing, "
            "and had been said before with another content; it was not sent: file it again"
        )
        return [self.alarm(now_us, "filing-clash", message, notice=intent.thread["id"])]

    def sign_waiting(self, now_us: int) -> list[Effect]:
        """Sign what waited for lines that are open now: safety first, then in the order it was filed.

        At most `SIGNED_AT_ONCE`; the effects of these bring the line round again for the rest.
        """
        effects: list[Effect] = []
        signed = 0
        for intent in sorted(self.intents.values(), key=lambda i: (i.chain != "safety", i.number)):
            if signed >= SIGNED_AT_ONCE:
                break
            new = self._sign(intent, now_us)
            if new:
                effects += new
                signed += 1
                self.journal.put_intent(
                    self.intents.get(intent.number, msgspec.structs.replace(intent, waiting=()))
                )
        return effects

    def answer(
        self, statement: Statement, values: Json, type_: str, now_us: int, *, desk: str
    ) -> Statement:
        """Sign and log a receipt about a statement, on the same chain, back to its maker."""
        self._introduce(statement.party, now_us)
        head = self.state.head(True, statement.party, statement.chain)
        openings = open_fields(values, self.entropy(SALT_BYTES * len(values)))
        receipt = sign_statement(
            self.identity.signer,
            exercise=statement.exercise,
            agreement=statement.agreement,
            body=commit_openings(openings),
            chain=statement.chain,
            claimed_us=now_us,
            party=self.identity.party,
            desk=desk,
            recipient=statement.party,
            previous=head.id,
            sequence=head.sequence + 1,
            thread=statement.thread,
            to=[statement.party],
            type_=type_,
        )
        self.append("made", now_us, "delivered", receipt, openings)
        return receipt

    def _introduce(self, peer: str, now_us: int) -> None:
        """Tell a peer of the signing key in use before anything is signed to it under that key (K-ROT-4)."""
        found = introduction(self, peer, now_us)
        if found is not None:
            self.append("made", now_us, "delivered", *found)

    def open_notice(self, notice_id: str, now_us: int, *, officer: str, desk: str) -> list[Effect]:
        """An officer has a peer's notice in front of them: say so once (receipt/opened).

        Raises:
            UsageError: unknown notice.
        """
        notice = self.state.notices.get(notice_id)
        if notice is None:
            raise UsageError(
                "notice-unknown",
                f"notice id is {notice_id!r}; it must be one in this record",
                field="id",
            )
        statement_id = notice.latest.statements.get(self.identity.party)
        receipt = self.state.receipts.get(statement_id or "")
        if statement_id is None or receipt is None or receipt.opened_us is not None:
            return []
        found = self.journal.statement(statement_id)
        if found is None or not self.link(notice.party).may_sign or self.fault:
            return []  # shown all the same; the receipt follows when it is next shown on an open line
        self.append_local(
            now_us,
            "notice/opened",
            officer=officer,
            desk=desk,
            notice=notice_id,
            statement=statement_id,
        )
        values = {"desk": desk, "opened": format_time(now_us), "statement": statement_id}
        self.answer(found[0], values, "receipt/opened", now_us, desk=desk)
        return [Send(notice.party)]

    # -- live volumes -------------------------------------------------------------------------

    def volumes(self, notice_id: str) -> ActivityNotice | None:
        """The volumes of a notice's live version."""
        self.index_live()
        return self._volumes.get(notice_id)

    def drawn_version(self, notice_id: str) -> tuple[str, ActivityNotice | None]:
        """The body digest and volumes to draw: of the newest version that is not a cancellation.

        None when its content is not here. Does not wait for the live index.
        """
        notice = self.state.notices[notice_id]
        with_body = [v for v in notice.versions.values() if not v.cancel]
        if not with_body:
            return "", None
        version = max(with_body, key=lambda v: v.number)
        kept = self._volumes.get(notice_id)
        if kept is not None and version is notice.latest:
            return version.body_digest, kept
        values = body_values(self.journal.openings(next(iter(version.statements.values()))))
        if "pieces" not in values:
            return version.body_digest, None
        name = notice_id.partition(":")[2]
        return version.body_digest, self.state.volumes(
            name, notice.exercise, version.body_digest, values
        )

    def refresh_live(self, notice_id: str) -> None:
        """Bring the live index in line with a notice's latest version."""
        notice = self.state.notices[notice_id]
        if self._volumes.pop(notice_id, None) is not None:
            self.live.remove(notice_id)
        if notice.cancelled:
            return
        values = self._placed(notice)
        if values:
            volumes = self.state.volumes(
                notice_id.partition(":")[2], notice.exercise, notice.latest.body_digest, values
            )
            self._volumes[notice_id] = volumes
            self.live.insert(notice_id, volumes)

    def _placed(self, notice: NoticeState) -> Json:
        """The body of a notice's latest version, if it says where; else nothing.

        Destroyed or withheld openings leave the notice in the record, not in the air.
        """
        values = body_values(self.journal.openings(next(iter(notice.latest.statements.values()))))
        return values if "pieces" in values else {}

    def live_ids(self) -> list[str]:
        """The notices in the live index, and those that will be in it; does not wait for the index."""
        waiting = (self.state.notices[notice_id] for notice_id in self._unindexed)
        coming = {one.id for one in waiting if not one.cancelled and self._placed(one)}
        return sorted(coming | set(self._volumes))

    def index_live(self, most: int | None = None) -> bool:
        """Bring notices that were only folded so far into the live index; True when all are.

        After a start this is work to be done in slices: a node answers before its index is complete, and
        whatever needs the index completes it first.
        """
        for notice_id in self._unindexed[: most if most is not None else len(self._unindexed)]:
            self.refresh_live(notice_id)
        del self._unindexed[: most if most is not None else len(self._unindexed)]
        return not self._unindexed

    def after_activity(self, notice_id: str, now_us: int) -> list[Effect]:
        """A notice changed: bring the index in line, check it, record and report what is new."""
        self.index_live()
        self.refresh_live(notice_id)
        body = self._volumes.get(notice_id)
        found = [] if body is None else self.check_activity(notice_id, body, now_us)
        return [*found, *keep_about(self, notice_id, now_us)]  # a cancellation may keep a promise

    def check_activity(self, notice_id: str, body: ActivityNotice, now_us: int) -> list[Effect]:
        """Check a notice in the index against the live ones of other parties; record and report what is new."""
        effects: list[Effect] = []
        for record in find_meetings(self.state, self.live, self.state.notices[notice_id], body):
            bodies = [one["body"] for one in record["notices"]]
            # Under whatever engine spec it was recorded, by this program or an earlier one.
            if not self.state.conflicts.keys().isdisjoint(
                conflict_ids(bodies, record["agreements"])
            ):
                continue
            self.append_local(now_us, "conflict/advisory", conflict=record)
            ids = tuple(one["id"] for one in record["notices"])
            effects.append(Alert(record["verdict"], record["reason"], refs=(record["id"], *ids)))
        return effects

    def has_news(self, peer: str, chain: str, now_us: int) -> bool:
        """Whether a chain to a peer has something that is neither held by it nor under way."""
        return self.state.head(True, peer, chain).sequence > self.link(peer).sent_up_to(
            chain, now_us
        )

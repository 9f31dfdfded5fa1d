"""Bundles: one file that proves to anyone, offline, who told whom what, and between when and when.

Nothing in a bundle may be unbound: every byte is under a signature, a hash or a Merkle proof, or its loss
is reported. The format is docs/spec/bundle.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from detente.agreement.card import KeyCertificate
from detente.errors import DetenteError, PeerError, RefusedError, UsageError, shown
from detente.ledger.checkpoint import VerifiedCheckpoint, parse_checkpoint
from detente.ledger.cosignature import add_cosignature
from detente.ledger.leaf import parse_leaf_opening, verify_leaf_opening
from detente.ledger.merkle import (
    HASH_BYTES,
    PROOF_HASHES_MOST,
    verify_consistency,
    verify_inclusion,
)
from detente.ledger.note import parse_note
from detente.ledger.policy import Policy
from detente.ledger.proof import LogProof, format_tlog_proof, parse_log_proof
from detente.ledger.quorum import check_policy
from detente.limits import BUNDLE_BYTES, BUNDLE_HEADS
from detente.notice.activity import parse_activity_body
from detente.protocol.doubtful import Doubted, Standing, find_doubt
from detente.protocol.interval import (
    DATE_MOST_S,
    Head,
    Interval,
    find_contradictions,
    find_interval,
    lead_between,
)
from detente.protocol.journal import Entry, Json
from detente.protocol.keyring import Keyring, signed_a_line
from detente.protocol.opening import add_openings
from detente.protocol.paper import decode_paper, encode_paper, invalid, shown_time
from detente.protocol.rules import check_receipt_form
from detente.protocol.statement import (
    Openings,
    Statement,
    body_values,
    check_openings,
)
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import encode_envelope
from detente.signing.key import STRICT, PublicKeys, Verifier, parse_public_keys
from detente.units import US_PER_S, parse_time

if TYPE_CHECKING:  # checking a bundle needs no engine, and starts in half the time without
    from detente.protocol.core import Core

MEMBERS = {
    1: frozenset({"copies", "keys", "openings"}),
    2: frozenset({"copies", "keys", "openings", "revocations"}),
}

LEGAL_NOTE = (
    "A notice is not a permission and asks for none. It changes nobody's duties under law. "
    "What a party says is its claim; this proves that it said so, to whom, and when it was received."
)


class Logged(msgspec.Struct, frozen=True):
    """Where a statement stands in a log, under which checkpoint, and who vouches for that checkpoint.

    Attributes:
        logged: the log's own time, a claim.
        not_before, not_after, by: what others' cosignatures say of it; see `Interval`.
    """

    log: str
    index: int
    logged: str
    checkpoint_time: str
    cosigned_by: list[str]
    not_before: str | None = None
    not_after: str | None = None
    by: list[str] = []


class ReceivedBy(msgspec.Struct, frozen=True):
    """A recipient's signed word that it holds the statement.

    Attributes:
        time: the recipient's own clock; binds the recipient.
        not_before, not_after, by: what others' cosignatures say of it; see `Interval`.
    """

    party: str
    time: str
    receipt: str
    answer: str
    opened: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    by: list[str] = []


class Quorum(msgspec.Struct, frozen=True):
    """Whether the head under which a copy is proved satisfies the reader's policy.

    Attributes:
        reason: what lacks; None where it is met.
    """

    log: str
    met: bool
    reason: str | None


class Verified(msgspec.Struct, frozen=True):
    """What a bundle proves.

    Attributes:
        made: when the statement was made: its maker's claim, and what others bound it by.
        lead_time_s: by the recipient's own clock.
        lead_time_between_s: least and most by the clocks of others; None where nobody bounds an end.
        remarks: what was there and did not count, such as a cosignature that does not verify.
        quorum: one for each copy, if the reader gave a policy.
        doubts: statements in it by keys that their parties have revoked, first had by others after that.
    """

    exercise: bool
    statement: Json
    made_by: str
    made: Interval
    logged_at: list[Logged]
    received_by: list[ReceivedBy]
    lead_time_s: float | None
    lead_time_between_s: tuple[float | None, float | None] | None
    remarks: list[str]
    doubts: list[Doubted] = []
    quorum: list[Quorum] | None = None


# -- making one ------------------------------------------------------------------------------------


def make_bundle(
    core: Core, statement_ids: Iterable[str], *, withhold: Collection[str] = ()
) -> bytes:
    """The bundle of one body: all its copies known here, with receipts, log proofs and cosignatures.

    Args:
        withhold: fields of the body that the reader is not to see.

    Raises:
        UsageError: a statement is unknown here, or has no such field.
    """
    copies: list[Json] = []
    used = _Used(core)
    openings: Openings = {}
    fields: set[str] = set()
    exercise = False
    for statement_id in sorted(statement_ids):
        found, entry = core.journal.statement(statement_id), core.journal.entry_of(statement_id)
        if found is None or entry is None:
            raise UsageError(
                "statement-unknown", f"statement {statement_id!r} is not in this record", field="id"
            )
        statement = found[0]
        openings |= found[1]
        fields |= set(statement.body)
        exercise = statement.exercise
        receipts = []
        for receipt_id in _receipts_of(core, statement_id):
            kept, at = core.journal.statement(receipt_id), core.journal.entry_of(receipt_id)
            assert kept is not None
            assert at is not None
            receipts.append(
                {
                    "envelope": used.envelope(kept[0]),
                    "heads": used.peer_heads(kept),
                    "logged": used.places(at, must=False),
                    "openings": kept[1],
                }
            )
        copies.append(
            {
                "envelope": used.envelope(statement),
                "logged": used.places(entry, must=True),
                "receipts": receipts,
            }
        )
    unknown = sorted(set(withhold) - fields)
    if unknown:
        raise UsageError(
            "field-unknown",
            f"field is {unknown[0]!r}; it must be one of {', '.join(sorted(fields))}",
            field="withhold",
        )
    return encode_paper(
        "bundle",
        {
            "EXERCISE": exercise,
            "copies": copies,
            "keys": [one.signed for one in used.certificates()],
            "openings": {name: one for name, one in openings.items() if name not in withhold},
            "revocations": used.revocations(),
            "v": 2,
        },
    )


def make_tlog_proof(core: Core, statement_id: str) -> str:
    """The place of one statement in this node's log as C2SP tlog-proof text; `extra` is the leaf's opening.

    Raises:
        UsageError: the statement is unknown here, or no signed checkpoint covers it yet.
    """
    entry = core.journal.entry_of(statement_id)
    if entry is None:
        raise UsageError(
            "statement-unknown", f"statement {statement_id!r} is not in this record", field="id"
        )
    opening = encode_canonical(core.open_leaf(entry).to_json())
    return format_tlog_proof(_own_proof(core, entry), extra=opening)


class _Used:
    """What a bundle under way has used: keys and notes, so that it carries the certificates for them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._keys: set[tuple[str, str]] = set()
        self._notes: list[str] = []

    def envelope(self, statement: Statement) -> Any:
        """A statement's envelope as an object."""
        self._keys.add((statement.party, statement.key))
        return parse_canonical(encode_envelope(statement.envelope))

    def places(self, entry: Entry, *, must: bool) -> list[Json]:
        """Where an entry stands in this node's log, with the heads that bound its time.

        Args:
            must: refuse when no signed checkpoint covers it yet; else there is none.
        """
        try:
            proof = _own_proof(self._core, entry)
        except UsageError:
            if must:
                raise
            return []
        self._notes.append(proof.checkpoint)
        return [
            {
                "heads": self._own_heads(entry.index, proof),
                "leaf": self._core.open_leaf(entry).to_json(),
                "proof": proof.to_json(),
            }
        ]

    def _own_heads(self, index: int, proof: LogProof) -> list[Json]:
        core, covering = self._core, parse_checkpoint(parse_note(proof.checkpoint))
        heads = []
        for size in core.journal.bounding(index):
            found = core.journal.checkpoint(size)
            # the log of another epoch is another log, and says nothing of this one's times
            if found is None or size == covering.size or not _is_of(found[1], covering.origin):
                continue
            hashes = core.tree.consistency_proof(*sorted((size, covering.size)))
            heads.append(self._head(with_cosignatures(core, size, found[1]), hashes))
        return heads[:BUNDLE_HEADS]

    def _head(self, note: str, hashes: Iterable[bytes]) -> Json:
        self._notes.append(note)
        return {"checkpoint": note, "hashes": [encode_base64url(one) for one in hashes]}

    def peer_heads(self, kept: tuple[Statement, Openings]) -> list[Json]:
        """Heads of the addressee's log that bound when it logged what the receipt is about."""
        if "proof" in kept[1]:
            self._notes.append(parse_log_proof(kept[1]["proof"][1]).checkpoint)
        return []

    def revocations(self) -> list[Json]:
        """What their parties' roots said of these keys since, as far as it is known here."""
        known = self._core.state.keys.revocations
        found = {
            (one.party, one.key_id): known.get(one.party, {}).get(one.key_id)
            for one in self.certificates()
        }
        return [one.signed for _, one in sorted(found.items()) if one is not None and one.signed]

    def certificates(self) -> list[KeyCertificate]:
        """The certificates of every key that vouched for something here."""
        core = self._core
        found: list[KeyCertificate] = [
            certificate
            for party, known in core.state.keys.certificates.items()
            for certificate in known.values()
            if certificate.use == "signing"
            and (
                (party, certificate.key_id) in self._keys
                or signed_a_line(
                    self._notes,
                    party,
                    parse_public_keys(certificate.key, verifier=core.identity.verifier),
                )
            )
        ]
        return sorted(found, key=lambda c: (c.party, c.serial, c.key_id))


def _is_of(note: str, origin: str) -> bool:
    return note.partition("\n")[0] == origin


def _receipts_of(core: Core, statement_id: str) -> list[str]:
    receipt = core.state.receipts.get(statement_id)
    if receipt is None:
        return []
    return [receipt.receipt, *([receipt.opened] if receipt.opened else [])]


def _own_proof(core: Core, entry: Entry) -> LogProof:
    """Inclusion under the newest checkpoint that was cosigned, else the newest signed one."""
    chosen = core.journal.checkpoint_from(
        entry.index + 1, cosigned=True
    ) or core.journal.checkpoint_from(entry.index + 1, cosigned=False)
    if chosen is None:
        raise UsageError(
            "not-yet-signed",
            "no signed checkpoint covers this entry yet; try again when a line is open",
        )
    size, note = chosen
    return LogProof(
        with_cosignatures(core, size, note),
        entry.index,
        core.tree.inclusion_proof(entry.index, size),
    )


def with_cosignatures(core: Core, size: int, note: str) -> str:
    """A checkpoint of ours with the lines of everybody who cosigned it."""
    for lines in core.journal.cosignatures(size).values():
        note = add_cosignature(note, lines)
    return note


# -- checking one ----------------------------------------------------------------------------------


def _invalid(message: str) -> PeerError:
    return invalid("bundle", message)


def verify_bundle(
    data: bytes,
    roots: Mapping[str, PublicKeys],
    *,
    agreement: str | None = None,
    opened: Sequence[bytes] = (),
    policy: Policy | None = None,
    verifier: Verifier = STRICT,
) -> Verified:
    """What a bundle proves to somebody who trusts these root keys and nothing else.

    Args:
        roots: root keys by party, from the agreement or compared by voice.
        agreement: hash of the agreement trusted, if any; a statement under another one is remarked on.
        opened: files that open fields which the bundle withholds.
        policy: which logs and how many witnesses satisfy the reader; that they do not is no fault of the bundle.

    Raises:
        PeerError: anything is malformed, altered, unsigned or unproved.
    """
    content = decode_paper("bundle", data, MEMBERS, BUNDLE_BYTES)
    remarks: list[str] = []
    keys = Keyring("bundle", content["keys"], roots, verifier)
    keys.take_revocations(content.get("revocations", []), roots)
    reader = _Reader(keys, content["v"], remarks)
    copies = content["copies"]
    if not isinstance(copies, list) or not copies or len(copies) > 64:
        raise _invalid("copies must be a list of 1 to 64")
    first: Statement | None = None
    openings: Openings = {}
    ids: list[str] = []
    quorum: list[Quorum] = []
    for copy in copies:
        if not isinstance(copy, dict) or set(copy) != {"envelope", "logged", "receipts"}:
            raise _invalid("a copy must have envelope, logged and receipts")
        if not isinstance(copy["logged"], list) or len(copy["logged"]) != 1:
            raise _invalid("a copy must be logged once, by who made the bundle")
        statement = reader.keys.statement(copy["envelope"])
        ids.append(statement.id)
        if first is None:
            first, openings = (
                statement,
                check_openings(statement, content["openings"], complete=False),
            )
        if _body_of(statement) != _body_of(first):
            raise _invalid("all copies must be of one body by one party")
        reader.read(statement, copy["logged"][0], copy["receipts"])
        if policy is not None:
            quorum.append(_quorum(copy["logged"][0]["proof"]["checkpoint"], policy, verifier))
    assert first is not None
    if first.exercise is not content["EXERCISE"]:
        raise _invalid("EXERCISE in the title must be that of the statement")
    reader.keys.check_all_used()
    if agreement is not None and first.agreement != agreement:
        remarks.append(
            f"the statement quotes agreement {first.agreement}, not the one trusted here"
        )
    if ids != sorted(set(ids)):
        raise _invalid("copies must be in order of their ids, each once")
    if opened:  # each may name any of the copies, which all have one body
        joined = add_openings(openings, set(ids), first.exercise, list(opened))
        openings = check_openings(first, joined, complete=False)
    values = body_values(openings)
    made = find_interval(first.claimed_us, reader.made, {first.party, *first.to})
    if made.contradicts:
        remarks.append("the cosigners' clocks contradict each other: no time lies between them")
    remarks += sorted(reader.contradictions)
    start_us = _start_us(first, values)
    times = [parse_time(one.time) for one in reader.received]
    return Verified(
        exercise=first.exercise,
        statement={
            "id": first.id,
            "type": first.type,
            "thread": None if first.thread is None else msgspec.to_builtins(first.thread),
            "to": list(first.to),
            "desk": first.desk,
            "claimed_time": shown_time("bundle", first.claimed_us),
            "agreement": first.agreement,
            "body": values,
            "withheld": sorted(set(first.body) - set(openings)),
        },
        made_by=first.party,
        made=made,
        logged_at=reader.logged,
        received_by=reader.received,
        lead_time_s=(start_us - min(times)) / US_PER_S if times and start_us is not None else None,
        lead_time_between_s=lead_between(start_us, reader.received),
        doubts=reader.doubts(),
        quorum=None if policy is None else quorum,
        remarks=list(dict.fromkeys(remarks)),
    )


def _quorum(note: str, policy: Policy, verifier: Verifier) -> Quorum:
    log = note.partition("\n")[0]
    try:
        check_policy(note, policy, verifier)
    except RefusedError as error:
        return Quorum(log, met=False, reason=error.message)
    return Quorum(log, met=True, reason=None)


def _body_of(statement: Statement) -> tuple[object, ...]:
    """What all copies of one body share; chain numbers, previous ids and times are each copy's own."""
    return (
        statement.body_digest,
        statement.party,
        statement.thread,
        statement.exercise,
        statement.agreement,
        statement.to,
        statement.type,
    )


def _start_us(statement: Statement, values: Json) -> int | None:
    """The first instant of a notice; None for anything else, also for a notice that breaks the rules."""
    if statement.type != "activity/notice" or statement.thread is None:
        return None
    name = statement.thread.id.partition(":")[2]
    try:
        return parse_activity_body(values, name=name, exercise=statement.exercise).start_us
    except DetenteError:
        return None


class _Place(Standing, frozen=True):
    """A statement in a log, as it is shown."""

    logged: Logged


class _Reader:
    """Reads the copies of a bundle, and gathers what they prove.

    Attributes:
        made: every head that bounds when the statement was made.
        contradictions: where a log or a cosigner contradicts itself, as sentences.
    """

    def __init__(self, keys: Keyring, version: int, remarks: list[str]) -> None:
        self.keys = keys
        self.logged: list[Logged] = []
        self.received: list[ReceivedBy] = []
        self.made: list[Head] = []
        self.contradictions: set[str] = set()
        self._signed: list[tuple[Statement, list[Standing]]] = []
        self._version = version
        self._remarks = remarks

    def read(self, statement: Statement, logged: Any, receipts: Any) -> None:
        """One copy: its place in a log, and the receipts about it."""
        one = self._members(logged, "logged", {"leaf", "proof"}, {"heads"})
        place = self._place(statement, one["leaf"], one["proof"], one["heads"], None)
        self.keys.check_time(statement, place.time_us)
        self.logged.append(place.logged)
        places: list[Standing] = [place]
        self._signed.append((statement, places))
        received = self._receipts(statement, receipts, place, places)
        # what holds the statement, or a receipt about it, was signed after the statement was
        self.made += [b for b in (*place.heads, *received) if b.holds]
        if place.owner == statement.party:
            self.made += [b for b in place.heads if not b.holds]

    def doubts(self) -> list[Doubted]:
        """What was signed by revoked keys and is marked."""
        found = []
        for statement, places in self._signed:
            revoked = self.keys.revocation(statement.party, statement.key)
            doubt = revoked and find_doubt(statement, places, revoked, self._remarks)
            if doubt:
                found.append(doubt)
        return found

    def _members(self, given: Any, name: str, old: set[str], new: set[str]) -> Json:
        """An object with exactly the members of its version; those of version 2 are empty in version 1."""
        wanted = old if self._version == 1 else old | new
        if not isinstance(given, dict) or set(given) != wanted:
            raise _invalid(f"{name} must have {', '.join(sorted(wanted))}")
        return {**{key: [] for key in new}, **given}

    def _place(
        self, statement: Statement, leaf: Any, proof: Any, heads: Any, party: str | None
    ) -> _Place:
        """A statement's place in a log, under a checkpoint that the log signed (B-LOG-1, B-LOG-2)."""
        opening, found = parse_leaf_opening(leaf), parse_log_proof(proof)
        header = opening.header
        origin = found.checkpoint.partition("\n")[0]
        parts = origin.split("/")
        owner = parts[1] if len(parts) == 4 and parts[0] == "detente" and parts[2] == "log" else ""
        if (party is not None and owner != party) or owner not in (
            statement.party,
            statement.recipient,
        ):
            raise _invalid(
                f"log is {shown(origin)}; it must be the log of a party to the statement"
            )
        kind: Literal["made", "received"] = "made" if owner == statement.party else "received"
        if header != statement.leaf_header(kind, found.index, header.time_us):
            raise _invalid("a leaf header must be that of the statement")
        hash_ = verify_leaf_opening(opening, bytes.fromhex(statement.id))
        covering = self.keys.checkpoint(found.checkpoint, origin, owner, self._remarks)
        verify_inclusion(hash_, found.index, covering.size, found.hashes, covering.root)
        first = self._seen(found.checkpoint, owner, covering, found.index)
        bounds = [first, *self._heads(heads, owner, covering, found.index)]
        self.contradictions.update(find_contradictions(bounds))
        logged = shown_time("bundle", header.time_us)
        interval = find_interval(header.time_us, bounds, {statement.party, statement.recipient})
        return _Place(
            owner,
            header.time_us,
            bounds,
            Logged(
                log=origin,
                index=found.index,
                logged=logged,
                checkpoint_time=shown_time("bundle", covering.time_s * US_PER_S),
                cosigned_by=[party for party, _ in first.cosigned],
                not_before=interval.not_before,
                not_after=interval.not_after,
                by=interval.by,
            ),
        )

    def _seen(self, note: str, owner: str, head: VerifiedCheckpoint, index: int) -> Head:
        """A head as it stands to the entry at an index, with those who cosigned it."""
        cosigned = []
        for party, one in self.keys.cosigners(note, owner, head.other_lines, self._remarks):
            if one.time_s >= DATE_MOST_S:
                self._remarks.append(f"the time of {party} is no date; it bounds nothing")
                continue
            cosigned.append((party, one.time_s))
        return Head(head.origin, head.size, head.time_s, head.size > index, tuple(cosigned))

    def _heads(
        self, given: Any, owner: str, covering: VerifiedCheckpoint, index: int
    ) -> list[Head]:
        """Other heads of the same log, each consistent with the one that holds the entry (B-INT-1)."""
        if not isinstance(given, list) or len(given) > BUNDLE_HEADS:
            raise _invalid(f"heads must be a list of at most {BUNDLE_HEADS}")
        bounds: list[Head] = []
        sizes: list[int] = []
        for one in given:
            if (
                not isinstance(one, dict)
                or set(one) != {"checkpoint", "hashes"}
                or not isinstance(one["checkpoint"], str)
                or not isinstance(one["hashes"], list)
                or len(one["hashes"]) > PROOF_HASHES_MOST
            ):
                raise _invalid("a head must have a checkpoint and the hashes of its consistency")
            head = self.keys.checkpoint(one["checkpoint"], covering.origin, owner, self._remarks)
            if head.other_lines == 0:
                raise _invalid("a head without a cosigner bounds nothing")
            hashes = [
                decode_base64url(hash_, length=HASH_BYTES, field="hashes")
                for hash_ in one["hashes"]
            ]
            old, new = sorted((head, covering), key=lambda found: found.size)
            verify_consistency(old.size, new.size, hashes, old.root, new.root)
            sizes.append(head.size)
            bounds.append(self._seen(one["checkpoint"], owner, head, index))
        if sizes != sorted(set(sizes) - {covering.size}):
            raise _invalid("heads must be in order of size, each once, beside that of the proof")
        return bounds

    def _receipts(
        self, statement: Statement, given: Any, place: _Place, places: list[Standing]
    ) -> list[Head]:
        """The recipient's receipts about a statement: delivered first, then opened (B-RCPT-1).

        Args:
            places: of the statement; takes the one that its receipt proves.

        Returns:
            What bounds the statement's place in the addressee's log, or holds a receipt about it.
        """
        if not isinstance(given, list) or len(given) > 2:
            raise _invalid("receipts must be a list of at most delivered and opened")
        bounds = list(place.heads) if place.owner == statement.recipient else []
        for i, one in enumerate(given):
            one = self._members(one, "a receipt", {"envelope", "openings"}, {"heads", "logged"})
            receipt = self.keys.statement(one["envelope"])
            values = body_values(check_openings(receipt, one["openings"]))
            try:
                check_receipt_form(receipt, values)
            except RefusedError as error:
                raise _invalid(f"a receipt must have the form of one: {error}") from None
            if (
                receipt.type != ("receipt/delivered", "receipt/opened")[i]
                or receipt.party != statement.recipient
                or receipt.recipient != statement.party
                or values.get("statement") != statement.id
            ):
                raise _invalid("a receipt must be by the recipient, about this statement")
            kept = self._receipt_logged(receipt, one["logged"])
            self._signed.append((receipt, kept))
            bounds += [b for at in kept for b in at.heads if b.holds]
            if i == 0:
                there = self._place(
                    statement, values["leaf"], values["proof"], one["heads"], receipt.party
                )
                if values["received"] != there.logged.logged:
                    raise _invalid("a receipt must give the time of its leaf")
                self.keys.check_time(receipt, there.time_us)
                if (there.logged.log, there.logged.index) != (place.logged.log, place.logged.index):
                    self.logged.append(there.logged)
                    places.append(there)
                bounds += there.heads
                self.received.append(
                    ReceivedBy(receipt.party, there.logged.logged, receipt.id, values["answer"])
                )
            else:
                if one["heads"]:
                    raise _invalid("only the receipt that proves a leaf has heads of its log")
                self.keys.check_time(receipt, parse_time(values["opened"]))
                self.received[-1] = msgspec.structs.replace(
                    self.received[-1], opened=values["opened"]
                )
        if given:
            last = self.received[-1]
            interested = {statement.party, statement.recipient}
            found = find_interval(parse_time(last.time), bounds, interested)
            self.received[-1] = msgspec.structs.replace(
                last, not_before=found.not_before, not_after=found.not_after, by=found.by
            )
        return bounds

    def _receipt_logged(self, receipt: Statement, given: Any) -> list[Standing]:
        """Where a receipt stands in the log of whoever made the bundle: it existed when that log held it."""
        if not isinstance(given, list) or len(given) > 1:
            raise _invalid("a receipt must be logged at most once, by who made the bundle")
        places: list[Standing] = []
        for one in given:
            found = self._members(one, "logged", {"leaf", "proof"}, {"heads"})
            places.append(self._place(receipt, found["leaf"], found["proof"], found["heads"], None))
        return places

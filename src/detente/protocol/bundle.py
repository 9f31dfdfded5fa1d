"""Bundles: one file that proves to anyone, offline, who told whom what, and when.

Three lines: a title that says EXERCISE or REAL, one line of canonical JSON, and the SHA-256 of both.
A bundle must equal its own re-encoding, and nothing in it may be unbound: every byte is under a
signature, a hash or a Merkle proof, or its loss is reported. The format is docs/spec/bundle.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from detente.agreement.card import KeyCertificate, parse_certificate
from detente.errors import DetenteError, PeerError, RefusedError, UsageError, shown
from detente.ledger.checkpoint import cosigner_name, log_keys
from detente.ledger.cosignature import add_cosignature, cosigner_keys, verify_cosignatures
from detente.ledger.leaf import LeafHeader, parse_leaf_opening, verify_leaf_opening
from detente.ledger.note import find_lines, parse_note
from detente.ledger.proof import LogProof, parse_log_proof, verify_log_proof
from detente.limits import BUNDLE_BYTES
from detente.notice.activity import parse_activity_body
from detente.protocol.journal import Entry, Json
from detente.protocol.rules import check_receipt_form
from detente.protocol.statement import (
    Openings,
    Statement,
    body_values,
    check_openings,
    parse_statement,
)
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import encode_envelope, parse_envelope, verify_envelope
from detente.signing.key import PublicKeys, parse_public_keys
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:  # checking a bundle needs no engine, and starts in half the time without
    from detente.protocol.core import Core

_TITLES = {True: b"detente-bundle/1 EXERCISE\n", False: b"detente-bundle/1 REAL\n"}

LEGAL_NOTE = (
    "A notice is not a permission and asks for none. It changes nobody's duties under law. "
    "What a party says is its claim; this proves that it said so, to whom, and when it was received."
)


class Logged(msgspec.Struct, frozen=True):
    """Where a statement stands in a log, under which checkpoint, and who vouches for that checkpoint."""

    log: str
    index: int
    logged: str
    checkpoint_time: str
    cosigned_by: list[str]


class ReceivedBy(msgspec.Struct, frozen=True):
    """A recipient's signed word that it holds the statement."""

    party: str
    time: str
    receipt: str
    answer: str
    opened: str | None = None


class Verified(msgspec.Struct, frozen=True):
    """What a bundle proves.

    Attributes:
        remarks: what was there and did not count, such as a cosignature that does not verify.
    """

    exercise: bool
    statement: Json
    made_by: str
    logged_at: list[Logged]
    received_by: list[ReceivedBy]
    lead_time_s: float | None
    remarks: list[str]


# -- making one ------------------------------------------------------------------------------------


def make_bundle(core: Core, statement_ids: Iterable[str]) -> bytes:
    """The bundle of one body: all its copies known here, with receipts, log proofs and cosignatures.

    Raises:
        UsageError: a statement is unknown here.
    """
    copies: list[Json] = []
    notes: list[str] = []
    keys: set[tuple[str, str]] = set()
    openings: Openings = {}
    exercise = False
    for statement_id in sorted(statement_ids):
        found, entry = core.journal.statement(statement_id), core.journal.entry_of(statement_id)
        if found is None or entry is None:
            raise UsageError(
                "statement-unknown", f"statement {statement_id!r} is not in this record", field="id"
            )
        statement, openings = found
        exercise = statement.exercise
        keys.add((statement.party, statement.key))
        receipts = []
        for receipt_id in _receipts_of(core, statement_id):
            kept = core.journal.statement(receipt_id)
            assert kept is not None
            keys.add((kept[0].party, kept[0].key))
            receipts.append({"envelope": _envelope_json(kept[0]), "openings": kept[1]})
            if "proof" in kept[1]:
                notes.append(parse_log_proof(kept[1]["proof"][1]).checkpoint)
        proof = _own_proof(core, entry)
        notes.append(proof.checkpoint)
        copies.append(
            {
                "envelope": _envelope_json(statement),
                "logged": [{"leaf": core.open_leaf(entry).to_json(), "proof": proof.to_json()}],
                "receipts": receipts,
            }
        )
    certificates = [
        certificate
        for party, known in core.state.keys.certificates.items()
        for certificate in known.values()
        if certificate.use == "signing"
        and (
            (party, certificate.key_id) in keys
            or _signed_a_line(
                notes, party, parse_public_keys(certificate.key, verifier=core.identity.verifier)
            )
        )
    ]
    content = {
        "EXERCISE": exercise,
        "copies": copies,
        "keys": [
            c.signed for c in sorted(certificates, key=lambda c: (c.party, c.serial, c.key_id))
        ],
        "openings": openings,
        "v": 1,
    }
    return _encode(content)


def _signed_a_line(notes: list[str], party: str, public: PublicKeys) -> bool:
    """Whether a key signed a line of one of these checkpoints, as the log's or as a cosigner's.

    A key that vouches for nothing in a bundle does not belong in it: after a rotation a party has more
    keys than were used here.
    """
    for text in notes:
        note, origin = parse_note(text), text.partition("\n")[0]
        lines = (*log_keys(origin, public), *cosigner_keys(cosigner_name(party), public))
        if any(find_lines(note, key) for key in lines):
            return True
    return False


def _encode(content: Json) -> bytes:
    body = _TITLES[bool(content["EXERCISE"])] + encode_canonical(content) + b"\n"
    return body + _sha256_line(body)


def _sha256_line(body: bytes) -> bytes:
    """Found by eye and by any shell; it proves nothing, since anyone can compute it again."""
    return b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"


def _envelope_json(statement: Statement) -> Any:
    return parse_canonical(encode_envelope(statement.envelope))


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
    for lines in core.journal.cosignatures(size).values():
        note = add_cosignature(note, lines)
    return LogProof(note, entry.index, core.tree.inclusion_proof(entry.index, size))


# -- checking one ----------------------------------------------------------------------------------


def _invalid(message: str) -> PeerError:
    return PeerError("bundle-invalid", message, field="bundle")


def verify_bundle(
    data: bytes, roots: Mapping[str, PublicKeys], *, agreement: str | None = None
) -> Verified:
    """What a bundle proves to somebody who trusts these root keys and nothing else.

    Args:
        roots: root keys by party, from the agreement or compared by voice.
        agreement: hash of the agreement trusted, if any; a statement under another one is remarked on.

    Raises:
        PeerError: anything is malformed, altered, unsigned or unproved.
    """
    content = _decode(data)
    remarks: list[str] = []
    keys = _Keys(content["keys"], roots)
    copies = content["copies"]
    if not isinstance(copies, list) or not copies or len(copies) > 64:
        raise _invalid("copies must be a list of 1 to 64")
    first: Statement | None = None
    openings: Openings = {}
    logged: list[Logged] = []
    received: list[ReceivedBy] = []
    ids: list[str] = []
    for copy in copies:
        if not isinstance(copy, dict) or set(copy) != {"envelope", "logged", "receipts"}:
            raise _invalid("a copy must have envelope, logged and receipts")
        if not isinstance(copy["logged"], list) or len(copy["logged"]) != 1:
            raise _invalid("a copy must be logged once, by who made the bundle")
        statement = keys.statement(copy["envelope"])
        ids.append(statement.id)
        if first is None:
            first, openings = (
                statement,
                check_openings(statement, content["openings"], complete=False),
            )
        if _body_of(statement) != _body_of(first):
            raise _invalid("all copies must be of one body by one party")
        logged.append(keys.logged(statement, copy["logged"][0], remarks))
        received += keys.receipts(statement, copy["receipts"], logged, remarks)
    assert first is not None
    if first.exercise is not content["EXERCISE"]:
        raise _invalid("EXERCISE in the title must be that of the statement")
    if keys.unused():
        raise _invalid(f"key {keys.unused()[0]} is in the bundle and vouches for nothing in it")
    if agreement is not None and first.agreement != agreement:
        remarks.append(
            f"the statement quotes agreement {first.agreement}, not the one trusted here"
        )
    if ids != sorted(set(ids)):
        raise _invalid("copies must be in order of their ids, each once")
    values = body_values(openings)
    start_us = _start_us(first, values)
    times = [parse_time(one.time) for one in received]
    return Verified(
        exercise=first.exercise,
        statement={
            "id": first.id,
            "type": first.type,
            "thread": None if first.thread is None else msgspec.to_builtins(first.thread),
            "to": list(first.to),
            "desk": first.desk,
            "claimed_time": format_time(first.claimed_us),
            "agreement": first.agreement,
            "body": values,
            "withheld": sorted(set(first.body) - set(openings)),
        },
        made_by=first.party,
        logged_at=logged,
        received_by=received,
        lead_time_s=(start_us - min(times)) / US_PER_S if times and start_us is not None else None,
        remarks=remarks,
    )


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


def _decode(data: bytes) -> Json:
    if len(data) > BUNDLE_BYTES:
        raise _invalid(f"bundle is {len(data)} bytes; it must be at most {BUNDLE_BYTES}")
    lines = data.split(b"\n")
    if len(lines) != 4 or lines[3] or lines[0] + b"\n" not in _TITLES.values():
        raise _invalid("it must be a title, one line of JSON and a sha256 line")
    if lines[2] != _sha256_line(data[: len(data) - len(lines[2]) - 1]).rstrip(b"\n"):
        raise _invalid("its SHA-256 must be that of the two lines above: it was altered or cut")
    content = parse_canonical(lines[1], most_bytes=BUNDLE_BYTES)
    if (
        not isinstance(content, dict)
        or set(content) != {"EXERCISE", "copies", "keys", "openings", "v"}
        or type(content["v"]) is not int
        or content["v"] != 1
    ):
        raise _invalid("its JSON must have EXERCISE, copies, keys, openings and v 1")
    if not isinstance(content["EXERCISE"], bool) or not isinstance(content["keys"], list):
        raise _invalid("EXERCISE must be true or false, keys a list")
    if lines[0] + b"\n" != _TITLES[content["EXERCISE"]]:
        raise _invalid("EXERCISE in its title must be that of its JSON")
    return content  # the title, canonical JSON and the right SHA-256: its own re-encoding, byte for byte


def _shown(time_us: int) -> str:
    try:
        return format_time(time_us)
    except (OverflowError, ValueError):
        raise _invalid(f"time is {time_us} us; it must be a date that exists") from None


class _Keys:
    """The keys of a bundle: each certified by a trusted root, each needed."""

    def __init__(self, signed: list[Any], roots: Mapping[str, PublicKeys]) -> None:
        self._certificates: dict[tuple[str, str], KeyCertificate] = {}
        self._public: dict[tuple[str, str], PublicKeys] = {}
        self._used: set[tuple[str, str]] = set()
        order = []
        for i, one in enumerate(signed):
            document = one.get("document") if isinstance(one, dict) else None
            party = document.get("party") if isinstance(document, dict) else None
            if not isinstance(party, str) or party not in roots:
                raise _invalid(
                    f"a key is of {shown(party)}; it must be of a party whose root is trusted"
                )
            certificate = parse_certificate(one, party=party, root=roots[party], field=f"keys[{i}]")
            public = parse_public_keys(certificate.key)
            if certificate.use != "signing" or public.key_id != certificate.key_id:
                raise _invalid("a key must be certified for signing, under its own id")
            self._certificates[party, public.key_id] = certificate
            self._public[party, public.key_id] = public
            order.append((party, certificate.serial, public.key_id))
        if order != sorted(set(order)):
            raise _invalid("keys must be in order, each once")

    def unused(self) -> list[str]:
        """Keys that vouched for nothing."""
        return sorted(key for party, key in set(self._certificates) - self._used)

    def of(self, party: str) -> list[PublicKeys]:
        """All keys of a party."""
        return [public for (owner, _), public in self._public.items() if owner == party]

    def statement(self, envelope: Any) -> Statement:
        """A statement whose two signatures verify under a certified key."""
        statement = parse_statement(
            parse_envelope(encode_canonical(envelope), most_bytes=BUNDLE_BYTES)
        )
        certificate = self._certificates.get((statement.party, statement.key))
        if certificate is None:
            raise _invalid(
                f"key {statement.key} of {statement.party} is not among the certified keys"
            )
        verify_envelope(statement.envelope, self._public[statement.party, statement.key])
        self._used.add((statement.party, statement.key))
        return statement

    def check_time(self, statement: Statement, time_us: int) -> None:
        """The key must have been certified when the statement was logged; its claimed time may be far off."""
        certificate = self._certificates[statement.party, statement.key]
        if not certificate.valid_from_us <= time_us < certificate.valid_until_us:
            raise _invalid(
                f"key {statement.key} of {statement.party} was not certified for {format_time(time_us)}"
            )

    def logged(self, statement: Statement, one: Any, remarks: list[str]) -> Logged:
        """The statement's place in a log, under a checkpoint that the log signed."""
        if not isinstance(one, dict) or set(one) != {"leaf", "proof"}:
            raise _invalid("logged must have leaf and proof")
        place, time_us = self._place(statement, one["leaf"], one["proof"], None, remarks)
        self.check_time(statement, time_us)
        return place

    def _place(
        self, statement: Statement, leaf: Any, proof: Any, party: str | None, remarks: list[str]
    ) -> tuple[Logged, int]:
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
        if header != LeafHeader(
            index=found.index,
            kind="made" if owner == statement.party else "received",
            type=statement.type,
            time_us=header.time_us,
            link=statement.link,
            chain=statement.chain,
            sequence=statement.sequence,
        ):
            raise _invalid("a leaf header must be that of the statement")
        hash_ = verify_leaf_opening(opening, bytes.fromhex(statement.id))
        problem: PeerError | None = None
        for public in self.of(owner):
            try:
                checkpoint = verify_log_proof(found, hash_, origin, public)
            except PeerError as error:
                problem = error
                continue
            self._used.add((owner, public.key_id))
            cosigned = self._cosigners(found.checkpoint, owner, checkpoint.other_lines, remarks)
            return Logged(
                log=origin,
                index=found.index,
                logged=_shown(header.time_us),
                checkpoint_time=_shown(checkpoint.time_s * US_PER_S),
                cosigned_by=cosigned,
            ), header.time_us
        raise problem or _invalid(f"no certified key of {owner} is in the bundle")

    def _cosigners(self, note: str, owner: str, lines: int, remarks: list[str]) -> list[str]:
        cosigned = []
        for party, key_id in sorted(self._public):
            if party == owner:
                continue
            found = verify_cosignatures(note, {cosigner_name(party): self._public[party, key_id]})
            for one in found.cosigned:
                cosigned.append(party)
                lines -= 2
                self._used.add((party, key_id))
                del one
        if lines:
            remarks.append(
                f"{lines} signature lines of a cosigner do not verify or are of an unknown cosigner; they do not count"
            )
            # a cosigner whose line was damaged must not look like a key that vouches for nothing
            self._used |= {k for k in self._public if k[0] != owner}
        return cosigned

    def receipts(
        self, statement: Statement, given: Any, logged: list[Logged], remarks: list[str]
    ) -> list[ReceivedBy]:
        """The recipient's receipts about a statement: delivered first, then opened."""
        if not isinstance(given, list) or len(given) > 2:
            raise _invalid("receipts must be a list of at most delivered and opened")
        result: list[ReceivedBy] = []
        for i, one in enumerate(given):
            if not isinstance(one, dict) or set(one) != {"envelope", "openings"}:
                raise _invalid("a receipt must have envelope and openings")
            receipt = self.statement(one["envelope"])
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
            if i == 0:
                place, time_us = self._place(
                    statement, values["leaf"], values["proof"], receipt.party, remarks
                )
                if values["received"] != place.logged:
                    raise _invalid("a receipt must give the time of its leaf")
                self.check_time(receipt, time_us)
                if not any(
                    known.log == place.log and known.index == place.index for known in logged
                ):
                    logged.append(place)
                result.append(ReceivedBy(receipt.party, place.logged, receipt.id, values["answer"]))
            else:
                self.check_time(receipt, parse_time(values["opened"]))
                result[0] = msgspec.structs.replace(result[0], opened=values["opened"])
        return result

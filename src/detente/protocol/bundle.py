"""Bundles: one file that proves to anyone, offline, who told whom what, and between when and when.

Nothing in a bundle may be unbound: every byte is under a signature, a hash or a Merkle proof, or its loss
is reported. The format is docs/spec/bundle.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from detente.errors import DetenteError, RefusedError
from detente.ledger.policy import Policy
from detente.ledger.quorum import check_policy
from detente.limits import BUNDLE_BYTES
from detente.notice.activity import parse_activity_body
from detente.protocol.bundlecopy import CopyReader, Logged, ReceivedBy
from detente.protocol.doubtful import Doubted
from detente.protocol.interval import (
    Interval,
    find_interval,
    lead_between,
)
from detente.protocol.journal import Json
from detente.protocol.keyring import Keyring
from detente.protocol.opening import add_openings
from detente.protocol.paper import decode_paper, invalid, shown_time
from detente.protocol.stamped import BundleStamps, StampedHead
from detente.protocol.statement import (
    Openings,
    Statement,
    body_values,
    check_openings,
)
from detente.signing.key import STRICT, PublicKeys, Verifier
from detente.units import US_PER_S, parse_time

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MEMBERS = {
    1: frozenset({"copies", "keys", "openings"}),
    2: frozenset({"copies", "keys", "openings", "revocations", "stamps"}),
}

LEGAL_NOTE = (
    "A notice is not a permission and asks for none. It changes nobody's duties under law. "
    "What a party says is its claim; this proves that it said so, to whom, and when it was received."
)


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
        stamps: which heads an authority of time stamps has stamped, and whether the reader knows it.
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
    stamps: list[StampedHead] = []
    quorum: list[Quorum] | None = None


def verify_bundle(
    data: bytes,
    roots: Mapping[str, PublicKeys],
    *,
    agreement: str | None = None,
    opened: Sequence[bytes] = (),
    policy: Policy | None = None,
    authorities: Sequence[Certificate] | None = None,
    verifier: Verifier = STRICT,
) -> Verified:
    """What a bundle proves to somebody who trusts these root keys and nothing else.

    Args:
        roots: root keys by party, from the agreement or compared by voice.
        agreement: hash of the agreement trusted, if any; a statement under another one is remarked on.
        opened: files that open fields which the bundle withholds.
        policy: which logs and how many witnesses satisfy the reader; that they do not is no fault of the bundle.
        authorities: certificates of authorities of time stamps that the reader trusts; without them no stamp counts.

    Raises:
        PeerError: anything is malformed, altered, unsigned or unproved.
    """
    content = decode_paper("bundle", data, MEMBERS, BUNDLE_BYTES)
    remarks: list[str] = []
    known = policy.witnesses.values() if policy is not None else ()
    keys = Keyring("bundle", content["keys"], roots, verifier, others=known)
    keys.take_revocations(content.get("revocations", []), roots)
    stamps = BundleStamps(content.get("stamps", []), authorities, remarks)
    reader = CopyReader(keys, stamps, content["v"], remarks)
    copies = content["copies"]
    if not isinstance(copies, list) or not copies or len(copies) > 64:
        raise invalid("bundle", "copies must be a list of 1 to 64")
    first: Statement | None = None
    openings: Openings = {}
    ids: list[str] = []
    quorum: list[Quorum] = []
    for copy in copies:
        if not isinstance(copy, dict) or set(copy) != {"envelope", "logged", "receipts"}:
            raise invalid("bundle", "a copy must have envelope, logged and receipts")
        if not isinstance(copy["logged"], list) or len(copy["logged"]) != 1:
            raise invalid("bundle", "a copy must be logged once, by who made the bundle")
        statement = reader.keys.statement(copy["envelope"])
        ids.append(statement.id)
        if first is None:
            first, openings = (
                statement,
                check_openings(statement, content["openings"], complete=False),
            )
        if _body_of(statement) != _body_of(first):
            raise invalid("bundle", "all copies must be of one body by one party")
        reader.read(statement, copy["logged"][0], copy["receipts"])
        if policy is not None:
            quorum.append(_quorum(copy["logged"][0]["proof"]["checkpoint"], policy, verifier))
    assert first is not None
    if first.exercise is not content["EXERCISE"]:
        raise invalid("bundle", "EXERCISE in the title must be that of the statement")
    reader.keys.check_all_used()
    stamped = stamps.heads()
    if agreement is not None and first.agreement != agreement:
        remarks.append(
            f"the statement quotes agreement {first.agreement}, not the one trusted here"
        )
    if ids != sorted(set(ids)):
        raise invalid("bundle", "copies must be in order of their ids, each once")
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
        stamps=stamped,
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

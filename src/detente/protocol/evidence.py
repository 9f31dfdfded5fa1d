"""Evidence: one file that proves to anyone, offline, that a party did what no honest party does.

Each kind is a contradiction in what one party signed, or a signed thing that is wrong in itself. What lies
outside the file (a clock, a missing proof, a key that was left out) must never make an honest party look
guilty. The format and the reasons are docs/spec/evidence.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from detente.errors import DetenteError, PeerError, UsageError
from detente.ledger.checkpoint import (
    Checkpoint,
    cosigner_name,
    log_keys,
    log_owner,
    parse_checkpoint,
)
from detente.ledger.cosignature import cosigner_keys
from detente.ledger.leaf import parse_leaf_opening, verify_leaf_opening
from detente.ledger.merkle import (
    HASH_BYTES,
    PROOF_HASHES_MOST,
    Tree,
    verify_consistency,
    verify_inclusion,
)
from detente.ledger.note import Note, find_lines, parse_note
from detente.ledger.proof import LogProof, parse_log_proof
from detente.limits import BUNDLE_BYTES, CLOCK_SKEW_FLAG_S
from detente.protocol.journal import Entry
from detente.protocol.keyring import Keyring
from detente.protocol.paper import decode_paper, encode_paper, invalid
from detente.protocol.rules import check_receipt_form, judge_alone
from detente.protocol.statement import (
    Openings,
    Statement,
    body_values,
    check_openings,
    parse_statement,
)
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import encode_envelope, parse_envelope
from detente.signing.key import STRICT, PublicKeys, Verifier
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.agreement.card import KeyCertificate
    from detente.protocol.core import Core

Json = dict[str, Any]
Kind = Literal[
    "equivocation",
    "chain-fork",
    "log-fork",
    "witness-fork",
    "back-dated",
    "receipt-wrong",
    "rule-broken",
]

MEMBERS = {1: frozenset({"against", "keys", "kind", "proof"})}
# An honest clock is within the limit of true time, so two honest clocks are within twice the limit.
BACK_DATED_S = 2 * CLOCK_SKEW_FLAG_S


class Proved(msgspec.Struct, frozen=True):
    """What a file of evidence proves.

    Attributes:
        against: whose keys signed it.
        sentence: what that party did, in one sentence.
        facts: the ids, sizes and times that contradict each other.
        exercise: of the statements in it; None where it is about a log.
    """

    kind: Kind
    against: str
    exercise: bool | None
    sentence: str
    facts: Json


class Found(msgspec.Struct, frozen=True):
    """Evidence that a node's record holds.

    Attributes:
        index: of the ledger entry that it was found by.
        time: when this node logged that entry.
    """

    kind: Kind
    against: str
    index: int
    time: str
    content: Json


# -- checking ------------------------------------------------------------------------------------


def verify_evidence(
    data: bytes, roots: Mapping[str, PublicKeys], *, verifier: Verifier = STRICT
) -> Proved:
    """What a file proves to somebody who trusts these root keys and nothing else.

    Raises:
        PeerError: anything is malformed, altered or unsigned, or it proves nothing.
    """
    content = decode_paper("evidence", data, MEMBERS, BUNDLE_BYTES, neither=True)
    kind, against, proof = content["kind"], content["against"], content["proof"]
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None or not isinstance(against, str) or not isinstance(proof, dict):
        raise _invalid(
            f"kind must be one of {', '.join(_CHECKS)}, against a party, proof an object"
        )
    members, run = check
    if set(proof) != members:
        raise _invalid(f"proof of {kind} must have {', '.join(sorted(members))}")
    keys = Keyring("evidence", content["keys"], roots, verifier)
    try:
        exercise, sentence, facts = run(keys, against, proof)
    except PeerError:
        raise
    except DetenteError as error:
        raise _invalid(str(error)) from None
    if content["EXERCISE"] is not exercise:
        raise _invalid("EXERCISE must be that of the statements in it, or null")
    keys.check_all_used()
    return Proved(kind, against, exercise, sentence, facts)


def _invalid(message: str) -> PeerError:
    return invalid("evidence", message)


_Outcome = tuple["bool | None", str, Json]


def _two_statements(keys: Keyring, against: str, proof: Json) -> tuple[Statement, Statement]:
    given = proof["envelopes"]
    if not isinstance(given, list) or len(given) != 2:
        raise _invalid("envelopes must be a list of two")
    one, other = (keys.statement(envelope) for envelope in given)
    if not one.id < other.id:
        raise _invalid("envelopes must be of two statements, in order of their ids")
    if {one.party, other.party} != {against}:
        raise _invalid("both statements must be by the party that it is against")
    return one, other


def _check_equivocation(keys: Keyring, against: str, proof: Json) -> _Outcome:
    one, other = _two_statements(keys, against, proof)
    if not contradict(one, other):
        raise _invalid(
            "the two must be of one notice and version, with two bodies or two lists of addressees (S-BODY-3)"
        )
    assert one.thread is not None
    return (
        _exercise(one, other),
        f"{against} said two things as {one.thread.id} version {one.thread.version}",
        {"statements": [one.id, other.id], "to": [one.recipient, other.recipient]},
    )


def contradict(one: Statement, other: Statement) -> bool:
    """Whether two statements by one party are one version of a notice and not one thing (S-BODY-3).

    All copies of a version have one body, one type, one EXERCISE flag and one list of addressees.
    """
    return (
        one.party == other.party
        and one.thread is not None
        and one.thread == other.thread
        and one.thread.kind == "notice"
        and all(s.type in ("activity/notice", "activity/cancel") for s in (one, other))
        and any(
            getattr(one, name) != getattr(other, name)
            for name in ("body_digest", "type", "exercise", "to")
        )
    )


def fork(one: Statement, other: Statement) -> bool:
    """Whether no gapless chain holds both: one number twice, or a predecessor that is another one."""
    if (one.party, one.link, one.chain) != (other.party, other.link, other.chain):
        return False
    first, second = sorted((one, other), key=lambda s: s.sequence)
    if first.sequence == second.sequence:
        return first.id != second.id
    return second.sequence == first.sequence + 1 and second.previous != first.id


def _check_chain_fork(keys: Keyring, against: str, proof: Json) -> _Outcome:
    one, other = _two_statements(keys, against, proof)
    if not fork(one, other):
        raise _invalid(
            "the two must have one number of one chain, or the later must name another predecessor (S-HEAD-3)"
        )
    return (
        _exercise(one, other),
        f"{against} signed two chains as {one.link} {one.chain}",
        {"statements": [one.id, other.id], "numbers": [one.sequence, other.sequence]},
    )


def _exercise(*statements: Statement) -> bool | None:
    flags = {statement.exercise for statement in statements}
    return flags.pop() if len(flags) == 1 else None


def _two_heads(proof: Json) -> tuple[list[str], Checkpoint, Checkpoint]:
    """Two heads of one log that cannot both be true."""
    notes, hashes, root = proof["heads"], proof["hashes"], proof["root"]
    if (
        not isinstance(notes, list)
        or len(notes) != 2
        or not all(isinstance(note, str) for note in notes)
    ):
        raise _invalid("heads must be a list of two notes")
    one, other = (parse_checkpoint(parse_note(note)) for note in notes)
    if one.origin != other.origin:
        raise _invalid("both heads must be of one log")
    if not isinstance(hashes, list) or len(hashes) > PROOF_HASHES_MOST:
        raise _invalid("hashes must be a list of at most 63")
    if one.size == other.size:
        if hashes or root is not None or not one.root < other.root:
            raise _invalid(
                "two heads of one size must have two roots, in order, with neither hashes nor root"
            )
        return notes, one, other
    if not 0 < one.size < other.size:
        raise _invalid("heads must be in order of size, from 1")
    other_root = decode_base64url(root, length=HASH_BYTES, field="root")
    if other_root == one.root:
        raise _invalid("root must be another than that of the smaller head")
    decoded = [decode_base64url(one, length=HASH_BYTES, field="hashes") for one in hashes]
    # the larger head holds, as its first leaves, a tree of the smaller size with another root
    verify_consistency(one.size, other.size, decoded, other_root, other.root)
    return notes, one, other


def _check_log_fork(keys: Keyring, against: str, proof: Json) -> _Outcome:
    notes, one, other = _two_heads(proof)
    if log_owner(one.origin) != against:
        raise _invalid("the heads must be of a log of the party that it is against")
    for note in notes:
        if keys.checkpoint(note, one.origin, against).other_lines:
            raise _invalid("a head must carry the lines of its log and no others")
    return (
        None,
        f"{against} signed two histories of {one.origin}",
        {"log": one.origin, "sizes": [one.size, other.size]},
    )


def _check_witness_fork(keys: Keyring, against: str, proof: Json) -> _Outcome:
    notes, one, other = _two_heads(proof)
    times = [keys.cosigned(note, against).time_s for note in notes]
    if any(len(parse_note(note).signatures) != 2 for note in notes):
        raise _invalid("a head must carry the two lines of the witness and no others")
    return (
        None,
        f"{against} cosigned two histories of {one.origin}",
        {
            "log": one.origin,
            "sizes": [one.size, other.size],
            "cosigned": [_time(time_s * US_PER_S) for time_s in times],
        },
    )


def _check_back_dated(keys: Keyring, against: str, proof: Json) -> _Outcome:
    head, opening, place = proof["head"], proof["leaf"], parse_log_proof(proof["proof"])
    if not isinstance(head, str):
        raise _invalid("head must be a note")
    leaf = parse_leaf_opening(opening)
    hash_ = verify_leaf_opening(leaf, None)
    origin = place.checkpoint.partition("\n")[0]
    if log_owner(origin) != against or leaf.header.index != place.index:
        raise _invalid("the leaf must be of a log of the party that it is against")
    covering = keys.checkpoint(place.checkpoint, origin, against)
    if covering.other_lines:
        raise _invalid("the covering head must carry the lines of its log and no others")
    verify_inclusion(hash_, place.index, covering.size, place.hashes, covering.root)
    before = keys.checkpoint(head, origin, against)
    remarks: list[str] = []
    seen = keys.cosigners(head, against, before.other_lines, remarks)
    if len(seen) != 1 or remarks:
        raise _invalid("the earlier head must carry the lines of its log and of one other party")
    if before.size > place.index:
        raise _invalid("the earlier head must not hold the leaf yet")
    # its own time and the cosigner's: an old head that is cosigned late convicts nobody, nor does a
    # cosigner alone
    bound_s = min(before.time_s, seen[0][1].time_s)
    claimed_us = leaf.header.time_us
    if claimed_us >= (bound_s - BACK_DATED_S) * US_PER_S:
        raise _invalid(
            f"the leaf's time must be more than {BACK_DATED_S} s before both times of the earlier head"
        )
    return (
        None,
        f"{against} logged entry {place.index} of {origin} with a time at which it was not there",
        {
            "log": origin,
            "entry": place.index,
            "claimed": _time(claimed_us),
            "not_yet_there": _time(bound_s * US_PER_S),
            "by": seen[0][0],
        },
    )


def _check_receipt_wrong(keys: Keyring, against: str, proof: Json) -> _Outcome:
    about, receipt = keys.statement(proof["about"]), keys.statement(proof["receipt"])
    values = body_values(check_openings(receipt, proof["openings"]))
    if (
        receipt.party != against
        or receipt.type != "receipt/delivered"
        or about.recipient != against
        or values.get("statement") != about.id
    ):
        raise _invalid(
            "receipt must be one of delivery, by the party that it is against, about the statement"
        )
    why = receipt_fault(about, values, against)
    if why is None:
        raise _invalid("the receipt is right as far as the file shows")
    return (
        receipt.exercise,
        f"{against} signed a receipt that proves nothing: {why}",
        {"receipt": receipt.id, "about": about.id},
    )


def receipt_fault(about: Statement, values: Json, by: str) -> str | None:
    """Why a receipt of delivery is wrong, as far as its own bytes show; None where they show nothing.

    Signatures of the log are left out: a key that is not in a file proves nothing against who owns it.
    """
    try:
        opening, place = parse_leaf_opening(values["leaf"]), parse_log_proof(values["proof"])
        hash_ = verify_leaf_opening(opening, bytes.fromhex(about.id))
        head = parse_checkpoint(parse_note(place.checkpoint))
        verify_inclusion(hash_, place.index, head.size, place.hashes, head.root)
        received_us = parse_time(values["received"])
    except (DetenteError, KeyError) as error:
        return str(error)
    if log_owner(head.origin) != by:
        return "its head is of another party's log"
    if opening.header != about.leaf_header("received", place.index, received_us):
        return "its leaf is of another entry or another time than it says"
    return None


def _check_rule_broken(keys: Keyring, against: str, proof: Json) -> _Outcome:
    statement = keys.statement(proof["envelope"])
    openings = check_openings(statement, proof["openings"])
    answer = judge_alone(statement, openings)
    if statement.party != against or answer.rule is None or answer.rule != proof["rule"]:
        raise _invalid("the statement must break the rule that is named")
    return (
        statement.exercise,
        f"{against} signed a {statement.type} that breaks the rule {answer.rule}",
        {"statement": statement.id, "rule": answer.rule},
    )


_CHECKS: dict[str, tuple[set[str], Callable[[Keyring, str, Json], _Outcome]]] = {
    "equivocation": ({"envelopes"}, _check_equivocation),
    "chain-fork": ({"envelopes"}, _check_chain_fork),
    "log-fork": ({"hashes", "heads", "root"}, _check_log_fork),
    "witness-fork": ({"hashes", "heads", "root"}, _check_witness_fork),
    "back-dated": ({"head", "leaf", "proof"}, _check_back_dated),
    "receipt-wrong": ({"about", "openings", "receipt"}, _check_receipt_wrong),
    "rule-broken": ({"envelope", "openings", "rule"}, _check_rule_broken),
}


def _time(time_us: int) -> str:
    try:
        return format_time(time_us)
    except (OverflowError, ValueError):
        raise _invalid(f"time is {time_us} us; it must be a date that exists") from None


# -- making --------------------------------------------------------------------------------------


def encode_evidence(content: Json, certificates: Sequence[KeyCertificate]) -> bytes:
    """The file of a content as the functions below make it, with the certificates that it needs.

    Args:
        certificates: signing keys known here; those that signed nothing in it are left out.
    """
    used = {str(one) for one in _key_ids(content["proof"])}
    kept = [
        one
        for one in certificates
        if one.use == "signing"
        and (f"{one.party} {one.key_id}" in used or _signed_a_head(content["proof"], one))
    ]
    keys = [one.signed for one in sorted(kept, key=lambda c: (c.party, c.serial, c.key_id))]
    return encode_paper("evidence", {**content, "keys": keys, "v": 1})


def _key_ids(proof: Json) -> Iterator[str]:
    for envelope in (
        *proof.get("envelopes", ()),
        *(proof[name] for name in ("about", "envelope", "receipt") if name in proof),
    ):
        statement = parse_statement(parse_envelope(encode_canonical(envelope)))
        yield f"{statement.party} {statement.key}"


def _signed_a_head(proof: Json, certificate: KeyCertificate) -> bool:
    notes = [*proof.get("heads", ())]
    if "head" in proof:
        notes += [proof["head"], proof["proof"]["checkpoint"]]
    public = PublicKeys(
        decode_base64url(certificate.key["ed25519"], length=32, field="key"),
        decode_base64url(certificate.key["mldsa44"], field="key"),
    )
    for text in notes:
        note, origin = parse_note(text), text.partition("\n")[0]
        lines = list(cosigner_keys(cosigner_name(certificate.party), public))
        if log_owner(origin) == certificate.party:
            lines += log_keys(origin, public)
        if any(find_lines(note, key) for key in lines):
            return True
    return False


def two_statements(kind: Kind, one: Statement, other: Statement) -> Json:
    """Evidence of two statements that contradict each other: ``equivocation`` or ``chain-fork``."""
    first, second = sorted((one, other), key=lambda s: s.id)
    return {
        "EXERCISE": _exercise(one, other),
        "against": one.party,
        "kind": kind,
        "proof": {"envelopes": [envelope_json(first), envelope_json(second)]},
    }


def two_heads(kind: Kind, against: str, notes: Sequence[str], tree: Tree | None = None) -> Json:
    """Evidence of two heads of one log: ``log-fork``, or ``witness-fork`` by who cosigned both.

    Args:
        tree: of the larger head, where their sizes differ: a mirror of that history.

    Raises:
        UsageError: `no-contradiction`: they can both be true as far as is known here.
    """
    heads = sorted(
        ((parse_checkpoint(parse_note(note)), note) for note in notes),
        key=lambda pair: (pair[0].size, pair[0].root),
    )
    (one, first), (other, second) = heads
    names = {cosigner_name(against)} if kind == "witness-fork" else {one.origin}
    hashes: list[str] = []
    root = None
    if one.size != other.size:
        if tree is None or tree.size < other.size or tree.root(other.size) != other.root:
            raise _nothing("no mirror of the larger head is here")
        root = encode_base64url(tree.root(one.size))
        hashes = [encode_base64url(h) for h in tree.consistency_proof(one.size, other.size)]
    if (
        one.origin != other.origin
        or (tree.root(one.size) if root and tree else other.root) == one.root
    ):
        raise _nothing("the two heads agree")
    return {
        "EXERCISE": None,
        "against": against,
        "kind": kind,
        "proof": {
            "hashes": hashes,
            "heads": [only_lines(first, names), only_lines(second, names)],
            "root": root,
        },
    }


def _nothing(why: str) -> UsageError:
    return UsageError("no-contradiction", f"nothing is proved: {why}")


def only_lines(text: str, names: set[str]) -> str:
    """A note with the lines of these names only: what others signed proves nothing here."""
    note = parse_note(text)
    return Note(note.text, tuple(line for line in note.signatures if line.name in names)).format()


def back_dated(against: str, head: str, by: str, leaf: Json, place: LogProof) -> Json:
    """Evidence of an entry whose time is before a head that did not hold it yet.

    Args:
        head: signed by the log and cosigned by `by`.
        leaf: the opening of the entry's leaf.
    """
    origin = place.checkpoint.partition("\n")[0]
    covering = msgspec.structs.replace(place, checkpoint=only_lines(place.checkpoint, {origin}))
    return {
        "EXERCISE": None,
        "against": against,
        "kind": "back-dated",
        "proof": {
            "head": only_lines(head, {origin, cosigner_name(by)}),
            "leaf": {**leaf, "content_salt": None},
            "proof": covering.to_json(),
        },
    }


def wrong_receipt(about: Statement, receipt: Statement, openings: Openings) -> Json:
    """Evidence of a receipt that proves nothing."""
    return {
        "EXERCISE": receipt.exercise,
        "against": receipt.party,
        "kind": "receipt-wrong",
        "proof": {
            "about": envelope_json(about),
            "openings": openings,
            "receipt": envelope_json(receipt),
        },
    }


def broken_rule(statement: Statement, openings: Openings, rule: str) -> Json:
    """Evidence of a statement that a rule refuses whatever else was said."""
    return {
        "EXERCISE": statement.exercise,
        "against": statement.party,
        "kind": "rule-broken",
        "proof": {"envelope": envelope_json(statement), "openings": openings, "rule": rule},
    }


def envelope_json(statement: Statement) -> Any:
    """A statement's envelope as an object."""
    return parse_canonical(encode_envelope(statement.envelope))


def find_evidence(core: Core) -> Iterator[Found]:
    """Everything in a node's record that proves a wrong of somebody else, in order of entry."""
    for entry, _, statement, openings in core.journal.replay_suspect():
        content = (
            _of_alarm(core, entry.local)
            if statement is None
            else _of_refused(core, entry, statement, openings)
        )
        if content is not None:
            yield Found(
                content["kind"],
                content["against"],
                entry.index,
                format_time(entry.header.time_us),
                content,
            )


def export_evidence(core: Core, found: Found) -> bytes:
    """The file of what was found, checked before it is handed on.

    Raises:
        PeerError: it does not convince its own reader.
    """
    certificates = [
        one for known in core.state.keys.certificates.values() for one in known.values()
    ]
    return encode_evidence(found.content, certificates)


def meet_record(core: Core, statement: Statement) -> Json | None:
    """What a statement that somebody else was given proves against its maker, held against this record.

    The caller has verified its signatures. This is how what A and B were told differently comes out.
    """
    if statement.thread is not None and statement.thread.kind == "notice":
        notice = core.state.notices.get(statement.thread.id)
        version = notice.versions.get(statement.thread.version) if notice else None
        for known in version.statements.values() if version else ():
            held = core.journal.statement(known)
            if held is not None and contradict(held[0], statement):
                return two_statements("equivocation", held[0], statement)
    for number in (statement.sequence, statement.sequence - 1):
        after = core.journal.chain(statement.link, statement.chain, number - 1, 1) if number else []
        if after and fork(after[0][0], statement):
            return two_statements("chain-fork", after[0][0], statement)
    return None


def _of_alarm(core: Core, local: Json | None) -> Json | None:
    if local is None or local["type"] != "alarm":
        return None
    if local["code"] == "chain-fork" and "envelope" in local:
        said = parse_statement(parse_envelope(encode_canonical(local["envelope"])))
        return meet_record(core, said)
    if local["code"] == "log-inconsistent" and "evidence" in local:
        return dict(local["evidence"])
    if local["code"] == "log-inconsistent" and len(local.get("heads", ())) == 2:
        try:
            return two_heads("log-fork", local["party"], local["heads"])
        except DetenteError:
            return None
    return None


def _of_refused(core: Core, entry: Entry, statement: Statement, openings: Openings) -> Json | None:
    outcome, _, rule = entry.outcome.partition(":")
    if outcome != "refused" or entry.header.kind != "received":
        return None
    if rule == "equivocation":
        return meet_record(core, statement)
    if judge_alone(statement, openings).rule == rule:
        return broken_rule(statement, openings, rule)
    if statement.type == "receipt/delivered":
        values = body_values(openings)
        about = core.journal.statement(str(values.get("statement")))
        try:
            check_receipt_form(statement, values)
        except DetenteError:
            return None
        if about is not None and receipt_fault(about[0], values, statement.party) is not None:
            return wrong_receipt(about[0], statement, openings)
    return None

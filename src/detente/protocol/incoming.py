"""Incoming: what a node does with a frame from a peer, in the order docs/spec/link.md gives."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from detente.agreement.card import parse_certificate
from detente.errors import DetenteError, PeerError, RefusedError, UsageError
from detente.ledger.checkpoint import parse_checkpoint, verify_checkpoint
from detente.ledger.leaf import parse_leaf_opening, verify_leaf_opening
from detente.ledger.note import parse_note
from detente.ledger.proof import LogProof, parse_log_proof, verify_log_proof
from detente.limits import FRAME_BYTES, FRAME_STATEMENTS
from detente.protocol import cease, linestate, resolution, talk
from detente.protocol.core import Core
from detente.protocol.effect import Alert, Effect, Send
from detente.protocol.journal import Entry, Json
from detente.protocol.keeping import keep_promises
from detente.protocol.ladder import TYPES as LADDER
from detente.protocol.ladder import after_arrival, after_said
from detente.protocol.link import (
    COMPARISONS,
    Comparison,
    Frame,
    Head,
    Link,
    LinkState,
    encode_frame,
    parse_frame,
)
from detente.protocol.opening import check_given_back
from detente.protocol.rules import Answer, earns_receipt, judge, receipt_flags
from detente.protocol.statement import (
    CHAINS,
    Openings,
    Statement,
    body_values,
    check_openings,
    encode_message,
    link_name,
    parse_message,
    parse_vouched,
    seal_info,
)
from detente.protocol.voucher import check_voucher, voucher_for
from detente.signing.base64 import decode_base64url
from detente.signing.canonical import parse_canonical
from detente.signing.envelope import encode_envelope, verify_envelope
from detente.signing.key import PublicKeys, parse_public_keys
from detente.units import US_PER_S, format_time, parse_time

SYNCED_EVERY_US = 5 * US_PER_S  # how often the fact that nothing is missing is made durable


class Taken(msgspec.Struct):
    """What came of a frame: effects for the shell, and counts for its metrics."""

    effects: list[Effect] = []
    entries: list[Entry] = []
    duplicates: int = 0
    not_taken: int = 0

    @property
    def logged(self) -> int:
        """How many statements were new and are in the ledger now."""
        return len(self.entries)


def read_frame(core: Core, data: bytes, now_us: int) -> Frame:
    """A frame that really is from a peer of ours, to us.

    Raises:
        PeerError: it is not; the caller keeps the evidence and answers with the error.
    """

    def verify(party: str, key_id: str, message: bytes, signature: bytes) -> None:
        certificate = core.state.keys.certificate(party, key_id, "transport", now_us)
        key = decode_base64url(certificate.key.get("ed25519"), length=32, field="key")
        core.identity.verifier.verify_ed25519(PublicKeys(key, b""), message, signature)

    frame = parse_frame(data, verify)
    if frame.recipient != core.identity.party or frame.sender not in core.state.peers:
        raise PeerError(
            "frame-misdirected",
            f"frame is from {frame.sender} to {frame.recipient}; it must be from a peer of {core.identity.party} to it",
            field="frame",
            evidence=data[:1024],
        )
    return frame


def take_frame(core: Core, frame: Frame, now_us: int) -> Taken:
    """Compare heads, then log and answer the statements in the frame: one transaction."""
    taken = Taken()
    link = core.link(frame.sender)
    link.heard_us = now_us
    current, timely = link.hear(frame, core.run, lambda: core.entropy(4))
    if current:
        _compare_heads(core, link, frame, now_us, taken)
    if core.fault is not None or link.state in ("cold", "behind"):
        # nothing can be answered, so nothing is taken; the peer keeps it in its outbox
        return taken
    for sealed in frame.messages if timely else ():
        try:
            _take_message(core, link, sealed, now_us, taken)
        except PeerError as error:
            taken.not_taken += 1
            if error.code == "sequence-gap":
                continue  # nobody's fault: our heads ask for what is missing
            core.keep_evidence(now_us, frame.sender, error)
            taken.effects.append(
                Alert(
                    "not-taken",
                    f"a message from {frame.sender} was not taken: {error}",
                    frame.sender,
                )
            )
    if link.may_sign:  # what comes over a forked line is heard, and cannot be answered on it
        _answer_all(core, now_us, taken)
        taken.effects += core.sign_waiting(now_us)
    if current and all(frame.sent[c] == core.state.head(False, frame.sender, c) for c in CHAINS):
        _note_synced(core, link, min(now_us, frame.time_us))
    return taken


def _note_synced(core: Core, link: Link, time_us: int) -> None:
    """All that the peer had said by `time_us` is here; durable every few seconds."""
    name = f"synced:{link.peer}"
    kept_us = core.journal.value(name) if link.synced_us is None else link.synced_us
    link.synced_us = max(time_us, kept_us or 0)
    if kept_us is None or link.synced_us // SYNCED_EVERY_US > kept_us // SYNCED_EVERY_US:
        core.journal.put_value(name, link.synced_us)


# -- heads ---------------------------------------------------------------------------------------


def _compare_heads(core: Core, link: Link, frame: Frame, now_us: int, taken: Taken) -> None:
    """Who is behind whom, proved by the peer with our own signatures where it claims that we are.

    The attack this stops: (1) a node is restored from an old backup. (2) It signs a new statement with
    a number it has used before. (3) Two different statements now carry one number, and the honest
    node looks like a liar. So nothing new is signed before heads agree.
    """
    found: set[Comparison] = set()
    link.contested.clear()
    disputed = [c for c in CHAINS if not _said(core, link.peer, c, frame.received[c])]
    lost = _read_lost(core, frame, now_us) if disputed and frame.lost else []
    for chain in CHAINS:
        ours, theirs = core.state.head(True, link.peer, chain), frame.received[chain]
        if chain not in disputed:
            link.acked[chain] = theirs
            found.add("agree")
            continue
        proof = {s.sequence: s.id for s, _ in lost if s.chain == chain}
        if any(
            number <= ours.sequence and not _said(core, link.peer, chain, Head(number, id_))
            for number, id_ in proof.items()
        ):
            found.add("fork")
        elif max(proof, default=0) > ours.sequence:
            found.add("we-lack")
        else:
            found.add("unproven")
            if theirs.sequence <= ours.sequence:
                link.contested[chain] = theirs.sequence
            if theirs == link.their_received[chain] and not frame.lost:
                # once is no fault: the peer learns only now that we lack it, and proves it next time
                core.keep_evidence(now_us, link.peer, _unproven(link.peer, chain, theirs, ours))
    for chain in CHAINS:
        if frame.known[chain].sequence > frame.sent[chain].sequence:
            found.add("they-lack")
    link.their_received, link.their_sent = dict(frame.received), dict(frame.sent)
    link.their_known = dict(frame.known)
    comparison = next(one for one in COMPARISONS if one in found)
    after = link.after(comparison)
    if after != link.state:
        # first the alarm, then the move: a full disk must not leave a line behind and a ledger that says nothing
        taken.effects += _report_move(core, link, after, frame, now_us)
        link.state = after
    if link.state == "behind" and lost and core.state.recovering:
        taken.effects += _recover(core, link, lost, now_us)
    finish_recovery(core, now_us, taken.effects)


def _unproven(peer: str, chain: str, theirs: Head, ours: Head) -> PeerError:
    return PeerError(
        "head-unproven",
        f"{peer} claims to hold {chain} {theirs.sequence} of ours; ours is {ours.sequence}",
    )


def _said(core: Core, peer: str, chain: str, head: Head) -> bool:
    """Whether the head a peer states is one of our statements."""
    if head.sequence == 0:
        return True
    current = core.state.head(True, peer, chain)
    if current.sequence <= head.sequence:
        return current == head
    found = core.journal.chain(link_name(core.identity.party, peer), chain, head.sequence - 1, 1)
    return bool(found) and found[0][0].id == head.id


def _report_move(
    core: Core, link: Link, after: LinkState, frame: Frame, now_us: int
) -> list[Effect]:
    if after == "behind":
        message = (
            f"{link.peer} holds statements of ours, signed by us, that are not in this record: it was restored from an old "
            "backup. Nothing new is signed. Way forward: restore a newer backup, or run detente recover DIR"
        )
        # an alarm entry is appended but no checkpoint over it is signed while the fault stands
        return core.alarm_once(now_us, "behind", message, link.peer)
    if after == "peer-behind":
        lost = ", ".join(
            f"{c} {frame.sent[c].sequence + 1} to {frame.known[c].sequence}"
            for c in CHAINS
            if frame.known[c].sequence > frame.sent[c].sequence
        )
        message = f"{link.peer} has lost statements that it made ({lost}); they are sent back to it"
        return core.alarm_once(now_us, "peer-behind", message, link.peer)
    if after == "forked":
        message = (
            f"two statements to {link.peer} carry one number; nothing new is signed to it. What it says is "
            "heard, and cannot be answered on this line"
        )
        return core.alarm_once(now_us, "forked", message, link.peer)
    return []


def _read_lost(core: Core, frame: Frame, now_us: int) -> list[tuple[Statement, Openings]]:
    """Statements of ours that the peer sent back: only those that our own keys signed count."""
    found = []
    lost_keys: dict[
        str, PublicKeys
    ] = {}  # a key that replaced another since is lost with what it signed
    for sealed in frame.lost:
        try:
            plain = core.identity.opener.open(sealed, seal_info(frame.sender, core.identity.party))
            statement, openings = parse_message(plain)
            if statement.link != link_name(core.identity.party, frame.sender):
                raise PeerError(
                    "lost-misdirected", "a statement sent back is not of this link", evidence=plain
                )
            opened = check_given_back(statement, openings)
            if statement.type == "policy/key-certificate":
                lost_keys |= _own_certified(core, body_values(opened).get("certificate"))
            public = lost_keys.get(statement.key) or core.state.keys.known_key(
                core.identity.party, statement.key
            )
            verify_envelope(statement.envelope, public, core.identity.verifier)
            found.append((statement, opened))
        except PeerError as error:
            core.keep_evidence(now_us, frame.sender, error)
    return sorted(found, key=lambda pair: (pair[0].chain, pair[0].sequence))


def _own_certified(core: Core, signed: object) -> dict[str, PublicKeys]:
    """A signing key of ours that a lost certificate of our own root vouches for."""
    party, agreement = core.identity.party, core.state.agreement
    if agreement is None:
        return {}
    certificate = parse_certificate(
        signed,
        party=party,
        root=agreement.members[party].root,
        field="certificate",
        verifier=core.identity.verifier,
    )
    if certificate.use != "signing":
        return {}
    public = parse_public_keys(certificate.key, verifier=core.identity.verifier)
    return {certificate.key_id: public}


def start_recovery(core: Core, now_us: int, seen: Json | None = None) -> None:
    """The operator's decision to take lost statements back and go on in a new log epoch.

    The tree this node signed before the loss is gone; to go on in it would fork it against every
    checkpoint that others hold. So a new epoch, a new log, is opened, and its first entry says why, which was the
    last head of the old log here, and which the last that others have seen of it.

    Args:
        seen: the newest head of the old log that a peer or witness holds, verified (`newest_seen`).

    Raises:
        UsageError: nothing is lost.
    """
    if core.fault != "behind":
        raise UsageError(
            "not-behind",
            "this node's record is not behind; recovery is for a record that lost statements",
        )
    kept = core.journal.checkpoint()
    here = None if kept is None else head_json(kept[1])
    core.state.open_epoch(core.tree.size)  # before the entry, whose leaf is salted for the new log
    core.append_local(
        now_us,
        "log/epoch",
        epoch=len(core.epochs),
        reason="restored from an old backup",
        here=here,
        seen=seen,
    )


def head_json(note: str) -> Json:
    """A head of a log as an entry keeps it: origin, size and root beside the whole note."""
    found = parse_checkpoint(parse_note(note))
    return {
        "origin": found.origin,
        "size": found.size,
        "root": found.root.hex(),
        "note": note,
    }


def newest_seen(core: Core, notes: Mapping[str, str]) -> Json | None:
    """The newest head of this log that others hold: only what our own keys signed counts.

    Args:
        notes: by who holds it.
    """
    best: Json | None = None
    party, keys = core.identity.party, core.state.keys
    certificates = keys.certificates.get(party, {})
    for holder, note in sorted(notes.items()):
        for public in [
            keys.known_key(party, one.key_id)
            for one in certificates.values()
            if one.use == "signing"
        ]:
            with contextlib.suppress(DetenteError):
                verify_checkpoint(note, core.origin, public, core.identity.verifier)
                found = head_json(note) | {"by": holder}
                if best is None or found["size"] > best["size"]:
                    best = found
    return best


def _recover(
    core: Core, link: Link, lost: list[tuple[Statement, Openings]], now_us: int
) -> list[Effect]:
    taken = 0
    touched = set()
    effects: list[Effect] = []
    for statement, openings in lost:
        head = core.state.head(True, link.peer, statement.chain)
        if (statement.sequence, statement.previous) == (head.sequence + 1, head.id):
            core.append("made", now_us, "delivered", statement, openings)
            core.said_before(statement)
            missing = sorted(set(statement.body) - set(openings))
            if missing:  # a peer may have destroyed it, or say so: never unseen
                message = f"{statement.id[:12]} ({statement.type}) was given back without {', '.join(missing)}"
                about = {} if statement.notice is None else {"notice": statement.notice}
                effects.append(core.alarm(now_us, "opening-missing", message, link.peer, **about))
            effects += after_said(core, statement, body_values(openings), now_us)
            effects += keep_promises(core, statement, now_us)
            taken += 1
            if statement.type.startswith("activity/") and statement.thread is not None:
                touched.add(statement.thread.id)
    for notice_id in sorted(touched):
        effects += core.after_activity(notice_id, now_us)
    if taken:
        effects.append(
            Alert("recovering", f"{taken} statements were taken back from {link.peer}", link.peer)
        )
    return [*effects, Send(link.peer)]


def finish_recovery(core: Core, now_us: int, effects: list[Effect] | None = None) -> bool:
    """End the fault once every line that had proved it agrees again; part of each comparison of heads."""
    if not core.state.recovering or any(
        core.link(peer).state in ("cold", "behind") for peer in core.state.behind
    ):
        return False
    core.append_local(now_us, "log/recovered", epoch=len(core.epochs))
    if effects is not None:
        effects.append(Alert("recovered", "the record agrees with the peers again"))
        effects += core.sign_waiting(now_us)
    return True


# -- statements ----------------------------------------------------------------------------------


def _take_message(core: Core, link: Link, sealed: bytes, now_us: int, taken: Taken) -> None:
    plain = core.identity.opener.open(sealed, seal_info(link.peer, core.identity.party))
    statement, given, voucher = parse_vouched(plain)
    if statement.link != link_name(link.peer, core.identity.party):
        raise PeerError(
            "addressed-elsewhere",
            f"link is {statement.link!r}; it must be {link.peer}>{core.identity.party}",
            evidence=plain,
        )
    head = core.state.head(False, link.peer, statement.chain)
    vouched = False
    try:
        public = _signing_key(core, statement, given, now_us)
    except PeerError:
        if core.journal.statement(statement.id) is not None:
            taken.duplicates += 1  # it was here before its key stopped counting
            return
        if voucher is None:
            raise
        public, vouched = check_voucher(core.state, statement, voucher, now_us), True
    else:
        if voucher is not None:  # the revocation may come after it on the same chain
            with contextlib.suppress(PeerError):
                check_voucher(core.state, statement, voucher, now_us)
                vouched = True
    verify_envelope(statement.envelope, public, core.identity.verifier)
    # a receipt of ours that came back after a loss shows that we had it whole; the peer may have destroyed
    # openings since (B-DESTROY-4). At any other time what is missing was stripped on the way (S-BODY-2)
    once_whole = statement.id in core.state.receipts
    openings = (check_given_back if once_whole else check_openings)(statement, given)
    if statement.sequence <= head.sequence:
        known = core.journal.statement(statement.id)
        if known is not None:
            taken.duplicates += (
                1  # its receipt is in our outbox until the peer's heads show that it has it
            )
            return
        _forked(core, link, statement, plain, now_us, taken)
    if statement.sequence > head.sequence + 1:
        raise PeerError(
            "sequence-gap",
            f"sequence is {statement.sequence}; it must be {head.sequence + 1}: the missing ones are asked for again",
        )
    if statement.previous != head.id:
        _forked(core, link, statement, plain, now_us, taken)
    answer = _judge(core, statement, openings, now_us)
    if vouched:
        core.append_local(now_us, "statement/vouched", statement=statement.id, voucher=voucher)
    entry = core.append(
        "received",
        now_us,
        answer.answer if answer.rule is None else f"{answer.answer}:{answer.rule}",
        statement,
        openings,
    )
    taken.entries.append(entry)
    if answer.rule == "equivocation":
        message = f"{link.peer} said two things as one version: {answer.message}"
        taken.effects += core.alarm_once(now_us, "equivocation", message, link.peer)
    if answer.answer == "delivered":
        taken.effects += _after_delivery(core, statement, now_us)
    elif earns_receipt(statement.type):
        taken.effects.append(
            Alert(
                answer.answer,
                f"statement {statement.id[:12]} of {link.peer}: {answer.message}",
                link.peer,
                (statement.id,),
            )
        )


def _forked(
    core: Core, link: Link, statement: Statement, plain: bytes, now_us: int, taken: Taken
) -> None:
    """Keep the proof in the ledger itself: evidence has a quota, and a flood must not push this out."""
    message = f"{link.peer} signed two statements as {statement.chain} {statement.sequence}"
    link.disputed.add(statement.chain)
    envelope = parse_canonical(encode_envelope(statement.envelope))
    taken.effects += core.alarm_once(now_us, "chain-fork", message, link.peer, envelope=envelope)
    raise PeerError("chain-fork", message, evidence=plain)


def _signing_key(core: Core, statement: Statement, given: Any, now_us: int) -> PublicKeys:
    try:
        return core.state.keys.signing_key(statement.party, statement.key, now_us)
    except PeerError as unknown:
        if statement.type != "policy/key-certificate" or unknown.code != "key-unknown":
            raise
        # a new key introduces itself: the root's certificate in the body vouches for the key that signed
        openings = check_openings(statement, given)
        agreement = core.state.agreements.get(statement.agreement or "")
        signed = body_values(openings).get("certificate")
        if agreement is None or statement.party not in agreement.members:
            raise
        root = agreement.members[statement.party].root
        found = parse_certificate(
            signed,
            party=statement.party,
            root=root,
            field="certificate",
            verifier=core.identity.verifier,
        )
        if (
            found.use != "signing"
            or found.key_id != statement.key
            or core.state.keys.is_revoked(statement.party, statement.key)
            or not found.valid_from_us <= now_us < found.valid_until_us
        ):
            raise
        return parse_public_keys(found.key, verifier=core.identity.verifier)


def _judge(core: Core, statement: Statement, openings: Openings, now_us: int) -> Answer:
    answer = judge(core.state, statement, openings)
    if answer.answer == "delivered" and statement.type.startswith("receipt/"):
        try:
            check_receipt(core, statement, body_values(openings), now_us)
        except DetenteError as error:
            return Answer("refused", error.code, str(error))
    return answer


def check_receipt(core: Core, statement: Statement, values: Json, now_us: int) -> None:
    """Raise unless a receipt is about a statement of ours to its maker, and proves that it was logged.

    Raises:
        RefusedError: ``receipt-wrong``. PeerError: a proof does not verify.
    """
    found = core.journal.statement(str(values["statement"]))
    unanswered = statement.type == "receipt/no-answer"  # it is about what its maker said to us
    ends = (core.identity.party, statement.party)
    if (
        found is None
        or found[0].link != link_name(*(ends[::-1] if unanswered else ends))
        or found[0].chain != statement.chain
        or found[0].thread != statement.thread
        or found[0].exercise != statement.exercise
        or not (unanswered or earns_receipt(found[0].type))
        or (statement.type in LADDER and found[0].type != "activity/notice")
    ):
        raise RefusedError(
            "receipt-wrong",
            "receipt must quote a statement of ours to its maker, on the same chain and thread",
            field="statement",
        )
    known = core.state.receipts.get(found[0].id)
    if unanswered:
        return
    if statement.type in LADDER:
        if known is None or known.answer != "delivered":
            raise RefusedError(
                "receipt-wrong",
                "receipt must quote a statement that its maker received and did not refuse",
                field="statement",
            )
        return
    if (statement.type == "receipt/delivered") == (known is not None) or (
        known is not None and known.opened is not None
    ):
        raise RefusedError(
            "receipt-repeated",
            "each statement must have one receipt that it was delivered, then at most one that it was opened",
            field="statement",
        )
    if statement.type == "receipt/delivered":
        verify_receipt_proof(
            values,
            found[0],
            statement.party,
            core.state.keys.known_key(
                statement.party, statement.key
            ),  # it counted, or was vouched for
            core,
        )


def verify_receipt_proof(
    values: Json, about: Statement, receiver: str, public: PublicKeys, core: Core
) -> None:
    """The statement is a leaf of the receiver's log, under a checkpoint that the receiver signed."""
    opening = parse_leaf_opening(values["leaf"])
    leaf = verify_leaf_opening(opening, bytes.fromhex(about.id))
    proof = parse_log_proof(values["proof"])
    origin = proof.checkpoint.partition("\n")[0]
    if not origin.startswith(f"detente/{receiver}/log/"):
        raise RefusedError(
            "receipt-wrong",
            f"checkpoint is of {origin!r}; it must be of the log of {receiver}",
            field="proof",
        )
    received_us = parse_time(values["received"])
    if opening.header != about.leaf_header("received", proof.index, received_us):
        # also the time: the receipt must not claim another than its leaf, which cosigners bound
        raise RefusedError(
            "receipt-wrong",
            "the leaf header must be that of the statement and of the time of receipt",
            field="leaf",
        )
    verify_log_proof(proof, leaf, origin, public, verifier=core.identity.verifier)


def _after_delivery(core: Core, statement: Statement, now_us: int) -> list[Effect]:
    thread = statement.thread
    if statement.type in LADDER:
        found = core.journal.statement(statement.id)
        return after_said(core, statement, body_values(found[1]) if found else {}, now_us)
    if statement.type == "receipt/no-answer":
        message = f"{statement.party} says that no answer came in time"
        return [Alert("no-answer", message, statement.party, (statement.id,))]
    if statement.type.startswith("activity/") and thread is not None:
        kind = "notice-cancelled" if statement.type.endswith("cancel") else "notice-received"
        version = core.state.notices[thread.id].latest
        effects: list[Effect] = [
            Alert(
                kind,
                f"{thread.id} version {thread.version}",
                statement.party,
                (thread.id, statement.id),
            )
        ]
        if kind == "notice-received" and version.start_us <= now_us:
            effects.append(
                Alert(
                    "late",
                    f"{thread.id} was received after its start",
                    statement.party,
                    (thread.id,),
                )
            )
        effects += after_arrival(core, statement, now_us)
        return [*effects, *core.after_activity(thread.id, now_us)]
    if statement.type == "policy/key-revocation":
        return _after_revocation(core, statement, now_us)
    if statement.type in cease.CHECKS:
        return cease.told(core.state, statement)
    if statement.type in linestate.CHECKS:
        kept = core.journal.statement(statement.id)
        return linestate.told(statement, body_values(kept[1]) if kept else {})
    if statement.type in resolution.CHECKS:
        return [*resolution.told(core.state, statement), *keep_promises(core, statement, now_us)]
    if statement.type in talk.CHECKS:
        return talk.told(core.state, statement)
    if statement.type == "receipt/delivered":
        return [
            Alert("receipt", f"receipt from {statement.party}", statement.party, (statement.id,))
        ]
    return []


def _after_revocation(core: Core, statement: Statement, now_us: int) -> list[Effect]:
    """Officers learn that a peer's key may have been in other hands: what it signed since is shown so."""
    kept = core.journal.statement(statement.id)
    document = body_values(kept[1])["revocation"]["document"] if kept is not None else {}
    if document.get("reason") != "compromised":
        return []
    message = (
        f"{statement.party} says that its key {document['key_id']} was compromised since {document['revoked_at']}; "
        "what it signed and was logged since then is marked"
    )
    return core.alarm_once(now_us, "key-compromised", message, statement.party)


def _answer_checks(core: Core, now_us: int, taken: Taken) -> None:
    """Replies to checks of the line, before the size that receipts are proved under is taken."""
    for entry in taken.entries:
        if (entry.header.type, entry.outcome) != ("hotline/check", "delivered"):
            continue
        found = core.journal.statement(entry.statement or "")
        if found is not None and not linestate.is_answered(core.state, found[0]):
            linestate.answer_check(core, found[0], now_us)
            taken.effects.append(Send(found[0].party))


def _note_refused(core: Core, now_us: int, taken: Taken) -> None:
    """A request that a rule refuses is still a request: officers see it, though it cannot be answered."""
    for entry in taken.entries:
        if entry.header.type in ("hotline/cease", "hotline/emergency"):
            outcome, _, rule = entry.outcome.partition(":")
            found = core.journal.statement(entry.statement or "")
            if outcome == "refused" and found is not None:
                message = f"{entry.header.type} {found[0].id[:12]} was refused: {rule}; telephone"
                taken.effects += core.alarm_once(now_us, "urgent-refused", message, found[0].party)


def _answer_all(core: Core, now_us: int, taken: Taken) -> None:
    """Receipts for everything that was logged from this frame, all under one checkpoint."""
    _answer_checks(core, now_us, taken)
    _note_refused(core, now_us, taken)
    size = core.tree.size
    note = None
    for entry in taken.entries:
        found = core.journal.statement(entry.statement or "")
        assert found is not None
        statement = found[0]
        if not earns_receipt(statement.type) or statement.id in core.state.receipts:
            continue
        note = note or core.checkpoint(now_us)
        outcome, _, rule = entry.outcome.partition(":")
        proof = LogProof(
            checkpoint=note,
            index=entry.index,
            hashes=tuple(core.tree.inclusion_proof(entry.index, size)),
        )
        values = {
            "answer": outcome,
            "flags": receipt_flags(core.state, statement, now_us),
            "leaf": core.open_leaf(entry).to_json(),
            "proof": proof.to_json(),
            "received": format_time(now_us),
            "rule": rule or None,
            "statement": statement.id,
        }
        core.answer(statement, values, "receipt/delivered", now_us, desk="machine")
        taken.effects.append(Send(statement.party))


# -- outgoing ------------------------------------------------------------------------------------


def next_frame(
    core: Core,
    peer: str,
    now_us: int,
    *,
    chains: tuple[str, ...] = CHAINS,
    most: int = FRAME_STATEMENTS,
) -> Frame:
    """The next frame for a peer: heads always, then what its heads show it lacks, safety first."""
    link = core.link(peer)
    me = core.identity.party
    try:
        key = core.sealing_key(core.state.keys.current(peer, "sealing", now_us))
    except PeerError as error:
        # nothing can be sealed to it; heads still go out, and what it says is still taken
        core.keep_evidence(now_us, peer, error)
        return _frame(core, link, now_us)

    def seal(statement: Statement, openings: Openings) -> bytes:
        return core.identity.sealer.seal(
            key,
            encode_message(statement, openings, voucher_for(core, statement, now_us)),
            seal_info(me, peer),
        )

    if link.state == "cold":
        chains = ()  # heads first; what the peer lacks is not known yet
    core.frames_written += 1
    messages: list[bytes] = []
    room = FRAME_BYTES // 2  # base64 and the frame around it fit in the other half
    ordinary = "ordinary" in chains and core.has_news(peer, "ordinary", now_us)
    full = False
    for chain in chains:
        if full:
            break
        after = link.sent_up_to(chain, now_us)
        if chain == "safety" and ordinary:
            # whatever ordinary arrives has every earlier safety statement beside it, lost frames or not
            after = link.acked[chain].sequence
        if core.state.head(True, peer, chain).sequence <= after:
            continue
        for statement, openings in core.journal.chain(
            link_name(me, peer), chain, after, most - len(messages)
        ):
            sealed = seal(statement, openings)
            if messages and len(sealed) > room:
                full = True
                break
            room -= len(sealed)
            messages.append(sealed)
            link.offer(chain, statement.sequence, now_us)
    if link.state == "cold":
        for chain, number in sorted(link.contested.items()):
            contested = core.journal.chain(link_name(me, peer), chain, number - 1, 1)
            messages += [seal(*one) for one in contested]
    lost: list[bytes] = []
    for chain in CHAINS:
        if link.their_known[chain].sequence > link.their_sent[chain].sequence:
            after = _shared(core, peer, chain, link.their_sent[chain])
        elif chain in link.disputed:
            after = core.state.head(False, peer, chain).sequence - 1
        else:
            continue
        for statement, openings in core.journal.chain(
            link_name(peer, me), chain, after, most - len(lost)
        ):
            sealed = seal(statement, openings)
            if (messages or lost) and len(sealed) > room:
                break
            room -= len(sealed)
            lost.append(sealed)
    return _frame(core, link, now_us, tuple(messages), tuple(lost))


def _frame(
    core: Core,
    link: Link,
    now_us: int,
    messages: tuple[bytes, ...] = (),
    lost: tuple[bytes, ...] = (),
) -> Frame:
    peer = link.peer
    return Frame(
        sender=core.identity.party,
        recipient=peer,
        run=core.session(peer),
        number=core.frames_written,
        time_us=now_us,
        received=core.state.heads(False, peer),
        sent=core.state.heads(True, peer),
        known=dict(link.their_received),
        answers=link.their_run,
        messages=messages,
        lost=lost,
    )


def _shared(core: Core, peer: str, chain: str, head: Head) -> int:
    """Up to which number the peer surely has what we have of its chain: its head, unless that differs."""
    ours = core.journal.chain(
        link_name(peer, core.identity.party), chain, max(0, head.sequence - 1), 1
    )
    differs = head.sequence > 0 and bool(ours) and ours[0][0].id != head.id
    return head.sequence - 1 if differs else head.sequence


def write_frame(core: Core, frame: Frame) -> bytes:
    """The frame's signed bytes."""
    return encode_frame(frame, core.identity.transport_key, core.identity.sign_transport)


def line_quality(core: Core, peer: str, now_us: int) -> dict[str, Any]:
    """What is known of a line, for the status command: state, last heard, waiting, offset."""
    link = core.link(peer)
    heads = core.state.heads(True, peer)
    return {
        "peer": peer,
        "state": link.state,
        "heard": format_time(link.heard_us) if link.heard_us else None,
        "heard_ago_s": round((now_us - link.heard_us) / US_PER_S, 3) if link.heard_us else None,
        "waiting": sum(heads[c].sequence - link.acked[c].sequence for c in CHAINS),
        "unsigned": sum(1 for i in core.intents.values() if peer in i.waiting),
        "offset_s": round(link.offset_us / US_PER_S, 3) if link.offset_us is not None else None,
    }

"""Lying peers, frame by frame: each lie is refused or exposed, its bytes are kept, and nothing stops."""

from __future__ import annotations

import msgspec
import pytest

from detente.agreement.revocation import issue_revocation
from detente.protocol import views
from detente.protocol.audit import audit
from detente.protocol.incoming import read_frame
from detente.protocol.link import Head, parse_frame
from detente.protocol.statement import Thread, encode_message, parse_statement
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import parse_envelope
from detente.signing.key import SEED_BYTES, Signatures
from detente.signing.simulated import KeyedHashKeys
from detente.simulation.liar import Liar
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.party import DAY_US
from detente.simulation.room import Room

NONE = {"safety": Head(), "ordinary": Head()}


def meet(parties: int = 2) -> tuple[Room, SimNode, Liar]:
    """North, honest, with an open line to a lying south."""
    room = Room(parties)
    north = room.node(0)
    liar = room.liar(1, north)
    assert liar.send() is not None
    assert north.running.link("south").state == "open"
    return room, north, liar


def received(node: SimNode, chain: str = "ordinary") -> int:
    """How many statements of one chain of the liar north has taken."""
    return node.running.state.head(False, "south", chain).sequence


def outcome(node: SimNode, statement: str) -> str:
    """How a statement was answered when it was logged."""
    entry = node.running.journal.entry_of(statement)
    assert entry is not None
    return entry.outcome


def alarms(node: SimNode) -> list[str]:
    """The codes of the alarms in a node's ledger."""
    return [alarm.code for alarm in node.running.state.alarms]


def healthy(node: SimNode) -> None:
    """After any lie the record is sound and a rebuild gives the same."""
    assert audit(node.running)["problems"] == []
    assert views.projection(node.load()) == views.projection(node.running)


# -- what is signed ------------------------------------------------------------------------------


def test_equivocation_two_bodies_of_one_version_is_refused_and_both_are_kept() -> None:
    """S-BODY-3: the second body is logged and refused, an alarm names it, both envelopes stay as proof."""
    _, north, liar = meet()
    first, second = liar.say_notice("X-1", 1), liar.say_notice("X-1", 1)
    liar.send(first, second)
    assert outcome(north, first[0].id) == "delivered"
    assert outcome(north, second[0].id) == "refused:equivocation"
    assert alarms(north) == ["equivocation"]
    kept = [north.running.journal.statement(one[0].id) for one in (first, second)]
    assert all(one is not None for one in kept)
    notice = north.running.state.notices["south:X-1"]
    assert notice.latest.body_digest == first[0].body_digest
    healthy(north)


def test_replay_of_a_statement_changes_nothing() -> None:
    """Rule 2: the same statement again is the same statement, and its receipt is the same receipt."""
    _, north, liar = meet()
    said = liar.say_notice()
    liar.send(said)
    entries, made = north.running.tree.size, north.running.state.heads(True, "south")
    receipt = _receipt(liar, liar.send(received=NONE))
    again = _receipt(liar, liar.send(said, received=NONE))
    assert receipt == again
    assert north.running.tree.size == entries
    assert north.running.state.heads(True, "south") == made
    assert alarms(north) == []


def test_reordered_statements_wait_for_the_missing_one() -> None:
    """F-EX-2: A gap is not taken and is nobody's fault; when all come, they are logged in order."""
    _, north, liar = meet()
    first, second, third = (liar.say_notice(f"X-{i}") for i in range(3))
    liar.send(third, second)
    assert received(north) == 0
    assert north.disk.evidence() == []
    liar.send(third, first, second, third)
    assert received(north) == 3
    healthy(north)


def test_gap_is_asked_for_again() -> None:
    """The answer to a gap carries the head, so an honest sender starts again after it."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    for name in ("A-1", "A-2"):
        notice = random_notice(name, room.chance, north.now_us(), exercise=True)
        north.run(lambda core: core.file_notice(notice, (), north.now_us(), officer="o", desk="d"))  # noqa: B023
        north.write("south")  # lost
    room.wait(5)
    converse(north, south)
    assert south.running.state.head(False, "north", "ordinary").sequence == 2


def test_two_statements_with_one_number_are_a_fork_and_kept_in_the_ledger() -> None:
    """The second is not taken; an alarm in the ledger itself holds its envelope, once."""
    _, north, liar = meet()
    first = liar.say_notice("X-1", keep=False)
    second = liar.say_notice("X-2", keep=False)
    liar.send(first, sent={"safety": Head(), "ordinary": Head(1, first[0].id)})
    for _ in range(3):
        liar.send(second, sent={"safety": Head(), "ordinary": Head(1, second[0].id)})
    assert received(north) == 1
    assert alarms(north) == ["chain-fork"]
    local = next(
        entry.local
        for entry, _, _, _ in north.running.journal.replay()
        if entry.local and entry.local["type"] == "alarm"
    )
    kept = parse_statement(parse_envelope(encode_canonical(local["envelope"])))
    assert kept == second[0]
    assert north.disk.evidence_counts()["chain-fork"] == 3
    healthy(north)


def test_wrong_previous_is_a_fork() -> None:
    """S-HEAD-3: a statement that follows another history than the one held is not taken."""
    _, north, liar = meet()
    liar.send(liar.say_notice("X-1"))
    liar.send(liar.say_notice("X-2", previous="ab" * 32))
    assert received(north) == 1
    assert alarms(north) == ["chain-fork"]


def test_statement_to_somebody_else_is_not_taken() -> None:
    """S-HEAD-2, K-SEAL-4: what south said to east cannot be passed off as said to north."""
    _, north, liar = meet(3)
    liar.send(liar.say_notice(recipient="east", to=["east"], keep=False))
    liar.send(liar.say_notice(recipient="east", to=["east", "north"], keep=False))
    assert received(north) == 0
    assert north.disk.evidence_counts() == {"addressed-elsewhere": 2}


def test_statement_of_somebody_else_is_not_taken() -> None:
    """South cannot speak for east, though it holds a true statement of east's."""
    room, north, liar = meet(3)
    east = room.liar(2, north)
    statement, openings = east.say_notice()
    liar.send((statement, openings))
    assert north.disk.evidence_counts() == {"addressed-elsewhere": 1}
    assert north.running.state.head(False, "east", "ordinary").sequence == 0


@pytest.mark.parametrize("how", ["stripped", "false", "added", "malformed", "salt"])
def test_openings_that_are_not_the_signed_ones_move_no_chain(how: str) -> None:
    """S-BODY-2: the envelope alone is not taken, so the maker's own copy still can be."""
    _, north, liar = meet()
    statement, openings = liar.say_notice()
    wrong: dict[str, object] = {
        "stripped": {k: v for k, v in openings.items() if k != "pieces"},
        "false": {**openings, "precedence": [openings["precedence"][0], "flash"]},
        "added": {**openings, "extra": openings["precedence"]},
        "malformed": {**openings, "precedence": {"salt": 1}},
        "salt": {**openings, "precedence": ["AA", "routine"]},
    }
    plain = {
        "envelope": parse_canonical(encode_message(statement, {}))["envelope"],  # type: ignore[call-overload,index]
        "openings": wrong[how],
    }
    north.serve(liar.frame([liar.seal_plain(encode_canonical(plain))]))
    assert received(north) == 0
    assert north.disk.evidence_counts() == {"openings-wrong": 1}
    liar.send((statement, openings))
    assert outcome(north, statement.id) == "delivered"


def test_withheld_field_is_signed_and_refused_where_it_is_needed() -> None:
    """A field withheld by the maker is on the chain, and the answer names what is missing."""
    _, north, liar = meet()
    statement, openings = liar.say_notice(withheld=["pieces"])
    del openings["pieces"]
    liar.send((statement, openings))
    assert outcome(north, statement.id) == "refused:field-missing"
    healthy(north)


def test_statement_by_an_unknown_key_is_not_taken() -> None:
    """S-SIG-1: a key that no root certified signs nothing."""
    _, north, liar = meet()
    stranger = KeyedHashKeys(bytes(SEED_BYTES))
    liar.send(liar.say_notice(signer=stranger, keep=False))
    assert north.disk.evidence_counts() == {"key-unknown": 1}
    assert received(north) == 0


def test_statement_by_a_revoked_key_is_not_taken() -> None:
    """A key that its root revoked signs nothing more, and what it signed before still stands."""
    _, north, liar = meet()
    liar.send(liar.say_notice("X-1"))
    revocation = issue_revocation(
        liar.party.root,
        party="south",
        key_id=liar.party.identity.signer.public.key_id,
        revoked_at_us=north.now_us(),
        reason="compromised",
    )
    liar.send(liar.say("policy/key-revocation", {"revocation": revocation}, chain="safety"))
    liar.send(liar.say_notice("X-2"))
    assert received(north) == 1
    assert north.disk.evidence_counts() == {"key-revoked": 1}
    healthy(north)


def test_new_key_introduces_itself_unless_it_was_revoked_before() -> None:
    """A certificate in the body vouches for the key that signed it; a revocation that came first wins."""
    _, north, liar = meet()
    new, bad = KeyedHashKeys(b"n" * SEED_BYTES), KeyedHashKeys(b"b" * SEED_BYTES)

    def certificate(keys: KeyedHashKeys) -> dict[str, object]:
        return liar.party.certify(keys, 2, north.now_us() - DAY_US, north.now_us() + DAY_US)

    revocation = issue_revocation(
        liar.party.root,
        party="south",
        key_id=bad.public.key_id,
        revoked_at_us=north.now_us(),
        reason="lost",
    )
    liar.send(liar.say("policy/key-revocation", {"revocation": revocation}, chain="safety"))
    said = {"certificate": certificate(bad)}
    liar.send(liar.say("policy/key-certificate", said, chain="safety", signer=bad, keep=False))
    assert received(north, "safety") == 1
    said = {"certificate": certificate(new)}
    liar.send(liar.say("policy/key-certificate", said, chain="safety", signer=new))
    liar.send(liar.say_notice("X-1", signer=new))
    assert received(north) == 1
    assert received(north, "safety") == 2
    healthy(north)


@pytest.mark.parametrize(
    ("offset_s", "flags"),
    [
        (30 * 365 * 86_400, ["claimed-early"]),
        (-30 * 365 * 86_400, ["claimed-late"]),
        (10, []),
    ],
)
def test_claimed_time_far_off_is_flagged_and_kept(offset_s: int, flags: list[str]) -> None:
    """A clock that is decades wrong costs a flag, never the statement."""
    _, north, liar = meet()
    statement, openings = liar.say_notice(claimed_us=north.now_us() + offset_s * 1_000_000)
    liar.send((statement, openings))
    assert outcome(north, statement.id) == "delivered"
    assert north.running.state.receipts[statement.id].flags == flags


def test_unknown_type_is_logged_and_answered_not_understood() -> None:
    """What a newer version says is stored and answered; the chain goes on."""
    _, north, liar = meet()
    thread = Thread("south:I-1", "incident", 1)
    statement, openings = liar.say("inquiry/incident", {"what": "seen"}, thread=thread)
    liar.send((statement, openings), liar.say_notice())
    assert outcome(north, statement.id) == "not-understood:type-unknown"
    assert north.running.state.receipts[statement.id].answer == "not-understood"
    assert received(north) == 2
    healthy(north)


def test_known_type_on_the_wrong_chain_is_refused() -> None:
    """An ordinary matter cannot jump the queue on the safety chain."""
    _, north, liar = meet()
    statement, openings = liar.say_notice(chain="safety")
    liar.send((statement, openings))
    assert outcome(north, statement.id) == "refused:wrong-chain"
    assert north.running.state.notices == {}


def test_exercise_flag_never_flips_within_a_notice() -> None:
    """S-ANS-4: a real version of an exercise notice is refused, and so is a cease that flips it."""
    _, north, liar = meet()
    liar.send(liar.say_notice("X-1", 1, exercise=True))
    flipped = liar.say_notice("X-1", 2, exercise=False)
    thread = Thread("south:X-1", "notice", 1)
    ceased = liar.say(
        "hotline/cease", {"reason": "stop"}, chain="safety", exercise=False, thread=thread
    )
    liar.send(flipped, ceased)
    assert outcome(north, flipped[0].id) == "refused:exercise-flip"
    assert outcome(north, ceased[0].id) == "refused:exercise-flip"
    assert north.running.state.notices["south:X-1"].latest.number == 1
    healthy(north)


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"thread": None}, "thread-wrong"),
        ({"thread": Thread("north:A-1", "notice", 1)}, "notice-of-another"),
        ({"thread": Thread("south:X-1", "incident", 1)}, "thread-wrong"),
        ({"agreement": "00" * 32}, "agreement-unknown"),
        ({"agreement": None}, "agreement-unknown"),
        ({"to": ["mars", "north"]}, "not-a-party"),
    ],
)
def test_statement_that_breaks_a_rule_is_refused_by_name(
    members: dict[str, object], rule: str
) -> None:
    """An authentic statement is never dropped: it is logged, and the answer names the rule."""
    _, north, liar = meet()
    statement, openings = liar.say_notice(**members)
    liar.send((statement, openings))
    assert outcome(north, statement.id) == f"refused:{rule}"
    healthy(north)


# -- receipts ------------------------------------------------------------------------------------


def _delivered(north: SimNode, room: Room) -> str:
    notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
    north.run(lambda core: core.file_notice(notice, (), north.now_us(), officer="o", desk="d"))
    return north.running.state.head(True, "south", "ordinary").id or ""


RECEIPT = {
    "answer": "delivered",
    "flags": [],
    "leaf": {},
    "proof": {},
    "received": "2018-09-17T12:00:00Z",
    "rule": None,
}


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({}, "leaf-malformed"),
        ({"statement": "ab" * 32}, "receipt-wrong"),
        ({"statement": 5}, "receipt-wrong"),
        ({"received": "yesterday"}, "receipt-wrong"),
        ({"received": ["2018-09-17T12:00:00Z"]}, "receipt-wrong"),
        ({"flags": 7}, "receipt-wrong"),
        ({"flags": [{}]}, "receipt-wrong"),
        ({"answer": {"delivered": True}}, "receipt-wrong"),
        ({"answer": "delivered", "rule": "exercise-flip"}, "receipt-wrong"),
        ({"answer": "refused", "rule": None}, "receipt-wrong"),
        ({"rule": 2**53 - 1}, "receipt-wrong"),
    ],
)
def test_receipt_that_proves_nothing_is_refused(changed: dict[str, object], rule: str) -> None:
    """A receipt of any wrong form is logged as refused and counts for nothing; the node goes on."""
    room, north, liar = meet()
    wanted = _delivered(north, room)
    thread = Thread("north:A-1", "notice", 1)
    values = {**RECEIPT, "statement": wanted, **changed}
    said = liar.say("receipt/delivered", values, thread=thread)
    liar.send(said)
    assert outcome(north, said[0].id) == f"refused:{rule}"
    assert wanted not in north.running.state.receipts
    healthy(north)


def test_receipt_given_twice_counts_once() -> None:
    """S-ANS-5: A second receipt for one statement is refused: the answer of record is the first."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    wanted = _delivered(north, room)
    room.wait(3)
    converse(north, south)
    first = north.running.state.receipts[wanted]
    liar = room.liar(1, north)
    liar.heads = dict(north.running.state.heads(False, "south"))
    kept = north.running.journal.statement(first.receipt)
    assert kept is not None
    values = {name: value for name, (_, value) in kept[1].items()}
    thread = Thread("north:A-1", "notice", 1)
    again = liar.say("receipt/delivered", values, thread=thread)
    opened = {"desk": "d", "opened": "2018-09-17T12:00:00Z", "statement": wanted}
    once, twice = (liar.say("receipt/opened", opened, thread=thread) for _ in range(2))
    liar.send(again, once, twice)
    assert outcome(north, again[0].id) == "refused:receipt-repeated"
    assert outcome(north, once[0].id) == "delivered"
    assert outcome(north, twice[0].id) == "refused:receipt-repeated"
    assert north.running.state.receipts[wanted].receipt == first.receipt
    assert north.running.state.receipts[wanted].opened == once[0].id


def test_receipt_with_another_time_than_its_leaf_is_refused() -> None:
    """The time of receipt is the leaf's: a receiver cannot log one time and sign another."""
    room = Room()
    north, south = room.nodes()
    converse(north, south)
    wanted = _delivered(north, room)
    room.wait(3)
    honest = south.serve(north.write("south"))  # south's own receipt, held back
    assert honest is not None
    found = south.running.state.receipts[wanted]
    kept = south.running.journal.statement(found.receipt)
    assert kept is not None
    liar = room.liar(1, north)
    values = {name: value for name, (_, value) in kept[1].items()}
    values["received"] = "2018-09-17T11:00:00Z"
    said = liar.say("receipt/delivered", values, thread=Thread("north:A-1", "notice", 1))
    liar.send(said)
    assert outcome(north, said[0].id) == "refused:receipt-wrong"


# -- policy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"key_id": ["a"]},
        {"key_id": "ab" * 16},
        {"serial": "9"},
        {"serial": 1.5},
        {"use": ["signing"]},
        {"use": "voting"},
        {"key": 5},
        {"key": {}},
        {"valid_from": 0},
        {"v": 2},
        {"party": "north"},
        {"extra": 1},
    ],
)
def test_certificate_of_any_wrong_type_is_refused_and_the_node_goes_on(
    changed: dict[str, object],
) -> None:
    """A root may sign nonsense about its own keys; nobody else stops working for it."""
    from detente.agreement.card import CERTIFICATE_TYPE
    from detente.agreement.document import sign_document

    room, north, liar = meet()
    good = liar.party.card["document"]["certificates"][0]["document"]
    document = {**good, "serial": 7, **changed}
    if isinstance(document["serial"], float):
        signed: dict[str, object] = {"document": {**document, "serial": None}, "signatures": {}}
    else:
        signed = sign_document(liar.party.root, CERTIFICATE_TYPE, document)
    said = liar.say("policy/key-certificate", {"certificate": signed}, chain="safety")
    liar.send(said)
    assert outcome(north, said[0].id).startswith("refused:")
    liar.send(liar.say_notice())
    assert received(north) == 1
    assert _delivered(north, room)
    healthy(north)


def test_sealing_key_that_cannot_be_sealed_to_stops_only_its_owner() -> None:
    """F-SEND-6: A peer whose sealing keys are gone still gets heads, and is still heard."""
    room, north, liar = meet()
    sealing = next(
        one["document"]["key_id"]
        for one in liar.party.card["document"]["certificates"]
        if one["document"]["use"] == "sealing"
    )
    revocation = issue_revocation(
        liar.party.root, party="south", key_id=sealing, revoked_at_us=north.now_us(), reason="lost"
    )
    liar.send(liar.say("policy/key-revocation", {"revocation": revocation}, chain="safety"))
    room.wait(1)
    answer = liar.send(liar.say_notice())
    assert answer is not None
    assert received(north) == 1
    assert _parsed(answer).messages == ()
    healthy(north)


# -- heads and frames ----------------------------------------------------------------------------


def test_claim_to_hold_more_without_proof_changes_nothing() -> None:
    """F-HEAD-2: A peer that says we lost statements must show them, signed by us; else its word is kept and ignored."""
    _, north, liar = meet()
    claim = {"safety": Head(), "ordinary": Head(9, "cd" * 32)}
    for _ in range(3):
        liar.send(received=claim)
    assert north.running.link("south").state == "open"
    assert north.running.fault is None
    assert alarms(north) == []
    assert set(north.disk.evidence_counts()) == {"head-unproven"}


def test_claim_to_hold_more_keeps_a_cold_line_cold() -> None:
    """F-HEAD-2, F-STATE-1: Without proof a line that was not compared yet does not open: the claim may be true."""
    room = Room()
    north = room.node(0)
    liar = room.liar(1, north)
    liar.send(received={"safety": Head(), "ordinary": Head(9, "cd" * 32)})
    assert north.running.link("south").state == "cold"


def test_statements_that_we_never_signed_prove_no_loss() -> None:
    """F-HEAD-1: Only our own signatures prove that we lost something."""
    _room, north, liar = meet()
    forged = liar.say_notice(
        party="north", recipient="south", to=["south"], sequence=5, previous="ab" * 32, keep=False
    )
    claim = {"safety": Head(), "ordinary": Head(5, forged[0].id)}
    liar.send(received=claim, lost=(liar.seal(*forged),))
    assert north.running.fault is None
    assert alarms(north) == []
    assert "key-unknown" in north.disk.evidence_counts()


def test_statement_with_our_key_id_and_another_signature_proves_no_loss() -> None:
    """F-HEAD-1: naming our key is not signing with it."""
    _room, north, liar = meet()
    signer = north.party.identity.signer
    real, openings = liar.say_notice(
        signer=signer,
        party="north",
        recipient="south",
        to=["south"],
        sequence=5,
        previous="ab" * 32,
        keep=False,
    )
    zero = msgspec.structs.replace(real.envelope, signatures=Signatures(bytes(64), bytes(2420)))
    forged = msgspec.structs.replace(real, envelope=zero)
    claim = {"safety": Head(), "ordinary": Head(5, forged.id)}
    liar.send(received=claim, lost=(liar.seal(forged, openings),))
    assert north.running.fault is None
    liar.send(received=claim, lost=(liar.seal(real, openings),))
    assert north.running.fault == "behind", "the true signature does prove it"


def test_frame_forged_by_a_third_member_is_nobodys() -> None:
    """F-FRAME-2, F-FRAME-3: East passes TLS, but cannot speak about heads for south."""
    room, north, liar = meet(3)
    forged = liar.frame(key=room.parties[2], sent={"safety": Head(), "ordinary": Head()})
    assert north.serve(forged) is None
    assert north.disk.evidence_counts() == {"key-unknown": 1}
    own = room.liar(2, north).frame(sender="south")
    assert north.serve(own) is None


def test_frame_to_somebody_else_is_not_taken() -> None:
    """F-FRAME-2: A frame for east that is replayed to north is refused before its heads are read."""
    _, north, liar = meet(3)
    assert north.serve(liar.frame(recipient="east")) is None
    assert north.disk.evidence_counts() == {"frame-misdirected": 1}


def test_frame_of_a_stranger_is_not_taken() -> None:
    """Who is in no agreement with us has no line."""
    _room, north, _ = meet(2)
    stranger = Room(3, seed=9).liar(2, north)
    assert north.serve(stranger.frame()) is None


def test_admission_of_a_loss_is_an_alarm_once() -> None:
    """F-STATE-3, F-SEND-4: A peer that says it lost statements is shown them, and one alarm is raised however often it says so."""
    _, north, liar = meet()
    first = liar.say_notice("X-1")
    liar.send(first)
    held = north.running.state.heads(False, "south")
    answers = [liar.send(sent=NONE, known=held) for _ in range(3)]
    assert alarms(north) == ["peer-behind"]
    assert north.running.link("south").state == "peer-behind"
    assert answers[-1] is not None
    assert len(_parsed(answers[-1]).lost) == 1
    liar.send()
    assert north.running.link("south").state == "open"


def test_peer_that_is_behind_still_gets_receipts() -> None:
    """Our own chain is whole, so what a peer says while it is behind is logged and answered."""
    _, north, liar = meet()
    liar.send(liar.say_notice("X-1"))
    liar.send(sent=NONE, known=north.running.state.heads(False, "south"))
    assert north.running.link("south").state == "peer-behind"
    said = liar.say_notice("X-2")
    liar.send(said, sent=NONE, known=north.running.state.heads(False, "south"))
    assert said[0].id in north.running.state.receipts


def test_slower_peer_gets_the_rest_again_and_is_not_blamed() -> None:
    """F-SEND-1: A head below what was acknowledged before means: send again. It is no sign of anything worse."""
    room, north, liar = meet()
    _delivered(north, room)
    made = north.running.state.heads(True, "south")
    liar.send(received=made)
    assert north.running.link("south").acked == made
    room.wait(5)
    answer = liar.send(received=NONE)
    assert answer is not None
    assert len(_parsed(answer).messages) == 1
    assert alarms(north) == []


def test_overtaken_frame_accuses_nobody() -> None:
    """F-CUR-1, F-HEAD-3: A frame that arrives after a later one of the same run says nothing about heads."""
    _, north, liar = meet()
    old = liar.frame(received=NONE, sent=NONE)
    liar.send(liar.say_notice("X-1"))
    north.serve(old)
    assert north.running.link("south").their_sent["ordinary"].sequence == 1
    assert alarms(north) == []


# -- bytes ----------------------------------------------------------------------------------------


def _hostile_frames(liar: Liar) -> list[bytes]:
    good = liar.frame()
    body = good.partition(b'{"frame":')[2].partition(b',"key":')[0]
    key = b',"key":' + good.partition(b',"key":')[2]
    deep = b"[" * 100_000 + b"]" * 100_000

    def with_body(changed: bytes) -> bytes:
        return b'{"frame":' + changed + key

    return [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"frame":{},"key":"","signature":""}',
        b'{"frame":' + deep + key,
        deep,
        with_body(body.replace(b'"v":1', b'"v":true')),
        with_body(body.replace(b'"v":1', b'"v":99999999999999999999999999')),
        with_body(body.replace(b'"number":', b'"number":1e3,"x":')),
        with_body(body.replace(b'"messages":[]', b'"messages":[5]')),
        with_body(body.replace(b'"messages":[]', b'"messages":["*"]')),
        with_body(body.replace(b'"messages":[]', b'"messages":{}')),
        with_body(body.replace(b'"ordinary":[0,null]', b'"ordinary":[-1,null]')),
        with_body(body.replace(b'"ordinary":[0,null]', b'"ordinary":[1,"x"]')),
        with_body(body.replace(b'"ordinary":[0,null]', b'"ordinary":[9007199254740992,null]')),
        with_body(body.replace(b'"ordinary":[0,null]', b'"odd":[0,null]')),
        with_body(body.replace(b'"run":"', b'"run":"g')),
        with_body(body.replace(b'"from":"south"', b'"from":"\\ud800"')),
        with_body(body.replace(b'"time":"2018', b'"time":"0000')),
        good[:-20],
        good.replace(b'"signature":"', b'"signature":"A'),
        good[:-1] + b',"more":1}',
    ]


@pytest.mark.parametrize("number", range(24))
def test_hostile_frame_bytes_are_refused_as_the_peers_fault(number: int) -> None:
    """F-FRAME-1: Whatever the bytes, the reader raises PeerError and nothing else, and keeps a sample."""
    _, north, liar = meet()
    data = _hostile_frames(liar)[number]
    assert north.serve(data) is None
    assert sum(north.disk.evidence_counts().values()) == 1
    assert north.serve(liar.frame()) is not None


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"null",
        b'{"envelope":null,"openings":null}',
        b'{"envelope":{},"openings":{}}',
        b'{"envelope":{"payload":5,"payloadType":"x/y","signatures":[]},"openings":{}}',
        b"[" * 50_000,
        b'{"envelope":1e400,"openings":{}}',
    ],
)
def test_hostile_message_bytes_are_not_taken_and_the_next_one_is(plain: bytes) -> None:
    """Rubbish that was sealed for us is a sample under its sender's name; statements beside it count."""
    _, north, liar = meet()
    said = liar.say_notice()
    north.serve(liar.frame([liar.seal_plain(plain), b"not sealed at all", liar.seal(*said)]))
    assert received(north) == 1
    assert sum(north.disk.evidence_counts().values()) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pieces", 5),
        ("pieces", [5]),
        ("pieces", [{}]),
        ("pieces", [{"geometry": {"type": []}}]),
        ("pieces", []),
        ("activity", []),
        ("activity", {"a": 1}),
        ("precedence", {"x": []}),
        ("precedence", None),
        ("text", 1),
        ("text", "\u202e"),
        ("region", ["x"]),
        ("unheard-of", 1),
    ],
)
def test_hostile_body_values_are_refused_by_a_rule(field: str, value: object) -> None:
    """A body of any JSON is logged and refused; no type in it stops the receiver."""
    _, north, liar = meet()
    values = {**liar.notice_values(), field: value}
    said = liar.say("activity/notice", values, thread=Thread("south:X-1", "notice", 1))
    liar.send(said, liar.say_notice("X-2"))
    assert outcome(north, said[0].id).startswith("refused:")
    assert received(north) == 2
    healthy(north)


@pytest.mark.parametrize("value", [5, None, [], {"a": 1}, "", "x" * 5000, "a\u0000b"])
@pytest.mark.parametrize("field", ["reason", "place", "text"])
def test_hostile_cease_values_are_refused_by_a_rule(field: str, value: object) -> None:
    """The most urgent message is checked like any other before it reaches a screen."""
    _, north, liar = meet()
    said = liar.say("hotline/cease", {"reason": "stop", field: value}, chain="safety")
    liar.send(said)
    assert outcome(north, said[0].id) == "refused:text-malformed"
    assert north.running.state.ceases == []


@pytest.mark.parametrize(
    "members",
    [
        {"type_": "x" * 65},
        {"type_": "Activity"},
        {"desk": ""},
        {"desk": "d" * 65},
        {"thread": Thread("south:X", "notice", 0)},
        {"thread": Thread("s" * 201, "notice", 1)},
        {"thread": Thread("south:X", "No", 1)},
        {"body": {f"f{i}": "x" for i in range(65)}},
        {"body": {"UPPER": "x"}},
        {"to": ["north", "north"]},
        {"to": ["north", "south"]},
        {"sequence": 0},
        {"previous": "ab" * 32},
        {"withheld": ["nothing"]},
    ],
)
def test_malformed_header_is_not_taken(members: dict[str, object]) -> None:
    """S-HEAD-4, S-HEAD-1: what breaks the form of the header is not shown to be a statement at all."""
    from detente.errors import PeerError
    from detente.protocol.statement import STATEMENT_TYPE, encode_payload
    from detente.signing.envelope import encode_envelope, sign_envelope

    _, north, liar = meet()
    signer = liar.party.identity.signer
    parts: dict[str, object] = {
        "exercise": True,
        "agreement": None,
        "body": {},
        "chain": "ordinary",
        "claimed_us": north.now_us(),
        "party": "south",
        "desk": "desk",
        "recipient": "north",
        "previous": None,
        "sequence": 1,
        "thread": None,
        "to": ["north"],
        "type_": "activity/notice",
        **members,
    }
    payload = encode_payload(key=signer.public.key_id, **parts)  # type: ignore[arg-type]
    if members.get("withheld"):
        payload = payload.replace(b'"withheld":[]', b'"withheld":["nothing"]')
    if members.get("to") == ["north", "north"]:
        payload = payload.replace(b'"to":["north"]', b'"to":["north","north"]')
    envelope = sign_envelope(signer, STATEMENT_TYPE, payload)
    with pytest.raises(PeerError):
        parse_statement(envelope)
    plain = {"envelope": parse_canonical(encode_envelope(envelope)), "openings": {}}
    north.serve(liar.frame([liar.seal_plain(encode_canonical(plain))]))
    assert received(north) == 0
    assert north.disk.evidence_counts() == {"statement-malformed": 1}


def test_evidence_of_a_flood_is_bounded() -> None:
    """Unsigned rubbish is counted in full and kept in samples, so that it cannot fill a disk."""
    from detente.limits import EVIDENCE_SAMPLES_PER_PEER_DAY

    _, north, liar = meet()
    for _ in range(5):
        north.serve(liar.frame([b"rubbish"] * 64))
    assert north.disk.evidence_counts() == {"sealing-unopenable": 320}
    assert len(north.disk.evidence()) == EVIDENCE_SAMPLES_PER_PEER_DAY


# -- reading what the node answers ------------------------------------------------------------------


def _parsed(answer: bytes | None):  # type: ignore[no-untyped-def]
    assert answer is not None
    return parse_frame(answer, lambda party, key, message, signature: None)


def _receipt(liar: Liar, answer: bytes | None) -> list[bytes]:
    return [
        liar.party.identity.opener.open(sealed, b"detente:seal:v1\nnorth>south")
        for sealed in _parsed(answer).messages
    ]


def test_read_frame_gives_what_was_written() -> None:
    """A frame of an honest node reads back as it was."""
    _, north, liar = meet()
    frame = read_frame(north.running, liar.frame(), north.now_us())
    assert (frame.sender, frame.recipient, frame.answers) == ("south", "north", north.running.run)

"""Bundles: made here, verified by anyone offline, and no bit of them free to change."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import pytest

from detente.agreement.card import CERTIFICATE_TYPE
from detente.agreement.document import sign_document
from detente.errors import PeerError, UsageError
from detente.ledger.leaf import parse_leaf_opening, verify_leaf_opening
from detente.ledger.note import ED25519_COSIGNATURE, NoteKey
from detente.ledger.policy import format_policy, parse_policy
from detente.ledger.proof import parse_tlog_proof, verify_log_proof
from detente.protocol.bundle import Verified, verify_bundle
from detente.protocol.bundling import make_bundle, make_tlog_proof
from detente.protocol.statement import STATEMENT_TYPE
from detente.protocol.views import find_statements
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import encode_envelope, sign_envelope
from detente.signing.key import PublicKeys
from detente.simulation.node import SimNode, converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import REAL
from detente.simulation.room import Room
from detente.units import US_PER_S, parse_time


def file(room: Room, node: SimNode, name: str, to: tuple[str, ...] = ()) -> None:
    """File a notice that the seed draws."""
    notice = random_notice(name, room.chance, node.now_us(), exercise=True)
    node.run(lambda core: core.file_notice(notice, to, node.now_us(), officer="o", desk="d"))


def bundle_of(node: SimNode, name: str) -> bytes:
    """The bundle of a notice."""
    return make_bundle(node.running, find_statements(node.running, name))


class Scene:
    """North told south of A-1, south received and opened it, and cosigned north's log."""

    def __init__(self) -> None:
        self.room = Room(2, crypto=REAL)
        self.north, self.south = self.room.nodes()
        converse(self.north, self.south)
        file(self.room, self.north, "A-1")
        self.room.wait(3)
        converse(self.north, self.south)
        self.south.run(
            lambda core: (
                None,
                core.open_notice("north:A-1", self.south.now_us(), officer="o", desk="watch"),
            )
        )
        self.room.wait(3)
        converse(self.north, self.south)
        cosign_newest(self.north, self.south)
        self.roots: dict[str, PublicKeys] = {p.name: p.root.public for p in self.room.parties}
        self.bundle = bundle_of(self.north, "A-1")


@functools.cache
def scene() -> Scene:
    """One scene for all tests here: its keys are real and cost time."""
    return Scene()


def verify(data: bytes) -> Verified:
    """What the bundle proves to who trusts both roots."""
    return verify_bundle(data, scene().roots)


def resealed(data: bytes) -> bytes:
    """The bundle with its SHA-256 line computed again, as an attacker would."""
    body = data[: data.rindex(b"sha256 ")]
    return body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"


def changed(change: Any) -> bytes:
    """The bundle with its JSON changed, in canonical form and with the right SHA-256."""
    title, line, _, _ = scene().bundle.split(b"\n")
    content: Any = parse_canonical(line)
    content = change(content) or content
    return resealed(title + b"\n" + encode_canonical(content) + b"\nsha256 \n")


# -- what it proves ------------------------------------------------------------------------------


def test_bundle_proves_who_told_whom_what_and_when() -> None:
    """Maker, addressee, body, places in both logs, receipt, opening and lead time all come out."""
    found = verify(scene().bundle)
    assert found.exercise is True
    assert scene().bundle.startswith(b"detente-bundle/2 EXERCISE\n")
    assert found.made_by == "north"
    assert found.statement["to"] == ["south"]
    assert found.statement["body"]["text"] == "simulated"
    assert [one.log for one in found.logged_at] == ["detente/north/log/1", "detente/south/log/1"]
    assert found.logged_at[0].cosigned_by == ["south"]
    (receipt,) = found.received_by
    assert (receipt.party, receipt.answer) == ("south", "delivered")
    assert receipt.opened is not None
    notice = scene().north.running.state.notices["north:A-1"].latest
    expected = (notice.start_us - parse_time(receipt.time)) / US_PER_S
    assert found.lead_time_s == expected
    assert found.remarks == []


def test_bundle_of_the_receiver_proves_the_same_statement() -> None:
    """The addressee can prove what it was told, from its own log, without the maker's help."""
    found = verify(bundle_of(scene().south, "north:A-1"))
    assert found.made_by == "north"
    assert found.logged_at[0].log == "detente/south/log/1"
    assert found.statement["id"] == verify(scene().bundle).statement["id"]


def test_bundle_of_several_recipients_has_one_body_and_all_receipts() -> None:
    """Copies to several parties are one bundle, because they share one body digest (S-BODY-1)."""
    room = Room(3, crypto=REAL)
    nodes = room.nodes()
    for other in nodes[1:]:
        converse(nodes[0], other)
    file(room, nodes[0], "A-1")
    room.wait(3)
    for other in nodes[1:]:
        converse(nodes[0], other)
    nodes[0].act(lambda core: core.checkpoint(nodes[0].now_us()))
    roots = {p.name: p.root.public for p in room.parties}
    found = verify_bundle(bundle_of(nodes[0], "A-1"), roots)
    assert [one.party for one in found.received_by] in (["south", "east"], ["east", "south"])
    assert found.statement["to"] == ["east", "south"]


def test_bundle_claimed_time_far_off_still_verifies() -> None:
    """B-TIME-1: A statement whose maker's clock was decades wrong was logged, so it can be proved: by the log's time."""
    room = Room(2, crypto=REAL)
    north = room.node(0)
    liar = room.liar(1, north)
    liar.send()
    said = liar.say_notice(claimed_us=parse_time("1999-01-01T00:00:00Z"))
    liar.send(said)
    north.act(lambda core: core.checkpoint(north.now_us()))
    roots = {p.name: p.root.public for p in room.parties}
    found = verify_bundle(make_bundle(north.running, [said[0].id]), roots)
    assert found.statement["claimed_time"] == "1999-01-01T00:00:00Z"


def test_bundle_another_agreement_than_the_trusted_one_is_remarked_on() -> None:
    """The reader learns that the rules it trusts are not those the statement was made under."""
    found = verify_bundle(scene().bundle, scene().roots, agreement="00" * 32)
    assert len(found.remarks) == 1
    assert "quotes agreement" in found.remarks[0]


def test_bundle_without_a_trusted_root_is_refused() -> None:
    """Nobody vouches for a party whose root the reader does not trust."""
    for party in ("north", "south"):
        roots = {p: k for p, k in scene().roots.items() if p != party}
        with pytest.raises(PeerError, match="whose root is trusted"):
            verify_bundle(scene().bundle, roots)


def test_bundle_under_another_root_is_refused() -> None:
    """A root of the same name and other keys certifies nothing here."""
    other = Room(2, seed=9, crypto=REAL)
    roots = {p.name: p.root.public for p in other.parties}
    with pytest.raises(PeerError):
        verify_bundle(scene().bundle, roots)


def test_make_bundle_unknown_statement_is_refused() -> None:
    """What is not in the record cannot be proved by it."""
    with pytest.raises(UsageError) as caught:
        make_bundle(scene().north.running, ["ab" * 32])
    assert caught.value.code == "statement-unknown"


def test_make_bundle_before_any_checkpoint_says_to_wait() -> None:
    """A statement that no signed checkpoint covers yet is not proved by a promise."""
    room = Room(2, crypto=REAL)
    north, south = room.nodes()
    converse(north, south)
    file(room, north, "A-1")
    with pytest.raises(UsageError) as caught:
        bundle_of(north, "A-1")
    assert caught.value.code == "not-yet-signed"


# -- what cannot be changed ----------------------------------------------------------------------


def _drop(name: str) -> Any:
    return lambda content: {k: v for k, v in content.items() if k != name}


def _set(path: list[Any], value: Any) -> Any:
    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return change


CHANGES: dict[str, Any] = {
    "no-copies": _set(["copies"], []),
    "copies-number": _set(["copies"], 5),
    "copy-number": _set(["copies", 0], 5),
    "logged-number": _set(["copies", 0, "logged"], 5),
    "logged-empty": _set(["copies", 0, "logged"], []),
    "logged-null": _set(["copies", 0, "logged"], [None]),
    "leaf-null": _set(["copies", 0, "logged", 0, "leaf"], None),
    "proof-list": _set(["copies", 0, "logged", 0, "proof"], []),
    "receipts-number": _set(["copies", 0, "receipts"], 5),
    "receipt-null": _set(["copies", 0, "receipts", 0], None),
    "receipt-openings-null": _set(["copies", 0, "receipts", 0, "openings"], None),
    "receipt-openings-empty": _set(["copies", 0, "receipts", 0, "openings"], {}),
    "receipts-swapped": lambda c: c["copies"][0]["receipts"].reverse(),
    "opened-alone": lambda c: c["copies"][0]["receipts"].pop(0) and None,
    "envelope-null": _set(["copies", 0, "envelope"], None),
    "payload-empty": _set(["copies", 0, "envelope", "payload"], ""),
    "copy-twice": lambda c: c["copies"].append(c["copies"][0]),
    "keys-object": _set(["keys"], {}),
    "keys-empty": _set(["keys"], []),
    "key-null": _set(["keys", 0], None),
    "key-document-number": _set(["keys", 0, "document"], 5),
    "key-twice": lambda c: c["keys"].append(c["keys"][0]),
    "keys-reversed": lambda c: c["keys"].reverse(),
    "openings-list": _set(["openings"], []),
    "openings-other": _set(["openings", "text"], ["AAAAAAAAAAAAAAAAAAAAAA", "other"]),
    "openings-added": _set(["openings", "more"], ["AAAAAAAAAAAAAAAAAAAAAA", "other"]),
    "exercise-number": _set(["EXERCISE"], 1),
    "version-true": _set(["v"], True),
    "version-1": _set(["v"], 1),
    "version-3": _set(["v"], 3),
    "heads-null": _set(["copies", 0, "logged", 0, "heads"], None),
    "heads-empty-object": _set(["copies", 0, "logged", 0, "heads"], [{}]),
    "receipt-heads-null": _set(["copies", 0, "receipts", 0, "heads"], None),
    "receipt-logged-null": _set(["copies", 0, "receipts", 0, "logged"], None),
    "opened-heads": lambda c: c["copies"][0]["receipts"][1]["heads"].append({}),
    "member-added": _set(["more"], 1),
    "member-missing": _drop("v"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_bundle_changed_content_is_refused(name: str) -> None:
    """B-FORM-1, B-FORM-3, B-SIG-1, B-LOG-1, B-LOG-2, B-RCPT-1, B-BODY-1: Any other JSON, canonical and with the right SHA-256, is refused as the bundle's fault."""
    with pytest.raises(PeerError):
        verify(changed(CHANGES[name]))


def test_bundle_title_that_hides_the_exercise_is_refused() -> None:
    """An exercise cannot be passed off as real by its first line."""
    data = scene().bundle.replace(b"EXERCISE\n", b"REAL\n", 1)
    with pytest.raises(PeerError):
        verify(data)
    with pytest.raises(PeerError):
        verify(resealed(data))
    real = resealed(data.replace(b'"EXERCISE":true', b'"EXERCISE":false', 1))
    with pytest.raises(PeerError):
        verify(real)


def test_bundle_opening_withheld_still_verifies_and_says_so() -> None:
    """B-BODY-2: A field can be taken out of a bundle, and the reader sees that it was."""

    def withhold(content: Any) -> None:
        del content["openings"]["text"]

    found = verify(changed(withhold))
    assert found.statement["withheld"] == ["text"]
    assert "text" not in found.statement["body"]


def test_bundle_cosignature_that_fails_is_a_remark_and_costs_the_cosigner() -> None:
    """B-COS-1: A damaged cosignature spoils nothing but itself, and it does not pass unseen."""

    def damage(content: Any) -> None:
        proof = content["copies"][0]["logged"][0]["proof"]
        lines = proof["checkpoint"].split("\n")
        at = max(i for i, line in enumerate(lines) if line.startswith("\u2014 detente/south "))
        middle = len(lines[at]) // 2
        other = "A" if lines[at][middle] != "A" else "B"
        lines[at] = lines[at][:middle] + other + lines[at][middle + 1 :]
        proof["checkpoint"] = "\n".join(lines)

    found = verify(changed(damage))
    assert found.logged_at[0].cosigned_by == []
    assert len(found.remarks) == 1


def certificate(use: str, **members: Any) -> Any:
    """A certificate of north's, issued again by its true root with members changed."""
    party = scene().room.parties[0]
    old = next(
        one["document"]
        for one in party.card["document"]["certificates"]
        if one["document"]["use"] == use
    )
    return sign_document(party.root, CERTIFICATE_TYPE, {**old, **members})


def test_bundle_key_that_was_not_certified_when_it_was_logged_is_refused() -> None:
    """B-TIME-1: the same bytes under a certificate of another year prove nothing."""
    later = {"valid_from": "2019-01-01T00:00:00Z", "valid_until": "2020-01-01T00:00:00Z"}

    def change(content: Any) -> None:
        assert content["keys"][0]["document"]["party"] == "north"
        content["keys"][0] = certificate("signing", **later)

    with pytest.raises(PeerError, match="was not certified for 2018-09-17"):
        verify(changed(change))


def test_bundle_key_that_vouches_for_nothing_is_refused() -> None:
    """B-KEY-1: a true certificate that nothing in the bundle needs does not ride along."""
    new = REAL.signer(b"n" * 64).public

    def change(content: Any) -> None:
        more = certificate("signing", key=dict(new.to_json()), key_id=new.key_id, serial=9)
        content["keys"].insert(1, more)

    with pytest.raises(PeerError, match="vouches for nothing"):
        verify(changed(change))


@pytest.mark.parametrize("field", ["leaf", "proof", "received", "answer", "statement"])
def test_bundle_receipt_that_withholds_a_field_is_refused(field: str) -> None:
    """B-RCPT-1: a receipt truly signed by the addressee, but without one of its fields, is none."""
    (receipt,) = scene().north.running.state.receipts.values()
    found = scene().north.running.journal.statement(receipt.receipt)
    assert found is not None
    old, openings = found
    payload: Any = parse_canonical(old.envelope.payload)
    payload["withheld"] = [field]
    signer = scene().room.parties[1].identity.signer
    envelope = sign_envelope(signer, STATEMENT_TYPE, encode_canonical(payload))

    def change(content: Any) -> None:
        content["copies"][0]["receipts"] = [
            {
                "envelope": parse_canonical(encode_envelope(envelope)),
                "heads": [],
                "logged": [],
                "openings": {k: v for k, v in openings.items() if k != field},
            }
        ]

    with pytest.raises(PeerError, match="form of one"):
        verify(changed(change))


@pytest.mark.parametrize("use", ["sealing", "transport"])
def test_bundle_key_of_another_use_is_refused(use: str) -> None:
    """B-SIG-1: only a key certified for signing vouches for a statement."""

    def change(content: Any) -> None:
        content["keys"][0] = certificate(use)

    with pytest.raises(PeerError):
        verify(changed(change))


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n\n", b"detente-bundle/1 REAL\n{}\nsha256 \n", b"x" * 100, b"\xff" * 100],
)
def test_bundle_other_bytes_are_refused(data: bytes) -> None:
    """B-FORM-3: Rubbish is refused as such."""
    with pytest.raises(PeerError):
        verify(data)


def test_bundle_more_than_the_limit_is_refused_unread() -> None:
    """A reader's memory is not the sender's to fill."""
    with pytest.raises(PeerError, match="at most"):
        verify(b"x" * (32 * 2**20 + 1))


def test_tlog_proof_leads_from_its_extra_to_the_head_of_the_log() -> None:
    """L-PRF-2: the text's extra opens the leaf; leaf hash, inclusion and both signatures of the log then verify."""
    core = scene().north.running
    (statement_id,) = find_statements(core, "A-1")
    found, extra = parse_tlog_proof(make_tlog_proof(core, statement_id))
    opening = parse_leaf_opening(parse_canonical(extra))
    hash_ = verify_leaf_opening(opening, bytes.fromhex(statement_id))
    head = verify_log_proof(
        found, hash_, "detente/north/log/1", scene().room.parties[0].identity.signer.public
    )
    assert head.size > found.index
    with pytest.raises(PeerError):
        verify_leaf_opening(opening, b"x" * 32)


def test_tlog_proof_of_an_unknown_statement_is_refused() -> None:
    """What is not in the record has no place in its log."""
    with pytest.raises(UsageError) as caught:
        make_tlog_proof(scene().north.running, "ab" * 32)
    assert caught.value.code == "statement-unknown"


def against(policy: str) -> tuple[bool, str | None]:
    """Whether the bundle has the quorum of a policy, and what lacks."""
    found = verify_bundle(scene().bundle, scene().roots, policy=parse_policy(policy.encode()))
    (one,) = found.quorum or []
    assert one.log == "detente/north/log/1"
    return one.met, one.reason


def test_bundle_against_a_policy_says_whether_the_quorum_was_met() -> None:
    """B-POL-1: south's cosignature is a quorum of one; a witness that has not signed is named."""
    north, south = (one.identity.signer.public for one in scene().room.parties)
    log, witness = {"detente/north/log/1": north}, {"detente/south": south}
    assert against(format_policy(log, witness, 1)) == (True, None)
    assert against(format_policy(log, witness, 0)) == (True, None)
    met, reason = against(format_policy(log, witness | {"detente/un": scene().roots["north"]}, 2))
    assert met is False
    assert "detente/un" in (reason or "")
    assert "detente/south" not in (reason or "")
    assert verify(scene().bundle).quorum is None


def test_bundle_of_a_log_that_the_policy_does_not_know_has_no_quorum() -> None:
    """B-POL-1: the log of another name, and the name of the log under another's key, are not the log."""
    north, south = (one.identity.signer.public for one in scene().room.parties)
    witness = {"detente/south": south}
    assert against(format_policy({"detente/south/log/1": north}, witness, 1))[0] is False
    other = scene().roots["south"]
    assert against(format_policy({"detente/north/log/1": other}, witness, 1))[0] is False
    assert against(format_policy({}, witness, 0))[0] is False


def test_bundle_with_a_forged_line_of_a_witness_has_no_quorum() -> None:
    """B-POL-1: a key under the name of south that did not sign counts for nothing, though south's lines are there."""
    north, south = (one.identity.signer.public for one in scene().room.parties)
    forged = NoteKey("detente/south", ED25519_COSIGNATURE, scene().roots["south"].ed25519)
    true = NoteKey("detente/south", ED25519_COSIGNATURE, south.ed25519)
    logs = format_policy({"detente/north/log/1": north}, {}, 0).replace("quorum none\n", "")
    assert against(f"{logs}witness s {true.format()}\nquorum s\n")[0] is True
    assert against(f"{logs}witness s {forged.format()}\nquorum s\n")[0] is False

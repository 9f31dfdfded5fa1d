"""The witness cosigns what extends the last head it cosigned, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import (
    Checkpoint,
    log_keys,
    log_origin,
    sign_checkpoint,
    subtree_message,
)
from detente.ledger.cosignature import verify_cosignatures
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.note import Note, parse_note
from detente.ledger.witness import (
    AddCheckpoint,
    WitnessAnswer,
    WitnessState,
    advance_witness,
    encode_add_checkpoint,
    malformed_answer,
    parse_add_checkpoint,
)
from detente.signing.key import PublicKeys, SigningKeys
from detente.signing.simulated import KEYED_HASH, KeyedHashKeys

LOG = KeyedHashKeys(bytes(64))
WITNESS = KeyedHashKeys(bytes([1]) * 64)
STRANGER = KeyedHashKeys(bytes([2]) * 64)
NAME = "detente/un"
ORIGIN = log_origin("north", 1)
LOGS: dict[str, PublicKeys] = {ORIGIN: LOG.public}
TREE = MerkleTree(leaf_hash(bytes([n])) for n in range(40))
FORGED = MerkleTree(leaf_hash(bytes([n, 1])) for n in range(40))


def note_of(size: int, tree: MerkleTree = TREE, signer: KeyedHashKeys = LOG) -> str:
    """The log's checkpoint at a size, of the true history or another, by itself or another."""
    return sign_checkpoint(signer, ORIGIN, size, tree.root(size), 100 + size)


def ask(
    state: WitnessState, old: int, size: int, tree: MerkleTree = TREE
) -> tuple[WitnessState, WitnessAnswer]:
    """Ask with the proof an honest log would give."""
    request = AddCheckpoint(old, tree.consistency_proof(old, size), note_of(size, tree))
    return answer(state, request)


def answer(state: WitnessState, request: AddCheckpoint) -> tuple[WitnessState, WitnessAnswer]:
    """Ask with any request."""
    return advance_witness(
        state, request, logs=LOGS, signer=WITNESS, name=NAME, now_s=1000, verifier=KEYED_HASH
    )


def test_witness_first_and_next_head_are_cosigned() -> None:
    """L-WIT-4: A first head and its extension are answered 200 with lines that verify."""
    state, first = ask(WitnessState(), 0, 5)
    state, second = ask(state, 5, 9)
    state, same = ask(state, 9, 9)
    assert [first.status, second.status, same.status] == [200, 200, 200]
    head = state.heads[ORIGIN]
    assert (head.size, head.root) == (9, TREE.root(9))
    found = verify_cosignatures(head.note, {NAME: WITNESS.public}, KEYED_HASH)
    assert [(one.name, one.time_s) for one in found.cosigned] == [(NAME, 1000)]
    assert found.other_lines == 2  # the log's own, which the witness must serve too


def test_witness_unknown_log_is_404() -> None:
    """L-WIT-9: A log it was not told of is not found, whatever is signed."""
    text = sign_checkpoint(LOG, log_origin("south", 1), 5, TREE.root(5), 1)
    state, got = answer(WitnessState(), AddCheckpoint(0, (), text))
    assert (got.status, state) == (404, WitnessState())


def test_witness_wrong_signature_is_403() -> None:
    """L-WIT-3: Unsigned, signed by a stranger, or one bad line by the log's own key: forbidden."""
    note = parse_note(note_of(5))
    forged = log_keys(ORIGIN, LOG.public)[1].sign(bytes(7) + b"\x01" + bytes(2420))
    texts = [
        note_of(5, signer=STRANGER),
        Note(note.text, note.signatures[:1]).format(),
        Note(note.text, (note.signatures[0], forged)).format(),
    ]
    for text in texts:
        assert answer(WitnessState(), AddCheckpoint(0, (), text))[1].status == 403


def test_witness_old_size_above_new_is_400() -> None:
    """L-WIT-9: A shrinking tree is a bad request."""
    state, _ = ask(WitnessState(), 0, 9)
    unchanged, got = answer(state, AddCheckpoint(9, (), note_of(5)))
    assert got.status == 400
    assert unchanged is state


def test_witness_stale_old_size_is_409_with_the_size() -> None:
    """L-WIT-9: Another old size than the last cosigned one is a conflict, answered with that size."""
    state, _ = ask(WitnessState(), 0, 9)
    for old in (0, 5):
        unchanged, got = ask(state, old, 12)
        assert (got.status, got.body, got.content_type) == (409, "9\n", "text/x.tlog.size")
        assert unchanged is state
    assert ask(WitnessState(), 5, 12)[1].body == "0\n"


def test_witness_other_history_is_422_with_evidence() -> None:
    """L-COS-3, L-WIT-5: Two heads that no proof connects are refused, and both are kept as evidence."""
    state, _ = ask(WitnessState(), 0, 9)
    for request in (
        AddCheckpoint(9, FORGED.consistency_proof(9, 12), note_of(12, FORGED)),
        AddCheckpoint(9, (), note_of(9, FORGED)),
        AddCheckpoint(9, (bytes(32),), note_of(9)),
        AddCheckpoint(9, (), note_of(12)),
    ):
        unchanged, got = answer(state, request)
        assert got.status == 422
        assert got.evidence == (state.heads[ORIGIN].note, request.note)
        assert unchanged is state


def test_witness_proof_from_nothing_is_422() -> None:
    """L-WIT-9: From size zero the proof must be empty."""
    assert answer(WitnessState(), AddCheckpoint(0, (bytes(32),), note_of(5)))[1].status == 422


def test_witness_empty_log_is_cosigned_only_with_the_empty_root() -> None:
    """L-WIT-9: Size zero needs the hash of nothing; a signed other root is 422, an unsigned one 403."""
    state, got = ask(WitnessState(), 0, 0)
    assert (got.status, state.heads[ORIGIN].size) == (200, 0)
    assert ask(state, 0, 3)[1].status == 200
    wrong = Checkpoint(ORIGIN, 0, leaf_hash(b"x"))
    for signer, status in ((LOG, 422), (STRANGER, 403)):
        ed25519, mldsa44 = log_keys(ORIGIN, signer.public)
        by_ed25519 = signer.sign_ed25519(wrong.body.encode())
        by_mldsa44 = signer.sign_mldsa44(subtree_message(wrong, ORIGIN, 5))
        lines = (ed25519.sign(by_ed25519), mldsa44.sign((5).to_bytes(8, "big") + by_mldsa44))
        text = Note(wrong.body, lines).format()
        assert answer(WitnessState(), AddCheckpoint(0, (), text))[1].status == status


def test_witness_malformed_note_is_400() -> None:
    """L-WIT-9: A note or checkpoint that does not parse is a bad request."""
    lines = note_of(5).split("\n\n")[1]
    for text in ("", "x", f"{ORIGIN}\n5\n\n{lines}", f"{ORIGIN}\nfive\nAAAA\n\n{lines}"):
        assert answer(WitnessState(), AddCheckpoint(0, (), text))[1].status == 400


def test_witness_race_without_the_atomic_step_would_roll_back() -> None:
    """L-WIT-2: The specification's race: the pure step alone cannot see it, so the caller must be atomic.

    Both requests pass against one old state; storing the shorter one last forgets the longer. Done one
    after the other, as the caller must, the second is a conflict.
    """
    start, _ = ask(WitnessState(), 0, 5)
    longer, one = ask(start, 5, 12)
    shorter, two = ask(start, 5, 9)
    assert (one.status, two.status) == (200, 200)
    assert shorter.heads[ORIGIN].size < longer.heads[ORIGIN].size
    assert ask(longer, 5, 9)[1].status == 409


def test_request_any_proof_round_trips() -> None:
    """What a log sends is what the witness reads."""
    for old, size in ((0, 5), (5, 5), (7, 33)):
        proof = TREE.consistency_proof(old, size)
        body = encode_add_checkpoint(old, proof, note_of(size))
        assert parse_add_checkpoint(body) == AddCheckpoint(old, proof, note_of(size))


def test_request_body_is_as_specified() -> None:
    """The old size, the hashes in base64, an empty line, the note."""
    body = encode_add_checkpoint(3, (bytes(32),), "note\n")
    assert body == b"old 3\n" + b"A" * 43 + b"=\n\nnote\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 3\n",
        b"old 03\n\nx",
        b"old -1\n\nx",
        b"Old 3\n\nx",
        b"old 3 \n\nx",
        b"old 9223372036854775808\n\nx",
        b"old 3\nAAAA\n\nx",
        b"old 3\n" + b"A" * 44 + b"\n\nx",
        b"old 3\n" + (b"A" * 43 + b"=\n") * 64 + b"\nx",
        b"old 3\n\n\xff",
        b"old 3\n\n" + b"x" * 2_000_000,
    ],
)
def test_request_malformed_body_is_400(body: bytes) -> None:
    """L-WIT-9: Odd sizes, odd hashes, too many, bad UTF-8 and too much are bad requests."""
    with pytest.raises(PeerError) as caught:
        parse_add_checkpoint(body)
    assert caught.value.code == "witness-request"
    assert malformed_answer(caught.value).status == 400


def test_request_impossible_one_is_not_written() -> None:
    """A negative size and more than 63 hashes are our own errors."""
    with pytest.raises(UsageError):
        encode_add_checkpoint(-1, (), "")
    with pytest.raises(UsageError):
        encode_add_checkpoint(1, [bytes(32)] * 64, "")


def test_witness_real_keys_cosign(north: SigningKeys, south: SigningKeys) -> None:
    """With real keys and the strict rule the same exchange holds."""
    text = sign_checkpoint(north, ORIGIN, 5, TREE.root(5), 100)
    state, got = advance_witness(
        WitnessState(),
        AddCheckpoint(0, (), text),
        logs={ORIGIN: north.public},
        signer=south,
        name="detente/south",
        now_s=1000,
    )
    assert got.status == 200
    found = verify_cosignatures(state.heads[ORIGIN].note, {"detente/south": south.public})
    assert len(found.cosigned) == 1


class Witnessed(RuleBasedStateMachine):
    """A lying log asks in any order; whatever was cosigned is one history."""

    def __init__(self) -> None:
        super().__init__()
        self.state = WitnessState()
        self.signed: list[tuple[int, bytes]] = []

    @rule(
        old=st.integers(0, 40),
        size=st.integers(0, 40),
        forged=st.booleans(),
        proof_forged=st.booleans(),
        honest_old=st.booleans(),
    )
    def ask(self, old: int, size: int, forged: bool, proof_forged: bool, honest_old: bool) -> None:
        """Any head of either history, with any proof the log can make."""
        head = self.state.heads.get(ORIGIN)
        if honest_old:
            old = head.size if head else 0
        tree, prover = (FORGED if forged else TREE), (FORGED if proof_forged else TREE)
        proof = prover.consistency_proof(old, size) if old <= size else ()
        self.state, got = answer(self.state, AddCheckpoint(old, proof, note_of(size, tree)))
        if got.status == 200:
            self.signed.append((size, tree.root(size)))

    @invariant()
    def one_history(self) -> None:
        """Sizes never shrink and all cosigned heads belong to one of the two trees."""
        sizes = [size for size, _ in self.signed]
        assert sizes == sorted(sizes)
        grown = [(size, root) for size, root in self.signed if size > 0]
        assert all(root == TREE.root(size) for size, root in grown) or all(
            root == FORGED.root(size) for size, root in grown
        )


Witnessed.TestCase.settings = settings(max_examples=40, stateful_step_count=20)
TestWitnessed = Witnessed.TestCase

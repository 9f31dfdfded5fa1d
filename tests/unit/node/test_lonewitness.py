"""A witness that stands alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import TestClient

from detente.errors import UnavailableError, UsageError
from detente.ledger.checkpoint import origin_hash, sign_checkpoint
from detente.ledger.cosignature import verify_cosignatures
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.policy import format_policy
from detente.ledger.witness import encode_add_checkpoint
from detente.node.lonewitness import LOGS, SEED, LoneWitness, init_witness, witness_app
from detente.signing.key import SigningKeys

NAME, ORIGIN = "witness.example/w1", "detente/north/log/1"
NORTH = SigningKeys.from_seed(bytes(range(64)))
TREE = MerkleTree(leaf_hash(b"%d" % n) for n in range(20))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A witness that knows north's log."""
    path = tmp_path / "w"
    init_witness(path, NAME)
    (path / LOGS).write_text(format_policy({ORIGIN: NORTH.public}, {}, 0))
    return path


def note(size: int, tree: MerkleTree = TREE) -> str:
    """North's checkpoint."""
    return sign_checkpoint(NORTH, ORIGIN, size, tree.root(size), 5)


def test_witness_alone_cosigns_what_grows_and_shows_it_after_a_restart(directory: Path) -> None:
    """L-WIT-1, L-WIT-4, L-WIT-5, L-WIT-7: 200 for what extends the last head, 409 and 422 as the protocol says; all is kept."""
    path = f"/witness/{origin_hash(ORIGIN)}/checkpoint"
    witness = LoneWitness(directory)
    assert witness.heads() == {ORIGIN: 0}
    with TestClient(witness_app(witness)) as http:
        assert http.get(path).status_code == 404
        first = http.post("/witness/add-checkpoint", content=encode_add_checkpoint(0, (), note(8)))
        assert first.status_code == 200
        (seen,) = verify_cosignatures(note(8) + first.text, {NAME: witness.keys.public}).cosigned
        assert seen.time_s > 0
        again = http.post("/witness/add-checkpoint", content=encode_add_checkpoint(0, (), note(8)))
        assert (again.status_code, again.text) == (409, "8\n")
        assert again.headers["content-type"] == "text/x.tlog.size"
    witness.close()
    witness = LoneWitness(directory)
    with TestClient(witness_app(witness)) as http:
        fork = MerkleTree(leaf_hash(b"x%d" % n) for n in range(20))
        forked = note(20, fork)
        lie = encode_add_checkpoint(8, fork.consistency_proof(8, 20), forked)
        assert witness.refused() == {}
        assert http.post("/witness/add-checkpoint", content=lie).status_code == 422
        proof = TREE.consistency_proof(8, 20)
        good = encode_add_checkpoint(8, proof, note(20))
        assert http.post("/witness/add-checkpoint", content=good).status_code == 200
        assert http.get(path).text.startswith(f"{ORIGIN}\n20\n")
        other = sign_checkpoint(NORTH, "detente/south/log/1", 8, TREE.root(8), 5)
        unknown = encode_add_checkpoint(0, (), other)
        assert http.post("/witness/add-checkpoint", content=unknown).status_code == 404
        assert http.post("/witness/add-checkpoint", content=b"\xff").status_code == 400
    assert witness.heads() == {ORIGIN: 20}
    held, refused = witness.refused()[ORIGIN]
    assert held.startswith(f"{ORIGIN}\n8\n")
    assert refused == forked
    assert all(one.startswith(f"{NAME}+") for one in witness.vkeys)
    witness.close()


def test_directory_of_a_witness_is_one_s_own_and_whole(directory: Path) -> None:
    """L-WIT-2: two processes on one directory would be a race; a log under one key is refused; keys are private."""
    assert (directory / SEED).stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError):
        init_witness(directory, NAME)
    held = LoneWitness(directory)
    with pytest.raises(UnavailableError):
        LoneWitness(directory)
    held.close()
    text = (directory / LOGS).read_text()
    (directory / LOGS).write_text(text.partition("\n")[2])
    with pytest.raises(UsageError) as caught:
        LoneWitness(directory)
    assert caught.value.code == "log-keys"
    (directory / SEED).unlink()
    with pytest.raises(UsageError) as caught:
        LoneWitness(directory)
    assert caught.value.code == "witness-unreadable"

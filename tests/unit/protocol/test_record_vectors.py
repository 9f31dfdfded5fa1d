"""The project's own vectors of the record: our code answers each case as the file says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detente.errors import DetenteError, UsageError
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.leaf import (
    derive_log_seed,
    leaf_bytes,
    leaf_salt,
    open_leaf,
    parse_leaf_header,
    parse_leaf_opening,
    verify_leaf_opening,
)
from detente.ledger.merkle import (
    MerkleTree,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from detente.ledger.note import parse_note
from detente.ledger.policy import parse_policy
from detente.ledger.proof import parse_tlog_proof, verify_log_proof
from detente.ledger.quorum import check_policy
from detente.ledger.tile import TileReader, parse_tile_path
from detente.protocol.absence import verify_absence
from detente.protocol.bundle import verify_bundle
from detente.protocol.evidence import verify_evidence
from detente.protocol.statement import check_openings, parse_statement
from detente.signing.envelope import parse_envelope, verify_envelope
from detente.signing.key import PublicKeys, parse_public_keys

VECTORS = Path(__file__).parents[2] / "vectors"
FILES = (
    "tree",
    "leaf",
    "tiles",
    "policy",
    "tlog-proof",
    "statement-1",
    "bundle-2",
    "absence-1",
    "evidence-1",
)


def load(name: str) -> Any:
    """One file of vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def cases(name: str) -> list[Any]:
    """Its cases, named."""
    return [pytest.param(case, id=case["name"]) for case in load(name)["cases"]]


def check(case: Any, verify: Callable[[], object]) -> None:
    """It verifies, or is refused with the code that the case gives."""
    if case["error"] is None:
        verify()
        return
    with pytest.raises(DetenteError) as caught:
        verify()
    assert caught.value.code == case["error"], caught.value


def edited(good: str, case: Any) -> bytes:
    """The file of a case: the good one with one replacement, its SHA-256 line computed again or not."""
    if case["replace"] is None:
        return good.encode()
    assert case["replace"] in good
    text = good.replace(case["replace"], case["by"], 1)
    if not case["sha256"]:
        return text.encode()
    body = "".join(line + "\n" for line in text.split("\n")[:2]).encode()
    return body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()


def roots_of(document: Any) -> dict[str, PublicKeys]:
    """The root keys to trust."""
    return {name: parse_public_keys(one) for name, one in document["roots"].items()}


def from_hex(case: Any, *names: str) -> list[Any]:
    """Members of a case as bytes."""
    return [
        [bytes.fromhex(one) for one in case[name]]
        if isinstance(case[name], list)
        else bytes.fromhex(case[name])
        for name in names
    ]


@pytest.mark.parametrize("name", FILES)
def test_vectors_each_file_is_an_exercise_and_has_good_and_bad_cases(name: str) -> None:
    """Nothing in the vectors is real, and none of the files would pass a verifier that takes or refuses all."""
    document = load(name)
    assert document["exercise"] is True
    for part in document["files"].values() if name == "evidence-1" else [document]:
        errors = {case["error"] for case in part["cases"]}
        assert None in errors
        assert len(errors) > 1
        assert len({(c.get("kind"), c["name"]) for c in part["cases"]}) == len(part["cases"])


@pytest.mark.parametrize("case", cases("tree"))
def test_vectors_tree(case: Any) -> None:
    """L-TREE-1, L-TREE-2, L-TREE-3, L-SUB-1, L-SUB-2, L-SUB-3: proofs over 13 leaves."""
    kind = case["kind"]
    if kind == "inclusion":
        leaf, proof, root = from_hex(case, "leaf_hash", "proof", "root")
        check(case, lambda: verify_inclusion(leaf, case["index"], case["size"], proof, root))
    elif kind == "consistency":
        proof, old, new = from_hex(case, "proof", "old_root", "new_root")
        check(case, lambda: verify_consistency(case["old"], case["new"], proof, old, new))
    elif kind == "subtree-consistency":
        proof, part, root = from_hex(case, "proof", "subtree_root", "root")
        place = case["start"], case["end"], case["size"]
        check(case, lambda: verify_subtree_consistency(*place, proof, part, root))
    else:
        leaf, proof, root = from_hex(case, "leaf_hash", "proof", "root")
        place = case["index"], case["start"], case["end"]
        check(case, lambda: verify_subtree_inclusion(leaf, *place, proof, root))


def test_vectors_leaves_come_from_the_secret() -> None:
    """Seed, salts, leaf bytes and leaf hashes are computed again from the secret, byte for byte."""
    document = load("leaf")
    seed = derive_log_seed(bytes.fromhex(document["secret"]), document["origin"])
    assert seed.hex() == document["log_seed"]
    for one in document["entries"]:
        header = parse_leaf_header(one["header"])
        assert leaf_salt(seed, "header", header.index).hex() == one["header_salt"]
        assert leaf_salt(seed, "content", header.index).hex() == one["content_salt"]
        data = leaf_bytes(open_leaf(seed, header, bytes.fromhex(one["content"])))
        assert (data.decode(), leaf_hash(data).hex()) == (one["leaf"], one["leaf_hash"])
        assert len(data) == 112


@pytest.mark.parametrize("case", cases("leaf"))
def test_vectors_leaf_openings(case: Any) -> None:
    """L-LEAF-4, L-LEAF-5: an opening leads to the leaf hash given, or is refused."""
    content = None if case["content"] is None else bytes.fromhex(case["content"])

    def verify() -> None:
        found = verify_leaf_opening(parse_leaf_opening(case["opening"]), content)
        assert found.hex() == case["leaf_hash"]

    check(case, verify)


@pytest.mark.parametrize("case", cases("tiles"))
def test_vectors_tiles(case: Any) -> None:
    """L-TILE-1 to L-TILE-5: all entries of a log read by its tiles, each checked."""
    document = load("tiles")
    paths = document["paths"] | case["replace"]

    def verify() -> None:
        reader = TileReader(
            document["size"],
            bytes.fromhex(document["root"]),
            lambda path: bytes.fromhex(paths[path]),
        )
        entries = [entry for index in (0, 1) for entry in reader.entries(index)]
        assert entries == [f"entry {number}".encode() for number in range(document["size"])]
        assert MerkleTree(map(leaf_hash, entries)).root() == reader.root()

    check(case, verify)


def test_vectors_tile_paths() -> None:
    """L-TILE-3: the paths of the log are tiles, the others are none."""
    document = load("tiles")
    for path in document["paths"]:
        assert parse_tile_path(path).path == path
    for path in document["other_paths"]:
        with pytest.raises(UsageError):
            parse_tile_path(path)


@pytest.mark.parametrize("case", cases("policy"))
def test_vectors_policy(case: Any) -> None:
    """L-POL-1, L-POL-2, L-POL-5: a policy is refused, or says whether a checkpoint counts."""
    note = load("policy")["notes"][case["note"]]
    check(case, lambda: check_policy(note, parse_policy(case["policy"].encode())))


@pytest.mark.parametrize("case", cases("tlog-proof"))
def test_vectors_tlog_proof(case: Any) -> None:
    """L-PRF-1: the leaf is in the log that signed, cosigned by whom the file says, or the text is refused."""
    document = load("tlog-proof")
    log = parse_public_keys(document["log"])
    witnesses = {name: parse_public_keys(one) for name, one in document["witnesses"].items()}

    def verify() -> None:
        proof, extra = parse_tlog_proof(case["text"])
        leaf = bytes.fromhex(case["leaf_hash"])
        found = verify_log_proof(proof, leaf, document["origin"], log, witnesses)
        assert extra == b"opaque"
        assert [[one.name, one.time_s] for one in found.cosigned] == document["cosigned"]
        assert parse_checkpoint(parse_note(proof.checkpoint)).size == found.size

    check(case, verify)


@pytest.mark.parametrize("case", cases("statement-1"))
def test_vectors_statement(case: Any) -> None:
    """S-HEAD-1, S-HEAD-2, S-BODY-2: a statement by its form, both signatures and its openings, or refused."""
    public = parse_public_keys(load("statement-1")["public"])

    def verify() -> None:
        found = parse_statement(parse_envelope(case["envelope"].encode()))
        verify_envelope(found.envelope, public)
        check_openings(found, case["openings"])
        assert found.id == case["id"]

    check(case, verify)


@pytest.mark.parametrize("case", cases("bundle-2"))
def test_vectors_bundle(case: Any) -> None:
    """B-FORM-1, B-FORM-2, B-SIG-1, B-BODY-2, B-LOG-2: a bundle of version 2, and what is wrong with its variants."""
    document = load("bundle-2")
    data = edited(document["bundle"], case)

    def verify() -> None:
        found, expect = verify_bundle(data, roots_of(document)), document["expect"]
        assert found.statement["id"] == expect["statement"]
        assert found.statement["withheld"] == expect["withheld"]
        assert found.made_by == expect["made_by"]
        assert found.logged_at[0].cosigned_by == expect["cosigned_by"]

    check(case, verify)


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c["name"]) for c in load("bundle-2")["openings"]]
)
def test_vectors_opening(case: Any) -> None:
    """B-OPEN-1: the withheld field is opened by its file, or the file is refused."""
    document = load("bundle-2")
    data = edited(document["opening"], case)

    def verify() -> None:
        found = verify_bundle(document["bundle"].encode(), roots_of(document), opened=[data])
        assert found.statement["withheld"] == []
        assert "nothing flies" in found.statement["body"]["text"]

    check(case, verify)


@pytest.mark.parametrize("case", cases("absence-1"))
def test_vectors_absence(case: Any) -> None:
    """A-ALL-1, A-ALL-2, A-CHAIN-1, A-CHAIN-2: complete, or refused."""
    document = load("absence-1")
    data = edited(document["absence"], case)

    def verify() -> None:
        found, expect = verify_absence(data, roots_of(document)), document["expect"]
        assert (found.answer, found.by, found.prover) == (
            expect["answer"],
            expect["by"],
            expect["prover"],
        )
        assert [one.id for one in found.notices] == expect["notices"]

    check(case, verify)


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        pytest.param(kind, case, id=f"{kind}: {case['name']}")
        for kind, one in load("evidence-1")["files"].items()
        for case in one["cases"]
    ],
)
def test_vectors_evidence(kind: str, case: Any) -> None:
    """E-FORM-1, E-FORM-2: a file of each kind proves it, and its variants prove nothing."""
    document = load("evidence-1")["files"][kind]
    data = edited(document["evidence"], case)

    def verify() -> None:
        found = verify_evidence(data, roots_of(document))
        assert (found.kind, found.against) == (kind, document["expect"]["against"])

    check(case, verify)

"""Write the project's own vectors: `python tests/vectors/generate.py merkle|checkpoint|envelope`.

Run it only to *add* a format version. Signatures by ML-DSA-44 are randomised, so a second run gives other
bytes, and the point of a committed vector is that yesterday's bytes still verify.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from detente.ledger.checkpoint import Checkpoint, log_keys, log_origin, sign_checkpoint
from detente.ledger.cosignature import add_cosignature, cosign
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.note import Note, parse_note
from detente.signing.envelope import encode_envelope, sign_envelope
from detente.signing.key import SigningKeys

NORTH = SigningKeys.from_seed(bytes(range(64)))
SOUTH = SigningKeys.from_seed(bytes(range(64, 128)))
UN = SigningKeys.from_seed(bytes(range(128, 192)))
ORIGIN = log_origin("north", 1)


def merkle() -> Any:
    """A tree of 9 leaves: all roots, and proofs of every shape it has."""
    leaves = [bytes(range(n)) for n in range(9)]
    tree = MerkleTree(leaf_hash(leaf) for leaf in leaves)
    return {
        "leaves": [leaf.hex() for leaf in leaves],
        "roots": [tree.root(size).hex() for size in range(10)],
        "inclusion": [
            {"index": i, "size": n, "proof": [h.hex() for h in tree.inclusion_proof(i, n)]}
            for n in (1, 2, 3, 7, 8, 9)
            for i in range(n)
        ],
        "consistency": [
            {"old": o, "new": n, "proof": [h.hex() for h in tree.consistency_proof(o, n)]}
            for n in (2, 7, 8, 9)
            for o in range(1, n + 1)
        ],
    }


def checkpoint() -> Any:
    """A cosigned checkpoint, and the ways one can be wrong."""
    root = MerkleTree(leaf_hash(bytes([n])) for n in range(5)).root()
    head = Checkpoint(ORIGIN, 5, root)
    text = sign_checkpoint(NORTH, ORIGIN, 5, root, 1_537_209_540)
    south = cosign(SOUTH, "detente/south", head, 1_537_209_541)
    un = cosign(UN, "detente/un", head, 1_537_209_545)
    note = parse_note(text)
    ed25519, mldsa44 = note.signatures
    untimed = log_keys(ORIGIN, NORTH.public)[1].sign(bytes(8) + mldsa44.signature[8:])

    def good(name: str, text: str, cosigned: list[Any], refused: list[str]) -> Any:
        result = {"cosigned": cosigned, "refused": refused, "time_s": 1_537_209_540}
        fixed = {"name": name, "note": text, "error": None, "size": 5, "root": root.hex()}
        return fixed | result

    def bad(name: str, text: str, error: str) -> Any:
        return {"name": name, "note": text, "error": error}

    def lines(*which: Any) -> str:
        return Note(note.text, which).format()

    by_south, by_un = ["detente/south", 1_537_209_541], ["detente/un", 1_537_209_545]
    return {
        "origin": ORIGIN,
        "log": NORTH.public.to_json(),
        "witnesses": {"detente/south": SOUTH.public.to_json(), "detente/un": UN.public.to_json()},
        "cases": [
            good("bare", text, [], []),
            good("cosigned", add_cosignature(text, south + un), [by_south, by_un], []),
            good(
                "one cosigner by Ed25519 only",
                add_cosignature(text, south + un.splitlines(keepends=True)[0]),
                [by_south],
                ["detente/un"],
            ),
            bad("Ed25519 only", lines(ed25519), "checkpoint-unsigned"),
            bad("ML-DSA-44 only", lines(mldsa44), "checkpoint-unsigned"),
            bad("log time zero", lines(ed25519, untimed), "checkpoint-untimed"),
            bad("another size", text.replace("\n5\n", "\n6\n"), "signature-invalid"),
            bad("extension line", text.replace("=\n\n", "=\nmore\n\n", 1), "checkpoint-malformed"),
            bad(
                "size with a leading zero", text.replace("\n5\n", "\n05\n"), "checkpoint-malformed"
            ),
            bad("no newline at the end", text[:-1], "note-malformed"),
        ],
    }


def envelope() -> Any:
    """A signed envelope, and the ways one can be wrong."""
    kind = "application/vnd.detente.example+json"
    good = sign_envelope(NORTH, kind, b'{"exercise":false}')
    empty = sign_envelope(NORTH, kind, b"")
    data = encode_envelope(good).decode()
    key_id, other_id = NORTH.public.key_id, SOUTH.public.key_id

    def case(name: str, text: str, error: str | None, pae: bytes = b"") -> Any:
        return {"name": name, "envelope": text, "error": error, "pae": pae.hex()}

    return {
        "public": NORTH.public.to_json(),
        "key_id": key_id,
        "cases": [
            case("good", data, None, good.pae),
            case("empty payload", encode_envelope(empty).decode(), None, empty.pae),
            case("white space", data.replace(",", ", ", 1), "envelope-not-canonical"),
            case("duplicate key", '{"payload":"AA==",' + data[1:], "envelope-not-canonical"),
            case("one signature", data.split(',{"keyid"')[0] + "]}", "envelope-malformed"),
            case("another key id", data.replace(key_id, other_id), "envelope-key"),
            case("another type", data.replace("example+", "exampla+"), "signature-invalid"),
            case(
                "another payload",
                encode_envelope(type(good)(kind, b"{}", key_id, good.signatures)).decode(),
                "signature-invalid",
            ),
        ],
    }


if __name__ == "__main__":
    which = sys.argv[1]
    path = Path(__file__).with_name(f"{which}.json")
    value = {"merkle": merkle, "checkpoint": checkpoint, "envelope": envelope}[which]()
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

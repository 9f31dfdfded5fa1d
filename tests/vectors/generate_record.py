"""Write the vectors of the record: `python tests/vectors/generate_record.py NAME …` (all without a name).

As with generate.py: run it only to add a file. Signatures by ML-DSA-44 are randomised, so a second run
gives other bytes, and the point of a committed vector is that yesterday's bytes still verify. Everything
is fictional; every key comes from a fixed seed and protects nothing.

Every file is {"about", "exercise": true, …, "cases": [{"name", …, "error"}]}: error is null, or the code
with which our verifier refuses the case. Files of several lines (bundle, absence, opening, evidence) have
their bad variants as edits of the good text, so that they stay small and show what is wrong with them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from detente.ledger.checkpoint import (
    Checkpoint,
    cosigner_name,
    log_origin,
    sign_checkpoint,
)
from detente.ledger.cosignature import add_cosignature, cosign
from detente.ledger.leaf import LeafHeader, derive_log_seed, leaf_bytes, leaf_salt, open_leaf
from detente.ledger.merkle import MerkleTree, is_subtree, leaf_hash
from detente.ledger.policy import format_policy
from detente.ledger.proof import LogProof, format_tlog_proof
from detente.ledger.tile import TILE_WIDTH, Tile, encode_bundle, partial_tiles
from detente.protocol.absence import make_absence
from detente.protocol.bundling import make_bundle
from detente.protocol.core import Core
from detente.protocol.opening import encode_opening
from detente.protocol.statement import STATEMENT_TYPE
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import encode_envelope, sign_envelope
from detente.signing.key import SigningKeys
from detente.simulation.chance import Chance
from detente.simulation.clock import NodeClock
from detente.simulation.lies import CATALOGUE, Scene
from detente.simulation.node import SimNode, converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import REAL
from detente.simulation.room import Room
from detente.simulation.witness import SimWitness

HERE = Path(__file__).parent
NORTH = SigningKeys.from_seed(bytes(range(64)))
SOUTH = SigningKeys.from_seed(bytes(range(64, 128)))
UN = SigningKeys.from_seed(bytes(range(128, 192)))
EAST = SigningKeys.from_seed(bytes(range(192, 256)))
ORIGIN = log_origin("north", 1)
TIME_S = 1_537_209_540

Case = dict[str, Any]


def _hex(hashes: Any) -> list[str]:
    return [one.hex() for one in hashes]


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


# -- tree ------------------------------------------------------------------------------------------


def tree() -> Any:
    """Inclusion, consistency and subtree proofs over 13 leaves: good ones, and each way to be wrong."""
    leaves = [bytes([number]) * number for number in range(13)]
    log = MerkleTree(leaf_hash(leaf) for leaf in leaves)
    cases: list[Case] = []

    def inclusion(
        name: str, index: int, size: int, proof: Any, root: bytes, error: str | None
    ) -> None:
        cases.append(
            {
                "name": name,
                "kind": "inclusion",
                "leaf_hash": log.stored(0, min(index, 12)).hex(),
                "index": index,
                "size": size,
                "proof": _hex(proof),
                "root": root.hex(),
                "error": error,
            }
        )

    def consistency(
        name: str, old: int, new: int, proof: Any, error: str | None, **roots: bytes
    ) -> None:
        cases.append(
            {
                "name": name,
                "kind": "consistency",
                "old": old,
                "new": new,
                "proof": _hex(proof),
                "old_root": roots.get("old_root", log.root(old)).hex(),
                "new_root": roots.get("new_root", log.root(new)).hex(),
                "error": error,
            }
        )

    def subtree(
        name: str,
        start: int,
        end: int,
        size: int,
        proof: Any,
        error: str | None,
        part: bytes | None = None,
    ) -> None:
        cases.append(
            {
                "name": name,
                "kind": "subtree-consistency",
                "start": start,
                "end": end,
                "size": size,
                "proof": _hex(proof),
                "subtree_root": (part or log.subtree_root(start, end)).hex(),
                "root": log.root(size).hex(),
                "error": error,
            }
        )

    proof = log.inclusion_proof(5, 13)
    inclusion("leaf 5 of 13", 5, 13, proof, log.root(), None)
    inclusion("the last leaf of 13", 12, 13, log.inclusion_proof(12, 13), log.root(), None)
    wrong = "inclusion-invalid"
    inclusion("index beyond the size", 13, 13, proof, log.root(), wrong)
    inclusion("another index", 4, 13, proof, log.root(), wrong)
    inclusion("another root", 5, 13, proof, _flipped(log.root()), wrong)
    inclusion("a hash too few", 5, 13, proof[:-1], log.root(), wrong)
    inclusion("a hash too many", 5, 13, (*proof, proof[0]), log.root(), wrong)
    inclusion(
        "hashes of 31 and 33 bytes",
        5,
        13,
        (proof[0][:31], proof[0][31:] + proof[1], *proof[2:]),
        log.root(),
        wrong,
    )
    proof = log.consistency_proof(6, 13)
    consistency("6 to 13", 6, 13, proof, None)
    consistency(
        "8 to 13, where the old root is left out", 8, 13, log.consistency_proof(8, 13), None
    )
    consistency("13 to 13", 13, 13, (), None)
    wrong = "consistency-invalid"
    consistency("from size 0, which says nothing", 0, 13, (), wrong)
    consistency("back from 13 to 6", 13, 6, proof, wrong)
    consistency("another old root", 6, 13, proof, wrong, old_root=_flipped(log.root(6)))
    consistency("another new root", 6, 13, proof, wrong, new_root=_flipped(log.root()))
    consistency("a hash too few", 6, 13, proof[:-1], wrong)
    consistency("a hash too many", 6, 13, (*proof, proof[0]), wrong)
    consistency("equal sizes and two roots", 13, 13, (), wrong, old_root=_flipped(log.root()))
    for start, end in ((0, 4), (4, 6), (8, 13), (8, 11), (12, 13), (0, 13)):
        assert is_subtree(start, end)
        subtree(
            f"leaves {start} to {end} of 13",
            start,
            end,
            13,
            log.subtree_consistency_proof(start, end, 13),
            None,
        )
    proof = log.subtree_consistency_proof(4, 6, 13)
    subtree("an interval that is no subtree", 3, 6, 13, proof, wrong, log.subtree_root(4, 6))
    subtree("an empty interval", 4, 4, 13, proof, wrong, log.subtree_root(4, 6))
    subtree("another subtree root", 4, 6, 13, proof, wrong, _flipped(log.subtree_root(4, 6)))
    subtree("a hash too few", 4, 6, 13, proof[:-1], wrong)
    subtree("of a smaller tree", 4, 6, 12, proof, wrong)
    part = log.subtree_inclusion_proof(9, 8, 13)
    for name, index, error in (
        ("leaf 9 in leaves 8 to 13", 9, None),
        ("another leaf", 10, "inclusion-invalid"),
        ("a leaf outside", 7, "inclusion-invalid"),
    ):
        cases.append(
            {
                "name": name,
                "kind": "subtree-inclusion",
                "leaf_hash": log.stored(0, 9).hex(),
                "index": index,
                "start": 8,
                "end": 13,
                "proof": _hex(part),
                "root": log.subtree_root(8, 13).hex(),
                "error": error,
            }
        )
    return {
        "about": "proofs over the leaves given: RFC 9162, section 2.1, and subtrees as in draft-ietf-plants-merkle-tree-certs, section 4",
        "leaves": _hex(leaves),
        "cases": cases,
    }


# -- leaves ----------------------------------------------------------------------------------------


def leaf() -> Any:
    """Leaf bytes and openings from a secret: nothing here is random, every byte can be computed again."""
    secret = bytes(range(32))
    seed = derive_log_seed(secret, ORIGIN)
    headers = [
        LeafHeader(0, "local", "agreement/accepted", TIME_S * 1_000_000),
        LeafHeader(
            1, "made", "activity/notice", TIME_S * 1_000_000 + 1, "north>south", "ordinary", 1
        ),
        LeafHeader(
            2, "received", "receipt/delivered", TIME_S * 1_000_000 + 2, "south>north", "ordinary", 1
        ),
    ]
    entries = []
    cases: list[Case] = []
    for header in headers:
        content = bytes([header.index]) * 32
        opening = open_leaf(seed, header, content)
        data = leaf_bytes(opening)
        entries.append(
            {
                "header": header.to_json(),
                "content": content.hex(),
                "header_salt": leaf_salt(seed, "header", header.index).hex(),
                "content_salt": leaf_salt(seed, "content", header.index).hex(),
                "leaf": data.decode(),
                "leaf_hash": leaf_hash(data).hex(),
            }
        )
        good = opening.to_json()
        cases.append(
            {
                "name": f"leaf {header.index}",
                "opening": good,
                "content": content.hex(),
                "leaf_hash": leaf_hash(data).hex(),
                "error": None,
            }
        )
    notice, content = open_leaf(seed, headers[1], bytes([1]) * 32), (bytes([1]) * 32).hex()
    good = notice.to_json()
    header = headers[1].to_json()

    def bad(name: str, opening: Any, error: str, content: str | None = content) -> None:
        cases.append(
            {
                "name": name,
                "opening": opening,
                "content": content,
                "leaf_hash": None,
                "error": error,
            }
        )

    cases.append(
        {
            "name": "the header alone",
            "opening": notice.without_content().to_json(),
            "content": None,
            "leaf_hash": leaf_hash(leaf_bytes(notice)).hex(),
            "error": None,
        }
    )
    bad("a content without its salt", notice.without_content().to_json(), "leaf-content-withheld")
    bad("another content", good, "leaf-content-mismatch", (bytes([2]) * 32).hex())
    bad("a member too many", {**good, "note": "x"}, "leaf-malformed")
    bad("another kind", {**good, "header": {**header, "kind": "heard"}}, "leaf-malformed")
    bad(
        "a link without a number",
        {**good, "header": {**header, "sequence": None}},
        "leaf-malformed",
    )
    bad(
        "a local entry on a link", {**good, "header": {**header, "kind": "local"}}, "leaf-malformed"
    )
    bad("a time with a fraction", {**good, "header": {**header, "time": 1.5}}, "leaf-malformed")
    bad("a salt of 31 bytes", {**good, "header_salt": good["header_salt"][:-2]}, "base64-malformed")  # type: ignore[index]
    return {
        "about": "leaf bytes (ledger.md, section 2): salts from the secret and the origin, openings, leaf hashes",
        "secret": secret.hex(),
        "origin": ORIGIN,
        "log_seed": seed.hex(),
        "entries": entries,
        "cases": cases,
    }


# -- tiles -----------------------------------------------------------------------------------------


def tiles() -> Any:
    """A log of 300 entries as tiles; an entry is the text `entry N`."""
    size = 300
    entries = [f"entry {number}".encode() for number in range(size)]
    log = MerkleTree(leaf_hash(entry) for entry in entries)

    def hashes(tile: Tile) -> bytes:
        first = tile.index * TILE_WIDTH
        return b"".join(log.stored(8 * tile.level, first + i) for i in range(tile.width))

    paths = {}
    for tile in (Tile(0, 0), *partial_tiles(size)):
        paths[tile.path] = hashes(tile).hex()
    for tile in (Tile(-1, 0), Tile(-1, 1, size - TILE_WIDTH)):
        first = tile.index * TILE_WIDTH
        paths[tile.path] = encode_bundle(entries[first : first + tile.width]).hex()
    full, last = "tile/0/000", "tile/0/001.p/44"
    edits = [
        ("a hash of a full tile is another", full, paths[full][:-2] + "00"),
        ("a hash of a partial tile is another", last, paths[last][:-2] + "00"),
        ("a full tile is cut", full, paths[full][:-64]),
        ("a partial tile is empty", last, ""),
        (
            "an entry is another",
            "tile/entries/000",
            paths["tile/entries/000"].replace(b"entry 7".hex(), b"entry 8".hex(), 1),
        ),
        (
            "a bundle has an entry too few",
            "tile/entries/001.p/44",
            paths["tile/entries/001.p/44"][: -2 * (2 + len("entry 299"))],
        ),
    ]
    cases: list[Case] = [
        {"name": "all 300 entries are read and lead to the root", "replace": {}, "error": None}
    ]
    cases += [
        {"name": name, "replace": {path: data}, "error": error}
        for (name, path, data), error in zip(
            edits,
            (
                "tile-wrong",
                "tile-wrong",
                "tile-malformed",
                "tile-malformed",
                "tile-wrong",
                "tile-malformed",
            ),
            strict=True,
        )
    ]
    return {
        "about": "every resource of a log of 300 entries, by path below /log/, in hexadecimal; entry N is the text `entry N`. A case is read with some of them replaced",
        "size": size,
        "root": log.root().hex(),
        "paths": paths,
        "cases": cases,
        "other_paths": [
            "tile/0/0",
            "tile/0/1000",
            "tile/0/x000/001",
            "tile/00/000",
            "tile/64/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/07",
            "tile/entries/00a",
            "tile/-1/000",
        ],
    }


# -- policies and log proofs -----------------------------------------------------------------------


def _cosigned(*names: str) -> tuple[str, MerkleTree]:
    """A head of north's log of 5 entries, cosigned by these."""
    log = MerkleTree(leaf_hash(bytes([number])) for number in range(5))
    note = sign_checkpoint(NORTH, ORIGIN, 5, log.root(), TIME_S)
    for i, name in enumerate(names):
        keys = {"south": SOUTH, "un": UN, "east": EAST}[name]
        head = Checkpoint(ORIGIN, 5, log.root())
        note = add_cosignature(note, cosign(keys, cosigner_name(name), head, TIME_S + 1 + i))
    return note, log


def policy() -> Any:
    """Policies as text, and checkpoints that have their quorum or not."""
    witnesses = {
        cosigner_name(n): k.public for n, k in (("south", SOUTH), ("un", UN), ("east", EAST))
    }
    logs = {ORIGIN: NORTH.public}
    two = format_policy(logs, witnesses, 2)
    notes = {
        "nobody": _cosigned()[0],
        "un": _cosigned("un")[0],
        "south and un": _cosigned("south", "un")[0],
    }
    # by one of its two keys a witness of ours does not count
    half = notes["south and un"].split("\n")
    notes["south, and half of un"] = "\n".join([*half[:-2], ""])
    lines = two.splitlines()
    group = next(line for line in lines if line.startswith("group witnesses"))
    cases: list[Case] = [
        {"name": f"two of three, cosigned by {who}", "policy": two, "note": who, "error": error}
        for who, error in (
            ("south and un", None),
            ("un", "quorum-missing"),
            ("nobody", "quorum-missing"),
            ("south, and half of un", "quorum-missing"),
        )
    ]
    cases.append(
        {
            "name": "no quorum is asked for",
            "policy": format_policy(logs, witnesses, 0),
            "note": "nobody",
            "error": None,
        }
    )
    cases.append(
        {
            "name": "another log",
            "policy": format_policy({log_origin("north", 2): NORTH.public}, witnesses, 0),
            "note": "un",
            "error": "log-unknown",
        }
    )
    for name, text in (
        ("no quorum line", two.replace(lines[-1] + "\n", "")),
        ("two quorum lines", two + lines[-1] + "\n"),
        ("a name that is not defined before", group + "\n" + two.replace(group + "\n", "")),
        ("a member twice", two.replace(group, group + " " + group.split()[-1])),
        ("more than there are", two.replace(" 2 ", " 4 ")),
        ("none of them", two.replace(" 2 ", " 0 ")),
        ("a carriage return", two.replace("\n", "\r\n")),
        ("no newline at the end", two[:-1]),
        (
            "a key twice",
            two.replace(lines[-1], lines[2].replace("/ed25519 ", "/again ") + "\n" + lines[-1]),
        ),
        ("a group called none", two.replace("group witnesses", "group none")),
    ):
        cases.append(
            {"name": name, "policy": text, "note": "south and un", "error": "policy-malformed"}
        )
    return {
        "about": "C2SP tlog-policy (ledger.md, section 11): a policy, a checkpoint, and whether it counts",
        "notes": notes,
        "cases": cases,
    }


def tlog_proof() -> Any:
    """C2SP tlog-proof texts of one leaf."""
    note, log = _cosigned("un")
    good = format_tlog_proof(LogProof(note, 3, log.inclusion_proof(3)), extra=b"opaque")
    leaf_, lines = leaf_hash(bytes([3])).hex(), good.split("\n")
    cases: list[Case] = [{"name": "leaf 3 of 5", "text": good, "leaf_hash": leaf_, "error": None}]
    for name, text, error in (
        ("another first line", good.replace("@v1", "@v2", 1), "log-proof-malformed"),
        ("no index line", good.replace(lines[2] + "\n", "", 1), "log-proof-malformed"),
        (
            "an index with a leading zero",
            good.replace("index 3", "index 03", 1),
            "log-proof-malformed",
        ),
        ("another index", good.replace("index 3", "index 2", 1), "inclusion-invalid"),
        ("a hash too few", good.replace(lines[3] + "\n", "", 1), "inclusion-invalid"),
        ("a hash that is no base64", good.replace(lines[3], lines[3][:-1], 1), "base64-malformed"),
        (
            "another size in the checkpoint",
            good.replace(f"{ORIGIN}\n5\n", f"{ORIGIN}\n6\n", 1),
            "signature-invalid",
        ),
        (
            "another log",
            good.replace(ORIGIN + "\n5", log_origin("north", 2) + "\n5", 1),
            "checkpoint-origin",
        ),
    ):
        cases.append({"name": name, "text": text, "leaf_hash": leaf_, "error": error})
    cases.append(
        {
            "name": "another leaf",
            "text": good,
            "leaf_hash": leaf_hash(bytes([2])).hex(),
            "error": "inclusion-invalid",
        }
    )
    return {
        "about": "C2SP tlog-proof (ledger.md, section 7) of a leaf in north's log, cosigned by the un",
        "origin": ORIGIN,
        "log": NORTH.public.to_json(),
        "witnesses": {cosigner_name("un"): UN.public.to_json()},
        "cosigned": [[cosigner_name("un"), TIME_S + 1]],
        "cases": cases,
    }


# -- statements ------------------------------------------------------------------------------------


def statement() -> Any:
    """Signed statements that are none by their form, and openings that do not belong."""
    known = json.loads((HERE / "statement.json").read_text("utf-8"))
    payload = parse_canonical(known["payload"].encode())
    assert isinstance(payload, dict)
    assert NORTH.public.key_id == payload["key"]

    def signed(**members: Any) -> str:
        data = encode_canonical({**payload, **members})
        return encode_envelope(sign_envelope(NORTH, STATEMENT_TYPE, data)).decode()

    good = signed()
    openings = known["openings"]
    text = openings["activity"]
    cases: list[Case] = [
        {"name": "good", "envelope": good, "openings": openings, "id": known["id"], "error": None}
    ]

    def bad(name: str, envelope: str, error: str, openings_: Any = openings) -> None:
        cases.append(
            {"name": name, "envelope": envelope, "openings": openings_, "id": None, "error": error}
        )

    for name, members in (
        ("a link that starts with another party", {"link": "south>north"}),
        ("a link to nobody it is addressed to", {"link": "north>east"}),
        ("addressed to its maker", {"to": ["north", "south"]}),
        ("addressees out of order", {"to": ["un", "south"]}),
        ("number 0", {"sequence": 0}),
        ("the first of its chain with a predecessor", {"previous": "00" * 32}),
        ("the second without one", {"sequence": 2}),
        ("another key than signed", {"key": "00" * 16}),
        ("a time with an offset", {"claimed_time": "2018-09-17T20:20:00+02:00"}),
        ("a time in another spelling", {"claimed_time": "2018-09-17T18:20:00.0Z"}),
        ("withheld what it does not have", {"withheld": ["words"]}),
        ("a member too many", {"note": "x"}),
        ("another chain", {"chain": "express"}),
    ):
        bad(name, signed(**members), "statement-malformed")
    signature = json.loads(good)["signatures"][1]["sig"]
    bad(
        "half a signature: ML-DSA-44 is another",
        good.replace(signature, _spoiled(signature)),
        "signature-invalid",
    )
    signature = json.loads(good)["signatures"][0]["sig"]
    bad(
        "half a signature: Ed25519 is another",
        good.replace(signature, _spoiled(signature)),
        "signature-invalid",
    )
    bad(
        "an opening with another value",
        good,
        "openings-wrong",
        {**openings, "activity": [text[0], "transit"]},
    )
    bad(
        "an opening with another salt",
        good,
        "openings-wrong",
        {**openings, "activity": [_spoiled(text[0]), text[1]]},
    )
    bad(
        "an opening left out that is not withheld",
        good,
        "openings-wrong",
        {n: o for n, o in openings.items() if n != "activity"},
    )
    bad("an opening too many", good, "openings-wrong", {**openings, "words": text})
    return {
        "about": "statements (statement.md, sections 1 to 3) signed by both algorithms: read the envelope, verify both signatures under `public`, check the openings",
        "public": NORTH.public.to_json(),
        "cases": cases,
    }


# -- what two nodes said ---------------------------------------------------------------------------


class Story:
    """North tells South of one activity, South confirms, East cosigns South's head before and after."""

    def __init__(self) -> None:
        self.room = Room(3, crypto=REAL)
        self.north, self.south, self.east = self.room.nodes()
        converse(self.north, self.south)
        self._tell("A-0")
        cosign_newest(self.south, self.east)
        self.room.wait(600)
        self._tell("A-1")
        cosign_newest(self.south, self.east)
        self.roots = {p.name: p.root.public.to_json() for p in self.room.parties}

    def _tell(self, name: str) -> None:
        now_us = self.room.timeline.now_us
        notice = random_notice(name, self.room.chance, now_us, exercise=True)
        notice = msgspec.structs.replace(notice, text="an exercise; nothing flies")

        def file(core: Core) -> Any:
            return core.file_notice(notice, ("south",), now_us, officer="vector", desk="vector")

        self.north.run(file)
        for _ in range(2):
            self.room.wait(3)
            converse(self.north, self.south)

    def statement(self, node: SimNode, name: str = "north:A-1") -> str:
        """The id of a notice at a node."""
        return next(iter(node.running.state.notices[name].latest.statements.values()))


def _edits(good: str, *edits: tuple[str, str, str, str]) -> list[Case]:
    """Bad variants of a file: name, what is replaced (its first occurrence), by what, and the code."""
    cases: list[Case] = [
        {"name": "good", "replace": None, "by": None, "sha256": False, "error": None}
    ]
    for name, old, new, error in edits:
        assert old in good, (name, old)
        cases.append({"name": name, "replace": old, "by": new, "sha256": True, "error": error})
    line = good.split("\n")[2]
    kind = good.partition("/")[0].removeprefix("detente-")
    cases.append(
        {
            "name": "another SHA-256 line",
            "replace": line,
            "by": line[:-1] + ("0" if line[-1] != "0" else "1"),
            "sha256": False,
            "error": f"{kind}-invalid",
        }
    )
    return cases


def _content(text: str) -> Any:
    return parse_canonical(text.split("\n")[1].encode(), most_bytes=2**25)


def _spoiled(text: str) -> str:
    """A base64 text with one of its characters in the middle another."""
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def bundle() -> Any:
    """A bundle of version 2 with a field withheld, and the file that opens it."""
    story = Story()
    wanted = story.statement(story.south)
    text = make_bundle(story.south.running, [wanted], withhold=["text"]).decode()
    content = _content(text)
    copy = content["copies"][0]
    place = copy["logged"][0]
    signature = copy["envelope"]["signatures"][1]["sig"]
    kept = story.south.disk.statement(wanted)
    assert kept is not None
    opening = encode_opening(kept[0], "text", kept[1]["text"]).decode()
    salt = content["openings"]["pieces"][0]
    activity = content["openings"]["activity"][1]
    other = "patrol" if activity != "patrol" else "transit"
    head = place["proof"]["checkpoint"].split("\n")
    return {
        "about": "a bundle (bundle.md), version 2, that South made of what North told it; `text` is withheld, and `opening` opens it. A case is the bundle with the first occurrence of `replace` replaced, its third line computed again where `sha256` says so",
        "roots": story.roots,
        "bundle": text,
        "opening": opening,
        "expect": {
            "statement": wanted,
            "made_by": "north",
            "withheld": ["text"],
            "cosigned_by": ["east"],
        },
        "cases": [
            *_edits(
                text,
                ("an exercise passed off as real", "/2 EXERCISE", "/2 REAL", "bundle-invalid"),
                (
                    "a signature of the statement is another",
                    signature,
                    _spoiled(signature),
                    "signature-invalid",
                ),
                ("an opened field is another", f'"{activity}"', f'"{other}"', "openings-wrong"),
                ("a salt is another", salt, _spoiled(salt), "openings-wrong"),
                (
                    "the time in the leaf is another",
                    f'"time":{place["leaf"]["header"]["time"]}',
                    f'"time":{place["leaf"]["header"]["time"] - 1}',
                    "inclusion-invalid",
                ),
                (
                    "a hash between two heads is another",
                    place["proof"]["hashes"][0],
                    _spoiled(place["proof"]["hashes"][0]),
                    "consistency-invalid",
                ),
                (
                    "the root of the head is another",
                    head[2],
                    _spoiled(head[2]),
                    "signature-invalid",
                ),
                ("another version", '"v":2}', '"v":1}', "bundle-invalid"),
                ("white space", '"v":2}', '"v":2 }', "json-not-canonical"),
                (
                    "no certificates",
                    json.dumps(content["keys"], separators=(",", ":")),
                    "[]",
                    "bundle-invalid",
                ),
            )
        ],
        "openings": _edits(
            opening,
            ("another value", "nothing flies", "something flies", "openings-wrong"),
            ("another salt", kept[1]["text"][0], _spoiled(kept[1]["text"][0]), "openings-wrong"),
            ("another statement", wanted, wanted[::-1], "opening-invalid"),
            ("another field", '"field":"text"', '"field":"words"', "openings-wrong"),
            ("real", "/1 EXERCISE", "/1 REAL", "opening-invalid"),
        ),
    }


def absence() -> Any:
    """South proves everything that North told it."""
    story = Story()
    text = make_absence(story.south.running, "north", None, None, None).decode()
    content = _content(text)
    first, second = content["leaves"][0], content["leaves"][1]
    dumped = json.dumps(content["leaves"][0], separators=(",", ":"))
    chain = json.dumps(content["statements"][0], separators=(",", ":"), ensure_ascii=False)
    return {
        "about": "a proof of absence (absence.md) by South about North: every leaf is opened; there were exactly two notices. Cases as in bundle-2.json",
        "roots": story.roots,
        "absence": text,
        "expect": {
            "answer": "these",
            "notices": ["north:A-0", "north:A-1"],
            "by": "north",
            "prover": "south",
        },
        "cases": _edits(
            text,
            ("a leaf is left out", dumped + ",", "", "absence-invalid"),
            ("a header is relabelled", '"activity/notice"', '"activity/other"', "absence-invalid"),
            ("a time is another", f"{first[4]}", f"{first[4] + 1}", "absence-invalid"),
            ("a salt is another", second[0], _spoiled(second[0]), "absence-invalid"),
            ("a statement is left out", chain + ",", "", "absence-invalid"),
            ("it is said to be about another", '"by":"north"', '"by":"east"', "absence-invalid"),
            ("another prover", '"prover":"south"', '"prover":"east"', "absence-invalid"),
            ("real", "/1 EXERCISE", "/1 REAL", "absence-invalid"),
        ),
    }


def evidence() -> Any:
    """One file of each kind that the catalogue of lies leaves under real keys."""
    files = {}
    for lie in CATALOGUE:
        if not lie.evidence or lie.evidence in files:
            continue
        room = Room(5, crypto=REAL)
        witness = SimWitness(room.parties[4], NodeClock(room.timeline))
        scene = Scene(
            room.parties[2], [room.node(0), room.node(1)], [witness], room.parties[3], Chance(1)
        )
        proof = lie.play(scene).proof
        assert proof is not None
        text = proof.decode()
        content = _content(text)
        roots = {name: public.to_json() for name, public in scene.roots().items()}
        spoilt = _longest(content["proof"])
        # the longest is the head in the opened body of a receipt, and the line of a cosigner that counts or not
        refused = {"receipt-wrong": "openings-wrong", "witness-fork": "evidence-invalid"}.get(
            lie.evidence, "signature-invalid"
        )
        files[lie.evidence] = {
            "roots": roots,
            "evidence": text,
            "expect": {"kind": lie.evidence, "against": content["against"]},
            "cases": _edits(
                text,
                (
                    "against somebody else",
                    f'"against":"{content["against"]}"',
                    '"against":"north"',
                    "evidence-invalid",
                ),
                (
                    "of another kind",
                    f'"kind":"{lie.evidence}"',
                    '"kind":"rumour"',
                    "evidence-invalid",
                ),
                ("a signature is another", spoilt, _spoiled(spoilt), refused),
            ),
        }
    return {
        "about": "evidence (evidence.md): one file of each kind, against East, who lied. Cases as in bundle-2.json",
        "files": files,
    }


def _longest(value: Any) -> str:
    """The longest line of any text in it: a signature by ML-DSA-44."""
    if isinstance(value, str):
        return max(value.split("\n"), key=len)
    members = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    )
    return max((_longest(one) for one in members), key=len, default="")


FILES: dict[str, tuple[str, Callable[[], Any]]] = {
    "tree": ("tree", tree),
    "leaf": ("leaf", leaf),
    "tiles": ("tiles", tiles),
    "policy": ("policy", policy),
    "tlog-proof": ("tlog-proof", tlog_proof),
    "statement": ("statement-1", statement),
    "bundle": ("bundle-2", bundle),
    "absence": ("absence-1", absence),
    "evidence": ("evidence-1", evidence),
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or FILES:
        name, make = FILES[wanted]
        document = {"exercise": True, **make()}
        (HERE / f"{name}.json").write_text(
            json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8"
        )

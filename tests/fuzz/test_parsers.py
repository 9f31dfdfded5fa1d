"""Whatever others send, each reader of it takes it or says what is wrong with it, and never fails otherwise.

Bytes are spoiled anywhere, and JSON is spoiled inside while its outer form stays right, so that the rules behind the form are reached.
What is sent in whole statements over lines, `tests/sim/test_fuzz.py` plays.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detente.agreement.card import parse_card, parse_certificate
from detente.agreement.revocation import parse_revocation
from detente.agreement.terms import parse_agreement
from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import cosigner_name, log_keys, parse_checkpoint, sign_checkpoint
from detente.ledger.cosignature import cosigner_keys, parse_cosigner, verify_cosignatures
from detente.ledger.leaf import parse_leaf_opening
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.mirror import (
    MirrorInfo,
    Package,
    Upload,
    UploadParser,
    parse_info,
    verify_package,
)
from detente.ledger.note import parse_note, parse_vkey
from detente.ledger.policy import parse_policy
from detente.ledger.proof import LogProof, format_tlog_proof, parse_log_proof, parse_tlog_proof
from detente.ledger.tile import encode_bundle, parse_bundle, parse_tile_path
from detente.ledger.timestamp import parse_stamp, take_reply
from detente.ledger.witness import encode_add_checkpoint, parse_add_checkpoint
from detente.protocol.absence import make_absence, verify_absence
from detente.protocol.bundle import verify_bundle
from detente.protocol.bundling import make_bundle
from detente.protocol.evidence import verify_evidence
from detente.protocol.learned import keys_document, learn_keys
from detente.protocol.link import Frame, Head, encode_frame, parse_frame
from detente.protocol.statement import parse_message, parse_statement, parse_vouched
from detente.signing.age import AgeWriter, open_age
from detente.signing.base64 import encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import parse_envelope
from detente.signing.key import SigningKeys, parse_public_keys
from detente.signing.sealing import parse_sealing_public_key
from detente.signing.simulated import KEYED_HASH
from detente.simulation.chance import Chance
from detente.simulation.clock import NodeClock
from detente.simulation.lies import CATALOGUE
from detente.simulation.lies import Scene as LieScene
from detente.simulation.node import converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import REAL, make_agreement, make_party
from detente.simulation.room import Room
from detente.simulation.witness import SimWitness

VECTORS = Path(__file__).parents[1] / "vectors"
EXAMPLES = 150
QUIET = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
NOW_US = 1_537_209_540_000_000


def vector(name: str) -> Any:
    """One of our own vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


CHANCE = Chance(1)
NORTH, SOUTH = (make_party(name, CHANCE, NOW_US, REAL) for name in ("north", "south"))
ROOTS = {party.name: party.root.public for party in (NORTH, SOUTH)}
AGREEMENT = make_agreement([NORTH, SOUTH], NOW_US)
KEYS = SigningKeys.from_seed(bytes(range(64)))
TREE = MerkleTree(leaf_hash(b"%d" % number) for number in range(9))
NOTE = sign_checkpoint(KEYS, "detente/north/log/1", 9, TREE.root(), NOW_US // 1_000_000)
COSIGNED = [case["note"] for case in vector("checkpoint")["cases"]]
STATEMENT = vector("statement")
BUNDLE = vector("bundle-1")
FRAME = encode_frame(
    Frame(
        sender="north",
        recipient="south",
        run="0" * 16,
        answers="1" * 16,
        number=1,
        time_us=NOW_US,
        received={"safety": Head(), "ordinary": Head(2, "ab" * 32)},
        sent={"safety": Head(), "ordinary": Head()},
        known={"safety": Head(), "ordinary": Head()},
        messages=(b"sealed",),
        lost=(),
    ),
    "k" * 32,
    lambda _message: bytes(64),
)


def frame_of(inner: Any) -> bytes:
    """A frame around any content, its outer form right."""
    signature = encode_base64url(bytes(64)).encode()
    return b'{"frame":%s,"key":"%s","signature":"%s"}' % (
        encode_canonical(inner),
        b"k" * 32,
        signature,
    )


def text(call: Callable[[str], object]) -> Callable[[bytes], object]:
    """A reader of text that came as bytes."""
    return lambda data: call(data.decode("utf-8", "replace"))


def proof() -> LogProof:
    """A log proof of entry 5."""
    return LogProof(NOTE, 5, TREE.inclusion_proof(5, 9))


POLICY = b"""log %s
witness a %s
group g any a
quorum g
""" % (
    log_keys("detente/north/log/1", KEYS.public)[0].format().encode(),
    cosigner_keys(cosigner_name("un"), KEYS.public)[0].format().encode(),
)
WITNESSES = {cosigner_name("south"): KEYS.public}


def upload() -> bytes:
    """What a mirror is sent: three entries and their proof."""
    entries = [b"%d" % number for number in range(9)]
    package = Package(0, tuple(entries), ())  # all of the tree: nothing to prove
    return Upload("detente/north/log/1", 0, 9, b"ticket").encode() + package.encode()


def read_upload(data: bytes) -> None:
    """As a mirror reads it: in pieces, every package held against a head."""
    parser = UploadParser()
    for at in range(0, len(data), 40):
        parser.feed(data[at : at + 40])
        for package in parser.packages():
            verify_package(package, (), 9, TREE.root())


def aged() -> bytes:
    """An encrypted backup, its work factor the smallest."""
    written = bytearray()
    writer = AgeWriter(written.extend, "a passphrase of ours", CHANCE.bytes, work=1)
    writer.write(b"backup" * 20)
    writer.close()
    return bytes(written)


LEARNER, TAUGHT = Room(seed=3).nodes()
SEALED = NORTH.identity.sealer.seal(
    parse_sealing_public_key(SOUTH.identity.opener.public.to_json(), sealer=SOUTH.identity.sealer),
    b"plain",
    b"info",
)


def learn(data: bytes) -> None:
    """As a witness learns another party's keys; the spoiled ones may name a party that is none of it."""
    with contextlib.suppress(UsageError):
        TAUGHT.act(lambda core: learn_keys(core, data, TAUGHT.now_us()))


OF_BYTES: dict[str, tuple[list[bytes], Callable[[bytes], object]]] = {
    "canonical JSON": ([STATEMENT["payload"].encode()], parse_canonical),
    "envelope": ([STATEMENT["envelope"].encode()], parse_envelope),
    "message": ([STATEMENT["message"].encode()], parse_message),
    "note": ([note.encode() for note in COSIGNED], text(parse_note)),
    "checkpoint": (
        [note.encode() for note in COSIGNED],
        text(lambda one: parse_checkpoint(parse_note(one))),
    ),
    "cosignatures": (
        [note.encode() for note in COSIGNED],
        text(lambda one: verify_cosignatures(one, WITNESSES)),
    ),
    "add-checkpoint": (
        [encode_add_checkpoint(5, TREE.consistency_proof(5, 9), NOTE)],
        parse_add_checkpoint,
    ),
    "tlog-proof": ([format_tlog_proof(proof(), extra=b"x").encode()], text(parse_tlog_proof)),
    "vkey": ([POLICY.split()[1]], text(parse_vkey)),
    "entry bundle": ([encode_bundle([b"a", b"bc", b""])], lambda data: parse_bundle(data, 3)),
    "frame": ([FRAME], lambda data: parse_frame(data, nothing)),
    "bundle": ([BUNDLE["bundle"].encode()], lambda data: verify_bundle(data, ROOTS)),
    "mirror upload": ([upload()], read_upload),
    "mirror info": ([MirrorInfo(9, 5, b"ticket").encode().encode()], parse_info),
    "time stamp": ([b"\x30\x82\x01\x00" + bytes(256)], parse_stamp),
    "time stamp answer": (
        [b"\x30\x03\x30\x01\x00", b"\x30\x82\x01\x00" + bytes(256)],
        lambda data: take_reply(data, NOTE, 1),
    ),
    "vouched message": ([STATEMENT["message"].encode()], parse_vouched),
    "sealed message": ([SEALED], lambda data: SOUTH.identity.opener.open(data, b"info")),
    "learned keys": ([encode_canonical(keys_document(LEARNER.running))], learn),
}
# Files of our own operator: what is wrong in them is a UsageError, or a PeerError about a key.
OF_FILES: dict[str, tuple[list[bytes], Callable[[bytes], object]]] = {
    "policy": ([POLICY], parse_policy),
    "age": ([aged()], lambda data: list(open_age(data, "a passphrase of ours"))),
    "tile path": ([b"tile/0/x001/067.p/8", b"tile/entries/000"], text(parse_tile_path)),
    "cosigner": (
        [
            b" ".join(
                key.format().encode() for key in cosigner_keys(cosigner_name("un"), KEYS.public)
            )
        ],
        text(lambda one: parse_cosigner(one.split())),
    ),
}


def nothing(*_: object) -> None:
    """Signatures of frames are another test's."""


@st.composite
def spoiled_bytes(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """A sample with some bytes changed, cut, doubled or put in; sometimes anything at all."""
    data = bytearray(draw(st.sampled_from(samples)))
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        how = draw(st.integers(0, 4))
        if how == 0 and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == 1:
            del data[at : at + draw(st.integers(1, 40))]
        elif how == 2:
            data[at:at] = data[at : at + draw(st.integers(1, 40))]
        elif how == 3:
            data[at:at] = draw(
                st.sampled_from([b"\n", b"\n\n", b"\x00", b"\xff", b'"', b"-", b"9" * 30, b" "])
            )
        else:
            del data[at:]
    return bytes(data)


@pytest.mark.parametrize("name", OF_BYTES)
def test_reader_of_spoiled_bytes_takes_them_or_blames_the_peer(name: str) -> None:
    """Spoiled bytes are taken or refused as a PeerError, and nothing else happens."""
    samples, read = OF_BYTES[name]

    @QUIET
    @given(spoiled_bytes(samples))
    def try_one(data: bytes) -> None:
        with contextlib.suppress(PeerError):
            read(data)

    try_one()


# -- JSON whose outer form is right ------------------------------------------------------------------------

ODD = st.sampled_from(
    [
        None, True, False, 0, -1, 2**53 - 1, 1 - 2**53, "", "x", "\u0000", "\u202e", "é" * 300, "2018-09-17T18:39:00Z",
        "9999-12-31T23:59:59.999999Z", "AAAA", [], {}, [[]], [None], {"": None}, [1] * 50, {"a": {"b": [{}]}}, "ab" * 32, "ab" * 16,
    ]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value[:5]):
            found += places(one, (*path, index))
    return found


@st.composite
def spoiled_json(draw: st.DrawFn, sample: Any) -> Any:
    """The value with one to three places changed, removed or added to."""
    value = copy.deepcopy(sample)
    for _ in range(draw(st.integers(1, 3))):
        found = [path for path in places(value) if path]
        if not found:
            break
        path = draw(st.sampled_from(found))
        inner = value
        for step in path[:-1]:
            inner = inner[step]
        how = draw(st.integers(0, 5))
        if how == 0:
            del inner[path[-1]]
        elif how == 1 and isinstance(inner, dict):
            inner["more"] = copy.deepcopy(draw(ODD))
        elif how == 2 and isinstance(inner, list):
            inner.append(copy.deepcopy(inner[path[-1]]))
        else:
            inner[path[-1]] = copy.deepcopy(draw(ODD))
    return value


def paper(title: bytes) -> Callable[[Any], bytes]:
    """A file of that title around any content, its SHA-256 line right."""

    def wrap(content: Any) -> bytes:
        body = title + encode_canonical(content) + b"\n"
        return body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"

    return wrap


def root_of(name: str) -> Any:
    """The public keys of a bundle's party."""
    return parse_public_keys(BUNDLE["roots"][name])


CARD = NORTH.card
CERTIFICATE = CARD["document"]["certificates"][0]
CONTENT = parse_canonical(BUNDLE["bundle"].encode().split(b"\n")[1], most_bytes=2**25)
BUNDLE_ROOTS = {name: root_of(name) for name in BUNDLE["roots"]}


def told() -> tuple[Any, Any]:
    """A bundle and a proof of absence of a room in which north told south of a notice and east cosigned."""
    room = Room(3)
    north, south, east = room.nodes()
    converse(north, south)
    notice = random_notice("A-1", room.chance, room.timeline.now_us, exercise=True)
    north.run(
        lambda core: core.file_notice(
            notice, ("south",), north.now_us(), officer="o", desk="operations-cell"
        )
    )
    for _ in range(3):
        room.wait(3)
        converse(north, south)
    cosign_newest(south, east)
    said = south.running.state.notices["north:A-1"].latest.statements["south"]
    files = (
        make_bundle(south.running, [said]),
        make_absence(south.running, "north", None, None, None),
    )
    return tuple(parse_canonical(file.split(b"\n")[1], most_bytes=2**25) for file in files)


def proved(name: str) -> Any:
    """The evidence that a lie of the catalogue leaves."""
    room = Room(5)
    nodes = [room.node(0), room.node(1)]
    witness = SimWitness(room.parties[4], NodeClock(room.timeline))
    scene = LieScene(room.parties[2], nodes, [witness], room.parties[3], Chance(1))
    file = next(lie for lie in CATALOGUE if lie.name == name).play(scene).proof
    assert file is not None
    return parse_canonical(file.split(b"\n")[1], most_bytes=2**25)


BUNDLE_2, ABSENCE = told()
SIMULATED_ROOTS = {party.name: party.root.public for party in Room(5).parties}


def evidence_of(name: str) -> tuple[Any, Callable[[Any], object]]:
    """The evidence of a lie, and its reader."""
    sample = proved(name)
    word = {True: b"EXERCISE", False: b"REAL", None: b"NEITHER"}[sample["EXERCISE"]]
    wrap = paper(b"detente-evidence/1 %s\n" % word)
    return sample, lambda value: verify_evidence(wrap(value), SIMULATED_ROOTS, verifier=KEYED_HASH)


OF_JSON: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "statement": (
        json.loads(STATEMENT["payload"]),
        lambda value: parse_payload(value),
    ),
    "frame": (json.loads(FRAME)["frame"], lambda value: parse_frame(frame_of(value), nothing)),
    "card": (CARD, parse_card),
    "certificate": (
        CERTIFICATE,
        lambda value: parse_certificate(value, party="north", root=ROOTS["north"], field="c"),
    ),
    "revocation": (
        CERTIFICATE,
        lambda value: parse_revocation(value, party="north", root=ROOTS["north"], field="r"),
    ),
    "agreement": (AGREEMENT["agreement"], parse_agreement),
    "log proof": (proof().to_json(), parse_log_proof),
    "leaf opening": (CONTENT["copies"][0]["logged"][0]["leaf"], parse_leaf_opening),
    "bundle": (
        CONTENT,
        lambda value: verify_bundle(paper(b"detente-bundle/1 EXERCISE\n")(value), BUNDLE_ROOTS),
    ),
    "bundle 2": (
        BUNDLE_2,
        lambda value: verify_bundle(
            paper(b"detente-bundle/2 EXERCISE\n")(value), SIMULATED_ROOTS, verifier=KEYED_HASH
        ),
    ),
    "absence": (
        ABSENCE,
        lambda value: verify_absence(
            paper(b"detente-absence/1 EXERCISE\n")(value), SIMULATED_ROOTS, verifier=KEYED_HASH
        ),
    ),
    **{
        f"evidence of {name}": evidence_of(name)
        for name in ("equivocate", "wrong-proof", "back-date", "fork-log-mirrored", "collude", "break-rule")
    },
}  # fmt: skip


def parse_payload(value: Any) -> object:
    """A payload in an envelope whose signatures nobody looked at yet."""
    envelope = parse_envelope(STATEMENT["envelope"].encode())
    return parse_statement(msgspec.structs.replace(envelope, payload=encode_canonical(value)))


@pytest.mark.parametrize("name", OF_JSON)
def test_reader_of_spoiled_json_takes_it_or_blames_the_peer(name: str) -> None:
    """Any JSON in any place of a document is taken or refused as a PeerError."""
    sample, read = OF_JSON[name]

    @QUIET
    @given(spoiled_json(sample))
    def try_one(value: Any) -> None:
        with contextlib.suppress(PeerError):
            read(value)

    try_one()


@pytest.mark.parametrize("name", OF_FILES)
def test_reader_of_a_spoiled_file_of_our_own_takes_it_or_says_what_is_wrong(name: str) -> None:
    """L-POL-1, K-AGE-1: what is wrong in a file that our own operator brings is a UsageError, or a PeerError about a key."""
    samples, read = OF_FILES[name]

    @QUIET
    @given(spoiled_bytes(samples))
    def try_one(data: bytes) -> None:
        with contextlib.suppress(UsageError, PeerError):
            read(data)

    try_one()


def test_samples_are_good_before_they_are_spoiled() -> None:
    """What is spoiled above is taken as it is, so that the rules behind the form are reached."""
    for name, (sample, read) in OF_JSON.items():
        if name != "revocation":
            read(sample)
    for name, (samples, read_bytes) in (OF_BYTES | OF_FILES).items():
        for data in samples:
            # a good time stamp needs an authority; of our vectors of notes some are wrong
            if not name.startswith(("time stamp", "note", "checkpoint", "cosignatures")):
                read_bytes(data)

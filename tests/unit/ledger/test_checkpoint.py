"""A head that the log cannot take back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from detente.errors import DetenteError, PeerError, UsageError
from detente.ledger.checkpoint import (
    Checkpoint,
    cosigner_name,
    log_keys,
    log_origin,
    sign_checkpoint,
    subtree_message,
    verify_checkpoint,
)
from detente.ledger.cosignature import add_cosignature, cosign, verify_cosignatures
from detente.ledger.merkle import EMPTY_ROOT, leaf_hash
from detente.ledger.note import Note, parse_note
from detente.signing.key import SigningKeys, parse_public_keys
from detente.signing.simulated import KEYED_HASH, KeyedHashKeys

VECTORS = Path(__file__).parents[2] / "vectors" / "checkpoint.json"
ORIGIN = log_origin("north", 1)
ROOT = leaf_hash(b"root")
TIME_S = 1_700_000_000


def _code(text: str, keys: SigningKeys, origin: str = ORIGIN) -> str:
    with pytest.raises(PeerError) as caught:
        verify_checkpoint(text, origin, keys.public)
    return caught.value.code


def test_checkpoint_signed_verifies_with_its_time(north: SigningKeys) -> None:
    """A signed checkpoint gives back origin, size, root and time."""
    text = sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S)
    verified = verify_checkpoint(text, ORIGIN, north.public)
    assert (verified.origin, verified.size, verified.root) == (ORIGIN, 42, ROOT)
    assert (verified.time_s, verified.other_lines, verified.cosigned) == (TIME_S, 0, ())


def test_checkpoint_text_is_as_specified(north: SigningKeys) -> None:
    """Three lines, an empty line, and two lines by the origin's name, Ed25519 first."""
    lines = sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S).split("\n")
    assert lines[:4] == [ORIGIN, "42", base64.b64encode(ROOT).decode(), ""]
    for line, key in zip(lines[4:6], log_keys(ORIGIN, north.public), strict=True):
        dash, name, encoded = line.split(" ")
        assert (dash, name) == ("—", ORIGIN)
        assert base64.b64decode(encoded)[:4] == key.key_id
    assert lines[6:] == [""]


def test_subtree_message_is_as_specified() -> None:
    """The ML-DSA-44 message is the structure of tlog-cosignature, byte for byte."""
    expected = (
        b"subtree/v1\n\0"
        + b"\x0ddetente/south"
        + (1_700_000_000).to_bytes(8, "big")
        + b"\x13detente/north/log/1"
        + bytes(8)
        + (42).to_bytes(8, "big")
        + ROOT
    )
    assert subtree_message(Checkpoint(ORIGIN, 42, ROOT), "detente/south", TIME_S) == expected


def test_checkpoint_of_nothing_verifies(north: SigningKeys) -> None:
    """An empty log has a checkpoint, with the hash of nothing."""
    text = sign_checkpoint(north, ORIGIN, 0, EMPTY_ROOT, TIME_S)
    assert verify_checkpoint(text, ORIGIN, north.public).size == 0


def test_checkpoint_either_line_missing_is_refused(north: SigningKeys) -> None:
    """L-CP-1: One of the two log signatures does not suffice, whichever it is, and neither do two of one."""
    note = parse_note(sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S))
    ed25519, mldsa44 = note.signatures
    for lines in ((ed25519,), (mldsa44,), (ed25519, ed25519, mldsa44), (ed25519, mldsa44, mldsa44)):
        assert _code(Note(note.text, lines).format(), north) == "checkpoint-unsigned"


def test_checkpoint_changed_anywhere_is_refused(north: SigningKeys) -> None:
    """Size, root, origin, time and signatures are all signed."""
    text = sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S)
    note = parse_note(text)
    assert _code(text.replace("\n42\n", "\n43\n"), north) == "signature-invalid"
    other_root = base64.b64encode(leaf_hash(b"other")).decode()
    changed = text.replace(base64.b64encode(ROOT).decode(), other_root)
    assert _code(changed, north) == "signature-invalid"
    ed25519, mldsa44 = note.signatures
    late = bytes(7) + b"\x01" + mldsa44.signature[8:]
    for line, signature in ((0, ed25519.signature[:-1] + b"\0"), (1, late)):
        lines = list(note.signatures)
        lines[line] = log_keys(ORIGIN, north.public)[line].sign(signature)
        assert _code(Note(note.text, tuple(lines)).format(), north) == "signature-invalid"


def test_checkpoint_of_other_log_or_key_is_refused(north: SigningKeys, south: SigningKeys) -> None:
    """L-CP-7: Another origin is refused by name, another key as unsigned."""
    text = sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S)
    assert _code(text, north, log_origin("north", 2)) == "checkpoint-origin"
    assert _code(text, south) == "checkpoint-unsigned"


def test_checkpoint_without_time_is_refused(north: SigningKeys) -> None:
    """L-CP-2: A log line with time zero, or cut before it ends, is refused."""
    note = parse_note(sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S))
    key = log_keys(ORIGIN, north.public)[1]
    for signature in (bytes(8) + bytes(2420), b"\x80" + bytes(2427), bytes(7) + b"\x01"):
        lines = (note.signatures[0], key.sign(signature))
        assert _code(Note(note.text, lines).format(), north) == "checkpoint-untimed"


@pytest.mark.parametrize(
    "body",
    [
        "o\n42\n",
        "o\n42\n{root}\nextension\n",
        "o\n042\n{root}\n",
        "o\n-1\n{root}\n",
        "o\n+1\n{root}\n",
        "o\n4²\n{root}\n",
        "o\n9223372036854775808\n{root}\n",
        "o\n42\nAAAA\n",
        "o o\n42\n{root}\n",
        "\n42\n{root}\n",
    ],
)
def test_checkpoint_malformed_body_is_refused(north: SigningKeys, body: str) -> None:
    """L-CP-3: Extension lines, odd sizes, odd roots and odd origins are refused, signed or not."""
    text = body.format(root=base64.b64encode(ROOT).decode())
    lines = parse_note(sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S)).signatures
    assert _code(Note(text, lines).format(), north) == "checkpoint-malformed"


def test_checkpoint_signed_empty_root_is_refused() -> None:
    """L-CP-4: A signed checkpoint of size 0 with another root is refused, whoever signed it."""
    liar = KeyedHashKeys(bytes(64))
    checkpoint = Checkpoint(ORIGIN, 0, ROOT)
    ed25519, mldsa44 = log_keys(ORIGIN, liar.public)
    lines = (
        ed25519.sign(liar.sign_ed25519(checkpoint.body.encode())),
        mldsa44.sign(
            (5).to_bytes(8, "big") + liar.sign_mldsa44(subtree_message(checkpoint, ORIGIN, 5))
        ),
    )
    text = Note(checkpoint.body, lines).format()
    with pytest.raises(PeerError) as caught:
        verify_checkpoint(text, ORIGIN, liar.public, KEYED_HASH)
    assert caught.value.code == "checkpoint-empty-root"
    with pytest.raises(PeerError):
        verify_cosignatures(text, {}, KEYED_HASH)


def test_checkpoint_foreign_lines_are_counted_not_trusted(
    north: SigningKeys, south: SigningKeys
) -> None:
    """L-CP-6: Lines by unknown keys, even under the log's own name, are ignored and counted."""
    text = sign_checkpoint(north, ORIGIN, 42, ROOT, TIME_S)
    forged = sign_checkpoint(south, ORIGIN, 42, ROOT, TIME_S + 1).split("\n\n")[1]
    full = add_cosignature(text, forged + cosign(south, "detente/south", _head(), TIME_S))
    verified = verify_checkpoint(full, ORIGIN, north.public)
    assert (verified.time_s, verified.other_lines) == (TIME_S, 4)


def _head() -> Checkpoint:
    return Checkpoint(ORIGIN, 42, ROOT)


@pytest.mark.parametrize(
    ("origin", "size", "root", "now_s"),
    [
        ("has space", 1, ROOT, 1),
        ("x" * 256, 1, ROOT, 1),
        (ORIGIN, -1, ROOT, 1),
        (ORIGIN, 2**63, ROOT, 1),
        (ORIGIN, 0, ROOT, 1),
        (ORIGIN, 1, b"short", 1),
        (ORIGIN, 1, ROOT, 0),
        (ORIGIN, 1, ROOT, 2**63),
    ],
)
def test_sign_impossible_checkpoint_is_refused(
    north: SigningKeys, origin: str, size: int, root: bytes, now_s: int
) -> None:
    """What no one would verify is not signed."""
    with pytest.raises(UsageError):
        sign_checkpoint(north, origin, size, root, now_s)


def test_names_of_log_and_cosigner_never_meet() -> None:
    """A party's log and cosigner names differ, and a party id cannot imitate another's."""
    assert log_origin("north", 1) == "detente/north/log/1"
    assert cosigner_name("north") == "detente/north"
    for party in ("", "north/log/1", "a b", "a+b", "-a", "x" * 65, "é"):
        with pytest.raises(DetenteError):
            cosigner_name(party)
    with pytest.raises(DetenteError):
        log_origin("north", 0)


def test_own_vectors_answer_as_recorded() -> None:
    """Checkpoints and cosignatures signed long ago still verify, and the broken ones still fail."""
    vectors: Any = json.loads(VECTORS.read_text())
    log = parse_public_keys(vectors["log"])
    witnesses = {name: parse_public_keys(obj) for name, obj in vectors["witnesses"].items()}
    for case in vectors["cases"]:
        if case["error"]:
            with pytest.raises(PeerError) as caught:
                verify_checkpoint(case["note"], vectors["origin"], log)
            assert caught.value.code == case["error"], case["name"]
            continue
        verified = verify_checkpoint(case["note"], vectors["origin"], log)
        assert (verified.size, verified.root.hex()) == (case["size"], case["root"]), case["name"]
        assert verified.time_s == case["time_s"]
        found = verify_cosignatures(case["note"], witnesses)
        assert [[c.name, c.time_s] for c in found.cosigned] == case["cosigned"], case["name"]
        assert [line.name for line in found.refused] == case["refused"], case["name"]

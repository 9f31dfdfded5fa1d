"""Somebody else saw the same head."""

from __future__ import annotations

import pytest

from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import Checkpoint, Cosigned, log_origin, sign_checkpoint
from detente.ledger.cosignature import (
    add_cosignature,
    cosign,
    cosigner_keys,
    ed25519_message,
    verify_cosignatures,
)
from detente.ledger.merkle import leaf_hash
from detente.ledger.note import Note, parse_note
from detente.signing.base64 import decode_base64
from detente.signing.key import SigningKeys

ORIGIN = log_origin("north", 1)
HEAD = Checkpoint(ORIGIN, 42, leaf_hash(b"root"))
NAME = "detente/south"
TIME_S = 1_700_000_100


@pytest.fixture(scope="module")
def text(north: SigningKeys) -> str:
    """A checkpoint by North's log."""
    return sign_checkpoint(north, ORIGIN, HEAD.size, HEAD.root, TIME_S - 50)


def test_cosignature_both_lines_verify(text: str, south: SigningKeys) -> None:
    """A cosigner counts once, at its own time."""
    full = add_cosignature(text, cosign(south, NAME, HEAD, TIME_S))
    found = verify_cosignatures(full, {NAME: south.public})
    assert found.cosigned == (Cosigned(NAME, TIME_S),)
    assert found.refused == ()
    assert found.other_lines == 2


def test_ed25519_message_is_as_specified() -> None:
    """The Ed25519 message is that of the specification's example."""
    head = Checkpoint(
        "example.com/behind-the-sofa",
        20852163,
        decode_base64("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="),
    )
    assert ed25519_message(head, 1679315147).decode() == (
        "cosignature/v1\n"
        "time 1679315147\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_cosignature_one_line_does_not_count(text: str, south: SigningKeys) -> None:
    """L-COS-1: One of the two algorithms is not a cosignature, nor is one of them twice."""
    first, second = cosign(south, NAME, HEAD, TIME_S).splitlines(keepends=True)
    note = parse_note(add_cosignature(text, first + second))
    for lines in (first, second):
        found = verify_cosignatures(add_cosignature(text, lines), {NAME: south.public})
        assert found.cosigned == ()
        assert [line.name for line in found.refused] == [NAME]
    doubled = Note(note.text, (*note.signatures, note.signatures[-1])).format()
    assert verify_cosignatures(doubled, {NAME: south.public}).cosigned == ()


def test_cosignature_lines_of_two_times_do_not_count(text: str, south: SigningKeys) -> None:
    """L-COS-1: A line of one moment and a line of another do not make a cosignature."""
    first = cosign(south, NAME, HEAD, TIME_S).splitlines(keepends=True)[0]
    second = cosign(south, NAME, HEAD, TIME_S + 1).splitlines(keepends=True)[1]
    found = verify_cosignatures(add_cosignature(text, first + second), {NAME: south.public})
    assert found.cosigned == ()
    assert "both lines must carry one time" in found.refused[0].reason


def test_cosignature_of_other_head_or_name_does_not_count(text: str, south: SigningKeys) -> None:
    """A cosignature is for one origin, size, root and name."""
    for head in (
        Checkpoint(log_origin("north", 2), HEAD.size, HEAD.root),
        Checkpoint(ORIGIN, 41, HEAD.root),
        Checkpoint(ORIGIN, 42, leaf_hash(b"other")),
    ):
        full = add_cosignature(text, cosign(south, NAME, head, TIME_S))
        found = verify_cosignatures(full, {NAME: south.public})
        assert found.cosigned == ()
        assert len(found.refused) == 1
    other = add_cosignature(text, cosign(south, "detente/east", HEAD, TIME_S))
    found = verify_cosignatures(other, {NAME: south.public})
    assert (found.cosigned, found.refused, found.other_lines) == ((), (), 4)


def test_cosignature_bad_line_spoils_nobody_else(
    text: str, north: SigningKeys, south: SigningKeys
) -> None:
    """L-COS-2: A forged line is reported under its name and the honest witness still counts."""
    good = cosign(south, NAME, HEAD, TIME_S)
    bad = "".join(
        key.sign(bytes(7) + b"\x05" + bytes(length)).line
        for key, length in zip(cosigner_keys("detente/un", north.public), (64, 2420), strict=True)
    )
    full = add_cosignature(text, bad + good)
    found = verify_cosignatures(full, {NAME: south.public, "detente/un": north.public})
    assert found.cosigned == (Cosigned(NAME, TIME_S),)
    assert [line.name for line in found.refused] == ["detente/un"]


def test_cosignature_untimed_line_does_not_count(text: str, south: SigningKeys) -> None:
    """A line with time zero makes no statement about when, so it does not count."""
    lines = "".join(
        key.sign(bytes(8) + bytes(length)).line
        for key, length in zip(cosigner_keys(NAME, south.public), (64, 2420), strict=True)
    )
    found = verify_cosignatures(add_cosignature(text, lines), {NAME: south.public})
    assert found.cosigned == ()
    assert found.refused[0].name == NAME


def test_add_cosignature_same_lines_twice_changes_nothing(text: str, south: SigningKeys) -> None:
    """Adding is idempotent."""
    lines = cosign(south, NAME, HEAD, TIME_S)
    once = add_cosignature(text, lines)
    assert add_cosignature(once, lines) == once
    assert add_cosignature(text, lines + lines) == once
    with pytest.raises(PeerError):
        add_cosignature(text, "not a line\n")


def test_cosign_impossible_checkpoint_is_refused(south: SigningKeys) -> None:
    """What no one would verify is not cosigned."""
    for name, head, now_s in (
        ("a b", HEAD, 1),
        (NAME, HEAD, 0),
        (NAME, Checkpoint(ORIGIN, 0, HEAD.root), 1),
    ):
        with pytest.raises(UsageError):
            cosign(south, name, head, now_s)

"""The tamper test: no bit of a bundle can change unseen."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from detente.errors import PeerError
from detente.protocol.bundle import verify_bundle
from detente.protocol.bundling import make_bundle
from detente.protocol.views import find_statements
from detente.signing.key import PublicKeys, StrictVerifier
from detente.simulation.node import converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import REAL
from detente.simulation.room import Room


@functools.cache
def scene() -> tuple[bytes, dict[str, PublicKeys]]:
    """A small bundle with real keys, a receipt and a cosigner; and the roots to trust."""
    room = Room(2, crypto=REAL)
    north, south = room.nodes()
    converse(north, south)
    cosign_newest(north, south)  # a head from before, which bounds the time
    notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
    north.run(lambda core: core.file_notice(notice, (), north.now_us(), officer="o", desk="d"))
    room.wait(3)
    converse(north, south)
    cosign_newest(north, south)
    bundle = make_bundle(north.running, find_statements(north.running, "A-1"))
    return bundle, {party.name: party.root.public for party in room.parties}


def resealed(data: bytes) -> bytes:
    """The bundle with its SHA-256 line computed again, as an attacker would."""
    body = data[: data.rindex(b"sha256 ")]
    return body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"


def outcome(data: bytes) -> str:
    """``refused``, ``fewer`` (a cosigner was lost, and reported), or what must never be: ``passed``."""
    try:
        found = verify_bundle(data, scene()[1])
    except PeerError:
        return "refused"
    if any("signature lines of a cosigner do not verify" in one for one in found.remarks):
        return "fewer"
    return "passed"


def flipped(data: bytes, bit: int) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def signature_bytes(data: bytes) -> set[int]:
    """Where the base64 of signatures and keys stands: long runs of its alphabet."""
    return {i for m in re.finditer(rb"[A-Za-z0-9+/_-]{200,}", data) for i in range(*m.span())}


def bits(data: bytes, *, every: int) -> Iterator[int]:
    """All bits but those of signatures and keys, and every so many-th of these."""
    inside = signature_bytes(data)
    for position in range(len(data)):
        if position not in inside:
            yield from range(8 * position, 8 * position + 8)
    for count, position in enumerate(sorted(inside)):
        if count % every == 0:
            yield 8 * position + (count // every) % 8


def test_tamper_bundle_as_it_is_verifies() -> None:
    """Without a flip the bundle is valid and has its cosigner, so the flips below mean something."""
    data, roots = scene()
    found = verify_bundle(data, roots)
    assert found.logged_at[0].cosigned_by == ["south"]
    assert found.logged_at[0].not_before is not None
    assert found.remarks == []
    assert resealed(data) == data


def test_tamper_every_bit_of_a_bundle_is_noticed() -> None:
    """B-FORM-2: A single-bit flip of the file as it is gives a refusal: the SHA-256 line sees it."""
    data, _ = scene()
    flips = bits(data, every=8)
    assert [bit for bit in flips if outcome(flipped(data, bit)) != "refused"] == []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember which signatures verified: a flip leaves most of them as they were, and asks again."""
    for name in ("check_public", "verify_ed25519", "verify_mldsa44"):
        monkeypatch.setattr(StrictVerifier, name, remembering(getattr(StrictVerifier, name)))


def remembering(check: Any) -> Any:
    """The same check, asked once for what it let pass."""
    passed: set[tuple[Any, ...]] = set()

    def remembered(verifier: StrictVerifier, *asked: Any) -> None:
        if asked not in passed:
            check(verifier, *asked)
            passed.add(asked)

    return remembered


def tamper(every: int) -> dict[str, int]:
    """How the flips of a resealed bundle end."""
    data, _ = scene()
    body = data[: data.rindex(b"sha256 ")]
    counts = {"refused": 0, "fewer": 0, "passed": 0}
    for bit in bits(body, every=every):
        counts[outcome(resealed(flipped(body, bit) + b"sha256 \n"))] += 1
    return counts


@pytest.mark.usefixtures("quick")
def test_tamper_every_bit_with_the_sha256_computed_again_is_noticed() -> None:
    """B-TAMPER-1: Each flip outside long base64, and a sample inside, is refused or loses a cosigner aloud."""
    counts = tamper(every=40)
    assert counts["passed"] == 0
    assert counts["fewer"] > 0


@pytest.mark.nightly
@pytest.mark.usefixtures("quick")
def test_tamper_every_single_bit_with_the_sha256_computed_again_is_noticed() -> None:
    """All bits, signatures and keys included, of the file as it is and resealed."""
    data, _ = scene()
    body = data[: data.rindex(b"sha256 ")]
    for bit in range(8 * len(data)):
        assert outcome(flipped(data, bit)) == "refused", bit
    for bit in range(8 * len(body)):
        assert outcome(resealed(flipped(body, bit) + b"sha256 \n")) != "passed", bit

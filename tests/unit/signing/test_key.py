"""Two signatures, both needed, by one strict rule."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.signing.base64 import encode_base64url
from detente.signing.key import (
    STRICT,
    PublicKeys,
    Signatures,
    SigningKeys,
    parse_public_keys,
    verify_signatures,
)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
NORTH = SigningKeys.from_seed(bytes(range(64)))
MESSAGE = b"patrol, A-1"
SIGNED = NORTH.sign(MESSAGE)


def _refused(public: PublicKeys, message: bytes, signatures: Signatures) -> str:
    with pytest.raises(PeerError) as caught:
        verify_signatures(public, message, signatures)
    return caught.value.code


def test_sign_real_key_verifies_and_is_hedged(north: SigningKeys) -> None:
    """K-SIG-4: Both signatures verify; Ed25519 is the same each time, ML-DSA-44 is not."""
    first, second = north.sign(MESSAGE), north.sign(MESSAGE)
    verify_signatures(north.public, MESSAGE, first)
    verify_signatures(north.public, MESSAGE, second)
    assert first.ed25519 == second.ed25519
    assert first.mldsa44 != second.mldsa44


def test_keys_same_seed_give_same_public_and_id(north: SigningKeys, south: SigningKeys) -> None:
    """A seed fixes the key pair and its id; another seed gives another."""
    assert SigningKeys.from_seed(bytes(range(64))).public == north.public
    assert north.public.key_id == "662d5cc282fbb731038d434ae0074ee5"
    assert north.public.key_id != south.public.key_id


def test_keys_repr_shows_no_secret(north: SigningKeys) -> None:
    """K-KEY-4: The repr holds the key id and nothing of the seed."""
    assert repr(north) == f"SigningKeys(key_id='{north.public.key_id}')"


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_keys_seed_of_other_length_is_refused(length: int) -> None:
    """A seed must be 64 bytes."""
    with pytest.raises(UsageError):
        SigningKeys.from_seed(bytes(length))


@settings(max_examples=60)
@given(st.integers(0, 64 * 8 - 1), st.integers(0, 2420 * 8 - 1))
def test_verify_changed_bit_is_refused(ed_bit: int, ml_bit: int) -> None:
    """A single changed bit in either signature is refused."""

    def flip(data: bytes, bit: int) -> bytes:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << (bit % 8)
        return bytes(changed)

    changed = msgspec.structs.replace(SIGNED, ed25519=flip(SIGNED.ed25519, ed_bit))
    assert _refused(NORTH.public, MESSAGE, changed) == "signature-invalid"
    changed = msgspec.structs.replace(SIGNED, mldsa44=flip(SIGNED.mldsa44, ml_bit))
    assert _refused(NORTH.public, MESSAGE, changed) == "signature-invalid"


def test_verify_one_good_signature_is_refused(north: SigningKeys, south: SigningKeys) -> None:
    """K-SIG-1: One valid signature of two does not suffice, whichever it is."""
    ours, theirs = north.sign(MESSAGE), south.sign(MESSAGE)
    mixed = (Signatures(ours.ed25519, theirs.mldsa44), Signatures(theirs.ed25519, ours.mldsa44))
    for signatures in mixed:
        assert _refused(north.public, MESSAGE, signatures) == "signature-invalid"
    assert _refused(north.public, MESSAGE, Signatures(b"", ours.mldsa44)) == "signature-invalid"
    assert _refused(north.public, MESSAGE, Signatures(ours.ed25519, b"")) == "signature-invalid"


def test_verify_other_message_or_key_is_refused(north: SigningKeys, south: SigningKeys) -> None:
    """A signature is for one message by one key pair."""
    signed = north.sign(MESSAGE)
    assert _refused(north.public, MESSAGE + b" ", signed) == "signature-invalid"
    assert _refused(south.public, MESSAGE, signed) == "signature-invalid"


def test_verify_s_plus_order_is_refused(north: SigningKeys) -> None:
    """K-SIG-2: The malleable twin, S + L, is refused: a message has one Ed25519 signature."""
    signature = north.sign_ed25519(MESSAGE)
    s = int.from_bytes(signature[32:], "little")
    twin = signature[:32] + (s + L).to_bytes(32, "little")
    with pytest.raises(PeerError):
        STRICT.verify_ed25519(north.public, MESSAGE, twin)


@pytest.mark.parametrize("r", [1, P, P + 1, P + 18, 2**255 - 1, 1 + 2**255])
def test_verify_r_identity_or_uncanonical_is_refused(north: SigningKeys, r: int) -> None:
    """K-SIG-2: R must be canonical and must not be the identity."""
    signature = r.to_bytes(32, "little") + bytes(32)
    with pytest.raises(PeerError):
        STRICT.verify_ed25519(north.public, MESSAGE, signature)


@pytest.mark.parametrize(
    "point",
    [
        "0100000000000000000000000000000000000000000000000000000000000000",  # identity
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 2
        "0000000000000000000000000000000000000000000000000000000000000080",  # order 4
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # identity, uncanonical
        "0200000000000000000000000000000000000000000000000000000000000000",  # not on the curve
    ],
)
def test_enrol_weak_ed25519_key_is_refused(north: SigningKeys, point: str) -> None:
    """K-KEY-2: Small order, uncanonical and off the curve: no such key is enrolled, nor verifies anything."""
    obj = north.public.to_json() | {"ed25519": encode_base64url(bytes.fromhex(point))}
    with pytest.raises(PeerError) as caught:
        parse_public_keys(obj)
    assert caught.value.code == "key-weak"
    by_hand = PublicKeys(bytes.fromhex(point), north.public.mldsa44)
    assert _refused(by_hand, MESSAGE, north.sign(MESSAGE)) == "key-weak"


def test_enrol_mixed_order_key_is_refused(north: SigningKeys) -> None:
    """K-KEY-2: A point of order 8·L, on which libraries disagree, is refused."""
    from nacl.bindings import crypto_core_ed25519_add

    order8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    mixed = crypto_core_ed25519_add(north.public.ed25519, order8)
    with pytest.raises(PeerError) as caught:
        parse_public_keys(north.public.to_json() | {"ed25519": encode_base64url(mixed)})
    assert caught.value.code == "key-weak"


def test_enrol_good_key_round_trips(north: SigningKeys) -> None:
    """A key pair survives its JSON form."""
    assert parse_public_keys(north.public.to_json()) == north.public


@pytest.mark.parametrize(
    "change",
    [
        {"extra": "AA"},
        {"ed25519": None},
        {"ed25519": "AA"},
        {"mldsa44": "AA"},
        {"mldsa44": 5},
    ],
)
def test_enrol_malformed_object_is_refused(north: SigningKeys, change: dict[str, Any]) -> None:
    """K-KEY-1: Other members, types and lengths are refused."""
    with pytest.raises(PeerError):
        parse_public_keys(north.public.to_json() | change)
    for other in (None, [], "key", {"ed25519": "AA"}):
        with pytest.raises(PeerError):
            parse_public_keys(other)


def test_wycheproof_ed25519_every_answer_matches(wycheproof: Any) -> None:
    """K-SIG-2: Every Wycheproof Ed25519 vector is answered as it says."""
    ran, wrong = 0, []
    for group in wycheproof("ed25519_test.json")["testGroups"]:
        public = PublicKeys(bytes.fromhex(group["publicKey"]["pk"]), b"")
        for case in group["tests"]:
            ran += 1
            try:
                STRICT.verify_ed25519(
                    public, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
                )
                valid = True
            except PeerError:
                valid = False
            if valid != (case["result"] == "valid"):
                wrong.append((case["tcId"], case["comment"], case["result"]))
    assert not wrong
    assert ran == 151


def test_wycheproof_mldsa44_every_answer_matches(wycheproof: Any) -> None:
    """K-SIG-3: Every Wycheproof ML-DSA-44 vector with an empty context is answered as it says."""
    ran, wrong = 0, []
    for group in wycheproof("mldsa_44_verify_test.json")["testGroups"]:
        public = PublicKeys(bytes(32), bytes.fromhex(group["publicKey"]))
        for case in group["tests"]:
            if case.get("ctx"):
                continue  # a context is a parameter we do not have: ours is always empty
            ran += 1
            try:
                STRICT.verify_mldsa44(
                    public, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
                )
                valid = True
            except PeerError:
                valid = False
            if valid != (case["result"] == "valid"):
                wrong.append((case["tcId"], case["comment"], case["result"]))
    assert not wrong
    assert ran > 150

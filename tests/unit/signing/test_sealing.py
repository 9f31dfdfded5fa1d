"""Only the recipient opens it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.signing.base64 import encode_base64url
from detente.signing.sealing import (
    SEALED_OVERHEAD_BYTES,
    SealingKeys,
    parse_sealing_public_key,
    seal,
)

NORTH = SealingKeys.from_seed(bytes(range(96)))
SOUTH = SealingKeys.from_seed(bytes(range(96, 192)))
INFO = b"detente/test"


@settings(max_examples=30)
@given(st.binary(max_size=300), st.binary(max_size=40))
def test_seal_any_plaintext_opens(plaintext: bytes, info: bytes) -> None:
    """The recipient reads what was sealed, at a fixed overhead."""
    sealed = seal(NORTH.public, plaintext, info)
    assert NORTH.open(sealed, info) == plaintext
    assert len(sealed) == len(plaintext) + SEALED_OVERHEAD_BYTES


def test_seal_twice_differs() -> None:
    """Two sealings of one plaintext share nothing an observer could match."""
    assert seal(NORTH.public, b"x" * 64, INFO) != seal(NORTH.public, b"x" * 64, INFO)


def test_open_other_key_or_info_is_refused() -> None:
    """K-SEAL-1: Another key and another info do not open it."""
    sealed = seal(NORTH.public, b"x", INFO)
    for keys, info in ((SOUTH, INFO), (NORTH, b""), (NORTH, INFO + b"x")):
        with pytest.raises(PeerError) as caught:
            keys.open(sealed, info)
        assert caught.value.code == "sealing-unopenable"
        assert caught.value.evidence == sealed


@settings(max_examples=60)
@example(8 * (1088 + 32) - 1)
@given(st.integers(0, (SEALED_OVERHEAD_BYTES + 3) * 8 - 1))
def test_open_changed_bit_is_refused(bit: int) -> None:
    """K-SEAL-3: A flipped bit anywhere is refused, the one that X25519 itself ignores included."""
    sealed = bytearray(seal(NORTH.public, b"abc", INFO))
    sealed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(PeerError):
        NORTH.open(bytes(sealed), INFO)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 1119, 1120, SEALED_OVERHEAD_BYTES - 1])
def test_open_short_message_is_refused(length: int) -> None:
    """A message cut short is refused."""
    with pytest.raises(PeerError):
        NORTH.open(seal(NORTH.public, b"abc", INFO)[:length], INFO)


def test_key_json_round_trips_and_names_itself() -> None:
    """A sealing key survives its JSON form and its id depends on both halves."""
    assert parse_sealing_public_key(NORTH.public.to_json()) == NORTH.public
    assert NORTH.public.key_id != SOUTH.public.key_id
    assert repr(NORTH) == f"SealingKeys(key_id='{NORTH.public.key_id}')"


@pytest.mark.parametrize(
    "x25519",
    [
        bytes(32),  # order 4: the shared secret would be zero for everyone
        (1).to_bytes(32, "little"),
        bytes.fromhex(
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"
        ),  # order 8
        (2**255 - 19).to_bytes(32, "little"),
        (2**255 - 1).to_bytes(32, "little"),
        (9 + 2**255).to_bytes(32, "little"),
    ],
)
def test_enrol_weak_x25519_key_is_refused(x25519: bytes) -> None:
    """K-SEAL-2: Low-order and uncanonical X25519 keys are refused at enrolment."""
    obj = NORTH.public.to_json() | {"x25519": encode_base64url(x25519)}
    with pytest.raises(PeerError) as caught:
        parse_sealing_public_key(obj)
    assert caught.value.code == "sealing-key-malformed"


def test_enrol_bad_mlkem_key_is_refused() -> None:
    """K-SEAL-2: An ML-KEM key with coefficients outside its field is refused at enrolment."""
    obj = NORTH.public.to_json() | {"mlkem768": encode_base64url(b"\xff" * 1184)}
    with pytest.raises(PeerError) as caught:
        parse_sealing_public_key(obj)
    assert caught.value.code == "sealing-key-malformed"


@pytest.mark.parametrize("obj", [None, {}, {"x25519": "AA"}, {"x25519": "AA", "mlkem768": "AA"}])
def test_enrol_malformed_object_is_refused(obj: object) -> None:
    """Other members and lengths are refused."""
    with pytest.raises(PeerError):
        parse_sealing_public_key(obj)


def test_seed_of_other_length_is_refused() -> None:
    """A sealing seed is 96 bytes."""
    with pytest.raises(UsageError):
        SealingKeys.from_seed(bytes(95))

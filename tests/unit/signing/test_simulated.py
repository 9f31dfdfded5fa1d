"""The stand-ins fail where the real thing fails, and never pass for it."""

from __future__ import annotations

import msgspec
import pytest

from detente.errors import PeerError, UsageError
from detente.signing.key import SigningKeys, parse_public_keys, verify_signatures
from detente.signing.sealing import SealingKeys, parse_sealing_public_key, seal
from detente.signing.simulated import (
    KEYED_HASH,
    SIMULATED_SEALER,
    KeyedHashKeys,
    SimulatedSealingKeys,
)

ONE, OTHER = KeyedHashKeys(bytes(64)), KeyedHashKeys(bytes([1]) * 64)


def test_simulated_signature_fails_where_a_real_one_would(north: SigningKeys) -> None:
    """It verifies, has the real lengths, and fails for another message, key or bit."""
    signed = ONE.sign(b"m")
    real = north.sign(b"m")
    assert (len(signed.ed25519), len(signed.mldsa44)) == (len(real.ed25519), len(real.mldsa44))
    verify_signatures(ONE.public, b"m", signed, KEYED_HASH)
    broken = msgspec.structs.replace(signed, mldsa44=b"\0" + signed.mldsa44[1:])
    for public, message, signatures in (
        (ONE.public, b"n", signed),
        (OTHER.public, b"m", signed),
        (ONE.public, b"m", broken),
    ):
        with pytest.raises(PeerError) as caught:
            verify_signatures(public, message, signatures, KEYED_HASH)
        assert caught.value.code == "signature-invalid"


def test_simulated_key_is_refused_by_a_real_node() -> None:
    """K-KEY-3: A simulator's key can be enrolled in a simulation and nowhere else."""
    assert parse_public_keys(ONE.public.to_json(), verifier=KEYED_HASH) == ONE.public
    with pytest.raises(PeerError) as caught:
        parse_public_keys(ONE.public.to_json())
    assert caught.value.code == "key-simulated"
    with pytest.raises(PeerError):
        verify_signatures(ONE.public, b"m", ONE.sign(b"m"))


def test_real_key_is_refused_in_a_simulation(north: SigningKeys) -> None:
    """A simulation cannot enrol a real key by mistake."""
    with pytest.raises(PeerError) as caught:
        parse_public_keys(north.public.to_json(), verifier=KEYED_HASH)
    assert caught.value.code == "key-real"


def test_simulated_sealing_opens_only_as_a_real_one_would() -> None:
    """It opens with its key and info, refuses all else, and has the real length."""
    keys, others = SimulatedSealingKeys(bytes(96)), SimulatedSealingKeys(bytes([1]) * 96)
    sealed = SIMULATED_SEALER.seal(keys.public, b"plain", b"info")
    real = SealingKeys.from_seed(bytes(96))
    assert len(sealed) == len(seal(real.public, b"plain", b"info"))
    assert keys.open(sealed, b"info") == b"plain"
    for opener, data, info in (
        (others, sealed, b"info"),
        (keys, sealed, b"other"),
        (keys, sealed[:-1], b"info"),
        (keys, b"\0" + sealed[1:], b"info"),
        (keys, b"", b"info"),
    ):
        with pytest.raises(PeerError) as caught:
            opener.open(data, info)
        assert caught.value.code == "sealing-unopenable"


def test_simulated_sealing_key_stays_in_its_simulation() -> None:
    """A simulator's sealing key is enrolled in a simulation and nowhere else, and a real one not there."""
    public = SimulatedSealingKeys(bytes(96)).public
    assert parse_sealing_public_key(public.to_json(), sealer=SIMULATED_SEALER) == public
    with pytest.raises(PeerError):
        parse_sealing_public_key(public.to_json())
    real = SealingKeys.from_seed(bytes(96)).public
    with pytest.raises(PeerError) as caught:
        parse_sealing_public_key(real.to_json(), sealer=SIMULATED_SEALER)
    assert caught.value.code == "sealing-key-real"


def test_simulated_seed_of_other_length_is_refused() -> None:
    """The seed is as long as a real one."""
    with pytest.raises(UsageError):
        KeyedHashKeys(bytes(32))

"""SIMULATION ONLY. NOTHING HERE PROVES ANYTHING: anyone who knows a public key can forge its signatures.

The simulator runs 200 days of traffic between many nodes; real signatures would cap it at some 25
exchanges per simulated hour. These stand-ins keep every length and every failure of the real thing (a
changed bit, another message, another key are all refused) at the price of one hash, and a real node
refuses to enrol them (`key-simulated`), so that they cannot leak out of a simulation.
"""

from __future__ import annotations

import hashlib
from typing import Final

from detente.errors import PeerError, UsageError
from detente.signing.key import (
    ED25519_SIGNATURE_BYTES,
    MLDSA44_PUBLIC_BYTES,
    MLDSA44_SIGNATURE_BYTES,
    SEED_BYTES,
    SIMULATED_MARK,
    PublicKeys,
    Signatures,
    Verifier,
)
from detente.signing.sealing import (
    MLKEM768_PUBLIC_BYTES,
    SEALED_OVERHEAD_BYTES,
    X25519_PUBLIC_BYTES,
    Sealer,
    SealingPublicKey,
)

_TAG_BYTES = 64


class KeyedHashKeys:
    """A simulated key pair; satisfies `Signer`. SIMULATION ONLY."""

    __slots__ = ("_public",)

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise UsageError(
                "seed-length", f"signing seed is {len(seed)} bytes; it must be {SEED_BYTES}"
            )
        ed25519 = hashlib.sha256(b"simulated ed25519\n" + seed).digest()
        filler = hashlib.shake_128(b"simulated ml-dsa-44\n" + seed)
        mldsa44 = SIMULATED_MARK + filler.digest(MLDSA44_PUBLIC_BYTES - len(SIMULATED_MARK))
        self._public = PublicKeys(ed25519, mldsa44)

    @property
    def public(self) -> PublicKeys:
        """The public halves, marked as simulated."""
        return self._public

    def sign(self, message: bytes) -> Signatures:
        """Two stand-in signatures over one message; the same each time."""
        return Signatures(self.sign_ed25519(message), self.sign_mldsa44(message))

    def sign_ed25519(self, message: bytes) -> bytes:
        """The stand-in for the Ed25519 signature."""
        return _tag(self._public.ed25519, b"ed25519", message)

    def sign_mldsa44(self, message: bytes) -> bytes:
        """The stand-in for the ML-DSA-44 signature, of its real length."""
        return _stretch(_tag(self._public.ed25519, b"mldsa44", message))

    def __repr__(self) -> str:
        return f"KeyedHashKeys(SIMULATED, key_id={self._public.key_id!r})"


class KeyedHashVerifier:
    """Verifies `KeyedHashKeys` and refuses real keys, so that a simulation cannot mix the two."""

    def check_public(self, public: PublicKeys) -> None:
        """Raise `PeerError` unless the key pair is a simulated one."""
        if len(public.ed25519) != 32 or len(public.mldsa44) != MLDSA44_PUBLIC_BYTES:
            raise PeerError(
                "key-malformed", "signing key has other lengths; it must be 32 and 1312"
            )
        if not public.mldsa44.startswith(SIMULATED_MARK):
            raise PeerError("key-real", "signing key is a real one; it must be a simulated one")

    def check_point(self, ed25519: bytes) -> None:
        """Take any: a stand-in is no point."""

    def verify_ed25519(self, public: PublicKeys, message: bytes, signature: bytes) -> None:
        """Raise `PeerError` unless the stand-in matches."""
        if signature != _tag(public.ed25519, b"ed25519", message):
            raise _invalid(public, signature)

    def verify_mldsa44(self, public: PublicKeys, message: bytes, signature: bytes) -> None:
        """Raise `PeerError` unless the stand-in matches."""
        if signature != _stretch(_tag(public.ed25519, b"mldsa44", message)):
            raise _invalid(public, signature)


class SimulatedSealer:
    """Seals nothing: the plaintext travels behind a tag that binds key and info. SIMULATION ONLY."""

    def check_public(self, public: SealingPublicKey) -> None:
        """Raise `PeerError` unless the key is a simulated one."""
        if not public.mlkem768.startswith(SIMULATED_MARK):
            raise PeerError("sealing-key-real", "sealing key is a real one; it must be simulated")

    def seal(self, public: SealingPublicKey, plaintext: bytes, info: bytes) -> bytes:
        """The plaintext behind a tag, as long as a real sealed message."""
        tag = _seal_tag(public, plaintext, info)
        return tag.ljust(SEALED_OVERHEAD_BYTES, b"\0") + plaintext


class SimulatedSealingKeys:
    """A simulated sealing key; satisfies `Opener`. SIMULATION ONLY."""

    __slots__ = ("_public",)

    def __init__(self, seed: bytes) -> None:
        filler = hashlib.shake_128(b"simulated sealing\n" + seed).digest(
            MLKEM768_PUBLIC_BYTES - len(SIMULATED_MARK) + X25519_PUBLIC_BYTES
        )
        # ML-KEM coefficients are below 3329 and the filler's are not: a real node refuses this key.
        self._public = SealingPublicKey(
            SIMULATED_MARK + filler[:-X25519_PUBLIC_BYTES], filler[-X25519_PUBLIC_BYTES:]
        )

    @property
    def public(self) -> SealingPublicKey:
        """The public key; proves and hides nothing."""
        return self._public

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext, if the tag matches this key and info.

        Raises:
            PeerError: `sealing-unopenable`.
        """
        plaintext = sealed[SEALED_OVERHEAD_BYTES:]
        if sealed != SIMULATED_SEALER.seal(self._public, plaintext, info):
            raise PeerError(
                "sealing-unopenable",
                "sealed message does not open; it must be sealed to this key",
                evidence=sealed,
            )
        return plaintext


KEYED_HASH: Final[Verifier] = KeyedHashVerifier()
SIMULATED_SEALER: Final[Sealer] = SimulatedSealer()


def _tag(key: bytes, algorithm: bytes, message: bytes) -> bytes:
    return hashlib.blake2b(message, digest_size=_TAG_BYTES, key=key, person=algorithm).digest()


def _stretch(tag: bytes) -> bytes:
    return (tag * (MLDSA44_SIGNATURE_BYTES // _TAG_BYTES + 1))[:MLDSA44_SIGNATURE_BYTES]


def _seal_tag(public: SealingPublicKey, plaintext: bytes, info: bytes) -> bytes:
    length = len(info).to_bytes(8, "big")
    return hashlib.blake2b(length + info + plaintext, key=public.x25519).digest()


def _invalid(public: PublicKeys, signature: bytes) -> PeerError:
    return PeerError(
        "signature-invalid",
        f"simulated signature under key {public.key_id} is invalid; it must be by this key over this message",
        evidence=signature,
    )


assert _TAG_BYTES == ED25519_SIGNATURE_BYTES  # a stand-in is as long as what it stands in for

"""Only the recipient reads it: hybrid HPKE (ML-KEM-768 with X25519, HKDF-SHA-256, AES-256-GCM).

Traffic recorded today must stay closed when a quantum computer exists, hence the hybrid. Sealing
authenticates nobody: whoever holds the public key can seal. What is inside is signed, and names its
recipient, so a sealed message cannot be passed off as sent by, or to, someone else:

1. Mallory, a party, receives a signed statement from North, sealed to her.
2. She seals the same signed bytes to South, to make South believe that North told it the same.
3. South opens it, reads `to: [mallory]` inside the signed part, and refuses it.

`info` binds the sealed message to its link and purpose; it is not secret and not transmitted.

Source: RFC 9180 (single shot, base mode), with the ML-KEM-768 + X25519 KEM of draft-ietf-hpke-pq.
Randomness: encapsulation draws from the system inside the library (docs/adr/0023).
"""

from __future__ import annotations

import contextlib
import hashlib
from functools import lru_cache
from typing import Final, Protocol, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from detente.errors import PeerError, UsageError, shown
from detente.signing.base64 import decode_base64url, encode_base64url

MLKEM768_PUBLIC_BYTES = 1184
X25519_PUBLIC_BYTES = 32
SEALING_SEED_BYTES = 96  # 64 for ML-KEM-768 (d, z of FIPS 203), then 32 for X25519
SEALED_OVERHEAD_BYTES = 1088 + 32 + 16  # ML-KEM ciphertext, X25519 share, GCM tag

_KEY_ID_TAG = b"detente:sealing-key-id:v1\n"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FIELD_PRIME: Final = 2**255 - 19
_KEYS_CACHED = 400  # as for signing keys: 20 parties, 20 keys each


class SealingPublicKey(msgspec.Struct, frozen=True):
    """What others seal to; enrolled only through `parse_sealing_public_key`."""

    mlkem768: bytes
    x25519: bytes

    @property
    def key_id(self) -> str:
        """The 32 hex characters that name this key."""
        return hashlib.sha256(_KEY_ID_TAG + self.mlkem768 + self.x25519).hexdigest()[:32]

    def to_json(self) -> dict[str, str]:
        """The key as a JSON object, base64url without padding."""
        return {
            "mlkem768": encode_base64url(self.mlkem768),
            "x25519": encode_base64url(self.x25519),
        }


class Opener(Protocol):
    """What can open sealed messages: the real key, or the simulator's."""

    @property
    def public(self) -> SealingPublicKey:
        """What others seal to."""
        ...

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext, or `PeerError` (`sealing-unopenable`)."""
        ...


class Sealer(Protocol):
    """What can seal to a public key: `HPKE`, or the simulator's."""

    def check_public(self, public: SealingPublicKey) -> None:
        """Raise `PeerError` unless a sealing key may be enrolled."""
        ...

    def seal(self, public: SealingPublicKey, plaintext: bytes, info: bytes) -> bytes:
        """The sealed message."""
        ...


class HpkeSealer:
    """The real sealing of docs/spec/signing.md, section 5; `HPKE` is the one instance."""

    def check_public(self, public: SealingPublicKey) -> None:
        """Refuse a key that nothing could be sealed to.

        A low-order share or an ML-KEM key outside its field fails here, at enrolment, and not on the
        day of the first urgent message.

        Raises:
            PeerError: `sealing-key-malformed`.
        """
        if int.from_bytes(public.x25519, "little") >= _FIELD_PRIME:
            raise _key_malformed(public, "the X25519 coordinate is not canonical")
        self.seal(public, b"", b"detente:sealing-enrolment:v1")

    def seal(self, public: SealingPublicKey, plaintext: bytes, info: bytes) -> bytes:
        """The encapsulated key followed by the ciphertext.

        Raises:
            PeerError: `sealing-key-malformed`: the recipient's key cannot be sealed to.
        """
        try:
            return _SUITE.encrypt(plaintext, _public_key(public), info)
        except ValueError as error:
            raise _key_malformed(public, str(error)) from None


HPKE: Final[Sealer] = HpkeSealer()


class SealingKeys:
    """A real sealing key; satisfies `Opener`. Its repr shows the key id and never a secret."""

    __slots__ = ("_private", "_public")

    def __init__(self, mlkem768: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> None:
        self._private = MLKEM768X25519PrivateKey(mlkem768, x25519)
        self._public = SealingPublicKey(
            mlkem768.public_key().public_bytes_raw(), x25519.public_key().public_bytes_raw()
        )

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key of a 96-byte seed: 64 bytes for ML-KEM-768, then 32 for X25519.

        Raises:
            UsageError: `seed-length`.
        """
        if len(seed) != SEALING_SEED_BYTES:
            raise UsageError(
                "seed-length", f"sealing seed is {len(seed)} bytes; it must be {SEALING_SEED_BYTES}"
            )
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(seed[:64]),
            X25519PrivateKey.from_private_bytes(seed[64:]),
        )

    @property
    def public(self) -> SealingPublicKey:
        """What others seal to."""
        return self._public

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext of a sealed message.

        Raises:
            PeerError: `sealing-unopenable`: changed, cut, or sealed to another key or with other info.
        """
        try:
            return _SUITE.decrypt(sealed, self._private, info)
        except (InvalidTag, ValueError):
            raise PeerError(
                "sealing-unopenable",
                f"sealed message of {len(sealed)} bytes does not open with key {self._public.key_id}; "
                "it must be sealed to this key, for this link",
                hint="ask the peer which sealing key it holds for us; compare key ids",
                evidence=sealed,
            ) from None

    def __repr__(self) -> str:
        return f"SealingKeys(key_id={self._public.key_id!r})"


def seal(public: SealingPublicKey, plaintext: bytes, info: bytes) -> bytes:
    """The sealed message, by the real sealing; see `HpkeSealer.seal`."""
    return HPKE.seal(public, plaintext, info)


def parse_sealing_public_key(obj: object, *, sealer: Sealer = HPKE) -> SealingPublicKey:
    """The sealing key of a JSON object, checked for enrolment.

    Args:
        obj: `{"mlkem768": base64url, "x25519": base64url}` and nothing else.
        sealer: whose keys are acceptable; the simulator passes its own.

    Raises:
        PeerError: `sealing-key-malformed` or `base64-malformed`.
    """
    if not isinstance(obj, dict) or set(obj) != {"mlkem768", "x25519"}:
        raise PeerError(
            "sealing-key-malformed",
            f"sealing key is {shown(obj)}; it must be an object with mlkem768 and x25519 only",
        )
    public = SealingPublicKey(
        decode_base64url(obj["mlkem768"], length=MLKEM768_PUBLIC_BYTES, field="mlkem768"),
        decode_base64url(obj["x25519"], length=X25519_PUBLIC_BYTES, field="x25519"),
    )
    sealer.check_public(public)
    return public


@lru_cache(maxsize=_KEYS_CACHED)
def _public_key(public: SealingPublicKey) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public.mlkem768),
        X25519PublicKey.from_public_bytes(public.x25519),
    )


def _key_malformed(public: SealingPublicKey, why: str) -> PeerError:
    return PeerError(
        "sealing-key-malformed",
        f"sealing key {public.key_id} is unusable ({why}); it must be an ML-KEM-768 and an X25519 key",
        evidence=public.mlkem768 + public.x25519,
    )


class SealingRing:
    """Several sealing keys of one party: others seal to the first, and what was sealed to any of them opens.

    While a key takes over from another, messages to both are under way.
    """

    def __init__(self, *keys: Opener) -> None:
        self._keys = keys

    @property
    def public(self) -> SealingPublicKey:
        """What others seal to."""
        return self._keys[0].public

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext.

        Raises:
            PeerError: ``sealing-unopenable``: it was sealed to none of them.
        """
        for key in self._keys[:-1]:
            with contextlib.suppress(PeerError):
                return key.open(sealed, info)
        return self._keys[-1].open(sealed, info)

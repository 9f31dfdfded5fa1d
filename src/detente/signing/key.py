"""Who said it: keys and signatures of two kinds at once, Ed25519 and ML-DSA-44.

A record must stay provable for decades, so everything is signed by both algorithms and *both* must
verify: forging takes a break of elliptic curves and of lattices. `verify_*` raises and never returns a
bool, because a forgotten `if` must not read as "valid".

Ed25519 by one strict rule (docs/spec/signing.md): libraries disagree on edge cases, and two honest
parties must never disagree on who signed.

1. Mallory enrols a public key of small or mixed order.
2. She signs a statement with a signature that one library accepts and another refuses.
3. Half the parties act on the statement, the other half log a forgery; the record cannot settle it.

With a canonical A of prime order (checked at enrolment), S < L and a canonical R other than the
identity, the equation with and the one without the cofactor accept the same signatures, and so do all
libraries.

Source: RFC 8032, section 5.1; FIPS 204 (ML-DSA-44, empty context, hedged signing).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final, Protocol, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from nacl.bindings import crypto_core_ed25519_is_valid_point

from detente.errors import PeerError, UsageError, shown
from detente.signing.base64 import decode_base64url, encode_base64url

ED25519_PUBLIC_BYTES = 32
ED25519_SIGNATURE_BYTES = 64
MLDSA44_PUBLIC_BYTES = 1312
MLDSA44_SIGNATURE_BYTES = 2420
SEED_BYTES = 64  # 32 for Ed25519, then 32 for ML-DSA-44
KEY_ID_CHARS = 32  # 128 bits of SHA-256: nobody finds a second key for an id

# A key pair for the simulator starts its ML-DSA-44 half with this; a real node refuses to enrol it.
SIMULATED_MARK = b"detente simulated key, proves nothing\n"

_KEY_ID_TAG = b"detente:key-id:v1\n"
_FIELD_PRIME: Final = 2**255 - 19
_GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493  # L in RFC 8032
_IDENTITY = (1).to_bytes(32, "little")

# Parsing a key costs more than checking one signature: 400 covers 20 parties with 20 keys each.
_KEYS_CACHED = 400


class Signatures(msgspec.Struct, frozen=True):
    """One signature by each algorithm over the same message."""

    ed25519: bytes
    mldsa44: bytes


class PublicKeys(msgspec.Struct, frozen=True):
    """The public halves of one signing key pair; enrolled only through `parse_public_keys`."""

    ed25519: bytes
    mldsa44: bytes

    @property
    def key_id(self) -> str:
        """The 32 hex characters that name this pair wherever it signs."""
        return _key_id(self.ed25519, self.mldsa44)

    def to_json(self) -> dict[str, str]:
        """The pair as a JSON object, base64url without padding."""
        return {
            "ed25519": encode_base64url(self.ed25519),
            "mldsa44": encode_base64url(self.mldsa44),
        }


class Signer(Protocol):
    """What can sign as one key pair: the real keys, or the simulator's."""

    @property
    def public(self) -> PublicKeys:
        """The public halves."""
        ...

    def sign(self, message: bytes) -> Signatures:
        """Both signatures over one message."""
        ...

    def sign_ed25519(self, message: bytes) -> bytes:
        """The Ed25519 signature alone, for a format that signs different bytes by each algorithm."""
        ...

    def sign_mldsa44(self, message: bytes) -> bytes:
        """The ML-DSA-44 signature alone."""
        ...


class Verifier(Protocol):
    """What can tell a signature from a forgery: `STRICT`, or the simulator's."""

    def check_public(self, public: PublicKeys) -> None:
        """Raise `PeerError` unless a key pair may be enrolled."""
        ...

    def check_point(self, ed25519: bytes) -> None:
        """Raise `PeerError` unless an Ed25519 key that stands alone (transport, witness) may be enrolled."""
        ...

    def verify_ed25519(self, public: PublicKeys, message: bytes, signature: bytes) -> None:
        """Raise `PeerError` unless the Ed25519 signature is by this key over this message."""
        ...

    def verify_mldsa44(self, public: PublicKeys, message: bytes, signature: bytes) -> None:
        """Raise `PeerError` unless the ML-DSA-44 signature is by this key over this message."""
        ...


class StrictVerifier:
    """The verification rule of docs/spec/signing.md, section 2; `STRICT` is the one instance."""

    def check_public(self, public: PublicKeys) -> None:
        """Refuse a key pair that may not be enrolled.

        Raises:
            PeerError: `key-malformed` (lengths), `key-simulated` or `key-weak`: the Ed25519 point is
                not canonical, not on the curve, or not of prime order.
        """
        _check_lengths(public)
        if public.mldsa44.startswith(SIMULATED_MARK):
            raise PeerError(
                "key-simulated",
                "signing key is a simulator's; it must be a real one",
                evidence=public.ed25519 + public.mldsa44,
            )
        self.check_point(public.ed25519)
        _mldsa44_public(public.mldsa44)

    def check_point(self, ed25519: bytes) -> None:
        """Refuse an Ed25519 key that breaks K-KEY-2.

        Raises:
            PeerError: ``key-weak``.
        """
        _ed25519_public(ed25519)

    def verify_ed25519(self, public: PublicKeys, message: bytes, signature: bytes) -> None:
        """Raise `PeerError` (`signature-invalid`) unless the signature verifies by the strict rule."""
        if (
            len(signature) != ED25519_SIGNATURE_BYTES
            # S < L: else S + L would be a second signature for the same message
            or int.from_bytes(signature[32:], "little") >= _GROUP_ORDER
            # R canonical (y < p; the sign bit aside) and not the identity, which reveals the key
            or int.from_bytes(signature[:32], "little") & (2**255 - 1) >= _FIELD_PRIME
            or signature[:32] == _IDENTITY
        ):
            raise _invalid("Ed25519", public, signature, "a canonical R and S")
        try:
            _ed25519_public(public.ed25519).verify(signature, message)
        except InvalidSignature:
            raise _invalid("Ed25519", public, signature, "by this key over this message") from None

    def verify_mldsa44(self, public: PublicKeys, message: bytes, signature: bytes) -> None:
        """Raise `PeerError` (`signature-invalid`) unless the signature verifies, with empty context."""
        if len(signature) != MLDSA44_SIGNATURE_BYTES:
            raise _invalid("ML-DSA-44", public, signature, f"{MLDSA44_SIGNATURE_BYTES} bytes long")
        try:
            _mldsa44_public(public.mldsa44).verify(signature, message)
        except InvalidSignature:
            raise _invalid(
                "ML-DSA-44", public, signature, "by this key over this message"
            ) from None


STRICT: Final[Verifier] = StrictVerifier()


class SigningKeys:
    """A real key pair; satisfies `Signer`. Its repr shows the key id and never a secret."""

    __slots__ = ("_ed25519", "_mldsa44", "_public")

    def __init__(self, ed25519: Ed25519PrivateKey, mldsa44: MLDSA44PrivateKey) -> None:
        self._ed25519 = ed25519
        self._mldsa44 = mldsa44
        self._public = PublicKeys(
            ed25519.public_key().public_bytes_raw(), mldsa44.public_key().public_bytes_raw()
        )

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key pair of a 64-byte seed: 32 bytes of RFC 8032 seed, then 32 of FIPS 204 seed.

        Raises:
            UsageError: `seed-length`.
        """
        if len(seed) != SEED_BYTES:
            raise UsageError(
                "seed-length", f"signing seed is {len(seed)} bytes; it must be {SEED_BYTES}"
            )
        return cls(
            Ed25519PrivateKey.from_private_bytes(seed[:32]),
            MLDSA44PrivateKey.from_seed_bytes(seed[32:]),
        )

    @property
    def public(self) -> PublicKeys:
        """The public halves."""
        return self._public

    def sign(self, message: bytes) -> Signatures:
        """Both signatures over one message; the ML-DSA-44 one differs each time (hedged)."""
        return Signatures(self._ed25519.sign(message), self._mldsa44.sign(message))

    def sign_ed25519(self, message: bytes) -> bytes:
        """The Ed25519 signature alone."""
        return self._ed25519.sign(message)

    def sign_mldsa44(self, message: bytes) -> bytes:
        """The ML-DSA-44 signature alone."""
        return self._mldsa44.sign(message)

    def __repr__(self) -> str:
        return f"SigningKeys(key_id={self._public.key_id!r})"


def parse_public_keys(obj: object, *, verifier: Verifier = STRICT) -> PublicKeys:
    """The key pair of a JSON object, checked for enrolment.

    Args:
        obj: `{"ed25519": base64url, "mldsa44": base64url}` and nothing else.
        verifier: whose keys are acceptable; the simulator passes its own.

    Raises:
        PeerError: `key-malformed`, `base64-malformed`, `key-simulated` or `key-weak`.
    """
    if not isinstance(obj, dict) or set(obj) != {"ed25519", "mldsa44"}:
        raise PeerError(
            "key-malformed",
            f"signing key is {shown(obj)}; it must be an object with ed25519 and mldsa44 only",
        )
    public = PublicKeys(
        decode_base64url(obj["ed25519"], length=ED25519_PUBLIC_BYTES, field="ed25519"),
        decode_base64url(obj["mldsa44"], length=MLDSA44_PUBLIC_BYTES, field="mldsa44"),
    )
    verifier.check_public(public)
    return public


def verify_signatures(
    public: PublicKeys, message: bytes, signatures: Signatures, verifier: Verifier = STRICT
) -> None:
    """Raise unless *both* signatures are by this key pair over this message.

    Raises:
        PeerError: `signature-invalid`; the evidence is the signature at fault.
    """
    verifier.verify_ed25519(public, message, signatures.ed25519)
    verifier.verify_mldsa44(public, message, signatures.mldsa44)


@lru_cache(maxsize=_KEYS_CACHED)
def _key_id(ed25519: bytes, mldsa44: bytes) -> str:
    return hashlib.sha256(_KEY_ID_TAG + ed25519 + mldsa44).hexdigest()[:KEY_ID_CHARS]


@lru_cache(maxsize=_KEYS_CACHED)
def _ed25519_public(data: bytes) -> Ed25519PublicKey:
    # Enrolment has checked the point; checking again here costs once per key and guards a caller
    # who built PublicKeys by hand, from a file of trusted keys for instance.
    if len(data) != ED25519_PUBLIC_BYTES or not crypto_core_ed25519_is_valid_point(data):
        raise PeerError(
            "key-weak",
            f"Ed25519 key is {data.hex()}; it must be a canonical point of prime order",
            evidence=data,
        )
    return Ed25519PublicKey.from_public_bytes(data)


@lru_cache(maxsize=_KEYS_CACHED)
def _mldsa44_public(data: bytes) -> MLDSA44PublicKey:
    try:
        return MLDSA44PublicKey.from_public_bytes(data)
    except ValueError as error:
        raise PeerError(
            "key-malformed",
            f"ML-DSA-44 key is {len(data)} bytes ({error}); it must be a FIPS 204 public key",
            evidence=data,
        ) from None


def _check_lengths(public: PublicKeys) -> None:
    lengths = (len(public.ed25519), len(public.mldsa44))
    if lengths != (ED25519_PUBLIC_BYTES, MLDSA44_PUBLIC_BYTES):
        raise PeerError(
            "key-malformed",
            f"signing key is {lengths[0]} and {lengths[1]} bytes; it must be "
            f"{ED25519_PUBLIC_BYTES} and {MLDSA44_PUBLIC_BYTES}",
            evidence=public.ed25519 + public.mldsa44,
        )


def _invalid(algorithm: str, public: PublicKeys, signature: bytes, rule: str) -> PeerError:
    return PeerError(
        "signature-invalid",
        f"{algorithm} signature under key {public.key_id} is invalid; it must be {rule}",
        evidence=signature,
    )

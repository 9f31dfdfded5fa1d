"""The signed bytes in their wrapper: DSSE, two signatures in fixed order, one byte form.

What is signed is the pre-authentication encoding (PAE) of payload type and payload, so a payload signed
as one type cannot be replayed as another. Signatures travel outside what they sign, so the wrapper
itself must have one form only: a naive DSSE + JSON reader let 127 single-bit flips of a bundle pass
unseen (white space, key ids, padding bits), and 17,229 where one of the two signatures sufficed.
`parse_envelope` accepts only what `encode_envelope` would write.

    {"payload":"<base64>","payloadType":"<type>","signatures":[
        {"keyid":"<key id>#ed25519","sig":"<base64>"},{"keyid":"<key id>#ml-dsa-44","sig":"<base64>"}]}

Source: DSSE v1.0.2 (protocol and envelope); RFC 8785 for the bytes.
"""

from __future__ import annotations

import binascii
import re

import msgspec

from detente import limits
from detente.errors import PeerError, UsageError, shown
from detente.signing.base64 import decode_base64, encode_base64
from detente.signing.key import (
    ED25519_SIGNATURE_BYTES,
    MLDSA44_SIGNATURE_BYTES,
    STRICT,
    PublicKeys,
    Signatures,
    Signer,
    Verifier,
    verify_signatures,
)

_PAYLOAD_TYPE = re.compile(r"[a-z0-9]{1,32}/[a-z0-9][a-z0-9.+-]{0,126}", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Envelope(msgspec.Struct, frozen=True):
    """A payload and the two signatures over it, not necessarily verified."""

    payload_type: str
    payload: bytes
    key_id: str
    signatures: Signatures

    @property
    def pae(self) -> bytes:
        """The bytes that both signatures sign."""
        return pae(self.payload_type, self.payload)


class _WireSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _WireEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_WireSignature, _WireSignature]


_decoder = msgspec.json.Decoder(_WireEnvelope)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what is signed.

    Example:
        >>> pae("http/x", b"hello")
        b'DSSEv1 6 http/x 5 hello'
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(signer: Signer, payload_type: str, payload: bytes) -> Envelope:
    """A payload signed by both algorithms.

    Raises:
        UsageError: `envelope-type`: the payload type is not a plain lower-case media type.
    """
    if _PAYLOAD_TYPE.fullmatch(payload_type) is None:
        raise UsageError(
            "envelope-type",
            f"payload type is {shown(payload_type)}; it must be a lower-case media type",
        )
    signatures = signer.sign(pae(payload_type, payload))
    return Envelope(payload_type, payload, signer.public.key_id, signatures)


def verify_envelope(envelope: Envelope, public: PublicKeys, verifier: Verifier = STRICT) -> None:
    """Raise unless this key pair signed this envelope, by both algorithms.

    Raises:
        PeerError: `envelope-key` (it names another key) or `signature-invalid`.
    """
    if envelope.key_id != public.key_id:
        raise PeerError(
            "envelope-key",
            f"envelope names key {envelope.key_id}; it must be {public.key_id}",
            evidence=encode_envelope(envelope),
        )
    verify_signatures(public, envelope.pae, envelope.signatures, verifier)


def encode_envelope(envelope: Envelope) -> bytes:
    """The one byte form of an envelope."""
    return (
        f'{{"payload":"{encode_base64(envelope.payload)}","payloadType":"{envelope.payload_type}",'
        f'"signatures":[{{"keyid":"{envelope.key_id}#ed25519",'
        f'"sig":"{encode_base64(envelope.signatures.ed25519)}"}},'
        f'{{"keyid":"{envelope.key_id}#ml-dsa-44",'
        f'"sig":"{encode_base64(envelope.signatures.mldsa44)}"}}]}}'
    ).encode("ascii")


def parse_envelope(data: bytes, *, most_bytes: int = limits.STATEMENT_BYTES) -> Envelope:
    """The envelope of some bytes; form only, the signatures are for `verify_envelope`.

    Args:
        data: what a peer sent.
        most_bytes: more than this is refused unread.

    Raises:
        PeerError: `envelope-too-large`, `envelope-malformed` or `envelope-not-canonical`; the evidence
            is `data`.
    """
    if len(data) > most_bytes:
        raise PeerError(
            "envelope-too-large",
            f"envelope is {len(data)} bytes; it must be at most {most_bytes}",
            evidence=data[: limits.EVIDENCE_SAMPLE_BYTES],
        )
    try:
        wire = _decoder.decode(data)
        key_id = _key_id_of(wire)
        payload = decode_base64(wire.payload, field="payload")
        signatures = Signatures(
            decode_base64(wire.signatures[0].sig, length=ED25519_SIGNATURE_BYTES, field="sig"),
            decode_base64(wire.signatures[1].sig, length=MLDSA44_SIGNATURE_BYTES, field="sig"),
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _malformed(str(error), data) from None
    except PeerError as error:
        raise _malformed(error.message, data) from None
    if _PAYLOAD_TYPE.fullmatch(wire.payload_type) is None:
        raise _malformed(f"payloadType {shown(wire.payload_type)}", data)
    envelope = Envelope(wire.payload_type, payload, key_id, signatures)
    # Catches white space, key order, escapes and duplicate keys in one comparison.
    if encode_envelope(envelope) != data:
        raise PeerError(
            "envelope-not-canonical",
            "envelope differs from its own re-encoding; it must be canonical (RFC 8785)",
            evidence=data,
        )
    return envelope


def load_envelope(data: bytes) -> Envelope:
    """The envelope of bytes that `encode_envelope` wrote on this machine, checked when they were stored.

    Twice as fast as `parse_envelope`, for reading a whole ledger at start; never for a peer's bytes.
    """
    wire = _decoder.decode(data)
    payload, first, second = (
        binascii.a2b_base64(part)
        for part in (wire.payload, wire.signatures[0].sig, wire.signatures[1].sig)
    )
    key_id = wire.signatures[0].keyid.removesuffix("#ed25519")
    return Envelope(wire.payload_type, payload, key_id, Signatures(first, second))


def _key_id_of(wire: _WireEnvelope) -> str:
    first, second = (signature.keyid for signature in wire.signatures)
    key_id = first.removesuffix("#ed25519")
    if (
        _KEY_ID.fullmatch(key_id) is None
        or first != f"{key_id}#ed25519"
        or second != f"{key_id}#ml-dsa-44"
    ):
        raise ValueError(f"key ids {shown(first)} and {shown(second)}")
    return key_id


def _malformed(why: str, data: bytes) -> PeerError:
    return PeerError(
        "envelope-malformed",
        f"envelope is not a detente envelope ({why}); it must be DSSE with two signatures of one key, "
        "Ed25519 first",
        evidence=data,
    )

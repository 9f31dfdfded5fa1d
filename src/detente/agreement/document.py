"""A signed document: a plain JSON object and its maker's two signatures, readable as it lies.

Cards, key certificates, revocations and agreements are documents: they must be arguable on paper,
so they are not wrapped in base64 as statements are. What is signed is the DSSE pre-authentication
encoding of the canonical object under a payload type of its own, so that no document can be
replayed as another kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detente.errors import PeerError, UsageError, shown
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import encode_canonical
from detente.signing.envelope import pae
from detente.signing.key import STRICT, PublicKeys, Signatures, Signer, Verifier, verify_signatures

Json = dict[str, Any]


def signatures_json(signatures: Signatures) -> Json:
    """The two signatures as a JSON object."""
    return {
        "ed25519": encode_base64url(signatures.ed25519),
        "ml-dsa-44": encode_base64url(signatures.mldsa44),
    }


def parse_signatures(value: object, *, field: str) -> Signatures:
    """The two signatures of a JSON object; both are required.

    Raises:
        PeerError: ``signatures-malformed``.
    """
    if not isinstance(value, Mapping) or set(value) != {"ed25519", "ml-dsa-44"}:
        raise PeerError(
            "signatures-malformed",
            f"signatures are {shown(value)}; they must be an object with ed25519 and ml-dsa-44",
            field=field,
        )
    try:
        return Signatures(
            ed25519=decode_base64url(str(value["ed25519"])),
            mldsa44=decode_base64url(str(value["ml-dsa-44"])),
        )
    except PeerError as error:
        raise PeerError("signatures-malformed", error.message, field=field) from None


def sign_document(signer: Signer, payload_type: str, document: Json) -> Json:
    """`document` with the signer's signatures beside it."""
    message = pae(payload_type, encode_canonical(document))
    return {"document": document, "signatures": signatures_json(signer.sign(message))}


def verify_document(
    signed: object,
    payload_type: str,
    public: PublicKeys,
    *,
    field: str,
    verifier: Verifier = STRICT,
) -> Json:
    """The document inside, once both signatures of `public` verify over it.

    Raises:
        PeerError: ``document-malformed`` or the signature error; the evidence is the canonical object.
    """
    if (
        not isinstance(signed, Mapping)
        or set(signed) != {"document", "signatures"}
        or not isinstance(signed["document"], dict)
    ):
        raise PeerError(
            "document-malformed",
            f"{field} is {shown(signed)}; it must be an object with document and signatures",
            field=field,
        )
    document: Json = signed["document"]
    try:
        message = pae(payload_type, encode_canonical(document))
    except UsageError as error:
        raise PeerError("document-malformed", error.message, field=field) from None
    verify_signatures(
        public,
        message,
        parse_signatures(signed["signatures"], field=f"{field}.signatures"),
        verifier,
    )
    return document

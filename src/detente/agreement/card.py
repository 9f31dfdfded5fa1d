"""Cards and key certificates: how a party introduces itself, and what its root key vouches for.

Only root keys are agreed. Each root certifies its own signing, sealing and transport keys, so
rotation and revocation need nobody's consent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from detente.agreement.document import Json, sign_document, verify_document
from detente.errors import PeerError, UsageError, shown
from detente.limits import NAME_CHARS
from detente.signing.base64 import decode_base64url
from detente.signing.key import (
    ED25519_PUBLIC_BYTES,
    STRICT,
    PublicKeys,
    Signer,
    Verifier,
    parse_public_keys,
)
from detente.signing.sealing import MLKEM768_PUBLIC_BYTES, X25519_PUBLIC_BYTES, SealingPublicKey
from detente.units import format_time, parse_time

CARD_TYPE = "application/vnd.detente.card.v1+json"
CERTIFICATE_TYPE = "application/vnd.detente.key-certificate.v1+json"

Use = Literal["signing", "sealing", "transport"]
USES: tuple[Use, ...] = ("signing", "sealing", "transport")
Role = Literal["party", "neutral", "organisation"]
ROLES: tuple[Role, ...] = ("party", "neutral", "organisation")

_PARTY = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


def check_party_id(value: object, *, field: str) -> str:
    """A party id: a lower-case name that is safe in ids, file names, origins and log lines.

    Raises:
        UsageError: ``party-id-malformed``.
    """
    if not isinstance(value, str) or not _PARTY.fullmatch(value):
        raise UsageError(
            "party-id-malformed",
            f"party id is {shown(value)}; it must be 1 to 32 of a-z, 0-9 and '-', starting with a letter",
            field=field,
        )
    return value


class KeyCertificate(msgspec.Struct, frozen=True):
    """One key that a party's root vouches for, for one use and one span of time.

    Attributes:
        key: the public key as JSON (two-signature key, sealing key or Ed25519 transport key).
        valid_from_us, valid_until_us: microseconds since the epoch, half-open.
        signed: the signed document it came in, as evidence and for bundles.
    """

    party: str
    use: Use
    key_id: str
    key: Json
    serial: int
    valid_from_us: int
    valid_until_us: int
    signed: Json


def issue_certificate(
    root: Signer,
    *,
    party: str,
    use: Use,
    key_id: str,
    key: Json,
    serial: int,
    valid_from_us: int,
    valid_until_us: int,
) -> Json:
    """A key certificate as a signed document."""
    document = {
        "key": key,
        "key_id": key_id,
        "party": party,
        "serial": serial,
        "use": use,
        "v": 1,
        "valid_from": format_time(valid_from_us),
        "valid_until": format_time(valid_until_us),
    }
    return sign_document(root, CERTIFICATE_TYPE, document)


def parse_certificate(
    signed: object, *, party: str, root: PublicKeys, field: str, verifier: Verifier = STRICT
) -> KeyCertificate:
    """A certificate that `party`'s root really issued.

    Raises:
        PeerError: signature, party, use or form is wrong.
    """
    document = verify_document(signed, CERTIFICATE_TYPE, root, field=field, verifier=verifier)
    try:
        # A root may sign what it likes, a number where a text belongs included; a type let through here
        # would stop this node later, when the key is looked up or two serials are compared.
        wire = msgspec.convert(document, _Certificate)
        certificate = KeyCertificate(
            party=wire.party,
            use=wire.use,
            key_id=wire.key_id,
            key=wire.key,
            serial=wire.serial,
            valid_from_us=parse_time(wire.valid_from),
            valid_until_us=parse_time(wire.valid_until),
            signed=dict(signed) if isinstance(signed, Mapping) else {},
        )
        _check_key(certificate, verifier)
    except (msgspec.ValidationError, UsageError) as error:
        raise PeerError(
            "certificate-malformed", f"certificate member is missing or wrong: {error}", field=field
        ) from None
    if certificate.party != party:
        raise PeerError(
            "certificate-malformed",
            f"certificate is for party {shown(certificate.party)}; it must be for {party!r}",
            field=field,
        )
    return certificate


class _Certificate(msgspec.Struct, forbid_unknown_fields=True):
    key: Json
    key_id: str
    party: str
    serial: int
    use: Use
    v: Literal[1]
    valid_from: str
    valid_until: str


def _check_key(certificate: KeyCertificate, verifier: Verifier) -> None:
    """The key must be one of its use, under its own id: else a root could vouch for an id it does not hold."""
    key = certificate.key
    if certificate.use == "signing":
        key_id = parse_public_keys(key, verifier=verifier).key_id
    elif certificate.use == "transport":
        ed25519 = decode_base64url(key.get("ed25519"), length=ED25519_PUBLIC_BYTES, field="ed25519")
        verifier.check_point(ed25519)
        key_id = PublicKeys(ed25519, b"").key_id
    else:  # whether it can be sealed to is asked when it is, once
        key_id = SealingPublicKey(
            decode_base64url(key.get("mlkem768"), length=MLKEM768_PUBLIC_BYTES, field="mlkem768"),
            decode_base64url(key.get("x25519"), length=X25519_PUBLIC_BYTES, field="x25519"),
        ).key_id
    if key_id != certificate.key_id:
        raise UsageError(
            "key-id-wrong", f"key id is {shown(certificate.key_id)}; it must be {key_id}"
        )


class Card(msgspec.Struct, frozen=True):
    """How a party introduces itself: its root key, what the root certifies, and where its node listens.

    Attributes:
        address: ``https://host:port`` of the node.
        tls_ca: the DER of the X.509 authority made with the root's Ed25519 key, base64url.
        issued_us: when, by its maker's clock; of two cards the later counts.
        signed: the signed card document.
    """

    party: str
    name: str
    role: Role
    root: PublicKeys
    address: str
    tls_ca: str
    certificates: tuple[KeyCertificate, ...]
    signed: Json
    issued_us: int = 0

    def certificate(self, use: Use) -> KeyCertificate:
        """The certificate with the highest serial for one use."""
        return max((c for c in self.certificates if c.use == use), key=lambda c: c.serial)


def issue_card(
    root: Signer,
    *,
    party: str,
    name: str,
    role: Role,
    address: str,
    tls_ca: str,
    certificates: list[Json],
    issued_us: int,
) -> Json:
    """A card as a signed document, the content of card.json."""
    document = {
        "address": address,
        "certificates": certificates,
        "issued": format_time(issued_us),
        "name": name,
        "party": party,
        "role": role,
        "root": root.public.to_json(),
        "tls_ca": tls_ca,
        "v": 1,
    }
    return sign_document(root, CARD_TYPE, document)


def parse_card(signed: object, *, field: str = "card", verifier: Verifier = STRICT) -> Card:
    """A card whose signature and every certificate verify under the root key it carries.

    That root still has to be compared by voice: a card proves only that its maker holds the key.

    Raises:
        PeerError: anything is malformed or does not verify.
    """
    document: Any = signed.get("document") if isinstance(signed, Mapping) else None
    if not isinstance(document, dict):
        raise PeerError(
            "card-malformed",
            f"card is {shown(signed)}; it must be an object with document",
            field=field,
        )
    root = parse_public_keys(document.get("root"), verifier=verifier)
    verify_document(signed, CARD_TYPE, root, field=field, verifier=verifier)
    try:
        party = check_party_id(document["party"], field=f"{field}.party")
        name, role, address = document["name"], document["role"], document["address"]
        if role not in ROLES:
            raise UsageError(
                "role-unknown", f"role is {shown(role)}; it must be one of {', '.join(ROLES)}"
            )
        if (
            not isinstance(name, str)
            or not 1 <= len(name) <= NAME_CHARS
            or not isinstance(address, str)
        ):
            raise UsageError(
                "card-malformed",
                f"name is {shown(name)}; it must have 1 to {NAME_CHARS} characters",
            )
        certificates = tuple(
            parse_certificate(
                one, party=party, root=root, field=f"{field}.certificates[{i}]", verifier=verifier
            )
            for i, one in enumerate(document["certificates"])
        )
        card = Card(
            party=party,
            name=name,
            role=role,
            root=root,
            address=address,
            tls_ca=str(document["tls_ca"]),
            certificates=certificates,
            signed=dict(signed) if isinstance(signed, Mapping) else {},
            issued_us=parse_time(document["issued"]),
        )
    except (KeyError, TypeError, UsageError) as error:
        raise PeerError(
            "card-malformed", f"card member is missing or wrong: {error}", field=field
        ) from None
    missing = [use for use in USES if not any(c.use == use for c in certificates)]
    if missing:
        raise PeerError(
            "card-malformed",
            f"card certifies no key for {missing[0]}; it must certify all of {', '.join(USES)}",
            field=field,
        )
    return card


def fingerprint(root: PublicKeys) -> str:
    """Six groups of five digits to read out by voice: digits are the same in every language.

    100 bits of the hash, so that nobody can search for a second key with the same groups.
    """
    digest = hashlib.sha256(b"detente:fingerprint:v1\n" + root.ed25519 + root.mldsa44).digest()
    digits = str(int.from_bytes(digest, "big") % 10**30).rjust(30, "0")
    return " ".join(digits[i : i + 5] for i in range(0, 30, 5))

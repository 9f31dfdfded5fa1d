"""Vouchers: a party stands by a statement that one of its older keys signed.

A statement is signed once and may be delivered months later, when its key has expired or was revoked. It is not
signed anew: its id covers the key, and two statements under one number would look like a lie. Instead it travels
with a voucher: the same party's word, under a key that counts now, that this very statement is its own.
docs/spec/statement.md, section 4, is the normative text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.agreement.card import KeyCertificate, parse_certificate
from detente.agreement.document import sign_document, verify_document
from detente.errors import PeerError, shown
from detente.protocol.journal import Json
from detente.protocol.statement import Statement
from detente.signing.key import PublicKeys, parse_public_keys
from detente.units import US_PER_S

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State

VOUCHER_TYPE = "application/vnd.detente.voucher.v1+json"
MARGIN_US = 60 * US_PER_S  # a key about to expire may have done so when the frame arrives


def voucher_for(core: Core, statement: Statement, now_us: int) -> Json | None:
    """A voucher for a statement of ours whose key does not count now, or will not in a moment; else None.

    It carries the certificate of the key that signs it, since the statement that tells of that key may come
    after this one on the same chain.
    """
    party, keys, signer = core.identity.party, core.state.keys, core.identity.signer
    if statement.key == signer.public.key_id:
        return None
    counting = [
        {c.key_id for c in keys.counting(party, "signing", when)}
        for when in (now_us, now_us + MARGIN_US)
    ]
    certificate = keys.certificates.get(party, {}).get(signer.public.key_id)
    if all(statement.key in known for known in counting) or certificate is None:
        return None
    document = {
        "certificate": certificate.signed,
        "link": statement.link,
        "party": party,
        "statement": statement.id,
        "v": 1,
    }
    return sign_document(signer, VOUCHER_TYPE, document)


def check_voucher(state: State, statement: Statement, voucher: object, now_us: int) -> PublicKeys:
    """The older key that signed a statement, once its maker vouches for it under a key that counts now.

    Raises:
        PeerError: ``voucher-malformed``, or that of a key or signature.
    """
    party = statement.party
    certificate = _certificate(state, statement, voucher)
    if state.keys.is_revoked(party, certificate.key_id) or not (
        certificate.valid_from_us <= now_us < certificate.valid_until_us
    ):
        raise PeerError(
            "voucher-malformed",
            f"voucher is by key {certificate.key_id}, which does not count now; it must be by one that does",
            field="voucher",
        )
    public = parse_public_keys(certificate.key, verifier=state.verifier)
    document = verify_document(
        voucher, VOUCHER_TYPE, public, field="voucher", verifier=state.verifier
    )
    said = {name: value for name, value in document.items() if name != "certificate"}
    if said != {"link": statement.link, "party": party, "statement": statement.id, "v": 1}:
        raise PeerError(
            "voucher-malformed",
            f"voucher is for {shown(said)}; it must be for this statement, on its link",
            field="voucher",
        )
    return state.keys.known_key(party, statement.key)


def _certificate(state: State, statement: Statement, voucher: object) -> KeyCertificate:
    document = voucher.get("document") if isinstance(voucher, dict) else None
    agreement = state.agreement_with(statement.party)
    if not isinstance(document, dict) or agreement is None:
        raise PeerError(
            "voucher-malformed",
            f"voucher is {shown(voucher)}; it must be a signed document",
            field="voucher",
        )
    found = parse_certificate(
        document.get("certificate"),
        party=statement.party,
        root=agreement.members[statement.party].root,
        field="voucher.certificate",
        verifier=state.verifier,
    )
    if found.use != "signing":
        raise PeerError(
            "voucher-malformed",
            f"voucher is by a {found.use} key; it must be by a signing key",
            field="voucher",
        )
    return found

"""Introductions: no party is ever sent a statement under a key whose certificate it was not sent first.

The attack that needs no attacker: (1) North replaces its signing key and says so, and South is not reached. (2) North's record
is restored from a backup of the day before; the key itself is not. (3) North signs under the new key, whose certificate now
stands in nobody's record. (4) South cannot verify it, and nothing on that chain is ever taken again. The same happens without
a backup where what waited for a line was filed before the certificate. docs/spec/signing.md, K-ROT-4, is the normative text.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from detente.agreement.card import parse_certificate
from detente.errors import PeerError
from detente.protocol.journal import Intent, Json
from detente.protocol.statement import (
    SALT_BYTES,
    Openings,
    Statement,
    commit_openings,
    open_fields,
    sign_statement,
)

if TYPE_CHECKING:
    from detente.agreement.terms import Agreement
    from detente.protocol.core import Core

TYPE = "policy/key-certificate"


def is_stranger(core: Core, peer: str) -> bool:
    """Whether a peer was never sent the certificate of the signing key in use."""
    key_id = core.identity.signer.public.key_id
    state = core.state
    return key_id not in state.shown.get("", ()) and key_id not in state.shown.get(peer, ())


def introduces(core: Core, intent: Intent) -> bool:
    """Whether a filing that waits is itself the certificate of the signing key in use."""
    signed = intent.openings["certificate"][1] if intent.type == TYPE else {}
    return bool(signed) and signed["document"]["key_id"] == core.identity.signer.public.key_id


def introduction(core: Core, peer: str, now_us: int) -> tuple[Statement, Openings] | None:
    """The certificate of the key in use, signed by that key: the next statement of the safety chain to a peer.

    None where the peer was told, or where no certificate of it is known here.
    """
    agreement = core.state.agreement_with(peer)
    if agreement is None or not is_stranger(core, peer):
        return None
    signed = _certificate(core, agreement)
    if signed is None:
        return None
    head = core.state.head(True, peer, "safety")
    openings = open_fields({"certificate": signed}, core.entropy(SALT_BYTES))
    statement = sign_statement(
        core.identity.signer,
        exercise=agreement.terms.exercise_only,
        agreement=agreement.hash,
        body=commit_openings(openings),
        chain="safety",
        claimed_us=now_us,
        party=core.identity.party,
        desk="machine",
        recipient=peer,
        previous=head.id,
        sequence=head.sequence + 1,
        thread=None,
        to=[peer],
        type_=TYPE,
    )
    return statement, openings


def _certificate(core: Core, agreement: Agreement) -> Json | None:
    """The certificate of the key in use: on record, waiting to be told, or kept beside the key itself."""
    party, key_id = core.identity.party, core.identity.signer.public.key_id
    if core.state.keys.is_revoked(party, key_id):
        return None
    known = core.state.keys.certificates.get(party, {}).get(key_id)
    if known is not None:
        return known.signed
    waiting = [i.openings["certificate"][1] for i in core.intents.values() if i.type == TYPE]
    for signed in (*waiting, *core.identity.certificates):
        with contextlib.suppress(PeerError):
            found = parse_certificate(
                signed,
                party=party,
                root=agreement.members[party].root,
                field="certificate",
                verifier=core.identity.verifier,
            )
            if (found.use, found.key_id) == ("signing", key_id):
                return found.signed
    return None

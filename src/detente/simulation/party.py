"""Simulated parties: their keys, cards and the agreement they all signed.

Keys are keyed-hash stand-ins, which cost one hash, or real ones, which a few runs use to show that the
stand-ins stand for something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from detente.agreement.card import Use, issue_card, issue_certificate, parse_card
from detente.agreement.terms import Terms, propose_agreement, sign_agreement
from detente.protocol.identity import Identity
from detente.signing.base64 import encode_base64url
from detente.signing.key import SEED_BYTES, STRICT, PublicKeys, Signer, SigningKeys, Verifier
from detente.signing.sealing import HPKE, SEALING_SEED_BYTES, Opener, Sealer, SealingKeys
from detente.signing.simulated import (
    KEYED_HASH,
    SIMULATED_SEALER,
    KeyedHashKeys,
    SimulatedSealingKeys,
)
from detente.simulation.chance import Chance
from detente.units import US_PER_S

NAMES = ("north", "south", "east", "west")
DAY_US = 86_400 * US_PER_S
KEYS_US = 4000 * DAY_US

Json = dict[str, Any]


class Crypto(msgspec.Struct, frozen=True):
    """Which keys parties have.

    Attributes:
        signer, opener: make a key of a seed, 64 and 96 bytes.
    """

    signer: Callable[[bytes], Signer]
    opener: Callable[[bytes], Opener]
    sealer: Sealer
    verifier: Verifier


SIMULATED = Crypto(KeyedHashKeys, SimulatedSealingKeys, SIMULATED_SEALER, KEYED_HASH)
REAL = Crypto(SigningKeys.from_seed, SealingKeys.from_seed, HPKE, STRICT)


class Party(msgspec.Struct, frozen=True):
    """A party before it has a node: its keys and its card.

    Attributes:
        root: certifies keys and signs agreements; a node never holds it.
        card: the signed card document.
    """

    name: str
    root: Signer
    identity: Identity
    card: Json

    def certify(self, new: Signer, serial: int, from_us: int, until_us: int) -> dict[str, Any]:
        """The root's word for a new signing key, which counts between two times (microseconds since the epoch)."""
        return issue_certificate(
            self.root,
            party=self.name,
            use="signing",
            key_id=new.public.key_id,
            key=dict(new.public.to_json()),
            serial=serial,
            valid_from_us=from_us,
            valid_until_us=until_us,
        )


def party_name(number: int) -> str:
    """The name of the party with a number: north, south, east, west, party-5 …"""
    return NAMES[number] if number < len(NAMES) else f"party-{number + 1}"


def make_party(name: str, chance: Chance, now_us: int, crypto: Crypto = SIMULATED) -> Party:
    """A party with fresh keys, certified from a day before now."""
    root, signing, transport = (crypto.signer(chance.bytes(SEED_BYTES)) for _ in range(3))
    sealing = crypto.opener(chance.bytes(SEALING_SEED_BYTES))
    transport_id = PublicKeys(transport.public.ed25519, b"").key_id
    keys: tuple[tuple[Use, str, Json], ...] = (
        ("signing", signing.public.key_id, dict(signing.public.to_json())),
        ("sealing", sealing.public.key_id, dict(sealing.public.to_json())),
        (
            "transport",
            transport_id,
            {"ed25519": encode_base64url(transport.public.ed25519)},
        ),
    )
    certificates = [
        issue_certificate(
            root,
            party=name,
            use=use,
            key_id=key_id,
            key=key,
            serial=1,
            valid_from_us=now_us - DAY_US,
            valid_until_us=now_us + KEYS_US,
        )
        for use, key_id, key in keys
    ]
    card = issue_card(
        root,
        party=name,
        name=name.capitalize(),
        role="party",
        address=f"https://{name}.invalid",
        tls_ca="",
        certificates=certificates,
        issued_us=now_us,
    )
    identity = Identity(
        party=name,
        signer=signing,
        opener=sealing,
        leaf_seed=chance.bytes(32),
        transport_key=transport_id,
        sign_transport=transport.sign_ed25519,
        sealer=crypto.sealer,
        verifier=crypto.verifier,
    )
    return Party(name, root, identity, card)


def make_agreement(
    parties: Sequence[Party],
    now_us: int,
    terms: Terms | None = None,
    witnesses: Sequence[str] = (),
) -> Json:
    """The agreement file that all parties have signed."""
    verifier = parties[0].identity.verifier
    cards = [parse_card(party.card, verifier=verifier) for party in parties]
    file = propose_agreement(cards, witnesses, terms or Terms(), now_us, verifier=verifier)
    for party in parties:
        file = sign_agreement(file, party.name, party.root, verifier=verifier)
    return file

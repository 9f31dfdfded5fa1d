"""The key directory: which key of which party counts for what, at which time."""

from __future__ import annotations

import msgspec

from detente.agreement.card import Card, KeyCertificate, Use
from detente.errors import PeerError
from detente.signing.key import STRICT, PublicKeys, Verifier, parse_public_keys


class KeyDirectory(msgspec.Struct):
    """Certified keys of all known parties, and what was revoked.

    Certificates come from cards at the start and from policy statements later; only the owning
    party's root can add or revoke.
    """

    certificates: dict[str, dict[str, KeyCertificate]] = {}
    revoked_us: dict[str, dict[str, int]] = {}
    verifier: Verifier = STRICT
    parsed: dict[str, PublicKeys] = {}

    def add(self, certificate: KeyCertificate) -> None:
        """Take in a certificate that was already verified under the party's root."""
        self.certificates.setdefault(certificate.party, {})[certificate.key_id] = certificate

    def add_card(self, card: Card) -> None:
        """Take in all certificates of a verified card."""
        for certificate in card.certificates:
            self.add(certificate)

    def revoke(self, party: str, key_id: str, revoked_at_us: int) -> None:
        """Mark a key as revoked; the earliest revocation stands."""
        known = self.revoked_us.setdefault(party, {})
        known[key_id] = min(revoked_at_us, known.get(key_id, revoked_at_us))

    def is_revoked(self, party: str, key_id: str) -> bool:
        """Whether the party's root has revoked a key, certified here or not."""
        return key_id in self.revoked_us.get(party, {})

    def certificate(self, party: str, key_id: str, use: Use, now_us: int) -> KeyCertificate:
        """The certificate of a key that counts now.

        Raises:
            PeerError: ``key-unknown``, ``key-revoked`` or ``key-expired``.
        """
        found = self.certificates.get(party, {}).get(key_id)
        if found is None or found.use != use:
            raise PeerError(
                "key-unknown",
                f"key {key_id} is not certified; it must be certified by {party}'s root for {use}",
                field="key",
            )
        if self.revoked_us.get(party, {}).get(key_id, now_us + 1) <= now_us:
            raise PeerError(
                "key-revoked", f"key {key_id} of {party} is revoked; it must not sign", field="key"
            )
        if not found.valid_from_us <= now_us < found.valid_until_us:
            raise PeerError(
                "key-expired", f"key {key_id} of {party} is outside its certified time", field="key"
            )
        return found

    def signing_key(self, party: str, key_id: str, now_us: int) -> PublicKeys:
        """The two-signature key that counts now; errors as `certificate`."""
        self.certificate(party, key_id, "signing", now_us)
        return self.known_key(party, key_id)

    def known_key(self, party: str, key_id: str) -> PublicKeys:
        """A signing key that the party's root certified at some time; for what was signed long ago.

        Raises:
            PeerError: ``key-unknown``.
        """
        certificate = self.certificates.get(party, {}).get(key_id)
        if certificate is None or certificate.use != "signing":
            raise PeerError(
                "key-unknown",
                f"key {key_id} is not certified; it must be certified by {party}'s root for signing",
                field="key",
            )
        found = self.parsed.get(key_id)
        if found is None:
            found = parse_public_keys(certificate.key, verifier=self.verifier)
            if found.key_id != key_id:
                raise PeerError(
                    "key-unknown",
                    f"certificate names key {key_id}; it must certify that key",
                    field="key",
                )
            self.parsed[key_id] = found
        return found

    def current(self, party: str, use: Use, now_us: int) -> KeyCertificate:
        """The newest key of a party for one use that counts now.

        Raises:
            PeerError: ``key-unknown`` when none does.
        """
        usable = [
            c
            for c in self.certificates.get(party, {}).values()
            if c.use == use
            and c.valid_from_us <= now_us < c.valid_until_us
            and self.revoked_us.get(party, {}).get(c.key_id, now_us + 1) > now_us
        ]
        if not usable:
            raise PeerError(
                "key-unknown", f"{party} has no certified {use} key that counts now", field="key"
            )
        return max(usable, key=lambda c: c.serial)

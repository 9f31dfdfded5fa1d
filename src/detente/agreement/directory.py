"""The key directory: which key of which party counts for what, at which time."""

from __future__ import annotations

import msgspec

from detente.agreement.card import Card, KeyCertificate, Use, parse_certificate
from detente.agreement.revocation import Doubt, Revocation, doubt_of, parse_revocation
from detente.errors import PeerError
from detente.signing.key import STRICT, PublicKeys, Verifier, parse_public_keys
from detente.units import format_time


class KeyDirectory(msgspec.Struct):
    """Certified keys of all known parties, and what was revoked.

    Certificates come from cards at the start and from policy statements later; only the owning
    party's root can add or revoke.
    """

    certificates: dict[str, dict[str, KeyCertificate]] = {}
    revocations: dict[str, dict[str, Revocation]] = {}
    verifier: Verifier = STRICT
    parsed: dict[str, PublicKeys] = {}

    def read_certificate(
        self, signed: object, party: str, root: PublicKeys, field: str = "certificate"
    ) -> KeyCertificate:
        """A certificate that a party's root really issued; errors as `parse_certificate`."""
        return parse_certificate(
            signed, party=party, root=root, field=field, verifier=self.verifier
        )

    def read_revocation(
        self, signed: object, party: str, root: PublicKeys, field: str = "revocation"
    ) -> Revocation:
        """A revocation that a party's root really issued; errors as `parse_revocation`."""
        return parse_revocation(signed, party=party, root=root, field=field, verifier=self.verifier)

    def add(self, certificate: KeyCertificate) -> None:
        """Take in a certificate that was already verified under the party's root."""
        self.certificates.setdefault(certificate.party, {})[certificate.key_id] = certificate

    def add_card(self, card: Card) -> None:
        """Take in all certificates of a verified card."""
        for certificate in card.certificates:
            self.add(certificate)

    def revoke(self, revocation: Revocation) -> None:
        """Take in a revocation that was verified; the earliest stands, of two of one time the worse."""
        known = self.revocations.setdefault(revocation.party, {})
        before = known.get(revocation.key_id)
        if before is None or _weight(revocation) < _weight(before):
            known[revocation.key_id] = revocation

    def has_revoked(self, revocation: Revocation) -> bool:
        """Whether taking in a revocation would change nothing."""
        known = self.revocations.get(revocation.party, {}).get(revocation.key_id)
        return known is not None and _weight(known) <= _weight(revocation)

    def is_revoked(self, party: str, key_id: str) -> bool:
        """Whether the party's root has revoked a key, certified here or not."""
        return key_id in self.revocations.get(party, {})

    def revocation(self, party: str, key_id: str, time_us: int) -> Revocation | None:
        """The revocation by which a key does not count at a time; None where there is none by then."""
        found = self.revocations.get(party, {}).get(key_id)
        return found if found is not None and found.since_us <= time_us else None

    def doubt(self, party: str, key_id: str, logged_us: int) -> Doubt | None:
        """What must be said beside what a key signed and somebody logged at a time.

        Nothing that was answered is un-said: it is shown with this.
        """
        return doubt_of(self.revocation(party, key_id, logged_us))

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
        revoked = self.revocation(party, key_id, now_us)
        if revoked is not None:
            raise PeerError(
                "key-revoked",
                f"key {key_id} of {party} is revoked since {format_time(revoked.since_us)} ({revoked.reason}); it must not sign",
                field="key",
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
        usable = self.counting(party, use, now_us)
        if not usable:
            raise PeerError(
                "key-unknown", f"{party} has no certified {use} key that counts now", field="key"
            )
        return usable[0]

    def counting(self, party: str, use: Use, now_us: int) -> list[KeyCertificate]:
        """All keys of a party for one use that count now, newest first: while one takes over, two do."""
        usable = [
            c
            for c in self.certificates.get(party, {}).values()
            if c.use == use
            and c.valid_from_us <= now_us < c.valid_until_us
            and self.revocation(party, c.key_id, now_us) is None
        ]
        return sorted(usable, key=lambda c: c.serial, reverse=True)

    def signing_keys(self, party: str, now_us: int) -> list[PublicKeys]:
        """The signing keys of a party that count now, newest first."""
        return [self.known_key(party, c.key_id) for c in self.counting(party, "signing", now_us)]


def _weight(revocation: Revocation) -> tuple[int, int]:
    worse = ("compromised", "lost", "unstated", "superseded").index(revocation.reason)
    return revocation.since_us, worse

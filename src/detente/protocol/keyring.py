"""The keys that a proof carries: each certified by a root that the reader trusts, each needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from detente.agreement.card import KeyCertificate, parse_certificate
from detente.agreement.revocation import Revocation, parse_revocation
from detente.errors import PeerError, shown
from detente.ledger.checkpoint import (
    Cosigned,
    VerifiedCheckpoint,
    cosigner_name,
    log_keys,
    parse_checkpoint,
    verify_checkpoint,
)
from detente.ledger.cosignature import cosigner_keys, verify_cosignatures
from detente.ledger.note import NoteKey, find_lines, parse_note
from detente.ledger.quorum import has_signed
from detente.limits import BUNDLE_BYTES
from detente.protocol.paper import invalid
from detente.protocol.statement import Statement, parse_statement
from detente.signing.canonical import encode_canonical
from detente.signing.envelope import parse_envelope, verify_envelope
from detente.signing.key import STRICT, PublicKeys, Verifier, parse_public_keys
from detente.units import US_PER_S, format_time


class Keyring:
    """The signing keys of a proof, by party.

    Args:
        kind: of the paper, for its errors.
        signed: key certificates as they stand in it.
        roots: root keys that the reader trusts, by party.
        others: keys of witnesses that the reader knows besides.

    Raises:
        PeerError: a certificate that no trusted root signed, of another use, or out of order.
    """

    def __init__(
        self,
        kind: str,
        signed: Any,
        roots: Mapping[str, PublicKeys],
        verifier: Verifier = STRICT,
        others: Collection[NoteKey] = (),
    ) -> None:
        self._kind = kind
        self._others = others
        self._verifier = verifier
        self._certificates: dict[tuple[str, str], KeyCertificate] = {}
        self._public: dict[tuple[str, str], PublicKeys] = {}
        self._revocations: dict[tuple[str, str], Revocation] = {}
        self._used: set[tuple[str, str]] = set()
        order = []
        if not isinstance(signed, list):
            raise invalid(kind, "keys must be a list")
        for i, one in enumerate(signed):
            document = one.get("document") if isinstance(one, dict) else None
            party = document.get("party") if isinstance(document, dict) else None
            if not isinstance(party, str) or party not in roots:
                raise invalid(
                    kind, f"a key is of {shown(party)}; it must be of a party whose root is trusted"
                )
            certificate = parse_certificate(
                one, party=party, root=roots[party], field=f"keys[{i}]", verifier=verifier
            )
            public = parse_public_keys(certificate.key, verifier=verifier)
            if certificate.use != "signing" or public.key_id != certificate.key_id:
                raise invalid(kind, "a key must be certified for signing, under its own id")
            self._certificates[party, public.key_id] = certificate
            self._public[party, public.key_id] = public
            order.append((party, certificate.serial, public.key_id))
        if order != sorted(set(order)):
            raise invalid(kind, "keys must be in order, each once")

    def take_revocations(self, signed: Any, roots: Mapping[str, PublicKeys]) -> None:
        """Revocations of keys in the ring, each under its party's root, in order, each key once (B-REV-1).

        Raises:
            PeerError: not so.
        """
        if not isinstance(signed, list):
            raise invalid(self._kind, "revocations must be a list")
        order = []
        for i, one in enumerate(signed):
            document = one.get("document") if isinstance(one, dict) else None
            party = document.get("party") if isinstance(document, dict) else None
            if not isinstance(party, str) or party not in roots:
                raise invalid(
                    self._kind,
                    f"a revocation is of {shown(party)}; it must be of a party whose root is trusted",
                )
            found = parse_revocation(
                one,
                party=party,
                root=roots[party],
                field=f"revocations[{i}]",
                verifier=self._verifier,
            )
            if (party, found.key_id) not in self._certificates:
                raise invalid(self._kind, "a revocation must be of a key that the proof carries")
            self._revocations[party, found.key_id] = found
            order.append((party, found.key_id))
        if order != sorted(set(order)):
            raise invalid(self._kind, "revocations must be in order, each key once")

    def revocation(self, party: str, key_id: str) -> Revocation | None:
        """The revocation of a key, if the proof carries one."""
        return self._revocations.get((party, key_id))

    def check_all_used(self) -> None:
        """Raise unless every key has vouched for something (B-KEY-1)."""
        unused = sorted(key for party, key in set(self._certificates) - self._used)
        if unused:
            raise invalid(
                self._kind,
                f"key {unused[0]} is in the {self._kind} and vouches for nothing in it",
            )

    def statement(self, envelope: Any) -> Statement:
        """A statement whose two signatures verify under a certified key (B-SIG-1)."""
        statement = parse_statement(
            parse_envelope(encode_canonical(envelope), most_bytes=BUNDLE_BYTES)
        )
        if (statement.party, statement.key) not in self._certificates:
            raise invalid(
                self._kind,
                f"key {statement.key} of {statement.party} is not among the certified keys",
            )
        public = self._public[statement.party, statement.key]
        verify_envelope(statement.envelope, public, self._verifier)
        self._used.add((statement.party, statement.key))
        return statement

    def check_time(self, statement: Statement, time_us: int) -> None:
        """The key must have been certified when the statement was logged; its claimed time may be far off."""
        certificate = self._certificates[statement.party, statement.key]
        if not certificate.valid_from_us <= time_us < certificate.valid_until_us:
            raise invalid(
                self._kind,
                f"key {statement.key} of {statement.party} was not certified for {format_time(time_us)}",
            )

    def checkpoint(
        self, note: str, origin: str, owner: str, remarks: list[str] | None = None
    ) -> VerifiedCheckpoint:
        """A checkpoint that a log signed by both algorithms, under one of its party's keys.

        Args:
            remarks: takes what must be said where the key counted no longer (B-REV-3).
        """
        problem: PeerError | None = None
        for (party, key_id), public in self._public.items():
            if party != owner:
                continue
            try:
                found = verify_checkpoint(note, origin, public, self._verifier)
            except PeerError as error:
                problem = error
                continue
            self._used.add((owner, key_id))
            revoked = self._revocations.get((owner, key_id))
            if (
                remarks is not None
                and revoked is not None
                and found.time_s * US_PER_S >= revoked.since_us
            ):
                remarks.append(
                    f"head of {origin} at {found.size} entries is signed with a key that is "
                    f"{revoked.reason} since {format_time(revoked.since_us)}"
                )
            return found
        raise problem or invalid(self._kind, f"no certified key of {owner} is in the {self._kind}")

    def cosigned(self, note: str, party: str) -> Cosigned:
        """A party's cosignature of a checkpoint.

        Raises:
            PeerError: there is none that verifies under a key of the proof.
        """
        for (owner, key_id), public in self._public.items():
            if owner == party:
                found = verify_cosignatures(note, {cosigner_name(party): public}, self._verifier)
                if found.cosigned:
                    self._used.add((owner, key_id))
                    return found.cosigned[0]
        raise invalid(self._kind, f"{party} has not cosigned a head in the {self._kind}")

    def cosigners(
        self, note: str, owner: str, lines: int, remarks: list[str]
    ) -> list[tuple[str, Cosigned]]:
        """Who else vouched for a checkpoint: party and cosignature; what does not verify is remarked on (B-COS-1).

        Args:
            lines: how many signature lines are not the log's own.
        """
        cosigned = []
        for party, key_id in sorted(self._public):
            if party == owner:
                continue
            public = self._public[party, key_id]
            found = verify_cosignatures(note, {cosigner_name(party): public}, self._verifier)
            for one in found.cosigned:
                lines -= 2
                self._used.add((party, key_id))
                revoked = self._revocations.get((party, key_id))
                if revoked is None:
                    cosigned.append((party, one))
                    continue
                since = format_time(revoked.since_us)
                counts = one.time_s * US_PER_S < revoked.since_us
                if counts:
                    cosigned.append((party, one))
                if not counts or revoked.reason == "compromised":
                    remarks.append(
                        f"{party} cosigned with a key that is {revoked.reason} since {since}; "
                        + (
                            "who has the key can give any time"
                            if counts
                            else "the cosignature does not count"
                        )
                    )
        lines -= self._by_others(note)
        if lines:
            remarks.append(
                f"{lines} signature lines of a cosigner do not verify or are of an unknown cosigner; they do not count"
            )
            # a cosigner whose line was damaged must not look like a key that vouches for nothing
            self._used |= {k for k in self._public if k[0] != owner}
        return cosigned

    def _by_others(self, note: str) -> int:
        """How many lines are by witnesses that the reader knows without a certificate."""
        certified = {cosigner_name(party) for party, _ in self._public}
        keys = [key for key in self._others if key.name not in certified]
        if not keys:
            return 0
        parsed = parse_note(note)
        checkpoint = parse_checkpoint(parsed)
        return sum(has_signed(parsed, checkpoint, key, self._verifier) for key in keys)


def signed_a_line(notes: list[str], party: str, public: PublicKeys) -> bool:
    """Whether a key signed a line of one of these checkpoints, as the log's or as a cosigner's.

    A key that vouches for nothing in a proof does not belong in it: after a rotation a party has more
    keys than were used here.
    """
    for text in notes:
        note, origin = parse_note(text), text.partition("\n")[0]
        lines = (*log_keys(origin, public), *cosigner_keys(cosigner_name(party), public))
        if any(find_lines(note, key) for key in lines):
            return True
    return False

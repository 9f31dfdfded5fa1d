"""The copies in a bundle: where each stands in which log, who received it, and what bounds the times of both.

Steps 3 and 6 to 10 of docs/spec/bundle.md, section 2, and its section 3.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from detente.errors import RefusedError, shown
from detente.ledger.checkpoint import VerifiedCheckpoint, log_owner
from detente.ledger.leaf import parse_leaf_opening, verify_leaf_opening
from detente.ledger.merkle import (
    HASH_BYTES,
    PROOF_HASHES_MOST,
    verify_consistency,
    verify_inclusion,
)
from detente.ledger.proof import parse_log_proof
from detente.limits import BUNDLE_HEADS
from detente.protocol.doubtful import Doubted, Standing, find_doubt
from detente.protocol.interval import (
    DATE_MOST_S,
    Head,
    find_contradictions,
    find_interval,
)
from detente.protocol.journal import Json
from detente.protocol.keyring import Keyring
from detente.protocol.paper import invalid, shown_time
from detente.protocol.rules import check_receipt_form
from detente.protocol.stamped import BundleStamps
from detente.protocol.statement import (
    Statement,
    body_values,
    check_openings,
)
from detente.signing.base64 import decode_base64url
from detente.units import US_PER_S, parse_time


class Logged(msgspec.Struct, frozen=True):
    """Where a statement stands in a log, under which checkpoint, and who vouches for that checkpoint.

    Attributes:
        logged: the log's own time, a claim.
        not_before, not_after, by: what others' cosignatures say of it; see `Interval`.
    """

    log: str
    index: int
    logged: str
    checkpoint_time: str
    cosigned_by: list[str]
    not_before: str | None = None
    not_after: str | None = None
    by: list[str] = []


class ReceivedBy(msgspec.Struct, frozen=True):
    """A recipient's signed word that it holds the statement.

    Attributes:
        time: the recipient's own clock; binds the recipient.
        not_before, not_after, by: what others' cosignatures say of it; see `Interval`.
    """

    party: str
    time: str
    receipt: str
    answer: str
    opened: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    by: list[str] = []


class Place(Standing, frozen=True):
    """A statement in a log, as it is shown."""

    logged: Logged


class CopyReader:
    """Reads the copies of a bundle, and gathers what they prove.

    Attributes:
        made: every head that bounds when the statement was made.
        contradictions: where a log or a cosigner contradicts itself, as sentences.
    """

    def __init__(
        self, keys: Keyring, stamps: BundleStamps, version: int, remarks: list[str]
    ) -> None:
        self.keys = keys
        self._stamps = stamps
        self.logged: list[Logged] = []
        self.received: list[ReceivedBy] = []
        self.made: list[Head] = []
        self.contradictions: set[str] = set()
        self._signed: list[tuple[Statement, list[Standing]]] = []
        self._version = version
        self._remarks = remarks

    def read(self, statement: Statement, logged: Any, receipts: Any) -> None:
        """One copy: its place in a log, and the receipts about it."""
        one = self._members(logged, "logged", {"leaf", "proof"}, {"heads"})
        place = self._place(statement, one["leaf"], one["proof"], one["heads"], None)
        self.keys.check_time(statement, place.time_us)
        self.logged.append(place.logged)
        places: list[Standing] = [place]
        self._signed.append((statement, places))
        received = self._receipts(statement, receipts, place, places)
        # what holds the statement, or a receipt about it, was signed after the statement was
        self.made += [b for b in (*place.heads, *received) if b.holds]
        if place.owner == statement.party:
            self.made += [b for b in place.heads if not b.holds]

    def doubts(self) -> list[Doubted]:
        """What was signed by revoked keys and is marked."""
        found = []
        for statement, places in self._signed:
            revoked = self.keys.revocation(statement.party, statement.key)
            doubt = revoked and find_doubt(statement, places, revoked, self._remarks)
            if doubt:
                found.append(doubt)
        return found

    def _members(self, given: Any, name: str, old: set[str], new: set[str]) -> Json:
        """An object with exactly the members of its version; those of version 2 are empty in version 1."""
        wanted = old if self._version == 1 else old | new
        if not isinstance(given, dict) or set(given) != wanted:
            raise invalid("bundle", f"{name} must have {', '.join(sorted(wanted))}")
        return {**{key: [] for key in new}, **given}

    def _place(
        self, statement: Statement, leaf: Any, proof: Any, heads: Any, party: str | None
    ) -> Place:
        """A statement's place in a log, under a checkpoint that the log signed (B-LOG-1, B-LOG-2).

        Args:
            party: who gave this proof under its own signature; None where the bundle's maker did.
        """
        opening, found = parse_leaf_opening(leaf), parse_log_proof(proof)
        header = opening.header
        origin = found.checkpoint.partition("\n")[0]
        owner = log_owner(origin) or ""
        if (party is not None and owner != party) or owner not in (
            statement.party,
            statement.recipient,
        ):
            raise invalid(
                "bundle", f"log is {shown(origin)}; it must be the log of a party to the statement"
            )
        kind: Literal["made", "received"] = "made" if owner == statement.party else "received"
        if header != statement.leaf_header(kind, found.index, header.time_us):
            raise invalid("bundle", "a leaf header must be that of the statement")
        hash_ = verify_leaf_opening(opening, bytes.fromhex(statement.id))
        covering = self.keys.checkpoint(found.checkpoint, origin, owner, self._remarks)
        verify_inclusion(hash_, found.index, covering.size, found.hashes, covering.root)
        first = self._seen(found.checkpoint, owner, covering, found.index)
        bounds = [
            first,
            *self._heads(heads, owner, covering, found.index, sealed=party is not None),
        ]
        self.contradictions.update(find_contradictions(bounds))
        logged = shown_time("bundle", header.time_us)
        interval = find_interval(header.time_us, bounds, {statement.party, statement.recipient})
        return Place(
            owner,
            header.time_us,
            bounds,
            Logged(
                log=origin,
                index=found.index,
                logged=logged,
                checkpoint_time=shown_time("bundle", covering.time_s * US_PER_S),
                cosigned_by=[party for party, _ in first.cosigned],
                not_before=interval.not_before,
                not_after=interval.not_after,
                by=interval.by,
            ),
        )

    def _seen(self, note: str, owner: str, head: VerifiedCheckpoint, index: int) -> Head:
        """A head as it stands to the entry at an index, with those who cosigned it."""
        cosigned = []
        for party, one in self.keys.cosigners(note, owner, head.other_lines, self._remarks):
            if one.time_s >= DATE_MOST_S:
                self._remarks.append(f"the time of {party} is no date; it bounds nothing")
                continue
            cosigned.append((party, one.time_s))
        return Head(
            head.origin,
            head.size,
            head.time_s,
            head.size > index,
            tuple(cosigned),
            self._stamps.of(note),
        )

    def _heads(
        self, given: Any, owner: str, covering: VerifiedCheckpoint, index: int, *, sealed: bool
    ) -> list[Head]:
        """Other heads of the same log, each consistent with the one that holds the entry (B-INT-1).

        Args:
            sealed: the covering checkpoint is under a signature, and may stand again with cosigners.
        """
        if not isinstance(given, list) or len(given) > BUNDLE_HEADS:
            raise invalid("bundle", f"heads must be a list of at most {BUNDLE_HEADS}")
        bounds: list[Head] = []
        sizes: list[int] = []
        for one in given:
            if (
                not isinstance(one, dict)
                or set(one) != {"checkpoint", "hashes"}
                or not isinstance(one["checkpoint"], str)
                or not isinstance(one["hashes"], list)
                or len(one["hashes"]) > PROOF_HASHES_MOST
            ):
                raise invalid(
                    "bundle", "a head must have a checkpoint and the hashes of its consistency"
                )
            head = self.keys.checkpoint(one["checkpoint"], covering.origin, owner, self._remarks)
            if head.other_lines == 0 and not self._stamps.has(one["checkpoint"]):
                raise invalid("bundle", "a head without a cosigner or a stamp bounds nothing")
            hashes = [
                decode_base64url(hash_, length=HASH_BYTES, field="hashes")
                for hash_ in one["hashes"]
            ]
            old, new = sorted((head, covering), key=lambda found: found.size)
            verify_consistency(old.size, new.size, hashes, old.root, new.root)
            sizes.append(head.size)
            bounds.append(self._seen(one["checkpoint"], owner, head, index))
        if sizes != sorted(set(sizes) - (set() if sealed else {covering.size})):
            raise invalid(
                "bundle", "heads must be in order of size, each once, beside that of the proof"
            )
        return bounds

    def _receipts(
        self, statement: Statement, given: Any, place: Place, places: list[Standing]
    ) -> list[Head]:
        """The recipient's receipts about a statement: delivered first, then opened (B-RCPT-1).

        Args:
            places: of the statement; takes the one that its receipt proves.

        Returns:
            What bounds the statement's place in the addressee's log, or holds a receipt about it.
        """
        if not isinstance(given, list) or len(given) > 2:
            raise invalid("bundle", "receipts must be a list of at most delivered and opened")
        bounds = list(place.heads) if place.owner == statement.recipient else []
        for i, one in enumerate(given):
            one = self._members(one, "a receipt", {"envelope", "openings"}, {"heads", "logged"})
            receipt = self.keys.statement(one["envelope"])
            values = body_values(check_openings(receipt, one["openings"]))
            try:
                check_receipt_form(receipt, values)
            except RefusedError as error:
                raise invalid("bundle", f"a receipt must have the form of one: {error}") from None
            if (
                receipt.type != ("receipt/delivered", "receipt/opened")[i]
                or receipt.party != statement.recipient
                or receipt.recipient != statement.party
                or values.get("statement") != statement.id
            ):
                raise invalid("bundle", "a receipt must be by the recipient, about this statement")
            kept = self._receipt_logged(receipt, one["logged"])
            self._signed.append((receipt, kept))
            bounds += [b for at in kept for b in at.heads if b.holds]
            if i == 0:
                there = self._place(
                    statement, values["leaf"], values["proof"], one["heads"], receipt.party
                )
                if values["received"] != there.logged.logged:
                    raise invalid("bundle", "a receipt must give the time of its leaf")
                self.keys.check_time(receipt, there.time_us)
                if (there.logged.log, there.logged.index) != (place.logged.log, place.logged.index):
                    self.logged.append(there.logged)
                    places.append(there)
                bounds += there.heads
                self.received.append(
                    ReceivedBy(receipt.party, there.logged.logged, receipt.id, values["answer"])
                )
            else:
                if one["heads"]:
                    raise invalid(
                        "bundle", "only the receipt that proves a leaf has heads of its log"
                    )
                self.keys.check_time(receipt, parse_time(values["opened"]))
                self.received[-1] = msgspec.structs.replace(
                    self.received[-1], opened=values["opened"]
                )
        if given:
            last = self.received[-1]
            interested = {statement.party, statement.recipient}
            found = find_interval(parse_time(last.time), bounds, interested)
            self.received[-1] = msgspec.structs.replace(
                last, not_before=found.not_before, not_after=found.not_after, by=found.by
            )
        return bounds

    def _receipt_logged(self, receipt: Statement, given: Any) -> list[Standing]:
        """Where a receipt stands in the log of whoever made the bundle: it existed when that log held it."""
        if not isinstance(given, list) or len(given) > 1:
            raise invalid("bundle", "a receipt must be logged at most once, by who made the bundle")
        places: list[Standing] = []
        for one in given:
            found = self._members(one, "logged", {"leaf", "proof"}, {"heads"})
            places.append(self._place(receipt, found["leaf"], found["proof"], found["heads"], None))
        return places

"""Making a bundle: everything this record has about one body, with the proofs and the keys it takes to check them.

The format is docs/spec/bundle.md; `bundle` reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from detente.agreement.card import KeyCertificate
from detente.errors import PeerError, UsageError
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.merkle import verify_consistency
from detente.ledger.note import parse_note
from detente.ledger.proof import LogProof, format_tlog_proof, parse_log_proof
from detente.limits import BUNDLE_HEADS
from detente.protocol.heads import with_cosignatures, witnessed_around
from detente.protocol.journal import Entry, Json
from detente.protocol.keyring import signed_a_line
from detente.protocol.paper import encode_paper
from detente.protocol.stamped import own_stamp
from detente.protocol.statement import (
    Openings,
    Statement,
)
from detente.signing.base64 import encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import encode_envelope
from detente.signing.key import parse_public_keys

if TYPE_CHECKING:  # who checks a bundle imports none of the engine, and starts in half the time
    from detente.protocol.core import Core


def make_bundle(
    core: Core, statement_ids: Iterable[str], *, withhold: Collection[str] = ()
) -> bytes:
    """The bundle of one body: all its copies known here, with receipts, log proofs and cosignatures.

    Args:
        withhold: fields of the body that the reader is not to see.

    Raises:
        UsageError: a statement is unknown here, or has no such field.
    """
    copies: list[Json] = []
    used = _Used(core)
    openings: Openings = {}
    fields: set[str] = set()
    exercise = False
    for statement_id in sorted(statement_ids):
        found, entry = core.journal.statement(statement_id), core.journal.entry_of(statement_id)
        if found is None or entry is None:
            raise UsageError(
                "statement-unknown", f"statement {statement_id!r} is not in this record", field="id"
            )
        statement = found[0]
        openings |= found[1]
        fields |= set(statement.body)
        exercise = statement.exercise
        receipts = []
        for receipt_id in _receipts_of(core, statement_id):
            kept, at = core.journal.statement(receipt_id), core.journal.entry_of(receipt_id)
            assert kept is not None
            assert at is not None
            receipts.append(
                {
                    "envelope": used.envelope(kept[0]),
                    "heads": used.peer_heads(kept),
                    "logged": used.places(at, must=False),
                    "openings": kept[1],
                }
            )
        copies.append(
            {
                "envelope": used.envelope(statement),
                "logged": used.places(entry, must=True),
                "receipts": receipts,
            }
        )
    unknown = sorted(set(withhold) - fields)
    if unknown:
        raise UsageError(
            "field-unknown",
            f"field is {unknown[0]!r}; it must be one of {', '.join(sorted(fields))}",
            field="withhold",
        )
    return encode_paper(
        "bundle",
        {
            "EXERCISE": exercise,
            "copies": copies,
            "keys": [one.signed for one in used.certificates()],
            "openings": {name: one for name, one in openings.items() if name not in withhold},
            "revocations": used.revocations(),
            "stamps": used.stamps(),
            "v": 2,
        },
    )


def make_tlog_proof(core: Core, statement_id: str) -> str:
    """The place of one statement in this node's log as C2SP tlog-proof text; `extra` is the leaf's opening.

    Raises:
        UsageError: the statement is unknown here, or no signed checkpoint covers it yet.
    """
    entry = core.journal.entry_of(statement_id)
    if entry is None:
        raise UsageError(
            "statement-unknown", f"statement {statement_id!r} is not in this record", field="id"
        )
    opening = encode_canonical(core.open_leaf(entry).to_json())
    return format_tlog_proof(_own_proof(core, entry), extra=opening)


class _Used:
    """What a bundle under way has used: keys and notes, so that it carries the certificates for them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._keys: set[tuple[str, str]] = set()
        self._notes: list[str] = []
        self._stamps: set[bytes] = set()

    def envelope(self, statement: Statement) -> Any:
        """A statement's envelope as an object."""
        self._keys.add((statement.party, statement.key))
        return parse_canonical(encode_envelope(statement.envelope))

    def places(self, entry: Entry, *, must: bool) -> list[Json]:
        """Where an entry stands in this node's log, with the heads that bound its time.

        Args:
            must: refuse when no signed checkpoint covers it yet; else there is none.
        """
        try:
            proof = _own_proof(self._core, entry)
        except UsageError:
            if must:
                raise
            return []
        self._notes.append(proof.checkpoint)
        return [
            {
                "heads": self._own_heads(entry.index, proof),
                "leaf": self._core.open_leaf(entry).to_json(),
                "proof": proof.to_json(),
            }
        ]

    def _own_heads(self, index: int, proof: LogProof) -> list[Json]:
        core, covering = self._core, parse_checkpoint(parse_note(proof.checkpoint))
        heads = []
        sizes = core.journal.bounding(index)[:BUNDLE_HEADS]
        stamped = own_stamp(core, index)
        if stamped is not None and _is_of(stamped.note, covering.origin):
            self._stamps.add(stamped.stamp.token)
            sizes = sorted({*sizes[: BUNDLE_HEADS - 1], stamped.size})
        for size in sizes:
            found = core.journal.checkpoint(size)
            # the log of another epoch is another log, and says nothing of this one's times
            if found is None or size == covering.size or not _is_of(found[1], covering.origin):
                continue
            hashes = core.tree.consistency_proof(*sorted((size, covering.size)))
            heads.append(self._head(with_cosignatures(core, size, found[1]), hashes))
        return heads

    def _head(self, note: str, hashes: Iterable[bytes]) -> Json:
        self._notes.append(note)
        return {"checkpoint": note, "hashes": [encode_base64url(one) for one in hashes]}

    def peer_heads(self, kept: tuple[Statement, Openings]) -> list[Json]:
        """Heads of the addressee's log that bound when it logged what the receipt is about."""
        if "proof" not in kept[1]:
            return []
        proof = parse_log_proof(kept[1]["proof"][1])
        self._notes.append(proof.checkpoint)
        covering = parse_checkpoint(parse_note(proof.checkpoint))
        tree = self._core.journal.mirrored_tree(covering.origin)
        heads = []
        for one in witnessed_around(self._core, covering.origin, proof.index):
            (old, old_root), (new, new_root) = sorted(
                [(one.size, one.root), (covering.size, covering.root)]
            )
            if new > tree.size:
                continue  # the mirror is on its way there
            hashes = tree.consistency_proof(old, new)
            try:
                verify_consistency(old, new, hashes, old_root, new_root)
            except PeerError:
                continue  # one of two histories, which is an alarm of its own
            heads.append(self._head(one.note, hashes))
        return heads[:BUNDLE_HEADS]

    def stamps(self) -> list[str]:
        """The time stamps of heads that are in the bundle."""
        return sorted(map(encode_base64url, self._stamps))

    def revocations(self) -> list[Json]:
        """What their parties' roots said of these keys since, as far as it is known here."""
        known = self._core.state.keys.revocations
        found = {
            (one.party, one.key_id): known.get(one.party, {}).get(one.key_id)
            for one in self.certificates()
        }
        return [one.signed for _, one in sorted(found.items()) if one is not None and one.signed]

    def certificates(self) -> list[KeyCertificate]:
        """The certificates of every key that vouched for something here."""
        core = self._core
        found: list[KeyCertificate] = [
            certificate
            for party, known in core.state.keys.certificates.items()
            for certificate in known.values()
            if certificate.use == "signing"
            and (
                (party, certificate.key_id) in self._keys
                or signed_a_line(
                    self._notes,
                    party,
                    parse_public_keys(certificate.key, verifier=core.identity.verifier),
                )
            )
        ]
        return sorted(found, key=lambda c: (c.party, c.serial, c.key_id))


def _is_of(note: str, origin: str) -> bool:
    return note.partition("\n")[0] == origin


def _receipts_of(core: Core, statement_id: str) -> list[str]:
    receipt = core.state.receipts.get(statement_id)
    if receipt is None:
        return []
    return [receipt.receipt, *([receipt.opened] if receipt.opened else [])]


def _own_proof(core: Core, entry: Entry) -> LogProof:
    """Inclusion under the newest checkpoint that was cosigned, else the newest signed one."""
    chosen = core.journal.checkpoint_from(
        entry.index + 1, cosigned=True
    ) or core.journal.checkpoint_from(entry.index + 1, cosigned=False)
    if chosen is None:
        raise UsageError(
            "not-yet-signed",
            "no signed checkpoint covers this entry yet; try again when a line is open",
        )
    size, note = chosen
    return LogProof(
        with_cosignatures(core, size, note),
        entry.index,
        core.tree.inclusion_proof(entry.index, size),
    )

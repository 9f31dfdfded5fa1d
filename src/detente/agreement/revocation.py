"""Revocations: from when a party's key counts no longer, and why, under the party's root."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

import msgspec

from detente.agreement.document import Json, sign_document, verify_document
from detente.errors import PeerError, UsageError, shown
from detente.signing.key import STRICT, PublicKeys, Signer, Verifier
from detente.units import format_time, parse_time

REVOCATION_TYPE = "application/vnd.detente.key-revocation.v1+json"

# why: another took its place; nobody has it any more; somebody else may have it
Reason = Literal["superseded", "lost", "compromised", "unstated"]
REASONS: tuple[Reason, ...] = ("superseded", "lost", "compromised")

_KEY_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Revocation(msgspec.Struct, frozen=True):
    """A party's root says that a key counts no longer.

    Attributes:
        reason: ``unstated`` where an older program wrote a text of its own.
        since_us: from when, by the party's word; may lie before the revocation was made or known.
        signed: the signed document, as evidence and for bundles.
    """

    party: str
    key_id: str
    reason: Reason
    since_us: int
    signed: Json = {}


class Doubt(msgspec.Struct, frozen=True):
    """What must be said beside a signature by a key that was revoked.

    Attributes:
        key: that signed.
        since: from when the key's own party says that it does not count; the signature was logged after that.
    """

    key: str
    reason: Reason
    since: str


def doubt_of(revocation: Revocation | None) -> Doubt | None:
    """As it is shown."""
    if revocation is None:
        return None
    return Doubt(revocation.key_id, revocation.reason, format_time(revocation.since_us))


def issue_revocation(
    root: Signer, *, party: str, key_id: str, revoked_at_us: int, reason: str
) -> Json:
    """A revocation as a signed document.

    Args:
        revoked_at_us: from when; of a compromise, the last moment at which the key was surely its owner's alone.
        reason: one of `REASONS`.

    Raises:
        UsageError: ``reason-unknown``.
    """
    if reason not in REASONS:
        raise UsageError(
            "reason-unknown",
            f"reason is {shown(reason)}; it must be one of {', '.join(REASONS)}",
            field="reason",
        )
    document = {
        "key_id": key_id,
        "party": party,
        "reason": reason,
        "revoked_at": format_time(revoked_at_us),
        "v": 1,
    }
    return sign_document(root, REVOCATION_TYPE, document)


def parse_revocation(
    signed: object, *, party: str, root: PublicKeys, field: str, verifier: Verifier = STRICT
) -> Revocation:
    """A revocation that `party`'s root really issued.

    Raises:
        PeerError: signature, party or form is wrong.
    """
    document = verify_document(signed, REVOCATION_TYPE, root, field=field, verifier=verifier)
    try:
        if document["party"] != party or document["v"] != 1:
            raise PeerError(
                "revocation-malformed",
                f"revocation is for party {shown(document['party'])}; it must be v 1 and for {party!r}",
                field=field,
            )
        if _KEY_ID.fullmatch(str(document["key_id"])) is None:
            raise UsageError("key-id-wrong", f"key id is {shown(document['key_id'])}")
        reason = document.get("reason")
        return Revocation(
            party=party,
            key_id=str(document["key_id"]),
            reason=cast("Reason", reason) if reason in REASONS else "unstated",
            since_us=parse_time(document["revoked_at"]),
            signed=dict(signed) if isinstance(signed, Mapping) else {},
        )
    except (KeyError, UsageError) as error:
        raise PeerError(
            "revocation-malformed", f"revocation member is missing or wrong: {error}", field=field
        ) from None

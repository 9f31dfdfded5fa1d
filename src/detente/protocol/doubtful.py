"""What was signed by a key that its own party has revoked: as ever, or marked (B-REV of docs/spec/bundle.md).

What counts is when somebody else had it: neither the owner of a key nor its thief can choose that time. The
decision is docs/adr/0094-what-a-revoked-key-still-proves.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detente.agreement.revocation import Reason, Revocation, doubt_of
from detente.protocol.interval import Head
from detente.protocol.statement import Statement
from detente.units import US_PER_S, format_time


class Standing(msgspec.Struct, frozen=True):
    """A statement in a log.

    Attributes:
        owner: whose log.
        time_us: when, by that log.
        heads: what was seen of it.
    """

    owner: str
    time_us: int
    heads: list[Head]


class Doubted(msgspec.Struct, frozen=True):
    """A statement whose key counted no longer when somebody else first had it, as far as this proof shows.

    Attributes:
        since: from when, by the word of the key's own party.
        first_elsewhere: the earliest time at which somebody else is shown to have had it; None if at none.
    """

    statement: str
    type: str
    party: str
    key: str
    reason: Reason
    since: str
    first_elsewhere: str | None


def find_doubt(
    statement: Statement, places: Sequence[Standing], revocation: Revocation, remarks: list[str]
) -> Doubted | None:
    """What must be said beside a statement by a revoked key; None where it is proof as ever (B-REV-2).

    Args:
        places: wherever the proof shows it in a log.
    """
    logged_us = min(
        (one.time_us for one in places if one.owner != statement.party),
        default=None,
    )
    seen_us = min(
        (
            (time_s + 1) * US_PER_S
            for place in places
            for head in place.heads
            for by, time_s in (*head.cosigned, *head.stamped)
            # whoever logged it speaks through its log; whoever made it does not speak for itself
            if head.holds and by != statement.party
        ),
        default=None,
    )
    first_us = logged_us if logged_us is not None else seen_us
    doubt = doubt_of(revocation)
    assert doubt is not None
    if first_us is not None and first_us <= revocation.since_us:
        if seen_us is None or seen_us > revocation.since_us:
            remarks.append(
                f"{statement.type} {statement.id[:16]} was signed with a key that is {doubt.reason} since {doubt.since}; "
                "that it was there before is the word of one log, which nobody had cosigned by then"
            )
        return None
    return Doubted(
        statement=statement.id,
        type=statement.type,
        party=statement.party,
        key=statement.key,
        reason=doubt.reason,
        since=doubt.since,
        first_elsewhere=None if first_us is None else format_time(first_us),
    )

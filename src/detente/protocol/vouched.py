"""How far others vouch for this node's own log: whether its newest head counts as witnessed, by the agreement."""

from __future__ import annotations

import msgspec

from detente.agreement.terms import Agreement
from detente.protocol.core import Core
from detente.protocol.heads import signed_us
from detente.units import US_PER_S, format_time, parse_time


class Quorum(msgspec.Struct, frozen=True):
    """How many of whom must cosign a head of a log (L-POL-6).

    Attributes:
        least: 0 asks for nobody.
        of: the agreement's witnesses; without any, the other parties.
    """

    least: int
    of: tuple[str, ...]


class Vouched(msgspec.Struct, frozen=True):
    """Whether the newest signed head counts as witnessed, and the newest that does (L-POL-7).

    Attributes:
        least, of: how many of whom must cosign.
        by: those of them who cosigned the newest head.
        met: whether these are enough.
        size: of the newest head that counts as witnessed; 0 where none does.
        since: when the oldest head above that was signed, by this log's own time; None where there is none.
    """

    least: int
    of: list[str]
    by: list[str]
    met: bool
    size: int
    since: str | None

    def late(self, now_us: int, after_s: float) -> bool:
        """Whether the quorum has been missing for this long."""
        return self.since is not None and now_us - parse_time(self.since) >= after_s * US_PER_S


def quorum_of(agreement: Agreement | None, party: str) -> Quorum:
    """What an agreement asks for the log of a party."""
    if agreement is None:
        return Quorum(0, ())
    witnesses = tuple(one for one in agreement.witnesses if one != party)
    if witnesses:
        return Quorum(min(agreement.terms.quorum, len(witnesses)), witnesses)
    others = tuple(one for one in agreement.parties if one != party)
    return Quorum(min(agreement.terms.quorum, 1), others)


def vouched(core: Core) -> Vouched:
    """How the log of this node stands now."""
    quorum = quorum_of(core.state.agreement, core.identity.party)
    newest = core.journal.checkpoint()
    head = newest[0] if newest else 0
    size = core.journal.vouched_size(quorum.of, quorum.least) if quorum.least else head
    missing = core.journal.checkpoint_from(size + 1, cosigned=False)
    return Vouched(
        least=quorum.least,
        of=list(quorum.of),
        by=sorted(set(core.journal.cosignatures(head)) & set(quorum.of)),
        met=missing is None,
        size=size,
        since=None if missing is None else format_time(signed_us(missing[1])),
    )


def vouched_words(found: Vouched) -> str:
    """The same as a sentence for whoever asks this record."""
    if not found.least:
        return "The agreement asks for no witness of this record."
    names = f"{found.least} of {', '.join(found.of)}"
    counted = (
        f"This record counts as witnessed ({names}) up to entry {found.size}"
        if found.size
        else f"No head of this record counts as witnessed ({names})"
    )
    return (
        f"{counted}." if found.met else f"{counted}; what was signed since {found.since} does not."
    )

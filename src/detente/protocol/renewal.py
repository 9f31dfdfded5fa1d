"""Renewal: old heads of the log are taken into it, so that what their signatures proved outlives the algorithm.

Whoever holds a head signed by keys or an algorithm that has fallen since cannot prove by it any more. So before
that, the heads with all their signature lines become the content of an entry, and the next head, under the keys of
the day, is signed and cosigned over that entry. docs/spec/ledger.md, section 8, is the normative text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from detente.errors import DetenteError, PeerError
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.note import parse_note
from detente.limits import RENEWED_AT_ONCE
from detente.protocol.journal import Entry, Json

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State


def renew_log(core: Core, now_us: int) -> tuple[int, int]:
    """Take the cosigned heads since the last renewal into the log, and sign a new head over them.

    Returns:
        How many heads, and the size of the new one; 0 and the newest size where there was nothing new.

    Raises:
        UnavailableError: this node may sign nothing now.
    """
    core.check_may_sign()
    sizes = spread(core.journal.cosigned_after(core.state.renewed_to), RENEWED_AT_ONCE)
    newest = core.journal.checkpoint()
    if not sizes:
        return 0, newest[0] if newest is not None else 0
    notes = []
    for size in sizes:
        found = core.journal.checkpoint(size)
        assert found is not None
        lines = "".join(core.journal.cosignatures(size).values())
        notes.append(found[1].rstrip("\n") + "\n" + lines)
    core.append_local(now_us, "log/renewed", key=core.identity.signer.public.key_id, notes=notes)
    core.checkpoint(now_us)
    return len(sizes), core.tree.size


def spread(sizes: list[int], most: int) -> list[int]:
    """At most so many of some sizes, evenly over them; the newest always.

    Example:
        >>> spread(list(range(10)), 4), spread([7], 4), spread([], 4)
        ([0, 3, 6, 9], [7], [])
    """
    if len(sizes) <= most:
        return sizes
    step = (len(sizes) - 1) / (most - 1)
    return [sizes[round(i * step)] for i in range(most)]


def apply_renewed(state: State, entry: Entry, local: Json) -> None:
    """Fold the local entry ``log/renewed``: what it holds need not be taken in again."""
    state.renewed_to = entry.index


def check_renewed(core: Core, entry: Entry, local: Json) -> int:
    """How many heads an entry renews, once each is one of this log's own: the same root at its size.

    Raises:
        PeerError: ``renewal-wrong``: a head that this log never had.
    """
    notes: list[Any] = local["notes"]
    for text in notes:
        try:
            found = parse_checkpoint(parse_note(text))
            fits = found.size <= entry.index and core.tree.root(found.size) == found.root
        except DetenteError:
            fits = False
        if not fits:
            raise PeerError(
                "renewal-wrong",
                "a renewed head is not one of this log's own",
                evidence=str(text).encode()[:1024],
            )
    return len(notes)

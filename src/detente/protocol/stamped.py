"""Time stamps in a bundle: which of its heads an authority of time stamps has stamped, and whether the reader knows it.

Rules B-TSA of docs/spec/bundle.md; what a stamp is, docs/spec/ledger.md, section 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from detente.errors import PeerError
from detente.ledger.checkpoint import parse_checkpoint
from detente.ledger.note import parse_note
from detente.ledger.timestamp import Stamp, parse_stamp, stamp_imprint, verify_stamp
from detente.limits import BUNDLE_HEADS, STAMP_BYTES
from detente.protocol.interval import DATE_MOST_S
from detente.protocol.paper import invalid, shown_time
from detente.signing.base64 import decode_base64url
from detente.units import US_PER_S

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from detente.protocol.core import Core


class StampedHead(msgspec.Struct, frozen=True):
    """That an authority stamped a head.

    Attributes:
        time: by then the head existed, by the authority's clock.
        checked: True if it verifies under the reader's certificates, False if not, None if the reader gave none.
        reason: why it does not verify.
    """

    log: str
    size: int
    authority: str
    time: str
    checked: bool | None
    reason: str | None = None


class OwnStamp(msgspec.Struct, frozen=True):
    """The oldest stamped head of this node's log that holds an entry.

    Attributes:
        verified: it led to the certificate in the settings when it came.
    """

    size: int
    note: str
    stamp: Stamp
    verified: bool


def own_stamp(core: Core, index: int) -> OwnStamp | None:
    """The oldest stamped head of ours with the entry of this index; None where there is none."""
    size = core.journal.stamped_from(index + 1)
    if size is None:
        return None
    kept, found = core.journal.stamp(size), core.journal.checkpoint(size)
    if kept is None or found is None:
        return None
    stamp = parse_stamp(kept[0])
    # an old backup can hold the stamp of a head that was signed anew since
    if stamp.imprint != stamp_imprint(found[1]):
        return None
    return OwnStamp(size, found[1], stamp, kept[1])


class BundleStamps:
    """The stamps that a bundle carries, each for a head in it.

    Args:
        given: tokens as they stand in it.
        roots: what the reader trusts for time stamps; None for one who gave nothing.

    Raises:
        PeerError: a malformed one, or out of order.
    """

    def __init__(self, given: Any, roots: Sequence[Certificate] | None, remarks: list[str]) -> None:
        if not isinstance(given, list) or len(given) > BUNDLE_HEADS:
            raise invalid("bundle", f"stamps must be a list of at most {BUNDLE_HEADS}")
        for one in given:
            if not isinstance(one, str) or len(one) > 2 * STAMP_BYTES:
                raise invalid("bundle", f"a stamp must be base64url of at most {STAMP_BYTES} bytes")
        if given != sorted(set(given)):
            raise invalid("bundle", "stamps must be in order, each once")
        stamps = [parse_stamp(decode_base64url(one, field="stamps")) for one in given]
        self._stamps = {one.imprint: one for one in stamps}
        if len(self._stamps) != len(stamps):
            raise invalid("bundle", "stamps must be of different heads")
        self._roots = roots
        self._remarks = remarks
        self._found: dict[bytes, StampedHead] = {}

    def has(self, note: str) -> bool:
        """Whether a head has a stamp here, verified or not."""
        return bool(self._stamps) and stamp_imprint(note) in self._stamps

    def of(self, note: str) -> tuple[tuple[str, int], ...]:
        """Authority and time of what stamped a head and verifies; nothing where the reader trusts none."""
        if not self.has(note):
            return ()
        imprint = stamp_imprint(note)
        stamp = self._stamps[imprint]
        if imprint not in self._found:
            self._found[imprint] = self._check(note, stamp)
        return ((stamp.authority, stamp.time_s),) if self._found[imprint].checked else ()

    def heads(self) -> list[StampedHead]:
        """Every stamp, after all copies were read.

        Raises:
            PeerError: one is for no head in the bundle (B-TSA-1).
        """
        if len(self._found) != len(self._stamps):
            raise invalid("bundle", "a stamp must be of a head in the bundle")
        return sorted(self._found.values(), key=lambda one: (one.log, one.size))

    def _check(self, note: str, stamp: Stamp) -> StampedHead:
        head = parse_checkpoint(parse_note(note))
        if not 0 < stamp.time_s < DATE_MOST_S:
            raise invalid("bundle", "the time of a stamp must be a date that exists")
        found = StampedHead(
            head.origin,
            head.size,
            stamp.authority,
            shown_time("bundle", stamp.time_s * US_PER_S),
            None,
        )
        named = f"head of {head.origin} at {head.size} entries is stamped by {stamp.authority} at {found.time}"
        if self._roots is None:
            self._remarks.append(f"{named}, not checked: give --tsa")
            return found
        try:
            verify_stamp(stamp, self._roots)
        except PeerError as error:
            self._remarks.append(f"{named}, which does not count: {error.message}")
            return msgspec.structs.replace(found, checked=False, reason=error.message)
        return msgspec.structs.replace(found, checked=True)

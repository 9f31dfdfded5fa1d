"""Would two notices meet? One predicate, exact, and the same answer on both sides.

On each axis (lateral, vertical, time) the signed gap between two pieces is compared with the
agreed minimum, overlap being negative. *Conflict*: less than the minimum on all three at once.
*Touch*: no axis clears and one is equal. Else *clear*. When altitudes are in different datums and
the gap lies within what the datums can differ by, the answer is *cannot-tell*.

The door for others::

    verdict = check_pair(notice_a, notice_b, Rules())     # order of the two changes nothing
    verdict.verdict                                       # 'conflict' | 'cannot-tell' | 'touch' | 'clear'
    verdict.record()                                      # canonical JSON both nodes record

    live = LiveVolumes()
    live.insert("north:A-1", notice_a)
    for key, verdict in live.check_against(notice_b, Rules()): ...

docs/spec/airspace-model.md is the normative text; `ENGINE_SPEC` is its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from detente.airspace.altitude import DatumBounds
from detente.notice.activity import ActivityNotice

ENGINE_SPEC = "1"


class Minima(msgspec.Struct, frozen=True):
    """The agreed separation; a gap below all three at once is a conflict.

    Args:
        lateral_tenth_mm: along the surface, 0.1 mm.
        vertical_tenth_mm: 0.1 mm.
        time_us: microseconds.
    """

    lateral_tenth_mm: int = 0
    vertical_tenth_mm: int = 0
    time_us: int = 0


class Rules(msgspec.Struct, frozen=True):
    """What two notices are judged by: the minima and the datum bounds of an agreement."""

    minima: Minima = Minima()
    bounds: DatumBounds = DatumBounds()

    def stricter(self, other: Rules) -> Rules:
        """The larger minimum on each axis and the wider datum bounds of two rules."""
        raise NotImplementedError

    def body(self) -> dict[str, object]:
        """The canonical JSON form: ``{"minima": {...}, "datum_bounds": {...}}``, integers only."""
        raise NotImplementedError


def parse_rules(value: object, *, field: str = "rules") -> Rules:
    """Rules from their canonical form; what is left out keeps its default.

    Raises:
        UsageError: an unknown name, or a value out of range.
    """
    raise NotImplementedError


class PairVerdict(msgspec.Struct, frozen=True):
    """What the engine says about two notices; independent of which of them comes first.

    The window, band, place and gaps are those of the meeting; all None when the verdict is clear.

    Args:
        verdict: ``"conflict"``, ``"cannot-tell"``, ``"touch"`` or ``"clear"``.
        reason: one English sentence, naming the datum of every altitude.
        from_us: start of the meeting (hull over all meeting pieces).
        until_us: its end.
        lower_tenth_mm: lower edge of the meeting, in `datum`.
        upper_tenth_mm: upper edge, in `datum`.
        datum: of both altitudes.
        place: longitude and latitude of a point of the first meeting, 1e-9 degree.
        lateral_gap_tenth_mm: signed, of the first meeting; negative is overlap.
        vertical_gap_tenth_mm: likewise; the smaller end when datums differ.
        time_gap_us: likewise.
    """

    verdict: str
    reason: str
    from_us: int | None = None
    until_us: int | None = None
    lower_tenth_mm: int | None = None
    upper_tenth_mm: int | None = None
    datum: str | None = None
    place: tuple[int, int] | None = None
    lateral_gap_tenth_mm: int | None = None
    vertical_gap_tenth_mm: int | None = None
    time_gap_us: int | None = None

    def record(self) -> dict[str, object]:
        """Canonical JSON (integers, text, null) that both nodes record, byte for byte the same."""
        raise NotImplementedError


def check_pair(a: ActivityNotice, b: ActivityNotice, rules: Rules) -> PairVerdict:
    """Whether two notices meet; `check_pair(a, b)` and `check_pair(b, a)` are equal.

    Exercise and real never conflict. Two notices with no piece in common reach are clear.
    """
    raise NotImplementedError


class LiveVolumes:
    """The live notices of other parties, indexed so that one notice is checked in milliseconds.

    Keys are the caller's (a notice id). The index is derived state: it can be rebuilt at any time,
    and the verdicts do not depend on the order of insertion.
    """

    def insert(self, key: str, notice: ActivityNotice) -> None:
        """Adds a notice, or replaces the one under the same key."""
        raise NotImplementedError

    def remove(self, key: str) -> None:
        """Takes a notice out; an unknown key is no error."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def candidates(self, notice: ActivityNotice, rules: Rules) -> list[str]:
        """Keys of all notices that might not be clear of this one, sorted; never misses one."""
        raise NotImplementedError

    def check_against(
        self, notice: ActivityNotice, rules: Rules, keys: Iterable[str] | None = None
    ) -> list[tuple[str, PairVerdict]]:
        """Every live notice that is not clear of this one, with its verdict, sorted by key.

        Args:
            notice: the one to check.
            rules: minima and bounds.
            keys: look only at these (for example, notices under one agreement).
        """
        raise NotImplementedError

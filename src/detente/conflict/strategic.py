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

    found = all_overlaps(VolumeArrays(lon, lat, first, thick, start, end, lower, upper))
    found.pairs, found.codes                              # every pair that is not clear, of very many

docs/spec/airspace-model.md is the normative text; `ENGINE_SPEC` is its version. A pair of hostile
notices at every limit costs a few seconds and then answers cannot-tell: see `limits`.
"""

from __future__ import annotations

from detente.airspace.altitude import DatumBounds
from detente.airspace.area import Moving
from detente.conflict.bulk import Overlaps, VolumeArrays, all_overlaps
from detente.conflict.live import LiveVolumes
from detente.conflict.pair import judge, prepare
from detente.conflict.separation import Minima, Rules, build_minima, parse_minima, parse_rules
from detente.conflict.verdict import VERDICTS, PairVerdict
from detente.notice.activity import ActivityNotice

__all__ = [
    "ENGINE_SPEC",
    "ENGINE_SPECS",
    "VERDICTS",
    "DatumBounds",
    "LiveVolumes",
    "Minima",
    "Overlaps",
    "PairVerdict",
    "Rules",
    "VolumeArrays",
    "all_overlaps",
    "build_minima",
    "check_pair",
    "parse_minima",
    "parse_rules",
    "spec_of",
]

ENGINE_SPEC = "2"
ENGINE_SPECS = ("1", "2")  # all whose records may be met


def check_pair(a: ActivityNotice, b: ActivityNotice, rules: Rules) -> PairVerdict:
    """Whether two notices meet; `check_pair(a, b)` and `check_pair(b, a)` are equal.

    Args:
        a: one notice.
        b: another.
        rules: minima and datum bounds.

    Returns:
        The worst verdict over all pairs of pieces, in the order of `VERDICTS`. Exercise and real
        never conflict.
    """
    return judge(prepare(a), prepare(b), rules)


def spec_of(a: ActivityNotice, b: ActivityNotice) -> str:
    """The least engine spec that judges two notices as this engine does; it stands in their record.

    "1" where nothing moves: so a conflict keeps its id over an upgrade, and a node of either version
    records the same bytes.
    """
    moves = any(isinstance(p.geometry, Moving) for one in (a, b) for p in one.pieces)
    return ENGINE_SPEC if moves else "1"

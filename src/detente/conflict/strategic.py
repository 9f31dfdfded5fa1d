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
from detente.conflict.bulk import Overlaps, VolumeArrays, all_overlaps
from detente.conflict.live import LiveVolumes
from detente.conflict.pair import judge, prepare
from detente.conflict.separation import Minima, Rules, build_minima, parse_minima, parse_rules
from detente.conflict.verdict import VERDICTS, PairVerdict
from detente.notice.activity import ActivityNotice

__all__ = [
    "ENGINE_SPEC",
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
]

ENGINE_SPEC = "1"


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

"""The live notices, indexed: one notice is checked against all of them in well under a millisecond."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detente.conflict.pair import judge, prepare
from detente.conflict.separation import Rules
from detente.conflict.verdict import CLEAR, PairVerdict
from detente.conflict.volumeindex import VolumeIndex
from detente.notice.activity import ActivityNotice

_FEW = 64  # pieces asked for one by one; and dead rows that are not worth a new index


class LiveVolumes:
    """The live notices of other parties, indexed so that one notice is checked at once.

    Keys are the caller's (a notice id). The index is derived state: it can be rebuilt at any time,
    and the verdicts do not depend on the order of insertion. Of each notice only its rows are kept
    here; its shapes are made when they are compared (`pair.prepare` keeps the last of them).

    Example:
        >>> live = LiveVolumes()
        >>> len(live)
        0

    Args:
        compiles: see `VolumeIndex`.
    """

    def __init__(self, *, compiles: bool = True) -> None:
        self._notices: dict[str, ActivityNotice] = {}
        self._slots: dict[str, tuple[int, int]] = {}
        self._owners: list[str] = []  # per row
        self._index = VolumeIndex(compiles=compiles)

    def __len__(self) -> int:
        return len(self._notices)

    def __contains__(self, key: str) -> bool:
        return key in self._notices

    def insert(self, key: str, notice: ActivityNotice) -> None:
        """Adds a notice, or replaces the one under the same key."""
        self.remove(key)
        prepared = prepare(notice)
        columns = prepared.columns
        prepared.trim()
        rows = self._index.add(columns, notice.exercise)
        self._notices[key] = notice
        self._slots[key] = (rows.start, rows.stop)
        self._owners.extend([key] * len(rows))

    def remove(self, key: str) -> None:
        """Takes a notice out; an unknown key is no error."""
        if self._notices.pop(key, None) is None:
            return
        self._index.remove(*self._slots.pop(key))
        if self._index.dead > _FEW and 2 * self._index.dead > self._index.count:
            self._repack()

    def candidates(self, notice: ActivityNotice, rules: Rules) -> list[str]:
        """Keys of all notices that might not be clear of this one, sorted; never misses one."""
        columns = prepare(notice).columns
        if len(columns) == 1:
            rows = self._index.near(columns[0], notice.exercise, rules)
        else:
            rows = self._index.near_any(columns, notice.exercise, rules)
        owners = self._owners
        return sorted({owners[row] for row in rows.tolist()})

    def check_against(
        self, notice: ActivityNotice, rules: Rules, keys: Iterable[str] | None = None
    ) -> list[tuple[str, PairVerdict]]:
        """Every live notice that is not clear of this one, with its verdict, sorted by key.

        Args:
            notice: the one to check.
            rules: minima and bounds.
            keys: look only at these (for example, notices under one agreement).
        """
        near = self.candidates(notice, rules)
        if keys is not None:
            wanted = set(keys)
            near = [key for key in near if key in wanted]
        judged = ((key, self.judge(notice, key, rules)) for key in near)
        return [(key, verdict) for key, verdict in judged if verdict.verdict != CLEAR]

    def judge(self, notice: ActivityNotice, key: str, rules: Rules) -> PairVerdict:
        """The verdict on a notice and a live one, as `strategic.check_pair` gives it."""
        start, stop = self._slots[key]
        columns = self._index.rows[start:stop].copy()
        return judge(prepare(notice), prepare(self._notices[key], columns), rules)

    def notice(self, key: str) -> ActivityNotice:
        """A live notice."""
        return self._notices[key]

    def _repack(self) -> None:
        """Number the rows anew, without the dead."""
        kept = [np.arange(*slot) for slot in self._slots.values()]
        self._index.keep_only(np.concatenate(kept) if kept else np.empty(0, dtype=np.int64))
        self._owners = []
        for key, (start, stop) in self._slots.items():
            at = len(self._owners)
            self._slots[key] = (at, at + stop - start)
            self._owners.extend([key] * (stop - start))

"""The live notices, indexed: one notice is checked against all of them in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detente.airspace.altitude import DatumBounds
from detente.conflict.pair import BOX_HIGH, BOX_LOW, COLUMNS, END, START, Prepared, judge, near_rows
from detente.conflict.separation import Rules
from detente.conflict.verdict import CLEAR, PairVerdict
from detente.notice.activity import ActivityNotice

_FIRST_ROWS = 256


class LiveVolumes:
    """The live notices of other parties, indexed so that one notice is checked in milliseconds.

    Keys are the caller's (a notice id). The index is derived state: it can be rebuilt at any time,
    and the verdicts do not depend on the order of insertion.

    Example:
        >>> live = LiveVolumes()
        >>> len(live)
        0
    """

    def __init__(self) -> None:
        self._notices: dict[str, Prepared] = {}
        self._slots: dict[str, tuple[int, int]] = {}
        self._owners: list[str] = []  # per row
        self._rows = np.empty((_FIRST_ROWS, COLUMNS), dtype=np.int64)
        self._msl = np.empty((_FIRST_ROWS, 2), dtype=np.int64)
        self._exercise = np.empty(_FIRST_ROWS, dtype=bool)
        self._bounds = DatumBounds()
        self._count = 0
        self._dead = 0

    def __len__(self) -> int:
        return len(self._notices)

    def __contains__(self, key: str) -> bool:
        return key in self._notices

    def insert(self, key: str, notice: ActivityNotice) -> None:
        """Adds a notice, or replaces the one under the same key."""
        self.remove(key)
        prepared = Prepared(notice)
        prepared.trim()
        self._notices[key] = prepared
        self._append(key, prepared)

    def remove(self, key: str) -> None:
        """Takes a notice out; an unknown key is no error."""
        if self._notices.pop(key, None) is None:
            return
        start, stop = self._slots.pop(key)
        # A dead row begins after and ends before all time, so that it is near nothing.
        self._rows[start:stop, START] = np.iinfo(np.int64).max
        self._rows[start:stop, END] = np.iinfo(np.int64).min
        self._dead += stop - start
        if self._dead > _FIRST_ROWS and 2 * self._dead > self._count:
            self._rebuild()

    def candidates(self, notice: ActivityNotice, rules: Rules) -> list[str]:
        """Keys of all notices that might not be clear of this one, sorted; never misses one."""
        return self._candidates(Prepared(notice), rules)

    def check_against(
        self, notice: ActivityNotice, rules: Rules, keys: Iterable[str] | None = None
    ) -> list[tuple[str, PairVerdict]]:
        """Every live notice that is not clear of this one, with its verdict, sorted by key.

        Args:
            notice: the one to check.
            rules: minima and bounds.
            keys: look only at these (for example, notices under one agreement).
        """
        prepared = Prepared(notice)
        near = self._candidates(prepared, rules)
        if keys is not None:
            wanted = set(keys)
            near = [key for key in near if key in wanted]
        judged = ((key, judge(prepared, self._notices[key], rules)) for key in near)
        return [(key, verdict) for key, verdict in judged if verdict.verdict != CLEAR]

    def _candidates(self, prepared: Prepared, rules: Rules) -> list[str]:
        if rules.bounds != self._bounds:
            self._bounds = rules.bounds
            for key, (start, stop) in self._slots.items():
                self._msl[start:stop] = self._notices[key].msl(rules.bounds)
        near = self._near_whole(prepared, rules)
        if not len(near):
            return []
        rows, bands = self._rows[near], self._msl[near]
        msl = prepared.msl(rules.bounds)
        found: set[str] = set()
        for i in range(len(prepared.columns)):
            hits = near_rows(prepared.columns[i], msl[i], rows, bands, rules)
            found.update(self._owners[row] for row in near[hits].tolist())
        return sorted(found)

    def _near_whole(
        self, prepared: Prepared, rules: Rules
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The rows that are near the notice as a whole, in time and place."""
        minima = rules.minima
        columns = prepared.columns
        rows = self._rows[: self._count]
        start = int(columns[:, START].min()) - minima.time_us
        end = int(columns[:, END].max()) + minima.time_us
        near = np.nonzero(
            (rows[:, START] <= end)
            & (rows[:, END] >= start)
            & (self._exercise[: self._count] == prepared.notice.exercise)
        )[0]
        for axis in range(3):
            low = int(columns[:, BOX_LOW + axis].min()) - minima.lateral_tenth_mm
            high = int(columns[:, BOX_HIGH + axis].max()) + minima.lateral_tenth_mm
            near = near[(rows[near, BOX_LOW + axis] <= high) & (rows[near, BOX_HIGH + axis] >= low)]
        return near

    def _append(self, key: str, prepared: Prepared) -> None:
        size = len(prepared.columns)
        need = self._count + size
        if need > len(self._rows):
            room = max(2 * len(self._rows), need)
            self._rows = np.resize(self._rows, (room, COLUMNS))
            self._msl = np.resize(self._msl, (room, 2))
            self._exercise = np.resize(self._exercise, room)
        self._rows[self._count : need] = prepared.columns
        self._msl[self._count : need] = prepared.msl(self._bounds)
        self._exercise[self._count : need] = prepared.notice.exercise
        self._slots[key] = (self._count, need)
        self._owners.extend([key] * size)
        self._count = need

    def _rebuild(self) -> None:
        self._owners, self._slots = [], {}
        self._count = self._dead = 0
        for key, prepared in self._notices.items():
            self._append(key, prepared)

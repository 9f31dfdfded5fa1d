"""Points of a file of any size, in windows of time: sorted on disk, so that memory holds one window.

Rows come in any order (files sorted by id, then time, are the commonest). They are sorted by time in
runs of a million; runs that do not fit in memory go to one temporary file, which has no name and is
gone with the process. A window is what all runs have between two times.
"""

from __future__ import annotations

import tempfile
from itertools import pairwise
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from detente.errors import UsageError
from detente.interop.recording import Points
from detente.units import format_time

Longs = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]

RECORD = np.dtype(
    [("time", "<i8"), ("row", "<i8"), ("lon", "<i8"), ("lat", "<i8"), ("alt", "<i8"), ("owner", "<i4")]
)  # fmt: skip
RUN_ROWS = 1_000_000
KEPT_RUNS = 3  # in memory; with more all go to the file
STEP_ROWS = 1_024  # a mark in every run each so many rows says where a time stands
WINDOW_MOST = 6_000_000  # rows of a window and its surroundings: 1.2 GB while they are compared
TRACKS_MOST = 5_000_000  # ids stay in memory for the whole run


class Spill:
    """Points in runs, each sorted by time.

    Args:
        run_rows: rows in a run.
        kept_runs: how many runs may stay in memory.
    """

    def __init__(self, *, run_rows: int = RUN_ROWS, kept_runs: int = KEPT_RUNS) -> None:
        self._run_rows, self._kept_runs = run_rows, kept_runs
        self.owners: dict[str, int] = {}
        self.rows = 0
        self._parts: list[Records] = []
        self._waiting = 0
        self._kept: list[Records] = []
        self._file: IO[bytes] | None = None
        self._sizes: list[int] = []
        self._marks: list[Longs] = []

    def add(self, points: Points) -> None:
        """Takes a block of rows.

        Raises:
            UsageError: ``tracks-too-many``.
        """
        records = np.empty(len(points), dtype=RECORD)
        records["time"], records["row"] = points.time_us, points.row
        records["lon"], records["lat"] = points.lon_nanodeg, points.lat_nanodeg
        records["alt"] = points.alt_tenth_mm
        owners = self.owners
        records["owner"] = [owners.setdefault(name, len(owners)) for name in points.ids]
        if len(owners) > TRACKS_MOST:
            raise UsageError(
                "tracks-too-many",
                f"file has more than {TRACKS_MOST:,} ids; it must have at most {TRACKS_MOST:,}",
                hint="scan it in parts of some days",
            )
        self._parts.append(records)
        self._waiting += len(records)
        self.rows += len(records)
        if self._waiting >= self._run_rows:
            self._close_run()

    def finish(self) -> None:
        """No more rows come."""
        if self._waiting:
            self._close_run()

    def _close_run(self) -> None:
        run = np.concatenate(self._parts)
        self._parts, self._waiting = [], 0
        run = run[np.argsort(run["time"], kind="stable")]
        self._marks.append(np.append(run["time"][::STEP_ROWS], run["time"][-1]))
        self._sizes.append(len(run))
        if self._file is None and len(self._kept) < self._kept_runs:
            self._kept.append(run)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="detente-scan-")  # noqa: SIM115 (`close`)
            for kept in self._kept:
                kept.tofile(self._file)
            self._kept = []
        run.tofile(self._file)

    @property
    def span(self) -> tuple[int, int]:
        """The first time and the last."""
        return (
            min(int(marks[0]) for marks in self._marks),
            max(int(marks[-1]) for marks in self._marks),
        )

    def windows(self, rows: int) -> list[tuple[int, int]]:
        """Times that cut the points into windows of about so many rows, [from, until)."""
        first, last = self.span
        marks = np.sort(np.concatenate([marks[:-1] for marks in self._marks]))
        cuts = np.unique(marks[:: max(1, rows // STEP_ROWS)])[1:].tolist()
        edges = [first, *(cut for cut in cuts if first < cut <= last), last + 1]
        return list(pairwise(edges))

    def between(self, start: int, stop: int) -> Records:
        """All rows from a time until before another, by track and time; equal ones by row.

        Raises:
            UsageError: ``tracks-too-dense``.
        """
        found = []
        at = read = 0
        for number, size in enumerate(self._sizes):
            marks = self._marks[number]
            low = max(0, int(np.searchsorted(marks[:-1], start, "left")) - 1) * STEP_ROWS
            high = min(size, int(np.searchsorted(marks[:-1], stop, "left")) * STEP_ROWS)
            if low < high and marks[-1] >= start and marks[0] < stop:
                read += high - low
                if read > WINDOW_MOST:
                    raise UsageError(
                        "tracks-too-dense",
                        f"more than {WINDOW_MOST:,} rows lie between {format_time(max(0, start))} and "
                        f"{format_time(stop)}; so many must not be within two greatest gaps",
                        hint="a smaller --max-gap-s needs less; rows of one time would all be one instant",
                    )
                rows = self._read(number, at + low, low, high)
                times = rows["time"]
                found.append(rows[np.searchsorted(times, start) : np.searchsorted(times, stop)])
            at += size
        rows = np.concatenate(found) if found else np.empty(0, dtype=RECORD)
        return rows[np.lexsort((rows["row"], rows["time"], rows["owner"]))]

    def _read(self, number: int, offset: int, low: int, high: int) -> Records:
        if self._file is None:
            return self._kept[number][low:high]
        self._file.seek(offset * RECORD.itemsize)
        return np.fromfile(self._file, dtype=RECORD, count=high - low)

    def close(self) -> None:
        """Gives the temporary file back."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

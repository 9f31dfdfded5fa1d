"""`detente scan`: all tracks of a file against all, in a memory that its windows bound and not its size."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from detente.airspace.leg import LegRules, build_legs, check_leg_rules, part_for
from detente.airspace.track import Tracks
from detente.cli.spill import Records, Spill
from detente.conflict.separation import Minima
from detente.conflict.spell import CLOSEST, FROM, LATERAL, UNTIL, VERTICAL
from detente.conflict.trajectory import find_in_window, join_meetings
from detente.errors import UsageError, shown
from detente.interop.recording import parse_points
from detente.units import (
    NANODEG_PER_DEG,
    TENTH_MM_PER_FT,
    TENTH_MM_PER_NM,
    US_PER_S,
    format_dtg,
    format_duration,
    format_time,
)

Longs = npt.NDArray[np.int64]
Progress = Callable[[str, float], None]

WINDOW_ROWS = 1_000_000
SHOWN_PLACES = 200_000  # points of tracks that a picture keeps
_LON, _LAT = 5, 6  # rows after those of a meeting: where the first track is at the closest


@dataclass
class Scan:
    """What a scan found and left out.

    Args:
        ids: names of the tracks, ascending.
        a: index of the first track of each conflict.
        b: index of the second.
        numbers: from, until, closest, lateral, vertical, longitude and latitude of a; shape (7, n).
        rows: of the file.
        legs: parts of long legs counted each.
        skipped: counts by name.
        notes: sentences on what was left out.
        seconds: reading and comparing.
        places: longitude and latitude of some points, 1e-9 degree, shape (2, m), for a picture.
        span_us: first and last time.
    """

    ids: list[str]
    a: Longs
    b: Longs
    numbers: Longs
    rows: int
    legs: int
    skipped: dict[str, int]
    notes: list[str]
    seconds: float
    places: Longs
    span_us: tuple[int, int]
    minima: Minima = field(default_factory=Minima)

    def __len__(self) -> int:
        return len(self.a)


def scan_tracks(
    file: BinaryIO,
    minima: Minima,
    rules: LegRules = LegRules(),
    *,
    size: int = 0,
    threads: int | None = None,
    window_rows: int = WINDOW_ROWS,
    progress: Progress | None = None,
    spill: Spill | None = None,
) -> Scan:
    """All tracks of a file against all.

    Args:
        file: CSV or Parquet, opened for reading bytes.
        minima: lateral and vertical.
        rules: what joins two points of a track.
        size: of the file in bytes, for the progress.
        threads: how many share the work.
        window_rows: about how many rows are compared at a time; besides them memory holds those of one
            greatest gap before and after.
        progress: is told what is done, and how much of it (0 to 1).
        spill: where the rows wait; its own if left out.

    Raises:
        UsageError: a file that cannot be read, with the row; rules out of range.
    """
    check_leg_rules(rules)
    say: Progress = progress or (lambda what, share: None)
    began = time.perf_counter()
    with spill or Spill() as points:
        for block in parse_points(file):
            points.add(block)
            say("reading", min(1.0, file.tell() / size) if size else 0.0)
        points.finish()
        say("reading", 1.0)
        names = list(points.owners)
        found = _Windows(points, names, minima, rules, threads)
        windows = points.windows(window_rows)
        for number, window in enumerate(windows, 1):
            found.compare(window)
            say("comparing", number / len(windows))
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        a, b, numbers = join_meetings(
            rank[np.concatenate(found.a)], rank[np.concatenate(found.b)], np.hstack(found.numbers)
        )
        return Scan(
            ids=[names[k] for k in order],
            a=a,
            b=b,
            numbers=numbers,
            rows=points.rows,
            legs=found.legs,
            skipped=found.skipped,
            notes=found.notes(rules),
            seconds=time.perf_counter() - began,
            places=np.hstack(found.places),
            span_us=points.span,
            minima=minima,
        )


class _Windows:
    """Windows of time compared one after another."""

    def __init__(
        self,
        points: Spill,
        names: list[str],
        minima: Minima,
        rules: LegRules,
        threads: int | None,
    ) -> None:
        self._points, self._names = points, names
        self._minima, self._rules, self._threads = minima, rules, threads
        self._last = np.full(len(names), -1, dtype=np.int64)  # when each track was last heard
        self.a: list[Longs] = [np.empty(0, dtype=np.int64)]
        self.b: list[Longs] = [np.empty(0, dtype=np.int64)]
        self.numbers: list[Longs] = [np.empty((7, 0), dtype=np.int64)]
        self.places: list[Longs] = [np.empty((2, 0), dtype=np.int64)]
        self.legs = 0
        self.skipped = {"gaps": 0, "jumps": 0, "points": 0, "duplicates": 0}
        self._first_jump: tuple[str, int] | None = None
        self._first_point: tuple[str, int] | None = None

    def compare(self, window: tuple[int, int]) -> None:
        """Everything that begins in a window against everything that is flown then."""
        gap = self._rules.max_gap_us
        rows = self._distinct(self._points.between(window[0] - gap, window[1] + gap), window)
        self._count_gaps(rows, window)
        owners, starts = np.unique(rows["owner"], return_index=True)
        tracks = Tracks(
            tuple(self._names[owner] for owner in owners.tolist()),
            np.append(starts, len(rows)).astype(np.int64),
            np.ascontiguousarray(rows["time"]),
            np.ascontiguousarray(rows["lon"]),
            np.ascontiguousarray(rows["lat"]),
            np.ascontiguousarray(rows["alt"]),
        )
        del rows
        legs = build_legs(
            tracks,
            self._rules,
            part_tenth_mm=part_for(self._minima.lateral_tenth_mm),
            threads=self._threads,
            within=window,
        )
        core = (tracks.time_us >= window[0]) & (tracks.time_us < window[1])
        self.legs += int(
            np.count_nonzero(legs.joined & (legs.time_us >= window[0]) & (legs.time_us < window[1]))
        )
        self.skipped["jumps"] += legs.skipped.jumps
        self.skipped["points"] += legs.skipped.points
        self._first_jump = self._first_jump or legs.skipped.first_jump
        self._first_point = self._first_point or legs.skipped.first_point
        a, b, numbers = find_in_window(legs, self._minima, window, threads=self._threads)
        self.a.append(owners[a].astype(np.int64))
        self.b.append(owners[b].astype(np.int64))
        self.numbers.append(np.vstack([numbers, _places_at(tracks, a, numbers[CLOSEST])]))
        some = np.nonzero(core)[0][:: max(1, self._points.rows // SHOWN_PLACES)]
        self.places.append(np.vstack([tracks.lon_nanodeg[some], tracks.lat_nanodeg[some]]))

    def _distinct(self, rows: Records, window: tuple[int, int]) -> Records:
        """Rows without exact duplicates.

        Raises:
            UsageError: ``tracks-two-places``.
        """
        same = (rows["owner"][1:] == rows["owner"][:-1]) & (rows["time"][1:] == rows["time"][:-1])
        if not same.any():
            return rows
        other = np.zeros_like(same)
        for name in ("lon", "lat", "alt"):
            other |= rows[name][1:] != rows[name][:-1]
        if (same & other).any():
            at = int(np.nonzero(same & other)[0][0])
            one, two = sorted((int(rows["row"][at]), int(rows["row"][at + 1])))
            raise UsageError(
                "tracks-two-places",
                f"rows {one} and {two} put {shown(self._names[int(rows['owner'][at])])} in two "
                f"places at {format_time(int(rows['time'][at]))}; each time of a track must have "
                "one place",
                field=f"row {two}",
            )
        again = np.append(False, same)
        times = rows["time"]
        self.skipped["duplicates"] += int(
            np.count_nonzero(again & (times >= window[0]) & (times < window[1]))
        )
        distinct: Records = rows[~again]
        return distinct

    def _count_gaps(self, rows: Records, window: tuple[int, int]) -> None:
        """Silences that end in a window, however long ago they began."""
        owner, times = rows["owner"], rows["time"]
        before = np.append(np.int64(-1), times[:-1])
        fresh = np.append(True, owner[1:] != owner[:-1])
        before = np.where(fresh, self._last[owner], before)
        core = (times >= window[0]) & (times < window[1])
        silent = core & (before >= 0) & (times - before > self._rules.max_gap_us)
        self.skipped["gaps"] += int(np.count_nonzero(silent))
        np.maximum.at(self._last, owner[core], times[core])

    def notes(self, rules: LegRules) -> list[str]:
        """What was left out, in sentences."""
        said = []
        for count, one, many in (
            (
                self.skipped["gaps"],
                f"silence over {rules.max_gap_us / US_PER_S:g} s cuts a track",
                f"silences over {rules.max_gap_us / US_PER_S:g} s cut tracks",
            ),
            (
                self.skipped["jumps"],
                f"jump that would need more than {rules.max_speed_tenth_mm_s / 10_000:,.0f} m/s is left out",
                f"jumps that would need more than {rules.max_speed_tenth_mm_s / 10_000:,.0f} m/s are left out",
            ),
            (
                self.skipped["points"],
                "point stands alone and is no flight",
                "points stand alone and are no flight",
            ),
            (self.skipped["duplicates"], "row repeats another", "rows repeat others"),
        ):
            if count:
                said.append(f"{count:,} {one if count == 1 else many}")
        for first, what in ((self._first_jump, "jump"), (self._first_point, "point alone")):
            if first:
                said.append(f"the first {what}: {first[0]} at {format_time(first[1])}")
        return said


def _places_at(tracks: Tracks, track: Longs, instant: Longs) -> Longs:
    """Longitude and latitude of tracks at instants, straight between two points; for people to look at."""
    low = tracks.starts[track].copy()
    high = tracks.starts[track + 1] - 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        early = tracks.time_us[middle] <= instant
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    span = np.maximum(tracks.time_us[high] - tracks.time_us[low], 1)
    share = (instant - tracks.time_us[low]) / span
    turn = 360 * NANODEG_PER_DEG
    east = tracks.lon_nanodeg[high] - tracks.lon_nanodeg[low]
    east = (east + turn // 2) % turn - turn // 2
    lon = tracks.lon_nanodeg[low] + np.rint(east * share).astype(np.int64)
    lat = tracks.lat_nanodeg[low] + np.rint(
        (tracks.lat_nanodeg[high] - tracks.lat_nanodeg[low]) * share
    ).astype(np.int64)
    return np.vstack([(lon + turn // 2) % turn - turn // 2, lat])


def document(scan: Scan) -> dict[str, Any]:
    """The JSON of the contract; what was skipped beside it."""
    return {
        "conflicts": [
            {
                "a": scan.ids[a],
                "b": scan.ids[b],
                "from": format_time(row[FROM]),
                "until": format_time(row[UNTIL]),
                "closest": {
                    "time": format_time(row[CLOSEST]),
                    "lateral_nm": round(row[LATERAL] / TENTH_MM_PER_NM, 9),
                    "vertical_ft": round(row[VERTICAL] / TENTH_MM_PER_FT, 4),
                    "lat": round(row[_LAT] / NANODEG_PER_DEG, 6),
                    "lon": round(row[_LON] / NANODEG_PER_DEG, 6),
                },
            }
            for a, b, row in zip(
                scan.a.tolist(), scan.b.tolist(), scan.numbers.T.tolist(), strict=True
            )
        ],
        "tracks": len(scan.ids),
        "legs": scan.legs,
        "seconds": round(scan.seconds, 3),
        "rows": scan.rows,
        "skipped": scan.skipped,
        "datum": "STD",
    }


def summary(scan: Scan) -> list[str]:
    """The lines for people that come before and after the conflicts."""
    pairs = len(np.unique(scan.a * max(1, len(scan.ids)) + scan.b))
    lateral = scan.minima.lateral_tenth_mm / TENTH_MM_PER_NM
    vertical = scan.minima.vertical_tenth_mm / TENTH_MM_PER_FT
    found = (
        f"{_count(len(scan), 'conflict')} of {_count(pairs, 'pair')}"
        if len(scan)
        else "no conflicts"
    )
    return [
        f"{found} below {lateral:g} NM and {vertical:,g} ft at the same instant",
        f"{_count(len(scan.ids), 'track')}, {_count(scan.rows, 'row')}, {_count(scan.legs, 'leg')} "
        f"from {format_dtg(scan.span_us[0])} to {format_dtg(scan.span_us[1])}, "
        f"in {scan.seconds:.1f} s; altitudes are pressure altitudes (STD)",
    ]


def rows_for_people(scan: Scan, most: int) -> list[list[str]]:
    """The first conflicts by time, as cells: when, how long, who, how near, where."""
    order = np.lexsort((scan.b, scan.a, scan.numbers[FROM]))[:most].tolist()
    cells = []
    for k in order:
        row = scan.numbers[:, k].tolist()
        cells.append(
            [
                format_time((row[FROM] // US_PER_S) * US_PER_S),
                format_duration((row[UNTIL] - row[FROM]) / US_PER_S),
                scan.ids[int(scan.a[k])],
                scan.ids[int(scan.b[k])],
                f"{row[LATERAL] / TENTH_MM_PER_NM:.2f} NM",
                f"{row[VERTICAL] / TENTH_MM_PER_FT:,.0f} ft",
                f"{row[_LAT] / NANODEG_PER_DEG:.3f}, {row[_LON] / NANODEG_PER_DEG:.3f}",
            ]
        )
    return cells


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where that cannot be said."""
    return path.stat().st_size if path.is_file() else 0

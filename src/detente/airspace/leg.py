"""Points to legs: which points are joined, where long legs are cut. docs/spec/trajectory-model.md, section 2.

A leg is a straight line in earth-centred coordinates, flown at one speed; its altitude is a number
of its own that changes evenly. So a leg is the row of its first point, and the arrays stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import msgspec
import numpy as np
import numpy.typing as npt

from detente.airspace.earth import Point, chord_of, earth_point, round_ratio
from detente.airspace.earths import earth_points
from detente.airspace.edge import cut_chord
from detente.airspace.track import Tracks
from detente.compiled import split, threads_of
from detente.errors import UsageError
from detente.units import TENTH_MM_PER_M, US_PER_S

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PART_TENTH_MM = 50_000 * TENTH_MM_PER_M  # a straight leg of 50 km lies 49 m under its middle
FINE_PART_TENTH_MM = 10_000 * TENTH_MM_PER_M  # one of 10 km 2 m
FINE_BELOW_TENTH_MM = 18_520_000  # minima below 1 NM need the finer
REACH_TENTH_MM = 10_000_000 * TENTH_MM_PER_M  # past this a chord has no one way round
_REACH_SQUARE = -(-(chord_of(REACH_TENTH_MM) ** 2) // 2**32)

_CHUNK = 1 << 16
# A square of whole numbers is off by at most 4 * 2^-53 of itself, a product of two such by 8.
_RELATIVE = 1e-14


class LegRules(msgspec.Struct, frozen=True):
    """What joins two points that follow each other in a track.

    Args:
        max_gap_us: a longer silence cuts the track in two.
        max_speed_tenth_mm_s: what would have to be faster is no flight; it is left out and counted.
    """

    max_gap_us: int = 600 * US_PER_S
    max_speed_tenth_mm_s: int = 1_500 * TENTH_MM_PER_M


class Skipped(msgspec.Struct, frozen=True):
    """What of the tracks could not be judged, counted; nothing is left out silently.

    Args:
        gaps: silences over the limit; the tracks are cut there.
        jumps: pairs of points that no flight joins; the tracks are cut there.
        points: points that no leg holds: tracks of one point, and points alone between cuts.
        first_jump: track id and time (microseconds) of the first jump, or None.
        first_point: the same of the first point alone.
    """

    gaps: int = 0
    jumps: int = 0
    points: int = 0
    first_jump: tuple[str, int] | None = None
    first_point: tuple[str, int] | None = None


@dataclass(frozen=True, eq=False)
class Legs:
    """Legs in arrays: leg k goes from point k to point k + 1 where `joined[k]`.

    Args:
        ids: names of the tracks, ascending.
        track: which track a point is of, shape (n,), int32, ascending.
        time_us: shape (n,).
        point: earth-centred coordinates, 0.1 mm, shape (3, n).
        alt_tenth_mm: shape (n,).
        joined: shape (n,); the last of a track never is.
        skipped: what was left out.
        datum: of all altitudes.
    """

    ids: tuple[str, ...]
    track: npt.NDArray[np.int32]
    time_us: Longs
    point: Longs
    alt_tenth_mm: Longs
    joined: Bools
    skipped: Skipped
    datum: str = "STD"

    def __len__(self) -> int:
        return int(np.count_nonzero(self.joined))


def part_for(lateral_tenth_mm: int) -> int:
    """How long a leg may be, 0.1 mm, to be compared at a lateral minimum."""
    return FINE_PART_TENTH_MM if lateral_tenth_mm < FINE_BELOW_TENTH_MM else PART_TENTH_MM


def build_legs(
    tracks: Tracks,
    rules: LegRules,
    *,
    part_tenth_mm: int = PART_TENTH_MM,
    threads: int | None = None,
    within: tuple[int, int] | None = None,
) -> Legs:
    """The legs of tracks.

    Args:
        tracks: from `build_tracks`.
        rules: what joins two points.
        part_tenth_mm: longer legs are cut into equal parts; see `part_for`.
        threads: how many share the work.
        within: count as skipped only what begins from the one time until before the other.

    Raises:
        UsageError: a rule out of range.
    """
    check_leg_rules(rules)
    count = len(tracks.time_us)
    workers = threads_of(threads)
    point = earth_points(tracks.lon_nanodeg, tracks.lat_nanodeg, threads=workers)
    owner = np.repeat(np.arange(len(tracks), dtype=np.int32), np.diff(tracks.starts))
    joined = np.zeros(count, dtype=bool)
    time = tracks.time_us

    def join(start: int, stop: int) -> tuple[int, list[int], list[int]]:
        gaps, jumps, long = 0, [], []
        for at in range(start, stop, _CHUNK):
            end = min(at + _CHUNK, stop)
            same = owner[at + 1 : end + 1] == owner[at:end]
            lasts = time[at + 1 : end + 1] - time[at:end]
            gap = same & (lasts > rules.max_gap_us)
            gaps += int(np.count_nonzero(gap & _inside(time[at:end], within)))
            same &= ~gap
            square = _squares(point, at, end)
            most = lasts.astype(np.float64) * (rules.max_speed_tenth_mm_s / US_PER_S)
            most *= most
            np.minimum(most, float(_REACH_SQUARE), out=most)
            ok = same & (square < most * (1.0 - _RELATIVE))
            for row in (np.nonzero(same & ~ok)[0] + at).tolist():
                if _flies(point, time, row, rules):
                    ok[row - at] = True
                else:
                    jumps.append(row)
            joined[at:end] = ok
            limit = float(part_tenth_mm) ** 2 * (1.0 - _RELATIVE)
            if (square > limit).any():
                long.extend((np.nonzero(ok & (square > limit))[0] + at).tolist())
        return gaps, jumps, long

    parts = split(join, count - 1, workers if count > 4 * _CHUNK else 1) if count > 1 else []
    jumps = [row for part in parts for row in part[1]]
    if within:
        jumps = [row for row in jumps if within[0] <= time[row] < within[1]]
    alone = ~joined
    if count:
        alone[1:] &= ~joined[:-1]
    lonely = np.nonzero(alone & _inside(time, within))[0]

    def named(row: int) -> tuple[str, int]:
        return tracks.ids[int(owner[row])], int(time[row])

    skipped = Skipped(
        gaps=sum(part[0] for part in parts),
        jumps=len(jumps),
        points=len(lonely),
        first_jump=named(jumps[0]) if jumps else None,
        first_point=named(int(lonely[0])) if len(lonely) else None,
    )
    legs = Legs(tracks.ids, owner, time, point, tracks.alt_tenth_mm, joined, skipped, tracks.datum)
    cuts = {}
    for row in (row for part in parts for row in part[2]):
        pieces = count_parts(_square(point, row), part_tenth_mm)
        if pieces > 1:
            cuts[row] = pieces
    return _cut(legs, tracks, cuts) if cuts else legs


def _inside(time: Longs, within: tuple[int, int] | None) -> Bools:
    if within is None:
        return np.ones(len(time), dtype=bool)
    return (time >= within[0]) & (time < within[1])


def check_leg_rules(rules: LegRules) -> None:
    """Refuses rules that nothing could follow.

    Raises:
        UsageError: not positive, or past what the arithmetic holds.
    """
    for name, value, most, unit in (
        ("max_gap_us", rules.max_gap_us, 86_400 * US_PER_S, "microseconds (one day)"),
        (
            "max_speed_tenth_mm_s",
            rules.max_speed_tenth_mm_s,
            20_000 * TENTH_MM_PER_M,
            "0.1 mm a second (20 km/s)",
        ),
    ):
        if not 0 < value <= most:
            raise UsageError(
                "leg-rules", f"{name} is {value}; it must be from 1 to {most:,} {unit}", field=name
            )


def count_parts(square: int, part_tenth_mm: int) -> int:
    """How many equal parts a leg with a squared chord is cut into."""
    return isqrt(square - 1) // part_tenth_mm + 1 if square else 1


def _squares(point: Longs, at: int, end: int) -> npt.NDArray[np.float64]:
    total = np.zeros(end - at)
    for axis in range(3):
        step = (point[axis, at + 1 : end + 1] - point[axis, at:end]).astype(np.float64)
        step *= step
        total += step
    return total


def _square(point: Longs, row: int) -> int:
    return sum((int(point[k, row + 1]) - int(point[k, row])) ** 2 for k in range(3))


def _flies(point: Longs, time: Longs, row: int, rules: LegRules) -> bool:
    """Whether a speed within the limit joins two points, in whole numbers."""
    square = _square(point, row)
    way = rules.max_speed_tenth_mm_s * (int(time[row + 1]) - int(time[row]))
    return square * US_PER_S**2 <= way * way and square <= _REACH_SQUARE


def _cut(legs: Legs, tracks: Tracks, cuts: dict[int, int]) -> Legs:
    """The legs with the points of long ones put in."""
    after: list[int] = []
    points: list[Point] = []
    times: list[int] = []
    alts: list[int] = []
    for row, parts in cuts.items():
        ends = [
            earth_point(int(tracks.lon_nanodeg[k]), int(tracks.lat_nanodeg[k]))
            for k in (row, row + 1)
        ]
        points.extend(cut_chord(ends[0], ends[1], parts)[1:])
        for values, column in ((times, legs.time_us), (alts, legs.alt_tenth_mm)):
            one, other = int(column[row]), int(column[row + 1])
            values.extend(
                round_ratio(one * (parts - i) + other * i, parts) for i in range(1, parts)
            )
        after.extend([row + 1] * (parts - 1))
    return Legs(
        legs.ids,
        np.insert(legs.track, after, legs.track[np.array(after) - 1]),
        np.insert(legs.time_us, after, times),
        np.stack([np.insert(legs.point[k], after, [p[k] for p in points]) for k in range(3)]),
        np.insert(legs.alt_tenth_mm, after, alts),
        np.insert(legs.joined, after, True),
        legs.skipped,
        legs.datum,
    )

"""All pairs of very many volumes that are not clear of each other, with the exact verdict of each.

Broad: a grid over longitude and latitude. A volume is entered in every cell that its box meets, the
entries of a cell are in order of their starts, and each is compared with those that start before it
ends. A pair is taken in one cell only: that of the greater of the two south-west corners. Volumes much
larger than most have a coarser grid, in which the smaller ones are entered too.

Narrow: two planar polygons are compared in the flat chart by the determinant of `plane.orient`, in
64-bit integers that cannot overflow (`bulkloop`). Two outlines of which edges cross overlap; two that
have no contact overlap if one holds the other. What is left is doubtful: outlines that touch, circles
and lines, the ends of the chart (180 degrees, the poles) and a lateral minimum. `shape.compare_lateral`
decides those one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from detente.airspace.area import (
    LAT_MAX_NANODEG,
    LON_MAX_NANODEG,
    Area,
    Circle,
    Corridor,
    Geometry,
)
from detente.airspace.near import Budget, TooMuchWork
from detente.airspace.shape import Shape, compare_lateral
from detente.compiled import HAS_COMPILER, side_by_side, split, threads_of
from detente.conflict.separation import Minima
from detente.conflict.verdict import CANNOT_TELL, CONFLICT, TOUCH, VERDICTS
from detente.errors import UsageError
from detente.limits import EDGE_PAIRS_PER_PAIR
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]

# Entries: least and greatest longitude and latitude, start, end, lower and upper, all in 32 bits.
WEST, EAST, SOUTH, NORTH, FROM, UNTIL, LOW, HIGH = range(8)
DEGREE_SHIFT = 8
GROWTH = 8  # 2^3: a row that spans more cells than this on an axis goes to the next coarser grid
_CLASSES = 12  # 8^12 is more than any two sizes differ by
CONFLICT_CODE, DOUBT_CODE, TOUCH_CODE = VERDICTS.index(CONFLICT), -1, VERDICTS.index(TOUCH)
_TELL_CODE = VERDICTS.index(CANNOT_TELL)
_METRES_PER_DEGREE = 110_000  # less than a degree of latitude has anywhere: boxes are never short


class VolumeArrays(msgspec.Struct, frozen=True):
    """Many volumes as arrays: one polygon without holes, circle or corridor each, planar edges, one datum.

    Args:
        lon: longitudes of all vertices, 1e-9 degree, int64, shape (m,).
        lat: latitudes, likewise.
        first: where the vertices of each volume begin, int64, shape (n + 1,), from 0 to m. A ring does
            not repeat its first vertex.
        thick: 0.1 mm, int64, shape (n,): 0 for a polygon, else the radius around one vertex or the half
            width along several.
        start: microseconds since the epoch, int64, shape (n,).
        end: first microsecond after, likewise.
        lower: lower edge, 0.1 mm, int64, shape (n,).
        upper: upper edge, likewise; all edges are in one datum.

    Each must keep the rules of `rules.check_geometry` and of `volume.build_volume`.
    """

    lon: Longs
    lat: Longs
    first: Longs
    thick: Longs
    start: Longs
    end: Longs
    lower: Longs
    upper: Longs

    def __len__(self) -> int:
        return len(self.start)

    def geometry(self, row: int) -> Geometry:
        """The geometry of one."""
        at = slice(int(self.first[row]), int(self.first[row + 1]))
        points = tuple(zip(self.lon[at].tolist(), self.lat[at].tolist(), strict=True))
        if not self.thick[row]:
            return Area((((*points, points[0]),),))
        if len(points) == 1:
            return Circle(points[0], int(self.thick[row]))
        return Corridor(points, int(self.thick[row]))


class Overlaps(msgspec.Struct, frozen=True):
    """Pairs that are not clear.

    Args:
        pairs: rows, the lesser first, int64, shape (k, 2), sorted.
        codes: of each the place of its verdict in `VERDICTS`, int8, shape (k,): conflict, cannot-tell
            (too intricate to compare within the limit) or touch.
    """

    pairs: Longs
    codes: Codes


def all_overlaps(
    volumes: VolumeArrays, minima: Minima | None = None, *, threads: int | None = None
) -> Overlaps:
    """Every pair of volumes that is not clear, with the verdict that `check_pair` would give.

    Args:
        volumes: as arrays.
        minima: zero on every axis when left out. A lateral minimum, circles and corridors cost some
            0.2 ms a candidate, polygons less than a microsecond.
        threads: how many share the work; as many as there are processors when left out.

    Raises:
        UsageError: ``arrays-malformed``: shapes that do not fit together.

    Example:
        >>> square = np.array([0, 9, 9, 0]), np.array([0, 0, 9, 9])
        >>> one = np.array([0, 0]), np.array([7, 7])
        >>> found = all_overlaps(VolumeArrays(
        ...     np.tile(square[0], 2), np.tile(square[1], 2), np.array([0, 4, 8]), one[0], *one, *one))
        >>> found.pairs.tolist(), [VERDICTS[code] for code in found.codes]
        ([[0, 1]], ['conflict'])
    """
    check_arrays(volumes)
    minima = minima or Minima()
    count = len(volumes)
    if count < 2:
        return Overlaps(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int8))
    threads = threads_of(threads)
    boxes = _boxes(volumes, minima, threads)
    parts = [
        _join(volumes, boxes, members, others, cell, minima, threads)
        for members, others, cell in _classes(boxes)
    ]
    parts.extend(_at_the_ends(volumes, boxes))
    pairs = np.concatenate([part[0] for part in parts])
    codes = np.concatenate([part[1] for part in parts])
    return _decided(volumes, pairs, codes, minima)


def check_arrays(volumes: VolumeArrays) -> None:
    """Refuses arrays that do not fit together.

    Raises:
        UsageError: ``arrays-malformed``.
    """
    count = len(volumes.start)
    wrong = [
        name
        for name in volumes.__struct_fields__
        if getattr(volumes, name).dtype != np.int64 or getattr(volumes, name).ndim != 1
    ]
    wrong += [
        name
        for name in ("thick", "start", "end", "lower", "upper")
        if len(getattr(volumes, name)) != count
    ]
    first = volumes.first
    if not wrong and (
        len(first) != count + 1
        or first[0] != 0
        or first[-1] != len(volumes.lon)
        or bool((np.diff(first) < 1).any())
        or bool(((np.diff(first) < 3) & (volumes.thick == 0)).any())
    ):
        wrong.append("first")
    if len(volumes.lat) != len(volumes.lon):
        wrong.append("lat")
    if wrong:
        raise UsageError(
            "arrays-malformed",
            f"{wrong[0]} does not fit the other arrays; "
            "it must be int64, of one dimension, and of the length that VolumeArrays documents",
            field=wrong[0],
        )


def _boxes(volumes: VolumeArrays, minima: Minima, threads: int) -> Ints:
    """What each volume may reach with half of every minimum, in 32 bits, rounded outward; shape (n, 8)."""
    count = len(volumes)
    boxes = np.empty((count, 8), dtype=np.int32)
    first = volumes.first
    ends = np.empty((count, 4), dtype=np.int64)
    if HAS_COMPILER:
        from detente.conflict.bulkloop import fill_ends

        split(lambda a, b: fill_ends(volumes.lon, volumes.lat, first, ends, a, b), count, threads)
    else:
        for side, values in ((0, volumes.lon), (2, volumes.lat)):
            ends[:, side] = np.minimum.reduceat(values, first[:-1])
            ends[:, side + 1] = np.maximum.reduceat(values, first[:-1])
    half = -(-minima.lateral_tenth_mm // 2)
    if half or bool(volumes.thick.any()):
        _widen(ends, volumes.thick + half)
    boxes[:, :4] = ends >> DEGREE_SHIFT
    start, end = int(volumes.start.min()), int(volumes.end.max())
    margin = -(-minima.time_us // 2)
    shift = max(0, (end - start + 2 * margin + 2).bit_length() - 31)
    boxes[:, FROM] = (volumes.start - (start + margin)) >> shift
    boxes[:, UNTIL] = (volumes.end + margin - start) >> shift
    margin = -(-minima.vertical_tenth_mm // 2)
    boxes[:, LOW] = (volumes.lower - margin) >> 2
    boxes[:, HIGH] = (volumes.upper + margin) >> 2
    return boxes


def _widen(ends: Longs, thick: Longs) -> None:
    """Move the ends of boxes outward by surface lengths; near a pole or 180 degrees to all longitudes."""
    lat = -(-thick * NANODEG_PER_DEG // (_METRES_PER_DEGREE * TENTH_MM_PER_M)) + 1
    ends[:, SOUTH] -= lat
    ends[:, NORTH] += lat
    far = np.maximum(np.abs(ends[:, SOUTH]), np.abs(ends[:, NORTH]))
    # A parallel is at least as long as a chord under the cosine, 1 - 2 |lat| / 180 at 0 and 90 degrees;
    # a length along the surface that leaves a meridian at this latitude stays within twice that.
    level = np.maximum(LAT_MAX_NANODEG - far, 1)
    lon = 2 * lat.astype(np.float64) * LAT_MAX_NANODEG / level + 1
    whole = (far >= LAT_MAX_NANODEG) | (lon > LON_MAX_NANODEG)
    lon = np.where(whole, 2 * LON_MAX_NANODEG, np.minimum(lon, 2 * LON_MAX_NANODEG))
    ends[:, WEST] -= lon.astype(np.int64)
    ends[:, EAST] += lon.astype(np.int64)
    thickened = thick > 0
    over = thickened & ((ends[:, WEST] < -LON_MAX_NANODEG) | (ends[:, EAST] > LON_MAX_NANODEG))
    ends[over, WEST], ends[over, EAST] = -LON_MAX_NANODEG, LON_MAX_NANODEG


def _classes(boxes: Ints) -> list[tuple[Longs, Longs, tuple[int, int]]]:
    """Rows by size: (rows of this size, smaller rows, the cell's width and height as powers of two)."""
    width = boxes[:, EAST].astype(np.int64) - boxes[:, WEST]
    height = boxes[:, NORTH].astype(np.int64) - boxes[:, SOUTH]
    some = slice(None, None, -(-len(boxes) // 10_000))
    # Cells are powers of two, one to two times as large as most volumes.
    cell = (
        int(np.median(width[some])).bit_length(),
        int(np.median(height[some])).bit_length(),
    )
    found: list[tuple[Longs, Longs, tuple[int, int]]] = []
    left = np.ones(len(boxes), dtype=np.bool_)
    for _ in range(_CLASSES):
        fits = left & (width <= GROWTH << cell[0]) & (height <= GROWTH << cell[1])
        if fits.any():
            smaller = np.nonzero(~left)[0] if found else np.empty(0, dtype=np.int64)
            found.append((np.nonzero(fits)[0], smaller, cell))
            left &= ~fits
        if not left.any():
            break
        cell = cell[0] + 3, cell[1] + 3
    return found


Found = tuple[Longs, Codes]


def _join(
    volumes: VolumeArrays,
    boxes: Ints,
    members: Longs,
    others: Longs,
    cell: tuple[int, int],
    minima: Minima,
    threads: int,
) -> Found:
    """Pairs of which one at least is a member: (pairs, codes), doubtful ones included."""
    fast = minima.lateral_tenth_mm == 0
    limits = (minima.vertical_tenth_mm, minima.time_us)
    if not HAS_COMPILER:
        from detente.conflict.bulkarray import join as slow

        return slow(volumes, boxes, members, others, cell, limits, fast)
    from detente.conflict.bulkloop import count_entries, fill_entries, sweep

    rows = members if not len(others) else np.concatenate([members, others])
    is_member = np.zeros(len(boxes), dtype=np.bool_)
    is_member[members] = True
    origin = int(boxes[rows, WEST].min()), int(boxes[rows, SOUTH].min())
    columns = ((int(boxes[rows, EAST].max()) - origin[0]) >> cell[0]) + 1
    lines = ((int(boxes[rows, NORTH].max()) - origin[1]) >> cell[1]) + 1
    buckets = min(columns * lines, 2 * len(rows) + 64)
    grid = (*origin, *cell, columns, int(buckets == columns * lines), buckets)
    cuts = [len(rows) * k // threads for k in range(threads + 1)]
    slices = [rows[a:b] for a, b in pairwise(cuts)]
    counts = side_by_side([partial(count_entries, boxes, part, grid) for part in slices])
    starts = np.zeros(buckets + 1, dtype=np.int64)
    np.cumsum(sum(counts[1:], counts[0].copy()), out=starts[1:])
    entries = np.empty((int(starts[-1]), 11), dtype=np.int32)
    fills, at = [], starts[:-1].copy()
    for part, count in zip(slices, counts, strict=True):
        fills.append(partial(fill_entries, boxes, part, grid, at.copy(), entries))
        at += count
    side_by_side(fills)
    some = np.linspace(0, int(starts[-1]), 4 * threads + 1).astype(np.int64)
    bounds = np.searchsorted(starts, some)
    bounds[0], bounds[-1] = 0, buckets

    def work(k: int) -> Callable[[], list[Found]]:
        def run() -> list[Found]:
            return [
                sweep(
                    entries, starts, grid, is_member, len(others) > 0,
                    int(bounds[m]), int(bounds[m + 1]),
                    volumes.lon, volumes.lat, volumes.first, volumes.thick,
                    volumes.start, volumes.end, volumes.lower, volumes.upper,
                    limits, fast,
                )
                for m in range(k, 4 * threads, threads)
            ]  # fmt: skip

        return run

    found = [part for parts in side_by_side([work(k) for k in range(threads)]) for part in parts]
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def _at_the_ends(volumes: VolumeArrays, boxes: Ints) -> list[Found]:
    """Pairs that the flat chart does not show: across 180 degrees, and at a pole. All doubtful.

    What is thick or has a minimum has a box round the earth there, and needs no such care.
    """
    first = volumes.first[:-1]
    found: list[Found] = []
    for values, most in ((volumes.lon, LON_MAX_NANODEG), (volumes.lat, LAT_MAX_NANODEG)):
        if int(np.abs(values).max()) < most:
            continue
        low = np.minimum.reduceat(values, first) == -most
        high = np.maximum.reduceat(values, first) == most
        groups = [(low, low), (high, high)] if values is volumes.lat else [(low, high)]
        for one, other in groups:
            i, j = np.nonzero(one)[0], np.nonzero(other)[0]
            found.extend(_meeting(boxes, i, j))
    return found


def _meeting(boxes: Ints, i: Longs, j: Longs) -> list[Found]:
    """Pairs of two lists of rows that meet in time and height."""
    parts = []
    for start in range(0, len(i), 256):
        a, b = boxes[i[start : start + 256], None], boxes[None, j]
        hit = (a[..., FROM] <= b[..., UNTIL]) & (b[..., FROM] <= a[..., UNTIL])
        hit &= (a[..., LOW] <= b[..., HIGH]) & (b[..., LOW] <= a[..., HIGH])
        rows, columns = np.nonzero(hit)
        pairs = np.sort(np.stack([i[start + rows], j[columns]], axis=1), axis=1)
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        parts.append((pairs, np.full(len(pairs), DOUBT_CODE, dtype=np.int8)))
    return parts


def _decided(volumes: VolumeArrays, pairs: Longs, codes: Codes, minima: Minima) -> Overlaps:
    """Sorted pairs without the doubt: a doubtful pair is compared as `check_pair` would."""
    order = np.lexsort((codes, pairs[:, 1], pairs[:, 0]))  # doubt first
    pairs, codes = pairs[order], codes[order]
    if len(pairs):
        new = np.concatenate([[True], (pairs[1:] != pairs[:-1]).any(axis=1)])
        pairs, codes = pairs[new], codes[new].copy()
    keep = np.ones(len(pairs), dtype=np.bool_)
    shapes: dict[int, Shape] = {}
    for at in np.nonzero(codes == DOUBT_CODE)[0].tolist():
        code = _judged(volumes, int(pairs[at, 0]), int(pairs[at, 1]), minima, shapes)
        if code is None:
            keep[at] = False
        else:
            codes[at] = code
    return Overlaps(pairs[keep], codes[keep])


def _judged(
    volumes: VolumeArrays, i: int, j: int, minima: Minima, shapes: dict[int, Shape]
) -> int | None:
    """The code of one pair by the general comparison; None when it is clear."""
    time = max(int(volumes.start[i]), int(volumes.start[j])) - min(
        int(volumes.end[i]), int(volumes.end[j])
    )
    height = max(int(volumes.lower[i] - volumes.upper[j]), int(volumes.lower[j] - volumes.upper[i]))
    if time > minima.time_us or height > minima.vertical_tenth_mm:
        return None
    for row in (i, j):
        if row not in shapes:
            if len(shapes) > 4096:
                shapes.clear()
            shapes[row] = Shape(volumes.geometry(row), "planar")
        for part in shapes[row].parts:
            part.flat  # noqa: B018  made before the budget is looked at
    try:
        side = compare_lateral(
            shapes[i], shapes[j], minima.lateral_tenth_mm, Budget(EDGE_PAIRS_PER_PAIR)
        )
    except TooMuchWork:
        return _TELL_CODE
    if side > 0:
        return None
    if side == 0 or time == minima.time_us or height == minima.vertical_tenth_mm:
        return TOUCH_CODE
    return CONFLICT_CODE

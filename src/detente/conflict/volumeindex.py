"""Which of very many live volumes might not be clear of one? An index that takes additions at any time.

Rows lie in packed trees of boxes, each twice as large as the next, and in a short tail that is not
packed yet. A full tail is packed together with every tree that is not much larger, so a row is moved
some log2(n / tail) times in its life. A row that was taken out stays as a dead one until half of all
are dead; then the rest is packed anew.

A tree is sorted along a curve through place, time and height (Morton, 1966), with steps in proportion
to the size of the volumes, and each 16 neighbours have a box around them. Boxes are coarse (32-bit) and
only ever too large: what they let through is compared in the whole numbers themselves, by the very rule
of a plain scan (`pair.near_rows`), so the answer is the plain scan's.

Memory, bytes a row: 96 of columns, 16 of bands, 9 of kind and owner, 40 of its coarse box, 8 of its
place in the tree, and 2.7 of boxes around it: 172, and as much again at most while the arrays grow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detente.airspace.altitude import DATUMS, DatumBounds
from detente.compiled import HAS_COMPILER
from detente.conflict.pair import (
    BOX_HIGH,
    BOX_LOW,
    COLUMNS,
    END,
    LOWER,
    LOWER_DATUM,
    START,
    UPPER,
    UPPER_DATUM,
    near_rows,
)
from detente.conflict.separation import Rules

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

AXES = 5  # time, x, y, z, height
FANOUT = 16
LEVELS = 8  # 16^8 rows are more than any machine holds
# Below this many rows numpy is quick enough, and a command need not wait for the compiler's import.
COMPILED_FROM = 4096
TAIL = 512  # rows not packed yet: one plain look at them costs as much as a small tree
_FIRST = 1024
_CHILDREN = np.arange(FANOUT)
_DEAD_BEGINS, _DEAD_ENDS = np.iinfo(np.int64).max, np.iinfo(np.int64).min
LEAST, MOST = -(1 << 31), (1 << 31) - 1

# Whole numbers to 32 bits: shifted, then held to the range. Both keep the order, so two intervals that
# meet do so afterwards. 2^20 us is about a second (32 bits are 71 years on either side of 2020), 2^6 of
# 0.1 mm reaches twice round any place on earth, 2^4 up to 3,400 km.
TIME_SHIFT, PLACE_SHIFT, HEIGHT_SHIFT = 20, 6, 4
TIME_ORIGIN = 1_577_836_800_000_000 >> TIME_SHIFT  # 2020-01-01


class VolumeIndex:
    """Rows of volumes, each with the columns of `pair.Prepared.columns`, and the rows near one of them.

    Example:
        >>> index = VolumeIndex()
        >>> len(index.rows)
        0

    Args:
        compiles: whether the compiled loops may be used. The first use imports or even makes them, which
            takes seconds; whoever may not pause takes numpy's path, some 0.2 ms a question.
    """

    def __init__(self, *, compiles: bool = True) -> None:
        self._compiles = compiles
        self.bounds = DatumBounds()
        self._shifts = shifts_of(self.bounds)
        self.count = 0
        self.dead = 0
        self._rows = np.empty((_FIRST, COLUMNS), dtype=np.int64)
        self._msl = np.empty((_FIRST, 2), dtype=np.int64)
        self._kinds = np.empty(_FIRST, dtype=np.bool_)
        self._entries = np.empty((_FIRST, 2 * AXES), dtype=np.int32)  # in the order of the trees
        self._order = np.empty(_FIRST, dtype=np.int64)  # which row an entry is
        self._nodes = np.empty((_FIRST, 2 * AXES), dtype=np.int32)
        self._table = np.zeros((64, 3 + LEVELS), dtype=np.int64)
        self._trees = 0
        self._packed = 0  # entries in trees; the rest is the tail
        self._out = np.empty(_FIRST, dtype=np.int64)
        self._stack = np.empty(2 * FANOUT * LEVELS, dtype=np.int64)

    @property
    def _is_compiled(self) -> bool:
        return self._compiles and HAS_COMPILER and self.count > COMPILED_FROM

    @property
    def rows(self) -> Longs:
        """All rows, dead ones too; shape (n, 12)."""
        return self._rows[: self.count]

    @property
    def memory_bytes(self) -> int:
        """What the arrays take."""
        arrays = (self._rows, self._msl, self._kinds, self._entries, self._order, self._nodes)
        return sum(array.nbytes for array in arrays)

    def add(self, columns: Longs, exercise: bool | npt.NDArray[np.bool_]) -> range:
        """Take rows in.

        Args:
            columns: shape (n, 12), as `pair.Prepared.columns`.
            exercise: of all of them, or shape (n,).

        Returns:
            The numbers of the rows.
        """
        start, stop = self.count, self.count + len(columns)
        self._make_room(stop)
        self._rows[start:stop] = columns
        self._kinds[start:stop] = exercise
        self._enter(start, stop)
        self.count = stop
        if stop - self._packed > TAIL:
            self._pack()
        return range(start, stop)

    def remove(self, start: int, stop: int) -> None:
        """Take out rows; their numbers are not used again before `keep_only`."""
        # A dead row begins after and ends before all time, so that it is near nothing.
        self._rows[start:stop, START] = _DEAD_BEGINS
        self._rows[start:stop, END] = _DEAD_ENDS
        self.dead += stop - start

    def keep_only(self, kept: Longs) -> None:
        """Forget all rows but these, which are numbered anew in the order given."""
        rows, kinds = self._rows[kept], self._kinds[kept]
        bounds = self.bounds
        self.__init__(compiles=self._compiles)  # type: ignore[misc]
        self.bounds, self._shifts = bounds, shifts_of(bounds)
        if len(rows):
            self.add(rows, kinds)

    def use_bounds(self, bounds: DatumBounds) -> None:
        """Bring the bands in mean sea level, and so the trees, in line with other datum bounds."""
        if bounds == self.bounds:
            return
        self.bounds, self._shifts = bounds, shifts_of(bounds)
        self._trees = self._packed = 0
        self._enter(0, self.count)
        if self.count > TAIL:
            self._pack()

    def near(self, row: Longs, exercise: bool, rules: Rules) -> Longs:
        """Numbers of the rows that might not be clear of one piece, in no order.

        Args:
            row: columns of the piece, shape (12,).
            exercise: of its notice; rows of the other kind are left out.
            rules: minima and bounds.

        Returns:
            Row numbers, valid until the next call.
        """
        self.use_bounds(rules.bounds)
        if not self._is_compiled:
            msl, box = _box_of_one(row, self._shifts, rules)
            found = self._near(box, exercise)
            near = near_rows(row, msl, self._rows[found], self._msl[found], rules)
            exact: Longs = np.take(found, near)
            return exact
        from detente.conflict.volumeloop import find_near

        minima = rules.minima
        while True:
            count = find_near(
                self._rows,
                self._msl,
                self._kinds,
                self._entries,
                self._order,
                self._nodes,
                self._table,
                self._stack,
                self._out,
                np.ascontiguousarray(row),
                self._shifts,
                (self._trees, self._packed, self.count),
                (minima.time_us, minima.lateral_tenth_mm, minima.vertical_tenth_mm),
                exercise,
            )
            if count <= len(self._out):
                out: Longs = self._out[:count]
                return out
            self._out = np.empty(2 * count, dtype=np.int64)

    def near_any(self, columns: Longs, exercise: bool, rules: Rules) -> Longs:
        """Numbers of the rows that might not be clear of some of many pieces, each once, sorted."""
        if self._is_compiled:
            found = [self.near(row, exercise, rules).copy() for row in columns]
            return np.unique(np.concatenate(found))
        self.use_bounds(rules.bounds)
        msl = bands_msl(columns, self._shifts)
        boxes = _wider(columns, msl, rules)
        hull = np.concatenate([boxes[:, :AXES].min(axis=0), boxes[:, AXES:].max(axis=0)])
        some = self._near(hull, exercise)
        rows, bands = self._rows[some], self._msl[some]
        hits = [near_rows(columns[i], msl[i], rows, bands, rules) for i in range(len(columns))]
        return np.unique(some[np.concatenate(hits)])

    def _near(self, box: Ints, exercise: bool) -> Longs:
        """Without a compiler: the rows whose coarse boxes meet one."""
        found = [self._order[_hits(self._entries, self._packed, self.count, box)]]
        for tree in self._table[: self._trees]:
            levels = int(tree[2])
            size, starts = int(tree[1]), tree[3 : 3 + levels].tolist()
            sizes = [size]
            for _ in range(levels):
                sizes.append(-(-sizes[-1] // FANOUT))
            front = np.arange(sizes[levels])
            for level in range(levels - 1, -1, -1):
                nodes = self._nodes.take(starts[level] + front, axis=0)
                front = front[_meet(nodes, box)]
                below = (front[:, None] * FANOUT + _CHILDREN).ravel()
                # the last one of a level alone may have fewer children
                front = (
                    below
                    if not len(below) or below[-1] < sizes[level]
                    else below[below < sizes[level]]
                )
            entries = front + int(tree[0])
            found.append(self._order[entries[_meet(self._entries.take(entries, axis=0), box)]])
        rows = np.concatenate(found)
        alike: Longs = rows[self._kinds[rows] == exercise]
        return alike

    def _enter(self, start: int, stop: int) -> None:
        """Bands and coarse boxes of new rows, as entries of the tail."""
        rows, msl, entries = (
            self._rows[start:stop],
            self._msl[start:stop],
            self._entries[start:stop],
        )
        self._order[start:stop] = np.arange(start, stop)
        if self._is_compiled:
            from detente.conflict.volumeloop import fill_boxes

            fill_boxes(rows, self._shifts, msl, entries)
            return
        if stop == start + 1:
            msl[0], entries[0] = _box_of_one(rows[0], self._shifts)
            return
        msl[:] = bands_msl(rows, self._shifts)
        entries[:] = _coarse(rows, msl)

    def _make_room(self, need: int) -> None:
        if need <= len(self._rows):
            return
        room = max(need, 2 * len(self._rows))
        for name in ("_rows", "_msl", "_kinds", "_entries", "_order"):
            old = getattr(self, name)
            new = np.empty((room, *old.shape[1:]), dtype=old.dtype)
            new[: self.count] = old[: self.count]
            setattr(self, name, new)

    def _pack(self) -> None:
        """Pack the tail, with every tree before it that is at most twice as large."""
        start = self._packed
        while self._trees and self._table[self._trees - 1, 1] <= 2 * (self.count - start):
            self._trees -= 1
            start = int(self._table[self._trees, 0])
        entries = self._entries[start : self.count]
        by = np.argsort(_curve(entries), kind="stable")
        entries = self._entries[start : self.count] = entries[by]
        self._order[start : self.count] = self._order[start : self.count][by]
        tree = self._table[self._trees]
        nodes_at = int(tree[3]) if self._trees else 0
        if self._trees:
            before = self._table[self._trees - 1]
            nodes_at = int(before[3]) + _node_count(int(before[1]))
        tree[0], tree[1] = start, len(entries)
        level = 0
        below: Ints = entries
        while level == 0 or len(below) > FANOUT:
            steps = np.arange(0, len(below), FANOUT)
            boxes = np.concatenate(
                [
                    np.minimum.reduceat(below[:, :AXES], steps, axis=0),
                    np.maximum.reduceat(below[:, AXES:], steps, axis=0),
                ],
                axis=1,
            )
            stop = nodes_at + len(boxes)
            if stop > len(self._nodes):
                self._nodes = np.concatenate(
                    [self._nodes[:nodes_at], np.empty((2 * stop, 2 * AXES), dtype=np.int32)]
                )
            self._nodes[nodes_at:stop] = boxes
            tree[3 + level] = nodes_at
            nodes_at, below, level = stop, boxes, level + 1
        tree[2] = level
        self._trees += 1
        self._packed = self.count


def shifts_of(bounds: DatumBounds) -> Longs:
    """`DatumBounds.range_msl` as numbers: per datum what is added to the low and to the high end, 0.1 mm,
    and how many thousandths of the height come off and on. Shape (4, 4).
    """
    out = np.zeros((len(DATUMS), 4), dtype=np.int64)
    for k, datum in enumerate(DATUMS):
        out[k, :2] = bounds.range_msl(0, datum)
    out[DATUMS.index("STD"), 2:] = bounds.cold_permille, bounds.warm_permille
    return out


def bands_msl(columns: Longs, shifts: Longs) -> Longs:
    """The lowest and highest that each row can be, 0.1 mm MSL: `DatumBounds.range_msl` for many.

    Args:
        columns: shape (n, 12).
        shifts: of the agreement's bounds, by `shifts_of`.

    Returns:
        Shape (n, 2).
    """
    out = np.empty((len(columns), 2), dtype=np.int64)
    lower, upper = columns[:, LOWER], columns[:, UPPER]
    low, high = shifts[columns[:, LOWER_DATUM]], shifts[columns[:, UPPER_DATUM]]
    out[:, 0] = lower + low[:, 0] + (-np.abs(lower) * low[:, 2]) // 1000
    out[:, 1] = upper + high[:, 1] - (-np.abs(upper) * high[:, 3]) // 1000
    return out


def _coarse(rows: Longs, msl: Longs, time: int = 0, lateral: int = 0, vertical: int = 0) -> Ints:
    """The 32-bit boxes of rows, shape (n, 10): five least, five greatest; widened by minima."""
    out = np.empty((len(rows), 2 * AXES), dtype=np.int32)
    for side, (when, place, height) in enumerate(((START, BOX_LOW, 0), (END, BOX_HIGH, 1))):
        at, sign = side * AXES, 2 * side - 1
        moments = ((rows[:, when] + sign * time) >> TIME_SHIFT) - TIME_ORIGIN
        out[:, at] = np.clip(moments, LEAST, MOST)
        for k in range(3):
            places = (rows[:, place + k] + sign * lateral) >> PLACE_SHIFT
            out[:, at + 1 + k] = np.clip(places, LEAST, MOST)
        heights = (msl[:, height] + sign * vertical) >> HEIGHT_SHIFT
        out[:, at + 4] = np.clip(heights, LEAST, MOST)
    return out


def _box_of_one(row: Longs, shifts: Longs, rules: Rules | None = None) -> tuple[Longs, Ints]:
    """`bands_msl` and `_coarse` of one row, widened by the minima if there are rules: a tenth of their time.

    Returns:
        The band, shape (2,), and the box, shape (10,).
    """
    own = row.tolist()
    lower, upper = own[LOWER], own[UPPER]
    low, high = shifts[own[LOWER_DATUM]].tolist(), shifts[own[UPPER_DATUM]].tolist()
    bottom = lower + low[0] + (-abs(lower) * low[2]) // 1000
    top = upper + high[1] - (-abs(upper) * high[3]) // 1000
    time = lateral = vertical = 0
    if rules is not None:
        minima = rules.minima
        time, lateral = minima.time_us, minima.lateral_tenth_mm
        vertical = minima.vertical_tenth_mm
    box = [
        ((own[START] - time) >> TIME_SHIFT) - TIME_ORIGIN,
        *((own[BOX_LOW + k] - lateral) >> PLACE_SHIFT for k in range(3)),
        (bottom - vertical) >> HEIGHT_SHIFT,
        ((own[END] + time) >> TIME_SHIFT) - TIME_ORIGIN,
        *((own[BOX_HIGH + k] + lateral) >> PLACE_SHIFT for k in range(3)),
        (top + vertical) >> HEIGHT_SHIFT,
    ]
    held = [min(max(part, LEAST), MOST) for part in box]
    return np.array((bottom, top), dtype=np.int64), np.array(held, dtype=np.int32)


def _wider(columns: Longs, msl: Longs, rules: Rules) -> Ints:
    """The 32-bit boxes of rows, widened by the minima; shape (n, 10)."""
    minima = rules.minima
    return _coarse(columns, msl, minima.time_us, minima.lateral_tenth_mm, minima.vertical_tenth_mm)


def _meet(boxes: Ints, box: Ints) -> npt.NDArray[np.bool_]:
    inside = (boxes[:, :AXES] <= box[AXES:]) & (boxes[:, AXES:] >= box[:AXES])
    met: npt.NDArray[np.bool_] = np.logical_and.reduce(inside, axis=1)
    return met


def _hits(entries: Ints, start: int, stop: int, box: Ints) -> Longs:
    return np.nonzero(_meet(entries[start:stop], box))[0] + start


def _node_count(size: int) -> int:
    """How many nodes a tree over so many entries has."""
    count = size = -(-size // FANOUT)
    while size > FANOUT:
        size = -(-size // FANOUT)
        count += size
    return count


_BITS = 12  # of each axis; five of them fit in 64
_STEPS = np.arange(1 << _BITS, dtype=np.int64)
_SPREAD: Longs = np.bitwise_or.reduce([((_STEPS >> k) & 1) << (AXES * k) for k in range(_BITS)])


def _curve(entries: Ints) -> Longs:
    """Where each box lies along the curve: steps of half a mean size, so that no axis is cut too fine."""
    keys = np.zeros(len(entries), dtype=np.int64)
    for axis in range(AXES):
        low = entries[:, axis].astype(np.float64)
        high = entries[:, AXES + axis].astype(np.float64)
        middle = (low + high) * 0.5
        least = middle.min()
        size = max(
            float((high - low).mean()) * 0.5, float(middle.max() - least) / (1 << _BITS), 1.0
        )
        steps = np.minimum((middle - least) / size, float((1 << _BITS) - 1)).astype(np.int64)
        keys |= _SPREAD[steps] << axis
    return keys

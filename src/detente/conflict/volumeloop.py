"""The compiled loop of `volumeindex`; imported only where there is a compiler."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detente.compiled import compiled
from detente.conflict.pair import (
    BOX_HIGH,
    BOX_LOW,
    END,
    LOWER,
    LOWER_DATUM,
    START,
    UPPER,
    UPPER_DATUM,
)
from detente.conflict.volumeindex import (
    AXES,
    FANOUT,
    HEIGHT_SHIFT,
    LEAST,
    MOST,
    PLACE_SHIFT,
    TIME_ORIGIN,
    TIME_SHIFT,
)

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]


@compiled
def _held(value: int) -> int:
    return max(LEAST, min(MOST, value))


@compiled
def _band(row: Longs, shifts: Longs) -> tuple[int, int]:
    """`volumeindex.bands_msl` for one."""
    lower, upper = row[LOWER], row[UPPER]
    low, high = row[LOWER_DATUM], row[UPPER_DATUM]
    return (
        lower + shifts[low, 0] + (-abs(lower) * shifts[low, 2]) // 1000,
        upper + shifts[high, 1] - (-abs(upper) * shifts[high, 3]) // 1000,
    )


@compiled
def _fill_box(row: Longs, band: tuple[int, int], minima: tuple[int, int, int], box: Ints) -> None:
    time, lateral, vertical = minima
    box[0] = _held(((row[START] - time) >> TIME_SHIFT) - TIME_ORIGIN)
    box[AXES] = _held(((row[END] + time) >> TIME_SHIFT) - TIME_ORIGIN)
    for k in range(3):
        box[1 + k] = _held((row[BOX_LOW + k] - lateral) >> PLACE_SHIFT)
        box[AXES + 1 + k] = _held((row[BOX_HIGH + k] + lateral) >> PLACE_SHIFT)
    box[4] = _held((band[0] - vertical) >> HEIGHT_SHIFT)
    box[AXES + 4] = _held((band[1] + vertical) >> HEIGHT_SHIFT)


@compiled
def fill_boxes(rows: Longs, shifts: Longs, msl: Longs, entries: Ints) -> None:
    """Write the bands and the coarse boxes of rows."""
    for at in range(len(rows)):
        band = _band(rows[at], shifts)
        msl[at, 0], msl[at, 1] = band
        _fill_box(rows[at], band, (0, 0, 0), entries[at])


@compiled
def _meets(boxes: Ints, at: int, box: Ints) -> bool:
    for axis in range(AXES):
        if boxes[at, axis] > box[AXES + axis] or boxes[at, AXES + axis] < box[axis]:
            return False
    return True


@compiled
def _is_near(
    other: Longs, msl: Longs, row: Longs, band: tuple[int, int], minima: tuple[int, int, int]
) -> bool:
    """`pair.near_rows` for one."""
    time, lateral, vertical = minima
    if other[START] > row[END] + time or other[END] < row[START] - time:
        return False
    for k in range(3):
        if other[BOX_LOW + k] > row[BOX_HIGH + k] + lateral:
            return False
        if other[BOX_HIGH + k] < row[BOX_LOW + k] - lateral:
            return False
    if other[LOWER_DATUM] == row[UPPER_DATUM]:
        over = other[LOWER] - row[UPPER]
    else:
        over = msl[0] - band[1]
    if other[UPPER_DATUM] == row[LOWER_DATUM]:
        under = row[LOWER] - other[UPPER]
    else:
        under = band[0] - msl[1]
    return bool(over <= vertical and under <= vertical)


@compiled
def find_near(
    rows: Longs,
    msl: Longs,
    kinds: npt.NDArray[np.bool_],
    entries: Ints,
    order: Longs,
    nodes: Ints,
    table: Longs,
    stack: Longs,
    out: Longs,
    row: Longs,
    shifts: Longs,
    sizes: tuple[int, int, int],
    minima: tuple[int, int, int],
    kind: bool,
) -> int:
    """Write the numbers of near rows to `out`; say how many there are, also where it is too short."""
    trees, packed, count = sizes
    band = _band(row, shifts)
    box = np.empty(2 * AXES, dtype=np.int32)
    _fill_box(row, band, minima, box)
    found = 0
    for at in range(packed, count):
        if _meets(entries, at, box):
            one = order[at]
            if kinds[one] == kind and _is_near(rows[one], msl[one], row, band, minima):
                if found < len(out):
                    out[found] = one
                found += 1
    for tree in range(trees):
        first, size, levels = table[tree, 0], table[tree, 1], table[tree, 2]
        top = size
        for _ in range(levels):
            top = (top + FANOUT - 1) // FANOUT
        waiting = 0
        for node in range(top):
            if _meets(nodes, table[tree, 2 + levels] + node, box):
                stack[waiting], stack[waiting + 1] = levels - 1, node
                waiting += 2
        while waiting:
            waiting -= 2
            level, node = stack[waiting], stack[waiting + 1]
            if level == 0:
                for at in range(first + node * FANOUT, first + min((node + 1) * FANOUT, size)):
                    if _meets(entries, at, box):
                        one = order[at]
                        if kinds[one] == kind and _is_near(rows[one], msl[one], row, band, minima):
                            if found < len(out):
                                out[found] = one
                            found += 1
                continue
            below = size
            for _ in range(level):
                below = (below + FANOUT - 1) // FANOUT
            start = table[tree, 3 + level - 1]
            for child in range(node * FANOUT, min((node + 1) * FANOUT, below)):
                if _meets(nodes, start + child, box):
                    stack[waiting], stack[waiting + 1] = level - 1, child
                    waiting += 2
    return found

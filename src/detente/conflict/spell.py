"""The whole numbers of many meetings at once: those of `meet`, by floating point where that is certain.

An instant is found as a root and then proved by signs: the distance is certainly not below the minimum
at one microsecond and certainly below it at the next. Nothing depends on how the root was found. Where
a sign lies inside the bound of `sweep`, the row is left to whole numbers.
"""

from __future__ import annotations

import numpy as np

from detente.airspace.earth import MEAN_RADIUS_TENTH_MM, chord_of
from detente.airspace.leg import Legs
from detente.compiled import split
from detente.conflict.meet import Leg, Meeting, meet
from detente.conflict.sweep import (
    INSTANT_ERROR,
    REACH_ERROR,
    Bools,
    Floats,
    Longs,
    heights,
    places,
)

FROM, UNTIL, CLOSEST, LATERAL, VERTICAL = range(5)
_CHUNK = 1 << 13
# asin x = x + x^3/6 + ...: at the largest minimum x = 0.16, and what is left out is below 1e-22.
_ARCS = (1.0, 1 / 6, 3 / 40, 5 / 112, 35 / 1152, 63 / 2816, 231 / 13312, 143 / 10240,
         6435 / 557056, 12155 / 1245184, 46189 / 5505024, 88179 / 12058624)  # fmt: skip
# `chord_of` is rounded to 2^-16; the series and the distance add less than REACH_ERROR.
_LENGTH_ERROR = 3e-4


def leg_of(legs: Legs, row: int) -> Leg:
    """One leg in whole numbers."""
    x, y, z = legs.point[:, row : row + 2].tolist()
    return Leg(
        int(legs.time_us[row]),
        int(legs.time_us[row + 1]),
        (x[0], y[0], z[0]),
        (x[1], y[1], z[1]),
        int(legs.alt_tenth_mm[row]),
        int(legs.alt_tenth_mm[row + 1]),
    )


def measure(
    legs: Legs,
    one: Longs,
    two: Longs,
    sure: Bools,
    lateral_tenth_mm: int,
    vertical_tenth_mm: int,
    *,
    threads: int = 1,
) -> tuple[Longs, Longs, Longs]:
    """The meetings of pairs of legs that `find_close` has found.

    Args:
        legs: from `build_legs`.
        one: rows of legs, shape (n,).
        two: rows of the others.
        sure: whether the pair certainly meets.
        lateral_tenth_mm: the minimum along the surface.
        vertical_tenth_mm: the minimum in height.
        threads: how many share the work.

    Returns:
        The rows of the pairs that meet (shape (m,) each), and the five numbers of `Meeting`, shape
        (5, m). The order is kept.
    """
    found = np.empty((5, len(one)), dtype=np.int64)
    keep = np.ones(len(one), dtype=bool)

    def work(start: int, stop: int) -> None:
        for at in range(start, stop, _CHUNK):
            rows = slice(at, min(at + _CHUNK, stop))
            doubt = _measure_chunk(
                legs, one[rows], two[rows], lateral_tenth_mm, vertical_tenth_mm, found[:, rows]
            )
            for row in (np.nonzero(doubt | ~sure[rows])[0] + at).tolist():
                exact = meet(
                    leg_of(legs, int(one[row])),
                    leg_of(legs, int(two[row])),
                    lateral_tenth_mm,
                    vertical_tenth_mm,
                )
                if exact is None:
                    keep[row] = False
                else:
                    found[:, row] = exact

    split(work, len(one), threads if len(one) > 2 * _CHUNK else 1)
    if keep.all():
        return one, two, found
    return one[keep], two[keep], found[:, keep]


def _measure_chunk(
    legs: Legs, one: Longs, two: Longs, lateral: int, vertical: int, found: Longs
) -> Bools:
    """Write what is certain; say which rows are not."""
    time = legs.time_us
    start = np.maximum(time[one], time[two])
    end = np.minimum(time[one + 1], time[two + 1])
    whole = end - start
    lasts = whole.astype(np.float64)
    gap = heights(one, two, time, legs.alt_tenth_mm, start, end, float(vertical))
    doubt = np.zeros(len(one), dtype=bool)
    # -- when the altitudes are near enough ---------------------------------------------------------
    begins, ends = np.zeros(len(one), dtype=np.int64), whole.copy()
    low, high = np.zeros(len(one)), lasts.copy()  # the same, before rounding to microseconds
    for sign in (1.0, -1.0):
        left, right = vertical - sign * gap[0], vertical - sign * gap[1]
        _cross(left, right, gap[2], gap[3], whole, (begins, ends), (low, high), doubt)
    # -- when the places are ------------------------------------------------------------------------
    base, slope = places(one, two, time, legs.point, start)
    reach = chord_of(lateral) / 2.0**16
    alpha = slope[0] * slope[0] + slope[1] * slope[1] + slope[2] * slope[2]
    beta = base[0] * slope[0] + base[1] * slope[1] + base[2] * slope[2]
    gamma = (base[0] * base[0] + base[1] * base[1] + base[2] * base[2]) - reach * reach
    with np.errstate(divide="ignore", invalid="ignore"):
        nearest = -beta / alpha
        spread = np.sqrt(np.maximum(beta * beta - alpha * gamma, 0.0)) / alpha
        enters, leaves = np.floor(nearest - spread), np.ceil(nearest + spread)
    far, near = (reach + REACH_ERROR) ** 2, max(reach - REACH_ERROR, 0.0) ** 2

    def side(instant: Floats) -> Floats:
        """1 certainly not below the minimum, -1 certainly below, 0 for whole numbers."""
        square = _square_at(base, slope, instant)
        return np.where(square > far, 1.0, np.where(square < near, -1.0, 0.0))

    for instant, step, edge in ((enters, 1.0, begins), (leaves, -1.0, ends)):
        tip = edge.astype(np.float64)
        inside = side(tip) < 0  # below the minimum where time or height ends it: no root there
        proved = (side(instant) > 0) & (side(instant + step) < 0)
        doubt |= ~inside & ~proved
        take = ~inside & proved
        edge[take] = instant[take].astype(np.int64)
    # -- when they are nearest ----------------------------------------------------------------------
    still = ~(alpha > 1e-4)  # slower than a metre a second against each other
    before = ~still & (nearest < low - INSTANT_ERROR - 1.0)
    after = ~still & (nearest > high + INSTANT_ERROR + 1.0)
    between = ~still & (nearest > low + INSTANT_ERROR + 1.0)
    between &= nearest < high - INSTANT_ERROR - 1.0
    doubt |= ~(before | after | between)
    instant = np.where(before, low, np.where(after, high, np.where(between, nearest, 0.0)))
    micro = np.floor(instant)
    doubt |= between & ~(
        (_rate_at(base, slope, micro) < 0.0) & (_rate_at(base, slope, micro + 1.0) > 0.0)
    )
    closest = np.where(before, begins, np.where(after, ends - 1, micro.astype(np.int64)))
    found[FROM], found[UNTIL] = start + begins, start + ends
    found[CLOSEST] = start + np.minimum(closest, ends - 1)
    # -- how near -----------------------------------------------------------------------------------
    length = _arc(np.sqrt(_square_at(base, slope, instant)))
    found[LATERAL] = np.floor(length)
    doubt |= np.abs(length - np.rint(length)) < _LENGTH_ERROR
    climb = gap[1] - gap[0]
    apart = np.abs(gap[0] + climb * (instant / lasts))
    level = (climb == 0.0) & (gap[2] == 0.0) & (gap[3] == 0.0)
    at_limit = (before & (low > 0.0)) | (after & (high < lasts))
    # The instant of a crossing is as good as the altitudes; it must not move the place by much.
    doubt |= at_limit & ~(
        np.sqrt(alpha) * (gap[2] + gap[3]) * lasts <= 0.3 * REACH_ERROR * np.abs(climb)
    )
    at_tip = (before & (low == 0.0) & (gap[2] == 0.0)) | (after & (high == lasts) & (gap[3] == 0.0))
    tip_gap = np.abs(np.where(before, gap[0], gap[1]))
    found[VERTICAL] = np.where(
        at_limit, float(vertical), np.where(at_tip, tip_gap, np.floor(apart))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        error = (
            1e-4
            + 2.0 * (gap[2] + gap[3])
            + 1e-4 * np.abs(climb / lasts) * (1.0 + 1.0 / np.sqrt(alpha))
        )
        loose = ~(np.abs(apart - np.rint(apart)) > error)
    doubt |= ~level & ~at_limit & ~at_tip & loose
    return doubt


def _cross(
    left: Floats,
    right: Floats,
    error_left: Floats,
    error_right: Floats,
    whole: Longs,
    micros: tuple[Longs, Longs],
    instants: tuple[Floats, Floats],
    doubt: Bools,
) -> None:
    """Narrow a span to where a line from left to right is above zero; both are whole numbers or have an error."""
    doubt |= (error_left > 0.0) & (np.abs(left) <= error_left)
    doubt |= (error_right > 0.0) & (np.abs(right) <= error_right)
    exact = (error_left == 0.0) & (error_right == 0.0)
    exact &= np.abs(left) * whole.astype(np.float64) < 2.0**62
    for rising in (True, False):
        rows = np.nonzero(
            (left <= 0.0) & (right > 0.0) if rising else (left > 0.0) & (right <= 0.0)
        )[0]
        if not len(rows):
            continue
        a, b, span = left[rows], right[rows], whole[rows]
        zero = span.astype(np.float64) * (a / (a - b))
        sharp = exact[rows]
        above = np.where(sharp, a, 0.0).astype(np.int64) * np.where(sharp, span, 0)
        below = np.where(sharp, a - b, 1.0).astype(np.int64)
        if rising:
            micro = np.where(sharp, above // below, np.floor(zero).astype(np.int64))
            off, on = micro, micro + 1
        else:
            micro = np.where(sharp, -(-above // below), np.ceil(zero).astype(np.int64))
            off, on = micro, micro - 1
        value = [a + (b - a) * (k.astype(np.float64) / span.astype(np.float64)) for k in (off, on)]
        error = 2.0 * (error_left[rows] + error_right[rows])
        proved = (value[0] < -error) & (value[1] > error)
        doubt[rows] |= ~sharp & ~proved
        if rising:
            micros[0][rows] = np.maximum(micros[0][rows], micro)
            instants[0][rows] = np.maximum(instants[0][rows], zero)
        else:
            micros[1][rows] = np.minimum(micros[1][rows], micro)
            instants[1][rows] = np.minimum(instants[1][rows], zero)


def _square_at(base: list[Floats], slope: list[Floats], instant: Floats) -> Floats:
    x, y, z = (base[k] + slope[k] * instant for k in range(3))
    square: Floats = x * x + y * y + z * z
    return square


def _rate_at(base: list[Floats], slope: list[Floats], instant: Floats) -> Floats:
    """How fast the square changes, halved: 0 where its sign is not certain.

    A place is off by 2e-5 (see `sweep`), a speed by 4 * 2^-53 of the largest (2e-2 an axis, 20 km/s),
    each product and sum by 2^-53 of itself.
    """
    x, y, z = (base[k] + slope[k] * instant for k in range(3))
    rate = x * slope[0] + y * slope[1] + z * slope[2]
    size = np.abs(x) + np.abs(y) + np.abs(z)
    speed = np.abs(slope[0]) + np.abs(slope[1]) + np.abs(slope[2])
    error = 2e-5 * speed + size * (SPEED_ERROR + 1e-15 * speed)
    certain: Floats = np.where(np.abs(rate) > error, rate, 0.0)
    return certain


# Two speeds of at most 200 units a microsecond (20 km/s), each off by 2^-53 of itself, and their difference.
SPEED_ERROR = 4 * 200.0 * 2.0**-53


def _arc(chord: Floats) -> Floats:
    """The surface distance over a chord: 2 R asin(chord / 2 R), by the series."""
    x = chord / (2.0 * MEAN_RADIUS_TENTH_MM)
    square = x * x
    value = np.full_like(x, _ARCS[-1])
    for term in _ARCS[-2::-1]:
        value = value * square + term
    arc: Floats = value * chord
    return arc


__all__ = ["CLOSEST", "FROM", "LATERAL", "UNTIL", "VERTICAL", "Meeting", "leg_of", "measure"]

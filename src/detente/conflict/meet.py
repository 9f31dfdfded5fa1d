"""When are two legs closer than the minima? In whole numbers: the model itself.

Everything else that answers this question only filters, and comes here where a filter cannot tell.
docs/spec/trajectory-model.md, sections 3 and 4, is the normative text.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

from detente.airspace.earth import Point, chord_of, length_of


class Leg(NamedTuple):
    """A straight leg flown at one speed, [start_us, end_us).

    Args:
        start_us: microseconds since the epoch.
        end_us: later than start_us.
        tail: where it begins, earth-centred, 0.1 mm.
        head: where it ends.
        start_alt: altitude at the start, 0.1 mm.
        end_alt: at the end.
    """

    start_us: int
    end_us: int
    tail: Point
    head: Point
    start_alt: int
    end_alt: int


class Meeting(NamedTuple):
    """How two tracks are closer than the minima for a while.

    Args:
        from_us: first microsecond.
        until_us: first microsecond after.
        closest_us: when the lateral distance is least.
        lateral_tenth_mm: that distance along the surface.
        vertical_tenth_mm: how far apart in height then.
    """

    from_us: int
    until_us: int
    closest_us: int
    lateral_tenth_mm: int
    vertical_tenth_mm: int


def meet(a: Leg, b: Leg, lateral_tenth_mm: int, vertical_tenth_mm: int) -> Meeting | None:
    """When and how two legs are below both minima at once; None if they never are.

    The same for swapped legs.

    Args:
        a: a leg.
        b: another; altitudes of the same datum.
        lateral_tenth_mm: the minimum along the surface.
        vertical_tenth_mm: the minimum in height.
    """
    start = max(a.start_us, b.start_us)
    lasts = min(a.end_us, b.end_us) - start
    if lasts <= 0:
        return None
    # Everything below is times `scale`, as a function of u = microseconds since `start`.
    long_a, long_b = a.end_us - a.start_us, b.end_us - b.start_us
    scale = long_a * long_b
    high = _line(
        (a.start_alt, a.end_alt), (b.start_alt, b.end_alt), start - a.start_us, start - b.start_us,
        long_a, long_b,
    )  # fmt: skip
    span = _span(high, vertical_tenth_mm * scale, lasts)
    if span is None:
        return None
    axes = [
        _line((a.tail[k], a.head[k]), (b.tail[k], b.head[k]), start - a.start_us,
              start - b.start_us, long_a, long_b)
        for k in range(3)
    ]  # fmt: skip
    # alpha u^2 + 2 beta u + gamma < 0 where the distance is below the minimum; all times 2^32.
    alpha = sum(slope * slope for _, slope in axes) << 32
    beta = sum(base * slope for base, slope in axes) << 32
    gamma = (sum(base * base for base, _ in axes) << 32) - (chord_of(lateral_tenth_mm) * scale) ** 2
    above, below = _nearest(alpha, beta, span)
    if alpha * above * above + 2 * beta * above * below + gamma * below * below >= 0:
        return None
    (low, low_below), (top, top_below) = span
    begins, ends = low // low_below, -(-top // top_below)
    if alpha:
        root = beta * beta - alpha * gamma  # positive: somewhere the square is below zero
        up = isqrt(root - 1) + 1  # the root rounded up
        begins = max(begins, (-beta - up) // alpha)
        ends = min(ends, -((beta - up) // alpha))
    closest = min(above // below, ends - 1)
    square = sum((base * below + slope * above) ** 2 for base, slope in axes)
    return Meeting(
        start + begins,
        start + ends,
        start + closest,
        length_of(square, (scale * below) ** 2),
        abs(high[0] * below + high[1] * above) // (scale * below),
    )


def _line(
    a: tuple[int, int], b: tuple[int, int], since_a: int, since_b: int, long_a: int, long_b: int
) -> tuple[int, int]:
    """The difference of two numbers that change evenly: base and slope, times both durations."""
    slope_a, slope_b = (a[1] - a[0]) * long_b, (b[1] - b[0]) * long_a
    base = (a[0] - b[0]) * long_a * long_b + slope_a * since_a - slope_b * since_b
    return base, slope_a - slope_b


def _span(
    line: tuple[int, int], limit: int, lasts: int
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Between which u of [0, lasts] a line is nearer to zero than a limit, as (above, below) twice.

    None if never, or at one instant alone.
    """
    base, slope = line
    if slope < 0:
        base, slope = -base, -slope
    if slope == 0:
        return ((0, 1), (lasts, 1)) if abs(base) < limit else None
    low = max(0, -limit - base)
    top = min(lasts * slope, limit - base)
    return ((low, slope), (top, slope)) if low < top else None


def _nearest(
    alpha: int, beta: int, span: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[int, int]:
    """Where in a span the distance is least, as (above, below); the earliest if it is the same everywhere."""
    (low, low_below), (top, top_below) = span
    if alpha == 0 or -beta * low_below <= low * alpha:
        return low, low_below
    if -beta * top_below >= top * alpha:
        return top, top_below
    return -beta, alpha

"""What one pair of pieces forbids: a box of changes in time and height, where they are near at all.

Both axes are exact. A change s moves the first piece by s and the second by `pull` times s (0 where it
stands still, -1 where both give way); the pair is not clear on an axis for every s of one closed
interval, and not clear at all where both axes and the surface say so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import msgspec

from detente.airspace.altitude import Altitude, DatumBounds
from detente.airspace.area import Moving
from detente.airspace.near import Budget
from detente.airspace.shape import Shape, compare_lateral
from detente.airspace.volume import Volume
from detente.conflict.motion import Encounter
from detente.conflict.pair import BOX_HIGH, BOX_LOW, Prepared
from detente.conflict.separation import Rules
from detente.conflict.span import Interval, Span
from detente.limits import ADVICE_TIME_S, ALTITUDE_MAX_M, ALTITUDE_MIN_M
from detente.units import TENTH_MM_PER_M, US_PER_S

_PIECE_COST = 20  # of one pair of pieces, in edge pairs, as in `pair`
_WAY_MARGIN = 100_000  # 10 m: a stretch of a way is within 10 cm of the whole way
_TIMES = ADVICE_TIME_S * US_PER_S
_HEIGHTS = (ALTITUDE_MAX_M - ALTITUDE_MIN_M) * TENTH_MM_PER_M


class Obstacle(msgspec.Struct, frozen=True):
    """The changes for which one pair of pieces is not clear: `time` and `height` together.

    Args:
        time: microseconds. height: 0.1 mm.
        near: whether the pair is not clear on the surface as it stands in time. Where neither piece moves, no
            such change alters it.
        ways: whether it may be so at another time; where a piece moves, whether the whole ways are near.
        shapes: of the piece that moves by s, and of the other.
        lateral: the minimum on the surface, 0.1 mm.
    """

    time: Interval
    height: Interval
    near: Callable[[], bool]
    ways: Callable[[], bool]
    shapes: tuple[Shape, Shape]
    lateral: int

    @property
    def stands(self) -> bool:
        """Whether the pair is not clear in time and height as it is."""
        return self.time[0] <= 0 <= self.time[1] and self.height[0] <= 0 <= self.height[1]

    def in_time(self, at: int = 0) -> Span | None:
        """The delays that it forbids where the height is changed by `at`."""
        low, high = self.height
        return Span(*self.time, self.ways) if low <= at <= high else None

    def in_height(self, at: int = 0) -> Span | None:
        """The changes of height that it forbids where the time is changed by `at`."""
        low, high = self.time
        near = self.near if at == 0 else self.ways
        return Span(*self.height, near) if low <= at <= high else None


class Known:
    """What has been found out about the surface while one question is looked at.

    Attributes:
        budget: pays for the pairs of pieces, and for each question whether one is near.
        near: by two shapes and a minimum.
    """

    def __init__(self, most: int) -> None:
        self.budget = Budget(most)
        self.near: dict[tuple[int, int, int], bool] = {}


def find_obstacles(
    one: Prepared,
    other: Prepared,
    rules: Rules,
    known: Known,
    *,
    pull: int = 0,
    reach: int = 0,
) -> list[Obstacle]:
    """Every pair of pieces whose boxes are near enough on the surface, and that a week can bring together.

    Args:
        one: the notice that moves by s.
        other: the one that moves by `pull` times s.
        rules: of the two.
        known: what has been asked already, and what may still be asked.
        pull: 0 or -1.
        reach: how much farther apart on the surface they may be, 0.1 mm.

    Raises:
        TooMuchWork: the budget is spent; also later, when an obstacle is asked whether it is near.
    """
    if one.notice.exercise != other.notice.exercise:
        return []
    lateral = rules.minima.lateral_tenth_mm
    far = lateral + reach
    found = []
    low, high = other.columns[:, BOX_LOW:BOX_HIGH], other.columns[:, BOX_HIGH : BOX_HIGH + 3]
    for i, piece in enumerate(one.notice.pieces):
        row = one.columns[i]
        hits = (low <= row[BOX_HIGH : BOX_HIGH + 3] + far) & (high >= row[BOX_LOW:BOX_HIGH] - far)
        rows = hits.all(axis=1).nonzero()[0].tolist()
        known.budget.spend(_PIECE_COST * len(rows))
        for j in rows:
            against = other.notice.pieces[j]
            time = _times(piece, against, rules.minima.time_us, pull)
            height = _heights(piece, against, rules, pull)
            if height is None or time[0] > _TIMES or time[1] < -_TIMES:
                continue
            near: _Near | _Encountered = _Near(one, i, other, j, lateral, known)
            ways = near
            if isinstance(piece.geometry, Moving) or isinstance(against.geometry, Moving):
                near = _Encountered(one, i, other, j, rules, known)
                ways = _Near(one, i, other, j, lateral + _WAY_MARGIN, known)
            shapes = one.shapes[i], other.shapes[j]
            found.append(Obstacle(time, height, near, ways, shapes, lateral))
    return found


class _Near:
    """Whether two pieces are not clear on the surface; asked once for each pair of shapes."""

    def __init__(
        self,
        one: Prepared,
        i: int,
        other: Prepared,
        j: int,
        lateral: int,
        known: Known,
    ) -> None:
        # the order that `pair.judge` takes them in, so that either side spends as much
        pair = [(one, i), (other, j)]
        pair.sort(key=lambda side: side[0].order)
        self._shapes = tuple(prepared.shapes[k] for prepared, k in pair)
        self._lateral = lateral
        self._known = known

    def __call__(self) -> bool:
        a, b = self._shapes
        key = (id(a), id(b), self._lateral)
        near = self._known.near
        if key not in near:
            near[key] = compare_lateral(a, b, self._lateral, self._known.budget) <= 0
        return near[key]


class _Encountered:
    """The same where one of them moves: whether they are near as they stand in time."""

    def __init__(
        self, one: Prepared, i: int, other: Prepared, j: int, rules: Rules, known: Known
    ) -> None:
        (a, i), (b, j) = sorted(((one, i), (other, j)), key=lambda side: side[0].order)
        self._encounter = Encounter(
            a.notice.pieces[i], b.notice.pieces[j], a.shapes[i], b.shapes[j], rules.minima
        )
        self._known = known
        self._answer: bool | None = None

    def __call__(self) -> bool:
        if self._answer is None:
            span = self._encounter.hull()
            self._answer = (
                span.from_us <= span.until_us
                and self._encounter.compare(span, self._known.budget) <= 0
            )
        return self._answer


def _times(piece: Volume, other: Volume, minimum: int, pull: int) -> Interval:
    low = other.start_us - piece.end_us - minimum
    high = other.end_us - piece.start_us + minimum
    return (low, high) if pull == 0 else (-(-low // 2), high // 2)


def _heights(piece: Volume, other: Volume, rules: Rules, pull: int) -> Interval | None:
    """The changes of height for which the least gap of two bands is not above the minimum.

    ``other.lower - piece.upper`` falls with s and ``piece.lower - other.upper`` grows, so each is at or
    below the minimum on one side of a threshold. In one datum it is a subtraction; in two each edge
    becomes a range, whose ends never fall as the edge rises, so the threshold is found by bisection.
    """
    minimum, bounds = rules.minima.vertical_tenth_mm, rules.bounds
    scale = 1 - pull
    if other.lower.datum == piece.upper.datum:
        low = -((piece.upper.tenth_mm + minimum - other.lower.tenth_mm) // scale)
    else:
        low = _first(lambda s: _gap(other.lower, pull * s, piece.upper, s, bounds) <= minimum)
    if piece.lower.datum == other.upper.datum:
        high = (other.upper.tenth_mm + minimum - piece.lower.tenth_mm) // scale
    else:
        high = _first(lambda s: _gap(piece.lower, s, other.upper, pull * s, bounds) > minimum) - 1
    return (low, high) if low <= high else None


def _gap(
    above: Altitude, up_above: int, below: Altitude, up_below: int, bounds: DatumBounds
) -> int:
    """The least that two edges of different datums can be apart once they are moved."""
    return (
        bounds.range_msl(above.tenth_mm + up_above, above.datum)[0]
        - bounds.range_msl(below.tenth_mm + up_below, below.datum)[1]
    )


def _first(holds: Callable[[int], bool]) -> int:
    """The least change of height for which something holds that holds for all greater ones."""
    return bisect_left(range(-_HEIGHTS, _HEIGHTS + 1), True, key=holds) - _HEIGHTS

"""Two pieces of which one at least is on the way: when they are near, as well as whether.

A moving piece against one that stays: during the other's interval, widened by the time minimum, it sweeps
a corridor; that is compared as any corridor is. Two moving ones: the least distance of their centres over
all pairs of times within the time minimum, in closed form (`airspace.moving`). Nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import msgspec

from detente.airspace.area import Moving, count_positions
from detente.airspace.earth import chord_of, degrees_of, length_of, round_ratio
from detente.airspace.moving import Span, nearest, swept
from detente.airspace.near import Budget
from detente.airspace.rules import count_geometry_parts
from detente.airspace.shape import Shape, compare_lateral
from detente.airspace.volume import Volume
from detente.conflict.place import find_place
from detente.conflict.separation import Minima
from detente.units import US_PER_S

_PART_COST = 20  # of making one part of a swept corridor, in edge pairs
_MARGIN_TENTH_MM = 100_000  # 10 m: a stretch of a way is within 10 cm of the whole way


class Encounter(msgspec.Struct, frozen=True):
    """Two pieces of which one at least moves, in the order that both sides agree on.

    Args:
        a: a piece.
        b: another.
        shape_a: its shape; of a moving one, all that it sweeps.
        shape_b: of the other.
        minima: the agreed ones.
    """

    a: Volume
    b: Volume
    shape_a: Shape
    shape_b: Shape
    minima: Minima

    @property
    def both_move(self) -> bool:
        """Whether neither stays."""
        return isinstance(self.a.geometry, Moving) and isinstance(self.b.geometry, Moving)

    def span(self) -> Span:
        """The times of the moving piece (of `a`, if both are) that are near enough to the other's interval."""
        one, other = self._sides()
        apart = self.minima.time_us
        return Span(
            max(one.start_us, other.start_us - apart), min(one.end_us, other.end_us + apart)
        )

    def hull(self) -> Span:
        """All times of either that count."""
        one, two = self.span(), self._span_b()
        if not self.both_move:
            return one
        return Span(min(one.from_us, two.from_us), max(one.until_us, two.until_us))

    def compare(self, span: Span, budget: Budget) -> int:
        """The lateral gap against its minimum at some of the times: -1 below it, 0 equal, 1 above.

        Raises:
            TooMuchWork: the budget is spent.
        """
        if not self.both_move:
            return self._compare_swept(span, budget)
        length = self._thick() + self.minima.lateral_tenth_mm
        limit = Fraction(chord_of(length) ** 2, 1 << 32)
        answer = 1
        # Either of the two may be the one who is there at these times.
        for spans in ((span, self._span_b()), (self.span(), span)):
            found = nearest(
                *self._movers(),
                (_common(self.span(), spans[0]), _common(self._span_b(), spans[1])),
                self.minima.time_us,
                budget,
                within=(chord_of(length) >> 16) + 1,
                enough=limit,
            )
            if found is not None and found.square < limit:
                return -1
            if found is not None and found.square == limit:
                answer = 0
        return answer

    def window(self, budget: Budget) -> Span:
        """From when until when the gap is below the minimum, outward to a second; known to be so at some time.

        Raises:
            TooMuchWork: the budget is spent.
        """
        whole = self.hull()

        def is_below(span: Span) -> bool:
            return self.compare(span, budget) < 0

        until = _first(lambda time: is_below(Span(whole.from_us, time)), whole)
        start = until.from_us
        end = -_first(
            lambda time: is_below(Span(-time, whole.until_us)),
            Span(-whole.until_us, -start),
        ).from_us
        return Span(start, end)

    def place(self, span: Span, budget: Budget) -> tuple[tuple[int, int], int]:
        """Where they are nearest at some of the times, and the lateral gap there; see `place.find_place`.

        Raises:
            TooMuchWork: the budget is spent.
        """
        if not self.both_move:
            still = self.shape_b if isinstance(self.a.geometry, Moving) else self.shape_a
            line = self._swept(span, budget)
            pair = (line, still) if still is self.shape_b else (still, line)
            return find_place(*pair, self.minima.lateral_tenth_mm, budget)
        found = nearest(*self._movers(), (self.span(), self._span_b()), self.minima.time_us, budget)
        assert found is not None  # the intervals are near enough, or there were no meeting
        thick, share = self._thick(), self.shape_a.thick_tenth_mm
        x, y, z = (
            round_ratio(p * (thick - share) + q * share, thick)
            for p, q in zip(found.place_a, found.place_b, strict=True)
        )
        gap = length_of(found.square.numerator, found.square.denominator) - thick
        return degrees_of((x, y, z)), gap

    def _sides(self) -> tuple[Volume, Volume]:
        return (self.a, self.b) if isinstance(self.a.geometry, Moving) else (self.b, self.a)

    def _span_b(self) -> Span:
        one, other = self._sides()
        apart = self.minima.time_us
        return Span(
            max(other.start_us, one.start_us - apart), min(other.end_us, one.end_us + apart)
        )

    def _thick(self) -> int:
        return self.shape_a.thick_tenth_mm + self.shape_b.thick_tenth_mm

    def _movers(self) -> tuple[tuple[Moving, str], tuple[Moving, str]]:
        assert isinstance(self.a.geometry, Moving)
        assert isinstance(self.b.geometry, Moving)
        return (self.a.geometry, self.a.edges), (self.b.geometry, self.b.edges)

    def _compare_swept(self, span: Span, budget: Budget) -> int:
        lateral = self.minima.lateral_tenth_mm
        moves = isinstance(self.a.geometry, Moving)
        way, still = (self.shape_a, self.shape_b) if moves else (self.shape_b, self.shape_a)
        if compare_lateral(way, still, lateral + _MARGIN_TENTH_MM, budget) > 0:
            return 1  # the whole way stays clear, so every stretch of it does
        return compare_lateral(self._swept(span, budget), still, lateral, budget)

    def _swept(self, span: Span, budget: Budget) -> Shape:
        one, _ = self._sides()
        assert isinstance(one.geometry, Moving)
        area = swept(one.geometry, one.edges, _common(self.span(), span))
        budget.spend(_PART_COST * (count_geometry_parts(area, one.edges) + count_positions(area)))
        return Shape(area, one.edges)


def _common(one: Span, other: Span) -> Span:
    return Span(max(one.from_us, other.from_us), min(one.until_us, other.until_us))


def _first(is_so: Callable[[int], bool], span: Span) -> Span:
    """The last second before something is so, by halves: from its first instant, or from an instant at most
    a second before."""
    low, high = span.from_us, span.until_us
    while high - low > US_PER_S:
        middle = (low + high) // 2
        if is_so(middle):
            high = middle
        else:
            low = middle
    return Span(low, high)

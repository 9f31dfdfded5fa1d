"""Forbidden changes as closed intervals of whole numbers, and the least change outside all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

Interval = tuple[int, int]  # both ends belong to it


class Span(msgspec.Struct, frozen=True):
    """An interval of changes that one pair of pieces forbids, if the pair is near at all.

    Args:
        low, high: the ends, both forbidden.
        near: whether it really forbids them; asked only when the answer matters.
    """

    low: int
    high: int
    near: Callable[[], bool]

    def mirrored(self) -> Span:
        """The same for changes of the other sign."""
        return Span(-self.high, -self.low, self.near)


class Found(msgspec.Struct, frozen=True):
    """The least change that nothing forbids, and the forbidden ones below it.

    Args:
        change: a multiple of the step.
        least: the least whole number, whatever the step.
        forbidden: merged, sorted, with at least one whole number between them; they hold every
            multiple of the step from 0 up to `change`, and every whole number up to `least`.
    """

    change: int
    least: int
    forbidden: tuple[Interval, ...]


def least_outside(spans: Sequence[Span], step: int, most: int) -> Found | None:
    """The least multiple of a step, from 0 to most, that lies in no span; None if there is none.

    One pass over the spans in the order of their lower ends, so n log n for n of them. Every span
    that holds a candidate moves it up past that span's end; one that begins above it never can be
    passed by on the way, because the candidate only grows.

    Example:
        >>> spans = [Span(-3, 4, lambda: True), Span(5, 9, lambda: True), Span(12, 20, lambda: True)]
        >>> least_outside(spans, 5, 100)
        Found(change=10, least=10, forbidden=((-3, 9),))
    """
    change = least = 0
    hits: list[Interval] = []
    for span in sorted(
        (span for span in spans if span.high >= 0), key=lambda one: (one.low, one.high)
    ):
        if span.low > change:
            break
        if not (span.high >= change or span.low <= least <= span.high):
            continue
        if not span.near():
            continue
        hits.append((span.low, span.high))
        if span.low <= least <= span.high:
            least = span.high + 1
        if span.high >= change:
            change = -(-(span.high + 1) // step) * step
        if least > most:
            return None
    if change > most:
        return None
    return Found(change, least, merge(hits))


def merge(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """Intervals with the same whole numbers, sorted, none next to another.

    Example:
        >>> merge([(5, 9), (-3, 4), (12, 20)])
        ((-3, 9), (12, 20))
    """
    merged: list[Interval] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)

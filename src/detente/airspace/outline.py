"""Rings, lines and points in one chart, and whether a place is inside."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from detente.airspace.near import Floats, Indices
from detente.airspace.plane import Vector, cross, dot, on_edge, orient, signs_of

# Chords of crossing parts may pass each other at different depths, at most 4 m: see edge.
GLOBE_PAD = 50_000.0
_FEW = 24  # edges below which plain integers are faster than arrays


class Outline:
    """The vertices and edges of rings, lines or a point in one chart.

    Args:
        chains: lists of vertices; a ring does not repeat its first.
        closed: the chains are rings that bound an area (even-odd).
        flat: the chart.
        far: for an area, a direction on the horizon of `middle`: where rays go.
        middle: for an area on the globe, a vector with a positive product with every vertex.
    """

    def __init__(
        self,
        chains: Sequence[Sequence[Vector]],
        *,
        closed: bool,
        flat: bool,
        far: Vector = (1, 0, 0),
        middle: Vector | None = None,
    ) -> None:
        self.closed = closed
        self.flat = flat
        self.far = far
        self.middle = middle
        self.vertices: list[Vector] = [vertex for chain in chains for vertex in chain]
        self.spans: list[tuple[int, int]] = []
        tails: list[int] = []
        heads: list[int] = []
        at = 0
        for chain in chains:
            size = len(chain)
            self.spans.append((at, at + size))
            if closed:
                tails.extend(range(at, at + size))
                heads.extend(range(at + 1, at + size))
                heads.append(at)
            elif size > 1:
                tails.extend(range(at, at + size - 1))
                heads.extend(range(at + 1, at + size))
            at += size
        self.tails: Indices = np.array(tails, dtype=np.int64)
        self.heads: Indices = np.array(heads, dtype=np.int64)
        self.array: Floats = np.array(self.vertices, dtype=np.float64).reshape(-1, 3)
        ends_a, ends_b = self.array[self.tails], self.array[self.heads]
        pad, axes = (0.0, 2) if flat else (GLOBE_PAD, 3)
        self.low: Floats = np.minimum(ends_a, ends_b)[:, :axes] - pad
        self.high: Floats = np.maximum(ends_a, ends_b)[:, :axes] + pad

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.tails.tolist(), self.heads.tolist(), strict=True))

    def edge(self, index: int) -> tuple[Vector, Vector]:
        """The two ends of an edge."""
        return self.vertices[self.tails[index]], self.vertices[self.heads[index]]

    def turned(self, degrees_nanodeg: int) -> Outline:
        """The same outline in the flat chart, moved along longitude."""
        chains = [
            [(x + degrees_nanodeg * w, y, w) for x, y, w in self.vertices[start:stop]]
            for start, stop in self.spans
        ]
        return Outline(chains, closed=self.closed, flat=True)

    def side_of(self, place: Vector) -> int:
        """1 if a place is inside the rings, 0 on an edge, -1 outside.

        A ray runs from the place to `far`, and the edges that it crosses are counted; an edge
        counts when exactly one of its ends is strictly right of the ray's line, so a ray through a
        vertex is counted right.
        """
        if self.middle is not None and dot(self.middle, place) <= 0:
            return -1
        line = cross(place, self.far)
        if len(self.tails) <= _FEW:
            return self._side_few(place, line)
        floats = np.array(place, dtype=np.float64)
        if place[2] == 2 and self.flat:
            floats /= 2.0
        return self._side_many(place, line, floats)

    def _side_few(self, place: Vector, line: Vector) -> int:
        odd = False
        vertices = self.vertices
        x, y, z = line
        sides = [x * u + y * v + z * w for u, v, w in vertices]
        for tail, head in self._pairs:
            side_a, side_b = sides[tail], sides[head]
            # The ray's line goes through the place. Of an edge that the place is on, or that the ray
            # crosses, both ends are not strictly on one side of it.
            if (side_a > 0 and side_b > 0) or (side_a < 0 and side_b < 0):
                continue
            a, b = vertices[tail], vertices[head]
            turn = orient(a, b, place)
            if turn == 0 and on_edge(a, b, place):
                return 0
            left_b = side_b >= 0
            if (side_a >= 0) != left_b and (turn > 0) == left_b:
                odd = not odd
        return 1 if odd else -1

    def _side_many(self, place: Vector, line: Vector, floats: Floats) -> int:
        array = self.array
        left = self._left_of(line)
        turns = signs_of(
            array[self.tails], array[self.heads], floats, lambda row: (*self.edge(row), place)
        )
        for index in np.nonzero(turns == 0)[0]:
            if on_edge(*self.edge(int(index)), place):
                return 0
        left_a, left_b = left[self.tails], left[self.heads]
        crossed = (left_a != left_b) & ((turns > 0) == left_b)
        return 1 if int(crossed.sum()) % 2 else -1

    def _left_of(self, line: Vector) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        weights = np.array([float(part) for part in line])
        products = self.array * weights
        value = products[:, 0] + products[:, 1] + products[:, 2]
        bound = 16 * 2.0**-53 * np.abs(products).sum(axis=1)
        left: np.ndarray[tuple[int], np.dtype[np.bool_]] = value > 0
        for row in np.nonzero(np.abs(value) <= bound)[0]:
            left[row] = dot(line, self.vertices[row]) >= 0
        return left

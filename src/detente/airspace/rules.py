"""Which geometry is a shape at all: closed, not empty, not crossing itself, not absurdly large.

The checks are exact and are made once, at the border, for our own file and for a peer's statement
alike; whatever passes has a well-defined inside.
"""

from __future__ import annotations

from itertools import pairwise
from math import isqrt

import numpy as np

from detente.airspace.area import (
    LON_MAX_NANODEG,
    Circle,
    Corridor,
    Geometry,
    LonLat,
    Moving,
    Rings,
    check_count,
    count_positions,
)
from detente.airspace.earth import LENGTH_MAX_TENTH_MM, chord_of, degrees_of
from detente.airspace.edge import count_parts, cut_line, points_of
from detente.airspace.near import Budget, TooMuchWork, near_pairs
from detente.airspace.outline import Outline
from detente.airspace.plane import cross, dot, on_edge, orient, signs_of
from detente.airspace.shape import Part, middle_of
from detente.errors import UsageError, shown
from detente.limits import (
    EDGE_PAIRS_PER_EDGE,
    EDGE_PAIRS_PER_OUTLINE,
    EDGE_PARTS_PER_NOTICE,
    MOVING_SPEED_MAX_MPS,
)
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M, US_PER_S, format_time

_SMALL_NANODEG = 10 * NANODEG_PER_DEG  # a ring that spans no more is not looked at for its size


def check_geometry(geometry: Geometry, edges: str, *, field: str) -> None:
    """Refuses a geometry that has no well-defined inside.

    Args:
        geometry: with positions and sizes in range.
        edges: ``"planar"`` or ``"geodesic"``.
        field: the path an error shows.

    Raises:
        UsageError: too few positions, an unclosed ring, a repeated position, an edge over 180
            degrees, edges that cross or touch, a hole outside, or anything past a limit.
    """
    check_count(count_positions(geometry), field=field)
    if isinstance(geometry, Circle):
        return
    if isinstance(geometry, Moving):
        _check_moving(geometry, edges, field=field)
        return
    if isinstance(geometry, Corridor):
        if len(geometry.points) < 2:
            raise UsageError(
                "line-short",
                f"line has {len(geometry.points)} position; it must have at least 2",
                hint="a Point with radius_m or radius_nm makes a circle",
                field=field,
            )
        _check_edges(geometry.points, edges, field=field)
        _check_parts(geometry, edges, field=field)
        return
    if not geometry.polygons:
        raise UsageError("geometry-empty", "geometry is empty; it must have a polygon", field=field)
    for i, rings in enumerate(geometry.polygons):
        name = f"{field}.polygons[{i}]" if len(geometry.polygons) > 1 else field
        _check_rings(rings, edges, field=name)
    _check_parts(geometry, edges, field=field)
    for i, rings in enumerate(geometry.polygons):
        name = f"{field}.polygons[{i}]" if len(geometry.polygons) > 1 else field
        try:
            _check_simple(rings, edges, field=name)
        except TooMuchWork:
            raise UsageError(
                "geometry-intricate",
                "outline has very many edges that pass near each other; "
                f"each must have about {EDGE_PAIRS_PER_EDGE} at most",
                hint="simplify the outline",
                field=name,
            ) from None


def _check_moving(moving: Moving, edges: str, *, field: str) -> None:
    points, times = moving.points, moving.times_us
    if len(points) < 2:
        raise UsageError(
            "line-short",
            f"line has {len(points)} position; it must have at least 2",
            hint="a Point with radius_m or radius_nm makes a circle",
            field=field,
        )
    if len(times) != len(points):
        raise UsageError(
            "times-count",
            f"there are {len(times)} times for {len(points)} positions; "
            "there must be one for each position",
            field=field,
        )
    for i, (before, after) in enumerate(pairwise(times), start=1):
        if after <= before:
            raise UsageError(
                "times-order",
                f"time {i} is {format_time(after)}, not after {format_time(before)}; "
                "times must increase from position to position",
                field=field,
            )
    path = moving.path()
    if len(path) < 2:
        return
    _check_edges(path, edges, field=field)
    _check_parts(moving, edges, field=field)
    for i, (start, end) in enumerate(pairwise(points)):
        if start == end:
            continue
        line = cut_line((start, end), edges)
        length = sum(
            isqrt(sum((q - p) ** 2 for p, q in zip(a, b, strict=True))) for a, b in pairwise(line)
        )
        span_us = times[i + 1] - times[i]
        if length * US_PER_S > MOVING_SPEED_MAX_MPS * TENTH_MM_PER_M * span_us:
            raise UsageError(
                "speed-range",
                f"from position {i} to {i + 1} the speed is "
                f"{length * US_PER_S // (span_us * TENTH_MM_PER_M):,} m/s; "
                f"it must be at most {MOVING_SPEED_MAX_MPS:,} m/s",
                hint="look for a wrong time or a position in the wrong order",
                field=field,
            )


def _check_rings(rings: Rings, edges: str, *, field: str) -> None:
    if not rings:
        raise UsageError("geometry-empty", "polygon is empty; it must have a ring", field=field)
    for k, ring in enumerate(rings):
        name = f"{field}.rings[{k}]"
        if len(ring) < 4:
            raise UsageError(
                "ring-short",
                f"ring has {len(ring)} positions; it must have at least 4, the last equal to the first",
                field=name,
            )
        if ring[0] != ring[-1]:
            raise UsageError(
                "ring-unclosed",
                f"ring ends at {_degrees(ring[-1])} and began at {_degrees(ring[0])}; "
                "it must end where it began",
                hint="repeat the first position at the end of the ring",
                field=name,
            )
        _check_edges(ring, edges, field=name)
    outer = rings[0]
    lons, lats = zip(*outer, strict=True)
    west, east = min(lons), max(lons)
    # Two places differ by at most the sum of what their longitudes and latitudes do, so none is half as far
    # from the middle as would be too far.
    if max(east - west, max(lats) - min(lats)) <= _SMALL_NANODEG:
        return
    if edges == "planar" and east - west == 2 * LON_MAX_NANODEG:
        raise UsageError(
            "area-too-large",
            "ring goes from 180 W to 180 E; it must not go round the earth",
            hint="give a circumpolar area geodesic edges, or cut it in two",
            field=field,
        )
    points = points_of(outer)
    middle = middle_of(points)
    size = dot(middle, middle)
    for point in points:
        along = dot(middle, point)
        if along <= 0 or 2 * along * along < size * dot(point, point):
            raise UsageError(
                "area-too-large",
                "polygon reaches more than 45 degrees (5,000 km) from its middle; "
                "it must be smaller, so that it is clear which side is its inside",
                hint="split it into several features with the same id",
                field=field,
            )


def _check_edges(points: tuple[LonLat, ...], edges: str, *, field: str) -> None:
    if len(set(points)) < 2:
        raise UsageError(
            "geometry-empty",
            f"all positions are {_degrees(points[0])}; there must be at least two places",
            field=field,
        )
    for i, (start, end) in enumerate(pairwise(points)):
        if start == end:
            raise UsageError(
                "position-repeated",
                f"position {i + 1} is {_degrees(end)}, the same as the one before; "
                "neighbouring positions must differ",
                field=field,
            )
        span = abs(end[0] - start[0])
        if edges == "planar" and span > LON_MAX_NANODEG:
            raise UsageError(
                "edge-too-long",
                f"edge {i} spans {span / NANODEG_PER_DEG:.9g} degrees of longitude; "
                "it must span at most 180",
                hint="cut an area that crosses the antimeridian in two at 180 degrees "
                "(RFC 7946, 3.1.9), or give it geodesic edges",
                field=field,
            )
    if edges == "geodesic":
        limit = chord_of(LENGTH_MAX_TENTH_MM)
        places = points_of(points)
        for i, (a, b) in enumerate(pairwise(places)):
            square = sum((q - p) ** 2 for p, q in zip(a, b, strict=True))
            if square << 32 > limit * limit:
                raise UsageError(
                    "edge-too-long",
                    f"edge {i} is longer than 10,000 km; it must be shorter, "
                    "or which way it goes is not certain",
                    hint="put a position between its ends",
                    field=field,
                )


def count_geometry_parts(geometry: Geometry, edges: str) -> int:
    """How many parts the edges of a geometry are cut into, before cutting them."""
    if isinstance(geometry, Circle):
        return 0
    if isinstance(geometry, Corridor):
        return count_parts(geometry.points, edges)
    if isinstance(geometry, Moving):
        path = geometry.path()
        return count_parts(path, edges) if len(path) > 1 else 0
    return sum(count_parts(ring, edges) for rings in geometry.polygons for ring in rings)


def _check_parts(geometry: Geometry, edges: str, *, field: str) -> None:
    total = count_geometry_parts(geometry, edges)
    if total > EDGE_PARTS_PER_NOTICE:
        raise UsageError(
            "edges-too-long",
            f"edges come to {total:,} parts of at most 10 km; "
            f"they must come to at most {EDGE_PARTS_PER_NOTICE:,}",
            hint="split the piece into several features with the same id",
            field=field,
        )


def _check_simple(rings: Rings, edges: str, *, field: str) -> None:
    """Refuses rings that cross or touch themselves or each other along more than a point."""
    part = Part(rings, closed=True, edges=edges)
    outline = part.flat if edges == "planar" else part.globe
    budget = Budget(EDGE_PAIRS_PER_OUTLINE + EDGE_PAIRS_PER_EDGE * len(outline.tails))
    ring_of = [k for k, (start, stop) in enumerate(outline.spans) for _ in range(start, stop)]
    for i, j in _suspects(outline, budget):
        if _clash(outline, i, j, same_ring=ring_of[i] == ring_of[j]):
            a, b = outline.edge(i), outline.edge(j)
            place = _degrees_of(outline, a[0]), _degrees_of(outline, b[0])
            raise UsageError(
                "geometry-self-crossing",
                f"the edge from {place[0]} and the edge from {place[1]} cross or touch; "
                "edges of a polygon must meet only at the ends of neighbours",
                hint="look for positions in the wrong order",
                field=field,
            )
    if len(rings) > 1:
        _check_holes(outline, budget, field=field)


def _suspects(outline: Outline, budget: Budget) -> list[tuple[int, int]]:
    """The near pairs of edges of which the second does not lie strictly on one side of the first."""
    low, high = outline.low, outline.high
    i, j = near_pairs(low, high, low, high, budget)
    i, j = i[i < j], j[i < j]
    array, tails, heads = outline.array, outline.tails, outline.heads
    a, b = array[tails[i]], array[heads[i]]
    turn_c = signs_of(
        a, b, array[tails[j]], lambda row: (*outline.edge(i[row]), outline.edge(j[row])[0])
    )
    turn_d = signs_of(
        a, b, array[heads[j]], lambda row: (*outline.edge(i[row]), outline.edge(j[row])[1])
    )
    kept = turn_c * turn_d <= 0
    return list(zip(i[kept].tolist(), j[kept].tolist(), strict=True))


def _clash(outline: Outline, i: int, j: int, *, same_ring: bool) -> bool:
    (a, b), (c, d) = outline.edge(i), outline.edge(j)
    if (b == c) != (d == a):  # neighbours, with one corner: they may not fold back on each other
        corner = orient(a, b, d) if b == c else orient(a, b, c)
        return corner == 0 and dot(cross(a, b), cross(c, d)) < 0
    turns = orient(a, b, c), orient(a, b, d), orient(c, d, a), orient(c, d, b)
    if turns[0] * turns[1] > 0 or turns[2] * turns[3] > 0:
        return False
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    in_line = turns == (0, 0, 0, 0)
    if b == c and d == a:
        return True
    touching = [
        p
        for turn, ends, p in (
            (turns[0], (a, b), c),
            (turns[1], (a, b), d),
            (turns[2], (c, d), a),
            (turns[3], (c, d), b),
        )
        if turn == 0 and on_edge(*ends, p)
    ]
    if not touching:
        return False
    # A hole may touch another ring at a point, never along a stretch; a ring never touches itself.
    return same_ring or (in_line and len(set(touching)) > 1)


def _check_holes(outline: Outline, budget: Budget, *, field: str) -> None:
    rings = [
        Outline(
            [outline.vertices[start:stop]],
            closed=True,
            flat=outline.flat,
            far=outline.far,
            middle=outline.middle,
        )
        for start, stop in outline.spans
    ]
    outer, holes = rings[0], rings[1:]
    for k, hole in enumerate(holes, start=1):
        if _side(hole, outer, budget) < 0:
            raise UsageError(
                "hole-outside",
                f"ring {k} lies outside ring 0; a hole must lie inside the outer ring",
                hint="two separate areas are a MultiPolygon",
                field=field,
            )
    low = np.array([hole.low.min(axis=0) for hole in holes])
    high = np.array([hole.high.max(axis=0) for hole in holes])
    first, second = near_pairs(low, high, low, high, budget)
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if i != j and _side(holes[i], holes[j], budget) > 0:
            raise UsageError(
                "hole-nested",
                f"ring {i + 1} lies inside ring {j + 1}; holes must not lie in each other",
                field=field,
            )


def _side(inner: Outline, outer: Outline, budget: Budget) -> int:
    """On which side of a ring another lies that does not cross it: 1 inside, -1 outside."""
    for edge in range(len(inner.tails)):
        p, q = inner.edge(edge)
        for place in (p, (p[0] + q[0], p[1] + q[1], p[2] + q[2])):
            budget.spend(len(outer.tails))
            side = outer.side_of(place)
            if side:
                return side
    return 1


def _degrees_of(outline: Outline, vertex: tuple[int, int, int]) -> str:
    if outline.flat:
        return _degrees((vertex[0], vertex[1]))
    return _degrees(degrees_of(vertex))


def _degrees(position: LonLat) -> str:
    return shown([position[0] / NANODEG_PER_DEG, position[1] / NANODEG_PER_DEG])

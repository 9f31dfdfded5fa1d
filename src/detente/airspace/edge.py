"""What lies between two vertices: the normative parts of a planar and of a geodesic edge.

An edge is cut into parts so short that each may be treated as the plane section through its two
ends and the earth's centre. Cutting is symmetric: the parts of B-A are the parts of A-B reversed,
so two areas that share an edge share every point of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isqrt

import numpy as np
import numpy.typing as npt

from detente.airspace.area import LonLat
from detente.airspace.earth import (
    AXIS_RATIO_Q,
    MAJOR_TENTH_MM,
    ONE,
    Point,
    Q,
    earth_point,
    round_ratio,
)
from detente.airspace.earths import earth_points

# A part spans at most 0.05 degrees of either coordinate (5.6 km, 7.9 km across): its chord then
# sags under the surface by at most 1.3 m, which `reach` takes out to within 1 %.
PLANAR_PART_NANODEG = 50_000_000
# A straight line in longitude and latitude leaves the plane section of its ends by at most
# R/8 * dlon * (dlon / 2 + 2 dlat), in radians. 5 cm of that, in 1e-9 degree, is this divisor.
PLANAR_BEND = 4 * 10**14
_FEW = 8  # points below which one after the other is faster than arrays
GEODESIC_PART_TENTH_MM = 100_000_000  # 10 km: 2.0 m of sag, and 0.1 mm of bend


def planar_parts(start: LonLat, end: LonLat) -> int:
    """How many parts a planar edge is cut into."""
    lon = abs(end[0] - start[0])
    lat = abs(end[1] - start[1])
    bent = isqrt(lon * (lon + 4 * lat) // PLANAR_BEND) + 1
    long = -(-(lon if lon > lat else lat) // PLANAR_PART_NANODEG)
    return bent if bent > long else long


def geodesic_parts(start: Point, end: Point) -> int:
    """How many parts a geodesic edge is cut into, from its earth-centred ends."""
    square = sum((b - a) ** 2 for a, b in zip(start, end, strict=True))
    return (isqrt(square - 1) // GEODESIC_PART_TENTH_MM) + 1 if square else 1


def cut_planar(start: LonLat, end: LonLat) -> list[Point]:
    """The points of a planar edge, its end left out.

    Each is the straight line's point, rounded to 1e-9 degree, on the ellipsoid.
    """
    parts = planar_parts(start, end)
    return [
        earth_point(
            round_ratio(start[0] * (parts - i) + end[0] * i, parts),
            round_ratio(start[1] * (parts - i) + end[1] * i, parts),
        )
        for i in range(parts)
    ]


def cut_geodesic(start: Point, end: Point) -> list[Point]:
    """The points of a geodesic edge, its end left out.

    The chord's points are carried to the ellipsoid along the normal under the chord's middle: the
    plane of the normal section, which the geodesic leaves by far less than the plane through the
    earth's centre does. The measured difference stands in docs/spec/airspace-model.md.
    """
    return cut_chord(start, end, geodesic_parts(start, end))


def cut_chord(start: Point, end: Point, parts: int) -> list[Point]:
    """The points that cut the chord of two surface points evenly, carried to the ellipsoid; the end left out.

    Args:
        start: earth-centred, 0.1 mm.
        end: the same.
        parts: how many.
    """
    return [start, *(chord_point(start, end, i, parts) for i in range(1, parts))]


def chord_point(start: Point, end: Point, i: int, parts: int) -> Point:
    """Point i of a chord that is cut into so many parts, carried to the ellipsoid."""
    normal = (
        start[0] + end[0],
        start[1] + end[1],
        (start[2] + end[2]) * AXIS_RATIO_Q // ONE,
    )
    alpha = _stretched(normal, normal)
    chord = (
        start[0] * (parts - i) + end[0] * i,
        start[1] * (parts - i) + end[1] * i,
        start[2] * (parts - i) + end[2] * i,
    )
    beta = _stretched(chord, normal)
    gamma = _stretched(chord, chord) - ((MAJOR_TENTH_MM * parts) ** 2 << Q)
    # alpha k^2 + 2 beta k + gamma = 0 puts chord + k normal on the ellipsoid.
    k_q = ((isqrt(beta * beta - alpha * gamma) - beta) << Q) // alpha
    return (
        round_ratio((chord[0] << Q) + k_q * normal[0], parts << Q),
        round_ratio((chord[1] << Q) + k_q * normal[1], parts << Q),
        round_ratio((chord[2] << Q) + k_q * normal[2], parts << Q),
    )


def _stretched(u: Point, v: Point) -> int:
    """The product x x' + y y' + (a/b)^2 z z', in which the ellipsoid is the sphere of radius a."""
    return ((u[0] * v[0] + u[1] * v[1]) << Q) + u[2] * v[2] * AXIS_RATIO_Q


def cut_line(points: tuple[LonLat, ...], edges: str) -> list[Point]:
    """The earth-centred points of a line of vertices, parts included; repeated points left out.

    Args:
        points: two or more positions; a ring repeats its first at the end.
        edges: ``"planar"`` or ``"geodesic"``.
    """
    line: list[Point] = []
    if edges == "planar":
        line = _planar_points(points)
    else:
        vertices = points_of(points)
        for first, last in pairwise(vertices):
            line.extend(cut_geodesic(first, last))
        line.append(vertices[-1])
    # All longitudes of a pole are one point, so an edge along it has no length here.
    return [point for i, point in enumerate(line) if i == 0 or point != line[i - 1]]


def _planar_points(points: tuple[LonLat, ...]) -> list[Point]:
    """All points of a line of planar edges: of each edge those of `cut_planar`, and the last vertex."""
    counts = [planar_parts(start, end) for start, end in pairwise(points)]
    total = sum(counts)
    if total < _FEW:
        line = [point for start, end in pairwise(points) for point in cut_planar(start, end)]
        return [*line, earth_point(*points[-1])]
    # A part's number times a longitude stays below 2^54: an edge has at most 31,177 parts.
    parts = np.repeat(counts, counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    i = np.arange(total) - first
    vertices = np.array(points, dtype=np.int64)
    places = np.empty((total + 1, 2), dtype=np.int64)
    above = (
        np.repeat(vertices[:-1], counts, axis=0) * (parts - i)[:, None]
        + np.repeat(vertices[1:], counts, axis=0) * i[:, None]
    )
    size = (2 * np.abs(above) + parts[:, None]) // (2 * parts)[:, None]  # as `round_ratio`
    places[:-1] = np.where(above >= 0, size, -size)
    places[-1] = vertices[-1]
    return _listed(earth_points(places[:, 0], places[:, 1], compiles=False))


def points_of(positions: Sequence[LonLat]) -> list[Point]:
    """The earth-centred points of a few positions or of thousands, in their order."""
    if len(positions) < _FEW:
        return [earth_point(*position) for position in positions]
    places = np.array(positions, dtype=np.int64)
    return _listed(earth_points(places[:, 0], places[:, 1], compiles=False))


def _listed(points: npt.NDArray[np.int64]) -> list[Point]:
    x, y, z = points.tolist()
    return list(zip(x, y, z, strict=True))


def count_parts(points: tuple[LonLat, ...], edges: str) -> int:
    """How many parts `cut_line` makes of a line, before making them."""
    if edges == "planar":
        return sum(planar_parts(a, b) for a, b in pairwise(points))
    vertices = points_of(points)
    return sum(geodesic_parts(a, b) for a, b in pairwise(vertices))

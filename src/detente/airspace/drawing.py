"""How a geometry looks on a map: rings of longitude and latitude in degrees.

For the eye only. Conflicts are judged on the signed whole numbers, never on these floats: a circle
here is a polygon, a corridor its two sides. All outlines asked for at once are computed at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import atan2, ceil, cos, degrees, hypot, pi, radians, sin, sqrt

import numpy as np

from detente.airspace.area import Area, Circle, Corridor, Geometry, LonLat, Moving
from detente.airspace.near import Floats
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_M

Position = tuple[float, float]
Polygons = list[list[list[list[float]]]]  # polygons of rings of [longitude, latitude]

AXIS_M = 6_378_137.0  # WGS84
FLATTENING = 1 / 298.257223563
_E2 = FLATTENING * (2 - FLATTENING)
CIRCLE_POINTS = 64  # the polygon then lies within 0.12 % of the radius
CAP_STEP_DEG = 30.0  # at a corridor's ends and corners, within 3.4 % of the half width
# A straight line on a chart of another projection leaves a planar edge by some 60 m in half a degree.
EDGE_STEP_DEG = 0.5
DIGITS = 7  # a centimetre
_LEGS_COMPARED = 200  # corridors of more legs are drawn leg by leg, not as one ring


class _Spokes:
    """Points wanted at a direction and distance from others, computed together in `ends`."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float, float]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, origin: Position, azimuth: float, distance_m: float) -> None:
        """Want the point at an azimuth (radians, clockwise from north) and distance."""
        self._rows.append((*origin, azimuth, distance_m))

    def ends(self) -> Floats:
        """The points, rows of longitude and latitude in degrees."""
        rows = np.array(self._rows, dtype=np.float64).reshape(-1, 4)
        return _direct(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3])


def _direct(lon: Floats, lat: Floats, azimuth: Floats, distance_m: Floats) -> Floats:
    """Where geodesics lead.

    Units: within a millimetre up to 10,000 km.
    Source: T. Vincenty, Survey Review 23 (1975), direct formula, on WGS84.
    """
    minor_m = AXIS_M * (1 - FLATTENING)
    sin_a, cos_a = np.sin(azimuth), np.cos(azimuth)
    reduced = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat)))
    sin_u, cos_u = np.sin(reduced), np.cos(reduced)
    sigma_1 = np.arctan2(sin_u, cos_u * cos_a)
    sin_alpha = cos_u * sin_a
    cos2_alpha = 1 - sin_alpha**2
    u2 = cos2_alpha * (AXIS_M**2 - minor_m**2) / minor_m**2
    a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    first = distance_m / (minor_m * a)
    sigma = first
    for _ in range(20):
        cos_2m = np.cos(2 * sigma_1 + sigma)
        sin_s, cos_s = np.sin(sigma), np.cos(sigma)
        turn = cos_2m + b / 4 * (
            cos_s * (2 * cos_2m**2 - 1) - b / 6 * cos_2m * (4 * sin_s**2 - 3) * (4 * cos_2m**2 - 3)
        )
        following = first + b * sin_s * turn
        done = bool(np.all(np.abs(following - sigma) < 1e-12))
        sigma = following
        if done:
            break
    cos_2m, sin_s, cos_s = np.cos(2 * sigma_1 + sigma), np.sin(sigma), np.cos(sigma)
    across = sin_u * sin_s - cos_u * cos_s * cos_a
    lat_2 = np.arctan2(
        sin_u * cos_s + cos_u * sin_s * cos_a,
        (1 - FLATTENING) * np.hypot(sin_alpha, across),
    )
    over = np.arctan2(sin_s * sin_a, cos_u * cos_s - sin_u * sin_s * cos_a)
    c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
    bend = sigma + c * sin_s * (cos_2m + c * cos_s * (2 * cos_2m**2 - 1))
    lon_2 = lon + np.degrees(over - (1 - c) * FLATTENING * sin_alpha * bend)
    return np.stack([lon_2, np.degrees(lat_2)], axis=1)


def draw_geometries(wanted: Sequence[tuple[Geometry, str]]) -> list[Polygons]:
    """The outlines of geometries, for drawing.

    Args:
        wanted: geometries with their kind of edge, ``"planar"`` or ``"geodesic"``.

    Returns:
        For each a list of polygons, each a list of closed rings (the outer one first) of
        ``[longitude, latitude]`` in degrees, -180 to 180, rounded to 1e-7. What crosses the
        antimeridian is cut in two there; what goes round a pole reaches up to it. Polygons of one
        outline may overlap.

    Example:
        >>> ring = ((0, 0), (10**8, 0), (10**8, 10**8), (0, 0))
        >>> draw_geometries([(Area(((ring,),)), "planar")])
        [[[[[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.0]]]]]
    """
    spokes = _Spokes()
    plans: list[list[tuple[int, int]] | None] = []
    for given, edges in wanted:
        geometry = _path(given)
        if isinstance(geometry, Area):
            plans.append(None)
            continue
        rings = []
        for add in _rounds(geometry, edges):
            start = len(spokes)
            for origin, azimuth, distance_m in add:
                spokes.add(origin, azimuth, distance_m)
            rings.append((start, len(spokes)))
        plans.append(rings)
    ends = spokes.ends()
    drawn = []
    for (area, edges), plan in zip(wanted, plans, strict=True):
        if plan is None:
            assert isinstance(area, Area)
            polygons = [
                [_edge_points([_degrees(p) for p in ring], edges) for ring in rings]
                for rings in area.polygons
            ]
        else:
            polygons = [[_ring(ends[start:stop])] for start, stop in plan]
        drawn.append([part for rings in polygons for part in _on_the_map(rings)])
    return drawn


def _path(geometry: Geometry) -> Circle | Corridor | Area:
    """A moving volume as the corridor that it sweeps, or the circle that it stays in."""
    if not isinstance(geometry, Moving):
        return geometry
    path = geometry.path()
    if len(path) == 1:
        return Circle(path[0], geometry.radius_tenth_mm)
    return Corridor(path, geometry.radius_tenth_mm)


def _degrees(position: LonLat) -> Position:
    return position[0] / NANODEG_PER_DEG, position[1] / NANODEG_PER_DEG


def _ring(points: Floats) -> list[Position]:
    ring: list[Position] = [(float(x), float(y)) for x, y in points.tolist()]
    return [*ring, ring[0]]


Spoke = tuple[Position, float, float]


def _rounds(geometry: Circle | Corridor, edges: str) -> Iterator[list[Spoke]]:
    """The rings of a circle or corridor, as spokes from its middle."""
    if isinstance(geometry, Circle):
        radius_m = geometry.radius_tenth_mm / TENTH_MM_PER_M
        center = _degrees(geometry.center)
        yield [
            (center, -2 * pi * i / CIRCLE_POINTS, radius_m)  # counter-clockwise
            for i in range(CIRCLE_POINTS)
        ]
        return
    width_m = geometry.half_width_tenth_mm / TENTH_MM_PER_M
    corners = [_degrees(p) for i, p in enumerate(geometry.points) if p != geometry.points[i - 1]]
    corners = corners or [_degrees(geometry.points[0])]
    legs = [_edge_points([a, b], edges) for a, b in pairwise(corners)]
    if not legs:
        center = corners[0]
        yield [(center, -2 * pi * i / CIRCLE_POINTS, width_m) for i in range(CIRCLE_POINTS)]
    elif _is_simple(legs, width_m):
        yield [*_side(legs, width_m), *_side([leg[::-1] for leg in reversed(legs)], width_m)]
    else:
        for leg in legs:
            yield [*_side([leg], width_m), *_side([leg[::-1]], width_m)]


def _side(legs: list[list[Position]], width_m: float) -> list[Spoke]:
    """The right-hand side of a line from its first point to its last, and the cap there."""
    spokes: list[Spoke] = []
    for number, leg in enumerate(legs):
        heading = [_heading(a, b) for a, b in pairwise(leg)]
        last = len(leg) - 1
        inside = number > 0 and _turn(_last_heading(legs[number - 1]), heading[0]) > 0
        for i, point in enumerate(leg):
            if (i == 0 and inside) or i == last:
                continue
            ahead = heading[i]
            if i:
                ahead = heading[i - 1] + _turn(heading[i - 1], ahead) / 2
            spokes.append((point, ahead + pi / 2, width_m))
        at, end = heading[-1], leg[-1]
        if number + 1 == len(legs):
            spokes += [
                (end, at + pi / 2 - radians(step * CAP_STEP_DEG), width_m)
                for step in range(round(180 / CAP_STEP_DEG))
            ]
            continue
        turn = _turn(at, _heading(*legs[number + 1][:2]))
        if turn > 0:  # to the right: the two sides meet on the bisector
            spokes.append((end, at + turn / 2 + pi / 2, width_m / cos(turn / 2)))
        else:  # to the left: round the corner
            count = ceil(degrees(-turn) / CAP_STEP_DEG)
            spokes += [(end, at + pi / 2 + turn * i / (count or 1), width_m) for i in range(count)]
    return spokes


def _last_heading(leg: list[Position]) -> float:
    return _heading(leg[-2], leg[-1])


def _turn(before: float, after: float) -> float:
    """The angle from one heading to another, -pi to pi, positive to the right."""
    return (after - before + pi) % (2 * pi) - pi


def _metres(a: Position, b: Position) -> Position:
    """East and north of `b` from `a` in metres, in the plane that touches the earth between them."""
    lat = radians((a[1] + b[1]) / 2)
    square = 1 - _E2 * sin(lat) ** 2
    lon = (b[0] - a[0] + 180) % 360 - 180
    return (
        radians(lon) * AXIS_M * cos(lat) / sqrt(square),
        radians(b[1] - a[1]) * AXIS_M * (1 - _E2) / square**1.5,
    )


def _heading(a: Position, b: Position) -> float:
    east, north = _metres(a, b)
    return atan2(east, north)


def _is_simple(legs: list[list[Position]], width_m: float) -> bool:
    """Whether the two sides of a line make one ring that does not cross itself."""
    if len(legs) == 1:
        return True
    if len(legs) > _LEGS_COMPARED:
        return False
    lengths = [sum(hypot(*_metres(a, b)) for a, b in pairwise(leg)) for leg in legs]
    taken = [0.0] * len(legs)
    for i, (one, two) in enumerate(pairwise(legs)):
        turn = abs(_turn(_last_heading(one), _heading(*two[:2])))
        if turn > radians(150):
            return False
        short = width_m * sin(turn / 2) / cos(turn / 2)
        taken[i] += short
        taken[i + 1] += short
    # the first part of a leg that is bent must be as long as what a corner takes of it
    if any(short > length / max(1, len(leg) - 1) for short, length, leg in zip(taken, lengths, legs, strict=True)):  # fmt: skip
        return False
    return not any(
        _near(legs[i], legs[j], 2 * width_m)
        for i in range(len(legs))
        for j in range(i + 2, len(legs))
    )


def _near(one: list[Position], two: list[Position], width_m: float) -> bool:
    """Whether two legs may come within a width; by their boxes, so that it errs towards yes."""
    origin = one[0]
    a = [_metres(origin, p) for p in one]
    b = [_metres(origin, p) for p in two]
    return all(
        min(p[k] for p in a) - width_m <= max(p[k] for p in b)
        and min(p[k] for p in b) - width_m <= max(p[k] for p in a)
        for k in range(2)
    )


def _edge_points(line: list[Position], edges: str) -> list[Position]:
    """A line with points between its vertices where the edges bend on a chart."""
    points: list[Position] = [line[0]]
    for a, b in pairwise(line):
        span = max(abs(b[0] - a[0]), abs(b[1] - a[1]))
        if edges == "geodesic":
            points += _great_arc(a, b)
        else:
            parts = max(1, ceil(span / EDGE_STEP_DEG))
            points += [
                (a[0] + (b[0] - a[0]) * i / parts, a[1] + (b[1] - a[1]) * i / parts)
                for i in range(1, parts)
            ]
        points.append(b)
    return points


def _great_arc(a: Position, b: Position) -> list[Position]:
    """Points between two places on the plane section through the earth's centre."""
    one, two = _centred(a), _centred(b)
    chord = sqrt(sum((q - p) ** 2 for p, q in zip(one, two, strict=True)))
    parts = max(1, ceil(degrees(chord) / EDGE_STEP_DEG))
    found = []
    for i in range(1, parts):
        x, y, z = ((p * (parts - i) + q * i) / parts for p, q in zip(one, two, strict=True))
        level = hypot(x, y)
        found.append((degrees(atan2(y, x)), degrees(atan2(z, level * (1 - _E2)))))
    return found


def _centred(position: Position) -> tuple[float, float, float]:
    lon, lat = radians(position[0]), radians(position[1])
    root = sqrt(1 - _E2 * sin(lat) ** 2)
    return (
        cos(lat) * cos(lon) / root,
        cos(lat) * sin(lon) / root,
        (1 - _E2) * sin(lat) / root,
    )


# -- onto a map that ends at the antimeridian ----------------------------------------------------


def _on_the_map(rings: list[list[Position]]) -> list[list[list[list[float]]]]:
    """A polygon whose rings may run past 180 degrees or round a pole, as polygons that do not."""
    if all(abs(b[0] - a[0]) <= 180 for ring in rings for a, b in pairwise(ring)) and all(
        abs(x) <= 180 for ring in rings for x, _ in ring
    ):
        return [_rounded(rings)]
    outer = _unrolled(rings[0], rings[0][0][0])
    middle = sum(x for x, _ in outer) / len(outer)
    unrolled = [outer, *(_unrolled(ring, middle) for ring in rings[1:])]
    parts = []
    first = int((min(x for x, _ in outer) + 180) // 360)
    last = int(-((180 - max(x for x, _ in outer)) // 360))
    for turn in range(first, max(first, last) + 1):
        west = -180.0 + 360 * turn
        kept = [_between(ring, west, west + 360) for ring in unrolled]
        if len(kept[0]) >= 4:
            moved = [[(x - 360 * turn, y) for x, y in ring] for ring in kept if len(ring) >= 4]
            parts.append(_rounded(moved))
    return parts


def _unrolled(ring: list[Position], near: float) -> list[Position]:
    """The ring without jumps of longitude; one that goes round a pole is led up to the pole."""
    lon = ring[0][0] + 360 * round((near - ring[0][0]) / 360)
    line = [(lon, ring[0][1])]
    for (before, _), (after, lat) in pairwise(ring):
        lon += (after - before + 180) % 360 - 180
        line.append((lon, lat))
    if abs(line[-1][0] - line[0][0]) > 180:
        pole = 90.0 if sum(y for _, y in line) > 0 else -90.0
        line += [(line[-1][0], pole), (line[0][0], pole), line[0]]
    else:
        line[-1] = line[0]
    return line


def _between(ring: list[Position], west: float, east: float) -> list[Position]:
    """The part of a closed ring between two meridians (Sutherland and Hodgman, 1974)."""
    for bound, sign in ((west, 1.0), (east, -1.0)):
        kept: list[Position] = []
        for a, b in pairwise(ring):
            in_a, in_b = sign * (a[0] - bound) >= 0, sign * (b[0] - bound) >= 0
            if in_a:
                kept.append(a)
            if in_a != in_b:
                share = (bound - a[0]) / (b[0] - a[0])
                kept.append((bound, a[1] + (b[1] - a[1]) * share))
        if not kept:
            return []
        ring = [*kept, kept[0]]
    return ring


def _rounded(rings: list[list[Position]]) -> list[list[list[float]]]:
    return [[[round(x, DIGITS), round(y, DIGITS)] for x, y in ring] for ring in rings]

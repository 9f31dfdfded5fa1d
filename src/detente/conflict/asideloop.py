"""The loops of `aside`: outlines as they lie after a move, and what surely holds of two of them.

Floating point only, to say of two outlines that they are surely too near, or surely not: with a metre to
spare, where all errors together are below a decimetre. Compiled where there is a compiler; where there is
none, what looks at each point and each part is done in arrays, and the rest runs as it is.
"""

from __future__ import annotations

from math import atan2, ceil, cos, floor, pi, sin, sqrt

import numpy as np
import numpy.typing as npt

from detente.airspace.earth import MAJOR_TENTH_MM, MEAN_RADIUS_TENTH_MM
from detente.airspace.earths import E2
from detente.airspace.near import Floats
from detente.compiled import HAS_COMPILER, compiled

Longs = npt.NDArray[np.int64]

MARGIN = 10_000.0  # 1 m
UNSURE, REFUSED = -1, -2
WIDE = 5e9  # 500 km: farther apart than this nothing is said to be surely clear by its outline
_NANO = 180e9 / pi
_EDGE = 1e-8  # radians: 6 cm; nearer to a pole or to 180 degrees the integers decide
_RATIO = 1.0 / (1.0 - E2)  # (a / b)^2
_QUARTER = 4.8e10  # farther than this from its outline nothing is inside an area (45 degrees)
_RADIUS = float(MEAN_RADIUS_TENTH_MM)
_MAJOR = float(MAJOR_TENTH_MM)
_CELLS = 1 << 16  # points times parts at once in arrays
_DEPTH = 1e5  # 10 m: chords of two parts that cross pass each other within this


@compiled
def place(normal: Floats, matrix: Floats, out: Floats) -> None:
    """The vertical of a position after a move."""
    for i in range(3):
        out[i] = matrix[i, 0] * normal[0] + matrix[i, 1] * normal[1] + matrix[i, 2] * normal[2]


@compiled
def put(x: float, y: float, z: float, points: Floats, at: int) -> None:
    """The point of the ellipsoid with that vertical."""
    prime = _MAJOR / sqrt(1.0 - E2 * z * z)
    points[at, 0] = prime * x
    points[at, 1] = prime * y
    points[at, 2] = prime * (1.0 - E2) * z


@compiled
def lay_out(
    normals: Floats,
    starts: Longs,
    closed: bool,
    planar: bool,
    matrix: Floats,
    points: Floats,
    follows: Longs,
) -> int:
    """The outline of a core after a move.

    Args:
        normals: verticals of its positions, shape (n, 3), chain after chain, no closing ones.
        starts: where each chain starts, and n; shape (chains + 1,).
        closed: rings.
        planar: edges straight in degrees.
        matrix: of the move, shape (3, 3).
        points: filled with points of parts, 0.1 mm, shape (most, 3).
        follows: filled with the row of the point at the other end of the part, -1 where there is none.

    Returns:
        How many points, or `UNSURE`, or `REFUSED` where an edge spans more than 180 degrees.
    """
    most = len(points)
    turned = np.empty((len(normals), 3))
    degrees = np.empty((len(normals), 2))
    ends = np.empty((2, 3))
    for i in range(len(normals)):
        place(normals[i], matrix, turned[i])
        if planar:
            x, y, z = turned[i, 0], turned[i, 1], turned[i, 2]
            lon, lat = atan2(y, x), atan2(z, sqrt(x * x + y * y))
            if abs(lon) > pi - _EDGE or abs(lat) > pi / 2 - _EDGE:
                return UNSURE
            degrees[i, 0], degrees[i, 1] = lon, lat
    count = 0
    for chain in range(len(starts) - 1):
        first, stop = starts[chain], starts[chain + 1]
        begin = count
        for i in range(first, stop):
            if count >= most:
                return UNSURE
            put(turned[i, 0], turned[i, 1], turned[i, 2], points, count)
            follows[count] = count + 1
            count += 1
            if i + 1 == stop and not closed:
                follows[count - 1] = -1
                break
            j = i + 1 if i + 1 < stop else first
            if planar:
                lon, lat = degrees[i, 0], degrees[i, 1]
                wide, high = degrees[j, 0] - lon, degrees[j, 1] - lat
                if abs(wide) > pi:
                    return REFUSED
                dx, dy = abs(wide) * _NANO, abs(high) * _NANO
                parts = max(
                    floor(sqrt(dx * (dx + 4.0 * dy) / 4e14)) + 1, ceil(max(dx, dy) / 5e7), 1
                )
                if count + parts > most:
                    return UNSURE
                for k in range(1, parts):
                    a, b = lon + wide * k / parts, lat + high * k / parts
                    put(cos(b) * cos(a), cos(b) * sin(a), sin(b), points, count)
                    follows[count] = count + 1
                    count += 1
            else:
                put(turned[i, 0], turned[i, 1], turned[i, 2], ends, 0)
                put(turned[j, 0], turned[j, 1], turned[j, 2], ends, 1)
                ax, ay, az = ends[0, 0], ends[0, 1], ends[0, 2]
                bx, by, bz = ends[1, 0], ends[1, 1], ends[1, 2]
                chord = sqrt((bx - ax) ** 2 + (by - ay) ** 2 + (bz - az) ** 2)
                parts = floor(chord / 1e8) + 1
                if count + parts > most:
                    return UNSURE
                nx, ny, nz = ax + bx, ay + by, (az + bz) * _RATIO
                alpha = nx * nx + ny * ny + nz * nz * _RATIO
                for k in range(1, parts):
                    t = k / parts
                    cx, cy, cz = ax + (bx - ax) * t, ay + (by - ay) * t, az + (bz - az) * t
                    beta = cx * nx + cy * ny + cz * nz * _RATIO
                    gamma = cx * cx + cy * cy + cz * cz * _RATIO - _MAJOR * _MAJOR
                    up = -gamma / (sqrt(beta * beta - alpha * gamma) + beta)
                    points[count, 0] = cx + up * nx
                    points[count, 1] = cy + up * ny
                    points[count, 2] = cz + up * nz
                    follows[count] = count + 1
                    count += 1
        if closed:
            follows[count - 1] = begin
    return count


@compiled
def _outside(outline: Floats) -> Floats:
    """A place of the globe a quarter turn from the middle of an outline, so outside it."""
    x = y = z = 0.0
    for i in range(len(outline)):
        x, y, z = x + outline[i, 0], y + outline[i, 1], z + outline[i, 2]
    far = np.zeros(3)
    wide = sqrt(x * x + y * y)
    if wide < 1e-3 * abs(z):
        far[0] = _RADIUS
    else:
        far[0], far[1] = -y / wide * _RADIUS, x / wide * _RADIUS
    return far


@compiled
def _gap_loop(points: Floats, outline: Floats, follows: Longs) -> Floats:
    """How far each point is from an outline, as `reach` measures it, shape (n,)."""
    gaps = np.empty(len(points))
    for i in range(len(points)):
        square = np.inf
        px, py, pz = points[i, 0], points[i, 1], points[i, 2]
        for j in range(len(outline)):
            ax, ay, az = px - outline[j, 0], py - outline[j, 1], pz - outline[j, 2]
            value = ax * ax + ay * ay + az * az
            k = follows[j]
            if k >= 0:
                bx = outline[k, 0] - outline[j, 0]
                by = outline[k, 1] - outline[j, 1]
                bz = outline[k, 2] - outline[j, 2]
                u, w = ax * bx + ay * by + az * bz, bx * bx + by * by + bz * bz
                if 0.0 < u < w:
                    sag = u * (w - u) / (2.0 * _RADIUS * w)
                    value = value - u * u / w - sag * sag
            square = min(square, value)
        gaps[i] = sqrt(max(square, 0.0))
    return gaps


def _gap_arrays(points: Floats, outline: Floats, follows: Longs) -> Floats:
    """The same in arrays."""
    tails = outline
    heads = outline[np.where(follows >= 0, follows, np.arange(len(outline)))]
    along = heads - tails
    w = (along * along).sum(axis=1)
    gaps = np.empty(len(points))
    step = max(1, _CELLS // len(outline))
    for start in range(0, len(points), step):
        a = points[start : start + step, None, :] - tails
        square = (a * a).sum(axis=2)
        u = (a * along).sum(axis=2)
        inner = (u > 0.0) & (u < w)
        length = np.where(w > 0.0, w, 1.0)
        sag = u * (w - u) / (2.0 * _RADIUS * length)
        square = np.where(inner, square - u * u / length - sag * sag, square)
        gaps[start : start + step] = np.sqrt(np.maximum(square.min(axis=1), 0.0))
    return gaps


@compiled
def _side_loop(place: Floats, outline: Floats, follows: Longs, far: Floats) -> int:
    """1 where a place is surely inside, -1 where surely outside, 0 where that is not sure.

    The arc to a place outside, `far`, crosses an odd number of parts.
    """
    px, py, pz = place[0], place[1], place[2]
    nx, ny, nz = py * far[2] - pz * far[1], pz * far[0] - px * far[2], px * far[1] - py * far[0]
    size = sqrt(nx * nx + ny * ny + nz * nz)
    odd = False
    for j in range(len(outline)):
        k = follows[j]
        ax, ay, az = outline[j, 0], outline[j, 1], outline[j, 2]
        ex, ey, ez = ax - px, ay - py, az - pz
        fx, fy, fz = outline[k, 0] - px, outline[k, 1] - py, outline[k, 2] - pz
        tail, head = nx * ex + ny * ey + nz * ez, nx * fx + ny * fy + nz * fz
        if abs(tail) < size * 1e-2 or abs(head) < size * 1e-2:
            return 0  # within 1 um of the arc's plane: another place will do
        if (tail > 0.0) == (head > 0.0):
            continue
        bx, by, bz = outline[k, 0] - ax, outline[k, 1] - ay, outline[k, 2] - az
        mx, my, mz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        length = sqrt(mx * mx + my * my + mz * mz)
        here = -(mx * ex + my * ey + mz * ez)
        there = mx * (far[0] - ax) + my * (far[1] - ay) + mz * (far[2] - az)
        if abs(here) < length * MARGIN / 2.0 or abs(there) < length * MARGIN:
            return 0
        if (here > 0.0) != (there > 0.0):
            odd = not odd
    return 1 if odd else -1


def _side_arrays(place: Floats, outline: Floats, follows: Longs, far: Floats) -> int:
    """The same in arrays."""
    normal = np.array(
        [
            place[1] * far[2] - place[2] * far[1],
            place[2] * far[0] - place[0] * far[2],
            place[0] * far[1] - place[1] * far[0],
        ]
    )
    least = float(np.sqrt(normal @ normal)) * 1e-2
    tail = (outline - place) @ normal
    if (np.abs(tail) < least).any():
        return 0
    rows = ((tail > 0.0) != (tail[follows] > 0.0)).nonzero()[0]
    odd = False
    for j in rows.tolist():
        a = outline[j]
        m = np.cross(a, outline[follows[j]] - a)
        length = float(np.sqrt(m @ m))
        here, there = float(m @ (place - a)), float(m @ (far - a))
        if abs(here) < length * MARGIN / 2.0 or abs(there) < length * MARGIN:
            return 0
        if (here > 0.0) != (there > 0.0):
            odd = not odd
    return 1 if odd else -1


@compiled
def _cross_loop(one: Floats, after: Longs, two: Floats, then: Longs) -> bool:
    """Whether a part of one surely crosses a part of the other: each end a metre beyond the other's plane."""
    for i in range(len(one)):
        k = after[i]
        if k < 0:
            continue
        ax, ay, az = one[i, 0], one[i, 1], one[i, 2]
        bx, by, bz = one[k, 0] - ax, one[k, 1] - ay, one[k, 2] - az
        long_one = bx * bx + by * by + bz * bz
        mx, my, mz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        m_size = sqrt(mx * mx + my * my + mz * mz) * MARGIN
        for j in range(len(two)):
            h = then[j]
            if h < 0:
                continue
            cx, cy, cz = two[j, 0] - ax, two[j, 1] - ay, two[j, 2] - az
            qx, qy, qz = two[h, 0] - two[j, 0], two[h, 1] - two[j, 1], two[h, 2] - two[j, 2]
            long_two = qx * qx + qy * qy + qz * qz
            if cx * cx + cy * cy + cz * cz > 2.0 * (long_one + long_two):
                continue
            side_c = mx * cx + my * cy + mz * cz
            side_d = side_c + mx * qx + my * qy + mz * qz
            if abs(side_c) < m_size or abs(side_d) < m_size or (side_c > 0.0) == (side_d > 0.0):
                continue
            ox, oy, oz = two[j, 0], two[j, 1], two[j, 2]
            nx, ny, nz = oy * qz - oz * qy, oz * qx - ox * qz, ox * qy - oy * qx
            n_size = sqrt(nx * nx + ny * ny + nz * nz) * MARGIN
            side_a = -(nx * cx + ny * cy + nz * cz)
            side_b = side_a + nx * bx + ny * by + nz * bz
            if abs(side_a) < n_size or abs(side_b) < n_size:
                continue
            if (side_a > 0.0) != (side_b > 0.0):
                return True
    return False


def _cross_arrays(one: Floats, after: Longs, two: Floats, then: Longs) -> bool:
    """The same in arrays, a part of one at a time."""
    rows = (then >= 0).nonzero()[0]
    tails = two[rows]
    along = two[then[rows]] - tails
    normals = np.cross(tails, along)
    sizes = np.sqrt((normals * normals).sum(axis=1)) * MARGIN
    lengths = (along * along).sum(axis=1)
    for i in (after >= 0).nonzero()[0].tolist():
        a = one[i]
        b = one[after[i]] - a
        m = np.cross(a, b)
        m_size = float(np.sqrt(m @ m)) * MARGIN
        c = tails - a
        side_c = c @ m
        side_d = side_c + along @ m
        side_a = -(normals * c).sum(axis=1)
        side_b = side_a + normals @ b
        if (
            ((c * c).sum(axis=1) <= 2.0 * (float(b @ b) + lengths))
            & (np.abs(side_c) >= m_size)
            & (np.abs(side_d) >= m_size)
            & ((side_c > 0.0) != (side_d > 0.0))
            & (np.abs(side_a) >= sizes)
            & (np.abs(side_b) >= sizes)
            & ((side_a > 0.0) != (side_b > 0.0))
        ).any():
            return True
    return False


gaps_of = _gap_loop if HAS_COMPILER else _gap_arrays
side_of = _side_loop if HAS_COMPILER else _side_arrays
cross = _cross_loop if HAS_COMPILER else _cross_arrays


@compiled
def longest_of(points: Floats, follows: Longs) -> float:
    """The square of the longest part of an outline; 0 for a lone point."""
    most = 0.0
    for i in range(len(points)):
        k = follows[i]
        if k >= 0:
            bx, by = points[k, 0] - points[i, 0], points[k, 1] - points[i, 1]
            bz = points[k, 2] - points[i, 2]
            most = max(most, bx * bx + by * by + bz * bz)
    return most


@compiled
def compare(
    one: Floats,
    after: Longs,
    one_closed: bool,
    two: Floats,
    then: Longs,
    two_closed: bool,
    reach: float,
) -> tuple[float, bool]:
    """How two outlines lie to each other, where that is sure.

    Args:
        one: points of an outline, shape (n, 3), all within `WIDE` of each other.
        after: its parts, as `lay_out` gives them.
        one_closed: it is an area.
        two, then, two_closed: another.
        reach: the chord below which they are too near, 0.1 mm.

    Returns:
        How far they may surely go apart and still be too near, negative where that is not sure; and whether
        they are surely not too near.
    """
    gaps_one, gaps_two = gaps_of(one, two, then), gaps_of(two, one, after)
    best = max(
        _slack(one, gaps_one, two, then, two_closed, reach),
        _slack(two, gaps_two, one, after, one_closed, reach),
    )
    if best >= 0.0:
        return best, False
    least = min(float(gaps_one.min()), float(gaps_two.min()))
    # where two parts cross, some end of each is within half its length of the other
    half = sqrt(min(longest_of(one, after), longest_of(two, then))) / 2.0 + _DEPTH
    if least <= half:
        return (0.0 if cross(one, after, two, then) else -1.0), False
    if least <= reach + MARGIN or least >= WIDE or reach >= WIDE:
        return -1.0, False
    # No part meets another, so an area that holds nothing of the other's edge is apart from it or inside it.
    apart = (not two_closed or side_of(one[0], two, then, _outside(two)) < 0) and (
        not one_closed or side_of(two[0], one, after, _outside(one)) < 0
    )
    return -1.0, apart


@compiled
def _slack(
    points: Floats, gaps: Floats, outline: Floats, follows: Longs, closed: bool, reach: float
) -> float:
    """How far the points of one may go from an outline, or out of it, and still be too near; negative where none is."""
    best = reach - float(gaps.min()) - MARGIN
    if not closed:
        return best
    far = _outside(outline)
    for i in range(len(points)):
        gap = gaps[i]
        deep = float(gap) + reach - MARGIN
        if gap <= MARGIN or gap >= _QUARTER or deep <= best:
            continue
        if side_of(points[i], outline, follows, far) > 0:
            best = deep
    return best


@compiled
def extent_of(place: Floats, points: Floats, follows: Longs, closed: bool) -> tuple[float, float]:
    """How far a place lies inside an area's outline (negative where that is not sure), and its farthest point."""
    most = 0.0
    for i in range(len(points)):
        x, y, z = points[i, 0] - place[0], points[i, 1] - place[1], points[i, 2] - place[2]
        most = max(most, x * x + y * y + z * z)
    most = sqrt(most)
    if not closed or most > WIDE:
        return -1.0, most
    far = _outside(points)
    if side_of(place, points, follows, far) <= 0:
        return -1.0, most
    spot = np.empty((1, 3))
    spot[0] = place
    return float(gaps_of(spot, points, follows)[0]), most

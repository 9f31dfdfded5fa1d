"""The search of `aside` for the next candidate that may be clear, in the written order.

Each candidate that it passes over is surely not clear. Two tests say so: the balls inside two outlines,
which turn with them and cost a subtraction; then the outlines themselves. Floating point only, see
`asideloop`; docs/adr/0118 has the bounds.
"""

from __future__ import annotations

from math import cos, radians, sin, sqrt
from typing import NamedTuple

import numpy as np

from detente.airspace.earth import MEAN_RADIUS_TENTH_MM
from detente.airspace.near import Floats
from detente.airspace.rotation import ARC_TENTH_MM
from detente.compiled import compiled
from detente.conflict.aside import ASIDE_STEP, RIGID, STEPS, WINDS
from detente.conflict.asideloop import MARGIN, REFUSED, UNSURE, WIDE, Longs, compare, lay_out, put

_RADIUS = float(MEAN_RADIUS_TENTH_MM)
_STEP = float(ASIDE_STEP)
_ANGLE = radians(ASIDE_STEP / ARC_TENTH_MM)
_STILL: Floats = np.eye(3)


class Bodies(NamedTuple):
    """Outlines that move, or stand still, together; b of them.

    Args:
        normals: verticals of all positions, shape (n, 3).
        rows: where those of each start, shape (b + 1,).
        starts: where each chain starts among its body's own positions, and their number, one body after another.
        chains: where those of each start, shape (b + 1,).
        closed, planar: areas; edges straight in degrees. Shape (b,).
        movers: which mover turns it, -1 for none.
        speeds: how far a place of it moves at most for each 0.1 mm, whatever its edges; may be infinite.
        bends: how far a place of it may be from one that turns with its positions, 0.1 mm; may be infinite.
        inner: a vertical, shape (b, 3), and how far around it all is of the body, wherever it lies: shape (b, 4).
        outer: a vertical, and how far from it all of the body is, wherever it lies: shape (b, 4); may be infinite.
        spots: the points of both, shape (b, 2, 3); worked on.
        points, follows: room for outlines, shapes (p, 3) and (p,); worked on.
        places: where that of each starts, shape (b + 1,).
        laid: the step and the wind for which each is laid out, and the number of its points, shape (b, 3); worked on.
    """

    normals: Floats
    rows: Longs
    starts: Longs
    chains: Longs
    closed: np.ndarray[tuple[int], np.dtype[np.bool_]]
    planar: np.ndarray[tuple[int], np.dtype[np.bool_]]
    movers: Longs
    speeds: Floats
    bends: Floats
    inner: Floats
    outer: Floats
    spots: Floats
    points: Floats
    follows: Longs
    places: Longs
    laid: Longs


class Pairs(NamedTuple):
    """What must come clear of each other; p of them.

    Args:
        one, two: rows of `Bodies`, shape (p,).
        reaches: chords below which they are too near, 0.1 mm.
        orders: for each wind, which is asked first: what was in the way last. Shape (16, p); worked on.
        clear: filled, for the candidate that was found, with whether each is surely clear.
    """

    one: Longs
    two: Longs
    reaches: Floats
    orders: Longs
    clear: np.ndarray[tuple[int], np.dtype[np.bool_]]


@compiled
def next_candidate(
    bodies: Bodies,
    pairs: Pairs,
    across: Floats,
    along: Floats,
    steps: Longs,
    half: int,
    first_step: int,
    first_axis: int,
) -> int:
    """The wind of the next candidate that is not surely too near; -1 where there is none.

    Args:
        bodies, pairs: see there.
        across, along: what is multiplied by the sine and the cosine less 1 in each mover's matrix, shape (movers, 16, 3, 3).
        steps: the least step of each wind that has not been looked at, shape (16,); moved on.
        half: 16, or 8 where both ends of an axis count as one.
        first_step: of the candidate that was found before; 0 if there is none.
        first_axis: likewise: only its other end is looked for.
    """
    while True:
        # (step, axis, end of the axis): the written order
        best = 0
        for axis in range(half):
            for wind in range(axis, WINDS, half):
                if steps[wind] < steps[best]:
                    best = wind
        step = steps[best]
        if step > STEPS or (first_step > 0 and (step, best % half) != (first_step, first_axis)):
            return -1
        skip = _skip(bodies, pairs, across, along, step, best)
        if skip == 0:
            return best
        steps[best] = step + skip


@compiled
def _skip(bodies: Bodies, pairs: Pairs, across: Floats, along: Floats, step: int, wind: int) -> int:
    """How many candidates of a wind, from this one on, are surely not clear; 0 if this one may be."""
    angle = step * _ANGLE
    matrices = np.empty((len(across), 3, 3))
    for m in range(len(across)):
        matrices[m] = _STILL + sin(angle) * across[m, wind] + (cos(angle) - 1.0) * along[m, wind]
    for b in range(len(bodies.movers)):
        if bodies.movers[b] >= 0:
            move_spots(bodies, b, matrices[bodies.movers[b]])
    most = 0
    for p in range(len(pairs.one)):
        one, two = pairs.one[p], pairs.two[p]
        room = bodies.inner[one, 3] + bodies.inner[two, 3] + pairs.reaches[p] - MARGIN
        away = _between(bodies.spots[one, 0], bodies.spots[two, 0])
        if room < WIDE and away < room:
            # the arc over a chord c is below c + 0.05 c^3 / R^2 up to 500 km
            arc = away * (1.0 + 0.05 * (away / _RADIUS) ** 2)
            if arc < room:
                rate = _rate(bodies, one, two) * _STEP
                most = max(most, 1 + int((room - arc) / rate))
    if most > 0:
        return most
    order = pairs.orders[wind]
    for at in range(len(order)):
        p = order[at]
        one, two = pairs.one[p], pairs.two[p]
        reach = pairs.reaches[p]
        away = _between(bodies.spots[one, 1], bodies.spots[two, 1])
        wide = max(bodies.outer[one, 3], bodies.outer[two, 3]) < WIDE
        pairs.clear[p] = (
            wide and away - bodies.outer[one, 3] - bodies.outer[two, 3] > reach + MARGIN
        )
        if pairs.clear[p]:
            continue
        count_one = _lay(bodies, one, matrices, step, wind)
        count_two = _lay(bodies, two, matrices, step, wind)
        if count_one == REFUSED or count_two == REFUSED:
            return 1
        if count_one == UNSURE or count_two == UNSURE:
            continue
        from_one, from_two = bodies.places[one], bodies.places[two]
        slack, clear = compare(
            bodies.points[from_one : from_one + count_one],
            bodies.follows[from_one : from_one + count_one],
            bodies.closed[one],
            bodies.points[from_two : from_two + count_two],
            bodies.follows[from_two : from_two + count_two],
            bodies.closed[two],
            reach,
        )
        if slack >= 0.0:
            for k in range(at, 0, -1):
                order[k] = order[k - 1]
            order[0] = p
            moves_one, moves_two = bodies.movers[one] >= 0, bodies.movers[two] >= 0
            speed = (bodies.speeds[one] if moves_one else 0.0) + (
                bodies.speeds[two] if moves_two else 0.0
            )
            bend = (bodies.bends[one] if moves_one else 0.0) + (
                bodies.bends[two] if moves_two else 0.0
            )
            far = max(slack / speed, (slack - 2.0 * bend) / _rate(bodies, one, two))
            return 1 + int(far / _STEP)
        pairs.clear[p] = clear and wide
    return 0


@compiled
def begin(bodies: Bodies) -> None:
    """Put the balls of all bodies where they are now."""
    for b in range(len(bodies.movers)):
        move_spots(bodies, b, _STILL)


@compiled
def move_spots(bodies: Bodies, body: int, matrix: Floats) -> None:
    """Lay the middles of a body's balls out after a move."""
    for k in range(2):
        ball = bodies.inner[body] if k == 0 else bodies.outer[body]
        x = matrix[0, 0] * ball[0] + matrix[0, 1] * ball[1] + matrix[0, 2] * ball[2]
        y = matrix[1, 0] * ball[0] + matrix[1, 1] * ball[1] + matrix[1, 2] * ball[2]
        z = matrix[2, 0] * ball[0] + matrix[2, 1] * ball[1] + matrix[2, 2] * ball[2]
        put(x, y, z, bodies.spots[body], k)


@compiled
def _rate(bodies: Bodies, one: int, two: int) -> float:
    """How fast two may go apart that turn with their positions."""
    moving = int(bodies.movers[one] >= 0) + int(bodies.movers[two] >= 0)
    return RIGID * moving


@compiled
def _between(a: Floats, b: Floats) -> float:
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return sqrt(x * x + y * y + z * z)


@compiled
def _lay(bodies: Bodies, body: int, matrices: Floats, step: int, wind: int) -> int:
    """Lay a body out for a candidate: the number of its points, or why there are none."""
    mover = bodies.movers[body]
    if mover < 0:
        step, wind = 0, 0
    laid = bodies.laid[body]
    if laid[0] != step or laid[1] != wind:
        start, stop = bodies.places[body], bodies.places[body + 1]
        laid[0], laid[1] = step, wind
        laid[2] = lay_out(
            bodies.normals[bodies.rows[body] : bodies.rows[body + 1]],
            bodies.starts[bodies.chains[body] : bodies.chains[body + 1]],
            bodies.closed[body],
            bodies.planar[body],
            _STILL if mover < 0 else matrices[mover],
            bodies.points[start:stop],
            bodies.follows[start:stop],
        )
    return int(laid[2])

"""Sides, insides and crossings, decided exactly.

A place is a vector of three integers, and an edge is the plane through its two ends and the origin.
One orientation test, the sign of a 3 x 3 integer determinant, then serves two charts:

* *flat*: (longitude, latitude, 1). Planar edges are straight here by definition (RFC 7946), so two
  planar areas are compared with no approximation at all.
* *globe*: earth-centred coordinates. Every kind of edge has a form here, and neither the
  antimeridian nor a pole is a special place.

Floating point only filters: a sign is taken from it when its magnitude is above a bound on its
rounding error, and from integers otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from detente.airspace.near import Floats

Vector = tuple[int, int, int]
Signs = npt.NDArray[np.int8]

# |error| of the filter's determinant is at most 8 roundings (2^-53 each) of the sum of the absolute
# products; twice that is kept.
_FILTER = 16 * 2.0**-53
_FEW = 16


def cross(u: Vector, v: Vector) -> Vector:
    """The vector product: the plane through two places."""
    return (
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    )


def dot(u: Vector, v: Vector) -> int:
    """The scalar product."""
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def orient(u: Vector, v: Vector, w: Vector) -> int:
    """1 if w lies left of the edge u-v, -1 if right, 0 if in line.

    Example:
        >>> orient((0, 0, 1), (1, 0, 1), (0, 1, 1))
        1
    """
    value = (
        u[0] * (v[1] * w[2] - v[2] * w[1])
        + u[1] * (v[2] * w[0] - v[0] * w[2])
        + u[2] * (v[0] * w[1] - v[1] * w[0])
    )
    return (value > 0) - (value < 0)


def on_edge(a: Vector, b: Vector, p: Vector) -> bool:
    """Whether p, known to be in line with a and b, lies between them or at one of them."""
    normal = cross(a, b)
    return dot(cross(normal, a), p) >= 0 and dot(cross(b, normal), p) >= 0


def signs_of(
    a: Floats, b: Floats, c: Floats, exact: Callable[[int], tuple[Vector, Vector, Vector]]
) -> Signs:
    """The orientation of many triples.

    Args:
        a: first vectors, shape (n, 3) or (3,), whole or half numbers below 2^40.
        b: second vectors, likewise.
        c: third vectors, likewise.
        exact: gives the integer vectors of a row (or any positive multiples of them); asked only
            where the filter cannot tell, or of a few rows, which integers decide faster.
    """
    if c.ndim == 2 and len(c) <= _FEW:
        return np.array([orient(*exact(row)) for row in range(len(c))], dtype=np.int8)
    a, u, v = np.broadcast_arrays(a, b - a, c - a)
    products = np.empty((len(a), 6))
    products[:, 0], products[:, 1] = a[:, 0] * u[:, 1] * v[:, 2], a[:, 0] * u[:, 2] * v[:, 1]
    products[:, 2], products[:, 3] = a[:, 1] * u[:, 2] * v[:, 0], a[:, 1] * u[:, 0] * v[:, 2]
    products[:, 4], products[:, 5] = a[:, 2] * u[:, 0] * v[:, 1], a[:, 2] * u[:, 1] * v[:, 0]
    value = products[:, 0] - products[:, 1] + products[:, 2]
    value = value - products[:, 3] + products[:, 4] - products[:, 5]
    bound = _FILTER * np.abs(products).sum(axis=1)
    signs = np.sign(value).astype(np.int8)
    for row in np.nonzero(np.abs(value) <= bound)[0]:
        signs[row] = orient(*exact(int(row)))
    return signs

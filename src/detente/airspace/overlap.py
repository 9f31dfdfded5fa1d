"""Do two outlines overlap, only touch, or lie apart? Exact, in one chart.

Two areas overlap if some edge of one crosses an edge of the other; else if some stretch of one's
boundary lies inside the other; else if they share a stretch of boundary with both insides on the
same side of it. These are all the ways: the boundary of a common part consists of stretches of the
two boundaries, and each lies inside the other area or on its boundary.
"""

from __future__ import annotations

from functools import cmp_to_key
from itertools import pairwise

import numpy as np

from detente.airspace.near import Budget, Indices, near_pairs
from detente.airspace.outline import Outline
from detente.airspace.plane import Vector, cross, dot, on_edge, signs_of

OVERLAP, TOUCH, APART = 2, 1, 0


def meet(a: Outline, b: Outline, budget: Budget) -> int:
    """How two outlines lie to each other.

    Args:
        a: an area with its interior on the left of every edge (see `wound`), a line or a point.
        b: likewise, in the same chart.
        budget: what the answer may cost.

    Returns:
        `OVERLAP` if two areas have interior points in common, `TOUCH` if the boundaries meet, or a
        line or point lies in an area, else `APART`. Two lines that only touch, and a point on a
        line, are left to `reach`, where their distance is zero.

    Raises:
        TooMuchWork: the budget is spent.
    """
    contacts_a = _Contacts(a)
    contacts_b = _Contacts(b)
    areas = a.closed and b.closed
    if len(a.tails) and len(b.tails) and _edges_meet(a, b, contacts_a, contacts_b, budget):
        return OVERLAP if areas else TOUCH
    touching = contacts_a.any or contacts_b.any
    if not areas:
        if touching or _ends_inside(a, b, budget) or _ends_inside(b, a, budget):
            return TOUCH
        return APART
    if _enters(contacts_a, b, budget) or _enters(contacts_b, a, budget):
        return OVERLAP
    return TOUCH if touching else APART


class _Contacts:
    """Where one outline's boundary meets the other's, without crossing it."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.vertices: set[int] = set()  # own vertices on the other's boundary
        self.splits: dict[int, set[Vector]] = {}  # own edge -> other's vertices inside it
        self.shared: dict[
            int, list[tuple[Vector, Vector]]
        ] = {}  # own edge -> edges in line with it

    @property
    def any(self) -> bool:
        return bool(self.vertices or self.splits)

    def add(self, edge: int, place: Vector) -> None:
        """Notes that a vertex of the other lies on an own edge."""
        outline = self.outline
        if place == outline.vertices[outline.tails[edge]]:
            self.vertices.add(int(outline.tails[edge]))
        elif place == outline.vertices[outline.heads[edge]]:
            self.vertices.add(int(outline.heads[edge]))
        else:
            self.splits.setdefault(edge, set()).add(place)


def _edges_meet(a: Outline, b: Outline, at_a: _Contacts, at_b: _Contacts, budget: Budget) -> bool:
    """Whether an edge of a crosses one of b at an inner point of both; else notes every contact."""
    i, j = near_pairs(a.low, a.high, b.low, b.high, budget)
    step = 1 << 18
    for start in range(0, len(i), step):
        if _some_meet(a, b, at_a, at_b, i[start : start + step], j[start : start + step]):
            return True
    return False


def _some_meet(
    a: Outline,
    b: Outline,
    at_a: _Contacts,
    at_b: _Contacts,
    i: Indices,
    j: Indices,
) -> bool:
    tail_a, head_a = a.array[a.tails[i]], a.array[a.heads[i]]
    tail_b, head_b = b.array[b.tails[j]], b.array[b.heads[j]]
    turn_1 = signs_of(tail_a, head_a, tail_b, lambda row: (*a.edge(i[row]), b.edge(j[row])[0]))
    turn_2 = signs_of(tail_a, head_a, head_b, lambda row: (*a.edge(i[row]), b.edge(j[row])[1]))
    split = turn_1 * turn_2 <= 0  # b's ends are not strictly on one side of a's edge
    if not split.any():
        return False
    i, j, turn_1, turn_2 = i[split], j[split], turn_1[split], turn_2[split]
    tail_a, tail_b, head_b = tail_a[split], tail_b[split], head_b[split]
    head_a = head_a[split]
    turn_3 = signs_of(tail_b, head_b, tail_a, lambda row: (*b.edge(j[row]), a.edge(i[row])[0]))
    turn_4 = signs_of(tail_b, head_b, head_a, lambda row: (*b.edge(j[row]), a.edge(i[row])[1]))
    if bool(((turn_1 * turn_2 < 0) & (turn_3 * turn_4 < 0)).any()):
        return True
    for row in np.nonzero((turn_1 == 0) | (turn_2 == 0) | (turn_3 == 0) | (turn_4 == 0))[0]:
        edge_a, edge_b = int(i[row]), int(j[row])
        (a1, a2), (b1, b2) = a.edge(edge_a), b.edge(edge_b)
        if turn_1[row] == 0 and on_edge(a1, a2, b1):
            at_a.add(edge_a, b1)
            at_b.add(edge_b, b1)
        if turn_2[row] == 0 and on_edge(a1, a2, b2):
            at_a.add(edge_a, b2)
            at_b.add(edge_b, b2)
        if turn_3[row] == 0 and on_edge(b1, b2, a1):
            at_a.add(edge_a, a1)
            at_b.add(edge_b, a1)
        if turn_4[row] == 0 and on_edge(b1, b2, a2):
            at_a.add(edge_a, a2)
            at_b.add(edge_b, a2)
        if turn_1[row] == 0 and turn_2[row] == 0:
            at_a.shared.setdefault(edge_a, []).append((b1, b2))
            at_b.shared.setdefault(edge_b, []).append((a1, a2))
    return False


def _ends_inside(inner: Outline, outer: Outline, budget: Budget) -> bool:
    """Whether a chain of one, known not to cross the other, starts inside or on it."""
    if not outer.closed:
        return False
    budget.spend(len(outer.tails) * len(inner.spans))
    return any(outer.side_of(inner.vertices[start]) >= 0 for start, _stop in inner.spans)


def _enters(contacts: _Contacts, other: Outline, budget: Budget) -> bool:
    """Whether some stretch of a boundary lies inside the other area, or alongside its inside."""
    outline = contacts.outline
    for start, stop in outline.spans:
        whole = True  # no contact on this ring yet: one vertex then speaks for all of it
        for vertex in range(start, stop):
            edge = vertex  # in a ring the edge after a vertex has the vertex's number
            if vertex in contacts.vertices or edge in contacts.splits:
                whole = False
                break
        if whole:
            if _inside(other, outline.vertices[start], budget):
                return True
        elif _ring_enters(contacts, other, start, stop, budget):
            return True
    return False


def _ring_enters(
    contacts: _Contacts, other: Outline, start: int, stop: int, budget: Budget
) -> bool:
    outline = contacts.outline
    known = False  # whether the present contact-free stretch has been looked at
    if start not in contacts.vertices and _inside(other, outline.vertices[start], budget):
        return True
    for edge in range(start, stop):
        tail, head = outline.edge(edge)
        if edge == start:
            known = start not in contacts.vertices
        nodes = [tail, *_in_order(tail, head, contacts.splits.get(edge, ())), head]
        tail_is_contact = edge in contacts.vertices
        head_is_contact = int(outline.heads[edge]) in contacts.vertices
        for k, (p, q) in enumerate(pairwise(nodes)):
            p_contact = k > 0 or tail_is_contact
            q_contact = k < len(nodes) - 2 or head_is_contact
            if p_contact:
                known = False
            if p_contact and q_contact:
                if _segment_enters(contacts, other, edge, p, q, budget):
                    return True
            elif not known:
                if _inside(other, p if not p_contact else q, budget):
                    return True
                known = True
    return False


def _segment_enters(
    contacts: _Contacts, other: Outline, edge: int, p: Vector, q: Vector, budget: Budget
) -> bool:
    """The same for one segment whose two ends are contacts: shared, or inside, or outside."""
    middle = (p[0] + q[0], p[1] + q[1], p[2] + q[2])
    tail, head = contacts.outline.edge(edge)
    for b1, b2 in contacts.shared.get(edge, ()):
        if on_edge(b1, b2, middle):
            return dot(cross(tail, head), cross(b1, b2)) > 0
    return _inside(other, middle, budget)


def _inside(area: Outline, place: Vector, budget: Budget) -> bool:
    budget.spend(len(area.tails))
    return area.side_of(place) > 0


def _in_order(tail: Vector, head: Vector, splits: set[Vector] | tuple[()]) -> list[Vector]:
    """Points of one edge, from its tail to its head."""
    if len(splits) < 2:
        return list(splits)
    normal = cross(tail, head)

    def before(p: Vector, q: Vector) -> int:
        return -1 if dot(normal, cross(p, q)) > 0 else 1

    return sorted(splits, key=cmp_to_key(before))


def wound(ring: list[Vector], far: Vector) -> list[Vector]:
    """The ring with its inside on the left of every edge.

    Exact for any simple ring: beside one edge, the crossings of a ray to `far` are counted.
    """
    size = len(ring)
    for k in range(size):
        a, b = ring[k], ring[(k + 1) % size]
        plane = cross(a, b)
        turn = dot(plane, far)
        if turn == 0:
            continue
        middle = (a[0] + b[0], a[1] + b[1], a[2] + b[2])
        x, y, z = cross(middle, far)
        lefts = [x * u + y * v + z * w >= 0 for u, v, w in ring]
        odd = False
        for m, left in enumerate(lefts):
            left_next = lefts[m + 1 - size]
            if left == left_next or m == k:
                continue
            if (dot(cross(ring[m], ring[m + 1 - size]), middle) > 0) == left_next:
                odd = not odd
        # The ray leaves on the left if turn > 0; that side is inside if the count is odd.
        return list(ring) if odd == (turn > 0) else ring[::-1]
    return list(ring)

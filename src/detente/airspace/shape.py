"""A geometry made ready for exact comparison, and the lateral comparison of two.

A shape is a *core* (a point, a line or polygons) and a thickness: a circle is a point and its
radius, a corridor a line and its half width. The lateral gap of two shapes is the distance of their
cores less both thicknesses; the comparison needs no root and no covering polygon.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product
from math import isqrt
from weakref import ref

import numpy as np

from detente.airspace.area import (
    LAT_MAX_NANODEG,
    LON_MAX_NANODEG,
    Area,
    Circle,
    Geometry,
    LonLat,
    Moving,
)
from detente.airspace.earth import (
    MEAN_RADIUS_TENTH_MM,
    ONE,
    QUARTER_NANODEG,
    TURN_NANODEG,
    Point,
    chord_of,
    earth_point,
    sine_cosine,
)
from detente.airspace.edge import cut_line
from detente.airspace.near import Budget, Floats, TooMuchWork, near_pairs
from detente.airspace.outline import GLOBE_PAD, Outline
from detente.airspace.overlap import APART, OVERLAP, TOUCH, meet, wound
from detente.airspace.plane import Vector, dot
from detente.airspace.reach import compare_distance

Box = tuple[Point, Point]

_PAD = int(GLOBE_PAD)
_MEETING_COST = 300  # what one comparison costs beyond its edges, in edge pairs


class Part:
    """One connected core: a point, a line, or one polygon with its holes.

    Args:
        chains: the rings (closed, first position repeated), the line, or the one point.
        closed: a polygon.
        edges: ``"planar"`` or ``"geodesic"``.
    """

    def __init__(self, chains: tuple[tuple[LonLat, ...], ...], *, closed: bool, edges: str) -> None:
        self.chains = chains
        self.closed = closed
        self.edges = edges
        # A point has no edges, so it has a place in either chart.
        self.has_flat = edges == "planar" or len(chains[0]) == 1
        # The last part that this one was compared with, how they lie, and what that cost.
        self.met: tuple[ref[Part], int, int] | None = None

    @cached_property
    def flat(self) -> Outline:
        """The core in the flat chart; planar edges or a point only."""
        chains: list[list[Vector]] = [[(lon, lat, 1) for lon, lat in c] for c in self.chains]
        if self.closed:
            chains = [wound(chain[:-1], (1, 0, 0)) for chain in chains]
            chains = chains[:1] + [hole[::-1] for hole in chains[1:]]
        return Outline(chains, closed=self.closed, flat=True)

    @cached_property
    def globe(self) -> Outline:
        """The core in earth-centred coordinates, its edges cut into parts."""
        if len(self.chains[0]) == 1:
            return Outline([[earth_point(*self.chains[0][0])]], closed=False, flat=False)
        chains = [cut_line(chain, self.edges) for chain in self.chains]
        if not self.closed:
            return Outline(chains, closed=False, flat=False)
        chains = [chain[:-1] if chain[0] == chain[-1] else chain for chain in chains]
        middle = middle_of(chains[0])
        far = (-middle[1], middle[0], 0) if middle[0] or middle[1] else (1, 0, 0)
        if any(dot(middle, place) <= 0 for place in chains[0]):
            raise TooMuchWork  # `rules` refuses such an area; a planar edge can still stray
        chains = [wound(chain, far) for chain in chains]
        chains = chains[:1] + [hole[::-1] for hole in chains[1:]]
        return Outline(chains, closed=True, flat=False, far=far, middle=middle)

    @property
    def is_made(self) -> bool:
        """Whether the outline on the globe is held in memory."""
        return "globe" in self.__dict__

    def forget(self) -> None:
        """Drops the outline on the globe; it is made again when it is needed."""
        self.__dict__.pop("globe", None)

    @cached_property
    def box(self) -> Box:
        """An earth-centred box around the core and its inside, 0.1 mm; generous, never short."""
        if self.closed and self.edges == "planar":
            return _box_of_degrees(self.chains[0])
        places = self.globe.vertices
        pad = _PAD
        if self.closed:
            # The inside bulges out of its boundary's box by at most the height of a cap.
            middle = middle_of(places)
            size = isqrt(dot(middle, middle))
            top = tuple(part * MEAN_RADIUS_TENTH_MM // size for part in middle)
            wide = max(sum((p[k] - top[k]) ** 2 for k in range(3)) for p in places)
            pad += 11 * wide // (20 * MEAN_RADIUS_TENTH_MM)
        low, high = zip(*((min(axis) - pad, max(axis) + pad) for axis in zip(*places)))  # noqa: B905
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    @cached_property
    def reaches_pole(self) -> tuple[bool, bool]:
        """Whether a planar polygon has a vertex at the (south, north) pole."""
        lats = {lat for lon, lat in self.chains[0]}
        return -LAT_MAX_NANODEG in lats, LAT_MAX_NANODEG in lats


class Shape:
    """A geometry with its declared edges, ready for comparison.

    Args:
        geometry: one that `rules.check_geometry` has passed.
        edges: ``"planar"`` or ``"geodesic"``.
    """

    def __init__(self, geometry: Geometry, edges: str) -> None:
        self.geometry = geometry
        self.edges = edges
        self.thick_tenth_mm = 0
        if isinstance(geometry, Area):
            self.parts = [Part(rings, closed=True, edges=edges) for rings in geometry.polygons]
        elif isinstance(geometry, Circle):
            self.thick_tenth_mm = geometry.radius_tenth_mm
            self.parts = [Part(((geometry.center,),), closed=False, edges=edges)]
        elif isinstance(geometry, Moving):  # all that it sweeps; `conflict.motion` knows when
            self.thick_tenth_mm = geometry.radius_tenth_mm
            self.parts = [Part((geometry.path(),), closed=False, edges=edges)]
        else:
            self.thick_tenth_mm = geometry.half_width_tenth_mm
            self.parts = [Part((geometry.points,), closed=False, edges=edges)]

    def only(self, index: int) -> Shape:
        """The same shape with one of its parts."""
        one = Shape.__new__(Shape)
        one.geometry, one.edges, one.thick_tenth_mm = self.geometry, self.edges, self.thick_tenth_mm
        one.parts = [self.parts[index]]
        return one

    @cached_property
    def boxes(self) -> tuple[Floats, Floats]:
        """The boxes of the parts, thickness left out."""
        low = np.array([part.box[0] for part in self.parts], dtype=np.float64)
        high = np.array([part.box[1] for part in self.parts], dtype=np.float64)
        return low, high

    @cached_property
    def box(self) -> Box:
        """One box around everything, thickness included."""
        pad = self.thick_tenth_mm
        low = [min(part.box[0][k] for part in self.parts) - pad for k in range(3)]
        high = [max(part.box[1][k] for part in self.parts) + pad for k in range(3)]
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def compare_lateral(a: Shape, b: Shape, minimum_tenth_mm: int, budget: Budget) -> int:
    """The lateral gap against a minimum: -1 below it, 0 equal, 1 above.

    Args:
        a: a shape.
        b: another.
        minimum_tenth_mm: along the surface; overlap is a negative gap, so with a minimum of zero
            two areas that share no more than boundary points answer 0.
        budget: what the answer may cost.

    Raises:
        TooMuchWork: the budget is spent.
    """
    length = a.thick_tenth_mm + b.thick_tenth_mm + minimum_tenth_mm
    chord = chord_of(length)
    answer = 1
    if len(a.parts) == 1 == len(b.parts):
        near = [(0, 0)]
    else:
        low, high = a.boxes
        rows = near_pairs(low - length, high + length, *b.boxes, budget)
        near = list(zip(rows[0].tolist(), rows[1].tolist(), strict=True))
    for i, j in near:
        budget.spend(_MEETING_COST)
        part_a, part_b = a.parts[i], b.parts[j]
        met = meet_parts(part_a, part_b, budget)
        if met == OVERLAP or (met == TOUCH and length > 0):
            return -1
        if met == TOUCH:
            answer = 0
        elif length > 0:
            found = compare_distance(part_a.globe, part_b.globe, chord, budget)
            if found < 0:
                return -1
            answer = min(answer, found)
    return answer


def meet_parts(a: Part, b: Part, budget: Budget) -> int:
    """How two cores lie to each other: `overlap.meet` in the finest chart both have.

    Two planar cores are compared in longitude and latitude, where their edges are straight by
    definition; any other pair on the globe. The place of a meeting is asked for after its verdict, so
    the last answer is kept; it costs the budget the same again.
    """
    met = a.met
    if met is not None and met[0]() is b:
        budget.spend(met[2])
        return met[1]
    before = budget.left
    found = _meet_parts(a, b, budget)
    a.met = ref(b), found, before - budget.left
    return found


def _meet_parts(a: Part, b: Part, budget: Budget) -> int:
    if not (a.has_flat and b.has_flat):
        return meet(a.globe, b.globe, budget)
    met = meet(a.flat, b.flat, budget)
    if met == APART and a.closed and b.closed:
        for turn in (-TURN_NANODEG, TURN_NANODEG):
            if _ends_face(a.flat, b.flat, turn):
                met = max(met, meet(a.flat, b.flat.turned(turn), budget))
        # All longitudes of a pole are one place, which the flat chart does not know.
        if any(x and y for x, y in zip(a.reaches_pole, b.reaches_pole, strict=True)):
            met = max(met, TOUCH)
    return met


def middle_of(places: list[Vector]) -> Vector:
    """A direction in the middle of some places: their sum, shortened."""
    x, y, z = (sum(axis) // len(places) >> 4 for axis in zip(*places, strict=True))
    return x, y, z


def _ends_face(a: Outline, b: Outline, turn: int) -> bool:
    """Whether one outline ends at 180 W and the other at 180 E, so that a turn makes them meet."""
    mine = a.low[:, 0].min() if turn < 0 else a.high[:, 0].max()
    theirs = b.high[:, 0].max() if turn < 0 else b.low[:, 0].min()
    return bool(mine == -theirs and abs(mine) == LON_MAX_NANODEG)


def _box_of_degrees(ring: tuple[LonLat, ...]) -> Box:
    """The box of everything between a ring's least and greatest longitude and latitude."""
    west, east = min(lon for lon, _ in ring), max(lon for lon, _ in ring)
    south, north = min(lat for _, lat in ring), max(lat for _, lat in ring)
    nearest_equator = 0 if south <= 0 <= north else min(abs(south), abs(north))
    farthest = max(abs(south), abs(north))
    at = {lat: earth_point(0, lat) for lat in {farthest, nearest_equator, south, north}}
    levels = at[farthest][0], at[nearest_equator][0]
    turns = [west, east]
    first = -(-west // QUARTER_NANODEG) * QUARTER_NANODEG
    turns.extend(range(first, east + 1, QUARTER_NANODEG))
    angles = [sine_cosine(turn) for turn in turns]
    low, high = [], []
    for pick in (1, 0):  # x goes with the cosine, y with the sine
        ends = [level * angle[pick] // ONE for level, angle in product(levels, angles)]
        low.append(min(ends) - _PAD)
        high.append(max(ends) + _PAD)
    low.append(at[south][2] - _PAD)
    high.append(at[north][2] + _PAD)
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])

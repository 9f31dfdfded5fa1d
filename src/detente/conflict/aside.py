"""The least move sideways that clears some pieces of some others, over sixteen directions.

Candidates are looked at in a written order: the least distance first, then the least bearing. Loops in
floating point rule out the many that are surely not clear; of the rest the integers decide one by one,
so what is found does not depend on the loops. docs/spec/advice.md, section 7, is the normative text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import cos, pi, radians, sin, sqrt, tan
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from detente.airspace.area import Circle, LonLat, positions
from detente.airspace.earth import MAJOR_TENTH_MM, chord_of
from detente.airspace.near import Budget, Floats, TooMuchWork
from detente.airspace.rotation import Rotation
from detente.airspace.rules import count_geometry_parts
from detente.airspace.shape import Part, Shape, compare_lateral
from detente.conflict.move import rotation_of
from detente.limits import (
    ADVICE_ASIDE_LAT_DEG,
    ADVICE_ASIDE_NM,
    ADVICE_ASIDE_PARTS,
    ADVICE_COMBINED,
    EDGE_PAIRS_PER_PAIR,
)
from detente.notice.activity import ActivityNotice
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_NM

if TYPE_CHECKING:
    from detente.conflict.asidesearch import Bodies

Longs = npt.NDArray[np.int64]

ASIDE_STEP = TENTH_MM_PER_NM // 2
WINDS = 16
WIND_TENTH_DEG = 3600 // WINDS
STEPS = ADVICE_ASIDE_NM * TENTH_MM_PER_NM // ASIDE_STEP
# How far a place moves on the surface at most, a percent more than the miles that are said.
ASIDE_REACH = ADVICE_ASIDE_NM * TENTH_MM_PER_NM * 101 // 100

_STILL: Floats = np.eye(3)
_POINTS = 4096  # of one outline in the loops; past it the integers decide
# The most that a place of an outline moves for each 0.1 mm of the move: a minute of arc is at most 1.0053 NM, and
# on an edge that is straight in degrees cos(latitude) changes by at most 1.7, so the root of 1 + 1.7^2.
RIGID, _PLANAR = 1.01, 2.1
_BEND = 1.7
_ROOM_DEG = 1.9  # of latitude: how far 100 NM go, and a little
# Lengths between places that turn together change by less than 0.05 % in 100 NM; four times that, and 10 m for
# what lies between two points of an outline.
_STRETCH, _PART = 0.002, 100_000.0
# The longest edges, as parts of the earth's radius, of which it is said how far they bend: docs/adr/0118.
_SHORT_PLANAR, _SHORT_GEODESIC = 0.0174, 0.2
_SIMPLE = 400_000  # pairs of points


class Mover(msgspec.Struct, frozen=True):
    """A notice that moves in the candidate's direction, or `opposite` to it."""

    notice: ActivityNotice
    opposite: bool = False

    def rotation(self, step: int, wind: int) -> Rotation:
        """How it moves, for one candidate."""
        return rotation_of(self.notice, step * ASIDE_STEP, self.bearing(wind))

    def planes(self) -> tuple[Floats, Floats]:
        """What is multiplied by the sine, and by the cosine less 1, in the matrix of each wind; floats, for the loops.

        Returns:
            Two of shape (16, 3, 3).
        """
        lon, lat = next(positions(self.notice.pieces[0].geometry))
        x, y = lon * (pi / 180e9), lat * (pi / 180e9)
        up = np.array((cos(y) * cos(x), cos(y) * sin(x), sin(y)))
        north = np.array((-sin(y) * cos(x), -sin(y) * sin(x), cos(y)))
        east = np.array((-sin(x), cos(x), 0.0))
        angles = np.radians([self.bearing(wind) / 10 for wind in range(WINDS)])[:, None]
        toward = np.cos(angles) * north + np.sin(angles) * east
        across = toward[:, :, None] * up
        along = up[:, None] * up + toward[:, :, None] * toward[:, None, :]
        return across - across.transpose(0, 2, 1), along

    def bearing(self, wind: int) -> int:
        """Its direction, tenths of a degree."""
        return (wind + self.opposite * WINDS // 2) % WINDS * WIND_TENTH_DEG


class Meeting(msgspec.Struct, frozen=True):
    """Two pieces that must come clear on the surface.

    Args:
        one: the shape of the one.
        mover_one: which of the movers moves it; -1 where it stands still.
        two: the shape of the other.
        mover_two: likewise.
        lateral: the minimum, 0.1 mm.
    """

    one: Shape
    mover_one: int
    two: Shape
    mover_two: int
    lateral: int


class Aside(msgspec.Struct, frozen=True):
    """A candidate: how many steps, and which of the sixteen winds, clockwise from north."""

    step: int
    wind: int


def least_aside(
    movers: Sequence[Mover],
    meetings: Sequence[Meeting],
    usable: Callable[[Aside], bool],
    cores: Cores | None = None,
) -> list[Aside]:
    """The clear candidate of the least distance and first direction; none within reach: empty.

    Of two that move, both ends of the first axis may be found.

    Args:
        movers: who moves, one or two.
        meetings: what must come clear.
        usable: whether the notices can be filed as they would then lie.
        cores: kept by who asks more than one question about the same shapes.
    """
    cores = cores or Cores()
    shapes = {id(shape): shape for met in meetings for shape in (met.one, met.two)}
    if (
        not meetings
        or len(meetings) > ADVICE_COMBINED
        or sum(map(cores.count_parts, shapes.values())) > ADVICE_ASIDE_PARTS
        or any(
            mover >= 0 and cores.is_far_north_or_south(shape)
            for met in meetings
            for shape, mover in ((met.one, met.mover_one), (met.two, met.mover_two))
        )
    ):
        return []
    search = _Search(movers, meetings, cores)
    found: list[Aside] = []
    while (candidate := search.next(found)) is not None:
        if search.is_clear(candidate) and usable(candidate):
            found.append(candidate)
    return found


class Core:
    """A part of a shape for the loops: the verticals of its positions, and balls inside and around it.

    Attributes:
        normals: shape (n, 3), chain after chain, no closing ones.
        starts: where each chain starts, and n.
        speed: how far a place of it moves at most, for each 0.1 mm of the move; infinite where that is not known.
        bend: how far a place of it may come to lie from one that turns with the positions, 0.1 mm; likewise.
        inner, outer: a vertical and how far around it all is inside, or how far from it nothing is of it.
        room: for how many points there must be room.
    """

    def __init__(self, part: Part) -> None:
        from detente.conflict import asideloop

        chains = [chain[:-1] if part.closed else chain for chain in part.chains]
        degrees = np.array([position for chain in chains for position in chain], dtype=np.float64)
        angles = degrees * (pi / 180e9)
        sines, cosines = np.sin(angles), np.cos(angles)
        self.normals: Floats = np.empty((len(degrees), 3))
        self.normals[:, 0] = cosines[:, 1] * cosines[:, 0]
        self.normals[:, 1] = cosines[:, 1] * sines[:, 0]
        self.normals[:, 2] = sines[:, 1]
        self.starts = np.cumsum([0, *map(len, chains)], dtype=np.int64)
        self.closed = part.closed
        self.planar = part.edges == "planar" and len(degrees) > 1
        low, high = float(degrees[:, 1].min()) / 1e9, float(degrees[:, 1].max()) / 1e9
        self.speed = self._speed(low, high)
        self.bend = self._bend(max(-low, high))
        middle = self.normals[: self.starts[1]].sum(axis=0)
        middle /= max(sqrt(middle @ middle), 1e-9)
        self.inner: Floats = np.append(self.normals[len(self.normals) // 2], 0.0)
        self.outer: Floats = np.append(middle, 0.0 if len(degrees) == 1 else np.inf)
        self.room = 1
        if len(degrees) == 1:
            return
        points, follows = np.empty((_POINTS, 3)), np.empty(_POINTS, dtype=np.int64)
        count = asideloop.lay_out(
            self.normals, self.starts, self.closed, self.planar, _STILL, points, follows
        )
        self.room = min(_POINTS, 2 * count + 64) if count >= 0 else _POINTS
        if count < 0 or self.bend == np.inf:
            return
        spot = np.empty((1, 3))
        asideloop.put(middle[0], middle[1], middle[2], spot, 0)
        deep, most = asideloop.extent_of(spot[0], points[:count], follows[:count], self.closed)
        deep = deep * (1.0 - _STRETCH) - 2.0 * self.bend - 2.0 * asideloop.MARGIN
        if deep > 0.0:
            self.inner = np.append(middle, deep)
        self.outer[3] = (most + self.bend + _PART) * (1.0 + _STRETCH) + self.bend

    def _speed(self, south: float, north: float) -> float:
        if not self.planar:
            return RIGID
        high = max(-south, north) + _ROOM_DEG
        low = max(0.0, south - _ROOM_DEG, -north - _ROOM_DEG)
        if high > 85 or cos(radians(low)) > _BEND * cos(radians(high)):
            return np.inf
        return _PLANAR

    def _bend(self, high: float) -> float:
        if len(self.normals) == 1:
            return 0.0
        longest = 0.0
        for start, stop in pairwise(self.starts.tolist()):
            chain = self.normals[start:stop]
            sides = chain[1:] - chain[:-1]
            if len(sides):
                longest = max(longest, float((sides * sides).sum(axis=1).max()))
            if self.closed:
                last = chain[0] - chain[-1]
                longest = max(longest, float((last * last).sum()))
        high += _ROOM_DEG
        if self.planar:
            if longest > _SHORT_PLANAR**2 or high > 80:
                return np.inf
            return 0.25 * tan(radians(high)) * longest * MAJOR_TENTH_MM
        return 0.004 * longest * MAJOR_TENTH_MM if longest <= _SHORT_GEODESIC**2 else np.inf


class Cores:
    """The cores of the shapes of one question, each made once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Shape, list[Core]]] = {}
        self._counts: dict[int, tuple[Shape, int]] = {}
        self._far: dict[int, tuple[Shape, bool]] = {}
        self._planes: dict[LonLat, tuple[Floats, Floats]] = {}

    def count_parts(self, shape: Shape) -> int:
        """How many parts its edges are cut into, at least 1."""
        if id(shape) not in self._counts:
            self._counts[id(shape)] = shape, _count_parts(shape)
        return self._counts[id(shape)][1]

    def is_far_north_or_south(self, shape: Shape) -> bool:
        """Whether edges that are straight in degrees would bend wildly as they move."""
        if id(shape) not in self._far:
            self._far[id(shape)] = shape, _is_far_north_or_south(shape)
        return self._far[id(shape)][1]

    def planes(self, mover: Mover) -> tuple[Floats, Floats]:
        """`Mover.planes`, made once for a place: the winds of an opposite mover begin at the other end."""
        pivot = next(positions(mover.notice.pieces[0].geometry))
        if pivot not in self._planes:
            self._planes[pivot] = Mover(mover.notice).planes()
        across, along = self._planes[pivot]
        if not mover.opposite:
            return across, along
        winds = np.arange(WINDS // 2, WINDS + WINDS // 2) % WINDS
        return across[winds], along[winds]

    def of(self, shape: Shape) -> list[Core]:
        """Those of a shape, in the order of its parts."""
        if id(shape) not in self._known:
            self._known[id(shape)] = shape, [Core(part) for part in shape.parts]
        return self._known[id(shape)][1]


class _Search:
    """The candidates that are not surely too near, one after another."""

    def __init__(self, movers: Sequence[Mover], meetings: Sequence[Meeting], cores: Cores) -> None:
        from detente.conflict import asidesearch

        self._next = asidesearch.next_candidate
        self._movers = movers
        self._meetings: list[Meeting] = []
        self._rows: list[int] = []  # of the pair that says all of a meeting, else -1
        bodies: dict[tuple[int, int, int], int] = {}
        made: list[tuple[Core, int]] = []
        pairs: list[tuple[int, int, float]] = []

        def number(mover: int, shape: Shape, at: int) -> int:
            key = (mover, id(shape), at)
            if key not in bodies:
                bodies[key] = len(made)
                made.append((cores.of(shape)[at], mover))
            return bodies[key]

        seen: set[tuple[int, ...]] = set()
        for met in meetings:
            key = (id(met.one), met.mover_one, id(met.two), met.mover_two, met.lateral)
            if key in seen:
                continue
            seen.add(key)
            reach = chord_of(met.one.thick_tenth_mm + met.two.thick_tenth_mm + met.lateral) / 65536
            ones, twos = cores.of(met.one), cores.of(met.two)
            # such a pair never costs too much to compare
            simple = len(ones) == len(twos) == 1 and ones[0].room * twos[0].room <= _SIMPLE
            self._meetings.append(met)
            self._rows.append(len(pairs) if simple else -1)
            pairs += [
                (number(met.mover_one, met.one, i), number(met.mover_two, met.two, j), reach)
                for i in range(len(ones))
                for j in range(len(twos))
            ]
        self._bodies = _bodies([core for core, _ in made], [mover for _, mover in made])
        self._pairs = asidesearch.Pairs(
            one=np.array([one for one, _, _ in pairs], dtype=np.int64),
            two=np.array([two for _, two, _ in pairs], dtype=np.int64),
            reaches=np.array([reach for _, _, reach in pairs], dtype=np.float64),
            orders=np.tile(np.arange(len(pairs), dtype=np.int64), (WINDS, 1)),
            clear=np.zeros(len(pairs), dtype=np.bool_),
        )
        planes = [cores.planes(mover) for mover in movers]
        self._across: Floats = np.stack([across for across, _ in planes])
        self._along: Floats = np.stack([along for _, along in planes])
        self._half = WINDS // 2 if len(movers) > 1 else WINDS
        self._steps = np.ones(WINDS, dtype=np.int64)
        asidesearch.begin(self._bodies)

    def next(self, found: Sequence[Aside]) -> Aside | None:
        """The next candidate; after one was found only the other end of its axis."""
        first = (found[0].step, found[0].wind % self._half) if found else (0, 0)
        wind = self._next(
            self._bodies, self._pairs, self._across, self._along, self._steps, self._half, *first
        )
        if wind < 0:
            return None
        step = int(self._steps[wind])
        self._steps[wind] += 1
        return Aside(step, wind)

    def is_clear(self, candidate: Aside) -> bool:
        """Whether everything is clear of the candidate that was found last; what costs too much to compare is not.

        What the loops do not say is surely clear, the integers decide.
        """
        turns: dict[int, Rotation] = {}
        made: dict[tuple[int, int], Shape] = {}

        def moved(shape: Shape, mover: int) -> Shape:
            if mover < 0:
                return shape
            key = (mover, id(shape))
            if mover not in turns:
                turns[mover] = self._movers[mover].rotation(candidate.step, candidate.wind)
            if key not in made:
                made[key] = Shape(turns[mover].apply_to(shape.geometry), shape.edges)
            return made[key]

        for met, row in zip(self._meetings, self._rows, strict=True):
            if row >= 0 and self._pairs.clear[row]:
                continue
            one, two = moved(met.one, met.mover_one), moved(met.two, met.mover_two)
            try:
                if compare_lateral(one, two, met.lateral, Budget(EDGE_PAIRS_PER_PAIR)) <= 0:
                    return False
            except TooMuchWork:
                return False
        return True


def _bodies(cores: Sequence[Core], movers: Sequence[int]) -> Bodies:
    from detente.conflict.asidesearch import Bodies

    def starts_of(sizes: Iterable[int]) -> Longs:
        return np.cumsum([0, *sizes], dtype=np.int64)

    room = starts_of(core.room for core in cores)
    return Bodies(
        normals=np.concatenate([core.normals for core in cores]),
        rows=starts_of(len(core.normals) for core in cores),
        starts=np.concatenate([core.starts for core in cores]),
        chains=starts_of(len(core.starts) for core in cores),
        closed=np.array([core.closed for core in cores], dtype=np.bool_),
        planar=np.array([core.planar for core in cores], dtype=np.bool_),
        movers=np.array(movers, dtype=np.int64),
        speeds=np.array([core.speed for core in cores], dtype=np.float64),
        bends=np.array([core.bend for core in cores], dtype=np.float64),
        inner=np.stack([core.inner for core in cores]),
        outer=np.stack([core.outer for core in cores]),
        spots=np.empty((len(cores), 2, 3)),
        points=np.empty((int(room[-1]), 3)),
        follows=np.empty(int(room[-1]), dtype=np.int64),
        places=room,
        laid=np.full((len(cores), 3), -1, dtype=np.int64),
    )


def _is_far_north_or_south(shape: Shape) -> bool:
    """Whether edges that are straight in degrees would bend wildly as they move."""
    return (
        shape.edges == "planar"
        and any(
            abs(lat) > ADVICE_ASIDE_LAT_DEG * NANODEG_PER_DEG
            for _, lat in positions(shape.geometry)
        )
        and not isinstance(shape.geometry, Circle)
    )


def _count_parts(shape: Shape) -> int:
    return max(1, count_geometry_parts(shape.geometry, shape.edges))

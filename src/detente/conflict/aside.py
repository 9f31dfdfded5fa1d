"""The least move sideways that clears some pieces of some others, over sixteen directions.

Candidates are looked at in a written order: the least distance first, then the least bearing. Loops in
floating point rule out the many that are surely not clear; of the rest the integers decide one by one,
so what is found does not depend on the loops. docs/spec/advice.md, section 7, is the normative text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from heapq import heapify, heappop, heapreplace
from math import cos, radians, sin

import msgspec
import numpy as np

from detente.airspace.area import Circle, positions
from detente.airspace.earth import ONE, chord_of
from detente.airspace.near import Budget, Floats, TooMuchWork
from detente.airspace.rotation import ARC_TENTH_MM, Rotation, horizontal_of, normal_of
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
_RIGID, _PLANAR = 1.01, 2.1
_BEND = 1.7
_ROOM_DEG = 1.9  # of latitude: how far 100 NM go, and a little


class Mover(msgspec.Struct, frozen=True):
    """A notice that moves in the candidate's direction, or `opposite` to it."""

    notice: ActivityNotice
    opposite: bool = False

    def rotation(self, step: int, wind: int) -> Rotation:
        """How it moves, for one candidate."""
        return rotation_of(self.notice, step * ASIDE_STEP, self.bearing(wind))

    def plane(self, wind: int) -> tuple[Floats, Floats]:
        """The matrices of its move that are multiplied by the sine, and by the cosine less 1; floats, for the loops."""
        pivot = next(positions(self.notice.pieces[0].geometry))
        up = np.array(normal_of(pivot), dtype=np.float64) / ONE
        way = horizontal_of(pivot, self.bearing(wind) * (NANODEG_PER_DEG // 10))
        toward = np.array(way, dtype=np.float64) / ONE
        across = np.outer(toward, up)
        return across - across.T, np.outer(up, up) + np.outer(toward, toward)

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
    movers: Sequence[Mover], meetings: Sequence[Meeting], usable: Callable[[Aside], bool]
) -> list[Aside]:
    """The clear candidate of the least distance and first direction; none within reach: empty.

    Of two that move, both ends of the first axis may be found.

    Args:
        movers: who moves, one or two.
        meetings: what must come clear.
        usable: whether the notices can be filed as they would then lie.
    """
    shapes = {id(shape): shape for met in meetings for shape in (met.one, met.two)}
    if (
        not meetings
        or len(meetings) > ADVICE_COMBINED
        or sum(map(_count_parts, shapes.values())) > ADVICE_ASIDE_PARTS
        or any(
            mover >= 0 and _is_far_north_or_south(shape)
            for met in meetings
            for shape, mover in ((met.one, met.mover_one), (met.two, met.mover_two))
        )
    ):
        return []
    search = _Search(movers, meetings)
    half = WINDS // 2 if len(movers) > 1 else WINDS
    # (distance, axis, end of the axis): the written order; the top is the least that is not ruled out
    waiting = [(1, wind % half, wind // half) for wind in range(WINDS)]
    heapify(waiting)
    found: list[Aside] = []
    first = (0, 0)
    while waiting:
        step, axis, end = waiting[0]
        if step > STEPS or (found and (step, axis) != first):
            break
        wind = axis + end * half
        skip = search.skip(step, wind)
        candidate = Aside(step, wind)
        if not skip and search.is_clear(candidate) and usable(candidate):
            first = (step, axis)
            found.append(candidate)
            heappop(waiting)
        else:
            heapreplace(waiting, (step + max(skip, 1), axis, end))
    return found


class _Core:
    """A part of a shape for the loops: the verticals of its positions."""

    def __init__(self, part: Part) -> None:
        chains = [chain[:-1] if part.closed else chain for chain in part.chains]
        normals = [normal_of(position) for chain in chains for position in chain]
        self.normals: Floats = np.array(normals, dtype=np.float64) / ONE
        self.starts = np.cumsum([0, *map(len, chains)], dtype=np.int64)
        self.closed = part.closed
        self.planar = part.edges == "planar" and len(normals) > 1
        self.points: Floats = np.empty((0, 3))
        self.follows = np.empty(0, dtype=np.int64)
        self.laid: tuple[int, int] | None = None
        self.code = 0

    @cached_property
    def speed(self) -> float:
        """How far a place of it moves at most, for each 0.1 mm of the move; infinite where that is not known."""
        if not self.planar:
            return _RIGID
        z = np.abs(self.normals[:, 2])
        lats = np.degrees(np.arcsin(np.minimum(z, 1.0)))
        high = float(lats.max()) + _ROOM_DEG
        low = max(0.0, float(lats.min()) - _ROOM_DEG)
        if (self.normals[:, 2] > 0).any() and (self.normals[:, 2] < 0).any():
            low = 0.0
        if high > 85 or cos(radians(low)) > _BEND * cos(radians(high)):
            return np.inf
        return _PLANAR


class _Pair(msgspec.Struct):
    """Two cores, which of the movers moves each (-1: none), and the chord below which they are too near."""

    one: _Core
    mover_one: int
    two: _Core
    mover_two: int
    reach: float
    speed: float


class _Search:
    def __init__(self, movers: Sequence[Mover], meetings: Sequence[Meeting]) -> None:
        from detente.conflict import asideloop

        self._loop = asideloop
        self._movers = movers
        self._meetings = meetings
        self._turns: dict[tuple[int, int], tuple[Floats, Floats]] = {}
        cores: dict[tuple[int, int, int], _Core] = {}
        seen: set[tuple[int, ...]] = set()
        self._pairs: list[_Pair] = []
        for met in meetings:
            key = (id(met.one), met.mover_one, id(met.two), met.mover_two, met.lateral)
            if key in seen:
                continue
            seen.add(key)
            first, second = met.mover_one, met.mover_two
            length = met.one.thick_tenth_mm + met.two.thick_tenth_mm + met.lateral
            for i, part in enumerate(met.one.parts):
                for j, other in enumerate(met.two.parts):
                    one = _core(cores, (first, id(met.one), i), part)
                    two = _core(cores, (second, id(met.two), j), other)
                    speed = (one.speed if first >= 0 else 0.0) + (two.speed if second >= 0 else 0.0)
                    reach = chord_of(length) / 65536
                    self._pairs.append(_Pair(one, first, two, second, reach, speed))
        # what was in the way last, in that direction, is asked first
        self._orders = [list(range(len(self._pairs))) for _ in range(WINDS)]

    def skip(self, step: int, wind: int) -> int:
        """How many candidates of a direction, from this one on, are surely not clear; 0 if this one may be."""
        order = self._orders[wind]
        for at, number in enumerate(order):
            pair = self._pairs[number]
            codes = (
                self._lay(pair.one, pair.mover_one, step, wind),
                self._lay(pair.two, pair.mover_two, step, wind),
            )
            if self._loop.REFUSED in codes:
                return 1
            if self._loop.UNSURE in codes:
                continue
            slack = self._loop.slack_of(
                pair.one.points[: codes[0]],
                pair.one.follows[: codes[0]],
                pair.one.closed,
                pair.two.points[: codes[1]],
                pair.two.follows[: codes[1]],
                pair.two.closed,
                pair.reach,
            )
            if slack >= 0.0:
                order.insert(0, order.pop(at))
                return 1 + int(slack / (pair.speed * ASIDE_STEP))
        return 0

    def _lay(self, core: _Core, mover: int, step: int, wind: int) -> int:
        """Lay a core out for a candidate: the number of its points, or why there are none."""
        where = (0, 0) if mover < 0 else (step, wind)
        if core.laid != where:
            if not len(core.points):
                core.points = np.empty((_POINTS, 3))
                core.follows = np.empty(_POINTS, dtype=np.int64)
            core.laid = where
            core.code = self._loop.lay_out(
                core.normals,
                core.starts,
                core.closed,
                core.planar,
                self._matrix(mover, *where),
                core.points,
                core.follows,
            )
        return core.code

    def _matrix(self, mover: int, step: int, wind: int) -> Floats:
        if mover < 0:
            return _STILL
        key = (mover, wind)
        if key not in self._turns:
            across, along = self._movers[mover].plane(wind)
            self._turns[key] = (across, along)
        across, along = self._turns[key]
        angle = radians(step * ASIDE_STEP / ARC_TENTH_MM)
        matrix: Floats = _STILL + sin(angle) * across + (cos(angle) - 1.0) * along
        return matrix

    def is_clear(self, candidate: Aside) -> bool:
        """Whether everything is clear, by the integers; what costs too much to compare is not."""
        turns = [mover.rotation(candidate.step, candidate.wind) for mover in self._movers]
        made: dict[tuple[int, int], Shape] = {}

        def moved(shape: Shape, mover: int) -> Shape:
            if mover < 0:
                return shape
            key = (mover, id(shape))
            if key not in made:
                made[key] = Shape(turns[mover].apply_to(shape.geometry), shape.edges)
            return made[key]

        known: dict[tuple[int, ...], bool] = {}
        for met in self._meetings:
            key = (id(met.one), met.mover_one, id(met.two), met.mover_two, met.lateral)
            if key in known:
                continue
            one, two = moved(met.one, met.mover_one), moved(met.two, met.mover_two)
            try:
                budget = Budget(EDGE_PAIRS_PER_PAIR)
                known[key] = compare_lateral(one, two, met.lateral, budget) > 0
            except TooMuchWork:
                known[key] = False
            if not known[key]:
                return False
        return True


def _core(cores: dict[tuple[int, int, int], _Core], key: tuple[int, int, int], part: Part) -> _Core:
    if key not in cores:
        cores[key] = _Core(part)
    return cores[key]


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

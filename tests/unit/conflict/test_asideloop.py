"""What the loops of a move sideways say is sure, is so by the integers; with a compiler and without."""

import random
from math import cos, pi, radians, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import NM, notice, piece
from test_aside import SHAPES

from detente.airspace.earth import degrees_of_normal, earth_point
from detente.airspace.near import Budget
from detente.airspace.rules import check_geometry
from detente.airspace.shape import Shape, compare_lateral
from detente.conflict import asideloop
from detente.conflict.aside import STEPS, WINDS, Core, Cores, Meeting, Mover, _Search
from detente.errors import UsageError

PLACES = [(10.0, 45.0), (179.3, 10.0), (-179.4, -62.0), (30.0, 78.0), (-77.0, -89.4), (0.0, 0.0)]


def outline(draw, corners, closed):
    """A random outline within some 40 km: points and the row that follows each."""
    lon, lat = 10 + draw.uniform(0, 0.2), 45 + draw.uniform(0, 0.2)
    points = []
    for k in range(corners):
        turn, reach = 2 * pi * k / corners, draw.uniform(0.02, 0.2)
        x, y = lon + reach * cos(turn), lat + reach * sin(turn)
        points.append(earth_point(round(x * 1e9), round(y * 1e9)))
    follows = [k + 1 for k in range(corners)]
    follows[-1] = 0 if closed else -1
    return np.array(points, dtype=np.float64), np.array(follows, dtype=np.int64)


@given(st.integers(0, 2**31), st.integers(3, 9), st.integers(3, 9), st.booleans())
@settings(max_examples=30, deadline=None)
def test_arrays_say_what_the_loops_say(seed, corners, others, closed):
    """A-OFF-3: gaps, sides and crossings are the same in arrays as in loops; gaps to a micrometre."""
    draw = random.Random(seed)
    one, after = outline(draw, corners, closed)
    two, then = outline(draw, others, True)
    loop, arrays = (
        one_way(one, two, then) for one_way in (asideloop._gap_loop, asideloop._gap_arrays)
    )
    assert np.allclose(loop, arrays, rtol=1e-12, atol=0.01)
    far = asideloop._outside(two)
    for place in one:
        said = asideloop._side_loop(place, two, then, far)
        assert said == asideloop._side_arrays(place, two, then, far)
    assert asideloop._cross_loop(one, after, two, then) == asideloop._cross_arrays(
        one, after, two, then
    )


@given(
    st.sampled_from(SHAPES),
    st.sampled_from(["planar", "geodesic"]),
    st.sampled_from(PLACES),
    st.integers(1, STEPS),
    st.integers(0, WINDS - 1),
)
@settings(max_examples=25, deadline=None)
def test_balls_turn_with_an_outline_and_stay_inside_and_around_it(shape, edges, at, step, wind):
    """A-OFF-3: wherever a piece is moved to, its inner ball holds no point of its outline, its outer ball all of them."""
    if at[1] < -85 and edges == "planar":
        at = (at[0], -80.0)
    mine = notice(piece(shape(*at), edges=edges))
    core = Core(Shape(mine.pieces[0].geometry, edges).parts[0])
    turn = Mover(mine).rotation(step, wind)
    after = Shape(turn.apply_to(mine.pieces[0].geometry), edges).parts[0]
    if edges == "planar" and any(abs(lon) > 179_000_000_000 for lon, _ in after.chains[0]):
        return
    points = after.globe.array
    for ball, holds in ((core.inner, np.less_equal), (core.outer, np.greater_equal)):
        normal = tuple(round(part * 2**80) for part in ball[:3].tolist())
        middle = np.array(earth_point(*turn.apply(degrees_of_normal(normal))), dtype=np.float64)
        away = np.sqrt(((points - middle) ** 2).sum(axis=1))
        if ball is core.inner and len(points) > 1 and ball[3] == 0.0:
            continue
        assert holds(ball[3], away).all() or len(points) == 1


@given(
    st.sampled_from(SHAPES),
    st.sampled_from(SHAPES),
    st.sampled_from(["planar", "geodesic"]),
    st.sampled_from(["planar", "geodesic"]),
    st.sampled_from(PLACES),
    st.sampled_from([0, 5 * NM]),
    st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_what_is_surely_clear_is_clear_and_what_is_passed_over_is_not(
    one, two, edges, other, at, lateral, both
):
    """A-OFF-3: the integers find clear what the loops call surely clear, and not clear each candidate that they pass over."""
    lon, lat = at
    if abs(lat) > 85 and "planar" in (edges, other):
        lat = 80.0
    mine = notice(piece(one(lon, lat), edges=edges))
    theirs = notice(piece(two(lon + 0.05, lat + 0.02), edges=other))
    shapes = [Shape(side.pieces[0].geometry, side.pieces[0].edges) for side in (mine, theirs)]
    movers = [Mover(mine), Mover(theirs, opposite=True)] if both else [Mover(mine)]
    met = Meeting(shapes[0], 0, shapes[1], 1 if both else -1, lateral)
    search = _Search(movers, [met], Cores())

    def is_clear(step, wind):
        turned = [
            Shape(movers[i].rotation(step, wind).apply_to(shape.geometry), shape.edges)
            if i < len(movers)
            else shape
            for i, shape in enumerate(shapes)
        ]
        return compare_lateral(*turned, lateral, Budget(5_000_000)) > 0

    def can_be_filed(step, wind):
        try:
            for mover, side in zip(movers, (mine, theirs), strict=False):
                filed = side.pieces[0]
                turned = mover.rotation(step, wind).apply_to(filed.geometry)
                check_geometry(turned, filed.edges, field="x")
        except UsageError:
            return False
        return True

    for _ in range(3):
        before = search._steps.copy()
        found = search.next([])
        if found is None:
            return
        if search._pairs.clear[0]:
            assert is_clear(found.step, found.wind)
        for wind in range(0, WINDS, 5):
            stop = int(search._steps[wind]) - (wind == found.wind)
            passed = range(int(before[wind]), min(stop, STEPS + 1))
            for step in {*passed[:1], *passed[-1:]}:
                assert not (can_be_filed(step, wind) and is_clear(step, wind)), (step, wind)


def test_a_point_has_balls_of_no_size():
    """A circle's core is its middle: nothing is around it, and nothing of it is farther off."""
    core = Core(Shape(SHAPES[0](10, 45), "planar").parts[0])
    assert core.inner[3] == core.outer[3] == 0.0
    assert core.normals[0, 2] == pytest.approx(sin(radians(45)))

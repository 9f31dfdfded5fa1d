"""All pairs of many volumes: exactly the pairs and verdicts of the plain comparison of each two."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.altitude import parse_altitude
from detente.airspace.rules import check_geometry
from detente.airspace.volume import build_volume
from detente.conflict import bulk
from detente.conflict.bulk import VolumeArrays, all_overlaps
from detente.conflict.strategic import VERDICTS, Minima, Rules, check_pair
from detente.errors import UsageError
from detente.notice.activity import build_notice

DEGREE = 10**9
NM = 18_520_000
LEVELS = [
    parse_altitude({"value": value, "unit": "m", "datum": "MSL"}, field="x") for value in range(6)
]


@pytest.fixture(params=["compiled", "numpy"])
def _path(request, monkeypatch):
    if request.param == "compiled":
        if not bulk.HAS_COMPILER:
            pytest.skip("numba is not installed")
    else:
        monkeypatch.setattr(bulk, "HAS_COMPILER", False)


def arrays(shapes, times=None, levels=None):
    """`VolumeArrays` of (vertices, thickness) with times and levels, all alike when left out."""
    points = [point for vertices, _ in shapes for point in vertices]
    sizes = [len(vertices) for vertices, _ in shapes]
    times = times or [(0, 10)] * len(shapes)
    levels = levels or [(0, 1)] * len(shapes)
    columns = [
        [point[0] for point in points],
        [point[1] for point in points],
        np.concatenate([[0], np.cumsum(sizes)]),
        [thick for _, thick in shapes],
        [start for start, _ in times],
        [end for _, end in times],
        [LEVELS[low].tenth_mm for low, _ in levels],
        [LEVELS[high].tenth_mm for _, high in levels],
    ]
    return VolumeArrays(*(np.array(column, dtype=np.int64) for column in columns))


def notices(volumes):
    """The same volumes as notices of one piece each."""
    by_height = {level.tenth_mm: level for level in LEVELS}
    return [
        build_notice(
            name=f"N{row}",
            exercise=False,
            activity="patrol",
            pieces=(
                build_volume(
                    volumes.geometry(row),
                    "planar",
                    by_height[int(volumes.lower[row])],
                    by_height[int(volumes.upper[row])],
                    int(volumes.start[row]),
                    int(volumes.end[row]),
                    field="x",
                ),
            ),
        )
        for row in range(len(volumes))
    ]


def plain(volumes, minima):
    """Every pair compared by itself."""
    all_ = notices(volumes)
    found = {}
    for i in range(len(all_)):
        for j in range(i + 1, len(all_)):
            verdict = check_pair(all_[i], all_[j], Rules(minima)).verdict
            if verdict != "clear":
                found[i, j] = verdict
    return found


def found_by(volumes, minima=None, **options):
    """What the bulk comparison finds, as a dictionary."""
    found = all_overlaps(volumes, minima, **options)
    pairs = [tuple(pair) for pair in found.pairs.tolist()]
    assert pairs == sorted(set(pairs))
    return dict(zip(pairs, [VERDICTS[code] for code in found.codes], strict=True))


def some_polygon(draw, step, origin):
    """A simple polygon with few different coordinates, so that vertices, edges and sides often coincide."""
    while True:
        count = draw.randint(3, 7)
        cells = [(draw.randrange(7), draw.randrange(7)) for _ in range(count)]
        ring = [(origin[0] + x * step, origin[1] + y * step) for x, y in cells]
        try:
            geometry = bulk.Area((((*ring, ring[0]),),))
            check_geometry(geometry, "planar", field="x")
        except UsageError:
            continue
        return ring, 0


def some_volumes(draw, *, thick, origins):
    """Random volumes that meet in every way; boundaries are often shared."""
    shapes, times, levels = [], [], []
    for _ in range(draw.randint(2, 22)):
        origin = draw.choice(origins)
        step = draw.choice([1, 3, 10**7, 10**7, 10**9])
        if thick and draw.random() < 0.3:
            point = (origin[0] + draw.randrange(5) * 10**7, origin[1] + draw.randrange(5) * 10**7)
            line = [point, (point[0] + 10**7, point[1] + 10**7)]
            shapes.append((draw.choice([[point], line]), draw.choice([1, 10**6, 2 * 10**7])))
        else:
            shapes.append(some_polygon(draw, step, origin))
        start = draw.randrange(4)
        times.append((start, start + draw.randint(1, 4)))
        low = draw.randrange(4)
        levels.append((low, low + draw.randint(1, 2)))
    return arrays(shapes, times, levels)


@pytest.mark.usefixtures("_path")
@given(st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_pairs_of_polygons_are_those_of_each_two(seed):
    """On any mix of crossing, touching, nested and equal polygons the answer is the plain one."""
    draw = random.Random(seed)
    volumes = some_volumes(draw, thick=False, origins=[(0, 0), (10**7, 2 * 10**7), (-(10**8), 5)])
    minima = draw.choice([Minima(), Minima(0, 10_000, 1), Minima(0, 5_000, 2)])
    assert found_by(volumes, minima, threads=draw.choice([1, 2])) == plain(volumes, minima)


@pytest.mark.usefixtures("_path")
@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_pairs_with_circles_lines_and_a_lateral_minimum_are_those_of_each_two(seed):
    """What the quick comparison does not decide is decided as `check_pair` does."""
    draw = random.Random(seed)
    volumes = some_volumes(draw, thick=True, origins=[(0, 0), (10**7, 60 * DEGREE)])
    minima = draw.choice([Minima(), Minima(10**7, 0, 0), Minima(5 * NM, 10_000, 1)])
    assert found_by(volumes, minima) == plain(volumes, minima)


def square(west, south, size=DEGREE):
    """A square of a degree."""
    return [
        (west, south),
        (west + size, south),
        (west + size, south + size),
        (west, south + size),
    ], 0


@pytest.mark.usefixtures("_path")
def test_pairs_across_180_degrees_and_at_the_poles_are_found():
    """Where the chart ends the earth does not (defect 2)."""
    west, east = -180 * DEGREE, 179 * DEGREE
    shapes = [
        square(west, 0),
        square(east, 0),
        square(0, 89 * DEGREE),
        square(90 * DEGREE, 89 * DEGREE),
        square(0, -90 * DEGREE),
        ([(179_999_000_000, 0)], 10**8),
        ([(-179_999_000_000, DEGREE // 2)], 10**6),
        ([(170 * DEGREE, 89_990_000_000)], 10**8),
        square(-100 * DEGREE, 0, 200 * DEGREE // 10),
    ]
    volumes = arrays(shapes)
    assert found_by(volumes) == plain(volumes, Minima())
    assert (0, 1) in found_by(volumes)
    assert (2, 3) in found_by(volumes)
    assert (5, 6) not in found_by(volumes)
    assert found_by(volumes, Minima(60 * NM)) == plain(volumes, Minima(60 * NM))


@pytest.mark.usefixtures("_path")
def test_pairs_of_very_different_sizes_are_found_once():
    """A volume over a continent is compared with thousands of small ones, each once."""
    draw = random.Random(5)
    shapes = [square(-50 * DEGREE, -30 * DEGREE, 60 * DEGREE), square(5, 5, 5 * DEGREE)]
    shapes += [
        square(draw.randrange(-(10**10), 10**10), draw.randrange(-(10**10), 10**10), 10**6)
        for _ in range(2_000)
    ]
    volumes = arrays(shapes)
    found = found_by(volumes)
    for giant, (west, south, size) in enumerate(
        [(-50 * DEGREE, -30 * DEGREE, 60 * DEGREE), (5, 5, 5 * DEGREE)]
    ):
        inside = {
            row
            for row, (ring, _) in enumerate(shapes)
            if row > giant
            and ring[0][0] < west + size
            and ring[1][0] > west
            and ring[0][1] < south + size
            and ring[2][1] > south
        }
        assert {j for i, j in found if i == giant} == inside
        assert len(inside) > 100


@given(*[st.integers(-180 * DEGREE, 180 * DEGREE)] * 6)
@settings(max_examples=300)
def test_turn_of_is_the_sign_of_the_determinant(ax, ay, bx, by, cx, cy):
    """The 64-bit determinant is exact over the whole chart."""
    if not bulk.HAS_COMPILER:
        pytest.skip("numba is not installed")
    from detente.conflict.bulkarray import _turns
    from detente.conflict.bulkloop import turn_of

    for x, y in ((cx, cy), (bx, by), (2 * bx - ax, 2 * by - ay), ((ax + bx) // 2, (ay + by) // 2)):
        if max(abs(x), abs(y)) > 180 * DEGREE:
            continue
        value = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        sign = (value > 0) - (value < 0)
        assert turn_of(ax, ay, bx, by, x, y) == sign
        rows = [np.array([part], dtype=np.int64) for part in (ax, ay, bx, by, x, y)]
        assert _turns(*rows).tolist() == [sign]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first", [0, 4]),
        ("first", [0, 2, 8]),
        ("lon", [0.5] * 8),
        ("end", [1]),
        ("lat", [0] * 7),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, value):
    """Arrays of another type or length are refused by name."""
    good = arrays([square(0, 0), square(5, 5)])
    parts = {field: getattr(good, field) for field in good.__struct_fields__}
    parts[name] = np.array(value)
    with pytest.raises(UsageError, match=r"must be int64"):
        all_overlaps(VolumeArrays(**parts))


def test_one_volume_has_no_pairs():
    """Nothing is compared with itself."""
    assert len(all_overlaps(arrays([square(0, 0)])).pairs) == 0

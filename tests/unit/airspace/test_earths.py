"""Many positions at once have the points that each has alone."""

import sys

import numpy as np

from detente.airspace import earths
from detente.airspace.earth import earth_point
from detente.airspace.earths import earth_points


def _places(count):
    rng = np.random.default_rng(3)
    lon = rng.integers(-180_000_000_000, 180_000_000_001, count)
    lat = rng.integers(-90_000_000_000, 90_000_000_001, count)
    quarter = np.arange(-4, 5) * 45_000_000_000
    corners = [
        (x + d, y + e)
        for x in quarter
        for y in quarter[2:7]
        for d in (-1, 0, 1)
        for e in (-1, 0, 1)
    ]
    corners = [(x, y) for x, y in corners if abs(x) <= 180_000_000_000 and abs(y) <= 90_000_000_000]
    return np.append(lon, [x for x, _ in corners]), np.append(lat, [y for _, y in corners])


def _alone(lon, lat):
    return [earth_point(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]


def test_points_of_many_positions_are_those_of_each_alone():
    """Random positions, corners of the charts and their neighbours: every integer is the model's, with one thread and two."""
    lon, lat = _places(40_000)
    expected = _alone(lon, lat)
    for threads in (1, 2):
        assert list(map(tuple, earth_points(lon, lat, threads=threads).T.tolist())) == expected


def test_points_without_a_compiler_are_the_same(monkeypatch):
    """The chunked numpy path gives the same integers."""
    lon, lat = _places(20_000)
    with_compiler = earth_points(lon, lat)
    monkeypatch.setattr(earths, "HAS_COMPILER", False)
    assert (earth_points(lon, lat) == with_compiler).all()


def test_error_of_the_filter_is_below_its_bound(monkeypatch):
    """Taken as it comes, no coordinate of the filter leaves the model's by more than one unit, and few leave it at all."""
    lon, lat = _places(40_000)
    monkeypatch.setattr(earths, "earth_point", lambda x, y: (0, 0, 0))
    points = earth_points(lon, lat)
    untouched = points.any(axis=0)
    assert untouched.mean() > 0.99
    expected = np.array(_alone(lon, lat)).T
    assert (points[:, untouched] == expected[:, untouched]).all()


def test_points_asked_for_without_compiling_leave_the_compiled_loop_alone(monkeypatch):
    """Whoever may not wait for the compiler gets the same points and never imports it."""
    monkeypatch.setattr(earths, "HAS_COMPILER", True)
    monkeypatch.setitem(sys.modules, "detente.airspace.earthloop", None)  # an import would raise
    lon, lat = np.array([0, 77 * 10**9]), np.array([90 * 10**9, -(10**9)])
    found = earth_points(lon, lat, compiles=False)
    assert [tuple(point) for point in found.T.tolist()] == [
        earth_point(0, 90 * 10**9),
        earth_point(77 * 10**9, -(10**9)),
    ]

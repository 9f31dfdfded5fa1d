"""How far the straight legs of the model are from flights along geodesics of WGS84; PROJ is the judge."""

import numpy as np
import pytest
from pyproj import Geod

from detente.airspace.earth import length_of
from detente.airspace.earths import earth_points

GEOD = Geod(ellps="WGS84")


def _nano(values):
    return np.rint(np.asarray(values) * 1e9).astype(np.int64)


def _flights(rng, count, length_m):
    """Begins, azimuths and ends of flights of one length anywhere on earth."""
    lon, lat = rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    azimuth = rng.uniform(0, 360, count)
    end_lon, end_lat, _ = GEOD.fwd(lon, lat, azimuth, np.full(count, length_m))
    return (lon, lat), azimuth, (end_lon, end_lat)


def errors(part_m, apart_m, count=20_000, seed=1):
    """Worst error of the distance of two flights, metres: one at any share of a part, the other anywhere around it on a part of its own."""
    rng = np.random.default_rng(seed)
    begin, azimuth, end = _flights(rng, count, part_m)
    share = rng.uniform(0, 1, count)
    lon, lat, _ = GEOD.fwd(*begin, azimuth, share * part_m)
    # The other passes at a chosen distance just then, at any share of a part in any direction.
    towards, course = rng.uniform(0, 360, count), rng.uniform(0, 360, count)
    other_lon, other_lat, _ = GEOD.fwd(lon, lat, towards, np.full(count, apart_m))
    other_share = rng.uniform(0, 1, count)
    tail_lon, tail_lat, back = GEOD.fwd(other_lon, other_lat, course + 180, other_share * part_m)
    head_lon, head_lat, _ = GEOD.fwd(tail_lon, tail_lat, back, np.full(count, part_m))
    ends = [
        earth_points(_nano((x + 180) % 360 - 180), _nano(y)).astype(np.float64)
        for x, y in (begin, end, (tail_lon, tail_lat), (head_lon, head_lat))
    ]
    own = ends[0] + (ends[1] - ends[0]) * share
    other = ends[2] + (ends[3] - ends[2]) * other_share
    square = ((own - other) ** 2).sum(axis=0)
    lengths = np.array([length_of(int(one), 1) for one in square[:2_000].tolist()]) / 1e4
    return float(np.abs(lengths - apart_m).max())


@pytest.mark.parametrize(
    ("part_m", "apart_m", "most_m"),
    [
        (50_000, 1_852.0, 0.9),
        (50_000, 9_260.0, 0.25),
        (50_000, 92_600.0, 1.0),
        (10_000, 10.0, 0.4),
        (10_000, 185.2, 0.02),
        (10_000, 1_851.0, 0.01),
    ],
)
def test_distance_of_flights_is_near_to_that_of_wgs84(part_m, apart_m, most_m):
    """The lateral distance of two flights along geodesics, at any instant of their legs, is true to what the page says."""
    assert errors(part_m, apart_m) <= most_m


if __name__ == "__main__":
    for part in (50_000, 10_000):
        for apart in (10.0, 185.2, 926.0, 1852.0, 5556.0, 9260.0, 18520.0, 92600.0, 370400.0):
            print(part, apart, round(max(errors(part, apart, 20_000, s) for s in range(3)), 4))

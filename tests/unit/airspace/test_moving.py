"""Where somebody on the way is, and how near two of them come."""

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.area import Circle, Corridor, Moving
from detente.airspace.moving import Span, legs_of, nearest, place_at, swept
from detente.airspace.near import Budget
from detente.airspace.rules import check_geometry
from detente.errors import UsageError

SECOND = 10**6
LOTS = 10**9


def moving(points, times, radius=10_000):
    """A moving volume; times in seconds."""
    return Moving(tuple(points), tuple(t * SECOND for t in times), radius)


def test_place_at_is_the_even_share_of_the_edge():
    """T-MOV-2: the centre is at the even share of its edge, planar straight in degrees, geodesic on the earth."""
    way = moving([(0, 0), (10**9, 10**9), (10**9, 10**9)], [0, 100, 200])
    assert place_at(way, "planar", 25 * SECOND) == (250_000_000, 250_000_000)
    assert place_at(way, "planar", 150 * SECOND) == (10**9, 10**9)
    assert place_at(way, "planar", 0) == (0, 0)
    assert place_at(way, "geodesic", 200 * SECOND) == (10**9, 10**9)
    lon, lat = place_at(way, "geodesic", 50 * SECOND)
    assert abs(lon - 5 * 10**8) < 60_000
    assert abs(lat - 5 * 10**8) < 60_000
    assert (lon, lat) != (5 * 10**8, 5 * 10**8)


def test_swept_stretch_ends_where_the_centre_is():
    """T-MOV-3: what is swept between two times is a corridor from place to place, or a circle of one who waits."""
    way = moving([(0, 0), (10**9, 0), (10**9, 10**9), (10**9, 10**9)], [0, 100, 200, 300])
    assert swept(way, "planar", Span(50 * SECOND, 150 * SECOND)) == Corridor(
        ((5 * 10**8, 0), (10**9, 0), (10**9, 5 * 10**8)), 10_000
    )
    assert swept(way, "planar", Span(210 * SECOND, 300 * SECOND)) == Circle((10**9, 10**9), 10_000)
    assert swept(way, "planar", Span(50 * SECOND, 50 * SECOND)) == Circle((5 * 10**8, 0), 10_000)


@given(st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_nearest_is_below_every_sample_and_is_reached(seed):
    """T-MOV-4: the least distance is exact: no pair of times is nearer, and some pair is that near."""
    draw = random.Random(seed)

    def some():
        count = draw.randint(2, 4)
        points = [(draw.randrange(8) * 10**7, draw.randrange(8) * 10**7) for _ in range(count)]
        times = [draw.randrange(3) * 60]
        for _ in range(count - 1):
            times.append(times[-1] + draw.choice([30, 60, 90]))
        return moving(points, times)

    a, b = some(), some()
    apart = draw.choice([0, 0, 20, 1_000]) * SECOND
    spans = Span(a.times_us[0], a.times_us[-1]), Span(b.times_us[0], b.times_us[-1])
    found = nearest((a, "planar"), (b, "planar"), spans, apart, Budget(LOTS))
    again = nearest((b, "planar"), (a, "planar"), spans[::-1], apart, Budget(LOTS))
    if found is None:
        assert max(s.from_us for s in spans) - min(s.until_us for s in spans) > apart
        return
    assert again is not None
    assert again.square == found.square

    def at(way, time):
        for from_us, until_us, p, q in legs_of(way, "planar")[0]:
            if from_us <= time <= until_us:
                share = Fraction(time - from_us, until_us - from_us)
                return [x + (y - x) * share for x, y in zip(p, q, strict=True)]
        raise AssertionError(time)

    least = None
    for k in range(41):
        ta = spans[0].from_us + (spans[0].until_us - spans[0].from_us) * k // 40
        for m in range(41 if apart else 1):
            tb = ta + apart * (m - 20) // 20 if apart else ta
            if not spans[1].from_us <= tb <= spans[1].until_us:
                continue
            square = sum((x - y) ** 2 for x, y in zip(at(a, ta), at(b, tb), strict=True))
            least = square if least is None else min(least, square)
    assert least is None or found.square <= least
    gap = sum((x - y) ** 2 for x, y in zip(found.place_a, found.place_b, strict=True))
    assert abs(float(gap) ** 0.5 - float(found.square) ** 0.5) <= 4
    if least is not None:
        assert float(least) ** 0.5 - float(found.square) ** 0.5 < 9e7  # it is of these ways at all


@pytest.mark.parametrize(
    ("points", "times", "code"),
    [
        ([(0, 0)], [0], "line-short"),
        ([(0, 0), (1, 0)], [0], "times-count"),
        ([(0, 0), (1, 0)], [5, 5], "times-order"),
        ([(0, 0), (1, 0), (2, 0)], [0, 9, 8], "times-order"),
        ([(0, 0), (10**9, 0)], [0, 27], "speed-range"),
        ([(-179 * 10**9, 0), (179 * 10**9, 0)], [0, 10**6], "edge-too-long"),
    ],
)
def test_ways_that_are_none_are_refused(points, times, code):
    """T-MOV-1: a moving volume has two positions at least, a later time for each, and a speed of at most 4,000 m/s."""
    with pytest.raises(UsageError) as caught:
        check_geometry(moving(points, times), "planar", field="geometry")
    assert caught.value.code == code


def test_waits_and_the_pole_are_ways():
    """T-MOV-1: the same position twice is a wait; along a pole nobody moves."""
    check_geometry(moving([(0, 0), (0, 0)], [0, 9]), "planar", field="geometry")
    pole = 90 * 10**9
    check_geometry(moving([(0, pole), (10**9, pole)], [0, 9]), "planar", field="geometry")
    legs, _, _ = legs_of(moving([(0, pole), (10**9, pole)], [0, 9]), "planar")
    assert [(leg[0], leg[1]) for leg in legs] == [(0, 9 * SECOND)]

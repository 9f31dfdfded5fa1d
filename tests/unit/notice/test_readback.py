"""A read-back against its notice: exact, the same on both sides, and named in metres and minutes."""

from __future__ import annotations

from typing import Any

import pytest

from detente.agreement.terms import ReadBackTolerance
from detente.airspace.altitude import build_altitude
from detente.airspace.area import Area, Circle, Corridor, Geometry
from detente.airspace.volume import build_volume
from detente.errors import UsageError
from detente.interop.restated import read_restated
from detente.notice.activity import ActivityNotice, build_notice, parse_activity_body
from detente.notice.readback import Comparison, ReadBack, compare, parse_read_back
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_M, US_PER_S, parse_time

FROM_US = parse_time("2018-09-17T19:00:00Z")
UNTIL_US = parse_time("2018-09-17T20:00:00Z")
MINUTE_US = 60 * US_PER_S
AGREED = ReadBackTolerance()
N = NANODEG_PER_DEG
# fictional ground: a height above a town, moved from where it happened; a degree of latitude is 110.9 km here
HILL = (20 * N, 40 * N)


def notice(*geometries: Geometry, edges: str = "planar") -> ActivityNotice:
    """A notice of these areas for an hour."""
    pieces = tuple(
        build_volume(
            one,
            edges,
            build_altitude(0, "ft", "MSL", field="lower"),
            build_altitude(3000 * TENTH_MM_PER_FT, "ft", "MSL", field="upper"),
            FROM_US,
            UNTIL_US,
            field="pieces",
        )
        for one in geometries
    )
    return build_notice(name="A-1", exercise=True, activity="strike-hazard", pieces=pieces)


def circle(radius_m: int) -> ActivityNotice:
    """A circle around the hill."""
    return notice(Circle(HILL, radius_m * TENTH_MM_PER_M))


def said(
    lon: int = HILL[0],
    lat: int = HILL[1],
    radius_m: int | None = None,
    from_min: int = 0,
    until_min: int = 0,
) -> ReadBack:
    """A read-back that is off by this."""
    radius = None if radius_m is None else radius_m * TENTH_MM_PER_M
    return ReadBack(
        (lon, lat), radius, FROM_US + from_min * MINUTE_US, UNTIL_US + until_min * MINUTE_US
    )


def test_comparison_of_the_very_words_agrees_with_nought() -> None:
    """H-LAD-3: what is said back as it was said is nothing off."""
    assert compare(circle(2000), said(radius_m=2000), AGREED) == Comparison(
        agrees=True, place_m=0, middle_m=0, radius_m=0, from_min=0, until_min=0
    )


def test_comparison_of_a_place_six_kilometres_off_differs() -> None:
    """A height named six kilometres beside the one that is meant: the error that struck the wrong soldiers."""
    wrong = said(lat=HILL[1] + 54_100_000)
    found = compare(circle(1500), wrong, AGREED)
    assert not found.agrees
    assert (found.middle_m, found.place_m) == (6008, 4508)
    assert compare(circle(1500), said(lat=HILL[1] + 9_000_000), AGREED).agrees


@pytest.mark.parametrize(
    ("off_m", "agrees"), [(0, True), (1999, True), (2999, True), (3001, False), (4000, False)]
)
def test_comparison_of_a_place_agrees_up_to_the_tolerance_beside_the_volume(
    off_m: int, agrees: bool
) -> None:
    """H-LAD-3: within a kilometre of a circle of two kilometres is within three of its middle."""
    lat = (
        HILL[1] + off_m * N // 111_032
    )  # a degree of latitude at 40 N, metres along the mean radius
    found = compare(circle(2000), said(lat=lat), AGREED)
    assert abs(found.middle_m - off_m) <= 2
    assert found.agrees is agrees
    assert found.place_m == max(0, found.middle_m - 2000)


@pytest.mark.parametrize(
    ("radius_m", "off", "agrees"),
    [(10_000, 0, True), (18_520, 0, False), (10_900, 0, True), (10_000, 50_000_000, False)],
)
def test_comparison_of_a_restated_circle_holds_it_to_middle_and_size(
    radius_m: int, off: int, agrees: bool
) -> None:
    """Ten kilometres read back as ten miles differ, and so does a circle whose middle is five kilometres off."""
    found = compare(circle(10_000), said(lat=HILL[1] + off, radius_m=radius_m), AGREED)
    assert found.agrees is agrees
    assert found.radius_m == radius_m - 10_000
    # without a radius only a place is said, and that lies inside
    assert compare(circle(10_000), said(lat=HILL[1] + off), AGREED).agrees


@pytest.mark.parametrize(
    ("from_min", "until_min", "agrees"),
    [(0, 0, True), (1, -1, True), (2, 0, False), (0, -2, False), (60, 60, False)],
)
def test_comparison_of_times_agrees_within_the_minute(
    from_min: int, until_min: int, agrees: bool
) -> None:
    """An hour's error, a zone forgotten, is named in minutes with its sign."""
    found = compare(circle(2000), said(from_min=from_min, until_min=until_min), AGREED)
    assert (found.from_min, found.until_min, found.agrees) == (from_min, until_min, agrees)


def test_comparison_never_shows_a_difference_as_nought() -> None:
    """Metres and minutes are rounded away from nought."""
    just = ReadBack((HILL[0], HILL[1] + 1), None, FROM_US - 1, UNTIL_US + 61 * US_PER_S)
    found = compare(circle(2000), just, AGREED)
    assert (found.middle_m, found.from_min, found.until_min) == (1, -1, 2)


RING = ((20 * N, 40 * N), (21 * N, 40 * N), (21 * N, 41 * N), (20 * N, 41 * N), (20 * N, 40 * N))


@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_comparison_with_an_area_a_corridor_and_many_pieces(edges: str) -> None:
    """The nearest volume counts, whatever its form; inside any of them is nought."""
    area = Area(((RING,),))
    corridor = Corridor(((22 * N, 40 * N), (24 * N, 40 * N)), 5000 * TENTH_MM_PER_M)
    many = notice(area, corridor, edges=edges)
    assert compare(many, said(20 * N + N // 2, 40 * N + N // 2), AGREED).place_m == 0
    assert compare(many, said(23 * N, 40 * N), AGREED).place_m == 0
    beside = compare(many, said(23 * N, 40 * N - N // 10), AGREED)
    assert 6000 < beside.place_m < 6700  # a geodesic bows north
    assert not beside.agrees
    far = compare(notice(area, edges=edges), said(25 * N, 40 * N), AGREED)
    assert 335_000 < far.place_m < 345_000


def test_comparison_across_the_antimeridian_and_at_a_pole_has_no_seam() -> None:
    """179.99 W is two kilometres from 179.99 E, and all longitudes of the pole are one place."""
    east = notice(Circle((179_990_000_000, 0), 1000 * TENTH_MM_PER_M))
    assert compare(east, said(-179_990_000_000, 0), AGREED).middle_m < 2230
    pole = notice(Circle((0, 90 * N), 1000 * TENTH_MM_PER_M))
    assert compare(pole, said(123 * N, 90 * N), AGREED).middle_m == 0


def test_comparison_is_the_same_from_the_body_that_the_other_side_holds() -> None:
    """Both sides compute one thing: what the sender built and what the receiver parsed compare alike."""
    one = circle(1500)
    other = parse_activity_body(one.body(), name="A-1", exercise=True)
    wrong = said(lon=HILL[0] + 70_000_001, radius_m=1400, from_min=-3)
    assert compare(one, wrong, AGREED) == compare(other, wrong, AGREED)


@pytest.mark.parametrize(
    "place",
    [
        None,
        "40N 020E",
        {},
        {"lat": 1},
        {"lat": 1, "lon": True},
        {"lat": 1, "lon": 2, "alt": 3},
        {"lat": 91 * N, "lon": 0},
        {"lat": 0, "lon": 181 * N},
        {"lat": 0, "lon": 0, "radius_tenth_mm": -1},
    ],
)
def test_parse_read_back_of_another_form_is_refused(place: Any) -> None:
    """H-LAD-2: one form, in range, whole numbers."""
    with pytest.raises(UsageError):
        parse_read_back(place, "2018-09-17T19:00:00Z", "2018-09-17T20:00:00Z")


def test_parse_read_back_keeps_what_it_is_given() -> None:
    """A read-back comes out of a statement as it went in."""
    one = said(radius_m=5000)
    times = ("2018-09-17T19:00:00Z", "2018-09-17T20:00:00Z")
    assert parse_read_back(one.place(), *times) == one
    with pytest.raises(UsageError) as error:
        parse_read_back(one.place(), "2018-09-17T19:00:00.000Z", times[1])
    assert error.value.code == "time-not-canonical"


def test_restated_place_is_read_in_any_notation() -> None:
    """What an officer types is one position, with a radius or without."""
    times = ("2018-09-17T19:00:00Z", "2018-09-17T20:00:00Z")
    found = read_restated("352341N 0355655E 5NM", *times)
    assert found.position == (35_948_611_111, 35_394_722_222)
    assert found.radius_tenth_mm == 5 * 18_520_000
    assert read_restated("40.0, 20.0", *times).position == HILL
    with pytest.raises(UsageError) as error:
        read_restated("352341N 0355655E 362341N 0365655E", *times)
    assert error.value.code == "place-count"

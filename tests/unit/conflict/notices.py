"""Notices for tests, in degrees, feet and minutes."""

import rfc8785

from detente.airspace.altitude import parse_altitude
from detente.airspace.area import Area, Circle, Corridor
from detente.airspace.volume import build_volume
from detente.conflict.strategic import Rules, check_pair
from detente.notice.activity import build_notice

MINUTE = 60 * 10**6
EPOCH = 1_537_209_540 * 10**6  # 2018-09-17T18:39:00Z
FEET = 3048
NM = 18_520_000


def nanodeg(degrees):
    """Degrees as integers of 1e-9 degree."""
    return round(degrees * 10**9)


def box(west, south, east, north):
    """A box of degrees."""
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return Area(((tuple((nanodeg(x), nanodeg(y)) for x, y in corners),),))


def circle(lon, lat, radius_m):
    """A circle."""
    return Circle((nanodeg(lon), nanodeg(lat)), round(radius_m * 10_000))


def corridor(points, half_width_m):
    """A corridor."""
    return Corridor(
        tuple((nanodeg(x), nanodeg(y)) for x, y in points), round(half_width_m * 10_000)
    )


def altitude(text):
    """An altitude from words: ``"5000 ft MSL"``, ``"FL 250"``."""
    if text.startswith("FL"):
        given = {"value": int(text[2:]), "unit": "FL", "datum": "STD"}
    else:
        value, unit, datum = text.split()
        given = {"value": int(value), "unit": unit, "datum": datum}
    return parse_altitude(given, field="altitude")


def piece(geometry, lower="1000 ft MSL", upper="9000 ft MSL", start=0, end=60, edges="planar"):
    """A volume; times are minutes after `EPOCH`."""
    return build_volume(
        geometry,
        edges,
        altitude(lower),
        altitude(upper),
        EPOCH + round(start * MINUTE),
        EPOCH + round(end * MINUTE),
        field="piece",
    )


def notice(*pieces, name="A-1", exercise=False):
    """A notice of some pieces."""
    return build_notice(name=name, exercise=exercise, activity="patrol", pieces=tuple(pieces))


def judged(a, b, rules=None):
    """The verdict, made both ways; a byte of difference between the sides is a failure."""
    rules = rules or Rules()
    one, two = check_pair(a, b, rules), check_pair(b, a, rules)
    assert rfc8785.dumps(one.record()) == rfc8785.dumps(two.record())
    return one

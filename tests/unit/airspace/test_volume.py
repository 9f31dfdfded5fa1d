"""Volumes: a band and an interval that are not empty, and bodies from strangers."""

import pytest

from detente.airspace.altitude import parse_altitude
from detente.airspace.area import Circle
from detente.airspace.volume import build_volume, parse_volume_body
from detente.errors import UsageError

HOUR = 3600 * 10**6


def altitude(value):
    """Feet of mean sea level."""
    return parse_altitude({"value": value, "unit": "ft", "datum": "MSL"}, field="x")


def volume(start=0, end=HOUR, lower=0, upper=1000, edges="planar"):
    """A circle for an hour."""
    circle = Circle((0, 0), 10_000)
    return build_volume(circle, edges, altitude(lower), altitude(upper), start, end, field="piece")


def test_volume_body_round_trips_to_the_microsecond():
    """The canonical form rebuilds the same volume."""
    one = volume(start=-1, end=HOUR + 1)
    assert parse_volume_body(one.body(), field="piece") == one


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"end": 0}, "interval-empty", "piece.end"),
        ({"end": -1}, "interval-empty", "piece.end"),
        ({"end": 401 * 24 * HOUR}, "interval-too-long", "piece.end"),
        ({"upper": 0}, "band-empty", "piece.upper"),
        ({"edges": "rhumb"}, "edges-unknown", "piece.edges"),
        ({"edges": ["planar"]}, "edges-unknown", "piece.edges"),
    ],
)
def test_volume_that_is_empty_or_odd_is_refused(changes, code, field):
    """Start before end, lower below upper, a known kind of edge, at most some 400 days."""
    with pytest.raises(UsageError) as error:
        volume(**changes)
    assert (error.value.code, error.value.field) == (code, field)


@pytest.mark.parametrize(
    "change",
    [
        {"start": "1970-01-01T00:00:00.0Z"},
        {"start": 0},
        {"end": "1970-01-01T01:00:00+00:00"},
        {"extra": 1},
        {"lower": None},
        {"geometry": None},
    ],
)
def test_volume_body_that_is_not_canonical_is_refused(change):
    """One notice has one canonical form: another spelling of the same time is refused."""
    with pytest.raises(UsageError):
        parse_volume_body({**volume().body(), **change}, field="piece")
    with pytest.raises(UsageError):
        parse_volume_body([], field="piece")

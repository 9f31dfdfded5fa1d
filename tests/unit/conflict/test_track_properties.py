"""Tracks: what must not change an answer does not change it, and the doors say the same of one geometry."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.altitude import Altitude
from detente.airspace.area import Circle
from detente.airspace.leg import FINE_PART_TENTH_MM, LegRules
from detente.airspace.volume import Volume
from detente.conflict.separation import Minima, Rules
from detente.conflict.strategic import check_pair
from detente.conflict.trajectory import (
    build_legs,
    build_tracks,
    find_conflicts,
    find_in_volumes,
)
from detente.notice.activity import build_notice

NM, FT, S, DEG = 18_520_000, 3048, 1_000_000, 10**9
T0 = 1_533_081_600 * S
MINIMA = Minima(5 * NM, 1000 * FT)


@st.composite
def _tracks(draw):
    """Two to four short tracks beside each other, with times, places and levels that coincide."""
    lon = draw(st.sampled_from([0, 7 * DEG, 179_900_000_000]))
    lat = draw(st.sampled_from([0, 46 * DEG, -89_500_000_000]))
    steps = st.sampled_from([-60_000_000, -1, 0, 1, 20_000_000, 83_000_000])
    levels = st.sampled_from([30_000 * FT, 31_000 * FT, 31_000 * FT - 1, 30_250 * FT])
    lasts = st.sampled_from([1, 10 * S, 60 * S, 61 * S + 1, 700 * S])
    found = {}
    for number in range(draw(st.integers(2, 4))):
        time, x, y = T0 + draw(st.sampled_from([0, 1, 30 * S])), lon, lat
        rows = []
        for _ in range(draw(st.integers(1, 5))):
            x, y = x + draw(steps), y + draw(steps)
            rows.append((time, (x + 180 * DEG) % (360 * DEG) - 180 * DEG, y, draw(levels)))
            time += draw(lasts)
        found[f"T{number}"] = rows
    return found


def _answer(tracks, minima=MINIMA):
    names = tuple(sorted(tracks))
    columns = np.array([row for name in names for row in tracks[name]], dtype=np.int64).T
    starts = np.cumsum([0] + [len(tracks[name]) for name in names])
    found = find_conflicts(build_tracks(names, starts, *columns), minima, threads=1)
    return [
        (c.a, c.b, c.from_us, c.until_us, c.closest_us, c.lateral_tenth_mm, c.vertical_tenth_mm)
        for c in found.conflicts
    ]


def _changed(tracks, change):
    return {name: [change(*row) for row in rows] for name, rows in tracks.items()}


@settings(max_examples=60, deadline=None)
@given(_tracks(), st.integers(-(10**8), 10**8))
def test_conflicts_later_or_higher_are_the_same(tracks, seconds):
    """All tracks moved by whole seconds and by one height have the same conflicts, moved."""
    moved = _changed(tracks, lambda t, x, y, z: (t + seconds * S, x, y, z - 1_234_567))
    shift = seconds * S
    assert _answer(moved) == [
        (a, b, start + shift, until + shift, closest + shift, *rest)
        for a, b, start, until, closest, *rest in _answer(tracks)
    ]


@settings(max_examples=60, deadline=None)
@given(_tracks(), st.sampled_from([1, 2, 3]))
def test_conflicts_a_quarter_of_the_earth_on_or_mirrored_are_the_same(tracks, quarters):
    """T-PAIR-4: quarter turns and the other hemisphere are exact on the model, so no answer changes by a unit."""
    turned = _changed(
        tracks,
        lambda t, x, y, z: (
            t,
            (x + (90 * quarters + 180) * DEG) % (360 * DEG) - 180 * DEG,
            -y,
            z,
        ),
    )
    assert _answer(turned) == _answer(tracks)


@settings(max_examples=60, deadline=None)
@given(_tracks())
def test_conflicts_of_renamed_tracks_are_the_same(tracks):
    """Exchanging the names of all tracks exchanges them in the conflicts and changes no number."""
    names = sorted(tracks)
    other = dict(zip(names, reversed(names), strict=True))
    renamed = sorted((*sorted((other[a], other[b])), *rest) for a, b, *rest in _answer(tracks))
    assert _answer({other[name]: rows for name, rows in tracks.items()}) == [
        tuple(row) for row in renamed
    ]


@settings(max_examples=60, deadline=None)
@given(_tracks())
def test_conflicts_backwards_in_time_are_the_same(tracks):
    """Flown backwards, tracks are below the minima at the same instants, counted from the other end."""
    last = 2 * T0
    backward = {
        name: [(last - t, x, y, z) for t, x, y, z in reversed(rows)]
        for name, rows in tracks.items()
    }
    assert sorted(row[:4] for row in _answer(backward)) == sorted(
        (a, b, last - until, last - start) for a, b, start, until, *_ in _answer(tracks)
    )


@settings(max_examples=60, deadline=None)
@given(_tracks(), st.integers(1, 60 * S - 1))
def test_a_wait_told_in_two_is_the_same(tracks, instant):
    """A track that stands still conflicts as long and as near with one more report of where it stands (T-JOIN-2: which instant of equal ones is named may differ)."""
    (_, *place) = tracks["T0"][0]
    still = tracks | {"T0": [(T0, *place), (T0 + 60 * S, *place)]}
    split = tracks | {"T0": [(T0, *place), (T0 + instant, *place), (T0 + 60 * S, *place)]}
    assert [(*row[:4], row[5]) for row in _answer(split)] == [
        (*row[:4], row[5]) for row in _answer(still)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([0, 1, 46 * DEG, 89_999_999_999, -90 * DEG]),
    st.sampled_from([0, 180 * DEG, -180 * DEG, 7_123_456_789]),
    st.integers(-1_500_000_000, 1_500_000_000),
    st.sampled_from([0, NM, 5 * NM]),
    st.integers(-2, 2),
    st.booleans(),
)
def test_a_hovering_track_and_a_small_circle_have_one_verdict(lat, lon, far, minimum, rise, swap):
    """The door for tracks and the one for volumes agree on something that stands: laterally, in height and in time."""
    there = lat + far if abs(lat + far) <= 90 * DEG else lat - far
    vertical = 1000 * FT
    low = 20_000 * FT
    piece = Volume(
        Circle((lon, there), 3 * NM),
        "planar",
        Altitude(low, "ft", "STD"),
        Altitude(low + 500 * FT, "ft", "STD"),
        T0 + 5 * S,
        T0 + 50 * S,
    )
    # the circle that hovers is 0.1 mm wide, so the track's minimum is 0.1 mm more
    level = low - vertical - 10 + rise
    hover = Volume(
        Circle((lon, lat), 1),
        "planar",
        Altitude(level, "ft", "STD"),
        Altitude(level + 10, "ft", "STD"),
        T0,
        T0 + 60 * S,
    )
    notices = [
        build_notice(name=name, exercise=True, activity="patrol", pieces=(one,))
        for name, one in (("A", piece), ("B", hover))
    ]
    if swap:
        notices.reverse()
    verdict = check_pair(*notices, Rules(Minima(minimum, vertical))).verdict
    columns = np.array([(T0, lon, lat, level + 10), (T0 + 60 * S, lon, lat, level + 10)]).T
    legs = build_legs(
        build_tracks(("A",), np.array([0, 2]), *columns, datum="STD"),
        LegRules(),
        part_tenth_mm=FINE_PART_TENTH_MM,
    )
    met = find_in_volumes(legs, [piece], Rules(Minima(minimum + 1, vertical)))
    assert (verdict == "conflict") == bool(met)
    if met:
        assert (met[0].verdict, met[0].from_us, met[0].until_us) == (
            "conflict", T0 + 5 * S, T0 + 50 * S,
        )  # fmt: skip

"""Bands: every value inside is too close by the exact predicate, every value outside is not."""

from __future__ import annotations

import random

import msgspec
import pytest

from detente.conflict.bands import ALTITUDE_STEP, SPEED_STEP, TRACK_STEP, TURN, UP_STEP, at_now
from detente.conflict.encounter import encounter
from detente.conflict.tactical import (
    Envelope,
    Profile,
    TrackState,
    check_tracks,
    components_of,
    find_bands,
)
from detente.errors import UsageError
from oracle import reports

NM, FT, DEG, NOW = reports.NM, reports.FT, reports.DEG, reports.NOW
RULE = Profile(lateral=5 * NM, vertical=1000 * FT)
CLEAR_OF = Profile(lateral=4000 * FT, vertical=450 * FT, tau_s=35)
SMALL = Envelope((0, 40 * SPEED_STEP), (-9 * UP_STEP, 9 * UP_STEP), (0, 30 * ALTITUDE_STEP))


def track(name, lon, lat, feet, speed, course, up=0, **more):
    """A report: degrees, feet, 0.1 mm a second, degrees."""
    east, north = components_of(speed, course * DEG)
    return TrackState(
        **reports.report(
            name, round(lon * DEG), round(lat * DEG), feet * FT, east, north, up, **more
        )
    )


def variants(own, kind):
    """The own track with every value of a kind, by the page."""
    speed = int((own.east**2 + own.north**2) ** 0.5)
    while speed * speed > own.east**2 + own.north**2:
        speed -= 1
    while (speed + 1) ** 2 <= own.east**2 + own.north**2:
        speed += 1

    def halved(value):
        size = (2 * abs(value) + speed) // (2 * speed)
        return size if value >= 0 else -size

    def one(value):
        if kind == "track":
            east, north = components_of(speed, value)
            return {"east": east, "north": north}
        if kind == "speed":
            if not speed:
                return {"east": 0, "north": value}
            return {"east": halved(own.east * value), "north": halved(own.north * value)}
        return {"up": value} if kind == "up" else {"up": 0, "altitude": value}

    return lambda value: msgspec.structs.replace(own, **one(value))


def check_bands(own, others, profile, look_ahead_s=300, envelope=SMALL):
    """Each value of each band against the exact predicate."""
    found = find_bands(own, others, profile, NOW, look_ahead_s=look_ahead_s, envelope=envelope)
    now = at_now(own, NOW)
    shut = 0
    for kind in ("track", "speed", "up", "altitude"):
        band = getattr(found, kind)
        made = variants(now, kind)
        free = []
        for value in range(band.values[0], band.values[1] + 1, band.step):
            close = any(
                encounter(made(value), other, profile, NOW, look_ahead_s * 10**6) is not None
                for other in others
            )
            inside = any(low <= value <= high for low, high in band.forbidden)
            assert inside == close, (kind, value)
            shut += close
            if not close:
                free.append(value)
        if kind in ("up", "altitude"):
            here = now.up if kind == "up" else now.altitude
            assert band.down == max((one for one in free if one <= here), default=None)
            assert band.up == min((one for one in free if one >= here), default=None)
        assert all(
            a[1] + band.step < b[0]
            for a, b in zip(band.forbidden, band.forbidden[1:], strict=False)
        )
    return shut


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("profile", [RULE, CLEAR_OF], ids=["rule", "well-clear"])
def test_every_value_of_a_crowd_is_as_the_exact_predicate_says(seed, profile):
    """T-BND-1, T-BND-2: tracks, speeds, climbs and altitudes against three others: inside is too close, outside is not."""
    draw = random.Random(seed)
    datums = ("STD", "STD", "MSL") if seed % 2 else ("STD",)

    def some(name):
        return track(
            name,
            8 + draw.uniform(-0.08, 0.08),
            47 + draw.uniform(-0.08, 0.08),
            draw.randint(0, 12) * 100,
            draw.randint(300_000, 2_500_000),
            draw.randrange(360),
            draw.choice((0, 0, 50_800, -30_000)),
            datum=draw.choice(datums),
            time=NOW - draw.choice((0, 3_700_001)),
            lateral_growth=draw.choice((0, 5_000)),
            vertical_growth=draw.choice((0, 300)),
        )

    shut = sum(
        check_bands(some("own"), [some(f"b{i}") for i in range(3)], profile) for _ in range(3)
    )
    assert shut > 0


def test_values_at_boundaries_poles_and_the_antimeridian_are_as_the_exact_predicate_says():
    """T-BND-1: equal velocities, exact minima, four datums, poles and 180 degrees: floating point leaves to the integers what it cannot tell."""
    shut = 0
    tiny = Envelope((0, 8 * SPEED_STEP), (-4 * UP_STEP, 4 * UP_STEP), (0, 12 * ALTITUDE_STEP))
    for one, two, profile in reports.pairs(11, 12):
        own, other = TrackState(**one), TrackState(**two)
        if abs(own.time - NOW) > 10**8 or abs(other.time - NOW) > 10**8:
            continue
        shut += check_bands(own, [other], Profile(**profile), envelope=tiny)
    assert shut > 0


def test_head_on_needs_a_turn_a_climb_or_to_be_slower():
    """T-BND-3: head-on at one level: straight on is shut, the way out is named on both sides, and each edge is clear by the door's own answer."""
    own = track("a", 0, 0, 10_000, 2_400_000, 90)
    other = track("b", 0.6, 0, 10_000, 2_400_000, 270)
    found = find_bands(own, [other], RULE, NOW)
    assert (found.track.values, found.track.step) == ((0, 359 * DEG), TRACK_STEP)
    assert any(low <= 90 * DEG <= high for low, high in found.track.forbidden)
    assert found.track.down == TURN // 2 - found.track.up
    turned = components_of(2_400_000, found.track.up)
    clear = msgspec.structs.replace(own, east=turned[0], north=turned[1])
    assert check_tracks(clear, other, RULE, NOW) is None
    less = components_of(2_400_000, found.track.up - TRACK_STEP)
    assert check_tracks(msgspec.structs.replace(own, east=less[0], north=less[1]), other, RULE, NOW)
    assert found.altitude.down == 9_000 * FT
    assert found.altitude.up == 11_000 * FT
    assert found.altitude.forbidden == ((9_100 * FT, 10_900 * FT),)
    assert found.up.up == -found.up.down


def test_band_over_north_is_two_and_its_ends_are_found_across_it():
    """T-BND-3: a band over north is two intervals, and left and right are looked for the short way round."""
    own = track("a", 0, 0, 10_000, 2_400_000, 0)
    other = track("b", 0, 0.6, 10_000, 2_400_000, 180)
    band = find_bands(own, [other], RULE, NOW).track
    assert band.forbidden[0][0] == 0
    assert band.forbidden[-1][1] == 359 * DEG
    assert band.up == TURN - band.down == band.forbidden[0][1] + TRACK_STEP


def test_nobody_near_shuts_nothing_and_all_shut_has_no_way_out():
    """T-BND-3: without others nothing is shut; on top of each other every track is, and no way out is named."""
    own = track("a", 0, 0, 10_000, 2_400_000, 90)
    free = find_bands(own, [], RULE, NOW)
    assert [band.forbidden for band in (free.track, free.speed, free.up, free.altitude)] == [()] * 4
    assert free.track.down == free.track.up == 90 * DEG
    other = track("b", 0, 0, 10_000, 0, 0)
    shut = find_bands(own, [other], RULE, NOW)
    assert shut.track.forbidden == ((0, 359 * DEG),)
    assert (shut.track.down, shut.track.up) == (None, None)


def test_order_of_the_others_changes_nothing():
    """T-BND-2: the bands are the same whatever order the others come in."""
    own = track("a", 0, 0, 10_000, 2_400_000, 90)
    others = [
        track(f"b{i}", 0.3 + i / 10, 0.1 * i, 10_000 + 300 * i, 2_000_000, 250) for i in range(4)
    ]
    assert find_bands(own, others, RULE, NOW) == find_bands(own, others[::-1], RULE, NOW)


def test_report_is_brought_to_now():
    """T-BND-1: an older own report is carried to the instant of the change, as sure as it then is."""
    own = track("a", 0, 0, 10_000, 2_400_000, 90, 1_000, time=NOW - 10_000_000, lateral_growth=7)
    now = at_now(own, NOW)
    assert (now.time, now.lateral, now.altitude) == (NOW, 70, own.altitude + 10_000)
    assert abs(now.lon - 21_559_600) < 100
    assert now.lat == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"envelope": Envelope(speed=(5, 4))}, "envelope-range"),
        ({"envelope": Envelope(speed=(-1, 4))}, "envelope-range"),
        ({"envelope": Envelope(altitude=(0, 10**12))}, "envelope-range"),
        ({"look_ahead_s": 0}, "look-ahead-range"),
    ],
)
def test_what_cannot_be_flown_or_looked_at_is_refused(wrong, code):
    """T-BND-4: an envelope out of order or range, a look-ahead out of range, an old report: refused, with the name."""
    own = track("a", 0, 0, 10_000, 2_400_000, 90)
    with pytest.raises(UsageError) as refused:
        find_bands(own, [], RULE, NOW, **wrong)
    assert refused.value.code == code
    old = msgspec.structs.replace(own, time=NOW - 301 * 10**6)
    with pytest.raises(UsageError, match="301 s from now"):
        find_bands(old, [], RULE, NOW)

"""What a live track had better not do: the tracks, speeds, climbs and altitudes that bring it too close to others.

Each value of a grid is looked at as if it were flown from now on, by the predicate of
`encounter`, in closed form over the whole look-ahead. Floating point decides where its bound of error
allows, integers elsewhere; so the bands are those of the exact predicate. docs/spec/tactical-model.md,
section 10, is the normative text.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import msgspec
import numpy as np
import numpy.typing as npt

from detente.airspace.altitude import DatumBounds
from detente.airspace.earth import (
    AXIS_RATIO_Q,
    Q,
    chord_of,
    degrees_of,
    earth_point,
    round_ratio,
    sine_cosine,
)
from detente.conflict.encounter import (
    LENGTH_UNIT,
    SPEED_BITS,
    Profile,
    datum_offset,
    encounter,
    velocity,
)
from detente.conflict.track import TrackState, components_of
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_M, US_PER_S

TRACK_STEP = NANODEG_PER_DEG
TURN = 360 * NANODEG_PER_DEG
SPEED_STEP = 25_000  # 2.5 m/s, about 5 kt
UP_STEP = 100 * TENTH_MM_PER_FT // 60  # 100 ft/min is a whole 5080
ALTITUDE_STEP = 100 * TENTH_MM_PER_FT

# Floats of whole numbers, some 30 operations: an error of 2^-48 of the squares that they are made of, and the ends of
# a window are off by one rounding, which moves a square by less. Three thousand times as much is kept.
_ERROR = 1e-11
_INSTANT = 1e-6  # seconds; a shorter window is left to the integers

Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.int8]


class Envelope(msgspec.Struct, frozen=True):
    """What the own track can do: the least and most of each, rounded inward to whole steps.

    Args:
        speed: over ground, 0.1 mm a second.
        up: change of altitude, 0.1 mm a second.
        altitude: in the own datum, 0.1 mm.
    """

    speed: tuple[int, int] = (0, 350 * TENTH_MM_PER_M)
    up: tuple[int, int] = (-60 * UP_STEP, 60 * UP_STEP)
    altitude: tuple[int, int] = (0, 600 * ALTITUDE_STEP)


class Band(msgspec.Struct, frozen=True):
    """The values of one kind that are too close to somebody.

    Args:
        values: the least and the most that were looked at.
        step: between two values: 1e-9 degree, 0.1 mm a second or 0.1 mm.
        forbidden: closed intervals of values, sorted, with at least one free value between them; a band
            over north is two of them.
        down: the nearest free value at or below the own one (of a track: to the left); None if there is none.
        up: at or above (to the right).
    """

    values: tuple[int, int]
    step: int
    forbidden: tuple[tuple[int, int], ...]
    down: int | None
    up: int | None


class Bands(msgspec.Struct, frozen=True):
    """The bands of one track: true track from north, speed over ground, change of altitude, altitude."""

    track: Band
    speed: Band
    up: Band
    altitude: Band


def at_now(state: TrackState, now_us: int) -> TrackState:
    """A report brought to an instant: where it then is, rounded, and as sure as it then is."""
    age = now_us - state.time
    if age == 0:
        return state
    place = earth_point(state.lon, state.lat)
    x, y, z = (
        round_ratio(p * LENGTH_UNIT + w * age, LENGTH_UNIT)
        for p, w in zip(place, velocity(state), strict=True)
    )
    lon, lat = degrees_of((x, y, z))
    later = max(0, age)
    return msgspec.structs.replace(
        state,
        lon=lon,
        lat=lat,
        altitude=state.altitude + round_ratio(state.up * age, US_PER_S),
        time=now_us,
        lateral=state.lateral - (-state.lateral_growth * later // US_PER_S),
        vertical=state.vertical - (-state.vertical_growth * later // US_PER_S),
    )


def make_bands(
    own: TrackState,
    others: Sequence[TrackState],
    profile: Profile,
    now_us: int,
    look_ahead_us: int,
    envelope: Envelope,
) -> Bands:
    """The bands of a track against others; the arguments are checked by `tactical.find_bands`.

    Args:
        own: the track that may change.
        others: those that go straight on.
        profile: what is too close.
        now_us: the instant of the change, microseconds.
        look_ahead_us: how far, a whole number of milliseconds.
        envelope: what it can do.
    """
    own = at_now(own, now_us)
    speed = isqrt(own.east * own.east + own.north * own.north)
    grids = [
        range(0, TURN, TRACK_STEP),
        _grid(envelope.speed, SPEED_STEP),
        _grid(envelope.up, UP_STEP),
        _grid(envelope.altitude, ALTITUDE_STEP),
    ]
    variants = [_replace(own, *components_of(speed, track)) for track in grids[0]]
    variants += [
        _replace(own, *_along(own, speed, value)) if speed else _replace(own, 0, value)
        for value in grids[1]
    ]
    variants += [msgspec.structs.replace(own, up=value) for value in grids[2]]
    variants += [msgspec.structs.replace(own, up=0, altitude=value) for value in grids[3]]
    close = np.zeros(len(variants), dtype=bool)
    columns = np.array([(v.east, v.north, v.up, v.altitude) for v in variants], dtype=np.int64).T
    offsets: dict[tuple[int, int], tuple[int, int]] = {}
    for other in others:
        flags = _judge(own, variants, columns, other, profile, now_us, look_ahead_us, offsets)
        for row in np.nonzero((flags < 0) & ~close)[0].tolist():
            found = encounter(variants[row], other, profile, now_us, look_ahead_us)
            flags[row] = found is not None
        close |= flags > 0
    track = own.east or own.north
    values = (
        _bearing(own) if track else 0,
        speed,
        own.up,
        own.altitude,
    )
    bands, at = [], 0
    for number, (grid, value) in enumerate(zip(grids, values, strict=True)):
        bands.append(_band(grid, close[at : at + len(grid)], value, turns=number == 0))
        at += len(grid)
    return Bands(*bands)


# -- values ----------------------------------------------------------------------------------------


def _grid(ends: tuple[int, int], step: int) -> range:
    return range(-(-ends[0] // step) * step, ends[1] // step * step + 1, step)


def _replace(own: TrackState, east: int, north: int) -> TrackState:
    return msgspec.structs.replace(own, east=east, north=north)


def _along(own: TrackState, speed: int, value: int) -> tuple[int, int]:
    """Another speed on the own track."""
    return round_ratio(own.east * value, speed), round_ratio(own.north * value, speed)


def _bearing(own: TrackState) -> int:
    """The own track, rounded to the grid: the nearest whole degree, exactly."""

    def along(degree: int) -> int:
        sine, cosine = sine_cosine(degree * TRACK_STEP)
        return own.east * sine + own.north * cosine

    return max(range(360), key=along) * TRACK_STEP


def _band(grid: range, close: npt.NDArray[np.bool_], value: int, *, turns: bool) -> Band:
    edges = np.diff(np.concatenate(([0], close.astype(np.int8), [0])))
    starts, stops = np.nonzero(edges == 1)[0].tolist(), np.nonzero(edges == -1)[0].tolist()
    forbidden = tuple((grid[a], grid[b - 1]) for a, b in zip(starts, stops, strict=True))
    free = [at for at, shut in zip(grid, close.tolist(), strict=True) if not shut]
    if turns:
        down = min(free, key=lambda at: (value - at) % TURN, default=None)
        up = min(free, key=lambda at: (at - value) % TURN, default=None)
    else:
        down = max((at for at in free if at <= value), default=None)
        up = min((at for at in free if at >= value), default=None)
    ends = (grid[0], grid[-1]) if len(grid) else (0, 0)
    return Band(ends, grid.step, forbidden, down, up)


# -- one other -------------------------------------------------------------------------------------


def _judge(
    own: TrackState,
    variants: Sequence[TrackState],
    columns: Longs,
    other: TrackState,
    profile: Profile,
    now_us: int,
    look_ahead_us: int,
    offsets: dict[tuple[int, int], tuple[int, int]],
) -> Flags:
    """For each variant: 1 surely too close, 0 surely not, -1 where the integers must decide."""
    east, north = columns[:2].astype(np.float64)
    climb, altitude = columns[2:]
    age, end = (now_us - other.time) / US_PER_S, look_ahead_us / US_PER_S
    place, its_place = earth_point(own.lon, own.lat), earth_point(other.lon, other.lat)
    normal = [p + q for p, q in zip(place, its_place, strict=True)]
    normal[2] = normal[2] * AXIS_RATIO_Q >> Q
    n = np.array(normal, dtype=np.float64)
    n /= np.sqrt(n @ n)
    its = np.array(velocity(other), dtype=np.float64) / (1 << SPEED_BITS)
    r = (
        np.array([q - p for p, q in zip(place, its_place, strict=True)], dtype=np.float64)
        + its * age
    )
    r = r - (r @ n) * n
    sin_lon, cos_lon = (part / (1 << Q) for part in sine_cosine(own.lon))
    sin_lat, cos_lat = (part / (1 << Q) for part in sine_cosine(own.lat))
    v = [
        its[0] + east * sin_lon + north * (sin_lat * cos_lon),
        its[1] - east * cos_lon + north * (sin_lat * sin_lon),
        its[2] - north * cos_lat,
    ]
    up = v[0] * n[0] + v[1] * n[1] + v[2] * n[2]
    v = [part - up * axis for part, axis in zip(v, n.tolist(), strict=True)]
    rr = float(r @ r)
    rv = v[0] * r[0] + v[1] * r[1] + v[2] * r[2]
    vv = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]

    later = max(0, now_us - other.time)
    length = profile.lateral + own.lateral + other.lateral
    length -= -other.lateral_growth * later // US_PER_S
    chord = chord_of(length) / (1 << SPEED_BITS)
    growth = float(own.lateral_growth + other.lateral_growth)
    a, b, c = vv - growth * growth, rv - chord * growth, rr - chord * chord

    lows, highs = _offsets(variants, other, profile.bounds, now_us, look_ahead_us, offsets)
    # heights in whole millionths of 0.1 mm: what is exactly at the minimum is common, and no doubt
    room = (profile.vertical + own.vertical + other.vertical) * US_PER_S
    room += other.vertical_growth * later
    widening = own.vertical_growth + other.vertical_growth
    height = other.altitude * US_PER_S + other.up * (now_us - other.time) - altitude * US_PER_S
    closing = other.up - climb
    start, stop = np.zeros(len(vv)), np.full(len(vv), end)
    never = np.zeros(len(vv), dtype=bool)
    for level, slope in (
        (height + highs * US_PER_S + room, closing + widening),
        (room - height - lows * US_PER_S, widening - closing),
    ):
        with np.errstate(divide="ignore", invalid="ignore"):
            at = -level / (slope * US_PER_S)
        never |= (slope == 0) & (level <= 0)
        start = np.where(slope > 0, np.maximum(start, at), start)
        stop = np.where(slope < 0, np.minimum(stop, at), stop)
    lasts = stop - start
    never |= lasts < -_INSTANT
    unsure = np.abs(lasts) <= _INSTANT
    stop = np.maximum(start, stop)

    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(a > 0, np.clip(-b / a, start, stop), start)
    value = np.minimum(
        np.minimum((a * start + 2 * b) * start + c, (a * stop + 2 * b) * stop + c),
        (a * least + 2 * b) * least + c,
    )
    size = rr + chord * chord + 2 * (np.abs(rv) + chord * growth) * end
    size = size + (vv + growth * growth) * end * end
    if profile.tau_s:
        tau = float(profile.tau_s)
        with np.errstate(divide="ignore", invalid="ignore"):
            nearest = np.where(vv > 0, np.clip(-rv / vv, start, stop), start)
        allowed = (chord * vv - growth * rv) ** 2
        missed = (rr * vv - rv * rv) * vv
        scale = rr * vv * vv + allowed + rv * rv * vv
        passes = (a > 0) & (rv < 0) & (missed < allowed)
        unsure |= (np.abs(missed - allowed) <= 1e-9 * scale) | (np.abs(a) <= 1e-9 * vv)
        unsure |= np.abs(rv) <= 1e-9 * np.sqrt(rr * vv)
        early = (a * nearest + 2 * b) * nearest + c + tau * np.minimum(0.0, rv + vv * nearest)
        value = np.where(passes, early, value)
        size = size + tau * (np.abs(rv) + vv * end)
    unsure |= np.abs(value) <= _ERROR * size + 1.0
    flags: Flags = np.where(never, 0, np.where(unsure, -1, value < 0)).astype(np.int8)
    return flags


def _offsets(
    variants: Sequence[TrackState],
    other: TrackState,
    bounds: DatumBounds,
    now_us: int,
    look_ahead_us: int,
    known: dict[tuple[int, int], tuple[int, int]],
) -> tuple[Longs | int, Longs | int]:
    """What the datums add to the height at least and at most, for each variant; nothing where they are one."""
    if variants[0].datum == other.datum:
        return 0, 0
    low, high = datum_offset(other, now_us, look_ahead_us, bounds)
    own = []
    for variant in variants:
        key = variant.altitude, variant.up
        if key not in known:
            known[key] = datum_offset(variant, now_us, look_ahead_us, bounds)
        own.append(known[key])
    found = np.array(own, dtype=np.int64)
    return low - found[:, 1], high - found[:, 0]

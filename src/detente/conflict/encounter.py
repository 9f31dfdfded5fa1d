"""Two live tracks, exactly: when are they closer than a profile allows, if neither turns?

Whole numbers only. Lengths are in `LENGTH_UNIT`s (0.1 mm / (2^16 10^6)) so that an instant in
microseconds, a velocity of 2^-16 of 0.1 mm a second and a chord of 2^-16 of 0.1 mm are whole together.
docs/spec/tactical-model.md is the normative text.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isqrt

import msgspec

from detente.airspace.altitude import DatumBounds
from detente.airspace.earth import (
    AXIS_RATIO_Q,
    Point,
    Q,
    chord_of,
    earth_point,
    round_ratio,
    sine_cosine,
)
from detente.conflict.track import TrackState
from detente.units import US_PER_S

SPEED_BITS = 16
LENGTH_UNIT = US_PER_S << SPEED_BITS  # of them make 0.1 mm
STEP_US = 1000  # answers are whole milliseconds
GRAIN = 1000  # and whole decimetres, in 0.1 mm

CONFLICT, CANNOT_TELL = 1, 2  # what a pair can be other than clear


class Profile(msgspec.Struct, frozen=True):
    """What is too close.

    Args:
        lateral: minimum along the surface, 0.1 mm; for well clear also DMOD and HMD.
        vertical: minimum, 0.1 mm.
        tau_s: threshold of modified tau, seconds; 0 for none.
        bounds: how far datums can be apart.
    """

    lateral: int
    vertical: int
    tau_s: int = 0
    bounds: DatumBounds = DatumBounds()


class Encounter(msgspec.Struct, frozen=True):
    """When two tracks are closer than the profile allows, both going straight on.

    Args:
        verdict: `CONFLICT`, or `CANNOT_TELL` where only the datums leave it open.
        from_us: start, microseconds from now, whole milliseconds rounded down; 0 if it is so now.
        until_us: end, rounded up; the look-ahead if it goes on.
        closest_us: when they are laterally closest between these.
        lateral: how far apart they are then, 0.1 mm, whole decimetres rounded down.
        vertical: the same in height; the least that the datums leave open.
    """

    verdict: int
    from_us: int
    until_us: int
    closest_us: int
    lateral: int
    vertical: int


def velocity(state: TrackState) -> Point:
    """Speed over ground as an earth-centred vector, in 2^-16 of 0.1 mm a second."""
    sin_lon, cos_lon = sine_cosine(state.lon)
    sin_lat, cos_lat = sine_cosine(state.lat)
    east, north = state.east << Q, state.north
    below = 1 << (2 * Q - SPEED_BITS)
    return (
        round_ratio(-east * sin_lon - north * sin_lat * cos_lon, below),
        round_ratio(east * cos_lon - north * sin_lat * sin_lon, below),
        round_ratio(north * cos_lat, 1 << (Q - SPEED_BITS)),
    )


def datum_offset(
    state: TrackState, now_us: int, look_ahead_us: int, bounds: DatumBounds
) -> tuple[int, int]:
    """The least and most to add to a track's altitude, at any time of the look-ahead, to get mean sea level."""
    ends = [
        state.altitude * US_PER_S + state.up * (now_us - state.time + extra)
        for extra in (0, look_ahead_us)
    ]
    offsets = []
    for end in ends:
        outward = -(-abs(end) // US_PER_S) * (1 if end >= 0 else -1)
        low, high = bounds.range_msl(outward, state.datum)
        offsets.append((low - outward, high - outward))
    return min(low for low, _ in offsets), max(high for _, high in offsets)


def encounter(
    one: TrackState, two: TrackState, profile: Profile, now_us: int, look_ahead_us: int
) -> Encounter | None:
    """What the engine says about two tracks; None if they are clear. Sides do not matter.

    Args:
        one: a track.
        two: another.
        profile: what is too close.
        now_us: the instant from which to look, microseconds.
        look_ahead_us: how far, a whole number of milliseconds.
    """
    pair = _Pair(one, two, profile, now_us, look_ahead_us)
    low, high = (0, 0)
    if one.datum != two.datum:
        low_a, high_a = datum_offset(one, now_us, look_ahead_us, profile.bounds)
        low_b, high_b = datum_offset(two, now_us, look_ahead_us, profile.bounds)
        low, high = low_b - high_a, high_b - low_a
    for verdict, offsets in ((CONFLICT, (low, high)), (CANNOT_TELL, (high, low))):
        # For certain: also where the datums put it farthest. Possibly: where they put it nearest.
        found = pair.meet(*offsets)
        if found is not None:
            return pair.describe(verdict, found, low, high)
        if low == high:
            break
    return None


class _Pair:
    """The quadratics of one pair. Times are microseconds from now."""

    def __init__(
        self, one: TrackState, two: TrackState, profile: Profile, now_us: int, look_ahead_us: int
    ) -> None:
        self.end = look_ahead_us
        age_a, age_b = now_us - one.time, now_us - two.time
        point_a, point_b = earth_point(one.lon, one.lat), earth_point(two.lon, two.lat)
        speed_a, speed_b = velocity(one), velocity(two)
        apart = [
            (q - p) * LENGTH_UNIT + w * age_b - v * age_a
            for p, q, v, w in zip(point_a, point_b, speed_a, speed_b, strict=True)
        ]
        closing = [w - v for v, w in zip(speed_a, speed_b, strict=True)]
        # The plane in which distance counts: across the vertical between the two.
        normal = [p + q for p, q in zip(point_a, point_b, strict=True)]
        normal[2] = normal[2] * AXIS_RATIO_Q >> Q
        up_r, up_v = _dot(apart, normal), _dot(closing, normal)
        self.scale = _dot(normal, normal)
        self.rr = _dot(apart, apart) * self.scale - up_r * up_r
        self.rv = _dot(apart, closing) * self.scale - up_r * up_v
        self.vv = _dot(closing, closing) * self.scale - up_v * up_v

        length = (
            (profile.lateral + one.lateral + two.lateral) * US_PER_S
            + one.lateral_growth * max(0, age_a)
            + two.lateral_growth * max(0, age_b)
        )
        chord = chord_of(-(-length // US_PER_S)) * US_PER_S
        growth = (one.lateral_growth + two.lateral_growth) << SPEED_BITS
        # g(t) = a t^2 + 2 b t + c is below zero where they are laterally too close.
        self.a = self.vv - growth * growth * self.scale
        self.b = self.rv - chord * growth * self.scale
        self.c = self.rr - chord * chord * self.scale
        self.tau_us = profile.tau_s * US_PER_S
        if self.tau_us and not self._passes_close(chord, growth):
            self.tau_us = 0

        self.height = (two.altitude - one.altitude) * US_PER_S + two.up * age_b - one.up * age_a
        self.climb = two.up - one.up
        self.room = (
            (profile.vertical + one.vertical + two.vertical) * US_PER_S
            + one.vertical_growth * max(0, age_a)
            + two.vertical_growth * max(0, age_b)
        )
        self.room_growth = one.vertical_growth + two.vertical_growth

    def _passes_close(self, chord: int, growth: int) -> bool:
        """Whether the miss distance is below the minimum as it is then, and closing beats growing."""
        if self.a <= 0 or self.rv >= 0:
            return False
        allowed = chord * self.vv - growth * self.rv  # times vv: at t = -rv / vv
        return (self.rr * self.vv - self.rv**2) * self.vv < allowed * allowed * self.scale

    def too_close(self, at: Fraction | int) -> bool:
        """Whether they are laterally too close at an instant: g, and before the pass also tau."""
        above, below = (at, 1) if isinstance(at, int) else (at.numerator, at.denominator)
        value = self.a * above * above + 2 * self.b * above * below + self.c * below * below
        if self.tau_us:
            value += self.tau_us * below * min(0, self.rv * below + self.vv * above)
        return value < 0

    def meet(self, low: int, high: int) -> tuple[int, int] | None:
        """From and until, microseconds, where heights count with these offsets added; None if never.

        Args:
            low: added to the height where it must be above the lower limit, 0.1 mm.
            high: added where it must be below the upper limit.
        """
        window = self._heights(low, high)
        if window is None:
            return None
        start, end = window
        inside = self._inside(start, end)
        if inside is None:
            return None
        return (
            _last(lambda at: not self.too_close(at), start, inside),
            _first(lambda at: not self.too_close(at), inside, end),
        )

    def _heights(self, low: int, high: int) -> tuple[Fraction, Fraction] | None:
        """The part of the look-ahead in which the heights are too close, between its ends."""
        start, end = Fraction(0), Fraction(self.end)
        # -room(t) < height(t) + offset < room(t), each a straight line
        for sign, offset in ((1, low), (-1, high)):
            level = sign * (self.height + offset * US_PER_S) + self.room
            slope = sign * self.climb + self.room_growth
            if slope == 0:
                if level <= 0:
                    return None
            elif slope > 0:
                start = max(start, Fraction(-level, slope))
            else:
                end = min(end, Fraction(-level, slope))
        return (start, end) if start < end else None

    def _inside(self, start: Fraction, end: Fraction) -> Fraction | None:
        """An instant of a window at which they are laterally too close, or None if there is none."""
        places = [start, end]
        if self.tau_us:
            places = [min(max(Fraction(-self.rv, self.vv), start), end)]
        elif self.a > 0:
            places = [min(max(Fraction(-self.b, self.a), start), end)]
        return next((at for at in places if self.too_close(at)), None)

    def describe(self, verdict: int, found: tuple[int, int], low: int, high: int) -> Encounter:
        """The answer in whole milliseconds and decimetres."""
        closest = found[0]
        if self.vv:
            closest = min(max(-self.rv // (self.vv * STEP_US) * STEP_US, found[0]), found[1])
        square = self.vv * closest * closest + 2 * self.rv * closest + self.rr
        lateral = isqrt(square // (self.scale * (GRAIN * LENGTH_UNIT) ** 2)) * GRAIN
        height = self.height + self.climb * closest
        least = max(height + low * US_PER_S, -(height + high * US_PER_S), 0)
        return Encounter(verdict, *found, closest, lateral, least // (GRAIN * US_PER_S) * GRAIN)


def _dot(one: list[int], two: list[int]) -> int:
    return one[0] * two[0] + one[1] * two[1] + one[2] * two[2]


def _last(apart: Callable[[int], bool], start: Fraction, inside: Fraction) -> int:
    """The last whole millisecond before which, from the start of the window, they are apart."""
    low, high = start // STEP_US, inside // STEP_US  # at `low` the window has not begun
    while low < high:
        middle = (low + high + 1) // 2
        if apart(middle * STEP_US):
            low = middle
        else:
            high = middle - 1
    return low * STEP_US


def _first(apart: Callable[[int], bool], inside: Fraction, end: Fraction) -> int:
    """The first whole millisecond from which, to the end of the window, they are apart."""
    low, high = -(-inside // STEP_US), -(-end // STEP_US)
    while low < high:
        middle = (low + high) // 2
        if apart(middle * STEP_US):
            high = middle
        else:
            low = middle + 1
    return low * STEP_US

"""The slow exact oracle: the models of docs/spec written again from their pages, in fractions, without the engine.

It decides pair by pair, by the roots of quadratics, and knows neither grids nor floats. Tests and the
generator of the public test set use it; nothing here may import the engine.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from oracle.earth import (
    AXIS_Q,
    BOUNDS,
    ONE,
    Q,
    Vector,
    chord,
    nearest,
    point,
    range_msl,
    sine_cosine,
)

US = 1_000_000


def dot(one: tuple[Fraction, ...], two: tuple[Fraction, ...]) -> Fraction:
    """The inner product."""
    return sum((p * q for p, q in zip(one, two, strict=True)), Fraction(0))


def floor_root(middle: Fraction, square: Fraction, sign: int) -> int:
    """floor(middle + sign sqrt(square)), exactly."""
    guess = (middle + sign * isqrt(square.__floor__())).__floor__()
    while at_most(Fraction(guess + 1), middle, square, sign):
        guess += 1
    while not at_most(Fraction(guess), middle, square, sign):
        guess -= 1
    return guess


def at_most(number: Fraction, middle: Fraction, square: Fraction, sign: int) -> bool:
    """number <= middle + sign sqrt(square)."""
    gap = number - middle
    if sign > 0:
        return gap <= 0 or gap * gap <= square
    return gap <= 0 and gap * gap >= square


class Below:
    """Where a t^2 + 2 b t + c < 0 within an open window: its ends in whole `step`s, rounded down and up.

    The set must be an interval within the window.
    """

    def __init__(
        self, a: Fraction, b: Fraction, c: Fraction, low: Fraction, high: Fraction
    ) -> None:
        self.a, self.b, self.c, self.low, self.high = a, b, c, low, high

    def at(self, when: Fraction) -> Fraction:
        """The value at an instant."""
        return self.a * when * when + 2 * self.b * when + self.c

    def ends(self, step: int) -> tuple[int, int] | None:
        """Start and end, or None where it is empty."""
        if self.low >= self.high:
            return None
        places = [self.low, self.high]
        if self.a > 0:
            places.append(min(max(-self.b / self.a, self.low), self.high))
        if min(self.at(when) for when in places) >= 0:
            return None
        start = self.low.__floor__() // step
        end = -((-self.high).__floor__() // step)
        if self.at(self.low) >= 0:
            start = max(start, self._root(step, -1))
        if self.at(self.high) >= 0:
            end = min(end, self._root(step, 1))
        return start * step, end * step

    def _root(self, step: int, side: int) -> int:
        """The crossing on one side in steps: rounded down where it goes in (-1), up where out (1)."""
        if self.a == 0:
            where = -self.c / (2 * self.b) / step
            return where.__floor__() if side < 0 else -((-where).__floor__())
        middle = -self.b / self.a / step
        square = (self.b * self.b - self.a * self.c) / (self.a * step) ** 2
        # With a < 0 the way in is the larger root (the set is all that is after), the way out the smaller.
        sign = side if self.a > 0 else -side
        if side < 0:
            return floor_root(middle, square, sign)
        return -floor_root(-middle, square, -sign)


Report = dict[str, object]


def velocity(report: Report) -> Vector:
    """Section 2 of the tactical model."""
    sin_lon, cos_lon = sine_cosine(report["lon"])
    sin_lat, cos_lat = sine_cosine(report["lat"])
    east, north = report["east"], report["north"]
    return (
        nearest(Fraction(-east * ONE * sin_lon - north * sin_lat * cos_lon, 1 << 144)),
        nearest(Fraction(east * ONE * cos_lon - north * sin_lat * sin_lon, 1 << 144)),
        nearest(Fraction(north * cos_lat, 1 << 64)),
    )


def encounter(
    one: Report,
    two: Report,
    *,
    lateral: int,
    vertical: int,
    tau_s: int = 0,
    now_us: int,
    look_ahead_us: int,
    bounds: dict[str, int] = BOUNDS,
) -> tuple[str, int, int, int, int, int] | None:
    """Sections 3 to 6 of the tactical model: verdict, from, until, closest (us), lateral, vertical (0.1 mm)."""
    ages = [now_us - report["time"] for report in (one, two)]
    since = [max(0, age) for age in ages]
    places, speeds = [], []
    for report, age in zip((one, two), ages, strict=True):
        speed = tuple(Fraction(w, 65536 * US) for w in velocity(report))  # 0.1 mm a microsecond
        places.append(
            tuple(
                p + w * age for p, w in zip(point(report["lon"], report["lat"]), speed, strict=True)
            )
        )
        speeds.append(speed)
    r = tuple(q - p for p, q in zip(*places, strict=True))
    v = tuple(q - p for p, q in zip(*speeds, strict=True))
    corner = [
        p + q
        for p, q in zip(point(one["lon"], one["lat"]), point(two["lon"], two["lat"]), strict=True)
    ]
    n = (Fraction(corner[0]), Fraction(corner[1]), Fraction(corner[2] * AXIS_Q >> Q))
    rr = dot(r, r) - dot(r, n) ** 2 / dot(n, n)
    rv = dot(r, v) - dot(r, n) * dot(v, n) / dot(n, n)
    vv = dot(v, v) - dot(v, n) ** 2 / dot(n, n)

    length = Fraction(lateral + one["lateral"] + two["lateral"])
    length += Fraction(one["lateral_growth"] * since[0] + two["lateral_growth"] * since[1], US)
    limit = Fraction(chord(-((-length).__floor__())), 65536)
    growth = Fraction(one["lateral_growth"] + two["lateral_growth"], US)
    a, b, c = vv - growth**2, rv - limit * growth, rr - limit**2
    pass_us = -rv / vv if vv else None
    tau = 0
    if tau_s and a > 0 and rv < 0 and pass_us is not None:
        miss = rr - rv * rv / vv
        allowed = limit + growth * pass_us
        if miss < allowed * allowed:
            tau = tau_s * US

    height = Fraction(two["altitude"] - one["altitude"]) + Fraction(
        two["up"] * ages[1] - one["up"] * ages[0], US
    )
    climb = Fraction(two["up"] - one["up"], US)
    room = Fraction(vertical + one["vertical"] + two["vertical"])
    room += Fraction(one["vertical_growth"] * since[0] + two["vertical_growth"] * since[1], US)
    wider = Fraction(one["vertical_growth"] + two["vertical_growth"], US)
    least = most = 0
    if one["datum"] != two["datum"]:
        ranges = []
        for report, age in zip((one, two), ages, strict=True):
            offsets = []
            for when in (0, look_ahead_us):
                end = report["altitude"] + Fraction(report["up"] * (age + when), US)
                whole = -((-abs(end)).__floor__())
                whole = whole if end >= 0 else -whole
                low, high = range_msl(whole, report["datum"], bounds)
                offsets.append((low - whole, high - whole))
            ranges.append((min(x for x, _ in offsets), max(y for _, y in offsets)))
        least, most = ranges[1][0] - ranges[0][1], ranges[1][1] - ranges[0][0]

    for verdict in ("conflict", "cannot-tell"):
        below, above = (least, most) if verdict == "conflict" else (most, least)
        low, high = Fraction(0), Fraction(look_ahead_us)
        for level, slope in (
            (height + below + room, climb + wider),
            (-height - above + room, -climb + wider),
        ):
            if slope > 0:
                low = max(low, -level / slope)
            elif slope < 0:
                high = min(high, -level / slope)
            elif level <= 0:
                high = low
        if tau:
            turn = min(max(pass_us, low), high)
            before = Below(a, b + tau * vv / 2, c + tau * rv, low, turn).ends(1000)
            after = Below(a, b, c, turn, high).ends(1000)
            found = None
            if before or after:
                found = (before or after)[0], (after or before)[1]
        else:
            found = Below(a, b, c, low, high).ends(1000)
        if found:
            closest = found[0]
            if vv:
                closest = min(max((-rv / vv / 1000).__floor__() * 1000, found[0]), found[1])
            square = rr + 2 * rv * closest + vv * closest * closest
            apart = isqrt((square / 1_000_000).__floor__()) * 1000
            at = height + climb * closest
            up = max(at + least, -(at + most), Fraction(0))
            return verdict, *found, closest, apart, (up / 1000).__floor__() * 1000
        if least == most == 0:
            break
    return None

"""Pairs of short flights, random and adversarial, each pair in an hour of its own; the same for the same seed everywhere.

Many lie on a boundary: heights exactly at the minimum and one unit off it, the same velocity, one after the
other in trail, passes at the minimum, standing still, poles, the antimeridian.
"""

from random import Random

DEG = 10**9
NM = 18_520_000
FT = 3048
S = 10**6
HOUR = 3600 * S
BASE = 1_533_081_600 * S
LATERAL, VERTICAL = 5 * NM, 1000 * FT
PLACES = ((7, 46.5), (180, 10), (-180, -33), (12, 89.9), (100, -89.95), (0, 0), (-60, 60))


def pairs(seed, count):
    """Pairs of tracks [(time, lon, lat, alt), ...]; pair k flies in hour k after `BASE`."""
    random = Random(seed)
    for number in range(count):
        begin = BASE + number * HOUR
        lon, lat = random.choice(PLACES)
        a = _track(random, begin, lon, lat)
        yield a, _beside(random, a) if random.random() < 0.4 else _track(random, begin, lon, lat)


def _position(lon, lat):
    lon = (round(lon * DEG) + 180 * DEG) % (360 * DEG) - 180 * DEG
    return lon, max(-90 * DEG, min(90 * DEG, round(lat * DEG)))


def _track(random, begin, lon, lat):
    time = begin + random.choice((0, 0, random.randrange(60 * S)))
    size = random.choice((0.02, 0.08, 0.3))
    far = 3 if abs(lat) > 89 else 1
    level = random.choice((290, 300, 300, 310)) * 100 * FT
    rows = []
    for _ in range(random.choice((2, 2, 3, 4))):
        place = _position(
            lon + far * random.uniform(-size, size),
            max(-90, min(90, lat + random.uniform(-size, size))),
        )
        if rows and random.random() < 0.05:
            place = rows[-1][1:3]  # it stands still
        rows.append((time, *place, level + random.choice((0, 0, 0, -1, 1, VERTICAL, 25 * FT))))
        time += random.choice((10 * S, 30 * S, 60 * S, random.randrange(S, 300 * S), 601 * S))
        if random.random() < 0.3:
            level += random.choice((-1000, 1000, 500, random.randrange(-3000, 3000))) * FT
    return rows


def _beside(random, track):
    """A second flight like the first: higher by about the minimum, later, or to one side."""
    higher = random.choice((0, VERTICAL, VERTICAL - 1, VERTICAL + 1, -VERTICAL, 500 * FT))
    later = random.choice((0, 0, 1, 20 * S, random.randrange(40 * S)))
    # a minute of latitude is about a mile: near the minimum, on either side of it
    north = random.choice((0, round(random.choice((1, 4.9, 4.999, 5.0, 5.001, 5.1)) * DEG / 60)))
    return [
        (time + later, lon, max(-90 * DEG, min(90 * DEG, lat + north)), alt + higher)
        for time, lon, lat, alt in track
    ]

"""Pairs of volumes, random and adversarial, in canonical form; the same for the same seed everywhere.

Most are built to lie on a boundary: shared edges and corners, distances and heights at the minimum and one
unit off it, intervals that meet, poles, the antimeridian, four datums.
"""

from random import Random

from detente.airspace.volume import parse_volume_body
from detente.errors import UsageError
from detente.notice.activity import build_notice
from detente.units import format_time
from oracle.earth import chord, point

UNIT = 10**9
FEET = 3048
NM = 18_520_000
MINUTE = 60 * 10**6
EPOCH = 1_537_209_540 * 10**6
DATUMS = ("MSL", "MSL", "MSL", "STD", "STD", "WGS84", "AGL")


def volume_pairs(seed, count):
    """Pairs ``(a, b, minima)``; volumes are dictionaries in canonical form, times in microseconds beside."""
    random = Random(seed)
    for _ in range(count):
        middle = _middle(random)
        minima = (
            random.choice((0, 0, NM, 3 * NM, 5 * NM)),
            random.choice((0, 0, 1000 * FEET)),
            random.choice((0, 0, 5 * MINUTE)),
        )
        a = _volume(random, middle, None, minima)
        b = _volume(random, middle, a, minima)
        yield a, b, minima


def notice_of(piece):
    """A notice of one such volume, or None where the engine's rules refuse it."""
    body = {key: value for key, value in piece.items() if key != "times"}
    body["start"], body["end"] = map(format_time, piece["times"])
    try:
        volume = parse_volume_body(body, field="piece")
    except UsageError:
        return None
    return build_notice(name="A", exercise=True, activity="patrol", pieces=(volume,))


def _middle(random):
    kind = random.randrange(10)
    if kind == 0:
        return random.choice((-180, 180)) * UNIT, random.randrange(-80, 80) * UNIT
    if kind == 1:
        return random.randrange(-180, 180) * UNIT, random.choice((-90, 90)) * UNIT
    return random.randrange(-179 * UNIT, 179 * UNIT), random.randrange(-75 * UNIT, 75 * UNIT)


def _volume(random, middle, other, minima):
    edges = random.choice(("planar", "planar", "planar", "planar", "geodesic"))
    geometry = _geometry(random, middle, other, edges, minima[0])
    lower, upper = _band(random, other, minima[1])
    start, end = _interval(random, other, minima[2])
    return {
        "geometry": geometry,
        "edges": edges,
        "lower": lower,
        "upper": upper,
        "times": (start, end),
    }


def _near(random, middle, size):
    """A position near the middle; on a coarse grid half of the time, so that things coincide."""
    step = size // 8
    offset = [
        random.randrange(-8, 9) * step if random.random() < 0.6 else random.randrange(-size, size)
        for _ in range(2)
    ]
    lon = (middle[0] + offset[0] + 180 * UNIT) % (360 * UNIT) - 180 * UNIT
    if abs(middle[0]) == 180 * UNIT and offset[0] == 0:
        lon = middle[0]
    return [lon, max(-90 * UNIT, min(90 * UNIT, middle[1] + offset[1]))]


def _geometry(random, middle, other, edges, minimum):
    kind = random.randrange(10)
    size = random.choice((UNIT // 10, UNIT // 5)) if edges == "planar" else UNIT // 10
    if kind <= 1:
        center = _near(random, middle, size)
        radius = random.choice((1, 20_000_000, random.randrange(1, 10**8)))
        if other and other["geometry"]["type"] == "circle" and random.random() < 0.7:
            # exactly as far apart as radii and minimum say, or a unit less or more
            gap = _length(center, other["geometry"]["center"])
            wanted = gap - other["geometry"]["radius_tenth_mm"] - minimum + random.randrange(-1, 2)
            radius = wanted if 0 < wanted < 10**9 else radius
        return {"type": "circle", "center": center, "radius_tenth_mm": radius}
    if kind <= 3:
        points = [_near(random, middle, size) for _ in range(random.randrange(2, 5))]
        points = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
        if len(points) > 1 and max(p[0] for p in points) - min(p[0] for p in points) < 90 * UNIT:
            width = random.randrange(1, 3 * 10**7)
            return {"type": "corridor", "points": points, "half_width_tenth_mm": width}
    polygons = [_polygon(random, middle, other, size) for _ in range(1 + (random.random() < 0.15))]
    return {"type": "area", "polygons": polygons}


def _polygon(random, middle, other, size):
    west, south = _near(random, middle, size)
    if other and other["geometry"]["type"] == "area" and random.random() < 0.5:
        west, south = random.choice(other["geometry"]["polygons"][0][0])  # a corner in common
    wide, high = (
        random.choice((size // 4, size // 2, random.randrange(1, size))) for _ in range(2)
    )
    if random.random() < 0.5:
        west -= wide
    if random.random() < 0.5:
        south -= high
    west = max(-180 * UNIT, min(180 * UNIT - wide, west))
    south = max(-90 * UNIT, min(90 * UNIT - high, south))
    corners = [
        [west, south],
        [west + wide, south],
        [west + wide, south + high],
        [west, south + high],
    ]
    if random.random() < 0.4:  # slanted and dented, still simple
        corners[2][0] -= random.randrange(0, wide // 2 + 1)
        corners.insert(3, [west + wide // 3, south + random.randrange(high // 2 + 1, high + 1)])
    rings = [[*corners, corners[0]]]
    if random.random() < 0.15 and len(corners) == 4 and wide > 8 and high > 8:
        x, y, w, h = west + wide // 4, south + high // 4, wide // 4, high // 4
        hole = [[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]]
        rings.append(hole)
    if random.random() < 0.5:
        rings[0].reverse()
    return rings


def _length(a, b):
    """The length whose chord is just below the distance of two positions."""
    one, two = point(*a), point(*b)
    square = sum((one[k] - two[k]) ** 2 for k in range(3))
    low, high = 0, 10**10
    while low < high:
        middle = (low + high + 1) // 2
        if chord(middle) ** 2 <= square << 32:
            low = middle
        else:
            high = middle - 1
    return low


def _band(random, other, minimum):
    datum = random.choice(DATUMS)
    low = random.randrange(0, 8) * 1000 * FEET
    high = low + random.randrange(4, 30) * 1000 * FEET
    if other and random.random() < 0.2:
        # one above the other, exactly at the minimum, or a unit off
        datum = other["upper"]["datum"]
        low = other["upper"]["tenth_mm"] + minimum + random.randrange(-1, 2)
        high = low + 3000 * FEET
    return tuple({"tenth_mm": v, "unit": "ft", "datum": datum} for v in (low, high))


def _interval(random, other, minimum):
    start = EPOCH + random.randrange(0, 6) * 10 * MINUTE
    if other and random.random() < 0.15:
        start = other["times"][1] + minimum + random.randrange(-1, 2)
    return start, start + random.randrange(4, 12) * 10 * MINUTE

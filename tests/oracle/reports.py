"""Reports of live tracks, random and adversarial, as plain dictionaries; the same for the same seed everywhere.

Pairs lie near a boundary more often than not: heights exactly at the minimum, equal velocities, passes at
the minimum and one unit off it, poles, the antimeridian, four datums, growing uncertainty.
"""

from random import Random

NOW = 1_537_209_540 * 10**6
FT = 3048
NM = 18_520_000
DEG = 10**9
KNOT = 5144  # 0.1 mm a second, nearly


def report(name, lon, lat, altitude, east, north, up=0, *, datum="STD", time=NOW, **uncertain):
    """One report; positions in 1e-9 degree, altitude in 0.1 mm, speeds in 0.1 mm a second."""
    return {
        "id": name,
        "party": ("north", "south")[sum(name.encode()) % 2],
        "lon": lon,
        "lat": lat,
        "altitude": altitude,
        "datum": datum,
        "east": east,
        "north": north,
        "up": up,
        "time": time,
        "lateral": 0,
        "lateral_growth": 0,
        "vertical": 0,
        "vertical_growth": 0,
    } | uncertain


PROFILES = (
    {"lateral": 3 * NM, "vertical": 3000 * FT, "tau_s": 0},
    {"lateral": 5 * NM, "vertical": 1000 * FT, "tau_s": 0},
    {"lateral": 4000 * FT, "vertical": 450 * FT, "tau_s": 35},
    {"lateral": 0, "vertical": 1, "tau_s": 0},
)
PLACES = (
    (8 * DEG, 47 * DEG),
    (180 * DEG, 0),
    (0, 90 * DEG - 10**8),
    (-70 * DEG, -90 * DEG),
    (-179_990_000_000, 52 * DEG),
)


def pairs(seed, count):
    """Triples of two reports and a profile."""
    random = Random(seed)
    for number in range(count):
        lon, lat = random.choice(PLACES)
        profile = random.choice(PROFILES)
        made = []
        for name in ("a", "b"):
            far = random.choice((1, 10**4, 10**8, 5 * 10**8))
            x = lon + random.randint(-far, far)
            x = (x + 180 * DEG) % (360 * DEG) - 180 * DEG
            y = max(-90 * DEG, min(90 * DEG, lat + random.randint(-far, far)))
            height = random.choice((0, 300, 350)) * 100 * FT + random.choice(
                (0, 0, profile["vertical"], profile["vertical"] - 1, profile["vertical"] + 1)
            )
            speed = [
                random.choice((0, 480 * KNOT, -480 * KNOT, random.randint(-(10**7), 10**7)))
                for _ in "xy"
            ]
            up = random.choice((0, 0, 0, 1, -1, 101_600, random.randint(-200_000, 200_000)))
            uncertain = {}
            if random.random() < 0.3:
                uncertain = {
                    "lateral": random.randint(0, NM),
                    "lateral_growth": random.choice((0, 10**5, random.randint(0, 10**6))),
                    "vertical": random.randint(0, 300 * FT),
                    "vertical_growth": random.randint(0, 10**4),
                }
            datum = random.choice(("STD", "STD", "STD", "MSL", "WGS84", "AGL"))
            late = random.choice((0, 0, random.randint(-2 * 10**6, 60 * 10**6)))
            made.append(
                report(
                    f"{name}{number}",
                    x,
                    y,
                    height,
                    *speed,
                    up,
                    datum=datum,
                    time=NOW - late,
                    **uncertain,
                )
            )
        if random.random() < 0.15:
            made[1] |= {key: made[0][key] for key in ("east", "north", "up", "datum")}
        yield made[0], made[1], profile


def crowd(seed, count, *, datums=("STD",), uncertain=False):
    """Many reports in one region."""
    random = Random(seed)
    width = 2 * DEG
    return [
        report(
            f"T{number}",
            random.randint(7 * DEG, 7 * DEG + width),
            random.randint(46 * DEG, 46 * DEG + width),
            random.randrange(50, 400, 5) * 100 * FT,
            random.randint(-2_500_000, 2_500_000),
            random.randint(-2_500_000, 2_500_000),
            random.choice((0, 0, 0, 50_000, -101_600)),
            datum=random.choice(datums),
            time=NOW - random.randint(0, 5 * 10**6),
            **(
                {"lateral": random.randint(0, NM), "lateral_growth": random.randint(0, 300_000)}
                if uncertain
                else {}
            ),
        )
        for number in range(count)
    ]

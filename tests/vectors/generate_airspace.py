"""Writes airspace/*.json: inputs for any conflict detector, with answers proved by exact rationals.

The answers are those of ``tests/oracle`` (volumes, legs, tracks), which are written from docs/spec
with fractions and share nothing with the engine. Everything is fictional and the same at every run.

Run from the repository: .venv/bin/python tests/vectors/generate_airspace.py [FILE ...]   (a minute for the day)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from oracle import earth, legs, pairs, reports, tracks, volumes

OUT = Path(__file__).parent / "airspace"
DEG, NM, FT, S, CM, M = 10**9, 18_520_000, 3048, 10**6, 100, 10_000
DAY = 1_700_006_400 * S  # 15 November 2023, 00:00 UTC
FIVE, THOUSAND = 5 * NM, 1000 * FT
UNITS = {
    "longitude, latitude": "integers of 1e-9 degree, WGS84",
    "lengths, altitudes": "integers of 0.1 mm (1 ft = 3048, 1 m = 10000, 1 NM = 18520000)",
    "speeds": "integers of 0.1 mm a second",
    "times": "integers of a microsecond; since 1970-01-01T00:00:00Z unless said otherwise",
}

# -- volumes ----------------------------------------------------------------------------------------


def level(tenth_mm, datum="MSL"):
    """An altitude."""
    return {"tenth_mm": tenth_mm, "unit": "ft", "datum": datum}


def volume(
    geometry,
    lower=0,
    upper=10_000 * FT,
    start=DAY,
    end=DAY + 3600 * S,
    *,
    datum="MSL",
    edges="planar",
):
    """One volume."""
    return {
        "geometry": geometry,
        "edges": edges,
        "lower": level(lower, datum),
        "upper": level(upper, datum),
        "start_us": start,
        "end_us": end,
    }


def box(west, south, east, north):
    """A rectangle in longitude and latitude, in 1e-9 degree."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "area", "polygons": [[ring]]}


def circle(lon, lat, radius):
    """A circle."""
    return {"type": "circle", "center": [lon, lat], "radius_tenth_mm": radius}


def judged(name, a, b, lateral=0, vertical=0, time=0):
    """A case of two volumes with its verdict."""
    parts = [one | {"times": (one["start_us"], one["end_us"])} for one in (a, b)]
    verdict = volumes.judge_pieces(
        *parts, (lateral, vertical, time), earth.BOUNDS, tuple(one["times"] for one in parts)
    )
    return {
        "name": name,
        "a": a,
        "b": b,
        "minima": {"lateral": lateral, "vertical": vertical, "time_us": time},
        "verdict": verdict,
    }


def north_at(length):
    """The latitude whose point is nearest under a surface length from (0, 0), along the meridian."""
    low, high = 0, 10 * DEG
    here = earth.point(0, 0)
    limit = earth.chord(length) ** 2
    while low < high:
        middle = (low + high + 1) // 2
        there = earth.point(0, middle)
        if sum((q - p) ** 2 for p, q in zip(here, there, strict=True)) << 32 <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def volume_cases():
    """Defects by number, boundaries, places, datums, circles; then random pairs."""
    one = volume(box(0, 0, DEG, DEG))
    cases = []
    west = volume(box(179_980_000_000, 0, 180 * DEG, DEG))
    east = volume(box(-180 * DEG, 0, -179_980_000_000, DEG))
    cases.append(judged("defect 2: areas that share the meridian of 180 degrees touch", west, east))
    cases.append(judged("defect 2: and are closer than 1 NM", west, east, NM))
    cases.append(
        judged(
            "defect 2: circles at 179.99 E and 179.99 W overlap",
            volume(circle(179_990_000_000, 0, 2_000 * M)),
            volume(circle(-179_990_000_000, 0, 2_000 * M)),
        )
    )
    for k in range(0, 54, 9):
        under = volume(box(0, 0, DEG, DEG), 0, k * THOUSAND + THOUSAND)
        over = volume(box(0, 0, DEG, DEG), (k + 2) * THOUSAND, (k + 3) * THOUSAND)
        cases.append(
            judged(
                f"defect 5: FL {k * 10 + 10:03d} and 1,000 ft above, at a minimum of 1,000 ft",
                under,
                over,
                0,
                THOUSAND,
            )
        )
    far = 60 * DEG
    cases.append(
        judged(
            "defect 8: at 60 N a degree of longitude is half as long: 4 NM apart",
            volume(circle(0, far, M)), volume(circle(132_000_000, far, M)), FIVE,
        )
    )  # fmt: skip
    for turn in range(8):
        x, y = ((20, 0), (18, 8), (14, 14), (8, 18), (0, 20), (-8, 18), (-14, 14), (-18, 8))[turn]
        cases.append(
            judged(
                f"defect 8: a circle is round, not a polygon ({turn})",
                volume(circle(0, 0, 20_000 * M)),
                volume(circle(x * 8_990_000, y * 8_990_000, 10 * M)),
            )
        )
    big = volume(box(-20 * DEG, -20 * DEG, 20 * DEG, 20 * DEG))
    cases.append(judged("defect 8: an area of 20 million km2 is an area", big, one))
    for datum, low in (
        ("STD", 15_000),
        ("AGL", 0),
        ("WGS84", 9_000),
        ("WGS84", 10_400),
        ("STD", 30_000),
        ("AGL", 40_000),
    ):
        other = volume(box(0, 0, DEG, DEG), low * FT, (low + 5_000) * FT, datum=datum)
        cases.append(judged(f"defect 8: {low:,} ft {datum} over 10,000 ft MSL", one, other))

    for name, off in (
        ("1 cm less", -CM),
        ("0.1 mm less", -1),
        ("exactly", 0),
        ("0.1 mm more", 1),
        ("1 cm more", CM),
    ):
        cases.append(
            judged(
                f"height: {name} than the minimum",
                one,
                volume(box(0, 0, DEG, DEG), 11_000 * FT + off, 12_000 * FT),
                0,
                THOUSAND,
            )
        )
        cases.append(
            judged(
                f"height: edges {name} than together",
                one,
                volume(box(0, 0, DEG, DEG), 10_000 * FT + off, 12_000 * FT),
            )
        )
    lat = north_at(FIVE)
    for name, off in (
        ("1 cm less", -90),
        ("nearest below", 0),
        ("nearest above", 1),
        ("1 cm more", 90),
    ):
        cases.append(
            judged(
                f"distance of two points: {name} than 5 NM",
                volume(circle(0, 0, 1)),
                volume(circle(0, lat + off, 1)),
                FIVE - 2,
            )
        )
    for name, off in (("1 us less", -1), ("exactly", 0), ("1 us more", 1)):
        late = volume(box(0, 0, DEG, DEG), start=DAY + 3600 * S + off, end=DAY + 7200 * S)
        cases.append(judged(f"time: begins {name} after the other ends", one, late))
        later = volume(box(0, 0, DEG, DEG), start=DAY + 3900 * S + off, end=DAY + 7200 * S)
        cases.append(judged(f"time: {name} than five minutes after", one, later, 0, 0, 300 * S))
    for off in (-1, 0, 1):
        cases.append(
            judged(
                f"edges in longitude: {off} of 1e-9 degree apart",
                one,
                volume(box(DEG + off, 0, 2 * DEG, DEG)),
            )
        )
    cases.append(
        judged(
            "pole: a cap and a circle over it",
            volume(box(-180 * DEG, 89 * DEG, 0, 90 * DEG)),
            volume(circle(90 * DEG, 89_999_000_000, 5_000 * M)),
        )
    )
    cases.append(
        judged(
            "pole: 24 NM apart over it, minimum 25 NM",
            volume(circle(0, 89_800_000_000, M)),
            volume(circle(180 * DEG, 89_800_000_000, M)),
            25 * NM,
        )
    )
    line = {
        "type": "corridor",
        "points": [[0, 50 * DEG], [30 * DEG, 50 * DEG]],
        "half_width_tenth_mm": 5 * NM,
    }
    spot = volume(circle(15 * DEG, 51_300_000_000, M))
    cases.append(
        judged(
            "edges: a corridor straight in degrees is clear of a point north of it",
            volume(line),
            spot,
        )
    )
    cases.append(
        judged("edges: the geodesic between its ends is not", volume(line, edges="geodesic"), spot)
    )
    number = 0
    for a, b, minima in pairs.volume_pairs(20_231, 400):
        if pairs.notice_of(a) is None or pairs.notice_of(b) is None:
            continue
        shown = []
        for given in (a, b):
            piece = {key: value for key, value in given.items() if key != "times"}
            shown.append(piece | {"start_us": given["times"][0], "end_us": given["times"][1]})
        try:
            cases.append(judged(f"random {number}", *shown, *minima))
        except volumes.Beyond:
            continue
        number += 1
        if number == 160:
            break
    return cases


# -- live tracks ------------------------------------------------------------------------------------

NOW = reports.NOW


def met(name, a, b, profile, look_ahead_s=300):
    """A case of two live tracks with its answer."""
    found = tracks.encounter(a, b, **profile, now_us=NOW, look_ahead_us=look_ahead_s * S)
    keys = ("verdict", "from_us", "until_us", "closest_us", "lateral", "vertical")
    return {
        "name": name,
        "a": a,
        "b": b,
        "profile": profile,
        "now_us": NOW,
        "look_ahead_us": look_ahead_s * S,
        "encounter": None if found is None else dict(zip(keys, found, strict=True)),
    }


def live_cases():
    """Defects by number, boundaries, places, formation, datums, well clear; then random pairs."""
    profile = {"lateral": FIVE, "vertical": THOUSAND, "tau_s": 0}
    clear = {"lateral": 4000 * FT, "vertical": 450 * FT, "tau_s": 35}
    high, fast, mile = 35_000 * FT, 2_500_000, DEG // 60
    report = reports.report
    cases = []
    for lat, what in ((0, "the equator"), (47 * DEG, "47 N"), (-89 * DEG, "89 S")):
        a, b = report("a", 0, lat, high, 0, fast), report("b", 0, lat + mile, high, 0, fast)
        cases.append(
            met(f"defect 1: formation, 1 NM apart with equal velocities at {what}", a, b, profile)
        )
    a = report("a", 0, 0, high, fast, fast)
    cases.append(met("defect 1: the same place and the same velocity", a, a | {"id": "b"}, profile))
    a, b = (
        report("a", 179_500_000_000, 0, high, fast, 0),
        report("b", -179_500_000_000, 0, high, -fast, 0),
    )
    cases.append(met("defect 2: head-on, 60 NM apart across 180 degrees", a, b, profile))
    cases.append(
        met("defect 2: the same, flying apart", a | {"east": -fast}, b | {"east": fast}, profile)
    )
    a, b = (
        report("a", 0, 89_800_000_000, high, 0, fast),
        report("b", 180 * DEG, 89_800_000_000, high, 0, fast),
    )
    cases.append(met("defect 3: head-on over the pole, 24 NM apart", a, b, profile))
    for k in range(0, 54, 9):
        for off in (-CM, -1, 0, 1, CM):
            a, b = (
                report("a", 0, 0, k * THOUSAND, fast, 0),
                report("b", DEG // 2, 0, (k + 1) * THOUSAND + off, -fast, 0),
            )
            cases.append(
                met(
                    f"defects 4 and 5: {k:,} thousand feet, the other 1,000 ft {off:+d} of 0.1 mm above",
                    a,
                    b,
                    profile,
                )
            )
    a, b = report("a", 0, 0, high, fast, 0), report("b", 3 * DEG // 2, 0, high, -fast, 0)
    for look in (300, 400):
        cases.append(met(f"defect 6: one look-ahead of {look} s", a, b, profile, look))
    lat = north_at(FIVE)
    for name, off in (
        ("1 cm less", -90),
        ("nearest below", 0),
        ("nearest above", 1),
        ("1 cm more", 90),
    ):
        cases.append(
            met(
                f"standing still, {name} than 5 NM",
                report("a", 0, 0, high, 0, 0),
                report("b", 0, lat + off, high, 0, 0),
                profile,
            )
        )
    for off in (-1, 0, 1):
        a = report("a", 0, 0, 0, 0, 0)
        b = report("b", 0, 0, THOUSAND + 300 * 50_000 + off, 0, 0, -50_000)
        cases.append(
            met(
                f"comes within the minimum at the end of the look-ahead, {off:+d} of 0.1 mm",
                a,
                b,
                profile,
            )
        )
    for off in (-1, 0, 1):
        a = report("a", 0, 0, high, fast, 0, time=NOW - 5 * S + off)
        b = report("b", DEG // 2, 0, high + 5_000, -fast, 0, 20_000)
        cases.append(met(f"reports of different times, {off:+d} us", a, b, profile))
    for datum in ("MSL", "AGL", "WGS84"):
        for feet in (0, 1_500, 9_000, 40_000):
            a, b = (
                report("a", 0, 0, 8_000 * FT, fast, 0),
                report("b", DEG // 3, 0, feet * FT, -fast, 0, datum=datum),
            )
            cases.append(met(f"datums: 8,000 ft STD and {feet:,} ft {datum}", a, b, profile))
    for name, change, north, above in (
        ("grows", {"lateral_growth": 10**5}, lat + mile, 0),
        ("is large", {"lateral": 3 * NM}, 2 * lat, 0),
        ("grows in height", {"vertical": 50 * FT, "vertical_growth": 5_000}, lat // 2, 1_200 * FT),
        ("hardly grows", {"lateral_growth": 10**4}, lat + mile, 0),
    ):
        a, b = (
            report("a", 0, 0, high, 10**5, 0, **change),
            report("b", 0, north, high + above, 10**5, 0, **change),
        )
        cases.append(met(f"uncertainty that {name}", a, b, profile))
    for off in (0, 10**6, 6 * 10**6, 12 * 10**6):
        a, b = report("a", 0, 0, high, fast, 0), report("b", DEG // 3, off, high, -fast, 0)
        cases.append(met(f"well clear: head-on, {off} of 1e-9 degree beside", a, b, clear, 75))
    for number, (a, b, random_profile) in enumerate(reports.pairs(20_232, 250)):
        cases.append(met(f"random {number}", a, b, random_profile))
    return cases


# -- recorded tracks --------------------------------------------------------------------------------

CONFLICT_KEYS = ("from_us", "until_us", "closest_us", "lateral", "vertical")


def crossed(name, one, two, lateral=FIVE, vertical=THOUSAND):
    """A case of two tracks (points of time, longitude, latitude, altitude) with its conflicts."""
    return {
        "name": name,
        "a": one,
        "b": two,
        "minima": {"lateral": lateral, "vertical": vertical},
        "conflicts": [
            dict(zip(CONFLICT_KEYS, found, strict=True))
            for found in legs.conflicts_of(one, two, lateral, vertical)
        ],
    }


def line(start, end, begins_s, lasts_s, alt, *, step_s=60, climb=0):
    """Points straight in degrees, one a minute."""
    count = max(1, lasts_s // step_s)
    return [
        [
            DAY + (begins_s * S) + k * lasts_s * S // count,
            start[0] + (end[0] - start[0]) * k // count,
            start[1] + (end[1] - start[1]) * k // count,
            alt + climb * k // count,
        ]
        for k in range(count + 1)
    ]


def track_cases():
    """Defects by number, boundaries, places."""
    high = 35_000 * FT
    cases = []
    for lat in (0, 60 * DEG, 89 * DEG):
        one = line((0, lat), (DEG, lat), 0, 400, high)
        two = [[t, x, y + DEG // 60, z] for t, x, y, z in one]
        cases.append(crossed(f"defect 1: formation, 1 NM apart, {lat // DEG} N", one, two))
    one = [
        *line((179 * DEG, 0), (179999999999, 0), 0, 400, high),
        [DAY + 460 * S, -179850000000, 0, high],
    ]
    two = [
        *line((-179 * DEG, 0), (-179999999999, 0), 0, 400, high),
        [DAY + 460 * S, 179850000000, 0, high],
    ]
    cases.append(crossed("defect 2: head-on across 180 degrees", one, two))
    one = line((0, 89_800_000_000), (0, 90 * DEG), 0, 90, high)
    two = line((180 * DEG, 89_800_000_000), (180 * DEG, 90 * DEG), 0, 90, high)
    cases.append(crossed("defect 3: head-on to the pole", one, two))
    for k in range(0, 54, 9):
        for off in (-CM, -1, 0, 1):
            one = line((0, 0), (DEG, 0), 0, 400, k * THOUSAND)
            two = line((DEG, 0), (0, 0), 0, 400, (k + 1) * THOUSAND + off)
            cases.append(
                crossed(
                    f"defects 4 and 5: {k} thousand feet, 1,000 ft {off:+d} of 0.1 mm above",
                    one,
                    two,
                )
            )
    one = line((0, 0), (DEG, 0), 5, 400, high, step_s=100)
    two = line(
        (DEG // 2, -DEG // 2),
        (DEG // 2, DEG // 2),
        5,
        400,
        high - 900 * FT,
        climb=1_800 * FT,
        step_s=100,
    )
    cases.append(
        crossed(
            "defect 7: closer for seven seconds between samples of ten, climbing through",
            one,
            two,
            NM,
            15 * FT,
        )
    )
    lat = north_at(FIVE)
    for name, off in (
        ("1 cm less", -90),
        ("nearest below", 0),
        ("nearest above", 1),
        ("1 cm more", 90),
    ):
        still = [[DAY, 0, 0, high], [DAY + 60 * S, 0, 0, high]]
        other = [[DAY, 0, lat + off, high], [DAY + 60 * S, 0, lat + off, high]]
        cases.append(crossed(f"standing still, {name} than 5 NM", still, other))
    for off in (-1, 0, 1):
        one = line((0, 0), (DEG // 4, 0), 0, 100, high)
        two = [[t + 100 * S + off, x, y, z] for t, x, y, z in one]
        cases.append(
            crossed(
                f"one begins as the other ends, {off:+d} us",
                one,
                [[t, DEG // 4, y, z] for t, _, y, z in two],
            )
        )
    one = line((0, 0), (DEG, 0), 0, 400, high)
    cases.append(
        crossed(
            "two separate conflicts of one pair",
            one,
            line((0, DEG // 20), (DEG, DEG // 20), 0, 400, high, climb=0)[:2]
            + line((DEG // 5, DEG // 2), (DEG, DEG // 20), 120, 280, high)[0:],
            4 * NM,
        )
    )
    return cases


# -- a day ------------------------------------------------------------------------------------------

FIELDS = [(6_000_000_000, 46_200_000_000), (8_500_000_000, 47_400_000_000), (11_300_000_000, 47_200_000_000), (9_300_000_000, 45_400_000_000), (7_600_000_000, 47_600_000_000), (13_300_000_000, 46_600_000_000)]  # fmt: skip


def day_flights():
    """300 flights of one day, in six waves, between six fields, from and to outside; a point every two minutes."""
    random = Random(20_233)
    flights = {}
    for number in range(300):
        ends = random.sample(FIELDS, 2)
        kind = random.random()
        for k in (0, 1):
            if kind < 0.7 if k else kind > 0.45:
                ends[k] = (random.randrange(5 * DEG, 14 * DEG), random.choice((44 * DEG, 49 * DEG)))
        (x0, y0), (x1, y1) = ends
        cruise = random.randrange(200, 380, 20) * 100 * FT
        far = (((x1 - x0) * 0.68) ** 2 + (y1 - y0) ** 2) ** 0.5 / DEG * 111_000
        steps = max(4, round(far / random.uniform(170, 250) / 120))
        begin = (
            DAY
            + (random.randrange(6) * 4 * 3600 + random.randrange(2_400)) * S
            + random.randrange(S)
        )
        points = []
        for k in range(steps + 1):
            bend = 4 * k * (steps - k) * random.randrange(-2, 3) * DEG // (400 * steps * steps)
            climb = min(1.0, k / max(1, steps * 0.25)) if ends[0] in FIELDS else 1.0
            sink = min(1.0, (steps - k) / max(1, steps * 0.25)) if ends[1] in FIELDS else 1.0
            points.append(
                [
                    begin + k * 120 * S + random.randrange(-S, S),
                    x0 + (x1 - x0) * k // steps + bend,
                    y0 + (y1 - y0) * k // steps + bend,
                    round(cruise * min(climb, sink) / (25 * FT)) * 25 * FT,
                ]
            )
        flights[f"F{number:03d}"] = points
    # a formation of three, half a mile apart, all the way
    lead = flights["F000"]
    for k in (1, 2):
        flights[f"F00{k}"] = [[t, x, y + k * DEG // 120, z] for t, x, y, z in lead]
    return flights


def day_conflicts(flights, names=None):
    """All conflicts of the day, or of some flights with all: every pair that is in the air together."""
    found = []
    order = sorted(flights)
    for at, a in enumerate(order):
        for b in order[at + 1 :]:
            if names is not None and a not in names and b not in names:
                continue
            one, two = flights[a], flights[b]
            if one[-1][0] <= two[0][0] or two[-1][0] <= one[0][0]:
                continue
            for conflict in legs.conflicts_of(one, two, FIVE, THOUSAND):
                found.append({"a": a, "b": b} | dict(zip(CONFLICT_KEYS, conflict, strict=True)))
    return found


def day():
    """The day as a document."""
    flights = day_flights()
    return {
        "about": "one day of traffic: every conflict of every pair, at the minima",
        "units": UNITS,
        "point": ["time_us", "longitude", "latitude", "altitude (one datum)"],
        "minima": {"lateral": FIVE, "vertical": THOUSAND},
        "flights": flights,
        "conflicts": day_conflicts(flights),
    }


def document(about, cases):
    """A file of cases."""
    return {"about": about, "units": UNITS, "cases": cases}


FILES = {
    "volumes.json": lambda: document(
        "two volumes and minima: conflict, touch, clear or cannot-tell", volume_cases()
    ),
    "live.json": lambda: document(
        "two reports of live tracks and a profile: the encounter within the look-ahead, or null",
        live_cases(),
    ),
    "tracks.json": lambda: document(
        "two recorded tracks and minima: all their conflicts in order", track_cases()
    ),
    "day.json": day,
}


def text(value):
    """Canonical enough for a diff: one case or flight a line."""
    head = {key: one for key, one in value.items() if key not in ("cases", "flights", "conflicts")}
    lines = [json.dumps(head, ensure_ascii=False)[:-1]]
    for key in ("cases", "flights", "conflicts"):
        if key not in value:
            continue
        rows = value[key]
        if isinstance(rows, dict):
            body = ",\n".join(
                f"{json.dumps(name)}: {json.dumps(row, separators=(',', ':'))}"
                for name, row in rows.items()
            )
            lines.append(f', "{key}": {{\n{body}\n}}')
        else:
            body = ",\n".join(
                json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows
            )
            lines.append(f', "{key}": [\n{body}\n]')
    return "".join(lines) + "}\n"


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    for name in sys.argv[1:] or FILES:
        (OUT / name).write_text(text(FILES[name]()), "utf-8")
        print(name, (OUT / name).stat().st_size)

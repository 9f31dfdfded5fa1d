"""Writes coordinates.json: positions in each notation, and geodesic legs, for every implementation.

The notations are ours; bearings and distances are WGS84 geodesics by PROJ. Positions keep clear of a
rounding edge, so that an implementation in binary fractions must agree to the last digit.

Run from the repository: .venv/bin/python tests/vectors/generate_coordinates.py
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from pyproj import Geod, Transformer

from detente.airspace.position import format_decimal, format_dms
from detente.errors import UsageError
from detente.interop.grid import format_grid
from detente.units import NANODEG_PER_DEG

OUT = Path(__file__).parent / "coordinates.json"
ROOM = 0.02  # of a last digit: nearer to a rounding edge than that is no fair question

# (latitude, longitude) in degrees as text, exact
POSITIONS = """
35.523616 35.787691   Latakia coast
35.401100 35.948700   Hmeimim
33.512341 36.291231   Damascus
36.180011 37.224409   Aleppo
32.500013 34.900021   coast at Caesarea
31.255511 34.797723   Beersheba
40.123451 44.512341   Yerevan
38.010101 127.301010  Korea
28.612341 77.209871   Delhi
55.751244 37.618423   Moscow
78.223344 15.651122   Svalbard, zone 33
60.392011 5.322054    Bergen, zone 32 by exception
72.000311 8.999111    zone 31 by exception
83.999111 20.111222   last metres of the grid, north
84.000311 20.111222   past the grid, north
89.999991 10.123456   the north pole, nearly
90 0                  the north pole
-79.999311 -120.111222  last metres of the grid, south
-80.000311 -120.111222  past the grid, south
-89.999991 170.123456   the south pole, nearly
-90 0                 the south pole
0.000311 0.000311     the origin, nearly
-0.000311 -0.000311   south-west of the origin
0.000001 -0.000001    rounds to no minus zero
-0.000004 0.000004    the same in the south
10.000011 179.999989  west of the antimeridian
10.000011 -179.999989 east of the antimeridian
-17.713391 178.065011 Fiji
-16.500111 -179.990211 Fiji, east
51.477811 -0.001511   Greenwich
-33.868811 151.209311 Sydney
-34.603711 -58.381611 Buenos Aires
64.146611 -21.942611  Reykjavik
19.432611 -99.133211  Mexico City
1.352111 103.819811   Singapore
35.516655556 35.783322222  59.96 seconds carry into the minute
35.999988889 35.999988889  59.96 seconds carry into the degree
-35.999988889 -35.999988889  the same in the south-west
9.999988889 99.999988889   a carry that grows a digit
89.999988889 179.999988889  a carry to the pole and the antimeridian
-0.999988889 0.999988889  a carry from below one degree
35.523006 35.500006   seconds with a nought
35.100004 35.900006   five decimals round down and up
35.999996 35.999994   five decimals carry
5.000611 5.000611     narrow degrees
-5.012311 -9.012311   narrow degrees, south-west
12.345678901 98.765432109  all nine decimals
""".strip().splitlines()

LEGS = [
    ((35.5, 35.8), (35.6, 35.9)),
    ((35.5, 35.8), (35.5, 35.8)),
    ((35.5, 35.8), (36.5, 35.8)),
    ((35.5, 35.8), (35.5, 36.8)),
    ((0, 0), (0, 1)),
    ((0, 0), (1, 0)),
    ((0, 0), (-1, 0)),
    ((0, 0), (0, -1)),
    ((10, 179.5), (10, -179.5)),
    ((10, -179.5), (10, 179.5)),
    ((-17.7, 178), (-16.5, -179.9)),
    ((89, 0), (89, 180)),
    ((89.5, 10), (89.5, 100)),
    ((-89.5, -10), (-89.5, -100)),
    ((51.4778, -0.0015), (40.7128, -74.006)),
    ((33.5, 36.3), (55.75, 37.62)),
    ((-33.87, 151.21), (-34.6, -58.38)),
    ((35.523611, 35.787691), (35.52362, 35.7877)),
    ((60, -30), (60, 30)),
    ((-45, 170), (45, -20)),
]


def nanodeg(text: str) -> int:
    """Degrees as whole 1e-9."""
    exact = Fraction(text) * NANODEG_PER_DEG
    assert exact.denominator == 1, text
    return int(exact)


def clear_of_edges(position: tuple[int, int]) -> bool:
    """Whether no notation of a position is a close call."""
    for part in position:
        for scale in (36_000, 100_000):
            off = (Fraction(abs(part) * scale, NANODEG_PER_DEG) + Fraction(1, 2)) % 1
            if not ROOM <= off <= 1 - ROOM:
                return False
    lon, lat = (part / NANODEG_PER_DEG for part in position)
    if not -80 <= lat < 84:
        return True
    text = format_grid(position)
    code = (32600 if lat >= 0 else 32700) + int(text[:2])
    metres = Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)
    return all(ROOM <= part % 1 <= 1 - ROOM for part in metres)


def position_row(line: str) -> dict[str, object]:
    """One position in each notation; no grid reference near the poles."""
    lat_text, lon_text, note = line.split(maxsplit=2)
    position = (nanodeg(lon_text), nanodeg(lat_text))
    assert clear_of_edges(position), line
    try:
        grid: str | None = format_grid(position)
    except UsageError:
        grid = None
    return {
        "lat": float(lat_text),
        "lon": float(lon_text),
        "dms": format_dms(position),
        "decimal": format_decimal(position),
        "mgrs": grid,
        "note": note,
    }


def leg_row(start: tuple[float, float], end: tuple[float, float]) -> dict[str, object]:
    """One geodesic: length to the millimetre, bearing at its start from true north to 1e-6 degree."""
    bearing, _, distance = Geod(ellps="WGS84").inv(start[1], start[0], end[1], end[0])
    return {
        "from": list(start),
        "to": list(end),
        "distance_m": round(distance, 3),
        "initial_bearing_deg": None if distance == 0 else round(bearing % 360, 6),
    }


def document() -> dict[str, object]:
    """Everything in the file."""
    return {
        "positions": [position_row(line) for line in POSITIONS],
        "legs": [leg_row(start, end) for start, end in LEGS],
    }


if __name__ == "__main__":
    OUT.write_text(json.dumps(document(), ensure_ascii=False, indent=1) + "\n", "utf-8")

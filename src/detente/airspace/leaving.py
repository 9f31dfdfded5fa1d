"""How far is the way out of an area, for somebody who may be anywhere in another?

An estimate for people, never a verdict: it is made on outlines as they are drawn, in a plane around the area
that is to be left. It errs to the long side: the worst of many places is taken, and what lies between two of
them is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import atan2, cos, degrees, hypot, pi, radians

import msgspec
import numpy as np

from detente.airspace.drawing import Polygons
from detente.airspace.near import Floats
from detente.limits import LEAVING_SEGMENTS

MEAN_RADIUS_M = 6_371_008.8
STEPS = 24  # of the grid over the area that both share, in each direction
_BLOCK = 2_000_000  # distances computed at once: 16 MB each array


class WayOut(msgspec.Struct, frozen=True):
    """The way out, at worst.

    Attributes:
        apart_m: least distance between the two areas, 0 where they share some.
        needed_m: how far somebody in the first area may have to go to be a margin clear of the other; 0 when
            all of it is.
        bearing_deg: in which direction from the worst place, clockwise from north.
    """

    apart_m: float
    needed_m: float
    bearing_deg: int


def way_out(inside: Sequence[Polygons], of: Sequence[Polygons], margin_m: float) -> WayOut:
    """The longest way that leads from anywhere in one area to a margin outside another.

    Args:
        inside: outlines as `drawing.draw_geometries` gives them, of where somebody may be.
        of: of what is to be left.
        margin_m: how far outside is clear.

    Units: within 2 % up to 500 NM from the area; the map around it is plane.
    """
    rings_of = [ring for outline in of for polygon in outline for ring in polygon]
    lon_0, lat_0 = _middle(rings_of)

    def plane(ring: Sequence[Sequence[float]]) -> Floats:
        places = np.asarray(ring, dtype=np.float64)
        lon = (places[:, 0] - lon_0 + 180) % 360 - 180
        metre = pi / 180 * MEAN_RADIUS_M
        return np.stack([lon * metre * cos(radians(lat_0)), (places[:, 1] - lat_0) * metre], axis=1)

    area = [[plane(ring) for ring in polygon] for outline in of for polygon in outline]
    own = [[plane(ring) for ring in polygon] for outline in inside for polygon in outline]
    edges = _edges([ring for polygon in area for ring in polygon])
    places, step_m = _places(own, area, margin_m)
    gap, foot = _nearest(places, edges)
    within = _within(places, area)
    signed = np.where(within, -gap, gap)
    worst = int(np.argmin(signed))
    shared = bool(within.any()) or bool(
        _within(np.concatenate([ring for polygon in area for ring in polygon]), own).any()
    )
    needed = margin_m - float(signed[worst])
    # what lies between two places of the grid; a place outside was on the outline itself, or near it
    needed_m = max(0.0, needed + step_m) if needed > -step_m else 0.0
    way = places[worst] - foot[worst] if signed[worst] > 0 else foot[worst] - places[worst]
    if hypot(*way) < 1.0:
        way = places[worst]  # on the outline itself: away from the middle
    return WayOut(
        apart_m=0.0 if shared else float(gap.min()),
        needed_m=needed_m,
        bearing_deg=round(degrees(atan2(float(way[0]), float(way[1])))) % 360,
    )


def _middle(rings: Sequence[Sequence[Sequence[float]]]) -> tuple[float, float]:
    """The mean of the outlines' places, on the sphere, in degrees."""
    places = np.radians(np.concatenate([np.asarray(ring, dtype=np.float64) for ring in rings]))
    lon, lat = places[:, 0], places[:, 1]
    x = float(np.mean(np.cos(lat) * np.cos(lon)))
    y = float(np.mean(np.cos(lat) * np.sin(lon)))
    z = float(np.mean(np.sin(lat)))
    return degrees(atan2(y, x)), degrees(atan2(z, hypot(x, y)))


def _edges(rings: Sequence[Floats]) -> Floats:
    """The segments of rings, rows of x, y, x, y; of a very long outline every so many."""
    count = sum(len(ring) - 1 for ring in rings)
    every = -(-count // LEAVING_SEGMENTS)
    parts = []
    for ring in rings:
        kept = np.concatenate([ring[:-1:every], ring[-1:]])
        parts.append(np.concatenate([kept[:-1], kept[1:]], axis=1))
    return np.concatenate(parts)


def _places(
    own: Sequence[Sequence[Floats]], area: Sequence[Sequence[Floats]], margin_m: float
) -> tuple[Floats, float]:
    """Where somebody may be: corners of the own area, and a grid over what it shares with the other."""
    corners = np.concatenate([ring for polygon in own for ring in polygon])
    others = np.concatenate([ring for polygon in area for ring in polygon])
    low = np.maximum(corners.min(axis=0), others.min(axis=0) - margin_m)
    high = np.minimum(corners.max(axis=0), others.max(axis=0) + margin_m)
    corners = corners[:: -(-len(corners) // LEAVING_SEGMENTS)]
    if bool((low > high).any()):
        return corners, 0.0
    step = (high - low) / STEPS
    axes = [low[i] + step[i] * (np.arange(STEPS) + 0.5) for i in (0, 1)]
    grid = np.stack([one.ravel() for one in np.meshgrid(*axes)], axis=1)
    kept = grid[_within(grid, own)]
    return np.concatenate([corners, kept]), float(hypot(*step)) / 2


def _nearest(places: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """The distance of each place from the nearest edge, and where that is."""
    gap = np.full(len(places), np.inf)
    foot = np.zeros_like(places)
    rows = max(1, _BLOCK // len(edges))
    a, ab = edges[:, :2], edges[:, 2:] - edges[:, :2]
    square = np.maximum((ab**2).sum(axis=1), 1e-9)
    for start in range(0, len(places), rows):
        p = places[start : start + rows, None, :]
        t = np.clip(((p - a) * ab).sum(axis=2) / square, 0.0, 1.0)
        at = a + t[..., None] * ab
        distance = np.hypot(p[..., 0] - at[..., 0], p[..., 1] - at[..., 1])
        best = distance.argmin(axis=1)
        some = np.arange(len(best))
        gap[start : start + rows] = distance[some, best]
        foot[start : start + rows] = at[some, best]
    return gap, foot


def _within(
    places: Floats, polygons: Sequence[Sequence[Floats]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each place is in one of the polygons: in an odd number of its rings."""
    found = np.zeros(len(places), dtype=np.bool_)
    for polygon in polygons:
        odd = np.zeros(len(places), dtype=np.bool_)
        for ring in polygon:
            for (x_1, y_1), (x_2, y_2) in pairwise(ring):
                if y_1 == y_2:
                    continue
                level = (places[:, 1] >= min(y_1, y_2)) & (places[:, 1] < max(y_1, y_2))
                x = x_1 + (places[:, 1] - y_1) * (x_2 - x_1) / (y_2 - y_1)
                odd ^= level & (places[:, 0] < x)
        found |= odd
    return found

"""A recorded flight as one notice: a chain of 4D corridor pieces that cover every recorded point.

Each piece is a geodesic leg from one recorded point to a later one, with a half width that covers
every point between them, a band that covers their altitudes, and an interval that covers their
times. So: every recorded point lies inside a piece. Between two points the flight is taken to be
near the leg; where nothing was recorded for longer than a gap, no piece is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Circle, Corridor, Geometry
from detente.airspace.earth import earth_point, length_of
from detente.airspace.edge import cut_geodesic
from detente.airspace.reach import distance_square
from detente.airspace.volume import Volume, build_volume
from detente.interop.recording import Track
from detente.limits import NAME_CHARS
from detente.notice.activity import ActivityNotice, build_notice
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_M, US_PER_S

PIECES_PER_FLIGHT = 120  # two hours in one-minute legs; longer flights get longer legs
LEG_MAX_S = 60  # a piece claims its whole leg for its whole time, so short legs make tight pieces
GAP_MAX_S = 600
HALF_WIDTH_M = 200  # about 0.1 NM, the containment that transponders commonly report
BAND_MARGIN_FT = 50  # half a step of a transponder that reports hundreds of feet
BAND_MAX_FT = 2_000

_METRES_PER_NANODEG = 111_195.0 / 1e9  # good enough to choose where to split; widths are exact


def corridor_notices(
    tracks: Sequence[Track], *, exercise: bool = False, activity: str = "transit"
) -> tuple[ActivityNotice, ...]:
    """One notice for each recorded flight, in the order of the tracks.

    Args:
        tracks: from `parse_tracks`.
        exercise: the flag of every notice.
        activity: the activity of every notice.

    Returns:
        Notices named after the tracks (other characters become hyphens; a repeated name gets a
        number), each with at most `PIECES_PER_FLIGHT` pieces plus one for each gap.
    """
    taken: set[str] = set()
    return tuple(
        _notice(track, _name(track.id, taken), exercise=exercise, activity=activity)
        for track in tracks
    )


def _name(text: str, taken: set[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[: NAME_CHARS - 8].rstrip("._-")
    stem = stem or "track"
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}-{count}"
    taken.add(name)
    return name


def _notice(track: Track, name: str, *, exercise: bool, activity: str) -> ActivityNotice:
    relax = 1
    legs = _legs(track, relax)
    while len(legs) > PIECES_PER_FLIGHT and relax < 1 << 16:
        relax *= 2
        legs = _legs(track, relax)
    pieces = tuple(_piece(track, start, stop) for start, stop in legs)
    return build_notice(
        name=name,
        exercise=exercise,
        activity=activity,
        pieces=pieces,
        text=f"Made from the recorded track {name}; altitudes are pressure altitudes.",
    )


def _legs(track: Track, relax: int) -> list[tuple[int, int]]:
    """First and last point of each leg; `relax` lengthens and widens what one leg may cover."""
    breaks = np.nonzero(np.diff(track.time_us) > GAP_MAX_S * US_PER_S * relax)[0]
    starts = [0, *(breaks + 1).tolist()]
    stops = [*breaks.tolist(), len(track) - 1]
    legs: list[tuple[int, int]] = []
    for first, last in zip(starts, stops, strict=True):
        todo = [(first, last)]
        while todo:
            start, stop = todo.pop()
            split = _split(track, start, stop, relax)
            if split is None:
                legs.append((start, stop))
            else:
                todo.extend([(split, stop), (start, split)])
    return legs


def _split(track: Track, start: int, stop: int, relax: int) -> int | None:
    """Where to divide a leg that covers too much; None if it does not."""
    if stop - start < 2:
        return None
    middle_us = (int(track.time_us[start]) + int(track.time_us[stop])) // 2
    middle = int(np.searchsorted(track.time_us[start + 1 : stop], middle_us)) + start + 1
    middle = min(middle, stop - 1)
    if track.time_us[stop] - track.time_us[start] > LEG_MAX_S * US_PER_S * relax:
        return middle
    away = _deviation_m(track, start, stop)
    if away.max() > HALF_WIDTH_M * relax:
        return start + int(away.argmax())
    alt = track.alt_tenth_mm[start : stop + 1]
    if alt.max() - alt.min() > BAND_MAX_FT * TENTH_MM_PER_FT * relax:
        return middle
    return None


def _deviation_m(track: Track, start: int, stop: int) -> npt.NDArray[np.float64]:
    """How far each point of a leg is from its chord, roughly, metres; ends are zero."""
    lat = track.lat_nanodeg[start : stop + 1]
    lon = track.lon_nanodeg[start : stop + 1] - track.lon_nanodeg[start]
    lon = (lon + 180_000_000_000) % 360_000_000_000 - 180_000_000_000
    shrink = np.cos(np.radians(lat[0] / 1e9))
    x = lon * shrink * _METRES_PER_NANODEG
    y = (lat - lat[0]) * _METRES_PER_NANODEG
    size = max(float(x[-1] ** 2 + y[-1] ** 2), 1e-6)
    along = np.clip((x * x[-1] + y * y[-1]) / size, 0.0, 1.0)
    away: npt.NDArray[np.float64] = np.hypot(x - along * x[-1], y - along * y[-1])
    away[0] = away[-1] = 0.0
    return away


def _piece(track: Track, start: int, stop: int) -> Volume:
    alt = track.alt_tenth_mm[start : stop + 1]
    margin = BAND_MARGIN_FT * TENTH_MM_PER_FT
    end_us = int(track.time_us[stop])
    # Half-open: the last point must lie inside, so the end is the next whole second.
    return build_volume(
        _cover(track, start, stop),
        "geodesic",
        build_altitude(_feet_down(int(alt.min()) - margin), "ft", "STD", field="lower"),
        build_altitude(-_feet_down(-int(alt.max()) - margin), "ft", "STD", field="upper"),
        int(track.time_us[start]) // US_PER_S * US_PER_S,
        (end_us // US_PER_S + 1) * US_PER_S,
        field=track.id,
    )


def _feet_down(tenth_mm: int) -> int:
    return tenth_mm // TENTH_MM_PER_FT * TENTH_MM_PER_FT


def _cover(track: Track, start: int, stop: int) -> Geometry:
    """A leg, or a circle where the flight ends where it began, that covers every point."""
    places = list(
        zip(
            track.lon_nanodeg[start : stop + 1].tolist(),
            track.lat_nanodeg[start : stop + 1].tolist(),
            strict=True,
        )
    )
    points = [earth_point(*place) for place in places]
    line = cut_geodesic(points[0], points[-1]) if points[0] != points[-1] else []
    line.append(points[-1])
    tails = line[:-1] or line
    heads = line[1:] or line
    parts = list(zip(tails, heads, strict=True))
    far = 0
    for point in points[1:-1]:
        squares = (distance_square(point, a, b) for a, b in parts)
        far = max(far, min(above // below + 1 for above, below in squares))
    far = length_of(far, 1)
    # One unit more than the rounded distance, then up to a whole metre: never inside the points.
    width = max(HALF_WIDTH_M, -(-(far + 2) // TENTH_MM_PER_M)) * TENTH_MM_PER_M
    if len(line) == 1:
        return Circle(places[0], width)
    return Corridor((places[0], places[-1]), width)

"""All live tracks against all: which come too near within the look-ahead, and when.

A grid on the boxes that the tracks sweep finds who may meet; `crowdloop.judge` decides in floating
point what is sure; `encounter` decides the rest in whole numbers. So the answers are those of
`encounter` for every pair, in order of their rows, whatever machine and path.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detente.airspace.earth import AXIS_RATIO_Q, MAJOR_TENTH_MM
from detente.airspace.earths import E2, sine_cosine_floats
from detente.compiled import HAS_COMPILER
from detente.conflict.encounter import Profile, datum_offset, encounter
from detente.conflict.track import COLUMNS, Tracks
from detente.units import US_PER_S

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_COLUMN = {name: row for row, name in enumerate(COLUMNS)}
_AXIS_RATIO = AXIS_RATIO_Q / 2.0**80
_CELL_LEAST = 100_000_000.0  # 10 km: finer cells only cost
_CELL_BOXES = 2.0  # edge of a cell, in edges of the middle box: found by trying
_CELLS_MOST = 512  # of one track; a faster one is compared with all others
# A track that goes straight leaves the surface; of two that are within C of each other across their
# vertical, and h above the surface, the points are at most 1.12 C + 1.51 (h + h') apart while the
# vertical between the reports and that above either differ by less than 0.47 (2,400 km and 600 km).
_SPREAD, _RISE, _RADIUS = 1.15, 2.2, 6.3e10
_STEP = 1 << 18  # pairs looked at together without a compiler


def find_encounters(
    tracks: Tracks, profile: Profile, now_us: int, look_ahead_us: int, *, between: bool
) -> Longs:
    """All pairs of tracks that are not clear.

    Args:
        tracks: n of them.
        profile: what is too close.
        now_us: the instant from which to look.
        look_ahead_us: how far, whole milliseconds.
        between: only pairs of two parties.

    Returns:
        Shape (m, 8), sorted by the first two columns: rows of both (the lower first), verdict, from,
        until, closest (microseconds from now), lateral and vertical then (0.1 mm).
    """
    from detente.conflict import crowdloop as loop

    if len(tracks) < 2:
        return np.empty((0, loop.ANSWERS), dtype=np.int64)
    floats, wholes = _prepare(tracks, profile, now_us, look_ahead_us)
    order = np.argsort(floats[:, loop.LOW_H], kind="stable")
    look_ahead = look_ahead_us / US_PER_S
    if HAS_COMPILER:
        edges = floats[:, loop.HIGH_X : loop.HIGH_Z + 1] - floats[:, loop.LOW_X : loop.LOW_Z + 1]
        cell = max(_CELL_LEAST, _CELL_BOXES * float(np.median(edges.max(axis=1))))
        answers, _ = loop.crowd_cells(
            floats[order], wholes[order], order, cell, _CELLS_MOST,
            profile.lateral, float(profile.tau_s), look_ahead, between,
        )  # fmt: skip
    else:
        answers = _sweep(floats, wholes, order, profile, look_ahead, between)
    doubtful = np.nonzero(answers[:, 2] == loop.DOUBT)[0]
    for at in doubtful.tolist():
        found = encounter(
            tracks.row(int(answers[at, 0])),
            tracks.row(int(answers[at, 1])),
            profile,
            now_us,
            look_ahead_us,
        )
        answers[at, 2:] = 0
        if found is not None:
            answers[at, 2:] = (
                found.verdict,
                found.from_us,
                found.until_us,
                found.closest_us,
                found.lateral,
                found.vertical,
            )
    if len(doubtful):
        answers = answers[answers[:, 2] != loop.CLEAR]
    return answers[np.lexsort((answers[:, 1], answers[:, 0]))]


def _prepare(
    tracks: Tracks, profile: Profile, now_us: int, look_ahead_us: int
) -> tuple[Floats, Longs]:
    """What the loops read of each track (the columns of `crowdloop`)."""
    from detente.conflict import crowdloop as loop

    columns = tracks.columns
    lon, lat, altitude, datum, east, north, up, time, reach, reach_k, room, room_k = columns
    n = len(tracks)
    age = now_us - time
    seconds = age / US_PER_S
    since = np.maximum(age, 0)
    ahead = look_ahead_us / US_PER_S

    floats = np.empty((n, loop.FLOATS))
    sin_lon, cos_lon = sine_cosine_floats(lon)
    sin_lat, cos_lat = sine_cosine_floats(lat)
    normal = MAJOR_TENTH_MM / np.sqrt(1.0 - E2 * sin_lat * sin_lat)
    level = normal * cos_lat
    points = (
        np.rint(level * cos_lon),
        np.rint(level * sin_lon),
        np.rint(normal * (1.0 - E2) * sin_lat),
    )
    speeds = (
        -east * sin_lon - north * sin_lat * cos_lon,
        east * cos_lon - north * sin_lat * sin_lon,
        north * cos_lat,
    )
    wholes = np.empty((n, loop.WHOLES), dtype=np.int64)
    wholes[:, loop.HEIGHT] = altitude * US_PER_S + up * age
    wholes[:, loop.CLIMB] = up
    wholes[:, loop.ROOM] = room * US_PER_S + room_k * since
    wholes[:, loop.ROOM] += profile.vertical * US_PER_S // 2
    wholes[:, loop.ROOM_GROWTH] = room_k
    wholes[:, loop.REACH] = reach * US_PER_S + reach_k * since
    wholes[:, loop.REACH_GROWTH] = reach_k
    wholes[:, loop.DATUM] = datum
    wholes[:, loop.LEAST] = wholes[:, loop.MOST] = 0
    wholes[:, loop.PARTY] = tracks.party_numbers

    path = np.hypot(east, north) * (np.abs(seconds) + ahead)
    pad = (
        _SPREAD * (0.5 * profile.lateral + wholes[:, loop.REACH] / US_PER_S + reach_k * ahead)
        + _RISE * path * path / (2.0 * _RADIUS)
        + 1e4
    )
    # Well clear looks beyond the minimum: modified tau is below tau only where they are nearer than
    # the minimum and what both fly in tau.
    pad += _SPREAD * profile.tau_s * np.hypot(east, north)
    for axis in range(3):
        here = points[axis] + speeds[axis] * seconds
        there = here + speeds[axis] * ahead
        floats[:, loop.X + axis] = here
        floats[:, loop.VX + axis] = speeds[axis]
        floats[:, loop.NX + axis] = points[axis] * (_AXIS_RATIO if axis == 2 else 1.0)
        floats[:, loop.LOW_X + axis] = np.minimum(here, there) - pad
        floats[:, loop.HIGH_X + axis] = np.maximum(here, there) + pad

    height = wholes[:, loop.HEIGHT] / US_PER_S
    top = height + up * ahead
    room_most = wholes[:, loop.ROOM] / US_PER_S + room_k * ahead + 2.0
    floats[:, loop.LOW_H] = np.minimum(height, top) - room_most
    floats[:, loop.HIGH_H] = np.maximum(height, top) + room_most
    if n and (datum != datum[0]).any():
        _add_offsets(tracks, profile, now_us, look_ahead_us, floats, wholes)
    return floats, wholes


def _add_offsets(
    tracks: Tracks,
    profile: Profile,
    now_us: int,
    look_ahead_us: int,
    floats: Floats,
    wholes: Longs,
) -> None:
    """Where datums differ: how far each altitude may be from mean sea level."""
    from detente.conflict import crowdloop as loop

    for row in range(len(tracks)):
        least, most = datum_offset(tracks.row(row), now_us, look_ahead_us, profile.bounds)
        wholes[row, loop.LEAST], wholes[row, loop.MOST] = least, most
    floats[:, loop.LOW_H] += wholes[:, loop.LEAST]
    floats[:, loop.HIGH_H] += wholes[:, loop.MOST]


def _sweep(
    floats: Floats,
    wholes: Longs,
    order: Longs,
    profile: Profile,
    look_ahead: float,
    between: bool,
) -> Longs:
    """The same answers without a compiler: boxes by numpy, what is left one by one."""
    from detente.conflict import crowdloop as loop

    boxes = floats[order]
    starts = np.arange(len(order))
    ends = np.searchsorted(boxes[:, loop.LOW_H], boxes[:, loop.HIGH_H], side="right")
    counts = np.maximum(ends - starts - 1, 0)
    rows: list[Longs] = []
    first = 0
    while first < len(order):
        total = np.cumsum(counts[first:])
        take = max(1, int(np.searchsorted(total, _STEP, side="right")))
        size = counts[first : first + take]
        i = np.repeat(starts[first : first + take], size)
        j = i + 1 + np.arange(len(i)) - np.repeat(np.cumsum(size) - size, size)
        for axis in range(3):
            low, high = boxes[:, loop.LOW_X + axis], boxes[:, loop.HIGH_X + axis]
            near = (low[i] <= high[j]) & (low[j] <= high[i])
            i, j = i[near], j[near]
        a, b = order[i], order[j]
        if between:
            two = wholes[a, loop.PARTY] != wholes[b, loop.PARTY]
            a, b = a[two], b[two]
        rows.extend(
            _judge_each(floats, wholes, np.minimum(a, b), np.maximum(a, b), profile, look_ahead)
        )
        first += take
    if not rows:
        return np.empty((0, loop.ANSWERS), dtype=np.int64)
    return np.array(rows)


def _judge_each(
    floats: Floats, wholes: Longs, a: Longs, b: Longs, profile: Profile, look_ahead: float
) -> list[Longs]:
    from detente.conflict import crowdloop as loop

    found: list[Longs] = []
    for one, two in zip(*_not_surely_clear(floats, wholes, a, b, profile, look_ahead), strict=True):
        answer = np.zeros(loop.ANSWERS, dtype=np.int64)
        answer[:2] = one, two
        answer[2] = loop.judge_pair(
            floats[one].tolist(), floats[two].tolist(), wholes[one].tolist(), wholes[two].tolist(),
            profile.lateral, float(profile.tau_s), look_ahead, answer,
        )  # fmt: skip
        if answer[2] != loop.CLEAR:
            found.append(answer)
    return found


def _not_surely_clear(
    floats: Floats, wholes: Longs, a: Longs, b: Longs, profile: Profile, look_ahead: float
) -> tuple[list[int], list[int]]:
    """Pairs whose points come within the largest limit of the look-ahead, whatever their heights."""
    from detente.conflict import crowdloop as loop

    apart = floats[b, loop.X : loop.Z + 1] - floats[a, loop.X : loop.Z + 1]
    closing = floats[b, loop.VX : loop.VZ + 1] - floats[a, loop.VX : loop.VZ + 1]
    normal = floats[a, loop.NX : loop.NZ + 1] + floats[b, loop.NX : loop.NZ + 1]
    normal /= np.sqrt((normal * normal).sum(axis=1))[:, None]
    apart -= (apart * normal).sum(axis=1)[:, None] * normal
    closing -= (closing * normal).sum(axis=1)[:, None] * normal
    speed = (closing * closing).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.where(speed > 0.0, -(apart * closing).sum(axis=1) / speed, 0.0)
    at = np.clip(at, 0.0, look_ahead)
    least = apart + closing * at[:, None]
    limit = (
        profile.lateral
        + (wholes[a, loop.REACH] + wholes[b, loop.REACH]) / US_PER_S
        + (wholes[a, loop.REACH_GROWTH] + wholes[b, loop.REACH_GROWTH]) * look_ahead
        + np.sqrt(speed) * profile.tau_s
        + 1e4
    )
    near = (least * least).sum(axis=1) <= limit * limit
    return a[near].tolist(), b[near].tolist()

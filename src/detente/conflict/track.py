"""Live tracks: where something was seen, how it moves, and how sure that is. One row each, in columns.

docs/spec/tactical-model.md, sections 1 and 2, is the normative text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from detente.airspace.altitude import DATUMS
from detente.airspace.earth import QUARTER_NANODEG, round_ratio, sine_cosine
from detente.errors import UsageError, shown
from detente.limits import (
    ALTITUDE_MAX_M,
    ALTITUDE_MIN_M,
    TRACK_ID_CHARS,
    TRACK_LATERAL_MAX_M,
    TRACK_SPEED_MAX_MPS,
    TRACKS_AT_ONCE,
)
from detente.units import TENTH_MM_PER_M

Longs = npt.NDArray[np.int64]

_SPEED = TRACK_SPEED_MAX_MPS * TENTH_MM_PER_M
_FAR = TRACK_LATERAL_MAX_M * TENTH_MM_PER_M
# Column, least, most.
RANGES = (
    ("lon", -2 * QUARTER_NANODEG, 2 * QUARTER_NANODEG),
    ("lat", -QUARTER_NANODEG, QUARTER_NANODEG),
    ("altitude", ALTITUDE_MIN_M * TENTH_MM_PER_M, ALTITUDE_MAX_M * TENTH_MM_PER_M),
    ("datum", 0, len(DATUMS) - 1),
    ("east", -_SPEED, _SPEED),
    ("north", -_SPEED, _SPEED),
    ("up", -_SPEED, _SPEED),
    ("time", 0, 2**53 - 1),
    ("lateral", 0, _FAR),
    ("lateral_growth", 0, 1000 * TENTH_MM_PER_M),
    ("vertical", 0, _FAR),
    ("vertical_growth", 0, 1000 * TENTH_MM_PER_M),
)
COLUMNS = tuple(name for name, _, _ in RANGES)


class TrackState(msgspec.Struct, frozen=True, kw_only=True):
    """One report of one track.

    Args:
        id: the track's name, unique within its party.
        party: whose track it is.
        lon: longitude, 1e-9 degree.
        lat: latitude, 1e-9 degree.
        altitude: 0.1 mm of the datum.
        datum: ``"MSL"``, ``"WGS84"``, ``"AGL"`` or ``"STD"``.
        east: speed over ground eastward, 0.1 mm a second.
        north: northward.
        up: upward, of the altitude.
        time: of the report, microseconds.
        lateral: how far it may be from there at the time of the report, 0.1 mm.
        lateral_growth: how much farther each second after, 0.1 mm a second.
        vertical: the same of the altitude.
        vertical_growth: the same.
    """

    id: str
    party: str
    lon: int
    lat: int
    altitude: int
    datum: str
    east: int
    north: int
    up: int = 0
    time: int = 0
    lateral: int = 0
    lateral_growth: int = 0
    vertical: int = 0
    vertical_growth: int = 0


class Tracks:
    """Many reports, one row each, in columns of whole numbers (those of `TrackState`).

    Args:
        ids: names, n of them; a name may be used once by each party.
        parties: of each row.
        columns: shape (12, n), int64, in the order of `COLUMNS`; `datum` is its place in `DATUMS`.

    Raises:
        UsageError: a number out of range (the row is named), a name twice, too many rows.
    """

    def __init__(self, ids: Sequence[str], parties: Sequence[str], columns: Longs) -> None:
        self.ids = list(ids)
        self.parties = list(parties)
        self.columns = np.ascontiguousarray(columns, dtype=np.int64)
        _check_rows(self)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def party_numbers(self) -> Longs:
        """A number for each row's party, the same for the same party; shape (n,)."""
        numbers: dict[str, int] = {}
        return np.array(
            [numbers.setdefault(party, len(numbers)) for party in self.parties], dtype=np.int64
        )

    def row(self, index: int) -> TrackState:
        """One row as a value."""
        values: dict[str, Any] = dict(zip(COLUMNS, self.columns[:, index].tolist(), strict=True))
        values["datum"] = DATUMS[values["datum"]]
        return TrackState(id=self.ids[index], party=self.parties[index], **values)


def tracks_of(states: Sequence[TrackState]) -> Tracks:
    """Rows from values.

    Raises:
        UsageError: as `Tracks`; an unknown datum.

    Example:
        >>> one = TrackState(id="A1", party="north", lon=0, lat=0, altitude=0, datum="STD", east=0, north=0)
        >>> tracks_of([one]).row(0) == one
        True
    """
    for state in states:
        if state.datum not in DATUMS:
            raise UsageError(
                "altitude-datum-unknown",
                f"datum of track {shown(state.id)} is {shown(state.datum)}; "
                "it must be MSL, WGS84, AGL or STD",
                field="datum",
            )
    rows = [
        [DATUMS.index(state.datum) if name == "datum" else _whole(state, name) for state in states]
        for name in COLUMNS
    ]
    return Tracks(
        [state.id for state in states],
        [state.party for state in states],
        np.array(rows, dtype=np.int64).reshape(len(COLUMNS), len(states)),
    )


def components_of(speed: int, track: int) -> tuple[int, int]:
    """Speed over ground along a track as its parts (east, north), by the fixed polynomial.

    Args:
        speed: 0.1 mm a second.
        track: true, clockwise from north, 1e-9 degree.

    Example:
        >>> components_of(2_000_000, 90_000_000_000)
        (2000000, 0)
    """
    sine, cosine = sine_cosine(track)
    return round_ratio(speed * sine, 1 << 80), round_ratio(speed * cosine, 1 << 80)


def _whole(state: TrackState, name: str) -> int:
    value = getattr(state, name)
    if type(value) is not int or abs(value) >= 2**62:
        raise UsageError(
            "track-malformed",
            f"{name} of track {shown(state.id)} is {shown(value)}; it must be a whole number",
            field=name,
        )
    return value


def _check_rows(tracks: Tracks) -> None:
    count = len(tracks.ids)
    if count > TRACKS_AT_ONCE:
        raise UsageError(
            "tracks-many", f"{count} tracks are given; they must be at most {TRACKS_AT_ONCE:,}"
        )
    if tracks.columns.shape != (len(COLUMNS), count) or len(tracks.parties) != count:
        raise UsageError(
            "tracks-malformed",
            f"columns are of shape {tracks.columns.shape} for {count} names and "
            f"{len(tracks.parties)} parties; they must be ({len(COLUMNS)}, {count})",
        )
    for row, (name, least, most) in enumerate(RANGES):
        values = tracks.columns[row]
        if count and not (least <= values.min() and values.max() <= most):
            at = int(np.nonzero((values < least) | (values > most))[0][0])
            raise UsageError(
                "track-range",
                f"{name} of track {shown(tracks.ids[at])} (row {at}) is {values[at]}; "
                f"it must be from {least} to {most}",
                field=name,
            )
    if count and max(map(len, tracks.ids)) > TRACK_ID_CHARS:
        at = next(i for i, name in enumerate(tracks.ids) if len(name) > TRACK_ID_CHARS)
        raise UsageError(
            "track-range",
            f"name of the track of row {at} has {len(tracks.ids[at])} characters; "
            f"it must have at most {TRACK_ID_CHARS}",
            field="id",
        )
    seen: set[tuple[str, str]] = set()
    names = list(zip(tracks.parties, tracks.ids, strict=True))
    if len(set(names)) != count:
        for at, pair in enumerate(names):
            if pair in seen:
                raise UsageError(
                    "track-twice",
                    f"track {shown(pair[1])} of {shown(pair[0])} is there twice (row {at}); "
                    "each must be given once, as it was reported last",
                    field="id",
                )
            seen.add(pair)

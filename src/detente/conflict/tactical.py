"""The door to live tracks: which come too close, if nobody turns, within a look-ahead?

    tracks = tracks_of(states)
    for answer in find(tracks, engine_profile(terms.tactical), now_us, look_ahead_s=300): ...

    alerts = Alerts(agreement.hash, terms.tactical, engine_profile(terms.tactical, bounds))
    changes = alerts.update(now_us, tracks)

docs/spec/tactical-model.md is the normative text; `TACTICAL_SPEC` is its version.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detente.agreement.terms import TacticalProfile
from detente.airspace.altitude import DatumBounds
from detente.conflict.alert import (
    LEVELS,
    TACTICAL_SPEC,
    Alert,
    Alerts,
    Change,
    alert_id,
)
from detente.conflict.bands import Band, Bands, Envelope, make_bands
from detente.conflict.crowd import find_encounters
from detente.conflict.encounter import CANNOT_TELL, CONFLICT, Encounter, Profile, encounter
from detente.conflict.track import COLUMNS, Tracks, TrackState, components_of, tracks_of
from detente.errors import UsageError, shown
from detente.limits import (
    ALTITUDE_MAX_M,
    ALTITUDE_MIN_M,
    LOOK_AHEAD_MAX_S,
    TRACK_AGE_MAX_S,
    TRACK_LATERAL_MAX_M,
    TRACK_SPEED_MAX_MPS,
)
from detente.units import TENTH_MM_PER_M, US_PER_S

__all__ = [
    "CANNOT_TELL",
    "COLUMNS",
    "CONFLICT",
    "LEVELS",
    "TACTICAL_SPEC",
    "Alert",
    "Alerts",
    "Band",
    "Bands",
    "Change",
    "Encounter",
    "Envelope",
    "Profile",
    "TrackState",
    "Tracks",
    "alert_id",
    "check_tracks",
    "components_of",
    "engine_profile",
    "find",
    "find_bands",
    "tracks_of",
]

_TIME = COLUMNS.index("time")


def engine_profile(profile: TacticalProfile, bounds: DatumBounds | None = None) -> Profile:
    """An agreement's tactical profile as the engine reads it.

    Raises:
        UsageError: a minimum is out of range.
    """
    made = Profile(
        lateral=profile.lateral_tenth_mm,
        vertical=profile.vertical_tenth_mm,
        tau_s=profile.tau_s if profile.kind == "well-clear" else 0,
        bounds=bounds or DatumBounds(),
    )
    _check_profile(made)
    return made


def find(
    tracks: Tracks,
    profile: Profile,
    now_us: int,
    *,
    look_ahead_s: int = 300,
    between_parties: bool = False,
) -> npt.NDArray[np.int64]:
    """All pairs of tracks that come too close within the look-ahead, or may where datums differ.

    Args:
        tracks: n of them, the newest report of each.
        profile: what is too close; the same for all, as is the look-ahead.
        now_us: the instant from which to look, microseconds.
        look_ahead_s: how far, seconds.
        between_parties: leave out pairs of one party.

    Returns:
        Shape (m, 8), int64, sorted by the first two columns: rows of both tracks (the lower first), verdict
        (`CONFLICT` or `CANNOT_TELL`), from, until and closest (microseconds after `now_us`), lateral and
        vertical distance then (0.1 mm): the members of `Encounter`.

    Raises:
        UsageError: a report is too old, the look-ahead or a minimum out of range.
    """
    _check(profile, look_ahead_s)
    ages = np.abs(now_us - tracks.columns[_TIME])
    if len(tracks) and int(ages.max()) > TRACK_AGE_MAX_S * US_PER_S:
        at = int(ages.argmax())
        raise UsageError(
            "track-old",
            f"report of track {shown(tracks.ids[at])} (row {at}) is {ages[at] / US_PER_S:.0f} s from now; "
            f"it must be at most {TRACK_AGE_MAX_S} s",
            field="time",
        )
    return find_encounters(
        tracks, profile, now_us, look_ahead_s * US_PER_S, between=between_parties
    )


def check_tracks(
    one: TrackState, two: TrackState, profile: Profile, now_us: int, *, look_ahead_s: int = 300
) -> Encounter | None:
    """One pair, exactly; None if they are clear. `check_tracks(a, b)` and `check_tracks(b, a)` are equal.

    Raises:
        UsageError: as `find`.
    """
    _check(profile, look_ahead_s)
    tracks_of([one, two]) if (one.party, one.id) != (two.party, two.id) else tracks_of([one])
    for state in (one, two):
        _check_age(state, now_us)
    return encounter(one, two, profile, now_us, look_ahead_s * US_PER_S)


def find_bands(
    own: TrackState,
    others: Sequence[TrackState],
    profile: Profile,
    now_us: int,
    *,
    look_ahead_s: int = 300,
    envelope: Envelope | None = None,
) -> Bands:
    """What a track had better not do from now on: tracks, speeds, climbs and altitudes that are too close to others.

    Args:
        own: the track that may change.
        others: those that go straight on, of any party.
        profile: what is too close.
        now_us: the instant of the change, microseconds.
        look_ahead_s: how far, seconds.
        envelope: what the own track can do; else that of `Envelope`.

    Raises:
        UsageError: as `find`; a range of the envelope is out of order or past a limit.
    """
    _check(profile, look_ahead_s)
    envelope = envelope or Envelope()
    for name, most in (
        ("speed", TRACK_SPEED_MAX_MPS * TENTH_MM_PER_M),
        ("up", TRACK_SPEED_MAX_MPS * TENTH_MM_PER_M),
        ("altitude", ALTITUDE_MAX_M * TENTH_MM_PER_M),
    ):
        low, high = getattr(envelope, name)
        least = (
            0
            if name == "speed"
            else ALTITUDE_MIN_M * TENTH_MM_PER_M
            if name == "altitude"
            else -most
        )
        if not least <= low <= high <= most:
            raise UsageError(
                "envelope-range",
                f"{name} of the envelope is {low} to {high}; it must be in order, from {least} to {most}",
                field=name,
            )
    tracks_of([own, *others])
    for state in (own, *others):
        _check_age(state, now_us)
    return make_bands(own, others, profile, now_us, look_ahead_s * US_PER_S, envelope)


def _check_age(state: TrackState, now_us: int) -> None:
    if abs(now_us - state.time) > TRACK_AGE_MAX_S * US_PER_S:
        raise UsageError(
            "track-old",
            f"report of track {shown(state.id)} is {abs(now_us - state.time) / US_PER_S:.0f} s from now; "
            f"it must be at most {TRACK_AGE_MAX_S} s",
            field="time",
        )


def _check(profile: Profile, look_ahead_s: int) -> None:
    if not 1 <= look_ahead_s <= LOOK_AHEAD_MAX_S:
        raise UsageError(
            "look-ahead-range",
            f"look-ahead is {look_ahead_s} s; it must be from 1 to {LOOK_AHEAD_MAX_S} s",
            field="look_ahead_s",
        )
    _check_profile(profile)


def _check_profile(profile: Profile) -> None:
    ranges = {
        "lateral": TRACK_LATERAL_MAX_M * TENTH_MM_PER_M,
        "vertical": ALTITUDE_MAX_M * TENTH_MM_PER_M,
        "tau_s": LOOK_AHEAD_MAX_S,
    }
    for name, most in ranges.items():
        value = getattr(profile, name)
        if not 0 <= value <= most:
            raise UsageError(
                "minimum-range",
                f"{name} of the tactical profile is {value}; it must be from 0 to {most}",
                field=name,
            )

"""Alerts on live tracks: raised and cleared by rules in time, with an id that both sides compute.

What is close now is `encounter`'s word. This adds how long it has been so, so that one bad report
neither raises an alarm nor ends one. Nothing depends on how often or when it is called, but for when a
change is noticed. docs/spec/tactical-model.md, section 6, is the normative text.
"""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np

from detente.agreement.terms import TacticalProfile
from detente.conflict.crowd import find_encounters
from detente.conflict.encounter import CANNOT_TELL, Profile
from detente.conflict.track import COLUMNS, Tracks
from detente.errors import UsageError
from detente.limits import TRACK_STALE_S
from detente.signing.canonical import encode_canonical
from detente.units import US_PER_S

TACTICAL_SPEC = "1"

# Least first. Cannot-tell is what only the datums leave open.
LEVELS = ("cannot-tell", "ahead", "closer", "breach")
_CLOSER, _BREACH = 2, 3
_TIME = COLUMNS.index("time")

Name = tuple[str, str]  # party, track


def alert_id(one: Name, two: Name, agreement: str, profile: TacticalProfile) -> str:
    """Hex id of an alert on two tracks: a tagged hash, the same on both sides.

    Args:
        one: party and id of a track.
        two: of the other, in any order.
        agreement: hash of the agreement.
        profile: of its terms.
    """
    content = {
        "agreement": agreement,
        "engine": TACTICAL_SPEC,
        "profile": msgspec.to_builtins(profile),
        "tracks": sorted([list(one), list(two)]),
    }
    return hashlib.sha256(b"detente:tactical:v1\n" + encode_canonical(content)).hexdigest()


class Alert(msgspec.Struct, frozen=True):
    """Two tracks that are, or will be, too close. It has no own and no peer: both sides hold the same.

    Args:
        id: `alert_id`.
        tracks: (party, id) of both, sorted.
        level: one of `LEVELS`.
        raised_us: when it was raised.
        from_us: when they are too close, if both go straight on; the past if they are now.
        until_us: until when.
        closest_us: when they are laterally closest.
        lateral_tenth_mm: how far apart then.
        vertical_tenth_mm: how far in height then; the least, where datums differ.
        breach_us: when they will have been too close for too long, or None if they will not.
        stale: one of them was not heard of lately; the numbers are of when it was.
    """

    id: str
    tracks: tuple[Name, Name]
    level: str
    raised_us: int
    from_us: int
    until_us: int
    closest_us: int
    lateral_tenth_mm: int
    vertical_tenth_mm: int
    breach_us: int | None
    stale: bool


class Change(msgspec.Struct, frozen=True):
    """What became of an alert: ``"raised"``, ``"changed"`` (level or stale), ``"cleared"`` or ``"lost"``."""

    kind: str
    alert: Alert


class _Watch:
    """What is remembered of one pair."""

    def __init__(self, id: str, tracks: tuple[Name, Name], now_us: int) -> None:
        self.id = id
        self.tracks = tracks
        self.first_us = now_us  # since when there is a reason
        self.last_us: list[int | None] = [None] * len(LEVELS)  # when last at each level or above
        self.closer_us: int | None = None  # since when too close
        self.heard_us = now_us  # when both were last heard of
        self.alert: Alert | None = None
        self.next_from_us: int | None = None  # when the last look said that they come too close


class Alerts:
    """The alerts under one agreement.

    Args:
        agreement: its hash.
        profile: the tactical profile of its terms.
        rules: `profile` as the engine reads it, with the agreement's datum bounds.

    Example:
        >>> from detente.conflict.tactical import engine_profile, tracks_of
        >>> alerts = Alerts("00", TacticalProfile(), engine_profile(TacticalProfile()))
        >>> alerts.update(0, tracks_of([]))
        []
    """

    def __init__(self, agreement: str, profile: TacticalProfile, rules: Profile) -> None:
        self._agreement = agreement
        self._profile = profile
        self._rules = rules
        self._watched: dict[tuple[Name, Name], _Watch] = {}
        self._now_us: int | None = None

    @property
    def live(self) -> list[Alert]:
        """The alerts that stand, the worst first, then by when it is, then by id."""
        alerts = [watch.alert for watch in self._watched.values() if watch.alert is not None]
        return sorted(alerts, key=lambda one: (-LEVELS.index(one.level), one.from_us, one.id))

    def update(self, now_us: int, tracks: Tracks) -> list[Change]:
        """Looks again.

        Args:
            now_us: not before the last time.
            tracks: the newest report of each track of all parties of the agreement.

        Returns:
            What changed, by id.

        Raises:
            UsageError: time goes back.
        """
        if self._now_us is not None and now_us < self._now_us:
            raise UsageError(
                "time-back", f"now is {now_us}; it must not be before {self._now_us}", field="now"
            )
        self._now_us = now_us
        fresh = np.abs(now_us - tracks.columns[_TIME]) <= TRACK_STALE_S * US_PER_S
        rows = np.nonzero(fresh)[0].tolist()
        heard: dict[Name, int] = {(tracks.parties[row], tracks.ids[row]): row for row in rows}
        seen = tracks if fresh.all() else Tracks(
            [tracks.ids[row] for row in rows],
            [tracks.parties[row] for row in rows],
            tracks.columns[:, rows],
        )  # fmt: skip
        found = find_encounters(
            seen, self._rules, now_us, self._profile.look_ahead_s * US_PER_S, between=True
        )
        names = list(heard)
        close: dict[tuple[Name, Name], list[int]] = {}
        for row in found.tolist():
            one, two = names[row[0]], names[row[1]]
            close[(one, two) if one <= two else (two, one)] = row
        changes = []
        for pair in sorted({*close, *self._watched}):
            change = self._look(pair, close.get(pair), heard, now_us)
            if change is not None:
                changes.append(change)
        return sorted(changes, key=lambda change: change.alert.id)

    def _look(
        self, pair: tuple[Name, Name], row: list[int] | None, heard: dict[Name, int], now_us: int
    ) -> Change | None:
        watch = self._watched.get(pair)
        clear_us = self._profile.clear_after_s * US_PER_S
        if watch is None:
            watch = self._watched[pair] = _Watch(
                alert_id(*pair, self._agreement, self._profile), pair, now_us
            )
        stale = pair[0] not in heard or pair[1] not in heard
        if row is not None:
            watch.heard_us = now_us
            self._note(watch, row, now_us)
        elif stale:
            # Not to hear is no reason to clear.
            if now_us - watch.heard_us >= TRACK_STALE_S * US_PER_S or watch.alert is None:
                return self._end(watch, "lost")
        else:
            watch.heard_us = now_us
            last_us = watch.last_us[0]
            if last_us is None or now_us - last_us >= clear_us:
                return self._end(watch, "cleared")
        before = watch.alert
        level = self._level(watch, now_us)
        if stale and before is not None:
            level = LEVELS.index(before.level)
        if before is None:
            stood = now_us - watch.first_us >= self._profile.raise_after_s * US_PER_S
            if row is None or (not stood and level < _CLOSER):
                return None
        after = self._alert(watch, row, LEVELS[level], stale, now_us)
        watch.alert = after
        if before is None:
            return Change("raised", after)
        if (before.level, before.stale) != (after.level, after.stale):
            return Change("changed", after)
        return None

    def _note(self, watch: _Watch, row: list[int], now_us: int) -> None:
        """Keeps what a look found."""
        verdict, from_us = row[2:4]
        level = 0 if verdict == CANNOT_TELL else 1
        if level and from_us == 0:
            level = _CLOSER
            if watch.closer_us is None:
                said = watch.next_from_us
                watch.closer_us = min(now_us, said) if said is not None else now_us
            if now_us - watch.closer_us > self._profile.closer_at_most_s * US_PER_S:
                level = _BREACH
        last_us = watch.last_us[_CLOSER]
        clear_us = self._profile.clear_after_s * US_PER_S
        if level < _CLOSER and (last_us is None or now_us - last_us >= clear_us):
            watch.closer_us = None
        watch.next_from_us = now_us + from_us if level else None
        for at in range(level + 1):
            watch.last_us[at] = now_us

    def _level(self, watch: _Watch, now_us: int) -> int:
        """The worst level that there was lately: up at once, down after a while."""
        clear_us = self._profile.clear_after_s * US_PER_S
        for level in range(len(LEVELS) - 1, 0, -1):
            last_us = watch.last_us[level]
            if last_us is not None and now_us - last_us < clear_us:
                return level
        return 0

    def _alert(
        self, watch: _Watch, row: list[int] | None, level: str, stale: bool, now_us: int
    ) -> Alert:
        before = watch.alert
        if row is None:
            assert before is not None
            return msgspec.structs.replace(before, level=level, stale=stale)
        _, from_us, until_us, closest_us, lateral, vertical = row[2:]
        begins_us = now_us + from_us if watch.closer_us is None else watch.closer_us
        most_us = self._profile.closer_at_most_s * US_PER_S
        breach = now_us + until_us - begins_us > most_us
        return Alert(
            id=watch.id,
            tracks=watch.tracks,
            level=level,
            raised_us=now_us if before is None else before.raised_us,
            from_us=begins_us,
            until_us=now_us + until_us,
            closest_us=now_us + closest_us,
            lateral_tenth_mm=lateral,
            vertical_tenth_mm=vertical,
            breach_us=begins_us + most_us if breach else None,
            stale=stale,
        )

    def _end(self, watch: _Watch, kind: str) -> Change | None:
        del self._watched[watch.tracks]
        return None if watch.alert is None else Change(kind, watch.alert)

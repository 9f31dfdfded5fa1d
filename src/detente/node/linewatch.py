"""The watch over the lines: since when each has been silent or failing, as alarms for officers.

What a line does is no entry of the ledger, so it is kept here, in memory, until somebody
acknowledges it. All of it is looked at and asked for in jobs, one after another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from detente.limits import LINE_ALARMS_KEPT
from detente.protocol.alarms import LineAlarm
from detente.protocol.core import Core

FAILING_S = 10.0  # one try that fails is a restart; this is several, with the pauses between them
SILENT_BEATS = 2  # heartbeats that may pass in silence before it is told, besides `FAILING_S`


class Failing(Protocol):
    """A loop to a peer, as far as it is looked at here."""

    failing: str | None


class Health(msgspec.Struct):
    """What the watch knows of one line; `*_s` are of a clock that only counts.

    Attributes:
        silent_s: how long ago the peer was heard, or the watch began.
    """

    heard_us: int | None
    since_us: int
    heard_at_s: float
    silent_s: float = 0.0
    failing: str | None = None
    failing_us: int = 0
    failing_at_s: float = 0.0
    alarm: str | None = None


class LineWatch:
    """Looks at all lines once a second.

    Attributes:
        version: grows whenever an alarm comes or goes.
    """

    def __init__(self, heartbeat_s: float) -> None:
        self._silence_s = FAILING_S + SILENT_BEATS * heartbeat_s
        self._health: dict[str, Health] = {}
        self._alarms: dict[str, LineAlarm] = {}
        self.version = 0

    @property
    def alarms(self) -> list[LineAlarm]:
        """The alarms of lines, the last ones that are over included, oldest first."""
        return list(self._alarms.values())

    def health(self, peer: str) -> Health | None:
        """What is known of a line."""
        return self._health.get(peer)

    def look(
        self, core: Core, lines: Mapping[tuple[str, str], Failing], now_us: int, at_s: float
    ) -> None:
        """Look at every line.

        Args:
            lines: the loops by peer and chain.
            now_us: the node's clock, which an exercise may run fast.
            at_s: a clock that only counts, in real seconds.
        """
        for peer in core.state.peers:
            heard_us = core.link(peer).heard_us
            health = self._health.get(peer)
            if health is None:
                health = Health(heard_us, heard_us or now_us, at_s)
                self._health[peer] = health
            if heard_us != health.heard_us:
                health.heard_us, health.since_us, health.heard_at_s = heard_us, heard_us or 0, at_s
            health.silent_s = at_s - health.heard_at_s
            failing = next(
                (
                    line.failing
                    for chain in ("safety", "ordinary")
                    if (line := lines.get((peer, chain))) is not None and line.failing
                ),
                None,
            )
            if failing is not None and health.failing is None:
                health.failing_us, health.failing_at_s = now_us, at_s
            health.failing = failing
            self._judge(peer, health, at_s)

    def _judge(self, peer: str, health: Health, at_s: float) -> None:
        broken = health.failing is not None and at_s - health.failing_at_s >= FAILING_S
        bad = broken or health.silent_s >= self._silence_s
        if bad and health.alarm is None:
            alarm = LineAlarm(
                party=peer,
                since_us=health.failing_us if broken else health.since_us,
                message=health.failing,
            )
            self._keep(alarm)
            health.alarm = alarm.id
        elif health.alarm is not None and not bad and health.failing is None:
            found = self._alarms.get(health.alarm)
            if found is not None:
                self._alarms[found.id] = msgspec.structs.replace(found, over=True)
            health.alarm = None
            self.version += 1

    def _keep(self, alarm: LineAlarm) -> None:
        self._alarms.pop(alarm.id, None)
        self._alarms[alarm.id] = alarm
        over = [id_ for id_, one in self._alarms.items() if one.over]
        for id_ in over[: max(0, len(self._alarms) - LINE_ALARMS_KEPT)]:
            del self._alarms[id_]
        self.version += 1

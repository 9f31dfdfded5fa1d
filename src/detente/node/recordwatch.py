"""The watch over the record: an alarm when nobody, or too few, have vouched for it for too long (L-POL-7)."""

from __future__ import annotations

from detente.limits import QUORUM_LATE_S
from detente.protocol.core import Core
from detente.protocol.effect import Alert, Effect
from detente.protocol.vouched import vouched


class RecordWatch:
    """Looks at the newest heads now and then."""

    def __init__(self) -> None:
        self._missing = False

    def look(self, core: Core, now_us: int, rate: float) -> list[Effect]:
        """Alarm once for each time since which no head counts as witnessed; tell when one does again.

        Args:
            rate: how fast the node's clock runs; an exercise's may run ahead of the witnesses.
        """
        found = vouched(core)
        if found.met and self._missing:
            self._missing = False
            return [Alert("quorum-met", "the newest head counts as witnessed again", None)]
        if not found.late(now_us, QUORUM_LATE_S * rate):
            return []
        self._missing = True
        return core.alarm_once(
            now_us,
            "quorum-missing",
            # the same words as long as it lasts, so that it is one alarm
            f"no head signed since {found.since} counts as witnessed; {found.least} of {', '.join(found.of)} "
            "must cosign one",
            None,
        )

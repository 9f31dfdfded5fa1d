"""What the acts of a play need: nodes to ask, an audience to tell, and names that earlier steps gave."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from detente.errors import DetenteError
from detente.node.clock import Clock
from detente.scenario.act import DESK
from detente.scenario.place import When
from detente.scenario.script import Party
from detente.units import format_time

SEEN_S = 20.0  # on loopback an exchange takes milliseconds; past this the nodes show something else
PAUSE_S = 0.1

_Found = TypeVar("_Found")
Json = dict[str, Any]


class Asks(Protocol):
    """A connection to a node, as one officer has it."""

    def json(self, method: str, path: str, *, body: Any = None) -> Any:
        """The JSON of an answer.

        Raises:
            DetenteError: what the node answered.
        """


class Tells(Protocol):
    """Where the story is told."""

    def line(self, now_us: int, party: str, text: str, style: str = "") -> None:
        """One thing that happened."""

    def more(self, text: str, style: str = "", *, wrap: bool = True) -> None:
        """What belongs to the line above."""

    def command(self, text: str) -> None:
        """The command that shows the line above."""

    def wrong(self, text: str) -> None:
        """Otherwise than the script expects."""

    def name(self, party: str) -> str:
        """A party's name."""


class Stage(Protocol):
    """The nodes of a play."""

    @property
    def parties(self) -> tuple[Party, ...]:
        """The cast."""

    def desk(self, party: str, desk: str) -> Asks:
        """An officer of a party at a desk."""

    def silence(self, party: str) -> None:
        """End a party's node."""

    def revive(self, party: str) -> None:
        """Start it again, and wait until it answers."""


class Asking:
    """Asks the nodes as their officers would, and tells what they answered.

    Args:
        filed: name of a notice in the script, to its full id; kept by who files.
        origin_us: what times of the script count from.
        ids: name in the script, to the id of what was said.
    """

    def __init__(
        self,
        stage: Stage,
        show: Tells,
        clock: Clock,
        filed: dict[str, str],
        origin_us: Callable[[], int],
        ids: dict[str, str] | None = None,
    ) -> None:
        self.stage, self.show, self.clock, self.filed = stage, show, clock, filed
        self.origin_us = origin_us
        self.ids: dict[str, str] = {} if ids is None else ids

    def _tell(self, party: str, text: str, style: str = "") -> None:
        self.show.line(self.clock.now_us(), party, text, style)

    def _at(self, step: Any) -> str:
        """Which desk acts, where it is not the usual one."""
        return "" if step.desk == DESK else f" (from the desk {step.desk})"

    def _peer(self, party: str) -> str:
        return next(p.id for p in self.stage.parties if p.role == "party" and p.id != party)

    def _sides(self, party: str) -> tuple[str, str]:
        return party, self._peer(party)

    def _time(self, when: When) -> str:
        time_us = when.resolve_us(self.origin_us())
        assert time_us is not None  # the times of an act are never words only
        return format_time(time_us)

    def _asked(self, step: Any, method: str, path: str, body: Json) -> Json | None:
        """What the node answered; None where it refused, as the script expected or not."""
        rule = getattr(step, "expect_rule", "")
        try:
            found: Json = self.stage.desk(step.party, step.desk).json(method, path, body=body)
        except DetenteError as error:
            self.show.more(f"refused ({error.code}): {error.message}", "bold")
            if error.code != rule:
                self.show.wrong(f"it should be {'refused by ' + rule if rule else 'taken'}")
            return None
        if rule:
            self.show.wrong(f"it was taken; it should be refused by {rule}")
        return found

    def _get(self, party: str, path: str) -> Json:
        found: Json = self.stage.desk(party, DESK).json("GET", path)
        return found

    def _until(self, look: Callable[[], _Found | None]) -> _Found | None:
        """Look until there is something, or the time is over."""
        until = time.monotonic() + SEEN_S
        while True:
            found = look()
            if found is not None or time.monotonic() > until:
                return found
            time.sleep(PAUSE_S)

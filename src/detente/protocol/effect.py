"""Effects: what a decision asks the shell to do once the transaction is durable."""

from __future__ import annotations

import msgspec


class Send(msgspec.Struct, frozen=True):
    """There is something for this peer."""

    peer: str


class Alert(msgspec.Struct, frozen=True):
    """An officer should see this now.

    Attributes:
        code: kebab-case kind: notice-received, conflict, cannot-tell, equivocation, late, refused …
        refs: ids it is about (notice, conflict, statement).
    """

    code: str
    message: str
    peer: str | None = None
    refs: tuple[str, ...] = ()


class Detour(msgspec.Struct, frozen=True):
    """What waits for this peer on the safety chain should go by its second address, now."""

    peer: str


Effect = Send | Alert | Detour

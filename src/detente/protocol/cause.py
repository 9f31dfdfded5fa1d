"""What causes an alarm, and who has seen it, as entries of the ledger give them."""

from __future__ import annotations

import msgspec


class Alarm(msgspec.Struct, frozen=True):
    """Something an officer must see; a local entry of the ledger."""

    time_us: int
    code: str
    message: str
    party: str | None = None


class Raised(msgspec.Struct, frozen=True):
    """An alarm's cause, as an entry of the ledger gives it; see docs/spec/console.md, section 4.

    Attributes:
        index: the entry.
        kind: a row of the table of kinds there.
    """

    id: str
    kind: str
    index: int
    time_us: int
    exercise: bool
    notices: tuple[str, ...] = ()
    conflict: str | None = None
    statement: str | None = None
    party: str | None = None
    code: str | None = None
    message: str | None = None


class Acknowledged(msgspec.Struct, frozen=True):
    """Who silenced an alarm first, and when."""

    index: int
    time_us: int
    officer: str
    desk: str
    role: str

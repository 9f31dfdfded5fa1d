"""The one tree of errors: whose fault it is decides the class.

`UsageError` is ours or our operator's, `PeerError` the other side's (its exact bytes are kept as
evidence), `RefusedError` a rule that says no, `UnavailableError` something that may succeed later.
The text reads "<thing> is <value>; it must be <rule>", the hint says what to do next. How an error
becomes an exit code or an HTTP status is one table in `detente.node.outcome`, not a matter of the core.
"""

from __future__ import annotations


class DetenteError(Exception):
    """Any error that detente raises on purpose.

    Args:
        code: a stable kebab-case name a script can test for, e.g. ``"geometry-self-crossing"``.
        message: "<thing> is <value>; it must be <rule>".
        hint: what to do next; empty when nothing sensible can be said.
        field: the input field at fault, e.g. ``"features[0].geometry"``; None when there is none.
    """

    def __init__(
        self, code: str, message: str, *, hint: str = "", field: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.message}"


class UsageError(DetenteError):
    """Our own or our operator's input is wrong; nothing was changed."""


class PeerError(DetenteError):
    """The other side sent something wrong; `evidence` holds its exact bytes."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        field: str | None = None,
        evidence: bytes = b"",
    ) -> None:
        super().__init__(code, message, hint=hint, field=field)
        self.evidence = evidence


class RefusedError(DetenteError):
    """A rule says no; `rule` names it."""

    def __init__(
        self, rule: str, message: str, *, hint: str = "", field: str | None = None
    ) -> None:
        super().__init__(rule, message, hint=hint, field=field)
        self.rule = rule


class UnavailableError(DetenteError):
    """It did not happen now and may succeed later (peer down, disk full, time-out)."""


def shown(value: object, *, most_chars: int = 60) -> str:
    """The value as it appears in an error: its repr, cut to a length a terminal line can carry.

    Example:
        >>> shown("north")
        "'north'"
        >>> shown("x" * 100, most_chars=8)
        "'xxxxxx…"
    """
    text = repr(value)
    return text if len(text) <= most_chars else text[: most_chars - 1] + "…"

"""The one table from errors to exit codes and HTTP statuses, and what of an error may be logged."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from detente.errors import DetenteError, PeerError, RefusedError, UnavailableError, UsageError

EXIT_DONE, EXIT_BAD_NEWS, EXIT_USAGE, EXIT_CANNOT_TELL, EXIT_UNAVAILABLE = range(5)

# class of error -> (exit code, HTTP status); the first match counts
_TABLE: tuple[tuple[type[DetenteError], int, int], ...] = (
    (RefusedError, EXIT_BAD_NEWS, 422),
    (PeerError, EXIT_BAD_NEWS, 400),
    (UnavailableError, EXIT_UNAVAILABLE, 503),
    (UsageError, EXIT_USAGE, 400),
    (DetenteError, EXIT_USAGE, 400),
)

# errors that a status of their own says better
_STATUS = {
    "store-unavailable": 507,
    "mirror-full": 507,
    "body-too-large": 413,
    "frame-too-large": 413,
    "sign-in": 401,
    "role": 403,
    "console-header": 403,
    "other-origin": 403,
    "unlock": 403,
    "host": 421,
    "locked": 423,
    "notice-unknown": 404,
    "statement-unknown": 404,
    "notice-exists": 409,
    "notice-own": 409,
}


def exit_code(error: DetenteError) -> int:
    """The exit code a command ends with."""
    return next(code for kind, code, _ in _TABLE if isinstance(error, kind))


def http_status(error: DetenteError) -> int:
    """The HTTP status an error is answered with."""
    return _STATUS.get(error.code) or next(
        status for kind, _, status in _TABLE if isinstance(error, kind)
    )


def error_json(error: DetenteError) -> dict[str, Any]:
    """An error as JSON: field, rule and what to do next."""
    kind = next(kind.__name__ for kind, _, _ in _TABLE if isinstance(error, kind))
    return {
        "error": {
            "code": error.code,
            "message": str(error),
            "field": error.field,
            "hint": error.hint,
            "kind": kind,
        }
    }


def error_from_json(value: Any, status: int) -> DetenteError:
    """The error a node answered with, as the same class it was there."""
    detail = value.get("error", {}) if isinstance(value, dict) else {}
    kinds: dict[str, type[DetenteError]] = {kind.__name__: kind for kind, _, _ in _TABLE}
    kind = kinds.get(str(detail.get("kind")), UnavailableError if status >= 500 else UsageError)
    message = str(detail.get("message", f"the node answered {status}"))
    field = detail.get("field")
    if field and message.startswith(f"{field}: "):
        message = message[len(field) + 2 :]
    code = str(detail.get("code", "http"))
    if kind is RefusedError:
        return RefusedError(code, message, hint=str(detail.get("hint", "")), field=field)
    return kind(code, message, hint=str(detail.get("hint", "")), field=field)


def trace(error: BaseException) -> str:
    """Where an error came from, for the log: kinds and places, never the text, which may be content."""
    places = traceback.extract_tb(error.__traceback__)[-4:]
    steps = " > ".join(f"{Path(p.filename).stem}:{p.lineno}" for p in places)
    return f"{type(error).__name__} at {steps}"

"""Openings of fields: which may be destroyed, what the record keeps of that, and the file that opens one.

Docs: docs/spec/bundle.md, sections 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from detente.errors import PeerError, UsageError
from detente.limits import STATEMENT_BYTES
from detente.protocol.journal import Entry, Journal
from detente.protocol.paper import Json, decode_paper, encode_paper, invalid
from detente.protocol.statement import SALT_BYTES, Openings, Statement, check_openings
from detente.signing.base64 import decode_base64url
from detente.units import parse_time

if TYPE_CHECKING:
    from detente.protocol.fold import State

DESTROYED = "opening/destroyed"
ASKED = "opening/destruction-asked"
DISCLOSED = "opening/disclosed"

# What the record can do without: words, and where. What a statement does (its times, answers, keys) stays.
DESTRUCTIBLE: dict[str, tuple[str, ...]] = {
    "activity/notice": ("pieces", "region", "text"),
    "activity/cancel": ("reason",),
    "hotline/cease": ("place", "text"),
    "hotline/cease-reply": ("text",),
    "hotline/cease-effective": ("text",),
    "hotline/emergency": ("text",),
    "hotline/emergency-reply": ("text",),
    "receipt/read-back": ("words",),
    "receipt/acted": ("text",),
    "resolution/proposal": ("text",),
    "resolution/answer": ("text",),
    "talk/message": ("text",),
    "talk/answer": ("text",),
    "talk/call-agreed": ("text",),
}
WITHHOLDABLE = ("region", "text")  # of a notice, at sending: nothing is judged by them

MEMBERS = {1: frozenset({"field", "salt", "statement", "value"})}


class Destroyed(msgspec.Struct, frozen=True):
    """That a field's opening was destroyed here, on whose word and why."""

    field: str
    time_us: int
    officers: list[str]
    reason: str


class Disclosed(msgspec.Struct, frozen=True):
    """That a field's opening was handed to somebody."""

    field: str
    time_us: int
    officer: str
    to: str
    reason: str


class OpeningState(msgspec.Struct):
    """What the record says of openings, by statement.

    Attributes:
        kept: what is left of a notice's pieces, times without places; known before anything is folded.
        asked: who first asked for a destruction, by statement and field; a second officer completes it.
    """

    destroyed: dict[str, list[Destroyed]] = {}
    disclosed: dict[str, list[Disclosed]] = {}
    kept: dict[str, list[Json]] = {}
    asked: dict[str, dict[str, str]] = {}


def check_withheld(
    wanted: Mapping[str, Collection[str]], to: Collection[str], body: Json
) -> dict[str, list[str]]:
    """What each recipient of a notice is not to see, sorted (S-HOLD-1).

    Raises:
        UsageError: ``withhold-recipient``, ``withhold-needed`` or ``withhold-absent``.
    """
    for party, fields in wanted.items():
        if party not in to:
            raise UsageError(
                "withhold-recipient",
                f"withhold names {party!r}; it must be one of those who are told: {', '.join(to)}",
                field="withhold",
            )
        for field in sorted(fields):
            if field not in WITHHOLDABLE:
                raise UsageError(
                    "withhold-needed",
                    f"withhold names field {field!r}; it must be {' or '.join(WITHHOLDABLE)}: who is warned must have the rest",
                    field="withhold",
                )
            if field not in body:
                raise UsageError(
                    "withhold-absent",
                    f"withhold names {field}; the notice must say something there",
                    field="withhold",
                )
    return {party: sorted(set(fields)) for party, fields in sorted(wanted.items()) if fields}


def load_kept(journal: Journal) -> dict[str, list[Json]]:
    """What is left of destroyed pieces: the fold asks for it at the statement, which comes before the entry."""
    found: dict[str, list[Json]] = {}
    for local in journal.locals_of(DESTROYED):
        if local["field"] == "pieces":
            found |= dict.fromkeys(local["statements"], local["kept"])
    return found


def _apply_destroyed(state: State, entry: Entry, local: Json) -> None:
    one = Destroyed(
        local["field"], parse_time(local["time"]), list(local["officers"]), local["reason"]
    )
    for statement in local["statements"]:
        known = state.openings.destroyed.setdefault(statement, [])
        if all(other.field != one.field for other in known):
            known.append(one)
        state.openings.asked.get(statement, {}).pop(one.field, None)
    _note(state, entry, local)


def _apply_asked(state: State, entry: Entry, local: Json) -> None:
    for statement in local["statements"]:
        state.openings.asked.setdefault(statement, {})[local["field"]] = local["officer"]
    _note(state, entry, local)


def _apply_disclosed(state: State, entry: Entry, local: Json) -> None:
    one = Disclosed(
        local["field"], parse_time(local["time"]), local["officer"], local["to"], local["reason"]
    )
    for statement in local["statements"]:
        state.openings.disclosed.setdefault(statement, []).append(one)
    _note(state, entry, local)


def _note(state: State, entry: Entry, local: Json) -> None:
    if local.get("notice") in state.notices:
        state.note(local["notice"], entry.index)


APPLY_LOCAL: dict[str, Callable[[State, Entry, Json], None]] = {
    DESTROYED: _apply_destroyed,
    ASKED: _apply_asked,
    DISCLOSED: _apply_disclosed,
}


def check_given_back(statement: Statement, openings: object) -> Openings:
    """Openings of a statement that comes back after a loss: what can be destroyed may be missing, no more.

    Raises:
        PeerError: ``openings-wrong`` (F-REC-4, B-DESTROY-4).
    """
    found = check_openings(statement, openings, complete=False)
    missing = set(statement.body) - set(statement.withheld) - set(found)
    if not missing <= set(DESTRUCTIBLE.get(statement.type, ())):
        check_openings(statement, openings)
    return found


# -- the file that opens one field -----------------------------------------------------------------


def encode_opening(statement: Statement, field: str, opening: list[Any]) -> bytes:
    """The file that opens one field of one statement."""
    return encode_paper(
        "opening",
        {
            "EXERCISE": statement.exercise,
            "field": field,
            "salt": opening[0],
            "statement": statement.id,
            "v": 1,
            "value": opening[1],
        },
    )


def add_openings(
    openings: Openings, statements: set[str], exercise: bool, files: list[bytes]
) -> Openings:
    """The openings of a bundle with those of opening files joined; whether they fit, the commitments say.

    Args:
        statements: ids in the bundle.

    Raises:
        PeerError: ``opening-invalid``: of other form, of another statement, or of a field that is open.
    """
    joined = dict(openings)
    for data in files:
        content = decode_paper("opening", data, MEMBERS, STATEMENT_BYTES)
        field, salt = content["field"], content["salt"]
        if not isinstance(field, str) or not isinstance(salt, str):
            raise _invalid("field and salt must be texts")
        if len(decode_base64url(salt, field="salt")) != SALT_BYTES:
            raise _invalid(f"salt must be {SALT_BYTES} bytes")
        if content["statement"] not in statements or content["EXERCISE"] is not exercise:
            raise _invalid("it must be of a statement in the bundle")
        if field in joined and joined[field] != [salt, content["value"]]:
            raise _invalid(f"{field} is open already, with another value")
        joined[field] = [salt, content["value"]]
    return joined


def _invalid(message: str) -> PeerError:
    return invalid("opening", message)

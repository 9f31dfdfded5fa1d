"""Which statement types there are, and the named rules by which one is refused.

The table is docs/spec/statement.md, section 5. A refusal never drops anything: the statement is in
the ledger, and the answer names the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

from detente.agreement.card import parse_card
from detente.errors import DetenteError, RefusedError, shown
from detente.limits import CLOCK_SKEW_FLAG_S, TRIES_MOST
from detente.notice.activity import parse_activity_body
from detente.protocol import cease, deadlines, ladder, linestate, resolution, roster, talk
from detente.protocol.form import THREAD_KINDS, Type, check_text, is_statement_id, is_time, matches
from detente.protocol.statement import Openings, Statement, body_values, is_desk
from detente.units import US_PER_S, format_time, parse_time

if TYPE_CHECKING:
    from detente.protocol.fold import State


TYPES: dict[str, Type] = {
    "activity/notice": Type(
        "A1", ("activity", "pieces", "precedence"), ("region", "text"), thread="must"
    ),
    "activity/cancel": Type("A4", ("reason",), thread="must"),
    "policy/key-certificate": Type("P3", ("certificate",), chain="safety"),
    "policy/key-revocation": Type("P4", ("revocation",), chain="safety"),
    "policy/card": Type("P5", ("card",), chain="safety"),
    "receipt/delivered": Type(
        "R1",
        ("answer", "flags", "leaf", "proof", "received", "rule", "statement"),
        chain=None,
        thread="may",
        receipt=False,
        kinds=THREAD_KINDS,
    ),
    "receipt/opened": Type(
        "R2",
        ("desk", "opened", "statement"),
        chain=None,
        thread="may",
        receipt=False,
        kinds=THREAD_KINDS,
    ),
    **cease.TYPES,
    **deadlines.TYPES,
    **ladder.TYPES,
    **linestate.TYPES,
    **resolution.TYPES,
    **roster.TYPES,
    **talk.TYPES,
}
# what a type must keep to besides its form, in the file of its noun
CHECKS: dict[str, Callable[[State, Statement, dict[str, Any]], None]] = {
    **cease.CHECKS,
    **ladder.CHECKS,
    **linestate.CHECKS,
    **resolution.CHECKS,
    **roster.CHECKS,
    **talk.CHECKS,
}
# by what is expected, when it is due: what a peer says was not answered in time can be checked
DUES: deadlines.Dues = {
    **cease.DUES,
    **ladder.DUES,
    **resolution.DUES,
    **talk.DUES,
}


def earns_receipt(type_: str) -> bool:
    """Whether a statement of this type is answered by a receipt (unknown types are: S-ANS-2)."""
    row = TYPES.get(type_)
    return row is None or row.receipt


class Answer(msgspec.Struct, frozen=True):
    """How a receiver answers a statement that is on the chain."""

    answer: Literal["delivered", "not-understood", "refused"]
    rule: str | None = None
    message: str = ""


def receipt_flags(state: State, statement: Statement, now_us: int) -> list[str]:
    """What a receipt says of a statement besides its answer: none of it is a reason to refuse."""
    flags = time_flags(statement, now_us)
    if statement.type in cease.TYPES and statement.agreement not in state.agreements:
        flags.append("agreement-unknown")  # H-CEA-5
    return flags


def time_flags(statement: Statement, now_us: int) -> list[str]:
    """Flags about the claimed time; a far-off clock is flagged, never refused."""
    offset_us = statement.claimed_us - now_us
    if offset_us > CLOCK_SKEW_FLAG_S * US_PER_S:
        return ["claimed-early"]  # it claims to have been made in our future
    if offset_us < -CLOCK_SKEW_FLAG_S * US_PER_S:
        return [
            "claimed-late"
        ]  # old when it came: a line that was down, a courier, or a slow clock
    return []


def judge(state: State, statement: Statement, openings: Openings) -> Answer:
    """The answer to a statement that is authentic and next on its chain.

    A pure function of what the ledger already says and the statement: both sides of an argument can
    recompute it.
    """
    row = TYPES.get(statement.type)
    if row is None:
        return Answer(
            "not-understood", "type-unknown", f"type {statement.type!r} is not known here"
        )
    try:
        _check_form(row, statement, openings)
        _check_agreement(state, statement)
        _check_exercise(state, statement)
        if statement.type.startswith("activity/"):
            _check_thread(state, statement)
        values = body_values(openings)
        if statement.type == "activity/notice":
            assert statement.thread is not None
            state.volumes(
                statement.thread.id.partition(":")[2],
                statement.exercise,
                statement.body_digest,
                values,
            )
        elif statement.type == "activity/cancel":
            check_text(values, "reason")
        elif statement.type.startswith("receipt/"):
            check_receipt_form(statement, values)
        elif statement.type.startswith("policy/key-"):
            _check_policy(state, statement, values)
        elif statement.type == "policy/card":
            _check_card(state, statement, values)
        if statement.type == "receipt/no-answer":
            _check_no_answer(state, values)
        elif statement.type in CHECKS:
            CHECKS[statement.type](state, statement, values)
    except DetenteError as error:
        return Answer("refused", error.code, str(error))
    return Answer("delivered")


def judge_alone(statement: Statement, openings: Openings) -> Answer:
    """What can be said of a statement whatever else was said: the part of `judge` that needs no record.

    A rule that it names is broken for every reader; one that it does not name may be broken all the same.
    What a newer version may know, a type or a field, breaks none.
    """
    row = TYPES.get(statement.type)
    if row is None or set(statement.body) - set(row.required) - set(row.optional):
        return Answer("delivered")
    try:
        _check_form(row, statement, openings)
        values = body_values(openings)
        if statement.type.startswith("activity/"):
            _check_owner(statement)
        if statement.type == "activity/notice":
            assert statement.thread is not None
            name = statement.thread.id.partition(":")[2]
            parse_activity_body(values, name=name, exercise=statement.exercise)
        elif statement.type == "activity/cancel":
            check_text(values, "reason")
        elif statement.type.startswith("receipt/"):
            check_receipt_form(statement, values)
    except DetenteError as error:
        return Answer("refused", error.code, str(error))
    return Answer("delivered")


def _check_form(row: Type, statement: Statement, openings: Openings) -> None:
    unknown = sorted(set(statement.body) - set(row.required) - set(row.optional))
    missing = sorted(set(row.required) - set(openings))
    if unknown:
        raise RefusedError(
            "field-unknown",
            f"body has the field {unknown[0]!r}; {statement.type} must not have it",
            field=unknown[0],
        )
    if missing:
        raise RefusedError(
            "field-missing",
            f"body lacks {missing[0]}; {statement.type} must open it",
            field=missing[0],
        )
    if row.chain is not None and row.chain != statement.chain:
        raise RefusedError(
            "wrong-chain",
            f"chain is {statement.chain}; {statement.type} must travel on {row.chain}",
            field="chain",
        )
    if (row.thread == "must" and statement.thread is None) or (
        row.thread == "never" and statement.thread is not None
    ):
        raise RefusedError(
            "thread-wrong", f"{statement.type} {row.thread} have a thread", field="thread"
        )
    if statement.thread is not None and statement.thread.kind not in row.kinds:
        raise RefusedError(
            "thread-wrong",
            f"thread is of kind {statement.thread.kind!r}; it must be of {', '.join(row.kinds)}",
            field="thread",
        )


def _check_agreement(state: State, statement: Statement) -> None:
    agreement = state.agreements.get(statement.agreement or "")
    if agreement is None and statement.type in cease.TYPES and _agreed_between(state, statement):
        return  # H-CEA-5: what is urgent does not wait until both sides have accepted the same paper
    if agreement is None:
        raise RefusedError(
            "agreement-unknown",
            f"agreement {statement.agreement} is not in force here",
            field="agreement",
        )
    outside = [p for p in (statement.party, *statement.to) if p not in agreement.parties]
    if outside:
        raise RefusedError("not-a-party", f"{outside[0]} is no party of that agreement", field="to")
    if agreement.terms.exercise_only and not statement.exercise:
        raise RefusedError(
            "exercise-only",
            "the agreement is for exercises only; EXERCISE must be true",
            field="EXERCISE",
        )


def _agreed_between(state: State, statement: Statement) -> bool:
    peer = statement.recipient if statement.party == state.party else statement.party
    return state.agreement_with(peer) is not None


def _check_exercise(state: State, statement: Statement) -> None:
    """S-ANS-4: whatever belongs to a notice has the notice's EXERCISE flag, also a receipt or a cease."""
    notice = state.notices.get(statement.notice or "")
    if notice is not None and notice.exercise != statement.exercise:
        raise RefusedError(
            "exercise-flip", "EXERCISE must not change within a thread", field="EXERCISE"
        )


def _check_owner(statement: Statement) -> None:
    thread = statement.thread
    assert thread is not None
    party, colon, name = thread.id.partition(":")
    if party != statement.party or not colon or not name:
        raise RefusedError(
            "notice-of-another",
            f"notice id is {thread.id!r}; it must start with {statement.party}:",
            field="thread",
        )


def _check_thread(state: State, statement: Statement) -> None:
    thread = statement.thread
    assert thread is not None
    _check_owner(statement)
    notice = state.notices.get(thread.id)
    if notice is None:
        if statement.type == "activity/cancel":
            raise RefusedError(
                "notice-unknown", f"there is no notice {thread.id} to cancel", field="thread"
            )
        return
    known = notice.versions.get(thread.version)
    if known is not None and known.body_digest != statement.body_digest:
        raise RefusedError(
            "equivocation",
            f"version {thread.version} of {thread.id} was said before with another body; one version must have one body",
            field="body",
        )
    if known is None and thread.version < max(notice.versions):
        raise RefusedError(
            "version-old",
            f"version is {thread.version}; it must be above {max(notice.versions)}",
            field="thread",
        )
    if known is None and notice.cancelled:
        raise RefusedError(
            "notice-cancelled",
            f"{thread.id} is cancelled; a new activity must have a new id",
            field="thread",
        )


def check_receipt_form(statement: Statement, values: dict[str, Any]) -> None:
    """Raise unless a receipt has the form of one; what it is about and proves, `incoming` and `bundle` ask.

    Raises:
        RefusedError: ``receipt-wrong``.
    """
    row = TYPES.get(statement.type, Type("", ()))
    if not set(row.required) <= set(values) <= {*row.required, *row.optional}:
        raise RefusedError("receipt-wrong", "receipt must have all its fields and no others")
    wrong = [
        name
        for name, value in values.items()
        if name in _RECEIPT_FORMS and not _RECEIPT_FORMS[name](value)
    ]
    if wrong:
        raise RefusedError(
            "receipt-wrong", f"{wrong[0]} is {shown(values[wrong[0]])}", field=wrong[0]
        )
    if "answer" in values and (values["answer"] == "delivered") != (values["rule"] is None):
        raise RefusedError(
            "receipt-wrong", "rule must be named where it was not delivered, and only there"
        )


_is_rule = matches(r"[a-z][a-z0-9-]{0,63}")
_RECEIPT_FORMS: dict[str, Callable[[Any], bool]] = {
    "answer": lambda value: value in ("delivered", "not-understood", "refused"),
    "desk": is_desk,
    "due": is_time,
    "expected": _is_rule,
    "flags": lambda value: (
        isinstance(value, list) and len(value) <= 8 and all(_is_rule(flag) for flag in value)
    ),
    "opened": is_time,
    "received": is_time,
    "rule": lambda value: value is None or _is_rule(value),
    "statement": is_statement_id,
    "tries": lambda value: type(value) is int and 1 <= value <= TRIES_MOST,
}


def _check_no_answer(state: State, values: dict[str, Any]) -> None:
    """H-DUE-2: both sides compute what is owed and until when; who says that it was not answered says the same."""
    when = DUES.get(values["expected"])
    due = None if when is None else when(state, values["statement"])
    if due is None:
        named_us = parse_time(values["due"])
        fits = ladder.may_be_due(state, values["expected"], values["statement"], named_us)
    else:
        fits = format_time(due) == values["due"]
    if not fits:
        raise RefusedError(
            "expectation-wrong",
            f"{values['expected']} is said to be due {values['due']}; it must be owed for that statement, and due then",
            field="due",
        )
    known = state.passed.get(deadlines.expectation_id(values["expected"], values["statement"]))
    if known is not None and known.told is not None:
        raise RefusedError(
            "receipt-repeated",
            "that no answer came must be said once for each thing expected of a statement",
            field="expected",
        )


def _check_card(state: State, statement: Statement, values: dict[str, Any]) -> None:
    """S-CARD-1: a card says anew where its party is reached, and nothing that was agreed."""
    card = parse_card(values["card"], verifier=state.verifier)
    known = state.cards.get(statement.party)
    agreed = state.agreements[statement.agreement or ""].members[statement.party].root
    if (
        known is None
        or (card.party, card.root) != (statement.party, agreed)
        or (card.role, card.name, card.tls_ca) != (known.role, known.name, known.tls_ca)
        or card.issued_us <= known.issued_us
    ):
        raise RefusedError(
            "card-wrong",
            f"card is of {card.party}, issued {format_time(card.issued_us)}; it must be of its maker with the agreed root, name, "
            "role and authority, and newer than the one known",
            field="card",
        )
    url = urlsplit(card.address)
    try:
        good = url.scheme == "https" and bool(url.hostname) and url.port is not None
    except ValueError:
        good = False
    if not good or url.path or url.query or url.username or not card.address.isprintable():
        raise RefusedError(
            "card-wrong",
            f"address is {shown(card.address)}; it must be https://HOST:PORT",
            field="card",
        )


def _check_policy(state: State, statement: Statement, values: dict[str, Any]) -> None:
    root = state.root_quoted(statement)
    if statement.type == "policy/key-certificate":
        state.keys.read_certificate(values["certificate"], statement.party, root)
    else:
        state.keys.read_revocation(values["revocation"], statement.party, root)

"""The rules of refusal, as a pure function of the ledger and the statement."""

from __future__ import annotations

from typing import Any

import pytest

from detente.limits import CLOCK_SKEW_FLAG_S
from detente.protocol.rules import TYPES, Answer, earns_receipt, judge, time_flags
from detente.protocol.statement import Openings, Statement, Thread
from detente.simulation.liar import Liar
from detente.simulation.node import SimNode
from detente.simulation.room import Room
from detente.units import US_PER_S


def meet() -> tuple[SimNode, Liar]:
    """North, and a south that says what the test wants."""
    room = Room()
    north = room.node(0)
    liar = room.liar(1, north)
    liar.send()
    return north, liar


def answer(north: SimNode, said: tuple[Statement, Openings]) -> Answer:
    """How north would answer, without logging anything."""
    return judge(north.running.state, *said)


CHECKS_OF_THE_LINE = {"hotline/check", "hotline/check-reply"}  # the reply is the answer


def test_earns_receipt_every_type_but_receipts_does() -> None:
    """S-ANS-2: receipts end the exchange; what is not known earns one."""
    assert {name for name in TYPES if not earns_receipt(name)} == {
        name for name in TYPES if name.startswith("receipt/") or name in CHECKS_OF_THE_LINE
    }
    assert earns_receipt("inquiry/finding")


def test_receipts_earn_no_receipt() -> None:
    """S-ANS-2: two honest nodes fall silent after one notice and one receipt."""
    room = Room()
    north, south = room.nodes()
    from detente.simulation.node import converse
    from detente.simulation.officer import random_notice

    notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
    north.run(lambda core: core.file_notice(notice, (), north.now_us(), officer="o", desk="d"))
    for _ in range(5):
        converse(north, south)
        room.wait(3)
    for core in (north.running, south.running):
        made = sum(head.sequence for heads in core.state.made.values() for head in heads.values())
        assert made == 1


@pytest.mark.parametrize("name", sorted(TYPES))
def test_type_row_names_each_field_once(name: str) -> None:
    """No field is both required and optional, and all are sorted, as the specification lists them."""
    row = TYPES[name]
    assert not set(row.required) & set(row.optional)
    assert list(row.required) == sorted(row.required)


def test_judge_a_good_notice_is_delivered() -> None:
    """A statement that keeps every rule is delivered."""
    north, liar = meet()
    assert answer(north, liar.say_notice()) == Answer("delivered")


def test_judge_is_a_function_of_ledger_and_statement_only() -> None:
    """Asking twice gives the same answer and changes nothing."""
    north, liar = meet()
    said = liar.say_notice()
    size = north.running.tree.size
    assert answer(north, said) == answer(north, said)
    assert north.running.tree.size == size


@pytest.mark.parametrize("name", sorted(n for n in TYPES if not n.startswith("receipt/")))
def test_judge_each_required_field_must_be_opened(name: str) -> None:
    """A body without one of its fields is refused by that field's name."""
    north, liar = meet()
    row = TYPES[name]
    thread = Thread("south:X-1", "notice", 1) if row.thread == "must" else None
    for missing in row.required:
        values = {field: "x" for field in row.required if field != missing}
        found = answer(north, liar.say(name, values, chain=row.chain or "safety", thread=thread))
        assert (found.answer, found.rule) == ("refused", "field-missing")
        assert missing in found.message


def test_judge_version_rules() -> None:
    """A version may be repeated with its body, never lowered, and nothing follows a cancellation."""
    north, liar = meet()
    second = liar.say_notice("X-1", 2)
    liar.send(second)
    assert answer(north, liar.say_notice("X-1", 1, keep=False)).rule == "version-old"
    assert answer(north, liar.say_notice("X-1", 2, keep=False)).rule == "equivocation"
    assert answer(north, second).answer == "delivered"
    thread = Thread("south:X-1", "notice", 3)
    liar.send(liar.say("activity/cancel", {"reason": "done"}, thread=thread))
    assert answer(north, liar.say_notice("X-1", 4, keep=False)).rule == "notice-cancelled"


def test_judge_cancel_of_what_was_never_said_is_refused() -> None:
    """There is nothing to cancel."""
    north, liar = meet()
    said = liar.say("activity/cancel", {"reason": "done"}, thread=Thread("south:X-9", "notice", 1))
    assert answer(north, said).rule == "notice-unknown"


@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": 5}, {"reason": "a\u202eb"}])
def test_judge_texts_are_plain(body: dict[str, Any]) -> None:
    """A text can neither be empty nor reorder what the screen shows."""
    north, liar = meet()
    assert answer(north, liar.say("hotline/cease", body, chain="safety")).rule == "text-malformed"


def test_judge_cease_with_place_and_text_is_delivered() -> None:
    """Line feeds and any script are plain text."""
    north, liar = meet()
    values = {"reason": "стоп", "place": "35N 36E", "text": "line 1\nline 2\tتوقف"}
    assert answer(north, liar.say("hotline/cease", values, chain="safety")).answer == "delivered"


@pytest.mark.parametrize(
    ("offset_s", "flags"),
    [
        (CLOCK_SKEW_FLAG_S, []),
        (CLOCK_SKEW_FLAG_S + 1, ["claimed-early"]),
        (-CLOCK_SKEW_FLAG_S, []),
        (-CLOCK_SKEW_FLAG_S - 1, ["claimed-late"]),
    ],
)
def test_time_flags_beyond_the_limit_only(offset_s: int, flags: list[str]) -> None:
    """A claimed time is flagged past the limit and never before it."""
    north, liar = meet()
    now_us = north.now_us()
    statement, _ = liar.say_notice(claimed_us=now_us + offset_s * US_PER_S)
    assert time_flags(statement, now_us) == flags

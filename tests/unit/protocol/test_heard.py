"""What a console is told of conversation, desks and lines in numbers; and the alarm of a message."""

from __future__ import annotations

from typing import Any

import pytest

from detente.protocol import conversation, linestate, roster
from detente.protocol.alarms import AlarmRow, alarm_rows, count_alarms
from detente.protocol.heard import heard_of
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.units import US_PER_S

ADA = {"officer": "ada", "desk": "watch"}
Two = tuple[Room, SimNode, SimNode]


@pytest.fixture
def two() -> Two:
    """North and south on an open line."""
    room = Room()
    north, south = room.nodes()
    exchange(room, north, south)
    return room, north, south


def exchange(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        converse(*nodes)
        room.wait(0.1)


def say(node: SimNode, precedence: str, **more: Any) -> None:
    """Say something to everybody."""
    values = {"desk": "cell", "language": "en", "precedence": precedence, "text": "words"}
    node.run(
        lambda core: conversation.say_message(
            core,
            {**values, **more},
            None,
            [],
            node.now_us(),
            book=None,  # type: ignore[arg-type]
            exercise=True,
            **ADA,
        )
    )


def answer(node: SimNode, said: str) -> None:
    """Answer the only message."""
    (message,) = node.running.state.talk.messages
    node.run(
        lambda core: conversation.answer_message(core, message, said, None, node.now_us(), **ADA)
    )


def alarms(node: SimNode, since: int = 0) -> list[AlarmRow]:
    """The alarms of messages."""
    rows = alarm_rows(node.running, (), node.now_us(), since)
    return [row for row in rows if row.kind == "message"]


@pytest.mark.parametrize(("precedence", "rank"), [("flash", 1), ("urgent", 2)])
def test_message_of_high_precedence_alarms_until_it_is_answered(
    two: Two, precedence: str, rank: int
) -> None:
    """H-TAL-2: flash warns and urgent cautions whoever received it; a standby is no answer yet."""
    room, north, south = two
    say(north, precedence)
    exchange(room, north, south)
    assert alarms(north) == []
    (row,) = alarms(south)
    assert (row.rank, row.code, row.message, row.over) == (rank, precedence, "words", False)
    assert row.id == f"message:{row.statement}"
    counts = count_alarms(south.running, (), south.now_us())
    assert (counts.warning, counts.caution) == ((1, 0) if rank == 1 else (0, 1))
    answer(south, "standby")
    assert not alarms(south)[0].over
    seen = south.running.tree.size
    answer(south, "wilco")
    assert [one.over for one in alarms(south, seen)] == [True]


@pytest.mark.parametrize("precedence", ["priority", "routine"])
def test_message_of_low_precedence_alarms_nobody(two: Two, precedence: str) -> None:
    """Only its deadline does, once it has passed."""
    room, north, south = two
    say(north, precedence)
    exchange(room, north, south)
    assert alarms(south) == []


def test_heard_counts_what_waits_for_our_answer(two: Two) -> None:
    """Owed by who received it, until the answer is final."""
    room, north, south = two
    say(north, "routine")
    exchange(room, north, south)
    assert (heard_of(north.running).talks_owed, heard_of(south.running).talks_owed) == (0, 1)
    answer(south, "standby")
    assert heard_of(south.running).talks_owed == 1
    answer(south, "affirm")
    assert heard_of(south.running).talks_owed == 0


def test_heard_grows_with_each_topic_alone(two: Two) -> None:
    """A console asks for talks, the roster or checks again when their number has grown, on both sides."""
    room, north, south = two
    first = {node.name: heard_of(node.running) for node in (north, south)}
    assert {(one.talks, one.roster) for one in first.values()} == {(-1, -1)}

    def act(what: str) -> set[str]:
        before = {node.name: heard_of(node.running) for node in (north, south)}
        now_us = north.now_us()
        if what == "talk":
            say(north, "routine")
        elif what == "roster":
            until_us = now_us + 3600 * US_PER_S
            north.run(
                lambda core: roster.say_roster(
                    core, "cell", ["en"], now_us, until_us, [], now_us, **ADA
                )
            )
        else:
            north.run(
                lambda core: linestate.declare(
                    core, "south", "fault", "all", "cable", now_us, **ADA
                )
            )
        exchange(room, north, south)
        grown = []
        for node in (north, south):
            new, old = heard_of(node.running), before[node.name]
            grown.append(
                {x for x in ("talks", "roster", "checks") if getattr(new, x) > getattr(old, x)}
            )
        assert grown[0] == grown[1]
        return grown[0]

    assert act("talk") == {"talks"}
    assert act("roster") == {"roster"}
    assert act("line") == {"checks"}


def test_heard_grows_with_the_receipt_of_a_message(two: Two) -> None:
    """That a message was delivered is seen in its thread, so its number grows."""
    room, north, south = two
    say(north, "routine")
    said = heard_of(north.running).talks
    exchange(room, north, south)
    assert heard_of(north.running).talks > said


def test_handover_grows_the_roster(two: Two) -> None:
    """A local entry too is a change of the roster."""
    _, north, _ = two
    north.run(
        lambda core: (
            roster.hand_over(core, "bo", north.now_us(), sound_tested=True, notes="", **ADA),
            [],
        )
    )
    assert heard_of(north.running).roster == north.running.tree.size - 1

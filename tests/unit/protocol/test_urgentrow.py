"""Rows of urgent matters: what a console is shown of them, on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from detente.protocol import cease
from detente.protocol.urgentrow import UrgentPlace, UrgentRow, urgent_rows
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room

ADA = {"officer": "ada", "desk": "watch"}
Two = tuple[Room, SimNode, SimNode]


@pytest.fixture
def two() -> Two:
    """North and south on an open line."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    return room, north, south


def talk(room: Room, *nodes: SimNode, seconds: float = 0.1) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        converse(*nodes)
        room.wait(seconds)


def ask(node: SimNode, **values: Any) -> None:
    """Ask everybody to cease."""
    said = {"reason": "own people there", **values}
    node.run(lambda core: cease.ask_cease(core, said, [], node.now_us(), exercise=True, **ADA))


def only(node: SimNode, since: int = 0) -> UrgentRow:
    """The only row."""
    (found,) = urgent_rows(node.running, since)
    return found


def test_both_sides_show_one_row_of_a_request_with_equal_clocks(two: Two) -> None:
    """H-CEA-3: who asked and who was asked show the same times, replies and both clocks."""
    room, north, south = two
    ask(north, place="the old bridge", text="at once")
    talk(room, north, south)
    room.wait(4)
    id_ = only(south).id
    south.run(lambda core: cease.reply_to_cease(core, id_, "ceasing", south.now_us(), **ADA))
    talk(room, north, south)
    room.wait(10)
    south.run(lambda core: cease.cease_effective(core, id_, south.now_us(), **ADA))
    talk(room, north, south)
    asked, asking = only(south), only(north)
    assert asked == asking
    assert (asked.status, asked.open, asked.next_step) == ("effective", False, None)
    assert (asked.reason, asked.place_words, asked.text) == (
        *("own people there", "the old bridge", "at once"),
    )
    assert [one.move for one in asked.replies] == ["ceasing", "effective"]
    assert asked.first_reply_s is not None
    assert asked.effective_s is not None
    assert 4 < asked.first_reply_s < 5
    assert 14 < asked.effective_s < 16


def test_row_comes_again_only_when_something_was_said_of_it(two: Two) -> None:
    """A picture since a revision holds the rows that changed after it."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    seen = north.running.tree.size
    assert urgent_rows(north.running, seen) == []
    id_ = only(south).id
    south.run(lambda core: cease.reply_to_cease(core, id_, "cannot", south.now_us(), **ADA))
    talk(room, north, south)
    assert only(north, seen).status == "cannot"


def test_emergency_shows_its_place_in_degrees_and_what_it_is_about(two: Two) -> None:
    """H-CEA-1: an emergency carries a position, or none where nobody knows it."""
    room, north, south = two
    for place in ({"lat": 35_500_000_000, "lon": -1_000_000_000}, None):
        values = {"kind": "hit", "at": "2031-05-04T12:00:00Z", "place": place}
        north.run(
            lambda core, values=values: cease.say_emergency(
                core, values, [], north.now_us(), exercise=True, **ADA
            )
        )
    talk(room, north, south)
    first, second = urgent_rows(south.running)
    assert (first.emergency, first.place) == ("hit", UrgentPlace(lat=35.5, lon=-1.0))
    assert (second.place, second.reason, second.about) == (None, None, None)


def test_next_step_is_shown_until_it_is_answered(two: Two) -> None:
    """H-CEA-2: the row says which desk is called next and when, and which was called last."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    row = only(south)
    assert row.next_step is not None
    assert (row.open, row.step, row.desk, row.next_step.number) == (True, 0, None, 1)
    room.wait(31)
    south.run(lambda core: (None, cease.escalate(core, south.now_us())))
    again = only(south)
    assert (again.status, again.step, again.desk) == ("escalated", 1, row.next_step.desk)
    assert again.next_step is not None
    assert again.next_step.number == 2


def test_request_and_reply_that_wait_for_the_line_are_shown(two: Two) -> None:
    """What is filed and not signed is on the screen all the same, and says so."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    id_ = only(south).id
    for node in (north, south):
        node.crash()
        node.start()
    assert not north.running.link("south").may_sign
    ask(north)
    south.run(lambda core: cease.reply_to_cease(core, id_, "ceasing", south.now_us(), **ADA))
    waits = urgent_rows(north.running, north.running.tree.size)
    assert [(one.id.startswith("waiting:"), one.waiting, one.open) for one in waits] == [
        (True, True, True)
    ]
    reply = only(south, south.running.tree.size)
    assert (reply.waiting, reply.replies_waiting, reply.replies) == (True, ["ceasing"], [])
    talk(room, north, south)
    talk(room, north, south)
    assert [one.waiting for one in urgent_rows(north.running)] == [False, False]
    assert urgent_rows(south.running)[0].status == "ceasing"

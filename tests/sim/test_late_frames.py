"""A frame of a program that has ended since changes nothing: what it carries may have been lost, and said otherwise."""

from __future__ import annotations

import pytest

from detente.protocol import views
from detente.protocol.evidence import find_evidence
from detente.simulation.check import check_healed
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room
from detente.simulation.run import simulate


def file(room: Room, node: SimNode, name: str) -> None:
    """File a notice that the seed draws."""
    notice = random_notice(name, room.chance, node.now_us(), exercise=True)
    node.run(
        lambda core: core.file_notice(
            notice, (), node.now_us(), officer="o", desk="operations-cell"
        )
    )


def talk(room: Room, *nodes: SimNode) -> None:
    """Let nodes exchange frames until nothing is under way, with time between."""
    for _ in range(6):
        room.wait(3)
        converse(*nodes, most=2)


def lost_on_the_way(room: Room) -> tuple[SimNode, SimNode, bytes]:
    """North said something that is still under way, and was restored from before it; heads agree."""
    north, south = room.nodes()
    file(room, north, "A-1")
    talk(room, north, south)
    backup = north.disk.snapshot()
    file(room, north, "A-2")
    late = north.write("south")
    north.restore(backup)
    talk(room, north, south)
    assert north.running.link("south").state == "open"
    return north, south, late


def sound(*nodes: SimNode) -> None:
    """Nobody is blamed, nothing is refused, and a rebuild gives the same."""
    assert list(check_healed(list(nodes))) == []
    for node in nodes:
        assert node.running.state.alarms == []
        assert list(find_evidence(node.running)) == []
        assert views.projection(node.load()) == views.projection(node.running)


@pytest.mark.parametrize("first", ["late", "new"])
def test_frame_of_a_program_before_a_restore_makes_nobody_a_liar(first: str) -> None:
    """F-CUR-2, E-HONEST-1: the late frame carries a number that north signs again: whichever comes first, there is one statement
    under it at south, and no proof of a fork."""
    room = Room()
    north, south, late = lost_on_the_way(room)
    if first == "late":
        south.serve(late)
        assert "north:A-2" not in south.running.state.notices
    file(room, north, "A-3")
    talk(room, north, south)
    south.serve(late)
    talk(room, north, south)
    assert "north:A-3" in south.running.state.notices
    sound(north, south)


def test_late_frame_that_was_not_heard_of_before_costs_one_exchange_and_stops_nothing() -> None:
    """F-CUR-2: south's own program has never heard the old one; the frame shuts no line and counts for nothing."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    south.crash()
    south.start()
    asked = south.write("north")
    north.take(asked)  # north hears south's new program …
    file(room, north, "A-1")
    backup = north.disk.snapshot()
    file(room, north, "A-2")
    late = north.write("south")  # … and south has not heard north since it began
    north.restore(backup)
    talk(room, north, south)
    before = south.running.session("north")
    south.serve(late)
    assert south.running.session("north") != before
    assert "north:A-2" not in south.running.state.notices
    south.serve(late)
    after = south.running.session("north")
    file(room, north, "A-3")
    talk(room, north, south)
    assert {"north:A-1", "north:A-3"} <= south.running.state.notices.keys()
    south.serve(late)
    assert south.running.session("north") == after, "a frame that is replayed changes nothing"
    sound(north, south)


def test_both_sides_start_at_once_and_meet() -> None:
    """F-CUR-2: first frames that cross on the way cost one exchange more, and both lines open."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    file(room, south, "B-1")
    one, other = north.write("south"), south.write("north")
    answers = south.serve(one), north.serve(other)
    assert None not in answers
    north.take(answers[0] or b"")
    south.take(answers[1] or b"")
    assert {
        core.link(peer).state for core, peer in ((north.running, "south"), (south.running, "north"))
    } == {"open"}
    talk(room, north, south)
    sound(north, south)


def test_old_record_whose_statements_were_still_under_way_keeps_every_invariant() -> None:
    """F-CUR-2: the day on which it was found: a receipt came for a statement that its maker had lost and that nobody had held."""
    assert simulate(54, hours=1, faults="all", every_s=60)["violations"] == []

"""H-CEA-4: a cease request is taken and answered whatever else is wrong with the line."""

from __future__ import annotations

import pytest

from detente.agreement.terms import Terms
from detente.protocol import alarms, cease, linestate, roster
from detente.protocol.due import pass_due
from detente.protocol.urgent import Urgent
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.units import US_PER_S

QUEUED = 10_000
WHO = {"officer": "ada", "desk": "watch"}
SAFETY = ("safety",)


def open_room() -> tuple[Room, SimNode, SimNode]:
    """Two parties whose line has compared heads."""
    room = Room(terms=Terms())
    north, south = room.nodes()
    for _ in range(3):
        converse(north, south)
        room.wait(1)
    return room, north, south


def ask(node: SimNode) -> None:
    """Ask to cease."""
    node.run(
        lambda core: cease.ask_cease(
            core, {"reason": "own people there"}, [], node.now_us(), exercise=False, **WHO
        )
    )


def answer(node: SimNode, said: str) -> None:
    """Answer it."""
    id_ = only(node).id
    node.run(lambda core: cease.reply_to_cease(core, id_, said, node.now_us(), **WHO))


def only(node: SimNode) -> Urgent:
    """The only request."""
    (found,) = node.running.state.urgent.known.values()
    return found


def suspend(node: SimNode, peer: str) -> None:
    """Declare everything suspended."""
    node.run(
        lambda core: linestate.declare(
            core, peer, "suspended", "all", "talks broke down", node.now_us(), **WHO
        )
    )


def once(asker: SimNode, other: SimNode) -> None:
    """One exchange of the loop for safety."""
    back = other.serve(asker.write(other.name, SAFETY))
    assert back is not None
    asker.take(back)
    # as the loop does: what the answer does not acknowledge was not taken, and goes again
    asker.running.link(other.name).offered.clear()


def queue_ordinary(node: SimNode, count: int) -> None:
    """Many ordinary statements that the peer does not hold yet."""

    def job(core: object) -> tuple[None, list[object]]:
        for number in range(count):
            roster.say_roster(
                node.running,
                f"desk {number}",
                ["en"],
                node.now_us(),
                node.now_us() + US_PER_S,
                [],
                node.now_us(),
                **WHO,
            )
        return None, []

    node.run(job)  # type: ignore[arg-type]


@pytest.mark.parametrize("signed", [True, False])
def test_cease_is_answered_in_two_exchanges_with_ten_thousand_ordinary_queued(signed: bool) -> None:
    """H-CEA-4: it passes ten thousand ordinary statements, signed already or waiting to be, in both directions."""
    room, north, south = open_room()
    if not signed:  # north starts anew, so that all of it waits for the line
        north.crash()
        north.start()
    queue_ordinary(north, QUEUED)
    assert bool(north.running.intents) is not signed
    queue_ordinary(south, 100)
    ask(north)
    for _ in range(1 if signed else 3):
        once(north, south)
    (alarm,) = alarms.alarm_rows(south.running, (), south.now_us())
    assert (alarm.kind, alarm.rank, alarm.over) == ("cease", 0, False)
    ordinary = south.running.state.head(False, "north", "ordinary").sequence
    assert ordinary < QUEUED // 10
    answer(south, "ceasing")
    once(north, south)
    assert only(north).status == only(south).status == "ceasing"
    room.wait(1)


def test_cease_is_answered_on_a_suspended_line() -> None:
    """H-CEA-4: both sides have suspended everything, and the request and its answers go all the same."""
    _, north, south = open_room()
    suspend(north, "south")
    suspend(south, "north")
    once(north, south)
    ask(north)
    once(north, south)
    answer(south, "cannot")
    once(north, south)
    assert only(north).status == "cannot"
    north.run(
        lambda core: cease.say_emergency(
            core,
            {"kind": "distress", "at": "2018-09-17T12:00:00Z", "place": None},
            [],
            north.now_us(),
            exercise=False,
            **WHO,
        )
    )
    once(north, south)
    assert len(south.running.state.urgent.known) == 2


@pytest.mark.parametrize("offset_s", [-7_200, 7_200, 86_400])
def test_cease_is_answered_and_moves_up_in_time_though_clocks_disagree(offset_s: int) -> None:
    """H-CEA-4: an hour's difference neither hurries a step up nor delays it, on either side."""
    room, north, south = open_room()
    south.clock.offset_us = offset_s * US_PER_S
    ask(north)
    once(north, south)
    for seconds, step in ((29, 0), (2, 1)):
        room.wait(seconds)
        for node in (north, south):
            node.run(lambda core: (None, pass_due(core, node.now_us())))  # noqa: B023
            assert only(node).step == step
    once(north, south)
    answer(south, "ceasing")
    once(north, south)
    assert only(north).status == only(south).status == "ceasing"
    assert north.running.state.alarms == south.running.state.alarms == []


@pytest.mark.parametrize("who", ["north", "south", "both"])
def test_cease_is_answered_after_a_restart_of_either_side(who: str) -> None:
    """H-CEA-4: asked, restarted, answered, restarted: nothing is lost and every step is one entry."""
    room, north, south = open_room()

    def restart() -> None:
        for node in (north, south):
            if who in (node.name, "both"):
                node.crash()
                node.start()

    ask(north)
    restart()
    for _ in range(4):
        once(north, south)
    for _ in range(4):
        room.wait(31)
        restart()
        for node in (north, south):
            node.run(lambda core: (None, pass_due(core, node.now_us())))  # noqa: B023
    for node in (north, south):
        entries = [e for e, _, _, _ in node.disk.replay() if e.header.type == "urgent/escalated"]
        assert len(entries) == only(node).step == 3
    answer(south, "not-us")
    restart()
    for _ in range(4):
        once(north, south)
    assert only(north).status == only(south).status == "not-us"


def test_unanswered_cease_is_said_to_be_unanswered_once() -> None:
    """H-CEA-2, H-DUE-2: at the first step the asker signs that no answer came; an answer later ends it on both sides."""
    room, north, south = open_room()
    ask(north)
    once(north, south)
    for _ in range(3):
        room.wait(31)
        for node in (north, south):
            node.run(lambda core: (None, pass_due(core, node.now_us())))  # noqa: B023
        once(north, south)
    for node in (north, south):
        found = [
            a for a in alarms.alarm_rows(node.running, (), node.now_us()) if a.kind == "no-answer"
        ]
        assert [(one.party, one.code, one.over) for one in found] == [("south", "reply", False)]
        said = [e for e, _, s, _ in node.disk.replay() if s and s.type == "receipt/no-answer"]
        assert [e.outcome for e in said] == ["delivered"]
    answer(south, "ceasing")
    once(north, south)
    for node in (north, south):
        (found_one,) = [
            a for a in alarms.alarm_rows(node.running, (), node.now_us()) if a.kind == "no-answer"
        ]
        assert found_one.over is True

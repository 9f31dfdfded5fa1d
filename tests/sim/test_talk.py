"""Conversation under faults: whatever dies, is lost or is late, both sides end with the same of every message."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from detente.errors import DetenteError
from detente.node.phrases import phrasebook
from detente.protocol import conversation, views
from detente.protocol.deadlines import pass_deadlines
from detente.protocol.incoming import start_recovery
from detente.simulation.chance import Chance
from detente.simulation.node import Crashed, SimNode, converse
from detente.simulation.room import Room
from detente.units import US_PER_S

BOOK = phrasebook()
OFFICER = {"officer": "ada", "desk": "operations-cell"}
ANSWERS = ("affirm", "negative", "wilco", "unable", "standby")
PRECEDENCES = ("flash", "urgent", "priority")


def one_day(seed: int, steps: int = 60) -> tuple[Room, list[SimNode], int]:
    """Two nodes that talk while they die, frames are lost and clocks disagree; and how often one died."""
    room, chance = Room(seed=seed), Chance(seed)
    nodes = room.nodes()
    crashes = 0
    for node in nodes:
        node.clock.offset_us = chance.between(-240, 240) * US_PER_S
        node.crash_at = lambda: chance.pick(("before", "after")) if chance.happens(50) else None

    def act(node: SimNode) -> None:
        what = chance.pick(("say", "say", "answer", "answer", "answer", "open", "due"))
        core, now_us = node.running, node.now_us()
        if what == "say":
            values = {
                "desk": "operations-cell",
                "language": "en",
                "precedence": chance.pick(PRECEDENCES),
                "text": f"Message {seed} {now_us}",
            }
            threads = sorted(core.state.talk.threads)
            thread = (
                conversation.find_thread(core, chance.pick(tuple(threads)))
                if threads and chance.happens(500)
                else None
            )
            node.run(
                lambda core: conversation.say_message(
                    core, values, thread, [], now_us, book=BOOK, exercise=True, **OFFICER
                )
            )
        elif what == "answer" and core.state.talk.messages:
            message = chance.pick(tuple(core.state.talk.messages))
            said = chance.pick(ANSWERS)
            node.run(
                lambda core: conversation.answer_message(
                    core, message, said, None, now_us, **OFFICER
                )
            )
        elif what == "open" and core.state.talk.threads:
            key = chance.pick(tuple(core.state.talk.threads))
            node.run(lambda core: (None, conversation.open_talk(core, key, now_us, **OFFICER)))
        elif what == "due":
            node.run(lambda core: (None, pass_deadlines(core, now_us)))

    for _ in range(steps):
        node = chance.pick(tuple(nodes))
        try:
            if chance.happens(500):
                exchange(chance, *nodes)
            else:
                act(node)
        except Crashed:
            pass
        except DetenteError:
            pass  # an answer out of turn, or a line that is down: said to the officer, and nothing happened
        for one in nodes:
            if one.core is None:
                crashes += 1
                one.start()
        room.wait(chance.between(0, 40))
    return room, nodes, crashes


def exchange(chance: Chance, one: SimNode, other: SimNode) -> None:
    """A frame and its answer, of which either may be lost."""
    data = one.write(other.name)
    if chance.happens(200):
        return
    answer = other.serve(data)
    if answer is not None and not chance.happens(200):
        one.take(answer)


def heal(room: Room, nodes: list[SimNode]) -> None:
    """End all faults and let everything arrive."""
    for node in nodes:
        node.crash_at = lambda: None
        node.start()
    for _ in range(20):
        room.wait(5)
        converse(*nodes)


def seen(node: SimNode) -> dict[str, Any]:
    """What a node holds of every message, its own clock left out."""
    talk = node.running.state.talk
    return {
        id_: (
            *(message.thread, message.party, message.to, message.text, message.state),
            *(message.received_us, message.due_us, message.stood_by),
            tuple((one.statement, one.party, one.answer, one.late) for one in message.answers),
        )
        for id_, message in talk.messages.items()
    }


@pytest.mark.parametrize("seed", range(1, 21))
def test_talk_under_faults_is_the_same_on_both_sides(seed: int) -> None:
    """Deaths at commits, lost frames and clocks that disagree leave both sides with the same messages, answers and due times."""
    room, nodes, _ = one_day(seed)
    heal(room, nodes)
    one, other = (seen(node) for node in nodes)
    assert one == other
    for node in nodes:
        assert node.running.state.talk.early == {}
        refused = [
            raised for raised in node.running.state.raised.values() if raised.kind == "refused"
        ]
        assert refused == []
        assert views.projection(node.load()) == views.projection(node.running)


def test_talk_under_faults_does_talk_and_does_fail() -> None:
    """The days above are worth playing: messages, answers, standbys, deadlines that pass and deaths all happen."""
    messages = answers = standbys = passed = deaths = 0
    for seed in range(1, 9):
        room, nodes, crashes = one_day(seed)
        heal(room, nodes)
        state = nodes[0].running.state
        messages += len(state.talk.messages)
        answers += sum(len(one.answers) for one in state.talk.messages.values())
        standbys += sum(one.stood_by for one in state.talk.messages.values())
        passed += len(state.passed)
        deaths += crashes
    assert min(messages, answers, standbys, passed, deaths) > 3, (
        messages,
        answers,
        standbys,
        passed,
        deaths,
    )


def test_answer_brought_back_before_its_message_finds_it() -> None:
    """A node restored from an old backup gets its own answer back before the message it answers, and ends where it was."""
    room = Room()
    north, south = room.nodes()
    heal(room, [north, south])
    backup = south.disk.snapshot()
    values = {"desk": "x", "language": "en", "precedence": "urgent", "text": "Where are you?"}
    north.run(
        lambda core: conversation.say_message(
            core, values, None, [], north.now_us(), book=BOOK, exercise=True, **OFFICER
        )
    )
    heal(room, [north, south])
    (message,) = south.running.state.talk.messages
    south.run(
        lambda core: conversation.answer_message(
            core, message, "standby", None, south.now_us(), **OFFICER
        )
    )
    south.run(
        lambda core: conversation.answer_message(
            core, message, "wilco", None, south.now_us(), **OFFICER
        )
    )
    heal(room, [north, south])
    before = seen(south)
    south.restore(backup)
    with contextlib.suppress(DetenteError):
        heal(room, [north, south])
    south.act(lambda core: start_recovery(core, south.now_us()))
    heal(room, [north, south])
    assert seen(south) == before == seen(north)
    assert south.running.state.talk.early == {}
    assert views.projection(south.load()) == views.projection(south.running)

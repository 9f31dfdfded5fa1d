"""Cease requests and emergencies: asked, answered, moved up desk by desk, timed by both ledgers."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import msgspec
import pytest

from detente.agreement.terms import Terms
from detente.errors import DetenteError, RefusedError, UsageError
from detente.hotline.cease import CEASE_MOVES, Moment, elapsed
from detente.protocol import alarms, cease, views
from detente.protocol.statement import Thread
from detente.protocol.urgent import Urgent, next_step_due, take_steps
from detente.simulation.node import SimNode, converse
from detente.simulation.party import make_agreement
from detente.simulation.room import Room
from detente.units import US_PER_S, format_time

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


def ask(node: SimNode, **more: Any) -> None:
    """Ask everybody to cease."""
    node.run(
        lambda core: cease.ask_cease(
            core, {"reason": "own people there"}, [], node.now_us(), exercise=True, **ADA, **more
        )
    )


def reply(node: SimNode, said: str, id_: str | None = None) -> Urgent:
    """Answer the only request there is."""
    wanted = id_ or only(node).id
    return node.run(lambda core: cease.reply_to_cease(core, wanted, said, node.now_us(), **ADA))


def effective(node: SimNode) -> None:
    """Say that it has ceased."""
    node.run(lambda core: cease.cease_effective(core, only(node).id, node.now_us(), **ADA))


def only(node: SimNode) -> Urgent:
    """The only urgent matter of a node."""
    (found,) = node.running.state.urgent.known.values()
    return found


def escalate(*nodes: SimNode) -> None:
    """Let both look at their clocks."""
    for node in nodes:
        node.run(lambda core: (None, cease.escalate(core, node.now_us())))  # noqa: B023


def alarm(node: SimNode) -> alarms.AlarmRow:
    """The alarm of the only urgent matter."""
    (found,) = alarms.alarm_rows(node.running, (), node.now_us())
    return found


def test_cease_answered_by_any_officer_is_known_on_both_sides(two: Two) -> None:
    """H-CEA-1: no contact is named; whoever sits there answers, and both sides know the same."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    assert alarm(south).rank == 0
    reply(south, "ceasing")
    talk(room, north, south)
    for node in two[1:]:
        found = only(node)
        assert (found.status, [one.move for one in found.replies]) == ("ceasing", ["ceasing"])
        assert next_step_due(node.running.state) is None
    assert north.alerts["cease-answered"] == 1
    effective(south)
    talk(room, north, south)
    assert only(north).status == only(south).status == "effective"
    assert alarm(south).over is True


def test_cease_is_answered_only_by_who_was_asked(two: Two) -> None:
    """H-CEA-1: who asked cannot answer itself, and an unknown request cannot be answered."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    with pytest.raises(UsageError, match="said to us"):
        reply(north, "ceasing")
    with pytest.raises(UsageError, match="must be the id"):
        reply(south, "ceasing", "f" * 64)
    id_ = only(north).id
    with pytest.raises(RefusedError) as refused:
        north.run(
            lambda core: core.say(
                *("hotline/cease-reply", {"desk": "d", "reply": "ceasing"}, [], north.now_us()),
                officer="o",
                desk="d",
                exercise=True,
                thread=Thread(id_, "cease", 1),
            )
        )
    assert refused.value.code == "cease-unknown"


def test_cease_of_third_party_cannot_be_answered_to_another() -> None:
    """H-CEA-1: each copy is a matter between two; its answer goes to who asked."""
    room = Room(parties=3)
    north, south, east = room.nodes()
    for _ in range(2):
        for pair in ((north, south), (north, east), (south, east)):
            talk(room, *pair)
    ask(north)
    talk(room, north, south)
    assert len(north.running.state.urgent.known) == 2
    id_ = only(south).id
    with pytest.raises(RefusedError) as refused:
        south.run(
            lambda core: core.say(
                "hotline/cease-reply",
                {"desk": "d", "reply": "cannot"},
                ["east"],
                south.now_us(),
                officer="o",
                desk="d",
                exercise=True,
                thread=Thread(id_, "cease", 1),
            )
        )
    assert refused.value.code == "cease-of-another"


@pytest.mark.parametrize("status", ["ceasing", "cannot", "not-us", "effective"])
@pytest.mark.parametrize("move", ["ceasing", "cannot", "not-us", "effective"])
def test_cease_move_outside_the_table_is_refused(two: Two, status: str, move: str) -> None:
    """What the table does not have is refused here, before the peer would."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    effective(south) if status == "effective" else reply(south, status)
    allowed = (status, move) in CEASE_MOVES
    with nullcontext() if allowed else pytest.raises(RefusedError, match="is said of what is"):
        effective(south) if move == "effective" else reply(south, move)
    talk(room, north, south)
    assert only(north).status == only(south).status
    assert north.running.state.alarms == south.running.state.alarms == []


def test_cease_answered_while_the_line_is_cold_counts_its_waiting_answer(two: Two) -> None:
    """An answer that waits for the line is an answer: the same one again is refused, and nothing is lost."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    south.crash()
    south.start()
    reply(south, "ceasing")
    with pytest.raises(RefusedError):
        reply(south, "ceasing")
    effective(south)
    talk(room, north, south)
    assert [one.move for one in only(north).replies] == ["ceasing", "effective"]


def test_cease_unanswered_moves_up_once_at_each_step_on_both_sides(two: Two) -> None:
    """H-CEA-2: 30, 60 and 120 s after it was received the next desk is called; each step is one entry."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    room.wait(29)
    escalate(north, south)
    assert (only(north).step, only(south).step) == (0, 0)
    for seconds, step, desk in (
        (1, 1, "general-staff"),
        (30, 2, "leaders"),
        (60, 3, "diplomatic"),
        (9_999, 3, "diplomatic"),
    ):
        room.wait(seconds)
        escalate(north, south, north, south)
        for node in (north, south):
            assert (only(node).status, only(node).step, only(node).desk) == (
                "escalated",
                step,
                desk,
            )
        assert (alarm(south).step, alarm(south).desk) == (step, desk)
    assert north.alerts["escalated"] == south.alerts["escalated"] == 3
    reply(south, "not-us")
    talk(room, north, south)
    assert only(north).status == only(south).status == "not-us"


def test_step_up_makes_a_seen_alarm_unseen(two: Two) -> None:
    """H-CEA-2: who acknowledged the alarm saw a request at a lower desk; the step sounds anew."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    id_ = alarm(south).id
    south.act(lambda core: alarms.acknowledge(core, [id_], (), south.now_us(), role="watch", **ADA))
    assert alarm(south).acknowledged is not None
    at = south.running.tree.size
    room.wait(31)
    escalate(south)
    (again,) = alarms.alarm_rows(south.running, (), south.now_us(), since=at)
    assert (again.id, again.acknowledged) == (id_, None)
    assert alarms.count_alarms(south.running, (), south.now_us()).emergency == 1
    assert views.projection(south.load()) == views.projection(south.running)


@pytest.mark.parametrize("jump_s", [3_600, -3_600])
def test_clock_that_jumps_takes_each_step_once(two: Two, jump_s: int) -> None:
    """H-CEA-2: forward it takes each due step once and in order; back it takes none again and undoes none."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    room.wait(31)
    escalate(south)
    south.clock.offset_us = jump_s * US_PER_S
    escalate(south, south)
    assert only(south).step == (3 if jump_s > 0 else 1)
    south.clock.offset_us = 0
    room.wait(200)
    escalate(south, south)
    assert (only(south).step, south.alerts["escalated"]) == (3, 3)


def test_restart_takes_the_steps_that_came_due_meanwhile(two: Two) -> None:
    """H-CEA-2: a node that was down finds at its start what nobody answered, once."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    room.wait(31)
    escalate(south)
    south.crash()
    room.wait(60)
    south.start()
    escalate(south, south)
    assert (only(south).step, south.alerts["escalated"]) == (2, 2)


def test_cease_clocks_run_in_both_ledgers_though_clocks_disagree(two: Two) -> None:
    """H-CEA-3: to the first reply and to effective, by the asker's ledger and by the receiver's, the same on both sides."""
    room, north, south = two
    south.clock.offset_us = -7_200 * US_PER_S
    ask(north)
    talk(room, north, south)
    room.wait(10)
    escalate(north, south)
    assert only(north).step == 0
    reply(south, "ceasing")
    talk(room, north, south, seconds=3)
    room.wait(20)
    effective(south)
    talk(room, north, south, seconds=3)
    here, there = only(north), only(south)
    first, end = here.first_reply, here.effective
    assert first is not None
    assert end is not None
    assert (here.asked, [one.when for one in here.replies]) == (
        there.asked,
        [one.when for one in there.replies],
    )
    replied, stopped = elapsed(here.asked, first.when), elapsed(here.asked, end.when)
    assert replied is not None
    assert stopped is not None
    assert replied.asker_s == pytest.approx(10.3, abs=0.5)
    assert replied.receiver_s == pytest.approx(10.3, abs=0.5)
    assert stopped.asker_s == pytest.approx(39.3, abs=0.5)
    assert stopped.receiver_s == pytest.approx(39.3, abs=0.5)
    assert elapsed(Moment(1, 1), None) is None


def test_request_refused_by_the_peer_moves_nothing_up(two: Two) -> None:
    """What the peer did not take cannot be unanswered; its refusal is the alarm."""
    room, north, south = two
    agreements = south.running.state.agreements
    for id_, agreement in agreements.items():
        agreements[id_] = msgspec.structs.replace(agreement, terms=Terms(exercise_only=True))
    north.run(
        lambda core: cease.ask_cease(
            core, {"reason": "x"}, [], north.now_us(), exercise=False, **ADA
        )
    )
    talk(room, north, south)
    assert only(north).counted_from_us is None
    assert next_step_due(north.running.state) is None
    assert alarm(north).kind == "refused"


def test_cease_about_a_conflict_or_notice_unknown_is_refused(two: Two) -> None:
    """A request belongs to something that is in this record, or to nothing."""
    with pytest.raises(UsageError, match="must be a notice or a conflict"):
        ask(two[1], about="north:NO-SUCH")


# -- emergencies -----------------------------------------------------------------------------------


def emergency(node: SimNode, **values: Any) -> None:
    """Tell everybody of an emergency."""
    body = {
        "kind": "aircraft-down",
        "at": "2018-09-17T12:00:00Z",
        "place": {"lat": 35_000_000_000, "lon": 35_000_000_000},
        **values,
    }
    node.run(lambda core: cease.say_emergency(core, body, [], node.now_us(), exercise=True, **ADA))


def test_emergency_sounds_moves_up_and_is_answered(two: Two) -> None:
    """H-CEA-1, H-CEA-2: the highest rank; unanswered it moves up; any answer ends that, and more may follow."""
    room, north, south = two
    emergency(south, text="search under way")
    talk(room, north, south)
    found = alarm(north)
    assert (found.kind, found.rank, found.code) == ("emergency", 0, "aircraft-down")
    assert found.message == "aircraft-down · search under way"
    room.wait(31)
    escalate(north, south)
    assert (alarm(north).step, only(south).step) == (1, 1)
    for said in ("heard", "assisting"):
        north.run(
            lambda core: cease.reply_to_emergency(
                core,
                only(north).id[:12],
                said,  # noqa: B023
                north.now_us(),
                **ADA,
            )
        )
    talk(room, north, south)
    assert [one.move for one in only(south).replies] == ["heard", "assisting"]
    assert only(south).status == "answered"
    room.wait(999)
    escalate(north, south)
    assert only(north).step == 1


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "war"},
        {"at": "yesterday"},
        {"place": "off the coast"},
        {"place": {"lat": 91_000_000_000, "lon": 0}},
        {"place": {"lat": 0, "lon": True}},
        {"place": {"lat": 0, "lon": 0, "name": "x"}},
        {"text": ""},
    ],
)
def test_emergency_of_wrong_form_is_refused(two: Two, values: dict[str, Any]) -> None:
    """Kind, time and place are values that both sides read alike; words of a place are no place."""
    with pytest.raises(RefusedError):
        emergency(two[1], **values)


def test_emergency_without_a_known_place_is_taken(two: Two) -> None:
    """Nobody may have to know where before saying that somebody is in distress."""
    room, north, south = two
    emergency(north, kind="distress", place=None)
    talk(room, north, south)
    assert alarm(south).kind == "emergency"


# -- desks -----------------------------------------------------------------------------------------


def test_steps_past_the_highest_desk_call_it_again() -> None:
    """An agreement with fewer desks than steps calls its highest desk at each."""
    room = Room(terms=Terms(desks=["cell", "staff"], escalation_s=[5, 10, 20]))
    north, south = room.nodes()
    talk(room, north, south)
    ask(north)
    talk(room, north, south)
    room.wait(30)
    escalate(south)
    assert (only(south).step, only(south).desk) == (3, "staff")


def test_answer_recovered_before_its_request_still_counts(two: Two) -> None:
    """A restored node gets its own answer back first and the request after it; both stand in the end."""
    from detente.protocol.incoming import start_recovery

    room, north, south = two
    snapshot = south.disk.snapshot()
    ask(north)
    talk(room, north, south)
    reply(south, "ceasing")
    talk(room, north, south)
    south.restore(snapshot)
    for _ in range(4):
        talk(room, north, south)
    south.act(lambda core: start_recovery(core, south.now_us()))
    for _ in range(6):
        talk(room, north, south)
    assert only(south).status == only(north).status == "ceasing"
    assert next_step_due(south.running.state) is None


def test_urgent_matters_survive_a_rebuild(two: Two) -> None:
    """What was asked, answered and moved up is what the ledger says, read anew."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    room.wait(70)
    escalate(north, south)
    reply(south, "cannot")
    talk(room, north, south)
    for node in (north, south):
        assert views.projection(node.load()) == views.projection(node.running)


def test_wrong_reply_word_is_refused_by_its_rule(two: Two) -> None:
    """A reply is one of three words."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    with pytest.raises(DetenteError, match="must be ceasing or cannot or not-us"):
        reply(south, "perhaps")


def test_flood_of_requests_moves_up_a_few_at_a_time_and_none_twice(two: Two) -> None:
    """However many are due, one transaction takes a bounded number of steps, in order of time, and the rest is still due."""
    room, north, south = two
    for _ in range(5):
        ask(north)
        room.wait(1)
    talk(room, north, south)
    room.wait(500)
    found: list[tuple[str, int]] = []
    for most in (4, 4, 4, 4):
        taken = south.run(lambda core: (take_steps(core, south.now_us(), most), []))  # noqa: B023
        assert [one.due_us for one in taken] == sorted(one.due_us for one in taken)
        found += [(one.urgent, one.number) for one in taken]
    assert len(found) == len(set(found)) == 15
    assert next_step_due(south.running.state) is None


def test_refused_request_is_an_alarm_of_who_refused_it(two: Two) -> None:
    """H-CEA-4: a request that a rule refuses is told to the officers all the same: once, with the rule."""
    room, north, south = two
    agreements = south.running.state.agreements
    for id_, agreement in agreements.items():
        agreements[id_] = msgspec.structs.replace(agreement, terms=Terms(exercise_only=True))
    north.run(
        lambda core: cease.ask_cease(
            core, {"reason": "x"}, [], north.now_us(), exercise=False, **ADA
        )
    )
    talk(room, north, south)
    assert south.running.state.urgent.known == {}
    assert [one.code for one in south.running.state.alarms] == ["urgent-refused"]


def test_urgent_matter_under_an_agreement_not_yet_accepted_is_taken_flagged_and_moves_up() -> None:
    """H-CEA-5: while an agreement is replaced, who has accepted first is heard, answered and moved up by the one in force."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    newer = make_agreement(room.parties, room.timeline.now_us, Terms(escalation_s=(5, 10)))
    north.act(lambda core: core.accept_agreement(newer, north.now_us()))
    ask(north)
    talk(room, north, south)
    receipt = south.running.state.receipts[only(south).id]
    assert (receipt.answer, receipt.flags) == ("delivered", ["agreement-unknown"])
    assert only(north).agreement not in south.running.state.agreements
    assert next_step_due(south.running.state) is not None
    room.wait(31)
    escalate(north, south)
    assert only(south).step == 1
    reply(south, "ceasing")
    talk(room, north, south)
    assert only(north).status == only(south).status == "ceasing"
    north.run(
        lambda core: cease.say_emergency(
            core,
            {"kind": "distress", "place": None, "at": format_time(north.now_us())},
            [],
            north.now_us(),
            exercise=True,
            **ADA,
        )
    )
    talk(room, north, south)
    assert [one.kind for one in south.running.state.urgent.known.values()] == ["cease", "emergency"]
    assert views.projection(south.load()) == views.projection(south.running)


def test_clock_set_back_postpones_no_step_up(two: Two) -> None:
    """H-CEA-6: what the clock went back is not waited for a second time, and once taken into account stays so."""
    room, north, south = two
    ask(north)
    talk(room, north, south)
    south.clock.offset_us -= 3600 * US_PER_S
    escalate(south)
    assert only(south).step == 0
    room.wait(31)
    escalate(south)
    assert only(south).step == 1
    south.crash()
    south.start()
    south.clock.offset_us -= 3600 * US_PER_S
    escalate(south)
    room.wait(31)
    escalate(south)
    assert only(south).step == 2
    entries = [entry.header.type for entry, *_ in south.running.journal.replay()]
    assert entries.count("clock/set-back") == 2
    assert views.projection(south.load()) == views.projection(south.running)


def test_clock_set_back_while_nothing_is_urgent_changes_nothing(two: Two) -> None:
    """H-CEA-6: a request that comes after the clock was set counts from then by the new clock."""
    room, north, south = two
    south.clock.offset_us -= 3600 * US_PER_S
    ask(north)
    talk(room, north, south)
    room.wait(25)
    escalate(south)
    assert only(south).step == 0
    room.wait(6)
    escalate(south)
    assert only(south).step == 1

"""Advice in the record, and proposals: the same on both sides, answered once, kept or not."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Circle
from detente.airspace.volume import build_volume
from detente.conflict.advice import apply_move
from detente.errors import DetenteError
from detente.hotline.resolution import PROPOSAL_ANSWERS, PROPOSAL_MOVES, PROPOSAL_STATES
from detente.limits import PROPOSALS_OPEN
from detente.notice.activity import ActivityNotice, build_notice
from detente.protocol import resolution, resolving, views
from detente.protocol.advising import find_conflict, private_advice, shared_advice
from detente.protocol.alarms import alarm_rows
from detente.protocol.asset import note_asset
from detente.protocol.deadlines import next_due, pass_deadlines
from detente.protocol.resolving import ProposalRow, proposal_rows
from detente.protocol.rules import TYPES
from detente.protocol.statement import Thread
from detente.signing.canonical import encode_canonical
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S

Two = tuple[Room, SimNode, SimNode]
WHO = {"officer": "ada", "desk": "operations-cell"}
HOUR = 3600


def circle(
    name: str,
    east_nm: float = 0,
    floor_ft: int = 5_000,
    at_s: int = 10 * HOUR,
    exercise: bool = True,
) -> ActivityNotice:
    """A circle of 5 NM for an hour."""
    piece = build_volume(
        Circle((round((-35 + east_nm / 60) * NANODEG_PER_DEG), 0), 5 * TENTH_MM_PER_NM),
        "planar",
        build_altitude(floor_ft * TENTH_MM_PER_FT, "ft", "MSL", field="lower"),
        build_altitude((floor_ft + 5_000) * TENTH_MM_PER_FT, "ft", "MSL", field="upper"),
        START_US + at_s * US_PER_S,
        START_US + (at_s + HOUR) * US_PER_S,
        field="pieces[0]",
    )
    return build_notice(name=name, exercise=exercise, activity="patrol", pieces=(piece,))


def file(node: SimNode, one: ActivityNotice, *to: str, amend: bool = False) -> None:
    """File a notice."""
    node.run(lambda core: core.file_notice(one, to, node.now_us(), amend=amend, **WHO))


def talk(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        for i, one in enumerate(nodes):
            for other in nodes[i + 1 :]:
                converse(one, other)
        room.wait(1)


@pytest.fixture
def two() -> Two:
    """North and south with a conflict: A-1 and B-1 overlap for forty minutes."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(north, circle("A-1"))
    talk(room, north, south)
    file(south, circle("B-1", 3, 6_000, 10 * HOUR + 1200))
    talk(room, north, south)
    return room, north, south


def conflict(node: SimNode) -> str:
    """The only live conflict."""
    (one,) = (
        c.id for c in node.running.state.conflicts.values() if c.live(node.running.state.notices)
    )
    return one


def advice_bytes(node: SimNode, id_: str | None = None) -> bytes:
    """The shared advice as canonical JSON."""
    core = node.running
    return encode_canonical(
        shared_advice(core, find_conflict(core, id_ or conflict(node))).record()
    )


def propose(node: SimNode, option: str = "north/later", **more: Any) -> None:
    """Propose an option of the shared advice."""
    id_ = conflict(node)
    node.run(lambda core: resolving.propose(core, id_, option, node.now_us(), **WHO, **more))


def answer(node: SimNode, said: Any, proposal: str | None = None, **more: Any) -> None:
    """Answer the last proposal."""
    about = proposal or list(node.running.state.resolution.known)[-1]
    node.run(
        lambda core: resolving.answer_proposal(core, about, said, node.now_us(), **WHO, **more)
    )


def rows(node: SimNode) -> list[ProposalRow]:
    """All proposals as a console shows them."""
    return proposal_rows(node.running)


def states(*nodes: SimNode) -> list[list[str]]:
    """The states of all proposals on each side."""
    return [[row.state for row in rows(node)] for node in nodes]


def check_rebuilt(*nodes: SimNode) -> None:
    """Folding the ledger again gives the same state."""
    for node in nodes:
        assert views.projection(node.load()) == views.projection(node.running)


def alarms(node: SimNode) -> list[tuple[str, bool]]:
    """Alarms of proposals, and whether they are over."""
    return [
        (row.kind, row.over)
        for row in alarm_rows(node.running, [], node.now_us())
        if row.kind == "proposal"
    ]


def say(
    node: SimNode, type_: str, values: Any, thread: Thread | None = None, exercise: bool = True
) -> None:
    """Say something past the checks of our own officers."""
    thread = thread or Thread(conflict(node), "conflict", 1)
    to = next(iter(node.running.state.peers))
    node.run(
        lambda core: core.say(
            type_, values, [to], node.now_us(), exercise=exercise, thread=thread, **WHO
        )
    )


def rule(act: Any) -> str:
    """The rule by which something is refused."""
    with pytest.raises(DetenteError) as caught:
        act()
    return caught.value.code


def proposal_values(node: SimNode, **other: Any) -> dict[str, Any]:
    """The body of a proposal, with members put in its place."""
    record = node.running.state.conflicts[conflict(node)].record
    return {
        "moves": [
            {
                "notice": "north:A-1",
                "later_us": 60 * US_PER_S,
                "higher_tenth_mm": 0,
                "aside_tenth_mm": 0,
                "bearing_tenth_deg": 0,
            }
        ],
        "notices": record["notices"],
        "option": "north/later",
        "precedence": "routine",
        **other,
    }


# -- advice ----------------------------------------------------------------------------------------


def test_both_nodes_compute_the_same_bytes(two: Two) -> None:
    """A-PRI-1: of what both hold, both compute the same advice, and each of its options is clear."""
    _, north, south = two
    assert advice_bytes(north) == advice_bytes(south)
    advice = shared_advice(north.running, find_conflict(north.running, conflict(north)[:8]))
    assert {option.key for option in advice.options} >= {"north/earlier", "south/later", "south/up"}


def test_further_notices_of_both_count_once_both_hold_them(two: Two) -> None:
    """A-PRI-1: a notice counts when its receipt is there; then it is in the advice of both."""
    room, north, south = two
    before = advice_bytes(north)
    file(south, circle("B-2", 0, 5_000, 7 * HOUR))
    assert advice_bytes(south) == before  # nobody else has it yet
    talk(room, north, south)
    file(north, circle("A-2", 0, 30_000))
    talk(room, north, south)
    assert advice_bytes(north) == advice_bytes(south) != before
    assert b"south:B-2" in advice_bytes(north)
    file(south, circle("B-3", 0, 5_000, 7 * HOUR, exercise=False))
    talk(room, north, south)
    assert b"south:B-3" not in advice_bytes(north)
    south.run(lambda core: core.cancel_notice("south:B-2", "done", south.now_us(), **WHO))
    talk(room, north, south)
    assert b"south:B-2" not in advice_bytes(north) == advice_bytes(south)


def test_a_third_party_changes_nothing_in_it_and_is_told_to_one_officer() -> None:
    """A-PRI-1, A-PRI-2: a third party's notice changes no byte of the shared advice; the own officer alone learns that an option would meet it, and what would not."""
    room = Room(3)
    one, two, third = room.nodes()
    names = [node.name for node in (one, two, third)]
    talk(room, one, two, third)
    file(one, circle("A-1"))
    file(two, circle("B-1", 3, 6_000, 10 * HOUR + 1200))
    talk(room, one, two, third)
    before = advice_bytes(one)
    key = f"{names[0]}/earlier"
    core = one.running
    found = private_advice(
        core,
        find_conflict(core, conflict(one)),
        shared_advice(core, find_conflict(core, conflict(one))),
        one.now_us(),
    )
    assert (found.counted, found.in_the_way, found.options) == (0, [], [])
    file(third, circle("C-1", 0, 5_000, 8 * HOUR + 1800), names[0])
    talk(room, one, two, third)
    wanted = next(
        c
        for c in one.running.state.conflicts.values()
        if {side["id"] for side in c.record["notices"]} == {f"{names[0]}:A-1", f"{names[1]}:B-1"}
    )
    size = one.running.tree.size
    advice = shared_advice(one.running, wanted)
    assert encode_canonical(advice.record()) == before == advice_bytes(two)
    found = private_advice(one.running, wanted, advice, one.now_us())
    assert (key, [f"{names[2]}:C-1"]) in [(row.option, row.notices) for row in found.in_the_way]
    assert found.counted == 1
    assert {option.key.partition("/")[0] for option in found.options} == {names[0]}
    assert all(option not in found.options for option in advice.options if option.key == key)
    assert one.running.tree.size == size
    for entry, _, _statement, openings in two.running.journal.replay():
        assert f"{names[2]}:C-1" not in f"{entry.local}{openings}"


def test_own_asset_that_an_option_comes_near_is_told_to_the_own_officer(two: Two) -> None:
    """A-PRI-2: a move sideways that brings the peer's notice to an own asset is marked here, and in nothing that is said or computed together."""
    _, north, south = two
    core = north.running
    found = find_conflict(core, conflict(north))
    advice = shared_advice(core, found)
    before = encode_canonical(advice.record())
    option = next(one for one in advice.options if one.key == "south/aside")
    volumes = core.volumes("south:B-1")
    assert volumes is not None
    center = apply_move(volumes, option.moves[0]).pieces[0].geometry
    assert isinstance(center, Circle)
    # inside of where it would be, on the side that is far from where it is
    start = volumes.pieces[0].geometry
    assert isinstance(start, Circle)
    way = [b + (b - a) // 4 for a, b in zip(start.center, center.center, strict=True)]
    place = {"lat": way[1], "lon": way[0]}
    north.run(
        lambda core: (
            note_asset(core, "mast", "radar", place, 60, north.now_us(), officer="ada"),
            [],
        )
    )
    private = private_advice(core, found, advice, north.now_us())
    assert [(row.option, row.assets) for row in private.near_own if row.option == option.key] == [
        ("south/aside", ["mast"])
    ]
    assert advice_bytes(north) == before == advice_bytes(south)


def test_advice_waits_for_what_the_other_side_has_not_got(two: Two) -> None:
    """A-PRI-1: of a version that is under way nothing can be computed that the other side could check."""
    room, north, south = two
    file(north, circle("A-1", 1), amend=True)
    assert rule(lambda: advice_bytes(north)) == "advice-waits"
    talk(room, north, south)
    assert advice_bytes(north) == advice_bytes(south)
    old = next(c.id for c in north.running.state.conflicts.values() if c.resolved)
    assert rule(lambda: advice_bytes(north, old)) == "conflict-resolved"
    assert rule(lambda: advice_bytes(north, "ffffff")) == "conflict-unknown"


# -- proposals -------------------------------------------------------------------------------------


def test_proposal_accepted_and_done_is_kept_on_both_sides(two: Two) -> None:
    """A-RES-3, A-RES-5, A-RES-6: proposed, an alarm until it is answered; accepted, nothing has moved; the mover files exactly that amendment, and both nodes find it kept."""
    room, north, south = two
    propose(north, "south/later", precedence="urgent", text="could you?")
    talk(room, north, south)
    assert states(north, south) == [["proposed"], ["proposed"]]
    assert alarms(south) == [("proposal", False)]
    assert alarms(north) == []
    assert rows(south)[0].ours_to_answer
    assert not rows(north)[0].ours_to_answer
    assert rows(north)[0].due == rows(south)[0].due is not None
    before = south.running.volumes("south:B-1")
    answer(south, "accept")
    talk(room, north, south)
    assert states(north, south) == [["accepted"], ["accepted"]]
    assert alarms(south) == [("proposal", True)]
    assert south.running.volumes("south:B-1") == before
    assert rows(south)[0].ours_to_keep == "south:B-1"
    assert rows(north)[0].ours_to_keep is None
    assert rows(north)[0].kept_due == rows(south)[0].kept_due is not None
    (proposal,) = south.running.state.resolution.known
    assert (
        rule(
            lambda: north.run(
                lambda core: resolving.amend_as_accepted(core, proposal, north.now_us(), **WHO)
            )
        )
        == "nothing-to-amend"
    )
    south.run(lambda core: resolving.amend_as_accepted(core, proposal[:8], south.now_us(), **WHO))
    talk(room, north, south)
    assert states(north, south) == [["kept"], ["kept"]]
    assert not any(
        c.live(north.running.state.notices) for c in north.running.state.conflicts.values()
    )
    moved = south.running.volumes("south:B-1")
    assert moved is not None
    assert before is not None
    assert moved.start_us - before.start_us == rows(south)[0].moves[0].later_us
    assert (next_due(north.running.state), next_due(south.running.state)) is not None
    assert not [
        o
        for o in north.running.state.owed.values()
        if "proposal" in o.expected or "kept" in o.expected
    ]
    check_rebuilt(north, south)


def test_cancellation_of_either_notice_keeps_the_promise(two: Two) -> None:
    """A-RES-5: where one of the two is cancelled nothing has to move any more, on both sides."""
    room, north, south = two
    propose(north, "south/later")
    talk(room, north, south)
    answer(south, "accept")
    talk(room, north, south)
    north.run(lambda core: core.cancel_notice("north:A-1", "done", north.now_us(), **WHO))
    talk(room, north, south)
    assert states(north, south) == [["kept"], ["kept"]]
    check_rebuilt(north, south)


def test_both_moved_is_kept_only_when_both_have(two: Two) -> None:
    """A-RES-5: where both give way each owes its own amendment, and it is kept when the two are clear."""
    room, north, south = two
    propose(north, "both/south-later")
    talk(room, north, south)
    answer(south, "accept")
    talk(room, north, south)
    owed = sorted(
        (o.expected, o.by)
        for o in north.running.state.owed.values()
        if o.expected.startswith("kept")
    )
    assert owed == [("kept-answerer", "south"), ("kept-proposer", "north")]
    (proposal,) = north.running.state.resolution.known
    for node, state in ((north, "accepted"), (south, "kept")):
        node.run(
            lambda core, node=node: resolving.amend_as_accepted(
                core, proposal, node.now_us(), **WHO
            )
        )
        talk(room, north, south)
        assert states(north, south) == [[state], [state]]
    check_rebuilt(north, south)


def test_decline_and_counter_end_it_and_a_counter_is_a_proposal(two: Two) -> None:
    """A-RES-3: a counter answers the one and is the next, in the other direction; a decline ends it; nothing can be said twice."""
    room, north, south = two
    propose(north, "south/later")
    talk(room, north, south)
    answer(south, "counter", option="north/earlier", text="rather you")
    talk(room, north, south)
    assert states(north, south) == [["countered", "proposed"]] * 2
    first, second = rows(north)
    assert (second.party, second.counters, second.ours_to_answer) == ("south", first.id, True)
    assert alarms(north) == [("proposal", False)]
    answer(north, "decline", text="we cannot")
    talk(room, north, south)
    assert states(north, south) == [["countered", "declined"]] * 2
    assert rows(south)[1].answer_text == "we cannot"
    for proposal, node in ((first.id, south), (second.id, north)):
        for said in ("accept", "decline"):
            assert (
                rule(lambda node=node, said=said, one=proposal: answer(node, said, one))
                == "proposal-move"
            )
    check_rebuilt(north, south)


def test_unanswered_is_said_and_a_late_answer_is_taken(two: Two) -> None:
    """A-RES-4: past its due time the node says that no answer came, both sides show it unanswered, and an answer after that is taken."""
    room, north, south = two
    propose(north, "south/later", precedence="flash")
    talk(room, north, south)
    due_us = north.running.state.resolution.known[rows(north)[0].id].due_us
    assert due_us is not None
    room.wait((due_us - room.timeline.now_us) / US_PER_S + 1)
    for node in (north, south):
        node.run(lambda core, node=node: (None, pass_deadlines(core, node.now_us())))
    talk(room, north, south)
    assert states(north, south) == [["unanswered"], ["unanswered"]]
    passed = north.running.state.passed[f"proposal-answer:{rows(north)[0].id}"]
    assert passed.told is not None
    assert rows(south)[0].ours_to_answer
    answer(south, "accept")
    talk(room, north, south)
    assert states(north, south) == [["accepted"], ["accepted"]]
    check_rebuilt(north, south)


def test_promise_that_is_not_kept_in_time_shows_and_may_be_kept_late(two: Two) -> None:
    """A-RES-5: an amendment that has not come by its due time is shown as not kept, and signed so by whom it was owed to; kept after that, it is kept."""
    room, north, south = two
    propose(north, "south/later", precedence="flash")
    talk(room, north, south)
    answer(south, "accept")
    talk(room, north, south)
    room.wait(20 * HOUR / 10)
    for node in (north, south):
        node.run(lambda core, node=node: (None, pass_deadlines(core, node.now_us())))
    talk(room, north, south)
    assert states(north, south) == [["not-kept"], ["not-kept"]]
    assert any(
        p.told and p.expected == "kept-answerer" for p in south.running.state.passed.values()
    )
    (proposal,) = south.running.state.resolution.known
    south.run(lambda core: resolving.amend_as_accepted(core, proposal, south.now_us(), **WHO))
    talk(room, north, south)
    assert states(north, south) == [["kept"], ["kept"]]
    check_rebuilt(north, south)


@pytest.mark.parametrize("said", PROPOSAL_ANSWERS)
def test_answer_that_crosses_an_amendment_leaves_both_in_one_state(two: Two, said: str) -> None:
    """A-RES-1, A-RES-3: a notice amended while the answer was under way makes no honest answer refused, and both sides end alike."""
    room, north, south = two
    propose(north, "south/later")
    talk(room, north, south)
    more = {"option": "north/earlier"} if said == "counter" else {}
    answer(south, said, **more)
    file(north, circle("A-1", 0, 40_000), amend=True)  # clear of B-1
    talk(room, north, south)
    sides = states(north, south)
    assert sides[0] == sides[1]
    assert sides[0][0] == {"accept": "kept", "decline": "declined", "counter": "countered"}[said]
    assert sides[0][1:] == (["moot"] if said == "counter" else [])
    assert not south.alerts["refused"] + north.alerts["refused"]
    assert not [
        o for o in north.running.state.owed.values() if o.expected.startswith(("proposal", "kept"))
    ]
    check_rebuilt(north, south)


def test_proposal_about_what_has_changed_is_moot_and_cannot_be_accepted(two: Two) -> None:
    """A-RES-1, A-RES-4: a notice amended before the answer makes the proposal moot: nothing is owed, it is no alarm, and the own officer may not accept it any more."""
    room, north, south = two
    propose(north, "south/later")
    talk(room, north, south)
    file(south, circle("B-1", 4, 6_000, 10 * HOUR + 1200), amend=True)
    talk(room, north, south)
    assert states(north, south) == [["moot"], ["moot"]]
    assert alarms(south) == [("proposal", True)]
    assert not [o for o in north.running.state.owed.values() if o.expected == "proposal-answer"]
    (proposal,) = north.running.state.resolution.known
    assert rule(lambda: answer(south, "accept", proposal)) == "proposal-moot"
    # said past that rule, it is taken: the two nodes agree on what was said
    say(
        south,
        "resolution/answer",
        {"answer": "accept", "proposal": proposal},
        Thread(rows(south)[0].conflict, "conflict", 1),
    )
    talk(room, north, south)
    assert states(north, south) == [["accepted"], ["accepted"]]
    check_rebuilt(north, south)


def test_proposal_that_crosses_an_amendment_is_taken_as_moot(two: Two) -> None:
    """A-RES-1: a proposal about a version that its owner has replaced meanwhile is taken, and is moot on both sides."""
    room, north, south = two
    propose(north, "south/later")
    file(south, circle("B-1", 4, 6_000, 10 * HOUR + 1200), amend=True)
    talk(room, north, south)
    assert states(north, south) == [["moot"], ["moot"]]
    assert not south.alerts["refused"] + north.alerts["refused"]
    check_rebuilt(north, south)


def test_what_a_hostile_peer_proposes_is_refused_by_name(two: Two) -> None:
    """A-RES-1, A-RES-2: another's notice, another body, another conflict, a move of nothing, both kinds of thread: each is refused, and by the same rule on both sides."""
    room, north, south = two
    file(north, circle("A-9", 200))
    talk(room, north, south)
    record = north.running.state.conflicts[conflict(north)].record
    one, other = record["notices"]
    move = {
        "notice": "north:A-1",
        "later_us": 1,
        "higher_tenth_mm": 0,
        "aside_tenth_mm": 0,
        "bearing_tenth_deg": 0,
    }
    for rule_, wrong in {
        "move-of-another": {"moves": [{**move, "notice": "north:A-9"}]},
        "move-malformed": {"moves": [{**move, "later_us": 0}]},
        "proposal-wrong": {"notices": [one, {**other, "version": 2}]},
        "value-wrong": {"precedence": "now"},
    }.items():
        assert (
            rule(
                lambda wrong=wrong: say(
                    north, "resolution/proposal", proposal_values(north, **wrong)
                )
            )
            == rule_
        )
    for wrong in (
        {"moves": [move, move]},
        {"moves": []},
        {"moves": [move] * 3},
        {"moves": "all"},
        {"notices": [other, one]},
        {"notices": [one, one]},
        {"notices": [one]},
        {"notices": [{**one, "body": other["body"]}, other]},
        {"notices": [{**one, "more": 1}, other]},
        {"notices": None},
        {"option": "A b"},
        {"option": 7},
        {"text": "\x00"},
    ):
        assert rule(
            lambda wrong=wrong: say(north, "resolution/proposal", proposal_values(north, **wrong))
        ) in (
            "move-of-another",
            "move-malformed",
            "proposal-wrong",
            "value-wrong",
            "text-malformed",
        )
    assert (
        rule(
            lambda: say(
                north,
                "resolution/proposal",
                proposal_values(north),
                Thread("0" * 64, "conflict", 1),
            )
        )
        == "proposal-wrong"
    )
    assert (
        rule(
            lambda: say(
                north,
                "resolution/proposal",
                proposal_values(north),
                Thread("north:A-1", "notice", 1),
            )
        )
        == "thread-wrong"
    )
    assert (
        rule(lambda: say(north, "resolution/proposal", proposal_values(north), exercise=False))
        == "exercise-flip"
    )
    assert states(north, south) == [[], []]


def test_what_a_hostile_peer_answers_is_refused_by_name(two: Two) -> None:
    """A-RES-3: an answer to what is unknown, to one's own proposal, with a counter's members or without them, about other versions, in another thread: refused."""
    room, north, south = two
    propose(north, "south/later")
    talk(room, north, south)
    (proposal,) = north.running.state.resolution.known
    counter = proposal_values(south)
    good = {"answer": "accept", "proposal": proposal}
    for rule_, node, values, thread in (
        ("proposal-unknown", south, {**good, "proposal": "0" * 64}, None),
        ("proposal-unknown", north, good, None),
        ("proposal-unknown", south, good, Thread("0" * 64, "conflict", 1)),
        ("value-wrong", south, {**good, "answer": "perhaps"}, None),
        ("value-wrong", south, {**good, "proposal": 5}, None),
        ("answer-malformed", south, {**good, **counter}, None),
        ("answer-malformed", south, {**good, "answer": "counter"}, None),
        ("proposal-wrong", south, {**good, **counter, "answer": "counter", "notices": []}, None),
        (
            "move-of-another",
            south,
            {
                **good,
                **counter,
                "answer": "counter",
                "moves": [{**counter["moves"][0], "notice": "south:X"}],
            },
            None,
        ),
        ("exercise-flip", south, good, "real"),
        ("text-malformed", south, {**good, "text": ""}, None),
    ):
        flip = thread == "real"
        kind = None if flip else thread
        assert (
            rule(
                lambda node=node, values=values, kind=kind, flip=flip: say(
                    node, "resolution/answer", values, kind, exercise=not flip
                )
            )
            == rule_
        )
    assert states(north, south) == [["proposed"], ["proposed"]]


def test_no_more_proposals_than_an_officer_can_answer(two: Two) -> None:
    """A-RES-2: past sixteen that wait for an answer a further one is refused, and an answered one makes room."""
    room, north, south = two
    for _ in range(PROPOSALS_OPEN):
        propose(north, "south/later")
    assert rule(lambda: propose(north, "south/later")) == "proposals-many"
    talk(room, north, south)
    assert (
        rule(lambda: say(north, "resolution/proposal", proposal_values(north))) == "proposals-many"
    )
    answer(south, "decline")
    talk(room, north, south)
    propose(north, "south/later")
    talk(room, north, south)
    assert len(rows(south)) == PROPOSALS_OPEN + 1


def test_what_waits_for_the_line_is_shown_and_answered_once(two: Two) -> None:
    """A-RES-3: while the line is down a proposal and an answer wait, are shown as waiting, and a second answer is refused here."""
    room, north, south = two
    propose(north, "south/later")
    talk(room, north, south)
    south.crash()
    south.start()
    answer(south, "decline")
    assert rows(south)[0].answer_waits == "decline"
    assert not rows(south)[0].ours_to_answer
    assert rule(lambda: answer(south, "accept")) == "answer-waits"
    assert rule(lambda: propose(south, "nobody/later")) == "option-unknown"
    propose(south, "north/earlier")
    assert rows(south)[1].id.startswith("waiting:")
    talk(room, north, south)
    assert states(north, south) == [["declined", "proposed"]] * 2


def test_moves_of_the_table_commute_with_what_crosses_on_the_line() -> None:
    """A-RES-3, A-RES-5: an answer and a change of a notice, or a due time, taken in either order end in the same state."""
    for one in PROPOSAL_ANSWERS:
        for other in ("gone", "due-passed"):
            after = lambda s, m: PROPOSAL_MOVES.get((s, m), s)  # noqa: E731
            first = after(after("proposed", other), one)
            second = after("proposed", one)
            assert first == second
    assert {state for state, _ in PROPOSAL_MOVES} | set(PROPOSAL_MOVES.values()) == set(
        PROPOSAL_STATES
    )


def test_only_a_newer_version_makes_a_proposal_moot() -> None:
    """A-RES-4: a proposal that a recovery brings back before the version it is about still waits; with a newer one it is moot."""
    proposal = SimpleNamespace(
        notices=[{"id": "north:A", "version": 2, "body": "b2"}], state="proposed", statement="p"
    )
    latest = SimpleNamespace(number=1, body_digest="b1")
    state: Any = SimpleNamespace(
        notices={"north:A": SimpleNamespace(latest=latest)},
        resolution=SimpleNamespace(about={"north:A": ["p"]}, known={"p": proposal}),
        owed={},
        passed={},
    )
    for number, after in ((1, "proposed"), (2, "proposed"), (3, "moot")):
        latest.number, latest.body_digest = number, f"b{number}"
        resolution.superseded(state, "north:A", number)
        assert proposal.state == after


def test_types_are_as_the_page_says() -> None:
    """The rows of the page and the table of types agree."""
    page = (Path(__file__).parents[3] / "docs" / "spec" / "advice.md").read_text("utf-8")
    found = re.findall(
        r"^\| `(resolution/[a-z]+)` \| (\w+) \| (\w+) \| (\w+) \| ([^|]+) \| yes \|$",
        page,
        re.MULTILINE,
    )
    assert {row[0] for row in found} == {name for name in TYPES if name.startswith("resolution/")}
    for name, code, chain, thread, fields in found:
        type_ = TYPES[name]
        named = [field.strip() for field in fields.split(",")]
        assert (code, chain, (thread,)) == (type_.code, type_.chain, type_.kinds)
        assert {f for f in named if not f.endswith("?")} == set(type_.required)
        assert {f[:-1] for f in named if f.endswith("?")} == set(type_.optional)

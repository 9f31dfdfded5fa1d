"""The line's health: what the parties declare, what is observed, and the checks at their slots."""

from __future__ import annotations

from typing import Any

import pytest

from detente.agreement.terms import Terms, parse_terms
from detente.errors import DetenteError, RefusedError, UsageError
from detente.hotline.health import Slot, observe, slots_between, word_for
from detente.protocol import alarms, linestate, roster, views
from detente.protocol.core import Core
from detente.protocol.detour import is_urgent
from detente.protocol.effect import Detour, Effect
from detente.protocol.linestate import check_now, declare, declared_of, pass_checks, streak
from detente.protocol.statement import Thread, body_values
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import US_PER_S, format_time, parse_time

ADA = {"officer": "ada", "desk": "watch"}
TERMS = Terms(comm_checks=["12:10", "13:00"])  # the room begins at 12:00
FIRST, SECOND = "2018-09-17T12:10:00Z", "2018-09-17T13:00:00Z"
Two = tuple[Room, SimNode, SimNode]


@pytest.fixture
def two() -> Two:
    """North and south on an open line."""
    room = Room(terms=TERMS)
    north, south = room.nodes()
    talk(room, north, south)
    return room, north, south


def talk(room: Room, *nodes: SimNode, seconds: float = 0.1) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        converse(*nodes)
        room.wait(seconds)


def say(node: SimNode, said: Any, scope: str = "all", reason: str = "talks broke down") -> None:
    """Declare something of the line to the other."""
    (peer,) = node.running.state.peers
    node.run(lambda core: declare(core, peer, said, scope, reason, node.now_us(), **ADA))


def man(node: SimNode, **values: Any) -> None:
    """Say a roster: an ordinary statement that needs nothing else."""
    given = {
        "watch_desk": "cell",
        "languages": ["en", "ru"],
        "from_us": START_US,
        "until_us": START_US + 8 * 3600 * US_PER_S,
        **values,
    }
    node.run(lambda core: roster.say_roster(core, to=[], now_us=node.now_us(), **given, **ADA))


def look(node: SimNode, *alternates: str) -> list[str]:
    """Let a node look at its clock; the peers it wants to reach by the other path."""

    def job(core: Core) -> tuple[list[str], list[Effect]]:
        effects = pass_checks(core, node.now_us(), alternates)
        return [one.peer for one in effects if isinstance(one, Detour)], effects

    return node.run(job)


def at(room: Room, text: str, plus_s: float = 0) -> None:
    """Wait until a time."""
    room.wait((parse_time(text) - room.timeline.now_us) / US_PER_S + plus_s)


def slots(node: SimNode) -> list[tuple[str, str]]:
    """The streak to the only peer: slot and state."""
    (peer,) = node.running.state.peers
    return [(s.slot[11:16], s.state) for s in streak(node.running.state, peer, node.now_us())]


def standing(node: SimNode) -> list[tuple[str, str, str]]:
    """What stands of the line to the only peer, the latest first."""
    (peer,) = node.running.state.peers
    return [(one.by, one.scope, one.kind) for one in declared_of(node.running.state, peer)]


# -- declared ---------------------------------------------------------------------------------------


def test_line_declared_suspended_is_the_same_on_both_sides_until_resumed(two: Two) -> None:
    """H-LIN-1: each party's word of a scope stands until its own next word; both sides show the same."""
    room, north, south = two
    say(north, "suspended")
    talk(room, north, south)
    assert standing(north) == standing(south) == [("north", "all", "suspended")]
    (found,) = declared_of(south.running.state, "north")
    assert (found.reason, format_time(found.since_us)[:16]) == (
        "talks broke down",
        "2018-09-17T12:00",
    )
    assert south.alerts["line-suspended"] == 1
    room.wait(5)
    say(south, "fault", "talk", "no interpreter")
    say(north, "resumed")
    talk(room, north, south)
    assert standing(north) == standing(south) == [("south", "talk", "fault")]
    assert views.projection(south.load()) == views.projection(south.running)


def test_declarations_that_cross_mean_the_same_on_both_sides(two: Two) -> None:
    """H-LIN-1: each speaks for itself, so the order in which two words arrive decides nothing."""
    room, north, south = two
    say(north, "suspended")
    say(south, "fault", "all", "the mast is down")
    talk(room, north, south)
    say(north, "resumed")
    say(south, "suspended", "ordinary")
    talk(room, north, south)
    assert sorted(standing(north)) == sorted(standing(south))
    assert set(standing(north)) == {("south", "all", "fault"), ("south", "ordinary", "suspended")}
    say(south, "resumed", "all")
    talk(room, north, south)
    assert standing(north) == standing(south) == []


def test_resuming_what_nobody_suspended_is_refused(two: Two) -> None:
    """A word without its matter, or of a scope that the other party suspended, is refused by name."""
    room, north, south = two
    say(south, "suspended")
    talk(room, north, south)
    for scope in ("all", "talk"):
        with pytest.raises(RefusedError) as refused:
            say(north, "resumed", scope)
        assert refused.value.code == "line-move"


def test_declaring_twice_while_the_line_is_down_is_refused(two: Two) -> None:
    """What waits for the line was said: the same again would be refused by the peer."""
    _, north, _ = two
    north.crash()
    north.start()
    say(north, "suspended")
    with pytest.raises(RefusedError):
        say(north, "suspended")


@pytest.mark.parametrize(
    ("scope", "reason"), [("some", "x"), ("all", ""), ("all", "\u202ex"), ("all", "x" * 4001)]
)
def test_declaration_of_wrong_form_is_refused(two: Two, scope: str, reason: str) -> None:
    """Scope is one of three words; the reason is a plain text."""
    with pytest.raises(RefusedError):
        say(two[1], "suspended", scope, reason)


def test_declaration_about_another_line_is_refused(two: Two) -> None:
    """The thread of a line is that of the two parties it runs between."""
    _, north, _ = two
    with pytest.raises(RefusedError) as refused:
        north.run(
            lambda core: core.say(
                *("hotline/fault", {"scope": "all", "reason": "x"}, [], north.now_us()),
                officer="o",
                desk="d",
                exercise=False,
                thread=Thread("east|north", "line", 1),
            )
        )
    assert refused.value.code == "thread-wrong"


def test_suspended_line_refuses_our_ordinary_statements_and_nothing_else(two: Two) -> None:
    """H-LIN-2: refused before signing, by either party's word; the peer's are taken, and so is all safety traffic."""
    room, north, south = two
    say(north, "suspended", "ordinary")
    talk(room, north, south)
    for node in (north, south):
        made = node.running.tree.size
        with pytest.raises(RefusedError, match="is suspended") as refused:
            man(node)
        assert refused.value.code == "line-suspended"
        assert node.running.tree.size == made
    north.running.state.lines["south"].declared.clear()  # north forgot: south must not refuse it
    man(north)
    talk(room, north, south)
    assert len(south.running.state.roster.watches) == 1
    say(south, "fault", "all", "mast down")
    talk(room, north, south)
    assert ("south", "all", "fault") in standing(north)


def test_line_suspended_for_talk_takes_other_ordinary_statements(two: Two) -> None:
    """H-LIN-2: a scope is no wider than its word; a declared fault refuses nothing."""
    room, north, south = two
    say(north, "suspended", "talk")
    say(north, "fault", "ordinary", "slow")
    talk(room, north, south)
    man(north)
    assert (
        linestate.check_open(north.running.state, "activity/notice", "ordinary", ["south"]) is None
    )
    with pytest.raises(RefusedError):
        linestate.check_open(north.running.state, "talk/message", "ordinary", ["south"])
    for type_, chain in (("activity/cancel", "ordinary"), ("receipt/read-back", "ordinary")):
        linestate.check_open(north.running.state, type_, chain, ["south"])


@pytest.mark.parametrize(
    ("silent_s", "failing", "declared", "word"),
    [
        (14.0, None, "open", "open"),
        (16.0, None, "open", "silent"),
        (16.0, None, "suspended", "silent-suspended"),
        (None, None, "fault", "silent-fault"),
        (1.0, "refused", "open", "silent"),
        (1.0, None, "suspended", "open-suspended"),
        (1.0, None, "fault", "open-fault"),
    ],
)
def test_silence_suspension_and_fault_are_told_apart(
    silent_s: float | None, failing: str | None, declared: Any, word: str
) -> None:
    """H-LIN-1, H-LIN-4: observed over three heartbeats beside declared, one word for each pair."""
    assert word_for(observe(silent_s, failing, 5.0), declared) == word


def test_alarm_of_a_declared_line_is_over_when_its_word_no_longer_stands(two: Two) -> None:
    """H-LIN-1: a peer's word is a caution, in the picture again when it ends; our own word is none."""
    room, north, south = two
    say(north, "suspended")
    talk(room, north, south)
    (found,) = alarms.alarm_rows(south.running, (), south.now_us())
    assert (found.kind, found.rank, found.party, found.code) == (
        *("line-declared", 2, "north", "suspended"),
    )
    assert (found.message, found.over) == ("talks broke down", False)
    assert alarms.alarm_rows(north.running, (), north.now_us()) == []
    at_entry = south.running.tree.size
    say(south, "fault", "talk", "no interpreter")  # another's word of another scope ends nothing
    talk(room, north, south)
    assert alarms.alarm_rows(south.running, (), south.now_us())[-1].over is False
    say(north, "fault", "all", "the mast is down")
    talk(room, north, south)
    rows = alarms.alarm_rows(south.running, (), south.now_us(), since=at_entry)
    assert [(row.code, row.over) for row in rows] == [("fault", False), ("suspended", True)]
    say(north, "resumed")
    talk(room, north, south)
    assert all(row.over for row in alarms.alarm_rows(south.running, (), south.now_us()))
    assert views.projection(south.load()) == views.projection(south.running)


def test_resuming_what_was_never_signed_takes_it_back(two: Two) -> None:
    """H-LIN-2: nobody was told, so there is nothing to resume, and the record says who took it back."""
    room, north, south = two
    north.crash()
    north.start()
    say(north, "suspended", "talk")
    say(north, "fault", "ordinary", "slow")
    filed = linestate.declarations_filed(north.running, "south")
    assert [(said, values["scope"]) for said, values, _ in filed] == [
        *(("suspended", "talk"), ("fault", "ordinary")),
    ]
    say(north, "resumed", "talk")
    assert len(linestate.declarations_filed(north.running, "south")) == 1
    say(north, "resumed", "all")
    assert north.running.intents == {}
    north.crash()
    north.start()
    assert north.running.intents == {}
    talk(room, north, south)
    assert standing(south) == []
    said = [e.local for e, _, _, _ in north.disk.replay() if e.local]
    assert [one["officer"] for one in said if one["type"] == "statement/withdrawn"] == ["ada"] * 2


def test_signed_word_is_resumed_and_not_taken_back(two: Two) -> None:
    """What the peer was told stands until it is told otherwise, also while the line is down."""
    room, north, south = two
    say(north, "suspended")
    talk(room, north, south)
    north.crash()
    north.start()
    say(north, "fault")
    say(north, "resumed")
    assert [one.type for one in north.running.intents.values()] == [
        *("hotline/fault", "hotline/resumed"),
    ]
    talk(room, north, south)
    assert standing(north) == standing(south) == []


# -- checks -----------------------------------------------------------------------------------------


def test_check_at_its_slot_is_answered_by_the_other_machine(two: Two) -> None:
    """H-LIN-3: each side sends one at each slot, and the other answers at once and by itself."""
    room, north, south = two
    look(north)
    assert slots(north) == []
    at(room, FIRST)
    for node in (north, south):
        look(node)
        look(node)
        assert slots(node) == [("12:10", "waiting")]
    talk(room, north, south)
    at(room, SECOND, 301)
    for node in (north, south):
        look(node)
    talk(room, north, south)
    for node in (north, south):
        assert slots(node) == [("12:10", "answered"), ("13:00", "answered")]
        assert node.alerts["comm-check"] == 0
        assert len(node.running.state.lines["south" if node is north else "north"].sent) == 2


def test_check_in_one_frame_with_others_leaves_their_receipts_provable(two: Two) -> None:
    """The reply is in the record before the size under which receipts are proved."""
    room, north, south = two
    man(south)
    at(room, FIRST)
    look(south)
    north.serve(south.write("north"))
    talk(room, north, south, seconds=3)
    for node in (north, south):
        assert [
            e.outcome for e, _, s, _ in node.disk.replay() if s and "refused" in e.outcome
        ] == []
        assert node.running.state.alarms == []
    assert len(south.running.state.receipts) == 1
    assert slots(south) == [("12:10", "answered")]


def test_check_without_an_answer_is_missed_and_goes_by_the_alternate_path(two: Two) -> None:
    """H-LIN-3: 300 s after its slot it is a caution, once, and goes again by the second address where there is one."""
    room, north, south = two
    at(room, FIRST)
    look(north)
    at(room, FIRST, 299)
    assert look(north, "south") == []
    room.wait(1)
    assert look(north, "south") == ["south"]
    assert look(north, "south") == []
    (found,) = alarms.alarm_rows(north.running, (), north.now_us())
    assert (found.id, found.kind, found.rank, found.over) == (
        f"comm-check:south:{FIRST}",
        "comm-check",
        2,
        False,
    )
    assert slots(north) == [("12:10", "missed")]
    (slot,) = streak(north.running.state, "south", north.now_us())
    assert slot == Slot(FIRST, "missed", "alternate", None)
    at_entry = north.running.tree.size
    talk(room, north, south, seconds=3)
    assert slots(north) == [("12:10", "late")]
    (after,) = alarms.alarm_rows(north.running, (), north.now_us(), since=at_entry)
    assert after.over is True
    assert north.running.state.alarms == south.running.state.alarms == []


def test_missed_check_without_a_second_address_is_not_sent_twice(two: Two) -> None:
    """A second statement to the same address would say nothing: the first is still on its way."""
    room, north, _ = two
    at(room, FIRST)
    look(north)
    room.wait(301)
    assert look(north) == []
    assert len(north.running.state.lines["south"].sent) == 1


def test_check_that_waits_for_a_cold_line_names_the_way_it_goes(two: Two) -> None:
    """H-LIN-6: a check that was filed for the first path and leaves by the other says so, on both sides."""
    room, north, south = two
    north.crash()
    north.start()
    at(room, FIRST)
    look(north)
    room.wait(301)
    assert look(north, "south") == ["south"]
    assert linestate.is_missing(north.running.state, "south")
    assert [one.type for one in north.running.intents.values()] == ["hotline/check"]
    talk(room, north, south)
    (slot,) = streak(north.running.state, "south", north.now_us())
    assert (slot.state, slot.path) == ("late", "alternate")
    assert not linestate.is_missing(north.running.state, "south")
    paths = [
        body_values(openings)["path"]
        for entry, _, statement, openings in south.disk.replay()
        if statement is not None and statement.type == "hotline/check"
        if entry.header.kind == "received"
    ]
    assert paths == ["alternate"]


def test_check_that_is_taken_along_is_said_again_for_its_way(two: Two) -> None:
    """H-LIN-6: an urgent detour takes an unanswered check along: once more as `alternate`, and not twice."""
    room, north, south = two
    at(room, FIRST)
    look(north)

    def go_round() -> None:
        north.run(lambda core: (None, linestate.check_by_alternate(core, "south", north.now_us())))

    go_round()
    go_round()
    assert len(north.running.state.lines["south"].sent) == 2
    talk(room, north, south)
    (slot,) = streak(north.running.state, "south", north.now_us())
    assert (slot.state, slot.path) == ("answered", "alternate")
    go_round()
    assert len(north.running.state.lines["south"].sent) == 2


def test_what_earns_a_receipt_on_the_safety_chain_is_urgent_until_it_has_it(two: Two) -> None:
    """H-LIN-6: a check alone is not, a declaration is, signed or waiting, and a restart forgets none."""
    room, north, south = two
    at(room, FIRST)
    look(north)
    assert not is_urgent(north.running, "south")
    man(north)
    assert not is_urgent(north.running, "south")
    say(north, "suspended")
    assert is_urgent(north.running, "south")
    north.crash()
    north.start()
    assert is_urgent(north.running, "south")
    talk(room, north, south)
    talk(room, north, south)
    assert not is_urgent(north.running, "south")
    north.crash()
    north.start()
    assert not is_urgent(north.running, "south")
    say(north, "resumed")
    assert is_urgent(north.running, "south")


def test_node_that_was_down_begins_the_newest_slot_only(two: Two) -> None:
    """H-LIN-3: after a restart the slots that passed are shown as unsent, and the newest is begun at once."""
    room, north, south = two
    at(room, FIRST, -1)
    north.crash()
    at(room, SECOND, 60)
    north.start()
    look(north)
    look(north)
    assert slots(north) == [("12:10", "unsent"), ("13:00", "waiting")]
    talk(room, north, south)
    assert slots(north) == [("12:10", "unsent"), ("13:00", "answered")]


def test_clock_that_jumps_begins_no_slot_twice(two: Two) -> None:
    """H-LIN-3: forward the newest slot is begun once; back none is begun again and none is undone."""
    room, north, south = two
    north.clock.offset_us = 3_700 * US_PER_S
    look(north)
    assert slots(north) == [("12:10", "unsent"), ("13:00", "waiting")]
    north.clock.offset_us = 0
    at(room, SECOND, 1)
    look(north)
    talk(room, north, south)
    assert slots(north) == [("12:10", "unsent"), ("13:00", "answered")]
    assert len(north.running.state.lines["south"].sent) == 1


def test_checks_of_a_cold_line_do_not_pile_up(two: Two) -> None:
    """A week of silence leaves one check waiting, not fourteen."""
    room, north, _ = two
    north.crash()
    north.start()
    for text in (FIRST, SECOND):
        at(room, text, 301)
        look(north, "south")
        room.wait(301)
        look(north, "south")
    assert [one.type for one in north.running.intents.values()] == ["hotline/check"]
    assert slots(north) == [("12:10", "missed"), ("13:00", "missed")]


def test_check_by_hand_is_answered_and_counts_in_no_streak(two: Two) -> None:
    """An officer may try a line at any time; the streak is of the slots alone."""
    room, north, south = two
    room.wait(7)
    north.run(lambda core: (None, check_now(core, "south", north.now_us(), **ADA)))
    talk(room, north, south)
    (check,) = north.running.state.lines["south"].checks.values()
    assert (check.by_hand, check.missed, check.answered_us is None) == (True, False, False)
    assert slots(north) == []
    assert [s.state for s in linestate.checks_by_hand(north.running.state, "south")] == ["answered"]
    with pytest.raises(UsageError):
        north.run(lambda core: (None, check_now(core, "nobody", north.now_us(), **ADA)))


def test_check_reply_about_no_check_of_ours_is_refused(two: Two) -> None:
    """An answer to what was never asked is no answer."""
    _, north, _ = two
    with pytest.raises(RefusedError) as refused:
        north.run(
            lambda core: core.say(
                *("hotline/check-reply", {"check": "f" * 64}, [], north.now_us()),
                officer="o",
                desk="d",
                exercise=False,
                thread=Thread("north|south", "line", 1),
            )
        )
    assert refused.value.code == "check-unknown"


@pytest.mark.parametrize("text", ["9:00", "24:00", "12:60", "noon", "12:00:00", "１２:００"])
def test_schedule_that_is_no_time_of_day_is_refused(text: str) -> None:
    """A schedule is Zulu times of day; what is none of them is refused with the terms."""
    with pytest.raises(UsageError, match="must be a Zulu time of day"):
        parse_terms({"comm_checks": [text]})


def test_streak_holds_the_last_sixty_slots() -> None:
    """H-LIN-3: a month of two a day, oldest first."""
    end = parse_time("2018-12-31T23:59:00Z")
    found = slots_between(["09:00", "16:00"], START_US, end, 60)
    assert len(found) == 60
    assert (format_time(found[0]), format_time(found[-1])) == (
        "2018-12-02T09:00:00Z",
        "2018-12-31T16:00:00Z",
    )
    assert slots_between([], START_US, end, 60) == []


def test_checks_survive_a_rebuild_and_old_ones_are_forgotten(two: Two) -> None:
    """What is kept of checks is bounded, and what the ledger says of them read anew is the same."""
    room, north, south = two
    for _ in range(linestate.CHECKS_KEPT + 3):
        room.wait(1)
        north.run(lambda core: (None, check_now(core, "south", north.now_us(), **ADA)))
    talk(room, north, south)
    for _ in range(3):
        talk(room, north, south, seconds=3)
    line = north.running.state.lines["south"]
    assert len(line.checks) == linestate.CHECKS_KEPT
    assert len(line.sent) <= linestate.CHECKS_KEPT
    for node in (north, south):
        assert views.projection(node.load()) == views.projection(node.running)


def test_next_check_due_is_the_next_slot_or_the_end_of_a_wait(two: Two) -> None:
    """The timer may sleep until then."""
    room, north, _ = two
    due = linestate.next_check_due
    assert due(north.running.state, north.now_us()) == parse_time(FIRST)
    at(room, FIRST)
    look(north)
    assert due(north.running.state, north.now_us()) == parse_time(FIRST) + 300 * US_PER_S


# -- roster and handover ----------------------------------------------------------------------------


def test_roster_says_when_a_desk_is_manned_and_names_no_person(two: Two) -> None:
    """H-LIN-5: desk, languages, from and until, on both sides; what is over is not shown."""
    room, north, south = two
    man(north)
    talk(room, north, south)
    for node in (north, south):
        (found,) = roster.watches(node.running.state, node.now_us())
        assert (found.party, found.desk, found.languages) == ("north", "cell", ["en", "ru"])
    room.wait(8 * 3600)
    assert roster.watches(south.running.state, south.now_us()) == []


@pytest.mark.parametrize(
    "values",
    [
        {"languages": []},
        {"languages": ["English"]},
        {"watch_desk": ""},
        {"until_us": START_US},
        {"until_us": START_US + 32 * 86_400 * US_PER_S},
    ],
)
def test_roster_of_wrong_form_is_refused(two: Two, values: dict[str, Any]) -> None:
    """H-LIN-5: a desk, one language at least, and an interval of a month at most."""
    with pytest.raises(DetenteError):
        man(two[1], **values)


def test_handover_is_a_local_entry(two: Two) -> None:
    """H-LIN-5: who hands to whom, whether the sound was tested, notes; nobody else is told."""
    room, north, south = two
    at_south = south.running.tree.size
    north.act(
        lambda core: roster.hand_over(
            core, "bo", north.now_us(), sound_tested=True, notes="quiet", **ADA
        )
    )
    talk(room, north, south)
    (found,) = north.running.state.roster.handovers
    assert (found.from_officer, found.to_officer, found.sound_tested) == ("ada", "bo", True)
    assert roster.handovers(north.running.state) == [found]
    for to, notes in (("ada", "quiet"), ("bo", "\u202equiet")):
        with pytest.raises(DetenteError):
            north.act(
                lambda core, to=to, notes=notes: roster.hand_over(
                    core, to, north.now_us(), sound_tested=True, notes=notes, **ADA
                )
            )
    assert south.running.tree.size == at_south


def test_clock_that_was_a_year_ahead_for_a_moment_loses_no_later_check(two: Two) -> None:
    """A slot begun by a clock that was wrong stops none that comes; what was begun is begun once."""
    _, north, _ = two
    north.clock.offset_us = 365 * 86_400 * US_PER_S
    look(north)
    north.clock.offset_us = 0
    peer = "south"
    assert linestate.next_check(north.running.state, peer, north.now_us()) == parse_time(FIRST)
    north.clock.offset_us = parse_time(FIRST) - START_US
    for _ in range(2):
        look(north)
    begun = [e for e, _, _, _ in north.disk.replay() if e.header.type == "check/begun"]
    assert len(begun) == 2


def test_resuming_all_after_a_resumption_that_waits_is_refused_here(two: Two) -> None:
    """What the peer would refuse once all that waits was said is refused before it is filed."""
    room, north, south = two
    say(north, "suspended", "ordinary")
    talk(room, north, south)
    north.crash()
    north.start()
    say(north, "resumed", "ordinary")
    with pytest.raises(RefusedError) as caught:
        say(north, "resumed", "all")
    assert caught.value.code == "line-move"
    talk(room, north, south)
    assert standing(north) == standing(south) == []


def test_check_that_comes_again_is_answered_once(two: Two) -> None:
    """H-DUE-3: what a recovery of the record brings back is not answered again."""
    room, north, south = two
    at(room, FIRST)
    look(north)
    talk(room, north, south)
    (check,) = [s for e, _, s, _ in south.disk.replay() if s and s.type == "hotline/check"]
    assert linestate.is_answered(south.running.state, check)
    assert not linestate.is_answered(north.running.state, check)

"""The ladder in the record: what a recipient says, what is refused, and that both sides show the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detente.agreement.terms import Terms
from detente.airspace.altitude import build_altitude
from detente.airspace.area import Circle
from detente.airspace.volume import build_volume
from detente.errors import RefusedError, UsageError
from detente.notice.activity import ActivityNotice, build_notice
from detente.notice.readback import ReadBack
from detente.protocol import alarms, ladder, views
from detente.protocol.audit import audit
from detente.protocol.deadlines import next_due, pass_deadlines
from detente.protocol.history import timeline
from detente.protocol.incoming import start_recovery
from detente.protocol.ladder import LadderRow, Unit, ladder_rows
from detente.protocol.rules import judge
from detente.protocol.statement import Thread
from detente.simulation.liar import Liar
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import (
    NANODEG_PER_DEG,
    TENTH_MM_PER_FT,
    TENTH_MM_PER_NM,
    US_PER_S,
    format_time,
    parse_time,
)

HOUR_US = 3600 * US_PER_S
ADA = {"officer": "ada", "desk": "watch"}
HERE = (35 * NANODEG_PER_DEG, 35 * NANODEG_PER_DEG)
GOOD = ReadBack(HERE, None, START_US + HOUR_US, START_US + 2 * HOUR_US)
# fictional ground, moved from where it happened: a place named 6 km beside the one that was meant
WRONG = ReadBack((35_066_000_000, HERE[1]), None, GOOD.from_us, GOOD.until_us)
TIMES = [format_time(START_US + minutes * 60 * US_PER_S) for minutes in range(5)]


def notice(name: str = "A-1", nautical_miles: int = 1) -> ActivityNotice:
    """A circle for an hour, an hour from the start."""
    piece = build_volume(
        Circle(HERE, nautical_miles * TENTH_MM_PER_NM),
        "planar",
        build_altitude(0, "ft", "MSL", field="lower"),
        build_altitude(3000 * TENTH_MM_PER_FT, "ft", "MSL", field="upper"),
        GOOD.from_us,
        GOOD.until_us,
        field="pieces[0]",
    )
    return build_notice(name=name, exercise=True, activity="patrol", pieces=(piece,))


def file(node: SimNode, one: ActivityNotice, *, amend: bool = False) -> None:
    """File a notice."""
    node.run(
        lambda core: core.file_notice(one, (), node.now_us(), officer="o", desk="d", amend=amend)
    )


def talk(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        converse(*nodes)
        room.wait(3)


def read_back(node: SimNode, said: ReadBack, words: str | None = None) -> ladder.Said:
    """South reads north's notice back."""
    return node.run(
        lambda core: ladder.read_back(core, "north:A-1", said, words, node.now_us(), **ADA)
    )


def pass_down(node: SimNode, *units: Unit) -> ladder.Said:
    """South says who was told."""
    return node.run(lambda core: ladder.disseminate(core, "north:A-1", units, node.now_us(), **ADA))


def act(node: SimNode, action: str = "kept-clear") -> ladder.Said:
    """South says what it did."""
    return node.run(
        lambda core: ladder.act(core, "north:A-1", action, None, None, node.now_us(), **ADA)
    )


def look(node: SimNode) -> int:
    """The node's timer: pass what is due by its clock; how many effects there were."""
    return len(node.run(lambda core: (lambda e: (e, e))(pass_deadlines(core, node.now_us()))))


def shown(node: SimNode) -> LadderRow:
    """South's ladder of the newest version, as a node shows it."""
    found = node.running.state.notices["north:A-1"]
    (row,) = ladder_rows(node.running.state, found, found.latest.number)
    return row


def states(node: SimNode) -> dict[str, str]:
    """State by rung."""
    return {one.rung: one.state for one in shown(node).rungs}


def kinds(node: SimNode) -> list[tuple[str, str | None, bool]]:
    """Alarms by kind and code, and whether they are over."""
    found = alarms.alarm_rows(node.running, [], node.now_us())
    return sorted((one.kind, one.code, one.over) for one in found)


def said(node: SimNode, type_: str) -> int:
    """How many statements of a type the node's ledger holds."""
    return sum(entry.header.type == type_ for entry, *_ in node.running.journal.replay())


def check(*nodes: SimNode) -> None:
    """Both show the same, a rebuild gives the same, the record is sound."""
    assert shown(nodes[0]) == shown(nodes[1])
    for node in nodes:
        assert views.projection(node.load()) == views.projection(node.running)
        assert audit(node.running)["problems"] == []


@pytest.fixture
def two() -> tuple[Room, SimNode, SimNode]:
    """North and south, and a notice of north's that south has received."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(north, notice())
    talk(room, north, south)
    return room, north, south


Two = tuple[Room, SimNode, SimNode]


def test_ladder_of_a_notice_that_was_received_is_owed(two: Two) -> None:
    """H-DUE-1: delivered is done; opened, read back and disseminated are due when the agreement says, on both sides."""
    _, north, south = two
    found = {one.rung: (one.state, one.due) for one in shown(south).rungs}
    received = parse_time(shown(south).rungs[0].at)
    due = {
        rung: format_time(received + s * US_PER_S)
        for rung, s in Terms().receipt_deadlines_s.items()
    }
    assert found == {
        "delivered": ("done", None),
        **{rung: ("due", due[rung]) for rung in due},
        "acted": ("due", None),
    }
    check(north, south)


def test_ladder_climbed_to_the_top_is_the_same_on_both_sides(two: Two) -> None:
    """Each rung is a state of its own, in the recipient's ledger and in the sender's."""
    room, north, south = two
    answer = read_back(south, GOOD, "two hours out, over the bay")
    assert answer.signed
    assert answer.comparison is not None
    assert answer.comparison.agrees
    pass_down(south, Unit("1 Sqn", TIMES[1], TIMES[2]), Unit("tower", TIMES[1]))
    talk(room, north, south)
    assert states(north)["disseminated"] == "due"
    pass_down(south, Unit("tower", acknowledged=TIMES[4]))
    act(south)
    talk(room, north, south)
    assert set(states(north).values()) == {"done"}
    assert shown(north).rungs[3].values == {"units": 2, "acknowledged": 2}
    assert next_due(north.running.state) is None
    assert kinds(north) == kinds(south) == []
    check(north, south)
    rows = [row.kind for row in timeline(south.running, "north:A-1").rows]
    assert rows.count("receipt-filed") == 4
    rows = [row.kind for row in timeline(north.running, "north:A-1").rows]
    assert rows[-5:] == ["opened", "read-back", "disseminated", "disseminated", "acted"]


def test_acted_before_every_unit_has_acknowledged_is_refused(two: Two) -> None:
    """H-LAD-1: neither without a unit nor while one is silent; that it was passed on is not that it was heard."""
    _, _, south = two
    for units in ((), (Unit("1 Sqn", TIMES[1]),), (Unit("2 Sqn", TIMES[1], TIMES[2]),)):
        if units:
            pass_down(south, *units)
        with pytest.raises(RefusedError) as error:
            act(south)
        assert error.value.code == "not-disseminated"
    pass_down(south, Unit("1 Sqn", acknowledged=TIMES[3]))
    assert act(south).signed


def test_acted_with_an_action_nobody_knows_is_refused(two: Two) -> None:
    """H-LAD-5: there are five actions."""
    _, _, south = two
    pass_down(south, Unit("1 Sqn", TIMES[1], TIMES[2]))
    with pytest.raises(RefusedError) as error:
        act(south, "approve-nothing")
    assert error.value.code == "action-unknown"


def test_read_back_that_is_six_kilometres_off_alarms_both_sides_until_it_is_said_anew(
    two: Two,
) -> None:
    """H-LAD-3: the alarm names metres and minutes on both sides; a new read-back replaces the old one."""
    room, north, south = two
    answer = read_back(south, WRONG)
    assert answer.comparison is not None
    assert not answer.comparison.agrees
    talk(room, north, south)
    for node in (north, south):
        (found,) = alarms.alarm_rows(node.running, [], node.now_us())
        assert (found.kind, found.rank, found.party) == ("read-back", 1, "south")
        assert found.message == f"{answer.comparison.place_m:,} m; +0 min, +0 min"
        assert shown(node).rungs[2].note == "differs"
    assert 4000 < answer.comparison.place_m < 4500
    assert 6000 < answer.comparison.middle_m < 6100
    rows = [row.kind for row in timeline(north.running, "north:A-1").rows]
    assert rows[-2:] == ["read-back", "read-back-differs"]
    read_back(south, GOOD)
    talk(room, north, south)
    assert kinds(north) == kinds(south) == [("read-back", "read-back", True)]
    assert shown(north).rungs[2].note is None
    check(north, south)


def test_read_back_of_a_replaced_version_alarms_no_more(two: Two) -> None:
    """What was misread is no longer said."""
    room, north, south = two
    read_back(south, WRONG)
    talk(room, north, south)
    file(north, notice(nautical_miles=2), amend=True)
    talk(room, north, south)
    assert kinds(north) == kinds(south) == [("read-back", "read-back", True)]


def test_deadline_that_passes_is_written_once_and_said_by_the_one_it_was_owed_to(two: Two) -> None:
    """H-DUE-2: an entry on both sides, a statement by the sender, a caution, and a missing rung on both."""
    room, north, south = two
    room.wait(301)
    for _ in range(3):
        look(north)
        look(south)
        talk(room, north, south)
    for node in (north, south):
        assert said(node, "deadline/passed") == said(node, "receipt/no-answer") == 1
        assert states(node)["opened"] == "missing"
        assert shown(node).rungs[1].note == "no-answer"
        assert kinds(node) == [("no-answer", "opened", False)]
    check(north, south)


def test_answer_after_the_deadline_is_taken_and_shown_as_late(two: Two) -> None:
    """H-DUE-3: late is late on both sides, and the caution is over."""
    room, north, south = two
    room.wait(301)
    look(north)
    look(south)
    read_back(south, GOOD)
    talk(room, north, south)
    for node in (north, south):
        assert states(node)["opened"] == "late"
        assert states(node)["read-back"] == "done"
        assert kinds(node) == [("no-answer", "opened", True)]
    check(north, south)


def test_answer_in_time_that_crosses_the_word_that_there_is_none_is_done_on_both_sides(
    two: Two,
) -> None:
    """H-DUE-5: it is in time by its own time; that the other side said there was none stands beside it."""
    room, north, south = two
    room.wait(280)
    south.run(lambda core: (None, core.open_notice("north:A-1", south.now_us(), **ADA)))
    room.wait(25)
    look(north)
    look(south)
    talk(room, north, south)
    assert states(north)["opened"] == "done"
    assert shown(north).rungs[1].note == "no-answer"
    assert kinds(north) == [("no-answer", "opened", True)]
    assert kinds(south) == [("no-answer", "opened", True)]
    assert said(south, "deadline/passed") == 0
    check(north, south)


def test_notice_that_was_replaced_or_cancelled_is_owed_nothing(two: Two) -> None:
    """H-DUE-4: the newer version has its own ladder; a cancellation has none."""
    room, north, south = two
    file(north, notice(nautical_miles=2), amend=True)
    talk(room, north, south)
    assert len(north.running.state.owed) == len(south.running.state.owed) == 3
    north.run(
        lambda core: core.cancel_notice("north:A-1", "done", north.now_us(), officer="o", desk="d")
    )
    talk(room, north, south)
    assert north.running.state.owed == south.running.state.owed == {}
    room.wait(7200)
    assert look(north) == look(south) == 0
    with pytest.raises(RefusedError) as error:
        read_back(south, GOOD)
    assert error.value.code == "notice-cancelled"
    check(north, south)


def test_deadline_that_one_clock_passed_before_the_newer_version_came_shows_the_same_on_both_sides(
    two: Two,
) -> None:
    """H-DUE-4: the sender replaced it in time, the recipient could not know; the old version is owed nothing and lacks nothing."""
    room, north, south = two
    room.wait(299)
    file(north, notice(nautical_miles=2), amend=True)
    room.wait(2)  # the newer version is on its way
    look(south)
    look(north)
    assert states(south)["opened"] == "missing"
    talk(room, north, south)
    for node in (north, south):
        found = node.running.state.notices["north:A-1"]
        (row,) = ladder_rows(node.running.state, found, 1)
        assert [(one.state, one.due) for one in row.rungs[1:4]] == [("due", None)] * 3
        assert states(node)["opened"] == "due"
        assert kinds(node) in ([], [("no-answer", "opened", True)])


def test_rung_that_was_said_to_be_missing_stays_so_when_the_version_is_replaced(two: Two) -> None:
    """H-DUE-3: what the sender signed is in both ledgers; the newer version begins anew."""
    room, north, south = two
    room.wait(301)
    look(north)
    look(south)
    talk(room, north, south)
    file(north, notice(nautical_miles=2), amend=True)
    talk(room, north, south)
    for node in (north, south):
        found = node.running.state.notices["north:A-1"]
        (row,) = ladder_rows(node.running.state, found, 1)
        assert [one.state for one in row.rungs[1:4]] == ["missing", "due", "due"]
        assert states(node)["opened"] == "due"


def test_notice_that_ends_before_a_deadline_is_not_owed_it() -> None:
    """H-DUE-4: what is over need not be read back."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    room.wait(2 * 3600 - 600)  # ten minutes before its end
    file(north, notice())
    talk(room, north, south)
    assert {one.expected for one in south.running.state.owed.values()} == {"opened"}
    check(north, south)


def test_ladder_while_the_line_is_down_waits_in_order(two: Two) -> None:
    """What is said without a line is durable, and signed in the order it was said."""
    room, north, south = two
    south.core = None
    south.start()  # every line is cold now
    assert not read_back(south, GOOD).signed
    assert not pass_down(south, Unit("1 Sqn", TIMES[1])).signed
    assert not pass_down(south, Unit("1 Sqn", acknowledged=TIMES[2])).signed
    assert not act(south).signed
    south.core = None
    south.start()
    talk(room, north, south)
    assert {rung for rung, state in states(north).items() if state == "done"} == {
        "delivered",
        "read-back",
        "disseminated",
        "acted",
    }
    assert kinds(north) == []
    check(north, south)


def test_ladder_that_a_recovery_brings_back_is_the_same_again() -> None:
    """F-REC-2: our words come back before the notice they are about; both sides show the same, and owe the same."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    backup = south.disk.snapshot()
    file(north, notice())
    talk(room, north, south)
    read_back(south, WRONG)
    talk(room, north, south)
    before = shown(north)
    south.restore(backup)
    talk(room, north, south)
    south.act(lambda core: start_recovery(core, south.now_us()))
    for _ in range(4):
        talk(room, north, south)
    assert shown(north) == before
    assert kinds(south) == [
        ("fault", "behind", True),
        ("read-back", "read-back", False),
    ]
    assert set(south.running.state.owed) == set(north.running.state.owed) != set()
    check(north, south)
    room.wait(1801)
    for _ in range(2):
        look(north)
        look(south)
        talk(room, north, south)
    assert said(south, "receipt/no-answer") == said(south, "deadline/passed") == 1
    check(north, south)


def test_no_answer_that_was_said_before_a_loss_is_not_said_again(two: Two) -> None:
    """H-DUE-3: a sender that lost its word passes the deadline anew, and its recovery drops the second word."""
    room, north, south = two
    backup = north.disk.snapshot()
    room.wait(301)
    look(north)
    talk(room, north, south)
    north.restore(backup)
    look(north)
    assert len(north.running.intents) == 1
    talk(room, north, south)
    north.act(lambda core: start_recovery(core, north.now_us()))
    for _ in range(4):
        talk(room, north, south)
    assert north.running.intents == {}
    for node in (north, south):
        assert said(node, "receipt/no-answer") == 1
    assert states(north)["opened"] == "missing"
    check(north, south)


def test_ladder_of_ones_own_or_an_unknown_notice_is_nobodys(two: Two) -> None:
    """One reads back what another said."""
    _, north, south = two
    for node, id_, code in (
        (north, "north:A-1", "notice-own"),
        (south, "north:X", "notice-unknown"),
    ):
        with pytest.raises(UsageError) as error:
            node.run(lambda core: ladder.read_back(core, id_, GOOD, None, 0, **ADA))  # noqa: B023
        assert error.value.code == code


# -- what a lying peer says ------------------------------------------------------------------------


@pytest.fixture
def lied() -> tuple[SimNode, Liar, str]:
    """North with a notice that south received honestly, and south from then on as it likes."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(north, notice())
    talk(room, north, south)
    liar = room.liar(1, north)
    liar.heads = dict(south.running.state.heads(True, "north"))
    return north, liar, north.running.state.notices["north:A-1"].latest.statements["south"]


def judged(north: SimNode, liar: Liar, type_: str, values: dict[str, Any], **members: Any) -> str:
    """The outcome of what the liar says in the notice's thread, in north's ledger."""
    members = {"thread": Thread("north:A-1", "notice", 1), **members}
    statement, openings = liar.say(type_, values, **members)
    assert liar.send((statement, openings)) is not None
    entry = north.running.journal.entry_of(statement.id)
    assert entry is not None
    return entry.outcome


def body(about: str, type_: str, **changed: Any) -> dict[str, Any]:
    """A good body, but for what is changed; None leaves a field out."""
    values: dict[str, dict[str, Any]] = {
        "receipt/read-back": {
            "place": {"lat": HERE[1], "lon": HERE[0], "radius_tenth_mm": 18_520_000},
            "from": format_time(GOOD.from_us),
            "until": format_time(GOOD.until_us),
        },
        "receipt/disseminated": {
            "units": [{"unit": "1 Sqn", "told": TIMES[1], "acknowledged": TIMES[2]}]
        },
        "receipt/acted": {"action": "noted", "at": TIMES[3]},
    }
    found = {"statement": about, "desk": "d", **values[type_], **changed}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("type_", "changed", "outcome"),
    [
        ("receipt/read-back", {}, "delivered"),
        ("receipt/read-back", {"words": "over the bay"}, "delivered"),
        ("receipt/read-back", {"words": "over\u202e the bay"}, "refused:text-malformed"),
        ("receipt/read-back", {"place": "35N 035E"}, "refused:place-malformed"),
        ("receipt/read-back", {"place": {"lat": True, "lon": 2}}, "refused:place-malformed"),
        ("receipt/read-back", {"place": {"lat": 1, "lon": 2, "x": 3}}, "refused:place-malformed"),
        ("receipt/read-back", {"place": {"lat": 10**12, "lon": 2}}, "refused:position-latitude"),
        (
            "receipt/read-back",
            {"place": {"lat": 1, "lon": 2, "radius_tenth_mm": 0}},
            "refused:radius-range",
        ),
        ("receipt/read-back", {"until": TIMES[0]}, "refused:interval-empty"),
        ("receipt/read-back", {"from": "noon"}, "refused:time-malformed"),
        ("receipt/read-back", {"from": None}, "refused:field-missing"),
        ("receipt/read-back", {"statement": "ab" * 32}, "refused:receipt-wrong"),
        ("receipt/disseminated", {}, "delivered"),
        ("receipt/disseminated", {"units": []}, "refused:units-malformed"),
        ("receipt/disseminated", {"units": "all"}, "refused:units-malformed"),
        (
            "receipt/disseminated",
            {"units": [{"unit": "a", "told": None, "acknowledged": TIMES[1]}]},
            "refused:units-malformed",
        ),
        (
            "receipt/disseminated",
            {"units": [{"unit": "a", "told": None, "acknowledged": None}] * 2},
            "refused:units-malformed",
        ),
        ("receipt/acted", {}, "refused:not-disseminated"),
        ("receipt/acted", {"action": "agreed"}, "refused:action-unknown"),
    ],
)
def test_ladder_statement_of_a_peer_is_taken_or_refused_by_name(
    lied: tuple[SimNode, Liar, str], type_: str, changed: dict[str, Any], outcome: str
) -> None:
    """H-LAD-2, H-LAD-4: a place and a time in figures, and units one by one; all else is refused by name."""
    north, liar, about = lied
    assert judged(north, liar, type_, body(about, type_, **changed)) == outcome
    assert views.projection(north.load()) == views.projection(north.running)


def test_dissemination_that_loses_a_unit_or_a_time_is_refused(
    lied: tuple[SimNode, Liar, str],
) -> None:
    """H-LAD-4: a unit that was named does not vanish, nor a time."""
    north, liar, about = lied
    full = [
        {"unit": "a", "told": TIMES[1], "acknowledged": TIMES[2]},
        {"unit": "b", "told": TIMES[1], "acknowledged": None},
    ]
    type_ = "receipt/disseminated"
    assert judged(north, liar, type_, body(about, type_, units=full)) == "delivered"
    for units in (full[:1], [{**full[0], "acknowledged": None}, full[1]]):
        found = judged(north, liar, type_, body(about, type_, units=units))
        assert found == "refused:dissemination-shrinks"
    more = [*full, {"unit": "c", "told": None, "acknowledged": None}]
    assert judged(north, liar, type_, body(about, type_, units=more)) == "delivered"


def test_ladder_statement_about_another_thread_or_chain_is_refused(
    lied: tuple[SimNode, Liar, str],
) -> None:
    """A receipt belongs to the very thread and chain of what it is about."""
    north, liar, about = lied
    good = body(about, "receipt/read-back")
    for members in (
        {"thread": Thread("north:A-1", "notice", 2)},
        {"chain": "safety"},
    ):
        assert judged(north, liar, "receipt/read-back", good, **members) == "refused:receipt-wrong"
    none = judged(north, liar, "receipt/read-back", good, thread=None)
    assert none == "refused:thread-wrong"


def test_no_answer_that_was_not_owed_or_is_said_twice_is_refused() -> None:
    """H-DUE-2: who says that no answer came must have been owed one, and due then; and once is enough."""
    room = Room()
    north = room.node(0)
    liar = room.liar(1, north)
    liar.send()
    notice_ = liar.say_notice()
    assert liar.send(notice_) is not None
    core = north.running
    due_us = min(one.due_us for one in core.state.owed.values())
    good = {
        "statement": notice_[0].id,
        "expected": "opened",
        "due": format_time(due_us),
        "tries": 1,
        "desk": "d",
    }
    thread = {"thread": notice_[0].thread}
    for changed in (
        {"due": format_time(due_us - US_PER_S)},
        {"expected": "acted"},
        {"expected": "answer"},
    ):
        found = judged(north, liar, "receipt/no-answer", {**good, **changed}, **thread)
        assert found == "refused:expectation-wrong"
    assert judged(north, liar, "receipt/no-answer", {**good, "tries": 0}, **thread) == (
        "refused:receipt-wrong"
    )
    assert judged(north, liar, "receipt/no-answer", good, **thread) == "delivered"
    assert judged(north, liar, "receipt/no-answer", good, **thread) == "refused:receipt-repeated"
    assert kinds(north) == [("no-answer", "opened", False)]


def test_no_answer_before_its_time_makes_no_answer_late() -> None:
    """H-DUE-5: whatever time its maker claims for it, an answer in time is done, and the caution is over."""
    room = Room()
    north = room.node(0)
    liar = room.liar(1, north)
    liar.send()
    said_ = liar.say_notice()
    assert liar.send(said_) is not None
    due_us = min(one.due_us for one in north.running.state.owed.values())
    for claimed_us in (north.now_us(), due_us):
        values = {
            "statement": said_[0].id,
            "expected": "opened" if claimed_us != due_us else "read-back",
            "due": format_time(
                next(
                    one.due_us
                    for one in north.running.state.owed.values()
                    if one.expected == ("opened" if claimed_us != due_us else "read-back")
                )
            ),
            "tries": 1,
            "desk": "d",
        }
        members = {"thread": said_[0].thread, "claimed_us": claimed_us}
        assert judged(north, liar, "receipt/no-answer", values, **members) == "delivered"
    name = said_[0].thread.id if said_[0].thread is not None else ""
    north.run(lambda core: ladder.read_back(core, name, GOOD, None, north.now_us(), **ADA))
    found = north.running.state.notices[name]
    (row,) = ladder_rows(north.running.state, found, 1)
    assert {one.rung: one.state for one in row.rungs}["opened"] == "done"
    assert {one.rung: one.state for one in row.rungs}["read-back"] == "done"
    assert all(over for kind, _, over in kinds(north) if kind == "no-answer")


@pytest.mark.parametrize("off_s", [86_400 * 365, -86_400])
def test_receipt_from_another_time_delays_and_hastens_no_deadline(off_s: int) -> None:
    """H-DUE-6: what a peer says of when it received is believed as far as the own clock and the agreed limit allow."""
    room = Room()
    north, south = room.nodes()
    south.clock.offset_us = off_s * US_PER_S
    talk(room, north, south)
    file(north, notice())
    talk(room, north, south)
    one = next(o for o in north.running.state.owed.values() if o.expected == "opened")
    assert abs(one.passes_us - (north.now_us() + 300 * US_PER_S)) <= 20 * US_PER_S
    room.wait(280)
    assert look(north) == 0
    room.wait(40)
    look(north)
    assert said(north, "deadline/passed") == 1
    assert views.projection(north.load()) == views.projection(north.running)


def test_dissemination_of_the_future_is_refused(lied: tuple[SimNode, Liar, str]) -> None:
    """H-LAD-4: a unit cannot have acknowledged what is said now in an hour."""
    north, liar, about = lied
    late = format_time(north.now_us() + HOUR_US)
    for unit in (
        {"unit": "a", "told": late, "acknowledged": None},
        {"unit": "a", "told": TIMES[0], "acknowledged": late},
    ):
        found = judged(
            north,
            liar,
            "receipt/disseminated",
            body(about, "receipt/disseminated", units=[unit]),
        )
        assert found == "refused:dissemination-early"


def test_judge_of_the_ladder_asks_ledger_and_statement_only(
    lied: tuple[SimNode, Liar, str],
) -> None:
    """Either side of an argument can recompute it."""
    north, liar, about = lied
    statement, openings = liar.say(
        "receipt/acted",
        body(about, "receipt/acted"),
        thread=Thread("north:A-1", "notice", 1),
        keep=False,
    )
    before = msgspec.to_builtins(north.running.state.ladders)
    assert judge(north.running.state, statement, openings) == judge(
        north.running.state, statement, openings
    )
    assert msgspec.to_builtins(north.running.state.ladders) == before

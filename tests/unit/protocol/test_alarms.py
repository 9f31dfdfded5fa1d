"""Alarms: each cause raises one, it is over when the cause is gone, and the first who saw it is named."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Circle
from detente.airspace.volume import build_volume
from detente.errors import UsageError
from detente.notice.activity import ActivityNotice, build_notice
from detente.protocol import alarms, views
from detente.protocol.alarms import AlarmRow, LineAlarm
from detente.protocol.audit import audit
from detente.protocol.fold import Raised, State
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.simulation.world import START_US
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S, format_time

HOUR_US = 3600 * US_PER_S
ADA = {"officer": "ada", "desk": "watch", "role": "watch"}
BO = {"officer": "bo", "desk": "general", "role": "supervisor"}


def notice(name: str, datum: str = "MSL", floor_ft: int = 0, lon: int = 35) -> ActivityNotice:
    """A circle for an hour, an hour from the start."""
    piece = build_volume(
        Circle((lon * NANODEG_PER_DEG, 35 * NANODEG_PER_DEG), 5 * TENTH_MM_PER_NM),
        "planar",
        build_altitude(floor_ft * TENTH_MM_PER_FT, "ft", datum, field="lower"),
        build_altitude((floor_ft + 3000) * TENTH_MM_PER_FT, "ft", datum, field="upper"),
        START_US + HOUR_US,
        START_US + 2 * HOUR_US,
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


def rows(
    node: SimNode, *lines: LineAlarm, since: int = 0, since_us: int = 0, now_us: int | None = None
) -> list[AlarmRow]:
    """Alarms of a node."""
    at_us = node.now_us() if now_us is None else now_us
    return alarms.alarm_rows(node.running, lines, at_us, since, since_us)


def seen(node: SimNode, *ids: str, by: dict[str, str] = ADA, lines: Any = ()) -> list[AlarmRow]:
    """Acknowledge alarms."""
    return node.act(
        lambda core: alarms.acknowledge(core, ids, lines, node.now_us(), **by)  # type: ignore[arg-type]
    )


@pytest.fixture
def two() -> tuple[Room, SimNode, SimNode]:
    """North and south on an open line."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    return room, north, south


@pytest.fixture
def clash(two: tuple[Room, SimNode, SimNode]) -> tuple[Room, SimNode, SimNode]:
    """North and south, each with a notice in the same place."""
    room, north, south = two
    file(north, notice("A-1"))
    file(south, notice("B-1"))
    talk(room, north, south)
    return room, north, south


# -- what raises one -----------------------------------------------------------------------------------


def test_conflict_raises_a_warning_on_both_sides(clash: tuple[Room, SimNode, SimNode]) -> None:
    """Both watches see the same alarm under the same id."""
    _, north, south = clash
    (here,), (there,) = rows(north), rows(south)
    assert here.id == there.id == f"conflict:{here.conflict}"
    assert (here.kind, here.rank, here.over, here.exercise) == ("conflict", 1, False, True)
    assert here.notices == there.notices == ["north:A-1", "south:B-1"]
    assert here.until == format_time(START_US + 2 * HOUR_US)


def test_verdict_that_cannot_be_reached_raises_a_caution(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Altitudes in two datums that leave it open are a caution, not silence."""
    room, north, south = two
    file(north, notice("A-1"))
    file(south, notice("B-1", "STD", 6000))
    talk(room, north, south)
    (found,) = rows(north)
    assert (found.kind, found.rank) == ("cannot-tell", 2)


def test_cease_request_raises_an_emergency_at_who_received_it(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """The highest rank, with the reason; who asked is not alarmed by itself, and it is not over by itself."""
    room, north, south = two
    north.run(
        lambda core: core.say(
            *("hotline/cease", {"reason": "aircraft in distress"}, [], north.now_us()),
            officer="o",
            desk="d",
            exercise=True,
        )
    )
    talk(room, north, south)
    (found,) = rows(south)
    assert found.id == f"cease:{found.statement}"
    assert (found.kind, found.rank, found.party) == ("cease", 0, "north")
    assert found.message == "aircraft in distress"
    room.wait(7 * 86_400)
    assert rows(south)[0].over is False
    assert rows(north) == []


def test_refusal_by_a_peer_raises_a_warning_until_it_is_said_anew(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """What the peer refused must be seen, with the rule; a newer version that it took ends it."""
    room, north, south = two
    file(north, notice("A-1"))
    talk(room, north, south)
    south.running.state.notices["north:A-1"].latest.cancel = True  # south remembers it wrongly
    file(north, notice("A-1", lon=36), amend=True)
    talk(room, north, south)
    (found,) = rows(north)
    assert (found.kind, found.rank, found.party, found.code) == (
        "refused",
        1,
        "south",
        "notice-cancelled",
    )
    assert (found.id, found.over) == (f"refused:{found.statement}", False)
    assert found.notices == ["north:A-1"]
    at = north.running.tree.size
    south.running.state.notices["north:A-1"].latest.cancel = False
    file(north, notice("A-1", lon=37), amend=True)
    talk(room, north, south)
    (after,) = rows(north, since=at)
    assert (after.id, after.over) == (found.id, True)
    assert rows(south) == []  # refusing is no alarm of one's own


def test_alarm_entry_raises_a_warning_under_its_number(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Faults and lies are in the ledger; each is one alarm with its code and words."""
    _, north, _ = two
    at = north.running.tree.size
    north.run(
        lambda core: (None, [core.alarm(north.now_us(), "clock-offset", "it is off", "south")])
    )
    (found,) = rows(north)
    assert (found.id, found.kind, found.rank) == (f"fault:{at}", "fault", 1)
    assert (found.code, found.message, found.party) == ("clock-offset", "it is off", "south")


def test_old_backup_is_over_when_the_record_is_whole_again(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """The alarm of a lost record ends with the recovery, and is then sent again as over."""
    from detente.protocol.incoming import start_recovery

    room, north, south = two
    snapshot = north.disk.snapshot()
    file(north, notice("A-1"))
    talk(room, north, south)
    north.restore(snapshot)
    talk(room, north, south)
    found = [one for one in rows(north) if one.code == "behind"]
    assert [one.over for one in found] == [False]
    at = north.running.tree.size
    north.act(lambda core: start_recovery(core, north.now_us()))
    talk(room, north, south)
    after = [one for one in rows(north, since=at) if one.code == "behind"]
    assert [(one.id, one.over) for one in after] == [(found[0].id, True)]


# -- over ------------------------------------------------------------------------------------------------


def test_conflict_alarm_is_over_when_one_side_takes_its_notice_back(
    clash: tuple[Room, SimNode, SimNode],
) -> None:
    """It stays in the list, counted as over, until somebody has seen it."""
    room, north, south = clash
    at = south.running.tree.size
    north.run(lambda c: c.cancel_notice("north:A-1", "x", north.now_us(), officer="o", desk="d"))
    talk(room, north, south)
    (found,) = rows(south, since=at)
    assert (found.over, found.acknowledged) == (True, None)
    counts = alarms.count_alarms(south.running, (), south.now_us())
    assert (counts.warning, counts.over) == (0, 1)


def test_conflict_alarm_is_over_when_its_time_is(clash: tuple[Room, SimNode, SimNode]) -> None:
    """At the very end of the meeting, and not a microsecond earlier."""
    _, north, _ = clash
    end_us = START_US + 2 * HOUR_US
    assert [one.over for one in rows(north, now_us=end_us - 1)] == [False]
    assert [one.over for one in rows(north, now_us=end_us)] == [True]


def test_alarm_that_the_clock_ended_is_a_change_since_any_earlier_time(
    clash: tuple[Room, SimNode, SimNode],
) -> None:
    """No entry says that time has passed; whoever asks with an older clock is told all the same."""
    _, north, _ = clash
    end_us, at = START_US + 2 * HOUR_US, north.running.tree.size
    assert rows(north, since=at, since_us=end_us - 1, now_us=end_us - 1) == []
    (found,) = rows(north, since=at, since_us=end_us - 1, now_us=end_us)
    assert found.over
    assert rows(north, since=at, since_us=end_us, now_us=end_us + 1) == []
    assert alarms.next_end(north.running, north.now_us()) == end_us
    assert alarms.next_end(north.running, end_us) is None


# -- acknowledging -----------------------------------------------------------------------------------------


def test_acknowledgement_names_who_when_and_in_which_role(
    clash: tuple[Room, SimNode, SimNode],
) -> None:
    """A local entry with officer, desk and role; it counts no more, and is a change."""
    _, north, _ = clash
    (before,) = rows(north)
    at = north.running.tree.size
    (found,) = seen(north, before.id)
    assert found.acknowledged is not None
    assert msgspec.to_builtins(found.acknowledged) == {**ADA, "time": format_time(north.now_us())}
    entry = north.running.journal.entry(at)
    assert entry is not None
    assert entry.local == {
        "type": "alarm/acknowledged",
        "time": format_time(north.now_us()),
        "alarm": before.id,
        **ADA,
    }
    assert rows(north, since=at) == [found]
    assert alarms.count_alarms(north.running, (), north.now_us()).warning == 0


def test_acknowledging_twice_keeps_the_first_name_and_writes_nothing(
    clash: tuple[Room, SimNode, SimNode],
) -> None:
    """The second officer learns who was first; the ledger does not grow."""
    room, north, _ = clash
    id_ = rows(north)[0].id
    first = seen(north, id_, id_)
    size = north.running.tree.size
    room.wait(60)
    assert seen(north, id_, by=BO) == first
    assert north.running.tree.size == size
    assert first[0].acknowledged is not None
    assert first[0].acknowledged.officer == "ada"


def test_acknowledging_an_unknown_alarm_is_an_error_and_acknowledges_none(
    clash: tuple[Room, SimNode, SimNode],
) -> None:
    """All or nothing: a mistyped id silences nothing else beside it."""
    _, north, _ = clash
    id_ = rows(north)[0].id
    size = north.running.tree.size
    for unknown in ("conflict:0", "line:south:2018-09-17T12:00:00Z", ""):
        with pytest.raises(UsageError) as error:
            seen(north, id_, unknown)
        assert error.value.code == "alarm-unknown"
    assert north.running.tree.size == size
    assert rows(north)[0].acknowledged is None


def test_acknowledgement_is_not_told_to_the_peer(clash: tuple[Room, SimNode, SimNode]) -> None:
    """How a watch deals with its alarms is its own affair: no statement is made of it."""
    room, north, south = clash
    talk(room, north, south)
    heads, size = north.running.state.heads(True, "south"), south.running.tree.size
    seen(north, rows(north)[0].id)
    talk(room, north, south)
    assert north.running.state.heads(True, "south") == heads
    assert south.running.tree.size == size
    assert rows(south)[0].acknowledged is None


def test_acknowledgement_survives_a_restart_and_the_record_stays_sound(
    clash: tuple[Room, SimNode, SimNode],
) -> None:
    """It is in the ledger: a rebuild gives the same projection, and the audit finds nothing wrong."""
    _, north, _ = clash
    seen(north, rows(north)[0].id)
    before, projection = rows(north), views.projection(north.running)
    assert b"ada" in projection
    north.crash()
    north.start()
    assert rows(north) == before
    assert views.projection(north.running) == projection
    assert audit(north.running)["problems"] == []


# -- alarms of lines -----------------------------------------------------------------------------------------


def line(since_us: int = START_US, *, over: bool = False) -> LineAlarm:
    """South's line has been silent."""
    return LineAlarm("south", since_us, "ConnectError", over)


def test_line_alarm_is_in_every_picture_until_acknowledged(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """No entry says that a line is silent, so no revision leaves it out."""
    _, north, _ = two
    at = north.running.tree.size
    (found,) = rows(north, line(), since=at)
    assert found.id == f"line:south:{format_time(START_US)}"
    assert (found.kind, found.rank, found.over, found.party) == ("line", 1, False, "south")
    assert [one.over for one in rows(north, line(over=True), since=at)] == [True]
    counts = alarms.count_alarms(north.running, (line(),), north.now_us())
    assert (counts.warning, counts.over) == (1, 0)


def test_line_alarm_that_is_acknowledged_is_in_the_ledger_from_then_on(
    two: tuple[Room, SimNode, SimNode],
) -> None:
    """Its id says who was silent since when; after a restart that is still known, as over."""
    _, north, _ = two
    alarm = line()
    (found,) = seen(north, alarm.id, lines=(alarm,))
    assert (found.over, found.message) == (False, "ConnectError")
    assert found.acknowledged is not None
    assert [one.over for one in rows(north, line(over=True))] == [True]
    assert alarms.count_alarms(north.running, (alarm,), north.now_us()).warning == 0
    north.crash()
    north.start()
    (after,) = rows(north)
    assert (after.id, after.raised, after.party, after.over) == (
        alarm.id,
        format_time(START_US),
        "south",
        True,
    )


# -- order ---------------------------------------------------------------------------------------------------


def test_alarms_are_in_the_order_in_which_they_want_attention() -> None:
    """Not acknowledged, then not over, then by rank, then the newest, then by id."""
    seen_by = alarms.AcknowledgedBy("ada", "watch", "watch", "t")

    def row(id_: str, rank: int, raised: str, over: bool = False, acked: bool = False) -> AlarmRow:
        return AlarmRow(
            *(id_, "conflict", rank, [], None, None, None, None, None, False, raised, None, over),
            acknowledged=seen_by if acked else None,
            exercise=False,
        )

    expected = [
        row("h", 0, "1"),
        row("g", 1, "3"),
        row("a", 1, "2"),
        row("f", 1, "2"),
        row("e", 2, "9"),
        row("d", 0, "9", over=True),
        row("c", 2, "1", acked=True),
        row("b", 0, "9", over=True, acked=True),
    ]
    assert alarms.ordered(sorted(expected, key=lambda one: one.id)) == expected
    assert json.loads(msgspec.json.encode(expected[0]))["acknowledged"] is None


def test_alarm_with_long_words_is_cut_and_says_so() -> None:
    """However much a peer says, an alarm's row holds 280 characters of it."""
    raised = Raised("cease:x", "cease", 1, START_US, True, message="a" * 4000)
    made = alarms._row(State(party="north"), raised, None, START_US)
    assert (len(made.message or ""), made.message_cut) == (280, True)
    short = alarms._row(
        State(party="north"), msgspec.structs.replace(raised, message="b"), None, START_US
    )
    assert (short.message, short.message_cut) == ("b", False)

"""The history of one notice: every entry about it, in order, as codes and values; and its proof."""

from __future__ import annotations

import pytest

from detente.errors import UsageError
from detente.protocol import alarms, cease, conversation, history
from detente.protocol.statement import Thread
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room


def talk(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        converse(*nodes)
        room.wait(3)


def file(room: Room, node: SimNode, name: str, like: str = "", *, amend: bool = False) -> None:
    """File a notice; with `like` in the very place of another."""
    notice = random_notice(like or name, room.chance, node.now_us(), exercise=True)
    node.run(
        lambda core: core.file_notice(
            notice, (), node.now_us(), officer="ada", desk="watch", amend=amend
        )
    )


def open_it(node: SimNode, notice: str) -> None:
    """An officer looks at a notice."""
    node.run(
        lambda core: (
            None,
            core.open_notice(notice, node.now_us(), officer="bo", desk="general"),
        )
    )


def cancel(node: SimNode, notice: str) -> None:
    """Cancel a notice."""
    node.run(
        lambda core: core.cancel_notice(notice, "done", node.now_us(), officer="ada", desk="watch")
    )


@pytest.fixture
def told() -> tuple[Room, SimNode, SimNode]:
    """North filed A-1, south has it and opened it, north took it back."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    talk(room, north, south)
    open_it(south, "north:A-1")
    talk(room, north, south)
    cancel(north, "north:A-1")
    talk(room, north, south)
    return room, north, south


def test_timeline_of_own_notice_tells_every_step(told: tuple[Room, SimNode, SimNode]) -> None:
    """Filed by whom, signed, delivered, opened at which desk, cancelled why: oldest first."""
    _, north, _ = told
    found = history.timeline(north.running, "A-1")
    assert (found.id, found.party) == ("north:A-1", "north")
    assert [(row.kind, row.party, row.officer, row.version) for row in found.rows] == [
        ("filed", "north", "ada", 1),
        ("signed", "north", None, 1),
        ("delivered", "south", None, 1),
        ("opened", "south", None, 1),
        ("filed", "north", "ada", 2),
        ("cancelled", "north", None, 2),
        ("delivered", "south", None, 2),
    ]
    assert found.rows[3].desk == "general"
    assert found.rows[5].values["reason"] == "done"
    entries = [row.entry for row in found.rows]
    assert entries == sorted(entry for entry in entries if entry is not None)


def test_timeline_of_a_peers_notice_names_our_officer_who_opened_it(
    told: tuple[Room, SimNode, SimNode],
) -> None:
    """The name stays in this ledger; what the peer was told is the desk only."""
    _, _, south = told
    rows = history.timeline(south.running, "north:A-1").rows
    assert [row.kind for row in rows] == [
        "received",
        "delivered",
        "opened",
        "opened-told",
        "cancelled",
        "delivered",
    ]
    assert (rows[2].officer, rows[2].desk, rows[2].version) == ("bo", "general", 1)
    assert (rows[3].officer, rows[3].desk) == (None, "general")


def test_timeline_tells_of_a_conflict_its_acknowledgement_and_its_end() -> None:
    """What was found, who saw it, and whose new version ended it."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
    for node in (north, south):
        node.run(
            lambda core: core.file_notice(notice, (), room.timeline.now_us, officer="o", desk="d")
        )
    talk(room, north, south)
    (alarm,) = alarms.alarm_rows(north.running, (), north.now_us())
    north.act(
        lambda core: alarms.acknowledge(
            core, [alarm.id], (), north.now_us(), officer="ada", desk="watch", role="watch"
        )
    )
    cancel(south, "south:A-1")
    talk(room, north, south)
    rows = [
        row
        for row in history.timeline(north.running, "A-1").rows
        if row.kind.startswith(("conflict", "alarm"))
    ]
    assert [row.kind for row in rows] == ["conflict", "alarm-acknowledged", "conflict-resolved"]
    assert rows[0].values["with"] == "south:A-1"
    assert (rows[1].officer, rows[1].values["alarm"]) == ("ada", alarm.id)
    assert (rows[2].party, rows[2].values["by"], rows[2].entry) == ("south", "south:A-1", None)
    other = history.timeline(south.running, "A-1").rows
    assert {"conflict", "conflict-resolved"} <= {row.kind for row in other}
    assert "alarm-acknowledged" not in {row.kind for row in other}


def test_timeline_of_a_waiting_notice_has_its_filing() -> None:
    """A notice that nobody could be told yet has a history all the same."""
    room = Room()
    north, _ = room.nodes()
    file(room, north, "A-1")
    assert [row.kind for row in history.timeline(north.running, "A-1").rows] == ["filed"]


def test_timeline_of_a_refused_version_says_by_which_rule() -> None:
    """A version that the peer refused is in its own timeline as refused, with the rule."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    talk(room, north, south)
    south.running.state.notices["north:A-1"].latest.cancel = True  # south remembers it wrongly
    file(room, north, "A-1", amend=True)
    talk(room, north, south)
    refused = [row for row in history.timeline(north.running, "A-1").rows if row.kind == "refused"]
    assert [(row.party, row.values["rule"]) for row in refused] == [("south", "notice-cancelled")]


def test_proof_names_entry_checkpoint_and_receipt(told: tuple[Room, SimNode, SimNode]) -> None:
    """For each statement: where it is here, under which head, and where the recipient has it."""
    _, north, south = told
    found = history.proof(north.running, "A-1")
    assert (found.id, found.version, found.exercise) == ("north:A-1", 2, True)
    (one,) = found.statements
    entry = north.running.journal.entry_of(one.id)
    assert entry is not None
    assert (one.entry, one.recipient, one.type) == (entry.index, "south", "activity/cancel")
    there = south.running.journal.entry_of(one.id)
    assert there is not None
    assert one.receipt is not None
    assert (one.receipt.entry, one.receipt.party) == (there.index, "south")
    assert one.receipt.checkpoint.origin == "detente/south/log/1"
    assert one.receipt.checkpoint.size > there.index
    assert one.digest == north.running.state.notices["north:A-1"].latest.body_digest


def test_proof_checkpoint_is_a_head_of_this_log_beyond_the_statement() -> None:
    """The head shown covers the entry, says when it was signed, and is the tree's own at that size."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    talk(room, north, south)
    north.act(lambda core: core.checkpoint(north.now_us()))
    (one,) = history.proof(north.running, "A-1").statements
    assert one.checkpoint is not None
    assert (one.checkpoint.origin, one.checkpoint.size) == (
        "detente/north/log/1",
        north.running.tree.size,
    )
    assert one.checkpoint.size > one.entry
    assert one.checkpoint.root == north.running.tree.root().hex()
    assert one.checkpoint.time is not None


def test_proof_without_a_checkpoint_says_so() -> None:
    """Before the first head that covers it, a statement is shown without one."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    (one,) = history.proof(north.running, "A-1").statements
    assert (one.checkpoint, one.receipt) == (None, None)


def test_proof_of_a_waiting_notice_says_that_nothing_is_signed() -> None:
    """There is nothing to prove before a line has opened, and the error says so."""
    room = Room()
    north, _ = room.nodes()
    file(room, north, "A-1")
    with pytest.raises(UsageError, match="nothing signed"):
        history.proof(north.running, "A-1")


def test_timeline_of_an_unknown_notice_is_an_error() -> None:
    """A name that is not in the record is refused, never answered with an empty list."""
    room = Room()
    north, _ = room.nodes()
    with pytest.raises(UsageError, match="notice id"):
        history.timeline(north.running, "A-9")


def test_timeline_tells_what_was_said_beside_a_notice_each_in_its_own_kind() -> None:
    """Requests, answers, steps up, messages and calls about a notice stand in its history on both sides."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    talk(room, north, south)
    who = {"officer": "ada", "desk": "watch"}
    about = {**who, "exercise": True, "about": "north:A-1"}
    thread = Thread("north:A-1", "notice", 1)
    north.run(lambda core: cease.ask_cease(core, {"reason": "fire"}, [], north.now_us(), **about))
    emergency = {"kind": "hit", "at": "2031-05-04T12:00:00Z", "place": None}
    north.run(lambda core: cease.say_emergency(core, emergency, [], north.now_us(), **about))
    words = {"desk": "cell", "language": "en", "precedence": "routine", "text": "keep clear"}
    north.run(
        lambda core: core.say(
            *("talk/message", words, [], north.now_us()), **who, exercise=True, thread=thread
        )
    )
    call = {
        "line": "red-phone",
        "desk": "cell",
        "language": "en",
        "summary": "keep clear",
        "began": "2031-05-04T12:00:00Z",
        "ended": "2031-05-04T12:05:00Z",
        "answered_after_s": 10,
        "held_s": 0,
    }
    north.run(
        lambda core: conversation.record_call(
            core, call, thread, [], north.now_us(), exercise=True, **who
        )
    )
    talk(room, north, south)
    room.wait(31)
    for node in (north, south):
        node.run(lambda core, node=node: (None, cease.escalate(core, node.now_us())))
    asked, crash = south.running.state.urgent.known
    (message,) = south.running.state.talk.messages
    (record,) = south.running.state.talk.calls
    south.run(
        lambda core: cease.reply_to_cease(
            core, asked, "ceasing", south.now_us(), text="at once", **who
        )
    )
    south.run(lambda core: cease.cease_effective(core, asked, south.now_us(), **who))
    south.run(lambda core: cease.reply_to_emergency(core, crash, "heard", south.now_us(), **who))
    south.run(
        lambda core: conversation.answer_message(
            core, message, "wilco", None, south.now_us(), **who
        )
    )
    south.run(lambda core: conversation.agree_call(core, record, True, None, south.now_us(), **who))
    talk(room, north, south)
    for node in (north, south):
        rows = history.timeline(node.running, "north:A-1").rows
        by_kind = {row.kind: row for row in rows}
        assert {
            *("cease", "cease-reply", "cease-effective", "emergency", "emergency-reply"),
            *("escalated", "message", "answer", "call", "call-agreed"),
        } <= set(by_kind)
        assert "other" not in by_kind
        assert [row.kind for row in rows].count("escalated") == 2
        assert by_kind["cease-reply"].values["text"] == "at once"
        assert (by_kind["cease-reply"].version, by_kind["cease"].version) == (None, 1)
        assert {by_kind[one].values["about"] for one in ("cease-reply", "cease-effective")} == {
            asked
        }
        assert by_kind["emergency"].values["emergency"] == "hit"
        assert (by_kind["escalated"].party, by_kind["escalated"].values["step"]) == ("south", 1)
        assert by_kind["message"].values["to_desk"] == "cell"
        of = {row.values["of"] for row in rows if row.kind == "delivered"}
        assert {"activity/notice", "hotline/cease", "hotline/emergency", "talk/message"} <= of

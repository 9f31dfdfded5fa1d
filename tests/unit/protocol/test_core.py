"""The core: what officers file is durable, waits for its line, and goes out in order."""

from __future__ import annotations

import pytest

from detente.errors import RefusedError, UnavailableError, UsageError
from detente.protocol import core as core_module
from detente.protocol.core import BODY_BYTES, SIGNED_AT_ONCE, Filed
from detente.protocol.effect import Alert, Send
from detente.simulation.check import check_healed
from detente.simulation.node import Crashed, SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room

DESK = {"officer": "o", "desk": "watch"}


def file(room: Room, node: SimNode, name: str, *to: str, amend: bool = False, exercise: bool = True) -> Filed:  # fmt: skip
    """File a notice that the seed draws."""
    notice = random_notice(name, room.chance, node.now_us(), exercise=exercise)
    return node.run(
        lambda core: core.file_notice(
            notice, to, node.now_us(), officer="o", desk="watch", amend=amend
        )
    )


def cancel(node: SimNode, notice_id: str) -> Filed:
    """Cancel a notice."""
    return node.run(
        lambda core: core.cancel_notice(notice_id, "done", node.now_us(), officer="o", desk="watch")
    )


def talk(room: Room, one: SimNode, other: SimNode, times: int = 3) -> None:
    """Exchange until nothing is under way."""
    for _ in range(times):
        converse(one, other)
        room.wait(3)


def codes(error: pytest.ExceptionInfo[Exception]) -> str:
    """The stable name of an error."""
    return str(getattr(error.value, "code", ""))


def test_file_notice_on_a_cold_line_waits_unsigned() -> None:
    """Nothing is signed before heads were compared; the filing is durable all the same."""
    room = Room()
    north, south = room.nodes()
    filed = file(room, north, "A-1")
    assert filed.signed == ()
    assert filed.version == 1
    assert north.running.state.heads(True, "south")["ordinary"].sequence == 0
    north.crash()
    north.start()
    assert [i.thread["id"] for i in north.running.intents.values() if i.thread] == ["north:A-1"]
    talk(room, north, south)
    assert "north:A-1" in south.running.state.notices
    assert north.running.intents == {}


def test_file_notice_on_an_open_line_is_signed_at_once() -> None:
    """With an open line the statement and its effect are there when the filing returns."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    notice = random_notice("A-1", room.chance, north.now_us(), exercise=True)
    filed, effects = north.running.file_notice(notice, (), north.now_us(), **DESK)  # type: ignore[arg-type]
    assert filed.signed == ("south",)
    assert Send("south") in effects
    assert north.running.state.notices["north:A-1"].latest.statements.keys() == {"south"}


def test_file_notice_to_two_goes_to_each_when_its_line_opens() -> None:
    """One recipient being away delays nobody else, and both get one body."""
    room = Room(3)
    north, south, east = room.nodes()
    talk(room, north, south)
    filed = file(room, north, "A-1")
    assert filed.signed == ("south",)
    talk(room, north, south)
    assert "north:A-1" in south.running.state.notices
    talk(room, north, east)
    digests = {n.running.state.notices["north:A-1"].latest.body_digest for n in (south, east)}
    assert len(digests) == 1
    assert north.running.intents == {}


def test_versions_filed_while_a_line_is_down_arrive_in_order() -> None:
    """What was filed first is signed first, so that no version overtakes another."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    file(room, north, "A-1", amend=True)
    file(room, north, "A-1", amend=True)
    talk(room, north, south)
    assert south.running.state.notices["north:A-1"].latest.number == 3
    assert list(check_healed([north, south])) == []


def test_safety_filed_last_is_signed_first() -> None:
    """F-SEND-5: A cease request that waited with a thousand notices does not wait behind them."""
    room = Room()
    north, south = room.nodes()
    for number in range(3):
        file(room, north, f"A-{number}")
    north.run(
        lambda core: core.say(
            "hotline/cease", {"reason": "stop"}, (), north.now_us(), exercise=True, **DESK
        )
    )
    talk(room, north, south)
    order = [
        entry.header.type
        for entry, _, statement, _ in north.running.journal.replay()
        if statement is not None and entry.header.kind == "made"
    ]
    assert order[0] == "hotline/cease"
    assert south.running.state.ceases[0]["reason"] == "stop"


def test_sign_waiting_signs_so_many_at_once_and_the_rest_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F-SEND-5: A long queue goes out in slices, in order, and a new filing does not overtake it."""
    monkeypatch.setattr(core_module, "SIGNED_AT_ONCE", 2)
    assert SIGNED_AT_ONCE == 64
    room = Room()
    north, south = room.nodes()
    for number in range(5):
        file(room, north, f"A-{number}")
    answer = south.serve(north.write("south"))
    assert answer is not None
    north.take(answer)
    assert len(north.running.intents) == 3
    late = file(room, north, "A-4", amend=True)
    assert late.signed == ()
    talk(room, north, south, 6)
    assert south.running.state.notices["north:A-4"].latest.number == 2
    assert list(check_healed([north, south])) == []


def test_cancel_of_a_notice_that_waits_goes_out_after_it() -> None:
    """An officer can cancel what no line has carried yet; both arrive, and the cancellation stands."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    assert cancel(north, "north:A-1").version == 2
    with pytest.raises(RefusedError) as caught:
        cancel(north, "north:A-1")
    assert codes(caught) == "notice-cancelled"
    with pytest.raises(RefusedError) as caught:
        file(room, north, "A-1", amend=True)
    assert codes(caught) == "notice-cancelled"
    talk(room, north, south)
    assert south.running.state.notices["north:A-1"].cancelled
    assert list(check_healed([north, south])) == []


def test_cancel_keeps_the_exercise_flag_of_a_waiting_notice() -> None:
    """S-ANS-4: a cancellation is of the kind of what it cancels, also before that was signed."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1", exercise=False)
    file(room, north, "A-2", exercise=True)
    cancel(north, "north:A-1")
    cancel(north, "north:A-2")
    with pytest.raises(RefusedError):
        file(room, north, "A-2", amend=True, exercise=False)
    talk(room, north, south)
    assert list(check_healed([north, south])) == []


def test_file_notice_same_id_twice_is_refused_with_the_way_out() -> None:
    """A new notice must have a new id; an amendment must have an old one."""
    room = Room()
    north = room.node(0)
    file(room, north, "A-1")
    with pytest.raises(UsageError) as caught:
        file(room, north, "A-1")
    assert codes(caught) == "notice-exists"
    assert "amend" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        file(room, north, "A-2", amend=True)
    assert codes(caught) == "notice-unknown"


@pytest.mark.parametrize("to", ["north", "mars"])
def test_file_notice_to_ourselves_or_a_stranger_is_refused(to: str) -> None:
    """A recipient is another party of the agreement."""
    room = Room()
    with pytest.raises(UsageError) as caught:
        file(room, room.node(0), "A-1", to)
    assert codes(caught) == "recipient-unknown"


def test_say_what_no_peer_could_take_is_refused() -> None:
    """A statement over the size of a message would block its chain for ever."""
    room = Room()
    north = room.node(0)

    def say(type_: str, values: dict[str, object]) -> None:
        north.run(lambda core: core.say(type_, values, (), north.now_us(), exercise=True, **DESK))

    with pytest.raises(UsageError) as caught:
        say("hotline/cease", {"reason": "x" * BODY_BYTES})
    assert codes(caught) == "statement-too-large"
    with pytest.raises(RefusedError):
        say("hotline/cease", {"reason": "x" * 5000})
    with pytest.raises(UsageError) as caught:
        say("hotline/unheard-of", {})
    assert codes(caught) == "type-unknown"
    assert north.running.intents == {}
    assert north.running.tree.size == 1


def test_disk_full_filing_is_not_taken_and_nothing_is_left_of_it() -> None:
    """A full disk refuses the officer; afterwards the same filing is taken as if it were the first."""
    room = Room()
    north = room.node(0)
    north.disk.full = True
    with pytest.raises(UnavailableError):
        file(room, north, "A-1")
    north.disk.full = False
    assert north.running.state.filed_versions == {}
    assert file(room, north, "A-1").version == 1


def test_disk_full_receiver_answers_nothing_and_gets_it_again() -> None:
    """S-ANS-1: what cannot be made durable is not acknowledged; the sender keeps it and tries again."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    south.disk.full = True
    with pytest.raises(UnavailableError):
        south.serve(north.write("south"))
    assert "north:A-1" not in south.running.state.notices
    south.disk.full = False
    room.wait(5)
    talk(room, north, south)
    assert list(check_healed([north, south])) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_crash_at_a_commit_loses_and_doubles_nothing(when: str) -> None:
    """F-EX-1, S-ANS-1: a receiver that dies around its commit has either nothing or statement, entry and receipt."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    data = north.write("south")
    south.crash_at = lambda: when
    with pytest.raises(Crashed):
        south.serve(data)
    south.crash_at = lambda: None
    south.start()
    has = "north:A-1" in south.running.state.notices
    assert has == (when == "after")
    assert (south.running.state.head(True, "north", "ordinary").sequence == 1) == has
    room.wait(5)
    talk(room, north, south)
    assert list(check_healed([north, south])) == []


def test_receipt_quotes_leaf_proof_and_signed_checkpoint() -> None:
    """S-ANS-3: the receipt proves by the receiver's log that the statement is in it."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    talk(room, north, south)
    (receipt,) = north.running.state.receipts.values()
    found = north.running.journal.statement(receipt.receipt)
    assert found is not None
    values = {name: value for name, (_, value) in found[1].items()}
    entry = south.running.journal.entry_of(receipt.statement)
    assert entry is not None
    assert values["statement"] == receipt.statement
    assert values["leaf"]["header"]["index"] == values["proof"]["index"] == entry.index
    assert values["proof"]["checkpoint"].startswith("detente/south/log/1\n")
    assert values["answer"] == "delivered"


def test_open_notice_is_said_once_and_only_on_an_open_line() -> None:
    """S-ANS-5: a notice is opened once for its maker, however often it is shown."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    file(room, north, "A-1")
    talk(room, north, south)

    def show() -> list[object]:
        return list(south.running.open_notice("north:A-1", south.now_us(), **DESK))

    assert show() == [Send("north")]
    assert show() == []
    talk(room, north, south)
    (receipt,) = north.running.state.receipts.values()
    assert receipt.opened_desk == "watch"
    with pytest.raises(UsageError):
        south.running.open_notice("north:A-9", south.now_us(), **DESK)


def test_alarm_once_of_the_same_thing_is_recorded_once() -> None:
    """A peer that repeats a wrong fills neither ledger nor screen."""
    room = Room()
    core = room.node(0).running
    first = core.alarm_once(1_000_000, "chain-fork", "twice 3", "south")
    assert first == [Alert("chain-fork", "twice 3", "south")]
    assert core.alarm_once(2_000_000, "chain-fork", "twice 3", "south") == []
    assert len(core.alarm_once(3_000_000, "chain-fork", "twice 4", "south")) == 1
    assert len(core.state.alarms) == 2

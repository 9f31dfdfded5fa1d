"""A node restored from an old backup: noticed before it signs, and mended without anyone being called a liar."""

from __future__ import annotations

import contextlib

import msgspec
import pytest

from detente.errors import UnavailableError, UsageError
from detente.ledger.checkpoint import sign_checkpoint
from detente.protocol import cease as urgent
from detente.protocol import views
from detente.protocol.audit import audit
from detente.protocol.core import Filed
from detente.protocol.incoming import newest_seen, start_recovery
from detente.protocol.link import Head
from detente.signing.key import SEED_BYTES
from detente.signing.simulated import KeyedHashKeys
from detente.simulation.check import check_healed, common_notices, live_conflicts
from detente.simulation.faults import parse_faults
from detente.simulation.node import Crashed, SimNode
from detente.simulation.officer import random_notice
from detente.simulation.party import DAY_US
from detente.simulation.room import Room
from detente.simulation.world import MINUTE_US, World
from detente.units import US_PER_S

WHO = {"officer": "o", "desk": "watch"}


def file(room: Room, node: SimNode, name: str, *, amend: bool = False) -> Filed:
    """File a notice that the seed draws."""
    notice = random_notice(name, room.chance, node.now_us(), exercise=True)
    return node.run(
        lambda core: core.file_notice(
            notice, (), node.now_us(), officer="o", desk="watch", amend=amend
        )
    )


def cease(node: SimNode) -> tuple[str, ...]:
    """File a cease request."""
    return node.run(
        lambda core: core.say(
            "hotline/cease", {"reason": "stop"}, (), node.now_us(), exercise=True, **WHO
        )
    )


def alarms(node: SimNode) -> list[str]:
    """The codes of the alarms in a node's ledger."""
    return [alarm.code for alarm in node.running.state.alarms]


def recover(node: SimNode) -> None:
    """The operator decides to recover."""
    node.act(lambda core: start_recovery(core, node.now_us()))


def lost_day(room: Room) -> tuple[SimNode, SimNode, object]:
    """Two nodes after a day, of which north's later half is not in its backup."""
    north, south = room.nodes()
    file(room, north, "A-1")
    file(room, south, "B-1")
    room.talk(north, south)
    backup = north.disk.snapshot()
    file(room, north, "A-2")
    file(room, north, "A-1", amend=True)
    file(room, south, "B-2")
    cease(north)
    cease(south)
    room.talk(north, south)
    return north, south, backup


def test_restore_old_backup_is_noticed_before_anything_is_signed() -> None:
    """F-STATE-1: The first exchange shows the loss by north's own signatures; nothing new carries an old number."""
    room = Room()
    north, south, backup = lost_day(room)
    before = south.running.state.heads(False, "north")
    north.restore(backup)
    filed = file(room, north, "A-9")
    assert filed.signed == ()
    file(room, south, "B-3")
    room.talk(north, south)
    core = north.running
    assert core.fault == "behind"
    assert core.link("south").state == "behind"
    assert alarms(north) == ["behind"]
    assert south.running.state.heads(False, "north") == before
    assert core.state.head(True, "south", "ordinary").sequence < before["ordinary"].sequence
    assert [intent.waiting for intent in core.intents.values()] == [("south",)]
    assert "north:A-9" not in core.state.notices
    assert core.state.notices.get("south:B-3") is None, "what cannot be answered is not taken"
    assert alarms(south) == ["peer-behind"]


def test_restore_fault_survives_a_restart() -> None:
    """F-REC-1: A node that was told it is behind does not forget it by being started again."""
    room = Room()
    north, south, backup = lost_day(room)
    north.restore(backup)
    room.talk(north, south)
    north.crash()
    north.start()
    assert north.running.fault == "behind"
    assert file(room, north, "A-9").signed == ()


def test_restore_on_a_full_disk_is_noticed_once_there_is_room() -> None:
    """A loss that cannot be written down is not half known: the line is behind only with its alarm."""
    room = Room()
    north, south, backup = lost_day(room)
    north.restore(backup)
    for _ in range(4):
        north.disk.full = True
        data = south.serve(north.write("south"))
        assert data is not None
        with contextlib.suppress(UnavailableError):
            north.take(data)
    assert north.running.link("south").state == "cold"
    assert north.running.fault is None
    north.disk.full = False
    room.talk(north, south)
    assert alarms(north) == ["behind"]
    assert north.running.fault == "behind"


def test_recovery_brings_back_what_was_lost_in_a_new_epoch() -> None:
    """After `recover` both records agree again, under a new log, and nobody is called a liar."""
    room = Room()
    north, south, backup = lost_day(room)
    ours = {s.id for s, _ in _made(north)}
    north.restore(backup)
    room.talk(north, south)
    file(room, north, "A-9")
    first = north.running.tree.size
    recover(north)
    room.talk(north, south)
    core = north.running
    assert core.fault is None
    assert core.origin == "detente/north/log/2"
    assert core.epochs == [0, first]
    assert ours <= {s.id for s, _ in _made(north)}
    assert core.state.notices["north:A-9"].latest.number == 1
    assert core.state.notices["north:A-1"].latest.number == 2
    assert list(check_healed([north, south])) == []
    assert set(alarms(north)) == {"behind"}
    assert set(alarms(south)) == {"peer-behind"}
    assert "chain-fork" not in south.disk.evidence_counts()
    common = common_notices(core, south.running)
    assert common == {"north:A-1", "north:A-2", "north:A-9", "south:B-1", "south:B-2"}
    assert live_conflicts(core, common) == live_conflicts(south.running, common)


def test_recovery_survives_a_restart_half_way() -> None:
    """A crash between two steps of a recovery loses none of them, and ends it no sooner."""
    room = Room()
    north, south, backup = lost_day(room)
    north.restore(backup)
    room.talk(north, south)
    recover(north)
    north.crash()
    north.start()
    assert north.running.fault == "behind"
    before = views.projection(north.running)
    assert views.projection(north.load()) == before
    room.talk(north, south)
    assert north.running.fault is None
    assert list(check_healed([north, south])) == []


def test_recovery_filing_that_was_said_before_is_not_said_twice() -> None:
    """F-REC-2: A filing that waits in the backup and was signed after it comes back once, not twice."""
    room = Room()
    north, south = room.nodes()
    filed = file(room, north, "A-1")
    cease(north)
    assert filed.signed == ()  # the line is cold: both wait
    backup = north.disk.snapshot()
    room.talk(north, south)
    north.restore(backup)
    assert len(north.running.intents) == 2
    room.talk(north, south)
    recover(north)
    room.talk(north, south)
    assert north.running.intents == {}
    assert list(check_healed([north, south])) == []
    types = [s.type for s, _ in _made(north)]
    assert types.count("activity/notice") == 1
    assert types.count("hotline/cease") == 1


def test_recovery_filing_under_a_lost_name_is_dropped_aloud() -> None:
    """F-REC-3: A new filing that would contradict a lost one is not sent: the honest node must not equivocate."""
    room = Room()
    north, south, backup = lost_day(room)
    north.restore(backup)
    file(room, north, "A-2")  # the officer cannot know that A-2 was said
    room.talk(north, south)
    recover(north)
    room.talk(north, south)
    assert "filing-clash" in alarms(north)
    assert alarms(south) == ["peer-behind"]
    assert list(check_healed([north, south])) == []


def test_restore_frame_from_before_the_loss_opens_no_line() -> None:
    """F-CUR-1: A replayed frame that agrees with the old record does not make a restored node sign."""
    # 1. North is restored from a backup that lacks its last statements.
    # 2. Mallory replays a frame of south's from before them; its heads agree with the backup.
    # 3. If that opened the line, north would sign a second statement under a used number.
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    room.talk(north, south)
    backup = north.disk.snapshot()
    old = south.write("north")
    file(room, north, "A-2")
    room.talk(north, south)
    north.restore(backup)
    file(room, north, "A-3")
    north.take(old)
    core = north.running
    assert core.link("south").state == "cold"
    assert next(iter(core.intents.values())).waiting == ("south",)
    room.talk(north, south)
    assert core.fault == "behind"


def test_restore_cold_node_signs_no_receipt() -> None:
    """F-STATE-1, F-STATE-2: A restored node that gets a message before heads agree takes nothing: a receipt is a new number too."""
    room = Room()
    north, south, backup = lost_day(room)
    file(room, south, "B-9")
    north.restore(backup)
    made = north.running.state.heads(True, "south")
    north.serve(south.write("north"))
    assert north.running.state.heads(True, "south") == made
    assert "south:B-9" not in north.running.state.notices


def test_restore_both_sides_at_once_mend_each_other() -> None:
    """Two stale backups on one line: each gets its own statements back from the other."""
    room = Room()
    north, south, backup = lost_day(room)
    stale = south.disk.snapshot()
    file(room, south, "B-8")
    room.talk(north, south)
    north.restore(backup)
    south.restore(stale)
    room.talk(north, south)
    assert north.running.fault == "behind"
    recover(north)
    room.talk(north, south)
    assert north.running.fault is None
    assert list(check_healed([north, south])) == []


def test_restore_receiver_only_gets_the_statements_again() -> None:
    """A node whose backup lacks only what it received is not behind: it asks, and answers anew."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    room.talk(north, south)
    backup = south.disk.snapshot()
    file(room, north, "A-2")
    south.serve(north.write("south"))  # the answer, with south's receipt in it, never arrives
    south.restore(backup)
    room.talk(north, south)
    assert south.running.fault is None
    assert "north:A-2" in south.running.state.notices
    assert list(check_healed([north, south])) == []
    assert alarms(north) == []


def test_recover_node_that_lost_nothing_is_refused() -> None:
    """A healthy record opens no new epoch."""
    room = Room()
    north, south = room.nodes()
    room.talk(north, south)
    with pytest.raises(UsageError) as caught:
        recover(north)
    assert caught.value.code == "not-behind"
    assert north.running.epochs == [0]


def test_recovery_openings_stripped_by_the_peer_are_not_taken() -> None:
    """F-REC-4: A peer cannot give back our own notice without its words and so erase them from our record."""
    room = Room()
    north, south, backup = lost_day(room)
    full = [(s, o) for s, o in _made(north) if s.thread and s.thread.id == "north:A-2"]
    north.restore(backup)
    room.talk(north, south)
    recover(north)
    liar = room.liar(1, north)
    made = south.running.state.heads(False, "north")
    stripped = [liar.seal(s, {}) for s, _ in full]
    sent = south.running.state.heads(True, "north")
    north.take(liar.frame(received=made, sent=sent, known=sent, lost=tuple(stripped)))
    assert "north:A-2" not in north.running.state.notices
    assert north.disk.evidence_counts()["openings-wrong"] == 1
    room.talk(north, south)
    assert list(check_healed([north, south])) == []


def test_recovery_leaves_of_both_epochs_verify() -> None:
    """Every leaf is salted by the epoch it was written in, so the audit of the whole ledger holds."""
    room = Room()
    north, south, backup = lost_day(room)
    north.restore(backup)
    room.talk(north, south)
    recover(north)
    room.talk(north, south)
    found = audit(north.running)
    assert found["problems"] == []
    first = north.running.epochs[1]
    assert north.running.leaf_seed(first - 1) != north.running.leaf_seed(first)
    assert audit(north.load())["consistent"]


def test_fork_of_our_own_is_shown_to_both_and_the_line_is_heard_only() -> None:
    """F-STATE-2, F-SEND-4: a node tricked into signing a number twice sees it proved, and still hears a cease."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    room.talk(north, south)
    backup = north.disk.snapshot()
    file(room, north, "A-2")
    room.talk(north, south)
    north.restore(backup)
    file(room, north, "A-3")
    # a south that hides what it holds makes the restored node sign a used number
    liar = room.liar(1, north)
    liar.heads = south.running.state.heads(True, "north")
    liar.send(received=north.running.state.heads(True, "south"))
    assert north.running.intents == {}
    north.crash()
    north.start()
    room.talk(north, south)
    assert north.running.link("south").state == "forked"
    assert alarms(north) == ["forked"]
    assert alarms(south) == ["chain-fork"]
    made = north.running.state.heads(True, "south")
    cease(south)
    room.talk(north, south)
    assert [one["party"] for one in north.running.state.ceases] == ["south"]
    assert north.running.state.heads(True, "south") == made
    assert file(room, north, "A-4").signed == ()
    assert alarms(north) == ["forked"]
    assert alarms(south) == ["chain-fork"]
    assert audit(north.running)["problems"] == []


def test_recovery_statement_that_follows_another_history_is_not_appended() -> None:
    """A recovery keeps the chain whole: a statement whose previous one is not our head is left out."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    room.talk(north, south)
    backup = north.disk.snapshot()
    for name in ("A-2", "A-3"):
        file(room, north, name)
        room.talk(north, south)
    third = [(s, o) for s, o in _made(north) if s.thread and s.thread.id == "north:A-3"]  # type: ignore[attr-defined]
    north.restore(backup)
    file(room, north, "A-9")
    liar = room.liar(1, north)
    liar.heads = south.running.state.heads(True, "north")
    liar.send(received=north.running.state.heads(True, "south"))  # north signs a second number 2
    (statement, openings) = third[0]
    held = {"safety": Head(), "ordinary": Head(statement.sequence, statement.id)}  # type: ignore[attr-defined]
    lost = (liar.seal(statement, openings),)  # type: ignore[arg-type]
    liar.send(received=held, lost=lost)
    assert north.running.fault == "behind"
    recover(north)
    liar.send(received=held, lost=lost)
    assert "north:A-3" not in north.running.state.notices
    assert audit(north.running)["problems"] == []


def test_recovery_peer_that_withholds_the_middle_keeps_the_node_at_fault() -> None:
    """A proof of loss with a gap brings nothing back out of order; the fault stays until all is there."""
    room = Room()
    north, south, backup = lost_day(room)
    lost = [
        (s, o)
        for s, o in _made(north)
        if (s.chain, s.sequence) > ("ordinary", 0)  # type: ignore[attr-defined]
    ]
    north.restore(backup)
    liar = room.liar(1, north)
    held = south.running.state.heads(False, "north")
    sent = south.running.state.heads(True, "north")
    last = [(s, o) for s, o in lost if s.id == held["ordinary"].id]  # type: ignore[attr-defined]
    for _ in range(2):
        liar.send(received=held, sent=sent, known=sent, lost=tuple(liar.seal(*one) for one in last))  # type: ignore[arg-type]
        if north.running.fault and not north.running.state.recovering:
            recover(north)
    head = north.running.state.head(True, "south", "ordinary").sequence
    assert head < held["ordinary"].sequence
    assert north.running.fault == "behind"
    room.talk(north, south)
    assert north.running.fault is None


BAD = "loss,duplication,reordering,partition,crash,torn-write,disk-full,clock-skew"


@pytest.mark.parametrize(("seed", "parties"), [(1, 2), (15, 2), (23, 2), (6, 3)])
def test_restore_in_the_middle_of_a_bad_day_is_mended(seed: int, parties: int) -> None:
    """Under all faults an old backup is noticed, recovered and mended, and nobody is called a liar."""
    world = World(seed, parties, parse_faults(BAD), every_s=60)
    north = world.nodes["north"]
    world.run(10 * MINUTE_US)
    north.disk.rollback()
    backup = north.disk.snapshot()
    world.run(8 * MINUTE_US)
    world.restore("north", backup)
    for step in range(60):
        if step == 30:
            world.heal(0)  # the faults end here
        world.run(20 * US_PER_S)
        if north.core is not None and north.core.fault and not north.core.state.recovering:
            with contextlib.suppress(Crashed, UnavailableError):
                recover(north)
    world.heal()
    assert list(check_healed(world.party_nodes)) == []
    for node in world.party_nodes:
        assert set(alarms(node)) <= {"behind", "peer-behind", "filing-clash"}
        assert set(node.disk.evidence_counts()) <= {"head-unproven"}
    assert "behind" in alarms(north)


def _made(node: SimNode) -> list[tuple[object, object]]:
    return [
        (statement, openings)
        for entry, _, statement, openings in node.running.journal.replay()
        if statement is not None and entry.header.kind == "made"
    ]


def test_restore_reply_that_no_longer_fits_is_given_up_aloud() -> None:
    """What an officer answered before the loss was known waits, and does not follow what had been said: it is not sent, and the record is mended."""
    room = Room()
    north, south = room.nodes()
    room.talk(north, south)
    cease(north)
    room.talk(north, south)
    backup = south.disk.snapshot()
    (asked,) = south.running.state.urgent.known
    south.run(lambda core: urgent.cease_effective(core, asked, south.now_us(), **WHO))
    room.talk(north, south)
    south.restore(backup)
    south.run(lambda core: urgent.reply_to_cease(core, asked, "ceasing", south.now_us(), **WHO))
    room.talk(north, south)
    recover(south)
    room.talk(north, south)
    assert south.running.fault is None
    assert not south.running.intents
    assert alarms(south) == ["behind", "filing-clash"]
    for node in (north, south):
        assert node.running.state.urgent.known[asked].status == "effective"


def test_restore_from_before_a_key_was_replaced_is_noticed_and_recovers() -> None:
    """F-HEAD-1: a key that replaced another since the backup is lost with what it signed; the root's own certificate, sent back, proves it."""
    room = Room()
    north, south = room.nodes()
    file(room, north, "A-1")
    room.talk(north, south)
    backup = north.disk.snapshot()
    old = north.party.identity
    new = KeyedHashKeys(b"n" * SEED_BYTES)
    certificate = north.party.certify(new, 2, north.now_us(), north.now_us() + 4000 * DAY_US)
    north.run(
        lambda core: core.say(
            "policy/key-certificate",
            {"certificate": certificate},
            (),
            north.now_us(),
            exercise=True,
            **WHO,
        )
    )
    north.use_keys(msgspec.structs.replace(old, signer=new))
    file(room, north, "A-2")
    cease(north)
    room.talk(north, south)
    north.use_keys(old)
    north.restore(backup)
    room.talk(north, south)
    assert north.running.fault == "behind"
    recover(north)
    room.talk(north, south)
    assert north.running.fault is None
    assert "north:A-2" in north.running.state.notices
    file(room, north, "A-3")
    room.talk(north, south)
    assert "north:A-3" in south.running.state.notices
    for node in (north, south):
        assert audit(node.running)["problems"] == []


def test_recovery_says_which_head_of_the_old_log_others_have_seen() -> None:
    """F-REC-5: the first entry of the new log links the old one; only a head that our own key signed counts."""
    room = Room()
    north, south, backup = lost_day(room)
    core = north.running
    lost = core.checkpoint(north.now_us())
    size, origin = core.tree.size, core.origin
    north.restore(backup)
    room.talk(north, south)
    forged = sign_checkpoint(
        south.party.identity.signer, origin, size + 9, bytes(32), north.now_us() // US_PER_S
    )
    notes = {"south": lost, "witness": forged, "east": "nonsense"}
    seen = newest_seen(north.running, notes)
    assert seen is not None
    assert (seen["size"], seen["by"], seen["note"]) == (size, "south", lost)
    north.act(lambda core: start_recovery(core, north.now_us(), seen))
    (entry,) = (e.local for e, *_ in north.running.journal.replay() if e.header.type == "log/epoch")
    assert entry is not None
    assert entry["seen"] == seen
    assert entry["here"]["origin"] == origin
    assert entry["here"]["size"] < size
    assert newest_seen(north.running, {}) is None

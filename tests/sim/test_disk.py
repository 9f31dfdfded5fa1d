"""The disk in memory keeps the promises of the real store: transactions, crashes, full disks, backups."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detente.errors import UnavailableError
from detente.ledger.leaf import LeafHeader
from detente.ledger.witness import Witnessed
from detente.protocol.journal import Entry, Evidence, Intent
from detente.protocol.statement import Statement
from detente.simulation.disk import DAY_US, Disk
from detente.simulation.room import Room


def entry(index: int) -> Entry:
    """A local entry."""
    return Entry(LeafHeader(index, "local", "note", 0), bytes(32), "local", None, {"type": "note"})


def intent(number: int, *waiting: str) -> Intent:
    """A filing."""
    return Intent(number, "t", "ordinary", True, "a", "d", None, ("x",), waiting, {}, 0)


def said(sequence: int) -> Statement:
    """A statement, by number."""
    room = Room()
    liar = room.liar(1, room.node(0))
    previous = None if sequence == 1 else "ab" * 32
    return liar.say_notice(sequence=sequence, previous=previous)[0]


def fill(disk: Disk) -> None:
    """Write one of everything."""
    first = said(1)
    disk.append(entry(0), b"leaf")
    disk.put_statement(first, {})
    disk.put_intent(intent(1, "south"))
    disk.put_checkpoint(1, "note")
    disk.put_cosignature(1, "un", "lines")
    disk.put_witnessed(Witnessed("log", 4, 9, bytes(32), "note"))
    disk.put_value("name", {"a": 1})
    disk.put_evidence(Evidence(0, "south", "code", "message", b"sample"))


def look(disk: Disk) -> list[object]:
    """Everything that can be read."""
    return [
        list(disk.replay()),
        disk.entry(0),
        disk.statement(said(1).id),
        len(disk.chain("south>north", "ordinary", 0, 9)),
        disk.intents(),
        disk.checkpoint(),
        disk.checkpoint_from(0, cosigned=True),
        disk.cosignatures(1),
        disk.witnessed("log", 4),
        disk.witnessed_before("log", 9),
        disk.witnessed_after("log", 3),
        disk.value("name"),
        disk.evidence(),
        disk.evidence_counts(),
    ]


EMPTY = look(Disk())


def test_disk_crash_forgets_what_was_not_committed_and_nothing_else() -> None:
    """A rollback gives back exactly what stood after the last commit, whatever was written since."""
    disk = Disk()
    fill(disk)
    assert look(disk) != EMPTY
    disk.rollback()
    assert look(disk) == EMPTY
    fill(disk)
    disk.commit()
    before = look(disk)
    disk.append(entry(1), b"leaf 1")
    disk.put_intent(intent(1))
    disk.put_intent(intent(2, "east"))
    disk.put_checkpoint(1, "other")
    disk.put_checkpoint(2, "newer")
    disk.put_cosignature(1, "un", "others")
    disk.put_witnessed(Witnessed("log", 4, 9, bytes(32), "other"))
    disk.put_witnessed(Witnessed("log", 5, 9, bytes(32), "newer"))
    disk.put_value("name", 5)
    disk.put_evidence(Evidence(1, "south", "code", "again", b""))
    assert look(disk) != before
    disk.rollback()
    assert look(disk) == before


@pytest.mark.parametrize(
    "write",
    [
        lambda disk: disk.append(entry(0), b""),
        lambda disk: disk.put_intent(intent(1, "x")),
        lambda disk: disk.put_checkpoint(1, ""),
        lambda disk: disk.put_witnessed(Witnessed("log", 1, 1, bytes(32), "")),
        lambda disk: disk.put_value("n", 1),
        lambda disk: disk.put_evidence(Evidence(0, "p", "c", "m", b"")),
    ],
)
def test_disk_full_refuses_each_write_and_keeps_what_is_there(
    write: Callable[[Disk], None],
) -> None:
    """A full disk raises and changes nothing; with room again the same write is taken."""
    disk = Disk()
    disk.full = True
    with pytest.raises(UnavailableError):
        write(disk)
    assert look(disk) == EMPTY
    disk.full = False
    write(disk)


def test_disk_that_fills_up_before_the_commit_keeps_nothing_of_it() -> None:
    """A commit that fails is no commit."""
    disk = Disk()
    disk.put_value("name", 1)
    disk.full = True
    with pytest.raises(UnavailableError):
        disk.commit()
    assert look(disk) == EMPTY
    disk.commit()  # nothing to write


def test_disk_snapshot_is_not_reached_by_later_writes() -> None:
    """A backup stays what it was, also when it is restored twice."""
    disk = Disk()
    fill(disk)
    disk.commit()
    before = look(disk)
    backup = disk.snapshot()
    for _ in range(2):
        disk.append(entry(1), b"leaf 1")
        disk.put_value("name", 2)
        disk.put_cosignature(1, "south", "lines")
        disk.commit()
        disk.restore(backup)
        assert look(disk) == before


def test_disk_chain_gives_statements_after_a_number_in_order() -> None:
    """`chain` starts after the number and stops at the limit, as the real store does."""
    room = Room()
    liar = room.liar(1, room.node(0))
    disk = Disk()
    for number in range(4):
        statement, openings = liar.say_notice(f"X-{number}")
        disk.put_statement(statement, openings)

    def numbers(after: int, limit: int) -> list[int]:
        return [s.sequence for s, _ in disk.chain("south>north", "ordinary", after, limit)]

    assert numbers(0, 9) == [1, 2, 3, 4]
    assert numbers(2, 9) == [3, 4]
    assert numbers(1, 2) == [2, 3]
    assert numbers(4, 9) == numbers(0, 0) == []


def test_disk_evidence_has_a_quota_by_peer_and_day_and_counts_all() -> None:
    """As the real store: samples stop at the quota, counts never do."""
    disk = Disk()
    for number in range(130):
        disk.put_evidence(Evidence(number, "south", "code", "m", b"x" * 100_000))
    disk.put_evidence(Evidence(0, "east", "code", "m", b""))
    disk.put_evidence(Evidence(DAY_US, "south", "code", "m", b""))
    assert len(disk.evidence()) == 102
    assert disk.evidence_counts() == {"code": 132}
    assert max(len(one.sample) for one in disk.evidence()) == 65_536


def test_disk_checkpoint_from_finds_the_smallest_that_covers() -> None:
    """Proofs use the first checkpoint that covers an entry, if asked a cosigned one."""
    disk = Disk()
    for size in (9, 3, 6):
        disk.put_checkpoint(size, f"note {size}")
    disk.put_cosignature(6, "un", "lines")
    assert disk.checkpoint_from(2, cosigned=False) == (3, "note 3")
    assert disk.checkpoint_from(2, cosigned=True) == (6, "note 6")
    assert disk.checkpoint_from(7, cosigned=True) is None
    assert disk.checkpoint() == (9, "note 9")
    assert disk.checkpoint(3) == (3, "note 3")
    assert disk.checkpoint(4) is None

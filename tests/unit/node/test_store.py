"""The journal on SQLite: what was written is there after a crash, what was not committed is not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detente.errors import PeerError, UnavailableError
from detente.interop.geojson import parse_notice_geojson
from detente.limits import EVIDENCE_SAMPLE_BYTES, EVIDENCE_SAMPLES_PER_PEER_DAY
from detente.node import schema
from detente.node.home import Home
from detente.node.store import DAY_US, Store
from detente.protocol.core import Core
from detente.protocol.incoming import next_frame, read_frame, take_frame, write_frame
from detente.protocol.journal import Evidence, Intent
from detente.protocol.views import projection

T0 = 1_790_000_000_000_000


def pair(
    core: Core, homes: dict[str, Home], agreement: Any, tmp_path: Path
) -> tuple[Core, Callable[[], None]]:
    """South's core, and a function that carries one frame each way between the two."""
    south = Core(homes["south"].identity(), Store.at(tmp_path / "south.db"), os.urandom)
    south.accept_agreement(agreement, T0)

    def carry() -> None:
        for one, other in ((core, south), (south, core)):
            data = write_frame(one, next_frame(one, other.identity.party, T0))
            take_frame(other, read_frame(other, data, T0), T0)
            one.link(other.identity.party).offered.clear()
        for one in (core, south):
            one.journal.commit()  # type: ignore[attr-defined]

    return south, carry


def test_store_gives_back_what_a_node_wrote_in_order(
    core: Core,
    store: Store,
    homes: dict[str, Home],
    agreement: Any,
    notice: Any,
    tmp_path: Path,
) -> None:
    """A store opened anew folds to the same state, byte for byte, as the one that was written."""
    south, carry = pair(core, homes, agreement, tmp_path)
    carry()
    carry()
    for i in range(5):
        core.file_notice(
            parse_notice_geojson(notice(f"A-{i}", 10 + i / 100)),
            [],
            T0,
            officer="o",
            desk="operations-cell",
        )
    south.file_notice(
        parse_notice_geojson(notice("B-1", 10.01)), [], T0, officer="o", desk="operations-cell"
    )
    for _ in range(4):
        carry()
    assert len(core.state.notices) == 6
    assert core.state.conflicts
    assert all(
        core.state.receipts.get(s)
        for n in core.state.notices.values()
        for s in n.latest.statements.values()
    )
    store.commit()
    again = Store.at(tmp_path / "detente.db")
    fresh = Core(homes["north"].identity(), again, os.urandom)
    assert projection(fresh) == projection(core)
    for entry, _leaf, statement, openings in again.replay():
        assert again.entry(entry.index) == entry
        if statement is not None:
            assert again.entry_of(statement.id) == entry
            found = again.statement(statement.id)
            assert found is not None
            assert found[0].id == statement.id
            assert found[1] == openings
    made = again.chain("north>south", "ordinary", 0, 100)
    assert [s.sequence for s, _ in made] == list(range(1, len(made) + 1))
    assert [s.sequence for s, _ in again.chain("north>south", "ordinary", 2, 2)] == [3, 4]
    assert again.chain("north>south", "ordinary", 0, 0) == []
    assert again.find_statements(made[0][0].id[:12]) == [made[0][0].id]
    again.close()
    south.journal.close()  # type: ignore[attr-defined]


def test_what_was_not_committed_is_gone(store: Store, tmp_path: Path) -> None:
    """A rollback, and a process that dies before its commit, leave nothing behind."""
    store.put_value("a", 1)
    store.rollback()
    assert store.value("a") is None
    store.put_value("a", {"deep": [1, 2]})
    store.commit()
    store.put_value("b", 2)
    other = Store.at(tmp_path / "detente.db")  # another process looks while nothing is committed
    assert other.value("a") == {"deep": [1, 2]}
    assert other.value("b") is None
    other.close()
    assert store.value("b") == 2


def test_store_is_durable_by_its_settings(store: Store) -> None:
    """WAL with synchronous=FULL: a commit that returned survives a power cut."""
    answers = {
        name: store.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert answers == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_intent_that_waits_for_nobody_is_removed(store: Store) -> None:
    """An intent is kept while somebody waits for it, replaced by number, and gone after."""
    import msgspec

    intent = Intent(
        *(7, "activity/cancel", "ordinary", True, "a" * 64, "desk", None),
        *(("s", "w"), ("s", "w"), {"reason": ("salt", "x")}, T0),
    )
    store.put_intent(intent)
    assert [i.waiting for i in store.intents()] == [("s", "w")]
    store.put_intent(msgspec.structs.replace(intent, waiting=("w",)))
    assert [i.waiting for i in store.intents()] == [("w",)]
    store.put_intent(msgspec.structs.replace(intent, waiting=()))
    assert store.intents() == []


def test_checkpoints_are_found_by_size_and_by_cosigner(store: Store) -> None:
    """The newest, one of a size, and the smallest cosigned one that covers an entry."""
    assert store.checkpoint() is None
    for size in (3, 5, 9):
        store.put_checkpoint(size, f"note {size}")
    store.put_cosignature(9, "witness", "lines")
    store.put_cosignature(9, "witness", "newer lines")
    assert store.checkpoint() == (9, "note 9")
    assert store.checkpoint(5) == (5, "note 5")
    assert store.checkpoint(4) is None
    assert store.checkpoint_from(4, cosigned=False) == (5, "note 5")
    assert store.checkpoint_from(4, cosigned=True) == (9, "note 9")
    assert store.checkpoint_from(10, cosigned=False) is None
    assert store.cosignatures(9) == {"witness": "newer lines"}
    assert store.cosignatures(5) == {}


def test_evidence_is_sampled_by_quota_and_always_counted(store: Store) -> None:
    """A flood by one peer on one day fills its quota and no more; counts and others go on."""

    def keep(peer: str, day: int, times: int) -> None:
        for i in range(times):
            store.put_evidence(Evidence(day * DAY_US + i, peer, "rubbish", "text", b"x" * 100))

    most = EVIDENCE_SAMPLES_PER_PEER_DAY
    keep("south", 20_000, most + 50)
    keep("west", 20_000, 3)
    keep("south", 20_001, 4)
    kept = store.evidence(limit=10_000)
    assert sum(e.peer == "south" and e.time_us // DAY_US == 20_000 for e in kept) == most
    assert len(kept) == most + 3 + 4
    assert store.evidence_counts() == {"rubbish": most + 50 + 3 + 4}
    store.put_evidence(Evidence(0, "south", "huge", "text", b"y" * (EVIDENCE_SAMPLE_BYTES * 2)))
    (huge,) = [e for e in store.evidence() if e.code == "huge"]
    assert len(huge.sample) == EVIDENCE_SAMPLE_BYTES


def test_store_at_its_limit_takes_nothing_more_and_keeps_what_it_has(tmp_path: Path) -> None:
    """Past `most_bytes` a write fails as on a full disk; what was committed is there, and there is
    room again without the limit."""
    path = tmp_path / "small.db"
    store = Store.at(path, most_bytes=400_000)
    kept = -1

    def fill() -> None:
        nonlocal kept
        for i in range(1000):
            store.put_value(f"v{i}", "x" * 4000)
            store.commit()
            kept = i

    with pytest.raises(UnavailableError) as caught:
        fill()
    assert caught.value.code == "store-unavailable"
    assert 10 < kept < 200
    store.rollback()
    assert store.value(f"v{kept}") is not None
    assert store.value(f"v{kept + 1}") is None
    store.close()
    assert path.stat().st_size <= 400_000
    roomy = Store.at(path)
    roomy.put_value("after", 1)
    roomy.commit()
    assert roomy.value(f"v{kept}") is not None
    roomy.close()


def test_file_that_is_no_database_is_an_error_with_words(tmp_path: Path) -> None:
    """A store file full of something else is refused with a sentence, not a traceback of SQLite."""
    path = tmp_path / "detente.db"
    path.write_bytes(b"this is not a database, and long enough to be looked at" * 100)
    with pytest.raises(UnavailableError) as caught:
        Store.at(path)
    assert caught.value.code == "store-unavailable"


def test_statement_with_a_number_taken_is_never_written_twice(
    core: Core, store: Store, homes: dict[str, Home], agreement: Any, notice: Any, tmp_path: Path
) -> None:
    """The database itself keeps two statements from carrying one number of a chain."""
    south, carry = pair(core, homes, agreement, tmp_path)
    carry()
    carry()
    core.file_notice(parse_notice_geojson(notice()), [], T0, officer="o", desk="operations-cell")
    store.commit()
    south.journal.close()  # type: ignore[attr-defined]
    raw = sqlite3.connect(tmp_path / "detente.db")
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(
            "INSERT INTO statement SELECT 'other', link, chain, sequence, envelope, openings FROM statement"
        )
    raw.close()


def test_evidence_keeps_the_exact_bytes(core: Core, store: Store) -> None:
    """What a peer sent wrongly is kept byte for byte, with the rule it broke."""
    sent = bytes(range(256))
    core.keep_evidence(T0, "south", PeerError("frame-malformed", "frame is wrong", evidence=sent))
    (kept,) = store.evidence()
    assert (kept.sample, kept.code, kept.peer) == (sent, "frame-malformed", "south")


def test_replay_of_suspects_is_the_alarms_and_what_was_refused(
    core: Core, store: Store, homes: dict[str, Home], agreement: Any, notice: Any, tmp_path: Path
) -> None:
    """Evidence is looked for where it can be, without reading the rest: as on the simulated disk."""
    south, carry = pair(core, homes, agreement, tmp_path)
    carry()
    carry()
    south.file_notice(
        parse_notice_geojson(notice("B-1", 10.01)), [], T0, officer="o", desk="operations-cell"
    )
    core.alarm(T0, "test", "an alarm", "south")
    for _ in range(3):
        carry()
    store.connection.execute(
        schema.entry.update()
        .where(schema.entry.c.type == "activity/notice")
        .values(outcome="refused:test")
    )
    found = [entry.header.type for entry, _, _, _ in store.replay_suspect()]
    assert found == ["alarm", "activity/notice"]
    assert len(found) < core.tree.size
    said = [statement for _, _, statement, _ in store.replay_suspect() if statement is not None]
    assert [one.notice for one in said] == ["south:B-1"]

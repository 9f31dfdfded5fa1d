"""Schema migrations: from nothing, and from each earlier schema with what was in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from detente.errors import UsageError
from detente.ledger.checkpoint import Checkpoint, sign_checkpoint
from detente.ledger.cosignature import cosign
from detente.ledger.witness import Witnessed, WitnessedHead
from detente.node import migrate as migration
from detente.node import schema
from detente.node.migrate import HEAD, migrate, revision_of
from detente.node.store import Store
from detente.signing.key import SigningKeys

FOLDER = Path(migration.__file__).parent / "migrations"


@pytest.fixture
def connection(tmp_path: Path) -> Any:
    """An empty database."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def columns(connection: sa.Connection) -> dict[str, dict[str, tuple[str, bool]]]:
    """Table to column to (type, may be null)."""
    inspector = sa.inspect(connection)
    return {
        table: {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)}
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_empty_store_becomes_the_newest_schema(connection: sa.Connection) -> None:
    """From nothing, migrations give exactly the tables that the code works with."""
    migrate(connection)
    assert revision_of(connection) == HEAD
    migrated = columns(connection)
    engine = sa.create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.connect() as fresh:
        declared = columns(fresh)
        keys = {t: sa.inspect(fresh).get_pk_constraint(t)["constrained_columns"] for t in declared}
        unique = {
            t: sorted(u["column_names"] for u in sa.inspect(fresh).get_unique_constraints(t))
            for t in declared
        }
    assert migrated == declared
    inspector = sa.inspect(connection)
    assert keys == {t: inspector.get_pk_constraint(t)["constrained_columns"] for t in migrated}
    assert unique == {
        t: sorted(u["column_names"] for u in inspector.get_unique_constraints(t)) for t in migrated
    }


def test_head_is_the_newest_revision() -> None:
    """The constant that saves loading Alembic at every start names the newest revision."""
    scripts = ScriptDirectory(str(FOLDER))
    assert scripts.get_heads() == [HEAD]
    revisions = [s.revision for s in scripts.walk_revisions()]
    assert sorted(revisions) == [f"{i:04d}" for i in range(1, len(revisions) + 1)]


ROWS_0001: dict[str, dict[str, Any]] = {
    "entry": {
        "idx": 0,
        "kind": "local",
        "type": "alarm",
        "time_us": 1,
        "link": None,
        "chain": None,
        "sequence": None,
        "content": b"c" * 32,
        "outcome": "local",
        "statement": None,
        "local": "{}",
        "leaf": b"l" * 32,
    },
    "statement": {
        "id": "ab",
        "link": "north>south",
        "chain": "ordinary",
        "sequence": 1,
        "envelope": b"e",
        "openings": b"{}",
    },
    "intent": {"number": 1, "body": b"{}"},
    "checkpoint": {"size": 1, "note": "n"},
    "cosignature": {"size": 1, "cosigner": "w", "lines": "x"},
    "value": {"name": "v", "body": b"1"},
    "evidence": {
        "number": 1,
        "day": 1,
        "time_us": 1,
        "peer": "p",
        "code": "c",
        "message": "m",
        "sample": b"s",
    },
    "evidence_count": {"day": 1, "peer": "p", "code": "c", "count": 7},
}


def test_store_of_the_first_schema_keeps_all_its_rows(
    connection: sa.Connection, tmp_path: Path
) -> None:
    """A store written by revision 0001 is brought to the newest with every row as it was."""
    migrate(connection, "0001")
    assert revision_of(connection) == "0001"
    assert set(columns(connection)) == set(ROWS_0001)
    for table, row in ROWS_0001.items():
        connection.execute(sa.insert(sa.table(table, *map(sa.column, row))), row)
    connection.commit()
    connection.close()
    store = Store.at(tmp_path / "x.db")
    assert revision_of(store.connection) == HEAD
    for table, row in ROWS_0001.items():
        found = store.connection.execute(sa.select(schema.metadata.tables[table])).mappings().one()
        assert dict(found) == row
    assert store.operators() == []
    store.close()


ROWS_0002: dict[str, dict[str, Any]] = {
    **ROWS_0001,
    "operator": {
        "name": "anna",
        "role": "watch",
        "desk": "cell",
        "password_hash": "$argon2id$x",
        "created_us": 1,
    },
    "session": {"token_hash": "ab", "operator": "anna", "expires_us": 2},
}


def test_store_of_the_second_schema_keeps_all_its_rows_and_nobody_is_locked(
    connection: sa.Connection, tmp_path: Path
) -> None:
    """A store written by revision 0002 keeps operators and sessions; its sessions are open ones."""
    migrate(connection, "0002")
    assert revision_of(connection) == "0002"
    assert set(columns(connection)) == set(ROWS_0002)
    for table, row in ROWS_0002.items():
        connection.execute(sa.insert(sa.table(table, *map(sa.column, row))), row)
    connection.commit()
    connection.close()
    store = Store.at(tmp_path / "x.db")
    assert revision_of(store.connection) == HEAD
    for table, row in ROWS_0002.items():
        found = store.connection.execute(sa.select(schema.metadata.tables[table])).mappings().one()
        assert {**found, **row} == found
    session = store.session("ab")
    assert (session.locked, session.misses) == (False, 0)
    assert store.passkeys("anna") == []
    assert store.take_link("ab") is None
    store.close()


ROWS_0003: dict[str, dict[str, Any]] = {
    **ROWS_0002,
    "session": {**ROWS_0002["session"], "locked": True, "misses": 2},
    "sign_in_link": {"secret_hash": "cd", "operator": "anna", "expires_us": 3},
    "passkey": {
        "id": "k",
        "operator": "anna",
        "name": "desk",
        "host": "localhost",
        "public_key": b"p",
        "sign_count": 4,
        "created_us": 1,
        "used_us": None,
    },
}


def test_store_of_the_third_schema_keeps_all_its_rows_and_the_head_it_cosigned_last(
    connection: sa.Connection, tmp_path: Path
) -> None:
    """A store written by revision 0003 begins its history of another log with the head it knew last."""
    signer = SigningKeys.from_seed(bytes(range(64)))
    checkpoint = Checkpoint("detente/south/log/1", 7, b"r" * 32)
    note = sign_checkpoint(signer, *msgspec.structs.astuple(checkpoint), 1_790_000_000)
    note += cosign(signer, "detente/north", checkpoint, 1_790_000_005)
    last = msgspec.to_builtins(WitnessedHead(7, b"r" * 32, note))
    rows = {**ROWS_0003, "value": {"name": "witness:detente/south/log/1"}}
    rows["value"]["body"] = msgspec.json.encode(last)
    migrate(connection, "0003")
    assert set(columns(connection)) == set(rows)
    for table, row in rows.items():
        connection.execute(sa.insert(sa.table(table, *map(sa.column, row))), row)
    connection.commit()
    connection.close()
    store = Store.at(tmp_path / "x.db")
    assert revision_of(store.connection) == HEAD
    for table, row in rows.items():
        found = store.connection.execute(sa.select(schema.metadata.tables[table])).mappings().one()
        assert {**found, **row} == found
    head = Witnessed("detente/south/log/1", 7, 1_790_000_005, b"r" * 32, note)
    assert store.witnessed_before("detente/south/log/1", 100) == head
    store.close()


def test_store_of_the_fourth_schema_keeps_its_rows_and_has_no_stamp(
    connection: sa.Connection, tmp_path: Path
) -> None:
    """A store written by revision 0004 keeps what it knows of other logs; none of its own heads is stamped."""
    rows: dict[str, dict[str, Any]] = {
        **ROWS_0003,
        "witnessed": {"origin": "o", "size": 3, "time_s": 4, "root": b"r" * 32, "note": "n"},
        "mirror_entry": {"origin": "o", "idx": 0, "entry": b"e"},
        "mirror_hash": {"origin": "o", "level": 1, "idx": 0, "hash": b"h" * 32},
        "mirror_head": {"origin": "o", "entries": 1, "bytes": 1, "size": 1, "note": "n"},
        "mirrored": {"size": 1, "mirror": "south", "lines": "l"},
    }
    migrate(connection, "0004")
    assert set(columns(connection)) == set(rows)
    for table, row in rows.items():
        connection.execute(sa.insert(sa.table(table, *map(sa.column, row))), row)
    connection.commit()
    connection.close()
    store = Store.at(tmp_path / "x.db")
    assert revision_of(store.connection) == HEAD
    for table, row in rows.items():
        found = store.connection.execute(sa.select(schema.metadata.tables[table])).mappings().one()
        assert {**found, **row} == found
    assert (store.newest_stamp(), store.stamped_from(0), store.stamp(1)) == (None, None, None)
    store.put_stamp(1, b"t", verified=True)
    store.put_stamp(5, b"u", verified=False)
    assert (store.newest_stamp(), store.stamped_from(2), store.stamp(1)) == (5, 5, (b"t", True))
    store.close()


def test_migrating_twice_changes_nothing(connection: sa.Connection) -> None:
    """A store that is up to date is left alone."""
    migrate(connection)
    before = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.rollback()
    migrate(connection)
    assert connection.exec_driver_sql("PRAGMA schema_version").scalar_one() == before


def test_store_of_a_newer_schema_is_refused(connection: sa.Connection) -> None:
    """An older detente does not touch a store that a newer one wrote."""
    migrate(connection)
    connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    connection.commit()
    with pytest.raises(UsageError) as caught:
        migrate(connection)
    assert caught.value.code == "store-newer"
    assert "newer detente" in caught.value.hint


def test_migration_that_fails_leaves_the_store_as_it_was(connection: sa.Connection) -> None:
    """A migration is one transaction: a store is of one schema or the other, never in between."""
    migrate(connection, "0001")
    # something stands where the second table of 0002 is to be made
    connection.execute(sa.text("CREATE TABLE session (x INTEGER)"))
    connection.commit()
    with pytest.raises(sa.exc.OperationalError):
        migrate(connection)
    connection.rollback()
    assert revision_of(connection) == "0001"
    assert "operator" not in columns(connection)

"""The store: a node's journal in SQLite, WAL mode, synchronous=FULL.

One thread writes. A commit is durable when `commit` returns: NORMAL would lose the last commits on a
power cut, and an acknowledged statement must never be lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError

from detente.errors import UnavailableError
from detente.ledger.leaf import LeafHeader
from detente.ledger.witness import Witnessed, is_spare
from detente.limits import (
    EVIDENCE_SAMPLE_BYTES,
    EVIDENCE_SAMPLES_PER_PEER_DAY,
    WITNESSED_WHOLE,
)
from detente.node import schema
from detente.node.migrate import migrate
from detente.node.mirrortree import MirrorTree
from detente.protocol.journal import Entry, Evidence, Intent
from detente.protocol.statement import Openings, Statement, load_statement
from detente.signing.envelope import encode_envelope
from detente.units import US_PER_S

DAY_US = 86_400 * US_PER_S
RECENT_STATEMENTS = 512

_S = schema.statement.c
_BY_ID = sa.select(_S.envelope, _S.openings).where(_S.id == sa.bindparam("id"))
_OPENINGS = sa.select(_S.openings).where(_S.id == sa.bindparam("id"))
_CHAIN = (
    sa.select(_S.id, _S.envelope, _S.openings)
    .where(
        _S.link == sa.bindparam("link"),
        _S.chain == sa.bindparam("chain"),
        _S.sequence > sa.bindparam("after"),
    )
    .order_by(_S.sequence)
    .limit(sa.bindparam("limit"))
)

_C = schema.checkpoint.c
_CHECKPOINT = sa.select(_C.size, _C.note).where(_C.size == sa.bindparam("size"))
_NEWEST_CHECKPOINT = sa.select(_C.size, _C.note).order_by(_C.size.desc()).limit(1)


class _Insert:
    """The insert of a row into one table, worded once.

    Wording it anew for each entry, or looking the wording up, took four times as long as SQLite takes to do it.
    """

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        compiled = sa.insert(table).compile(dialect=dialect)
        self.sql = str(compiled)
        self._names = None if compiled.positional else tuple(table.columns.keys())

    def bind(self, row: tuple[Any, ...]) -> Any:
        """The values as the driver takes them: in order, or by name."""
        return row if self._names is None else dict(zip(self._names, row, strict=True))


def _pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is destroyed is overwritten; nothing else is ever deleted in bulk
        "busy_timeout=5000",
        "cache_size=-65536",
        "wal_autocheckpoint=8000",  # 32 MB: folding the WAL back costs two syncs, so not every few notices
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Store:
    """`Journal` on a database, plus what is exempt from the ledger (operators, sessions)."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(
            url, connect_args={"check_same_thread": False} if url.startswith("sqlite") else {}
        )
        if url.startswith("sqlite"):
            sa.event.listen(self.engine, "connect", _pragmas)
        try:
            self.connection = self.engine.connect()
            migrate(self.connection)
        except DatabaseError as error:
            self.engine.dispose()
            raise unavailable(error) from error
        self.writes = 0
        self._cursor = self.connection.connection.cursor()
        self._inserts = {
            table: _Insert(table, self.engine.dialect)
            for table in (schema.entry, schema.statement, schema.checkpoint)
        }
        # statements are written, sent, quoted by a receipt and answered within moments of each other
        self._recent: dict[str, tuple[Statement, Openings]] = {}

    @classmethod
    def at(cls, path: Path, most_bytes: int = 0) -> Store:
        """The store in a file; created when missing.

        Args:
            most_bytes: what the file may grow to; 0 for as much as the disk holds. At the limit it
                is as if the disk were full: nothing more is taken, nothing is lost.
        """
        store = cls(f"sqlite:///{path}")
        if most_bytes:
            page = store.connection.exec_driver_sql("PRAGMA page_size").scalar_one()
            store.connection.exec_driver_sql(
                f"PRAGMA max_page_count={max(1, most_bytes // int(page))}"
            )
            store.connection.rollback()
        return store

    def commit(self) -> None:
        """Make everything since the last commit durable.

        Raises:
            UnavailableError: ``store-unavailable``; nothing was kept, and the caller must reload.
        """
        try:
            self.connection.commit()
        except DatabaseError as error:
            self.rollback()
            raise unavailable(error) from error

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        self._recent.clear()
        self.connection.rollback()

    def close(self) -> None:
        """Close the database."""
        self.connection.close()
        self.engine.dispose()

    def _write(self, statement: Any, *parameters: Any) -> Any:
        self.writes += 1
        try:
            return self.connection.execute(statement, *parameters)
        except IntegrityError:
            raise  # a mistake of ours or a name that is taken; the store itself is well
        except DatabaseError as error:
            raise unavailable(error) from error

    def _insert(self, table: sa.Table, *row: Any) -> None:
        """Write one row, its values in the order of the columns, straight through the driver."""
        self.writes += 1
        if not self.connection.in_transaction():
            self.connection.begin()  # so that `commit` has something to commit
        insert = self._inserts[table]
        driver = self.engine.dialect.loaded_dbapi
        try:
            self._cursor.execute(insert.sql, insert.bind(row))
        except driver.IntegrityError:
            raise
        except driver.DatabaseError as error:
            raise unavailable(error) from error

    def write(self, statement: Any, *parameters: Any) -> Any:
        """Run a statement that writes: for the rooms that keep tables of their own here."""
        return self._write(statement, *parameters)

    # -- ledger --------------------------------------------------------------------------------

    def replay(
        self, start: int = 0, most: int | None = None
    ) -> Iterator[tuple[Entry, bytes, Statement | None, Openings]]:
        """See `Journal`."""
        return self._replay(schema.entry.c.idx >= start, most)

    def replay_suspect(self) -> Iterator[tuple[Entry, bytes, Statement | None, Openings]]:
        """See `Journal`."""
        e = schema.entry.c
        refused = sa.and_(e.kind == "received", e.outcome.startswith("refused"))
        return self._replay(sa.or_(sa.and_(e.kind == "local", e.type == "alarm"), refused))

    def _replay(
        self, wanted: sa.ColumnElement[bool], most: int | None = None
    ) -> Iterator[tuple[Entry, bytes, Statement | None, Openings]]:
        e, s = schema.entry, schema.statement
        query = (
            sa.select(*e.c, s.c.envelope, s.c.openings)
            .select_from(e.outerjoin(s, e.c.statement == s.c.id))
            .where(wanted)
            .order_by(e.c.idx)
            .limit(most)
        )
        for row in self.connection.execute(query.execution_options(yield_per=1000)):
            statement = load_statement(row.envelope) if row.envelope is not None else None
            openings = msgspec.json.decode(row.openings) if row.openings is not None else {}
            yield _entry(row), row.leaf, statement, openings

    def entry(self, index: int) -> Entry | None:
        """See `Journal`."""
        row = self.connection.execute(
            sa.select(schema.entry).where(schema.entry.c.idx == index)
        ).first()
        return _entry(row) if row else None

    def entry_of(self, statement: str) -> Entry | None:
        """See `Journal`."""
        row = self.connection.execute(
            sa.select(schema.entry).where(schema.entry.c.statement == statement)
        ).first()
        return _entry(row) if row else None

    def append(self, entry: Entry, leaf_hash: bytes) -> None:
        """See `Journal`."""
        header = entry.header
        self._insert(
            schema.entry,
            header.index,
            header.kind,
            header.type,
            header.time_us,
            header.link,
            header.chain,
            header.sequence,
            entry.content,
            entry.outcome,
            entry.statement,
            None if entry.local is None else msgspec.json.encode(entry.local).decode(),
            leaf_hash,
        )

    def put_statement(self, statement: Statement, openings: Openings) -> None:
        """See `Journal`."""
        self._insert(
            schema.statement,
            statement.id,
            statement.link,
            statement.chain,
            statement.sequence,
            encode_envelope(statement.envelope),
            msgspec.json.encode(openings),
        )
        self._keep(statement, openings)

    def _keep(self, statement: Statement, openings: Openings) -> tuple[Statement, Openings]:
        if len(self._recent) >= RECENT_STATEMENTS:
            self._recent.pop(next(iter(self._recent)))
        self._recent[statement.id] = (statement, openings)
        return statement, openings

    def statement(self, statement: str) -> tuple[Statement, Openings] | None:
        """See `Journal`."""
        recent = self._recent.get(statement)
        if recent is not None:
            return recent
        row = self.connection.execute(_BY_ID, {"id": statement}).first()
        return (
            self._keep(load_statement(row.envelope), msgspec.json.decode(row.openings))
            if row
            else None
        )

    def openings(self, statement: str) -> Openings:
        """See `Journal`."""
        recent = self._recent.get(statement)
        if recent is not None:
            return recent[1]
        row = self.connection.execute(_OPENINGS, {"id": statement}).one()
        found: Openings = msgspec.json.decode(row.openings)
        return found

    def destroy_opening(self, statement: str, field: str) -> None:
        """See `Journal`."""
        found = self.statement(statement)
        if found is None or field not in found[1]:
            return
        left = {name: one for name, one in found[1].items() if name != field}
        own = schema.statement.c.id == statement
        self._write(
            sa.update(schema.statement).where(own).values(openings=msgspec.json.encode(left))
        )
        self._recent.pop(statement, None)

    def erase(self) -> None:
        """Make what was destroyed unreadable on the disk too: nothing of it stays in the write-ahead log.

        Freed pages are overwritten as they are freed (secure_delete). Call it after the commit.
        """
        self.connection.rollback()
        self.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.rollback()

    def locals_of(self, type_: str) -> list[dict[str, Any]]:
        """See `Journal`."""
        e = schema.entry.c
        query = sa.select(e.local).where(e.type == type_, e.kind == "local").order_by(e.idx)
        return [msgspec.json.decode(row.local) for row in self.connection.execute(query)]

    def find_statements(self, prefix: str, limit: int = 2) -> list[str]:
        """Ids of statements that start with a prefix, for people who type short ids."""
        c = schema.statement.c.id
        query = sa.select(c).where(c >= prefix, c < prefix + "g").order_by(c).limit(limit)
        return [row.id for row in self.connection.execute(query)]

    def chain(
        self, link: str, chain: str, after: int, limit: int
    ) -> list[tuple[Statement, Openings]]:
        """See `Journal`."""
        if limit <= 0:
            return []
        parameters = {"link": link, "chain": chain, "after": after, "limit": limit}
        found = []
        for row in self.connection.execute(_CHAIN, parameters).all():
            recent = self._recent.get(row.id)
            found.append(
                recent or (load_statement(row.envelope), msgspec.json.decode(row.openings))
            )
        return found

    def put_intent(self, intent: Intent) -> None:
        """See `Journal`."""
        self._write(sa.delete(schema.intent).where(schema.intent.c.number == intent.number))
        if intent.waiting:
            self._write(
                sa.insert(schema.intent),
                {"number": intent.number, "body": msgspec.json.encode(intent)},
            )

    def intents(self) -> list[Intent]:
        """See `Journal`."""
        rows = self.connection.execute(
            sa.select(schema.intent.c.body).order_by(schema.intent.c.number)
        )
        return [msgspec.json.decode(row.body, type=Intent) for row in rows]

    def put_checkpoint(self, size: int, note: str) -> None:
        """See `Journal`."""
        self._insert(schema.checkpoint, size, note)

    def checkpoint(self, size: int | None = None) -> tuple[int, str] | None:
        """See `Journal`."""
        query = _NEWEST_CHECKPOINT if size is None else _CHECKPOINT
        row = self.connection.execute(query, {} if size is None else {"size": size}).first()
        return (row.size, row.note) if row else None

    def checkpoint_from(self, size: int, *, cosigned: bool) -> tuple[int, str] | None:
        """See `Journal`."""
        if cosigned:
            k = schema.cosignature.c
            best = sa.select(k.size).where(k.size >= size).group_by(k.size)
            found = self.connection.execute(
                best.order_by(sa.func.count().desc(), k.size).limit(1)
            ).first()
            return self.checkpoint(found.size) if found else None
        c = schema.checkpoint.c
        query = sa.select(c.size, c.note).where(c.size >= size).order_by(c.size).limit(1)
        row = self.connection.execute(query).first()
        return (row.size, row.note) if row else None

    def bounding(self, index: int) -> list[int]:
        """See `Journal`."""
        c = schema.cosignature.c
        before = sa.select(sa.func.max(c.size).label("size")).where(c.size <= index)
        after = sa.select(sa.func.min(c.size).label("size")).where(c.size > index)
        query = sa.union(before.group_by(c.cosigner), after.group_by(c.cosigner))
        return sorted(row.size for row in self.connection.execute(query) if row.size)

    def vouched_size(self, cosigners: Collection[str], least: int) -> int:
        """See `Journal`."""
        c = schema.cosignature.c
        enough = sa.select(c.size).where(c.cosigner.in_(sorted(cosigners))).group_by(c.size)
        query = enough.having(sa.func.count() >= least).order_by(c.size.desc()).limit(1)
        row = self.connection.execute(query).first()
        return row.size if row else 0

    def cosigned_after(self, size: int) -> list[int]:
        """See `Journal`."""
        c = schema.cosignature.c.size
        query = sa.select(c).where(c > size).distinct().order_by(c)
        return [row.size for row in self.connection.execute(query)]

    def checkpoint_to(self, size: int) -> tuple[int, str] | None:
        """See `Journal`."""
        c = schema.checkpoint.c
        query = sa.select(c.size, c.note).where(c.size <= size).order_by(c.size.desc()).limit(1)
        row = self.connection.execute(query).first()
        return (row.size, row.note) if row else None

    def put_mirrored(self, size: int, mirror: str, lines: str) -> None:
        """See `Journal`."""
        m = schema.mirrored.c
        self._write(sa.delete(schema.mirrored).where(m.size <= size, m.mirror == mirror))
        self._write(sa.insert(schema.mirrored), {"size": size, "mirror": mirror, "lines": lines})

    def mirrored(self, size: int) -> dict[str, str]:
        """See `Journal`."""
        m = schema.mirrored.c
        query = sa.select(m.mirror, m.lines).where(m.size == size).order_by(m.mirror)
        return {row.mirror: row.lines for row in self.connection.execute(query)}

    def put_stamp(self, size: int, token: bytes, *, verified: bool) -> None:
        """See `Journal`."""
        self._write(sa.delete(schema.stamp).where(schema.stamp.c.size == size))
        self._write(sa.insert(schema.stamp), {"size": size, "token": token, "verified": verified})

    def stamp(self, size: int) -> tuple[bytes, bool] | None:
        """See `Journal`."""
        s = schema.stamp.c
        query = sa.select(s.token, s.verified).where(s.size == size)
        row = self.connection.execute(query).first()
        return (row.token, row.verified) if row else None

    def stamped_from(self, size: int) -> int | None:
        """See `Journal`."""
        s = schema.stamp.c.size
        found: int | None = self.connection.execute(
            sa.select(sa.func.min(s)).where(s >= size)
        ).scalar()
        return found

    def newest_stamp(self) -> int | None:
        """See `Journal`."""
        found: int | None = self.connection.execute(
            sa.select(sa.func.max(schema.stamp.c.size))
        ).scalar()
        return found

    def put_cosignature(self, size: int, cosigner: str, lines: str) -> None:
        """See `Journal`."""
        c = schema.cosignature.c
        self._write(sa.delete(schema.cosignature).where(c.size == size, c.cosigner == cosigner))
        self._write(
            sa.insert(schema.cosignature), {"size": size, "cosigner": cosigner, "lines": lines}
        )

    def cosignatures(self, size: int) -> dict[str, str]:
        """See `Journal`."""
        c = schema.cosignature.c
        query = sa.select(c.cosigner, c.lines).where(c.size == size).order_by(c.cosigner)
        return {row.cosigner: row.lines for row in self.connection.execute(query)}

    def put_witnessed(self, head: Witnessed) -> None:
        """See `Journal`."""
        w = schema.witnessed.c
        self._write(sa.delete(schema.witnessed).where(w.origin == head.origin, w.size == head.size))
        self._write(sa.insert(schema.witnessed), msgspec.structs.asdict(head))
        # one head grows old at each new one, so looking at one is enough
        query = sa.select(schema.witnessed).where(w.origin == head.origin).order_by(w.size.desc())
        rows = self.connection.execute(query.offset(WITNESSED_WHOLE - 1).limit(3)).all()
        if len(rows) == 3:
            after, old, before = (_witnessed(row) for row in rows)
            if is_spare(before, old, after):
                self._write(
                    sa.delete(schema.witnessed).where(w.origin == old.origin, w.size == old.size)
                )

    def witnessed(self, origin: str, size: int) -> Witnessed | None:
        """See `Journal`."""
        w = schema.witnessed.c
        return self._witnessed(origin, w.size == size, w.size)

    def witnessed_before(self, origin: str, size: int, name: str = "") -> Witnessed | None:
        """See `Journal`."""
        w = schema.witnessed.c
        return self._witnessed(origin, sa.and_(w.size <= size, _by(name)), w.size.desc())

    def witnessed_after(self, origin: str, size: int, name: str = "") -> Witnessed | None:
        """See `Journal`."""
        w = schema.witnessed.c
        return self._witnessed(origin, sa.and_(w.size > size, _by(name)), w.size)

    def mirrored_tree(self, origin: str) -> MirrorTree:
        """See `Journal`."""
        m = schema.mirror_head.c
        query = sa.select(m.entries).where(m.origin == origin)
        row = self.connection.execute(query).first()
        return MirrorTree(self.connection, origin, row.entries if row else 0)

    def _witnessed(self, origin: str, condition: Any, order: Any) -> Witnessed | None:
        query = sa.select(schema.witnessed).where(schema.witnessed.c.origin == origin, condition)
        row = self.connection.execute(query.order_by(order).limit(1)).first()
        return _witnessed(row) if row else None

    def put_value(self, name: str, value: object) -> None:
        """See `Journal`."""
        self._write(sa.delete(schema.value).where(schema.value.c.name == name))
        self._write(sa.insert(schema.value), {"name": name, "body": msgspec.json.encode(value)})

    def value(self, name: str) -> Any:
        """See `Journal`."""
        row = self.connection.execute(
            sa.select(schema.value.c.body).where(schema.value.c.name == name)
        ).first()
        return msgspec.json.decode(row.body) if row else None

    def witness_origins(self) -> list[str]:
        """The logs of which a head was cosigned here."""
        name = schema.value.c.name
        query = sa.select(name).where(name >= "witness:", name < "witness;").order_by(name)
        return [row.name.removeprefix("witness:") for row in self.connection.execute(query)]

    # -- evidence ------------------------------------------------------------------------------

    def put_evidence(self, evidence: Evidence) -> None:
        """See `Journal`."""
        day, e, n = evidence.time_us // DAY_US, schema.evidence, schema.evidence_count
        key = sa.and_(n.c.day == day, n.c.peer == evidence.peer, n.c.code == evidence.code)
        if self._write(sa.update(n).where(key).values(count=n.c.count + 1)).rowcount == 0:
            self._write(
                sa.insert(n), {"day": day, "peer": evidence.peer, "code": evidence.code, "count": 1}
            )
        kept = self.connection.execute(
            sa.select(sa.func.count())
            .select_from(e)
            .where(e.c.day == day, e.c.peer == evidence.peer)
        ).scalar_one()
        if kept < EVIDENCE_SAMPLES_PER_PEER_DAY:
            self._write(
                sa.insert(e),
                {
                    "day": day,
                    "time_us": evidence.time_us,
                    "peer": evidence.peer,
                    "code": evidence.code,
                    "message": evidence.message,
                    "sample": evidence.sample[:EVIDENCE_SAMPLE_BYTES],
                },
            )

    def evidence(self, limit: int = 100) -> list[Evidence]:
        """The newest samples."""
        query = sa.select(schema.evidence).order_by(schema.evidence.c.number.desc()).limit(limit)
        return [
            Evidence(r.time_us, r.peer, r.code, r.message, r.sample)
            for r in self.connection.execute(query)
        ]

    def evidence_counts(self) -> dict[str, int]:
        """How much was not taken, by rule, over all days and peers."""
        n = schema.evidence_count
        query = (
            sa.select(n.c.code, sa.func.sum(n.c.count).label("total"))
            .group_by(n.c.code)
            .order_by(n.c.code)
        )
        return {row.code: int(row.total) for row in self.connection.execute(query)}

    # -- operators and their sessions (exempt from the ledger: credentials) ------------------------

    def put_operator(
        self, name: str, role: str, desk: str, password_hash: str, created_us: int
    ) -> bool:
        """Add an operator; False when the name is taken."""
        row = {
            "name": name,
            "role": role,
            "desk": desk,
            "password_hash": password_hash,
            "created_us": created_us,
        }
        try:
            with self.connection.begin_nested():
                self._write(sa.insert(schema.operator), row)
        except IntegrityError:
            return False
        return True

    def remove_operator(self, name: str) -> bool:
        """Remove an operator with sessions, links and passkeys; False when there is none."""
        for table in (schema.session, schema.sign_in_link, schema.passkey):
            self._write(sa.delete(table).where(table.c.operator == name))
        return bool(
            self._write(sa.delete(schema.operator).where(schema.operator.c.name == name)).rowcount
        )

    def operators(self) -> list[Any]:
        """All operators by name (rows with name, role, desk, password_hash, created_us)."""
        return list(
            self.connection.execute(sa.select(schema.operator).order_by(schema.operator.c.name))
        )

    def operator(self, name: str) -> Any:
        """One operator's row, or None."""
        return self.connection.execute(
            sa.select(schema.operator).where(schema.operator.c.name == name)
        ).first()

    def put_session(self, token_hash: str, operator: str, expires_us: int) -> None:
        """Keep a session by the hash of its token."""
        self._write(
            sa.insert(schema.session),
            {"token_hash": token_hash, "operator": operator, "expires_us": expires_us},
        )

    def session(self, token_hash: str) -> Any:
        """The session row of a token hash, or None."""
        return self.connection.execute(
            sa.select(schema.session).where(schema.session.c.token_hash == token_hash)
        ).first()

    def end_sessions(self, before_us: int) -> None:
        """Remove sessions that have expired."""
        self._write(sa.delete(schema.session).where(schema.session.c.expires_us <= before_us))

    def end_session(self, token_hash: str) -> None:
        """Remove one session."""
        self._write(sa.delete(schema.session).where(schema.session.c.token_hash == token_hash))

    def set_session(self, token_hash: str, *, locked: bool, misses: int) -> None:
        """Note whether a session is locked, and how often unlocking it was tried in vain."""
        change = sa.update(schema.session).where(schema.session.c.token_hash == token_hash)
        self._write(change.values(locked=locked, misses=misses))

    def put_link(self, secret_hash: str, operator: str, expires_us: int) -> None:
        """Keep a sign-in link by the hash of its secret."""
        self._write(
            sa.insert(schema.sign_in_link),
            {"secret_hash": secret_hash, "operator": operator, "expires_us": expires_us},
        )

    def take_link(self, secret_hash: str) -> Any:
        """The row of a sign-in link, or None; it is gone afterwards."""
        mine = schema.sign_in_link.c.secret_hash == secret_hash
        row = self.connection.execute(sa.select(schema.sign_in_link).where(mine)).first()
        if row is not None:
            self._write(sa.delete(schema.sign_in_link).where(mine))
        return row

    def end_links(self, before_us: int, operator: str, most: int) -> None:
        """Remove links that have expired, and of one operator's all but the `most` newest."""
        c = schema.sign_in_link.c
        self._write(sa.delete(schema.sign_in_link).where(c.expires_us <= before_us))
        newest = (
            sa.select(c.secret_hash).where(c.operator == operator).order_by(c.expires_us.desc())
        )
        kept = [row.secret_hash for row in self.connection.execute(newest.limit(most))]
        self._write(
            sa.delete(schema.sign_in_link).where(c.operator == operator, c.secret_hash.not_in(kept))
        )

    def put_passkey(self, **row: Any) -> bool:
        """Keep a passkey (the columns of its table); False when its id is there already."""
        try:
            with self.connection.begin_nested():
                self._write(sa.insert(schema.passkey), row)
        except IntegrityError:
            return False
        return True

    def passkeys(self, operator: str) -> list[Any]:
        """An operator's passkeys, oldest first."""
        c = schema.passkey.c
        query = sa.select(schema.passkey).where(c.operator == operator)
        return list(self.connection.execute(query.order_by(c.created_us, c.id)))

    def passkey(self, passkey: str) -> Any:
        """The row of one passkey, or None."""
        return self.connection.execute(
            sa.select(schema.passkey).where(schema.passkey.c.id == passkey)
        ).first()

    def use_passkey(self, passkey: str, sign_count: int, used_us: int) -> None:
        """Note that a passkey was used."""
        change = sa.update(schema.passkey).where(schema.passkey.c.id == passkey)
        self._write(change.values(sign_count=sign_count, used_us=used_us))

    def remove_passkey(self, passkey: str, operator: str) -> bool:
        """Remove a passkey of an operator; False when there is none."""
        c = schema.passkey.c
        found = self._write(
            sa.delete(schema.passkey).where(c.id == passkey, c.operator == operator)
        )
        return bool(found.rowcount)


def unavailable(error: Exception) -> UnavailableError:
    """A database that cannot be used now, in words: a full disk is the usual reason."""
    text = str(getattr(error, "orig", error))
    full = "full" in text
    return UnavailableError(
        "store-unavailable",
        f"the store cannot {'write' if full else 'be used'}: {text}; nothing was taken",
        hint="free disk space on the node's directory (or raise store_megabytes in config.toml); "
        "senders keep what they sent and try again"
        if full
        else "look at the disk under the node's directory; if detente.db is damaged, restore a backup",
    )


def _by(name: str) -> Any:
    """Heads whose note has a signature line of this name; all, without one."""
    return (
        schema.witnessed.c.note.contains(f"\n\u2014 {name} ", autoescape=True)
        if name
        else sa.true()
    )


def _witnessed(row: Any) -> Witnessed:
    return Witnessed(row.origin, row.size, row.time_s, row.root, row.note)


def _entry(row: Any) -> Entry:
    header = LeafHeader(
        index=row.idx,
        kind=row.kind,
        type=row.type,
        time_us=row.time_us,
        link=row.link,
        chain=row.chain,
        sequence=row.sequence,
    )
    local = msgspec.json.decode(row.local) if row.local is not None else None
    return Entry(header, row.content, row.outcome, row.statement, local)

"""The tables of a node's store, one schema for SQLite and PostgreSQL.

Everything but `operator`, `session`, `sign_in_link`, `passkey`, `evidence`, `evidence_count` and `value` is the ledger or follows
from it; `witnessed` and the tables of the mirror are about the logs of others. Changes go through a migration in `detente.node.migrations`, with a test from the schema before.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

entry = sa.Table(
    "entry",
    metadata,
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("time_us", sa.BigInteger, nullable=False),
    sa.Column("link", sa.Text),
    sa.Column("chain", sa.Text),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("statement", sa.Text, unique=True),
    sa.Column("local", sa.Text),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
)

statement = sa.Table(
    "statement",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("chain", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("envelope", sa.LargeBinary, nullable=False),
    sa.Column("openings", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("link", "chain", "sequence", name="one_statement_per_number"),
)

intent = sa.Table(
    "intent",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

checkpoint = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),
)

cosignature = sa.Table(
    "cosignature",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("cosigner", sa.Text, primary_key=True),
    sa.Column("lines", sa.Text, nullable=False),
)

witnessed = sa.Table(
    "witnessed",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time_s", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

mirror_entry = sa.Table(
    "mirror_entry",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.LargeBinary, nullable=False),
)

# full tiles of other logs by the hash over them: what stands one level up
mirror_hash = sa.Table(
    "mirror_hash",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

mirror_head = sa.Table(
    "mirror_head",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

# that a mirror holds our own log up to a checkpoint
mirrored = sa.Table(
    "mirrored",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("mirror", sa.Text, primary_key=True),
    sa.Column("lines", sa.Text, nullable=False),
)

# what an authority of time stamps signed of a checkpoint of ours
stamp = sa.Table(
    "stamp",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("token", sa.LargeBinary, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
)

value = sa.Table(
    "value",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("day", sa.BigInteger, nullable=False),
    sa.Column("time_us", sa.BigInteger, nullable=False),
    sa.Column("peer", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("sample", sa.LargeBinary, nullable=False),
)

evidence_count = sa.Table(
    "evidence_count",
    metadata,
    sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("peer", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)

operator = sa.Table(
    "operator",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("desk", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
    sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("misses", sa.Integer, nullable=False, server_default="0"),
)

sign_in_link = sa.Table(
    "sign_in_link",
    metadata,
    sa.Column("secret_hash", sa.Text, primary_key=True),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
)

passkey = sa.Table(
    "passkey",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("used_us", sa.BigInteger),
)

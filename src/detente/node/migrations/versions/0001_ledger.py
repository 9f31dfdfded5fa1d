"""The ledger: entries, statements, what waits, checkpoints, evidence."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables of the spine."""
    op.create_table(
        "entry",
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
    op.create_table(
        "statement",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("openings", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("link", "chain", "sequence", name="one_statement_per_number"),
    )
    op.create_table(
        "intent",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "cosignature",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("cosigner", sa.Text, primary_key=True),
        sa.Column("lines", sa.Text, nullable=False),
    )
    op.create_table(
        "value",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("peer", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("sample", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evidence_count",
        sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("peer", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """A record is never taken back to an older schema."""
    raise RuntimeError(
        "detente does not downgrade a store; restore a backup made by the older version"
    )

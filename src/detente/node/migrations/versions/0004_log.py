"""The logs of others: what was witnessed of them, and their mirrors."""

import base64
import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables, and begin the history of each log with the head that was cosigned last."""
    witnessed = op.create_table(
        "witnessed",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time_s", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "mirror_entry",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "mirror_hash",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "mirror_head",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "mirrored",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("mirror", sa.Text, primary_key=True),
        sa.Column("lines", sa.Text, nullable=False),
    )
    heads = op.get_bind().execute(
        sa.text("SELECT name, body FROM value WHERE name LIKE 'witness:%'")
    )
    for name, body in heads.fetchall():
        head = json.loads(body)
        # the last line is this node's own, and begins with key id and time
        line = base64.b64decode(head["note"].rstrip("\n").rpartition(" ")[2])
        op.bulk_insert(
            witnessed,
            [
                {
                    "origin": name.removeprefix("witness:"),
                    "size": head["size"],
                    "time_s": int.from_bytes(line[4:12], "big"),
                    "root": base64.b64decode(head["root"]),
                    "note": head["note"],
                }
            ],
        )


def downgrade() -> None:
    """A record is never taken back to an older schema."""
    raise RuntimeError(
        "detente does not downgrade a store; restore a backup made by the older version"
    )

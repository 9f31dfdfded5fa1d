"""What people who sign in with a browser need: locks, one-use links, passkeys."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let sessions be locked, and create the tables of links and passkeys."""
    op.add_column(
        "session", sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("session", sa.Column("misses", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "sign_in_link",
        sa.Column("secret_hash", sa.Text, primary_key=True),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("used_us", sa.BigInteger),
    )


def downgrade() -> None:
    """A record is never taken back to an older schema."""
    raise RuntimeError(
        "detente does not downgrade a store; restore a backup made by the older version"
    )

"""Time stamps of this node's own checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "stamp",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.Column("verified", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """A record is never taken back to an older schema."""
    raise RuntimeError(
        "detente does not downgrade a store; restore a backup made by the older version"
    )

"""Bringing a store's schema up to date, with Alembic, inside one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from detente.errors import UsageError

HEAD = "0005"  # the newest revision in migrations/versions; a test compares


def revision_of(connection: sa.Connection) -> str | None:
    """The schema revision of a store, None when it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def migrate(connection: sa.Connection, target: str = HEAD) -> None:
    """Upgrade the schema to `target`; does nothing when it is there already.

    Raises:
        UsageError: ``store-newer``: the store was written by a newer detente.
    """
    found = revision_of(connection)
    connection.rollback()
    if found == target:
        return
    if found is not None and found > HEAD:
        raise UsageError(
            "store-newer",
            f"store has schema {found}; this detente knows up to {HEAD}",
            hint="run the newer detente on this directory",
        )
    # imported here: Alembic takes 0.2 s to load, and almost every start finds nothing to do
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    # said aloud: the driver begins no transaction of its own for CREATE TABLE, and a migration that
    # stops in the middle must leave the store as it was
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        command.upgrade(config, target)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise

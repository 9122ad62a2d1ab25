"""Alembic, driven from code: each deployable has a `migrations` folder and metadata of its own."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import create_engine


class SchemaOutdated(RuntimeError):
    """The database is not at the revision that this code was written for."""


def alembic_config(migrations: Path, url: str) -> Config:
    """Configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(migrations: Path, url: str) -> None:
    """Bring the database to the newest revision."""
    command.upgrade(alembic_config(migrations, url), "head")


def check(migrations: Path, url: str) -> None:
    """Raise when the models and the migrated database differ."""
    command.check(alembic_config(migrations, url))


def head_revision(migrations: Path) -> str | None:
    """The newest revision that this code knows."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config).get_current_head()


async def require_current_schema(engine: AsyncEngine, migrations: Path) -> None:
    """Refuse to start on another schema.

    Raises:
        SchemaOutdated: Run the deployable's `migrate` first.
    """

    def current(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with engine.connect() as connection:
        found = await connection.run_sync(current)
    expected = head_revision(migrations)
    if found != expected:
        msg = f"database is at revision {found}, code needs {expected}: run `migrate` first"
        raise SchemaOutdated(msg)


def run_env(metadata: MetaData) -> None:
    """The body of every `env.py`: run the migrations on the configured URL."""

    def configured(connection: Connection) -> None:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()

    async def online() -> None:
        engine = create_engine(context.config.attributes["url"], pool_size=1)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(configured)
        finally:
            await engine.dispose()

    asyncio.run(online())

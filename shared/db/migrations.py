"""Alembic, driven from code: each deployable has a `migrations` folder and metadata of its own."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text

from shared.db.engine import create_engine
from shared.db.revisions import Standing, schema_state
from shared.logging import get_logger

LOCK_TIMEOUT_S = 5
"""A statement that waits for a lock on a table holds up everybody who comes after it."""
_logger = get_logger(__name__)


def alembic_config(migrations: Path, url: str) -> Config:
    """Configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(migrations: Path, url: str) -> None:
    """Bring the database to the newest revision; one of a later release stays as it is.

    So an older release can be rolled out again, its migration included. Nothing is taken back: what
    a later release added harms nobody.
    """
    if asyncio.run(_is_newer(migrations, url)):
        _logger.warning("the schema is of a later release: nothing to do")
        return
    command.upgrade(alembic_config(migrations, url), "head")


def check(migrations: Path, url: str) -> None:
    """Raise when the models and the migrated database differ."""
    command.check(alembic_config(migrations, url))


async def _is_newer(migrations: Path, url: str) -> bool:
    engine = create_engine(url, pool_size=1)
    try:
        return (await schema_state(engine, migrations)).standing is Standing.NEWER
    finally:
        await engine.dispose()


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
        url: str = context.config.attributes["url"]
        engine = create_engine(url, pool_size=1, command_timeout_s=None)
        try:
            async with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
                await connection.run_sync(configured)
        finally:
            await engine.dispose()

    asyncio.run(online())

"""Alembic, driven from code: each deployable has a `migrations` folder and metadata of its own."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData

from shared.db.engine import create_engine


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

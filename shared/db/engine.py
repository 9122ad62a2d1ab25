"""Engines with the settings that each database needs."""

from sqlalchemy import Connection, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry

from shared.db.storable import dump_json

CONNECT_TIMEOUT_S = 3.0
COMMAND_TIMEOUT_S = 10.0
READ_ONLY = "speechgate_read_only"
"""Execution option of connections that only read: on SQLite they then wait for no writer."""


def create_engine(
    url: str, *, pool_size: int = 8, command_timeout_s: float | None = COMMAND_TIMEOUT_S
) -> AsyncEngine:
    """An async engine for `sqlite+aiosqlite` or `postgresql+asyncpg`.

    Its errors do not quote the values of a statement: these are people's words, and errors are
    logged.

    Args:
        url: Of the database.
        pool_size: Connections.
        command_timeout_s: Longest statement on PostgreSQL; None for migrations, which take their
            time on large tables.
    """
    if url.startswith("sqlite"):
        engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,
            json_serializer=dump_json,
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        # Take the write lock at BEGIN: upgrading a read lock later fails under concurrency.
        event.listen(engine.sync_engine, "begin", _begin_immediate)
        return engine
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        json_serializer=dump_json,
        pool_pre_ping=True,
        pool_timeout=CONNECT_TIMEOUT_S,
        connect_args={"timeout": CONNECT_TIMEOUT_S, "command_timeout": command_timeout_s},
    )


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # We emit BEGIN ourselves.
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "busy_timeout=10000",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def ping(engine: AsyncEngine) -> None:
    """Raise unless the database answers."""
    async with engine.connect() as connection:
        reader = await connection.execution_options(**{READ_ONLY: True})
        await reader.execute(text("SELECT 1"))

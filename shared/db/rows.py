"""Bulk inserts for the group commit."""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.group_commit import Batch
from shared.db.storable import storable_row


def batch_inserter(
    engine: AsyncEngine, tables: Mapping[str, Table]
) -> Callable[[Batch], Awaitable[None]]:
    """A function that inserts a batch in one transaction and ignores ids it finds there.

    Args:
        engine: SQLite or PostgreSQL.
        tables: Table by name, parents before children.
    """
    make = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert
    statements = {
        name: make(table).on_conflict_do_nothing(index_elements=list(table.primary_key.columns))
        for name, table in tables.items()
    }

    async def insert(rows: Batch) -> None:
        async with engine.begin() as connection:
            for name, statement in statements.items():
                if rows.get(name):
                    await connection.execute(statement, [storable_row(row) for row in rows[name]])

    return insert

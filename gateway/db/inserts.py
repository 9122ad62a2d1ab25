"""Inserts that know what to do about a row that is there already."""

from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.base import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_into(session: AsyncSession, table: type[Base]) -> "postgresql.Insert | sqlite.Insert":
    """An insert in the words of the session's database.

    Only that database's part of SQLAlchemy is loaded: PostgreSQL's takes 2 MB.
    """
    if session.get_bind().dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - as said above

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - as said above

    return postgresql.insert(table)

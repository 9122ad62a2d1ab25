"""Transactions of repositories that do not write by group commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.engine import READ_ONLY
from shared.db.group_commit import is_unreachable
from shared.problem import Unavailable


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that writes; committed when the block ends.

    Raises:
        Unavailable: The database does not answer.
    """
    refusing = _refusing_outages()
    async with refusing, engine.begin() as connection:
        yield connection


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that only reads.

    Raises:
        Unavailable: The database does not answer.
    """
    refusing = _refusing_outages()
    async with refusing, engine.connect() as connection:
        yield await connection.execution_options(**{READ_ONLY: True})


@asynccontextmanager
async def _refusing_outages() -> AsyncIterator[None]:
    try:
        yield
    except Exception as error:
        if is_unreachable(error):
            raise Unavailable(
                "The database does not answer.", code="database_unavailable"
            ) from error
        raise

"""Tenants' lexicons. Each method is one transaction; every statement names the tenant."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.tts.db.tables import tts_lexicon as lexicon
from services.tts.exceptions import LexiconEntryExists, LexiconEntryNotFound, LexiconFull
from services.tts.models.lexicon import LexiconEntry, LexiconPage, Spelling
from shared.caller import Caller
from shared.db.base import new_id, utc_now
from shared.db.transactions import reading, writing

_ANY = ""
"""Stands for every language: a null would be no other null's duplicate."""


class LexiconRepository:
    """The lexicons of all tenants.

    Args:
        engine: The service's database.
        most: Entries of one tenant.
    """

    def __init__(self, engine: AsyncEngine, most: int) -> None:
        self._engine = engine
        self._most = most

    async def add(self, caller: Caller, spelling: Spelling) -> LexiconEntry:
        """A new entry.

        Raises:
            LexiconEntryExists: There is one for this phrase and language.
            LexiconFull: The tenant has too many.
            Unavailable: The database does not answer.
        """
        now = utc_now()
        row = {
            "id": new_id(),
            "tenant_id": caller.tenant_id,
            "subject": caller.subject,
            "created_at": now,
            "updated_at": now,
            **_columns(spelling),
        }
        async with self._writing() as connection:
            await self._require_room(connection, caller.tenant_id)
            await connection.execute(insert(lexicon).values(**row))
        return _entry(row)

    async def replace(self, tenant_id: str, entry_id: str, spelling: Spelling) -> LexiconEntry:
        """The entry with other contents.

        Raises:
            LexiconEntryNotFound: There is none, or it is another tenant's.
            LexiconEntryExists: Another one is for this phrase and language.
            Unavailable: The database does not answer.
        """
        changed = (
            update(lexicon)
            .where(lexicon.c.tenant_id == tenant_id, lexicon.c.id == entry_id)
            .values(updated_at=utc_now(), **_columns(spelling))
        )
        async with self._writing() as connection:
            if (await connection.execute(changed)).rowcount == 0:
                raise LexiconEntryNotFound
            return await _read(connection, tenant_id, entry_id)

    async def delete(self, tenant_id: str, entry_id: str) -> None:
        """Remove an entry.

        Raises:
            LexiconEntryNotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        gone = delete(lexicon).where(lexicon.c.tenant_id == tenant_id, lexicon.c.id == entry_id)
        async with self._writing() as connection:
            if (await connection.execute(gone)).rowcount == 0:
                raise LexiconEntryNotFound

    async def get(self, tenant_id: str, entry_id: str) -> LexiconEntry:
        """An entry of a tenant.

        Raises:
            LexiconEntryNotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        async with reading(self._engine) as connection:
            return await _read(connection, tenant_id, entry_id)

    async def page(
        self, tenant_id: str, limit: int, cursor: str | None, language: str | None
    ) -> LexiconPage:
        """A page, newest first.

        Args:
            tenant_id: Whose.
            limit: Entries on the page.
            cursor: `next` of the page before.
            language: Only entries of this language; None for all.

        Raises:
            Unavailable: The database does not answer.
        """
        query = select(lexicon).where(lexicon.c.tenant_id == tenant_id)
        if cursor is not None:
            query = query.where(lexicon.c.id < cursor)
        if language is not None:
            query = query.where(lexicon.c.language == language)
        async with reading(self._engine) as connection:
            wanted = query.order_by(lexicon.c.id.desc()).limit(limit + 1)
            rows = (await connection.execute(wanted)).mappings().all()
        items = tuple(_entry(dict(row)) for row in rows[:limit])
        return LexiconPage(items, items[-1].id if len(rows) > limit else None)

    async def spellings(self, tenant_id: str) -> list[Spelling]:
        """All that a tenant has, the oldest first.

        Raises:
            Unavailable: The database does not answer.
        """
        query = (
            select(lexicon.c.phrase, lexicon.c.alias, lexicon.c.language)
            .where(lexicon.c.tenant_id == tenant_id)
            .order_by(lexicon.c.id)
            .limit(self._most)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return [Spelling(phrase, alias, language or None) for phrase, alias, language in rows]

    async def _require_room(self, connection: AsyncConnection, tenant_id: str) -> None:
        # A lexicon that is nearly full has a first entry: whoever adds waits for it in turn.
        # SQLite has no row locks and needs none: it has one writer at a time.
        own = lexicon.c.tenant_id == tenant_id
        first = select(lexicon.c.id).where(own).order_by(lexicon.c.id).limit(1)
        await connection.scalar(first.with_for_update())
        count = await connection.scalar(select(func.count()).where(own))
        if (count or 0) >= self._most:
            raise LexiconFull(self._most)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with writing(self._engine) as connection:
                yield connection
        except IntegrityError as error:
            raise LexiconEntryExists from error


async def _read(connection: AsyncConnection, tenant_id: str, entry_id: str) -> LexiconEntry:
    wanted = select(lexicon).where(lexicon.c.tenant_id == tenant_id, lexicon.c.id == entry_id)
    row = (await connection.execute(wanted)).mappings().one_or_none()
    if row is None:
        raise LexiconEntryNotFound
    return _entry(dict(row))


def _columns(spelling: Spelling) -> dict[str, str]:
    return {
        "phrase": spelling.phrase,
        "alias": spelling.alias,
        "language": spelling.language or _ANY,
    }


def _entry(row: Mapping[str, Any]) -> LexiconEntry:
    return LexiconEntry(
        id=row["id"],
        spelling=Spelling(row["phrase"], row["alias"], row["language"] or None),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

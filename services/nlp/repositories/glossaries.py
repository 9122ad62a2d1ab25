"""Stored glossaries. Each method is one transaction; every statement names the tenant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.nlp.db.tables import nmt_glossaries as glossaries
from services.nlp.exceptions import (
    glossary_exists,
    glossary_not_found,
    too_many_glossaries,
    too_many_terms,
)
from services.nlp.models.glossary import Glossary, GlossaryHead, GlossaryLimits
from services.nlp.models.languages import Pair
from shared.caller import Caller
from shared.db.base import new_id, utc_now
from shared.db.transactions import reading, writing

_HEAD = tuple(column for column in glossaries.c if column.name != "terms")


class GlossaryRepository:
    """The glossaries of all tenants.

    Args:
        engine: The service's database.
        limits: How much a tenant may keep.
    """

    def __init__(self, engine: AsyncEngine, limits: GlossaryLimits) -> None:
        self._engine = engine
        self._limits = limits

    async def add(self, caller: Caller, pair: Pair, terms: Mapping[str, str]) -> Glossary:
        """A new glossary.

        Raises:
            Conflict: The pair has one, or something is too many.
            Unavailable: The database does not answer.
        """
        now = utc_now()
        row = {
            "id": new_id(),
            "tenant_id": caller.tenant_id,
            "subject": caller.subject,
            "source_language": pair.source,
            "target_language": pair.target,
            "created_at": now,
            "updated_at": now,
            **self._contents(terms),
        }
        count = select(func.count()).where(glossaries.c.tenant_id == caller.tenant_id)
        try:
            async with writing(self._engine) as connection:
                if (await connection.scalar(count) or 0) >= self._limits.glossaries:
                    raise too_many_glossaries(self._limits.glossaries)
                await connection.execute(insert(glossaries).values(**row))
        except IntegrityError as error:
            raise glossary_exists() from error
        return _glossary(row)

    async def list(self, tenant_id: str) -> list[GlossaryHead]:
        """All of a tenant's, by pair.

        Raises:
            Unavailable: The database does not answer.
        """
        query = (
            select(*_HEAD)
            .where(glossaries.c.tenant_id == tenant_id)
            .order_by(glossaries.c.source_language, glossaries.c.target_language)
        )
        async with reading(self._engine) as connection:
            return [_head(row) for row in (await connection.execute(query)).mappings()]

    async def get(self, tenant_id: str, glossary_id: str) -> Glossary:
        """A glossary of a tenant.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        query = select(glossaries).where(_is(tenant_id, glossary_id))
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise glossary_not_found()
        return _glossary(row)

    async def changed_at(self, tenant_id: str, pair: Pair) -> datetime | None:
        """When the glossary of a pair changed last; None if there is none.

        Raises:
            Unavailable: The database does not answer.
        """
        query = select(glossaries.c.updated_at).where(_of_pair(tenant_id, pair))
        async with reading(self._engine) as connection:
            found: datetime | None = await connection.scalar(query)
        return found

    async def of_pair(self, tenant_id: str, pair: Pair) -> Glossary | None:
        """The glossary of a pair.

        Raises:
            Unavailable: The database does not answer.
        """
        query = select(glossaries).where(_of_pair(tenant_id, pair))
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _glossary(row)

    async def change(
        self,
        tenant_id: str,
        glossary_id: str,
        changes: Mapping[str, str | None],
        *,
        replace: bool,
    ) -> Glossary:
        """The glossary with other terms.

        Args:
            tenant_id: Whose it is.
            glossary_id: Which one.
            changes: Translation by term; None removes the term.
            replace: Whether terms that are not named go.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Conflict: The terms are too many.
            Unavailable: The database does not answer.
        """
        mine = _is(tenant_id, glossary_id)
        async with writing(self._engine) as connection:
            # SQLite has no row locks and needs none: it has one writer at a time.
            found = await connection.execute(select(glossaries).where(mine).with_for_update())
            row = found.mappings().one_or_none()
            if row is None:
                raise glossary_not_found()
            merged = {**({} if replace else row["terms"]), **changes}
            terms = {term: said for term, said in merged.items() if said is not None}
            changed = {"updated_at": utc_now(), **self._contents(terms)}
            await connection.execute(update(glossaries).where(mine).values(**changed))
        return _glossary({**row, **changed})

    async def delete(self, tenant_id: str, glossary_id: str) -> None:
        """Remove a glossary.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        async with writing(self._engine) as connection:
            gone = await connection.execute(delete(glossaries).where(_is(tenant_id, glossary_id)))
            if gone.rowcount == 0:
                raise glossary_not_found()

    def _contents(self, terms: Mapping[str, str]) -> dict[str, Any]:
        if len(terms) > self._limits.terms:
            raise too_many_terms(self._limits.terms)
        return {"term_count": len(terms), "terms": dict(terms)}


def _is(tenant_id: str, glossary_id: str) -> ColumnElement[bool]:
    return (glossaries.c.tenant_id == tenant_id) & (glossaries.c.id == glossary_id)


def _of_pair(tenant_id: str, pair: Pair) -> ColumnElement[bool]:
    return (
        (glossaries.c.tenant_id == tenant_id)
        & (glossaries.c.source_language == pair.source)
        & (glossaries.c.target_language == pair.target)
    )


def _head(row: Mapping[Any, Any]) -> GlossaryHead:
    return GlossaryHead(
        id=row["id"],
        pair=Pair(row["source_language"], row["target_language"]),
        term_count=row["term_count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _glossary(row: Mapping[Any, Any]) -> Glossary:
    return Glossary(_head(row), row["terms"])

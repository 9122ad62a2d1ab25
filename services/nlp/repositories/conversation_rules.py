"""The tenants' rules for conversations. A version is written once and never changes.

Each method is one transaction; every statement names the tenant.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.nlp.db.tables import nlp_conversation_rules as rules
from services.nlp.exceptions import Conflict
from services.nlp.models.conversation import RulesVersion
from shared.caller import Caller
from shared.db.base import new_id, utc_now
from shared.db.transactions import reading, writing


class ConversationRulesRepository:
    """Versions of rules, numbered within their tenant.

    Args:
        engine: The service's database.
        most: Versions that a tenant may keep.
    """

    def __init__(self, engine: AsyncEngine, most: int) -> None:
        self._engine = engine
        self._most = most

    async def latest_number(self, tenant_id: str) -> int | None:
        """Number of the tenant's newest version; None if it has none.

        Raises:
            Unavailable: The database does not answer.
        """
        query = (
            select(rules.c.number)
            .where(rules.c.tenant_id == tenant_id)
            .order_by(rules.c.number.desc())
            .limit(1)
        )
        async with reading(self._engine) as connection:
            found: int | None = await connection.scalar(query)
        return found

    async def get(self, tenant_id: str, number: int) -> RulesVersion | None:
        """A version of the tenant's.

        Raises:
            Unavailable: The database does not answer.
        """
        query = select(rules).where(rules.c.tenant_id == tenant_id, rules.c.number == number)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _version(row)

    async def add(self, caller: Caller, document: Mapping[str, Any], digest: str) -> RulesVersion:
        """The document as the tenant's next version; the newest one, if that is the same.

        Raises:
            Conflict: The tenant has too many versions, or writes two at once.
            Unavailable: The database does not answer.
        """
        newest = (
            select(rules)
            .where(rules.c.tenant_id == caller.tenant_id)
            .order_by(rules.c.number.desc())
            .limit(1)
        )
        try:
            async with writing(self._engine) as connection:
                last = (await connection.execute(newest)).mappings().one_or_none()
                if last is not None and last["digest"] == digest:
                    return _version(last)
                number = 1 if last is None else last["number"] + 1
                if number > self._most:
                    raise Conflict(
                        f"At most {self._most} versions of rules are kept.",
                        code="too_many_rules_versions",
                    )
                row = {
                    "id": new_id(),
                    "tenant_id": caller.tenant_id,
                    "subject": caller.subject,
                    "number": number,
                    "created_at": utc_now(),
                    "digest": digest,
                    "document": dict(document),
                }
                await connection.execute(insert(rules).values(**row))
        except IntegrityError as error:
            raise Conflict(
                "Somebody else changed the rules at the same time.", code="rules_changed"
            ) from error
        return _version(row)


def _version(row: Mapping[Any, Any]) -> RulesVersion:
    return RulesVersion(str(row["number"]), row["created_at"], row["document"])

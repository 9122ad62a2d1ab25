"""The trail of flag evaluations in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.flag_tables import FeatureFlagEvaluationRow
from gateway.db.inserts import insert_into
from gateway.models.flags import EvaluationRecord
from shared.db.base import first_id_of


class FlagEvaluationRepository:
    """Writes and deletes evaluations; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, records: Sequence[EvaluationRecord]) -> None:
        """Store evaluations; one that is there already, after a retry, is left as it is."""
        statement = insert_into(self._session, FeatureFlagEvaluationRow)
        statement = statement.on_conflict_do_nothing(index_elements=["id"])
        await self._session.execute(statement, [asdict(record) for record in records])

    async def prune(self, before: datetime, most: int) -> int:
        """Delete some of those stored before a moment; how many."""
        ids = FeatureFlagEvaluationRow.id
        old = select(ids).where(ids < first_id_of(before)).order_by(ids).limit(most)
        result = await self._session.execute(delete(FeatureFlagEvaluationRow).where(ids.in_(old)))
        return cast("CursorResult[Any]", result).rowcount

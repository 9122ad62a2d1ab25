"""The trail of flag evaluations in the database."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.flag_tables import FeatureFlagEvaluationRow
from gateway.models.flags import EvaluationRecord


class FlagEvaluationRepository:
    """Writes evaluations; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, records: Sequence[EvaluationRecord]) -> None:
        """Store evaluations; one that is there already, after a retry, is left as it is."""
        insert = (
            sqlite_insert
            if self._session.get_bind().dialect.name == "sqlite"
            else postgresql_insert
        )
        statement = insert(FeatureFlagEvaluationRow).on_conflict_do_nothing(index_elements=["id"])
        await self._session.execute(statement, [asdict(record) for record in records])

"""The last known flags in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.flag_tables import FeatureFlagRow
from gateway.db.inserts import insert_into
from gateway.models.flags import Flag, StoredFlag


class FlagRepository:
    """Reads and writes flags; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self, environment: str, source: str) -> Sequence[StoredFlag]:
        """The flags of an environment as a source last described them, by name."""
        rows = await self._session.scalars(
            select(FeatureFlagRow)
            .where(FeatureFlagRow.environment == environment, FeatureFlagRow.source == source)
            .order_by(FeatureFlagRow.name)
        )
        return [
            StoredFlag(Flag(row.name, row.enabled, row.description), row.definition) for row in rows
        ]

    async def replace(
        self, environment: str, source: str, flags: Sequence[StoredFlag], now: datetime
    ) -> None:
        """Keep these flags of an environment and no others.

        Args:
            environment: Whose.
            source: Where they come from.
            flags: All of them.
            now: When they were read there.
        """
        names = [item.flag.name for item in flags]
        await self._session.execute(
            delete(FeatureFlagRow).where(
                FeatureFlagRow.environment == environment, FeatureFlagRow.name.not_in(names)
            )
        )
        if not flags:
            return
        statement = insert_into(self._session, FeatureFlagRow)
        key = ("name", "environment")
        columns = ("enabled", "description", "definition", "source", "synced_at")
        statement = statement.on_conflict_do_update(
            index_elements=key, set_={name: statement.excluded[name] for name in columns}
        )
        # In one order everywhere: gateways that write at the same time do not deadlock.
        rows = [
            {
                "name": item.flag.name,
                "environment": environment,
                "enabled": item.flag.enabled,
                "description": item.flag.description,
                "definition": dict(item.definition),
                "source": source,
                "synced_at": now,
            }
            for item in sorted(flags, key=lambda item: item.flag.name)
        ]
        await self._session.execute(statement, rows)

"""Organizations in the database."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import OrganizationRow
from shared.db.base import new_id, utc_now


class OrganizationRepository:
    """Reads and writes organizations; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure(self, name: str) -> str:
        """The id of the organization of this name, made when absent."""
        found = await self._session.scalar(
            select(OrganizationRow.id).where(OrganizationRow.name == name)
        )
        if found is not None:
            return found
        row = OrganizationRow(id=new_id(), name=name, created_at=utc_now())
        self._session.add(row)
        await self._session.flush()
        return row.id

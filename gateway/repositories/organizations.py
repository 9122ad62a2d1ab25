"""Organizations in the database."""

from datetime import datetime

from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import OrganizationRow, PlanRow
from gateway.exceptions import NameTaken
from gateway.models.accounts import Organization, Page
from gateway.repositories.paging import id_cursor, make_page
from gateway.repositories.plans import plan_of
from shared.db.base import new_id, utc_now

_WITH_PLAN = (
    select(OrganizationRow, PlanRow)
    .outerjoin(PlanRow, OrganizationRow.plan_id == PlanRow.id)
    .execution_options(populate_existing=True)
)


def _to_model(found: Row[OrganizationRow, PlanRow]) -> Organization:
    row, plan = found
    return Organization(
        id=row.id,
        name=row.name,
        plan=plan_of(plan),
        suspended_at=row.suspended_at,
        created_at=row.created_at,
    )


class OrganizationRepository:
    """Reads and writes organizations; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, organization_id: str) -> Organization | None:
        """The organization of this id."""
        found = await self._session.execute(_WITH_PLAN.where(OrganizationRow.id == organization_id))
        row = found.first()
        return _to_model(row) if row else None

    async def find_by_name(self, name: str) -> Organization | None:
        """The organization of this name."""
        found = await self._session.execute(_WITH_PLAN.where(OrganizationRow.name == name))
        row = found.first()
        return _to_model(row) if row else None

    async def list(self, limit: int, cursor: str | None = None) -> Page[Organization]:
        """A page, newest first."""
        query = _WITH_PLAN.order_by(OrganizationRow.id.desc()).limit(limit + 1)
        if cursor is not None:
            query = query.where(OrganizationRow.id < id_cursor(cursor))
        found = [_to_model(row) for row in await self._session.execute(query)]
        return make_page(found, limit, lambda organization: organization.id)

    async def add(self, name: str) -> Organization:
        """A new organization.

        Raises:
            NameTaken: Another one has the name.
        """
        row = OrganizationRow(id=new_id(), name=name, created_at=utc_now())
        self._session.add(row)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise NameTaken("An organization of this name exists.") from error
        return Organization(row.id, name, None, None, row.created_at)

    async def ensure(self, name: str) -> Organization:
        """The organization of this name, made when absent."""
        return await self.find_by_name(name) or await self.add(name)

    async def update(
        self,
        organization_id: str,
        *,
        name: str,
        plan_id: str | None,
        suspended_at: datetime | None,
    ) -> None:
        """Write all that can change.

        Raises:
            NameTaken: Another one has the name.
        """
        try:
            await self._session.execute(
                update(OrganizationRow)
                .where(OrganizationRow.id == organization_id)
                .values(name=name, plan_id=plan_id, suspended_at=suspended_at)
            )
        except IntegrityError as error:
            raise NameTaken("An organization of this name exists.") from error

"""Plans in the database."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import OrganizationRow, PlanRow
from gateway.exceptions import NameTaken, PlanInUse
from gateway.models.accounts import Page, Plan
from gateway.repositories.paging import id_cursor, make_page


def plan_of(row: PlanRow | None) -> Plan | None:
    """The plan of a row that an outer join may have left out."""
    return None if row is None else _to_model(row)


def _to_model(row: PlanRow) -> Plan:
    return Plan(
        id=row.id,
        name=row.name,
        per_minute=row.per_minute,
        per_hour=row.per_hour,
        per_day=row.per_day,
        max_concurrent_per_key=row.max_concurrent_per_key,
        max_concurrent_per_tenant=row.max_concurrent_per_tenant,
        created_at=row.created_at,
    )


class PlanRepository:
    """Reads and writes plans; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, plan_id: str) -> Plan | None:
        """The plan of this id."""
        return plan_of(await self._session.get(PlanRow, plan_id, populate_existing=True))

    async def find_by_name(self, name: str) -> Plan | None:
        """The plan of this name."""
        return plan_of(await self._session.scalar(select(PlanRow).where(PlanRow.name == name)))

    async def list(self, limit: int, cursor: str | None = None) -> Page[Plan]:
        """A page, newest first."""
        query = select(PlanRow).order_by(PlanRow.id.desc()).limit(limit + 1)
        if cursor is not None:
            query = query.where(PlanRow.id < id_cursor(cursor))
        found = [_to_model(row) for row in await self._session.scalars(query)]
        return make_page(found, limit, lambda plan: plan.id)

    async def add(self, plan: Plan) -> None:
        """Store a new plan.

        Raises:
            NameTaken: Another plan has the name.
        """
        self._session.add(PlanRow(**_columns(plan), id=plan.id, created_at=plan.created_at))
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise NameTaken("A plan of this name exists.") from error

    async def update(self, plan: Plan) -> None:
        """Write all members of a stored plan.

        Raises:
            NameTaken: Another plan has the name.
        """
        try:
            await self._session.execute(
                update(PlanRow).where(PlanRow.id == plan.id).values(**_columns(plan))
            )
        except IntegrityError as error:
            raise NameTaken("A plan of this name exists.") from error

    async def delete(self, plan_id: str) -> None:
        """Delete a plan.

        Raises:
            PlanInUse: An organization has it.
        """
        users = select(func.count()).select_from(OrganizationRow)
        if await self._session.scalar(users.where(OrganizationRow.plan_id == plan_id)):
            raise PlanInUse
        try:
            await self._session.execute(delete(PlanRow).where(PlanRow.id == plan_id))
        except IntegrityError as error:  # An organization took it since the count.
            raise PlanInUse from error


def _columns(plan: Plan) -> dict[str, str | int | None]:
    return {
        "name": plan.name,
        "per_minute": plan.per_minute,
        "per_hour": plan.per_hour,
        "per_day": plan.per_day,
        "max_concurrent_per_key": plan.max_concurrent_per_key,
        "max_concurrent_per_tenant": plan.max_concurrent_per_tenant,
    }

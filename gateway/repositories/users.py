"""Users in the database."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Row, Select, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import (
    ApiKeyRow,
    OrganizationRow,
    PlanRow,
    RolePermissionRow,
    UserRoleRow,
    UserRow,
)
from gateway.exceptions import EmailTaken
from gateway.models.accounts import Page, User
from gateway.repositories.paging import id_cursor, make_page
from gateway.repositories.plans import plan_of

# The plan comes by an outer join: it may be None, which SQLAlchemy's types do not show.
_Query = Select[UserRow, datetime | None, PlanRow]
_WITH_ORGANIZATION: _Query = (
    select(UserRow, OrganizationRow.suspended_at, PlanRow)
    .join(OrganizationRow, UserRow.tenant_id == OrganizationRow.id)
    .outerjoin(PlanRow, OrganizationRow.plan_id == PlanRow.id)
    .execution_options(populate_existing=True)
)


class UserRepository:
    """Reads and writes users; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, user_id: str) -> User | None:
        """The user of this id, whatever its state."""
        return await self._first(_WITH_ORGANIZATION.where(UserRow.id == user_id))

    async def find_by_email(self, email: str) -> User | None:
        """The user of this address, in whatever case it is written."""
        return await self._first(_WITH_ORGANIZATION.where(UserRow.email == email.lower()))

    async def permissions_of(self, user_id: str) -> frozenset[str]:
        """What the user's roles grant."""
        return frozenset(
            await self._session.scalars(
                select(RolePermissionRow.permission)
                .join(UserRoleRow, UserRoleRow.role == RolePermissionRow.role)
                .where(UserRoleRow.user_id == user_id)
            )
        )

    async def list(
        self, tenant_id: str | None, limit: int, cursor: str | None = None
    ) -> Page[User]:
        """A page, newest first.

        Args:
            tenant_id: None for all organizations.
            limit: Users on the page.
            cursor: Where the last page ended.
        """
        query = _WITH_ORGANIZATION.order_by(UserRow.id.desc()).limit(limit + 1)
        if tenant_id is not None:
            query = query.where(UserRow.tenant_id == tenant_id)
        if cursor is not None:
            query = query.where(UserRow.id < id_cursor(cursor))
        rows = (await self._session.execute(query)).all()
        return make_page(await self._to_models(rows), limit, lambda user: user.id)

    async def add(self, user: User) -> None:
        """Store a new user and its roles.

        Raises:
            EmailTaken: Another user has the address.
        """
        self._session.add(
            UserRow(
                id=user.id,
                tenant_id=user.tenant_id,
                email=user.email,
                name=user.name,
                password_hash=user.password_hash,
                disabled_at=user.disabled_at,
                password_changed_at=user.password_changed_at,
                created_at=user.created_at,
            )
        )
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise EmailTaken from error
        await self._add_roles(user.id, user.roles)

    async def update(self, user_id: str, *, name: str, disabled_at: datetime | None) -> None:
        """Write what administrators may change, apart from roles and password."""
        await self._session.execute(
            update(UserRow).where(UserRow.id == user_id).values(name=name, disabled_at=disabled_at)
        )

    async def set_roles(self, user_id: str, roles: Iterable[str]) -> None:
        """Give a user these roles and no others."""
        await self._session.execute(delete(UserRoleRow).where(UserRoleRow.user_id == user_id))
        await self._add_roles(user_id, roles)

    async def set_password(self, user_id: str, password_hash: str, at: datetime) -> None:
        """Replace the password."""
        await self._session.execute(
            update(UserRow)
            .where(UserRow.id == user_id)
            .values(password_hash=password_hash, password_changed_at=at)
        )

    async def touch_login(self, user_id: str, at: datetime) -> None:
        """The user logged in."""
        await self._session.execute(
            update(UserRow).where(UserRow.id == user_id).values(last_login_at=at)
        )

    async def delete(self, user_id: str) -> None:
        """Delete a user and its sessions; its keys stay without an owner."""
        await self._session.execute(
            update(ApiKeyRow).where(ApiKeyRow.user_id == user_id).values(user_id=None)
        )
        await self._session.execute(delete(UserRow).where(UserRow.id == user_id))

    async def _add_roles(self, user_id: str, roles: Iterable[str]) -> None:
        self._session.add_all([UserRoleRow(user_id=user_id, role=role) for role in set(roles)])
        await self._session.flush()

    async def _first(self, query: _Query) -> User | None:
        found = await self._to_models((await self._session.execute(query)).all())
        return found[0] if found else None

    async def _to_models(
        self, rows: Sequence[Row[UserRow, datetime | None, PlanRow]]
    ) -> tuple[User, ...]:
        if not rows:
            return ()
        roles: dict[str, list[str]] = defaultdict(list)
        held = await self._session.execute(
            select(UserRoleRow.user_id, UserRoleRow.role)
            .where(UserRoleRow.user_id.in_([row.id for row, _, _ in rows]))
            .order_by(UserRoleRow.role)
        )
        for user_id, role in held:
            roles[user_id].append(role)
        return tuple(
            User(
                id=row.id,
                tenant_id=row.tenant_id,
                email=row.email,
                name=row.name,
                password_hash=row.password_hash,
                roles=tuple(roles[row.id]),
                disabled_at=row.disabled_at,
                password_changed_at=row.password_changed_at,
                last_login_at=row.last_login_at,
                created_at=row.created_at,
                organization_suspended=suspended_at is not None,
                plan=plan_of(plan),
            )
            for row, suspended_at, plan in rows
        )

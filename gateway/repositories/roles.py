"""Roles in the database."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import (
    OrganizationRow,
    PermissionRow,
    RolePermissionRow,
    RoleRow,
    UserRoleRow,
    UserRow,
)
from gateway.models.accounts import Role
from gateway.models.permissions import PLATFORM_ADMIN


class RoleRepository:
    """Reads roles."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self) -> tuple[Role, ...]:
        """All roles by name."""
        granted: dict[str, set[str]] = defaultdict(set)
        rows = await self._session.execute(
            select(RoleRow.name, RolePermissionRow.permission).outerjoin(
                RolePermissionRow, RolePermissionRow.role == RoleRow.name
            )
        )
        for role, permission in rows:
            granted[role] |= {permission} if permission else set()
        return tuple(Role(name, frozenset(granted[name])) for name in sorted(granted))

    async def permissions_of(self, roles: Iterable[str]) -> frozenset[str]:
        """What some roles grant together."""
        return frozenset(
            await self._session.scalars(
                select(RolePermissionRow.permission).where(RolePermissionRow.role.in_([*roles]))
            )
        )

    async def lock_platform_admins(self) -> None:
        """Let no other transaction change who administers the platform until this one ends.

        Two administrators who disable each other at once would leave none. SQLite has one writer
        at a time anyhow.
        """
        await self._session.execute(
            select(PermissionRow.name).where(PermissionRow.name == PLATFORM_ADMIN).with_for_update()
        )

    async def count_platform_admins(self) -> int:
        """Enabled users of active organizations who may do everything."""
        count = await self._session.scalar(
            select(func.count(UserRow.id.distinct()))
            .join(UserRoleRow, UserRoleRow.user_id == UserRow.id)
            .join(RolePermissionRow, RolePermissionRow.role == UserRoleRow.role)
            .join(OrganizationRow, OrganizationRow.id == UserRow.tenant_id)
            .where(
                RolePermissionRow.permission == PLATFORM_ADMIN,
                UserRow.disabled_at.is_(None),
                OrganizationRow.suspended_at.is_(None),
            )
        )
        return count or 0

"""Organizations: their names, plans and suspension."""

from dataclasses import replace

from gateway.exceptions import LastAdmin
from gateway.models.accounts import UNSET, Organization, OrganizationChanges, Page
from gateway.models.permissions import PLATFORM_ADMIN
from gateway.repositories.store import Database
from gateway.services.authority import Actor, no_such
from gateway.services.key_changes import KeyAnnouncer
from shared.db.base import utc_now


class OrganizationService:
    """Manages organizations.

    Args:
        database: Where they live.
        announcer: Told which keys have other quotas, or a suspended organization, now.
    """

    def __init__(self, database: Database, announcer: KeyAnnouncer) -> None:
        self._database = database
        self._announcer = announcer

    async def create(self, actor: Actor, name: str, plan_id: str | None = None) -> Organization:
        """A new organization.

        Raises:
            NameTaken: Another one has the name.
            NotFound: No such plan.
        """
        actor.require(PLATFORM_ADMIN)
        async with self._database.transaction() as store:
            plan = await store.plans.find(plan_id) if plan_id is not None else None
            if plan_id is not None and plan is None:
                raise no_such("plan")
            organization = await store.organizations.add(name)
            if plan is not None:
                await store.organizations.update(
                    organization.id, name=name, plan_id=plan.id, suspended_at=None
                )
        return replace(organization, plan=plan)

    async def ensure(self, actor: Actor, name: str) -> Organization:
        """The organization of a name, made when absent."""
        actor.require(PLATFORM_ADMIN)
        async with self._database.transaction() as store:
            return await store.organizations.ensure(name)

    async def named(self, actor: Actor, name: str) -> Organization:
        """The organization of a name.

        Raises:
            NotFound: No such organization.
        """
        actor.require(PLATFORM_ADMIN)
        async with self._database.transaction(read_only=True) as store:
            found = await store.organizations.find_by_name(name)
        if found is None:
            raise no_such("organization", "name")
        return found

    async def list(
        self, actor: Actor, *, limit: int, cursor: str | None = None
    ) -> Page[Organization]:
        """A page of all organizations, newest first."""
        actor.require(PLATFORM_ADMIN)
        async with self._database.transaction(read_only=True) as store:
            return await store.organizations.list(limit, cursor)

    async def get(self, actor: Actor, organization_id: str) -> Organization:
        """An organization.

        Raises:
            NotFound: No such organization, or none that the actor may know of.
        """
        async with self._database.transaction(read_only=True) as store:
            found = await store.organizations.find(organization_id)
        if found is None or not actor.reaches(found.id):
            raise no_such("organization")
        return found

    async def update(
        self, actor: Actor, organization_id: str, changes: OrganizationChanges
    ) -> Organization:
        """Change an organization; plan and suspension hold for its keys within seconds.

        Raises:
            NotFound: No such organization or plan, or none that the actor may know of.
            NameTaken: Another one has the name.
            ScopeMissing: Only the platform's administrators set plans and suspend.
            LastAdmin: Nobody outside it administers the platform.
        """
        async with self._database.transaction() as store:
            if changes.suspended is True:
                await store.roles.lock_platform_admins()
            admins = await store.roles.count_platform_admins()
            before = await store.organizations.find(organization_id)
            if before is None or not actor.reaches(before.id):
                raise no_such("organization")
            after = before
            if changes.name is not UNSET:
                after = replace(after, name=changes.name)
            if changes.plan_id is not UNSET or changes.suspended is not UNSET:
                actor.require(PLATFORM_ADMIN)
            if changes.plan_id is not UNSET:
                plan = await store.plans.find(changes.plan_id) if changes.plan_id else None
                if changes.plan_id is not None and plan is None:
                    raise no_such("plan")
                after = replace(after, plan=plan)
            if changes.suspended is not UNSET:
                since = before.suspended_at or utc_now()
                after = replace(after, suspended_at=since if changes.suspended else None)
            await store.organizations.update(
                after.id,
                name=after.name,
                plan_id=after.plan.id if after.plan else None,
                suspended_at=after.suspended_at,
            )
            if admins and not await store.roles.count_platform_admins():
                raise LastAdmin
            keys = await store.keys.unrevoked(tenant_id=after.id)
        if replace(after, name=before.name) != before:
            await self._announcer.changed(keys)
        return after

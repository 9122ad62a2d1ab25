"""Plans: quotas that organizations share."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.models.accounts import Page, Plan
from gateway.models.permissions import PLATFORM_ADMIN
from gateway.repositories.store import Database
from gateway.services.authority import Actor, no_such
from gateway.services.key_changes import KeyAnnouncer
from shared.db.base import new_id, utc_now

QUOTAS = (
    "per_minute",
    "per_hour",
    "per_day",
    "max_concurrent_per_key",
    "max_concurrent_per_tenant",
)


class PlanService:
    """Manages plans, for the platform's administrators.

    Args:
        database: Where plans live.
        announcer: Told which keys have other quotas now.
    """

    def __init__(self, database: Database, announcer: KeyAnnouncer) -> None:
        self._database = database
        self._announcer = announcer

    async def create(self, actor: Actor, name: str, quotas: Mapping[str, int | None]) -> Plan:
        """A new plan.

        Args:
            actor: Who makes it.
            name: Unique.
            quotas: Some of `QUOTAS`.

        Raises:
            NameTaken: Another plan has the name.
        """
        actor.require(PLATFORM_ADMIN)
        values = {**dict.fromkeys(QUOTAS), **quotas}
        plan = Plan(id=new_id(), name=name, created_at=utc_now(), **values)
        async with self._database.transaction() as store:
            await store.plans.add(plan)
        return plan

    async def list(self, actor: Actor, *, limit: int, cursor: str | None = None) -> Page[Plan]:
        """A page of plans, newest first; an organization sees its own only."""
        async with self._database.transaction(read_only=True) as store:
            if actor.is_platform_admin:
                return await store.plans.list(limit, cursor)
            own = await store.organizations.find(actor.tenant_id or "")
            return Page((own.plan,) if own and own.plan else ())

    async def named(self, actor: Actor, name: str) -> Plan:
        """The plan of a name.

        Raises:
            NotFound: No such plan.
        """
        actor.require(PLATFORM_ADMIN)
        async with self._database.transaction(read_only=True) as store:
            plan = await store.plans.find_by_name(name)
        if plan is None:
            raise no_such("plan", "name")
        return plan

    async def update(self, actor: Actor, plan_id: str, changes: Mapping[str, Any]) -> Plan:
        """Change a plan; its organizations' keys follow within seconds.

        Args:
            actor: Who changes it.
            plan_id: Its id.
            changes: `name` or some of `QUOTAS`.

        Raises:
            NotFound: No such plan.
            NameTaken: Another plan has the name.
        """
        actor.require(PLATFORM_ADMIN)
        async with self._database.transaction() as store:
            plan = await store.plans.find(plan_id)
            if plan is None:
                raise no_such("plan")
            plan = replace(plan, **changes)
            await store.plans.update(plan)
            keys = await store.keys.unrevoked(plan_id=plan_id)
        await self._announcer.changed(keys)
        return plan

    async def delete(self, actor: Actor, plan_id: str) -> None:
        """Delete a plan that nobody has.

        Raises:
            NotFound: No such plan.
            PlanInUse: An organization has it.
        """
        actor.require(PLATFORM_ADMIN)
        async with self._database.transaction() as store:
            if await store.plans.find(plan_id) is None:
                raise no_such("plan")
            await store.plans.delete(plan_id)

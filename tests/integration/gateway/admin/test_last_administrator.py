"""The last administrator of the platform stays, whoever else acts meanwhile."""

import asyncio

import pytest
from sqlalchemy import text

from gateway.models.accounts import UserChanges
from gateway.services.authority import OPERATOR
from shared.db.base import utc_now
from tests.integration.gateway.admin.world import World
from tests.support.poll import eventually


async def only_admins(world: World, *kept: str) -> None:
    """Disable every other administrator that tests left behind."""
    users = world.services.accounts.users
    for user in (await users.list(OPERATOR, limit=10_000)).items:
        if "admin" in user.roles and user.id not in kept:
            await users.update(OPERATOR, user.id, UserChanges(disabled=True))


async def test_the_last_administrator_stays(world: World) -> None:
    admin, other = await world.admin(), await world.admin()
    await only_admins(world, admin.id, other.id)
    await admin.patch(f"/users/{other.id}", disabled=True)
    last, path = (409, "last_admin"), f"/users/{admin.id}"
    assert await admin.refused("PATCH", path, disabled=True) == last
    assert await admin.refused("PATCH", path, roles=["organization_admin"]) == last
    assert await admin.refused("DELETE", path) == last
    suspended = {"suspended": True}
    assert await admin.refused("PATCH", f"/organizations/{admin.tenant_id}", **suspended) == last
    assert (await admin.get(path))["roles"] == ["admin"]
    assert (await admin.get(path))["disabled_at"] is None
    # With another one it is allowed again.
    await admin.patch(f"/users/{other.id}", disabled=False)
    await admin.delete(path)


async def test_two_administrators_cannot_remove_each_other(world: World) -> None:
    one, two = await world.admin(), await world.admin()
    await only_admins(world, one.id, two.id)
    outcomes = await asyncio.gather(
        one.ask("PATCH", f"/users/{two.id}", {"disabled": True}),
        two.ask("DELETE", f"/users/{one.id}"),
    )
    assert sorted(answer.status_code // 100 for answer in outcomes) == [2, 4]


@pytest.mark.parametrize("admin_database", ["postgresql"], indirect=True)
async def test_the_count_of_administrators_waits_for_who_changes_it(world: World) -> None:
    one, two = await world.admin(), await world.admin()
    await only_admins(world, one.id, two.id)

    async def somebody_waits() -> bool:
        async with world.database.transaction(read_only=True) as reader:
            waiting = await reader.users._session.execute(
                text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            )
            return waiting.first() is not None

    async with world.database.transaction() as store:
        await store.roles.lock_platform_admins()
        await store.users.update(one.id, name="One", disabled_at=utc_now())
        removal = asyncio.create_task(one.refused("PATCH", f"/users/{two.id}", disabled=True))
        await eventually(somebody_waits, timeout_s=10)
    assert await removal == (409, "last_admin")

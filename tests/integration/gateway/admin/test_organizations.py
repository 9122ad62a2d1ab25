"""Organizations and plans: what can be done with them, and by whom."""

from shared.db.base import new_id
from tests.integration.gateway.admin.world import World


async def test_an_organization_and_its_plan(world: World) -> None:
    admin = await world.admin()
    plan = await admin.post("/plans", name=new_id(), per_minute=5, max_concurrent_per_tenant=2)
    assert (plan["per_hour"], plan["max_concurrent_per_tenant"]) == (None, 2)
    name = new_id()
    made = await admin.post("/organizations", name=f"  {name} ", plan_id=plan["id"])
    assert (made["name"], made["plan"], made["suspended_at"]) == (name, plan, None)
    path = f"/organizations/{made['id']}"
    assert await admin.get(path) == made

    changed = await admin.patch(path, name=name + "2", suspended=True)
    assert changed["name"] == name + "2"
    assert changed["plan"] == plan
    again = await admin.patch(path, suspended=True)
    assert again["suspended_at"] == changed["suspended_at"]
    assert (await admin.patch(path, suspended=False, plan_id=None))["plan"] is None
    assert (await admin.get(path))["suspended_at"] is None

    assert await admin.refused("POST", "/organizations", name=name + "2") == (409, "name_taken")
    other = await world.organization()
    taken = await admin.refused("PATCH", f"/organizations/{other.id}", name=name + "2")
    assert taken == (409, "name_taken")
    missing = await admin.refused("PATCH", path, plan_id=new_id())
    assert missing == (404, "not_found")


async def test_a_plan_in_use_stays(world: World) -> None:
    admin = await world.admin()
    plan = await admin.post("/plans", name=new_id(), per_day=7)
    path = f"/plans/{plan['id']}"
    changed = await admin.patch(path, per_day=None, per_minute=3)
    assert (changed["name"], changed["per_day"], changed["per_minute"]) == (plan["name"], None, 3)
    organization = await world.organization(plan["id"])
    assert await admin.refused("DELETE", path) == (409, "plan_in_use")
    assert await admin.refused("POST", "/plans", name=plan["name"]) == (409, "name_taken")
    await admin.patch(f"/organizations/{organization.id}", plan_id=None)
    await admin.delete(path)
    assert await admin.refused("DELETE", path) == (404, "not_found")


async def test_an_organization_sees_its_own_plan_only(world: World) -> None:
    admin = await world.admin()
    plan = await admin.post("/plans", name=new_id(), per_day=7)
    await admin.post("/plans", name=new_id())
    organization = await world.organization(plan["id"])
    member = await world.user(organization.id, "user")
    assert await member.get("/plans") == {"items": [plan], "next": None}
    assert len((await admin.get("/plans"))["items"]) >= 2
    without = await world.user((await world.organization()).id, "user")
    assert (await without.get("/plans"))["items"] == []


async def test_an_organization_renames_itself_and_no_more(world: World) -> None:
    organization = await world.organization()
    boss = await world.user(organization.id, "organization_admin")
    path = f"/organizations/{organization.id}"
    renamed = await boss.patch(path, name=new_id())
    assert (await boss.get(path)) == renamed
    for change in ({"suspended": True}, {"plan_id": None}):
        assert await boss.refused("PATCH", path, **change) == (403, "scope_missing")
    member = await world.user(organization.id, "user")
    assert await member.refused("PATCH", path, name="x") == (403, "scope_missing")

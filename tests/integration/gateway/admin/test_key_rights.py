"""Who may do what with whose API keys."""

import pytest

from shared.db.base import new_id
from tests.integration.gateway.admin.given import NEW_KEY, boss_of
from tests.integration.gateway.admin.world import World

ESCALATION = (403, "permission_escalation")


async def test_no_key_can_do_more_than_its_maker(world: World) -> None:
    boss = await boss_of(world)
    for scopes in (["*"], ["platform:admin"], ["asr:infer", "flags:write"]):
        assert await boss.refused("POST", "/keys", name="k", scopes=scopes) == ESCALATION
    wide = world.key(boss.tenant_id, "*")
    assert await wide.refused("POST", "/keys", name="k", scopes=["platform:admin"]) == ESCALATION
    assert (await wide.post("/keys", name="k", scopes=["*"]))["user_id"] is None

    strong = (await wide.post("/keys", name="k", scopes=["*"]))["id"]
    # Its text would be shown.
    assert await boss.refused("POST", f"/keys/{strong}/rotate") == ESCALATION
    assert await boss.refused("PATCH", f"/keys/{strong}", scopes=["platform:admin"]) == ESCALATION
    narrower = await boss.patch(f"/keys/{strong}", scopes=["flags:write"])
    assert narrower["scopes"] == ["flags:write"]
    assert await boss.refused("PATCH", f"/keys/{strong}", scopes=["*"]) == ESCALATION
    assert (await boss.delete(f"/keys/{strong}"))["state"] == "revoked"


async def test_a_key_for_some_models_makes_none_for_others(world: World) -> None:
    boss = await boss_of(world)
    program = world.key(boss.tenant_id, "keys:write", "asr:infer", models=frozenset({"a", "b"}))
    for models in (None, ["a", "c"]):
        assert await program.refused("POST", "/keys", **NEW_KEY, models=models) == ESCALATION
    made = await program.post("/keys", **NEW_KEY, models=["a"])
    path = f"/keys/{made['id']}"
    assert (await program.patch(path, models=["b"]))["models"] == ["b"]
    assert await program.refused("PATCH", path, models=None) == ESCALATION
    other = await boss.post("/keys", **NEW_KEY)
    assert await program.refused("POST", f"/keys/{other['id']}/rotate") == ESCALATION
    narrowed = await program.patch(f"/keys/{other['id']}", models=["c"])  # less than before
    assert narrowed["models"] == ["c"]


async def test_quotas_beyond_the_plan_are_the_platforms(world: World) -> None:
    admin = await world.admin()
    plan = await admin.post("/plans", name=new_id(), per_minute=100, max_concurrent_per_key=4)
    organization = await world.organization(plan["id"])
    boss = await world.user(organization.id, "organization_admin")
    too_much = (403, "quota_escalation")
    made = await boss.post("/keys", **NEW_KEY, limits={"per_minute": 100, "max_concurrent": 4})
    path = f"/keys/{made['id']}"
    # What the plan does not say, the gateway's defaults say: 1,000 an hour.
    for limits in ({"per_minute": 101}, {"max_concurrent": 5}, {"per_hour": 1_001}):
        assert await boss.refused("POST", "/keys", **NEW_KEY, limits=limits) == too_much
        assert await boss.refused("PATCH", path, limits=limits) == too_much
    more = await admin.patch(path, limits={"per_minute": 5_000})
    assert more["limits"]["per_minute"] == 5_000
    # Who may not raise it may still change something else of it.
    assert (await boss.patch(path, name="mine"))["limits"]["per_minute"] == 5_000


async def test_with_keys_own_one_sees_ones_own(world: World) -> None:
    organization = await world.organization()
    one = await world.user(organization.id, "user")
    two = await world.user(organization.id, "user")
    boss = await world.user(organization.id, "organization_admin")
    made = await one.post("/keys", **NEW_KEY)
    path = f"/keys/{made['id']}"
    assert [key["id"] for key in (await one.get("/keys"))["items"]] == [made["id"]]
    assert (await two.get("/keys"))["items"] == []
    missing = (404, "not_found")
    for method, target in (
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/rotate"),
    ):
        assert await two.refused(method, target) == missing
    assert (await one.patch(path, name="mine"))["name"] == "mine"
    assert (await one.post(f"{path}/rotate"))["user_id"] == one.id
    assert len((await boss.get("/keys"))["items"]) == 2
    assert (await boss.delete(path))["state"] == "revoked"


@pytest.mark.parametrize("scopes", [("asr:infer",), ("keys:own",)])
async def test_without_a_permission_or_an_owner_nothing_goes(
    world: World, scopes: tuple[str, ...]
) -> None:
    organization = await world.organization()
    sender = world.key(organization.id, *scopes)
    refused = (403, "scope_missing")
    assert await sender.refused("GET", "/keys") == refused
    assert await sender.refused("POST", "/keys", **NEW_KEY) == refused
    for path in ("/keys/aaaaaaaaaaaa", f"/keys/{sender.id}"):
        for method in ("GET", "PATCH", "DELETE"):
            assert await sender.refused(method, path) == refused
    reader = world.key(organization.id, "keys:read")
    assert (await reader.get("/keys"))["items"] == []
    assert await reader.refused("POST", "/keys", **NEW_KEY) == refused

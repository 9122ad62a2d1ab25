"""Organizations, plans, users and roles: what can be done, and what cannot."""

import asyncio

import pytest
from sqlalchemy import text

from gateway.db.tables import SessionRow
from gateway.models.accounts import UserChanges
from gateway.models.permissions import ROLES
from gateway.services.authority import OPERATOR
from shared.db.base import new_id, utc_now
from tests.integration.gateway.admin.world import World
from tests.integration.gateway.harness import PASSWORD
from tests.support.poll import eventually

NEW = {"name": "New", "password": PASSWORD}


def address() -> str:
    return f"{new_id()}@example.org"


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


async def test_roles_are_as_documented(world: World) -> None:
    boss = await world.user((await world.organization()).id, "organization_admin")
    found = {item["name"]: item["permissions"] for item in (await boss.get("/roles"))["items"]}
    assert found == {name: sorted(held) for name, held in ROLES.items()}


async def test_the_life_of_a_user(world: World) -> None:
    organization = await world.organization()
    boss = await world.user(organization.id, "organization_admin")
    email = address()
    made = await boss.post("/users", email=email.upper(), roles=["user", "api_client"], **NEW)
    assert (made["email"], made["tenant_id"]) == (email, organization.id)
    assert made["roles"] == ["api_client", "user"]
    assert PASSWORD not in str(made)
    assert "argon2" not in str(made)
    path = f"/users/{made['id']}"
    assert await boss.get(path) == made
    assert await boss.refused("POST", "/users", email=email.title(), **NEW) == (409, "email_taken")

    changed = await boss.patch(path, name="Another", roles=["user"])
    assert (changed["name"], changed["roles"]) == ("Another", ["user"])
    disabled = await boss.patch(path, disabled=True)
    assert disabled["disabled_at"] is not None
    assert (await boss.patch(path, disabled=True))["disabled_at"] == disabled["disabled_at"]
    assert (await boss.patch(path, disabled=False))["disabled_at"] is None
    reset = await boss.patch(path, password="  another battery staple ")  # noqa: S106
    assert reset["password_changed_at"] > made["password_changed_at"]
    await boss.delete(path)
    assert await boss.refused("GET", path) == (404, "not_found")
    assert (await boss.post("/users", email=email, **NEW))["roles"] == ["user"]


async def test_what_disabling_resetting_and_deleting_end(world: World) -> None:
    organization = await world.organization()
    boss = await world.user(organization.id, "organization_admin")
    for change, ends_keys in (({"disabled": True}, True), ({"password": PASSWORD}, False)):
        member = await world.user(organization.id, "user")
        key = await member.post("/keys", name="k", scopes=["asr:infer"])
        session_id = await log_in(world, member.id)
        await boss.patch(f"/users/{member.id}", **change)
        assert await ended(world, session_id)
        state = (await boss.get(f"/keys/{key['id']}"))["state"]
        assert state == ("revoked" if ends_keys else "active")

    member = await world.user(organization.id, "user")
    key = await member.post("/keys", name="k", scopes=["asr:infer"])
    await log_in(world, member.id)
    await boss.delete(f"/users/{member.id}")
    found = await boss.get(f"/keys/{key['id']}")
    assert (found["state"], found["user_id"]) == ("revoked", None)


async def log_in(world: World, user_id: str) -> str:
    """A session in the database."""
    session_id, now = new_id(), utc_now()
    async with world.database.transaction() as store:
        await store.users._session.execute(
            SessionRow.__table__.insert().values(
                id=session_id,
                user_id=user_id,
                user_agent="",
                created_at=now,
                last_used_at=now,
                expires_at=now,
            )
        )
    return session_id


async def ended(world: World, session_id: str) -> bool:
    async with world.database.transaction(read_only=True) as store:
        row = await store.users._session.get(SessionRow, session_id)
    assert row is not None
    return row.revoked_at is not None


async def test_nobody_gives_or_takes_over_more_than_they_hold(world: World) -> None:
    admin = await world.admin()
    boss = await world.user(admin.tenant_id, "organization_admin")
    escalation = (403, "permission_escalation")
    new = {"email": address(), **NEW}
    assert await boss.refused("POST", "/users", roles=["admin"], **new) == escalation
    assert (
        await boss.refused("PATCH", f"/users/{boss.id}", roles=["organization_admin", "admin"])
        == escalation
    )
    # A new password, or merely a login less, of somebody who may do more.
    for change in ({"password": PASSWORD}, {"disabled": True}, {"roles": []}, {"name": "x"}):
        assert await boss.refused("PATCH", f"/users/{admin.id}", **change) == escalation
    assert await boss.refused("DELETE", f"/users/{admin.id}") == escalation
    made = await boss.post("/users", roles=["organization_admin"], **new)
    assert made["roles"] == ["organization_admin"]

    program = world.key(admin.tenant_id, "users:write", "asr:infer")
    assert await program.refused("POST", "/users", roles=["api_client"], **new) == escalation
    wide = world.key(admin.tenant_id, "*")
    assert await wide.refused("POST", "/users", roles=["admin"], **new) == escalation
    assert await wide.refused("GET", "/organizations") == (403, "scope_missing")
    unknown = await admin.refused("POST", "/users", roles=["king"], **new)
    assert unknown == (422, "unknown_role")


async def test_with_a_role_its_keys_lose_what_it_granted(world: World) -> None:
    admin = await world.admin()
    user = await world.user(admin.tenant_id, "admin")
    scopes = (["*", "platform:admin"], ["users:write", "asr:infer"], ["platform:admin"])
    keys = [await user.post("/keys", name="k", scopes=held) for held in scopes]
    await admin.patch(f"/users/{user.id}", roles=["user"])
    left = [await admin.get(f"/keys/{key['id']}") for key in keys]
    assert left[0]["scopes"] == sorted(ROLES["user"])
    assert left[1]["scopes"] == ["asr:infer"]
    assert [key["state"] for key in left] == ["active", "active", "revoked"]


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


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users", {"email": "no address", **NEW}),
        ("/users", {"email": "a@example.org", **NEW, "rolls": []}),
        ("/users", {"email": "a@example.org", "name": "a\nb", "password": PASSWORD}),
        ("/users", {"email": "a@example.org", "name": "a", "password": "short"}),
        ("/users", {"email": "a@example.org", "name": "a", "password": "x" * 1025}),
        ("/users", {"email": "a@example.org", **NEW, "tenant_id": "a\u0000b"}),
        ("/plans", {"name": "p", "per_minute": 0}),
        ("/plans", {"name": "p", "per_minute": "5"}),
        ("/plans", {"name": "p", "per_minute": 10**12}),
        ("/plans", {"name": " "}),
        ("/organizations", {"name": "x" * 101}),
        ("/organizations", {}),
        ("/keys", {"name": "k", "scopes": []}),
        ("/keys", {"name": "k", "scopes": ["asr:everything"]}),
        ("/keys", {"name": "k", "scopes": ["*"], "limits": {"per_second": 1}}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": "2020-01-01T00:00:00Z"}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": "9999-12-31T23:59:59-23:00"}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": "2030-01-01T00:00:00"}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": 4_000_000_000}),
        ("/keys", {"name": "k", "scopes": ["*"], "models": ["../x y"]}),
    ],
)
async def test_what_does_not_fit_is_422(world: World, path: str, body: dict[str, object]) -> None:
    sender = world.key((await world.organization()).id, "*", "platform:admin")
    response = await sender.ask("POST", path, body)
    assert response.status_code == 422, response.text
    assert PASSWORD not in response.text


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=x", "organization=%00"])
async def test_bad_queries_are_422(world: World, query: str) -> None:
    admin = await world.admin()
    for path in ("/users", "/keys"):
        assert (await admin.refused("GET", f"{path}?{query}"))[0] == 422


async def test_lists_come_in_pages(world: World) -> None:
    organization = await world.organization()
    boss = await world.user(organization.id, "organization_admin")
    keys = [(await boss.post("/keys", name="k", scopes=["asr:infer"]))["id"] for _ in range(5)]
    for path, expected in (("/keys", keys[::-1]), ("/users", [boss.id])):
        seen: list[str] = []
        cursor = ""
        for _ in range(4):
            page = await boss.get(f"{path}?limit=2{cursor}")
            assert len(page["items"]) <= 2
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == expected
    admin = await world.admin()
    for path in ("/organizations", "/plans"):
        await admin.post(path, name=new_id())
        first = await admin.get(f"{path}?limit=1")
        if first["next"]:
            rest = await admin.get(f"{path}?limit=200&cursor={first['next']}")
            assert first["items"][0]["id"] not in [item["id"] for item in rest["items"]]

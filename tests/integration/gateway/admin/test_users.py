"""Users and roles: what can be done, and what it ends or must not give."""

from gateway.db.tables import SessionRow
from gateway.models.permissions import ROLES
from shared.db.base import new_id, utc_now
from tests.integration.gateway.admin.given import NEW_USER
from tests.integration.gateway.admin.world import World
from tests.integration.gateway.harness import PASSWORD


def address() -> str:
    return f"{new_id()}@example.org"


async def test_roles_are_as_documented(world: World) -> None:
    boss = await world.user((await world.organization()).id, "organization_admin")
    found = {item["name"]: item["permissions"] for item in (await boss.get("/roles"))["items"]}
    assert found == {name: sorted(held) for name, held in ROLES.items()}


async def test_the_life_of_a_user(world: World) -> None:
    organization = await world.organization()
    boss = await world.user(organization.id, "organization_admin")
    email = address()
    made = await boss.post("/users", email=email.upper(), roles=["user", "api_client"], **NEW_USER)
    assert (made["email"], made["tenant_id"]) == (email, organization.id)
    assert made["roles"] == ["api_client", "user"]
    assert PASSWORD not in str(made)
    assert "argon2" not in str(made)
    path = f"/users/{made['id']}"
    assert await boss.get(path) == made
    assert await boss.refused("POST", "/users", email=email.title(), **NEW_USER) == (
        409,
        "email_taken",
    )

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
    assert (await boss.post("/users", email=email, **NEW_USER))["roles"] == ["user"]


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
    new = {"email": address(), **NEW_USER}
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

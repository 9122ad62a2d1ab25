"""API keys by the admin API: making, reading, changing, revoking and rotating them."""

from datetime import datetime, timedelta

from gateway.models.keys import key_id_of
from shared.db.base import new_id, utc_now
from tests.integration.gateway.admin.given import NEW_KEY, boss_of
from tests.integration.gateway.admin.world import World

LATER = "2031-01-01T00:00:00+00:00"


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_key_is_made_read_changed_and_revoked(world: World) -> None:
    boss = await boss_of(world)
    made = await boss.post(
        "/keys",
        name="laptop",
        scopes=["asr:infer", "asr:read"],
        models=["asr-large", "asr-small/2"],
        limits={"per_minute": 7, "max_concurrent": 2},
        expires_at=LATER,
        environment="test",
    )
    text = made.pop("key")
    assert text.startswith("sg_test_")
    assert key_id_of(text) == made["id"]
    assert (made["user_id"], made["tenant_id"]) == (boss.id, boss.tenant_id)
    assert made["limits"] == {
        "per_minute": 7,
        "per_hour": None,
        "per_day": None,
        "max_concurrent": 2,
    }
    assert (made["models"], made["state"]) == (["asr-large", "asr-small/2"], "active")
    path = f"/keys/{made['id']}"
    assert await boss.get(path) == made
    assert (await boss.get("/keys"))["items"] == [made]

    changed = await boss.patch(path, limits={"per_minute": None, "per_hour": 9}, expires_at=None)
    assert changed["limits"] == {**made["limits"], "per_minute": None, "per_hour": 9}
    assert changed == {**made, "limits": changed["limits"], "expires_at": None}
    more = await boss.patch(path, name="desk", scopes=["tts:infer"], models=None)
    assert (more["name"], more["scopes"], more["models"]) == ("desk", ["tts:infer"], None)

    revoked = await boss.delete(path)
    assert revoked["state"] == "revoked"
    assert (await boss.delete(path))["revoked_at"] == revoked["revoked_at"]
    assert await boss.refused("PATCH", path, name="x") == (409, "key_not_active")
    assert await boss.refused("POST", f"{path}/rotate") == (409, "key_not_active")


async def test_the_answer_with_the_text_is_not_stored_by_caches(world: World) -> None:
    boss = await boss_of(world)
    made = await boss.ask("POST", "/keys", NEW_KEY)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    rotated = await boss.ask("POST", f"/keys/{made.json()['id']}/rotate", {})
    assert (rotated.status_code, rotated.headers["cache-control"]) == (201, "no-store")


async def test_rotation_overlaps(world: World) -> None:
    boss = await boss_of(world)
    ends = (utc_now() + timedelta(days=30)).isoformat()
    made = await boss.post(
        "/keys", **NEW_KEY, models=["a"], limits={"per_day": 5}, expires_at=ends, environment="test"
    )
    rotated = await boss.post(f"/keys/{made['id']}/rotate", overlap_s=3_600)
    assert rotated["rotated_from"] == made["id"]
    assert rotated["key"].startswith("sg_test_")
    assert rotated["key"] != made["key"]
    for member in ("name", "scopes", "models", "limits", "user_id", "tenant_id", "environment"):
        assert rotated[member] == made[member]
    life = time_of(rotated["expires_at"]) - time_of(rotated["created_at"])
    assert abs(life - timedelta(days=30)) < timedelta(seconds=5)
    overlap = time_of(rotated["previous"]["expires_at"]) - time_of(rotated["created_at"])
    assert overlap == timedelta(seconds=3_600)
    assert rotated["previous"]["state"] == "active"
    # The old key never lives longer than it would have.
    again = await boss.post(f"/keys/{made['id']}/rotate", overlap_s=604_800)
    assert again["previous"]["expires_at"] == rotated["previous"]["expires_at"]
    at_once = await boss.post(f"/keys/{rotated['id']}/rotate", overlap_s=0)
    assert at_once["previous"]["state"] == "expired"
    expired = await boss.refused("POST", f"/keys/{rotated['id']}/rotate")
    assert expired == (409, "key_not_active")

    endless = await boss.post("/keys", **NEW_KEY)
    successor = await boss.post(f"/keys/{endless['id']}/rotate")
    assert successor["expires_at"] is None
    day = time_of(successor["previous"]["expires_at"]) - time_of(successor["created_at"])
    assert day == timedelta(days=1)
    for overlap_s in (-1, 604_801, "60", 1.5):
        refused = await boss.refused("POST", f"/keys/{successor['id']}/rotate", overlap_s=overlap_s)
        assert refused == (422, "validation_failed")


async def test_what_is_found_with_a_key(world: World) -> None:
    """One query says all that its principal needs: own quotas, plan, suspension."""
    admin = await world.admin()
    plan = await admin.post("/plans", name=new_id(), per_minute=5, max_concurrent_per_tenant=2)
    organization = await world.organization(plan["id"])
    boss = await world.user(organization.id, "organization_admin")
    made = await boss.post("/keys", **NEW_KEY, limits={"per_minute": 3}, models=["a"])
    async with world.database.transaction(read_only=True) as store:
        found = await store.keys.find(made["id"])
    assert found is not None
    assert found.plan is not None
    assert (found.limits.per_minute, found.plan.per_minute) == (3, 5)
    assert (found.plan.id, found.plan.max_concurrent_per_tenant) == (plan["id"], 2)
    assert (found.suspended, found.user_id, found.models) == (False, boss.id, frozenset("a"))

    await admin.patch(f"/organizations/{organization.id}", suspended=True, plan_id=None)
    async with world.database.transaction(read_only=True) as store:
        found = await store.keys.find(made["id"])
        user = await store.users.find(boss.id)
    assert found is not None
    assert user is not None
    assert (found.suspended, found.plan) == (True, None)
    assert (user.organization_suspended, user.plan) == (True, None)

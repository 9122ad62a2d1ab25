"""API keys by the admin API: who may do what with whose, rotation, and what caches are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.models.keys import key_id_of
from gateway.models.principal import KeyRecord
from gateway.repositories.key_cache import RedisKeyCache, revocations
from gateway.services.authority import OPERATOR
from shared.db.base import new_id, utc_now
from tests.integration.gateway.admin.conftest import HASHER
from tests.integration.gateway.admin.world import Sender, World

NEW: dict[str, Any] = {"name": "k", "scopes": ["asr:infer"]}
ESCALATION = (403, "permission_escalation")
LATER = "2031-01-01T00:00:00+00:00"


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def boss_of(world: World) -> Sender:
    return await world.user((await world.organization()).id, "organization_admin")


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
    made = await boss.ask("POST", "/keys", NEW)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    rotated = await boss.ask("POST", f"/keys/{made.json()['id']}/rotate", {})
    assert (rotated.status_code, rotated.headers["cache-control"]) == (201, "no-store")


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
        assert await program.refused("POST", "/keys", **NEW, models=models) == ESCALATION
    made = await program.post("/keys", **NEW, models=["a"])
    path = f"/keys/{made['id']}"
    assert (await program.patch(path, models=["b"]))["models"] == ["b"]
    assert await program.refused("PATCH", path, models=None) == ESCALATION
    other = await boss.post("/keys", **NEW)
    assert await program.refused("POST", f"/keys/{other['id']}/rotate") == ESCALATION
    narrowed = await program.patch(f"/keys/{other['id']}", models=["c"])  # less than before
    assert narrowed["models"] == ["c"]


async def test_quotas_beyond_the_plan_are_the_platforms(world: World) -> None:
    admin = await world.admin()
    plan = await admin.post("/plans", name=new_id(), per_minute=100, max_concurrent_per_key=4)
    organization = await world.organization(plan["id"])
    boss = await world.user(organization.id, "organization_admin")
    too_much = (403, "quota_escalation")
    made = await boss.post("/keys", **NEW, limits={"per_minute": 100, "max_concurrent": 4})
    path = f"/keys/{made['id']}"
    # What the plan does not say, the gateway's defaults say: 1,000 an hour.
    for limits in ({"per_minute": 101}, {"max_concurrent": 5}, {"per_hour": 1_001}):
        assert await boss.refused("POST", "/keys", **NEW, limits=limits) == too_much
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
    made = await one.post("/keys", **NEW)
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
    assert await sender.refused("POST", "/keys", **NEW) == refused
    for path in ("/keys/aaaaaaaaaaaa", f"/keys/{sender.id}"):
        for method in ("GET", "PATCH", "DELETE"):
            assert await sender.refused(method, path) == refused
    reader = world.key(organization.id, "keys:read")
    assert (await reader.get("/keys"))["items"] == []
    assert await reader.refused("POST", "/keys", **NEW) == refused


async def test_rotation_overlaps(world: World) -> None:
    boss = await boss_of(world)
    ends = (utc_now() + timedelta(days=30)).isoformat()
    made = await boss.post(
        "/keys", **NEW, models=["a"], limits={"per_day": 5}, expires_at=ends, environment="test"
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

    endless = await boss.post("/keys", **NEW)
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
    made = await boss.post("/keys", **NEW, limits={"per_minute": 3}, models=["a"])
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


# The embedded stack has no shared cache.
shared = pytest.mark.parametrize("admin_database", ["postgresql"], indirect=True)


class Cached:
    """A key of a new organization that the shared cache knows."""

    def __init__(self, cache: RedisKeyCache, boss: Sender, made: dict[str, Any]) -> None:
        self.cache, self.boss, self.id = cache, boss, made["id"]
        self.fingerprint = HASHER.digest(made["key"]).hex()

    @classmethod
    async def make(cls, world: World, boss: Sender | None = None) -> "Cached":
        assert world.cache is not None
        boss = boss or await boss_of(world)
        cached = cls(world.cache, boss, await boss.post("/keys", **NEW))
        await cached.put(world)
        return cached

    async def put(self, world: World) -> None:
        key = await world.services.keys.get(OPERATOR, self.id)
        record = KeyRecord.from_key(key, datetime.now(UTC).timestamp())
        await self.cache.put(self.fingerprint, self.id, record)

    async def known(self) -> bool:
        return await self.cache.get(self.fingerprint, self.id) is not None

    async def tombstone_ms(self) -> int:
        async def read(client: Any) -> Any:
            return await client.pttl(f"speechgate:key:revoked:{self.id}")

        life: int = await self.cache._link.run("test", read)
        return life


@shared
async def test_a_change_leaves_the_caches_but_not_the_key(world: World) -> None:
    cached = await Cached.make(world)
    assert await cached.known()
    heard = revocations(cached.cache._link.url)
    assert await anext(heard) is None
    await cached.boss.patch(f"/keys/{cached.id}", name="other")
    assert await anext(heard) == cached.id
    assert not await cached.known()
    # A reader that asked the database before the change cannot bring it back, for a while.
    await cached.put(world)
    assert not await cached.known()
    assert 0 < await cached.tombstone_ms() <= 5_000

    await cached.boss.delete(f"/keys/{cached.id}")
    assert await anext(heard) == cached.id
    assert await cached.tombstone_ms() > 300_000
    # A change that ends later does not shorten the revocation.
    await cached.cache.announce([(cached.fingerprint, cached.id)])
    assert await cached.tombstone_ms() > 300_000
    await heard.aclose()  # type: ignore[attr-defined]


@shared
async def test_suspension_plan_and_rotation_reach_the_caches(world: World) -> None:
    admin = await world.admin()
    cached = await Cached.make(world)
    other = await Cached.make(world, cached.boss)
    path = f"/organizations/{cached.boss.tenant_id}"
    heard = revocations(cached.cache._link.url)
    assert await anext(heard) is None
    await cached.boss.patch(path, name=new_id())  # caches know no names
    assert await cached.known()
    await admin.patch(path, suspended=True)
    assert await anext(heard) is None  # many at once
    assert [await cached.known(), await other.known()] == [False, False]

    plan = await admin.post("/plans", name=new_id(), per_minute=1)
    organization = await world.organization(plan["id"])
    boss = await world.user(organization.id, "organization_admin")
    cached = await Cached.make(world, boss)
    await admin.patch(f"/plans/{plan['id']}", per_minute=2)
    assert not await cached.known()

    cached = await Cached.make(world, boss)
    await boss.post(f"/keys/{cached.id}/rotate", overlap_s=0)
    assert not await cached.known()
    cached = await Cached.make(world, boss)
    await admin.patch(f"/users/{boss.id}", disabled=True)
    assert not await cached.known()
    assert await cached.tombstone_ms() > 300_000
    await heard.aclose()  # type: ignore[attr-defined]

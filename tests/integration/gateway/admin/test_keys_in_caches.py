"""What caches are told when an API key, its owner or its plan changes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.models.principal import KeyRecord
from gateway.repositories.key_cache import RedisKeyCache, revocations
from gateway.services.authority import OPERATOR
from shared.db.base import new_id
from tests.integration.gateway.admin.conftest import HASHER
from tests.integration.gateway.admin.given import NEW_KEY, boss_of
from tests.integration.gateway.admin.world import Sender, World

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
        cached = cls(world.cache, boss, await boss.post("/keys", **NEW_KEY))
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

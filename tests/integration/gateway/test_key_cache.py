"""What Redis remembers of keys, and the checks that stand on it, on a real Redis and database."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import Gauge
from redis.asyncio import Redis

from deploy.local.redis import RedisServer
from gateway.db.dependency import Dependency
from gateway.db.redis import RedisLink
from gateway.exceptions import AuthUnavailable, CredentialRefused, DatabaseUnreachable
from gateway.models.keys import KeyLimits, NewKey, _checksum, generate_key
from gateway.models.limits import make_policy
from gateway.models.principal import KeyRecord
from gateway.repositories.key_cache import CHANNEL, RedisKeyCache, revocations
from gateway.repositories.store import Database
from gateway.services.authentication import Authenticator
from gateway.services.authority import OPERATOR
from gateway.services.hashing import KeyHasher
from gateway.services.key_changes import KeyAnnouncer
from gateway.services.key_records import OUTAGE_GRACE_S
from gateway.services.keys import KeyService
from shared.db.base import new_id
from shared.db.engine import create_engine
from shared.metrics import Metrics
from tests.integration.gateway.harness import Installation
from tests.support.poll import eventually

HASHER = KeyHasher({1: b"p" * 32}, 1)
GAUGE = Gauge("up", "", ["dependency"], registry=None)


def record(key_id: str) -> KeyRecord:
    return KeyRecord(key_id, "t", ("*",), KeyLimits(), None, revoked=False, verified_at=time.time())


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[RedisLink]:
    opened = RedisLink(redis.url, Metrics("test"), GAUGE)
    yield opened
    await opened.close()


async def test_nothing_enters_the_cache_after_an_invalidation(link: RedisLink) -> None:
    cache, key_id, fingerprint = RedisKeyCache(link), new_id(), new_id()
    await cache.put(fingerprint, key_id, record(key_id))
    found = await cache.get(fingerprint, key_id)
    assert found is not None
    assert found.record is not None
    await cache.invalidate(fingerprint, key_id)
    assert await cache.get(fingerprint, key_id) is None
    await cache.put(fingerprint, key_id, record(key_id))  # a reader that asked before
    assert await cache.get(fingerprint, key_id) is None


async def test_an_entry_under_another_pepper_is_not_believed_either(link: RedisLink) -> None:
    cache, key_id = RedisKeyCache(link), new_id()
    await cache.put("current-pepper-" + key_id, key_id, record(key_id))
    await cache.invalidate("old-pepper-" + key_id, key_id)
    assert await cache.get("current-pepper-" + key_id, key_id) is None


async def test_lives_of_entries(link: RedisLink, redis: RedisServer) -> None:
    cache, client = RedisKeyCache(link), Redis.from_url(redis.url)
    lives = set()
    for _ in range(20):
        key_id = new_id()
        await cache.put(key_id, key_id, record(key_id))
        life = await client.pttl(f"speechgate:key:{key_id}")
        assert 269_000 <= life <= 330_000
        lives.add(life // 1000)
    assert len(lives) > 3  # jitter
    await cache.put("negative", "k", None)
    assert 9_000 <= await client.pttl("speechgate:key:negative") <= 10_000
    found = await cache.get("negative", "k")
    assert found is not None
    assert found.record is None
    await client.aclose()


async def test_revocations_are_heard_and_a_lost_connection_is_told(redis: RedisServer) -> None:
    heard = revocations(redis.url)
    assert await anext(heard) is None
    client = Redis.from_url(redis.url)
    await client.publish(CHANNEL, "abc")
    assert await anext(heard) == "abc"
    await client.client_kill_filter(_type="pubsub")
    assert await anext(heard) is None
    await client.aclose()
    await heard.aclose()  # type: ignore[attr-defined]


class Usage:
    def touch(self, key_id: str) -> None:
        self.last = key_id


class FlakyDatabase(Database):
    """A real database that can be cut off."""

    cut = False
    reads = 0

    def transaction(self, *, read_only: bool = False):  # type: ignore[no-untyped-def] # noqa: ANN201
        self.reads += 1
        if self.cut:
            raise DatabaseUnreachable
        return super().transaction(read_only=read_only)


class Clock:
    offset = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.offset


class Setup:
    """One gateway's key check, in parts."""

    def __init__(self, engine: object, cache: RedisKeyCache | None) -> None:
        self.database = FlakyDatabase(engine)  # type: ignore[arg-type]
        self.state = Dependency("database", self.database.ping, GAUGE)
        self.clock = Clock()
        self.keys = KeyService(self.database, HASHER, KeyAnnouncer(cache, HASHER.current))
        self.authenticator = Authenticator(
            self.database,
            self.state,
            cache,
            HASHER,
            Usage(),
            make_policy(60, 1000, 10000),
            Metrics("test"),
            clock=self.clock,
        )

    async def create(self) -> tuple[str, str]:
        new = NewKey("n", frozenset({"*"}))
        key, text = await self.keys.create(OPERATOR, new, tenant_name="default")
        return key.id, text

    async def outcome(self, text: str) -> str:
        try:
            await self.authenticator.authenticate(text)
        except (CredentialRefused, AuthUnavailable) as error:
            return error.code
        return "ok"


@pytest.fixture(params=["process", "redis"])
async def setup(
    request: pytest.FixtureRequest, tmp_path: Path, link: RedisLink
) -> AsyncIterator[Setup]:
    installation = Installation(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'gateway.db'}")
    await asyncio.to_thread(installation.prepare)
    engine = create_engine(installation.database_url)
    yield Setup(engine, RedisKeyCache(link) if request.param == "redis" else None)
    await engine.dispose()


async def test_believed_for_two_seconds_without_asking(setup: Setup) -> None:
    _, text = await setup.create()
    setup.database.reads = 0
    assert [await setup.outcome(text) for _ in range(50)] == ["ok"] * 50
    assert setup.database.reads == 1


async def test_revoked_for_others_after_two_seconds_without_any_message(setup: Setup) -> None:
    key_id, text = await setup.create()
    assert await setup.outcome(text) == "ok"
    await setup.keys.revoke(OPERATOR, key_id)
    setup.clock.offset = 2.01
    assert await setup.outcome(text) == "key_revoked"


async def test_a_busy_sender_is_looked_up_again_before_what_is_known_ends(setup: Setup) -> None:
    key_id, text = await setup.create()
    assert await setup.outcome(text) == "ok"
    authenticator, digest = setup.authenticator, HASHER.digest(text)
    first = authenticator.cached(digest, text)
    assert first is not None
    setup.clock.offset = 1.6
    assert authenticator.cached(digest, text) is first
    setup.clock.offset = 2.1
    await eventually(lambda: authenticator.cached(digest, text) is first)
    await setup.keys.revoke(OPERATOR, key_id)
    setup.clock.offset = 3.3
    assert authenticator.cached(digest, text) is first
    await eventually(lambda: authenticator.cached(digest, text) is None)
    assert await setup.outcome(text) == "key_revoked"


async def test_a_revocation_message_works_at_once(setup: Setup) -> None:
    key_id, text = await setup.create()
    assert await setup.outcome(text) == "ok"
    await setup.keys.revoke(OPERATOR, key_id)
    setup.authenticator.invalidate(key_id)
    assert await setup.outcome(text) == "key_revoked"


async def test_an_outage_is_bridged_for_a_minute_then_503(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cached = await setup.create()
    _, unseen = await setup.create()
    assert await setup.outcome(cached) == "ok"
    setup.database.cut = True
    setup.clock.offset = 10
    for _ in range(4):
        assert await setup.outcome(cached) == "ok"
        assert await setup.outcome(unseen) == "auth_unavailable"
    assert not setup.state.up
    monkeypatch.setattr(setup.state, "down_for_s", lambda: OUTAGE_GRACE_S - 1)
    setup.clock.offset = 69
    assert await setup.outcome(cached) == "ok"
    await setup.authenticator.require_database()
    monkeypatch.setattr(setup.state, "down_for_s", lambda: OUTAGE_GRACE_S + 1)
    setup.clock.offset = 72
    assert await setup.outcome(cached) == "auth_unavailable"
    with pytest.raises(DatabaseUnreachable):
        await setup.authenticator.require_database()
    setup.database.cut = False
    setup.state.succeeded()
    monkeypatch.undo()
    assert await setup.outcome(cached) == "ok"
    assert await setup.outcome(unseen) == "ok"


@pytest.mark.parametrize("setup", ["redis"], indirect=True)
async def test_an_old_entry_of_redis_is_verified_behind_the_request(
    setup: Setup, link: RedisLink
) -> None:
    """A revocation that Redis never heard of holds within a minute."""
    key_id, text = await setup.create()
    fingerprint = HASHER.digest(text).hex()
    cache = RedisKeyCache(link)
    silent = KeyService(setup.database, HASHER, KeyAnnouncer(None, HASHER.current))
    await silent.revoke(OPERATOR, key_id)
    old = replace(record(key_id), verified_at=time.time() - 50)
    await cache.put(fingerprint, key_id, old)
    assert await setup.outcome(text) == "ok"

    async def known() -> bool:
        setup.clock.offset += 2.01
        return await setup.outcome(text) == "key_revoked"

    await eventually(known)
    older = replace(record(key_id), verified_at=time.time() - 61)
    other_id, other = await setup.create()
    await silent.revoke(OPERATOR, other_id)
    await cache.put(HASHER.digest(other).hex(), other_id, replace(older, key_id=other_id))
    assert await setup.outcome(other) == "key_revoked"


async def test_unknown_and_wrong_secret_are_alike(setup: Setup) -> None:
    key_id, _ = await setup.create()
    forged = f"sg_live_{key_id}_{'B' * 43}"
    assert await setup.outcome(forged + _checksum(forged)) == "key_unknown"
    assert await setup.outcome(generate_key("live")[0]) == "key_unknown"


async def test_malformed_keys_cause_no_reads(setup: Setup) -> None:
    setup.database.reads = 0
    assert await setup.outcome("sg_live_x") == "key_malformed"
    assert setup.database.reads == 0


async def test_a_client_that_leaves_does_not_cancel_the_shared_lookup(setup: Setup) -> None:
    _, text = await setup.create()
    waits = [asyncio.create_task(setup.outcome(text)) for _ in range(5)]
    await asyncio.sleep(0)
    waits[0].cancel()
    results = await asyncio.gather(*waits, return_exceptions=True)
    assert results[1:] == ["ok"] * 4
    await setup.authenticator.close()

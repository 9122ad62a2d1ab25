"""The Redis limiter against the reference, on a real Redis."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from prometheus_client import Gauge
from redis.asyncio import Redis

from deploy.local.redis import RedisServer
from gateway.db.redis import RedisLink
from gateway.exceptions import RedisUnavailable
from gateway.models.limits import Window, make_policy
from gateway.ratelimit.memory_limiter import MemoryLimiter
from gateway.ratelimit.redis_limiter import RedisLimiter
from gateway.ratelimit.resilient_limiter import CountingLimiter
from shared.db.base import new_id
from shared.metrics import Metrics
from tests.unit.gateway.limiter_reference import SECOND_US, ReferenceLimiter

SMALL = (Window("a", 5, 2), Window("b", 12, 10), Window("c", 30, 60))
STEPS_US = (0, 0, 1, 999_999, 1_000_000, 400_000)


class Clock:
    now = 1_700_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[RedisLink]:
    metrics = Metrics("test")
    opened = RedisLink(redis.url, metrics, Gauge("up", "", ["dependency"], registry=None))
    yield opened
    await opened.close()


async def commands(redis: RedisServer, name: str) -> int:
    client = Redis.from_url(redis.url)
    try:
        found = await client.info("commandstats")
        return int(found.get(f"cmdstat_{name}", {"calls": 0})["calls"])
    finally:
        await client.aclose()


async def test_equal_to_the_reference_and_to_the_in_process_limiter(link: RedisLink) -> None:
    rng, clock, reference = random.Random(7), Clock(), ReferenceLimiter()
    limiter, local = RedisLimiter(link, clock), MemoryLimiter(clock)
    keys = [new_id(), new_id()]
    denied = 0
    for _ in range(4_000):
        clock.now += rng.choice([*STEPS_US, rng.randrange(3_000_000)])
        key, cost = rng.choice(keys), rng.choice([1, 1, 1, 2, 5])
        expected = reference.check(key, SMALL, cost, clock.now)
        assert await limiter.check(key, SMALL, cost) == expected
        assert local.decide(key, SMALL, cost) == expected
        denied += not expected.allowed
    assert 500 < denied < 3_900


async def test_never_more_than_the_quota_whoever_asks_at_once(link: RedisLink) -> None:
    limiters = [RedisLimiter(link) for _ in range(4)]
    key, policy = new_id(), make_policy(60, 1000, 10000)
    decisions = await asyncio.gather(
        *(limiters[number % 4].check(key, policy) for number in range(200))
    )
    assert sum(decision.allowed for decision in decisions) == 60
    assert {decision.violated for decision in decisions if not decision.allowed} == {
        (True, False, False)
    }
    assert sorted(d.remaining[0] for d in decisions if d.allowed) == list(range(60))


async def test_the_log_is_bounded_and_expires(link: RedisLink, redis: RedisServer) -> None:
    clock = Clock()
    limiter, key = RedisLimiter(link, clock), new_id()
    policy = (Window("s", 100, 1),)
    client = Redis.from_url(redis.url)
    for _ in range(500):
        await limiter.check(key, policy)
        clock.now += 10_000
        # 8 bytes a unit; trimmed in strides of a block of 64.
        assert await client.strlen(f"speechgate:window:{key}") <= 8 * (100 + 64)
    assert 0 < await client.pttl(f"speechgate:window:{key}") <= 1125
    await client.aclose()


async def test_one_call_alone_is_one_command_and_many_share_commands(
    link: RedisLink, redis: RedisServer
) -> None:
    limiter, key = RedisLimiter(link), new_id()
    policy = make_policy(1000, 1000, 10000)
    await limiter.check(key, policy)  # loads the script
    before = await commands(redis, "evalsha")
    await limiter.check(key, policy)
    assert await commands(redis, "evalsha") - before == 1
    await asyncio.gather(*(limiter.check(key, policy) for _ in range(100)))
    assert await commands(redis, "evalsha") - before == 2


async def test_a_forgotten_script_is_loaded_again(link: RedisLink, redis: RedisServer) -> None:
    limiter, key = RedisLimiter(link), new_id()
    policy = make_policy(100, 1000, 10000)
    assert (await limiter.check(key, policy)).remaining[0] == 99
    client = Redis.from_url(redis.url)
    await client.script_flush()
    await client.aclose()
    decisions = await asyncio.gather(*(limiter.check(key, policy) for _ in range(10)))
    assert min(decision.remaining[0] for decision in decisions) == 89


async def test_a_cancelled_wait_leaves_the_others_alone(link: RedisLink) -> None:
    limiter, key = RedisLimiter(link), new_id()
    policy = make_policy(100, 1000, 10000)
    waits = [asyncio.create_task(limiter.check(key, policy)) for _ in range(10)]
    await asyncio.sleep(0)
    waits[3].cancel()
    results = await asyncio.gather(*waits, return_exceptions=True)
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) == 1
    assert sum(not isinstance(result, BaseException) for result in results) == 9


async def test_an_outage_continues_the_windows_in_process() -> None:
    metrics = Metrics("test")
    gauge = Gauge("up", "", ["dependency"], registry=None)
    nowhere = RedisLink("redis://127.0.0.1:1/0", metrics, gauge)
    try:
        with pytest.raises(RedisUnavailable):
            await RedisLimiter(nowhere).check("k", make_policy(5, 5, 5))
        limiter = CountingLimiter(RedisLimiter(nowhere), metrics)
        allowed = [(await limiter.check("k", make_policy(5, 5, 5))).allowed for _ in range(8)]
        assert allowed == [True] * 5 + [False] * 3
        assert not nowhere.dependency.up
    finally:
        await nowhere.close()

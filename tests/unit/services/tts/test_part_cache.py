import asyncio

import numpy as np
import pytest

from services.tts.models.sound import Pcm16
from services.tts.services.metrics import TtsMetrics
from services.tts.services.part_cache import PartCache, part_key
from shared.metrics import Metrics
from shared.problem import DeadlineExceeded

KEY, OTHER, THIRD = (part_key("tenant", name) for name in "abc")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Maker:
    """Makes ten samples, once it may."""

    def __init__(self) -> None:
        self.made = 0
        self.stopped = 0
        self.go = asyncio.Event()
        self.go.set()
        self.begun = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> Pcm16:
        self.made += 1
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.error:
            raise self.error
        return np.arange(10, dtype=np.int16)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("tts")


def cache_of(metrics: Metrics, limit: int = 100, clock: Clock | None = None) -> PartCache:
    return PartCache(limit, 60.0, TtsMetrics(metrics), clock=clock or Clock())


def counted(metrics: Metrics, result: str) -> float:
    name = "speechgate_tts_cache_lookups_total"
    return metrics.registry.get_sample_value(name, {"result": result}) or 0.0


async def test_what_was_made_is_kept(metrics: Metrics) -> None:
    cache, make = cache_of(metrics), Maker()
    first, second = await cache.get(KEY, make), await cache.get(KEY, make)
    assert first is second
    assert not first.flags.writeable
    assert make.made == 1
    assert (counted(metrics, "miss"), counted(metrics, "hit")) == (1, 1)
    assert cache.size == 20


async def test_keys_tell_tenants_and_properties_apart() -> None:
    keys = {part_key("t", "a", 1.0), part_key("u", "a", 1.0), part_key("t", "a", 1.5)}
    assert len(keys) == 3
    assert part_key("t", "a", "b") != part_key("t", "ab", "")


async def test_bytes_are_bounded_and_the_oldest_goes_first(metrics: Metrics) -> None:
    cache, make = cache_of(metrics, limit=45), Maker()
    await cache.get(KEY, make)
    await cache.get(OTHER, make)
    await cache.get(KEY, make)
    await cache.get(THIRD, make)
    assert cache.size == 40
    assert make.made == 3
    await cache.get(KEY, make)
    assert make.made == 3
    await cache.get(OTHER, make)
    assert make.made == 4


async def test_what_is_larger_than_the_bound_is_not_kept(metrics: Metrics) -> None:
    cache, make = cache_of(metrics, limit=19), Maker()
    await cache.get(KEY, make)
    await cache.get(KEY, make)
    assert (make.made, cache.size) == (2, 0)


async def test_an_entry_is_believed_for_a_time(metrics: Metrics) -> None:
    clock = Clock()
    cache, make = cache_of(metrics, clock=clock), Maker()
    await cache.get(KEY, make)
    clock.now = 61.0
    await cache.get(KEY, make)
    assert make.made == 2


async def test_a_cache_of_nothing_is_off(metrics: Metrics) -> None:
    cache, make = cache_of(metrics, limit=0), Maker()
    await cache.get(KEY, make)
    await cache.get(KEY, make)
    assert make.made == 2
    assert counted(metrics, "off") == 2


async def test_same_parts_at_the_same_time_are_made_once(metrics: Metrics) -> None:
    cache, make = cache_of(metrics), Maker()
    make.go.clear()
    tasks = [asyncio.create_task(cache.get(KEY, make)) for _ in range(100)]
    await make.begun.wait()
    make.go.set()
    found = await asyncio.gather(*tasks)
    assert make.made == 1
    assert all(part is found[0] for part in found)
    assert counted(metrics, "joined") == 99


async def test_work_goes_on_until_the_last_one_leaves(metrics: Metrics) -> None:
    cache, make = cache_of(metrics), Maker()
    make.go.clear()
    first, second = (asyncio.create_task(cache.get(KEY, make)) for _ in range(2))
    await make.begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert make.stopped == 0
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert make.stopped == 1
    make.go.set()
    await cache.get(KEY, make)
    assert make.made == 2


async def test_a_failure_is_not_kept_and_not_shared(metrics: Metrics) -> None:
    cache, failing, working = cache_of(metrics), Maker(), Maker()
    failing.go.clear()
    failing.error = DeadlineExceeded("too late")
    first = asyncio.create_task(cache.get(KEY, failing))
    await failing.begun.wait()
    second = asyncio.create_task(cache.get(KEY, working))
    await asyncio.sleep(0)
    failing.go.set()
    with pytest.raises(DeadlineExceeded):
        await first
    assert len(await second) == 10
    assert (failing.made, working.made) == (1, 1)

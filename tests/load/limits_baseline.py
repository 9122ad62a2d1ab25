"""What a check of the limits costs the process that asks, beside the usual ways to ask Redis.

`python -m tests.load.limits_baseline`. Rounds alternate, so that a machine whose speed drifts
favours nobody. CPU time of the calling process and of Redis, per check; ratios are what counts.
The usual ways are redis-py with one script call per check: the script of the nginx contender.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from prometheus_client import Gauge
from redis.asyncio import Redis

from deploy.local.redis import RedisServer
from gateway.db.redis import RedisLink, open_redis
from gateway.models.limits import Cap, Decision, Policy, make_policy
from gateway.ratelimit.headers import limit_headers
from gateway.ratelimit.memory_limiter import MemoryLimiter
from gateway.ratelimit.redis_limiter import RedisLimiter
from gateway.ratelimit.resilient_limiter import CountingLimiter
from shared.metrics import Metrics
from tests.load.machine import cpu_seconds

ROUNDS = 5
CHECKS = 6_000
CONCURRENCY = (1, 16, 64)
KEYS = [f"{number:032x}" for number in range(50)]
POLICY = make_policy(1_000_000, 2_000_000, 4_000_000)
Check = Callable[[str], Awaitable[object]]
Reply = tuple[int, int, bytes]
"""Whether it is allowed, seconds to wait, the RateLimit field."""

_SCRIPT = (Path(__file__).parent / "contenders" / "sliding_window.lua").read_text()
_MAX_PIPELINES, _MAX_BATCH = 2, 128
_PATIENCE_S = 5.0


class OneByOne:
    """Each check is a command of its own."""

    def __init__(self, client: Redis, sha: str) -> None:
        self._client = client
        self._sha = sha

    def arguments(self, key: str, policy: Policy) -> tuple[Any, ...]:
        """Of EVALSHA."""
        spans = [number for w in policy for number in (w.quota, w.seconds * 1_000_000)]
        return (self._sha, 1, f"bench:{key}", "", 1, *spans)

    async def check(self, key: str, policy: Policy) -> Reply:
        """One decision."""
        allowed, wait, field = await self._client.evalsha(*self.arguments(key, policy))
        return allowed, wait, field


class Pipelined(OneByOne):
    """Checks of one turn of the loop share a pipeline."""

    def __init__(self, client: Redis, sha: str) -> None:
        super().__init__(client, sha)
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[Reply]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def check(self, key: str, policy: Policy) -> Reply:
        """One decision."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append((self.arguments(key, policy), done))
        if not self._scheduled and len(self._running) < _MAX_PIPELINES:
            self._scheduled = True
            loop.call_soon(self._flush)
        return await done

    def _flush(self) -> None:
        self._scheduled = False
        batch, self._waiting = self._waiting[:_MAX_BATCH], self._waiting[_MAX_BATCH:]
        if batch:
            task = asyncio.create_task(self._run(batch))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if self._waiting and not self._scheduled:
            self._flush()

    async def _run(self, batch: list[tuple[tuple[Any, ...], "asyncio.Future[Reply]"]]) -> None:
        replies = await self._call([arguments for arguments, _ in batch])
        for (_, done), reply in zip(batch, replies, strict=True):
            done.set_result(reply)

    def _call(self, calls: list[tuple[Any, ...]]) -> Awaitable[list[Reply]]:
        if len(calls) == 1:
            return self._call_one(calls[0])
        pipeline = self._client.pipeline(transaction=False)
        for arguments in calls:
            pipeline.evalsha(*arguments)
        return pipeline.execute()

    async def _call_one(self, arguments: tuple[Any, ...]) -> list[Reply]:
        return [await self._client.evalsha(*arguments)]


async def cost(check: Check, concurrency: int, redis_pid: int) -> tuple[float, float]:
    """Microseconds of CPU per check: of this process, of Redis."""
    left = CHECKS

    async def client(number: int) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            number += 1
            await check(KEYS[number % len(KEYS)])

    before, redis_before = time.process_time(), cpu_seconds(redis_pid)
    await asyncio.gather(*(client(number) for number in range(concurrency)))
    own = time.process_time() - before
    return own / CHECKS * 1e6, (cpu_seconds(redis_pid) - redis_before) / CHECKS * 1e6


async def loop_alone(check: Check) -> None:
    """Warm up."""
    for key in KEYS:
        await check(key)


async def measure(url: str, redis_pid: int) -> None:
    """Print the table."""
    # The gateway's own patience is too short for 64 connections at once on a busy machine.
    client: Redis = open_redis(url, timeout_s=_PATIENCE_S)
    sha = await client.script_load(_SCRIPT)
    gauge = Gauge("up", "", ["dependency"], registry=None)
    link = RedisLink(url, Metrics("one"), gauge)
    bare = RedisLimiter(link)
    counting = CountingLimiter(RedisLimiter(link), Metrics("two"))
    one_by_one, pipelined = OneByOne(client, sha), Pipelined(client, sha)

    async def capped(key: str) -> None:
        decided = counting.submit(key, POLICY, 1, (Cap("key", key, 1000), Cap("tenant", "t", 1000)))
        decision = decided if isinstance(decided, Decision) else await decided
        assert decision.lease is not None
        counting.release(decision.lease)

    async def nothing(_: str) -> None:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        await future

    contenders: dict[str, Check] = {
        "redis-py, one by one": lambda key: one_by_one.check(key, POLICY),
        "redis-py, pipelined": lambda key: pipelined.check(key, POLICY),
        "one script call": lambda key: bare.submit(key, POLICY),
        " + twin, metrics": lambda key: counting.submit(key, POLICY),  # type: ignore[dict-item,return-value]
        " + two caps": capped,
        "(a bare future)": nothing,
    }
    print(f"µs of CPU per check, median of {ROUNDS} rounds of {CHECKS}: caller / Redis (ticks)")
    print(f"{'':24}" + "".join(f"{f'{n} at once':>20}" for n in CONCURRENCY))
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for check in contenders.values():
        await loop_alone(check)
    for _ in range(ROUNDS):
        for concurrency in CONCURRENCY:
            for name, check in contenders.items():
                found.setdefault((name, concurrency), []).append(
                    await cost(check, concurrency, redis_pid)
                )
    medians = {
        place: (statistics.median(a for a, _ in costs), statistics.median(b for _, b in costs))
        for place, costs in found.items()
    }
    for name in contenders:
        cells = [medians[name, concurrency] for concurrency in CONCURRENCY]
        print(f"{name:24}" + "".join(f"{own:12.2f} / {other:5.1f}" for own, other in cells))
    for name in list(contenders)[:2]:
        ratios = [
            medians[name, concurrency][0] / medians[" + twin, metrics", concurrency][0]
            for concurrency in CONCURRENCY
        ]
        print(f"{name} costs {' / '.join(f'{ratio:.1f}' for ratio in ratios)} times as much")
    await link.close()
    await client.aclose()


def plain() -> None:
    """Print what needs no Redis."""
    limiter, metrics = MemoryLimiter(), Metrics("three")
    embedded = CountingLimiter(None, metrics)
    decision = limiter.decide(KEYS[0], POLICY)
    assert decision.allowed
    actions: dict[str, Callable[[], object]] = {
        "in process: decide": lambda: limiter.decide(KEYS[0], POLICY),
        "in process: submit": lambda: embedded.submit(KEYS[0], POLICY),
        "RateLimit headers": lambda: limit_headers(POLICY, decision),
    }
    for name, action in actions.items():
        rounds = []
        for _ in range(ROUNDS):
            before = time.process_time()
            for _ in range(20_000):
                action()
            rounds.append((time.process_time() - before) / 20_000 * 1e6)
        print(f"{name:24}{statistics.median(rounds):12.2f}")


def main() -> None:
    """Start a Redis of its own, measure, stop it."""
    with tempfile.TemporaryDirectory(prefix="speechgate-bench-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        assert server.pid is not None
        try:
            uvloop.run(measure(server.url, server.pid))
        finally:
            server.stop()
    plain()


if __name__ == "__main__":
    main()

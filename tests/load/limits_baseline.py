"""The limiter as it was before: redis-py, one script call per check."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from gateway.models.limits import Decision, Policy

SCRIPT = Path(__file__).with_suffix(".lua").read_text()
_MAX_PIPELINES, _MAX_BATCH = 2, 128


def _decision(reply: list[int]) -> Decision:
    windows = reply[2:]
    return Decision(
        bool(reply[0]),
        reply[1],
        tuple(windows[0::3]),
        tuple(windows[1::3]),
        tuple(flag == 1 for flag in windows[2::3]),
    )


class OneByOne:
    """Each check is a command of its own."""

    def __init__(self, client: Redis, sha: str) -> None:
        self._client = client
        self._sha = sha

    def arguments(self, key: str, policy: Policy) -> tuple[Any, ...]:
        """Of EVALSHA."""
        spans = [number for w in policy for number in (w.quota, w.seconds * 1_000_000)]
        return (self._sha, 1, f"bench:{key}", "", 1, *spans)

    async def check(self, key: str, policy: Policy) -> Decision:
        """One decision."""
        return _decision(await self._client.evalsha(*self.arguments(key, policy)))


class Pipelined(OneByOne):
    """Checks of one turn of the loop share a pipeline."""

    def __init__(self, client: Redis, sha: str) -> None:
        super().__init__(client, sha)
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[list[int]]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def check(self, key: str, policy: Policy) -> Decision:
        """One decision."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[int]] = loop.create_future()
        self._waiting.append((self.arguments(key, policy), done))
        if not self._scheduled and len(self._running) < _MAX_PIPELINES:
            self._scheduled = True
            loop.call_soon(self._flush)
        return _decision(await done)

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

    async def _run(self, batch: list[tuple[tuple[Any, ...], "asyncio.Future[list[int]]"]]) -> None:
        replies = await self._call([arguments for arguments, _ in batch])
        for (_, done), reply in zip(batch, replies, strict=True):
            done.set_result(reply)

    def _call(self, calls: list[tuple[Any, ...]]) -> Awaitable[list[list[int]]]:
        if len(calls) == 1:
            return self._call_one(calls[0])
        pipeline = self._client.pipeline(transaction=False)
        for arguments in calls:
            pipeline.evalsha(*arguments)
        return pipeline.execute()

    async def _call_one(self, arguments: tuple[Any, ...]) -> list[list[int]]:
        return [await self._client.evalsha(*arguments)]

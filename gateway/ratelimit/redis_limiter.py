"""The limiter that all gateways share: one script call, coalesced per turn of the loop."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from gateway.db.redis import RedisLink
from gateway.exceptions import RedisUnavailable
from gateway.models.limits import Decision, Policy
from gateway.ratelimit.protocol import MICROSECONDS

SCRIPT = files("gateway.ratelimit").joinpath("sliding_window.lua").read_text()
_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
_MAX_PIPELINES = 2
_MAX_BATCH = 128
_FIELDS = 3


@dataclass(slots=True)
class _Waiting:
    arguments: tuple[Any, ...]
    done: "asyncio.Future[list[int]]"


def _decision(reply: list[int]) -> Decision:
    windows = reply[2:]
    return Decision(
        bool(reply[0]),
        reply[1],
        tuple(windows[0::_FIELDS]),
        tuple(windows[1::_FIELDS]),
        tuple(flag == 1 for flag in windows[2::_FIELDS]),
    )


class RedisLimiter:
    """Exact windows in one Redis list per key.

    Calls that wait at the same time share a pipeline: one write and one read for all of them.

    Args:
        link: Redis.
        clock: Microseconds; None takes the time of the Redis server, which all gateways share.
    """

    def __init__(self, link: RedisLink, clock: Callable[[], int] | None = None) -> None:
        self._link = link
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._running: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def check(self, key: str, policy: Policy, cost: int = 1) -> Decision:
        """One decision; see `Limiter`.

        Raises:
            RedisUnavailable: No answer in time.
        """
        arguments: list[Any] = ["" if self._clock is None else self._clock(), cost]
        for window in policy:
            arguments += (window.quota, window.seconds * MICROSECONDS)
        loop = asyncio.get_running_loop()
        waiting = _Waiting((_SHA, 1, f"speechgate:limit:{key}", *arguments), loop.create_future())
        self._waiting.append(waiting)
        if not self._scheduled and len(self._running) < _MAX_PIPELINES:
            self._scheduled = True
            loop.call_soon(self._flush)  # After every request that is ready in this turn.
        return _decision(await waiting.done)

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

    async def _run(self, batch: list[_Waiting]) -> None:
        try:
            replies = await self._link.run("limits", lambda client: _evaluate(client, batch))
        except RedisUnavailable as error:
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
            return
        for waiting, reply in zip(batch, replies, strict=True):
            if not waiting.done.done():  # A client that left cancelled its wait.
                waiting.done.set_result(reply)


async def _evaluate(client: Redis, batch: list[_Waiting]) -> list[list[int]]:
    try:
        return await _call(client, batch)
    except NoScriptError:  # A restarted Redis has forgotten the script; nothing was counted.
        await client.script_load(SCRIPT)
        return await _call(client, batch)


def _call(client: Redis, batch: list[_Waiting]) -> Awaitable[list[list[int]]]:
    if len(batch) == 1:
        return _call_one(client, batch[0])
    pipeline = client.pipeline(transaction=False)
    for waiting in batch:
        pipeline.evalsha(*waiting.arguments)
    return pipeline.execute()


async def _call_one(client: Redis, waiting: _Waiting) -> list[list[int]]:
    return [await client.evalsha(*waiting.arguments)]

"""Sound that was made already: parts of texts by the hash of all that decides how they sound.

An entry is read only by the tenant that made it. A shared one would tell, by its speed, whether
some other tenant has had exactly this text spoken: enough to guess a short secret.

Same parts that are asked for at the same time are made once.
"""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from services.tts.models.sound import Pcm16
from services.tts.services.metrics import TtsMetrics

Make = Callable[[], Coroutine[Any, Any, Pcm16]]


def part_key(tenant_id: str, *properties: object) -> bytes:
    """The key of a part.

    Args:
        tenant_id: Whose it is.
        properties: All that decides how it sounds; strings and numbers.
    """
    return hashlib.sha256(json.dumps([tenant_id, *properties]).encode()).digest()


@dataclass(slots=True)
class _Flight:
    """Work under way and how many wait for it."""

    task: asyncio.Task[Pcm16]
    waiting: int = 0


class PartCache:
    """The parts that were asked for last, in this process's memory.

    Args:
        limit: Bytes of sound; nothing is kept when it is 0.
        ttl_s: How long an entry is believed: a model may change behind its name.
        metrics: Where hits and misses are counted.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        limit: int,
        ttl_s: float,
        metrics: TtsMetrics,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._ttl_s = ttl_s
        self._metrics = metrics
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, Pcm16]] = OrderedDict()
        self._size = 0
        self._flights: dict[bytes, _Flight] = {}

    @property
    def size(self) -> int:
        """Bytes of sound that are kept."""
        return self._size

    async def get(self, key: bytes, make: Make) -> Pcm16:
        """The part of a key, from memory or from `make`; not to be written to.

        Work that several wait for goes on until the last of them leaves.
        """
        if not self._limit:
            self._metrics.cache("off")
            return await make()
        found = self._find(key)
        if found is not None:
            self._metrics.cache("hit")
            return found
        flight = self._flights.get(key)
        if flight is None:
            self._metrics.cache("miss")
            return await self._board(key, self._start(key, make))
        self._metrics.cache("joined")
        try:
            return await self._board(key, flight)
        except Exception:  # noqa: BLE001 - it failed for another, whose deadline may be shorter
            return await make()

    def _start(self, key: bytes, make: Make) -> _Flight:
        async def fly() -> Pcm16:
            part = await make()
            self._keep(key, part)
            return part

        flight = self._flights[key] = _Flight(asyncio.create_task(fly()))
        return flight

    async def _board(self, key: bytes, flight: _Flight) -> Pcm16:
        flight.waiting += 1
        try:
            # Shielded: one who leaves must not end what others wait for.
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting or flight.task.done():
                if self._flights.get(key) is flight:
                    del self._flights[key]
                flight.task.cancel()
                # Also when it is done: a failure that nobody looked at would be logged.
                await asyncio.gather(flight.task, return_exceptions=True)

    def _find(self, key: bytes) -> Pcm16 | None:
        entry = self._kept.get(key)
        if entry is None:
            return None
        expires, part = entry
        if self._clock() > expires:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return part

    def _keep(self, key: bytes, part: Pcm16) -> None:
        part.setflags(write=False)
        if part.nbytes > self._limit:
            return
        self._drop(key)
        self._kept[key] = (self._clock() + self._ttl_s, part)
        self._size += part.nbytes
        while self._size > self._limit:
            self._drop(next(iter(self._kept)))
        self._metrics.cache_bytes(self._size)

    def _drop(self, key: bytes) -> None:
        entry = self._kept.pop(key, None)
        if entry is not None:
            self._size -= entry[1].nbytes

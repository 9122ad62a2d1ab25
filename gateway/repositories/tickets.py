"""Tickets that wait to be used once."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from redis.asyncio import Redis

from gateway.db.redis import RedisLink

_USE = "tickets"
_MAX_WAITING = 10_000
# Each call may take 50 ms, connecting included: a crowd that connects at once would be too slow.
_AT_ONCE = 8


class TicketStore(Protocol):
    """Keeps what a ticket stands for, under the ticket's HMAC."""

    async def put(self, name: str, value: bytes, life_s: float) -> None:
        """Keep a ticket.

        Raises:
            RedisUnavailable: It cannot be kept.
        """

    async def take(self, name: str) -> bytes | None:
        """What a ticket stands for, once; None when it is unknown, used or too old.

        Raises:
            RedisUnavailable: Nobody can say.
        """


class RedisTickets:
    """Shared between gateways: a ticket of one opens a stream at any."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def put(self, name: str, value: bytes, life_s: float) -> None:
        """See `TicketStore`."""

        async def write(client: Redis) -> Any:
            return await client.set(_key(name), value, px=int(life_s * 1000))

        async with self._places:
            await self._link.run(_USE, write)

    async def take(self, name: str) -> bytes | None:
        """See `TicketStore`."""

        async def read(client: Redis) -> Any:
            return await client.getdel(_key(name))

        async with self._places:
            found: bytes | None = await self._link.run(_USE, read)
        return found


class MemoryTickets:
    """Of one process.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def put(self, name: str, value: bytes, life_s: float) -> None:
        """See `TicketStore`; beyond 10,000 the oldest is forgotten."""
        self._waiting[name] = (self._clock() + life_s, value)
        if len(self._waiting) > _MAX_WAITING:
            self._waiting.popitem(last=False)

    async def take(self, name: str) -> bytes | None:
        """See `TicketStore`."""
        expires_at, value = self._waiting.pop(name, (0.0, b""))
        return value if self._clock() < expires_at else None


def _key(name: str) -> str:
    return f"speechgate:ticket:{name}"

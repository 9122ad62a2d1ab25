"""Events on their way to a client: who makes them waits for who takes them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from services.tts.streaming.events import Event


class Outbox:
    """A short queue with one reader.

    Args:
        limit: Events that may wait.
    """

    def __init__(self, limit: int = 4) -> None:
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._put = asyncio.Event()
        self._taken = asyncio.Event()
        self._closed = False

    async def put(self, event: Event) -> None:
        """Append an event once there is room; nothing when the outbox is closed."""
        while len(self._waiting) >= self._limit and not self._closed:
            self._taken.clear()
            await self._taken.wait()
        if not self._closed:
            self._waiting.append(event)
            self._put.set()

    def close(self, *last: Event) -> None:
        """End the iteration after what waits, and after these; never waits."""
        if not self._closed:
            self._waiting.extend(last)
            self._closed = True
            self._put.set()
            self._taken.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Each event, until the outbox is closed and empty."""
        while True:
            while self._waiting:
                event = self._waiting.popleft()
                self._taken.set()
                yield event
            if self._closed:
                return
            self._put.clear()
            await self._put.wait()

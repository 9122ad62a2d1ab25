"""Events on their way to a client, bounded: only a partial that was overtaken is dropped."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from services.asr.streaming.events import Event, Partial
from shared.streams import slow_reader


class Outbox:
    """A queue with one reader.

    Args:
        limit: Events that may wait; finals are few, so that many waiting mean a reader that hangs.
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        """Append an event; a partial takes the place of one that still waits.

        Raises:
            StreamRefused: `slow_reader`.
        """
        if self._closed:
            return
        if isinstance(event, Partial):
            # An older partial says nothing that this one does not.
            self._waiting = deque(one for one in self._waiting if not isinstance(one, Partial))
        elif len(self._waiting) >= self._limit:
            raise slow_reader()
        self._waiting.append(event)
        self._changed.set()

    def close(self, *last: Event) -> None:
        """End the iteration after what waits, and after these."""
        if not self._closed:
            self._waiting.extend(last)
            self._closed = True
            self._changed.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Each event, until the outbox is closed and empty."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()

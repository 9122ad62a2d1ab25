"""Text on its way to the voice: who sends it waits for who speaks it."""

import asyncio
from collections.abc import AsyncGenerator

from services.tts.streaming.limits import LiveLimits
from services.tts.streaming.passages import Passages
from shared.streams import StreamRefused, idle
from shared.text.bounds import TextBounds

_FLUSH, _STOP = object(), object()
_PATIENCE_S = 0.5
"""What looks like the end of a sentence is taken for one when nothing follows for so long."""
_MOST_UNREAD = 4_000
"""Characters, flushes and empty texts that may wait; then no more are read."""


class TextInbox:
    """The text of one live request.

    Args:
        bounds: Of each piece.
        limits: Of the whole.

    Attributes:
        stopped: Whether nothing follows.
    """

    def __init__(self, bounds: TextBounds, limits: LiveLimits) -> None:
        self._bounds = bounds
        self._limits = limits
        self._items: asyncio.Queue[object] = asyncio.Queue()
        self._received = self._unread = 0
        self._room = asyncio.Event()
        self._closed = False
        self.stopped = False

    async def feed(self, text: str) -> None:
        """More text; returns when more may come. Nothing after `stop` or `close`.

        Raises:
            TextTooLong: This piece alone is.
            StreamRefused: `stream_too_long`.
        """
        if self._closed or self.stopped:
            return
        self._bounds.check([text])
        self._received += len(text)
        if self._received > self._limits.characters:
            most = self._limits.characters
            raise StreamRefused(f"A stream has at most {most} characters.", "stream_too_long")
        await self._put(text)

    async def flush(self) -> None:
        """All that came is to be spoken; returns when more may come."""
        if not self._closed and not self.stopped:
            await self._put(_FLUSH)

    def stop(self) -> None:
        """All that came is to be spoken; nothing follows."""
        if not self.stopped:
            self.stopped = True
            self._items.put_nowait(_STOP)

    def close(self) -> None:
        """Nobody reads any more."""
        self._closed = True
        self._room.set()

    async def texts(self) -> AsyncGenerator[tuple[str, bool], None]:
        """What is to be spoken, as it comes, until `stop`.

        Yields:
            A text, and whether nothing is left of what came before a flush.

        Raises:
            StreamRefused: `idle_timeout`.
        """
        passages = Passages()
        while True:
            whole = passages.looks_whole
            try:
                async with asyncio.timeout(_PATIENCE_S if whole else self._limits.idle_s):
                    item = await self._items.get()
            except TimeoutError:
                if not whole:
                    raise idle("text") from None
                yield passages.rest(), False
                continue
            text, item = self._gather(item)
            ready = passages.add(text)
            if item is None:
                if ready:
                    yield ready, False
                continue
            yield ready + passages.rest(), item is _FLUSH
            if item is _STOP:
                return

    async def _put(self, item: object) -> None:
        self._unread += _size(item)
        self._items.put_nowait(item)
        while self._unread > _MOST_UNREAD and not self._closed:
            self._room.clear()
            await self._room.wait()

    def _gather(self, item: object) -> tuple[str, object | None]:
        """All text that waits, within a bound: parts of one text are made side by side.

        Returns:
            The text, and the flush or stop right after it.
        """
        text = ""
        found: object | None = item
        while isinstance(found, str):
            text += found
            self._unread -= _size(found)
            found = None
            if len(text) < _MOST_UNREAD and not self._items.empty():
                found = self._items.get_nowait()
        if found is _FLUSH:
            self._unread -= _size(found)
        self._room.set()
        return text, found


def _size(item: object) -> int:
    """What it counts while it waits: never nothing, or a client could fill the memory."""
    return max(len(item), 1) if isinstance(item, str) else 1

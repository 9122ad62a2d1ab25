"""One answer of a service, filled by its connection and emptied by whoever asked."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from gateway.upstream.protocol import Header

_JOIN_BYTES = 64 * 1024


class Source(Protocol):
    """The connection that an answer comes from."""

    def flow(self) -> None:
        """Read on."""

    def abandon(self, answer: "Answer") -> None:
        """Nobody wants the rest."""


class Answer:
    """An `UpstreamResponse`.

    Attributes:
        status: 0 until the head has arrived.
        headers: Names in lower case.
        buffered: Bytes that nobody has taken yet.
        received: Bytes of the body so far.
        held: The connection reads no more until they are taken.
        replayable: Nothing that cannot be had again was sent for it.
        error: Why it has no end.
    """

    __slots__ = (
        "_ended",
        "_loop",
        "_parts",
        "_source",
        "_waiter",
        "buffered",
        "error",
        "headers",
        "held",
        "received",
        "replayable",
        "status",
    )

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self._source: Source | None = source
        self._loop = loop
        self._parts: list[bytes] = []
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self.status = 0
        self.headers: Sequence[Header] = ()
        self.buffered = 0
        self.received = 0
        self.held = False
        self.replayable = True
        self.error: Exception | None = None

    # What the connection calls.

    def begin(self, status: int, headers: Sequence[Header]) -> None:
        """The head has arrived."""
        self.status = status
        self.headers = headers
        self._wake()

    def feed(self, data: bytes) -> None:
        """A part of the body has arrived."""
        size = len(data)
        self.buffered += size
        self.received += size
        self._parts.append(data)
        self._wake()

    def end(self) -> None:
        """The body is whole."""
        self._ended = True
        self._source = None
        self._wake()

    def fail(self, error: Exception) -> None:
        """There will be no more."""
        self.error = error
        self._source = None
        self._wake()

    # What the other side calls.

    def changed(self) -> "asyncio.Future[None]":
        """Done when something has arrived; first the head."""
        waiter = self._waiter = self._loop.create_future()
        return waiter

    async def begun(self) -> "Answer":
        """Itself, when the head is there.

        Raises:
            Exception: There will be none.
        """
        if not self.status and self.error is None:
            try:
                await self.changed()
            except asyncio.CancelledError:
                self.close()
                raise
        if self.error is not None:
            raise self.error
        return self

    def take(self) -> tuple[bytes, bool]:
        """See `UpstreamResponse`."""
        parts = self._parts
        if not parts:
            return b"", not self._ended
        if len(parts) == 1:
            part = parts[0]
            parts.clear()
            self.buffered = 0
        elif self.buffered <= _JOIN_BYTES:
            part = b"".join(parts)
            parts.clear()
            self.buffered = 0
        else:
            # A copy of much costs more than one more write.
            part = parts.pop(0)
            self.buffered -= len(part)
        if self.held and not parts:
            self.held = False
            if self._source is not None:
                self._source.flow()
        return part, bool(parts) or not self._ended

    async def read(self) -> tuple[bytes, bool]:
        """See `UpstreamResponse`."""
        while not self._parts:
            if self.error is not None:
                raise self.error
            if self._ended:
                return b"", False
            await self.changed()
        return self.take()

    def close(self) -> None:
        """See `UpstreamResponse`."""
        source, self._source = self._source, None
        if source is not None:
            source.abandon(self)

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

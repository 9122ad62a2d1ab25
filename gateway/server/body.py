"""A request body as it arrives: bounded, and held back while nobody takes it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from shared.asgi.body import RequestTimeout
from shared.problem import PayloadTooLarge

HIGH_WATER_BYTES = 256 * 1024
_SMALL_REST_BYTES = 64 * 1024


class ClientLeft(Exception):
    """The client closed its connection; there is nobody to answer."""


class Source(Protocol):
    """The connection that a body comes from."""

    def hold(self) -> None:
        """Read no more for now."""

    def flow(self) -> None:
        """Read on."""

    def send_continue(self) -> None:
        """Tell a client that waits for it to send the body."""


class RequestBody:
    """The body of one request.

    Args:
        source: Where it comes from.

    Attributes:
        length: What the client declared; None where it is chunked or was not looked at yet.
        error: Why it could not be read to its end.
        ended: It has arrived whole.
        received: Bytes so far.
        discarding: What still comes is dropped.
        owes_continue: The client waits for leave to send it (RFC 9110 §10.1.1).
    """

    __slots__ = (
        "_held",
        "_max_bytes",
        "_parts",
        "_source",
        "_waiter",
        "buffered",
        "discarding",
        "ended",
        "error",
        "length",
        "owes_continue",
        "received",
    )

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parts: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._held = False
        self._max_bytes: int | None = None
        self.length: int | None = None
        self.received = 0
        self.buffered = 0
        self.ended = False
        self.error: Exception | None = None
        self.discarding = False
        self.owes_continue = False

    def declare(self, length: int | None, expect: bytes | None) -> None:
        """What the head says of it.

        Args:
            length: `content-length`.
            expect: The field `expect`.
        """
        self.length = length
        self.owes_continue = (
            expect is not None and not self.received and expect.lower() == b"100-continue"
        ) and not self.ended

    @property
    def awaited(self) -> bool:
        """Whether the client is to blame for what has not come: nothing holds it back."""
        return not (self.ended or self._held or self.error or self.owes_continue)

    @property
    def soon_over(self) -> bool:
        """Whether what may still come is little enough to be read and dropped."""
        if self.ended:
            return True
        if self.owes_continue or self.length is None or self.error is not None:
            return False
        return self.length - self.received <= _SMALL_REST_BYTES

    def bound(self, max_bytes: int) -> None:
        """Refuse a larger body.

        Raises:
            PayloadTooLarge: It is declared, or already is, larger.
        """
        self._max_bytes = max_bytes
        if max(self.length or 0, self.received) > max_bytes:
            raise self._too_large()

    def feed(self, data: bytes) -> None:
        """The next part; called by the connection."""
        self.received += len(data)
        self.owes_continue = False
        if self.discarding:
            return
        if self._max_bytes is not None and self.received > self._max_bytes:
            self.fail(self._too_large())
            return
        self._parts.append(data)
        self.buffered += len(data)
        if self.buffered > HIGH_WATER_BYTES and not self._held:
            self._held = True
            self._source.hold()
        self._wake()

    def end(self) -> None:
        """The last part has come; called by the connection."""
        self.ended = True
        self._let_flow()  # What follows is the next request.
        self._wake()

    def fail(self, error: Exception) -> None:
        """Nothing more will come, or be taken; called by the connection."""
        if self.error is None:
            self.error = error
            self._parts.clear()
            self._wake()

    def discard(self) -> None:
        """Drop what has come and what still comes."""
        self.discarding = True
        self._parts.clear()
        self.buffered = 0
        self._let_flow()

    async def arrive(self, enough: int | None = None) -> None:
        """Wait until it is here whole, or `enough` bytes of it are.

        Raises:
            ClientLeft: The client closed its connection.
            RequestTimeout: It did not come in time.
            PayloadTooLarge: It is larger than its bound.
        """
        while not self.ended and (enough is None or self.buffered < enough):
            await self._more()
        if self.error is not None:
            raise self.error

    async def read(self) -> bytes:
        """What has come since the last call, waiting for something; `b""` is the end.

        Raises:
            Exception: As `arrive`.
        """
        while not self._parts and not self.ended:
            await self._more()
        if self.error is not None:
            raise self.error
        return self._take()

    def open(self) -> tuple[bytes, ...] | AsyncIterator[bytes]:
        """All parts when the body is here whole, else as they come; see `OutgoingBody`."""
        if self.ended and self.error is None:
            return tuple(self._parts)  # Kept: a request may be sent again if it got no answer.
        return self._stream()

    async def _stream(self) -> AsyncIterator[bytes]:
        while part := await self.read():
            yield part

    def _take(self) -> bytes:
        parts, self._parts = self._parts, []
        self.buffered = 0
        self._let_flow()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _more(self) -> None:
        if self.error is not None:
            raise self.error
        if self.owes_continue:
            self.owes_continue = False
            self._source.send_continue()
        # A body that is held back while somebody wants all of it would never end.
        self._let_flow()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _let_flow(self) -> None:
        if self._held:
            self._held = False
            self._source.flow()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The request body is larger than {self._max_bytes} bytes.")


def timed_out() -> RequestTimeout:
    """The client stopped sending, or sends too slowly."""
    return RequestTimeout("The request body did not arrive in time.")

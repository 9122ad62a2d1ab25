"""A request body that is passed on as it arrives, bounded in size and in time."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message, Receive

from shared.asgi.body import RequestTimeout
from shared.problem import PayloadTooLarge, SpeechgateError


class ClientLeft(Exception):
    """The client closed its connection; there is nobody to answer."""


class StreamedBody:
    """The body of one request; holds one chunk at a time.

    Args:
        receive: The ASGI channel.
        length: What the client declared; None for a chunked body.
        max_bytes: Largest body.
        timeout_s: Longest wait for its next part.

    Attributes:
        error: Why it could not be read to its end.
        ended: It was.

    Raises:
        PayloadTooLarge: The declared length is over the bound; nothing was read.
    """

    def __init__(
        self, receive: Receive, *, length: int | None, max_bytes: int, timeout_s: float
    ) -> None:
        self._receive = receive
        self._length = length
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._received = 0
        self._first: bytes | None = None
        self.error: Exception | None = None
        self.ended = length == 0
        if length is not None and length > max_bytes:
            raise self._too_large()

    async def begin(self) -> int | None:
        """Wait for the first part; the whole length if it is known now.

        Raises:
            ClientLeft: The client closed its connection.
            RequestTimeout: The part did not come in time.
            PayloadTooLarge: The part alone is over the bound.
        """
        if not self.ended:
            self._first = await self._next()
        return self._received if self.ended else self._length

    def open(self) -> bytes | AsyncIterator[bytes]:
        """The body; `begin` must have returned."""
        if self.ended:
            return self._first or b""
        return self._parts()

    async def drain(self, *, max_bytes: int, timeout_s: float) -> None:
        """Read on and forget, so that a client that is still sending gets to read its answer."""
        try:
            async with asyncio.timeout(timeout_s):
                limit = self._received + max_bytes
                while not self.ended and self._received < limit:
                    self._note(await self._receive())
        except (TimeoutError, ClientLeft):
            return

    async def _parts(self) -> AsyncIterator[bytes]:
        try:
            if self._first:
                first, self._first = self._first, None
                yield first
            while not self.ended:
                yield await self._next()
        except (ClientLeft, SpeechgateError) as error:
            self.error = error
            raise

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_s):
                part = self._note(await self._receive())
        except TimeoutError:
            raise RequestTimeout("The request body did not arrive in time.") from None
        if self._received > self._max_bytes:
            raise self._too_large()
        return part

    def _note(self, message: Message) -> bytes:
        if message["type"] == "http.disconnect":
            raise ClientLeft
        part: bytes = message.get("body", b"")
        self._received += len(part)
        self.ended = not message.get("more_body", False)
        return part

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The request body is larger than {self._max_bytes} bytes.")

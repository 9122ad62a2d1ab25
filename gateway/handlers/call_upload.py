"""An upload that is passed on while it comes, and a client that may leave meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from shared.asgi.disconnect import ClientLeft, until_gone
from shared.problem import SpeechgateError

Result = TypeVar("Result")
_ENOUGH = 64 * 1024
"""So much is here before a service is asked: a slow client must not keep a place there."""


class PassingUpload:
    """The body of a request, read once.

    Args:
        request: Its body was not touched yet.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._parts = request.stream()
        self._first: list[bytes] = []
        self._over = asyncio.Event()

    async def begin(self) -> None:
        """Wait for the first part, or all of a small body.

        Raises:
            ClientLeft: The client closed its connection.
            SpeechgateError: The body is too large, or does not come in time.
        """
        size = 0
        while size < _ENOUGH:
            part = await self._next()
            if part is None:
                return
            self._first.append(part)
            size += len(part)

    async def parts(self) -> AsyncIterator[bytes]:
        """The whole body as it comes; errors as in `begin`."""
        try:
            while self._first:
                yield self._first.pop(0)
            while (part := await self._next()) is not None:
                yield part
        finally:
            # Nobody reads on, at the latest now: the client's leaving can be watched for.
            self._over.set()

    async def attended(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of `work`, which is cancelled when the client leaves.

        Raises:
            ClientLeft: It did.
        """
        return await until_gone(self._after, work)

    async def _next(self) -> bytes | None:
        try:
            return await anext(self._parts, None)
        except ClientDisconnect as error:
            raise ClientLeft("The client closed the connection.") from error

    async def _after(self) -> Message:
        """What comes behind the part of the body that was read."""
        await self._over.wait()
        try:
            return await self._request.receive()
        except SpeechgateError:
            # Of a rest that nobody reads: what is wrong with the body, the work says.
            await asyncio.Event().wait()
            raise

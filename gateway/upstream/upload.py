"""A request body that is still coming from the client while it goes to the service."""

import asyncio
from collections.abc import AsyncIterable, Callable

from gateway.upstream.answer import Answer

_JOIN_BYTES = 16 * 1024


class Upload:
    """Writes the parts of a body as fast as the service takes them.

    Args:
        transport: Of the connection.
        parts: Of the body.
        length: What the head declared; None: it is sent in chunks (RFC 9112 §7.1).
        answer: To the request; told when something was sent that cannot be had again.
    """

    __slots__ = ("_answer", "_length", "_parts", "_task", "_transport", "_waiter")

    def __init__(
        self,
        transport: asyncio.Transport,
        parts: AsyncIterable[bytes],
        length: int | None,
        answer: Answer,
    ) -> None:
        self._transport = transport
        self._parts = parts
        self._length = length
        self._answer = answer
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, done: Callable[[Exception | None], None]) -> None:
        """Begin.

        Args:
            done: Called at the end, with what went wrong; not after `stop`.
        """

        async def run() -> None:
            try:
                await self._send()
            except Exception as error:  # noqa: BLE001 - the client's side; told to whoever asked
                failure: Exception | None = error
            else:
                failure = None
            self._task = None
            done(failure)

        self._task = asyncio.get_running_loop().create_task(run())

    def stop(self) -> None:
        """The service does not want the rest, or nobody wants its answer."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def pause(self) -> None:
        """The service reads slowly."""
        if self._waiter is None:
            self._waiter = asyncio.get_running_loop().create_future()

    def resume(self) -> None:
        """It has caught up."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _send(self) -> None:
        write, length, sent = self._transport.write, self._length, 0
        async for part in self._parts:
            if not part:
                continue
            self._answer.replayable = False
            sent += len(part)
            if length is None:
                self._write_chunk(part)
            elif sent > length:
                raise ValueError("the body is longer than the request says")
            else:
                write(part)
            if self._waiter is not None:
                await self._waiter
        if length is None:
            write(b"0\r\n\r\n")
        elif sent < length:
            raise ValueError("the body is shorter than the request says")

    def _write_chunk(self, part: bytes) -> None:
        write = self._transport.write
        if len(part) <= _JOIN_BYTES:
            write(b"%x\r\n%b\r\n" % (len(part), part))
        else:
            write(b"%x\r\n" % len(part))
            write(part)
            write(b"\r\n")

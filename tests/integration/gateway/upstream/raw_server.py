"""A server that answers exactly the bytes it is told, right or wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gateway.upstream.protocol import Header, UpstreamRequest

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def receive(reader: asyncio.StreamReader) -> bytes:
    """One request with a body of known length; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    _, found, rest = head.partition(b"\r\ncontent-length: ")
    return head + (await reader.readexactly(int(rest.split(b"\r\n")[0])) if found else b"")


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The base URL of a server whose connections a coroutine handles."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Script:
    """Answers requests with parts of bytes in turn; counts connections and requests.

    Args:
        answers: Parts of each answer, written one after another.
        close: Close the connection after each answer.
    """

    def __init__(self, *answers: bytes | list[bytes], close: bool = False) -> None:
        self.answers = [[a] if isinstance(a, bytes) else a for a in answers]
        self.close = close
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while request := await receive(reader):
            self.requests.append(request)
            parts = self.answers[min(len(self.requests), len(self.answers)) - 1]
            for part in parts:
                writer.write(part)
                await writer.drain()
                # Several turns of the loop: most parts arrive apart.
                await asyncio.sleep(0.001 if len(parts) > 1 else 0)
            if self.close:
                return


class Body:
    """A request body; parts are an iterable that a test may hold back."""

    def __init__(self, content: bytes | AsyncIterator[bytes]) -> None:
        self.content = content
        self.error: Exception | None = None

    def open(self) -> tuple[bytes, ...] | AsyncIterator[bytes]:
        if not isinstance(self.content, bytes):
            return self.content
        # In two parts where there are two bytes.
        middle = len(self.content) // 2
        return tuple(filter(None, (self.content[:middle], self.content[middle:])))


def request(
    method: str = "GET",
    target: str = "/",
    headers: tuple[Header, ...] = (),
    body: Body | None = None,
    deadline: float | None = None,
) -> UpstreamRequest:
    return UpstreamRequest(method, target, headers, body, deadline=deadline)

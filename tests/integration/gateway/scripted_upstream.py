"""A service that answers each request with bytes of the test's choice."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True)
class Script:
    """What happens to a request.

    Attributes:
        parts: Sent one after another, each by itself.
        close: Close the connection then.
        hang: Send nothing more.
    """

    parts: tuple[bytes, ...] = (OK,)
    close: bool = False
    hang: bool = False


@dataclass
class ScriptedUpstream:
    """One replica; `/health` always answers.

    Attributes:
        url: Where it is.
        scripts: For the next requests; then they are answered `OK`.
        received: Requests, head and body.
        connections: That are open.
    """

    url: str = ""
    scripts: list[Script] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connections -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        if head.startswith(b"GET /health"):
            writer.write(HEALTHY)
            return True
        self.received.append(head + body)
        script = self.scripts.pop(0) if self.scripts else Script()
        for part in script.parts:
            writer.write(part)
            await writer.drain()
            if part is not script.parts[-1]:
                await asyncio.sleep(0.02)  # So that the parts are read one by one.
        if script.hang:
            await reader.read(1)
        return not (script.close or script.hang)


@contextmanager
def scripted_upstream() -> Iterator[ScriptedUpstream]:
    """Serves in a thread of its own, so that several tests can share it."""
    upstream, loop = ScriptedUpstream(), asyncio.new_event_loop()
    starting = asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    server = loop.run_until_complete(starting)
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.close()

"""The HTTP server alone, over real sockets, with short deadlines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from uvicorn import Config
from uvicorn.server import ServerState

from gateway.proxy.refusal import refuse
from gateway.server.connection import HttpConnection
from gateway.server.limits import ConnectionLimits
from gateway.server.request import Request
from gateway.server.service import HttpService
from gateway.server.sweeper import Sweeper
from tests.support.poll import eventually

LIMITS = ConnectionLimits(
    max_head_bytes=2_000,
    head_timeout_s=0.3,
    idle_timeout_s=30.0,
    receive_timeout_s=0.3,
    body_grace_s=0.3,
    min_body_rate=1_000,
    send_timeout_s=0.5,
    linger_s=0.3,
)
Handler = Callable[[Request], Coroutine[Any, Any, None]]


async def echo(request: Request) -> None:
    """The target and the body, back."""
    declare(request)
    parts = [request.target, b" "]
    while part := await request.body.read():
        parts.append(part)
    answer(request, b"".join(parts))


def declare(request: Request) -> None:
    fields = dict(request.headers)
    length = fields.get(b"content-length")
    request.body.declare(int(length) if length else None, fields.get(b"expect"))


def answer(request: Request, body: bytes, status: int = 200) -> None:
    request.respond(status, [(b"content-length", b"%d" % len(body))], body)


@dataclass
class Server:
    port: int
    service: HttpService
    state: ServerState

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)

    async def exchange(self, *requests: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(10):
                for request in requests:
                    writer.write(request)
                    await writer.drain()
                return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def serving(handler: Handler, limits: ConnectionLimits = LIMITS) -> AsyncIterator[Server]:
    service, state = HttpService(handler, refuse, limits), ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: HttpConnection(cast("Config", None), state, {"http": service}), "127.0.0.1", 0
    )
    sweeper = Sweeper(service.connections)
    sweeper.start()
    try:
        yield Server(server.sockets[0].getsockname()[1], service, state)
    finally:
        sweeper.stop()
        server.close()
        for connection in list(service.connections):
            connection.abort()
        await eventually(lambda: not service.connections)


def request_bytes(target: str = "/a", body: bytes = b"", *lines: str) -> bytes:
    head = [f"POST {target} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


CLOSE = "Connection: close"

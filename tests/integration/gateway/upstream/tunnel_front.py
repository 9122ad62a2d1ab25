"""The smallest server that hands its clients' connections to tunnels."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from gateway.upstream.pool import ReplicaPool
from gateway.upstream.protocol import UpstreamRequest
from gateway.upstream.tunnel import Tunnel

_HOP_BY_HOP = (b"connection", b"upgrade", b"host")


class Front(asyncio.Protocol):
    """A client's connection: a request for an upgrade, then a tunnel's `Sink`."""

    def __init__(self, pool: ReplicaPool, opened: Callable[["Front"], None]) -> None:
        self._pool = pool
        self._opened = opened
        self._head = b""
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._task: asyncio.Task[None] | None = None
        self.tunnel: Tunnel | None = None
        self.pauses = 0
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.tunnel is not None:
            self.tunnel.write(data)
            return
        self._head += data
        if self._head.endswith(b"\r\n\r\n") and self._task is None:
            self._transport.pause_reading()
            self._task = asyncio.create_task(self._open())

    def connection_lost(self, _error: Exception | None) -> None:
        self.gone = True
        if self.tunnel is not None:
            self.tunnel.close()

    def pause_writing(self) -> None:
        if self.tunnel is not None:
            self.tunnel.pause()

    def resume_writing(self) -> None:
        if self.tunnel is not None:
            self.tunnel.resume()

    # The sink.

    def write(self, data: bytes) -> None:
        if not self.gone:
            self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    def pause(self) -> None:
        self.pauses += 1
        self._transport.pause_reading()

    def resume(self) -> None:
        self._transport.resume_reading()

    async def _open(self) -> None:
        line, *lines = self._head[:-4].split(b"\r\n")
        fields = [(name.lower(), value) for name, _, value in (x.partition(b": ") for x in lines)]
        made = await self._pool.open_tunnel(
            UpstreamRequest(
                "GET",
                line.split(b" ")[1].decode(),
                [field for field in fields if field[0] not in _HOP_BY_HOP],
                None,
                deadline=asyncio.get_running_loop().time() + 5,
            )
        )
        head = b"HTTP/1.1 %d x\r\n" % made.status
        head += b"".join(b"%b: %b\r\n" % field for field in made.headers) + b"\r\n"
        if isinstance(made, Tunnel):
            self.tunnel = made
            self._transport.write(head)
            made.attach(self)
            self._transport.resume_reading()
            self._opened(self)
        else:
            part, more = made.take()
            while more:
                rest, more = await made.read()
                part += rest
            made.close()
            self._transport.write(head + part)
            self._transport.close()


@asynccontextmanager
async def fronting(pool: ReplicaPool, opened: list[Front]) -> AsyncIterator[str]:
    """The WebSocket URL of a front; its connections are put into a list."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Front(pool, opened.append), "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream?x=1"
    finally:
        server.close()

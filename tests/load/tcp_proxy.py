"""A TCP proxy between the gateway and one component, to slow it or to take its port away."""

import asyncio
from collections import deque
from typing import cast

from tests.load.contenders.base import HOST, free_port


class _End(asyncio.Protocol):
    """One side of a connection; what it receives goes to the other side, late."""

    def __init__(self, proxy: "TcpProxy") -> None:
        self._proxy = proxy
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self.transport: asyncio.Transport | None = None
        self.peer: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._proxy.ends.add(self)
        if self.peer is None:
            self._proxy.connect(self)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        # Never before what came earlier, even when the delay has become shorter.
        self._last = max(self._last, loop.time() + self._proxy.delay_s)
        self._waiting.append((self._last, data))
        if len(self._waiting) == 1:
            self._flush()

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if self._waiting[0][0] > loop.time() or self.peer is None or not self.peer.transport:
                at = max(self._waiting[0][0], loop.time() + 0.001)
                loop.call_at(at, self._flush)
                return
            if self.peer.transport.is_closing():
                self._waiting.clear()
                return
            self.peer.transport.write(self._waiting.popleft()[1])

    def connection_lost(self, _: Exception | None) -> None:
        self._waiting.clear()
        self._proxy.ends.discard(self)
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class TcpProxy:
    """Listens on a port of its own.

    Args:
        target: Port that connections go on to.

    Attributes:
        port: Where it listens.
        delay_s: How late each piece of data goes on, in each direction.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._connecting: set[asyncio.Task[None]] = set()
        self.port = free_port()
        self.delay_s = 0.0
        self.ends: set[_End] = set()

    async def up(self) -> None:
        """Takes connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _End(self), HOST, self.port, backlog=512)

    def down(self) -> None:
        """Refuses connections and breaks those it has: as if the process were gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self.ends):
            end.abort()

    def connect(self, end: _End) -> None:
        """Opens the other side of an accepted connection."""
        task = asyncio.create_task(self._connect(end))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, end: _End) -> None:
        other = _End(self)
        other.peer = end
        try:
            await asyncio.get_running_loop().create_connection(lambda: other, HOST, self._target)
        except OSError:
            end.abort()
            return
        end.peer = other
        if end.transport is None or end.transport.is_closing():
            other.abort()

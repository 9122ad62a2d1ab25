"""`UpstreamClient` over asyncio and httptools: little work for each request.

No timer for a request: one sweep looks at all deadlines four times a second.
"""

import asyncio
import ssl

from gateway.upstream.answer import Answer
from gateway.upstream.asked import AskedConnection
from gateway.upstream.head import encode, size_of
from gateway.upstream.origin import Origin
from gateway.upstream.protocol import ConnectFailed, UpstreamRequest, UpstreamTimeout
from gateway.upstream.tunnel import Tunnel

KEEPALIVE_S = 60.0  # Services keep idle connections for 75 s: this side closes first.
SWEEP_S = 0.25
_MAX_IDLE = 512
_CLOSE_TURNS = 100
_UPGRADE = b"connection: upgrade\r\nupgrade: websocket\r\n"


class LeanClient:
    """Connections to all services; made and closed in a running loop.

    Args:
        connect_timeout_s: Longest wait for a connection.
        total_timeout_s: Longest time from a request without a deadline to the end of its answer.
        max_idle: Kept-alive connections to one replica.
        keepalive_s: How long an idle connection is kept.
        context: For https; the system's authorities when absent.
    """

    def __init__(
        self,
        *,
        connect_timeout_s: float,
        total_timeout_s: float,
        max_idle: int = _MAX_IDLE,
        keepalive_s: float = KEEPALIVE_S,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connect_timeout_s = connect_timeout_s
        self._total_timeout_s = total_timeout_s
        self._max_idle = max_idle
        self._keepalive_s = keepalive_s
        self._context = context
        self._origins: dict[str, Origin] = {}
        self._timer = self._loop.call_later(SWEEP_S, self._sweep)

    async def send(self, base_url: str, request: UpstreamRequest, lines: bytes = b"") -> Answer:
        """The answer's head; see `UpstreamClient`."""
        origin = self._origins.get(base_url)
        if origin is None:
            origin = self._add(base_url)
        body = request.body
        content = () if body is None else body.open()
        head, length = encode(request, origin.tail, lines, size_of(content))
        deadline = request.deadline
        if deadline is None:
            deadline = self._loop.time() + self._total_timeout_s
        connection = origin.take()
        if connection is None:
            connection = await self._connect(origin, deadline)
        answer = connection.begin(request.method, head, content, deadline, length=length)
        return await answer.begun()

    def take_idle(self, base_url: str) -> AskedConnection | None:
        """A kept-alive connection; see `UpstreamClient`."""
        origin = self._origins.get(base_url)
        connection = None if origin is None else origin.take()
        return connection if isinstance(connection, AskedConnection) else None

    async def upgrade(
        self, base_url: str, request: UpstreamRequest, lines: bytes = b""
    ) -> Tunnel | Answer:
        """A tunnel, or the service's refusal; see `UpstreamClient`."""
        origin = self._origins.get(base_url) or self._add(base_url)
        head, _ = encode(request, origin.tail, lines + _UPGRADE, 0)
        deadline = request.deadline
        if deadline is None:
            deadline = self._loop.time() + self._total_timeout_s
        connection = await self._connect(origin, deadline)
        answer = connection.begin(request.method, head, (), deadline, upgrades=True)
        try:
            await answer.changed()
        except asyncio.CancelledError:
            answer.close()
            if connection.tunnel is not None:
                connection.tunnel.abort()
            raise
        if answer.error is not None:
            raise answer.error
        tunnel = connection.tunnel
        if tunnel is None:
            return answer
        tunnel.replica = base_url
        return tunnel

    async def close(self) -> None:
        """Close every connection."""
        self._timer.cancel()
        origins = list(self._origins.values())
        for origin in origins:
            for connection in (*origin.busy, *origin.idle):
                connection.fail(ConnectFailed("the client was closed"))
            for tunnel in list(origin.tunnels):
                tunnel.abort()
        for _ in range(_CLOSE_TURNS):
            # The loop tells connections a turn later that they are closed.
            if not any(origin.opened for origin in origins):
                break
            await asyncio.sleep(0)

    def _add(self, base_url: str) -> Origin:
        if self._context is None and base_url.startswith("https:"):
            self._context = ssl.create_default_context()
        origin = Origin(base_url, self._context, self._max_idle)
        origin.now = self._loop.time()
        self._origins[base_url] = origin
        return origin

    async def _connect(self, origin: Origin, deadline: float) -> AskedConnection:
        loop = self._loop
        connection = AskedConnection(origin, loop)
        origin.connecting += 1
        try:
            async with asyncio.timeout(min(self._connect_timeout_s, deadline - loop.time())):
                await loop.create_connection(
                    lambda: connection,
                    origin.host,
                    origin.port,
                    ssl=origin.context,
                    server_hostname=origin.host if origin.context else None,
                )
        except OSError as error:  # TimeoutError is one.
            raise ConnectFailed("no connection to the service") from error
        finally:
            origin.connecting -= 1
        if connection.closed:
            raise ConnectFailed("the service closed the connection at once")
        return connection

    def _sweep(self) -> None:
        now = self._loop.time()
        for base_url, origin in list(self._origins.items()):
            origin.now = now
            for connection in [held for held in origin.busy if held.deadline <= now]:
                connection.fail(UpstreamTimeout("the answer is not whole in time"))
            for tunnel in list(origin.tunnels):
                tunnel.sweep(now)
            origin.drop_idle(now - self._keepalive_s)
            if not origin.opened and not origin.connecting:
                del self._origins[base_url]
        self._timer = self._loop.call_later(SWEEP_S, self._sweep)

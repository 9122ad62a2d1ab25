"""A real WebSocket server, a pool that tunnels to it, and a front for a real client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve

from gateway.upstream.lean_client import LeanClient
from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.pool import ReplicaPool
from gateway.upstream.protocol import UpstreamRequest
from gateway.upstream.tunnel import Tunnel
from shared.metrics import Metrics
from tests.integration.gateway.upstream.tunnel_front import Front, fronting
from tests.support.poll import eventually

Handler = Callable[[ServerConnection], Awaitable[None]]
HANDSHAKE = [
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
]
UPGRADE = UpstreamRequest("GET", "/", HANDSHAKE, None)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def healthy(_: str) -> None:
    return


@dataclass
class Setup:
    pool: ReplicaPool
    url: str
    server: Server
    opened: list[Front] = field(default_factory=list)

    @property
    def tunnel(self) -> Tunnel:
        assert self.opened[0].tunnel is not None
        return self.opened[0].tunnel

    @asynccontextmanager
    async def connected(self, **options: object) -> AsyncIterator[ClientConnection]:
        async with connect(self.url, proxy=None, close_timeout=2, **options) as connection:  # type: ignore[arg-type]
            await eventually(lambda: bool(self.opened))
            yield connection


@asynccontextmanager
async def tunnelled(handler: Handler = echo, **options: object) -> AsyncIterator[Setup]:
    client = LeanClient(connect_timeout_s=1.0, total_timeout_s=5.0)
    async with serve(handler, "127.0.0.1", 0, **options) as server:  # type: ignore[arg-type]
        pool = make_pool(client, url_of(server))
        opened: list[Front] = []
        async with fronting(pool, opened) as url:
            yield Setup(pool, url, server, opened)
        await client.close()


def make_pool(client: LeanClient, *urls: str, max_tunnels: int = 10) -> ReplicaPool:
    metrics = UpstreamMetrics(Metrics("test"))
    return ReplicaPool(
        "asr", urls, client, healthy, metrics, max_in_flight=10, max_tunnels=max_tunnels
    )

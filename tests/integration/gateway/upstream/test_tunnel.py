"""WebSocket connections through a tunnel: a real client, a real server, bytes in between."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from gateway.exceptions import UpstreamUnavailable
from gateway.upstream.lean_client import LeanClient
from gateway.upstream.pool import LeasedResponse, ReplicaPool, UpstreamMetrics
from gateway.upstream.protocol import UpstreamRequest
from gateway.upstream.replica import replica_token
from gateway.upstream.tunnel import Tunnel
from shared.metrics import Metrics
from shared.problem import DeadlineExceeded
from tests.integration.gateway.harness import free_port
from tests.integration.gateway.upstream.raw_server import serving
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


async def until_closed(connection: ClientConnection) -> AsyncIterator[str | bytes]:
    with contextlib.suppress(ConnectionClosed):
        while True:
            yield await connection.recv()


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


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_messages_of_all_sizes_cross_both_ways(compression: str | None) -> None:
    async with (
        tunnelled(subprotocols=["speech"], max_size=None) as setup,
        setup.connected(
            subprotocols=["speech"], compression=compression, max_size=None
        ) as connection,
    ):
        assert connection.subprotocol == "speech"
        assert (len(connection.protocol.extensions) == 1) is (compression is not None)
        for message in ("", "äöü", b"", b"x" * 640, os.urandom(70_000), os.urandom(1_500_000)):
            await connection.send(message)
            assert await connection.recv() == message
        await connection.send([b"fragment", b"ed"])
        assert await connection.recv() == b"fragmented"
        assert await (await connection.ping()) < 5
        tunnel, replica = setup.tunnel, setup.pool.replicas[0]
        assert tunnel.replica == replica.url
        assert (replica.tunnels, replica.in_flight) == (1, 0)
        assert min(tunnel.bytes_in, tunnel.bytes_out) > 1_570_000
        await connection.close()
        await eventually(lambda: replica.tunnels == 0)
        assert tunnel.closed


async def test_what_comes_with_the_handshake_is_not_lost() -> None:
    async def greet(connection: ServerConnection) -> None:
        await connection.send("welcome")
        await connection.wait_closed()

    async with tunnelled(greet) as setup, setup.connected() as connection:
        assert await connection.recv() == "welcome"


async def test_a_refused_handshake_is_an_answer_like_others() -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(HTTPStatus.FORBIDDEN, "not you\n")

    async with tunnelled(process_request=refuse) as setup:
        with pytest.raises(InvalidStatus) as caught:
            await connect(setup.url, proxy=None)
        assert caught.value.response.status_code == 403
        assert caught.value.response.body == b"not you\n"
        replica = setup.pool.replicas[0]
        assert (replica.tunnels, replica.in_flight) == (0, 0)


async def test_a_101_without_upgrade_is_broken() -> None:
    client = LeanClient(connect_timeout_s=1.0, total_timeout_s=5.0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching\r\n\r\n\x81\x00")
        await reader.read()

    async with serving(handle) as url:
        with pytest.raises(UpstreamUnavailable) as caught:
            await make_pool(client, url).open_tunnel(UPGRADE)
        assert caught.value.code == "upstream_broken"
    await client.close()


async def test_the_handshake_has_a_deadline_and_the_tunnel_none() -> None:
    client = LeanClient(connect_timeout_s=1.0, total_timeout_s=5.0)
    loop = asyncio.get_running_loop()

    async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(mute) as url:
        with pytest.raises(DeadlineExceeded):
            await make_pool(client, url).open_tunnel(UPGRADE._replace(deadline=loop.time() + 0.2))
    async with serve(echo, "127.0.0.1", 0) as server:
        deadline = loop.time() + 0.3
        tunnel = await make_pool(client, url_of(server)).open_tunnel(
            UPGRADE._replace(deadline=deadline)
        )
        await eventually(lambda: loop.time() > deadline + 0.3)
        assert isinstance(tunnel, Tunnel)
        assert not tunnel.closed
        await client.close()
        assert tunnel.closed


async def test_tunnels_go_where_they_can_and_are_bounded() -> None:
    client = LeanClient(connect_timeout_s=1.0, total_timeout_s=5.0)
    dead = f"http://127.0.0.1:{free_port()}"
    async with serve(echo, "127.0.0.1", 0) as one, serve(echo, "127.0.0.1", 0) as two:
        pool = make_pool(client, dead, url_of(one))
        made = [await pool.open_tunnel(UPGRADE) for _ in range(4)]
        assert {tunnel.replica for tunnel in made} == {url_of(one)}
        pool = make_pool(client, url_of(one), url_of(two), max_tunnels=2)
        for _ in range(4):
            await pool.open_tunnel(UPGRADE)
        assert [replica.tunnels for replica in pool.replicas] == [2, 2]
        with pytest.raises(UpstreamUnavailable) as caught:
            await pool.open_tunnel(UPGRADE)
        assert caught.value.code == "upstream_saturated"
        pool = make_pool(client, url_of(one), url_of(two))
        for server in (one, two, two):
            token = replica_token(url_of(server))
            there = await pool.open_tunnel(UPGRADE._replace(affinity=token))
            assert there.replica == url_of(server)
        with pytest.raises(UpstreamUnavailable) as caught:
            await pool.open_tunnel(UPGRADE._replace(affinity=replica_token(dead)))
        assert caught.value.code == "session_lost"
        await client.close()
        assert all(replica.tunnels == 0 for replica in pool.replicas)


async def test_a_slow_client_holds_the_service_back() -> None:
    sent = 0

    async def flood(connection: ServerConnection) -> None:
        nonlocal sent
        for _ in range(600):
            await connection.send(bytes(65536))
            sent += 1

    async with tunnelled(flood, compression=None) as setup, setup.connected() as connection:
        before = -1

        def stalled() -> bool:
            nonlocal before
            same, before = sent == before and sent > 0, sent
            return same

        await eventually(stalled)
        assert sent < 500
        for _ in range(600):
            assert len(await connection.recv()) == 65536


async def test_a_slow_service_holds_the_client_back() -> None:
    go_on, received = asyncio.Event(), 0

    async def lazy(connection: ServerConnection) -> None:
        nonlocal received
        await go_on.wait()
        async for _ in connection:
            received += 1

    async with tunnelled(lazy, compression=None) as setup, setup.connected() as connection:

        async def flood() -> None:
            for _ in range(600):
                await connection.send(bytes(65536))

        task = asyncio.create_task(flood())
        await eventually(lambda: setup.opened[0].pauses > 0)
        assert not task.done()
        go_on.set()
        await task
        await eventually(lambda: received == 600)


@pytest.mark.parametrize("size", [0, 20, 200_000, 3_000_000])
async def test_a_drain_closes_the_client_between_two_frames(size: int) -> None:
    """Whatever is under way; size 0: nothing is."""
    ended = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        try:
            if size:
                while True:
                    await connection.send(bytes(size))
            await connection.wait_closed()
        except ConnectionClosed:
            pass
        finally:
            ended.set()

    async with (
        tunnelled(talk, max_size=None) as setup,
        setup.connected(max_size=None, compression=None) as connection,
    ):
        if size:
            await connection.recv()
        setup.tunnel.inject_close()
        setup.tunnel.inject_close()
        async for message in until_closed(connection):
            assert len(message) == size
        assert connection.close_code == CloseCode.SERVICE_RESTART
        await asyncio.wait_for(ended.wait(), 5)
        await eventually(lambda: setup.tunnel.closed)


async def test_a_drain_adds_nothing_to_a_close_of_the_service() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1001)

    async with tunnelled(leave) as setup, setup.connected() as connection:
        await connection.send("go")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        setup.tunnel.inject_close()
        assert connection.close_code == 1001


async def test_each_side_learns_that_the_other_is_gone() -> None:
    closed = asyncio.Event()

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()
        closed.set()

    async with tunnelled(wait) as setup:
        async with setup.connected() as connection:
            connection.transport.abort()
            await asyncio.wait_for(closed.wait(), 5)
        setup.opened.clear()
        async with setup.connected() as connection:
            for served in setup.server.connections:
                served.transport.abort()
            with pytest.raises(ConnectionClosed):
                await connection.recv()


async def test_a_hook_may_end_a_tunnel_that_is_idle() -> None:
    def end_idle(tunnel: Tunnel, now: float) -> None:
        if now - tunnel.active_at > 0.3:
            tunnel.inject_close(1001)

    async with tunnelled() as setup, setup.connected() as connection:
        loop = asyncio.get_running_loop()
        setup.tunnel.hook = end_idle
        started = loop.time()
        for _ in range(10):
            await connection.send("x")
            await connection.recv()
            await asyncio.sleep(0.06)
        with pytest.raises(ConnectionClosed) as caught:
            await connection.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
        assert loop.time() - started > 0.6


async def test_a_tunnel_that_nobody_wants_can_be_closed_unattached() -> None:
    client = LeanClient(connect_timeout_s=1.0, total_timeout_s=5.0)
    async with serve(echo, "127.0.0.1", 0) as server:
        pool = make_pool(client, url_of(server))
        tunnel = await pool.open_tunnel(UPGRADE)
        assert not isinstance(tunnel, LeasedResponse)
        tunnel.close()
        await eventually(lambda: pool.replicas[0].tunnels == 0)
        await client.close()

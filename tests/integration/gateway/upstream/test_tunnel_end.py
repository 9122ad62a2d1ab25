"""How a tunnel ends: by a drain, a hook, either side, or before anybody wanted it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from gateway.upstream.lean_client import LeanClient
from gateway.upstream.leased import LeasedResponse
from gateway.upstream.tunnel import Tunnel
from tests.integration.gateway.upstream.tunnel_setup import (
    UPGRADE,
    echo,
    make_pool,
    tunnelled,
    url_of,
)
from tests.support.poll import eventually


async def until_closed(connection: ClientConnection) -> AsyncIterator[str | bytes]:
    with contextlib.suppress(ConnectionClosed):
        while True:
            yield await connection.recv()


@pytest.mark.parametrize("size", [0, 20, 200_000, 3_000_000])
async def test_a_drain_closes_the_client_between_two_frames(size: int) -> None:
    """Whatever is under way; size 0: nothing is."""
    ended = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        try:
            if size:
                while True:
                    await connection.send(bytes(size))
                    await asyncio.sleep(0)  # The client shares this loop, and has to read as well.
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

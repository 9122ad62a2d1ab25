"""What crosses a tunnel: messages of all sizes, no faster than the slower side takes them."""

import asyncio
import os

import pytest
from websockets.asyncio.server import ServerConnection

from tests.integration.gateway.upstream.tunnel_setup import tunnelled
from tests.support.poll import eventually


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

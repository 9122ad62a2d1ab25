"""Tunnels that are opened or refused: the handshake, its deadline, and the replica."""

import asyncio
from http import HTTPStatus

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response

from gateway.exceptions import UpstreamUnavailable
from gateway.upstream.lean_client import LeanClient
from gateway.upstream.replica import replica_token
from gateway.upstream.tunnel import Tunnel
from shared.problem import DeadlineExceeded
from tests.integration.gateway.harness import free_port
from tests.integration.gateway.upstream.raw_server import serving
from tests.integration.gateway.upstream.tunnel_setup import (
    UPGRADE,
    echo,
    make_pool,
    tunnelled,
    url_of,
)
from tests.support.poll import eventually


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

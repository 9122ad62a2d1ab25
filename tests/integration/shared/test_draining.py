"""What a server does with its connections after SIGTERM: none meets a closed one unheard."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import cast

import pytest
import uvicorn
from fastapi import FastAPI

from shared.draining import stop_listening
from shared.health import Health
from shared.server import _Server, bound
from shared.settings import CommonSettings
from tests.support.poll import eventually

REQUEST = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Running:
    """A server in this process, and what tells it to end."""

    def __init__(self, linger_s: float, sockets: list[socket.socket] | None = None) -> None:
        app = FastAPI()
        app.state.health = Health("1")
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

        @app.get("/slow")
        async def slow() -> str:
            self.begun.set()
            await self.go_on.wait()
            return "answered"

        config = uvicorn.Config(
            app, port=0, http="httptools", ws="none", log_config=None, timeout_graceful_shutdown=5
        )
        self.server = _Server(config, app, linger_s)
        self.task = asyncio.create_task(self.server.serve(sockets))

    async def port(self) -> int:
        await eventually(lambda: self.server.started)
        return cast("int", self.server.servers[0].sockets[0].getsockname()[1])


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    found = Running(linger_s=1.0)
    yield found
    found.go_on.set()
    found.server.should_exit = True
    await found.task


async def connected(port: int) -> Stream:
    return await asyncio.open_connection("127.0.0.1", port)


async def answer_of(stream: Stream) -> bytes:
    """A whole answer; then nothing may follow."""
    async with asyncio.timeout(5):
        return await stream[0].read()


async def refused(port: int) -> None:
    """Waits until nobody listens any more."""
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await connected(port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.01)


async def test_a_request_on_an_idle_connection_is_answered(running: Running) -> None:
    port = await running.port()
    running.go_on.set()
    stream = await connected(port)
    stream[1].write(REQUEST)
    await stream[0].readuntil(b'"answered"')  # Its connection is an idle one from here on.

    running.server.should_exit = True
    await refused(port)
    stream[1].write(REQUEST)

    answer = await answer_of(stream)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer
    stream[1].close()


async def test_the_answer_to_what_is_in_flight_is_the_last_of_its_connection(
    running: Running,
) -> None:
    port = await running.port()
    stream = await connected(port)
    stream[1].write(REQUEST)
    await running.begun.wait()

    running.server.should_exit = True
    await refused(port)
    running.go_on.set()

    assert b"connection: close" in await answer_of(stream)
    stream[1].close()


async def test_connections_that_only_the_kernel_has_taken_are_served(running: Running) -> None:
    port = await running.port()
    running.go_on.set()
    # No turn of the loop in between: the server cannot have taken them.
    clients = []
    for _ in range(5):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(REQUEST)
        client.settimeout(0)
        clients.append(client)
    await stop_listening(running.server.servers, running.server._protocol)

    for client in clients:
        stream = await asyncio.open_connection(sock=client)
        assert (await stream[0].readuntil(b'"answered"')).startswith(b"HTTP/1.1 200")
        stream[1].close()


async def test_without_connections_nothing_is_waited_for(running: Running) -> None:
    await running.port()
    running.server.should_exit = True
    async with asyncio.timeout(0.8):
        await running.task


async def test_idle_connections_are_closed_in_the_end(running: Running) -> None:
    stream = await connected(await running.port())
    running.server.should_exit = True
    assert await answer_of(stream) == b""
    stream[1].close()


async def test_two_processes_share_a_port_and_one_leaves() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = CommonSettings(
        port=port, reuse_port=True, database_url="sqlite+aiosqlite://", host="127.0.0.1"
    )
    first, second = Running(0.2, bound(settings)), Running(0.2, bound(settings))
    for one in (first, second):
        assert await one.port() == port
        one.go_on.set()

    first.server.should_exit = True
    await first.task

    for _ in range(10):
        stream = await connected(port)
        stream[1].write(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert (await answer_of(stream)).startswith(b"HTTP/1.1 200")
        stream[1].close()
    assert not first.begun.is_set()
    second.server.should_exit = True
    await second.task

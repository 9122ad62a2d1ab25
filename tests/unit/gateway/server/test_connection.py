"""The life of a connection: clients that stall or leave, upgrades, shutdown, the bound."""

import asyncio
import gc
import weakref
from dataclasses import replace
from typing import cast

from gateway.server.connection import HttpConnection
from gateway.server.request import Request
from tests.support.poll import eventually
from tests.unit.gateway.server.http_server import LIMITS, answer, echo, request_bytes, serving


async def test_a_client_that_reads_nothing_is_dropped() -> None:
    lost = asyncio.Event()

    async def flood(request: Request) -> None:
        request.start(200, [], framed=False)
        try:
            while True:
                request.write(b"x" * 100_000)
                await request.channel.drain()
        finally:
            lost.set()

    async with serving(flood) as server:
        _, writer = await server.connect()
        writer.transport.pause_reading()
        writer.write(request_bytes())
        async with asyncio.timeout(10):
            await lost.wait()
        await eventually(lambda: not server.service.connections)
        writer.transport.abort()


async def test_a_client_that_leaves_cancels_the_work() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def work(_: Request) -> None:
        began.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(work) as server:
        _, writer = await server.connect()
        writer.write(request_bytes())
        async with asyncio.timeout(5):
            await began.wait()
            writer.close()
            await cancelled.wait()


async def test_a_closed_connection_waits_for_no_garbage_collector() -> None:
    async with serving(echo) as server:
        gc.disable()
        try:
            _, writer = await server.connect()
            writer.write(request_bytes())
            await eventually(lambda: bool(server.service.connections))
            seen = weakref.ref(next(iter(server.service.connections)))
            writer.close()
            await eventually(lambda: seen() is None)
        finally:
            gc.enable()


async def test_a_connection_left_before_its_answer_waits_for_none_either() -> None:
    began = asyncio.Event()
    connections: list[weakref.ref[object]] = []

    async def work(request: Request) -> None:
        await request.body.arrive()
        connections.append(weakref.ref(request.channel))
        began.set()
        await asyncio.sleep(30)

    async with serving(work) as server:
        gc.disable()
        try:
            _, writer = await server.connect()
            writer.write(request_bytes())
            await began.wait()
            writer.transport.abort()
            await eventually(lambda: connections[0]() is None)
        finally:
            gc.enable()


async def test_early_bytes_after_an_upgrade_reach_the_new_protocol() -> None:
    got: list[bytes] = []

    class Passenger:
        def received(self, data: bytes) -> None:
            got.append(data)

        def lost(self) -> None:
            got.append(b"lost")

        def slow_down(self) -> None: ...

        def go_on(self) -> None: ...

        def drain(self) -> None: ...

        def check(self, now: float) -> None: ...

    async def upgrade(request: Request) -> None:
        assert request.upgrades
        await asyncio.sleep(0.02)
        request.start(101, [(b"upgrade", b"x")], framed=True)
        cast("HttpConnection", request.channel).take_over(Passenger())

    async with serving(upgrade) as server:
        reader, writer = await server.connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nearly")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"later")
        await eventually(lambda: b"".join(got) == b"earlylater")
        writer.close()
        await eventually(lambda: got[-1] == b"lost")


async def test_shutdown_lets_what_is_in_flight_finish() -> None:
    release = asyncio.Event()

    async def wait(request: Request) -> None:
        await release.wait()
        answer(request, b"done")

    async with serving(wait) as server:
        _, idle = await server.connect()
        reader, writer = await server.connect()
        writer.write(request_bytes())
        await eventually(lambda: len(server.service.connections) == 2)
        await asyncio.sleep(0)
        await eventually(
            lambda: any(c._answering for c in server.service.connections)  # type: ignore[attr-defined]
        )
        for connection in list(server.service.connections):
            cast("HttpConnection", connection).shutdown()
        await eventually(lambda: len(server.service.connections) == 1)
        assert len(server.state.tasks) == 1
        release.set()
        found = await reader.read()
        assert found.endswith(b"done")
        assert b"connection: close" in found
        writer.close()
        idle.close()


async def test_no_more_connections_than_allowed() -> None:
    async with serving(echo, replace(LIMITS, max_connections=3, head_timeout_s=30)) as server:
        open_ones = [await server.connect() for _ in range(3)]
        await eventually(lambda: len(server.service.connections) == 3)
        assert await server.exchange() == b""
        for _, writer in open_ones:
            writer.close()

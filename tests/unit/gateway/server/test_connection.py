"""The HTTP server alone, over real sockets, with short deadlines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from gateway.proxy.refusal import refuse
from gateway.server.connection import HttpConnection, HttpService
from gateway.server.limits import ConnectionLimits
from gateway.server.request import Request
from gateway.server.sweeper import Sweeper
from shared.problem import SpeechgateError
from tests.support.poll import eventually

LIMITS = ConnectionLimits(
    max_head_bytes=2_000,
    head_timeout_s=0.3,
    idle_timeout_s=30.0,
    receive_timeout_s=0.3,
    body_grace_s=0.3,
    min_body_rate=1_000,
    send_timeout_s=0.5,
    linger_s=0.3,
)
Handler = Callable[[Request], Coroutine[Any, Any, None]]


async def echo(request: Request) -> None:
    """The target and the body, back."""
    declare(request)
    parts = [request.target, b" "]
    while part := await request.body.read():
        parts.append(part)
    answer(request, b"".join(parts))


def declare(request: Request) -> None:
    fields = dict(request.headers)
    length = fields.get(b"content-length")
    request.body.declare(int(length) if length else None, fields.get(b"expect"))


def answer(request: Request, body: bytes, status: int = 200) -> None:
    request.respond(status, [(b"content-length", b"%d" % len(body))], body)


@dataclass
class Server:
    port: int
    service: HttpService
    state: ServerState

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)

    async def exchange(self, *requests: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(10):
                for request in requests:
                    writer.write(request)
                    await writer.drain()
                return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def serving(handler: Handler, limits: ConnectionLimits = LIMITS) -> AsyncIterator[Server]:
    service, state = HttpService(handler, refuse, limits), ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: HttpConnection(cast("Config", None), state, {"http": service}), "127.0.0.1", 0
    )
    sweeper = Sweeper(service.connections)
    sweeper.start()
    try:
        yield Server(server.sockets[0].getsockname()[1], service, state)
    finally:
        sweeper.stop()
        server.close()
        for connection in list(service.connections):
            connection.abort()
        await eventually(lambda: not service.connections)


def request_bytes(target: str = "/a", body: bytes = b"", *lines: str) -> bytes:
    head = [f"POST {target} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


CLOSE = "Connection: close"


async def test_requests_one_after_another_on_one_connection() -> None:
    async with serving(echo) as server:
        found = await server.exchange(
            request_bytes("/1", b"one"), request_bytes("/2"), request_bytes("/3", b"x", CLOSE)
        )
    assert [part.rpartition(b"\r\n\r\n")[2] for part in found.split(b"HTTP/1.1 200 OK")[1:]] == [
        b"/1 one",
        b"/2 ",
        b"/3 x",
    ]


async def test_pipelined_requests_are_answered_in_order() -> None:
    async def slow_first(request: Request) -> None:
        if request.target == b"/0":
            await asyncio.sleep(0.05)
        await echo(request)

    requests = [request_bytes(f"/{n}", b"b" * n) for n in range(50)]
    async with serving(slow_first) as server:
        found = await server.exchange(b"".join(requests) + request_bytes("/end", b"", CLOSE))
    targets = [part.rpartition(b"\r\n\r\n")[2].split()[0] for part in found.split(b"HTTP/1.1")[1:]]
    assert targets == [b"/%d" % n for n in range(50)] + [b"/end"]


async def test_a_body_in_single_bytes_and_in_chunks() -> None:
    async with serving(echo) as server:
        reader, writer = await server.connect()
        for byte in request_bytes("/a", b"hello", CLOSE):
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await reader.read()).endswith(b"/a hello")
        writer.close()
        chunked = (
            b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
            b"\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"
        )
        assert (await server.exchange(chunked)).endswith(b"/c abcde")


async def test_an_unframed_answer_is_chunked_or_ends_the_connection() -> None:
    async def stream(request: Request) -> None:
        request.start(200, [], framed=False)
        request.write(b"one")
        request.write(b"two")
        request.finish()

    async with serving(stream) as server:
        found = await server.exchange(request_bytes("/a", b"", CLOSE))
        assert b"transfer-encoding: chunked" in found
        assert found.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        found = await server.exchange(b"GET / HTTP/1.0\r\n\r\n")
        assert found.endswith(b"connection: close\r\n\r\nonetwo")


async def test_head_and_204_have_no_body() -> None:
    async def handler(request: Request) -> None:
        answer(request, b"body", 200 if request.method == "HEAD" else 204)

    async with serving(handler) as server:
        found = await server.exchange(
            b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", request_bytes("/", b"", CLOSE)
        )
    assert b"body" not in found
    assert found.count(b"HTTP/1.1 20") == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
    ],
)
async def test_what_is_no_request_is_400_and_the_end(raw: bytes) -> None:
    async with serving(echo) as server:
        found = await server.exchange(raw)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in found
    assert found.count(b"HTTP/1.1 4") == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /" + b"a" * 3_000,
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 400,
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 120 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: " + b"a" * 3_000 + b"\r\n\r\n",
    ],
)
async def test_a_head_over_its_bound_is_431(raw: bytes) -> None:
    async with serving(echo) as server:
        found = await server.exchange(raw)
    assert found.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "])
async def test_a_head_that_does_not_come_ends_the_connection(sent: bytes) -> None:
    async with serving(echo) as server:
        found = await server.exchange(sent)
        assert found.startswith(b"HTTP/1.1 408 ") if sent else found == b""
        await eventually(lambda: not server.service.connections)


async def test_a_head_one_byte_at_a_time_ends_at_its_deadline() -> None:
    async with serving(echo) as server:
        reader, writer = await server.connect()
        ended = asyncio.create_task(reader.read())
        for byte in b"GET / HTTP/1.1\r\nHost: " + b"a" * 200:
            if ended.done():
                break
            writer.write(bytes([byte]))
            await asyncio.wait({ended}, timeout=0.05)
        assert ended.done()
        assert ended.result().startswith(b"HTTP/1.1 408 ")
        writer.close()


async def refusing_late_bodies(request: Request) -> None:
    try:
        await echo(request)
    except SpeechgateError as error:
        refuse(request, error)


async def test_a_silent_body_is_408() -> None:
    async with serving(refusing_late_bodies) as server:
        found = await server.exchange(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in found


async def test_a_slow_body_is_408_although_it_is_never_silent() -> None:
    async with serving(refusing_late_bodies) as server:
        reader, writer = await server.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n")
        ended = asyncio.create_task(reader.read())
        for _ in range(100):
            if ended.done():
                break
            writer.write(b"x")
            await asyncio.wait({ended}, timeout=0.05)
        assert ended.done()
        assert ended.result().startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_body_is_held_back_while_nobody_takes_it() -> None:
    size, taken = 20_000_000, asyncio.Event()
    seen: list[Request] = []

    async def late(request: Request) -> None:
        seen.append(request)
        await taken.wait()
        total = 0
        while part := await request.body.read():
            total += len(part)
        answer(request, b"%d" % total)

    async with serving(late) as server:
        reader, writer = await server.connect()
        writer.write(request_bytes("/", b"", CLOSE).replace(b": 0\r\n", b": %d\r\n" % size))
        sending = asyncio.create_task(_send(writer, size))
        await eventually(lambda: bool(seen) and seen[0].body.buffered > 200_000)
        # Longer than the deadlines of a body: the gateway, not the client, holds it back.
        await asyncio.wait({sending}, timeout=1.2)
        assert not sending.done()
        assert seen[0].body.buffered < 2_000_000
        taken.set()
        await sending
        assert (await reader.read()).endswith(b"%d" % size)
        writer.close()


async def _send(writer: asyncio.StreamWriter, size: int) -> None:
    for _ in range(size // 100_000):
        writer.write(b"x" * 100_000)
        await writer.drain()


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


async def test_expect_continue_is_answered_when_the_body_is_wanted() -> None:
    async with serving(echo) as server:
        reader, writer = await server.connect()
        head, _, body = request_bytes("/", b"hello", "Expect: 100-continue", CLOSE).partition(
            b"\r\n\r\n"
        )
        writer.write(head + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.read()).endswith(b"/ hello")
        writer.close()


async def test_a_refused_expectation_sends_no_continue_and_closes() -> None:
    async def no(request: Request) -> None:
        declare(request)
        answer(request, b"no", 403)

    async with serving(no) as server:
        head = request_bytes("/", b"hello", "Expect: 100-continue").partition(b"\r\n\r\n")[0]
        found = await server.exchange(head + b"\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 403 ")
    assert b"connection: close" in found


async def test_a_small_unread_body_keeps_the_connection_and_a_large_one_lets_the_answer_out() -> (
    None
):
    async def no(request: Request) -> None:
        declare(request)
        answer(request, b"no", 403)

    async with serving(no) as server:
        found = await server.exchange(
            request_bytes("/1", b"x" * 1_000), request_bytes("/2", b"", CLOSE)
        )
        assert found.count(b"HTTP/1.1 403 ") == 2
        reader, writer = await server.connect()
        writer.write(request_bytes("/", b"x" * 5_000_000))
        await writer.drain()
        found = await reader.read()
        assert b"connection: close" in found
        writer.close()


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

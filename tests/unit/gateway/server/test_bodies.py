"""Bodies that come late, are held back, are asked for, or stay unread."""

import asyncio

from gateway.proxy.refusal import refuse
from gateway.server.request import Request
from shared.problem import SpeechgateError
from tests.support.poll import eventually
from tests.unit.gateway.server.http_server import (
    CLOSE,
    answer,
    declare,
    echo,
    request_bytes,
    serving,
)


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

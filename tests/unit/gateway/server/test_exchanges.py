"""Requests and their answers on one connection: order, framing, and what has no body."""

import asyncio

from gateway.server.request import Request
from tests.unit.gateway.server.http_server import CLOSE, answer, echo, request_bytes, serving


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

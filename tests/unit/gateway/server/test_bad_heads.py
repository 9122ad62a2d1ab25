"""Heads that are wrong, too large or too slow."""

import asyncio

import pytest

from tests.support.poll import eventually
from tests.unit.gateway.server.http_server import echo, serving


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

"""Uploads by the client: answered early, held back, or given up."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.upstream.lean_client import LeanClient
from tests.integration.gateway.upstream.client_calls import OK, ask, idle, stream, whole
from tests.integration.gateway.upstream.raw_server import Body, receive, request, serving
from tests.support.poll import eventually


async def test_an_early_answer_ends_the_upload_and_the_connection(client: LeanClient) -> None:
    waiting = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        waiting.set()
        await asyncio.sleep(30)
        yield b""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1000)
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await reader.read()

    async with serving(handle) as url:
        headers = ((b"content-length", b"5000"),)
        answer = await client.send(url, request("POST", "/", headers, Body(slow())))
        assert (answer.status, await whole(answer)) == (413, b"big")
        assert waiting.is_set()
        origin = client._origins[url]
        await eventually(lambda: origin.opened == 0)


async def test_an_early_answer_to_a_body_at_hand_drops_the_connection(client: LeanClient) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(5)

    async with serving(handle) as url:
        answer = await client.send(url, request("POST", "/", (), Body(bytes(20_000_000))))
        assert answer.status == 413
        await whole(answer)
        origin = client._origins[url]
        await eventually(lambda: origin.opened == 0)


async def test_a_slow_service_holds_the_upload_back(client: LeanClient) -> None:
    taken = 0
    go_on = asyncio.Event()

    async def many() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(400):
            taken += 65536
            yield bytes(65536)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(400 * 65536)
        writer.write(OK)
        await receive(reader)

    async with serving(handle) as url:
        headers = ((b"content-length", b"%d" % (400 * 65536)),)
        task = asyncio.create_task(ask(client, url, request("POST", "/", headers, Body(many()))))
        before = -1

        def stalled() -> bool:
            nonlocal before
            same, before = before == taken and taken > 0, taken
            return same

        await eventually(stalled)
        assert taken < 300 * 65536
        go_on.set()
        assert await task == b"ok"
        assert idle(client, url) == 1


async def test_the_clients_own_failure_is_told_as_it_is(client: LeanClient) -> None:
    class Left(Exception):
        pass

    async def leaving() -> AsyncIterator[bytes]:
        yield b"x"
        raise Left

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(handle) as url:
        with pytest.raises(Left):
            await ask(client, url, request("POST", body=Body(leaving())))
        for length in (b"1", b"3"):
            headers = ((b"content-length", length),)
            with pytest.raises(ValueError, match="the body is"):
                await ask(client, url, request("POST", "/", headers, Body(stream(b"ab"))))
        with pytest.raises(ValueError, match="the body is"):
            await ask(client, url, request("POST", "/", headers, Body(b"ab")))

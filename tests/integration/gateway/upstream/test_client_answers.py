"""Answers byte for byte: which are whole, and which are broken."""

import asyncio

import pytest

from gateway.upstream.lean_client import LeanClient
from gateway.upstream.protocol import UpstreamBroken
from tests.integration.gateway.upstream.client_calls import HEAD, OK, ask, idle, whole
from tests.integration.gateway.upstream.raw_server import Script, receive, request, serving
from tests.support.poll import eventually


async def test_head_has_a_length_and_no_body(client: LeanClient) -> None:
    script = Script(HEAD + b"content-length: 5\r\n\r\n", OK)
    async with serving(script) as url:
        answer = await client.send(url, request("HEAD"))
        assert (b"content-length", b"5") in answer.headers
        assert await whole(answer) == b""
        assert await ask(client, url) == b"ok"
    assert script.connections == 1


WHOLE = {
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", b"", True),
    "empty": (HEAD + b"content-length: 0\r\n\r\n", b"", True),
    "informational": (
        b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 100 C\r\n\r\n" + OK,
        b"ok",
        True,
    ),
    "chunked": (
        HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        b"abcde",
        True,
    ),
    "trailers": (
        HEAD + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n",
        b"abc",
        True,
    ),
    "close": (HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\nok", b"ok", False),
    "http/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok", False),
    "stray bytes": (OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", b"ok", False),
    "a part of a second answer": (OK + b"HT", b"ok", False),
    "rubbish behind it": (OK + b"\x00\x01", b"ok", False),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_whole_answers(client: LeanClient, name: str) -> None:
    sent, body, kept = WHOLE[name]
    script = Script(sent, OK)
    async with serving(script) as url:
        answer = await client.send(url, request())
        assert await whole(answer) == body
        assert all(name != b"x-sum" for name, _ in answer.headers)
        # What came too much is never taken for the answer to the next request.
        assert await ask(client, url) == b"ok"
    assert script.connections == (1 if kept else 2)


@pytest.mark.parametrize("name", [name for name, (_, _, kept) in WHOLE.items() if kept])
async def test_answers_that_arrive_byte_by_byte(client: LeanClient, name: str) -> None:
    sent, body, _ = WHOLE[name]
    script = Script([sent[at : at + 1] for at in range(len(sent))], OK)
    async with serving(script) as url:
        assert await ask(client, url) == body
        assert await ask(client, url) == b"ok"
    assert script.connections == 1


async def test_an_answer_may_end_with_its_connection(client: LeanClient) -> None:
    script = Script([HEAD + b"\r\n", b"abc", b"def"], close=True)
    async with serving(script) as url:
        assert await ask(client, url) == b"abcdef"
        assert await ask(client, url) == b"abcdef"
    assert script.connections == 2


BROKEN = {
    "nothing": b"",
    "rubbish": b"SSH-2.0-OpenSSH\r\n",
    "half a head": HEAD + b"content-le",
    "half a body": HEAD + b"content-length: 9\r\n\r\nok",
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab",
    "no last chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
    "two framings": HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\nabc",
    "negative length": HEAD + b"content-length: -2\r\n\r\nab",
    "signed length": HEAD + b"content-length: +2\r\n\r\nab",
    "hexadecimal length": HEAD + b"content-length: 0x2\r\n\r\nab",
    "list of lengths": HEAD + b"content-length: 2, 2\r\n\r\nab",
    "endless length": HEAD + b"content-length: 99999999999999999999999\r\n\r\nab",
    "chunked twice": HEAD + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "gzip, chunked": HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "not chunked last": HEAD + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "bad chunk size": HEAD + b"transfer-encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
    "folded field": HEAD + b"a: b\r\n c\r\ncontent-length: 0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "large head": HEAD + b"".join(b"x-%d: %s\r\n" % (n, b"a" * 900) for n in range(80)) + b"\r\n",
    "large field": HEAD + b"x: " + b"a" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",
    "informational for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
    "switched unasked": b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nabc",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_answers_are_never_taken_for_whole_ones(client: LeanClient, name: str) -> None:
    async with serving(Script(BROKEN[name], close=True)) as url:
        with pytest.raises(UpstreamBroken):
            await ask(client, url)
        assert idle(client, url) == 0


async def test_endless_trailers_are_cut_off(client: LeanClient) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receive(reader)
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: ")
        while True:
            writer.write(b"a" * 10_000)
            await writer.drain()

    async with serving(handle) as url:
        with pytest.raises(UpstreamBroken):
            await ask(client, url)


async def test_bytes_on_an_idle_connection_are_nobodys_answer(client: LeanClient) -> None:
    more = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receive(reader)
        writer.write(OK)
        await more.wait()
        writer.write(HEAD + b"content-length: 4\r\n\r\nevil")
        await receive(reader)

    async with serving(handle) as url:
        assert await ask(client, url) == b"ok"
        assert idle(client, url) == 1
        more.set()
        await eventually(lambda: idle(client, url) == 0)

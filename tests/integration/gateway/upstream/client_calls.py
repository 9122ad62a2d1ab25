"""Requests by the client of the services, and what its tests look at."""

from collections.abc import AsyncIterator

from gateway.upstream.answer import Answer
from gateway.upstream.lean_client import LeanClient
from gateway.upstream.protocol import UpstreamRequest
from tests.integration.gateway.upstream.raw_server import request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"


async def whole(answer: Answer) -> bytes:
    part, more = answer.take()
    parts = [part]
    while more:
        part, more = await answer.read()
        parts.append(part)
    answer.close()
    return b"".join(parts)


async def ask(client: LeanClient, url: str, asked: UpstreamRequest | None = None) -> bytes:
    return await whole(await client.send(url, asked or request()))


def idle(client: LeanClient, url: str) -> int:
    return len(client._origins[url].idle)


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part

"""Real local servers and lying resolvers for the guarded fetch."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from shared.ssrf import (
    FetchPolicy,
    GuardedFetcher,
    parse_allowed,
)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOOPBACK = parse_allowed(["127.0.0.0/8"])[0]


def reply(body: bytes, status: str = "200 OK", *extra: str) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *extra, "", ""]
        writer.write("\r\n".join(head).encode() + body)
        await writer.drain()

    return answer


requests: list[bytes] = []


@asynccontextmanager
async def server(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback; yields its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def resolver(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        resolved.append(_host)
        return addresses

    return resolve


resolved: list[str] = []


@asynccontextmanager
async def fetcher(
    *ports: int, addresses: Sequence[str] = ("127.0.0.1",), **options: Any
) -> AsyncIterator[GuardedFetcher]:
    """A fetcher that may reach loopback, unless told otherwise."""
    context = options.pop("ssl_context", None)
    settings = {"max_bytes": 1000, "allow_http": True, "networks": LOOPBACK, **options}
    policy = FetchPolicy(ports=frozenset({80, 443, *ports}), **settings)
    made = GuardedFetcher(policy, resolver=resolver(*addresses), ssl_context=context)
    try:
        yield made
    finally:
        await made.close()

"""A gateway before a scripted service, and clients that keep their connections."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httptools
import httpx

from tests.integration.gateway.harness import ASR, Installation, Program, metric, scrape
from tests.integration.gateway.scripted_upstream import ScriptedUpstream

VARYING = re.compile(rb"[0-9a-f]{16,32}|t=\d+|r=\d+")
_MANY = 25  # Good answers after which a replica's failures are forgotten.


@dataclass
class Outcome:
    """What a client sees, without what differs from request to request."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    open: bool = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if name != b"date":
            self.headers.append((name, VARYING.sub(b"*", value)))

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    key: str

    def request(self, body: bytes = b"hello", *lines: str) -> bytes:
        fields = ("Host: a", f"Authorization: Bearer {self.key}", *lines)
        head = "\r\n".join((f"POST {ASR} HTTP/1.1", *fields, f"Content-Length: {len(body)}"))
        return head.encode() + b"\r\n\r\n" + body

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def read(self) -> Outcome:
        found = Outcome()
        parser = httptools.HttpResponseParser(found)
        async with asyncio.timeout(10):
            while not found.complete:
                data = await self.reader.read(1)
                if not data:
                    found.open = False
                    break
                # One byte at a time: answers to what was pipelined stay apart.
                parser.feed_data(data)
                found.status = parser.get_status_code()
        found.body = VARYING.sub(b"*", found.body)
        return found

    async def ask(self, body: bytes = b"hello", *lines: str) -> Outcome:
        await self.send(self.request(body, *lines))
        return await self.read()


@dataclass
class World:
    """A gateway before a scripted service."""

    installation: Installation
    gateway: Program
    upstream: ScriptedUpstream
    flags: Path

    @asynccontextmanager
    async def client(
        self, key: str | None = None, address: str = "127.0.0.1"
    ) -> AsyncIterator[Client]:
        key = key or (await self.installation.create_key())[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.gateway.port, local_addr=(address, 0)
        )
        try:
            yield Client(reader, writer, key)
        finally:
            writer.close()

    async def count(self, name: str, **labels: str) -> float:
        async with httpx.AsyncClient(base_url=self.gateway.url, trust_env=False) as scraper:
            return metric(await scrape(scraper), name, **labels)

    async def repeated(self) -> tuple[float, float]:
        name = "speechgate_repeated_requests_total"
        return await self.count(name, end="answered"), await self.count(name, end="handed_over")

    async def calm(self) -> None:
        """Let earlier failures of the service be forgotten."""
        self.upstream.scripts.clear()
        async with self.client() as client:
            for _ in range(_MANY):
                await client.ask()
            assert (await client.ask()).status == 200
        del self.upstream.received[:]

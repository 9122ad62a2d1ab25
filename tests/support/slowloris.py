"""Clients that open connections and then take their time (slow loris).

`python -m tests.support.slowloris PORT [--connections N] [--seconds S] [--key KEY]` prints what
became of them as JSON. Some send the head of a request a byte at a time, some a body, some nothing.
"""

import argparse
import asyncio
import json
import resource
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import cast

import uvloop

HOST = "127.0.0.1"
# Below the 28,000 ports that one source address has towards one destination.
_PER_ADDRESS = 10_000
_OPENING_AT_ONCE = 200
_CONNECT_S = 10.0


class Kind(StrEnum):
    """What a client dawdles over."""

    HEAD = "head"
    BODY = "body"
    SILENT = "silent"


@dataclass(frozen=True)
class Summary:
    """What became of the connections of one kind; seconds count from when each was opened.

    Attributes:
        opened: How many were accepted.
        refused: How many were not, or were closed before a second had passed.
        left: How many were open at the end.
        median_s: When the server closed them.
        longest_s: When it closed the last one.
        answers: First lines that came back, and how often.
    """

    opened: int
    refused: int
    left: int
    median_s: float
    longest_s: float
    answers: dict[str, int] = field(default_factory=dict)


class SlowClient(asyncio.Protocol):
    """One connection."""

    def __init__(self, kind: Kind, start: bytes, drip: bytes) -> None:
        self.kind = kind
        self.opened_at = 0.0
        self.closed_at = 0.0
        self.answer = b""
        self._start = start
        self._drip = drip
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        """Whether the server has it still."""
        return bool(self.opened_at) and not self.closed_at

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self.opened_at = time.monotonic()
        if self._start:
            self._transport.write(self._start)

    def data_received(self, data: bytes) -> None:
        self.answer = self.answer or data[:200]

    def connection_lost(self, _: Exception | None) -> None:
        self.closed_at = time.monotonic()

    def drip(self) -> None:
        """Sends the next byte."""
        if self.open and self._drip and self._transport is not None:
            self._transport.write(self._drip)

    def close(self) -> None:
        """Gives up."""
        if self._transport is not None:
            self._transport.abort()


def _scripts(port: int, key: str) -> dict[Kind, tuple[bytes, bytes]]:
    """What each kind sends at once, and then byte by byte."""
    lines = [
        "POST /api/v1/asr/inference HTTP/1.1",
        f"Host: {HOST}:{port}",
        *([f"Authorization: Bearer {key}"] if key else []),
        "Content-Type: application/json",
        "Content-Length: 100000",
    ]
    head = "\r\n".join(lines).encode()
    return {
        Kind.HEAD: (head + b"\r\nX-Slow: ", b"a"),
        Kind.BODY: (head + b"\r\n\r\n{", b" "),
        Kind.SILENT: (b"", b""),
    }


def raise_file_limit(files: int) -> None:
    """Lets this process, and those it starts, have so many open files.

    Raises:
        RuntimeError: The system allows fewer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < files:
        raise RuntimeError(f"needs {files} open files, the limit is {hard}: raise it (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


async def attack(
    port: int,
    *,
    connections: int = 10_000,
    seconds: float = 30.0,
    interval_s: float = 1.0,
    kinds: tuple[Kind, ...] = tuple(Kind),
    key: str = "",
) -> dict[Kind, Summary]:
    """Opens the connections, drips, and returns when all are closed or the time is over."""
    raise_file_limit(connections + 200)
    loop, scripts = asyncio.get_running_loop(), _scripts(port, key)
    clients = [SlowClient(kind, *scripts[kind]) for kind in (kinds * connections)[:connections]]
    gate = asyncio.Semaphore(_OPENING_AT_ONCE)

    async def open_one(number: int, client: SlowClient) -> None:
        source = f"127.0.0.{2 + number // _PER_ADDRESS}"
        async with gate:
            try:
                async with asyncio.timeout(_CONNECT_S):
                    await loop.create_connection(lambda: client, HOST, port, local_addr=(source, 0))
            except (OSError, TimeoutError):
                return

    async def drip() -> None:
        while True:
            await asyncio.sleep(interval_s)
            for client in clients:
                client.drip()

    dripping = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(open_one(n, client) for n, client in enumerate(clients)))
            while any(client.open for client in clients):  # noqa: ASYNC110 - 10,000 events cost more
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    finally:
        dripping.cancel()
    found = {kind: _summary([c for c in clients if c.kind is kind]) for kind in kinds}
    for client in clients:
        client.close()
    return found


def _summary(clients: list[SlowClient]) -> Summary:
    lasted = sorted(c.closed_at - c.opened_at for c in clients if c.opened_at and c.closed_at)
    answers = Counter(c.answer.split(b"\r\n")[0].decode("latin-1") for c in clients)
    refused = sum(not c.opened_at for c in clients) + sum(s < 1.0 for s in lasted)
    return Summary(
        opened=sum(bool(c.opened_at) for c in clients),
        refused=refused,
        left=sum(c.open for c in clients),
        median_s=round(lasted[len(lasted) // 2], 2) if lasted else 0.0,
        longest_s=round(lasted[-1], 2) if lasted else 0.0,
        answers=dict(answers.most_common(5)),
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.slowloris")
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    run = attack(
        options.port, connections=options.connections, seconds=options.seconds, key=options.key
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(run)
    print(json.dumps({kind: asdict(summary) for kind, summary in found.items()}))  # noqa: T201


if __name__ == "__main__":
    main()

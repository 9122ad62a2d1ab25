"""300 connections that dawdle in different ways beside clients that do not."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway.server.limits import ConnectionLimits
from gateway.server.sweeper import INTERVAL_S
from tests.integration.gateway.harness import ASR, Installation, Program, bearer
from tests.support.poll import eventually

OF_EACH_KIND = 38
NORMAL_CLIENTS, NORMAL_PAUSE_S = 4, 0.02
HEAD_S, RECEIVE_S = 3.0, 2.0
GRACE_S = ConnectionLimits().body_grace_s
LINGER_S = ConnectionLimits().linger_s
# What the loops of both sides may be late by on a busy machine.
SLACK_S = 3.0
DRIP_S = 0.3

GET = b"GET /health HTTP/1.1\r\nHost: a\r\n"


@dataclass(frozen=True)
class Kind:
    """A way to be slow.

    Attributes:
        start: Sent at once.
        drip: Sent again and again.
        closed_after_s: When the gateway has to give up on it, and not before.
        answers: Statuses that come before the end.
    """

    name: str
    start: bytes
    drip: bytes
    closed_after_s: float
    answers: Sequence[int]


@dataclass(frozen=True)
class Outcome:
    """What became of a connection."""

    kind: Kind
    answer: bytes
    seconds: float


def post(path: str, *lines: str, length: int = 50_000) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: a", "Content-Type: application/json", *lines]
    return "\r\n".join([*head, f"Content-Length: {length}", "", ""]).encode()


def kinds(key: str) -> list[Kind]:
    inference = post(ASR, f"Authorization: Bearer {key}")
    return [
        Kind("says nothing", b"", b"", HEAD_S, []),
        Kind("head byte by byte", b"GET /", b"a", HEAD_S, [408]),
        Kind("head without end", GET, b"X-More: 1\r\n", HEAD_S, [408]),
        Kind("second head", GET + b"\r\n" + GET, b"X-More: 1\r\n", HEAD_S, [200, 408]),
        Kind("body stops", inference + b"{", b"", RECEIVE_S, [408]),
        Kind("body byte by byte", inference + b"{", b" ", GRACE_S, [408]),
        # The gateway's own handlers read otherwise, and this one asks for no key.
        Kind("login stops", post("/api/v1/auth/login") + b"{", b"", RECEIVE_S, [408]),
        Kind("body of a refused request", post(ASR), b" ", LINGER_S, [401]),
    ]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'gateway.db'}")
    made.prepare()
    return made


@pytest.fixture
def gateway(installation: Installation, upstream: Program) -> Iterator[Program]:
    program = installation.gateway(
        asr_urls=upstream.url, head_timeout_s=str(HEAD_S), receive_timeout_s=str(RECEIVE_S)
    )
    program.start()
    yield program
    program.stop()


async def dawdle(port: int, kind: Kind) -> Outcome:
    """Until the gateway closes the connection."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def drip() -> None:
        while True:
            writer.write(kind.drip)
            await asyncio.sleep(DRIP_S)

    writer.write(kind.start)
    dripping = asyncio.create_task(drip()) if kind.drip else None
    answer = b""
    try:
        async with asyncio.timeout(kind.closed_after_s + 5 * SLACK_S):
            # A reset after the answer is an end too: bytes of the client were on their way.
            with suppress(ConnectionResetError):
                while part := await reader.read(65536):
                    answer += part
    finally:
        if dripping is not None:
            dripping.cancel()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return Outcome(kind, answer, time.monotonic() - began)


def answers(raw: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Status, fields and body of each answer."""
    found = []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): text.strip() for name, _, text in (x.partition(":") for x in lines)}
        length = int(fields["content-length"])
        found.append((int(first.split()[1]), fields, rest[:length]))
        raw = rest[length:]
    return found


def check(outcome: Outcome) -> None:
    kind = outcome.kind
    latest = kind.closed_after_s + INTERVAL_S + SLACK_S
    assert kind.closed_after_s <= outcome.seconds <= latest, kind.name
    found = answers(outcome.answer)
    assert [status for status, _, _ in found] == list(kind.answers), kind.name
    for status, fields, body in found:
        if status == 408:
            problem = json.loads(body)
            assert fields["content-type"] == "application/problem+json", kind.name
            assert fields["connection"] == "close", kind.name
            assert (problem["status"], problem["code"]) == (408, "request_timeout"), kind.name
            assert problem["request_id"] == fields["x-request-id"], kind.name


async def normal_requests(url: str, key: str, end: asyncio.Event) -> list[int]:
    """Statuses of requests that go on until the end."""
    statuses = []
    async with httpx.AsyncClient(base_url=url, headers=bearer(key), trust_env=False) as client:

        async def one() -> None:
            while not end.is_set():
                statuses.append((await client.post(ASR, json={"audio": "x"})).status_code)
                await asyncio.sleep(NORMAL_PAUSE_S)

        await asyncio.gather(*(one() for _ in range(NORMAL_CLIENTS)))
    return statuses


def sockets(pid: int) -> int:
    """How many a process has open."""
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += str(entry.readlink()).startswith("socket:")
    return found


async def warm_up(url: str, key: str) -> None:
    """Let the gateway open as many connections to the service as it may need later."""
    async with httpx.AsyncClient(base_url=url, headers=bearer(key), trust_env=False) as client:
        slow = {"mode": "slow", "seconds": "0.3"}
        done = await asyncio.gather(*(client.post(ASR, params=slow) for _ in range(NORMAL_CLIENTS)))
    assert {response.status_code for response in done} == {200}


async def test_slow_clients_are_closed_in_time_and_cost_the_others_nothing(
    installation: Installation, gateway: Program
) -> None:
    _, key = await installation.create_key()
    before = sockets(gateway.pid)
    await warm_up(gateway.url, key)
    most = before + NORMAL_CLIENTS
    await eventually(lambda: sockets(gateway.pid) <= most)

    end, idle = asyncio.Event(), await asyncio.open_connection("127.0.0.1", gateway.port)
    idle[1].write(GET + b"\r\n")
    assert (await idle[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    async with asyncio.TaskGroup() as group:
        normal = group.create_task(normal_requests(gateway.url, key, end))
        slow = [
            group.create_task(dawdle(gateway.port, kind))
            for kind in kinds(key)
            for _ in range(OF_EACH_KIND)
        ]
        # While they are there, they are many.
        await eventually(lambda: sockets(gateway.pid) >= most + 0.75 * len(slow))
        outcomes = await asyncio.gather(*slow)
        end.set()
    for outcome in outcomes:
        check(outcome)
    assert set(normal.result()) == {200}
    assert len(normal.result()) >= 100

    # A client that only waits between two requests is not slow: it may for longer.
    idle[1].write(GET + b"Connection: close\r\n\r\n")
    async with asyncio.timeout(5):
        assert b"HTTP/1.1 200 " in await idle[0].read()
    idle[1].close()
    await eventually(lambda: sockets(gateway.pid) <= most)

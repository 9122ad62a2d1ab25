"""One key at two gateways that share a Redis: the quota holds for both together.

Their minute lasts two seconds, so that the window slides while a test runs.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import cycle
from struct import unpack
from typing import NamedTuple

import httpx
import pytest
from redis.asyncio import Redis

from deploy.local.procfs import read_stat
from deploy.local.redis import RedisServer
from gateway.ratelimit.batch import LOGS
from tests.integration.gateway.harness import ASR, Installation, Program, bearer
from tests.support.poll import eventually

MINUTE_S = 2
QUOTA = 30
CLIENTS = 20
RUN_S = 2.6 * MINUTE_S
PAUSE_S = 0.02
# On a machine that is busy with other tests Redis may take longer than the 50 ms after which each
# gateway counts by itself; here they count together.
SHORT_MINUTE = f"""
import runpy
from gateway.db import redis
from gateway.models import limits
limits.MINUTE_S = {MINUTE_S}
redis.TIMEOUT_S = redis.open_redis.__kwdefaults__["timeout_s"] = 5.0
runpy.run_module("gateway", run_name="__main__")
"""


class Answer(NamedTuple):
    """One request; times of the client."""

    gateway: str
    sent: float
    received: float
    response: httpx.Response


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """What it counts is of these gateways alone."""
    server = RedisServer(tmp_path_factory.mktemp("own_redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, own_redis: RedisServer) -> Installation:
    folder = tmp_path_factory.mktemp("shared")
    made = Installation(folder, f"sqlite+aiosqlite:///{folder / 'gateway.db'}", own_redis.url)
    made.prepare()
    return made


@pytest.fixture(scope="module")
def gateways(installation: Installation, upstream: Program) -> Iterator[list[Program]]:
    started = []
    for _ in range(2):
        program = installation.gateway(asr_urls=upstream.url)
        program.command = ["-c", SHORT_MINUTE]
        program.start()
        started.append(program)
    yield started
    for program in started:
        program.stop()


@pytest.fixture
async def clients(gateways: list[Program]) -> AsyncIterator[list[httpx.AsyncClient]]:
    limits = httpx.Limits(max_connections=CLIENTS)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=gateway.url, limits=limits, trust_env=False)
            )
            for gateway in gateways
        ]


@pytest.fixture
async def observer(own_redis: RedisServer) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(own_redis.url)
    yield client
    await client.aclose()


async def never_enough(clients: list[httpx.AsyncClient], key: str) -> list[Answer]:
    """What clients get who ask the gateways in turn, again and again."""
    answers: list[Answer] = []
    end = time.monotonic() + RUN_S

    async def ask(number: int) -> None:
        turns = cycle(clients[number % 2 :] + clients[: number % 2])
        while (sent := time.monotonic()) < end:
            client = next(turns)
            response = await client.post(ASR, headers=bearer(key))
            answers.append(Answer(str(client.base_url), sent, time.monotonic(), response))
            await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*(ask(number) for number in range(CLIENTS)))
    return answers


def most_within(admitted: list[Answer], seconds: float) -> int:
    """Of those that began and ended in a span; these were surely counted in it."""
    return max(
        sum(
            first.sent <= other.sent and other.received < first.sent + seconds for other in admitted
        )
        for first in admitted
    )


async def test_two_gateways_admit_exactly_the_quota_in_every_window(
    clients: list[httpx.AsyncClient], installation: Installation, observer: Redis
) -> None:
    key, text = await installation.create_key(per_minute=QUOTA)
    answers = await never_enough(clients, text)
    admitted = [answer for answer in answers if answer.response.status_code == 200]
    refused = [answer for answer in answers if answer.response.status_code == 429]
    assert len(admitted) + len(refused) == len(answers)
    for some in (admitted, refused):
        assert {answer.gateway for answer in some} == {str(c.base_url) for c in clients}
    assert most_within(admitted, MINUTE_S) <= QUOTA

    # By the clock of Redis, to the microsecond.
    log = await observer.get(LOGS + key.id.encode())
    assert isinstance(log, bytes)
    times = [int(each) for each in unpack(f"<{len(log) // 8}d", log)]
    assert len(times) == len(admitted)
    width = MINUTE_S * 1_000_000
    spans = [late - early for early, late in zip(times, times[QUOTA:], strict=False)]
    assert min(spans) >= width
    # Nor fewer: in the first window all of it, and again as soon as there is room.
    assert sum(each < times[0] + width for each in times) == QUOTA
    assert len(times) > 2 * QUOTA


async def test_refusals_of_both_gateways_say_when_there_is_room(
    clients: list[httpx.AsyncClient], installation: Installation
) -> None:
    _, text = await installation.create_key(per_minute=1)
    assert (await clients[0].post(ASR, headers=bearer(text))).status_code == 200
    for client in clients:
        response = await client.post(ASR, headers=bearer(text))
        assert response.status_code == 429
        assert response.headers["ratelimit-policy"].startswith(f'"minute";q=1;w={MINUTE_S},')
        retry = int(response.headers["retry-after"])
        assert 1 <= retry <= MINUTE_S
        assert response.headers["ratelimit"] == f'"minute";r=0;t={retry}'


class Traffic(NamedTuple):
    """What Redis did so far.

    Attributes:
        scripts: Calls of the limiter's script.
        reads: Times that it read from a connection.
    """

    scripts: int
    reads: int


async def traffic(observer: Redis) -> Traffic:
    stats, commands = await observer.info("stats"), await observer.info("commandstats")
    return Traffic(commands["cmdstat_evalsha"]["calls"], stats["total_reads_processed"])


async def status(reader: asyncio.StreamReader) -> int:
    """Of one answer, which is read whole."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
    return int(head.split()[1])


def is_stopped(pid: int) -> bool:
    stat = read_stat(pid)
    return stat is not None and stat.state == "T"


async def all_at_once(gateway: Program, key: str, number: int) -> list[int]:
    """Statuses of requests that the gateway finds waiting all together."""
    lines = [f"POST {ASR} HTTP/1.1", "Host: a", f"Authorization: {key}", "Content-Length: 0"]
    request = "\r\n".join([*lines, "", ""]).encode()
    opened = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(number)]
    try:
        for reader, writer in opened:
            writer.write(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert await status(reader) == 200
        os.kill(gateway.pid, signal.SIGSTOP)
        try:
            await eventually(lambda: is_stopped(gateway.pid))
            for _, writer in opened:
                writer.write(request)
                await writer.drain()
        finally:
            os.kill(gateway.pid, signal.SIGCONT)
        async with asyncio.timeout(10):
            return [await status(reader) for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()


async def test_a_request_costs_one_round_trip_to_redis_and_many_at_once_share_one(
    gateways: list[Program],
    clients: list[httpx.AsyncClient],
    installation: Installation,
    observer: Redis,
) -> None:
    _, text = await installation.create_key()
    alone, together = 50, 50
    assert (await clients[0].post(ASR, headers=bearer(text))).status_code == 200
    before = await traffic(observer)
    for _ in range(alone):
        assert (await clients[0].post(ASR, headers=bearer(text))).status_code == 200
    after = await traffic(observer)
    assert after.scripts - before.scripts == alone
    # Besides, the observer asked twice, and the gateways have something to say now and then.
    assert alone + 2 <= after.reads - before.reads <= alone + 7

    assert set(await all_at_once(gateways[0], text, together)) == {200}
    assert 0 < (await traffic(observer)).scripts - after.scripts <= together // 5

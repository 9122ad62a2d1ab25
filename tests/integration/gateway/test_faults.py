"""What dies or hangs, and what still works."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.redis import RedisServer
from gateway.models.keys import generate_key
from tests.integration.gateway.harness import (
    ASR,
    Installation,
    Program,
    bearer,
    metric,
    problem,
    scrape,
)
from tests.support.poll import eventually


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    await asyncio.to_thread(program.start)
    try:
        async with httpx.AsyncClient(base_url=program.url, trust_env=False, timeout=10) as client:
            yield client
    finally:
        await asyncio.to_thread(program.stop)


def embedded(folder: Path, redis_url: str = "") -> Installation:
    installation = Installation(folder, f"sqlite+aiosqlite:///{folder / 'gateway.db'}", redis_url)
    installation.prepare()
    return installation


async def dependency(client: httpx.AsyncClient, name: str) -> float:
    return metric(await scrape(client), "speechgate_dependency_up", dependency=name)


async def test_redis_killed_keys_are_served_limits_hold_and_it_is_used_again(
    tmp_path: Path, upstream: Program, own_redis: RedisServer
) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path, own_redis.url)
    _, used = await installation.create_key(per_minute=10)
    _, fresh = await installation.create_key(per_minute=3)
    async with running(installation.gateway(asr_urls=upstream.url)) as client:
        for _ in range(6):
            assert (await client.post(ASR, headers=bearer(used))).status_code == 200
        own_redis.kill()
        statuses = [(await client.post(ASR, headers=bearer(used))).status_code for _ in range(6)]
        # The window goes on from what was counted while Redis lived.
        assert statuses == [200] * 4 + [429] * 2
        statuses = [(await client.post(ASR, headers=bearer(fresh))).status_code for _ in range(5)]
        assert statuses == [200] * 3 + [429] * 2
        text = await scrape(client)
        assert metric(text, "speechgate_dependency_up", dependency="redis") == 0
        assert metric(text, "speechgate_redis_fallbacks_total", use="limits") >= 8
        assert (await client.get("/ready")).status_code == 200
        detailed = (await client.get("/health/detailed")).json()
        assert detailed["status"] == "degraded"
        # A revocation needs no Redis.
        key, text = await installation.create_key()
        assert (await client.post(ASR, headers=bearer(text))).status_code == 200
        await installation.cli("keys", "revoke", key.id)

        async def refused() -> bool:
            return (await client.post(ASR, headers=bearer(text))).status_code == 401

        await eventually(refused, timeout_s=2.5)
        await asyncio.to_thread(own_redis.restart)
        await eventually(lambda: up(client, "redis"))
        _, later = await installation.create_key()
        assert (await client.post(ASR, headers=bearer(later))).status_code == 200
        name = "speechgate_rate_limit_decisions_total"
        before = metric(await scrape(client), name, backend="redis", outcome="allowed")
        assert (await client.post(ASR, headers=bearer(later))).status_code == 200
        assert metric(await scrape(client), name, backend="redis", outcome="allowed") == before + 1


async def up(client: httpx.AsyncClient, name: str) -> bool:
    return await dependency(client, name) == 1


async def test_a_hanging_redis_costs_milliseconds_not_requests(
    tmp_path: Path, upstream: Program, own_redis: RedisServer
) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path, own_redis.url)
    _, key = await installation.create_key()
    async with running(installation.gateway(asr_urls=upstream.url)) as client:
        assert (await client.post(ASR, headers=bearer(key))).status_code == 200
        own_redis.kill(signal.SIGSTOP)
        try:
            responses = await asyncio.gather(
                *(client.post(ASR, headers=bearer(key)) for _ in range(30))
            )
            assert {response.status_code for response in responses} == {200}
            await eventually(lambda: down(client, "redis"))
        finally:
            own_redis.kill(signal.SIGCONT)
        await eventually(lambda: up(client, "redis"))


async def down(client: httpx.AsyncClient, name: str) -> bool:
    return await dependency(client, name) == 0


async def test_a_revocation_published_by_redis_is_heard_by_every_gateway(
    tmp_path: Path, upstream: Program, own_redis: RedisServer
) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path, own_redis.url)
    key, text = await installation.create_key()
    one, two = (installation.gateway(asr_urls=upstream.url) for _ in range(2))
    async with running(one) as first, running(two) as second:
        for client in (first, second, first, second):
            assert (await client.post(ASR, headers=bearer(text))).status_code == 200
        await installation.cli("keys", "revoke", key.id)
        revoked = time.monotonic()
        for client in (first, second):

            async def refused(client: httpx.AsyncClient = client) -> bool:
                return (await client.post(ASR, headers=bearer(text))).status_code == 401

            await eventually(refused, timeout_s=2.0)
        assert time.monotonic() - revoked <= 2.0


async def test_a_flushed_redis_locks_nobody_out(
    tmp_path: Path, upstream: Program, own_redis: RedisServer
) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path, own_redis.url)
    _, key = await installation.create_key()
    async with running(installation.gateway(asr_urls=upstream.url)) as client:
        assert (await client.post(ASR, headers=bearer(key))).status_code == 200
        await asyncio.to_thread(own_redis.restart)
        for _ in range(20):
            assert (await client.post(ASR, headers=bearer(key))).status_code == 200


async def test_database_killed_cached_keys_work_and_others_get_503(
    tmp_path: Path, upstream: Program, redis: RedisServer
) -> None:
    cluster = PostgresCluster(tmp_path / "postgres", fsync=False)
    await asyncio.to_thread(cluster.start)
    try:
        installation = Installation(tmp_path, cluster.create_database("faults"), redis.url)
        await asyncio.to_thread(installation.prepare)
        _, cached = await installation.create_key()
        _, unseen = await installation.create_key()
        async with running(installation.gateway(asr_urls=upstream.url)) as client:
            assert (await client.post(ASR, headers=bearer(cached))).status_code == 200
            await asyncio.to_thread(cluster.kill)
            deadline = time.monotonic() + 5  # beyond what the process believes by itself
            while time.monotonic() < deadline:
                assert (await client.post(ASR, headers=bearer(cached))).status_code == 200
                for key in (unseen, generate_key("live")[0]):
                    response = await client.post(ASR, headers=bearer(key))
                    assert (response.status_code, problem(response)["code"]) == (
                        503,
                        "auth_unavailable",
                    )
                    assert "retry-after" in response.headers
                await asyncio.sleep(0.1)
            # What can be refused without the database still is.
            assert (await client.post(ASR, headers=bearer("x"))).status_code == 401
            assert (await client.post(ASR)).status_code == 401
            # So is what cannot be answered without it.
            keys = await client.get("/api/v1/admin/keys", headers=bearer(cached))
            login = await client.post(
                "/api/v1/auth/login", json={"email": "a@example.org", "password": "x"}
            )
            for response in (keys, login):
                assert (response.status_code, problem(response)["code"]) == (
                    503,
                    "database_unavailable",
                )
            await eventually(lambda: down(client, "database"))
            assert (await client.get("/ready")).status_code == 200
            await asyncio.to_thread(cluster.restart)

            async def served() -> bool:
                status = (await client.post(ASR, headers=bearer(unseen))).status_code
                assert status in (200, 503)
                return status == 200

            await eventually(served, timeout_s=10)
    finally:
        await asyncio.to_thread(cluster.purge)


async def test_sigterm_answers_all_50_requests_in_flight(tmp_path: Path, upstream: Program) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path)
    _, key = await installation.create_key()
    gateway = installation.gateway(asr_urls=upstream.url)
    async with running(gateway) as client:
        requests = [
            asyncio.create_task(
                client.post(f"{ASR}?mode=slow&seconds=2", content=b"x", headers=bearer(key))
            )
            for _ in range(50)
        ]

        async def all_there() -> bool:
            text = await scrape(client)
            return metric(text, "speechgate_upstream_in_flight", upstream="asr") == 50

        await eventually(all_there)
        assert gateway.process is not None
        gateway.process.terminate()
        responses = await asyncio.gather(*requests)
        assert [response.json() for response in responses] == [{"slow": True}] * 50
        assert await asyncio.to_thread(gateway.process.wait, 10) in (0, -signal.SIGTERM)
    # Uses were written before the end.
    assert "last_used_at" in await installation.cli("keys", "list", "--json")
    assert '"last_used_at": null' not in await installation.cli("keys", "list", "--json")

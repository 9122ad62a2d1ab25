"""Replicas that die or hang, and when they are used again."""

import asyncio
import signal
import time
from pathlib import Path

from tests.integration.gateway.harness import (
    ASR,
    bearer,
    make_upstream,
    metric,
    problem,
    scrape,
)
from tests.integration.gateway.test_faults import embedded, running
from tests.support.poll import eventually


async def test_a_dead_service_is_503_at_once_and_used_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path)
    _, key = await installation.create_key()
    service = make_upstream(tmp_path)
    await asyncio.to_thread(service.start)
    async with running(installation.gateway(asr_urls=service.url)) as client:
        assert (await client.post(ASR, headers=bearer(key))).status_code == 200
        response = await client.post(f"{ASR}?mode=drop", headers=bearer(key))
        assert (response.status_code, problem(response)["code"]) == (503, "upstream_broken")
        for _ in range(12):
            started = time.monotonic()
            response = await client.post(ASR, headers=bearer(key))
            assert time.monotonic() - started < 1.0
            assert (response.status_code, problem(response)["code"]) == (
                503,
                "upstream_unavailable",
            )
            assert "retry-after" in response.headers
        state = "speechgate_upstream_replica_state"
        assert metric(await scrape(client), state, upstream="asr") == 0
        await asyncio.to_thread(service.start)

        async def served() -> bool:
            return (await client.post(ASR, headers=bearer(key))).status_code == 200

        await eventually(served, timeout_s=3.0)
    service.stop()


async def test_a_hanging_service_is_503_at_once_and_used_again_when_it_goes_on(
    tmp_path: Path,
) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path)
    _, key = await installation.create_key()
    service = make_upstream(tmp_path)
    await asyncio.to_thread(service.start)
    gateway = installation.gateway(
        asr_urls=service.url, upstream_timeout_s="1", upstream_slow_timeout_s="1"
    )
    async with running(gateway) as client:

        async def told() -> tuple[int, str]:
            response = await client.post(ASR, headers=bearer(key))
            code = problem(response)["code"] if response.status_code != 200 else ""
            return response.status_code, code

        assert await told() == (200, "")
        assert service.process is not None
        service.process.send_signal(signal.SIGSTOP)
        try:
            answers = await asyncio.gather(*(told() for _ in range(5)))
            assert set(answers) == {(504, "upstream_timeout")}

            async def refused() -> bool:
                return await told() == (503, "upstream_unavailable")

            await eventually(refused, timeout_s=5.0)
            for _ in range(10):
                started = time.monotonic()
                assert await refused()
                assert time.monotonic() - started < 1.0
        finally:
            service.process.send_signal(signal.SIGCONT)

        async def served() -> bool:
            return await told() == (200, "")

        await eventually(served, timeout_s=3.0)
    await asyncio.to_thread(service.stop)


async def test_a_replica_that_hangs_with_long_requests_is_noticed_before_their_timeout(
    tmp_path: Path,
) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path)
    _, key = await installation.create_key()
    one, two = make_upstream(tmp_path), make_upstream(tmp_path)
    await asyncio.gather(asyncio.to_thread(one.start), asyncio.to_thread(two.start))
    async with running(installation.gateway(asr_urls=f"{one.url},{two.url}")) as client:
        state = "speechgate_upstream_replica_state"
        assert one.process is not None
        one.process.send_signal(signal.SIGSTOP)
        try:
            stuck = [
                asyncio.create_task(client.post(ASR, headers=bearer(key), timeout=60))
                for _ in range(8)
            ]

            async def left() -> bool:
                return metric(await scrape(client), state, replica=one.url) == 0

            await eventually(left, timeout_s=25.0)
            answers = await asyncio.gather(
                *(client.post(ASR, headers=bearer(key)) for _ in range(20))
            )
            assert {answer.json()["replica"] for answer in answers} == {str(two.port)}
        finally:
            one.process.send_signal(signal.SIGCONT)
        assert {answer.status_code for answer in await asyncio.gather(*stuck)} == {200}
    for service in (one, two):
        await asyncio.to_thread(service.stop)


async def test_one_of_two_replicas_killed_loses_no_request(tmp_path: Path) -> None:
    installation = await asyncio.to_thread(embedded, tmp_path)
    _, key = await installation.create_key()
    one, two = make_upstream(tmp_path), make_upstream(tmp_path)
    await asyncio.gather(asyncio.to_thread(one.start), asyncio.to_thread(two.start))
    async with running(installation.gateway(asr_urls=f"{one.url}, {two.url}/")) as client:
        replicas = set()
        for _ in range(30):
            replicas.add((await client.post(ASR, headers=bearer(key))).json()["replica"])
        assert replicas == {str(one.port), str(two.port)}
        one.kill()
        responses = [await client.post(ASR, content=b"x", headers=bearer(key)) for _ in range(40)]
        assert {response.status_code for response in responses} == {200}
        assert 1 <= metric(await scrape(client), "speechgate_upstream_retries_total") <= 5
    two.stop()

"""Quotas over HTTP, on both stacks."""

import asyncio
import math
import time

import httpx

from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import ASR, bearer, metric, problem, scrape


async def test_the_61st_request_in_a_minute_is_429_with_the_right_retry_after(
    client: httpx.AsyncClient, running: Running
) -> None:
    _, key = await running.installation.create_key(per_minute=60)
    asked = time.time()
    first = await client.post(ASR, headers=bearer(key))
    answered = time.time()
    assert first.headers["ratelimit-policy"] == (
        '"minute";q=60;w=60, "hour";q=1000;w=3600, "day";q=10000;w=86400'
    )
    assert first.headers["ratelimit"] == '"minute";r=59;t=60'
    others = [await client.post(ASR, headers=bearer(key)) for _ in range(59)]
    assert {response.status_code for response in [first, *others]} == {200}
    assert others[-1].headers["ratelimit"].startswith('"minute";r=0;t=')
    before = time.time()
    refused = await client.post(ASR, headers=bearer(key))
    after = time.time()
    assert (refused.status_code, problem(refused)["code"]) == (429, "rate_limited")
    assert problem(refused)["violated-policies"] == ["minute"]
    retry = int(refused.headers["retry-after"])
    assert math.ceil(asked + 60 - after) <= retry <= math.ceil(answered + 60 - before)
    assert refused.headers["ratelimit"] == f'"minute";r=0;t={retry}'


async def test_retry_after_is_of_the_window_that_opens_last_and_refusals_do_not_count(
    client: httpx.AsyncClient, running: Running
) -> None:
    _, key = await running.installation.create_key(per_minute=1000, per_hour=3, per_day=3)
    statuses = [(await client.post(ASR, headers=bearer(key))).status_code for _ in range(10)]
    assert statuses == [200] * 3 + [429] * 7
    refused = await client.post(ASR, headers=bearer(key))
    assert problem(refused)["violated-policies"] == ["hour", "day"]
    # The day opens last.
    assert 86_390 <= int(refused.headers["retry-after"]) <= 86_400


async def test_exactly_the_quota_passes_of_many_at_once(
    client: httpx.AsyncClient, running: Running
) -> None:
    _, key = await running.installation.create_key(per_minute=40)
    responses = await asyncio.gather(*(client.post(ASR, headers=bearer(key)) for _ in range(100)))
    statuses = [response.status_code for response in responses]
    assert (statuses.count(200), statuses.count(429)) == (40, 60)


async def test_limits_of_keys_are_apart_and_decisions_counted(
    client: httpx.AsyncClient, running: Running
) -> None:
    _, one = await running.installation.create_key(per_minute=1)
    _, two = await running.installation.create_key(per_minute=1)
    assert (await client.post(ASR, headers=bearer(one))).status_code == 200
    assert (await client.post(ASR, headers=bearer(one))).status_code == 429
    assert (await client.post(ASR, headers=bearer(two))).status_code == 200
    backend = "redis" if running.installation.redis_url else "process"
    name = "speechgate_rate_limit_decisions_total"
    assert metric(await scrape(client), name, backend=backend, outcome="denied") >= 1


async def test_refusals_before_the_quota_use_none_of_it(
    client: httpx.AsyncClient, running: Running
) -> None:
    _, key = await running.installation.create_key("asr:infer", per_minute=2)
    refused = await client.get("/api/v1/tts/voices", headers=bearer(key))
    assert refused.status_code == 403
    assert refused.headers["ratelimit-policy"].startswith('"minute";q=2;w=60')
    assert (await client.get(ASR, headers=bearer(key))).status_code == 405
    response = await client.post(ASR, headers=bearer(key))
    assert response.headers["ratelimit"].startswith('"minute";r=1;')

"""What pipelines refuse, and what they cost."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.flags.names import kill_switch
from tests.integration.gateway.composed import (
    BOTH,
    NATIVE,
    TASKS,
    Setup,
    body,
    composed,
)
from tests.integration.gateway.harness import (
    raw_exchange,
)
from tests.support.flags import feature, write_flags
from tests.support.poll import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    folder = tmp_path_factory.mktemp("pipelines")
    async with composed(folder, max_body_bytes=str(4 * 1024 * 1024)) as running:
        yield running


@pytest.fixture
def setup(whole: Setup) -> Setup:
    whole.services.reset()
    return whole


@BOTH
@pytest.mark.parametrize(
    ("tasks", "status", "code"),
    [
        ([TASKS[0], TASKS[2]], 400, "illegal_pipeline"),
        ([TASKS[1], TASKS[0]], 400, "illegal_pipeline"),
        ([TASKS[0], TASKS[1], TASKS[2], TASKS[2]], 400, "illegal_pipeline"),
        ([{"taskType": "ner", "config": {}}], 400, "illegal_pipeline"),
        ([TASKS[0], {"taskType": "translation", "config":
                     {"language": {"sourceLanguage": "fr", "targetLanguage": "es"}}}],
         400, "languages_differ"),
        ([{"taskType": "asr"}], 422, "invalid_field"),
        ([], 422, "validation_failed"),
        ([TASKS[1]] * 5, 422, "validation_failed"),
        ([{"taskType": 7}], 422, "validation_failed"),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_is_refused_before_any_work(
    setup: Setup, path: str, tasks: list[Any], status: int, code: str
) -> None:
    async with setup.client() as client:
        answer = await client.post(path, json=body() | {"pipelineTasks": tasks})
    assert answer.status_code == status, answer.text
    found = answer.json()["code"] if path == NATIVE else answer.json()["detail"]["kind"]
    assert found == code
    assert setup.services.calls == []


@BOTH
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_body"),
        (b"[" * 100_000, "json_too_deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json_too_deep"),
        (b'{"pipelineTasks":[],"pipelineTasks":[]}', "duplicate_member"),
        (b'{"pipelineTasks":[],"inputData":{"audio":NaN}}', "invalid_json"),
        (b'{"pipelineTasks":"\xff\xfe"}', "invalid_json"),
        (b'{"pipelineTasks":"\\ud800"}', "invalid_json"),
        (b'["' + b'","' * 30_000 + b'"]', "json_too_complex"),
        (b'{"a":"' + b"x" * 100_000, "invalid_json"),
    ],
)
async def test_hostile_json(setup: Setup, path: str, content: bytes, code: str) -> None:
    async with setup.client() as client:
        answer = await client.post(path, content=content)
    assert answer.status_code == 400, answer.text
    found = answer.json()["code"] if path == NATIVE else answer.json()["detail"]["kind"]
    assert found == code
    assert answer.elapsed.total_seconds() < 1
    assert setup.services.calls == []


@BOTH
async def test_bodies_are_bounded(setup: Setup, path: str) -> None:
    large = base64.b64encode(bytes(4 * 1024 * 1024)).decode()
    async with setup.client() as client:
        answer = await client.post(path, json=body(audio=large))
        assert answer.status_code == 413
        answer = await client.post(path, json=body(audio=large[: 3 * 1024 * 1024]))
        assert answer.status_code == 200, "more than a route without audio takes"
        texts = [{"source": "x" * 1_000}] * 90
        rest = body(TASKS[1]) | {"inputData": {"input": texts}, "junk": ["y" * 1_000] * 1_100}
        answer = await client.post(path, json=rest)
        assert answer.status_code == 413, "all but the audio is no larger than elsewhere"
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {setup.key}\r\n"
    declared = (head + "content-length: 99999999\r\n\r\n").encode()
    status, _ = await raw_exchange(setup.gateway.port, declared)
    assert status == 413


@BOTH
async def test_every_steps_scope_is_needed(setup: Setup, path: str) -> None:
    for missing in ("asr:infer", "nlp:infer", "tts:infer"):
        scopes = {"asr:infer", "nlp:infer", "tts:infer"} - {missing}
        _, key = await setup.installation.create_key(*scopes)
        async with setup.client(key) as client:
            answer = await client.post(path, json=body())
        assert answer.status_code == 403
        assert missing in answer.text
    assert setup.services.calls == []
    _, key = await setup.installation.create_key("nlp:infer", "tts:infer")
    texts = {"inputData": {"input": [{"source": "a"}]}}
    async with setup.client(key) as client:
        answer = await client.post(path, json=body(*TASKS[1:]) | texts)
    assert answer.status_code == 200, "a pipeline without recognition needs no right to it"


@BOTH
async def test_a_pipeline_costs_as_much_as_its_steps(setup: Setup, path: str) -> None:
    _, key = await setup.installation.create_key(per_minute=5, per_hour=99, per_day=99)
    async with setup.client(key) as client:
        answer = await client.post(path, json=body())
        assert answer.status_code == 200, answer.text
        assert '"minute";r=2;' in answer.headers["ratelimit"]
        refused = await client.post(path, json=body())
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert len(setup.services.calls) == 3, "nothing of the second was begun"
        # One unit is left: the refused one took only what reading it costs.
        texts = {"inputData": {"input": [{"source": "a"}]}}
        single = await client.post(path, json=body(TASKS[1]) | texts)
        assert single.status_code == 200
        assert (await client.post(path, content=b"x" * 100)).status_code == 429


async def test_a_pipeline_holds_one_place_under_the_senders_caps(setup: Setup) -> None:
    limits = {"per_minute": 100, "per_hour": 100, "per_day": 100, "max_concurrent": 1}
    _, key = await setup.installation.create_key(**limits)
    gate = setup.services.wait["asr"] = asyncio.Event()
    async with setup.client(key) as client:
        first = asyncio.create_task(client.post(NATIVE, json=body()))
        await eventually(lambda: len(setup.services.calls) == 1)
        second = await client.post(NATIVE, json=body())
        assert (second.status_code, second.json()["code"]) == (429, "concurrency_exceeded")
        gate.set()
        assert (await first).status_code == 200
        assert (await client.post(NATIVE, json=body())).status_code == 200


@pytest.mark.parametrize("route", [NATIVE, "/api/v1/tts/inference"])
async def test_kill_switches_of_the_pipeline_and_its_steps(setup: Setup, route: str) -> None:
    async with setup.client() as client:

        async def status() -> int:
            return (await client.post(NATIVE, json=body())).status_code

        async def closed() -> bool:
            return await status() == 503

        async def opened() -> bool:
            return await status() == 200

        write_flags(setup.flags, feature(kill_switch(route)))
        await eventually(closed)
        answer = await client.post(NATIVE, json=body())
        assert answer.json()["code"] == "route_closed"
        write_flags(setup.flags)
        await eventually(opened)

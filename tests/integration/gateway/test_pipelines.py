"""What pipelines answer, through a real gateway over services that do as told."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator

import httpx
import jwt
import pytest
import pytest_asyncio

from tests.integration.gateway.composed import (
    AUDIO,
    BOTH,
    NATIVE,
    TASKS,
    ULCA,
    Setup,
    body,
    composed,
)
from tests.integration.gateway.harness import (
    bearer,
    free_port,
    metric,
    problem,
    scrape,
)
from tests.support.poll import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    folder = tmp_path_factory.mktemp("pipelines")
    async with composed(folder, upstream_timeout_s="2", upstream_slow_timeout_s="3") as running:
        yield running


@pytest.fixture
def setup(whole: Setup) -> Setup:
    whole.services.reset()
    return whole


async def test_native_answers_say_how_each_step_was_done(setup: Setup) -> None:
    async with setup.client() as client:
        answer = await client.post(NATIVE, json=body(controlConfig={"dataTracking": False}))
    assert answer.status_code == 200, answer.text
    heard, translated, spoken = answer.json()["pipelineResponse"]
    said = f"hello {len(AUDIO)}"
    assert heard["output"] == [{"source": said, "words": []}]
    assert translated["output"] == [{"source": said, "target": f"<{said}>"}]
    sound = base64.b64decode(spoken["audio"][0]["audioContent"])
    assert sound == f"<{said}>".encode() * 2_000
    steps = answer.json()["steps"]
    assert [(one["task"], one["id"][0], one["variant"]) for one in steps] == [
        ("asr", "a", "default"), ("translation", "b", "default"), ("tts", "c", "default")
    ]  # fmt: skip
    assert {one["request_id"] for one in steps} == {answer.headers["x-request-id"]}
    assert all(one["ms"] > 0 for one in steps)
    assert "error" not in answer.json()
    assert answer.headers["x-model-variant"] == "asr=default, translation=default, tts=default"
    first = setup.services.calls[0].document
    assert first["audio"] == [{"audioContent": AUDIO}]
    assert all(one.document["controlConfig"] == {"dataTracking": False}
               for one in setup.services.calls)  # fmt: skip


async def test_ulca_answers_have_its_members_only(setup: Setup) -> None:
    async with setup.client() as client:
        answer = await client.post(ULCA, json=body())
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"pipelineResponse"}
    heard, translated, spoken = answer.json()["pipelineResponse"]
    said = f"hello {len(AUDIO)}"
    assert heard["output"] == [{"source": said}]
    assert heard["audio"] is None
    assert translated["output"] == [{"source": said, "target": f"<{said}>"}]
    assert set(spoken["audio"][0]) == {"audioContent", "audioUri"}
    assert [one["taskType"] for one in (heard, translated, spoken)] == ["asr", "translation", "tts"]


async def test_each_step_is_signed_traced_and_knows_the_time_left(setup: Setup) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    given = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "X-Request-ID": "pipe-1",
             "X-Sg-Identity": "forged", "X-Sg-Model": "forged"}  # fmt: skip
    async with setup.client() as client:
        answer = await client.post(NATIVE, json=body(), headers=given)
    assert answer.status_code == 200, answer.text
    calls = {one.task: one.headers for one in setup.services.calls}
    spans = {headers["traceparent"].split("-")[2] for headers in calls.values()}
    assert len(spans) == 3
    assert {headers["traceparent"].split("-")[1] for headers in calls.values()} == {trace}
    assert {headers["x-request-id"] for headers in calls.values()} == {"pipe-1"}
    times = [int(calls[task]["x-sg-timeout-ms"]) for task in ("asr", "nmt", "tts")]
    assert 3_000 >= times[0] >= times[1] >= times[2] > 0, "the slow routes' time, for all steps"
    for task, audience in (("asr", "asr"), ("nmt", "nlp"), ("tts", "tts")):
        claims = jwt.decode(
            calls[task]["x-sg-identity"],
            setup.installation.public_key,
            algorithms=["EdDSA"],
            audience=audience,
        )
        assert claims["tid"]
    assert all("x-sg-model" not in headers for headers in calls.values())
    assert all(setup.key not in str(headers) for headers in calls.values())
    lines = setup.steps("pipe-1")
    assert {one["trace_id"] for one in lines} == {trace}
    assert {one["span_id"] for one in lines} == spans
    assert len({one["parent_id"] for one in lines}) == 1
    assert "hello" not in setup.gateway.log.read_text(), "no content in logs"


@BOTH
@pytest.mark.parametrize("fault", [503, 422])
async def test_a_later_step_that_fails_leaves_what_was_done(
    setup: Setup, path: str, fault: int
) -> None:
    setup.services.faults["nmt"] = fault
    async with setup.client() as client:
        answer = await client.post(path, json=body())
    document = answer.json()
    (heard,) = document["pipelineResponse"]
    assert heard["output"][0]["source"].startswith("hello")
    assert [one.task for one in setup.services.calls] == ["asr", "nmt"]
    if path == NATIVE:
        assert answer.status_code == 207
        assert document["error"] == {
            "step": 1,
            "task": "translation",
            "status": fault,
            "code": "nmt_fault",
            "detail": "As told.",
            "errors": None,
        }
        assert [one["task"] for one in document["steps"]] == ["asr"]
    else:
        assert answer.status_code == fault
        assert document["detail"] == {"kind": "nmt_fault", "message": "translation: As told."}


@BOTH
async def test_a_first_step_that_fails_is_an_error(setup: Setup, path: str) -> None:
    setup.services.faults["asr"] = 422
    async with setup.client() as client:
        answer = await client.post(path, json=body())
    assert answer.status_code == 422
    if path == NATIVE:
        found = problem(answer)
        assert (found["code"], found["step"]) == ("asr_fault", {"index": 0, "task": "asr"})
    else:
        assert answer.json() == {"detail": {"kind": "asr_fault", "message": "As told."}}
    assert [one.task for one in setup.services.calls] == ["asr"]


async def test_a_client_that_leaves_ends_the_step_at_work(setup: Setup) -> None:
    setup.services.wait["nmt"] = asyncio.Event()
    async with setup.client() as client:
        with contextlib.suppress(httpx.TimeoutException):
            await client.post(NATIVE, json=body(), timeout=0.5)
    await eventually(lambda: setup.services.left == ["nmt"])
    assert [one.task for one in setup.services.calls] == ["asr", "nmt"]


async def test_the_deadline_ends_a_pipeline_with_what_it_has(setup: Setup) -> None:
    setup.services.wait["nmt"] = asyncio.Event()
    texts = {"inputData": {"input": [{"source": "a"}]}}
    async with setup.client() as client:
        both = await asyncio.gather(
            client.post(NATIVE, json=body()),
            client.post(NATIVE, json=body(*TASKS[1:]) | texts),
        )
    assert [one.status_code for one in both] == [207, 504]
    assert both[0].json()["error"]["code"] == "upstream_timeout"
    assert both[1].json()["code"] == "upstream_timeout"


async def test_an_outage_of_a_service_in_the_middle(setup: Setup) -> None:
    gateway = setup.installation.gateway(
        asr_urls=setup.services.url,
        nlp_urls=f"http://127.0.0.1:{free_port()}",
        tts_urls=setup.services.url,
    )
    await asyncio.to_thread(gateway.start)
    try:
        async with httpx.AsyncClient(
            base_url=gateway.url, headers=bearer(setup.key), trust_env=False
        ) as client:
            native = await client.post(NATIVE, json=body())
            ulca = await client.post(ULCA, json=body())
    finally:
        await asyncio.to_thread(gateway.stop)
    assert native.status_code == 207
    assert native.json()["error"]["code"] == "upstream_unavailable"
    assert len(native.json()["pipelineResponse"]) == 1
    assert ulca.status_code == 503
    assert int(ulca.headers["retry-after"]) >= 1
    assert ulca.json()["detail"]["kind"] == "upstream_unavailable"
    assert len(ulca.json()["pipelineResponse"]) == 1


async def test_pipelines_and_steps_are_counted(setup: Setup) -> None:
    async with setup.client() as client:
        before = await scrape(client)
        assert (await client.post(NATIVE, json=body())).status_code == 200
        setup.services.faults["tts"] = 500
        assert (await client.post(NATIVE, json=body())).status_code == 207
        after = await scrape(client)

    def grown(name: str, **labels: str) -> float:
        return metric(after, name, **labels) - metric(before, name, **labels)

    chain = "asr>translation>tts"
    assert grown("speechgate_pipelines_total", tasks=chain, failed="none") == 1
    assert grown("speechgate_pipelines_total", tasks=chain, failed="tts") == 1
    route = "/api/v1/tts/inference"
    assert grown("speechgate_steps_total", route=route, status="200") == 1
    assert grown("speechgate_steps_total", route=route, status="500") == 1
    assert grown("speechgate_step_duration_seconds_count", route=route) == 2


async def test_both_are_documented(setup: Setup) -> None:
    async with setup.client() as client:
        document = (await client.get("/openapi.json")).json()
    operation = document["paths"][NATIVE]["post"]
    assert {"200", "207", "400", "413", "422", "429", "503"} <= set(operation["responses"])
    assert "post" in document["paths"][ULCA]
    assert "101" in document["paths"]["/api/v1/pipeline/stream"]["get"]["responses"]

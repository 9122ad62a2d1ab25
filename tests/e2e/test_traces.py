"""One trace from the gateway to the model and the database, received as a collector receives it."""

import asyncio
import base64
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import soundfile
from websockets.asyncio.client import connect

from deploy.local.stack import Stack, StackOptions
from tests.e2e.conftest import admin_key, client_of
from tests.support.otlp_receiver import OtlpReceiver, ReceivedSpan
from tests.support.recordings import recordings
from tests.support.streaming import encoded

RECORDING = min(recordings(), key=lambda one: one.path.stat().st_size)
CONTENT = base64.b64encode(RECORDING.path.read_bytes()).decode()
ASR = {"taskType": "asr", "config": {"language": {"sourceLanguage": "en"}}}
NMT = {
    "taskType": "translation",
    "config": {"language": {"sourceLanguage": "en", "targetLanguage": "es"}},
}
TTS = {
    "taskType": "tts",
    # What is asked for again must be spoken again.
    "config": {"language": {"sourceLanguage": "es"}, "gender": "female", "cache": False},
}
WORDS = "Marmalade counts seventeen violins"
GATEWAY, TRITON = "speechgate-gateway", "speechgate-triton"


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver().running() as started:
        yield started


@pytest.fixture(scope="module")
def stack(receiver: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Spans leave twice a second; Triton's do when its own five seconds are over."""
    env = {"SPEECHGATE_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "500"}
    options = StackOptions(run_dir=tmp_path_factory.mktemp("traced"), env=env)
    with Stack(options) as started:
        yield started


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    with client_of(stack) as opened:
        yield opened


def names(spans: list[ReceivedSpan], service: str) -> list[str]:
    return [one.name for one in spans if one.service == f"speechgate-{service}"]


def whole(receiver: OtlpReceiver, trace: str, services: set[str]) -> bool:
    """Whether all services sent their spans of a trace, and none lacks its parent."""
    spans = receiver.trace(trace)
    ids, parents = {one.span_id for one in spans}, {one.parent_id for one in spans}
    if not all(one.span_id in parents for one in spans if one.name.startswith("infer ")):
        return False  # Triton sends its part later.
    roots = [one for one in spans if not one.parent_id]
    linked = all(one.parent_id in ids for one in spans if one.parent_id)
    sent = {f"speechgate-{name}" for name in services} <= set(receiver.services(trace))
    return linked and len(roots) == 1 and sent


def traced(
    receiver: OtlpReceiver, client: httpx.Client, path: str, body: Any, services: set[str]
) -> tuple[httpx.Response, dict[str, ReceivedSpan]]:
    """An answer and the spans of its trace by id.

    Asked again where a part does not come: Triton's exporter gives up spans on a busy machine.
    """
    told: list[str] = []
    for _ in range(3):
        answer = client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        trace = answer.headers["traceparent"].split("-")[1]
        if receiver.wait(lambda trace=trace: whole(receiver, trace, services)):
            return answer, {one.span_id: one for one in receiver.trace(trace)}
        told += [f"{one.service} {one.name}" for one in receiver.trace(trace)]
    raise AssertionError("\n".join(told))


def path_of(spans: dict[str, ReceivedSpan], span: ReceivedSpan) -> list[str]:
    """Services from the root to a span, without repetitions."""
    path = [span.service]
    while span.parent_id:
        span = spans[span.parent_id]
        if span.service != path[-1]:
            path.append(span.service)
    return [name.removeprefix("speechgate-") for name in reversed(path)]


def test_a_transcription_is_one_trace_with_every_hop(
    receiver: OtlpReceiver, client: httpx.Client
) -> None:
    body = {"audio": [{"audioContent": CONTENT}], "config": ASR["config"]}
    wanted = {"gateway", "asr", "triton"}
    answer, spans = traced(receiver, client, "/api/v1/asr/inference", body, wanted)
    found = list(spans.values())

    (root,) = (one for one in found if not one.parent_id)
    assert (root.service, root.kind) == (GATEWAY, "server")
    assert root.name == "POST /api/v1/asr/inference"
    assert root.span_id == answer.headers["traceparent"].split("-")[2]
    assert root.attributes["http.route"] == "/api/v1/asr/inference"
    assert root.attributes["http.response.status_code"] == 200
    assert root.attributes["speechgate.variant"] == answer.headers["x-model-variant"]
    assert root.attributes["speechgate.tenant"]
    # The statement: a key that is seen for the first time.
    called = {root.name, "rate limit", "asr /api/v1/asr/inference"}
    assert set(names(found, "gateway")) - {"SELECT"} == called

    service = names(found, "asr")
    assert {"POST /api/v1/asr/inference", "decode", "vad", "inference", "store"} <= set(service)
    assert {"infer vad", "infer asr", "INSERT asr_requests"} <= set(service)
    for one in found:
        if one.service == TRITON:
            assert path_of(spans, one) == ["gateway", "asr", "triton"]
    (stored,) = (one for one in found if one.name == "INSERT asr_requests")
    assert path_of(spans, stored) == ["gateway", "asr"]
    assert stored.attributes["speechgate.stored_in"] == "database"
    assert stored.attributes["db.system.name"] == "sqlite"
    assert not any(one.failed for one in found)
    for one in found:
        assert root.started - 0.05 <= one.started <= one.ended <= root.ended + 0.5


def test_a_pipeline_is_one_trace_with_a_span_a_step(
    receiver: OtlpReceiver, client: httpx.Client
) -> None:
    body = {"pipelineTasks": [ASR, NMT, TTS], "inputData": {"audio": [{"audioContent": CONTENT}]}}
    wanted = {"gateway", "asr", "nlp", "tts", "triton"}
    _, spans = traced(receiver, client, "/api/v1/pipeline/inference", body, wanted)
    found = list(spans.values())
    steps = [one for one in found if one.name.startswith("step ")]
    assert [one.name.split("/")[3] for one in steps] == ["asr", "nmt", "tts"]
    assert all(one.kind == "client" for one in steps)
    assert len({one.parent_id for one in steps}) == 1
    for service in ("asr", "nlp", "tts"):
        below = [one for one in found if path_of(spans, one) == ["gateway", service, "triton"]]
        assert below, service
        assert any(name.startswith("INSERT") for name in names(found, service))


def test_spans_hold_no_content_and_no_secret(
    receiver: OtlpReceiver, stack: Stack, client: httpx.Client
) -> None:
    body: dict[str, Any] = {"input": [{"source": WORDS}], "config": NMT["config"]}
    wanted = {"gateway", "nlp", "triton"}
    answer, _ = traced(receiver, client, "/api/v1/nmt/inference?note=violins", body, wanted)
    refused = client.post("/api/v1/nmt/inference", json={"input": [{"source": WORDS}] * 2000})
    assert refused.status_code >= 400
    key = admin_key(stack)
    target = answer.json()["output"][0]["target"]
    held = " ".join(text for one in receiver.spans for text in one.texts()).lower()
    for word in (*WORDS.lower().split(), key.lower(), CONTENT[:40].lower(), target.lower()):
        assert word not in held


def test_a_stream_is_one_span_with_events(receiver: OtlpReceiver, stack: Stack) -> None:
    samples, rate = soundfile.read(RECORDING.path, dtype="int16")
    trace = os.urandom(16).hex()

    async def speak() -> None:
        url = stack.info.gateway_url.replace("http", "ws") + "/api/v1/asr/stream"
        headers = {
            "Authorization": f"Bearer {admin_key(stack)}",
            "traceparent": f"00-{trace}-{os.urandom(8).hex()}-00",
        }
        async with connect(url, additional_headers=headers) as socket:
            start = {"type": "start", "sample_rate": rate, "language": "en"}
            await socket.send(json.dumps(start | {"encoding": "pcm_s16le"}))
            await socket.send(encoded(samples))
            await socket.send(json.dumps({"type": "stop"}))
            async for _ in socket:
                pass

    asyncio.run(speak())
    wanted = {"GET /api/v1/asr/stream", "WEBSOCKET /api/v1/asr/stream"}
    assert receiver.wait(lambda: wanted <= {one.name for one in receiver.trace(trace)})
    by_name = {one.name: one for one in receiver.trace(trace)}
    opened = [name for name, _ in by_name["GET /api/v1/asr/stream"].events]
    assert opened[0] == "opened"
    assert opened[-1] == "closed"
    told = [name for name, _ in by_name["WEBSOCKET /api/v1/asr/stream"].events]
    assert told[:2] == ["opened", "ready"]
    assert "final" in told
    assert "done" in told
    assert by_name["WEBSOCKET /api/v1/asr/stream"].attributes["speechgate.model"] == "asr"


def test_health_checks_and_scrapes_are_no_spans(
    receiver: OtlpReceiver, client: httpx.Client
) -> None:
    assert client.get("/health").status_code == 200
    assert not any("/health" in one.name or "/ready" in one.name for one in receiver.spans)

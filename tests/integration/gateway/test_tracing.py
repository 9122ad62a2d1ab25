"""Proxied requests as spans, and what a receiver that is slow or gone does to them: nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.integration.gateway.harness import (
    ASR,
    Installation,
    Program,
    bearer,
    free_port,
    metric,
)
from tests.support.otlp_receiver import OtlpReceiver, ReceivedSpan

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
REQUESTS = 300
SENT = "speechgate_trace_spans_total"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("traced")
    made = Installation(folder, f"sqlite+aiosqlite:///{folder / 'gateway.db'}")
    made.prepare()
    return made


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with OtlpReceiver().running() as started:
        yield started


@pytest.fixture
def start(installation: Installation, upstream: Program) -> Iterator["Start"]:
    made = Start(installation, upstream)
    yield made
    for one in made.started:
        one.stop()


class Start:
    """Starts gateways that send spans to an address."""

    def __init__(self, installation: Installation, upstream: Program) -> None:
        self._installation = installation
        self._upstream = upstream
        self.started: list[Program] = []

    def __call__(self, endpoint: str, **settings: str) -> Program:
        urls = dict.fromkeys(("asr_urls", "tts_urls", "nlp_urls"), self._upstream.url)
        made = self._installation.gateway(otlp_endpoint=endpoint, **urls, **settings)
        made.start()
        self.started.append(made)
        return made


@pytest.fixture
async def key(installation: Installation) -> str:
    return (await installation.create_key())[1]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as opened:
        yield opened


async def spans_of(receiver: OtlpReceiver, trace: str, count: int) -> dict[str, ReceivedSpan]:
    await asyncio.to_thread(receiver.wait, lambda: len(receiver.trace(trace)) >= count)
    return {one.name: one for one in receiver.trace(trace)}


async def test_a_request_its_limits_and_its_service(
    start: Start, receiver: OtlpReceiver, client: httpx.AsyncClient, key: str
) -> None:
    gateway = start(receiver.url)
    given = {
        **bearer(key),
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-00",
        "X-Request-ID": "mine-1",
    }
    answer = await client.post(f"{gateway.url}{ASR}?secret=words", content=b"x" * 50, headers=given)
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "mine-1"
    found = await spans_of(receiver, TRACE, 3)
    root, limit, asked = found[f"POST {ASR}"], found["rate limit"], found[f"asr {ASR}"]
    assert root.parent_id == "00f067aa0ba902b7"
    assert answer.headers["traceparent"] == f"00-{TRACE}-{root.span_id}-01"
    assert {limit.parent_id, asked.parent_id} == {root.span_id}
    received = dict(answer.json()["headers"])
    assert received["traceparent"] == f"00-{TRACE}-{asked.span_id}-01"
    assert received["x-request-id"] == "mine-1"
    assert limit.attributes == {"speechgate.allowed": True}
    assert (asked.kind, asked.attributes["http.response.status_code"]) == ("client", 200)
    assert root.attributes["http.request.body.size"] == 50
    assert not any("secret" in text for one in receiver.spans for text in one.texts())
    assert not any(key in text for one in receiver.spans for text in one.texts())
    assert metric(await scrape_of(client, gateway), SENT, outcome="sent") >= 3


def gateway_log(gateway: Program) -> str:
    return gateway.log.read_text()


async def scrape_of(client: httpx.AsyncClient, gateway: Program) -> str:
    return (await client.get(f"{gateway.url}/metrics")).text


async def test_refusals_are_spans_too(
    start: Start, receiver: OtlpReceiver, client: httpx.AsyncClient
) -> None:
    gateway = start(receiver.url)
    trace = "5bf92f3577b34da6a3ce929d0e0e4736"
    given = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    assert (await client.post(gateway.url + ASR, headers=given)).status_code == 401
    assert (await client.delete(gateway.url + ASR, headers=given)).status_code == 405
    assert (await client.request("PROPFIND", gateway.url + ASR, headers=given)).status_code == 405
    found = await spans_of(receiver, trace, 3)
    assert set(found) == {f"POST {ASR}", f"DELETE {ASR}", f"HTTP {ASR}"}
    assert found[f"POST {ASR}"].attributes["speechgate.code"] == "key_missing"
    assert not any(one.failed for one in found.values()), "what a client did is no failure of ours"


async def test_the_share_that_is_traced(
    start: Start, receiver: OtlpReceiver, client: httpx.AsyncClient, key: str
) -> None:
    gateway = start(receiver.url, trace_sample="0")
    given = {**bearer(key), "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = await client.post(gateway.url + ASR, content=b"x", headers=given)
    assert answer.status_code == 200
    assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert answer.headers["traceparent"].endswith("-00")
    sent = dict(answer.json()["headers"])["traceparent"]
    assert sent.endswith("-00"), "a client does not decide for the services either"
    followed = start(receiver.url, trace_sample="0", trace_follow_clients="true")
    answer = await client.post(followed.url + ASR, content=b"x", headers=given)
    assert answer.headers["traceparent"].endswith("-01")
    assert await spans_of(receiver, TRACE, 3)
    assert gateway.stop() in (0, -15)
    assert {one.attributes.get("http.response.status_code") for one in receiver.spans} <= {
        200,
        None,
    }


@pytest.mark.parametrize("kind", ["slow", "dead"])
async def test_a_receiver_in_trouble_hurts_no_request(
    start: Start, receiver: OtlpReceiver, client: httpx.AsyncClient, key: str, kind: str
) -> None:
    receiver.delay_s = 60.0
    gateway = start(receiver.url if kind == "slow" else f"http://127.0.0.1:{free_port()}")
    headers = bearer(key)
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        answer = await client.post(gateway.url + ASR, content=b"x", headers=headers)
        times.append(time.perf_counter() - began)
        assert answer.status_code == 200
    assert sorted(times)[REQUESTS // 2] < 0.1
    assert max(times) < 2.0
    began = time.perf_counter()
    assert gateway.stop() in (0, -15)
    assert time.perf_counter() - began < 8.0, "the end waits two seconds for spans"
    assert gateway_log(gateway).count("opentelemetry") < 50

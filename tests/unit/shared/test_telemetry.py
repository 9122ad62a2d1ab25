"""Spans as the code makes them, over the real SDK and a real receiver."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from prometheus_client import generate_latest
from pydantic import ValidationError

from shared.metrics import Metrics
from shared.problem import BadRequest
from shared.settings import CommonSettings
from shared.telemetry.opening import open_tracer
from shared.telemetry.otlp import OtlpTracer, connect
from shared.telemetry.span import (
    Kind,
    current_span,
    error_code,
    event,
    note,
    record,
    recording,
    span,
)
from shared.timing import Stopwatch
from tests.support.otlp_receiver import OtlpReceiver

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"
SECRET = "sg_live_abc"  # noqa: S105 - what must not be found


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver().running() as started:
        yield started


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")


def make(url: str, sample: float = 1.0, *, follow: bool = True) -> OtlpTracer:
    return connect("test", url, sample, Metrics("test"), follow_callers=follow)


async def test_a_request_with_its_pieces(receiver: OtlpReceiver) -> None:
    tracer = make(receiver.url)
    served = tracer.serve("POST", "req-1", PARENT + "01")
    assert served.context.request_id == "req-1"
    token = current_span.set(served)
    watch = Stopwatch()
    with span("decode") as made:
        assert made is not None
        note("speechgate.model", "asr")
        event("cut", {"segments": 3})
    with pytest.raises(BadRequest), span("infer asr", Kind.CLIENT):
        raise BadRequest(f"The words {SECRET} are refused.", code="bad_words")
    with pytest.raises(ValueError, match=SECRET), span("broken"):
        raise ValueError(SECRET)
    await asyncio.sleep(0.02)
    watch.lap("prepare")
    record("encode", 0.5)
    current_span.reset(token)
    served.rename("POST /api/v1/asr/inference")
    served.put("absent", None)
    served.end()
    await tracer.close()

    spans = {one.name: one for one in receiver.trace(PARENT.split("-")[1])}
    assert set(spans) == {
        "POST /api/v1/asr/inference",
        *("decode", "infer asr", "broken", "prepare", "encode"),
    }
    root = spans.pop("POST /api/v1/asr/inference")
    assert (root.parent_id, root.kind, root.failed) == ("00f067aa0ba902b7", "server", False)
    assert root.service == "speechgate-test"
    assert root.attributes == {}
    assert {one.parent_id for one in spans.values()} == {root.span_id}
    assert served.context.traceparent.split("-")[1:3] == [root.trace_id, root.span_id]
    assert spans["decode"].attributes == {"speechgate.model": "asr"}
    assert spans["decode"].events == (("cut", {"segments": 3}),)
    assert (spans["infer asr"].kind, spans["infer asr"].failed) == ("client", True)
    assert spans["infer asr"].attributes == {"error.type": "bad_words"}
    assert spans["broken"].attributes == {"error.type": "ValueError"}
    assert 0.02 <= spans["prepare"].ended - spans["prepare"].started < 1
    assert spans["encode"].ended - spans["encode"].started == pytest.approx(0.5, abs=0.01)
    assert not any(SECRET in words for one in receiver.spans for words in one.texts())


async def test_a_context_that_other_code_keeps_is_a_parent(receiver: OtlpReceiver) -> None:
    tracer = make(receiver.url)
    served = tracer.serve("POST", None, None)
    step = tracer.start("step /api/v1/nmt/inference", Kind.CLIENT, served.context)
    assert step.context.request_id == served.context.request_id
    assert step.context.trace_id == served.context.trace_id
    step.end("upstream_timeout")
    served.end()
    await tracer.close()
    root, child = receiver.trace(served.context.trace_id)
    assert (child.parent_id, child.failed) == (root.span_id, True)


@pytest.mark.parametrize(
    ("sample", "follow", "flags", "sampled"),
    [
        (0.0, True, None, False),
        (1.0, True, None, True),
        (0.0, True, "01", True),
        (1.0, True, "00", False),
        # At the public edge a caller cannot say what is worth a trace.
        (0.0, False, "01", False),
        (1.0, False, "00", True),
    ],
)
async def test_who_is_traced(
    receiver: OtlpReceiver, sample: float, *, follow: bool, flags: str | None, sampled: bool
) -> None:
    tracer = make(receiver.url, sample, follow=follow)
    served = tracer.serve("POST", None, None if flags is None else PARENT + flags)
    assert served.recording == sampled
    assert int(served.context.flags, 16) & 1 == sampled
    assert len(served.context.span_id) == 16
    if flags is not None:
        assert served.context.trace_id == PARENT.split("-")[1]
        assert served.context.span_id != "00f067aa0ba902b7"
    step = tracer.start("step", Kind.CLIENT, served.context)
    assert step.recording == sampled
    assert step.context.span_id != served.context.span_id
    assert (served.child("piece") is served) != sampled
    token = current_span.set(served)
    with span("piece") as made:
        assert (made is not None) == sampled
    current_span.reset(token)
    for one in (step, served):
        one.end()
    await tracer.close()
    assert bool(receiver.spans) == sampled


async def test_what_outlives_its_request_adds_nothing(receiver: OtlpReceiver) -> None:
    tracer = make(receiver.url)
    served = tracer.serve("POST", None, None)
    token = current_span.set(served)
    served.end()
    served.end("twice")
    assert recording() is None
    with span("late") as made:
        assert made is None
    record("late", 1.0)
    event("late")
    current_span.reset(token)
    await tracer.close()
    assert [one.name for one in receiver.spans] == ["POST"]
    assert not receiver.spans[0].failed


def test_without_a_span_nothing_happens() -> None:
    with span("piece", Kind.CLIENT, {"a": 1}) as made:
        assert made is None
    note("a", 1)
    event("a")
    record("a", 1.0)


def test_errors_are_told_by_their_code() -> None:
    assert error_code(BadRequest("words", code="bad_body")) == "bad_body"
    assert error_code(asyncio.CancelledError()) == "cancelled"
    assert error_code(KeyError("words")) == "KeyError"


async def test_bounds_of_a_span(receiver: OtlpReceiver) -> None:
    tracer = make(receiver.url)
    served = tracer.serve("POST", None, None)
    served.put("long", "x" * 10_000)
    for number in range(1_000):
        served.event("final", {"number": number})
    served.end()
    await tracer.close()
    (found,) = receiver.spans
    assert len(found.attributes["long"]) == 256
    assert len(found.events) == 128
    assert found.events[-1] == ("final", {"number": 999})


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_dead_receiver_costs_neither_time_nor_memory() -> None:
    metrics = Metrics("test")
    tracer = connect("test", f"http://127.0.0.1:{unused_port()}", 1.0, metrics, follow_callers=True)
    longest = 0.0
    for _ in range(10_000):
        began = time.perf_counter()
        tracer.serve("POST", None, None).end()
        longest = max(longest, time.perf_counter() - began)
    assert longest < 1.0
    began = time.perf_counter()
    await tracer.close()
    assert time.perf_counter() - began < 4.0
    sent = 'speechgate_trace_spans_total{outcome="sent"} 0.0'
    assert sent in generate_latest(metrics.registry).decode()


async def test_a_slow_or_failing_receiver_holds_nothing_up(receiver: OtlpReceiver) -> None:
    receiver.delay_s = 30.0
    tracer = make(receiver.url)
    for _ in range(1_000):
        tracer.serve("POST", None, None).end()
    await asyncio.sleep(0.2)
    began = time.perf_counter()
    await tracer.close()
    assert time.perf_counter() - began < 4.0

    receiver.delay_s, receiver.status = 0.0, HTTPStatus.BAD_REQUEST
    metrics = Metrics("test")
    tracer = connect("test", receiver.url, 1.0, metrics, follow_callers=True)
    tracer.serve("POST", None, None).end()
    await tracer.close()
    failed = 'speechgate_trace_spans_total{outcome="failed"} 1.0'
    assert failed in generate_latest(metrics.registry).decode()


def settings(**given: str | float) -> CommonSettings:
    return CommonSettings(database_url="sqlite+aiosqlite://", **given)  # type: ignore[arg-type]


async def test_the_settings_decide(receiver: OtlpReceiver) -> None:
    async with open_tracer("test", settings(), Metrics("test")) as tracer:
        assert tracer is None
    given = settings(otlp_endpoint=receiver.url + "/", trace_sample=1.0)
    async with open_tracer("test", given, Metrics("test")) as tracer:
        assert tracer is not None
        tracer.serve("POST", None, None).end()
    assert [one.name for one in receiver.spans] == ["POST"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("otlp_endpoint", "collector:4318"),
        ("otlp_endpoint", "http://"),
        ("otlp_endpoint", "http://collector/?key=1"),
        ("trace_sample", 1.5),
        ("trace_sample", -0.1),
    ],
)
def test_settings_that_cannot_be(name: str, value: str | float) -> None:
    with pytest.raises(ValidationError):
        settings(**{name: value})


def test_the_libraries_own_switch_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cluster puts into every container turns nothing on."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert settings().otlp_endpoint == ""
    assert "SPEECHGATE_OTLP_ENDPOINT" not in os.environ

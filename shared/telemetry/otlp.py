"""A tracer over OpenTelemetry's SDK; the one module that imports it.

Providers stay this object's own and never become the process's global ones: libraries that look
for those, FastAPI among them, would add spans with paths, queries and messages of errors.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import Counter

from shared.metrics import Metrics
from shared.telemetry.span import ERROR, Attributes, Kind, Span, Value
from shared.tracing import RequestContext, accepted_request_id, parent_of

_SCOPE = "speechgate"
_EXPORT_TIMEOUT_S = 5.0
_CLOSE_S = 2.0
_MAX_QUEUED = 4_096
_MAX_BATCH = 256
_MAX_VALUE = 256
_MAX_EVENTS = 128
_KINDS = {
    Kind.INTERNAL: trace.SpanKind.INTERNAL,
    Kind.SERVER: trace.SpanKind.SERVER,
    Kind.CLIENT: trace.SpanKind.CLIENT,
}
_FAILED = trace.Status(trace.StatusCode.ERROR)


class OtlpSpan:
    """A `Span`."""

    __slots__ = ("_span", "_tracer", "context", "recording")

    def __init__(self, tracer: trace.Tracer, span: trace.Span, request_id: str) -> None:
        ids = span.get_span_context()
        self._tracer = tracer
        self._span = span
        self.context = RequestContext(
            request_id,
            f"{ids.trace_id:032x}",
            f"{ids.span_id:016x}",
            f"{ids.trace_flags:02x}",
        )
        self.recording = span.is_recording()

    def rename(self, name: str) -> None:
        """See `Span`."""
        if self.recording:
            self._span.update_name(name)

    def put(self, name: str, value: Value | None) -> None:
        """See `Span`."""
        if value is not None and self.recording:
            self._span.set_attribute(name, value)

    def event(self, name: str, attributes: Attributes | None = None) -> None:
        """See `Span`."""
        if self.recording:
            self._span.add_event(name, attributes)

    def child(
        self,
        name: str,
        kind: Kind = Kind.INTERNAL,
        attributes: Attributes | None = None,
        *,
        began_s: float = 0.0,
    ) -> "OtlpSpan":
        """See `Span`."""
        if not self.recording:
            return self
        made = self._tracer.start_span(
            name,
            trace.set_span_in_context(self._span, Context()),
            _KINDS[kind],
            attributes,
            start_time=time.time_ns() - int(began_s * 1e9) if began_s else None,
        )
        return OtlpSpan(self._tracer, made, self.context.request_id)

    def end(self, error: str | None = None) -> None:
        """See `Span`."""
        if not self.recording:
            return
        self.recording = False
        if error is not None:
            self._span.set_attribute(ERROR, error)
            self._span.set_status(_FAILED)
        self._span.end()


class OtlpTracer:
    """A `Tracer`; made by `connect`."""

    def __init__(
        self, provider: TracerProvider, tracer: trace.Tracer, exporter: SpanExporter
    ) -> None:
        self._provider = provider
        self._tracer = tracer
        self._exporter = exporter

    def serve(self, name: str, request_id: str | None, traceparent: str | None) -> Span:
        """See `Tracer`."""
        ids = parent_of(traceparent)
        parent = Context() if ids is None else _parent(*ids, is_remote=True)
        made = self._tracer.start_span(name, parent, trace.SpanKind.SERVER)
        return OtlpSpan(self._tracer, made, accepted_request_id(request_id))

    def start(
        self, name: str, kind: Kind, parent: RequestContext, attributes: Attributes | None = None
    ) -> Span:
        """See `Tracer`."""
        context = _parent(parent.trace_id, parent.span_id, parent.flags, is_remote=False)
        made = self._tracer.start_span(name, context, _KINDS[kind], attributes)
        return OtlpSpan(self._tracer, made, parent.request_id)

    async def close(self) -> None:
        """Send what waits; for two seconds, so that a dead receiver holds up no end."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def shut() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # The loop is gone: nobody waits any more.
                loop.call_soon_threadsafe(ended.set)

        # Not of the loop's own pool, whose threads it waits for at its end.
        threading.Thread(target=shut, name="trace-end", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await ended.wait()
        if not ended.is_set():
            self._exporter.shutdown()  # Gives up what it tries to send.


class _Counted(SpanExporter):
    """Counts what another exporter sends."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics) -> None:
        self._exporter = exporter
        self._closed = False
        self._spans = Counter(
            "speechgate_trace_spans",
            "Spans that the receiver of traces took, or that were lost on the way",
            ["outcome"],
            registry=metrics.registry,
        )
        for outcome in ("sent", "failed"):
            self._spans.labels(outcome)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; called by the SDK's thread."""
        result = SpanExportResult.FAILURE if self._closed else self._exporter.export(spans)
        outcome = "sent" if result is SpanExportResult.SUCCESS else "failed"
        self._spans.labels(outcome).inc(len(spans))
        return result

    def shutdown(self) -> None:
        """Stop sending; more than once is harmless."""
        if not self._closed:
            self._closed = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return self._exporter.force_flush(timeout_millis)


def connect(
    service: str, endpoint: str, sample: float, metrics: Metrics, *, follow_callers: bool
) -> OtlpTracer:
    """A tracer whose spans a thread sends in batches; nothing waits for it.

    Beyond 4,096 waiting spans the oldest are dropped. The SDK's own variables hold for what is
    not said here: `OTEL_EXPORTER_OTLP_HEADERS`, `…_CERTIFICATE`, `OTEL_BSP_SCHEDULE_DELAY`,
    `OTEL_RESOURCE_ATTRIBUTES`.

    Args:
        service: Name of the process.
        endpoint: Base URL of the receiver.
        sample: Part of the requests without a caller's decision that is traced.
        metrics: Where spans are counted.
        follow_callers: Whether a caller's decision counts; one span decides for its children.
    """
    exporter = _Counted(
        OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=_EXPORT_TIMEOUT_S), metrics
    )
    ratio = TraceIdRatioBased(sample)
    sampler = (
        ParentBased(ratio)
        if follow_callers
        else ParentBased(ratio, remote_parent_sampled=ratio, remote_parent_not_sampled=ratio)
    )
    provider = TracerProvider(
        sampler=sampler,
        resource=Resource.create({"service.name": f"{_SCOPE}-{service}"}),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_events=_MAX_EVENTS, max_attribute_length=_MAX_VALUE),
    )
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=_MAX_QUEUED, max_export_batch_size=_MAX_BATCH)
    )
    return OtlpTracer(provider, provider.get_tracer(_SCOPE), exporter)


def _parent(trace_id: str, span_id: str, flags: str, *, is_remote: bool) -> Context:
    ids = trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote, trace.TraceFlags(int(flags, 16))
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(ids), Context())

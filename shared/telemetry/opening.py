"""Makes the tracer of a process, where its settings name a receiver."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.metrics import Metrics
from shared.settings import CommonSettings
from shared.telemetry.span import Tracer

_MEASURING = "opentelemetry.sdk.metrics"


@asynccontextmanager
async def open_tracer(
    service: str, settings: CommonSettings, metrics: Metrics, *, follow_callers: bool = True
) -> AsyncIterator[Tracer | None]:
    """The tracer, or None without a receiver: then nothing of OpenTelemetry's SDK is loaded.

    Args:
        service: Name of the process, as in its logs.
        settings: With the receiver's address, and the part of requests to trace.
        metrics: Where spans are counted.
        follow_callers: Whether a caller's `traceparent` says if its request is traced.
    """
    if not settings.otlp_endpoint:
        yield None
        return
    if sys.modules.get(_MEASURING, sys) is None:
        del sys.modules[_MEASURING]  # It was kept from others, and the exporter imports it.
    # Megabytes, and most of a second, that a process without a receiver does without.
    from shared.telemetry.otlp import connect  # noqa: PLC0415

    tracer = connect(
        service,
        settings.otlp_endpoint,
        settings.trace_sample,
        metrics,
        follow_callers=follow_callers,
    )
    try:
        yield tracer
    finally:
        await tracer.close()

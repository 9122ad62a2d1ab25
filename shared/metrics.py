"""Prometheus metrics of one process; a registry per app, so that tests can build many apps."""

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from shared.red import RequestTallies

METRICS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BUCKETS_S = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)


class Metrics:
    """Rate, errors and duration by route template, and the process's own figures.

    Attributes:
        registry: Where a deployable registers metrics of its own.
    """

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = RequestTallies(
            "speechgate_http_requests",
            "speechgate_http_request_duration_seconds",
            "HTTP requests",
            ["service", "method", "route"],
            LATENCY_BUCKETS_S,
        )
        self.registry.register(self.requests)
        self.in_flight = Gauge(
            "speechgate_http_requests_in_flight",
            "Requests being answered",
            ["service"],
            registry=self.registry,
        )
        self.service = service
        self._in_flight = self.in_flight.labels(service)

    def started(self) -> None:
        """A request's head has arrived."""
        self._in_flight.inc()

    def finished(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered, or its client left (status 499)."""
        self._in_flight.dec()
        self.requests.tally(self.service, method, route).add(status, seconds)

    def render(self) -> bytes:
        """The text exposition of the registry."""
        return generate_latest(self.registry)

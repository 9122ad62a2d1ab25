"""Prometheus metrics of one process; a registry per app, so that tests can build many apps."""

import platform

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from shared.red import RequestTallies
from shared.version import VERSION

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

    Args:
        service: Value of the label `service`.
        by_plan: Whether requests are counted by their sender's plan as well; the gateway knows it.

    Attributes:
        registry: Where a deployable registers metrics of its own.
        dependency_up: Fed by health checks, or by what else watches a dependency.
    """

    def __init__(self, service: str, *, by_plan: bool = False) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = RequestTallies(
            "speechgate_http_requests",
            "speechgate_http_request_duration_seconds",
            "HTTP requests",
            ["service", "method", "route"],
            LATENCY_BUCKETS_S,
            by_plan=by_plan,
        )
        self.registry.register(self.requests)
        self.in_flight = Gauge(
            "speechgate_http_requests_in_flight",
            "Requests being answered",
            ["service"],
            registry=self.registry,
        )
        self.dependency_up = Gauge(
            "speechgate_dependency_up",
            "1 while the dependency answers",
            ["dependency"],
            registry=self.registry,
        )
        build = Gauge(
            "speechgate_build_info",
            "What runs; always 1",
            ["service", "version", "python"],
            registry=self.registry,
        )
        build.labels(service, VERSION, platform.python_version()).set(1)
        self.service = service
        self._in_flight = self.in_flight.labels(service)

    def started(self) -> None:
        """A request's head has arrived."""
        self._in_flight.inc()

    def finished(
        self, method: str, route: str, status: int, seconds: float, plan: str | None = None
    ) -> None:
        """A request was answered, or its client left (status 499).

        Args:
            method: Of the request.
            route: Template.
            status: Of the answer.
            seconds: Until its end.
            plan: Of the sender; None where nobody knows it.
        """
        self._in_flight.dec()
        self.requests.tally(self.service, method, route, plan=plan).add(status, seconds)

    def render(self) -> bytes:
        """The text exposition of the registry."""
        return generate_latest(self.registry)

"""What is counted about services."""

from prometheus_client import Counter, Gauge

from gateway.upstream.replica import Replica, State
from shared.metrics import LATENCY_BUCKETS_S, Metrics
from shared.red import Durations

_STATE_VALUES = {State.CLOSED: 1.0, State.HALF_OPEN: 0.5, State.OPEN: 0.0}


class UpstreamMetrics:
    """The metrics of all pools; each binds its own labels once.

    Args:
        metrics: Of the process.
        max_in_service: Requests that a service gets from this process at once.
    """

    def __init__(self, metrics: Metrics, max_in_service: int = 0) -> None:
        registry = metrics.registry
        most = Gauge(
            "speechgate_upstream_in_flight_max",
            "Requests at all replicas of one service",
            registry=registry,
        )
        most.set(max_in_service)
        self.duration = Durations(
            "speechgate_upstream_duration_seconds",
            "Time from the request to the head of the service's answer",
            "upstream",
            LATENCY_BUCKETS_S,
        )
        registry.register(self.duration)
        self.failures = Counter(
            "speechgate_upstream_failures",
            "Requests that a replica did not answer",
            ["upstream", "kind"],
            registry=registry,
        )
        self.retries = Counter(
            "speechgate_upstream_retries",
            "Requests sent again because the first attempt was not answered",
            ["upstream"],
            registry=registry,
        )
        self.retries_refused = Counter(
            "speechgate_upstream_retries_refused",
            "Requests not sent again because too many of late were",
            ["upstream"],
            registry=registry,
        )
        self.ejections = Counter(
            "speechgate_upstream_ejections",
            "Replicas taken out of use",
            ["upstream", "kind"],
            registry=registry,
        )
        self.lookup_failures = Counter(
            "speechgate_upstream_lookup_failures",
            "Failed or empty look-ups of a service's replicas",
            ["upstream"],
            registry=registry,
        )
        self.replicas = Gauge(
            "speechgate_upstream_replicas",
            "Known replicas",
            ["upstream"],
            registry=registry,
        )
        self.in_flight = Gauge(
            "speechgate_upstream_in_flight",
            "Requests at a replica",
            ["upstream", "replica"],
            registry=registry,
        )
        self.tunnels = Gauge(
            "speechgate_upstream_tunnels",
            "Open WebSocket connections to a replica",
            ["upstream", "replica"],
            registry=registry,
        )
        self.replica_state = Gauge(
            "speechgate_upstream_replica_state",
            "Circuit breaker of a replica: 1 closed, 0.5 half open, 0 open",
            ["upstream", "replica"],
            registry=registry,
        )

    def export(self, service: str, replica: Replica) -> None:
        """Show a replica; its values are read when scraped, which costs requests nothing."""
        labels = (service, replica.url)
        self.in_flight.labels(*labels).set_function(lambda: replica.in_flight)
        self.tunnels.labels(*labels).set_function(lambda: replica.tunnels)
        self.replica_state.labels(*labels).set_function(lambda: _STATE_VALUES[replica.state])

    def forget(self, service: str, replica: Replica) -> None:
        """Show a replica no more."""
        for gauge in (self.in_flight, self.tunnels, self.replica_state):
            gauge.remove(service, replica.url)

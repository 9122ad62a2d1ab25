"""The replicas of one service: choice, passive ejection, one retry where nothing was sent."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import Counter, Gauge, Histogram

from gateway.exceptions import UpstreamUnavailable
from gateway.upstream.protocol import (
    ConnectFailed,
    Header,
    UpstreamBroken,
    UpstreamClient,
    UpstreamRequest,
    UpstreamResponse,
    UpstreamTimeout,
)
from gateway.upstream.replica import Replica, State
from shared.logging import get_logger
from shared.metrics import LATENCY_BUCKETS_S, Metrics
from shared.problem import DeadlineExceeded

_logger = get_logger(__name__)
_PROBE_INTERVAL_S = (0.4, 0.6)
_SERVER_ERROR, _UNAVAILABLE = 500, 503
_STATE_VALUES = {State.CLOSED: 1.0, State.HALF_OPEN: 0.5, State.OPEN: 0.0}


class UpstreamMetrics:
    """What is counted about services."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self.duration = Histogram(
            "speechgate_upstream_duration_seconds",
            "Time from the request to the head of the service's answer",
            ["upstream"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.failures = Counter(
            "speechgate_upstream_failures",
            "Requests that a replica did not answer",
            ["upstream", "kind"],
            registry=registry,
        )
        self.retries = Counter(
            "speechgate_upstream_retries",
            "Requests sent to another replica because the first could not be connected to",
            ["upstream"],
            registry=registry,
        )
        self.in_flight = Gauge(
            "speechgate_upstream_in_flight",
            "Requests at a replica",
            ["upstream", "replica"],
            registry=registry,
        )
        self.replica_state = Gauge(
            "speechgate_upstream_replica_state",
            "Circuit breaker of a replica: 1 closed, 0.5 half open, 0 open",
            ["upstream", "replica"],
            registry=registry,
        )


class LeasedResponse:
    """An answer that keeps its replica's count until it is closed.

    Attributes:
        replica: Base URL of the replica that answered.
    """

    def __init__(self, response: UpstreamResponse, replica: Replica) -> None:
        self._response = response
        self._replica: Replica | None = replica
        self.replica = replica.url
        self.status: int = response.status
        self.headers: Sequence[Header] = response.headers

    async def read(self) -> tuple[bytes, bool]:
        """The next part, and whether more may follow; see `UpstreamResponse`."""
        return await self._response.read()

    def close(self) -> None:
        """Give everything back; more than once is harmless."""
        if self._replica is not None:
            self._replica.end()
            self._replica = None
            self._response.close()


class ReplicaPool:
    """Sends requests to the replicas of one service.

    Args:
        service: Label of metrics.
        urls: Base URLs.
        client: Shared by all pools.
        probe: Raises unless a base URL's `/health` answers.
        metrics: Where requests are counted.
        max_in_flight: Requests at one replica.
    """

    def __init__(
        self,
        service: str,
        urls: Sequence[str],
        client: UpstreamClient,
        probe: Callable[[str], Awaitable[None]],
        metrics: UpstreamMetrics,
        *,
        max_in_flight: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service = service
        self.replicas = [Replica(url, clock) for url in urls]
        self._client = client
        self._probe = probe
        self._max_in_flight = max_in_flight
        self._clock = clock
        self._duration = metrics.duration.labels(service)
        self._retries = metrics.retries.labels(service)
        self._failures = {
            kind: metrics.failures.labels(service, kind)
            for kind in ("connect", "broken", "timeout", "saturated", "ejected")
        }
        self._task: asyncio.Task[None] | None = None
        for replica in self.replicas:
            _export(replica, service, metrics)

    def start(self) -> None:
        """Begin to look after unreachable replicas."""
        self._task = asyncio.create_task(self._watch(), name=f"replicas-{self.service}")

    async def stop(self) -> None:
        """End the watch."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def check(self) -> None:
        """Raise unless a replica is healthy."""
        results = await asyncio.gather(
            *(self._probe(replica.url) for replica in self.replicas), return_exceptions=True
        )
        if not any(result is None for result in results):
            raise UpstreamUnavailable(f"The {self.service} service does not answer.")

    async def send(self, request: UpstreamRequest) -> LeasedResponse:
        """The answer of one replica.

        Raises:
            UpstreamUnavailable: No replica can be connected to, has room or answered whole.
            DeadlineExceeded: The answer took too long (code `upstream_timeout`).
        """
        replica = self._choose(None)
        try:
            return await self._attempt(replica, request)
        except ConnectFailed:
            second = self._choose(replica)
            self._retries.inc()
        try:
            return await self._attempt(second, request)
        except ConnectFailed as error:
            raise self._unavailable() from error

    def _choose(self, tried: Replica | None) -> Replica:
        """The less loaded of two random replicas that may be used (Mitzenmacher, 2001)."""
        usable = [r for r in self.replicas if r is not tried and r.available()]
        if not usable:
            if tried is None:
                self._failures["ejected"].inc()
            raise self._unavailable()
        pair = usable if len(usable) <= 2 else random.sample(usable, 2)  # noqa: PLR2004
        chosen = min(pair, key=lambda replica: (replica.in_flight, random.random()))  # noqa: S311
        if chosen.in_flight >= self._max_in_flight:
            self._failures["saturated"].inc()
            raise UpstreamUnavailable(
                f"The {self.service} service has too much to do.", code="upstream_saturated"
            )
        return chosen

    def _unavailable(self) -> UpstreamUnavailable:
        return UpstreamUnavailable(f"The {self.service} service does not answer.")

    async def _attempt(self, replica: Replica, request: UpstreamRequest) -> LeasedResponse:
        started = self._clock()
        replica.begin()
        try:
            response = await self._client.send(replica.url, request)
        except ConnectFailed:
            replica.end()
            self._failed(replica, "connect")
            raise
        except UpstreamBroken as error:
            replica.end()
            self._failed(replica, "broken")
            raise UpstreamUnavailable(
                f"The {self.service} service broke off.", code="upstream_broken"
            ) from error
        except UpstreamTimeout as error:
            replica.end()
            self._failed(replica, "timeout")
            raise DeadlineExceeded(
                f"The {self.service} service took too long.", code="upstream_timeout"
            ) from error
        except BaseException:
            replica.end()
            raise
        self._duration.observe(self._clock() - started)
        if response.status >= _SERVER_ERROR and response.status != _UNAVAILABLE:
            # A service that says 503 itself is alive; what it lacks, another replica lacks too.
            replica.failed(unreachable=False, may_open=self._has_other(replica))
        else:
            replica.succeeded()
        return LeasedResponse(response, replica)

    def _failed(self, replica: Replica, kind: str) -> None:
        self._failures[kind].inc()
        unreachable = kind != "timeout"
        was_closed = replica.state is State.CLOSED
        replica.failed(unreachable=unreachable, may_open=unreachable or self._has_other(replica))
        if was_closed and replica.state is State.OPEN:
            _logger.warning(
                "replica ejected", upstream=self.service, replica=replica.url, kind=kind
            )

    def _has_other(self, replica: Replica) -> bool:
        """Bad answers must not take the last replica out: one client's input can cause them."""
        return any(other is not replica and other.state is State.CLOSED for other in self.replicas)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(*_PROBE_INTERVAL_S))  # noqa: S311 - no secret
            for replica in self.replicas:
                if replica.unreachable:
                    try:
                        await self._probe(replica.url)
                    except Exception:  # noqa: BLE001, S112 - asked again at the next turn
                        continue
                    replica.reachable_again()
                    _logger.info("replica is back", upstream=self.service, replica=replica.url)


def _export(replica: Replica, service: str, metrics: UpstreamMetrics) -> None:
    # Read when scraped: costs the requests nothing.
    metrics.in_flight.labels(service, replica.url).set_function(lambda: replica.in_flight)
    metrics.replica_state.labels(service, replica.url).set_function(
        lambda: _STATE_VALUES[replica.state]
    )

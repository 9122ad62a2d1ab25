"""Sends requests to the replicas of one service: choice, bounds, at most one retry."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.models.routes import Priority
from gateway.upstream.budget import RetryBudget
from gateway.upstream.choice import Choice
from gateway.upstream.discovery import MAX_WAIT_S, Discovery
from gateway.upstream.leased import LeasedResponse
from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.outcomes import Outcomes
from gateway.upstream.places import Places, Sent
from gateway.upstream.protocol import (
    ConnectFailed,
    UpstreamBroken,
    UpstreamClient,
    UpstreamRequest,
    UpstreamResponse,
    UpstreamTimeout,
)
from gateway.upstream.replica import Replica
from gateway.upstream.replica_set import ReplicaSet
from gateway.upstream.sources import ReplicaSource
from gateway.upstream.tunnel import Tunnel
from shared.logging import get_logger

Made = TypeVar("Made")
_Call = Callable[[str, UpstreamRequest, bytes], Awaitable[Made]]
_Failure = ConnectFailed | UpstreamBroken

_logger = get_logger(__name__)
_PROBE_INTERVAL_S = (0.4, 0.6)
_MAX_PAUSE_S = 0.025
_SERVER_ERROR = 500
_MAX_TUNNELS = 1024


class ReplicaPool:
    """The replicas of one service.

    Args:
        service: Label of metrics.
        source: Base URLs, or where they are looked up; see `parse_replicas`.
        client: Shared by all pools.
        probe: Raises unless a base URL's `/health` answers.
        metrics: Where requests are counted.
        max_in_flight: Requests at one replica.
        max_in_service: Requests at all replicas together.
        max_tunnels: WebSocket connections to one replica.
        slow_start_s: In this time the share of a new replica grows to the whole.
        max_lookup_wait_s: Longest time between two look-ups of the replicas.
        clock: That of the running loop.

    Attributes:
        places: For requests that are sent at once.
    """

    def __init__(
        self,
        service: str,
        source: Sequence[str] | ReplicaSource,
        client: UpstreamClient,
        probe: Callable[[str], Awaitable[None]],
        metrics: UpstreamMetrics,
        *,
        max_in_flight: int,
        max_in_service: int | None = None,
        max_tunnels: int = _MAX_TUNNELS,
        slow_start_s: float = 10.0,
        max_lookup_wait_s: float = MAX_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service = service
        self._client = client
        self._probe = probe
        self._clock = clock
        self._replicas = ReplicaSet(service, metrics, clock, slow_start_s=slow_start_s)
        self._outcomes = Outcomes(service, self._replicas, metrics)
        self._choice = Choice(
            self._replicas, self._outcomes, max_in_flight, max_in_service, max_tunnels
        )
        self._budget = RetryBudget()
        self._observe = metrics.duration.series(service).observe
        self.places = Places(self._replicas, self._choice, client, self._budget, self._observe)
        self._retries = metrics.retries.labels(service)
        self._retries_refused = metrics.retries_refused.labels(service)
        self._tasks: list[asyncio.Task[None]] = []
        self._discovery: Discovery | None = None
        if isinstance(source, Sequence):
            self._replicas.apply(source)
        else:
            self._discovery = Discovery(
                service,
                source,
                self._replicas.apply,
                metrics.lookup_failures.labels(service),
                max_wait_s=max_lookup_wait_s,
            )

    @property
    def replicas(self) -> Sequence[Replica]:
        """Those that are known now."""
        return self._replicas.replicas

    def start(self) -> None:
        """Begin to look for replicas, and after those that fail."""
        jobs = [self._watch()]
        if self._discovery is not None:
            jobs.append(self._discovery.run())
        self._tasks = [asyncio.create_task(job, name=f"replicas-{self.service}") for job in jobs]

    async def settle(self, timeout_s: float = 3.0) -> None:
        """Wait for the first look-up, for a while; requests before it find no replica."""
        if self._discovery is not None:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._discovery.looked_up.wait()
            except TimeoutError:
                _logger.warning("replicas not found yet", upstream=self.service)

    async def stop(self) -> None:
        """End what `start` began."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def check(self) -> None:
        """Raise unless a replica is healthy."""
        results = await asyncio.gather(
            *(self._probe(replica.url) for replica in self.replicas), return_exceptions=True
        )
        if not any(result is None for result in results):
            raise self._outcomes.unavailable()

    async def send(
        self,
        request: UpstreamRequest,
        priority: int = Priority.INTERACTIVE,
        sent: Sent | None = None,
    ) -> LeasedResponse:
        """The answer of one replica.

        Args:
            request: What to send.
            priority: All but live traffic leave a tenth of the places free.
            sent: It was sent already; this is the first attempt.

        Raises:
            UpstreamUnavailable: No replica can be connected to, has room or answered whole (codes
                `upstream_unavailable`, `upstream_saturated`, `upstream_broken`), or the session's
                replica is gone (`session_lost`).
            DeadlineExceeded: The answer took too long (code `upstream_timeout`).
            Exception: The body's own `error`.
        """
        call: _Call[UpstreamResponse] = self._client.send
        attempt: Awaitable[UpstreamResponse]
        if sent is not None:
            replica = sent.replica
            attempt = self._settle(sent.answer.begun(), replica, sent.at)
        else:
            now = self._clock()
            self._budget.request(now)
            replica = self._choice.first(request, priority)
            attempt = self._attempt(call, replica, request, now)
        try:
            response = await attempt
        except (ConnectFailed, UpstreamBroken) as error:
            replica, response = await self._again(call, replica, request, priority, error)
        return self._lease(replica, response)

    async def open_tunnel(self, request: UpstreamRequest) -> Tunnel | LeasedResponse:
        """A WebSocket connection to one replica, or its refusal as an answer.

        Args:
            request: With the `sec-websocket-*` fields of the client, without `connection` and
                `upgrade`; `deadline` bounds the handshake only.

        Raises:
            SpeechgateError: As `send`.
        """
        now = self._clock()
        self._budget.request(now)
        replica = self._choice.first(request, None)
        call = self._client.upgrade
        try:
            made = await self._attempt(call, replica, request, now)
        except (ConnectFailed, UpstreamBroken) as error:
            replica, made = await self._again(call, replica, request, None, error)
        if not isinstance(made, Tunnel):
            return self._lease(replica, made)
        self._settle_tunnel(replica, made)
        return made

    # Attempts.

    async def _attempt(
        self, call: _Call[Made], replica: Replica, request: UpstreamRequest, now: float
    ) -> Made:
        """One answer; the request keeps its place at the replica.

        Raises:
            ConnectFailed, UpstreamBroken: Another attempt may do.
        """
        lines, deadline = replica.lines, request.deadline
        if deadline is not None:
            left_ms = int((deadline - now) * 1000)
            if left_ms <= 0:
                raise self._outcomes.told(UpstreamTimeout())
            lines = b"%bx-sg-timeout-ms: %d\r\n" % (lines, left_ms)
        probes = replica.begin()
        self._replicas.in_flight += 1
        try:
            return await self._settle(call(replica.url, request, lines), replica, now)
        finally:
            if probes:
                replica.probe_ended()

    async def _settle(self, attempt: Awaitable[Made], replica: Replica, now: float) -> Made:
        """The outcome of an attempt that has a place at a replica."""
        try:
            made = await attempt
        except BaseException as error:
            self.places.end(replica)
            if isinstance(error, Exception):
                self._outcomes.failed(replica, error)
                if isinstance(error, UpstreamTimeout):
                    raise self._outcomes.told(error) from error
            raise
        replica.heard = self._clock()
        self._observe(replica.heard - now)
        return made

    async def _again(
        self,
        call: _Call[Made],
        first: Replica,
        request: UpstreamRequest,
        priority: int | None,
        failure: _Failure,
    ) -> tuple[Replica, Made]:
        """The second attempt, if there may be one.

        Raises:
            SpeechgateError: There may not, or it failed too.
        """
        second = self._choice.second(first, request, priority, failure)
        now = self._clock()
        pause = random.random() * _MAX_PAUSE_S  # noqa: S311 - no secret
        if second is None or (request.deadline is not None and now + pause >= request.deadline):
            raise self._outcomes.told(failure) from failure
        if not self._budget.spend(now):
            self._retries_refused.inc()
            raise self._outcomes.told(failure) from failure
        self._retries.inc()
        await asyncio.sleep(pause)
        try:
            return second, await self._attempt(call, second, request, self._clock())
        except (ConnectFailed, UpstreamBroken) as error:
            raise self._outcomes.told(failure, error) from error

    def _lease(self, replica: Replica, response: UpstreamResponse) -> LeasedResponse:
        early = None
        if response.status >= _SERVER_ERROR or replica.troubled:
            early = self._outcomes.answered(replica, response)
        return LeasedResponse(response, replica, self._replicas, early)

    def _settle_tunnel(self, replica: Replica, tunnel: Tunnel) -> None:
        """Its place among the requests becomes one among the tunnels."""
        self.places.end(replica)
        if replica.troubled:
            replica.succeeded()

        def closed() -> None:
            replica.tunnels -= 1

        replica.tunnels += 1
        tunnel.when_closed(closed)

    # What runs in the background.

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(*_PROBE_INTERVAL_S))  # noqa: S311 - no secret
            now = self._clock()
            doubtful = [r for r in self.replicas if r.unreachable or r.suspect or r.silent(now)]
            if doubtful:
                await asyncio.gather(*(self._ask_health(replica) for replica in doubtful))

    async def _ask_health(self, replica: Replica) -> None:
        try:
            await self._probe(replica.url)
        except Exception:  # noqa: BLE001 - asked again at the next turn
            self._outcomes.unhealthy(replica)
            return
        if replica.healthy():
            _logger.info("replica is back", upstream=self.service, replica=replica.url)

"""The one way to Redis: short time-outs, no retries, and a breaker in front.

redis-py's defaults take seconds to give up on a refused connection.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from prometheus_client import Counter, Gauge
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.db.dependency import Dependency
from gateway.db.redis_wire import Greeting, RedisWire
from gateway.exceptions import RedisUnavailable
from shared.metrics import Metrics

Result = TypeVar("Result")
TIMEOUT_S = 0.05


def open_redis(url: str, *, timeout_s: float | None = TIMEOUT_S) -> Redis:
    """A client that fails fast.

    Args:
        url: `redis://host:port/db`.
        timeout_s: Longest wait for an answer; None for a subscription, which waits by nature.
    """
    client: Redis = Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=TIMEOUT_S if timeout_s is None else timeout_s,
        retry=Retry(NoBackoff(), 0),
        max_connections=256,
    )
    return client


class RedisLink:
    """Calls to Redis that either work soon or raise `RedisUnavailable` soon.

    Args:
        url: Where Redis is.
        metrics: Counts fallbacks.
        gauge: `speechgate_dependency_up`.
    """

    def __init__(self, url: str, metrics: Metrics, gauge: Gauge) -> None:
        self.url = url
        self._client = open_redis(url)
        self.dependency = Dependency("redis", self.ping, gauge, probe_timeout_s=1.0, interval_s=2.0)
        self._fallbacks = Counter(
            "speechgate_redis_fallbacks",
            "Calls that were answered without Redis because it was down",
            ["use"],
            registry=metrics.registry,
        )
        self._wires: list[RedisWire] = []

    def open_wire(self, greet: Greeting) -> RedisWire:
        """A connection for what redis-py would cost too much; closed with this link.

        Its user tells `dependency` how calls went.

        Args:
            greet: Awaited with each new session before anything else is sent over it.
        """
        wire = RedisWire(self.url, timeout_s=TIMEOUT_S, greet=greet)
        self._wires.append(wire)
        return wire

    def fell_back(self, use: str, calls: int = 1) -> None:
        """Count calls that were answered without Redis."""
        self._fallbacks.labels(use).inc(calls)

    async def run(self, use: str, operation: Callable[[Redis], Awaitable[Result]]) -> Result:
        """The result of an operation.

        Args:
            use: Label of the fallback counter.
            operation: Given the client.

        Raises:
            RedisUnavailable: It failed, or the breaker is open.
        """
        if not self.dependency.up:
            self.fell_back(use)
            raise RedisUnavailable
        try:
            result = await operation(self._client)
        except (RedisError, OSError, TimeoutError) as error:
            self.dependency.failed(error)
            self.fell_back(use)
            raise RedisUnavailable from error
        self.dependency.succeeded()
        return result

    async def ping(self) -> None:
        """Raise unless Redis answers."""
        await self._client.ping()

    async def close(self) -> None:
        """End the probe and close the connections."""
        await self.dependency.stop()
        for wire in self._wires:
            await wire.close()
        await self._client.aclose()

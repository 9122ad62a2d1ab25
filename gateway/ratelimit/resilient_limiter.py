"""Redis while it answers, this process's own windows of the same policy while it does not."""

from prometheus_client import Counter

from gateway.exceptions import RedisUnavailable
from gateway.models.limits import Decision, Policy
from gateway.ratelimit.memory_limiter import MemoryLimiter
from gateway.ratelimit.redis_limiter import RedisLimiter
from shared.metrics import Metrics


class CountingLimiter:
    """Decides, falls back and counts.

    What Redis accepts is noted in this process too: an outage then continues the windows instead
    of granting every key a new quota.

    Args:
        shared: The limiter of all gateways; None in the embedded stack.
        metrics: Where decisions are counted.
    """

    def __init__(self, shared: RedisLimiter | None, metrics: Metrics) -> None:
        self._shared = shared
        self._local = MemoryLimiter()
        counter = Counter(
            "speechgate_rate_limit_decisions",
            "Decisions of the rate limiter",
            ["backend", "outcome"],
            registry=metrics.registry,
        )
        self._counters = {
            (backend, allowed): counter.labels(backend, "allowed" if allowed else "denied")
            for backend in ("redis", "process")
            for allowed in (True, False)
        }

    async def check(self, key: str, policy: Policy, cost: int = 1) -> Decision:
        """One decision; see `Limiter`."""
        backend = "process"
        if self._shared is None:
            decision = self._local.decide(key, policy, cost)
        else:
            try:
                decision = await self._shared.check(key, policy, cost)
            except RedisUnavailable:
                decision = self._local.decide(key, policy, cost)
            else:
                backend = "redis"
                if decision.allowed:
                    self._local.record(key, policy, cost)
        self._counters[backend, decision.allowed].inc()
        return decision
